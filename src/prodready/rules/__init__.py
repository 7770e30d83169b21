"""The rules, one module each, found by looking into this package: there is no list to edit."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from prodready.rules.base import Rule

if TYPE_CHECKING:
    from prodready.config import Config

__all__ = ["Rule", "all_rules", "rules_of"]


@cache
def all_rules() -> dict[str, Rule]:
    """Every rule by its code, in order of codes, its module's docstring as documentation."""
    found: dict[str, Rule] = {}
    for info in pkgutil.iter_modules(__path__):
        if info.name in {"base"}:
            continue
        module = importlib.import_module(f"{__name__}.{info.name}")
        rule: Rule = replace(module.rule, doc=module.__doc__ or "")
        found[rule.code] = rule
    return dict(sorted(found.items()))


def rules_of(config: Config) -> dict[str, Rule]:
    """The rules of a project by their codes: all of ours, then the patterns that it brings itself."""
    own = config.patterns.rules
    if not own:
        return all_rules()
    return all_rules() | {
        name: Rule(name, name, pattern.severity, "", (), frozenset(), engine="semgrep", doc=pattern.message)
        for name, pattern in sorted(own.items())
    }
