"""What was read and found before, kept in one SQLite file per project.

Keys are content hashes that include the version of the tool, so nothing in the cache can be stale; values are msgpack,
never pickles: a cache that came with somebody's repository cannot run code. A cache that is corrupt is made anew, one that
cannot be written is done without.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from prodready import __version__
from prodready.read.facts import Outline

SCHEMA = """
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, mtime INTEGER, size INTEGER, key TEXT, outline BLOB);
CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, body BLOB);
CREATE TABLE IF NOT EXISTS runs (key TEXT PRIMARY KEY, body BLOB);
"""
KEPT_RUNS = 20
WAIT = 10.0
"""Seconds to wait for another process that is writing."""


class Entry(msgspec.Struct, frozen=True):
    """What the cache knows of a file: its stamp, its key, and its outline."""

    mtime: int
    size: int
    key: str
    outline: Outline


@cache
def tool_digest() -> str:
    """The version of the tool, and in a checkout the state of the code that makes facts."""
    digest = hashlib.sha256(__version__.encode())
    package = Path(__file__).parent
    for path in sorted([*package.rglob("*.py")]):
        with contextlib.suppress(OSError):
            stat = path.stat()
            digest.update(f"{path.relative_to(package)}:{stat.st_size}:{stat.st_mtime_ns}".encode())
    return digest.hexdigest()[:16]


def content_key(data: bytes) -> str:
    """The key under which the facts of a file with this content are kept."""
    return hashlib.sha256(tool_digest().encode() + data).hexdigest()[:32]


class Cache:
    """Read at the start of a run, written once at its end. `notes` tells what was wrong with it, if anything."""

    def __init__(self, directory: Path | None) -> None:
        self.notes: list[str] = []
        self._path = directory / "facts.sqlite3" if directory else None
        self._connection: sqlite3.Connection | None = None
        self._writable = True
        if self._path is not None:
            self._open(self._path)

    def _open(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            ignore = path.parent / ".gitignore"
            if not ignore.exists():
                ignore.write_text("# Made by prodready.\n*\n")
        except OSError as error:
            self._writable = False
            self.notes.append(f"{path.parent}: the cache cannot be written ({error.strerror}); going on without")
        try:
            self._connection = self._connect(path)
        except sqlite3.DatabaseError as error:
            if not self._writable or "locked" in str(error) or "readonly" in str(error):
                self._connection = None
                return
            self._renew(path, str(error))

    def _connect(self, path: Path) -> sqlite3.Connection | None:
        if not self._writable:
            if not path.is_file():
                return None
            return sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True, check_same_thread=False)
        connection = sqlite3.connect(path, timeout=WAIT, check_same_thread=False)
        connection.executescript(SCHEMA)
        connection.execute("SELECT count(*) FROM files").fetchone()
        return connection

    def _renew(self, path: Path, reason: str) -> None:
        self.notes.append(f"{path}: the cache is corrupt ({reason}); it is made anew")
        try:
            path.unlink(missing_ok=True)
            self._connection = self._connect(path)
        except (OSError, sqlite3.DatabaseError):
            self._connection = None

    def entries(self) -> dict[str, Entry]:
        """All files known, by path."""
        decoder = msgspec.msgpack.Decoder(Outline)
        found: dict[str, Entry] = {}
        try:
            rows = self._rows("SELECT path, mtime, size, key, outline FROM files")
            for path, mtime, size, key, outline in rows:
                found[path] = Entry(mtime, size, key, decoder.decode(outline))
        except (sqlite3.DatabaseError, msgspec.DecodeError, TypeError) as error:
            if self._path is not None and self._writable:
                self.close()
                self._renew(self._path, str(error))
            return {}
        return found

    def bodies(self, keys: Iterable[str]) -> dict[str, bytes]:
        """The facts kept under `keys`, as far as there are any."""
        found: dict[str, bytes] = {}
        wanted = list(keys)
        with contextlib.suppress(sqlite3.DatabaseError):
            for start in range(0, len(wanted), 500):
                part = wanted[start : start + 500]
                marks = ",".join("?" * len(part))
                found.update(self._rows(f"SELECT key, body FROM facts WHERE key IN ({marks})", part))  # noqa: S608
        return found

    def run(self, key: str) -> bytes | None:
        """The outcome kept for a whole run."""
        with contextlib.suppress(sqlite3.DatabaseError):
            for (body,) in self._rows("SELECT body FROM runs WHERE key = ?", [key]):
                return bytes(body)
        return None

    def save(
        self,
        files: Mapping[str, Entry],
        gone: Iterable[str],
        bodies: Mapping[str, bytes],
        runs: Mapping[str, bytes],
    ) -> None:
        """Keep what is new, in one transaction; facts that no file refers to any more go."""
        if self._connection is None or not self._writable:
            return
        encode = msgspec.msgpack.Encoder().encode
        try:
            with self._connection as connection:
                connection.executemany("DELETE FROM files WHERE path = ?", [(path,) for path in gone])
                connection.executemany(
                    "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)",
                    [(path, e.mtime, e.size, e.key, encode(e.outline)) for path, e in files.items()],
                )
                connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", list(bodies.items()))
                if files or gone:
                    connection.execute("DELETE FROM facts WHERE key NOT IN (SELECT key FROM files)")
                connection.executemany("INSERT OR REPLACE INTO runs VALUES (?, ?)", list(runs.items()))
                connection.execute(
                    "DELETE FROM runs WHERE rowid NOT IN (SELECT rowid FROM runs ORDER BY rowid DESC LIMIT ?)",
                    [KEPT_RUNS],
                )
        except sqlite3.DatabaseError as error:
            self.notes.append(f"{self._path}: the cache could not be written ({error}); the next run reads anew")

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _rows(self, statement: str, values: Iterable[str] = ()) -> list[Any]:
        if self._connection is None:
            return []
        return self._connection.execute(statement, list(values)).fetchall()
