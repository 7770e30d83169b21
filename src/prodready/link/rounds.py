"""Loops that commit in their rounds: whether that is a batch, or breaks up what belongs together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from prodready.link.conditions import Steps
from prodready.link.deeds import Deeds
from prodready.link.frames import Bound, Frame
from prodready.link.openings import Deed
from prodready.read.facts import BREAK, CONTINUE, RAISE, RETURN, Flow, calls_in

Pending = frozenset[int]
"""The positions of calls that changed what no commit has followed yet."""

NONE: Pending = frozenset()


class Rounds(msgspec.Struct):
    """The steps of one function, by what its calls do.

    `staged` are those that leave something for the next commit, and what that is; `commits` those that commit; `undone`
    those that take back what was left.
    """

    staged: Mapping[int, object]
    commits: Pending
    undone: Pending
    _committed: set[int] = msgspec.field(default_factory=set)
    _left: set[int] = msgspec.field(default_factory=set)

    @classmethod
    def of(cls, deeds: Deeds, frame: Frame, found: Mapping[int, Deed]) -> Rounds:
        """The steps of a function; `found` are the deeds of its calls by their position."""
        staged: dict[int, object] = {}
        for index, deed in found.items():
            if deed.kind == "stage":
                staged[index] = (deed.fact.name, deed.label)
            elif deed.kind == "change" and deed.root is not None:
                table = deeds.table(Bound(deed.root, frame))
                if table is not None and deeds.is_row_class(table):
                    staged[index] = (deed.fact.name, table.facts.qualname)
        commits, undone = (
            frozenset(index for index, deed in found.items() if deed.kind == kind) for kind in ("commit", "rollback")
        )
        return cls(staged, commits, undone)

    def break_up(self, steps: Steps) -> bool:
        """Whether a loop commits in its rounds, and something that goes with them waits for a commit after the loop.

        A batch commits all that its rounds do, be it after every hundredth; a commit at the end is for the rest of it.
        """
        return any(
            self._leaves_some(loop, later) or self._is_continued(loop, later)
            for loop, later in _loops(steps)
            if self._commits(loop) and not self.commits.isdisjoint(calls_in(later))
        )

    def _commits(self, loop: Flow) -> bool:
        return not self.commits.isdisjoint(calls_in(loop.arms[0]))

    def _leaves_some(self, loop: Flow, later: Steps) -> bool:
        """Whether the rounds commit some of what they do, and leave some that they never commit."""
        self._committed, self._left = set(), set()
        self._left |= self._run(loop.arms[0], NONE) or NONE
        return bool(self._committed) and not self._left <= self._committed

    def _is_continued(self, loop: Flow, later: Steps) -> bool:
        """Whether something else is done after the loop, in no batch of its own, and committed then."""
        inside = {self.staged[index] for index in calls_in(loop.arms[0]) if index in self.staged}
        self._committed = set()
        self._run(tuple(_but_loops(later, self._commits)), NONE)
        return any(self.staged[index] not in inside for index in self._committed)

    def _run(self, steps: Steps, pending: Pending | None) -> Pending | None:
        """What is left at the end of some steps, on any path; None if no path comes there."""
        for step in steps:
            if pending is None:
                return None
            if isinstance(step, Flow):
                pending = self._compound(step, pending)
            elif step in {RETURN, RAISE, BREAK}:
                return None
            elif step == CONTINUE:
                self._left |= pending
                return None
            elif step in self.commits:
                self._committed |= pending
                pending = NONE
            elif step in self.undone:
                pending = NONE
            elif step in self.staged:
                pending |= {step}
        return pending

    def _compound(self, flow: Flow, pending: Pending) -> Pending | None:
        if flow.kind in {"loop", "while"}:
            once = self._run(flow.arms[0], pending) or NONE
            again = self._run(flow.arms[0], pending | once) or NONE
            return self._run(flow.arms[1], pending | once | again) if len(flow.arms) > 1 else pending | once | again
        if flow.kind == "try":
            body, orelse, final, *handlers = flow.arms
            ends = [self._run((*body, *orelse), pending), *(self._run(one, pending) for one in handlers)]
            return self._run(final, _either(ends))
        return _either(self._run(arm, pending) for arm in flow.arms)


def _either(ends: Iterable[Pending | None]) -> Pending | None:
    live = [end for end in ends if end is not None]
    return frozenset().union(*live) if live else None


def _loops(steps: Steps) -> Iterator[tuple[Flow, Steps]]:
    """The outermost loops, each with what follows it."""
    for number, step in enumerate(steps):
        if isinstance(step, Flow):
            later = steps[number + 1 :]
            if step.kind in {"loop", "while"}:
                yield step, later
            else:
                yield from ((loop, (*rest, *later)) for arm in step.arms for loop, rest in _loops(arm))


def _but_loops(steps: Steps, commits: Callable[[Flow], bool]) -> Iterator[int | Flow]:
    """The steps without loops that commit."""
    for step in steps:
        if not isinstance(step, Flow):
            yield step
        elif step.kind not in {"loop", "while"}:
            yield msgspec.structs.replace(step, arms=tuple(tuple(_but_loops(arm, commits)) for arm in step.arms))
        elif not commits(step):
            yield step
