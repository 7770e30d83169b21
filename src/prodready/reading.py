"""Reading many files side by side, each with whatever may be wrong with it."""

from __future__ import annotations

import gc
import os
import pickle
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

import msgspec

from prodready.cache import Known, content_key
from prodready.discover import WEB, WEB_SETTINGS
from prodready.interrupts import interrupts_held, leave_to_parent, pass_on
from prodready.read.facts import FileFacts, Outline, outline
from prodready.read.parse import ParseFailure
from prodready.read.stored import Said, Stems, pack
from prodready.source import SourceError

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor
    from multiprocessing.context import BaseContext

    from prodready.read.web.facts import WebFacts

WORTH_A_POOL = 40
"""Files from which on starting processes takes less time than it saves."""

CHUNK = 16
"""The most files that a process is given at once."""

TURNS = 24
"""How often each process is given files, if there are enough of them: the others wait for the one that is last."""

UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError, MemoryError)
"""What decoding something that is not what it should be may raise."""


class FileRead(msgspec.Struct, frozen=True):
    """One file read: what is known of it, and its facts: in msgpack as `body`, of Python as they are, too.

    `key` is empty for a file that could not be had; `lasting` says that reading the same content again gives the same.
    `said` is what was found in the functions of what they were searched for; see `read.stored`.
    """

    path: str
    key: str
    known: Known
    body: bytes = b""
    lasting: bool = True
    facts: FileFacts | None = None
    said: Said = {}


def read_one(path: str, data: bytes, stems: Stems = ()) -> FileRead:
    """Read one file's content, and search it for `stems`. Whatever is wrong with it is in the result; nothing is raised."""
    if _is_web(path):
        return _read_web(path, data)
    from prodready.read.python import read_python

    key = content_key(data)
    nothing = Outline((), (), data.count(b"\n") + (not data.endswith(b"\n") and bool(data)))
    try:
        facts = read_python(data)
        body, said = pack(facts, stems)
        return FileRead(path, key, Known(outline(facts)), body, facts=facts, said=said)
    except SourceError as error:
        return FileRead(path, key, Known(nothing, error.message, error.line))
    except ParseFailure as error:
        return FileRead(path, key, Known(nothing, f"cannot be parsed: {error.message}", error.line))
    except Exception as error:
        pass_on(error)
        if os.environ.get("PRODREADY_DEBUG") == "1":
            raise
        says = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        return FileRead(
            path, key, Known(nothing, f"prodready failed on this file, please report it: {says}"), lasting=False
        )


def _is_web(path: str) -> bool:
    return not path.endswith(".py") and (path.endswith(WEB) or path.rpartition("/")[2] in WEB_SETTINGS)


def look_at(path: str, data: bytes) -> FileRead:
    """What is known of a file of a front end that is not read yet: why it has no facts, if it has none."""
    from prodready.read.web.reader import left_out

    # The same content is read in another way under another ending.
    key = f"{content_key(data)}:{path.rpartition('/')[2] if path.endswith('.json') else path[path.rfind('.') :]}"
    why = left_out(path, data)
    if not why:
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            why = "not UTF-8"
    lines = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    return FileRead(path, key, Known(Outline((), (), lines), f"{why}, not read" if why else ""))


def _read_web(path: str, data: bytes) -> FileRead:
    result, facts = read_page(path, data)
    return result if facts is None else msgspec.structs.replace(result, body=msgspec.msgpack.encode(facts))


def read_page(path: str, data: bytes) -> tuple[FileRead, WebFacts | None]:
    """Read one file of a front end: its facts, and what is known of it beside them (`body` stays empty).

    Why it has no facts, or not all, stands where a Python file has its error.
    """
    from prodready.read.web.reader import read_web

    seen = look_at(path, data)
    if seen.known.error:
        return seen, None
    key, known = seen.key, seen.known
    try:
        facts = read_web(path, data)
    except RecursionError:
        return FileRead(path, key, msgspec.structs.replace(known, error="nested too deeply, not read")), None
    except Exception as error:
        pass_on(error)
        if os.environ.get("PRODREADY_DEBUG") == "1":
            raise
        says = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        error_text = f"prodready failed on this file, please report it: {says}"
        return FileRead(path, key, msgspec.structs.replace(known, error=error_text), lasting=False), None
    if facts.broken:
        known = msgspec.structs.replace(known, error="not understood from here on", line=facts.broken)
    return FileRead(path, key, known), facts


def read_path(root: Path, path: str, read: Callable[[str, bytes], FileRead] | None = None) -> FileRead:
    """Read one file from disk, by `read_one` if not by `read`."""
    try:
        data = (root / path).read_bytes()
    except FileNotFoundError:
        return _unread(path, "vanished while it was being read")
    except OSError as error:
        return _unread(path, f"cannot be read: {error.strerror or error}")
    return (read or read_one)(path, data)


def _unread(path: str, error: str) -> FileRead:
    return FileRead(path, "", Known(Outline((), (), 0), error), lasting=False)


def read_many(
    root: Path,
    paths: Sequence[str],
    jobs: int,
    progress: Callable[[int], None],
    sought: Mapping[str, Stems] = {},
) -> Generator[FileRead, None, None]:
    """Read files, in processes where it is worth it. A file that kills its process costs only itself.

    `sought` says what to search some of them for. `paths` begin with the largest, which are dealt out evenly: no process
    shall wait for another that has them all. Who stops before the end closes the generator: that ends the processes.
    """
    if jobs < 2 or len(paths) < WORTH_A_POOL:
        for path in paths:
            yield _read_sought(root, path, sought)
            progress(1)
        return
    lost: list[Sequence[str]] = []
    hands = max(-(-len(paths) // CHUNK), min(len(paths), TURNS * jobs))
    with closing(_in_pool(root, [paths[i::hands] for i in range(hands)], jobs, sought)) as chunks:
        for chunk, results in chunks:
            if results is None:
                lost.append(chunk)
                continue
            yield from results
            progress(len(chunk))
    for chunk in lost:
        yield from _read_carefully(root, chunk, sought)
        progress(len(chunk))


def _read_carefully(root: Path, paths: Sequence[str], sought: Mapping[str, Stems]) -> Iterator[FileRead]:
    """Read files of which one may kill its process: all in one process, and if that dies, each in its own."""
    for _, results in _in_pool(root, [paths], 1, sought):
        if results is not None:
            yield from results
        elif len(paths) == 1:
            yield _unread(paths[0], "the process that read it died, please report it")
        else:
            for path in paths:
                yield from _read_carefully(root, [path], sought)


def _in_pool(
    root: Path, chunks: Sequence[Sequence[str]], jobs: int, sought: Mapping[str, Stems]
) -> Generator[tuple[Sequence[str], list[FileRead] | None], None, None]:
    """Each chunk with what reading it gave, in the order they are done; None for those lost when a process died."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    # What is loaded here, none of the processes has to load.
    if _is_web(chunks[0][0]):
        import prodready.read.web.reader
    else:
        import prodready.read.python  # noqa: F401
    try:
        pool = ProcessPoolExecutor(min(jobs, len(chunks)), mp_context=_context(), initializer=_start_worker)
    except (OSError, ImportError, NotImplementedError):  # No semaphores: there are such containers.
        yield from ((chunk, _read_chunk(str(root), chunk, sought)) for chunk in chunks)
        return
    waiting: dict[Future[bytes], Sequence[str]] = {}
    lost: list[Sequence[str]] = []
    # Not `as_completed`: an interrupt between two locks of its own would leave the pool's thread without them for good.
    done: SimpleQueue[Future[bytes]] = SimpleQueue()
    try:
        with interrupts_held():
            for chunk in chunks:
                try:
                    theirs = {path: sought[path] for path in chunk if path in sought}
                    future = pool.submit(_send_chunk, str(root), chunk, theirs)
                except BrokenProcessPool:
                    lost.append(chunk)
                else:
                    waiting[future] = chunk
                    future.add_done_callback(done.put)
        while waiting:
            future = done.get()
            chunk = waiting.pop(future)
            try:
                results = pickle.loads(future.result())  # noqa: S301, from a process of ours
            except BrokenProcessPool:
                lost.append(chunk)
            else:
                yield chunk, results
    finally:
        with interrupts_held():
            if waiting:
                _kill(pool)
            pool.shutdown(cancel_futures=True)
    yield from ((chunk, None) for chunk in lost)


def _context() -> BaseContext:
    """How to start processes: by `fork` where it is safe, which is ten times as quick as the other ways."""
    import multiprocessing

    forks = sys.platform == "linux" and threading.active_count() == 1
    return multiprocessing.get_context("fork" if forks else None)


def _kill(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool whose results nobody waits for any more."""
    for process in list((getattr(pool, "_processes", None) or {}).values()):
        process.kill()
    # Of a result that was cut short the pool would wait for the rest, as long as somebody can still write it: we.
    writer = getattr(getattr(pool, "_result_queue", None), "_writer", None)
    if writer is not None:
        writer.close()


def _read_chunk(root: str, paths: Sequence[str], sought: Mapping[str, Stems]) -> list[FileRead]:
    return [_read_sought(Path(root), path, sought) for path in paths]


def _read_sought(root: Path, path: str, sought: Mapping[str, Stems]) -> FileRead:
    return read_path(root, path, partial(read_one, stems=sought.get(path, ())))


def _send_chunk(root: str, paths: Sequence[str], sought: Mapping[str, Stems]) -> bytes:
    """What `_read_chunk` gives, pickled: what stands in facts many times stays one, and is read sooner than from msgpack."""
    results = _read_chunk(root, paths, sought)
    try:
        return pickle.dumps(results, pickle.HIGHEST_PROTOCOL)
    except RecursionError:  # The bytes of the facts are enough.
        return pickle.dumps([msgspec.structs.replace(result, facts=None) for result in results])


def _start_worker() -> None:
    leave_to_parent()
    gc.disable()
    end_with_parent()


def end_with_parent() -> None:
    """End this process when its parent is gone, however that ended: nobody else would tell it."""
    threading.Thread(target=_watch_parent, daemon=True).start()


def _watch_parent() -> None:
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
