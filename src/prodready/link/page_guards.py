"""Pages that only some people get, because every route that renders them asks for a role or a permission."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from prodready.finding import Location
from prodready.link.frames import Bound, Frame
from prodready.link.front_gates import Gate
from prodready.link.front_ways import in_theme
from prodready.link.guard_checks import options_of
from prodready.link.program import ValueSymbol
from prodready.link.route import ANY, Guard, Route
from prodready.link.routes import Routes
from prodready.read import values as v

KINDS = {"role": "role", "permission": "permission"}
"""Kinds of guards that tell who gets a page, and the kinds of gates that they are for what stands on it."""

SURE = frozenset({"decorator", "dependency", "class", "base", "dispatch", "before_request"})
"""Where a guard stands that holds for all that a handler does."""

ENDINGS = (".html", ".htm", ".jinja", ".jinja2", ".j2", ".djhtml")
DEPTH = 1
"""Helpers that are looked into for the name of a template."""

DEEPEST = 6
"""Templates that put one another in."""


class PageGuards:
    """Finds the gate of a whole page. `including` tells for each template which others put it in."""

    def __init__(self, routes: Routes, including: Mapping[str, Sequence[str]]) -> None:
        self._routes = routes
        self._values = routes.values
        self._including = including
        self._before = frozenset(routes.values.knowledge.members("before"))
        self._attributes = routes.values.knowledge.members("templates")
        self._known: dict[str, Gate | None] = {}
        self._in_class: set[tuple[Location, str]] = set()

    @cached_property
    def _rendering(self) -> dict[str, list[Route]]:
        """The routes that render each template, by the template's name."""
        found: dict[str, list[Route]] = {}
        for route in self._routes.routes:
            if "GET" in route.methods or ANY in route.methods or not route.methods:
                for name in dict.fromkeys(self._templates(route)):
                    found.setdefault(name, []).append(route)
        return found

    def is_of_row(self, gate: Gate) -> bool:
        """Whether a gate is a check inside of the class of a page, which may be about the row that the page shows."""
        return (gate.location, gate.text) in self._in_class

    def gate(self, path: str, depth: int = 0) -> Gate | None:
        """What all who get a template must be, or None."""
        if path not in self._known:
            self._known[path] = None  # for templates that put each other in
            self._known[path] = self._find(path, depth)
        return self._known[path]

    def _find(self, path: str, depth: int) -> Gate | None:
        if not path.endswith(ENDINGS):
            return None
        names = dict.fromkeys(name for whole in (path, in_theme(path)) for name in _tails(whole))
        routes = [route for name in names for route in self._rendering.get(name, ())]
        gates = [self._gate(route) for route in routes]
        if depth < DEEPEST:
            gates += [self.gate(other, depth + 1) for other in self._including.get(path, ())]
        return gates[0] if gates and all(gates) else None

    def _gate(self, route: Route) -> Gate | None:
        for guard in route.guards:
            if guard.kind not in KINDS or guard.partial:
                continue
            if guard.where in SURE or (guard.where == "inline" and self._asks_only_who(route, guard)):
                if guard.where == "dispatch" and guard.kind == "permission" and guard.text in self._before:
                    self._in_class.add((guard.location, guard.text))
                return Gate(KINDS[guard.kind], guard.text, guard.location)
        return None

    def _asks_only_who(self, route: Route, guard: Guard) -> bool:
        """Whether a check inside of a handler is about nothing but who asks: `if not request.user.is_staff: raise ...`."""
        frame, words = route.handler.frame, self._routes.guards.words
        return frame is not None and any(
            (way.line, guard.location.path) == (guard.location.line, frame.path)
            and way.inner == len(way.conditions)
            and words.refuses(way) == "refused"
            and all(self._is_about_who(value) for value, _ in way.conditions)
            for way in frame.function.exits
        )

    def _is_about_who(self, condition: v.Value) -> bool:
        words = self._routes.guards.words
        about = [one for one in v.walk(condition) if words.speaks_of_user(one)]
        within = {id(inner) for one in about for inner in v.walk(one)}
        others = [one for one in v.walk(condition) if isinstance(one, (v.Param, v.Call)) and id(one) not in within]
        return bool(about) and all(isinstance(one, v.Call) and any(a in v.walk(one) for a in about) for one in others)

    def _templates(self, route: Route) -> Iterator[str]:
        frame, cls = route.handler.frame, route.handler.cls
        for name in self._attributes if cls is not None else ():
            member = self._values.program.member(cls, name) if cls is not None else None
            if isinstance(member, ValueSymbol):
                yield from _names([member.value])
        if frame is not None:
            yield from self._rendered(frame, 0)

    def _rendered(self, frame: Frame, depth: int) -> Iterator[str]:
        for fact in frame.function.calls:
            found = list(_names([*fact.value.args[:3], *(value for _, value in fact.value.keywords)]))
            yield from found
            if found or depth >= DEPTH or fact.value.keywords or len(fact.value.args) > 3:
                continue
            for callee in self._values.infer.callees(Bound(fact.value, frame)):
                if callee.function is not None and not callee.assumed and callee.function.path == frame.path:
                    yield from self._rendered(Frame(callee.function.path, callee.function.facts), depth + 1)


def _tails(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[start:]) for start in range(len(parts)))


def _names(values: Sequence[v.Value]) -> Iterator[str]:
    for inner in (v.bare(option) for value in values for option in options_of(value)):
        if isinstance(inner, v.Const) and isinstance(inner.value, str) and inner.value.endswith(ENDINGS):
            yield inner.value.lstrip("./")
