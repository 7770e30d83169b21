"""What becomes of the findings of one file: which rules are silent there, what comments silence, what can be fixed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from prodready import discover
from prodready.config import Config
from prodready.finding import Finding, Fix, Location, Suppressed, normalised
from prodready.masking import Stretch, hide, stars
from prodready.rules import Rule, all_rules, rules_of, same_weakness
from prodready.source import SourceError, decode, masked, split_lines
from prodready.suppress import Suppressions, apply


class Sifted(msgspec.Struct, frozen=True):
    """All findings of one file by what becomes of them.

    `enabled` are the rules selected for the file, `ran` those of them that are not silent in files of its `kinds`. `kept`
    holds what no comment silences, whatever its severity and confidence; `text` are the file's bytes.
    """

    enabled: frozenset[str]
    ran: frozenset[str]
    kinds: frozenset[str]
    kept: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...]
    text: bytes


def sift(
    config: Config,
    path: str,
    findings: Sequence[Finding],
    data: bytes,
    suppressions: Suppressions | None,
    absent: Collection[str] = (),
    hidden: Collection[Stretch] | None = None,
) -> Sifted:
    """What becomes of the findings of the file `path` with the content `data`, of all rules whether they report there.

    `suppressions` are what its comments say; None for a file whose facts are not to be had. `absent` are the codes that
    nobody looked for in it. `hidden` is where this content has what may be a secret, if that is known already.
    """
    rules = rules_of(config)
    kinds = discover.kind(config, path) | ({"generated"} if discover.is_generated(data) else set())
    enabled = frozenset(code for code in rules if config.enabled_in(code, path))
    ran = frozenset(code for code in enabled if not rules[code].skip & kinds).difference(absent)
    told = _one_each(config, path, [_graded(config, finding) for finding in findings])
    # What is read as Python under another name is hidden in another way.
    kept = _fingerprinted(told, data, hidden if path.endswith(".py") else None)
    if suppressions is None:
        return Sifted(enabled, ran, kinds, tuple(kept), (), data)
    kept, quiet, extra = apply(kept, suppressions, path, ran, rules, config.require_reason)
    kept = sorted([*kept, *extra], key=lambda finding: finding.sort_key)
    return Sifted(enabled, ran, kinds, tuple(kept), tuple(quiet), data)


def _graded(config: Config, finding: Finding) -> Finding:
    severity = config.graded(finding) if config.severity else finding.severity
    return finding if severity == finding.severity else msgspec.structs.replace(finding, severity=severity)


def _one_each(config: Config, path: str, findings: list[Finding]) -> list[Finding]:
    """One finding where several analysers speak of the same weakness in a line: ours, which names the others' codes."""
    yielding = {
        code: same for code in {f.code for f in findings} if (same := same_weakness(config, code)) and code not in same
    }
    others: dict[int, list[str]] = {}
    gone: set[int] = set()
    for number, finding in enumerate(findings):
        for place, ours in enumerate(findings) if finding.code in yielding else ():
            if (
                ours.code in yielding[finding.code]
                and config.shows(ours)
                and finding.location.line in _lines(ours, path)
            ):
                others.setdefault(place, []).append(finding.code)
                gone.add(number)
    return [
        msgspec.structs.replace(finding, message=f"{finding.message} (also: {', '.join(sorted(set(others[place])))})")
        if place in others
        else finding
        for place, finding in enumerate(findings)
        if place not in gone
    ]


def _lines(finding: Finding, path: str) -> set[int]:
    """The lines that a finding speaks of: its statement, and the steps of its trace in the same file."""
    first, last = finding.statement if finding.statement[0] else (finding.location.line, finding.location.line)
    steps = {step.location.line for step in finding.trace if step.location.path == path}
    return {finding.location.line, *range(first, last + 1), *steps}


def _fingerprinted(
    findings: Sequence[Finding], data: bytes, hidden: Collection[Stretch] | None = None
) -> list[Finding]:
    """The findings of one file with the text of their statements and their number among equals."""
    if not findings:
        return []
    try:
        text = decode(data)
    except SourceError:
        return list(findings)
    shown = hide(text, findings[0].location.path) if hidden is None else stars(text, hidden)
    lines = split_lines(shown)
    lines = masked(lines, (finding.location for finding in findings if finding.secret))
    seen: dict[tuple[str, str, str], int] = {}
    done = []
    for finding in findings:
        first, last = finding.statement
        snippet = " ".join(" ".join(lines[max(first - 1, 0) : last]).split()) if first else ""
        key = (finding.code, finding.context, normalised(snippet))
        place, number = _at_text(finding.location, lines), seen.get(key, 0)
        done.append(msgspec.structs.replace(finding, location=place, snippet=snippet[:1000], occurrence=number))
        seen[key] = seen.get(key, 0) + 1
    return done


def _at_text(place: Location, lines: Sequence[str]) -> Location:
    """The place where a line begins behind its indentation, for one that means the line as a whole."""
    text = lines[place.line - 1] if place.column == 1 and not place.end_line and 0 < place.line <= len(lines) else ""
    blank = len(text) - len(text.lstrip())
    return msgspec.structs.replace(place, column=blank + 1) if blank and text.strip() else place


def fixable(findings: Sequence[Finding], data: bytes) -> list[Finding]:
    """The findings of one file with the fixes that their rules have for them."""
    rules = all_rules()
    try:
        text = decode(data) if any(_has_fix(rules, f) for f in findings) else ""
    except SourceError:
        return list(findings)
    shown = hide(text)
    done = []
    for finding in findings:
        fix = rules[finding.code].fix if _has_fix(rules, finding) else None
        fixes = tuple(one for one in fix(finding, text) if _is_clear(one, text, shown)) if fix else finding.fixes
        done.append(msgspec.structs.replace(finding, fixes=fixes))
    return done


def _is_clear(fix: Fix, text: str, shown: str) -> bool:
    """Whether a fix can be shown without giving away a secret that stands where it edits."""
    if any(hide(edit.replacement) != edit.replacement for edit in fix.edits):
        return False
    if shown == text:
        return True
    hidden, plain = split_lines(shown), split_lines(text)
    places = [edit.location for edit in fix.edits]
    return all(hidden[at.line - 1 : at.end_line] == plain[at.line - 1 : at.end_line] for at in places)


def _has_fix(rules: Mapping[str, Rule], finding: Finding) -> bool:
    return finding.code in rules and rules[finding.code].fix is not None
