"""What writers need besides the reports: how paths are shown, where source lines come from, counts over all reports."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from prodready.config import repository
from prodready.finding import Finding, Location, Report
from prodready.masking import hide
from prodready.source import SourceError, decode, masked, split_lines


class Sources:
    """The lines of source files, read when asked for; `given` replaces the content of absolute paths.

    What may be a secret is shown as stars, unless they are to be `plain`.
    """

    def __init__(self, given: Mapping[str, bytes] | None = None, *, plain: bool = False) -> None:
        self._given = dict(given or {})
        self._plain = plain
        self._hidden: dict[str, list[Location]] = {}
        self._read = lru_cache(maxsize=16)(self._load)

    def lines(self, root: str, path: str) -> list[str] | None:
        """The file's lines without their ends, or None if it cannot be read any more."""
        return self._read(os.path.join(root, path))

    def shows_all(self, root: str, path: str, first: int, last: int) -> bool:
        """Whether nothing is hidden in these lines, so that they could be written back."""
        plain = Sources(self._given, plain=True).lines(root, path)
        shown = self.lines(root, path)
        return bool(shown and plain) and shown[first - 1 : last] == plain[first - 1 : last]  # type: ignore[index]

    def hide(self, reports: Iterable[Report]) -> None:
        """Show stars in place of the secrets that were found, wherever their lines are shown."""
        for report in reports:
            others = [*(item.finding for item in report.suppressed), *report.below, *report.baselined]
            for finding in (*report.findings, *others):
                if finding.secret:
                    place = os.path.join(report.root, finding.location.path)
                    self._hidden.setdefault(place, []).append(finding.location)
        self._read.cache_clear()

    def _load(self, place: str) -> list[str] | None:
        try:
            data = self._given[place] if place in self._given else Path(place).read_bytes()
            text = decode(data)
            return masked(split_lines(text if self._plain else hide(text, place)), self._hidden.get(place, ()))
        except (OSError, ValueError, SourceError):
            return None


def top(roots: Sequence[str], cwd: Path) -> Path:
    """The directory that paths are told from: the top of the repository of all projects, or what holds them all."""
    common = Path(os.path.commonpath(roots)) if roots else cwd
    return repository(common) or common


class View(msgspec.Struct):
    """How to show a report; `width` is that of the terminal."""

    cwd: Path = msgspec.field(default_factory=Path.cwd)
    color: bool = False
    width: int = 120
    statistics: bool = False
    quiet: bool = False
    sources: Sources = msgspec.field(default_factory=Sources)

    def path(self, root: str, path: str) -> str:
        """The path for a person: relative to the current directory if the file lies below it, else absolute."""
        place = os.path.join(root, path)
        cwd = os.path.join(self.cwd, "")
        return place[len(cwd) :].replace(os.sep, "/") if place.startswith(cwd) else place

    def of_repository(self, reports: Sequence[Report]) -> Callable[[str, str], str]:
        """The path for a code host, of a root and a path: relative to the top of the repository."""
        base = os.path.join(top([report.root for report in reports], self.cwd), "")

        def path(root: str, path: str) -> str:
            place = os.path.join(root, path)
            return place[len(base) :].replace(os.sep, "/") if place.startswith(base) else place

        return path


class Totals(msgspec.Struct, frozen=True):
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
