"""Ctrl-C and a request to end: when they wait."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Let them wait while processes are started or ended; so does the alarm by which `__main__` looks at them again.

    One that came before a process ignores it would print a traceback; one in the middle of either would leave locks shut.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGALRM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_to_parent() -> None:
    """In a process that another one has started: Ctrl-C is for that one, and a request to end is obeyed at once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def pass_on(error: BaseException) -> None:
    """Raise the request to end that an error has taken the place of: the `finally` of a library may fail because of it."""
    before = error.__context__
    while before is not None:
        if not isinstance(before, Exception):
            raise before
        before = before.__context__
