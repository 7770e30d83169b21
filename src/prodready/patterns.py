"""A project's own semgrep patterns, as far as prodready has to know them: what they are called and what they say.

semgrep judges the rest of a file. What is read here is what its answers do not tell: which codes there are to select and to
suppress, in which file a rule stands, and what kinds of file it wants to see.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from prodready.finding import Confidence, Problem, Severity

OURS = re.compile(r"PRD\d*$|prd\d{3}-")
"""Names that prodready keeps for itself."""

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_SEVERITIES = {
    "INFO": Severity.INFO, "LOW": Severity.INFO, "INVENTORY": Severity.INFO, "EXPERIMENT": Severity.INFO,
    "WARNING": Severity.WARNING, "MEDIUM": Severity.WARNING,
    "ERROR": Severity.ERROR, "HIGH": Severity.ERROR, "CRITICAL": Severity.ERROR,
}  # fmt: skip


def severity_of(word: object) -> Severity:
    """The severity that a rule of semgrep's, or a result, gives by this word."""
    return _SEVERITIES.get(str(word).upper(), Severity.WARNING)


def confidence_of(metadata: object) -> Confidence:
    """The confidence in the metadata of a rule of semgrep's; MEDIUM where it says none."""
    word = metadata.get("confidence") if isinstance(metadata, dict) else None
    return {"HIGH": Confidence.HIGH, "LOW": Confidence.LOW}.get(str(word).upper(), Confidence.MEDIUM)


class Pattern(msgspec.Struct, frozen=True):
    """One rule of a user's file. Its id is its code, and its slug."""

    id: str
    file: Path
    message: str
    severity: Severity
    languages: frozenset[str]


class Patterns(msgspec.Struct, frozen=True):
    """The rules in a user's files: those by their ids, the files that can be handed to semgrep, and what is wrong."""

    rules: dict[str, Pattern] = msgspec.field(default_factory=dict)
    files: tuple[Path, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def languages(self) -> frozenset[str]:
        """The languages that any of the rules is for."""
        return frozenset().union(*(rule.languages for rule in self.rules.values()))


NO_PATTERNS = Patterns()


def load(base: Path, words: Sequence[str], ours: Callable[[Path], bool] = lambda _: True) -> Patterns:
    """The rules in the files that `words` name: paths, folders or globs, relative to `base`. Raises nothing.

    `ours` says whether a file may be read.

    A file that cannot be used is left out, with a problem that says why: handed to semgrep, it would cost all others.
    """
    rules: dict[str, Pattern] = {}
    files: list[Path] = []
    problems: list[Problem] = []
    for word in words:
        found = [path for path in _files(base, word) if path not in files]
        if not found:
            problems.append(Problem(f"semgrep: {word}: there is no such file of patterns"))
        for path in found:
            try:
                if not ours(path):
                    raise ValueError("it is a link that leads out of the repository")
                read = [_pattern(raw, path) for raw in _raw_rules(path)]
                for rule in read:
                    if rule.id in rules:
                        raise ValueError(
                            f"rule {rule.id}: {_shown(rules[rule.id].file, base)} has one of that name too"
                        )
            except ValueError as error:
                problems.append(Problem(f"cannot be used as semgrep patterns: {error}", _shown(path, base)))
                continue
            rules |= {rule.id: rule for rule in read}
            files.append(path)
    return Patterns(rules, tuple(files), tuple(problems))


def _files(base: Path, word: str) -> Iterator[Path]:
    place = os.path.join(base, word)
    if os.path.isdir(place):
        place = os.path.join(glob.escape(place), "**", "*")
    for path in sorted(glob.glob(place, recursive=True)):
        # As semgrep does: what stands beside a file of rules as its test is none.
        if path.endswith((".yaml", ".yml")) and not path.endswith((".test.yaml", ".test.yml")) and os.path.isfile(path):
            yield Path(path)


def _shown(path: Path, base: Path) -> str:
    return os.path.relpath(path, base).replace(os.sep, "/")


def _raw_rules(path: Path) -> list[Any]:
    """The entries under `rules`; raises ValueError."""
    import yaml

    try:
        table = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except OSError as error:
        raise ValueError(f"it cannot be read: {error.strerror or error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise ValueError(f"not YAML: {where}{getattr(error, 'problem', None) or error}") from None
    except (RecursionError, ValueError) as error:
        raise ValueError(f"not YAML: {error}") from None
    rules = table.get("rules") if isinstance(table, dict) else None
    if not isinstance(rules, list):
        raise ValueError("it has no list `rules` at its top")
    return rules


def _pattern(raw: object, path: Path) -> Pattern:
    name = raw.get("id") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(name, str):
        raise ValueError("a rule without an `id`")
    if not _NAME.fullmatch(name) or OURS.match(name):
        why = "prodready's own rules are called so" if OURS.match(name) else "letters, digits, `.`, `_` and `-` only"
        raise ValueError(f"rule {name!r}: not a good id: {why}")
    languages = raw.get("languages")
    return Pattern(
        name,
        path,
        " ".join(str(raw.get("message", "")).split()),
        severity_of(raw.get("severity")),
        frozenset(str(word).lower() for word in languages) if isinstance(languages, list) else frozenset(),
    )
