"""What git knows of a work tree, asked by its own commands: nothing is checked out, and nothing in the tree is run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from prodready.discover import ENDINGS, TEXTS, WEB

# A repository laid out in the files of a branch could bring a configuration of its own, and with it commands.
_GUARDS = ("-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false", "-c", "core.quotePath=true")
_DIFF = (
    *("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--unified=0", "--inter-hunk-context=0"),
    *("--find-renames", "--relative", "--ignore-submodules=all", "--src-prefix=a/", "--dst-prefix=b/"),
)
# Of other files, which may be large or not even there in a partial clone, nothing is asked.
_READ = (*(f"*{ending}" for ending in (*ENDINGS, *WEB)), *TEXTS)


class GitError(Exception):
    """Git could not do what was asked: one line that says why."""


def diff(root: Path, *revisions: str, staged: bool = False) -> bytes:
    """The changes below `root` between two commits, a commit and the work tree, or (`staged`) HEAD and the index."""
    return _git(root, *_DIFF, *(["--cached"] if staged else []), *revisions, "--", *_READ)


def commit(root: Path, revision: str) -> str:
    """The id of the commit that a revision names; raises GitError."""
    try:
        found = _git(root, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    except GitError as error:
        if "single revision" not in str(error):
            raise
        raise GitError(f"{revision!r} names no commit here{_shallow(root)}") from None
    return found.decode().strip()


def empty_tree(root: Path) -> str:
    """The id of the tree without files: what stands before the first commit."""
    return _git(root, "hash-object", "-t", "tree", os.devnull).decode().strip()


def merge_base(root: Path, one: str, other: str) -> str:
    """The commit from which both lead away; raises GitError if there is none."""
    try:
        return _git(root, "merge-base", one, other).decode().strip()
    except GitError:
        raise GitError(f"{one[:12]} and {other[:12]} have no commit in common{_shallow(root)}") from None


def untracked(root: Path) -> list[str]:
    """The files below `root` that are neither tracked nor ignored, relative to it."""
    listed = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", *_READ)
    return [os.fsdecode(name) for name in listed.split(b"\0") if name]


def _shallow(root: Path) -> str:
    shallow = _git(root, "rev-parse", "--is-shallow-repository").strip() == b"true"
    return " (the clone is shallow: fetch more of its history)" if shallow else ""


def _git(root: Path, *words: str) -> bytes:
    environment = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):  # A hook is given them relative to where it starts.
        if environment.get(name):
            environment[name] = os.path.abspath(environment[name])
    try:
        done = subprocess.run(  # noqa: S603
            ["git", *_GUARDS, *words],  # noqa: S607
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise GitError(f"git cannot be run: {error.strerror or error}") from None
    if done.returncode:
        says = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise GitError(says[0].removeprefix("fatal: ") if says else f"git {words[0]} failed")
    return done.stdout
