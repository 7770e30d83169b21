"""Where in a change a comment on a finding can stand: code hosts take them on the lines of the diff only."""

from __future__ import annotations

from dataclasses import dataclass

from prodready.change.patch import FileChange, Hunk
from prodready.finding import Finding

CONTEXT = 3
"""Unchanged lines that hosts show around a change, and take comments on."""


@dataclass(frozen=True)
class Anchor:
    """Lines of one side of a diff: the new one, or (`removed`) the old one, by the numbers of that side.

    `first` is smaller than `line` for a comment on several lines, which stands below `line`. Paths count from the top of the
    repository; `old` is the one before the change.
    """

    path: str
    old: str
    line: int
    first: int
    removed: bool = False


def anchor(finding: Finding, change: FileChange) -> Anchor | None:
    """The line of the change that a finding is to be shown at; None if it has no line in the diff."""
    if finding.change is not None:
        place = finding.change.location
        first, last = place.line, max(place.line, place.end_line)
    else:
        place = finding.location
        first, last = finding.statement
        first, last = min(first or place.line, place.line), max(last, place.line, place.end_line)
    added = [line for hunk in change.hunks for line in _added(hunk) if first <= line <= last]
    if added:
        line = place.line if place.line in added else added[0]
        return Anchor(change.path, change.old or change.path, line, line)
    for hunk in change.hunks:
        # What was removed stood between two lines: either of them may be what the finding names.
        if hunk.removed and not hunk.added and first - 1 <= hunk.start <= last:
            return Anchor(change.path, change.old or change.path, hunk.old_start, hunk.old_start, removed=True)
    return None


def shown(change: FileChange, first: int, last: int) -> bool:
    """Whether a host shows all these lines of the new side as part of the diff."""
    return all(any(_near(hunk, line) for hunk in change.hunks) for line in range(first, last + 1))


def _added(hunk: Hunk) -> range:
    return range(hunk.start, hunk.start + len(hunk.added))


def _near(hunk: Hunk, line: int) -> bool:
    first, last = (hunk.start, hunk.start + len(hunk.added) - 1) if hunk.added else (hunk.start + 1, hunk.start)
    return first - CONTEXT <= line <= last + CONTEXT
