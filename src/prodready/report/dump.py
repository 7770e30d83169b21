"""JSON that every reader accepts."""

from __future__ import annotations

import json
import re
from typing import Any, TextIO

from prodready.report.terminal import visible

_SURROGATE = re.compile("[\\ud800-\\udfff]")


def dump(document: dict[str, Any], stream: TextIO) -> None:
    """Write the document in ASCII; halves of surrogate pairs, from file names that are not UTF-8, are written out."""
    json.dump(clean(document), stream, indent=2)
    stream.write("\n")


def clean(value: Any) -> Any:
    """The value with what JSON cannot carry written out."""
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATE.sub(lambda half: visible(half[0]), value)
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    return [clean(item) for item in value] if isinstance(value, list) else value
