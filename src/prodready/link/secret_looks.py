"""What holds a secret as a whole, and what only looks like one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgspec

from prodready.finding import Step
from prodready.link.frames import Bound, Frame
from prodready.link.labels import Labels
from prodready.link.percent import takes_numbers_only
from prodready.link.program import ClassSymbol, FunctionSymbol
from prodready.link.reduce import describe
from prodready.link.secret_names import Names
from prodready.read import values as v
from prodready.read.values import Value
from prodready.words import split_words

MAX_NESTING = 24
LONG_TAIL = 16
"""A secret that lacks so much at its end is no more than a hint at it."""

SHORT = 8
"""A prefix or suffix up to this length does not give a secret away."""

TEXT_MEMBERS = frozenset(dir(str)) | {"value", "get_secret_value"}
HARMLESS = frozenset(
    {"filtered", "number", "boolean", "hashed", "redacted", "constant", "exception", "placeholders", "template"}
)
OBJECTS = {
    "headers": "the request's headers",
    "cookies": "the request's cookies",
    "environ": "the environment",
    "body": "the request's body",
    "settings": "the application's settings",
}
NOT_BODY = frozenset(
    "headers cookies environ meta config session args query_params query params path_params path_parameters get".split()
)
"""Parts of a request beside its body, and what else is asked for entries by their names."""

IDS = frozenset({("id",), ("ids",), ("pk",), ("uuid",)})
NUMERIC = frozenset({"otp", "totp", "cvv", "cvc", "cvv2", "number", "cardnumber", "code", "codes", "pan"})
ASKING = (
    "get",
    "pop",
    "getlist",
    "get_argument",
    "get_header",
    "getvalue",
    "getenv",
    "require",
    "setdefault",
    "get_body_argument",
)


OF_CONNECTIONS = frozenset({"url", "uri", "dsn", "connection"})
"""In names of settings that may have a password in them."""


class Leak(msgspec.Struct, frozen=True):
    """A secret in a value. `sure`: nothing but a secret has such a name, or the knowledge says so.

    `remark` says why a value is one whose `name` does not tell.
    `weak`: only the name speaks for it, and the name often means something else (the id of a session of any kind).
    """

    bound: Bound
    name: str
    trail: tuple[Step, ...]
    sure: bool = False
    weak: bool = False
    remark: str = ""


class Reach(msgspec.Struct, frozen=True):
    """A parameter of the function that the value carries, secret or not: its callers decide.

    `iterated`: not the parameter itself, but what going through it gives. `given` is what has turned out about
    other parameters.
    """

    name: str
    iterated: bool = False
    given: v.Given = ()


class SecretLooks:
    """Judges a value by its looks: its class, its origin, the shape it has."""

    def __init__(self, reducer: Labels) -> None:
        self.reducer = reducer
        self.infer = reducer.infer
        self.program = reducer.program
        self.names = Names(reducer.knowledge)
        self._objects: dict[tuple[str, str, str], bool] = {}
        self._showing: dict[tuple[str, str], bool] = {}

    @cached_property
    def _deals_in_coins(self) -> bool:
        return self.names.deals_in_coins(self.program.outlines)

    def _carry(self, bound: Bound, trail: tuple[Step, ...], nesting: int) -> Iterator[Leak | Reach]:
        raise NotImplementedError

    def _object(self, bound: Bound, labels: frozenset[str], trail: tuple[Step, ...]) -> Leak | None:
        for label, says in OBJECTS.items():
            if label in labels:
                if label == "body" and not self._takes_credentials(bound.frame):
                    return None
                return Leak(bound, describe(bound.value), trail, sure=label != "body", remark=says)
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
                return (
                    Leak(bound, describe(bound.value), trail, remark=f"its `{name}` shows a secret") if shows else None
                )
        return next(self._fields_of(bound, bound.value, trail), None) if self._is_dataclass(kind.cls) else None

    def _takes_credentials(self, frame: Frame) -> bool:
        """Whether a function is handed credentials: by its name, its route, or a field it reads."""
        function = frame.function
        if self.names.speaks_of_login(function.qualname.rpartition(".")[2]):
            return True
        routes = [a for d in function.decorators if isinstance(d, v.Call) for a in d.args]
        if any(
            isinstance(r, v.Const) and isinstance(r.value, str) and self.names.speaks_of_login(r.value) for r in routes
        ):
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
            if (
                isinstance(value, v.Call)
                and isinstance(value.target, v.Attr)
                and value.target.name in ASKING
                and value.args
            ):
                key = value.args[0]
                if (
                    isinstance(key, v.Const)
                    and self.names.is_secret(str(key.value))
                    and not _is_header(value.target.base)
                ):
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
                sure, remark = self.names.is_sure(name), f"its fields include `{name}`"
                yield Leak(bound.sub(base), describe(base), trail, sure, remark=remark)
                return

    def _fields(self, cls: ClassSymbol) -> Iterator[tuple[str, ClassSymbol]]:
        for base in self.program.lineage(cls):
            if isinstance(base, ClassSymbol):
                for name in dict.fromkeys([*base.facts.annotations, *base.facts.attributes, *base.facts.own]):
                    if self.program.function(base.path, f"{base.facts.qualname}.{name}") is None:
                        yield name, base

    def _is_harmless(self, bound: Bound, nesting: int, name: str = "") -> bool:
        """Whether a value under a secret's name is none: a constant, a number, a flag, a hash, something masked."""
        if nesting > MAX_NESTING:
            return False
        if split_words(name)[-1:] and split_words(name)[-1] in NUMERIC:
            # The number is the secret.
            inner = v.bare(bound.value)
            if isinstance(inner, v.Call):
                return not self.reducer.effect(bound.sub(inner)).labels.isdisjoint(
                    {"count", "hashed", "redacted", "boolean"}
                )
            return isinstance(inner, v.Const) or (isinstance(inner, v.Op) and inner.kind in {"in", "test"})
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
                return is_short(value)
            case v.Op(kind="%"):
                return takes_numbers_only(value.subject)
            case v.Op(kind="each") if _names_names(value.subject):
                return True
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

    def gets_a_setting(self, call: v.Call) -> bool:
        """Whether a store of secrets is asked for a setting by its name, which speaks of none: `get_secret("LOG_LEVEL")`."""
        key = v.bare(call.args[0]) if call.args else None
        name = key.value if isinstance(key, v.Const) and isinstance(key.value, str) else ""
        plain = name.isupper() and name.replace("_", "").isalnum() and OF_CONNECTIONS.isdisjoint(split_words(name))
        return plain and not self.names.is_secret(name)

    def _is_id(self, value: Value) -> bool:
        """Whether what is given under the name of a secret has the name of an id: `token=token_id`."""
        inner = value if isinstance(value, (v.Named, v.Param, v.Attr)) else v.bare(value)
        name = inner.name if isinstance(inner, (v.Named, v.Param, v.Attr)) else ""
        return split_words(name)[-1:] in IDS and not self.names.is_secret(name)

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
            if isinstance(following, (v.Named, v.Param, v.Ref)) and self._names_tokens(
                following.name.rpartition(".")[2]
            ):
                return True
            inner = v.bare(following)
        return False

    def _names_tokens(self, name: str) -> bool:
        words = split_words(name)
        return words in {("tokens",), ("lexer",), ("tokenizer",)} or any(
            w in {"tokenize", "tokenizer", "lexer", "lex"} for w in words
        )

    def _is_own_object(self, bound: Bound) -> bool:
        """Such an object of a class of the project: `{"jwt": claims}` with `claims: Claims` is not the token."""
        kind = self.infer.type_of(bound)
        return kind is not None and kind.cls is not None and self._is_plain_object(bound)

    def _is_plain_object(self, bound: Bound) -> bool:
        """A row or an object of a class that is printed as its name says, not as the secret it holds."""
        kind = self.infer.type_of(bound)
        if (kind is None or kind.cls is None) and isinstance(v.bare(bound.value), v.Attr):
            return False  # a column of a model: the class holds a descriptor, the instance the value
        if kind is None or kind.assumed:
            return self._is_query(bound) or self._acts_as_object(bound)
        if kind.cls is not None:
            bases = [b for b in self.program.lineage(kind.cls) if isinstance(b, str)]
            if any(b in {"str", "bytes"} or b.rpartition(".")[2] in {"str", "NewType"} for b in bases):
                return False
            for name in ("__str__", "__repr__"):
                member = self.program.member(kind.cls, name)
                if isinstance(member, FunctionSymbol):
                    return not self._shows_secret(member)
            return not self._is_dataclass(kind.cls) or not any(
                self.names.is_secret(n) for n, _ in self._fields(kind.cls)
            )
        return kind.name not in {"str", "bytes"}

    def _is_dataclass(self, cls: ClassSymbol) -> bool:
        names = [
            (v.dotted(d.target if isinstance(d, v.Call) else d) or "").rpartition(".")[2] for d in cls.facts.decorators
        ]
        bases = [b.rpartition(".")[2] for b in self.program.lineage(cls) if isinstance(b, str)]
        printed = {"BaseModel", "BaseSettings", "Struct", "NamedTuple", "SQLModel", "TypedDict"}
        return bool({"dataclass", "define", "frozen", "attrs"} & set(names)) or bool(printed & set(bases))

    def _shows_secret(self, function: FunctionSymbol) -> bool:
        key = (function.path, function.facts.qualname)
        if key not in self._showing:
            self._showing[key] = False  # while it is asked: what shows itself shows nothing by that
            frame, returns = Frame(function.path, function.facts), function.facts.returns
            found = self._carry(Bound(returns, frame), (), 4) if returns is not None else ()
            self._showing[key] = any(isinstance(one, Leak) for one in found)
        return self._showing[key]

    def _acts_as_object(self, bound: Bound) -> bool:
        """Whether the function around uses a parameter as an object: reads its fields, stores or deletes it as a row."""
        value = bound.value
        if not isinstance(value, v.Param):
            return False
        key = (*bound.frame.key, value.name)
        if key not in self._objects:
            self._objects[key] = any(_uses_as_object(fact.value, value) for fact in bound.frame.function.calls)
        return self._objects[key]

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

    def _is_of_request(self, bound: Bound) -> bool:
        """Whether a value comes from the request or the web session."""
        for leaf in self.reducer.leaves(bound, 8):
            value = leaf.value
            if self._is_in_address(leaf):
                continue
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

    def _is_in_address(self, bound: Bound) -> bool:
        """Whether a value is a part of the address that a handler is given: such an id is one of a row of any kind."""
        param = bound.frame.param(bound.value.name) if isinstance(bound.value, v.Param) else None
        if param is None or bound.frame.binding(param.name) is not None:
            return False
        said = [value for value in (param.default, param.annotation) if value is not None]
        return not any(isinstance(one, v.Call) for value in said for one in v.walk(value))


def _uses_as_object(call: v.Call, subject: v.Param) -> bool:
    waiting: list[Value] = [call]
    while waiting:
        value = waiting.pop()
        if isinstance(value, v.Attr) and value.base == subject and value.name not in TEXT_MEMBERS:
            return True
        if isinstance(value, v.Call) and isinstance(value.target, v.Attr) and subject in value.args:
            if value.target.name in {"add", "delete", "merge", "refresh", "expunge"} and len(value.args) == 1:
                return True
        waiting.extend(v.children(value))
    return False


def _names_names(value: Value) -> bool:
    """Whether a collection is called after what it holds: the names of fields and their like, not what is in them."""
    words = split_words(value.name) if isinstance(value, (v.Named, v.Param, v.Attr, v.Ref)) else ()
    return bool(words) and words[-1] in {"fields", "names", "types", "ids", "labels", "columns", "paths", "files"}


def _is_header(value: Value) -> bool:
    inner = v.bare(value)
    name = inner.name if isinstance(inner, (v.Attr, v.Ref, v.Param)) else ""
    return name.rpartition(".")[2].lower() in NOT_BODY


def _is_hidden(default: Value | None) -> bool:
    """`field(repr=False)`, `Field(exclude=True)`."""
    call = v.bare(default) if default is not None else None
    call = call.subject if isinstance(call, v.Op) else call
    return isinstance(call, v.Call) and any(
        (key, v.bare(value)) in {("repr", v.Const(False)), ("exclude", v.Const(True))} for key, value in call.keywords
    )


def is_short(value: v.Op) -> bool:
    """Whether a slice is too short to give a secret away."""
    lower, upper = (v.bare(a) for a in value.args)
    low = lower.value if isinstance(lower, v.Const) else 0
    high = upper.value if isinstance(upper, v.Const) else 0
    if isinstance(lower, v.Const) and low is None and isinstance(upper, v.Const) and isinstance(high, int):
        return 0 <= high <= SHORT or high <= -LONG_TAIL
    if isinstance(upper, v.Const) and high is None and isinstance(lower, v.Const) and isinstance(low, int):
        return -SHORT <= low < 0
    return isinstance(low, int) and isinstance(high, int) and 0 < high - low <= SHORT
