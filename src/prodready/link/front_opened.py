"""What opens a dialog, a menu, a panel: who sets the state that it hangs on, and what must hold for them to do so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from prodready.knowledge import Knowledge
from prodready.link.front_conditions import Conditions, every, unique
from prodready.link.front_gates import Gate
from prodready.link.front_index import Use
from prodready.link.front_program import Bound, Class, FrontProgram, Param
from prodready.link.front_uses import Uses
from prodready.read.web.facts import Both, CallOf, ClassFact, Const, Expr, Member, Name, Not, Text, parts
from prodready.words import split_words

if TYPE_CHECKING:
    from prodready.link.front_ways import Ways

MOST_WRAPPERS = 3
"""Functions around a setter that are looked through."""

_ANY_ATTRIBUTE = re.compile(r"this\s*\[[^\]]*\]\s*=(?!=)|Object\.assign\(\s*this\b")

MOST_BASES = 8
"""Base classes looked through for the one that has an attribute."""


class Setter(NamedTuple):
    """A use of what sets a state; `told` says that what it is given first is what the state becomes."""

    use: Use
    told: bool


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
            setters = self._setters(path, owner, value)
            uses = [one for setter in setters or () for one in self._given_by(setter, 0)]
            ways = [self._setting(one) for one in uses if not self._closes(one)]
        finally:
            self._open.discard(key)
        return () if setters is None else every(ways) if ways or not uses else None

    def _setters(self, path: str, owner: int, value: Name | Member) -> list[Setter] | None:
        """The uses of what sets a state; None where not all of them are known, or it is no state or open from the start."""
        found = self.program.meaning(path, owner, value)
        if not isinstance(found, Bound):
            return None
        state = found.value
        if isinstance(state, Member) and isinstance(state.base, CallOf):
            call = self.program.files[found.path].calls[state.base.index]
            name = call.target.name if isinstance(call.target, (Name, Member)) else ""
            if name in self._states and state.name == "0" and (not call.args or is_empty(call.args[0])):
                setter = Member(state.base, "1")
                binds = self.program.files[found.path].functions[call.owner].binds
                local = next((name for name, bound in binds.items() if bound == setter), "")
                uses = self._uses.of_variable(found.path, call.owner, local) if local else []
                return [Setter(use, True) for use in uses]
        return self._assigning(path, owner, value) if is_empty(state) else None

    def _given_by(self, setter: Setter, depth: int) -> Iterator[Setter]:
        """A use of a setter, or those of a function that hands on to it what it is given: `(open) => setOpen(open)`."""
        use = setter.use
        args = self.program.files[use.file].calls[use.at].args if use.role == "target" and setter.told else ()
        given = self.program.lookup(use.file, use.owner, args[0].name) if args and isinstance(args[0], Name) else None
        if not isinstance(given, Param) or given.position or given.key or depth >= MOST_WRAPPERS:
            yield setter
            return
        for outer in self._uses.of(given.path, given.function):
            yield from self._given_by(Setter(outer, True), depth + 1)

    def _assigning(self, path: str, owner: int, value: Name | Member) -> list[Setter] | None:
        """The uses of the methods that give an attribute of a store anything but an empty value."""
        bound = self.program.lookup(path, owner, value.name) if isinstance(value, Name) else Bound(path, owner, value)
        if not isinstance(bound, Bound) or not isinstance(bound.value, Member):
            return None
        base = self.program.meaning(bound.path, bound.owner, bound.value.base)
        base = self.program.made(base) or base
        name = bound.value.name
        for cls, fact in self._lineage(base) if isinstance(base, Class) else ():
            if name in fact.members:
                return None if self._is_set_elsewhere(cls, name) else self._by_methods(cls, fact, name)
        return None

    def _by_methods(self, cls: Class, fact: ClassFact, name: str) -> list[Setter] | None:
        functions = self.program.files[cls.path].functions
        told: dict[int, bool] = {}
        for attribute, function, given in fact.sets:
            method = next((at for at, one in self.program.around(cls.path, function) if one.cls == cls.name), None)
            if attribute != name or is_empty(given) or (method and functions[method].name == "constructor"):
                continue
            called = functions[method].name if method is not None else ""
            if method is None or len(split_words(called)) < 2 or self._uses.defined(called) != 1:
                return None  # a call of it on something unknown would not be seen
            first = next(iter(functions[method].params), "")
            told[method] = told.get(method, False) or (isinstance(first, str) and Name(first) in _within(given))
        return [Setter(use, told[method]) for method in told for use in self._uses.of(cls.path, method)]

    def _is_set_elsewhere(self, cls: Class, name: str) -> bool:
        """Whether something else than a plain assignment in the class itself gives one of its attributes a value."""
        if _ANY_ATTRIBUTE.search(self.program.files.text(cls.path)):
            return True
        assigned = re.compile(rf"([\w$\])]+)\s*\??\.\s*{re.escape(name)}\s*(\|\||\?\?|&&)?=(?![=>])")
        for path in self.program.files.having(name):
            for match in assigned.finditer(self.program.files.text(path)):
                if match[1] != "this" or match[2]:
                    return True
                if path != cls.path and any(
                    cls in (base for base, _ in self._lineage(Class(path, other.name)))
                    for other in self.program.files[path].classes
                    if any(attribute == name for attribute, _, _ in other.sets)
                ):
                    return True
        return any(
            attribute == name and Class(cls.path, other.name) != cls
            for other in self.program.files[cls.path].classes
            for attribute, _, _ in other.sets
        )

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

    def _closes(self, setter: Setter) -> bool:
        use = setter.use
        if not setter.told:
            return use.role == "test"
        if use.role == "attr":
            if self._ways.leaves_all(use, self._gives_nothing):
                return True
            named = not {"close", "cancel"}.isdisjoint(split_words(use.name))
            return named and not list(self._ways.through_component(use, self._gives_nothing))
        return use.role == "test" or self._gives_nothing(use)

    def _gives_nothing(self, use: Use) -> bool:
        args = self.program.files[use.file].calls[use.at].args if use.role == "target" else ()
        return bool(args) and is_empty(args[0])

    def _setting(self, setter: Setter) -> tuple[Gate, ...]:
        use = setter.use
        if use.role == "attr":
            here = self._conditions.of_use(use) + self._ways.around(use.file, use.at)
            leave = self._gives_nothing if setter.told else lambda _: False
            ways = list(self._ways.through_component(use, leave))
            return unique(here + every([way.gates for way in ways]))
        if use.role == "target":
            ways = list(self._ways.to_call(use.file, use.owner, use.conditions, use.at))
            return unique(self._conditions.of_use(use) + every([way.gates for way in ways]))
        return ()


def _within(value: Expr) -> Iterator[Expr]:
    yield value
    for part in parts(value):
        yield from _within(part)


def is_empty(value: Expr) -> bool:
    """Whether a state is closed by a value."""
    return (isinstance(value, Const) and value.text in {"false", "null", "undefined"}) or value == Text(())
