"""Routes that an OpenAPI file declares: handlers, guards, where the file is looked for, and what is said of a broken one."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodready import project
from prodready.cli import main
from prodready.config import Config
from prodready.finding import RouteTable
from prodready.read.openapi import SpecificationError, specification

APP = """
import connexion
app = connexion.FlaskApp(__name__, specification_dir="api")
app.add_api("shop.yaml")
"""
VIEWS = """
def look(token):
    return decode(token)

def listing(): ...
def add(): ...
def remove(order_id): ...
"""
SHOP = """
openapi: 3.0.3
servers: [{url: https://shop.example/v1}]
security: [{bearer: []}]
components:
  securitySchemes:
    bearer: {type: http, scheme: bearer, x-bearerInfoFunc: shop.views.look}
    office: {type: oauth2, x-tokenInfoFunc: shop.views.look}
    key: {type: apiKey, in: header, name: X-Key, x-apikeyInfoFunc: shop.views.look}
    lost: {type: http, scheme: basic, x-basicInfoFunc: elsewhere.check}
paths:
  /orders:
    x-openapi-router-controller: shop.views
    get: {operationId: listing, security: []}
    post: {operationId: add}
  /orders/{order_id}:
    delete:
      operationId: shop.views.remove
      security: [{bearer: [], office: [orders.remove]}]
    put: {operationId: shop.views.add, security: [{key: []}, {office: [orders.change]}]}
    patch: {operationId: shop.views.add, security: [{bearer: []}, {}]}
    head: {operationId: shop.views.add, security: [{lost: []}]}
"""


def table(tmp_path: Path, files: dict[str, str]) -> RouteTable:
    (tmp_path / "setup.cfg").touch()
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return project.Session(Config(root=tmp_path)).routes([tmp_path], project.Options(jobs=1, cache=False))


def shown(found: RouteTable) -> list[str]:
    return [
        " ".join([",".join(r.methods), r.path, r.handler.message, *(f"{g.kind}@{g.where}" for g in r.guards)])
        for r in found.routes
    ]


def test_handlers_and_guards(tmp_path: Path) -> None:
    found = table(tmp_path, {"shop/app.py": APP, "shop/views.py": VIEWS, "shop/api/shop.yaml": SHOP})
    assert shown(found) == [
        "GET /v1/orders listing",
        "POST /v1/orders add login@specification",
        "DELETE /v1/orders/{order_id} remove login@specification permission@specification",
        "HEAD /v1/orders/{order_id} add unknown@specification",
        "PATCH /v1/orders/{order_id} add",
        "PUT /v1/orders/{order_id} add token@specification",
    ]
    assert {route.declared.path for route in found.routes} == {"shop/api/shop.yaml"}
    assert found.routes[1].guards[0].location.path == "shop/views.py"
    assert found.problems == ()


@pytest.mark.parametrize(
    ("app", "place"),
    [
        ('connexion.App(__name__).add_api("shop.yaml")', "shop/shop.yaml"),
        (
            'connexion.AsyncApp(__name__, specification_dir="api").add_api("shop.yaml", base_path="/v2")',
            "api/shop.yaml",
        ),
        ('connexion.App(__name__).add_api(Path(__file__).parent / "docs" / "shop.yaml")', "shop/docs/shop.yaml"),
        ('connexion.App(__name__).add_api(os.path.join(HERE, "docs/shop.yaml"))', "shop/docs/shop.yaml"),
    ],
)
def test_where_the_file_is_looked_for(tmp_path: Path, app: str, place: str) -> None:
    text = f"import os\nfrom pathlib import Path\nimport connexion\nHERE = os.path.dirname(__file__)\napp = {app}\n"
    found = table(tmp_path, {"shop/app.py": text, "shop/views.py": VIEWS, place: SHOP})
    base = "/v2" if "base_path" in app else "/v1"
    assert {route.path for route in found.routes} == {f"{base}/orders", f"{base}/orders/{{order_id}}"}


def test_swagger_resolvers_and_references(tmp_path: Path) -> None:
    swagger = """{
        "swagger": "2.0", "basePath": "/api",
        "paths": {"/": {"get": {}}, "/shelf-marks": {"get": {}, "post": {}},
                  "/shelf-marks/{pk}": {"$ref": "more.json#/marks"}}}"""
    more = '{"marks": {"delete": {}, "get": {"operationId": "one"}}}'
    app = """
import connexion
from connexion.resolver import RestyResolver
connexion.App(__name__).add_api("api.json", resolver=RestyResolver("shelves"))
"""
    views = "def get(): ...\ndef one(pk): ...\n"
    marks = "def search(): ...\ndef post(): ...\ndef delete(pk): ...\n"
    files = {"app.py": app, "shelves/__init__.py": views, "shelves/shelf_marks.py": marks}
    found = table(tmp_path, {**files, "api.json": swagger, "more.json": more})
    assert shown(found) == [
        "GET /api get",
        "GET /api/shelf-marks search",
        "POST /api/shelf-marks post",
        "DELETE /api/shelf-marks/{pk} delete",
        "GET /api/shelf-marks/{pk} one",
    ]


def test_a_handler_that_is_not_there_is_said(tmp_path: Path) -> None:
    text = "openapi: 3.0.0\npaths:\n  /a:\n    get:\n      operationId: nowhere.at_all\n"
    found = table(tmp_path, {"shop/app.py": APP, "shop/api/shop.yaml": text})
    assert found.routes[0].unknown == ("the handler could not be found",)
    assert (found.routes[0].declared.line, found.routes[0].path) == (4, "/a")


def test_a_file_that_is_not_there_is_unresolved(tmp_path: Path) -> None:
    found = table(tmp_path, {"shop/app.py": APP})
    assert [place.line for place in found.unresolved] == [4]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("openapi: 3.0.0\npaths:\n  /a: [\n", "shop/api/shop.yaml:4: cannot be read as YAML or JSON: "),
        ("title: a list\n", "shop/api/shop.yaml:1: is no OpenAPI file: "),
        ("openapi: 3.0.0\npaths:\n  /a:\n    $ref: '#/gone'\n", "shop/api/shop.yaml:4: `$ref: #/gone` leads nowhere"),
        ("[" * 5000, "shop/api/shop.yaml:1: is nested more than 200 deep"),
    ],
)
def test_a_broken_file_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    table(tmp_path, {"shop/app.py": APP + '@app.route("/start")\ndef start(): ...\n', "shop/api/shop.yaml": text})
    monkeypatch.chdir(tmp_path)
    assert main(["routes"]) == 2
    printed = capsys.readouterr()
    assert "/start" in printed.out
    assert [line.startswith(f"prodready: {says}") for line in printed.err.splitlines()] == [True]
    for _ in range(2):  # with the cache, too
        assert main(["check", "--select", "PRD2"]) == 2
        assert says in "".join(capsys.readouterr())


def test_mappings_that_merge_each_other() -> None:
    text = b"openapi: 3.0.0\npaths: &a\n  /x: {}\n  y: &b\n    <<: *a\n  <<: *b\n"
    with pytest.raises(SpecificationError, match="circle"):
        specification("api.yaml", {"api.yaml": text}.get)


def test_a_change_of_the_file_is_seen_in_spite_of_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    operations = "".join(
        f"  /{name}:\n    post: {{operationId: shop.views.{name}}}\n" for name in ("add", "listing", "remove")
    )
    schemes = (
        "components: {securitySchemes: {bearer: {type: http, scheme: bearer, x-bearerInfoFunc: shop.views.look}}}\n"
    )
    closed = f"openapi: 3.0.3\n{schemes}security: [{{bearer: []}}]\npaths:\n{operations}"
    views = VIEWS.replace("...", "database.session.commit()")
    table(tmp_path, {"shop/app.py": APP, "shop/views.py": views, "shop/api/shop.yaml": closed})
    monkeypatch.chdir(tmp_path)
    assert main(["check", "--select", "PRD202"]) == 0
    opened = closed.replace("views.remove}", "views.remove, security: []}")
    (tmp_path / "shop/api/shop.yaml").write_text(opened)
    assert main(["check", "--select", "PRD202"]) == 1
    assert "`remove()` lets anyone do POST /remove" in capsys.readouterr().out
    (tmp_path / "shop/api/shop.yaml").write_text(closed)
    assert main(["check", "--select", "PRD202"]) == 0


def test_a_link_out_of_the_repository_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text(SHOP)
    inner = tmp_path / "inner"
    (inner / ".git").mkdir(parents=True)
    (inner / "shop.yaml").symlink_to(tmp_path / "outside.yaml")
    found = table(inner, {"app.py": 'import connexion\nconnexion.App(__name__).add_api("shop.yaml")\n'})
    assert found.routes == ()
