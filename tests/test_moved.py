"""A change that only moves code is not judged anew, and what is said of it is what judging it anew would say."""

from __future__ import annotations

import ast
import random
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from cases import FIXTURES, copied

from prodready import judging, project
from prodready.cache import DATABASE
from prodready.config import Config
from prodready.finding import Finding
from prodready.moved import MOST, moves
from prodready.project import Options, Session
from prodready.read.facts import FileFacts
from prodready.read.python import read_python
from prodready.rules import Rule

CACHED = Options(jobs=1, engines=False)
SOURCE = Path(__file__).parent.parent / "src/prodready"

LOGIN = """import logging


def login(name, password):
    check = lambda: name
    logging.info(name)
    logging.info(password)
    return check


class Login:
    tries = 3
"""

WRITES = """from django.db import models


class Order(models.Model):
    state = models.TextField()


class Line(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE)


def place(order, text):
    order.state = text
    order.save()
    Line.objects.create(order=order)
"""


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The codes of the rules of each time that anything is judged."""
    asked: list[list[str]] = []
    judge = judging.judge

    def noted(rules: list[Rule], *rest: object, apart: bool) -> object:
        asked.append([rule.code for rule in rules])
        return judge(rules, *rest, apart=apart)  # type: ignore[arg-type]

    monkeypatch.setattr(project, "judge", noted)
    return asked


def said(root: Path) -> list[bytes]:
    """All that is found in a project, byte by byte."""
    with Session(Config(root=root)).linked([root], CACHED) as insight:
        assert insight.problems == ()
        return [msgspec.json.encode(finding) for finding in insight.findings]


def anew(root: Path) -> list[bytes]:
    """The same with no outcome of an earlier run to start from."""
    with closing(sqlite3.connect(root / ".prodready_cache" / DATABASE)) as connection, connection:
        connection.execute("DELETE FROM runs")
    return said(root)


def lines(found: list[bytes]) -> list[tuple[str, int]]:
    findings = [msgspec.json.decode(one, type=Finding) for one in found]
    return [(finding.location.path, finding.location.line) for finding in findings]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("import logging", "# Who comes in.\n\nimport logging", 9),
        ("    logging.info(name)\n", "", 0),
        ("    logging.info(name)\n", "    # so far\n    logging.info(name)  # a name\n", 8),
        ("    logging.info(password)\n", "    logging.info(password)  # noqa\n", 7),
        ("    check =", '    """Tells\n    who comes."""\n    check =', 9),
        ("    tries = 3\n", "\n\n    # three times\n    tries = 3\n", 7),
        ("    tries = 3\n", "    tries = 4\n", 0),
        ("    check = lambda", "    check  =  lambda", 0),
        ("def login", "@staticmethod\ndef login", 0),
        ("def login", "def log_in", 0),
    ],
)
def test_moved_code_is_judged_once(tmp_path: Path, judged: list[list[str]], old: str, new: str, line: int) -> None:
    place = tmp_path / "app.py"
    place.write_text(LOGIN)
    assert lines(said(tmp_path)) == [("app.py", 7)]
    judged.clear()
    assert old in LOGIN
    place.write_text(LOGIN.replace(old, new))
    found = said(tmp_path)
    assert bool(judged) == (line == 0)
    assert line == 0 or lines(found) == [("app.py", line)]
    assert found == anew(tmp_path)


def test_what_was_carried_over_is_carried_on(tmp_path: Path, judged: list[list[str]]) -> None:
    (tmp_path / "other.py").write_text("import app\ndef other():\n    pass\n")
    place = tmp_path / "app.py"
    place.write_text(LOGIN)
    said(tmp_path)
    for number in range(1, 4):
        place.write_text("# more\n" * number + LOGIN)
        (tmp_path / "other.py").write_text("import app\n" + "\n" * number + "def other():\n    pass\n")
        assert lines(said(tmp_path)) == [("app.py", 7 + number)]
        assert lines(said(tmp_path)) == [("app.py", 7 + number)]
    assert len(judged) == 1


def test_any_number_of_files_may_change_where_their_facts_do_not(tmp_path: Path, judged: list[list[str]]) -> None:
    for year in ("2025", "2026"):
        for number in range(MOST + 1):
            (tmp_path / f"app{number}.py").write_text(f"# {year}\n{LOGIN}")
        assert len(said(tmp_path)) == MOST + 1
    assert len(judged) == 1


def test_rules_whose_texts_name_a_line_are_asked_again(tmp_path: Path, judged: list[list[str]]) -> None:
    (tmp_path / "app.py").write_text(LOGIN)
    place = tmp_path / "models.py"
    place.write_text(WRITES)
    before = said(tmp_path)
    assert re.search(rb"line 14\b", b"".join(before))
    (tmp_path / "app.py").write_text("\n" * 10 + LOGIN)
    said(tmp_path)
    assert len(judged) == 1
    judged.clear()
    place.write_text("# rows\n" + WRITES)
    found = said(tmp_path)
    assert judged == [["PRD302"]]
    assert re.search(rb"line 15\b", b"".join(found))
    assert found == anew(tmp_path)


def test_a_file_that_comes_or_goes_is_no_move(tmp_path: Path, judged: list[list[str]]) -> None:
    (tmp_path / "app.py").write_text(LOGIN)
    for change in (
        lambda: (tmp_path / "more.py").write_text("more = 1\n"),
        lambda: (tmp_path / "more.py").rename(tmp_path / "other.py"),
        (tmp_path / "other.py").unlink,
    ):
        said(tmp_path)
        judged.clear()
        change()
        (tmp_path / "app.py").write_text("\n" + (tmp_path / "app.py").read_text())
        assert said(tmp_path) == anew(tmp_path)
        assert len(judged) == 2


def facts(text: str) -> FileFacts:
    return read_python(text.encode())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("f(1)\ng(2)\n", "g(2)\nf(1)\n"),
        ("f(1)\n", "f(True)\n"),
        ("f(1)\n", "f(1.0)\n"),
        ("f(0.0)\n", "f(-0.0)\n"),
        ("f('<lambda>1:2')\n", "f('<lambda>2:2')\n"),
        ("f(1); g(2)\n", "f(1)\ng(2)\n"),
        ("f(1)\n", "if True:\n    f(1)\n"),
        ("@app.get('/')\ndef f():\n    '''Open.'''\n", "@app.get('/')\ndef f():\n    '''Not so.'''\n"),
        ("a = {'x': f, 'y': g}\n", "a = {'y': g, 'x': f}\n"),
    ],
)
def test_other_code_has_not_moved(old: str, new: str) -> None:
    assert moves(facts(old), facts(old)) is not None
    assert moves(facts(old), facts(new)) is None


def test_names_of_lambdas_keep_their_order() -> None:
    text = "import os\na = lambda: 1\n" + "\n" * 7 + "b = lambda: 2\n"
    assert moves(facts(text), facts("\n" + text)) is not None
    assert moves(facts(text), facts("\n" * 20 + text)) is None  # `<lambda>10` came before `<lambda>2`


def starts(text: str) -> list[int]:
    """The lines on which statements begin."""
    found = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt)]
    return sorted({min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))]) for node in found})


def comment(rows: list[str], at: int, _: random.Random) -> None:
    rows[at:at] = ["# prodready: ignore[PRD401] a word on it"]


def blank(rows: list[str], at: int, rnd: random.Random) -> None:
    rows[at:at] = [""] * rnd.randint(1, 9)


def constant(rows: list[str], at: int, rnd: random.Random) -> None:
    rows[at] = re.sub(r"\b\d+\b|\"[a-z]+\"", lambda one: rnd.choice(["7", '"other"', one[0]]), rows[at])


def call(rows: list[str], at: int, rnd: random.Random) -> None:
    indent = rows[at][: len(rows[at]) - len(rows[at].lstrip())]
    rows[at:at] = [indent + rnd.choice(["print(password)", "session.commit()", "check()", "log.info(token)"])]


def rename(rows: list[str], _: int, rnd: random.Random) -> None:
    names = [one[1] for row in rows if (one := re.match(r"\s*def (\w+)", row))]
    if names:
        name = rnd.choice(names)
        rows[:] = [re.sub(rf"\b{name}\b", f"{name}_too", row) for row in rows]


def undecorate(rows: list[str], _: int, rnd: random.Random) -> None:
    decorators = [index for index, row in enumerate(rows) if row.lstrip().startswith("@")]
    if decorators:
        del rows[rnd.choice(decorators)]


EDITS: list[Callable[[list[str], int, random.Random], None]] = [
    *(comment, comment, blank, blank),
    *(constant, call, rename, undecorate),
]


@pytest.mark.parametrize("seed", range(3))
def test_any_edits_lead_to_what_judging_anew_says(seed: int, tmp_path: Path, judged: list[list[str]]) -> None:
    rnd = random.Random(seed)
    root = copied(FIXTURES / "shop", tmp_path)
    said(root)
    spared = 0
    for _ in range(12):
        files = sorted(place for place in root.rglob("*.py") if starts(place.read_text()))
        for place in rnd.sample(files, rnd.choice([1, 1, 2])):
            text = place.read_text()
            rows = text.splitlines()
            rnd.choice(EDITS)(rows, rnd.choice(starts(text)) - 1, rnd)
            after = "\n".join(rows) + "\n"
            try:
                ast.parse(after)
            except SyntaxError:
                continue
            place.write_text(after)
        judged.clear()
        found = said(root)
        spared += not judged
        assert found == anew(root)
    assert spared > 1


def test_nothing_is_concluded_from_how_far_lines_are_apart() -> None:
    """Findings are carried over with their lines: no rule may count on the distance of two."""
    counted = re.compile(r"\.(?:end_)?line\b[) ]*[-+](?!>)|[\w)\]] *[-+] *\(*[\w.]+\.(?:end_)?line\b")
    for place in [*(SOURCE / "link").glob("*.py"), *(SOURCE / "rules").glob("*.py")]:
        if not place.name.startswith("front"):
            assert not counted.search(place.read_text()), place
