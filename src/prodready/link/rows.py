"""Classes whose instances are rows, or work with rows: which of them an expression is about."""

from __future__ import annotations

from functools import cached_property

from prodready.link.frames import Bound, Frame, Type
from prodready.link.program import ClassSymbol, Program, Symbol, ValueSymbol
from prodready.read import values as v
from prodready.read.values import Value

LONGEST = 18
"""Names, attributes and calls looked behind for one class."""

STATED_CLASS = frozenset({"model", "queryset", "serializer_class", "form_class"})
"""Attributes by which a class says which other one its methods work with."""


class Rows:
    """The part of telling types that follows an expression to the class it starts from."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.knowledge = program.knowledge

    def _made(self, name: str, bound: Bound, assumed: bool, depth: int) -> Type:
        """A library's type, or the class of the project derived from it that the expression is plainly about."""
        if not self.knowledge.is_subclassed(name):
            return Type(None, name, assumed)
        cls = self.row_class(bound, name, depth + 1)
        return Type(cls, cls.facts.qualname, assumed) if cls is not None else Type(None, name, assumed)

    def row_class(self, bound: Bound, base: str, depth: int = 0) -> ClassSymbol | None:
        """The class derived from `base` that an expression names or starts from: `Order.objects.filter(...)`, `get(Order)`.

        A method of a class that says which one it works with (`model = Order`, also in its `Meta`) may leave it out.
        """
        value, frame, is_method = bound.value, bound.frame, False
        for _ in range(LONGEST):
            value = v.bare(value)
            was_method, is_method = is_method, isinstance(value, v.Call)
            if isinstance(value, v.Call):
                named = self._class_of(value.args[0], frame, base) if value.args else None
                if named is not None:
                    return named
                value = value.target
            elif isinstance(value, (v.Item, v.Mark, v.Choice)) or (
                isinstance(value, v.Op) and value.kind in {"each", "enter", "after", "if", "slice", "super"}
            ):
                value = v.made_from(value) or value
            elif isinstance(value, (v.Attr, v.Ref)):
                named = self._class_of(value, frame, base)
                if named is not None:
                    return named
                symbol = self.symbol_of(value, frame)
                if isinstance(symbol, ValueSymbol):
                    while isinstance(value, v.Attr):  # whatever manager the class has
                        value = v.bare(value.base)
                        if (named := self._class_of(value, frame, base)) is not None:
                            return named
                    value, frame = symbol.value, self.module_frame(symbol.path)
                elif isinstance(value, v.Attr):
                    # What is called is a method, and a chain of them may be long.
                    owner = self.type_of(Bound(value.base, frame), depth + 1) if not was_method else None
                    if any(map(self.knowledge.is_row, self.library_types(owner))):
                        return self._related(owner, value.name, frame, base, depth)
                    value = value.base
                else:
                    return None
            elif isinstance(value, v.Param):
                argument = frame.binding(value.name)
                if argument is None:
                    kind = self.type_of(Bound(value, frame), depth + 1)
                    return self.works_with(kind.cls if kind else None, base)
                value, frame = argument.value, argument.frame
            else:
                return None
        return None

    def _row_called(self, name: str, frame: Frame) -> Type | None:
        """The class of rows that a parameter is called after: `order_line` of `OrderLine`."""
        plain = name.replace("_", "")
        cls = self.program.class_called(plain, frame.path, any_case=True) if len(plain) > 3 else None
        kind = Type(cls, cls.facts.qualname, assumed=True) if cls is not None else None
        return kind if any(map(self.knowledge.is_row, self.library_types(kind))) else None

    def _related(self, owner: Type | None, name: str, frame: Frame, base: str, depth: int) -> ClassSymbol | None:
        """The class of the rows at the other end of a relation: by its column, or by the name `line_set`."""
        for cls in self.program.lineage(owner.cls) if owner is not None and owner.cls is not None else ():
            declared = cls.facts.attributes.get(name) if isinstance(cls, ClassSymbol) else None
            if isinstance(cls, ClassSymbol) and declared is not None:
                return self.row_class(Bound(declared, self.module_frame(cls.path)), base, depth + 1)
        if not name.endswith("_set"):
            return None
        found = self.program.class_called(name.removesuffix("_set"), frame.path, any_case=True)
        return found if found is not None and self.is_instance(Type(found, ""), base) else None

    def _class_of(self, value: Value, frame: Frame, base: str) -> ClassSymbol | None:
        value = v.bare(value)
        if isinstance(value, v.Const) and isinstance(value.value, str):
            found = self.program.class_called(value.value.rpartition(".")[2], frame.path)
        else:
            symbol = self.symbol_of(value, frame)
            found = symbol if isinstance(symbol, ClassSymbol) else None
        return found if found is not None and self.is_instance(Type(found, ""), base) else None

    def is_instance(self, kind: Type | None, base: str) -> bool:
        """Whether a type is, or derives from, a type of the knowledge."""
        return any(base in self.knowledge.lineage(library) for library in self.library_types(kind))

    def works_with(self, owner: ClassSymbol | None, base: str) -> ClassSymbol | None:
        """The class of rows that a class says it works with: `model` of a form or of its `Meta`."""
        for cls in self.program.lineage(owner) if owner is not None else ():
            if not isinstance(cls, ClassSymbol):
                continue
            facts = self.program.facts(cls.path)
            meta = facts.classes.get(f"{cls.facts.qualname}.Meta") if facts else None
            stated = [*cls.facts.attributes.items(), *(meta.attributes.items() if meta else ())]
            for name, value in stated:
                if name in STATED_CLASS:
                    found = self.row_class(Bound(value, self.module_frame(cls.path)), base)
                    if found is not None:
                        return found
        return None

    def filled_by(self, cls: ClassSymbol) -> ClassSymbol | None:
        """The class of the rows that a form, a serializer or a view of this class stores."""
        for base in self.program.lineage(cls):
            if isinstance(base, str) and not self.knowledge.is_row(base):
                effect = self.knowledge.method(base, "save")
                if effect is not None and effect.returns:
                    return self.works_with(cls, effect.returns)
        return None

    # What this rests on, see `Types`

    def managed_by(self, cls: ClassSymbol) -> ClassSymbol | None:
        """The class of the rows that a manager looks for and makes: the only one with `objects = TaskManager()`."""
        found = self._managers.get(cls, ())
        return found[0] if len(found) == 1 else None

    @cached_property
    def _managers(self) -> dict[ClassSymbol, list[ClassSymbol]]:
        found: dict[ClassSymbol, list[ClassSymbol]] = {}
        for path, outline in self.program.outlines.items():
            facts = self.program.facts(path) if outline.bases else None
            for one in facts.classes.values() if facts is not None else ():
                cls = ClassSymbol(path, one)
                made = [x for x in map(v.bare, one.attributes.values()) if isinstance(x, v.Call)]
                if not made or not self.is_of_rows(cls):
                    continue
                named = (part for value in made for part in v.walk(value) if isinstance(part, (v.Ref, v.Attr)))
                for symbol in dict.fromkeys(self.symbol_of(part, self.module_frame(path)) for part in named):
                    if isinstance(symbol, ClassSymbol) and not self.is_of_rows(symbol):
                        found.setdefault(symbol, []).append(cls)
        return found

    def is_of_rows(self, cls: ClassSymbol) -> bool:
        """Whether objects of a class of the project are rows of a table."""
        return any(isinstance(base, str) and self.knowledge.is_row(base) for base in self.program.lineage(cls))

    def type_of(self, bound: Bound, depth: int = 0) -> Type | None:
        """The class of a value."""
        raise NotImplementedError

    def library_types(self, kind: Type | None) -> list[str]:
        """The library classes that an object of this type is an instance of."""
        raise NotImplementedError

    def symbol_of(self, value: Value, frame: Frame) -> Symbol | None:
        """What a dotted expression stands for."""
        raise NotImplementedError

    def module_frame(self, path: str) -> Frame:
        """The frame of a file's module code."""
        raise NotImplementedError
