"""Parts of requests as the source has them, for messages."""

from __future__ import annotations

from prodready.read import values as v
from prodready.read.values import Value


def shown(value: Value) -> str:
    """What a condition looks at."""
    inner = v.bare(value)
    if isinstance(inner, v.Op):
        inner = inner.subject if not isinstance(v.bare(inner.subject), v.Const) else inner.args[0]
    if isinstance(value, v.Named):
        return f"`{value.name}`"
    if isinstance(inner, (v.Named, v.Param)):
        return f"`{inner.name}`"
    return source(inner)


def source(value: Value) -> str:
    """A part of a request as the source has it: `request.cookies["role"]`."""
    return f"`{_written(value)}`"


def _written(value: Value) -> str:
    if isinstance(value, (v.Named, v.Param)):
        return value.name
    if isinstance(value, v.Ref):
        return value.name.rpartition(".")[2].lstrip(":")
    if isinstance(value, v.Attr):
        return f"{_written(value.base)}.{value.name}"
    if isinstance(value, v.Item):
        key = v.bare(value.key)
        return f'{_written(value.base)}["{key.value}"]' if isinstance(key, v.Const) else f"{_written(value.base)}[...]"
    if isinstance(value, v.Call):
        first = v.bare(value.args[0]) if value.args else None
        inside = (
            f'"{first.value}"'
            if isinstance(first, v.Const) and isinstance(first.value, str)
            else "..."
            if value.args
            else ""
        )
        return f"{_written(value.target)}({inside})"
    return "a value"
