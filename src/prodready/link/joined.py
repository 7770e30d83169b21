"""Which routes the places of the user interface call: the front end's half and the back end's half put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from prodready.finding import Confidence, Step
from prodready.link.front import UiPlace
from prodready.link.route import ANY, SAFE_METHODS, Route
from prodready.link.url_paths import PathTemplate, fits, is_deep, is_parameter, matching

LONGEST_LABEL = 40


@dataclass(frozen=True)
class Join:
    """A place of the user interface and a route that it calls.

    HIGH confidence: method and the whole path, or the name of the route, leave no other. MEDIUM: what stands before the
    path is not known, and no other route ends in it. LOW: it may be this route.
    """

    place: UiPlace
    route: Route
    confidence: Confidence


class Joined:
    """The joins of a project."""

    def __init__(
        self, places: Iterable[UiPlace], routes: Sequence[Route], including: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.routes = routes
        self.including = including or {}
        self._names: dict[str, list[Route]] = {}
        self._lengths: dict[int, list[Route]] = {}
        for route in routes:
            self._names.setdefault(route.name, []).append(route)
            self._lengths.setdefault(len(route.path), []).append(route)
        self._deep = [route for route in routes if route.path and is_deep(route.path[-1])]
        self._found: dict[tuple[object, ...], list[tuple[Route, Confidence]]] = {}
        self._places = [place for place in places if place.endpoint or place.path or place.anchored]

    @cached_property
    def joins(self) -> list[Join]:
        """Each place with each route that it calls or may call."""
        found: list[Join] = []
        for place in self._places:
            key = (place.method, place.path, place.endpoint, place.anchored)
            if key not in self._found:
                self._found[key] = self._routes_of(place)
            found += (Join(place, route, confidence) for route, confidence in self._found[key])
        return found

    def callers(self) -> Mapping[Route, Sequence[Step]]:
        """The places that call each route, in words; those that only may call it are left out."""
        found: dict[Route, dict[Step, None]] = {}
        for join in self.joins:
            if join.confidence > Confidence.LOW:
                found.setdefault(join.route, {})[Step(join.place.location, said(join.place))] = None
        return {route: tuple(sorted(steps, key=lambda step: step.location)) for route, steps in found.items()}

    def _routes_of(self, place: UiPlace) -> list[tuple[Route, Confidence]]:
        if place.endpoint:
            named = self._named(place.endpoint)
            open_to = _answering(place.method, named) or (named if place.method in {None, "GET"} else [])
            told = Confidence.MEDIUM if _is_for_one_change(named) else Confidence.LOW
            return _judged(open_to, Confidence.HIGH if place.method else told)
        routes = _answering(place.method, self._near(place.path))
        exact = matching(place.path, ((route.path, route) for route in routes if len(route.path) == len(place.path)))
        if not exact and place.anchored:
            exact = matching(place.path, ((route.path, route) for route in self._deep if route in routes))
        best = Confidence.HIGH if place.method else Confidence.LOW
        if place.anchored and exact:
            doubtful = any(route.unknown for route in exact)
            return _judged(exact, min(best, Confidence.MEDIUM) if doubtful else best) + self._wild(place, exact)
        if not any(not is_parameter(part) for part in place.path):
            return []
        best = min(best, Confidence.MEDIUM)
        ending = self._ending(place.path, routes)
        if not ending and place.anchored and len(place.path) > 1 and not is_parameter(place.path[0]):
            # A proxy may take off the first part on the way to the application.
            rest = place.path[1:]
            ending = matching(rest, ((r.path, r) for r in _answering(place.method, self._lengths.get(len(rest), ()))))
        return _judged(ending, best) + self._wild(place, ending)

    def _named(self, endpoint: str) -> list[Route]:
        if endpoint in self._names:
            return self._names[endpoint]
        if endpoint.startswith("."):  # of the blueprint that the page belongs to
            return [route for name, routes in self._names.items() if name.endswith(endpoint) for route in routes]
        return []

    def _near(self, asked: PathTemplate) -> list[Route]:
        """The routes that are not shorter than a path, or that take its rest."""
        longer = [route for length, routes in self._lengths.items() if length >= len(asked) for route in routes]
        return longer + [route for route in self._deep if len(route.path) < len(asked)]

    def _ending(self, asked: PathTemplate, routes: Iterable[Route]) -> list[Route]:
        """The routes whose path ends so; where there are several, those below the prefix that most requests need."""
        last = len(asked)
        found = matching(asked, ((route.path[-last:], route) for route in routes if _shares(asked, route.path[-last:])))
        if len({route.handler.location for route in found}) < 2:
            return found
        usual = max(self._prefixes.get(route.path[:-last], 0) for route in found)
        return [route for route in found if self._prefixes.get(route.path[:-last], 0) == usual] if usual else found

    @cached_property
    def _prefixes(self) -> Counter[PathTemplate]:
        """What stands before the paths of requests whose beginning is not known, where only one route ends so."""
        counts: Counter[PathTemplate] = Counter()
        for asked, method in {(place.path, place.method) for place in self._places if not place.anchored}:
            if sum(not is_parameter(part) for part in asked):
                last = len(asked)
                ends = [r for r in _answering(method, self._near(asked)) if fits(asked, r.path[-last:])]
                if len({route.handler.location for route in ends}) == 1:
                    counts[ends[0].path[:-last]] += 1
        return counts

    def _wild(self, place: UiPlace, known: Sequence[Route]) -> list[tuple[Route, Confidence]]:
        """The routes that a request reaches if what is filled in happens to be a part of their path.

        Where a path says `me` and a route is known for it, another one with a parameter there is not asked.
        """
        if not place.anchored or not any(not is_parameter(part) for part in place.path):
            return []
        return [
            (route, Confidence.LOW)
            for route in _answering(place.method, self._lengths.get(len(place.path), ()))
            if route not in known and all(_may_fill(a, b) for a, b in zip(place.path, route.path, strict=True))
        ]


def said(place: UiPlace) -> str:
    """A place in a few words: what stands on it, and to whom it is shown."""
    what = f"'{label_of(place)}'" if place.label else "this"
    gates = " and ".join(dict.fromkeys(f"`{text_of(gate.text)}`" for gate in place.gates))
    if gates:
        return f"{what} is shown only if {gates}"
    if place.unsure:
        return f"{what} may lead here, if the project shows and uses it at all"
    return f"{what} is shown to everybody who sees the page"


def label_of(place: UiPlace) -> str:
    """What stands on an element, in one line."""
    return text_of(place.label, LONGEST_LABEL)


def text_of(text: str, longest: int = 80) -> str:
    """A piece of a page in one line."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 3] + "..."


def _answering(method: str | None, routes: Iterable[Route]) -> list[Route]:
    return [route for route in routes if method is None or method in route.methods or ANY in route.methods]


def _is_for_one_change(routes: Iterable[Route]) -> bool:
    """Whether the only thing that can be asked of some routes is to change something."""
    methods = {method for route in routes for method in route.methods} - {"HEAD", "OPTIONS"}
    return len(methods) == 1 and methods.isdisjoint({ANY, *SAFE_METHODS})


def _judged(routes: Sequence[Route], best: Confidence) -> list[tuple[Route, Confidence]]:
    """`best` if there is only one handler; else nobody knows which it is."""
    one = len({(route.handler.location, route.handler.name) for route in routes}) == 1
    return [(route, best if one else Confidence.LOW) for route in routes]


def _shares(asked: PathTemplate, end: PathTemplate) -> bool:
    """Whether the end of a path has a word in common with one that is as long; what takes anything says nothing."""
    return len(asked) == len(end) and any(a == b and not is_parameter(a) for a, b in zip(asked, end, strict=True))


def _may_fill(asked: str, segment: str) -> bool:
    return asked == segment or is_parameter(asked)
