"""Text that is safe and straight on a terminal: nothing in a file name or a source line may move the cursor."""

from __future__ import annotations

import re
import unicodedata

TAB = 4
# Controls, marks that reorder or hide text, halves of surrogate pairs (bytes of a file name that are not UTF-8).
_UNSAFE = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\xad\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f"
    "\\ufeff\\ufff9-\\ufffb\\ufffe\\uffff\\ud800-\\udfff\\U000e0000-\\U000e007f]"
)
_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}


def visible(text: str) -> str:
    """On one line, with every character that could act on a terminal written as an escape."""
    return _UNSAFE.sub(_escape, text)


_COMMAND = re.compile(r"^((?:\s|\x1b\[[0-9;]*m)*):(?=:)")
_LOG_COMMAND = re.compile(r"##(\w*)\[")


def inert(line: str) -> str:
    """A line of a log in which no CI service finds a command.

    GitHub takes lines that start with `::`, it and Azure take `##[` and `##vso[` anywhere, TeamCity `##teamcity[`.
    """
    line = _COMMAND.sub(r"\1\\x3a", line) if "::" in line else line
    return _LOG_COMMAND.sub(r"##\1\\x5b", line) if "##" in line else line


def _escape(match: re.Match[str]) -> str:
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    char = match[0]
    code = ord(char)
    if char in named:
        return named[char]
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cells(text: str) -> int:
    """How many columns the text takes: two for wide characters, none for combining ones."""
    return len(text) if text.isascii() else sum(map(_char_cells, text))


def _char_cells(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def pieces(line: str) -> list[str]:
    """What to show for each character of a source line: tabs as spaces, the rest made visible."""
    shown, column = [], 0
    for char in line:
        piece = " " * (TAB - column % TAB) if char == "\t" else visible(char)
        column += cells(piece)
        shown.append(piece)
    return shown


class Paint:
    """Colours and weights, or nothing at all."""

    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled

    def __call__(self, text: str, *styles: str) -> str:
        """The text in the styles, if colours are wanted."""
        if not self.enabled or not text:
            return text
        return f"\x1b[{';'.join(_STYLES[style] for style in styles)}m{text}\x1b[0m"
