"""The files of a front end as one program: which file a module's name stands for, and what a name stands for in a file."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property

import msgspec

from prodready.link.front_pages import Pages
from prodready.read.web.facts import MODULE, CallOf, ClassFact, Expr, Fn, Function, Member, Name, Obj

ENDINGS = (".ts", ".tsx", ".js", ".jsx", ".vue", ".svelte", ".mjs", ".mts", ".d.ts")
MAX_HOPS = 12
"""Re-exports followed for one name: more is a cycle."""


class Bound(msgspec.Struct, frozen=True):
    """An expression in the function of the file in which it stands."""

    path: str
    owner: int
    value: Expr


class Param(msgspec.Struct, frozen=True):
    """A parameter of a function, or with `key` what its argument holds under that key."""

    path: str
    function: int
    position: int
    key: str = ""


class Outside(msgspec.Struct, frozen=True):
    """Something of a package, or with no package a name that nothing in the project defines."""

    package: str
    name: str


class Class(msgspec.Struct, frozen=True):
    """A class of the project."""

    path: str
    name: str


Meaning = Bound | Param | Outside | Class


class FrontProgram:
    """All files with the look-ups between them."""

    def __init__(self, files: Pages, contexts: AbstractSet[str]) -> None:
        self.files = files
        self._contexts = contexts
        self._classes: dict[str, dict[str, ClassFact]] = {}
        self._settings: dict[str, list[tuple[str, str, str]]] = {}
        self._packages: dict[str, str] = {}
        for path in files.settings:
            self._set(posixpath.dirname(path), files.setting(path).imports)
        for entries in self._settings.values():
            entries.sort(key=lambda entry: -len(entry[0]))
        self._stems = _stems(self.files)
        self._tails: dict[str, list[str]] | None = None
        self._resolved: dict[tuple[str, str], str] = {}
        self._patterns: dict[str, list[tuple[str, str, str, str]]] = {}
        self._by_settings: dict[tuple[str, str], str] = {}
        self._from: dict[tuple[str, str, tuple[str, ...]], str] = {}
        self._elsewhere: dict[str, str] = {}
        self._importers: dict[tuple[str, str], list[tuple[str, str, str]]] = {}

    def _set(self, folder: str, entries: Mapping[str, tuple[str, str]]) -> None:
        for pattern, (target, kind) in entries.items():
            if pattern == "package":
                self._packages[target] = folder
            else:
                self._settings.setdefault(folder, []).append((pattern, target, kind))

    # Modules

    def module(self, path: str, name: str) -> str:
        """The path of the file that a module's name stands for in the file `path`; empty for a package."""
        folder = path.rpartition("/")[0]
        key = (folder, name)
        if key not in self._resolved:
            self._resolved[key] = self._find(folder, name)
        return self._resolved[key]

    def _find(self, folder: str, name: str) -> str:
        if name.startswith("."):
            return self._file(_normal(f"{folder}/{name.removeprefix('./')}".lstrip("/")))
        key = (self._home(folder), name)
        if key not in self._by_settings:
            self._by_settings[key] = self._by_pattern(*key)
        if found := self._by_settings[key]:
            return found
        if name.startswith(("@/", "~/", "@@/", "~~/", "$lib/", "src/")):
            bases = ("src/lib", "src", "") if name.startswith("$") else ("src", "app", "")
            if found := self._from_above(folder, name.partition("/")[2], bases):
                return found
        if name not in self._elsewhere:
            self._elsewhere[name] = self._anywhere(name)
        return self._elsewhere[name]

    def _home(self, folder: str) -> str:
        """The nearest folder upwards for which settings say something of names."""
        while folder and folder not in self._settings:
            folder = folder.rpartition("/")[0]
        return folder

    def _by_pattern(self, home: str, name: str) -> str:
        """What settings say that a name stands for."""
        for head, star, tail, target in self._patterns_for(home):
            if name == head if not star else (name.startswith(head) and name.endswith(tail)):
                middle = name[len(head) : len(name) - len(tail)] if star else ""
                if found := self._file(_normal(target.replace("*", middle))):
                    return found
        return ""

    def _from_above(self, folder: str, rest: str, bases: tuple[str, ...]) -> str:
        """The file that a path without a beginning means, from the nearest folder upwards that has it."""
        key = (folder, rest, bases)
        if key not in self._from:
            here = (self._file(_joined(folder, base, rest)) for base in bases)
            found = next(filter(None, here), "")
            self._from[key] = found or (self._from_above(folder.rpartition("/")[0], rest, bases) if folder else "")
        return self._from[key]

    def _patterns_for(self, home: str) -> list[tuple[str, str, str, str]]:
        """What settings say of names used in a folder: the pattern around its star, and the path that it stands for."""
        if home not in self._patterns:
            self._patterns[home] = [
                (*pattern.partition("*"), _joined(above, target))
                for above in _upwards(home)
                for pattern, target, _ in self._settings.get(above, ())
            ]
        return self._patterns[home]

    def _anywhere(self, name: str) -> str:
        """What a module's name stands for wherever it is used."""
        for package in _prefixes(name):
            if package in self._packages:
                root, rest = self._packages[package], name[len(package) + 1 :]
                places = (rest, f"src/{rest}") if rest else ("src/index", "index", "src/main", "lib/index")
                return next(filter(None, (self._file(posixpath.join(root, place)) for place in places)), "")
        return self._by_tail(name)

    def _file(self, stem: str) -> str:
        """The file of this path, with an ending or as the index of a folder."""
        if stem in self.files:
            return stem
        bare = stem.rsplit(".", 1)[0] if stem.endswith((".js", ".jsx", ".mjs")) else stem
        return self._stems.get(bare) or self._stems.get(f"{stem}/index", "")

    def _by_tail(self, name: str) -> str:
        """The only file whose path ends like the name does, its first part left out: an alias of a bundler."""
        if self._tails is None:
            self._tails = {}
            for path in self.files:
                stem = path.rsplit(".", 1)[0].removesuffix("/index")
                parts = stem.split("/")
                for length in (2, 3, 4):
                    self._tails.setdefault("/".join(parts[-length:]), []).append(path)
        rest = name.split("/")[1:]
        while len(rest) >= 2:
            found = self._tails.get("/".join(rest[-4:]), ())
            if len(found) == 1:
                return found[0]
            rest = rest[1:] if len(rest) > 4 else []
        return ""

    def exported(self, path: str, name: str, hops: int = 0) -> Meaning | None:
        """What a file gives under a name; None if it gives no such thing."""
        if path not in self.files or hops > MAX_HOPS:
            return None
        facts = self.files[path]
        if name in facts.exports:
            module, value = facts.exports[name]
            if module:
                inner = value.name if isinstance(value, Name) else name
                target = self.module(path, module)
                return self.exported(target, inner, hops + 1) if target else Outside(module, inner)
            return self.meaning(path, MODULE, value, hops + 1)
        if name == "default" and facts.kind in {"vue", "svelte"}:
            return Class(path, "default") if self.cls(Class(path, "default")) else Bound(path, MODULE, Fn(MODULE))
        for module in facts.stars if name != "default" else ():
            target = self.module(path, module)
            found = self.exported(target, name, hops + 1) if target else None
            if found is not None:
                return found
        return None

    def importers(self, path: str, name: str) -> list[tuple[str, str, str]]:
        """Who may import a name of a file: their paths, the name there, and the name here (`*` for all of the file)."""
        if (path, name) not in self._importers:
            self._importers[path, name] = [
                (other, local, real)
                for other in self.naming(path, name)
                for local, (module, real) in self.files[other].imports.items()
                if real in {name, "*"} and self.module(other, module) == path
            ]
        return self._importers[path, name]

    def taken_whole(self, path: str) -> bool:
        """Whether a file imports all of another under one name, and may ask for any of it: `rows[kind]`."""
        return any(
            real == "*" and self.module(other, module) == path
            for other in self.naming(path)
            for module, real in self.files[other].imports.values()
        )

    def naming(self, path: str, name: str = "default") -> list[str]:
        """The files that import a file, or export something of it, and may mean this name of it: any means the default."""
        found = self._naming.get(path, [])
        if name == "default":
            return found
        return [other for other in found if name in self.files.words(other) or self.files.passes_on(other)]

    @cached_property
    def _naming(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for other in self.files:
            for target in dict.fromkeys(self.module(other, name) for name in self.files.modules(other)):
                if target:
                    found.setdefault(target, []).append(other)
        return found

    # Names

    def meaning(self, path: str, owner: int, value: Expr, hops: int = 0) -> Meaning:
        """What an expression stands for: names are followed to what they are bound to."""
        while hops <= MAX_HOPS:
            hops += 1
            if isinstance(value, Name):
                found = self.lookup(path, owner, value.name, hops)
                if not isinstance(found, Bound) or not isinstance(found.value, (Name, Member)):
                    return found
                if found.value == value and found.owner == owner:
                    return found
                path, owner, value = found.path, found.owner, found.value
                continue
            if isinstance(value, Member):
                return self._member(path, owner, value, hops)
            break
        return Bound(path, owner, value)

    def _member(self, path: str, owner: int, value: Member, hops: int) -> Meaning:
        facts = self.files[path]
        if (
            isinstance(value.base, Name)
            and value.base.name in facts.imports
            and not self._local(path, owner, value.base.name)
        ):
            module, name = facts.imports[value.base.name]
            if name == "*":
                target = self.module(path, module)
                found = self.exported(target, value.name, hops) if target else Outside(module, value.name)
                return found or Bound(path, owner, value)
        base = self.meaning(path, owner, value.base, hops + 1)
        base = self.made(base, hops + 1) or base
        if isinstance(base, Bound):
            if isinstance(base.value, Obj):
                for key, item in base.value.items:
                    if key == value.name:
                        return self.meaning(base.path, base.owner, item, hops + 1)
                for key, item in base.value.items:
                    if key == "...":
                        inner = self.meaning(base.path, base.owner, Member(item, value.name), hops + 1)
                        if not (isinstance(inner, Bound) and isinstance(inner.value, Member)):
                            return inner
        if isinstance(base, Param) and not base.key:
            return Param(base.path, base.function, base.position, value.name)
        if isinstance(base, Class):
            found = self.attribute(base, value.name, hops + 1)
            if found is not None:
                return found
        return Bound(path, owner, value)

    def made(self, found: Meaning, hops: int = 0) -> Meaning | None:
        """What a call gives: `new Store()`, a hook that gives a store, `useContext(createContext(store))`."""
        if not isinstance(found, Bound) or not isinstance(found.value, CallOf) or hops > MAX_HOPS:
            return None
        call = self.files[found.path].calls[found.value.index]
        target = self.meaning(found.path, call.owner, call.target, hops + 1)
        if call.new:
            return target if isinstance(target, (Class, Outside)) else None
        if isinstance(target, Outside):
            if target.name not in self._contexts or not call.args:
                return None
            return self._kept(self.meaning(found.path, call.owner, call.args[0], hops + 1), hops + 1)
        if isinstance(target, Bound) and isinstance(target.value, Fn) and target.value.index:
            returns = self.files[target.path].functions[target.value.index].returns
            if len(returns) == 1:
                given = self.meaning(target.path, target.value.index, returns[0][0], hops + 1)
                return self.made(given, hops + 1) or given
        return None

    def _kept(self, context: Meaning, hops: int) -> Meaning | None:
        """What a context is made with."""
        if not isinstance(context, Bound) or not isinstance(context.value, CallOf):
            return None
        call = self.files[context.path].calls[context.value.index]
        if not call.args or call.new:
            return None
        given = self.meaning(context.path, call.owner, call.args[0], hops + 1)
        return self.made(given, hops + 1) or given

    def attribute(self, cls: Class, name: str, hops: int = 0) -> Meaning | None:
        """A method or an attribute of a class, by itself or by its nearest base."""
        fact = self.cls(cls)
        if fact is None or hops > MAX_HOPS:
            return None
        if fact.members.get(name) is not None:
            value = fact.members[name]
            inner = value.index if isinstance(value, Fn) else self._constructor(fact)
            return self.meaning(cls.path, inner if not isinstance(value, Fn) else fact.owner, value, hops + 1)
        if fact.base is not None:
            base = self.meaning(cls.path, fact.owner, fact.base, hops + 1)
            if isinstance(base, Class) and base != cls:
                return self.attribute(base, name, hops + 1)
        return None

    def _constructor(self, fact: ClassFact) -> int:
        made = fact.members.get("constructor")
        return made.index if isinstance(made, Fn) else fact.owner

    def cls(self, cls: Class) -> ClassFact | None:
        """The facts of a class."""
        if cls.path not in self._classes:
            self._classes[cls.path] = {fact.name: fact for fact in self.files[cls.path].classes}
        return self._classes[cls.path].get(cls.name)

    def _local(self, path: str, owner: int, name: str) -> bool:
        return any(name in f.binds or name in _names(f) for i, f in self.around(path, owner) if i != MODULE)

    def source(self, path: str, owner: int, name: str) -> str:
        """The file of the project that a name is imported from; empty for one that is not."""
        imported = self.files[path].imports.get(name)
        return self.module(path, imported[0]) if imported is not None and not self._local(path, owner, name) else ""

    def around(self, path: str, owner: int) -> Iterator[tuple[int, Function]]:
        """A function and those around it, from the inside out."""
        functions = self.files[path].functions
        while 0 <= owner < len(functions):
            yield owner, functions[owner]
            owner = functions[owner].owner

    def is_inside(self, path: str, owner: int, function: int) -> bool:
        """Whether the function `owner` is another one or stands in it."""
        return any(index == function for index, _ in self.around(path, owner))

    def lookup(self, path: str, owner: int, name: str, hops: int = 0) -> Meaning:
        """What a name stands for inside of a function."""
        facts = self.files[path]
        if name == "this":
            cls = next((f.cls for _, f in self.around(path, owner) if f.cls), "")
            return Class(path, cls) if cls else Outside("", "this")
        for index, function in self.around(path, owner):
            for position, param in enumerate(function.params):
                if isinstance(param, str):
                    if param == name:
                        return Param(path, index, position)
                    continue
                for key, local in param:
                    if local == name:
                        return Param(path, index, position, "" if key == "..." else key)
            if name in function.binds:
                value = function.binds[name]
                if value is None and self.cls(Class(path, name)):
                    return Class(path, name)
                return Bound(path, index, value)
        if name in facts.imports:
            module, real = facts.imports[name]
            target = self.module(path, module)
            if not target:
                return Outside(module, real)
            found = self.exported(target, real, hops + 1) if real != "*" else None
            return found or Outside(target if real == "*" else "", real if real == "*" else name)
        if facts.kind in {"vue", "svelte"} and self.cls(Class(path, "default")):
            return self.attribute(Class(path, "default"), name, hops + 1) or Outside("", name)
        return Outside("", name)


def _joined(*parts: str) -> str:
    return posixpath.normpath(posixpath.join(*parts))


def _normal(path: str) -> str:
    """A path without `.`, `..` and slashes at its end; most have none, and to look for them takes time."""
    return posixpath.normpath(path) if "./" in path or "//" in path or path.endswith(("/", ".")) else path


def _stems(files: Iterable[str]) -> dict[str, str]:
    """Paths without their ending, with the file of the first of ENDINGS that there is."""
    found: dict[str, str] = {}
    for ending in reversed(ENDINGS):
        found.update((path[: -len(ending)], path) for path in files if path.endswith(ending))
    return found


def _names(function: Function) -> set[str]:
    return {
        name
        for param in function.params
        for name in ((param,) if isinstance(param, str) else (local for _, local in param))
    }


def _upwards(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        folder = posixpath.dirname(folder)
    yield ""


def _prefixes(name: str) -> Iterator[str]:
    parts = name.split("/")
    for length in range(len(parts), 0, -1):
        yield "/".join(parts[:length])
