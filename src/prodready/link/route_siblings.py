"""Routes that change something and lack a guard that the routes beside them have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set

import msgspec

from prodready.finding import Confidence
from prodready.link.frames import Bound, Frame
from prodready.link.guard_checks import options_of
from prodready.link.handler_doubts import HandlerDoubts
from prodready.link.program import ClassSymbol
from prodready.link.route import ANY, LOGIN, MEMBERSHIP, SELECTIVE, Guard, Route
from prodready.link.route_looks import RouteLooks
from prodready.link.routes import Routes
from prodready.link.run_by import run_by
from prodready.link.sibling_evidence import OF_ROWS, SiblingEvidence
from prodready.read import values as v
from prodready.read.facts import CallFact, Exit, last_name

FEWEST_ALIKE = 3
"""Handlers with the same decorator that asks for a role, before the one that changes something without it is forgotten."""

FEWEST_GUARDED = 2
"""Guarded routes beside one, before it is taken for forgotten."""

MOST_OPEN = 1 / 3
"""Of the routes that change something, the part that may be open for the others to be the rule."""

CHANGING = frozenset({"PUT", "PATCH"})
"""By which a row is changed; who may remove one may be meant to be another than who may change it."""

GRAVEST = ("DELETE", "PUT", "PATCH")

WRITING = frozenset({"write", "write-sql", "stage", "commit", "ensure"})
HOOKS = frozenset({"before_request", "middleware", "settings"})


class Forgotten(msgspec.Struct, frozen=True):
    """A route without a guard, the routes beside it that have one, and what that is; others that lack it as well."""

    route: Route
    siblings: tuple[tuple[Route, Guard], ...]
    of: int
    confidence: Confidence
    alike: tuple[Route, ...] = ()


class Siblings:
    """Looks for such routes; with `asked` only for those that these files answer."""

    def __init__(
        self,
        routes: Routes,
        is_message: Callable[[CallFact], bool],
        writes: Callable[[Frame], bool],
        asked: Set[str] | None = None,
    ) -> None:
        self.routes = routes
        self.asked = asked
        self.writes = writes
        self.values = routes.values
        self.looks = RouteLooks(routes)
        self.words = self.looks.words
        self.evidence = SiblingEvidence(self.looks, writes)
        self.doubts = HandlerDoubts(routes, is_message, writes, self.looks)

    def forgotten(self) -> Iterator[Forgotten]:
        """All of them, each handler once."""
        seen: set[object] = set()
        for group in self._groups():
            changing = [route for route in group if self._changes(route)]
            for weak in self._weaker(group, changing):
                if weak.route.handler.location not in seen:
                    seen.add(weak.route.handler.location)
                    yield weak
            bare = [route for route in changing if self._is_bare(route)]
            if not bare:
                continue
            guarded = [(route, guard) for route in group if (guard := self._own_guard(route)) is not None]
            guarded_changes = sum(route in changing for route, _ in guarded)
            handlers = {route.handler.location for route in bare}
            if not guarded_changes or len({r.handler.location for r, _ in guarded}) < FEWEST_GUARDED:
                continue
            if len(handlers) > max(1, MOST_OPEN * (len(handlers) + guarded_changes)):
                continue
            usual, _ = Counter(guard.text for _, guard in guarded).most_common(1)[0]
            for route in bare:
                if route.handler.location not in seen:
                    seen.add(route.handler.location)
                    first = sorted(guarded, key=lambda one: (one[0] not in changing, one[1].text != usual))
                    sure = self.evidence.is_rule(route, group, guarded, changing) and self.evidence.acts(route)
                    confidence = self._confidence(route) if sure else Confidence.LOW
                    yield Forgotten(route, tuple(first[:3]), len(guarded), confidence)

    def _weaker(self, group: list[Route], changing: list[Route]) -> Iterator[Forgotten]:
        """The one route that lets in all who are logged in, or members, where the others are decorated to ask for more.

        Those are the others that change something; methods that a class inherits count if all that it has itself ask.
        """
        decorated = {
            route.handler.location: self._decorators(route) for route in group if route.handler.frame is not None
        }
        acting = {route.handler.location: route for route in changing if route.handler.location in decorated}
        for name, count in Counter(name for names in decorated.values() for name in names).items():
            without = [route for location, route in acting.items() if name not in decorated[location]]
            if count < FEWEST_ALIKE or len(without) > 1 or len(acting) < FEWEST_GUARDED + len(without):
                continue
            if without:
                own = decorated[without[0].handler.location]
                if not all(own <= names for at, names in decorated.items() if name in names and at in acting):
                    continue  # a decorator of its own may ask as well
            else:
                without = self._inherited(changing, list(acting.values()))
            weak = [route for route in without if self._is_weak(route)]
            least = max((route.guarded for route in weak), default=0)
            named = [route for location, route in acting.items() if weak and name in decorated[location]]
            others = [(one, guard) for one in named if (guard := self._asking(one, name, least)) is not None]
            if weak and len(others) == len(named):
                confidence = max(map(self._confidence, weak))
                yield Forgotten(weak[0], tuple(others[:3]), len(others), confidence, tuple(weak[1:]))

    def _inherited(self, changing: Sequence[Route], own: Sequence[Route]) -> list[Route]:
        """The library's methods by which rows are changed of a class that has such ones itself; the gravest first."""
        classes = {route.handler.cls for route in own}
        cls = classes.pop() if len(classes) == 1 else None
        program, knowledge = self.values.program, self.values.knowledge
        bases = [base for base in program.lineage(cls) if isinstance(base, str)] if cls is not None else []
        known = {method for base in bases for method in knowledge.answers.get(base, ())}
        names = {route.handler.name: route.handler.name.rpartition(".")[2] for route in (*own, *changing)}
        alike = [
            route for route in own if names[route.handler.name] in known and not CHANGING.isdisjoint(route.methods)
        ]
        if cls is None or not alike:
            return []
        found = {
            names[route.handler.name]: route
            for route in changing
            if route.handler.frame is None and route.handler.cls == cls and OF_ROWS.issuperset(route.methods)
        }
        kept = [
            route
            for name, route in found.items()
            if name in known
            and program.member(cls, name) is None  # nothing else stands in its place
            and not any(self._minds(Frame(m.path, m.facts)) for m in run_by(program, knowledge, cls, name))
        ]
        return sorted(kept, key=lambda route: [method not in route.methods for method in GRAVEST])

    def _is_weak(self, route: Route) -> bool:
        """Whether a route asks for a login or a membership only, as far as can be seen, and changes something of others."""
        if route.guarded not in {LOGIN, MEMBERSHIP} or self.doubts.is_guarded(route, SELECTIVE):
            return False
        if any(guard.kind == "unknown" or guard.partial for guard in route.guards) or not self.evidence.acts(route):
            return False
        if route.guarded == MEMBERSHIP and (not self.evidence.is_of_row(route) or self.doubts.is_for_oneself(route)):
            return False  # what members may do is more than what anybody may
        if self.doubts.changes_who_asks(route):
            return False
        return not any(self.doubts.is_doubtful(route, method) for method in route.methods)

    def _decorators(self, route: Route) -> set[str]:
        """The names of a handler's decorators, but for those that declare its route."""
        frame = route.handler.frame
        if frame is None:
            return set()
        home = self.values.infer.home(frame)
        effects = [(one, self.values.effect(Bound(one, home))) for one in frame.function.decorators]
        return {last_name(one) for one, effect in effects if effect is None or effect.route is None}

    @staticmethod
    def _asking(route: Route, name: str, least: int) -> Guard | None:
        """The guard that a decorator is, if it lets in only some of those whom one of strength `least` lets in."""
        guards = (guard for guard in route.guards if guard.where == "decorator" and not guard.partial)
        return next((guard for guard in guards if guard.strength > least and name in guard.text), None)

    def _confidence(self, route: Route) -> Confidence:
        frame = route.handler.frame
        if frame is not None and (self.looks.is_for_programs(frame) or self.looks.finds_by_mark(frame)):
            return Confidence.LOW
        if (
            self.looks.is_wrapped(route)
            or self.looks.may_be_asked_above(route)
            or self._takes_all(route)
            or self.routes.guards.settings.elsewhere
        ):
            return Confidence.LOW
        if frame is not None and self.looks.refuses_in_passing(frame):
            return Confidence.LOW
        if frame is not None and self.looks.only_computes(frame) and not self.writes(frame):
            return Confidence.LOW
        return Confidence.MEDIUM

    def _takes_all(self, route: Route) -> bool:
        """Whether a route takes what anybody may send, and somebody gets a letter about it."""
        frame, cls = route.handler.frame, route.handler.cls
        frames = [frame] if frame is not None else list(self._methods(cls)) if cls is not None else []
        facts = [fact for one in frames for fact in one.function.calls]
        return self.looks.sends_for_all(facts, form=frame is None)

    def _groups(self) -> list[list[Route]]:
        """Routes of one router in one file, and of one class."""
        found: dict[tuple[str, str], list[Route]] = {}
        for route in self.routes.routes:
            if route.handler.frame is None and route.handler.cls is None:
                continue
            found.setdefault((route.group, route.handler.location.path), []).append(route)
            if route.handler.cls is not None:
                cls = route.handler.cls
                found.setdefault(("class", f"{cls.path}:{cls.facts.qualname}"), []).append(route)
        return [_once(group) for group in found.values() if len(group) > FEWEST_GUARDED and self._is_asked(group)]

    def _is_asked(self, group: list[Route]) -> bool:
        return self.asked is None or any(route.handler.location.path in self.asked for route in group)

    def _own_guard(self, route: Route) -> Guard | None:
        """The strongest guard that a route has for itself, not by a hook that all routes beside it pass, too."""
        own = [
            g
            for g in route.guards
            if g.strength and g.where not in HOOKS and g.where not in {"query", "inline", "helper"}
        ]
        own = own or [g for g in route.guards if g.strength and g.where in {"inline", "helper"}]
        return max(own, key=lambda guard: guard.strength, default=None)

    def _is_bare(self, route: Route) -> bool:
        if not route.handler.name or self.looks.is_open(route) or self.looks.only_reads(route) or route.has_guards:
            return False
        frame = route.handler.frame
        if frame is None:
            # A method of a library, on a class of the project: whatever the class adds to it.
            cls = route.handler.cls
            if cls is None or self.looks.only_redirects(route) or self.looks.dead_ends.is_one(route):
                return False
            return not any(map(self._minds, self._methods(cls)))
        if self.looks.does_nothing(frame) or self.looks.lets_in(frame.function) or self.looks.says_open(frame):
            return False
        return not self._minds(frame)

    def _methods(self, cls: ClassSymbol) -> Iterator[Frame]:
        program = self.values.program
        for base in program.lineage(cls):
            if isinstance(base, ClassSymbol):
                for name in base.facts.methods:
                    function = program.function(base.path, f"{base.facts.qualname}.{name}")
                    if function is not None:
                        yield Frame(base.path, function)

    def _minds(self, frame: Frame) -> bool:
        """Whether a function may look at who asks, as far as names tell."""
        if any(self.looks.considers(way) or self._tells_apart(way) for way in frame.function.exits):
            return True
        calls = frame.function.calls
        if any(self.looks.takes_key(fact, frame) or self.looks.hands_session(fact, frame) for fact in calls):
            return True
        for fact in frame.function.calls:
            given = (*fact.value.args, *(value for _, value in fact.value.keywords))
            given = tuple(option for value in given for option in options_of(v.bare(value)))
            target = v.bare(fact.value.target)
            asked = isinstance(target, v.Attr) and self.words.speaks_of_user(target.base)
            if asked or self.words.ends("user", fact.name) or any(map(self.words.speaks_of_user, given)):
                return True  # it works with whoever is logged in, or with nobody
            if isinstance(v.bare(fact.value.target), v.Call) and self.looks.is_lost(Bound(fact.value, frame)):
                return True  # what is called is only known when it runs
            if self.words.has("guard", fact.name) and self.looks.is_lost(Bound(fact.value, frame)):
                return True
        home = self.values.infer.home(frame)
        return any(self.looks.may_guard(Bound(decorator, home)) for decorator in frame.function.decorators)

    def _tells_apart(self, way: Exit) -> bool:
        """Whether a way out hangs on who asks."""
        return any(self.words.speaks_of_user(one) for value, _ in way.conditions for one in v.walk(value))

    def _changes(self, route: Route) -> bool:
        if route.changes:
            return True
        frame = route.handler.frame
        if ANY not in route.methods or frame is None:
            return False
        for fact in frame.function.calls:
            for callee in self.values.infer.callees(Bound(fact.value, frame)):
                if callee.effect is not None and callee.effect.does in WRITING:
                    return True
        return False


def _once(group: list[Route]) -> list[Route]:
    return list({(r.methods, r.handler.name, r.handler.location): r for r in reversed(group)}.values())[::-1]
