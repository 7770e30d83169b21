"""What is known of all files of a project: from the cache where their content has been read before, else read now."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec

from prodready.cache import NO_STAMP, Cache, Entry, Stamp, content_key, stamp_of, tool_digest
from prodready.discover import SourceFile, is_python
from prodready.finding import Problem
from prodready.moved import MOST
from prodready.read.facts import FileFacts
from prodready.read.stored import Said, Stems, unpack
from prodready.reading import UNREADABLE, FileRead, read_many, read_one, read_path

Decoded = dict[tuple[str, str], FileFacts]
"""Facts by the path and the key of a file: functions are told apart by what they are, so files share none of them."""


class Before(NamedTuple):
    """The key that a file had, and its facts."""

    key: str
    body: bytes


@dataclass
class State:
    """A project as read. `given` is the content that stands for that of files, None for one taken for absent.

    `bodies` are the facts of files as bytes, `made` those that were made in this run as they are, `said` what was found in
    their functions then, all by key.
    `before` has what was known of files that have changed since the last run; nothing where files came or went.
    """

    root: Path
    entries: dict[str, Entry]
    bodies: dict[str, bytes]
    problems: list[Problem]
    cached: int
    given: Mapping[str, bytes | None]
    jobs: int = 1
    before: Mapping[str, Before] = field(default_factory=dict)
    made: dict[str, FileFacts] = field(default_factory=dict)
    said: dict[str, Said] = field(default_factory=dict)

    def overlaid(self, overlay: Mapping[str, bytes | None]) -> State:
        """The same with other content for some files; None for a file that is not there."""
        state = State(self.root, dict(self.entries), self.bodies, [], self.cached, {**self.given, **overlay}, self.jobs)
        state.lay(overlay)
        state.note_errors()
        return state

    def lay(self, overlay: Mapping[str, bytes | None]) -> None:
        """Read what stands for the content of files."""
        for path, data in overlay.items():
            self.entries.pop(path, None)
            if data is not None and is_python(self.root / path):
                self.take(read_one(path, data), NO_STAMP)

    def take(self, result: FileRead, stamp: Stamp) -> None:
        """Add a file that was read, or why it could not be."""
        if not result.key:
            self.problems.append(Problem(result.known.error, result.path))
            return
        self.entries[result.path] = Entry(stamp, result.key, result.known)
        if result.body:
            self.bodies[result.key] = result.body
        if result.facts is not None:
            self.made[result.key] = result.facts
        if result.said:
            self.said[result.key] = result.said

    def note_errors(self) -> None:
        """Add what is wrong with files to the problems."""
        for path, entry in self.entries.items():
            if entry.known.error:
                self.problems.append(Problem(entry.known.error, path, entry.known.line))
        self.problems.sort(key=lambda problem: problem.path)


def gather(
    root: Path,
    cache: Cache,
    files: Iterable[SourceFile],
    given: Mapping[str, bytes | None],
    jobs: int,
    progress: Callable[[int, int], None] | None = None,
    sought: Callable[[Iterable[str]], Mapping[str, Stems]] = lambda paths: {},
) -> State:
    """What is known of `files`; what the cache does not know is read by `jobs` processes. `progress` gets (done, all).

    `sought` tells what to search files for while they are read.
    """
    known = cache.entries()
    state = State(root, {}, {}, [], 0, given, jobs)
    unread: dict[str, Stamp] = {}
    for file in files:
        try:
            stamp = stamp_of(os.stat(root / file.path))
        except OSError:
            unread[file.path] = NO_STAMP
            continue
        entry = known.get(file.path)
        if entry is not None and entry.stamp == stamp and _is_current(entry):
            state.entries[file.path] = entry
        else:
            unread[file.path] = stamp
    for path in given:
        unread.pop(path, None)
    state.lay(given)
    fresh = _recognised(root, unread, known)
    state.entries.update(fresh)
    state.cached = len(state.entries) - sum(path in state.entries for path in given)
    unread = {path: stamp for path, stamp in unread.items() if path not in fresh}
    done = 0

    def count(number: int) -> None:
        nonlocal done
        done += number
        if progress is not None:
            progress(done, len(unread))

    largest = sorted(unread, key=lambda path: -unread[path][1])
    with closing(read_many(root, largest, jobs, count, sought(largest) if largest else {})) as results:
        for result in results:
            state.take(result, unread[result.path])
            if result.lasting:
                fresh[result.path] = state.entries[result.path]
    state.note_errors()
    gone = [path for path in known if path not in state.entries and path not in given]
    state.before = _before(state, cache, known)
    cache.save_files(fresh, gone, {e.key: state.bodies[e.key] for e in fresh.values() if e.key in state.bodies})
    return state


def _before(state: State, cache: Cache, known: Mapping[str, Entry]) -> dict[str, Before]:
    """What the cache, which is about to forget it, knows of files that have changed, if the files are the same otherwise."""
    if known.keys() != state.entries.keys():
        return {}
    changed = [path for path, entry in state.entries.items() if entry.key != known[path].key]
    if not all(_is_current(known[path]) for path in changed):
        return {}
    bodies = {path: cache.body(known[path].key) for path in changed}
    found = {path: Before(known[path].key, body) for path, body in bodies.items() if body}
    other = sum(one.body != state.bodies.get(state.entries[path].key) for path, one in found.items())
    return found if len(found) == len(changed) and other <= MOST else {}


def _recognised(root: Path, unread: Mapping[str, Stamp], known: Mapping[str, Entry]) -> dict[str, Entry]:
    """The files whose content is known although their stamp is not: touched, renamed, copied, checked out anew."""
    by_key = {entry.key: entry.known for entry in known.values() if _is_current(entry)}
    found: dict[str, Entry] = {}
    for path, stamp in unread.items() if by_key else ():
        try:
            key = content_key((root / path).read_bytes())
        except OSError:
            continue
        if key in by_key:
            found[path] = Entry(stamp, key, by_key[key])
    return found


def _is_current(entry: Entry) -> bool:
    return entry.key.startswith(tool_digest() + ":")


class Loader:
    """The facts of a file when somebody asks for them: from memory, from the cache, or from the file once more."""

    def __init__(self, cache: Cache, state: State, decoded: Decoded, said: dict[str, Said] | None = None) -> None:
        self.missed = False
        self._cache, self._state, self._decoded = cache, state, decoded
        self._said = said
        self._known = 0

    def __call__(self, path: str) -> FileFacts | None:
        """The facts of the file `path`; None where it cannot be read or parsed, or has changed since."""
        entry = self._state.entries.get(path)
        if entry is None or entry.known.error:
            return None
        facts = self._decoded.get((path, entry.key))
        if facts is None:
            facts = self._kept(entry.key) or self._anew(path, entry.key)
            if facts is not None:
                self._decoded[path, entry.key] = facts
        return facts

    def at_hand(self) -> bool:
        """Whether all that there is can be had without the cache; it is loaded for that."""
        needed = {entry.key for entry in self._state.entries.values() if not entry.known.error}
        if not needed <= self._state.bodies.keys():
            self._state.bodies.update(self._cache.bodies())
        return needed <= self._state.bodies.keys() and self.said is not None

    def leave_cache(self) -> None:
        """Go on without the cache, in a process that was forked."""
        self._cache.leave()

    def add_said(self, said: Mapping[str, Said]) -> None:
        """Add what was said in another process."""
        for key, answers in said.items():
            self.said.setdefault(key, {}).update(answers)

    @property
    def said(self) -> dict[str, Said]:
        """What was said of the functions of files, by the keys of their content; see `read.stored.speaking`."""
        if self._said is None:
            self._said = {}
            with suppress(*UNREADABLE):
                self._said = msgspec.msgpack.decode(self._cache.said() or b"\x80", type=dict[str, Said])
            self._known = _count(self._said)
            self._said |= {key: self._said.get(key, {}) | found for key, found in self._state.said.items()}
        return self._said

    def keep_said(self) -> None:
        """Keep for the next run what was said of the files that are there now."""
        if self._said is None or _count(self._said) == self._known:
            return
        keys = {entry.key for entry in self._state.entries.values()}
        left = {key: answers for key, answers in self._said.items() if key in keys and answers}
        with suppress(UnicodeEncodeError):
            self._cache.save_said(msgspec.msgpack.encode(left))

    def _kept(self, key: str) -> FileFacts | None:
        body = self._state.bodies.get(key) or self._cache.body(key)
        try:
            return unpack(body, self.said.setdefault(key, {}), self._state.made.pop(key, None)) if body else None
        except UNREADABLE:
            note = "the cache held facts that cannot be read; they are made anew"
            if note not in self._cache.notes:
                self._cache.notes.append(note)
            return None

    def _anew(self, path: str, key: str) -> FileFacts | None:
        """Another process may have thrown the facts out of the cache, or somebody damaged it."""
        given = self._state.given.get(path)
        result = read_one(path, given) if given is not None else read_path(self._state.root, path)
        if result.key == key and result.body:
            self._cache.save_body(key, result.body)
            return unpack(result.body, facts=result.facts)
        self.missed = True
        self._state.problems.append(Problem("changed while it was being analysed: run again", path))
        return None


def decoded(body: bytes) -> FileFacts | None:
    """Facts from the cache; None for what cannot be read."""
    try:
        return unpack(body)
    except UNREADABLE:
        return None


def _count(said: Mapping[str, Said]) -> int:
    return sum(map(len, said.values()))
