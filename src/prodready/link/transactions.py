"""Which functions leave writes half done: what each commits on one path, and which of its callers hold a transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property

import msgspec

from prodready.link.callee_paths import CalleePaths
from prodready.link.conditions import Steps
from prodready.link.deeds import WRITING
from prodready.link.frames import Bound, Frame
from prodready.link.holders import Holders
from prodready.link.hooks import SAVING
from prodready.link.labels import Labels
from prodready.link.lifting import is_for_one
from prodready.link.openings import Deed, Key
from prodready.link.paths import makes
from prodready.link.program import FunctionSymbol
from prodready.link.rebuilding import plain
from prodready.link.rounds import Rounds
from prodready.link.scope import Scope
from prodready.link.writes import EMPTY, Path, Write, strength, unless_missing
from prodready.read import values as v
from prodready.read.facts import BREAK, CONTINUE, RAISE, RETURN, Flow
from prodready.words import split_words

DEEPEST = 8
"""Helpers followed inside one another."""

MOST_TRIES = 30
"""How often a function is gone through that is asked about from far: many that all call one another would never end."""

ASKING = frozenset("get fetch find load lookup resolve current default ensure obtain is has can check".split())
"""Verbs of functions that are called for what they return: if they write, then to make sure that it is there."""

SETTING = frozenset("grant revoke remove subscribe unsubscribe enable disable".split())
"""Verbs of functions that bring about a state: where they may find it there, doing it again does no harm."""

NOTING = frozenset("last touch seen visited activity heartbeat lock unlock lease".split())
"""Words in names of functions that note when something happened last, or take a lock, which others must see at once."""

FEW = 20
SMALL_PART = 0.08
"""Files, and the part of all, up to which looking at all functions takes less time than looking for those that write."""

ROUNDS = 6
"""Layers of callers above the functions that write which are looked for by name."""


class Summary(msgspec.Struct, frozen=True):
    """What a function commits on its worst path outside of every transaction.

    `path` holds all of it, `back` the worst of those that come back to the caller. `partial` says that it leaves a partial
    state for which this function is the place to mend it, `weak` that it may be meant (one object written twice, rows that
    are only made sure of); `absorbed` are the functions whose own writes belong to it; `units` those on the path that are
    to be mended themselves.
    """

    path: Path = EMPTY
    back: Path = EMPTY
    partial: bool = False
    weak: bool = False
    absorbed: frozenset[Key] = frozenset()
    units: frozenset[Key] = frozenset()

    @property
    def counted(self) -> tuple[Write, ...]:
        """The writes that make up the partial state."""
        writes = tuple(write for write in unless_missing(self.path.writes) if not write.bare)
        return writes if self.absorbed else tuple(write for write in writes if not write.units)


NOTHING = Summary()


class Transactions(Holders):
    """Summaries of functions over the call graph, and who holds a transaction around whom."""

    def __init__(self, labels: Labels, scope: Scope | None, outside: frozenset[str]) -> None:
        """`outside` are the files whose calls count for nothing, such as tests."""
        super().__init__(labels, outside)
        self.scope = scope
        self._summaries: dict[Key, Summary] = {}
        self._sure: dict[Key, bool] = {}
        self._leaving: dict[Key, bool] = {}
        self._tries: Counter[Key] = Counter()
        self._asking = 0
        self._busy: set[Key] = set()
        self._names: frozenset[str] | None = None

    # Functions to look at

    @cached_property
    def functions(self) -> list[Frame]:
        """The functions that may write or send: of the chosen files, or of all."""
        if self.scope is None:
            return self._writers()
        if len(self.scope.targets) > max(FEW, len(self.program.outlines) * SMALL_PART):
            return [frame for frame in self._writers() if frame.path in self.scope.targets]
        return [
            Frame(path, facts.functions[qualname])
            for path in sorted(self.scope.targets)
            if path not in self.outside and (facts := self.program.facts(path)) is not None
            for qualname in facts.functions
        ]

    def deeds_of(self, frame: Frame) -> dict[int, Deed]:
        """What the calls of a function do, by their position among them."""
        return self.deeds.of(frame, self._names)

    def writes_at_all(self, deed: Deed) -> bool:
        """Whether a call of a function of the project changes the database outside of transactions of its own."""
        frames = [Frame(symbol.path, symbol.facts) for symbol, _ in deed.targets]
        return any(self.summary(frame).path.writes or self._leaves_changes(frame) for frame in frames)

    def _leaves_changes(self, frame: Frame) -> bool:
        """Whether a function leaves something for the next commit that is no change of whatever object."""
        if frame.key not in self._leaving:
            seen, waiting = {frame.key}, [frame]
            while waiting:
                one = waiting.pop()
                deeds = self.deeds_of(one).values() if self.summary(one).path.pending else ()
                below = [Frame(symbol.path, symbol.facts) for deed in deeds for symbol, _ in _called_by(deed)]
                if any(
                    deed.kind == "stage" or (deed.kind == "change" and self._is_flushed(deed, one)) for deed in deeds
                ) or any(self._leaving.get(inner.key) or self.summary(inner).path.writes for inner in below):
                    self._leaving[frame.key] = True
                    return True
                waiting += [inner for inner in below if inner.key not in seen and inner.key not in self._leaving]
                seen.update(inner.key for inner in below)
            self._leaving.update(dict.fromkeys(seen - self._leaving.keys(), False))
        return self._leaving[frame.key]

    def _is_flushed(self, deed: Deed, frame: Frame) -> bool:
        """Whether a change is one of a row that a session writes: other rows are saved."""
        kind = self.infer.type_of(Bound(deed.root, frame)) if deed.root is not None else None
        libraries = self.infer.library_types(kind)
        return any(map(self.knowledge.is_row, libraries)) and not any(
            self.knowledge.method(library, "save") is not None for library in libraries
        )

    def stages(self, deed: Deed) -> bool:
        """Whether a call of a function of the project leaves something for the next commit."""
        return any(self.summary(Frame(symbol.path, symbol.facts)).path.pending for symbol, _ in deed.targets)

    def is_row(self, deed: Deed, frame: Frame) -> bool:
        """Whether what a deed changes is a row of a table."""
        kind = self.infer.type_of(Bound(deed.root, frame)) if deed.root is not None else None
        return any(self.knowledge.is_row(name) for name in self.infer.library_types(kind))

    def _writers(self) -> list[Frame]:
        """All functions that write, or call one that does, by name layer after layer."""
        found: dict[Key, Frame] = {}
        names = self.deeds.names
        known: set[str] = set()
        for _ in range(ROUNDS):
            layer: set[str] = set()
            for frame in self._calling(names):
                if frame.key in found:
                    continue
                deeds = [
                    deed
                    for fact in frame.function.calls
                    if fact.name in names and (deed := self.deeds.deed(fact, frame)) is not None
                ]
                if any(
                    d.kind in WRITING or d.kind in {"stage", "send"} or (d.kind == "call" and self._leads_on(d, found))
                    for d in deeds
                ):
                    found[frame.key] = frame
                    layer.update(self.infer.called_as(*frame.key))
            known |= names
            names = frozenset(layer - known)
            if not names:
                break
        self._names = frozenset(known)
        return list(found.values())

    def _leads_on(self, deed: Deed, found: dict[Key, Frame]) -> bool:
        for symbol, _ in deed.targets:
            key = (symbol.path, symbol.facts.qualname)
            if key in found or deed.fact.name in self.deeds.names:
                return True
        return False

    def _calling(self, names: frozenset[str]) -> Iterator[Frame]:
        for path, outline in self.program.outlines.items():
            if names.isdisjoint(outline.calls) or path in self.outside:
                continue
            facts = self.program.facts(path)
            for qualname, called in facts.called.items() if facts else ():
                if not names.isdisjoint(called):
                    assert facts is not None
                    yield Frame(path, facts.functions[qualname])

    # Summaries

    def summary(self, frame: Frame) -> Summary:
        """What a function leaves half done."""
        key = frame.key
        if key not in self._summaries:
            if key in self._busy or len(self._busy) > DEEPEST:
                return NOTHING
            self._busy.add(key)
            try:
                found = self._summarise(Frame(frame.path, frame.function))
            finally:
                self._busy.discard(key)
            self._tries[key] += 1
            if len(self._busy) > DEEPEST // 2 and self._tries[key] < MOST_TRIES:
                return found  # cut somewhere below: to be asked again from nearer
            self._summaries[key] = found
        return self._summaries[key]

    def _summarise(self, frame: Frame) -> Summary:
        if self.deeds.is_transaction(frame):
            return NOTHING
        found = self.deeds_of(frame)
        if not any(deed.kind in WRITING or deed.kind in {"call", "stage"} for deed in found.values()):
            return NOTHING
        path, back = CalleePaths(self, frame, found).worst()
        several = {write.units for write in path.writes if write.units}
        units = frozenset(unit for one in several for unit in one)
        calls = 1 if several and frozenset.intersection(*several) else len(several)
        alone = [write for write in unless_missing(path.writes) if not write.units and not write.bare]
        looped = any(write.units and write.looped for write in path.writes)
        if units and self._is_one_unit(frame, calls, units, alone, looped):
            return Summary(path, back, partial=True, absorbed=units)
        weak = len(alone) > 1 or any(write.repeated for write in alone)
        return Summary(path, back, strength(alone) > 1, weak, units=units)

    def _is_one_unit(self, frame: Frame, calls: int, units: frozenset[Key], alone: list[Write], looped: bool) -> bool:
        """Whether what some calls leave half done is part of what a function does; `looped`: one in each round."""
        if looped:
            return self.labels.is_handler(frame) and strength(alone) > 0
        if calls > 1 and not self._are_own(units, frame):
            saves = bool(frame.function.owner) and frame.function.qualname.rpartition(".")[2] in SAVING
            return self.labels.is_handler(frame) or (saves and strength(alone) > 0)
        return calls > 1 or strength(alone) > 0

    def _are_own(self, units: frozenset[Key], frame: Frame) -> bool:
        """Whether nobody but this function calls any of these."""
        for path, qualname in units:
            function = self.program.function(path, qualname)
            if function is None or any(caller.key != frame.key for caller, _, _ in self.sites(Frame(path, function))):
                return False
        return True

    def makes_sure(self, frame: Frame) -> bool:
        """Whether what a function writes does no harm when it is all that was written.

        It is called for the row that it returns and only makes sure that it is there, it brings about a state that may be
        there already, or it notes when something happened last.
        """
        if frame.key not in self._sure:
            if self._asking > DEEPEST:
                return False
            words = split_words(frame.function.qualname.rpartition(".")[2])
            self._sure[frame.key] = False
            self._asking += 1
            self._sure[frame.key] = bool(words) and (
                not NOTING.isdisjoint(words)
                or (frame.function.returns is not None and words[0] in ASKING)
                or self._finds_it_done(frame, words[0] in SETTING)
            )
            self._asking -= 1
        return self._sure[frame.key]

    def _finds_it_done(self, frame: Frame, is_setting: bool) -> bool:
        """Whether a function that brings about a state, or gives a row, can be gone through without a write."""
        by_commits = is_setting or self._commits_only(frame)
        if not by_commits and not self._returns_row(frame):
            return False
        at_end, left = self._passes(frame.function.flow, self.deeds_of(frame))
        return left or (at_end and by_commits)

    def _commits_only(self, frame: Frame) -> bool:
        """Whether all that a function writes are units of work that it commits itself."""
        writes = self.summary(frame).path.writes
        return bool(writes) and all(write.kind == "commit" for write in writes)

    def _passes(self, steps: Steps, found: dict[int, Deed]) -> tuple[bool, bool]:
        """Whether steps can be gone through to their end without a write, and whether the function can be left so."""
        left = False
        for step in steps:
            if isinstance(step, Flow):
                if step.kind in {"loop", "while"}:
                    continue
                arms = step.arms if step.kind == "branch" else ((*step.arms[0], *(step.arms[1:2] or ((),))[0]),)
                ends = [self._passes(arm, found) for arm in arms]
                left |= any(end[1] for end in ends)
                if not any(end[0] for end in ends):
                    return False, left
            elif step == RETURN:
                return False, True
            elif step in {RAISE, BREAK, CONTINUE}:
                return False, left
            elif step >= 0 and (deed := found.get(step)) is not None:
                if deed.kind in WRITING or (deed.kind == "call" and not self._is_harmless(deed)):
                    return False, left
        return True, left

    def _is_harmless(self, deed: Deed) -> bool:
        frames = [Frame(symbol.path, symbol.facts) for symbol, _ in deed.targets]
        return all(not self.summary(frame).path.writes or self.makes_sure(frame) for frame in frames)

    def _returns_row(self, frame: Frame) -> bool:
        """Whether a function returns a row, one that was there or a new one; not nothing, nor only what it has made."""
        returned = frame.function.returns
        if returned is None:
            return False
        options = [plain(one) for one in (returned.options if isinstance(returned, v.Choice) else (returned,))]
        made = {plain(deed.fact.value) for deed in self.deeds_of(frame).values() if makes(deed)}
        if v.Const(None) in options or all(option in made for option in options):
            return False
        kind = self.infer.type_of(Bound(returned, frame))
        return any(self.knowledge.is_row(name) for name in self.infer.library_types(kind))

    # For the rules

    def is_called_for_one(self, frame: Frame, write: Write) -> bool:
        """Whether a write in a loop is only ever done once: all who call the function pass a list of one thing."""
        calls = [(caller, caller.function.calls[index].value) for caller, index, _ in self.sites(frame) if index >= 0]
        return bool(calls) and all(
            any(
                callee.function is not None
                and callee.function.facts is frame.function
                and is_for_one(write, dict(self.infer.bind(callee, Bound(call, caller))))
                for callee in self.infer.callees(Bound(call, caller))
            )
            for caller, call in calls
        )

    def breaks_up(self, frame: Frame) -> bool:
        """Whether a loop of a function commits one by one what belongs together, see `Rounds`."""
        return Rounds.of(self.deeds, frame, self.deeds_of(frame)).break_up(frame.function.flow)

    def partial(self) -> Iterator[tuple[Frame, Summary, tuple[Frame, ...]]]:
        """The functions at which a transaction is missing, each with what it leaves half done.

        Third are the outermost functions that have all of it among what they leave half done themselves, if there are any.
        """
        found: dict[Key, tuple[Frame, Summary]] = {}
        for frame in self.functions:
            summary = self.summary(frame)
            if (summary.partial or summary.weak) and not self.covered(frame):
                found[frame.key] = (frame, summary)
        for frame, summary in found.values():
            if not self._is_told(frame):
                yield frame, summary, ()
            elif summary.partial and (above := tuple(self._tellers(frame.key, frame))):
                yield frame, summary, above

    def _is_told(self, frame: Frame) -> bool:
        """Whether what a function leaves half done is told at all who call it."""
        sites = self.sites(frame)
        if not sites or self.is_left(frame):
            return False
        return all(held or self.covered(c) or self._absorbs(c, frame.key) for c, _, held in sites)

    def _tellers(self, key: Key, frame: Frame, depth: int = 0) -> Iterator[Frame]:
        """The outermost functions above another one that tell what the function of this key leaves half done."""
        for caller, _, held in self.sites(frame) if depth <= DEEPEST else ():
            summary = self.summary(caller)
            if held or self.covered(caller):
                continue
            if key not in summary.absorbed:
                yield from self._tellers(key, caller, depth + 1) if key in summary.units else ()
            elif self._is_told(caller):
                yield from self._tellers(caller.key, caller, depth + 1)
            else:
                yield caller

    def _absorbs(self, caller: Frame, key: Key, depth: int = 0) -> bool:
        """Whether what a function leaves half done is told where it is called, or where its caller is."""
        summary = self.summary(caller)
        if key in summary.absorbed or key not in summary.units or depth > DEEPEST:
            return key in summary.absorbed
        sites = self.sites(caller)
        return bool(sites) and all(held or self.covered(c) or self._absorbs(c, key, depth + 1) for c, _, held in sites)


def _called_by(deed: Deed) -> tuple[tuple[FunctionSymbol, tuple[tuple[str, Bound], ...]], ...]:
    return deed.targets if deed.kind == "call" else ()
