"""What a handler looks like beside its guards: a stub, a login, a search; and what may be a check in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prodready.link.dead_ends import DeadEnds
from prodready.link.frames import Bound, Frame
from prodready.link.guard_checks import options_of
from prodready.link.guard_classes import BUILT_IN
from prodready.link.guard_words import GuardWords, names_in, names_request, texts_in
from prodready.link.program import ClassSymbol, FunctionSymbol, ValueSymbol
from prodready.link.route import Route
from prodready.link.routes import Routes
from prodready.link.url_paths import is_parameter
from prodready.read import values as v
from prodready.read.facts import RAISE, CallFact, Exit, FunctionFacts, last_name
from prodready.read.values import Value
from prodready.words import split_words

LETTING_IN = frozenset({"authenticate", "login", "signup", "credentials"})
"""In names of functions that somebody is let in by, or becomes somebody."""

ASKING = frozenset(
    {"require", "required", "requires", "only", "must", "be", "is", "use", "enforce", "allow", "allowed"}
)
"""Words beside what a decorator asks."""

SHOWING = frozenset({"view", "list", "get", "show", "data", "info", "detail", "stats", "statistics", "api", "test"})
"""In names of classes of handlers: what they show, or what they are."""


COMPUTING = frozenset(
    {"append", "extend", "update", "setdefault", "sort", "setitem", "is_valid", "eq", "ne", "lt", "gt", "populate"}
)
"""Calls whose results nobody uses and that fill something of the function's own, or are asked in a condition."""

MAX_MADE = 3
"""Functions that make a decorator, one inside of the other."""


class RouteLooks:
    """Judges handlers by their names and by what they call, where no guard says anything."""

    def __init__(self, routes: Routes) -> None:
        self.values = routes.values
        self.guards = routes.guards
        self.words: GuardWords = routes.guards.words
        knowledge = routes.values.knowledge
        getters = {f"get_{attribute.removesuffix('_classes')}s" for attribute in knowledge.members("guarded_by")}
        self.dead_ends = DeadEnds(routes.values, routes.guards)
        self._around = frozenset(knowledge.members("before")) - getters
        """Methods of classes in which handlers are run, or that run before them; not those that give guards."""

    def does_nothing(self, frame: Frame) -> bool:
        """Whether a handler is a stub, or only makes a page."""
        function = frame.function
        returned = v.bare(function.returns) if function.returns is not None else None
        if not function.calls:
            return returned is None or isinstance(returned, v.Const)
        if self._only_raises(function) or self._only_shows(function):
            return True
        if not isinstance(returned, v.Call) or function.calls[-1].value != returned:
            return False
        shows = self.words.has("read-route", last_name(returned)) or "redirect" in split_words(last_name(returned))
        if len(function.calls) == 1 and not returned.keywords and all(map(_is_constant, returned.args)):
            return shows or not any(callee.function for callee in self.values.infer.callees(Bound(returned, frame)))
        sends = last_name(returned) == "redirect"
        if not sends and not (shows and self.is_lost(Bound(returned, frame))):
            return False
        inside = list(v.walk(returned)) if sends else []
        return all(
            self.looks_up(call) or _is_of_request(fact.value) or (fact.value in inside and self.is_lost(call))
            for fact in function.calls[:-1]
            for call in [Bound(fact.value, frame)]
        )

    @staticmethod
    def _only_raises(function: FunctionFacts) -> bool:
        """Whether all that a handler does is to say that it does nothing: `raise NotSupported("see /reports")`."""
        raised = [way.value for way in function.exits if way.kind == RAISE and not way.conditions]
        inside = [one for value in raised for one in v.walk(value)]
        return bool(raised) and all(fact.value in inside for fact in function.calls)

    def _only_shows(self, function: FunctionFacts) -> bool:
        """Whether a handler makes a page of what it looks up on the way, and of nothing that it was sent."""
        returned = v.bare(function.returns) if function.returns is not None else None
        if not isinstance(returned, v.Call) or not self.words.has("rendering", last_name(returned)):
            return False
        inside = list(v.walk(returned))
        sent = any(isinstance(one, v.Attr) and names_request(v.bare(one.base)) for one in inside)
        return not sent and all(
            fact.value in inside and not self.words.has("acting", fact.name) for fact in function.calls
        )

    @staticmethod
    def lets_in(function: FunctionFacts) -> bool:
        """Whether a handler checks what somebody logs in or signs up with: it must be open."""
        return any(not LETTING_IN.isdisjoint(split_words(fact.name)) for fact in function.calls)

    def says_open(self, frame: Frame) -> bool:
        """Whether the docstring of a handler, or of its class, says that it asks nobody who they are."""
        facts = self.values.program.facts(frame.path)
        qualname = frame.function.qualname
        docs = (
            [facts.docs.get(name, "") for name in (qualname, qualname.rpartition(".")[0])] if facts is not None else []
        )
        says = " ".join(" ".join(docs).lower().split())
        return any(phrase in says for phrase in self.values.knowledge.words.get("says-open", ()))

    def takes_key(self, fact: CallFact, frame: Frame) -> bool:
        """Whether a call is given a key or a token that came with the request: who has it is let in by what is called.

        Or looks one up in the request, by a function of the project: `lock_token(request)`.
        """
        given = [v.bare(value) for value in (*fact.value.args, *(value for _, value in fact.value.keywords))]
        if self.words.ends("key", fact.name) and self._is_asked_of(fact, frame) and any(map(names_request, given)):
            return True
        inside = [v.bare(value) for one in given if isinstance(one, v.Map) for _, value in one.items]
        return self._finds_by_key(fact) or any(
            isinstance(value, v.Attr) and isinstance(v.bare(value.base), v.Param) and self._is_key(value.name)
            for value in (*given, *inside)
        )

    def _is_asked_of(self, fact: CallFact, frame: Frame) -> bool:
        """Whether a call goes to a function of the project."""
        return any(callee.function is not None for callee in self.values.infer.callees(Bound(fact.value, frame)))

    def _is_key(self, name: str) -> bool:
        return self.words.ends("key", name) or self.words.ends("carried-key", name)

    def _finds_by_key(self, fact: CallFact) -> bool:
        """Whether a row is looked up by the token that it keeps: `find(Order, token=token)`."""
        return self.words.called("row-query", fact.name) and any(
            self._is_key(name) and not isinstance(v.bare(value), v.Const) for name, value in fact.value.keywords
        )

    def finds_by_mark(self, frame: Frame) -> bool:
        """Whether a row is looked up by a mark that nobody guesses, and somebody may have been sent: `get(uuid=key)`."""
        return any(
            self.words.called("row-query", fact.name) and self.words.called("unguessable", name)
            for fact in frame.function.calls
            for name, _ in fact.value.keywords
        )

    def only_computes(self, frame: Frame) -> bool:
        """Whether a handler makes a page, and by the names of all that it calls does nothing else: all results are used.

        What a database is told has to be looked for besides.
        """
        function = frame.function
        options = options_of(function.returns) if function.returns is not None else ()
        pages = [isinstance(v.bare(x), v.Call) and self.words.has("rendering", last_name(v.bare(x))) for x in options]
        if not any(pages) or any("redirect" in split_words(fact.name) for fact in function.calls):
            return False
        done = {fact.value for fact in self.done(function)}
        return not any(
            any(self.words.has(table, fact.name) for table in ("acting", "changing-call", "sending-mail"))
            or fact.value in done
            for fact in function.calls
        )

    def done(self, function: FunctionFacts) -> Iterator[CallFact]:
        """The calls whose results nobody uses, so that they are there for what they do."""
        options = options_of(function.returns) if function.returns is not None else ()
        given = [value for fact in function.calls for value in v.children(fact.value)]
        given += [part for way in function.exits for part in (way.value, *(value for value, _ in way.conditions))]
        used = {one for value in (*given, *options) for one in v.walk(value) if isinstance(one, v.Call)}
        for fact in function.calls:
            if not (fact.value in used or self._only_asks(fact.name) or self.words.has("telling-call", fact.name)):
                yield fact

    @staticmethod
    def _only_asks(name: str) -> bool:
        return name in COMPUTING or split_words(name)[:1] in {("is",), ("has",), ("can",), ("may",), ("should",)}

    def refuses_in_passing(self, frame: Frame) -> bool:
        """Whether a handler writes down that somebody may not, and need not end there: `answer["error"] = "No access"`."""
        given = (
            x for fact in frame.function.calls for x in (*fact.value.args, *(one for _, one in fact.value.keywords))
        )
        texts = dict.fromkeys(text for value in given for text in texts_in(value))
        return any(self.words.has("refusal", text) for text in texts)

    def sends_for_all(self, facts: Iterable[CallFact], *, form: bool) -> bool:
        """Whether a letter is sent to those who run the application, or about a `form` that makes something new.

        An inquiry, an application for a job, an alert by mail: who sends such a thing need not be known.
        """
        for fact in facts:
            given = [*fact.value.args, *(value for _, value in fact.value.keywords)]
            target = v.bare(fact.value.target)
            if not self.words.has("sending-mail", v.dotted(target) or fact.name):
                continue
            inside = [item for value in given for item in (value, *v.children(v.bare(value)))]
            if form or any(map(self.words.is_setting, inside)):
                return True
        return False

    def hands_session(self, fact: CallFact, frame: Frame) -> bool:
        """Whether a call is given all that is kept of whoever asks: `dashboard.agree(session)`."""
        infer, knowledge = self.values.infer, self.values.knowledge
        given = (*fact.value.args, *(value for _, value in fact.value.keywords))
        return any(
            "session" in knowledge.label(kind)
            for value in given
            if isinstance(v.bare(value), (v.Ref, v.Attr))
            for kind in infer.library_types(infer.type_of(Bound(value, frame)))
        )

    def considers(self, way: Exit) -> bool:
        """Whether a way out shows that somebody thought of who may get here: a refusal, a setting that opens the route."""
        how = self.words.refuses(way)
        if how == "refused" or (how == "told" and way.conditions):
            return True
        names = [name for value, _ in way.conditions for name in names_in(value) if name.isupper()]
        return any(self.words.has("open-route", name) for name in names)

    def is_lost(self, call: Bound) -> bool:
        """Whether what is called is not to be found."""
        callees = self.values.infer.callees(call)
        return not any(callee.function or callee.effect or callee.cls for callee in callees)

    def looks_up(self, call: Bound) -> bool:
        """Whether a call is known, and known to change nothing."""
        callees = self.values.infer.callees(call)
        return bool(callees) and all(c.effect is not None and not c.effect.does and not c.function for c in callees)

    def may_guard(self, decorator: Bound) -> bool:
        """Whether a decorator of the project, or one that is not to be found, is called like a guard."""
        name, call = last_name(decorator.value), v.bare(decorator.value)
        if self.values.effect(decorator) is not None or self.words.has("no-guard", name):
            return False
        if self._is_of_form(name):
            return self._decides(decorator)
        told = call.keywords if isinstance(call, v.Call) else ()
        return self.words.has("guard", name) or any(
            self.words.has("permission", key) or self.words.has("role", key) for key, _ in told
        )

    def _is_of_form(self, name: str) -> bool:
        """Whether the name of a decorator speaks of nothing but how a request is made: `require_ajax`, `xhr_only`."""
        words = [word for word in split_words(name) if word not in ASKING]
        return bool(words) and all(self.words.has("request-form", word) for word in words)

    def is_wrapped(self, route: Route) -> bool:
        """Whether something of the project decides around a handler, and no guard was found in it.

        A decorator with a branch, a test that a decorator is given by name, a `dispatch` that may end before the handler.
        """
        known = [guard.text for guard in route.guards]
        frame, cls = route.handler.frame, route.handler.cls
        program = self.values.program
        wraps = [(d, self.values.infer.home(frame)) for d in frame.function.decorators] if frame is not None else []
        for base in program.lineage(cls) if cls is not None else ():
            simple = base.rpartition(".")[2] if isinstance(base, str) else ""
            if self.words.has("guard", simple) and not any(simple in text for text in known):
                return True
            if isinstance(base, ClassSymbol):
                wraps += [(decorator, self.values.module(base.path)) for decorator in base.facts.decorators]
                for name in self._around.intersection(base.facts.methods):
                    method = program.function(base.path, f"{base.facts.qualname}.{name}")
                    if method is not None and self._asks(method):
                        return True
        return any(
            not any(last_name(decorator) in text for text in known) and self._decides(Bound(v.bare(decorator), home))
            for decorator, home in wraps
        )

    def _asks(self, method: FunctionFacts) -> bool:
        """Whether a method may end before the handler is run, or looks something up by who asks."""
        given = (x for fact in method.calls for x in (*fact.value.args, *(value for _, value in fact.value.keywords)))
        told = (x for x in given if not self.words.ends("of-taste", last_name(x)))
        return any(way.conditions for way in method.exits) or any(map(self.words.speaks_of_user, told))

    def _decides(self, decorator: Bound, depth: int = 0) -> bool:
        """Whether a decorator, or what it is made by or given, is a function of the project in which something is asked."""
        value, program = decorator.value, self.values.program
        if depth > MAX_MADE:
            return False
        if isinstance(value, v.Call):
            parts = (value.target, *value.args, *(given for _, given in value.keywords))
            return any(self._decides(decorator.sub(v.bare(part)), depth + 1) for part in parts)
        symbol = self.values.infer.symbol_of(value, decorator.frame) if isinstance(value, (v.Ref, v.Attr)) else None
        if isinstance(symbol, ValueSymbol):
            return self._decides(Bound(v.bare(symbol.value), self.values.module(symbol.path)), depth + 1)
        if not isinstance(symbol, FunctionSymbol):
            return False
        facts = program.facts(symbol.path)
        own = symbol.facts.qualname
        functions = facts.functions if facts is not None else {}
        inside = [name for name in functions if name == own or name.startswith(f"{own}.")]
        asked = [value for name in inside for way in functions[name].exits for value, _ in way.conditions]
        if self._is_of_form(own):
            asked = [value for value in asked if any(map(self.words.speaks_of_user, v.walk(value)))]
        return bool(asked)

    def only_redirects(self, route: Route) -> bool:
        """Whether a route is answered by a library's class that sends people elsewhere and does nothing else."""
        cls = route.handler.cls if route.handler.frame is None else None
        bases = self.values.program.lineage(cls) if cls is not None else (route.handler.name,)
        return any(isinstance(base, str) and "redirects" in self.values.knowledge.label(base) for base in bases)

    def is_of_library(self, route: Route) -> bool:
        """Whether a route is answered by the method of a class of a library that nothing is known of."""
        named = self._foreign(route) if route.handler.frame is None else []
        return bool(named) and not any(map(self.guards.is_known, named))

    def answers_nothing_known(self, route: Route) -> bool:
        """Whether a route is answered by a class in which no handler is seen, and that is derived from none that has one."""
        none = route.handler.frame is None and route.handler.cls is not None
        return none and not any(map(self.guards.is_known, self._foreign(route)))

    def may_be_asked_above(self, route: Route) -> bool:
        """Whether a class from which a handler's is derived is not at hand, so that nobody knows what it asks."""
        return not all(map(self.guards.is_known, self._foreign(route)))

    def _foreign(self, route: Route) -> list[str]:
        """The classes of libraries that a handler's class is derived from."""
        bases = self.values.program.lineage(route.handler.cls) if route.handler.cls is not None else ()
        return [base for base in bases if isinstance(base, str) and base not in BUILT_IN]

    def is_for_programs(self, frame: Frame) -> bool:
        """Whether a handler is exempt from the check that pages need: whoever sends the request has no session."""
        names = [
            v.dotted(call.target if isinstance(call, v.Call) else call) or ""
            for call in map(v.bare, frame.function.decorators)
        ]
        return any(self.words.has("for-programs", name.replace(".", "_")) for name in names)

    def is_open(self, route: Route) -> bool:
        """Whether a route is open by its nature: a login, a web hook, a health check."""
        names = [
            route.handler.name.rpartition(".")[2],
            route.handler.name.partition(".")[0] if route.handler.cls else "",
        ]
        names += [segment for segment in route.path if not is_parameter(segment)][-2:]
        return any(self.words.has("open-route", name) for name in names if name)

    def only_reads(self, route: Route) -> bool:
        """Whether a route that could change something is named like one that reads, and not like one that acts."""
        names = [route.handler.name.rpartition(".")[2]]
        if self.words.has("acting", names[0]):
            return False
        names += [segment for segment in route.path if not is_parameter(segment)][-1:]
        if route.handler.cls is not None:
            # A class is called after what it shows as well, which says nothing of its other methods.
            about = [word for word in split_words(route.handler.name.partition(".")[0]) if word not in SHOWING]
            names = ["_".join(about), *names[1:]]
        return any(self.words.has("read-route", name) for name in names)


def _is_of_request(call: v.Call) -> bool:
    """Whether a call is a method of the request: `request.build_absolute_uri()`."""
    target = v.bare(call.target)
    return isinstance(target, v.Attr) and isinstance(target.base, v.Param) and target.base.name in {"request", "req"}


def _is_constant(value: Value) -> bool:
    return isinstance(v.bare(value), v.Const)
