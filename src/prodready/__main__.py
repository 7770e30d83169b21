"""`prodready` and `python -m prodready`: the command line as a process of its own."""

from __future__ import annotations

import sys


def run() -> int:
    """Run the command line and return the exit code."""
    try:
        import gc
        import signal

        from prodready.cli import main

        gc.disable()  # One run makes no garbage worth looking for, and looking takes as long as judging a file.
        try:
            return main()
        finally:
            gc.freeze()
            # All is said: an interrupt while the interpreter goes down could only add a traceback to it.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:
        print("prodready: interrupted", file=sys.stderr)
        return 130
    finally:
        # CPython ends by the signal, not with our exit code, if an interrupt passed through an `exec` of text, of which
        # imports are full, even when it was caught. Running another text makes it forget.
        exec("")  # noqa: S102


if __name__ == "__main__":
    sys.exit(run())
