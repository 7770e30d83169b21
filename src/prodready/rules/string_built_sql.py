"""SQL text is built from values that are not constant.

Why it matters
--------------
Whoever controls a value that stands in the text of a statement can end the statement and begin another: read other
people's rows, log in without a password, delete the table. Quoting by hand fails sooner or later. A bound parameter never
becomes part of the text, so there is nothing to escape from.

Bad
---
    def find(cursor, name):
        cursor.execute(f"SELECT * FROM users WHERE name = '{name}'")

    def page(session, request):
        session.execute(text("SELECT * FROM logs ORDER BY " + request.args["sort"]))

Good
----
    def find(cursor, name):
        cursor.execute("SELECT * FROM users WHERE name = %s", (name,))

    COLUMNS = {"date": "created_at", "size": "bytes"}

    def page(session, request):
        session.execute(text("SELECT * FROM logs ORDER BY " + COLUMNS[request.args["sort"]]))

Not reported
------------
Text of constants, however it is put together; bound parameters and lists of placeholders; numbers, lengths, UUIDs,
members of an enumeration; values that were checked against an allow-list, a pattern or a type before; identifiers quoted
by a driver's own helper; functions all of whose callers in the project pass constants; prose that begins like SQL; and
`execute` of things that are not databases. Where a name of a table or a column, which cannot be bound, does not come from
a request, the severity is lower. Tests, migrations and generated files are left out.

References
----------
- CWE-89: Improper Neutralization of Special Elements used in an SQL Command
- OWASP Top 10 2021, A03: Injection
- OWASP SQL Injection Prevention Cheat Sheet
- PEP 249, Python Database API: operation parameters
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from msgspec.structs import replace

import msgspec

from prodready.finding import Confidence, Finding, Fix, Location, Severity, Step
from prodready.link.frames import Bound, Frame
from prodready.link.linked import Linked
from prodready.link.pieces import Hole, Piece
from prodready.link.sinks import Arrival, arrivals, place, shown_callee, trace
from prodready.link.slots import flat, is_fetched, is_key, is_metadata, is_quoted, is_setting, slots
from prodready.read import values as v
from prodready.read.facts import FunctionFacts
from prodready.read.sql import CLAUSE, FRAGMENT, HOLE, is_plainly_sql, is_statement
from prodready.rules.base import Rule

KINDS = frozenset({"sql", "sql-fragment"})
LARGEST_TO_FIX = 60_000
"""Characters of a file in which a fix is looked for: taking a larger one apart takes longer than the whole check."""

BACKSLASH_STYLES = frozenset({"format", "pyformat"})
"""Paramstyles of the databases among which some take a backslash for an escape: doubled quotes do not help there."""


SLOTS = {"text": 0, "value": 1, "statement": 2, "fragment": 3, "identifier": 4}
"""Where a value can do most harm, first."""


class Verdict(msgspec.Struct, frozen=True):
    """The holes of one text that matter, with what stands where each of them is.

    `identifiers_only`: all stand where only a name can stand. `whole`: the hole is the whole statement.
    """

    holes: tuple[Hole, ...]
    stands: tuple[str, ...] = ("statement",)
    identifiers_only: bool = False
    whole: bool = False

    @classmethod
    def of(cls, holes: Sequence[Hole], pieces: Sequence[Piece]) -> Verdict | None:
        """The verdict on these holes of a text; None where none of them matters."""
        stands = slots(pieces)
        holes = [hole for hole in holes if stands.get(id(hole)) != "statement" or hole.kind == "request"]
        holes = [hole for hole in holes if not is_quoted(pieces, hole)]
        if not holes:
            return None
        values = [hole for hole in holes if stands.get(id(hole)) != "identifier"]
        chosen = values if max((h.rank for h in values), default=0) >= max(h.rank for h in holes) else holes
        return cls(tuple(chosen), tuple(stands[id(hole)] for hole in chosen), identifiers_only=not values)


def check(linked: Linked) -> Iterator[Finding]:
    """Judge every statement that is run, then every one that is built and never run."""
    judge = _Judge(linked)
    found = list(judge.run_ones())
    if linked.scope and any(True for _ in judge.never_run(sorted(linked.scope.targets))):
        # Only the whole project can tell whether nothing runs them.
        judge = _Judge(linked.whole())
        found = list(judge.run_ones())
    yield from found
    yield from judge.never_run(linked.scope.targets if linked.scope else linked.program.outlines)


class _Judge:
    def __init__(self, linked: Linked) -> None:
        self.linked = linked
        self.texts = linked.texts()
        self.reported: set[tuple[str, int, int]] = set()

    def run_ones(self) -> Iterator[Finding]:
        """Statements that are run."""
        for sink in self.linked.sink_calls(KINDS):
            for arrival in arrivals(sink):
                yield from self.arrival(arrival, frozenset())

    def arrival(self, arrival: Arrival, seen: frozenset[tuple[str, str, str]]) -> Iterator[Finding]:
        best: tuple[tuple[int, int, int], Verdict] | None = None
        passed_on: dict[tuple[str, str, str], Frame] = {}
        for pieces in self.texts.alternatives(arrival.bound):
            leading = _leading(pieces)
            if leading is not None and leading.whole:
                giver = leading.giver or arrival.frame
                if leading.kind != "request" or self.linked.infer.is_called(*giver.key):
                    passed_on[(*giver.key, leading.whole)] = giver
            verdict = self._verdict(arrival, pieces)
            if verdict is not None:
                score = (max(h.rank for h in verdict.holes), not verdict.identifiers_only, len(verdict.holes))
                if best is None or score > best[0]:
                    best = (score, verdict)
        if best is not None:
            yield from self._report(arrival, best[1])
        for key in sorted(passed_on):
            if key not in seen:
                for earlier in self.linked.callers_of(replace(arrival, frame=passed_on[key]), key[2]):
                    yield from self.arrival(earlier, seen | {key})

    def _verdict(self, arrival: Arrival, pieces: Sequence[Piece]) -> Verdict | None:
        holes = [p for p in pieces if isinstance(p, Hole)]
        if not holes:
            return None
        text = flat(pieces)
        literal = text.replace(HOLE, "").strip()
        fragment = arrival.sink.effect.sink == "sql-fragment"
        leading = _leading(pieces)
        if not re.search(r"\w", literal):
            # The value is the whole statement: only somebody's request makes that a finding.
            hole = holes[0]
            whole = len(holes) == 1 and hole.kind == "request" and not hole.assumed
            if not whole or (hole.whole and self.linked.infer.is_called(*(hole.giver or arrival.frame).key)):
                return None
            if arrival.assumed and not _speaks_of_sql(hole.name):
                return None
            return Verdict((hole,), identifiers_only=fragment, whole=True)
        if leading is not None and leading.kind != "request" and not fragment:
            holes = [hole for hole in holes if hole is not leading]
        if not holes:
            return None
        if arrival.assumed and not is_statement(text) and not ((leading or fragment) and CLAUSE.search(literal)):
            return None
        if leading is not None and leading.kind != "request" and not FRAGMENT.search(literal):
            return None
        return Verdict.of(holes, pieces)

    def _report(self, arrival: Arrival, verdict: Verdict) -> Iterator[Finding]:
        span = arrival.fact.span
        key = (arrival.frame.path, span.line, span.column)
        if key in self.reported:
            return
        self.reported.add(key)
        sink = shown_callee(arrival.sink.fact)
        via = "" if arrival.fact is arrival.sink.fact else f" through `{shown_callee(arrival.fact)}()`"
        yield self._finding(
            verdict,
            location=arrival.location,
            frame=arrival.frame,
            statement=(span.first, span.last),
            ending=f"that `{sink}()` runs{via}",
            onward=arrival.onward,
            assumed=arrival.assumed,
            style=self.linked.style(arrival.sink.callee) if arrival.fact is arrival.sink.fact else "",
            # A bare string given to `order_by` and its like is taken for the name of a column, or refused.
            vague=verdict.whole
            and arrival.sink.effect.sink == "sql-fragment"
            and arrival.sink.callee.receiver is not None
            and not arrival.keyword,
        )

    def _finding(
        self,
        verdict: Verdict,
        *,
        location: Location,
        frame: Frame,
        statement: tuple[int, int],
        ending: str,
        onward: tuple[Step, ...],
        assumed: bool,
        style: str,
        vague: bool = False,
    ) -> Finding:
        sure = [self._certainty(*one, assumed) for one in zip(verdict.holes, verdict.stands, strict=True)]
        at = max(range(len(sure)), key=lambda i: (verdict.holes[i].rank, sure[i], -SLOTS[verdict.stands[i]]))
        hole, confidence = verdict.holes[at], sure[at]
        origin = {"request": "request data", "parameter": "a parameter", "unknown": "not constant"}[hole.kind]
        names = dict.fromkeys(other.name for other in verdict.holes if other.name != hole.name)
        subject = f"`{hole.name}` ({origin})"
        if verdict.whole:
            subject += " is put into the SQL" if verdict.identifiers_only else " is the whole SQL statement"
        elif names:
            subject += f" and {len(names)} more {'value' if len(names) == 1 else 'values'} are put into the text of SQL"
        else:
            subject += " is put into the text of SQL"
        identifier = verdict.identifiers_only and hole.kind != "request"
        if vague or (identifier and hole.kind == "parameter" and self.linked.infer.is_called(*frame.key)):
            confidence = Confidence.LOW
        if hole.escaped == "'" and style not in BACKSLASH_STYLES:
            confidence = Confidence.LOW
        says = "comes in with the request" if hole.kind == "request" else "comes from here"
        return Finding(
            code=rule.code,
            slug=rule.slug,
            message=f"{subject} {ending}",
            severity=Severity.WARNING if identifier else Severity.ERROR,
            confidence=confidence,
            location=location,
            trace=trace(hole.bound, f"`{hole.name}` {says}", hole.trail, location, onward),
            hint=_hint(verdict, style),
            context=frame.function.qualname,
            statement=statement,
            facts={"style": style} if style and not verdict.whole and not verdict.identifiers_only else {},
        )

    def _certainty(self, hole: Hole, stands: str, assumed: bool) -> Confidence:
        """How sure it is that text of somebody's choice arrives in a hole."""
        if hole.kind == "request" and not hole.assumed and not assumed:
            return Confidence.HIGH
        if hole.kind == "unknown" and (
            stands in {"identifier", "fragment"}
            or is_metadata(hole)
            or is_key(hole)
            or self._is_operators(hole)
            or ((is_setting(hole) or is_fetched(hole)) and stands != "text")
        ):
            return Confidence.LOW
        return Confidence.MEDIUM

    def _is_operators(self, hole: Hole) -> bool:
        """Whether whoever runs the app has set the value: in the environment or the settings."""
        labels = self.linked.reducer.labels(hole.bound)
        value = v.bare(hole.bound.value)
        if isinstance(value, v.Attr):  # `settings.TIME_ZONE`
            labels |= self.linked.reducer.labels(hole.bound.sub(value.base))
        return not labels.isdisjoint({"environ", "settings"})

    def never_run(self, paths: Iterable[str]) -> Iterator[Finding]:
        """Statements that are built in these files and that nothing seen so far runs."""
        program = self.linked.program
        for path in paths:
            facts = program.facts(path) if program.outlines[path].builds else None
            for function in facts.functions.values() if facts else ():
                if function.texts:
                    yield from self._unused(path, function)

    def _unused(self, path: str, function: FunctionFacts) -> Iterator[Finding]:
        frame = Frame(path, function)
        said = self._said(path, function)
        for built in function.texts:
            place_ = _place_of(built.value)
            if place_ is None or (path, *place_) in self.texts.built or place_ in said:
                continue
            for pieces in self.texts.alternatives(Bound(built.value, frame)):
                text = flat(pieces)
                holes = [p for p in pieces if isinstance(p, Hole)]
                if not holes or not is_plainly_sql(text):
                    continue
                verdict = Verdict.of(holes, pieces)
                if verdict is None:
                    continue
                location = place(path, built.span)
                yield self._finding(
                    verdict,
                    location=location,
                    frame=frame,
                    statement=(built.span.first, built.span.last),
                    ending="that is built here",
                    onward=(Step(location, "the statement is built here"),),
                    assumed=True,
                    style="",
                    vague=verdict.identifiers_only and not any(hole.kind == "request" for hole in verdict.holes),
                )
                break

    def _said(self, path: str, function: FunctionFacts) -> set[tuple[int, int]]:
        """Texts that are said to somebody, in a log line or a message, or handed to code of the project."""
        found: set[tuple[int, int]] = set()
        frame = Frame(path, function)
        for fact in function.calls:
            values = [*fact.value.args, *(inner for _, inner in fact.value.keywords)]
            if self.linked.is_message(fact):
                found.update(place for value in values if (place := _place_of(value)))
                continue
            places = {place for value in values if (place := _place_of(v.bare(value)))}
            bound = Bound(fact.value, frame)
            if places and (self.linked.stays_in_project(bound) or self.linked.reducer.effect(bound).sink == "none"):
                found |= places  # what becomes of it there has been followed, or is known
        return found


def _place_of(value: v.Value) -> tuple[int, int] | None:
    return (value.line, value.column) if isinstance(value, (v.Text, v.Op)) else None


def _leading(pieces: Sequence[Piece]) -> Hole | None:
    """The hole that the text begins with: somebody else's statement, to which this code adds."""
    for piece in pieces:
        if isinstance(piece, Hole):
            return piece
        if piece.strip():
            return None
    return None


def _speaks_of_sql(name: str) -> bool:
    return bool(re.search(r"sql|query|statement|stmt", name, re.IGNORECASE))


def _hint(verdict: Verdict, style: str) -> str:
    if verdict.whole:
        return "run fixed statements only; let the request choose among them by a key"
    if verdict.identifiers_only:
        return "a name cannot be bound: check it against an allow-list, or look it up in a dictionary of constants"
    from prodready.fix.bind_parameters import SHOWN_MARKERS

    return f"bind the value: {SHOWN_MARKERS.get(style, 'a placeholder in the text and the value as a parameter')}"


def fix(finding: Finding, text: str) -> tuple[Fix, ...]:
    """The statement with its values bound, where that is certainly the same statement."""
    if "style" not in finding.facts or len(text) > LARGEST_TO_FIX:
        return ()
    from prodready.fix.bind_parameters import bind_parameters

    place = finding.location
    edits = bind_parameters(text, place.line, place.column, finding.facts["style"], place.path)
    return (Fix("bind the values as parameters", edits),) if edits else ()


rule = Rule(
    code="PRD301",
    slug="string-built-sql",
    severity=Severity.ERROR,
    stage="mvp",
    needles=(
        "select",
        "insert",
        "update",
        "delete",
        "execute",
        "query",
        "raw",
        "text(",
        "sql",
        "where",
        "order by",
        "from ",
    ),
    skip=frozenset({"tests", "migrations", "generated"}),
    sinks=KINDS,
    family="values",
    check=check,
    fix=fix,
)
