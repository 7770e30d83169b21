"""Statements: the half of the interpreter that follows paths, binds names and defines functions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from prodready.read import values as v
from prodready.read.decisions import note_decision
from prodready.read.definitions import Definitions, FunctionNode, own_name
from prodready.read.exits import NEVER_RETURN, Condition, note_exit
from prodready.read.facts import BREAK, CONTINUE, COUNTING, RAISE, RETURN, Flow, Span, last_name
from prodready.read.inside import inside
from prodready.read.narrow import is_constant_name
from prodready.read.scope import Module, Scope, join, path_of
from prodready.read.values import Value
from prodready.words import split_words

MAX_LOOP_DEPTH = 2
"""Loops nested deeper than this are gone through once, not twice."""

LOOKING = frozenset(
    {"exists", "first", "one_or_none", "scalar", "scalar_one_or_none", "get", "get_or_none", "find_one"}
)
"""Methods that tell whether something is there."""

CHECKING_WORDS = frozenset(
    {
        "check",
        "validate",
        "ensure",
        "assert",
        "verify",
        "require",
        "guard",
        "must",
        "reject",
        "forbid",
        "deny",
        "restrict",
    }
    | {"allow", "allowed", "valid", "safe", "known", "sanity", "limit", "expect"}
)
"""Words that the names of functions which raise for a bad argument are made of."""


class Statements(Definitions):
    """Interprets the statements of one scope; what it defines goes to `functions` and `classes`."""

    def run(self, body: Sequence[ast.stmt]) -> None:
        """Follow `body` to its end, or to where its path ends."""
        conditions = len(self.scope.conditions)
        for statement in body:
            if self.scope.env is None:
                # Unreachable code still defines what other files may use.
                self.scope.env = {}
                self._one(statement)
                self.scope.env = None
            else:
                self._one(statement)
        del self.scope.conditions[conditions:]

    def _one(self, statement: ast.stmt) -> None:
        before = self.scope.statement
        self.scope.statement = _lines(statement)
        handler = self._statements.get(type(statement))
        if handler:
            handler(self, statement)
        self.scope.statement = before

    def _expression(self, node: ast.Expr) -> None:
        value = self.eval(node.value)
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(call, ast.Call) and isinstance(value, v.Call):
            if last_name(value.target) in NEVER_RETURN:
                note_exit(self, RAISE, value, call)
                self.scope.ends(RAISE)
                self.scope.env = None
            else:
                self._after(call, value)

    def _after(self, call: ast.Call, value: v.Call) -> None:
        """`check(x)` on a line of its own may be a check that raises: the link step finds out."""
        if self.scope.env is None or CHECKING_WORDS.isdisjoint(split_words(last_name(value.target))):
            return
        for argument in (*call.args, *(k.value for k in call.keywords)):
            path = path_of(argument)
            old = self.eval(argument) if path else None
            if path and old is not None and self.scope.env is not None and _is_open(old):
                self.scope.env[path] = v.op("after", old, (value,))

    def _assign(self, node: ast.Assign) -> None:
        value = self.eval(node.value)
        for target in node.targets:
            self.bind(target, value)
        note_decision(self, node)

    def _annotated(self, node: ast.AnnAssign) -> None:
        path = path_of(node.target)
        if self.scope.owner and path and path.startswith("self."):
            self.scope.declared[path.removeprefix("self.")] = self.annotation(node.annotation)
        if node.value is not None:
            value, kind = self.eval(node.value), self.annotation(node.annotation)
            known = isinstance(v.bare(value), (v.Const, v.Seq, v.Map, v.Text)) or isinstance(kind, v.Unknown)
            self.bind(node.target, value if known else v.op("typed", value, (kind,)))

    def _augmented(self, node: ast.AugAssign) -> None:
        old, added = self.eval(node.target), self.eval(node.value)
        if isinstance(old, v.Named) and not isinstance(old.value, v.Seq):
            old = old.value
        if v.size(old) + v.size(added) >= v.MAX_TABLE:
            added = self._by_name(added)
        self.bind(node.target, self.binary(node.op, old, added, node))

    def _return(self, node: ast.Return) -> None:
        value = self.eval(node.value)
        if node.value is not None:
            given: v.Given = ()
            for condition in self.scope.conditions:
                given += condition.tests()
            self.scope.returns.append((value, given))
            note_exit(self, RETURN, value, node)
            note_decision(self, node)
        self.scope.ends(RETURN)
        self.leave()
        self.scope.env = None

    def _raise(self, node: ast.Raise) -> None:
        kept = len(self.scope.texts)
        note_exit(self, RAISE, self.eval(node.exc), node)
        del self.scope.texts[kept:]
        self.scope.ends(RAISE)
        self.scope.env = None

    def _if(self, node: ast.If) -> None:
        condition = self.eval(node.test)
        before = self.scope.env
        outer, arms = self.scope.flow, []
        ends: list[dict[str, Value] | None] = []
        asked = Condition(node.test, before)
        for body, truth in ((node.body, True), (node.orelse, False)):
            known = isinstance(condition, v.Const) and isinstance(condition.value, bool) and not self.scope.is_module
            if known and condition.value is not truth:  # type: ignore[union-attr]
                continue  # a branch that is never taken; in module code it still defines what others import
            self.scope.env = dict(before) if before is not None else None
            self.assume(node.test, truth=truth)
            self.scope.flow = []
            self.scope.conditions.append(asked.being(truth))
            self.run(body)
            self.scope.conditions.pop()
            arms.append(self.scope.arm())
            ends.append(self.scope.env)
        given = asked.either() if len(arms) == 2 else ()
        self.scope.compound(outer, "branch", arms, self._asked(node.test, before), given=given)
        self.scope.env = join(ends, given)
        if len(ends) == 2 and (ends[0] is None) != (ends[1] is None):
            self.scope.conditions.append(asked.being(ends[1] is None))  # holds to the end of the block

    def _asked(self, test: ast.expr, before: dict[str, Value] | None) -> tuple[Value, ...]:
        """What a condition compares with which constant, if it is as simple as that: `status == "paid"`, `not commit`.

        Whether something is true or false is asked with a boolean.
        """
        negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
        name = test.operand if isinstance(test, ast.UnaryOp) and negated else test
        if isinstance(name, ast.Name) and before is not None and isinstance(before.get(name.id), (v.Param, v.Named)):
            return before[name.id], v.Const(not negated)
        if isinstance(name, ast.Call):
            asks = isinstance(name.func, ast.Attribute) and path_of(name.func.value) == self.scope.mapping
            if isinstance(name.func, ast.Attribute) and name.func.attr in LOOKING | COUNTING:
                return self._before(name, before), v.Const(not negated)
            flag = self._before(name, dict(before or {})) if asks and self.scope.mapping else None
            return (flag, v.Const(not negated)) if isinstance(flag, v.Param) else ()
        if not (isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], (ast.Eq, ast.Is))):
            return ()
        left, right = self._before(test.left, before), self._before(test.comparators[0], before)
        if isinstance(left, v.Choice):  # after a comparison before: the constant, or what it was
            left = next((option for option in left.options if isinstance(option, v.Param)), left)
        fixed = isinstance(right, v.Const) or is_constant_name(right)
        return (left, right) if fixed and not isinstance(left, v.Const) else ()

    def _before(self, node: ast.expr, env: dict[str, Value] | None) -> Value:
        """The value of an expression as the variables were."""
        after, self.scope.env = self.scope.env, env
        self.scope.silent += 1
        value = self.eval(node)
        self.scope.silent -= 1
        self.scope.env = after
        return value

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        scope = self.scope
        iterated = self.eval(node.test if isinstance(node, ast.While) else node.iter)
        scope.loop_exits.append([])
        passes = 2 if self.depth < MAX_LOOP_DEPTH and _carries_over(node.body) else 1
        self.depth += 1
        before = scope.env
        outer = scope.flow
        entry = before
        if passes == 1 and before is not None:
            # What the body changes is not known when it begins again.
            changed = {
                n.id for s in node.body for n in inside(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            }
            entry = {k: v.choice([x, v.UNKNOWN]) if k in changed else x for k, x in before.items()}
        for number in range(passes):
            scope.env = dict(entry) if entry is not None else None
            first_pass = passes == 2 and number == 0
            scope.silent += first_pass
            scope.flow = []
            kept = (len(scope.returns), len(scope.yields), len(scope.exits))
            if isinstance(node, ast.While):
                self.assume(node.test, truth=True)
            else:
                self.bind(node.target, self._each(iterated))
            self.run(node.body)
            scope.silent -= first_pass
            if first_pass:
                del scope.returns[kept[0] :], scope.yields[kept[1] :], scope.exits[kept[2] :]
            entry = join([before, scope.env])
        self.depth -= 1
        ends = [before, scope.env, *scope.loop_exits.pop()]
        if isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and node.test.value:
            ends = ends[2:]
        scope.env = join(ends)
        arms = [scope.arm()]
        if node.orelse:
            self.run(node.orelse)
            arms.append(scope.arm())
        scope.compound(outer, "while" if isinstance(node, ast.While) else "loop", arms)

    def _leave_loop(self, node: ast.Break | ast.Continue) -> None:
        if self.scope.loop_exits and self.scope.env is not None:
            self.scope.loop_exits[-1].append(self.scope.env)
        self.scope.ends(BREAK if isinstance(node, ast.Break) else CONTINUE)
        self.scope.env = None

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        entered: list[Value] = []
        for entry in node.items:
            entered.append(self.eval(entry.context_expr))
            if entry.optional_vars is not None:
                self.bind(entry.optional_vars, v.op("enter", entered[-1]))
        outer, self.scope.flow = self.scope.flow, []
        self.run(node.body)
        self.scope.compound(outer, "with", [self.scope.arm()], tuple(entered))

    def _try(self, node: Any) -> None:
        before = self.scope.env
        outer, self.scope.flow = self.scope.flow, []
        self.run(node.body)
        arms = [self.scope.arm()]
        after_body = self.scope.env
        # An exception may come anywhere in the body: the handlers see what held before it or after it.
        handler_start = join([before, after_body])
        if node.orelse:
            self.run(node.orelse)
        arms.append(self.scope.arm())
        ends = [self.scope.env]
        handled: list[tuple[int | Flow, ...]] = []
        caught: list[Value] = []
        for handler in node.handlers:
            self.scope.env = dict(handler_start) if handler_start is not None else None
            caught.append(self.eval(handler.type))
            if handler.name:
                self.scope.bind(handler.name, v.Unknown(("exception",)))
            self.scope.conditions.append(Condition.caught(caught[-1]))
            self.run(handler.body)
            self.scope.conditions.pop()
            handled.append(self.scope.arm())
            ends.append(self.scope.env)
        self.scope.env = join(ends)
        if node.finalbody:
            ended = self.scope.env is None
            if ended:
                self.scope.env = handler_start
            self.run(node.finalbody)
            if ended:
                self.scope.env = None
        arms += [self.scope.arm(), *handled]
        spans = tuple(_handler_span(self.scope, handler) for handler in node.handlers)
        self.scope.compound(outer, "try", arms, tuple(caught), spans)

    def _match(self, node: ast.Match) -> None:
        subject = self.eval(node.subject)
        before = self.scope.env
        outer, arms = self.scope.flow, []
        ends: list[dict[str, Value] | None] = []
        exhaustive = False
        constant = v.bare(subject)
        for case in node.cases:
            if isinstance(constant, v.Const) and isinstance(case.pattern, (ast.MatchValue, ast.MatchOr)):
                options = case.pattern.patterns if isinstance(case.pattern, ast.MatchOr) else [case.pattern]
                tested = [self.eval(o.value) if isinstance(o, ast.MatchValue) else v.UNKNOWN for o in options]
                if all(isinstance(one, v.Const) and one != constant for one in tested):
                    continue
                exhaustive |= case.guard is None and constant in tested
            self.scope.env = dict(before) if before is not None else None
            self.scope.flow = []
            self._pattern(case.pattern, subject, node.subject)
            if case.guard is not None:
                self.eval(case.guard)
                self.assume(case.guard, truth=True)
            exhaustive |= case.guard is None and _catches_all(case.pattern)
            self.run(case.body)
            arms.append(self.scope.arm())
            ends.append(self.scope.env)
            if exhaustive:
                break
        self.scope.compound(outer, "branch", arms if exhaustive else [(), *arms])
        self.scope.env = join(ends if exhaustive else [before, *ends])

    def _pattern(self, pattern: ast.pattern, subject: Value, node: ast.expr | None) -> None:
        scope = self.scope
        path = path_of(node) if node is not None else None
        if isinstance(pattern, ast.MatchValue):
            value = self.eval(pattern.value)
            if path and scope.env is not None:
                scope.env[path] = value if isinstance(value, v.Const) else v.mark(subject, "allowed")
        elif isinstance(pattern, ast.MatchAs):
            if pattern.pattern is not None:
                self._pattern(pattern.pattern, subject, node)
            if pattern.name:
                known = scope.env.get(path) if path and scope.env else None
                scope.bind(pattern.name, known if pattern.pattern is not None and known is not None else subject)
        elif isinstance(pattern, ast.MatchOr):
            if path and scope.env is not None and all(isinstance(p, ast.MatchValue) for p in pattern.patterns):
                scope.env[path] = v.mark(subject, "allowed")
        elif isinstance(pattern, ast.MatchSequence):
            for index, inner in enumerate(pattern.patterns):
                self._pattern(inner, v.item(subject, v.Const(index)), None)
        elif isinstance(pattern, ast.MatchMapping):
            for key, inner in zip(pattern.keys, pattern.patterns, strict=True):
                self._pattern(inner, v.item(subject, self.eval(key)), None)
            if pattern.rest:
                scope.bind(pattern.rest, subject)
        elif isinstance(pattern, ast.MatchClass):
            is_number = isinstance(pattern.cls, ast.Name) and pattern.cls.id in {"int", "float", "bool"}
            if is_number and path and scope.env is not None:
                scope.env[path] = v.mark(subject, "number")
            for inner in pattern.patterns:
                self._pattern(inner, v.NUMBER if is_number else subject, None)
            for name, inner in zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True):
                self._pattern(inner, v.attr(subject, name), None)
        elif isinstance(pattern, ast.MatchStar) and pattern.name:
            scope.bind(pattern.name, v.op("each", subject))

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.asname:
                self._bind_import(alias.asname, alias.name)
            else:
                top = alias.name.partition(".")[0]
                self._bind_import(top, top)

    def _import_from(self, node: ast.ImportFrom) -> None:
        base = "." * node.level + (node.module or "")
        joint = "" if base.endswith(".") or not base else "."
        for alias in node.names:
            if alias.name == "*":
                self.scope.module.stars.append(base)
            else:
                self._bind_import(alias.asname or alias.name, f"{base}{joint}{alias.name}")

    def _bind_import(self, name: str, target: str) -> None:
        if self.scope.is_module:
            self.scope.module.imports.setdefault(name, target)
        elif self.scope.env is not None:
            self.scope.env[name] = v.Ref(target)

    def _global(self, node: ast.Global) -> None:
        self.scope.globals.update(node.names)

    def _assert(self, node: ast.Assert) -> None:
        self.eval(node.test)
        self.assume(node.test, truth=True)

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self.delete(target)

    def _function(self, node: FunctionNode) -> None:
        self.define(node, own_name(node), node.args, node.body, decorators=node.decorator_list)

    def define_lambda(self, node: ast.Lambda) -> Value:
        """See `Expressions.define_lambda`."""
        name = f"<lambda>{node.lineno}:{node.col_offset}"
        body = ast.Return(value=node.body)
        ast.copy_location(body, node)
        if self.scope.statement[0]:
            body.lineno, body.end_lineno = (
                self.scope.statement
            )  # a comment counts on any line of the statement around it
        return self.define(node, name, node.args, [body], decorators=[])

    def _type_alias(self, node: Any) -> None:
        self.bind(node.name, v.UNKNOWN)

    _statements: ClassVar[dict[type[ast.stmt], Callable[[Any, Any], None]]] = {
        ast.Expr: _expression,
        ast.Assign: _assign,
        ast.AnnAssign: _annotated,
        ast.AugAssign: _augmented,
        ast.Return: _return,
        ast.Raise: _raise,
        ast.If: _if,
        ast.For: _loop,
        ast.AsyncFor: _loop,
        ast.While: _loop,
        ast.Break: _leave_loop,
        ast.Continue: _leave_loop,
        ast.With: _with,
        ast.AsyncWith: _with,
        ast.Try: _try,
        ast.Match: _match,
        ast.Import: _import,
        ast.ImportFrom: _import_from,
        ast.Global: _global,
        ast.Assert: _assert,
        ast.Delete: _delete,
        ast.FunctionDef: _function,
        ast.AsyncFunctionDef: _function,
        ast.ClassDef: Definitions.define_class,
    }
    if hasattr(ast, "TryStar"):
        _statements[ast.TryStar] = _try
    if hasattr(ast, "TypeAlias"):
        _statements[ast.TypeAlias] = _type_alias


def module_scope(lines: list[str]) -> Scope:
    """A fresh scope for module code."""
    return Scope(Module(lines), "<module>")


def _handler_span(scope: Scope, handler: ast.ExceptHandler) -> Span:
    line, end = handler.lineno, handler.type or handler
    last = end.end_lineno or line if handler.type is not None else line
    column = scope.module.column(line, handler.col_offset)
    end_column = (
        scope.module.column(last, end.end_col_offset or 0) if handler.type is not None else column + len("except")
    )
    return Span(line, column, last, end_column, line, last)


def _lines(statement: ast.stmt) -> tuple[int, int]:
    """The lines of a simple statement, or of the header of a compound one."""
    first = statement.lineno
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and statement.decorator_list:
        first = min(d.lineno for d in statement.decorator_list)
    body = getattr(statement, "body", None) or getattr(statement, "cases", None)
    if isinstance(statement, ast.Match):
        return first, statement.subject.end_lineno or first
    if body and isinstance(body, list):
        return first, max(statement.lineno, body[0].lineno - 1) if body[
            0
        ].lineno > statement.lineno else statement.lineno
    return first, statement.end_lineno or first


def _carries_over(body: list[ast.stmt]) -> bool:
    """Whether one round of a loop may leave something to the next: it changes a variable or a container."""
    return any(isinstance(node, (ast.AugAssign, ast.Assign)) for statement in body for node in inside(statement))


def _catches_all(pattern: ast.pattern) -> bool:
    return isinstance(pattern, ast.MatchAs) and pattern.pattern is None


def _is_open(value: Value) -> bool:
    """Whether a check could tell something about the value: it is not a constant or a definition."""
    return not isinstance(v.bare(value), (v.Const, v.Ref, v.Seq, v.Map))
