"""Every case in `fixtures/` reports exactly what its comments expect, with all rules running on it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cases import FIXTURES, cases, checked, copied, differences, marks

from prodready.finding import Finding, Location
from prodready.rules import all_rules
from prodready.source import decode, split_lines

LINE = re.compile(r"(?:\blines? |\.\w+:)(\d+)")
CASES = [case for code in all_rules() for case in cases(code)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.relative_to(FIXTURES).as_posix())
def test_case(case: Path, tmp_path: Path) -> None:
    root = copied(case, tmp_path)
    report = checked(root)
    assert [str(problem) for problem in report.problems] == []
    assert differences(marks(root), marks(root, "may"), report.findings) == []
    assert [finding for finding in report.findings if _first(root, finding.location).isspace()] == []
    assert [finding for finding in report.findings if not _lines_named(finding) <= _lines_of_places(finding)] == []


def _lines_named(finding: Finding) -> set[int]:
    """The lines that its texts name: findings are carried over changes that move other lines (`moved.py`)."""
    texts = [finding.message, finding.hint, *(step.message for step in (*finding.trace, *finding.related))]
    return {int(number) for text in texts for number in LINE.findall(text)}


def _lines_of_places(finding: Finding) -> set[int]:
    return {place.line for place in finding.places}


def _first(root: Path, place: Location) -> str:
    """The character that a place begins at."""
    return split_lines(decode((root / place.path).read_bytes()))[place.line - 1][place.column - 1]


def test_the_broken_shop_reports_what_its_comments_expect(tmp_path: Path) -> None:
    root = copied(FIXTURES / "shop", tmp_path)
    report = checked(root)
    expected = {mark for mark in marks(root) if mark[2] in all_rules()}
    assert expected
    assert [str(problem) for problem in report.problems] == []
    assert differences(expected, marks(root, "may"), report.findings) == []


def test_the_fixed_shop_is_silent(tmp_path: Path) -> None:
    root = copied(FIXTURES / "shop_fixed", tmp_path)
    report = checked(root)
    assert report.files > 10
    assert [str(problem) for problem in report.problems] == []
    assert differences(set(), set(), report.findings) == []


def test_a_difference_is_told_in_both_directions(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "def find(cursor, name):\n    cursor.execute(f\"SELECT * FROM users WHERE name = '{name}'\")\n"
        "    return cursor.fetchall()  # expect: PRD401\n"
    )
    lines = differences(marks(tmp_path), set(), checked(tmp_path).findings)
    assert len(lines) == 2
    assert lines[0].startswith("app.py:2: PRD301 is not expected: `name`")
    assert lines[1] == "app.py:3: PRD401 is missing"
