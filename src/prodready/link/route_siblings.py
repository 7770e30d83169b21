"""Routes that change something and lack a guard that the routes beside them have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from prodready.link.frames import Bound
from prodready.link.guard_words import GuardWords, names_in
from prodready.link.route import ANY, Guard, Route
from prodready.link.routes import Routes
from prodready.link.url_paths import is_parameter
from prodready.read import values as v
from prodready.read.facts import Exit, FunctionFacts, last_name

FEWEST_GUARDED = 2
"""Guarded routes beside one, before it is taken for forgotten."""

MOST_OPEN = 1 / 3
"""Of the routes that change something, the part that may be open for the others to be the rule."""

WRITING = frozenset({"write", "write-sql", "stage", "commit", "ensure"})
HOOKS = frozenset({"before_request", "middleware", "settings"})


@dataclass(frozen=True)
class Forgotten:
    """A route without a guard, the routes beside it that have one, and what that is."""

    route: Route
    siblings: tuple[tuple[Route, Guard], ...]
    of: int
    same: bool


class Siblings:
    """Looks for such routes."""

    def __init__(self, routes: Routes) -> None:
        self.routes = routes
        self.values = routes.values
        self.words: GuardWords = routes.guards.words

    def forgotten(self) -> Iterator[Forgotten]:
        """All of them, each handler once."""
        seen: set[object] = set()
        for group in self._groups():
            changing = [route for route in group if self._changes(route)]
            bare = [route for route in changing if self._is_bare(route)]
            if not bare:
                continue
            guarded = [(route, guard) for route in group if (guard := self._own_guard(route)) is not None]
            guarded_changes = sum(route in changing for route, _ in guarded)
            handlers = {route.handler.location for route in bare}
            if not guarded_changes or len({r.handler.location for r, _ in guarded}) < FEWEST_GUARDED:
                continue
            if len(handlers) > max(1, MOST_OPEN * (len(handlers) + guarded_changes)):
                continue
            usual = Counter(guard.text for _, guard in guarded).most_common(1)[0]
            for route in bare:
                if route.handler.location not in seen:
                    seen.add(route.handler.location)
                    first = sorted(guarded, key=lambda one: (one[0] not in changing, one[1].text != usual[0]))
                    same = usual[1] == len(guarded) and len(guarded) > FEWEST_GUARDED
                    yield Forgotten(route, tuple(first[:3]), len(guarded), same)

    def _groups(self) -> list[list[Route]]:
        """Routes of one router in one file, and of one class."""
        found: dict[tuple[str, str], list[Route]] = {}
        for route in self.routes.routes:
            if route.handler.frame is None and route.handler.cls is None:
                continue
            found.setdefault((route.group, route.handler.location.path), []).append(route)
            if route.handler.cls is not None:
                cls = route.handler.cls
                found.setdefault(("class", f"{cls.path}:{cls.facts.qualname}"), []).append(route)
        return [_once(group) for group in found.values() if len(group) > FEWEST_GUARDED]

    def _own_guard(self, route: Route) -> Guard | None:
        """The strongest guard that a route has for itself, not by a hook that all routes beside it pass, too."""
        own = [
            g
            for g in route.guards
            if g.strength and g.where not in HOOKS and g.where not in {"query", "inline", "helper"}
        ]
        own = own or [g for g in route.guards if g.strength and g.where in {"inline", "helper"}]
        return max(own, key=lambda guard: guard.strength, default=None)

    def _is_bare(self, route: Route) -> bool:
        if not route.handler.name or self._is_open(route) or self._only_reads(route) or route.has_guards:
            return False
        frame = route.handler.frame
        if frame is None:
            return False
        if self._does_nothing(frame.function) or any(self._considers(way) for way in frame.function.exits):
            return False
        for fact in frame.function.calls:
            given = (*fact.value.args, *(value for _, value in fact.value.keywords))
            if self.words.ends("user", fact.name) or any(map(self.words.speaks_of_user, given)):
                return False  # it works with whoever is logged in
            if isinstance(v.bare(fact.value.target), v.Call) and self._is_lost(Bound(fact.value, frame)):
                return False  # what is called is only known when it runs
            if self.words.has("guard", fact.name) and self._is_lost(Bound(fact.value, frame)):
                return False
        home = self.values.infer.home(frame)
        return not any(self._may_guard(Bound(decorator, home)) for decorator in frame.function.decorators)

    @staticmethod
    def _does_nothing(function: FunctionFacts) -> bool:
        """Whether a handler is a stub: it calls nothing and gives the same text to all."""
        returned = function.returns
        return not function.calls and (returned is None or isinstance(v.bare(returned), v.Const))

    def _considers(self, way: Exit) -> bool:
        """Whether a way out shows that somebody thought of who may get here: a refusal, a setting that opens the route."""
        if self.words.refuses(way) == "refused":
            return True
        names = [name for value, _ in way.conditions for name in names_in(value) if name.isupper()]
        return any(self.words.has("open-route", name) for name in names)

    def _is_lost(self, call: Bound) -> bool:
        """Whether what is called is not to be found."""
        callees = self.values.infer.callees(call)
        return not any(callee.function or callee.effect or callee.cls for callee in callees)

    def _may_guard(self, decorator: Bound) -> bool:
        """Whether a decorator of the project, or one that is not to be found, is called like a guard."""
        name = last_name(decorator.value)
        if self.values.effect(decorator) is not None or self.words.has("no-guard", name):
            return False
        return self.words.has("guard", name)

    def _changes(self, route: Route) -> bool:
        if route.changes:
            return True
        frame = route.handler.frame
        if ANY not in route.methods or frame is None:
            return False
        for fact in frame.function.calls:
            for callee in self.values.infer.callees(Bound(fact.value, frame)):
                if callee.effect is not None and callee.effect.does in WRITING:
                    return True
        return False

    def _is_open(self, route: Route) -> bool:
        """Whether a route is open by its nature: a login, a web hook, a health check."""
        names = [
            route.handler.name.rpartition(".")[2],
            route.handler.name.partition(".")[0] if route.handler.cls else "",
        ]
        names += [segment for segment in route.path if not is_parameter(segment)][-2:]
        return any(self.words.has("open-route", name) for name in names if name)

    def _only_reads(self, route: Route) -> bool:
        """Whether a route that could change something is named like one that reads."""
        names = [route.handler.name.rpartition(".")[2]]
        names += [segment for segment in route.path if not is_parameter(segment)][-1:]
        if route.handler.cls is not None:
            names = names[1:]
        return any(self.words.has("read-route", name) for name in names)


def _once(group: list[Route]) -> list[Route]:
    return list({(r.methods, r.handler.name, r.handler.location): r for r in reversed(group)}.values())[::-1]
