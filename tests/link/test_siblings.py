"""What a finding about a forgotten guard says of the routes beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import FIXTURES, checked, copied


@pytest.mark.parametrize(
    ("case", "beside", "alike", "hint"),
    [
        (
            "bad_drf_inherited_methods.py",
            3,
            ["PUT /crates/{pk} lets them do it, too"],
            "give the class a method of its own",
        ),
        ("bad_drf_inherited_method.py", 3, [], "give the class a method of its own"),
        ("bad_drf_members_beside_roles.py", 2, [], "guard it like the others"),
    ],
)
def test_all_that_lacks_the_guard_is_named(tmp_path: Path, case: str, beside: int, alike: list[str], hint: str) -> None:
    (finding,) = checked(copied(FIXTURES / "PRD202" / case, tmp_path)).findings
    said = [step.message for step in finding.related]
    assert [text for text in said if " asks for a role: `allow_roles(" not in text] == alike
    assert len(said) == beside + len(alike)
    assert finding.hint.startswith(hint)
