"""A finding as a comment: what, why, the way of the value, the fix. Nothing of the repository acts in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from prodready.change.patch import FileChange
from prodready.change.sides import Change
from prodready.finding import Finding, Fix, Report, Step
from prodready.report import View
from prodready.report.frame import diff, patched
from prodready.report.markdown import code, fenced, inline
from prodready.report.terminal import Paint, visible
from prodready.report.view import Sources
from prodready.review.place import Anchor, anchor, shown
from prodready.rules import Rule

MARK = "<!-- prodready finding="
SUMMARY = "<!-- prodready summary -->"
_MARKED = re.compile(re.escape(MARK) + r"([0-9a-f]{32}) -->")
_MOST_STEPS = 12
_LONGEST = 1000
_MOST_LINES = 30
"""Lines of a fix that a comment quotes; a suggestion of GitLab may reach 100 lines up and down."""


@dataclass(frozen=True)
class Comment:
    """A comment to be posted: `key` is what it is known by in later runs, `line` one line about it for the summary."""

    key: str
    body: str
    line: str
    severity: str
    anchor: Anchor | None = None


def key_of(body: str) -> str:
    """The key of a comment that an earlier run posted, empty if it is none.

    Only the start counts: further down stands what others wrote.
    """
    found = _MARKED.match(body)
    return found[1] if found else ""


@dataclass
class Composer:
    """Makes comments for one provider, of the findings of `report` and the change that they come from."""

    report: Report
    change: Change
    rules: Mapping[str, Rule]
    view: View
    prefix: str
    """The project's directory below the top of the repository, empty or with a slash at its end."""
    provider: str
    plain: Sources
    """The files with nothing hidden: a suggestion with stars in place of a secret would be applied as it is."""

    def comments(self) -> list[Comment]:
        """The comments, in the order of the findings."""
        files = self.change.by_path()
        return [self._comment(finding, files) for finding in self.report.findings]

    def _comment(self, finding: Finding, files: Mapping[str, FileChange]) -> Comment:
        own = (finding.change.location if finding.change else finding.location).path
        file = files.get(own)
        place = anchor(finding, file) if file else None
        fix: list[str] = []
        if file is not None and place is not None:
            place, fix = self._fix(finding, file, place)
        text = f"{self.prefix}\0{finding.fingerprint}"
        key = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
        title = f"**{finding.code}** {code(finding.slug)}"
        what = inline(_cut(finding.message))
        parts = [
            f"{MARK}{key} -->\n{title} ({finding.severity.label}, {finding.confidence.label} confidence)",
            what,
            *self._elsewhere(finding),
            *self._trace(finding),
            *([inline(f"How to fix it: {finding.hint}")] if finding.hint else []),
            *fix,
            *self._why(finding),
        ]
        if place is not None:
            place = replace(place, path=self.prefix + place.path, old=self.prefix + place.old)
        return Comment(key, "\n\n".join(parts), f"{self._at(finding)} {title}: {what}", finding.severity.label, place)

    def _at(self, finding: Finding) -> str:
        return code(f"{self.prefix}{finding.location.path}:{finding.location.line}")

    def _elsewhere(self, finding: Finding) -> list[str]:
        """Where the finding stands, if the change only leads to it."""
        if finding.change is None or finding.change.location == finding.location:
            return []
        return [f"The finding itself is at {self._at(finding)}; this line leads there."]

    def _trace(self, finding: Finding) -> list[str]:
        steps = [self._step(step) for step in (*finding.trace, *finding.related)]
        if not steps:
            return []
        if len(steps) > _MOST_STEPS:
            half = _MOST_STEPS // 2
            steps = [*steps[:half], f"({len(steps) - 2 * half} more steps)", *steps[-half:]]
        listed = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
        return [f"<details><summary>The path, step by step</summary>\n\n{listed}\n\n</details>"]

    def _step(self, step: Step) -> str:
        return f"{code(f'{self.prefix}{step.location.path}:{step.location.line}')}: {inline(_cut(step.message))}"

    def _why(self, finding: Finding) -> list[str]:
        rule = self.rules.get(finding.code)
        why = rule.sections().get("Why it matters", "") if rule else ""
        text = " ".join(why.strip().split("\n\n")[0].split())
        return [f"<details><summary>Why it matters</summary>\n\n{inline(text)}\n\n</details>"] if text else []

    def _fix(self, finding: Finding, file: FileChange, place: Anchor) -> tuple[Anchor, list[str]]:
        """The first fix that can be shown, and the lines that the comment then has to stand on."""
        for fix in finding.fixes:
            # GitLab's suggestions reach up and down from the line that they stand on.
            lines = self._replaced(fix, file, place.line if self.provider == "gitlab" and not place.removed else 0)
            if lines is None or finding.secret:
                continue
            first, last, text = lines
            if self.provider == "github" and not place.removed and shown(file, first, last):
                return replace(place, first=first, line=last), [fenced(text, "suggestion")]
            if self.provider == "gitlab" and not place.removed and first <= place.line <= last:
                return place, [fenced(text, f"suggestion:-{place.line - first}+{last - place.line}")]
            differing = diff(fix.edits, lambda path: self.view.sources.lines(self.report.root, path), Paint(False))
            if 0 < len(differing) <= _MOST_LINES:
                return place, [f"{inline(fix.description)}:\n\n{fenced(differing, 'diff')}"]
        return place, []

    def _replaced(self, fix: Fix, file: FileChange, at: int) -> tuple[int, int, list[str]] | None:
        """The lines that a fix replaces, and by what; None where it would not be applied as it is shown.

        The line `at` is one of them, whether it changes or not, if it is not 0.
        """
        if not fix.edits or any(edit.location.path != file.path for edit in fix.edits):
            return None
        first = min(edit.location.line for edit in fix.edits)
        last = max(edit.location.end_line for edit in fix.edits)
        hidden = self.view.sources.lines(self.report.root, file.path)
        lines = self.plain.lines(self.report.root, file.path)
        # Hosts write lines that end as on Unix, and an escape for a sign that does not show would be taken literally.
        crlf = any(line.endswith(b"\r\n") for hunk in file.hunks for line in hunk.added)
        if crlf or lines is None or hidden is None or last - first >= _MOST_LINES:
            return None
        text = patched(lines, fix.edits)
        if text is None:
            return None
        if at and at < first:
            text, first = [*lines[at - 1 : first - 1], *text], at
        elif at > last:
            text, last = [*text, *lines[last:at]], at
        if last - first >= _MOST_LINES or hidden[first - 1 : last] != lines[first - 1 : last]:
            return None
        return (
            None
            if any(visible(line.replace("\t", "")) != line.replace("\t", "") for line in text)
            else (first, last, text)
        )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def summary(wanted: Sequence[Comment], apart: Sequence[Comment], fixed: int, head: str, *, complete: bool) -> str:
    """The comment about all of it; `apart` are the findings without a comment of their own."""
    if wanted:
        kinds = [
            f"{count} {name}{'' if count == 1 or name == 'info' else 's'}"
            for name in ("error", "warning", "info")
            if (count := _count(wanted, name))
        ]
        said = f"{len(wanted)} finding{'' if len(wanted) == 1 else 's'} in this change ({', '.join(kinds)})"
    else:
        said = "no findings in this change"
    parts = [f"{SUMMARY}\n**prodready**: {said}{f'; {fixed} fixed' if fixed else ''}."]
    if not complete:
        parts.append("Something could not be looked at: the log of the job says what.")
    if apart:
        listed = [f"- {comment.line}" for comment in apart[:_MOST_LINES]]
        if len(apart) > _MOST_LINES:
            listed.append(f"- and {len(apart) - _MOST_LINES} more, in the log of the job")
        parts.append("Without a comment of their own:\n\n" + "\n".join(listed))
    if head:
        parts.append(f"Looked at {head[:12]}.")
    return "\n\n".join(parts)


def _count(comments: Sequence[Comment], severity: str) -> int:
    return sum(comment.severity == severity for comment in comments)
