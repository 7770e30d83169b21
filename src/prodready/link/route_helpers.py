"""Calls that declare routes for others: in functions of the project that are told the path, and in loops over tables."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from prodready.finding import Location
from prodready.link.frames import Bound, Frame, is_static
from prodready.link.program import ClassSymbol, FunctionSymbol, ModuleSymbol, ValueSymbol
from prodready.link.rebuilding import rebuilt
from prodready.link.route_values import RouteValues
from prodready.read import values as v
from prodready.read.facts import FunctionFacts
from prodready.read.values import Value

APPLIED = "<applied>"
"""The keyword under which a call that gives a decorator is noted to be applied by hand to something."""

MAX_DEPTH = 4
"""Helpers that call one another until a route is declared."""

MAX_CALLS = 1000
"""Routes that one call declares for others."""


class Spelled(msgspec.Struct, frozen=True):
    """A call as it is made for one caller and one row; `location` is the caller's place, if there is one."""

    bound: Bound
    location: Location | None = None


class RouteHelpers:
    """Spells out which calls one call in a helper or a loop amounts to."""

    def __init__(self, values: RouteValues) -> None:
        self.values = values
        self.program, self.infer = values.program, values.infer
        self._decorated: dict[str, list[tuple[tuple[int, int], FunctionSymbol | ClassSymbol]]] = {}

    def decorated(self, path: str, qualname: str) -> dict[tuple[int, int], FunctionSymbol | ClassSymbol]:
        """What the decorators in the body of a function stand above, by the places of their calls."""
        if path not in self._decorated:
            self._decorated[path] = list(self._in_file(path))
        prefix = "" if qualname == "<module>" else f"{qualname}."
        return {place: symbol for place, symbol in self._decorated[path] if symbol.facts.qualname.startswith(prefix)}

    def _in_file(self, path: str) -> Iterator[tuple[tuple[int, int], FunctionSymbol | ClassSymbol]]:
        facts = self.program.facts(path)
        if facts is None:
            return
        for qualname, names in facts.decorators.items():
            if any(name.endswith("()") for name in names):
                function = facts.functions[qualname]
                for decorator in function.decorators:
                    value = v.bare(decorator)
                    if isinstance(value, v.Call):
                        yield (value.line, value.column), FunctionSymbol(path, function)
        for cls in facts.classes.values():
            for decorator in cls.decorators:
                value = v.bare(decorator)
                if isinstance(value, v.Call):
                    yield (value.line, value.column), ClassSymbol(path, cls)

    def spelled_out(self, bound: Bound, depth: int = 0) -> list[Spelled]:
        """The calls that a call amounts to: one for each caller of the function it stands in, and for each row of a table.

        The call itself where it depends on neither, or where no caller is to be found.
        """
        call = bound.value
        assert isinstance(call, v.Call)
        found: list[Spelled] = []
        for one in list(self._by_callers(bound, call, depth)) or [Spelled(bound)]:
            found += [Spelled(row, one.location) for row in self.each_row(one.bound)]
            if len(found) > MAX_CALLS:
                return [Spelled(bound)]
        return found

    def each_row(self, bound: Bound) -> list[Bound]:
        """The calls that a call amounts to in the loops around it."""
        return [self._unpacked(row) for row in self.rows(bound)]

    # Callers

    def _by_callers(self, bound: Bound, call: v.Call, depth: int) -> Iterator[Spelled]:
        function, frame = bound.frame.function, bound.frame
        given = [*call.args, *(x for _, x in call.keywords)]
        owner = next((x.owner for g in given for x in v.walk(g) if isinstance(x, v.Free) and _asks(x.value)), None)
        if depth > MAX_DEPTH or frame.entered:
            return
        outer = self.program.function(frame.path, owner) if owner is not None else None
        if outer is not None:
            for site, entered, above in self._entered(frame.path, outer, depth):
                yield Spelled(self._inside(bound, entered, above), site)
        elif any(isinstance(x, v.Param) and not _is_self(x, function) for g in given for x in v.walk(g)):
            for site, entered, _ in self._entered(frame.path, function, depth):
                yield Spelled(Bound(call, entered), site)

    def _entered(
        self, path: str, function: FunctionFacts, depth: int
    ) -> Iterator[tuple[Location, Frame, FunctionSymbol | ClassSymbol | None]]:
        """For each call of a function, made out in turn: where it is, the frame inside of it, and what it decorates."""
        for site in self.infer.callers(path, function.qualname):
            span = site.fact.span
            here = Location(site.frame.path, span.line, span.column, span.end_line, span.end_column)
            place = (site.fact.value.line, site.fact.value.column)
            above = self.decorated(site.frame.path, site.frame.function.qualname).get(place)
            for one in self.spelled_out(Bound(site.fact.value, site.frame), depth + 1):
                for callee in self.infer.callees(one.bound):
                    if callee.function is not None and callee.function.facts is function:
                        entered = self.infer.enter(callee, one.bound)
                        if entered is not None:
                            yield one.location or here, entered, above

    def _inside(self, bound: Bound, outer: Frame, above: FunctionSymbol | ClassSymbol | None) -> Bound:
        """A call in a function within another, once that one is entered; the inner one is given what it stands above."""
        bindings: list[tuple[str, Bound]] = []
        first = next((p.name for p in bound.frame.function.params if p.kind == ""), None)
        if above is not None and first is not None:
            home = self.values.module(above.path)
            bindings.append((first, Bound(v.Ref(f":{above.facts.qualname}"), home)))

        def change(value: Value) -> Value:
            if isinstance(value, v.Free) and value.owner == outer.function.qualname:
                bindings.append((f"<{len(bindings)}>", Bound(value.value, outer)))
                return v.Param(bindings[-1][0])
            return value

        call = rebuilt(bound.value, change)
        return Bound(call, _with(bound.frame, bindings, outer.depth + 1))

    # Rows

    def rows(self, bound: Bound, depth: int = 0) -> list[Bound]:
        """A value for each row of the tables that loops around it go through."""
        each = next(_innermost(bound.value), None) if depth < MAX_DEPTH else None
        if each is None:
            return [bound]
        elements = [row for one in self.values.reducer.elements(bound.sub(each.subject)) for row in self.rows(one)]
        if not elements or len(elements) > MAX_CALLS:
            return [bound]
        return [again for row in elements for again in self.rows(self._for_row(bound, each, row), depth + 1)]

    def _for_row(self, bound: Bound, each: v.Op, row: Bound) -> Bound:
        direct = self._told(row, bound.frame.path)
        name = f"<row {len(bound.frame.bindings)}>"
        stands = v.Param(name) if direct is None else direct
        # The name of the loop's variable would hide what it stands for.
        value = rebuilt(
            bound.value, lambda x: stands if x == each or (isinstance(x, v.Named) and x.value == stands) else x
        )
        return Bound(value, _with(bound.frame, [(name, row)] if direct is None else []))

    # What is given

    def _unpacked(self, bound: Bound) -> Bound:
        """The call with `*args` and `**options` unpacked, and what is known of its arguments in their place."""
        call = bound.value
        assert isinstance(call, v.Call)
        args: list[Value] = []
        keywords: list[tuple[str, Value]] = []
        added: list[tuple[str, Bound]] = []

        def noted(one: Bound) -> Value:
            direct = self._told(one, bound.frame.path)
            if direct is not None:
                return direct
            if one.frame is bound.frame:
                return one.value
            added.append((f"<{len(bound.frame.bindings) + len(added)}>", one))
            return v.Param(added[-1][0])

        def settled(value: Value) -> Value:
            if isinstance(value, v.Param):
                known = self._followed(bound.sub(value))
                return value if known.value == value else self._told(known, bound.frame.path) or value
            if isinstance(value, v.Item) and isinstance(value.base, v.Param):
                known = self._followed(bound.sub(value.base))
                inner = v.item(known.value, value.key)
                return value if isinstance(inner, v.Item) else noted(known.sub(inner))
            return value

        for argument in call.args:
            given = self._followed(bound.sub(argument.subject)) if isinstance(argument, v.Op) else bound
            inner = v.bare(given.value)
            if v.is_star(argument) and isinstance(inner, v.Seq) and not inner.open:
                args += [noted(given.sub(one)) for one in inner.items]
            else:
                args.append(rebuilt(argument, settled))
        for key, value in call.keywords:
            given = self._followed(bound.sub(value))
            inner = v.bare(given.value)
            if key == "**" and isinstance(inner, v.Map):
                for name, one in inner.items:
                    keywords.append((str(name.value) if isinstance(name, v.Const) else "**", noted(given.sub(one))))
            else:
                keywords.append((key, rebuilt(value, settled)))
        if (tuple(args), tuple(keywords)) == (call.args, call.keywords):
            return bound
        plain = v.Call(call.target, tuple(args), tuple(keywords), call.line, call.column, call.size)
        return Bound(plain, _with(bound.frame, added))

    def _followed(self, bound: Bound) -> Bound:
        """What a parameter is bound to, as far as that is known."""
        for _ in range(2 * MAX_DEPTH):
            value = v.bare(bound.value)
            given = bound.frame.binding(value.name) if isinstance(value, v.Param) else None
            if given is None:
                return bound
            bound = given
        return bound

    def _told(self, bound: Bound, path: str) -> Value | None:
        """A value as the file at `path` would write it: a constant, a name, a row of them; None where it cannot."""
        value = v.bare(bound.value)
        if bound.frame.path == path:
            inner = list(v.walk(value))
            if not any(isinstance(x, (v.Param, v.Free)) for x in inner):
                return value
            return None
        if isinstance(value, v.Const):
            return value
        name = v.dotted(value)
        symbol = self.program.resolve(name, bound.frame.path) if name is not None else None
        if name is None or not isinstance(symbol, (FunctionSymbol, ClassSymbol, ValueSymbol, ModuleSymbol)):
            return None
        if not name.startswith((":", ".")):
            return value if self.program.resolve(name, path) == symbol else None
        module = symbol.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        own = (
            symbol.facts.qualname if isinstance(symbol, (FunctionSymbol, ClassSymbol)) else getattr(symbol, "name", "")
        )
        absolute = f"{module}.{own}" if own else module
        return v.Ref(absolute) if self.program.resolve(absolute, path) == symbol else None


def _with(frame: Frame, bindings: list[tuple[str, Bound]], depth: int = 0) -> Frame:
    if not bindings and frame.entered:
        return frame
    all_of_them = (*frame.bindings, *bindings)
    return Frame(frame.path, frame.function, all_of_them, max(depth, frame.depth), entered=True)


def _innermost(value: Value) -> Iterator[v.Op]:
    """The elements of loops in a value whose table is not itself an element of another."""
    applied = [v.bare(one.target) for one in v.walk(value) if isinstance(one, v.Call)]
    for one in v.walk(value):
        # `for decorator in decorators: view = decorator(view)` is one view, with all of them around it.
        if isinstance(one, v.Op) and one.kind == "each" and one not in applied:
            if not any(isinstance(x, v.Op) and x.kind == "each" for x in v.walk(one.subject)):
                yield one


def _asks(value: Value) -> bool:
    return any(isinstance(x, v.Param) for x in v.walk(value))


def _is_self(param: v.Param, function: FunctionFacts) -> bool:
    own = bool(function.owner) and bool(function.params) and not is_static(function)
    return own and function.params[0].name == param.name
