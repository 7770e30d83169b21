"""`check --diff` where only pages changed, or what stands behind them: PRD201 speaks of handlers in other files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from git_app import App

from prodready import cli

FIXTURE = Path(__file__).parent.parent / "fixtures" / "PRD201" / "bad_jinja_flask"
PAGE, CODE = "forum/templates/topic.html", "forum/app.py"
GATE = "{% if current_user.is_moderator %}"
GUARD = "    if not current_user.is_moderator:\n        abort(403)\n"
BODY = "    topic = db.get_or_404(Topic, topic_id)\n    topic.closed = True\n"

Check = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    app = App(tmp_path / "app")
    for name in ("app.py", "util.py"):
        (app.root / name).unlink()
    shutil.copytree(FIXTURE, app.root, dirs_exist_ok=True)
    app.write("prodready.toml", 'select = ["PRD201"]\nengines = []\n')
    app.commit()
    monkeypatch.chdir(app.root)
    return app


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Check:
    def run(*words: str) -> list[dict[str, Any]]:
        code = cli.main(["check", "--output-format", "json", *words])
        written = capsys.readouterr()
        found: list[dict[str, Any]] = json.loads(written.out)["findings"]
        assert code == bool(found), written.err
        return found

    return run


def line_of(app: App, path: str, text: str) -> int:
    return next(n for n, line in enumerate((app.root / path).read_text().splitlines(), 1) if text in line)


def test_it_is_there_at_all(app: App, check: Check) -> None:
    assert [finding["path"] for finding in check()] == [CODE]
    assert check("--diff", "HEAD") == []


def test_a_page_that_has_nothing_to_do_with_it(app: App, check: Check) -> None:
    app.write("forum/templates/other.html", "<p>hello</p>\n")
    app.change(PAGE, "<h1>", "<h1 class='title'>")
    assert check("--diff", "HEAD") == []


@pytest.mark.parametrize("how", ["work tree", "staged", "revisions", "patch", "later"])
def test_a_gate_that_is_new(app: App, check: Check, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app.change(PAGE, GATE, "{% if topic %}")
    app.commit()
    assert check() == []
    app.change(PAGE, "{% if topic %}", GATE)
    words = ["--diff", "HEAD"]
    if how == "staged":
        app.git("add", "-A")
        app.change(PAGE, GATE, "{% if topic %}")
        words = ["--staged"]
    elif how == "patch":
        place = app.root.parent / "patch"
        place.write_text(app.git("diff"))
        monkeypatch.setattr("sys.stdin", place.open())
        words = ["--diff", "-"]
    elif how in {"revisions", "later"}:
        app.commit()
        words = ["--diff", "HEAD~1..HEAD"]
        if how == "later":  # Another commit is checked out.
            app.change(PAGE, GATE, "{% if topic %}")
            app.commit()
            words = ["--diff", "HEAD~2..HEAD~1"]
    (found,) = check(*words)
    assert (found["path"], found["change"]["path"]) == (CODE, PAGE)
    assert found["change"]["line"] == line_of(app, PAGE, "if ")


def test_the_request_behind_the_gate_changed(app: App, check: Check) -> None:
    app.change(PAGE, '<form method="post"', '<form class="wide" method="post"')
    (found,) = check("--diff", "HEAD")
    assert (found["path"], found["change"]["path"], found["change"]["message"]) == (CODE, PAGE, "changed here")


def test_the_page_for_everybody_is_gone(app: App, check: Check) -> None:
    app.write(
        "forum/templates/all.html",
        '<form method="post" action="{{ url_for(\'close_topic\', topic_id=topic.id) }}">\n<button>Close</button></form>\n',
    )
    app.commit()
    assert check() == []
    (app.root / "forum/templates/all.html").unlink()
    (found,) = check("--diff", "HEAD")
    assert found["path"] == CODE
    assert "the cause is in forum/templates/all.html" in found["message"]


def test_one_of_several_forms_for_everybody_is_gone(app: App, check: Check) -> None:
    form = '<form method="post" action="{{ url_for(\'close_topic\', topic_id=topic.id) }}">\n<button>Close</button></form>\n'
    app.write("forum/templates/all.html", f"<h1>all</h1>\n{form}<p>end</p>\n")
    app.commit()
    app.change("forum/templates/all.html", form, "")
    app.change(PAGE, "<h1>", "<h1 class='x'>")
    (found,) = check("--diff", "HEAD")
    assert (found["path"], found["line"]) == ("forum/templates/all.html", 2)
    assert "was removed here, and now the page shows" in found["message"]


@pytest.mark.parametrize("where", ["handler", "helper", "elsewhere"])
def test_a_guard_that_was_removed(app: App, check: Check, where: str) -> None:
    if where == "handler":
        app.change(CODE, BODY, GUARD + BODY)
        path, old = CODE, GUARD
    else:
        path = "forum/guards.py"
        old = GUARD
        app.write(
            path,
            f"from flask import abort\nfrom flask_login import current_user\n\n\ndef moderate():\n{GUARD}    return True\n",
        )
        app.change(CODE, BODY, "    moderate()\n" + BODY)
        app.change(CODE, "from forum.models", "from forum.guards import moderate\nfrom forum.models")
    app.commit()
    assert check() == []
    if where == "helper":
        path, old = CODE, "    moderate()\n"
    app.change(path, old, "")
    (found,) = check("--diff", "HEAD")
    assert found["change"]["path"] == path
    assert "the page shows" in found["message"]


def test_review_puts_the_comment_on_the_page(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    app.change(PAGE, GATE, "{% if topic %}")
    app.commit()
    app.change(PAGE, "{% if topic %}", GATE)
    app.commit()
    assert cli.main(["review", "--dry-run", "--diff", "HEAD~1...HEAD", "--output-format", "json"]) == 1
    (comment,) = json.loads(capsys.readouterr().out)["comments"]
    assert (comment["path"], comment["line"], comment["side"]) == (PAGE, line_of(app, PAGE, GATE), "new")
