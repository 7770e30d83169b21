"""`prodready explain`: what it says of a line, through the command line."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prodready import cli

ROOT = Path(__file__).resolve().parent.parent
Tell = Callable[..., str]
"""Runs the command in the project and gives its standard output; it must have succeeded without a word of complaint."""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("NO_COLOR", "FORCE_COLOR", "PRODREADY_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "prodready.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def tell(root: Path, capsys: pytest.CaptureFixture[str]) -> Tell:
    def run(*words: str) -> str:
        code = cli.main(["explain", *words, "--no-cache"])
        out, err = capsys.readouterr()
        assert (code, err) == (0, "")
        return out

    return run


VIEWS = """\
import sqlite3
from flask import Flask, request
from store import find

app = Flask(__name__)

@app.route("/")
def index():
    name = request.args["q"]
    return find(name)
"""
STORE = """\
import sqlite3

db = sqlite3.connect("app.db")

def find(name):
    return db.execute(f"SELECT id FROM users WHERE name = '{name}'")
"""


def test_a_finding_over_two_files(root: Path, tell: Tell) -> None:
    (root / "views.py").write_text(VIEWS)
    (root / "store.py").write_text(STORE)
    lines = tell("store.py:6").splitlines()
    assert lines[0] == "store.py:6:12 PRD301 string-built-sql [error, high confidence]"
    step = lines.index("  step by step:")
    assert lines[step + 1 :] == [
        "    1. views.py:9:5: assigned to `name`",
        '         name = request.args["q"]',
        "         -> `name` = `request.args['q']`: request data",
        "    2. views.py:10:12: passed as `name` to `find()`",
        "         return find(name)",
        "         -> `name`: request data",
        "    3. store.py:6:12: `db.execute()` is the sink",
        "         return db.execute(f\"SELECT id FROM users WHERE name = '{name}'\")",
        "         -> text: SELECT id FROM users WHERE name = '{name}'",
        "  = help: bind the value: `?` in the text and the value in a tuple behind it",
        "  = fix: bind the values as parameters (look at it before you apply it)",
        "    -     return db.execute(f\"SELECT id FROM users WHERE name = '{name}'\")",
        '    +     return db.execute("SELECT id FROM users WHERE name = ?", (name,))',
        "  = rule: prodready rule PRD301",
    ]


def test_a_line_on_the_path_of_a_finding_elsewhere(root: Path, tell: Tell) -> None:
    (root / "views.py").write_text(VIEWS)
    (root / "store.py").write_text(STORE)
    assert (
        "  on the path of PRD301, reported at store.py:6: `request.args['q']` (request data) is put into the text of SQL "
        "that `db.execute()` runs" in tell("views.py:10").splitlines()
    )


def test_bound_parameters(root: Path, tell: Tell) -> None:
    (root / "views.py").write_text(
        "import sqlite3\n"
        "from flask import request\n"
        "def show(db: sqlite3.Connection):\n"
        "    name = request.args['q']\n"
        "    return db.execute('SELECT 1 FROM t WHERE a = ?', (name,))\n"
    )
    assert tell("views.py:5").splitlines() == [
        "views.py:5: no finding",
        "  return db.execute('SELECT 1 FROM t WHERE a = ?', (name,))",
        "  db.execute(), 5:12",
        "    taken for `sqlite3.Connection.execute()`, described in knowledge/sqlite3.toml",
        "    a sink of kind `sql`, which PRD301 asks for",
        "    SQL: SELECT 1 FROM t WHERE a = ?",
        "    safe:",
        "      - the text is made of constants only",
        "      - `name`: request data: given beside the text, bound as a parameter, never a part of it",
    ]


def test_an_allow_list_and_a_number(root: Path, tell: Tell) -> None:
    (root / "views.py").write_text(
        "import sqlite3\n"
        "from flask import request\n"
        "def show(db: sqlite3.Connection, page: int):\n"
        "    table = request.args['t']\n"
        "    if table not in ('a', 'b'):\n"
        "        raise ValueError(table)\n"
        "    db.execute(f'SELECT 1 FROM {table} LIMIT {page}')\n"
    )
    lines = tell("views.py:7").splitlines()
    assert lines[5:] == [
        "    SQL: SELECT 1 FROM {table} LIMIT {page}",
        "    safe:",
        "      - `table`: checked before: it is one of the values that are allowed (line 4)",
        "      - `page`: a number, by its annotation or its route",
    ]


def test_callers_that_pass_constants(root: Path, tell: Tell) -> None:
    (root / "store.py").write_text(
        "import sqlite3\ndef wipe(db: sqlite3.Connection, table):\n    db.execute(f'DELETE FROM {table}')\n"
    )
    (root / "jobs.py").write_text("from store import wipe\nwipe(None, 'users')\nwipe(None, 'logs')\n")
    lines = tell("store.py:3").splitlines()
    assert lines[0] == "store.py:3: no finding"
    assert (
        "      - `table`: a parameter of `wipe()`: jobs.py:2 passes `'users'`, jobs.py:3 passes `'logs'`; all of that is "
        "harmless (line 2)" in lines
    )
    assert "    not resolved:" not in lines
    assert "    leads to `db.execute()`, store.py:3: a sink of kind `sql` (PRD301)" in tell("jobs.py:2").splitlines()


def test_what_is_not_resolved(root: Path, tell: Tell) -> None:
    (root / "app.py").write_text(
        "import logging\n"
        "import acme\n"
        "log = logging.getLogger(__name__)\n"
        "def run(thing):\n"
        "    log.info('made %s', acme.frobnicate(1))\n"
        "    thing.explode()\n"
    )
    help_ = (
        "        help: if it is one, describe it in a knowledge file (docs/knowledge.md): "
        '`[functions] "acme.frobnicate" = ...`'
    )
    says = "`acme.frobnicate()`: of a library, and no knowledge file describes it: it counts for no source and no sink"
    lines = tell("app.py:5").splitlines()
    assert lines[2:8] == [
        "  log.info(), 5:5",
        "    taken for `logging.Logger.info()`, described in knowledge/logging.toml",
        "    a sink of kind `log`, which PRD401 asks for",
        "    not resolved:",
        f"      - {says}",
        help_,
    ]
    assert tell("app.py:6").splitlines()[2:] == [
        "  thing.explode(), 6:5",
        "    not resolved:",
        "      - `thing.explode()`: the receiver `thing` is of unknown type",
        "        help: annotate `thing` with its class",
    ]


def test_a_statement_that_is_made_by_another_sink(root: Path, tell: Tell) -> None:
    (root / "app.py").write_text(
        "from flask import request\nfrom sqlalchemy import text\nfrom sqlalchemy.orm import Session\n"
        "def run(session: Session):\n"
        "    query = text('SELECT 1 WHERE a = :a').bindparams(a=request.args['a'])\n"
        "    session.execute(query)\n"
    )
    assert tell("app.py:6").splitlines()[4:] == [
        "    a sink of kind `sql`, which PRD301 asks for",
        "    `text('SELECT 1 WHERE a = :a').bindparams(…)`: SQL that is judged where `text()` is called (line 5)",
    ]


def test_the_projects_own_knowledge_file_is_named(root: Path, tell: Tell) -> None:
    (root / "prodready.toml").write_text('knowledge = ["ours.toml"]\n')
    (root / "ours.toml").write_text('library = "acme"\n[functions]\n"acme.run" = { sink = "sql", at = [0] }\n')
    (root / "app.py").write_text("import acme\nacme.run('SELECT 1')\n")
    assert f"    taken for `acme.run()`, described in {root / 'ours.toml'}" in tell("app.py:2").splitlines()


def test_a_parameter_without_callers(root: Path, tell: Tell) -> None:
    (root / "app.py").write_text("import sqlite3\ndef run(db: sqlite3.Connection, sql):\n    db.execute(sql)\n")
    lines = tell("app.py:3").splitlines()
    where = lines.index("    not resolved:")
    assert lines[where + 1] == "      - `sql`: a parameter of `run()`, which nothing in the project calls (line 2)"


LEAK = "import logging\ndef save(password):\n    logging.info('saving %s', password){comment}\n"


@pytest.mark.parametrize(
    ("comment", "shown"),
    [
        ("  # noqa: PRD401", "# noqa: PRD401"),
        ("  # prodready: ignore[PRD401] a demo", "# prodready: ignore[PRD401] a demo"),
    ],
)
def test_a_suppressed_finding(root: Path, tell: Tell, comment: str, shown: str) -> None:
    (root / "app.py").write_text(LEAK.format(comment=comment))
    lines = tell("app.py:3").splitlines()
    assert lines[0].startswith("app.py:3:5 PRD401 secret-in-log [")
    assert f"  = not reported: the comment on line 3 silences it: `{shown}`" in lines
    assert lines[-1] == "  = rule: prodready rule PRD401"


def test_a_finding_of_low_confidence(root: Path, tell: Tell) -> None:
    (root / "app.py").write_text(
        "import sqlite3\ndef run(db: sqlite3.Connection, options):\n"
        "    db.execute(f'SELECT 1 FROM {options.config.table}')\n"
    )
    out = tell("app.py:3")
    assert "PRD301 string-built-sql [warning, low confidence]" in out
    assert "  = not reported: its confidence is below the min-confidence, medium" in out.splitlines()


def test_a_test_file(root: Path, tell: Tell) -> None:
    (root / "test_app.py").write_text(LEAK.format(comment=""))
    lines = tell("test_app.py:3").splitlines()
    assert "  = not reported: PRD401 is silent in this file, which is taken for tests" in lines
    assert "  = left out: PRD301 is silent in this file, which is taken for tests" in lines


def test_rules_that_are_switched_off(root: Path, tell: Tell) -> None:
    (root / "prodready.toml").write_text('ignore = ["PRD301"]\n[per-file-ignores]\n"app.py" = ["PRD401"]\n')
    (root / "app.py").write_text(LEAK.format(comment=""))
    lines = tell("app.py:3").splitlines()
    assert "  = not reported: PRD401 is ignored in this file by per-file-ignores" in lines
    assert "  = left out: PRD301 is not selected" in lines
    assert "left out" not in tell("app.py:3", "--isolated")


def test_every_line_of_the_statement(root: Path, tell: Tell) -> None:
    (root / "app.py").write_text(
        "import logging\ndef save(password):\n    logging.info(\n        'saving %s',\n        password,\n    )\n"
    )
    assert {tell(f"app.py:{line}").splitlines()[0] for line in (3, 4, 5, 6)} == {
        "app.py:3:5 PRD401 secret-in-log [error, high confidence]"
    }


def test_what_a_call_does_to_the_database(root: Path, tell: Tell) -> None:
    (root / "app.py").write_text(
        "from sqlalchemy.orm import Session\ndef run(session: Session):\n    session.commit()\n"
    )
    assert tell("app.py:3").splitlines()[2:] == [
        "  session.commit(), 3:5",
        "    taken for `sqlalchemy.orm.Session.commit()`, described in knowledge/sqlalchemy.toml",
        "    commits",
    ]


def test_a_column_chooses_the_call(root: Path, tell: Tell) -> None:
    (root / "app.py").write_text("import logging\nlogging.info(len('a')); print('b')\n")
    assert re.findall(r"^  (\S+), 2:\d+$", tell("app.py:2"), re.MULTILINE) == ["logging.info()", "len()", "print()"]
    assert re.findall(r"^  (\S+), 2:\d+$", tell("app.py:2:26"), re.MULTILINE) == ["print()"]


def test_a_line_without_a_call_names_those_nearby(root: Path, tell: Tell) -> None:
    (root / "app.py").write_text(
        "import logging\n\ndef run(user):\n    name = user.name\n\n    logging.info('%s', name)\n\ndef other(): \n    pass\n"
    )
    assert tell("app.py:4").splitlines() == [
        "app.py:4: no call stands here; in `run()`, see line 6 (`logging.info()`)",
        "  name = user.name",
    ]
    nothing = "no call stands here, and nothing in `other()` is or leads to a sink that a rule asks for"
    assert tell("app.py:9").splitlines()[0] == f"app.py:9: {nothing}"
    assert tell("app.py:1").splitlines()[0].startswith("app.py:1: no call stands here, and nothing in module code is")


def test_assignments_and_comparisons_are_no_calls(root: Path, tell: Tell) -> None:
    (root / "app.py").write_text("def run(user, seen):\n    user.name = 'x'\n    seen['a'] = user == 1\n")
    assert tell("app.py:2").splitlines()[0].startswith("app.py:2: no call stands here")
    assert tell("app.py:3").splitlines()[0].startswith("app.py:3: no call stands here")


def test_several_places(root: Path, tell: Tell) -> None:
    (root / "a.py").write_text("import logging\nlogging.info('a')\n")
    (root / "b.py").write_text("import logging\nlogging.info('b')\n")
    blocks = tell("b.py:2", "a.py:2:1:").split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == ["b.py:2: no finding", "a.py:2: no finding"]
    assert [block.splitlines()[-1] for block in blocks] == ["      - made of constants only"] * 2


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("a.py", "a.py: names no line; write FILE:LINE or FILE:LINE:COLUMN"),
        ("a.py:x", "a.py:x: names no line; write FILE:LINE or FILE:LINE:COLUMN"),
        ("", "'': names no line; write FILE:LINE or FILE:LINE:COLUMN"),
        ("a.py:0", "a.py:0: lines and columns count from 1"),
        ("a.py:1:0", "a.py:1:0: lines and columns count from 1"),
        ("a.py:3", "a.py: there is no line 3: the file has 1 line"),
        ("a.py:1:99", "a.py: there is no column 99: line 1 has 5"),
        ("gone.py:1", "gone.py: cannot be read: No such file or directory"),
        (".:1", ".: not a file"),
        ("notes.txt:1", "notes.txt: not a Python file of the project, and no finding stands on this line"),
        ("broken.py:1", "broken.py: line 1: cannot be parsed: "),
    ],
)
def test_bad_places(root: Path, capsys: pytest.CaptureFixture[str], word: str, says: str) -> None:
    (root / "a.py").write_text("x = 1\n")
    (root / "notes.txt").write_text("x = 1\n")
    (root / "broken.py").write_text("def (:\n")
    assert cli.main(["explain", word, "a.py:1", "--no-cache"]) == 2
    out, err = capsys.readouterr()
    assert err.startswith(f"prodready: {says}")
    assert err.count("\n") == 1
    assert out.startswith("a.py:1: no call stands here")  # the other place is explained all the same


def test_a_line_of_a_page(root: Path, tell: Tell) -> None:
    shutil.copytree(ROOT / "fixtures" / "PRD201" / "bad_jinja_flask" / "forum", root / "forum")
    page = "forum/templates/topic.html"
    first, *rest = tell(f"{page}:5").splitlines()
    assert first == f"{page}:5: nothing is reported here"
    assert rest[1].startswith("  on the path of PRD201, reported at forum/app.py:16: the page shows 'Close topic'")


def test_a_broken_configuration_is_one_line(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "prodready.toml").write_text("selct = []\n")
    (root / "a.py").write_text("x = 1\n")
    assert cli.main(["explain", "a.py:1"]) == 2
    assert capsys.readouterr().err.startswith("prodready: prodready.toml: selct: unknown key")


def test_json(root: Path, tell: Tell) -> None:
    (root / "views.py").write_text(VIEWS)
    (root / "store.py").write_text(STORE)
    document = json.loads(tell("store.py:6", "views.py:9", "--output-format", "json"))
    assert document["version"] == 1
    first, second = document["explanations"]
    assert (first["file"], first["line"], first["column"], first["context"]) == ("store.py", 6, None, "find")
    (finding,) = first["findings"]
    assert (finding["code"], finding["not_reported"]) == ("PRD301", None)
    assert [len(finding["values"]), finding["values"][0]] == [
        len(finding["trace"]),
        ["`name` = `request.args['q']`: request data"],
    ]
    assert [one["code"] for one in second["passing"]] == ["PRD301"]


def test_the_json_page_names_every_key(root: Path, tell: Tell) -> None:
    (root / "views.py").write_text(VIEWS)
    (root / "store.py").write_text(STORE)
    (root / "test_it.py").write_text("import logging\ndef f(x):\n    x.y()\n    z = 1\n    logging.info('a')\n")
    places = ("store.py:6", "views.py:10", "test_it.py:3", "test_it.py:4", "test_it.py:5")
    page = (ROOT / "docs" / "json.md").read_text("utf-8")
    missing = {key for key in _keys(json.loads(tell(*places, "--output-format", "json"))) if f"`{key}`" not in page}
    assert missing == set()


def test_the_readme_shows_what_is_printed(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = re.search(r"^```console\n\$ prodready explain (\S+)\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert shown is not None
    assert tell(shown[1]) == shown[2]


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(_keys, value.values()))
    return set().union(*map(_keys, value)) if isinstance(value, list) else set()
