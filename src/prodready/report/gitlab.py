"""GitLab's code quality report: merge requests show what is new in it.

https://docs.gitlab.com/ci/testing/code_quality/, "Code Quality report format".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, TextIO

from prodready.finding import Report, Severity
from prodready.report.dump import clean
from prodready.report.terminal import visible
from prodready.report.view import View

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.INFO: "minor"}


def write(reports: Sequence[Report], stream: TextIO, view: View) -> None:
    """Write the list."""
    json.dump(clean(document(reports, view)), stream, indent=2)
    stream.write("\n")


def document(reports: Sequence[Report], view: View) -> list[dict[str, Any]]:
    """The list; paths are relative to the repository, fingerprints are unique in it."""
    path = view.of_repository(reports)
    return [
        {
            "description": visible(f"{finding.message} ({finding.hint})" if finding.hint else finding.message),
            "check_name": finding.code,
            "fingerprint": _unique(path(report.root, ""), finding.fingerprint),
            "severity": _SEVERITIES[finding.severity],
            "location": {
                "path": path(report.root, finding.location.path),
                "lines": {
                    "begin": finding.location.line,
                    "end": max(finding.location.line, finding.location.end_line),
                },
            },
        }
        for report in reports
        for finding in report.findings
    ]


def _unique(project: str, fingerprint: str) -> str:
    """Fingerprints tell apart what is in one project; a repository may hold several."""
    return hashlib.sha256(f"{project}\0{fingerprint}".encode("utf-8", "replace")).hexdigest()[:32]
