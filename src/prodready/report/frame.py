"""Pieces of source as a person sees them: code frames with the place underlined, and fixes as small diffs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prodready.finding import Edit, Location
from prodready.report.terminal import Paint, cells, pieces, visible

_CONTEXT = 1
_MOST_LINES = 6


def frame(lines: Sequence[str] | None, location: Location, width: int, paint: Paint) -> list[str]:
    """The place with a line before and after; nothing if the file no longer has such a line."""
    if not lines or not 1 <= location.line <= len(lines):
        return []
    last = min(max(location.line, location.end_line), len(lines))
    first_shown, last_shown = max(1, location.line - _CONTEXT), min(len(lines), last + _CONTEXT)
    gutter = max(4, len(str(last_shown)))
    room = max(20, width - gutter - 4)
    margin = paint(f"{'':>{gutter + 1}} |", "dim")
    out = []
    for number in range(first_shown, last_shown + 1):
        if location.line + _MOST_LINES <= number < last:
            if number == location.line + _MOST_LINES:
                out.append(f"{'...':>{gutter + 1}}")
            continue
        outside = number < location.line or number > last
        if outside and not lines[number - 1].strip():
            continue
        start, end = _marked(lines[number - 1], number, location)
        text, offset, length = _cropped(lines[number - 1], start, end, room)
        out.append(f"{paint(f'{number:>{gutter + 1}} |', 'dim')} {text}".rstrip())
        if number == location.line:
            out.append(f"{margin} {' ' * offset}{paint('^' * length, 'bold', 'red')}")
    return out


def source_line(lines: Sequence[str] | None, location: Location, width: int) -> str:
    """The location's first line, without its indentation, cut to the width."""
    if not lines or not 1 <= location.line <= len(lines):
        return ""
    line = lines[location.line - 1]
    indent = len(line) - len(line.lstrip())
    start, end = _marked(line, location.line, location)
    return _cropped(line[indent:], max(0, start - indent), max(1, end - indent), width)[0].rstrip()


def _marked(line: str, number: int, location: Location) -> tuple[int, int]:
    """The stretch of the line, 0-based, that belongs to the location, at least one character long."""
    start = min(max(0, location.column - 1), len(line)) if number == location.line else 0
    if location.end_line > number:
        end = len(line.rstrip())
    elif location.end_line == number or (location.end_column and not location.end_line):
        end = location.end_column - 1
    else:
        end = start + 1
    return start, max(start + 1, min(end, len(line)))


def _cropped(line: str, start: int, end: int, room: int) -> tuple[str, int, int]:
    """The line cut to so many columns around the mark, and the mark's offset and length in columns."""
    # A minified line can be megabytes long; nothing further away than this can be shown.
    skipped = max(0, start - 2 * room)
    shown = pieces(line[skipped : start + 2 * room])
    start, end = start - skipped, min(end - skipped, len(shown))
    first, last, right_cut = 0, len(shown), len(line) > skipped + len(shown)
    while first < start and cells("".join(shown[first : start + 1])) > room * 2 // 3:
        first += 1
    taken = 0
    for index in range(first, len(shown)):
        taken += cells(shown[index])
        if taken > room - 2:
            if index + 1 < len(shown) or right_cut or taken > room:
                last, right_cut = index, True
            break
    left = "…" if first or skipped else ""
    text = left + "".join(shown[first:last]) + ("…" if right_cut else "")
    offset = len(left) + cells("".join(shown[first:start]))
    return text, offset, max(1, cells("".join(shown[start : min(end, last)])))


def diff(edits: Sequence[Edit], lines_of: Callable[[str], Sequence[str] | None], paint: Paint) -> list[str]:
    """The lines the edits touch, before and after; nothing if a file no longer fits them."""
    out: list[str] = []
    paths = list(dict.fromkeys(edit.location.path for edit in edits))
    for path in paths:
        lines = lines_of(path)
        own = sorted((edit for edit in edits if edit.location.path == path), key=lambda edit: edit.location)
        if not lines or any(not _fits(edit.location, lines) for edit in own):
            return []
        if len(paths) > 1:
            out.append(visible(path))
        for group in _groups(own):
            first = group[0].location.line
            last = max(edit.location.end_line for edit in group)
            old = list(lines[first - 1 : last])
            out += [paint(f"- {_shown(line)}", "red") for line in old]
            out += [paint(f"+ {_shown(line)}", "green") for line in _applied(old, group, first)]
    return out


def patched(lines: Sequence[str], edits: Sequence[Edit]) -> list[str] | None:
    """The lines from the first to the last edit, edited; None if a file no longer fits the edits."""
    if any(not _fits(edit.location, lines) for edit in edits):
        return None
    own = sorted(edits, key=lambda edit: edit.location)
    first, last = own[0].location.line, max(edit.location.end_line for edit in own)
    return _applied(list(lines[first - 1 : last]), own, first)


def _fits(location: Location, lines: Sequence[str]) -> bool:
    return (
        1 <= location.line <= location.end_line <= len(lines)
        and 0 < location.column <= len(lines[location.line - 1]) + 1
        and 0 < location.end_column <= len(lines[location.end_line - 1]) + 1
    )


def _groups(edits: Sequence[Edit]) -> list[list[Edit]]:
    """Edits in order, those that share a line together."""
    groups: list[list[Edit]] = []
    for edit in edits:
        if groups and edit.location.line <= max(other.location.end_line for other in groups[-1]):
            groups[-1].append(edit)
        else:
            groups.append([edit])
    return groups


def _applied(old: list[str], edits: Sequence[Edit], first: int) -> list[str]:
    text = "\n".join(old)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line) + 1)
    for edit in reversed(edits):
        place = edit.location
        begin = starts[place.line - first] + place.column - 1
        end = starts[place.end_line - first] + place.end_column - 1
        text = text[:begin] + edit.replacement + text[end:]
    return text.split("\n") if text else []


def _shown(line: str) -> str:
    return "".join(pieces(line))
