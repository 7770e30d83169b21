"""Types of values over all files of a program."""

from __future__ import annotations

from functools import lru_cache

from prodready.knowledge_form import NOTHING
from prodready.link.annotations import MAX_HOPS, Annotations
from prodready.link.frames import Bound, Callee, CallSite, Frame, Type, is_property, is_static
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
from prodready.read.facts import last_name
from prodready.read.values import Value
from prodready.words import split_words

GETS_OF_CLASS = frozenset({"get", "get_object_or_404", "get_or_404", "aget_object_or_404", "first_or_404"})
GETS_ONE = frozenset(
    {
        "get",
        "aget",
        "first",
        "last",
        "one",
        "one_or_none",
        "get_or_404",
        "first_or_404",
        "create",
        "acreate",
        "latest",
        "earliest",
    }
)


COPIES = frozenset({"list", "tuple", "set", "sorted", "reversed", "iter", "frozenset"})
"""Builtins that hold what they are given."""


class Types(Annotations):
    """Tells the class of a value. Results are cached: the program does not change while this lives."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        # Keyed by identity, which is quick and safe, because each entry keeps the value it speaks of alive.
        self._types: dict[tuple[int, int, int], tuple[Value, Type | None]] = {}
        # What was stored holds the same variable once for each of its uses: those are alike, and have one type. How much
        # is found out hangs on the depth, and inside a cycle on what was asked before.
        self._alike: dict[tuple[Value, int, int], Type | None] = {}
        self._reached_alike: dict[tuple[Value, int, int], list[Callee]] = {}
        self._tentative_callees: dict[tuple[int, int, int], tuple[Value, list[Callee]]] = {}
        self._reached: dict[tuple[int, int, int], tuple[Value, list[Callee]]] = {}
        self._tentative: dict[tuple[int, int, int], tuple[Value, Type | None]] = {}
        self._busy: set[tuple[str, str, str]] = set()
        self._receiver_words = {tuple(split_words(name)): kind for name, kind in self.knowledge.names.items()}
        self._by_name = lru_cache(maxsize=None)(self._suggested)

    # Types

    def type_of(self, bound: Bound, depth: int = 0) -> Type | None:
        """The class of a value, if it can be told."""
        if depth > MAX_HOPS:
            return None
        if bound.frame.entered:
            return self._infer(bound, depth)
        key = (id(bound.value), id(bound.frame.function), depth)
        known = self._types.get(key) or self._tentative.get(key)
        if known is None:
            if self._busy:
                known = (bound.value, self._infer(bound, depth))
                # In a cycle "unknown" may only mean "asked already": it holds until the outermost question is answered.
                (self._tentative if known[1] is None else self._types)[key] = known
            else:
                alike = (bound.value, key[1], depth)
                if alike not in self._alike:
                    self._alike[alike] = self._infer(bound, depth)
                known = self._types[key] = (bound.value, self._alike[alike])
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
                one = _one_of_several(value)
                if one is not None:
                    return self.type_of(bound.sub(one), depth + 1)
                base_of, part = bound.sub(value.base), self._part_of_result(bound, value, depth)
                part = part or self._declared_element(base_of, value.key, depth + 1)
                if part is not None:
                    return part
                base = self.type_of(bound.sub(value.base), depth + 1)
                return self._slot(base, "item", bound.sub(value.base), depth)
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

    def _suggested(self, name: str) -> Type | None:
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
            symbol = self.symbol_of(bound.value, bound.frame) if name == "cls" else None
            if isinstance(symbol, ClassSymbol):
                return Type(symbol, symbol.facts.qualname)
            return self.type_of(bound, depth + 1) or self._by_name(name)
        function, param = frame.function, frame.param(name)
        if function.owner and function.params and function.params[0].name == name and not is_static(function):
            owner = self.program.owner(frame.path, function)
            if owner is not None:
                return Type(owner, function.owner)
        if param is None:
            return None
        found = self._from_annotation(param.annotation, frame, depth + 1) if param.annotation is not None else None
        if found is None and param.annotation is None and name in self.knowledge.parameters:
            known = self.knowledge.parameters[name]
            owner = self.program.owner(frame.path, function)
            about = self.works_with(owner, known) if self.knowledge.is_subclassed(known) else None
            found = Type(about, about.facts.qualname if about else known)
        if found is None and isinstance(param.default, v.Call):
            found = self._from_dependency(Bound(param.default, frame), depth)
        found = found or self._from_callers(name, frame, depth) or self._by_name(name)
        if found is None or (found.cls is None and self.knowledge.is_subclassed(found.name)):
            return self._row_called(name, frame) or found
        return found

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
            for site in self.some_callers(frame.path, frame.function.qualname):
                argument = site.arguments.get(name)
                found = self.type_of(argument, depth + 2) if argument is not None else None
                if found is not None and not found.assumed:
                    return found
        finally:
            self._settle(key)
        return None

    def _settle(self, key: tuple[str, str, str]) -> None:
        self._busy.discard(key)
        if not self._busy:
            self._tentative.clear()
            self._tentative_callees.clear()

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
        while isinstance(value, v.Free):
            value = v.bare(value.value)
        name = v.dotted(value)
        return self.program.resolve(name, frame.path) if name is not None else None

    def _type_of_attribute(self, bound: Bound, value: v.Attr, depth: int) -> Type | None:
        symbol = self.symbol_of(value, bound.frame)
        if isinstance(symbol, ValueSymbol):
            found = self.type_of(Bound(symbol.value, self.module_frame(symbol.path)), depth + 1)
            usual = self.knowledge.attribute("*", value.name) if found is None else None
            if usual is not None and usual.returns:
                return Type(None, usual.returns)
            return found or self._by_name(value.name)
        if isinstance(symbol, LibrarySymbol):
            effect = self.knowledge.object(symbol.name)
            if effect is not None and effect.returns:
                return Type(None, effect.returns)
        base = self.type_of(bound.sub(value.base), depth + 1)
        if base is not None:
            found = self.attribute_type(base, value.name, bound.frame, depth)
            if found is not None:
                derived = found.cls is None and self.knowledge.is_subclassed(found.name)  # `request.user`
                return (self._row_called(value.name, bound.frame) if derived else None) or found
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
                annotation = self.stated(cls, name)
                if annotation is not None:
                    found = self._from_annotation(annotation, self.module_frame(cls.path), depth + 1, base.cls)
                    if found is not None:
                        return found
                for bound in self.attribute_values(cls, name):
                    found = self.type_of(bound, depth + 1)
                    if found is not None:
                        return found
                method = self.program.function(cls.path, f"{cls.facts.qualname}.{name}")
                if method is not None and is_property(method):
                    return self.result_type(FunctionSymbol(cls.path, method), (), depth)
        own = base.cls is not None and self._binds(base.cls, name)
        for library in self.library_types(base):
            effect = self.knowledge.attribute(library, name, exact=own)
            if effect is not None and effect.returns:
                about = (
                    self.works_with(base.cls, effect.returns) if self.knowledge.is_subclassed(effect.returns) else None
                )
                return Type(about, about.facts.qualname if about else effect.returns, base.assumed)
        return None

    def _binds(self, cls: ClassSymbol, name: str) -> bool:
        bases = [base.facts for base in self.program.lineage(cls) if isinstance(base, ClassSymbol)]
        return any(name in b.attributes or name in b.annotations or name in b.own for b in bases)

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

    def _slot(self, base: Type | None, slot: str, bound: Bound, depth: int) -> Type | None:
        for library in self.library_types(base):
            effect = self.knowledge.slot(library, slot)
            if effect is not None:
                return (
                    self._made(effect.returns, bound, base.assumed if base else False, depth)
                    if effect.returns
                    else None
                )
        return None

    def _type_of_call(self, bound: Bound, value: v.Call, depth: int) -> Type | None:
        rows = self._rows_of_manager(value, bound.frame)
        if rows is not None:
            return Type(rows, rows.facts.qualname)
        for callee in self.callees(bound, depth + 1):
            if callee.cls is not None:
                return Type(callee.cls, callee.cls.facts.qualname)
            if callee.function is not None:
                bindings = self.bind(callee, bound)
                of = callee.type.cls if callee.type is not None else None
                found = self._chosen(self.result_type(callee.function, bindings, depth, of), bound.sub(value))
                if found is not None and found.cls is None and callee.function.facts.owner:
                    # What `super().save()` gives hangs on the class of the object: `book` of `book = form.save(request)`.
                    found = self._made(found.name, bound, found.assumed, depth)
            else:
                effect = callee.effect or NOTHING
                if effect.returns == "self" and callee.type is not None:
                    found = callee.type
                else:
                    found = self._made(effect.returns, bound, callee.assumed, depth) if effect.returns else None
            if found is not None:
                return found
        return self._row_type(bound, value)

    def _rows_of_manager(self, value: v.Call, frame: Frame) -> ClassSymbol | None:
        """The class of queries that a manager is made of: `Manager.from_queryset(Loans)()`, `Loans.as_manager()`."""
        target = v.bare(value.target)
        if isinstance(target, v.Call) and last_name(target) == "from_queryset" and target.args:
            named = self.program.class_named(target.args[0], frame.path)
        elif isinstance(target, v.Attr) and target.name == "as_manager":
            named = self.program.class_named(target.base, frame.path)
        else:
            return None
        return named if isinstance(named, ClassSymbol) else None

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
                if isinstance(value, v.Call) and last_name(value) == "query":
                    symbol = self.symbol_of(value.args[0], bound.frame) if len(value.args) == 1 else None
                    return Type(symbol, symbol.facts.qualname) if isinstance(symbol, ClassSymbol) else None
                value = v.bare(value.target if isinstance(value, v.Call) else value.base)
        return None

    def result_type(
        self,
        symbol: FunctionSymbol,
        bindings: tuple[tuple[str, Bound], ...],
        depth: int,
        of: ClassSymbol | None = None,
    ) -> Type | None:
        """The type that calling a function of the project gives; a method on an object of class `of`, if that is known."""
        frame = Frame(symbol.path, symbol.facts, bindings, depth + 1, entered=True)
        if symbol.facts.result is not None:
            found = self._from_annotation(symbol.facts.result, frame, depth + 1, of)
            if found is not None:
                return found
        returned = symbol.facts.returns
        if returned is None or (key := (*frame.key, "()")) in self._busy:
            return None
        self._busy.add(key)
        try:
            return self.type_of(Bound(returned, frame), depth + 2)
        finally:
            self._settle(key)

    def _part_of_result(self, bound: Bound, value: v.Item, depth: int) -> Type | None:
        """`order, created = make_order()` where the function returns as many values."""
        call, key = v.bare(value.base), v.bare(value.key)
        if not isinstance(call, v.Call) or not isinstance(key, v.Const) or not isinstance(key.value, int):
            return None
        for callee in self.callees(bound.sub(call), depth + 1):
            if callee.effect is not None and callee.effect.first and key.value == 0:
                return self._made(callee.effect.first, bound.sub(call), callee.assumed, depth)
            facts = callee.function.facts if callee.function is not None and not callee.cls else None
            returned = v.bare(facts.returns) if facts is not None and facts.returns is not None else None
            options = returned.options if isinstance(returned, v.Choice) else (returned,)
            for option in (v.bare(one) for one in options if one is not None):
                if isinstance(option, v.Seq) and not option.open and 0 <= key.value < len(option.items):
                    assert callee.function is not None
                    given = self.bind(callee, bound.sub(call))
                    frame = Frame(callee.function.path, callee.function.facts, given, depth + 1, entered=True)
                    found = self.type_of(Bound(option.items[key.value], frame), depth + 2)
                    if found is not None:
                        return found
        return None

    def _type_of_op(self, bound: Bound, value: v.Op, depth: int) -> Type | None:
        subject = bound.sub(value.subject)
        if value.kind == "typed":
            return self._from_annotation(value.args[0], bound.frame, depth + 1) or self.type_of(subject, depth + 1)
        if value.kind in {"after", "if", "without", "slice"}:
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
            if isinstance(inner, v.Call) and v.dotted(inner.target) in COPIES and inner.args:
                return self.type_of(bound.sub(v.op("each", inner.args[0])), depth + 1)
            if (declared := self._declared_element(bound.sub(inner), None, depth + 1)) is not None:
                return declared
            symbol = self.symbol_of(value.subject, bound.frame)
            if isinstance(symbol, ClassSymbol):  # the members of an enumeration
                return Type(symbol, symbol.facts.qualname)
            return self._slot(base, "each", subject, depth)
        if base is not None and base.cls is not None:
            for name in ("__enter__", "__aenter__"):
                member = self.program.member(base.cls, name)
                if isinstance(member, FunctionSymbol):
                    return self.result_type(member, (), depth) or base
        return self._slot(base, "enter", subject, depth) or base

    def module_frame(self, path: str) -> Frame:
        """The frame of a file's module code."""
        facts = self.program.facts(path)
        assert facts is not None
        return Frame(path, facts.functions["<module>"])

    # What a type rests on, see `Inference`

    def some_callers(self, path: str, qualname: str) -> list[CallSite]:
        """A few of the calls that reach a function."""
        raise NotImplementedError


def _one_of_several(value: v.Item) -> Value | None:
    """The element that a loop takes: `item` of `for number, item in enumerate(items)`, each of those of `zip`."""
    each, key = v.bare(value.base), v.bare(value.key)
    call = v.bare(each.subject) if isinstance(each, v.Op) and each.kind == "each" else None
    if not isinstance(call, v.Call) or not isinstance(key, v.Const) or not isinstance(key.value, int):
        return None
    at = {"enumerate": key.value - 1, "zip": key.value}.get(v.dotted(call.target) or "", -1)
    return v.op("each", call.args[at]) if 0 <= at < len(call.args) and not any(map(v.is_star, call.args)) else None
