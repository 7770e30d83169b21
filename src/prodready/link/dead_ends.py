"""Routes that are answered by a library's method and change nothing: it finds no row there, or may write no field."""

from __future__ import annotations

from prodready.link.form_fields import is_only_read
from prodready.link.guards import Guards
from prodready.link.program import ClassSymbol, FunctionSymbol, ValueSymbol
from prodready.link.route import Route
from prodready.link.route_values import RouteValues
from prodready.read import values as v
from prodready.read.values import Value


class DeadEnds:
    """Tells such routes."""

    def __init__(self, values: RouteValues, guards: Guards) -> None:
        self.program, self.infer, self.knowledge = values.program, values.infer, values.knowledge
        self.guards = guards

    def is_one(self, route: Route) -> bool:
        """Whether a library's method answers a route that is about a row, and cannot get at it or change it."""
        cls = route.handler.cls
        if route.handler.frame is not None or cls is None or not self.guards.asked(route.handler, route.methods).row:
            return False
        return self._finds_none(route, cls) or ("DELETE" not in route.methods and self._writes_none(self.form_of(cls)))

    def _finds_none(self, route: Route, cls: ClassSymbol) -> bool:
        """Whether no part of the path is what the class finds its row by."""
        bases = [base for base in self.program.lineage(cls) if isinstance(base, str)]
        *keys, usual = dict.fromkeys(key for base in bases for key in self.knowledge.listed(base, "row_by")) or [""]
        if not usual or route.unknown:
            return False
        stated = [self.program.member(cls, key) for key in keys]
        if any(isinstance(one, FunctionSymbol) for one in stated):
            return False
        named = next((_text(one.value) for one in stated if isinstance(one, ValueSymbol)), usual)
        return bool(named) and f"{{{named}}}" not in route.path

    def form_of(self, cls: ClassSymbol) -> ClassSymbol | None:
        """The form or the serializer that a class names for filling its rows, if it takes no other ones."""
        own = [base for base in self.program.lineage(cls) if isinstance(base, ClassSymbol)]
        for base in own:
            for name, value in base.facts.attributes.items():
                form = self.infer.symbol_of(v.bare(value), self.infer.module_frame(base.path))
                if isinstance(form, ClassSymbol) and self._fills(form):
                    return form if self.program.member(cls, f"get_{name}") is None else None
        return None

    def _fills(self, cls: ClassSymbol) -> bool:
        bases = (base for base in self.program.lineage(cls) if isinstance(base, str))
        return any("fills-row" in self.knowledge.label(base) for base in bases)

    def _writes_none(self, cls: ClassSymbol | None) -> bool:
        """Whether what fills the row says of all of its fields that they are only read."""
        meta = self.program.member(cls, "Meta") if cls is not None else None
        said = meta.facts.attributes if isinstance(meta, ClassSymbol) else {}
        fields, fixed = ({_text(x) for x in v.children(v.bare(said.get(key, v.UNKNOWN)))} for key in FIELDS)
        declared = [self.program.member(cls, name) for name in fields if name and cls is not None]
        return (
            bool(fields)
            and "" not in fields
            and fields <= fixed
            and all(one is None or (isinstance(one, ValueSymbol) and is_only_read(one.value)) for one in declared)
        )


FIELDS = ("fields", "read_only_fields")
"""The lists in which a form or a serializer says what it has, and what of that it takes from nobody."""


def _text(value: Value) -> str:
    value = v.bare(value)
    return value.value if isinstance(value, v.Const) and isinstance(value.value, str) else ""
