"""What calls do to the database and to the world: writes, commits, transactions, messages, by the knowledge."""

from __future__ import annotations

import re
from collections.abc import Iterator

from prodready.knowledge_form import DEEDS, Effect
from prodready.link.frames import Bound, Callee, Frame
from prodready.link.hooks import SAVING, Hooks, is_itself
from prodready.link.labels import Labels
from prodready.link.openings import Deed, Key
from prodready.link.program import ClassSymbol, FunctionSymbol, LibrarySymbol, ValueSymbol
from prodready.link.rebuilding import plain
from prodready.link.sinks import shown_callee
from prodready.link.text import argument_values
from prodready.read import values as v
from prodready.read.facts import CallFact, last_name
from prodready.read.handed import is_apart
from prodready.read.values import Value

WRITES_SQL = re.compile(r"(?:INSERT|UPDATE|DELETE|MERGE|REPLACE|UPSERT|TRUNCATE)\b", re.IGNORECASE)
WITH_WRITE = re.compile(r"WITH\b.*\b(?:INSERT INTO|UPDATE|DELETE FROM)\b", re.IGNORECASE | re.DOTALL)
TABLE = re.compile(
    r"(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|REPLACE\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|TRUNCATE(?:\s+TABLE)?)\s+[\"`\[]?([\w.]+)",
    re.IGNORECASE,
)
BEGINS = re.compile(r"(?:BEGIN|START\s+TRANSACTION)\b", re.IGNORECASE)
ENDS = re.compile(r"(?:COMMIT|END)\b", re.IGNORECASE)
BUILDERS = frozenset({"insert", "update", "delete", "insert_many", "replace", "replace_many"})
"""Names by which statements that are built of objects say what they do."""

WRITING = frozenset({"write", "ensure", "alone", "commit"})
OF_DATABASES = frozenset({"commit", "write-sql", "begin", "transaction"})
"""Deeds by which the library of a database is told from one that works with another's rows."""

ENTERING = frozenset({"enter_context", "enter_async_context"})
AUTOCOMMIT = frozenset({("autocommit", v.Const(True)), ("isolation_level", v.Const(None))})
"""How DB-API connections are told to commit each statement: an extension of PEP 249, and `sqlite3`'s own way."""

LONGEST_CHAIN = 10
MOST_NAMES = 4


ALONE = "alone"
"""The deed of a statement that is committed alone unless a commit follows."""


class Deeds(Hooks):
    """Looks up what calls do. Answers are kept: the program does not change while this lives."""

    def __init__(self, labels: Labels) -> None:
        super().__init__(labels)
        self.names = self._deed_names()
        self._families = {
            name.partition(".")[0]
            for name, entry in self.knowledge.types.items()
            if "row" in entry.labels
            or any(isinstance(m, Effect) and m.does in OF_DATABASES for m in entry.methods.values())
        } - {"dbapi"}
        """Libraries that keep rows themselves, by their first name."""
        self._given_as = {place for entry in self.knowledge.types.values() for place in entry.row_at}
        """Under which forms are given the row that they work on."""
        self._running: dict[Key, tuple[str, bool] | None] = {}
        self._found: dict[Key, dict[int, Deed]] = {}

    def _deed_names(self) -> frozenset[str]:
        """The last names of all calls that may do something."""
        found = {name.rpartition(".")[2] for name, effect in self.knowledge.functions.items() if effect.does in DEEDS}
        for entry in self.knowledge.types.values():
            effects = ((n, member) for n, member in entry.methods.items() if isinstance(member, Effect))
            found |= {n for n, e in effects if e.does in DEEDS or (e.sink == "sql" and n.startswith("exec"))}
        return frozenset(found | ENTERING)

    def of(self, frame: Frame, names: frozenset[str] | None) -> dict[int, Deed]:
        """What the calls of a function do, by their position; looked up are those of `names`, or all."""
        found = self._found.get(frame.key)
        if found is None:
            found = self._found[frame.key] = {}
            for index, fact in enumerate(frame.function.calls):
                if names is None or fact.name in names or fact.name in self.names or fact.name == "setattr":
                    deed = self.deed(fact, frame) if not is_apart(frame.function.calls, index) else None
                    if deed is not None:
                        found[index] = deed
        return found

    def deed(self, fact: CallFact, frame: Frame) -> Deed | None:
        """What one call does, if anything."""
        if fact.name == "setattr" and fact.value.args and v.dotted(fact.value.target) == "setattr":
            changed = self._object(fact.value.args[0], frame)
            given = self.given_row(Bound(changed, frame))[1] if isinstance(changed, v.Call) else None
            return Deed("change", fact, root=changed if given is None else plain(given))
        bound = Bound(fact.value, frame)
        if fact.name in ENTERING and fact.value.args and self.opens(bound.sub(fact.value.args[0])):
            return Deed("begin", fact)
        targets: list[tuple[FunctionSymbol, tuple[tuple[str, Bound], ...]]] = []
        assumed = False
        for callee in self.infer.callees(bound):
            if callee.effect is not None and callee.effect.does:
                return self._by_knowledge(fact, frame, callee, callee.effect)
            if callee.function is not None:
                if "queue" in self.decorations(Frame(callee.function.path, callee.function.facts)):
                    return Deed("send", fact)  # somebody else runs it, later
                if callee.assumed and self._is_foreign(bound):
                    continue
                if callee.function.facts.yields is None:  # what a generator does, it does for whoever goes through it
                    targets.append((callee.function, self.infer.bind(callee, bound)))
                    targets += [(other, ()) for other in self._overriding(callee, frame)]
                    assumed |= callee.assumed
            elif callee.effect is not None and callee.effect.sink == "sql":
                return self._run(fact, bound, callee, callee.effect)
        receiver = self._object(fact.value.target.base, frame) if isinstance(fact.value.target, v.Attr) else None
        above = isinstance(receiver, v.Op) and receiver.kind == "super"
        if not targets:
            return None
        gives = receiver is not None and self._gives_row(bound.sub(receiver), fact.name)
        if receiver is None or not (above or gives or not self._is_fresh(bound, receiver)):
            return Deed("call", fact, assumed=assumed, targets=tuple(targets))
        root = self._row(bound) if gives else receiver
        return Deed("call", fact, self._label(bound, root, fact), root, assumed=assumed, targets=tuple(targets))

    def _object(self, value: Value, frame: Frame) -> Value:
        """What is written or called: `instance` of a form is what its `save()` gives, where the function calls that."""
        value = plain(value)
        if not isinstance(value, v.Attr) or value.name not in self._given_as:
            return value
        form = plain(value.base)
        kinds = self.infer.library_types(self.infer.type_of(Bound(form, frame)))
        if not any(value.name in self.knowledge.row_at(kind) for kind in kinds):
            return value
        for fact in frame.function.calls:
            target = fact.value.target
            if isinstance(target, v.Attr) and fact.name in SAVING:
                saved = plain(target.base)
                itself = (
                    isinstance(saved, v.Op) and is_itself(saved, frame.function) and is_itself(form, frame.function)
                )
                if (itself or saved == form) and self._gives_row(Bound(target.base, frame), fact.name):
                    return self._row(Bound(fact.value, frame))
        return value

    def _gives_row(self, receiver: Bound, name: str) -> bool:
        """Whether a method stands in place of a library's that stores a row and gives it: `save` of a form."""
        effects = [self.knowledge.method(one, name) for one in self.infer.library_types(self.infer.type_of(receiver))]
        return any(e is not None and e.does == "write" and self.knowledge.is_row(e.returns) for e in effects)

    def _run(self, fact: CallFact, bound: Bound, callee: Callee, effect: Effect) -> Deed | None:
        """Running a statement in a unit of work, which somebody commits: unless that was turned off."""
        kind, label = self._statement(bound, effect)
        if not kind:
            return None
        if kind == "write" and not self.commits_each(bound):
            kind = ALONE if self._is_opened_here(bound, callee) else "stage"
        return Deed(kind, fact, label, None, True, callee.assumed, self._store(callee, bound, fact.value.target))

    def _is_opened_here(self, bound: Bound, callee: Callee) -> bool:
        """Whether a statement runs on a connection that the function opened, and that commits alone."""
        target = bound.value.target if isinstance(bound.value, v.Call) else bound.value
        receiver = plain(target.base) if isinstance(target, v.Attr) else None
        kinds = self.infer.library_types(callee.type)
        return (
            (isinstance(receiver, v.Op) or (isinstance(receiver, v.Call) and last_name(receiver) == "connect"))
            and any("commits-alone" in self.knowledge.label(kind) for kind in kinds)
            and not self.opens(bound.sub(receiver.subject if isinstance(receiver, v.Op) else receiver))
        )

    def _is_foreign(self, bound: Bound) -> bool:
        """Whether a receiver is plainly of a class that is not the project's: a guess by the method's name is wrong."""
        call = bound.value
        target = call.target if isinstance(call, v.Call) else call
        if not isinstance(target, v.Attr):
            return False
        for leaf in self.labels.leaves(bound.sub(target.base), 6):
            made = leaf.value.target if isinstance(leaf.value, v.Call) else None
            symbol = self.infer.symbol_of(made, leaf.frame) if made is not None else None
            if isinstance(symbol, LibrarySymbol) and "." in symbol.name:
                return True
        annotation = self._annotation(bound.sub(target.base))
        return annotation is not None and any(
            isinstance(self.infer.symbol_of(one, annotation.frame), LibrarySymbol)
            for one in _named_in(annotation.value)
        )

    def _annotation(self, bound: Bound) -> Bound | None:
        """The annotation of a parameter or of a property."""
        value = v.bare(bound.value)
        if isinstance(value, v.Param) and (param := bound.frame.param(value.name)) is not None:
            return bound.sub(param.annotation) if param.annotation is not None else None
        kind = self.infer.type_of(bound.sub(value.base)) if isinstance(value, v.Attr) else None
        if kind is None or kind.cls is None or not isinstance(value, v.Attr):
            return None
        member = self.program.member(kind.cls, value.name)
        if isinstance(member, FunctionSymbol) and member.facts.result is not None:
            return Bound(member.facts.result, self.infer.module_frame(member.path))
        return None

    def commits_each(self, bound: Bound) -> bool:
        """Whether a statement runs on a connection that was told to commit every one: `autocommit=True`."""
        value: Value = bound.value
        passed: list[Value] = []
        for _ in range(LONGEST_CHAIN):
            value = v.bare(value)
            passed.append(plain(value))
            if isinstance(value, v.Call):
                if any((key, v.bare(inner)) in AUTOCOMMIT for key, inner in value.keywords):
                    return True
                value = value.target
            elif isinstance(value, v.Attr):
                value = value.base
            elif isinstance(value, v.Op) and value.kind == "enter":
                value = value.subject
            else:
                reduced = self.labels.step(bound.sub(value))
                if not reduced or reduced[0][0].frame.key != bound.frame.key:
                    break
                value = reduced[0][0].value
        return any(
            fact.name == "setattr"
            and len(fact.value.args) == 3
            and (getattr(fact.value.args[1], "value", ""), v.bare(fact.value.args[2])) in AUTOCOMMIT
            and plain(fact.value.args[0]) in passed
            for fact in bound.frame.function.calls
        )

    def _by_knowledge(self, fact: CallFact, frame: Frame, callee: Callee, effect: Effect) -> Deed | None:
        bound = Bound(fact.value, frame)
        if any(key in effect.unless and v.bare(value) == v.Const(False) for key, value in fact.value.keywords):
            return None
        if effect.unless and fact.value.args and v.bare(fact.value.args[0]) == v.Const(False):
            return None
        if effect.keeps and effect.kept == ("**",) and any(not v.is_star(value) for value in fact.value.args):
            return None  # a mapping's method of the same name
        kind = effect.does
        if kind == "write-sql":
            kind, label = self._statement(bound, effect)
            return (
                Deed(kind, fact, label, None, True, callee.assumed, self._store(callee, bound, fact.value.target))
                if kind
                else None
            )
        target = fact.value.target
        receiver = self._object(target.base, frame) if isinstance(target, v.Attr) else None
        if callee.type is None and fact.value.args and self.knowledge.is_row(callee.name.rpartition(".")[0]):
            receiver = plain(fact.value.args[0])  # `Model.save(self)`
        hooks = tuple(self._hooks(bound, callee, effect)) if effect.calls else ()
        if hooks:
            row = self._row(bound) if effect.returns and self.knowledge.is_row(effect.returns) else None
            return Deed("call", fact, self._label(bound, receiver, fact), row, assumed=callee.assumed, targets=hooks)
        root = receiver
        if kind == "stage":
            root = plain(fact.value.args[0]) if fact.value.args else None
        elif receiver is not None and kind == "write":
            root = self.picked(receiver, frame) or receiver
        if any(key in effect.ensures and _is_said(value, frame) for key, value in fact.value.keywords):
            kind = "ensure"
        store, label = self._store(callee, bound, target), self._label(bound, root, fact)
        unless = tuple(effect.unless) if any(key == "**" for key, _ in fact.value.keywords) else ()
        if kind == "write" and effect.returns and self.knowledge.is_row(effect.returns):
            return Deed(kind, fact, label, self._row(bound), False, callee.assumed, store, unless=unless)
        runs = tuple(self._methods(self._assembled_of(bound), effect.calls, bound)) if effect.calls else ()
        known, given = self.given_row(bound.sub(root)) if isinstance(root, v.Call) else (False, None)
        made = known and given is None  # `row` of `row = form.save(commit=False)`
        root = root if given is None or kind != "write" else plain(given)
        above = isinstance(root, v.Op) and root.kind == "super"
        is_row = above and any(map(self.knowledge.is_row, self.infer.library_types(callee.type)))
        fresh = not is_row and self._is_fresh(bound, root)
        return Deed(kind, fact, label, root, fresh, callee.assumed, store, runs, made, unless)

    def _row(self, bound: Bound) -> Value:
        """The row that a call gives: the one that its receiver was made to work on, or one that it makes."""
        row = self.given_row(bound)[1]
        return plain(bound.value if row is None else row)

    def _statement(self, bound: Bound, effect: Effect) -> tuple[str, str]:
        """The deed that running a statement is, and the table it is about."""
        call = bound.value
        assert isinstance(call, v.Call)
        for position in effect.at:
            for argument in argument_values(call, position):
                for leaf in self.labels.leaves(bound.sub(argument), 12):
                    found = self._statement_of(leaf)
                    if found[0]:
                        return found
        return "", ""

    def runs_given(self, frame: Frame) -> tuple[str, bool] | None:
        """The parameter that a function runs as a statement, and whether that is committed at once."""
        if frame.key not in self._running:
            self._running[frame.key] = None
            for fact in frame.function.calls:
                found = self._runs_param(Bound(fact.value, frame)) if fact.name in self.names else None
                if found is not None:
                    self._running[frame.key] = found
                    break
        return self._running[frame.key]

    def _runs_param(self, bound: Bound) -> tuple[str, bool] | None:
        call = bound.value
        assert isinstance(call, v.Call)
        for callee in self.infer.callees(bound):
            effect = callee.effect
            if effect is not None and (effect.sink == "sql" or effect.does == "write-sql"):
                for position in effect.at:
                    for argument in argument_values(call, position):
                        value = plain(argument)
                        if isinstance(value, v.Call) and value.args:  # `text(statement)`
                            value = plain(value.args[0])
                        if isinstance(value, v.Param):
                            return value.name, effect.does == "write-sql" or self.commits_each(bound)
        return None

    def statement_in(self, bound: Bound) -> tuple[str, str] | None:
        """What running a value would be, and the table it is about; None where it is not known."""
        known = False
        for leaf in self.labels.leaves(bound, 12):
            found = self._statement_of(leaf)
            if found[0]:
                return found
            known |= _leading_text(leaf.value) is not None
        return ("", "") if known else None

    def _statement_of(self, leaf: Bound) -> tuple[str, str]:
        text = _leading_text(leaf.value)
        if text is not None:
            kind = _statement_kind(text.lstrip(" \t\r\n("))
            table = TABLE.search(text)
            return kind, table[1] if table and table[1].upper() != "SET" else text.split()[0].upper() if kind else ""
        builder = _builder(leaf.value)
        if builder:
            return "write", self._label(leaf, None, None) or builder
        if isinstance(leaf.value, v.Call):  # `text("INSERT ...")`, whatever is done to it afterwards
            inner = self.labels.effect(leaf)
            if inner.sink == "sql":
                return self._statement(leaf, inner)
            target = leaf.value.target
            if isinstance(target, v.Attr) and isinstance(v.bare(target.base), v.Call):
                return self._statement_of(leaf.sub(v.bare(target.base)))
        return "", ""

    def _label(self, bound: Bound, root: Value | None, fact: CallFact | None) -> str:
        """What is written, for people: the class of the rows, or the call."""
        if isinstance(root, v.Op) and root.kind == "super":
            owner = self.program.owner(bound.frame.path, bound.frame.function)
            managed = self.infer.managed_by(owner) if owner is not None else None
            return managed.facts.qualname if managed is not None else bound.frame.function.owner.rpartition(".")[2]
        cls = self.table(bound.sub(root) if root is not None else bound)
        return cls.facts.qualname if cls is not None else f"{shown_callee(fact)}()" if fact is not None else ""

    def table(self, value: Bound) -> ClassSymbol | None:
        """The class of the rows that a value stands for: one of them, a query, a form that saves them."""
        kind = self.infer.type_of(value)
        own = kind.cls if kind is not None else None
        cls = own if self.is_row_class(own) else self._named_class(value)
        if cls is not None and not self.is_row_class(cls):
            cls = self.infer.filled_by(cls) or cls
        if cls is None and own is not None and any(map(self.knowledge.is_subclassed, self.infer.library_types(kind))):
            cls = self.infer.filled_by(own) or self.infer.managed_by(own) or own
        return cls

    def is_row_class(self, cls: ClassSymbol | None) -> bool:
        """Whether objects of a class of the project are rows of a table."""
        return cls is not None and self.infer.is_of_rows(cls)

    def _store(self, callee: Callee, bound: Bound, target: Value) -> str:
        """Which database a deed is about, as far as that can be told: the library, and the session by its name."""
        family = (callee.type.name if callee.type and callee.type.cls is None else callee.name).partition(".")[0]
        family = family if family in self._families else ""
        if callee.effect is None or callee.effect.does != "commit" or not isinstance(target, v.Attr):
            return family
        names = set(self._session_names(bound.sub(target.base), 0))
        return f"{family} {names.pop()}" if len(names) == 1 else family

    def _session_names(self, bound: Bound, depth: int) -> Iterator[str]:
        """The variables and attributes that a session comes from: `session or db.session` is `db.session`."""
        value = v.bare(bound.value)
        if depth > MOST_NAMES:
            return
        if isinstance(value, v.Choice):
            for option in value.options:
                yield from self._session_names(bound.sub(option), depth + 1)
        elif isinstance(value, v.Param) and (default := bound.frame.param(value.name)) is not None:
            if default.default is not None and not isinstance(default.default, v.Const):
                yield from self._session_names(bound.sub(default.default), depth + 1)
        elif isinstance(value, (v.Attr, v.Ref)):
            symbol = self.infer.symbol_of(value, bound.frame)
            if isinstance(symbol, ValueSymbol):
                yield f"{symbol.path}:{symbol.name}"
            elif isinstance(value, v.Attr):
                kind = self.infer.type_of(bound.sub(value.base))
                if kind is not None and kind.cls is not None:
                    yield f"{kind.cls.path}:{kind.cls.facts.qualname}.{value.name}"

    def _named_class(self, bound: Bound) -> ClassSymbol | None:
        """The class that an expression starts from; one that is given to a call says it where nothing before it does."""
        value = bound.value
        given: ClassSymbol | None = None
        for _ in range(12):
            value = v.bare(value)
            if isinstance(value, (v.Attr, v.Ref)):
                symbol = self.infer.symbol_of(value, bound.frame)
                if isinstance(symbol, ClassSymbol):
                    return given if self.is_row_class(given) and not self.is_row_class(symbol) else symbol
                if isinstance(value, v.Ref):
                    return given
                owner = self.infer.type_of(bound.sub(value.base))
                if owner is not None and self.is_row_class(owner.cls):
                    return given  # what a row refers to is a row of another table
                value = value.base
            elif isinstance(value, v.Call):
                symbol = self.infer.symbol_of(value.args[0], bound.frame) if value.args else None
                given = symbol if isinstance(symbol, ClassSymbol) else given
                value = value.target
            elif isinstance(value, (v.Op, v.Item, v.Mark)):
                value = (
                    value.subject
                    if isinstance(value, v.Op)
                    else value.value
                    if isinstance(value, v.Mark)
                    else value.base
                )
            else:
                break
        return given


def _is_said(value: Value, frame: Frame) -> bool:
    """Whether a keyword is true, as far as the function itself tells: a parameter is what it is if nobody gives it."""
    inner = v.bare(value)
    param = frame.param(inner.name) if isinstance(inner, v.Param) else None
    return (param.default if param is not None and param.default is not None else inner) != v.Const(False)


def _named_in(annotation: Value) -> Iterator[Value]:
    """The classes that an annotation names, `None` and generic wrappers left out."""
    annotation = v.bare(annotation)
    if isinstance(annotation, v.Choice):
        for option in annotation.options:
            yield from _named_in(option)
    elif isinstance(annotation, v.Item):
        yield from _named_in(annotation.key)
    elif isinstance(annotation, (v.Attr, v.Ref)) and "." in (v.dotted(annotation) or ""):
        yield annotation


def varies(value: Value, made: frozenset[tuple[int, int]]) -> bool:
    """Whether a value is another one in each round of a loop: an element, or made by one of the calls in it."""
    return any(
        (isinstance(one, v.Op) and one.kind == "each") or (isinstance(one, v.Call) and (one.line, one.column) in made)
        for one in v.walk(value)
    )


def _leading_text(value: Value) -> str | None:
    value = v.bare(value)
    if isinstance(value, v.Op) and value.kind in {"%", "format", "join", "replace"}:
        value = v.bare(value.subject)
    if isinstance(value, v.Text):
        texts = [part.value for part in value.parts if isinstance(part, v.Const) and isinstance(part.value, str)]
        return " ".join(texts)
    return value.value if isinstance(value, v.Const) and isinstance(value.value, str) else None


def _statement_kind(text: str) -> str:
    if WRITES_SQL.match(text) or WITH_WRITE.match(text):
        return "write"
    return "begin" if BEGINS.match(text) else "end" if ENDS.match(text) else ""


def _builder(value: Value) -> str:
    """`insert` of `insert(Order).values(...)` or `orders.insert()`."""
    while isinstance(value, (v.Call, v.Attr, v.Named)):
        if isinstance(value, v.Named):
            value = value.value
        elif isinstance(value, v.Call):
            value = v.bare(value.target)
        else:
            if value.name in BUILDERS:
                return value.name
            value = v.bare(value.base)
    name = value.name.rpartition(".")[2].lstrip(":") if isinstance(value, v.Ref) else ""
    return name if name in BUILDERS else ""
