"""OpenAPI and Swagger files, as far as they say which function answers a request and who may send it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec

VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
CONTROLLERS = ("x-openapi-router-controller", "x-swagger-router-controller")
TESTS = ("x-bearerInfoFunc", "x-tokenInfoFunc", "x-basicInfoFunc", "x-apikeyInfoFunc")
MAX_BYTES = 4_000_000
MAX_REFERENCES = 8
MAX_DEPTH = 200
"""Mappings and lists within each other: the parser in C has no limit but its stack."""


class Scheme(msgspec.Struct, frozen=True):
    """How a request shows who sends it. `test` names the function that decides, if the file says so."""

    name: str
    kind: str
    test: str
    line: int
    path: str


class Operation(msgspec.Struct, frozen=True):
    """A method and a path with the qualified name of what answers them.

    `security` are the ways to be let in: of each, the schemes that must all agree, with the scopes they ask for. An empty
    way lets everybody in.
    """

    method: str
    path: str
    operation: str
    controller: str
    security: tuple[tuple[tuple[Scheme, tuple[str, ...]], ...], ...]
    line: int
    file: str


class Specification(msgspec.Struct, frozen=True):
    """What a file declares. `base` is the path in front of all its paths."""

    base: str
    operations: tuple[Operation, ...]


class SpecificationError(Exception):
    """A file that cannot be used; `path` and `line` say where."""

    def __init__(self, why: str, path: str, line: int = 0) -> None:
        super().__init__(why)
        self.path, self.line = path, line


@dataclass
class _Node:
    """A value of a file, and where it stands."""

    value: Any
    path: str
    line: int
    top: _Node | None = field(default=None, repr=False)

    def items(self) -> Iterator[tuple[str, _Node]]:
        """The entries of a mapping, merged ones (`<<`) included."""
        pairs = self.value.value if _is(self.value, "mapping") else []
        for key, value in pairs:
            if key.tag == "tag:yaml.org,2002:merge":
                for one in value.value if _is(value, "sequence") else [value]:
                    if one is not self.value:
                        yield from _Node(one, self.path, self.line, self.top).items()
            elif _is(key, "scalar"):
                yield str(key.value), _Node(value, self.path, key.start_mark.line + 1, self.top)

    def get(self, name: str) -> _Node | None:
        return next((node for key, node in self.items() if key == name), None)

    def at(self, *names: str) -> _Node | None:
        node: _Node | None = self
        for name in names:
            node = node.get(name) if node is not None else None
        return node

    @property
    def text(self) -> str:
        return str(self.value.value) if _is(self.value, "scalar") else ""

    @property
    def elements(self) -> list[_Node]:
        each = self.value.value if _is(self.value, "sequence") else []
        return [_Node(one, self.path, one.start_mark.line + 1, self.top) for one in each]


def _is(node: Any, kind: str) -> bool:
    return bool(node.id == kind)


def specification(path: str, load: Callable[[str], bytes | None]) -> Specification:
    """What the file at `path` declares. `load` gives the content of a file, and None for one that is not there.

    Raises SpecificationError for a file that is no YAML or JSON, or no OpenAPI, and for what it refers to.
    """
    try:
        return _Reader(load).read(path)
    except RecursionError as error:  # mappings that merge each other
        raise SpecificationError("goes round in a circle", path, 1) from error


class _Reader:
    def __init__(self, load: Callable[[str], bytes | None]) -> None:
        self.load = load
        self.files: dict[str, _Node] = {}

    def read(self, path: str) -> Specification:
        top = self.file(path)
        paths = top.get("paths")
        if paths is None or not (top.get("openapi") or top.get("swagger")):
            raise SpecificationError("is no OpenAPI file: it has no `openapi` or `swagger`, or no `paths`", path, 1)
        schemes = self.schemes(top)
        shared = top.get("security")
        found: list[Operation] = []
        for template, given in paths.items():
            if not template.startswith("/"):
                continue
            item = self.referred(given)
            for verb, operation in item.items():
                if verb in VERBS:
                    found.append(self.operation(verb, template, item, self.referred(operation), schemes, shared))
        return Specification(_base(top), tuple(found))

    def operation(
        self,
        verb: str,
        template: str,
        item: _Node,
        node: _Node,
        schemes: Mapping[str, Scheme],
        shared: _Node | None,
    ) -> Operation:
        named = node.get("operationId")
        controller = next((c for key in CONTROLLERS for n in (node, item) if (c := n.get(key)) is not None), None)
        security = node.get("security") or shared
        return Operation(
            verb.upper(),
            template,
            named.text if named is not None else "",
            controller.text if controller is not None else "",
            _ways(security, schemes),
            node.line,
            node.path,
        )

    def schemes(self, top: _Node) -> dict[str, Scheme]:
        declared = top.at("components", "securitySchemes") or top.get("securityDefinitions")
        found: dict[str, Scheme] = {}
        for name, node in declared.items() if declared is not None else ():
            inner = self.referred(node)
            kind = inner.get("type")
            test = next((t for key in TESTS if (t := inner.get(key)) is not None), None)
            found[name] = Scheme(
                name, kind.text if kind is not None else "", test.text if test is not None else "", node.line, node.path
            )
        return found

    def file(self, path: str) -> _Node:
        """The root of a file."""
        import yaml

        if path not in self.files:
            data = self.load(path)
            if data is None:
                raise SpecificationError("cannot be read", path)
            if len(data) > MAX_BYTES:
                raise SpecificationError(f"is larger than {MAX_BYTES // 1_000_000} MB", path)
            loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
            try:
                text = data.decode("utf-8-sig")
                if _is_deep(yaml.parse(text, Loader=loader)):
                    raise SpecificationError(f"is nested more than {MAX_DEPTH} deep", path, 1)
                node = yaml.compose(text, Loader=loader)
            except (yaml.YAMLError, UnicodeDecodeError) as error:
                mark = getattr(error, "problem_mark", None)
                why = getattr(error, "problem", None) or str(error).partition("\n")[0] or type(error).__name__
                raise SpecificationError(
                    f"cannot be read as YAML or JSON: {why}", path, mark.line + 1 if mark is not None else 1
                ) from error
            if node is None or not _is(node, "mapping"):
                raise SpecificationError("is no OpenAPI file: it holds no mapping", path, 1)
            self.files[path] = _Node(node, path, 1)
            self.files[path].top = self.files[path]
        return self.files[path]

    def referred(self, node: _Node) -> _Node:
        """What a `$ref` stands for, in this file or another; the node itself where it is none."""
        for _ in range(MAX_REFERENCES):
            given = node.get("$ref")
            if given is None:
                return node
            file, _, pointer = given.text.partition("#")
            if "://" in file or node.top is None:
                return node
            target: _Node | None = self.file(_joined(node.path, file)) if file else node.top
            for part in filter(None, pointer.split("/")):
                target = target.get(part.replace("~1", "/").replace("~0", "~")) if target is not None else None
            if target is None:
                raise SpecificationError(f"`$ref: {given.text}` leads nowhere", node.path, given.line)
            node = target
        return node


def _is_deep(events: Iterable[Any]) -> bool:
    """Whether more mappings and lists stand within each other than anybody writes."""
    depth = 0
    for event in events:
        name = type(event).__name__
        if name in {"MappingStartEvent", "SequenceStartEvent"}:
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif name in {"MappingEndEvent", "SequenceEndEvent"}:
            depth -= 1
    return False


def _joined(path: str, file: str) -> str:
    """The path of `file` as a file at `path` names it."""
    parts = path.split("/")[:-1]
    for part in file.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


def _ways(
    security: _Node | None, schemes: Mapping[str, Scheme]
) -> tuple[tuple[tuple[Scheme, tuple[str, ...]], ...], ...]:
    ways = []
    for way in security.elements if security is not None else ():
        asked = [
            (schemes.get(name, Scheme(name, "", "", node.line, node.path)), tuple(s.text for s in node.elements))
            for name, node in way.items()
        ]
        ways.append(tuple(asked))
    return tuple(ways)


def _base(top: _Node) -> str:
    """The path in front of all paths: that of the first server, or `basePath`."""
    if (base := top.get("basePath")) is not None:
        return base.text
    servers = top.get("servers")
    first = servers.elements[:1] if servers is not None else []
    url = first[0].get("url") if first else None
    return urlsplit(url.text).path if url is not None and "{" not in url.text else ""
