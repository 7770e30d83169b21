"""Lists and dictionaries that a function changes in place."""

from __future__ import annotations

import ast

from prodready.read import values as v
from prodready.read.facts import ParamFact
from prodready.read.scope import Scope, path_of
from prodready.read.values import Value

MAPPINGS = frozenset({"dict", "collections.OrderedDict", "types.MappingProxyType"})
SEQUENCES = frozenset({"list", "tuple", "set", "frozenset", "collections.deque"})
EMPTY = frozenset({"str", "int", "float", "bool", "list", "dict", "set"})
"""Factories that make what holds nothing yet."""

ADDERS = frozenset({"append", "add", "insert", "extend", "update", "appendleft", "setdefault"})


class Containers:
    """Keeps what a variable holds up to date when the container it names is changed."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def eval(self, node: ast.expr | None) -> Value:
        """The value of an expression."""
        raise NotImplementedError

    @property
    def _limit(self) -> int:
        return v.MAX_TABLE if self.scope.is_module else v.MAX_SIZE

    def _by_name(self, value: Value) -> Value:
        """The name of a large table of module code in place of what it holds, for what it is built into."""
        if not self.scope.is_module or v.size(value) <= v.MAX_SIZE // 4:
            return value
        if isinstance(value, v.Named):
            bound = (self.scope.env or {}).get(value.name) is value and value.name in self.scope.module.once
            return v.Ref(f":{value.name}") if bound and isinstance(v.bare(value), (v.Seq, v.Map)) else value
        if isinstance(value, v.Seq):
            return v.seq([self._by_name(item) for item in value.items], is_open=value.open, limit=self._limit)
        return v.op("star", self._by_name(value.subject)) if isinstance(value, v.Op) and v.is_star(value) else value

    def _called(
        self,
        target: Value,
        args: tuple[Value, ...],
        keywords: tuple[tuple[str, Value], ...],
        line: int,
        column: int,
    ) -> Value:
        """The value of a call; large tables stand in it by their names."""
        if self.scope.is_module and sum(map(v.size, args)) + sum(v.size(x) for _, x in keywords) >= v.MAX_SIZE:
            args = tuple(map(self._by_name, args))
            keywords = tuple((key, self._by_name(x)) for key, x in keywords)
        return v.call(target, args, keywords, line, column, limit=self._limit)

    def _each(self, iterated: Value) -> Value:
        """An element of what is gone through."""
        return v.op("each", self._by_name(iterated))

    def _bind_item(self, target: ast.Subscript, value: Value) -> None:
        key, path = self.eval(target.slice), path_of(target.value)
        old = self.eval(target.value)
        if path is None or self.scope.env is None or path not in self.scope.env:
            return
        inner = v.bare(old)
        if not isinstance(inner, (v.Map, v.Seq)) and isinstance(value, v.Const):
            # `fields["password"] = "***"`: what stood there is gone.
            gone = v.op("without", old.value if isinstance(old, v.Named) else old, (key,))
            self._store(path, old, gone)
        elif isinstance(inner, v.Map):
            kept = [(k, x) for k, x in inner.items if k != key]
            self._store(path, old, v.mapping([*kept, (key, value)]))
        elif isinstance(inner, v.Seq):
            self._store(path, old, v.seq([*inner.items, value], is_open=True, limit=self._limit))

    def _store(self, path: str, old: Value, value: Value) -> None:
        """Put a changed container back, under the name it had."""
        if isinstance(old, v.Named):
            value = v.named(old.name, value, old.line, old.column)
        if self.scope.env is not None:
            self.scope.env[path] = value

    def _without(self, container: ast.expr, key: Value) -> None:
        """A mapping after a key was taken out of it in place."""
        path = path_of(container)
        if path and self.scope.env and path in self.scope.env:
            old = self.scope.env[path]
            inner = v.bare(old)
            if isinstance(inner, v.Seq):
                at = key.value if isinstance(key, v.Const) else None
                if isinstance(at, int) and not inner.open and -len(inner.items) <= at < len(inner.items):
                    items = list(inner.items)
                    del items[at]
                    self._store(path, old, v.seq(items, limit=self._limit))
                else:
                    self._store(path, old, v.seq(list(inner.items), is_open=True, limit=self._limit))
                return
            self._store(path, old, v.op("without", old.value if isinstance(old, v.Named) else old, (key,)))

    def _flag(self, mapping: ast.expr, args: tuple[Value, ...]) -> Value | None:
        """`options.pop("commit", False)` of `**options`: a parameter by that name, whatever the signature says."""
        scope, (key, default) = self.scope, args
        if not isinstance(mapping, ast.Name) or not scope.mapping or mapping.id != scope.mapping:
            return None
        if not isinstance(key, v.Const) or not isinstance(key.value, str) or not key.value.isidentifier():
            return None
        if not isinstance(default, v.Const) or not isinstance(default.value, bool) or key.value in (scope.env or {}):
            return None
        scope.flags.setdefault(key.value, ParamFact(key.value, "=", None, default))
        return v.Param(key.value)

    def delete(self, target: ast.expr) -> None:
        """`del target`."""
        if isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Slice):
            self._without(target.value, self.eval(target.slice))
        elif isinstance(target, (ast.Tuple, ast.List)):
            for element in target.elts:
                self.delete(element)
        elif (path := path_of(target)) and self.scope.env:
            self.scope.env.pop(path, None)

    def _made(self, target: Value, args: tuple[Value, ...], keywords: tuple[tuple[str, Value], ...]) -> Value | None:
        """The container that a call makes, where the call shows all of it."""
        name = v.dotted(target)
        if name in SEQUENCES and not args and not keywords:
            return v.seq([])
        emptied = name == "collections.defaultdict" and bool(args) and v.dotted(args[0]) in EMPTY
        if not emptied and name not in MAPPINGS:
            return None
        given: list[tuple[Value | None, Value]] = [
            (v.Const(key) if key != "**" else None, value) for key, value in keywords
        ]
        if emptied:
            given.insert(0, (None, v.Const("")))
            args = args[1:]
        if not args:
            return v.mapping(given)
        inner = v.bare(args[0])
        return v.mapping([*inner.items, *given]) if len(args) == 1 and isinstance(inner, v.Map) else None

    def _mutate(
        self, function: ast.Attribute, args: tuple[Value, ...], keywords: tuple[tuple[str, Value], ...]
    ) -> None:
        """`list.append(x)` and its like change the variable's value in place."""
        if function.attr not in ADDERS or self.scope.env is None:
            return
        path = path_of(function.value)
        if path and path in self.scope.env:
            changed = self._changed(self.scope.env[path], function.attr, args, keywords)
            if changed is not None:
                self._store(path, self.scope.env[path], changed)
        elif isinstance(function.value, ast.Subscript) and path_of(function.value.value) in self.scope.env:
            changed = self._changed(self.eval(function.value), function.attr, args, keywords)
            if changed is not None:
                self._bind_item(function.value, changed)

    def _changed(
        self, old: Value, method: str, args: tuple[Value, ...], keywords: tuple[tuple[str, Value], ...]
    ) -> Value | None:
        """A container after one of its methods was called; None if that is not known."""
        inner = v.bare(old)
        added = args[-1] if args else v.mapping([(v.Const(key), value) for key, value in keywords if key != "**"])
        if not args and (method != "update" or not keywords):
            return None
        if isinstance(inner, v.Map):
            if method == "update":
                new = v.bare(added)
                return v.mapping([*inner.items, *(new.items if isinstance(new, v.Map) else ((None, added),))])
            if method == "setdefault" and len(args) == 2:
                return v.mapping([*inner.items, (args[0], added)])
        elif isinstance(inner, (v.Seq, v.Choice)):
            items = list(inner.items) if isinstance(inner, v.Seq) else [v.op("star", old)]
            if method in {"extend", "update"}:
                if v.size(old) + v.size(added) >= v.MAX_TABLE:
                    added = self._by_name(added)
                more = v.bare(added)
                items += more.items if isinstance(more, v.Seq) else (v.op("star", added),)
            else:
                items.append(added)
            return v.seq(items, is_open=isinstance(inner, v.Choice) or inner.open, limit=self._limit)
        return None
