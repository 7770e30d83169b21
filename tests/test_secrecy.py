"""Secrets in somebody's source are shown in no format, and stand in no file that is kept."""

from __future__ import annotations

import ast
import contextlib
import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from git_app import App

from prodready import cli
from prodready.cache import DATABASE
from prodready.masking import hide
from prodready.read.web.reader import read_web
from prodready.report import FORMATS

SECRETS = {
    "assigned": "hunter2-assigned", "word": "swordfish", "phrase": "correct horse battery staple", "typed": "typed-0secret",
    "dict": "dict-api-key-77", "subscript": "subscr1pt-secret", "keyword": "keyw0rd-given", "dsn": "dsn-passw0rt",
    "libpq": "libpq-passw0rt", "default": "insecure-default-1", "compared": "letmein-compared", "header": "abcd1234efgh5678",
    "cloud": "AKIAABCDEFGHIJKLMNOP", "attribute": "attr1bute-secret", "random": "kq8ZtR2vLm5XwPs9YbNc4Dj7",
    "folded": "f0lded-in-sql", "parts": "first-p4rt", "more": "second-p4rt", "parameter": "par4meter-default",
    "page": "p4ge-api-key", "image": "d0cker-secret", "logged": "l0gged-token",
}  # fmt: skip

SOURCE = '''"""An application that has its secrets in the source."""
import logging
import os
import sqlite3

from flask import Flask, request

app = Flask(__name__)
log = logging.getLogger(__name__)
DB_PASSWORD = "{assigned}"
PASSWORD = "{word}"
passphrase = '{phrase}'
api_token: str = "{typed}"
SETTINGS = {{"api_key": "{dict}", "name": "shop"}}
app.config["SECRET_KEY"] = "{subscript}"
SIGNING_KEY = os.environ.get("SIGNING_KEY", "{default}")
key_id = "{cloud}"
opaque = "{random}"
client_secret = (
    "{parts}"
    "{more}"
)


class Settings:
    def __init__(self):
        self.token = "{attribute}"


def database(password="{parameter}"):
    connect("postgresql://shop:{dsn}@db/shop")
    connect("host=db user=shop password={libpq}")
    return sqlite3.connect("shop", password="{keyword}").cursor()


@app.route("/find")
def find():
    q = request.args["q"]
    if request.args["password"] == "{compared}":
        log.info("token %s", q)
    database().execute("SELECT * FROM users WHERE password = '{folded}' AND name = '" + q + "'")
    database().execute(f"SELECT '{{q}}'", headers={{"Authorization": "Bearer {header}"}})
    log.info("signed in with %s", api_token); token = "{logged}"; log.warning(token)
    return q
'''
PAGE = 'const apiKey = "{page}"; localStorage.setItem("token", apiKey); fetch("/find?q=1");\n'
IMAGE = 'FROM python:3.13\nENV DB_PASSWORD={image}\nCMD ["flask", "run"]\n'


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    app = App(tmp_path / "app")
    monkeypatch.chdir(app.root)
    for name, text in {"app.py": SOURCE, "web/page.js": PAGE, "Dockerfile": IMAGE}.items():
        app.write(name, text.format(**SECRETS))
    app.write("prodready.toml", "")
    return app


def leaked(text: str) -> list[str]:
    return [name for name, secret in SECRETS.items() if secret in text]


def kept(folder: Path) -> Iterator[str]:
    """The files of a cache as they are, and all values of its database, which may go over several pages."""
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            yield file.read_bytes().decode("latin-1")
    with contextlib.closing(sqlite3.connect(folder / DATABASE)) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in connection.execute(f"SELECT * FROM {table}"):
                yield " ".join(v.decode("latin-1") if isinstance(v, bytes) else str(v) for v in row)


def test_the_source_holds_them(app: App) -> None:
    text = "".join((app.root / name).read_text() for name in ("app.py", "web/page.js", "Dockerfile"))
    assert leaked(text) == list(SECRETS)


@pytest.mark.parametrize("words", [["--min-confidence", "low", "--verbose"], ["--diff", "HEAD"]], ids=["all", "diff"])
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_no_format_shows_one(app: App, name: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "--output-format", name, *words]) == 1
    said = capsys.readouterr()
    assert "PRD301" in said.out
    if name in {"full", "html"}:  # These quote the lines.
        assert "SELECT * FROM users WHERE password = &#x27;***" in said.out.replace("'***", "&#x27;***")
    assert leaked(said.out + said.err) == []


def test_nothing_that_is_kept_holds_one(app: App) -> None:
    for words in (["check"], ["check", "--diff", "HEAD"], ["routes"], ["explain", "app.py:42"], ["baseline", "create"]):
        cli.main(words)
    held = "\n".join(kept(app.root / ".prodready_cache"))
    assert "SELECT * FROM users" in held  # The facts are in it.
    assert "key_id" in held
    assert leaked(held) == []
    assert leaked((app.root / ".prodready/baseline.jsonl").read_text()) == []


def test_no_explanation_shows_one(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    lines = len((app.root / "app.py").read_text().splitlines())
    for form in ([], ["--output-format", "json"]):
        assert cli.main(["explain", *(f"app.py:{line}" for line in range(1, lines + 1)), *form]) == 0
    assert leaked("".join(capsys.readouterr())) == []


@pytest.mark.parametrize("provider", ["github", "gitlab"])
def test_no_comment_shows_one(app: App, provider: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["review", "--dry-run", "--provider", provider, "--diff", "HEAD"]) == 1
    said = capsys.readouterr().out
    assert "put into the text of SQL" in said
    assert leaked(said) == []


def test_what_was_removed_is_quoted_without_it(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    app.write(
        "app.py",
        "import sqlite3\nfrom flask import request, abort\n\n\ndef find():\n    q = request.args['q']\n"
        f"    if q != 'x' or request.args['password'] != '{SECRETS['word']}': raise ValueError\n"
        '    sqlite3.connect("x").cursor().execute("SELECT " + q)\n',
    )
    app.commit()
    text = (app.root / "app.py").read_text().splitlines(keepends=True)
    app.write("app.py", "".join(line for line in text if "!=" not in line))
    for form in ("full", "json"):
        assert cli.main(["check", "--diff", "HEAD", "--output-format", form]) == 1
    said = capsys.readouterr().out
    assert "was removed here" in said
    assert leaked(said) == []


def test_flake8_shows_none(app: App) -> None:
    pytest.importorskip("flake8")
    from prodready.surfaces.flake8 import Plugin

    lines = (app.root / "app.py").read_text().splitlines(keepends=True)
    said = [text for _, _, text, _ in Plugin(ast.parse("".join(lines)), "app.py", lines).run()]
    assert any("PRD301" in text for text in said)
    assert leaked("\n".join(said)) == []


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_the_cache_is_for_its_owner_only(app: App) -> None:
    before = os.umask(0o002)
    try:
        cli.main(["check", "-q"])
    finally:
        os.umask(before)
    cache = app.root / ".prodready_cache"
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert stat.S_IMODE((cache / DATABASE).stat().st_mode) == 0o600


def test_a_fix_that_would_quote_one_is_not_offered(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    plain = "db.execute(f\"SELECT * FROM t WHERE name = '{q}'\")\n"
    head = "import sqlite3\nfrom flask import request\n\ndb = sqlite3.connect('x')\n"
    head += "def find():\n    q = request.args['q']\n    "
    for text, offered in ((plain, True), (plain.replace("name", f"password = '{SECRETS['word']}' AND name"), False)):
        app.write("app.py", head + text)
        cli.main(["check", "app.py", "--output-format", "rdjson"])
        said = capsys.readouterr().out
        assert '"code"' in said
        assert ('"text"' in said) == offered
        assert leaked(said) == []


@pytest.mark.parametrize(
    "text",
    [
        'cursor.execute("SELECT * FROM u WHERE password = \'" + given + "\' AND name = \'" + name + "\'")',
        "f\"SELECT * FROM u WHERE password = '{password}' AND t = '{token}'\"",
        "\"UPDATE u SET password = '%s'\" % password",
        'generate_password_hash(password, "scrypt:1024:8:1", salt_length=16)',
        'fields = ("password", "email", "token")',
        'request.form["password"]',
        'user = form.get("password", "")',
        'token_url = "https://example.org/oauth/token"',
        'password = PasswordField("Enter your password", widget="PasswordInput")',
        '"token=" + token + "&name=" + name',
        'label = {"password": "Password", "token": "string"}',
        'def find(token):\n    """Finds 1 thing by its token."""',
        "token = config['token_1']",
        'PASSWORD_FIELD = "pw"',
        "TOKEN_RE = '[a-z0-9]{32}'",
        'log.info("token: %s", "x1y2z3a4b5")',
        '"access_token=" if kind == "token" else "code="',
        "api_key = f'{prefix}_{number}'",
    ],
)
def test_what_only_speaks_of_secrets_stays(text: str) -> None:
    assert hide(text) == text


@pytest.mark.parametrize(
    "text", ['x = """\ntoken = "abc123"\r\n"""\n', "passwort = 'häß\\'lich1'\n", "token = '🙂🙂🙂1'\r\nx = 1"]
)
def test_places_stay(text: str) -> None:
    shown = hide(text)
    assert "*" in shown
    assert len(shown) == len(text)
    assert [m.start() for m in re.finditer(r"\s", shown)] == [m.start() for m in re.finditer(r"\s", text)]


def test_pages_keep_their_places() -> None:
    """tree-sitter counts bytes, and so do the places in what is read of pages."""
    text = 'const ä = "ö"; const token = "gehe1m-ü"; send("/api/ü", token, "b");\n'
    one, other = (read_web("a.js", text.replace("gehe1m-ü", secret).encode()) for secret in ("gehe1m-ü", "gehe1m-xy"))
    assert one == other
    assert one != read_web("a.js", text.replace("gehe1m-ü", "gehe1m-x").encode())
    assert b"gehe1m" not in msgspec.msgpack.encode(one)
