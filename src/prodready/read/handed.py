"""Calls of functions that are handed over with their arguments, for somebody else to make: `to_thread(run, statement)`."""

from __future__ import annotations

from collections.abc import Sequence

from prodready.read import values as v
from prodready.read.facts import CallFact
from prodready.read.values import Value

BEHIND = {
    "submit": (0, 0),
    "to_thread": (0, 0),
    "run_in_threadpool": (0, 0),
    "run_in_executor": (1, 0),
    "call_soon": (0, 0),
    "call_soon_threadsafe": (0, 0),
    "call_later": (1, 0),
    "add_task": (0, 0),
    "start_soon": (0, 0),
    "defer_to_thread": (0, 0),
    "deferToThread": (0, 0),
    "callInThread": (0, 0),
    "callLater": (1, 0),
    "callFromThread": (0, 0),
    "run_interaction": (1, 1),
    "runInteraction": (1, 1),
    "runWithConnection": (0, 1),
}
"""Names by which concurrency libraries call a function later: its position, and how many arguments of theirs come first."""

NOWHERE = (0, 0)
"""Line and column of a call that does not stand in the source."""

STARTERS = frozenset({"Thread", "Process", "Timer"})
"""Classes that are given a function as `target` or `function`, its arguments as `args` and `kwargs`."""

APART = STARTERS | {
    "submit",
    "call_soon",
    "call_soon_threadsafe",
    "call_later",
    "add_task",
    "start_soon",
    "callInThread",
    "callLater",
    "callFromThread",
}
"""Those by which nobody waits for what is called: it is done beside what comes next, or after it."""


def is_apart(calls: Sequence[CallFact], index: int) -> bool:
    """Whether one of a function's calls is none that it makes, but one that it hands over to be made beside it."""
    value = calls[index].value
    return index > 0 and (value.line, value.column) == NOWHERE and calls[index - 1].name in APART


def handed(name: str, args: tuple[Value, ...], keywords: tuple[tuple[str, Value], ...]) -> Value | None:
    """The call that a call of `name` with these arguments hands over, if it does."""
    if name in BEHIND:
        position, added = BEHIND[name]
        if len(args) > position + 1 and _is_function(args[position]):
            return v.call(args[position], (v.UNKNOWN,) * added + args[position + 1 :], keywords, *NOWHERE)
        return None
    if name not in STARTERS:
        return None
    given = dict(keywords)
    function = given.get("target") or given.get("function") or (args[1] if len(args) > 1 else None)
    if function is None or not _is_function(function):
        return None
    display = v.bare(given.get("args") or (args[2] if len(args) > 2 else v.UNKNOWN))
    named = v.bare(given.get("kwargs") or v.UNKNOWN)
    inner = (
        tuple((str(k.value), x) for k, x in named.items if isinstance(k, v.Const)) if isinstance(named, v.Map) else ()
    )
    positional = display.items if isinstance(display, v.Seq) and not display.open else ()
    return v.call(function, tuple(positional), inner, *NOWHERE) if positional or inner else None


def _is_function(value: Value) -> bool:
    return isinstance(v.bare(value), (v.Ref, v.Attr))
