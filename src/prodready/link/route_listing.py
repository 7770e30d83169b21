"""Routes as they are listed for people and other tools."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from prodready.finding import GuardNote, RouteNote, Step
from prodready.link.route import Route
from prodready.link.routes import Routes


def listed(routes: Routes, callers: Mapping[Route, Sequence[Step]], paths: Collection[str]) -> tuple[RouteNote, ...]:
    """The routes that are declared or answered in one of the files `paths`, by path and method."""
    chosen = [r for r in routes.routes if r.location.path in paths or r.handler.location.path in paths]
    chosen.sort(key=lambda r: (r.path, r.methods, r.handler.location))
    return tuple(_note(route, tuple(callers.get(route, ()))) for route in chosen)


def _note(route: Route, callers: tuple[Step, ...]) -> RouteNote:
    guards = tuple(GuardNote(g.kind, g.text, g.location, g.where, g.partial) for g in route.guards)
    handler = Step(route.handler.location, route.handler.name)
    return RouteNote(route.methods, route.shown, route.name, handler, route.location, guards, callers, route.unknown)
