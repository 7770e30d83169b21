"""Which calls write to a database, and how many of them one path can run: judged by names alone, and by no engine.

What is to be measured must not decide what is measured. So nothing here asks prodready; it errs on the side of seeing
no write, because a mutant that loses nothing would count as a miss.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Iterable, Sequence

import libcst as cst
from mutants_context import DEPTH, Application, decorated, opens
from mutants_source import (
    Source,
    children,
    descend,
    dotted,
    keywords,
    last_name,
    positional,
    receiver,
    statements,
    words,
)

ORM = frozenset(
    "bulk_create bulk_update get_or_create update_or_create abulk_create abulk_update aget_or_create aupdate_or_create "
    "acreate asave adelete aupdate insert_many delete_instance bulk_save_objects bulk_insert_mappings".split()
)
SESSION = frozenset("add add_all delete merge bulk_save_objects bulk_insert_mappings bulk_update_mappings".split())
EXECUTES = frozenset("execute executemany exec exec_driver_sql execute_async fetchrow fetchval".split())
MANAGER = re.compile(r"(?:^|[._])(?:objects|all_objects|query|manager|repo|repository|set)(?:\(\)|$)")
SESSION_NAME = re.compile(r"(?:^|[._])(?:db|sess|session|dbsession|db_session|tx)(?:\(\)|\[\])?$", re.IGNORECASE)
NO_DATABASE = re.compile(
    r"cache|redis|storage|client|request|response|cookie|http|s3|file|image|img|workbook|stripe|api|headers|params|"
    r"context|config|settings|index|bucket|mail|queue|task|logger|os|shutil|parser|environ|widget|canvas",
    re.IGNORECASE,
)
WRITING = re.compile(
    r"^\s*(?:--.*\n\s*|/\*.*?\*/\s*)*(?:WITH\b.*?\b)?(?:INSERT|UPDATE|DELETE|REPLACE|MERGE)\b", re.I | re.S
)
CONSTRUCTS = frozenset({"insert", "update", "delete", "pg_insert"})
VERBS = frozenset("create insert update delete save store add remove link unlink".split())
GETTERS = frozenset("get is has can should render build to format check validate find load fetch list test".split())
LOOPS = (cst.For, cst.While)
ENDS = (cst.Return, cst.Raise, cst.Break, cst.Continue)


Weighing = Callable[[cst.Call], int]
"""1 for a call that writes."""


class Writes:
    """Judges the calls of one file."""

    def __init__(self, source: Source, app: Application) -> None:
        self.source = source
        self.app = app

    def weight(self, call: cst.Call, depth: int = DEPTH) -> int:
        """1 for a call that writes, itself or by a function of the application that it names."""
        return int(self._direct(call) or self._by_helper(call, depth) or self._by_name(call))

    def session_weight(self, call: cst.Call, session: str, depth: int = DEPTH) -> int:
        """1 for a call that makes the session or connection write, or hands it to a function that does."""
        name, on = last_name(call), receiver(call)
        if name in EXECUTES:
            return int(self._writes_sql(call) and (on == session or _is_cursor(on)))
        if on == session and name in SESSION:
            return 1
        if on.startswith(f"{session}.query()") and name in {"delete", "update"}:
            return 1
        given = any(dotted(arg.value) == session for arg in call.args)
        return int(given and self._by_helper(call, depth) and not self._commits(last_name(call)))

    def _direct(self, call: cst.Call) -> bool:
        name, on, args, keys = last_name(call), receiver(call), positional(call), keywords(call)
        if name in EXECUTES:
            return self._writes_sql(call)
        if not on:
            return False
        if SESSION_NAME.search(on) and name in SESSION:
            return bool(args)
        if NO_DATABASE.search(on) and not MANAGER.search(on):
            return False
        if name in ORM:
            return True
        if name == "save":
            return not args and not _is_false(keys.get("commit")) and not _is_module(on)
        if name == "create":
            return bool(MANAGER.search(on) or (on[:1].isupper() and "." not in on and keys))
        if name == "update":
            return (bool(keys) or "filter" in on) and bool(MANAGER.search(on) or "()" in on) and "super()" not in on
        if name == "delete":
            return not args
        if name in {"add", "set", "remove", "clear"}:  # of a many-to-many relation: a set stands in a variable
            parts = on.split(".")
            return len(parts) >= (3 if parts[0] in {"self", "cls"} else 2) and "()" not in on and name != "clear"
        return False

    def _writes_sql(self, call: cst.Call) -> bool:
        args = positional(call)
        return bool(args) and self._is_writing(args[0], call)

    def _is_writing(self, statement: cst.BaseExpression, at: cst.CSTNode) -> bool:
        for node in descend(statement):
            if isinstance(node, cst.SimpleString | cst.FormattedStringText):
                text = node.value if isinstance(node, cst.FormattedStringText) else node.evaluated_value
                return isinstance(text, str) and bool(WRITING.search(text))
            if isinstance(node, cst.Call) and last_name(node) in CONSTRUCTS:
                return True
        if isinstance(statement, cst.Name):
            value = assigned(self.source, statement.value, at)
            return value is not None and value is not statement and self._is_writing(value, value)
        return False

    def _by_helper(self, call: cst.Call, depth: int) -> bool:
        """Whether functions of that name in the application write; a name of one word says too little on an object."""
        name, on = last_name(call), receiver(call)
        if not name or depth <= 0 or name.startswith("__") or GETTERS.intersection(words(name)[:1]):
            return False
        if not on and hasattr(builtins, name):
            return False
        if on not in {"", "self", "cls"} and len(words(name)) < 2:
            return False
        found = self.app.definitions(name)
        if not found or len(found) > 5:
            return False
        return any(_function_writes(self.app, path, order, depth - 1) for path, order in found)

    def _commits(self, name: str) -> bool:
        return any(".commit(" in self.app.body(path, order) for path, order in self.app.definitions(name))

    def _by_name(self, call: cst.Call) -> bool:
        """Whether it is a query that some file of statements defines: `queries.create_article(...)`."""
        first = words(last_name(call))[:1]
        return words(receiver(call))[-1:] == ["queries"] and bool(VERBS.intersection(first))

    # Paths

    def most(self, block: cst.BaseSuite, weigh: Weighing) -> int:
        """The most writes that one run of the block can do; what a loop does counts twice."""
        through, ended = self._block(statements(block), weigh)
        return max(through or 0, ended)

    def through(self, block: Iterable[cst.BaseStatement], weigh: Weighing) -> int:
        """The most writes of a run that comes to the end of the statements."""
        return self._block(block, weigh)[0] or 0

    def _block(self, block: Iterable[cst.BaseStatement], weigh: Weighing) -> tuple[int | None, int]:
        """The most writes of the paths that come to the end of the block (None: none does), and of those that leave."""
        through, ended = 0, 0
        for statement in block:
            on, left = self._statement(statement, weigh)
            ended = max(ended, through + left)
            if on is None:
                return None, ended
            through += on
        return through, ended

    def _statement(self, statement: cst.BaseStatement, weigh: Weighing) -> tuple[int | None, int]:
        if isinstance(statement, cst.SimpleStatementLine):
            count = self.count(statement, weigh)
            ends = any(isinstance(one, ENDS) for one in statement.body)
            return (None if ends else count), count
        if isinstance(statement, cst.FunctionDef | cst.ClassDef):
            return 0, 0
        before = sum(
            self.count(part, weigh)
            for part in children(statement)
            if not isinstance(part, cst.BaseSuite | cst.If | cst.Else | cst.ExceptHandler | cst.Finally | cst.MatchCase)
        )
        on, left = self._compound(statement, weigh)
        return (None if on is None else on + before), left + before

    def _compound(self, statement: cst.BaseStatement, weigh: Weighing) -> tuple[int | None, int]:
        if isinstance(statement, cst.If):
            other = statement.orelse
            arms = [self._suite(statement.body, weigh)]
            if isinstance(other, cst.If):
                arms.append(self._statement(other, weigh))
            else:
                arms.append(self._suite(other.body, weigh) if other else (0, 0))
            return _either(arms)
        if isinstance(statement, LOOPS):
            on, left = self._suite(statement.body, weigh)
            return 2 * max(on or 0, left), 2 * max(on or 0, left)
        if isinstance(statement, cst.With):
            on, left = self._suite(statement.body, weigh)
            if any(opens(item.item) for item in statement.items):  # RULES.md, PRD302, point 4: not added to the others
                return (None if on is None else 0), 0
            return on, left
        if isinstance(statement, cst.Try | cst.TryStar):
            body = self._suite(statement.body, weigh)
            arms = [body, *(self._suite(handler.body, weigh) for handler in statement.handlers)]
            if statement.orelse and body[0] is not None:
                on, left = self._suite(statement.orelse.body, weigh)
                arms[0] = (None if on is None else body[0] + on), max(body[1], body[0] + left)
            on, left = _either(arms)
            last = self._suite(statement.finalbody.body, weigh)[0] or 0 if statement.finalbody else 0
            return (None if on is None else on + last), left + last
        if isinstance(statement, cst.Match):
            return _either([(0, 0), *(self._suite(case.body, weigh) for case in statement.cases)])
        return 0, 0

    def _suite(self, block: cst.BaseSuite, weigh: Weighing) -> tuple[int | None, int]:
        return self._block(statements(block), weigh)

    def count(self, node: cst.CSTNode, weigh: Weighing) -> int:
        """The writes in a statement without a block; one in a comprehension counts twice."""
        total = 0
        for one in descend(node):
            if isinstance(one, cst.Call) and weigh(one):
                total += 2 if any(isinstance(up, cst.BaseComp) for up in self.source.within(one)) else 1
        return total


class Weigh:
    """A way to weigh calls that remembers what it said."""

    def __init__(self, writes: Writes, session: str = "", depth: int = DEPTH) -> None:
        self._writes, self._session, self._depth = writes, session, depth
        self._known: dict[cst.Call, int] = {}

    def __call__(self, call: cst.Call) -> int:
        """1 for a call that writes."""
        if call not in self._known:
            if self._session:
                self._known[call] = self._writes.session_weight(call, self._session, self._depth)
            else:
                self._known[call] = self._writes.weight(call, self._depth)
        return self._known[call]


def _function_writes(app: Application, path: str, order: int, depth: int) -> bool:
    known, key = app.writing, (path, order, depth)
    if key not in known:
        known[key] = False  # for one that calls itself
        source = app.source(path)
        node = source.scopes[order].node if source is not None else None
        if source is not None and isinstance(node, cst.FunctionDef) and not decorated(node, node.name.value):
            writes = Writes(source, app)
            known[key] = writes.most(node.body, Weigh(writes, depth=depth)) > 0
    return known[key]


def assigned(source: Source, name: str, at: cst.CSTNode) -> cst.BaseExpression | None:
    """What a name stands for, if its function, or else the module, assigns to it just once."""
    scope = source.scope(at)
    for block in (scope.node if scope else None, source.module):
        if block is None:
            continue
        found: list[cst.BaseExpression | None] = []
        for node in descend(block):
            if isinstance(node, cst.Assign) and any(dotted(target.target) == name for target in node.targets):
                found.append(node.value)
            elif isinstance(node, cst.AnnAssign | cst.AugAssign) and dotted(node.target) == name:
                found.append(node.value)
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _either(arms: Sequence[tuple[int | None, int]]) -> tuple[int | None, int]:
    through = [on for on, _ in arms if on is not None]
    return (max(through) if through else None), max(left for _, left in arms)


def _is_cursor(on: str) -> bool:
    return bool(re.search(r"(?:^|\.)_?(?:\w*cursor|cur|curs|c|db|conn|connection|cnx)(?:\(\))?$", on))


def _is_false(value: cst.BaseExpression | None) -> bool:
    return isinstance(value, cst.Name) and value.value == "False"


def _is_module(on: str) -> bool:
    return on in {"np", "torch", "joblib", "plt", "fig"}
