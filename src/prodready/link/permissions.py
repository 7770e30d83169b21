"""Routes that do for everybody what the pages offer only to some."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from prodready.finding import Confidence
from prodready.link.frames import Bound, Frame
from prodready.link.front import UiPlace
from prodready.link.front_gate_words import KINDS
from prodready.link.front_gates import Gate
from prodready.link.guards import QUERIES, Guards
from prodready.link.joined import Join, Joined
from prodready.link.route import SAFE_METHODS, Guard, Route
from prodready.link.route_looks import RouteLooks
from prodready.link.routes import Routes
from prodready.read import values as v
from prodready.read.facts import CallFact, Exit, last_name
from prodready.read.values import Value

SELECTIVE = 2
"""The strength (`route.STRENGTH`) of a guard that lets in only some of those who have an account."""

MAX_DEPTH = 2
"""Calls that are followed from a handler with the person who is logged in."""

SOME = frozenset(KINDS) - {"login"}
"""The kinds of gates that let in only some of them."""


@dataclass(frozen=True)
class Offer:
    """A route with a method that its pages offer only to some, and that asks for less itself.

    `places` are those pages with their gates; `guard` is the strongest guard that the route has.
    """

    route: Route
    method: str
    places: tuple[tuple[UiPlace, Gate], ...]
    guard: Guard | None
    confidence: Confidence


class Permissions:
    """Looks for such routes."""

    def __init__(self, routes: Routes, joined: Joined, is_message: Callable[[CallFact], bool]) -> None:
        self.joined = joined
        self.is_message = is_message
        self.looks = RouteLooks(routes)
        self.guards: Guards = routes.guards
        self.words = self.looks.words

    def offers(self) -> Iterator[Offer]:
        """All of them, by handler and method."""
        found: dict[tuple[object, ...], list[Join]] = {}
        for join in self.joined.joins:
            handler = join.route.handler
            if handler.name and handler.frame is not None:
                found.setdefault((handler.location, handler.name), []).append(join)
        for joins in found.values():
            for method in sorted({join.place.method or "" for join in joins}):
                if method:
                    offer = self._offer(method, [j for j in joins if j.place.method in {method, None}])
                    if offer is not None:
                        yield offer

    def _offer(self, method: str, joins: Sequence[Join]) -> Offer | None:
        gated = [(join, gate) for join in joins if (gate := strictest(join.place.gates)) is not None]
        sure = [(join, gate) for join, gate in gated if join.confidence > Confidence.LOW]
        bare = [join for join in joins if strictest(join.place.gates) is None]
        if not sure or any(join.confidence > Confidence.LOW for join in bare):
            return None
        sure.sort(key=lambda one: (-one[0].confidence, not one[0].place.label))
        route = sure[0][0].route
        if any(self._is_guarded(join.route) for join, _ in sure):
            return None
        confidence = sure[0][0].confidence
        if bare or method in SAFE_METHODS or self._is_doubtful(route):
            confidence = Confidence.LOW
        guard = max(route.guards, key=lambda one: one.strength, default=None)
        return Offer(route, method, tuple((join.place, gate) for join, gate in sure), guard, confidence)

    def _is_guarded(self, route: Route) -> bool:
        """Whether a route asks for as much as a gate does, or for something that is not to be found."""
        if route.guarded >= SELECTIVE or any(guard.kind == "unknown" for guard in route.guards):
            return True
        frame = route.handler.frame
        assert frame is not None
        if self.looks.does_nothing(frame.function) or any(map(self._refuses_some, frame.function.exits)):
            return True
        home = self.looks.values.infer.home(frame)
        # A decorator that is a guard by what was found in it has been counted.
        known = {guard.text for guard in route.guards}
        return any(
            self.looks.may_guard(Bound(decorator, home)) and not any(last_name(decorator) in text for text in known)
            for decorator in frame.function.decorators
        )

    def _refuses_some(self, way: Exit) -> bool:
        return self.words.refuses(way) == "refused" and not self.words.is_unknown_person(way)

    def _is_doubtful(self, route: Route) -> bool:
        """Whether the route may be for everybody, or treat people differently in ways that are not followed."""
        if not route.guards and (self.looks.is_open(route) or self.looks.only_reads(route)):
            return True
        if route.guards and all(guard.kind in {"token", "open"} for guard in route.guards):
            return True
        frame = route.handler.frame
        assert frame is not None
        return self._hangs_on_user(frame, frozenset(route.path), 0)

    def _hangs_on_user(self, frame: Frame, filled: frozenset[str], depth: int) -> bool:
        """Whether rows are looked up, something is compared or something unknown is done with whoever is logged in."""
        for fact in frame.function.calls:
            target = v.bare(fact.value.target)
            if isinstance(target, v.Attr) and self.words.speaks_of_user(target.base) and self._asks(fact.name):
                return True
            given = (*fact.value.args, *(value for _, value in fact.value.keywords))
            if not any(self._is_user(value, filled) for value in given) or self.is_message(fact):
                continue
            if fact.name in QUERIES or fact.name == "eq" or self._asks(fact.name):
                return True
            callees = self.looks.values.infer.callees(Bound(fact.value, frame))
            if not callees and not fact.name[:1].isupper():
                return True
            for callee in callees:
                if callee.function is not None and callee.cls is None and depth < MAX_DEPTH:
                    inner = Frame(callee.function.path, callee.function.facts)
                    if any(self.guards.scoped_queries(inner)) or self._hangs_on_user(inner, frozenset(), depth + 1):
                        return True
        return False

    def _asks(self, name: str) -> bool:
        return any(self.words.has(table, name) for table in ("role", "permission", "owner"))

    def _is_user(self, value: Value, filled: frozenset[str]) -> bool:
        """Whether a value is about who is logged in, and not a part of the address."""
        if isinstance(value, v.Param) and f"{{{value.name}}}" in filled:
            return False
        return self.words.speaks_of_user(value)


def strictest(gates: Iterable[Gate]) -> Gate | None:
    """The gate that lets in the fewest, if it does not let in everybody who is logged in."""
    some = [gate for gate in gates if gate.kind in SOME]
    return min(some, key=lambda gate: KINDS.index(gate.kind), default=None)
