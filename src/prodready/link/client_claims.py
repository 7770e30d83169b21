"""Decisions about permissions that rest on what the client says of itself: a role in a form, a flag in a cookie."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from prodready.finding import Location, Step
from prodready.link.claim_texts import shown, source
from prodready.link.frames import Bound, Frame
from prodready.link.guard_words import GuardWords, names_in
from prodready.link.program import FunctionSymbol, ValueSymbol
from prodready.link.route_values import RouteValues
from prodready.read import values as v
from prodready.read.facts import RETURN, Exit, FunctionFacts, ParamFact, last_name
from prodready.read.values import Value
from prodready.words import split_words

MAX_DEPTH = 14
MAX_CALLERS = 6
MAX_NAME = 40
"""Characters of a name; what is longer is a text."""

SAME_AS_ARGUMENT = frozenset(
    {"str", "int", "bool", "loads", "b64decode", "urlsafe_b64decode", "unquote", "literal_eval"}
)
SAME_AS_OBJECT = frozenset(
    {
        "lower",
        "upper",
        "strip",
        "title",
        "decode",
        "encode",
        "get",
        "getlist",
        "split",
        "partition",
        "removeprefix",
        "json",
    }
)
"""Functions and methods whose result says what their argument, or the object they are called on, says."""

FROM_ROUTE = frozenset(
    {"view_args", "path_params", "match_info", "kwargs", "path_kwargs", "resolver_match", "url_rule"}
)
"""Parts of a request that come from the path: they say what is asked for, not who asks."""

REQUESTS = frozenset({"request", "req", "info", "context", "ctx", "event", "websocket", "scope", "handler", "ws"})
"""Words in names of what carries a request."""

CARRIERS = frozenset({"value", "data", "text", "body"})
"""Attributes that hold what was sent."""

WHO = frozenset({"cookie", "cookies", "header", "headers"})
"""Words in names of the parts of a request that tell who sent it; a form and an address tell what is to be done."""

FLAGS = frozenset({"is", "has", "can", "may", "allow", "allowed"})


class Claim(msgspec.Struct, frozen=True):
    """A decision: where it stands, what it looks at, and the way of that value from the client.

    `way` is the way out that hangs on it, `atom` which of its conditions, `leaf` the part of the request; `opens` says that
    it is one for those who claim it, and not a refusal for all others.
    """

    frame: Frame
    location: Location
    shown: str
    source: str
    trace: tuple[Step, ...]
    way: Exit
    atom: Value
    leaf: Bound
    opens: bool = False


class ClientClaims:
    """Finds such decisions."""

    def __init__(self, values: RouteValues, words: GuardWords) -> None:
        self.values = values
        self.reducer, self.infer, self.program = values.reducer, values.infer, values.program
        self.words = words

    def in_file(self, path: str) -> Iterator[Claim]:
        """The claims that the functions of a file decide by."""
        facts = self.program.facts(path)
        if facts is not None:
            for qualname in facts.deciding:
                yield from self.of(facts.functions[qualname], path)

    def of(self, function: FunctionFacts, path: str) -> Iterator[Claim]:
        """The claims that a function decides by."""
        for way in function.exits:
            found = self.claim(way, Frame(path, function)) or self._opening(way, Frame(path, function))
            if found is not None and not any(self._is_other_arm(way, other) for other in function.exits):
                yield found  # else it decides how somebody is turned away, not whether

    def _is_other_arm(self, way: Exit, other: Exit) -> bool:
        """Whether another way out turns away whoever the test of this one lets pass."""
        if not way.inner or len(other.conditions) < len(way.conditions):
            return False
        if self.words.refuses(other) in {"", "sent"}:
            return False  # after it is done, too, people are sent elsewhere
        before, (value, truth) = way.conditions[:-1], way.conditions[-1]
        there = other.conditions[len(before)]
        return other.conditions[: len(before)] == before and there == (value, not truth)

    def claim(self, way: Exit, frame: Frame) -> Claim | None:
        """What a way out is decided by, if that is a role or a permission that the client claims to have."""
        how = self.words.refuses(way) if way.inner else ""
        if how not in {"refused", "told"} or (how == "told" and self.words.is_bad_request(way)):
            return None
        atoms = way.conditions[-way.inner :]
        sides = [part for value, _ in atoms for part in _sides(value) if self.words.speaks_of_user(part)]
        if not all(isinstance(part, v.Attr) and self._is_made_up(Bound(part, frame), part) for part in sides):
            return None
        return next((one for value, truth in atoms if not truth and (one := self._claimed(value, way, frame))), None)

    def _opening(self, way: Exit, frame: Frame) -> Claim | None:
        """What opens a page or an answer, where that is a role in a cookie, a header or a token that nobody verifies.

        What is sent in a form or asked for in an address may as well choose what is shown.
        """
        if way.inner != 1 or way.kind != RETURN:
            return None
        value, truth = way.conditions[-1]
        if not truth or not isinstance(v.bare(value), v.Op):
            return None
        if self.words.refuses(way) or not self.reducer.is_handler(frame):
            return None
        found = self._claimed(value, way, frame)
        return replace(found, opens=True) if found is not None and self.says_who(found.leaf) else None

    def says_who(self, leaf: Bound) -> bool:
        """Whether a part of a request is one that tells who sent it: a cookie, a header, a token."""
        value, names = leaf.value, [*names_in(leaf.value)]
        if isinstance(value, v.Call) and self._is_unchecked(leaf, value):
            return True
        param = leaf.frame.param(value.name) if isinstance(value, v.Param) else None
        for part in (param.default, param.annotation) if param is not None else ():
            names += names_in(part) if part is not None else ()
        return any(name.startswith("HTTP_") or not WHO.isdisjoint(split_words(name)) for name in names)

    def _claimed(self, value: Value, way: Exit, frame: Frame) -> Claim | None:
        """The claim that one condition is about."""
        if self._is_something_else(value):
            return None
        told = self._spelled_out(Bound(v.bare(value), frame))
        asked = self._asked(told.value)
        found = self._from_client(told.sub(asked)) if asked is not None else None
        if found is None or not self._is_claim(told.value if told.frame is not frame else value, found[0]):
            return None
        leaf, steps = found
        line, column = way.tested if way.tested[0] else (way.line, way.column)
        location, says = Location(frame.path, line, column), shown(value)
        steps = (*steps, Step(location, f"the decision rests on {says}"))
        return Claim(frame, location, says, source(leaf.value), steps, way, value, leaf)

    def _spelled_out(self, bound: Bound) -> Bound:
        """What a helper compares that is asked: `role in MANAGERS` of `may_manage(role)`."""
        reduced = self.reducer.step(bound) if isinstance(bound.value, v.Call) else None
        inner = v.bare(reduced[0][0].value) if reduced and len(reduced) == 1 else None
        compares = reduced and isinstance(inner, v.Op) and inner.kind in {"test", "in"}
        return reduced[0][0].sub(inner) if reduced and compares and inner is not None else bound

    def _asked(self, value: Value) -> Value | None:
        """The side of a condition that is compared with a constant, or all of it where it is only true or false."""
        if isinstance(value, v.Op) and value.kind in {"test", "in"} and value.args:
            other = v.bare(value.args[0])
            constant = isinstance(other, v.Const) or self._is_constant(other)
            if isinstance(other, v.Seq):
                constant = all(isinstance(v.bare(x), v.Const) or self._is_constant(v.bare(x)) for x in other.items)
            if constant:
                return value.subject
            mine = v.bare(value.subject)
            return value.args[0] if isinstance(mine, v.Const) else None  # "admin" in roles
        return value if not isinstance(value, v.Op) else None

    @staticmethod
    def _is_constant(value: Value) -> bool:
        """Whether a value is written like a constant or a member of an enumeration."""
        name = last_name(value) if isinstance(value, (v.Ref, v.Attr)) else ""
        if name == "value" and isinstance(value, v.Attr):
            name = last_name(value.base)
        return bool(name) and name.lstrip(":").isupper()

    def _is_claim(self, value: Value, leaf: Bound) -> bool:
        """Whether what is asked is a role or a permission, by the names on the way to it."""
        names = [name for name in (*_names(value), *_names(leaf.value)) if len(name) < MAX_NAME]
        if any(self.words.has("proxy", name) for name in names):
            return False
        if not isinstance(v.bare(value), v.Op):
            # Whether a scope or a role was sent at all decides nothing.
            return any(map(self._is_role, names)) or any(map(_is_flag, _names(leaf.value)))
        if any(split_words(name)[-1:] == ("key",) for name in _names(leaf.value)):
            return False
        if any(self.words.has("role", name) for name in names):
            return True
        # `if scheme not in ALLOWED_SCHEMES` is about what is sent, whatever the list is called.
        inner = v.bare(value)
        sent_side = inner.subject if isinstance(inner, v.Op) and inner.kind == "in" else value
        spoken = [name for part in (sent_side, leaf.value) for name in _names(part)]
        if any(self.words.has("permission", name) and not self.words.has("key", name) for name in spoken):
            return True  # an access token is none
        return any(map(_is_flag, _names(leaf.value)))

    def _is_role(self, name: str) -> bool:
        """Whether a name is that of one role: `is_admin`, and not `role`."""
        return self.words.has("role", name) and split_words(name)[-1:] not in {
            ("role",),
            ("roles",),
            ("rank",),
            ("header",),
        }

    def _is_something_else(self, value: Value) -> bool:
        names = list(names_in(value))
        if isinstance(value, (v.Named, v.Param)) and self.words.ends("key", value.name):
            return True  # whether a token was sent at all
        return any(self.words.has("no-guard", name) for name in names) or (
            any(
                self.words.has("key", name) and not self.words.has("role", name)
                for name in names
                if name.islower() and "." not in name
            )
            and not any(self.words.has("role", name) for name in names)
        )

    # Where a value comes from

    def is_sent(self, bound: Bound) -> bool:
        """Whether a value is something that the client sent."""
        return self._from_client(bound) is not None

    def _from_client(self, bound: Bound, depth: int = 0) -> tuple[Bound, tuple[Step, ...]] | None:
        """The part of a request that a value is, and the steps from there; None for everything else."""
        value = bound.value
        if depth > MAX_DEPTH:
            return None
        if isinstance(value, v.Named):
            found = self._from_client(bound.sub(value.value), depth + 1)
            step = Step(Location(bound.frame.path, value.line, value.column), f"assigned to `{value.name}`")
            return (found[0], (*found[1], step)) if found is not None else None
        if isinstance(value, v.Choice):
            several = [one for option in value.options if (one := self._from_client(bound.sub(option), depth + 1))]
            others = [o for o in value.options if not isinstance(v.bare(o), v.Const)]
            return several[0] if several and len(several) >= len(others) else None
        if isinstance(value, v.Param) and bound.frame.binding(value.name) is None:
            return self._parameter(bound, value, depth)
        if isinstance(value, v.Op):
            if value.kind in {"test", "in", "typed", "after", "if", "slice", "each"}:
                return self._from_client(bound.sub(value.subject), depth + 1)
            return None
        if isinstance(value, v.Mark):
            return self._from_client(bound.sub(value.value), depth + 1)
        if isinstance(value, v.Call) and self._is_unchecked(bound, value):
            return bound, (
                Step(Location(bound.frame.path, value.line, value.column), "a token that nobody verifies is read"),
            )
        if self._is_from_server(bound):
            return None
        if self._is_request(bound):
            return bound, self._first_step(bound)
        if isinstance(value, v.Item):
            return self._from_client(bound.sub(value.base), depth + 1)
        if isinstance(value, v.Call):
            return self._called(bound, value, depth)
        if isinstance(value, v.Attr):
            filled = self._filled(bound, value)
            if filled is not None:
                return self._from_client(filled, depth + 1)
            reduced = self.reducer.step(bound)
            if reduced:
                return self._from_client(reduced[0][0], depth + 1)
            return (
                self._from_client(bound.sub(value.base), depth + 1)
                if isinstance(value.base, (v.Call, v.Named, v.Item))
                else None
            )
        reduced = self.reducer.step(bound)
        return self._from_client(reduced[0][0], depth + 1) if reduced else None

    def _called(self, bound: Bound, call: v.Call, depth: int) -> tuple[Bound, tuple[Step, ...]] | None:
        name = last_name(call)
        target = v.bare(call.target)
        if name in SAME_AS_OBJECT and isinstance(target, v.Attr):
            return self._from_client(bound.sub(target.base), depth + 1)
        if name in SAME_AS_ARGUMENT and call.args:
            return self._from_client(bound.sub(call.args[0]), depth + 1)
        reduced = self.reducer.step(bound)
        for inner, step in reduced or ():
            found = self._from_client(inner, depth + 1)
            if found is not None:
                return found[0], (*found[1], *((step,) if step is not None else ()))
        return None

    def _parameter(self, bound: Bound, value: v.Param, depth: int) -> tuple[Bound, tuple[Step, ...]] | None:
        made = self.reducer.given(bound.frame).get(value.name)
        if made is not None:  # by a decorator
            return self._from_client(made, depth + 1)
        labels = self.reducer.labels(bound)
        sent = "request" in labels or ("boolean" in labels and self.reducer.is_handler(bound.frame))
        if sent and not self._is_given(bound, value):
            function = bound.frame.function
            param = bound.frame.param(value.name)
            given = param is not None and (param.default is not None or self._says_sent(bound, param))
            if not given and (self.words.has("guard", value.name) or self.words.has("user", value.name)):
                return None
            kinds = self.infer.library_types(self.infer.type_of(bound))
            if param is not None and param.annotation is None and not self.reducer.is_handler(bound.frame):
                return None
            if any("Request" in kind for kind in kinds):
                return None
            if not given and self._is_plain(bound):
                return None  # a part of the path
            return bound, (Step(Location(bound.frame.path, function.line), f"`{value.name}` comes with the request"),)
        for site in self.infer.some_callers(*bound.frame.key)[:MAX_CALLERS]:
            argument = site.arguments.get(value.name)
            found = self._from_client(argument, depth + 2) if argument is not None else None
            if found is not None:
                place = Location(site.frame.path, site.fact.span.line, site.fact.span.column)
                step = Step(place, f"passed as `{value.name}` to `{bound.frame.function.qualname}()`")
                return found[0], (*found[1], step)
        return None

    def _is_made_up(self, bound: Bound, value: v.Attr) -> bool:
        """Whether somebody who asks is only what the client says: an object with what stands in a header."""
        filled = self._filled(bound, value)
        return filled is not None and self.is_sent(filled)

    def _filled(self, bound: Bound, value: v.Attr) -> Bound | None:
        """What a dependency puts into an attribute of the object that it makes: the `role` of `Visitor(role=x_role)`."""
        param = bound.frame.param(value.base.name) if isinstance(value.base, v.Param) else None
        parts = [part for part in (param.default, param.annotation) if part is not None] if param is not None else []
        for call in (one for part in parts for one in v.walk(part) if isinstance(one, v.Call)):
            effect = self.values.effect(bound.sub(call))
            asked = self.values.argument(call, effect.asks) if effect is not None and effect.asks else None
            symbol = self.infer.symbol_of(v.bare(asked), bound.frame) if asked is not None else None
            made = v.bare(symbol.facts.returns) if isinstance(symbol, FunctionSymbol) and symbol.facts.returns else None
            if isinstance(symbol, FunctionSymbol) and isinstance(made, v.Call):
                given = dict(made.keywords).get(value.name)
                return Bound(given, Frame(symbol.path, symbol.facts)) if given is not None else None
        return None

    def _is_given(self, bound: Bound, value: v.Param) -> bool:
        """Whether a parameter is filled by a dependency, and not from the request."""
        param = bound.frame.param(value.name)
        waiting = [bound.sub(part) for part in (param.default, param.annotation) if part is not None] if param else []
        while waiting:
            one = waiting.pop()
            inner = v.bare(one.value)
            if isinstance(inner, v.Call):
                effect = self.values.effect(one.sub(inner))
                if effect is not None and effect.asks:
                    return True
            elif isinstance(inner, (v.Ref, v.Attr)):
                symbol = self.infer.symbol_of(inner, one.frame)
                if isinstance(symbol, ValueSymbol) and isinstance(v.bare(symbol.value), (v.Item, v.Call)):
                    if isinstance(v.bare(symbol.value), v.Call):
                        return True
                    waiting.append(Bound(v.bare(symbol.value), self.values.module(symbol.path)))
            elif isinstance(inner, (v.Item, v.Seq)):
                waiting += [one.sub(child) for child in v.children(inner)]
        return False

    def _says_sent(self, bound: Bound, param: ParamFact) -> bool:
        """Whether the annotation of a parameter says from which part of a request it is filled."""
        annotation = param.annotation
        return annotation is not None and "request" in self.reducer.annotation_labels(bound.sub(annotation))

    def _is_plain(self, bound: Bound) -> bool:
        """Whether a parameter is not an object of the project that is filled from the body."""
        kind = self.infer.type_of(bound)
        return kind is None or kind.cls is None

    def _is_request(self, bound: Bound) -> bool:
        value = bound.value
        if any(name in FROM_ROUTE for name in names_in(value)) or _is_question(value):
            return False
        if not isinstance(value, (v.Attr, v.Call, v.Item, v.Ref)):
            return False
        root: Value = value
        while isinstance(root, (v.Attr, v.Item, v.Call, v.Named)):
            root = root.value if isinstance(root, v.Named) else root.target if isinstance(root, v.Call) else root.base
        start = bound.sub(root)
        while isinstance(start.value, v.Param) and (given := start.frame.binding(start.value.name)) is not None:
            start = given
        if isinstance(start.value, v.Param) and self._is_no_request(bound, start):
            return False
        labels = self.reducer.labels(bound)
        if "boolean" in labels and isinstance(value, v.Attr):  # a field that can hold nothing but yes or no
            labels = self.reducer.labels(bound.sub(value.base))
        return not labels.isdisjoint({"request", "cookies", "headers", "body"})

    def _is_from_server(self, bound: Bound) -> bool:
        """Whether a value is an entry of the request's environment that no header has made."""
        value = bound.value
        while isinstance(value, (v.Attr, v.Item, v.Call, v.Named)):
            target = v.bare(value.target) if isinstance(value, v.Call) else None
            if isinstance(value, v.Item):
                base, key = value.base, v.bare(value.key)
            elif isinstance(value, v.Call) and isinstance(target, v.Attr) and target.name == "get" and value.args:
                base, key = target.base, v.bare(value.args[0])
            else:
                value = target or (value.value if isinstance(value, v.Named) else value.base)  # type: ignore[union-attr]
                continue
            named = isinstance(key, v.Const) and isinstance(key.value, str) and not key.value.startswith("HTTP_")
            if named and "cgi" in self.reducer.labels(bound.sub(base)):
                return True
            value = base
        return False

    def _is_no_request(self, bound: Bound, root: Bound) -> bool:
        """Whether a parameter that a value starts from is filled by something else: a dependency, a row, the application."""
        assert isinstance(root.value, v.Param)
        param = root.frame.param(root.value.name)
        if param is not None and param.annotation is None and param.default is None:
            names = {word for name in names_in(bound.value) for word in split_words(name)}
            return not self.infer.library_types(self.infer.type_of(root)) and names.isdisjoint(REQUESTS)
        return self._is_given(root, root.value)

    def _is_unchecked(self, bound: Bound, call: v.Call) -> bool:
        """Whether a call reads a token and is told not to verify it."""
        effect = self.values.effect(bound)
        if effect is None or not effect.unchecked:
            return False
        given = dict(call.keywords)
        for key in effect.unchecked:
            outer, _, inner = key.partition(".")
            value = v.bare(given.get(outer, v.UNKNOWN))
            if not inner and value == v.Const(False):
                return True
            for leaf in self.reducer.leaves(bound.sub(value)) if inner else ():
                if isinstance(leaf.value, v.Map):
                    if any(k == v.Const(inner) and v.bare(x) == v.Const(False) for k, x in leaf.value.items):
                        return True
        return False

    def _first_step(self, bound: Bound) -> tuple[Step, ...]:
        value = bound.value
        line = value.line if isinstance(value, v.Call) else 0
        if not line:
            return ()
        return (Step(Location(bound.frame.path, line, value.column), f"{source(value)} is what the client sent"),)  # type: ignore[union-attr]


def _is_flag(name: str) -> bool:
    """Whether a name is one of something that is true or false: `can_edit`."""
    words = split_words(name)
    return len(words) > 1 and len(name) < MAX_NAME and words[0] in FLAGS


def _names(value: Value) -> Iterator[str]:
    return names_in(value, asked=False)


def _is_question(value: Value) -> bool:
    """Whether a value is what an object says of itself, not what was sent: `row.has_permission(user)`."""
    call = v.bare(value)
    if isinstance(call, v.Attr):
        base = v.bare(call.base)  # what was sent has items only
        of_row = isinstance(base, v.Item) or (isinstance(base, v.Op) and base.kind == "each")
        return of_row and call.name not in CARRIERS
    return isinstance(call, v.Call) and not FLAGS.isdisjoint(split_words(last_name(call))[:1])


def _sides(value: Value) -> tuple[Value, ...]:
    inner = v.bare(value)
    return (inner.subject, *inner.args) if isinstance(inner, v.Op) else (value,)
