"""A report to read in a browser: one file, which loads nothing and can be filtered."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from typing import TextIO

from prodready import __version__
from prodready.finding import Finding, Fix, Location, Problem, Report, Step
from prodready.report.frame import diff
from prodready.report.terminal import Paint, pieces, visible
from prodready.report.text import summary
from prodready.report.view import View, totals

_CONTEXT = 2
_WIDE = 400
"""Characters of a line that are shown: a minified one can be megabytes long."""

_HERE = Path(__file__).parent
_MARKER = re.compile(r"\{\{([a-z-]+)\}\}")


def write(reports: Sequence[Report], stream: TextIO, view: View) -> None:
    """Write the page. What is in it is text: a policy in its head keeps any script but its own from running."""
    style, script = ((_HERE / name).read_text("utf-8") for name in ("page.css", "page.js"))
    page = _Page(reports, view)
    counts = totals(reports)
    codes = Counter((finding.code, finding.slug) for report in reports for finding in report.findings)
    values = {
        "title": f"{counts.findings:,} finding{'' if counts.findings == 1 else 's'}",
        "summary": _text(summary(counts)),
        "problems": "\n".join(page.problem(report, problem) for report in reports for problem in report.problems),
        "codes": "".join(
            f'<option value="{_text(code)}">{_text(f"{code} {slug} ({count})")}</option>'
            for (code, slug), count in sorted(codes.items())
        ),
        "findings": "\n".join(page.sections()) or "<p>Nothing was found.</p>",
        "version": __version__,
        "style": style,
        "script": script,
        "style-hash": _hash(style),
        "script-hash": _hash(script),
    }
    template = (_HERE / "page.html").read_text("utf-8")
    stream.write(_MARKER.sub(lambda match: values[match[1]], template))


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _text(text: str) -> str:
    """Text for the page, in an attribute or between tags, on one line."""
    return escape(visible(text))


def _prose(text: str) -> str:
    """A message; what stands between backticks as code."""
    parts = text.split("`")
    whole = len(parts) % 2
    return "".join(
        f"<code>{_text(part)}</code>" if number % 2 and whole else _text(part) for number, part in enumerate(parts)
    )


class _Page:
    def __init__(self, reports: Sequence[Report], view: View) -> None:
        self.reports, self.view = reports, view
        self.path = view.of_repository(reports)

    def problem(self, report: Report, problem: Problem) -> str:
        where = self.path(report.root, problem.path) if problem.path else ""
        return f'<p class="problem">{_text(str(Problem(problem.message, where, problem.line)))}</p>'

    def sections(self) -> Iterator[str]:
        """The findings, file by file."""
        for report in self.reports:
            for path, findings in groupby(report.findings, key=lambda finding: finding.location.path):
                name = self.path(report.root, path)
                yield f"<section><h2>{_text(name)}</h2>"
                yield from (self._finding(report.root, name, finding) for finding in findings)
                yield "</section>"

    def _finding(self, root: str, path: str, finding: Finding) -> str:
        severity, confidence = finding.severity.label, finding.confidence.label
        steps = [
            *([finding.change] if finding.change is not None and finding.change.location != finding.location else []),
            *finding.related,
        ]
        lines = [
            f'<details class="{severity}" data-code="{_text(finding.code)}" data-severity="{severity}"'
            f' data-confidence="{confidence}" data-path="{_text(path)}" id="{finding.fingerprint}">',
            f"<summary><b>{_text(finding.code)}</b> {_prose(finding.message)} "
            f'<span class="tag">line {finding.location.line} · {_text(finding.slug)} · '
            f'<span class="level">{severity}</span> · {confidence} confidence</span></summary>',
            '<div class="body">',
            self._frame(root, finding.location),
            *self._steps(root, "Trace", finding.trace),
            *self._steps(root, "See also", steps),
            *([f"<p><b>Help:</b> {_prose(finding.hint)}</p>"] if finding.hint else []),
            *(self._fix(root, fix) for fix in finding.fixes),
            "</div></details>",
        ]
        return "\n".join(line for line in lines if line)

    def _frame(self, root: str, place: Location) -> str:
        lines = self.view.sources.lines(root, place.path)
        if not lines or not 1 <= place.line <= len(lines):
            return ""
        last = min(max(place.line, place.end_line), len(lines), place.line + 20)
        shown = []
        for number in range(max(1, place.line - _CONTEXT), min(len(lines), last + _CONTEXT) + 1):
            text = f'<span class="number">{number:>5}</span>  {_code(lines[number - 1])}'
            shown.append(f'<span class="here">{text}</span>' if place.line <= number <= last else text)
        return f"<pre>{chr(10).join(shown)}</pre>"

    def _steps(self, root: str, title: str, steps: Sequence[Step]) -> Iterator[str]:
        if not steps:
            return
        yield f"<div><b>{title}</b><ol>"
        for step in steps:
            place = step.location
            where = f"{self.path(root, place.path)}:{place.line}"
            lines = self.view.sources.lines(root, place.path) or []
            text = lines[place.line - 1].strip() if 0 < place.line <= len(lines) else ""
            yield f'<li><span class="place">{_text(where)}</span> {_prose(step.message)}'
            yield f"<pre>{_code(text)}</pre></li>" if text else "</li>"
        yield "</ol></div>"

    def _fix(self, root: str, fix: Fix) -> str:
        caution = "" if fix.safe else " (look at it before you apply it)"
        lines = diff(fix.edits, lambda path: self.view.sources.lines(root, path), Paint(False))
        kinds = {"-": "minus", "+": "plus"}
        shown = [f'<span class="{kinds.get(line[:1], "")}">{escape(line)}</span>' for line in lines]
        body = f"<pre>{chr(10).join(shown)}</pre>" if shown else ""
        return f"<div><b>Fix:</b> {_prose(fix.description)}{caution}{body}</div>"


def _code(line: str) -> str:
    cut = "…" if len(line) > _WIDE else ""
    return escape("".join(pieces(line[:_WIDE]))) + cut
