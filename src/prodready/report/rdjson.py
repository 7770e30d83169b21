"""The Reviewdog Diagnostic Format, with suggestions: https://github.com/reviewdog/reviewdog/tree/master/proto/rdf.

Its columns count bytes of UTF-8; its messages are shown as Markdown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from prodready.finding import Finding, Fix, Location, Report, Severity, Step
from prodready.report.dump import dump
from prodready.report.frame import patched
from prodready.report.markdown import code, inline
from prodready.report.view import View

_SEVERITIES = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.INFO: "INFO"}
SOURCE = {"name": "prodready"}


def write(reports: Sequence[Report], stream: TextIO, view: View) -> None:
    """Write one document."""
    dump({"source": SOURCE, "diagnostics": list(diagnostics(reports, view))}, stream)


def diagnostics(reports: Sequence[Report], view: View) -> Iterator[dict[str, Any]]:
    """The findings in the form of the format."""
    writer = _Writer(reports, view)
    for report in reports:
        for finding in report.findings:
            yield writer.diagnostic(report.root, finding)


class _Writer:
    def __init__(self, reports: Sequence[Report], view: View) -> None:
        self.path, self.sources = view.of_repository(reports), view.sources

    def diagnostic(self, root: str, finding: Finding) -> dict[str, Any]:
        steps = [self._step(root, step) for step in (*finding.trace, *finding.related)]
        text = [inline(finding.message), "\n".join(steps), inline(finding.hint)]
        suggestions = [self._suggestion(root, fix, finding.location.path) for fix in finding.fixes]
        return {
            "message": "\n\n".join(part for part in text if part),
            "location": self._location(root, finding.location),
            "severity": _SEVERITIES[finding.severity],
            "source": SOURCE,
            "code": {"value": finding.code},
            "suggestions": [suggestion for suggestion in suggestions if suggestion],
        }

    def _step(self, root: str, step: Step) -> str:
        where = code(f"{self.path(root, step.location.path)}:{step.location.line}")
        return f"- {where}: {inline(step.message)}"

    def _location(self, root: str, place: Location) -> dict[str, Any]:
        return {"path": self.path(root, place.path), "range": self._range(root, place)}

    def _range(self, root: str, place: Location) -> dict[str, Any]:
        lines = self.sources.lines(root, place.path) or []
        found = {"start": _position(lines, place.line, place.column)}
        if place.end_column:
            found["end"] = _position(lines, place.end_line or place.line, place.end_column)
        return found

    def _suggestion(self, root: str, fix: Fix, path: str) -> dict[str, Any] | None:
        """The fix as one stretch of the file that the finding stands in; None where it needs more than that."""
        edits = sorted(fix.edits, key=lambda edit: edit.location)
        lines = self.sources.lines(root, path)
        if not edits or not lines or any(edit.location.path != path for edit in edits):
            return None
        first, last = edits[0].location, max(edits, key=lambda e: (e.location.end_line, e.location.end_column)).location
        text = patched(lines, edits)
        if text is None or not self.sources.shows_all(root, path, first.line, last.end_line):
            return None
        whole = Location(path, first.line, 1, last.end_line, len(lines[last.end_line - 1]) + 1)
        return {"range": self._range(root, whole), "text": "\n".join(text)}


def _position(lines: Sequence[str], line: int, column: int) -> dict[str, int]:
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    return {"line": line, "column": len(text[: column - 1].encode("utf-8", "replace")) + max(1, column - len(text))}
