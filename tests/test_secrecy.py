"""Secrets in somebody's source are shown in no format, and stand in no file that is kept."""

from __future__ import annotations

import ast
import contextlib
import os
import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from git_app import App

from prodready import cli, secret_words
from prodready.cache import DATABASE
from prodready.engines import secret_files
from prodready.knowledge import load
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


HIDDEN = {
    ".py": [
        'x = max\npassword = "hunter2x"',
        'password = "$ecret99x!"',
        'db_password = "Tr{oub}adour9"',
        'api_key = "%d8sKq92jA"',
        'admin_password = "Correct Horse Battery"',
        'login(password="Correct Horse Battery")',
        'password = " hunter2"',
        'password = "/etc1!abc"',
        'password = "changeme.now"',
        'passcode = "tiger77"',
        'SECRET_KEY = "/Xk92jk+kla91kzQ=="',
        'passwords = ["hunter2"]',
        'passwords = {"hunter": "2hunters"}',
        'create("postgres://app:p%40ssw0rd@h/db")',
        'token = "prefix-{x}-8f2b7c91d4"',
        'if form["password"] == "Correct Horse": pass',
        'fetch("/x?user=1&password=hunter2&q=1")',
    ],
    ".html": [
        '<input name="password" value="hunter2">',
        '<input value="hunter2" type="password">',
        '<script>post({name: "password", value: "hunter2"})</script>',
    ],
    ".yml": [
        "environment: {REDIS_PASSWORD: Xk92jkKla91kzQ}",
        'environment: {A: b, "REDIS_PASSWORD": Xk92jkKla91kzQ, C: d}',
        "password: |\n  hunter2\n  swordfish\nuser: bob",
        "x:\n  - password: >-\n      hunter2\n    user: bob",
        "passwords:\n  - hunter2\nuser: bob",
        "passwords:\n- hunter2\nuser: bob",
        "passwords: [hunter2, swordfish]",
        "db:\n  password:\n    hunter2\n  user: bob",
        "- name: DB_PASSWORD\n  value: hunter2",
        "DB_PASSWORD: ${DB_PASSWORD:-hunter2}",
        "command: serve --password=hunter2",
    ],
}
SECRET_TEXTS = re.compile(
    r"hunter2x?|2hunters|tiger77|\$ecret99x!|Tr\{oub\}adour9|%?d?8sKq92jA|Correct Horse( Battery)?|/etc1!abc|changeme\.now"
    r"|swordfish|/Xk92jk\+kla91kzQ==|Xk92jkKla91kzQ|p%40ssw0rd|8f2b7c91d4"
)


@pytest.mark.parametrize(("path", "text"), [(path, text) for path, texts in HIDDEN.items() for text in texts])
def test_what_is_given_to_the_name_of_a_secret_is_hidden(path: str, text: str) -> None:
    assert SECRET_TEXTS.search(text)
    shown = hide(text, path)
    assert not SECRET_TEXTS.search(shown)
    assert len(shown) == len(text)
    assert all(kept in {char, "*"} for kept, char in zip(shown, text, strict=True))
    for beside in ("user: bob", "A: b", "C: d", "serve", "user=1", "q=1", "DB_PASSWORD", "REDIS_PASSWORD"):
        assert (beside in shown) == (beside in text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".py", 'password = "Enter your password"'),
        (".py", 'PASSWORD = "password"'),
        (".py", 'password = "${X}"'),
        (".py", 'password = "{{ x }}"'),
        (".py", 'password = "%s"'),
        (".py", 'password = "%(user)s:%(word)s"'),
        (".py", 'password = "<your password>"'),
        (".py", 'password = ":password"'),
        (".py", 'password = "$DB_PASSWORD"'),
        (".py", 'password = "/api/password/reset"'),
        (".py", 'password = "users/reset.html"'),
        (".py", 'password = "https://example.org/login"'),
        (".py", '{"password": ["This field is required."]}'),
        (".py", '{"password": "Mot de passe", "passwort": "Neues Kennwort", "pwd": "Пароль или код"}'),
        (".py", 'passwords = ["DB_PASSWORD"]'),
        (".py", 'tokens = ["INDENT", "NAME"]'),
        (".py", 'token = {"type": "oauth2", "flow": "code"}'),
        (".html", '<input type="text" name="token" value="{{ csrf_token }}"><input name="user" value="anna1x">'),
        (".html", '<input name="password" value="" placeholder="At least eight"><input name="user" value="anna1x">'),
        (".yml", "secrets:\n  - db_password\n  - other"),
        (".yml", "password:\n  from: vault\n  key: db"),
        (".yml", "environment: {REDIS_PASSWORD: $REDIS_PASSWORD, MODE: a}"),
    ],
)
def test_labels_places_and_forms_to_fill_in_stay(path: str, text: str) -> None:
    assert hide(text, path) == text


def test_names_and_their_words_are_known_everywhere() -> None:
    words = secret_words.PASSWORDS | secret_words.SECRETS
    assert words <= load().words["secret"]
    for word in words:
        text = f'{word} = "Gewitter!83regen"'
        assert hide(text) == f'{word} = "****************"'
        assert secret_files.worth(text.encode())


LONG = """
import sys
from prodready.masking import hide
from prodready.engines import secret_files
from prodready.report.sarif import _plain
from prodready.source import comments
from prodready.suppress import scan, scan_other

UNITS = sys.argv[1:]
SIZE = 100_000
for unit in UNITS:
    text = unit * (SIZE // len(unit))
    for path in ("a.py", "a.yml"):
        hide(f'x = "{text}"', path)
        hide(f"token = {text}!", path)
        hide(f"PRIVATE KEY----- {text}!", path)
    secret_files.worth(text.encode())
    list(secret_files.lines_worth([text]))
    list(comments(f'f"{text}'))
    scan(f"# noqa prodready {text}!")
    scan_other(f"# prodready {text}!")
    _plain(text)
    print(unit)
"""
UNITS = [
    "password", "secret_", "secret.", "key", "api_key", "A1b2C3d_", "YmFzZTY0", "-eyJ", "-eyJaaaaaaaa", "sk-", "://",
    "BEGIN ", '"', "'", "`", '\\"', '\'"', "=", "[", "{", "(", "{a:", '{a:"', " ", "\t", "\n", "\\", "#", "# ", "/*",
    "token=", "token:", 'token="', 'token=\'"', "token=token;", 'token="a"\n', 'passwords=["a", ', 'name="password" ',
    'value="a1b" name="password" ', "password: |\n", "- password: |\n", "passwords:\n- a\n", "{password: a, ",
    "${password:-", "token: a.b ", '"a1c" == password ', "# prodready: ignore[PRD301]\n",
]  # fmt: skip


def test_long_texts_do_not_hang() -> None:
    """Each takes well under a second if time grows with the size, and minutes if it grows with its square."""
    command = [sys.executable, "-c", LONG, *UNITS]
    try:
        done = subprocess.run(command, capture_output=True, timeout=300, check=True)
    except subprocess.TimeoutExpired as error:
        pytest.fail(f"hangs after {(error.stdout or b'').splitlines()[-1:]}")
    assert len(done.stdout) > sum(map(len, UNITS))


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
