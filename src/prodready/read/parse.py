"""From Python text to a tree of `ast` nodes, whichever Python the text is for.

The running interpreter's own parser goes first: it is the fastest. It knows no syntax newer than itself, so what it
rejects goes to LibCST, whose parser takes the syntax of every Python 3 on any interpreter.

How deep a tree can be: 6,000 levels on Python 3.10 and 3.11, 3,000 on 3.12 and 10,000 on 3.13; 500 where LibCST
parsed it, which takes a recursion limit of 1,100 more than the caller's depth: with a lower one, less deep texts are
refused.
"""

from __future__ import annotations

import ast
import re
import sys
import warnings

from prodready.read import nesting
from prodready.source import split_lines

_TOO_DEEP = "nested too deeply to parse"
_LIBCST_PLACE = re.compile(r"^parser error: error at (\d+):(\d+): ")
_NEVER_NEW_SYNTAX = ("'", "unmatched", "unindent", "unexpected indent", "expected an indented block", "inconsistent")


class ParseFailure(Exception):  # noqa: N818
    """The text is not Python: why in one line, and where; line and column count from 1, and are 0 when not known."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message, line, column)
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return self.message


def parse(text: str) -> ast.Module:
    """Parse the text of a Python file, of any Python 3 up to 3.15; line ends may be any that Python takes.

    Raises ParseFailure, and nothing else, for whatever cannot be parsed.
    """
    if "\0" in text:
        before = text[: text.index("\0")]
        raise ParseFailure("source contains a NUL byte", before.count("\n") + 1, len(before) - before.rfind("\n"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _parse(text)
    except (RecursionError, MemoryError, SystemError):
        raise ParseFailure(_TOO_DEEP, 0, 0) from None
    except UnicodeEncodeError:
        raise ParseFailure("source contains characters that are not valid Unicode", 0, 0) from None


def _parse(text: str) -> ast.Module:
    if sys.version_info < (3, 12) and nesting.too_deep_for_old_ast(text):
        raise RecursionError
    try:
        return ast.parse(text)
    except SyntaxError as error:
        own_error = error
    if nesting.too_deep_for_libcst(text):
        raise RecursionError
    return _parse_with_libcst(text, own_error)


def _parse_with_libcst(text: str, own_error: SyntaxError) -> ast.Module:
    # Imported only here: it takes longer than all else that a check of a few files does.
    import libcst

    from prodready.read.cst_source import BadLiteralError
    from prodready.read.cst_to_ast import convert

    try:
        return convert(libcst.parse_module(text), text)
    except libcst.ParserSyntaxError as error:
        raise _more_useful(own_error, error.message, text) from None
    except BadLiteralError as error:
        raise _from_syntax_error(error) from None
    except (SyntaxError, libcst.CSTLogicError):
        raise _from_syntax_error(own_error) from None
    except BaseException as error:
        # A panic in LibCST's native code: its class is no Exception, and not to be imported.
        if type(error).__name__ == "PanicException":
            raise _from_syntax_error(own_error) from None
        raise


def _more_useful(own_error: SyntaxError, message: str, text: str) -> ParseFailure:
    """The interpreter's error, which says more; LibCST's where that got further, so the other was only new syntax."""
    own = _from_syntax_error(own_error)
    place = _LIBCST_PLACE.match(message)
    if place is None or own.message.startswith(_NEVER_NEW_SYNTAX):
        return own
    line, column = int(place[1]), int(place[2])
    if line <= own.line:
        return own
    # LibCST names the place of the token after the one that it cannot take, maybe in the next line.
    lines = split_lines(text)
    passed = [*lines[own.line : line - 1], *(last[:column] for last in lines[line - 1 : line])]
    got_further = any(part.strip() and not part.lstrip().startswith("#") for part in passed)
    return ParseFailure("invalid syntax", line, max(column, 1)) if got_further else own


def _from_syntax_error(error: SyntaxError) -> ParseFailure:
    return ParseFailure(_first_line(error.msg), error.lineno or 0, max(error.offset or 0, 0))


def _first_line(message: str) -> str:
    return message.splitlines()[0] if message else "invalid syntax"
