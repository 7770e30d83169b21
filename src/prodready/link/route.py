"""What a route and its guards are: plain data, for the command that lists them and the rules that judge them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import msgspec

from prodready.finding import Location
from prodready.link.frames import Frame
from prodready.link.program import ClassSymbol
from prodready.link.url_paths import PathTemplate, shown

ANY = "*"
"""The method of a route that answers all of them."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "WEBSOCKET"})
STRENGTH = {
    "unknown": 0,
    "open": 0,
    "token": 1,
    "login": 1,
    "membership": 2,
    "ownership": 3,
    "permission": 3,
    "role": 3,
}
"""A login lets in everybody who has an account; the others let in some of them, a membership all who share a thing."""

LOGIN, MEMBERSHIP, SELECTIVE = STRENGTH["login"], STRENGTH["membership"], STRENGTH["role"]


class Reach(msgspec.Struct, frozen=True):
    """Which routes a guard is for that does not hold for all: those of these `names` or with one of these `parameters`.

    None, or nothing, means any. `spared` are the names and the paths of those that it is not for.
    """

    names: frozenset[str] | None = None
    parameters: frozenset[str] = frozenset()
    spared: frozenset[str] = frozenset()

    def includes(self, name: str, path: PathTemplate) -> bool:
        """Whether a route with this name and this path must pass."""
        called = {name, name.rpartition(":")[2], shown(path), f"{shown(path)}/"}
        if self.names is not None and self.names.isdisjoint(called):
            return False
        there = any(f"{{{one}}}" in path for one in self.parameters)
        return (there or not self.parameters) and self.spared.isdisjoint(called)


EVERYWHERE = Reach()


@dataclass(frozen=True)
class Guard:
    """A check that a request must pass.

    `kind` is one of the guards of the knowledge, or `unknown` for what may be one and is not to be found. `text` is what it
    is called, `where` how it comes to the handler: decorator, dependency, class, base, dispatch, middleware, before_request,
    inline, helper, query or settings. `partial`: it lets some requests pass unseen (by their path, or those that only read).
    `by` is the class that decides, which may do so by what is asked for.
    """

    kind: str
    text: str
    location: Location
    where: str
    partial: bool = False
    by: ClassSymbol | None = field(default=None, compare=False, repr=False)
    reach: Reach = field(default=EVERYWHERE, compare=False, repr=False)

    @property
    def strength(self) -> int:
        """0 lets everybody in, 1 who has an account, 2 who shares a thing, 3 only some of them."""
        return STRENGTH[self.kind]


@dataclass(frozen=True)
class Handler:
    """What answers a route: a function or method of the project, or something of a library, by name."""

    name: str
    location: Location
    frame: Frame | None = field(default=None, compare=False)
    cls: ClassSymbol | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Route:
    """A method and a path that the application answers.

    `group` tells which router, blueprint or list it was declared in. `unknown` says what could not be found out:
    a prefix, a method, where it is mounted.
    """

    methods: tuple[str, ...]
    path: PathTemplate
    handler: Handler
    name: str
    location: Location
    group: str = ""
    unknown: tuple[str, ...] = ()
    find_guards: Callable[[bool], tuple[Guard, ...]] = field(default=lambda _: (), compare=False, repr=False)

    @cached_property
    def guards(self) -> tuple[Guard, ...]:
        """The checks that a request for it must pass; looked for when somebody asks."""
        return self.find_guards(True)

    @property
    def has_guards(self) -> bool:
        """Whether there are any; cheaper than to look for all of them."""
        return bool(self.__dict__["guards"] if "guards" in self.__dict__ else self.find_guards(False))

    @property
    def shown(self) -> str:
        """The path as one prints it."""
        return shown(self.path)

    @property
    def changes(self) -> bool:
        """Whether one of its methods is for changing something; of a route for all methods nobody can tell."""
        return any(method not in SAFE_METHODS and method != ANY for method in self.methods)

    @property
    def guarded(self) -> int:
        """The strength of its strongest guard."""
        return max((guard.strength for guard in self.guards), default=0)
