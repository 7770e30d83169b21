"""Where the names, functions, calls and elements of a file stand in its facts: who uses what, and under which conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from prodready.read.web.facts import (
    Both,
    CallOf,
    Choose,
    Compare,
    Const,
    Either,
    ElementOf,
    Expr,
    Fn,
    Many,
    Member,
    Name,
    Not,
    Obj,
    Text,
    WebFacts,
    parts,
)

Test = tuple[Expr, bool]
"""A condition inside of an expression, and whether it holds."""


class Use(NamedTuple):
    """One place where something stands.

    `role` tells what becomes of it there: `target` (it is called), `arg`, `tag`, `attr`, `bind`, `return`, `member`,
    `export`, `loose`, or `test` where only its truth counts. `at` is the position of the call or element among the file's,
    `name` that of the argument, attribute, variable or member. `path` are the keys under which the value holds it, `tail`
    the attributes that are read from it. `objects` are the object literals around it.
    `holders` are the places where it stood before, in what stands here now.
    """

    file: str
    owner: int
    conditions: tuple[int, ...]
    role: str
    at: int = 0
    name: str = ""
    path: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    tests: tuple[Test, ...] = ()
    objects: tuple[Obj, ...] = ()
    holders: tuple[Use, ...] = ()


class Index:
    """All uses in one file."""

    def __init__(self, file: str, facts: WebFacts) -> None:
        self.names: dict[str, list[Use]] = {}
        self.members: dict[str, list[Use]] = {}
        self.functions: dict[int, list[Use]] = {}
        self.calls: dict[int, list[Use]] = {}
        self.elements: dict[int, list[Use]] = {}
        for value, use in _holders(file, facts):
            self._add(value, use)

    def _add(self, value: Expr, use: Use) -> None:
        adder = _ADDERS.get(type(value))
        if adder is not None:
            adder(self, value, use)

    def _name(self, value: Name, use: Use) -> None:
        self.names.setdefault(value.name, []).append(use)

    def _member(self, value: Member, use: Use) -> None:
        tail: tuple[str, ...] = use.tail
        base: Expr = value
        while isinstance(base, Member):
            inner = _read_from(use, tail) if tail != use.tail else use
            self.members.setdefault(base.name, []).append(inner)
            tail = (base.name, *tail)
            base = base.base
        self._add(base, _read_from(use, tail))

    def _function(self, value: Fn, use: Use) -> None:
        self.functions.setdefault(value.index, []).append(use)

    def _call(self, value: CallOf, use: Use) -> None:
        self.calls.setdefault(value.index, []).append(use)

    def _element(self, value: ElementOf, use: Use) -> None:
        self.elements.setdefault(value.index, []).append(use)

    def _object(self, value: Obj, use: Use) -> None:
        objects = (*use.objects, value)
        for key, item in value.items:
            if _holds(item):
                path = use.path if key == "..." else (*use.path, key)
                self._add(item, Use(*use[:6], path, *use[7:9], objects, use.holders))

    def _list(self, value: Many, use: Use) -> None:
        inner = Use(*use[:6], (*use.path, "[]"), *use[7:])
        for item in value.items:
            self._add(item, inner)

    def _both(self, value: Both, use: Use) -> None:
        self._add(value.left, _asked(use))
        self._add(value.right, _tested(use, (value.left, True)))

    def _choice(self, value: Choose, use: Use) -> None:
        self._add(value.test, _asked(use))
        self._add(value.then, _tested(use, (value.test, True)))
        self._add(value.other, _tested(use, (value.test, False)))

    def _either(self, value: Either, use: Use) -> None:
        self._add(value.left, use)
        self._add(value.right, use)

    def _tested(self, value: Text | Not | Compare, use: Use) -> None:
        inner = _asked(use)
        for part in parts(value):
            self._add(part, inner)


_ADDERS: dict[type, Callable[[Index, Any, Use], None]] = {
    Name: Index._name,
    Member: Index._member,
    Fn: Index._function,
    CallOf: Index._call,
    ElementOf: Index._element,
    Obj: Index._object,
    Many: Index._list,
    Both: Index._both,
    Choose: Index._choice,
    Either: Index._either,
    Text: Index._tested,
    Not: Index._tested,
    Compare: Index._tested,
}


def _holds(value: Expr) -> bool:
    """Whether an expression has a use of something in it: `class="wide"`, which most attributes are like, has none."""
    if isinstance(value, Text):
        return any(not isinstance(part, str) for part in value.parts)
    return value is not None and not isinstance(value, Const)


# Uses are most of what is made here, and `_replace` would take three times as long.


def _read_from(use: Use, tail: tuple[str, ...]) -> Use:
    return Use(*use[:7], tail, *use[8:])


def _asked(use: Use) -> Use:
    return Use(use.file, use.owner, use.conditions, "test", *use[4:])


def _tested(use: Use, test: Test) -> Use:
    return Use(*use[:8], (*use.tests, test), *use[9:])


def _holders(file: str, facts: WebFacts) -> Iterator[tuple[Expr, Use]]:
    """Every expression that the facts of a file hold, with what is to be said of what stands in it."""
    for at, call in enumerate(facts.calls):
        yield call.target, Use(file, call.owner, call.conditions, "target", at)
        for position, value in enumerate(call.args):
            if _holds(value):
                yield value, Use(file, call.owner, call.conditions, "arg", at, str(position))
    for at, element in enumerate(facts.elements):
        yield element.tag, Use(file, element.owner, element.conditions, "tag", at)
        for name, value in element.attributes:
            if _holds(value):
                yield value, Use(file, element.owner, element.conditions, "attr", at, name)
    for at, function in enumerate(facts.functions):
        for name, value in function.binds.items():
            if _holds(value):
                yield value, Use(file, at, (), "bind", at, name)
        for value, conditions in function.returns:
            yield value, Use(file, at, conditions, "return", at)
    for at, cls in enumerate(facts.classes):
        for name, value in cls.members.items():
            yield value, Use(file, cls.owner, (), "member", at, name)
        yield cls.base, Use(file, cls.owner, (), "base", at)
    for loose in facts.loose:
        yield loose.value, Use(file, loose.owner, loose.conditions, "loose", 0, loose.to)
    for name, (module, value) in facts.exports.items():
        if not module:
            yield value, Use(file, 0, (), "export", 0, name)
