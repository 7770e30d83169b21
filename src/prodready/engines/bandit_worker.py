"""What runs in Bandit's own process: a job in, what Bandit says out. Imports Bandit; see `worker.py`."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import warnings
from typing import Any

_NOQA = re.compile(r"# noqa:\s*([A-Z]+\d+(?:[,\s]+[A-Z]+\d+)*)", re.IGNORECASE)
_LEVELS = {"LOW": 1, "MEDIUM": 2, "HIGH": 3}


def main(job_file: str) -> None:
    """Do the job that is in the file, and print the result."""
    with open(job_file, encoding="utf-8") as stream:
        job = json.load(stream)
    out, sys.stdout = sys.stdout, sys.stderr
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    json.dump(examined(job), out)
    out.flush()


def examined(job: dict[str, Any]) -> dict[str, Any]:
    """What Bandit finds in the files of the job, with the tests named there and the project's own settings."""
    from bandit.core.config import BanditConfig
    from bandit.core.manager import BanditManager
    from bandit.core.utils import ConfigError, ProfileNotFound

    problems = []
    profile = {"include": set(job["tests"])}
    try:
        config = BanditConfig(job["config"] or None)
        skips, tests = set(config.get_option("skips") or ()), set(config.get_option("tests") or ())
        profile["include"] = (profile["include"] & tests if tests else profile["include"]) - skips
    except (ConfigError, ProfileNotFound, TypeError, AttributeError) as error:
        problems.append(f"[tool.bandit] in pyproject.toml cannot be used: {' '.join(str(error).split())[:200]}")
        config = BanditConfig()
    if not profile["include"]:
        return {"found": {}, "notes": {}, "problems": problems}
    # Bandit matches `exclude_dirs` with the paths as they are given, and is usually run from the project's top.
    os.chdir(job["root"])
    manager = BanditManager(config, "file", profile=profile)
    manager.discover_files(job["files"])
    manager.run_tests()
    found: dict[str, list[list[object]]] = {}
    for issue in manager.get_issue_list():
        lines = issue.linerange or [issue.lineno]
        first, last = min(*lines, issue.lineno), max(*lines, issue.lineno)
        if _is_silenced(issue.fname, issue.test_id, first, last):
            continue
        found.setdefault(_path(issue.fname), []).append(
            [
                issue.test_id, issue.lineno, max(issue.col_offset, 0), 0, max(issue.end_col_offset or 0, 0), first, last,
                _LEVELS.get(issue.severity, 1), _LEVELS.get(issue.confidence, 1), " ".join(issue.text.split()),
            ]
        )  # fmt: skip
    notes = {_path(name): [f"not read by bandit: {why}"] for name, why in manager.get_skipped()}
    return {"found": found, "notes": notes, "problems": problems}


def _is_silenced(name: str, test: str, first: int, last: int) -> bool:
    """Whether a comment to Ruff, where the tests of Bandit are called `S102` and so on, is on one of the lines."""
    with open(name, encoding="utf-8", errors="replace") as stream:
        lines = stream.read().split("\n")[first - 1 : last]
    return any(f"S{test[1:]}" in re.split(r"[,\s]+", found[1]) for found in map(_NOQA.search, lines) if found)


def _path(name: str) -> str:
    return name.removeprefix("./")
