"""LibCST strings as `ast` strings: implicit concatenation, f-strings, t-strings."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import libcst as cst

from prodready.read.cst_source import Source, Span, string_value, text_value

Convert = Callable[[Source, cst.BaseExpression], ast.expr]

_Text = (cst.FormattedStringText, cst.TemplatedStringText)
_Field = cst.FormattedStringExpression | cst.TemplatedStringExpression
_NO_CONVERSION = -1
_STRING_OR_COMMENT = re.compile(r"(\"{3}|'{3}|\"|')(?:\\.|.)*?\1|#[^\n]*", re.DOTALL)


class TemplateText(ast.JoinedStr):
    """A t-string on a Python whose `ast` has no TemplateStr. Its value is a template, not a `str` as an f-string's."""


def string(src: Source, node: cst.BaseString, convert: Convert) -> ast.expr:
    """A string, or strings in a row, as one node; `convert` is for the expressions inside.

    Raises SyntaxError for strings in a row that do not go together, BadLiteralError for escapes that Python refuses.
    """
    start = src.begin()
    pieces = list(_pieces(node))
    if all(isinstance(piece, cst.SimpleString) for piece in pieces):
        values = [_value(src, piece) for piece in pieces if isinstance(piece, cst.SimpleString)]
        return ast.Constant(_joined(values), _kind(pieces[0]), **src.since(start))
    is_template = any(isinstance(piece, cst.TemplatedString) for piece in pieces)
    parts: list[ast.expr] = []
    for piece in pieces:
        parts += _parts(src, piece, convert)
    return _interpolated(is_template)(_merged(parts), **src.since(start))


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
    start = src.take(piece.value)
    try:
        return string_value(piece.value)
    except SyntaxError as error:
        raise src.refuse(start, error) from None


def _text(src: Source, part: cst.FormattedStringText | cst.TemplatedStringText, raw: bool) -> ast.Constant:
    start = src.take_here(part.value)
    try:
        text = text_value(part.value.replace("{{", "{").replace("}}", "}"), raw)
    except SyntaxError as error:
        raise src.refuse(start, error) from None
    return ast.Constant(text, **src.since(start))


def _kind(piece: cst.BaseString) -> str | None:
    return "u" if isinstance(piece, cst.SimpleString) and piece.value[0] == "u" else None


def _parts(src: Source, piece: cst.BaseString, convert: Convert) -> list[ast.expr]:
    """The constants and the fields of one string among others."""
    if isinstance(piece, cst.SimpleString):
        start = src.begin()
        value = _value(src, piece)
        if isinstance(value, bytes):
            raise SyntaxError("cannot mix bytes and nonbytes literals")
        return [ast.Constant(value, _kind(piece), **src.since(start))]
    assert isinstance(piece, (cst.FormattedString, cst.TemplatedString))
    src.take(piece.start)
    contents = _contents(src, piece.parts, "r" in piece.prefix, convert)
    src.take_here(piece.end)
    return contents


def _contents(src: Source, parts: Sequence[cst.CSTNode], raw: bool, convert: Convert) -> list[ast.expr]:
    """The constants and the fields between the quotes of an f-string or t-string, or in a format spec."""
    converted: list[ast.expr] = []
    for part in parts:
        if isinstance(part, _Text):
            converted.append(_text(src, part, raw))
        else:
            assert isinstance(part, _Field)
            converted += _field(src, part, raw, convert)
    return converted


def _field(src: Source, part: _Field, raw: bool, convert: Convert) -> Iterator[ast.expr]:
    """A replacement field; before it, for `{name=}`, the constant with the text that it shows."""
    start = src.take_here("{")
    value_start = src.begin()
    value = convert(src, part.expression)
    value_text = src.since_as_written(value_start)
    if part.equal is not None:
        src.take("=")
        src.begin()
        yield ast.Constant(_without_comments(src.since_as_written(start + 1)), **src.since(start + 1))
    conversion = _NO_CONVERSION
    if part.conversion:
        src.take("!")
        src.take(part.conversion)
        conversion = ord(part.conversion)
    elif part.equal is not None and part.format_spec is None:
        conversion = ord("r")
    spec = None
    if part.format_spec is not None:
        spec_start = src.take(":")
        spec_parts = _merged(_contents(src, part.format_spec, raw, convert))
        spec = ast.JoinedStr(spec_parts, **src.since(spec_start))
        src.take_here("}")
    else:
        src.take("}")
    if isinstance(part, cst.TemplatedStringExpression):
        yield _interpolation(value, value_text, conversion, spec, src.since(start))
    else:
        yield ast.FormattedValue(value, conversion, spec, **src.since(start))


def _without_comments(code: str) -> str:
    return _STRING_OR_COMMENT.sub(lambda match: "" if match[0][0] == "#" else match[0], code) if "#" in code else code


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

    def _interpolation(value: ast.expr, text: str, conversion: int, spec: ast.expr | None, place: Span) -> ast.expr:
        return ast.Interpolation(value, text, conversion, spec, **place)
else:

    def _interpolated(is_template: bool) -> Callable[..., ast.expr]:
        return TemplateText if is_template else ast.JoinedStr

    def _interpolation(value: ast.expr, _: str, conversion: int, spec: Any, place: Span) -> ast.expr:
        return ast.FormattedValue(value, conversion, spec, **place)
