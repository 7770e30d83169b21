"""The writes that happen on one path through a function, outside of every transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

import msgspec
from msgspec.structs import replace

from prodready.link.conditions import Steps, agrees, alternatives, if_shown, joined, opposite
from prodready.link.deeds import ALONE, Deeds, varies
from prodready.link.frames import Bound, Frame
from prodready.link.openings import Deed
from prodready.link.rebuilding import plain
from prodready.link.sinks import place
from prodready.link.writes import EMPTY, MOST, NOTHING, Conditions, Path, Waiting, Write, worst
from prodready.read import values as v
from prodready.read.facts import BREAK, CONTINUE, RAISE, RETURN, YIELD, CallFact, Flow, calls_in, last_name
from prodready.read.values import Value
from prodready.words import split_words

MAKING = frozenset({"create", "insert"})
"""Words in names of methods that write new rows."""

STAMPS = frozenset("updated modified changed last accessed seen touched visited used activity".split())
"""Words in names of columns that say when something happened last."""

FETCHING = frozenset({"get", "first", "last", "latest", "earliest", "get_object_or_404", "get_or_404", "get_by_id"})
"""Calls that give a row that is there."""

LINKING = frozenset({"add", "remove", "set", "clear", "get", "filter", "all", "exists", "exclude"})
"""Methods of what a row is linked to that leave the row itself as it is."""

COMMIT = "a commit"
"""What is written by a commit of which nothing is known."""


class _Exits(msgspec.Struct):
    """How a stretch of code can be left other than at its end."""

    returned: list[Path] = msgspec.field(default_factory=list)
    raised: list[Path] = msgspec.field(default_factory=list)
    broken: list[Path] = msgspec.field(default_factory=list)
    continued: list[Path] = msgspec.field(default_factory=list)


class Walker:
    """Follows the paths of one function."""

    def __init__(self, deeds: Deeds, frame: Frame, found: Mapping[int, Deed]) -> None:
        self.deeds = deeds
        self.frame = frame
        self.found = found
        self._inner: dict[int, tuple[Path, Path | None]] = {}
        self._commits = any(deed.kind == "commit" for deed in found.values())
        # Objects that the function holds, whatever they are: it changes something of them.
        self.changed = {deed.root for deed in found.values() if deed.kind == "change"}
        self._entered = {(call.line, call.column) for call in _entered(frame.function.flow)}

    @cached_property
    def _chosen(self) -> frozenset[int]:
        return self.deeds.chosen(self.frame)

    def worst(self) -> tuple[Path, Path]:
        """The worst path through the function, and the worst of those that come back to the caller."""
        ends = [self._ends_given(given) for given in alternatives(self.frame.function.flow)]
        back = worst([one for returned, _ in ends for one in returned]) or EMPTY
        found = worst([back, *(one for _, raised in ends for one in raised)]) or EMPTY
        ended = replace(back.add(back.alone), alone=())
        return ended if found is back else replace(found.add(found.alone), alone=()), ended

    def _ends_given(self, given: Conditions) -> tuple[list[Path | None], list[Path]]:
        """The paths that return and those that raise if these conditions come out so."""
        exits = _Exits()
        end = self._run(self.frame.function.flow, Path(given=given), exits)
        return [end, *exits.returned], exits.raised

    def called(self, deed: Deed) -> tuple[Path, Path | None]:
        """What a call of a function of the project adds to the path, and what if it raises, where that is more."""
        raise NotImplementedError

    def stirs(self, fact: CallFact) -> bool:
        """Whether a call of which nothing is known that it writes may have changed rows all the same."""
        raise NotImplementedError

    def _run(self, steps: Steps, path: Path | None, exits: _Exits) -> Path | None:
        for step in steps:
            if path is None:
                return None
            if isinstance(step, Flow):
                path = getattr(self, f"_{step.kind}")(step, path, exits)
            elif step >= 0:
                path = self._happens(step, path, exits)
            elif step != YIELD:
                kept = {RETURN: exits.returned, RAISE: exits.raised, BREAK: exits.broken, CONTINUE: exits.continued}
                kept[step].append(path)
                return None
        return path

    def _happens(self, index: int, path: Path, exits: _Exits) -> Path:
        deed = self.found.get(index)
        if deed is None:
            if self._commits and not path.stirred and self.stirs(self.frame.function.calls[index]):
                path = replace(path, stirred=True)
            used = _used(self.frame.function.calls[index].value) if path.clean else ()
            return replace(path, clean=tuple(row for row in path.clean if row not in used)) if used else path
        match deed.kind:
            case "write" | "ensure":
                return path if path.open else self._save(deed, path)
            case "change" | "stage":
                known = not deed.label or deed.label in path.labels or deed.label.endswith("()")
                labels = path.labels if known else (*path.labels, deed.label)
                fresh = deed.fresh and deed.kind == "stage" and deed.root not in self.changed
                root = None if fresh else deed.root
                if deed.kind == "stage" and deed.root in path.clean:
                    return path
                path = replace(path, clean=tuple(row for row in path.clean if row != deed.root))
                slight = deed.kind == "change" and _changes_little(deed)
                handed = _parameter(deed) if deed.kind == "stage" else ""
                pending = (*path.pending, Waiting(root, slight, self._missing(deed.root, path), handed))[-MOST:]
                return replace(path, pending=pending, labels=labels, made=path.made or makes(deed))
            case "alone":  # whether it commits is a matter of the version
                return path if path.open else replace(path, alone=(*path.alone, self._write(deed)))
            case "send":
                return replace(path, sent=True)
            case "commit":
                return self._commit(deed, path)
            case "savepoint":
                by_hand = (deed.fact.value.line, deed.fact.value.column) not in self._entered
                return replace(path, nested=True) if by_hand else path
            case "begin":
                return replace(path, open=True)
            case "end":
                return replace(path, open=False)
            case "rollback":
                return replace(path, open=False, pending=(), labels=(), made=False)
            case "call":
                return path if path.open or index in self._chosen else self._call(index, deed, path, exits)
        return path

    def _call(self, index: int, deed: Deed, path: Path, exits: _Exits) -> Path:
        if index not in self._inner:
            self._inner[index] = self.called(deed)
        back, off = self._inner[index]
        exits.raised += [self._with_called(deed, path, off)] if off is not None else []
        return self._with_called(deed, path, back)

    def _with_called(self, deed: Deed, path: Path, inner: Path) -> Path:
        if deed.root is not None and self._is_slight(deed, path):
            inner = replace(inner, writes=tuple(replace(write, kind="ensure") for write in inner.writes))
        if any(self._is_gone(write, path) for write in inner.writes):
            writes = tuple(replace(w, kind="ensure") if self._is_gone(w, path) else w for w in inner.writes)
            inner = replace(inner, writes=writes)
        missing = self._missing(deed.root, path) if makes(deed) else None
        if missing is not None:
            writes = tuple(replace(write, missing=missing if write.own else None) for write in inner.writes)
            inner = replace(inner, writes=writes)
        if path.pending or path.stirred:
            inner = replace(inner, writes=tuple(replace(write, bare=False) for write in inner.writes))
        needs, under = path.needs, path.not_found
        if needs or under:
            writes = tuple(
                replace(write, needs=(*write.needs, *needs), under=(*write.under, *under)) for write in inner.writes
            )
            inner = replace(inner, writes=writes)
        after = path.add(inner.writes)
        if any(write.kind == "commit" for write in inner.writes):
            after = replace(after, pending=(), labels=(), clean=(*path.clean, *_used(deed.fact.value)))
        return replace(
            after,
            made=after.made or inner.made,
            pending=(*after.pending, *(replace(one, root=None, missing=None, handed="") for one in inner.pending)),
            labels=(*after.labels, *(label for label in inner.labels if label not in after.labels)),
        )

    def _save(self, deed: Deed, path: Path) -> Path:
        asked = tuple((name, v.Const(True)) for name in deed.unless)
        missing = self._missing(deed.root, path) if makes(deed) else None
        needs = (*path.needs, *asked)
        write = replace(self._write(deed), needs=needs, missing=missing, under=path.not_found, sent=path.sent)
        if deed.root is not None and (self._is_slight(deed, path) or self._is_untouched(deed)):
            write = replace(write, kind="ensure")
        if self._is_gone(write, path):
            write = replace(write, kind="ensure")
        kept = tuple(one for one in path.pending if one.root is None or one.root != deed.root)
        return replace(path.add([write]), pending=kept)

    def _is_untouched(self, deed: Deed) -> bool:
        """Whether a row that was looked up is saved, and the function does nothing to it but change what it is linked to."""
        row = deed.root
        if deed.fact.name != "save" or row is None or not _is_fetched(row):
            return False
        calls = self.frame.function.calls
        return not any(row in _given_to(fact.value) for fact in calls if fact is not deed.fact)

    def _missing(self, row: Value | None, path: Path) -> Value | None:
        """What was looked for on the way and not found, if a new row is of the same table.

        What was looked for by a row that was just made is not found the next time either: that makes another one.
        """
        table = self.deeds.table(Bound(row, self.frame)) if row is not None and path.not_found else None
        if table is None:
            return None
        made = [write.root for write in path.writes if write.makes and not _is_fetched(write.root)]
        for subject in path.not_found:
            if any(one in made for one in v.walk(subject)):
                continue
            named = (one for one in v.walk(subject) if isinstance(one, (v.Ref, v.Attr)))
            if any(self.deeds.infer.symbol_of(one, self.frame) == table for one in named):
                return subject
        return None

    def _is_gone(self, write: Write, path: Path) -> bool:
        """Whether the rows that are removed went with one that was removed before."""
        gone = [other.table for other in path.writes if other.table is not None]
        return write.table is not None and any(self.deeds.goes_with(write.table, table) for table in gone)

    def _is_slight(self, deed: Deed, path: Path) -> bool:
        """Whether a row is saved only for slight changes; a form stores more than what the function changes."""
        target = deed.fact.value.target
        itself = isinstance(target, v.Attr) and plain(target.base) == deed.root
        changes = [one.slight for one in path.pending if one.root == deed.root] if itself else []
        return bool(changes) and all(changes)

    def _commit(self, deed: Deed, path: Path) -> Path:
        if path.nested:
            return replace(path, nested=False)
        after = replace(path, open=False, pending=(), labels=(), alone=(), made=False)
        if path.alone:
            return after.add([self._write(deed)])
        if path.open or (not path.pending and (path.clean or any(write.kind == "commit" for write in path.writes))):
            return after  # a second commit of nothing is none
        roots = {one.root for one in path.pending}
        root = next(iter(roots)) if len(roots) == 1 else None
        stamps = bool(path.pending) and all(one.slight for one in path.pending)
        kind = "ensure" if stamps else "commit"
        label = ", ".join(path.labels[:3]) or COMMIT
        write = replace(
            self._write(deed), kind=kind, root=root, label=label, makes=path.made, needs=path.needs, rows=tuple(roots)
        )
        missing = {one.missing for one in path.pending}
        write = replace(
            write,
            bare=not path.pending and not path.stirred,
            missing=missing.pop() if len(missing) == 1 else None,
            under=path.not_found,
            handed=path.pending[0].handed if len(path.pending) == 1 else "",
        )
        return after.add([write])

    def _write(self, deed: Deed) -> Write:
        root = None if deed.fresh else deed.root
        removes = "delete" in deed.fact.name
        return Write(
            deed.label,
            deed.kind,
            place(self.frame.path, deed.fact.span),
            root,
            assumed=deed.assumed or deed.kind == ALONE,
            store=deed.store,
            makes=makes(deed),
            removes=removes,
            expired=_is_below_limit(deed.fact.value),
            call=deed.fact.value,
            table=self.deeds.table(Bound(deed.root, self.frame)) if removes and deed.root is not None else None,
        )

    # Compound statements

    def _with(self, flow: Flow, path: Path, exits: _Exits) -> Path | None:
        if not self.deeds.enters(flow, self.frame):
            return self._run(flow.arms[0], path, exits)
        inner = _Exits()
        end = self._run(flow.arms[0], Path(open=True, known=path.known, needed=path.needed, given=path.given), inner)
        for mine, theirs in zip(
            (exits.returned, exits.raised, exits.broken, exits.continued),
            (inner.returned, inner.raised, inner.broken, inner.continued),
            strict=True,
        ):
            mine.extend([path] * bool(theirs))
        return path if end is not None else None

    def _branch(self, flow: Flow, path: Path, exits: _Exits) -> Path | None:
        if not flow.values or len(flow.arms) != 2:
            return worst([self._run(arm, path, exits) for arm in flow.arms])
        subject, value = flow.values
        for other, known in (*path.known, *path.given):
            told = agrees(known, value) if other == subject else None
            if told is not None:
                if (other, known) not in path.known:
                    path = replace(path, known=(*path.known, (other, known)))
                end = self._run(flow.arms[0 if told else 1], if_shown(path, subject, known), exits)
                passed = self._run(flow.arms[1 if told else 0], path, _Exits()) is not None
                return joined(end, path) if passed else end
        otherwise = opposite(value)
        starts = [if_shown(path, subject, value), path if otherwise is None else if_shown(path, subject, otherwise)]
        absent = 0 if value in NOTHING else 1 if otherwise in NOTHING else None
        order = (1, 0) if absent == 0 else (0, 1)
        ends: list[Path | None] = [None, None]
        for arm in order:
            # Who turns away what is there already does not go on with it the next time.
            if arm == absent and flow.arms[arm] and ends[1 - arm] is not None:
                starts[arm] = replace(starts[arm], not_found=(*path.not_found, subject))
            ends[arm] = self._run(flow.arms[arm], starts[arm], exits)
        return worst([joined(end, path) for end in ends] if None not in ends else ends)

    def _while(self, flow: Flow, path: Path, exits: _Exits) -> Path | None:
        return self._loop(flow, path, exits)

    def _loop(self, flow: Flow, path: Path, exits: _Exits) -> Path | None:
        inner = _Exits()
        start = Path(
            open=path.open,
            known=path.known,
            needed=path.needed,
            given=path.given,
            stirred=True,
            not_found=path.not_found,
        )
        again = worst([self._run(flow.arms[0], start, inner), *inner.continued])
        if again is not None:  # one commit after the loop would do as well
            writes = tuple(replace(w, missing=None) if w.kind == "commit" else w for w in again.writes)
            again = replace(again, writes=writes)
        rounds = [self.frame.function.calls[index].value for index in calls_in(flow.arms[0])]
        made = frozenset((call.line, call.column) for call in rounds)
        tolerant = flow.arms[0] if flow.kind == "while" or _is_tolerant(flow.arms[0]) else self._tried(flow.arms[0])
        lines = {self.frame.function.calls[index].span.first for index in calls_in(tolerant)}
        repeated = path.add(_repeat(again.writes, made, lines)) if again is not None else path
        if again is not None:
            alone = (*path.alone, *_repeat(again.alone, made, lines))
            pending = (*path.pending, *again.pending)[-MOST:]
            repeated = replace(repeated, open=again.open, pending=pending, alone=alone)
        if any(one.sent for one in (again, *inner.continued, *inner.broken) if one is not None):
            repeated = replace(repeated, sent=True)
        for kept, ended in ((exits.returned, inner.returned), (exits.raised, inner.raised)):
            kept += [repeated.add(one.writes) for one in ended]
        after = worst([repeated, *(repeated.add(one.writes) for one in inner.broken)])
        return self._run(flow.arms[1], after, exits) if len(flow.arms) > 1 else after

    def _tried(self, body: Steps) -> Steps:
        """What is tried in a round, and goes on to the next one, or is taken back, where it fails."""
        found: list[int | Flow] = []
        for step in body:
            if isinstance(step, Flow):
                if step.kind == "try" and any(
                    _continues(handler) or self._undoes(handler) for handler in step.arms[3:]
                ):
                    found += step.arms[0]
                elif step.kind == "try" and step is body[-1] and _is_tolerant((step,)):
                    found += (*step.arms[0], *step.arms[1])  # what fails is put down, and the round is over
                elif step.kind == "branch" and step is body[-1]:
                    found += (inner for arm in step.arms for inner in self._tried(arm))
                elif step.kind in {"branch", "with", "try"}:
                    found += self._tried(tuple(inner for arm in step.arms for inner in arm))
        return tuple(found)

    def _undoes(self, handler: Steps) -> bool:
        return any((deed := self.found.get(index)) and deed.kind == "rollback" for index in calls_in(handler))

    def _try(self, flow: Flow, path: Path, exits: _Exits) -> Path | None:
        body, orelse, final, *handlers = flow.arms
        inner, ended = _Exits(), _Exits()
        end = self._run(body, replace(path, writes=()), inner)
        everything = [end, *inner.returned, *inner.raised, *inner.broken, *inner.continued]
        reached = worst(everything) or Path()
        # The last write of the body is the one that fails: what was written before it stands.
        last = reached.writes[-1].line if reached.writes else 0
        stands = tuple(write for write in reached.writes if write.line != last)
        starts = [path.add(stands), *(path.add(one.writes) for one in inner.raised)]
        starts = [replace(one, open=path.open or reached.open) for one in starts]
        ends = []
        for handler, caught in zip(handlers, flow.values, strict=True):
            if not self.deeds.means_missing(caught, self.frame):
                ends += [self._run(handler, start, ended) for start in starts]
                continue
            # What is looked for is looked for first; and if it is there the next time, that goes on with it.
            start = replace(path, not_found=(*path.not_found, caught)) if end is not None else path
            done = self._run(handler, start, ended)
            ends.append(replace(done, not_found=path.not_found) if done is not None else None)
        if end is not None:
            ends.append(self._run(orelse, replace(end, writes=path.add(end.writes).writes), ended))
        for name in ("returned", "broken", "continued", *(() if handlers else ("raised",))):
            left = (replace(path.add(one.writes), sent=one.sent) for one in getattr(inner, name))
            getattr(ended, name).extend(left)
        for name in ("returned", "raised", "broken", "continued"):
            getattr(exits, name).extend(self._run(final, one, _Exits()) or one for one in getattr(ended, name))
        after = worst(ends)
        if after is not None and end is not None and end.sent:
            after = replace(after, sent=True)
        return self._run(final, after, exits) if after is not None else None


def _entered(flow: Steps) -> Iterator[v.Call]:
    """The calls that a `with` enters."""
    for step in flow:
        if isinstance(step, Flow):
            if step.kind == "with":
                yield from (call for value in step.values if isinstance(call := plain(value), v.Call))
            for arm in step.arms:
                yield from _entered(arm)


def _given_to(call: v.Call) -> Iterator[Value]:
    """What a call is made on, and what it is given, with what that is an attribute of."""
    receiver = (call.target.base,) if isinstance(call.target, v.Attr) else ()
    linked = isinstance(call.target, v.Attr) and call.target.name in LINKING
    for value in (*receiver, *call.args, *(value for _, value in call.keywords)):
        inner = plain(value)
        yield inner
        while isinstance(inner, v.Attr) and not linked:
            inner = plain(inner.base)
            yield inner


def _parameter(deed: Deed) -> str:
    """The parameter that is put into a session: `session.add(row)`."""
    given = deed.fact.value.args
    row = plain(given[0]) if given else None
    return row.name if isinstance(row, v.Param) else ""


def _is_fetched(row: Value | None) -> bool:
    return isinstance(row, v.Call) and last_name(row) in FETCHING


def _used(call: v.Call) -> tuple[Value, ...]:
    """The object that a method is called on, and what is passed."""
    receiver = (call.target.base,) if isinstance(call.target, v.Attr) else ()
    return tuple(plain(value) for value in (*receiver, *call.args))


def makes(deed: Deed) -> bool:
    """Whether what a deed writes is a new row: made by the call, or by calling what is named like a class (PEP 8)."""
    words = split_words(deed.fact.name)
    if deed.made or deed.root == plain(deed.fact.value) or not MAKING.isdisjoint(words):
        return "or" not in words
    return isinstance(deed.root, v.Call) and last_name(deed.root)[:1].isupper()


def _changes_little(deed: Deed) -> bool:
    """Whether a change only says when something happened last, or takes away a reference."""
    if len(deed.fact.value.args) != 3:
        return False
    _, name, value = deed.fact.value.args
    words = split_words(str(name.value)) if isinstance(name, v.Const) else ()
    return not STAMPS.isdisjoint(words) or v.bare(value) == v.Const(None)


def _is_tolerant(body: Steps) -> bool:
    """Whether all that a round does is tried, and the next one comes whatever happens."""
    tries = [step for step in body if isinstance(step, Flow) and step.kind == "try" and len(step.arms) > 3]
    return any(all(RAISE not in handler and RETURN not in handler for handler in one.arms[3:]) for one in tries)


def _continues(steps: Steps) -> bool:
    return any(
        step == CONTINUE if not isinstance(step, Flow) else step.kind == "branch" and any(map(_continues, step.arms))
        for step in steps
    )


def _repeat(writes: Iterable[Write], made: frozenset[tuple[int, int]], tolerated: set[int]) -> list[Write]:
    """The writes of a loop's body after some rounds of it; those in lines that are `tolerated` may fail."""
    found = []
    for write in writes:
        other = write.root is not None and varies(write.root, made)
        turn = (made, write.root) if other and write.root is not None else write.turn
        root = None if other else write.root
        found.append(
            replace(write, repeated=True, looped=True, tolerated=write.line in tolerated, root=root, turn=turn)
        )
    return found


def _is_below_limit(call: Value) -> bool:
    """Whether a call is made on rows picked by `field__lt=...`, or on what is left of too many."""
    waiting = [call]
    while waiting:
        value = waiting.pop()
        if isinstance(value, v.Call) and any(key.rpartition("__")[2] in {"lt", "lte"} for key, _ in value.keywords):
            return True
        if isinstance(value, v.Op) and value.kind in {"each", "slice"}:
            # All but the newest: `rows[10:]`.
            if value.kind == "slice" and v.bare(value.args[1]) == v.Const(None):
                return True
            waiting.append(value.subject)
        if isinstance(value, (v.Call, v.Attr, v.Named)):
            waiting.append(
                value.target if isinstance(value, v.Call) else value.base if isinstance(value, v.Attr) else value.value
            )
    return False
