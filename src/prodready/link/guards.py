"""What guards a handler: decorators, dependencies, classes, hooks, checks inside, and what the settings say for all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from prodready.finding import Location
from prodready.link.client_claims import ClientClaims
from prodready.link.frames import Bound, Callee, Frame
from prodready.link.guard_settings import GuardSettings
from prodready.link.guard_words import GuardWords, names_in
from prodready.link.program import ClassSymbol, FunctionSymbol, LibrarySymbol, ModuleSymbol, ValueSymbol
from prodready.link.route import SAFE_METHODS, Guard, Handler
from prodready.link.route_values import RouteValues
from prodready.read import values as v
from prodready.read.facts import RETURN, CallFact, ClassFacts, Exit, FunctionFacts, last_name
from prodready.read.values import Value
from prodready.words import split_words

MAX_DEPTH = 3
"""Calls that are followed from a handler or a decorator to the check."""

MANY_CALLS = 40
WAIVING = ("optional", "allow_anonymous", "is_optional")
UNLESS = ("required", "auto_error", "raise_error", "raise_exception", "is_required")
"""Arguments by which functions of projects that make guards are told to turn nobody away."""

PATH_WORDS = frozenset(
    {"path", "endpoint", "url", "blueprint", "route", "full_path", "path_info", "url_rule", "resolver_match"}
)
ORDER = ("role", "permission", "ownership", "login", "token", "open", "unknown")


@dataclass(frozen=True)
class Check:
    """A place that turns requests away: what it asks for, and whether some requests never get there."""

    kind: str
    text: str
    location: Location
    partial: bool = False


class Guards:
    """Finds the guards of handlers."""

    def __init__(self, values: RouteValues) -> None:
        self.values = values
        self.program, self.infer, self.knowledge = values.program, values.infer, values.knowledge
        self.words = GuardWords(values.knowledge)
        self.settings = GuardSettings(values)
        self.claims = ClientClaims(values, self.words)
        self._checks: dict[tuple[str, str, bool], tuple[Check, ...]] = {}
        self._inside: dict[tuple[str, str, bool], tuple[Guard, ...]] = {}
        self._hooks: dict[tuple[str, int], tuple[Guard, ...]] = {}
        self._busy: set[tuple[str, str]] = set()

    def of(
        self,
        handler: Handler,
        wrappers: Sequence[Bound],
        given: Sequence[Bound],
        before: Sequence[Bound],
        methods: Sequence[str],
    ) -> tuple[Guard, ...]:
        """All guards of a handler that answers `methods`.

        `wrappers` are calls around it, `given` what the route and the routers above it list as guards, `before` what runs
        before every handler there.
        """
        found: list[Guard] = []
        for bound in given:
            for one in self.values.elements(bound):
                found += self.of_value(one, "dependency")
        if handler.frame is not None:
            found += self._decorated(handler.frame)
            found += self._dependencies(handler.frame)
        for wrapper in wrappers:
            found += self.of_value(wrapper, "decorator")
        if handler.cls is not None:
            found += self._of_class(handler.cls, handler, methods)
        if handler.frame is not None:
            found += self._inline(handler.frame)
        for hook in before:
            found += self._hook(hook)
        found += self._from_settings(handler)
        reading = all(method in SAFE_METHODS for method in methods)
        kept = [
            replace(g, kind="open") if g.partial and reading and g.where in {"class", "settings"} else g for g in found
        ]
        return tuple(dict.fromkeys(kept))

    # Things that are guards

    def of_value(self, bound: Bound, where: str, depth: int = 0) -> list[Guard]:
        """The guards that a decorator, a dependency, a permission class or an instance of one amounts to."""
        value = v.bare(bound.value)
        if depth > 6:
            return []
        here = _place(bound)
        if isinstance(value, v.Choice):
            options = [self.of_value(bound.sub(o), where, depth + 1) for o in value.options]
            if any(not option for option in options):
                return []
            return [min((g for o in options for g in o), key=lambda g: g.strength)] if options else []
        if isinstance(value, v.Seq):
            return [g for one in self.values.elements(bound.sub(value)) for g in self.of_value(one, where, depth + 1)]
        if isinstance(value, v.Call):
            return self._of_call(bound.sub(value), value, where, here, depth)
        if isinstance(value, v.Item):  # Annotated[User, Depends(...)]
            return self._annotated(bound.sub(value), depth)
        symbol = self.infer.symbol_of(value, bound.frame)
        effect = self.values.effect(bound.sub(value))
        if effect is not None and effect.guards:
            return [Guard(effect.guards, _shown(value), here, where)]
        match symbol:
            case FunctionSymbol():
                return self._of_function(symbol, where, here, depth)
            case ClassSymbol():
                return self._of_guard_class(symbol, where, here, depth)
            case ValueSymbol() if symbol.value != value:
                inner = Bound(symbol.value, self.values.module(symbol.path))
                found = self.of_value(inner, where, depth + 1)
                return [replace(g, text=_shown(value) if depth == 0 else g.text) for g in found]
            case LibrarySymbol():
                kind = self.knowledge.guards(symbol.name)
                if kind:
                    partial = any(self.knowledge.types[n].spares_reading for n in self.knowledge.lineage(symbol.name))
                    return [Guard(kind, _shown(value), here, where, partial)]
                return self._unknown(value, where, here, symbol.name)
        if isinstance(value, v.Attr):
            kind_of = self.infer.type_of(bound.sub(value.base))
            member = self.program.member(kind_of.cls, value.name) if kind_of is not None and kind_of.cls else None
            if isinstance(member, FunctionSymbol):
                return self._of_function(member, where, here, depth)
        reduced = self.values.reducer.step(bound.sub(value))
        if reduced:
            return [g for inner, _ in reduced[:2] for g in self.of_value(inner, where, depth + 1)]
        return self._unknown(value, where, here)

    def _of_call(self, bound: Bound, call: v.Call, where: str, here: Location, depth: int) -> list[Guard]:
        for callee in self.infer.callees(bound):
            effect = callee.effect
            if effect is not None and (effect.guards or effect.asks):
                return self._known(bound, call, callee, where, here, depth)
            if callee.cls is not None:
                return self._of_guard_class(callee.cls, where, here, depth, bound)
            if callee.function is not None:
                return self._made_by(bound, call, callee.function, where, here, depth)
            kind = self.knowledge.guards(callee.name)
            if kind and not self._is_waived(call, (), ("auto_error",)):
                return [Guard(kind, _shown(call), here, where)]
            if effect is not None:
                return []
        target = v.bare(call.target)
        if isinstance(target, v.Call):  # decorator factories in two steps
            return self.of_value(bound.sub(target), where, depth + 1)
        symbol = self.infer.symbol_of(target, bound.frame)
        if isinstance(symbol, LibrarySymbol) and (kind := self.knowledge.guards(symbol.name)):
            return [Guard(kind, _shown(call), here, where)]
        return self._unknown(call, where, here, symbol.name if isinstance(symbol, LibrarySymbol) else "")

    def _known(self, bound: Bound, call: v.Call, callee: Callee, where: str, here: Location, depth: int) -> list[Guard]:
        effect = callee.effect
        assert effect is not None
        if self._is_waived(call, effect.waived, effect.unless):
            return []
        asked = self.values.argument(call, effect.asks)
        if not effect.guards:
            if asked is None:
                return []
            found = self.of_value(bound.sub(asked), where, depth + 1)
            scoped = any(key == "scopes" and not _is_empty(x) for key, x in call.keywords)
            return [replace(g, kind="permission") if scoped and g.kind == "login" else g for g in found]
        kind = effect.guards
        if asked is not None:
            kind = self._asked(bound.sub(asked), kind)
        return [Guard(kind, _shown(call), here, where)]

    def _asked(self, bound: Bound, kind: str) -> str:
        """The kind of a guard by what it asks: a function that decides, or the name of a role or a permission."""
        value = v.bare(bound.value)
        symbol = self.infer.symbol_of(value, bound.frame)
        if isinstance(symbol, FunctionSymbol):
            returned = symbol.facts.returns
            found = self.words.kind([(returned, False)], certain=False) if returned is not None else ""
            return found or kind
        texts = self.values.words(bound)
        if kind == "permission" and texts and all(self.words.ends("logged-in", text) for text in texts):
            return "login"
        return "role" if kind == "login" and texts else kind

    @staticmethod
    def _is_waived(call: v.Call, waived: Iterable[str], unless: Iterable[str]) -> bool:
        given = dict(call.keywords)
        return any(v.bare(given.get(key, v.UNKNOWN)) == v.Const(True) for key in waived) or any(
            v.bare(given.get(key, v.UNKNOWN)) == v.Const(False) for key in unless
        )

    def _made_by(
        self, bound: Bound, call: v.Call, function: FunctionSymbol, where: str, here: Location, depth: int
    ) -> list[Guard]:
        """A decorator with arguments, a function that makes a dependency."""
        if self._is_waived(call, WAIVING, UNLESS) or self.words.is_optional(function.facts.qualname):
            return []
        checks = self.checks(function, factory=True)
        if checks:
            best = _strongest(checks)
            return [Guard(best.kind, _shown(call), here, where, best.partial)]
        returned = function.facts.returns
        if returned is not None and isinstance(v.bare(returned), v.Call):
            frame = self.infer.enter(Callee(function.facts.qualname, function=function), bound)
            if frame is not None:
                return [
                    replace(g, text=_shown(call), location=here)
                    for g in self.of_value(Bound(returned, frame), where, depth + 1)
                ]
        return self._by_returned(Bound(call, bound.frame), where, here, depth)

    def _by_returned(self, bound: Bound, where: str, here: Location, depth: int) -> list[Guard]:
        reduced = self.values.reducer.step(bound)
        options = [inner.sub(option) for inner, _ in (reduced or ())[:2] for option in _options(inner.value)]
        found = [g for option in options for g in self.of_value(option, where, depth + 1) if g.kind != "unknown"]
        return [replace(g, location=here) for g in sorted(found, key=lambda g: ORDER.index(g.kind))[:1]]

    def _of_function(self, function: FunctionSymbol, where: str, here: Location, depth: int) -> list[Guard]:
        """A decorator or a dependency that the project defines."""
        if where == "dependency" and self.words.is_optional(function.facts.qualname):
            return []
        checks = self.checks(function, factory=True)
        found: list[Guard] = []
        text = function.facts.qualname.rpartition(".")[2]
        if checks:
            best = _strongest(checks)
            found.append(Guard(best.kind, text, here, where, best.partial))
        if where == "dependency" and depth < 5:
            found += [
                replace(g, text=text, location=here)
                for g in self._dependencies(Frame(function.path, function.facts), depth + 1)
            ]
        if not found and where == "decorator":
            # A decorator that only puts others together: `return login_required(view)`.
            returned = v.bare(function.facts.returns) if function.facts.returns is not None else None
            if isinstance(returned, v.Call) and depth < 4:
                frame = Frame(function.path, function.facts)
                inner = self.of_value(Bound(returned.target, frame), where, depth + 1)
                found += [replace(g, text=text, location=here) for g in inner if g.kind != "unknown"]
            for _, nested in self._nested(function):
                for decorator in nested.decorators:
                    inner = self.of_value(
                        Bound(decorator, self.infer.home(Frame(function.path, nested))), where, depth + 1
                    )
                    found += [replace(g, text=text, location=here) for g in inner if g.kind != "unknown"]
        best_kind = sorted(found, key=lambda g: ORDER.index(g.kind))
        return best_kind[:1]

    def _of_guard_class(
        self, cls: ClassSymbol, where: str, here: Location, depth: int, made: Bound | None = None
    ) -> list[Guard]:
        """A permission class, an authenticator, or a class whose instances are called as a dependency."""
        text = cls.facts.qualname
        lineage = self.program.lineage(cls)
        names = [m for base in lineage if isinstance(base, str) for m in self.knowledge.listed(base, "before")]
        found: list[Check] = []
        for name in dict.fromkeys([*names, "__call__", "authenticate"]):
            member = self.program.member(cls, name)
            if isinstance(member, FunctionSymbol):
                found += self.checks(member) or self._decides(member)
        if found:
            return [Guard(_strongest(found).kind, text, here, where, _spares_reading(self.program, cls))]
        for base in lineage:
            if isinstance(base, str) and (kind := self.knowledge.guards(base)):
                partial = any(self.knowledge.types[n].spares_reading for n in self.knowledge.lineage(base))
                return [Guard(kind, text, here, where, partial)]
        initial = self.program.member(cls, "__init__")
        if isinstance(initial, FunctionSymbol):
            inner = self._dependencies(Frame(initial.path, initial.facts), depth + 1)
            if inner:
                return [replace(g, text=text, location=here) for g in inner[:1]]
        if any(isinstance(m, FunctionSymbol) for m in (self.program.member(cls, n) for n in names)):
            return [Guard("permission", text, here, where, _spares_reading(self.program, cls))]
        return []

    def _decides(self, function: FunctionSymbol) -> list[Check]:
        """What a function asks for that tells by its result whether somebody may: `return request.user.is_staff`."""
        returned = function.facts.returns
        if returned is None or v.bare(returned) == v.Const(True):
            return []
        location = Location(function.path, function.facts.line)
        frame = Frame(function.path, function.facts)
        atoms: list[tuple[Value, bool]] = [(x, False) for x in _options(returned)]
        atoms += [(c, False) for e in function.facts.exits for c, _ in e.conditions]
        kind = self.words.kind(atoms, certain=True)
        if not kind:
            for fact in function.facts.calls[:MANY_CALLS]:
                for callee in self.infer.callees(Bound(fact.value, frame)):
                    if callee.function is not None and callee.function.facts.returns is not None:
                        kind = kind or self.words.kind([(callee.function.facts.returns, False)], certain=True)
        return [Check(kind or "permission", function.facts.qualname, location)]

    def _unknown(self, value: Value, where: str, here: Location, name: str = "") -> list[Guard]:
        """What is not to be found and may be a guard, by its name."""
        simple = (name or last_name(value)).rpartition(".")[2]
        if where == "settings" or not simple or not self.words.has("guard", simple):
            return []
        if self.words.has("no-guard", simple):
            return []
        return [Guard("unknown", _shown(value), here, where)]

    # Around a handler

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
            yield from self.of_value(bound, "decorator")

    def _dependencies(self, frame: Frame, depth: int = 0) -> list[Guard]:
        """The dependencies in the parameters of a function, and theirs."""
        found: list[Guard] = []
        key = frame.key
        if depth > 5 or key in self._busy:
            return found
        self._busy.add(key)
        try:
            home = self.infer.home(frame)
            here = Location(frame.path, frame.function.line)
            for param in frame.function.params:
                for value in (param.default, param.annotation):
                    if value is not None:
                        inner = self._in_parameter(Bound(value, home), depth)
                        lines = isinstance(v.bare(value), v.Call)
                        found += inner if lines else [replace(g, location=here) for g in inner]
        finally:
            self._busy.discard(key)
        return found

    def _in_parameter(self, bound: Bound, depth: int) -> list[Guard]:
        value = v.bare(bound.value)
        if isinstance(value, v.Call):
            effect = self.values.effect(bound.sub(value))
            if effect is None or effect.guards or not effect.asks:
                return []
            asked = self.values.argument(value, effect.asks)
            if asked is None:
                return []
            return self.of_value(bound.sub(value), "dependency", depth + 1)
        if isinstance(value, (v.Item, v.Ref, v.Attr, v.Choice)):
            return self._annotated(bound.sub(value), depth)
        return []

    def _annotated(self, bound: Bound, depth: int) -> list[Guard]:
        """`Annotated[User, Depends(current_user)]`, or a name that stands for it."""
        value = v.bare(bound.value)
        if depth > 6:
            return []
        if isinstance(value, v.Item):
            if last_name(value.base) != "Annotated":
                return []
            key = v.bare(value.key)
            parts = key.items if isinstance(key, v.Seq) else (key,)
            found = [g for part in parts[1:] for g in self._in_parameter(bound.sub(part), depth + 1)]
            return found or (self._annotated(bound.sub(parts[0]), depth + 1) if parts else [])
        if isinstance(value, v.Choice):
            return []  # None or a user: nobody is turned away
        if isinstance(value, (v.Ref, v.Attr)):
            symbol = self.infer.symbol_of(value, bound.frame)
            if isinstance(symbol, ValueSymbol) and isinstance(v.bare(symbol.value), (v.Item, v.Call)):
                inner = Bound(v.bare(symbol.value), self.values.module(symbol.path))
                found = self._annotated(inner, depth + 1) or self._in_parameter(inner, depth + 1)
                return [replace(g, text=_shown(value)) for g in found]
        return []

    def _of_class(self, cls: ClassSymbol, handler: Handler, methods: Sequence[str]) -> Iterator[Guard]:
        lineage = self.program.lineage(cls)
        own = handler.frame.function.qualname if handler.frame is not None else ""
        listed = {m for base in lineage if isinstance(base, str) for m in self.knowledge.listed(base, "guarded_by")}
        action = handler.name.rpartition(".")[2]
        for attribute in sorted(listed):
            yield from self._listed(cls, attribute, action)
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
                kind = self.knowledge.guards(base)
                if kind:
                    yield Guard(kind, base.rpartition(".")[2], Location(cls.path, cls.facts.line), "base")
        yield from self._hooks_of_class(cls, own, action)

    def _listed(self, cls: ClassSymbol, attribute: str, action: str) -> Iterator[Guard]:
        """The guards that an attribute of the class lists; of the nearest class that has it."""
        getter = self.program.member(cls, f"get_{attribute.removesuffix('_classes')}s")
        if isinstance(getter, FunctionSymbol):
            found = self._got(getter, cls, action)
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
                if isinstance(v.bare(key or v.UNKNOWN), v.Const) and v.bare(key or v.UNKNOWN).value == action:  # type: ignore[union-attr]
                    yield from self.of_value(bound.sub(value), "class")
            return
        for one in self.values.elements(bound):
            yield from (replace(g, location=here) for g in self.of_value(one, "class"))

    def _got(self, getter: FunctionSymbol, cls: ClassSymbol, action: str) -> list[Guard] | None:
        """What `get_permissions` gives for an action; None where that is what the attribute lists."""
        frame = Frame(getter.path, getter.facts)
        here = Location(getter.path, getter.facts.line)
        options: list[Bound] = []
        for way in getter.facts.exits:
            if way.kind == RETURN and _holds(way, action) is True:
                options = [Bound(way.value, frame)]
                break
        if not options and getter.facts.returns is not None:
            options = [Bound(x, frame) for x in _options(getter.facts.returns)]
            tried = [w for w in getter.facts.exits if w.kind == RETURN and _holds(w, action) is False]
            options = [o for o in options if not any(_same(o.value, w.value) for w in tried)] or options
        found: list[Guard] = []
        for option in options:
            value = v.bare(option.value)
            target = v.bare(value.target) if isinstance(value, v.Call) else None
            if isinstance(target, v.Attr) and isinstance(v.bare(target.base), v.Op):
                return found or None  # super().get_permissions()
            if not isinstance(value, v.Seq):
                found.append(Guard("unknown", getter.facts.qualname, here, "class"))
                continue
            for item in value.items:
                inner = v.bare(item)
                if isinstance(inner, v.Call) and isinstance(
                    v.bare(inner.target), v.Op
                ):  # permission() for permission in ...
                    found += self._each_made(option.sub(v.bare(inner.target)), action, getter)
                else:
                    found += self.of_value(option.sub(inner), "class")
        return (
            [replace(g, location=here) for g in found]
            if found
            else [Guard("unknown", getter.facts.qualname, here, "class")]
        )

    def _each_made(self, bound: Bound, action: str, getter: FunctionSymbol) -> list[Guard]:
        op = bound.value
        if not isinstance(op, v.Op) or op.kind != "each":
            return []
        subject = v.bare(op.subject)
        options = _options(subject)
        found: list[list[Guard]] = []
        for option in options:
            inner = v.bare(option)
            if isinstance(inner, v.Attr) and isinstance(v.bare(inner.base), v.Param):
                continue
            found.append([g for one in self.values.elements(bound.sub(inner)) for g in self.of_value(one, "class")])
        if not found:
            return [Guard("unknown", getter.facts.qualname, _place(bound), "class")]
        weakest = min(found, key=lambda guards: max((g.strength for g in guards), default=0))
        return [replace(g, partial=len(found) > 1 or g.partial) for g in weakest] or [
            Guard("unknown", getter.facts.qualname, _place(bound), "class")
        ]

    def _hooks_of_class(self, cls: ClassSymbol, own: str, action: str) -> Iterator[Guard]:
        """Methods that run before a handler of the class: known ones, and those that are called like a check."""
        lineage = self.program.lineage(cls)
        known = {m for base in lineage if isinstance(base, str) for m in self.knowledge.listed(base, "before")}
        seen: set[str] = set()
        for base in lineage:
            for name in base.facts.methods if isinstance(base, ClassSymbol) else ():
                if name in seen:
                    continue
                seen.add(name)
                qualname = f"{base.facts.qualname}.{name}"  # type: ignore[union-attr]
                checks_by_name = name.startswith("_") and not name.startswith("__") and self.words.has("guard", name)
                if qualname == own or not (name in known or (checks_by_name and self._is_run(lineage, name))):
                    continue
                function = self.program.function(base.path, qualname)  # type: ignore[union-attr]
                if function is None:
                    continue
                symbol = FunctionSymbol(base.path, function)  # type: ignore[union-attr]
                found = list(self.checks(symbol))
                if not found and name in known and function.returns is not None and name.startswith(("test", "has")):
                    found = self._decides(symbol)
                for decorator in function.decorators:
                    yield from self.of_value(
                        Bound(decorator, self.infer.home(Frame(symbol.path, function))), "dispatch"
                    )
                if found:
                    best = _strongest(found)
                    yield Guard(best.kind, name, Location(symbol.path, function.line), "dispatch", best.partial)

    def _is_run(self, lineage: tuple[ClassSymbol | str, ...], name: str) -> bool:
        """Whether the part of a class that handles requests runs a method, and not only another check."""
        for base in lineage:
            facts = self.program.facts(base.path) if isinstance(base, ClassSymbol) else None
            for method in base.facts.methods if facts is not None and isinstance(base, ClassSymbol) else ():
                called = facts.called.get(f"{base.facts.qualname}.{method}", ()) if facts is not None else ()
                if name in called and method != name and not self.words.has("guard", method):
                    return True
        return False

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
            found = self.checks(symbol, factory=True)
            if found:
                best = _strongest(found)
                exempt = best.partial or any(_by_path(e) for e in symbol.facts.exits)
                yield Guard(
                    best.kind, symbol.facts.qualname, Location(symbol.path, symbol.facts.line), "before_request", exempt
                )
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
                checks = self.checks(FunctionSymbol(base.path, function))
                if checks:
                    best = _strongest(checks)
                    yield Guard(best.kind, cls.facts.qualname, Location(base.path, function.line), "middleware", True)
                    return

    def _from_settings(self, handler: Handler) -> Iterator[Guard]:
        cls = handler.cls
        for middleware in self.settings.middleware:
            symbol = self.values.named(middleware.text, middleware.location.path)
            if isinstance(symbol, ClassSymbol):
                yield from self.of_middleware(symbol)
            elif kind := self.knowledge.guards(middleware.text):
                yield Guard(kind, middleware.text.rpartition(".")[2], middleware.location, "middleware", True)
        frame = handler.frame
        if cls is not None:
            bases = [base for base in self.program.lineage(cls) if isinstance(base, str)]
            attributes = {m for base in bases for m in self.knowledge.listed(base, "guarded_by")}
            if not attributes or any(isinstance(self.program.member(cls, a), ValueSymbol) for a in attributes):
                return
            if any(self.program.member(cls, f"get_{a.removesuffix('_classes')}s") for a in attributes):
                return
        elif frame is None or not self._takes_defaults(frame):
            return
        for default in self.settings.defaults:
            symbol = self.values.named(default.text, default.location.path)
            if isinstance(symbol, ClassSymbol):
                yield from self._of_guard_class(symbol, "settings", default.location, 0)
            elif kind := self.knowledge.guards(default.text):
                partial = any(self.knowledge.types[n].spares_reading for n in self.knowledge.lineage(default.text))
                yield Guard(kind, default.text.rpartition(".")[2], default.location, "settings", partial)

    def _takes_defaults(self, frame: Frame) -> bool:
        """Whether a function is made a view of the kind that the default guards are for, and has none of its own."""
        home = self.infer.home(frame)
        effects = [self.values.effect(Bound(d, home)) for d in frame.function.decorators]
        names = [e for e in effects if e is not None]
        made = any(
            e.route is not None and e.route.methods and not e.route.path and e.decorates == "handler" for e in names
        )
        return made and not any(e.decorates == "guard" and e.asks for e in names)

    # Inside of a handler

    def _inline(self, frame: Frame) -> tuple[Guard, ...]:
        key = (*frame.key, True)
        if key not in self._inside:
            found: dict[tuple[str, str], Guard] = {}
            for guard in (*self._own_checks(frame), *self._helpers(frame), *self._queries(frame)):
                found.setdefault((guard.kind, guard.where), guard)
            self._inside[key] = tuple(found.values())
        return self._inside[key]

    def _own_checks(self, frame: Frame) -> Iterator[Guard]:
        for check in self._exits(FunctionSymbol(frame.path, frame.function), own=True):
            yield Guard(check.kind, check.text, check.location, "inline", check.partial)

    def _helpers(self, frame: Frame) -> Iterator[Guard]:
        for fact in frame.function.calls[: 2 * MANY_CALLS]:
            bound = Bound(fact.value, frame)
            here = Location(frame.path, fact.span.line, fact.span.column)
            for callee in self.infer.callees(bound):
                effect = callee.effect
                if effect is not None and effect.guards and effect.guards != "open" and effect.decorates != "guard":
                    if not self._is_waived(fact.value, effect.waived, effect.unless):
                        yield Guard(effect.guards, f"{fact.name}()", here, "helper")
                elif callee.function is not None and not callee.assumed and not self._takes_credentials(fact):
                    for check in self.checks(callee.function)[:1]:
                        yield Guard(check.kind, f"{fact.name}()", here, "helper", check.partial)

    def _takes_credentials(self, fact: CallFact) -> bool:
        """Whether a call is given what somebody logs in with: it is part of a login, and guards nothing."""
        given = [*fact.value.args, *(x for _, x in fact.value.keywords)]
        names = [name for value in given for name in list(names_in(value))[:3]]
        return any(self.words.ends("password", name) for name in names)

    def _queries(self, frame: Frame) -> Iterator[Guard]:
        """Rows are looked up among those that belong to whoever asks."""
        functions = [frame]
        cls = self.program.owner(frame.path, frame.function)
        if cls is not None:
            for name in ("get_queryset", "get_object", "queryset"):
                member = self.program.member(cls, name)
                if isinstance(member, FunctionSymbol):
                    functions.append(Frame(member.path, member.facts))
        for one in functions:
            for fact in one.function.calls:
                if self._is_scoped(fact):
                    yield Guard(
                        "ownership", f"{fact.name}()", Location(one.path, fact.span.line, fact.span.column), "query"
                    )
                    break

    def _is_scoped(self, fact: CallFact) -> bool:
        if fact.name in {"eq"} and len(fact.value.args) == 2:
            sides = fact.value.args
            about = [self.words.speaks_of_user(side) for side in sides]
            if about[0] == about[1]:
                return False
            other = v.bare(sides[1] if about[0] else sides[0])
            return isinstance(other, v.Attr) and self.words.ends("owner", other.name)
        if fact.name in QUERIES:
            return any(
                self.words.speaks_of_user(value) and any(self.words.ends("owner", part) for part in key.split("__"))
                for key, value in fact.value.keywords
            )
        return False

    # Definitions

    def checks(self, function: FunctionSymbol, *, factory: bool = False, depth: int = 0) -> tuple[Check, ...]:
        """The places in a function, and in what it calls, that turn requests away for who sends them.

        With `factory` also in the functions inside of it, as decorators have them.
        """
        key = (function.path, function.facts.qualname, factory)
        if key in self._checks:
            return self._checks[key]
        self._checks[key] = ()
        found = list(self._exits(function))
        inner = self._nested(function) if factory else []
        for _, nested in inner:
            symbol = FunctionSymbol(function.path, nested)
            found += self._exits(symbol)
        if depth < MAX_DEPTH:
            for facts in (function.facts, *(nested for _, nested in inner)):
                found += self._called(Frame(function.path, facts), depth)
        self._checks[key] = tuple(dict.fromkeys(found))
        return self._checks[key]

    def _nested(self, function: FunctionSymbol) -> list[tuple[str, FunctionFacts]]:
        facts = self.program.facts(function.path)
        prefix = f"{function.facts.qualname}."
        names = [name for name in facts.functions if name.startswith(prefix)] if facts is not None else []
        return [(name, facts.functions[name]) for name in names] if facts is not None else []

    def _called(self, frame: Frame, depth: int) -> Iterator[Check]:
        for fact in frame.function.calls[:MANY_CALLS]:
            if not (
                self.words.has("guard", fact.name)
                or self.words.has("user", fact.name)
                or self.words.has("key", fact.name)
            ):
                continue
            for callee in self.infer.callees(Bound(fact.value, frame)):
                effect = callee.effect
                location = Location(frame.path, fact.span.line, fact.span.column)
                if effect is not None and effect.guards and effect.guards != "open":
                    if not self._is_waived(fact.value, effect.waived, effect.unless):
                        yield Check(effect.guards, fact.name, location)
                elif callee.function is not None and callee.function.facts.qualname != frame.function.qualname:
                    wraps = len(fact.value.args) == 1 and isinstance(v.bare(fact.value.args[0]), (v.Free, v.Param))
                    yield from self.checks(callee.function, factory=wraps, depth=depth + 1)

    def _exits(self, function: FunctionSymbol, *, own: bool = False) -> Iterator[Check]:
        for way in function.facts.exits:
            kind = self._of_exit(way, function, own=own)
            if (
                kind in {"role", "permission"}
                and self.claims.claim(way, Frame(function.path, function.facts)) is not None
            ):
                continue  # what the client says of itself guards nothing
            if kind:
                location = Location(function.path, way.line, way.column)
                partial = any(_by_path_value(c) for c, _ in way.conditions)
                yield Check(kind, _shown_condition(way), location, partial)

    def _of_exit(self, way: Exit, function: FunctionSymbol, *, own: bool) -> str:
        how = self.words.refuses(way)
        if how == "hidden" and self._is_refusal_class(way, function):
            how = "refused"
        if not how or not way.conditions:
            return ""
        atoms = way.conditions[-way.inner :] if way.inner else ()
        certain = how == "refused"
        kind = self.words.kind(atoms, certain=certain)
        if own and kind == "login":  # a user who was looked up by what was sent is not the one who asks
            kind = self.words.kind(atoms, certain=False)
        if not kind and certain and not own:
            kind = self.words.kind([a for a in way.conditions if not a[1]], certain=True)
            if not kind and not self.words.is_about_something_else(atoms):
                kind = self._by_called(atoms, function) or self._by_name(function)
        if not kind or (how in {"hidden", "sent", "told"} and kind in {"token"}):
            return ""
        if how in {"hidden", "sent"} and kind == "login" and any(t for _, t in atoms) and len(atoms) == 1:
            return "login" if not self.words.has("logged-in", "".join(names_in(atoms[0][0]))) else ""
        if self.words.is_about_something_else(atoms) and kind in {"login", "token", "permission"}:
            return ""
        return kind

    def _by_called(self, atoms: Iterable[tuple[Value, bool]], function: FunctionSymbol) -> str:
        """The kind by what a function of the project looks at that the condition asks."""
        for value, _ in atoms:
            inner = v.bare(value)
            if not isinstance(inner, v.Call):
                continue
            for callee in self.infer.callees(Bound(inner, Frame(function.path, function.facts))):
                if callee.function is not None and callee.function.facts.returns is not None:
                    found = self.words.kind([(x, False) for x in _options(callee.function.facts.returns)], certain=True)
                    if found:
                        return found
        return ""

    def _by_name(self, function: FunctionSymbol) -> str:
        """The kind by the name of a function that turns away without saying why."""
        name = function.facts.qualname
        for kind, table in (("role", "role"), ("permission", "permission"), ("token", "key"), ("login", "logged-in")):
            if any(self.words.has(table, part) for part in name.split(".")):
                return kind
        return ""

    def _is_refusal_class(self, way: Exit, function: FunctionSymbol) -> bool:
        """Whether what is raised is a class of the project whose bases or whose status say that it turns away."""
        value = v.bare(way.value)
        target = value.target if isinstance(value, v.Call) else value
        symbol = self.infer.symbol_of(target, Frame(function.path, function.facts))
        if not isinstance(symbol, ClassSymbol):
            return False
        for base in self.program.lineage(symbol):
            name = base if isinstance(base, str) else base.facts.qualname
            if self.words.has("refusal", name.rpartition(".")[2]):
                return True
            if isinstance(base, ClassSymbol) and _status_of(base.facts) in {401, 403}:
                return True
        return False


QUERIES = frozenset(
    {
        "filter",
        "filter_by",
        "get",
        "get_object_or_404",
        "get_or_404",
        "first_or_404",
        "exclude",
        "where",
        "find_one",
        "aget",
        "get_list_or_404",
        "find",
        "one_or_404",
    }
)


def _strongest(checks: Sequence[Check]) -> Check:
    return min(checks, key=lambda check: (ORDER.index(check.kind), check.partial))


def _options(value: Value) -> tuple[Value, ...]:
    value = v.bare(value)
    return value.options if isinstance(value, v.Choice) else (value,)


def _same(one: Value, other: Value) -> bool:
    return v.bare(one) == v.bare(other)


def _is_empty(value: Value) -> bool:
    inner = v.bare(value)
    return isinstance(inner, v.Seq) and not inner.items


def _holds(way: Exit, action: str) -> bool | None:
    """Whether a way out is taken for an action of a class, by conditions such as `self.action in ("list", "retrieve")`."""
    verdict: bool | None = None
    for value, truth in way.conditions:
        inner = v.bare(value)
        if not (isinstance(inner, v.Op) and inner.kind in {"test", "in"} and inner.args):
            return None
        subject = v.bare(inner.subject)
        if not (isinstance(subject, v.Attr) and subject.name in {"action", "method"}):
            return None
        other = v.bare(inner.args[0])
        texts = [v.bare(x) for x in other.items] if isinstance(other, v.Seq) else [other]
        known = {str(x.value).lower() for x in texts if isinstance(x, v.Const)}
        if (action.lower() in known) != truth:
            return False
        verdict = True
    return verdict


def _by_path(way: Exit) -> bool:
    return any(_by_path_value(value) for value, _ in way.conditions)


def _by_path_value(value: Value) -> bool:
    return any(name in PATH_WORDS for name in names_in(value))


def _spares_reading(program: object, cls: ClassSymbol) -> bool:
    """Whether a permission class looks at the method and lets reading pass."""
    return any("SAFE_METHODS" in str(base) for base in cls.facts.attributes) or False


def _status_of(cls: ClassFacts) -> int:
    for name in ("status_code", "code", "status", "http_status"):
        value = v.bare(cls.attributes.get(name, v.UNKNOWN))
        if isinstance(value, v.Const) and isinstance(value.value, int):
            return value.value
        if isinstance(value, (v.Attr, v.Ref)):
            words = split_words(last_name(value))
            return (
                403
                if "403" in words or "forbidden" in words
                else 401
                if "401" in words or "unauthorized" in words
                else 0
            )
    return 0


def _applies(value: Value, action: str) -> bool:
    """Whether a decorator of a class is for one of its methods only, and not for this one."""
    if not isinstance(value, v.Call):
        return True
    named = v.bare(dict(value.keywords).get("name", v.UNKNOWN))
    return not isinstance(named, v.Const) or named.value in {"dispatch", action}


def _place(bound: Bound) -> Location:
    value = bound.value
    line = getattr(value, "line", 0) or getattr(v.bare(value), "line", 0)
    column = getattr(value, "column", 1) if line else 1
    return Location(bound.frame.path, line or bound.frame.function.line, column or 1)


def _shown(value: Value) -> str:
    """A decorator or a dependency as somebody would write it, shortened."""
    value = v.bare(value)
    if isinstance(value, v.Call):
        name = last_name(value)
        words = [
            a.value if isinstance(a, v.Const) and isinstance(a.value, str) else last_name(a)
            for a in map(v.bare, value.args)
        ]
        inside = ", ".join(str(word) for word in words if word)
        return f"{name}({inside[:40]})"
    return last_name(value) or "?"


def _shown_condition(way: Exit) -> str:
    """The names in the condition that turned somebody away."""
    atoms = way.conditions[-way.inner :] if way.inner else way.conditions
    names = [name for value, _ in atoms for name in list(names_in(value))[:4] if name.isidentifier()]
    return " ".join(dict.fromkeys(names))[:50] or "refuses"


__all__ = ["Check", "Guards", "ModuleSymbol"]
