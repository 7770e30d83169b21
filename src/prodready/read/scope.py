"""The state of interpreting one function: its variables, and what has been seen so far."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from prodready.read import values as v
from prodready.read.exits import Condition
from prodready.read.facts import BuiltText, CallFact, Exit, Flow, ParamFact, Span
from prodready.read.values import Value

BUILTINS = frozenset(dir(builtins))


@dataclass
class Module:
    """What all functions of a file share. `names` are those its own module code binds, `once` those bound in one place."""

    lines: list[str]
    imports: dict[str, str] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    once: set[str] = field(default_factory=set)
    extra: dict[str, list[Value]] = field(default_factory=dict)
    docs: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ascii = all(map(str.isascii, self.lines))

    def column(self, line: int, offset: int) -> int:
        """The 1-based character column of a 0-based UTF-8 offset."""
        if self._ascii or not 0 < line <= len(self.lines):
            return offset + 1
        text = self.lines[line - 1]
        return offset + 1 if text.isascii() else len(text.encode()[:offset].decode("utf-8", "ignore")) + 1


class Scope(msgspec.Struct):
    """One function (or the module, or a class body) while it is interpreted.

    `env` maps names, and paths such as `self.table`, to values; it is None where the path being followed has ended.
    `mapping` is the parameter that takes all other keywords, `flags` those keywords that are asked of it like parameters.
    """

    module: Module
    qualname: str
    owner: str = ""
    parent: Scope | None = None
    env: dict[str, Value] | None = msgspec.field(default_factory=dict)
    calls: list[CallFact] = msgspec.field(default_factory=list)
    flow: list[int | Flow] = msgspec.field(default_factory=list)
    texts: list[BuiltText] = msgspec.field(default_factory=list)
    returns: list[tuple[Value, v.Given]] = msgspec.field(default_factory=list)
    yields: list[Value] = msgspec.field(default_factory=list)
    exits: list[dict[str, Value]] = msgspec.field(default_factory=list)
    ways_out: list[Exit] = msgspec.field(default_factory=list)
    decisions: list[Exit] = msgspec.field(default_factory=list)
    conditions: list[Condition] = msgspec.field(default_factory=list)
    own: dict[str, list[tuple[str, Value]]] = msgspec.field(default_factory=dict)
    declared: dict[str, Value] = msgspec.field(default_factory=dict)
    globals: set[str] = msgspec.field(default_factory=set)
    mapping: str = ""
    flags: dict[str, ParamFact] = msgspec.field(default_factory=dict)
    statement: tuple[int, int] = (0, 0)
    silent: int = 0
    loop_exits: list[list[dict[str, Value]]] = msgspec.field(default_factory=list)

    @property
    def is_module(self) -> bool:
        """Whether this is module code."""
        return self.qualname == "<module>"

    def inner(self, name: str) -> str:
        """The qualified name of a definition in this scope."""
        return name if self.is_module else f"{self.qualname}.{name}"

    def lookup(self, name: str) -> Value:
        """What `name` stands for here."""
        if self.env is not None and name in self.env and name not in self.globals:
            return self.env[name]
        outer = self.parent
        while outer is not None and not outer.is_module:
            if outer.env is not None and name in outer.env:
                found = outer.env[name]
                return found if isinstance(found, (v.Ref, v.Const, v.Free)) else v.Free(outer.qualname, found)
            outer = outer.parent
        return self.module_name(name)

    def module_name(self, name: str) -> Value:
        """What `name` stands for in the module, or as a builtin."""
        if name in self.module.imports:
            return v.Ref(self.module.imports[name])
        if name in self.module.names or name not in BUILTINS:
            return v.Ref(":" + name)
        return v.Ref(name)

    def bind(self, name: str, value: Value) -> None:
        """Store `value` under `name`; what was known of the old value's attributes is forgotten."""
        if self.env is None:
            return
        if name in self.globals:
            self.module.extra.setdefault(name, []).append(value)
            self.module.names.add(name)
        below = (name + ".", name + "[")
        for path in [p for p in self.env if p.startswith(below)]:
            del self.env[path]
        self.env[name] = value

    def arm(self) -> tuple[int | Flow, ...]:
        """What has happened since `flow` was last emptied; it is emptied."""
        steps, self.flow = tuple(self.flow), []
        return steps

    def compound(
        self,
        before: list[int | Flow],
        kind: str,
        arms: list[tuple[int | Flow, ...]],
        values: tuple[Value, ...] = (),
        spans: tuple[Span, ...] = (),
        given: tuple[v.Given, ...] = (),
    ) -> None:
        """Go on with the steps of `before`, a compound statement of these arms added."""
        self.flow = before
        if any(arms) and not self.silent:
            before.append(Flow(kind, tuple(arms), values, spans, given))

    def ends(self, step: int) -> None:
        """Note a step that is no call."""
        if not self.silent:
            self.flow.append(step)

    def span(self, node: ast.expr) -> Span:
        """Where an expression stands; for a chained call over several lines, from the name of the method on."""
        line, offset = node.lineno, node.col_offset
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            end, end_offset = node.func.end_lineno or line, node.func.end_col_offset or 0
            if end != line:
                line, offset = end, max(end_offset - len(node.func.attr.encode()), 0)
        end_line, end_offset = node.end_lineno or line, node.end_col_offset or 0
        return Span(
            line,
            self.module.column(line, offset),
            end_line,
            self.module.column(end_line, end_offset),
            *(self.statement if self.statement[0] else (line, end_line)),
        )


def join(envs: Sequence[dict[str, Value] | None], given: Sequence[v.Given] = ()) -> dict[str, Value] | None:
    """The environment after paths meet: a name has one of the values it has on any of them.

    `given` is for each path what has made it be taken.
    """
    live = [env for env in envs if env is not None]
    given = [tests for env, tests in zip(envs, given, strict=True) if env is not None] if given else ()
    if len(live) < 2:
        return dict(live[0]) if live else None
    first, *others = live
    if all(env == first for env in others):
        return dict(first)
    together = dict(first)
    for env in others:
        together |= env
    merged: dict[str, Value] = {}
    for name in together:
        value = first.get(name)
        if value is not None:
            for env in others:
                if env.get(name) is not value:
                    break
            else:
                merged[name] = value
                continue
        options = [env[name] for env in live if name in env]
        if len(options) < len(live) and ("." in name or "[" in name):
            continue
        if all(o is options[0] for o in options):
            merged[name] = options[0]
        else:
            merged[name] = v.choice(
                options, [t for env, t in zip(live, given, strict=True) if name in env] if given else ()
            )
    return merged


def path_of(node: ast.expr) -> str | None:
    """`self.table` or `row['id']` as a key of an environment; None for what is not such a path."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = path_of(node.value)
        return f"{base}.{node.attr}" if base else None
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        base = path_of(node.value)
        return f"{base}[{node.slice.value!r}]" if base else None
    return None
