"""Rows that a call works on: what a library's method runs in place of its own, and which row it is given or picks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prodready.knowledge_form import Effect
from prodready.link.frames import Bound, Callee, Frame
from prodready.link.openings import Openings
from prodready.link.program import ClassSymbol, FunctionSymbol, LibrarySymbol, ValueSymbol
from prodready.link.rebuilding import plain
from prodready.link.run_by import run_by
from prodready.link.text import argument_values
from prodready.read import values as v
from prodready.read.facts import FunctionFacts
from prodready.read.values import Value
from prodready.words import split_words

IDENTIFIERS = frozenset({"id", "pk", "uuid"})
"""Names of the column that tells one row from all others."""

SAVING = frozenset({"save", "create", "update"})
"""Methods by which forms, serializers and rows write a row, and what belongs to it."""

MOST_STEPS = 8
"""Methods on one query that are looked behind for the row that it picks."""


class Hooks(Openings):
    """Tells which methods and which rows the library works with."""

    def _overriding(self, callee: Callee, frame: Frame) -> Iterator[FunctionSymbol]:
        """The methods of subclasses that a call on `self` runs in place of the class's own."""
        receiver = v.bare(callee.receiver) if callee.receiver is not None else None
        if not isinstance(receiver, v.Param) or callee.type is None or callee.type.cls is None:
            return
        assert callee.function is not None
        name = callee.function.facts.qualname.rpartition(".")[2]
        for sub in self.program.subclasses(callee.type.cls):
            method = self.program.member(sub, name)
            if isinstance(method, FunctionSymbol) and method != callee.function:
                yield method

    def _is_fresh(self, bound: Bound, root: Value | None) -> bool:
        """Whether what is written is not one object that the function holds: made by a manager, a session, a function."""
        if root is None:
            return True
        kind = self.infer.type_of(bound.sub(root))
        return not (kind is not None and any(self.knowledge.is_row(name) for name in self.infer.library_types(kind)))

    def _hooks(
        self, bound: Bound, callee: Callee, effect: Effect
    ) -> Iterator[tuple[FunctionSymbol, tuple[tuple[str, Bound], ...]]]:
        """The methods of the project's own class that a library's method runs in place of its own."""
        owners = [callee.type.cls if callee.type else None]
        if effect.returns and self.knowledge.is_subclassed(effect.returns):
            owners.append(self.infer.row_class(bound, effect.returns))
        names = effect.calls
        if effect.calls_if_row:
            known, row = self.given_row(bound)
            names = (*effect.calls, *effect.calls_if_row) if not known else effect.calls_if_row if row else effect.calls
        yield from self._methods(owners, names, bound)

    def _methods(
        self, owners: Iterable[ClassSymbol | None], names: Iterable[str], bound: Bound
    ) -> Iterator[tuple[FunctionSymbol, tuple[tuple[str, Bound], ...]]]:
        """Methods of these classes, by their names, but for the one that calls."""
        for owner in owners:
            if owner is None:
                continue
            for name in names:
                for method in run_by(self.program, self.knowledge, owner, name):
                    if method.facts is not bound.frame.function:
                        yield method, ()

    def _assembled_of(self, bound: Bound) -> Iterator[ClassSymbol]:
        """The project's classes that a call was given to make the receiver's class of: forms and their set."""
        target = bound.value.target if isinstance(bound.value, v.Call) else bound.value
        made = plain(target.base) if isinstance(target, v.Attr) else None
        if not isinstance(made, v.Call):
            return
        maker = bound.sub(made.target)
        symbol = self.infer.symbol_of(made.target, bound.frame)
        if isinstance(symbol, ValueSymbol):
            maker = Bound(symbol.value, self.infer.module_frame(symbol.path))
        call = plain(maker.value)
        if not isinstance(call, v.Call) or self.infer.type_of(maker) is None:
            return
        for value in (*call.args, *(value for _, value in call.keywords)):
            given = self.infer.symbol_of(value, maker.frame)
            if isinstance(given, ClassSymbol) and not any(map(self.knowledge.is_row, self._libraries(given))):
                yield given

    def _libraries(self, cls: ClassSymbol) -> list[str]:
        return [base for base in self.program.lineage(cls) if isinstance(base, str)]

    def given_row(self, bound: Bound) -> tuple[bool, Value | None]:
        """Whether it is known which row the receiver was made to work on, and that row: none if it makes a new one."""
        target = bound.value.target if isinstance(bound.value, v.Call) else bound.value
        receiver = target.base if isinstance(target, v.Attr) else target
        made = plain(receiver)
        if not isinstance(made, v.Call):
            return False, None
        places = [
            place
            for name in self.infer.library_types(self.infer.type_of(bound.sub(receiver)))
            for place in self.knowledge.row_at(name)
        ]
        if not places or any(key == "**" for key, _ in made.keywords) or any(map(v.is_star, made.args)):
            return False, None
        for place in places:
            for value in argument_values(made, place):
                kind = self.infer.type_of(bound.sub(value))
                if any(map(self.knowledge.is_row, self.infer.library_types(kind))):
                    return True, value
                if v.bare(value) != v.Const(None):
                    return False, None
        return True, None

    def means_missing(self, caught: Value, frame: Frame) -> bool:
        """Whether all that a handler catches says that something that was looked for is not there."""
        caught = v.bare(caught)
        if isinstance(caught, v.Seq):
            return bool(caught.items) and all(self.means_missing(one, frame) for one in caught.items)
        symbol = self.infer.symbol_of(caught, frame)
        if isinstance(symbol, LibrarySymbol):
            return "not-found" in self.knowledge.label(symbol.name)
        if isinstance(symbol, ClassSymbol):  # an error of the project's own, by its name
            return {"not", "found"} <= set(split_words(symbol.facts.qualname))
        if not isinstance(caught, v.Attr):
            return False
        owner = self.infer.symbol_of(caught.base, frame)
        bases = self.program.lineage(owner) if isinstance(owner, ClassSymbol) else [owner]
        names = [base.name if isinstance(base, LibrarySymbol) else base for base in bases]
        effects = [self.knowledge.attribute(name, caught.name, exact=True) for name in names if isinstance(name, str)]
        return any(effect is not None and "not-found" in effect.labels for effect in effects)

    def goes_with(self, table: ClassSymbol, other: ClassSymbol) -> bool:
        """Whether rows of `table` refer to rows of `other` and are removed with them."""
        for cls in self.program.lineage(table):
            if not isinstance(cls, ClassSymbol):
                continue
            home = self.infer.module_frame(cls.path)
            for value in cls.facts.attributes.values():
                if not isinstance(field := v.bare(value), v.Call):
                    continue
                given = [self.infer.symbol_of(one, home) for one in (*field.args, *(one for _, one in field.keywords))]
                effects = [self.knowledge.object(one.name) for one in given if isinstance(one, LibrarySymbol)]
                if any(effect is not None and "cascade" in effect.labels for effect in effects):
                    kind = self.infer.type_of(Bound(field, home))
                    if kind is not None and kind.cls is not None and kind.cls in self.program.lineage(other):
                        return True
        return False

    def picked(self, query: Value, frame: Frame) -> Value | None:
        """The row that a query picks by what identifies it: `order` of `Order.objects.filter(id=order.id)`."""
        for _ in range(MOST_STEPS):
            query = plain(query)
            if isinstance(query, v.Call):
                for key, value in query.keywords:
                    inner = v.bare(value)
                    if key in IDENTIFIERS and isinstance(inner, v.Attr) and inner.name in IDENTIFIERS:
                        row = plain(inner.base)
                        return row if not self._is_fresh(Bound(row, frame), row) else None
                query = query.target
            elif isinstance(query, v.Attr):
                query = query.base
            else:
                return None
        return None


def is_itself(value: Value | None, method: FunctionFacts) -> bool:
    """Whether a value is the object of a method, also as one of its base class."""
    first = method.params[0].name if method.owner and method.params else ""
    return (isinstance(value, v.Op) and value.kind == "super") or (isinstance(value, v.Param) and value.name == first)
