"""A unified diff as the places it touches, and undone: the old content from the new one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

_ESCAPE = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
_NAMED = dict(zip(b'abtnvfr"\\', b'\a\b\t\n\v\f\r"\\', strict=True))
_NOWHERE = "/dev/null"


class PatchError(Exception):
    """Text that is no unified diff, or one that does not fit the file it speaks of: one line that says why."""


class Hunk(msgspec.Struct, frozen=True):
    """One place of a file: the lines `removed` gave way to the lines `added`, both with their ends.

    `start` is the first added line, counted in the new file; where nothing was added, the line before the place, 0 for
    the top. `old_start` is the same in the old file for what was removed.
    """

    start: int
    old_start: int
    added: tuple[bytes, ...]
    removed: tuple[bytes, ...]

    def touches(self, first: int, last: int) -> bool:
        """Whether the lines from `first` to `last` of the new file are added here, or had lines removed between them."""
        if self.added:
            return first < self.start + len(self.added) and self.start <= last
        return first <= self.start < last


class FileChange(msgspec.Struct, frozen=True):
    """What happened to one file. `path` is empty for a file that was deleted, `old` for one that was added."""

    path: str
    old: str
    hunks: tuple[Hunk, ...]

    def touches(self, first: int, last: int) -> bool:
        """Whether the change is about one of these lines of the new file."""
        return any(hunk.touches(first, last) for hunk in self.hunks)

    def undone(self, data: bytes, hunks: Iterable[Hunk] | None = None) -> bytes:
        """The content before the change, or before these hunks of it; raises PatchError if `data` is not as it left it."""
        lines = lines_of(data)
        for hunk in sorted(self.hunks if hunks is None else hunks, key=lambda hunk: -hunk.start):
            at = hunk.start - 1 if hunk.added else hunk.start
            found = lines[at : at + len(hunk.added)]
            if [line.rstrip(b"\r\n") for line in found] != [line.rstrip(b"\r\n") for line in hunk.added]:
                raise PatchError(f"{self.path}: line {max(hunk.start, 1)} is not as the diff says")
            # Git may turn the ends of lines when it writes a file: those in the diff are then not the file's.
            turned = any(line.endswith(b"\r\n") for line in found) and not any(b"\r" in line for line in hunk.added)
            lines[at : at + len(hunk.added)] = [
                line[:-1] + b"\r\n" if turned and line.endswith(b"\n") else line for line in hunk.removed
            ]
            if at and hunk.removed and not lines[at - 1].endswith((b"\n", b"\r")):
                lines[at - 1] += b"\n"
        return b"".join(lines)


def lines_of(data: bytes) -> list[bytes]:
    r"""The lines as git counts them: only `\n` ends one; with their ends."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def parse(diff: bytes) -> list[FileChange]:
    """The files of a unified diff, by the paths that stand in it; raises PatchError.

    The prefixes `a/` and `b/` are left out where both sides have them, as git writes them.
    """
    from unidiff.errors import UnidiffParseError
    from unidiff.patch import PatchSet

    try:
        patch = PatchSet(diff.decode("utf-8", "surrogateescape"))
    except (UnidiffParseError, AssertionError, ValueError) as error:
        raise PatchError(f"not a unified diff: {' '.join(str(error).split())[:200]}") from None
    if not patch and diff.strip():
        raise PatchError("not a unified diff: no file is named in it")
    found = []
    for file in patch:
        old, new = _name(file.source_file), _name(file.target_file)
        if old[:2] in ("a/", "") and new[:2] in ("b/", "") and (old or new):
            old, new = old[2:], new[2:]
        hunks = tuple(group for hunk in file for group in _groups(hunk))
        found.append(FileChange(new, old, hunks))
    return found


def _name(written: str | None) -> str:
    """The path that stands in a header; git quotes unusual ones as C does, by their bytes."""
    name = (written or _NOWHERE).rstrip("\r")
    if len(name) > 1 and name[0] == name[-1] == '"':
        quoted = name[1:-1].encode("utf-8", "surrogateescape")
        name = _ESCAPE.sub(_unescaped, quoted).decode("utf-8", "surrogateescape")
    return "" if name == _NOWHERE else name


def _unescaped(match: re.Match[bytes]) -> bytes:
    return bytes([_NAMED[match[1][0]] if len(match[1]) == 1 else int(match[1], 8) & 255])


def _groups(hunk: Iterable[object]) -> Iterator[Hunk]:
    """The places of a hunk where lines were added or removed, without the context around them."""
    removed: list[bytes] = []
    added: list[bytes] = []
    last = removed
    old, new = hunk.source_start, hunk.target_start  # type: ignore[attr-defined]
    old += not hunk.source_length  # type: ignore[attr-defined]
    new += not hunk.target_length  # type: ignore[attr-defined]

    def group() -> Hunk:
        return Hunk(new - len(added) - (not added), old - len(removed) - (not removed), tuple(added), tuple(removed))

    for line in hunk:
        kind, text = line.line_type, line.value.encode("utf-8", "surrogateescape")  # type: ignore[attr-defined]
        if kind == "\\":
            if last:
                last[-1] = last[-1][:-1] if last[-1].endswith(b"\n") else last[-1]
        elif kind == "-":
            removed.append(text)
            old, last = old + 1, removed
        elif kind == "+":
            added.append(text)
            new, last = new + 1, added
        else:
            if added or removed:
                yield group()
                removed, added = [], []
            old, new, last = old + 1, new + 1, []
    if added or removed:
        yield group()


def moved_to(change: FileChange, strip: str) -> FileChange | None:
    """The change with paths relative to the directory `strip` (with a slash at its end), None if it lies elsewhere."""
    old, new = (path[len(strip) :] if path.startswith(strip) else "" for path in (change.old, change.path))
    return replace(change, path=new, old=old) if old or new else None
