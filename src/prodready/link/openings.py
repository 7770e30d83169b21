"""What opens a transaction: `with` items and decorators of libraries, and the project's own wrappers by their definition."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from prodready.link.frames import Bound, Callee, Frame
from prodready.link.given import exclusive
from prodready.link.labels import Labels
from prodready.link.program import ClassSymbol, FunctionSymbol
from prodready.link.rebuilding import plain, rebuilt
from prodready.read import values as v
from prodready.read.facts import YIELD, CallFact, Flow, FunctionFacts, calls_in
from prodready.read.values import Value

Key = tuple[str, str]
"""A function: its file and its qualified name."""

MAX_NESTING = 4
"""Wrappers of the project around one another that are looked into."""


class Deed(msgspec.Struct, frozen=True):
    """What one call does. `kind` is one of the deeds of the knowledge, `call` for a function of the project, or `change`.

    `root` is the object that is changed, as the function has it; `label` names what is written; `fresh` says that it is
    another row each time; `store` is the database it is in; `targets` are the functions that a `call` may run,
    each with what its parameters are bound to, or that a write of a library runs for each of many rows; `made` says
    that the object is a new row, made by a form; `unless` are arguments that turn it off and may be among `**options`.
    """

    kind: str
    fact: CallFact
    label: str = ""
    root: Value | None = None
    fresh: bool = False
    assumed: bool = False
    store: str = ""
    targets: tuple[tuple[FunctionSymbol, tuple[tuple[str, Bound], ...]], ...] = ()
    made: bool = False
    unless: tuple[str, ...] = ()


class Openings:
    """Looks into wrappers. Answers are kept: the program does not change while this lives."""

    names: frozenset[str]
    """The last names of all calls that may do something."""

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.infer = labels.infer
        self.program = labels.program
        self.knowledge = labels.knowledge
        self._wraps: dict[Key, bool] = {}
        self._decorations: dict[Key, frozenset[str]] = {}

    def deed(self, fact: CallFact, frame: Frame) -> Deed | None:
        """What one call does, see `Deeds`."""
        raise NotImplementedError

    def commits_each(self, bound: Bound) -> bool:
        """Whether a connection commits each statement, see `Deeds`."""
        raise NotImplementedError

    def enters(self, flow: Flow, frame: Frame, deeds: frozenset[str] = frozenset({"transaction"})) -> bool:
        """Whether a `with` opens a transaction."""
        return any(self.opens(Bound(value, frame), deeds=deeds) for value in flow.values)

    def opens(self, bound: Bound, depth: int = 0, deeds: frozenset[str] = frozenset({"transaction"})) -> bool:
        """Whether entering a value with `with` opens a transaction."""
        if depth > MAX_NESTING:
            return False
        for leaf in self.labels.leaves(bound, 6):
            value = leaf.value
            if isinstance(value, v.Call):
                for callee in self.infer.callees(leaf):
                    if _does(callee, value, deeds):
                        return True
                    if callee.function is not None and callee.cls is None and self._holds_open(callee.function, depth):
                        return True
            kind = self.infer.type_of(leaf)
            for library in self.infer.library_types(kind):
                slot = self.knowledge.slot(library, "enter")
                if slot is not None and slot.does in deeds and not self.commits_each(leaf):
                    return True
                derived = self.knowledge.function(library) if kind is not None and kind.cls is not None else None
                if derived is not None and derived.does in deeds:  # a class of the project with a library's as its base
                    return True
            if kind is not None and kind.cls is not None and self._class_opens(kind.cls, depth):
                return True
        # What `leaves` looked through may itself be a wrapper of the project.
        value = v.bare(bound.value)
        if isinstance(value, v.Call):
            for callee in self.infer.callees(bound.sub(value)):
                if _does(callee, value, deeds):
                    return True
                if callee.function is not None and self._holds_open(callee.function, depth):
                    return True
        return False

    def _holds_open(self, function: FunctionSymbol, depth: int) -> bool:
        """Whether a generator, as a context manager, yields inside of a transaction or commits after it."""
        key = (function.path, function.facts.qualname)
        if function.facts.yields is None:
            returned = function.facts.returns
            frame = Frame(function.path, function.facts)
            return returned is not None and self.opens(Bound(returned, frame), depth + 1)
        if key not in self._wraps:
            self._wraps[key] = False
            self._wraps[key] = self._yields_inside(Frame(function.path, function.facts), depth)
        return self._wraps[key]

    def _yields_inside(self, frame: Frame, depth: int) -> bool:
        def walk(steps: tuple[int | Flow, ...], inside: bool, before: bool) -> tuple[bool, bool]:
            """Whether a transaction was found around a yield, and whether one has been passed."""
            for step in steps:
                if isinstance(step, Flow):
                    opened = step.kind == "with" and any(self.opens(Bound(x, frame), depth + 1) for x in step.values)
                    for arm in step.arms:
                        found, passed = walk(arm, inside or opened, before)
                        if found:
                            return True, True
                        before = before or passed
                elif step == YIELD:
                    if inside:
                        return True, True
                    before = True
                elif step >= 0:
                    deed = self.deed(frame.function.calls[step], frame)
                    if deed is not None and before and deed.kind in {"commit", "end"}:
                        return True, True
            return False, before

        return walk(frame.function.flow, False, False)[0]

    def _class_opens(self, cls: ClassSymbol, depth: int) -> bool:
        """Whether a class of the project is a context manager that begins or commits."""
        for name in ("__enter__", "__aenter__", "__exit__", "__aexit__"):
            method = self.program.member(cls, name)
            if isinstance(method, FunctionSymbol):
                frame = Frame(method.path, method.facts)
                for fact in method.facts.calls:
                    deed = self.deed(fact, frame) if fact.name in self.names else None
                    if deed is not None and deed.kind in {"begin", "end", "commit", "transaction"}:
                        return True
        return False

    def is_transaction(self, frame: Frame) -> bool:
        """Whether a decorator of a function, or of its class, makes all of it a transaction."""
        home = self.infer.home(frame) if frame.function.decorators else frame
        if any(self._decorates(Bound(d, home)) for d in frame.function.decorators):
            return True
        cls = self.program.owner(frame.path, frame.function)
        if cls is None:
            return False
        simple = frame.function.qualname.rpartition(".")[2]
        module = self.infer.module_frame(frame.path)
        return any(
            simple in covered or "dispatch" in covered
            for decorator in cls.facts.decorators
            if isinstance(decorator, v.Call) and self._decorates(Bound(decorator, module))
            for covered in (
                [value.value for key, value in decorator.keywords if key == "name" and isinstance(value, v.Const)],
            )
        )

    def _decorates(self, bound: Bound) -> bool:
        value = v.bare(bound.value)
        call = value if isinstance(value, v.Call) else v.call(value, (), (), 0, 0)
        assert isinstance(call, v.Call)
        callees = self.infer.callees(bound.sub(call))
        for callee in callees:
            if callee.effect is not None and callee.effect.does == "transaction":
                return True
            if callee.function is not None:
                # `@transaction_of_ours()`: a context manager that is made of a generator serves as a decorator, too.
                used_as = isinstance(value, v.Call) and callee.function.facts.yields is not None
                return self._holds_open(callee.function, 0) if used_as else self._wraps_call(callee.function)
        # A library's decorator that is given others: `method_decorator(atomic)`.
        given = [x for a in call.args for x in (a.items if isinstance(a, v.Seq) else (a,))]
        return any(isinstance(v.bare(a), (v.Ref, v.Attr, v.Call)) and self._decorates(bound.sub(a)) for a in given)

    def _wraps_call(self, decorator: FunctionSymbol) -> bool:
        """Whether a decorator of the project calls what it is given inside of a transaction."""
        key = (decorator.path, decorator.facts.qualname + "()")
        if key in self._wraps:
            return self._wraps[key]
        self._wraps[key] = False
        for function in self._within(decorator):
            frame = Frame(decorator.path, function)
            if any(_is_given(function.calls[i].value.target) for i in self.inside(frame)):
                self._wraps[key] = True
            result = v.bare(function.returns or v.UNKNOWN)
            if isinstance(result, v.Call) and any(map(_is_given, result.args)):
                self._wraps[key] |= self._decorates(Bound(result.target, frame))
        return self._wraps[key]

    def decorations(self, frame: Frame) -> frozenset[str]:
        """What decorators make of a function, as the knowledge has it: a task, a receiver of signals."""
        if not frame.function.decorators:
            return frozenset()
        if frame.key not in self._decorations:
            home = self.infer.home(frame)
            calls = [d if isinstance(d, v.Call) else v.call(d, (), (), 0, 0) for d in frame.function.decorators]
            self._decorations[frame.key] = frozenset(kind for call in calls for kind in self._kinds(Bound(call, home)))
        return self._decorations[frame.key]

    def _kinds(self, bound: Bound, depth: int = 0) -> Iterator[str]:
        """What a decorator makes of a function; one of the project, what those make of it that it hands the function to."""
        for callee in self.infer.callees(bound):
            if callee.effect is not None and callee.effect.decorates:
                yield callee.effect.decorates
            if callee.function is not None and depth < MAX_NESTING:
                for function in self._within(callee.function):
                    result = v.bare(function.returns or v.UNKNOWN)
                    if isinstance(result, v.Call) and result.args:
                        target = v.bare(result.target)
                        call = target if isinstance(target, v.Call) else v.call(target, (), (), 0, 0)
                        yield from self._kinds(Bound(call, Frame(callee.function.path, function)), depth + 1)

    def _within(self, outer: FunctionSymbol) -> Iterator[FunctionFacts]:
        """A function and those in its body."""
        facts = self.program.facts(outer.path)
        inside = outer.facts.qualname + "."
        for name in facts.functions if facts is not None else ():
            if facts is not None and (name == outer.facts.qualname or name.startswith(inside)):
                yield facts.functions[name]

    def wrapped(self, frame: Frame) -> frozenset[str]:
        """The methods of its own object that a function has run in a transaction: `atomic(super().dispatch)(request)`."""
        first = frame.function.params[0].name if frame.function.owner and frame.function.params else ""
        found: set[str] = set()
        for fact in frame.function.calls if first else ():
            for given in map(v.bare, fact.value.args):
                base = plain(given.base) if isinstance(given, v.Attr) else None
                own = base == v.Param(first) or (isinstance(base, v.Op) and base.kind == "super")
                if own and isinstance(given, v.Attr) and self._decorates(Bound(fact.value, frame)):
                    found.add(given.name)
        return frozenset(found)

    def inside(self, frame: Frame) -> frozenset[int]:
        """The calls of a function that stand in a transaction which a `with` of its own opens."""
        return frozenset(index for block in self._blocks(frame.function.flow, frame) for index in calls_in([block]))

    def _blocks(self, steps: tuple[int | Flow, ...], frame: Frame) -> Iterator[Flow]:
        for step in steps:
            if isinstance(step, Flow) and step.kind == "with" and self.enters(step, frame):
                yield step
            elif isinstance(step, Flow):
                for arm in step.arms:
                    yield from self._blocks(arm, frame)

    def chosen(self, frame: Frame) -> frozenset[int]:
        """The calls that a condition makes without a transaction in place of the same call in one, which holds nothing else.

        Whoever writes `if self.is_atomic: with atomic(): return run()` and `return run()` means that.
        """
        calls = frame.function.calls
        found: set[int] = set()
        for block in self._blocks(frame.function.flow, frame):
            *given, last = list(calls_in(block.arms[0])) or [-1]
            parts = list(v.walk(calls[last].value)) if last >= 0 else []
            if not parts or any(calls[index].value not in parts for index in given):
                continue
            within = _unplaced(calls[last].value)
            for index, fact in enumerate(calls):
                if index != last and _unplaced(fact.value) == within:
                    if exclusive(frame.function, calls[last], fact) or exclusive(frame.function, fact, calls[last]):
                        found.add(index)
        return frozenset(found)


def _unplaced(call: v.Call) -> Value:
    """A call without what tells where it stands and what was asked before."""

    def change(value: Value) -> Value:
        value = plain(value)
        return v.call(value.target, value.args, value.keywords, 0, 0) if isinstance(value, v.Call) else value

    return rebuilt(call, change)


def _is_given(value: Value) -> bool:
    """Whether a value is what a decorator was given, seen from inside of it."""
    value = v.bare(value)
    return isinstance(v.bare(value.value), v.Param) if isinstance(value, v.Free) else isinstance(value, v.Param)


def _does(callee: Callee, call: v.Call, deeds: frozenset[str]) -> bool:
    """Whether a call does one of these deeds, unless a keyword calls it off."""
    effect = callee.effect
    return (
        effect is not None
        and effect.does in deeds
        and not any(key in effect.unless and v.bare(value) == v.Const(False) for key, value in call.keywords)
    )
