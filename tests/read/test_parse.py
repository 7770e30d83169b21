"""The reader's parser: conversion against `ast` itself as the oracle, new syntax on old interpreters, bad input."""

from __future__ import annotations

import ast
import difflib
import json
import os
import pickle
import subprocess
import sys
import tokenize
import warnings
from pathlib import Path

import libcst
import pytest

from prodready.read import nesting
from prodready.read.cst_to_ast import TemplateText, convert
from prodready.read.parse import ParseFailure, parse

STDLIB = Path(os.__file__).parent
EVERY = 15
POSITIONS = ("lineno", "col_offset", "end_lineno", "end_col_offset")

SNIPPETS = r'''
x = (1, 2,); y = a,; del (a, b); del a, b
---
def f(a, b=1, /, c: int=2, *args: x, d, e=3, **kw) -> (y): return a;
---
def f(*, a): pass
---
lambda *a, b=1, **c: (yield)
---
@a.b(c)
@d
class A(B, *c, m=C, **k): x: int = 1; y: str; a.b: int
---
async def f():
    async with a as b, c: pass
    async for x in y: await z
    else: pass
    return [x async for x in y if a if b for c in d]
---
with (a as b, (c)): pass
with (a, b): pass
with (a): pass
with a as (b, c), d as [e, *f]: pass
with (yield x) as y: pass
---
f(x for x in y)
f ( x for x in y ) (1)
f((x for x in y))
f((x for x in y), 1)
f(  # a
 x for x in y
 # b
)
---
a[1], a[1:2], a[1:2:3], a[:], a[::], a[1,], a[1,2:3], a[(1,2)], a[ (1) ], a[(b):(c)], a[(b), (c) , ]
---
try: pass
except: pass
try: a
except (A, B) as e: b
except C: c;
else: d
finally: e;
---
if a: pass
elif b: pass
elif c:
    d;  e ;  # x
---
if a:
    pass
else:
    if b:
        pass
---
a < b <= c is not d not in e is f in g != h == i >= j > k
---
a and b and c or d and (e and f) or not g
---
a + b * c ** -d // e % f @ g << h >> i & j | k ^ ~l
---
a += 1; a -= 1; a *= 1; a @= 1; a /= 1; a %= 1; a &= 1; a |= 1; a ^= 1; a <<= 1
---
a >>= 1; a **= 1; a //= 1; a.b += 1; a[0] += 1; (a) += 1
---
0x1F, 0o17, 0b11, 1_000, 00, 1.5, 1e10, 1_0.0_1, .5, 5., 1j, 1_0.5e3j, 1e999, True, False, None, ..., 10**5
---
"a" 'b' """c
d""" r'\n' "\n\x41\u0041\N{EM DASH}\
e" u'x' U"y"
---
b"a" b'\'"' Rb'c\
'
---
u"a" "b"
---
"a" u"b"
---
x = ("a"
     "b"
   'c"\'')
---
f"a{b}c{d!r}e{f:>10}g{h!s:{i}.{j}}k{{l}}m"
---
f"{a}{b}" "c" f"d" 'e{' f"{f}"
---
f""
---
"a" f"" 'b'
---
f"{x=}", f"{x = }", f"{x=!s}", f"{x=:>5}", f"a{x=}b", f"{x=}{y=}", f"{ x + 1 = }", f"{a}{x=}"
---
f"{x!r:}"
---
rf"\n{x}\d" f"\n{x}\t"
---
f"""a
{
x
}
b {y:
>10}"""
---
f"{a['b']}{c:{d}}{'x' 'y'}{e if f else g}{(lambda: 1)}{ {1:2}[1] }{*a, b}{yield_}"
---
f'{f"{x}"}'
---
u"a" f"{x}" u"b"
---
f"\N{EM DASH}{x}"
---
f"é{ñ}ü" + é.ü
---
é = "ñ" + ﬁ  ; x = {é: ü}
---
match x:
    case ( 1 ) | -2 | A ( b , c = d ) as e : pass
    case { 1 : x , ** rest } if y : pass
    case {"a": 1, b.c: None,}: pass
    case {}: pass
    case {**r}: pass
    case a , * _ : pass
    case a,: pass
    case _ : pass
    case (_): pass
    case 1+2j | -1-2j: pass
    case [a, *b, (c | d)]: pass
    case []: pass
    case (): pass
    case ((a, b)): pass
    case (a,): pass
    case ([a]): pass
    case (a): pass
    case "a" "b": pass
    case None | True | False: pass
    case (None): pass
    case A.B: pass
    case A(): pass
    case A.B(1, x=(y) , ): pass
    case (1 as x): pass
    case *a, b: pass
    case ((A())): pass
    case ({}): pass
    case 1 if (x := y): pass
---
match x, y:
    case 1, 2: pass
match (x):
    case 1: pass;
match *a, b:
    case 1: pass
---
import a, b.c as d, e.f.g
from . import a
from .. a import (b as c, d,)
from ...a.b import *
from a import b
---
global a, b
---
def f():
    nonlocal a , b
    global c
---
raise
raise a
raise a from b
assert a
assert (a), (b)
return_ = 1
---
a = b = c, = d
*a, b = c
[a, *b], (c, d) = e
a, (b.c, d[0]), *e.f = g
for a, b in c, d: break
for (a) in (b): continue
for a, in b: pass
for *a, b in c: pass
else: pass
while (a): b
else: c
---
{**a, 'b': c, **d}, {*a, b}, {1}, {}, [], (), [*a], (*a,)
---
[a for a in b], {a for a in b}, {a: b for a, b in c}, (a for a in b)
---
(a), ((a)), ((a, b)), (((a for a in b)))
---
(a)(b)(c).d[e](f)
---
(a + b) * c
---
a = yield
---
def f():
    x = yield a, b
    yield from (c)
    yield
    await x
    (yield)
    return *a, b
---
(a := 1), [b := 2, c], f(d := 3), a[e := 1], {f := 1}
---
print(*a, **k, b=1)
print (a , * b , ** ( c ) , d = ( e ) , e=(f) )
---
x = a if b else c if d else e
x = (a) if (b) else (c)
---
'doc'
def f():
    """doc
    x"""
class A:
    'doc'
---
a;b;c;
d ; e
---
class A: pass
class B(): pass
class C ( ): pass
---
lambda: 0
lambda a, /, b=1, *, c: (a, b)
lambda *, a=1: a
lambda **k: k
---
not a, - a, + a, ~ a, not (a)
---
a if (b) else -c
---
x: (int)
def f(a: (int) = 1, *b: (str), **c: (x)): pass
---
def f(a, *, b: int, c=1, d: x=(2)): ...
---
x = [
  a, # c
  b
]
---
async def f(): return (await a).b, await (b), -await c, await d ** 2
---
for x in *a, b: pass
---
@(yield)
def f(): pass
---
@ a
async def f(): pass
@x

# c
@y
class A: pass
---
if a: b; c
---
f"{x!r }" + f"{x = !r }{y}" + f"{x ! r:>{y} }"
---
f"""{x = # a
  !r:>{y # b
}} { # c
 "d" = }"""
---
def f[T: int = str, *U = *tuple[int], **P = [str]](a: T) -> T: pass
class A[T = int, *U = V](B): pass
type X[T: (a, b)] = T; type Y = X
---
lambda a=(1), *, b=(2): (a,)
def f(a, /, ): pass
def f(a=1, /, *, b, ): pass
def f(*a, ): pass
def f(*, b, **k, ): pass
---
a if (b) else(c)or(d)and(not(e))is not(f)
---
del a, (b), (c, d), [e], f.g, h[0],
---
assert(a),(b)
return_: (a) = (b)
for(a)in(b):pass
---
try:
    pass
except(A):
    pass
finally:
    # x
    a; b;
    # y
c
---
from.a import(b)
from ... import(c)
import a . b , c
---
a\
 . b \
 (c)
---
x [ 1 : , : 2, : : 3 , (4) : ( 5 ) : (6) ]
---
x = 1 # no newline
'''.strip("\n").split("\n---\n")

LIBCST_CANNOT = {
    # `(x): int`, an annotation of a name in parentheses
    "test_grammar.py",
    "ann_module.py",
}


SAMPLE = [
    path
    for path in sorted(STDLIB.rglob("*.py"))
    if "site-packages" not in path.parts and path.name not in LIBCST_CANNOT and path.stat().st_size < 60_000
][::EVERY]


def comparable(tree: ast.Module) -> str:
    """The tree as text, without what `ast` itself has wrong in the strings of this interpreter.

    Before 3.12 every node in an f-string has the position of the whole string, or one off by lines. In 3.12 a format
    spec that ends in a field has an empty constant after it.
    """
    for string in ast.walk(tree):
        if not isinstance(string, ast.JoinedStr):
            continue
        if sys.version_info[:2] == (3, 12):
            string.values = [part for part in string.values if not isinstance(part, ast.Constant) or part.value]
        if sys.version_info < (3, 12):
            for node in ast.walk(string):
                if node is not string:
                    for name in POSITIONS:
                        if hasattr(node, name):
                            setattr(node, name, 0)
    return ast.dump(tree, include_attributes=True, indent=1)


def assert_converts_as_ast(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want, got = comparable(ast.parse(text)), comparable(convert(libcst.parse_module(text), text))
    if want != got:
        diff = difflib.unified_diff(want.splitlines(), got.splitlines(), "ast", "converted", lineterm="", n=12)
        pytest.fail("\n".join(list(diff)[:80]))


def calls(tree: ast.AST) -> list[tuple[str, int, int]]:
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return sorted((ast.unparse(node.func), node.lineno, node.col_offset) for node in found)


def parsed_by_this_python(text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except SyntaxError:
            return False
    return True


class TestAgainstAst:
    @pytest.mark.parametrize("snippet", SNIPPETS)
    def test_snippet(self, snippet: str) -> None:
        if not parsed_by_this_python(snippet):
            pytest.skip("newer syntax")
        assert_converts_as_ast(snippet)

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_line_ends(self, end: str) -> None:
        for snippet in filter(parsed_by_this_python, SNIPPETS):
            assert_converts_as_ast(("# c\n\n" + snippet.replace("    ", "\t") + "\n# d\n\n  # e\n").replace("\n", end))

    @pytest.mark.parametrize(
        "text", ["", "\n", "# only\n", "\f\n", "a\n\f\nb\n", "if a:\n    b\n\f\n    c\n", "x = 1 \\\n + 2"]
    )
    def test_whitespace(self, text: str) -> None:
        assert_converts_as_ast(text)

    @pytest.mark.parametrize("path", SAMPLE, ids=lambda path: str(path.relative_to(STDLIB)))
    def test_standard_library(self, path: Path) -> None:
        try:
            with tokenize.open(path) as file:
                text = file.read().removeprefix("\ufeff")
        except (SyntaxError, UnicodeDecodeError):
            pytest.skip("no text")
        if not parsed_by_this_python(text) or nesting.too_deep_for_libcst(text):
            pytest.skip("not valid, or too deep")
        assert_converts_as_ast(text)


class TestNewSyntax:
    def test_type_alias(self) -> None:
        (alias,) = parse("type X[T] = list[f(T)]\n").body
        if sys.version_info >= (3, 12):
            assert isinstance(alias, ast.TypeAlias)
            assert isinstance(alias.type_params[0], ast.TypeVar)
        else:
            assert isinstance(alias, ast.Assign)
            assert ast.unparse(alias) == "X = list[f(T)]"
        assert calls(alias) == [("f", 1, 17)]

    def test_type_parameters_and_defaults(self) -> None:
        tree = parse("def g[T: int = str, *U = *tuple[int], **P = [str]](a: T) -> T:\n    return run(a)\n")
        (function,) = tree.body
        assert isinstance(function, ast.FunctionDef)
        assert [arg.arg for arg in function.args.args] == ["a"]
        assert calls(tree) == [("run", 2, 11)]
        if sys.version_info >= (3, 12):
            assert [type(param).__name__ for param in function.type_params] == ["TypeVar", "TypeVarTuple", "ParamSpec"]

    def test_class_with_type_parameters(self) -> None:
        (cls,) = parse("class A[T](B[T], metaclass=M): x = f(1)\n").body
        assert isinstance(cls, ast.ClassDef)
        assert [ast.unparse(base) for base in cls.bases] == ["B[T]"]
        assert [keyword.arg for keyword in cls.keywords] == ["metaclass"]

    def test_f_string_with_its_own_quotes_inside(self) -> None:
        text = 'q = f"é {d["a"]} {f"{x(1)}"} {\n  run("b")  # c\n}"\n'
        tree = parse(text)
        assert calls(tree) == [("run", 2, 2), ("x", 1, 22)]
        (assign,) = tree.body
        assert isinstance(assign, ast.Assign)
        assert isinstance(assign.value, ast.JoinedStr)
        assert isinstance(assign.value.values[0], ast.Constant)
        assert assign.value.values[0].value == "é "

    def test_t_string_is_no_f_string(self) -> None:
        tree = parse('q = t"select {f(x)!r:>{w}} and {y=}"\n')
        (assign,) = tree.body
        assert isinstance(assign, ast.Assign)
        assert calls(tree) == [("f", 1, 14)]
        if sys.version_info >= (3, 14):
            assert isinstance(assign.value, ast.TemplateStr)
            return
        template = assign.value
        assert isinstance(template, TemplateText)
        assert [type(part).__name__ for part in template.values] == [
            "Constant",
            "FormattedValue",
            "Constant",
            "FormattedValue",
        ]
        before, _, shown, second = template.values
        assert ast.literal_eval(before) == "select "
        assert ast.literal_eval(shown) == " and y="
        assert isinstance(second, ast.FormattedValue)
        assert second.conversion == ord("r")

    def test_except_without_parentheses(self) -> None:
        (statement,) = parse("try: a()\nexcept A, B: b()\n").body
        assert isinstance(statement, ast.Try)
        assert isinstance(statement.handlers[0].type, ast.Tuple)
        assert calls(statement) == [("a", 1, 5), ("b", 2, 13)]

    def test_except_star(self) -> None:
        (statement,) = parse("try: a()\nexcept* A as e: b(e)\nelse: c()\nfinally: d()\n").body
        assert type(statement).__name__ == ("TryStar" if sys.version_info >= (3, 11) else "Try")
        assert calls(statement) == [("a", 1, 5), ("b", 2, 16), ("c", 3, 6), ("d", 4, 9)]

    def test_star_in_subscript_and_parameter(self) -> None:
        tree = parse("a[*b]\ndef f(*args: *Ts): g(*args)\n")
        assert calls(tree) == [("g", 2, 19)]
        (statement, _) = tree.body
        assert ast.unparse(statement) in {"a[*b]", "a[*b,]", "a[(*b,)]"}

    def test_syntax_of_3_15(self) -> None:
        tree = parse("lazy import a.b as c\nlazy from d import e\nx = [*f(y) for y in z]\nw = {**g(y) for y in z}\n")
        if sys.version_info < (3, 15):
            first, second, _, merged = tree.body
            assert isinstance(first, ast.Import)
            assert isinstance(second, ast.ImportFrom)
            assert ast.unparse(merged) == "w = {**[g(y) for y in z]}"
        assert calls(tree) == [("f", 3, 6), ("g", 4, 7)]

    def test_old_syntax_needs_no_libcst(self) -> None:
        code = "import sys; from prodready.read.parse import parse; parse('a = 1'); sys.exit('libcst' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestBadInput:
    @pytest.mark.parametrize(
        ("text", "line", "column", "says"),
        [
            ("a = 1\nb = = 2\n", 2, 5, "invalid syntax"),
            ("a = (1,\nb = 2\n", 1, 5, "'(' was never closed"),
            ("x = 1\ny = 'a\0'\n", 2, 7, "source contains a NUL byte"),
            ("\0", 1, 1, "source contains a NUL byte"),
            ("print 'x'\n", 1, 1, "Missing parentheses in call to 'print'. Did you mean print(...)?"),
            ("x = '\ud800'\n", 0, 0, "source contains characters that are not valid Unicode"),
        ],
    )
    def test_says_where_and_why(self, text: str, line: int, column: int, says: str) -> None:
        with pytest.raises(ParseFailure) as caught:
            parse(text)
        assert (caught.value.line, caught.value.column, caught.value.message) == (line, column, says)

    @pytest.mark.parametrize(
        "error", ["a = = 2\n", "\n\ndef f(:\n    pass\n", "class A\n    pass\n", "x = (1,\ny = 2\n"]
    )
    def test_error_behind_new_syntax(self, error: str) -> None:
        with pytest.raises(ParseFailure) as caught:
            parse("lazy import a\n" + error)
        assert caught.value.line > 1

    @pytest.mark.parametrize(
        "error", ["def f(:\n    pass\n", "class A\n\n    pass\n", "@\nclass A: pass\n", "x = 1 if 2\n"]
    )
    def test_error_in_old_syntax_is_where_python_says(self, error: str) -> None:
        with pytest.raises(SyntaxError) as own:
            ast.parse(error)
        with pytest.raises(ParseFailure) as caught:
            parse(error)
        assert (caught.value.message, caught.value.line) == (own.value.msg, own.value.lineno)

    @pytest.mark.parametrize("literal", [r"'\N{no such}'", r"b'\xq'", "b'é'", "1" * 5000, r"f'\N{no such}{x}'"])
    def test_literal_that_only_libcst_takes(self, literal: str) -> None:
        with pytest.raises(ParseFailure) as caught:
            parse(f"lazy import a\nx = {literal}\n")
        assert "\n" not in caught.value.message

    def test_t_strings_in_a_row(self) -> None:
        """LibCST 1.9 has a logic error there: no tree, but no other exception either."""
        with pytest.raises(ParseFailure):
            parse('lazy import a\nx = t"a" t"b"\n')

    @pytest.mark.parametrize("prefix", ["", "lazy import a\n"], ids=["old", "new"])
    @pytest.mark.parametrize(
        "text", ["", "\n", "a = 1", "a = 1\r\nb = 2\r\n", "a\rb", "\f\na = 1\n", "if a:\r\n\tb\r\n", "\\\n"]
    )
    def test_odd_texts(self, prefix: str, text: str) -> None:
        if text == "\\\n":
            with pytest.raises(ParseFailure):
                parse(prefix + text)
        else:
            assert isinstance(parse(prefix + text), ast.Module)

    def test_crlf_inside_a_string(self) -> None:
        (_, assign) = parse('lazy import a\r\nx = """b\r\nc"""\r\n').body
        assert isinstance(assign, ast.Assign)
        assert ast.literal_eval(assign.value) == "b\nc"

    def test_failure_survives_the_way_between_processes(self) -> None:
        failure = pickle.loads(pickle.dumps(ParseFailure("no", 3, 4)))
        assert (str(failure), failure.line, failure.column) == ("no", 3, 4)

    def test_recursion_error_becomes_a_failure(self) -> None:
        text = "lazy import a\nx = " + "1 + " * 400 + "1\n"
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(500)
        try:
            with pytest.raises(ParseFailure, match="nested too deeply"):
                parse(text)
            sys.setrecursionlimit(12_000)
            parse(text)
        finally:
            sys.setrecursionlimit(limit)


DEEP = {
    "round brackets": "'(' * n + ')' * n",
    "open brackets": "'([{' * n",
    "lists": "'[' * n + ']' * n",
    "dicts": "'{1:' * n + '1' + '}' * n",
    "calls in calls": "'f(' * n + ')' * n",
    "minus": "'-' * n + 'x'",
    "not": "'not ' * n + 'x'",
    "attributes": "'a' + '.b' * n",
    "call chain": "'a' + '()' * n",
    "subscripts": "'a' + '[0]' * n",
    "sum": "'1' + '+1' * n",
    "powers": "'1' + '**1' * n",
    "and or": "'a' + ' and b or a' * n",
    "conditionals": "'1 if a else ' * n + '1'",
    "lambdas": "'lambda: ' * n + '1'",
    "lambda defaults": "'lambda x=' * n + '1' + ':1' * n",
    "strings in a row": "'x = (' + '\"a\"\\n' * n + ')'",
    "f-strings in a row": "'x = ' + 'f\"{a}\" ' * n",
    "nested f-strings": "'f\"{' * n + 'x' + '}\"' * n",
    "nested format specs": "'f\"' + '{a:' * n + '}' * n + '\"'",
    "elif": "'if a:\\n pass\\n' + 'elif a:\\n pass\\n' * n",
    "blocks": "''.join(' ' * i + 'if a:\\n' for i in range(min(n, 2000))) + ' ' * min(n, 2000) + 'pass'",
    "comprehensions": "'[a ' + 'for a in b ' * n + ']'",
    "patterns": "'match a:\\n case ' + '[' * n + '1' + ']' * n + ': pass'",
    "open patterns": "'match a:\\n case ' + 'A(' * n",
    "targets": "'del ' + '(' * n + 'a' + ',)' * n",
    "dotted import": "'import a' + '.b' * min(n, 5000)",
    "generator arguments": "'f(a for a in ' * n + 'b' + ')' * n",
    "open string": "'x = \"' + '\\\\\"' * n",
    "open long string": '\'x = """\' + \'\\\\"""\' * n',
}


SIZES = (12, 63, 100, 250, 500, 5_000, 30_000)
READ_DEEP_TEXTS = """
import json, sys, threading
from prodready.read.parse import ParseFailure, parse
sys.setrecursionlimit(12_000)
def outcome(text):
    try:
        parse(text)
    except ParseFailure:
        return "failed"
    return "parsed"
def run():
    for kind, expression in json.loads(sys.argv[1]).items():
        texts = [eval(expression, {"n": n}) for n in json.loads(sys.argv[2])]
        done = [outcome(before + text + "\\n") for text in texts for before in ("", "lazy import a\\n")]
        print(json.dumps([kind, done]), flush=True)
threading.stack_size(2_000 * 1024)
thread = threading.Thread(target=run)
thread.start()
thread.join()
"""


@pytest.fixture(scope="module")
def outcomes() -> dict[str, list[str]]:
    """What became of the texts of each kind; nothing for a kind that killed its process or did not end.

    In processes of their own, with the stack that a main thread has on Windows, and with new syntax before the texts.
    """
    found: dict[str, list[str]] = {}
    waiting = dict(DEEP)
    while waiting:
        arguments = [sys.executable, "-c", READ_DEEP_TEXTS, json.dumps(waiting), json.dumps(SIZES)]
        try:
            lines = subprocess.run(arguments, stdout=subprocess.PIPE, timeout=120, check=False).stdout.splitlines()
        except subprocess.TimeoutExpired as error:
            lines = (error.stdout or b"").splitlines()
        found.update(json.loads(line) for line in lines if line.endswith(b"]"))
        waiting = {kind: text for kind, text in waiting.items() if kind not in found}
        # The first one without an outcome is to blame.
        waiting.pop(next(iter(waiting), ""), None)
    return found


@pytest.mark.parametrize("kind", DEEP)
def test_deep_texts_neither_crash_nor_hang(kind: str, outcomes: dict[str, list[str]]) -> None:
    assert len(outcomes.get(kind, [])) == 2 * len(SIZES)
