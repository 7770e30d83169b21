"""Bandit: its tests under their own codes, on the files in which one of those that are selected can find something.

What is done in the process is in `bandit_worker.py`; which tests there are, in `rules/bandit.toml`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from prodready.cache import Cache
from prodready.config import Config, is_ours
from prodready.engines.base import Slots
from prodready.engines.worker import Found, Worker
from prodready.finding import Confidence, Finding, Location, Severity
from prodready.rules import bandit_tests, known_rules

NAME = "bandit"
_PASSWORDS = {"B105", "B106", "B107"}
"""Tests whose finding may show the text of a secret."""


def codes(config: Config) -> frozenset[str]:
    """The codes that only Bandit reports."""
    return frozenset(bandit_tests())


def is_on(config: Config) -> bool:
    """Whether Bandit is to run, if there is anything for it."""
    return NAME in config.engines and any(map(config.enabled, bandit_tests()))


def open_engine(config: Config, cache: Cache, given: Mapping[str, bytes], slots: Slots) -> Bandit:
    """The engine for one check; `given` is the content of files as they are in an editor."""
    return Bandit(config, cache, given, slots)


class Bandit(Worker):
    """One check's run of Bandit."""

    name = NAME
    package = "bandit"
    module = "prodready.engines.bandit_worker"
    extra = "bandit"

    def codes(self) -> frozenset[str]:
        """All tests."""
        return frozenset(bandit_tests())

    def prepare(self) -> None:
        """The project's own settings for Bandit, and the tests that are selected."""
        needles = [bandit_tests()[code].needles for code in self.enabled]
        self._needles = () if () in needles else tuple({needle.encode() for group in needles for needle in group})
        file = self.config.root / "pyproject.toml"
        own = file.is_file() and is_ours(self.config.root, file) and b"tool.bandit" in (text := file.read_bytes())
        self.settings = {
            "tests": sorted(self.enabled),
            "config": str(file) if own else "",
            "config_text": text.decode("utf-8", "replace") if own else "",
        }

    def wants(self, name: str) -> bool:
        """It reads nothing but Python."""
        return False

    def among(self, paths: Sequence[str]) -> Iterable[str]:
        """Python."""
        return [path for path in paths if path.endswith(".py")]

    def worth(self, path: str, data: bytes) -> bool:
        """Whether a needle of a selected test is in the file."""
        lowered = data.lower()
        return not self._needles or any(needle in lowered for needle in self._needles)

    def what(self) -> str:
        """What goes unseen without it."""
        return "what its tests look for"

    def _finding(self, path: str, raw: Found) -> Finding:
        rule = known_rules()[raw.code]
        lines = self.memory.contents[path].split(b"\n")
        secret = raw.code in _PASSWORDS
        confidence = Confidence(raw.confidence)
        if raw.severity == Severity.INFO and not bandit_tests()[raw.code].quiet:
            confidence = Confidence.LOW  # What Bandit itself takes for little, such as a shell that runs a constant.
        place = Location(path, raw.line, _column(lines, raw.line, raw.column))
        if raw.end_column and raw.first == raw.last:
            place = Location(path, raw.line, place.column, raw.line, _column(lines, raw.line, raw.end_column))
        if secret:
            place = Location(path, raw.first, 1, raw.last, 0)
        return Finding(
            raw.code,
            rule.slug,
            "this may be a password" if secret else raw.message,
            Severity(raw.severity),
            confidence,
            place,
            statement=(raw.first, raw.last),
            secret=secret,
        )


def _column(lines: Sequence[bytes], number: int, offset: int) -> int:
    """The column in characters of an offset in bytes."""
    line = lines[number - 1] if 0 < number <= len(lines) else b""
    return len(line[:offset].decode("utf-8", "ignore")) + 1
