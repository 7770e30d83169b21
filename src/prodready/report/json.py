"""Everything there is to know, as one JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TextIO

from prodready import __version__
from prodready.finding import Finding, Fix, Location, Problem, Report, Step
from prodready.report.dump import dump
from prodready.report.view import View, totals

VERSION = 1


def write(reports: Sequence[Report], stream: TextIO, view: View) -> None:
    """Write the document."""
    dump(document(reports, view), stream)


def document(reports: Sequence[Report], view: View) -> dict[str, Any]:
    """The document; `path` is relative to its project's `root`, `file` is the path as the text formats print it."""
    counts = totals(reports)
    return {
        "version": VERSION,
        "tool": {"name": "prodready", "version": __version__},
        "projects": [
            {
                "root": report.root,
                "files": report.files,
                "lines": report.lines,
                "cached": report.cached,
                "seconds": round(report.seconds, 3),
                "timings": {step: round(seconds, 3) for step, seconds in report.timings.items()},
                "warnings": list(report.warnings),
                "notes": list(report.notes),
            }
            for report in reports
        ],
        "findings": [finding_record(finding, report.root, view) for report in reports for finding in report.findings],
        "suppressed": [
            finding_record(item.finding, report.root, view)
            | {"suppression": {"kind": item.kind, "reason": item.reason}}
            for report in reports
            for item in report.suppressed
        ],
        "problems": [_problem(problem, report.root) for report in reports for problem in report.problems],
        "summary": {
            "findings": counts.findings,
            "suppressed": counts.suppressed,
            "baselined": counts.baselined,
            "fixed": counts.fixed,
            "problems": counts.problems,
            "files": counts.files,
            "lines": counts.lines,
            "cached": counts.cached,
            "seconds": round(counts.seconds, 3),
            "by_severity": counts.by_severity,
            "by_code": {code: count for (code, _), count in counts.by_code.items()},
        },
    }


def finding_record(finding: Finding, root: str, view: View) -> dict[str, Any]:
    """A finding as it stands in the document."""
    return {
        "code": finding.code,
        "slug": finding.slug,
        "message": finding.message,
        "hint": finding.hint,
        "severity": finding.severity.label,
        "confidence": finding.confidence.label,
        "root": root,
        "file": view.path(root, finding.location.path),
        **place_record(finding.location),
        "context": finding.context,
        "snippet": finding.snippet,
        "statement": list(finding.statement),
        "fingerprint": finding.fingerprint,
        "trace": [_step(step) for step in finding.trace],
        "related": [_step(step) for step in finding.related],
        "fixes": [_fix(fix) for fix in finding.fixes],
        "change": _step(finding.change) if finding.change is not None else None,
    }


def place_record(location: Location) -> dict[str, Any]:
    """A place as it stands in the document."""
    return {
        "path": location.path,
        "line": location.line,
        "column": location.column,
        "end_line": location.end_line or None,
        "end_column": location.end_column or None,
    }


def _step(step: Step) -> dict[str, Any]:
    return {**place_record(step.location), "message": step.message}


def _fix(fix: Fix) -> dict[str, Any]:
    edits = [{**place_record(edit.location), "replacement": edit.replacement} for edit in fix.edits]
    return {"description": fix.description, "safe": fix.safe, "edits": edits}


def _problem(problem: Problem, root: str) -> dict[str, Any]:
    return {"message": problem.message, "root": root, "path": problem.path or None, "line": problem.line or None}
