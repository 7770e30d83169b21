"""What calls of the project's functions add to the writes on a path, by the summaries of these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from prodready.finding import Location
from prodready.knowledge_form import Effect
from prodready.link.frames import Bound, Callee, Frame
from prodready.link.lifting import is_for_one, is_own, may_be, seen_from, still_needed
from prodready.link.openings import Deed
from prodready.link.paths import Walker, makes
from prodready.link.program import FunctionSymbol
from prodready.link.rebuilding import plain
from prodready.link.sinks import place
from prodready.link.text import argument_values
from prodready.link.writes import EMPTY, Path, Waiting, Write, unless_missing, worst
from prodready.read import values as v
from prodready.read.facts import CallFact
from prodready.read.values import Value
from prodready.words import split_words

if TYPE_CHECKING:
    from prodready.link.transactions import Summary, Transactions

READING = frozenset(
    """
    get fetch find load list is has check validate parse read select execute exec scalar scalars all first one where filter
    options in order limit offset join count exists refresh now today utcnow uuid len sorted tuple str int bool float min max
    sum any zip enumerate dict keys values items split strip lower upper format decode encode debug info warning warn error
    exception log isinstance getattr hasattr
    """.split()
)
"""Words in names of calls that change no row, if nothing else is known of them."""


class CalleePaths(Walker):
    """Follows the paths of one function through what it calls."""

    def __init__(self, owner: Transactions, frame: Frame, found: dict[int, Deed]) -> None:
        super().__init__(owner.deeds, frame, found)
        self.owner = owner

    def called(self, deed: Deed) -> tuple[Path, Path | None]:
        """See `Walker`."""
        here, back, off = place(self.frame.path, deed.fact.span), [], []
        for symbol, given in deed.targets:
            summary = self.owner.summary(Frame(symbol.path, symbol.facts))
            back.append(self._lifted(symbol, dict(given), deed, here, summary, summary.back))
            if summary.path is not summary.back:
                off.append(self._lifted(symbol, dict(given), deed, here, summary, summary.path))
        return worst(back) or EMPTY, worst(off)

    def stirs(self, fact: CallFact) -> bool:
        """See `Walker`."""
        bound = Bound(fact.value, self.frame)
        callees = self.deeds.infer.callees(bound)
        if not callees:
            return READING.isdisjoint(split_words(fact.name))
        return any(self._may_change(callee, bound) for callee in callees)

    def _may_change(self, callee: Callee, bound: Bound) -> bool:
        if callee.function is not None or callee.cls is not None:
            return callee.cls is None and callee.function is not None and self._changes_rows(callee.function)
        if callee.effect is not None:
            return callee.effect.sink == "sql" and not self._is_read(callee.effect, bound)
        assert isinstance(bound.value, v.Call)
        given = (*bound.value.args, *(value for _, value in bound.value.keywords))
        kinds = [self.deeds.infer.type_of(bound.sub(value)) for value in given]
        return any(kind is not None and self.deeds.is_row_class(kind.cls) for kind in kinds)

    def _is_read(self, effect: Effect, bound: Bound) -> bool:
        """Whether a statement that is run is known, or built here: if it wrote, that would be known, too."""
        assert isinstance(bound.value, v.Call)
        statements = [value for position in effect.at for value in argument_values(bound.value, position)]
        return all(
            isinstance(plain(one), v.Call) or self.deeds.statement_in(bound.sub(one)) is not None for one in statements
        )

    def _changes_rows(self, function: FunctionSymbol) -> bool:
        frame = Frame(function.path, function.facts)
        path = self.owner.summary(frame).path
        deeds = self.owner.deeds_of(frame).values()
        return bool(path.writes or path.pending) or any(deed.kind in {"change", "stage", "call"} for deed in deeds)

    def _lifted(
        self, symbol: FunctionSymbol, given: dict[str, Bound], deed: Deed, here: Location, summary: Summary, path: Path
    ) -> Path:
        """What a path through a callee adds, as its caller sees it."""
        callee = Frame(symbol.path, symbol.facts)
        name = symbol.facts.qualname.rpartition(".")[2]
        makes_sure, counted = self.owner.makes_sure(callee), unless_missing(path.writes)
        units = frozenset() if makes_sure else frozenset({callee.key}) if summary.partial else summary.units
        writes = tuple(
            replace(
                self._as_own(write, deed) if own else self._of_row(write, given),
                repeated=write.repeated and not is_for_one(write, given),
                kind="ensure" if makes_sure or (write.missing is not None and write not in counted) else write.kind,
                root=self._object_of(write, deed) if own else seen_from(write.root, given, self.frame),
                looped=False,
                via=((f"{name}()", here), *write.via),
                units=units,
                needs=still_needed(write, callee, given, self.frame, deed.fact.value),
                rows=(),
                missing=None,
                under=(),
                call=deed.fact.value,
                assumed=write.assumed or deed.assumed,
                own=own and not write.helped,
            )
            for write in path.writes
            for own in (is_own(write.root, callee, deed),)
            if deed.fact.name != name or may_be(write, callee, given, deed.fact.value)
        )
        return self._with_given(callee, given, replace(path, writes=writes, open=False), here)

    def _object_of(self, write: Write, deed: Deed) -> Value | None:
        """The object of which a method writes its own row, if it is known to be one, or the function changes it itself."""
        target = deed.fact.value.target
        receiver = plain(target.base) if isinstance(target, v.Attr) else None
        itself = write.root is not None and isinstance(v.bare(write.root), v.Param)
        return receiver if itself and deed.root is None and receiver in self.changed else deed.root

    def _as_own(self, write: Write, deed: Deed) -> Write:
        """A write of a method to its own object, as what the call does; one that is called `delete` removes the row."""
        own = replace(write, label=deed.label or write.label, makes=write.makes or makes(deed), handed="")
        if deed.root is None or "delete" not in deed.fact.name:
            return own
        return replace(own, table=self.owner.deeds.table(Bound(deed.root, self.frame)))

    def _of_row(self, write: Write, given: dict[str, Bound]) -> Write:
        """A write of a row that the function passes, by the table of that: the helper may store rows of any."""
        inner = v.bare(write.root) if write.root is not None else None
        row = given.get(write.handed or (inner.name if isinstance(inner, v.Param) else ""))
        passed = v.bare(row.value) if row is not None else None
        handed = passed.name if write.handed and isinstance(passed, v.Param) else ""
        kind = self.deeds.infer.type_of(row) if row is not None else None
        known = kind is not None and not kind.assumed and self.deeds.is_row_class(kind.cls)
        label = kind.cls.facts.qualname if known and kind is not None and kind.cls is not None else write.label
        return replace(write, label=label, handed=handed)

    def _with_given(self, callee: Frame, given: dict[str, Bound], path: Path, here: Location) -> Path:
        """What a callee adds if it runs the statement that it is given: that decides whether it writes."""
        runs = self.owner.deeds.runs_given(callee)
        statement = given.get(runs[0]) if runs is not None else None
        found = self.owner.deeds.statement_in(statement) if statement is not None else None
        if runs is None or found is None:
            return path
        kind, table = found
        name = callee.function.qualname.rpartition(".")[2]
        if kind != "write":
            commits = all(write.kind == "commit" for write in path.writes)
            return EMPTY if not kind and commits else path
        if path.writes:
            writes = tuple(replace(write, label=table) if write.kind == "commit" else write for write in path.writes)
            return replace(path, writes=writes)
        if runs[1]:
            return path.add([Write(table, "write", here, via=((f"{name}()", here),))])
        return replace(path, pending=(*path.pending, Waiting(None)), labels=(*path.labels, table))
