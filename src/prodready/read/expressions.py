"""Expressions to values: the half of the interpreter that computes, and notes the calls on the way."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, ClassVar

from prodready.read import values as v
from prodready.read.containers import Containers
from prodready.read.exits import NEVER_RETURN, Condition, note_exit
from prodready.read.facts import RAISE, YIELD, BuiltText, CallFact, Span, last_name
from prodready.read.fold import compare, fold
from prodready.read.handed import handed
from prodready.read.inside import inside
from prodready.read.narrow import narrow
from prodready.read.scope import path_of
from prodready.read.sql import starts_like_sql
from prodready.read.values import Value

KNOWN = (v.Const, v.Seq, v.Map, v.Unknown)
"""Values of which a comparison with them tells nothing that a rule would want to know."""


class Expressions(Containers):
    """Evaluates expressions in `scope`. Subclassed by the statements, which define functions and bind names."""

    def eval(self, node: ast.expr | None) -> Value:
        """The value of an expression; calls in it are recorded in order."""
        if node is None:
            return v.Const(None)
        handler = self._handlers.get(type(node))
        return handler(self, node) if handler else self._other(node)

    def bind(self, target: ast.expr, value: Value) -> None:
        """Assign `value` to a target: a name, an attribute, a subscript or a pattern of them."""
        scope = self.scope
        if isinstance(target, ast.Name):
            column = scope.module.column(target.lineno, target.col_offset)
            scope.bind(target.id, v.named(target.id, value, target.lineno, column))
        elif isinstance(target, (ast.Tuple, ast.List)):
            for index, element in enumerate(target.elts):
                if isinstance(element, ast.Starred):
                    self.bind(element.value, v.op("each", value))
                else:
                    self.bind(element, v.item(value, v.Const(index)))
        elif isinstance(target, ast.Attribute):
            self._bind_attribute(target, value)
        elif isinstance(target, ast.Subscript):
            if not isinstance(target.slice, ast.Slice) and (
                not isinstance(value, v.Const) or _is_setting(target.slice)
            ):
                args = (self.eval(target.value), self.eval(target.slice), value)
                self.amounts_to("operator.setitem", args, target)
            self._bind_item(target, value)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value)

    def _bind_attribute(self, target: ast.Attribute, value: Value) -> None:
        scope = self.scope
        column = scope.module.column(target.lineno, target.col_offset)
        self.amounts_to("setattr", (self.eval(target.value), v.Const(target.attr), value), target)
        stored = v.named(target.attr, value, target.lineno, column)
        path = path_of(target)
        if path is None or scope.env is None:
            self.eval(target.value)
            return
        scope.bind(path, stored)
        if path == f"self.{target.attr}" and scope.owner:
            scope.own.setdefault(target.attr, []).append((scope.qualname, stored))

    def _other(self, node: ast.expr) -> Value:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.eval(child)
        return v.Unknown(("template",)) if type(node).__name__ in {"TemplateStr", "TemplateText"} else v.UNKNOWN

    def _constant(self, node: ast.Constant) -> Value:
        value = node.value
        if isinstance(value, str):
            text = value[: v.LONGEST_CONSTANT]
            # A lone surrogate can stand in a literal, but not in UTF-8.
            return v.Const(text if text.isascii() else text.encode("utf-8", "replace").decode())
        if isinstance(value, bytes):
            return v.Const(value[: v.LONGEST_CONSTANT].decode("latin-1"))
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
            return v.NUMBER
        return v.Const(value) if value is None or isinstance(value, (int, float, bool)) else v.NUMBER

    def _name(self, node: ast.Name) -> Value:
        return self.scope.lookup(node.id)

    def _attribute(self, node: ast.Attribute) -> Value:
        path = path_of(node)
        if path and self.scope.env and path in self.scope.env:
            return self.scope.env[path]
        return v.attr(self.eval(node.value), node.attr)

    def _subscript(self, node: ast.Subscript) -> Value:
        path = path_of(node)
        if path and self.scope.env and path in self.scope.env:
            return self.scope.env[path]
        base = self.eval(node.value)
        if isinstance(node.slice, ast.Slice):
            lower, upper = self.eval(node.slice.lower), self.eval(node.slice.upper)
            return v.op("slice", base, (lower, upper))
        return v.item(base, self.eval(node.slice))

    def _joined(self, node: ast.JoinedStr) -> Value:
        parts: list[Value] = []
        for piece in node.values:
            if isinstance(piece, ast.FormattedValue):
                value = self.eval(piece.value)
                if piece.format_spec is not None:
                    spec = self.eval(piece.format_spec)
                    if isinstance(spec, v.Const) and str(spec.value)[-1:] in tuple("dfeEgGbxXno%c"):
                        value = v.NUMBER
                parts.append(value)
            else:
                parts.append(self.eval(piece))
        column = self.scope.module.column(node.lineno, node.col_offset)
        return self._built(v.text(parts, "f-string", node.lineno, column), node)

    def _binary(self, node: ast.BinOp) -> Value:
        left, right = self.eval(node.left), self.eval(node.right)
        if v.size(left) + v.size(right) >= v.MAX_TABLE and isinstance(node.op, ast.Add):
            if isinstance(v.bare(left), v.Seq) and isinstance(v.bare(right), v.Seq):
                return v.seq([v.op("star", self._by_name(one)) for one in (left, right)], limit=self._limit)
        return self.binary(node.op, left, right, node)

    def binary(self, operator: ast.operator, left: Value, right: Value, node: ast.expr | ast.stmt) -> Value:
        """`left operator right`; also the value of an augmented assignment."""
        line, column = node.lineno, self.scope.module.column(node.lineno, node.col_offset)
        a, b = v.bare(left), v.bare(right)
        if isinstance(operator, ast.Add):
            if isinstance(a, v.Seq) or isinstance(b, v.Seq):
                items = [*(a.items if isinstance(a, v.Seq) else (v.op("star", left),))]
                items += [*(b.items if isinstance(b, v.Seq) else (v.op("star", right),))]
                is_open = any(isinstance(x, v.Seq) and x.open for x in (a, b))
                return v.seq(items, is_open=is_open, limit=self._limit)
            if _is_number(a) or _is_number(b):  # nothing but a number can be added to one
                return fold(operator, a, b)
            return self._built(v.text([left, right], "+", line, column), node)
        if isinstance(operator, ast.Mod):
            if _is_number(a):
                return fold(operator, a, b)
            return self._built(v.op("%", left, (right,), line=line, column=column), node)
        if isinstance(operator, ast.Mult):
            for one in (a, b):
                if isinstance(one, v.Seq):
                    return v.seq(list(one.items), is_open=True)
                if isinstance(one, v.Const) and isinstance(one.value, str):
                    return v.op("repeat", one)
            if _is_number(a) or _is_number(b):
                return fold(operator, a, b)
            return v.op("repeat", left, (right,))
        if isinstance(operator, ast.BitOr) and (isinstance(a, v.Map) or isinstance(b, v.Map)):
            entries: list[tuple[Value | None, Value]] = []
            for value, inner in ((left, a), (right, b)):
                entries += inner.items if isinstance(inner, v.Map) else ((None, value),)
            return v.mapping(entries)
        if isinstance(operator, ast.Sub) and not (_is_number(a) or _is_number(b)):
            return v.op("difference", left, (right,))
        if isinstance(operator, ast.BitOr):
            return v.choice([left, right])
        if isinstance(operator, ast.BitAnd) and not (_is_number(a) or _is_number(b)):
            return v.op("intersection", left, (right,))
        if isinstance(operator, ast.Div):
            return v.call(v.Ref("operator.truediv"), (left, right), (), line, column)
        return fold(operator, a, b)

    def _built(self, value: Value, node: ast.expr | ast.stmt) -> Value:
        """Note text with holes that begins like SQL, so that it is judged even where nothing runs it."""
        if not self.scope.silent and self.scope.env is not None and starts_like_sql(value):
            end_line, end_offset = node.end_lineno or node.lineno, node.end_col_offset or 0
            column = self.scope.module.column
            span = (node.lineno, column(node.lineno, node.col_offset), end_line, column(end_line, end_offset))
            facts = BuiltText(value, _span(span, self.scope.statement))
            texts = self.scope.texts
            # The outer text is met after the inner ones it is made of, and replaces them.
            while texts and _inside(texts[-1], facts):
                texts.pop()
            grown = next((i for i, text in enumerate(texts) if _grows_from(value, text.value)), None)
            if grown is None:
                texts.append(facts)
            else:  # one statement, told by where it began
                texts[grown] = BuiltText(value, texts[grown].span)
        return value

    def _unary(self, node: ast.UnaryOp) -> Value:
        value = self.eval(node.operand)
        if isinstance(node.op, ast.Not):
            if isinstance(value, v.Const) and isinstance(value.value, bool):
                return v.Const(not value.value)
            return v.op("test", value)
        if isinstance(value, v.Const) and isinstance(value.value, (int, float)) and isinstance(node.op, ast.USub):
            return v.Const(-value.value)
        return v.NUMBER

    def _bool(self, node: ast.BoolOp) -> Value:
        options: list[Value] = []
        before = self.scope.env
        self.scope.env = dict(before) if before is not None else None
        is_and = isinstance(node.op, ast.And)
        for index, operand in enumerate(node.values):
            value = self.eval(operand)
            last = index == len(node.values) - 1
            if last and isinstance(value, v.Call) and last_name(value) in NEVER_RETURN:  # `user or abort(401)`
                test = ast.BoolOp(node.op, node.values[:-1])
                self.scope.conditions.append(Condition(test, before).being(is_and))
                note_exit(self, RAISE, value, operand)
                self.scope.conditions.pop()
            if last or not is_and:
                options.append(value)
            if not last:
                self.assume(operand, truth=is_and)
        if before is not None and self.scope.env is not None:
            # What an operand shows holds for those after it only; what it binds stays.
            for inner in (n for operand in node.values for n in inside(operand) if isinstance(n, ast.NamedExpr)):
                name = inner.target.id
                before = {**before, name: self.scope.env.get(name, v.UNKNOWN)}
            self.scope.env = before
        return v.choice(options)

    def _compare(self, node: ast.Compare) -> Value:
        kept = len(self.scope.texts)
        left = self.eval(node.left)
        rights = [self.eval(right) for right in node.comparators]
        del self.scope.texts[kept:]  # text that is only compared is run by nobody
        if len(rights) == 1 and isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
            if not (isinstance(left, KNOWN) or isinstance(rights[0], KNOWN)):
                self.amounts_to("operator.eq", (left, rights[0]), node)
        known = compare(node.ops[0], v.bare(left), v.bare(rights[0])) if len(rights) == 1 else None
        if known is not None:
            return v.Const(known)
        if len(node.ops) == 1 and isinstance(node.ops[0], ast.In):
            return v.op("in", left, (rights[0],))
        return v.op("test", left, tuple(rights))

    def _conditional(self, node: ast.IfExp) -> Value:
        condition = self.eval(node.test)
        before = self.scope.env
        outer, arms = self.scope.flow, []
        after: list[Value] = []
        if isinstance(condition, v.Const) and isinstance(condition.value, bool):
            return self.eval(node.body if condition.value else node.orelse)
        for branch, truth in ((node.body, True), (node.orelse, False)):
            self.scope.env = dict(before) if before is not None else None
            self.assume(node.test, truth=truth)
            self.scope.flow = []
            after.append(self.eval(branch))
            arms.append(self.scope.arm())
        given = Condition(node.test, before).either()
        self.scope.compound(outer, "branch", arms, given=given)
        self.scope.env = before
        if _is_filter(node.test):
            # `"***" if name in SENSITIVE else value`, `mask(value) if is_private(name) else value`
            replaced = (v.Const, v.Call) if isinstance(node.test, ast.Call) else (v.Const,)
            if any(isinstance(option, replaced) for option in after):
                after = [o if isinstance(o, replaced) else v.mark(o, "filtered") for o in after]
        return v.choice(after, given)

    def assume(self, test: ast.expr, *, truth: bool) -> None:
        """Narrow the environment by a condition that has turned out `truth`."""
        if self.scope.env is not None:
            self.scope.silent += 1
            narrow(self, test, truth=truth)
            self.scope.silent -= 1

    def _sequence(self, node: ast.List | ast.Tuple | ast.Set) -> Value:
        items = [self.eval(element) for element in node.elts]
        if sum(map(v.size, items)) >= v.MAX_TABLE:
            items = [self._by_name(item) for item in items]
        return v.seq(items, limit=self._limit)

    def _dict(self, node: ast.Dict) -> Value:
        items: list[tuple[Value | None, Value]] = []
        for key, value in zip(node.keys, node.values, strict=True):
            inner = self.eval(value)
            unpacked = v.bare(inner)
            if key is None and isinstance(unpacked, v.Map):
                items += unpacked.items
            else:
                items.append((self.eval(key) if key is not None else None, inner))
        return v.mapping(items, limit=self._limit)

    def _starred(self, node: ast.Starred) -> Value:
        return v.op("star", self.eval(node.value))

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
        before = self.scope.env
        self.scope.env = dict(before) if before is not None else None
        filtered = any(_is_filter(condition) for generator in node.generators for condition in generator.ifs)
        outer = self.scope.flow
        for number, generator in enumerate(node.generators):
            iterated = self.eval(generator.iter)
            if number == 0:
                self.scope.flow = []
            self.bind(generator.target, self._each(iterated))
            for condition in generator.ifs:
                self.eval(condition)
                self.assume(condition, truth=True)
        result: Value
        if isinstance(node, ast.DictComp):
            result = v.mapping([(self.eval(node.key), self.eval(node.value))])
        else:
            result = v.seq([self.eval(node.elt)], is_open=True)
        self.scope.compound(outer, "loop", [self.scope.arm()])
        self.scope.env = before
        return v.mark(result, "filtered") if filtered else result

    def _walrus(self, node: ast.NamedExpr) -> Value:
        value = self.eval(node.value)
        self.bind(node.target, value)
        return self.scope.lookup(node.target.id)

    def _await(self, node: ast.Await) -> Value:
        return self.eval(node.value)

    def _yield(self, node: ast.Yield) -> Value:
        self.scope.yields.append(self.eval(node.value))
        self.scope.ends(YIELD)
        return v.UNKNOWN

    def _yield_from(self, node: ast.YieldFrom) -> Value:
        self.scope.yields.append(v.op("each", self.eval(node.value)))
        return v.UNKNOWN

    def _lambda(self, node: ast.Lambda) -> Value:
        return self.define_lambda(node)

    def define_lambda(self, node: ast.Lambda) -> Value:
        """A lambda as a function of its own; the statements know how."""
        raise NotImplementedError

    def _call(self, node: ast.Call) -> Value:
        function = node.func
        line, column = node.lineno, self.scope.module.column(node.lineno, node.col_offset)
        if isinstance(function, ast.Name) and function.id == "super" and len(node.args) in (0, 2):
            return v.op("super", v.Param("self"))
        target = self.eval(function)
        args = tuple(self.eval(argument) for argument in node.args)
        keywords = tuple((keyword.arg or "**", self.eval(keyword.value)) for keyword in node.keywords)
        if isinstance(function, ast.Attribute):
            result = self._text_method(function, target, args, keywords, node)
            if result is not None:
                return result
            self._mutate(function, args, keywords)
        value = self._called(target, args, keywords, line, column)
        if not self.scope.silent and self.scope.env is not None and isinstance(value, v.Call):
            name = last_name(target) or (target.name if isinstance(target, v.Named) else "")
            if name:  # of `for check in checks: check(user)` the variable's, as there is no other
                self._happens(name, value, node)
                later = handed(name, args, keywords)
                if isinstance(later, v.Call) and (called := last_name(later.target)):
                    self._happens(called, later, node)
        return self._made(target, args, keywords) or value

    def _happens(self, name: str, value: v.Call, node: ast.expr) -> None:
        """Note a call."""
        scope = self.scope
        scope.flow.append(len(scope.calls))
        scope.calls.append(CallFact(name, value, scope.span(node)))

    def amounts_to(self, name: str, args: tuple[Value, ...], node: ast.expr) -> None:
        """Note what is no call in the source as the call of `name` that it amounts to."""
        if self.scope.silent or self.scope.env is None:
            return
        value = v.call(v.Ref(name), args, (), node.lineno, self.scope.module.column(node.lineno, node.col_offset))
        if isinstance(value, v.Call):
            self._happens(name.rpartition(".")[2], value, node)

    def _text_method(
        self,
        function: ast.Attribute,
        target: Value,
        args: tuple[Value, ...],
        keywords: tuple[tuple[str, Value], ...],
        node: ast.Call,
    ) -> Value | None:
        """The methods of `str` that build text, which the engine understands itself."""
        if not isinstance(target, v.Attr):
            return None
        base, name = target.base, function.attr
        line, column = node.lineno, self.scope.module.column(node.lineno, node.col_offset)
        if name == "format":
            return self._built(v.op("format", base, args, keywords, line=line, column=column), node)
        if name == "format_map" and len(args) == 1:
            return self._built(v.op("format_map", base, args, line=line, column=column), node)
        if name == "join" and len(args) == 1 and not keywords and not isinstance(v.bare(base), v.Ref):
            return v.op("join", base, args, line=line, column=column)
        if name == "join" and len(args) == 1 and isinstance(base, v.Ref) and base.name.startswith(":"):
            return v.op("join", base, args, line=line, column=column)
        if name == "replace" and len(args) in (2, 3) and not keywords:
            return self._built(v.op("replace", base, args[:2], line=line, column=column), node)
        if name in {"substitute", "safe_substitute"}:
            template = v.bare(base)
            if isinstance(template, v.Call) and template.args and v.dotted(template.target) == "string.Template":
                base = template.args[0]
            return self._built(v.op("substitute", base, args, keywords, line=line, column=column), node)
        if name in {"pop", "__delitem__"} and args:
            self._without(function.value, args[0])
        return self._flag(function.value, args) if name in {"pop", "get"} and len(args) == 2 else None

    _handlers: ClassVar[dict[type[ast.expr], Callable[[Any, Any], Value]]] = {
        ast.Constant: _constant,
        ast.Name: _name,
        ast.Attribute: _attribute,
        ast.Subscript: _subscript,
        ast.JoinedStr: _joined,
        ast.BinOp: _binary,
        ast.UnaryOp: _unary,
        ast.BoolOp: _bool,
        ast.Compare: _compare,
        ast.IfExp: _conditional,
        ast.List: _sequence,
        ast.Tuple: _sequence,
        ast.Set: _sequence,
        ast.Dict: _dict,
        ast.Starred: _starred,
        ast.ListComp: _comprehension,
        ast.SetComp: _comprehension,
        ast.GeneratorExp: _comprehension,
        ast.DictComp: _comprehension,
        ast.NamedExpr: _walrus,
        ast.Await: _await,
        ast.Yield: _yield,
        ast.YieldFrom: _yield_from,
        ast.Lambda: _lambda,
        ast.Call: _call,
    }


def _is_setting(key: ast.expr) -> bool:
    """Whether a key is written like the name of a setting: `config["MAX_SIZE"]`."""
    return isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value.isupper()


def _is_filter(test: ast.expr) -> bool:
    """Whether a condition picks by name: `key not in SENSITIVE`, `not is_sensitive(key)`, `key != "password"`."""
    if isinstance(test, ast.UnaryOp):
        return _is_filter(test.operand)
    if isinstance(test, ast.BoolOp):
        return any(map(_is_filter, test.values))
    if isinstance(test, ast.Compare):
        return isinstance(test.ops[0], (ast.In, ast.NotIn)) or (
            isinstance(test.ops[0], (ast.NotEq, ast.Eq)) and isinstance(test.comparators[0], ast.Constant)
        )
    return isinstance(test, ast.Call) and not (
        isinstance(test.func, ast.Name) and test.func.id in {"isinstance", "len"}
    )


def _is_number(value: Value) -> bool:
    if isinstance(value, v.Const):
        return isinstance(value.value, (int, float))
    return isinstance(value, v.Unknown) and "number" in value.labels


def _span(place: tuple[int, int, int, int], statement: tuple[int, int]) -> Span:
    return Span(*place, *(statement if statement[0] else (place[0], place[2])))


def _grows_from(value: Value, earlier: Value) -> bool:
    """Whether text was made by adding to an earlier one: it holds the very same values."""
    value = v.bare(value)
    if value is earlier:
        return True
    if isinstance(value, v.Op):
        return _grows_from(value.subject, earlier)
    if isinstance(value, v.Choice):
        return any(_grows_from(option, earlier) for option in value.options)
    if not isinstance(value, v.Text):
        return False
    if _grows_from(value.parts[0], earlier):
        return True
    inner = earlier.parts if isinstance(earlier, v.Text) else (earlier,)
    if len(inner) < 2 or value.parts == inner:  # the same text twice is two statements
        return False
    starts = range(len(value.parts) - len(inner) + 1)
    return any(_continues(value.parts[start : start + len(inner)], inner) for start in starts)


def _continues(parts: tuple[Value, ...], earlier: tuple[Value, ...]) -> bool:
    """Whether these parts of a text are the earlier ones, with more before the first and behind the last."""
    for index, (part, old) in enumerate(zip(parts, earlier, strict=True)):
        if part is old:
            continue
        if not (isinstance(part, v.Const) and isinstance(old, v.Const)):
            return False
        text, known = str(part.value), str(old.value)
        at_end = index == len(earlier) - 1
        if not (text.endswith(known) if index == 0 else text.startswith(known) if at_end else text == known):
            return False
    return True


def _inside(inner: BuiltText, outer: BuiltText) -> bool:
    a, b = inner.span, outer.span
    return (b.line, b.column) <= (a.line, a.column) and (a.end_line, a.end_column) <= (b.end_line, b.end_column)
