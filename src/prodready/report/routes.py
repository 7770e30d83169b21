"""The routes of projects, as a table for people or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TextIO

from prodready import __version__
from prodready.finding import GuardNote, Location, RouteNote, RouteTable, Step
from prodready.report.dump import dump
from prodready.report.json import VERSION
from prodready.report.terminal import Paint, visible
from prodready.report.view import View

WIDEST_PATH = 60
MOST_CALLERS = 3
"""Places of pages that the table names; JSON has all of them."""

SELECTIVE = frozenset({"role", "permission", "ownership", "membership"})
ORDER = ("role", "permission", "ownership", "membership", "login", "token", "unknown", "open")
"""Kinds of guards as the table lists them: what lets in the fewest stands first."""

_HEADS = ("METHOD", "PATH", "HANDLER", "GUARDS", "CALLED FROM")


def write(tables: Sequence[RouteTable], stream: TextIO, view: View) -> None:
    """One line a route, in columns; below them how many there are of which kind."""
    paint = Paint(view.color)
    rows = [_row(route, table.root, view) for table in tables for route in table.routes]
    if rows:
        shown = [_HEADS, *rows]
        used = 5 if any(row[4] for row in rows) else 4
        widths = [min(max(len(row[column]) for row in shown), WIDEST_PATH) for column in range(used - 1)]
        for number, row in enumerate(shown):
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
            line = visible("  ".join([*cells, row[used - 1]]).rstrip())
            stream.write((paint(line, "bold") if number == 0 else line) + "\n")
    if not view.quiet:
        stream.write("\n" * bool(rows) + _summary(tables) + "\n")


def write_json(tables: Sequence[RouteTable], stream: TextIO, view: View) -> None:
    """Write one document."""
    tool = {"name": "prodready", "version": __version__}
    routes = [_record(route, table.root, view) for table in tables for route in table.routes]
    unresolved = [_place(place, table.root, view) for table in tables for place in table.unresolved]
    dump({"version": VERSION, "tool": tool, "routes": routes, "unresolved": unresolved}, stream)


def _row(route: RouteNote, root: str, view: View) -> tuple[str, str, str, str, str]:
    handler = f"{_at(route.handler.location, root, view)} {route.handler.message}"
    ordered = sorted(route.guards, key=lambda guard: (guard.partial, ORDER.index(guard.kind)))
    guards = "; ".join(_guard(guard, root, view) for guard in ordered) or "-"
    if route.unknown:
        guards = f"{guards} [{'; '.join(dict.fromkeys(route.unknown))}]"
    places = list(dict.fromkeys(_at(step.location, root, view) for step in route.callers))
    more = [f"{len(places) - MOST_CALLERS} more"] * (len(places) > MOST_CALLERS)
    callers = "; ".join([*places[:MOST_CALLERS], *more])
    return ",".join(route.methods), route.path, handler, guards, callers


def _guard(guard: GuardNote, root: str, view: View) -> str:
    some = ", not for all requests" if guard.partial else ""
    return f"{guard.kind} {guard.name} ({guard.where}, {_at(guard.location, root, view)}{some})"


def _summary(tables: Sequence[RouteTable]) -> str:
    routes = [route for table in tables for route in table.routes]
    more = sum(any(g.kind in SELECTIVE for g in route.guards) for route in routes)
    known = sum(any(g.kind in {"login", "token"} for g in route.guards) for route in routes)
    both = sum(
        any(g.kind in {"login", "token"} for g in route.guards) and any(g.kind in SELECTIVE for g in route.guards)
        for route in routes
    )
    unsure = sum(bool(route.unknown) or any(g.kind == "unknown" for g in route.guards) for route in routes)
    unresolved = sum(len(table.unresolved) for table in tables)
    text = (
        f"{len(routes)} route{'s' * (len(routes) != 1)}: {more} ask for a role, a permission, ownership or membership, "
        f"{known - both} for a login or a key, {len(routes) - more - known + both} for nothing."
    )
    if unsure or unresolved:
        text += f" Not found out: something of {unsure} of them"
        text += f"; {unresolved} places that take in others (--verbose)." if unresolved else "."
    return text


def _at(place: Location, root: str, view: View) -> str:
    return f"{view.path(root, place.path)}:{place.line}"


def _place(place: Location, root: str, view: View) -> dict[str, Any]:
    return {"path": view.path(root, place.path), "line": place.line}


def _record(route: RouteNote, root: str, view: View) -> dict[str, Any]:
    return {
        "methods": list(route.methods),
        "path": route.path,
        "name": route.name,
        "handler": _step(route.handler, root, view, "name"),
        "declared": _place(route.declared, root, view),
        "guards": [
            {
                "kind": guard.kind,
                "name": guard.name,
                "where": guard.where,
                "partial": guard.partial,
                **_place(guard.location, root, view),
            }
            for guard in route.guards
        ],
        "callers": [_step(step, root, view, "message") for step in route.callers],
        "unknown": list(dict.fromkeys(route.unknown)),
    }


def _step(step: Step, root: str, view: View, says: str) -> dict[str, Any]:
    return {says: step.message, **_place(step.location, root, view)}
