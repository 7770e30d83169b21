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

from prodready.read.cst_expressions import BINARY_OPERATORS, DELETE, STORE, arguments, expression, optional, parameters
from prodready.read.cst_patterns import pattern
from prodready.read.cst_source import Source, Span, identifier, span
from prodready.read.cst_strings import TemplateText

__all__ = ["TemplateText", "convert"]

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Clause = cst.Else | cst.Finally | cst.ExceptHandler | cst.ExceptStarHandler | cst.MatchCase


def convert(module: cst.Module) -> ast.Module:
    """Convert a module fresh from LibCST's parser.

    Raises BadLiteralError for escapes and numbers that Python refuses, SyntaxError for what else LibCST lets pass, and
    RecursionError for a tree deeper than about a quarter of the recursion limit.
    """
    return ast.Module(_statements(Source(module), module.body), [])


def _statements(src: Source, nodes: Iterable[cst.CSTNode]) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for node in nodes:
        if isinstance(node, cst.SimpleStatementLine):
            found += [_statement(src, small) for small in node.body]
        else:
            found.append(_statement(src, node))
    return found


def _statement(src: Source, node: cst.CSTNode) -> ast.stmt:
    converter = _CONVERTERS.get(type(node))
    if converter is None:
        raise SyntaxError(f"{type(node).__name__} is not supported")
    return converter(src, node)


def _block(src: Source, node: cst.BaseCompoundStatement | _Clause | None) -> list[ast.stmt]:
    """The statements under a header; none for a clause that is absent."""
    return [] if node is None else _statements(src, node.body.body)


def _position(src: Source, node: cst.CSTNode) -> Span:
    """The position of a compound statement or clause: from its keyword to the end of the last statement in it."""
    last = node
    while not isinstance(last, cst.BaseSmallStatement):
        last = _last_part(last)
    # A semicolon is part of the block that it ends, though not of its statement.
    end = src.end(last.semicolon if isinstance(last.semicolon, cst.Semicolon) else last)
    return span(src.start(node), end)


def _last_part(node: Any) -> cst.CSTNode:
    """What stands last in a block, in a compound statement or in one of its clauses."""
    if isinstance(node, (cst.SimpleStatementLine, cst.BaseSuite)):
        return node.body[-1]
    if isinstance(node, cst.Match):
        return node.cases[-1]
    handlers = getattr(node, "handlers", ())
    parts = getattr(node, "finalbody", None), getattr(node, "orelse", None), handlers[-1] if handlers else None
    last: cst.CSTNode = next((part for part in parts if part is not None), node.body)
    return last


# ---------------------------------------------------------------- simple statements


def _expr(src: Source, node: cst.Expr) -> ast.stmt:
    return ast.Expr(expression(src, node.value), **src.at(node))


def _pass(src: Source, node: cst.Pass) -> ast.stmt:
    return ast.Pass(**src.at(node))


def _break(src: Source, node: cst.Break) -> ast.stmt:
    return ast.Break(**src.at(node))


def _continue(src: Source, node: cst.Continue) -> ast.stmt:
    return ast.Continue(**src.at(node))


def _return(src: Source, node: cst.Return) -> ast.stmt:
    return ast.Return(optional(src, node.value), **src.at(node))


def _delete(src: Source, node: cst.Del) -> ast.stmt:
    if isinstance(node.target, cst.Tuple) and not node.target.lpar:
        targets = [expression(src, element.value, DELETE) for element in node.target.elements]
    else:
        targets = [expression(src, node.target, DELETE)]
    return ast.Delete(targets, **src.at(node))


def _raise(src: Source, node: cst.Raise) -> ast.stmt:
    cause = None if node.cause is None else expression(src, node.cause.item)
    return ast.Raise(optional(src, node.exc), cause, **src.at(node))


def _assert(src: Source, node: cst.Assert) -> ast.stmt:
    return ast.Assert(expression(src, node.test), optional(src, node.msg), **src.at(node))


def _global(src: Source, node: cst.Global) -> ast.stmt:
    return ast.Global([identifier(item.name) for item in node.names], **src.at(node))


def _nonlocal(src: Source, node: cst.Nonlocal) -> ast.stmt:
    return ast.Nonlocal([identifier(item.name) for item in node.names], **src.at(node))


# ---------------------------------------------------------------- assignments

_AUGMENTED: dict[type[cst.CSTNode], type[ast.operator]] = {
    getattr(cst, f"{plain.__name__}Assign"): operator for plain, operator in BINARY_OPERATORS.items()
}


def _assign(src: Source, node: cst.Assign) -> ast.stmt:
    targets = [expression(src, target.target, STORE) for target in node.targets]
    return ast.Assign(targets, expression(src, node.value), None, **src.at(node))


def _annotated_assign(src: Source, node: cst.AnnAssign) -> ast.stmt:
    target = expression(src, node.target, STORE)
    assert isinstance(target, (ast.Name, ast.Attribute, ast.Subscript))
    annotation, value = expression(src, node.annotation.annotation), optional(src, node.value)
    is_simple = isinstance(node.target, cst.Name) and not node.target.lpar
    return ast.AnnAssign(target, annotation, value, int(is_simple), **src.at(node))


def _augmented_assign(src: Source, node: cst.AugAssign) -> ast.stmt:
    target = expression(src, node.target, STORE)
    assert isinstance(target, (ast.Name, ast.Attribute, ast.Subscript))
    return ast.AugAssign(target, _AUGMENTED[type(node.operator)](), expression(src, node.value), **src.at(node))


# ---------------------------------------------------------------- imports


def _import(src: Source, node: cst.Import | cst.LazyImport) -> ast.stmt:
    return ast.Import([_alias(src, alias) for alias in node.names], **src.at(node))


def _import_from(src: Source, node: cst.ImportFrom | cst.LazyImportFrom) -> ast.stmt:
    if isinstance(node.names, cst.ImportStar):
        names = [ast.alias("*", None, **src.at(node.names))]
    else:
        names = [_alias(src, alias) for alias in node.names]
    module = None if node.module is None else _dotted(node.module)
    return ast.ImportFrom(module, names, len(node.relative), **src.at(node))


def _alias(src: Source, node: cst.ImportAlias) -> ast.alias:
    return ast.alias(_dotted(node.name), _bound_name(node.asname), **src.at(node))


def _dotted(node: cst.BaseExpression) -> str:
    names: list[str] = []
    while isinstance(node, cst.Attribute):
        names.append(identifier(node.attr))
        node = node.value
    assert isinstance(node, cst.Name)
    names.append(identifier(node))
    return ".".join(reversed(names))


def _bound_name(node: cst.AsName | None) -> str | None:
    if node is None:
        return None
    assert isinstance(node.name, cst.Name)
    return identifier(node.name)


# ---------------------------------------------------------------- compound statements


def _if(src: Source, node: cst.If) -> ast.stmt:
    test, body = expression(src, node.test), _block(src, node)
    orelse = [_if(src, node.orelse)] if isinstance(node.orelse, cst.If) else _block(src, node.orelse)
    return ast.If(test, body, orelse, **_position(src, node))


def _while(src: Source, node: cst.While) -> ast.stmt:
    test, body, orelse = expression(src, node.test), _block(src, node), _block(src, node.orelse)
    return ast.While(test, body, orelse, **_position(src, node))


def _for(src: Source, node: cst.For) -> ast.stmt:
    target, iterable = expression(src, node.target, STORE), expression(src, node.iter)
    body, orelse = _block(src, node), _block(src, node.orelse)
    make = ast.For if node.asynchronous is None else ast.AsyncFor
    return make(target, iterable, body, orelse, None, **_position(src, node))


def _with(src: Source, node: cst.With) -> ast.stmt:
    items = [_with_item(src, item) for item in node.items]
    body = _block(src, node)
    make = ast.With if node.asynchronous is None else ast.AsyncWith
    return make(items, body, None, **_position(src, node))


def _with_item(src: Source, node: cst.WithItem) -> ast.withitem:
    target = None if node.asname is None else expression(src, node.asname.name, STORE)
    return ast.withitem(expression(src, node.item), target)


def _try(src: Source, node: cst.Try | cst.TryStar, make: Callable[..., ast.stmt] = ast.Try) -> ast.stmt:
    body, handlers = _block(src, node), [_handler(src, handler) for handler in node.handlers]
    orelse, finalbody = _block(src, node.orelse), _block(src, node.finalbody)
    return make(body, handlers, orelse, finalbody, **_position(src, node))


def _try_star(src: Source, node: cst.TryStar) -> ast.stmt:
    if sys.version_info >= (3, 11):
        return _try(src, node, ast.TryStar)
    return _try(src, node)


def _handler(src: Source, node: cst.ExceptHandler | cst.ExceptStarHandler) -> ast.ExceptHandler:
    caught, body = optional(src, node.type), _block(src, node)
    return ast.ExceptHandler(caught, _bound_name(node.name), body, **_position(src, node))


def _match(src: Source, node: cst.Match) -> ast.stmt:
    subject, cases = expression(src, node.subject), [_case(src, case) for case in node.cases]
    return ast.Match(subject, cases, **_position(src, node))


def _case(src: Source, node: cst.MatchCase) -> ast.match_case:
    return ast.match_case(pattern(src, node.pattern), optional(src, node.guard), _block(src, node))


# ---------------------------------------------------------------- functions and classes


def _function(src: Source, node: cst.FunctionDef) -> ast.stmt:
    name, params, body = identifier(node.name), parameters(src, node.params), _block(src, node)
    decorators = [expression(src, decorator.decorator) for decorator in node.decorators]
    returns = None if node.returns is None else expression(src, node.returns.annotation)
    make: Callable[..., _Definition] = ast.FunctionDef if node.asynchronous is None else ast.AsyncFunctionDef
    made = make(name, params, body, decorators, returns, None, **_position(src, node))
    _set_type_params(src, made, node.type_parameters)
    return made


def _class(src: Source, node: cst.ClassDef) -> ast.stmt:
    bases, keywords = arguments(src, [*node.bases, *node.keywords])
    decorators, body = [expression(src, decorator.decorator) for decorator in node.decorators], _block(src, node)
    make: Callable[..., _Definition] = ast.ClassDef
    made = make(identifier(node.name), bases, keywords, body, decorators, **_position(src, node))
    _set_type_params(src, made, node.type_parameters)
    return made


if sys.version_info >= (3, 12):

    def _type_alias(src: Source, node: cst.TypeAlias) -> ast.stmt:
        name = expression(src, node.name, STORE)
        assert isinstance(name, ast.Name)
        return ast.TypeAlias(name, _type_params(src, node.type_parameters), expression(src, node.value), **src.at(node))

    def _set_type_params(src: Source, made: _Definition, node: cst.TypeParameters | None) -> None:
        made.type_params = _type_params(src, node)

    def _type_params(src: Source, node: cst.TypeParameters | None) -> list[ast.type_param]:
        return [] if node is None else [_type_param(src, param) for param in node.params]

    def _type_param(src: Source, node: cst.TypeParam) -> ast.type_param:
        param = node.param
        fields: dict[str, Any] = {"name": identifier(param.name)}
        position = src.at(param)
        if isinstance(param, cst.TypeVar):
            make: Callable[..., ast.type_param] = ast.TypeVar
            fields["bound"] = optional(src, param.bound)
        else:
            make = ast.TypeVarTuple if isinstance(param, cst.TypeVarTuple) else ast.ParamSpec
        if sys.version_info >= (3, 13):
            fields["default_value"] = optional(src, node.default)
        return make(**fields, **position)
else:

    def _type_alias(src: Source, node: cst.TypeAlias) -> ast.stmt:
        return ast.Assign([expression(src, node.name, STORE)], expression(src, node.value), None, **src.at(node))

    def _set_type_params(src: Source, made: _Definition, node: cst.TypeParameters | None) -> None:
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
