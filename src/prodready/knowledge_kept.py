"""The knowledge that ships with prodready, merged once for an installation and kept where Python keeps its byte code.

Parsing its files takes as long as reading thirty files of a project. As with byte code, nothing is written where that is
switched off or the directory may not be written to; and who may write there may change the program as well.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from importlib.util import cache_from_source
from pathlib import Path

from prodready import knowledge


def kept(key: str) -> knowledge.Knowledge | None:
    """What was kept under a key, if it is there."""
    place = _place(key)
    with contextlib.suppress(OSError):
        return knowledge.unpack(place.read_bytes()) if place is not None else None
    return None


def keep(key: str, body: bytes) -> None:
    """Write packed knowledge, whole or not at all, in place of that of older versions."""
    place = _place(key)
    if place is None or sys.dont_write_bytecode:
        return
    part = place.with_name(f"{place.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        older = list(place.parent.glob("knowledge.*.msgpack"))
        part.write_bytes(body)
        part.replace(place)
        for file in older:
            file.unlink(missing_ok=True)


def _place(key: str) -> Path | None:
    try:
        byte_code = Path(cache_from_source(knowledge.__file__))
    except NotImplementedError:  # an interpreter that keeps none
        return None
    return byte_code.with_name(f"knowledge.{hashlib.sha256(key.encode()).hexdigest()[:16]}.msgpack")
