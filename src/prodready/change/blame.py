"""Which place of a change causes a finding that stands elsewhere: found by undoing the places one by one.

That takes no knowledge of what a guard, a transaction or a validator is: what was lost is what makes the finding go when it
is put back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from prodready.baseline import entry
from prodready.change import sides
from prodready.change.patch import FileChange, Hunk, PatchError, lines_of
from prodready.change.sides import Change
from prodready.finding import Finding, Location, Step
from prodready.masking import hide
from prodready.project import Opened, Options, Session
from prodready.rules import all_rules

PROBES = 24
"""How many times at most a part of the change is undone, to see which findings go."""

_WIDE = 80
# What was removed may be a key, and the old side is not searched for them: nothing that looks like one is quoted.
_KEY = re.compile(r"""(["'])(?=[^"'\s]*\d)([^"'\s]{12,})""")


def relocated(
    session: Session, run: Opened, change: Change, files: Sequence[FileChange], caused: Sequence[Finding]
) -> Iterator[Finding]:
    """The findings, each at the place of the change that causes it and with what was lost there.

    One for which there is no such place in the new side stays where it is.
    """
    probe = _Probe(session, run, change, caused)
    for finding, (file, hunk) in zip(caused, probe.causes(files), strict=True):
        yield _moved(session, run, finding, file, hunk)


def asked(found: Iterable[Finding]) -> frozenset[str] | None:
    """The rules that have to be judged again to know whether these findings are there; None for all of them."""
    codes = frozenset(finding.code for finding in found)
    rules = all_rules()
    # What comments are good for is known once all rules have spoken.
    return codes if all(code in rules and rules[code].check for code in codes) else None


class _Probe:
    """Undoes parts of the change and looks which of the findings are still there."""

    def __init__(self, session: Session, run: Opened, change: Change, caused: Sequence[Finding]) -> None:
        self.session, self.run, self.change, self.caused = session, run, change, caused
        self.left = PROBES
        self.paths = frozenset(finding.location.path for finding in caused)
        self.keys = [_key(finding) for finding in caused]
        self.codes = asked(caused)

    def causes(self, files: Sequence[FileChange]) -> list[tuple[FileChange, Hunk]]:
        """For each finding the place that causes it; the nearest one where that cannot be told."""
        ordered = sorted(files, key=self._distance)
        found: dict[int, FileChange] = {}
        for file in ordered if len(ordered) > 1 else ():
            if len(found) == len(self.keys):
                break
            gone = self._gone_without(file, None)
            found.update((number, file) for number in gone if number not in found)
        return [self._place(number, found.get(number, ordered[0])) for number in range(len(self.keys))]

    def _place(self, number: int, file: FileChange) -> tuple[FileChange, Hunk]:
        hunks = file.hunks or (Hunk(1, 1, (), ()),)
        if len(hunks) > 1 and file.path:
            for hunk in hunks:
                if number in self._gone_without(file, hunk):
                    return file, hunk
        # Those that take something away are more likely the cause than what was only added.
        return file, max(hunks, key=lambda hunk: bool(hunk.removed))

    def _gone_without(self, file: FileChange, hunk: Hunk | None) -> set[int]:
        """The numbers of the findings that are not there when a file, or one place of it, is as it was before."""
        if not self.left:
            return set()
        self.left -= 1
        if hunk is None:
            overlay, _ = sides.old_side(self.session.config.root, self.change, [file])
        else:
            try:
                overlay = {file.path: sides.undo(self.session.config.root, self.change, file, [hunk])}
            except PatchError:
                return set()
        run = self.session.overlaid(self.run, overlay)
        chosen = self.paths & run.state.entries.keys()
        report = self.session.report(run, chosen, [self.session.config.root], Options(fixes=False), self.codes)
        still = {_key(finding) for finding in report.findings}
        return {number for number, key in enumerate(self.keys) if key not in still}

    def _distance(self, file: FileChange) -> tuple[int, bool]:
        """Files on the way of a finding first, then those in which something was taken away."""
        near = {finding.location.path for finding in self.caused}
        along = {step.location.path for finding in self.caused for step in (*finding.trace, *finding.related)}
        rank = 0 if file.path in near else 1 if file.path in along else 2
        return rank, not any(hunk.removed for hunk in file.hunks)


def _key(finding: Finding) -> tuple[str, ...]:
    item = entry(finding)
    return item.path, item.context, item.statement


def _moved(session: Session, run: Opened, finding: Finding, file: FileChange, hunk: Hunk) -> Finding:
    own = finding.location
    what = _what(hunk, file.path or file.old)
    if not file.path or (file.path not in run.state.entries and file.path not in run.web.entries()):
        lost = f"{file.old or file.path}: {what}"
        return replace(finding, message=f"{finding.message}; the cause is in {lost}")
    lines = lines_of(session.content(run, file.path))
    number = max(1, min(hunk.start if hunk.added else hunk.start + 1, len(lines)))
    text = lines[number - 1].decode("utf-8", "replace").rstrip() if lines else ""
    indent = len(text) - len(text.lstrip())
    place = Location(file.path, number, indent + 1, number, max(len(text), indent + 1) + 1)
    return replace(
        finding,
        identity=finding.fingerprint,
        location=place,
        statement=(number, number),
        message=f"{what}, and now {finding.message} ({own.path}:{own.line})",
        related=(Step(own, "reported for this place"), *finding.related),
        change=Step(place, what),
    )


def _what(hunk: Hunk, path: str) -> str:
    """What happened at a place, in a few words."""
    before, after = (_telling(lines, path) for lines in (hunk.removed, hunk.added))
    if before and not after:
        return f"`{before}` was removed here"
    if before:
        return f"`{before}` was changed here"
    return "this was added" if after else "this changed"


def _telling(lines: Sequence[bytes], path: str) -> str:
    """The first line of code among them."""
    for line in lines:
        text = line.decode("utf-8", "replace").strip()
        if text and not text.startswith(("#", "//", "<!--", "{#")):
            text = hide(_KEY.sub(lambda match: match[1] + "*" * len(match[2]), text), path)
            return text if len(text) <= _WIDE else text[: _WIDE - 3] + "..."
    return ""
