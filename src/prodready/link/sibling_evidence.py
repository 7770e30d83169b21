"""What tells a forgotten guard from a route that is open on purpose: how usual the guard is, and what the route does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from prodready.link.frames import Bound, Frame
from prodready.link.guard_words import names_in
from prodready.link.route import ANY, SAFE_METHODS, Guard, Route
from prodready.link.route_looks import RouteLooks
from prodready.link.url_paths import PathTemplate, is_parameter
from prodready.read import values as v
from prodready.read.facts import CallFact
from prodready.read.values import Value
from prodready.words import split_words

HOLE = "{}"
MANY_ALIKE = 3
"""Handlers with the same guard, for it to be the rule of a router; of one resource fewer will do."""

ALL_OTHERS = 2
"""Handlers that change something and are guarded, for it to be the rule where no other one is without."""

OF_CHANGING, OF_ALL = 0.5, 0.7
"""The part of the handlers that change something, or of all, that has a guard, where guards are the rule."""

OF_ROWS = frozenset({"PUT", "PATCH", "DELETE"})
CALLS = 1
"""Calls that are followed to see whether something is changed."""

BODY = frozenset({"POST", "FILES", "form", "json", "get_json", "body", "data", "files", "post", "DATA"})
"""Parts of a request that only those requests have which are sent to change something."""

UNSEALING = frozenset("decode decrypt unsign unseal signature hmac digest".split())
"""In names of calls that open what somebody was given with a seal."""

PLAIN = frozenset({"64", "32", "utf", "url", "urlsafe", "json"})
"""... and what anybody can open."""

MAKING = frozenset({"create", "add", "new"})

OF_BROWSER = frozenset("session cookies response resp messages form context ctx g cache data result".split())
"""Names of what holds nothing of others: changing it changes nothing that stays."""


FILLING = frozenset("append extend update setitem delitem setattr pop remove add insert clear".split())
"""Calls that change what is filled or emptied by them."""


class SiblingEvidence:
    """Judges routes without a guard by those beside them."""

    def __init__(self, looks: RouteLooks, writes: Callable[[Frame], bool]) -> None:
        self.looks, self.words, self.writes = looks, looks.words, writes

    def is_rule(
        self, route: Route, group: Sequence[Route], guarded: Sequence[tuple[Route, Guard]], changing: Sequence[Route]
    ) -> bool:
        """Whether a guard is what routes beside this one have, or what others of the same resource have."""
        here = [one for one in changing if one.handler.location == route.handler.location]
        if all(map(self._makes, here)) and not any(self._makes(one) for one, _ in guarded):
            return False  # some may change what is there, and something new may come from anybody
        kept = {one.handler.location: (one, guard) for one, guard in guarded}
        usual = Counter(_called(guard) for _, guard in kept.values()).most_common(1)
        count = usual[0][1] if usual else 0
        acting = {one.handler.location for one in changing}
        open_ = (one for one in group if not self.looks.is_open(one) and not one.has_guards)
        bare = {one.handler.location for one in open_} - kept.keys()
        of_changing = _part(len(acting & kept.keys()), len(acting & bare))
        of_all = _part(len(kept), len(bare))
        if max(count, len(kept) - 1) >= MANY_ALIKE and (of_changing >= OF_CHANGING or of_all >= OF_ALL):
            return True
        if len(acting & kept.keys()) >= ALL_OTHERS and acting & bare <= {route.handler.location}:
            return True
        beside = (one for one, _ in kept.values() if one.handler.location in acting)
        return of_changing >= OF_CHANGING and any(_is_of_same(one.path, route.path) for one in beside)

    def acts(self, route: Route) -> bool:
        """Whether a route changes something that stays and may be of others, as far as that can be told."""
        frame = route.handler.frame
        names = self._names(route)
        if not self.is_of_row(route) and any(self.words.has("open-perhaps", name) for name in names):
            return False
        if frame is None:
            return True  # the method of a library, for a row of its class
        if self._takes_proof(frame):
            return False
        named = any(map(self._is_act, names[:2]))
        called = named and names[0].upper() not in OF_ROWS and OF_ROWS.issuperset(route.methods)
        if not (self.writes(frame) or self._seems_to_change(frame) or called):
            return False
        only_changes = not any(method in SAFE_METHODS or method == ANY for method in route.methods)
        return only_changes or named or self._reads_body(frame)

    def is_of_row(self, route: Route) -> bool:
        """Whether a route changes something that is there, by its methods or by its name."""
        names = self._names(route)
        return OF_ROWS.issuperset(route.methods) or any(self.words.has("acting-on", name) for name in names[:2])

    def _makes(self, route: Route) -> bool:
        """Whether a route makes something new, and no more, by its name."""
        name = route.handler.name
        return not MAKING.isdisjoint(split_words(name)) and not self.words.has("acting-on", name)

    def _takes_proof(self, frame: Frame) -> bool:
        """Whether who sends a request may show by it that they may: a secret is compared, something is unsealed."""
        asked = [value for way in frame.function.exits if way.inner for value, _ in way.conditions[-way.inner :]]
        compared = (x for value in asked if isinstance(v.bare(value), v.Op) for x in names_in(value))
        return any(self.words.has("key", name) for name in compared) or any(
            not UNSEALING.isdisjoint(words) and PLAIN.isdisjoint(words) and len(words) > 1
            for words in (split_words(fact.name) for fact in frame.function.calls)
        )

    def _names(self, route: Route) -> list[str]:
        """The names of the handler and its class, between them the end of the address."""
        cls, _, name = route.handler.name.rpartition(".")
        return [name, *[part for part in route.path[::-1] if not is_parameter(part)][:2], cls]

    def _is_act(self, name: str) -> bool:
        return self.words.has("acting", name) or self.words.has("acting-on", name)

    def _seems_to_change(self, frame: Frame, depth: int = 0) -> bool:
        """Whether something that is not understood may change what stays: not the answer, nor what the browser keeps."""
        done = list(self.looks.done(frame.function))
        for fact in frame.function.calls:
            call, of = Bound(fact.value, frame), _object(fact)
            if not OF_BROWSER.isdisjoint(names_in(of)) or self.looks.looks_up(call) or "logout" in fact.name:
                continue  # who is nobody logs nobody out
            if fact in done or (isinstance(of, v.Ref) and fact.name in FILLING):
                return True
            reads = any(self.words.has(table, fact.name) for table in ("rendering", "read-route", "row-query"))
            if isinstance(of, v.Ref) and ":" not in of.name and not reads and self.looks.is_lost(call):
                if not self.looks.guards.is_known(of.name):
                    return True  # `return seats.claim(number)`
            for callee in self.looks.values.infer.callees(call) if depth < CALLS else ():
                if callee.function is not None and not callee.assumed:
                    inner = Frame(callee.function.path, callee.function.facts)
                    if self._seems_to_change(inner, depth + 1):
                        return True
        return False

    @staticmethod
    def _reads_body(frame: Frame) -> bool:
        given = (part for fact in frame.function.calls for part in v.walk(fact.value))
        return any(isinstance(part, v.Attr) and part.name in BODY for part in given)


def _object(fact: CallFact) -> Value:
    """What a call works on: the object of a method, the object that an element or an attribute is set of."""
    target = v.bare(fact.value.target)
    if isinstance(target, v.Attr):
        return v.bare(target.base) if "operator" not in names_in(target) else v.bare(fact.value.args[0])
    return v.bare(fact.value.args[0]) if fact.name in FILLING and fact.value.args else v.UNKNOWN


def _called(guard: Guard) -> str:
    return guard.text.partition("(")[0]


def _part(some: int, others: int) -> float:
    return some / (some + others) if some else 0.0


def _is_of_same(one: PathTemplate, other: PathTemplate) -> bool:
    """Whether two addresses are of one resource: both are below one row, or one of them begins with all of the other."""
    shorter, longer = sorted((tuple(map(_hole, one)), tuple(map(_hole, other))), key=len)
    same = next((at for at, part in enumerate(shorter) if part != longer[at]), len(shorter))
    named = any(part != HOLE for part in shorter[:same])
    return named and (same == len(shorter) or HOLE in shorter[:same])


def _hole(part: str) -> str:
    return HOLE if is_parameter(part) else part
