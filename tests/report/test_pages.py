"""The pages made from code: rules from their docstrings, the configuration from its fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodready import config, docs
from prodready.finding import Severity
from prodready.report import rule_page
from prodready.rules.base import Rule

RULE = Rule(
    code="PRD301",
    slug="string-built-sql",
    severity=Severity.ERROR,
    stage="mvp",
    needles=(),
    doc="""SQL text is built from values.

Why it matters
--------------
Because.

Bad
---
    def a(x):
        run(x)

    run(y)

Or in words:

    z = 1

Good
----
    run("")

Not reported
------------
Constants.

References
----------
- CWE-89: SQL injection
- CWE-564
""",
)


def test_markdown() -> None:
    page = rule_page.markdown(RULE)
    assert page.startswith("# PRD301 string-built-sql\n\nSQL text is built from values.\n\nSeverity **error**")
    assert (
        "## Bad\n\n```python\ndef a(x):\n    run(x)\n\nrun(y)\n```\n\nOr in words:\n\n```python\nz = 1\n```\n\n## Good"
    ) in page
    assert page.count("```") % 2 == 0


def test_plain() -> None:
    page = rule_page.plain(RULE)
    assert "**" not in page
    assert "Bad\n---\n    def a(x):" in page


def test_record() -> None:
    record = rule_page.record(RULE)
    assert record["good"] == 'run("")'
    assert record["not_reported"] == "Constants."
    assert record["title"] == "SQL text is built from values"


def test_weaknesses() -> None:
    assert rule_page.weaknesses(RULE) == ["89", "564"]


class TestGenerator:
    @pytest.fixture
    def directory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(docs, "all_rules", lambda: {"PRD301": RULE})
        return tmp_path

    def run(self, directory: Path, *words: str) -> int:
        return docs.main([*words, "--directory", str(directory)])

    def test_written_pages_are_current(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.run(directory, "--check") == 1
        assert "configuration.md: stale" in capsys.readouterr().err
        assert self.run(directory) == 0
        assert self.run(directory, "--check") == 0
        index = (directory / "rules" / "index.md").read_text()
        assert "| [PRD301](PRD301.md) | string-built-sql | error | mvp | SQL text is built from values |" in index

    def test_a_page_of_a_rule_that_is_gone(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.run(directory)
        own, gone = directory / "rules" / "README.md", directory / "rules" / "PRD999.md"
        own.write_text("written by hand")
        gone.write_text((directory / "rules" / "PRD301.md").read_text())
        assert self.run(directory, "--check") == 1
        assert "PRD999.md: stale" in capsys.readouterr().err
        self.run(directory)
        assert own.exists()
        assert not gone.exists()

    def test_every_key_is_described_and_its_example_is_valid(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("prodready.rules.all_rules", lambda: dict.fromkeys(("PRD301", "PRD401"), RULE))
        page = docs.configuration()
        examples = []
        for name, key in config.keys().items():
            assert f"## `{name}`\n\n{key.doc}\n\nDefault: `" in page or name == "jobs"
            assert key.doc.endswith(".")
            examples.append(f"{name} = {key.example}\n")
        (tmp_path / "prodready.toml").write_text("".join(examples))
        assert config.load(tmp_path).jobs == 2
