"""What git would leave out: `.gitignore` files from the repository's top down, and `.git/info/exclude`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from prodready.globs import Globs


class _Layer(NamedTuple):
    """The patterns of one file; `base` is how many characters of a path lie above its directory."""

    base: int
    globs: Globs


class GitIgnore:
    """The layers that apply in one directory, the nearest first. Immutable: a subdirectory gets its own by `enter`."""

    __slots__ = ("_layers",)

    def __init__(self, layers: tuple[_Layer, ...] = ()) -> None:
        self._layers = layers

    def ignores(self, path: str, name: str, directory: bool) -> bool:
        """Whether the entry is left out, its parents not being so. `path` is as it was for `enter`, `name` its end."""
        for base, globs in self._layers:
            decided = globs.decide(path[base:], name, directory)
            if decided is not None:
                return decided
        return False

    def enter(self, directory: Path | str, path: str, file: str = ".gitignore") -> GitIgnore:
        """With the `.gitignore` of `directory`, whose path relative to the top is `path` (empty for the top)."""
        globs = _read(os.path.join(directory, file))
        return GitIgnore((_Layer(len(path) + 1 if path else 0, globs), *self._layers)) if globs else self


def above(directory: Path, root: Path) -> tuple[GitIgnore, str]:
    """The layers from outside `directory`, and its path relative to the top (empty: it is the top).

    The top is that of the repository; without one it is `root`.

    Where a layer from outside leaves out the directory itself, someone asked for it all the same: none applies.
    """
    top = _repository_top(directory) or root
    parts = directory.relative_to(top).parts
    prefix = "/".join(parts)
    ignore = GitIgnore().enter(_git_directory(top), "", "info/exclude")
    here, path = top, ""
    for part in parts:
        ignore = ignore.enter(here, path)
        path = f"{path}/{part}" if path else part
        if ignore.ignores(path, part, True):
            return GitIgnore(), prefix
        here /= part
    return ignore, prefix


def _repository_top(directory: Path) -> Path | None:
    return next((place for place in (directory, *directory.parents) if os.path.exists(place / ".git")), None)


def _git_directory(top: Path) -> Path:
    """The directory that holds `info/exclude`: in worktrees and submodules `.git` is a file that points elsewhere."""
    git = top / ".git"
    if git.is_dir():
        return git
    try:
        git = top / git.read_text("utf-8").removeprefix("gitdir:").strip()
        common = git / "commondir"
        return git / common.read_text("utf-8").strip() if common.is_file() else git
    except (OSError, ValueError):
        return git


def _read(file: str) -> Globs | None:
    if file.endswith(".gitignore") and os.path.islink(file):
        return None  # Nor does git follow it.
    try:
        with open(file, encoding="utf-8-sig", errors="surrogateescape", newline="\n") as lines:
            return Globs(lines)
    except OSError:
        return None
