"""The application around a mutant, by the names in it: who calls a function, and whether a transaction is open there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

import libcst as cst
from mutants_source import Scoping, Source, dotted, last_name

ATOMIC = frozenset({"atomic", "commit_on_success", "in_transaction"})
ATOMIC_REQUESTS = re.compile(rb"""ATOMIC_REQUESTS['"]?\]?\s*[:=](?!=)\s*(?!False|None)[^\s#]""")
NO_REQUEST = re.compile(r"(?:^|[/_])(?:management|commands|\w*tasks?|celery|jobs?|cron|cli|scripts?)(?:[/_.]|$)")
ADMIN = frozenset("save_model save_related save_formset delete_model log_change log_addition log_deletion".split())
"""Methods that the views of Django's admin run inside of a transaction of theirs."""

DEPTH = 2
"""Of callers of callers, and of helpers of helpers."""

KEPT = 150
"""Parsed files; a large application has no room in memory as a whole."""


class Application:
    """The files of an application, tests left out, by their paths; `pages` are the texts of its front end."""

    def __init__(self, files: Mapping[str, bytes], pages: Mapping[str, bytes] | None = None) -> None:
        self.files = dict(files)
        self.pages = {path: data.decode("utf-8", "replace") for path, data in (pages or {}).items()}
        self.atomic_requests = any(ATOMIC_REQUESTS.search(data) for data in files.values())
        self.source = lru_cache(KEPT)(self._source)
        self.definitions = lru_cache(None)(self._definitions)
        self.writing: dict[tuple[str, int, int], bool] = {}
        """Whether a function writes, by its path, its number and how deep the helpers were followed."""
        self._held: dict[str, bool] = {}

    def _source(self, path: str) -> Source | None:
        try:
            return Source(path, self.files[path])
        except (cst.ParserSyntaxError, UnicodeDecodeError, RecursionError):
            return None

    def mentioning(self, name: str) -> Iterator[Source]:
        """The files in which a name stands."""
        pattern = re.compile(rb"\b%s\b" % re.escape(name).encode())
        for path, data in self.files.items():
            if pattern.search(data):
                source = self.source(path)
                if source is not None:
                    yield source

    def _definitions(self, name: str) -> tuple[tuple[str, int], ...]:
        """Where functions of this name are: path and number in the file."""
        pattern = re.compile(rb"\bdef\s+%s\b" % re.escape(name).encode())
        sources = [self.source(path) for path, data in self.files.items() if pattern.search(data)]
        return tuple(
            (source.path, scope.order)
            for source in filter(None, sources)
            for scope in source.scopes
            if isinstance(scope.node, cst.FunctionDef) and scope.node.name.value == name
        )

    def body(self, path: str, order: int) -> str:
        """The text of a function."""
        source = self.source(path)
        return source.code(source.scopes[order].node) if source is not None else ""

    def by_request(self, path: str) -> bool:
        """Whether what stands in a file is run by requests, and not by a command or a worker."""
        return not NO_REQUEST.search(path)

    def callers_hold(self, name: str, depth: int = DEPTH) -> bool:
        """Whether a function of this name is called at all, and everywhere inside a transaction."""
        if name not in self._held:
            self._held[name] = False  # for one that calls itself
            self._held[name] = self._all_held(name, depth)
        return self._held[name]

    def _all_held(self, name: str, depth: int) -> bool:
        seen = False
        for source in self.mentioning(name):
            for node in source.nodes:
                if isinstance(node, cst.Call) and last_name(node) == name:
                    scope = source.scope(node)
                    if scope is not None and scope.node.name.value == name:
                        continue
                    if scope is not None and scope.node.name.value in ADMIN and "." in scope.qualname:
                        seen = True
                        continue
                    if not in_transaction(source, node) and not (
                        depth and scope is not None and self.callers_hold(scope.node.name.value, depth - 1)
                    ):
                        return False
                    seen = True
        return seen


def opens(expression: cst.BaseExpression) -> str:
    """What a with-item or a decorator opens: `atomic` (also a driver's transaction), `begin`, or nothing."""
    call = expression if isinstance(expression, cst.Call) else None
    name = last_name(expression)
    if name == "method_decorator" and call is not None and call.args:
        return opens(call.args[0].value)
    if name in ATOMIC:
        return "atomic"
    if call is not None and name == "transaction" and isinstance(call.func, cst.Attribute):
        return "atomic"
    if call is not None and name == "begin" and not call.args and dotted(call.func):
        return "begin"
    return ""


def in_transaction(source: Source, node: cst.CSTNode, but: cst.CSTNode | None = None) -> bool:
    """Whether a node stands in a transaction that its own function or class opens; `but` does not count."""
    inside = node
    for up in source.within(node):
        if isinstance(up, cst.With) and inside is up.body:
            if any(opens(item.item) and item is not but for item in up.items):
                return True
        inside = up
    scope = source.scope(node)
    if scope is None:
        return False
    held = [scope.node, *(up for up in source.above(scope.node) if isinstance(up, cst.ClassDef))]
    return any(decorated(one, scope.node.name.value, but) for one in held)


def decorated(node: Scoping, method: str, but: cst.CSTNode | None = None) -> bool:
    """Whether a function is decorated with a transaction, or a class for this method of it."""
    for decorator in node.decorators:
        if decorator is not but and opens(decorator.decorator):
            if isinstance(node, cst.FunctionDef) or method_of(decorator) in (method, "dispatch"):
                return True
    return False


def method_of(decorator: cst.Decorator) -> str:
    """The method that `@method_decorator(..., name="dispatch")` on a class speaks of."""
    call = decorator.decorator
    for arg in call.args if isinstance(call, cst.Call) else ():
        if arg.keyword is not None and arg.keyword.value == "name" and isinstance(arg.value, cst.SimpleString):
            return str(arg.value.evaluated_value)
    return ""
