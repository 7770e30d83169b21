"""What the pages of a project ask the server for, and to whom they show it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from prodready.finding import Location, Step
from prodready.knowledge import Knowledge
from prodready.link.front_gates import Gate, Gates
from prodready.link.front_pages import Pages
from prodready.link.front_program import FrontProgram
from prodready.link.front_requests import Request, Requests
from prodready.link.front_ways import Way, Ways

LIFTS = 4
"""Wrappers around wrappers of a client that are looked through."""


@dataclass(frozen=True)
class UiPlace:
    """A place where a page asks the server for something.

    `method` is None where it is not known. `path` are the segments of the address, with `{}` for what is filled in, or
    `endpoint` is the name of a route; `anchored` says that nothing unknown stands before the path. `location` is the
    element that a person uses, or the code where there is none; `label` is what stands on it. `gates` hold on every way
    to the request that passes here. `via` leads from here to the request. `visits`: it is a link to a page.
    `unsure`: it may not be one, see `Way`.
    """

    method: str | None
    path: tuple[str, ...]
    endpoint: str
    anchored: bool
    location: Location
    label: str
    gates: tuple[Gate, ...]
    via: tuple[Step, ...]
    visits: bool = False
    unsure: bool = False


@dataclass(frozen=True)
class Unresolved:
    """A request of which it is not known what it asks for, or who makes it."""

    location: Location
    reason: str


@dataclass(frozen=True)
class Front:
    """All that the pages ask for, and what could not be told of it; `including` names for a template those it is put in."""

    places: tuple[UiPlace, ...]
    unresolved: tuple[Unresolved, ...]
    including: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def link_front(files: Pages, knowledge: Knowledge, ahead: Callable[[Collection[str]], None] = lambda _: None) -> Front:
    """The requests of all files with the places they are made from. `ahead` is told which files are going to be read."""
    return _Linker(files, knowledge).front(ahead)


class _Linker:
    def __init__(self, files: Pages, knowledge: Knowledge) -> None:
        self.program = FrontProgram(files, knowledge.front.get("contexts", frozenset()))
        self.requests = Requests(self.program, knowledge)
        self.ways = Ways(self.program, Gates(self.program, knowledge), knowledge)
        self.places: dict[tuple[object, ...], UiPlace] = {}
        self.unresolved: dict[Location, Unresolved] = {}

    def front(self, ahead: Callable[[Collection[str]], None]) -> Front:
        """See `link_front`."""
        for request in self.requests.all(ahead):
            self._place(request, (), 0)
        return Front(tuple(self.places.values()), tuple(self.unresolved.values()), self.ways.including())

    def _place(self, request: Request, steps: tuple[Step, ...], lifts: int) -> None:
        location = Location(request.file, request.line, request.column)
        address = request.address
        lifted = self.requests.addresses.lifted(address, request.file, request.owner)
        if lifted is not None and not address.endpoint and lifts < LIFTS:
            step = Step(location, "the request is made here")
            callers = 0
            for use in self.ways.users(lifted.path, lifted.function):
                if use.role == "target":
                    called = self.requests.called(request, use.file, use.at)
                    if called is not None:
                        callers += 1
                        self._place(called, (step, *steps), lifts + 1)
            if not callers:
                self._unknown(location, "only the callers know the address, and none was found")
            return
        path = () if address.endpoint else address.segments()
        if not address.endpoint and (address.why or not path or all(part == "{}" for part in path)):
            if address.is_whole and not address.why and not path:
                path = ()
            else:
                self._unknown(location, address.why or "no part of the path is known")
                return
        ways = (
            self.ways.to_element(request.file, request.element, request.conditions)
            if request.element >= 0
            else self.ways.to_call(request.file, request.owner, request.conditions, request.call)
        )
        if not ways:
            self._unknown(location, "nothing was found that runs it")
        for way in ways:
            self._add(request, path, way, steps)

    def _add(self, request: Request, path: tuple[str, ...], way: Way, steps: tuple[Step, ...]) -> None:
        facts = self.program.files[way.file if way.file in self.program.files else request.file]
        own = Location(request.file, request.line, request.column)
        location, label = own, ""
        if way.element >= 0:
            element = facts.elements[way.element]
            location, label = Location(way.file, element.line, element.column), element.label
        elif way.call >= 0:
            call = facts.calls[way.call]
            location = Location(way.file, call.line, call.column)
        via = tuple(reversed(way.steps))
        if location != own:
            via += (Step(own, "the request is made here"),)
        via += steps
        method = request.method if isinstance(request.method, str) else None
        place = UiPlace(
            method,
            path,
            request.address.endpoint,
            request.address.is_whole,
            location,
            label,
            way.gates,
            via,
            request.visits,
            way.unsure,
        )
        self.places.setdefault((method, path, place.endpoint, location, own, tuple(g.key for g in way.gates)), place)

    def _unknown(self, location: Location, reason: str) -> None:
        self.unresolved.setdefault(location, Unresolved(location, reason))
