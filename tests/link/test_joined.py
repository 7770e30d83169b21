"""Which routes the places of pages call, and how sure that is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prodready.cli import main
from prodready.finding import Confidence, Location
from prodready.link.front import UiPlace
from prodready.link.joined import Joined
from prodready.link.route import Handler, Route
from prodready.link.url_paths import parse

ROUTES = {
    "GET /api/users": "list_users",
    "DELETE /api/users/{id}": "delete_user",
    "POST /api/users/{id}/roles": "add_role",
    "POST /api/teams/{id}/roles": "add_team_role",
    "* /teams/{pk}/leave": "leave",
    "DELETE /api/files/{rest*}": "delete_file",
    "POST /shop/api/users/{id}/block": "block",
    "POST /api/pages/archive": "archive_pages",
}


def route(text: str, name: str) -> Route:
    method, _, path = text.partition(" ")
    place = Location("app.py", list(ROUTES).index(text) + 1 if text in ROUTES else 99)
    return Route((method,), parse(path), Handler(name, place), f"users.{name}", place)


def joined(method: str | None, path: str = "", *, anchored: bool = True, endpoint: str = "") -> list[str]:
    """The handlers that a place of a page calls, each with how sure that is."""
    where = Location("page.js", 1)
    asked = [UiPlace(method, parse(path), endpoint, anchored, where, "", (), ())]
    found = Joined(asked, [route(text, name) for text, name in ROUTES.items()]).joins
    return [f"{join.route.handler.name} {join.confidence.label}" for join in found if join.place is asked[0]]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (("DELETE", "/api/users/{}"), ["delete_user high"]),
        (("DELETE", "/api/users/7"), ["delete_user high"]),
        (("POST", "/api/users/{}"), []),
        ((None, "/api/users/{}"), ["delete_user low"]),
        (("POST", "/teams/{}/leave"), ["leave high"]),
        (("DELETE", "/api/files/a/b/c"), ["delete_file high"]),
        (("DELETE", "/users/{}"), ["delete_user medium"]),
        (("POST", "/proxy/teams/{}/leave"), ["leave medium"]),
        (("POST", "/api/pages/{}"), ["archive_pages low"]),
        (("POST", "/nowhere/{}"), []),
    ],
)
def test_a_path_that_starts_at_the_root(place: tuple[str | None, str], expected: list[str]) -> None:
    assert joined(*place) == expected


def test_a_path_of_which_the_beginning_is_not_known() -> None:
    assert joined("DELETE", "users/{}", anchored=False) == ["delete_user medium"]
    assert joined("POST", "{}/roles", anchored=False) == ["add_role low", "add_team_role low"]
    assert joined("POST", "{}", anchored=False) == []


def test_what_most_paths_begin_with_tells_routes_apart() -> None:
    both = {"POST /users/{id}/block": "other", **ROUTES}
    routes = [route(text, name) for text, name in both.items()]
    unclear = UiPlace("POST", ("users", "{}", "block"), "", False, Location("page.js", 1), "", (), ())
    clear = UiPlace("DELETE", ("shop-users", "{}"), "", False, Location("page.js", 2), "", (), ())
    extra = route("DELETE /shop/api/shop-users/{id}", "delete_shop_user")
    alone = [(j.route.handler.name, j.confidence) for j in Joined([unclear], routes).joins]
    assert alone == [("other", Confidence.LOW), ("block", Confidence.LOW)]
    found = [(j.route.handler.name, j.confidence) for j in Joined([unclear, clear], [*routes, extra]).joins]
    assert found[0] == ("block", Confidence.MEDIUM)


@pytest.mark.parametrize(
    ("method", "endpoint", "expected"),
    [
        ("DELETE", "users.delete_user", ["delete_user high"]),
        ("DELETE", ".delete_user", ["delete_user high"]),
        (None, "users.delete_user", ["delete_user medium"]),
        ("GET", "users.delete_user", ["delete_user high"]),
        ("POST", "users.delete_user", []),
        ("POST", "users.gone", []),
    ],
)
def test_a_name_of_a_route(method: str | None, endpoint: str, expected: list[str]) -> None:
    assert joined(method, endpoint=endpoint) == expected


def test_the_command_shows_the_pages_that_call_a_route(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("setup.cfg").touch()
    Path("app.py").write_text(
        "from flask import Flask\napp = Flask(__name__)\n@app.post('/stop/<job>')\ndef stop(job): return kill(job)\n"
    )
    Path("page.jsx").write_text(
        "export const Page = ({ user, job }) => (\n"
        "  user.isAdmin && <a onClick={() => fetch(`/stop/${job}`, {method: 'POST'})}>Stop</a>\n);\n"
    )
    assert main(["routes"]) == 0
    head, row = capsys.readouterr().out.splitlines()[:2]
    assert head.endswith("CALLED FROM")
    assert row.endswith("page.jsx:2")
    assert main(["routes", "--output-format", "json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["routes"]
    assert told["callers"] == [{"message": "'Stop' is shown only if `user.isAdmin`", "path": "page.jsx", "line": 2}]
