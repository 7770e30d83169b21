"""Which secrets a value carries, judged by the value, field by field: by the names it went through and by knowledge.

A message that speaks of a token while it prints a name carries none; neither does what is left of a secret after it was
hashed, masked, compared, counted or shortened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from prodready.finding import Location, Step
from prodready.link.frames import Bound
from prodready.link.given import bound_to, options
from prodready.link.labels import Labels
from prodready.link.percent import printed
from prodready.link.program import ClassSymbol, FunctionSymbol, LibrarySymbol
from prodready.link.reduce import describe
from prodready.link.secret_looks import ASKING, HARMLESS, MAX_NESTING, OBJECTS, Leak, Reach, SecretLooks, is_short
from prodready.link.text import argument_values
from prodready.read import values as v
from prodready.read.values import Value
from prodready.words import split_words

BUDGET = 300

KEYS_ONLY = frozenset({"pin", "pass"})
"""Words that mean a secret as the key of a field, and anything as a name."""

GETTING = frozenset("get generate create make new fetch read load issue build mint obtain".split())
"""Verbs of functions that give what the rest of their name says."""

SHOWING = frozenset("repr format describe show render display str".split())
"""Verbs of functions that make a text of what the rest of their name says, with the secret or without."""

DOING = frozenset(
    """
    reset confirm login encode process handle save store parse decode write upload mount list print add register
    """.split()
)
"""Verbs of functions that do something with it, and give whatever they like."""

ITERATES = frozenset({"list", "tuple", "set", "frozenset", "sorted", "reversed", "iter"})
DUMPS = frozenset(
    {
        "dict",
        "model_dump",
        "model_dump_json",
        "to_dict",
        "to_json",
        "asdict",
        "astuple",
        "items",
        "values",
        "serialize",
        "json",
    }
)


class SecretReader(SecretLooks):
    """Finds the secrets in values of a program."""

    def __init__(self, reducer: Labels) -> None:
        super().__init__(reducer)
        self._budget = 0

    def carried(self, bound: Bound) -> list[Leak | Reach]:
        """The secrets a value carries, and the open parameters it is made of."""
        self._budget = BUDGET
        return [self._weighed(found) for found in self._carry(bound, (), 0)]

    def _weighed(self, found: Leak | Reach) -> Leak | Reach:
        if not isinstance(found, Leak) or self._is_of_request(found.bound):
            return found
        if self.names.is_vague(found.name) or (self.names.may_be_coin(found.name) and self._deals_in_coins):
            return replace(found, weak=True)
        return found

    def given_as(self, key: str, bound: Bound) -> list[Leak | Reach]:
        """The same for a value given under a field name."""
        if self.names.is_secret(key):
            self._budget = BUDGET
            if not self._is_id(bound.value) and not self._is_harmless(bound, 0, key):
                return [self._weighed(leak) for leak in self._under(key, bound, (), 0)]
            return []
        return self.carried(bound)

    def _carry(self, bound: Bound, trail: tuple[Step, ...], nesting: int) -> Iterator[Leak | Reach]:
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
            case v.Map():
                for key, inner in value.items:
                    yield from self._entry(bound, key, inner, trail, nesting)
            case v.Mark():
                if not HARMLESS.isdisjoint(value.labels):
                    return
                yield from self._carry(bound.sub(value.value), trail, nesting)
            case v.Text() | v.Seq():
                for inner in v.children(value):
                    yield from self._carry(bound.sub(inner), trail, nesting)
            case v.Choice():
                for option in options(bound):
                    yield from self._carry(option, trail, nesting)
            case v.Free():
                for inner_bound, _ in self.reducer.step(bound) or ():
                    for found in self._carry(inner_bound, trail, nesting):
                        if isinstance(found, Leak):
                            yield found

    def _under(self, name: str, bound: Bound, trail: tuple[Step, ...], nesting: int) -> Iterator[Leak]:
        """The secret that a value is under the name of one: where that is vague, the name it had before may not be."""
        if self.names.is_vague(name):
            found = self._carry(bound, trail, nesting)
            own = [leak for leak in found if isinstance(leak, Leak) and not self.names.is_vague(leak.name)]
            if own:
                yield from own
                return
        yield Leak(bound, name, trail, self.names.is_sure(name))

    def _named(self, bound: Bound, value: v.Named, trail: tuple[Step, ...], nesting: int) -> Iterator[Leak | Reach]:
        if self._says_redacted(value.name):
            return
        step = Step(Location(bound.frame.path, value.line, value.column), f"assigned to `{value.name}`")
        inner = bound.sub(value.value)
        if self.names.is_secret(value.name):
            if not self._is_harmless(inner, nesting, value.name) and not self._is_plain_object(inner):
                yield from self._under(value.name, inner, (*trail, step), nesting)
            return
        printed = self._printed(inner, (*trail, step))
        if printed is not None:
            yield printed
            return
        yield from self._carry(inner, (*trail, step), nesting)

    def _says_redacted(self, name: str) -> bool:
        words = split_words(name)
        return bool(words) and (self.names.is_redactor(words[0]) or self.names.is_redactor(words[-1]))

    def _param(self, bound: Bound, value: v.Param, trail: tuple[Step, ...], nesting: int) -> Iterator[Leak | Reach]:
        if bound.frame.binding(value.name) is not None:
            for argument in bound_to(bound.frame, value.name):
                yield from self._carry(argument, trail, nesting)
            return
        labels = self.reducer.labels(bound)
        if not HARMLESS.isdisjoint(labels):
            return
        if self.names.is_secret(value.name):
            if not self._is_plain_object(bound):
                where = Step(
                    Location(bound.frame.path, bound.frame.function.line),
                    f"`{value.name}` comes in as a parameter of `{bound.frame.function.qualname}()`",
                )
                yield Leak(bound, value.name, (*trail, where), self.names.is_sure(value.name))
            return
        found = self._object(bound, labels, trail) or self._printed(bound, trail)
        if found is not None:
            yield found
        elif not bound.frame.entered:
            yield Reach(value.name, given=bound.frame.given)

    def _attribute(self, bound: Bound, value: v.Attr, trail: tuple[Step, ...], nesting: int) -> Iterator[Leak | Reach]:
        labels = self.reducer.labels(bound)
        if not HARMLESS.isdisjoint(labels):
            return
        found = self._object(bound, labels, trail)
        if found is not None:
            yield found
            return
        if value.name in {"__dict__", "__str__", "__repr__"}:
            yield from self._fields_of(bound, value.base, trail)
            return
        if self.names.is_secret(value.name):
            if (
                not self._is_harmless(bound, nesting)
                and not self._is_plain_object(bound)
                and not self._is_lexer(value.base)
            ):
                yield Leak(bound, describe(value), trail, self.names.is_sure(value.name))
            return
        if self.names.is_carrier(value.name) and not self._is_lexer(value.base):
            for leak in self._carry(bound.sub(value.base), trail, nesting):
                if isinstance(leak, Leak) and self._is_direct(value.base):
                    yield leak
            return
        for inner, _ in self.reducer.step(bound) or ():
            if not isinstance(inner.value, v.Attr) or inner.value != value:
                yield from (f for f in self._carry(inner, trail, nesting) if isinstance(f, Leak))

    def _is_direct(self, base: Value) -> bool:
        inner = v.bare(base)
        name = base.name if isinstance(base, (v.Named, v.Param, v.Attr)) else ""
        return self.names.is_secret(name) and not isinstance(inner, (v.Map, v.Text))

    def _reference(self, bound: Bound, value: v.Ref, trail: tuple[Step, ...], nesting: int) -> Iterator[Leak | Reach]:
        last = value.name.rpartition(".")[2].lstrip(":")
        labels = self.reducer.labels(bound)
        if not HARMLESS.isdisjoint(labels):
            return
        found = self._object(bound, labels, trail)
        if found is not None:
            yield found
            return
        symbol = self.infer.symbol_of(value, bound.frame)
        if isinstance(symbol, (FunctionSymbol, ClassSymbol)):
            return
        if self.names.is_secret(last) and not (isinstance(symbol, LibrarySymbol) and not last.isupper()):
            if not self._is_harmless(bound, nesting) and not self._is_plain_object(bound):
                yield Leak(bound, last, trail, self.names.is_sure(last))
            return
        printed = self._printed(bound, trail)
        if printed is not None:
            yield printed
            return
        for inner, _ in self.reducer.step(bound) or ():
            yield from (f for f in self._carry(inner, trail, nesting) if isinstance(f, Leak))

    def _entry(
        self, bound: Bound, key: Value | None, inner: Value, trail: tuple[Step, ...], nesting: int
    ) -> Iterator[Leak | Reach]:
        name = key.value if isinstance(key, v.Const) and isinstance(key.value, str) else None
        value = bound.sub(inner)
        if name is None or not self.names.is_secret(name):
            yield from self._carry(value, trail, nesting)
        elif not (self._is_id(inner) or self._is_harmless(value, nesting, name) or self._is_own_object(value)):
            yield from self._under(name, value, trail, nesting)

    def _item(
        self, bound: Bound, base: Value, key: Value, trail: tuple[Step, ...], nesting: int
    ) -> Iterator[Leak | Reach]:
        iterated = v.bare(base)
        if isinstance(iterated, v.Op) and iterated.kind == "each" and _is_method(v.bare(iterated.subject), "items"):
            if key == v.Const(0):
                return
            owner = v.bare(iterated.subject).target.base  # type: ignore[union-attr]
            if not self._is_map(bound.sub(owner)):
                yield from self._carry(bound.sub(owner), trail, nesting)
                return
        keys = [leaf.value.value for leaf in self.reducer.leaves(bound.sub(key), 8) if isinstance(leaf.value, v.Const)]
        names = [name for name in keys if isinstance(name, str)]
        reduced = self.reducer.step(bound)
        if names:
            secret = next((name for name in names if self.names.is_secret(name) or name.lower() in KEYS_ONLY), None)
            if secret is None:
                # A field of another name is another value, unless it is plain to see what was put there.
                for leaf in self.reducer.leaves(bound.sub(base), 12):
                    for entry, inner in leaf.value.items if isinstance(leaf.value, v.Map) else ():
                        if isinstance(entry, v.Const) and entry.value in names:
                            yield from self._carry(leaf.sub(inner), trail, nesting)
            elif not self._is_error_map(base) and not (
                reduced and all(self._is_harmless(known, nesting) for known, _ in reduced)
            ):
                yield Leak(bound, describe(bound.value), trail, self.names.is_sure(secret))
            return
        if reduced is not None:
            for known, _ in reduced:
                yield from self._carry(known, trail, nesting)
        elif keys:
            for leak in self._carry(bound.sub(base), trail, nesting):
                if isinstance(leak, Leak) and self._is_direct(base):
                    yield leak

    def _is_error_map(self, base: Value) -> bool:
        name = base.name if isinstance(base, (v.Named, v.Param, v.Attr)) else v.dotted(base) or ""
        words = split_words(name)
        return bool(words) and words[-1] in {
            "errors",
            "error",
            "labels",
            "messages",
            "names",
            "types",
            "counts",
            "help",
            "widgets",
            "url",
            "urls",
            "uris",
            "endpoints",
            "routes",
            "paths",
            "ids",
            "stats",
        }

    def _call(self, bound: Bound, value: v.Call, trail: tuple[Step, ...], nesting: int) -> Iterator[Leak | Reach]:
        name = (
            value.target.name
            if isinstance(value.target, v.Attr)
            else (v.dotted(v.bare(value.target)) or "").rpartition(".")[2].lstrip(":")
        )
        effect = self.reducer.effect(bound)
        if not HARMLESS.isdisjoint(effect.labels) or effect.decorates == "guard":
            return
        if "secret" in effect.labels:
            yield Leak(bound, describe(value), trail, sure=True)
            return
        if value.args and (name in ASKING or "environ" in effect.labels):
            key = value.args[0]
            if any(isinstance(leaf.value, v.Const) for leaf in self.reducer.leaves(bound.sub(key), 8)):
                base = value.target.base if isinstance(value.target, v.Attr) else value.target
                base = v.attr(base, "environ") if name == "getenv" else base
                yield from self._item(bound.sub(v.Item(base, key, 1)), base, key, trail, nesting)
                return
            if not OBJECTS.keys().isdisjoint(self.reducer.labels(bound)):
                return  # one entry, and nobody knows which
        if self.names.is_redactor(name):
            return
        reduced = self.reducer.step(bound)
        found = self._object(bound, self.reducer.labels(bound), trail) if reduced is None else None
        if found is not None:
            yield found
            return
        if "quoted" in effect.labels:  # safe in SQL, and still the secret
            inside = [*value.args, *(inner for _, inner in value.keywords)]
            inside += [value.target.base] if isinstance(value.target, v.Attr) else []
            for argument in inside:
                yield from self._carry(bound.sub(argument), trail, nesting)
            return
        if effect.passes:
            for position in effect.passes:
                for argument in argument_values(value, position):
                    handed_on = v.op("each", argument) if name in ITERATES else argument
                    yield from self._carry(bound.sub(handed_on), trail, nesting)
            return
        if name == "vars" and value.args:
            yield from self._fields_of(bound, value.args[0], trail)
            return
        if name == "getattr" and len(value.args) > 1 and isinstance(v.bare(value.args[1]), v.Const):
            yield from self._item(
                bound.sub(v.Item(value.args[0], value.args[1], 1)), value.args[0], value.args[1], trail, nesting
            )
            return
        if reduced is not None:
            by_name = self._is_getter(name) and SHOWING.isdisjoint(split_words(name)[:1])
            if by_name and not all(self._is_harmless(inner, nesting) for inner, _ in reduced):
                yield Leak(bound, f"{name}()", trail, self.names.is_sure(name))
                return
            for inner, step in reduced:
                found_inside = list(self._carry(inner, (*trail, step) if step else trail, nesting))
                yield from self._sometimes(bound, inner, found_inside, nesting)
            return
        given = effect.sink == "" and self._is_getter(name)
        if given and not (self.gets_a_setting(value) or self._is_plain_object(bound)):
            yield Leak(bound, f"{name}()", trail, self.names.is_sure(name))
            return
        if name in DUMPS and not self._leaves_out(value):
            dumped = [*value.args[:1]] or ([value.target.base] if isinstance(value.target, v.Attr) else [])
            for base in dumped:
                yield from self._fields_of(bound, base, trail)

    def _sometimes(self, call: Bound, result: Bound, found: list[Leak | Reach], nesting: int) -> Iterator[Leak | Reach]:
        """What a function returns, held back where one of its returns makes a secret of its own and another does not."""
        inner = v.bare(result.value)
        options = (
            [one for one in inner.options if not isinstance(v.bare(one), v.Const)]
            if isinstance(inner, v.Choice)
            else []
        )
        makes = [leaf for leaf in found if isinstance(leaf, Leak) and leaf.bound.frame.key != call.frame.key]
        partial = len(options) > 1 and bool(makes)
        if partial:
            partial = not all(self._holds(result.sub(option), nesting) for option in options)
        for leaf in found:
            yield replace(leaf, weak=True, sure=False) if partial and leaf in makes else leaf

    def _holds(self, bound: Bound, nesting: int) -> bool:
        """Whether a secret is in a value, or in anything that it is made of."""
        return any(isinstance(leaf, Leak) for leaf in self._carry(bound, (), nesting)) or any(
            self._holds(bound.sub(part), nesting + 1) for part in v.children(bound.value) if nesting < MAX_NESTING
        )

    def _leaves_out(self, call: v.Call) -> bool:
        """`model_dump(exclude={"password"})`, or one that names what to include."""
        for key, value in call.keywords:
            if key == "include":
                return True
            if key == "exclude":
                inner = v.bare(value)
                names = inner.items if isinstance(inner, v.Seq) else ()
                return any(isinstance(n, v.Const) and self.names.is_secret(str(n.value)) for n in names)
        return False

    def _is_map(self, bound: Bound) -> bool:
        return any(isinstance(leaf.value, v.Map) for leaf in self.reducer.leaves(bound, 6))

    def _is_getter(self, name: str) -> bool:
        """`get_token`, `generate_password`: functions named after the secret they give."""
        words = split_words(name)
        if len(words) > 1 and words[0] in GETTING:
            return self.names.is_secret("_".join(words[1:])) and not self.names.is_another_thing(name)
        return len(words) > 1 and words[-1] not in {"token"} and self.names.is_secret(name) and words[0] not in DOING

    def _operation(self, bound: Bound, value: v.Op, trail: tuple[Step, ...], nesting: int) -> Iterator[Leak | Reach]:
        if value.kind in {"in", "test", "repeat", "super", "difference"}:
            return
        if value.kind == "slice" and is_short(value):
            return
        if value.kind == "without":
            reduced = self.reducer.step(bound)
            for inner, _ in reduced or ():
                yield from self._carry(inner, trail, nesting)
            key = v.bare(value.args[0])
            if reduced is None and isinstance(key, v.Const) and not self.names.is_secret(str(key.value)):
                yield from self._carry(bound.sub(value.subject), trail, nesting)
            return
        if value.kind == "each":
            if _is_method(v.bare(value.subject), "values"):
                owner = v.bare(value.subject).target.base  # type: ignore[union-attr]
                if not self._is_map(bound.sub(owner)):
                    yield from self._carry(bound.sub(owner), trail, nesting)
                    return
            elements = self.reducer.elements(bound.sub(value.subject))
            for element in elements:
                yield from self._carry(element, trail, nesting)
            if not elements and not self.reducer.labels(bound.sub(value.subject)) & OBJECTS.keys():
                for found in self._carry(bound.sub(value.subject), trail, nesting):
                    if isinstance(found, Reach):
                        yield replace(found, iterated=True)
                    elif self._is_direct(value.subject) and _is_plural(value.subject):
                        yield found
            return
        if value.kind in {"%", "format", "join", "replace", "format_map", "substitute"}:
            yield from self._formatted(bound, value, trail, nesting)
            return
        if value.kind == "enter":
            return
        yield from self._carry(bound.sub(value.subject), trail, nesting)

    def _formatted(self, bound: Bound, value: v.Op, trail: tuple[Step, ...], nesting: int) -> Iterator[Leak | Reach]:
        yield from self._carry(bound.sub(value.subject), trail, nesting)
        template = v.bare(value.subject)
        arguments = value.args
        if value.kind == "%":
            operand = v.bare(value.args[0])
            if isinstance(operand, v.Seq) and not operand.open:
                arguments = tuple(printed(template, operand.items))
            elif not isinstance(operand, v.Map):
                arguments = tuple(printed(template, value.args))
        for argument in arguments:
            inner = v.bare(argument)
            if value.kind == "%" and isinstance(inner, v.Map) and isinstance(template, v.Const):
                for key, entry in inner.items:
                    if isinstance(key, v.Const) and f"%({key.value})" in str(template.value):
                        yield from self._carry(bound.sub(entry), trail, nesting)
                continue
            if value.kind == "%" and isinstance(template, v.Const) and "%(" in str(template.value):
                # A mapping nobody has seen: the fields that the template names are printed.
                for field in re.findall(r"%\((\w+)\)", str(template.value)):
                    if self.names.is_secret(field):
                        yield Leak(bound.sub(argument), field, trail, self.names.is_sure(field))
                continue
            if value.kind == "join":
                yield from self._carry(bound.sub(v.op("each", argument)), trail, nesting)
                continue
            yield from self._carry(bound.sub(argument), trail, nesting)
        for keyword, entry in value.keywords:
            if not isinstance(template, v.Const):
                yield from self._carry(bound.sub(entry), trail, nesting)
            elif keyword == "**":
                fields = set(re.findall(r"\{(\w+)", str(template.value)))
                for leaf in self.reducer.leaves(bound.sub(entry), 6):
                    for key, inner in leaf.value.items if isinstance(leaf.value, v.Map) else ():
                        if key is None or (isinstance(key, v.Const) and key.value in fields):
                            yield from self._entry(leaf, key, inner, trail, nesting)
            elif "{" + keyword in str(template.value):
                yield from self._carry(bound.sub(entry), trail, nesting)


def _is_plural(value: Value) -> bool:
    name = value.name if isinstance(value, (v.Named, v.Param, v.Attr, v.Ref)) else ""
    return name.lower().endswith("s")


def _is_method(value: Value, name: str) -> bool:
    return (
        isinstance(value, v.Call) and isinstance(value.target, v.Attr) and value.target.name == name and not value.args
    )
