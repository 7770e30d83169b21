"""Whether a page shows what a handler does only to some people: judged by texts near one another, without prodready."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

import libcst as cst
from mutants_context import Application
from mutants_source import Scoping, Source

ASKS = (
    r"(?:is_?[Aa]dmin|is_?[Ss]taff|is_?[Ss]uperuser|is_?[Oo]wner|has_?[Pp]erm|perms\.|[Pp]ermission|\bcan[A-Z_]\w+|"
    r"\brole\b|has_?[Rr]ole|role_\w+\()"
)
GATE = re.compile(
    rf"(?:v-if|v-show|\{{%-?\s*(?:el)?if|\{{#if|\*ngIf|@if|&&|\?|\bif\b|disabled|isAllowed|\bwhen\b).*{ASKS}|{ASKS}.*(?:&&|\?\s)"
)
ASKING = re.compile(ASKS)
WORD = re.compile(r"\w+")
LONGEST = 500
"""Characters of a line; a longer one is not written by hand."""

DEPTH = 2
"""Functions of functions that are looked for."""

NEAR = 25
"""Lines between a gate and what it may stand around."""

HOLE = r"""(?:\$\{[^}]*\}|\{\{[^}]*\}\}|\{\w*\}|:\w+|["'`]\s*\+[^+"'`]+(?:\+\s*["'`])?)"""
PARAMETER = re.compile(r"^(?:<[^>]*>|\{[^}]*\}|:\w+|\(.*\))$")
DEFINES = re.compile(
    r"(?:function\s+|const\s+|async\s+|^\s*)(\w+)\s*(?:=\s*(?:async\s*)?(?:\(|function)|\([^()]*\)[^;{}\n]*\{|:\s*(?:async\s*)?function)",
    re.MULTILINE,
)
NO_NAMES = frozenset({"if", "for", "while", "switch", "catch", "return", "then", "function", "constructor"})


def gated(app: Application, source: Source, node: Scoping) -> bool:
    """Whether the address or the name of a handler, or the function of a script that asks for it, stands near a gate."""
    owner = next((up for up in (node, *source.above(node)) if isinstance(up, cst.ClassDef)), None)
    name = (owner or node).name.value
    patterns = [(name, rf"""(?:url_for\(\s*["'][\w.]*\.?{name}["']|url\s+["'][\w:-]*\b{re.escape(name)}["'])""")]
    for path, route in _addresses(app, source, owner or node, name):
        if route:
            patterns.append((route, rf"""\burl\s+["'](?:[\w-]+:)?{re.escape(route)}["']"""))
        parts = [part for part in path.strip("^$/").split("/") if part][-3:]
        literal = [part for part in parts if not PARAMETER.match(part)]
        if literal:
            joined = "/".join(HOLE if PARAMETER.match(part) else re.escape(part) for part in parts)
            patterns.append((literal[-1], joined + r"""/?["'`?\s]"""))
    return any(_pages(app).near_gate(needle, pattern) for needle, pattern in patterns)


def _addresses(app: Application, source: Source, node: Scoping, name: str) -> Iterator[tuple[str, str]]:
    """The paths and the names that lists of routes and decorators give a handler."""
    for decorator in node.decorators:
        if isinstance(decorator.decorator, cst.Call) and (
            found := re.search(r"""\(\s*["']([^"']*)""", source.code(decorator))
        ):
            yield found[1], ""
    listed = re.compile(
        rf"""["']([^"'\n]*)["'],\s*(?:\w+\.)*{name}\b[^\n]*(?:\n?[^\n]*?\bname=["']([\w-]+)["'])?|\b{name},\s*["']([^"'\n]+)["']"""
    )
    needle = name.encode()
    for data in app.files.values():
        if needle in data:
            for found in listed.finditer(data.decode("utf-8", "replace")):
                yield found[1] or found[3] or "", found[2] or ""


class _Pages:
    """The pages of an application by their lines, with the lines that are gates and those on which each word stands."""

    def __init__(self, pages: Mapping[str, str]) -> None:
        self.lines = {path: text.split("\n") for path, text in pages.items()}
        self.gates: dict[str, list[int]] = {}
        self._words: dict[str, list[tuple[str, int]]] = {}
        self._near: dict[tuple[str, str], bool] = {}
        for path, lines in self.lines.items():
            self.gates[path] = []
            for number, line in enumerate(lines):
                if len(line) > LONGEST:
                    continue
                if ASKING.search(line) and GATE.search(line):
                    self.gates[path].append(number)
                for word in set(WORD.findall(line)):
                    self._words.setdefault(word, []).append((path, number))

    def near_gate(self, needle: str, pattern: str, depth: int = 0) -> bool:
        """Whether a gate of a page, or of one that uses the function in which it stands, is near what `pattern` finds."""
        key = (needle, pattern)
        if key not in self._near:
            self._near[key] = False  # for a function that calls itself
            self._near[key] = any(self._gates(path, number, depth) for path, number in self._places(needle, pattern))
        return self._near[key]

    def _places(self, needle: str, pattern: str) -> Iterator[tuple[str, int]]:
        words = WORD.findall(needle)
        rarest = min((self._words.get(word, []) for word in words), key=len, default=[])
        compiled = re.compile(pattern)
        return ((path, number) for path, number in rarest if compiled.search(self.lines[path][number]))

    def _gates(self, path: str, line: int, depth: int) -> bool:
        first = max(0, line - NEAR)
        if not path.endswith((".js", ".ts")) and any(first <= number <= line for number in self.gates[path]):
            return True
        if depth >= DEPTH:
            return False
        before = "\n".join(self.lines[path][first : line + 1])
        named = [name for name in DEFINES.findall(before) if name not in NO_NAMES and len(name) > 4]
        return bool(named) and self.near_gate(named[-1], rf"\b{named[-1]}\b(?!\s*[=:]\s*(?:async|\())", depth + 1)


@lru_cache(maxsize=4)
def _pages(app: Application) -> _Pages:
    return _Pages(app.pages)
