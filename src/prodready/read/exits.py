"""The ways out of a function that hang on a condition: what is returned or raised, and what has turned out by then."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeGuard

import msgspec

from prodready.read import values as v
from prodready.read.facts import RAISE, Exit
from prodready.read.values import Value

if TYPE_CHECKING:
    from prodready.read.expressions import Expressions

NEVER_RETURN = frozenset({"abort", "exit", "_exit", "quit", "bail", "die", "halt"})
"""Functions by these names raise: every web framework and the standard library agree on it."""

MOST_CONDITIONS = 6
LARGEST_CONDITION = 60
LARGEST_PART = 14
"""Nodes of a condition, and of an argument of what is returned, that are kept."""

LONGEST_SENTENCE = 120
"""Characters that are kept of a text that is returned."""

LONGEST_FLAG, MOST_FLAGS = 40, 1000

ASKING = (ast.Name, ast.UnaryOp, ast.BoolOp, ast.Compare)
"""Tests that may say something of a parameter."""

SAME = (ast.Is, ast.Eq)
DIFFERENT = (ast.IsNot, ast.NotEq)

Atom = tuple[Value, bool]


class Condition(msgspec.Struct):
    """A test that a path has passed, evaluated when the path first leaves the function."""

    test: ast.expr | None
    env: dict[str, Value] | None
    truth: bool = True
    known: list[Atom] | None = None
    both: list[list[Atom] | None] = msgspec.field(default_factory=lambda: [None, None])
    given: list[v.Given | None] = msgspec.field(default_factory=lambda: [None, None])

    def being(self, truth: bool) -> Condition:
        """The same test with this outcome; what is evaluated of it is shared."""
        return Condition(self.test, self.env, truth, self.known, self.both, self.given)

    @staticmethod
    def caught(kinds: Value) -> Condition:
        """Of the body of a handler."""
        return Condition(None, None, True, [(v.op("caught", kinds), True)])

    def tests(self) -> v.Given:
        """What it says of the parameters of the function."""
        if not isinstance(self.test, ASKING):
            return ()
        found = self.given[self.truth]
        if found is None:
            found = self.given[self.truth] = tuple(_tests(self.test, self.env or {}, truth=self.truth))
        return found

    def either(self) -> tuple[v.Given, ...]:
        """The same for being true and for being false; empty if it says nothing of them."""
        if not isinstance(self.test, ASKING):
            return ()
        found = (self.being(True).tests(), self.being(False).tests())
        return found if found[0] or found[1] else ()

    def atoms(self, reader: Expressions) -> list[Atom]:
        """The single conditions it is made of."""
        if self.known is not None or self.test is None:
            return self.known or []
        found = self.both[self.truth]
        if found is None:
            scope = reader.scope
            after, scope.env = scope.env, dict(self.env or {})
            scope.silent += 1
            found = self.both[self.truth] = list(_atoms(reader, self.test, truth=self.truth))
            scope.silent -= 1
            scope.env = after
        return found


def _is_short(value: object) -> TypeGuard[str | int | None]:
    """Whether a constant is kept with a test: what is no flag, mode or number of a few is not asked for by callers."""
    if isinstance(value, str):
        return value.isascii() and len(value) <= LONGEST_FLAG
    return value is None or (isinstance(value, int) and abs(value) < MOST_FLAGS)


def _tests(test: ast.expr, env: dict[str, Value], *, truth: bool) -> Iterator[v.Test]:
    """What a condition being `truth` shows of parameters that still are what was passed."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yield from _tests(test.operand, env, truth=not truth)
    elif isinstance(test, ast.BoolOp):
        # `a and b` being true shows both; `a or b` being false shows both to be false.
        if isinstance(test.op, ast.And) == truth:
            for operand in test.values:
                yield from _tests(operand, env, truth=truth)
    elif isinstance(test, ast.Name):
        if isinstance(param := env.get(test.id), v.Param):
            yield v.Test(param.name, True, truth)
    elif isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.left, ast.Name):
        param, other, operator = env.get(test.left.id), test.comparators[0], test.ops[0]
        if isinstance(param, v.Param) and isinstance(other, ast.Constant) and isinstance(operator, SAME + DIFFERENT):
            if _is_short(other.value):
                yield v.Test(param.name, other.value, truth == isinstance(operator, SAME))


def note_exit(reader: Expressions, kind: int, value: Value, node: ast.stmt | ast.expr) -> None:
    """Note that the path that is followed leaves the function here."""
    scope = reader.scope
    if scope.silent or scope.env is None or scope.is_module:
        return
    left = v.bare(value)
    may_differ = scope.conditions or len(scope.returns) > 1
    if kind != RAISE and not (may_differ and (isinstance(left, (v.Call, v.Seq, v.Attr, v.Ref)) or _is_sentence(left))):
        return
    conditions = [atom for condition in scope.conditions for atom in condition.atoms(reader)]
    inner = len(scope.conditions[-1].atoms(reader)) if scope.conditions else 0
    column = scope.module.column(node.lineno, node.col_offset)
    kept = tuple(conditions[-max(MOST_CONDITIONS, inner) :])
    test = scope.conditions[-1].test if scope.conditions else None
    line = getattr(test, "lineno", 0)
    tested = (line, scope.module.column(line, test.col_offset)) if test is not None and line else (0, 0)
    scope.ways_out.append(Exit(kind, slim(left), kept, inner, node.lineno, column, tested))


def _is_sentence(value: Value) -> bool:
    """Whether a constant may be something that people are told: "Access denied"."""
    text = value.value if isinstance(value, v.Const) else None
    return isinstance(text, str) and " " in text


def _atoms(reader: Expressions, test: ast.expr, *, truth: bool) -> Iterator[Atom]:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yield from _atoms(reader, test.operand, truth=not truth)
    elif isinstance(test, ast.BoolOp):
        for operand in test.values:
            yield from _atoms(reader, operand, truth=truth)
    elif isinstance(test, ast.Compare) and len(test.ops) == 1:
        yield from _compared(reader, test, truth=truth)
    else:
        yield _kept(reader.eval(test)), truth


def _compared(reader: Expressions, test: ast.Compare, *, truth: bool) -> Iterator[Atom]:
    operator, right = test.ops[0], test.comparators[0]
    negated = isinstance(operator, (ast.NotEq, ast.IsNot, ast.NotIn))
    if isinstance(right, ast.Constant) and right.value in (None, False, True):
        if isinstance(operator, (ast.Is, ast.Eq, ast.IsNot, ast.NotEq)):
            # `x is None` being true is `x` being false.
            yield from _atoms(reader, test.left, truth=truth != negated if right.value else truth == negated)
            return
    left = reader.eval(test.left)
    kind = "in" if isinstance(operator, (ast.In, ast.NotIn)) else "test"
    yield _kept(v.op(kind, left, (reader.eval(right),))), truth != negated


def _kept(value: Value) -> Value:
    return value if v.size(value) <= LARGEST_CONDITION else v.UNKNOWN


def slim(value: Value) -> Value:
    """A returned value without its large parts: what it is called and which status it has are small."""
    if isinstance(value, v.Const) and isinstance(value.value, str):
        return v.Const(value.value[:LONGEST_SENTENCE])
    if isinstance(value, v.Call):
        args = tuple(_small(a) for a in value.args)
        keywords = tuple((k, _small(x)) for k, x in value.keywords)
        return v.call(_small(value.target), args, keywords, value.line, value.column)
    if isinstance(value, v.Seq):
        return v.seq([slim(v.bare(x)) for x in value.items])
    return _small(value)


def _small(value: Value) -> Value:
    return value if v.size(value) <= LARGEST_PART else v.UNKNOWN
