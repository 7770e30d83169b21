"""Whether a handler that only asks for a login, or for nothing, may treat people differently all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prodready.link.by_method import calls_for
from prodready.link.frames import Bound, Frame
from prodready.link.guard_rows import is_own_method
from prodready.link.guard_words import PER_REQUEST, Atom, names_in, names_request
from prodready.link.guards import Guards
from prodready.link.program import ClassSymbol, FunctionSymbol
from prodready.link.route import MEMBERSHIP, SAFE_METHODS, Guard, Route
from prodready.link.route_looks import RouteLooks
from prodready.link.routes import Routes
from prodready.link.sibling_evidence import OF_BROWSER
from prodready.read import values as v
from prodready.read.facts import CallFact, Exit, last_name
from prodready.read.values import Value
from prodready.words import split_words

MAX_DEPTH = 2
"""Calls that are followed from a handler with the person who is logged in."""

SET = ("object", "name", "value")
"""What an attribute that is set consists of."""

ALONGSIDE = ("get_", "check_", "filter_", "perform_", "form_", "dispatch", "initial", "setup", "prepare")
"""What the methods begin with that a library calls around a handler."""


class HandlerDoubts:
    """Looks into handlers, and into what they call, for whatever may hang on who asks."""

    def __init__(
        self, routes: Routes, is_message: Callable[[CallFact], bool], writes: Callable[[Frame], bool], looks: RouteLooks
    ) -> None:
        self.is_message = is_message
        self.writes = writes
        self.looks = looks
        self.guards: Guards = routes.guards
        self.words = looks.words

    def may_change(self, route: Route) -> bool:
        """Whether a handler changes something that stays, by what it calls."""
        frame = route.handler.frame
        if frame is None:
            return False
        named = (fact for fact in frame.function.calls if self.words.has("changing-call", fact.name))
        return not all(map(_fills_memory, named)) or self.writes(frame)

    def is_guarded(self, route: Route, enough: int = MEMBERSHIP) -> bool:
        """Whether a route asks for as much as a gate does, for `enough`, or for something that is not to be found."""
        if route.guarded >= enough or any(guard.kind == "unknown" for guard in route.guards):
            return True
        frame = route.handler.frame
        if frame is None:  # a method of a library's class
            return self.looks.only_redirects(route)
        if self.looks.does_nothing(frame) or any(map(self._refuses_some, frame.function.exits)):
            return True
        home = self.looks.values.infer.home(frame)
        # A decorator that is a guard by what was found in it has been counted.
        known = {guard.text for guard in route.guards}
        return any(
            (self.looks.may_guard(Bound(decorator, home)) and not any(last_name(decorator) in text for text in known))
            or self._is_given_a_check(decorator)
            for decorator in frame.function.decorators
        )

    def _is_given_a_check(self, decorator: Value) -> bool:
        """Whether a decorator is handed something by name that may be a check: `@before(check_policy, request)`."""
        call = v.bare(decorator)
        return isinstance(call, v.Call) and any(
            isinstance(v.bare(value), (v.Ref, v.Attr)) and self.words.has("check", last_name(value))
            for value in call.args
        )

    def _refuses_some(self, way: Exit) -> bool:
        own = way.conditions[-way.inner :] if way.inner else way.conditions
        if own and all(map(self._is_oneself, own)):
            return False
        return self.words.refuses(way) == "refused" and not self.words.is_unknown_person(way)

    def _tells_some(self, way: Exit) -> bool:
        """Whether somebody is told that they may not, or that the request is wrong for what they are or have."""
        if self.words.refuses(way) == "told":
            return True
        own = way.conditions[-way.inner :] if way.inner and self.words.is_bad_request(way) else ()
        return any(
            map(self.words.speaks_of_user, (side for value, _ in own for side in _sides(v.bare(value))))
        ) and not all(map(self._is_oneself, own))

    def _is_oneself(self, atom: Atom) -> bool:
        """Whether a row is that of who asks: who is turned away for it alone may still do it to all others."""
        value, holds = v.bare(atom[0]), atom[1]
        return holds and any(map(self._is_who, _sides(value)))

    def _is_who(self, value: Value) -> bool:
        """Whether a value is who asks, or their key, and not what they have: `request.user.pk`, not `user.level`."""
        name = last_name(value)
        keys = name in {"id", "pk"} or self.words.ends("user", name) or self.words.ends("user-key", name)
        return keys and self.words.speaks_of_user(value)

    def is_doubtful(self, route: Route, method: str) -> bool:
        """Whether the route may be for everybody, or treat people differently in ways that are not followed."""
        changes = (route.guards and route.changes and self.may_change(route)) or self._acts_for(route, method)
        if self.looks.only_reads(route) and not changes:
            return True
        if self.looks.is_wrapped(route) or (not route.guards and self.looks.is_open(route)):
            return True
        if not route.guards and self.looks.is_of_library(route):
            return True
        if self.looks.answers_nothing_known(route) or self.looks.dead_ends.is_one(route) or self._form_asks(route):
            return True
        if route.guards and all(self._is_for_machines(guard) for guard in route.guards):
            return True
        frame = route.handler.frame
        if frame is not None and any(map(self._tells_some, frame.function.exits)):
            return True
        if frame is not None and self.looks.refuses_in_passing(frame):
            return True
        if frame is not None and self.looks.only_computes(frame) and not self.writes(frame):
            return True
        filled = frozenset(route.path)
        changing = "" if method in SAFE_METHODS else method
        return any(self._hangs_on_user(frame, filled, 0, changing) for frame in self.running(route))

    def _form_asks(self, route: Route) -> bool:
        """Whether what a library's method fills the row with refuses some: a serializer that looks at `request.user`."""
        cls = route.handler.cls if route.handler.frame is None else None
        form = self.looks.dead_ends.form_of(cls) if cls is not None else None
        program = self.looks.values.program
        found = [program.member(form, name) for name in form.facts.methods] if form is not None else []
        own = (one.facts for one in found if isinstance(one, FunctionSymbol))
        asked = (value for function in own for way in function.exits for value, _ in way.conditions)
        parts = (part for value in asked for part in v.walk(value))
        return any(isinstance(part, v.Attr) and self.words.ends("user", part.name) for part in parts)

    def changes_who_asks(self, route: Route) -> bool:
        """Whether a handler sets something of who asks: `current_user.name = name`."""
        facts = (fact for one in self.running(route) for fact in one.function.calls)
        return any(
            fact.name == "setattr" and any(map(self.words.speaks_of_user, fact.value.args[:1])) for fact in facts
        )

    def is_for_oneself(self, route: Route) -> bool:
        """Whether a handler makes, marks or leaves something for who asks: `Note(author=user)`, `members.remove(user)`."""
        return any(map(self._is_own_deed, (fact for one in self.running(route) for fact in one.function.calls)))

    def _is_own_deed(self, fact: CallFact) -> bool:
        """Whether a call says that something is of who asks, or puts them in or out."""
        if fact.name == "setattr" and len(fact.value.args) == len(SET):
            _, named, value = fact.value.args
            is_owner = self.words.has("owner", str(getattr(v.bare(named), "value", "")))
            return is_owner and self.words.speaks_of_user(value)
        if self.words.called("row-query", fact.name):
            return False
        placed = fact.name in {"add", "remove", "discard"} and any(map(self.words.speaks_of_user, fact.value.args))
        return placed or any(
            self.words.has("owner", key) and self.words.speaks_of_user(value) for key, value in fact.value.keywords
        )

    def _acts_for(self, route: Route, method: str) -> bool:
        """Whether a handler asks for the method of a request, and changes something for those of this one alone."""
        frame = route.handler.frame
        if frame is None or method in SAFE_METHODS:
            return False
        reading = calls_for(frame.function, "GET")
        return any(
            (self.words.has("changing-call", fact.name) and not _fills_memory(fact)) or _sets_for_all(fact)
            for fact in calls_for(frame.function, method)
            if fact not in reading
        )

    def _is_for_machines(self, guard: Guard) -> bool:
        """Whether a guard asks for a key that programs have; the token of a session is as good as a login."""
        return guard.kind == "open" or (guard.kind == "token" and self.words.has("key", guard.text))

    def running(self, route: Route) -> Iterator[Frame]:
        """What runs for a request: the handler, and the methods by which its class says what it works with."""
        handler = route.handler
        # No row is looked up to make a new one.
        rowless = self.guards.asked(handler, route.methods).row is False and not SAFE_METHODS.issuperset(route.methods)
        program = self.looks.values.program
        if handler.frame is not None:
            yield handler.frame
            shown = self.guards.shown(handler.frame.function)
            calls = [fact for at, fact in enumerate(handler.frame.function.calls) if at not in shown]
            called = {fact.name for fact in calls if is_own_method(v.bare(fact.value.target))}
            own = handler.frame.function.qualname.rpartition(".")[2]
            # What is not asked for its rows, by itself or by what it calls of its class, looks none up there.
            rowless |= not (called or own.startswith(ALONGSIDE))
            members = [program.member(handler.cls, name) for name in sorted(called)] if handler.cls is not None else []
            yield from (Frame(one.path, one.facts) for one in members if isinstance(one, FunctionSymbol))
        for base in program.lineage(handler.cls) if handler.cls is not None else ():
            if not isinstance(base, ClassSymbol):
                continue
            for name in base.facts.methods:
                function = program.function(base.path, f"{base.facts.qualname}.{name}")
                if rowless and name in self.guards.rows:
                    continue
                if function is not None and name.startswith(ALONGSIDE):
                    yield Frame(base.path, function)

    def _hangs_on_user(self, frame: Frame, filled: frozenset[str], depth: int, method: str = "") -> bool:
        """Whether rows are looked up, something is compared or something unknown is done with whoever is logged in."""
        bars = [way.conditions[-1] for way in frame.function.exits if way.inner == 1 and self.words.is_bad_request(way)]
        barred = {_sides(v.bare(atom[0])) for atom in bars if self._is_oneself(atom)}
        for fact in calls_for(frame.function, method):
            if (fact.name == "eq" and fact.value.args in barred) or self.guards.is_beside(fact, frame.function.calls):
                continue
            if not depth and self.guards.is_of_members(fact, frame.function.calls):
                continue  # counted among the guards
            target = v.bare(fact.value.target)
            changes = self.words.has("changing-call", fact.name)
            if isinstance(target, v.Attr) and self.words.speaks_of_user(target.base):
                if self.asks(fact.name) or changes or self.words.has("acting", fact.name):
                    return True
            made = v.bare(target.base) if isinstance(target, v.Attr) else None
            if isinstance(made, v.Call) and any(map(self.words.speaks_of_user, made.args)):
                return True  # `Basket(request.user).clear()`
            given = (*fact.value.args, *(value for _, value in fact.value.keywords))
            if changes and any(isinstance(v.bare(value), v.Param) and names_request(value) for value in given):
                if not self._is_followed(fact, frame, depth):
                    return True
            if self.words.called("row-query", fact.name) and any(_is_current(value) for value in given):
                return True
            if self._compares_owners(fact):
                return True
            if not any(self._is_user(value, filled) for value in given) or self._only_tells(fact):
                continue
            if self.words.called("row-query", fact.name) or fact.name == "eq" or self.asks(fact.name):
                return True
            if self.looks.is_lost(Bound(fact.value, frame)) and not fact.name[:1].isupper():
                return True
            if depth < MAX_DEPTH and any(
                self._hangs_within(one, depth) for one in self._reached(fact, frame) if one is not None
            ):
                return True
        return False

    def _compares_owners(self, fact: CallFact) -> bool:
        """Whether whom a row belongs to is compared with something that is not written down: `row.owner == mine()`."""
        sides = [v.bare(side) for side in fact.value.args] if fact.name in {"eq", "ne"} else []
        owned = any(isinstance(side, v.Attr) and self.words.ends("owner", side.name) for side in sides)
        return owned and not any(isinstance(side, v.Const) for side in sides)

    def _reached(self, fact: CallFact, frame: Frame) -> list[FunctionSymbol | None]:
        return [callee.function for callee in self.looks.values.infer.callees(Bound(fact.value, frame))]

    def _hangs_within(self, function: FunctionSymbol, depth: int) -> bool:
        inner = Frame(function.path, function.facts)
        return any(self.guards.scoped_queries(inner)) or self._hangs_on_user(inner, frozenset(), depth + 1)

    def _is_followed(self, fact: CallFact, frame: Frame, depth: int) -> bool:
        """Whether what a call reaches is in sight, and nothing there hangs on who asks."""
        reached = self._reached(fact, frame) if depth < MAX_DEPTH else []
        return bool(reached) and not any(one is None or self._hangs_within(one, depth) for one in reached)

    def _only_tells(self, fact: CallFact) -> bool:
        """Whether a call keeps or tells who is logged in and asks nothing: `note.author = user`, `notify(user)`."""
        if self.is_message(fact) or fact.name in {"setattr", "setitem"} or self.words.has("telling-call", fact.name):
            return True
        by_position = any(map(self.words.speaks_of_user, fact.value.args))
        return not by_position and self.words.has("making-call", fact.name)

    def asks(self, name: str) -> bool:
        """Whether a call is called like a question about what somebody may do."""
        return any(self.words.has(table, name) for table in ("role", "permission", "owner"))

    def _is_user(self, value: Value, filled: frozenset[str]) -> bool:
        """Whether a value is about who is logged in, and not a part of the address."""
        if isinstance(value, v.Param) and f"{{{value.name}}}" in filled:
            return False
        return self.words.speaks_of_user(value) and not self.words.ends("of-taste", last_name(value))


def _fills_memory(fact: CallFact) -> bool:
    """Whether a call is given something in memory to write to: `picture.save(BytesIO())`."""
    given = (v.bare(value) for value in fact.value.args)
    return any(isinstance(value, v.Call) and last_name(value) in {"BytesIO", "StringIO"} for value in given)


def _sets_for_all(fact: CallFact) -> bool:
    """Whether an attribute is set of something that is there for all requests: `queue.paused = False`."""
    owner = v.bare(fact.value.args[0]) if fact.name == "setattr" and len(fact.value.args) == len(SET) else None
    return isinstance(owner, v.Ref) and OF_BROWSER.isdisjoint(names_in(owner)) and last_name(owner) not in PER_REQUEST


def _sides(value: Value) -> tuple[Value, ...]:
    """What a condition compares."""
    return (value.subject, *value.args) if isinstance(value, v.Op) and value.kind == "test" and value.args else ()


def _is_current(value: Value) -> bool:
    """Whether a value is what whoever asks works in or for: `current_company(request)`."""
    call = v.bare(value)
    if isinstance(call, v.Attr):
        return names_request(v.bare(call.base)) and "current" in split_words(call.name)
    asks = isinstance(call, v.Call) and len(call.args) == 1 and names_request(call.args[0])
    return asks and "current" in split_words(last_name(call))
