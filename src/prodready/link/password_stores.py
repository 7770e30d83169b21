"""Where a call keeps what it is given: fields of rows, columns of statements, documents, files, cookies, sessions, caches.

A comparison with what is kept counts too: it proves how that is kept.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from prodready.knowledge_form import NOTHING, Effect
from prodready.link.bound_columns import Slot, StatementReader, values_at
from prodready.link.frames import Bound, Callee, Frame, Type
from prodready.link.labels import Labels
from prodready.link.password_rows import ELSEWHERE_TOO, Rows
from prodready.link.program import ClassSymbol
from prodready.link.reduce import describe
from prodready.link.sinks import shown_callee
from prodready.link.text import argument_values
from prodready.read import values as v
from prodready.read.facts import CallFact, last_name
from prodready.read.values import Value

DUMPS = frozenset(
    {"dict", "model_dump", "asdict", "to_dict", "dump", "as_dict", "jsonable_encoder", "vars", "cleaned_data"}
)
COPIES = frozenset({"model_validate", "from_orm", "parse_obj"})

SENT = frozenset({"validated_data", "cleaned_data", "attrs"})
"""Parameters that hold what a form or a serializer has read from the request."""

WHERE = {
    "row": "a row",
    "document": "a document",
    "file": "a file",
    "cookie": "a cookie",
    "session": "the session",
    "cache": "a cache",
}


class Kept(msgspec.Struct, frozen=True):
    """One value that a call keeps, or compares with what is kept.

    `store` is a word of the knowledge; `field` the name of the column or key, where it is known; `place` says in words
    where it goes. `about` are the names that tell whose password it is. `around` is what SQL makes of the value.
    """

    store: str
    field: str
    bound: Bound
    place: str
    assumed: bool = False
    cls: ClassSymbol | None = None
    about: tuple[str, ...] = ()
    around: Slot | None = None
    whole: bool = False
    against: Bound | None = None


class Stores:
    """Finds what calls keep."""

    def __init__(self, reducer: Labels, rows: Rows) -> None:
        self.reducer = reducer
        self.infer = reducer.infer
        self.knowledge = reducer.knowledge
        self.rows = rows
        self.names = rows.names
        self._statements = StatementReader(reducer)

    def kept(self, fact: CallFact, frame: Frame, callees: list[Callee]) -> Iterator[Kept]:
        """The values that a call keeps or compares."""
        call = fact.value
        target = v.bare(call.target)
        if target == v.Ref("setattr") and len(call.args) == 3:
            yield from self._assigned(call, frame)
            return
        if target == v.Ref("operator.setitem") and len(call.args) == 3:
            yield from self._put(call, frame)
            return
        if target == v.Ref("operator.eq"):
            yield from self._compared(call.args, frame, "==")
            return
        bound = Bound(call, frame)
        made = self._constructed(call, frame, callees)
        if made is not None:
            places: tuple[int | str, ...] = (0,) if fact.name in COPIES else ("**",)
            for one in self._fields(bound, places, "row", made, made.facts.qualname, ()):
                if fact.name not in COPIES or one.field in set(self.rows.fields(made)):
                    yield one
            return
        for callee in callees:
            if callee.effect is not None and callee.effect.sink == "sql":
                yield from self._bound(call, frame, callee, callee.effect)
                return
        effect, assumed = self._effect(call, frame, callees)
        if effect.keeps == "comparison":
            arguments = [x for at in effect.kept for x in argument_values(call, at)]
            yield from self._compared(tuple(arguments), frame, shown_callee(fact))
        elif effect.keeps in {"row", "lookup"}:
            cls = self.rows.class_about(bound.sub(call.target))
            for one in self._fields(bound, effect.kept, effect.keeps, cls, shown_callee(fact), ()):
                yield one if not assumed else msgspec.structs.replace(one, assumed=True)
        elif effect.keeps and effect.keeps != "mapped":
            yield from self._whole(call, frame, effect, assumed, shown_callee(fact))

    def _effect(self, call: v.Call, frame: Frame, callees: list[Callee]) -> tuple[Effect, bool]:
        """What the knowledge says of a call, also of one on a class of rows itself."""
        for callee in callees:
            if callee.effect is not None and callee.effect.keeps:
                return callee.effect, callee.assumed
        target = v.bare(call.target)
        if isinstance(target, v.Attr) and not any(callee.function for callee in callees):
            cls = self.rows.row_class(Bound(target.base, frame))
            lineage = self.rows.program.lineage(cls) if cls is not None else ()
            for base in lineage:
                found = self.knowledge.method(base, target.name) if isinstance(base, str) else None
                if found is not None and found.keeps:
                    return found, False
            usual = self.knowledge.method("*", target.name)
            if usual is not None and usual.keeps and not any(callee.effect for callee in callees):
                return usual, True
        return NOTHING, False

    def _constructed(self, call: v.Call, frame: Frame, callees: list[Callee]) -> ClassSymbol | None:
        """The persistent class that a call makes an instance of, unless its own `__init__` takes the arguments."""
        for callee in callees:
            if callee.cls is not None and self.rows.is_row_class(callee.cls):
                return None if callee.function is not None else callee.cls
        target = v.bare(call.target)
        if isinstance(target, v.Attr) and target.name in COPIES:
            symbol = self.infer.symbol_of(target.base, frame)
            return symbol if isinstance(symbol, ClassSymbol) and self.rows.is_row_class(symbol) else None
        if isinstance(target, v.Attr) and target.name == "__init__":
            base = v.bare(target.base)
            if isinstance(base, v.Op) and base.kind == "super":
                kind = self.infer.type_of(Bound(base.subject, frame))
                if kind is not None and kind.cls is not None and self.rows.is_row_class(kind.cls):
                    return kind.cls if not any(callee.function for callee in callees) else None
        if isinstance(target, v.Attr) and target.name in {"model", "model_class", "user_model"}:
            return self._model_of(target, frame)
        return None

    def _model_of(self, target: v.Attr, frame: Frame) -> ClassSymbol | None:
        """The class of `self.model(...)` in a manager: the one that has it."""
        kind = self.infer.type_of(Bound(target.base, frame))
        if kind is None or kind.cls is None:
            return None
        return self.managed(kind.cls)

    def managed(self, manager: ClassSymbol) -> ClassSymbol | None:
        """The class of rows that has an instance of a manager among its attributes."""
        name = manager.facts.qualname
        for path, outline in self.rows.program.outlines.items():
            facts = self.rows.program.facts(path) if name in outline.calls or path == manager.path else None
            for cls in facts.classes.values() if facts else ():
                for value in cls.attributes.values():
                    made = v.bare(value)
                    if isinstance(made, v.Call) and last_name(made) == name:
                        symbol = ClassSymbol(path, cls)
                        return symbol if self.rows.is_row_class(symbol) else None
        return None

    # Rows

    def _assigned(self, call: v.Call, frame: Frame) -> Iterator[Kept]:
        owner, name, value = call.args
        holder = Bound(owner, frame)
        cls = self.rows.row_class(holder)
        kind = self.infer.type_of(holder)
        if cls is not None and self.infer.symbol_of(owner, frame) is not None and kind is None:
            return  # an attribute of the class itself
        field = v.bare(name)
        if cls is not None or self.rows.is_library_row(kind):
            if isinstance(field, v.Const):
                key = str(field.value)
                shown = f"`{describe(owner)}.{key}`"
                yield Kept("row", key, Bound(value, frame), shown, cls=cls, about=(describe(owner), key))
            else:
                for key, inner in self._swept(Bound(value, frame), cls):
                    yield Kept("row", key, inner, f"`{describe(owner)}`", cls=cls, about=(key,), whole=True)
        elif isinstance(field, v.Const):
            key = str(field.value)
            shown = f"`{describe(owner)}.{key}`"
            called = None
            if isinstance(owner, (v.Param, v.Named)) if kind is None else self._is_account(kind):
                called = self.rows.called(describe(owner).rpartition(".")[2], key)
            given = called is not None and isinstance(owner, v.Param)
            unknown = kind is None or (kind.cls is None and (kind.assumed or self._is_account(kind)))
            if given or (unknown and self._is_saved(owner, frame)) or self.names.is_hash_of_password(key):
                about = (describe(owner), key)
                yield Kept("row", key, Bound(value, frame), shown, assumed=True, cls=called, about=about)

    def _is_account(self, kind: Type) -> bool:
        """Whether it is who is logged in: a row, whose class the framework does not know."""
        return self.names.speaks_of_people(kind.name.rpartition(".")[2])

    def _is_saved(self, owner: Value, frame: Frame) -> bool:
        """Whether the function saves an object of which nothing else is known."""
        if not isinstance(owner, (v.Named, v.Param, v.Attr, v.Ref)) or owner.name in {"self", "cls"}:
            return False
        for fact in frame.function.calls:
            target = v.bare(fact.value.target)
            if fact.name in {"save", "put", "commit", "update"} and isinstance(target, v.Attr):
                if target.base == owner or fact.name == "commit":
                    return True
            if fact.name in {"add", "merge"} and owner in fact.value.args:
                return True
        return False

    def _swept(self, bound: Bound, cls: ClassSymbol | None) -> Iterator[tuple[str, Bound]]:
        """The password among the values of a mapping that are assigned one after the other."""
        value = v.bare(bound.value)
        if isinstance(value, v.Item):
            value = v.bare(value.base)
        if isinstance(value, v.Op) and value.kind == "each":
            items = v.bare(value.subject)
            if isinstance(items, v.Call) and isinstance(items.target, v.Attr) and items.target.name == "items":
                yield from self._entries(bound.sub(items.target.base), cls)

    def _fields(
        self,
        bound: Bound,
        places: tuple[int | str, ...],
        store: str,
        cls: ClassSymbol | None,
        shown: str,
        about: tuple[str, ...],
    ) -> Iterator[Kept]:
        call = bound.value
        assert isinstance(call, v.Call)
        where = f"`{shown}()`"
        for at in places:
            if at == "**":
                for key, value in call.keywords:
                    if key == "**":
                        for name, inner in self._entries(bound.sub(value), cls):
                            yield Kept(store, name, inner, where, cls=cls, about=(*about, name), whole=True)
                    else:
                        yield Kept(store, key.partition("__")[0], bound.sub(value), where, cls=cls, about=(*about, key))
                continue
            for value in argument_values(call, at):
                for name, inner in self._entries(bound.sub(value), cls):
                    yield Kept(store, name, inner, where, cls=cls, about=(*about, name), whole=True)

    def _entries(self, bound: Bound, cls: ClassSymbol | None, depth: int = 0) -> Iterator[tuple[str, Bound]]:
        """The fields of a mapping, of a list of them, or of an object that is dumped into one."""
        if depth > 4:
            return
        for leaf in self.reducer.leaves(bound, 10):
            value = leaf.value
            if isinstance(value, v.Map):
                given: set[str] = set()
                for key, inner in value.items:
                    name = v.bare(key) if key is not None else None
                    if isinstance(name, v.Const):
                        given.add(str(name.value))
                        if str(name.value).startswith("$"):
                            yield from self._entries(leaf.sub(inner), cls, depth + 1)
                        else:
                            yield str(name.value), leaf.sub(inner)
                    elif isinstance(name, v.Attr):
                        yield name.name, leaf.sub(inner)
                    elif name is not None:
                        yield from self._entries(leaf.sub(inner), cls, depth + 1)
                        yield "", leaf.sub(inner)
                for key, inner in value.items:
                    if key is None:
                        yield from (e for e in self._entries(leaf.sub(inner), cls, depth + 1) if e[0] not in given)
            elif isinstance(value, v.Seq):
                for inner in value.items:
                    yield from self._entries(leaf.sub(inner), cls, depth + 1)
            else:
                yield from self._dumped(leaf, cls, depth)

    def _dumped(self, bound: Bound, cls: ClassSymbol | None, depth: int) -> Iterator[tuple[str, Bound]]:
        """The password of an object or a request that is turned into a mapping as a whole."""
        value: Value = bound.value
        left_out: set[str] = set()
        if isinstance(value, v.Op) and value.kind == "without":
            key = v.bare(value.args[0])
            left_out.add(str(key.value) if isinstance(key, v.Const) else "")
            yield from (
                e for e in self._dumped(bound.sub(v.bare(value.subject)), cls, depth + 1) if e[0] not in left_out
            )
            return
        if isinstance(value, v.Call):
            name = last_name(value)
            if name in {"dict", "deepcopy", "jsonable_encoder", "vars", "asdict"} and value.args:
                yield from self._dumped(bound.sub(v.bare(value.args[0])), cls, depth + 1)
                return
            if name not in DUMPS or not isinstance(value.target, v.Attr):
                return
            for key_, inner in value.keywords:
                if key_ == "include":
                    return
                if key_ == "exclude":
                    listed = v.bare(inner)
                    left_out = {str(k.value) for k in v.children(listed) if isinstance(k, v.Const)}
            value = v.bare(value.target.base)
            bound = bound.sub(value)
        kind = self.infer.type_of(bound)
        if kind is not None and kind.cls is not None:
            for field in self.rows.fields(kind.cls):
                if field not in left_out:
                    yield field, bound.sub(v.attr(value, field))
                    return
            return
        labels = self.reducer.labels(bound)
        sent = "body" in labels or "request" in labels or (isinstance(value, v.Param) and value.name in SENT)
        if sent and self._knows_password(bound, cls):
            for field in [*(self.rows.fields(cls) if cls is not None else ()), "password"]:
                if field not in left_out:
                    yield field, bound.sub(v.item(value, v.Const(field)))
                    return

    def _knows_password(self, bound: Bound, cls: ClassSymbol | None) -> bool:
        """Whether the mapping surely has a password: the row has one, or the class around declares the field."""
        if cls is not None:
            return any(True for _ in self.rows.fields(cls))
        owner = self.rows.program.owner(bound.frame.path, bound.frame.function)
        return owner is not None and not all(_is_of_another(owner, name) for name in self.rows.fields(owner))

    # Mappings that are stores, and whole values

    def _put(self, call: v.Call, frame: Frame) -> Iterator[Kept]:
        container, key, value = call.args
        holder = Bound(container, frame)
        kind = self.infer.type_of(holder)
        for library in self.infer.library_types(kind):
            store = self.knowledge.keeps(library)
            if store:
                name = v.bare(key)
                field = str(name.value) if isinstance(name, v.Const) else ""
                for one, inner in self.parts(Bound(value, frame), field):
                    place = f"{WHERE[store]} (`{describe(container)}`)"
                    yield Kept(
                        store, one, inner, place, kind.assumed if kind else False, about=(field, describe(container))
                    )
                return
        if kind is not None and kind.cls is not None and self.rows.is_row_class(kind.cls):
            name = v.bare(key)
            if isinstance(name, v.Const):
                yield Kept("row", str(name.value), Bound(value, frame), f"`{describe(container)}`", cls=kind.cls)

    def _whole(self, call: v.Call, frame: Frame, effect: Effect, assumed: bool, shown: str) -> Iterator[Kept]:
        if effect.keeps == "file" and self._is_answer(call, frame):
            return
        keys = {str(x.value) for x in map(v.bare, call.args) if isinstance(x, v.Const) and isinstance(x.value, str)}
        field = next((key for key in keys if self.names.is_password(key)), "")
        seen: list[Value] = []
        for at in effect.kept:
            for value in argument_values(call, at):
                if any(value is other for other in seen):
                    continue
                seen.append(value)
                for one, inner in self.parts(Bound(value, frame), field):
                    place = f"{WHERE[effect.keeps]} by `{shown}()`"
                    yield Kept(effect.keeps, one, inner, place, assumed, about=(one, *keys), whole=True)

    def whole(self, fact: CallFact, frame: Frame) -> Kept | None:
        """Where a call stores an argument as it is."""
        bound = Bound(fact.value, frame)
        callees = self.infer.callees(bound)
        made = self._constructed(fact.value, frame, callees)
        if made is not None:
            return Kept("row", "", bound, f"`{made.facts.qualname}()`", cls=made, whole=True)
        effect, assumed = self._effect(fact.value, frame, callees)
        if effect.keeps == "row":
            cls = self.rows.class_about(bound.sub(fact.value.target))
            return Kept("row", "", bound, f"`{shown_callee(fact)}()`", assumed, cls=cls, whole=True)
        if effect.keeps not in WHERE:
            return None
        place = f"{WHERE[effect.keeps]} by `{shown_callee(fact)}()`"
        return Kept(effect.keeps, "", bound, place, assumed, whole=True)

    def _is_answer(self, call: v.Call, frame: Frame) -> bool:
        """Whether what is written to goes to a browser or stays in memory: `csv.writer(response)`."""
        target = v.bare(call.target)
        for leaf in self.reducer.leaves(Bound(target.base, frame), 4) if isinstance(target, v.Attr) else ():
            for argument in leaf.value.args[:1] if isinstance(leaf.value, v.Call) else ():
                made = last_name(v.bare(argument))
                if made.endswith(("Response", "StringIO", "BytesIO")) or made in {"response", "resp"}:
                    return True
        return False

    def parts(self, bound: Bound, field: str) -> Iterator[tuple[str, Bound]]:
        """The fields of a value that is stored as it is; the value itself where it has none."""
        entries = list(self._entries(bound, None))
        yield from entries
        if not entries:
            yield field, bound

    # Statements

    def _bound(self, call: v.Call, frame: Frame, callee: Callee, effect: Effect) -> Iterator[Kept]:
        bound = Bound(call, frame)
        at = next((value for place in effect.at for value in argument_values(call, place)), None)
        if at is None:
            return
        others = [x for x in call.args if x is not at]
        keywords = [(key, x) for key, x in call.keywords if x is not at]
        made = self._statement_object(bound.sub(at))
        if made is not None:
            cls, store = made
            for value in others[:1]:
                for key, inner in self._entries(bound.sub(value), cls):
                    yield Kept(
                        store, key, inner, f"`{callee.name.rpartition('.')[2]}()`", cls=cls, about=(key,), whole=True
                    )
            return
        for statement in self._statements.statements(bound.sub(at)):
            values = self._statements.bound_values(others, keywords, bound, at)
            slots = list(statement.slots())
            if not ELSEWHERE_TOO.isdisjoint(slot.column.lower() for slot in slots if slot.writes):
                continue
            for slot in slots:
                for inner in values_at(slot.marker, statement, values):
                    table = statement.table.rpartition(".")[2]
                    place = f"{statement.verb.upper()} of `{table}`" if table else statement.verb.upper()
                    yield Kept(
                        "row" if slot.writes else "lookup",
                        slot.column,
                        inner,
                        f"`{slot.column}` in an {place}" if place[0] in "AEIOU" else f"`{slot.column}` in a {place}",
                        callee.assumed,
                        about=(table, slot.column),
                        around=slot,
                    )

    def _statement_object(self, bound: Bound) -> tuple[ClassSymbol | None, str] | None:
        """A statement that was built, not written: `insert(User)`, `users.insert()`."""
        for leaf in self.reducer.leaves(bound, 6):
            value = leaf.value
            if isinstance(value, v.Call):
                if last_name(value) in {"insert", "update"}:
                    return self.rows.class_about(leaf), "row"
        return None

    # Comparisons

    def _compared(self, sides: tuple[Value, ...], frame: Frame, shown: str) -> Iterator[Kept]:
        if len(sides) != 2:
            return
        for one, other in ((0, 1), (1, 0)):
            stored = v.bare(sides[other])
            holder = Bound(stored.base, frame) if isinstance(stored, (v.Attr, v.Item)) else Bound(stored, frame)
            yield Kept(
                "comparison",
                "",
                Bound(sides[one], frame),
                f"`{shown}` with `{describe(sides[other])}`",
                cls=self.rows.row_class(holder),
                about=(describe(sides[other]),),
                against=Bound(sides[other], frame),
            )


def _is_of_another(cls: ClassSymbol, field: str) -> bool:
    """Whether a field is one of another object, under whose name it comes: `CharField(source="user.password")`."""
    made = v.bare(cls.facts.attributes.get(field, v.UNKNOWN))
    given = dict(made.keywords).get("source") if isinstance(made, v.Call) else None
    name = v.bare(given) if given is not None else None
    return isinstance(name, v.Const) and isinstance(name.value, str) and "." in name.value
