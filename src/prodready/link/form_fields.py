"""What forms and serializers say of their fields."""

from __future__ import annotations

from prodready.read import values as v
from prodready.read.facts import last_name
from prodready.read.values import Value
from prodready.words import split_words


def is_only_read(declared: Value | None) -> bool:
    """Whether a field is declared to take nothing that is sent: `CharField(read_only=True)`, `SerializerMethodField()`."""
    made = v.bare(declared) if declared is not None else None
    return isinstance(made, v.Call) and (
        not {("read_only", v.Const(True)), ("disabled", v.Const(True))}.isdisjoint(made.keywords)
        or "Method" in last_name(made)
        or {"read", "only"} <= set(split_words(last_name(made)))
    )
