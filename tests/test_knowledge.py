"""The knowledge files: that all of them load and refer only to what is described, and that a broken one says where."""

import builtins
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from prodready import knowledge_form as module
from prodready import knowledge_kept
from prodready.knowledge import Knowledge, KnowledgeError, load, pack, rules_folder, unpack
from prodready.knowledge_form import Effect, KnowledgeFile, TypeEntry, WebClient

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = sorted((rules_folder() / "knowledge").glob("*.toml"))
MANUAL = (ROOT / "docs/knowledge.md").read_text("utf-8")
EXAMPLES = [block for block in re.findall(r"^```toml\n(.*?)^```", MANUAL, re.M | re.S) if "library =" in block]
STYLES = {"", "qmark", "format", "pyformat", "named", "dollar", "sqlalchemy"}


def parse(path: Path) -> KnowledgeFile:
    return msgspec.toml.decode(path.read_bytes(), type=KnowledgeFile)


def as_effect(value: Effect | str) -> Effect:
    return Effect(returns=value) if isinstance(value, str) else value


def effects(file: KnowledgeFile) -> Iterator[tuple[str, Effect]]:
    for table in (file.functions, file.objects):
        yield from ((name, as_effect(value)) for name, value in table.items())
    for name, entry in file.types.items():
        for members in (entry.methods, entry.attributes):
            yield from ((f"{name}.{member}", as_effect(value)) for member, value in members.items())
        for slot in ("item", "call", "enter", "each"):
            yield f"{name}[{slot}]", as_effect(getattr(entry, slot))


def write(folder: Path, text: str, name: str = "ours.toml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def error_of(path: Path) -> str:
    with pytest.raises(KnowledgeError) as caught:
        load([path])
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---- what ships


@pytest.fixture(scope="module")
def shipped() -> Knowledge:
    return load()


def test_what_is_kept_is_all_there_is(shipped: Knowledge) -> None:
    again = unpack(pack(shipped))
    assert again is not None
    said = {name for name in vars(shipped) if not name.startswith("_")}
    assert {name: getattr(again, name) for name in said} == {name: getattr(shipped, name) for name in said}


def test_it_is_kept_beside_the_byte_code(shipped: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.pycache_prefix", str(tmp_path))
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    knowledge_kept.keep("one", pack(shipped))
    assert knowledge_kept.kept("one") is None
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    knowledge_kept.keep("one", pack(shipped))
    assert knowledge_kept.kept("one") is not None
    knowledge_kept.keep("two", pack(shipped))
    assert knowledge_kept.kept("one") is None
    (file,) = tmp_path.rglob("*.msgpack*")
    file.write_bytes(b"cut short")
    assert knowledge_kept.kept("two") is None


def test_there_is_a_file_for_every_library_we_claim() -> None:
    claimed = """
        sqlite3 psycopg2 psycopg mysqlclient pymysql mysql_connector asyncpg aiosqlite aiopg aiomysql databases
        sqlalchemy sqlmodel flask_sqlalchemy django rest_framework peewee tortoise pandas duckdb bigquery pyodbc
        oracledb pymssql flask werkzeug fastapi starlette aiohttp tornado bottle falcon sanic litestar
        logging structlog loguru sentry
    """
    assert set(claimed.split()) <= {path.stem for path in SHIPPED}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_references_are_described(path: Path, shipped: Knowledge) -> None:
    file = parse(path)
    wanted = [(name, effect.returns) for name, effect in effects(file) if effect.returns]
    wanted += [(name, base) for name, entry in file.types.items() for base in entry.bases]
    wanted += list(file.parameters.items())
    known = shipped.types.keys() | vars(builtins).keys()
    assert [(name, kind) for name, kind in wanted if shipped.canonical(kind) not in known] == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_entries_hold_to_the_form(path: Path, shipped: Knowledge) -> None:
    file = parse(path)
    for name, effect in effects(file):
        for where in effect.at:
            assert where in {"*", "**"} or str(where).isidentifier() or (isinstance(where, int) and where >= 0), name
        for where in effect.passes:
            assert where in {"*", "**"} or str(where).isidentifier() or (isinstance(where, int) and where >= 0), name
        asked = effect.sink not in {"", "none"} or effect.does in {"write-sql", "manages", "request-transaction"}
        assert not effect.at or asked, f"{name}: `at` for nothing"
    for name, entry in file.types.items():
        assert entry.style in STYLES, name
        assert all(word == word.lower().strip("_") for word in entry.names), name
        assert not set(entry.aliases) & set(shipped.types), f"{name}: an alias that is described as a type of its own"
        assert name not in entry.bases, name


def test_every_kind_of_sink_and_label_that_exists_is_used() -> None:
    used = [effect for path in SHIPPED for _, effect in effects(parse(path))]
    assert {effect.sink for effect in used} >= module.SINKS
    labels = {label for effect in used for label in effect.labels}
    assert labels >= {"request", "body", "number", "boolean", "constant", "quoted", "hashed", "redacted", "secret"}


@pytest.mark.parametrize(
    ("kind", "method", "sink"),
    [
        ("sqlite3.Cursor", "executemany", "sql"),
        ("psycopg.AsyncCursor", "stream", "sql"),
        ("asyncpg.Pool", "fetchrow", "sql"),
        ("aiopg.Cursor", "executemany", "sql"),
        ("databases.core.Connection", "iterate", "sql"),
        ("sqlalchemy.ext.asyncio.AsyncSession", "execute", "sql"),
        ("sqlalchemy.orm.session.Session", "scalars", "sql"),
        ("sqlmodel.Session", "exec", "sql"),
        ("sqlalchemy.orm.Query", "order_by", "sql-fragment"),
        ("django.db.models.Manager", "raw", "sql"),
        ("django.db.models.query.QuerySet", "extra", "sql-fragment"),
        ("tortoise.BaseDBAsyncClient", "execute_script", "sql"),
        ("duckdb.DuckDBPyConnection", "sql", "sql"),
        ("google.cloud.bigquery.Client", "query_and_wait", "sql"),
        ("*", "executescript", "sql"),
        ("logging.LoggerAdapter", "exception", "log"),
        ("structlog.stdlib.BoundLogger", "bind", "log-context"),
        ("loguru.Logger", "success", "log"),
        ("sentry_sdk.Scope", "set_extra", "log"),
        ("redis.client.Pipeline", "execute", "none"),
        ("gql.Client", "execute", "none"),
    ],
)
def test_methods_that_are_sinks(shipped: Knowledge, kind: str, method: str, sink: str) -> None:
    effect = shipped.method(kind, method)
    assert effect is not None
    assert effect.sink == sink


@pytest.mark.parametrize(
    ("name", "sink", "at"),
    [
        ("sqlalchemy.text", "sql", 0),
        ("sqlalchemy.sql.expression.literal_column", "sql-fragment", 0),
        ("alembic.op.execute", "sql", "sqltext"),
        ("psycopg2.extras.execute_values", "sql", 1),
        ("django.db.models.expressions.RawSQL", "sql", "sql"),
        ("pandas.read_sql_query", "sql", 0),
        ("logging.warning", "log", "*"),
        ("print", "log", "*"),
        ("sentry_sdk.set_tag", "log", 1),
    ],
)
def test_functions_that_are_sinks(shipped: Knowledge, name: str, sink: str, at: int | str) -> None:
    effect = shipped.function(name)
    assert effect is not None
    assert effect.sink == sink
    assert at in effect.at


@pytest.mark.parametrize(
    ("kind", "style"),
    [
        ("sqlite3.Cursor", "qmark"),
        ("aiopg.connection.Cursor", "format"),
        ("django.db.backends.utils.CursorDebugWrapper", "format"),
        ("psycopg.AsyncRawCursor", "dollar"),
        ("asyncpg.pool.PoolConnectionProxy", "dollar"),
        ("sqlalchemy.orm.scoped_session", "sqlalchemy"),
        ("cx_Oracle.Cursor", "named"),
        ("dbapi.Cursor", ""),
    ],
)
def test_paramstyles(shipped: Knowledge, kind: str, style: str) -> None:
    assert shipped.style(kind) == style


@pytest.mark.parametrize(
    ("kind", "attribute", "returns"),
    [
        ("flask.Request", "headers", "http.Headers"),
        ("rest_framework.request.Request", "POST", "http.Body"),
        ("rest_framework.viewsets.ModelViewSet", "request", "rest_framework.request.Request"),
        ("django.views.generic.edit.FormView", "request", "django.http.HttpRequest"),
        ("fastapi.Request", "path_params", "http.Values"),
        ("tornado.websocket.WebSocketHandler", "request", "tornado.httputil.HTTPServerRequest"),
        ("http.AnyRequest", "match_info", "http.Values"),
        ("http.AnyRequest", "matchdict", "http.Values"),
        ("flask_sqlalchemy.SQLAlchemy", "session", "sqlalchemy.orm.scoped_session"),
    ],
)
def test_attributes(shipped: Knowledge, kind: str, attribute: str, returns: str) -> None:
    effect = shipped.attribute(kind, attribute)
    assert effect is not None
    assert effect.returns == returns


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("http.Headers", {"request", "headers"}),
        ("http.Cookies", {"request", "cookies"}),
        ("http.Body", {"request", "body"}),
        ("http.Values", {"request"}),
        ("psycopg.sql.Composable", {"quoted"}),
        ("pydantic.SecretBytes", {"redacted"}),
    ],
)
def test_labels_of_types(shipped: Knowledge, kind: str, labels: set[str]) -> None:
    assert shipped.label(kind) == labels


def test_a_field_of_a_whole_object_is_no_whole_object(shipped: Knowledge) -> None:
    for kind in ("http.Headers", "http.Cookies", "http.Body"):
        field, got = shipped.slot(kind, "item"), shipped.method(kind, "get")
        assert field is not None
        assert got is not None
        assert field.labels == got.labels == {"request"}


def test_sessions_come_out_of_factories(shipped: Knowledge) -> None:
    called = shipped.slot("sqlalchemy.orm.sessionmaker", "call")
    begun = shipped.method("sqlalchemy.ext.asyncio.async_sessionmaker", "begin")
    assert called == Effect(returns="sqlalchemy.orm.Session")
    assert begun == Effect(returns="sqlalchemy.ext.asyncio.AsyncSession", does="transaction")


def test_connections_are_items_of_django_connections(shipped: Knowledge) -> None:
    handler = shipped.object("django.db.connections")
    assert handler is not None
    connection = shipped.slot(handler.returns, "item")
    assert connection is not None
    cursor = shipped.method(connection.returns, "cursor")
    assert cursor is not None
    assert cursor.returns == "django.db.backends.utils.CursorWrapper"


@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete", "websocket"])
def test_route_decorators(shipped: Knowledge, verb: str) -> None:
    for kind in ("fastapi.FastAPI", "fastapi.routing.APIRouter"):
        effect = shipped.method(kind, verb)
        assert effect is not None
        assert effect.decorates == "handler"


# ---- look-ups and merging


def test_look_ups_follow_bases_nearest_first(tmp_path: Path) -> None:
    found = load([write(tmp_path, """
library = "t"
[types."t.Base"]
style = "qmark"
label = "request"
methods.run = { sink = "sql", at = [0] }
methods.close = { label = "boolean" }
[types."t.Middle"]
bases = ["t.Base"]
methods.run = { sink = "none" }
[types."t.Leaf"]
bases = ["t.Middle", "t.Other"]
aliases = ["t.leaf.Leaf"]
label = "quoted"
[types."t.Other"]
methods.run = { sink = "log", at = [0] }
methods.only_here = "t.Leaf"
item = "t.Base"
""")])  # fmt: skip
    assert found.lineage("t.leaf.Leaf") == ["t.Leaf", "t.Middle", "t.Other", "t.Base"]
    assert found.method("t.Leaf", "run") == Effect(sink="none")
    assert found.method("t.leaf.Leaf", "close") == Effect(label="boolean")
    assert found.method("t.Leaf", "only_here") == Effect(returns="t.Leaf")
    assert found.method("t.Leaf", "absent") is None
    assert found.slot("t.Leaf", "item") == Effect(returns="t.Base")
    assert found.style("t.Leaf") == "qmark"
    assert found.label("t.Leaf") == {"request", "quoted"}
    assert found.function("t.leaf.Leaf") == Effect(returns="t.Leaf", label="quoted")
    assert found.function("t.nothing") is None


def test_bases_that_go_round_end(tmp_path: Path) -> None:
    found = load([write(tmp_path, 'library = "t"\n[types."t.A"]\nbases = ["t.B"]\n[types."t.B"]\nbases = ["t.A"]\n')])
    assert found.lineage("t.A") == ["t.A", "t.B"]
    assert found.method("t.A", "x") is None


def test_a_second_file_adds_to_a_type(tmp_path: Path) -> None:
    added = load([write(tmp_path, """
library = "t"
[types."dbapi.Cursor"]
names = ["kursor"]
methods.run_it = { sink = "sql", at = [0] }
[words]
secret = ["geheim"]
""")])  # fmt: skip
    assert added.method("sqlite3.Cursor", "run_it") == Effect(sink="sql", at=(0,))
    assert added.method("sqlite3.Cursor", "execute") is not None
    assert added.names["kursor"] == "dbapi.Cursor"
    assert "geheim" in added.words["secret"]
    assert load().method("sqlite3.Cursor", "run_it") is None


# ---- errors


@pytest.mark.parametrize(
    ("text", "line", "needles"),
    [
        ('library = "t"\n[functions]\n"t.f" = { }\n"t.g" = { snk = "sql" }\n', 4, ["snk"]),
        ('library = "t"\n[functions]\n"t.f" = { }\n[types."t.C"]\nmethodz.x = { }\n', 5, ["methodz"]),
        ('library = "t"\n\n[function]\n"t.f" = { }\n', 3, ["function"]),
        ('library = "t"\n[functions]\n"t.f" = { label = "tainted" }\n', 3, ["t.f", "tainted", "request"]),
        ('library = "t"\n[types."t.C"]\n\nlabel = "tainted"\n', 2, ["t.C", "tainted", "request"]),
        ('library = "t"\n[types."t.C"]\n\nstyle = "dolar"\n', 2, ["t.C", "dolar", "dollar"]),
        ('library = "t"\n[functions]\n"t.f" = { sink = "sqll", at = [0] }\n', 3, ["t.f", "sqll", "did you mean 'sql'?"]),
        ('library = "t"\n[functions]\n"t.e" = { }\n"t.f" = { sink = "sql" }\n', 4, ["t.f", "`at`"]),
        ('library = "t"\n[functions]\n"t.f" = { decorates = "hander" }\n', 3, ["t.f", "hander", "handler"]),
        ('library = "t"\n[words]\nsecrets = ["x"]\n', 3, ["secrets", "did you mean 'secret'?"]),
        ('library = "t"\n[functions]\n"t.f" = { sink = 3 }\n', 3, ["'t.f': `sink` must be text"]),
        ('library = "t"\n[types."t.C"]\n\nmethods.x = { }\nmethods.run = 3\n', 5, ["'t.C.run': must be text or a table"]),
        ('library = "t"\n[types."t.C"]\nbases = "t.B"\n', 3, ["'t.C': `bases` must be a list"]),
        ('library = "t"\n[types."t.C"]\nbase = ["t.B"]\n', 3, ["unknown key 'base'; did you mean 'bases'?"]),
        ('library = "t"\n[functions]\n"t.f" = { snk = "sql" }\n', 3, ["unknown key 'snk'; did you mean 'sink'?"]),
        ('library = "t"\n[function]\n"t.f" = "str"\n', 2, ["unknown key 'function'; did you mean 'functions'?"]),
        ('library = "t"\n[clients.c]\nmodule = ["m"]\n', 3, ["unknown key 'module'; did you mean 'modules'?"]),
        ('library = "t"\n[clients.c]\nmodules = ["m"]\nmethods = { get = "FETCH" }\n', 2, ["HTTP method 'FETCH'", "GET"]),
        ('library = "t"\n[clients.c]\ncall = true\n', 2, ["'c' can never be met"]),
        ('library = "t"\n[front]\nhide-key = ["x"]\n', 3, ["unknown list 'hide-key'; did you mean 'hide-keys'?"]),
        ('library = "t"\n[functions]\nrun = { }\n', 3, ["'run' is not a qualified name: write `module.run`"]),
        ('library = "t"\n[functions]\n"t.f" = { sink = "sql", at = [-1] }\n', 3, ["-1 is no position"]),
        ('library = "t"\n[words]\nsecret = ["PassWord"]\n', 3, ["lower case: 'password'"]),
        ('library = "t"\n[functions]\n"t.f" = "sqlite3.Cursr"\n', 3, ["'t.f' speaks", "did you mean 'sqlite3.Cursor'?"]),
        ('library = "t"\n[types."t.C"]\nbases = ["far.Away"]\n', 2, ["'far.Away'; describe it under `[types]`"]),
        ('library = "t"\n[parameters]\ndb = "t.B"\n', 3, ["'db' speaks of a type that no knowledge file describes"]),
        ('[functions]\n"t.f" = { }\n', 1, ["library"]),
        ('library = "t"\n[functions\n', 2, ["TOML"]),
        ('library = "t"\n[functions]\n"t.f" = { }\n"t.f" = { }\n', 4, ["TOML"]),
    ],
)  # fmt: skip
def test_errors_name_file_and_line(tmp_path: Path, text: str, line: int, needles: list[str]) -> None:
    path = write(tmp_path, text)
    message = error_of(path)
    assert message.startswith(f"{path}:{line}: ")
    assert [needle for needle in needles if needle not in message] == []


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ('[functions]\n"t.f" = { }\n', "function 't.f'"),
        ('[objects]\n"t.o" = { }\n', "object 't.o'"),
        ('[types."t.C".methods]\nm = { }\n', "method 't.C.m'"),
        ('[types."t.C".attributes]\na = { }\n', "attribute 't.C.a'"),
        ('[types."t.C"]\naliases = ["t.D"]\n', "type 't.D'"),
        ('[types."t.C"]\nnames = ["thing"]\n', "receiver name 'thing'"),
        ('[parameters]\np = "dbapi.Cursor"\n', "parameter 'p'"),
    ],
)
def test_a_thing_described_in_two_files_names_both(tmp_path: Path, entry: str, kind: str) -> None:
    first = write(tmp_path, 'library = "one"\n' + entry, "one.toml")
    second = write(tmp_path, 'library = "two"\n\n' + entry, "two.toml")
    with pytest.raises(KnowledgeError) as caught:
        load([first, second])
    message = str(caught.value)
    last = entry.count("\n")
    assert message.startswith(f"{second}:{last + 2}: {kind} ")
    assert message.endswith(f"{first}:{last + 1}")


def test_a_missing_file(tmp_path: Path) -> None:
    message = error_of(tmp_path / "absent.toml")
    assert message.startswith(f"{tmp_path / 'absent.toml'}: ")
    assert "No such file" in message


def test_a_folder_or_binary_is_no_knowledge_file(tmp_path: Path) -> None:
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00library")
    assert "not UTF-8" in error_of(binary)
    assert error_of(tmp_path).startswith(f"{tmp_path}: ")


# ---- the manual


def test_the_manual_has_examples() -> None:
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split('"')[1])
def test_examples_of_the_manual_load(tmp_path: Path, example: str) -> None:
    path = write(tmp_path, example)
    found = load([path])
    for name, effect in effects(parse(path)):
        assert not effect.returns or found.canonical(effect.returns) in found.types, name


def test_the_examples_of_the_manual_load_together(tmp_path: Path) -> None:
    found = load([write(tmp_path, text, f"{number}.toml") for number, text in enumerate(EXAMPLES)])
    run = found.method("acme.orm.Database", "run")
    assert run is not None
    assert run.sink == "sql"
    assert found.function("acme.privacy.redact") == Effect(label="redacted")
    assert found.function("acme.web.require_role") == Effect(decorates="guard")
    event = found.method("acme.log.Logger", "info")
    assert event is not None
    assert event.sink == "log"


def test_the_manual_names_every_key_and_value() -> None:
    keys = {
        field.name
        for struct in (Effect, TypeEntry, KnowledgeFile, WebClient)
        for field in msgspec.structs.fields(struct)
    }
    values = module.SINKS | module.LABELS | module.DECORATIONS | module.WORDS | module.FRONT | (STYLES - {""})
    assert {name for name in keys | values if f"`{name}`" not in MANUAL} == set()
