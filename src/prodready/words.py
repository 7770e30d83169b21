"""Names as words: `userPassword`, `DB_PASSWD` and `pwdHash` are two words each. Names are never searched for substrings."""

from __future__ import annotations

import re
from functools import lru_cache

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")


@lru_cache(maxsize=50_000)
def split_words(name: str) -> tuple[str, ...]:
    """The lower-cased words of an identifier in snake_case, camelCase, PascalCase, kebab-case or UPPER_CASE."""
    return tuple(word.lower() for word in WORD.findall(name))
