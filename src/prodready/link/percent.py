"""Templates of `%` and of log messages (printf-style string formatting, Python library reference)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from prodready.read import values as v

PERCENT = re.compile(
    r"%(?:\((?P<key>[^)]*)\))?[#0\- +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?(?P<type>[diouxXeEfFgGcrsa%])"
)
NUMERIC = frozenset("diouxXeEfFgG")
"""Conversions that take numbers only."""


def takes_numbers_only(template: v.Value) -> bool:
    """Whether a template can hold nothing but its own text and numbers."""
    template = v.bare(template)
    if not isinstance(template, v.Const) or not isinstance(template.value, str):
        return False
    return all(match["type"] in NUMERIC | {"%"} for match in PERCENT.finditer(template.value))


def printed(template: v.Value, arguments: Sequence[v.Value]) -> list[v.Value]:
    """Those of the arguments of a template that may come out as something other than numbers."""
    template = v.bare(template)
    if not isinstance(template, v.Const) or not isinstance(template.value, str):
        return list(arguments)
    types = [match["type"] for match in PERCENT.finditer(template.value) if match["type"] != "%"]
    if len(types) != len(arguments) or "*" in template.value:
        return list(arguments)
    return [argument for type_, argument in zip(types, arguments, strict=True) if type_ not in NUMERIC]
