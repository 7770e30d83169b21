"""The routes of an application: every method and path that it answers, what answers it, and what guards it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec
from msgspec.structs import replace

from prodready.documents import Documents
from prodready.link.frames import Bound
from prodready.link.guards import Guards
from prodready.link.holders import is_settings
from prodready.link.labels import Labels
from prodready.link.program import ClassSymbol, FunctionSymbol, ModuleSymbol
from prodready.link.route import ANY, Guard, Handler, Route
from prodready.link.route_graph import RouteGraph
from prodready.link.route_lists import template
from prodready.link.route_nodes import ROOT, Declared, Holder, Inclusion, Node
from prodready.link.route_values import HOLE, RouteValues
from prodready.link.route_views import View, Views
from prodready.link.url_paths import PathTemplate, parse, variants
from prodready.read import values as v

MAX_DEPTH = 12
MAX_ROUTES = 20_000


class _Way(msgspec.Struct, frozen=True):
    """How a router was reached: the path so far, names, guards and hooks on the way, what could not be found out."""

    path: PathTemplate = ()
    names: tuple[str, ...] = ()
    joint: str = "."
    named: bool = False
    guards: tuple[Bound, ...] = ()
    before: tuple[Bound, ...] = ()
    unknown: tuple[str, ...] = ()


class Routes:
    """All routes of a program. `unresolved` are the places of what could not be followed; it never leads to a guess."""

    def __init__(self, reducer: Labels, outside: frozenset[str], documents: Documents) -> None:
        self.reducer = reducer
        self.program, self.infer, self.knowledge = reducer.program, reducer.infer, reducer.knowledge
        self.outside = outside
        self.values = RouteValues(reducer)
        self.graph = RouteGraph(self.values, outside, documents)
        self.guards = Guards(self.values)
        self.views = Views(self.values, self.guards.makers)
        self._reached: set[Node] = set()
        self._walked: set[object] = set()
        found = list(self._all()) if self.graph.holders or self._url_modules() else []
        self.routes: tuple[Route, ...] = tuple(_once(found))
        self.unresolved = tuple(dict.fromkeys(self.graph.unresolved))

    def _all(self) -> Iterator[Route]:
        roots = self._roots()
        for node in roots:
            yield from self._walk(node, _Way(), 0, frozenset())
        for node in list(self.graph.holders):
            if (
                node not in self._reached
                and node[0] in {"made", "list", "function"}
                and self.graph.holders[node].routes
            ):
                way = _Way(unknown=("not mounted anywhere that could be found",))
                yield from self._walk(node, way, 0, frozenset())

    def _roots(self) -> list[Node]:
        modules = [self.graph.list_node(path, "urlpatterns") for path in self._url_modules()]
        included = {inclusion.child for holder in self.graph.holders.values() for inclusion in holder.children}
        roots = [node for node, holder in self.graph.holders.items() if holder.root and node not in included]
        alone = [node for node in modules if node not in included]
        return list(dict.fromkeys([*roots, *alone]))

    def _url_modules(self) -> list[str]:
        """The modules with the routes of the whole application, by the settings; else those that nobody includes."""
        if hasattr(self, "_urls"):
            return self._urls
        self._urls: list[str] = []
        names = [name for name, effect in self.knowledge.settings.items() if effect.settles == "urls"]
        for path in self.program.outlines:
            if path in self.outside or not is_settings(path):
                continue
            facts = self.program.facts(path)
            for name in names if facts is not None else ():
                value = v.bare(facts.values.get(name, v.UNKNOWN)) if facts is not None else v.UNKNOWN
                for text in self.values.texts(Bound(value, self.values.module(path))):
                    symbol = self.values.named(text, path)
                    if isinstance(symbol, ModuleSymbol) and symbol.path not in self._urls:
                        self._urls.append(symbol.path)
        if not self._urls:
            self._urls = [
                path
                for path, outline in self.program.outlines.items()
                if path not in self.outside
                and not self.graph.function_names.isdisjoint(outline.calls)
                and self._binds_urls(path)
            ]
        return self._urls

    def _binds_urls(self, path: str) -> bool:
        facts = self.program.facts(path)
        return facts is not None and "urlpatterns" in facts.values

    # From the roots down

    def _walk(self, node: Node, way: _Way, depth: int, above: frozenset[Node]) -> Iterator[Route]:
        seen = (node, way.path, way.names, way.named, way.unknown, tuple(map(_identity, (*way.guards, *way.before))))
        if depth > MAX_DEPTH or node in above or seen in self._walked:
            return
        self._walked.add(seen)
        self._reached.add(node)
        holder = self.graph.holders.get(node, Holder())
        kind = node[0]
        if kind == "function":
            yield from self._listed_function(node, way)
            return
        if kind == "class":
            yield from self._controller(node, way)
            return
        if holder.root and node != ROOT:
            # What is noted for "the application" without telling which one belongs to this one.
            spare = self.graph.holders.get(ROOT, Holder())
            way = replace(way, before=(*way.before, *spare.before))
        inner = replace(
            way,
            names=(*way.names, holder.name) if holder.name and not (kind == "list" and way.named) else way.names,
            named=False,
            joint=":" if kind == "list" else way.joint,
            guards=(*way.guards, *holder.guards),
            before=(*way.before, *holder.before),
        )
        for prefix in holder.prefixes if holder.prefixes and depth >= 0 else [()]:
            here = replace(inner, path=way.path + prefix, unknown=_doubt(inner.unknown, prefix))
            for declared in holder.routes:
                yield from self._route(declared, here, node)
            for inclusion in holder.children:
                yield from self._included(inclusion, here, depth, above | {node})

    def _included(self, inclusion: Inclusion, way: _Way, depth: int, above: frozenset[Node]) -> Iterator[Route]:
        child = self.graph.holders.get(inclusion.child, Holder())
        for prefix in inclusion.prefixes:
            below = replace(
                way,
                path=way.path + prefix,
                names=(*way.names, inclusion.name) if inclusion.name else way.names,
                named=bool(inclusion.name),
                guards=(*way.guards, *inclusion.guards),
                unknown=_doubt(way.unknown, prefix),
            )
            if inclusion.replaces and child.prefixes:
                kept, child.prefixes = child.prefixes, []
                yield from list(self._walk(inclusion.child, below, depth + 1, above))
                child.prefixes = kept
            else:
                yield from self._walk(inclusion.child, below, depth + 1, above)

    def _listed_function(self, node: Node, way: _Way) -> Iterator[Route]:
        """A function whose decorator declares the route, and that somebody lists."""
        for declared in self.graph.holders.get(node, Holder()).routes:
            yield from self._route(declared, way, ("list", node[1], 0, ""))

    def _controller(self, node: Node, way: _Way) -> Iterator[Route]:
        """A class whose methods' decorators declare routes, below the path of the class."""
        _, path, _, qualname = node
        facts = self.program.facts(path)
        cls = ClassSymbol(path, facts.classes[qualname]) if facts is not None and qualname in facts.classes else None
        if cls is None:
            return
        located = {
            name
            for base in self.program.lineage(cls)
            if isinstance(base, str)
            for name in [self.knowledge.types[k].located_by for k in self.knowledge.lineage(base)]
            if name
        }
        for name in located:
            member = self.program.member(cls, name)
            value = getattr(member, "value", None)
            if value is not None and member is not None:
                prefix = [parse(t) for t in self.values.texts(Bound(value, self.values.module(member.path)))]
                way = replace(way, path=way.path + (prefix[0] if prefix else ()))
        for base in self.program.lineage(cls):
            for method in base.facts.methods if isinstance(base, ClassSymbol) else ():
                inner: Node = ("function", base.path, 0, f"{base.facts.qualname}.{method}")  # type: ignore[union-attr]
                self._reached.add(inner)
                for declared in self.graph.holders.get(inner, Holder()).routes:
                    yield from self._route(declared, way, node, cls)

    # One route

    def _route(self, declared: Declared, way: _Way, node: Node, cls: ClassSymbol | None = None) -> Iterator[Route]:
        form, call, frame = declared.form, declared.call, declared.frame
        suffix = name = ""
        listed: tuple[str, ...] = ()
        guards = way.guards
        if call is not None:
            bound = Bound(call, frame)
            if (given := self.values.argument(call, form.suffix)) is not None:
                suffix = next(iter(self.values.texts(bound.sub(given))), "")
            if (given := self.values.argument(call, form.name)) is not None:
                name = next((t for t in self.values.texts(bound.sub(given)) if t != HOLE), "")
            if (given := self.values.argument(call, form.methods)) is not None:
                listed = tuple(dict.fromkeys(word.upper() for word in self.values.words(bound.sub(given))))
            if (given := self.values.argument(call, form.guards)) is not None:
                guards = (*guards, bound.sub(given))
        views, missing = self._views(declared, suffix, cls)
        for view in views:
            methods = view.methods or listed or self.views.narrowed(view) or form.verbs or (ANY,)
            if listed and view.methods:  # the list narrows what the class answers
                methods = tuple(m for m in view.methods if m in listed)
                if not methods:
                    continue
            full = self._names(way, name or view.name or _own_name(view.handler))
            tail = (*(("{pk}",) if view.row else ()), *template(view.tail, "(?P<" in view.tail))
            find = partial(self._guards, declared.certain, view, guards, way.before, methods, full)
            for text in declared.paths:
                regex = declared.regex or form.regex or "(?P<" in text
                for segments in dict.fromkeys(template(one, regex) for one in (variants(text) if regex else [text])):
                    unknown = _doubt(way.unknown + missing, segments if text == HOLE else ())
                    path = way.path + segments + tail
                    yield Route(
                        methods,
                        path,
                        view.handler,
                        full,
                        declared.location,
                        f"{node[1]}:{node[2]}:{node[3]}",
                        unknown,
                        partial(find, path),
                    )

    def _guards(
        self,
        certain: tuple[Guard, ...],
        view: View,
        given: tuple[Bound, ...],
        before: tuple[Bound, ...],
        methods: tuple[str, ...],
        name: str,
        path: PathTemplate,
        all_of_them: bool,
    ) -> tuple[Guard, ...]:
        if certain and not all_of_them:
            return certain
        found = self.guards.of(view.handler, view.wrappers, given, before, methods, all_of_them=all_of_them)
        kept = tuple(guard for guard in dict.fromkeys((*certain, *found)) if guard.reach.includes(name, path))
        if found and not kept and not all_of_them:  # the first that was found is for other routes
            return self._guards(certain, view, given, before, methods, name, path, all_of_them=True)
        return kept

    def _views(self, declared: Declared, suffix: str, cls: ClassSymbol | None) -> tuple[list[View], tuple[str, ...]]:
        handler = declared.handler
        if isinstance(handler, FunctionSymbol):
            return [View((), self.views.handler(handler, cls))], ()
        if isinstance(handler, ClassSymbol):
            return list(self.views.of_class(handler, declared.form, suffix)), ()
        assert handler is not None
        found = self.views.of(handler, declared.form, suffix)
        if found:
            return found, ()
        return [View((), Handler("?", declared.location))], ("the handler could not be found",)

    @staticmethod
    def _names(way: _Way, name: str) -> str:
        return way.joint.join([*way.names, name]) if name else ""


def _identity(bound: Bound) -> tuple[str, int]:
    return bound.frame.path, id(bound.value)


def _own_name(handler: Handler) -> str:
    return handler.name.rpartition(".")[2] if handler.frame is not None and handler.cls is None else ""


def _doubt(known: tuple[str, ...], prefix: PathTemplate) -> tuple[str, ...]:
    return (*known, "part of the path could not be found out") if HOLE in prefix else known


def _once(routes: list[Route]) -> Iterator[Route]:
    seen: set[tuple[object, ...]] = set()
    for route in routes[:MAX_ROUTES]:
        key = (route.methods, route.path, route.handler.name, route.handler.location)
        if key not in seen:
            seen.add(key)
            yield route


__all__ = ["Guard", "Handler", "Route", "Routes"]
