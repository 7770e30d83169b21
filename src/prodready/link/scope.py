"""Which functions have to be looked at to know all that can be reported in some of the files.

A finding stands at a sink, or at a call from which a value gets to a sink through functions that hand on what they are
given. So for some files all functions in them are looked at, and of the other files those functions that hand on what such
calls give them, concluded from names alone: too many rather than too few.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from functools import cached_property

from prodready.read.facts import Outline, Relay

MAX_CHAIN = 5
"""Helpers between a value and the sink it reaches."""

Node = tuple[str, bool]
"""A name that is called, and whether it is about the object the method is called on or about the arguments."""


class Scope:
    """The way from calls to the functions they lead to, for one set of files."""

    def __init__(self, outlines: Mapping[str, Outline], targets: Iterable[str]) -> None:
        self.outlines = outlines
        self.targets = frozenset(targets)
        self._originals: dict[str, set[str]] = {}
        self._relays: dict[Node, list[tuple[str, Relay]]] = {}
        for path, outline in outlines.items():
            for name, other in (*outline.derived, *((new, old) for old, new in outline.renamed)):
                if name != other:
                    self._originals.setdefault(name, set()).add(other)
            for relay in outline.relays:
                for name in (relay.function.rpartition(".")[2], *relay.names):
                    self._relays.setdefault((name, relay.own), []).append((path, relay))

    def has_file(self, path: str) -> bool:
        """Whether anything in a file has to be looked at."""
        return path in self.targets or path in self._reached

    def has(self, path: str, qualname: str) -> bool:
        """Whether a function has to be looked at."""
        return path in self.targets or qualname in self._reached.get(path, ())

    def hands_on(self, path: str, qualname: str, names: Set[str]) -> bool:
        """Whether what a function is given may get from it to a call of one of these names."""
        return path in self.targets or not names.isdisjoint(self._reached.get(path, {}).get(qualname, ()))

    @cached_property
    def _reached(self) -> dict[str, dict[str, set[str]]]:
        """By file the functions, with the names of the calls that they hand on to what they are given."""
        found: dict[str, dict[str, set[str]]] = {}
        seen: set[Node] = set()
        layer = set(self._nodes((name for path in self.targets for name in self.outlines[path].calls), False))
        layer |= {(name, True) for name, _ in layer}
        for _ in range(MAX_CHAIN):
            seen |= layer
            reached: set[Node] = set()
            for node in layer:
                for path, relay in self._relays.get(node, ()):
                    names = found.setdefault(path, {}).setdefault(relay.function, set())
                    names.update(relay.arguments, relay.receivers)
                    reached.update(self._nodes(relay.arguments, False))
                    reached.update(self._nodes(relay.receivers, True))
            layer = reached - seen
        return found

    def _nodes(self, names: Iterable[str], own: bool) -> Iterator[Node]:
        """The names, and what else they may stand for: the base classes of a class, what an import has renamed."""
        for name in names:
            yield name, own
            if name in self._originals:
                known = {name}
                waiting = [name]
                while waiting:
                    for other in self._originals.get(waiting.pop(), set()) - known:
                        known.add(other)
                        waiting.append(other)
                        yield other, own
