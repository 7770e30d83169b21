"""The tables of a file while it is read: shared by its scripts and its markup."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from prodready.read.web.facts import (
    CallFact,
    ClassFact,
    Condition,
    Element,
    Expr,
    Function,
    Loose,
    Name,
    Slot,
    Text,
    WebFacts,
)

MOST_TEXT = 160
"""Characters of a condition or a label that are kept."""

Conditions = tuple[int, ...]
Params = list[str | tuple[tuple[str, str], ...]]


@dataclass
class Draft:
    """A function that is being read."""

    name: str
    owner: int
    conditions: Conditions
    line: int
    column: int
    cls: str = ""
    each: bool = False
    params: Params = field(default_factory=list)
    binds: dict[str, Expr] = field(default_factory=dict)
    returns: list[tuple[Expr, Conditions]] = field(default_factory=list)
    after: Conditions = ()

    def bind(self, name: str, value: Expr) -> None:
        """A variable gets a value; of several the first that is known counts."""
        if self.binds.get(name) is None:
            self.binds[name] = value

    def done(self) -> Function:
        """The function as a fact."""
        return Function(
            self.name,
            self.owner,
            self.conditions,
            self.line,
            self.column,
            tuple(self.params),
            self.binds,
            tuple(self.returns),
            self.cls,
            self.each,
            self.after,
        )


class Builder:
    """Collects what the readers of a file find."""

    def __init__(self) -> None:
        self.imports: dict[str, tuple[str, str]] = {}
        self.exports: dict[str, tuple[str, Expr]] = {}
        self.stars: list[str] = []
        self.functions = [Draft("<module>", -1, (), 1, 1)]
        self.classes: list[ClassFact] = []
        self.calls: list[CallFact | None] = []
        self.elements: list[Element] = []
        self.loose: list[Loose] = []
        self.conditions: list[Condition] = []
        self.slots: list[Slot] = []
        self.attributes: set[str] = set()
        self.broken = 0
        self._known: dict[tuple[int, int, bool, str], int] = {}

    @property
    def module(self) -> Draft:
        """The code of the file itself."""
        return self.functions[0]

    def condition(self, test: Expr, negated: bool, text: str, line: int, column: int) -> int:
        """The position of a condition; the same text at the same place is the same condition."""
        key = (line, column, negated, text)
        if key not in self._known:
            self._known[key] = len(self.conditions)
            self.conditions.append(Condition(test, negated, short(text), line, column))
        return self._known[key]

    def submit(self, form: int) -> list[str]:
        """What stands on the button of a form whose content has been read."""
        for element in self.elements[form + 1 :]:
            tag = element.tag.name.lower() if isinstance(element.tag, Name) else ""
            kind = next((value for key, value in element.attributes if key == "type"), None)
            if element.label and (tag.endswith("button") or (tag == "input" and kind == Text(("submit",)))):
                return [element.label]
        return []

    def facts(self, lines: int, kind: str) -> WebFacts:
        """All that was found."""
        return WebFacts(
            lines,
            kind,
            self.imports,
            self.exports,
            tuple(self.stars),
            tuple(draft.done() for draft in self.functions),
            tuple(self.classes),
            tuple(call for call in self.calls if call is not None),
            tuple(self.elements),
            tuple(self.loose),
            tuple(self.conditions),
            tuple(self.slots),
            broken=self.broken,
            attributes=tuple(self.attributes) if kind == "script" else None,
        )


def short(text: str | Iterable[str]) -> str:
    """Text on one line, cut where it is long."""
    words = " ".join((text if isinstance(text, str) else " ".join(text)).split())
    return words if len(words) <= MOST_TEXT else words[: MOST_TEXT - 3] + "..."
