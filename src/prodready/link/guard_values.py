"""Values that are guards: decorators, dependencies, permission classes, and what makes one of them."""

from __future__ import annotations

from dataclasses import replace

from prodready.finding import Location
from prodready.knowledge_form import Effect
from prodready.link.frames import Bound, Callee, Frame
from prodready.link.guard_checks import MANY_CALLS, ORDER, Check, Checks, options_of, strongest, weakest
from prodready.link.guard_words import names_in
from prodready.link.program import ClassSymbol, FunctionSymbol, LibrarySymbol, ValueSymbol
from prodready.link.route import STRENGTH, Guard
from prodready.link.route_values import RouteValues
from prodready.read import values as v
from prodready.read.facts import last_name
from prodready.read.values import Value

WAIVING = ("optional", "allow_anonymous", "is_optional")
UNLESS = ("required", "auto_error", "raise_error", "raise_exception", "is_required")
"""Arguments by which functions of projects that make guards are told to turn nobody away."""


MOST_STEPS = 6
"""Functions and names that are looked behind for a dependency."""


class GuardValues(Checks):
    """Tells the guards that a value amounts to."""

    def __init__(self, values: RouteValues) -> None:
        super().__init__(values)
        self._busy: set[tuple[str, str]] = set()

    def of_value(self, bound: Bound, where: str, depth: int = 0) -> list[Guard]:
        """The guards that a decorator, a dependency, a permission class or an instance of one amounts to."""
        value = v.bare(bound.value)
        if depth > 6:
            return []
        here = place_of(bound)
        if isinstance(value, v.Choice):
            options = [self.of_value(bound.sub(o), where, depth + 1) for o in value.options]
            if any(not option for option in options):
                return []
            return [min((g for o in options for g in o), key=lambda g: g.strength)] if options else []
        if isinstance(value, v.Op) and value.kind == "intersection":  # IsAuthenticated & IsOwner
            return [
                g for part in (value.subject, *value.args) for g in self.of_value(bound.sub(part), where, depth + 1)
            ]
        if isinstance(value, v.Op) and value.kind == "each":  # a loop that puts each of them around the handler
            rows = self.values.reducer.elements(bound.sub(value.subject))
            return [g for one in rows for g in self.of_value(one, where, depth + 1)]
        if isinstance(value, v.Seq):
            return [g for one in self.values.elements(bound.sub(value)) for g in self.of_value(one, where, depth + 1)]
        if isinstance(value, v.Call):
            return self._of_call(bound.sub(value), value, where, here, depth)
        if isinstance(value, v.Item):  # Annotated[User, Depends(...)]
            return self._annotated(bound.sub(value), depth)
        symbol = self.infer.symbol_of(value, bound.frame)
        effect = self.values.effect(bound.sub(value))
        if effect is not None and (guard := kind_of(effect)):
            return [Guard(guard, _shown(value), here, where)]
        match symbol:
            case FunctionSymbol():
                return self._of_function(symbol, where, here, depth)
            case ClassSymbol():
                return self.of_guard_class(symbol, where, here, depth)
            case ValueSymbol() if symbol.value != value:
                inner = Bound(symbol.value, self.values.module(symbol.path))
                found = self.of_value(inner, where, depth + 1)
                return [replace(g, text=_shown(value) if depth == 0 else g.text) for g in found]
            case LibrarySymbol():
                found = self.of_library(symbol.name, _shown(value), here, where)
                return found or self._unknown(value, where, here, symbol.name)
        if isinstance(value, v.Attr):
            owner = self.infer.type_of(bound.sub(value.base))
            member = self.program.member(owner.cls, value.name) if owner is not None and owner.cls else None
            if isinstance(member, FunctionSymbol):
                return self._of_function(member, where, here, depth)
        reduced = self.values.reducer.step(bound.sub(value))
        if reduced:
            return [g for inner, _ in reduced[:2] for g in self.of_value(inner, where, depth + 1)]
        return self._unknown(value, where, here)

    def _of_call(self, bound: Bound, call: v.Call, where: str, here: Location, depth: int) -> list[Guard]:
        for callee in self.infer.callees(bound):
            effect = callee.effect
            if effect is not None and (kind_of(effect) or effect.asks):
                return self._known(bound, call, callee, where, here, depth)
            if callee.cls is not None:
                return self.of_guard_class(callee.cls, where, here, depth, bound)
            if callee.function is not None:
                return self._made_by(bound, call, callee.function, where, here, depth)
            kind = self.knowledge.guards(callee.name)
            if kind and not self.is_waived(call, (), ("auto_error",)):
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
        if self.is_waived(call, effect.waived, effect.unless):
            return []
        asked = self.values.argument(call, effect.asks)
        if not kind_of(effect):
            if asked is None:
                return []
            found = self.of_value(bound.sub(asked), where, depth + 1)
            scoped = any(key == "scopes" and not is_empty(x) for key, x in call.keywords)
            return [replace(g, kind="permission") if scoped and g.kind == "login" else g for g in found]
        kind = kind_of(effect)
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
        if kind == "permission" and texts and all(self.words.ends("authenticated", text) for text in texts):
            return "login"
        return "role" if kind == "login" and texts else kind

    def _made_by(
        self, bound: Bound, call: v.Call, function: FunctionSymbol, where: str, here: Location, depth: int
    ) -> list[Guard]:
        """A decorator with arguments, a function that makes a dependency."""
        if self.is_waived(call, WAIVING, UNLESS) or self.words.is_optional(function.facts.qualname):
            return []
        checks = self.checks(function, factory=True)
        if checks:
            asks_nothing = not call.args and not call.keywords and any(p.default for p in function.facts.params)
            best = strongest(checks) if not asks_nothing else weakest(checks)
            return [Guard(self.named_role(bound, best.kind), _shown(call), here, where, best.partial)]
        if where in {"decorator", "class"} and (made := self._made_of_test(function, where, here)):
            return [replace(g, text=_shown(call)) for g in made]
        if where in {"decorator", "class"} and (given := self._given_decorators(bound, call, where, depth)):
            return [replace(g, text=_shown(call), location=here) for g in given]
        returned = function.facts.returns
        if returned is not None and isinstance(v.bare(returned), v.Call):
            frame = self.infer.enter(Callee(function.facts.qualname, function=function), bound)
            if frame is not None:
                return [
                    replace(g, text=_shown(call), location=here)
                    for g in self.of_value(Bound(returned, frame), where, depth + 1)
                ]
        return self._by_returned(Bound(call, bound.frame), where, here, depth)

    def _given_decorators(self, bound: Bound, call: v.Call, where: str, depth: int) -> list[Guard]:
        """The guards that a decorator is given to put around something: `on_dispatch(permission_required("shop.sell"))`."""
        given = (bound.sub(x) for x in call.args if isinstance(v.bare(x), (v.Ref, v.Attr, v.Call)))
        found = [g for one in given for g in self.of_value(one, where, depth + 1) if g.strength]
        return sorted(found, key=lambda g: ORDER.index(g.kind))[:1]

    def _by_returned(self, bound: Bound, where: str, here: Location, depth: int) -> list[Guard]:
        reduced = self.values.reducer.step(bound)
        options = [inner.sub(option) for inner, _ in (reduced or ())[:2] for option in options_of(inner.value)]
        found = [g for option in options for g in self.of_value(option, where, depth + 1) if g.kind != "unknown"]
        return [replace(g, location=here) for g in sorted(found, key=lambda g: ORDER.index(g.kind))[:1]]

    def _of_function(self, function: FunctionSymbol, where: str, here: Location, depth: int) -> list[Guard]:
        """A decorator or a dependency that the project defines."""
        if where == "dependency" and (self.words.is_optional(function.facts.qualname) or self._takes_anybody(function)):
            return []
        checks = self.checks(function, factory=True)
        found: list[Guard] = []
        text = function.facts.qualname.rpartition(".")[2]
        if checks:
            best = strongest(checks)
            found.append(Guard(best.kind, text, here, where, best.partial))
        if where == "dependency" and depth < 5:
            found += [
                replace(g, text=text, location=here)
                for g in self.dependencies(Frame(function.path, function.facts), depth + 1)
            ]
        if not found and where in {"decorator", "class"}:
            found += self._made_of_test(function, where, here)
        if not found and where == "decorator":
            # A decorator that only puts others together: `return login_required(view)`.
            returned = v.bare(function.facts.returns) if function.facts.returns is not None else None
            if isinstance(returned, v.Call) and depth < 4:
                frame = Frame(function.path, function.facts)
                inner = self.of_value(Bound(returned.target, frame), where, depth + 1)
                found += [replace(g, text=text, location=here) for g in inner if g.kind != "unknown"]
            for _, nested in self.nested(function):
                for decorator in nested.decorators:
                    inner = self.of_value(
                        Bound(decorator, self.infer.home(Frame(function.path, nested))), where, depth + 1
                    )
                    found += [replace(g, text=text, location=here) for g in inner if g.kind != "unknown"]
        if not found and depth <= 3 and self._is_lost(function):
            found = self._unknown(v.Ref(f":{text}"), where, here)
        return sorted(found, key=lambda g: ORDER.index(g.kind))[:1]

    def _takes_anybody(self, function: FunctionSymbol) -> bool:
        """Whether a function gives somebody in place of who has not said who they are: `return AnonymousUser()`."""
        returned = function.facts.returns
        given = map(v.bare, options_of(returned)) if returned is not None else ()
        names = [last_name(one) for one in given if isinstance(one, v.Call)]
        return any(name[:1].isupper() and self.words.has("anonymous", name) for name in names)

    def _made_of_test(self, function: FunctionSymbol, where: str, here: Location) -> list[Guard]:
        """A decorator that another one makes of a function that tells whether somebody may."""
        home = self.infer.home(Frame(function.path, function.facts))
        for decorator in function.facts.decorators:
            made = self.infer.symbol_of(v.bare(decorator), home)
            if isinstance(made, FunctionSymbol) and (checks := self.checks(made, factory=True)):
                returned = function.facts.returns
                kind = self.words.kind([(returned, False)], certain=True) if returned is not None else ""
                kind = max(kind, strongest(checks).kind, key=lambda one: STRENGTH.get(one, 0))
                return [Guard(kind, function.facts.qualname.rpartition(".")[2], here, where)]
        return []

    def _is_lost(self, function: FunctionSymbol) -> bool:
        """Whether a function calls something like a check that is not to be found."""
        for facts in (function.facts, *(nested for _, nested in self.nested(function))):
            frame = Frame(function.path, facts)
            for fact in facts.calls[:MANY_CALLS]:
                if any(self.words.has(table, fact.name) for table in ("guard", "user", "permission", "role")):
                    callees = self.infer.callees(Bound(fact.value, frame))
                    if not any(callee.function or callee.effect or callee.cls for callee in callees):
                        return True
        return not function.facts.exits and not self.nested(function)

    def of_guard_class(
        self, cls: ClassSymbol, where: str, here: Location, depth: int, made: Bound | None = None
    ) -> list[Guard]:
        """A permission class, an authenticator, or a class whose instances are called as a dependency."""
        text = cls.facts.qualname
        lineage = self.program.lineage(cls)
        names = [m for base in lineage if isinstance(base, str) for m in self.knowledge.listed(base, "before")]
        found: list[Check] = []
        first = (
            ("__init__",) if where == "dependency" and made is None else ()
        )  # Depends(Permission): made for each request
        for name in dict.fromkeys([*names, *first, "__call__", "authenticate"]):
            member = self.program.member(cls, name)
            if isinstance(member, FunctionSymbol):
                found += self.checks(member)
                found += self.decides(member) if name in names else ()
        if found:
            return [Guard(strongest(found).kind, text, here, where, self._spares_reading(cls), cls)]
        for base in lineage:
            if isinstance(base, str) and (known := self.of_library(base, text, here, where)):
                return known
        if made is not None and (listed := self._given_guards(made, where, here, depth)):
            return [replace(listed[0], text=text)]
        initial = self.program.member(cls, "__init__")
        if isinstance(initial, FunctionSymbol):
            inner = self.dependencies(Frame(initial.path, initial.facts), depth + 1)
            if inner:
                return [replace(g, text=text, location=here) for g in inner[:1]]
        if any(isinstance(m, FunctionSymbol) for m in (self.program.member(cls, n) for n in names)):
            return [Guard("permission", text, here, where, self._spares_reading(cls))]
        # What a base that is not at hand asks for is not known.
        outside = (base for base in lineage if isinstance(base, str) and not self.infer.is_described(base))
        return [replace(guard, text=text) for base in outside for guard in self._unknown(v.Ref(base), where, here)][:1]

    def of_library(self, name: str, text: str, here: Location, where: str) -> list[Guard]:
        """The guards that a class of a library is: one, or another one for those who only read."""
        kind = self.knowledge.guards(name)
        entries = [self.knowledge.types[one] for one in self.knowledge.lineage(name)]
        reading = next((entry.reading for entry in entries if entry.reading), "")
        partial = bool(reading) or any(entry.spares_reading for entry in entries)
        return [Guard(kind, text, here, where, partial)] * bool(kind) + [Guard(reading, text, here, where)] * bool(
            reading
        )

    def _given_guards(self, made: Bound, where: str, here: Location, depth: int) -> list[Guard]:
        """The strongest of the guards that an object is made with: `All([IsMember, IsEditor])`."""
        call = made.value
        found: list[Guard] = []
        for argument in (*call.args, *(x for _, x in call.keywords)) if isinstance(call, v.Call) else ():
            if not isinstance(v.bare(argument), (v.Seq, v.Ref, v.Attr)):
                continue
            for one in self.values.elements(made.sub(argument)):
                symbol = self.infer.symbol_of(v.bare(one.value), one.frame)
                if isinstance(symbol, FunctionSymbol) and (checks := self.checks(symbol, factory=True)):
                    best = strongest(checks)
                    found.append(Guard(best.kind, symbol.facts.qualname, here, where, best.partial))
                if isinstance(symbol, ClassSymbol):
                    found += self.of_guard_class(symbol, where, here, depth + 1)
        return sorted(found, key=lambda g: ORDER.index(g.kind))

    def _spares_reading(self, cls: ClassSymbol) -> bool:
        """Whether a permission class looks at the method and lets reading pass."""
        for name in ("has_permission", "has_object_permission"):
            member = self.program.member(cls, name)
            if isinstance(member, FunctionSymbol):
                values = [value for way in member.facts.exits for value, _ in way.conditions]
                values += [member.facts.returns] if member.facts.returns is not None else []
                looks = any(inner == "SAFE_METHODS" for value in values for inner in names_in(value))
                returned = member.facts.returns
                if looks and returned is not None:
                    options = [v.bare(option) for option in options_of(returned)]
                    # What is compared itself is what is returned: `return request.method in SAFE_METHODS or ...`.
                    return any(o == v.Const(True) or (isinstance(o, v.Op) and o.kind == "in") for o in options)
        return False

    def _unknown(self, value: Value, where: str, here: Location, name: str = "") -> list[Guard]:
        """What is not to be found and may be a guard, by its name."""
        simple = (name or last_name(value)).rpartition(".")[2]
        if where == "settings" or not simple:
            return []
        handed_in = where == "dependency" and isinstance(v.bare(value), (v.Param, v.Free, v.Attr)) and not name
        if not self.words.has("guard", simple) and (not handed_in or self.words.has("no-guard-given", simple)):
            return []
        if self.words.has("no-guard", simple):
            return []
        return [Guard("unknown", _shown(value), here, where)]

    def dependencies(self, frame: Frame, depth: int = 0) -> list[Guard]:
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
                        inner = self.in_parameter(Bound(value, home), depth)
                        lines = isinstance(v.bare(value), v.Call)
                        found += inner if lines else [replace(g, location=here) for g in inner]
        finally:
            self._busy.discard(key)
        return found

    def in_parameter(self, bound: Bound, depth: int = 0) -> list[Guard]:
        """The guards that the default or the annotation of a parameter or a field brings."""
        value = v.bare(bound.value)
        if isinstance(value, v.Call):
            effect = self.values.effect(bound.sub(value))
            if effect is None and depth < MOST_STEPS:
                return self._made_dependency(bound.sub(value), depth)
            if effect is None or effect.guards or not effect.asks:
                return []
            asked = self.values.argument(value, effect.asks)
            if asked is None:
                return []
            return self.of_value(bound.sub(value), "dependency", depth + 1)
        if isinstance(value, (v.Item, v.Ref, v.Attr, v.Choice)):
            return self._annotated(bound.sub(value), depth)
        return []

    def _made_dependency(self, bound: Bound, depth: int) -> list[Guard]:
        """The guards of what a function of the project gives as a dependency; where it has a choice, the weakest."""
        ways = [
            self.in_parameter(option, depth + 1)
            for inner, _ in self.values.reducer.step(bound) or ()
            for option in map(inner.sub, options_of(inner.value))
            if isinstance(v.bare(option.value), v.Call)
        ]
        found = min(ways, key=lambda guards: max((g.strength for g in guards), default=0), default=[])
        return [replace(g, text=_shown(bound.value), location=place_of(bound)) for g in found]

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
            found = [g for part in parts[1:] for g in self.in_parameter(bound.sub(part), depth + 1)]
            return found or (self._annotated(bound.sub(parts[0]), depth + 1) if parts else [])
        if isinstance(value, v.Choice):
            return []  # None or a user: nobody is turned away
        if isinstance(value, (v.Ref, v.Attr)):
            symbol = self.infer.symbol_of(value, bound.frame)
            if isinstance(symbol, ValueSymbol) and isinstance(v.bare(symbol.value), (v.Item, v.Call)):
                inner = Bound(v.bare(symbol.value), self.values.module(symbol.path))
                found = self._annotated(inner, depth + 1) or self.in_parameter(inner, depth + 1)
                return [replace(g, text=_shown(value)) for g in found]
        return []


def is_empty(value: Value) -> bool:
    """Whether it is a list with nothing in it."""
    inner = v.bare(value)
    return isinstance(inner, v.Seq) and not inner.items


def kind_of(effect: Effect) -> str:
    """The kind of guard that the knowledge calls something; one that does not say is for a permission."""
    return effect.guards or ("permission" if effect.decorates == "guard" and not effect.asks else "")


def place_of(bound: Bound) -> Location:
    """Where a value stands, as far as it tells; else where its function begins."""
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
