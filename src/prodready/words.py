"""Names as words: `userPassword`, `DB_PASSWD` and `pwdHash` are two words each. Names are never searched for substrings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")


@lru_cache(maxsize=50_000)
def split_words(name: str) -> tuple[str, ...]:
    """The lower-cased words of an identifier in snake_case, camelCase, PascalCase, kebab-case or UPPER_CASE."""
    return tuple(word.lower() for word in WORD.findall(name))


def near(word: str, choices: Iterable[str]) -> str:
    """The choice that was plainly meant by `word`: one slip away, or two if it is long; nothing if there are several."""
    close: dict[int, list[str]] = {}
    for choice in choices:
        slips = _slips(word.lower(), choice.lower())
        if slips <= (1 if len(choice) < 12 else 2):
            close.setdefault(slips, []).append(choice)
    best = close[min(close)] if close else []
    return best[0] if len(best) == 1 else ""


def _slips(one: str, other: str) -> int:
    """How many characters have to be put in, left out, changed or swapped to make one word of the other."""
    before: list[int] = []
    above, row = before, list(range(len(other) + 1))
    for i, char in enumerate(one, 1):
        before, above, row = above, row, [i]
        for j, wanted in enumerate(other, 1):
            least = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (char != wanted))
            if i > 1 and j > 1 and char == other[j - 2] and one[i - 2] == wanted:
                least = min(least, before[j - 2] + 1)
            row.append(least)
    return row[-1]
