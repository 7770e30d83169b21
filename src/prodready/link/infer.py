"""Callees of calls and callers of functions, over all files of a program."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from prodready.link.annotations import MAX_HOPS
from prodready.link.frames import (
    MAX_DEPTH,
    Bound,
    Callee,
    CallSite,
    Frame,
    Type,
    is_classmethod,
    is_static,
)
from prodready.link.given import by_call, within
from prodready.link.program import (
    ClassSymbol,
    FunctionSymbol,
    LibrarySymbol,
    ModuleSymbol,
    Program,
    Symbol,
    ValueSymbol,
)
from prodready.link.scope import Scope
from prodready.link.types import Types
from prodready.read import values as v
from prodready.read.facts import CallFact, FunctionFacts, last_name
from prodready.read.values import Given, Value

SOME = 6
"""Callers by which the type of a parameter is told."""

LOOKED = 200
"""Calls of the same name that are looked at to find them."""

COMMON_METHODS = frozenset({*dir(str), *dir(dict), *dir(list), *dir(set)}).union(
    """
    add all apply build call check clear close commit connect count create delete dispatch execute exists
    fetch filter first flush get handle info insert load make one open parse post process put query read
    remove render reset rollback run save search select send set start stop submit update validate write
    acquire cancel join kill next notify poll push release result seek terminate wait
    """.split()
)
"""Method names so common that their being defined once in the project says nothing."""


class Inference(Types):
    """Look-ups over a program: types, callees, callers."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self._given: dict[int, tuple[FunctionFacts, dict[int, Given]]] = {}
        self._called: dict[tuple[str, str, Scope | None], _Sites] = {}

    def callees(self, bound: Bound, depth: int = 0) -> list[Callee]:
        """What a call (a Bound of a `Call`) may reach; empty where nothing is known of it."""
        call = bound.value
        assert isinstance(call, v.Call)
        if bound.frame.entered:
            return _that_take(call, self._callees_of(bound.sub(call.target), depth))
        key = (id(call.target), id(bound.frame.function), depth)
        known = self._reached.get(key) or self._tentative_callees.get(key)
        if known is None:
            if self._busy:
                known = (call.target, self._callees_of(bound.sub(call.target), depth))
                (self._reached if known[1] else self._tentative_callees)[key] = known
            else:
                alike = (call.target, key[1], depth)
                if alike not in self._reached_alike:
                    self._reached_alike[alike] = self._callees_of(bound.sub(call.target), depth)
                known = self._reached[key] = (call.target, self._reached_alike[alike])
        return _that_take(call, known[1])

    def _callees_of(self, bound: Bound, depth: int) -> list[Callee]:
        if depth > MAX_HOPS:
            return []
        target, frame = v.bare(bound.value), bound.frame
        if isinstance(target, v.Choice):
            return [c for option in target.options[:4] for c in self._callees_of(bound.sub(option), depth + 1)]
        if isinstance(target, v.Free):
            outer = self.program.function(frame.path, target.owner)
            return self._callees_of(Bound(target.value, Frame(frame.path, outer)), depth + 1) if outer else []
        if isinstance(target, v.Param):
            argument = frame.binding(target.name)
            return self._callees_of(argument, depth + 1) if argument is not None else []
        if isinstance(target, v.Call) and last_name(target) == "partial" and target.args:
            return self._callees_of(bound.sub(target.args[0]), depth + 1)
        symbol = self.symbol_of(target, frame)
        match symbol:
            case FunctionSymbol():
                return [Callee(symbol.facts.qualname, function=symbol)]
            case ClassSymbol():
                return [Callee(symbol.facts.qualname, cls=symbol, function=self._constructor(symbol))]
            case LibrarySymbol():
                effect = self.knowledge.function(symbol.name)
                if effect is not None:
                    return [Callee(symbol.name, effect=effect)]
            case ValueSymbol() if symbol.value != target:
                found = self._callees_of(Bound(symbol.value, self.module_frame(symbol.path)), depth + 1)
                if found:
                    # The object as this file names it: as its own names it nothing here would know it.
                    own = target.base if isinstance(target, v.Attr) else None
                    own = None if own is not None and isinstance(self.symbol_of(own, frame), ModuleSymbol) else own
                    return [
                        replace(c, receiver=own) if own is not None and c.receiver is not None else c for c in found
                    ]
        if isinstance(target, v.Attr):
            return self._methods(bound.sub(target), target, symbol, depth)
        if isinstance(symbol, LibrarySymbol):
            return [Callee(symbol.name)]
        kind = self.type_of(bound.sub(target), depth + 1)  # an instance that is called
        for library in self.library_types(kind):
            effect = self.knowledge.slot(library, "call")
            if effect is not None:
                return [Callee(f"{library}()", effect=effect, type=kind, receiver=target)]
        if kind is not None and kind.cls is not None:
            member = self.program.member(kind.cls, "__call__")
            if isinstance(member, FunctionSymbol):
                return [Callee(member.facts.qualname, function=member, type=kind, receiver=target)]
        return []

    def _constructor(self, cls: ClassSymbol) -> FunctionSymbol | None:
        member = self.program.member(cls, "__init__")
        return member if isinstance(member, FunctionSymbol) else None

    def _methods(self, bound: Bound, target: v.Attr, symbol: Symbol | None, depth: int) -> list[Callee]:
        base, name = target.base, target.name
        kind = self.type_of(bound.sub(base), depth + 1) or self._class_itself(base, bound.frame)
        assumed = kind.assumed if kind else False
        owner = v.bare(base)
        is_super = isinstance(owner, v.Op) and owner.kind == "super"
        if kind is not None and kind.cls is not None:
            behind = self.program.owner(bound.frame.path, bound.frame.function) or kind.cls if is_super else None
            found = self._project_methods(kind.cls, name, behind)
            if found:
                return [Callee(f.facts.qualname, function=f, type=kind, receiver=base, assumed=assumed) for f in found]
            for value in self._attribute_callables(kind.cls, name):
                reached = self._callees_of(value, depth + 2)
                if reached:
                    return reached
        for library in self.library_types(kind):
            effect = self.knowledge.method(library, name)
            if effect is not None:
                return [Callee(f"{library}.{name}", effect=effect, type=kind, receiver=base, assumed=assumed)]
        if is_super and kind is not None and kind.cls is not None:
            return self._behind_mixin(kind.cls, name, base)
        if kind is not None and kind.cls is None and self.knowledge.is_subclassed(kind.name):
            found = self._of_subclasses(kind.name, name)
            if found:
                return [Callee(f.facts.qualname, function=f, type=kind, receiver=base, assumed=True) for f in found]
        if kind is not None and not assumed and kind.cls is None and self.is_described(kind.name):
            return [Callee(f"{kind.name}.{name}", type=kind, receiver=base)]
        if isinstance(symbol, LibrarySymbol) and self._is_outside(symbol.name):
            row = symbol.name.rpartition(".")[0]
            of_row = self.knowledge.method(row, name) if self.knowledge.is_row(row) else None  # `Model.save(self)`
            return [Callee(symbol.name, receiver=base, effect=of_row)]
        effect = self.knowledge.method("*", name)
        if (kind is None or assumed) and effect is None and name not in COMMON_METHODS:
            candidates = self.program.methods_named(name)
            if len(candidates) == 1:
                return [Callee(candidates[0].facts.qualname, function=candidates[0], receiver=base, assumed=True)]
        if effect is not None and (kind is None or assumed or kind.cls is not None):
            return [Callee(f"*.{name}", effect=effect, receiver=base, assumed=True, type=kind)]
        return []

    def _of_subclasses(self, library: str, name: str) -> list[FunctionSymbol]:
        """The methods of the project that a call on some object of a class derived from a library's may run.

        Those of such classes and of what they are made of, without those that have another one's place.
        """
        owners = [
            (owner, method)
            for method in self.program.methods_named(name)
            if (owner := self.program.owner(method.path, method.facts)) is not None
        ]
        first = [
            (owner, method)
            for owner, method in owners
            if not any(other != owner and other in self.program.lineage(owner) for other, _ in owners)
        ]
        found = [
            method
            for owner, method in first
            if any(self.is_instance(Type(cls, ""), library) for cls in (owner, *self.program.subclasses(owner)))
        ]
        return found if len(found) <= SOME else []

    def _behind_mixin(self, cls: ClassSymbol, name: str, receiver: Value) -> list[Callee]:
        """What `super()` reaches in a class that is mixed in before others: what comes after it in a class that does so."""
        for sub in self.program.subclasses(cls)[:SOME]:
            lineage = self.program.lineage(sub)
            behind = lineage[lineage.index(cls) + 1 :] if cls in lineage else ()
            for base in behind:
                if isinstance(base, ClassSymbol):
                    function = self.program.function(base.path, f"{base.facts.qualname}.{name}")
                    if function is not None and base != cls:
                        found = FunctionSymbol(base.path, function)
                        return [Callee(function.qualname, function=found, type=Type(sub, ""), receiver=receiver)]
                elif (effect := self.knowledge.method(base, name)) is not None:
                    return [Callee(f"{base}.{name}", effect=effect, type=Type(sub, ""), receiver=receiver)]
        return []

    def _class_itself(self, base: Value, frame: Frame) -> Type | None:
        """The type whose methods are called on a class: `Order.create(...)` of what a library gives to its subclasses."""
        symbol = self.symbol_of(base, frame)
        return Type(symbol, symbol.facts.qualname) if isinstance(symbol, ClassSymbol) else None

    def _is_outside(self, name: str) -> bool:
        """A dotted name whose root is an imported module that the project does not have."""
        return not name.startswith((":", "."))

    def _attribute_callables(self, cls: ClassSymbol, name: str) -> list[Bound]:
        return [
            bound
            for base in self.program.lineage(cls)
            if isinstance(base, ClassSymbol)
            for bound in self.attribute_values(base, name)
            if isinstance(v.bare(bound.value), (v.Ref, v.Attr))
        ]

    def _project_methods(self, cls: ClassSymbol, name: str, behind: ClassSymbol | None) -> list[FunctionSymbol]:
        """The methods of an object of a class; those behind one of its classes, as `super()` in that one means them."""
        if behind is not None:
            lineage = self.program.lineage(cls)
            for base in lineage[lineage.index(behind) + 1 if behind in lineage else 1 :]:
                if isinstance(base, ClassSymbol) and isinstance(m := self.program.member(base, name), FunctionSymbol):
                    return [m]
            return []
        member = self.program.member(cls, name)
        if isinstance(member, FunctionSymbol):
            return [member]
        found = [
            m for sub in self.program.subclasses(cls) if isinstance(m := self.program.member(sub, name), FunctionSymbol)
        ]
        return found[:3]

    def bind(self, callee: Callee, bound: Bound) -> tuple[tuple[str, Bound], ...]:
        """The callee's parameters bound to the arguments of the call, as far as they can be told apart."""
        function, call = callee.function, bound.value
        assert function is not None
        assert isinstance(call, v.Call)
        params = list(function.facts.params)
        bindings: dict[str, Bound] = {}
        if function.facts.owner and params and not is_static(function.facts):
            first = params[0]
            via_instance = callee.cls is not None or callee.receiver is not None or is_classmethod(function.facts)
            if via_instance:
                params = params[1:]
                if callee.receiver is not None and callee.cls is None:
                    bindings[first.name] = bound.sub(callee.receiver)
        positional = [p for p in params if p.kind == ""]
        rest = next((p for p in params if p.kind == "*"), None)
        spilled = False
        extra: list[Value] = []
        for index, argument in enumerate(call.args):
            if v.is_star(argument):
                spilled = True
                extra.append(argument)
            elif index < len(positional) and not spilled:
                bindings[positional[index].name] = bound.sub(argument)
            else:
                extra.append(argument)
        if rest is not None:
            bindings[rest.name] = bound.sub(v.seq(extra, is_open=spilled))
        names = {p.name for p in params if p.kind in {"", "="}}
        others: list[tuple[Value | None, Value]] = []
        unpacked = False
        for key, value in call.keywords:
            if key == "**":
                unpacked = True
                inner = v.bare(value)
                for map_key, map_value in inner.items if isinstance(inner, v.Map) else ((None, value),):
                    if isinstance(map_key, v.Const) and map_key.value in names:
                        bindings[str(map_key.value)] = bound.sub(map_value)
                    else:
                        others.append((map_key, map_value))
            elif key in names:
                bindings[key] = bound.sub(value)
            else:
                others.append((v.Const(key), value))
        keyword_rest = next((p for p in params if p.kind == "**"), None)
        if keyword_rest is not None:
            bindings[keyword_rest.name] = bound.sub(v.mapping(others))
        home = self.module_frame(function.path)
        for param in params:
            if param.name not in bindings and param.default is not None and not spilled and not unpacked:
                bindings[param.name] = Bound(param.default, home)
        return tuple(bindings.items())

    def enter(self, callee: Callee, bound: Bound) -> Frame | None:
        """The frame inside a call of a project's function; None where calls are nested too deeply or recurse."""
        function = callee.function
        if function is None or bound.frame.depth >= MAX_DEPTH:
            return None
        if bound.frame.key == (function.path, function.facts.qualname):
            return None
        return Frame(function.path, function.facts, self.bind(callee, bound), bound.frame.depth + 1, entered=True)

    def home(self, frame: Frame) -> Frame:
        """Where a function is defined: in another function, or in the module."""
        outer = self.program.function(frame.path, frame.function.qualname.rpartition(".")[0].removesuffix(".<locals>"))
        return Frame(frame.path, outer) if outer else self.module_frame(frame.path)

    # Callers

    def callers(self, path: str, qualname: str, scope: Scope | None = None) -> list[CallSite]:
        """The calls in the project, or in a scope of it, that reach a function."""
        sites = self._sites(path, qualname, scope)
        while sites.look():
            pass
        return sites.found

    def is_called(self, path: str, qualname: str) -> bool:
        """Whether any call in the project reaches a function."""
        sites = self._sites(path, qualname, None)
        while not sites.found and sites.look():
            pass
        return bool(sites.found)

    def is_used(self, path: str, qualname: str) -> bool:
        """Whether any call reaches a function that is not one of tests, which call what nothing else does."""
        sites = self._sites(path, qualname, None)
        asked = 0
        while asked < len(sites.found) or sites.look():
            if any(self.is_use(site, path) for site in sites.found[asked:]):
                return True
            asked = len(sites.found)
        return False

    def is_use(self, site: CallSite, path: str) -> bool:
        """Whether a call of something in the file `path` tells how the application runs; in tests all of them do."""
        return site.frame.path not in self.program.tests or path in self.program.tests

    def some_callers(self, path: str, qualname: str) -> list[CallSite]:
        """A few of the calls that reach a function: enough to tell the type of a parameter."""
        sites = self._sites(path, qualname, None)
        while len(sites.found) < SOME and sites.looked < LOOKED and sites.look():
            pass
        return [site for site, place in zip(sites.found[:SOME], sites.places, strict=False) if place <= LOOKED]

    def _sites(self, path: str, qualname: str, scope: Scope | None) -> _Sites:
        key = (path, qualname, scope)
        if key not in self._called:
            self._called[key] = _Sites(self._search(path, qualname, scope))
        return self._called[key]

    def _search(self, path: str, qualname: str, scope: Scope | None) -> Iterator[CallSite | None]:
        """Each call of something of this name: where it reaches the function the site, else None."""
        for name in self.called_as(path, qualname):
            for caller_path, function, fact in self.program.calls_named(name, scope):
                bound = Bound(fact.value, Frame(caller_path, function))
                site = None
                for callee in self.callees(bound):
                    reached = callee.function
                    if reached is not None and reached.path == path and reached.facts.qualname == qualname:
                        site = self._site(callee, bound, fact)
                        break
                yield site

    def _site(self, callee: Callee, bound: Bound, fact: CallFact) -> CallSite:
        there = Bound(fact.value, self.at(bound.frame, fact) or bound.frame)
        return CallSite(there.frame, fact, dict(self.bind(callee, there)), callee.assumed)

    def at(self, frame: Frame, fact: CallFact) -> Frame | None:
        """The frame as it is where one of its calls happens; None where what it is bound to does not lead there."""
        function = frame.function
        if id(function) not in self._given:
            self._given[id(function)] = (function, by_call(function))
        given = self._given[id(function)][1]
        if not given:
            return frame
        tests = next((tests for index, tests in given.items() if function.calls[index] is fact), ())
        return within(frame, tests)

    def called_as(self, path: str, qualname: str) -> dict[str, None]:
        """The names by which calls may reach a function."""
        simple = qualname.rpartition(".")[2]
        names = [simple]
        if simple == "__init__" and "." in qualname:
            names = [qualname.split(".")[-2]]
            facts = self.program.facts(path)
            owner = facts.classes.get(qualname.rpartition(".")[0]) if facts else None
            if owner is not None:
                names += [
                    sub.facts.qualname.rpartition(".")[2] for sub in self.program.subclasses(ClassSymbol(path, owner))
                ] + ["__init__"]
        elif simple == "__call__":
            return {}
        elif simple.startswith("<lambda>"):
            facts = self.program.facts(path)
            names += [n for n, x in facts.values.items() if v.bare(x) == v.Ref(f":{qualname}")] if facts else []
        names += [alias for name in names for alias in self.program.other_names(name)]
        return dict.fromkeys(names)


def _that_take(call: v.Call, callees: list[Callee]) -> list[Callee]:
    """The callees without those that were found by their name alone and cannot be called with so many arguments."""
    return [callee for callee in callees if not callee.assumed or callee.function is None or _takes(callee, call)]


def _takes(callee: Callee, call: v.Call) -> bool:
    assert callee.function is not None
    params = callee.function.facts.params
    places = sum(param.kind == "" for param in params) - (not is_static(callee.function.facts))
    names = {param.name for param in params}
    kinds = {param.kind for param in params}
    return ("*" in kinds or sum(not v.is_star(argument) for argument in call.args) <= places) and (
        "**" in kinds or all(key == "**" or key in names for key, _ in call.keywords)
    )


class _Sites:
    """The call sites of one function, searched for only as far as somebody asks."""

    def __init__(self, search: Iterator[CallSite | None]) -> None:
        self.found: list[CallSite] = []
        self.places: list[int] = []
        self.looked = 0
        self._search = search
        self._busy = False

    def look(self) -> bool:
        """Look at the next call; False at the end, and where the search itself has led here again."""
        if self._busy:
            return False
        self._busy = True
        try:
            site = next(self._search)
        except StopIteration:
            return False
        finally:
            self._busy = False
        self.looked += 1
        if site is not None:
            self.found.append(site)
            self.places.append(self.looked)
        return True
