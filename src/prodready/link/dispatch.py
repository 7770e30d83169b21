"""Calls on objects of a class that another class names by an attribute: `form_class`, `serializer_class`.

A view that others are made of writes `self.form_class(...).save()`, and each of its subclasses says which class that is.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgspec

from prodready.link.frames import Bound, Frame
from prodready.link.infer import Inference
from prodready.link.program import ClassSymbol, FunctionSymbol, LibrarySymbol, ValueSymbol
from prodready.link.rebuilding import plain
from prodready.read import values as v
from prodready.read.facts import CallFact, FunctionFacts, last_name, position
from prodready.read.handed import is_apart
from prodready.read.values import Value
from prodready.words import split_words

SHORTEST = 4
"""Letters of the beginning of a name that the rest is added to."""

FURTHEST = 5
"""Methods and attributes that are looked behind for what makes an object."""

STATED = ("form_class", "serializer_class")
"""Attributes by which a class tells its library of which class it shall make an object."""

READING = frozenset({"get", "head", "options", "list", "retrieve"})
"""Methods that a library's class has to answer requests that change nothing."""

REMOVING = frozenset({"delete", "destroy"})
"""Words in names of methods that store no object."""


class Use(msgspec.Struct, frozen=True):
    """A call on an object of the class `made`.

    `user` names that class, where the call itself does not tell: it is the class of the object that makes the call.
    """

    frame: Frame
    fact: CallFact
    user: ClassSymbol | None
    made: ClassSymbol


class Dispatch:
    """Finds such calls. Answers are kept: the program does not change while this lives."""

    def __init__(self, infer: Inference, outside: frozenset[str]) -> None:
        """`outside` are the files whose calls count for nothing, such as tests."""
        self.infer = infer
        self.program = infer.program
        self.knowledge = infer.knowledge
        self.outside = outside
        self._uses: dict[str, dict[ClassSymbol, list[Use]]] = {}
        self._fills: dict[str, dict[ClassSymbol, list[Use]]] = {}

    def uses(self, cls: ClassSymbol, method: FunctionFacts) -> list[Use]:
        """The calls that run a method on an object of its class, or of one that has the method from it."""
        simple = method.qualname.rpartition(".")[2]
        found = []
        for name in (simple, *sorted(self._running(cls, simple))):
            table = self._table(name)
            for one in self.program.descendants(cls) if table else ():
                uses = table.get(one, ())
                if uses and self._reaches(one, name, simple, method):
                    found += [use for use in uses if name == simple or _may_run(use, simple, self._siblings(one, name))]
        return found + self._row_uses(cls, method)

    def _row_uses(self, cls: ClassSymbol, method: FunctionFacts) -> list[Use]:
        """The calls by which forms and serializers run this method of the rows that they fill."""
        if not any(map(self.knowledge.is_row, self._libraries(cls))):
            return []
        simple = method.qualname.rpartition(".")[2]
        table = self._filling(simple)
        rows = self.program.descendants(cls) if table else ()
        return [use for one in rows if self._reaches(one, "", simple, method) for use in table.get(one, ())]

    def _filling(self, name: str) -> dict[ClassSymbol, list[Use]]:
        """The calls of this name on forms and serializers, by the class of the rows that these fill."""
        if name not in self._fills:
            table = self._fills[name] = {}
            dispatched = [use for uses in self._table(name).values() for use in uses]
            for use in (*dispatched, *self._direct(name)) if dispatched else ():
                row = self.infer.filled_by(use.made) if self._passes_on(use.made, name) else None
                if row is not None:
                    table.setdefault(row, []).append(use)
        return self._fills[name]

    def _direct(self, name: str) -> Iterator[Use]:
        """The calls of this name on an object whose class is known where it is called."""
        for path, function, fact in self.program.calls_named(name):
            if path not in self.outside and isinstance(fact.value.target, v.Attr):
                frame = Frame(path, function)
                receiver = plain(fact.value.target.base)
                above = isinstance(receiver, v.Op) and receiver.kind == "super"
                kind = self.infer.type_of(Bound(receiver, frame)) if not above else None
                if kind is not None and kind.cls is not None:
                    yield Use(frame, fact, None, kind.cls)

    def handed_on(self, frame: Frame) -> Iterator[tuple[Frame, int]]:
        """The calls in its file that give a function to something else of the project: `hook(self.save, request)`."""
        facts = self.program.facts(frame.path) if frame.path not in self.outside else None
        for function in facts.functions.values() if facts is not None else ():
            caller = Frame(frame.path, function)
            for index, fact in enumerate(function.calls):
                target = v.bare(fact.value.target)
                if not isinstance(target, v.Ref) or is_apart(function.calls, index):
                    continue
                if any(self._is_meant(v.bare(argument), frame, caller) for argument in fact.value.args):
                    if not isinstance(self.infer.symbol_of(target, caller), LibrarySymbol | None):
                        yield caller, index

    def called_after(self, frame: Frame) -> Iterator[tuple[Frame, int]]:
        """The calls of a method on something of an unknown type that is called after its class: `self.case.split()`."""
        outer, _, simple = frame.function.qualname.rpartition(".")
        words = split_words(outer.rpartition(".")[2])
        for path, function, fact in self.program.calls_named(simple) if frame.function.owner else ():
            target, caller = fact.value.target, Frame(path, function)
            base = v.bare(target.base) if isinstance(target, v.Attr) else None
            if path in self.outside or base is None or split_words(last_name(base)) != words:
                continue
            if self.infer.type_of(Bound(base, caller)) is None:
                yield caller, position(function, fact)

    def called_by_prefix(self, frame: Frame) -> Iterator[tuple[Frame, int]]:
        """The calls of what is looked up under a name put together of the beginning of this one: `f"apply_{action}"`."""
        simple = frame.function.qualname.rpartition(".")[2] if frame.function.owner else ""
        for prefix, caller, index in self._by_prefix if "_" in simple else ():
            if simple.startswith(prefix):
                yield caller, index

    @cached_property
    def _by_prefix(self) -> list[tuple[str, Frame, int]]:
        found: list[tuple[str, Frame, int]] = []
        for path, function, fact in self.program.calls_named("getattr"):
            prefix = _beginning(fact.value.args[1]) if len(fact.value.args) > 1 else ""
            if path not in self.outside and len(prefix) >= SHORTEST and prefix.endswith("_"):
                caller = Frame(path, function)
                made = [i for i, other in enumerate(function.calls) if v.bare(other.value.target) == fact.value]
                found += [(prefix, caller, index) for index in made or [position(function, fact)]]
        return found

    def _is_meant(self, value: Value, frame: Frame, caller: Frame) -> bool:
        """Whether a value is a function itself: its name, or that of a method on the object of its class."""
        simple = frame.function.qualname.rpartition(".")[2]
        if isinstance(value, v.Attr) and value.name == simple and isinstance(value.base, v.Param):
            params = caller.function.params
            owner, cls = (self.program.owner(frame.path, one.function) for one in (caller, frame))
            own = owner is not None and cls is not None and owner in self.program.lineage(cls)
            return own and bool(params) and params[0].name == value.base.name
        if not isinstance(value, v.Ref) or last_name(value) != simple:
            return False
        symbol = self.infer.symbol_of(value, caller)
        return isinstance(symbol, FunctionSymbol) and (symbol.path, symbol.facts.qualname) == frame.key

    def is_left_to_library(self, cls: ClassSymbol, method: FunctionFacts, uses: list[Use]) -> bool:
        """Whether a class that names this one has no call of its own on the object, but its library has."""
        users = {use.user for use in uses}
        simple = method.qualname.rpartition(".")[2]
        return any(
            user not in users and self._library_stores(user)
            for one in self.program.descendants(cls)
            if self._reaches(one, "", simple, method)
            for named in (one, *self._fillers.get(one, ()))
            for user in self._named_by.get(named, ())
        )

    def _reaches(self, cls: ClassSymbol, name: str, simple: str, method: FunctionFacts) -> bool:
        """Whether a call of `name` on an object of a class runs the method `simple`, and that is the one that is meant."""
        reached = self.program.member(cls, simple)
        if not isinstance(reached, FunctionSymbol) or reached.facts is not method:
            return False
        return not name or name == simple or self._passes_on(cls, name)

    def _passes_on(self, cls: ClassSymbol, name: str) -> bool:
        """Whether a method of a class is the library's, or calls what it stands in place of."""
        method = self.program.member(cls, name)
        return method is None or (
            isinstance(method, FunctionSymbol) and any(fact.name == name for fact in method.facts.calls)
        )

    def _running(self, cls: ClassSymbol, simple: str) -> set[str]:
        """The library's methods that run a method of this name."""
        return {name for base in self._libraries(cls) for name in self.knowledge.callers_of(base, simple)}

    def _siblings(self, cls: ClassSymbol, name: str) -> frozenset[str]:
        """The methods that a library's method runs, one or the other."""
        effects = [self.knowledge.method(base, name) for base in self._libraries(cls)]
        return frozenset(one for e in effects if e is not None for one in (*e.calls, *e.calls_if_row))

    # What is called

    def _table(self, name: str) -> dict[ClassSymbol, list[Use]]:
        """The calls of this name, by the class of the object that each is made on."""
        if name not in self._uses:
            table = self._uses[name] = {}
            for path, function, fact in self.program.calls_named(name):
                if path in self.outside or not function.owner or not isinstance(fact.value.target, v.Attr):
                    continue
                frame, receiver = Frame(path, function), fact.value.target.base
                owner = self.program.owner(path, function) if _is_made_by_self(receiver, frame) else None
                for user in self.program.descendants(owner) if owner is not None else ():
                    if self._has(user, function):
                        for cls in dict.fromkeys(self._objects(receiver, frame, user, 0)):
                            table.setdefault(cls, []).append(Use(frame, fact, user, cls))
        return self._uses[name]

    def _has(self, user: ClassSymbol, function: FunctionFacts) -> bool:
        """Whether a method is one of those of a class, and not replaced without being called."""
        simple = function.qualname.rpartition(".")[2]
        method = self.program.member(user, simple)
        if not isinstance(method, FunctionSymbol):
            return False
        return method.facts is function or any(fact.name == simple for fact in method.facts.calls)

    def _objects(self, value: Value, frame: Frame, user: ClassSymbol, depth: int) -> Iterator[ClassSymbol]:
        """The classes of which a value may be an object, where `self` is a `user`."""
        value = plain(value)
        if depth > FURTHEST:
            return
        if isinstance(value, v.Choice):
            for option in value.options:
                yield from self._objects(option, frame, user, depth + 1)
        elif isinstance(value, v.Call):
            yield from self._classes(value.target, frame, user, depth + 1)
            name = _own(value.target, frame)
            if name:
                method = self.program.member(user, name)
                if isinstance(method, FunctionSymbol) and method.facts.returns is not None:
                    there = Frame(method.path, method.facts)
                    yield from self._objects(method.facts.returns, there, user, depth + 1)
                elif method is None:
                    yield from (cls for cls in self._stated(user, depth + 1) if self._gives(user, name, cls))
        elif name := _own(value, frame):
            for base in self.program.lineage(user):
                for bound in self.infer.attribute_values(base, name) if isinstance(base, ClassSymbol) else ():
                    yield from self._objects(bound.value, bound.frame, user, depth + 1)
        elif isinstance(value, v.Param):
            yield from self._given(value.name, frame, user, depth + 1)

    def _given(self, name: str, frame: Frame, user: ClassSymbol, depth: int) -> Iterator[ClassSymbol]:
        """The classes of what a method is called with: by others of the same object, or by the library."""
        sites = [
            site
            for site in self.infer.callers(*frame.key)
            if site.frame.path not in self.outside
            and (owner := self.program.owner(site.frame.path, site.frame.function)) is not None
            and owner in self.program.lineage(user)
        ]
        for site in sites:
            if name in site.arguments:
                argument = site.arguments[name]
                yield from self._objects(argument.value, argument.frame, user, depth + 1)
        params = frame.function.params
        if len(params) > 1 and params[1].name == name and self._is_hook(user, frame.function):
            yield from self._stated(user, depth)

    def _is_hook(self, user: ClassSymbol, function: FunctionFacts) -> bool:
        """Whether a method stands in place of a library's that stores what it is given."""
        simple = function.qualname.rpartition(".")[2]
        bases = self._libraries(user)
        effects = [self.knowledge.method(base, simple) for base in bases]
        calling = [
            self.knowledge.method(base, one) for base in bases for one in self.knowledge.callers_of(base, simple)
        ]
        return any(e is not None and e.does == "write" for e in effects) or any(
            e is not None and simple in e.calls for e in calling
        )

    def _classes(self, value: Value, frame: Frame, user: ClassSymbol, depth: int) -> Iterator[ClassSymbol]:
        """The classes that a value may be, where `self` is a `user`."""
        value = plain(value)
        if depth > FURTHEST:
            return
        if isinstance(value, v.Choice):
            for option in value.options:
                yield from self._classes(option, frame, user, depth + 1)
        elif isinstance(value, v.Call):
            name = _own(value.target, frame) or _above(value.target)
            method = self.program.member(user, name) if name and not _above(value.target) else None
            if isinstance(method, FunctionSymbol) and method.facts.returns is not None:
                yield from self._classes(method.facts.returns, Frame(method.path, method.facts), user, depth + 1)
            elif name and method is None:
                yield from self._attributes(user)
        elif name := _own(value, frame):
            for base in self.program.lineage(user):
                bounds = self.infer.attribute_values(base, name) if isinstance(base, ClassSymbol) else []
                symbols = [self.infer.symbol_of(bound.value, bound.frame) for bound in bounds]
                if symbols:
                    yield from (symbol for symbol in symbols if isinstance(symbol, ClassSymbol))
                    break
        else:
            symbol = self.infer.symbol_of(value, frame) if depth > 1 else None
            if isinstance(symbol, ClassSymbol):
                yield symbol

    def _stated(self, user: ClassSymbol, depth: int) -> Iterator[ClassSymbol]:
        """The classes of the objects that the library makes for a class which says of what."""
        for name in STATED:
            method = self.program.member(user, f"get_{name}")
            if isinstance(method, FunctionSymbol) and method.facts.returns is not None:
                yield from self._classes(method.facts.returns, Frame(method.path, method.facts), user, depth + 1)
        yield from self._attributes(user)

    def _gives(self, user: ClassSymbol, name: str, cls: ClassSymbol) -> bool:
        """Whether what a library's method gives may be an object of a class: `get_serializer`, but not `get_object`."""
        effects = [self.knowledge.method(base, name) for base in self._libraries(user)]
        given = {kind for e in effects if e is not None for kind in self.knowledge.lineage(e.returns)}
        return any(kind in given for base in self._libraries(cls) for kind in self.knowledge.lineage(base))

    def _libraries(self, cls: ClassSymbol) -> list[str]:
        return [base for base in self.program.lineage(cls) if isinstance(base, str)]

    def _attributes(self, user: ClassSymbol) -> Iterator[ClassSymbol]:
        for name in STATED:
            member = self.program.member(user, name)
            if isinstance(member, ValueSymbol):
                symbol = self.infer.symbol_of(member.value, self.infer.module_frame(member.path))
                if isinstance(symbol, ClassSymbol):
                    yield symbol

    # Who names a class

    def users_of(self, cls: ClassSymbol) -> list[ClassSymbol]:
        """The classes that name this one, or one derived from it, for their library to make objects of."""
        return [user for one in self.program.descendants(cls) for user in self._named_by.get(one, ())]

    @cached_property
    def _named_by(self) -> dict[ClassSymbol, list[ClassSymbol]]:
        """The classes by one that they name in one of the attributes that the library asks for."""
        found: dict[ClassSymbol, list[ClassSymbol]] = {}
        for path, outline in self.program.outlines.items():
            facts = self.program.facts(path) if outline.bases and path not in self.outside else None
            for one in facts.classes.values() if facts else ():
                if any(name in one.attributes or f"get_{name}" in one.methods for name in STATED):
                    user = ClassSymbol(path, one)
                    for cls in dict.fromkeys(self._stated(user, 0)):
                        found.setdefault(cls, []).append(user)
        return found

    @cached_property
    def _fillers(self) -> dict[ClassSymbol, list[ClassSymbol]]:
        """The forms and serializers that are so named, by the class of the rows that they fill."""
        found: dict[ClassSymbol, list[ClassSymbol]] = {}
        for cls in self._named_by:
            row = self.infer.filled_by(cls)
            if row is not None:
                found.setdefault(row, []).append(cls)
        return found

    def _library_stores(self, user: ClassSymbol) -> bool:
        """Whether a method of the library that stores objects is left as it is, and called outside of transactions."""
        libraries = self._libraries(user)
        answers = {name for base in libraries for name in self.knowledge.answers.get(base, ())}
        if answers <= READING:
            return False
        for base in libraries:
            for kind in self.knowledge.lineage(base):
                for name in self.knowledge.types[kind].methods:
                    effect = self.knowledge.method(base, name)
                    if (
                        effect is not None
                        and effect.does == "write"
                        and not effect.calls
                        and REMOVING.isdisjoint(split_words(name))
                        and not self.knowledge.is_within(base, name)
                        and self.program.member(user, name) is None
                    ):
                        return True
        return False


def _is_made_by_self(value: Value, frame: Frame) -> bool:
    """Whether an object may have been made of a class that `self` names: before anything is looked up."""
    value = plain(value)
    if isinstance(value, v.Choice):
        return any(_is_made_by_self(option, frame) for option in value.options)
    if isinstance(value, v.Param):
        return not _is_self(value, frame)
    if isinstance(value, v.Call):
        target = plain(value.target)
        return bool(_own(target, frame)) or (isinstance(target, (v.Call, v.Choice)) and _is_made_by_self(target, frame))
    return bool(_own(value, frame))


def _is_self(value: Value, frame: Frame) -> bool:
    params = frame.function.params
    return isinstance(value, v.Param) and bool(params) and params[0].name == value.name


def _own(value: Value, frame: Frame) -> str:
    """The name of an attribute of `self`."""
    value = plain(value)
    return value.name if isinstance(value, v.Attr) and _is_self(plain(value.base), frame) else ""


def _above(value: Value) -> str:
    """The name of a method behind `super()`."""
    value = plain(value)
    base = plain(value.base) if isinstance(value, v.Attr) else None
    return value.name if isinstance(value, v.Attr) and isinstance(base, v.Op) and base.kind == "super" else ""


def _may_run(use: Use, simple: str, siblings: frozenset[str]) -> bool:
    """Whether a call may run this one of several methods: `perform_create` says that it runs no `update`."""
    said = siblings & set(split_words(use.frame.function.qualname.rpartition(".")[2]))
    return not said or simple in said


def _beginning(name: Value) -> str:
    """What a text begins with: `action_` of `f"action_{what}"` and of `"action_%s" % what`."""
    inner = v.bare(name)
    if isinstance(inner, v.Op) and inner.kind in {"%", "format"}:
        pattern = v.bare(inner.subject)
        text = pattern.value if isinstance(pattern, v.Const) and isinstance(pattern.value, str) else ""
        return text.partition("%")[0].partition("{")[0] if "%" in text or "{" in text else ""
    first = v.bare(inner.parts[0]) if isinstance(inner, v.Text) and len(inner.parts) > 1 else None
    return first.value if isinstance(first, v.Const) and isinstance(first.value, str) else ""
