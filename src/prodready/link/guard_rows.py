"""Guards that are in what is looked up: rows among those of who asks, and rows that others do not find."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from prodready.finding import Location
from prodready.link.frames import Bound, Frame
from prodready.link.guard_checks import MANY_CALLS, options_of
from prodready.link.guard_classes import GuardClasses
from prodready.link.guard_values import is_empty
from prodready.link.guard_words import names_request
from prodready.link.program import ClassSymbol, FunctionSymbol, ValueSymbol
from prodready.link.route import STRENGTH, Guard
from prodready.link.route_values import RouteValues
from prodready.read import values as v
from prodready.read.facts import RAISE, RETURN, CallFact, FunctionFacts, last_name
from prodready.read.values import Value
from prodready.words import split_words

FEW = 2


class GuardRows(GuardClasses):
    """Tells the guards that are in queries."""

    def __init__(self, values: RouteValues) -> None:
        super().__init__(values)
        self._own: dict[tuple[str, str], str] = {}

    def _gives_own(self, function: FunctionSymbol) -> str:
        """Which guard a function is that returns a query for rows of who asks, or nothing."""
        returned = function.facts.returns
        made = (
            {(x.line, x.column) for x in v.walk(returned) if isinstance(x, v.Call)} if returned is not None else set()
        )
        calls = function.facts.calls
        return _strongest(self._scope(f, calls) for f in calls[:MANY_CALLS] if (f.value.line, f.value.column) in made)

    def _looks_up_own(self, function: FunctionSymbol, depth: int = 0) -> str:
        """Which guard a function is that finds nothing where what is asked for is not of who asks, and refuses then."""
        key = (function.path, function.facts.qualname)
        if key not in self._own:
            self._own[key] = ""
            frame = Frame(function.path, function.facts)
            hides = any(way.kind == RAISE and self.words.refuses(way) for way in function.facts.exits)
            hides = hides or any("404" in fact.name for fact in function.facts.calls)
            for fact in function.facts.calls[:MANY_CALLS]:
                kind = (self._scope(fact, function.facts.calls) or self._given_own(fact, frame)) if hides else ""
                if not kind and depth < 2 and "get" in split_words(fact.name):
                    callees = self.infer.callees(Bound(fact.value, frame))
                    kind = _strongest(
                        self._looks_up_own(c.function, depth + 1)
                        for c in callees
                        if c.function is not None and not c.assumed
                    )
                self._own[key] = _strongest((self._own[key], kind))
        return self._own[key]

    def _given_own(self, fact: CallFact, frame: Frame) -> str:
        """Which guard a call is that gives rows of who asks by what it runs: `rows.for_members(request.user)`."""
        if not any(map(self.words.speaks_of_user, fact.value.args)):
            return ""
        callees = self.infer.callees(Bound(fact.value, frame))
        return _strongest(self._gives_own(c.function) for c in callees if c.function is not None)

    def scoped_queries(self, frame: Frame, cls: ClassSymbol | None = None) -> Iterator[Guard]:
        """Rows are looked up among those that belong to whoever asks."""
        functions = [frame]
        cls = cls or self.program.owner(frame.path, frame.function)
        shown = self.shown(frame.function)
        calls = [fact for at, fact in enumerate(frame.function.calls) if at not in shown]
        if cls is not None and any(self._asks_for_rows(fact) for fact in self._with_own_methods(calls, cls)):
            functions += self._rows_of(cls)
        yield from self._scoped_in(functions)
        for one in functions[1:]:
            if kind := self._looks_up_own(FunctionSymbol(one.path, one.function)):
                yield Guard(kind, one.function.qualname, Location(one.path, one.function.line), "query")

    def shown(self, function: FunctionFacts) -> list[int]:
        """Where a handler gets the row that it has just stored, to show it: `get_queryset().get(pk=new.pk)`."""
        calls = function.calls
        asks = [at for at, fact in enumerate(calls) if self._asks_for_rows(fact)]
        return asks if asks and all(self._is_stored_before(calls, at) for at in asks) else []

    def _is_stored_before(self, calls: Sequence[CallFact], asked: int) -> bool:
        stored = [
            v.bare(target.base)
            for fact in calls[:asked]
            if self.words.has("changing-call", fact.name) and isinstance(target := v.bare(fact.value.target), v.Attr)
        ]
        chosen = [
            value
            for fact in calls[asked + 1 :]
            if calls[asked].value in v.walk(fact.value.target)
            for value in (*fact.value.args, *(x for _, x in fact.value.keywords))
        ]
        return any(one in stored for value in chosen for one in map(v.bare, v.walk(value)))

    def _with_own_methods(self, calls: Iterable[CallFact], cls: ClassSymbol) -> Iterator[CallFact]:
        """Calls of a handler, and of the methods of its own class that they call."""
        for fact in calls:
            yield fact
            target = v.bare(fact.value.target)
            member = self.program.member(cls, fact.name) if is_own_method(target) else None
            if isinstance(member, FunctionSymbol):
                yield from member.facts.calls

    def _asks_for_rows(self, fact: CallFact) -> bool:
        """Whether a method gets the rows that its class is about, itself or by the method of a base class."""
        return is_above(fact) or fact.name.startswith(self.rows)

    def _rows_of(self, cls: ClassSymbol) -> list[Frame]:
        """The methods that say which rows a class is about, its own and those of classes that it lists for that."""
        found: list[Frame] = []
        for name in self.rows:
            for base in self.program.lineage(cls):
                if not isinstance(base, ClassSymbol):
                    continue
                facts = self.program.function(base.path, f"{base.facts.qualname}.{name}")
                if facts is not None:
                    found.append(Frame(base.path, facts))
                    if not any(fact.name == name and self._asks_for_rows(fact) for fact in facts.calls):
                        break  # it does not go on to the next class
            listed = self.program.member(cls, name)
            if isinstance(listed, ValueSymbol) and isinstance(v.bare(listed.value), v.Seq):
                found += self._of_listed(Bound(listed.value, self.values.module(listed.path)))
        return found

    def _of_listed(self, classes: Bound) -> Iterator[Frame]:
        for one in self.values.elements(classes):
            symbol = self.infer.symbol_of(v.bare(one.value), one.frame)
            found = [self.program.member(symbol, name) for name in self.rows] if isinstance(symbol, ClassSymbol) else []
            yield from (Frame(one.path, one.facts) for one in found if isinstance(one, FunctionSymbol))

    def _scoped_in(self, functions: Sequence[Frame]) -> Iterator[Guard]:
        for one in functions:
            name = one.function.qualname.rpartition(".")[2]
            if (
                name in self.rows
                and one.function.returns is not None
                and self.words.speaks_of_user(one.function.returns)
            ):
                yield Guard("ownership", name, Location(one.path, one.function.line), "query")  # the row is who asks
                continue
            if name in self.rows and (kind := self._of_rows_for_some(one.function)):
                yield Guard(kind, name, Location(one.path, one.function.line), "query")
                continue
            found: dict[str, CallFact] = {}
            for fact in one.function.calls:
                kind = self._scope(fact, one.function.calls)
                if kind and kind not in found and not self.is_beside(fact, one.function.calls):
                    found[kind] = fact
            if kind := _strongest(found):
                span = found[kind].span
                yield Guard(kind, f"{found[kind].name}()", Location(one.path, span.line, span.column), "query")

    def is_beside(self, query: CallFact, calls: Sequence[CallFact]) -> bool:
        """Whether one's own rows are looked up beside what a request is about."""
        adds = self.words.called("row-query", query.name) and self._only_adds(query, calls)
        return adds or self._is_aside(query, calls) or self._is_default(query, calls)

    def _is_aside(self, query: CallFact, calls: Sequence[CallFact]) -> bool:
        """Whether one's own rows are only removed beside a row that anybody may name: `post.delete()`, then one's likes."""
        if not {"get", "aget", "one", "404"}.isdisjoint(split_words(query.name)):
            return False  # who has none is turned away
        changed = [
            v.bare(target.base)
            for call in calls
            if self.words.has("changing-call", call.name) and isinstance(target := v.bare(call.value.target), v.Attr)
        ]
        return query.value in changed and any(map(self._is_found_by_anybody, changed))

    def _is_default(self, query: CallFact, calls: Sequence[CallFact]) -> bool:
        """Whether one's own rows are only taken where a request names none: `ids = sent or ids_of(mine)`."""
        if not self.words.called("row-query", query.name):
            return False
        using = [call.value for call in calls if call is not query and query.value in v.walk(call.value)]
        chosen = [call for call in using if not self._stands_alone(query.value, call)]
        return bool(chosen) and all(any(call in v.walk(one) for one in chosen) for call in using)

    def _stands_alone(self, part: Value, whole: Value) -> bool:
        """Whether a part of a value is in it however a choice comes out between it and what was sent."""
        if whole == part:
            return True
        if isinstance(whole, v.Choice):
            if any(self._is_sent(option) for option in whole.options if part not in v.walk(option)):
                return False
        return any(self._stands_alone(part, child) for child in v.children(whole))

    def _is_sent(self, value: Value) -> bool:
        """Whether a value is one that a request gives: `request.data.get("ids")`, or a parameter."""
        value = v.bare(value)
        while isinstance(value, (v.Call, v.Attr, v.Item)) and not self.words.speaks_of_user(value):
            value = v.bare(value.target if isinstance(value, v.Call) else value.base)
            if names_request(value):
                return True
        return isinstance(value, v.Param) and value.name != "self" and not self.words.speaks_of_user(value)

    def _is_found_by_anybody(self, row: Value) -> bool:
        """Whether a row is looked up, and not among those of who asks."""
        queries = [
            one for one in v.walk(row) if isinstance(one, v.Call) and self.words.called("row-query", last_name(one))
        ]
        given = [value for query in queries for value in (*query.args, *(x for _, x in query.keywords))]
        return bool(queries) and not any(self.words.speaks_of_user(x) for value in given for x in v.walk(value))

    def _of_rows_for_some(self, function: FunctionFacts) -> str:
        """What is asked for by a method that gives no rows to all others: `if may(request): return rows`, then `none()`."""
        options = [v.bare(option) for option in options_of(function.returns)] if function.returns is not None else []
        giving = [way for way in function.exits if way.kind == RETURN and not _is_nothing(v.bare(way.value))]
        told = [_place(v.bare(way.value)) for way in giving]  # what is large is cut in a way out
        if not any(map(_is_nothing, options)) or any(_place(o) not in told and not _is_nothing(o) for o in options):
            return ""
        kinds: list[str] = []
        whole = {_place(option): option for option in options}
        for way in giving:
            asked = [(value, False) for value, truth in way.conditions if truth]
            kind = self.words.kind(asked, certain=True)
            if not kind and any(self._is_asked_of_request(value) for value, _ in asked):
                kind = "permission"
            own = any(map(self.words.speaks_of_user, v.walk(whole[_place(v.bare(way.value))])))
            kinds.append("ownership" if own and kind in {"", "login"} else kind)
        return min(kinds, key=lambda kind: STRENGTH.get(kind, 0), default="")

    def _is_asked_of_request(self, value: Value) -> bool:
        """Whether a condition is a call that is given the request, or who asks."""
        call = v.bare(value)
        given = call.args if isinstance(call, v.Call) else ()
        return any(names_request(v.bare(one)) or self.words.speaks_of_user(one) for one in given)

    def _scope(self, fact: CallFact, calls: Sequence[CallFact]) -> str:
        """Which guard a call is that looks up what is of who asks, or nothing."""
        if fact.name in {"eq"} and len(fact.value.args) == 2:
            sides = fact.value.args
            about = [self.words.speaks_of_user(side) for side in sides]
            if about[0] == about[1]:
                return ""
            if not any(self.words.called("row-query", call.name) and _holds(call, fact) for call in calls):
                return ""  # compared by the handler itself
            other = v.bare(sides[1] if about[0] else sides[0])
            return "ownership" if isinstance(other, v.Attr) and self.words.ends("owner", other.name) else ""
        words = split_words(fact.name)
        asks = words[:1] in {("is",), ("can",), ("has",)}
        own = self.words.has("own-rows", fact.name) and not asks
        if own or words[:1] == ("for",) or words[:2] == ("get", "for"):  # rows.for_user(request.user)
            values = [*fact.value.args, *(value for _, value in fact.value.keywords)]
            return "ownership" if len(values) <= FEW and any(map(self.words.speaks_of_user, values)) else ""
        kind = self._of_condition(fact.value) if self.words.called("row-query", fact.name) else ""
        if kind and self._only_adds(fact, calls):
            return ""
        # What they may do there is asked, too.
        return "ownership" if kind == "membership" and self._asks_more(fact, calls) else kind

    def _only_adds(self, query: CallFact, calls: Sequence[CallFact]) -> bool:
        """Whether a query only adds something to rows found otherwise: `rows.annotate(liked=Exists(likes_of_mine))`."""
        adding = [call.value for call in calls if self.words.called("adding-to-rows", call.name)]
        if not adding:
            return False
        names = {key for call in adding for key, value in call.keywords if query.value in v.walk(value)}
        added = bool(names) or any(query.value in v.walk(value) for call in adding for value in call.args)
        others = (key for call in calls if call.value not in adding for key, _ in call.value.keywords)
        return added and not any(key.partition("__")[0] in names for key in others)

    def is_of_members(self, query: CallFact, calls: Sequence[CallFact]) -> bool:
        """Whether a query asks for what who asks is a member of, whatever they may do there."""
        return self.words.called("row-query", query.name) and self._scope(query, calls) == "membership"

    def _asks_more(self, query: CallFact, calls: Sequence[CallFact]) -> bool:
        """Whether something else is asked of the members a query is for: `memberships__role`, `memberships__can_delete`."""
        conditions = [(key, self.words.speaks_of_user(value)) for call in calls for key, value in call.value.keywords]
        members = [key for key, of_user in conditions if of_user and self._of_column(key) == "membership"]
        relations = [key.rpartition("__")[0] for key in members if "__" in key]
        asked = [
            key.removeprefix(f"{relation}__")
            for key, of_user in conditions
            for relation in relations
            if not of_user and key.startswith(f"{relation}__")
        ]
        asked += [key for key, _ in query.value.keywords if self.words.has("role", key)]
        return not all(self.words.has("of-rows", key) for key in asked)

    def _of_condition(self, condition: Value) -> str:
        """Which guard a query is for what is of whoever asks: `filter(Q(kind="open") & Q(owner=user))`, or nothing."""
        condition = v.bare(condition)
        if isinstance(condition, v.Choice):  # `Q(owner=user) | Q(members=user)`, but not `Q(owner=user) | Q(open=True)`
            return min(map(self._of_condition, condition.options), key=lambda kind: STRENGTH.get(kind, 0), default="")
        if isinstance(condition, v.Op) and condition.kind == "intersection":
            return _strongest(map(self._of_condition, (condition.subject, *condition.args)))
        if not isinstance(condition, v.Call):
            return ""
        told = {self._of_column(key) for key, value in condition.keywords if self.words.speaks_of_user(value)}
        return _strongest((*told, *map(self._of_condition, condition.args)))

    def _of_column(self, path: str) -> str:
        """Which guard a column is, by its path, that is compared with who asks."""
        *above, last = path.split("__")
        if any(self.words.ends("members", name) or name.endswith("members") for name in (*above, last)):
            return "membership"
        if not any(map(self._names_owner, (*above, last))):
            return ""
        # A member that a row leads to is a person; `project__projectmember__user` and `projectmember__member` are many.
        through = [name for name in (above if last == "member" else above[1:]) if name.endswith("member")]
        return "membership" if any(name != "member" for name in through) else "ownership"

    def _names_owner(self, column: str) -> bool:
        """Whether a column says whom a row belongs to: `owner`, `submitter_email`."""
        if any(self.words.ends(table, column) for table in ("owner", "owner-column", "role")):
            return True
        return self.words.has("owner", column) and self.words.ends("user-key", column)


def _strongest(kinds: Iterable[str]) -> str:
    """The kind of guard that lets in the fewest, or nothing."""
    return max(kinds, key=lambda kind: STRENGTH.get(kind, 0), default="")


def _place(value: Value) -> tuple[int, int] | Value:
    """Where a call stands; of anything else the value itself."""
    return (value.line, value.column) if isinstance(value, v.Call) else value


def _is_nothing(value: Value) -> bool:
    """Whether a value has no rows in it: `rows.none()`, `[]`."""
    target = v.bare(value.target) if isinstance(value, v.Call) and not value.args else None
    return (isinstance(target, v.Attr) and target.name == "none") or is_empty(value)


def is_above(fact: CallFact) -> bool:
    """Whether a call is of a method of the classes above: `super().update(request)`."""
    target = v.bare(fact.value.target)
    base = v.bare(target.base) if isinstance(target, v.Attr) else None
    return isinstance(base, v.Op) and base.kind == "super"


def is_own_method(target: Value) -> bool:
    """Whether what is called is a method of the object itself."""
    return isinstance(target, v.Attr) and isinstance(v.bare(target.base), v.Param) and last_name(target.base) == "self"


def _holds(outer: CallFact, inner: CallFact) -> bool:
    """Whether a call stands inside of another one."""
    a, b = outer.span, inner.span
    return (a.line, a.column) <= (b.line, b.column) and (b.end_line, b.end_column) <= (a.end_line, a.end_column)
