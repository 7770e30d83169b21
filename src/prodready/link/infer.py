"""Types of values, callees of calls, and callers of functions, over all files of a program."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from prodready.knowledge import NOTHING, Effect
from prodready.link.program import (
    ClassSymbol,
    FunctionSymbol,
    LibrarySymbol,
    ModuleSymbol,
    Program,
    Symbol,
    ValueSymbol,
)
from prodready.read import values as v
from prodready.read.facts import CallFact, FunctionFacts, ParamFact, last_name
from prodready.read.values import Value
from prodready.words import split_words

MAX_DEPTH = 7
"""Calls entered inside one another while a value is followed."""

MAX_HOPS = 18
"""Names, attributes and calls looked behind for one type."""

MAX_CALLERS = 40
"""Callers looked at for one function; beyond it, the function counts as open to anybody."""

TRANSPARENT_GENERICS = frozenset({"Optional", "Annotated", "Final", "ClassVar", "Union", "Awaitable", "Type", "type"})
ITERABLE_GENERICS = frozenset(
    {"Iterator", "AsyncIterator", "Generator", "AsyncGenerator", "ContextManager", "AsyncContextManager"}
)


@dataclass(frozen=True)
class Frame:
    """Where a value lives: the file and function, and, inside a followed call, what its parameters are bound to."""

    path: str
    function: FunctionFacts
    bindings: tuple[tuple[str, Bound], ...] = ()
    depth: int = 0
    entered: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """The identity of the function."""
        return (self.path, self.function.qualname)

    def binding(self, name: str) -> Bound | None:
        """What the parameter `name` is bound to, where the frame was entered by a known call."""
        return next((bound for key, bound in self.bindings if key == name), None)

    def param(self, name: str) -> ParamFact | None:
        """The parameter `name`."""
        return next((p for p in self.function.params if p.name == name), None)

    def __hash__(self) -> int:
        return hash((self.path, self.function.qualname, self.depth, len(self.bindings)))


@dataclass(frozen=True)
class Bound:
    """A value together with the frame that gives its parameters and names a meaning."""

    value: Value
    frame: Frame

    def sub(self, value: Value) -> Bound:
        """Another value of the same frame."""
        return Bound(value, self.frame)


@dataclass(frozen=True)
class Type:
    """A class of the project, or of a library by name. `assumed`: concluded from a name only."""

    cls: ClassSymbol | None
    name: str
    assumed: bool = False


@dataclass(frozen=True)
class Callee:
    """What a call reaches: a function of the project, a class of it, or what the knowledge says of a library's."""

    name: str
    function: FunctionSymbol | None = None
    cls: ClassSymbol | None = None
    effect: Effect | None = None
    type: Type | None = None
    receiver: Value | None = None
    assumed: bool = False


@dataclass(frozen=True)
class CallSite:
    """A call of a known function, seen from its caller."""

    frame: Frame
    fact: CallFact
    arguments: dict[str, Bound] = field(compare=False)
    assumed: bool = False


class Inference:
    """Look-ups over a program. All results are cached; the program does not change while it lives."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.knowledge = program.knowledge
        # Keyed by identity, which is quick and safe, because each entry keeps the value it speaks of alive.
        self._types: dict[tuple[int, int], tuple[Value, Type | None]] = {}
        self._reached: dict[tuple[int, int], tuple[Value, list[Callee]]] = {}
        self._busy: set[tuple[str, str, str]] = set()
        self._receiver_words = {tuple(split_words(name)): kind for name, kind in self.knowledge.names.items()}
        self.callers = lru_cache(maxsize=None)(self._callers)

    # Types

    def type_of(self, bound: Bound, depth: int = 0) -> Type | None:
        """The class of a value, if it can be told."""
        if depth > MAX_HOPS:
            return None
        if bound.frame.entered or self._busy:
            return self._infer(bound, depth)
        key = (id(bound.value), id(bound.frame.function))
        known = self._types.get(key)
        if known is None:
            known = self._types[key] = (bound.value, self._infer(bound, depth))
        return known[1]

    def _infer(self, bound: Bound, depth: int) -> Type | None:
        value, frame = bound.value, bound.frame
        match value:
            case v.Named():
                return self.type_of(bound.sub(value.value), depth + 1) or self._by_name(value.name)
            case v.Mark():
                return self.type_of(bound.sub(value.value), depth + 1)
            case v.Free():
                outer = self.program.function(frame.path, value.owner)
                return self.type_of(Bound(value.value, Frame(frame.path, outer)), depth + 1) if outer else None
            case v.Param():
                return self._type_of_param(value.name, frame, depth)
            case v.Ref():
                return self._type_of_ref(value.name, frame, depth)
            case v.Attr():
                return self._type_of_attribute(bound, value, depth)
            case v.Item():
                base = self.type_of(bound.sub(value.base), depth + 1)
                return self._slot(base, "item", frame, depth)
            case v.Call():
                return self._type_of_call(bound, value, depth)
            case v.Op():
                return self._type_of_op(bound, value, depth)
            case v.Choice():
                found = [t for option in value.options if (t := self.type_of(bound.sub(option), depth + 1))]
                return next((t for t in found if not t.assumed), found[0] if found else None)
        return None

    def library_types(self, kind: Type | None) -> list[str]:
        """The library classes that an object of this type is an instance of, nearest first."""
        if kind is None:
            return []
        if kind.cls is None:
            return [kind.name]
        return [base for base in self.program.lineage(kind.cls) if isinstance(base, str)]

    def _by_name(self, name: str) -> Type | None:
        """The type a name suggests: `cursor`, `self._conn`, `db_cursor`."""
        words = tuple(split_words(name))
        for start in range(len(words)):
            kind = self._receiver_words.get(words[start:])
            if kind is not None:
                return Type(None, kind, assumed=True)
        return None

    def _type_of_param(self, name: str, frame: Frame, depth: int) -> Type | None:
        bound = frame.binding(name)
        if bound is not None:
            return self.type_of(bound, depth + 1) or self._by_name(name)
        function, param = frame.function, frame.param(name)
        if function.owner and function.params and function.params[0].name == name and not _is_static(function):
            facts = self.program.facts(frame.path)
            if facts and function.owner in facts.classes:
                return Type(ClassSymbol(frame.path, facts.classes[function.owner]), function.owner)
        if param is None:
            return None
        found = self._from_annotation(param.annotation, frame) if param.annotation is not None else None
        if found is None and param.annotation is None and name in self.knowledge.parameters:
            found = Type(None, self.knowledge.parameters[name])
        if found is None and isinstance(param.default, v.Call):
            found = self._from_dependency(Bound(param.default, frame), depth)
        return found or self._from_callers(name, frame, depth) or self._by_name(name)

    def _from_dependency(self, default: Bound, depth: int) -> Type | None:
        """`session=Depends(get_session)`: what the provider gives."""
        call = default.value
        assert isinstance(call, v.Call)
        if not call.args or not isinstance(call.args[0], (v.Ref, v.Attr)):
            return None
        provided = v.call(call.args[0], (), (), call.line, call.column)
        return self.type_of(default.sub(v.op("enter", provided)), depth + 1)

    def _from_callers(self, name: str, frame: Frame, depth: int) -> Type | None:
        key = (*frame.key, name)
        if depth > 8 or key in self._busy:
            return None
        self._busy.add(key)
        try:
            for site in self.callers(frame.path, frame.function.qualname)[:6]:
                argument = site.arguments.get(name)
                found = self.type_of(argument, depth + 2) if argument is not None else None
                if found is not None and not found.assumed:
                    return found
        finally:
            self._busy.discard(key)
        return None

    def _from_annotation(self, annotation: Value, frame: Frame) -> Type | None:
        annotation = v.bare(annotation)
        if isinstance(annotation, v.Choice):
            return next((t for o in annotation.options if (t := self._from_annotation(o, frame))), None)
        if isinstance(annotation, v.Const) and isinstance(annotation.value, str):
            annotation = v.Ref(":" + annotation.value)
        if isinstance(annotation, v.Item):
            name = (v.dotted(annotation.base) or "").rpartition(".")[2]
            if name in TRANSPARENT_GENERICS or name in ITERABLE_GENERICS:
                inner = v.bare(annotation.key)
                first = inner.items[0] if isinstance(inner, v.Seq) and inner.items else inner
                return self._from_annotation(first, frame)
            annotation = annotation.base
        name_ = v.dotted(annotation)
        if name_ is None:
            return None
        symbol = self.program.resolve(name_, frame.path)
        if isinstance(symbol, ClassSymbol):
            return Type(symbol, symbol.facts.qualname)
        if isinstance(symbol, LibrarySymbol):
            return Type(None, self.knowledge.canonical(symbol.name)) if self._is_described(symbol.name) else None
        if isinstance(symbol, ValueSymbol):  # an alias: DbSession = Annotated[Session, Depends(...)]
            inner = v.bare(symbol.value)
            if isinstance(inner, (v.Item, v.Choice, v.Ref, v.Attr)) and inner != annotation:
                return self._from_annotation(inner, self.module_frame(symbol.path))
        return None

    def annotated_class(self, annotation: Bound) -> ClassSymbol | None:
        """The class of the project that an annotation names."""
        kind = self._from_annotation(annotation.value, annotation.frame)
        return kind.cls if kind else None

    def _is_described(self, name: str) -> bool:
        return self.knowledge.canonical(name) in self.knowledge.types

    def _type_of_ref(self, name: str, frame: Frame, depth: int) -> Type | None:
        symbol = self.program.resolve(name, frame.path)
        if isinstance(symbol, ValueSymbol):
            inner = self.module_frame(symbol.path)
            if v.bare(symbol.value) == v.Ref(name) and symbol.path == frame.path:
                return None
            return self.type_of(Bound(symbol.value, inner), depth + 1) or self._by_name(symbol.name)
        if isinstance(symbol, LibrarySymbol):
            effect = self.knowledge.object(symbol.name)
            if effect is not None and effect.returns:
                return Type(None, effect.returns)
            return self._member_chain(symbol.name)
        if isinstance(symbol, (ClassSymbol, FunctionSymbol, ModuleSymbol)):
            return None
        return self._by_name(name.rpartition(".")[2].lstrip(":"))

    def _member_chain(self, name: str) -> Type | None:
        """`flask.request.args` imported by a long name: the object and then its attributes."""
        base, _, attribute = name.rpartition(".")
        if not base:
            return None
        effect = self.knowledge.object(base)
        kind = Type(None, effect.returns) if effect is not None and effect.returns else self._member_chain(base)
        member = self.knowledge.attribute(kind.name, attribute) if kind else None
        return Type(None, member.returns) if member and member.returns else None

    def symbol_of(self, value: Value, frame: Frame) -> Symbol | None:
        """What a dotted expression stands for, when it is one."""
        value = v.bare(value)
        if isinstance(value, v.Free):
            return self.symbol_of(value.value, frame)
        name = v.dotted(value)
        return self.program.resolve(name, frame.path) if name is not None else None

    def _type_of_attribute(self, bound: Bound, value: v.Attr, depth: int) -> Type | None:
        symbol = self.symbol_of(value, bound.frame)
        if isinstance(symbol, ValueSymbol):
            found = self.type_of(Bound(symbol.value, self.module_frame(symbol.path)), depth + 1)
            return found or self._by_name(value.name)
        if isinstance(symbol, LibrarySymbol):
            effect = self.knowledge.object(symbol.name)
            if effect is not None and effect.returns:
                return Type(None, effect.returns)
        base = self.type_of(bound.sub(value.base), depth + 1)
        if base is not None:
            found = self.attribute_type(base, value.name, bound.frame, depth)
            if found is not None:
                return found
        usual = self.knowledge.attribute("*", value.name)
        if usual is not None and usual.returns:
            return Type(None, usual.returns)
        return self._by_name(value.name)

    def attribute_type(self, base: Type, name: str, frame: Frame, depth: int) -> Type | None:
        """The type of an attribute of an object of type `base`."""
        if base.cls is not None:
            for cls in self.program.lineage(base.cls):
                if not isinstance(cls, ClassSymbol):
                    continue
                annotation = cls.facts.annotations.get(name)
                if annotation is not None:
                    found = self._from_annotation(annotation, self.module_frame(cls.path))
                    if found is not None:
                        return found
                for bound in self.attribute_values(cls, name):
                    found = self.type_of(bound, depth + 1)
                    if found is not None:
                        return found
                method = self.program.function(cls.path, f"{cls.facts.qualname}.{name}")
                if method is not None and is_property(method):
                    return self.result_type(FunctionSymbol(cls.path, method), (), depth)
        for library in self.library_types(base):
            effect = self.knowledge.attribute(library, name)
            if effect is not None and effect.returns:
                return Type(None, effect.returns, base.assumed)
        return None

    def attribute_values(self, cls: ClassSymbol, name: str) -> list[Bound]:
        """What this one class binds to an attribute: in its body, and on `self` in its methods."""
        found: list[Bound] = []
        if name in cls.facts.attributes:
            found.append(Bound(cls.facts.attributes[name], self.module_frame(cls.path)))
        for method, value in cls.facts.own.get(name, ()):
            function = self.program.function(cls.path, method)
            if function is not None:
                found.append(Bound(value, Frame(cls.path, function)))
        return found

    def _slot(self, base: Type | None, slot: str, frame: Frame, depth: int) -> Type | None:
        for library in self.library_types(base):
            effect = self.knowledge.slot(library, slot)
            if effect is not None:
                return Type(None, effect.returns, base.assumed if base else False) if effect.returns else None
        return None

    def _type_of_call(self, bound: Bound, value: v.Call, depth: int) -> Type | None:
        for callee in self.callees(bound, depth + 1):
            if callee.cls is not None:
                return Type(callee.cls, callee.cls.facts.qualname)
            if callee.function is not None:
                bindings = self.bind(callee, bound)
                found = self.result_type(callee.function, bindings, depth)
            else:
                effect = callee.effect or NOTHING
                if effect.returns == "self" and callee.type is not None:
                    found = callee.type
                else:
                    found = Type(None, effect.returns, callee.assumed) if effect.returns else None
            if found is not None:
                return found
        return self._row_type(bound, value)

    def _row_type(self, bound: Bound, call: v.Call) -> Type | None:
        """A row by the shape of the query: `session.get(User, 1)`, `User.objects.get(id=1)`, `User.query.first()`."""
        name = last_name(call)
        if name in GETS_OF_CLASS and call.args:
            symbol = self.symbol_of(call.args[0], bound.frame)
            if isinstance(symbol, ClassSymbol):
                return Type(symbol, symbol.facts.qualname)
        if name in GETS_ONE:
            value: Value = call
            while isinstance(value, (v.Call, v.Attr)):
                if isinstance(value, v.Attr) and value.name in {"objects", "query"}:
                    symbol = self.symbol_of(value.base, bound.frame)
                    return Type(symbol, symbol.facts.qualname) if isinstance(symbol, ClassSymbol) else None
                value = v.bare(value.target if isinstance(value, v.Call) else value.base)
        return None

    def result_type(
        self, symbol: FunctionSymbol, bindings: tuple[tuple[str, Bound], ...], depth: int
    ) -> Type | None:
        """The type that calling a function of the project gives."""
        frame = Frame(symbol.path, symbol.facts, bindings, depth + 1, entered=True)
        if symbol.facts.result is not None:
            found = self._from_annotation(symbol.facts.result, frame)
            if found is not None:
                return found
        returned = symbol.facts.returns
        if returned is None or (key := (*frame.key, "()")) in self._busy:
            return None
        self._busy.add(key)
        try:
            return self.type_of(Bound(returned, frame), depth + 2)
        finally:
            self._busy.discard(key)

    def _type_of_op(self, bound: Bound, value: v.Op, depth: int) -> Type | None:
        subject = bound.sub(value.subject)
        if value.kind == "typed":
            return self._from_annotation(value.args[0], bound.frame) or self.type_of(subject, depth + 1)
        if value.kind in {"after", "if", "without"}:
            return self.type_of(subject, depth + 1)
        if value.kind == "super":
            return self.type_of(subject, depth + 1)
        if value.kind in {"format", "join"}:  # of an SQL composition, not of a str
            return self.type_of(subject, depth + 1)
        if value.kind not in {"enter", "each"}:
            return None
        inner = v.bare(value.subject)
        if isinstance(inner, v.Call):
            for callee in self.callees(bound.sub(inner), depth + 1):
                function = callee.function
                if function is not None and function.facts.yields is not None:
                    frame = Frame(function.path, function.facts, self.bind(callee, bound.sub(inner)), depth + 1, True)
                    return self.type_of(Bound(function.facts.yields, frame), depth + 2)
        base = self.type_of(subject, depth + 1)
        if value.kind == "each":
            symbol = self.symbol_of(value.subject, bound.frame)
            if isinstance(symbol, ClassSymbol):  # the members of an enumeration
                return Type(symbol, symbol.facts.qualname)
            return self._slot(base, "each", bound.frame, depth)
        if base is not None and base.cls is not None:
            for name in ("__enter__", "__aenter__"):
                member = self.program.member(base.cls, name)
                if isinstance(member, FunctionSymbol):
                    return self.result_type(member, (), depth) or base
        return self._slot(base, "enter", bound.frame, depth) or base

    # Calls

    def callees(self, bound: Bound, depth: int = 0) -> list[Callee]:
        """What a call (a Bound of a `Call`) may reach; empty where nothing is known of it."""
        call = bound.value
        assert isinstance(call, v.Call)
        if bound.frame.entered or self._busy:
            return self._callees_of(bound.sub(call.target), depth)
        key = (id(call.target), id(bound.frame.function))
        known = self._reached.get(key)
        if known is None:
            known = self._reached[key] = (call.target, self._callees_of(bound.sub(call.target), depth))
        return known[1]

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
                return [Callee(symbol.facts.qualname, cls=symbol, **self._constructor(symbol))]
            case LibrarySymbol():
                effect = self.knowledge.function(symbol.name)
                if effect is not None:
                    return [Callee(symbol.name, effect=effect)]
            case ValueSymbol() if symbol.value != target:
                found = self._callees_of(Bound(symbol.value, self.module_frame(symbol.path)), depth + 1)
                if found:
                    return found
        if isinstance(target, v.Attr):
            return self._methods(bound.sub(target), target, depth)
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

    def _constructor(self, cls: ClassSymbol) -> dict[str, FunctionSymbol]:
        member = self.program.member(cls, "__init__")
        return {"function": member} if isinstance(member, FunctionSymbol) else {}

    def _methods(self, bound: Bound, target: v.Attr, depth: int) -> list[Callee]:
        base, name = target.base, target.name
        kind = self.type_of(bound.sub(base), depth + 1)
        assumed = kind.assumed if kind else False
        is_super = isinstance(v.bare(base), v.Op) and v.bare(base).kind == "super"  # type: ignore[union-attr]
        if kind is not None and kind.cls is not None:
            found = self._project_methods(kind.cls, name, is_super=is_super)
            if found:
                return [
                    Callee(f.facts.qualname, function=f, type=kind, receiver=base, assumed=assumed) for f in found
                ]
            for value in self._attribute_callables(kind.cls, name):
                reached = self._callees_of(value, depth + 2)
                if reached:
                    return reached
        for library in self.library_types(kind):
            effect = self.knowledge.method(library, name)
            if effect is not None:
                return [Callee(f"{library}.{name}", effect=effect, type=kind, receiver=base, assumed=assumed)]
        if kind is not None and not assumed and kind.cls is None and self._is_described(kind.name):
            return [Callee(f"{kind.name}.{name}", type=kind, receiver=base)]
        symbol = self.symbol_of(target, bound.frame)
        if isinstance(symbol, LibrarySymbol) and self._is_outside(symbol.name):
            return [Callee(symbol.name, receiver=base)]
        effect = self.knowledge.method("*", name)
        if kind is None or assumed:
            candidates = self.program.methods_named(name)
            if len(candidates) == 1 and effect is None and not _is_common(name):
                return [Callee(candidates[0].facts.qualname, function=candidates[0], receiver=base, assumed=True)]
        if effect is not None and (kind is None or assumed or kind.cls is not None):
            return [Callee(f"*.{name}", effect=effect, receiver=base, assumed=True, type=kind)]
        return []

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

    def _project_methods(self, cls: ClassSymbol, name: str, *, is_super: bool) -> list[FunctionSymbol]:
        if is_super:
            for base in self.program.lineage(cls)[1:]:
                if isinstance(base, ClassSymbol):
                    member = self.program.member(base, name)
                    return [member] if isinstance(member, FunctionSymbol) else []
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
        if function.facts.owner and params and not _is_static(function.facts):
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

    def _callers(self, path: str, qualname: str) -> list[CallSite]:
        """The calls in the project that reach a function."""
        simple = qualname.rpartition(".")[2]
        names = [simple]
        if simple == "__init__":
            names = [qualname.split(".")[-2]]
            facts = self.program.facts(path)
            owner = facts.classes.get(qualname.rpartition(".")[0]) if facts else None
            if owner is not None:
                names += [
                    sub.facts.qualname.rpartition(".")[2]
                    for sub in self.program.subclasses(ClassSymbol(path, owner))
                ] + ["__init__"]
        elif simple == "__call__":
            return []
        elif simple.startswith("<lambda>"):
            facts = self.program.facts(path)
            names += [n for n, x in facts.values.items() if v.bare(x) == v.Ref(f":{qualname}")] if facts else []
        names += [alias for name in names for alias in self.program.other_names(name)]
        sites: list[CallSite] = []
        for name in dict.fromkeys(names):
            for caller_path, function, fact in self.program.calls_named(name):
                bound = Bound(fact.value, Frame(caller_path, function))
                for callee in self.callees(bound):
                    reached = callee.function
                    if reached is None or (reached.path, reached.facts.qualname) != (path, qualname):
                        continue
                    sites.append(CallSite(bound.frame, fact, dict(self.bind(callee, bound)), callee.assumed))
                    break
                if len(sites) >= MAX_CALLERS:
                    return sites
        return sites

    def module_frame(self, path: str) -> Frame:
        """The frame of a file's module code."""
        facts = self.program.facts(path)
        assert facts is not None
        return Frame(path, facts.functions["<module>"])


GETS_OF_CLASS = frozenset({"get", "get_object_or_404", "get_or_404", "aget_object_or_404", "first_or_404"})
GETS_ONE = frozenset(
    {"get", "aget", "first", "last", "one", "one_or_none", "get_or_404", "first_or_404", "create", "acreate", "latest", "earliest"}
)
COMMON_METHODS = frozenset(dir(str)) | frozenset(dir(dict)) | frozenset(dir(list)) | frozenset(dir(set)) | frozenset(
    "add all close commit count create delete execute exists fetch filter first flush get info insert load one open"
    " parse post process put query read remove render reset rollback run save search select send set start stop submit"
    " update validate write handle dispatch build make apply call check clear connect".split()
)  # fmt: skip


def _is_common(name: str) -> bool:
    """Method names so common that their being defined once in the project says nothing."""
    return name in COMMON_METHODS


def _decorated(function: FunctionFacts, names: frozenset[str]) -> bool:
    return any(
        (v.dotted(d.target if isinstance(d, v.Call) else d) or "").rpartition(".")[2].lstrip(":") in names
        for d in function.decorators
    )


def _is_static(function: FunctionFacts) -> bool:
    return _decorated(function, frozenset({"staticmethod"}))


def is_classmethod(function: FunctionFacts) -> bool:
    """Whether its first parameter is the class."""
    return _decorated(function, frozenset({"classmethod"}))


def is_property(function: FunctionFacts) -> bool:
    """Whether reading the attribute calls it."""
    return _decorated(function, frozenset({"property", "cached_property", "hybrid_property", "classproperty"}))
