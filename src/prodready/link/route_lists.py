"""Lists of routes, and what an application takes in: routers, modules, routes that are values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from prodready.finding import Location
from prodready.knowledge_form import RouteForm
from prodready.link.frames import Bound, Frame
from prodready.link.program import ClassSymbol, FunctionSymbol, LibrarySymbol, ModuleSymbol, ValueSymbol
from prodready.link.route_helpers import RouteHelpers
from prodready.link.route_nodes import MAX_DEPTH, Declared, Inclusion, Node, RouteNodes
from prodready.link.route_values import RouteValues
from prodready.link.url_paths import PathTemplate, parse, parse_regex
from prodready.read import values as v
from prodready.read.facts import CallFact, FileFacts, last_name

HALF = v.MAX_SIZE // 2
"""Nodes of a list that may have been left out where paths join."""


class RouteLists(RouteNodes):
    """Follows what is taken in. `unresolved` are the places of what is not to be found."""

    def __init__(self, values: RouteValues) -> None:
        super().__init__(values)
        self.helpers = RouteHelpers(values)
        self.unresolved: list[Location] = []
        self._listed: set[Node] = set()

    def children(
        self,
        parent: Node,
        bound: Bound,
        form: RouteForm,
        prefixes: list[PathTemplate],
        guards: list[Bound],
        location: Location,
        name: str = "",
        depth: int = 0,
    ) -> None:
        """Note what `bound`, a router, a module, a list of routes or one of them, adds to `parent`."""

        def include(node: Node, says: str = name) -> None:
            self.holder(parent).children.append(
                Inclusion(node, prefixes or [()], guards, location, says, form.replaces and bool(prefixes))
            )

        value = v.bare(bound.value)
        if depth > MAX_DEPTH:
            return
        if isinstance(value, v.Const):
            symbol = self.values.named(value.value, bound.frame.path) if isinstance(value.value, str) else None
            if isinstance(symbol, ModuleSymbol):
                include(self.list_node(symbol.path, "urlpatterns"))
            elif isinstance(symbol, ValueSymbol):
                again = Bound(symbol.value, self.values.module(symbol.path))
                self.children(parent, again, form, prefixes, guards, location, name, depth + 1)
            elif (rows := self.knowledge.provides.get(str(value.value))) is not None:
                self._brought(parent, rows, bound.frame, prefixes, guards, location, name)
            elif value.value is not None:
                self._outside(parent, str(value.value), location)
            return
        symbol = self.infer.symbol_of(value, bound.frame)
        if isinstance(symbol, LibrarySymbol) and (rows := self.knowledge.provides.get(symbol.name)) is not None:
            self._brought(parent, rows, bound.frame, prefixes, guards, location, name)
            return
        if isinstance(symbol, ModuleSymbol):
            include(self.list_node(symbol.path, "urlpatterns"))
            return
        if isinstance(symbol, ValueSymbol) and isinstance(v.bare(symbol.value), (v.Seq, v.Choice, v.Mark)):
            include(self.list_node(symbol.path, symbol.name))
            return
        if isinstance(symbol, FunctionSymbol):
            include(("function", symbol.path, 0, symbol.facts.qualname))
            return
        if isinstance(symbol, ClassSymbol):
            include(("class", symbol.path, 0, symbol.facts.qualname))
            return
        nested = self.values.form(bound.sub(value)) if isinstance(value, v.Call) else None
        if nested is not None and isinstance(value, v.Call):
            inner, callee = nested
            if callee.effect is not None and callee.effect.route is not None and not callee.effect.returns:
                for one in self.helpers.each_row(bound.sub(value)):
                    if inner.path and inner.handler:
                        self.declare_value(parent, one, inner, prefixes, guards, location)
                    elif inner.child:
                        self._nested_child(parent, one, inner, form, prefixes, guards, location, depth)
                    elif inner.adds and (under := self.values.argument(one.value, inner.prefix)) is not None:  # type: ignore[arg-type]
                        below = [a + b for a in prefixes or [()] for b in self.templates(one.sub(under))]
                        self._brought(parent, inner.adds, bound.frame, below, guards, location, name)
                return
        if isinstance(value, v.Seq):
            pair = [v.bare(item) for item in value.items]
            first, second = (pair[0], pair[1]) if len(pair) in (2, 3) else (v.UNKNOWN, v.UNKNOWN)
            if (
                form.child
                and isinstance(first, v.Const)
                and isinstance(second, v.Const)
                and self._is_module(first, bound)
            ):
                # `include(("shop.urls", "shop"))`
                self.children(parent, bound.sub(first), form, prefixes, guards, location, str(second.value), depth + 1)
                return
            if len(pair) >= 2 and isinstance(pair[0], v.Const) and isinstance(pair[0].value, str) and form.regex:
                self._pair(parent, bound, value, form, location)
                return
            if len(pair) in (2, 3) and isinstance(pair[1], v.Const) and form.child and not isinstance(pair[0], v.Const):
                self.children(
                    parent, bound.sub(value.items[0]), form, prefixes, guards, location, str(pair[1].value), depth + 1
                )
                return
            # Several lists can come from one place: what a function gives to each of its callers.
            name_of = f"{bound.frame.function.qualname}:{location.column}:{len(self.holders)}"
            node: Node = ("list", bound.frame.path, location.line, name_of)
            self._items(node, bound.sub(value), form)
            include(node)
            return
        nodes = self.nodes(bound)
        for node in nodes:
            include(node)
        if nodes:
            return
        reduced = self.values.reducer.step(bound)
        for inner_bound, _ in reduced or ():
            self.children(parent, inner_bound, form, prefixes, guards, location, name, depth + 1)
        if not reduced and not isinstance(value, (v.Const, v.Mark)):
            self.unresolved.append(location)
            self.holder(parent).unknown.append("takes in something that could not be found out")

    def _nested_child(
        self,
        parent: Node,
        bound: Bound,
        inner: RouteForm,
        form: RouteForm,
        prefixes: list[PathTemplate],
        guards: list[Bound],
        location: Location,
        depth: int,
    ) -> None:
        """`include(...)`, `Mount("/x", routes=[...])` as a value."""
        call = bound.value
        assert isinstance(call, v.Call)
        child = self.values.argument(call, inner.child)
        given = self.values.argument(call, inner.prefix)
        own = self.templates(bound.sub(given)) if given is not None else []
        if inner.under:
            found = self.values.effect(bound)
            own = [()] if found is not None and self._is_off(call, found.unless) else [parse(inner.under)]
        named = self.values.argument(call, inner.name)
        name = next(iter(self.values.texts(bound.sub(named))), "") if named is not None else ""
        together = [a + b for a in prefixes or [()] for b in own or [()]]
        extra = self.values.argument(call, inner.guards)
        more = [*guards, bound.sub(extra)] if extra is not None else guards
        if child is not None:
            merged = RouteForm(child=inner.child, regex=form.regex or inner.regex)
            if not self.cut_off(parent, bound, child, together, more, location, name):
                self.children(parent, bound.sub(child), merged, together, more, location, name, depth + 1)

    def cut_off(
        self,
        parent: Node,
        bound: Bound,
        child: v.Value,
        prefixes: list[PathTemplate],
        guards: list[Bound],
        location: Location,
        name: str = "",
    ) -> bool:
        """Note the routes of a list that a call spells out and that was too long to be kept: the calls within that call."""
        call, value = bound.value, v.bare(child)
        kept = value.items if isinstance(value, v.Seq) else ()
        if value != v.UNKNOWN and v.UNKNOWN not in kept and not (isinstance(value, v.Seq) and value.open):
            return False
        assert isinstance(call, v.Call)
        node: Node = ("list", bound.frame.path, call.line, f"{bound.frame.function.qualname}:{call.column}:cut")
        if node not in self._listed:
            self._listed.add(node)
            self._declare_all(node, bound.frame, _within(bound.frame.function.calls, call), takes_in=True)
            if node in self.holders:
                known = v.seq([item for item in kept if item != v.UNKNOWN], limit=v.MAX_TABLE)
                self._items(node, bound.sub(known), RouteForm(child=(0,)))
        if node not in self.holders:
            return False
        self.holder(parent).children.append(Inclusion(node, prefixes or [()], guards, location, name))
        return True

    def _brought(
        self,
        parent: Node,
        rows: Mapping[str, tuple[str, str]],
        frame: Frame,
        prefixes: list[PathTemplate],
        guards: list[Bound],
        location: Location,
        name: str,
    ) -> None:
        """Take in the routes that a library brings."""
        node: Node = ("list", frame.path, location.line, f"brought:{location.column}:{len(self.holders)}")
        self.add(node, rows, frame, location)
        self.holder(parent).children.append(Inclusion(node, prefixes or [()], guards, location, name))

    def _outside(self, parent: Node, name: str, location: Location) -> None:
        """Note that a module which is taken in is not in the project; that of a known library need not be."""
        self.holder(parent).unknown.append(f"{name} is not in the project")
        if not self.program.is_known(name):
            self.unresolved.append(location)

    @staticmethod
    def _is_off(call: v.Call, unless: tuple[str, ...]) -> bool:
        given = dict(call.keywords)
        return any(v.bare(given.get(key, v.UNKNOWN)) == v.Const(False) for key in unless)

    def _is_module(self, text: v.Const, bound: Bound) -> bool:
        """Whether a text is the name of a module of the project."""
        named = self.values.named(text.value, bound.frame.path) if isinstance(text.value, str) else None
        return isinstance(named, ModuleSymbol)

    def _pair(self, parent: Node, bound: Bound, value: v.Seq, form: RouteForm, location: Location) -> None:
        """`(r"/pattern", Handler)`."""
        handler = bound.sub(value.items[1])
        paths = self.values.texts(bound.sub(value.items[0]))
        line = getattr(value.items[0], "line", 0) or location.line
        place = Location(bound.frame.path, line)
        self.holder(parent).routes.append(Declared(form, paths, None, bound.frame, handler, place, regex=form.regex))

    def declare_value(
        self,
        parent: Node,
        bound: Bound,
        form: RouteForm,
        prefixes: list[PathTemplate],
        guards: list[Bound],
        location: Location,
    ) -> None:
        """A route that is a value, in a list of them: a handler below a path, or something that is taken in there."""
        call = bound.value
        assert isinstance(call, v.Call)
        place = Location(bound.frame.path, max(call.line, 1), max(call.column, 1))
        paths = self.paths(bound, form)
        child = self.values.argument(call, form.child)
        if child is not None and self._is_holder(bound.sub(child)):
            below = [a + template(b, form.regex) for a in prefixes or [()] for b in paths]
            self.children(parent, bound.sub(child), RouteForm(child=(0,), regex=form.regex), below, guards, place)
            return
        handler = self.values.argument(call, form.handler)
        if handler is None:
            return
        declared = Declared(form, paths, call, bound.frame, bound.sub(handler), place, regex=form.regex)
        if guards or any(prefixes):
            # One call may stand for several routes, in a loop or in a function that is called more than once.
            node: Node = ("list", bound.frame.path, call.line, f"value:{call.column}:{len(self.holders)}")
            self.holder(node).routes = [declared]
            self.holder(parent).children.append(Inclusion(node, prefixes or [()], guards, location))
        else:
            self.holder(parent).routes.append(declared)

    def _is_holder(self, bound: Bound, depth: int = 0) -> bool:
        """Whether what stands where a view could stand is a list of routes, a router or what includes one."""
        value = v.bare(bound.value)
        if isinstance(value, v.Call):
            found = self.values.form(bound.sub(value))
            if found is None:
                return False
            form, callee = found
            made = callee.effect is None or callee.effect.route is None
            return made or (bool(form.child) and not form.path)
        if isinstance(value, v.Seq):
            return True
        if isinstance(value, (v.Ref, v.Attr)):
            symbol = self.infer.symbol_of(value, bound.frame)
            if isinstance(symbol, (FunctionSymbol, ClassSymbol, ModuleSymbol)):
                return isinstance(symbol, ModuleSymbol)
            if isinstance(symbol, LibrarySymbol):
                return last_name(value) == "urls"
            if isinstance(symbol, ValueSymbol) and isinstance(v.bare(symbol.value), v.Seq):
                return True
            if isinstance(symbol, ValueSymbol) and v.bare(symbol.value) != value and depth < MAX_DEPTH:
                if self._is_holder(Bound(v.bare(symbol.value), self.values.module(symbol.path)), depth + 1):
                    return True
            kind = self.infer.type_of(bound.sub(value)) or (
                self.infer.type_of(bound.sub(value.base)) if isinstance(value, v.Attr) else None
            )
            return any(self.knowledge.route(name) is not None for name in self.infer.library_types(kind))
        return False

    def list_node(self, path: str, name: str) -> Node:
        """The node of a list of routes that a module binds; what it holds is noted when it is first asked for."""
        node: Node = ("list", path, 0, name)
        if node in self._listed:
            return node
        self._listed.add(node)
        facts = self.program.facts(path)
        value = facts.values.get(name) if facts is not None else None
        holder = self.holder(node)
        holder.location = Location(path, 1)
        if facts is None or value is None:
            symbol = self.program.resolve(f":{name}", path) if facts is not None else None
            if isinstance(symbol, ValueSymbol) and symbol.path != path:
                holder.children.append(Inclusion(self.list_node(symbol.path, symbol.name), [()], [], holder.location))
            else:
                holder.unknown.append(f"{path} binds no {name}")
            return node
        app_name = v.bare(facts.values.get("app_name", v.UNKNOWN))
        if name == "urlpatterns" and isinstance(app_name, v.Const) and isinstance(app_name.value, str):
            holder.name = app_name.value
        frame = self.values.module(path)
        self._items(node, Bound(value, frame), RouteForm(child=(0,)))
        self._beyond(node, path, name, facts, value)
        return node

    def _items(self, node: Node, bound: Bound, form: RouteForm) -> None:
        for item in self._spread(bound):
            line = item.value.line if isinstance(item.value, v.Call) else bound.frame.function.line
            self.children(node, item, form, [], [], Location(item.frame.path, max(line, 1)))

    def _spread(self, bound: Bound, depth: int = 0) -> Iterator[Bound]:
        """The items of a list, those of lists within it by `*` and `+` included."""
        value = v.bare(bound.value)
        if depth > MAX_DEPTH:
            return
        if isinstance(value, v.Seq):
            for item in value.items:
                if isinstance(item, v.Op) and item.kind == "star":
                    inner = v.bare(item.subject)
                    symbol = self.infer.symbol_of(inner, bound.frame)
                    if isinstance(inner, (v.Seq, v.Choice)):
                        yield from self._spread(bound.sub(inner), depth + 1)
                    elif isinstance(symbol, ValueSymbol):
                        yield bound.sub(inner)
                    else:
                        yield from self._spread(bound.sub(inner), depth + 1)
                else:
                    yield bound.sub(v.bare(item))
        elif isinstance(value, v.Choice):
            for option in value.options:
                yield from self._spread(bound.sub(option), depth + 1)
        elif isinstance(value, v.Mark):
            yield from self._spread(bound.sub(value.value), depth + 1)
        else:
            yield bound.sub(value)

    def _beyond(self, node: Node, path: str, name: str, facts: FileFacts, value: v.Value) -> None:
        """The items of a list that was too long to be kept: the calls in its statements."""
        if not _is_cut(value):
            return
        module = facts.functions["<module>"]
        holder = self.holder(node)
        seen = {(d.location.line, d.location.column) for d in holder.routes}
        seen |= {(c.location.line, c.location.column) for c in holder.children}
        own = {f.span.first for f in module.calls if (f.value.line, f.value.column) in seen}
        others = {
            x.line
            for other, x in facts.values.items()
            if other != name and isinstance(x, v.Named) and (("list", path, 0, other) in self._listed or x.size <= HALF)
        }
        seen |= {(c.location.line, 1) for c in holder.children}
        calls = [fact for fact in module.calls if fact.span.first not in others - own]
        self._declare_all(node, Frame(path, module), calls, seen)

    def _declare_all(
        self,
        node: Node,
        frame: Frame,
        calls: list[CallFact],
        seen: Collection[tuple[int, int]] = (),
        *,
        takes_in: bool = False,
    ) -> None:
        """The outermost of these calls that are routes, or take in others, but for those that were seen."""
        end = (0, 0)
        for fact in sorted(calls, key=lambda f: (f.span.line, f.span.column, -f.span.end_line, -f.span.end_column)):
            if (fact.span.line, fact.span.column) < end:
                continue
            form = self.values.form(Bound(fact.value, frame))
            if form is None or form[1].effect is None or form[1].effect.route is None or form[1].type is not None:
                continue
            declares = form[0].path and form[0].handler
            if not declares and not (takes_in and form[0].child):
                continue
            end = (fact.span.end_line, fact.span.end_column)
            if (fact.value.line, fact.value.column) in seen:
                continue
            place = Location(frame.path, fact.span.line, fact.span.column)
            if declares:
                for one in self.helpers.each_row(Bound(fact.value, frame)):
                    self.declare_value(node, one, form[0], [], [], place)
            else:
                self.children(node, Bound(fact.value, frame), RouteForm(child=(0,)), [], [], place)


def _within(calls: Iterable[CallFact], call: v.Call) -> list[CallFact]:
    """The calls that stand inside of another."""
    around = next((f.span for f in calls if (f.value.line, f.value.column) == (call.line, call.column)), None)
    if around is None:
        return []
    start, end = (around.line, around.column), (around.end_line, around.end_column)
    return [
        fact
        for fact in calls
        if start < (fact.span.line, fact.span.column) and (fact.span.end_line, fact.span.end_column) <= end
    ]


def _is_cut(value: v.Value) -> bool:
    inner = v.bare(value)
    if isinstance(inner, v.Choice):
        return any(map(_is_cut, inner.options))
    if isinstance(inner, v.Mark):
        return _is_cut(inner.value)
    if isinstance(inner, v.Seq):  # what another list is put in front of may have been cut as well
        return inner.open or any(isinstance(x, v.Op) and x.kind == "star" and _is_cut(x.subject) for x in inner.items)
    return isinstance(inner, v.Unknown)


def template(text: str, regex: bool) -> PathTemplate:
    """The segments of a path as it is written."""
    return parse_regex(text) if regex else parse(text)
