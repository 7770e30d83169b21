"""What holds for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prodready.engines import bandit, detect_secrets
from prodready.finding import Confidence, Finding, Location, Severity
from prodready.link.linked import Linked
from prodready.rules import Rule


@pytest.fixture(autouse=True)
def _no_engines_on_the_side(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bandit and detect-secrets take a process each: they run in tests that are about them, marked `engines`."""
    if request.node.get_closest_marker("engines") is None:
        for engine in (bandit, detect_secrets):
            monkeypatch.setattr(engine, "is_on", lambda config: False)


def _tell(linked: Linked) -> Iterator[Finding]:
    for place in linked.front.places:
        kinds = ",".join(gate.kind for gate in place.gates)
        message = f"{'/'.join(place.path)} {kinds}"
        yield Finding("PRD999", "tells", message, Severity.INFO, Confidence.HIGH, Location("app.py", 1))


@pytest.fixture
def telling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one empty module, judged by one rule: it reports each place of a page with the kinds of its gates."""
    rule = Rule("PRD999", "tells", Severity.INFO, "mvp", ("x",), frozenset(), check=_tell, front=True)
    for module in ("prodready.project", "prodready.sift"):
        monkeypatch.setattr(f"{module}.all_rules", lambda: {"PRD999": rule})
        monkeypatch.setattr(f"{module}.rules_of", lambda config: {"PRD999": rule})
    (tmp_path / "setup.cfg").touch()
    (tmp_path / "app.py").write_text("x = 1\n")
    return tmp_path
