"""Decoding as Python decodes, positions as `ast` gives them, comments as the tokenizer finds them."""

from __future__ import annotations

import ast
import io
import sysconfig
import tokenize
from pathlib import Path

import pytest

from prodready.source import Comment, Source, SourceError, comments, decode, split_lines


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"x = 1\n", "x = 1\n"),
        (b"\xef\xbb\xbfx = 1\n", "x = 1\n"),
        (b"\xef\xbb\xbf# coding: utf-8\n", "# coding: utf-8\n"),
        (b"x = '\xc3\xa9'\r\n", "x = '\u00e9'\r\n"),
        (b"# -*- coding: latin-1 -*-\nx = '\xe9'\n", "# -*- coding: latin-1 -*-\nx = '\u00e9'\n"),
        (b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\nx = '\x80'", None),
        (b"# coding: utf-8-unix\nx = '\xc3\xa9'\n", None),
        (b"\f\n# coding: latin-1\nx = '\xe9'\n", None),
        (b"# one\r# coding: latin-1\rx = '\xe9'\r", None),
        (b"x = 1\n# coding: no-such-thing\n", None),
        (b"\n\n# coding: no-such-thing\n", None),
        (b"# coding: shift_jis\nx = '\x83e\x83X\x83g'\n", None),
    ],
)
def test_decode_agrees_with_python(data: bytes, text: str | None) -> None:
    assert ast.dump(ast.parse(decode(data))) == ast.dump(ast.parse(data))
    if text is not None:
        assert decode(data) == text


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"a = 1\nb = '\xff'\n", 2, "byte 0xff at offset 11 is not valid UTF-8"),
        (b"\xef\xbb\xbf\xff", 1, "offset 3"),
        (b"x = '\xc3", 1, "byte 0xc3 at offset 5"),
        (b"#!/bin/sh\n# coding: klingon\n", 2, "unknown encoding 'klingon'"),
        (b"# coding: hex\n", 1, "unknown encoding 'hex'"),
        (b"# coding: " + b"x" * 5000 + b"\n", 1, "xxx..."),
        (b"# coding: undefined\n", 1, "cannot be decoded"),
        (b"# coding: utf-16\nx = 1\n", 2, "utf-16"),
        (b"# coding: ascii\n\nx = '\xe9'\n", 3, "not valid ASCII"),
        (b"\xef\xbb\xbf# coding: latin-1\n", 1, "declares the encoding 'latin-1'"),
        (b"a\nb\x00c\n", 2, "NUL byte at offset 3"),
        ("x = 1\n".encode("utf-16"), 1, "UTF-16"),
    ],
)
def test_decode_says_in_one_line_what_is_wrong(data: bytes, line: int, words: str) -> None:
    with pytest.raises(SourceError) as caught:
        decode(data)
    assert words.lower() in caught.value.message.lower()
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 200
    assert caught.value.line == line
    with pytest.raises((SyntaxError, ValueError)):
        ast.parse(data)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("a", ["a"]),
        ("a\n", ["a"]),
        ("a\n\n", ["a", ""]),
        ("a\r\nb\rc\nd", ["a", "b", "c", "d"]),
        ("a\fb\x0bc\x1cd\u2028e\x85f\n", ["a\fb\x0bc\x1cd\u2028e\x85f"]),
    ],
)
def test_split_lines(text: str, lines: list[str]) -> None:
    assert split_lines(text) == lines


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_columns_count_characters_where_ast_counts_bytes(end: str) -> None:
    text = end.join(["first = 1", "\f", "x = '\u00e9\U0001f600\u2028\x0b'; name", ""])
    source = Source("a.py", text)
    node = ast.parse(text).body[-1]
    column = source.column(node.lineno, node.col_offset)
    assert source.lines[node.lineno - 1][column - 1 :] == "name"
    assert source.column(1, 8) == 9
    assert source.column(99, 4) == 5


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = 1  # a\n", ["# a"]),
        ('x = \'# no\'\ny = """\n# no\n"""  # yes\n', ["# yes"]),
        ("x = 'it\\'s # no' # yes", ["# yes"]),
        ("x = r'\\' # yes\n", []),
        ("x = rb'\\\\' # yes\n", ["# yes"]),
        ("f'{n:#x} # no' # yes", ["# yes"]),
        ("f'{n:#{w}x}' # yes", ["# yes"]),
        ("f'{{ # no' # yes", ["# yes"]),
        ("f'{d[1:2]} # no' # yes", ["# yes"]),
        ('f"{d["#no"]} # no" # yes', ["# yes"]),
        ('f"{f"{1}" + f"{"#"}"}" # yes', ["# yes"]),
        ('f"""{\n  x  # yes\n}"""', ["# yes"]),
        ("t'{x!r:>10} # no' # yes", ["# yes"]),
        ("print'# no' # yes", ["# yes"]),
        ("x = 'unterminated # no\ny = 1 # yes\n", ["# yes"]),
        ("def f(:  # yes\n  )))\n x = 1 # too\n", ["# yes", "# too"]),
        ("x = '''never ends # no\n", []),
        ("x = f'{never # yes", ["# yes"]),
        ("x = f'{a:{b # yes", ["# yes"]),
        ("x = f'{a:b\ny = 1 # yes\n", ["# yes"]),
        ("x = 'a\\\r\nb # no' # yes\r\n", ["# yes"]),
        ("\ufeff# yes\n", ["# yes"]),
    ],
)
def test_comments_are_never_taken_from_strings(text: str, found: list[str]) -> None:
    assert [comment.text for comment in comments(text)] == found


def test_comments_know_their_place() -> None:
    text = "x = '\u00e9'  # a\r\n\f  # b  \ry = 1\n#c"
    assert list(comments(text)) == [
        Comment(1, 10, "# a", False),
        Comment(2, 4, "# b", True),
        Comment(4, 1, "#c", True),
    ]


def test_comments_agree_with_the_tokenizer_on_the_standard_library() -> None:
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        text = decode(path.read_bytes())
        tokens = tokenize.generate_tokens(io.StringIO(text, newline=None).readline)
        expected = [(t.start[0], t.start[1] + 1, t.string) for t in tokens if t.type == tokenize.COMMENT]
        assert [(c.line, c.column, c.text) for c in comments(text)] == expected, path
