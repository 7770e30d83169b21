"""A parsed program with positions and parents, and questions about it that more than one fix asks.

Imports LibCST: import this module only when a fix is asked for.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, ParentNodeProvider, PositionProvider

from prodready.fix.sql_slots import NoFixError


class Program:
    """A parsed file with positions and parents."""

    def __init__(self, text: str) -> None:
        wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
        self.text = text
        self.module = wrapper.module
        self.ranges = wrapper.resolve(PositionProvider)
        self.parents = wrapper.resolve(ParentNodeProvider)
        lines = re.finditer(r"\r\n|\r|\n", text)
        self.starts = [0, *(match.end() for match in lines)]
        self.mark = len(text) - len(text.lstrip("\ufeff"))

    def offset(self, line: int, column: int) -> int:
        """The index in the text of a 1-based line and a 0-based column."""
        return self.starts[line - 1] + column + (self.mark if line == 1 else 0)

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """The start and end of a node, its own brackets left out."""
        place: CodeRange = self.ranges[node]
        return self.offset(place.start.line, place.start.column), self.offset(place.end.line, place.end.column)

    def code(self, node: cst.CSTNode) -> str:
        """The source of a node, its own brackets left out."""
        start, end = self.span(node)
        return self.text[start:end]

    def calls_at(self, line: int, column: int) -> Iterator[cst.Call]:
        """The calls that start at a place (1-based), a call of a method of a call after that call."""
        for node, place in self.ranges.items():
            if (place.start.line, place.start.column) == (line, column - 1):
                if isinstance(node, cst.Await) and isinstance(node.expression, cst.Call):
                    yield node.expression
                elif isinstance(node, cst.Call):
                    yield node

    def line_indent(self, offset: int) -> str | None:
        """The white space before a place, if nothing else stands before it on its line."""
        before = self.text[self.starts[bisect_right(self.starts, offset) - 1] : offset]
        return None if before.strip() else before


@lru_cache(maxsize=2)
def parse(text: str) -> Program | None:
    """The program, or None if LibCST cannot read it."""
    try:
        return Program(text)
    except (cst.ParserSyntaxError, RecursionError):
        return None


def names_in(node: cst.CSTNode) -> Iterator[str]:
    """The variables mentioned below a node, once for each time."""
    stack: list[cst.CSTNode] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, cst.Name):
            yield current.value
        elif isinstance(current, (cst.Attribute, cst.Arg)):
            stack.append(current.value)  # The name of an attribute or of a parameter is no variable.
        else:
            stack.extend(current.children)


def assigned_above(program: Program, name: cst.Name, call: cst.Call) -> cst.BaseExpression:
    """What a variable of one use was given just above the call, in the same block."""
    node: cst.CSTNode = call
    while not isinstance(parent := program.parents[node], (cst.IndentedBlock, cst.Module)):
        if isinstance(parent, (cst.Lambda, cst.BaseComp, cst.While, cst.SimpleStatementSuite)):
            raise NoFixError
        node = parent
    scope: cst.CSTNode = parent
    while not isinstance(scope, (cst.FunctionDef, cst.Module)):
        scope = program.parents[scope]
    if sum(used == name.value for used in names_in(scope)) != 2:
        raise NoFixError
    passed: set[str] = set()
    for statement in reversed(parent.body[: parent.body.index(node)]):
        if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
            break
        small = statement.body[0]
        target = _single_target(small)
        if target == name.value:
            value = small.value if isinstance(small, (cst.Assign, cst.AnnAssign)) else None
            if value is None or passed & (set(names_in(value)) - {"self", "cls", "request"}):
                break
            return value
        if not target and not isinstance(small, cst.Expr):
            break
        passed.update(names_in(statement))
    raise NoFixError


def _single_target(statement: cst.BaseSmallStatement) -> str:
    """The variable that an assignment gives a value to, if it is one plain variable."""
    if isinstance(statement, cst.Assign) and len(statement.targets) == 1:
        target = statement.targets[0].target
    elif isinstance(statement, cst.AnnAssign):
        target = statement.target
    else:
        return ""
    return target.value if isinstance(target, cst.Name) else ""
