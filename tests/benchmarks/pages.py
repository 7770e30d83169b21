"""Whether a page shows what a handler does only to some people: judged by texts near one another, without prodready."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
    return any(_near_gate(app, needle, pattern, 0) for needle, pattern in patterns)


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
    for data in app.files.values():
        if name.encode() in data:
            for found in listed.finditer(data.decode("utf-8", "replace")):
                yield found[1] or found[3] or "", found[2] or ""


class _Page:
    """A page by its lines, with the numbers of those that are gates."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.split("\n")
        self.gates = [number for number, line in enumerate(self.lines) if len(line) < 500 and GATE.search(line)]


@lru_cache(maxsize=4)
def _pages(app: Application) -> dict[str, _Page]:
    return {path: _Page(text) for path, text in app.pages.items()}


@lru_cache(maxsize=10_000)
def _near_gate(app: Application, needle: str, pattern: str, depth: int) -> bool:
    """Whether a gate of a page, or of one that uses the function in which it stands, is near what `pattern` finds."""
    for path, page in _pages(app).items():
        if needle not in page.text:
            continue
        for found in re.finditer(pattern, page.text):
            first = page.text.count("\n", 0, found.start())
            if not path.endswith((".js", ".ts")) and any(first - NEAR <= number <= first for number in page.gates):
                return True
            before = "\n".join(page.lines[max(0, first - NEAR) : first + 1])
            named = (
                [name for name in DEFINES.findall(before) if name not in NO_NAMES and len(name) > 4]
                if depth < 2
                else []
            )
            if named and _near_gate(app, named[-1], rf"\b{named[-1]}\b(?!\s*[=:]\s*(?:async|\())", depth + 1):
                return True
    return False
