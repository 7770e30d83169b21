"""Routes that a function of the project registers for its callers, and that loops make of a table."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import routes_of

from prodready import project
from prodready.config import Config

FLASK = """
from flask import Blueprint, Flask
from flask.views import MethodView

app = Flask(__name__)
bp = Blueprint("office", __name__, url_prefix="/office")

class Desk(MethodView):
    def get(self): return ""
    def post(self): return ""

def lamp(): return ""
def chair(): return ""
"""
VIEWS = """
from django.views import View

class Paint(View):
    slug = "paint"
    def get(self, request): return None

class Brush(View):
    slug = "brush"
    def post(self, request): return None

def index(request): return None
def about(request): return None
"""


def routes(tmp_path: Path, **files: str) -> list[str]:
    """Method, path and handler of each route, with the kinds of its guards; `__` in the name of a file is a slash."""
    found = routes_of(tmp_path, **files)
    return sorted(
        " ".join([",".join(r.methods), r.path, r.handler.message, *(g.kind for g in r.guards), *r.unknown])
        for r in found.routes
    )


# ---- functions that register for others


def test_each_caller_of_a_helper_declares_its_own_routes(tmp_path: Path) -> None:
    app = """
from helpers import announce

announce(bp, ["/desks", "/tables"], Desk.as_view("desk"))
announce(app, ["/lamp"], lamp, methods=["DELETE"])
app.register_blueprint(bp)
"""
    helpers = """
def announce(where, paths, view, *more, **options):
    for path in paths:
        where.add_url_rule(path, view_func=view, *more, **options)
"""
    assert routes(tmp_path, app=FLASK + app, helpers=helpers) == [
        "DELETE /lamp lamp",
        "GET /office/desks Desk.get",
        "GET /office/tables Desk.get",
        "POST /office/desks Desk.post",
        "POST /office/tables Desk.post",
    ]


def test_a_route_is_declared_where_the_helper_is_called(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").touch()
    (tmp_path / "app.py").write_text(
        FLASK + "def announce(path, view):\n    app.add_url_rule(path, view_func=view)\n\nannounce('/lamp', lamp)\n"
    )
    found = project.Session(Config(root=tmp_path)).routes([tmp_path], project.Options(jobs=1, cache=False))
    assert [route.declared.line for route in found.routes] == [FLASK.count("\n") + 4]


def test_a_method_that_a_subclass_of_a_router_adds(tmp_path: Path) -> None:
    api = """
from flask import Flask
from flask_restful import Api, Resource

def in_city(path):
    return "/<city>" + path

class CityApi(Api):
    def add_city_resource(self, resource, *paths, **options):
        paths = [in_city(path) for path in paths]
        return self.add_resource(resource, *paths, **options)

class Trees(Resource):
    def get(self, city): return {}

app = Flask(__name__)
api = CityApi(app)
api.add_city_resource(Trees, "/trees", "/plants", endpoint="trees")
"""
    assert routes(tmp_path, api=api) == ["GET /{city}/plants Trees.get", "GET /{city}/trees Trees.get"]


def test_helpers_that_call_helpers(tmp_path: Path) -> None:
    app = """
def register(path, view):
    app.add_url_rule("/v1" + path, view_func=view)

def office(path, view):
    register("/office" + path, view)

office("/lamp", lamp)
register("/chair", chair)
"""
    assert routes(tmp_path, app=FLASK + app) == ["GET /v1/chair chair", "GET /v1/office/lamp lamp"]


def test_a_decorator_of_the_project_that_registers(tmp_path: Path) -> None:
    app = """
def endpoint(path, **options):
    def decorator(view):
        app.add_url_rule("/api" + path, view.__name__, view, **options)
        return view
    return decorator

@endpoint("/stairs", methods=["PUT"])
def stairs(): return ""

@endpoint("/doors")
def doors(): return ""
"""
    assert routes(tmp_path, app=FLASK + app) == ["GET /api/doors doors", "PUT /api/stairs stairs"]


def test_a_decorator_that_is_applied_by_hand(tmp_path: Path) -> None:
    app = """
def expose(path, view):
    app.route("/x" + path, methods=["POST"])(view)

app.route("/lamp")(lamp)
expose("/chair", chair)
"""
    assert routes(tmp_path, app=FLASK + app) == ["GET /lamp lamp", "POST /x/chair chair"]


def test_a_helper_that_takes_in_routers(tmp_path: Path) -> None:
    main = """
from fastapi import FastAPI
import cats, dogs

app = FastAPI()

def mount(app, router, prefix):
    app.include_router(router, prefix="/v2" + prefix)

mount(app, cats.router, "/cats")
for prefix, router in {"/dogs": dogs.router}.items():
    app.include_router(router, prefix=prefix)
"""
    animal = """
from fastapi import APIRouter
router = APIRouter()
@router.get("/all")
def NAME(): return []
"""
    files = {name: animal.replace("NAME", name) for name in ("cats", "dogs")}
    assert routes(tmp_path, main=main, **files) == ["GET /dogs/all dogs", "GET /v2/cats/all cats"]


def test_a_helper_that_nobody_calls_keeps_what_is_known(tmp_path: Path) -> None:
    app = "\ndef register(path):\n    app.add_url_rule('/v1/' + path, view_func=lamp)\n"
    assert routes(tmp_path, app=FLASK + app) == ["GET /v1/{_} lamp"]


def test_decorators_that_a_loop_puts_around_a_view_all_guard_it(tmp_path: Path) -> None:
    app = """
from flask_login import login_required
from werkzeug.exceptions import Forbidden
from functools import wraps
from flask_login import current_user

def only_admins(view):
    @wraps(view)
    def inner(*args, **kwargs):
        if not current_user.is_admin:
            raise Forbidden()
        return view(*args, **kwargs)
    return inner

def configure(where, table, decorators=None):
    for path, view in table:
        for decorator in decorators or []:
            view = decorator(view)
        where.add_url_rule(path, view_func=view)

configure(app, [("/lamp", lamp)], decorators=[only_admins, login_required])
configure(app, [("/chair", chair)])
"""
    assert routes(tmp_path, app=FLASK + app) == ["GET /chair chair", "GET /lamp lamp role login"]


# ---- tables and lists


@pytest.mark.parametrize(
    "body",
    [
        "for path, view in TABLE:\n    app.add_url_rule(path, view_func=view)\n",
        "for row in TABLE:\n    app.add_url_rule(row[0], view_func=row[1])\n",
        "for path, view in MAP.items():\n    app.add_url_rule(path, view_func=view)\n",
        "def all_of(table):\n    for path, view in table:\n        app.add_url_rule(path, view_func=view)\nall_of(TABLE)\n",
        "def register(path, view):\n    app.add_url_rule(path, view_func=view)\nfor row in TABLE:\n    register(*row)\n",
    ],
)
def test_each_row_of_a_table_is_a_route(tmp_path: Path, body: str) -> None:
    tables = 'TABLE = [("/lamp", lamp), ("/chair", chair)]\nMAP = {"/lamp": lamp, "/chair": chair}\n'
    assert routes(tmp_path, app=FLASK + tables + body) == ["GET /chair chair", "GET /lamp lamp"]


def test_lists_of_routes_from_functions_loops_and_comprehensions(tmp_path: Path) -> None:
    urls = """
from django.urls import include, path
from views import Brush, Paint, about, index
from shared import PAGES, crud, both

urlpatterns = [
    *crud("paints", Paint),
    *[path(f"pages/{name}/", view) for name, view in PAGES],
    path("two/", include(both(index, about))),
]
urlpatterns += crud("brushes", Brush)
for view in (Paint, Brush):
    urlpatterns.append(path(view.slug + "/edit", view.as_view()))
"""
    shared = """
from django.urls import path
import views

PAGES = (("index", views.index), ("about", views.about))

def crud(prefix, view):
    return [path(f"{prefix}/", view.as_view()), path(f"{prefix}/<int:pk>/", view.as_view())]

def both(first, second):
    urls = []
    for name, view in (("one", first), ("two", second)):
        urls.append(path(name, view))
    return urls
"""
    assert routes(tmp_path, urls=urls, shared=shared, views=VIEWS) == [
        "* /pages/about about",
        "* /pages/index index",
        "* /two/one index",
        "* /two/two about",
        "GET /paint/edit Paint.get",
        "GET /paints Paint.get",
        "GET /paints/{pk} Paint.get",
        "POST /brush/edit Brush.post",
        "POST /brushes Brush.post",
        "POST /brushes/{pk} Brush.post",
    ]


def test_a_router_in_the_middle_of_a_list_is_below_its_prefix(tmp_path: Path) -> None:
    urls = """
from django.urls import include, path, re_path
from rest_framework import viewsets
from rest_framework.routers import DefaultRouter
from views import index

class Books(viewsets.ReadOnlyModelViewSet): pass
class Pages(viewsets.ReadOnlyModelViewSet): pass

class OurRouter(DefaultRouter):
    @property
    def urls(self):
        return super().urls + []

router = OurRouter()
for prefix, viewset in [("books", Books)]:
    router.register(prefix, viewset)
router.register(r"books/(?P<book>\\d+)/pages", Pages)

urlpatterns = [re_path(r"^api/", include([re_path("^index/", index), *router.urls]))]
"""
    assert routes(tmp_path, urls=urls, views=VIEWS) == [
        "* /api/index index",
        "GET /api rest_framework.routers.APIRootView",
        "GET /api/books Books.list",
        "GET /api/books/{book}/pages Pages.list",
        "GET /api/books/{book}/pages/{pk} Pages.retrieve",
        "GET /api/books/{pk} Books.retrieve",
    ]


def test_a_receiver_known_by_its_name_is_taken_for_the_library_whose_paths_stand_there(tmp_path: Path) -> None:
    app = """
from aiohttp import web

async def rest(request): return None

def enable(services):
    services.application.router.add_route("*", "/rest", rest)
    services.application.router.add_route("GET", "/more", rest)

app = web.Application()
"""
    assert routes(tmp_path, app=app) == ["* /rest rest", "GET /more rest"]


def test_a_long_list_inside_of_an_include_is_kept_whole(tmp_path: Path) -> None:
    rows = "\n".join(f'            path("row{n}/", views.index, name="row{n}"),' for n in range(80))
    urls = f"""
from django.urls import include, path
import views

urlpatterns = [
    path("api/", include([
        path("deep/", include([
{rows}
        ])),
        path("last/", views.about),
    ])),
]
"""
    found = routes(tmp_path, urls=urls, views=VIEWS)
    assert len(found) == 81
    assert "* /api/deep/row79 index" in found
    assert "* /api/last about" in found
