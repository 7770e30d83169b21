"""The program as a whole: modules by name, what a name in one file stands for in another, classes and their bases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

import msgspec

from prodready.knowledge import Knowledge
from prodready.link.modules import Modules, shared
from prodready.link.scope import Scope
from prodready.read import values as v
from prodready.read.facts import CallFact, ClassFacts, FileFacts, FunctionFacts, Outline, last_name
from prodready.read.values import Value

MAX_HOPS = 12
"""Re-exports followed for one name: more is a cycle."""

MANY_NAMESAKES = 8
"""Methods of one name looked at: from two on, the name alone tells nothing."""


class FunctionSymbol(msgspec.Struct, frozen=True):
    """A function of the project."""

    path: str
    facts: FunctionFacts


class ClassSymbol(msgspec.Struct, frozen=True):
    """A class of the project."""

    path: str
    facts: ClassFacts

    def __hash__(self) -> int:
        return hash((self.path, self.facts.qualname))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClassSymbol) and (self.path, self.facts.qualname) == (other.path, other.facts.qualname)


class ValueSymbol(msgspec.Struct, frozen=True):
    """A variable of a module or a class body, with the value it is bound to there."""

    path: str
    name: str
    value: Value


class ModuleSymbol(msgspec.Struct, frozen=True):
    """A module of the project."""

    path: str


class LibrarySymbol(msgspec.Struct, frozen=True):
    """Something outside the project, by its qualified name."""

    name: str


Symbol = FunctionSymbol | ClassSymbol | ValueSymbol | ModuleSymbol | LibrarySymbol


class Program(Modules):
    """Facts of all files, loaded when first asked for, and the look-ups between them."""

    def __init__(
        self,
        knowledge: Knowledge,
        outlines: Mapping[str, Outline],
        load: Callable[[str], FileFacts | None],
        tests: frozenset[str] = frozenset(),
    ) -> None:
        """`tests` are files whose classes nothing is that the application calls by a method's name alone."""
        described = (knowledge.functions, knowledge.objects, knowledge.types)
        super().__init__(outlines, (name.partition(".")[0] for table in described for name in table))
        self.knowledge = knowledge
        made_up = (name for name, known in knowledge.objects.items() if "made-up" in known.labels)
        self.making_up = frozenset(name.partition(".")[0] for name in made_up)
        """The packages that make data up."""
        self._load = load
        self.tests = tests
        self._facts: dict[str, FileFacts | None] = {}
        self._deriving: dict[str, list[str]] | None = None
        self._calls: dict[tuple[str, str], list[tuple[FunctionFacts, CallFact]]] = {}
        self._callers: dict[str, dict[str, list[str]]] = {}
        """By file and by the name of what is called: the functions that do so."""
        self._renamed: dict[str, dict[str, None]] | None = None
        self._calling: dict[str, list[str]] | None = None
        self._classes: dict[str, list[tuple[str, str]]] | None = None
        self._defining: dict[str, list[tuple[str, str]]] | None = None
        self._searched: set[tuple[str, str]] = set()
        """Modules whose star imports were looked through for a name in the present search: they may form circles."""
        self.resolve = lru_cache(maxsize=None)(self._resolve)
        self.lineage = lru_cache(maxsize=None)(self._lineage)
        self.subclasses = lru_cache(maxsize=None)(self._subclasses)
        self.descendants = lru_cache(maxsize=None)(self._descendants)
        self.methods_named = lru_cache(maxsize=None)(self._methods_named)

    def facts(self, path: str) -> FileFacts | None:
        """The facts of a file, or None where they are not to be had."""
        if path not in self._facts:
            self._facts[path] = self._load(path)
        return self._facts[path]

    def function(self, path: str, qualname: str) -> FunctionFacts | None:
        """A function of a file by its qualified name."""
        facts = self.facts(path)
        return facts.functions.get(qualname) if facts else None

    def owner(self, path: str, function: FunctionFacts) -> ClassSymbol | None:
        """The class that a function of a file is a method of."""
        facts = self.facts(path) if function.owner else None
        cls = facts.classes.get(function.owner) if facts else None
        return ClassSymbol(path, cls) if cls is not None else None

    # Names

    def _resolve(self, name: str, path: str) -> Symbol | None:
        """What `name`, as a Ref of the file `path` writes it, stands for."""
        outer, self._searched = self._searched, set()
        try:
            return self._follow(name, path, 0)
        finally:
            self._searched = outer

    def _follow(self, name: str, path: str, hops: int) -> Symbol | None:
        if hops > MAX_HOPS:
            return None
        if name.startswith(":"):
            return self._member_of(path, name[1:], hops)
        if name.startswith("."):
            base, rest = self.relative(name, path)
            if base is None:
                return None
            return self._member_of(base, rest, hops) if rest else ModuleSymbol(base)
        parts = name.split(".")
        for used in range(len(parts), 0, -1):
            module = self.find_module(".".join(parts[:used]), path)
            if module is not None and (module != path or used < len(parts)):
                if used == len(parts):
                    return self._bound_in_package(parts, path, hops) or ModuleSymbol(module)
                found = self._member_of(module, ".".join(parts[used:]), hops)
                if found is not None:
                    return found
        return LibrarySymbol(name)

    def _bound_in_package(self, parts: list[str], path: str, hops: int) -> Symbol | None:
        """What a package binds to the name of one of its own modules: `from .user import user`."""
        package = self.find_module(".".join(parts[:-1]), path) if len(parts) > 1 else None
        facts = self.facts(package) if package is not None else None
        target = facts.imports.get(parts[-1]) if facts is not None and package != path else None
        if target is None or package is None or target.rpartition(".")[0] == "":
            return None
        found = self._follow(target, package, hops + 1)
        return found if isinstance(found, (FunctionSymbol, ClassSymbol, ValueSymbol)) else None

    def _member_of(self, path: str, name: str, hops: int) -> Symbol | None:
        """`name` (perhaps with further names behind dots) in the module at `path`."""
        facts = self.facts(path)
        if facts is None:
            return None
        if name in facts.functions:
            return FunctionSymbol(path, facts.functions[name])
        if name in facts.classes:
            return ClassSymbol(path, facts.classes[name])
        first, _, rest = name.partition(".")
        if first in facts.classes:
            return self._class_member(ClassSymbol(path, facts.classes[first]), rest)
        if first in facts.imports:
            target = facts.imports[first]
            return self._follow(f"{target}.{rest}" if rest else target, path, hops + 1)
        if first in facts.values:
            value: Value = facts.values[first]
            for attribute in rest.split(".") if rest else ():
                value = v.attr(value, attribute)
            return ValueSymbol(path, first, value)
        if path.endswith("__init__.py"):
            base, remaining = self.relative("." + name, path)
            if base is not None and base != path:
                return self._member_of(base, remaining, hops + 1) if remaining else ModuleSymbol(base)
        if (path, name) in self._searched:
            return None
        self._searched.add((path, name))
        for star in facts.stars:
            base, remaining = self.relative(star, path) if star.startswith(".") else (self.find_module(star, path), "")
            found = self._member_of(base, name, hops + 1) if base is not None and not remaining else None
            if found is not None and not isinstance(found, LibrarySymbol):
                return found
        if len(facts.stars) == 1 and not facts.stars[0].startswith("."):
            return LibrarySymbol(f"{facts.stars[0]}.{name}")
        return None

    # Classes

    def _class_member(self, cls: ClassSymbol, name: str) -> Symbol | None:
        first, _, rest = name.partition(".")
        found = self.member(cls, first)
        if isinstance(found, ValueSymbol) and rest:
            value = found.value
            if rest in {"value", "name"} and isinstance(v.bare(value), (v.Const, v.Seq)):
                return found  # a member of an enumeration
            for attribute in rest.split("."):
                value = v.attr(value, attribute)
            return ValueSymbol(found.path, found.name, value)
        return found if not rest else None

    def member(self, cls: ClassSymbol, name: str) -> FunctionSymbol | ValueSymbol | ClassSymbol | None:
        """A method or class attribute by the order of bases."""
        for base in self.lineage(cls):
            if isinstance(base, ClassSymbol):
                facts = self.facts(base.path)
                assert facts is not None
                qualified = f"{base.facts.qualname}.{name}"
                if qualified in facts.functions:
                    return FunctionSymbol(base.path, facts.functions[qualified])
                if qualified in facts.classes:
                    return ClassSymbol(base.path, facts.classes[qualified])
                if name in base.facts.attributes:
                    return ValueSymbol(base.path, name, base.facts.attributes[name])
        return None

    def _lineage(self, cls: ClassSymbol) -> tuple[ClassSymbol | str, ...]:
        """The class and its bases, nearest first; a base outside the project by its qualified name."""
        order: list[ClassSymbol | str] = []
        waiting: list[ClassSymbol | str] = [cls]
        while waiting and len(order) < 60:
            current = waiting.pop(0)
            if current in order:
                continue
            order.append(current)
            if isinstance(current, ClassSymbol):
                for base in current.facts.bases:
                    found = self.class_named(base, current.path)
                    if found is not None:
                        waiting.append(found)
        return tuple(order)

    def class_named(self, value: Value, path: str) -> ClassSymbol | str | None:
        """The class that an expression names: of the project, or a library's by name."""
        value = v.bare(value)
        if isinstance(value, v.Item):  # Generic[T]
            value = value.base
        if isinstance(value, v.Call):
            if (
                isinstance(value.target, v.Attr) and value.target.name == "from_queryset"
            ):  # Manager.from_queryset(Orders)
                return self.class_named(value.target.base, path)
            made = self.resolve(v.dotted(value.target) or "", path)
            return made.name if isinstance(made, LibrarySymbol) and made.name else None
        name = v.dotted(value)
        if name is None:
            return self._attribute_of_made(value, path)
        symbol = self.resolve(name, path)
        if isinstance(symbol, ClassSymbol):
            return symbol
        if isinstance(symbol, LibrarySymbol):
            return symbol.name
        if isinstance(symbol, ValueSymbol):
            inner = v.bare(symbol.value)
            if isinstance(inner, (v.Ref, v.Attr)) and inner != value:
                found = self.class_named(inner, symbol.path)
                if found is not None:
                    return found
            if isinstance(inner, v.Call):  # Base = declarative_base(); db = SQLAlchemy(): db.Model
                return v.dotted(inner.target)
            return self._attribute_of_made(inner, symbol.path)
        return None

    def _attribute_of_made(self, value: Value, path: str) -> str | None:
        """The class that an attribute of an object of a library is: `db.Model` where `db = SQLAlchemy()`."""
        tail: list[str] = []
        while isinstance(value, v.Attr):
            tail.insert(0, value.name)
            value = v.bare(value.base)
        made = v.dotted(value.target) if isinstance(value, v.Call) and tail else None
        symbol = self.resolve(made, path) if made else None
        if isinstance(symbol, ClassSymbol):  # a subclass of the project's own
            library = next((base for base in self.lineage(symbol) if isinstance(base, str)), None)
            return ".".join([library, *tail]) if library else None
        return ".".join([symbol.name, *tail]) if isinstance(symbol, LibrarySymbol) else None

    def class_called(self, name: str, importer: str, *, any_case: bool = False) -> ClassSymbol | None:
        """The class of this name that is nearest to a file: what names it by text knows no module."""
        if self._classes is None:
            self._classes = {}
            for path, outline in self.outlines.items():
                for qualname in outline.defines:
                    if qualname[:1].isupper() and "." not in qualname:
                        self._classes.setdefault(qualname.lower(), []).append((path, qualname))
        named = [(path, own) for path, own in self._classes.get(name.lower(), ()) if any_case or own == name]
        for path, own in sorted(named, key=lambda one: (-shared(one[0], importer), len(one[0]))):
            facts = self.facts(path)
            if facts is not None and own in facts.classes:
                return ClassSymbol(path, facts.classes[own])
        return None

    def _subclasses(self, cls: ClassSymbol) -> tuple[ClassSymbol, ...]:
        """The classes of the project that have `cls` among their bases by its own name."""
        if self._deriving is None:
            self._deriving = {}
            for path, outline in self.outlines.items():
                for base in outline.bases:
                    self._deriving.setdefault(base, []).append(path)
        simple = cls.facts.qualname.rpartition(".")[2]
        found: list[ClassSymbol] = []
        for path in self._deriving.get(simple, ()):
            facts = self.facts(path)
            for other in facts.classes.values() if facts else ():
                if any(last_name(base) == simple for base in other.bases):
                    symbol = ClassSymbol(path, other)
                    if cls in self.lineage(symbol) and symbol != cls:
                        found.append(symbol)
        return tuple(found)

    def _descendants(self, cls: ClassSymbol) -> tuple[ClassSymbol, ...]:
        """A class, those derived from it, those derived from these."""
        found = {cls: None}
        waiting = [cls]
        while waiting:
            for sub in self.subclasses(waiting.pop()):
                if sub not in found:
                    found[sub] = None
                    waiting.append(sub)
        return tuple(found)

    # Calls by name

    def other_names(self, name: str) -> tuple[str, ...]:
        """The names under which files import something of this name: `from db import run_many as run_batch`."""
        if self._renamed is None:
            self._renamed = {}
            for outline in self.outlines.values():
                for original, alias in outline.renamed:
                    self._renamed.setdefault(original, {})[alias] = None
        return tuple(self._renamed.get(name, ()))

    def calls_named(self, name: str, scope: Scope | None = None) -> Iterator[tuple[str, FunctionFacts, CallFact]]:
        """Every call in the project, or in a scope of it, whose callee's last name is `name`."""
        if self._calling is None:
            self._calling = {}
            for path, outline in self.outlines.items():
                for called in outline.calls:
                    self._calling.setdefault(called, []).append(path)
        for path in self._calling.get(name, ()):
            if scope is not None and not scope.has_file(path):
                continue
            if (path, name) not in self._calls:
                self._calls[path, name] = self.calls_in(path, name)
            for function, fact in self._calls[path, name]:
                if scope is None or scope.has(path, function.qualname):
                    yield path, function, fact

    def calls_in(self, path: str, name: str) -> list[tuple[FunctionFacts, CallFact]]:
        """The calls of something by its last name in one file, each with the function that it happens in."""
        facts = self.facts(path)
        if facts is None:
            return []
        callers = self._callers.get(path)
        if callers is None:
            callers = self._callers[path] = {}
            for qualname, called in facts.called.items():
                for one in called:
                    callers.setdefault(one, []).append(qualname)
        functions = [facts.functions[qualname] for qualname in callers.get(name, ())]
        return [(function, fact) for function in functions for fact in function.calls if fact.name == name]

    def _methods_named(self, name: str) -> tuple[FunctionSymbol, ...]:
        """The methods of the project's classes that have this name."""
        if self._defining is None:
            self._defining = {}
            for path, outline in self.outlines.items():
                for qualname in outline.defines if path not in self.tests else ():
                    if "." in qualname:
                        self._defining.setdefault(qualname.rpartition(".")[2], []).append((path, qualname))
        found = []
        for path, qualname in self._defining.get(name, ())[:MANY_NAMESAKES]:
            function = self.function(path, qualname)
            if function is not None and function.owner:
                found.append(FunctionSymbol(path, function))
        return tuple(found)
