"""Routes that do for everybody what the pages offer only to some."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from prodready.finding import Confidence
from prodready.link.frames import Frame, is_property
from prodready.link.front import UiPlace
from prodready.link.front_gate_words import KINDS
from prodready.link.front_gates import Gate
from prodready.link.handler_doubts import HandlerDoubts
from prodready.link.joined import Join, Joined
from prodready.link.page_guards import PageGuards
from prodready.link.route import ANY, MEMBERSHIP, SAFE_METHODS, SELECTIVE, Guard, Route
from prodready.link.route_looks import RouteLooks
from prodready.link.routes import Routes
from prodready.link.url_paths import PathTemplate, is_parameter
from prodready.read import values as v
from prodready.read.facts import CallFact, FunctionFacts
from prodready.words import split_words

SOME = frozenset(KINDS) - {"login"}
"""The kinds of gates that let in only some of them."""

NAME = re.compile(r"[^\W\d]\w*")
OF_THE_SITE = frozenset("is am are not has have user my me request site platform system or and".split())
"""Words before "staff" that do not say of what: `is_staff`, and not `is_clinic_staff`."""


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

    def __init__(
        self,
        routes: Routes,
        joined: Joined,
        is_message: Callable[[CallFact], bool],
        writes: Callable[[Frame], bool],
    ) -> None:
        self.joined = joined
        self.pages = PageGuards(routes, joined.including)
        self.looks = RouteLooks(routes)
        self.doubts = HandlerDoubts(routes, is_message, writes, self.looks)
        self.words = self.looks.words
        self._servers = routes.values.knowledge.front.get("server-files", ())

    def offers(self) -> Iterator[Offer]:
        """All of them, by handler and method."""
        found: dict[tuple[object, ...], dict[str, list[Join]]] = {}
        for join in self.joined.joins:
            handler = join.route.handler
            if handler.name and (handler.frame is not None or handler.cls is not None):
                by_method = found.setdefault((handler.location, handler.name), {})
                by_method.setdefault(method_of(join), []).append(join)
        visits = self._visits()
        for key in {**found, **visits}:
            by_method = found.get(key, {})
            unknown = by_method.pop("", [])
            changing = {method for method in by_method if method not in SAFE_METHODS}
            offers = [self._offer(method, [*by_method[method], *unknown]) for method in sorted(by_method)]
            if not changing and key in visits:
                offers.append(self._offer("POST", [*visits[key], *unknown]))
            yield from _once(offer for offer in offers if offer is not None)

    def _visits(self) -> dict[tuple[object, ...], list[Join]]:
        """The links to pages whose own address takes their form, by what answers it."""
        forms: dict[PathTemplate, list[Route]] = {}
        for route in self.joined.routes:
            if "POST" in route.methods or (ANY in route.methods and self.doubts.may_change(route)):
                forms.setdefault(route.path, []).append(route)
        found: dict[tuple[object, ...], list[Join]] = {}
        for join in self.joined.joins:
            if not join.place.visits or method_of(join) not in SAFE_METHODS:
                continue
            for route in forms.get(join.route.path, ()):
                ours, theirs = join.route.handler, route.handler
                if theirs == ours or (theirs.cls is not None and theirs.cls == ours.cls):
                    confidence = min(join.confidence, Confidence.MEDIUM)
                    found.setdefault((theirs.location, theirs.name), []).append(Join(join.place, route, confidence))
        return found

    def _offer(self, method: str, joins: Sequence[Join]) -> Offer | None:
        gates = [
            strictest(gate for gate in join.place.gates if not self._is_no_gate(join.place, gate))
            or self._of_page(join)
            for join in joins
        ]
        sure = [
            (join, gate)
            for join, gate in zip(joins, gates, strict=True)
            if gate is not None and join.confidence > Confidence.LOW
        ]
        bare = [join for join, gate in zip(joins, gates, strict=True) if gate is None]
        if not all(join.place.unsure for join, _ in sure):
            bare = [join for join in bare if not join.place.unsure]
        if not sure or any(join.confidence > Confidence.LOW for join in bare):
            return None
        sure.sort(key=lambda one: (not one[0].place.gates, -one[0].confidence, not one[0].place.label))
        route = sure[0][0].route
        # Whoever shares a thing need not be allowed what its administrators are.
        if any(self.doubts.is_guarded(join.route, _enough(gate)) for join, gate in sure):
            return None
        guard = max(route.guards, key=lambda one: one.strength, default=None)
        confidence = sure[0][0].confidence
        if guard is None or guard.kind == "membership":  # nothing at all is more often not understood than not there
            confidence = min(confidence, Confidence.MEDIUM)
        place, gate = sure[0][0].place, sure[0][1]
        if gate not in place.gates:  # who gets a page says less of a single request that it makes
            confidence = min(confidence, Confidence.LOW if self.pages.is_of_row(gate) else Confidence.MEDIUM)
        if (
            bare
            or not self._changes(route, method)
            or self.doubts.is_doubtful(route, method)
            or self._makes_own(route, gate)
        ):
            confidence = Confidence.LOW
        return Offer(route, method, tuple((join.place, gate) for join, gate in sure), guard, confidence)

    def _is_no_gate(self, place: UiPlace, gate: Gate) -> bool:
        """Whether a gate is none of a page: it is asked of a row, or by a server that stands before the application."""
        run = (gate.location, place.location, *(step.location for step in place.via))
        return any(fnmatchcase(one.path, server) for one in run for server in self._servers) or self._is_of_row(gate)

    def _is_of_row(self, gate: Gate) -> bool:
        """Whether a gate asks a row what it is ready for: a property of the project's that does not know who looks."""
        row, dot, name = gate.text.rpartition(".")
        if self.words.ends("user", row.rpartition(".")[2]):
            return False  # what somebody may do, told by themselves: `user.has_staff_permission`
        methods = self.looks.values.program.methods_named(name) if dot and name.isidentifier() else []
        return bool(methods) and all(is_property(m.facts) and not self._knows_who(m.facts) for m in methods)

    def _knows_who(self, function: FunctionFacts) -> bool:
        """Whether a function looks at who is logged in, or asks something that may."""
        asked = [value for way in function.exits for value, _ in way.conditions]
        said = [*asked, *(way.value for way in function.exits), *(fact.value for fact in function.calls)]
        said += [function.returns] if function.returns is not None else []
        return any(self.doubts.asks(fact.name) for fact in function.calls) or any(
            self.words.speaks_of_user(one) for value in said for one in v.walk(value)
        )

    def _of_page(self, join: Join) -> Gate | None:
        """The gate of the whole page that a place is on; a page says nothing of those who may ask for it."""
        gate = self.pages.gate(join.place.location.path)
        return None if gate is not None and join.place.visits and not self.doubts.may_change(join.route) else gate

    def _changes(self, route: Route, method: str) -> bool:
        """Whether a request changes something; one that only reads by its method may, if it does nothing else."""
        return method not in SAFE_METHODS or (not route.changes and self.doubts.may_change(route))

    def _makes_own(self, route: Route, gate: Gate) -> bool:
        """Whether something new is made that belongs to who asks, and the page asks who may change what it shows.

        Or is made by a form that is given who asks, on the page that shows somebody what is theirs.
        """
        if any(is_parameter(part) and not self.words.has("no-guard-given", part) for part in route.path):
            return False  # a row; the language of a page is none
        kept = {
            fact.name
            for frame in self.doubts.running(route)
            for fact in frame.function.calls
            if fact.name in {"setattr", "setitem"}
            and len(fact.value.args) > 2
            and self.words.has("owner", str(getattr(v.bare(fact.value.args[1]), "value", "")))
            and self.words.speaks_of_user(fact.value.args[2])
        }
        of_form = "setitem" in kept and route.handler.frame is None and " == " in gate.text
        return of_form or ("setattr" in kept and self.words.has("changing-right", gate.text))


def _once(offers: Iterable[Offer]) -> list[Offer]:
    """The offers of one handler; a page and the form on it are one, told by what is surer."""
    found = list(offers)
    reading = [offer for offer in found if offer.method in SAFE_METHODS]
    if not reading or len(reading) == len(found):
        return found
    best = max(found, key=lambda offer: (offer.confidence, offer.method not in SAFE_METHODS))
    return [best] if best.method in SAFE_METHODS else [offer for offer in found if offer not in reading]


def strictest(gates: Iterable[Gate]) -> Gate | None:
    """The gate that lets in the fewest, if it does not let in everybody who is logged in."""
    some = [gate for gate in gates if gate.kind in SOME]
    return min(some, key=lambda gate: KINDS.index(gate.kind), default=None)


def method_of(join: Join) -> str:
    """The method of a request; where the page does not tell it, the only one that the route answers."""
    methods = set(join.route.methods) - {ANY, "HEAD", "OPTIONS"}
    return join.place.method or (methods.pop() if len(methods) == 1 else "")


def _enough(gate: Gate) -> int:
    """How strong a guard must be: administrators are fewer than members, but who works at a place is a member of it."""
    names = [split_words(name) for name in NAME.findall(gate.text)]
    of_a_place = any(words[words.index("staff", 1) - 1] not in OF_THE_SITE for words in names if "staff" in words[1:])
    of_the_site = any(word.startswith(("admin", "super")) for words in names for word in words)
    return SELECTIVE if gate.kind == "staff" and (of_the_site or not of_a_place) else MEMBERSHIP
