"""What the conditions passed on a path have shown, and how those may come out that are asked for more than once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from msgspec.structs import replace

from prodready.link.writes import Conditions, Path
from prodready.read import values as v
from prodready.read.facts import COUNTING, Flow, last_name
from prodready.read.values import Value

Steps = tuple[int | Flow, ...]
"""What a function does in order, see `Flow`."""

MOST_ASKED, MOST_VALUES = 3, 4
"""Conditions that are asked for more than once, and what they may be, of which each is gone through."""


def if_shown(path: Path, subject: Value, value: Value) -> Path:
    """The path where something has turned out to be a constant: what is shown to have changed no row has written nothing."""
    empty = _changed_nothing(subject, value)
    writes = tuple(write for write in path.writes if empty is None or write.call != empty or write.via)
    return replace(path, writes=writes, known=(*path.known, (subject, value)), needed=(*path.needed, (subject, value)))


def _changed_nothing(subject: Value, value: Value) -> v.Call | None:
    """The update whose count of rows a condition has shown to be none: `if not rows.update(...)`."""
    found, negated = v.bare(subject), False
    if isinstance(found, v.Op) and found.kind == "test" and not found.args:
        found, negated = v.bare(found.subject), True
    if not isinstance(found, v.Call) or last_name(found) not in COUNTING or not isinstance(value, v.Const):
        return None
    return found if bool(value.value) is negated else None


def joined(end: Path | None, before: Path) -> Path | None:
    """The path after a branch that may be passed either way: what follows needs neither."""
    return replace(end, needed=before.needed, not_found=before.not_found) if end is not None else None


def alternatives(flow: Steps) -> list[Conditions]:
    """How the conditions may come out that are asked for more than once."""
    found: list[Conditions] = [()]
    asked = list(_asked(flow))
    again = [one for one, count in Counter(subject for subject, _ in asked).items() if count > 1]
    for subject in again[:MOST_ASKED]:
        values = list(dict.fromkeys(value for other, value in asked if other == subject))
        options: list[Conditions] = [((subject, value),) for value in values[:MOST_VALUES]]
        otherwise = opposite(values[0]) if len(values) == 1 else None
        if otherwise is not None:
            options.append(((subject, otherwise),))
        elif not all(map(opposite, values)):
            options.append(())
        found = [(*given, *option) for given in found for option in options]
    return found


def _asked(flow: Steps) -> Iterator[tuple[Value, Value]]:
    for step in flow:
        if isinstance(step, Flow):
            if step.kind == "branch" and len(step.arms) == len(step.values) == 2:
                yield step.values[0], step.values[1]
            for arm in step.arms:
                yield from _asked(arm)


def opposite(value: Value) -> Value | None:
    """The other truth value, of one that is known."""
    return v.Const(not value.value) if isinstance(value, v.Const) and isinstance(value.value, bool) else None


def agrees(known: Value, value: Value) -> bool | None:
    """Whether something that is known to be one constant is another one; a boolean stands for being true or false."""
    if not (isinstance(known, v.Const) and isinstance(value, v.Const)):
        # Members of one enumeration differ.
        alike = isinstance(known, v.Attr) and isinstance(value, v.Attr) and known.base == value.base
        return known == value if alike else None
    if isinstance(value.value, bool):
        return bool(known.value) is value.value
    return None if isinstance(known.value, bool) else known == value
