"""One file of source: its text, its lines as Python counts them, and its comments.

Positions agree with `ast`: only `\n`, `\r\n` and `\r` end a line; form feed, `\x0b`, `\x1c` and `\u2028` do not.
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from prodready.finding import Location

_LINE_END = re.compile(r"\r\n|\r|\n")
_BYTES_LINE_END = re.compile(rb"\r\n|\r|\n")
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII)
_BLANK_OR_COMMENT = re.compile(rb"^[ \t\f]*(?:#|$)", re.ASCII)


class SourceError(Exception):
    """The bytes are not Python source text: one line that says why, and the line of the file it concerns."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def declared_encoding(data: bytes) -> tuple[str, int] | None:
    """The encoding that a PEP 263 comment in the first two lines declares, as written, with its line number."""
    head = _BYTES_LINE_END.split(data.removeprefix(codecs.BOM_UTF8), 2)
    for number, line in enumerate(head[:2], 1):
        if match := _CODING.match(line):
            return match[1].decode("ascii"), number
        if not _BLANK_OR_COMMENT.match(line):
            return None
    return None


def normal_name(name: str) -> str:
    """The name Python itself takes a declared encoding for: editors write `utf-8-unix` and `latin-1-dos`."""
    lowered = name[:12].lower().replace("_", "-")
    if lowered == "utf-8" or lowered.startswith("utf-8-"):
        return "utf-8"
    if lowered.startswith(("latin-1-", "iso-8859-1-", "iso-latin-1-")):
        return "iso-8859-1"
    return name


def _line_at(data: bytes, offset: int) -> int:
    return 1 + len(_BYTES_LINE_END.findall(data, 0, offset))


def decode(data: bytes) -> str:
    """The text of a file of Python, without its byte order mark; line ends stay as they are.

    Raises SourceError where Python would refuse the bytes.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise SourceError("the file is UTF-16, which Python cannot read: save it as UTF-8")
    if (nul := data.find(b"\0")) >= 0:
        raise SourceError(f"the file holds a NUL byte at offset {nul}: it is not a text file", _line_at(data, nul))
    encoding, line = "utf-8", 1
    declared = declared_encoding(data)
    if declared:
        encoding, line = normal_name(declared[0]), declared[1]
    if data.startswith(codecs.BOM_UTF8):
        if encoding.lower().replace("_", "-") not in {"utf-8", "utf8"}:
            raise SourceError(
                f"the file starts with a UTF-8 mark but declares the encoding {declared_as(encoding)}", line
            )
        data, skipped = data[3:], 3
    else:
        skipped = 0
    try:
        text = data.decode(encoding)
    except LookupError:
        raise SourceError(f"unknown encoding {declared_as(encoding)}", line) from None
    except UnicodeDecodeError as error:
        at = error.start
        byte = f"byte 0x{data[at]:02x} at offset {at + skipped}" if at < len(data) else "its last byte"
        advice = "" if declared else ": save the file as UTF-8, or declare its encoding in the first line"
        raise SourceError(f"{byte} is not valid {encoding.upper()}{advice}", _line_at(data, at)) from None
    except (UnicodeError, ValueError):
        raise SourceError(f"the file cannot be decoded as {declared_as(encoding)}", line) from None
    if "\0" in text:
        raise SourceError("the file holds a NUL character: it is not a text file", 1)
    return text


def declared_as(name: str) -> str:
    """An encoding's name as a message shows it: in quotes, and never longer than a name can be."""
    return repr(name if len(name) <= 40 else name[:40] + "...")


def split_lines(text: str) -> list[str]:
    r"""The lines of `text` without their ends, split as Python's tokenizer splits: `\n`, `\r\n`, `\r`, nothing else."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def masked(lines: list[str], places: Iterable[Location]) -> list[str]:
    """The lines with stars in place of these stretches, which stay as long as they are."""
    lines = list(lines)
    for place in places:
        last = max(place.line, place.end_line)
        for number in range(place.line, min(last, len(lines)) + 1):
            line = lines[number - 1]
            start = place.column - 1 if number == place.line else 0
            end = place.end_column - 1 if number == last and place.end_column else len(line)
            lines[number - 1] = line[:start] + "*" * len(line[start:end]) + line[end:]
    return lines


@dataclass(frozen=True)
class Source:
    """One file: `path` relative to the project root, and its decoded text."""

    path: str
    text: str

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends; line 1 is `lines[0]`."""
        return split_lines(self.text)

    def column(self, line: int, utf8_byte_offset: int) -> int:
        """The 1-based column, in characters, of a byte offset as `ast` gives it (`col_offset`)."""
        if not 1 <= line <= len(self.lines):
            return utf8_byte_offset + 1
        text = self.lines[line - 1]
        if text.isascii():
            return utf8_byte_offset + 1
        return len(text.encode("utf-8", "surrogatepass")[:utf8_byte_offset].decode("utf-8", "ignore")) + 1


@dataclass(frozen=True)
class Comment:
    """A comment: its place, its text with the `#`, and whether it has its line to itself."""

    line: int
    column: int
    text: str
    own_line: bool


def comments(text: str) -> Iterator[Comment]:
    """Every comment of a Python text, strings left out, f-strings and t-strings as PEP 701 nests them.

    Not `tokenize`: that one knows the syntax of the running interpreter only and gives up on files that do not parse.
    """
    starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
    for start, end in _comment_spans(text):
        line = bisect_right(starts, start)
        before = text[starts[line - 1] : start]
        yield Comment(line, len(before) + 1, text[start:end].rstrip(), not before.strip(" \t\f\ufeff"))


_CODE = re.compile(r"(#[^\r\n]*)|(?:\b([A-Za-z]{1,2}))?(\"\"\"|'''|\"|')")
_FIELD = re.compile(r"(#[^\r\n]*)|(?:\b([A-Za-z]{1,2}))?(\"\"\"|'''|\"|')|!=|[()\[\]{}:]")
_SPEC = re.compile(r"[{}\r\n\"']")
_INTERPOLATED = {"f", "t", "rf", "fr", "rt", "tr"}


def _body(quote: str, interpolated: bool) -> re.Pattern[str]:
    """What matters inside a string: escapes, its end, a line end that cuts a one-line string short, fields."""
    parts = [r"\\(?:\r\n|[^{}])" if interpolated else r"\\(?:\r\n|.)", quote]
    if len(quote) == 1:
        parts.append(r"[\r\n]")
    if interpolated:
        parts += [r"\{\{", r"\{"]
    return re.compile("|".join(parts), re.DOTALL)


_BODIES = {(quote, kind): _body(quote, kind) for quote in ('"""', "'''", '"', "'") for kind in (False, True)}


def _comment_spans(text: str) -> Iterator[tuple[int, int]]:
    """The start and end of each comment, by a scanner with a stack: code, strings, replacement fields, format specs.

    An entry of the stack is the quote of an interpolated string, `{` for a field, with its count of open brackets,
    or `:` for a format spec.
    """
    stack: list[tuple[str, int]] = []
    quotes: list[str] = []  # The quotes among the entries.
    position = 0
    while True:
        mode, depth = stack[-1] if stack else ("", 0)
        pattern = _CODE if not mode else _FIELD if mode == "{" else _SPEC if mode == ":" else _BODIES[mode, True]
        match = pattern.search(text, position)
        if match is None:
            return
        position = match.end()
        found = match[0]
        if not mode or mode == "{":
            if match[1]:
                yield match.span(1)
            elif quote := match[3]:
                if (match[2] or "").lower() in _INTERPOLATED:
                    stack.append((quote, 0))
                    quotes.append(quote)
                else:
                    position = string_end(text, position, quote)
            elif mode:
                if found in "([{":
                    stack[-1] = (mode, depth + 1)
                elif found in ")]}" and depth:
                    stack[-1] = (mode, depth - 1)
                elif found == "}":
                    stack.pop()
                elif found == ":" and not depth:
                    stack[-1] = (":", 0)
        elif mode == ":":
            # A spec ends with its field, or, in text that does not parse, with the string around it.
            outer = quotes[-1]
            if found == "{":
                stack.append(("{", 0))
            elif found == "}":
                stack.pop()
            elif len(outer) == 1 and found in {outer, "\n", "\r"}:
                while stack.pop()[0] != outer:
                    pass
                quotes.pop()
        elif found in {mode, "\n", "\r"}:
            stack.pop()
            quotes.pop()
        elif found == "{":
            stack.append(("{", 0))


def string_end(text: str, position: int, quote: str) -> int:
    """Where a literal that is open at `position` ends, its closing `quote` included; a one-line one ends with its line."""
    for match in _BODIES[quote, False].finditer(text, position):
        if match[0][0] != "\\":
            return match.end()
    return len(text)
