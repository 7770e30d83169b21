"""Where routes are declared: in calls and decorators of all files of an application."""

from __future__ import annotations

from collections.abc import Iterable

from prodready.documents import Documents
from prodready.finding import Location
from prodready.knowledge_form import Effect, RouteForm
from prodready.link.frames import Bound, Callee, Frame
from prodready.link.program import ClassSymbol, FunctionSymbol
from prodready.link.route_helpers import APPLIED
from prodready.link.route_lists import RouteLists
from prodready.link.route_nodes import ROOT, Declared, Inclusion, Node
from prodready.link.route_specs import RouteSpecs
from prodready.link.route_values import RouteValues
from prodready.read import values as v
from prodready.read.facts import CallFact, FileFacts, FunctionFacts, last_name

VERB_NAMES = frozenset(
    {"get", "post", "put", "patch", "delete", "head", "options", "route", "view", "trace", "register", "host"}
)
"""Names that many methods have which declare no routes."""


class RouteGraph(RouteLists):
    """All that declares routes in the files of a program that are part of the application."""

    def __init__(self, values: RouteValues, outside: frozenset[str], documents: Documents) -> None:
        super().__init__(values)
        self.outside = outside
        self.specs = RouteSpecs(values, documents)
        self._module_names()
        read = {path: facts for path in self._paths() if (facts := self.program.facts(path)) is not None}
        self._made = self._own_names(read.values())
        for path, facts in read.items():
            self._file(path, facts)

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
            if self.names.isdisjoint(called) and self._made.isdisjoint(called):
                continue
            frame = Frame(path, facts.functions[qualname])
            if frame.function.owner and self.values.overrides(frame):
                continue
            decorated = self.helpers.decorated(path, qualname)
            applied = _applied(frame.function)
            for fact in frame.function.calls:
                place = (fact.value.line, fact.value.column)
                target = decorated.get(place)
                if target is not None or place in applied or self._is_worth(fact):
                    self._call(frame, fact, target, applied.get(place))
        if self.hook_names.isdisjoint(self.program.outlines[path].calls):
            return
        for qualname, names in facts.decorators.items():
            if self.hook_names.isdisjoint(names):
                continue
            function = facts.functions[qualname]
            for decorator in function.decorators:
                value = v.bare(decorator)
                if not isinstance(value, v.Call) and last_name(value) in self.hook_names:
                    self._bare_hook(
                        FunctionSymbol(path, function), Bound(value, self.infer.home(Frame(path, function)))
                    )

    def _own_names(self, files: Iterable[FileFacts]) -> frozenset[str]:
        """The names of the project's classes that are derived from what holds routes, and other names of such classes."""
        outlines = self.program.outlines.values()
        above: dict[str, set[str]] = {}
        for outline in outlines:
            for name, other in (*outline.derived, *((alias, original) for original, alias in outline.renamed)):
                above.setdefault(other, set()).add(name)
        for facts in files:
            for name, value in facts.values.items():
                if isinstance(v.bare(value), (v.Ref, v.Attr)):
                    above.setdefault(last_name(value), set()).add(name)
        found: set[str] = set()
        waiting = list(self.function_names | self.type_names)
        while waiting:
            more = above.get(waiting.pop(), set()) - found
            found |= more
            waiting += more
        return frozenset(found)

    def _is_worth(self, fact: CallFact) -> bool:
        """Whether a call that decorates nothing may declare something: `get` of a mapping does not."""
        if fact.name in self.names and fact.name not in VERB_NAMES:
            return True
        if fact.name in VERB_NAMES:
            given = len(fact.value.args) + len(fact.value.keywords)
            last = v.bare(fact.value.args[1]) if len(fact.value.args) > 1 else None
            return given > 1 and (last is None or isinstance(last, (v.Ref, v.Attr, v.Call, v.Item, v.Param)))
        return fact.name in self._made

    def _call(
        self,
        frame: Frame,
        fact: CallFact,
        decorated: FunctionSymbol | ClassSymbol | None,
        applied: v.Value | None = None,
    ) -> None:
        bound = Bound(fact.value, frame)
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
        if form.spec:
            self._specified(bound, form, callee, location)
            return
        if form.into:
            for child in self.nodes_of_receiver(bound, callee):
                self._into(bound, form, child, location)
            return
        if form.detail or (not form.path and not form.child):
            return
        is_method = callee.type is not None or callee.receiver is not None
        if applied is not None and decorated is None and not form.handler:
            call = fact.value
            handed = (*call.keywords, (APPLIED, applied))
            bound = Bound(v.call(call.target, call.args, handed, call.line, call.column), frame)
        handed_over = decorated is not None or bound.value is not fact.value
        declares = form.path and (handed_over or form.handler) and (is_method or handed_over)
        if not declares and not (form.child and is_method):
            return
        for one in self.helpers.spelled_out(bound):
            if declares:
                self._declare(one.bound, form, callee, decorated, one.location or location)
            else:
                self._include(one.bound, form, callee, one.location or location)

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
        given = self.values.argument(call, form.handler or (APPLIED,))
        if given is not None:
            handler = bound.sub(given)
        if handler is None:
            return
        declared = Declared(form, self.paths(bound, form), call, bound.frame, handler, location, callee.receiver)
        if form.root:
            self.holder(ROOT).routes.append(declared)
            return
        if (callee.type is None and callee.receiver is None) or _is_function(callee):
            # A decorator that needs no router: whoever lists the function takes it in.
            symbol = handler if isinstance(handler, (FunctionSymbol, ClassSymbol)) else None
            self.holder(("function", symbol.path, 0, symbol.facts.qualname) if symbol else ROOT).routes.append(declared)
            return
        for node in self.nodes_of_receiver(bound, callee):
            self.holder(node).routes.append(declared)

    def _specified(self, bound: Bound, form: RouteForm, callee: Callee, location: Location) -> None:
        """The routes of an OpenAPI file."""
        call = bound.value
        assert isinstance(call, v.Call)
        given = self.values.argument(call, form.spec)
        resolver = self.values.argument(call, form.resolver)
        prefix = self.values.argument(call, form.prefix)
        prefixes = self.templates(bound.sub(prefix)) if prefix is not None else []
        for node in self.nodes_of_receiver(bound, callee):
            found = None
            if given is not None:
                resolved = bound.sub(resolver) if resolver is not None else None
                found = self.specs.of(bound.sub(given), self.holder(node).specs, resolved)
            if found is None:
                self.unresolved.append(location)
                continue
            inner: Node = ("list", bound.frame.path, call.line, f"spec:{call.column}")
            self.holder(inner).routes = found.routes
            self.holder(node).children.append(Inclusion(inner, prefixes or [found.base], [], location))

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
        if not self.cut_off(parent, bound, child, prefixes, guards, location):
            self.children(parent, bound.sub(child), form, prefixes, guards, location)

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


def _applied(function: FunctionFacts) -> dict[tuple[int, int], v.Value]:
    """By the places of calls that give a decorator: what it is applied to by hand, `app.route("/")(view)`."""
    found: dict[tuple[int, int], v.Value] = {}
    for fact in function.calls:
        made = v.bare(fact.value.target)
        if isinstance(made, v.Call) and len(fact.value.args) == 1:
            found[made.line, made.column] = fact.value.args[0]
    return found


def _is_function(callee: Callee) -> bool:
    return callee.type is None and callee.effect is not None
