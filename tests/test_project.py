"""What a run says must not depend on how it came about: of some files or of all, from the cache or from the files."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from cases import FIXTURES, cases, copied

from prodready import reading
from prodready.cache import DATABASE
from prodready.config import Config
from prodready.finding import Confidence, Finding
from prodready.project import Options, Session, check
from prodready.read import stored
from prodready.reading import WORTH_A_POOL
from prodready.rules import all_rules
from prodready.state import Loader

PROJECTS = [case for code in all_rules() for case in cases(code) if case.is_dir()] + [FIXTURES / "shop"]
ALONE = Options(jobs=1, cache=False)
CACHED = Options(jobs=1)

HELPER = "import logging\n\n\ndef note(value):\n    logging.info(value)\n"
HARMLESS = "def note(value):\n    return len(value)\n"
CALLER = "from app.notes import note\n\n\ndef login(name, password):\n    note(password)\n"


def one_by_one(root: Path, paths: list[Path]) -> list[Finding]:
    session = Session(Config(root=root))
    return [finding for path in paths for finding in session.check([path], ALONE).findings]


@pytest.mark.parametrize("case", PROJECTS, ids=lambda case: case.relative_to(FIXTURES).as_posix())
def test_each_file_alone_is_told_what_the_whole_project_is_told(case: Path, tmp_path: Path) -> None:
    root = copied(case, tmp_path)
    assert one_by_one(root, sorted(path for path in root.rglob("*") if path.is_file())) == list(
        check(Config(root=root), [root], ALONE).findings
    )


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A third of all cases as one project."""
    for code in all_rules():
        for case in list(cases(code))[::3]:
            target = tmp_path / code.lower() / case.stem / "__init__.py"
            if case.is_file():
                target.parent.mkdir(parents=True)
                shutil.copy(case, target)
            else:
                shutil.copytree(case, target.parent)
    (tmp_path / "setup.cfg").touch()
    return tmp_path


def test_each_file_of_a_large_project_is_told_what_the_whole_is_told(large: Path) -> None:
    whole = check(Config(root=large), [large], ALONE)
    assert whole.files > 300
    one_each = {finding.code: large / finding.location.path for finding in whole.findings}
    some = sorted({*sorted(large.rglob("*.py"))[::113], *list(one_each.values())[::4]}, key=str)
    names = {path.relative_to(large).as_posix() for path in some}
    expected = [finding for finding in whole.findings if finding.location.path in names]
    assert len({finding.code for finding in expected}) > 2
    assert one_by_one(large, some) == expected


def test_a_folder_of_a_large_project_is_told_what_the_whole_is_told(large: Path) -> None:
    folder = large / "prd302"
    whole = check(Config(root=large), [large], ALONE)
    part = check(Config(root=large), [folder], ALONE)
    assert whole.files // 2 > part.files > 30
    assert list(part.findings) == [f for f in whole.findings if f.location.path.startswith("prd302/")] != []


@pytest.mark.parametrize("kept", [True, False], ids=["another process", "bytes"])
def test_facts_say_the_same_wherever_they_come_from(large: Path, kept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = Config(root=large, min_confidence=Confidence.LOW)
    here = check(everything, [large], ALONE)
    read = reading.read_one
    if not kept:
        monkeypatch.setattr(
            reading, "read_one", lambda *given, **m: msgspec.structs.replace(read(*given, **m), facts=None)
        )
    there = check(everything, [large], Options(jobs=1 + kept, cache=False))
    assert len(here.findings) > 150
    assert there.findings == here.findings


def test_files_that_are_the_same_mean_what_is_beside_them(tmp_path: Path) -> None:
    for name, helper in (("loud", HELPER), ("quiet", HARMLESS)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "notes.py").write_text(helper)
        (tmp_path / name / "login.py").write_text(CALLER.replace("app.notes", ".notes"))
    assert lines(tmp_path) == ["loud/login.py:5"]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/__init__.py").touch()
    (tmp_path / "app/notes.py").write_text(HELPER)
    (tmp_path / "app/login.py").write_text(CALLER)
    return tmp_path


def lines(root: Path, *targets: str) -> list[str]:
    """What a run with the cache says, which must be what one without says."""
    config, wanted = Config(root=root), [root / target for target in targets] or [root]
    report, anew = check(config, wanted, CACHED), check(config, wanted, ALONE)
    assert report.warnings == ()
    assert (report.findings, report.problems) == (anew.findings, anew.problems)
    return [f"{finding.location.path}:{finding.location.line}" for finding in report.findings]


@pytest.mark.parametrize("targets", [(), ("app/login.py",)], ids=["all", "one"])
def test_a_change_elsewhere_counts(app: Path, targets: tuple[str, ...]) -> None:
    found = ["app/login.py:5"]
    assert lines(app, *targets) == found
    (app / "app/notes.py").write_text(HARMLESS)
    assert lines(app, *targets) == []
    (app / "app/notes.py").write_text(HELPER)
    assert lines(app, *targets) == found
    (app / "app/notes.py").rename(app / "app/base.py")
    assert lines(app, *targets) == []
    (app / "app/login.py").write_text(CALLER.replace("app.notes", "app.base"))
    assert lines(app, *targets) == found
    (app / "app/base.py").unlink()
    assert lines(app, *targets) == []


def test_a_change_that_the_stamp_does_not_show_counts(app: Path) -> None:
    place = app / "app/login.py"
    before = place.stat()
    assert lines(app) == ["app/login.py:5"]
    place.write_text(CALLER.replace("\n\n\ndef", "  \ndef"))
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert place.stat().st_size == before.st_size
    assert lines(app) == ["app/login.py:3"]


def test_nothing_is_read_twice(app: Path) -> None:
    config = Config(root=app)
    assert [check(config, [app], CACHED).cached for _ in range(2)] == [0, 3]
    shutil.copy(app / "app/login.py", app / "app/copy.py")
    os.utime(app / "app/notes.py")
    report = check(config, [app], CACHED)
    assert (report.files, report.cached) == (4, 4)
    assert [finding.location.path for finding in report.findings] == ["app/copy.py", "app/login.py"]


def test_what_names_a_password_is_searched_for_once(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[list[str]] = []
    search = stored._Functions._search

    def noted(self: stored._Functions, stems: tuple[bytes, ...], among: Collection[str] | None) -> list[str]:
        if among is None:
            searched.append(list(self))
        return search(self, stems, among)

    monkeypatch.setattr(stored._Functions, "_search", noted)
    lines(app)
    (app / "app/other.py").write_text("def other(password):\n    return password\n")
    searched.clear()
    check(Config(root=app), [app], CACHED)
    assert searched
    assert {name for names in searched for name in names} == {"other", "<module>"}


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
def test_the_processes_that_read_search_for_what_names_a_password(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(WORTH_A_POOL):
        (app / f"app/more{number}.py").write_text(CALLER.replace("login", f"login{number}"))
    searched: list[tuple[bytes, ...]] = []
    search = stored._Functions._search

    def noted(self: stored._Functions, stems: tuple[bytes, ...], among: Collection[str] | None) -> list[str]:
        searched.append(stems)
        return search(self, stems, among)

    monkeypatch.setattr(stored._Functions, "_search", noted)
    monkeypatch.setattr("prodready.judging._may_fork", lambda: False)
    apart = check(Config(root=app), [app], Options(jobs=2, cache=False))
    assert not [stems for stems in searched if b"passw" in stems]
    assert apart.findings == check(Config(root=app), [app], ALONE).findings != ()
    assert [stems for stems in searched if b"passw" in stems]


@pytest.mark.parametrize("body", [b"no msgpack", msgspec.msgpack.encode({"key": 1})])
def test_answers_in_the_cache_that_cannot_be_read_are_made_anew(app: Path, body: bytes) -> None:
    expected = lines(app)
    with closing(sqlite3.connect(app / ".prodready_cache" / DATABASE)) as connection, connection:
        connection.execute("UPDATE said SET body = ?", [body])
        connection.execute("DELETE FROM runs")
    assert lines(app) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
def test_a_change_is_judged_by_two_processes_as_by_one(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    add_said = Loader.add_said

    def noted(self: Loader, said: dict[str, stored.Said]) -> None:
        sent.append(len(said))
        add_said(self, said)

    monkeypatch.setattr(Loader, "add_said", noted)
    monkeypatch.setattr("prodready.project.WORTH_TWO", WORTH_A_POOL)
    for number in range(WORTH_A_POOL):
        (app / f"app/more{number}.py").write_text(CALLER.replace("login", f"login{number}"))
    two = Options(jobs=2)
    for change in ("", CALLER, CALLER.replace("password", "passphrase")):
        (app / "app/__init__.py").write_text(change)
        report = check(Config(root=app), [app], two)
        assert report.findings == check(Config(root=app), [app], ALONE).findings
    assert len(sent) == 3
    with closing(sqlite3.connect(app / ".prodready_cache" / DATABASE)) as connection:
        (kept,) = connection.execute("SELECT body FROM said").fetchone()
    assert len(msgspec.msgpack.decode(kept)) == WORTH_A_POOL + 3


def test_a_changed_knowledge_file_counts(app: Path) -> None:
    told = app / "ours.toml"
    config = Config(root=app, knowledge=("ours.toml",))
    statement = 'import ours\n\n\ndef find(name):\n    ours.ask(f"SELECT * FROM users WHERE name = {name}")\n'
    (app / "app/login.py").write_text(statement)
    told.write_text('library = "ours"\n[functions."ours.ask"]\nsink = "sql"\nat = [0]\n')
    assert [finding.code for finding in check(config, [app], CACHED).findings] == ["PRD301"]
    told.write_text('library = "ours"\n[functions."ours.ask"]\nsink = "log"\nat = [0]\n')
    assert check(config, [app], CACHED).findings == ()


def test_a_session_sees_what_changes_between_checks(app: Path) -> None:
    session = Session(Config(root=app))
    assert len(session.check([app], ALONE).findings) == 1
    (app / "app/notes.py").write_text(HARMLESS)
    assert session.check([app], ALONE).findings == ()
    content = CALLER.encode() + b"\n\ndef more(token):\n    print(token)\n"
    unsaved = Options(jobs=1, cache=False, stdin=("app/login.py", content))
    assert [f.location.line for f in session.check([app / "app/login.py"], unsaved).findings] == [9]


def test_secrets_are_hidden_in_a_file_that_changes_while_it_is_judged(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("import logging\n\ndef login(password):\n    logging.info(password)\n")
    session = Session(Config(root=tmp_path))
    with session.opened([tmp_path], ALONE) as run:
        file.write_text('import logging\n\ndef login(password):\n    api_token = "kV9x2Lq8Zr4T"\n')
        (finding,) = session.report(run, session.chosen(run, [tmp_path]), [tmp_path], ALONE).findings
    assert finding.snippet == 'api_token = "************"'


def test_a_comment_counts_on_any_line_of_the_statement_around_a_lambda(tmp_path: Path) -> None:
    call = "logging.info(\n    password\n)  # prodready: ignore[PRD401] local only\n"
    (tmp_path / "a.py").write_text(f"import logging\n\nlogin = lambda password: {call}")
    report = check(Config(root=tmp_path), [tmp_path], ALONE)
    assert report.findings == ()
    assert [(one.finding.code, one.finding.statement) for one in report.suppressed] == [("PRD401", (3, 5))]


def test_what_a_knowledge_file_says_is_no_database(tmp_path: Path) -> None:
    built = '"SELECT a FROM t WHERE name = \'" + name + "\'"'
    (tmp_path / "a.py").write_text(f"def find(rpc, name):\n    query = {built}\n    return rpc.execute(query)\n")
    (tmp_path / "rpc.toml").write_text(
        'library = "rpc"\n[types."acme.Rpc"]\nnames = ["rpc"]\nmethods.execute = { sink = "none" }\n'
    )
    assert [one.code for one in check(Config(root=tmp_path), [tmp_path], ALONE).findings] == ["PRD301"]
    assert check(Config(root=tmp_path, knowledge=("rpc.toml",)), [tmp_path], ALONE).findings == ()


def test_star_imports_of_what_is_not_there_and_in_circles(app: Path) -> None:
    stars = "".join(f"from .missing{number} import *\n" for number in range(6))
    (app / "app/__init__.py").write_text(stars + "from .others import *\n")
    (app / "app/others.py").write_text(stars + "from . import *\nfrom .notes import *\nfrom .others import *\n")
    (app / "app/login.py").write_text(
        "from app import Thing, note\n\n\nclass Other(Thing):\n    def login(self, password):\n        note(password)\n"
    )
    assert lines(app) == ["app/login.py:6"]


def test_functions_that_all_call_one_another(tmp_path: Path) -> None:
    """There are more ways through these than anybody can go."""
    others = "".join(f"    get_{number}(row)\n" for number in range(14))
    lines = [f"\n\ndef get_{number}(row):\n    row.state = {number}\n{others}" for number in range(14)]
    source = "".join(["from django.core.mail import send_mail\n", *lines, '    send_mail("a", "b", "c", ["d"])\n'])
    (tmp_path / "states.py").write_text(source)
    assert check(Config(root=tmp_path), [tmp_path], ALONE).findings == ()
