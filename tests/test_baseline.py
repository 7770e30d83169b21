"""`prodready baseline` and what `check` makes of one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from git_app import MODELS, WORK, App

from prodready import cli

Run = Callable[..., tuple[int, str]]
FILE = ".prodready/baseline.jsonl"
OLD = """    db().execute(f"SELECT * FROM a WHERE x = '{q}'")\n"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    app = App(tmp_path / "app")
    monkeypatch.chdir(app.root)
    return app


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*words: str) -> tuple[int, str]:
        code = cli.main(list(words))
        written = capsys.readouterr()
        return code, written.out + written.err

    return command


@pytest.fixture
def known(app: App, run: Run) -> App:
    assert run("baseline", "create")[0] == 0
    return app


def check(run: Run, *words: str) -> list[str]:
    code, text = run("check", "--output-format", "json", *words)
    found = json.loads(text[text.index("{") :])["findings"]
    assert code == bool(found)
    return [f"{finding['path']}:{finding['line']}" for finding in found]


def lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(FILE).read_text().splitlines()]


class TestFile:
    def test_a_line_each_and_no_line_numbers(self, app: App, run: Run) -> None:
        assert check(run) == ["app.py:15"]
        assert run("baseline", "create") == (0, f"{FILE}: 1 findings, 1 added.\n")
        (line,) = lines()
        assert set(line) == {"path", "code", "context", "fingerprint", "statement", "message"}
        assert (line["path"], line["code"], line["context"]) == ("app.py", "PRD301", "old")
        assert check(run) == []
        assert check(run, "--no-baseline") == ["app.py:15"]

    def test_create_refuses_to_overwrite(self, known: App, run: Run) -> None:
        code, text = run("baseline", "create")
        assert code == 2
        assert "is there already; `prodready baseline update` changes it" in text

    def test_update_adds_and_removes(self, known: App, run: Run) -> None:
        known.change("app.py", OLD, "")
        known.change("util.py", "int(value)", "value")
        assert run("baseline", "update") == (0, f"{FILE}: 1 findings, 1 added, 1 removed.\n")
        assert lines()[0]["context"] == "cleaned"

    def test_prune_only_removes(self, known: App, run: Run) -> None:
        known.change("app.py", OLD, "")
        known.change("util.py", "int(value)", "value")
        code, text = run("check")
        assert code == 1
        assert "1 fixed: `prodready baseline prune` takes it out." in text
        assert run("baseline", "prune") == (0, f"{FILE}: 0 findings, 1 removed.\n")
        assert check(run) == ["app.py:33"]

    def test_an_update_that_changes_nothing_writes_nothing(self, known: App, run: Run) -> None:
        Path(FILE).chmod(0o444)
        before = Path(FILE).stat().st_mtime_ns
        known.change("app.py", "import sqlite3\n", "import sqlite3\nimport os\n")
        assert run("baseline", "update")[0] == 0
        assert Path(FILE).stat().st_mtime_ns == before

    def test_a_part_of_the_project(self, known: App, run: Run) -> None:
        known.write("sub/one.py", (known.root / "app.py").read_text())
        run("baseline", "update", "sub")
        assert [line["path"] for line in lines()] == ["app.py", "sub/one.py"]
        assert run("baseline", "prune", "sub")[1].endswith("0 removed.\n")
        assert check(run) == []

    def test_a_rule_that_is_not_selected_is_not_gone(self, known: App, run: Run) -> None:
        assert "fixed" not in run("check", "--select", "PRD401")[1]
        assert "fixed" not in run("check", "util.py")[1]

    def test_less_sure_findings_are_not_gone(self, known: App, run: Run) -> None:
        Path("prodready.toml").write_text('min-severity = "error"\nmin-confidence = "high"\n')
        assert "fixed" not in run("check")[1]

    def test_a_file_that_does_not_parse_has_not_fixed_anything(self, known: App, run: Run) -> None:
        text = (known.root / "app.py").read_text()
        known.write("app.py", text + "def (\n")
        code, said = run("check")
        assert code == 2
        assert "fixed" not in said
        run("baseline", "update")
        known.write("app.py", text)
        assert check(run) == []

    def test_another_place(self, app: App, run: Run) -> None:
        code, text = run("baseline", "create", "--baseline", "known.jsonl")
        assert code == 0
        assert "`known.jsonl merge=union`" in text
        assert check(run) == ["app.py:15"]
        assert check(run, "--baseline", "known.jsonl") == []
        Path("prodready.toml").write_text('baseline = "known.jsonl"')
        assert check(run) == []

    @pytest.mark.parametrize("words", [["--baseline", "none.jsonl"], []])
    def test_one_that_was_asked_for_and_is_not_there(self, app: App, run: Run, words: list[str]) -> None:
        if not words:
            Path("prodready.toml").write_text('baseline = "none.jsonl"')
        code, text = run("check", *words)
        assert code == 2
        assert "none.jsonl: there is no such baseline; `prodready baseline create` writes one" in text

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("<<<<<<< HEAD\n", ":1: a merge left its marks in the baseline"),
            ("{}\n", ":1: not a line of a baseline"),
            ('\n{"path": 1}\n', ":2: not a line of a baseline"),
            ("[" * 100_000, ":1: not a line of a baseline"),
            ("\udcff", ": not UTF-8"),
        ],
    )
    def test_a_broken_one(self, known: App, run: Run, text: str, says: str) -> None:
        Path(FILE).write_bytes(text.encode("utf-8", "surrogateescape"))
        code, said = run("check")
        assert code == 2
        assert f"{FILE}{says}" in said.replace(f"{known.root}/", "")

    def test_update_mends_what_a_merge_left(self, known: App, run: Run) -> None:
        text = Path(FILE).read_text()
        Path(FILE).write_text(f"<<<<<<< HEAD\n{text}=======\n>>>>>>> other\n")
        assert run("baseline", "update")[0] == 0
        assert Path(FILE).read_text() == text

    def test_other_surfaces_leave_them_out_too(self, known: App) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "flake8", "--select=PRD", "app.py"], capture_output=True, text=True, check=False
        )
        assert "PRD301" not in done.stdout


class TestSame:
    """Code that only moved stays known, a copy does not."""

    def test_moved_down_and_reindented(self, known: App, run: Run) -> None:
        known.change("app.py", OLD, f"    if q:\n        x = 1\n    {OLD}")
        known.change("app.py", "import sqlite3\n", "import sqlite3\nimport os\n")
        assert check(run) == []

    def test_broken_over_lines(self, known: App, run: Run) -> None:
        known.change("app.py", OLD, OLD.replace("execute(", "execute(\n        ").replace(")\n", "\n    )\n"))
        assert check(run) == []

    def test_a_function_whose_signature_changed(self, known: App, run: Run) -> None:
        known.write("shop/__init__.py", "")
        known.write("shop/models.py", MODELS)
        known.write("shop/work.py", WORK)
        run("baseline", "update")
        assert [line["code"] for line in lines()] == ["PRD301", "PRD302"]
        known.change(
            "shop/work.py", "def move(source, target):", "def move(\n    source: int,\n    target: int\n) -> None:"
        )
        assert check(run) == []

    def test_moved_to_another_file(self, known: App, run: Run) -> None:
        known.git("mv", "app.py", "views.py")
        assert check(run) == []

    def test_a_function_moved_to_another_file(self, known: App, run: Run) -> None:
        text = (known.root / "app.py").read_text()
        start = text.index('@app.route("/old")')
        end = text.index('@app.route("/list")')
        known.write("app.py", text[:start] + text[end:])
        known.write("old.py", f"from app import app, db\nfrom flask import request\n\n\n{text[start:end]}")
        assert check(run) == []
        run("baseline", "update")
        assert [line["path"] for line in lines()] == ["old.py"]

    def test_copied_in_its_function(self, known: App, run: Run) -> None:
        known.change("app.py", OLD, OLD + OLD)
        assert check(run) == ["app.py:16"]

    def test_copied_to_another_file(self, known: App, run: Run) -> None:
        known.write("copy_.py", (known.root / "app.py").read_text())
        assert check(run) == ["copy_.py:15"]

    def test_copied_to_another_file_in_a_change(self, known: App, run: Run) -> None:
        known.commit()
        known.write("copy_.py", (known.root / "app.py").read_text())
        assert check(run, "--diff", "HEAD") == ["copy_.py:15"]

    def test_the_same_in_another_function(self, known: App, run: Run) -> None:
        known.change("app.py", "    v = clean(", '    q = request.args["q"]\n' + OLD + "    v = clean(")
        assert check(run) == ["app.py:34"]

    def test_touched_but_known(self, known: App, run: Run) -> None:
        known.commit()
        known.change("app.py", 'request.args["q"]', 'request.form["q"]')
        assert check(run, "--diff", "HEAD") == []
        assert check(run, "--diff", "HEAD", "--no-baseline") == ["app.py:15"]


class TestMerge:
    def test_both_sides_add_and_nobody_has_to_look(self, known: App, run: Run) -> None:
        known.commit()
        text = (known.root / "app.py").read_text()
        for branch, path in (("one", "b1.py"), ("two", "b2.py")):
            known.git("checkout", "-qb", branch, "main")
            known.write(path, text)
            run("baseline", "update")
            known.commit()
        known.git("merge", "-q", "--no-edit", "one")
        assert check(run) == []
        assert {line["path"] for line in lines()} == {"app.py", "b1.py", "b2.py"}

    def test_one_side_fixes_and_the_other_adds(self, known: App, run: Run) -> None:
        known.write("b1.py", (known.root / "app.py").read_text())
        run("baseline", "update")
        known.commit()
        known.git("checkout", "-qb", "one")
        (known.root / "b1.py").unlink()
        run("baseline", "prune")
        known.commit()
        known.git("checkout", "-q", "main")
        known.write("b2.py", (known.root / "app.py").read_text())
        run("baseline", "update")
        known.commit()
        known.git("merge", "-q", "--no-edit", "one")
        assert check(run) == []


class TestFullDisk:
    def test_the_old_file_stays(self, known: App, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        before = Path(FILE).read_text()
        known.change("util.py", "int(value)", "value")

        def full(self: Path, data: bytes) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", full)
        code, text = run("baseline", "update")
        assert code == 2
        assert "the baseline cannot be written: No space left on device" in text
        assert Path(FILE).read_text() == before
        assert [path.name for path in Path(".prodready").iterdir()] == ["baseline.jsonl", ".gitattributes"] or len(
            list(Path(".prodready").iterdir())
        ) == 2
