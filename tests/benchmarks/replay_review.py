"""Replay commits of a real repository through `review --dry-run`: where the comments stand, and how long it takes.

    python tests/benchmarks/replay_review.py ~/apps/timesketch --commits 50

The commits are those of `replay.py`, held against their parents the same way, each as a process of its own with the cache
that the run before left. Every comment must stand on a line that `git diff` with three lines of context shows on that side,
and every suggestion must go in cleanly: the file that it leaves is parsed.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from replay import FILES, _git, _used, environment

from prodready.review.place import CONTEXT

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
_SUGGESTION = re.compile(r"^(`{3,})suggestion\n(.*?)\n?^\1$", re.MULTILINE | re.DOTALL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="+", type=Path)
    parser.add_argument("--commits", type=int, default=50)
    parser.add_argument("--span", type=int, default=1, help="how many commits make one pull request")
    arguments = parser.parse_args()
    for repository in arguments.repositories:
        with tempfile.TemporaryDirectory() as place:
            _replay(repository, Path(place) / "clone", arguments.commits, arguments.span)


def _replay(repository: Path, clone: Path, count: int, span: int) -> None:
    _git(repository, "clone", "-q", "--shared", "--no-checkout", ".", str(clone))
    _git(clone, "sparse-checkout", "set", "--no-cone", *FILES)
    listed = _git(clone, "log", "--first-parent", "--no-merges", "--format=%H", f"-{count}", "--", "*.py", ":!*test*")
    commits = listed.split()[::-1]
    _git(clone, "checkout", "-q", "-f", f"{commits[0]}~{span}")
    _review(clone, "HEAD")
    seconds, work, comments, outside, suggestions, broken, apart = [], [], 0, 0, 0, 0, 0
    for commit in commits:
        _git(clone, "checkout", "-q", "-f", commit)
        started, used = time.perf_counter(), _used()
        plan = _review(clone, f"{commit}~{span}...{commit}")
        seconds.append(time.perf_counter() - started)
        work.append(_used() - used)
        lines = _shown(clone, f"{commit}~{span}", commit)
        apart += len(re.findall("^- `", plan["summary"], re.MULTILINE))
        for comment in plan["comments"]:
            comments += 1
            print(f"{commit[:9]} {comment['path']}:{comment['line']} {comment['body'].splitlines()[1]}")
            wanted = range(comment["first"], comment["line"] + 1)
            if not all((comment["side"], comment["path"], line) in lines for line in wanted):
                outside += 1
                print(f"{commit[:9]} outside of the diff")
            for text in _SUGGESTION.findall(comment["body"]):
                suggestions += 1
                broken += not _parses(clone / comment["path"], wanted, text[1])
    print(
        f"{repository}: {len(commits)} commits, {comments} comments, {outside} outside of the diff, "
        f"{apart} in the summary only, {suggestions} suggestions, {broken} that do not go in; "
        f"wall time: median {statistics.median(seconds):.2f}, most {max(seconds):.2f} s; "
        f"processor time: median {statistics.median(work):.2f}, most {max(work):.2f} s"
    )


def _review(clone: Path, revisions: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "prodready", "review", "--isolated", "--dry-run", "--output-format", "json"]
    done = subprocess.run(
        [*command, "--diff", revisions], cwd=clone, check=False, capture_output=True, text=True, env=environment(clone)
    )
    if not done.stdout or "internal error" in done.stderr:
        raise SystemExit(done.stderr)
    plan: dict[str, Any] = json.loads(done.stdout)
    return plan


def _shown(clone: Path, old: str, new: str) -> set[tuple[str, str, int]]:
    """The lines that a code host shows as the diff."""
    return set(_lines(_git(clone, "diff", f"--unified={CONTEXT}", "--find-renames", old, new, "--")))


def _lines(diff: str) -> Iterator[tuple[str, str, int]]:
    for part in re.split(r"^diff --git .*\n", diff, flags=re.MULTILINE):
        named = re.search(r"^\+\+\+ b/(.*)$", part, re.MULTILINE)
        for found in _HUNK.finditer(part) if named else ():
            old, old_count, new, new_count = (int(group or 1) for group in found.groups())
            assert named
            yield from (("old", named[1], line) for line in range(old, old + old_count))
            yield from (("new", named[1], line) for line in range(new, new + new_count))


def _parses(file: Path, lines: range, text: str) -> bool:
    content = file.read_text("utf-8").split("\n")
    content[lines.start - 1 : lines.stop - 1] = text.split("\n")
    try:
        ast.parse("\n".join(content))
    except SyntaxError:
        return False
    return True


if __name__ == "__main__":
    main()
