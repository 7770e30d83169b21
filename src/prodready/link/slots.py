"""What stands where in a statement, and what a value in it may be by the looks of it: names and places, never proofs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from prodready.link.pieces import Hole, Piece
from prodready.link.reduce import describe
from prodready.read import values as v
from prodready.read.facts import last_name
from prodready.read.sql import HOLE
from prodready.words import split_words

IDENTIFIER_BEFORE = re.compile(
    r"(?:\b(?:from|join|into|update|table|view|index|schema|database|column|on|by|select|distinct|asc|desc|pragma|alter|drop"
    r"|truncate|add|rename|to|as|exists|set|sequence|user|role|analyze|vacuum|describe|columns|returning|function|trigger|call"
    r"|use|install|load|kill|attach|detach|grant|revoke|owner|extension|savepoint|release|listen|notify|pragma\s+\w+\s*=?)"
    r"\s*|[.`\"\[]|,\s*|\(\s*)$",
    re.IGNORECASE,
)
VALUE_BEFORE = re.compile(
    r"(?:[=<>!]\s*|\b(?:like|ilike|values|between|limit|offset|in|interval|top|returns|when|then|else)\s*\(?\s*"
    r"|\bin\s*\([^)]*|\bvalues\s*\([^)]*|%)$",
    re.IGNORECASE,
)
CLAUSE_BEFORE = re.compile(r"\b(?:where|and|or|not|having)\s*\(?\s*$", re.IGNORECASE)
BETWEEN_BEFORE = re.compile(r"\bbetween\s+\S+\s+and\s*$", re.IGNORECASE)
OPERATOR_AFTER = re.compile(r"\w*[`\"\]]?\s*(?:[=<>!]|(?:not\s+)?(?:like|ilike|in|between)\b|is\b)", re.IGNORECASE)
QUOTED_VALUE_BEFORE = re.compile(
    r"(?:[=<>]|\b(?:like|ilike|regexp|values\s*\([^)]*|in\s*\([^)]*))\s*\"[^\"]*$", re.IGNORECASE
)
"""MySQL and SQLite take what stands in double quotes for a text where no column of that name exists."""

NAME_BEGUN = re.compile(r"(?<=[\s.`\"\[(,])\w+$")
"""What a value only goes on with: `FROM log_{year}`."""

SUBQUERY_BEFORE = re.compile(r"\b(?:from|as|exists|join|union|all)\s*\(\s*$", re.IGNORECASE)
SCRIPT_BEFORE = re.compile(r";\s*$")
KEYS = frozenset({("id",), ("ids",), ("pk",), ("pks",), ("oid",), ("rowid",), ("uuid",)})
INPUTS = frozenset(
    """
    args arg params param form data body payload query json request req event message msg input inputs values kwargs post get
    cookies headers options fields
    """.split()
)
"""Words in the names of what somebody has sent, where nothing tells the class of it."""

OPERATORS = frozenset({("config",), ("settings",), ("conf",), ("cfg",), ("options",), ("opts",)})
ARGUMENTS = frozenset({("args",), ("arguments",), ("namespace",)})
"""Words for what whoever runs the program sets. What has `args` as attributes is a command line; as items, a request."""


def flat(pieces: Sequence[Piece]) -> str:
    """The text with a mark for each hole."""
    return "".join(HOLE if isinstance(piece, Hole) else piece for piece in pieces)


def slots(pieces: Sequence[Piece]) -> dict[int, str]:
    """For each hole what stands there: a text between quotes, another value, an identifier, a fragment, a statement."""
    found: dict[int, str] = {}
    before, in_quotes = "", False
    for piece in pieces:
        if isinstance(piece, str):
            before += piece
            in_quotes ^= piece.count("'") % 2 == 1
            continue
        tail = NAME_BEGUN.sub("", before[-200:])
        if (SUBQUERY_BEFORE.search(tail) and _closes(pieces, piece)) or (SCRIPT_BEFORE.search(tail) and not in_quotes):
            found[id(piece)] = "statement"
        elif in_quotes:
            found[id(piece)] = "text"
        elif CLAUSE_BEFORE.search(tail) and not BETWEEN_BEFORE.search(tail):
            found[id(piece)] = "identifier" if OPERATOR_AFTER.match(_after(pieces, piece)) else "fragment"
        elif (
            VALUE_BEFORE.search(tail)
            or BETWEEN_BEFORE.search(tail)
            or (QUOTED_VALUE_BEFORE.search(tail) and not _after(pieces, piece).startswith('".'))
        ):
            found[id(piece)] = "value"
        elif IDENTIFIER_BEFORE.search(tail):
            found[id(piece)] = "identifier"
        else:
            found[id(piece)] = "fragment"
        before += HOLE
    return found


def _closes(pieces: Sequence[Piece], hole: Hole) -> bool:
    """Whether a parenthesis closes right behind a hole: all within it is another statement."""
    return _after(pieces, hole).lstrip().startswith(")")


def is_quoted(pieces: Sequence[Piece], hole: Hole) -> bool:
    """Whether a hole stands between quotes for names that were doubled in it: standard SQL's own way to quote a name.

    Within a text in single quotes they end nothing: there the single ones had to be doubled.
    """
    quote = hole.escaped if hole.escaped != "'" else ""
    at = next(i for i, piece in enumerate(pieces) if piece is hole)
    if flat(pieces[:at]).count("'") % 2:
        return False
    before = pieces[at - 1] if at else ""
    return bool(quote) and isinstance(before, str) and before.endswith(quote) and _after(pieces, hole).startswith(quote)


def _after(pieces: Sequence[Piece], hole: Hole) -> str:
    """The text behind a hole, up to the next one."""
    at = next(i for i, piece in enumerate(pieces) if piece is hole)
    return "".join(takewhile(lambda piece: isinstance(piece, str), pieces[at + 1 :]))  # type: ignore[arg-type]


def is_metadata(hole: Hole) -> bool:
    """What a mapped class, a table or an enumeration says of itself: `column.type`, `table.name`, `kind.value`."""
    value = v.bare(hole.bound.value)
    if not isinstance(value, v.Attr):
        return False
    base = split_words(describe(value.base))
    described = {
        "column",
        "columns",
        "col",
        "table",
        "field",
        "model",
        "index",
        "constraint",
        "schema",
        "dialect",
        "sequence",
    }
    return value.name == "value" or not described.isdisjoint(base[-1:])


def is_setting(hole: Hole) -> bool:
    """Whether whoever runs the program has set the value, by the name of what it is read from."""
    value = v.bare(hole.bound.value)
    if not isinstance(value, (v.Attr, v.Item)):
        return False
    base = split_words(describe(value.base))[-1:]
    return base in OPERATORS or (isinstance(value, v.Attr) and base in ARGUMENTS)


def is_key(hole: Hole) -> bool:
    """Whether a value is the key of a row, read from the row or an object of it: a number, more often than not."""
    words = split_words(hole.name)
    words = words[:-1] if words[-1:] in {("list",), ("set",)} else words
    read = re.search(r"[.\[]|^an element of ", hole.name)
    return read is not None and words[-1:] in KEYS and INPUTS.isdisjoint(words[:-1])


def is_fetched(hole: Hole) -> bool:
    """Whether a value is the one column of a row that a query has given: `cursor.fetchone()[0]`."""
    value = v.bare(hole.bound.value)
    while isinstance(value, (v.Item, v.Attr)):
        value = v.bare(value.base)
    return isinstance(value, v.Call) and last_name(value) in {"fetchone", "scalar", "scalar_one", "fetchval"}
