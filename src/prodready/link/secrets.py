"""Which secrets a value carries, judged by the value, field by field: by the names it went through and by knowledge.

A message that speaks of a token while it prints a name carries none; neither does what is left of a secret after it was
hashed, masked, compared, counted or shortened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from prodready.finding import Location, Step
from prodready.knowledge import Knowledge
from prodready.link.frames import Bound, Frame
from prodready.link.program import ClassSymbol, FunctionSymbol, LibrarySymbol
from prodready.link.reduce import Reducer, describe
from prodready.link.text import argument_values
from prodready.read import values as v
from prodready.read.values import Value
from prodready.words import split_words

BUDGET = 300
MAX_NESTING = 24
SHORT = 8
"""A prefix or suffix up to this length does not give a secret away."""

HARMLESS = frozenset({"filtered", "number", "boolean", "hashed", "redacted", "constant", "exception", "placeholders", "template"})
OBJECTS = {
    "headers": "the request's headers",
    "cookies": "the request's cookies",
    "environ": "the environment",
    "body": "the request's body",
    "settings": "the application's settings",
}
VAGUE = frozenset({("session", "id"), ("sessionid",), ("sid",), ("session", "key"), ("pwd",), ("pw",)})
ITERATES = frozenset({"list", "tuple", "set", "frozenset", "sorted", "reversed", "iter"})
DUMPS = frozenset(
    {"dict", "model_dump", "model_dump_json", "to_dict", "to_json", "asdict", "astuple", "items", "values", "serialize", "json"}
)
NUMERIC = frozenset({"otp", "totp", "cvv", "cvc", "cvv2", "number", "cardnumber", "code", "codes", "pan"})
ASKING = ("get", "pop", "getlist", "get_argument", "get_header", "getvalue", "getenv", "require", "setdefault", "get_body_argument")
SURE = frozenset(
    {"password", "passwords", "passwd", "passphrase", "passcode", "secret", "senha", "passwort", "contraseña", "cvv", "authorization"}
)


@dataclass(frozen=True)
class Leak:
    """A secret in a value. `sure`: nothing but a secret has such a name, or the knowledge says so.

    `weak`: only the name speaks for it, and the name often means something else (the id of a session of any kind).
    """

    bound: Bound
    name: str
    trail: tuple[Step, ...]
    sure: bool = False
    weak: bool = False


@dataclass(frozen=True)
class Reach:
    """A parameter of the function that the value carries, secret or not: its callers decide."""

    name: str


class Names:
    """Judges names by the word lists of the knowledge."""

    def __init__(self, knowledge: Knowledge) -> None:
        words = knowledge.words
        self._phrases = {tuple(phrase.split()) for phrase in words.get("secret", ())}
        self._longest = max((len(p) for p in self._phrases), default=1)
        self._not = words.get("not-secret", frozenset())
        self._not_phrases = {tuple(phrase.split()) for phrase in self._not if " " in phrase}
        self._carriers = words.get("carrier", frozenset())
        self._redactors = words.get("redactor", frozenset())
        self._login = {tuple(phrase.split()) for phrase in words.get("login", ())}
        self._known: dict[str, bool] = {}

    def is_secret(self, name: str) -> bool:
        """Whether a variable, field or key of this name holds a secret."""
        if name not in self._known:
            self._known[name] = self._judge(split_words(name))
        return self._known[name]

    def is_carrier(self, name: str) -> bool:
        """Whether an attribute of this name of a secret is still the secret."""
        words = split_words(name)
        return bool(words) and (words[-1] in self._carriers or words == ("key",))

    def is_redactor(self, name: str) -> bool:
        """Whether a function or a name says that the secret was made harmless."""
        return any(word in self._redactors for word in split_words(name))

    def speaks_of_login(self, name: str) -> bool:
        """Whether a function or route of this name is handed credentials."""
        words = split_words(name)
        return any(words[i : i + len(p)] == p for p in self._login for i in range(len(words)))

    def is_vague(self, name: str) -> bool:
        """Whether the name is used for other things just as often."""
        return split_words(name)[-2:] in VAGUE or split_words(name)[-1:] in VAGUE

    def is_sure(self, name: str) -> bool:
        """Whether the name can mean nothing else."""
        words = split_words(name)
        return any(word in SURE for word in words) or words[-2:] in {("secret", "key"), ("private", "key"), ("api", "key")}

    def _judge(self, words: tuple[str, ...]) -> bool:
        while len(words) > 1 and (words[-1] in self._carriers or words[-1].isdigit()):
            words = words[:-1]
        for length in range(min(self._longest, len(words)), 0, -1):
            if words[-length:] in self._phrases:
                before = words[:-length]
                if any(words[i : i + len(p)] == p for p in self._not_phrases for i in range(len(words))):
                    return False
                return not any(word in self._not or word in self._redactors for word in before)
        return False


class SecretReader:
    """Finds the secrets in values of a program."""

    def __init__(self, reducer: Reducer) -> None:
        self.reducer = reducer
        self.infer = reducer.infer
        self.program = reducer.program
        self.names = Names(reducer.knowledge)
        self._budget = 0

    def carried(self, bound: Bound) -> list[Leak | Reach]:
        """The secrets a value carries, and the open parameters it is made of."""
        self._budget = BUDGET
        return [self._weighed(found) for found in self._carry(bound, (), 0)]

    def _weighed(self, found: Leak | Reach) -> Leak | Reach:
        if isinstance(found, Leak) and self.names.is_vague(found.name) and not self._is_of_request(found.bound):
            return replace(found, weak=True)
        return found

    def _is_of_request(self, bound: Bound) -> bool:
        """Whether a value comes from the request or the web session."""
        for leaf in self.reducer.leaves(bound, 8):
            value = leaf.value
            if "request" in self.reducer.labels(leaf):
                return True
            while isinstance(value, (v.Attr, v.Item, v.Call, v.Named)):
                if isinstance(value, v.Attr) and value.name in {"session", "cookies", "COOKIES"}:
                    return True
                if isinstance(value, (v.Attr, v.Item)):
                    value = value.base
                elif isinstance(value, v.Call):
                    value = value.target
                else:
                    value = value.value
            if isinstance(value, v.Param) and value.name in {"request", "req"}:
                return True
        return False

    def given_as(self, key: str, bound: Bound) -> list[Leak | Reach]:
        """The same for a value given under a field name."""
        if self.names.is_secret(key):
            self._budget = BUDGET
            if not self._is_harmless(bound, 0, key):
                return [self._weighed(Leak(bound, key, (), self.names.is_sure(key)))]
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
            case v.Text() | v.Seq() | v.Choice():
                for inner in v.children(value):
                    yield from self._carry(bound.sub(inner), trail, nesting)
            case v.Free():
                for inner_bound, _ in self.reducer.step(bound) or ():
                    for found in self._carry(inner_bound, trail, nesting):
                        if isinstance(found, Leak):
                            yield found

    def _named(self, bound: Bound, value: v.Named, trail: tuple[Step, ...], nesting: int) -> Iterator[Leak | Reach]:
        if self._says_redacted(value.name):
            return
        step = Step(Location(bound.frame.path, value.line, value.column), f"assigned to `{value.name}`")
        inner = bound.sub(value.value)
        if self.names.is_secret(value.name):
            if not self._is_harmless(inner, nesting, value.name) and not self._is_plain_object(inner):
                yield Leak(inner, value.name, (*trail, step), self.names.is_sure(value.name))
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
        argument = bound.frame.binding(value.name)
        if argument is not None:
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
            yield Reach(value.name)

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
            if not self._is_harmless(bound, nesting) and not self._is_plain_object(bound) and not self._is_lexer(value.base):
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
        if name is not None and self.names.is_secret(name):
            if not self._is_harmless(bound.sub(inner), nesting, name):
                yield Leak(bound.sub(inner), name, trail, self.names.is_sure(name))
            return
        yield from self._carry(bound.sub(inner), trail, nesting)

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
            secret = next((name for name in names if self.names.is_secret(name) or name.lower() == "pin"), None)
            if secret is None:
                # A field of another name is another value, unless it is plain to see what was put there.
                for leaf in self.reducer.leaves(bound.sub(base), 12):
                    for entry, inner in leaf.value.items if isinstance(leaf.value, v.Map) else ():
                        if isinstance(entry, v.Const) and entry.value in names:
                            yield from self._carry(leaf.sub(inner), trail, nesting)
            elif not (reduced and all(self._is_harmless(inner, nesting) for inner, _ in reduced)):
                if not self._is_error_map(base):
                    yield Leak(bound, describe(bound.value), trail, self.names.is_sure(secret))
            return
        if reduced is not None:
            for inner, _ in reduced:
                yield from self._carry(inner, trail, nesting)
        elif keys:
            for leak in self._carry(bound.sub(base), trail, nesting):
                if isinstance(leak, Leak) and self._is_direct(base):
                    yield leak

    def _is_error_map(self, base: Value) -> bool:
        name = base.name if isinstance(base, (v.Named, v.Param, v.Attr)) else v.dotted(base) or ""
        words = split_words(name)
        return bool(words) and words[-1] in {"errors", "error", "labels", "messages", "names", "types", "counts", "help", "widgets"}

    def _call(self, bound: Bound, value: v.Call, trail: tuple[Step, ...], nesting: int) -> Iterator[Leak | Reach]:
        name = value.target.name if isinstance(value.target, v.Attr) else (v.dotted(v.bare(value.target)) or "").rpartition(".")[2].lstrip(":")
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
                yield from self._item(bound.sub(v.Item(base, key, 1)), base, key, trail, nesting)
                return
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
                    inner = v.op("each", argument) if name in ITERATES else argument
                    yield from self._carry(bound.sub(inner), trail, nesting)
            return
        if name == "vars" and value.args:
            yield from self._fields_of(bound, value.args[0], trail)
            return
        if name == "getattr" and len(value.args) > 1:
            yield from self._item(bound.sub(v.Item(value.args[0], value.args[1], 1)), value.args[0], value.args[1], trail, nesting)
            return
        if reduced is not None:
            if self._is_getter(name) and not all(self._is_harmless(inner, nesting) for inner, _ in reduced):
                yield Leak(bound, f"{name}()", trail, self.names.is_sure(name))
                return
            for inner, step in reduced:
                yield from self._carry(inner, (*trail, step) if step else trail, nesting)
            return
        if self._is_getter(name) and effect.sink == "" and not self._is_plain_object(bound):
            yield Leak(bound, f"{name}()", trail, self.names.is_sure(name))
            return
        if name in DUMPS and not self._leaves_out(value):
            base = value.args[0] if value.args else value.target.base if isinstance(value.target, v.Attr) else None
            if base is not None:
                yield from self._fields_of(bound, base, trail)

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
        if len(words) > 1 and words[0] in {"get", "generate", "create", "make", "new", "fetch", "read", "load", "issue", "build", "mint", "obtain"}:
            return self.names.is_secret("_".join(words[1:]))
        return len(words) > 1 and words[-1] not in {"token"} and self.names.is_secret(name) and words[0] not in {"reset", "confirm", "login", "encode", "process", "handle", "save", "store", "parse", "decode"}

    def _operation(self, bound: Bound, value: v.Op, trail: tuple[Step, ...], nesting: int) -> Iterator[Leak | Reach]:
        if value.kind in {"in", "test", "repeat", "super", "difference"}:
            return
        if value.kind == "slice" and _is_short(value):
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
                    if isinstance(found, Reach) or (self._is_direct(value.subject) and _is_plural(value.subject)):
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
        for argument in value.args:
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
        for key, entry in value.keywords:
            if isinstance(template, v.Const) and key != "**" and "{" + key not in str(template.value):
                continue
            yield from self._carry(bound.sub(entry), trail, nesting)

    # Whole objects

    def _object(self, bound: Bound, labels: frozenset[str], trail: tuple[Step, ...]) -> Leak | None:
        for label, says in OBJECTS.items():
            if label in labels:
                if label == "body" and not self._takes_credentials(bound.frame):
                    return None
                return Leak(bound, f"{describe(bound.value)} ({says})", trail, sure=label != "body")
        return None

    def _printed(self, bound: Bound, trail: tuple[Step, ...]) -> Leak | None:
        """An object of the project that prints its fields, one of which is a secret."""
        kind = self.infer.type_of(bound)
        if kind is None or kind.cls is None or kind.assumed:
            return None
        for name in ("__str__", "__repr__"):
            member = self.program.member(kind.cls, name)
            if isinstance(member, FunctionSymbol):
                shows = self._shows_secret(member)
                says = f"{describe(bound.value)} (its `{name}` shows a secret)"
                return Leak(bound, says, trail) if shows else None
        return next(self._fields_of(bound, bound.value, trail), None) if self._is_dataclass(kind.cls) else None

    def _takes_credentials(self, frame: Frame) -> bool:
        """Whether a function is handed credentials: by its name, its route, or a field it reads."""
        function = frame.function
        if self.names.speaks_of_login(function.qualname.rpartition(".")[2]):
            return True
        routes = [a for d in function.decorators if isinstance(d, v.Call) for a in d.args]
        if any(isinstance(r, v.Const) and isinstance(r.value, str) and self.names.speaks_of_login(r.value) for r in routes):
            return True
        if function.owner and self.names.speaks_of_login(function.owner):
            return True
        waiting: list[Value] = [fact.value for fact in function.calls]
        waiting += [function.returns] if function.returns is not None else []
        budget = 2000
        while waiting and budget:
            budget -= 1
            value = waiting.pop()
            if isinstance(value, v.Item) and isinstance(value.key, v.Const) and not _is_header(value.base):
                if self.names.is_secret(str(value.key.value)):
                    return True
            if isinstance(value, v.Call) and isinstance(value.target, v.Attr) and value.target.name in ASKING and value.args:
                key = value.args[0]
                if isinstance(key, v.Const) and self.names.is_secret(str(key.value)) and not _is_header(value.target.base):
                    return True
            waiting.extend(v.children(value))
        return False

    def _fields_of(self, bound: Bound, base: Value, trail: tuple[Step, ...]) -> Iterator[Leak]:
        """All fields of an object at once: a leak if one of them is a secret."""
        kind = self.infer.type_of(bound.sub(base))
        if kind is None or kind.cls is None:
            return
        for name, owner in self._fields(kind.cls):
            if self.names.is_secret(name):
                annotation = owner.facts.annotations.get(name)
                home = self.infer.module_frame(owner.path)
                if annotation is not None and "redacted" in self.reducer.annotation_labels(Bound(annotation, home)):
                    continue
                if _is_hidden(owner.facts.attributes.get(name)):
                    continue
                if annotation is not None and self.infer.annotated_class(Bound(annotation, home)) is not None:
                    continue  # an object with a text of its own
                yield Leak(bound.sub(base), f"{describe(base)} (its fields include `{name}`)", trail, self.names.is_sure(name))
                return

    def _fields(self, cls: ClassSymbol) -> Iterator[tuple[str, ClassSymbol]]:
        for base in self.program.lineage(cls):
            if isinstance(base, ClassSymbol):
                for name in dict.fromkeys([*base.facts.annotations, *base.facts.attributes, *base.facts.own]):
                    if self.program.function(base.path, f"{base.facts.qualname}.{name}") is None:
                        yield name, base

    # What only looks like a secret

    def _is_harmless(self, bound: Bound, nesting: int, name: str = "") -> bool:
        """Whether a value under a secret's name is none: a constant, a number, a flag, a hash, something masked."""
        if nesting > MAX_NESTING:
            return False
        if split_words(name)[-1:] and split_words(name)[-1] in NUMERIC:
            # The number is the secret.
            inner = v.bare(bound.value)
            if isinstance(inner, v.Call):
                return not self.reducer.effect(bound.sub(inner)).labels.isdisjoint({"count", "hashed", "redacted", "boolean"})
            return isinstance(inner, v.Const) or isinstance(inner, v.Op) and inner.kind in {"in", "test"}
        leaves = list(self.reducer.leaves(bound, 12))
        return bool(leaves) and all(self._is_harmless_leaf(leaf) for leaf in leaves)

    def _is_harmless_leaf(self, bound: Bound) -> bool:
        value = bound.value
        match value:
            case v.Const():
                return True
            case v.Unknown():
                return not HARMLESS.isdisjoint(value.labels)
            case v.Op(kind="in") | v.Op(kind="test") | v.Op(kind="repeat"):
                return True
            case v.Op(kind="slice"):
                return _is_short(value)
            case v.Call():
                effect = self.reducer.effect(bound)
                if not HARMLESS.isdisjoint(effect.labels):
                    return True
                name = value.target.name if isinstance(value.target, v.Attr) else v.dotted(value.target) or ""
                return self.names.is_redactor(name.rpartition(".")[2]) or self._is_lexer(value)
            case v.Op(kind="each") | v.Item():
                return self._is_lexer(value)
            case v.Text():
                parts = [bound.sub(part) for part in value.parts if not isinstance(part, v.Const)]
                return all(self._is_harmless_leaf(leaf) for part in parts for leaf in self.reducer.leaves(part, 4))
            case v.Seq() | v.Map():
                inner = list(v.children(value))
                return len(inner) < 20 and all(self._is_harmless(bound.sub(one), 1) for one in inner)
            case v.Param() | v.Attr() | v.Ref():
                return not HARMLESS.isdisjoint(self.reducer.labels(bound))
        return False

    def _is_lexer(self, value: Value) -> bool:
        """Tokens of a parser or a language model, by where they come from: `for token in tokens`, `tokenize(...)`."""
        inner = v.bare(value)
        while isinstance(inner, (v.Op, v.Item, v.Call, v.Attr)):
            name = ""
            if isinstance(inner, v.Call):
                target = v.bare(inner.target)
                name = target.name if isinstance(target, v.Attr) else v.dotted(target) or ""
                following: Value = inner.args[0] if inner.args and not isinstance(target, v.Attr) else target
            elif isinstance(inner, v.Attr):
                name, following = inner.name, inner.base
            elif isinstance(inner, v.Item):
                following = inner.base
            else:
                following = inner.subject
            if self._names_tokens(name):
                return True
            if isinstance(following, (v.Named, v.Param, v.Ref)) and self._names_tokens(following.name.rpartition(".")[2]):
                return True
            inner = v.bare(following)
        return False

    def _names_tokens(self, name: str) -> bool:
        words = split_words(name)
        return words in {("tokens",), ("lexer",), ("tokenizer",)} or any(w in {"tokenize", "tokenizer", "lexer", "lex"} for w in words)

    def _is_plain_object(self, bound: Bound) -> bool:
        """A row or an object of a class that is printed as its name says, not as the secret it holds."""
        kind = self.infer.type_of(bound)
        if (kind is None or kind.cls is None) and isinstance(v.bare(bound.value), v.Attr):
            return False  # a column of a model: the class holds a descriptor, the instance the value
        if kind is None or kind.assumed:
            return self._is_query(bound)
        if kind.cls is not None:
            bases = [b for b in self.program.lineage(kind.cls) if isinstance(b, str)]
            if any(b in {"str", "bytes"} or b.rpartition(".")[2] in {"str", "NewType"} for b in bases):
                return False
            for name in ("__str__", "__repr__"):
                member = self.program.member(kind.cls, name)
                if isinstance(member, FunctionSymbol):
                    return not self._shows_secret(member)
            return not self._is_dataclass(kind.cls) or not any(self.names.is_secret(n) for n, _ in self._fields(kind.cls))
        return kind.name not in {"str", "bytes"}

    def _is_dataclass(self, cls: ClassSymbol) -> bool:
        names = [(v.dotted(d.target if isinstance(d, v.Call) else d) or "").rpartition(".")[2] for d in cls.facts.decorators]
        bases = [b.rpartition(".")[2] for b in self.program.lineage(cls) if isinstance(b, str)]
        printed = {"BaseModel", "BaseSettings", "Struct", "NamedTuple", "SQLModel"}
        return bool({"dataclass", "define", "frozen", "attrs"} & set(names)) or bool(printed & set(bases))

    def _shows_secret(self, function: FunctionSymbol) -> bool:
        if function.facts.returns is None:
            return False
        frame = Frame(function.path, function.facts)
        return any(isinstance(f, Leak) for f in self._carry(Bound(function.facts.returns, frame), (), 4))

    def _is_query(self, bound: Bound) -> bool:
        """The result of a query: a row, by the shape of the call."""
        for leaf in self.reducer.leaves(bound, 4):
            value = leaf.value
            if not isinstance(value, v.Call):
                continue
            while isinstance(value, (v.Call, v.Attr)):
                if isinstance(value, v.Attr) and value.name in {"objects", "query", "_default_manager"}:
                    return True
                value = v.bare(value.target if isinstance(value, v.Call) else value.base)
            name = v.dotted(leaf.value.target) or ""  # type: ignore[union-attr]
            last = name.rpartition(".")[2].lstrip(":")
            if last[:1].isupper() and not last.isupper():
                return True
        return False


def _is_header(value: Value) -> bool:
    inner = v.bare(value)
    name = inner.name if isinstance(inner, (v.Attr, v.Ref, v.Param)) else ""
    return name.rpartition(".")[2].lower() in {"headers", "cookies", "environ", "meta", "config", "session"}


def _is_plural(value: Value) -> bool:
    name = value.name if isinstance(value, (v.Named, v.Param, v.Attr, v.Ref)) else ""
    return name.lower().endswith("s")


def _is_method(value: Value, name: str) -> bool:
    return isinstance(value, v.Call) and isinstance(value.target, v.Attr) and value.target.name == name and not value.args


def _is_hidden(default: Value | None) -> bool:
    """`field(repr=False)`, `Field(exclude=True)`."""
    call = v.bare(default) if default is not None else None
    call = call.subject if isinstance(call, v.Op) else call
    return isinstance(call, v.Call) and any(
        (key, v.bare(value)) in {("repr", v.Const(False)), ("exclude", v.Const(True))} for key, value in call.keywords
    )


def _is_short(value: v.Op) -> bool:
    lower, upper = (v.bare(a) for a in value.args)
    low = lower.value if isinstance(lower, v.Const) else 0
    high = upper.value if isinstance(upper, v.Const) else 0
    if isinstance(lower, v.Const) and low is None and isinstance(upper, v.Const) and isinstance(high, int):
        return 0 <= high <= SHORT
    if isinstance(upper, v.Const) and high is None and isinstance(lower, v.Const) and isinstance(low, int):
        return -SHORT <= low < 0
    return isinstance(low, int) and isinstance(high, int) and 0 < high - low <= SHORT
