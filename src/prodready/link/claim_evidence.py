"""What makes sure that a decision rests on a role which the client only claims: its key, and what else is asked.

A cookie or a header says who sends a request. What stands in a form, an address or a body mostly says what is to be
done: it is stored, or chooses what is shown, and then it is no claim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prodready.link.client_claims import SAME_AS_ARGUMENT, SAME_AS_OBJECT, Claim, ClientClaims
from prodready.link.frames import Bound, Frame
from prodready.link.guard_words import names_in
from prodready.link.route import Route
from prodready.link.route_looks import LETTING_IN
from prodready.read import values as v
from prodready.read.facts import CallFact, Exit, last_name
from prodready.read.values import Value
from prodready.words import split_words

TAKING = frozenset("get pop getlist get_cookie get_header get_argument get_query_argument get_body_argument".split())
"""Methods that are given the key of what they take out of a request."""

COMPARING = frozenset({"eq", "ne", "in", "contains", "isinstance", "len", "print", "bool", "str", "int"})
"""Calls that keep nothing of what they are given."""

DECIDING = frozenset({"role", "permission", "ownership", "membership", "token"})
"""Of guards: they let in some of those who are logged in."""


class ClaimEvidence:
    """Judges claims."""

    def __init__(self, claims: ClientClaims, routes_of: Callable[[Frame], tuple[Route, ...]]) -> None:
        self.claims, self.words, self.infer = claims, claims.words, claims.infer
        self.routes_of = routes_of

    def suffices(self, claim: Claim) -> bool:
        """Whether nothing speaks against a claim."""
        if not self._is_named_so(claim) or self._asks_more(claim) or self._lets_in(claim) or self._is_guarded(claim):
            return False
        return self.claims.says_who(claim.leaf) or not self._is_kept(claim)

    # What it is called

    def key(self, claim: Claim) -> str:
        """The key or the name that what decides is sent under."""
        inner = v.bare(claim.atom)
        asked = inner.subject if isinstance(inner, v.Op) else claim.atom
        if isinstance(inner, v.Op) and inner.args and isinstance(v.bare(asked), v.Const):
            asked = inner.args[0]
        leaf = claim.leaf.value
        name = leaf.name if isinstance(leaf, v.Param) else ""
        return _key(asked) or _key(leaf) or name or last_name(v.bare(asked))

    def _is_named_so(self, claim: Claim) -> bool:
        """Whether that names a role or a right, and not something of somebody who has one: `admin_email`."""
        key = self.key(claim)
        words = split_words(key)
        about = self.words.has("role", key) or self.words.has("permission", key)
        flag = len(words) > 1 and not {"is", "has", "can", "may"}.isdisjoint(words)
        if self.words.ends("role", key) or (flag and about) or words[-1:] in {("permission",), ("permissions",)}:
            return True
        # `is_captain`: what it means, the refusal has to say.
        return flag and not claim.opens and (self.claims.says_who(claim.leaf) or self._tells_of_right(claim.way))

    def _tells_of_right(self, way: Exit) -> bool:
        return any(self.words.has("permission", one) or self.words.has("role", one) for one in names_in(way.value))

    # What else is asked

    def _asks_more(self, claim: Claim) -> bool:
        """Whether something else decides as well: of who asks, of a row, of a key that was sent along."""
        way, function = claim.way, claim.frame.function
        for value, _ in way.conditions[-way.inner :]:
            if value != claim.atom and not self._is_sent(value, claim.frame):
                return True
        for value, _ in way.conditions[: -way.inner]:
            if self.words.kind([(value, False)], certain=True) in DECIDING:
                if not self._is_sent(value, claim.frame):
                    return True
        others = (other for other in function.exits if other.tested != way.tested)
        return any(self._is_check(other, claim.frame) for other in others)

    def _is_sent(self, value: Value, frame: Frame) -> bool:
        """Whether a condition is about the request alone: its method, its path, something in it."""
        inner = v.bare(value)
        parts = (inner.subject, *inner.args) if isinstance(inner, v.Op) else (value,)
        return all(
            isinstance(v.bare(part), (v.Const, v.Seq))
            or not {"method", "path", "endpoint"}.isdisjoint(names_in(part))
            or self.claims.is_sent(Bound(part, frame))
            for part in parts
        )

    def _is_check(self, way: Exit, frame: Frame) -> bool:
        how = self.words.refuses(way)
        if not how or not way.inner:
            return False
        atoms = way.conditions[-way.inner :]
        if any(self.words.is_setting(part) for value, _ in atoms for part in v.children(v.bare(value))):
            return True  # a key that is compared with the one of the settings
        kind = self.words.kind(atoms, certain=how == "refused")
        return kind in DECIDING and not all(self._is_sent(value, frame) for value, _ in atoms)

    def _lets_in(self, claim: Claim) -> bool:
        """Whether somebody logs in here, or a signature is checked."""
        for fact in claim.frame.function.calls:
            words = split_words(fact.name)
            if not LETTING_IN.isdisjoint(words) or self.words.has("signature", fact.name):
                return "required" not in words
        return False

    def _is_guarded(self, claim: Claim) -> bool:
        """Whether a route behind it asks for a role, a right or a key, or for something that was not understood."""
        routes = (*self.routes_of(claim.frame), *self.routes_of(claim.leaf.frame))
        return any(guard.kind in DECIDING or guard.kind == "unknown" for route in routes for guard in route.guards)

    # What becomes of it

    def _is_kept(self, claim: Claim) -> bool:
        """Whether what was sent, or all that it was sent with, goes on to somewhere else: it is stored, or looked for."""
        key, leaf = self.key(claim), claim.leaf.value
        whole = v.bare(_base(leaf))
        for frame in {claim.frame.key: claim.frame, claim.leaf.frame.key: claim.leaf.frame}.values():
            for fact in frame.function.calls:
                if not self._goes_through(fact) and any(self._holds(x, key, whole) for x in _given(fact)):
                    return True
        return False

    def _goes_through(self, fact: CallFact) -> bool:
        """Whether a call only compares, converts or takes apart what it is given, or is the check itself."""
        if fact.name in COMPARING | SAME_AS_ARGUMENT | SAME_AS_OBJECT | TAKING:
            return True
        return any(self.words.has(table, fact.name) for table in ("guard", "check", "role", "refusal"))

    def _holds(self, value: Value, key: str, whole: Value) -> bool:
        inner = _plain(value)
        if isinstance(inner, v.Op) and inner.kind in {"test", "in"}:
            return False
        if inner == whole and not isinstance(inner, v.Const):
            return not {"request", "req"}.intersection(names_in(inner)) or isinstance(inner, v.Call)
        if _key(value) == key or (isinstance(value, v.Param) and value.name == key):
            return True
        return isinstance(inner, (v.Seq, v.Map)) and any(self._holds(part, key, whole) for part in v.children(inner))


def _key(value: Value) -> str:
    """The key of the part of a request that a value is: `role` of `request.json["user"]["role"].lower()`."""
    for _ in range(8):
        value = _plain(value)
        if isinstance(value, v.Op):
            value = value.subject
        elif isinstance(value, v.Item):
            at = v.bare(value.key)
            if isinstance(at, v.Const) and isinstance(at.value, str):
                return at.value
            value = value.base
        elif isinstance(value, v.Choice):
            return next((key for option in value.options if (key := _key(option))), "")
        elif isinstance(value, v.Call):
            target, first = v.bare(value.target), v.bare(value.args[0]) if value.args else None
            if last_name(value) in TAKING and isinstance(first, v.Const) and isinstance(first.value, str):
                return first.value
            if last_name(value) in SAME_AS_ARGUMENT and value.args:
                value = value.args[0]
            elif isinstance(target, v.Attr) and last_name(value) in SAME_AS_OBJECT:
                value = target.base
            else:
                return ""
        elif isinstance(value, v.Attr):
            if value.name not in {"value", "data"}:
                return value.name
            value = value.base
        else:
            return ""
    return ""


def _plain(value: Value) -> Value:
    """The value without the names it was stored under and what checks have shown."""
    while isinstance(value, (v.Named, v.Mark)):
        value = value.value
    return value


def _base(value: Value) -> Value:
    """What a part of a request was taken from."""
    value = v.bare(value)
    if isinstance(value, v.Call):
        target = v.bare(value.target)
        return target.base if isinstance(target, v.Attr) else value
    return value.base if isinstance(value, (v.Item, v.Attr)) else v.Const(None)


def _given(fact: CallFact) -> Iterator[Value]:
    yield from fact.value.args
    yield from (value for _, value in fact.value.keywords)
