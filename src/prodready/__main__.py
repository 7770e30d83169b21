"""`prodready` and `python -m prodready`: the command line as a process of its own."""

from __future__ import annotations

import sys
from types import FrameType

TERMINATED = 143
"""The exit code of a run that was told to end, by convention: 128 and the number of the signal."""

LATER = 0.01
"""Seconds until a request to end that came while a module was loaded is looked at again."""


class _Terminated(BaseException):
    """Somebody told this process to end."""


def run() -> int:
    """Run the command line and return the exit code."""
    try:
        import gc
        import signal

        # Programs that we started are ended, and temporary files removed, on the way out.
        signal.signal(signal.SIGTERM, _end)
        signal.signal(signal.SIGINT, _end)

        from prodready.cli import main

        gc.disable()  # One run makes no garbage worth looking for, and looking takes as long as judging a file.
        try:
            return main()
        finally:
            gc.freeze()
            # All is said: an interrupt while the interpreter goes down could only add a traceback to it, an alarm kill it.
            if hasattr(signal, "setitimer"):
                signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
    except KeyboardInterrupt:
        print("prodready: interrupted", file=sys.stderr)
        return 130
    except _Terminated:
        print("prodready: terminated", file=sys.stderr)
        return TERMINATED
    finally:
        # CPython ends by the signal, not with our exit code, if an interrupt passed through an `exec` of text, of which
        # imports are full, even when it was caught. Running another text makes it forget.
        exec("")  # noqa: S102


def _end(number: int, frame: FrameType | None) -> None:
    """Leave whatever is being done, but never the middle of an import: msgspec dies there, and importlib drops it."""
    import signal

    if _is_importing(frame) and hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, lambda _, later: _end(number, later))
        signal.setitimer(signal.ITIMER_REAL, LATER)
        return
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _Terminated


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


if __name__ == "__main__":
    sys.exit(run())
