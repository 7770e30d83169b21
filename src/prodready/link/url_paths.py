"""Templates of URL paths: one form for the spellings of all frameworks and front ends, and which of them fit together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

PathTemplate = tuple[str, ...]
"""A path by its segments: literal text, `{name}` where a parameter stands, `{name*}` for one that holds slashes."""

_PARAMETER = re.compile(
    r"\$\{(?P<js>[^{}]*)\}"  # ${order.id}
    r"|<(?:(?P<kind>[\w.]+)(?:\([^<>]*\))?:)?(?P<flask>\w+)(?::(?P<filter>[^<>]*))?>"  # <int:id>, <id>, <id:int>
    r"|\{(?P<brace>\w*)(?::(?P<convertor>[^{}]*(?:\{[^{}]*\}[^{}]*)*))?\}"  # {id}, {id:path}, {id:\d{3}}
    r"|(?<![\w\\(?]):(?P<colon>[A-Za-z_]\w*)"  # :id
)
MAX_VARIANTS = 8
"""Spellings of one pattern: three optional groups."""

_DEEP = frozenset({"path", "re", "path:path"})
_KINDS = frozenset(
    {"int", "str", "string", "float", "uuid", "path", "slug", "any", "re", "regex", "default", "strorempty"}
)


def parse(template: str) -> PathTemplate:
    """The segments of a template such as `/users/<int:id>/`, `{id}`, `/users/:id` or `${id}`; a query is left out."""
    text = _PARAMETER.sub(_braced, template)
    text = re.sub(r"[?#](?![^{]*\}).*", "", text)
    return tuple(part for part in text.split("/") if part)


def _braced(match: re.Match[str]) -> str:
    if match["flask"] is not None:
        kind, name = match["kind"] or "", match["flask"]
        if name in _KINDS and kind and kind not in _KINDS and match["filter"] is None:  # `<id:int>`
            kind, name = name, kind
        return f"{{{name}*}}" if kind == "path" or match["filter"] in _DEEP else f"{{{name}}}"
    if match["brace"] is not None:
        convertor = match["convertor"] or ""
        deep = convertor in _DEEP or convertor.startswith((".+", ".*"))
        return f"{{{match['brace'] or '_'}*}}" if deep else f"{{{match['brace'] or '_'}}}"
    if match["js"] is not None:
        words = re.findall(r"\w+", match["js"])
        return f"{{{words[-1] if words else '_'}}}"
    return f"{{{match['colon']}}}"


def parse_regex(pattern: str) -> PathTemplate:
    """The segments of a regular expression such as `^users/(?P<pk>\\d+)/$`; an unnamed group becomes `{_}`."""
    text = pattern.removeprefix("^").removeprefix("\\A")
    text = text.removesuffix("$").removesuffix("\\Z")
    out: list[str] = []
    index = 0
    while index < len(text):
        char = text[index]
        if char == "(":
            end = _closing(text, index)
            inner = text[index + 1 : end]
            index = end + 1
            optional = text[index : index + 1] in {"?", "*"} and text[index : index + 1] != ""
            if text[index : index + 1] in {"?", "*", "+"}:
                index += 1
            named = re.match(r"\?P<(\w+)>", inner)
            if named:
                body = inner[named.end() :]
                deep = body.startswith((".*", ".+"))
                out.append(f"{{{named[1]}*}}" if deep else f"{{{named[1]}}}")
            elif inner.startswith("?:"):
                if not optional:
                    out.append("/".join(parse_regex(inner[2:])) if "|" not in inner else "{_}")
            elif not inner.startswith("?"):
                out.append("{_}")
        elif char == "\\" and index + 1 < len(text):
            follows = text[index + 1]
            out.append("" if follows in "ZAb" else "{_}" if follows in "dwWDsS" else follows)
            index += 2
            if out[-1] == "{_}":
                index += len(re.match(r"[+*?]|\{[\d,]+\}|", text[index:])[0])  # type: ignore[index]
        elif char == "[":
            end = text.find("]", index + 2)
            end = len(text) - 1 if end < 0 else end
            out.append("{_}")
            index = end + 1
            index += len(re.match(r"[+*?]|\{[\d,]+\}|", text[index:])[0])  # type: ignore[index]
        elif char == ".":
            many = text[index + 1 : index + 2] in {"*", "+"} and text[index + 1 : index + 2] != ""
            out.append("{_*}" if many else ".")
            index += 2 if many else 1
        elif char in "?*+^$":
            index += 1
        else:
            out.append(char)
            index += 1
    return tuple(part for part in "".join(out).split("/") if part)


def variants(pattern: str) -> list[str]:
    """A regular expression with and without each of its optional groups: `^x/(?:page-(?P<n>\\d+)/)?$`."""
    found = [""]
    index = 0
    while index < len(pattern):
        end = index + (2 if pattern[index] == "\\" else 1)
        if pattern[index] == "[":
            end = max(pattern.find("]", index + 2), index) + 1
        without = False
        if pattern[index] == "(":
            end = _closing(pattern, index) + 1
            without = pattern[end : end + 1] == "?" and "/" in pattern[index:end] and len(found) < MAX_VARIANTS
        piece = pattern[index:end]
        index = end + without
        found = [text + piece for text in found] + (found if without else [])
    return found


def _closing(text: str, start: int) -> int:
    depth, index, in_class = 0, start, False
    while index < len(text):
        char = text[index]
        if char == "\\":
            index += 1
        elif in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                return index
        index += 1
    return len(text) - 1


def shown(path: PathTemplate) -> str:
    """The template as one prints it: `/users/{id}`."""
    return "/" + "/".join(path)


def is_parameter(segment: str) -> bool:
    """Whether a segment holds a parameter."""
    return "{" in segment


def is_deep(segment: str) -> bool:
    """Whether a segment takes the rest of a path, slashes included."""
    return segment.endswith("*}")


def fits(asked: PathTemplate, route: PathTemplate) -> bool:
    """Whether a request for `asked`, whose parameters stand for any text, may reach a route with this template."""
    if route and is_deep(route[-1]) and len(asked) >= len(route):
        return all(_meets(a, b) for a, b in zip(asked, route[:-1], strict=False))
    return len(asked) == len(route) and all(_meets(a, b) for a, b in zip(asked, route, strict=True))


def _meets(asked: str, segment: str) -> bool:
    if asked == segment:
        return True
    if not is_parameter(segment):
        return False  # a value that just happens to be the name of another route is not what a link is for
    if is_parameter(asked):
        return True
    pattern = "".join(
        ".+" if piece.startswith("{") else re.escape(piece) for piece in re.split(r"(\{[^{}]*\})", segment)
    )
    return re.fullmatch(pattern, asked) is not None


T = TypeVar("T")


def matching(asked: PathTemplate, routes: Iterable[tuple[PathTemplate, T]]) -> list[T]:
    """The routes that a request for `asked` may reach: those that fit best, several where nothing tells them apart.

    Literal segments win over parameters, as they do in the routers.
    """
    found = [(route, what) for route, what in routes if fits(asked, route)]
    if len(found) > 1:
        most = max(_literals(asked, route) for route, _ in found)
        found = [(route, what) for route, what in found if _literals(asked, route) == most]
    return [what for _, what in found]


def _literals(asked: Sequence[str], route: Sequence[str]) -> int:
    return sum(a == b and not is_parameter(b) for a, b in zip(asked, route, strict=False))
