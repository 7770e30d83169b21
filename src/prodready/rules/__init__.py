"""The rules, one module each, found by looking into this package: there is no list to edit.

Beside them stand Bandit's tests, as `rules/bandit.toml` tells of them, and the patterns that a project brings itself.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from prodready.finding import Severity
from prodready.knowledge import rules_folder
from prodready.rules.base import Rule

if TYPE_CHECKING:
    from prodready.config import Config

__all__ = ["BanditTest", "Rule", "all_rules", "bandit_tests", "known_rules", "rules_of", "same_weakness"]


class BanditTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `rules/bandit.toml` says of one test; see there."""

    name: str
    title: str
    severity: str
    quiet: bool = False
    same: tuple[str, ...] = ()
    needles: tuple[str, ...] = ()


@cache
def all_rules() -> dict[str, Rule]:
    """Every rule of ours by its code, in order of codes, its module's docstring as documentation."""
    found: dict[str, Rule] = {}
    for info in pkgutil.iter_modules(__path__):
        if info.name in {"base"}:
            continue
        module = importlib.import_module(f"{__name__}.{info.name}")
        rule: Rule = replace(module.rule, doc=module.__doc__ or "")
        found[rule.code] = rule
    return dict(sorted(found.items()))


@cache
def bandit_tests() -> dict[str, BanditTest]:
    """Bandit's tests by their codes."""
    return msgspec.toml.decode((rules_folder() / "bandit.toml").read_bytes(), type=dict[str, BanditTest])


def known_rules() -> dict[str, Rule]:
    """All that every project has: our rules and Bandit's tests."""
    return all_rules() | _bandit_rules()


@cache
def _bandit_rules() -> dict[str, Rule]:
    return {
        code: Rule(
            code,
            test.name,
            Severity[test.severity.upper()],
            "",
            test.needles,
            engine="bandit",
            doc=f"{test.title}.\n\nOne of Bandit's tests"
            f"{', selected only by its code or by a prefix longer than `B`' if test.quiet else ''}: "
            "https://bandit.readthedocs.io/en/latest/plugins/",
        )
        for code, test in bandit_tests().items()
    }


def rules_of(config: Config) -> dict[str, Rule]:
    """The rules of a project by their codes: all that there are, then the patterns that it brings itself."""
    own = config.patterns.rules
    if not own:
        return known_rules()
    return known_rules() | {
        name: Rule(name, name, pattern.severity, "", (), frozenset(), engine="semgrep", doc=pattern.message)
        for name, pattern in sorted(own.items())
    }


def same_weakness(config: Config, code: str) -> tuple[str, ...]:
    """The rules that speak of the same weakness as the code, which yields to them."""
    given = dict(config.same_as)
    test, rule = bandit_tests().get(code), all_rules().get(code)
    return given.get(code, test.same if test else rule.same if rule else ())
