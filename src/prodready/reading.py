"""Reading many files: which are known already, and the others side by side."""

from __future__ import annotations

import contextlib
import gc
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import msgspec

from prodready.cache import content_key
from prodready.read.facts import Outline, outline
from prodready.read.parse import ParseFailure
from prodready.read.python import read_python
from prodready.source import SourceError

WORTH_A_POOL = 40
"""Files from which on starting processes takes less time than it saves."""

CHUNK = 16


class FileRead(msgspec.Struct, frozen=True):
    """One file read: its facts in msgpack, or in one line why there are none."""

    path: str
    key: str
    outline: Outline
    body: bytes
    error: str = ""
    line: int = 0


def read_one(path: str, data: bytes) -> FileRead:
    """Read one file's content. Whatever is wrong with it is in the result; nothing is raised."""
    key = content_key(data)
    nothing = Outline((), (), data.count(b"\n"))
    try:
        facts = read_python(data)
        return FileRead(path, key, outline(facts), msgspec.msgpack.encode(facts))
    except SourceError as error:
        return FileRead(path, key, nothing, b"", error.message, error.line)
    except ParseFailure as error:
        return FileRead(path, key, nothing, b"", f"cannot be parsed: {error.message}", error.line)
    except Exception as error:
        says = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        return FileRead(path, key, nothing, b"", f"prodready failed on this file, please report it: {says}")


def read_path(root: Path, path: str) -> FileRead:
    """Read one file from disk."""
    try:
        data = (root / path).read_bytes()
    except FileNotFoundError:
        return FileRead(path, "", Outline((), (), 0), b"", "vanished while it was being read")
    except OSError as error:
        return FileRead(path, "", Outline((), (), 0), b"", f"cannot be read: {error.strerror}")
    return read_one(path, data)


def _read_chunk(root: str, paths: Sequence[str]) -> list[FileRead]:
    return [read_path(Path(root), path) for path in paths]


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()


def read_many(
    root: Path, paths: Sequence[str], jobs: int, progress: Callable[[int], None], executor: Executor | None = None
) -> Iterator[FileRead]:
    """Read files, in processes where it is worth it. A file that kills its process costs only itself."""
    if executor is None and (jobs < 2 or len(paths) < WORTH_A_POOL):
        for path in paths:
            yield read_path(root, path)
            progress(1)
        return
    chunks = [paths[i : i + CHUNK] for i in range(0, len(paths), CHUNK)]
    lost: list[str] = []
    pool = executor or ProcessPoolExecutor(jobs, initializer=_start_worker)
    try:
        waiting = {pool.submit(_read_chunk, str(root), chunk): chunk for chunk in chunks}
        for future in as_completed(waiting):
            try:
                yield from future.result()
            except BrokenProcessPool:
                lost += waiting[future]
            progress(len(waiting[future]))
    finally:
        if executor is None:
            pool.shutdown(wait=not lost, cancel_futures=True)
    for path in lost:
        yield _read_alone(root, path)


def _read_alone(root: Path, path: str) -> FileRead:
    """One file in a process of its own, after a process died with it."""
    with ProcessPoolExecutor(1, initializer=_start_worker) as pool, contextlib.suppress(BrokenProcessPool):
        return pool.submit(_read_chunk, str(root), [path]).result()[0]
    return FileRead(path, "", Outline((), (), 0), b"", "prodready's process died on this file, please report it")
