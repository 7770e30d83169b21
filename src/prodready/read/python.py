"""Reading one Python file: from bytes to facts."""

from __future__ import annotations

import ast
import sys
from collections import Counter

from prodready.masking import Stretch, stars, stretches
from prodready.read import values as v
from prodready.read.facts import FileFacts, FunctionFacts, decorators_of
from prodready.read.inside import below
from prodready.read.parse import ParseFailure, parse
from prodready.read.statements import Statements, module_scope
from prodready.source import decode, split_lines
from prodready.suppress import scan

RECURSION_LIMIT = 12_000
"""Deep enough for the deepest tree that `parse` lets through."""


def read_python(data: bytes) -> FileFacts:
    """The facts of a Python file.

    Raises SourceError for bytes that are not text and ParseFailure for text that is not Python, both with one line that
    says what and where.
    """
    # Facts are kept: what may be a secret must not get into them.
    text = decode(data)
    hidden = tuple(stretches(text))
    text = stars(text, hidden)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, RECURSION_LIMIT))
    try:
        return _read(text, hidden)
    except RecursionError:
        raise ParseFailure("nested too deeply to analyse", 0, 0) from None
    finally:
        sys.setrecursionlimit(limit)


def _read(text: str, hidden: tuple[Stretch, ...]) -> FileFacts:
    tree = parse(text)
    lines = split_lines(text)
    scope = module_scope(lines)
    reader = Statements(scope, {}, {})
    bound = _assigned(tree)
    scope.module.names.update(bound)
    scope.module.once.update(name for name, count in bound.items() if count == 1)
    reader.run(tree.body)
    final = dict(scope.env or {})
    # Functions see the module's names as references, to be resolved with all files at hand.
    reader.finish()
    for name, stored in scope.module.extra.items():
        final[name] = v.choice([*([final[name]] if name in final else []), *stored])
    module = FunctionFacts(
        qualname="<module>",
        line=1,
        owner="",
        params=(),
        decorators=(),
        calls=tuple(scope.calls),
        texts=tuple(scope.texts),
        returns=None,
        yields=None,
        result=None,
        ensures=(),
        flow=tuple(scope.flow),
    )
    functions = {"<module>": module, **reader.functions}
    return FileFacts(
        lines=len(lines),
        imports=scope.module.imports,
        stars=tuple(scope.module.stars),
        values=final,
        functions=functions,
        classes=reader.classes,
        suppressions=scan(text),
        called={name: tuple(dict.fromkeys(fact.name for fact in f.calls)) for name, f in functions.items() if f.calls},
        docs=scope.module.docs,
        hidden=hidden,
        decorators={name: decorators_of(f) for name, f in functions.items() if f.decorators},
        deciding=tuple(name for name, f in functions.items() if any(way.inner for way in f.exits)),
    )


def _assigned(tree: ast.Module) -> Counter[str]:
    """Names that module code may bind, also inside `if` and `try`, and how often; `+=` goes on with what is bound."""
    found: Counter[str] = Counter()
    waiting: list[ast.AST] = [tree]
    while waiting:
        around = waiting.pop()
        for node in below(around):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                found[node.name] += 1
            elif isinstance(node, ast.Name):
                if isinstance(node.ctx, ast.Store):
                    found[node.id] += not isinstance(around, ast.AugAssign)
            elif not isinstance(node, (ast.Lambda, ast.expr)) or isinstance(node, (ast.Tuple, ast.List, ast.NamedExpr)):
                waiting.append(node)
    return found
