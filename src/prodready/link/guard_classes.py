"""What guards the methods of a class: its bases, the guards that it lists, decorators, methods that run first."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from prodready.finding import Location
from prodready.link.frames import Bound, Frame
from prodready.link.guard_actions import Asked, GuardActions
from prodready.link.guard_checks import Check, options_of, strongest
from prodready.link.guard_values import GuardValues, is_empty
from prodready.link.program import ClassSymbol, FunctionSymbol, ValueSymbol
from prodready.link.route import LOGIN, STRENGTH, Guard, Handler
from prodready.link.route_values import RouteValues
from prodready.read import values as v
from prodready.read.facts import BIND, RAISE, RETURN, FunctionFacts
from prodready.read.values import Value

BUILT_IN = frozenset({*dir(builtins), "abc.ABC", "typing.Generic", "typing.Protocol"})
"""Bases that read nothing of the classes derived from them."""


class GuardClasses(GuardValues):
    """Tells the guards of classes."""

    def __init__(self, values: RouteValues) -> None:
        super().__init__(values)
        self.actions = GuardActions(values, self.words)
        routed = [
            effect.route.actions
            for entry in self.knowledge.types.values()
            for effect in entry.methods.values()
            if not isinstance(effect, str) and effect.route is not None
        ]
        self.rows = self.knowledge.members("rows")
        """Methods and attributes that say which rows a class is about."""
        self.makers = frozenset(
            name
            for entry in self.knowledge.types.values()
            for name, effect in entry.methods.items()
            if not isinstance(effect, str) and effect.route is not None and "self" in effect.route.handler
        )
        """Methods of classes that make a handler of the class."""
        self._rows = {name: "{" in path for actions in routed for name, path in actions.items()}

    def asked(self, handler: Handler, methods: Sequence[str]) -> Asked:
        """What a request for a handler asks of the guards of its class."""
        action = handler.name.rpartition(".")[2]
        row = self._rows.get(action) if handler.cls is not None else None
        frame = handler.frame
        for decorator in frame.function.decorators if frame is not None and row is None else ():
            bound = Bound(decorator, self.infer.home(frame)) if frame is not None else None
            effect = self.values.effect(bound) if bound is not None else None
            call = v.bare(decorator)
            if effect is not None and effect.route is not None and effect.route.detail and isinstance(call, v.Call):
                detail = self.values.argument(call, effect.route.detail)
                row = bool(detail.value) if isinstance(detail, v.Const) else None
        return Asked(action, tuple(methods), row)

    def for_asked(self, guard: Guard, asked: Asked) -> Guard:
        """A guard as it is for one route, where the class that decides looks at what is asked for."""
        if guard.by is None:
            return guard
        cls = guard.by
        bases = [base for base in self.program.lineage(cls) if isinstance(base, str)]
        rows = {name for base in bases for name in self.knowledge.listed(base, "before_row")}
        told: list[str] = []
        looks = general = False
        for name in dict.fromkeys(name for base in bases for name in self.knowledge.listed(base, "before")):
            member = self.program.member(cls, name)
            if not isinstance(member, FunctionSymbol):
                continue
            if name in rows and asked.row is False:
                looks = True
                continue
            general = general or name not in rows
            kind = self.actions.kind(member, cls, asked)
            looks = looks or kind is not None
            if kind is None:
                checks: list[Check] = [*self.checks(member), *self.decides(member)]
                kind = strongest(checks).kind if checks else ""
            told.append(kind)
        if not looks:
            return guard
        if not general:
            told += [kind for base in bases if (kind := self.knowledge.guards(base))][:1]
        kind = max(told, key=lambda one: STRENGTH.get(one, 0), default="") or "open"
        return replace(guard, kind=kind, partial=False)

    def of_class(self, cls: ClassSymbol, handler: Handler, asked: Asked) -> Iterator[Guard]:
        """The guards of a handler that is a method of a class."""
        lineage = self.program.lineage(cls)
        own = handler.frame.function.qualname if handler.frame is not None else ""
        listed = self.listing(cls)
        action = handler.name.rpartition(".")[2]
        for attribute in sorted(listed):
            yield from self._listed(cls, attribute, asked)
        yield from self._identified(cls)
        for base in lineage:
            if isinstance(base, ClassSymbol):
                home = self.values.module(base.path)
                for decorator in base.facts.decorators:
                    value = v.bare(decorator)
                    effect = self.values.effect(Bound(decorator, home))
                    if effect is None or effect.route is None:
                        where = "class"
                        yield from (g for g in self.of_value(Bound(value, home), where) if _applies(value, action))
            else:
                kind = self.knowledge.guards(base) or self._of_unknown_base(base)
                if kind:
                    yield Guard(kind, base.rpartition(".")[2], Location(cls.path, cls.facts.line), "base")
        yield from self._required(cls, lineage)
        yield from self._of_makers(lineage)
        for base in lineage:
            if isinstance(base, ClassSymbol):  # dependencies that a class declares for all of its handlers
                for name, annotation in base.facts.annotations.items():
                    given = v.bare(base.facts.attributes.get(name, annotation))
                    value = given.subject if isinstance(given, v.Op) and given.kind == "typed" else given
                    if not name.startswith("_"):
                        yield from self.in_parameter(Bound(value, self.values.module(base.path)))
        yield from self._hooks_of_class(cls, own, action)
        yield from self._row_of_class(cls, action)

    def _of_makers(self, lineage: tuple[ClassSymbol | str, ...]) -> Iterator[Guard]:
        """What a class asks for around the handler that it makes of itself: `as_view`."""
        for base in lineage:
            if not isinstance(base, ClassSymbol):
                continue
            for name in self.makers.intersection(base.facts.methods):
                function = self.program.function(base.path, f"{base.facts.qualname}.{name}")
                checks = self.checks(FunctionSymbol(base.path, function), factory=True) if function is not None else ()
                if checks and function is not None:
                    best, here = strongest(checks), Location(base.path, function.line)
                    yield Guard(best.kind, base.facts.qualname, here, "class", best.partial)

    def _of_unknown_base(self, name: str) -> str:
        """The kind of guard that a class of a library is by its name, where the knowledge has nothing of it."""
        return "" if self.is_known(name) else self.words.required_by(name.rpartition(".")[2])

    def is_known(self, name: str) -> bool:
        """Whether the knowledge speaks of the library that a class comes from."""
        return name.partition(".")[0] in self._libraries

    @cached_property
    def _libraries(self) -> frozenset[str]:
        return frozenset(name.partition(".")[0] for name in (*self.knowledge.types, *self.knowledge.answers))

    def _required(self, cls: ClassSymbol, lineage: tuple[ClassSymbol | str, ...]) -> Iterator[Guard]:
        """What the attributes of a class say that somebody must have, where a base that is not at hand may read them."""
        if all(isinstance(b, ClassSymbol) or self.is_known(b) or b in BUILT_IN for b in lineage):
            return
        names = {n for base in lineage if isinstance(base, ClassSymbol) for n in base.facts.attributes}
        for name in sorted(names):
            member = self.program.member(cls, name) if self.words.required_by(name) else None
            value = v.bare(member.value) if isinstance(member, ValueSymbol) else v.Const(None)
            if (
                isinstance(member, ValueSymbol)
                and not (isinstance(value, v.Const) and not value.value)
                and not is_empty(value)
            ):
                line = getattr(member.value, "line", 0) or cls.facts.line
                yield Guard(self.words.required_by(name), name, Location(member.path, line), "class")

    def listing(self, cls: ClassSymbol) -> set[str]:
        """The attributes by which a class may list its guards; a base that is not at hand is judged by how its name ends."""
        found: set[str] = set()
        for base in self.program.lineage(cls):
            if isinstance(base, str):
                found.update(self.knowledge.listed(base, "guarded_by"))
                if not self.is_known(base):
                    simple = base.rpartition(".")[2]
                    found.update(a for end, names in self._listing_ends.items() if simple.endswith(end) for a in names)
        return found

    @cached_property
    def _listing_ends(self) -> dict[str, tuple[str, ...]]:
        """Of the classes that list guards in attributes: the last names, with those attributes."""
        listed = {name: tuple(self.knowledge.listed(name, "guarded_by")) for name in self.knowledge.types}
        listed |= {other: listed[name] for other, name in self.knowledge.aliases.items()}
        return {name.rpartition(".")[2]: attributes for name, attributes in listed.items() if attributes}

    def takes_defaults(self, cls: ClassSymbol, attribute: str, asked: Asked) -> bool:
        """Whether a class has no guards of its own in an attribute, nor in the method that gives them."""
        if isinstance(self.program.member(cls, attribute), ValueSymbol):
            return False
        name = f"get_{attribute.removesuffix('_classes')}s"
        for base in self.program.lineage(cls):
            if isinstance(base, ClassSymbol) and name in base.facts.methods:
                getter = self.program.function(base.path, f"{base.facts.qualname}.{name}")
                if (
                    getter is not None
                    and self._got(FunctionSymbol(base.path, getter), cls, attribute, asked) is not None
                ):
                    return False
        return True

    def _row_of_class(self, cls: ClassSymbol, action: str) -> Iterator[Guard]:
        """A method that finds the row for all handlers of a class and refuses it to some."""
        known = (isinstance(base, str) and self.is_known(base) for base in self.program.lineage(cls))
        if action in {"list", "create"} or not any(known):
            return
        for name in self.rows:
            member = self.program.member(cls, name)
            checks = self.checks(member) if isinstance(member, FunctionSymbol) else ()
            found = [c for c in checks if c.raises and STRENGTH[c.kind] > LOGIN]
            if found and isinstance(member, FunctionSymbol):
                best = strongest(found)
                yield Guard(best.kind, name, Location(member.path, member.facts.line), "dispatch", best.partial)

    def _listed(self, cls: ClassSymbol, attribute: str, asked: Asked) -> Iterator[Guard]:
        """The guards that an attribute of the class lists; of the nearest class that has it."""
        name = f"get_{attribute.removesuffix('_classes')}s"
        for base in self.program.lineage(cls):  # each may leave some actions to the next
            getter = (
                self.program.function(base.path, f"{base.facts.qualname}.{name}")
                if isinstance(base, ClassSymbol) and name in base.facts.methods
                else None
            )
            if getter is not None and isinstance(base, ClassSymbol):
                found = self._got(FunctionSymbol(base.path, getter), cls, attribute, asked)
                if found is not None:
                    yield from found
                    return
        member = self.program.member(cls, attribute)
        if not isinstance(member, ValueSymbol):
            return
        bound = Bound(member.value, self.values.module(member.path))
        inner = v.bare(member.value)
        here = Location(member.path, getattr(member.value, "line", cls.facts.line))
        if isinstance(inner, v.Seq) and not inner.items:
            yield Guard("open", f"{attribute} = []", here, "class")
        if isinstance(inner, v.Map):  # by method: `{"get": [...], "post": [...]}`
            for key, value in inner.items:
                if isinstance(v.bare(key or v.UNKNOWN), v.Const) and v.bare(key or v.UNKNOWN).value == asked.action:  # type: ignore[union-attr]
                    yield from self.of_value(bound.sub(value), "class")
            return
        for one in self.values.elements(bound):
            yield from (replace(g, location=here) for g in self.of_value(one, "class"))

    def _got(self, getter: FunctionSymbol, cls: ClassSymbol, attribute: str, asked: Asked) -> list[Guard] | None:
        """What `get_permissions` gives for an action; None where that is what the attribute lists."""
        frame = Frame(getter.path, getter.facts)
        here = Location(getter.path, getter.facts.line)
        options = self._chosen(getter, frame, cls, asked)
        found: list[Guard] = []
        if options and all(isinstance(s := v.bare(o.value), v.Seq) and not s.items for o in options):
            return [Guard("open", f"{getter.facts.qualname.rpartition('.')[2]} gives []", here, "class")]
        unknown = [Guard("unknown", getter.facts.qualname, here, "class")]
        ways: list[list[Guard]] = []
        for option in options:
            value = v.bare(option.value)
            target = v.bare(value.target) if isinstance(value, v.Call) else None
            if isinstance(target, v.Attr) and isinstance(v.bare(target.base), v.Op):  # super().get_permissions()
                if len(options) == 1:
                    return None
                continue
            if isinstance(value, v.Attr) and value.name == attribute:
                if len(options) == 1:
                    return None
                continue
            ways.append(self._each_listed(option.sub(value), cls, attribute, asked) or unknown)
        if not ways:
            return None if options else unknown
        found = min(ways, key=lambda guards: max((g.strength for g in guards), default=0))
        return [replace(g, location=here, partial=g.partial or len(ways) > 1) for g in found]

    def _chosen(self, getter: FunctionSymbol, frame: Frame, cls: ClassSymbol, asked: Asked) -> list[Bound]:
        """What a method that gives guards may give for what is asked."""
        taken: list[Value] = []
        other: list[Value] = []
        for way in getter.facts.decisions:
            verdict = self.actions.holds(way, frame, cls, asked)
            if way.kind == RETURN and verdict is True:
                return [Bound(way.value, frame)]
            if way.kind == BIND and verdict is True:
                taken = [way.value]
            elif verdict is None:
                taken.append(way.value)
            else:
                other.append(way.value)
        if taken:
            return [Bound(value, frame) for value in taken]
        returned = getter.facts.returns
        options = options_of(returned) if returned is not None else ()
        flat: list[Value] = []
        for option in options:
            inner = v.bare(option)
            items = inner.items if isinstance(inner, v.Seq) and len(inner.items) == 1 else ()
            made = v.bare(items[0]) if items else None
            each = v.bare(made.target) if isinstance(made, v.Call) else None
            flat += options_of(each.subject) if isinstance(each, v.Op) and each.kind == "each" else (option,)
        kept = [x for x in flat if not any(_same(x, y) for y in other)]
        return [Bound(value, frame) for value in kept or flat]

    def _each_listed(self, bound: Bound, cls: ClassSymbol, attribute: str, asked: Asked) -> list[Guard]:
        """The guards in a list; of a table that is asked for the action, those of its entry."""
        value = v.bare(bound.value)
        if isinstance(value, v.Seq):
            return [g for one in value.items for g in self._each_listed_item(bound.sub(one))]
        table, default = _looked_up(value)
        if table is None:
            return []
        member = self.program.member(cls, table.name) if isinstance(table, v.Attr) else None
        known = isinstance(member, ValueSymbol)
        bound = Bound(member.value, self.values.module(member.path)) if known else bound.sub(table)  # type: ignore[union-attr]
        for leaf in self.values.reducer.leaves(bound):
            if isinstance(leaf.value, v.Map):
                for key, listed in leaf.value.items:
                    if isinstance(key, v.Const) and key.value == asked.action:
                        return [
                            g for one in self.values.elements(leaf.sub(listed)) for g in self.of_value(one, "class")
                        ]
        given = self.program.member(cls, default.name) if isinstance(default, v.Attr) else None
        if not isinstance(given, ValueSymbol):
            given = self.program.member(cls, attribute)
        if not isinstance(given, ValueSymbol):
            return []
        home = self.values.module(given.path)
        return [g for one in self.values.elements(Bound(given.value, home)) for g in self.of_value(one, "class")]

    def _each_listed_item(self, bound: Bound) -> list[Guard]:
        value = v.bare(bound.value)
        each = v.bare(value.target) if isinstance(value, v.Call) else None
        if isinstance(each, v.Op) and each.kind == "each":  # permission() for permission in ...
            return [g for one in self.values.elements(bound.sub(each.subject)) for g in self.of_value(one, "class")]
        return self.of_value(bound.sub(value), "class")

    def _identified(self, cls: ClassSymbol) -> Iterator[Guard]:
        """Classes that find out who asks, and refuse who does not say so."""
        bases = [base for base in self.program.lineage(cls) if isinstance(base, str)]
        for attribute in sorted({name for base in bases for name in self.knowledge.listed(base, "identified_by")}):
            member = self.program.member(cls, attribute)
            if not isinstance(member, ValueSymbol):
                continue
            for one in self.values.elements(Bound(member.value, self.values.module(member.path))):
                symbol = self.infer.symbol_of(v.bare(one.value), one.frame)
                if isinstance(symbol, ClassSymbol) and self._refuses_strangers(symbol):
                    here = Location(member.path, getattr(member.value, "line", 0) or cls.facts.line)
                    yield Guard("login", symbol.facts.qualname, here, "class")

    def _refuses_strangers(self, cls: ClassSymbol) -> bool:
        """Whether such a class raises where nothing was sent that tells who asks; others give nothing back then."""
        bases = [base for base in self.program.lineage(cls) if isinstance(base, str)]
        for name in dict.fromkeys(name for base in bases for name in self.knowledge.listed(base, "before")):
            method = self.program.member(cls, name)
            if isinstance(method, FunctionSymbol):
                returned = method.facts.returns
                if returned is None or v.Const(None) in map(v.bare, options_of(returned)):
                    return False
                ways = (way for way in method.facts.exits if way.kind == RAISE)
                return any(map(self.words.refuses, ways)) or any(check.raises for check in self.checks(method))
        return False

    def _hooks_of_class(self, cls: ClassSymbol, own: str, action: str) -> Iterator[Guard]:
        """Methods that run before a handler of the class: known ones, and those that are called like a check."""
        lineage = self.program.lineage(cls)
        tables = ("before",) if action in {"list", "create"} else ("before", "before_row")
        bases = [base for base in lineage if isinstance(base, str)]
        known = {name for base in bases for table in tables for name in self.knowledge.listed(base, table)}
        seen: set[str] = set()
        for base in lineage:
            for name in base.facts.methods if isinstance(base, ClassSymbol) else ():
                if name in seen:
                    continue
                qualname = f"{base.facts.qualname}.{name}"  # type: ignore[union-attr]
                function = self.program.function(base.path, qualname)  # type: ignore[union-attr]
                if function is None or not goes_on(function, name):
                    seen.add(name)
                checks_by_name = name.startswith("_") and not name.startswith("__") and self.words.has("guard", name)
                if qualname == own or not (name in known or (checks_by_name and self._is_run(lineage, name))):
                    continue
                if function is None:
                    continue
                symbol = FunctionSymbol(base.path, function)  # type: ignore[union-attr]
                found = list(self.checks(symbol))
                if not found and name in known and function.returns is not None and name.startswith(("test", "has")):
                    found = self.decides(symbol)
                if not found and name in known and any(self.words.has("refusal", fact.name) for fact in function.calls):
                    found = [Check("permission", name, Location(symbol.path, function.line))]
                for decorator in function.decorators:
                    yield from self.of_value(
                        Bound(decorator, self.infer.home(Frame(symbol.path, function))), "dispatch"
                    )
                if found:
                    best = strongest(found)
                    yield Guard(best.kind, name, Location(symbol.path, function.line), "dispatch", best.partial)

    def _is_run(self, lineage: tuple[ClassSymbol | str, ...], name: str) -> bool:
        """Whether the part of a class that handles requests runs a method, and not only another check."""
        for base in lineage:
            facts = self.program.facts(base.path) if isinstance(base, ClassSymbol) else None
            if facts is None or not isinstance(base, ClassSymbol):
                continue
            for method in base.facts.methods:
                called = facts.called.get(f"{base.facts.qualname}.{method}", ())
                if name in called and method != name and not self.words.has("guard", method):
                    return True
        return False


def goes_on(function: FunctionFacts, name: str) -> bool:
    """Whether a method does what the method `name` of the class above does, too."""
    targets = (v.bare(fact.value.target) for fact in function.calls if fact.name == name)
    bases = (v.bare(target.base) for target in targets if isinstance(target, v.Attr))
    return any(isinstance(base, v.Op) and base.kind == "super" for base in bases)


def _same(one: Value, other: Value) -> bool:
    return v.bare(one) == v.bare(other)


def _looked_up(value: Value) -> tuple[Value | None, Value | None]:
    """The table and the default of `table[self.action]`, or of `table.get(self.action, default)`."""
    if isinstance(value, v.Item):
        key = v.bare(value.key)
        return (value.base, None) if isinstance(key, v.Attr) and key.name == "action" else (None, None)
    target = v.bare(value.target) if isinstance(value, v.Call) else None
    if isinstance(value, v.Call) and isinstance(target, v.Attr) and target.name == "get" and value.args:
        key = v.bare(value.args[0])
        if isinstance(key, v.Attr) and key.name == "action":
            return target.base, v.bare(value.args[1]) if len(value.args) > 1 else None
    return None, None


def _applies(value: Value, action: str) -> bool:
    """Whether a decorator of a class is for one of its methods only, and not for this one."""
    if not isinstance(value, v.Call):
        return True
    named = v.bare(dict(value.keywords).get("name", v.UNKNOWN))
    return not isinstance(named, v.Const) or named.value in {"dispatch", action}
