"""What the text of a page tells without a parser: the words in it, and the modules that it imports."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Za-z_$\x80-\U0010ffff][\w$]*")
_FROM = re.compile(r"""from\s*["']([^"'\n]+)["']""")
_CALLED = re.compile(r"""import\s*\(\s*(?:/\*.*?\*/\s*|//[^\n]*\n\s*)*["'`]([^"'`$\n]*)""", re.DOTALL)


def words(text: str) -> set[str]:
    """All that may be a name in a text: no name that stands in it is missing, some of it stands in comments."""
    return set(_WORD.findall(text))


def modules(text: str) -> list[str]:
    """What a text imports, or exports of another module: all of it, and perhaps what only looks like it.

    Of a path that is put together when it is asked for (`import(`./${name}`)`), the text in front.
    """
    found = _FROM.findall(text)
    return found + _CALLED.findall(text) if "import" in text else found
