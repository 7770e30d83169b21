"""Pages that another process reads and links beside Python: the same as here, also when that process does not make it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import prodready.linking_web
from prodready.config import Config
from prodready.project import Options, Session, check

PAGES = 45
HERE = os.getpid()

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")


def page(number: int, test: str = "user.isAdmin") -> str:
    return f'export const Page = ({{ user }}) => {test} && <a onClick={{() => fetch("/api/{number:02}")}}>Go</a>;\n'


@pytest.fixture
def app(telling: Path) -> Path:
    for number in range(PAGES):
        (telling / f"page{number:02}.jsx").write_text(page(number))
    return telling


@pytest.fixture
def linked_here(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of how many files a front end was linked in this process, each time that happened."""
    import prodready.link.front

    counts: list[int] = []
    real = prodready.link.front.link_front

    def link(files: dict[str, object], *given: object) -> object:
        counts.append(len(files))
        return real(files, *given)  # type: ignore[arg-type]

    monkeypatch.setattr("prodready.link.front.link_front", link)
    return counts


EXPECTED = [f"api/{number:02} staff" for number in range(PAGES)]


def said(root: Path, jobs: int = 2) -> list[str]:
    report = check(Config(root=root, engines=()), [root], Options(jobs=jobs))
    assert (report.problems, report.warnings) == ((), ())
    return sorted(finding.message for finding in report.findings)


def test_a_cold_run_leaves_the_pages_to_another_process(app: Path, linked_here: list[int]) -> None:
    assert said(app) == EXPECTED
    assert linked_here == []
    assert said(app) == EXPECTED, "what it made is kept"
    (app / "app.py").write_text("x = 2\n")
    assert said(app) == EXPECTED, "the front end is kept apart from the outcome"
    assert linked_here == []
    (app / "page00.jsx").write_text(page(0, "user"))
    assert said(app) == ["api/00 login", *EXPECTED[1:]], "known pages are linked here"
    assert linked_here == [PAGES]


def test_one_job_is_one_process(app: Path, linked_here: list[int]) -> None:
    assert said(app, jobs=1) == EXPECTED
    assert linked_here == [PAGES]


@pytest.mark.parametrize("broken", ["end_with_parent", "_linked", "leave_to_parent"])
def test_what_a_dead_process_did_not_make_is_made_here(
    app: Path, linked_here: list[int], monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    real: Callable[..., object] = getattr(prodready.linking_web, broken)

    def dies(*values: object) -> object:
        if os.getpid() != HERE:
            os._exit(3)
        return real(*values)

    monkeypatch.setattr(prodready.linking_web, broken, dies)
    assert said(app) == EXPECTED
    assert linked_here == [PAGES]


def test_a_front_end_that_cannot_be_linked_there_is_linked_here(
    app: Path, linked_here: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = prodready.linking_web._linked

    def fails(*values: Any) -> object:
        if os.getpid() != HERE:
            raise RuntimeError
        return real(*values)

    monkeypatch.setattr(prodready.linking_web, "_linked", fails)
    assert said(app) == EXPECTED
    assert linked_here == [PAGES]


def test_a_page_that_changes_meanwhile_is_read_in_the_next_run(app: Path) -> None:
    """Its stamp is taken before it is read."""
    session = Session(Config(root=app, engines=()))
    with session.opened([app], Options(jobs=2)) as run:
        assert run.web.is_pending
        assert len(run.web.entries()) == PAGES
        (app / "page00.jsx").write_text(page(0, "user"))
    assert said(app) == ["api/00 login", *EXPECTED[1:]]


def test_it_ends_with_the_run_that_did_not_wait_for_it(app: Path) -> None:
    children = Path(f"/proc/{HERE}/task/{HERE}/children")
    before = children.read_text().split()
    session = Session(Config(root=app, engines=()))
    with session.opened([app], Options(jobs=2)):
        started = set(children.read_text().split()) - set(before)
        assert started
    assert not any(Path(f"/proc/{process}").exists() for process in started)


def test_a_name_that_is_no_utf_8_is_no_hindrance(app: Path) -> None:
    odd = os.fsdecode(os.fsencode(app) + b"/\xff.jsx")
    Path(odd).write_text(page(77))
    assert said(app) == [*EXPECTED, "api/77 staff"]
