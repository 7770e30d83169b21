"""The JSON document: complete, and readable by any parser."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec

from prodready.finding import Location, Report

Render = Callable[..., str]


def test_everything_is_in_it(report: Report, broken: Report, render: Render, tmp_path: Path) -> None:
    document = json.loads(render("json", report, broken, cwd=tmp_path / "shop"))
    assert document["version"] == 1
    assert document["tool"]["name"] == "prodready"
    first = document["findings"][0]
    assert first["code"] == "PRD301"
    assert (first["root"], first["path"], first["file"]) == (str(tmp_path), "shop/orders.py", "orders.py")
    assert (first["line"], first["column"], first["end_line"], first["end_column"]) == (6, 12, 6, 31)
    assert first["fingerprint"] == report.findings[0].fingerprint
    assert [step["line"] for step in first["trace"]] == [4, 6]
    assert first["related"][0]["message"] == "the route"
    assert first["fixes"][0]["edits"][1]["replacement"] == ", (name,)"
    assert document["findings"][1]["end_line"] is None
    assert [item["suppression"] for item in document["suppressed"]] == [
        {"kind": "prodready", "reason": "rotated daily"},
        {"kind": "noqa", "reason": ""},
    ]
    assert document["problems"][0] == {
        "message": "not UTF-8: byte 3", "root": str(tmp_path), "path": "shop/100% \u00e9.py", "line": 7,
    }  # fmt: skip
    assert document["problems"][1]["path"] is None
    assert document["projects"][0]["warnings"] == ["the cache is read-only"]
    summary = document["summary"]
    assert (summary["findings"], summary["suppressed"], summary["problems"]) == (2, 2, 2)
    assert summary["by_severity"] == {"error": 1, "warning": 1}
    assert summary["by_code"] == {"PRD301": 1, "PRD401": 1}


def test_every_field_of_a_finding_is_in_it(report: Report, render: Render) -> None:
    written = json.loads(render("json", report))["findings"][0]
    internal = {"occurrence", "facts", "identity", "secret"}
    assert {f.name for f in msgspec.structs.fields(report.findings[0])} - {"location"} - internal <= set(written)


def test_file_names_that_are_not_utf8(report: Report, render: Render) -> None:
    finding = msgspec.structs.replace(report.findings[1], location=Location("\udcff \u00e9.py", 1))
    text = render("json", msgspec.structs.replace(report, findings=(finding,)))
    assert text.isascii()
    assert msgspec.json.decode(text)["findings"][0]["path"] == "\\xff \u00e9.py"
