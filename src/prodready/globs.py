"""Path patterns with the meaning they have in a `.gitignore`, checked against git itself by tests/test_discover.py.

A list is folded into one set of names and one expression, and only a path that some pattern touches is looked at
closely. That is quicker than pathspec, which tries every pattern on every path, and costs nothing to import.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "blank": " \\t", "cntrl": "\\x00-\\x1f\\x7f", "digit": "0-9",
    "graph": "!-~", "lower": "a-z", "print": " -~", "punct": "!-/:-@\\[-`{-~", "space": "\\s", "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_NEVER = "(?!)"
_WILD = frozenset("*?[\\")


class _Pattern(NamedTuple):
    regex: re.Pattern[str]
    negated: bool
    directories_only: bool
    by_name: bool


class Globs:
    """An ordered list of patterns: the last one that matches decides, and `!pattern` takes a match back."""

    __slots__ = ("_names", "_patterns", "_touches_name", "_touches_path")

    def __init__(self, lines: Iterable[str]) -> None:
        self._patterns: list[_Pattern] = []
        self._names: set[str] = set()
        wild_names: list[str] = []
        paths: list[str] = []
        for line in lines:
            parsed = _parse(line)
            if parsed is None:
                continue
            text, negated, directories_only, by_name = parsed
            text = _as_bytes(text)
            source = _translate(text)
            try:
                regex = re.compile(source, re.DOTALL)
            except re.error:
                continue
            self._patterns.insert(0, _Pattern(regex, negated, directories_only, by_name))
            if by_name and not _WILD & set(text):
                self._names.add(text)
            else:
                (wild_names if by_name else paths).append(source)
        self._touches_name = _any_of(wild_names)
        self._touches_path = _any_of(paths)

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def decide(self, path: str, name: str, directory: bool) -> bool | None:
        """Whether the entry itself matches (True), is taken back (False), or no pattern speaks of it (None).

        `path` is relative to the directory the patterns belong to, `name` its last part. Parents are not looked at.
        """
        path, name = _as_bytes(path), _as_bytes(name)
        if (
            name not in self._names
            and not (self._touches_name and self._touches_name.fullmatch(name))
            and not (self._touches_path and self._touches_path.fullmatch(path))
        ):
            return None
        for regex, negated, directories_only, by_name in self._patterns:
            if (directory or not directories_only) and regex.fullmatch(name if by_name else path):
                return not negated
        return None

    def covers(self, path: str) -> bool:
        """Whether the file `path`, or a directory it lies in, matches."""
        if not self._patterns:
            return False
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            if self.decide("/".join(parts[:depth]), parts[depth - 1], depth < len(parts)):
                return True
        return False


@lru_cache(maxsize=256)
def compiled(lines: tuple[str, ...]) -> Globs:
    """The patterns, compiled once for each distinct list."""
    return Globs(lines)


def _as_bytes(text: str) -> str:
    """One character for each byte: to git, `?` is one byte of a name."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def _any_of(sources: list[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(f"(?:{source})" for source in sources), re.DOTALL) if sources else None


def _parse(line: str) -> tuple[str, bool, bool, bool] | None:
    """The pattern's text, and whether it is negated, for directories only, for names only; None for no pattern."""
    line = line.rstrip("\r\n")
    if line.startswith("#"):
        return None
    stripped = line.rstrip(" ")
    # A space kept by a backslash stays, together with nothing that follows it.
    if len(stripped) < len(line) and (len(stripped) - len(stripped.rstrip("\\"))) % 2:
        stripped += " "
    negated = stripped.startswith("!")
    text = stripped[1:] if negated else stripped
    directories_only = text.endswith("/")
    text = text[:-1] if directories_only else text
    by_name = "/" not in text
    text = text.removeprefix("/")
    return (text, negated, directories_only, by_name) if text else None


def _translate(pattern: str) -> str:
    """The regular expression of a pattern; one that git discards as malformed matches nothing."""
    out, i, end = [], 0, len(pattern)
    while i < end:
        char = pattern[i]
        if char == "*":
            start = i
            while i < end and pattern[i] == "*":
                i += 1
            whole = (start == 0 or pattern[start - 1] == "/") and (i == end or pattern[i] == "/")
            if i - start == 1 or not whole:
                out.append("[^/]*")
            elif i == end:
                out.append(".*")
            else:
                out.append("(?:.*/)?")
                i += 1
            continue
        if char == "?":
            out.append("[^/]")
        elif char == "[":
            bracket, i = _bracket(pattern, i + 1)
            if i < 0:
                return _NEVER
            out.append(bracket)
            continue
        elif char == "\\":
            i += 1
            if i == end:
                return _NEVER
            out.append(re.escape(pattern[i]))
        else:
            out.append(re.escape(char))
        i += 1
    return "".join(out)


def _bracket(pattern: str, i: int) -> tuple[str, int]:
    """The expression for the set that begins at `i`, and where it ends (-1: it does not)."""
    end = len(pattern)
    negated = i < end and pattern[i] in "!^"
    i += negated
    first, parts = True, []
    while i < end and (pattern[i] != "]" or first):
        first = False
        if pattern.startswith("[:", i):
            close = pattern.find(":]", i + 2)
            if close > 0:
                name = pattern[i + 2 : close]
                if name not in _CLASSES:
                    return _NEVER, -1
                parts.append(_CLASSES[name])
                i = close + 2
                continue
        low, i = _member(pattern, i)
        high = low
        if i + 1 < end and pattern[i] == "-" and pattern[i + 1] != "]":
            high, i = _member(pattern, i + 1)
        if low <= high:
            parts.append(f"{re.escape(low)}-{re.escape(high)}" if low != high else re.escape(low))
    if i >= end:
        return _NEVER, -1
    if not parts:
        return ("[^/]" if negated else _NEVER), i + 1
    return f"(?!/)[{'^' if negated else ''}{''.join(parts)}]", i + 1


def _member(pattern: str, i: int) -> tuple[str, int]:
    if pattern[i] == "\\" and i + 1 < len(pattern):
        i += 1
    return pattern[i], i + 1
