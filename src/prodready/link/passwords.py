"""What a value is as far as passwords go: a plain one, a digest of one, what a hasher made, or one that was stored before.

A value is followed back through all files. A name alone makes a password only where nothing better is known of the value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from prodready.finding import Location, Step
from prodready.link.frames import Bound
from prodready.link.given import bound_to, from_call, options
from prodready.link.labels import Labels
from prodready.link.password_looks import ASKING, FIELD_VALUE, HARMLESS, TYPED_IN, PasswordLooks
from prodready.link.password_names import PasswordNames
from prodready.link.password_rows import Rows
from prodready.link.reduce import describe
from prodready.link.secret_looks import is_short
from prodready.link.text import argument_values
from prodready.read import values as v
from prodready.read.facts import last_name
from prodready.read.values import Value
from prodready.words import split_words

BUDGET = 260
"""Values looked at for one value."""

MAX_NESTING = 22
MAX_CALLERS = 12
CALLER_HOPS = 3

CODED = frozenset({"bytes", "str", "unicode", "utf8", "native"})
"""Last words in the names of functions that give the same text in another coding: `cast_bytes`."""

NOTHING_OF_IT = frozenset({"in", "test", "difference", "super", "enter"})
SAME = frozenset({"if", "after", "slice", "repeat", "replace"})

CHECKING = frozenset(
    {
        "startswith",
        "identify",
        "identify_hasher",
        "needs_update",
        "is_password_usable",
        "fullmatch",
        "match",
        "needs_rehash",
    }
)
"""Calls by which a function looks whether something is a hash already."""


class Digest(msgspec.Struct, frozen=True):
    """The call that makes a digest, or something that can be undone, of a password."""

    path: str
    line: int
    column: int
    shown: str
    reversible: bool = False

    @property
    def key(self) -> tuple[str, int, int]:
        """The place of the call."""
        return (self.path, self.line, self.column)


class Origin(msgspec.Struct, frozen=True):
    """Where a value comes from.

    `kind` is `plain`, `digest`, `safe` (a hasher made it) or `stored` (it was read from where it is kept). `sure` says that
    the value itself is seen to be one, not only the name of the place it goes to; `doubtful` that the object it is taken
    from may just as well have been loaded with a hash in it; `generated` that the program has made it up.
    """

    kind: str
    bound: Bound
    name: str
    trail: tuple[Step, ...] = ()
    sure: bool = True
    digest: Digest | None = None
    doubtful: bool = False
    generated: bool = False


class PasswordReader(PasswordLooks):
    """Tells what values of a program are."""

    def __init__(self, reducer: Labels, rows: Rows, names: PasswordNames) -> None:
        super().__init__(reducer, rows, names)
        self._budget = 0
        self._asking: set[tuple[str, str, str]] = set()

    def read(self, bound: Bound, key: str = "") -> list[Origin]:
        """What the value may be; empty where nothing is known. `key` is the name of the place it is put into."""
        self._budget = BUDGET
        found = self._distinct(self._read(bound, (), 0))
        if not found and key and self.names.is_password(key) and self._may_be_typed(bound):
            found = [Origin("plain", bound, describe(bound.value), sure=False)]
        return self._settled(found, bound)

    def _distinct(self, origins: Iterator[Origin]) -> list[Origin]:
        found: list[Origin] = []
        for origin in origins:
            same = (origin.kind, origin.name, origin.generated)
            if not any(same == (other.kind, other.name, other.generated) for other in found):
                found.append(origin)
        return found

    def _settled(self, found: list[Origin], bound: Bound) -> list[Origin]:
        """Without what another of the alternatives makes impossible or unimportant."""
        kinds = {origin.kind for origin in found}
        if "digest" in kinds and "plain" in kinds:  # rounds of a digest, the first of which begins with the password
            found = [origin for origin in found if origin.kind != "plain"]
        if "safe" in kinds and "plain" in kinds and CHECKING.intersection(f.name for f in bound.frame.function.calls):
            found = [origin for origin in found if origin.kind != "plain"]
        return found

    # Values

    def _read(self, bound: Bound, trail: tuple[Step, ...], nesting: int) -> Iterator[Origin]:
        self._budget -= 1
        if self._budget < 0 or nesting > MAX_NESTING:
            return
        nesting += 1
        value = bound.value
        match value:
            case v.Const() | v.Unknown():
                return
            case v.Named():
                yield from self._named(bound, value, trail, nesting)
            case v.Param():
                yield from self._param(bound, value, trail, nesting)
            case v.Attr():
                yield from self._attribute(bound, value, trail, nesting)
            case v.Ref():
                yield from self._reference(bound, value, trail, nesting)
            case v.Item():
                yield from self._item(bound, value.base, value.key, trail, nesting)
            case v.Call():
                yield from self._call(bound, value, trail, nesting)
            case v.Op():
                yield from self._operation(bound, value, trail, nesting)
            case v.Mark():
                if HARMLESS.isdisjoint(value.labels):
                    yield from self._read(bound.sub(value.value), trail, nesting)
            case v.Text() | v.Seq():
                for inner in v.children(value):
                    yield from self._read(bound.sub(inner), trail, nesting)
            case v.Choice():
                for option in options(bound):
                    yield from self._read(option, trail, nesting)
            case v.Map():
                for _, inner in value.items:
                    yield from self._read(bound.sub(inner), trail, nesting)
            case v.Free():
                for inner_bound, _ in self.reducer.step(bound) or ():
                    yield from self._read(inner_bound, trail, nesting)

    def _named(self, bound: Bound, value: v.Named, trail: tuple[Step, ...], nesting: int) -> Iterator[Origin]:
        step = Step(Location(bound.frame.path, value.line, value.column), f"assigned to `{value.name}`")
        inner = bound.sub(value.value)
        found = list(self._read(inner, (*trail, step), nesting))
        yield from found
        if not found and self.names.is_password(value.name):
            generated = self._is_generated(inner)
            if generated or self._is_opaque(inner):
                yield Origin("plain", inner, value.name, (*trail, step), generated=generated)

    def _param(self, bound: Bound, value: v.Param, trail: tuple[Step, ...], nesting: int) -> Iterator[Origin]:
        if bound.frame.binding(value.name) is not None:
            says = f"passed as `{value.name}` to `{bound.frame.function.qualname}()`"
            step = Step(Location(bound.frame.path, bound.frame.function.line), says)
            for argument in bound_to(bound.frame, value.name):
                found = list(self._read(argument, (*trail, step), nesting))
                yield from found
                if not found and self.names.is_password(value.name) and self._is_opaque(argument):
                    yield Origin("plain", argument, value.name, (*trail, step))
            return
        labels = self.reducer.labels(bound)
        if not HARMLESS.isdisjoint(labels) or value.name in {"self", "cls"}:
            return
        named = self.names.is_password(value.name)
        given = None if bound.frame.entered else self._from_callers(bound, value.name, trail, nesting)
        if given:
            yield from given
        elif named and given is None and not self.is_against_defaults(bound.frame):
            where = Step(
                Location(bound.frame.path, bound.frame.function.line),
                f"`{value.name}` comes in as a parameter of `{bound.frame.function.qualname}()`",
            )
            yield Origin("plain", bound, value.name, (*trail, where))

    def _from_callers(self, bound: Bound, name: str, trail: tuple[Step, ...], nesting: int) -> list[Origin] | None:
        """What the callers pass; None where nobody is seen to call, or nothing is known of what they pass."""
        frame = bound.frame
        key = (*frame.key, name)
        if key in self._asking or len(self._asking) >= CALLER_HOPS:
            return None
        self._asking.add(key)
        found: list[Origin] = []
        unknown = elsewhere = False
        try:
            for site in self.infer.callers(frame.path, frame.function.qualname)[:MAX_CALLERS]:
                passed = site.arguments.get(name)
                if passed is None or _is_constant(passed.value):
                    continue
                argument = from_call(frame, passed, site.arguments)
                if argument is None:
                    elsewhere = True
                    continue
                here = Location(site.frame.path, site.fact.span.line, site.fact.span.column)
                step = Step(here, f"passed as `{name}` to `{frame.function.qualname}()`")
                origins = list(self._read(argument, (*trail, step), nesting))
                unknown = unknown or not origins
                found += [replace(origin, sure=origin.sure and not site.assumed) for origin in origins]
        finally:
            self._asking.discard(key)
        worst = [origin for origin in found if origin.kind in {"plain", "digest"}]
        if worst and not (unknown and all(origin.generated for origin in worst)):
            return worst
        if any(origin.kind == "safe" for origin in found):
            return found  # what others pass that is not known is a hash as well
        return found if (found or elsewhere) and not unknown else None

    def _attribute(self, bound: Bound, value: v.Attr, trail: tuple[Step, ...], nesting: int) -> Iterator[Origin]:
        base = bound.sub(value.base)
        if value.name.isupper() and self._is_setting_or_member(bound, base):
            return
        if value.name in FIELD_VALUE and self._is_typed_field(base):
            yield Origin("plain", bound, describe(value), trail)
            return
        if self.rows.is_row(base):
            if self.names.is_password(value.name) or self.names.is_hashed(value.name):
                yield Origin("stored", bound, describe(value), trail)
            return
        if not HARMLESS.isdisjoint(self.reducer.labels(bound)):
            return
        named = self.names.is_password(value.name)
        found = [] if value.name in FIELD_VALUE else self._behind(bound, trail, nesting)
        if found:
            yield from found
        elif named and self._hashes_itself(base, value.name):
            yield Origin("safe", bound, describe(value), trail)
        elif named and not self.is_fetched(bound) and not self._is_setting(base):
            doubtful = self._may_be_stored(base)
            yield Origin("plain", bound, describe(value), trail, sure=not doubtful, doubtful=doubtful)
        elif named and self.is_fetched(bound):
            yield Origin("stored", bound, describe(value), trail)

    def _hashes_itself(self, bound: Bound, field: str) -> bool:
        """Whether a schema or another class of the project makes a hash of what its field is given."""
        kind = self.infer.type_of(bound)
        return kind is not None and kind.cls is not None and self.rows.hashes(kind.cls, field)

    def _behind(self, bound: Bound, trail: tuple[Step, ...], nesting: int) -> list[Origin]:
        found: list[Origin] = []
        for inner, step in self.reducer.step(bound) or ():
            if inner.value != bound.value:
                found += self._read(inner, (*trail, step) if step else trail, nesting)
        return found

    def _reference(self, bound: Bound, value: v.Ref, trail: tuple[Step, ...], nesting: int) -> Iterator[Origin]:
        yield from self._behind(bound, trail, nesting)

    def _item(self, bound: Bound, base: Value, key: Value, trail: tuple[Step, ...], nesting: int) -> Iterator[Origin]:
        names = [leaf.value.value for leaf in self.reducer.leaves(bound.sub(key), 4) if isinstance(leaf.value, v.Const)]
        named = any(isinstance(name, str) and self.names.is_password(name) for name in names)
        found = self._behind(bound, trail, nesting)
        made = v.bare(base)
        if not found and isinstance(made, v.Call) and "encrypted" in self.reducer.effect(bound.sub(made)).labels:
            found = list(self._read(bound.sub(made), trail, nesting))
        if not found and isinstance(made, v.Param) and named:
            found = self._item_from_callers(bound, made, key, trail, nesting)
        if found:
            yield from found
        elif self.is_fetched(bound.sub(base)) or self.rows.is_row(bound.sub(base)):
            if named or (names and not any(isinstance(name, str) for name in names)):
                yield Origin("stored", bound, describe(bound.value), trail, sure=named)
        elif named and not self._is_setting(bound.sub(base)) and not self._is_constant_item(bound):
            # A mapping of the program's own in which nobody is seen to put it: somebody else did, perhaps a hash.
            filled = isinstance(made, v.Param) and not bound.frame.entered and self.infer.is_called(*bound.frame.key)
            filled = filled or self._is_made_here(bound.sub(base))
            yield Origin("plain", bound, describe(bound.value), trail, sure=not filled, doubtful=filled)

    def _item_from_callers(
        self, bound: Bound, base: v.Param, key: Value, trail: tuple[Step, ...], nesting: int
    ) -> list[Origin]:
        """What the callers have put under a key of the mapping that they pass."""
        frame = bound.frame
        asking = (*frame.key, base.name)
        if frame.entered or asking in self._asking or len(self._asking) >= CALLER_HOPS:
            return []
        self._asking.add(asking)
        found: list[Origin] = []
        try:
            for site in self.infer.callers(frame.path, frame.function.qualname)[:MAX_CALLERS]:
                passed = site.arguments.get(base.name)
                argument = from_call(frame, passed, site.arguments) if passed is not None else None
                if argument is not None and not isinstance(v.bare(argument.value), v.Const):
                    item = v.item(argument.value, v.bare(key))
                    found += [o for o in self._read(argument.sub(item), trail, nesting) if o.kind != "stored"]
        finally:
            self._asking.discard(asking)
        return found

    def _is_made_here(self, bound: Bound) -> bool:
        """Whether a mapping begins as one that the program spells out, whatever path was taken."""
        leaves = [leaf.value for leaf in self.reducer.leaves(bound, 8)]
        return bool(leaves) and all(isinstance(x, v.Map) and all(key is not None for key, _ in x.items) for x in leaves)

    def _is_constant_item(self, bound: Bound) -> bool:
        return any(isinstance(inner.value, v.Const) for inner, _ in self.reducer.step(bound) or ())

    def _call(self, bound: Bound, value: v.Call, trail: tuple[Step, ...], nesting: int) -> Iterator[Origin]:
        name = last_name(value)
        effect = self.reducer.effect(bound)
        arguments = [*value.args, *(inner for _, inner in value.keywords)]
        if "password-hash" in effect.labels:
            yield Origin("safe", bound, name, trail)
            return
        if effect.labels & {"digest", "encrypted"}:
            yield from self._digested(bound, value, "encrypted" in effect.labels, trail, nesting)
            return
        if isinstance(value.target, v.Attr) and name in {"hexdigest", "digest"} and "hashed" in effect.labels:
            yield from self._finished(bound, value.target, trail, nesting)
            return
        if "hashed" in effect.labels:
            yield Origin("safe", bound, name, trail)
            return
        if not HARMLESS.isdisjoint(effect.labels):
            return
        if effect.passes:
            for position in effect.passes:
                for argument in argument_values(value, position):
                    yield from self._read(bound.sub(argument), trail, nesting)
            return
        if name == "get_secret_value" or (
            isinstance(value.target, v.Attr) and not arguments and name in TYPED_IN | FIELD_VALUE
        ):
            assert isinstance(value.target, v.Attr)
            if self._is_typed_field(bound.sub(value.target.base)) or name == "get_secret_value":
                yield Origin("plain", bound, describe(value), trail)
                return
        if name in {"getpass", "get_pass"}:
            yield Origin("plain", bound, describe(value), trail)
            return
        if isinstance(value.target, v.Attr) and value.args and ASKING.match(name):
            if any(isinstance(leaf.value, v.Const) for leaf in self.reducer.leaves(bound.sub(value.args[0]), 4)):
                item = bound.sub(v.Item(value.target.base, value.args[0], 1))
                found = list(self._item(item, value.target.base, value.args[0], trail, nesting))
                if found or name in {"get", "pop"}:
                    yield from found
                    return
        if name in TYPED_IN and self._asks_for_password(bound, value) and not self._gives_row(bound):
            yield Origin("plain", bound, describe(value), trail)
            return
        reduced = self.reducer.step(bound)
        if reduced is not None:
            found = []
            for inner, step in reduced:
                found += self._read(inner, (*trail, step) if step else trail, nesting)
            yield from found
            if found or not self.names.is_hasher(name):
                return
        if reduced is None and arguments and split_words(name)[-1:] and split_words(name)[-1] in CODED:
            yield from self._read(bound.sub(arguments[0]), trail, nesting)
        elif self.names.is_hasher(name) and any(self._speaks(bound.sub(argument)) for argument in arguments):
            yield Origin("safe", bound, name, trail, sure=False)
        elif self.names.is_password(name) and self._is_generated(bound):
            yield Origin("plain", bound, name, trail, generated=True)

    def _speaks(self, bound: Bound) -> bool:
        """Whether a password stands in a value."""
        return any(origin.kind in {"plain", "digest"} for origin in self._read(bound, (), MAX_NESTING - 8))

    def _digested(
        self, bound: Bound, call: v.Call, reversible: bool, trail: tuple[Step, ...], nesting: int
    ) -> Iterator[Origin]:
        """The digest of a password: the innermost, where digests are made of digests."""
        digest = Digest(bound.frame.path, call.line, call.column, describe_call(call), reversible)
        says = (
            f"what `{digest.shown}()` makes of it can be undone"
            if reversible
            else f"`{digest.shown}()` makes a fast digest"
        )
        step = Step(Location(bound.frame.path, call.line, call.column), says)
        passes = self.reducer.effect(bound).passes
        arguments = [x for at in passes for x in argument_values(call, at)] if passes else []
        arguments = arguments or [*call.args, *(inner for _, inner in call.keywords)]
        found = [o for a in arguments for o in self._read(bound.sub(a), (*trail, step), nesting)]
        if not found:
            found = list(self._updated(bound, call, (*trail, step), nesting))
        for origin in found:
            if origin.kind in {"digest", "safe"} or (origin.kind == "stored" and not self._is_own_field(origin)):
                yield origin
            else:
                yield replace(origin, kind="digest", digest=digest)

    def _is_own_field(self, origin: Origin) -> bool:
        """`self.password` in a method of a model: what is about to be stored."""
        value = origin.bound.value
        return isinstance(value, v.Attr) and value.base == v.Param("self") and self.names.is_password(value.name)

    def _finished(self, bound: Bound, target: v.Attr, trail: tuple[Step, ...], nesting: int) -> Iterator[Origin]:
        yield from self._read(bound.sub(target.base), trail, nesting)

    def _updated(self, bound: Bound, made: v.Call, trail: tuple[Step, ...], nesting: int) -> Iterator[Origin]:
        """What was fed into a digest with `update` after it was made."""
        for fact in bound.frame.function.calls:
            if fact.name == "update" and isinstance(fact.value.target, v.Attr) and fact.value.args:
                fed = v.bare(fact.value.target.base)
                if isinstance(fed, v.Call) and (fed.line, fed.column) == (made.line, made.column):
                    yield from self._read(bound.sub(fact.value.args[0]), trail, nesting)

    def _operation(self, bound: Bound, value: v.Op, trail: tuple[Step, ...], nesting: int) -> Iterator[Origin]:
        if value.kind in NOTHING_OF_IT or (value.kind == "slice" and is_short(value)):
            return
        if value.kind == "typed":
            yield from self._read(bound.sub(value.subject), trail, nesting)
        elif value.kind == "each":
            elements = self.reducer.elements(bound.sub(value.subject))
            for element in elements:
                yield from self._read(element, trail, nesting)
            if not elements:
                yield from self._read(bound.sub(value.subject), trail, nesting)
        elif value.kind == "without":
            for reduced, _ in self.reducer.step(bound) or ():
                yield from self._read(reduced, trail, nesting)
        elif value.kind in SAME:
            yield from self._read(bound.sub(value.subject), trail, nesting)
        else:
            for inner in v.children(value):
                yield from self._read(bound.sub(inner), trail, nesting)


def _is_constant(value: Value) -> bool:
    """Whether it is a constant, or what a method makes of one: `"default".encode()`."""
    value = v.bare(value)
    while isinstance(value, v.Call) and isinstance(value.target, v.Attr):
        value = v.bare(value.target.base)
    return isinstance(value, v.Const)


def describe_call(call: v.Call) -> str:
    """The callee in the words of the source: `hashlib.md5`."""
    return (v.dotted(v.bare(call.target)) or last_name(call)).lstrip(":.")


def worst(origins: Sequence[Origin]) -> Origin | None:
    """The plain password or the digest among what a value may be."""
    bad = [origin for origin in origins if origin.kind in {"plain", "digest"}]
    return max(bad, key=lambda origin: (not origin.generated, origin.sure, origin.kind == "plain")) if bad else None
