"""LibCST strings as `ast` strings: implicit concatenation, f-strings, t-strings."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import libcst as cst

from prodready.read.cst_source import Place, Source, span, string_value, text_value

Convert = Callable[[Source, cst.BaseExpression], ast.expr]

_Text = (cst.FormattedStringText, cst.TemplatedStringText)
_Field = cst.FormattedStringExpression | cst.TemplatedStringExpression
_NO_CONVERSION = -1


class TemplateText(ast.JoinedStr):
    """A t-string on a Python whose `ast` has no TemplateStr. Its value is a template, not a `str` as an f-string's."""


def string(src: Source, node: cst.BaseString, convert: Convert) -> ast.expr:
    """A string, or strings in a row, as one node; `convert` is for the expressions inside.

    Raises SyntaxError for strings in a row that do not go together, BadLiteralError for escapes that Python refuses.
    """
    pieces = list(_pieces(node))
    if all(isinstance(piece, cst.SimpleString) for piece in pieces):
        values = [_value(src, piece) for piece in pieces if isinstance(piece, cst.SimpleString)]
        return ast.Constant(_joined(values), _kind(pieces[0]), **src.at(node))
    is_template = any(isinstance(piece, cst.TemplatedString) for piece in pieces)
    parts: list[ast.expr] = []
    for piece in pieces:
        parts += _parts(src, piece, convert)
    return _interpolated(is_template)(_merged(parts), **src.at(node))


def _pieces(node: cst.BaseString) -> Iterator[cst.BaseString]:
    while isinstance(node, cst.ConcatenatedString):
        yield node.left
        node = node.right
    yield node


def _joined(values: Sequence[str | bytes]) -> str | bytes:
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) == len(values):
        return "".join(texts)
    if texts:
        raise SyntaxError("cannot mix bytes and nonbytes literals")
    return b"".join(value for value in values if isinstance(value, bytes))


def _value(src: Source, piece: cst.SimpleString) -> str | bytes:
    try:
        return string_value(piece.value)
    except SyntaxError as error:
        raise src.refuse(piece, error) from None


def _text(src: Source, part: cst.FormattedStringText | cst.TemplatedStringText, raw: bool) -> str:
    try:
        return text_value(part.value.replace("{{", "{").replace("}}", "}"), raw)
    except SyntaxError as error:
        raise src.refuse(part, error) from None


def _kind(piece: cst.BaseString) -> str | None:
    return "u" if isinstance(piece, cst.SimpleString) and piece.value[0] == "u" else None


def _parts(src: Source, piece: cst.BaseString, convert: Convert) -> list[ast.expr]:
    """The constants and the fields of one string among others."""
    if isinstance(piece, cst.SimpleString):
        value = _value(src, piece)
        if isinstance(value, bytes):
            raise SyntaxError("cannot mix bytes and nonbytes literals")
        return [ast.Constant(value, _kind(piece), **src.at(piece))]
    assert isinstance(piece, (cst.FormattedString, cst.TemplatedString))
    return _contents(src, piece.parts, "r" in piece.prefix, convert)


def _contents(src: Source, parts: Sequence[cst.CSTNode], raw: bool, convert: Convert) -> list[ast.expr]:
    """The constants and the fields between the quotes of an f-string or t-string, or in a format spec."""
    converted: list[ast.expr] = []
    for part in parts:
        if isinstance(part, _Text):
            text = _text(src, part, raw)
            converted.append(ast.Constant(text, **src.at(part)))
        else:
            assert isinstance(part, _Field)
            converted += _field(src, part, raw, convert)
    return converted


def _field(src: Source, part: _Field, raw: bool, convert: Convert) -> Iterator[ast.expr]:
    """A replacement field; before it, for `{name=}`, the constant with the text that it shows."""
    if part.equal is not None:
        line, column = src.start(part)
        start, end = (line, column + 1), src.end(part.equal.whitespace_after)
        yield ast.Constant(src.between(start, end), **span(start, end))
    spec = None
    if part.format_spec is not None:
        start, end = _spec_place(src, part)
        spec_parts = _merged(_contents(src, part.format_spec, raw, convert))
        spec = ast.JoinedStr(spec_parts, **span(start, end))
    conversion = _NO_CONVERSION
    if part.conversion:
        conversion = ord(part.conversion)
    elif part.equal is not None and spec is None:
        conversion = ord("r")
    value = convert(src, part.expression)
    if isinstance(part, cst.TemplatedStringExpression):
        yield _interpolation(src, part, value, conversion, spec)
    else:
        yield ast.FormattedValue(value, conversion, spec, **src.at(part))


def _spec_place(src: Source, part: _Field) -> tuple[Place, Place]:
    """From the colon of a format spec to its end, which is the field's closing brace."""
    line, column = src.end(part)
    end = line, column - 1
    line, column = src.start(part.format_spec[0]) if part.format_spec else end
    return (line, column - 1), end


def _merged(parts: Sequence[ast.expr]) -> list[ast.expr]:
    """Constants side by side become one, empty ones none."""
    merged: list[ast.expr] = []
    for part in parts:
        last = merged[-1] if merged else None
        if isinstance(part, ast.Constant) and isinstance(last, ast.Constant):
            last.value = str(last.value) + str(part.value)
            last.end_lineno, last.end_col_offset = part.end_lineno, part.end_col_offset
        elif not isinstance(part, ast.Constant) or part.value:
            merged.append(part)
    return merged


if sys.version_info >= (3, 14):

    def _interpolated(is_template: bool) -> Callable[..., ast.expr]:
        return ast.TemplateStr if is_template else ast.JoinedStr

    def _interpolation(
        src: Source, part: cst.TemplatedStringExpression, value: ast.expr, conversion: int, spec: ast.expr | None
    ) -> ast.expr:
        text = src.between(src.end(part.whitespace_before_expression), src.start(part.whitespace_after_expression))
        return ast.Interpolation(value, text, conversion, spec, **src.at(part))
else:

    def _interpolated(is_template: bool) -> Callable[..., ast.expr]:
        return TemplateText if is_template else ast.JoinedStr

    def _interpolation(
        src: Source, part: cst.TemplatedStringExpression, value: ast.expr, conversion: int, spec: Any
    ) -> ast.expr:
        return ast.FormattedValue(value, conversion, spec, **src.at(part))
