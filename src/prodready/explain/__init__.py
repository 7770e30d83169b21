"""What there is to say of one line: its findings and the values on their way, or what its calls are and what is safe.

Reads the linked program and what the rules found; decides nothing anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from prodready.config import Config
from prodready.discover import excluded
from prodready.explain.calls import Calls
from prodready.explain.steps import Steps
from prodready.explain.words import Words
from prodready.finding import Account, CallNote, Explanation, Finding, Location, Note, Step, Suppressed
from prodready.link.frames import Frame
from prodready.masking import hide
from prodready.project import Insight
from prodready.read.facts import CallFact, FileFacts, FunctionFacts
from prodready.rules import all_rules
from prodready.sift import Sifted, fixable
from prodready.source import SourceError, decode, split_lines

MOST = 3
"""Lines nearby that are named."""


class PlaceError(Exception):
    """A place that cannot be explained; the text is one line without the place itself."""


def explain(insight: Insight, config: Config, place: Location) -> Explanation:
    """Explain the line of `place`, or what stands at its column if that is not 0.

    Of files other than Python only findings are explained. Raises PlaceError where there is none, or where the file is none
    of the project, cannot be parsed, or has no such line.
    """
    facts = insight.linked.program.facts(place.path)
    for problem in insight.problems if facts is None else ():
        if problem.path == place.path:
            raise PlaceError(f"line {problem.line}: {problem.message}" if problem.line else problem.message)
    sifted = insight.sift(place.path)
    try:
        lines = split_lines(hide(decode(sifted.text), place.path))
    except SourceError as error:
        raise PlaceError(error.message) from None
    if not 1 <= place.line <= len(lines):
        count = f"{len(lines)} line{'' if len(lines) == 1 else 's'}"
        raise PlaceError(f"there is no line {place.line}: the file has {count}")
    if place.column > len(lines[place.line - 1]) + 1:
        raise PlaceError(f"there is no column {place.column}: line {place.line} has {len(lines[place.line - 1])}")
    told = _Line(insight, config, place, facts, sifted, lines).explanation()
    if facts is None and not told.findings and not told.passing:
        raise PlaceError("not a Python file of the project, and no finding stands on this line")
    return told


class _Line:
    def __init__(
        self,
        insight: Insight,
        config: Config,
        place: Location,
        facts: FileFacts | None,
        sifted: Sifted,
        lines: Sequence[str],
    ) -> None:
        self.insight, self.config, self.place = insight, config, place
        self.functions: Mapping[str, FunctionFacts] = facts.functions if facts is not None else {}
        self.sifted, self.lines = sifted, lines
        self.rules = all_rules()
        asking: dict[str, tuple[str, ...]] = {}
        for code, rule in self.rules.items():
            for kind in rule.sinks:
                asking[kind] = (*asking.get(kind, ()), code)
        words = Words(insight.linked, insight.sources)
        self.calls = Calls(words, asking, self._source)
        self.steps = Steps(words, asking)

    def explanation(self) -> Explanation:
        """All of it."""
        accounts = tuple(self._accounts())
        passing = tuple(self._passing(accounts))
        if not self.functions:
            return Explanation(
                str(self.config.root), self.place, "", accounts, passing, (), (), tuple(self._left_out())
            )
        here = self._calls_here()
        function = here[0][0].function if here else self._function()
        notes: list[CallNote] = []
        if not accounts:
            notes = _without_repetition(self.calls.note(frame, fact) for frame, fact in here)
        dull = not accounts and not any(note.sinks or note.unresolved for note in notes)
        return Explanation(
            str(self.config.root),
            self.place,
            function.qualname,
            accounts,
            passing,
            tuple(notes),
            tuple(self._nearest(function)) if dull else (),
            tuple(self._left_out()),
        )

    # Findings

    def _accounts(self) -> Iterator[Account]:
        silenced = {id(s.finding): s for s in self.sifted.suppressed}
        found = [*self.sifted.kept, *(s.finding for s in self.sifted.suppressed)]
        found = [finding for finding in found if self._is_here(finding)]
        if self.place.column:
            at = [finding for finding in found if _holds(finding.location, self.place)]
            found = at or found
        for finding in sorted(found, key=lambda one: one.sort_key):
            values = tuple(self.steps.words(step) for step in finding.trace)
            quiet = self._quiet(finding, silenced.get(id(finding)))
            yield Account(fixable([finding], self.sifted.text)[0], values, quiet)

    def _is_here(self, finding: Finding) -> bool:
        first, last = finding.statement
        start, end = finding.location.line, max(finding.location.line, finding.location.end_line)
        return min(first or start, start) <= self.place.line <= max(last, end)

    def _quiet(self, finding: Finding, silenced: Suppressed | None) -> str:
        """Why a finding is not reported."""
        if finding.code not in self.sifted.ran:
            return self._why_left_out(finding.code)
        if silenced is not None:
            comment = self.lines[silenced.line - 1] if 0 < silenced.line <= len(self.lines) else ""
            return f"the comment on line {silenced.line} silences it: `{comment[max(comment.rfind('#'), 0) :].strip()}`"
        if finding.confidence < self.config.min_confidence:
            return f"its confidence is below the min-confidence, {self.config.min_confidence.label}"
        if finding.severity < self.config.min_severity:
            return f"its severity is below the min-severity, {self.config.min_severity.label}"
        return ""

    def _why_left_out(self, code: str) -> str:
        if not self.config.enabled(code):
            return f"{code} is not selected"
        if code not in self.sifted.enabled:
            return f"{code} is ignored in this file by per-file-ignores"
        kinds = " and ".join(sorted(self.rules[code].skip & self.sifted.kinds))
        return f"{code} is silent in this file, which is taken for {kinds}"

    def _left_out(self) -> Iterator[str]:
        if excluded(self.config, self.config.root / self.place.path):
            yield "`prodready check` leaves the file out unless it is named (exclude, or .gitignore)"
        for code, rule in self.rules.items():
            if code not in self.sifted.ran and rule.check is not None:
                yield self._why_left_out(code)

    def _passing(self, accounts: Sequence[Account]) -> Iterator[Finding]:
        """The findings reported elsewhere whose path leads through the line."""
        told = {account.finding.sort_key for account in accounts}
        for finding in self.insight.findings:
            steps = (*finding.trace, *finding.related)
            at = any(step.location.path == self.place.path and step.location.line == self.place.line for step in steps)
            if at and finding.sort_key not in told:
                yield finding

    # Calls

    def _calls_here(self) -> list[tuple[Frame, CallFact]]:
        """The calls on the line, or at the column; where there are none, those of the statement that it is part of."""
        statement: list[tuple[Frame, CallFact]] = []
        on_line: list[tuple[Frame, CallFact]] = []
        at_column: list[tuple[Frame, CallFact]] = []
        for function in self.functions.values():
            frame = Frame(self.place.path, function)
            for fact in function.calls:
                span = fact.span
                if not min(span.first, span.line) <= self.place.line <= max(span.last, span.end_line):
                    continue
                if not self.calls.is_call(frame, fact):
                    continue
                statement.append((frame, fact))
                if span.line <= self.place.line <= span.end_line:
                    on_line.append((frame, fact))
                    where = Location(self.place.path, span.line, span.column, span.end_line, span.end_column)
                    if self.place.column and _holds(where, self.place):
                        at_column.append((frame, fact))
        found = at_column or on_line or statement
        return sorted(found, key=lambda one: (one[1].span.line, one[1].span.column, -one[1].span.end_line))

    def _function(self) -> FunctionFacts:
        """The function that a line without calls stands in, told by its indentation."""
        number = self.place.line
        while number > 1 and not self.lines[number - 1].strip():
            number -= 1
        indent = _indent(self.lines[number - 1])
        for function in sorted(self.functions.values(), key=lambda one: -one.line):
            above = (
                0 < function.line <= number and function.qualname != "<module>" and "<lambda>" not in function.qualname
            )
            if above and (function.line == number or _indent(self.lines[function.line - 1]) < indent):
                return function
            if above:
                indent = min(indent, _indent(self.lines[function.line - 1]))
        return self.functions["<module>"]

    def _nearest(self, function: FunctionFacts) -> Iterator[Step]:
        """The nearest lines of the function with a finding or a call that is, or leads to, a sink."""
        frame = Frame(self.place.path, function)
        found: dict[int, str] = {}
        for finding in self.sifted.kept:
            if finding.context == function.qualname:
                found[finding.location.line] = finding.code
        for fact in function.calls:
            if fact.span.line not in found and self.calls.leads_to_sink(frame, fact):
                found[fact.span.line] = f"`{self.calls.name(fact)}`"
        nearest = sorted(found, key=lambda line: (abs(line - self.place.line), line))[:MOST]
        yield from (Step(Location(self.place.path, line), found[line]) for line in sorted(nearest))

    def _source(self, location: Location) -> str:
        line = self.lines[location.line - 1] if location.line <= len(self.lines) else ""
        return line[location.column - 1 :]


def _without_repetition(notes: Iterable[CallNote]) -> list[CallNote]:
    """The notes without calls of which all there is to say is what was said of an earlier one."""
    kept: list[CallNote] = []
    said: set[Note] = set()
    for note in notes:
        if note.callees or note.sinks or note.open or not said.issuperset(note.unresolved):
            kept.append(note)
        said.update(note.unresolved)
    return kept


def _holds(outer: Location, place: Location) -> bool:
    """Whether a place lies in a stretch of the same file."""
    end = (outer.end_line or outer.line, outer.end_column or outer.column + 1)
    return (outer.line, outer.column) <= (place.line, place.column) < end


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


__all__ = ["PlaceError", "explain"]
