"""What writers need besides the reports: how paths are shown, where source lines come from, counts over all reports."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from prodready.finding import Finding, Report
from prodready.source import SourceError, decode, split_lines


class Sources:
    """The lines of source files, read when asked for; `given` replaces the content of absolute paths."""

    def __init__(self, given: Mapping[str, bytes] | None = None) -> None:
        self._given = dict(given or {})
        self._read = lru_cache(maxsize=16)(self._load)

    def lines(self, root: str, path: str) -> list[str] | None:
        """The file's lines without their ends, or None if it cannot be read any more."""
        return self._read(os.path.join(root, path))

    def _load(self, place: str) -> list[str] | None:
        try:
            data = self._given[place] if place in self._given else Path(place).read_bytes()
            return split_lines(decode(data))
        except (OSError, ValueError, SourceError):
            return None


@dataclass
class View:
    """How to show a report; `width` is that of the terminal."""

    cwd: Path = field(default_factory=Path.cwd)
    color: bool = False
    width: int = 120
    statistics: bool = False
    quiet: bool = False
    sources: Sources = field(default_factory=Sources)

    def path(self, root: str, path: str) -> str:
        """The path for a person: relative to the current directory if the file lies below it, else absolute."""
        place = os.path.join(root, path)
        cwd = os.path.join(self.cwd, "")
        return place[len(cwd) :].replace(os.sep, "/") if place.startswith(cwd) else place


@dataclass(frozen=True)
class Totals:
    """Sums over reports."""

    findings: int
    suppressed: int
    baselined: int
    fixed: int
    problems: int
    files: int
    lines: int
    cached: int
    seconds: float
    by_severity: Mapping[str, int]
    by_code: Mapping[tuple[str, str], int]

    @property
    def exit_code(self) -> int:
        """As for one report: 2 for any problem, else 1 for any finding."""
        return 2 if self.problems else 1 if self.findings else 0


def totals(reports: Sequence[Report]) -> Totals:
    """The sums; codes are counted with their slug, the most frequent first."""
    findings: list[Finding] = [finding for report in reports for finding in report.findings]
    severities = Counter(finding.severity for finding in findings)
    codes = Counter((finding.code, finding.slug) for finding in findings)
    return Totals(
        findings=len(findings),
        suppressed=sum(len(report.suppressed) for report in reports),
        baselined=sum(len(report.baselined) for report in reports),
        fixed=sum(report.fixed for report in reports),
        problems=sum(len(report.problems) for report in reports),
        files=sum(report.files for report in reports),
        lines=sum(report.lines for report in reports),
        cached=sum(report.cached for report in reports),
        seconds=sum(report.seconds for report in reports),
        by_severity={severity.label: count for severity, count in sorted(severities.items(), reverse=True)},
        by_code=dict(sorted(codes.items(), key=lambda item: (-item[1], item[0]))),
    )
