"""Lists and dictionaries that a function changes in place."""

from __future__ import annotations

import ast

from prodready.read import values as v
from prodready.read.scope import Scope, path_of
from prodready.read.values import Value

ADDERS = frozenset({"append", "add", "insert", "extend", "update", "appendleft", "setdefault"})


class Containers:
    """Keeps what a variable holds up to date when the container it names is changed."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def eval(self, node: ast.expr | None) -> Value:
        """The value of an expression."""
        raise NotImplementedError

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
            self._store(path, old, v.seq([*inner.items, value], is_open=True))

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
                    self._store(path, old, v.seq(items))
                else:
                    self._store(path, old, v.seq(list(inner.items), is_open=True))
                return
            self._store(path, old, v.op("without", old.value if isinstance(old, v.Named) else old, (key,)))

    def delete(self, target: ast.expr) -> None:
        """`del target`."""
        if isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Slice):
            self._without(target.value, self.eval(target.slice))
        elif isinstance(target, (ast.Tuple, ast.List)):
            for element in target.elts:
                self.delete(element)
        elif (path := path_of(target)) and self.scope.env:
            self.scope.env.pop(path, None)

    def _mutate(self, function: ast.Attribute, args: tuple[Value, ...]) -> None:
        """`list.append(x)` and its like change the variable's value in place."""
        path = path_of(function.value) if function.attr in ADDERS else None
        if not path or not args or self.scope.env is None or path not in self.scope.env:
            return
        old = self.scope.env[path]
        inner = v.bare(old)
        added = args[-1]
        if isinstance(inner, v.Map):
            if function.attr == "update":
                new = v.bare(added)
                extra = new.items if isinstance(new, v.Map) else ((None, added),)
                self._store(path, old, v.mapping([*inner.items, *extra]))
            elif function.attr == "setdefault" and len(args) == 2:
                self._store(path, old, v.mapping([*inner.items, (args[0], added)]))
        elif isinstance(inner, (v.Seq, v.Choice)):
            items = list(inner.items) if isinstance(inner, v.Seq) else [v.op("star", old)]
            if function.attr in {"extend", "update"}:
                more = v.bare(added)
                items += more.items if isinstance(more, v.Seq) else (v.op("star", added),)
            else:
                items.append(added)
            is_open = isinstance(inner, v.Choice) or inner.open
            self._store(path, old, v.seq(items, is_open=is_open))
