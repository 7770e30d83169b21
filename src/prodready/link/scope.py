"""Which functions have to be looked at to know all that can be reported in some of the files.

A finding stands at a sink, or at a call from which a value gets to a sink through functions that hand on what they are
given. So for some files all functions in them are looked at, and of the other files those functions with a sink that such
calls lead to, concluded from names alone: too many rather than too few.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prodready.read.facts import Outline, Relay

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

    def functions(self, sinks: frozenset[str], hops: int) -> dict[str, set[str] | None]:
        """The functions to look at by file, None for all of it; `sinks` are the names of what does harm."""
        found: dict[str, set[str] | None] = {path: None for path in self.targets}
        seen: set[Node] = set()
        layer = set(self._nodes((name for path in self.targets for name in self.outlines[path].calls), False))
        layer |= {(name, True) for name, _ in layer}
        for _ in range(hops):
            seen |= layer
            reached: set[Node] = set()
            for node in layer:
                for path, relay in self._relays.get(node, ()):
                    if self._has_sink(path, relay, sinks):
                        functions = found.setdefault(path, set())
                        if functions is not None:
                            functions.add(relay.function)
                    reached.update(self._nodes(relay.arguments, False))
                    reached.update(self._nodes(relay.receivers, True))
            layer = reached - seen
        return found

    def _has_sink(self, path: str, relay: Relay, sinks: frozenset[str]) -> bool:
        # A sink may go by a name of its own in this file: `say = logger.info`.
        return not (
            sinks.isdisjoint(relay.arguments)
            and sinks.isdisjoint(relay.receivers)
            and sinks.isdisjoint(self.outlines[path].aliases)
        )

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
