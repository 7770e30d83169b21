"""Routes that an OpenAPI file declares, for applications that take their routes from one."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from prodready.documents import Documents
from prodready.finding import Location, Problem
from prodready.knowledge_form import RouteForm
from prodready.link.frames import Bound
from prodready.link.program import ClassSymbol, FunctionSymbol
from prodready.link.route import STRENGTH, Guard
from prodready.link.route_nodes import Declared
from prodready.link.route_values import HOLE, RouteValues
from prodready.link.url_paths import PathTemplate, parse
from prodready.read import values as v
from prodready.read.openapi import Operation, Scheme, Specification, SpecificationError, specification

KINDS = {"apiKey": "token", "http": "login", "oauth2": "login", "openIdConnect": "login", "basic": "login"}
"""What it takes to be let in, by the type of a scheme; one that asks for scopes is for a permission."""


class Spec(msgspec.Struct, frozen=True):
    """The routes of one file, below the path that it gives itself."""

    base: PathTemplate
    routes: list[Declared]


class RouteSpecs:
    """Finds and reads the files."""

    def __init__(self, values: RouteValues, documents: Documents) -> None:
        self.values = values
        self.documents = documents
        self._read: dict[str, Specification | None] = {}

    def of(self, bound: Bound, directories: list[str], resolver: Bound | None) -> Spec | None:
        """The routes of the file that a value names; None for one that is not to be found, or that is broken."""
        for name in self._names(bound):
            for path in self._candidates(name, directories, bound.frame.path):
                found = self._specification(path)
                if found is not None:
                    module = next(iter(self._names(resolver)), "") if resolver is not None else ""
                    routes = [self._declared(operation, bound, module) for operation in found.operations]
                    return Spec(parse(found.base), routes)
                if path in self._read:
                    return None
        return None

    def _names(self, bound: Bound) -> list[str]:
        """What a value names: its text, or as much of it as is known, as of `Path(here) / "api.yaml"`."""
        texts = [text for text in self.values.texts(bound) if HOLE not in text]
        if texts:
            return texts
        return ["/".join(found)] if (found := list(_constants(bound.value))) else []

    def _candidates(self, name: str, directories: list[str], path: str) -> Iterator[str]:
        """Where the file may be: in a directory that the application names, beside the code, or above it."""
        above = path.rpartition("/")[0]
        while True:
            for directory in (*directories, ""):
                yield "/".join(
                    part for part in (above, *directory.split("/"), *name.split("/")) if part not in {"", "."}
                )
            if not above:
                return
            above = above.rpartition("/")[0]

    def _specification(self, path: str) -> Specification | None:
        if path in self._read:
            return self._read[path]
        if self.documents.read(path) is None:
            return None
        self._read[path] = None
        try:
            self._read[path] = specification(path, self.documents.read)
        except SpecificationError as error:
            self.documents.complain(Problem(f"{error}; its routes are not known", error.path, error.line))
        return self._read[path]

    def _declared(self, operation: Operation, bound: Bound, module: str) -> Declared:
        location = Location(operation.file, operation.line)
        guards = self._guards(operation, bound.frame.path, location)
        handler = self._handler(operation, bound, module)
        form = RouteForm(verbs=(operation.method,))
        return Declared(form, [operation.path], None, bound.frame, handler, location, certain=guards)

    def _handler(self, operation: Operation, bound: Bound, module: str) -> FunctionSymbol | ClassSymbol | Bound:
        names = _handlers(operation, module)
        for name in names:
            symbol = self.values.named(name, bound.frame.path)
            if isinstance(symbol, (FunctionSymbol, ClassSymbol)):
                return symbol
        return bound.sub(v.Const(names[0] if names else ""))

    def _guards(self, operation: Operation, path: str, location: Location) -> tuple[Guard, ...]:
        """The guards of the weakest of the ways in."""
        ways = [tuple(self._guard(scheme, scopes, path) for scheme, scopes in way) for way in operation.security]
        return min(ways, key=lambda way: max((STRENGTH[g.kind] for g in way), default=-1), default=())

    def _guard(self, scheme: Scheme, scopes: tuple[str, ...], path: str) -> Guard:
        kind = KINDS.get(scheme.kind, "unknown")
        symbol = self.values.named(scheme.test, path) if scheme.test else None
        if not isinstance(symbol, (FunctionSymbol, ClassSymbol)):
            kind = "unknown"  # without a function that decides, nobody is turned away
            return Guard(kind, scheme.name, Location(scheme.path, max(scheme.line, 1)), "specification")
        kind = "permission" if scopes and kind == "login" else kind
        return Guard(kind, scheme.name, Location(symbol.path, symbol.facts.line), "specification")


def _constants(value: v.Value) -> Iterator[str]:
    """The texts in a value from left to right, without names of functions."""
    inner = v.bare(value)
    if isinstance(inner, v.Const):
        if isinstance(inner.value, str):
            yield inner.value
        return
    for child in v.children(inner):
        yield from _constants(child)


def _handlers(operation: Operation, module: str) -> list[str]:
    """The qualified names that the handler may have, the likeliest first."""
    if operation.operation:
        name = operation.operation
        return [f"{prefix}.{name}" for prefix in (operation.controller, module) if prefix] + [name]
    parts = parse(operation.path)
    literal = [part.replace("-", "_") for part in parts if "{" not in part]
    home = operation.controller or ".".join([module, *literal[:1]])
    if not (operation.controller or module):
        return []
    verb = operation.method.lower()
    if verb == "get" and literal and len(parts) == 1:
        verb = "search"
    return [f"{home}.{verb}"]
