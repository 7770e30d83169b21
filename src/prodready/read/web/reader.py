"""Reading one file of a front end: from bytes to facts."""

from __future__ import annotations

import json
import re
import sys

from prodready.discover import WEB_SETTINGS
from prodready.masking import stars, stretches
from prodready.read.web.build import Builder
from prodready.read.web.facts import WebFacts
from prodready.read.web.markup import read_markup
from prodready.read.web.script import Script

LARGEST = 1_000_000
"""Bytes of the largest file that is read."""

RECURSION_LIMIT = 6_000
MINIFIED_LINE = 400
"""Characters of an average line from which on nobody wrote a file by hand."""

DIALECTS = {
    ".ts": "ts",
    ".mts": "ts",
    ".cts": "ts",
    ".tsx": "tsx",
    ".js": "js",
    ".jsx": "js",
    ".mjs": "js",
    ".cjs": "js",
}
MARKUP = {
    ".vue": "vue", ".svelte": "svelte",
    ".html": "html", ".htm": "html", ".jinja": "html", ".jinja2": "html", ".j2": "html", ".djhtml": "html",
}  # fmt: skip


def is_script(path: str) -> bool:
    """Whether a file is a script by its name: no markup, no settings."""
    return path[path.rfind(".") :].lower() in DIALECTS


def read_web(path: str, data: bytes) -> WebFacts:
    """The facts of a file of a front end. It is for the caller to ask whether it is `left_out`.

    What cannot be parsed is passed over; `broken` tells where that begins. Raises RecursionError for what is nested too
    deeply, and UnicodeDecodeError for what is not UTF-8.
    """
    lines = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    ending = path[path.rfind(".") :].lower()
    kind = MARKUP.get(ending, "script")
    data = data.removeprefix(b"\xef\xbb\xbf")
    data = _hidden(data)
    if kind == "html" and (path.endswith(".component.html") or b"*ngIf" in data or b"*ngFor" in data):
        kind = "angular"
    if path.rpartition("/")[2] in WEB_SETTINGS:
        return WebFacts(lines, "settings", _aliases(data.decode("utf-8")))
    builder = Builder()
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, RECURSION_LIMIT))
    try:
        if kind == "script":
            Script(builder, data).read(DIALECTS[ending])
        else:
            read_markup(builder, data, kind)
    finally:
        sys.setrecursionlimit(limit)
    return builder.facts(lines, kind)


def _hidden(data: bytes) -> bytes:
    """The content with what may be a secret in stars, which take as many bytes."""
    text = data.decode("utf-8")
    found = list(stretches(text))
    if not found or text.isascii():
        return stars(text, found).encode() if found else data
    # tree-sitter counts bytes, and so do the places of facts.
    return stars(data.decode("latin-1"), [(_bytes(text, start), _bytes(text, end)) for start, end in found]).encode(
        "latin-1"
    )


def _bytes(text: str, at: int) -> int:
    return len(text[:at].encode())


def left_out(path: str, data: bytes) -> str:
    """Why a file is not read; empty for one that is."""
    if len(data) > LARGEST:
        return f"larger than {LARGEST // 1_000_000} MB"
    if ".min." in path.rpartition("/")[2]:
        return "minified"
    if is_script(path) and len(data) > 5_000 and len(data) > MINIFIED_LINE * max(data.count(b"\n"), 1):
        return "minified"
    return ""


_NOTE = re.compile(r'("(?:\\.|[^"\\])*")|/\*.*?\*/|//[^\n]*', re.DOTALL)
_LAST_COMMA = re.compile(r",(?=\s*[}\]])")


def _aliases(text: str) -> dict[str, tuple[str, str]]:
    """What a settings file says of module names: patterns with what they stand for, relative to its folder.

    The name of a package stands at `package`.
    """
    try:
        raw = json.loads(_LAST_COMMA.sub("", _NOTE.sub(lambda match: match[1] or "", text)))
    except ValueError:
        return {}
    if not isinstance(raw, dict):
        return {}
    if isinstance(raw.get("name"), str) and "compilerOptions" not in raw:
        return {"package": (raw["name"], "")}
    options = raw.get("compilerOptions")
    options = options if isinstance(options, dict) else {}
    base = options.get("baseUrl") if isinstance(options.get("baseUrl"), str) else ""
    found = {"*": (f"{base}/*", "base")} if base else {}
    paths = options.get("paths")
    for pattern, targets in paths.items() if isinstance(paths, dict) else ():
        if isinstance(targets, list) and targets and isinstance(targets[0], str):
            found[pattern] = (f"{base or '.'}/{targets[0]}", "path")
    return found
