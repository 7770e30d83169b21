"""The Reviewdog Diagnostic Format, one diagnostic a line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TextIO

from prodready.finding import Report
from prodready.report.dump import clean
from prodready.report.rdjson import diagnostics
from prodready.report.view import View


def write(reports: Sequence[Report], stream: TextIO, view: View) -> None:
    """Write the lines."""
    for diagnostic in diagnostics(reports, view):
        stream.write(json.dumps(clean(diagnostic)) + "\n")
