"""What template engines put into markup: where which condition holds, and what fills the holes.

The markup that is left has the same length, so that places in one are places in the other.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from prodready.read.web.base import Hole
from prodready.read.web.build import Builder, Conditions
from prodready.read.web.facts import CallFact, CallOf, Expr, Member, Name, Obj, Slot
from prodready.read.web.jinja import expression, words
from prodready.read.web.script import Script

_JINJA = re.compile(
    rb"\{%[-+]?\s*(?P<tag>\w+)(?P<rest>.*?)[-+]?%\}|\{\{[-+]?(?P<out>.*?)[-+]?\}\}|\{#.*?#\}", re.DOTALL
)
_RAW = {b"raw": re.compile(rb"\{%-?\s*endraw"), b"verbatim": re.compile(rb"\{%-?\s*endverbatim"),
        b"comment": re.compile(rb"\{%-?\s*endcomment")}  # fmt: skip
_FOR = re.compile(r"^\s*(.*?)\s+in\s+(.*?)(?:\s+recursive)?\s*$", re.DOTALL)
_SET = re.compile(r"^\s*(\w+)\s*=\s*(.*)$", re.DOTALL)
_AS = re.compile(r"^\s*(.*?)\s+as\s+(\w+)\s*$", re.DOTALL)
_INCLUDE = re.compile(r"""^\s*['"]([^'"]+)['"]""")
_SKIPPED = re.compile(rb"<(script|style)\b[^>]*>.*?</\1\s*>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_SVELTE_BLOCK = re.compile(rb"\{([#:/@])\s*(if|else if|else|each|await|key|snippet|then|catch|render|html|const)\b")
_ANGULAR = re.compile(rb"@(if|else if|else|for|switch|case|default|defer|empty|placeholder|loading)\s*(?=[({])|\}")

HOLE, GONE = b"j", b" "


class Regions:
    """Where in a file which conditions hold."""

    def __init__(self) -> None:
        self._starts = [0]
        self._held: list[Conditions] = [()]

    def mark(self, place: int, conditions: Conditions) -> None:
        """From here on these hold."""
        self._starts.append(place)
        self._held.append(conditions)

    def at(self, place: int) -> Conditions:
        """What holds at a place."""
        return self._held[bisect_right(self._starts, place) - 1]


class Scan:
    """A template without its engine's signs: the markup that is left, the holes, and the conditions."""

    def __init__(self, builder: Builder, data: bytes) -> None:
        self.out = builder
        self.data = data
        self.masked = bytearray(data)
        self.holes: list[Hole] = []
        self.regions = Regions()
        self._stack: list[tuple[str, Conditions, dict[str, Expr]]] = []
        self._held: Conditions = ()
        self._arms: list[list[tuple[Expr, bool, str]]] = []
        self._env: dict[str, Expr] = {}
        self._at = 0

    # What the engines share

    def _place(self, place: int) -> tuple[int, int]:
        line = self.data.count(b"\n", 0, place) + 1
        begin = self.data.rfind(b"\n", 0, place) + 1
        return line, len(self.data[begin:place].decode("utf-8", "replace")) + 1

    def _mask(self, start: int, end: int, by: bytes) -> None:
        kept = self.data[start:end]
        self.masked[start:end] = (
            b"\n".join(by * len(line) for line in kept.split(b"\n")) if by == GONE else by * (end - start)
        )

    def _call(self, target: Expr, args: tuple[Expr, ...]) -> Expr:
        self.out.calls.append(CallFact(target, args, 0, self._held, *self._place(self._at)))
        return CallOf(len(self.out.calls) - 1)

    def _hold(self, tests: list[tuple[Expr, bool, str]], place: int) -> Conditions:
        line, column = self._place(place)
        return tuple(self.out.condition(test, negated, text, line, column) for test, negated, text in tests)

    def _open(self, kind: str, test: Expr, text: str, place: int, end: int) -> None:
        self._stack.append((kind, self._held, dict(self._env)))
        if kind == "if":
            self._arms.append([(test, False, text)])
            self._held += self._hold([(test, False, text)], place)
        self.regions.mark(end, self._held)

    def _otherwise(self, test: Expr, text: str, place: int, end: int, last: bool) -> None:
        """An `elif` or `else`: what came before does not hold."""
        if not self._stack or self._stack[-1][0] != "if":
            if self._stack:  # the `else` of a loop
                self.regions.mark(end, self._held)
            return
        before = [(t, True, said) for t, _, said in self._arms[-1]]
        outer = self._stack[-1][1]
        self._held = outer + self._hold(before, place)
        if not last:
            self._arms[-1].append((test, False, text))
            self._held += self._hold([(test, False, text)], place + 1)
        self.regions.mark(end, self._held)

    def _close(self, kinds: tuple[str, ...], end: int) -> None:
        for back in range(len(self._stack) - 1, -1, -1):
            if self._stack[back][0] in kinds:
                for kind, _, _ in self._stack[back:]:
                    if kind == "if" and self._arms:
                        self._arms.pop()
                _, self._held, self._env = self._stack[back]
                del self._stack[back:]
                break
        self.regions.mark(end, self._held)

    # Jinja and Django

    def jinja(self) -> None:
        """Read the tags and outputs of Jinja or Django."""
        place = 0
        while (match := _JINJA.search(self.data, place)) is not None:
            start, end = match.span()
            self._at = start
            place = end
            tag = match["tag"]
            if tag is not None:
                if tag in _RAW and (until := _RAW[tag].search(self.data, end)) is not None:
                    place = end = until.start()
                    self._mask(start, match.end(), GONE)
                    continue
                rest = match["rest"].decode("utf-8", "replace")
                value = self._tag(tag.decode(), rest, start, end)
                if value is None:
                    self._mask(start, end, GONE)
                    continue
            elif match["out"] is not None:
                value = expression(match["out"].decode("utf-8", "replace"), self._env, self._call)
            else:
                self._mask(start, end, GONE)
                continue
            self.holes.append((start, end, value))
            self._mask(start, end, HOLE)

    def _tag(self, tag: str, rest: str, start: int, end: int) -> Expr:
        """What a tag does; the value if it puts something out."""
        if tag == "if":
            self._open("if", expression(rest, self._env, self._call), rest.strip(), start, end)
        elif tag in {"elif", "elseif"}:
            self._otherwise(expression(rest, self._env, self._call), rest.strip(), start, end, False)
        elif tag in {"else", "empty"}:
            self._otherwise(None, "", start, end, True)
        elif tag == "endif":
            self._close(("if",), end)
        elif tag in {"for", "with", "macro", "call", "block"}:
            self._open(tag, None, "", start, end)
            self._bind(tag, rest)
        elif tag in {"endfor", "endwith", "endmacro", "endcall", "endblock"}:
            self._close((tag[3:],), end)
        elif tag == "set" and (match := _SET.match(rest)):
            self._env[match[1]] = expression(match[2], self._env, self._call)
            if self._env[match[1]] is None:
                del self._env[match[1]]
        elif tag in {"include", "extends", "import", "from"} and (found := _INCLUDE.match(rest)):
            self.out.slots.append(Slot(found[1], self._held, self._place(start)[0]))
        elif tag in {"trans", "translate"} and rest.strip()[:1] in {"'", '"'}:
            return self._output(tag, rest)
        elif not tag.startswith("end") and tag not in {
            "load",
            "extends",
            "import",
            "from",
            "trans",
            "translate",
            "blocktrans",
        }:
            return self._output(tag, rest)
        return None

    def _output(self, tag: str, rest: str) -> Expr:
        named = _AS.match(rest)
        found = words(named[1] if named else rest, self._env, self._call)
        args = [value for name, value in found if not name]
        keywords = tuple((name, value) for name, value in found if name)
        value = self._call(Name(tag), tuple([*args, Obj(keywords)] if keywords else args))
        if named:
            self._env[named[2]] = value
            return None
        return value

    def _bind(self, tag: str, rest: str) -> None:
        if tag == "for" and (match := _FOR.match(rest)):
            value = expression(match[2], self._env, self._call)
            for name in re.findall(r"\w+", match[1]):
                self._env[name] = Member(value, "[]")
        elif tag == "with":
            if named := _AS.match(rest):
                self._env[named[2]] = expression(named[1], self._env, self._call)
            else:
                self._env.update((name, value) for name, value in words(rest, self._env, self._call) if name)

    # Svelte

    def svelte(self) -> None:
        """Read the blocks and expressions in braces."""
        for start, end in self._braces():
            self._at = start
            block = _SVELTE_BLOCK.match(self.data, start)
            text = self.data[start + 1 : end - 1]
            if block is not None and block[1] in b"#:/":
                sign, word = block[1], block[2]
                inner = self.data[block.end() : end - 1]
                said = inner.decode("utf-8", "replace").strip()
                if sign == b"#" and word == b"if":
                    self._open("if", self._script(inner, block.end()), said, start, end)
                elif sign == b":" and word == b"else if":
                    self._otherwise(self._script(inner, block.end()), said, start, end, False)
                elif sign == b":" and word == b"else":
                    self._otherwise(None, "", start, end, True)
                elif sign == b"/" and word == b"if":
                    self._close(("if",), end)
                elif sign == b"#":
                    self._open(word.decode(), None, "", start, end)
                elif sign == b"/":
                    self._close((word.decode(),), end)
                self._mask(start, end, GONE)
                continue
            in_tag = self.data.rfind(b"<", 0, start) > self.data.rfind(b">", 0, start)
            if in_tag and text.lstrip().startswith(b"..."):
                self._mask(start, end, GONE)
                continue
            self.holes.append((start, end, self._script(text, start + 1)))
            self._mask(start, end, HOLE)

    def _script(self, text: bytes, start: int) -> Expr:
        line = self.data.count(b"\n", 0, start)
        reader = Script(self.out, self.data, start - 1, line)
        reader.conditions = self._held
        return reader.expression(text)

    def _braces(self) -> Iterator[tuple[int, int]]:
        """The stretches in braces outside of scripts and styles."""
        skipped = [match.span() for match in _SKIPPED.finditer(self.data)]
        place = 0
        while (start := self.data.find(b"{", place)) >= 0:
            inside = next((end for begin, end in skipped if begin <= start < end), 0)
            if inside:
                place = inside
                continue
            end = closing(self.data, start)
            yield start, end
            place = end

    # Angular

    def angular(self) -> None:
        """Read `@if (...) { ... }` and its like; what stands in `{{ }}` is only shown."""
        for match in re.finditer(rb"\{\{.*?\}\}", self.data, re.DOTALL):
            self.holes.append((*match.span(), None))
            self._mask(*match.span(), HOLE)
        place = 0
        clean = bytes(self.masked)
        while (found := _ANGULAR.search(clean, place)) is not None:
            start, place = found.span()
            self._at = start
            if found[0] == b"}":
                if self._stack:
                    kind = self._stack[-1][0]
                    # An `else` belongs to the arm that ends here.
                    follows = re.compile(rb"\s*@else\b").match(clean, place)
                    if not (kind == "if" and follows):
                        self._close((kind,), place)
                    self._mask(start, place, GONE)
                continue
            word = found[1]
            test, said = None, ""
            if clean[place : place + 1] == b"(":
                end = closing(clean, place)
                inner = clean[place + 1 : end - 1].split(b";")[0]
                said = inner.decode("utf-8", "replace").strip()
                test = self._script(inner, place + 1) if word in {b"if", b"else if"} else None
                place = end
            brace = clean.find(b"{", place)
            place = brace + 1 if brace >= 0 else len(clean)
            if word == b"if":
                self._open("if", test, said, start, place)
            elif word == b"else if":
                self._otherwise(test, said, start, place, False)
            elif word == b"else":
                self._otherwise(None, "", start, place, True)
            else:
                self._open(word.decode(), None, "", start, place)
            self._mask(start, place, GONE)


def closing(data: bytes, start: int) -> int:
    """The place behind the bracket that closes the one at `start`; strings are passed over."""
    depth, place = 0, start
    pairs = b"{}" if data[start : start + 1] == b"{" else b"()"
    while place < len(data):
        char = data[place]
        if char == pairs[0]:
            depth += 1
        elif char == pairs[1]:
            depth -= 1
            if depth == 0:
                return place + 1
        elif char in b"\"'`":
            end = place + 1
            while end < len(data) and data[end] != char:
                end += 2 if data[end] == 0x5C else 1
            # An apostrophe in prose closes nothing.
            if b"\n" not in data[place:end] or char == 0x60:
                place = end
        place += 1
    return len(data)
