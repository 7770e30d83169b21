"""Rules run in two processes say what they say in one, also when the other process dies."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest

from prodready.finding import Confidence, Finding, Location, Problem, Severity
from prodready.judging import judge
from prodready.rules import Rule

LINKED: Any = None
RULES = [
    Rule("PRD901", "alone", Severity.ERROR, "mvp", ("x",)),
    Rule("PRD902", "one-of-a-family", Severity.ERROR, "mvp", ("x",), family="things"),
    Rule("PRD903", "another-of-it", Severity.ERROR, "mvp", ("x",), family="things"),
]
HERE = os.getpid()

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")


class Facts:
    """Facts that are all at hand, or not."""

    def __init__(self, *, at_hand: bool = True, missed: bool = False) -> None:
        self._at_hand = at_hand
        self.missed = missed
        self.said: dict[str, dict[str, list[str]]] = {"here": {}}

    def at_hand(self) -> bool:
        return self._at_hand

    def leave_cache(self) -> None:
        self.said["apart"] = {"stems": ["login"]}

    def add_said(self, said: dict[str, dict[str, list[str]]]) -> None:
        self.said.update(said)


def in_which_process(rule: Rule, _: object) -> tuple[list[Finding], list[Problem]]:
    where = "here" if os.getpid() == HERE else "apart"
    found = Finding(rule.code, rule.slug, where, rule.severity, Confidence.HIGH, Location("a.py", 1))
    return [found], [Problem(f"{rule.code} {where}")]


def dies_apart(rule: Rule, _: object) -> tuple[list[Finding], list[Problem]]:
    if os.getpid() != HERE:
        os._exit(3)
    return in_which_process(rule, _)


def told(run: Any, rules: list[Rule], *, apart: bool, facts: Facts | None = None) -> tuple[dict[str, str], list[str]]:
    given: Any = (facts or Facts()) if apart else None
    judged = judge(rules, LINKED, run, apart=given)
    return {finding.code: finding.message for finding in judged.findings}, sorted(map(str, judged.problems))


def test_a_family_is_judged_apart() -> None:
    found, problems = told(in_which_process, RULES, apart=True)
    assert found == {"PRD901": "here", "PRD902": "apart", "PRD903": "apart"}
    assert problems == ["PRD901 here", "PRD902 apart", "PRD903 apart"]


def test_all_are_judged_here_unless_asked() -> None:
    found, _ = told(in_which_process, RULES, apart=False)
    assert set(found.values()) == {"here"}
    assert len(found) == 3


def test_a_single_family_needs_no_process() -> None:
    found, _ = told(in_which_process, RULES[1:], apart=True)
    assert found == {"PRD902": "here", "PRD903": "here"}


def test_what_a_dead_process_did_not_say_is_judged_here() -> None:
    found, problems = told(dies_apart, RULES, apart=True)
    assert found == {"PRD901": "here", "PRD902": "here", "PRD903": "here"}
    assert len(problems) == 3


def test_what_was_said_of_the_facts_comes_back() -> None:
    facts = Facts()
    told(in_which_process, RULES, apart=True, facts=facts)
    assert facts.said == {"here": {}, "apart": {"stems": ["login"]}}


@pytest.mark.parametrize("facts", [Facts(at_hand=False), Facts(missed=True)])
def test_without_all_facts_all_are_judged_here(facts: Facts) -> None:
    found, _ = told(in_which_process, RULES, apart=True, facts=facts)
    assert set(found.values()) == {"here"}
    assert facts.said == {"here": {}}
