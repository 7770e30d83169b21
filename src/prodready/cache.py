"""What was read and found before, kept in one SQLite file per project.

Keys are content hashes that include the version of the tool, so nothing in the cache can be stale; values are msgpack,
never pickles: a cache that came with somebody's repository cannot run code. A cache that is corrupt is made anew, one that
cannot be written is done without.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from prodready import __version__
from prodready.read.facts import Outline

FORMAT = 5
"""The number of the schema below: a file that has another one is made anew."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS files (path BLOB PRIMARY KEY, mtime INTEGER, size INTEGER, changed INTEGER, key TEXT);
CREATE TABLE IF NOT EXISTS outlines (key TEXT PRIMARY KEY, body BLOB);
CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, body BLOB);
CREATE TABLE IF NOT EXISTS web_files (path BLOB PRIMARY KEY, mtime INTEGER, size INTEGER, changed INTEGER, key TEXT);
CREATE TABLE IF NOT EXISTS web_outlines (key TEXT PRIMARY KEY, body BLOB);
CREATE TABLE IF NOT EXISTS web_facts (key TEXT PRIMARY KEY, body BLOB);
CREATE TABLE IF NOT EXISTS runs (key TEXT PRIMARY KEY, body BLOB);
CREATE TABLE IF NOT EXISTS knowledge (key TEXT PRIMARY KEY, body BLOB);
CREATE TABLE IF NOT EXISTS engines (key TEXT PRIMARY KEY, body BLOB);
CREATE TABLE IF NOT EXISTS fronts (key TEXT PRIMARY KEY, body BLOB);
CREATE TABLE IF NOT EXISTS said (key TEXT PRIMARY KEY, body BLOB);
"""
DATABASE = "facts.sqlite3"
KEPT = {"runs": 40, "knowledge": 4, "engines": 4, "fronts": 4, "said": 1}
WAIT = 10.0
"""Seconds to wait for another process that is writing."""

RECENT = 2_000_000_000
"""Nanoseconds: a file changed so lately may change once more without its time of change showing it."""

TAG = "CACHEDIR.TAG"
TAG_TEXT = """Signature: 8a477f597d28d172789f06886806bc55
# This file is a cache directory tag created by prodready: backups may leave the directory out.
# https://bford.info/cachedir/
"""
OURS = frozenset({TAG, ".gitignore", DATABASE, f"{DATABASE}-journal"})

Stamp = tuple[int, int, int]
"""The time a file was last written, its size, and the time its entry in the directory was last changed."""

NO_STAMP: Stamp = (0, 0, 0)


class Known(msgspec.Struct, frozen=True, array_like=True):
    """What reading some content gave besides its facts: the outline, or why there are no facts."""

    outline: Outline
    error: str = ""
    line: int = 0


class Entry(msgspec.Struct, frozen=True):
    """A file: its stamp, the key of its content, and what is known of that."""

    stamp: Stamp
    key: str
    known: Known

    @property
    def outline(self) -> Outline:
        """The outline; empty for a file without facts."""
        return self.known.outline


@cache
def tool_digest() -> str:
    """The version of the tool, and in a checkout the state of the code that makes facts.

    The interpreter's version belongs to it: what parses differs.
    """
    digest = hashlib.sha256(f"{__version__} {sys.version_info[:2]}".encode())
    package = Path(__file__).parent
    for path in sorted(package.rglob("*.py")):
        with contextlib.suppress(OSError):
            stat = path.stat()
            digest.update(f"{path.relative_to(package)}:{stat.st_size}:{stat.st_mtime_ns}".encode())
    return digest.hexdigest()[:16]


def content_key(data: bytes) -> str:
    """The key under which the facts of a file with this content are kept."""
    return f"{tool_digest()}:{hashlib.sha256(data).hexdigest()[:32]}"


def stamp_of(stat: os.stat_result) -> Stamp:
    """By what a file is known again without being read."""
    return (stat.st_mtime_ns, stat.st_size, stat.st_ctime_ns)


class _OutdatedError(sqlite3.DatabaseError):
    """The cache is that of an older version of prodready."""


class Cache:
    """Read at the start of a run and written at its end. `notes` tells what was wrong with it, if anything."""

    def __init__(self, directory: Path | None) -> None:
        self.notes: list[str] = []
        self._opened = time.time_ns()
        self._path = directory / DATABASE if directory else None
        self._connection: sqlite3.Connection | None = None
        self._left: sqlite3.Connection | None = None
        self._writable = True
        if self._path is not None:
            self._open(self._path)

    # Opening

    def _open(self, path: Path) -> None:
        try:
            # What stands in it was read from somebody's source: it is not for others on the machine.
            path.parent.mkdir(0o700, parents=True, exist_ok=True)
            if not _sign(path.parent):
                raise OSError("it holds other files: give the cache a directory of its own")
            with contextlib.suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError as error:
            self._cannot_write(error.strerror or str(error))
        else:
            for place in (path.parent, path):
                if place.exists() and not os.access(place, os.W_OK):
                    self._cannot_write("Permission denied")
                    break
        try:
            self._connection = self._connect(path)
        except sqlite3.DatabaseError as error:
            self._failed(error)

    def _cannot_write(self, reason: str) -> None:
        assert self._path is not None
        self._writable = False
        self.notes.append(f"{self._path.parent}: the cache cannot be written ({reason}); going on without")

    def _connect(self, path: Path) -> sqlite3.Connection | None:
        if not self._writable:
            if not path.is_file():
                return None
            uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
            return self._checked(sqlite3.connect(uri, uri=True, check_same_thread=False))
        return self._checked(sqlite3.connect(path, timeout=WAIT, check_same_thread=False))

    def _checked(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        """The connection, to a file that has the schema; an empty one gets it."""
        try:
            # In one statement: between two of them another run may make the tables.
            state = "SELECT user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_user_version"
            found, tables = connection.execute(state).fetchone()
            if tables and 0 < found < FORMAT:
                raise _OutdatedError("it has the form of an older version")
            if tables and found != FORMAT:
                raise sqlite3.DatabaseError("it has the form of another version")
            if self._writable:
                connection.execute("PRAGMA synchronous = OFF")  # What a power cut destroys is made anew.
                if not tables:
                    connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")
        except BaseException:
            connection.close()
            raise
        return connection

    def _failed(self, error: Exception) -> None:
        """Something is wrong with the file: make it anew, or go on without."""
        assert self._path is not None
        self.close()
        if _is_unavailable(error):
            self.notes.append(f"{self._path}: the cache cannot be used ({error}); going on without")
        elif not self._writable:
            self.notes.append(f"{self._path}: the cache is corrupt ({error}); going on without")
        else:
            if not isinstance(error, _OutdatedError):
                self.notes.append(f"{self._path}: the cache is corrupt ({error}); it is made anew")
            try:
                self._path.unlink(missing_ok=True)
                os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600))
                self._connection = self._connect(self._path)
            except (OSError, sqlite3.DatabaseError) as second:
                self.close()
                self.notes.append(f"{self._path}: the cache cannot be made anew ({second}); going on without")

    # Reading

    def entries(self, prefix: str = "") -> dict[str, Entry]:
        """All files known, by path: those of Python, or with the prefix `web_` those of the front end."""
        try:
            decode = msgspec.msgpack.Decoder(Known).decode
            known = {key: decode(body) for key, body in self._rows(f"SELECT key, body FROM {prefix}outlines")}  # noqa: S608
            rows = self._rows(f"SELECT path, mtime, size, changed, key FROM {prefix}files")  # noqa: S608
            return {
                _path_of(path): Entry((mtime, size, changed), key, known[key])
                for path, mtime, size, changed, key in rows
                if key in known
            }
        except (sqlite3.DatabaseError, msgspec.MsgspecError, TypeError, ValueError, AttributeError) as error:
            self._failed(error)
            return {}

    def body(self, key: str) -> bytes | None:
        """The facts kept under `key`."""
        return self._one("facts", key)

    def bodies(self) -> dict[str, bytes]:
        """The facts of all files, by their keys."""
        with contextlib.suppress(sqlite3.DatabaseError):
            return dict(self._rows("SELECT key, body FROM facts"))
        return {}

    @property
    def is_open(self) -> bool:
        """Whether there is a cache at all."""
        return self._connection is not None

    def web_body(self, key: str) -> bytes | None:
        """The facts of a file of the front end."""
        return self._one("web_facts", key)

    def web_keys(self) -> set[str]:
        """The keys of all facts of files of the front end."""
        with contextlib.suppress(sqlite3.DatabaseError):
            return {key for (key,) in self._rows("SELECT key FROM web_facts")}
        return set()

    def run(self, key: str) -> bytes | None:
        """The outcome kept for a whole run."""
        return self._one("runs", key)

    def knowledge(self, key: str) -> bytes | None:
        """Merged knowledge files."""
        return self._one("knowledge", key)

    def engine(self, key: str) -> bytes | None:
        """What an engine said of the files."""
        return self._one("engines", key)

    def front(self, key: str) -> bytes | None:
        """A front end as it was linked."""
        return self._one("fronts", key)

    def said(self) -> bytes | None:
        """What was said of the functions of files."""
        return self._one("said", tool_digest())

    def _one(self, table: str, key: str) -> bytes | None:
        with contextlib.suppress(sqlite3.DatabaseError):
            for (body,) in self._rows(f"SELECT body FROM {table} WHERE key = ?", [key]):  # noqa: S608
                return body if isinstance(body, bytes) else None
        return None

    def _rows(self, statement: str, values: Iterable[str] = ()) -> list[Any]:
        if self._connection is None:
            return []
        return self._connection.execute(statement, list(values)).fetchall()

    # Writing

    def save_files(
        self, files: Mapping[str, Entry], gone: Collection[str], bodies: Mapping[str, bytes], prefix: str = ""
    ) -> None:
        """Keep what was read, and forget the paths `gone`; facts that no file refers to any more go.

        `prefix` is that of `entries`.
        """
        if not files and not gone:
            return
        encode = msgspec.msgpack.Encoder().encode
        rows = []
        for path, entry in files.items():
            stamp = entry.stamp if self._opened - max(entry.stamp[0], entry.stamp[2]) > RECENT else NO_STAMP
            rows.append((_bytes_of(path), *stamp, entry.key))
        outlines = {entry.key: encode(entry.known) for entry in files.values()}

        def write(connection: sqlite3.Connection) -> None:
            def run(statement: str, rows: Iterable[Any]) -> None:
                connection.executemany(statement.replace("TABLE_", prefix), rows)

            run("DELETE FROM TABLE_files WHERE path = ?", [(_bytes_of(path),) for path in gone])
            run("INSERT OR REPLACE INTO TABLE_files VALUES (?, ?, ?, ?, ?)", rows)
            run("INSERT OR REPLACE INTO TABLE_outlines VALUES (?, ?)", list(outlines.items()))
            run("INSERT OR REPLACE INTO TABLE_facts VALUES (?, ?)", list(bodies.items()))
            for table in ("outlines", "facts"):
                connection.execute(f"DELETE FROM {prefix}{table} WHERE key NOT IN (SELECT key FROM {prefix}files)")  # noqa: S608

        self._write(write)

    def save_body(self, key: str, body: bytes) -> None:
        """Keep the facts of a content that is known already, in place of what cannot be read."""
        self._write(lambda connection: connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (key, body)))

    def save_run(self, key: str, body: bytes) -> None:
        """Keep the outcome of a run; the oldest go."""
        self._save("runs", key, body)

    def save_knowledge(self, key: str, body: bytes) -> None:
        """Keep merged knowledge files."""
        self._save("knowledge", key, body)

    def save_engine(self, key: str, body: bytes) -> None:
        """Keep what an engine said of the files."""
        self._save("engines", key, body)

    def save_front(self, key: str, body: bytes) -> None:
        """Keep a front end as it was linked."""
        self._save("fronts", key, body)

    def save_said(self, body: bytes) -> None:
        """Keep what was said of the functions of files, in place of what was kept before."""
        self._save("said", tool_digest(), body)

    def _save(self, table: str, key: str, body: bytes) -> None:
        def write(connection: sqlite3.Connection) -> None:
            connection.execute(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", (key, body))  # noqa: S608
            connection.execute(
                f"DELETE FROM {table} WHERE rowid NOT IN (SELECT rowid FROM {table} ORDER BY rowid DESC LIMIT ?)",  # noqa: S608
                [KEPT[table]],
            )

        self._write(write)

    def _write(self, write: Callable[[sqlite3.Connection], object]) -> None:
        if self._connection is None or not self._writable:
            return
        try:
            with self._connection as connection:
                write(connection)
        except sqlite3.DatabaseError as error:
            self._writable = False
            self.notes.append(f"{self._path}: the cache could not be written ({error}); the next run reads anew")
            if self._path is not None and not _is_unavailable(error):
                self.close()
                with contextlib.suppress(OSError):
                    self._path.unlink(missing_ok=True)

    def leave(self) -> None:
        """Neither use the file nor let go of it: in a process that was forked, the connection is that of its parent."""
        self._left, self._connection = self._connection, None

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _sign(directory: Path) -> bool:
    """Mark a directory as a cache, for backups and for git; false if it holds anything but ours.

    A `cache-dir` that by mistake names a directory of somebody's work must not make git ignore all of it.
    """
    if (directory / TAG).exists():
        return True
    if not OURS.issuperset(os.listdir(directory)):
        return False
    (directory / ".gitignore").write_text("# Made by prodready.\n*\n")
    (directory / TAG).write_text(TAG_TEXT)
    return True


def _is_unavailable(error: Exception) -> bool:
    """Whether the file itself may well be sound: another process writes, the disk is full, or we may not."""
    return isinstance(error, sqlite3.OperationalError) and any(
        word in str(error) for word in ("locked", "readonly", "unable to open", "full", "disk I/O")
    )


def _bytes_of(path: str) -> bytes:
    """A path for the database; the name of a file need not be text."""
    return path.encode("utf-8", "surrogatepass")


def _path_of(path: bytes) -> str:
    return path.decode("utf-8", "surrogatepass")
