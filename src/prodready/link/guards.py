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
from prodready.link.guard_rows import GuardRows, is_above, is_own_method
from prodready.link.guard_settings import GuardSettings
from prodready.link.guard_words import names_in, names_request
from prodready.link.program import ClassSymbol, FunctionSymbol, Symbol
from prodready.link.route import SAFE_METHODS, Guard, Handler
from prodready.link.route_values import RouteValues
from prodready.link.run_by import run_by
from prodready.read import values as v
from prodready.read.facts import RETURN, CallFact, Exit
from prodready.read.values import Value

ROUTE_NAMES = frozenset({"url_name", "view_name", "endpoint"})
"""How frameworks call the name of the route that is asked for."""


class Guards(GuardRows):
    """Finds the guards of handlers."""

    def __init__(self, values: RouteValues) -> None:
        super().__init__(values)
        self.settings = GuardSettings(values)
        self._inside: dict[tuple[str, str, str], tuple[Guard, ...]] = {}
        self._hooks: dict[tuple[str, int], tuple[Guard, ...]] = {}

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
            name = handler.frame.function.qualname.rpartition(".")[2]
            goes_on = any(fact.name == name and is_above(fact) for fact in handler.frame.function.calls)
            if handler.cls is not None and goes_on:
                found += self._run_by(handler.cls, name, above=True)
        elif handler.cls is not None:  # a method of a library
            found += self._run_by(handler.cls, handler.name.rpartition(".")[2])
            if not (asked.row is False and "POST" in methods):
                found += self._scoped_in(self._rows_of(handler.cls))
        if all_of_them:
            found += (g for hook in before for g in self._hook(hook))
            found += self._from_settings(handler, asked)
        reading = all(method in SAFE_METHODS for method in methods)
        told = [self.for_asked(guard, asked) for guard in found]
        kept = [
            replace(g, kind="open") if g.partial and reading and g.where in {"class", "settings"} else g for g in told
        ]
        return tuple(dict.fromkeys(kept))

    def _run_by(self, cls: ClassSymbol, name: str, *, above: bool = False) -> Iterator[Guard]:
        """The guards of what a library's method runs of a class; with `above` it is called by what stands in its place."""
        for own in run_by(self.program, self.knowledge, cls, name, above=above):
            run = Frame(own.path, own.facts)
            yield from (*self._decorated(run), *self._inline(run, cls))

    def _of_other(self, value: Value, frame: Frame, cls: ClassSymbol | None) -> list[Guard]:
        """The guards of another handler that a response comes from: `return edit(request, pk)`, `return self.put(*args)`."""
        if not isinstance(value, v.Call):
            return []
        target = v.bare(value.target)
        mine = cls or self.program.owner(frame.path, frame.function)
        of_self = is_own_method(target)
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
        shown = self.shown(frame.function)
        for at, fact in enumerate(frame.function.calls[: 2 * MANY_CALLS]):
            if at in shown:
                continue
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
                    if kind := self._looks_up_own(callee.function):
                        yield Guard(kind, f"{fact.name}()", here, "helper")
                    elif kind := self._gives_own(callee.function):
                        yield Guard(kind, f"{fact.name}()", here, "query")

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
