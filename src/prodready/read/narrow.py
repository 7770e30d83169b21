"""What a condition proves about the values it tests: allow-lists, types, characters, comparison with a constant."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from prodready.read import values as v
from prodready.read.scope import path_of
from prodready.read.values import Value

if TYPE_CHECKING:
    from prodready.read.expressions import Expressions

CHARACTER_TESTS = frozenset({"isdigit", "isdecimal", "isnumeric", "isidentifier", "isalnum", "isalpha"})
MATCHERS = frozenset({"match", "fullmatch"})
NUMBERS = frozenset({"int", "float", "bool", "Decimal", "UUID", "date", "datetime", "Enum"})


def narrow(reader: Expressions, test: ast.expr, *, truth: bool) -> None:
    """Change `reader.scope.env` by what `test` being `truth` shows."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        narrow(reader, test.operand, truth=not truth)
    elif isinstance(test, ast.BoolOp):
        # `a and b` being true shows both; `a or b` being false shows both to be false.
        if isinstance(test.op, ast.And) == truth:
            for operand in test.values:
                narrow(reader, operand, truth=truth)
    elif isinstance(test, ast.Compare):
        if len(test.ops) == 1:
            _compared(reader, test, truth=truth)
    elif isinstance(test, ast.NamedExpr):
        narrow(reader, test.value, truth=truth)
    elif isinstance(test, (ast.Name, ast.BinOp)):
        if not truth:
            _nothing_left(reader, test)
    elif isinstance(test, ast.Call):
        _called(reader, test, truth=truth)


def _compared(reader: Expressions, test: ast.Compare, *, truth: bool) -> None:
    operator, left, right = test.ops[0], test.left, test.comparators[0]
    if isinstance(right, ast.Constant) and right.value is None and isinstance(operator, (ast.Is, ast.IsNot)):
        narrow(reader, left, truth=isinstance(operator, ast.IsNot) == truth)
        return
    if isinstance(left, ast.Call) and isinstance(left.func, ast.Name) and left.func.id == "type" and left.args:
        is_same = isinstance(operator, (ast.Is, ast.Eq, ast.In))
        kinds = right.elts if isinstance(right, (ast.Tuple, ast.Set, ast.List)) else [right]
        if is_same == truth and {getattr(kind, "id", "") for kind in kinds} <= NUMBERS:
            _mark(reader, left.args[0], "number")
        return
    if isinstance(operator, (ast.In, ast.NotIn)):
        if isinstance(operator, ast.In) == truth and _is_collection(reader.eval(right)):
            for one in left.elts if isinstance(left, ast.Tuple) else [left]:
                _mark(reader, one, "allowed")
        elif isinstance(left, ast.Call) or isinstance(operator, ast.NotIn) == truth:
            return
    elif (isinstance(operator, (ast.Eq, ast.Is)) and truth) or (
        isinstance(operator, (ast.NotEq, ast.IsNot)) and not truth
    ):
        for one, other in ((left, right), (right, left)):
            value = reader.eval(other)
            if isinstance(value, v.Const) or is_constant_name(value):
                _set(reader, one, value)
    elif isinstance(operator, (ast.LtE, ast.Lt)) and truth and isinstance(left, ast.Call):
        # set(names) <= ALLOWED
        if isinstance(left.func, ast.Name) and left.func.id in {"set", "frozenset"} and left.args:
            _mark(reader, left.args[0], "allowed")


def _nothing_left(reader: Expressions, test: ast.expr) -> None:
    """`unknown = set(names) - ALLOWED` being empty shows that all of `names` are allowed."""
    difference = v.bare(reader.eval(test))
    if not (isinstance(difference, v.Op) and difference.kind == "difference") or reader.scope.env is None:
        return
    subject = v.bare(difference.subject)
    if isinstance(subject, v.Call):
        subject = subject.args[0] if subject.args else getattr(subject.target, "base", subject)
    for path, value in list(reader.scope.env.items()):
        if v.bare(value) == v.bare(subject):
            reader.scope.env[path] = v.mark(value, "allowed")


def _called(reader: Expressions, test: ast.Call, *, truth: bool) -> None:
    function = test.func
    if isinstance(function, ast.Name) and function.id == "isinstance" and len(test.args) == 2:
        kinds = test.args[1].elts if isinstance(test.args[1], ast.Tuple) else [test.args[1]]
        names = {k.attr if isinstance(k, ast.Attribute) else getattr(k, "id", "") for k in kinds}
        if truth and names and names <= NUMBERS:
            _mark(reader, test.args[0], "number")
    elif isinstance(function, ast.Name) and function.id == "hasattr" and truth and len(test.args) == 2:
        _mark(reader, test.args[1], "allowed")
    elif isinstance(function, ast.Attribute):
        if function.attr in CHARACTER_TESTS and truth:
            _mark(reader, function.value, "allowed")
        elif function.attr in MATCHERS and truth and test.args:
            _mark(reader, test.args[-1] if len(test.args) < 3 else test.args[1], "allowed")
        elif function.attr == "issubset" and truth:
            inner = function.value
            if isinstance(inner, ast.Call) and inner.args:
                inner = inner.args[0]
            _mark(reader, inner, "allowed")
        else:
            _checked_by(reader, test, truth=truth)
    elif isinstance(function, ast.Name) and function.id == "all" and truth and test.args:
        _all(reader, test.args[0])
    else:
        _checked_by(reader, test, truth=truth)


def _all(reader: Expressions, test: ast.expr) -> None:
    """`all(column in ALLOWED for column in columns)` shows it of every one of `columns`."""
    if not isinstance(test, ast.GeneratorExp) or len(test.generators) != 1:
        return
    generator = test.generators[0]
    before = dict(reader.scope.env or {})
    reader.bind(generator.target, v.UNKNOWN)
    narrow(reader, test.elt, truth=True)
    now = reader.scope.lookup(generator.target.id) if isinstance(generator.target, ast.Name) else v.UNKNOWN
    reader.scope.env = before
    if isinstance(now, (v.Mark, v.Const)):
        _mark(reader, generator.iter, "allowed")


def _checked_by(reader: Expressions, test: ast.Call, *, truth: bool) -> None:
    """A condition in a function of the project: the link step looks whether it is an allow-list test."""
    if truth and test.args:
        condition = reader.eval(test)
        for argument in test.args:
            path = path_of(argument)
            if path and reader.scope.env is not None:
                value = reader.eval(argument)
                if not isinstance(v.bare(value), (v.Const, v.Ref)):
                    _set(reader, argument, v.op("if", value, (condition,)))


def _mark(reader: Expressions, node: ast.expr, label: str) -> None:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
        node = node.func.value  # x.lower() in ALLOWED
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        node = node.args[0]  # str(x) in ALLOWED
    if isinstance(node, ast.NamedExpr):
        node = node.target
    value = reader.eval(node)
    if not isinstance(value, v.Const):
        _set(reader, node, v.mark(value, label))


def _set(reader: Expressions, node: ast.expr, value: Value) -> None:
    path = path_of(node)
    if path and reader.scope.env is not None:
        reader.scope.env[path] = value


def _is_collection(value: Value) -> bool:
    """Whether membership limits the value: not a search in a text."""
    inner = v.bare(value)
    return not isinstance(inner, (v.Text, v.Op, v.Const))


def is_constant_name(value: Value) -> bool:
    """Whether a value is called like a constant (PEP 8): `LIMIT`, `Status.PAID`."""
    name = v.dotted(v.bare(value))
    return name is not None and name.rpartition(".")[2].lstrip(":").isupper()
