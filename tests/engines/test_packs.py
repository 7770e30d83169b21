"""Our semgrep patterns: each file with the tests beside it, judged by semgrep itself; what prodready makes of them."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from prodready.engines import semgrep
from prodready.knowledge import rules_folder
from prodready.patterns import confidence_of, severity_of
from prodready.rules import all_rules

FOLDER = rules_folder() / "semgrep"
FILES = sorted(path for path in FOLDER.rglob("*.yaml") if not path.name.endswith(".test.yaml"))
IDS = [path.relative_to(FOLDER).as_posix() for path in FILES]
EVERY_FILE = pytest.mark.parametrize("path", FILES, ids=IDS)
MARK = re.compile(r"(?:#|//|<!--)\s*(?P<kind>ruleid|ok): (?P<ids>[\w, -]+?)\s*(?:-->)?$", re.MULTILINE)


def rules(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load(path.read_text("utf-8"))["rules"])


def beside(path: Path) -> list[Path]:
    """The test files of a file of patterns."""
    return [other for other in path.parent.glob(f"{path.stem}.*") if other != path]


def marks(path: Path) -> Counter[tuple[str, str]]:
    """How often the tests of a file expect a rule (`ruleid`) or its silence (`ok`)."""
    found: Counter[tuple[str, str]] = Counter()
    for test in beside(path):
        for mark in MARK.finditer(test.read_text("utf-8")):
            found.update((mark["kind"], name.strip()) for name in mark["ids"].split(","))
    return found


def test_semgrep_accepts_every_test() -> None:
    done = subprocess.run(
        [semgrep.program(), "scan", "--test", "--metrics", "off", str(FOLDER)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All tests passed" in done.stdout + done.stderr


@EVERY_FILE
def test_every_pattern_has_more_ok_than_bad(path: Path) -> None:
    found = marks(path)
    for rule in rules(path):
        bad, ok = found["ruleid", rule["id"]], found["ok", rule["id"]]
        assert bad >= 1, rule["id"]
        assert ok > 0, rule["id"]
    assert sum(n for (kind, _), n in found.items() if kind == "ok") > sum(
        n for (kind, _), n in found.items() if kind == "ruleid"
    )


@EVERY_FILE
def test_the_metadata_agree_with_the_rule(path: Path) -> None:
    for rule in rules(path):
        ours = all_rules()[rule["metadata"]["code"]]
        assert rule["metadata"]["slug"] == ours.slug
        assert rule["id"].startswith(f"{ours.code.lower()}-")
        assert rule["metadata"]["hint"]
        assert rule["metadata"]["confidence"] in {"HIGH", "MEDIUM", "LOW"}
        assert severity_of(rule["severity"]).label in {"error", "warning"}
        assert confidence_of(rule["metadata"]).label == rule["metadata"]["confidence"].lower()


def test_names_are_used_once() -> None:
    names = Counter(rule["id"] for path in FILES for rule in rules(path))
    assert [name for name, times in names.items() if times > 1] == []


def test_what_our_own_rules_say_better_is_not_in_the_pack_that_prodready_runs() -> None:
    run = {rule["metadata"]["code"] for path in semgrep.pack() for rule in rules(path)}
    assert run == {code for code, rule in all_rules().items() if rule.engine == "semgrep"}
    core = {rule["metadata"]["code"] for path in (FOLDER / "core").glob("*.yaml") for rule in rules(path)}
    assert core == {"PRD101", "PRD102", "PRD301", "PRD302", "PRD401"}


@pytest.mark.parametrize("path", semgrep.pack(), ids=lambda path: path.stem)
def test_a_needle_stands_in_every_line_that_is_to_be_reported(path: Path) -> None:
    """Files without one are not handed to semgrep."""
    for test in beside(path):
        lines = test.read_text("utf-8").split("\n")
        for number, line in enumerate(lines):
            mark = MARK.search(line)
            if mark and mark["kind"] == "ruleid":
                code = next(rule["metadata"]["code"] for rule in rules(path) if rule["id"] in mark["ids"])
                near = "\n".join(lines[: number + 4]).lower()
                assert any(needle in near for needle in all_rules()[code].needles), line
