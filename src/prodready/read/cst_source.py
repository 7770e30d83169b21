"""What a LibCST tree needs to become `ast`: positions as `ast` counts them, and the values of its tokens.

LibCST's nodes carry no positions, and its own way to find them takes longer than its parser: it prints the tree. The
conversion instead goes through the text with the tree, token by token, in the order in which they stand; what is
between tokens needs no look at the tree.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from bisect import bisect
from typing import TypedDict

import libcst as cst

_LINE_END = re.compile(r"\r\n?|\n")
_BETWEEN_TOKENS = re.compile(r"(?:[ \t\f\r\n\ufeff]+|\#[^\r\n]*|\\(?:\r\n?|\n))*")
_STARTS_BETWEEN = frozenset(" \t\f\r\n\ufeff#\\")
_STRING_TOKEN = re.compile(r"([A-Za-z]*)('''|\"\"\"|'|\")(.*)\2", re.DOTALL)
_ESCAPE_OR_DELIMITER = re.compile(r"\\.|\\$|\"|\n", re.DOTALL)


class Span(TypedDict):
    """The position attributes of an `ast` node."""

    lineno: int
    col_offset: int
    end_lineno: int
    end_col_offset: int


class Source:
    """The text, and how far the conversion has got in it: `position` is the end of the last token taken.

    Every converter takes all tokens of its node. Places are offsets in the text.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self._lines = [0, *(match.end() for match in _LINE_END.finditer(text))]
        self._is_ascii = text.isascii()

    def begin(self) -> int:
        """Go on to the next token, and say where it starts."""
        position = self.position
        if self.text[position : position + 1] in _STARTS_BETWEEN:
            match = _BETWEEN_TOKENS.match(self.text, position)
            assert match
            self.position = position = match.end()
        return position

    def take(self, token: str) -> int:
        """Take the next token, and say where it starts. Raises SyntaxError if it is another one."""
        position = self.position
        if self.text[position : position + 1] in _STARTS_BETWEEN:
            match = _BETWEEN_TOKENS.match(self.text, position)
            assert match
            position = match.end()
        return self._take_at(position, token)

    def take_here(self, token: str) -> int:
        """Take what follows at once, as text in an f-string does."""
        return self._take_at(self.position, token)

    def take_if(self, node: object, token: str) -> None:
        """Take a token that is there if the tree has a node for it."""
        if node is not cst.MaybeSentinel.DEFAULT and node is not None:
            self.take(token)

    def _take_at(self, position: int, token: str) -> int:
        if not self.text.startswith(token, position):
            raise SyntaxError(f"the parser saw {token!r} where there is none")
        self.position = position + len(token)
        return position

    def since(self, start: int) -> Span:
        """From `start` to the end of the last token, as position attributes."""
        return self.span(start, self.position)

    def span(self, start: int, end: int) -> Span:
        """Two places as position attributes."""
        lines = self._lines
        first, last = bisect(lines, start), bisect(lines, end)
        from_start, to_end = lines[first - 1], lines[last - 1]
        if self._is_ascii:
            return {
                "lineno": first,
                "col_offset": start - from_start,
                "end_lineno": last,
                "end_col_offset": end - to_end,
            }
        return {
            "lineno": first,
            "col_offset": len(self.text[from_start:start].encode()),
            "end_lineno": last,
            "end_col_offset": len(self.text[to_end:end].encode()),
        }

    def since_as_written(self, start: int) -> str:
        r"""The text from `start` to the end of the last token, with every line end as `\n`."""
        return _LINE_END.sub("\n", self.text[start : self.position])

    def refuse(self, start: int, error: Exception) -> BadLiteralError:
        """What Python says of a literal, at the literal's place."""
        line = bisect(self._lines, start)
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        return BadLiteralError(message, ("<unknown>", line, start - self._lines[line - 1] + 1, None))


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
