"""Classes whose instances are rows, and those among them that hash a password by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import chain

from prodready.link.frames import Bound, Frame, Type
from prodready.link.infer import Inference
from prodready.link.labels import Labels
from prodready.link.password_hashing import MADE_BY_HASHERS, HashingFunctions
from prodready.link.password_names import PasswordNames
from prodready.link.program import ClassSymbol, FunctionSymbol, LibrarySymbol
from prodready.read import values as v
from prodready.read.facts import FunctionFacts, last_name
from prodready.read.stored import speaking
from prodready.read.values import Value
from prodready.words import split_words

COLUMNS = frozenset({"Column", "mapped_column"})
ELSEWHERE = frozenset({"__table__", "__mapper_args__", "meta"})
"""What a class says whose columns may stand elsewhere, or that takes any attribute for one."""

ELSEWHERE_TOO = frozenset(
    """
    host hostname port server endpoint base_url dsn server_url api_secret access_key_id asn peer peer_address peer_asn
    remote_as local_as remote_asn local_asn autonomous_system multihop_ttl ssid
    """.split()
)
"""Columns that stand beside a password for another service."""

ELSEWHERE_ENDS = frozenset({("bot", "token"), ("webhook", "url"), ("server", "url"), ("base", "url"), ("api", "url")})
"""What the names of such columns may end in: `telegram_bot_token`."""

HOSTS = frozenset({"host", "hostname", "server", "endpoint", "port", "url", "dsn"})
ACCOUNTS = frozenset({"AbstractUser", "AbstractBaseUser", "User"})
"""Classes of libraries that have a column `password`."""

AUTOMATIC = frozenset(
    """
    __setattr__ save asave save_base clean full_clean pre_save before_save insert before_insert before_update validate put
    pre_put _pre_put_hook update set_attributes __set__ setter
    """.split()
)
"""Methods that run whenever a row is changed or written."""

MAKING = frozenset({"__init__", "__post_init__", "model_post_init", "create"})
"""Methods that run when a row is made, and not when one of its attributes is assigned to later."""

NOT_HOOKS = frozenset(
    {"property", "classmethod", "staticmethod", "cached_property", "abstractmethod", "override", "deleter"}
)


class Rows:
    """Look-ups about persistent classes."""

    def __init__(self, reducer: Labels, names: PasswordNames) -> None:
        self.reducer = reducer
        self.infer: Inference = reducer.infer
        self.program = reducer.program
        self.knowledge = reducer.knowledge
        self.names = names
        self._rows: dict[ClassSymbol, bool] = {}
        self._hashing: dict[tuple[ClassSymbol, str, bool], bool] = {}
        self.functions = HashingFunctions(self.infer, names)
        self._listeners: dict[str, list[Bound]] = {}
        self._mapped: frozenset[ClassSymbol] | None = None

    # Which classes are persistent

    def is_row_class(self, cls: ClassSymbol) -> bool:
        """Whether instances of a class of the project are rows or documents of a database."""
        if cls not in self._rows:
            self._rows[cls] = False
            self._rows[cls] = self._look(cls)
        return self._rows[cls]

    def _look(self, cls: ClassSymbol) -> bool:
        lineage = self.program.lineage(cls)
        own = [base for base in lineage if isinstance(base, ClassSymbol)]
        libraries = [base for base in lineage if isinstance(base, str)]
        conditions = {condition for base in libraries if (condition := self._condition(base))}
        if conditions:
            return any(
                value == v.Const(True) for base in own for key, value in base.facts.keywords if key in conditions
            )
        if any(self.is_row_type(base) for base in libraries):
            return True
        if any("__tablename__" in base.facts.attributes or "__table__" in base.facts.attributes for base in own):
            return True
        for base in own:
            for value in base.facts.attributes.values():
                made = v.bare(value)
                if isinstance(made, v.Call) and last_name(made) in COLUMNS:
                    return True
            named = {last_name(name) for name in base.facts.bases}
            if named & {"Model", "BaseModel", "Document", "Entity"} and self._has_fields(base):
                return True
        return cls in self.mapped()

    def _condition(self, name: str) -> str:
        return next((e for kind in self.knowledge.lineage(name) if (e := self.knowledge.types[kind].row_if)), "")

    def _has_fields(self, cls: ClassSymbol) -> bool:
        makers = [v.bare(value) for value in cls.facts.attributes.values()]
        fields = [m for m in makers if isinstance(m, v.Call) and isinstance(v.bare(m.target), v.Attr | v.Ref)]
        return any(last_name(m).endswith("Field") and last_name(m) != "Field" and self._is_of_model(m) for m in fields)

    def _is_of_model(self, call: v.Call) -> bool:
        name = v.dotted(v.bare(call.target)) or ""
        return not any(part in name.lower() for part in ("form", "serializ", "schema", "marsh"))

    def _is_known(self, name: str) -> bool:
        """Whether it is known of a library's class what columns it brings: none that a password is kept in."""
        return self.is_row_type(name) or bool(self._condition(name)) or name == "object"

    def is_row_type(self, name: str) -> bool:
        """Whether the knowledge says that instances of a library's class are rows."""
        return "row" in self.knowledge.label(name)

    def mapped(self) -> frozenset[ClassSymbol]:
        """Plain classes that a call maps to a table."""
        if self._mapped is None:
            found = set()
            for name in self.calls_that_keep("mapped"):
                for path, function, fact in self.program.calls_named(name):
                    for argument in fact.value.args[:1]:
                        symbol = self.infer.symbol_of(argument, Frame(path, function))
                        if isinstance(symbol, ClassSymbol):
                            found.add(symbol)
            self._mapped = frozenset(found)
        return self._mapped

    def calls_that_keep(self, store: str) -> frozenset[str]:
        """The last names of the calls that the knowledge says keep something in a store of this kind."""
        found = {name.rpartition(".")[2] for name, effect in self.knowledge.functions.items() if effect.keeps == store}
        for entry in self.knowledge.types.values():
            found |= {n for n, m in entry.methods.items() if not isinstance(m, str) and m.keeps == store}
        return frozenset(found)

    def row_class(self, bound: Bound) -> ClassSymbol | None:
        """The persistent class that a value is an instance of, or that it names."""
        symbol = self.infer.symbol_of(bound.value, bound.frame)
        if isinstance(symbol, ClassSymbol):
            return symbol if self.is_row_class(symbol) else None
        kind = self.infer.type_of(bound)
        return kind.cls if kind is not None and kind.cls is not None and self.is_row_class(kind.cls) else None

    def called(self, name: str, field: str) -> ClassSymbol | None:
        """The only class of rows that a variable is named after and that has a password of this name, to be assigned to."""
        words = split_words(name)
        found = [
            cls
            for cls in self._by_name.get(words[words[:1] == ("current",) :], ())
            if self.names.is_password(field)
            and (field in self.fields(cls) or self.setter(cls, field) is not None)
            and self.is_row_class(cls)
        ]
        return found[0] if len(found) == 1 else None

    def all_hash(self, field: str) -> bool:
        """Whether there are classes of rows with such a column, and each makes a hash of what it is given."""
        owners = [
            cls
            for cls in chain.from_iterable(self._by_name.values())
            if (field in cls.facts.attributes or field in cls.facts.annotations) and self.is_row_class(cls)
        ]
        return bool(owners) and all(self.hashes(cls, field, made=False) for cls in owners)

    @cached_property
    def _by_name(self) -> dict[tuple[str, ...], list[ClassSymbol]]:
        """All classes of the project, by the words of their names."""
        found: dict[tuple[str, ...], list[ClassSymbol]] = {}
        for path, outline in self.program.outlines.items():
            facts = self.program.facts(path) if outline.defines else None
            for qualname, cls in facts.classes.items() if facts else ():
                found.setdefault(split_words(qualname), []).append(ClassSymbol(path, cls))
        return found

    def is_row(self, bound: Bound) -> bool:
        """Whether a value is a row, or a class of rows or table whose attributes are columns."""
        if self.row_class(bound) is not None or self.is_library_row(self.infer.type_of(bound)):
            return True
        value = v.bare(bound.value)
        if isinstance(value, v.Attr) and value.name in {"c", "columns"}:
            return True
        symbol = self.infer.symbol_of(value, bound.frame)
        return isinstance(symbol, LibrarySymbol) and self.is_row_type(symbol.name)

    def is_library_row(self, kind: Type | None) -> bool:
        """Whether it is a row of a class that a library brings."""
        return kind is not None and kind.cls is None and self.is_row_type(kind.name)

    def class_about(self, bound: Bound) -> ClassSymbol | None:
        """The persistent class that a query is about: `User` of `User.objects.filter(...)`, `insert(User).values`."""
        value: Value = bound.value
        for _ in range(16):
            value = v.bare(value)
            if isinstance(value, (v.Attr, v.Ref)):
                symbol = self.infer.symbol_of(value, bound.frame)
                if isinstance(symbol, ClassSymbol):
                    return symbol if self.is_row_class(symbol) else None
                if isinstance(value, v.Ref):
                    return None
                value = value.base
            elif isinstance(value, v.Call):
                for argument in value.args[:1]:
                    symbol = self.infer.symbol_of(argument, bound.frame)
                    if isinstance(symbol, ClassSymbol) and self.is_row_class(symbol):
                        return symbol
                value = value.target
            else:
                break
        kind = self.infer.type_of(bound.sub(value))
        return kind.cls if kind is not None and kind.cls is not None and self.is_row_class(kind.cls) else None

    # Fields

    def fields(self, cls: ClassSymbol) -> Iterator[str]:
        """The names of the columns that hold a password."""
        for base in self.program.lineage(cls):
            if isinstance(base, ClassSymbol):
                for name in dict.fromkeys((*base.facts.annotations, *base.facts.attributes)):
                    if self.names.is_password(name):
                        yield name
            elif base.rpartition(".")[2] in ACCOUNTS:
                yield "password"

    def is_no_column(self, cls: ClassSymbol, field: str) -> bool:
        """Whether a table cannot have a column of this name: no base declares one, and all that may are known."""
        declared: set[str] = set()
        for base in self.program.lineage(cls):
            if isinstance(base, ClassSymbol):
                declared.update(base.facts.attributes, base.facts.annotations)
            elif base.rpartition(".")[2] in ACCOUNTS or not self._is_known(base):
                return False
        if field in declared or not declared.isdisjoint(ELSEWHERE) or cls in self.mapped():
            return False
        return any(self.names.is_hash_of_password(name) or self.names.is_password(name) for name in declared)

    def is_for_others(self, cls: ClassSymbol | None, field: str) -> bool:
        """Whether the rows of a class hold what is needed to log in somewhere else: they name a host or a URL too.

        A host may be the field's own: `cloud_password` beside `cloud_server_url`.
        """
        if cls is None:
            return False
        if self.names.is_others(cls.facts.qualname):
            return True
        columns: set[str] = set()
        for base in self.program.lineage(cls):
            if isinstance(base, ClassSymbol):
                columns.update(base.facts.attributes, base.facts.annotations)
        ends = {split_words(column)[-2:] for column in columns}
        if not columns.isdisjoint(ELSEWHERE_TOO) or not ends.isdisjoint(ELSEWHERE_ENDS):
            return True
        about = (split_words(field) or ("",))[0]
        if not about or self.names.is_password(about) or self.names.speaks_of_people(about):
            return False
        beside = [words[1:] for words in map(split_words, columns) if words[:1] == (about,)]
        return any(not HOSTS.isdisjoint(words) for words in beside)

    def setter(self, cls: ClassSymbol, field: str) -> FunctionSymbol | None:
        """The setter of a property that takes what is assigned to the field."""
        for base in self.program.lineage(cls):
            if isinstance(base, ClassSymbol):
                function = self.program.function(base.path, f"{base.facts.qualname}.{field}.setter")
                function = function or self._given_setter(base, field)
                if function is not None:
                    return FunctionSymbol(base.path, function)
        return None

    def _given_setter(self, cls: ClassSymbol, field: str) -> FunctionFacts | None:
        """The method that a property is made of: `password = property(_get_password, _set_password)`."""
        value = cls.facts.attributes.get(field)
        for call in v.walk(value) if value is not None else ():
            if isinstance(call, v.Call):
                given = (*call.args[1:2], *(argument for key, argument in call.keywords if key == "fset"))
                for name in (last_name(one) for one in given if isinstance(one, v.Ref)):
                    function = self.program.function(cls.path, f"{cls.facts.qualname}.{name}")
                    if function is not None and len(function.params) == 2:
                        return function
        return None

    # Classes that hash by themselves

    def hashes(self, cls: ClassSymbol, field: str, *, made: bool = True) -> bool:
        """Whether a class makes a hash of what its field is given: in a setter, a hook, a column type.

        Without `made` the field is assigned to when the row is there already.
        """
        key = (cls, field, made)
        if key not in self._hashing:
            self._hashing[key] = False
            hooks = AUTOMATIC | MAKING if made else AUTOMATIC
            self._hashing[key] = any(self._hashes_in(base, field, hooks) for base in self._bases(cls)) or self._listens(
                cls, field
            )
        return self._hashing[key]

    def _bases(self, cls: ClassSymbol) -> list[ClassSymbol]:
        return [base for base in self.program.lineage(cls) if isinstance(base, ClassSymbol)]

    def _hashes_in(self, cls: ClassSymbol, field: str, hooks: frozenset[str]) -> bool:
        facts = self.program.facts(cls.path)
        assert facts is not None
        start = cls.facts.qualname + "."
        for qualname in facts.functions:
            if not qualname.startswith(start):
                continue
            name = qualname.removeprefix(start)
            hooked = any(one.removesuffix("()") not in NOT_HOOKS for one in facts.decorators.get(qualname, ()))
            if name == f"{field}.setter" or name.partition(".")[0] in hooks or hooked:
                if self.functions.hashes(cls.path, facts.functions[qualname], field):
                    return True
        value = cls.facts.attributes.get(field)
        return value is not None and self._column_hashes(Bound(value, self.infer.module_frame(cls.path)), field)

    def _column_hashes(self, bound: Bound, field: str) -> bool:
        """Whether the type of a column hashes, or the property that stands for it."""
        waiting = [bound.value]
        while waiting:
            value = waiting.pop()
            waiting.extend(v.children(value))
            if not isinstance(value, (v.Ref, v.Attr)):
                continue
            symbol = self.infer.symbol_of(value, bound.frame)
            if isinstance(symbol, LibrarySymbol):
                effect = self.knowledge.function(symbol.name)
                if effect is not None and not effect.labels.isdisjoint(MADE_BY_HASHERS):
                    return True
            elif isinstance(symbol, ClassSymbol):
                if self._any_method_hashes(symbol, field):
                    return True
            elif isinstance(symbol, FunctionSymbol):
                if self.functions.hashes(symbol.path, symbol.facts, field):
                    return True
        return False

    def column_methods(self, cls: ClassSymbol, field: str) -> Iterator[FunctionSymbol]:
        """The methods of the project's classes that the type of a column is made of."""
        for owner in self._bases(cls):
            waiting = [owner.facts.attributes[field]] if field in owner.facts.attributes else []
            while waiting:
                value = waiting.pop()
                waiting.extend(v.children(value))
                if isinstance(value, (v.Ref, v.Attr)):
                    symbol = self.infer.symbol_of(value, self.infer.module_frame(owner.path))
                    for base in self._bases(symbol) if isinstance(symbol, ClassSymbol) else ():
                        for name in base.facts.methods:
                            method = self.program.function(base.path, f"{base.facts.qualname}.{name}")
                            if method is not None:
                                yield FunctionSymbol(base.path, method)

    def _any_method_hashes(self, cls: ClassSymbol, field: str) -> bool:
        for base in self._bases(cls):
            facts = self.program.facts(base.path)
            for name in base.facts.methods:
                method = facts.functions.get(f"{base.facts.qualname}.{name}") if facts else None
                if method is not None and self.functions.hashes(base.path, method, field):
                    return True
        return False

    def _listens(self, cls: ClassSymbol, field: str) -> bool:
        """Whether a function that is registered for events of the class hashes."""
        if field not in self._listeners:
            self._listeners[field] = [
                bound for bound, path, function in self._registered if self.functions.hashes(path, function, field)
            ]
        return any(self._mentions_class(bound, cls) for bound in self._listeners[field])

    @cached_property
    def _registered(self) -> list[tuple[Bound, str, FunctionFacts]]:
        """The functions that calls or decorators register for events, with what says for which."""
        found: list[tuple[Bound, str, FunctionFacts]] = []
        names = self._receivers()
        for name in names:
            for path, function, fact in self.program.calls_named(name):
                frame = Frame(path, function)
                for argument in fact.value.args:
                    symbol = self.infer.symbol_of(argument, frame)
                    if isinstance(symbol, FunctionSymbol):
                        found.append((Bound(fact.value, frame), symbol.path, symbol.facts))
        for path, outline in self.program.outlines.items():
            called = [name for name in names if name in outline.calls]
            facts = self.program.facts(path) if called else None
            if facts is None:
                continue
            for qualname in speaking(facts, tuple(name.lower().encode() for name in called)):
                function = facts.functions[qualname]
                if any(last_name(decorator) in called for decorator in function.decorators):
                    told = v.seq(list(function.decorators))
                    found.append((Bound(told, self.infer.module_frame(path)), path, function))
        return found

    def _receivers(self) -> list[str]:
        found = {name.rpartition(".")[2] for name, e in self.knowledge.functions.items() if e.decorates == "receiver"}
        for entry in self.knowledge.types.values():
            found |= {n for n, m in entry.methods.items() if not isinstance(m, str) and m.decorates == "receiver"}
        return sorted(found)

    def _mentions_class(self, bound: Bound, cls: ClassSymbol) -> bool:
        waiting: list[Value] = [bound.value]
        while waiting:
            value = waiting.pop()
            if isinstance(value, (v.Ref, v.Attr)):
                symbol = self.infer.symbol_of(value, bound.frame)
                if isinstance(symbol, ClassSymbol) and (symbol == cls or symbol in self.program.lineage(cls)):
                    return True
                if isinstance(symbol, LibrarySymbol) and symbol.name.endswith("get_user_model"):
                    return True
            elif isinstance(value, v.Const) and isinstance(value.value, str):
                if value.value.rpartition(".")[2] == cls.facts.qualname:
                    return True
            waiting.extend(v.children(value))
        return False
