"""Abstract values: what the reader knows of an expression without knowing the other files.

A value is a small immutable tree in terms of the parameters of the function it stands in, and of names to be resolved by the
link step. Constants are known, text knows its pieces, calls stay calls until their callee is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import msgspec

MAX_SIZE = 240
"""Nodes a value may have; a larger one is cut to its newest parts. Keeps loops that build text from growing without end."""

MAX_TABLE = 3000
"""The same for a list or a dictionary that module code spells out: nothing is built of it but by its name."""

SHORT = 4
"""Nodes of a callee, and of a list's name behind a star, that are kept however many arguments there are."""

MAX_OPTIONS = 8
LONGEST_CONSTANT = 4000


class Const(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """A literal: text, number, boolean, None or `...` (as text)."""

    value: str | int | float | bool | None


class Unknown(msgspec.Struct, frozen=True, array_like=True, tag="u"):
    """Nothing is known but what is said in `labels` (`number`, `boolean`, `template`, ...)."""

    labels: tuple[str, ...] = ()


class Param(msgspec.Struct, frozen=True, array_like=True, tag="p"):
    """A parameter of the function that the value stands in."""

    name: str


class Ref(msgspec.Struct, frozen=True, array_like=True, tag="r"):
    """A name outside the function: `flask.request` (imported), `..db.run` (relative), `:TABLE` (this module's own)."""

    name: str


class Free(msgspec.Struct, frozen=True, array_like=True, tag="f"):
    """A value of the enclosing function `owner`, seen from a function inside it."""

    owner: str
    value: Value


class Named(msgspec.Struct, frozen=True, array_like=True, tag="n"):
    """A value that was stored under a name, and where."""

    name: str
    value: Value
    line: int
    column: int
    size: int


class Attr(msgspec.Struct, frozen=True, array_like=True, tag="a"):
    """`base.name`."""

    base: Value
    name: str
    size: int


class Item(msgspec.Struct, frozen=True, array_like=True, tag="i"):
    """`base[key]`."""

    base: Value
    key: Value
    size: int


class Text(msgspec.Struct, frozen=True, array_like=True, tag="t"):
    """Text put together of parts: an f-string or a sum. `how` is the word for it."""

    parts: tuple[Value, ...]
    how: str
    line: int
    column: int
    size: int


class Op(msgspec.Struct, frozen=True, array_like=True, tag="x"):
    """An operation whose meaning the engine itself knows; see OPERATIONS."""

    kind: str
    subject: Value
    args: tuple[Value, ...]
    keywords: tuple[tuple[str, Value], ...]
    line: int
    column: int
    size: int


class Call(msgspec.Struct, frozen=True, array_like=True, tag="k"):
    """A call of something to be resolved. A keyword "**" is an unpacked mapping, a position may be `Op("star")`."""

    target: Value
    args: tuple[Value, ...]
    keywords: tuple[tuple[str, Value], ...]
    line: int
    column: int
    size: int


class Test(msgspec.Struct, frozen=True, array_like=True):
    """That a parameter of the function equals a constant, or does not; with a boolean: that it is true, or false."""

    param: str
    value: str | int | bool | None
    holds: bool


Given: TypeAlias = tuple[Test, ...]
"""What has turned out about parameters where a path comes by."""


class Choice(msgspec.Struct, frozen=True, array_like=True, tag="o"):
    """One of these, depending on the path taken. `given`, if any, is for each of them what makes a path come by it."""

    options: tuple[Value, ...]
    size: int
    given: tuple[Given, ...] = ()


class Seq(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """A list, tuple or set. `open`: any number of such items (a comprehension, an appended list)."""

    items: tuple[Value, ...]
    open: bool
    size: int


class Map(msgspec.Struct, frozen=True, array_like=True, tag="m"):
    """A dictionary display; a key of None is an unpacked mapping."""

    items: tuple[tuple[Value | None, Value], ...]
    size: int


class Mark(msgspec.Struct, frozen=True, array_like=True, tag="l"):
    """A value of which a check has shown something: `allowed` (in an allow-list), `number`, ..."""

    value: Value
    labels: tuple[str, ...]
    size: int


Value: TypeAlias = (
    Const | Unknown | Param | Ref | Free | Named | Attr | Item | Text | Op | Call | Choice | Seq | Map | Mark
)

OPERATIONS = {
    "%": "text % args",
    "format": "text.format(*args, **keywords)",
    "format_map": "text.format_map(args[0])",
    "substitute": "string.Template(text).substitute(...)",
    "join": "text.join(args[0])",
    "replace": "text.replace(args[0], args[1])",
    "repeat": "text or list * number",
    "slice": "value[args[0]:args[1]]",
    "each": "an element got by iterating",
    "enter": "what `with value as ...` gives",
    "in": "value in args[0]",
    "difference": "value - args[0]: of sets, dates or numbers, never text",
    "intersection": "value & args[0], of sets",
    "test": "a comparison or negation; its result is a boolean",
    "star": "*value in a call",
    "without": "a mapping with the key args[0] taken out",
    "after": "value once the call args[0] has returned normally",
    "typed": "value, of the annotated type args[0]",
    "if": "value if the condition args[0] holds",
    "super": "super()",
    "caught": "an exception of the type value was raised and caught",
}

UNKNOWN = Unknown()
NUMBER = Unknown(("number",))


def size(value: Value) -> int:
    """How many nodes the tree has."""
    return getattr(value, "size", 1)


def named(name: str, value: Value, line: int, column: int) -> Value:
    """The value as stored under `name`; a constant needs no name to be understood."""
    if isinstance(value, Const):
        return value
    total = size(value) + 1
    return Named(name, value, line, column, total) if total < MAX_SIZE or isinstance(value, Seq) else value


def attr(base: Value, name: str) -> Value:
    """`base.name`."""
    return Attr(base, name, size(base) + 1)


def item(base: Value, key: Value) -> Value:
    """`base[key]`; the element itself where both are known."""
    inner = base
    while isinstance(inner, Named):
        inner = inner.value
    if isinstance(key, Const):
        if isinstance(inner, Map):
            hit = [v for k, v in inner.items if isinstance(k, Const) and k.value == key.value]
            if hit:
                return hit[-1]
        elif isinstance(inner, Seq) and not inner.open and isinstance(key.value, int):
            if -len(inner.items) <= key.value < len(inner.items) and not any(map(is_star, inner.items)):
                return inner.items[key.value]
        elif isinstance(inner, Const) and isinstance(inner.value, str) and isinstance(key.value, int):
            if -len(inner.value) <= key.value < len(inner.value):
                return Const(inner.value[key.value])
    return Item(base, key, size(base) + size(key) + 1)


def is_star(value: Value) -> bool:
    """Whether it is `*value` in a call or a display."""
    return isinstance(value, Op) and value.kind == "star"


def text(parts: list[Value], how: str, line: int, column: int) -> Value:
    """Text of parts: neighbouring constants joined, nested text flattened, cut at MAX_SIZE."""
    flat: list[Value] = []
    for part in parts:
        inner = part.parts if isinstance(part, Text) else (part,)
        for one in inner:
            last = flat[-1] if flat else None
            if isinstance(one, Const) and isinstance(last, Const) and isinstance(one.value, str):
                if isinstance(last.value, str) and len(last.value) < LONGEST_CONSTANT:
                    flat[-1] = Const(last.value + one.value)
                    continue
            flat.append(one)
    if not flat:
        return Const("")
    if len(flat) == 1 and isinstance(flat[0], Const) and isinstance(flat[0].value, str):
        return flat[0]
    if len(flat) > 2 * MAX_SIZE:
        flat = flat[:MAX_SIZE] + flat[-MAX_SIZE:]
    total = sum(map(size, flat)) + 1
    while total > MAX_SIZE and len(flat) > 2:
        # The beginning tells whether it is SQL; the newest part is what this line adds.
        total -= size(flat.pop(len(flat) // 2))
    return Text(tuple(flat), how, line, column, total) if total <= MAX_SIZE else UNKNOWN


def choice(options: Sequence[Value], given: Sequence[Given] = ()) -> Value:
    """One of `options`, without repetition; `given` is for each of them what makes a path come by it."""
    flat: list[Value] = []
    for option in options:
        for one in option.options if isinstance(option, Choice) else (option,):
            if one not in flat:
                flat.append(one)
    if len(flat) == 1:
        return flat[0]
    hangs = given or any(isinstance(option, Choice) and option.given for option in options)
    asked = _asked(options, given, flat) if hangs else []
    if len(flat) > MAX_OPTIONS:
        del flat[1 : 1 - MAX_OPTIONS], asked[1 : 1 - MAX_OPTIONS]
    total = sum(map(size, flat)) + 1
    if total > MAX_SIZE:
        while total > MAX_SIZE and len(flat) > 1:
            total -= size(flat.pop(0))
        flat[-1] = _opened(flat[-1])
    asked = asked[-len(flat) :] if any(asked) else []
    return Choice(tuple(flat), total, tuple(asked)) if total <= MAX_SIZE else flat[-1]


def _asked(options: Sequence[Value], given: Sequence[Given], flat: list[Value]) -> list[Given]:
    """What makes a path come by each of the values in `flat`; nothing where several different paths do."""
    found: dict[int, Given] = {}
    for index, option in enumerate(options):
        outer = given[index] if given else ()
        inner = option.given if isinstance(option, Choice) else ()
        for at, one in enumerate(option.options if isinstance(option, Choice) else (option,)):
            tests = outer + inner[at] if inner else outer
            place = flat.index(one)
            found[place] = tests if found.get(place, tests) == tests else ()
    return [found[place] for place in range(len(flat))]


def _opened(value: Value) -> Value:
    """A list as one that may hold more: what it was on another path is lost."""
    if isinstance(value, Named):
        return Named(value.name, _opened(value.value), value.line, value.column, value.size)
    return Seq(value.items, True, value.size) if isinstance(value, Seq) else value


def seq(items: list[Value], *, is_open: bool = False, limit: int = MAX_SIZE) -> Value:
    """A list of known items."""
    kept = items[:limit]
    total = sum(map(size, kept)) + 1
    while total > limit and kept:
        total -= size(kept.pop())
    return Seq(tuple(kept), is_open or len(kept) < len(items), total)


def mapping(items: list[tuple[Value | None, Value]], *, limit: int = MAX_SIZE) -> Value:
    """A dictionary of known items."""
    total = 1
    kept: list[tuple[Value | None, Value]] = []
    for key, value in items:
        total += size(value) + (size(key) if key is not None else 0)
        if total > limit:
            break
        kept.append((key, value))
    return Map(tuple(kept), min(total, limit))


def mark(value: Value, *labels: str) -> Value:
    """The value with labels that a check has proved."""
    return Mark(value, labels, size(value) + 1)


def op(
    kind: str,
    subject: Value,
    args: tuple[Value, ...] = (),
    keywords: tuple[tuple[str, Value], ...] = (),
    *,
    line: int = 0,
    column: int = 0,
) -> Value:
    """An operation of OPERATIONS."""
    total = 1 + size(subject) + sum(map(size, args)) + sum(size(v) for _, v in keywords)
    if total > (
        2 * MAX_TABLE if kind == "star" else MAX_SIZE
    ):  # a list has its own limit, and so has what it is put into
        return subject if size(subject) < MAX_SIZE else UNKNOWN
    return Op(kind, subject, args, keywords, line, column, total)


def call(
    target: Value,
    args: tuple[Value, ...],
    keywords: tuple[tuple[str, Value], ...],
    line: int,
    column: int,
    *,
    limit: int = MAX_SIZE,
) -> Value:
    """A call to be resolved by the link step; arguments are dropped where it would grow too large.

    Up to `limit`, arguments that are made by calls are kept: lists of routes, of columns.
    """
    total = 1 + size(target) + sum(map(size, args)) + sum(size(v) for _, v in keywords)
    if total > MAX_SIZE:
        share = MAX_SIZE // (2 + len(args) + len(keywords))

        def fits(value: Value) -> bool:
            small = size(value) <= max(share, SHORT if is_star(value) else 1)
            return small or (total <= limit and _is_made(value))

        target = _slim(target, max(share, SHORT))
        args = tuple(a if fits(a) else UNKNOWN for a in args)
        keywords = tuple((k, v if fits(v) else UNKNOWN) for k, v in keywords)
        total = 1 + size(target) + sum(map(size, args)) + sum(size(v) for _, v in keywords)
    return Call(target, args, keywords, line, column, total)


def _slim(value: Value, most: int) -> Value:
    """A chain of calls without the arguments that make it too large: what it starts from tells what it gives."""
    slim = _thin(value, most)
    return slim if size(slim) <= MAX_SIZE // 2 else UNKNOWN


def _thin(value: Value, most: int) -> Value:
    if size(value) <= most:
        return value
    match value:
        case Named():
            return _thin(value.value, most)
        case Attr():
            return attr(_thin(value.base, most), value.name)
        case Choice():
            options = tuple(_thin(option, most) for option in value.options)
            return Choice(options, 1 + sum(map(size, options)), value.given)
        case Call():
            target = _thin(value.target, most)
            args = tuple(a if size(a) <= SHORT else UNKNOWN for a in value.args)
            keywords = tuple((k, a if size(a) <= SHORT else UNKNOWN) for k, a in value.keywords)
            total = 1 + size(target) + sum(map(size, args)) + sum(size(a) for _, a in keywords)
            return Call(target, args, keywords, value.line, value.column, total)
    return UNKNOWN


def _is_made(value: Value) -> bool:
    """Whether a value is a call, or a list that holds some."""
    value = bare(value)
    return isinstance(value, Call) or (isinstance(value, Seq) and any(map(_is_made, value.items)))


def bare(value: Value) -> Value:
    """The value without the names it was stored under."""
    while isinstance(value, Named):
        value = value.value
    return value


def made_from(value: Value) -> Value | None:
    """What an expression starts from: the callee of a call, the object of an attribute, the subject of an operation."""
    match value:
        case Call():
            return value.target
        case Attr() | Item():
            return value.base
        case Op():
            return value.subject
        case Mark() | Named():
            return value.value
        case Choice():
            return value.options[-1]
    return None


def dotted(value: Value) -> str | None:
    """`a.b.c` for attributes of a Ref, with the Ref's own prefix; None for anything else."""
    root = value
    while isinstance(root, Attr):
        root = root.base
    if not isinstance(root, Ref):  # as with most that are asked about
        return None
    names: list[str] = []
    while isinstance(value, Attr):
        names.append(value.name)
        value = value.base
    names.append(root.name)
    names.reverse()
    return ".".join(names)


def walk(value: Value) -> Iterator[Value]:
    """A value and all values in it."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(children(current))


def children(value: Value) -> tuple[Value, ...]:
    """The values directly inside."""
    inside = _INSIDE.get(type(value))
    return inside(value) if inside else ()


def _in_map(value: Map) -> tuple[Value, ...]:
    return tuple(one for pair in value.items for one in pair if one is not None)


_INSIDE: dict[type[Value], Callable[[Any], tuple[Value, ...]]] = {
    Named: lambda value: (value.value,),
    Mark: lambda value: (value.value,),
    Free: lambda value: (value.value,),
    Attr: lambda value: (value.base,),
    Item: lambda value: (value.base, value.key),
    Text: lambda value: value.parts,
    Op: lambda value: (value.subject, *value.args, *[x for _, x in value.keywords]),
    Call: lambda value: (value.target, *value.args, *[x for _, x in value.keywords]),
    Choice: lambda value: value.options,
    Seq: lambda value: value.items,
    Map: _in_map,
}
