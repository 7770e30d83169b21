"""Mutants that lose a transaction: writes that belonged together can come to stand alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import libcst as cst
from mutants_context import Application, decorated, in_transaction, method_of, opens
from mutants_source import Candidate, Scoping, Source, descend, dotted, last_name, receiver, statements, words
from mutants_writes import ENDS, LOOPS, Weigh, Writes

KIND = "transaction"
NEEDLE = re.compile(rb"atomic|commit|in_transaction|\btransaction\(|\bbegin\(")
"""What a file without candidates has not got in it."""

ENGINE = re.compile(r"(?:^|[._])\w*engine(?:\(\))?$")
OPEN_ALREADY = re.compile(r"(?:^|[._])(?:session|sess|conn|connection|db)$")
FEW = "fewer than two writes"
CHAIN = "a chain of get_or_create: low confidence by RULES.md, point 7"
CLEAN_UP = "clean-up of what has expired: low confidence by RULES.md, point 7"
NOTHING_LEFT = "nothing is left for the second commit"
MAKE_SURE = frozenset("get_or_create update_or_create aget_or_create aupdate_or_create".split())
CLEANING = frozenset("clean cleanup purge prune expire expired expiry vacuum gc garbage stale obsolete".split())


def candidates(source: Source, app: Application) -> Iterator[Candidate]:
    """Each transaction in a file, and each function that ends with the one commit of several writes."""
    mutator = _Mutator(source, app)
    for node in source.nodes:
        if isinstance(node, cst.With):
            yield from mutator.block(node)
        elif isinstance(node, Scoping):
            yield from mutator.decorated(node)
            if isinstance(node, cst.FunctionDef):
                yield from mutator.unit_of_work(node)


class _Mutator:
    def __init__(self, source: Source, app: Application) -> None:
        self.source = source
        self.app = app
        self.writes = Writes(source, app)
        self.weigh = Weigh(self.writes)

    def block(self, node: cst.With) -> Iterator[Candidate]:
        """`with transaction.atomic():` and `with Session.begin() as session:`."""
        for item in node.items:
            opened = opens(item.item)
            if opened == "atomic":
                reason = self._few(node.body) or self._low([node.body]) or self._held(item) or self._used(item, node)
                if reason:
                    yield self.source.skipped(KIND, reason, item)
                else:
                    yield self._mutant(self._subkind("atomic", [node.body]), item, _Edit(drop=item))
            elif opened == "begin":
                yield self._begin(node, item)

    def decorated(self, node: Scoping) -> Iterator[Candidate]:
        """`@transaction.atomic` on a function, `@method_decorator(transaction.atomic, name=...)` on a class."""
        for decorator in node.decorators:
            if opens(decorator.decorator) != "atomic":
                continue
            methods: Sequence[cst.FunctionDef] = (
                [node] if isinstance(node, cst.FunctionDef) else _methods(node, decorator)
            )
            bodies = [method.body for method in methods if not self._few(method.body)]
            reason = (self._low(bodies) or self._held(decorator)) if bodies else FEW
            if reason:
                yield self.source.skipped(KIND, reason, decorator)
            else:
                yield self._mutant(self._subkind("decorator", bodies), decorator, _Edit(remove=decorator))

    def unit_of_work(self, function: cst.FunctionDef) -> Iterator[Candidate]:
        """Several writes and one commit at the end: a commit more, after the first write."""
        calls = [
            call for call in descend(function) if isinstance(call, cst.Call) and "commit" in words(last_name(call))
        ]
        found = [call for call in calls if last_name(call) == "commit" and receiver(call) and not call.args]
        if not found:
            return
        commit = found[0]
        line = self._line(commit)
        weigh = Weigh(self.writes, receiver(commit))
        if len(calls) > 1:
            yield self.source.skipped(KIND, "more than one commit", commit)
        elif line is None or not self._ends(line, weigh):
            yield self.source.skipped(KIND, "the commit is not at the end", commit)
        else:
            before: list[cst.BaseStatement] = []
            for up in [line, *self.source.within(line)]:
                if isinstance(up, cst.BaseStatement) and not isinstance(up, cst.FunctionDef):
                    block = self.source.parents[up]
                    around = statements(block) if isinstance(block, cst.IndentedBlock) else []
                    before = [*around[: around.index(up)], *before] if up in around else before
            place = self._split(before, weigh, later=False)
            if place is None:
                yield self.source.skipped(KIND, FEW, commit)
            elif self._is_all_written(place, function, weigh):
                yield self.source.skipped(KIND, NOTHING_LEFT, commit)
            else:
                block = cst.IndentedBlock(body=before)
                again = line.with_changes(leading_lines=[])
                # One commit for each turn of a loop may be meant so: these are counted apart.
                loop = any(isinstance(up, LOOPS) for up in self.source.within(place))
                name = "split-commit in a loop" if loop else "split-commit"
                subkind = self._subkind(name, [block], receiver(commit))
                yield self._mutant(subkind, commit, _Edit(after={place: again}))

    # `begin`

    def _begin(self, node: cst.With, item: cst.WithItem) -> Candidate:
        """A commit after each write in place of one for all."""
        assert isinstance(item.item, cst.Call)
        assert isinstance(item.item.func, cst.Attribute)
        opener = item.item.func.value
        name, given = dotted(opener), dotted(item.asname.name) if item.asname else ""
        session = name if not given or (OPEN_ALREADY.search(name)) else given
        weigh = Weigh(self.writes, session)
        if self.writes.most(node.body, weigh) < 2:
            return self.source.skipped(KIND, FEW, item)
        after = self._lines_that_write(node.body, weigh)
        if not after:
            return self.source.skipped(KIND, FEW, item)
        code = self.source.code(opener) if session == name else session
        commit = cst.parse_statement(f"{'await ' if node.asynchronous else ''}{code}.commit()\n")
        subkind = self._subkind("begin", [node.body], session)
        if session == name:
            return self._mutant(subkind, item, _Edit(drop=item, after=dict.fromkeys(after, commit)))
        func = item.item.func.with_changes(attr=cst.Name("connect")) if ENGINE.search(name) else opener
        call = item.item.with_changes(func=func)
        return self._mutant(subkind, item, _Edit(replace=(item.item, call), after=dict.fromkeys(after, commit)))

    def _lines_that_write(self, block: cst.BaseSuite, weigh: Weigh) -> list[cst.SimpleStatementLine]:
        return [
            line
            for line in descend(block)
            if isinstance(line, cst.SimpleStatementLine)
            and not any(isinstance(one, ENDS) for one in line.body)
            and self.writes.count(line, weigh)
        ]

    # A unit of work

    def _line(self, call: cst.Call) -> cst.SimpleStatementLine | None:
        """The line that consists of nothing but the call."""
        for up in self.source.above(call):
            if isinstance(up, cst.SimpleStatementLine):
                return up if len(up.body) == 1 and isinstance(up.body[0], cst.Expr) else None
            if not isinstance(up, cst.Expr | cst.Await):
                return None
        return None

    def _ends(self, line: cst.SimpleStatementLine, weigh: Weigh) -> bool:
        """Whether no write follows the commit, and no loop and no handler stands around it."""
        node: cst.CSTNode = line
        for up in self.source.within(line):
            if isinstance(up, cst.IndentedBlock):
                block = statements(up)
                if isinstance(node, cst.BaseStatement):
                    if any(self._weight(one, weigh) for one in block[block.index(node) + 1 :]):
                        return False
            elif not isinstance(up, cst.Try | cst.If | cst.Else | cst.With):
                return isinstance(up, cst.FunctionDef)
            elif isinstance(up, cst.Else) and isinstance(self.source.parents[up], LOOPS):
                return False
            node = up
        return False

    def _split(
        self, block: Sequence[cst.BaseStatement], weigh: Weigh, *, later: bool
    ) -> cst.SimpleStatementLine | None:
        """The first write that another one follows."""
        for number, one in enumerate(block):
            follows = later or self.writes.through(block[number + 1 :], weigh) > 0
            if isinstance(one, cst.SimpleStatementLine):
                if follows and self.writes.count(one, weigh) and not any(isinstance(part, ENDS) for part in one.body):
                    return one
            elif not isinstance(one, Scoping):
                for inner in descend(one):
                    if isinstance(inner, cst.IndentedBlock):
                        again = (follows and not _leaves(inner)) or isinstance(self.source.parents[inner], LOOPS)
                        found = self._split(statements(inner), weigh, later=again)
                        if found is not None:
                            return found
        return None

    def _weight(self, statement: cst.BaseStatement, weigh: Weigh) -> int:
        return self.writes.most(cst.IndentedBlock(body=[statement]), weigh)

    def _is_all_written(self, place: cst.SimpleStatementLine, function: cst.FunctionDef, weigh: Weigh) -> bool:
        """Whether all that follows a commit is that rows are added to the session which were changed before it only."""
        if any(isinstance(up, LOOPS) for up in self.source.within(place)):
            return False
        line = self.source.lines(place)[1]
        touched: dict[bool, list[str]] = {True: [], False: []}
        later = []
        for node in descend(function):
            after = self.source.lines(node)[0] > line
            if isinstance(node, cst.Assign):
                touched[after] += [dotted(target.target) for target in node.targets]
            elif isinstance(node, cst.Call):
                touched[after].append(receiver(node))
                later += [node] if after and weigh(node) else []
        rows = [dotted(call.args[0].value) if last_name(call) == "add" and call.args else "" for call in later]
        changed, again = (
            {row for row in rows if any(one.startswith(f"{row}.") for one in touched[after])} for after in (False, True)
        )
        return all(row and row in changed and row not in again and row not in touched[False] for row in rows)

    # Skips

    def _low(self, blocks: Sequence[cst.BaseSuite]) -> str:
        """Why RULES.md gives what these writes leave half done low confidence, if it does."""
        calls = [node for block in blocks for node in descend(block) if isinstance(node, cst.Call)]
        if any(last_name(call) in MAKE_SURE for call in calls):
            if all(self.writes.most(block, self._but_made_sure) < 2 for block in blocks):
                return CHAIN
        scope = self.source.scope(blocks[0])
        named = {*words(scope.qualname if scope else ""), *words(self.source.path.rpartition("/")[2])}
        return CLEAN_UP if named & CLEANING else ""

    def _but_made_sure(self, call: cst.Call) -> int:
        """1 for a call that writes and finds nothing there: links that are added or set twice are there once."""
        linked = last_name(call) in {"add", "set"} and "." in receiver(call)
        return 0 if linked or last_name(call) in MAKE_SURE else self.weigh(call)

    def _few(self, block: cst.BaseSuite) -> str:
        return FEW if self.writes.most(block, self.weigh) < 2 else ""

    def _held(self, at: cst.WithItem | cst.Decorator) -> str:
        """Why the writes are still in a transaction, if they are."""
        node = self.source.parents[at]
        scope = self.source.scope(node)
        if isinstance(at, cst.Decorator) and isinstance(node, cst.FunctionDef):
            held: list[Scoping] = [node, *(up for up in self.source.above(node) if isinstance(up, cst.ClassDef))]
            others = any(decorated(one, node.name.value, at) for one in held)
        else:
            others = in_transaction(self.source, node, at)
        if others:
            return "inside another transaction"
        if self.app.atomic_requests and self.app.by_request(self.source.path):
            return "ATOMIC_REQUESTS"
        name = scope.node.name.value if scope is not None else ""
        if len(words(name)) > 1 and self.app.callers_hold(name):  # `post` and `save` are called by frameworks
            return "callers hold a transaction"
        return ""

    def _used(self, item: cst.WithItem, node: cst.With) -> str:
        name = dotted(item.asname.name) if item.asname else ""
        used = any(isinstance(one, cst.Name) and one.value == name for one in descend(node.body))
        return "the transaction is used by name" if name and used else ""

    def _subkind(self, name: str, blocks: Sequence[cst.BaseSuite], session: str = "") -> str:
        """What it is, and whether it takes the writes of other functions to make two."""
        direct = Weigh(self.writes, session, depth=0)
        return name if any(self.writes.most(block, direct) > 1 for block in blocks) else f"{name}, with helpers"

    def _mutant(self, subkind: str, at: cst.CSTNode, edit: _Edit) -> Candidate:
        return self.source.mutant(KIND, subkind, at, self.source.module.visit(edit).code)


class _Edit(cst.CSTTransformer):
    """Takes an item from a `with`, or all of it from around its body; removes a decorator; adds lines after lines."""

    def __init__(
        self,
        *,
        drop: cst.WithItem | None = None,
        remove: cst.Decorator | None = None,
        replace: tuple[cst.CSTNode, cst.CSTNode] | None = None,
        after: Mapping[cst.SimpleStatementLine, cst.BaseStatement] = {},
    ) -> None:
        super().__init__()
        self.drop, self.remove, self.replace, self.after = drop, remove, replace, after

    def on_leave(  # type: ignore[override]
        self, original_node: cst.CSTNode, updated_node: cst.CSTNode
    ) -> cst.CSTNode | cst.RemovalSentinel | cst.FlattenSentinel[cst.CSTNode]:
        if original_node is self.remove:
            return cst.RemoveFromParent()
        if self.replace is not None and original_node is self.replace[0]:
            return self.replace[1]
        if isinstance(original_node, cst.SimpleStatementLine) and original_node in self.after:
            return cst.FlattenSentinel([updated_node, self.after[original_node]])
        if isinstance(original_node, cst.With) and isinstance(updated_node, cst.With):
            if self.drop is not None and self.drop in original_node.items:
                return _without(updated_node, original_node.items.index(self.drop))
        return updated_node


def _without(node: cst.With, number: int) -> cst.With | cst.FlattenSentinel[cst.CSTNode]:
    """A `with` less one item, which may be the only one."""
    items = [item for index, item in enumerate(node.items) if index != number]
    if items:
        items[-1] = items[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return node.with_changes(items=items)
    first, *others = statements(node.body)
    lines = [*node.leading_lines, *getattr(first, "leading_lines", ())]
    return cst.FlattenSentinel([first.with_changes(leading_lines=lines), *others])


def _leaves(block: cst.IndentedBlock) -> bool:
    """Whether a block ends the function."""
    last = statements(block)[-1]
    return isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], cst.Return | cst.Raise)


def _methods(node: cst.ClassDef, decorator: cst.Decorator) -> list[cst.FunctionDef]:
    """The methods that a decorator of the class is for."""
    wanted = method_of(decorator)
    methods = [one for one in node.body.body if isinstance(one, cst.FunctionDef)]
    return [one for one in methods if wanted in (one.name.value, "dispatch")]
