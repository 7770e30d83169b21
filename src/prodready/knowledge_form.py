"""The form of a knowledge file, and the words that may stand in it. `docs/knowledge.md` describes it for users."""

from __future__ import annotations

import msgspec

SINKS = frozenset({"sql", "sql-fragment", "log", "log-context", "none"})
LABELS = frozenset(
    {
        "request",  # whoever sends the request chose it
        "headers", "cookies", "environ", "body", "settings",  # whole objects that carry secrets
        "number", "count", "boolean", "constant",  # cannot hold text of somebody's choice
        "quoted",  # made safe to stand in SQL
        "placeholders",  # a list of parameter markers
        "hashed", "redacted",  # what is left of a secret is harmless
        "secret",
    }
)  # fmt: skip
STYLES = frozenset({"qmark", "format", "pyformat", "named", "dollar", "sqlalchemy"})
DECORATIONS = frozenset({"handler", "guard"})
WORDS = frozenset({"secret", "not-secret", "redactor", "login", "carrier"})


class Effect(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a call does, or what reading an attribute gives.

    `sink` is the kind of sink the arguments `at` flow into (positions, keyword names, "*" for all positional ones, "**"
    for all keyword ones); `returns` is the type of the result, `label` what is true of it; `passes` lists the arguments
    whose text the result carries ("self" is the receiver); `decorates` says what it makes of a function below it.
    """

    sink: str = ""
    at: tuple[int | str, ...] = ()
    returns: str = ""
    label: tuple[str, ...] | str = ()
    passes: tuple[int | str, ...] = ()
    decorates: str = ""

    @property
    def labels(self) -> frozenset[str]:
        """The labels as a set."""
        return frozenset((self.label,) if isinstance(self.label, str) else self.label)


class TypeEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A class of a library.

    `names` are words by which a variable of unknown origin is taken for one (medium confidence). `handlers` are the
    methods, as patterns, that a framework calls with what a request brought: their parameters are request data. `style`
    is the DB-API paramstyle; `item`, `call`, `enter` and `each` say what `x[k]`, `x(...)`, `with x as y` and
    `for y in x` give; `label` holds for the object itself.
    """

    bases: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    handlers: tuple[str, ...] = ()
    style: str = ""
    label: tuple[str, ...] | str = ()
    attributes: dict[str, Effect | str] = {}
    methods: dict[str, Effect | str] = {}
    item: Effect | str = ""
    call: Effect | str = ""
    enter: Effect | str = ""
    each: Effect | str = ""

    @property
    def labels(self) -> frozenset[str]:
        """The labels as a set."""
        return frozenset((self.label,) if isinstance(self.label, str) else self.label) - {""}


class KnowledgeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file as written."""

    library: str
    functions: dict[str, Effect | str] = {}
    objects: dict[str, Effect | str] = {}
    types: dict[str, TypeEntry] = {}
    parameters: dict[str, str] = {}
    words: dict[str, tuple[str, ...]] = {}


def effect(value: Effect | str) -> Effect:
    """An entry as an effect: a string is short for the type of the result."""
    return Effect(returns=value) if isinstance(value, str) else value


NOTHING = Effect()
