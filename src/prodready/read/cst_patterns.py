"""LibCST patterns of `match` as `ast` patterns, one function per LibCST node."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

import libcst as cst

from prodready.read.cst_expressions import expression
from prodready.read.cst_source import Source, Span, identifier, span

_SINGLETONS = {"None": None, "True": True, "False": False}


def pattern(src: Source, node: cst.CSTNode) -> ast.pattern:
    """Convert a pattern. Raises SyntaxError for a node that Python has not."""
    converter = _CONVERTERS.get(type(node))
    if converter is None:
        raise SyntaxError(f"{type(node).__name__} is not supported")
    return converter(src, node)


def _value(src: Source, node: cst.MatchValue) -> ast.pattern:
    return ast.MatchValue(expression(src, node.value), **src.at(node.value))


def _singleton(src: Source, node: cst.MatchSingleton) -> ast.pattern:
    return ast.MatchSingleton(_SINGLETONS[node.value.value], **src.at(node.value))


def _sequence(src: Source, node: cst.MatchList | cst.MatchTuple) -> ast.pattern:
    return ast.MatchSequence(_elements(src, node.patterns), **_sequence_position(src, node))


def _sequence_position(src: Source, node: cst.MatchList | cst.MatchTuple) -> Span:
    if isinstance(node, cst.MatchTuple) and node.lpar:
        return span(src.start(node.lpar[-1]), src.end(node.rpar[0]))
    return src.at(node)


def _elements(src: Source, elements: Iterable[cst.MatchSequenceElement | cst.MatchStar]) -> list[ast.pattern]:
    return [pattern(src, item if isinstance(item, cst.MatchStar) else item.value) for item in elements]


def _star(src: Source, node: cst.MatchStar) -> ast.pattern:
    # LibCST counts the comma in, and has no node for the name `_`.
    line, column = src.end(node.whitespace_before_name)
    end = (line, column + 1) if node.name is None else src.end(node.name)
    return ast.MatchStar(_captured(node.name), **span(src.start(node), end))


def _mapping(src: Source, node: cst.MatchMapping) -> ast.pattern:
    keys = [expression(src, element.key) for element in node.elements]
    patterns = [pattern(src, element.pattern) for element in node.elements]
    return ast.MatchMapping(keys, patterns, _captured(node.rest), **src.at(node))


def _class(src: Source, node: cst.MatchClass) -> ast.pattern:
    names = [identifier(keyword.key) for keyword in node.kwds]
    by_name = [pattern(src, keyword.pattern) for keyword in node.kwds]
    return ast.MatchClass(expression(src, node.cls), _elements(src, node.patterns), names, by_name, **src.at(node))


def _as(src: Source, node: cst.MatchAs) -> ast.pattern:
    inner = None if node.pattern is None else pattern(src, node.pattern)
    return ast.MatchAs(inner, _captured(node.name), **src.at(node))


def _or(src: Source, node: cst.MatchOr) -> ast.pattern:
    return ast.MatchOr([pattern(src, element.pattern) for element in node.patterns], **src.at(node))


def _captured(name: cst.Name | None) -> str | None:
    """The name a pattern binds; none for the wildcard."""
    return None if name is None or name.value == "_" else identifier(name)


_CONVERTERS: dict[type[cst.CSTNode], Callable[[Source, Any], ast.pattern]] = {
    cst.MatchValue: _value,
    cst.MatchSingleton: _singleton,
    cst.MatchList: _sequence,
    cst.MatchTuple: _sequence,
    cst.MatchStar: _star,
    cst.MatchMapping: _mapping,
    cst.MatchClass: _class,
    cst.MatchAs: _as,
    cst.MatchOr: _or,
}
