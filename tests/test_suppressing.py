"""`check --add-suppressions`: comments that silence what was found, the code as it was."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from prodready import cli
from prodready.finding import Confidence, Finding, Location, Severity
from prodready.suppressing import add, unusable

HEAD = """\
import sqlite3
from flask import request


def view():
    q = request.args['q']
    c = sqlite3.connect('x')
"""


def silenced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, count: int = 1) -> str:
    monkeypatch.chdir(tmp_path)
    Path("prodready.toml").write_text("")
    Path("a.py").write_text(text, newline="")
    assert cli.main(["check", "-q"]) == 1
    assert cli.main(["check", "-q", "--add-suppressions", "legacy, see #12"]) == 0
    written = Path("a.py").read_bytes().decode()
    assert ast.dump(ast.parse(written)) == ast.dump(ast.parse(text))
    assert written.count("# prodready: ignore[") == count
    assert cli.main(["check", "-q"]) == 0
    return written


def test_behind_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = silenced(tmp_path, monkeypatch, HEAD + "    c.execute(f'SELECT {q}')\n")
    assert text.endswith("    c.execute(f'SELECT {q}')  # prodready: ignore[PRD301] legacy, see #12\n")


@pytest.mark.parametrize(
    "statement",
    [
        "    c.execute(\n        f'SELECT {q}'\n    )\n",
        "    c.execute(f'''SELECT\n      {q}''')\n",
        "    c.execute(f'SELECT {q}' \\\n        )\n",
        "    if q: c.execute(f'SELECT {q}'); c.close()\n",
        "    c.execute(f'SELECT {q}')  # why\n",
        "    c.execute(f'SELECT {q} # no comment')\n",
        "    c.execute(f'SELECT {q}')  # noqa: E501\n",
        "    c.execute(f'SELECT {q}')  # type: ignore\n",
        "    c.execute(f'SELECT {q}')",
        "    c.execute(f'SELECT {q} FROM " + "x" * 110 + "')\n",
        "    # a comment above\n    c.execute(f'SELECT {q}')\n",
        "    with c.execute(f'SELECT {q}'):\n        pass\n",
        "    return [\n        c.execute(f'SELECT {q}')\n        for _ in (1, 2)\n    ]\n",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_shapes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str, end: str) -> None:
    text = silenced(tmp_path, monkeypatch, (HEAD + statement).replace("\n", end))
    assert text.count("\n") == text.count(end)


def test_several_on_one_statement_share_a_comment(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    place = Location("a.py", 1)
    found = [
        Finding(code, "s", "m", Severity.ERROR, Confidence.HIGH, place, statement=(1, 1))
        for code in ("PRD401", "PRD301")
    ]
    assert add(tmp_path, found, "why").comments == 1
    assert (tmp_path / "a.py").read_text() == "x = 1  # prodready: ignore[PRD301, PRD401] why\n"


def test_encodings_stay(tmp_path: Path) -> None:
    place = Finding("PRD301", "s", "m", Severity.ERROR, Confidence.HIGH, Location("a.py", 2), statement=(2, 2))
    (tmp_path / "a.py").write_bytes("# coding: latin-1\nx = '\u00e9'\n".encode("latin-1"))
    assert add(tmp_path, [place], "caf\u00e9").problems == ()
    assert (tmp_path / "a.py").read_bytes().endswith("ignore[PRD301] caf\u00e9\n".encode("latin-1"))
    (problem,) = add(tmp_path, [place], "\u4f60").problems
    assert "no comment was written" in problem.message
    (tmp_path / "a.py").write_bytes(b"\xef\xbb\xbfy = 0\nx = 1\n")
    add(tmp_path, [place], "caf\u00e9")
    assert (tmp_path / "a.py").read_bytes().startswith(b"\xef\xbb\xbfy = 0\n")


def test_what_takes_no_comment_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<p>")
    finding = Finding("PRD301", "s", "m", Severity.ERROR, Confidence.HIGH, Location("a.html", 1), statement=(1, 1))
    (problem,) = add(tmp_path, [finding], "why").problems
    assert "Python files only" in problem.message


@pytest.mark.parametrize(
    "reason", ["", "  ", "two\nlines", "\x1b[2J", "x  # prodready: ignore-file[PRD301] y", "x\u2028y"]
)
def test_reasons_that_cannot_be(reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert unusable(reason)
    assert cli.main(["check", "--add-suppressions", reason]) == 2


@pytest.mark.parametrize("words", [["--staged"], ["--diff", "a..b"], ["-"]])
def test_only_files_are_written_to(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", *words, "--add-suppressions", "why"]) == 2
    assert "--add-suppressions: it writes to" in capsys.readouterr().err
