"""Handlers that a script gives to elements by a selector: `$("#delete").click(...)`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property

from prodready.knowledge import Knowledge
from prodready.link.front_index import Use
from prodready.link.front_program import Bound, FrontProgram
from prodready.read.web.facts import CallOf, Expr, Member, Name, Text
from prodready.words import split_words

_ID = re.compile(r"#([\w-]+)")
_CLASS = re.compile(r"\.([\w-]+)")

Place = tuple[str, int]
"""The path of a file, and the position of an element in it."""


class Selectors:
    """Finds the elements of templates that a selector means, by their ids or their classes."""

    def __init__(self, program: FrontProgram, knowledge: Knowledge) -> None:
        self._program = program
        self._selecting = knowledge.front.get("selectors", frozenset())
        self._events = knowledge.front.get("events", frozenset())

    @cached_property
    def _ids(self) -> dict[str, list[Place]]:
        return self._by_attribute("id")

    @cached_property
    def _classes(self) -> dict[str, list[Place]]:
        return defaultdict(list, self._by_attribute("class"))

    def _by_attribute(self, attribute: str) -> dict[str, list[Place]]:
        """The elements for each word of an attribute."""
        found: dict[str, list[Place]] = {}
        for path in self._program.files.markup:
            for index, element in enumerate(self._program.files[path].elements):
                for name, value in element.attributes:
                    if name == attribute and isinstance(value, Text) and value.parts:
                        for word in " ".join(part for part in value.parts if isinstance(part, str)).split():
                            found.setdefault(word, []).append((path, index))
        return found

    def of(self, use: Use) -> list[Place]:
        """The elements whose event runs a function that is an argument of a call; none if that is no such call."""
        call = self._program.files[use.file].calls[use.at]
        if use.role != "arg" or not isinstance(call.target, Member) or call.target.name not in self._events:
            return []
        delegated = [text for arg in call.args[1:] if (text := _constant(arg)) is not None]
        if delegated:  # `$("body").on("click", ".delete", ...)`
            return [place for text in delegated for place in self._meant(text)]
        return list(self._selected(use.file, call.owner, call.target.base))

    def _meant(self, selector: str) -> Iterator[Place]:
        """The elements that a selector means; those on a page with what it says to be above them, if there are any."""
        for part in selector.split(","):
            steps = part.split()
            ids = _ID.findall(steps[-1]) if steps else []
            if ids:
                yield from self._ids.get(ids[-1], ())
            elif steps and (wanted := _CLASS.findall(steps[-1])):
                found = [p for p in self._classes.get(wanted[0], ()) if all(p in self._classes[n] for n in wanted[1:])]
                above = [name for step in steps[:-1] for name in _CLASS.findall(step)]
                pages = [{path for path, _ in self._classes.get(name, ())} for name in above]
                yield from [place for place in found if all(place[0] in paths for paths in pages)] or found

    def _selected(self, path: str, owner: int, value: Expr) -> Iterator[Place]:
        found = self._program.meaning(path, owner, value)
        if not isinstance(found, Bound) or not isinstance(found.value, CallOf):
            return
        call = self._program.files[found.path].calls[found.value.index]
        name = call.target.name if isinstance(call.target, (Name, Member)) else ""
        if name in self._selecting and call.args:
            text = _constant(call.args[0])
            if text is not None and "id" in split_words(name):  # `getElementById("delete")`
                yield from self._ids.get(text, ())
            elif text is not None:
                yield from self._meant(text)
        elif isinstance(call.target, Member):  # `$("#a").addClass("b").click(...)`
            yield from self._selected(found.path, call.owner, call.target.base)


def _constant(value: Expr) -> str | None:
    """A text without anything filled in."""
    if not isinstance(value, Text) or any(not isinstance(part, str) for part in value.parts):
        return None
    return "".join(map(str, value.parts))
