"""Where routes are declared, and which application, router or list takes in which: from calls, decorators and lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from prodready.finding import Location
from prodready.knowledge_form import Effect, RouteForm
from prodready.link.frames import Bound, Callee, Frame
from prodready.link.program import ClassSymbol, FunctionSymbol, LibrarySymbol, ModuleSymbol, ValueSymbol
from prodready.link.route_values import HOLE, RouteValues
from prodready.link.url_paths import PathTemplate, parse, parse_regex
from prodready.read import values as v
from prodready.read.facts import CallFact, FileFacts, last_name

MAX_DEPTH = 10
MAX_CALLERS = 4

Node = tuple[str, str, int, str]
"""What holds routes: `made` (an object, by where it is made), `list` (a variable), `class`, `function` or `root`."""

ROOT: Node = ("root", "", 0, "")


@dataclass
class Declared:
    """A route as it is declared: the paths, the call, and what it says of the handler."""

    form: RouteForm
    paths: list[str]
    call: v.Call | None
    frame: Frame
    handler: Bound | FunctionSymbol | ClassSymbol | None
    location: Location
    receiver: v.Value | None = None
    regex: bool = False


@dataclass
class Inclusion:
    """One that holds routes takes in another: below a prefix, behind guards."""

    child: Node
    prefixes: list[PathTemplate]
    guards: list[Bound]
    location: Location
    name: str = ""
    replaces: bool = False


@dataclass
class Holder:
    """What is known of a node."""

    prefixes: list[PathTemplate] = field(default_factory=list)
    name: str = ""
    root: bool = False
    guards: list[Bound] = field(default_factory=list)
    before: list[Bound] = field(default_factory=list)
    children: list[Inclusion] = field(default_factory=list)
    routes: list[Declared] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    location: Location = field(default_factory=lambda: Location("", 1))


class RouteGraph:
    """All that declares routes in the files of a program that are part of the application."""

    def __init__(self, values: RouteValues, outside: frozenset[str]) -> None:
        self.values = values
        self.program, self.infer, self.knowledge = values.program, values.infer, values.knowledge
        self.outside = outside
        self.holders: dict[Node, Holder] = {}
        self.unresolved: list[Location] = []
        self._listed: set[Node] = set()
        self._module_names()
        for path in self._paths():
            facts = self.program.facts(path)
            if facts is not None:
                self._file(path, facts)

    # Which files

    def _module_names(self) -> None:
        functions = {n.rpartition(".")[2] for n, e in self.knowledge.functions.items() if e.route is not None}
        methods: set[str] = set()
        hooks: set[str] = set()
        for entry in self.knowledge.types.values():
            for name, effect in entry.methods.items():
                if isinstance(effect, Effect) and effect.route is not None:
                    methods.add(name)
                if isinstance(effect, Effect) and (
                    effect.decorates == "middleware" or (effect.route and effect.route.before)
                ):
                    hooks.add(name)
        kinds = {n.rpartition(".")[2] for n, e in self.knowledge.types.items() if e.route is not None}
        kinds |= {
            a.rpartition(".")[2] for a, n in self.knowledge.aliases.items() if self.knowledge.types[n].route is not None
        }
        self.function_names, self.method_names, self.type_names, self.hook_names = functions, methods, kinds, hooks
        self.names = functions | methods | kinds | hooks

    def _paths(self) -> list[str]:
        """The files that may declare routes; none at all where nothing that holds them is ever made."""
        outlines = self.program.outlines
        paths = [path for path in outlines if path not in self.outside]
        certain = (self.function_names | self.type_names) - self.method_names
        if not any(
            certain.intersection(outlines[path].calls) or "urlpatterns" in outlines[path].aliases for path in paths
        ):
            renamed = {alias for path in paths for original, alias in outlines[path].renamed if original in certain}
            derived = {sub for path in paths for sub, base in outlines[path].derived if base in self.type_names}
            if not renamed and not derived:
                return []
        return [path for path in paths if not self.names.isdisjoint(outlines[path].calls)]

    def _file(self, path: str, facts: FileFacts) -> None:
        for qualname, called in facts.called.items():
            if self.names.isdisjoint(called) and not self._has_own(facts, qualname):
                continue
            frame = Frame(path, facts.functions[qualname])
            if frame.function.owner and self.values.overrides(frame):
                continue
            decorated = self._decorated(path, facts, qualname)
            for fact in frame.function.calls:
                target = decorated.get((fact.value.line, fact.value.column))
                if target is not None or self._is_worth(fact):
                    self._call(frame, fact, target)
        for qualname in facts.functions:
            if qualname == "<module>":
                continue
            function = facts.functions[qualname]
            for decorator in function.decorators:
                value = v.bare(decorator)
                if not isinstance(value, v.Call) and last_name(value) in self.hook_names:
                    self._bare_hook(
                        FunctionSymbol(path, function), Bound(value, self.infer.home(Frame(path, function)))
                    )

    def _has_own(self, facts: FileFacts, qualname: str) -> bool:
        """Whether a class of the file is derived from what holds routes and may be made here."""
        called = facts.called[qualname]
        return any(name[:1].isupper() for name in called)

    def _decorated(
        self, path: str, facts: FileFacts, qualname: str
    ) -> dict[tuple[int, int], FunctionSymbol | ClassSymbol]:
        """What the decorators in the body of a function stand above."""
        prefix = "" if qualname == "<module>" else f"{qualname}."
        found: dict[tuple[int, int], FunctionSymbol | ClassSymbol] = {}
        names = [n for n in facts.functions if n.startswith(prefix) and n != "<module>"]
        for name in names:
            function = facts.functions[name]
            for decorator in function.decorators:
                value = v.bare(decorator)
                if isinstance(value, v.Call):
                    found[value.line, value.column] = FunctionSymbol(path, function)
        for name, cls in facts.classes.items():
            if name.startswith(prefix):
                for decorator in cls.decorators:
                    value = v.bare(decorator)
                    if isinstance(value, v.Call):
                        found[value.line, value.column] = ClassSymbol(path, cls)
        return found

    def _is_worth(self, fact: CallFact) -> bool:
        """Whether a call that decorates nothing may declare something: `get` of a mapping does not."""
        if fact.name in self.names and fact.name not in VERB_NAMES:
            return True
        if fact.name in VERB_NAMES:
            given = len(fact.value.args) + len(fact.value.keywords)
            last = v.bare(fact.value.args[1]) if len(fact.value.args) > 1 else None
            return given > 1 and (last is None or isinstance(last, (v.Ref, v.Attr, v.Call)))
        return fact.name[:1].isupper()

    # One call

    def _call(self, frame: Frame, fact: CallFact, decorated: FunctionSymbol | ClassSymbol | None) -> None:
        bound = Bound(fact.value, frame)
        star = next((a for a in fact.value.args if v.is_star(a)), None)
        if isinstance(star, v.Op) and fact.name in self.method_names and self._spread_call(frame, fact, star):
            return
        found = self.values.form(bound)
        if found is None:
            hook = self.values.effect(bound) if decorated is not None and fact.name in self.hook_names else None
            if hook is not None and hook.decorates == "middleware" and isinstance(decorated, FunctionSymbol):
                self._hook(bound, decorated)
            return
        form, callee = found
        location = Location(frame.path, fact.span.line, fact.span.column, fact.span.end_line, fact.span.end_column)
        if callee.effect is None or callee.effect.route is None:  # what holds routes is made
            self._make(bound, form, location)
            return
        if callee.effect.returns and self.knowledge.route(callee.effect.returns) is not None:
            self._make(bound, form, location)
            for parent in self.nodes_of_receiver(bound, callee):
                self.holder(parent).children.append(Inclusion(self.made(bound), [()], [], location))
            return
        if form.before:
            self._before(bound, form, callee, decorated)
            return
        if form.into:
            for child in self.nodes_of_receiver(bound, callee):
                self._into(bound, form, child, location)
            return
        if form.detail or (not form.path and not form.child):
            return
        is_method = callee.type is not None or callee.receiver is not None
        if form.path and (decorated is not None or form.handler) and (is_method or decorated is not None):
            self._declare(bound, form, callee, decorated, location)
        elif form.child and is_method:
            self._include(bound, form, callee, location)

    def _spread_call(self, frame: Frame, fact: CallFact, star: v.Op) -> bool:
        """`for route in ROUTES: api.add_resource(*route)`: one call for each element."""
        each = v.bare(star.subject)
        rows = self.values.reducer.elements(Bound(each.subject, frame)) if isinstance(each, v.Op) else []
        tables = [(row, items) for row in rows if isinstance(items := v.bare(row.value), v.Seq)]
        for row, items in tables:
            self._row(frame, fact, row, items)
        return bool(tables)

    def _row(self, frame: Frame, fact: CallFact, row: Bound, items: v.Seq) -> None:
        found = self.values.form(Bound(fact.value, frame))
        if found is None or not found[0].path:
            return
        form, callee = found
        call = v.call(fact.value.target, items.items, fact.value.keywords, fact.value.line, fact.value.column)
        assert isinstance(call, v.Call)
        handler = self.values.argument(call, form.handler)
        if handler is None:
            return
        location = Location(frame.path, fact.span.line, fact.span.column)
        paths = self.paths(Bound(call, row.frame), form)
        declared = Declared(form, paths, call, row.frame, row.sub(handler), location, callee.receiver)
        for node in self.nodes_of_receiver(Bound(fact.value, frame), callee):
            self.holder(node).routes.append(declared)

    def _declare(
        self,
        bound: Bound,
        form: RouteForm,
        callee: Callee,
        decorated: FunctionSymbol | ClassSymbol | None,
        location: Location,
    ) -> None:
        call = bound.value
        assert isinstance(call, v.Call)
        handler: Bound | FunctionSymbol | ClassSymbol | None = decorated
        given = self.values.argument(call, form.handler)
        if given is not None:
            handler = bound.sub(given)
        if handler is None:
            return
        declared = Declared(form, self.paths(bound, form), call, bound.frame, handler, location, callee.receiver)
        if (callee.type is None and callee.receiver is None) or _is_function(callee):
            # A decorator that needs no router: whoever lists the function takes it in.
            symbol = handler if isinstance(handler, (FunctionSymbol, ClassSymbol)) else None
            self.holder(("function", symbol.path, 0, symbol.facts.qualname) if symbol else ROOT).routes.append(declared)
            return
        for node in self.nodes_of_receiver(bound, callee):
            self.holder(node).routes.append(declared)

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

    def templates(self, bound: Bound) -> list[PathTemplate]:
        """The prefixes that an argument may stand for."""
        return [parse(text) for text in self.values.texts(bound)]

    def _include(self, bound: Bound, form: RouteForm, callee: Callee, location: Location) -> None:
        parents = self.nodes_of_receiver(bound, callee)
        for parent in parents:
            self.take_in(parent, bound, form, location)

    def take_in(self, parent: Node, bound: Bound, form: RouteForm, location: Location) -> None:
        """Note that `parent` takes in what a call names as its child."""
        call = bound.value
        assert isinstance(call, v.Call)
        child = self.values.argument(call, form.child)
        if child is None:
            return
        prefix = self.values.argument(call, form.prefix)
        prefixes = self.templates(bound.sub(prefix)) if prefix is not None else []
        guards = [bound.sub(g)] if (g := self.values.argument(call, form.guards)) is not None else []
        self.children(parent, bound.sub(child), form, prefixes, guards, location)

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
        if (name := self.values.argument(call, form.name)) is not None:
            holder.name = next(iter(self.values.texts(bound.sub(name))), "")
        if (guards := self.values.argument(call, form.guards)) is not None:
            holder.guards.append(bound.sub(guards))
        if (before := self.values.argument(call, form.before)) is not None:
            holder.before += list(self.values.elements(bound.sub(before)))
        if (child := self.values.argument(call, form.child)) is not None:
            self.children(node, bound.sub(child), form, [], [], location)
        self._into(bound, form, node, location)

    def _into(self, bound: Bound, form: RouteForm, child: Node, location: Location) -> None:
        call = bound.value
        assert isinstance(call, v.Call)
        target = self.values.argument(call, form.into)
        if target is not None and not isinstance(v.bare(target), v.Const):
            for parent in self.nodes(bound.sub(target)):
                self.holder(parent).children.append(Inclusion(child, [()], [], location))

    # Hooks

    def _before(
        self, bound: Bound, form: RouteForm, callee: Callee, decorated: FunctionSymbol | ClassSymbol | None
    ) -> None:
        call = bound.value
        assert isinstance(call, v.Call)
        given = self.values.argument(call, form.before)
        for node in [ROOT] if form.root else self.nodes_of_receiver(bound, callee):
            if given is not None:
                self.holder(node).before.append(bound.sub(given))
            elif isinstance(decorated, FunctionSymbol):
                self._note_hook(node, decorated)

    def _bare_hook(self, function: FunctionSymbol, decorator: Bound) -> None:
        value = decorator.value
        effect = self.values.effect(decorator)
        if effect is None or not isinstance(value, v.Attr):
            return
        if effect.route is not None and effect.route.before:
            for node in [ROOT] if effect.route.root else self.nodes(decorator.sub(value.base)):
                self._note_hook(node, function)
        elif effect.decorates == "middleware":
            for node in self.nodes(decorator.sub(value.base)):
                self._note_hook(node, function)

    def _hook(self, bound: Bound, function: FunctionSymbol) -> None:
        target = v.bare(bound.value.target) if isinstance(bound.value, v.Call) else None
        for node in self.nodes(bound.sub(target.base)) if isinstance(target, v.Attr) else [ROOT]:
            self._note_hook(node, function)

    def _note_hook(self, node: Node, function: FunctionSymbol) -> None:
        frame = self.infer.home(Frame(function.path, function.facts))
        self.holder(node).before.append(Bound(v.Ref(f":{function.facts.qualname}"), frame))

    # Who holds what

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

    def nodes_of_receiver(self, bound: Bound, callee: Callee) -> list[Node]:
        """The nodes that a method is called on."""
        target = v.bare(bound.value.target) if isinstance(bound.value, v.Call) else None
        receiver = target.base if isinstance(target, v.Attr) else callee.receiver
        if receiver is None:
            return [ROOT]
        found = self.nodes(bound.sub(receiver))
        if not found:
            found = [ROOT]
        return found

    def nodes(self, bound: Bound, depth: int = 0) -> list[Node]:
        """What holds the routes of a value: an application, a router."""
        found: dict[Node, None] = {}
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

    # Lists

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
            elif value.value is not None:
                self.holder(parent).unknown.append(f"{value.value} is not in the project")
            return
        symbol = self.infer.symbol_of(value, bound.frame)
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
                if inner.path and inner.handler:
                    self.declare_value(parent, bound.sub(value), inner, prefixes, guards, location)
                elif inner.child:
                    self._nested_child(parent, bound.sub(value), inner, form, prefixes, guards, location, depth)
                return
        if isinstance(value, v.Seq):
            pair = [v.bare(item) for item in value.items]
            if len(pair) >= 2 and isinstance(pair[0], v.Const) and isinstance(pair[0].value, str) and form.regex:
                self._pair(parent, bound, value, form, location)
                return
            if len(pair) in (2, 3) and isinstance(pair[1], v.Const) and form.child and not isinstance(pair[0], v.Const):
                self.children(
                    parent, bound.sub(value.items[0]), form, prefixes, guards, location, str(pair[1].value), depth + 1
                )
                return
            node: Node = ("list", bound.frame.path, location.line, f"{bound.frame.function.qualname}:{location.column}")
            if node not in self._listed:
                self._listed.add(node)
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
        named = self.values.argument(call, inner.name)
        name = next(iter(self.values.texts(bound.sub(named))), "") if named is not None else ""
        together = [a + b for a in prefixes or [()] for b in own or [()]]
        extra = self.values.argument(call, inner.guards)
        more = [*guards, bound.sub(extra)] if extra is not None else guards
        if child is not None:
            merged = RouteForm(child=inner.child, regex=form.regex or inner.regex)
            self.children(parent, bound.sub(child), merged, together, more, location, name, depth + 1)

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
            node: Node = ("list", bound.frame.path, call.line, f"value:{call.column}")
            self.holder(node).routes = [declared]
            self.holder(parent).children.append(Inclusion(node, prefixes or [()], guards, location))
        else:
            self.holder(parent).routes.append(declared)

    def _is_holder(self, bound: Bound) -> bool:
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
        others = {
            x.line for other, x in facts.values.items() if other != name and isinstance(x, v.Named) and not _is_cut(x)
        }
        holder = self.holder(node)
        seen = {(d.location.line, d.location.column) for d in holder.routes}
        seen |= {(c.location.line, c.location.column) for c in holder.children}
        seen |= {(c.location.line, 1) for c in holder.children}
        end = (0, 0)
        for fact in sorted(
            module.calls, key=lambda f: (f.span.line, f.span.column, -f.span.end_line, -f.span.end_column)
        ):
            if (fact.span.line, fact.span.column) < end or fact.span.first in others:
                continue
            form = self.values.form(Bound(fact.value, Frame(path, module)))
            if form is None or form[1].effect is None or form[1].effect.route is None or not form[0].handler:
                continue
            if not form[0].path or form[1].type is not None:
                continue
            end = (fact.span.end_line, fact.span.end_column)
            if (fact.value.line, fact.value.column) not in seen:
                place = Location(path, fact.span.line, fact.span.column)
                self.declare_value(node, Bound(fact.value, Frame(path, module)), form[0], [], [], place)


VERB_NAMES = frozenset(
    {"get", "post", "put", "patch", "delete", "head", "options", "route", "view", "trace", "register", "host"}
)
"""Names that many methods have which declare no routes."""


def _is_cut(value: v.Value) -> bool:
    inner = v.bare(value)
    if isinstance(inner, v.Choice):
        return any(map(_is_cut, inner.options))
    if isinstance(inner, v.Mark):
        return _is_cut(inner.value)
    return (isinstance(inner, v.Seq) and (inner.open or inner.size > v.MAX_SIZE // 2)) or isinstance(inner, v.Unknown)


def _is_function(callee: Callee) -> bool:
    return callee.type is None and callee.effect is not None


def template(text: str, regex: bool) -> PathTemplate:
    """The segments of a path as it is written."""
    return parse_regex(text) if regex else parse(text)
