"""Mutants of routes that no longer ask who may do something."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import FIXTURES, copied
from mutant_cases import Application, mutation
from mutants_source import Mutant

APP = """\
from flask import Flask, abort
from flask_login import current_user
from guards import admin_required, login_required

app = Flask(__name__)


@app.post("/users/<int:user_id>/block")
@login_required
@admin_required
def block(user_id):
    users.block(user_id)


@app.delete("/users/<int:user_id>")
def remove(user_id):
    if not current_user.is_admin:
        abort(403)
    users.remove(user_id)


@app.get("/users/<int:user_id>")
@admin_required
def show(user_id):
    return users.get(user_id)
"""
PAGE = """\
{% if current_user.is_admin %}
<form method="post" action="{{ url_for('block', user_id=user.id) }}"><button>Block</button></form>
{% endif %}
"""
SCRIPT = "export const removeUser = (id) => {\n  return fetch(`/users/${id}`, { method: 'DELETE' });\n}\n"
BUTTON = "export const Row = ({ user, row }) =>\n  user.isAdmin && <a onClick={() => removeUser(row.id)}>Remove</a>;\n"


def candidates(**pages: str) -> list[str]:
    named = {path.replace("_", "."): text.encode() for path, text in pages.items()}
    found = mutation.candidates(Application({"app.py": APP.encode()}, named), ["permission"])["permission"]
    return [f"{one.function}: {one.subkind if isinstance(one, Mutant) else one.reason}" for one in found]


NO_PAGE = "no page with a gate near its address"
READS = "show: it only reads, by its methods"


def test_a_check_is_taken_away_where_a_page_has_a_gate() -> None:
    assert candidates() == [f"block: {NO_PAGE}", f"remove: {NO_PAGE}", READS]
    assert candidates(page_html=PAGE) == ["block: decorator", f"remove: {NO_PAGE}", READS]
    assert candidates(api_js=SCRIPT, page_jsx=BUTTON) == [f"block: {NO_PAGE}", "remove: inline", READS]
    assert candidates(api_js=SCRIPT, page_jsx=BUTTON.replace("user.isAdmin && ", ""))[1] == f"remove: {NO_PAGE}"


def test_what_another_handler_asks_again_is_no_loss() -> None:
    code = """\
@app.post("/users/block")
@admin_required
def block():
    \"\"\"Block the first one.\"\"\"
    return block_user(0)


@app.post("/users/<int:user_id>/block")
{check}def block_user(user_id):
    users.block(user_id)
"""
    page = PAGE.replace(", user_id=user.id", "")

    def found(check: str) -> list[str]:
        app = Application({"app.py": code.format(check=check).encode()}, {"page.html": page.encode()})
        made = mutation.candidates(app, ["permission"])["permission"]
        return [one.subkind if isinstance(one, Mutant) else one.reason for one in made if one.function == "block"]

    assert found("@admin_required\n") == ["the handler that it hands on to asks as well"]
    assert found("") == ["decorator"]


@pytest.mark.parametrize(
    ("case", "tried", "skipped"),
    [
        ("ok_react_drf_admins_only", {"<module>": "found"}, []),
        ("bad_react_drf_admins_beside_members", {}, ["reported already"]),
    ],
)
def test_what_is_reported_already_is_skipped(
    tmp_path: Path, case: str, tried: dict[str, str], skipped: list[str]
) -> None:
    tree = copied(FIXTURES / "PRD201" / case, tmp_path)
    (outcome,) = mutation.measure(tree, ["permission"])
    assert {one.function: result for one, result in outcome.tried} == tried
    assert [one.reason for one in outcome.skipped] == skipped


def test_what_is_left_without_the_check() -> None:
    app = Application(
        {"app.py": APP.encode()}, {"page.html": PAGE.encode(), "api.js": SCRIPT.encode(), "a.jsx": BUTTON.encode()}
    )
    block, remove = (
        one.text for one in mutation.candidates(app, ["permission"])["permission"] if isinstance(one, Mutant)
    )
    assert block == APP.replace("@login_required\n@admin_required\n", "@login_required\n")
    assert remove == APP.replace("if not current_user.is_admin:", "if False:")


VIEWS = """\
from rest_framework import permissions, viewsets
from guards import IsStaff, admin, modes, staff_required


class NoteView(viewsets.ModelViewSet):
    permission_classes = (permissions.IsAuthenticated, IsStaff)


class CupView(viewsets.ModelViewSet):
    permission_classes = (permissions.IsAuthenticated,)


@admin.route("/enter_staff_mode", methods=["POST"])
@staff_required
def enter_staff_mode(request):
    modes.enter_staff_mode(request)
"""
STAFF = """\
{% if user.is_staff %}
<a href="{% url 'NoteView' %}">Notes</a> <a href="{% url 'CupView' %}">Cups</a>
<form method="post" action="{% url 'enter_staff_mode' %}"><button>Enter</button></form>
{% endif %}
"""


def test_a_class_without_a_login_of_its_own_is_left_to_its_bases() -> None:
    views = VIEWS.replace("(permissions.IsAuthenticated, IsStaff)", "[IsStaff]")
    app = Application({"views.py": views.encode()}, {"page.html": STAFF.encode()})
    found = mutation.candidates(app, ["permission"])["permission"]
    texts = [one.text for one in found if isinstance(one, Mutant)]
    assert views.replace("permission_classes = [IsStaff]", "pass") in texts


def test_what_is_no_check_is_left() -> None:
    app = Application({"views.py": VIEWS.encode()}, {"page.html": STAFF.encode()})
    found = mutation.candidates(app, ["permission"])["permission"]
    texts = [one.text for one in found if isinstance(one, Mutant)]
    assert texts == [
        VIEWS.replace("(permissions.IsAuthenticated, IsStaff)", "[permissions.IsAuthenticated]"),
        VIEWS.replace("@staff_required\n", ""),
    ]
