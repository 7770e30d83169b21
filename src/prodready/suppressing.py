"""Writing the comments that silence findings: one reason for all of them, the code untouched."""

from __future__ import annotations

import ast
import codecs
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from prodready.baseline import replace
from prodready.finding import Finding, Location, Problem
from prodready.source import SourceError, comments, declared_encoding, decode, normal_name
from prodready.suppress import INVALID, UNUSED, scan

LINE = 120
"""Columns that a line with a comment behind it may have; beyond, the comment gets a line of its own above."""

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|$)")


@dataclass(frozen=True)
class Added:
    """What was written: how many comments in how many files, and what could not be silenced by one."""

    comments: int
    files: int
    problems: tuple[Problem, ...]


def unusable(reason: str) -> str:
    """Why a text cannot be the reason in a comment; empty if it can."""
    if not reason.strip():
        return "a comment that silences something needs a reason"
    if not reason.isprintable():
        return "the reason must be one line of printable text"
    silences = scan(f"# prodready: ignore[{UNUSED}] {reason.strip()}\n").directives
    if len(silences) != 1 or silences[0].word != "ignore" or not silences[0].reason:
        return "the reason reads as a comment of its own"
    return ""


def add(root: Path, findings: Iterable[Finding], reason: str) -> Added:
    """Write a comment for each finding into its file below `root`, all codes of one statement in one comment."""
    by_file: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_file[finding.location.path].append(finding)
    count, files = 0, 0
    problems: list[Problem] = []
    for path, found in sorted(by_file.items()):
        if Path(path).suffix not in {"", ".py"}:
            problems.append(Problem("comments are written into Python files only; a baseline holds the others", path))
            continue
        ours = [finding for finding in found if finding.code not in (UNUSED, INVALID) and not finding.identity]
        if len(ours) < len(found):
            problems.append(
                Problem(f"{len(found) - len(ours)} findings are not of a kind that a comment silences", path)
            )
        try:
            written = _written(root / path, ours, reason.strip()) if ours else 0
        except (OSError, SourceError, UnicodeError) as error:
            problems.append(Problem(f"no comment was written: {getattr(error, 'strerror', None) or error}", path))
            continue
        count += written
        files += bool(written)
    return Added(count, files, tuple(problems))


def _written(file: Path, findings: Sequence[Finding], reason: str) -> int:
    data = file.read_bytes()
    text = decode(data)
    lines = [match[0] for match in _LINE.finditer(text)]
    by_statement: dict[tuple[int, int], set[str]] = defaultdict(set)
    for finding in findings:
        by_statement[_statement(finding.location, finding.statement)].add(finding.code)
    for (first, last), codes in sorted(by_statement.items(), reverse=True):
        comment = f"# prodready: ignore[{', '.join(sorted(codes))}] {reason}"
        body, end = _parted(lines[first - 1])
        behind = f"{body.rstrip()}  {comment}{end}"
        indent = body[: len(body) - len(body.lstrip())]
        above = f"{indent}{comment}{end or chr(10)}{lines[first - 1]}"
        choices = [behind, above] if first == last and len(behind.rstrip()) <= LINE else [above]
        lines[first - 1] = next(choice for choice in choices if choice == above or _is_comment(choice, comment))
    changed = "".join(lines)
    if not _same_code(text, changed) or sum(comment.text.endswith(reason) for comment in comments(changed)) < len(
        by_statement
    ):
        raise SourceError("a comment cannot stand there")
    replace(file, _encoded(changed, data))
    return len(by_statement)


def _is_comment(line: str, comment: str) -> bool:
    """Whether the end of a line, which is a whole statement, is read as a comment."""
    found = list(comments(line))
    return (
        len(found) == 1 and found[0].text.endswith(comment) and not line[: found[0].column - 1].rstrip().endswith("\\")
    )


def _same_code(before: str, after: str) -> bool:
    """Whether two texts differ in comments only, as far as this interpreter can read them."""
    try:
        tree = ast.parse(before)
    except (SyntaxError, ValueError, RecursionError):
        return True
    try:
        return ast.dump(tree) == ast.dump(ast.parse(after))
    except (SyntaxError, ValueError, RecursionError):
        return False


def _statement(place: Location, statement: tuple[int, int]) -> tuple[int, int]:
    first, last = statement
    return (min(first, place.line), max(last, place.line)) if first else (place.line, max(place.line, place.end_line))


def _parted(line: str) -> tuple[str, str]:
    match = _LINE.match(line)
    assert match is not None
    return match[1], match[2]


def _encoded(text: str, data: bytes) -> bytes:
    """The text as the file that held `data` was written."""
    declared = declared_encoding(data)
    encoding = normal_name(declared[0]) if declared else "utf-8"
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    return mark + text.encode("utf-8" if mark else encoding)
