"""What a method returns, or which list it chooses, where that hangs on an attribute: `view.action == "list"`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice, product
from typing import TYPE_CHECKING

from prodready.read import values as v
from prodready.read.exits import Atom, Condition, slim
from prodready.read.facts import BIND, RETURN, Exit
from prodready.read.inside import inside
from prodready.read.values import Value

if TYPE_CHECKING:
    from prodready.read.expressions import Expressions

MOST_WAYS = 8
"""Ways to one `return` that are told apart."""

MOST_CONDITIONS = 8

Way = tuple[Atom, ...]


def note_decision(reader: Expressions, node: ast.Return | ast.Assign) -> None:
    """Note each way to this statement by itself, with all that must hold for it."""
    scope = reader.scope
    if not scope.owner or scope.silent or scope.env is None or node.value is None:
        return
    if isinstance(node, ast.Assign) and not isinstance(node.value, (ast.List, ast.Tuple)):
        return
    hangs = any(condition.test is not None and _asks(condition.test) for condition in scope.conditions)
    if not hangs and (isinstance(node, ast.Assign) or not _asks(node.value)):
        return
    before: list[list[Way]] = [
        list(_ways(reader, c.test, c.env, truth=c.truth)) if c.test else [()] for c in scope.conditions
    ]
    ends: list[tuple[Way, ast.expr | None]] = [((), node.value)]
    if isinstance(node, ast.Return):
        ends = list(_ends(reader, node.value))
    for passed, (own, last) in islice(product(product(*before), ends), MOST_WAYS):
        conditions = (*(one for way in passed for one in way), *own)[-MOST_CONDITIONS:]
        value = v.Const(True) if last is None else slim(v.bare(_quiet(reader, last)))
        if isinstance(node, ast.Assign):
            value = v.named(ast.unparse(node.targets[0]), value, node.lineno, 1)
        kind = BIND if isinstance(node, ast.Assign) else RETURN
        scope.decisions.append(Exit(kind, value, conditions, 0, node.lineno, node.col_offset + 1))


@lru_cache(maxsize=64)  # The same conditions stand around many statements.
def _asks(test: ast.expr) -> bool:
    """Whether an attribute is compared somewhere in a condition."""
    return any(isinstance(n, ast.Compare) and _is_attribute(n.left) for n in inside(test))


def _is_attribute(node: ast.expr) -> bool:
    """`view.action`, `request.method.lower()`, `getattr(view, "action", None)`."""
    if isinstance(node, ast.Call):
        function = node.func
        if isinstance(function, ast.Name):
            return function.id == "getattr"
        return isinstance(function, ast.Attribute) and isinstance(function.value, ast.Attribute)
    return isinstance(node, ast.Attribute)


def _ways(reader: Expressions, test: ast.expr, env: dict[str, Value] | None, *, truth: bool) -> Iterator[Way]:
    """The ways in which a condition comes out as `truth`."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yield from _ways(reader, test.operand, env, truth=not truth)
    elif isinstance(test, ast.BoolOp):
        stops = isinstance(test.op, ast.Or)
        passed: list[list[Way]] = []
        for operand in test.values:
            if stops is truth:  # this one decides, after those before it did not
                for *ways, end in islice(product(*passed, list(_ways(reader, operand, env, truth=truth))), MOST_WAYS):
                    yield (*(one for way in ways for one in way), *end)
            passed.append(list(_ways(reader, operand, env, truth=truth if stops is not truth else not truth)))
        if stops is not truth:
            for found in islice(product(*passed), MOST_WAYS):
                yield tuple(one for way in found for one in way)
    else:
        yield tuple(Condition(test, env, truth).atoms(reader))


def _ends(reader: Expressions, node: ast.expr) -> Iterator[tuple[Way, ast.expr | None]]:
    """What a returned expression may be, with what holds then; None stands for true. What is false is left out."""
    env = reader.scope.env
    if isinstance(node, ast.BoolOp):
        is_or = isinstance(node.op, ast.Or)
        passed: Way = ()
        for operand in node.values[:-1]:
            if is_or:
                for way, _ in _ends(reader, operand) if _asks(operand) else ():
                    yield (*passed, *way), None
                if not _asks(operand):
                    yield passed, operand
            else:
                passed = (*passed, *next(_ways(reader, operand, env, truth=True), ()))
        for way, end in _ends(reader, node.values[-1]):
            yield (*passed, *way), end
    elif isinstance(node, ast.IfExp):
        for truth, branch in ((True, node.body), (False, node.orelse)):
            for way in _ways(reader, node.test, env, truth=truth):
                for more, end in _ends(reader, branch):
                    yield (*way, *more), end
    elif isinstance(node, ast.Compare) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)):
        for way in _ways(reader, node, env, truth=True):
            yield way, None
    elif not (isinstance(node, ast.Constant) and not node.value):
        yield (), node


def _quiet(reader: Expressions, node: ast.expr) -> Value:
    """The value of an expression that has been read before."""
    scope = reader.scope
    before, scope.env = scope.env, dict(scope.env or {})
    scope.silent += 1
    value = reader.eval(node)
    scope.silent -= 1
    scope.env = before
    return value
