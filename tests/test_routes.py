"""Routes and guards: each framework's ways to declare them, and what the command makes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cases import routes_of

from prodready.cli import main
from prodready.finding import RouteTable
from prodready.link.url_paths import fits, matching, parse, parse_regex


def shown(found: RouteTable) -> list[str]:
    """Method, path, handler and the kinds of guards."""
    return [
        " ".join([",".join(r.methods), r.path, r.handler.message, *(f"{g.kind}@{g.where}" for g in r.guards)])
        for r in found.routes
    ]


# ---- paths


@pytest.mark.parametrize(
    ("template", "segments"),
    [
        ("/api/users/<int:id>/", ("api", "users", "{id}")),
        ("/users/{id}", ("users", "{id}")),
        ("/users/:id/edit?tab=1", ("users", "{id}", "edit")),
        ("/orders/${order.id}/lines", ("orders", "{id}", "lines")),
        ("/files/{rest:path}", ("files", "{rest*}")),
        ("/files/<path:rest>", ("files", "{rest*}")),
        ("/pages/<name>.html", ("pages", "{name}.html")),
        ("/sanic/<number:int>", ("sanic", "{number}")),
        ("", ()),
    ],
)
def test_templates_have_one_form(template: str, segments: tuple[str, ...]) -> None:
    assert parse(template) == segments


@pytest.mark.parametrize(
    ("pattern", "segments"),
    [
        (r"^users/(?P<pk>\d+)/$", ("users", "{pk}")),
        (r"^api/(\w+)/data\.(json|xml)$", ("api", "{_}", "data.{_}")),
        (r"/user/([0-9]+)", ("user", "{_}")),
        (r"^(?P<rest>.*)$", ("{rest*}",)),
        (r"^x/(?:page-(?P<n>\d+)/)?$", ("x",)),
        (r"^projects/(?P<id>[^/.]+)/x/$", ("projects", "{id}", "x")),
        (r"^$", ()),
    ],
)
def test_regular_expressions_have_the_same_form(pattern: str, segments: tuple[str, ...]) -> None:
    assert parse_regex(pattern) == segments


def test_a_request_fits_a_route_by_its_segments() -> None:
    assert fits(("users", "{x}"), ("users", "{id}"))
    assert fits(("users", "7"), ("users", "{id}"))
    assert fits(("files", "a", "b"), ("files", "{rest*}"))
    assert not fits(("users",), ("users", "{id}"))
    assert not fits(("users", "{x}"), ("users", "me"))


def test_literal_segments_win_and_what_is_left_open_is_not_unique() -> None:
    routes = [(("users", "{id}"), "one"), (("users", "me"), "me"), (("users", "{name}"), "other")]
    assert matching(("users", "me"), routes) == ["me"]
    assert matching(("users", "{x}"), routes) == ["one", "other"]
    assert matching(("nobody",), routes) == []


# ---- frameworks


def test_flask_blueprints_inside_of_blueprints(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        app="""
from flask import Flask
from admin import bp
app = Flask(__name__)
app.register_blueprint(bp, url_prefix="/office")

@app.route("/", methods=["GET", "POST"])
def index():
    return ""
""",
        admin="""
from flask import Blueprint
from flask.views import MethodView
bp = Blueprint("admin", __name__, url_prefix="/admin")
inner = Blueprint("inner", __name__, url_prefix="/inner")
bp.register_blueprint(inner)

class Item(MethodView):
    def get(self, pk): return ""
    def delete(self, pk): return ""

inner.add_url_rule("/items/<int:pk>", view_func=Item.as_view("item"))
""",
    )
    assert shown(found) == [
        "GET,POST / index",
        "DELETE /office/inner/items/{pk} Item.delete",
        "GET /office/inner/items/{pk} Item.get",
    ]
    assert [route.name for route in found.routes] == ["index", "admin.inner.item", "admin.inner.item"]


def test_flask_restful_restx_and_smorest(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        app="""
from flask import Flask
from flask_restful import Api, Resource
import flask_restx
from flask_smorest import Api as SmorestApi, Blueprint
from flask.views import MethodView

app = Flask(__name__)
api = Api(app, prefix="/v1")

class Thing(Resource):
    def put(self, name): return {}

ROUTES = [(Thing, "/things/<name>", "/stuff/<name>")]
for route in ROUTES:
    api.add_resource(*route)

docs = flask_restx.Api(app)
ns = docs.namespace("cats", path="/cats")

@ns.route("/<int:cat_id>")
class Cat(flask_restx.Resource):
    def get(self, cat_id): return {}

blp = Blueprint("dogs", __name__, url_prefix="/dogs")

@blp.route("/")
class Dogs(MethodView):
    def post(self): return {}

SmorestApi(app).register_blueprint(blp)
""",
    )
    assert shown(found) == [
        "GET /cats/{cat_id} Cat.get",
        "POST /dogs Dogs.post",
        "PUT /v1/stuff/{name} Thing.put",
        "PUT /v1/things/{name} Thing.put",
    ]


def test_fastapi_dependencies_at_every_level(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        main="""
from fastapi import Depends, FastAPI
from deps import key
from api import router
app = FastAPI(dependencies=[Depends(key)])
app.include_router(router, prefix="/api")
""",
        api="""
from typing import Annotated
from fastapi import APIRouter, Depends
from deps import Admin, user, user_or_none
router = APIRouter(prefix="/items", dependencies=[Depends(user)])

@router.get("/{item_id}")
def show(item_id: int): ...

@router.delete("/{item_id}")
def remove(item_id: int, who: Admin): ...

@router.get("/")
def listed(who=Depends(user_or_none)): ...
""",
        deps="""
from typing import Annotated
from fastapi import Depends, Header, HTTPException, Request, status

def key(x_api_key: str = Header()):
    if x_api_key != SETTINGS.api_key:
        raise HTTPException(status_code=status.HTTP_401_UNAUTHORIZED)

def user(request: Request):
    if request.state.user is None:
        raise HTTPException(401)
    return request.state.user

def user_or_none(request: Request):
    return request.state.user

def admin(who=Depends(user)):
    if not who.is_admin:
        raise HTTPException(status_code=403)
    return who

Admin = Annotated[object, Depends(admin)]
""",
    )
    assert shown(found) == [
        "GET /api/items listed token@dependency login@dependency",
        "DELETE /api/items/{item_id} remove token@dependency login@dependency role@dependency",
        "GET /api/items/{item_id} show token@dependency login@dependency",
    ]


def test_django_includes_mixins_and_decorators_in_the_list(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        shop__settings='ROOT_URLCONF = "shop.urls"\n',
        shop____init__="",
        shop__urls="""
from django.contrib.auth.decorators import login_required
from django.urls import include, path, re_path
from shop import views
extra = [path("x/", views.Front.as_view(), name="x")]
urlpatterns = [
    path("orders/", include("shop.orders")),
    path("more/", include((extra, "more"))),
    re_path(r"^old/(?P<slug>[-\\w]+)/$", login_required(views.old)),
]
""",
        shop__orders="""
from django.urls import path
from shop.views import Edit, close
app_name = "orders"
urlpatterns = [path("<int:pk>/", Edit.as_view(), name="edit"), path("<int:pk>/close/", close)]
""",
        shop__views="""
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.decorators import permission_required
from django.views.decorators.http import require_POST
from django.views.generic import TemplateView, UpdateView

class Front(TemplateView): pass
class Edit(LoginRequiredMixin, UpdateView): pass

@permission_required("shop.close")
@require_POST
def close(request, pk): ...

def old(request, slug): ...
""",
    )
    assert shown(found) == [
        "GET /more/x Front.get",
        "* /old/{slug} old login@decorator",
        "GET /orders/{pk} Edit.get login@base",
        "POST /orders/{pk} Edit.post login@base",
        "PUT /orders/{pk} Edit.put login@base",
        "POST /orders/{pk}/close close permission@decorator",
    ]
    assert [r.name for r in found.routes if r.name] == ["more:x", "old", *["orders:edit"] * 3, "orders:close"]


def test_rest_framework_routers_actions_and_permissions(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        settings="""
ROOT_URLCONF = "urls"
REST_FRAMEWORK = {"DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"]}
""",
        urls="""
from django.urls import include, path
from rest_framework.routers import DefaultRouter
from views import Boats, Harbours
router = DefaultRouter()
router.register("boats", Boats)
router.register(r"harbours", Harbours, basename="harbour")
urlpatterns = [path("api/", include(router.urls))]
""",
        views="""
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny, BasePermission, IsAdminUser
from rest_framework.viewsets import ModelViewSet, ReadOnlyModelViewSet

class IsCaptain(BasePermission):
    def has_permission(self, request, view):
        return request.user.role == "captain"

class Boats(ReadOnlyModelViewSet):
    def get_permissions(self):
        if self.action == "list":
            return [AllowAny()]
        return [IsCaptain()]

    @action(detail=True, methods=["post"], permission_classes=[IsAdminUser])
    def scrap(self, request, pk=None): ...

class Harbours(ModelViewSet):
    http_method_names = ["get", "delete"]
""",
    )
    assert shown(found) == [
        "GET /api rest_framework.routers.APIRootView login@settings",
        "GET /api/boats Boats.list open@class",
        "GET /api/boats/{pk} Boats.retrieve role@class",
        "POST /api/boats/{pk}/scrap Boats.scrap role@decorator role@class",
        "GET /api/harbours Harbours.list login@settings",
        "DELETE /api/harbours/{pk} Harbours.destroy login@settings",
        "GET /api/harbours/{pk} Harbours.retrieve login@settings",
    ]


def test_aiohttp_tornado_bottle_and_falcon(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        one="""
from aiohttp import web
async def show(request): ...
async def change(request): ...
def setup(app):
    app.router.add_get("/aio/{name}", show)
    app.add_routes([web.post("/aio/{name}", change)])
def make():
    app = web.Application()
    setup(app)
    root = web.Application()
    root.add_subapp("/sub", app)
    return root
""",
        two="""
import tornado.web
class Page(tornado.web.RequestHandler):
    def get(self, slug): ...
app = tornado.web.Application([(r"/pages/([a-z]+)", Page)])
""",
        three="""
from bottle import post
@post("/bottle/<name>")
def fill(name): ...
""",
        four="""
import falcon
class Resource:
    def on_get(self, req, resp): ...
    def on_get_all(self, req, resp): ...
app = falcon.App()
app.add_route("/falcon/{name}", Resource())
app.add_route("/falcon", Resource(), suffix="all")
""",
    )
    assert shown(found) == [
        "POST /bottle/{name} fill",
        "GET /falcon Resource.on_get_all",
        "GET /falcon/{name} Resource.on_get",
        "GET /pages/{_} Page.get",
        "GET /sub/aio/{name} show",
        "POST /sub/aio/{name} change",
    ]


def test_litestar_sanic_and_starlette(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        one="""
from litestar import Controller, Litestar, Router, get, post
@get("/plain")
async def plain() -> str: ...
class Notes(Controller):
    path = "/notes"
    @post("/{note_id:int}")
    async def write(self, note_id: int) -> None: ...
app = Litestar(route_handlers=[plain, Router(path="/v2", route_handlers=[Notes])])
""",
        two="""
from sanic import Blueprint, Sanic
bp = Blueprint("birds", url_prefix="/birds")
@bp.delete("/<name>")
async def release(request, name): ...
app = Sanic("zoo")
app.blueprint(bp)
""",
        three="""
from starlette.applications import Starlette
from starlette.routing import Mount, Route
async def home(request): ...
app = Starlette(routes=[Mount("/m", routes=[Route("/home", home, methods=["PUT"])])])
""",
    )
    assert shown(found) == [
        "DELETE /birds/{name} release",
        "PUT /m/home home",
        "GET /plain plain",
        "POST /v2/notes/{note_id} Notes.write",
    ]


def test_guards_inside_of_handlers_and_before_them(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        app="""
from flask import Flask, abort, g, redirect, request, session, url_for
app = Flask(__name__)

def must_be_member():
    if not g.user.is_authenticated:
        abort(401)

@app.before_request
def known():
    if request.endpoint != "start" and "user_id" not in session:
        return redirect(url_for("login"))

@app.post("/role")
def role():
    if not g.user.is_admin:
        abort(403)
    return ""

@app.post("/helper")
def helper():
    must_be_member()
    return ""

@app.post("/own/<int:pk>")
def own(pk):
    order = Order.query.get_or_404(pk)
    if order.user_id != g.user.id:
        abort(404)
    return ""

@app.post("/missing/<int:pk>")
def missing(pk):
    order = Order.query.get(pk)
    if order is None:
        abort(404)
    return ""
""",
    )
    assert shown(found) == [
        "POST /helper helper login@helper login@before_request",
        "POST /missing/{pk} missing login@before_request",
        "POST /own/{pk} own ownership@inline login@before_request",
        "POST /role role role@inline login@before_request",
    ]
    assert all(route.guards[-1].partial for route in found.routes)


def test_what_cannot_be_found_out_is_said(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        app="""
from flask import Blueprint, Flask
from elsewhere import requires_scope, routers
app = Flask(__name__)
for router in routers():
    app.register_blueprint(router)
lost = Blueprint("lost", __name__, url_prefix="/lost")

@lost.get("/")
@requires_scope("read")
def read(): ...
""",
    )
    assert shown(found) == ["GET /lost read unknown@decorator"]
    assert found.routes[0].unknown == ("not mounted anywhere that could be found",)
    assert [place.line for place in found.unresolved] == [6]


def test_a_knowledge_file_teaches_a_decorator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "house.toml").write_text(
        'library = "house"\n[functions]\n"house.web.clerks" = { decorates = "guard", guards = "role" }\n'
    )
    (tmp_path / "prodready.toml").write_text('knowledge = ["house.toml"]\n')
    (tmp_path / "app.py").write_text(
        "from flask import Flask\nfrom house.web import clerks\napp = Flask(__name__)\n"
        '@app.post("/files")\n@clerks\ndef file(): ...\n'
    )
    assert main(["routes", str(tmp_path), "--no-cache", "--output-format", "json"]) == 0
    guards = json.loads(capsys.readouterr().out)["routes"][0]["guards"]
    assert [(guard["kind"], guard["name"]) for guard in guards] == [("role", "clerks")]


# ---- the command


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "setup.cfg").touch()
    (tmp_path / "app.py").write_text(
        "from flask import Flask\nfrom flask_login import login_required\napp = Flask(__name__)\n"
        '@app.get("/open")\ndef everybody(): ...\n@app.post("/closed")\n@login_required\ndef members(): ...\n'
    )
    return tmp_path


def test_the_table(shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(shop)
    assert main(["routes", "--no-cache"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "METHOD  PATH     HANDLER             GUARDS",
        "POST    /closed  app.py:8 members    login login_required (decorator, app.py:8)",
        "GET     /open    app.py:5 everybody  -",
        "",
        "2 routes: 0 ask for a role, a permission, ownership or membership, 1 for a login or a key, 1 for nothing.",
    ]


def test_json(shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(shop)
    assert main(["routes", "--no-cache", "--output-format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    closed = document["routes"][0]
    assert (closed["methods"], closed["path"], closed["name"]) == (["POST"], "/closed", "members")
    assert closed["handler"] == {"name": "members", "path": "app.py", "line": 8}
    assert [(guard["kind"], guard["where"]) for guard in closed["guards"]] == [("login", "decorator")]
    assert closed["callers"] == []
    assert document["unresolved"] == []


def test_a_project_without_routes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "setup.cfg").touch()
    (tmp_path / "tool.py").write_text("print({}.get('x'))\n")
    assert main(["routes", str(tmp_path), "--no-cache"]) == 0
    assert capsys.readouterr().out.startswith("0 routes: ")


def test_routes_of_projects_below_the_one_that_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("api", "api/admin"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "prodready.toml").write_text("")
        (tmp_path / name / "app.py").write_text(
            "from flask import Flask\napp = Flask(__name__)\n@app.get('/x')\ndef x(): pass\n"
        )
    assert main(["routes", str(tmp_path), "--no-cache"]) == 0
    listed = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("GET")]
    assert [Path(words[2]).relative_to(tmp_path).parts[:-1] for words in listed] == [("api",), ("api", "admin")]


def test_a_path_that_does_not_exist(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["routes", str(tmp_path / "absent"), "--no-cache"]) == 2
    assert "absent: cannot be read: No such file or directory" in capsys.readouterr().err


def test_a_broken_file_is_named_and_the_rest_is_listed(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "broken.py").write_text("def (:\n")
    monkeypatch.chdir(shop)
    assert main(["routes", "--no-cache"]) == 2
    printed = capsys.readouterr()
    assert "broken.py:1: " in printed.err
    assert "/closed" in printed.out


# ---- guards that are only found on a second look


def test_variables_that_are_raised_and_dependencies_of_controllers(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        people="""
from fastapi import Depends, HTTPException
unknown_person = HTTPException(status_code=401)

def current_user(request):
    user = find(request.headers.get("x"))
    if user is None:
        raise unknown_person
    return user

def editor(user=Depends(current_user)):
    if not user.is_admin:
        raise HTTPException(403)
    return user
""",
        app="""
from fastapi import APIRouter, Depends, FastAPI
from views import controller
from people import current_user, editor
router = APIRouter()

class Base:
    user: User = Depends(current_user)

@controller(router)
class Pages(Base):
    @router.get("/pages")
    def pages(self): ...

@controller(router)
class Edits:
    user: User = Depends(editor)

    @router.post("/pages")
    def add(self): ...

app = FastAPI()
app.include_router(router)
""",
    )
    assert shown(found) == ["GET /pages Pages.pages login@dependency", "POST /pages Edits.add role@dependency"]


def test_classes_in_the_arguments_of_a_dependency(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        app="""
from fastapi import Depends, FastAPI, HTTPException
app = FastAPI()

class Permission:
    def __init__(self, request):
        if not self.has_permission(request):
            raise HTTPException(status_code=403)

class MayEdit(Permission): ...

class All:
    def __init__(self, wanted):
        self.wanted = wanted

    def __call__(self, request):
        for one in self.wanted:
            one(request)

@app.post("/a", dependencies=[Depends(All([MayEdit]))])
def edit(): ...

@app.post("/b", dependencies=[Depends(All([]))])
def free(): ...
""",
    )
    assert shown(found) == ["POST /a edit permission@dependency", "POST /b free"]


def test_permission_classes_are_joined_and_left_to_the_next_class(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        app__urls="""
from django.urls import path
from app import views
urlpatterns = [
    path("both", views.Both.as_view()),
    path("either", views.Either.as_view()),
    path("left", views.Left.as_view()),
]
""",
        app__views="""
from rest_framework.permissions import AllowAny, IsAdminUser, IsAuthenticated
from rest_framework.views import APIView

class Both(APIView):
    permission_classes = [IsAuthenticated & IsAdminUser]
    def post(self, request): ...

class Either(APIView):
    permission_classes = [IsAuthenticated | IsAdminUser]
    def post(self, request): ...

class Base(APIView):
    def get_permissions(self):
        return [IsAdminUser()]

class Left(Base):
    def get_permissions(self):
        if self.request.method == "GET":
            return []
        return super().get_permissions()
    def post(self, request): ...
""",
    )
    assert shown(found) == [
        "POST /both Both.post login@class role@class",
        "POST /either Either.post login@class",
        "POST /left Left.post role@class",
    ]


def test_views_that_are_handed_the_request_rows_and_memberships(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        app__urls=r"""
from django.conf.urls.i18n import i18n_patterns
from django.urls import path, re_path
from app import views
urlpatterns = [
    path("handed", views.handed),
    path("row/<int:pk>", views.Row.as_view()),
    path("team/<int:pk>", views.team),
    re_path(r"^old/(?:page-(?P<n>\d+)/)?$", views.old),
]
urlpatterns += i18n_patterns(path("hello", views.old))
""",
        app__views="""
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.views.generic import DetailView
from app.models import Member, Team

class Page(LoginRequiredMixin, DetailView):
    def get(self, request): ...

def handed(request):
    return Page.as_view()(request)

class Row(DetailView):
    def get_object(self):
        row = super().get_object()
        if not row.is_accessible_by(self.request.user):
            raise Http404()
        return row

def get_team(request, pk):
    team = Team.objects.get(pk=pk)
    get_object_or_404(Member, team=team, user=request.user)
    return team

def team(request, pk):
    return get_team(request, pk)

def old(request, n=1): ...
""",
    )
    assert shown(found) == [
        "* /handed handed login@base",
        "* /old old",
        "* /old/page-{n} old",
        "GET /row/{pk} Row.get permission@dispatch",
        "* /team/{pk} team ownership@helper",
        "* /{language}/hello old",
    ]


def test_modules_that_are_taken_in_with_a_name_for_the_application(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        shop__settings="""
ROOT_URLCONF = "shop.urls"
""",
        shop__urls="""
from django.conf.urls import include, url
from django.urls import path
urlpatterns = [url(r"^till/", include(("till.urls", "till"))), path("stock/", include(("stock.urls", "stock")))]
""",
        till__urls="""
from django.conf.urls import url
from till import views
urlpatterns = [url(r"^open/$", views.open_till)]
""",
        till__views="""
def open_till(request): ...
""",
        stock__urls="""
from django.urls import path
from till import views
urlpatterns = [path("count/", views.open_till)]
""",
    )
    assert shown(found) == ["* /stock/count open_till", "* /till/open open_till"]


def test_hooks_that_ask_for_nothing_guard_nothing(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        app="""
from flask import Flask, abort, g, redirect, request
from state import busy
app = Flask(__name__)

@app.before_request
def wait():
    if busy():
        if request.endpoint == "admin.load":
            return
        return "later", 403

@app.before_request
def read_token():
    token = request.headers.get("Authorization")
    if token:
        try:
            g.user = look_up(token)
        except LookupError:
            abort(401)

@app.post("/notes")
def add(): ...
""",
    )
    assert shown(found) == ["POST /notes add"]


def test_nested_routers_stand_below_a_row(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        app__urls="""
from django.urls import include, path
from rest_framework_nested import routers
from app.views import Lines, Orders
router = routers.SimpleRouter()
router.register("orders", Orders)
lines = routers.NestedSimpleRouter(router, "orders", lookup="order")
lines.register("lines", Lines)
urlpatterns = [path("", include(router.urls)), path("", include(lines.urls))]
""",
        app__views="""
from rest_framework.viewsets import ViewSet
class Orders(ViewSet):
    def list(self, request): ...
class Lines(ViewSet):
    def create(self, request): ...
""",
    )
    assert shown(found) == ["GET /orders Orders.list", "POST /orders/{order_pk}/lines Lines.create"]


# ---- routes that a library brings


def test_modules_of_libraries_that_are_included_by_name(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        shop__settings='ROOT_URLCONF = "shop.urls"\nMEDIA_URL = "/pictures/"\n',
        shop__urls="""
from django.conf import settings
from django.conf.urls.static import static
from django.contrib.auth import urls as auth_urls
from django.urls import include, path
urlpatterns = [
    path("api/", include("rest_framework.urls", namespace="api")),
    path("me/", include(auth_urls)),
    path("theirs/", include("some_library.urls")),
] + static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT)
""",
    )
    listed = {f"{','.join(r.methods)} {r.path}": r for r in found.routes}
    assert {"GET,POST,PUT /api/login", "POST /api/logout", "* /pictures/{path*}"} <= set(listed)
    assert listed["GET,POST,PUT /api/login"].name == "api:login"
    assert listed["GET,POST,PUT /me/login"].name == "login"
    assert [g.kind for g in listed["GET,POST,PUT /me/password_change"].guards] == ["login"]
    assert not listed["GET,POST,PUT /me/password_reset"].guards
    assert len(found.unresolved) == 1


@pytest.mark.parametrize(("router", "has_index"), [("DefaultRouter", True), ("SimpleRouter", False)])
def test_the_index_of_a_router(tmp_path: Path, router: str, has_index: bool) -> None:
    found = routes_of(
        tmp_path,
        shop__urls=f"""
from django.urls import include, path
from rest_framework.routers import {router}
from rest_framework.viewsets import ViewSet
class Cups(ViewSet):
    def list(self, request): ...
router = {router}()
router.register("cups", Cups)
urlpatterns = [path("api/", include(router.urls))]
""",
    )
    assert ("/api" in {route.path for route in found.routes}) is has_index
    assert "/api/cups" in {route.path for route in found.routes}
