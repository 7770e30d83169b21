"""`check --diff` and `--staged`: what a change touches or causes, and nothing else."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from git_app import MODELS, WORK, App

from prodready import cli

Check = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    app = App(tmp_path / "app")
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


def places(found: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(finding["path"], finding["line"]) for finding in found]


class TestTouched:
    def test_nothing_changed(self, app: App, check: Check) -> None:
        assert check("--diff", "HEAD") == []

    def test_other_lines_changed(self, app: App, check: Check) -> None:
        app.change("app.py", 'sqlite3.connect("x")', 'sqlite3.connect("y")')
        assert check("--diff", "HEAD") == []

    def test_its_own_line(self, app: App, check: Check) -> None:
        app.change("app.py", "SELECT * FROM a WHERE x = '{q}'", "SELECT 1 FROM a WHERE x = '{q}'")
        assert places(check("--diff", "HEAD")) == [("app.py", 15)]

    def test_a_step_of_its_trace(self, app: App, check: Check) -> None:
        app.change("app.py", 'request.args["q"]', 'request.form["q"]')
        (found,) = check("--diff", "HEAD")
        assert (found["line"], found["change"]["line"], found["change"]["message"]) == (15, 14, "changed here")

    def test_lines_that_moved_down(self, app: App, check: Check) -> None:
        app.change("app.py", "import sqlite3\n", "import sqlite3\nimport os\nimport re\n")
        assert check("--diff", "HEAD") == []

    def test_a_function_was_renamed(self, app: App, check: Check) -> None:
        app.change("app.py", "def old():", "def older():")
        assert check("--diff", "HEAD") == []

    def test_a_file_was_renamed(self, app: App, check: Check) -> None:
        app.git("mv", "app.py", "views.py")
        app.change("views.py", "# one", "# other")
        assert check("--diff", "HEAD") == []

    def test_a_new_file_that_git_does_not_know_yet(self, app: App, check: Check) -> None:
        app.write("more.py", (app.root / "app.py").read_text())
        assert places(check("--diff", "HEAD")) == [("more.py", 15)]

    def test_what_other_analysers_say_of_changed_lines(self, app: App, check: Check) -> None:
        app.write("web/old.js", 'localStorage.setItem("access_token", token);\n')
        app.write("web/store.js", "// stores\nconst name = 1;\n")
        app.git("add", "-A")
        app.git("commit", "-qm", "Add scripts")
        app.change("web/old.js", "token);\n", "token);\n// the end\n")
        app.change("web/store.js", "const name = 1;", 'localStorage.setItem("access_token", token);')
        assert places(check("--diff", "HEAD")) == [("web/store.js", 2)]

    def test_a_copy_inserted_before_its_original(self, app: App, check: Check) -> None:
        line = "    db().execute(f\"SELECT * FROM a WHERE x = '{q}'\")\n"
        app.change("app.py", line, line + "    # between\n" + line)
        assert places(check("--diff", "HEAD")) in ([("app.py", 17)], [("app.py", 15)])


class TestLost:
    def test_a_validator_in_the_same_function(self, app: App, check: Check) -> None:
        app.change("app.py", '    if sort not in ("name", "age"):\n        abort(400)\n', "")
        (found,) = check("--diff", "HEAD")
        assert (found["path"], found["line"]) == ("app.py", 22)
        assert found["message"].startswith('`if sort not in ("name", "age"):` was removed here, and now')
        assert (found["related"][0]["path"], found["related"][0]["line"]) == ("app.py", 25)

    def test_the_fingerprint_is_that_of_the_place_where_it_stands(self, app: App, check: Check) -> None:
        app.change("app.py", '    if sort not in ("name", "age"):\n        abort(400)\n', "")
        (lost,) = check("--diff", "HEAD")
        assert lost["fingerprint"] in {found["fingerprint"] for found in check() if found["line"] == 25}

    def test_a_cleaner_in_another_file(self, app: App, check: Check) -> None:
        app.change("util.py", "return int(value)", "# as it is\n    return value")
        (found,) = check("--diff", "HEAD")
        assert (found["path"], found["code"]) == ("util.py", "PRD301")
        assert found["change"]["message"] == "`return int(value)` was changed here"

    def test_among_several_changes_the_one_to_blame(self, app: App, check: Check) -> None:
        app.change("app.py", '@app.route("/old")', '@app.route("/older")')
        app.change("app.py", "# three", "# 3")
        app.change("util.py", "def clean(value):\n", "X = 1\n\n\ndef clean(value):\n")
        app.change("util.py", "return int(value)", "return value")
        app.write("other.py", "y = 1\n")
        assert places(check("--diff", "HEAD")) == [("util.py", 5)]

    def test_a_key_in_what_was_removed_is_not_quoted(self, app: App, check: Check) -> None:
        app.change("util.py", "return int(value)", "return int(value or 'sk1live9abcdefgh')")
        app.commit()
        app.change("util.py", "return int(value or 'sk1live9abcdefgh')", "return value")
        (found,) = check("--diff", "HEAD")
        assert found["message"].startswith("`return int(value or '****************')` was changed here")

    def test_the_change_was_committed(self, app: App, check: Check) -> None:
        app.change("util.py", "return int(value)", "return value")
        app.commit()
        app.write("other.py", "y = 1\n")
        app.commit()
        assert places(check("--diff", "HEAD~2")) == [("util.py", 2)]
        assert check("--diff", "HEAD~1") == []

    def test_a_transaction_around_a_call_in_another_file(self, app: App, check: Check) -> None:
        app.write("manage.py", "")
        app.write("shop/__init__.py", "")
        app.write("shop/models.py", MODELS)
        app.write("shop/work.py", WORK)
        app.write("shop/views.py", VIEWS)
        app.commit()
        assert check("--diff", "HEAD") == []
        app.change("shop/views.py", "    with transaction.atomic():\n        move(1, 2)\n", "    move(1, 2)\n")
        (found,) = check("--diff", "HEAD")
        assert (found["code"], found["path"]) == ("PRD302", "shop/views.py")
        assert "with transaction.atomic():" in found["message"]

    def test_the_file_with_the_cleaner_is_gone(self, app: App, check: Check) -> None:
        app.write("util2.py", "def clean(value):\n    return value\n")
        app.commit()
        (app.root / "util.py").unlink()
        app.change("app.py", "from util import clean", "from util2 import clean")
        assert [found["code"] for found in check("--diff", "HEAD")] == ["PRD301"]


VIEWS = """\
from django.db import transaction
from shop.work import move


def view(request):
    with transaction.atomic():
        move(1, 2)
"""


class TestSides:
    def test_staged_is_what_the_index_holds(self, app: App, check: Check) -> None:
        app.change("util.py", "return int(value)", "return value")
        app.git("add", "util.py")
        app.change("util.py", "return value", "return int(value)")
        assert check("--diff", "HEAD") == []
        assert places(check("--staged")) == [("util.py", 2)]
        assert "return int(value)" in (app.root / "util.py").read_text()

    def test_not_staged(self, app: App, check: Check) -> None:
        app.change("util.py", "return int(value)", "return value")
        assert check("--staged") == []

    def test_staged_before_the_first_commit(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: Check
    ) -> None:
        app = App(tmp_path / "new")
        app.git("update-ref", "-d", "HEAD")
        monkeypatch.chdir(app.root)
        assert places(check("--staged")) == [("app.py", 15)]

    def test_two_commits_whatever_the_work_tree_is(self, app: App, check: Check) -> None:
        app.change("util.py", "return int(value)", "return value")
        app.commit()
        app.change("util.py", "return value", "return int(value)")
        app.commit()
        app.write("app.py", "")
        app.write("new.py", "x = 1\n")
        assert places(check("--diff", "HEAD~2..HEAD~1")) == [("util.py", 2)]
        assert check("--diff", "HEAD~1..HEAD") == []

    def test_since_the_branch_left(self, app: App, check: Check) -> None:
        app.git("checkout", "-qb", "branch")
        app.change("util.py", "return int(value)", "return value")
        app.commit()
        app.git("checkout", "-q", "main")
        app.change("app.py", "# one", "# 1")
        app.change("app.py", "SELECT * FROM a WHERE x = '{q}'", "SELECT 1 FROM a WHERE x = '{q}'")
        app.commit()
        app.git("checkout", "-q", "branch")
        assert places(check("--diff", "main...")) == [("util.py", 2)]
        assert places(check("--diff", "main...branch")) == [("util.py", 2)]
        assert places(check("--diff", "main")) == [("app.py", 15), ("util.py", 2)]

    def test_a_project_below_the_top(self, app: App, check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("app.py", "util.py"):
            app.write(f"svc/{name}", (app.root / name).read_text())
        app.write("svc/prodready.toml", "")
        app.commit()
        app.change("svc/util.py", "return int(value)", "return value")
        monkeypatch.chdir(app.root / "svc")
        assert places(check("--diff", "HEAD")) == [("util.py", 2)]
        monkeypatch.chdir(app.root)
        assert places(check("--diff", "HEAD")) == [("util.py", 2)]

    def test_only_below_the_paths_that_are_named(self, app: App, check: Check) -> None:
        app.change("app.py", "SELECT * FROM a WHERE x = '{q}'", "SELECT 1 FROM a WHERE x = '{q}'")
        assert check("--diff", "HEAD", "util.py") == []
        assert places(check("--diff", "HEAD", "app.py")) == [("app.py", 15)]

    def test_the_work_tree_is_left_alone(self, app: App, check: Check) -> None:
        app.change("util.py", "return int(value)", "return value")
        before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in app.root.glob("*.py")}
        check("--diff", "HEAD", "--no-cache")
        assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in app.root.glob("*.py")} == before
        assert app.git("status", "--short") == " M util.py\n"

    def test_the_other_side_does_not_get_into_the_cache(self, app: App, check: Check) -> None:
        app.change("util.py", "return int(value)", "return value")
        app.commit()
        before = check()
        check("--diff", "HEAD~1")
        check("--diff", "HEAD~1..HEAD~1")
        assert check() == before

    def test_a_file_that_does_not_parse(self, app: App, capsys: pytest.CaptureFixture[str]) -> None:
        app.write("broken.py", "def (:\n")
        assert cli.main(["check", "--diff", "HEAD"]) == 2
        assert capsys.readouterr().err.startswith("prodready: broken.py:1: cannot be parsed")

    def test_crlf(self, app: App, check: Check) -> None:
        app.git("config", "core.autocrlf", "true")
        for name in ("app.py", "util.py"):
            text = (app.root / name).read_text()
            (app.root / name).write_text(text, newline="\r\n")
        app.change("util.py", "return int(value)", "return value")
        (app.root / "util.py").write_text((app.root / "util.py").read_text(), newline="\r\n")
        assert places(check("--diff", "HEAD")) == [("util.py", 2)]


class TestStdin:
    @pytest.fixture
    def pipe(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
        def give(text: str) -> None:
            data = text.encode("utf-8", "surrogateescape")
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

        return give

    @pytest.mark.parametrize("words", [[], ["--no-prefix"], ["-U0"], ["-U20"]])
    def test_what_git_writes(self, app: App, check: Check, pipe: Callable[[str], None], words: list[str]) -> None:
        app.change("util.py", "return int(value)", "return value")
        pipe(app.git("diff", *words))
        assert places(check("--diff", "-")) == [("util.py", 2)]

    def test_from_the_top_for_a_project_below(
        self, app: App, check: Check, pipe: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("app.py", "util.py"):
            app.write(f"svc/{name}", (app.root / name).read_text())
        app.write("svc/prodready.toml", "")
        app.commit()
        app.change("svc/util.py", "return int(value)", "return value")
        monkeypatch.chdir(app.root / "svc")
        for words in ([], ["--relative"]):
            pipe(app.git("-C", "svc", "diff", *words))
            assert places(check("--diff", "-")) == [("util.py", 2)]

    def test_nothing(self, app: App, check: Check, pipe: Callable[[str], None]) -> None:
        pipe("")
        assert check("--diff", "-") == []

    def test_without_git(
        self, tmp_path: Path, check: Check, pipe: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("prodready.toml").write_text("")
        lines = ["import sqlite3", "from flask import request", "", "", "def f():", '    q = request.args["q"]']
        Path("a.py").write_text("\n".join([*lines, '    sqlite3.connect("x").execute(f"SELECT {q}")', ""]))
        pipe('--- a.py\n+++ a.py\n@@ -6 +6 @@\n-    q = 1\n+    q = request.args["q"]\n')
        (found,) = check("--diff", "-")
        assert found["line"] == 7

    def test_a_diff_of_something_else(
        self, app: App, pipe: Callable[[str], None], capsys: pytest.CaptureFixture[str]
    ) -> None:
        for text, why in (
            ("hello\n", "not a unified diff"),
            ("--- a/none.py\n+++ b/none.py\n@@ -1 +1 @@\n-a\n+b\n", "none of the files of the diff is there: none.py"),
        ):
            pipe(text)
            assert cli.main(["check", "--diff", "-"]) == 2
            assert why in capsys.readouterr().err

    def test_a_diff_that_does_not_fit_is_said(
        self, app: App, pipe: Callable[[str], None], capsys: pytest.CaptureFixture[str]
    ) -> None:
        pipe("--- a/util.py\n+++ b/util.py\n@@ -1 +1 @@\n-a\n+b\n")
        cli.main(["check", "--diff", "-", "--verbose"])
        assert "util.py: line 1 is not as the diff says" in capsys.readouterr().err

    def test_paths_that_lead_out(self, app: App, pipe: Callable[[str], None], tmp_path: Path, check: Check) -> None:
        (tmp_path / "out.py").write_text("secret = 1\n")
        pipe(
            "--- a/../out.py\n+++ b/../out.py\n@@ -1 +1 @@\n-a\n+secret = 1\n"
            "--- a/util.py\n+++ b/util.py\n@@ -0,0 +1 @@\n+def clean(value):\n"
        )
        assert check("--diff", "-") == []


class TestWords:
    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (["--diff", "nope"], "nope"),
            (["--diff", "..."], "which revision?"),
            (["--diff", "HEAD", "-"], "files on disk"),
            (["--diff=--output=x"], "'--output=x' names no commit here"),
        ],
    )
    def test_cannot_be(self, app: App, capsys: pytest.CaptureFixture[str], words: list[str], says: str) -> None:
        assert cli.main(["check", *words]) == 2
        assert says in capsys.readouterr().err

    def test_no_repository(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert cli.main(["check", "--diff", "HEAD"]) == 2
        assert "is in no git repository" in capsys.readouterr().err
