"""Guards that classes bring: bases that are not at hand, defaults of the settings, rows of the classes above."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import routes_of

SETTINGS = """
REST_FRAMEWORK = {"DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"]}
"""
REST = """
from rest_framework import viewsets
from rest_framework.permissions import IsAdminUser
from rest_framework.routers import DefaultRouter
"""
ROUTED = """
router = DefaultRouter()
router.register("films", Films)
urlpatterns = router.urls
"""


def guards(tmp_path: Path, **files: str) -> dict[str, str]:
    """Of each handler, by its last name, the kinds of its guards."""
    found = routes_of(tmp_path, **files)
    return {
        route.handler.message.rpartition(".")[2]: " ".join(dict.fromkeys(guard.kind for guard in route.guards))
        for route in found.routes
    }


def view(tmp_path: Path, bases: str, body: str = "    pass", imports: str = "") -> str:
    text = f"""
from django.urls import path
from django.views import generic
from foreign.mixins import LoginRequiredMixin, PermissionRequiredMixin, SuperuserRequiredMixin, AnonymousRequiredMixin, Board
{imports}

class Page({bases}):
{body}
    def post(self, request): return None

urlpatterns = [path("page/", Page.as_view())]
"""
    return guards(tmp_path, urls=text)["post"]


# ---- bases that are not at hand


@pytest.mark.parametrize(
    ("base", "kinds"),
    [
        ("LoginRequiredMixin", "login"),
        ("PermissionRequiredMixin", "permission"),
        ("SuperuserRequiredMixin", "role"),
        ("AnonymousRequiredMixin", ""),
        ("Board", ""),
    ],
)
def test_a_class_of_an_unknown_library_guards_by_its_name(tmp_path: Path, base: str, kinds: str) -> None:
    assert view(tmp_path, f"{base}, generic.UpdateView") == kinds


@pytest.mark.parametrize(
    ("attribute", "kinds"),
    [
        ('permission_required = "films.change_film"', "permission"),
        ('required_permissions = ("films.change_film",)', "permission"),
        ("login_required = True", "login"),
        ("login_required = False", ""),
        ("permission_required = None", ""),
        ("permission_required = ()", ""),
        ('template_name = "films/required.html"', ""),
    ],
)
def test_what_a_class_says_to_an_unknown_base_is_required(tmp_path: Path, attribute: str, kinds: str) -> None:
    assert view(tmp_path, "Board, generic.UpdateView", f"    {attribute}") == kinds


def test_an_attribute_that_no_base_can_read_guards_nothing(tmp_path: Path) -> None:
    assert view(tmp_path, "generic.UpdateView", '    permission_required = "films.change_film"') == ""


# ---- defaults of the settings


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        ("        found = super().get_permissions()\n        return found", "login"),
        (
            "        found = super().get_permissions()\n        if self.action == 'list':\n"
            "            found.append(IsAdminUser())\n        return found",
            "login",
        ),
        ("        return [IsAdminUser()]", "role"),
        ("        return []", "open"),
    ],
)
def test_a_method_that_leaves_the_guards_to_the_base_leaves_the_defaults(tmp_path: Path, body: str, kinds: str) -> None:
    text = f"{REST}\nclass Films(viewsets.ModelViewSet):\n    def get_permissions(self):\n{body}\n{ROUTED}"
    assert guards(tmp_path, settings=SETTINGS, urls=text)["destroy"] == kinds


def test_a_view_of_an_unknown_library_has_the_defaults_if_it_is_called_like_one(tmp_path: Path) -> None:
    text = (
        f"{REST}\nfrom foreign.views import OwnModelViewSet\nclass Films(OwnModelViewSet):\n"
        f"    def destroy(self, request, pk): return None\n{ROUTED}"
    )
    assert guards(tmp_path, settings=SETTINGS, urls=text)["destroy"] == "login"


# ---- rows


def test_rows_that_a_class_above_leaves_out_are_left_out(tmp_path: Path) -> None:
    text = f"""{REST}
class Owned(viewsets.ModelViewSet):
    def get_queryset(self):
        return super().get_queryset().visible_for_user(self.request.user)

class Films(Owned):
    def get_queryset(self):
        return super().get_queryset().order_by("title")
    def destroy(self, request, pk):
        self.get_object().delete()
{ROUTED}"""
    assert guards(tmp_path, urls=text)["destroy"] == "ownership"


def test_rows_of_a_class_above_that_is_not_asked_are_not_left_out(tmp_path: Path) -> None:
    text = f"""{REST}
class Owned(viewsets.ModelViewSet):
    def get_queryset(self):
        return super().get_queryset().visible_for_user(self.request.user)

class Films(Owned):
    def get_queryset(self):
        return Film.objects.all()
    def destroy(self, request, pk):
        self.get_object().delete()
{ROUTED}"""
    assert guards(tmp_path, urls=text)["destroy"] == ""


HANDLERS = """
from aiohttp import web

class Api:
    async def get_object(self, request):
        found = self.find(request)
        if found.access not in request["access"]:
            raise web.HTTPForbidden()
        return found
    async def one(self, request):
        return await self.get_object(request)
    async def all(self, request):
        return self.everything()

api = Api()
app = web.Application()
app.router.add_get("/one", api.one)
app.router.add_get("/all", api.all)
"""


def test_who_has_no_access_is_refused_only_where_the_row_is_looked_up(tmp_path: Path) -> None:
    assert guards(tmp_path, app=HANDLERS) == {"one": "permission", "all": ""}


# ---- rows of who asks, rules that ask nothing, dependencies that functions make, views that settings name


@pytest.mark.parametrize(
    ("found", "kinds"),
    [
        ("Member.objects.filter(user=request.user).first()", "role"),
        ("get_object_or_404(Member, user=request.user, team=self.team)", "role"),
        ("Member.objects.filter(team=self.team).first()", ""),
    ],
)
def test_the_role_in_a_row_of_who_asks_is_a_role(tmp_path: Path, found: str, kinds: str) -> None:
    body = f"""
    def dispatch(self, request, *args, **kwargs):
        member = {found}
        if member.role == Member.GUEST:
            return redirect("teams")
        return super().dispatch(request, *args, **kwargs)
"""
    imports = "from django.shortcuts import get_object_or_404, redirect\nfrom teams.models import Member"
    assert view(tmp_path, "generic.UpdateView", body, imports) == kinds


RULES = """
from fastapi import Depends, FastAPI, HTTPException

app = FastAPI()

def current_user(token: str = ""):
    if not token:
        raise HTTPException(status_code=401)
    return token

class Rules:
    @classmethod
    def everybody(cls, actor): return True
    @classmethod
    def owners(cls, actor): return actor.is_owner

def authorize(actor, rule):
    if not rule(actor):
        raise HTTPException(status_code=403)

@app.get("/all")
def all_of_them(user=Depends(current_user)):
    authorize(user, Rules.everybody)
    return []

@app.get("/own")
def own(user=Depends(current_user)):
    authorize(user, Rules.owners)
    return []
"""


def test_a_rule_that_lets_everybody_in_guards_nothing(tmp_path: Path) -> None:
    found = guards(tmp_path, app=RULES)
    assert "permission" not in found["all_of_them"]
    assert "permission" in found["own"]


MADE = """
from typing import Annotated
from fastapi import Depends, FastAPI, HTTPException

app = FastAPI()

def signed_in(token: str = ""):
    if not token:
        raise HTTPException(status_code=401)

def anybody(): return None

def who(inside=True):
    if inside:
        return Depends(signed_in)
    return Depends(signed_in)

def who_or_none(inside=True):
    if inside:
        return Depends(signed_in)
    return Depends(anybody)

@app.get("/a")
def asked(user: Annotated[str, who()]): return []

@app.get("/b")
def not_asked(user: Annotated[str, who_or_none()]): return []
"""


def test_a_function_that_makes_a_dependency_is_as_strong_as_its_weakest(tmp_path: Path) -> None:
    found = guards(tmp_path, app=MADE)
    assert found["asked"] in {"login", "token"}
    assert found["not_asked"] == ""


def test_a_view_that_a_setting_names_is_found(tmp_path: Path) -> None:
    urls = """
from django.conf import settings
from django.urls import path
from django.utils.module_loading import import_string

def chosen():
    view = import_string(settings.BOARD_VIEW)
    return view.as_view()

urlpatterns = [path("board/", chosen()), path("other/", import_string("pages.Other").as_view())]
"""
    pages = """
from django.contrib.auth.mixins import LoginRequiredMixin
from django.views import View

class Board(LoginRequiredMixin, View):
    def post(self, request): return None

class Other(View):
    def get(self, request): return None
"""
    found = guards(tmp_path, urls=urls, pages=pages, settings='BOARD_VIEW = "pages.Board"\n')
    assert found == {"post": "login", "get": ""}


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("Q(owner=request.user) | Q(members=request.user)", "membership"),
        ("Q(administrators=request.user)", "ownership"),
        ("Q(club__memberships__user=request.user)", "membership"),
        ("Q(club__clubmember__user=request.user)", "membership"),
        ("Q(club_member__member=request.user)", "membership"),
        ("Q(club_member__user=request.user)", "ownership"),
        ("Q(collaborators=request.user)", "membership"),
        ("Q(member__user=request.user)", "ownership"),
        ("members__user=request.user, members__role='owner'", "ownership"),
        ("Q(owner=request.user) & Q(members=request.user)", "ownership"),
        ("Q(owner=request.user) | Q(is_open=True)", ""),
        ("Q(owner=request.POST['owner'])", ""),
    ],
)
def test_rows_of_one_kind_or_another_of_whoever_asks(tmp_path: Path, query: str, kinds: str) -> None:
    body = f"    def delete(self, request):\n        get_object_or_404(Film.objects.filter({query}), pk=1).delete()\n"
    imports = (
        "from django.db.models import Q\nfrom django.shortcuts import get_object_or_404\nfrom films.models import Film"
    )
    text = f"""
from django.urls import path
from django.views import generic
{imports}

class Page(generic.View):
{body}
urlpatterns = [path("page/", Page.as_view())]
"""
    assert guards(tmp_path, urls=text)["delete"] == kinds


@pytest.mark.parametrize(("error", "kinds"), [("AccessDenied", "permission"), ("PermissionError", ""), ("OSError", "")])
def test_a_store_that_denies_access_is_a_guard(tmp_path: Path, error: str, kinds: str) -> None:
    text = f"""
from flask import Flask, abort
from store import items, AccessDenied
app = Flask(__name__)

@app.post("/items/<name>")
def change(name):
    try:
        item = items[name]
    except {error}:
        abort(403)
    return item
"""
    assert guards(tmp_path, app=text)["change"] == kinds
