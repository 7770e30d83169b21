"""Where a file has Python look for modules: what it adds to `sys.path`."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodready.read import values as v
from prodready.read.values import Value

if TYPE_CHECKING:
    from prodready.read.facts import FileFacts

ADDING = {"sys.path.append": 0, "sys.path.insert": 1, "sys.path.extend": 0, "site.addsitedir": 0}
"""The calls that add to the path, with the position of what they add; `sys.path += [...]` is a `setattr`."""

NAMES = frozenset({"append", "insert", "extend", "addsitedir", "setattr"})

SAME = frozenset({"str", "os.fspath", "os.path.abspath", "os.path.realpath", "os.path.normpath", "pathlib.PurePath"})
"""Functions that give the directory that they are given, written in another way."""

ELSEWHERE = "*"
MAX_DEPTH = 40


def search_path(facts: FileFacts) -> tuple[str, ...]:
    """The directories that a file adds, as paths from its own directory (`../apps`).

    Where only the end of such a path is known it stands behind `*`: `*/apps`.
    """
    found: dict[str, None] = {}
    for qualname, called in facts.called.items():
        for fact in facts.functions[qualname].calls if not NAMES.isdisjoint(called) else ():
            if fact.name in NAMES:
                found.update((place, None) for value in _added(fact.value) if (place := _place(value, 0)))
    return tuple(place for place in found if place != ELSEWHERE)


def _added(call: v.Call) -> Iterator[Value]:
    name = v.dotted(call.target)
    if name == "setattr" and v.dotted(v.attr(call.args[0], "path")) == "sys.path" and call.args[1] == v.Const("path"):
        yield from _items(call.args[2])
    elif name in ADDING and len(call.args) > ADDING[name]:
        yield from _items(call.args[ADDING[name]])


def _items(value: Value) -> tuple[Value, ...]:
    inner = v.bare(value)
    return tuple(item for item in inner.items if not v.is_star(item)) if isinstance(inner, v.Seq) else (inner,)


def _place(value: Value, depth: int) -> str | None:
    """The directory that a value names, from that of the file; None for what is none."""
    value = v.bare(value)
    if depth > MAX_DEPTH:
        return None
    match value:
        case v.Const(value=str(text)):
            return _join(ELSEWHERE, text)
        case v.Ref(name=":__file__"):
            return "./__file__"
        case v.Text(parts=(first, *others)):
            rest = [str(v.bare(part).value) for part in others if isinstance(v.bare(part), v.Const)]  # type: ignore[union-attr]
            return _join(_place(first, depth + 1), *rest) if len(rest) == len(others) else None
        case v.Attr(name="parent"):
            return _parent(_place(value.base, depth + 1))
        case v.Item(base=v.Attr(name="parents") as base, key=v.Const(value=int(count))):
            found = _place(base.base, depth + 1)
            for _ in range(count + 1):
                found = _parent(found)
            return found
        case v.Op(kind="typed"):
            return _place(value.subject, depth + 1)
        case v.Choice():
            return _place(value.options[-1], depth + 1)
        case v.Call():
            return _made(value, depth)
        case v.Ref() | v.Attr():
            return ELSEWHERE
    return None


def _made(call: v.Call, depth: int) -> str | None:
    """What a call of `os.path` or `pathlib` gives."""
    name = v.dotted(call.target) or ""
    target = v.bare(call.target)
    args = list(call.args)
    if name == "os.path.dirname" and args:
        return _parent(_place(args[0], depth + 1))
    if name in SAME and args:
        return _place(args[0], depth + 1)
    if name in {"os.path.join", "operator.truediv", "pathlib.Path"} and args:
        return _joined(_place(args[0], depth + 1), args[1:])
    if isinstance(target, v.Attr) and target.name in {"resolve", "absolute", "as_posix"}:
        return _place(target.base, depth + 1)
    if isinstance(target, v.Attr) and target.name == "joinpath":
        return _joined(_place(target.base, depth + 1), args)
    return ELSEWHERE


def _joined(first: str | None, args: list[Value]) -> str | None:
    names = [v.bare(argument) for argument in args]
    if not all(isinstance(name, v.Const) and isinstance(name.value, str) for name in names):
        return None
    return _join(first, *(str(name.value) for name in names if isinstance(name, v.Const)))


def _join(first: str | None, *rest: str) -> str | None:
    if first is None:
        return None
    whole = posixpath.normpath("/".join([first, *(part.strip("/") for part in rest)]))
    if first == ELSEWHERE and not whole.startswith(ELSEWHERE):  # `*/../apps`: above what is not known
        return posixpath.join(ELSEWHERE, whole.lstrip("./")).rstrip("/")
    return whole


def _parent(place: str | None) -> str | None:
    if place is None or place == ELSEWHERE:
        return place
    return posixpath.normpath(f"{place}/..")
