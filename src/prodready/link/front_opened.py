"""What opens a dialog, a menu, a panel: who sets the state that it hangs on, and what must hold for them to do so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodready.knowledge import Knowledge
from prodready.link.front_conditions import Conditions, every, unique
from prodready.link.front_gates import Gate
from prodready.link.front_index import Use
from prodready.link.front_program import Bound, Class, FrontProgram, Param
from prodready.link.front_uses import Uses
from prodready.read.web.facts import Both, CallOf, ClassFact, Const, Expr, Member, Name, Not, Text
from prodready.words import split_words

if TYPE_CHECKING:
    from prodready.link.front_ways import Ways

MOST_WRAPPERS = 3
"""Functions around a setter that are looked through."""

MOST_BASES = 8
"""Base classes looked through for the one that has an attribute."""


class Opened:
    """Looks for the setters of states: of hooks, and attributes of stores that a method assigns."""

    def __init__(self, ways: Ways, uses: Uses, conditions: Conditions, knowledge: Knowledge) -> None:
        self.program: FrontProgram = ways.program
        self._ways = ways
        self._uses = uses
        self._conditions = conditions
        self._states = knowledge.front.get("states", frozenset())
        self._opening = knowledge.front.get("open-attributes", frozenset())
        self._open: set[tuple[str, int, Expr]] = set()

    def by(self, use: Use) -> tuple[Gate, ...] | None:
        """What must hold before something is opened, by somebody who uses what sets its state; None if nothing sets it."""
        facts = self.program.files[use.file]
        found: tuple[Gate, ...] = ()
        values = [test for test, holds in use.tests if holds]
        values += [facts.conditions[n].test for n in use.conditions if not facts.conditions[n].negated]
        if use.role in {"tag", "attr"}:
            values += [value for name, value in facts.elements[use.at].attributes if name in self._opening]
        for value in values:
            held = self._set_by(use.file, use.owner, value)
            if held is None:
                return None
            found += held
        return found

    def _set_by(self, path: str, owner: int, value: Expr) -> tuple[Gate, ...] | None:
        """What holds wherever the setter of a state gives it anything but an empty value; None if it never does."""
        if isinstance(value, Both):
            both = [self._set_by(path, owner, value.left), self._set_by(path, owner, value.right)]
            return None if None in both else tuple(gate for held in both for gate in held or ())
        if isinstance(value, Not) and isinstance(value.value, Not):
            value = value.value.value
        if not isinstance(value, (Name, Member)):
            return ()
        key = (path, owner, value)
        if key in self._open:  # what opens it stands in what it opens
            return ()
        self._open.add(key)
        try:
            uses = [inner for use in self._setters(path, owner, value) for inner in self._given_by(use, 0)]
            ways = [self._setting(use) for use in uses if not self._closes(use)]
        finally:
            self._open.discard(key)
        return every(ways) if ways or not uses else None

    def _setters(self, path: str, owner: int, value: Name | Member) -> list[Use]:
        """The uses of what sets a state; none for something that is no state, or one that is open from the start."""
        found = self.program.meaning(path, owner, value)
        if not isinstance(found, Bound):
            return []
        state = found.value
        if isinstance(state, Member) and isinstance(state.base, CallOf):
            call = self.program.files[found.path].calls[state.base.index]
            name = call.target.name if isinstance(call.target, (Name, Member)) else ""
            if name in self._states and state.name == "0" and (not call.args or is_empty(call.args[0])):
                setter = Member(state.base, "1")
                binds = self.program.files[found.path].functions[call.owner].binds
                local = next((name for name, bound in binds.items() if bound == setter), "")
                return self._uses.of_variable(found.path, call.owner, local) if local else []
        return self._assigning(path, owner, value) if is_empty(state) else []

    def _given_by(self, use: Use, depth: int) -> Iterator[Use]:
        """A use of a setter, or those of a function that hands on to it what it is given: `(open) => setOpen(open)`."""
        args = self.program.files[use.file].calls[use.at].args if use.role == "target" else ()
        given = self.program.lookup(use.file, use.owner, args[0].name) if args and isinstance(args[0], Name) else None
        if not isinstance(given, Param) or given.position or given.key or depth >= MOST_WRAPPERS:
            yield use
            return
        for outer in self._ways.users(given.path, given.function):
            yield from self._given_by(outer, depth + 1)

    def _assigning(self, path: str, owner: int, value: Name | Member) -> list[Use]:
        """The uses of the methods that give an attribute of a store anything but an empty value."""
        bound = self.program.lookup(path, owner, value.name) if isinstance(value, Name) else Bound(path, owner, value)
        if not isinstance(bound, Bound) or not isinstance(bound.value, Member):
            return []
        base = self.program.meaning(bound.path, bound.owner, bound.value.base)
        base = self.program.made(base) or base
        name = bound.value.name
        for cls, fact in self._lineage(base) if isinstance(base, Class) else ():
            if name in fact.members:
                methods = {
                    method
                    for attribute, function, given in fact.sets
                    if attribute == name and not is_empty(given)
                    for method, inner in self.program.around(cls.path, function)
                    if inner.cls == cls.name and inner.name != "constructor"
                }
                return [use for method in sorted(methods) for use in self._uses.of(cls.path, method)]
        return []

    def _lineage(self, cls: Class) -> Iterator[tuple[Class, ClassFact]]:
        for _ in range(MOST_BASES):
            fact = self.program.cls(cls)
            if fact is None:
                return
            yield cls, fact
            base = self.program.meaning(cls.path, fact.owner, fact.base) if fact.base is not None else None
            if not isinstance(base, Class):
                return
            cls = base

    def _closes(self, use: Use) -> bool:
        if use.role == "target":
            args = self.program.files[use.file].calls[use.at].args
            return bool(args) and is_empty(args[0])
        return use.role == "test" or (use.role == "attr" and not {"close", "cancel"}.isdisjoint(split_words(use.name)))

    def _setting(self, use: Use) -> tuple[Gate, ...]:
        if use.role == "attr":
            here = self._conditions.of_use(use) + self._ways.around(use.file, use.at)
            ways = list(self._ways.through_component(use, 0, self._closes))
            return unique(here + every([way.gates for way in ways]))
        if use.role == "target":
            ways = list(self._ways.to_call(use.file, use.owner, use.conditions, use.at))
            return unique(self._conditions.of_use(use) + every([way.gates for way in ways]))
        return ()


def is_empty(value: Expr) -> bool:
    """Whether a state is closed by a value."""
    return (isinstance(value, Const) and value.text in {"false", "null", "undefined"}) or value == Text(())
