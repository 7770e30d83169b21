"""What annotations say of values, variables of types (`T` of `def get(self, kind: type[T]) -> T`) included.

PEP 484 has the meaning of these: a variable stands for what the arguments of the call are, or for what the class of the
object has put in its place (`class Orders(Repository[Order])`), or at least for its bound.
"""

from __future__ import annotations

from prodready.link.frames import Bound, Callee, Frame, Type
from prodready.link.program import ClassSymbol, LibrarySymbol, Program, ValueSymbol
from prodready.link.rows import Rows
from prodready.read import values as v
from prodready.read.values import Value

TRANSPARENT_GENERICS = frozenset({"Optional", "Annotated", "Final", "ClassVar", "Union", "Awaitable", "Type", "type"})
ITERABLE_GENERICS = frozenset(
    {"Iterator", "AsyncIterator", "Generator", "AsyncGenerator", "ContextManager", "AsyncContextManager"}
)
OF_CLASSES = frozenset({"Type", "type"})
DECLARING = frozenset({"Generic", "Protocol"})
TUPLES = frozenset({"tuple", "Tuple"})
SAME_ELEMENTS = frozenset({"values", "copy"})
"""Methods of containers that give what is in them, or a container with the same in it."""

MAX_HOPS = 18
"""Names, attributes and calls looked behind for one type."""

Variable = tuple[str, str]
"""The file and name of a variable of types."""


class Annotations(Rows):
    """The part of telling types that reads annotations."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self._stated: dict[tuple[str, str, Variable], Bound | None] = {}

    def _from_annotation(
        self, annotation: Value, frame: Frame, depth: int = 0, of: ClassSymbol | None = None
    ) -> Type | None:
        """The type that an annotation in `frame` names; `of` is the class of the object that it is asked about."""
        if depth > MAX_HOPS:
            return None
        if isinstance(annotation, v.Named) and _declares_variable(v.bare(annotation)):
            return self._in_place_of(ValueSymbol(frame.path, annotation.name, annotation), frame, depth, of)
        annotation = v.bare(annotation)
        if isinstance(annotation, v.Choice):
            return next((t for o in annotation.options if (t := self._from_annotation(o, frame, depth, of))), None)
        if isinstance(annotation, v.Const) and isinstance(annotation.value, str):
            annotation = v.Ref(":" + annotation.value)
        if isinstance(annotation, v.Item):
            name = (v.dotted(annotation.base) or "").rpartition(".")[2]
            if name in TRANSPARENT_GENERICS or name in ITERABLE_GENERICS:
                return self._from_annotation(_arguments(annotation)[0], frame, depth, of)
            annotation = annotation.base
        name_ = v.dotted(annotation)
        if name_ is None:
            return None
        symbol = self.program.resolve(name_, frame.path)
        if isinstance(symbol, ClassSymbol):
            return Type(symbol, symbol.facts.qualname)
        if isinstance(symbol, LibrarySymbol):
            return Type(None, self.knowledge.canonical(symbol.name)) if self.is_described(symbol.name) else None
        if isinstance(symbol, ValueSymbol):  # an alias: DbSession = Annotated[Session, Depends(...)]
            inner = v.bare(symbol.value)
            if _declares_variable(inner):
                return self._in_place_of(symbol, frame, depth, of)
            if isinstance(inner, (v.Item, v.Choice, v.Ref, v.Attr)) and inner != annotation:
                return self._from_annotation(inner, self.module_frame(symbol.path), depth + 1, of)
        return None

    def annotated_class(self, annotation: Bound) -> ClassSymbol | None:
        """The class of the project that an annotation names."""
        kind = self._from_annotation(annotation.value, annotation.frame)
        return kind.cls if kind else None

    def is_described(self, name: str) -> bool:
        """Whether the knowledge has a type of this name."""
        return self.knowledge.canonical(name) in self.knowledge.types

    def _declared_element(self, bound: Bound, key: Value | None = None, depth: int = 0) -> Type | None:
        """What an annotation says of what is in a value: `lines: list[OrderLine]`; with a `key`, of that item of a tuple."""
        found = self._declared_as(bound, depth) if depth <= MAX_HOPS else None
        annotation = v.bare(found[0].value) if found is not None else None
        if found is None or not isinstance(annotation, v.Item):
            return None
        name = (v.dotted(annotation.base) or "").rpartition(".")[2]
        inside, at = _arguments(annotation), 0 if name in ITERABLE_GENERICS else -1
        if name in TUPLES:
            index = v.bare(key) if key is not None else None
            if inside[-1] == v.NUMBER:  # `tuple[Order, ...]`
                at = 0
            elif (
                isinstance(index, v.Const)
                and isinstance(index.value, int)
                and -len(inside) <= index.value < len(inside)
            ):
                at = index.value
            else:
                return None
        return self._from_annotation(inside[at], found[0].frame, depth + 1, found[1])

    def _declared_as(self, bound: Bound, depth: int) -> tuple[Bound, ClassSymbol | None] | None:
        """The annotation of a parameter, an attribute or a result, and the class of the object that it is of."""
        value = v.bare(bound.value)
        if isinstance(value, v.Param) and not bound.frame.entered:
            param = bound.frame.param(value.name)
            return (bound.sub(param.annotation), None) if param is not None and param.annotation is not None else None
        if isinstance(value, v.Attr):
            kind = self.type_of(bound.sub(value.base), depth + 1)
            for cls in self.program.lineage(kind.cls) if kind is not None and kind.cls is not None else ():
                stated = self.stated(cls, value.name) if isinstance(cls, ClassSymbol) else None
                if isinstance(cls, ClassSymbol) and kind is not None and stated is not None:
                    return Bound(stated, self.module_frame(cls.path)), kind.cls
        if isinstance(value, v.Call):
            if isinstance(value.target, v.Attr) and value.target.name in SAME_ELEMENTS:
                return self._declared_as(bound.sub(value.target.base), depth + 1)
            for callee in self.callees(bound.sub(value), depth + 1):
                if callee.function is not None and callee.cls is None and callee.function.facts.result is not None:
                    facts, given = callee.function.facts, self.bind(callee, bound.sub(value))
                    frame = Frame(callee.function.path, facts, given, depth + 1, entered=True)
                    return Bound(callee.function.facts.result, frame), None
        return None

    def stated(self, cls: ClassSymbol, name: str) -> Value | None:
        """The annotation of an attribute that a class has itself: in its body, or where a method binds it."""
        return cls.facts.annotations.get(name) or cls.facts.declared.get(name)

    def _chosen(self, kind: Type | None, call: Bound) -> Type | None:
        """What a call gives that is to find an object by an attribute of its class: `handlers.get(Import.name)`."""
        assert isinstance(call.value, v.Call)
        for argument in map(v.bare, call.value.args if kind is not None and kind.cls is not None else ()):
            symbol = self.symbol_of(argument.base, call.frame) if isinstance(argument, v.Attr) else None
            if isinstance(symbol, ClassSymbol) and kind is not None and kind.cls in self.program.lineage(symbol)[1:]:
                return Type(symbol, symbol.facts.qualname, kind.assumed)
        return kind

    # Variables of types

    def _in_place_of(self, declared: ValueSymbol, frame: Frame, depth: int, of: ClassSymbol | None) -> Type | None:
        """What a variable stands for in a call that was entered, or in an object of class `of`; else its bound."""
        variable = (declared.path, declared.name)
        found = self._given_as(variable, frame, depth, of) if frame.entered else None
        owner = self.program.owner(frame.path, frame.function)
        about = of or (self._class_of_object(frame, depth) if frame.entered and owner is not None else owner)
        if found is None and about is not None:
            stated = self._stated_in(about, variable)
            found = self._from_annotation(stated.value, stated.frame, depth + 1) if stated is not None else None
        if found is None:
            call = v.bare(declared.value)
            bound = dict(call.keywords).get("bound") if isinstance(call, v.Call) else None
            home = self.module_frame(declared.path)
            found = self._from_annotation(bound, home, depth + 1) if bound is not None else None
        return found

    def _given_as(self, variable: Variable, frame: Frame, depth: int, of: ClassSymbol | None) -> Type | None:
        """By what is given for a parameter that is annotated with the variable: `kind: type[T]`, `row: T`."""
        for param in frame.function.params:
            given = frame.binding(param.name) if param.annotation is not None else None
            if given is None or param.annotation is None:
                continue
            annotation = v.bare(param.annotation)
            is_class = isinstance(annotation, v.Item) and (v.dotted(annotation.base) or "").split(".")[-1] in OF_CLASSES
            inner = _arguments(annotation)[0] if isinstance(annotation, v.Item) and is_class else annotation
            if self._variable(inner, frame.path) == variable:
                symbol = self.symbol_of(given.value, given.frame) if is_class else None
                if isinstance(symbol, ClassSymbol):
                    return Type(symbol, symbol.facts.qualname)
                if of is not None and frame.function.owner and param is frame.function.params[0]:
                    return Type(of, of.facts.qualname)
                return self.type_of(given, depth + 1)
        return None

    def _class_of_object(self, frame: Frame, depth: int) -> ClassSymbol | None:
        """The class of the object, or the class, that a method is called on."""
        receiver = frame.binding(frame.function.params[0].name) if frame.function.params else None
        if receiver is None:
            return None
        symbol = self.symbol_of(receiver.value, receiver.frame)
        if isinstance(symbol, ClassSymbol):
            return symbol
        kind = self.type_of(receiver, depth + 1)
        return kind.cls if kind is not None else None

    def _stated_in(self, cls: ClassSymbol, variable: Variable) -> Bound | None:
        """What a class, or one of its bases, puts in place of a variable: `Order` in `class Orders(Repository[Order])`."""
        key = (cls.path, cls.facts.qualname, variable)
        if key not in self._stated:
            self._stated[key] = None  # a class among its own bases states nothing
            self._stated[key] = self._look_for_stated(cls, variable)
        return self._stated[key]

    def _look_for_stated(self, cls: ClassSymbol, variable: Variable) -> Bound | None:
        home = self.module_frame(cls.path)
        for base in map(v.bare, cls.facts.bases):
            named = self.program.class_named(base, cls.path)
            if not isinstance(named, ClassSymbol):
                continue
            behind = self._stated_in(named, variable)
            wanted = self._variable(behind.value, behind.frame.path) if behind is not None else variable
            if behind is not None and wanted is None:
                return behind
            declared = self._declared_variables(named)
            given = _arguments(base) if isinstance(base, v.Item) else ()
            if wanted in declared and declared.index(wanted) < len(given):
                return Bound(given[declared.index(wanted)], home)
        return None

    def _declared_variables(self, cls: ClassSymbol) -> list[Variable]:
        """The variables of a generic class, in the order in which they are given."""
        found: dict[Variable, None] = {}
        for base in map(v.bare, cls.facts.bases):
            if isinstance(base, v.Item):
                own = [one for argument in _arguments(base) if (one := self._variable(argument, cls.path)) is not None]
                if (v.dotted(base.base) or "").rpartition(".")[2] in DECLARING:
                    return own
                found.update(dict.fromkeys(own))
        return list(found)

    def _variable(self, annotation: Value, path: str) -> Variable | None:
        if isinstance(annotation, v.Named) and _declares_variable(v.bare(annotation)):
            return path, annotation.name
        name = v.dotted(v.bare(annotation))
        symbol = self.program.resolve(name, path) if name is not None else None
        if isinstance(symbol, ValueSymbol) and _declares_variable(v.bare(symbol.value)):
            return symbol.path, symbol.name
        return None

    # What this rests on, see `Inference`

    def callees(self, bound: Bound, depth: int = 0) -> list[Callee]:
        """What a call may reach."""
        raise NotImplementedError

    def bind(self, callee: Callee, bound: Bound) -> tuple[tuple[str, Bound], ...]:
        """The callee's parameters bound to the arguments of the call."""
        raise NotImplementedError


def _arguments(annotation: v.Item) -> tuple[Value, ...]:
    """What stands in the brackets."""
    inner = v.bare(annotation.key)
    return inner.items if isinstance(inner, v.Seq) and inner.items else (annotation.key,)


def _declares_variable(value: Value) -> bool:
    return isinstance(value, v.Call) and (v.dotted(value.target) or "").rpartition(".")[2] == "TypeVar"
