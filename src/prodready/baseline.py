"""Findings that are known and put up with: a file of them, and telling them from new ones.

The file has one JSON object a line, sorted, without line numbers. A line means the same wherever it stands, and twice the
same as once, so that git may merge two versions by keeping the lines of both.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from prodready.config import DEFAULT_BASELINE, Config, shown
from prodready.finding import Finding, Problem, Report, normalised

ATTRIBUTES = (
    "# Made by prodready: each line stands for itself, so both sides of a merge are kept.\nbaseline.jsonl merge=union\n"
)


class BaselineError(Exception):
    """A baseline that cannot be used: one line that names the file and what to do."""


class Entry(NamedTuple):
    """A finding as a baseline knows it. `statement` is a hash of the rule and the statement, wherever that stands."""

    path: str
    code: str
    context: str
    fingerprint: str
    statement: str
    message: str = ""


def entry(finding: Finding) -> Entry:
    """A finding without its place."""
    text = f"{finding.code}\0{normalised(finding.snippet)}"
    statement = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
    at = finding.location.path
    return Entry(at, finding.code, finding.context, finding.fingerprint, statement, finding.message)


_Item = TypeVar("_Item")


class Match(msgspec.Struct, frozen=True):
    """Which findings are known, by their number in what was matched, and which entries nothing was found for."""

    known: dict[int, Entry]
    gone: list[Entry]


def match(entries: Iterable[Entry], found: Sequence[Entry], movable: Callable[[Entry], bool] = lambda _: True) -> Match:
    """Pair entries with findings, each with one at most.

    First by fingerprint. Then code that moved, with its file, to another one or into a class: the same statement in a
    function of the same name. A copy finds nothing left to be paired with: its original is there. `movable` says of an entry
    that nothing was found for whether that is certain.
    """
    known: dict[int, Entry] = {}
    left = list(dict.fromkeys(entries))
    for key in (_exact, _moved):
        waiting: dict[object, list[Entry]] = defaultdict(list)
        for item in left:
            if key is _exact or movable(item):
                waiting[key(item)].append(item)
        for number, item in enumerate(found):
            if number not in known and waiting.get(key(item)):
                known[number] = waiting[key(item)].pop(0)
        paired = set(known.values())
        left = [item for item in left if item not in paired]
    return Match(known, sorted(left))


def _exact(item: Entry) -> object:
    return item.fingerprint


def _moved(item: Entry) -> object:
    return item.statement, item.context.rpartition(".")[2]


def read(file: Path, strict: bool = True) -> list[Entry]:
    """The entries of a file; raises BaselineError, for lines that are none only if `strict`."""
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError:
        raise BaselineError(f"{file}: not UTF-8, so no baseline of prodready") from None
    except OSError as error:
        raise BaselineError(f"{file}: the baseline cannot be read: {error.strerror or error}") from None
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        if strict and line.startswith(("<<<<<<<", "=======", ">>>>>>>", "|||||||")):
            advice = "keep the lines of both sides, or run `prodready baseline update`"
            raise BaselineError(f"{file}:{number}: a merge left its marks in the baseline: {advice}")
        item = _parsed(line)
        if item is None and not strict:
            continue
        if item is None:
            raise BaselineError(
                f"{file}:{number}: not a line of a baseline: delete it, or run `prodready baseline update`"
            )
        found.append(item)
    return found


def _parsed(line: str) -> Entry | None:
    try:
        record: Any = json.loads(line)
        values = {name: record[name] for name in Entry._fields if name in record}
        item = Entry(**values)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return item if all(isinstance(value, str) for value in item) else None


def write(file: Path, entries: Iterable[Entry]) -> None:
    """Write a file, whole or not at all, unless it holds just that; raises BaselineError."""
    text = "".join(json.dumps(item._asdict()) + "\n" for item in sorted(set(entries)))
    try:
        if file.is_file() and file.read_bytes() == text.encode():
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.parent.name == ".prodready" and not (file.parent / ".gitattributes").exists():
            (file.parent / ".gitattributes").write_text(ATTRIBUTES)
        replace(file, text.encode())
    except OSError as error:
        raise BaselineError(f"{file}: the baseline cannot be written: {error.strerror or error}") from None


def replace(file: Path, data: bytes) -> None:
    """Give a file new content in one step, so that a full disk costs nobody the old one; raises OSError."""
    target = Path(os.path.realpath(file))
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        beside.write_bytes(data)
        if target.exists():
            os.chmod(beside, target.stat().st_mode)
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def file_of(config: Config, given: str | None, isolated: bool = False) -> Path | None:
    """The baseline to use: the file `given` on the command line, or the configuration's; None if there is none.

    Raises BaselineError for one that was asked for and is not there.
    """
    file = Path(given).absolute() if given else config.root / config.baseline
    if file.is_file():
        return file if given or not isolated else None
    if given or config.baseline != DEFAULT_BASELINE:
        raise BaselineError(f"{shown(file)}: there is no such baseline; `prodready baseline create` writes one")
    return None


class Compared(msgspec.Struct, frozen=True):
    """A report held against a baseline.

    `known` are the entries that still stand, as they are to be written, `gone` those that do not; `others` are entries that
    the run has nothing to say of. `new` are the findings to be shown, `old` those that are known.
    """

    known: list[Entry]
    gone: list[Entry]
    others: list[Entry]
    new: list[Finding]
    old: list[Finding]


def compared(
    config: Config, targets: Sequence[Path], report: Report, entries: Iterable[Entry], partial: bool
) -> Compared:
    """Hold a report on `targets` against entries. A `partial` report tells of none that it is gone."""
    speaks: list[Entry] = []
    others: list[Entry] = []
    broken = {problem.path for problem in report.problems}
    for item in dict.fromkeys(entries):
        (speaks if _asked(config, targets, item) else others).append(item)

    def movable(item: Entry) -> bool:
        return not os.path.exists(config.root / item.path) or (not partial and item.path not in broken)

    found = [*report.findings, *report.below]
    items = [entry(finding) for finding in found]
    matched = match(speaks, items, movable)
    known = [
        old if old.fingerprint == items[number].fingerprint else items[number] for number, old in matched.known.items()
    ]
    gone = [] if partial or "" in broken else [item for item in matched.gone if item.path not in broken]
    others += [item for item in matched.gone if item not in gone]
    new = [finding for number, finding in enumerate(report.findings) if number not in matched.known]
    return Compared(known, gone, others, new, [found[number] for number in matched.known])


def _asked(config: Config, targets: Sequence[Path], item: Entry) -> bool:
    """Whether a run on the targets would report what the entry speaks of, if it were there."""
    place = config.root / item.path
    inside = any(place == target or target in place.parents for target in targets)
    return config.enabled_in(item.code, item.path) and (inside or not place.exists())


def less_known(config: Config, targets: Sequence[Path], report: Report) -> Report:
    """The report without what the configuration's baseline knows; a baseline that cannot be used is a problem of it."""
    try:
        file = file_of(config, None)
        return applied(config, targets, report, file, partial=False) if file else report
    except BaselineError as error:
        return msgspec.structs.replace(report, problems=(*report.problems, Problem(str(error))))


def applied(config: Config, targets: Sequence[Path], report: Report, file: Path, *, partial: bool) -> Report:
    """The report without what the baseline `file` knows; raises BaselineError."""
    result = compared(config, targets, report, read(file), partial)
    by_place = sorted(result.old, key=lambda finding: finding.sort_key)
    notes = [f"fixed, but still in the baseline: {item.path}: {item.code} {item.message}" for item in result.gone]
    return msgspec.structs.replace(
        report,
        findings=tuple(result.new),
        baselined=tuple(by_place),
        fixed=len(result.gone),
        notes=(*report.notes, *notes),
    )
