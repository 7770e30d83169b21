"""The front end as it is linked: made when a rule asks for it, and kept in the cache until a page changes."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING

import msgspec

from prodready.cache import tool_digest
from prodready.knowledge import Knowledge
from prodready.reading import UNREADABLE
from prodready.reading_web import WebFiles

if TYPE_CHECKING:
    from prodready.link.front import Front


def linked_front(web: WebFiles, knowledge: Knowledge, digest: str, *, lasting: bool) -> Front:
    """What all pages ask the server for. It hangs on nothing but their content and the knowledge, which has this `digest`.

    `lasting` says that a later run may be about the same content.
    """
    from prodready.link.front import Front, link_front

    key = _key(web, digest)
    kept = web.cache.front(key)
    if kept is not None:
        with contextlib.suppress(*UNREADABLE):
            return msgspec.msgpack.decode(kept, type=Front)
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
