"""The files of a front end: read when a rule asks for them, and kept in the cache like all others."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from prodready.cache import NO_STAMP, Cache, Entry, Stamp, stamp_of, tool_digest
from prodready.reading import UNREADABLE, read_many, read_path

if TYPE_CHECKING:
    from prodready.read.web.facts import WebFacts

PREFIX = "web_"


@dataclass
class WebFiles:
    """The front end of a project. `paths` are relative to `root`; nothing is read before somebody asks."""

    root: Path
    cache: Cache
    paths: Sequence[str]
    jobs: int
    problems: list[str] = field(default_factory=list)
    _entries: dict[str, Entry] | None = None
    _bodies: dict[str, bytes] = field(default_factory=dict)

    def entries(self) -> Mapping[str, Entry]:
        """All files with the keys of their content; those that have changed are read."""
        if self._entries is None:
            self._entries = self._read()
        return self._entries

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
        from prodready.read.web.facts import WebFacts

        entries = self.entries()
        decode = msgspec.msgpack.Decoder(WebFacts).decode
        kept = self.cache.web_bodies() if any(entry.key not in self._bodies for entry in entries.values()) else {}
        found: dict[str, WebFacts] = {}
        for path, entry in entries.items():
            body = self._bodies.get(entry.key) or kept.get(entry.key)
            if not body and (not entry.known.error or entry.known.line):
                body = read_path(self.root, path).body
            try:
                if body:
                    found[path] = decode(body)
            except UNREADABLE:
                self.problems.append(f"{path}: what the cache holds of it cannot be read, left out")
        return found

    def _read(self) -> dict[str, Entry]:
        if not self.paths:
            return {}
        known = self.cache.entries(PREFIX)
        entries: dict[str, Entry] = {}
        unread: dict[str, Stamp] = {}
        current = tool_digest() + ":"
        for path in self.paths:
            try:
                stamp = stamp_of(os.stat(self.root / path))
            except OSError:
                stamp = NO_STAMP
            entry = known.get(path)
            if entry is not None and entry.stamp == stamp and entry.key.startswith(current):
                entries[path] = entry
            else:
                unread[path] = stamp
        fresh: dict[str, Entry] = {}
        with closing(read_many(self.root, list(unread), self.jobs, lambda _: None)) as results:
            for result in results:
                if not result.key:
                    self.problems.append(f"{result.path}: {result.known.error}")
                    continue
                entries[result.path] = Entry(unread[result.path], result.key, result.known)
                if result.body:
                    self._bodies[result.key] = result.body
                if result.lasting:
                    fresh[result.path] = entries[result.path]
        gone = [path for path in known if path not in entries]
        self.cache.save_files(
            fresh, gone, {e.key: self._bodies[e.key] for e in fresh.values() if e.key in self._bodies}, PREFIX
        )
        return dict(sorted(entries.items()))
