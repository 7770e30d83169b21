"""Which calls speak of passwords, and other questions about the shape of values that need no look behind them."""

from __future__ import annotations

import re

from prodready.link.password_names import PasswordNames
from prodready.link.password_stores import COPIES, DUMPS
from prodready.link.passwords import Digest
from prodready.read import values as v
from prodready.read.facts import CallFact, last_name
from prodready.read.values import Value

WHOLES = DUMPS | COPIES
"""What calls are called that take or give all fields of an object at once."""


class Speaking:
    """Tells whether a call has to do with passwords, or with whole objects that may have one; by names only."""

    def __init__(self, names: PasswordNames, text: re.Pattern[str]) -> None:
        self.names = names
        self.text = text
        self._seen: dict[int, bool] = {}

    def of_password(self, fact: CallFact) -> bool:
        """Whether a call has to do with passwords."""
        call = fact.value
        return (
            fact.name in WHOLES
            or any(key == "**" or self.names.is_password(key) for key, _ in call.keywords)
            or any(map(self.says, call.args))
            or any(self.says(value) for _, value in call.keywords)
            or self.says(call.target)
        )

    def says(self, value: Value) -> bool:
        """Whether a value has a name, a key or a text in it that speaks of a password."""
        known = self._seen.get(id(value))
        if known is None:
            known = self._seen[id(value)] = self._looks(value)
        return known

    def _looks(self, value: Value) -> bool:
        if isinstance(value, v.Const):
            if not isinstance(value.value, str):
                return False
            return self.names.is_password(value.value) or (
                len(value.value) > 20 and self.text.search(value.value) is not None
            )
        if isinstance(value, (v.Named, v.Param, v.Attr)) and self.names.is_password(value.name):
            return True
        if isinstance(value, v.Ref):
            return self.names.is_password(value.name.rpartition(".")[2].lstrip(":"))
        if isinstance(value, v.Call):
            if any(key == "**" or self.names.is_password(key) for key, _ in value.keywords):
                return True
            if last_name(value) in WHOLES:
                return True
        return any(map(self.says, v.children(value)))


def same_object(one: Value, other: Value) -> bool:
    """Whether two values are the same object: the result of the same call, or the same name."""
    if isinstance(one, v.Call) and isinstance(other, v.Call):
        return (one.line, one.column) == (other.line, other.column)
    return one == other


def unwrapped(value: Value) -> Value:
    """A mapping before something was taken out of it."""
    value = v.bare(value)
    while isinstance(value, v.Op) and value.kind in {"without", "after", "if", "typed"}:
        value = v.bare(value.subject)
    return value


def is_text(value: Value) -> bool:
    """Whether a value is a text that tells more than the password."""
    inner = v.bare(value)
    return isinstance(inner, v.Text) or (isinstance(inner, v.Op) and inner.kind in {"%", "format", "join"})


def is_at(fact: CallFact, digest: Digest) -> bool:
    """Whether a call is the one that makes a digest."""
    return (fact.value.line, fact.value.column) == (digest.line, digest.column)


def has_text(value: Value, pattern: re.Pattern[str]) -> bool:
    """Whether a text that fits a pattern stands in a value."""
    return any(isinstance(x, v.Const) and isinstance(x.value, str) and pattern.search(x.value) for x in v.walk(value))


def holds_call(value: Value, call: v.Call) -> bool:
    """Whether a call is among the arguments of another."""
    return any(
        isinstance(x, v.Call) and x is not value and (x.line, x.column) == (call.line, call.column)
        for x in v.walk(value)
    )


def mentions_param(value: Value, names: set[str]) -> bool:
    """Whether one of these parameters stands in a value."""
    return any(isinstance(x, v.Param) and x.name in names for x in v.walk(value))
