"""Replay commits of a real repository as `check --diff`: how long it takes, what it reports, and what it misses.

    python tests/benchmarks/replay.py ~/apps/indico ~/apps/polar --commits 50
    python tests/benchmarks/replay.py ~/apps/indico --commits 50 --exact

Each repository is cloned (objects shared) into a temporary directory; its own work tree is left alone. The commits are the
last ones on the first-parent line that change Python outside of tests. Each is checked out and held against its parent, with
the cache that the run before left, as on a developer's machine or in CI. `--exact` looks at both sides in full too, and
tells of findings that the quick look did not have, or had too much.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from prodready import config
from prodready.change import compare, reach, sides
from prodready.discover import WEB
from prodready.project import Options

# Copies of repositories may lack their largest files.
FILES = ("*.py", ".gitignore", *(f"*{ending}" for ending in WEB))


def environment(place: Path) -> dict[str, str]:
    """Compiled modules are kept, as they are where a package is installed."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(place.parent / "compiled")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="+", type=Path)
    parser.add_argument("--commits", type=int, default=50)
    parser.add_argument("--exact", action="store_true")
    arguments = parser.parse_args()
    for repository in arguments.repositories:
        with tempfile.TemporaryDirectory() as place:
            _replay(repository, Path(place) / "clone", arguments.commits, arguments.exact)


def _git(place: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=place, check=True, capture_output=True, text=True).stdout


def _replay(repository: Path, clone: Path, count: int, exact: bool) -> None:
    _git(repository, "clone", "-q", "--shared", "--no-checkout", ".", str(clone))
    _git(clone, "sparse-checkout", "set", "--no-cone", *FILES)
    listed = _git(clone, "log", "--first-parent", "--no-merges", "--format=%H", f"-{count}", "--", "*.py", ":!*test*")
    commits = listed.split()[::-1]
    _git(clone, "checkout", "-q", "-f", f"{commits[0]}~1")
    _check(clone)
    seconds, work, findings, outside, wrong = [], [], 0, 0, 0
    for commit in commits:
        _git(clone, "checkout", "-q", "-f", commit)
        started, used = time.perf_counter(), _used()
        report = _check(clone, "--diff", f"{commit}~1")
        seconds.append(time.perf_counter() - started)
        work.append(_used() - used)
        changed = sides.read(clone, sides.Wanted(f"{commit}~1")).by_path()
        for finding in report["findings"]:
            findings += 1
            place = finding["change"] or finding
            inside = place["path"] in changed and changed[place["path"]].touches(place["line"] - 1, place["line"] + 3)
            outside += not inside
            print(f"{commit[:9]} {finding['path']}:{finding['line']} {finding['code']} {finding['message']}")
        if exact:
            wrong += _differs(clone, commit, report)
    both = {"wall": seconds, "processor": work}
    times = ", ".join(
        f"{name} time: median {statistics.median(of):.2f}, mean {statistics.mean(of):.2f}, most {max(of):.2f} s"
        for name, of in both.items()
    )
    compared = f", {wrong} findings differ from the full look" if exact else ""
    print(
        f"{repository.name}: {len(commits)} commits, {findings} findings, {outside} outside of the diff{compared}; {times}"
    )


def _used() -> float:
    """Processor time of the runs so far: what other programs do at the same time does not count."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _check(clone: Path, *words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "prodready", "check", "--isolated", "--output-format", "json", *words, "."]
    done = subprocess.run(command, cwd=clone, check=False, capture_output=True, text=True, env=environment(clone))
    if not done.stdout:
        raise SystemExit(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout)
    if any("internal error" in problem["message"] for problem in result["problems"]):
        raise SystemExit(done.stderr)
    return result


def _differs(clone: Path, commit: str, report: dict[str, Any]) -> int:
    quick = reach.affected
    reach.affected = lambda new, *_: frozenset(new.entries)
    try:
        settings = config.load(clone, isolated=True)
        change = sides.read(clone, sides.Wanted(f"{commit}~1"))
        full = compare.check(settings, [clone], change, Options())
    finally:
        reach.affected = quick
    had = {finding["fingerprint"]: finding for finding in report["findings"]}
    have = {finding.fingerprint: finding for finding in full.findings}
    for key in had.keys() ^ have.keys():
        print(f"{commit[:9]} {'missed' if key in have else 'too much'}: {had.get(key) or have.get(key)}")
    return len(had.keys() ^ have.keys())


if __name__ == "__main__":
    main()
