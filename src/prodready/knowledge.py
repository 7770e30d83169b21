"""What libraries do, read from TOML: `rules/knowledge/*.toml` and the files a project adds.

A file says, by qualified name, which calls are sources, sinks and sanitizers and what type a call or an attribute gives.
`docs/knowledge.md` describes the form for users. No rule and no part of the engine names a library.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import msgspec

from prodready.knowledge_check import line_of, malformed, mistakes, unknown_types
from prodready.knowledge_form import Effect, KnowledgeFile, RouteForm, TypeEntry, WebClient, effect

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class KnowledgeError(Exception):
    """A knowledge file that cannot be used; the text is one line naming file, line and what is wrong."""


Sources = tuple[tuple[str, str], ...]
"""The paths and texts of knowledge files."""


class Knowledge:
    """All files merged, with look-ups that follow a type's bases. Read-only once built."""

    def __init__(self) -> None:
        self.functions: dict[str, Effect] = {}
        self.objects: dict[str, Effect] = {}
        self.types: dict[str, TypeEntry] = {}
        self.parameters: dict[str, str] = {}
        self.settings: dict[str, Effect] = {}
        self.answers: dict[str, tuple[str, ...]] = {}
        self.provides: dict[str, dict[str, tuple[str, str]]] = {}
        self.words: dict[str, frozenset[str]] = {}
        self.clients: dict[str, WebClient] = {}
        self.front: dict[str, frozenset[str]] = {}
        self.names: dict[str, str] = {}
        self.aliases: dict[str, str] = {}
        self._methods: dict[tuple[str, str], Effect | None] = {}
        self._lineages: dict[str, Sequence[str]] = {}
        self._first: dict[str, tuple[Path, str]] = {}

    def canonical(self, name: str) -> str:
        """The name under which a type is described, given it or one of its aliases."""
        return self.aliases.get(name, name)

    def function(self, name: str) -> Effect | None:
        """What calling `name` does: a function, or a class (whose result is an instance)."""
        effect = self.functions.get(name)
        if effect is None and self.canonical(name) in self.types:
            entry = self.types[self.canonical(name)]
            return Effect(returns=self.canonical(name), label=entry.label)
        return effect

    def object(self, name: str) -> Effect | None:
        """What the importable object `name` is."""
        return self.objects.get(name)

    def method(self, type_name: str, method: str) -> Effect | None:
        """What calling `method` on an instance of `type_name` does, by the type or its nearest base."""
        return self._member(type_name, method, "methods")

    def attribute(self, type_name: str, attribute: str, *, exact: bool = False) -> Effect | None:
        """What reading `attribute` from an instance of `type_name` gives; with `exact` not by an entry for any name."""
        found = self._member(type_name, attribute, "attributes")
        if found is None and not exact and type_name != "*" and not attribute.startswith("__"):
            entries = (self.types[name].attributes.get("*") for name in self.lineage(type_name))
            found = next((effect(entry) for entry in entries if entry), None)
        return found

    def is_subclassed(self, type_name: str) -> bool:
        """Whether projects derive their own classes from a type, and a value of it is one of those."""
        return any(self.types[name].subclassed for name in self.lineage(type_name))

    def slot(self, type_name: str, slot: str) -> Effect | None:
        """What `item`, `call`, `enter` or `each` of an instance of `type_name` gives."""
        for name in self.lineage(type_name):
            value = getattr(self.types[name], slot)
            if value:
                return effect(value)
        return None

    def style(self, type_name: str) -> str:
        """The paramstyle of a connection or cursor type, or nothing."""
        return next((s for name in self.lineage(type_name) if (s := self.types[name].style)), "")

    def keeps(self, type_name: str) -> str:
        """Where the items of a mapping of this type are stored, or nothing."""
        return next((keeps for name in self.lineage(type_name) if (keeps := self.types[name].keeps)), "")

    def row_at(self, type_name: str) -> tuple[int | str, ...]:
        """Which arguments are the row that an instance of a type is made to work on."""
        return next((at for name in self.lineage(type_name) if (at := self.types[name].row_at)), ())

    def label(self, type_name: str) -> frozenset[str]:
        """The labels of every instance of `type_name`."""
        found: set[str] = set()
        for name in self.lineage(type_name):
            value = self.types[name].label
            found.update((value,) if isinstance(value, str) else value)
        return frozenset(found)

    def lineage(self, type_name: str) -> Sequence[str]:
        """`type_name` and its bases, nearest first, as far as they are described."""
        known = self._lineages.get(type_name)
        if known is None:
            known = self._lineages[type_name] = self._lineage(type_name)
        return known

    def _lineage(self, type_name: str) -> list[str]:
        order: list[str] = []
        waiting = [self.canonical(type_name)]
        while waiting:
            name = waiting.pop(0)
            if name in self.types and name not in order:
                order.append(name)
                waiting.extend(self.canonical(base) for base in self.types[name].bases)
        return order

    def handles(self, type_name: str, method: str) -> bool:
        """Whether the framework calls this method of a subclass with what a request brought."""
        return any(fnmatchcase(method, p) for name in self.lineage(type_name) for p in self.types[name].handlers)

    def route(self, type_name: str) -> RouteForm | None:
        """What making an instance of a type does to the routes of the application."""
        return next((form for name in self.lineage(type_name) if (form := self.types[name].route)), None)

    def guards(self, type_name: str) -> str:
        """The kind of guard that a type is, or nothing."""
        return next((kind for name in self.lineage(type_name) if (kind := self.types[name].guards)), "")

    def listed(self, type_name: str, table: str) -> list[str]:
        """What `guarded_by` or `before` of a type and its bases name."""
        return [member for name in self.lineage(type_name) for member in getattr(self.types[name], table)]

    def members(self, table: str) -> tuple[str, ...]:
        """What `rows` or `templates` of any type name, in order."""
        return tuple(dict.fromkeys(member for entry in self.types.values() for member in getattr(entry, table)))

    def is_row(self, type_name: str) -> bool:
        """Whether an instance of a type is one row of a table."""
        return "row" in self.label(type_name)

    def callers_of(self, type_name: str, method: str) -> list[str]:
        """The methods of a type that run its `method`, or the one that a subclass has in its place."""
        return [
            name
            for base in self.lineage(type_name)
            for name, member in self.types[base].methods.items()
            if isinstance(member, Effect)
            and not {method, "*"}.isdisjoint((*member.calls, *member.calls_if_row))
            and name != method
        ]

    def makers_of(self, method: str) -> frozenset[str]:
        """The names of all methods that make a row and run this method of it."""
        return frozenset(
            name
            for entry in self.types.values()
            for name, member in entry.methods.items()
            if isinstance(member, Effect) and method in member.calls and member.does in {"write", "ensure"}
        )

    def assemblers_of(self, method: str) -> frozenset[str]:
        """The names of the methods by which an object of a class made of other classes runs this method of them."""
        made = {effect(entry.call).returns for entry in self.types.values() if entry.call}
        return frozenset(
            name
            for kind in made & self.types.keys()
            for name, member in self.types[kind].methods.items()
            if isinstance(member, Effect) and method in member.calls
        )

    def is_within(self, type_name: str, method: str) -> bool:
        """Whether the framework calls this method of a subclass inside of a transaction."""
        return any(fnmatchcase(method, p) for name in self.lineage(type_name) for p in self.types[name].within)

    def _member(self, type_name: str, member: str, table: str) -> Effect | None:
        key = (f"{table}:{type_name}", member)
        if key not in self._methods:
            self._methods[key] = next(
                (
                    effect(members[member])
                    for name in self.lineage(type_name)
                    if member in (members := getattr(self.types[name], table))
                ),
                None,
            )
        return self._methods[key]

    def add(self, path: Path, text: str) -> KnowledgeFile:
        """Merge one file and return it as written.

        Raises KnowledgeError naming file and line for anything wrong or said twice.
        """
        try:
            raw = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            number = re.search(r"line (\d+)", str(error))
            line = int(number[1]) if number else text.count("\n") + 1
            raise KnowledgeError(f"{path}:{line}: not valid TOML: {error}") from None
        try:
            entry = msgspec.convert(raw, KnowledgeFile)
        except msgspec.ValidationError as error:
            line, what = malformed(text, raw, error)
            raise KnowledgeError(f"{path}:{line}: {what}") from None
        for name, what in mistakes(entry):
            raise KnowledgeError(f"{path}:{line_of(text, name)}: {what}")
        for name, value in entry.functions.items():
            self._once(path, text, "function", name)
            self.functions[name] = effect(value)
        for name, value in entry.objects.items():
            self._once(path, text, "object", name)
            self.objects[name] = effect(value)
        for name, kind in entry.parameters.items():
            self._once(path, text, "parameter", name)
            self.parameters[name] = kind
        for name, setting in entry.settings.items():
            self._once(path, text, "setting", name)
            self.settings[name] = setting
        for name, methods in entry.answers.items():
            self._once(path, text, "class", name)
            self.answers[name] = methods
        for name, routes in entry.provides.items():
            self._once(path, text, "module", name)
            self.provides[name] = routes
        for name, words in entry.words.items():
            self.words[name] = self.words.get(name, frozenset()) | set(words)
        for name, items in entry.front.items():
            self.front[name] = self.front.get(name, frozenset()) | set(items)
        for name, client in entry.clients.items():
            self._once(path, text, "client", name)
            self.clients[name] = client
        for name, type_entry in entry.types.items():
            self._add_type(path, text, name, type_entry)
        return entry

    def _add_type(self, path: Path, text: str, name: str, entry: TypeEntry) -> None:
        name = self.canonical(name)
        for table in ("methods", "attributes"):
            for member in getattr(entry, table):
                self._once(path, text, table[:-1], f"{name}.{member}")
        for alias in entry.aliases:
            self._once(path, text, "type", alias)
            self.aliases[alias] = name
        for word in entry.names:
            self._once(path, text, "receiver name", word)
            self.names[word] = name
        old = self.types.get(name)
        if old is not None:
            entry = msgspec.structs.replace(
                old,
                bases=old.bases + tuple(b for b in entry.bases if b not in old.bases),
                handlers=old.handlers + entry.handlers,
                within=old.within + entry.within,
                spares_reading=old.spares_reading or entry.spares_reading,
                guarded_by=old.guarded_by + entry.guarded_by,
                identified_by=old.identified_by + entry.identified_by,
                before=old.before + entry.before,
                before_row=old.before_row + entry.before_row,
                rows=old.rows + entry.rows,
                row_by=old.row_by + entry.row_by,
                templates=old.templates + entry.templates,
                subclassed=old.subclassed or entry.subclassed,
                names=old.names + entry.names,
                aliases=old.aliases + entry.aliases,
                attributes={**old.attributes, **entry.attributes},
                methods={**old.methods, **entry.methods},
                **{
                    slot: getattr(entry, slot) or getattr(old, slot)
                    for slot in (
                        *("style", "label", "keeps", "row_if", "row_at", "item", "call", "enter", "each"),
                        *("route", "guards", "reading", "located_by"),
                    )
                },
            )
        self.types[name] = entry
        self._methods.clear()
        self._lineages.clear()

    def _once(self, path: Path, text: str, kind: str, name: str) -> None:
        key = f"{kind} {name}"
        if key in self._first:
            first, first_text = self._first[key]
            place, first_place = f"{path}:{line_of(text, name)}", f"{first}:{line_of(first_text, name)}"
            raise KnowledgeError(f"{place}: {kind} {name!r} is described twice, first in {first_place}")
        self._first[key] = (path, text)


def rules_folder() -> Path:
    """The folder `rules/`: inside the installed package, or beside `src/` in a checkout."""
    here = Path(__file__).resolve().parent
    packaged = here / "rules_data"
    return packaged if packaged.is_dir() else here.parent.parent / "rules"


def load(extra: Iterable[Path] = ()) -> Knowledge:
    """The knowledge that ships with prodready plus the files in `extra`.

    Raises KnowledgeError for a file that cannot be read or does not hold to the form.
    """
    return merge(sources(extra))


def sources(extra: Iterable[Path] = ()) -> Sources:
    """The knowledge files with their texts: those that ship with prodready, then those in `extra`."""
    files = tuple(sorted((rules_folder() / "knowledge").glob("*.toml"))) + tuple(extra)
    return tuple((str(path), _read(path)) for path in files)


def digest(files: Sources) -> str:
    """A hash of all that the files say."""
    return hashlib.sha256("\0".join(text for _, text in files).encode()).hexdigest()


@cache
def merge(files: Sources) -> Knowledge:
    """The files as one; raises KnowledgeError for one that does not hold to the form."""
    knowledge = Knowledge()
    entries = [(path, text, knowledge.add(Path(path), text)) for path, text in files]
    known = {*knowledge.types, *knowledge.aliases}
    for path, text, entry in entries:
        for name, what in unknown_types(entry, known):
            raise KnowledgeError(f"{path}:{line_of(text, name)}: {what}")
    return knowledge


def described_in(files: Sources, name: str, member: str = "") -> str:
    """The path of the file that describes the function, object or type `name`, or a member of the type; else nothing."""
    for path, text in files:
        if (member or name) not in text:
            continue
        raw = tomllib.loads(text)
        if not member:
            if any(name in raw.get(table, ()) for table in ("functions", "objects", "types")):
                return path
            continue
        for kind, entry in raw.get("types", {}).items():
            if kind == name or name in entry.get("aliases", ()):
                if member in entry.get("methods", ()) or member in entry.get("attributes", ()):
                    return path
    return ""


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise KnowledgeError(f"{path}: knowledge file cannot be read: {reason}") from None


class _Packed(msgspec.Struct, array_like=True):
    """What a `Knowledge` holds."""

    functions: dict[str, Effect]
    objects: dict[str, Effect]
    types: dict[str, TypeEntry]
    parameters: dict[str, str]
    settings: dict[str, Effect]
    answers: dict[str, tuple[str, ...]]
    provides: dict[str, dict[str, tuple[str, str]]]
    words: dict[str, frozenset[str]]
    names: dict[str, str]
    aliases: dict[str, str]
    clients: dict[str, WebClient]
    front: dict[str, frozenset[str]]


def pack(knowledge: Knowledge) -> bytes:
    """The knowledge in a form that is read in a tenth of the time that the files take."""
    packed = _Packed(*(getattr(knowledge, name) for name in _Packed.__struct_fields__))
    return msgspec.msgpack.encode(packed)


def unpack(body: bytes) -> Knowledge | None:
    """What `pack` made, or None if it is not that."""
    try:
        packed = msgspec.msgpack.decode(body, type=_Packed)
    except (msgspec.MsgspecError, ValueError):
        return None
    knowledge = Knowledge()
    for name in _Packed.__struct_fields__:
        setattr(knowledge, name, getattr(packed, name))
    return knowledge
