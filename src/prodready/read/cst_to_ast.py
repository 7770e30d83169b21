"""A LibCST tree as the tree that `ast.parse` gives: the same nodes, with the same positions.

For files whose syntax is newer than the interpreter that runs prodready. What its `ast` has no node for becomes the
nearest that it has: `type X = T` an assignment, `except*` a plain `except`, a t-string a `TemplateText`, a lazy import
an import; type parameters are dropped. Positions inside f-strings are those of Python 3.12 and later, also on older
interpreters, whose own are the whole string's.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable
from typing import Any

import libcst as cst

from prodready.read.cst_expressions import (
    BINARY_OPERATORS,
    DELETE,
    LOAD,
    STORE,
    arguments,
    elements,
    expression,
    name,
    optional,
    parameters,
)
from prodready.read.cst_patterns import pattern
from prodready.read.cst_source import Source, Span, identifier
from prodready.read.cst_strings import TemplateText

__all__ = ["TemplateText", "convert"]

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Clause = cst.Else | cst.Finally


def convert(module: cst.Module, text: str) -> ast.Module:
    """Convert a module fresh from LibCST's parser, with the text that was parsed.

    Raises BadLiteralError for escapes and numbers that Python refuses, SyntaxError for what else LibCST lets pass, and
    RecursionError for a tree deeper than half of the recursion limit.
    """
    return ast.Module(_statements(Source(text), module.body), [])


def _statements(src: Source, nodes: Iterable[cst.CSTNode]) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for node in nodes:
        if isinstance(node, cst.SimpleStatementLine):
            found += _statements(src, node.body)
        else:
            found.append(_statement(src, node))
            if isinstance(node, cst.BaseSmallStatement):
                src.take_if(node.semicolon, ";")
    return found


def _statement(src: Source, node: cst.CSTNode) -> ast.stmt:
    converter = _CONVERTERS.get(type(node))
    if converter is None:
        raise SyntaxError(f"{type(node).__name__} is not supported")
    return converter(src, node)


def _block(src: Source, body: cst.BaseSuite) -> list[ast.stmt]:
    """The colon and the statements after it. A semicolon is part of the block that it ends, though of no statement."""
    src.take(":")
    return _statements(src, body.body)


def _clause(src: Source, node: _Clause | None, keyword: str) -> list[ast.stmt]:
    """The statements of a clause; none if it is absent."""
    if node is None:
        return []
    src.take(keyword)
    return _block(src, node.body)


# ---------------------------------------------------------------- simple statements


def _expr(src: Source, node: cst.Expr) -> ast.stmt:
    start = src.begin()
    value = expression(src, node.value)
    return ast.Expr(value, **src.since(start))


def _pass(src: Source, _: cst.Pass) -> ast.stmt:
    start = src.take("pass")
    return ast.Pass(**src.since(start))


def _break(src: Source, _: cst.Break) -> ast.stmt:
    start = src.take("break")
    return ast.Break(**src.since(start))


def _continue(src: Source, _: cst.Continue) -> ast.stmt:
    start = src.take("continue")
    return ast.Continue(**src.since(start))


def _return(src: Source, node: cst.Return) -> ast.stmt:
    start = src.take("return")
    value = optional(src, node.value)
    return ast.Return(value, **src.since(start))


def _delete(src: Source, node: cst.Del) -> ast.stmt:
    start = src.take("del")
    if isinstance(node.target, cst.Tuple) and not node.target.lpar:
        targets = elements(src, node.target.elements, DELETE)
    else:
        targets = [expression(src, node.target, DELETE)]
    return ast.Delete(targets, **src.since(start))


def _raise(src: Source, node: cst.Raise) -> ast.stmt:
    start = src.take("raise")
    raised = optional(src, node.exc)
    cause = None if node.cause is None else optional(src, node.cause.item, "from")
    return ast.Raise(raised, cause, **src.since(start))


def _assert(src: Source, node: cst.Assert) -> ast.stmt:
    start = src.take("assert")
    test = expression(src, node.test)
    message = optional(src, node.msg, ",")
    return ast.Assert(test, message, **src.since(start))


def _global(src: Source, node: cst.Global) -> ast.stmt:
    start = src.take("global")
    names = _names(src, node.names)
    return ast.Global(names, **src.since(start))


def _nonlocal(src: Source, node: cst.Nonlocal) -> ast.stmt:
    start = src.take("nonlocal")
    names = _names(src, node.names)
    return ast.Nonlocal(names, **src.since(start))


def _names(src: Source, items: Iterable[cst.NameItem]) -> list[str]:
    found = []
    for item in items:
        found.append(name(src, item.name))
        src.take_if(item.comma, ",")
    return found


# ---------------------------------------------------------------- assignments

_AUGMENTED: dict[type[cst.CSTNode], tuple[str, type[ast.operator]]] = {
    getattr(cst, f"{plain.__name__}Assign"): (f"{token}=", operator)
    for plain, (token, operator) in BINARY_OPERATORS.items()
}


def _assign(src: Source, node: cst.Assign) -> ast.stmt:
    start = src.begin()
    targets = []
    for target in node.targets:
        targets.append(expression(src, target.target, STORE))
        src.take("=")
    value = expression(src, node.value)
    return ast.Assign(targets, value, None, **src.since(start))


def _annotated_assign(src: Source, node: cst.AnnAssign) -> ast.stmt:
    start = src.begin()
    target = expression(src, node.target, STORE)
    assert isinstance(target, (ast.Name, ast.Attribute, ast.Subscript))
    src.take(":")
    annotation = expression(src, node.annotation.annotation)
    value = optional(src, node.value, "=")
    is_simple = isinstance(node.target, cst.Name) and not node.target.lpar
    return ast.AnnAssign(target, annotation, value, int(is_simple), **src.since(start))


def _augmented_assign(src: Source, node: cst.AugAssign) -> ast.stmt:
    start = src.begin()
    target = expression(src, node.target, STORE)
    assert isinstance(target, (ast.Name, ast.Attribute, ast.Subscript))
    token, make = _AUGMENTED[type(node.operator)]
    src.take(token)
    value = expression(src, node.value)
    return ast.AugAssign(target, make(), value, **src.since(start))


# ---------------------------------------------------------------- imports


def _import(src: Source, node: cst.Import | cst.LazyImport) -> ast.stmt:
    start = src.begin()
    if isinstance(node, cst.LazyImport):
        src.take("lazy")
    src.take("import")
    names = [_alias(src, alias) for alias in node.names]
    return ast.Import(names, **src.since(start))


def _import_from(src: Source, node: cst.ImportFrom | cst.LazyImportFrom) -> ast.stmt:
    start = src.begin()
    if isinstance(node, cst.LazyImportFrom):
        src.take("lazy")
    src.take("from")
    for _ in node.relative:
        src.take(".")
    module = None if node.module is None else _dotted(src, node.module)
    src.take("import")
    src.take_if(node.lpar, "(")
    if isinstance(node.names, cst.ImportStar):
        star = src.take("*")
        names = [ast.alias("*", None, **src.since(star))]
    else:
        names = [_alias(src, alias) for alias in node.names]
    src.take_if(node.rpar, ")")
    return ast.ImportFrom(module, names, len(node.relative), **src.since(start))


def _alias(src: Source, node: cst.ImportAlias) -> ast.alias:
    start = src.begin()
    dotted, bound = _dotted(src, node.name), _bound_name(src, node.asname)
    made = ast.alias(dotted, bound, **src.since(start))
    src.take_if(node.comma, ",")
    return made


def _dotted(src: Source, node: cst.BaseExpression) -> str:
    names: list[cst.Name] = []
    while isinstance(node, cst.Attribute):
        names.append(node.attr)
        node = node.value
    assert isinstance(node, cst.Name)
    src.take(node.value)
    for part in reversed(names):
        src.take(".")
        src.take(part.value)
    return ".".join(map(identifier, (node, *reversed(names))))


def _bound_name(src: Source, node: cst.AsName | None) -> str | None:
    if node is None:
        return None
    assert isinstance(node.name, cst.Name)
    src.take("as")
    return name(src, node.name)


# ---------------------------------------------------------------- compound statements


def _if(src: Source, node: cst.If, keyword: str = "if") -> ast.stmt:
    start = src.take(keyword)
    test, body = expression(src, node.test), _block(src, node.body)
    orelse = [_if(src, node.orelse, "elif")] if isinstance(node.orelse, cst.If) else _clause(src, node.orelse, "else")
    return ast.If(test, body, orelse, **src.since(start))


def _while(src: Source, node: cst.While) -> ast.stmt:
    start = src.take("while")
    test, body, orelse = expression(src, node.test), _block(src, node.body), _clause(src, node.orelse, "else")
    return ast.While(test, body, orelse, **src.since(start))


def _for(src: Source, node: cst.For) -> ast.stmt:
    start = src.begin()
    src.take_if(node.asynchronous, "async")
    src.take("for")
    target = expression(src, node.target, STORE)
    src.take("in")
    iterable, body = expression(src, node.iter), _block(src, node.body)
    orelse = _clause(src, node.orelse, "else")
    make = ast.For if node.asynchronous is None else ast.AsyncFor
    return make(target, iterable, body, orelse, None, **src.since(start))


def _with(src: Source, node: cst.With) -> ast.stmt:
    start = src.begin()
    src.take_if(node.asynchronous, "async")
    src.take("with")
    src.take_if(node.lpar, "(")
    items = [_with_item(src, item) for item in node.items]
    src.take_if(node.rpar, ")")
    body = _block(src, node.body)
    make = ast.With if node.asynchronous is None else ast.AsyncWith
    return make(items, body, None, **src.since(start))


def _with_item(src: Source, node: cst.WithItem) -> ast.withitem:
    entered, target = expression(src, node.item), None
    if node.asname is not None:
        src.take("as")
        target = expression(src, node.asname.name, STORE)
    src.take_if(node.comma, ",")
    return ast.withitem(entered, target)


def _try(src: Source, node: cst.Try | cst.TryStar, make: Callable[..., ast.stmt] = ast.Try) -> ast.stmt:
    start = src.take("try")
    body, handlers = _block(src, node.body), [_handler(src, handler) for handler in node.handlers]
    orelse, finalbody = _clause(src, node.orelse, "else"), _clause(src, node.finalbody, "finally")
    return make(body, handlers, orelse, finalbody, **src.since(start))


def _try_star(src: Source, node: cst.TryStar) -> ast.stmt:
    if sys.version_info >= (3, 11):
        return _try(src, node, ast.TryStar)
    return _try(src, node)


def _handler(src: Source, node: cst.ExceptHandler | cst.ExceptStarHandler) -> ast.ExceptHandler:
    start = src.take("except")
    if isinstance(node, cst.ExceptStarHandler):
        src.take("*")
    caught, bound = optional(src, node.type), _bound_name(src, node.name)
    body = _block(src, node.body)
    return ast.ExceptHandler(caught, bound, body, **src.since(start))


def _match(src: Source, node: cst.Match) -> ast.stmt:
    start = src.take("match")
    subject = expression(src, node.subject)
    src.take(":")
    cases = [_case(src, case) for case in node.cases]
    return ast.Match(subject, cases, **src.since(start))


def _case(src: Source, node: cst.MatchCase) -> ast.match_case:
    src.take("case")
    matched, guard = pattern(src, node.pattern), optional(src, node.guard, "if")
    return ast.match_case(matched, guard, _block(src, node.body))


# ---------------------------------------------------------------- functions and classes


def _function(src: Source, node: cst.FunctionDef) -> ast.stmt:
    decorators = _decorators(src, node.decorators)
    start = src.begin()
    src.take_if(node.asynchronous, "async")
    src.take("def")
    identifier, type_params = name(src, node.name), _type_params(src, node.type_parameters)
    src.take("(")
    params = parameters(src, node.params)
    src.take(")")
    returns = None if node.returns is None else optional(src, node.returns.annotation, "->")
    body = _block(src, node.body)
    make: Callable[..., _Definition] = ast.FunctionDef if node.asynchronous is None else ast.AsyncFunctionDef
    made = make(identifier, params, body, decorators, returns, None, **src.since(start))
    _set_type_params(made, type_params)
    return made


def _class(src: Source, node: cst.ClassDef) -> ast.stmt:
    decorators = _decorators(src, node.decorators)
    start = src.take("class")
    identifier, type_params = name(src, node.name), _type_params(src, node.type_parameters)
    src.take_if(node.lpar, "(")
    bases, keywords = arguments(src, [*node.bases, *node.keywords])
    src.take_if(node.rpar, ")")
    body = _block(src, node.body)
    make: Callable[..., _Definition] = ast.ClassDef
    made = make(identifier, bases, keywords, body, decorators, **src.since(start))
    _set_type_params(made, type_params)
    return made


def _decorators(src: Source, nodes: Iterable[cst.Decorator]) -> list[ast.expr]:
    found = []
    for node in nodes:
        src.take("@")
        found.append(expression(src, node.decorator))
    return found


def _type_alias(src: Source, node: cst.TypeAlias) -> ast.stmt:
    start = src.take("type")
    target = expression(src, node.name, STORE)
    assert isinstance(target, ast.Name)
    type_params = _type_params(src, node.type_parameters)
    src.take("=")
    value = expression(src, node.value)
    if sys.version_info >= (3, 12):
        return ast.TypeAlias(target, type_params, value, **src.since(start))
    return ast.Assign([target], value, None, **src.since(start))


def _type_params(src: Source, node: cst.TypeParameters | None) -> list[Any]:
    if node is None:
        return []
    src.take("[")
    found = []
    for param in node.params:
        found.append(_type_param(src, param))
        src.take_if(param.comma, ",")
    src.take("]")
    return found


def _type_param(src: Source, node: cst.TypeParam) -> Any:
    param, start, bound = node.param, src.begin(), None
    if isinstance(param, cst.TypeVar):
        identifier = name(src, param.name)
        bound = optional(src, param.bound, ":")
    else:
        src.take("*" if isinstance(param, cst.TypeVarTuple) else "**")
        identifier = name(src, param.name)
    default = None
    if node.default is not None:
        src.take("=")
        default = _type_default(src, node.default, node.star)
    return _make_type_param(param, identifier, bound, default, src.since(start))


def _type_default(src: Source, node: cst.BaseExpression, star: str) -> ast.expr:
    if not star:
        return expression(src, node)
    start = src.take(star)
    value = expression(src, node)
    return ast.Starred(value, LOAD, **src.since(start))


if sys.version_info >= (3, 12):

    def _set_type_params(made: _Definition, params: list[Any]) -> None:
        made.type_params = params

    def _make_type_param(
        param: cst.CSTNode, identifier: str, bound: ast.expr | None, default: ast.expr | None, position: Span
    ) -> ast.type_param:
        fields: dict[str, Any] = {"name": identifier}
        if sys.version_info >= (3, 13):
            fields["default_value"] = default
        if isinstance(param, cst.TypeVar):
            return ast.TypeVar(bound=bound, **fields, **position)
        make = ast.TypeVarTuple if isinstance(param, cst.TypeVarTuple) else ast.ParamSpec
        return make(**fields, **position)
else:

    def _set_type_params(made: _Definition, params: list[Any]) -> None:
        """This `ast` has no type parameters."""

    def _make_type_param(*_: object) -> None:
        """This `ast` has no type parameters."""


_CONVERTERS: dict[type[cst.CSTNode], Callable[[Source, Any], ast.stmt]] = {
    cst.Expr: _expr,
    cst.Pass: _pass,
    cst.Break: _break,
    cst.Continue: _continue,
    cst.Return: _return,
    cst.Del: _delete,
    cst.Raise: _raise,
    cst.Assert: _assert,
    cst.Global: _global,
    cst.Nonlocal: _nonlocal,
    cst.Assign: _assign,
    cst.AnnAssign: _annotated_assign,
    cst.AugAssign: _augmented_assign,
    cst.Import: _import,
    cst.LazyImport: _import,
    cst.ImportFrom: _import_from,
    cst.LazyImportFrom: _import_from,
    cst.If: _if,
    cst.While: _while,
    cst.For: _for,
    cst.With: _with,
    cst.Try: _try,
    cst.TryStar: _try_star,
    cst.Match: _match,
    cst.FunctionDef: _function,
    cst.ClassDef: _class,
    cst.TypeAlias: _type_alias,
}
