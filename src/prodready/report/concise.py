"""One line a finding, in the form that editors and scripts know: `path:line:column: PRD301 message`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from prodready.finding import Report
from prodready.report.terminal import inert, visible
from prodready.report.text import statistics
from prodready.report.view import View, totals


def write(reports: Sequence[Report], stream: TextIO, view: View) -> None:
    """Write the findings, then statistics if wanted; there is no last line with counts."""
    for report in reports:
        for finding in report.findings:
            place = finding.location
            path = visible(view.path(report.root, place.path))
            line = f"{path}:{place.line}:{place.column}: {finding.code} {visible(finding.message)}"
            stream.write(inert(line) + "\n")
    if view.statistics:
        stream.writelines(line + "\n" for line in statistics(totals(reports)))
