"""The files of a front end: read when a rule asks for them, and kept in the cache like all others."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from prodready.cache import NO_STAMP, Cache, Entry, Stamp, stamp_of, tool_digest
from prodready.reading import UNREADABLE, FileRead, read_many, read_one, read_path

if TYPE_CHECKING:
    from prodready.read.web.facts import WebFacts

PREFIX = "web_"


class Ahead(NamedTuple):
    """What another process has made of all files: stamps, what reading gave, and the front end linked, in msgpack."""

    stamps: Mapping[str, Stamp]
    reads: Sequence[FileRead]
    front: bytes


def stamps(root: Path, paths: Iterable[str]) -> dict[str, Stamp]:
    """The stamps of files; to be taken before they are read."""
    found: dict[str, Stamp] = {}
    for path in paths:
        try:
            found[path] = stamp_of(os.stat(root / path))
        except OSError:
            found[path] = NO_STAMP
    return found


def decoder() -> Callable[[bytes], WebFacts]:
    """What makes facts of the body of a file that was read."""
    from prodready.read.web.facts import WebFacts

    return msgspec.msgpack.Decoder(WebFacts).decode


@dataclass
class WebFiles:
    """The front end of a project. `paths` are relative to `root`; nothing is read before somebody asks.

    `given` is the content that stands for that of files of the front end, None for one that is to be taken for absent.
    `ahead` gives what another process makes of all files, if one is at it.
    """

    root: Path
    cache: Cache
    paths: Sequence[str]
    jobs: int
    given: Mapping[str, bytes | None] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    ahead: Callable[[], Ahead | None] | None = None
    _entries: dict[str, Entry] | None = None
    _bodies: dict[str, bytes] = field(default_factory=dict)
    _made: bytes = b""

    @property
    def is_pending(self) -> bool:
        """Whether another process is at work on it and has not been asked yet."""
        return self.ahead is not None and self._entries is None

    def is_unknown(self) -> bool:
        """Whether nothing was read of it yet, nor is anything in the cache."""
        return self._entries is None and not self.cache.entries(PREFIX)

    def made_ahead(self) -> bytes | None:
        """The front end of just these files as another process has linked it."""
        self.entries()
        return self._made or None

    def entries(self) -> Mapping[str, Entry]:
        """All files with the keys of their content; those that have changed are read."""
        if self._entries is None:
            self._entries = self._read()
        return self._entries

    def overlaid(self, given: Mapping[str, bytes | None]) -> WebFiles:
        """The same front end with other content for some files; what was read of the others stays."""
        if not given:
            return self
        over = WebFiles(self.root, self.cache, self.paths, self.jobs, given={**self.given, **given})
        over._entries, over._bodies = dict(self.entries()), dict(self._bodies)
        over._lay(over._entries, given)
        over._entries = dict(sorted(over._entries.items()))
        return over

    def notes(self) -> list[str]:
        """What was left out of which file, and why; nothing if nobody asked for the files."""
        lines = [
            f"{path}{f':{entry.known.line}' if entry.known.line else ''}: {entry.known.error}"
            for path, entry in (self._entries or {}).items()
            if entry.known.error
        ]
        return self.problems + lines

    def facts(self) -> dict[str, WebFacts]:
        """The facts of all files that have any."""
        entries = self.entries()
        decode = decoder()
        kept = self.cache.web_bodies() if any(entry.key not in self._bodies for entry in entries.values()) else {}
        found: dict[str, WebFacts] = {}
        for path, entry in entries.items():
            body = self._bodies.get(entry.key) or kept.get(entry.key)
            if not body and path not in self.given and (not entry.known.error or entry.known.line):
                body = read_path(self.root, path).body
            try:
                if body:
                    found[path] = decode(body)
            except UNREADABLE:
                self.problems.append(f"{path}: what the cache holds of it cannot be read, left out")
        return found

    def _read(self) -> dict[str, Entry]:
        if not self.paths and not self.given:
            return {}
        ahead = self.ahead() if self.ahead else None
        known = {} if ahead else self.cache.entries(PREFIX)
        entries: dict[str, Entry] = {}
        unread: dict[str, Stamp] = {}
        current = tool_digest() + ":"
        for path, stamp in (ahead.stamps if ahead else stamps(self.root, self.paths)).items():
            if path in self.given:
                continue
            entry = known.get(path)
            if entry is not None and entry.stamp == stamp and entry.key.startswith(current):
                entries[path] = entry
            else:
                unread[path] = stamp
        fresh: dict[str, Entry] = {}
        with closing(self._results(ahead, list(unread))) as results:
            for result in results:
                if not result.key:
                    self.problems.append(f"{result.path}: {result.known.error}")
                    continue
                entries[result.path] = Entry(unread[result.path], result.key, result.known)
                if result.body:
                    self._bodies[result.key] = result.body
                if result.lasting:
                    fresh[result.path] = entries[result.path]
        gone = [path for path in known if path not in entries and path not in self.given]
        self._lay(entries, self.given)
        self.cache.save_files(
            fresh, gone, {e.key: self._bodies[e.key] for e in fresh.values() if e.key in self._bodies}, PREFIX
        )
        self._made = ahead.front if ahead else b""
        return dict(sorted(entries.items()))

    def _results(self, ahead: Ahead | None, unread: Sequence[str]) -> Generator[FileRead, None, None]:
        yield from ahead.reads if ahead else read_many(self.root, unread, self.jobs, lambda _: None)

    def _lay(self, entries: dict[str, Entry], given: Mapping[str, bytes | None]) -> None:
        for path, data in given.items():
            entries.pop(path, None)
            if data is not None:
                result = read_one(path, data)
                entries[path] = Entry(NO_STAMP, result.key, result.known)
                if result.body:
                    self._bodies[result.key] = result.body
