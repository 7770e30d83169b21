"""What answers a route: from the value that is handed over as its handler to functions and the methods of classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
from msgspec.structs import replace

from prodready.finding import Location
from prodready.knowledge_form import RouteForm
from prodready.link.frames import Bound, Frame
from prodready.link.program import ClassSymbol, FunctionSymbol, LibrarySymbol, Symbol, ValueSymbol
from prodready.link.route import ANY, Handler
from prodready.link.route_values import RouteValues
from prodready.read import values as v
from prodready.read.facts import FunctionFacts, last_name
from prodready.read.values import Value

VERBS = ("get", "post", "put", "patch", "delete", "head", "options")


class View(msgspec.Struct, frozen=True):
    """One way to answer: the methods, what does it, what was put around it, and what its name adds to the path.

    `methods` is empty where the route says which they are.
    """

    methods: tuple[str, ...]
    handler: Handler
    wrappers: tuple[Bound, ...] = ()
    tail: str = ""
    name: str = ""
    row: bool = False


class Views:
    """Finds handlers."""

    def __init__(self, values: RouteValues, makers: frozenset[str]) -> None:
        self.values = values
        self._makers = makers
        self.infer, self.program, self.knowledge = values.infer, values.program, values.knowledge

    def of(self, bound: Bound, form: RouteForm, suffix: str = "", depth: int = 0) -> list[View]:
        """What a value that is given as a handler answers; empty where that is not to be found."""
        value = v.bare(bound.value)
        if depth > 8:
            return []
        if isinstance(value, v.Const) and isinstance(value.value, str):
            symbol = self.values.named(value.value, bound.frame.path)
            return self._of_symbol(symbol, form, suffix, bound, depth) if symbol is not None else []
        if isinstance(value, v.Call):
            return self._of_call(bound.sub(value), value, form, suffix, depth)
        if isinstance(value, (v.Ref, v.Attr)):
            symbol = self.infer.symbol_of(value, bound.frame)
            found = self._of_symbol(symbol, form, suffix, bound, depth)
            if found:
                return found
            if isinstance(value, v.Attr):  # a bound method: `self.index`, `views.index`
                kind = self.infer.type_of(bound.sub(value.base))
                member = self.program.member(kind.cls, value.name) if kind is not None and kind.cls else None
                if isinstance(member, FunctionSymbol):
                    return [View((), self.handler(member, kind.cls if kind else None))]
        reduced = self.values.reducer.step(bound)
        found = [view for inner, _ in reduced or () for view in self.of(inner, form, suffix, depth + 1)]
        return _looped(found) if isinstance(value, v.Choice) else found

    def _of_symbol(self, symbol: object, form: RouteForm, suffix: str, bound: Bound, depth: int) -> list[View]:
        match symbol:
            case FunctionSymbol():
                return [View((), self.handler(symbol))]
            case ClassSymbol():
                return list(self.of_class(symbol, form, suffix))
            case ValueSymbol() if symbol.value != bound.value:
                return self.of(Bound(symbol.value, self.values.module(symbol.path)), form, suffix, depth + 1)
            case LibrarySymbol():
                answers = self.knowledge.answers.get(symbol.name)
                methods = tuple(verb.upper() for verb in answers) if answers else ()
                return [View(methods, Handler(symbol.name, self._at(bound)))]
        return []

    def _of_call(self, bound: Bound, call: v.Call, form: RouteForm, suffix: str, depth: int) -> list[View]:
        target = v.bare(call.target)
        if isinstance(target, v.Attr) and target.name in self._makers:
            return self._made(bound, call, target)
        if last_name(target) == "partial" and call.args:
            return self.of(bound.sub(call.args[0]), form, suffix, depth + 1)
        if isinstance(target, v.Call) and len(call.args) == 1:  # permission_required("x")(view)
            return self._wrapped(bound, call.args[0], target, form, suffix, depth)
        if (imported := self._imported(bound)) is not None:
            return self._of_symbol(imported, form, suffix, bound, depth)
        for callee in self.infer.callees(bound):
            if callee.cls is not None:
                return list(self.of_class(callee.cls, form, suffix))
        given = [a for a in call.args if not isinstance(v.bare(a), (v.Const, v.Text, v.Map))]
        for argument in given[:2]:
            found = self._wrapped(bound, argument, target, form, suffix, depth)
            if found:
                return found
        reduced = self.values.reducer.step(bound)
        found = [view for inner, _ in reduced or () for view in self.of(inner, form, suffix, depth + 1)]
        return found or [View((), Handler(f"{last_name(target)}()", self._at(bound)))]

    def _wrapped(self, bound: Bound, view: Value, by: Value, form: RouteForm, suffix: str, depth: int) -> list[View]:
        found = self.of(bound.sub(view), form, suffix, depth + 1)
        return [replace(one, wrappers=(*one.wrappers, bound.sub(by))) for one in found]

    def _made(self, bound: Bound, call: v.Call, target: v.Attr) -> list[View]:
        """`Class.as_view(...)`, perhaps with the methods and what they do."""
        symbol = self.infer.symbol_of(target.base, bound.frame) or self._imported(bound.sub(v.bare(target.base)))
        if isinstance(symbol, ValueSymbol):
            kind = self.program.class_named(symbol.value, symbol.path)
            symbol = kind if isinstance(kind, ClassSymbol) else LibrarySymbol(kind) if kind else None
        given = next((v.bare(a) for a in call.args if isinstance(v.bare(a), v.Map)), None)
        actions = given or next((v.bare(x) for k, x in call.keywords if k == "actions"), None)
        text = next((t for a in call.args[:1] for t in self.values.texts(bound.sub(a))), "")
        if isinstance(symbol, LibrarySymbol):
            answers = self.knowledge.answers.get(symbol.name, ())
            methods = tuple(verb.upper() for verb in answers) or (ANY,)
            return [View(methods, Handler(symbol.name, self._at(bound)), name=text)]
        if not isinstance(symbol, ClassSymbol):
            return []
        if isinstance(actions, v.Map):
            return list(self._mapped(symbol, actions))
        return [replace(view, name=text) for view in self.of_class(symbol, RouteForm())]

    def _imported(self, bound: Bound) -> Symbol | None:
        """What a function of a library imports by a name that the program says, or its settings: `import_string(...)`."""
        effect = self.values.effect(bound) if isinstance(bound.value, v.Call) else None
        given = self.values.argument(bound.value, effect.imports) if effect is not None and effect.imports else None  # type: ignore[arg-type]
        texts = self.values.texts(bound.sub(given)) if given is not None else []
        return next((s for text in texts if (s := self.values.named(text, bound.frame.path)) is not None), None)

    def _mapped(self, cls: ClassSymbol, actions: v.Map) -> Iterator[View]:
        for verb, action in actions.items:
            if isinstance(verb, v.Const) and isinstance(action, v.Const):
                yield View((str(verb.value).upper(),), self.member(cls, str(action.value)))

    def of_class(self, cls: ClassSymbol, form: RouteForm, suffix: str = "") -> Iterator[View]:
        """What an instance of a class answers: by its methods, or by the actions that the form has routes for."""
        bases = [base for base in self.program.lineage(cls) if isinstance(base, str)]
        inherited = {method for base in bases for method in self.knowledge.answers.get(base, ())}
        if form.actions:
            yield from self._actions(cls, form.actions, inherited, suffix)
            return
        known = [name for name in VERBS if any(self.knowledge.handles(base, name) for base in bases)] or VERBS
        limit = self._limit(cls)
        found = False
        for verb in known:
            own = self.program.member(cls, verb)
            if (isinstance(own, (FunctionSymbol, ValueSymbol)) or verb in inherited) and limit.get(verb, not limit):
                found = True
                yield View((verb.upper(),), self.member(cls, verb))
        if not found:
            yield from self._single(cls)

    def _limit(self, cls: ClassSymbol) -> dict[str, bool]:
        """The methods that a class says it answers at most."""
        member = self.program.member(cls, "http_method_names")
        if not isinstance(member, ValueSymbol):
            return {}
        words = self.values.words(Bound(member.value, self.values.module(member.path)))
        return {word.lower(): True for word in words} | {"-": True}

    def _single(self, cls: ClassSymbol) -> Iterator[View]:
        """A class with one method for all requests, such as `dispatch_request`."""
        for name in ("dispatch_request", "dispatch", "__call__"):
            member = self.program.member(cls, name)
            if isinstance(member, FunctionSymbol):
                methods = self.program.member(cls, "methods")
                listed: tuple[str, ...] = ()
                if isinstance(methods, ValueSymbol):
                    words = self.values.words(Bound(methods.value, self.values.module(methods.path)))
                    listed = tuple(word.upper() for word in words)
                yield View(listed, self.handler(member, cls))
                return
        yield View((), Handler(cls.facts.qualname, Location(cls.path, cls.facts.line), cls=cls))

    def _actions(
        self, cls: ClassSymbol, actions: Mapping[str, str], inherited: set[str], suffix: str
    ) -> Iterator[View]:
        limit = self._limit(cls)
        for action, route in actions.items():
            verb, _, tail = route.partition(" ")
            name = f"{action}_{suffix}" if suffix else action
            if isinstance(self.program.member(cls, name), FunctionSymbol) or action in inherited:
                if limit.get(verb.lower(), not limit):
                    yield View((verb,), self.member(cls, name), tail=tail)
        yield from self._extra(cls, limit)

    def _extra(self, cls: ClassSymbol, limit: dict[str, bool]) -> Iterator[View]:
        """The methods that a decorator adds to the actions of a class."""
        seen: set[str] = set()
        for base in self.program.lineage(cls):
            if not isinstance(base, ClassSymbol):
                continue
            for name in base.facts.methods:
                function = self.program.function(base.path, f"{base.facts.qualname}.{name}")
                if function is None or name in seen:
                    continue
                seen.add(name)
                for decorator in function.decorators:
                    view = self._action(FunctionSymbol(base.path, function), decorator, cls)
                    if view is not None and all(limit.get(m.lower(), not limit) for m in view.methods):
                        yield view
                        yield from self._remapped(base, function, view, cls)

    def _remapped(self, base: ClassSymbol, function: FunctionFacts, view: View, cls: ClassSymbol) -> Iterator[View]:
        """`@move.mapping.delete`: another method for the path of an action."""
        start = function.qualname.rpartition(".")[2]
        for name in base.facts.methods:
            other = self.program.function(base.path, f"{base.facts.qualname}.{name}")
            for decorator in other.decorators if other is not None else ():
                target = v.bare(decorator)
                if isinstance(target, v.Attr) and isinstance(target.base, v.Attr) and target.base.name == "mapping":
                    if last_name(target.base.base).rpartition(".")[2] == start and other is not None:
                        handler = self.handler(FunctionSymbol(base.path, other), cls)
                        yield replace(view, methods=(target.name.upper(),), handler=handler)

    def _action(self, method: FunctionSymbol, decorator: Value, cls: ClassSymbol) -> View | None:
        frame = self.infer.home(Frame(method.path, method.facts))
        effect = self.values.effect(Bound(decorator, frame))
        form = effect.route if effect is not None else None
        if form is None or not form.detail:
            return None
        call = v.bare(decorator)
        assert isinstance(call, (v.Call, v.Ref, v.Attr))
        if not isinstance(call, v.Call):
            call = v.Call(call, (), (), 0, 0, 1)
        methods = self.values.argument(call, form.methods)
        words = self.values.words(Bound(methods, frame)) if methods is not None else []
        path = self.values.argument(call, form.path)
        texts = self.values.texts(Bound(path, frame)) if path is not None else []
        detail = self.values.argument(call, form.detail)
        is_row = isinstance(detail, v.Const) and bool(detail.value)
        if detail is None:
            is_row = last_name(call).startswith("detail")
        own = method.facts.qualname.rpartition(".")[2]
        return View(
            tuple(word.upper() for word in words) or form.verbs,
            self.handler(method, cls),
            tail=texts[0] if texts else own,
            row=is_row,
        )

    def member(self, cls: ClassSymbol, name: str) -> Handler:
        """The method of a class as a handler; the class itself where the method comes from a library."""
        found = self.program.member(cls, name)
        if isinstance(found, ValueSymbol):  # put = post
            inner = v.bare(found.value)
            simple = last_name(inner).rpartition(".")[2]
            other = self.program.member(cls, simple) if simple and simple != name else None
            found = other if isinstance(other, FunctionSymbol) else found
        if isinstance(found, FunctionSymbol):
            return self.handler(found, cls)
        return Handler(f"{cls.facts.qualname}.{name}", Location(cls.path, cls.facts.line), cls=cls)

    def handler(self, function: FunctionSymbol, cls: ClassSymbol | None = None) -> Handler:
        """A function or a method as a handler."""
        facts = function.facts
        if cls is None:
            cls = self.program.owner(function.path, facts)
        name = facts.qualname
        if cls is not None and facts.owner and facts.owner != cls.facts.qualname:
            name = f"{cls.facts.qualname}.{facts.qualname.rpartition('.')[2]}"
        return Handler(name, Location(function.path, facts.line), Frame(function.path, facts), cls)

    def narrowed(self, view: View) -> tuple[str, ...]:
        """The methods to which decorators limit a function."""
        frame = view.handler.frame
        if frame is None:
            return ()
        home = self.infer.home(frame)
        marks = [Bound(decorator, home) for decorator in frame.function.decorators]
        for mark in (*view.wrappers, *marks):
            effect = self.values.effect(mark)
            form = effect.route if effect is not None else None
            if form is None or form.path or form.before or form.detail or form.handler or form.child:
                continue
            call = v.bare(mark.value)
            methods = self.values.argument(call, form.methods) if isinstance(call, v.Call) else None
            words = self.values.words(mark.sub(methods)) if methods is not None else []
            found = tuple(word.upper() for word in words) or form.verbs
            if found:
                return found
        return ()

    def _at(self, bound: Bound) -> Location:
        value = bound.value
        line = value.line if isinstance(value, v.Call) else bound.frame.function.line
        return Location(bound.frame.path, max(line, 1))


def _looped(views: list[View]) -> list[View]:
    """The views without those that a loop puts decorators around: what is there before the loop is not what answers."""
    wrapped = [view for view in views if any(_is_each(wrapper.value) for wrapper in view.wrappers)]
    return [
        view
        for view in views
        if not any(view.handler == other.handler and len(view.wrappers) < len(other.wrappers) for other in wrapped)
    ]


def _is_each(value: Value) -> bool:
    inner = v.bare(value)
    return isinstance(inner, v.Op) and inner.kind == "each"
