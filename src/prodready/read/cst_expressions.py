"""LibCST expressions as `ast` expressions, one function per LibCST node."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import libcst as cst

from prodready.read.cst_source import Source, identifier, span
from prodready.read.cst_strings import string

LOAD, STORE, DELETE = ast.Load(), ast.Store(), ast.Del()

_NAMED_CONSTANTS = {"None": None, "True": True, "False": False}

BINARY_OPERATORS: dict[type[cst.CSTNode], type[ast.operator]] = {
    cst.Add: ast.Add,
    cst.Subtract: ast.Sub,
    cst.Multiply: ast.Mult,
    cst.Divide: ast.Div,
    cst.FloorDivide: ast.FloorDiv,
    cst.Modulo: ast.Mod,
    cst.Power: ast.Pow,
    cst.LeftShift: ast.LShift,
    cst.RightShift: ast.RShift,
    cst.BitOr: ast.BitOr,
    cst.BitAnd: ast.BitAnd,
    cst.BitXor: ast.BitXor,
    cst.MatrixMultiply: ast.MatMult,
}
_UNARY_OPERATORS: dict[type[cst.CSTNode], type[ast.unaryop]] = {
    cst.Plus: ast.UAdd,
    cst.Minus: ast.USub,
    cst.BitInvert: ast.Invert,
    cst.Not: ast.Not,
}
_COMPARISONS: dict[type[cst.CSTNode], type[ast.cmpop]] = {
    cst.LessThan: ast.Lt,
    cst.GreaterThan: ast.Gt,
    cst.Equal: ast.Eq,
    cst.LessThanEqual: ast.LtE,
    cst.GreaterThanEqual: ast.GtE,
    cst.NotEqual: ast.NotEq,
    cst.In: ast.In,
    cst.NotIn: ast.NotIn,
    cst.Is: ast.Is,
    cst.IsNot: ast.IsNot,
}


def expression(src: Source, node: cst.BaseExpression, ctx: ast.expr_context = LOAD) -> ast.expr:
    """Convert an expression; `ctx` reaches the names, attributes and subscripts that a target stores to.

    Raises SyntaxError for a node that Python has not, and BadLiteralError for a literal that it refuses.
    """
    converter = _CONVERTERS.get(type(node))
    if converter is None:
        raise SyntaxError(f"{type(node).__name__} is not supported")
    return converter(src, node, ctx)


def optional(src: Source, node: cst.BaseExpression | None) -> ast.expr | None:
    """Convert an expression that may be absent."""
    return None if node is None else expression(src, node)


# ---------------------------------------------------------------- atoms


def _name(src: Source, node: cst.Name, ctx: ast.expr_context) -> ast.expr:
    if node.value in _NAMED_CONSTANTS:
        return ast.Constant(_NAMED_CONSTANTS[node.value], **src.at(node))
    return ast.Name(identifier(node), ctx, **src.at(node))


def _ellipsis(src: Source, node: cst.Ellipsis, _: ast.expr_context) -> ast.expr:
    return ast.Constant(..., **src.at(node))


def _integer(src: Source, node: cst.Integer, _: ast.expr_context) -> ast.expr:
    try:
        value = int(node.value, 0)
    except ValueError as error:
        # More digits than the interpreter converts.
        raise src.refuse(node, error) from None
    return ast.Constant(value, **src.at(node))


def _float(src: Source, node: cst.Float, _: ast.expr_context) -> ast.expr:
    return ast.Constant(float(node.value), **src.at(node))


def _imaginary(src: Source, node: cst.Imaginary, _: ast.expr_context) -> ast.expr:
    return ast.Constant(complex(0, float(node.value[:-1])), **src.at(node))


def _string(src: Source, node: cst.BaseString, _: ast.expr_context) -> ast.expr:
    return string(src, node, expression)


# ---------------------------------------------------------------- operators


def _binary(src: Source, node: cst.BinaryOperation, _: ast.expr_context) -> ast.expr:
    operator = BINARY_OPERATORS[type(node.operator)]()
    return ast.BinOp(expression(src, node.left), operator, expression(src, node.right), **src.at(node))


def _unary(src: Source, node: cst.UnaryOperation, _: ast.expr_context) -> ast.expr:
    return ast.UnaryOp(_UNARY_OPERATORS[type(node.operator)](), expression(src, node.expression), **src.at(node))


def _boolean(src: Source, node: cst.BooleanOperation, _: ast.expr_context) -> ast.expr:
    operator = ast.And() if isinstance(node.operator, cst.And) else ast.Or()
    return ast.BoolOp(operator, [expression(src, operand) for operand in _operands(node)], **src.at(node))


def _operands(node: cst.BooleanOperation) -> list[cst.BaseExpression]:
    """The operands of `a and b and c`: LibCST nests by twos what `ast` has in one list."""
    found: list[cst.BaseExpression] = []
    waiting: list[cst.BaseExpression] = [node]
    while waiting:
        operand = waiting.pop()
        same = isinstance(operand, cst.BooleanOperation) and type(operand.operator) is type(node.operator)
        if operand is node or (same and not operand.lpar):
            assert isinstance(operand, cst.BooleanOperation)
            waiting += (operand.right, operand.left)
        else:
            found.append(operand)
    return found


def _comparison(src: Source, node: cst.Comparison, _: ast.expr_context) -> ast.expr:
    return ast.Compare(
        expression(src, node.left),
        [_COMPARISONS[type(part.operator)]() for part in node.comparisons],
        [expression(src, part.comparator) for part in node.comparisons],
        **src.at(node),
    )


def _conditional(src: Source, node: cst.IfExp, _: ast.expr_context) -> ast.expr:
    test, body, orelse = expression(src, node.test), expression(src, node.body), expression(src, node.orelse)
    return ast.IfExp(test, body, orelse, **src.at(node))


def _walrus(src: Source, node: cst.NamedExpr, _: ast.expr_context) -> ast.expr:
    target = expression(src, node.target, STORE)
    assert isinstance(target, ast.Name)
    return ast.NamedExpr(target, expression(src, node.value), **src.at(node))


# ---------------------------------------------------------------- attributes, subscripts, calls


def _attribute(src: Source, node: cst.Attribute, ctx: ast.expr_context) -> ast.expr:
    return ast.Attribute(expression(src, node.value), identifier(node.attr), ctx, **src.at(node))


def _subscript(src: Source, node: cst.Subscript, ctx: ast.expr_context) -> ast.expr:
    return ast.Subscript(expression(src, node.value), _index(src, node.slice), ctx, **src.at(node))


def _index(src: Source, elements: Sequence[cst.SubscriptElement]) -> ast.expr:
    converted = [_index_element(src, element) for element in elements]
    last = elements[-1]
    trailing = isinstance(last.comma, cst.Comma)
    if len(converted) == 1 and not trailing and not isinstance(converted[0], ast.Starred):
        return converted[0]
    end = src.end(last.comma if isinstance(last.comma, cst.Comma) else last)
    return ast.Tuple(converted, LOAD, **span(src.start(elements[0]), end))


def _index_element(src: Source, element: cst.SubscriptElement) -> ast.expr:
    part = element.slice
    if isinstance(part, cst.Slice):
        lower, upper, step = (optional(src, bound) for bound in (part.lower, part.upper, part.step))
        return ast.Slice(lower, upper, step, **src.at(part))
    assert isinstance(part, cst.Index)
    value = expression(src, part.value)
    return ast.Starred(value, LOAD, **src.at(part)) if part.star else value


def _call(src: Source, node: cst.Call, _: ast.expr_context) -> ast.expr:
    function = expression(src, node.func)
    if len(node.args) == 1 and _is_bare_generator(node.args[0]):
        only = node.args[0].value
        assert isinstance(only, cst.GeneratorExp)
        position = span(src.before_first_argument(node), src.end(node))
        generator = ast.GeneratorExp(expression(src, only.elt), _generators(src, only.for_in), **position)
        return ast.Call(function, [generator], [], **src.at(node))
    positional, keywords = arguments(src, node.args)
    return ast.Call(function, positional, keywords, **src.at(node))


def _is_bare_generator(argument: cst.Arg) -> bool:
    """Whether the call's own parentheses are the generator's: `ast` then gives them to both."""
    return isinstance(argument.value, cst.GeneratorExp) and not argument.value.lpar


def arguments(src: Source, args: Iterable[cst.Arg]) -> tuple[list[ast.expr], list[ast.keyword]]:
    """The positional and the keyword arguments of a call, or the bases and keywords of a class."""
    positional: list[ast.expr] = []
    keywords: list[ast.keyword] = []
    for arg in args:
        value = expression(src, arg.value)
        if arg.star == "*":
            positional.append(ast.Starred(value, LOAD, **src.at(arg)))
        elif arg.star or arg.keyword is not None:
            name = None if arg.keyword is None else identifier(arg.keyword)
            keywords.append(ast.keyword(name, value, **src.at(arg)))
        else:
            positional.append(value)
    return positional, keywords


# ---------------------------------------------------------------- lambda, await, yield


def _lambda(src: Source, node: cst.Lambda, _: ast.expr_context) -> ast.expr:
    return ast.Lambda(parameters(src, node.params), expression(src, node.body), **src.at(node))


def parameters(src: Source, params: cst.Parameters) -> ast.arguments:
    """The parameters of a function or a lambda."""
    by_position = [*params.posonly_params, *params.params]
    return ast.arguments(
        posonlyargs=[_parameter(src, param) for param in params.posonly_params],
        args=[_parameter(src, param) for param in params.params],
        vararg=_parameter(src, params.star_arg) if isinstance(params.star_arg, cst.Param) else None,
        kwonlyargs=[_parameter(src, param) for param in params.kwonly_params],
        kw_defaults=[optional(src, param.default) for param in params.kwonly_params],
        kwarg=None if params.star_kwarg is None else _parameter(src, params.star_kwarg),
        defaults=[expression(src, param.default) for param in by_position if param.default is not None],
    )


def _parameter(src: Source, param: cst.Param) -> ast.arg:
    if param.annotation is None:
        return ast.arg(identifier(param.name), None, **src.at(param.name))
    annotation = expression(src, param.annotation.annotation)
    return ast.arg(identifier(param.name), annotation, **span(src.start(param.name), src.end(param.annotation)))


def _await(src: Source, node: cst.Await, _: ast.expr_context) -> ast.expr:
    return ast.Await(expression(src, node.expression), **src.at(node))


def _yield(src: Source, node: cst.Yield, _: ast.expr_context) -> ast.expr:
    if isinstance(node.value, cst.From):
        return ast.YieldFrom(expression(src, node.value.item), **src.at(node))
    return ast.Yield(optional(src, node.value), **src.at(node))


# ---------------------------------------------------------------- displays


def _elements(src: Source, elements: Iterable[cst.BaseElement], ctx: ast.expr_context) -> list[ast.expr]:
    return [
        _starred(src, element, ctx) if isinstance(element, cst.StarredElement) else expression(src, element.value, ctx)
        for element in elements
    ]


def _starred(src: Source, node: cst.StarredElement, ctx: ast.expr_context) -> ast.expr:
    return ast.Starred(expression(src, node.value, ctx), ctx, **src.at(node))


def _tuple(src: Source, node: cst.Tuple, ctx: ast.expr_context) -> ast.expr:
    position = src.inside_parentheses(node)
    return ast.Tuple(_elements(src, node.elements, ctx), ctx, **position)


def _list(src: Source, node: cst.List, ctx: ast.expr_context) -> ast.expr:
    return ast.List(_elements(src, node.elements, ctx), ctx, **src.at(node))


def _set(src: Source, node: cst.Set, _: ast.expr_context) -> ast.expr:
    return ast.Set(_elements(src, node.elements, LOAD), **src.at(node))


def _dict(src: Source, node: cst.Dict, _: ast.expr_context) -> ast.expr:
    keys = [expression(src, item.key) if isinstance(item, cst.DictElement) else None for item in node.elements]
    return ast.Dict(keys, [expression(src, item.value) for item in node.elements], **src.at(node))


# ---------------------------------------------------------------- comprehensions


def _generators(src: Source, node: cst.CompFor) -> list[ast.comprehension]:
    generators = []
    inner: cst.CompFor | None = node
    while inner is not None:
        target, iterable = expression(src, inner.target, STORE), expression(src, inner.iter)
        conditions = [expression(src, condition.test) for condition in inner.ifs]
        generators.append(ast.comprehension(target, iterable, conditions, int(inner.asynchronous is not None)))
        inner = inner.inner_for_in
    return generators


def _generator(src: Source, node: cst.GeneratorExp, _: ast.expr_context) -> ast.expr:
    position = src.inside_parentheses(node)
    return ast.GeneratorExp(expression(src, node.elt), _generators(src, node.for_in), **position)


def _list_comprehension(src: Source, node: cst.ListComp, _: ast.expr_context) -> ast.expr:
    return ast.ListComp(expression(src, node.elt), _generators(src, node.for_in), **src.at(node))


def _set_comprehension(src: Source, node: cst.SetComp, _: ast.expr_context) -> ast.expr:
    return ast.SetComp(expression(src, node.elt), _generators(src, node.for_in), **src.at(node))


def _dict_comprehension(src: Source, node: cst.DictComp, _: ast.expr_context) -> ast.expr:
    key, value = expression(src, node.key), expression(src, node.value)
    return ast.DictComp(key, value, _generators(src, node.for_in), **src.at(node))


def _merging_comprehension(src: Source, node: cst.StarredDictComp, _: ast.expr_context) -> ast.expr:
    """`{**each for each in many}` (Python 3.15) as `{**[each for each in many]}`, which no older `ast` lacks."""
    merged = ast.ListComp(expression(src, node.value), _generators(src, node.for_in), **src.at(node))
    return ast.Dict([None], [merged], **src.at(node))


_CONVERTERS: dict[type[cst.CSTNode], Callable[[Source, Any, ast.expr_context], ast.expr]] = {
    cst.Name: _name,
    cst.Ellipsis: _ellipsis,
    cst.Integer: _integer,
    cst.Float: _float,
    cst.Imaginary: _imaginary,
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
