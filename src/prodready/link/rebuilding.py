"""Values made anew with another one in place of some that are in them."""

from __future__ import annotations

from collections.abc import Callable

from prodready.read import values as v
from prodready.read.values import Value


def rebuilt(value: Value, change: Callable[[Value], Value]) -> Value:
    """The value with `change` applied to every value in it, from the innermost outwards."""

    def again(inner: Value) -> Value:
        return rebuilt(inner, change)

    new: Value = value
    match value:
        case v.Named():
            new = v.named(value.name, again(value.value), value.line, value.column)
        case v.Mark():
            new = v.mark(again(value.value), *value.labels)
        case v.Attr():
            new = v.attr(again(value.base), value.name)
        case v.Item():
            new = v.item(again(value.base), again(value.key))
        case v.Text():
            new = v.text([again(part) for part in value.parts], value.how, value.line, value.column)
        case v.Op():
            args, keywords = tuple(map(again, value.args)), tuple((k, again(x)) for k, x in value.keywords)
            new = v.op(value.kind, again(value.subject), args, keywords, line=value.line, column=value.column)
        case v.Call():
            args, keywords = tuple(map(again, value.args)), tuple((k, again(x)) for k, x in value.keywords)
            new = v.call(again(value.target), args, keywords, value.line, value.column, limit=v.MAX_TABLE)
        case v.Choice():
            new = v.choice([again(option) for option in value.options], value.given)
        case v.Seq():
            new = v.seq([again(one) for one in value.items], is_open=value.open, limit=v.MAX_TABLE)
        case v.Map():
            new = v.mapping(
                [(again(k) if k is not None else None, again(x)) for k, x in value.items], limit=v.MAX_TABLE
            )
    return change(new)


def plain(value: Value) -> Value:
    """A value without what checks have shown of it, to tell whether two are the same object."""
    while True:
        if isinstance(value, (v.Mark, v.Named)):
            inner = value.value
        elif isinstance(value, v.Op) and value.kind in {"after", "if", "typed"}:
            inner = value.subject
        else:
            return value
        value = inner
