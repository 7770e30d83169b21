"""What a guard asks for on one route, where it decides by the action or the method: `if view.action == "list": ...`."""

from __future__ import annotations

import msgspec

from prodready.link.frames import Bound, Frame
from prodready.link.guard_words import GuardWords
from prodready.link.program import ClassSymbol, FunctionSymbol
from prodready.link.route import SAFE_METHODS, STRENGTH
from prodready.link.route_values import RouteValues
from prodready.read import values as v
from prodready.read.facts import RETURN, Exit, last_name
from prodready.read.values import Value


class Asked(msgspec.Struct, frozen=True):
    """What is asked of a guard: the method of the class that answers, the HTTP methods, and whether it is about one row.

    `row` is None where nothing tells.
    """

    action: str
    methods: tuple[str, ...]
    row: bool | None = None


class GuardActions:
    """Goes through the decisions of permission classes and of methods that choose among them."""

    def __init__(self, values: RouteValues, words: GuardWords) -> None:
        self.values = values
        self.program, self.infer, self.knowledge = values.program, values.infer, values.knowledge
        self.words = words

    def kind(self, function: FunctionSymbol, cls: ClassSymbol, asked: Asked) -> str | None:
        """What a method that tells whether somebody may asks for.

        "" if it lets everybody pass, None if it does not look at the action or the method.
        """
        ways = [way for way in function.facts.decisions if way.kind == RETURN]
        if not ways:
            return None
        frame = Frame(function.path, function.facts)
        found = [
            self._of_way(way, frame, cls, asked) for way in ways if self.holds(way, frame, cls, asked) is not False
        ]
        passing = [kind for kind in found if kind is not None]
        return min(passing, key=lambda kind: STRENGTH.get(kind, 0)) if passing else "permission"

    def holds(self, way: Exit, frame: Frame, cls: ClassSymbol, asked: Asked) -> bool | None:
        """Whether a way is taken for what is asked; None if that hangs on something else, too."""
        verdict: bool | None = True
        for value, truth in way.conditions:
            one = self.test(value, frame, cls, asked)
            if one is None:
                verdict = None
            elif one is not truth:
                return False
        return verdict

    def test(self, value: Value, frame: Frame, cls: ClassSymbol, asked: Asked) -> bool | None:
        """How a condition comes out for what is asked; None if it is about something else."""
        inner = _plain(value)
        if isinstance(inner, v.Attr) and inner.name == "detail":
            return asked.row
        if not (isinstance(inner, v.Op) and inner.kind in {"test", "in"} and inner.args):
            return None
        subject, other = _plain(inner.subject), inner.args[0]
        while isinstance(subject, v.Call) and isinstance(subject.target, v.Attr):  # request.method.lower()
            subject = _plain(subject.target.base)
        if isinstance(subject, v.Call) and len(subject.args) > 1:  # getattr(view, "action", None)
            named = subject.args[1]
            name = named.value if isinstance(named, v.Const) else ""
        else:
            name = subject.name if isinstance(subject, v.Attr) else ""
        if name == "action":
            texts = self._texts(Bound(other, frame), cls)
            return asked.action in texts if texts else None
        if name == "method" and asked.methods:
            if self.words.has("safe-methods", last_name(_plain(other))):
                hits = {method in SAFE_METHODS for method in asked.methods}
            else:
                texts = {text.upper() for text in self._texts(Bound(other, frame), cls)}
                hits = {method in texts for method in asked.methods} if texts else set()
            return hits.pop() if len(hits) == 1 else None
        return None

    def _texts(self, bound: Bound, cls: ClassSymbol) -> set[str]:
        """The texts that something is compared with, or the keys of a mapping."""
        value = _plain(bound.value)
        if isinstance(value, v.Attr) and isinstance(value.base, v.Param):  # self.OPEN_ACTIONS
            member = self.program.member(cls, value.name)
            inner = getattr(member, "value", None)
            if inner is None or member is None:
                return set()
            bound = Bound(inner, self.values.module(member.path))
        for leaf in self.values.reducer.leaves(bound):
            if isinstance(leaf.value, v.Map):
                return {str(k.value) for k, _ in leaf.value.items if isinstance(k, v.Const)}
        return set(self.values.words(bound))

    def _of_way(self, way: Exit, frame: Frame, cls: ClassSymbol, asked: Asked) -> str | None:
        """What those have who pass on this way; None where nobody does."""
        own = _plain(way.value)
        if isinstance(own, v.Const) and not own.value:
            return None
        verdict = self.test(way.value, frame, cls, asked)
        if verdict is False:
            return None
        rest = [(value, truth) for value, truth in way.conditions if self.test(value, frame, cls, asked) is None]
        found = [self._inherited(value, frame, cls, asked) for value, truth in rest if truth]
        atoms = [(value, not truth) for value, truth in rest if _above(value) is None]
        found.append(self.words.kind(atoms, certain=False))
        if verdict is None and not isinstance(own, v.Const):
            above = _above(own) is not None
            found.append(self._inherited(own, frame, cls, asked) if above else self._of_result(own))
        return max(found, key=lambda kind: STRENGTH.get(kind, 0), default="")

    def _of_result(self, value: Value) -> str:
        kind = self.words.kind([(value, False)], certain=True)
        if kind == "login" and isinstance(value, v.Call) and value.args:
            return "permission"  # `user.belongs_to(team)` is more than to be somebody
        return kind or "permission"

    def _inherited(self, value: Value, frame: Frame, cls: ClassSymbol, asked: Asked) -> str:
        """What the method of a base class asks for, where its own decision is part of this one."""
        name = _above(value)
        if name is None:
            return ""
        passed = False
        for base in self.program.lineage(cls):
            if isinstance(base, str):
                kind = self.knowledge.guards(base)
                if kind:
                    return "" if kind == "open" else kind
            elif passed and name in base.facts.methods:
                above = self.program.function(base.path, f"{base.facts.qualname}.{name}")
                symbol = FunctionSymbol(base.path, above) if above is not None else None
                return (self.kind(symbol, cls, asked) if symbol is not None else None) or "permission"
            else:
                passed = passed or (base.path, base.facts.qualname) == (frame.path, frame.function.owner)
        return ""


def _above(value: Value) -> str | None:
    """The name of the method that is called on `super()`."""
    inner = _plain(value)
    target = _plain(inner.target) if isinstance(inner, v.Call) else inner
    base = _plain(target.base) if isinstance(target, v.Attr) else None
    return target.name if isinstance(target, v.Attr) and isinstance(base, v.Op) and base.kind == "super" else None


def _plain(value: Value) -> Value:
    """The value without its names and what has turned out about it."""
    while isinstance(value, (v.Named, v.Mark)) or (isinstance(value, v.Op) and value.kind in {"if", "after", "typed"}):
        value = value.subject if isinstance(value, v.Op) else value.value
    return value
