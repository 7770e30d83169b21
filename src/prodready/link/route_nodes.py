"""What holds routes: applications, routers, lists, classes; and which object a value stands for."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from prodready.finding import Location
from prodready.knowledge_form import RouteForm
from prodready.link.frames import Bound, Frame
from prodready.link.program import ClassSymbol, FunctionSymbol
from prodready.link.route import Guard
from prodready.link.route_values import HOLE, RouteValues
from prodready.link.url_paths import PathTemplate, parse
from prodready.read import values as v

MAX_DEPTH = 10
MAX_CALLERS = 4

Node = tuple[str, str, int, str]
"""What holds routes: `made` (an object, by where it is made), `list` (a variable), `class`, `function` or `root`."""

ROOT: Node = ("root", "", 0, "")


class Declared(msgspec.Struct):
    """A route as it is declared: the paths, the call, and what it says of the handler and, for certain, of its guards."""

    form: RouteForm
    paths: list[str]
    call: v.Call | None
    frame: Frame
    handler: Bound | FunctionSymbol | ClassSymbol | None
    location: Location
    receiver: v.Value | None = None
    regex: bool = False
    certain: tuple[Guard, ...] = ()


class Inclusion(msgspec.Struct):
    """One that holds routes takes in another: below a prefix, behind guards."""

    child: Node
    prefixes: list[PathTemplate]
    guards: list[Bound]
    location: Location
    name: str = ""
    replaces: bool = False


class Holder(msgspec.Struct):
    """What is known of a node."""

    prefixes: list[PathTemplate] = msgspec.field(default_factory=list)
    name: str = ""
    root: bool = False
    guards: list[Bound] = msgspec.field(default_factory=list)
    before: list[Bound] = msgspec.field(default_factory=list)
    children: list[Inclusion] = msgspec.field(default_factory=list)
    routes: list[Declared] = msgspec.field(default_factory=list)
    specs: list[str] = msgspec.field(default_factory=list)
    unknown: list[str] = msgspec.field(default_factory=list)
    location: Location = msgspec.field(default_factory=lambda: Location("", 1))


class RouteNodes:
    """Finds the node that a value stands for, and notes what is said of it where it is made."""

    def __init__(self, values: RouteValues) -> None:
        self.values = values
        self.program, self.infer, self.knowledge = values.program, values.infer, values.knowledge
        self.holders: dict[Node, Holder] = {}

    def holder(self, node: Node) -> Holder:
        """What is known of a node."""
        if node not in self.holders:
            self.holders[node] = Holder(root=node == ROOT)
        return self.holders[node]

    @staticmethod
    def made(bound: Bound) -> Node:
        """The node of an object, by the call that makes it."""
        value = bound.value
        assert isinstance(value, v.Call)
        return ("made", bound.frame.path, value.line, str(value.column))

    def _make(self, bound: Bound, form: RouteForm, location: Location) -> None:
        node = self.made(bound)
        holder = self.holder(node)
        if holder.location.path:
            return
        holder.location = location
        holder.root |= form.root
        call = bound.value
        assert isinstance(call, v.Call)
        if (prefix := self.values.argument(call, form.prefix)) is not None:
            holder.prefixes = self.templates(bound.sub(prefix))
        if (row := self.values.argument(call, form.row)) is not None:
            above = self.values.argument(call, form.above)
            outer = (
                [p for n in self.nodes(bound.sub(above)) for p in self.holder(n).prefixes] if above is not None else []
            )
            names = [f"{{{text}_pk}}" for text in self.values.texts(bound.sub(row))[:1]]
            holder.prefixes = [a + b + tuple(names) for a in outer or [()] for b in holder.prefixes]
        if (name := self.values.argument(call, form.name)) is not None:
            holder.name = next(iter(self.values.texts(bound.sub(name))), "")
        if (guards := self.values.argument(call, form.guards)) is not None:
            holder.guards.append(bound.sub(guards))
        if (before := self.values.argument(call, form.before)) is not None:
            holder.before += list(self.values.elements(bound.sub(before)))
        if (spec := self.values.argument(call, form.spec)) is not None:
            holder.specs += [text for text in self.values.texts(bound.sub(spec)) if HOLE not in text]
        if (child := self.values.argument(call, form.child)) is not None:
            if not self.cut_off(node, bound, child, [], [], location):
                self.children(node, bound.sub(child), form, [], [], location)
        self.add(node, form.adds, bound.frame, location)
        self._into(bound, form, node, location)

    def add(self, node: Node, rows: Mapping[str, tuple[str, str]], frame: Frame, location: Location) -> None:
        """Note the routes that a library brings: for each path its view and its name."""
        for path, (view, name) in rows.items():
            call = v.Call(v.Ref(view), (), (("name", v.Const(name)),), location.line, location.column, 3)
            handler = Bound(v.Ref(view), frame)
            self.holder(node).routes.append(Declared(RouteForm(name=("name",)), [path], call, frame, handler, location))

    def _into(self, bound: Bound, form: RouteForm, child: Node, location: Location) -> None:
        call = bound.value
        assert isinstance(call, v.Call)
        target = self.values.argument(call, form.into)
        if target is not None and not isinstance(v.bare(target), v.Const):
            for parent in self.nodes(bound.sub(target)):
                self.holder(parent).children.append(Inclusion(child, [()], [], location))

    def nodes(self, bound: Bound, depth: int = 0) -> list[Node]:
        """What holds the routes of a value: an application, a router."""
        found: dict[Node, None] = {}
        given = v.bare(bound.value)
        if (
            isinstance(given, v.Attr) and depth < MAX_DEPTH
        ):  # `router.urls`, also where a class of the project has its own
            kind = self.infer.type_of(bound.sub(given.base))
            if kind is not None and any(self.knowledge.route(name) for name in self.infer.library_types(kind)):
                return self.nodes(bound.sub(given.base), depth + 1)
        for leaf in self.values.reducer.leaves(bound):
            value = leaf.value
            if isinstance(value, v.Call):
                form = self.values.form(leaf)
                if form is None and (taken := self._taken_for(bound)) is not None:
                    self._make(leaf, taken, Location(leaf.frame.path, max(value.line, 1), max(value.column, 1)))
                    found[self.made(leaf)] = None
                    continue
                several = self._of_each(leaf, value) if form is None else []
                if several:
                    found.update(dict.fromkeys(node for one in several for node in self.nodes(one, depth + 1)))
                    continue
                if form is not None and (
                    form[1].effect is None or form[1].effect.route is None or form[1].effect.returns
                ):
                    self._make(leaf, form[0], Location(leaf.frame.path, max(value.line, 1), max(value.column, 1)))
                    found[self.made(leaf)] = None
                    continue
                if isinstance(value.target, v.Attr):  # a method that gives the object back: `app.set(...)`
                    found.update(dict.fromkeys(self.nodes(leaf.sub(value.target.base), depth + 1) if depth < 3 else ()))
            elif isinstance(value, v.Attr) and depth < MAX_DEPTH:
                found.update(dict.fromkeys(self.nodes(leaf.sub(value.base), depth + 1)))
            elif isinstance(value, v.Param) and depth < MAX_CALLERS:
                for site in self.infer.some_callers(*leaf.frame.key):
                    argument = site.arguments.get(value.name)
                    if argument is not None:
                        found.update(dict.fromkeys(self.nodes(argument, depth + 1)))
            elif isinstance(value, v.Ref) and isinstance(
                symbol := self.infer.symbol_of(value, leaf.frame), ClassSymbol
            ):
                found["class", symbol.path, 0, symbol.facts.qualname] = None
        return list(found)

    def _taken_for(self, bound: Bound) -> RouteForm | None:
        """The form of what something is taken for by its name: a router that a project's own function makes a class for."""
        kind = self.infer.type_of(bound)
        if kind is None or not kind.assumed:
            return None
        return next((f for name in self.infer.library_types(kind) if (f := self.knowledge.route(name))), None)

    def _of_each(self, bound: Bound, call: v.Call) -> list[Bound]:
        """`for module in (main, api): module.make_router()`: the call of each of them."""
        target = v.bare(call.target)
        base = v.bare(target.base) if isinstance(target, v.Attr) else None
        if not isinstance(target, v.Attr) or not isinstance(base, v.Op) or base.kind != "each":
            return []
        return [
            one.sub(v.call(v.attr(one.value, target.name), call.args, call.keywords, call.line, call.column))
            for one in self.values.reducer.elements(bound.sub(base.subject))
        ]

    def templates(self, bound: Bound) -> list[PathTemplate]:
        """The prefixes that an argument may stand for."""
        return [parse(text) for text in self.values.texts(bound)]

    def paths(self, bound: Bound, form: RouteForm) -> list[str]:
        """The paths that a call declares."""
        call = bound.value
        assert isinstance(call, v.Call)
        given = self.values.argument(call, form.path)
        if given is None:
            return [""]
        if any(isinstance(place, str) and place.endswith("*") for place in form.path):
            return [text for one in self.values.elements(bound.sub(given)) for text in self.values.texts(one)]
        found = self.values.texts(bound.sub(given))
        if not found:
            found = [text for one in self.values.elements(bound.sub(given)) for text in self.values.texts(one)]
        return found or [HOLE]

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
        """Note what `bound` adds to `parent`, see `RouteLists`."""
        raise NotImplementedError

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
        """Note what a call adds whose list of routes was cut, see `RouteLists`."""
        raise NotImplementedError
