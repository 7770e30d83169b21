"""The format for people: each finding with its code, the way the data takes, the way out; a last line with counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

from prodready.finding import Finding, Fix, Location, Report, Severity, Step
from prodready.report.frame import diff, frame, source_line
from prodready.report.terminal import Paint, inert, visible
from prodready.report.view import Totals, View, totals

_COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}


def write(reports: Sequence[Report], stream: TextIO, view: View) -> None:
    """Write every finding as a block of lines, then statistics if wanted, then the summary unless quiet."""
    paint = Paint(view.color)
    for report in reports:
        for finding in report.findings:
            for line in Block(report.root, view, paint).finding(finding):
                stream.write(inert(line) + "\n")
            stream.write("\n")
    counts = totals(reports)
    if view.statistics:
        stream.writelines(line + "\n" for line in statistics(counts))
    if not view.quiet:
        stream.write(paint(summary(counts), "bold") + "\n")


def statistics(counts: Totals) -> list[str]:
    """One line a code: how often, which."""
    gutter = max((len(f"{count:,}") for count in counts.by_code.values()), default=0)
    return [f"{count:>{gutter},} {code} {slug}" for (code, slug), count in counts.by_code.items()]


def summary(counts: Totals) -> str:
    """The last line."""
    undone = f"{_number(counts.problems, 'thing')} could not be done (see above)"
    if counts.problems and not counts.files and not counts.findings:
        return f"Nothing was checked: {undone}."
    scope = f"{_number(counts.files, 'file')}, {_number(counts.lines, 'line')}, {counts.seconds:.1f} s"
    names = {"error": "error", "warning": "warning", "info": "remark"}
    kinds = ", ".join(_number(count, names[label]) for label, count in counts.by_severity.items())
    if counts.findings:
        text = f"Found {_number(counts.findings, 'problem')} ({kinds}) in {scope}."
    elif counts.problems:
        text = f"Found nothing in {scope}."
    elif not counts.files:
        text = f"No Python files to check, {counts.seconds:.1f} s."
    else:
        text = f"All clear: {scope}."
    if counts.suppressed:
        text += f" {counts.suppressed:,} suppressed by comments."
    if counts.baselined:
        text += f" {counts.baselined:,} in the baseline."
    if counts.fixed:
        text += (
            f" {counts.fixed:,} fixed: `prodready baseline prune` takes {'it' if counts.fixed == 1 else 'them'} out."
        )
    if counts.problems:
        text += f" Incomplete: {undone}."
    return text


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


class Block:
    """The lines of findings of one project."""

    def __init__(self, root: str, view: View, paint: Paint) -> None:
        self.root, self.view, self.paint = root, view, paint

    def finding(self, finding: Finding) -> Iterator[str]:
        """All lines of a finding."""
        yield from self.head(finding)
        if finding.trace:
            yield "  trace, from the source to the sink:"
            for number, step in enumerate(finding.trace, 1):
                yield from self.step(step, f"  {number:>3}. ")
        yield from self.ending(finding)

    def head(self, finding: Finding) -> Iterator[str]:
        """What is wrong, how bad and how sure it is, and the place."""
        color = _COLORS[finding.severity]
        sure = f"[{self.paint(finding.severity.label, color)}, {finding.confidence.label} confidence]"
        where = self.paint(self._place(finding.location), "bold")
        yield f"{where} {self.paint(finding.code, 'bold', color)} {visible(finding.slug)} {sure}"
        yield f"  {visible(finding.message)}"
        lines = self.view.sources.lines(self.root, finding.location.path)
        yield from frame(lines, finding.location, self.view.width, self.paint)

    def ending(self, finding: Finding) -> Iterator[str]:
        """Related places and the way out."""
        if finding.change is not None and finding.change.location != finding.location:
            yield from self.step(finding.change, "  = change: ")
        for step in finding.related:
            yield from self.step(step, "  = see: ")
        if finding.hint:
            yield f"  {self.paint('= help:', 'bold', 'cyan')} {visible(finding.hint)}"
        for fix in finding.fixes:
            yield from self._fix(fix)

    def step(self, step: Step, lead: str) -> Iterator[str]:
        """A step behind the text `lead`, and its source line."""
        yield f"{lead}{self.paint(self._place(step.location), 'cyan')}: {visible(step.message)}"
        indent = " " * (len(lead) + 2)
        lines = self.view.sources.lines(self.root, step.location.path)
        text = source_line(lines, step.location, max(20, self.view.width - len(indent)))
        if text:
            yield indent + text

    def _fix(self, fix: Fix) -> Iterator[str]:
        caution = "" if fix.safe else " (look at it before you apply it)"
        yield f"  {self.paint('= fix:', 'bold', 'green')} {visible(fix.description)}{caution}"
        for line in diff(fix.edits, lambda path: self.view.sources.lines(self.root, path), self.paint):
            yield f"    {line}"

    def _place(self, location: Location) -> str:
        return f"{visible(self.view.path(self.root, location.path))}:{location.line}:{location.column}"
