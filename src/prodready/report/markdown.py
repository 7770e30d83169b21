"""Text of ours, with pieces of somebody's code in it, as Markdown in which nothing of theirs acts."""

from __future__ import annotations

import re

from prodready.report.terminal import visible

# What means something in the middle of a line, in CommonMark or to a code host; at its start there is more.
_MARKS = re.compile(r"([\\*_\[\]<>#|~&$@]|:(?=//))|(?i:(?<=www)(?=\.))")
_START = re.compile(r"^(\s*)([-+=#>]|\d+[.)])")
_INVISIBLE = "\u200b"


def inline(text: str) -> str:
    """A message on one line: what stands between backticks becomes code, everything else plain text.

    Whoever can write the code can write backticks too, so nothing rests on their being even: a piece is either escaped to
    the last sign, or code without a backtick in it.
    """
    pieces = visible(text).split("`")
    shown = (code(piece) if number % 2 else escaped(piece) for number, piece in enumerate(pieces))
    return "".join(shown).replace("``", f"`{_INVISIBLE}`")


def escaped(text: str) -> str:
    """Plain text: no mark-up, no HTML, no mention of anybody, no link."""
    text = _START.sub(r"\1" + _INVISIBLE + r"\2", visible(text))
    # A backslash does not keep a code host from telling the person or the issue that is named.
    return _MARKS.sub(lambda m: f"\\{m[1]}{_INVISIBLE if m[1] in '@#' else ''}" if m[1] else _INVISIBLE, text)


def code(text: str) -> str:
    """A stretch of code on one line."""
    text = visible(text).replace("`", "'")
    return f"`{text}`" if text.strip() else escaped(text)


def fenced(lines: list[str], language: str = "") -> str:
    """A block of code, with a fence longer than any in it."""
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([fence + language, *lines, fence])
