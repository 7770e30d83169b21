"""The kinds of value a configuration key may have: each function checks a raw value, or raises ValueError with why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from enum import IntEnum
from typing import NamedTuple, TypeVar

from prodready.finding import Confidence, Severity
from prodready.words import near

ENGINES = ("semgrep", "bandit", "detect-secrets")
"""The analysers that a check can run besides our own."""

_Level = TypeVar("_Level", bound=IntEnum)


class Key(NamedTuple):
    """What stands behind a key: how its value is checked, what it does, and an example in TOML."""

    parse: Callable[[object], object]
    doc: str
    example: str


def nearest(word: str, choices: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing when no choice is near."""
    close = near(word, choices)
    return f"; did you mean {close!r}?" if close else ""


def type_name(value: object) -> str:
    """The type in TOML's words."""
    names = {bool: "a boolean", int: "an integer", float: "a float", str: "a string", list: "an array", dict: "a table"}
    return names.get(type(value), type(value).__name__)


def strings(value: object) -> tuple[str, ...]:
    """An array of strings, none empty."""
    if not isinstance(value, list):
        raise ValueError(f"must be an array of strings, not {type_name(value)}")
    for item in value:
        if not isinstance(item, str):
            raise ValueError(f"must hold strings, not {type_name(item)} ({item!r})")
        if not item.strip():
            raise ValueError("holds an empty string")
    return tuple(value)


def checked(key: Key, value: object, own: Collection[str] | None) -> object:
    """The value of a key, checked; `own` are the codes of the project's own patterns, None where they are not known."""
    if key.parse is codes:
        return codes(value, own)
    return key.parse(value, own) if key.parse in {per_file, grades, same} else key.parse(value)


def codes(value: object, own: Collection[str] | None = ()) -> tuple[str, ...]:
    """An array of codes and prefixes, each of which fits some rule."""
    from prodready.rules import known_rules

    given = strings(value)
    if set(given) <= {"PRD", "B"}:
        return given
    known = known_rules()
    for code in given:
        if not any(rule.startswith(code) for rule in (*known, *(own or ()))):
            by_slug = {rule.slug: rule.code for rule in known.values()}
            hint = f"; did you mean {by_slug[code]!r}?" if code in by_slug else nearest(code, (*known, *(own or ())))
            if own is None and not hint and not code.startswith("PRD"):
                continue  # A pattern of some project may be called so.
            raise ValueError(f"no rule has the code or prefix {code!r}{hint or '; see `prodready rules`'}")
    return given


def per_file(value: object, own: Collection[str] | None = ()) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """A table of pattern = [codes]."""
    if not isinstance(value, dict):
        raise ValueError(f"must be a table of pattern = [codes], not {type_name(value)}")
    return tuple((glob, codes(given, own)) for glob, given in value.items())


def grades(value: object, own: Collection[str] | None = ()) -> tuple[tuple[str, Severity], ...]:
    """A table of code = severity."""
    if not isinstance(value, dict):
        raise ValueError(f"must be a table of code = severity, not {type_name(value)}")
    return tuple((code, severity(level)) for code, level in zip(codes(list(value), own), value.values(), strict=True))


def same(value: object, own: Collection[str] | None = ()) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """A table of code = [codes]."""
    if not isinstance(value, dict):
        raise ValueError(f"must be a table of code = [codes], not {type_name(value)}")
    return tuple((code, codes(value[code], own)) for code in codes(list(value), own))


def is_quiet(code: str) -> bool:
    """Whether the rule is one that the prefix `B` alone does not select."""
    if not code.startswith("B"):
        return False
    from prodready.rules import bandit_tests

    test = bandit_tests().get(code)
    return test is not None and test.quiet


def engines(value: object) -> tuple[str, ...]:
    """An array of names of engines."""
    given = strings(value)
    for name in given:
        if name not in ENGINES:
            raise ValueError(
                f"there is no engine {name!r}{nearest(name, ENGINES) or '; there is ' + ', '.join(ENGINES)}"
            )
    return given


def confidence(value: object) -> Confidence:
    """The label of a confidence."""
    return _level(value, {member.label: member for member in Confidence})


def severity(value: object) -> Severity:
    """The label of a severity."""
    return _level(value, {member.label: member for member in Severity})


def _level(value: object, labels: dict[str, _Level]) -> _Level:
    if not isinstance(value, str):
        raise ValueError(f"must be a string, not {type_name(value)}")
    if value not in labels:
        raise ValueError(f"{value!r} is not one of {', '.join(labels)}{nearest(value, labels)}")
    return labels[value]


def boolean(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {type_name(value)}")
    return value


def count(value: object) -> int:
    """A whole number, 1 or more."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"must be an integer, not {type_name(value)}")
    if value < 1:
        raise ValueError(f"must be at least 1, not {value}")
    return value


def path(value: object) -> str:
    """The text of a path."""
    if not isinstance(value, str):
        raise ValueError(f"must be a string, not {type_name(value)}")
    if not value.strip():
        raise ValueError("must not be empty")
    return value
