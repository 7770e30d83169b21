"""The rules, one module each, found by looking into this package: there is no list to edit."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace
from functools import cache

from prodready.rules.base import Rule

__all__ = ["Rule", "all_rules"]


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
