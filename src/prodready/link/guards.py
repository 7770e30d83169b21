"""What guards a handler: decorators, dependencies, classes, hooks, checks inside, and what the settings say for all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import msgspec

from prodready.finding import Location
from prodready.link.frames import Bound, Frame
from prodready.link.guard_actions import Asked
from prodready.link.guard_checks import MANY_CALLS, by_path, options_of, strongest
from prodready.link.guard_classes import GuardClasses
from prodready.link.guard_settings import GuardSettings
from prodready.link.guard_values import is_empty
from prodready.link.guard_words import names_in, names_request
from prodready.link.program import ClassSymbol, FunctionSymbol, Symbol
from prodready.link.route import SAFE_METHODS, STRENGTH, Guard, Handler
from prodready.link.route_values import RouteValues
from prodready.read import values as v
from prodready.read.facts import RAISE, RETURN, CallFact, Exit, FunctionFacts, last_name
from prodready.read.values import Value
from prodready.words import split_words

FEW = 2
ROUTE_NAMES = frozenset({"url_name", "view_name", "endpoint"})
"""How frameworks call the name of the route that is asked for."""


class Guards(GuardClasses):
    """Finds the guards of handlers."""

    def __init__(self, values: RouteValues) -> None:
        super().__init__(values)
        self.settings = GuardSettings(values)
        self._inside: dict[tuple[str, str, str], tuple[Guard, ...]] = {}
        self._hooks: dict[tuple[str, int], tuple[Guard, ...]] = {}
        self._own: dict[tuple[str, str], bool] = {}

    def of(
        self,
        handler: Handler,
        wrappers: Sequence[Bound],
        given: Sequence[Bound],
        before: Sequence[Bound],
        methods: Sequence[str],
        *,
        all_of_them: bool = True,
    ) -> tuple[Guard, ...]:
        """All guards of a handler that answers `methods`, or if that is enough those that are found first.

        `wrappers` are calls around it, `given` what the route and the routers above it list as guards, `before` what runs
        before every handler there.
        """
        asked = self.asked(handler, methods)
        found: list[Guard] = []
        if not all_of_them:
            found += (g for hook in before for g in self._hook(hook))
            found += self._from_settings(handler, asked)
        for bound in given:
            for one in self.values.elements(bound):
                found += self.of_value(one, "dependency")
        if handler.frame is not None:
            found += self._decorated(handler.frame)
            found += self.dependencies(handler.frame)
        for wrapper in wrappers:
            found += self.of_value(wrapper, "decorator")
        if handler.cls is not None:
            found += self.of_class(handler.cls, handler, asked)
        elif handler.frame is None and (kind := self.knowledge.guards(handler.name)):
            found.append(Guard(kind, handler.name.rpartition(".")[2], handler.location, "base"))
        if found and not all_of_them:
            return tuple(found)
        if handler.frame is not None:
            inside = self._inline(handler.frame, handler.cls)
            asked_here = {guard.kind for guard in inside}
            found += (g for g in self._handed_on(handler.frame, handler.cls) if g.kind not in asked_here)
            found += inside
        elif handler.cls is not None and not (asked.row is False and "POST" in methods):
            found += self._scoped_in(self._rows_of(handler.cls))  # a method of a library, about the rows of the class
        if all_of_them:
            found += (g for hook in before for g in self._hook(hook))
            found += self._from_settings(handler, asked)
        reading = all(method in SAFE_METHODS for method in methods)
        told = [self.for_asked(guard, asked) for guard in found]
        kept = [
            replace(g, kind="open") if g.partial and reading and g.where in {"class", "settings"} else g for g in told
        ]
        return tuple(dict.fromkeys(kept))

    def _of_other(self, value: Value, frame: Frame, cls: ClassSymbol | None) -> list[Guard]:
        """The guards of another handler that a response comes from: `return edit(request, pk)`, `return self.put(*args)`."""
        if not isinstance(value, v.Call):
            return []
        target = v.bare(value.target)
        mine = cls or self.program.owner(frame.path, frame.function)
        of_self = _is_own_method(target)
        if isinstance(target, v.Attr) and of_self and mine is not None:
            symbol: Symbol | None = self.program.member(mine, target.name)
        else:
            symbol = self.infer.symbol_of(target, frame) if isinstance(target, (v.Ref, v.Attr)) else None
        if not isinstance(symbol, FunctionSymbol) or symbol.facts is frame.function:
            return []
        other = Frame(symbol.path, symbol.facts)
        inside = (
            self._inline(other, mine if of_self else None) if of_self or any(map(names_request, value.args)) else ()
        )
        return [*self._decorated(other), *inside]

    def _handed_on(self, frame: Frame, cls: ClassSymbol | None = None) -> list[Guard]:
        """The guards of the view that a function hands its request to: `return Page.as_view()(request)`; the weakest."""
        found: list[list[Guard]] = []
        if any(self.words.has("changing-call", fact.name) for fact in frame.function.calls):
            return []  # it does something itself
        returned = options_of(frame.function.returns) if frame.function.returns is not None else ()
        ways = [self._of_other(v.bare(option), frame, cls) for option in returned]
        if ways and all(ways):
            found = ways
        elif to_change := [
            self._of_other(v.bare(way.value), frame, cls) for way in frame.function.exits if _changes(way)
        ]:
            found = [[replace(guard, partial=True) for guard in guards] for guards in to_change]
        for fact in frame.function.calls:
            maker = v.bare(fact.value.target)
            target = v.bare(maker.target) if isinstance(maker, v.Call) else None
            if not isinstance(target, v.Attr) or target.name not in self.makers:
                continue
            symbol = self.infer.symbol_of(v.bare(target.base), frame)
            if isinstance(symbol, ClassSymbol):
                name = f"{symbol.facts.qualname}.dispatch"
                handler = Handler(name, Location(symbol.path, symbol.facts.line), cls=symbol)
                asked = Asked("dispatch", ())
                found.append([*self.of_class(symbol, handler, asked), *self._from_settings(handler, asked)])
        return min(found, key=lambda guards: max((g.strength for g in guards), default=0), default=[])

    def _decorated(self, frame: Frame) -> Iterator[Guard]:
        home = self.infer.home(frame)
        for decorator in frame.function.decorators:
            bound = Bound(decorator, home)
            value = v.bare(decorator)
            effect = self.values.effect(bound)
            if effect is not None and (effect.route is not None or effect.decorates == "handler") and not effect.guards:
                if (
                    effect.route is not None
                    and isinstance(value, v.Call)
                    and effect.route.guards
                    and effect.route.detail
                ):
                    listed = self.values.argument(value, effect.route.guards)
                    if listed is not None:
                        yield from (
                            g
                            for one in self.values.elements(bound.sub(listed))
                            for g in self.of_value(one, "decorator")
                        )
                continue
            found = self.of_value(bound, "decorator")
            if not isinstance(value, v.Call):  # a name does not tell where it stands
                found = [replace(g, location=Location(frame.path, frame.function.line)) for g in found]
            yield from found

    def _hook(self, bound: Bound) -> tuple[Guard, ...]:
        key = (bound.frame.path, id(bound.value))
        if key not in self._hooks:
            self._hooks[key] = tuple(self._of_hook(bound))
        return self._hooks[key]

    def _of_hook(self, bound: Bound) -> Iterator[Guard]:
        value = v.bare(bound.value)
        effect = self.values.effect(bound) if isinstance(value, v.Call) else None
        if effect is not None and effect.asks and not effect.guards and isinstance(value, v.Call):
            asked = self.values.argument(value, effect.asks)
            value = v.bare(asked) if asked is not None else value
        symbol = self.infer.symbol_of(value if not isinstance(value, v.Call) else value.target, bound.frame)
        if isinstance(symbol, ClassSymbol):
            yield from self.of_middleware(symbol)
        elif isinstance(symbol, FunctionSymbol):
            called = isinstance(v.bare(bound.value), v.Call)
            found = tuple(c for c in self.checks(symbol, factory=called) if not c.answers)
            if found and not self.words.has("no-guard", symbol.facts.qualname):
                here = Location(symbol.path, symbol.facts.line)
                exempt = any(by_path(e) for e in symbol.facts.exits)
                for told in dict.fromkeys(check.reach for check in found):
                    best = strongest([check for check in found if check.reach == told])
                    exempt = exempt or best.partial
                    yield Guard(best.kind, symbol.facts.qualname, here, "before_request", exempt, reach=told)
            else:
                frame = self.infer.home(Frame(symbol.path, symbol.facts))
                for decorator in symbol.facts.decorators:
                    guards = self.of_value(Bound(decorator, frame), "before_request")
                    yield from (g for g in guards if g.kind != "unknown")
        else:
            yield from (g for g in self.of_value(bound.sub(value), "before_request") if g.kind != "unknown")

    def of_middleware(self, cls: ClassSymbol) -> Iterator[Guard]:
        """What a class that every request passes turns away."""
        for base in self.program.lineage(cls):
            if isinstance(base, str):
                kind = self.knowledge.guards(base)
                if kind:
                    yield Guard(kind, cls.facts.qualname, Location(cls.path, cls.facts.line), "middleware", True)
                continue
            for name in base.facts.methods:
                function = self.program.function(base.path, f"{base.facts.qualname}.{name}")
                if function is None or name.startswith("__init"):
                    continue
                checks = [c for c in self.checks(FunctionSymbol(base.path, function)) if not c.answers]
                if checks:
                    best = strongest(checks)
                    frame = Frame(base.path, function)
                    names = self._names_in_table(frame)
                    told = msgspec.structs.replace(best.reach, names=names)
                    here = Location(base.path, function.line)
                    yield Guard(best.kind, cls.facts.qualname, here, "middleware", names is None, reach=told)
                    return

    def _names_in_table(self, frame: Frame) -> frozenset[str] | None:
        """The routes that a check is for which looks up in a table what it asks for: `CHECKS.get(match.url_name)`."""
        for fact in frame.function.calls:
            target = v.bare(fact.value.target)
            if not (isinstance(target, v.Attr) and target.name == "get" and fact.value.args):
                continue
            if not any(name in ROUTE_NAMES for name in names_in(fact.value.args[0])):
                continue
            for leaf in self.values.reducer.leaves(Bound(target.base, frame)):
                if isinstance(leaf.value, v.Map):
                    keys = [key.value for key, _ in leaf.value.items if isinstance(key, v.Const)]
                    return frozenset(key for key in keys if isinstance(key, str))
        return None

    @cached_property
    def _by_middleware(self) -> tuple[Guard, ...]:
        """What the middleware of the settings turns away."""
        found: list[Guard] = []
        for middleware in self.settings.middleware:
            symbol = self.values.named(middleware.text, middleware.location.path)
            if isinstance(symbol, ClassSymbol):
                found += self.of_middleware(symbol)
            elif kind := self.knowledge.guards(middleware.text):
                found.append(Guard(kind, middleware.text.rpartition(".")[2], middleware.location, "middleware", True))
        return tuple(found)

    def _from_settings(self, handler: Handler, asked: Asked) -> Iterator[Guard]:
        cls = handler.cls
        yield from self._by_middleware
        frame = handler.frame
        if cls is not None:
            attributes = self.listing(cls) & self.settings.attributes
            if not attributes or not all(self.takes_defaults(cls, a, asked) for a in attributes):
                return
        elif frame is None:
            if self.settings.attributes.isdisjoint(self.knowledge.listed(handler.name, "guarded_by")):
                return
        elif not self._takes_defaults(frame):
            return
        for default in self.settings.defaults:
            symbol = self.values.named(default.text, default.location.path)
            if isinstance(symbol, ClassSymbol):
                yield from self.of_guard_class(symbol, "settings", default.location, 0)
            else:
                yield from self.of_library(default.text, default.text.rpartition(".")[2], default.location, "settings")

    def _takes_defaults(self, frame: Frame) -> bool:
        """Whether a function is made a view of the kind that the default guards are for, and has none of its own."""
        home = self.infer.home(frame)
        effects = [self.values.effect(Bound(d, home)) for d in frame.function.decorators]
        names = [e for e in effects if e is not None]
        made = any(
            e.route is not None and e.route.methods and not e.route.path and e.decorates == "handler" for e in names
        )
        return made and not any(e.decorates == "guard" and e.asks for e in names)

    def _inline(self, frame: Frame, cls: ClassSymbol | None) -> tuple[Guard, ...]:
        key = (*frame.key, cls.facts.qualname if cls is not None else "")
        if key not in self._inside:
            found: dict[tuple[str, str], Guard] = {}
            for guard in (*self._own_checks(frame), *self._helpers(frame), *self.scoped_queries(frame, cls)):
                where = "inline" if guard.where == "helper" else guard.where
                found.setdefault((guard.kind, where), guard)
            self._inside[key] = tuple(found.values())
        return self._inside[key]

    def _own_checks(self, frame: Frame) -> Iterator[Guard]:
        for check in self._exits(FunctionSymbol(frame.path, frame.function), own=True):
            yield Guard(check.kind, check.text, check.location, "inline", check.partial)

    def _helpers(self, frame: Frame) -> Iterator[Guard]:
        returned = v.bare(frame.function.returns) if frame.function.returns is not None else None
        for fact in frame.function.calls[: 2 * MANY_CALLS]:
            bound = Bound(fact.value, frame)
            here = Location(frame.path, fact.span.line, fact.span.column)
            for callee in self.infer.callees(bound):
                effect = callee.effect
                if effect is not None and effect.guards and effect.guards != "open" and effect.decorates != "guard":
                    if not self.is_waived(fact.value, effect.waived, effect.unless):
                        yield Guard(effect.guards, f"{fact.name}()", here, "helper")
                elif callee.function is not None and not callee.assumed and not self._asks_nothing(fact, frame):
                    handed = fact.value == returned or _is_answered(fact, frame)  # what it returns is the response
                    to_change = not handed and any(
                        v.bare(e.value) == fact.value for e in frame.function.exits if _changes(e)
                    )
                    found = [
                        c for c in self.checks(callee.function) if c.raises or ((handed or to_change) and c.refuses)
                    ]
                    for check in found if handed or to_change else found[:1]:
                        yield Guard(check.kind, f"{fact.name}()", here, "helper", check.partial or to_change)
                    if self._looks_up_own(callee.function):
                        yield Guard("ownership", f"{fact.name}()", here, "helper")
                    elif self._gives_own(callee.function):
                        yield Guard("ownership", f"{fact.name}()", here, "query")

    def _gives_own(self, function: FunctionSymbol) -> bool:
        """Whether a function returns a query for rows that belong to who asks."""
        returned = function.facts.returns
        made = (
            {(x.line, x.column) for x in v.walk(returned) if isinstance(x, v.Call)} if returned is not None else set()
        )
        calls = function.facts.calls
        return any((f.value.line, f.value.column) in made and self._is_scoped(f, calls) for f in calls[:MANY_CALLS])

    def _looks_up_own(self, function: FunctionSymbol, depth: int = 0) -> bool:
        """Whether a function finds nothing where what is asked for does not belong to who asks, and refuses then."""
        key = (function.path, function.facts.qualname)
        if key not in self._own:
            self._own[key] = False
            frame = Frame(function.path, function.facts)
            hides = any(way.kind == RAISE and self.words.refuses(way) for way in function.facts.exits)
            hides = hides or any("404" in fact.name for fact in function.facts.calls)
            for fact in function.facts.calls[:MANY_CALLS]:
                if hides and self._is_scoped(fact, function.facts.calls):
                    self._own[key] = True
                elif depth < 2 and "get" in split_words(fact.name):
                    callees = self.infer.callees(Bound(fact.value, frame))
                    self._own[key] |= any(
                        c.function is not None and not c.assumed and self._looks_up_own(c.function, depth + 1)
                        for c in callees
                    )
        return self._own[key]

    def _asks_nothing(self, fact: CallFact, frame: Frame) -> bool:
        """Whether a call guards nothing: it is part of a login, or is given a rule that lets everybody in."""
        named = (
            self.infer.symbol_of(v.bare(x), frame) for x in fact.value.args if isinstance(v.bare(x), (v.Ref, v.Attr))
        )
        rules = [one.facts for one in named if isinstance(one, FunctionSymbol)]
        return self._takes_credentials(fact) or any(rule.returns == v.Const(True) for rule in rules)

    def _takes_credentials(self, fact: CallFact) -> bool:
        """Whether a call is given what somebody logs in with: it is part of a login, and guards nothing."""
        given = [*fact.value.args, *(x for _, x in fact.value.keywords)]
        names = [name for value in given for name in list(names_in(value))[:3]]
        return any(self.words.ends("password", name) for name in names)

    def scoped_queries(self, frame: Frame, cls: ClassSymbol | None = None) -> Iterator[Guard]:
        """Rows are looked up among those that belong to whoever asks."""
        functions = [frame]
        cls = cls or self.program.owner(frame.path, frame.function)
        if cls is not None and any(self._asks_for_rows(fact) for fact in self._with_own_methods(frame, cls)):
            functions += self._rows_of(cls)
        yield from self._scoped_in(functions)
        for one in functions[1:]:
            if self._looks_up_own(FunctionSymbol(one.path, one.function)):
                yield Guard("ownership", one.function.qualname, Location(one.path, one.function.line), "query")

    def _with_own_methods(self, frame: Frame, cls: ClassSymbol) -> Iterator[CallFact]:
        """The calls of a handler, and of the methods of its own class that it calls."""
        for fact in frame.function.calls:
            yield fact
            target = v.bare(fact.value.target)
            member = self.program.member(cls, fact.name) if _is_own_method(target) else None
            if isinstance(member, FunctionSymbol):
                yield from member.facts.calls

    def _asks_for_rows(self, fact: CallFact) -> bool:
        """Whether a method gets the rows that its class is about, itself or by the method of a base class."""
        target = v.bare(fact.value.target)
        above = isinstance(target, v.Attr) and isinstance(base := v.bare(target.base), v.Op) and base.kind == "super"
        return above or fact.name.startswith(self.rows)

    def _rows_of(self, cls: ClassSymbol) -> list[Frame]:
        """The methods that say which rows a class is about."""
        found: list[Frame] = []
        for name in self.rows:
            for base in self.program.lineage(cls):
                facts = (
                    self.program.function(base.path, f"{base.facts.qualname}.{name}")
                    if isinstance(base, ClassSymbol)
                    else None
                )
                if facts is not None and isinstance(base, ClassSymbol):
                    found.append(Frame(base.path, facts))
                    if not any(fact.name == name and self._asks_for_rows(fact) for fact in facts.calls):
                        break  # it does not go on to the next class
        return found

    def _scoped_in(self, functions: Sequence[Frame]) -> Iterator[Guard]:
        for one in functions:
            name = one.function.qualname.rpartition(".")[2]
            if (
                name in self.rows
                and one.function.returns is not None
                and self.words.speaks_of_user(one.function.returns)
            ):
                yield Guard("ownership", name, Location(one.path, one.function.line), "query")  # the row is who asks
                continue
            if name in self.rows and (kind := self._of_rows_for_some(one.function)):
                yield Guard(kind, name, Location(one.path, one.function.line), "query")
                continue
            for fact in one.function.calls:
                if self._is_scoped(fact, one.function.calls):
                    yield Guard(
                        "ownership", f"{fact.name}()", Location(one.path, fact.span.line, fact.span.column), "query"
                    )
                    break

    def _of_rows_for_some(self, function: FunctionFacts) -> str:
        """What is asked for by a method that gives no rows to all others: `if may(request): return rows`, then `none()`."""
        options = [v.bare(option) for option in options_of(function.returns)] if function.returns is not None else []
        giving = [way for way in function.exits if way.kind == RETURN and not _is_nothing(v.bare(way.value))]
        told = [_place(v.bare(way.value)) for way in giving]  # what is large is cut in a way out
        if not any(map(_is_nothing, options)) or any(_place(o) not in told and not _is_nothing(o) for o in options):
            return ""
        kinds: list[str] = []
        whole = {_place(option): option for option in options}
        for way in giving:
            asked = [(value, False) for value, truth in way.conditions if truth]
            kind = self.words.kind(asked, certain=True)
            if not kind and any(self._is_asked_of_request(value) for value, _ in asked):
                kind = "permission"
            own = any(map(self.words.speaks_of_user, v.walk(whole[_place(v.bare(way.value))])))
            kinds.append("ownership" if own and kind in {"", "login"} else kind)
        return min(kinds, key=lambda kind: STRENGTH.get(kind, 0), default="")

    def _is_asked_of_request(self, value: Value) -> bool:
        """Whether a condition is a call that is given the request, or who asks."""
        call = v.bare(value)
        given = call.args if isinstance(call, v.Call) else ()
        return any(names_request(v.bare(one)) or self.words.speaks_of_user(one) for one in given)

    def _is_scoped(self, fact: CallFact, calls: Sequence[CallFact]) -> bool:
        if fact.name in {"eq"} and len(fact.value.args) == 2:
            sides = fact.value.args
            about = [self.words.speaks_of_user(side) for side in sides]
            if about[0] == about[1]:
                return False
            if not any(self.words.called("row-query", call.name) and _holds(call, fact) for call in calls):
                return False  # compared by the handler itself
            other = v.bare(sides[1] if about[0] else sides[0])
            return isinstance(other, v.Attr) and self.words.ends("owner", other.name)
        words = split_words(fact.name)
        asks = words[:1] in {("is",), ("can",), ("has",)}
        own = self.words.has("own-rows", fact.name) and not asks
        if own or words[:1] == ("for",) or words[:2] == ("get", "for"):  # rows.for_user(request.user)
            values = [*fact.value.args, *(value for _, value in fact.value.keywords)]
            return len(values) <= FEW and any(map(self.words.speaks_of_user, values))
        return self.words.called("row-query", fact.name) and self._is_own(fact.value)

    def _is_own(self, condition: Value) -> bool:
        """Whether a query asks for what belongs to whoever asks: `filter(Q(kind="open") & Q(owner=user))`."""
        condition = v.bare(condition)
        if isinstance(condition, v.Choice):  # `Q(owner=user) | Q(members=user)`, but not `Q(owner=user) | Q(open=True)`
            return all(map(self._is_own, condition.options))
        if isinstance(condition, v.Op) and condition.kind == "intersection":
            return any(map(self._is_own, (condition.subject, *condition.args)))
        if not isinstance(condition, v.Call):
            return False
        return any(map(self._is_own, condition.args)) or any(
            self.words.speaks_of_user(value) and any(map(self._names_owner, key.split("__")))
            for key, value in condition.keywords
        )

    def _names_owner(self, column: str) -> bool:
        """Whether a column says whom a row belongs to: `owner`, `submitter_email`."""
        told = self.words.ends("owner", column) or self.words.ends("role", column)
        return told or (self.words.has("owner", column) and self.words.ends("user-key", column))


def _place(value: Value) -> tuple[int, int] | Value:
    """Where a call stands; of anything else the value itself."""
    return (value.line, value.column) if isinstance(value, v.Call) else value


def _is_nothing(value: Value) -> bool:
    """Whether a value has no rows in it: `rows.none()`, `[]`."""
    target = v.bare(value.target) if isinstance(value, v.Call) and not value.args else None
    return (isinstance(target, v.Attr) and target.name == "none") or is_empty(value)


def _is_own_method(target: Value) -> bool:
    return isinstance(target, v.Attr) and isinstance(v.bare(target.base), v.Param) and last_name(target.base) == "self"


def _changes(way: Exit) -> bool:
    """Whether a way out is that of requests that change something: `if request.method == "POST": return store(request)`."""
    return way.kind == RETURN and any(
        truth and isinstance(value, v.Op) and "method" in names_in(value) and "POST" in names_in(value)
        for value, truth in way.conditions[-way.inner :]
    )


def _is_answered(fact: CallFact, frame: Frame) -> bool:
    """Whether what a call returns is the response if it is anything: `error = check(request)`, `if error: return error`."""
    for way in frame.function.exits:
        asked = (part for value, _ in way.conditions[-way.inner :] for part in v.walk(value)) if way.inner else ()
        if way.kind == RETURN and fact.value in v.walk(way.value) and fact.value in asked:
            return True
    return False


def _holds(outer: CallFact, inner: CallFact) -> bool:
    """Whether a call stands inside of another one."""
    a, b = outer.span, inner.span
    return (a.line, a.column) <= (b.line, b.column) and (b.end_line, b.end_column) <= (a.end_line, a.end_column)
