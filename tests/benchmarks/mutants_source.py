"""What the mutators share: a parsed file, what stands where in it, and what a mutant is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

NEWLINE = re.compile(r"\r\n?|\n")
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

Scoping = cst.FunctionDef | cst.ClassDef
Cut = tuple[int, int, str]
"""A stretch of a text, by the offsets of its start and its end, and what shall stand there."""


@dataclass(frozen=True)
class Mutant:
    """A file without one safeguard. `order` is the number of the mutated scope in the file, -1 for the file itself."""

    kind: str
    subkind: str
    path: str
    line: int
    function: str
    order: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.function} ({self.subkind})"


@dataclass(frozen=True)
class Skipped:
    """A place that looks like a safeguard and would make no mutant, or none that does harm."""

    kind: str
    reason: str
    path: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.function} ({self.reason})"


Candidate = Mutant | Skipped


@dataclass(frozen=True)
class Scope:
    """A function or a class, with its lines: those of the decorators are the first."""

    node: Scoping
    qualname: str
    order: int
    first: int
    last: int


class Source:
    """A parsed file. Raises `cst.ParserSyntaxError` or UnicodeDecodeError if it is not Python."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.module = cst.parse_module(data)
        self.text = self.module.code
        self.parents: dict[cst.CSTNode, cst.CSTNode] = {}
        self.nodes: list[cst.CSTNode] = list(self._walk())

    def _walk(self) -> Iterator[cst.CSTNode]:
        stack: list[cst.CSTNode] = [self.module]
        while stack:
            node = stack.pop()
            yield node
            inner = children(node)
            self.parents.update(dict.fromkeys(inner, node))
            stack += reversed(inner)

    @cached_property
    def _positions(self) -> dict[cst.CSTNode, CodeRange]:
        wrapper = MetadataWrapper(self.module, unsafe_skip_copy=True)
        return dict(wrapper.resolve(PositionProvider))

    @cached_property
    def line_starts(self) -> list[int]:
        """The offsets at which lines start; the first line is at index 1."""
        return [0, 0, *(match.end() for match in NEWLINE.finditer(self.text)), len(self.text)]

    @cached_property
    def scopes(self) -> list[Scope]:
        """All functions and classes, those that enclose others before them."""
        found: list[Scope] = []
        for node in self.nodes:
            if isinstance(node, Scoping):
                lines = [self.lines(node), *map(self.lines, node.decorators)]
                first, last = min(first for first, _ in lines), max(last for _, last in lines)
                found.append(Scope(node, self._qualname(node), len(found), first, last))
        return found

    @cached_property
    def _scope_of(self) -> dict[cst.CSTNode, Scope]:
        return {scope.node: scope for scope in self.scopes}

    def _qualname(self, node: Scoping) -> str:
        return ".".join([*(up.name.value for up in self.above(node) if isinstance(up, Scoping)), node.name.value][-3:])

    def lines(self, node: cst.CSTNode) -> tuple[int, int]:
        """The first and the last line of a node."""
        place = self._positions[node]
        return place.start.line, place.end.line

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """The offsets in the text at which a node starts and ends."""
        start, end = self._positions[node].start, self._positions[node].end
        return self.line_starts[start.line] + start.column, self.line_starts[end.line] + end.column

    def code(self, node: cst.CSTNode) -> str:
        """The text of a node."""
        return self.module.code_for_node(node)

    def above(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """What encloses a node, from the inside to the outside."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def within(self, node: cst.CSTNode) -> list[cst.CSTNode]:
        """What encloses a node in its own function, from the inside to the outside; the function is the last."""
        found = []
        for up in self.above(node):
            found.append(up)
            if isinstance(up, Scoping | cst.Lambda):
                break
        return found

    def scope(self, node: cst.CSTNode) -> Scope | None:
        """The innermost function around a node, or the node itself; None at the level of the module or a class."""
        for up in (node, *self.above(node)):
            if isinstance(up, cst.FunctionDef):
                return self._scope_of[up]
        return None

    def scope_named(self, node: Scoping) -> Scope:
        """What is known of a function or class."""
        return self._scope_of[node]

    def mutant(self, kind: str, subkind: str, at: cst.CSTNode, text: str) -> Mutant:
        """The file with `text` as content; `at` is where the safeguard stood."""
        scope = self._around(at)
        name, order = (scope.qualname, scope.order) if scope else ("<module>", -1)
        return Mutant(kind, subkind, self.path, self.lines(at)[0], name, order, text)

    def skipped(self, kind: str, reason: str, at: cst.CSTNode) -> Skipped:
        """A place left alone."""
        scope = self._around(at)
        return Skipped(kind, reason, self.path, self.lines(at)[0], scope.qualname if scope else "<module>")

    def _around(self, at: cst.CSTNode) -> Scope | None:
        if isinstance(at, cst.Decorator):  # of what it decorates, which may be a class
            decorated = self.parents[at]
            return self._scope_of[decorated] if isinstance(decorated, Scoping) else None
        return self.scope(at)


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """The nodes right below a node, white space left out."""
    found: list[cst.CSTNode] = []
    for name in node.__dataclass_fields__:
        value = getattr(node, name)
        found += [one for one in (value if isinstance(value, list | tuple) else (value,)) if _is_code(one)]
    return found


def _is_code(value: object) -> bool:
    return isinstance(value, cst.CSTNode) and not isinstance(value, cst.BaseParenthesizableWhitespace | cst.EmptyLine)


def descend(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """A node and all below it that is run with it: not the bodies of functions, classes and lambdas in it."""
    yield node
    for child in children(node):
        if not isinstance(child, Scoping | cst.Lambda):
            yield from descend(child)


def dotted(node: cst.CSTNode | None) -> str:
    """`a.b().c[].d` for an expression of names, attributes, calls and subscripts; what else it has is left out."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        return f"{dotted(node.value)}.{node.attr.value}"
    if isinstance(node, cst.Call):
        return f"{dotted(node.func)}()"
    if isinstance(node, cst.Subscript):
        return f"{dotted(node.value)}[]"
    if isinstance(node, cst.Await):
        return dotted(node.expression)
    return ""


def last_name(node: cst.CSTNode) -> str:
    """The name that a call calls: the last one of a dotted name."""
    callee = node.func if isinstance(node, cst.Call) else node
    if isinstance(callee, cst.Attribute):
        return callee.attr.value
    return callee.value if isinstance(callee, cst.Name) else ""


def receiver(call: cst.Call) -> str:
    """The dotted name of what a method is called on."""
    return dotted(call.func.value) if isinstance(call.func, cst.Attribute) else ""


def positional(call: cst.Call) -> list[cst.BaseExpression]:
    """The arguments without a keyword or a star."""
    return [arg.value for arg in call.args if arg.keyword is None and not arg.star]


def keywords(call: cst.Call) -> dict[str, cst.BaseExpression]:
    """The arguments with a keyword."""
    return {arg.keyword.value: arg.value for arg in call.args if arg.keyword is not None}


def words(name: str) -> list[str]:
    """The words of a name in snake case or camel case, in small letters."""
    return [word.lower() for word in WORD.findall(name)]


def statements(block: cst.BaseSuite) -> list[cst.BaseStatement]:
    """The statements of a block; one that stands on the line of its header counts as a line of its own."""
    if isinstance(block, cst.SimpleStatementSuite):
        return [cst.SimpleStatementLine(body=block.body)]
    return [one for one in block.body if isinstance(one, cst.BaseStatement)]


def spliced(text: str, cuts: Iterable[Cut]) -> str:
    """The text with each stretch replaced."""
    for start, end, new in sorted(cuts, reverse=True):
        text = text[:start] + new + text[end:]
    return text
