"""LibCST patterns of `match` as `ast` patterns, one function per LibCST node."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from prodready.read.cst_expressions import expression
from prodready.read.cst_source import Source, identifier

_SINGLETONS = {"None": None, "True": True, "False": False}


def pattern(src: Source, node: Any) -> ast.pattern:
    """Convert a pattern. Raises SyntaxError for a node that Python has not."""
    kind = type(node)
    converter = _CONVERTERS.get(kind)
    if converter is None:
        raise SyntaxError(f"{kind.__name__} is not supported")
    if kind in _WITHOUT_PARENTHESES or not node.lpar:
        return converter(src, node)
    opened = [src.take("(") for _ in node.lpar]
    converted = converter(src, node)
    closed = [src.take(")") for _ in node.rpar]
    if kind is cst.MatchTuple:
        vars(converted).update(src.span(opened[-1], closed[0] + 1))
    return converted


def _value(src: Source, node: cst.MatchValue) -> ast.pattern:
    value = expression(src, node.value)
    return ast.MatchValue(value, **_place(value))


def _singleton(src: Source, node: cst.MatchSingleton) -> ast.pattern:
    value = expression(src, node.value)
    return ast.MatchSingleton(_SINGLETONS[node.value.value], **_place(value))


def _place(node: ast.expr) -> Any:
    return {name: getattr(node, name) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")}


def _tuple(src: Source, node: cst.MatchTuple) -> ast.pattern:
    start = src.begin()
    return ast.MatchSequence(_elements(src, node.patterns), **src.since(start))


def _list(src: Source, node: cst.MatchList) -> ast.pattern:
    start = src.begin()
    src.take_if(node.lbracket, "[")
    elements = _elements(src, node.patterns)
    src.take_if(node.rbracket, "]")
    return ast.MatchSequence(elements, **src.since(start))


def _elements(src: Source, elements: Sequence[cst.MatchSequenceElement | cst.MatchStar]) -> list[ast.pattern]:
    converted = []
    for element in elements:
        converted.append(pattern(src, element) if isinstance(element, cst.MatchStar) else pattern(src, element.value))
        src.take_if(element.comma, ",")
    return converted


def _star(src: Source, node: cst.MatchStar) -> ast.pattern:
    start = src.take("*")
    name = _captured(src, node.name)
    return ast.MatchStar(name, **src.since(start))


def _mapping(src: Source, node: cst.MatchMapping) -> ast.pattern:
    start = src.take("{")
    keys, patterns, rest = [], [], None
    for element in node.elements:
        keys.append(expression(src, element.key))
        src.take(":")
        patterns.append(pattern(src, element.pattern))
        src.take_if(element.comma, ",")
    if node.rest is not None:
        src.take("**")
        rest = _captured(src, node.rest)
        src.take_if(node.trailing_comma, ",")
    src.take("}")
    return ast.MatchMapping(keys, patterns, rest, **src.since(start))


def _class(src: Source, node: cst.MatchClass) -> ast.pattern:
    start = src.begin()
    cls = expression(src, node.cls)
    src.take("(")
    patterns = _elements(src, node.patterns)
    names, by_name = [], []
    for keyword in node.kwds:
        src.take(keyword.key.value)
        names.append(identifier(keyword.key))
        src.take("=")
        by_name.append(pattern(src, keyword.pattern))
        src.take_if(keyword.comma, ",")
    src.take(")")
    return ast.MatchClass(cls, patterns, names, by_name, **src.since(start))


def _as(src: Source, node: cst.MatchAs) -> ast.pattern:
    start = src.begin()
    inner = None
    if node.pattern is not None:
        inner = pattern(src, node.pattern)
        src.take("as")
    name = _captured(src, node.name)
    return ast.MatchAs(inner, name, **src.since(start))


def _or(src: Source, node: cst.MatchOr) -> ast.pattern:
    start = src.begin()
    patterns = []
    for element in node.patterns:
        patterns.append(pattern(src, element.pattern))
        src.take_if(element.separator, "|")
    return ast.MatchOr(patterns, **src.since(start))


def _captured(src: Source, name: cst.Name | None) -> str | None:
    """The name a pattern binds; none for the wildcard, for which LibCST may have no node."""
    src.take("_" if name is None else name.value)
    return None if name is None or name.value == "_" else identifier(name)


# These have the parentheses of their value.
_WITHOUT_PARENTHESES = (cst.MatchValue, cst.MatchSingleton, cst.MatchStar)

_CONVERTERS: dict[type[cst.CSTNode], Callable[[Source, Any], ast.pattern]] = {
    cst.MatchValue: _value,
    cst.MatchSingleton: _singleton,
    cst.MatchList: _list,
    cst.MatchTuple: _tuple,
    cst.MatchStar: _star,
    cst.MatchMapping: _mapping,
    cst.MatchClass: _class,
    cst.MatchAs: _as,
    cst.MatchOr: _or,
}
