"""Functions and classes: interpreted once, when the scope around them is done."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from prodready.read import values as v
from prodready.read.expressions import Expressions
from prodready.read.facts import ClassFacts, FunctionFacts, ParamFact
from prodready.read.scope import Scope
from prodready.read.values import Value

MAX_DOC = 400
"""Characters of a docstring that are kept."""

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class Definitions(Expressions):
    """What a scope defines goes to `functions` and `classes`."""

    def __init__(
        self, scope: Scope, functions: dict[str, FunctionFacts], classes: dict[str, ClassFacts], depth: int = 0
    ) -> None:
        super().__init__(scope)
        self.functions = functions
        self.classes = classes
        self.depth = depth
        self.later: list[Callable[[], None]] = []

    def run(self, body: Sequence[ast.stmt]) -> None:
        """Follow statements, see `Statements`."""
        raise NotImplementedError

    def leave(self) -> None:
        """Note what holds at a normal end of the function."""
        if self.scope.env is not None:
            self.scope.exits.append(self.scope.env)

    def define(
        self,
        node: FunctionNode | ast.Lambda,
        name: str,
        arguments: ast.arguments,
        body: list[ast.stmt],
        *,
        decorators: list[ast.expr],
        owner: str = "",
    ) -> Value:
        """Bind `name` to a function; it is interpreted when the scope around it is done, so that it sees all of it."""
        scope = self.scope
        marks = tuple(self.eval(decorator) for decorator in decorators)
        params = tuple(self._params(arguments))
        qualname = scope.inner(name)
        reference = v.Ref(":" + qualname)
        if scope.is_module:
            scope.module.names.add(name)
        elif not owner and scope.env is not None:
            scope.env[name] = reference
        if decorators and not isinstance(node, ast.Lambda) and (says := ast.get_docstring(node)):
            scope.module.docs[qualname] = says[:MAX_DOC]
        parent = scope.parent if owner else scope
        frozen = Scope(scope.module, scope.qualname, scope.owner, scope.parent, dict(scope.env or {}))
        seen_from = parent if parent is None or parent.is_module or owner else frozen
        result = getattr(node, "returns", None)
        annotation = self.annotation(result) if result is not None else None

        def interpret() -> None:
            inner = Scope(scope.module, qualname, owner, seen_from)
            inner.owner = owner or (scope.owner if "self" in (frozen.env or {}) else "")
            inner.env = {param.name: v.Param(param.name) for param in params}
            inner.mapping = next((param.name for param in params if param.kind == "**"), "")
            reader = type(self)(inner, self.functions, self.classes)
            reader.run(body)
            reader.leave()
            reader.finish()
            self.functions.setdefault(
                qualname,
                FunctionFacts(
                    qualname=qualname,
                    line=node.lineno,
                    owner=owner,
                    params=(*params[: len(params) - bool(inner.mapping)], *inner.flags.values(), *params[-1:])
                    if inner.flags
                    else params,
                    decorators=marks,
                    calls=tuple(inner.calls),
                    texts=tuple(inner.texts),
                    returns=_returned(inner),
                    yields=v.choice(inner.yields) if inner.yields else None,
                    result=annotation,
                    ensures=tuple(p.name for p in params if _is_ensured(p.name, inner.exits)),
                    flow=tuple(inner.flow),
                    exits=tuple(inner.ways_out),
                    decisions=tuple(inner.decisions),
                ),
            )
            if scope.owner and not owner:
                scope.own.update(inner.own)
            elif owner:
                for attribute, stored in inner.own.items():
                    scope.own.setdefault(attribute, []).extend(stored)
                scope.declared.update(inner.declared)

        if owner or scope.is_module:
            self.later.append(interpret)
        else:
            interpret()
        return reference

    def _params(self, arguments: ast.arguments) -> list[ParamFact]:
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
        defaults += arguments.defaults
        found = [self._param(a, "", d) for a, d in zip(positional, defaults, strict=True)]
        if arguments.vararg:
            found.append(self._param(arguments.vararg, "*", None))
        found += [self._param(a, "=", d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
        if arguments.kwarg:
            found.append(self._param(arguments.kwarg, "**", None))
        return found

    def _param(self, argument: ast.arg, kind: str, default: ast.expr | None) -> ParamFact:
        annotation = self.annotation(argument.annotation) if argument.annotation is not None else None
        return ParamFact(argument.arg, kind, annotation, self.eval(default) if default is not None else None)

    def annotation(self, node: ast.expr) -> Value:
        """The value of an annotation, quoted or not."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                node = ast.parse(node.value, mode="eval").body
            except (SyntaxError, ValueError):
                return v.UNKNOWN
        self.scope.silent += 1
        value = self.eval(node)
        self.scope.silent -= 1
        return value

    def define_class(self, node: ast.ClassDef) -> None:
        """Bind the name of a class and put off its methods."""
        scope = self.scope
        qualname = scope.inner(node.name)
        bases = tuple(self.eval(base) for base in node.bases if not isinstance(base, ast.Starred))
        keywords = tuple((keyword.arg or "**", self.eval(keyword.value)) for keyword in node.keywords)
        decorators = tuple(self.eval(decorator) for decorator in node.decorator_list)
        if (bases or decorators) and (says := ast.get_docstring(node)):
            scope.module.docs[qualname] = says[:MAX_DOC]
        if scope.is_module:
            scope.module.names.add(node.name)
        elif scope.env is not None:
            scope.env[node.name] = v.Ref(":" + qualname)
        body = Scope(scope.module, qualname, qualname, scope, statement=scope.statement)
        reader = type(self)(body, self.functions, self.classes)
        methods: list[str] = []
        annotations: dict[str, Value] = {}
        numbers: dict[str, tuple[int, int]] = {}
        for statement in node.body:
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                methods.append(statement.name)
                reader.define(
                    statement,
                    own_name(statement),
                    statement.args,
                    statement.body,
                    decorators=statement.decorator_list,
                    owner=qualname,
                )
                continue
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                annotations[statement.target.id] = reader.annotation(statement.annotation)
            reader.run([statement])
            for name in bound_names(statement):
                known = (body.env or {}).get(name)
                if isinstance(known, v.Const) and isinstance(known.value, int):
                    numbers[name] = (statement.lineno, scope.module.column(statement.lineno, statement.col_offset))
        scope.calls.extend(body.calls)
        scope.texts.extend(body.texts)
        attributes = dict(body.env or {})

        def finish() -> None:
            reader.finish()
            self.classes.setdefault(
                qualname,
                ClassFacts(
                    qualname=qualname,
                    line=node.lineno,
                    bases=bases,
                    decorators=decorators,
                    attributes=attributes,
                    annotations=annotations,
                    declared=body.declared,
                    own={name: tuple(stored[:6]) for name, stored in body.own.items()},
                    methods=tuple(dict.fromkeys(methods)),
                    keywords=keywords,
                    numbers=numbers,
                ),
            )

        self.later.append(finish)

    def finish(self) -> None:
        """Interpret the functions that were put off until their surroundings were known."""
        waiting, self.later = self.later, []
        for interpret in waiting:
            interpret()


def bound_names(statement: ast.stmt) -> list[str]:
    """The plain names that an assignment binds."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    targets = [statement.target] if isinstance(statement, ast.AnnAssign) and statement.value is not None else targets
    return [target.id for target in targets if isinstance(target, ast.Name)]


def own_name(node: FunctionNode) -> str:
    """The name of a function; of the setter and the deleter of a property one that tells them from the getter."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Attribute) and decorator.attr in {"setter", "deleter", "expression", "inplace"}:
            return f"{node.name}.{decorator.attr}"
    return node.name


def _returned(scope: Scope) -> Value | None:
    """What a function returns, and on which paths."""
    returns = scope.returns
    return v.choice([value for value, _ in returns], [given for _, given in returns]) if returns else None


def _is_ensured(name: str, exits: list[dict[str, Value]]) -> bool:
    """Whether every normal return has the parameter `name` proved."""
    return bool(exits) and all(isinstance(env.get(name), (v.Mark, v.Const)) for env in exits)
