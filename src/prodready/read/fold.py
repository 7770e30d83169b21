"""Constants computed: so that a branch which is never taken is not followed."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from prodready.read import values as v
from prodready.read.values import Value


def _power(base: float, exponent: float) -> float:
    if not 0 <= exponent <= 64:
        raise ValueError
    return float(base**exponent) if isinstance(base, float) else base**exponent


def _shifted(number: int, by: int) -> int:
    if not 0 <= by <= 64:
        raise ValueError
    return number << by


ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
    ast.LShift: _shifted,
}
COMPARISON: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
LARGEST = 2**53


def fold(kind: ast.operator, left: Value, right: Value) -> Value:
    """The number that an operation on two constants gives, or some number."""
    compute = ARITHMETIC.get(type(kind))
    if compute is None or not isinstance(left, v.Const) or not isinstance(right, v.Const):
        return v.NUMBER
    a, b = left.value, right.value
    if not isinstance(a, (int, float)) or not isinstance(b, (int, float)) or abs(a) > LARGEST or abs(b) > LARGEST:
        return v.NUMBER
    try:
        result = compute(a, b)
    except (ArithmeticError, ValueError, TypeError):
        return v.NUMBER
    return v.Const(result) if abs(result) <= LARGEST else v.NUMBER


def compare(kind: ast.cmpop, left: Value, right: Value) -> bool | None:
    """What a comparison of two constants gives, or None where they are not constant."""
    test = COMPARISON.get(type(kind))
    if test is None or not isinstance(left, v.Const) or not isinstance(right, v.Const):
        return None
    a, b = left.value, right.value
    texts = isinstance(a, str) and isinstance(b, str)
    numbers = isinstance(a, (int, float)) and isinstance(b, (int, float)) and not isinstance(kind, (ast.In, ast.NotIn))
    return bool(test(a, b)) if texts or numbers else None
