"""Where in an SQL text a value can be bound: a small lexer, and the positions in which only a value can stand.

The text comes with its holes as private-use characters. When in doubt, the answer is no.
"""

from __future__ import annotations

import re

import msgspec

FIRST_HOLE, LAST_HOLE = "\ue000", "\uf8ff"

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n\ue000-\uf8ff]*(?=\n|\Z)|/\*[^\ue000-\uf8ff]*?\*/)
    |(?P<string>'(?:[^'\\]|'')*')
    |(?P<quoted>"[^"\ue000-\uf8ff]*"|`[^`\ue000-\uf8ff]*`)
    |(?P<hole>[\ue000-\uf8ff])
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<word>[^\W\d\ue000-\uf8ff][\w$]*)
    |(?P<operator><=>|<>|!=|<=|>=|==|\|\||::|:=|->>|->|-(?!-)|/(?!\*)
        |[+*%=<>(),;.\[\]{}?:@\#&|~^!$])""",
    re.VERBOSE,
)
_BEFORE_VALUE = frozenset({"=", "==", "<", ">", "<=", ">=", "<>", "!=", "<=>", "||", "+", "-"})
_WORDS_BEFORE_VALUE = frozenset({"LIKE", "ILIKE", "GLOB", "REGEXP", "RLIKE", "LIMIT", "OFFSET", "BETWEEN"})
_AFTER_VALUE = frozenset({")", ",", ";", "=", "<", ">", "<=", ">=", "<>", "!=", "||", "+", "-", "*", "/", "::"})
_RUNNABLE = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE", "WITH"})
_NOT_A_FRAGMENT = frozenset({"CREATE", "ALTER", "DROP", "PRAGMA", "SET", "GRANT", "REVOKE", "USE", "TRUNCATE", "COPY"})
_LISTS = frozenset({"IN", "ANY", "ALL", "SOME", "ARRAY"})
_BEFORE_TABLE = frozenset({"INTO", "TABLE", "UPDATE", "FROM", "JOIN"})


class NoFixError(Exception):
    """What is to be rewritten is not certainly of a form that can be."""


class Slot(msgspec.Struct, frozen=True):
    """A stretch of the text that one parameter replaces: its span, and the value's parts, text or a hole's number.

    `quoted`: the text put quotes around it, so whatever the hole holds was meant as one string.
    """

    start: int
    end: int
    parts: tuple[str | int, ...]
    quoted: bool


class _Token(msgspec.Struct, frozen=True):
    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        return self.text.upper() if self.kind == "word" else ""


def find_slots(sql: str, *, fragment: bool = False) -> list[Slot] | None:
    """One slot for each place that holds holes, or None if one of them is not certainly the place of a value.

    `fragment` allows a part of a statement, such as a condition.
    """
    tokens = _tokens(sql)
    if not tokens:
        return None
    start = next((token for token in tokens if token.text != "("), tokens[0]).word
    if start in _NOT_A_FRAGMENT or not (start in _RUNNABLE or fragment):
        return None
    if any(token.text == ";" for token in tokens[:-1]):
        return None
    found = []
    for index, token in enumerate(tokens):
        if token.kind == "hole":
            parts: tuple[str | int, ...] = (_number(token.text),)
        elif token.kind == "string" and any(FIRST_HOLE <= char <= LAST_HOLE for char in token.text):
            parts = _parts(token.text[1:-1].replace("''", "'"))
        else:
            continue
        if not _can_stand(tokens, index):
            return None
        found.append(Slot(token.start, token.end, parts, token.kind == "string"))
    return found


def outside_strings(sql: str) -> str:
    """The text without its string literals and comments."""
    return " ".join(token.text for token in _tokens(sql) or () if token.kind != "string")


def _tokens(sql: str) -> list[_Token] | None:
    tokens: list[_Token] = []
    position = 0
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        if match is None:
            return None
        if match.lastgroup != "space":
            tokens.append(_Token(match.lastgroup or "", match[0], match.start(), match.end()))
        position = match.end()
    return tokens


def _number(hole: str) -> int:
    return ord(hole) - ord(FIRST_HOLE)


def _parts(text: str) -> tuple[str | int, ...]:
    pieces = re.split(r"([\ue000-\uf8ff])", text)
    return tuple(_number(piece) if index % 2 else piece for index, piece in enumerate(pieces) if piece)


def _can_stand(tokens: list[_Token], index: int) -> bool:
    """Whether only a value can stand at this token, judged by its neighbours."""
    token, before = tokens[index], tokens[index - 1] if index else None
    after = tokens[index + 1] if index + 1 < len(tokens) else None
    if before is None or (before.kind in {"word", "number"} and before.end == token.start):
        return False
    if after is not None and after.text not in _AFTER_VALUE and (after.start == token.end or after.kind != "word"):
        return False
    if before.text in _BEFORE_VALUE or before.word in _WORDS_BEFORE_VALUE:
        return True
    if before.word == "AND":
        return index > 2 and tokens[index - 3].word == "BETWEEN"
    if before.text == "," and index > 2 and tokens[index - 3].word == "LIMIT":
        return True
    return before.text in {"(", ","} and _in_brackets(tokens, index, token.kind == "string")


def _in_brackets(tokens: list[_Token], index: int, quoted: bool) -> bool:
    """Whether a list in brackets is one of values: those of an INSERT, or, for a string, a function's arguments."""
    opening = _opening(tokens, index)
    if opening is None or opening == 0:
        return False
    first = opening
    while tokens[first - 1].text == "," and tokens[first - 2].text == ")":
        inner = _opening(tokens, first - 2)
        if not inner:
            return False
        first = inner
    name = tokens[first - 1]
    if name.word == "VALUES" or name.word == "VALUE":
        return quoted or _matches_columns(tokens, first - 1, opening)
    if not quoted or name.kind != "word" or name.word in _LISTS:
        return False
    return first < 2 or tokens[first - 2].word not in _BEFORE_TABLE


def _opening(tokens: list[_Token], index: int) -> int | None:
    """The bracket that is open at the token before `index`."""
    depth = 0
    for position in range(index - 1, -1, -1):
        if tokens[position].text == ")":
            depth += 1
        elif tokens[position].text == "(":
            if not depth:
                return position
            depth -= 1
    return None


def _matches_columns(tokens: list[_Token], values: int, opening: int) -> bool:
    """Whether a row has as many values as columns are named: a lone hole may hold the whole row."""
    row = _width(tokens, opening)
    if tokens[values - 1].text != ")":
        return row > 1
    columns = _opening(tokens, values - 1)
    return columns is not None and row == _width(tokens, columns)


def _width(tokens: list[_Token], opening: int) -> int:
    depth, width = 0, 1
    for token in tokens[opening + 1 :]:
        if token.text == ")" and not depth:
            break
        depth += (token.text == "(") - (token.text == ")")
        width += token.text == "," and not depth
    return width
