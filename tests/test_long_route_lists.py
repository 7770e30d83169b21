"""Lists of routes that are too long to be kept whole in what they are handed to: none of them may be lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import routes_of

from prodready.finding import RouteTable
from prodready.read import values as v
from prodready.read.python import read_python

DJANGO = "from django.conf.urls.i18n import i18n_patterns\nfrom django.urls import include, path\nfrom . import views\n"
STARLETTE = """
from starlette.applications import Starlette
from starlette.routing import Mount, Route
async def view(request): ...
"""
LONG, LONGEST = 62, 700
"""More than fits into a call, and more than is kept of a list."""


def table(root: Path, **files: str) -> RouteTable:
    """The routes of a project with these files; `__` in a name is a slash."""
    return routes_of(root, **{"app____init__": "", "app__views": "def view(request): ...\n", **files})


def paths(letter: str, count: int) -> str:
    return "".join(f'    path("{letter}{number}/", views.view, name="{letter}{number}"),\n' for number in range(count))


def expected(letter: str, count: int, prefix: str = "") -> set[str]:
    return {f"{prefix}/{letter}{number}" for number in range(count)}


@pytest.mark.parametrize("count", [LONG, LONGEST])
@pytest.mark.parametrize(
    "taken_in",
    [
        "more = [\n{a}]\nurlpatterns = [path('x/', include(more))]",
        "more = [\n{a}]\nurlpatterns = [path('x/', include((more, 'ns')))]",
        "more = []\nmore += [\n{a}]\nurlpatterns = [path('x/', include(more))]",
        "more = [\n{a}]\nurlpatterns = [path('x/', include([*more]))]",
        "more = [\n{a}]\nif DEBUG:\n    more.append(path('a0/', views.view))\nurlpatterns = [path('x/', include(more))]",
        "urlpatterns = [path('x/', include([\n{a}]))]",
    ],
)
def test_lists_that_are_taken_in(tmp_path: Path, taken_in: str, count: int) -> None:
    found = table(
        tmp_path, settings="ROOT_URLCONF = 'app.urls'\n", app__urls=DJANGO + taken_in.format(a=paths("a", count))
    )
    assert {route.path for route in found.routes} == expected("a", count, "/x")
    assert not found.unresolved


@pytest.mark.parametrize("count", [LONG, LONGEST])
@pytest.mark.parametrize(
    ("made", "prefix"),
    [
        ("a = [\n{a}]\nb = [\n{b}]\nurlpatterns = a + b", ""),
        ("a = [\n{a}]\nb = [\n{b}]\nurlpatterns = [*a, *b]", ""),
        ("b = [\n{b}]\nurlpatterns = [\n{a}]\nurlpatterns += b", ""),
        ("b = [\n{b}]\nurlpatterns = [\n{a}]\nurlpatterns.extend(b)", ""),
        ("urlpatterns = [\n{a}]\nif DEBUG:\n    urlpatterns += [\n{b}]", ""),
        ("urlpatterns = []\nif FULL:\n    urlpatterns += [\n{a}]\nif DEBUG:\n    urlpatterns += [\n{b}]", ""),
        ("urlpatterns = []\nif FULL:\n    urlpatterns += [\n{a}]\nurlpatterns += [\n{b}]\nurlpatterns += []", ""),
        ("a = [\n{a}]\nb = [\n{b}]\nif DEBUG:\n    urlpatterns = a\nelse:\n    urlpatterns = b", ""),
        ("a = [\n{a}]\nurlpatterns = i18n_patterns(*a,\n{b})", "/{{language}}"),
    ],
)
def test_lists_that_are_put_together(tmp_path: Path, made: str, prefix: str, count: int) -> None:
    text = DJANGO + made.format(a=paths("a", count), b=paths("b", count))
    found = table(tmp_path, settings="ROOT_URLCONF = 'app.urls'\n", app__urls=text)
    prefix = prefix.format()
    assert {route.path for route in found.routes} == expected("a", count, prefix) | expected("b", count, prefix)
    assert not found.unresolved


@pytest.mark.parametrize("count", [LONG, LONGEST])
def test_each_list_stands_below_its_own_prefix(tmp_path: Path, count: int) -> None:
    text = f"{DJANGO}a = [\n{paths('a', count)}]\nurlpatterns = [\n    path('x/', include(a)),\n{paths('b', count)}]\n"
    found = table(tmp_path, settings="ROOT_URLCONF = 'app.urls'\n", app__urls=text)
    assert {route.path for route in found.routes} == expected("a", count, "/x") | expected("b", count)


def test_a_list_that_takes_in_what_it_was_before(tmp_path: Path) -> None:
    text = f"{DJANGO}urlpatterns = [\n{paths('a', LONG)}]\n"
    found = table(
        tmp_path,
        settings="ROOT_URLCONF = 'app.urls'\n",
        app__urls=text + "urlpatterns = [path('x/', include((urlpatterns, 'ns')))]\n",
    )
    assert {route.path for route in found.routes} == expected("a", LONG, "/x")
    found = table(tmp_path, app__urls=text + "if BELOW:\n    urlpatterns = [path('x/', include(urlpatterns))]\n")
    assert {route.path for route in found.routes} == expected("a", LONG) | expected("a", LONG, "/x")


@pytest.mark.parametrize("count", [LONG, LONGEST])
@pytest.mark.parametrize(
    "made",
    [
        "more = [\n{a}]\napp = Starlette(routes=[Mount('/x', routes=more)])",
        "app = Starlette(routes=[Mount('/x', routes=[\n{a}])])",
        "def make():\n    return Starlette(routes=[Mount('/x', routes=[\n{a}])])\napp = make()",
    ],
)
def test_mounted_lists(tmp_path: Path, made: str, count: int) -> None:
    routes = "".join(f"  Route('/a{number}', view),\n" for number in range(count))
    found = table(tmp_path, main=STARLETTE + made.format(a=routes))
    assert {route.path for route in found.routes} == expected("a", count, "/x")


@pytest.mark.parametrize("count", [LONG, LONGEST])
def test_a_list_that_a_function_hands_over(tmp_path: Path, count: int) -> None:
    routes = "".join(f"    web.get('/a{number}', view),\n" for number in range(count))
    text = f"from aiohttp import web\nasync def view(request): ...\ndef setup(app):\n  app.add_routes([\n{routes}  ])\n"
    found = table(tmp_path, main=text + "app = web.Application()\nsetup(app)\n")
    assert {route.path for route in found.routes} == expected("a", count)


def test_modules_that_are_not_there_are_said(tmp_path: Path) -> None:
    text = "path('a/', include('gone.urls')),\n    path('b/', include('django.contrib.auth.urls')),\n"
    found = table(tmp_path, settings="ROOT_URLCONF = 'app.urls'\n", app__urls=f"{DJANGO}urlpatterns = [\n    {text}]\n")
    assert [(place.path, place.line) for place in found.unresolved] == [("app/urls.py", 5)]


def test_what_is_no_list_of_calls_is_not_kept_in_calls() -> None:
    rows = ", ".join(f"({number}, 'x')" for number in range(200))
    facts = read_python(f"TABLE = [{rows}]\nuse(TABLE, 1)\nuse([{rows}])\nTABLE = []\nuse(TABLE)\n".encode())
    assert all(v.size(fact.value) <= v.MAX_SIZE for fact in facts.functions["<module>"].calls)
