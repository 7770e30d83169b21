"""LibCST expressions as `ast` expressions, one function per LibCST node."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import libcst as cst

from prodready.read.cst_source import Source, identifier
from prodready.read.cst_strings import string

LOAD, STORE, DELETE = ast.Load(), ast.Store(), ast.Del()

_NAMED_CONSTANTS = {"None": None, "True": True, "False": False}

BINARY_OPERATORS: dict[type[cst.CSTNode], tuple[str, type[ast.operator]]] = {
    cst.Add: ("+", ast.Add),
    cst.Subtract: ("-", ast.Sub),
    cst.Multiply: ("*", ast.Mult),
    cst.Divide: ("/", ast.Div),
    cst.FloorDivide: ("//", ast.FloorDiv),
    cst.Modulo: ("%", ast.Mod),
    cst.Power: ("**", ast.Pow),
    cst.LeftShift: ("<<", ast.LShift),
    cst.RightShift: (">>", ast.RShift),
    cst.BitOr: ("|", ast.BitOr),
    cst.BitAnd: ("&", ast.BitAnd),
    cst.BitXor: ("^", ast.BitXor),
    cst.MatrixMultiply: ("@", ast.MatMult),
}
_UNARY_OPERATORS: dict[type[cst.CSTNode], tuple[str, type[ast.unaryop]]] = {
    cst.Plus: ("+", ast.UAdd),
    cst.Minus: ("-", ast.USub),
    cst.BitInvert: ("~", ast.Invert),
    cst.Not: ("not", ast.Not),
}
_COMPARISONS: dict[type[cst.CSTNode], tuple[tuple[str, ...], type[ast.cmpop]]] = {
    cst.LessThan: (("<",), ast.Lt),
    cst.GreaterThan: ((">",), ast.Gt),
    cst.Equal: (("==",), ast.Eq),
    cst.LessThanEqual: (("<=",), ast.LtE),
    cst.GreaterThanEqual: ((">=",), ast.GtE),
    cst.NotEqual: (("!=",), ast.NotEq),
    cst.In: (("in",), ast.In),
    cst.NotIn: (("not", "in"), ast.NotIn),
    cst.Is: (("is",), ast.Is),
    cst.IsNot: (("is", "not"), ast.IsNot),
}


def expression(src: Source, node: cst.BaseExpression, ctx: ast.expr_context = LOAD) -> ast.expr:
    """Convert an expression; `ctx` reaches the names, attributes and subscripts that a target stores to.

    Raises SyntaxError for a node that Python has not, and BadLiteralError for a literal that it refuses.
    """
    kind = type(node)
    converter = _CONVERTERS.get(kind)
    if converter is None:
        raise SyntaxError(f"{kind.__name__} is not supported")
    if not node.lpar:
        return converter(src, node, ctx)
    opened = [src.take("(") for _ in node.lpar]
    converted = converter(src, node, ctx)
    closed = [src.take(")") for _ in node.rpar]
    if kind is cst.Tuple or kind is cst.GeneratorExp:
        # They own the innermost pair.
        vars(converted).update(src.span(opened[-1], closed[0] + 1))
    return converted


def optional(src: Source, node: cst.BaseExpression | None, before: str = "") -> ast.expr | None:
    """Convert an expression that may be absent, as is then the token before it."""
    if node is None:
        return None
    if before:
        src.take(before)
    return expression(src, node)


def name(src: Source, node: cst.Name) -> str:
    """A name that is no expression."""
    src.take(node.value)
    return identifier(node)


# ---------------------------------------------------------------- atoms


def _name(src: Source, node: cst.Name, ctx: ast.expr_context) -> ast.expr:
    start = src.take(node.value)
    if node.value in _NAMED_CONSTANTS:
        return ast.Constant(_NAMED_CONSTANTS[node.value], **src.since(start))
    return ast.Name(identifier(node), ctx, **src.since(start))


def _ellipsis(src: Source, _: cst.Ellipsis, __: ast.expr_context) -> ast.expr:
    start = src.take("...")
    return ast.Constant(..., **src.since(start))


def _integer(src: Source, node: cst.Integer, _: ast.expr_context) -> ast.expr:
    start = src.take(node.value)
    try:
        value = int(node.value, 0)
    except ValueError as error:
        # More digits than the interpreter converts.
        raise src.refuse(start, error) from None
    return ast.Constant(value, **src.since(start))


def _float(src: Source, node: cst.Float | cst.Imaginary, _: ast.expr_context) -> ast.expr:
    start = src.take(node.value)
    value = complex(0, float(node.value[:-1])) if isinstance(node, cst.Imaginary) else float(node.value)
    return ast.Constant(value, **src.since(start))


def _string(src: Source, node: cst.BaseString, _: ast.expr_context) -> ast.expr:
    return string(src, node, expression)


# ---------------------------------------------------------------- operators


def _binary(src: Source, node: cst.BinaryOperation, _: ast.expr_context) -> ast.expr:
    start = src.begin()
    token, make = BINARY_OPERATORS[type(node.operator)]
    left = expression(src, node.left)
    src.take(token)
    right = expression(src, node.right)
    return ast.BinOp(left, make(), right, **src.since(start))


def _unary(src: Source, node: cst.UnaryOperation, _: ast.expr_context) -> ast.expr:
    token, make = _UNARY_OPERATORS[type(node.operator)]
    start = src.take(token)
    operand = expression(src, node.expression)
    return ast.UnaryOp(make(), operand, **src.since(start))


def _boolean(src: Source, node: cst.BooleanOperation, _: ast.expr_context) -> ast.expr:
    start = src.begin()
    is_and = isinstance(node.operator, cst.And)
    values: list[ast.expr] = []
    for operand in _operands(node):
        if values:
            src.take("and" if is_and else "or")
        values.append(expression(src, operand))
    return ast.BoolOp(ast.And() if is_and else ast.Or(), values, **src.since(start))


def _operands(node: cst.BooleanOperation) -> Iterator[cst.BaseExpression]:
    """The operands of `a and b and c`: LibCST nests by twos what `ast` has in one list."""
    waiting: list[cst.BaseExpression] = [node]
    while waiting:
        operand = waiting.pop()
        same = isinstance(operand, cst.BooleanOperation) and type(operand.operator) is type(node.operator)
        if operand is node or (same and not operand.lpar):
            assert isinstance(operand, cst.BooleanOperation)
            waiting += (operand.right, operand.left)
        else:
            yield operand


def _comparison(src: Source, node: cst.Comparison, _: ast.expr_context) -> ast.expr:
    start = src.begin()
    left = expression(src, node.left)
    operators: list[ast.cmpop] = []
    comparators = []
    for part in node.comparisons:
        tokens, make = _COMPARISONS[type(part.operator)]
        for token in (part.operator.value,) if isinstance(part.operator, cst.NotEqual) else tokens:
            src.take(token)
        operators.append(make())
        comparators.append(expression(src, part.comparator))
    return ast.Compare(left, operators, comparators, **src.since(start))


def _conditional(src: Source, node: cst.IfExp, _: ast.expr_context) -> ast.expr:
    start = src.begin()
    body = expression(src, node.body)
    src.take("if")
    test = expression(src, node.test)
    src.take("else")
    orelse = expression(src, node.orelse)
    return ast.IfExp(test, body, orelse, **src.since(start))


def _walrus(src: Source, node: cst.NamedExpr, _: ast.expr_context) -> ast.expr:
    start = src.begin()
    target = expression(src, node.target, STORE)
    assert isinstance(target, ast.Name)
    src.take(":=")
    value = expression(src, node.value)
    return ast.NamedExpr(target, value, **src.since(start))


# ---------------------------------------------------------------- attributes, subscripts, calls


def _attribute(src: Source, node: cst.Attribute, ctx: ast.expr_context) -> ast.expr:
    start = src.begin()
    value = expression(src, node.value)
    src.take(".")
    attribute = name(src, node.attr)
    return ast.Attribute(value, attribute, ctx, **src.since(start))


def _subscript(src: Source, node: cst.Subscript, ctx: ast.expr_context) -> ast.expr:
    start = src.begin()
    value = expression(src, node.value)
    src.take("[")
    index = _index(src, node.slice)
    src.take("]")
    return ast.Subscript(value, index, ctx, **src.since(start))


def _index(src: Source, elements: Sequence[cst.SubscriptElement]) -> ast.expr:
    start = src.begin()
    converted = []
    for element in elements:
        converted.append(_index_element(src, element.slice))
        src.take_if(element.comma, ",")
    trailing = isinstance(elements[-1].comma, cst.Comma)
    if len(converted) == 1 and not trailing and not isinstance(converted[0], ast.Starred):
        return converted[0]
    return ast.Tuple(converted, LOAD, **src.since(start))


def _index_element(src: Source, part: cst.BaseSlice) -> ast.expr:
    start = src.begin()
    if isinstance(part, cst.Slice):
        lower = optional(src, part.lower)
        src.take(":")
        upper = optional(src, part.upper)
        src.take_if(part.second_colon, ":")
        step = optional(src, part.step)
        return ast.Slice(lower, upper, step, **src.since(start))
    assert isinstance(part, cst.Index)
    if not part.star:
        return expression(src, part.value)
    src.take("*")
    value = expression(src, part.value)
    return ast.Starred(value, LOAD, **src.since(start))


def _call(src: Source, node: cst.Call, _: ast.expr_context) -> ast.expr:
    start = src.begin()
    function = expression(src, node.func)
    opened = src.take("(")
    positional, keywords = arguments(src, node.args)
    src.take(")")
    if len(node.args) == 1 and isinstance(positional[0] if positional else None, ast.GeneratorExp):
        if not node.args[0].value.lpar:
            # The call's own parentheses are the generator's as well.
            vars(positional[0]).update(src.since(opened))
    return ast.Call(function, positional, keywords, **src.since(start))


def arguments(src: Source, args: Iterable[cst.Arg]) -> tuple[list[ast.expr], list[ast.keyword]]:
    """The positional and the keyword arguments of a call, or the bases and keywords of a class."""
    positional: list[ast.expr] = []
    keywords: list[ast.keyword] = []
    for arg in args:
        if arg.star == "*":
            start = src.take("*")
            value = expression(src, arg.value)
            positional.append(ast.Starred(value, LOAD, **src.since(start)))
        elif arg.star:
            start = src.take("**")
            value = expression(src, arg.value)
            keywords.append(ast.keyword(None, value, **src.since(start)))
        elif arg.keyword is not None:
            start = src.begin()
            keyword = name(src, arg.keyword)
            src.take("=")
            value = expression(src, arg.value)
            keywords.append(ast.keyword(keyword, value, **src.since(start)))
        else:
            positional.append(expression(src, arg.value))
        src.take_if(arg.comma, ",")
    return positional, keywords


# ---------------------------------------------------------------- lambda, await, yield


def _lambda(src: Source, node: cst.Lambda, _: ast.expr_context) -> ast.expr:
    start = src.take("lambda")
    params = parameters(src, node.params)
    src.take(":")
    body = expression(src, node.body)
    return ast.Lambda(params, body, **src.since(start))


def parameters(src: Source, params: cst.Parameters) -> ast.arguments:
    """The parameters of a function or a lambda."""
    positional_only = [_parameter(src, param) for param in params.posonly_params]
    if isinstance(params.posonly_ind, cst.ParamSlash):
        src.take("/")
        src.take_if(params.posonly_ind.comma, ",")
    plain = [_parameter(src, param) for param in params.params]
    rest = None
    if isinstance(params.star_arg, cst.ParamStar):
        src.take("*")
        src.take(",")
    elif isinstance(params.star_arg, cst.Param):
        rest, _ = _parameter(src, params.star_arg, "*")
    by_name = [_parameter(src, param) for param in params.kwonly_params]
    return ast.arguments(
        posonlyargs=[arg for arg, _ in positional_only],
        args=[arg for arg, _ in plain],
        vararg=rest,
        kwonlyargs=[arg for arg, _ in by_name],
        kw_defaults=[default for _, default in by_name],
        kwarg=None if params.star_kwarg is None else _parameter(src, params.star_kwarg, "**")[0],
        defaults=[default for _, default in positional_only + plain if default is not None],
    )


def _parameter(src: Source, param: cst.Param, star: str = "") -> tuple[ast.arg, ast.expr | None]:
    """A parameter and its default."""
    if star:
        src.take(star)
    start = src.begin()
    identifier = name(src, param.name)
    annotation = None if param.annotation is None else optional(src, param.annotation.annotation, ":")
    made = ast.arg(identifier, annotation, **src.since(start))
    default = optional(src, param.default, "=")
    src.take_if(param.comma, ",")
    return made, default


def _await(src: Source, node: cst.Await, _: ast.expr_context) -> ast.expr:
    start = src.take("await")
    value = expression(src, node.expression)
    return ast.Await(value, **src.since(start))


def _yield(src: Source, node: cst.Yield, _: ast.expr_context) -> ast.expr:
    start = src.take("yield")
    if isinstance(node.value, cst.From):
        src.take("from")
        value = expression(src, node.value.item)
        return ast.YieldFrom(value, **src.since(start))
    given = optional(src, node.value)
    return ast.Yield(given, **src.since(start))


# ---------------------------------------------------------------- displays


def elements(src: Source, nodes: Iterable[cst.BaseElement], ctx: ast.expr_context) -> list[ast.expr]:
    """What stands between commas."""
    found = []
    for node in nodes:
        found.append(expression(src, node if isinstance(node, cst.StarredElement) else node.value, ctx))
        src.take_if(node.comma, ",")
    return found


def _starred(src: Source, node: cst.StarredElement, ctx: ast.expr_context) -> ast.expr:
    start = src.take("*")
    value = expression(src, node.value, ctx)
    return ast.Starred(value, ctx, **src.since(start))


def _tuple(src: Source, node: cst.Tuple, ctx: ast.expr_context) -> ast.expr:
    start = src.begin()
    found = elements(src, node.elements, ctx)
    return ast.Tuple(found, ctx, **src.since(start))


def _list(src: Source, node: cst.List, ctx: ast.expr_context) -> ast.expr:
    start = src.take("[")
    found = elements(src, node.elements, ctx)
    src.take("]")
    return ast.List(found, ctx, **src.since(start))


def _set(src: Source, node: cst.Set, _: ast.expr_context) -> ast.expr:
    start = src.take("{")
    found = elements(src, node.elements, LOAD)
    src.take("}")
    return ast.Set(found, **src.since(start))


def _dict(src: Source, node: cst.Dict, _: ast.expr_context) -> ast.expr:
    start = src.take("{")
    keys: list[ast.expr | None] = []
    values: list[ast.expr] = []
    for item in node.elements:
        if isinstance(item, cst.DictElement):
            keys.append(expression(src, item.key))
            src.take(":")
        else:
            keys.append(None)
            src.take("**")
        values.append(expression(src, item.value))
        src.take_if(item.comma, ",")
    src.take("}")
    return ast.Dict(keys, values, **src.since(start))


# ---------------------------------------------------------------- comprehensions


def _generators(src: Source, node: cst.CompFor) -> list[ast.comprehension]:
    generators = []
    inner: cst.CompFor | None = node
    while inner is not None:
        src.take_if(inner.asynchronous, "async")
        src.take("for")
        target = expression(src, inner.target, STORE)
        src.take("in")
        iterable = expression(src, inner.iter)
        conditions = []
        for condition in inner.ifs:
            src.take("if")
            conditions.append(expression(src, condition.test))
        generators.append(ast.comprehension(target, iterable, conditions, int(inner.asynchronous is not None)))
        inner = inner.inner_for_in
    return generators


def _generator(src: Source, node: cst.GeneratorExp, _: ast.expr_context) -> ast.expr:
    start = src.begin()
    element, generators = expression(src, node.elt), _generators(src, node.for_in)
    return ast.GeneratorExp(element, generators, **src.since(start))


def _list_comprehension(src: Source, node: cst.ListComp, _: ast.expr_context) -> ast.expr:
    start = src.take("[")
    element, generators = expression(src, node.elt), _generators(src, node.for_in)
    src.take("]")
    return ast.ListComp(element, generators, **src.since(start))


def _set_comprehension(src: Source, node: cst.SetComp, _: ast.expr_context) -> ast.expr:
    start = src.take("{")
    element, generators = expression(src, node.elt), _generators(src, node.for_in)
    src.take("}")
    return ast.SetComp(element, generators, **src.since(start))


def _dict_comprehension(src: Source, node: cst.DictComp, _: ast.expr_context) -> ast.expr:
    start = src.take("{")
    key = expression(src, node.key)
    src.take(":")
    value, generators = expression(src, node.value), _generators(src, node.for_in)
    src.take("}")
    return ast.DictComp(key, value, generators, **src.since(start))


def _merging_comprehension(src: Source, node: cst.StarredDictComp, _: ast.expr_context) -> ast.expr:
    """`{**each for each in many}` (Python 3.15) as `{**[each for each in many]}`, which no older `ast` lacks."""
    start = src.take("{")
    src.take("**")
    value, generators = expression(src, node.value), _generators(src, node.for_in)
    src.take("}")
    merged = ast.ListComp(value, generators, **src.since(start))
    return ast.Dict([None], [merged], **src.since(start))


_CONVERTERS: dict[type[cst.CSTNode], Callable[[Source, Any, ast.expr_context], ast.expr]] = {
    cst.Name: _name,
    cst.Ellipsis: _ellipsis,
    cst.Integer: _integer,
    cst.Float: _float,
    cst.Imaginary: _float,
    cst.SimpleString: _string,
    cst.FormattedString: _string,
    cst.TemplatedString: _string,
    cst.ConcatenatedString: _string,
    cst.BinaryOperation: _binary,
    cst.UnaryOperation: _unary,
    cst.BooleanOperation: _boolean,
    cst.Comparison: _comparison,
    cst.IfExp: _conditional,
    cst.NamedExpr: _walrus,
    cst.Attribute: _attribute,
    cst.Subscript: _subscript,
    cst.Call: _call,
    cst.Lambda: _lambda,
    cst.Await: _await,
    cst.Yield: _yield,
    cst.StarredElement: _starred,
    cst.Tuple: _tuple,
    cst.List: _list,
    cst.Set: _set,
    cst.Dict: _dict,
    cst.GeneratorExp: _generator,
    cst.ListComp: _list_comprehension,
    cst.SetComp: _set_comprehension,
    cst.DictComp: _dict_comprehension,
    cst.StarredDictComp: _merging_comprehension,
}
