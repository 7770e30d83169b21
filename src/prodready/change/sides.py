"""Which change is meant, and the content of the files on both sides of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from prodready.change import git
from prodready.change.patch import FileChange, Hunk, PatchError, lines_of, moved_to, parse
from prodready.config import is_ours, repository


class ChangeError(Exception):
    """A change that cannot be had: one line that says why and what to do."""


class Wanted(msgspec.Struct, frozen=True):
    """The change that somebody asks for: since a revision, what is staged, or what a unified diff says."""

    revision: str = ""
    staged: bool = False
    patch: bytes | None = None


class Change(msgspec.Struct, frozen=True):
    """The files that changed, with paths relative to the project's root.

    `new` is the content of the new side where it is not that of the work tree, None for a file that is not there.
    `notes` tell what could not be made out.
    """

    files: tuple[FileChange, ...]
    new: Mapping[str, bytes | None] = msgspec.field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def by_path(self) -> dict[str, FileChange]:
        """The files of the new side."""
        return {file.path: file for file in self.files if file.path}


def read(root: Path, wanted: Wanted) -> Change:
    """The change below the directory `root`; raises ChangeError."""
    try:
        if wanted.patch is not None:
            return _given(root, wanted.patch)
        if repository(root) is None:
            raise ChangeError(f"{root} is in no git repository: --diff REV and --staged need one, --diff - does not")
        return _staged(root) if wanted.staged else _since(root, wanted.revision)
    except (git.GitError, PatchError) as error:
        raise ChangeError(str(error)) from None


def old_side(root: Path, change: Change, files: Iterable[FileChange]) -> tuple[dict[str, bytes | None], list[str]]:
    """What stood in place of these files before, None for what was not there; and what could not be made out."""
    overlay: dict[str, bytes | None] = {}
    lost: list[str] = []
    for file in files:
        try:
            before = undo(root, change, file)
        except PatchError as error:
            lost.append(str(error))
            continue
        if file.path and file.path != file.old:
            overlay.setdefault(file.path, None)
        if file.old:
            overlay[file.old] = before
    return overlay, lost


def undo(root: Path, change: Change, file: FileChange, hunks: Sequence[Hunk] | None = None) -> bytes:
    """The content of a file without the change, or without some places of it; raises PatchError."""
    if not file.path:
        return file.undone(b"")
    return file.undone(content(root, change, file.path), hunks)


def content(root: Path, change: Change, path: str) -> bytes:
    """The content of a file on the new side; raises PatchError if there is none."""
    if path in change.new:
        data = change.new[path]
        if data is None:
            raise PatchError(f"{path}: is not there")
        return data
    try:
        # A path in a diff that somebody sent leads where they like, a link too.
        place = root / path
        if not is_ours(root, place):
            raise PatchError(f"{path}: lies outside of the repository")
        return place.read_bytes()
    except (OSError, ValueError) as error:
        raise PatchError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _since(root: Path, revision: str) -> Change:
    old, dots, new = revision.partition("...")
    if not dots:
        old, dots, new = revision.partition("..")
    if not dots:
        return _to_work_tree(root, git.commit(root, revision))
    first, last = git.commit(root, old or "HEAD"), git.commit(root, new or "HEAD")
    if dots == "...":
        first = git.merge_base(root, first, last)
    if not new:
        return _to_work_tree(root, first)
    later, notes = _before(root, parse(git.diff(root, last)))
    for path in git.untracked(root):
        later.setdefault(path, None)
    return Change(tuple(parse(git.diff(root, first, last))), later, tuple(notes))


def _to_work_tree(root: Path, commit: str) -> Change:
    files = parse(git.diff(root, commit))
    known = {file.path for file in files}
    for path in git.untracked(root):
        place = root / path
        if path in known or place.is_symlink() or not place.is_file():
            continue
        data = place.read_bytes() if os.access(place, os.R_OK) else b""
        files.append(FileChange(path, "", (Hunk(1, 0, tuple(lines_of(data)), ()),)))
    return Change(tuple(files))


def _staged(root: Path) -> Change:
    try:
        head = git.commit(root, "HEAD")
    except git.GitError:
        head = git.empty_tree(root)
    later, notes = _before(root, parse(git.diff(root)))
    return Change(tuple(parse(git.diff(root, head, staged=True))), later, tuple(notes))


def _before(root: Path, changes: Sequence[FileChange]) -> tuple[dict[str, bytes | None], list[str]]:
    return old_side(root, Change(()), changes)


def _fit(start: Path, file: FileChange) -> int:
    """How well a file of a diff suits a directory: 2 its content is there, 1 a file of the name is, 0 neither."""
    try:
        undo(start, Change(()), file)
    except PatchError:
        return int(os.path.exists(start / file.path))
    return 2


def _given(root: Path, patch: bytes) -> Change:
    """What a diff says, its paths counted from the top of the repository or from where we are, whichever holds them."""
    files = parse(patch)
    base = repository(root) or root
    starts = dict.fromkeys([base, Path(os.path.realpath(Path.cwd())), root])
    named = [file for file in files if file.path]
    held = {start: [sum(_fit(start, file) >= least for file in named) for least in (2, 1)] for start in starts}
    start = max(starts, key=lambda place: held[place])
    if named and not any(held[start]):
        raise PatchError(f"none of the files of the diff is there: {named[0].path}")
    if start == root:
        return Change(tuple(files))
    if root.is_relative_to(start):
        strip = root.relative_to(start).as_posix() + "/"
        return Change(tuple(moved for file in files if (moved := moved_to(file, strip))))
    add = start.relative_to(root).as_posix() + "/" if start.is_relative_to(root) else ""
    return Change(tuple(FileChange(f.path and add + f.path, f.old and add + f.old, f.hunks) for f in files))
