"""Text with holes in a program: f-strings, `%` and `.format`, read with LibCST, escapes and positions kept.

Imports LibCST: import this module only when a fix is asked for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from prodready.fix.program import Program
from prodready.fix.sql_slots import FIRST_HOLE, LAST_HOLE, NoFixError
from prodready.words import split_words

_ESCAPE = r"\\(?:\r\n|[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|[^{}])"
_PERCENT = re.compile(r"%(?:\((\w+)\))?(.?)", re.DOTALL)
_FIELD = re.compile(r"\{\{|\}\}|\{(\w*)(?:!([rsa]))?(?::([^{}]*))?\}|[{}]")
# What such calls return is already made for SQL; to bind it would quote it twice.
_MADE_FOR_SQL = frozenset({
    "join", "replace", "quote", "quoted", "escape", "escaped", "literal", "mogrify", "sanitize", "sanitise",
    "repr", "format", "adapt", "clause",
})  # fmt: skip
# What such names hold is a piece of SQL or a list, not one value.
_NOT_ONE_VALUE = frozenset({
    "where", "clause", "clauses", "condition", "conditions", "cond", "conds", "column", "columns", "col",
    "cols", "field", "fields", "table", "tables", "query", "sql", "order", "sort", "placeholders", "values",
    "params", "args", "joins", "filter", "filters", "ids",
})  # fmt: skip
_WHOLE_ROW_NAMES = frozenset({"args", "params", "parameters", "values", "data", "row"})


@dataclass(frozen=True)
class Hole:
    """A value in a text: its source, how it is formatted, a name for it, and whether it may be a piece of SQL."""

    code: str
    name: str
    conversion: str = ""
    spec: str = ""
    maybe_sql: bool = False


@dataclass(frozen=True)
class Unit:
    """One character of the text: as it is written, what it stands for (nothing for a continued line), or a hole."""

    component: int
    raw: str
    value: str
    hole: int = -1


@dataclass(frozen=True)
class Component:
    """One string literal of an implicit concatenation: where it stands, its prefix without `f`, its quotes."""

    start: int
    end: int
    prefix: str
    quote: str


@dataclass(frozen=True)
class Literal:
    """Text with holes: `start` to `text_end` is the text, `end` the end of the whole expression."""

    start: int
    text_end: int
    end: int
    components: tuple[Component, ...]
    units: tuple[Unit, ...]
    holes: tuple[Hole, ...]


def read_literal(program: Program, node: cst.BaseExpression) -> Literal:
    """The text with holes that an expression is; raises NoFixError."""
    return _Reader(program).read(node)


class _Reader:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.components: list[Component] = []
        self.units: list[Unit] = []
        self.holes: list[Hole] = []

    def read(self, node: cst.BaseExpression) -> Literal:
        start, end = self.program.span(node)
        text_end = end
        if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Modulo):
            self._strings(node.left)
            text_end = self._text_end(node.operator)
            self._percent(node.right)
        elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == "format":
            self._strings(node.func.value)
            text_end = self._text_end(node.func.dot)
            self._format(node.args)
        else:
            self._strings(node)
        if not self.holes:
            raise NoFixError
        return Literal(start, text_end, end, tuple(self.components), tuple(self.units), tuple(self.holes))

    def _text_end(self, operator: cst.CSTNode) -> int:
        """Where the text before an operator ends; a comment between them would swallow what follows."""
        last, start = self.components[-1].end, self.program.span(operator)[0]
        between = self.program.text[last:start]
        if between.strip(" \t\f\r\n\\)"):
            raise NoFixError
        return last + len(between.rstrip(" \t\f\r\n\\"))

    def _strings(self, node: cst.BaseExpression) -> None:
        if isinstance(node, cst.ConcatenatedString):
            self._strings(node.left)
            self._strings(node.right)
        elif isinstance(node, cst.SimpleString) and "b" not in node.prefix.lower():
            self._component(node, node.prefix, node.quote)
            self._text(node.raw_value, "r" in node.prefix.lower(), interpolated=False)
        elif isinstance(node, cst.FormattedString):
            prefix = node.prefix.lower().replace("f", "")
            self._component(node, prefix, node.quote)
            for part in node.parts:
                if isinstance(part, cst.FormattedStringText):
                    self._text(part.value, "r" in prefix, interpolated=True)
                elif isinstance(part, cst.FormattedStringExpression):
                    self._expression(part)
        else:
            raise NoFixError

    def _component(self, node: cst.CSTNode, prefix: str, quote: str) -> None:
        start, end = self.program.span(node)
        self.components.append(Component(start, end, prefix, quote))

    def _text(self, raw: str, is_raw: bool, *, interpolated: bool) -> None:
        pattern = (r"\{\{|\}\}|" if interpolated else "") + (r"." if is_raw else rf"{_ESCAPE}|[^\\]")
        position = 0
        for match in re.compile(pattern, re.DOTALL).finditer(raw):
            if match.start() != position:
                raise NoFixError
            position = match.end()
            value = match[0]
            if value in {"{{", "}}"}:
                value = value[0]
            elif value[0] == "\\" and not is_raw:
                value = _unescaped(value)
            if FIRST_HOLE <= value <= LAST_HOLE:
                raise NoFixError
            self.units.append(Unit(len(self.components) - 1, match[0], value))
        if position != len(raw):
            raise NoFixError

    def _expression(self, part: cst.FormattedStringExpression) -> None:
        spec = ""
        if part.equal is not None:
            raise NoFixError
        for piece in part.format_spec or ():
            if not isinstance(piece, cst.FormattedStringText):
                raise NoFixError
            spec += piece.value
        self._hole(part.expression, part.conversion or "", spec)
        self.units.append(
            Unit(len(self.components) - 1, "", chr(ord(FIRST_HOLE) + len(self.holes) - 1), len(self.holes) - 1)
        )

    def _hole(self, node: cst.BaseExpression, conversion: str = "", spec: str = "") -> int:
        not_a_value = (cst.Yield, cst.NamedExpr, cst.Lambda, cst.GeneratorExp, cst.Tuple, cst.List, cst.Set, cst.Dict)
        if isinstance(node, (*not_a_value, cst.ListComp, cst.SetComp, cst.DictComp)):
            raise NoFixError
        if isinstance(node, cst.Call) and not _MADE_FOR_SQL.isdisjoint(split_words(_last_name(node.func))):
            raise NoFixError
        code = self.program.code(node)
        if "#" in code and "\n" in code:
            raise NoFixError
        self.holes.append(Hole(code, _name(node), conversion, spec, _maybe_sql(node)))
        if len(self.holes) > ord(LAST_HOLE) - ord(FIRST_HOLE):
            raise NoFixError
        return len(self.holes) - 1

    def _matches(self, pattern: re.Pattern[str]) -> Iterator[tuple[re.Match[str], int, int]]:
        """The matches in the text's value, last first, each with the range of units that it covers."""
        owners = [index for index, unit in enumerate(self.units) for _ in unit.value]
        text = "".join(unit.value for unit in self.units)
        if any(FIRST_HOLE <= char <= LAST_HOLE for char in text):
            raise NoFixError  # An f-string that is formatted once more.
        for match in reversed(list(pattern.finditer(text))):
            yield match, owners[match.start()], owners[match.end() - 1] + 1

    def _put(self, first: int, last: int, hole: int | None, char: str = "") -> None:
        """Replace units by a hole, or by one character."""
        component = self.units[first].component
        value = char if hole is None else chr(ord(FIRST_HOLE) + hole)
        self.units[first:last] = [Unit(component, char, value, -1 if hole is None else hole)]

    def _percent(self, right: cst.BaseExpression) -> None:
        found = list(self._matches(_PERCENT))
        fields = [match for match, _, _ in found if match[2] != "%" or match[1]]
        if any(match[2] not in set("sdi") for match in fields):
            raise NoFixError
        values: Sequence[cst.BaseExpression]
        if any(match[1] for match in fields):
            named = _entries(right)
            values = [named[match[1]] for match in fields if match[1] in named]
        elif isinstance(right, cst.Tuple):
            values = [element.value for element in reversed(right.elements) if isinstance(element, cst.Element)]
        elif isinstance(right, cst.Dict) or (
            isinstance(right, cst.Name) and not _WHOLE_ROW_NAMES.isdisjoint(split_words(right.value))
        ):
            raise NoFixError
        else:
            values = [right]
        if len(values) != len(fields) or (isinstance(right, cst.Tuple) and len(right.elements) != len(values)):
            raise NoFixError
        rest = iter(values)
        for match, first, last in found:
            if match in fields:
                self._put(first, last, self._hole(next(rest)))
            else:
                self._put(first, last, None, "%")

    def _format(self, args: Sequence[cst.Arg]) -> None:
        if any(arg.star for arg in args):
            raise NoFixError
        values = {str(index): arg.value for index, arg in enumerate(args) if arg.keyword is None}
        values |= {arg.keyword.value: arg.value for arg in args if arg.keyword is not None}
        found = list(self._matches(_FIELD))
        automatic = iter(reversed(range(sum(match[1] == "" for match, _, _ in found))))
        used = set()
        for match, first, last in found:
            if match[0] in {"{{", "}}"}:
                self._put(first, last, None, match[0][0])
                continue
            key = str(next(automatic)) if match[1] == "" else match[1]
            if key not in values:
                raise NoFixError
            used.add(key)
            self._put(first, last, self._hole(values[key], match[2] or "", match[3] or ""))
        if used != set(values):
            raise NoFixError


def _unescaped(escape: str) -> str:
    """The character that an escape stands for, or nothing for the end of a continued line."""
    if escape[1] not in "\r\n\\'\"abfnrtv01234567xuUN":
        raise NoFixError
    try:
        return str(ast.literal_eval(f'"""{escape}"""'))
    except (SyntaxError, ValueError):
        raise NoFixError from None


def _entries(node: cst.BaseExpression) -> dict[str, cst.BaseExpression]:
    """The entries of a dictionary whose keys are texts."""
    found: dict[str, cst.BaseExpression] = {}
    if not isinstance(node, cst.Dict):
        raise NoFixError
    for element in node.elements:
        if not isinstance(element, cst.DictElement) or not isinstance(element.key, cst.SimpleString):
            raise NoFixError
        found[str(element.key.evaluated_value)] = element.value
    return found


def _maybe_sql(node: cst.BaseExpression) -> bool:
    """Whether the value may be a piece of SQL, or several values."""
    if isinstance(node, cst.BinaryOperation):
        # What is subtracted or multiplied is a number, unless a string is: "?" * n.
        number = isinstance(node.operator, (cst.Subtract, cst.Multiply, cst.FloorDivide))
        return not number or isinstance(node.left, cst.BaseString) or isinstance(node.right, cst.BaseString)
    if isinstance(node, (cst.IfExp, cst.BooleanOperation, cst.BaseString)):
        return True
    return (split_words(_last_name(node)) or ("",))[-1] in _NOT_ONE_VALUE


def _last_name(node: cst.CSTNode) -> str:
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""


def _name(node: cst.BaseExpression) -> str:
    """A name for the value of an expression, from the names in it."""
    if isinstance(node, cst.Await):
        return _name(node.expression)
    if isinstance(node, cst.Subscript):
        index = node.slice[0].slice if len(node.slice) == 1 else None
        if isinstance(index, cst.Index) and isinstance(index.value, cst.SimpleString):
            return str(index.value.evaluated_value)
        return _name(node.value)
    if isinstance(node, cst.Call):
        first = node.args[0].value if node.args else None
        if isinstance(node.func, cst.Attribute):
            if node.func.attr.value == "get" and isinstance(first, cst.SimpleString):
                return str(first.evaluated_value)
            return _name(node.func.value)
        return _name(first) if first is not None else _last_name(node.func)
    return _last_name(node)
