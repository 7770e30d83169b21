"""The files of a front end: each is read when its facts are asked for, and kept in the cache."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from prodready.cache import NO_STAMP, Cache, Entry, Stamp, stamp_of, tool_digest
from prodready.reading import UNREADABLE, WORTH_A_POOL, FileRead, look_at, read_many, read_page, read_path

if TYPE_CHECKING:
    from prodready.read.web.facts import WebFacts

PREFIX = "web_"


class Ahead(NamedTuple):
    """What another process has made of all files.

    What is known of them, the facts of those that it has read, by the keys of their content, what went wrong, and the front
    end linked, in msgpack.
    """

    entries: dict[str, Entry]
    bodies: dict[str, bytes]
    problems: list[str]
    front: bytes


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
    _data: dict[str, bytes] = field(default_factory=dict)
    _facts: dict[str, WebFacts] = field(default_factory=dict)
    _bodies: dict[str, bytes] = field(default_factory=dict)
    _fresh: set[str] = field(default_factory=set)
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

    def handed_on(self, front: bytes, *, with_facts: bool) -> Ahead:
        """What was made here of all files, for another process."""
        bodies = self._unkept() if with_facts else {}
        return Ahead(dict(self.entries()), bodies, self.problems, front)

    def entries(self) -> dict[str, Entry]:
        """All files with the keys of their content, and what is known of that: of one that was not read not all."""
        if self._entries is None:
            self._entries = self._look()
        return self._entries

    def overlaid(self, given: Mapping[str, bytes | None]) -> WebFiles:
        """The same front end with other content for some files; what was read of the others stays."""
        if not given:
            return self
        over = WebFiles(self.root, self.cache, self.paths, self.jobs, given={**self.given, **given})
        over._entries, over._bodies, over._facts = dict(self.entries()), dict(self._bodies), dict(self._facts)
        over._lay(over._entries, given)
        over._entries = dict(sorted(over._entries.items()))
        return over

    def notes(self) -> list[str]:
        """What was left out of which file, and why; of a file that nobody asked for not whether it can be understood."""
        lines = [
            f"{path}{f':{entry.known.line}' if entry.known.line else ''}: {entry.known.error}"
            for path, entry in (self._entries or {}).items()
            if entry.known.error
        ]
        return self.problems + lines

    # Looking

    def _look(self) -> dict[str, Entry]:
        if not self.paths and not self.given:
            return {}
        if (ahead := self.ahead() if self.ahead else None) is not None:
            return self._taken(ahead)
        known = self.cache.entries(PREFIX)
        of_content = {entry.key: entry.known for entry in known.values()}
        entries: dict[str, Entry] = {}
        fresh: dict[str, Entry] = {}
        current = tool_digest() + ":"
        for path, stamp in _stamps(self.root, self.paths).items():
            if path in self.given:
                continue
            entry = known.get(path)
            if entry is None or entry.stamp != stamp or not entry.key.startswith(current):
                result = read_path(self.root, path, self._look_at)
                if not result.key:
                    self.problems.append(f"{path}: {result.known.error}")
                    continue
                entry = fresh[path] = Entry(stamp, result.key, of_content.get(result.key, result.known))
            entries[path] = entry
        gone = [path for path in known if path not in entries and path not in self.given]
        self._lay(entries, self.given)
        self.cache.save_files(fresh, gone, {}, PREFIX)
        return dict(sorted(entries.items()))

    def _look_at(self, path: str, data: bytes) -> FileRead:
        self._data[path] = data
        return look_at(path, data)

    def _taken(self, ahead: Ahead) -> dict[str, Entry]:
        self.problems += ahead.problems
        self._bodies, self._made = ahead.bodies, ahead.front
        self.cache.save_files(ahead.entries, (), ahead.bodies, PREFIX)
        return ahead.entries

    def _lay(self, entries: dict[str, Entry], given: Mapping[str, bytes | None]) -> None:
        for path, data in given.items():
            entries.pop(path, None)
            if data is not None:
                result = look_at(path, data)
                entries[path] = Entry(NO_STAMP, result.key, result.known)

    # Reading

    def texts(self) -> dict[str, str]:
        """The content of all files."""
        return {path: self._content(path).decode("utf-8-sig", "replace") for path in self.entries()}

    def facts(self, path: str) -> WebFacts:
        """The facts of a file, read or had from the cache; none for one that is left out, or that cannot be read."""
        from prodready.read.web.facts import WebFacts

        entry = self.entries()[path]
        if entry.key not in self._facts:
            body = self._bodies.get(entry.key) or self.cache.web_body(entry.key)
            with contextlib.suppress(*UNREADABLE):
                if body:
                    self._facts[entry.key] = msgspec.msgpack.decode(body, type=WebFacts)
        if entry.key not in self._facts:
            self._facts[entry.key] = self._read(path, entry) or WebFacts(entry.outline.lines, "script")
        return self._facts[entry.key]

    def _read(self, path: str, entry: Entry) -> WebFacts | None:
        if entry.known.error and not entry.known.line:
            return None
        result, facts = read_page(path, self._content(path))
        self._note(result)
        return facts

    def _note(self, result: FileRead) -> None:
        """Keep what reading a file gave."""
        entries, path = self.entries(), result.path
        entry = entries.get(path)
        if not result.lasting:
            self.problems.append(f"{path}: {result.known.error}")
        elif entry is not None and entry.key == result.key:
            entries[path] = Entry(entry.stamp, entry.key, result.known)
            if result.body:
                self._bodies[entry.key] = result.body
            if path not in self.given:
                self._fresh.add(path)

    def _content(self, path: str) -> bytes:
        """The content of a file; nothing for one that is left out, or that is gone by now."""
        entry = self.entries()[path]
        if entry.known.error and not entry.known.line:
            return b""
        data = self.given.get(path) if path in self.given else self._data.get(path)
        if data is None:
            try:
                data = self._data[path] = (self.root / path).read_bytes()
            except OSError as error:
                self.problems.append(f"{path}: cannot be read: {error.strerror or error}")
                data = self._data[path] = b""
        return data

    def read_ahead(self, wanted: Collection[str], started: Callable[[], None] = lambda: None) -> None:
        """Read files in several processes, if there are enough of them. `started` is called when these have been started."""
        kept = self.cache.web_keys() | self._bodies.keys() | self._facts.keys()
        entries = self.entries()
        unread = [path for path in self.paths if path in wanted and path not in self.given]
        unread = [path for path in unread if path in entries and entries[path].key not in kept]
        if self.jobs > 1 and len(unread) >= WORTH_A_POOL:
            with closing(read_many(self.root, unread, self.jobs, lambda _: None)) as results:
                for number, result in enumerate(results):
                    if number == 0:
                        started()
                    self._note(result)
        else:
            started()

    def read_all(self) -> None:
        """Read what nobody asked for, so that `notes` tells all that is not understood."""
        for path in list(self.entries()):
            self.facts(path)
        self.keep()

    def keep(self) -> None:
        """Keep what was read in the cache."""
        if self._fresh and self.cache.is_open:
            bodies = self._unkept()
            entries = self.entries()
            self.cache.save_files({path: entries[path] for path in self._fresh}, (), bodies, PREFIX)
            self._fresh.clear()

    def _unkept(self) -> dict[str, bytes]:
        """The facts of what was read and is not in the cache yet, in msgpack, by their keys."""
        encode = msgspec.msgpack.Encoder().encode
        keys = {self.entries()[path].key for path in self._fresh}
        found = {key: self._bodies.get(key) for key in keys}
        return {key: body or encode(self._facts[key]) for key, body in found.items() if body or key in self._facts}


def _stamps(root: Path, paths: Iterable[str]) -> dict[str, Stamp]:
    """The stamps of files; to be taken before they are read."""
    found: dict[str, Stamp] = {}
    for path in paths:
        try:
            found[path] = stamp_of(os.stat(root / path))
        except OSError:
            found[path] = NO_STAMP
    return found
