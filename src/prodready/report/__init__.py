"""Writers, one per output format: each takes reports, a stream and a view, and only writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TextIO

from prodready.finding import Report
from prodready.report.view import View

__all__ = ["FORMATS", "View", "Writer", "writer"]

Writer = Callable[[Sequence[Report], TextIO, View], None]

FORMATS = {
    name: name for name in ("concise", "json", "sarif", "github", "gitlab", "rdjson", "rdjsonl", "junit", "html")
}
FORMATS["full"] = "text"


def writer(name: str) -> Writer:
    """The `write` function of the module for a format of FORMATS."""
    write: Writer = import_module(f"{__name__}.{FORMATS[name]}").write
    return write
