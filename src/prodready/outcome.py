"""What linking and judging all files gave: kept for the next run on the same files."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from prodready.documents import Documents
from prodready.finding import Finding, Problem
from prodready.reading import UNREADABLE


class Outcome(msgspec.Struct):
    """Findings before anything is selected, and what went wrong.

    `asked` are the digests of the files that are not source and that it rests on.
    """

    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]
    asked: dict[str, str] = {}


def outcome_of(findings: Iterable[Finding], problems: Iterable[Problem], documents: Documents) -> Outcome:
    """These findings in the order of reports, with what `documents` were asked and what was wrong with them."""
    in_order = sorted(findings, key=lambda finding: finding.sort_key)
    return Outcome(tuple(in_order), (*problems, *documents.problems), documents.asked)


def unpacked(body: bytes | None) -> Outcome | None:
    """An outcome that was kept as msgpack; None if there is none, or it cannot be read."""
    try:
        return msgspec.msgpack.decode(body, type=Outcome) if body else None
    except UNREADABLE:
        return None
