"""`full` and `concise`: what a person and an editor read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from prodready.finding import Finding, Location, Report
from prodready.report.view import Sources

Render = Callable[..., str]

FULL = """\
shop/orders.py:6:12 PRD301 string-built-sql [error, high confidence]
  `name` (query parameter) is put into the SQL that `cursor.execute` runs
    5 |     sql = f"SELECT * FROM orders WHERE name = '{name}'"
    6 |     return cursor.execute(sql)
      |            ^^^^^^^^^^^^^^^^^^^
  trace, from the source to the sink:
    1. shop/orders.py:4:9: `name` comes from the request
         name = request.args["name"]
    2. shop/orders.py:6:12: run here
         return cursor.execute(sql)
  = see: shop/urls.py:1:1: the route
           urls = []
  = help: use a bound parameter
  = fix: bind `name` as a parameter (look at it before you apply it)
    -     sql = f"SELECT * FROM orders WHERE name = '{name}'"
    +     sql = "SELECT * FROM orders WHERE name = %s"
    -     return cursor.execute(sql)
    +     return cursor.execute(sql, (name,))

shop/urls.py:1:2 PRD401 secret-in-log [warning, medium confidence]
  `token` is logged
    1 | urls = []
      |  ^

Found 2 problems (1 error, 1 warning) in 1,200 files, 14,203 lines, 0.8 s. 2 suppressed by comments.
"""


def test_full(report: Report, render: Render) -> None:
    assert render("full", report) == FULL


def test_colours_change_nothing_but_colours(report: Report, render: Render) -> None:
    import re

    colored = render("full", report, color=True)
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == FULL


def test_quiet_and_statistics(report: Report, render: Render) -> None:
    assert "Found" not in render("full", report, quiet=True)
    two = msgspec.structs.replace(report, findings=(*report.findings, report.findings[1]))
    assert "\n2 PRD401 secret-in-log\n1 PRD301 string-built-sql\nFound 3 problems" in render(
        "full", two, statistics=True
    )
    assert render("concise", two, statistics=True).endswith("\n2 PRD401 secret-in-log\n1 PRD301 string-built-sql\n")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (Report(files=1, lines=1, seconds=0.04), "All clear: 1 file, 1 line, 0.0 s."),
        (Report(seconds=0.04), "No Python files to check, 0.0 s."),
    ],
)
def test_last_line(render: Render, given: Report, expected: str) -> None:
    assert render("full", given) == expected + "\n"


def test_last_line_of_an_incomplete_run(render: Render, broken: Report) -> None:
    expected = "Found nothing in 3 files, 1 line, 0.0 s. Incomplete: 2 things could not be done (see above).\n"
    assert render("full", broken) == expected


def test_several_projects_are_one_report(report: Report, broken: Report, render: Render) -> None:
    text = render("full", report, broken)
    assert text.count("Found") == 1
    assert "in 1,203 files, 14,204 lines" in text


def test_concise(report: Report, render: Render) -> None:
    assert render("concise", report).splitlines() == [
        "shop/orders.py:6:12: PRD301 `name` (query parameter) is put into the SQL that `cursor.execute` runs",
        "shop/urls.py:1:2: PRD401 `token` is logged",
    ]


def test_paths_outside_the_current_directory_are_absolute(report: Report, render: Render, tmp_path: Path) -> None:
    (tmp_path / "shop2").mkdir()
    assert render("concise", report, cwd=tmp_path / "shop").startswith("orders.py:6:12: ")
    assert render("concise", report, cwd=tmp_path / "sho").startswith(f"{tmp_path}/shop/orders.py:6:12: ")


def test_nothing_acts_on_the_terminal(report: Report, render: Render, tmp_path: Path) -> None:
    name = "a\x1b[2J\nb\udcff\u202e.py"
    (tmp_path / name).write_text("x = '\x1b]0;owned\x07'  # \u202egnp.exe\n")
    finding = msgspec.structs.replace(
        report.findings[1], message="line\x1b[31m one\nline two", location=Location(name, 1, 5, 1, 18)
    )
    hostile = msgspec.structs.replace(report, findings=(finding,))
    concise = render("concise", hostile)
    assert concise == "a\\x1b[2J\\nb\\xff\\u202e.py:1:5: PRD401 line\\x1b[31m one\\nline two\n"
    full = render("full", hostile)
    assert "\x1b" not in full
    assert "\u202e" not in full
    assert "    1 | x = '\\x1b]0;owned\\x07'  # \\u202egnp.exe\n      |     ^^^^" in full


def test_a_file_that_vanished(report: Report, render: Render, tmp_path: Path) -> None:
    (tmp_path / "shop" / "orders.py").unlink()
    text = render("full", report)
    assert "shop/orders.py:6:12 PRD301" in text
    assert "    6 |" not in text
    assert "    - " not in text


def test_a_file_that_became_shorter_or_unreadable(report: Report, render: Render, tmp_path: Path) -> None:
    (tmp_path / "shop" / "orders.py").write_text("\n")
    assert "= fix: bind" in render("full", report)
    (tmp_path / "shop" / "orders.py").write_bytes(b"\x00\xff" * 10)
    assert "= fix: bind" in render("full", report)


def test_frames_of_standard_input_come_from_there(report: Report, render: Render, tmp_path: Path) -> None:
    given = {str(tmp_path / "shop" / "urls.py"): b"token = 1\n"}
    assert "1 | token = 1" in render("full", report, sources=Sources(given))


def _at(report: Report, location: Location) -> Report:
    finding: Finding = msgspec.structs.replace(report.findings[1], location=location)
    return msgspec.structs.replace(report, findings=(finding,))


@pytest.mark.parametrize(
    ("line", "column", "end", "shown"),
    [
        ("\tlog(x)", 2, 8, ["    1 |     log(x)", "      |     ^^^^^^"]),
        ("a\tlog(x)", 3, 9, ["    1 | a   log(x)", "      |     ^^^^^^"]),
        ("s = '漢字'; log(x)", 11, 17, ["    1 | s = '漢字'; log(x)", "      |             ^^^^^^"]),
        ("s = 'e\u0301'; log(x)", 11, 17, ["    1 | s = 'e\u0301'; log(x)", "      |          ^^^^^^"]),
        ("log(x)", 1, 99, ["    1 | log(x)", "      | ^^^^^^"]),
        ("log(x)", 40, 99, ["    1 | log(x)", "      |       ^"]),
        ("", 1, 1, ["    1 |", "      | ^"]),
    ],
)
def test_underline(
    report: Report, render: Render, tmp_path: Path, line: str, column: int, end: int, shown: list[str]
) -> None:
    (tmp_path / "a.py").write_text(line + "\n", "utf-8")
    text = render("full", _at(report, Location("a.py", 1, column, 1, end)))
    assert text.splitlines()[2:4] == shown


def test_wide_lines_are_cut_around_the_place(report: Report, render: Render, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = [" + "1, " * 1_000_000 + "log(token)" + ", 2" * 1_000_000 + "]\n")
    text = render("full", _at(report, Location("a.py", 1, 3_000_006, 1, 3_000_016)), width=80)
    code, mark = text.splitlines()[2:4]
    assert len(code) <= 80
    assert code.startswith("    1 | …")
    assert code.endswith("…")
    assert code[mark.index("^") : mark.rindex("^") + 1] == "log(token)"


@pytest.mark.parametrize("column", [1, 20, 60, 75, 90, 140, 190])
@pytest.mark.parametrize("char", ["x", "漢"])
def test_cut_lines_fit_and_keep_the_mark(
    report: Report, render: Render, tmp_path: Path, column: int, char: str
) -> None:
    from prodready.report.terminal import cells

    (tmp_path / "a.py").write_text(char * (column - 1) + "!" + char * (200 - column) + "\n", "utf-8")
    text = render("full", _at(report, Location("a.py", 1, column, 1, column + 1)), width=80)
    code, mark = text.splitlines()[2:4]
    assert cells(code) <= 80
    assert cells(code[: code.index("!")]) == mark.index("^")


def test_long_statements_are_shortened(report: Report, render: Render, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("\n".join(f"line{n}" for n in range(1, 40)) + "\n")
    text = render("full", _at(report, Location("a.py", 3, 1, 30, 4)))
    shown = [line.strip() for line in text.splitlines()[2:-2]]
    assert shown == [
        "2 | line2",
        "3 | line3",
        "| ^^^^^",
        *(f"{n} | line{n}" for n in range(4, 9)),
        "...",
        "30 | line30",
        "31 | line31",
    ]
