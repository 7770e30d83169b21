"""What reading a stretch of script needs: places in the file, and text that a template engine fills."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from prodready.read.web.build import Builder, Conditions, Draft
from prodready.read.web.facts import (
    CallFact,
    CallOf,
    Const,
    Expr,
    Loose,
    Member,
    Name,
    Not,
    Text,
)
from prodready.read.web.grammar import Fields, Grammar, grammar

if TYPE_CHECKING:
    from tree_sitter import Node

Hole = tuple[int, int, Expr]
"""A stretch of the text, from one byte to another, that a template engine fills."""

_PLAIN = re.compile(rb"\s*(!?)([A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*)\s*")
_RESERVED = frozenset(
    {b"true", b"false", b"null", b"undefined", b"new", b"typeof", b"void", b"await", b"yield", b"super"}
)


def plain(source: bytes) -> Expr:
    """`user.isAdmin` or `!open`, for which no parser is needed; None for what is more than that."""
    found = _PLAIN.fullmatch(source)
    first, *others = found[2].split(b".") if found is not None else (b"true",)
    if found is None or first in _RESERVED:
        return None
    value: Expr = Name(first.decode())
    for name in others:
        value = Member(value, name.decode())
    return Not(value) if found[1] else value


class Reader:
    """Reads one stretch of script into a builder. `data` is the whole file, `start` where the stretch begins.

    `holes` are what a template engine fills in, `masked` is the file without its signs, `around` tells what it holds where.
    """

    def __init__(
        self,
        builder: Builder,
        data: bytes,
        start: int = 0,
        line: int = 0,
        holes: tuple[Hole, ...] = (),
        around: Callable[[int], Conditions] | None = None,
        masked: bytes = b"",
    ) -> None:
        self.out = builder
        self._data = data
        self._masked = masked or data
        self._start = start
        self._line = line
        self._holes = holes
        self._around = around
        self._ascii = data.isascii()
        self._chars = ""
        self.owner = 0
        self.conditions: Conditions = ()
        self.parent = -1
        self.cls = ""

    _grammar: Grammar
    _fields: Fields

    def _parsed(self, text: bytes, dialect: str) -> Node:
        """The tree of a text, which is what is read from now on."""
        self._grammar = grammar(dialect)
        self._fields = self._grammar.fields
        return self._grammar.parse(text)

    # Places

    def _text(self, node: Node) -> str:
        if self._chars:
            return self._chars[node.start_byte : node.end_byte]
        return (node.text or b"").decode("utf-8", "replace")

    def _place(self, node: Node) -> tuple[int, int]:
        row, column = node.start_point
        if not self._ascii and column:
            end = self._start + node.start_byte
            column = len(self._data[end - column : end].decode("utf-8", "replace"))
        if row == 0 and self._start:
            begin = self._data.rfind(b"\n", 0, self._start) + 1
            column += len(self._data[begin : self._start].decode("utf-8", "replace"))
        return row + 1 + self._line, column + 1

    def _now(self, node: Node) -> Conditions:
        if self._around is None:
            return self.conditions
        return self._around(self._start + node.start_byte) + self.conditions

    @property
    def _draft(self) -> Draft:
        return self.out.functions[self.owner]

    def _attribute(self, base: Expr, name: str) -> Member:
        self.out.attributes.add(name)
        return Member(base, name)

    def value(self, node: Node) -> Expr:
        """An expression as a fact; the calls, elements and functions in it are recorded."""
        raise NotImplementedError

    def _function(self, node: Node, cls: str = "") -> Expr:
        raise NotImplementedError

    def _class(self, node: Node) -> Expr:
        raise NotImplementedError

    def _bind(self, pattern: Node, value: Expr) -> None:
        raise NotImplementedError

    def _push(self, node: Node | None, test: Expr, negated: bool) -> None:
        if node is None or test is None or isinstance(test, (Const, Text)):
            return
        inner = node.named_children
        if node.type == "parenthesized_expression" and len(inner) == 1:
            node = inner[0]
        self.conditions += (self.out.condition(test, negated, self._text(node), *self._place(node)),)

    def _keep(self, value: Expr, node: Node, to: str = "") -> None:
        self.out.loose.append(Loose(value, self.owner, self._now(node), node.start_point[0] + 1 + self._line, to))

    def _string(self, node: Node) -> str:
        return self._text(node)[1:-1]

    def _filled(self, node: Node) -> Text | None:
        first, last = self._start + node.start_byte, self._start + node.end_byte
        return pieces(self._masked, self._holes, first, last)

    def _holder(self, name: str) -> Draft:
        """The function whose variable a name is."""
        index = self.owner
        while index > 0 and name not in self.out.functions[index].binds:
            index = self.out.functions[index].owner
        return self.out.functions[max(index, 0)]


LABELS = ("label", "title", "aria-label", "text", "tooltip", "alt", "value")
"""Attributes that tell what an element is for, the best first."""


def texts(value: Expr, calls: list[CallFact | None]) -> list[str]:
    """The words that a person may see for a value."""
    if isinstance(value, CallOf):
        call = calls[value.index]
        return texts(call.args[0], calls) if call is not None and call.args else []
    if not isinstance(value, Text):
        return []
    words = "".join(
        part if isinstance(part, str) else "".join(texts(part, calls)) or "…" for part in value.parts
    ).strip()
    return [words] if words.strip("…") else []


def joined(left: Expr, right: Expr) -> Expr:
    """`left + right`, if one of them is text."""
    if not isinstance(left, Text) and not isinstance(right, Text):
        if left is None or right is None:
            return None
        return Text((left, right)) if isinstance(left, (Name, Member, CallOf)) else None
    first = left.parts if isinstance(left, Text) else (left,)
    return Text(first + (right.parts if isinstance(right, Text) else (right,)))


def pieces(data: bytes, holes: Iterable[Hole], first: int, last: int) -> Text | None:
    """The text between two places of a file with what a template engine fills in; None if that is nothing."""
    found: list[str | Expr] = []
    at = first
    for start, end, value in holes:
        if first <= start and end <= last:
            if start > at:
                found.append(data[at:start].decode("utf-8", "replace"))
            found.append(value)
            at = end
    if not found:
        return None
    if at < last:
        found.append(data[at:last].decode("utf-8", "replace"))
    return Text(tuple(found))


def trimmed(text: Text) -> Text:
    """Text without the quotes at its ends."""
    parts = list(text.parts)
    if parts and isinstance(parts[0], str):
        parts[0] = parts[0][1:]
    if parts and isinstance(parts[-1], str):
        parts[-1] = parts[-1][:-1]
    return Text(tuple(part for part in parts if part != ""))
