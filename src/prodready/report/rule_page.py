"""A rule's documentation, made from its docstring: as Markdown for pages and SARIF, as text for a terminal."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from prodready.rules import Rule
from prodready.rules.base import SECTIONS

_LANGUAGES = {"py": "python", "js": "javascript", "yml": "yaml"}


def markdown(rule: Rule, *, heading: bool = True) -> str:
    """The page."""
    sections = rule.sections()
    lines = [f"# {rule.code} {rule.slug}", ""] if heading else []
    lines += [_fenced(sections[""], rule), "", facts(rule)]
    for name in SECTIONS:
        if sections.get(name):
            lines += ["", f"## {name}", "", _fenced(sections[name], rule)]
    return "\n".join(lines) + "\n"


def plain(rule: Rule) -> str:
    """The same for a terminal."""
    sections = rule.sections()
    lines = [f"{rule.code} {rule.slug}", "", sections[""], "", facts(rule).replace("**", "").replace("`", "")]
    for name in SECTIONS:
        if sections.get(name):
            lines += ["", name, "-" * len(name), sections[name]]
    return "\n".join(lines) + "\n"


def record(rule: Rule) -> dict[str, Any]:
    """The same as data."""
    sections = rule.sections()
    return {
        "code": rule.code,
        "slug": rule.slug,
        "title": rule.title,
        "severity": rule.severity.label,
        "stage": rule.stage,
        "skip": sorted(rule.skip),
        "description": sections[""],
        **{name.lower().replace(" ", "_"): _dedented(sections.get(name, "")) for name in SECTIONS},
    }


def facts(rule: Rule) -> str:
    """One line: severity, stage, where the rule is silent, how to silence it."""
    silent = f" Silent by default in: {', '.join(sorted(rule.skip))}." if rule.skip else ""
    # flake8's comments know only codes of the usual form, and only comments of Python.
    how = (
        f"noqa: {rule.code}" if rule.check or rule.engine != "semgrep" else f"prodready: ignore[{rule.code}] the reason"
    )
    stage = f", stage **{rule.stage}**" if rule.stage else ""
    return f"Severity **{rule.severity.label}**{stage}.{silent} Silence a line with `# {how}`."


def weaknesses(rule: Rule) -> list[str]:
    """The CWE numbers that the references name."""
    return list(dict.fromkeys(re.findall(r"\bCWE-(\d+)\b", rule.sections().get("References", ""))))


def _dedented(text: str) -> str:
    return textwrap.dedent(text).strip("\n")


def _fenced(text: str, rule: Rule) -> str:
    """Indented blocks as fenced code in the language of the rule's examples, the rest as it is."""
    ending = rule.example.rpartition(".")[2].lower()
    return "\n".join(_fence(text, _LANGUAGES.get(ending, ending))).strip("\n")


def _fence(text: str, language: str) -> Iterator[str]:
    blocks = [(code, list(lines)) for code, lines in groupby(_classified(text), key=lambda item: item[0])]
    for code, lines in blocks:
        body = "\n".join(line for _, line in lines)
        if not code:
            yield body
            continue
        yield f"```{language}"
        yield _dedented(body)
        yield "```"
        if body.endswith("\n"):
            yield ""


def _classified(text: str) -> Iterator[tuple[bool, str]]:
    """Each line with whether it is code; a blank line belongs to the code before it."""
    code = False
    for line in text.splitlines():
        code = line.startswith("    ") or (code and not line.strip())
        yield code, line
