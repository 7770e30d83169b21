"""What holds for all tests."""

from __future__ import annotations

import pytest

from prodready.engines import bandit, detect_secrets


@pytest.fixture(autouse=True)
def _no_engines_on_the_side(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bandit and detect-secrets take a process each: they run in tests that are about them, marked `engines`."""
    if request.node.get_closest_marker("engines") is None:
        for engine in (bandit, detect_secrets):
            monkeypatch.setattr(engine, "is_on", lambda config: False)
