"""The gates around one use: its conditions, those in the expression, what an entry or an element says of who gets it."""

from __future__ import annotations

from collections.abc import Iterable

from prodready.finding import Location
from prodready.knowledge import Knowledge
from prodready.link.front_gate_words import KINDS
from prodready.link.front_gates import Gate, Gates
from prodready.link.front_index import Use
from prodready.link.front_program import Bound, FrontProgram, Outside
from prodready.read.web.facts import (
    Both,
    CallOf,
    Compare,
    Const,
    Either,
    Element,
    Expr,
    Fn,
    Many,
    Member,
    Name,
    Not,
    Obj,
    Text,
)
from prodready.words import split_words

_LOGIN = frozenset({"auth", "login", "authentication"})
_DEEPEST = 40
"""Elements looked at from the inside out."""


class Conditions:
    """Finds gates by the places that they stand in."""

    def __init__(self, program: FrontProgram, gates: Gates, knowledge: Knowledge) -> None:
        self.program = program
        self._gates = gates
        front = knowledge.front
        self._keys = {True: front.get("show-keys", frozenset()), False: front.get("hide-keys", frozenset())}
        self._attributes = {
            True: front.get("show-attributes", frozenset()),
            False: front.get("hide-attributes", frozenset()),
        }

    def given(self, path: str, owner: int, conditions: Iterable[int]) -> tuple[Gate, ...]:
        """The gates among some conditions of a file."""
        return tuple(gate for number in conditions for gate in self._gates.of(path, owner, number))

    def of_use(self, use: Use) -> tuple[Gate, ...]:
        """The gates of a use: its conditions, those in the expression, and what an object says of its entry."""
        gates = tuple(gate for holder in use.holders for gate in self.of_use(holder))
        gates += self.given(use.file, use.owner, use.conditions)
        for test, holds in use.tests:
            gates += self._as_gates(use, test, holds)
        for obj in use.objects:
            for key, value in obj.items:
                if key in self._keys[True]:
                    gates += self._entry(use, key, value)
                elif key in self._keys[False]:
                    gates += self._as_gates(use, value, False)
        if use.role == "arg":
            call = self.program.files[use.file].calls[use.at]
            words = (
                self._gates.kinds(use.file, use.owner, CallOf(use.at), True)
                if self._called(use).startswith(("with", "require"))
                else frozenset()
            )
            gates += tuple(
                Gate(kind, f"{self._called(use)}(...)", Location(use.file, call.line, call.column)) for kind in words
            )
        return gates

    def _entry(self, use: Use, key: str, value: Expr) -> tuple[Gate, ...]:
        """What an entry of a menu or a router says of who gets it."""
        if isinstance(value, Obj):
            return tuple(
                gate
                for inner, item in value.items
                if inner in self._keys[True] or inner.startswith("requires")
                for gate in self._entry(use, inner, item)
            )
        if isinstance(value, Const):
            if value.text != "true":
                return ()
            kinds = self._gates.kinds(use.file, use.owner, Name(key.replace("requires", "is")), True)
            if not kinds and not _LOGIN.isdisjoint(split_words(key)):
                kinds = frozenset(["login"])
            return self._made(use, kinds, key)
        if isinstance(value, (Text, Many)) and key.lower().endswith(
            ("role", "roles", "permission", "permissions", "access")
        ):
            return (
                self._made(use, frozenset(["role" if "role" in key.lower() else "permission"]), key)
                if value != Many(())
                else ()
            )
        if isinstance(value, Many):
            return tuple(gate for item in value.items for gate in self._guard(use, item))
        return self._as_gates(use, value, True) or self._guard(use, value)

    def _guard(self, use: Use, value: Expr) -> tuple[Gate, ...]:
        """A route's guard: by what it lets pass, or else by its name."""
        found = self.program.meaning(use.file, use.owner, value) if isinstance(value, (Name, Member)) else None
        bound = found.value if isinstance(found, Bound) else value
        if isinstance(bound, Fn) and bound.index:
            return self._passing(found.path if isinstance(found, Bound) else use.file, bound.index)
        chain = self._gates.chain(use.file, value)
        name = chain[-1] if chain else ""
        if "guard" not in name.lower() and not name.startswith("require"):
            return ()
        lowered = name.lower()
        kind = next(
            (
                kind
                for word, kind in (("admin", "staff"), ("staff", "staff"), ("role", "role"), ("perm", "permission"))
                if word in lowered
            ),
            "login",
        )
        return self._made(use, frozenset([kind]), name)

    def _passing(self, path: str, function: int) -> tuple[Gate, ...]:
        """What holds where a function of a router neither throws nor turns away: at its end, or where it calls `next()`."""
        facts = self.program.files[path]
        fact = facts.functions[function]
        last = fact.params[-1] if fact.params else ""
        passes = [
            call.conditions
            for call in facts.calls
            if call.owner == function and call.target == Name(str(last)) and not call.args
        ]
        passes += [conditions for value, conditions in fact.returns if value == Const("true")]
        if passes:
            return every([self.given(path, function, conditions) for conditions in passes])
        if len(fact.returns) == 1 and not fact.after:
            value, conditions = fact.returns[0]
            held = self.given(path, function, conditions)
            kinds = self._gates.kinds(path, function, value, True)
            if kinds:
                where = Location(path, fact.line, fact.column)
                held += (Gate(min(kinds, key=KINDS.index), self.said(path, value, True), where),)
            return held
        return self.given(path, function, fact.after)

    def _made(self, use: Use, kinds: frozenset[str], text: str) -> tuple[Gate, ...]:
        return tuple(Gate(kind, text, self._location(use)) for kind in kinds)

    def _as_gates(self, use: Use, test: Expr, holds: bool) -> tuple[Gate, ...]:
        kinds = self._gates.kinds(use.file, use.owner, test, holds)
        if not kinds:
            return ()
        kind = min(kinds, key=KINDS.index)
        return (Gate(kind, self.said(use.file, test, holds), self._location(use)),)

    def _location(self, use: Use) -> Location:
        facts = self.program.files[use.file]
        if use.role in {"target", "arg"}:
            return Location(use.file, facts.calls[use.at].line, facts.calls[use.at].column)
        if use.role in {"tag", "attr"}:
            return Location(use.file, facts.elements[use.at].line, facts.elements[use.at].column)
        fact = facts.functions[use.owner]
        return Location(use.file, fact.line, fact.column)

    def said(self, path: str, test: Expr, holds: bool) -> str:
        """A condition in words, where its text is not kept."""
        if isinstance(test, Not):
            return self.said(path, test.value, not holds)
        if isinstance(test, (Both, Either)):
            op = "&&" if isinstance(test, Both) else "||"
            text = f"{self.said(path, test.left, True)} {op} {self.said(path, test.right, True)}"
            return text if holds else f"!({text})"
        if isinstance(test, Compare):
            text = f"{self.said(path, test.left, True)} {test.op} {self.said(path, test.right, True)}"
        elif isinstance(test, Text):
            text = repr("".join(part if isinstance(part, str) else "…" for part in test.parts))
        elif isinstance(test, Const):
            text = test.text
        elif isinstance(test, CallOf) and (inner := self._gates.passed(path, test)) is not None:
            return self.said(path, inner, holds)
        else:
            text = ".".join(self._gates.chain(path, test)) or "…"
            text += "()" if isinstance(test, CallOf) else ""
        return text if holds else f"!{text}"

    def of_attributes(self, path: str, element: int, own: bool = True) -> tuple[Gate, ...]:
        """What an element (with `own`) and those around it need to be used: not disabled, not hidden.

        What a component of the project makes of its attributes is not known, unless it is the element itself.
        """
        facts = self.program.files[path]
        found: tuple[Gate, ...] = ()
        at = element if own else facts.elements[element].parent
        for _ in range(_DEEPEST):
            if at < 0:
                break
            fact = facts.elements[at]
            if at == element or not self._is_own_component(path, fact):
                for name, value in fact.attributes:
                    found += self._of_attribute(path, fact, name, value)
            at = fact.parent
        return found

    def _of_attribute(self, path: str, fact: Element, name: str, value: Expr) -> tuple[Gate, ...]:
        holds = name in self._attributes[True]
        if not holds and name not in self._attributes[False]:
            return ()
        kinds = self._gates.kinds(path, fact.owner, value, holds)
        if not kinds:
            return ()
        where = Location(path, fact.line, fact.column)
        return (Gate(min(kinds, key=KINDS.index), self.said(path, value, holds), where),)

    def _is_own_component(self, path: str, fact: Element) -> bool:
        tag = fact.tag.name if isinstance(fact.tag, Name) else ""
        return not tag[:1].islower() and not isinstance(self.program.meaning(path, fact.owner, fact.tag), Outside)

    def _called(self, use: Use) -> str:
        chain = self._gates.chain(use.file, self.program.files[use.file].calls[use.at].target)
        return chain[-1] if chain else ""


def unique(gates: Iterable[Gate]) -> tuple[Gate, ...]:
    """The same question asked in two places is one gate."""
    found: dict[tuple[str, str], Gate] = {}
    for gate in gates:
        found.setdefault(gate.key, gate)
    return tuple(found.values())


def every(ways: list[tuple[Gate, ...]]) -> tuple[Gate, ...]:
    """What holds on each of some ways: the gates they share, or one that stands for the weakest of theirs."""
    if not ways or not all(ways):
        return ()
    if len(ways) == 1:
        return ways[0]
    shared = set.intersection(*({gate.key for gate in gates} for gates in ways))
    if shared:
        return tuple(gate for gate in ways[0] if gate.key in shared)
    strictest = [min(gates, key=lambda gate: KINDS.index(gate.kind)) for gates in ways]
    weak = max(strictest, key=lambda gate: KINDS.index(gate.kind))
    texts = dict.fromkeys(gate.text for gate in strictest)
    return (Gate(weak.kind, " or ".join(list(texts)[:3]), weak.location),)
