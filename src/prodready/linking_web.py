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
from typing import TYPE_CHECKING

import msgspec

from prodready.cache import Cache, tool_digest
from prodready.interrupts import interrupts_held, leave_to_parent
from prodready.knowledge import Knowledge
from prodready.reading import UNREADABLE, WORTH_A_POOL, end_with_parent
from prodready.reading_web import Ahead, WebFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from prodready.link.front import Front


def linked_front(web: WebFiles, knowledge: Knowledge, digest: str, *, lasting: bool) -> Front:
    """What all pages ask the server for. It hangs on nothing but their content and the knowledge, which has this `digest`.

    `lasting` says that a later run may be about the same content.
    """
    from prodready.link.front import Front

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
    front = _linked(web, knowledge)
    if lasting:
        web.keep()
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
    theirs = WebFiles(web.root, Cache(None), web.paths, web.jobs // 2)
    process = context.Process(target=_send, args=(sender, theirs, knowledge, web.cache.is_open))
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


def _send(sender: Connection, web: WebFiles, knowledge: Knowledge, with_facts: bool) -> None:
    leave_to_parent()
    front = b""
    # Where it cannot be made or sent who asks does it, and says why.
    with contextlib.suppress(Exception):
        front = msgspec.msgpack.encode(_linked(web, knowledge, end_with_parent))
    sender.send_bytes(pickle.dumps(web.handed_on(front, with_facts=with_facts)))
    sender.close()


def _linked(web: WebFiles, knowledge: Knowledge, started: Callable[[], None] = lambda: None) -> Front:
    """The front end. `started` is called when no more processes are going to be started for it."""
    from prodready.link.front import link_front
    from prodready.link.front_pages import Pages

    return link_front(Pages(web.texts(), web.facts), knowledge, lambda wanted: web.read_ahead(wanted, started))
