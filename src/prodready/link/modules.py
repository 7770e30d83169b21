"""The modules of a program by the names under which files import them."""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from prodready.read.facts import Outline

STARTS = frozenset({"manage", "wsgi", "asgi", "settings", "main", "app", "run", "__main__"})
"""Modules, or packages of them, that run before all others: what they add to `sys.path` is there for every file."""


class Modules:
    """Finds modules. `libraries` are names that stand for a library, whatever files of the project are called."""

    def __init__(self, outlines: Mapping[str, Outline], libraries: Iterable[str]) -> None:
        self.outlines = outlines
        self._packages = {path.rpartition("/")[0] for path in outlines if path.endswith("/__init__.py")}
        self._modules: dict[str, list[str]] = {}
        for path in outlines:
            for name in self._module_names(path):
                self._modules.setdefault(name, []).append(path)
        self._stems = {name.rpartition(".")[2] for name in self._modules}
        self._known_roots = sys.stdlib_module_names.union(libraries)
        self._added = {
            path: [folder for place in outline.search for folder in self._folders(place, path)]
            for path, outline in outlines.items()
            if outline.search
        }
        """By file: the packages whose directories it adds to where Python looks for modules."""
        self._added_at_start = list(
            dict.fromkeys(folder for path, folders in self._added.items() if _is_start(path) for folder in folders)
        )
        self.find_module = lru_cache(maxsize=None)(self._find_module)
        self.relative = lru_cache(maxsize=None)(self._relative)

    def _module_names(self, path: str) -> Iterator[str]:
        """The names a module can be imported by: from every directory above it that is not itself a package."""
        stem = path.removesuffix(".py").removesuffix("/__init__")
        if stem == "__init__":
            return
        parts = stem.split("/")
        for start in range(len(parts)):
            if "/".join(parts[:start]) not in self._packages or start == 0:
                name = ".".join(parts[start:])
                if start < len(parts) - 1 or name not in sys.stdlib_module_names:
                    yield name

    def _find_module(self, name: str, importer: str) -> str | None:
        """The file of module `name` as imported by `importer`: the nearest, where several have that name."""
        found = self._modules.get(name)
        if not found:
            return self._beside(name, importer)
        return max(found, key=lambda path: (shared(path, importer), -len(path))) if len(found) > 1 else found[0]

    def _beside(self, name: str, importer: str) -> str | None:
        """The module as a program sees it that is started inside of a package: beside it, or beside one above it."""
        if name.rpartition(".")[2] not in self._stems or name.partition(".")[0] in self._known_roots:
            return None
        folder = importer
        while folder:
            folder = folder.rpartition("/")[0]
            stem = f"{folder}/{name.replace('.', '/')}"
            for path in (f"{stem}.py", f"{stem}/__init__.py"):
                if path in self.outlines:
                    return path
        return self._below_added(name, importer) if self._added else None

    def _below_added(self, name: str, importer: str) -> str | None:
        """The module in a package whose directory is on `sys.path`: by the file itself, or by what starts the program."""
        stem = name.replace(".", "/")
        near = sorted(self._added_at_start, key=lambda folder: -shared(folder, importer))
        for folder in (*self._added.get(importer, ()), *near):
            for path in (f"{folder}/{stem}.py", f"{folder}/{stem}/__init__.py"):
                if path in self.outlines:
                    return path
        return None

    def _folders(self, place: str, path: str) -> list[str]:
        """The packages that a place on the search path of a file may be. Directories that are none need no such place."""
        if not place.startswith("*/"):
            folder = posixpath.normpath(posixpath.join(posixpath.dirname(path), place))
            return [folder] if folder in self._packages else []
        found = [folder for folder in self._packages if f"/{folder}".endswith(place[1:])]
        nearest = max((shared(folder, path) for folder in found), default=0)
        return sorted(folder for folder in found if shared(folder, path) == nearest)

    def is_known(self, name: str) -> bool:
        """Whether a module is one of Python's own, or of a library that the knowledge describes."""
        return name.partition(".")[0] in self._known_roots

    def _relative(self, name: str, path: str) -> tuple[str | None, str]:
        """The file that a relative name starts from, and the names that follow."""
        level = len(name) - len(name.lstrip("."))
        rest = name[level:]
        folder = path.split("/")[:-1]
        folder = folder[: len(folder) - (level - 1)] if level > 1 else folder
        names = rest.split(".") if rest else []
        for used in range(len(names), -1, -1):
            base = "/".join([*folder, *names[:used]])
            for candidate in (f"{base}.py" if used else "", f"{base}/__init__.py" if base else "__init__.py"):
                if candidate in self.outlines:
                    return candidate, ".".join(names[used:])
        return None, rest


def _is_start(path: str) -> bool:
    return not STARTS.isdisjoint(path.removesuffix(".py").split("/"))


def shared(path: str, other: str) -> int:
    """How many directories two paths begin with together."""
    count = 0
    for a, b in zip(path.split("/"), other.split("/"), strict=False):
        if a != b:
            break
        count += 1
    return count
