"""Which functions leave writes half done: what each commits on one path, and which of its callers hold a transaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from prodready.finding import Location
from prodready.link.deeds import WRITING, Deeds
from prodready.link.frames import Bound, Frame
from prodready.link.infer import Inference
from prodready.link.labels import Labels
from prodready.link.openings import Deed, Key
from prodready.link.paths import EMPTY, Path, Steps, Walker, Write, strength, worst
from prodready.link.program import ClassSymbol, FunctionSymbol
from prodready.link.scope import Scope
from prodready.link.sinks import place
from prodready.read import values as v
from prodready.read.facts import BREAK, CONTINUE, RAISE, RETURN, CallFact, Flow
from prodready.read.values import Value
from prodready.words import split_words

DEEPEST = 8
"""Helpers followed inside one another."""

ASKING = frozenset("get fetch find load lookup resolve current default ensure obtain is has can check".split())
"""Verbs of functions that are called for what they return: if they write, then to make sure that it is there."""

SETTING = frozenset("grant revoke remove subscribe unsubscribe enable disable".split())
"""Verbs of functions that bring about a state: where they may find it there, doing it again does no harm."""

NOTING = frozenset("last touch seen visited activity heartbeat".split())
"""Words in names of functions that note when something happened last."""

FAR = 4
"""Callers of callers that are looked at for a request."""

WORKS_WITH = ("form", "formset", "add_form")
"""Attributes by which such a class names the forms that it saves."""

ROUNDS = 6
"""Layers of callers above the functions that write which are looked for by name."""


@dataclass(frozen=True)
class Summary:
    """What a function commits on its worst path outside of every transaction.

    `path` holds all of it, `partial` says that it leaves a partial state for which this function is the place to mend it,
    `weak` that it may be meant (one object written twice, rows that are only made sure of); `absorbed` are the functions
    whose own writes belong to it; `units` those on the path that are to be mended themselves.
    """

    path: Path = EMPTY
    partial: bool = False
    weak: bool = False
    absorbed: frozenset[Key] = frozenset()
    units: frozenset[Key] = frozenset()

    @property
    def counted(self) -> tuple[Write, ...]:
        """The writes that make up the partial state."""
        if not self.absorbed:
            return tuple(write for write in self.path.writes if write.unit is None)
        return self.path.writes


NOTHING = Summary()


class Transactions:
    """Summaries of functions over the call graph, and who holds a transaction around whom."""

    def __init__(self, labels: Labels, scope: Scope | None, outside: frozenset[str]) -> None:
        """`outside` are the files whose calls count for nothing, such as tests."""
        self.infer: Inference = labels.infer
        self.program = labels.program
        self.knowledge = labels.knowledge
        self.labels = labels
        self.deeds = Deeds(labels)
        self.scope = scope
        self.outside = outside
        self._summaries: dict[Key, Summary] = {}
        self._covered: dict[Key, bool] = {}
        self._held: dict[Key, bool] = {}
        self._sure: dict[Key, bool] = {}
        self._busy: set[Key] = set()
        self._names: frozenset[str] | None = None
        self._requests: bool | None = None

    # Functions to look at

    @cached_property
    def functions(self) -> list[Frame]:
        """The functions that may write or send: of the chosen files, or of all."""
        if self.scope is None:
            return self._writers()
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
        paths = [self.summary(Frame(symbol.path, symbol.facts)).path for symbol, _ in deed.targets]
        return any(path.writes or path.pending for path in paths)

    def stages(self, deed: Deed) -> bool:
        """Whether a call of a function of the project leaves something for the next commit."""
        return any(self.summary(Frame(symbol.path, symbol.facts)).path.pending for symbol, _ in deed.targets)

    def is_row(self, deed: Deed, frame: Frame) -> bool:
        """Whether what a deed changes is a row of a table."""
        kind = self.infer.type_of(Bound(deed.root, frame)) if deed.root is not None else None
        return any(self.knowledge.is_row(name) for name in self.infer.library_types(kind))

    def held(self, frame: Frame) -> bool:
        """Whether all of a function runs in a transaction: its own, or one that every caller holds."""
        if self.deeds.is_transaction(frame):
            return True
        if frame.key not in self._held:
            self._held[frame.key] = False
            sites = self.sites(frame)
            self._held[frame.key] = bool(sites) and all(held or self.held(caller) for caller, _, held in sites)
        return self._held[frame.key]

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
            if len(self._busy) > DEEPEST // 2:
                return found  # cut somewhere below: to be asked again from nearer
            self._summaries[key] = found
        return self._summaries[key]

    def _summarise(self, frame: Frame) -> Summary:
        if self.deeds.is_transaction(frame):
            return NOTHING
        found = self.deeds_of(frame)
        if not any(deed.kind in WRITING or deed.kind in {"call", "stage"} for deed in found.values()):
            return NOTHING
        path = _Walker(self, frame, found).worst()
        units = frozenset(write.unit for write in path.writes if write.unit is not None)
        alone = [write for write in path.writes if write.unit is None]
        looped = any(write.unit and write.looped for write in path.writes)
        if units and not looped and (strength(alone) if len(units) == 1 else self._are_own(units, frame)):
            return Summary(path, partial=True, absorbed=units)
        return Summary(path, strength(alone) > 1, len(alone) > 1 or any(write.repeated for write in alone), units=units)

    def _are_own(self, units: frozenset[Key], frame: Frame) -> bool:
        """Whether nobody but this function calls any of these."""
        for path, qualname in units:
            function = self.program.function(path, qualname)
            if function is None or any(caller.key != frame.key for caller, _, _ in self.sites(Frame(path, function))):
                return False
        return True

    # Who holds a transaction

    def covered(self, frame: Frame) -> bool:
        """Whether whoever calls a function holds a transaction around the call."""
        key = frame.key
        if key not in self._covered:
            self._covered[key] = True  # of functions that call one another somebody outside decides
            self._covered[key] = self._is_covered(frame)
        return self._covered[key]

    def sites(self, frame: Frame) -> list[tuple[Frame, int, bool]]:
        """The calls of a function outside of tests: the caller, which of its calls, and whether in a transaction."""
        found = []
        for caller, fact in self._calls_of(frame):
            if caller.path in self.outside or caller.key == frame.key:
                continue
            index = next((i for i, other in enumerate(caller.function.calls) if other is fact), -1)
            held = self.deeds.is_transaction(caller) or index in self.deeds.inside(caller)
            found.append((caller, index, held))
        return found

    def _calls_of(self, frame: Frame) -> Iterator[tuple[Frame, CallFact]]:
        """The calls that run a function: of itself, of what it overrides, of a library's method that runs it."""
        simple = frame.function.qualname.rpartition(".")[2]
        for site in self.infer.callers(frame.path, frame.function.qualname):
            yield site.frame, site.fact
        cls = self._owner(frame)
        bases = self.program.lineage(cls)[1:] if cls is not None else ()
        for base in bases:
            if isinstance(base, ClassSymbol):
                overridden = f"{base.facts.qualname}.{simple}"
                if self.program.function(base.path, overridden) is not None:
                    for site in self.infer.callers(base.path, overridden):
                        yield site.frame, site.fact
        names = {n for base in bases if isinstance(base, str) for n in self.knowledge.callers_of(base, simple)}
        for name in sorted(names):
            for path, function, fact in self.program.calls_named(name):
                caller = Frame(path, function)
                deed = self.deeds.deed(fact, caller) if caller.path not in self.outside else None
                if deed is not None and any((s.path, s.facts.qualname) == frame.key for s, _ in deed.targets):
                    yield caller, fact

    def makes_sure(self, frame: Frame) -> bool:
        """Whether what a function writes does no harm when it is all that was written.

        It is called for the row that it returns and only makes sure that it is there, it brings about a state that may be
        there already, or it notes when something happened last.
        """
        if frame.key not in self._sure:
            words = split_words(frame.function.qualname.rpartition(".")[2])
            self._sure[frame.key] = False
            self._sure[frame.key] = bool(words) and (
                not NOTING.isdisjoint(words)
                or (frame.function.returns is not None and words[0] in ASKING)
                or (
                    (words[0] in SETTING or self._returns_row(frame) or self._commits_only(frame))
                    and any(self._passes(frame.function.flow, self.deeds_of(frame)))
                )
            )
        return self._sure[frame.key]

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
        if frame.function.returns is None:
            return False
        kind = self.infer.type_of(Bound(frame.function.returns, frame))
        return any(self.knowledge.is_row(name) for name in self.infer.library_types(kind))

    def _is_covered(self, frame: Frame) -> bool:
        sites = self.sites(frame)
        if sites:
            return all(held or self.covered(caller) for caller, _, held in sites) and (
                not self.is_entry(frame) or self._in_request(frame)
            )
        return self._is_called_within(frame) or self._in_request(frame)

    def is_entry(self, frame: Frame) -> bool:
        """Whether a request, a queue or a signal calls a function."""
        return self.labels.is_handler(frame) or bool(self._decorations(frame))

    def _decorations(self, frame: Frame) -> frozenset[str]:
        """What decorators make of a function: a task, a receiver of signals."""
        home = self.infer.home(frame) if frame.function.decorators else frame
        found = set()
        for decorator in frame.function.decorators:
            call = decorator if isinstance(decorator, v.Call) else v.call(decorator, (), (), 0, 0)
            for callee in self.infer.callees(Bound(call, home)):
                if callee.effect is not None and callee.effect.decorates in {"task", "receiver"}:
                    found.add(callee.effect.decorates)
        return frozenset(found)

    def _owner(self, frame: Frame) -> ClassSymbol | None:
        facts = self.program.facts(frame.path)
        owner = frame.function.owner
        return ClassSymbol(frame.path, facts.classes[owner]) if facts and owner in facts.classes else None

    def _is_called_within(self, frame: Frame) -> bool:
        """Whether the framework calls a method inside of a transaction, its own or one that the class opens."""
        cls = self._owner(frame)
        simple = frame.function.qualname.rpartition(".")[2]
        bases = self.program.lineage(cls) if cls is not None else ()
        libraries = [base for base in bases if isinstance(base, str)]
        if any(self.knowledge.is_within(library, simple) for library in libraries):
            return True
        return any(
            self._holds(cls, name) for library in libraries for name in self.knowledge.callers_of(library, simple)
        )

    def _holds(self, cls: ClassSymbol | None, name: str) -> bool:
        """Whether the class runs its method of this name in a transaction."""
        method = self.program.member(cls, name) if cls is not None else None
        if not isinstance(method, FunctionSymbol):
            return False
        frame = Frame(method.path, method.facts)
        inside = self.deeds.inside(frame)
        return self.deeds.is_transaction(frame) or any(frame.function.calls[i].name == name for i in inside)

    def is_waited_for(self, frame: Frame, depth: int = 0) -> bool:
        """Whether somebody waits for all that a function does: a request leads to it, or nobody in the project calls it."""
        if self.labels.is_handler(frame):
            return True
        callers = [caller for caller, _, _ in self.sites(frame)] if depth < FAR else []
        if not callers:
            cls, simple = self._owner(frame), frame.function.qualname.rpartition(".")[2]
            bases = self.program.lineage(cls)[1:] if cls is not None else ()
            runs = any(isinstance(base, str) and self.knowledge.callers_of(base, simple) for base in bases)
            return depth == 0 and (not bases or runs)
        return any(self.is_waited_for(caller, depth + 1) for caller in callers)

    def is_test(self, frame: Frame) -> bool:
        """Whether a function is a method of a test, wherever that lies."""
        cls = self._owner(frame)
        bases = self.program.lineage(cls) if cls is not None else ()
        return any(isinstance(base, str) and base.endswith(("TestCase", "TestSuite")) for base in bases)

    def _in_request(self, frame: Frame) -> bool:
        """Whether a function is reached from requests only, each of which is a transaction by the settings."""
        if not self._requests_are_transactions() or self._decorations(frame):
            return False
        cls = self._owner(frame)
        return not any(
            "command" in self.knowledge.label(base)
            for base in (self.program.lineage(cls) if cls is not None else ())
            if isinstance(base, str)
        ) and (cls is not None or self.labels.is_handler(frame))

    def _requests_are_transactions(self) -> bool:
        if self._requests is None:
            self._requests = any(
                self._is_on(path, name, key)
                for name, effect in self.knowledge.settings.items()
                if effect.does == "request-transaction"
                for key in effect.at
                for path, outline in self.program.outlines.items()
                if path not in self.outside and _is_settings(path)
            )
        return self._requests

    def _is_on(self, path: str, name: str, key: object) -> bool:
        facts = self.program.facts(path)
        if facts is None:
            return False
        value = facts.values.get(name)
        return value is not None and _holds_true(value, key)

    # For the rules

    def partial(self) -> Iterator[tuple[Frame, Summary]]:
        """The functions at which a transaction is missing, each with what it leaves half done; the outermost only."""
        found: dict[Key, tuple[Frame, Summary]] = {}
        for frame in self.functions:
            summary = self.summary(frame)
            if (summary.partial or summary.weak) and not self.covered(frame):
                found[frame.key] = (frame, summary)
        for frame, summary in found.values():
            sites = self.sites(frame)
            if sites and all(held or self.covered(c) or self._absorbs(c, frame.key) for c, _, held in sites):
                continue
            yield frame, summary

    def _absorbs(self, caller: Frame, key: Key) -> bool:
        return key in self.summary(caller).absorbed


class _Walker(Walker):
    def __init__(self, owner: Transactions, frame: Frame, found: dict[int, Deed]) -> None:
        super().__init__(owner.deeds, frame, found)
        self.owner = owner

    def called(self, deed: Deed) -> Path:
        """See `Walker`."""
        here = place(self.frame.path, deed.fact.span)
        return worst([self._lifted(symbol, dict(given), deed, here) for symbol, given in deed.targets]) or Path()

    def _lifted(self, symbol: FunctionSymbol, given: dict[str, Bound], deed: Deed, here: Location) -> Path:
        """What a callee adds, as its caller sees it."""
        callee = Frame(symbol.path, symbol.facts)
        summary = self.owner.summary(callee)
        name = symbol.facts.qualname.rpartition(".")[2]
        makes_sure = self.owner.makes_sure(callee)
        unit = None if makes_sure else callee.key if summary.partial else next(iter(summary.units), None)
        writes = tuple(
            replace(
                write,
                kind="ensure" if makes_sure else write.kind,
                root=_seen_from(write.root, given, self.frame),
                looped=False,
                via=((f"{name}()", here), *write.via),
                unit=unit,
                assumed=write.assumed or deed.assumed,
            )
            for write in summary.path.writes
        )
        return replace(summary.path, writes=writes, open=False)


def _seen_from(root: Value | None, given: dict[str, Bound], frame: Frame) -> Value | None:
    """The object that a callee writes, as its caller has it."""
    inner = v.bare(root) if root is not None else None
    if isinstance(inner, v.Param):
        argument = given.get(inner.name)
        return argument.value if argument is not None and argument.frame.key == frame.key else None
    return None


def _is_settings(path: str) -> bool:
    words = set(path.removesuffix(".py").replace("/", "_").replace("-", "_").lower().split("_"))
    return not words.isdisjoint({"settings", "config", "conf"}) and words.isdisjoint(
        {"test", "tests", "testing", "sandbox", "example", "examples", "demo", "ci"}
    )


def _holds_true(value: Value, key: object) -> bool:
    """Whether a mapping, or one inside of it, has the key set to true."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, v.Map):
            for name, inner in one.items:
                if name == v.Const(key) and v.bare(inner) == v.Const(True):  # type: ignore[arg-type]
                    return True
        waiting.extend(v.children(one))
    return False
