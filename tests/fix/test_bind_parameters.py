"""Before and after, for every style; and the calls that are better left alone."""

from __future__ import annotations

import ast
import sqlite3
import subprocess
import sys

import pytest

from prodready.finding import Edit
from prodready.fix.bind_parameters import STYLES, bind_parameters


def applied(text: str, edits: tuple[Edit, ...]) -> str:
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    for edit in sorted(edits, key=lambda edit: edit.location, reverse=True):
        place = edit.location
        start, end = starts[place.line - 1] + place.column - 1, starts[place.end_line - 1] + place.end_column - 1
        text = text[:start] + edit.replacement + text[end:]
    return text


def fixed(text: str, style: str, call: str = "") -> str | None:
    """The text with its call fixed; the call is the one that starts with `call`, or at a usual name."""
    lines = text.splitlines()
    starts = [call] if call else ["cur.", "conn.", "session.", "db.", "Person.", "text("]
    line, column = next(
        (number, line.index(start)) for start in starts for number, line in enumerate(lines, 1) if start in line
    )
    edits = bind_parameters(text, line, column + 1, style, "a.py")
    if edits is None:
        return None
    assert all(edit.location.path == "a.py" for edit in edits)
    result = applied(text, edits)
    ast.parse(result)
    return result


WHERE = 'cur.execute(f"SELECT * FROM users WHERE id = {uid}")'


@pytest.mark.parametrize(
    ("style", "after"),
    [
        ("qmark", 'cur.execute("SELECT * FROM users WHERE id = ?", (uid,))'),
        ("format", 'cur.execute("SELECT * FROM users WHERE id = %s", (uid,))'),
        ("pyformat", 'cur.execute("SELECT * FROM users WHERE id = %s", (uid,))'),
        ("django", 'cur.execute("SELECT * FROM users WHERE id = %s", [uid])'),
        ("named", 'cur.execute("SELECT * FROM users WHERE id = :uid_", {"uid_": uid})'),
        ("dollar", 'cur.execute("SELECT * FROM users WHERE id = $1", uid)'),
        ("sqlalchemy", None),
        ("numeric", None),
    ],
)
def test_styles(style: str, after: str | None) -> None:
    assert fixed(WHERE, style) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # quotes around a hole go away
        ("""cur.execute(f"SELECT 1 FROM t WHERE a = '{a}'")""", """cur.execute("SELECT 1 FROM t WHERE a = ?", (a,))"""),
        (
            """cur.execute(f'SELECT 1 FROM t WHERE a = \\'{a}\\' AND b > {b}')""",
            """cur.execute('SELECT 1 FROM t WHERE a = ? AND b > ?', (a, b))""",
        ),
        # text between the quotes goes with the value
        (
            """cur.execute(f"SELECT 1 FROM t WHERE a LIKE '%{q}%'")""",
            """cur.execute("SELECT 1 FROM t WHERE a LIKE ?", (f"%{q}%",))""",
        ),
        (
            """cur.execute(f'''SELECT 1 FROM t WHERE a LIKE '{request.args["q"]}%' ''')""",
            """cur.execute('''SELECT 1 FROM t WHERE a LIKE ? ''', (f'{request.args["q"]}%',))""",
        ),
        (
            """cur.execute("SELECT 1 FROM t WHERE a = 'it''s {{%s}}-%s'" % (a, b["c"]))""",
            """cur.execute("SELECT 1 FROM t WHERE a = ?", (f'it\\'s {{{{{a}}}}}-{b["c"]}',))""",
        ),
        (
            """cur.execute("SELECT 1 FROM t WHERE a LIKE '%%%s%%'" % f('"', "'"))""",
            """cur.execute("SELECT 1 FROM t WHERE a LIKE ?", ("%{}%".format(f('"', "'")),))""",
        ),
        # percent and format
        (
            """cur.execute("SELECT 1 FROM t WHERE a = %s AND b = '%s'" % (a, b))""",
            """cur.execute("SELECT 1 FROM t WHERE a = ? AND b = ?", (a, b))""",
        ),
        ("""cur.execute("SELECT 1 FROM t WHERE a = %d" % a)""", """cur.execute("SELECT 1 FROM t WHERE a = ?", (a,))"""),
        (
            """cur.execute("SELECT 1 FROM t WHERE a = %(a)s AND b = %(b)s" % {"b": x.y, "a": z[0]})""",
            """cur.execute("SELECT 1 FROM t WHERE a = ? AND b = ?", (z[0], x.y))""",
        ),
        (
            """cur.execute("SELECT '{{}}' FROM t WHERE a = {} AND b = {b} AND c = {}".format(a, c, b=x))""",
            """cur.execute("SELECT '{}' FROM t WHERE a = ? AND b = ? AND c = ?", (a, x, c))""",
        ),
        (
            """cur.execute("SELECT 1 FROM t WHERE a = {0} AND b = {0!s}".format(a))""",
            """cur.execute("SELECT 1 FROM t WHERE a = ? AND b = ?", (a, str(a)))""",
        ),
        # positions of values
        (
            """cur.execute(f"INSERT INTO t (a, b) VALUES ({a}, '{b.c}'), ({d}, lower('{e}'))")""",
            """cur.execute("INSERT INTO t (a, b) VALUES (?, ?), (?, lower(?))", (a, b.c, d, e))""",
        ),
        (
            """cur.execute(f"INSERT INTO t VALUES ({a}, {b})")""",
            """cur.execute("INSERT INTO t VALUES (?, ?)", (a, b))""",
        ),
        (
            """cur.execute(f"UPDATE t SET a = a + {n}, b='{b}' WHERE c BETWEEN {lo} AND {hi}")""",
            """cur.execute("UPDATE t SET a = a + ?, b=? WHERE c BETWEEN ? AND ?", (n, b, lo, hi))""",
        ),
        (
            """cur.execute(f"SELECT 1 FROM t LIMIT {n} OFFSET {(page - 1)}")""",
            """cur.execute("SELECT 1 FROM t LIMIT ? OFFSET ?", (n, page - 1))""",
        ),
        (
            """cur.execute(f"SELECT 1 FROM t LIMIT {start}, {int(n)};")""",
            """cur.execute("SELECT 1 FROM t LIMIT ?, ?;", (start, int(n)))""",
        ),
        (
            """cur.execute(f"SELECT 1 FROM t WHERE a = {a}::int AND b = f({c}) ")""",
            None,  # the arguments of a function may be a list
        ),
        (
            """cur.execute(f"SELECT 1 FROM t WHERE a = {a}::int")""",
            """cur.execute("SELECT 1 FROM t WHERE a = ?::int", (a,))""",
        ),
        # what the holes hold
        (
            """cur.execute(f"SELECT 1 FROM t WHERE a = {f(x, y=[1])} AND b = '{c:%Y-%m-%d}'")""",
            """cur.execute("SELECT 1 FROM t WHERE a = ? AND b = ?", (f(x, y=[1]), f"{c:%Y-%m-%d}"))""",
        ),
        (
            """cur.execute(f"SELECT 1 FROM t WHERE a = '{a!s}'")""",
            """cur.execute("SELECT 1 FROM t WHERE a = ?", (str(a),))""",
        ),
        (
            """cur.execute(f"SELECT 1 FROM t WHERE a = '{a if b else c}'")""",
            """cur.execute("SELECT 1 FROM t WHERE a = ?", (a if b else c,))""",
        ),
        # formatting is kept
        (
            """cur.execute(\n    f"SELECT 1 "  # one\n    'FROM t '\n    F'WHERE a = {a}',\n    n=3,  # 2\n)""",
            """cur.execute(\n    "SELECT 1 "  # one\n    'FROM t '\n    'WHERE a = ?',\n    (a,),\n    n=3,  # 2\n)""",
        ),
        (
            '''cur.execute(f"""\n    SELECT {{}}, "\\n\\N{DASH}"\n    FROM t -- all\n    WHERE a = {a}\n""")''',
            None,
        ),
        (
            '''cur.execute(f"""\n    SELECT 'x\\t\\u00e9', "y"\n    FROM t -- all\n    WHERE a = {a}\n""")''',
            '''cur.execute("""\n    SELECT 'x\\t\\u00e9', "y"\n    FROM t -- all\n    WHERE a = ?\n""", (a,))''',
        ),
        (
            """cur.execute((rf"SELECT 1 FROM t WHERE a = {a}"))""",
            """cur.execute((r"SELECT 1 FROM t WHERE a = ?"), (a,))""",
        ),
        (
            """x = '\u00e9\U0001f600'; return_ = cur.execute(f"SELECT 1 FROM t WHERE \u00e9 = {a}").fetchone()""",
            """x = '\u00e9\U0001f600'; return_ = cur.execute("SELECT 1 FROM t WHERE \u00e9 = ?", (a,)).fetchone()""",
        ),
        (
            """cur.execute(\r\n    "SELECT 1 FROM t WHERE a = %s"\r\n    % a\r\n)\r\n""",
            """cur.execute(\r\n    "SELECT 1 FROM t WHERE a = ?",\r\n    (a,)\r\n)\r\n""",
        ),
        (
            """cur.execute(("SELECT 1 FROM t "\n    "WHERE a = %s") % (a,))""",
            """cur.execute(("SELECT 1 FROM t "\n    "WHERE a = ?"), (a,))""",
        ),
        (
            """db.cursor().execute(f"DELETE FROM t WHERE a={a}")""",
            """db.cursor().execute("DELETE FROM t WHERE a=?", (a,))""",
        ),
    ],
)
def test_qmark(before: str, after: str | None) -> None:
    assert fixed(before, "qmark") == after


@pytest.mark.parametrize(
    ("style", "before", "after"),
    [
        (
            "pyformat",
            """cur.execute(f"SELECT 1 FROM t WHERE a LIKE '50%' AND b = {b} AND c % 2 = 0")""",
            """cur.execute("SELECT 1 FROM t WHERE a LIKE '50%%' AND b = %s AND c %% 2 = 0", (b,))""",
        ),
        (
            "format",
            """cur.execute("SELECT 1 FROM t WHERE a LIKE '50%%' AND b LIKE '%s%%'" % b)""",
            """cur.execute("SELECT 1 FROM t WHERE a LIKE '50%%' AND b LIKE %s", (f"{b}%",))""",
        ),
        (
            "django",
            """Person.objects.raw(f"SELECT * FROM people WHERE name = '{name}'")""",
            """Person.objects.raw("SELECT * FROM people WHERE name = %s", [name])""",
        ),
        (
            "named",
            """cur.execute(f"SELECT 1 FROM t WHERE a = {a} OR b = '{request.args['a']}' OR c > {a} OR d > {x[0]}")""",
            """cur.execute("SELECT 1 FROM t WHERE a = :a OR b = :a_2 OR c > :a OR d > :x","""
            """ {"a": a, "a_2": request.args['a'], "x": x[0]})""",
        ),
        (
            "named",
            """cur.execute(f"SELECT 1 FROM t WHERE a = {self.Name} AND b = {request.form.get('e-mail', '')}")""",
            """cur.execute("SELECT 1 FROM t WHERE a = :name AND b = :e_mail","""
            """ {"name": self.Name, "e_mail": request.form.get('e-mail', '')})""",
        ),
        (
            "dollar",
            """await conn.fetch(f"SELECT 1 FROM t WHERE a = {a} AND b = '{b}'", timeout=3)""",
            """await conn.fetch("SELECT 1 FROM t WHERE a = $1 AND b = $2", a, b, timeout=3)""",
        ),
        (
            "sqlalchemy",
            """session.execute(text(f"SELECT 1 FROM t WHERE a = '{form.a.data}'")).scalar()""",
            """session.execute(text("SELECT 1 FROM t WHERE a = :data"), {"data": form.a.data}).scalar()""",
        ),
        (
            "sqlalchemy",
            """session.execute(\n    sa.text(f"SELECT 1 FROM t WHERE a = {a} AND b = 'x%'"),\n)""",
            """session.execute(\n    sa.text("SELECT 1 FROM t WHERE a = :a AND b = 'x%'"),\n    {"a": a},\n)""",
        ),
        (
            "sqlalchemy",
            """found = q.filter(text(f"age > {age}")).all()""",
            """found = q.filter(text("age > :age").bindparams(age=age)).all()""",
        ),
        (
            "sqlalchemy",
            """rows = s.exec(text("SELECT 1 FROM t WHERE a = {}".format(a)))""",
            """rows = s.exec(text("SELECT 1 FROM t WHERE a = :a").bindparams(a=a))""",
        ),
        (
            "sqlalchemy",
            """rows = s.execute(text("SELECT 1 FROM t WHERE a = {}".format(a)))""",
            """rows = s.execute(text("SELECT 1 FROM t WHERE a = :a"), {"a": a})""",
        ),
        (
            "sqlalchemy",
            """query = sa.text(f"SELECT 1 FROM t WHERE a = {a}")\nsession.execute(query)""",
            """query = sa.text("SELECT 1 FROM t WHERE a = :a")\nsession.execute(query, {"a": a})""",
        ),
        (
            "sqlalchemy",
            """rows = session.exec(sql_text(f"SELECT 1 FROM t WHERE a = {x['class']}"))""",
            """rows = session.exec(sql_text("SELECT 1 FROM t WHERE a = :class_").bindparams(class_=x['class']))""",
        ),
        (
            "sqlalchemy",
            """q = text(f"SELECT 1 FROM t WHERE a = {a}")\nfound = session.query(U).from_statement(q)""",
            """q = text("SELECT 1 FROM t WHERE a = :a").bindparams(a=a)\nfound = session.query(U).from_statement(q)""",
        ),
        ("sqlalchemy", """session.execute(text(f"SELECT 1 FROM t WHERE a = {a}"), {"b": b})""", None),
        ("sqlalchemy", """session.execute(text(f"SELECT 1 FROM t WHERE a = {a}"), params={"b": b})""", None),
        ("sqlalchemy", """session.execute(text(f"SELECT 1 FROM t WHERE a = {a} AND b = :b"))""", None),
        ("sqlalchemy", """session.execute(text(f"SELECT 1 FROM t WHERE a = {a}::int"))""", None),
        ("sqlalchemy", """q.order_by(text(f"{column} DESC"))""", None),
        ("sqlalchemy", """conn.execute(f"SELECT 1 FROM t WHERE a = {a}")""", None),
        ("pyformat", """cur.execute(f"SELECT 1 FROM t WHERE a = %s AND b = {b}")""", None),
        ("named", """cur.execute(f"SELECT 1 FROM t WHERE a = :a AND b = {b}")""", None),
        ("dollar", """conn.fetch(f"SELECT 1 FROM t WHERE a = $1 AND b = {b}")""", None),
        ("dollar", """conn.fetch(f"SELECT 1 FROM t WHERE b = {b}", a)""", None),
    ],
)
def test_other_styles(style: str, before: str, after: str | None) -> None:
    assert fixed(before, style) == after


LOCAL = """\
def find(conn, uid):
    query = (
        "SELECT * FROM users "
        "WHERE id = %s" % uid
    )
    cur = conn.cursor()
    cur.execute(query)
    return cur.fetchall()
"""


def test_a_local_of_one_use_just_above() -> None:
    expected = LOCAL.replace('"WHERE id = %s" % uid', '"WHERE id = ?"').replace("(query)", "(query, (uid,))")
    assert fixed(LOCAL, "qmark", "cur.execute") == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    return", "    print(query)\n    return"),
        ("    cur = conn.cursor()", "    uid = 0\n    cur = conn.cursor()"),
        ("    cur = conn.cursor()", "    uid.clear()\n    cur = conn.cursor()"),
        ("    cur = conn.cursor()", "    if cur:\n        pass"),
        ("    cur = conn.cursor()", "    uid.x = 0"),
        ("    cur = conn.cursor()", "    query += ' LIMIT 1'"),
        ("    cur.execute(query)", "    if uid:\n        cur.execute(query)"),
        ("    cur.execute(query)", "    while cur.execute(query): pass"),
        ("    cur.execute(query)", "    f = lambda: cur.execute(query)"),
        ("    cur = conn.cursor()", "    def inner():\n        return query"),
    ],
)
def test_other_locals_are_left_alone(old: str, new: str) -> None:
    changed = LOCAL.replace(old, new)
    assert changed != LOCAL
    ast.parse(changed)
    assert fixed(changed, "qmark", "cur.execute") is None


@pytest.mark.parametrize(
    "call",
    [
        'cur.execute("SELECT 1")',
        'cur.execute(f"SELECT 1")',
        "cur.execute(sql)",
        "cur.execute()",
        "cur.execute(*args)",
        'cur.execute(sql=f"SELECT 1 FROM t WHERE a = {a}")',
        'cur.execute(f"SELECT 1 FROM t WHERE a = {a}", (b,))',
        'cur.execute(f"SELECT 1 FROM t WHERE a = {a}", *b)',
        'cur.execute(f"SELECT 1 FROM t WHERE a = {a}", parameters=b)',
        'cur.SQL(f"SELECT 1 FROM t WHERE a = {a}")',
        'cur.executescript(f"DELETE FROM t WHERE a = {a}")',
        'cur.execute(f"DELETE FROM t WHERE a = {a}; DROP TABLE t")',
        'cur.execute("SELECT 1 FROM t WHERE a = " + a)',
        'cur.execute(b"SELECT 1 FROM t WHERE a = %s" % a)',
        'cur.execute(f"SELECT {a} FROM t")',
        'cur.execute(f"SELECT 1 FROM {t} WHERE a = {a}")',
        'cur.execute(f"SELECT 1 FROM t WHERE {c} = {a}")',
        'cur.execute(f"SELECT 1 FROM t WHERE a = {t}.id")',
        'cur.execute(f"SELECT 1 FROM t WHERE a = {f}(b)")',
        'cur.execute(f"SELECT 1 FROM t WHERE a = x{a}")',
        'cur.execute(f"SELECT 1 FROM t WHERE a = {a}{b}")',
        'cur.execute(f"SELECT 1 FROM t WHERE a = 1 AND {a}")',
        'cur.execute(f"SELECT 1 FROM t WHERE a = 1 {a}")',
        'cur.execute(f"SELECT 1 FROM t WHERE a IN ({a})")',
        """cur.execute(f"SELECT 1 FROM t WHERE a IN ('{a}')")""",
        """cur.execute(f"SELECT 1 FROM t WHERE a IN ('x', '{a}')")""",
        """cur.execute(f"SELECT 1 FROM t WHERE a = ANY('{{{a}}}')")""",
        'cur.execute(f"SELECT 1 FROM t WHERE a = b({a})")',
        'cur.execute(f"SELECT 1 FROM t ORDER BY {a}")',
        'cur.execute(f"SELECT 1 FROM t ORDER BY a LIMIT{a}")',
        """cur.execute(f"SELECT 1 FROM t WHERE a = '{a}")""",
        """cur.execute(f"SELECT 1 FROM t WHERE a = '\\\\{a}'")""",
        """cur.execute(f'SELECT 1 FROM t WHERE a = "{a}"')""",
        """cur.execute(f"SELECT 1 FROM t WHERE a = E'{a}'")""",
        """cur.execute(f"SELECT 1 FROM t WHERE a < now() - INTERVAL '{a} days'")""",
        """cur.execute(f"SELECT 1 AS '{a}'")""",
        'cur.execute(f"SELECT 1 FROM t WHERE a = 1 -- {a}")',
        'cur.execute(f"SELECT 1 FROM t WHERE a = 1 /* {a} */")',
        'cur.execute(f"SELECT 1 FROM t WHERE a = $${a}$$")',
        'cur.execute(f"SELECT 1 FROM t WHERE a ? b AND c = {a}")',
        'cur.execute(f"INSERT INTO t ({a}) VALUES ({b})")',
        'cur.execute(f"INSERT INTO t VALUES ({a})")',
        'cur.execute(f"INSERT INTO t (a, b) VALUES ({a})")',
        """cur.execute(f"INSERT INTO t ('{a}') VALUES (1)")""",
        'cur.execute(f"INSERT INTO t VALUES {a}")',
        'cur.execute(f"PRAGMA user_version = {a}")',
        'cur.execute(f"SET x = {a}")',
        """cur.execute(f"ALTER USER x PASSWORD = '{a}'")""",
        'cur.execute(f"{a}")',
        'cur.execute(f"{a} = {b}")',
        'cur.execute(f"SELECT 1 FROM t WHERE a = {a=}")',
        'cur.execute(f"SELECT 1 FROM t WHERE a = {a!r}")',
        'cur.execute(f"SELECT 1 FROM t WHERE a = {a:.2f}")',
        "cur.execute(f\"SELECT 1 FROM t WHERE a = '{a:{b}}'\")",
        'cur.execute(f"SELECT 1 FROM t WHERE a = {(b := a)}")',
        'cur.execute(f"SELECT 1 FROM t WHERE a = {(1, 2)}")',
        'cur.execute(f"SELECT 1 FROM t WHERE a = {[1]}")',
        "cur.execute(f\"SELECT 1 FROM t WHERE a = {','.join(a)}\")",
        "cur.execute(f\"SELECT 1 FROM t WHERE a = '{quote(a)}'\")",
        "cur.execute(f\"SELECT 1 FROM t WHERE a = '{conn.escape_string(a)}'\")",
        'cur.execute(f"SELECT 1 FROM t WHERE a = {where_clause}")',
        'cur.execute(f"SELECT 1 FROM t WHERE a = {a or 0}")',
        'cur.execute(f"SELECT 1 FROM t WHERE a = {a + b}")',
        'cur.execute("SELECT 1 FROM t WHERE a = %s AND b = %s" % args)',
        'cur.execute("SELECT 1 FROM t WHERE a = %s" % args)',
        'cur.execute("SELECT 1 FROM t WHERE a = %s" % (a, b))',
        'cur.execute("SELECT 1 FROM t WHERE a = %s" % (*a,))',
        'cur.execute("SELECT 1 FROM t WHERE a = %r" % a)',
        'cur.execute("SELECT 1 FROM t WHERE a = %5s" % a)',
        'cur.execute("SELECT 1 FROM t WHERE a = %(a)s" % a)',
        'cur.execute("SELECT 1 FROM t WHERE a = %(a)s" % {"b": a})',
        'cur.execute("SELECT 1 FROM t WHERE a = %(a)s" % {**a})',
        'cur.execute("SELECT 1 FROM t WHERE a = {}".format(*a))',
        'cur.execute("SELECT 1 FROM t WHERE a = {}".format(a, b))',
        'cur.execute("SELECT 1 FROM t WHERE a = {}".format())',
        'cur.execute("SELECT 1 FROM t WHERE a = {a.b}".format(a=a))',
        'cur.execute("SELECT 1 FROM t WHERE a = {".format(a=a))',
        'cur.execute(f"SELECT 1 FROM t WHERE a = {a} AND b = %s" % b)',
        'cur.execute(f"SELECT 1 FROM t WHERE a = {a} AND b = \ue000")',
        "cur.execute(f\"SELECT 1 FROM t WHERE a = {a} AND b = '\\ue000'\")",
    ],
)
def test_left_alone(call: str) -> None:
    ast.parse(call)
    assert fixed(call, "qmark") is None


INJECTION = "x' OR '1'='1"


@pytest.mark.parametrize("style", ["qmark", "named"])
@pytest.mark.parametrize(
    "call",
    [
        """cur.execute(f"SELECT name FROM people WHERE name = '{name}' ORDER BY name")""",
        """cur.execute("SELECT name FROM people WHERE name LIKE '%%%s' AND id > %d" % (name, 0))""",
        """cur.execute("SELECT name FROM people WHERE name = '{}' LIMIT {n}".format(name, n=9))""",
    ],
)
def test_same_rows_and_no_injection(call: str, style: str) -> None:
    after = fixed(call, style)
    assert after is not None
    cur = sqlite3.connect(":memory:").cursor()
    cur.execute("CREATE TABLE people (id INTEGER, name TEXT)")
    cur.executemany("INSERT INTO people VALUES (?, ?)", [(1, "ann"), (2, "bob"), (3, "o'hara"), (4, "50% {x}")])
    for name in ("ann", "50% {x}", "nobody"):
        before = eval(call, {"cur": cur, "name": name}).fetchall()
        assert eval(after, {"cur": cur, "name": name}).fetchall() == before
    assert eval(after, {"cur": cur, "name": "o'hara"}).fetchall() == [("o'hara",)]
    assert eval(call, {"cur": cur, "name": INJECTION}).fetchall() != []
    assert eval(after, {"cur": cur, "name": INJECTION}).fetchall() == []


def test_nothing_to_rewrite_there() -> None:
    for style in STYLES:
        assert bind_parameters(WHERE, 2, 1, style) is None
        assert bind_parameters(WHERE, 1, 2, style) is None
        assert bind_parameters("def f(:", 1, 1, style) is None
        assert bind_parameters("", 1, 1, style) is None


def test_a_function_of_the_projects_own_may_take_no_parameters() -> None:
    assert bind_parameters(WHERE.replace("cur.execute", "run"), 1, 1, "qmark") is None


def test_ranges_are_those_of_the_argument() -> None:
    edits = bind_parameters("\ufeff" + WHERE, 1, 1, "qmark")
    assert edits is not None
    assert [(edit.location.column, edit.location.end_column) for edit in edits] == [(14, len(WHERE) + 1)]


def test_libcst_is_imported_only_when_needed() -> None:
    code = "import sys, prodready.fix.bind_parameters; sys.exit('libcst' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
