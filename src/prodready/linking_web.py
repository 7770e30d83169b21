"""The front end as it is linked: made when a rule asks for it, and kept in the cache until a page changes.

Where nothing is known of many pages, a process of its own reads and links them while Python is read and judged.
"""

from __future__ import annotations

import contextlib
import hashlib
import multiprocessing
import pickle
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from prodready.cache import tool_digest
from prodready.interrupts import interrupts_held, leave_to_parent
from prodready.knowledge import Knowledge
from prodready.reading import UNREADABLE, WORTH_A_POOL, FileRead, end_with_parent, read_many
from prodready.reading_web import Ahead, WebFiles, decoder, stamps

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection

    from prodready.link.front import Front


def linked_front(web: WebFiles, knowledge: Knowledge, digest: str, *, lasting: bool) -> Front:
    """What all pages ask the server for. It hangs on nothing but their content and the knowledge, which has this `digest`.

    `lasting` says that a later run may be about the same content.
    """
    from prodready.link.front import Front, link_front

    key = _key(web, digest)
    made = web.made_ahead()
    kept = made or web.cache.front(key)
    if kept is not None:
        with contextlib.suppress(*UNREADABLE):
            front = msgspec.msgpack.decode(kept, type=Front)
            if made and lasting:
                web.cache.save_front(key, made)
            return front
    before = len(web.problems)
    front = link_front(web.facts(), knowledge)
    if lasting and len(web.problems) == before:
        # The name of a file that is not UTF-8 does not go into msgpack.
        with contextlib.suppress(UnicodeEncodeError):
            web.cache.save_front(key, msgspec.msgpack.encode(front))
    return front


def _key(web: WebFiles, digest: str) -> str:
    found = hashlib.sha256(f"{tool_digest()} {digest}".encode())
    for path, entry in web.entries().items():
        found.update(f"\n{path}\0{entry.key}".encode("utf-8", "surrogatepass"))
    return found.hexdigest()


@contextlib.contextmanager
def linking_ahead(web: WebFiles, knowledge: Knowledge) -> Iterator[None]:
    """Read and link all pages beside what is done inside, in a process of its own; what is not taken by then is lost.

    If that process cannot be started, or dies, `web` does its work when it is asked: nothing is lost but time.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    # Half of the jobs: the others read Python at the same time.
    process = context.Process(target=_send, args=(sender, web.root, web.paths, web.jobs // 2, knowledge))
    try:
        with interrupts_held():
            process.start()
    except OSError:
        yield
        return
    finally:
        sender.close()
    web.ahead = lambda: _received(receiver)
    try:
        yield
    finally:
        web.ahead = None
        with interrupts_held():
            process.kill()
            process.join()
        receiver.close()


def worth_linking_ahead(web: WebFiles) -> bool:
    """Whether there are many pages, nothing is known of them, and a process can be started for them."""
    able = web.jobs > 1 and sys.platform == "linux" and threading.active_count() == 1
    return able and len(web.paths) >= WORTH_A_POOL and not web.given and web.is_unknown()


def _received(receiver: Connection) -> Ahead | None:
    try:
        return Ahead(*pickle.loads(receiver.recv_bytes()))  # noqa: S301, from a process of ours
    except (EOFError, OSError, pickle.UnpicklingError):
        return None


def _send(sender: Connection, root: Path, paths: Sequence[str], jobs: int, knowledge: Knowledge) -> None:
    leave_to_parent()
    before = stamps(root, paths)
    with closing(read_many(root, paths, jobs, lambda _: None)) as results:
        reads = [next(results)]
        end_with_parent()  # By a thread: no process can be forked after that.
        reads += results
    sender.send_bytes(pickle.dumps((before, reads, _linked(reads, knowledge))))
    sender.close()


def _linked(reads: Sequence[FileRead], knowledge: Knowledge) -> bytes:
    """The front end of these files; nothing where that cannot be made or sent, so that who asks does it and says why."""
    from prodready.link.front import link_front

    decode = decoder()
    with contextlib.suppress(Exception):
        facts = {read.path: decode(read.body) for read in sorted(reads, key=lambda read: read.path) if read.body}
        return msgspec.msgpack.encode(link_front(facts, knowledge))
    return b""
