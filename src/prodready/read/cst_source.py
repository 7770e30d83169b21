"""What a LibCST tree needs to become `ast`: positions as `ast` counts them, and the values of its tokens."""

from __future__ import annotations

import ast
import re
import unicodedata
from typing import TypedDict

import libcst as cst
from libcst.metadata import CodePosition, MetadataWrapper, PositionProvider

_LINE_END = re.compile(r"\r\n?|\n")
_STRING_TOKEN = re.compile(r"([A-Za-z]*)('''|\"\"\"|'|\")(.*)\2", re.DOTALL)
_ESCAPE_OR_DELIMITER = re.compile(r"\\.|\\$|\"|\n", re.DOTALL)

Place = tuple[int, int]
"""A 1-based line and a 0-based offset in it, in UTF-8 bytes."""


class Span(TypedDict):
    """The position attributes of an `ast` node."""

    lineno: int
    col_offset: int
    end_lineno: int
    end_col_offset: int


class Source:
    """A LibCST module as its text: where each node stands, by the rules of `ast`."""

    def __init__(self, module: cst.Module) -> None:
        try:
            self._ranges = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
        except KeyError:
            # What LibCST does on the way out of a RecursionError: it looks up positions it has not computed yet.
            raise RecursionError from None
        self._lines = _LINE_END.split(module.code)
        self._wide = {number for number, line in enumerate(self._lines, 1) if not line.isascii()}

    def start(self, node: cst.CSTNode) -> Place:
        """Where `node` starts, without parentheses around it."""
        return self._place(self._ranges[node].start)

    def end(self, node: cst.CSTNode) -> Place:
        """Where `node` ends, without parentheses around it."""
        return self._place(self._ranges[node].end)

    def at(self, node: cst.CSTNode) -> Span:
        """The position of `node`, without parentheses around it."""
        return span(self.start(node), self.end(node))

    def inside_parentheses(self, node: cst.Tuple | cst.GeneratorExp) -> Span:
        """The position of a node that owns the innermost pair of the parentheses around it."""
        if not node.lpar:
            return self.at(node)
        return span(self.start(node.lpar[-1]), self.end(node.rpar[0]))

    def before_first_argument(self, call: cst.Call) -> Place:
        """Where the opening parenthesis of `call` stands: LibCST has a node only for the whitespace after it."""
        line, column = self.start(call.whitespace_before_args)
        return line, column - 1

    def between(self, start: Place, end: Place) -> str:
        r"""The text between two places, with every line end as `\n`."""
        lines = [line.encode() for line in self._lines[start[0] - 1 : end[0]]]
        lines[-1] = lines[-1][: end[1]]
        lines[0] = lines[0][start[1] :]
        return b"\n".join(lines).decode()

    def refuse(self, node: cst.CSTNode, error: Exception) -> BadLiteralError:
        """What Python says of a literal, at the literal's place."""
        line, column = self._ranges[node].start.line, self._ranges[node].start.column
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        return BadLiteralError(message, ("<unknown>", line, column + 1, None))

    def _place(self, position: CodePosition) -> Place:
        line, column = position.line, position.column
        if line in self._wide:
            column = len(self._lines[line - 1][:column].encode())
        return line, column


def span(start: Place, end: Place) -> Span:
    """Two places as position attributes."""
    return {"lineno": start[0], "col_offset": start[1], "end_lineno": end[0], "end_col_offset": end[1]}


def identifier(name: cst.Name) -> str:
    """The name as Python compares it: in normal form NFKC."""
    return name.value if name.value.isascii() else unicodedata.normalize("NFKC", name.value)


class BadLiteralError(SyntaxError):
    """A literal that LibCST's parser lets pass and Python refuses, with its place."""


def string_value(token: str) -> str | bytes:
    """The value of a string or bytes literal that is no f-string.

    Raises SyntaxError for escapes and characters that Python refuses.
    """
    match = _STRING_TOKEN.fullmatch(token)
    assert match, token
    prefix, _, body = match.groups()
    is_raw = "r" in prefix.lower()
    if "b" not in prefix.lower():
        return text_value(body, is_raw)
    if not body.isascii():
        raise SyntaxError("bytes can only contain ASCII literal characters")
    if is_raw or "\\" not in body:
        return _LINE_END.sub("\n", body).encode()
    value: bytes = ast.literal_eval(token)
    return value


def text_value(body: str, is_raw: bool) -> str:
    """The value of the text between quotes, whichever quotes those are.

    Raises SyntaxError for an escape that Python refuses.
    """
    body = _LINE_END.sub("\n", body)
    if is_raw or "\\" not in body:
        return body
    value: str = ast.literal_eval(f'"{_ESCAPE_OR_DELIMITER.sub(_requote, body)}"')
    return value


def _requote(match: re.Match[str]) -> str:
    """An escape as it is; what a literal in double quotes cannot hold, escaped."""
    found = match[0]
    # f-strings may have a lone backslash before a field.
    return {'"': '\\"', "\n": "\\n", "\\": "\\\\"}.get(found, found)
