"""Findings carried over a change that alters nothing but where code stands: a comment, blank lines, a docstring.

What is found hangs on facts alone. Where a file's facts before and after differ in nothing but lines, and the lines keep
their order, all that was found is found again, as many lines up or down.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

import msgspec

from prodready.finding import Finding, Location, Step
from prodready.read.facts import ClassFacts, Exit, FileFacts
from prodready.read.values import Const

MOST = 20
"""Files whose facts are compared: of a change of more of them it is hardly ever true."""

LINES = frozenset({"line", "end_line", "first", "last"})
_LAMBDA = re.compile(r"<lambda>(\d+):(\d+)")
_NUMBER = re.compile(r"\d+")

Lines = dict[int, int]
"""Where each line of a file that something is known of has gone."""


_NOT_COMPARED = frozenset({"lines", "suppressions", "decorators", "deciding"})
"""Facts that only tell lines, or that follow from the functions."""


class Carried(NamedTuple):
    """The findings that were carried over, and the codes of those that cannot be: these rules have to be asked again."""

    findings: list[Finding]
    stuck: frozenset[str]


class _DifferenceError(Exception):
    """The facts differ in more than lines."""


def moves(old: FileFacts, new: FileFacts) -> Lines | None:
    """Where the lines of a file have gone; None if the facts differ in anything else, or lines have changed places."""
    walk = _Walk()
    try:
        for name in FileFacts.__struct_fields__:
            if name == "docs":
                walk.exact(old.docs, new.docs)
            elif name not in _NOT_COMPARED:
                walk.same(getattr(old, name), getattr(new, name))
    except _DifferenceError:
        return None
    pairs = sorted(walk.lines.items())
    if any(after <= before for (_, before), (_, after) in pairwise(pairs)):
        return None
    # The names of lambdas hold lines: 9 comes before 10, but not as text.
    names = [walk.names.get(name, name) for name in sorted(old.functions)]
    return walk.lines if names == sorted(new.functions) else None


def carried(findings: Iterable[Finding], moved: Mapping[str, Lines]) -> Carried:
    """The findings of a project in which lines of some files have `moved`.

    Texts may name the lines of a finding's places. One that holds the number of a line that has moved is not carried.
    """
    gone = {str(old) for lines in moved.values() for old, new in lines.items() if old != new}
    found: list[Finding] = []
    stuck: set[str] = set()
    for finding in findings:
        if not any(place.path in moved for place in finding.places):
            found.append(finding)
            continue
        after = None if _names_one_of(gone, finding) else _shifted(finding, moved)
        if after is None:
            stuck.add(finding.code)
        else:
            found.append(after)
    return Carried([finding for finding in found if finding.code not in stuck], frozenset(stuck))


class _Walk:
    """Goes through two trees of facts side by side."""

    def __init__(self) -> None:
        self.lines: Lines = {0: 0}
        self.names: dict[str, str] = {}

    def same(self, old: object, new: object) -> None:
        """Raise unless both are the same but for lines, which are noted."""
        if type(old) is not type(new):
            raise _DifferenceError
        if isinstance(old, str):
            self._name(old, str(new))
        elif isinstance(old, Const):
            self.exact(old.value, new.value)  # type: ignore[attr-defined]
        elif isinstance(old, msgspec.Struct):
            self._struct(old, new)
        elif isinstance(old, Mapping):
            self.same(tuple(old.items()), tuple(new.items()))  # type: ignore[attr-defined]
        elif isinstance(old, (tuple, list)):
            self._several(old, new)  # type: ignore[arg-type]
        else:
            self.exact(old, new)

    def exact(self, old: object, new: object) -> None:
        """Raise unless both are the very same: 1 is neither 1.0 nor True."""
        if type(old) is not type(new) or repr(old) != repr(new):
            raise _DifferenceError

    def _several(self, old: tuple[object, ...], new: tuple[object, ...]) -> None:
        if len(old) != len(new):
            raise _DifferenceError
        for one, other in zip(old, new, strict=True):
            self.same(one, other)

    def _struct(self, old: msgspec.Struct, new: object) -> None:
        for name in old.__struct_fields__:
            before, after = getattr(old, name), getattr(new, name)
            if name in LINES:
                self._line(before, after)
            elif name == "tested" and isinstance(old, Exit):
                self._place(before, after)
            elif name == "numbers" and isinstance(old, ClassFacts):
                self.exact(list(before), list(after))
                for place, other in zip(before.values(), after.values(), strict=True):
                    self._place(place, other)
            else:
                self.same(before, after)

    def _place(self, old: tuple[int, int], new: tuple[int, int]) -> None:
        self._line(old[0], new[0])
        self.exact(old[1], new[1])

    def _line(self, old: int, new: int) -> None:
        if self.lines.setdefault(old, new) != new:
            raise _DifferenceError

    def _name(self, old: str, new: str) -> None:
        if "<lambda>" in old:
            places, others = _LAMBDA.findall(old), _LAMBDA.findall(new)
            if len(places) != len(others) or _LAMBDA.sub("", old) != _LAMBDA.sub("", new):
                raise _DifferenceError
            for (line, column), (line_after, column_after) in zip(places, others, strict=True):
                self._place((int(line), int(column)), (int(line_after), int(column_after)))
            self.names[old] = new
        elif old != new:
            raise _DifferenceError


def _names_one_of(numbers: set[str], finding: Finding) -> bool:
    return any(number in numbers for text in _texts(finding) for number in _NUMBER.findall(text))


def _texts(finding: Finding) -> Iterator[str]:
    yield from (finding.message, finding.hint, finding.context, finding.snippet)
    yield from finding.facts
    yield from finding.facts.values()
    for step in (*finding.trace, *finding.related):
        yield step.message


def _shifted(finding: Finding, moved: Mapping[str, Lines]) -> Finding | None:
    """The finding as it is after the change; None where one of its lines is not known."""
    if finding.fixes or finding.change is not None or finding.identity:
        return None
    try:
        lines = moved.get(finding.location.path)
        first, last = finding.statement
        return msgspec.structs.replace(
            finding,
            location=_location(finding.location, moved),
            trace=tuple(_step(step, moved) for step in finding.trace),
            related=tuple(_step(step, moved) for step in finding.related),
            statement=(first, last) if lines is None else (lines[first], lines[last]),
        )
    except KeyError:
        return None


def _step(step: Step, moved: Mapping[str, Lines]) -> Step:
    return Step(_location(step.location, moved), step.message)


def _location(location: Location, moved: Mapping[str, Lines]) -> Location:
    lines = moved.get(location.path)
    if lines is None:
        return location
    return msgspec.structs.replace(location, line=lines[location.line], end_line=lines[location.end_line])
