"""Both fixture shops really start, work, and differ in what the rules are about.

The two packages have the same name, so each runs in a process of its own: this file, run as a script,
is the driver that plays a customer against one of them and prints what it saw as JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
HTTPS = "https://localhost"
EMAIL = "ann@example.org"
PASSWORD = "blue-teapot-42"
INJECTION = "' UNION SELECT id, email, name, password_hash, 0, 0 FROM users --"
START_SECONDS = 30.0
STOP_SECONDS = 10.0
DRIVER_SECONDS = 60.0

CORE_RULES = {
    "PRD101",
    "PRD102",
    "PRD103",
    "PRD201",
    "PRD202",
    "PRD203",
    "PRD301",
    "PRD302",
    "PRD310",
    "PRD311",
    "PRD401",
}


# --- the driver: runs in the subprocess -------------------------------------------------------------------


@dataclass
class Outbox:
    messages: list[tuple[str, str, str]] = field(default_factory=list)

    def send(self, recipient: str, subject: str, body: str) -> None:
        self.messages.append((recipient, subject, body))

    def token(self) -> str:
        return self.messages[-1][2].partition("?token=")[2]


class Customer:
    def __init__(self, app: Any) -> None:
        self.client = app.test_client()
        self.csrf_token = ""

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        response = self.client.open(
            path, method=method, json=body, base_url=HTTPS, headers={"X-CSRF-Token": self.csrf_token}
        )
        data = response.get_json(silent=True) or {}
        self.csrf_token = data.get("csrfToken", self.csrf_token)
        return response.status_code, data

    def search(self, term: str) -> tuple[int, Any]:
        response = self.client.get("/api/products/search", query_string={"q": term}, base_url=HTTPS)
        return response.status_code, response.get_json()


def run_cli(app: Any, *args: str) -> None:
    result = app.test_cli_runner().invoke(args=list(args))
    if result.exit_code != 0:
        raise RuntimeError(f"{args} failed: {result.output}") from result.exception


def play(name: str) -> dict[str, Any]:
    outbox = Outbox()
    create_app = importlib.import_module("shop").create_app
    app = create_app(mailer=outbox) if name == "shop_fixed" else create_app()
    run_cli(app, "init-db")
    run_cli(app, "seed")

    customer = Customer(app)
    seen: dict[str, Any] = {"health": customer.call("GET", "/health"), "session": customer.call("GET", "/api/session")}
    account = {"email": EMAIL, "name": "Ann", "password": PASSWORD}
    seen["signup"] = customer.call("POST", "/api/signup", account)
    if outbox.messages:
        seen["verify"] = customer.call("POST", "/api/verify", {"token": outbox.token()})
    seen["wrong_login"] = customer.call("POST", "/api/login", {"email": EMAIL, "password": "not-this-one"})
    seen["login"] = customer.call("POST", "/api/login", {"email": EMAIL, "password": PASSWORD})
    seen["search"] = customer.search("mug")
    seen["order"] = customer.call("POST", "/api/orders", {"lines": [{"product_id": 1, "quantity": 2}]})
    seen["too_much"] = customer.call("POST", "/api/orders", {"lines": [{"product_id": 1, "quantity": 99}]})
    seen["orders"] = customer.call("GET", "/api/orders")
    seen["order_page"] = customer.call("GET", "/orders/1")
    seen["injection"] = customer.search(INJECTION)
    seen["refund"] = customer.call("POST", "/orders/1/refund")
    seen["forged_role"] = customer.call("PATCH", "/api/products/2/price", {"role": "admin", "price_cents": 1})
    seen["admin_page"] = customer.call("GET", "/admin/")
    stranger = Customer(app)
    stranger.call("GET", "/api/session")
    seen["stranger_stock"] = stranger.call("POST", "/admin/products/2/stock")
    seen["delete"] = customer.call("DELETE", "/api/products/1")
    return seen


if __name__ == "__main__":
    sys.path[0] = os.getcwd()
    print(json.dumps(play(sys.argv[1])))
    sys.exit()


# --- the tests --------------------------------------------------------------------------------------------

import pytest  # noqa: E402


@dataclass(frozen=True)
class Run:
    seen: dict[str, Any]
    log: str

    def status(self, step: str) -> int:
        return int(self.seen[step][0])

    def body(self, step: str) -> Any:
        return self.seen[step][1]


def environment(name: str, folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{folder / name}.db",
        "SECRET_KEY": "a-key-that-only-the-tests-use",
        "TRUSTED_PROXIES": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def run_driver(name: str, folder: Path) -> Run:
    done = subprocess.run(
        [sys.executable, __file__, name],
        cwd=FIXTURES / name,
        env=environment(name, folder),
        capture_output=True,
        text=True,
        timeout=DRIVER_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Run(json.loads(done.stdout), done.stderr)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_driver("shop", tmp_path_factory.mktemp("broken"))


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_driver("shop_fixed", tmp_path_factory.mktemp("fixed"))


@pytest.fixture(params=["broken", "fixed"])
def either(request: pytest.FixtureRequest) -> Run:
    run: Run = request.getfixturevalue(request.param)
    return run


def test_a_customer_signs_up_searches_and_orders(either: Run) -> None:
    assert either.seen["health"] == [200, {"status": "ok"}]
    assert either.status("signup") in (201, 202)
    assert either.status("wrong_login") == 401
    assert either.status("login") == 200
    assert either.body("login")["user"]["email"] == EMAIL
    assert [product["name"] for product in either.body("search")["products"]] == ["Coffee mug"]

    line = {"product_id": 1, "quantity": 2, "price_cents": 1290}
    order = {"id": 1, "status": "placed", "total_cents": 2580, "lines": [line]}
    assert either.seen["order"] == [201, {"order": order}]
    assert order in either.body("orders")["orders"]
    assert either.status("order_page") == 200
    assert either.status("too_much") == 409
    assert either.status("admin_page") == 403


def test_the_injection_reveals_the_users_of_the_broken_shop(broken: Run) -> None:
    assert broken.status("injection") == 200
    stolen = [row for row in broken.body("injection")["products"] if row["sku"] == EMAIL]
    assert len(stolen) == 1
    assert re.fullmatch(r"[0-9a-f]{64}", stolen[0]["description"])


def test_the_injection_finds_nothing_in_the_fixed_shop(fixed: Run) -> None:
    assert fixed.seen["injection"] == [200, {"products": []}]


def test_a_failed_order_leaves_half_an_order_in_the_broken_shop_only(broken: Run, fixed: Run) -> None:
    assert {order["status"] for order in broken.body("orders")["orders"]} == {"placed", "new"}
    assert {order["status"] for order in fixed.body("orders")["orders"]} == {"placed"}


def test_the_broken_shop_lets_customers_do_what_only_the_office_sees(broken: Run) -> None:
    assert broken.status("refund") == 302
    assert broken.seen["forged_role"][1]["product"]["price_cents"] == 1
    assert broken.status("stranger_stock") == 302
    assert broken.status("delete") == 204


@pytest.mark.parametrize("step", ["refund", "forged_role", "delete"])
def test_the_fixed_shop_refuses_customers(fixed: Run, step: str) -> None:
    assert fixed.status(step) == 403


def test_the_fixed_shop_refuses_strangers(fixed: Run) -> None:
    assert fixed.status("stranger_stock") == 401


def test_only_the_broken_shop_logs_the_password(broken: Run, fixed: Run) -> None:
    assert PASSWORD in broken.log
    assert "login" in fixed.log
    assert PASSWORD not in fixed.log


# --- as a server ------------------------------------------------------------------------------------------

SERVERS = {
    "shop": ["flask", "--app", "wsgi", "run", "--host", "127.0.0.1", "--port", "{port}"],
    "shop_fixed": ["gunicorn", "-c", "gunicorn.conf.py", "--bind", "127.0.0.1:{port}", "wsgi:app"],
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetch(url: str) -> tuple[int, Any]:
    request = urllib.request.Request(url, headers={"X-Forwarded-Proto": "https"})
    with urllib.request.urlopen(request, timeout=5) as response:
        return response.status, json.load(response)


def fetch_when_up(server: subprocess.Popen[bytes], url: str, log: Path) -> tuple[int, Any]:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, f"the server ended:\n{log.read_text()}"
        try:
            return fetch(url)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(f"no answer from {url} in {START_SECONDS} s:\n{log.read_text()}")


@contextmanager
def started(name: str, port: int, env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", *(part.format(port=port) for part in SERVERS[name])]
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=FIXTURES / name, env=env, stdout=output, stderr=output)
    try:
        yield server
    finally:
        server.terminate()
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(STOP_SECONDS)


@pytest.mark.parametrize("name", ["shop", "shop_fixed"])
def test_the_server_starts_and_answers(name: str, tmp_path: Path) -> None:
    env = environment(name, tmp_path)
    for command in ("init-db", "seed"):
        subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", command],
            cwd=FIXTURES / name,
            env=env,
            timeout=DRIVER_SECONDS,
            check=True,
            capture_output=True,
        )
    port = free_port()
    log = tmp_path / "server.log"
    with started(name, port, env, log) as server:
        base = f"http://127.0.0.1:{port}"
        assert fetch_when_up(server, f"{base}/health", log) == (200, {"status": "ok"})
        status, found = fetch(f"{base}/api/products/search?q=teapot")
        assert status == 200
        assert [product["sku"] for product in found["products"]] == ["POT-01"]
    assert server.returncode is not None


# --- the marks --------------------------------------------------------------------------------------------

MARKED_SUFFIXES = {".py", ".html", ".ts", ".tsx", ".yml"}


def expected_codes(folder: Path) -> set[str]:
    marks = re.compile(r"(?:#|//) expect: (PRD\d{3})")
    files = [path for path in folder.rglob("*") if path.suffix in MARKED_SUFFIXES or path.name == "Dockerfile"]
    return {code for path in files for code in marks.findall(path.read_text(encoding="utf-8"))}


def test_the_broken_shop_marks_every_core_rule() -> None:
    assert expected_codes(FIXTURES / "shop") >= CORE_RULES


def test_the_fixed_shop_marks_nothing() -> None:
    assert expected_codes(FIXTURES / "shop_fixed") == set()
