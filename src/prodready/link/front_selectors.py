"""Handlers that a script gives to elements by a selector: `$("#delete").click(...)`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from prodready.knowledge import Knowledge
from prodready.link.front_index import Use
from prodready.link.front_program import Bound, FrontProgram
from prodready.read.web.facts import CallOf, Expr, Member, Name, Text

_ID = re.compile(r"#([\w-]+)")

Place = tuple[str, int]
"""The path of a file, and the position of an element in it."""


class Selectors:
    """Finds the elements of templates that a selector means, by their ids."""

    def __init__(self, program: FrontProgram, knowledge: Knowledge) -> None:
        self._program = program
        self._selecting = knowledge.front.get("selectors", frozenset())
        self._events = knowledge.front.get("events", frozenset())

    @cached_property
    def _ids(self) -> dict[str, list[Place]]:
        found: dict[str, list[Place]] = {}
        for path, facts in self._program.files.items():
            for index, element in enumerate(facts.elements if facts.kind != "script" else ()):
                for name, value in element.attributes:
                    if name == "id" and isinstance(value, Text) and len(value.parts) == 1:
                        found.setdefault(str(value.parts[0]), []).append((path, index))
        return found

    def of(self, use: Use) -> list[Place]:
        """The elements whose event runs a function that is an argument of a call; none if that is no such call."""
        call = self._program.files[use.file].calls[use.at]
        if use.role != "arg" or not isinstance(call.target, Member) or call.target.name not in self._events:
            return []
        ids = list(self._selected(use.file, call.owner, call.target.base))
        delegated = [found for arg in call.args for found in _ids_in(arg)]
        return [place for name in delegated or ids for place in self._ids.get(name, ())]

    def _selected(self, path: str, owner: int, value: Expr) -> Iterator[str]:
        found = self._program.meaning(path, owner, value)
        if not isinstance(found, Bound) or not isinstance(found.value, CallOf):
            return
        call = self._program.files[found.path].calls[found.value.index]
        name = call.target.name if isinstance(call.target, (Name, Member)) else ""
        if name in self._selecting and call.args:
            first = call.args[0]
            if isinstance(first, Text) and len(first.parts) == 1 and str(first.parts[0]).isidentifier():
                yield str(first.parts[0])  # `getElementById("delete")`
            yield from _ids_in(first)
        elif isinstance(call.target, Member):  # `$("#a").addClass("b").click(...)`
            yield from self._selected(found.path, call.owner, call.target.base)


def _ids_in(value: Expr) -> list[str]:
    """The ids that a selector ends with, one for each of its alternatives."""
    if not isinstance(value, Text) or any(not isinstance(part, str) for part in value.parts):
        return []
    found = [_ID.findall(part.split()[-1]) for part in "".join(map(str, value.parts)).split(",") if part.strip()]
    return [names[-1] for names in found if names]
