"""What reading one file of a front end yields: plain data for the link step, never a tree."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec


class Text(msgspec.Struct, frozen=True, array_like=True, tag="t"):
    """A string or template string: literal parts, and what stands in its holes (None where that is not known)."""

    parts: tuple[str | Expr, ...]


class Name(msgspec.Struct, frozen=True, array_like=True, tag="n"):
    """A variable; `this` is one."""

    name: str


class Member(msgspec.Struct, frozen=True, array_like=True, tag="m"):
    """An attribute, or an element with a constant key."""

    base: Expr
    name: str


class CallOf(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """The result of the call at this position among the file's calls."""

    index: int


class ElementOf(msgspec.Struct, frozen=True, array_like=True, tag="e"):
    """The element at this position among the file's elements; as a condition: to stand inside of it."""

    index: int


class Fn(msgspec.Struct, frozen=True, array_like=True, tag="f"):
    """The function at this position among the file's functions."""

    index: int


class Obj(msgspec.Struct, frozen=True, array_like=True, tag="o"):
    """An object literal; the key of a spread is `...`."""

    items: tuple[tuple[str, Expr], ...]


class Many(msgspec.Struct, frozen=True, array_like=True, tag="l"):
    """A list."""

    items: tuple[Expr, ...]


class Both(msgspec.Struct, frozen=True, array_like=True, tag="&"):
    """`a && b`."""

    left: Expr
    right: Expr


class Either(msgspec.Struct, frozen=True, array_like=True, tag="|"):
    """`a || b`, `a ?? b`."""

    left: Expr
    right: Expr


class Choose(msgspec.Struct, frozen=True, array_like=True, tag="?"):
    """`test ? then : other`."""

    test: Expr
    then: Expr
    other: Expr


class Not(msgspec.Struct, frozen=True, array_like=True, tag="!"):
    """`!a`."""

    value: Expr


class Compare(msgspec.Struct, frozen=True, array_like=True, tag="="):
    """A comparison; `op` is `==`, `!=`, `<`, `>` (or equal, both) or `in`."""

    op: str
    left: Expr
    right: Expr


class Const(msgspec.Struct, frozen=True, array_like=True, tag="k"):
    """A number, `true`, `false`, `null` or `undefined`, as written."""

    text: str


Expr = (
    Text | Name | Member | CallOf | ElementOf | Fn | Obj | Many | Both | Either | Choose | Not | Compare | Const | None
)
"""An expression as far as it matters; None for what does not."""

SCOPE = "<scope>"
"""The name of a function that stands for the part of a template in which a loop has its variable."""

MODULE = 0
"""The position of the function that stands for the code of the file itself."""


class Condition(msgspec.Struct, frozen=True, array_like=True):
    """What must hold for something to be shown or to happen: `test`, or its opposite. `text` is as written."""

    test: Expr
    negated: bool
    text: str
    line: int
    column: int


class CallFact(msgspec.Struct, frozen=True, array_like=True):
    """A call in the function `owner`; `conditions` are positions among the file's conditions."""

    target: Expr
    args: tuple[Expr, ...]
    owner: int
    conditions: tuple[int, ...]
    line: int
    column: int
    new: bool = False


class Element(msgspec.Struct, frozen=True, array_like=True):
    """An element of markup; `label` is the text that a person sees on it."""

    tag: Expr
    attributes: tuple[tuple[str, Expr], ...]
    owner: int
    conditions: tuple[int, ...]
    line: int
    column: int
    parent: int = -1
    label: str = ""


class Function(msgspec.Struct, frozen=True, array_like=True):
    """A function. `owner` is the one around it, `cls` the class that it is a method of.

    `params` are its parameters: a name, or for one that is taken apart the names it gives, each with the key it had.
    `binds` are the constants and variables in it. `returns` is what it gives, and under which
    conditions. `each`: it is called with the elements of
    something, one by one. `after` are the conditions under which its code comes to its end.
    """

    name: str
    owner: int
    conditions: tuple[int, ...]
    line: int
    column: int
    params: tuple[str | tuple[tuple[str, str], ...], ...] = ()
    binds: dict[str, Expr] = {}
    returns: tuple[tuple[Expr, tuple[int, ...]], ...] = ()
    cls: str = ""
    each: bool = False
    after: tuple[int, ...] = ()


class ClassFact(msgspec.Struct, frozen=True, array_like=True):
    """A class: its base, its methods, what it binds on `this`, and which template it says it has.

    `sets` are the attributes that its methods assign: the name, the function and what is assigned.
    """

    name: str
    base: Expr
    owner: int
    members: dict[str, Expr]
    template: str = ""
    sets: tuple[tuple[str, int, Expr], ...] = ()


class Loose(msgspec.Struct, frozen=True, array_like=True):
    """An expression that is neither bound nor handed over: assigned to something else, or exported by default."""

    value: Expr
    owner: int
    conditions: tuple[int, ...]
    line: int
    to: str = ""


class Slot(msgspec.Struct, frozen=True, array_like=True):
    """Another template that is put in, built upon or taken macros from: its path as written."""

    path: str
    conditions: tuple[int, ...]
    line: int


class WebFacts(msgspec.Struct, frozen=True, array_like=True):
    """All of one file. `imports` maps a name to the module and to what it is there (`*` for all of it).

    `exports` maps a name to what it is, and to a module if it comes from there; `stars` are modules that are exported
    whole. `broken` is the line of the first error of syntax. `attributes` are the
    names of every `Member` in it, None if they were not collected.
    """

    lines: int
    kind: str
    imports: dict[str, tuple[str, str]] = {}
    exports: dict[str, tuple[str, Expr]] = {}
    stars: tuple[str, ...] = ()
    functions: tuple[Function, ...] = ()
    classes: tuple[ClassFact, ...] = ()
    calls: tuple[CallFact, ...] = ()
    elements: tuple[Element, ...] = ()
    loose: tuple[Loose, ...] = ()
    conditions: tuple[Condition, ...] = ()
    slots: tuple[Slot, ...] = ()
    broken: int = 0
    attributes: tuple[str, ...] | None = None


def parts(value: Expr) -> Iterator[Expr]:
    """What an expression is made of, one level down."""
    if isinstance(value, Text):
        yield from (part for part in value.parts if not isinstance(part, str))
    elif isinstance(value, Member):
        yield value.base
    elif isinstance(value, Obj):
        yield from (item for _, item in value.items)
    elif isinstance(value, Many):
        yield from value.items
    elif isinstance(value, (Both, Either, Compare)):
        yield value.left
        yield value.right
    elif isinstance(value, Choose):
        yield from (value.test, value.then, value.other)
    elif isinstance(value, Not):
        yield value.value
