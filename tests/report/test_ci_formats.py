"""What CI services and review bots read: `github`, `gitlab`, `rdjson`, `rdjsonl`, `junit`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import msgspec
import pytest

from prodready.finding import Location, Problem, Report

Render = Callable[..., str]

# https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format, as a schema
GITLAB = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string"},
            "check_name": {"type": "string"},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": r"^(?!\./)(?!/)"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}, "end": {"type": "integer"}},
                    },
                },
            },
        },
    },
}


class TestGithub:
    def test_an_annotation_each(self, report: Report, render: Render) -> None:
        first, second = render("github", report).splitlines()
        assert first == (
            "::error file=shop/orders.py,line=6,endLine=6,col=12,endColumn=30,title=PRD301 string-built-sql::"
            "`name` (query parameter) is put into the SQL that `cursor.execute` runs%0A"
            "shop/orders.py:4: `name` comes from the request%0Ashop/orders.py:6: run here%0Ahelp: use a bound parameter"
        )
        assert (
            second == "::warning file=shop/urls.py,line=1,endLine=1,col=2,title=PRD401 secret-in-log::`token` is logged"
        )

    def test_no_columns_over_several_lines(self, report: Report, render: Render) -> None:
        finding = msgspec.structs.replace(report.findings[1], location=Location("a.py", 1, 2, 3, 4))
        assert "col=" not in render("github", msgspec.structs.replace(report, findings=(finding,)))

    def test_problems(self, broken: Report, render: Render) -> None:
        assert render("github", broken).splitlines() == [
            "::error file=shop/100%25 \u00e9.py,line=7,title=prodready could not do its job::not UTF-8: byte 3",
            "::error title=prodready could not do its job::the rule PRD401 failed",
        ]

    def test_paths_from_the_top_of_the_repository(self, report: Report, render: Render, tmp_path: Path) -> None:
        (tmp_path / ".git").mkdir()
        inner = msgspec.structs.replace(
            report,
            root=str(tmp_path / "shop"),
            findings=(msgspec.structs.replace(report.findings[1], location=Location("urls.py", 1)),),
        )
        for name in ("github", "gitlab", "rdjson", "junit", "html"):
            assert "shop/urls.py" in render(name, inner)


class TestGitlab:
    def test_form(self, report: Report, render: Render) -> None:
        found = json.loads(render("gitlab", report))
        jsonschema.validate(found, GITLAB)
        assert found[0]["location"] == {"path": "shop/orders.py", "lines": {"begin": 6, "end": 6}}
        assert [one["severity"] for one in found] == ["critical", "major"]

    def test_fingerprints_of_two_projects_differ(self, report: Report, render: Render, tmp_path: Path) -> None:
        (tmp_path / ".git").mkdir()
        roots = [msgspec.structs.replace(report, root=str(tmp_path / name)) for name in ("a", "b")]
        found = json.loads(render("gitlab", *roots))
        assert len({one["fingerprint"] for one in found}) == 4

    def test_nothing_found(self, report: Report, render: Render) -> None:
        assert json.loads(render("gitlab", msgspec.structs.replace(report, findings=()))) == []


class TestReviewdog:
    def test_form(self, report: Report, render: Render) -> None:
        found = json.loads(render("rdjson", report))
        first, second = found["diagnostics"]
        assert first["location"] == {
            "path": "shop/orders.py",
            "range": {"start": {"line": 6, "column": 12}, "end": {"line": 6, "column": 31}},
        }
        assert (first["severity"], first["code"], found["source"]) == (
            "ERROR",
            {"value": "PRD301"},
            {"name": "prodready"},
        )
        assert "- `shop/orders.py:4`: `name` comes from the request" in first["message"]
        assert second["suggestions"] == []

    def test_a_suggestion_applies_cleanly(self, report: Report, render: Render, tmp_path: Path) -> None:
        (suggestion,) = json.loads(render("rdjson", report))["diagnostics"][0]["suggestions"]
        lines = (tmp_path / "shop/orders.py").read_bytes().split(b"\n")
        start, end = suggestion["range"]["start"], suggestion["range"]["end"]
        assert (start, end) == ({"line": 5, "column": 1}, {"line": 6, "column": len(lines[5]) + 1})
        new = b"\n".join([*lines[:4], suggestion["text"].encode(), *lines[6:]]).decode()
        assert new.splitlines()[4:] == [
            '    sql = "SELECT * FROM orders WHERE name = %s"',
            "    return cursor.execute(sql, (name,))",
        ]

    def test_columns_count_bytes(self, report: Report, render: Render, tmp_path: Path) -> None:
        (tmp_path / "shop/urls.py").write_text("x = '\u00e9\U0001f600'; f()\n")
        finding = msgspec.structs.replace(report.findings[1], location=Location("shop/urls.py", 1, 10, 1, 11))
        text = render("rdjson", msgspec.structs.replace(report, findings=(finding,)))
        assert json.loads(text)["diagnostics"][0]["location"]["range"]["start"]["column"] == 14

    def test_one_a_line(self, report: Report, render: Render) -> None:
        lines = render("rdjsonl", report).splitlines()
        assert [json.loads(line) for line in lines] == json.loads(render("rdjson", report))["diagnostics"]


class TestJunit:
    def test_form(self, report: Report, render: Render) -> None:
        root = ElementTree.fromstring(render("junit", report))
        assert root.attrib == {"name": "prodready", "tests": "2", "failures": "2", "errors": "0"}
        assert [suite.get("name") for suite in root] == ["shop/orders.py", "shop/urls.py"]
        case = root[0][0]
        assert case.attrib == {"name": "PRD301 string-built-sql, line 6", "classname": "shop/orders.py", "time": "0"}
        assert "shop/orders.py:4:9: `name` comes from the request" in (case[0].text or "")

    def test_nothing_found_is_one_case_that_passed(self, report: Report, render: Render) -> None:
        root = ElementTree.fromstring(render("junit", msgspec.structs.replace(report, findings=())))
        assert (root.get("tests"), root.get("failures"), len(root[0][0])) == ("1", "0", 0)

    def test_problems_are_errors(self, broken: Report, render: Render) -> None:
        root = ElementTree.fromstring(render("junit", broken))
        assert [error.get("message") for error in root.iter("error")] == [
            "shop/100% \u00e9.py:7: not UTF-8: byte 3",
            "the rule PRD401 failed",
        ]


def test_a_fix_that_does_not_fit_the_file_is_left_out(report: Report, render: Render, tmp_path: Path) -> None:
    (tmp_path / "shop/orders.py").write_text("x\n")
    assert json.loads(render("rdjson", report))["diagnostics"][0]["suggestions"] == []


def test_files_that_are_gone(report: Report, render: Render, tmp_path: Path) -> None:
    (tmp_path / "shop/orders.py").unlink()
    for name in ("github", "gitlab", "rdjson", "rdjsonl", "junit", "html", "sarif"):
        assert render(name, report)


def test_relocated_findings_say_where_they_stand(report: Report, render: Render) -> None:
    problem = msgspec.structs.replace(report, problems=(Problem("x", "a.py", 1),))
    assert "a.py:1: x" in render("html", problem)


@pytest.mark.parametrize("name", ["github", "gitlab", "rdjson", "rdjsonl", "junit", "html", "json"])
def test_what_the_baseline_knows_is_not_shown(name: str, report: Report, render: Render) -> None:
    known = msgspec.structs.replace(report, findings=(), suppressed=(), baselined=report.findings)
    assert "PRD301" not in render(name, known)
