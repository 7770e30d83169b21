"""What there is to say of one line, as text for people or as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from prodready import __version__
from prodready.finding import Account, CallNote, Explanation, Finding, Location, Note
from prodready.report.dump import dump
from prodready.report.frame import source_line
from prodready.report.json import VERSION, finding_record, place_record
from prodready.report.terminal import Paint, inert, visible
from prodready.report.text import Block
from prodready.report.view import View


def write(explanations: Sequence[Explanation], stream: TextIO, view: View) -> None:
    """Write each explanation as a block of lines, an empty line between two."""
    for number, explanation in enumerate(explanations):
        stream.write("\n" * bool(number))
        stream.writelines(inert(line) + "\n" for line in _Lines(explanation, view).all())


def write_json(explanations: Sequence[Explanation], stream: TextIO, view: View) -> None:
    """Write one document."""
    tool = {"name": "prodready", "version": __version__}
    dump({"version": VERSION, "tool": tool, "explanations": [_record(one, view) for one in explanations]}, stream)


class _Lines:
    """The lines of one explanation."""

    def __init__(self, explanation: Explanation, view: View) -> None:
        self.told, self.view = explanation, view
        self.paint = Paint(view.color)
        self.block = Block(explanation.root, view, self.paint)

    def all(self) -> Iterator[str]:
        told = self.told
        for account in told.findings:
            yield from self._account(account)
        if not told.findings:
            yield f"{self.paint(self._line(told.location), 'bold')}: {self._headline()}"
            text = self._text(told.location)
            if text:
                yield f"  {text}"
        for finding in told.passing:
            where = self._line(finding.location)
            yield f"  on the path of {finding.code}, reported at {where}: {visible(finding.message)}"
        for call in told.calls:
            yield from self._call(call)
        for reason in told.left_out:
            yield f"  = left out: {visible(reason)}"

    def _headline(self) -> str:
        told = self.told
        where = "module code" if told.context == "<module>" else f"`{visible(told.context)}()`"
        if not told.calls:
            what = "no call stands here"
        elif any(call.sinks or call.unresolved for call in told.calls):
            return "no finding"
        else:
            what = "nothing of interest to a rule"
        if told.passing:
            return "nothing is reported here"
        if not told.nearest:
            return f"{what}, and nothing in {where} is or leads to a sink that a rule asks for"
        near = ", ".join(f"{step.location.line} ({visible(step.message)})" for step in told.nearest)
        return f"{what}; in {where}, see line{'s' if len(told.nearest) > 1 else ''} {near}"

    def _account(self, account: Account) -> Iterator[str]:
        finding = account.finding
        yield from self.block.head(finding)
        if account.quiet:
            yield f"  {self.paint('= not reported:', 'bold')} {visible(account.quiet)}"
        if account.finding.trace:
            yield "  step by step:"
        for number, (step, values) in enumerate(zip(finding.trace, account.values, strict=True), 1):
            yield from self.block.step(step, f"  {number:>3}. ")
            yield from (f"         {self.paint('->', 'dim')} {visible(value)}" for value in values)
        yield from self.block.ending(finding)
        yield f"  = rule: prodready rule {finding.code}"

    def _call(self, call: CallNote) -> Iterator[str]:
        place = call.location
        yield f"  {self.paint(f'{visible(call.name)}', 'bold')}, {place.line}:{place.column}"
        for callee in call.callees:
            yield f"    taken for {visible(callee)}"
        for sink in call.sinks:
            yield f"    {visible(sink)}"
        for text in call.texts:
            yield f"    {visible(text)}"
        yield from self._notes("", call.open)
        yield from self._notes("safe:", call.safe)
        yield from self._notes("not resolved:", call.unresolved)

    def _notes(self, title: str, notes: Sequence[Note]) -> Iterator[str]:
        if notes and title:
            yield f"    {title}"
        indent = "      - " if title else "    "
        for note in notes:
            where = ""
            if note.location is not None and note.location.path != self.told.location.path:
                where = f" ({self._line(note.location)})"
            elif note.location is not None and note.location.line != self.told.location.line:
                where = f" (line {note.location.line})"
            yield f"{indent}{visible(note.message)}{where}"
            if note.hint:
                yield f"        help: {visible(note.hint)}"

    def _line(self, location: Location) -> str:
        return f"{visible(self.view.path(self.told.root, location.path))}:{location.line}"

    def _text(self, location: Location) -> str:
        whole = Location(location.path, location.line)
        return source_line(self.view.sources.lines(self.told.root, location.path), whole, self.view.width - 2)


def _record(told: Explanation, view: View) -> dict[str, Any]:
    return {
        "root": told.root,
        "file": view.path(told.root, told.location.path),
        **place_record(told.location),
        "column": told.location.column or None,
        "context": told.context,
        "findings": [
            finding_record(account.finding, told.root, view)
            | {"values": [list(lines) for lines in account.values], "not_reported": account.quiet or None}
            for account in told.findings
        ],
        "passing": [_short(finding) for finding in told.passing],
        "calls": [
            {
                "name": call.name,
                **place_record(call.location),
                "callees": list(call.callees),
                "sinks": list(call.sinks),
                "texts": list(call.texts),
                "open": [_note(note) for note in call.open],
                "safe": [_note(note) for note in call.safe],
                "unresolved": [_note(note) for note in call.unresolved],
            }
            for call in told.calls
        ],
        "nearest": [{**place_record(step.location), "message": step.message} for step in told.nearest],
        "left_out": list(told.left_out),
    }


def _short(finding: Finding) -> dict[str, Any]:
    return {**place_record(finding.location), "code": finding.code, "message": finding.message}


def _note(note: Note) -> dict[str, Any]:
    where = place_record(note.location) if note.location is not None else None
    return {"message": note.message, "place": where, "hint": note.hint}
