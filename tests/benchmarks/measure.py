"""Running a command and measuring it: processor and wall time, and the memory of it and all its processes."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

INTERVAL = 0.02
PROC = Path("/proc")


class CommandError(Exception):
    """A command that did not do its job; there is nothing to measure."""


@dataclass(frozen=True)
class Measured:
    """One run: seconds of processor time of all its processes, and on the clock (`wall`), and what it printed.

    `largest` and `together` are the peak of its largest process and of all its processes together, in MB.

    `together` shares out what processes have in common (PSS); it is None where it was not asked for or is not known.
    """

    seconds: float
    wall: float
    output: str
    largest: float
    together: float | None = None


def run(command: Sequence[str], cwd: Path, *, memory: bool = False) -> Measured:
    """Run the command to its end. Watching the memory slows it down: do not use the seconds of such a run.

    Raises CommandError if it prints nothing: a linter has something to say even of clean code, a missing one has not.
    """
    started = time.perf_counter()
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        watch = _Watch(process.pid) if memory and PROC.is_dir() else None
        errors: list[bytes] = []
        assert process.stdout is not None
        assert process.stderr is not None
        drain = threading.Thread(target=lambda stream=process.stderr: errors.append(stream.read()))
        drain.start()
        output = process.stdout.read()
        drain.join()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if watch is not None:
        watch.stop()
    if not output:
        text = errors[0].decode(errors="replace").strip()
        raise CommandError(f"{' '.join(command)}: exit code {process.returncode}\n{text[-2000:]}")
    together = watch.peak / 1024 if watch is not None and watch.peak else None
    return Measured(
        usage.ru_utime + usage.ru_stime, wall, output.decode(errors="replace"), usage.ru_maxrss / 1024, together
    )


class _Watch(threading.Thread):
    """Looks again and again at the memory of a process and its descendants. Linux only."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.peak = 0
        self._done = threading.Event()
        self.start()

    def run(self) -> None:
        while not self._done.wait(INTERVAL):
            self.peak = max(self.peak, sum(map(_proportional_size, _family(self.pid))))

    def stop(self) -> None:
        self._done.set()
        self.join()


def _family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:  # grows while it is gone through
        for task in PROC.glob(f"{parent}/task/*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found


def _proportional_size(pid: int) -> int:
    try:
        size = re.search(r"^Pss:\s+(\d+) kB", (PROC / str(pid) / "smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(size[1]) if size else 0
