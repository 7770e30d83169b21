"""Bring a pull request to what it should show: read what is there, post what is missing, resolve what is gone.

Nothing is remembered between runs but the marks in the comments. So a run that was cut off, in whatever state, is made good
by the next one; and a request that may or may not have been carried out is not sent again before looking.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from prodready.review.comment import Comment, summary
from prodready.review.host import BusyError, ForbiddenError, Host, HostError, State

ATTEMPTS = 5
pause: Callable[[float], None] = time.sleep


@dataclass
class Outcome:
    """What was done; `notes` are for the person who reads the log."""

    posted: int = 0
    resolved: int = 0
    reopened: int = 0
    apart: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass
class Sync:
    """One run. `limit` is how many comments there may be; where not `complete`, nothing counts as fixed."""

    host: Host
    wanted: Sequence[Comment]
    head: str
    limit: int
    complete: bool
    refused: set[str] = field(default_factory=set)
    outcome: Outcome = field(default_factory=Outcome)

    def run(self) -> Outcome:
        """Do it, and again where the host did not answer; raises HostError."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._once()
                return self.outcome
            except BusyError as error:
                if attempt == ATTEMPTS:
                    raise HostError(f"{error}, {ATTEMPTS} times") from None
                pause(2.0**attempt if error.wait is None else error.wait)
        return self.outcome

    def _once(self) -> None:
        state = self.host.state()
        if state.head and self.head and state.head != self.head:
            self.outcome.notes.append(
                f"there is a newer commit, {state.head[:12]}: nothing is posted for {self.head[:12]}"
            )
            return
        known = {thread.key for thread in state.threads}
        keys = {comment.key for comment in self.wanted}
        staying = {t.key for t in state.threads if not t.resolved and (t.key in keys or not self.complete)}
        left = max(0, self.limit - len(staying))
        missing = [c for c in self.wanted if c.key not in known and c.key not in self.refused]
        new = [comment for comment in missing if comment.anchor is not None][:left]
        if new:
            title = f"prodready: {len(new)} new finding{'' if len(new) == 1 else 's'} in this change."
            refused = self.host.post(new, title)
            self.refused.update(refused)
            self.outcome.posted += len(new) - len(refused)
        self._settle(state)
        shown = (known | {comment.key for comment in new}) - self.refused
        self._summarise(state, [comment for comment in self.wanted if comment.key not in shown])

    def _settle(self, state: State) -> None:
        """Resolve what is fixed; open again what we resolved and is back. What a person resolved stays so."""
        keys = {comment.key for comment in self.wanted}
        for thread in state.threads:
            try:
                if thread.key not in keys and not thread.resolved and self.complete:
                    self.host.resolve(thread, True)
                    self.outcome.resolved += 1
                elif thread.key in keys and thread.resolved and thread.closed_by_us:
                    self.host.resolve(thread, False)
                    self.outcome.reopened += 1
            except ForbiddenError as error:
                self.outcome.notes.append(f"comments on fixed findings are not resolved: {error}")
                return

    def _summarise(self, state: State, apart: Sequence[Comment]) -> None:
        self.outcome.apart = len(apart)
        keys = {comment.key for comment in self.wanted}
        fixed = len({thread.key for thread in state.threads} - keys) if self.complete else 0
        if state.summary is None and not self.wanted and not fixed:
            return
        body = summary(self.wanted, apart, fixed, self.head, complete=self.complete)
        if state.summary is None:
            self.host.summarise(None, body)
        elif state.summary[1] != body:
            self.host.summarise(state.summary[0], body)
