"""What a look-up over a program speaks of: values in their frames, types, callees and call sites."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from prodready.knowledge_form import Effect
from prodready.link.program import ClassSymbol, FunctionSymbol
from prodready.read import values as v
from prodready.read.facts import CallFact, FunctionFacts, ParamFact
from prodready.read.values import Value

MAX_DEPTH = 7
"""Calls entered inside one another while a value is followed."""


class Frame(msgspec.Struct, frozen=True):
    """Where a value lives: the file and function, and, inside a followed call, what its parameters are bound to.

    `given` is what has turned out about the parameters on the way that is followed, see `given.py`.
    """

    path: str
    function: FunctionFacts
    bindings: tuple[tuple[str, Bound], ...] = ()
    depth: int = 0
    entered: bool = False
    given: v.Given = ()

    @property
    def key(self) -> tuple[str, str]:
        """The identity of the function."""
        return (self.path, self.function.qualname)

    def binding(self, name: str) -> Bound | None:
        """What the parameter `name` is bound to, where the frame was entered by a known call."""
        for key, bound in self.bindings:
            if key == name:
                return bound
        return None

    def param(self, name: str) -> ParamFact | None:
        """The parameter `name`."""
        for param in self.function.params:
            if param.name == name:
                return param
        return None

    def __hash__(self) -> int:
        return hash((self.path, self.function.qualname, self.depth, len(self.bindings)))


class Bound(msgspec.Struct, frozen=True):
    """A value together with the frame that gives its parameters and names a meaning."""

    value: Value
    frame: Frame

    def sub(self, value: Value) -> Bound:
        """Another value of the same frame."""
        return Bound(value, self.frame)


class Type(msgspec.Struct, frozen=True):
    """A class of the project, or of a library by name. `assumed`: concluded from a name only."""

    cls: ClassSymbol | None
    name: str
    assumed: bool = False


class Callee(msgspec.Struct, frozen=True):
    """What a call reaches: a function of the project, a class of it, or what the knowledge says of a library's."""

    name: str
    function: FunctionSymbol | None = None
    cls: ClassSymbol | None = None
    effect: Effect | None = None
    type: Type | None = None
    receiver: Value | None = None
    assumed: bool = False


@dataclass(frozen=True)
class CallSite:
    """A call of a known function, seen from its caller."""

    frame: Frame
    fact: CallFact
    arguments: dict[str, Bound] = field(compare=False)
    assumed: bool = False


def is_decorated(function: FunctionFacts, names: frozenset[str]) -> bool:
    """Whether one of its decorators has one of these last names."""
    return any(
        (v.dotted(d.target if isinstance(d, v.Call) else d) or "").rpartition(".")[2].lstrip(":") in names
        for d in function.decorators
    )


def is_static(function: FunctionFacts) -> bool:
    """Whether it gets no `self`."""
    return is_decorated(function, frozenset({"staticmethod"}))


def is_classmethod(function: FunctionFacts) -> bool:
    """Whether its first parameter is the class."""
    return is_decorated(function, frozenset({"classmethod"}))


def is_property(function: FunctionFacts) -> bool:
    """Whether reading the attribute calls it."""
    return is_decorated(function, frozenset({"property", "cached_property", "hybrid_property", "classproperty"}))
