"""What engines share: the answer they give, a process that cannot hang or be lost, and what they said before.

An engine judges files one by one, so that what it said of a file holds as long as the file and its settings stay.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from prodready.cache import NO_STAMP, RECENT, Cache, Stamp, content_key, stamp_of
from prodready.finding import Finding, Problem


class EngineError(Exception):
    """An engine that did not do its job: one line that says why."""


class Answer(msgspec.Struct, frozen=True):
    """What an engine gave. `read` are the files it spoke about; of `codes` nothing is known in all others.

    `remarked` are those of the files that are not Python and hold a comment to prodready.
    """

    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    read: frozenset[str] = frozenset()
    remarked: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()


class Answers(msgspec.Struct, frozen=True):
    """What all engines gave."""

    each: tuple[Answer, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Of all of them."""
        return tuple(finding for answer in self.each for finding in answer.findings)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Of all of them."""
        return tuple(problem for answer in self.each for problem in answer.problems)

    @property
    def notes(self) -> tuple[str, ...]:
        """Of all of them."""
        return tuple(note for answer in self.each for note in answer.notes)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Of all of them."""
        return tuple(warning for answer in self.each for warning in answer.warnings)

    @property
    def read(self) -> frozenset[str]:
        """The files that any of them spoke about."""
        return frozenset[str]().union(*(answer.read for answer in self.each))

    @property
    def remarked(self) -> frozenset[str]:
        """Of all of them."""
        return frozenset[str]().union(*(answer.remarked for answer in self.each))

    def absent(self, path: str) -> frozenset[str]:
        """The codes that nobody looked for in the file."""
        return frozenset[str]().union(*(answer.codes for answer in self.each if path not in answer.read))


@dataclass
class Slots:
    """How many processes engines may have at once, and how many more may be started now."""

    limit: int
    free: int = 0

    def __post_init__(self) -> None:
        self.free = self.limit


class Engine(Protocol):
    """One engine in one check."""

    name: str

    def wants(self, name: str) -> bool:
        """Whether it has a use for a file that is not Python, by its name without the directory."""

    def start(self, paths: Sequence[str]) -> None:
        """Begin with these files."""

    def proceed(self) -> None:
        """Start what still waits, as far as there are free slots."""

    def answer(self, existing: frozenset[str]) -> Answer:
        """What it says of them; what it remembers of files that do not exist any more may go."""

    def stop(self) -> None:
        """End what still runs."""


class Said(msgspec.Struct, frozen=True, array_like=True):
    """What an engine said of a file with this stamp and content; `notes` is what it could not do there.

    `remarked` says that the file holds the word with which comments to prodready begin.
    """

    stamp: Stamp
    key: str
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    remarked: bool = False


class Memory(msgspec.Struct):
    """What an engine with the same settings said of each file, by path, and the content of those it has to look at anew.

    `given` stands for files as they are in an editor: it is neither looked up nor remembered.
    """

    said: dict[str, Said]
    cache: Cache
    key: str
    given: Mapping[str, bytes] = msgspec.field(default_factory=dict)
    contents: dict[str, bytes] = msgspec.field(default_factory=dict)
    stamps: dict[str, tuple[Stamp, str]] = msgspec.field(default_factory=dict)
    changed: bool = False

    @classmethod
    def open(cls, cache: Cache, key: str, given: Mapping[str, bytes]) -> Memory:
        """What the cache holds under `key`, which says all that the engine's answers depend on besides the files."""
        said: dict[str, Said] = {}
        with contextlib.suppress(msgspec.MsgspecError, ValueError):
            said = msgspec.msgpack.decode(cache.engine(key) or b"", type=dict[str, Said])
        return cls(said, cache, key, given)

    def unknown(self, root: Path, paths: Iterable[str]) -> list[str]:
        """Those of the files that the engine has not seen with this content; they are then in `contents`."""
        new = []
        for path in paths:
            if path in self.given:
                self.said.pop(path, None)
                self.contents[path] = self.given[path]
                new.append(path)
                continue
            try:
                stamp = stamp_of(os.stat(root / path))
                known = self.said.get(path)
                if known is not None and known.stamp == stamp:
                    continue
                data = (root / path).read_bytes()
            except OSError:
                self.said.pop(path, None)  # That it cannot be read is for the walk to say.
                continue
            key = content_key(data)
            self.changed = True
            if known is not None and known.key == key:
                self.said[path] = msgspec.structs.replace(known, stamp=_lasting(stamp))
                continue
            self.contents[path], self.stamps[path] = data, (_lasting(stamp), key)
            new.append(path)
        return new

    def learn(self, path: str, findings: Sequence[Finding] = (), notes: Sequence[str] = ()) -> None:
        """Note what the engine says of a file that was unknown."""
        stamp, key = self.stamps.get(path, (NO_STAMP, ""))
        remarked = b"prodready" in self.contents[path].lower()
        self.said[path] = Said(stamp, key, tuple(findings), tuple(notes), remarked)

    def save(self, existing: Iterable[str]) -> None:
        """Keep what was said of files that still exist."""
        if not self.changed:
            return
        existing = set(existing) - set(self.given)
        kept = {path: said for path, said in self.said.items() if path in existing and said.key}
        # The name of a file that is not UTF-8 does not go into msgpack.
        with contextlib.suppress(UnicodeEncodeError):
            self.cache.save_engine(self.key, msgspec.msgpack.encode(kept))


def _lasting(stamp: Stamp) -> Stamp:
    """The stamp, unless the file may change once more without it."""
    return stamp if time.time_ns() - max(stamp[0], stamp[2]) > RECENT else NO_STAMP


class Process:
    """A program that was started and runs beside us; what it writes goes to files, so that it never waits for us."""

    def __init__(self, command: Sequence[str], cwd: Path, environment: Mapping[str, str], limit: float) -> None:
        """Start it; raises EngineError. `limit` are the seconds it may take."""
        try:
            self._out, self._err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
        except OSError as error:
            raise EngineError(f"there is no room for its answer: {error.strerror or error}") from None
        self._until, self._limit = time.monotonic() + limit, limit
        try:
            self._process = subprocess.Popen(  # noqa: S603
                list(command),
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=self._out,
                stderr=self._err,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            self._close()
            raise EngineError(f"it could not be started: {getattr(error, 'strerror', None) or error}") from None

    def result(self) -> tuple[int, bytes, str]:
        """Wait for its end: exit code, output, and the last line of its complaints. Raises EngineError."""
        try:
            code = self._process.wait(max(0.0, self._until - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise EngineError(f"it was still running after {self._limit:.0f} s and was stopped") from None
        else:
            if code < 0:
                with contextlib.suppress(ValueError):
                    raise EngineError(f"it was killed ({signal.Signals(-code).name})")
                raise EngineError(f"it was killed (signal {-code})")
            self._out.seek(0)
            self._err.seek(0)
            complaints = self._err.read().decode("utf-8", "replace").split("\n")
            return code, self._out.read(), next((line.strip() for line in reversed(complaints) if line.strip()), "")
        finally:
            self.stop()

    def stop(self) -> None:
        """End it and what it started, if that has not happened."""
        with contextlib.suppress(OSError):
            if self._process.poll() is None and hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._close()

    def _close(self) -> None:
        self._out.close()
        self._err.close()
