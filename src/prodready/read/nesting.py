"""How deeply a text nests, by its tokens alone, to know before parsing whether a parser's recursion can take it.

LibCST's parser is native code. Too deep an input overflows its stack, which kills the process; and the time it takes
doubles with each bracket in a `case` pattern or a `del` target. The numbers below were measured with LibCST 1.9 on
x86-64 Linux in threads with small stacks, by bisecting for the depth that crashes, and are rounded up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

LIBCST_LIMIT = 1024
"""KB of stack that LibCST may need. The smallest stack it meets is that of a main thread on Windows: 2 MB."""

OLD_AST_LIMIT = 10_000
"""The same estimate for `ast.parse` before Python 3.12, which needs 0.1 KB for a link that counts as 2 here. Python 3.10
has no check of its own, and that of 3.11 grows with the recursion limit."""

_BRACKET = 8
_LAMBDA = 16
_LINK = 2
_MAX_BRACKETS = {"case": 6, "del": 12}

_CODE = re.compile(
    r"""
      \#[^\r\n]*
    | (?P<string>\w*(?:\"\"\"|'''|\"|'))
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?P<separator>[,;])
    | \\(?:\r\n?|\n)
    | (?P<newline>\r\n?|\n)
    | (?P<lambda>\blambda\b)
    | (?P<del>\bdel\b)
    | (?P<link>\b(?:not|and|or|in|is|if|else|for|await|yield|from)\b | \*\* | // | << | >> | != | [-+*/%@&|^~<>.])
    | (?P<colon>:)
    | \w+
    """,
    re.VERBOSE,
)
_LINE_START = re.compile(r"(?:[ \t\f]*(?:\#[^\r\n]*)?(?:\r\n?|\n))*([ \t\f]*)(\w*)")
# Of a string that is not closed, all there is: searching on from its inside would take quadratic time.
_STRING_REST = {
    '"': re.compile(r'(?:[^"\\\r\n]|\\(?:\r\n|.))*"?', re.DOTALL),
    "'": re.compile(r"(?:[^'\\\r\n]|\\(?:\r\n|.))*'?", re.DOTALL),
    '"""': re.compile(r'(?:[^"\\]|\\.|"(?!""))*(?:""")?', re.DOTALL),
    "'''": re.compile(r"(?:[^'\\]|\\.|'(?!''))*(?:''')?", re.DOTALL),
}
_INTERPOLATED = {"f", "t", "rf", "fr", "rt", "tr"}


def _patterns(escape: str) -> dict[str, re.Pattern[str]]:
    """For each quote, what matters in the text of an f-string, or of a format spec, between such quotes."""
    line_end = {1: r"|\r\n?|\n", 3: ""}
    return {quote: re.compile(f"{escape}|{quote}{line_end[len(quote)]}", re.DOTALL) for quote in _STRING_REST}


_TEXT = _patterns(r"\\N\{[^{}]*\}|\\(?:\r\n|[^{}])|\{\{|\{")
_RAW_TEXT = _patterns(r"\\(?:\r\n|[^{}])|\{\{|\{")
_SPEC = _patterns(r"[{}]")


def too_deep_for_libcst(text: str) -> bool:
    """Whether LibCST could crash on the text, or take very long."""
    return any(
        line.cost > LIBCST_LIMIT or line.brackets > _MAX_BRACKETS.get(line.keyword, line.brackets)
        for line in _lines(text)
    )


def too_deep_for_old_ast(text: str) -> bool:
    """Whether `ast.parse` before Python 3.12 could crash on the text; quick for all but the longest."""
    if sum(map(text.count, ".([+-*/%@&|^<>")) * _LINK <= OLD_AST_LIMIT:
        return False
    return any(line.cost > OLD_AST_LIMIT for line in _lines(text))


class _Line(msgspec.Struct):
    """A logical line: its first word (`del` also where it is not the first), the brackets and the stack it takes."""

    indent: int
    keyword: str
    brackets: int = 0
    cost: int = 0


class _Frame(msgspec.Struct):
    """What is open at a point of the text: the line itself (kind ""), a bracket, a field of an f-string ("{"), an
    f-string (its quote), or a format spec (":"). `quote` is that of the f-string which a field or a spec belongs to."""

    kind: str = ""
    pattern: re.Pattern[str] = _CODE
    quote: str = ""
    links: int = 0
    inner: int = 0
    worst: int = 0

    @property
    def cost(self) -> int:
        """The stack for the costliest of the elements between commas: its links around its deepest bracket."""
        return max(self.worst, self.links + self.inner)

    def next_element(self) -> None:
        self.worst, self.links, self.inner = self.cost, 0, 0


def _lines(text: str) -> Iterator[_Line]:
    """The logical lines, each with the cost of the blocks that it is in."""
    blocks: list[tuple[int, int]] = []
    for line in _logical_lines(text):
        while blocks and blocks[-1][0] > line.indent:
            blocks.pop()
        before = blocks.pop()[1] if blocks and blocks[-1][0] == line.indent else 0
        # To LibCST an elif is inside the if or elif before it.
        blocks.append((line.indent, before + _LINK if line.keyword in {"elif", "else"} else _LINK))
        line.cost += sum(cost for _, cost in blocks)
        yield line


def _logical_lines(text: str) -> Iterator[_Line]:
    position = 0
    while position < len(text):
        start = _LINE_START.match(text, position)
        assert start
        line = _Line(len(start[1].expandtabs()), start[2])
        position = _scan_line(text, start.end(1), line)
        yield line


def _scan_line(text: str, position: int, line: _Line) -> int:
    """Fill in `line` from the text at `position`; where the next one starts."""
    frames = [_Frame()]
    while True:
        pattern = frames[-1].pattern
        match = pattern.search(text, position)
        if match is None:
            position = len(text)
            break
        position = match.end()
        if match.lastgroup == "newline" and len(frames) == 1:
            break
        if pattern is not _CODE:
            _in_string(frames, match[0])
        elif match.lastgroup == "string":
            position = _open_string(frames, match[0], text, position)
        elif match.lastgroup == "del":
            line.keyword = "del"
        else:
            _in_code(frames, match.lastgroup)
        line.brackets = max(line.brackets, len(frames) - 1)
    while len(frames) > 1:
        _close(frames)
    line.cost = frames[0].cost
    return position


def _in_code(frames: list[_Frame], group: str | None) -> None:
    frame = frames[-1]
    if group == "open":
        # `f()()()` nests to the left: the bracket is a link as well.
        frame.links += _LINK
        frames.append(_Frame("("))
    elif group == "close":
        if len(frames) > 1:
            _close(frames)
    elif group == "separator":
        frame.next_element()
    elif group == "lambda":
        frame.links += _LAMBDA
    elif group == "link":
        frame.links += _LINK
    elif group == "colon" and frame.kind == "{":
        frames.append(_Frame(":", _SPEC[frame.quote], frame.quote))


def _open_string(frames: list[_Frame], found: str, text: str, position: int) -> int:
    """Step into an f-string, or over any other string; where the text goes on."""
    # Strings in a row nest to the right.
    frames[-1].links += _LINK
    prefix = found.rstrip("\"'")
    quote = found[len(prefix) :]
    if prefix.lower() in _INTERPOLATED:
        frames.append(_Frame(quote, (_RAW_TEXT if "r" in prefix.lower() else _TEXT)[quote], quote))
        return position
    rest = _STRING_REST[quote].match(text, position)
    assert rest
    return rest.end()


def _in_string(frames: list[_Frame], found: str) -> None:
    """A token in the text of an f-string or in a format spec."""
    if found == "{":
        frames.append(_Frame("{", quote=frames[-1].quote))
    elif found == "}":
        _close(frames)
        _close(frames)
    elif found[0] in "\"'\r\n":
        quote = frames[-1].quote
        while frames[-1].kind != quote:
            _close(frames)
        _close(frames)


def _close(frames: list[_Frame]) -> None:
    closed = frames.pop()
    cost = closed.cost + (_BRACKET if closed.kind in {"(", "{"} else 0)
    frames[-1].inner = max(frames[-1].inner, cost)
