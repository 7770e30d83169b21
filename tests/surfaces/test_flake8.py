"""flake8 itself, as a user starts it: the plugin says what `prodready check` says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

VIEWS = """\
from flask import Flask, request

from store import connect

app = Flask(__name__)


@app.get("/users")
def users():
    cursor = connect().cursor()
    cursor.execute(f"SELECT * FROM users WHERE id = {request.args['id']}")
    return {"users": cursor.fetchall()}
"""
LINE = VIEWS.splitlines().index(next(line for line in VIEWS.splitlines() if "execute" in line)) + 1
STORE = """\
import sqlite3


def connect():
    return sqlite3.connect("app.db")


def fetch(sql):
    return connect().execute(sql).fetchall()
"""
CALLER = """\
from flask import Flask, request

from store import fetch

app = Flask(__name__)


@app.get("/names")
def names():
    return {"names": fetch("SELECT name FROM users WHERE city = '" + request.args["city"] + "'")}
"""


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where flake8 finds the plugin: as installed, or, in a bare checkout, by the entry point of pyproject.toml."""
    paths = [str(ROOT / "src")]
    try:
        metadata.distribution("prodready")
    except metadata.PackageNotFoundError:
        declared = re.search(r'flake8\.extension"\]\n((?:\w+ = ".+"\n)+)', (ROOT / "pyproject.toml").read_text())
        assert declared
        folder = tmp_path_factory.mktemp("site") / "prodready-0.1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: prodready\nVersion: 0.1.0\n")
        (folder / "entry_points.txt").write_text("[flake8.extension]\n" + declared[1].replace('"', ""))
        paths.append(str(folder.parent))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUTF8": "1"}


class App:
    """A small project and the commands run in it."""

    def __init__(self, root: Path, environment: dict[str, str]) -> None:
        self.root = root
        self.environment = environment

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())

    def run(self, module: str, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=self.root,
            env=self.environment,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def flake8(self, *arguments: str, stdin: str | None = None) -> list[str]:
        """What flake8 prints, without the texts of messages: `path:line: code`."""
        done = self.run("flake8", *arguments, stdin=stdin)
        assert done.stderr == ""
        return [re.sub(r"^(?:\./)?(.+?:\d+):\d+: (\w+) .*$", r"\1: \2", line) for line in done.stdout.splitlines()]


@pytest.fixture
def app(tmp_path: Path, environment: dict[str, str]) -> App:
    made = App(tmp_path, environment)
    made.write("pyproject.toml", '[project]\nname = "app"\nversion = "1"\n')
    made.write("store.py", STORE)
    made.write("views.py", VIEWS)
    made.write("caller.py", CALLER)
    return made


FOUND = ["caller.py:10: PRD301", f"views.py:{LINE}: PRD301"]


def test_what_other_analysers_find_is_reported_too(app: App) -> None:
    """By the codes of Bandit's tests, which flake8 knows of by our other entry points."""
    app.write(
        "shell.py",
        'import subprocess\n\nSECRET_KEY = "tigers"\n\n\ndef run(it):\n    subprocess.call(it, shell=True)\n',
    )
    assert app.flake8("shell.py") == ["shell.py:3: PRD502", "shell.py:7: B602"]
    assert app.flake8("--ignore=B6", "shell.py") == ["shell.py:3: PRD502"]
    assert app.flake8("--select=B", "shell.py") == ["shell.py:7: B602"]


def test_the_plugin_is_found(app: App) -> None:
    assert "prodready" in app.run("flake8", "--version").stdout


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_one_file_and_across_files(app: App, jobs: str) -> None:
    assert sorted(app.flake8("--select=PRD", f"-j{jobs}", ".")) == FOUND
    assert sorted(app.flake8(f"-j{jobs}", "--extend-ignore=E,W", ".")) == FOUND


def test_same_findings_as_the_command_line(app: App) -> None:
    ours = app.run("prodready", "check", "--output-format", "concise", "--quiet")
    theirs = app.run("flake8", "--select=PRD", "--format=%(path)s:%(row)d:%(col)d: %(code)s %(text)s", ".")
    assert len(ours.stdout.splitlines()) == len(FOUND)
    assert sorted(ours.stdout.splitlines()) == sorted(line.removeprefix("./") for line in theirs.stdout.splitlines())


@pytest.mark.parametrize("name", ["views.py", "caller.py"])
def test_a_single_file_is_judged_with_the_knowledge_of_the_project(app: App, name: str) -> None:
    assert app.flake8("--select=PRD", name) == [line for line in FOUND if line.startswith(name)]


def test_from_another_directory(app: App, tmp_path: Path, environment: dict[str, str]) -> None:
    app.write("below/empty.py", "")
    below = App(tmp_path / "below", environment)
    assert below.flake8("--select=PRD", "../caller.py") == ["../caller.py:10: PRD301"]


@pytest.mark.parametrize(
    "comment",
    ["# noqa: PRD301", "# noqa", "# noqa: E501,PRD301", "# NOQA:PRD301", "# prodready: ignore[PRD301] a test"],
)
def test_comments_silence(app: App, comment: str) -> None:
    app.write("views.py", VIEWS.replace("['id']}\")", f"['id']}}\")  {comment}"))
    assert app.flake8("--select=PRD", "views.py") == []


def test_noqa_on_another_line_of_the_statement(app: App) -> None:
    app.write(
        "views.py",
        VIEWS.replace("execute(f", "execute(\n        f").replace("['id']}\")", "['id']}\"\n    )  # noqa: PRD301"),
    )
    assert app.flake8("--select=PRD", "views.py") == []
    assert app.run("prodready", "check", "--quiet", "views.py").returncode == 0


def test_disable_noqa(app: App) -> None:
    app.write("views.py", VIEWS.replace("['id']}\")", "['id']}\")  # noqa: PRD301"))
    assert app.flake8("--select=PRD", "--disable-noqa", "views.py") == [f"views.py:{LINE}: PRD301"]


def test_comments_for_nothing_are_reported_once(app: App) -> None:
    app.write("views.py", "import os  # noqa: PRD301\nimport sys  # prodready: ignroe[PRD301] why\nimport re  # noqa\n")
    assert app.flake8("--select=PRD", "views.py") == ["views.py:1: PRD001", "views.py:2: PRD002"]
    assert app.flake8("--select=PRD3", "views.py") == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".flake8", "[flake8]\nselect = PRD\nper-file-ignores =\n    views.py: PRD301\n"),
        ("tox.ini", "[flake8]\nselect = PRD\nper-file-ignores =\n    views.py: PRD301\n"),
        ("setup.cfg", "[flake8]\nselect = PRD\nper-file-ignores =\n    views.py: PRD301\n"),
        ("pyproject.toml", '[tool.flake8]\nselect = ["PRD"]\nper-file-ignores = ["views.py:PRD301"]\n'),
        (".flake8", "[flake8]\nselect = PRD\nextend-exclude = views.py\n"),
        ("tox.ini", "[flake8]\nselect = PRD\nexclude = views.py\n"),
    ],
)
def test_flake8s_own_configuration(app: App, name: str, text: str) -> None:
    app.write(name, text)
    assert app.flake8() == FOUND[:1]


def test_flake8s_ignore(app: App) -> None:
    app.write(".flake8", "[flake8]\nextend-ignore = PRD301,E,W\n")
    assert app.flake8() == []
    assert app.flake8("--select=E9") == []


@pytest.mark.parametrize(
    "text",
    [
        'ignore = ["PRD301"]\n',
        'per-file-ignores = { "*.py" = ["PRD3"] }\n',
        'extend-exclude = ["views.py", "caller.py"]\n',
    ],
)
def test_our_configuration_counts_too(app: App, text: str) -> None:
    app.write("pyproject.toml", f"[tool.prodready]\n{text}")
    assert app.flake8("--select=PRD") == []


def test_stdin(app: App) -> None:
    assert app.flake8("--select=PRD", "-", stdin=VIEWS) == [f"stdin:{LINE}: PRD301"]


def test_stdin_stands_for_a_file(app: App) -> None:
    """An editor's unsaved text counts, not what is on the disk, and it sees the rest of the project."""
    named = ("--select=PRD", "--stdin-display-name", "caller.py", "-")
    assert app.flake8(*named, stdin="\n" + CALLER) == ["caller.py:11: PRD301"]
    assert app.flake8(*named, stdin="x = 1\n") == []
    assert app.flake8(*named, stdin=CALLER.replace("\n", "\r\n")) == ["caller.py:10: PRD301"]
    assert app.flake8("--select=PRD", "caller.py") == ["caller.py:10: PRD301"]


@pytest.mark.parametrize(
    ("before", "encoding", "end"),
    [
        ("", "utf-8", "\r\n"),
        ("\ufeff", "utf-8", "\n"),
        ("# coding: latin-1\nNAME = 'caf\u00e9'\n", "latin-1", "\n"),
        ("\f\n", "utf-8", "\n"),
        ("# \u2028 \x0b \x1c\n", "utf-8", "\n"),
    ],
)
def test_lines_agree_whatever_the_bytes(app: App, before: str, encoding: str, end: str) -> None:
    text = before + VIEWS
    (app.root / "views.py").write_bytes(text.replace("\n", end).encode(encoding))
    assert app.flake8("--select=PRD", "views.py") == [f"views.py:{LINE + before.count(chr(10))}: PRD301"]


def test_a_configuration_that_cannot_be_read_is_one_line(app: App) -> None:
    app.write("pyproject.toml", "[tool.prodready]\nselct = []\n")
    done = app.run("flake8", "--select=PRD", "-j1", ".")
    assert len(done.stdout.splitlines()) == 1
    assert re.match(r"\./\w+\.py:1:1: PRD000 .*selct.*select", done.stdout)
    assert done.returncode == 1


def test_a_file_that_does_not_parse_is_flake8s_to_report(app: App) -> None:
    app.write("broken.py", "def broken(:\n")
    found = app.flake8("--select=PRD,E9", ".")
    assert [line for line in found if "PRD301" in line] == FOUND
    assert [line for line in found if "E999" in line] == ["broken.py:1: E999"]


def test_an_undecodable_file_is_told_about(app: App) -> None:
    (app.root / "views.py").write_bytes(b"NAME = 'caf\xe9'\n")
    found = app.run("flake8", "--select=PRD", "views.py").stdout
    assert re.match(r"views\.py:1:1: PRD000 byte 0xe9 at offset 11", found)
