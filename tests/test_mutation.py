"""The mutators of `tests/benchmarks/mutation.py`: what they change, what they leave alone, and that finding is measured."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from textwrap import dedent

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent / "benchmarks"))

import mutation
from mutants_source import Candidate, Mutant, Skipped


def candidates(kind: str, code: str, **others: str) -> list[Candidate]:
    """What becomes of `app.py` with this code; the names of other files have no ending."""
    files = {"app.py": code, **{f"{name}.py": text for name, text in others.items()}}
    app = mutation.Application({path: dedent(text).encode() for path, text in files.items()})
    return [one for one in mutation.candidates(app, [kind])[kind] if one.path == "app.py"]


def mutants(kind: str, code: str, **others: str) -> list[Mutant]:
    found = [one for one in candidates(kind, code, **others) if isinstance(one, Mutant)]
    for mutant in found:
        ast.parse(mutant.text)
    return found


def mutated(kind: str, code: str, **others: str) -> str:
    """The text of the only mutant."""
    (mutant,) = mutants(kind, code, **others)
    return mutant.text


def reasons(kind: str, code: str, **others: str) -> list[str]:
    """Why places were skipped; there is no mutant."""
    found = candidates(kind, code, **others)
    assert not [one for one in found if isinstance(one, Mutant)]
    return [one.reason for one in found if isinstance(one, Skipped)]


# --- transaction ------------------------------------------------------------------------------------------

TWO_WRITES = """
    order.save()
    Payment.objects.create(order=order)
"""


def test_a_with_block_is_unwrapped() -> None:
    before = """
        def pay(order):
            # together
            with transaction.atomic():
                order.save()
                text = '''a
            b'''
                Payment.objects.create(order=order, text=text)
            return order
    """
    after = """
        def pay(order):
            # together
            order.save()
            text = '''a
            b'''
            Payment.objects.create(order=order, text=text)
            return order
    """
    assert mutated("transaction", before) == dedent(after)


def test_only_the_transaction_leaves_a_with_of_several() -> None:
    before = """
        async def pay(pool):
            async with pool.acquire() as conn, conn.transaction():
                await conn.execute("INSERT INTO a VALUES (1)")
                await conn.execute("DELETE FROM b")
    """
    assert "async with pool.acquire() as conn:\n        await" in mutated("transaction", before)


@pytest.mark.parametrize(
    "decorator",
    [
        "transaction.atomic",
        "transaction.atomic()",
        "transaction.atomic(using='x')",
        "method_decorator(transaction.atomic)",
    ],
)
def test_a_decorator_is_removed(decorator: str) -> None:
    (mutant,) = mutants("transaction", f"@other\n@{decorator}\ndef pay(order):{TWO_WRITES}")
    assert mutant.text == f"@other\ndef pay(order):{TWO_WRITES}"
    assert (mutant.line, mutant.function, mutant.subkind) == (2, "pay", "decorator")


def test_the_decorator_of_a_class_is_for_the_method_it_names() -> None:
    code = """
        @method_decorator(transaction.atomic, name="{}")
        class View:
            def post(self, order):
                order.save()
                Payment.objects.create(order=order)
    """
    assert mutants("transaction", code.format("post"))[0].function == "View"
    assert mutants("transaction", code.format("dispatch"))
    assert reasons("transaction", code.format("get")) == ["fewer than two writes"]


def test_begin_becomes_a_commit_after_each_write() -> None:
    before = """
        async def vote(Session, engine):
            async with Session.begin() as s:
                s.add(Vote())
                if again:
                    await s.execute(delete(Vote))
            with engine.begin() as conn:
                conn.execute(text("INSERT INTO a VALUES (1)"))
                rows = conn.execute(text("SELECT 1"))
                conn.execute(text("DELETE FROM a"))
            with self.session.begin():
                self.session.add(a)
                self.session.delete(b)
    """
    first, second, third = (mutant.text for mutant in mutants("transaction", before))
    assert "async with Session() as s:\n        s.add(Vote())\n        await s.commit()\n" in first
    assert "delete(Vote))\n            await s.commit()\n    with" in first
    assert "with engine.connect() as conn:\n" in second
    assert second.count("conn.commit()") == 2
    assert (
        "\n    self.session.add(a)\n    self.session.commit()\n    self.session.delete(b)\n    self.session." in third
    )


def test_a_unit_of_work_gets_a_second_commit() -> None:
    before = """
        def pay(db, order):
            try:
                db.session.add(order)
                db.session.add(Payment(order))
                db.session.commit()
            except Error:
                db.session.rollback()
            return order
    """
    (mutant,) = mutants("transaction", before)
    assert mutant.subkind == "split-commit"
    assert "add(order)\n        db.session.commit()\n        db.session.add(Payment(order))\n" in mutant.text


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("db.add(a)\n    db.commit()", "fewer than two writes"),
        ("db.add(a)\n    if b:\n        db.add(b)\n        return\n    db.commit()", "fewer than two writes"),
        ("for a in b:\n        db.add(a)\n        db.add(b)\n        db.commit()", "the commit is not at the end"),
        ("db.add(a)\n    db.add(b)\n    db.commit()\n    db.add(c)", "the commit is not at the end"),
        ("db.add(a)\n    db.commit()\n    db.add(b)\n    db.commit()", "more than one commit"),
        ("db.add(a)\n    other.add(b)\n    db.commit()", "fewer than two writes"),
    ],
)
def test_what_is_no_unit_of_work(body: str, reason: str) -> None:
    assert reasons("transaction", f"def pay(db):\n    {body}\n") == [reason]


@pytest.mark.parametrize(
    "body",
    [
        "order.save()",
        "cache.delete()\n        order.save()",
        "if a:\n            order.save()\n        else:\n            other.save()",
        "if a:\n            order.save()\n            return\n        other.save()",
        "seen.add(a)\n        options.update(b)\n        order.save()",
        "form.save(commit=False)\n        order.save()",
        "with transaction.atomic(using='x'):\n            order.save()\n            other.save()",
    ],
)
def test_two_writes_must_come_together(body: str) -> None:
    assert "fewer than two writes" in [
        one.reason
        for one in candidates("transaction", f"def pay(order):\n    with db.atomic():\n        {body}\n")
        if isinstance(one, Skipped) and one.line == 2
    ]


@pytest.mark.parametrize(
    "body",
    [
        "for a in b:\n            a.save()",
        "[a.save() for a in b]",
        "if a:\n            a.save()\n        b.delete()",
        "try:\n            a.save()\n        except Error:\n            pass\n        b.delete()",
        "cursor.execute('insert into a values (1)')\n        cursor.execute(SQL)",
        "a.tags.add(b)\n        a.save()",
        "A.objects.filter(b=1).update(c=2)\n        super().save(*args)",
    ],
)
def test_what_counts_as_two_writes(body: str) -> None:
    code = f"SQL = 'UPDATE a SET b = 1'\n\ndef pay(a):\n    with db.atomic():\n        {body}\n"
    assert [mutant.subkind for mutant in mutants("transaction", code)] == ["atomic"]


def test_a_helper_of_the_application_writes() -> None:
    code = "@transaction.atomic\ndef pay(order):\n    order.save()\n    log_payment(order)\n"
    helper = "def log_payment(order):\n    record(order)\n\ndef record(order):\n    Log.objects.create(order=order)\n"
    assert mutants("transaction", code, helpers=helper)[0].subkind == "decorator, with helpers"
    assert reasons("transaction", code) == ["fewer than two writes"]
    assert reasons("transaction", code, helpers=helper.replace("Log.objects.create", "print")) == [
        "fewer than two writes"
    ]


def test_a_transaction_in_another_one_is_skipped() -> None:
    nested = (
        "def pay(order):\n    with transaction.atomic():\n        with transaction.atomic():\n            a.save()\n"
    )
    assert "inside another transaction" in reasons("transaction", nested + "            b.save()\n")
    code = "@transaction.atomic\ndef pay(order):\n    with transaction.atomic():\n        a.save()\n        b.save()\n"
    assert sorted(reasons("transaction", code)) == ["fewer than two writes", "inside another transaction"]
    of_class = f"@method_decorator(atomic, name='dispatch')\nclass V:\n    @atomic\n    def post(s):{TWO_WRITES}"
    of_class = of_class.replace("\n    order", "\n        order").replace("\n    Pay", "\n        Pay")
    assert [one.line for one in mutants("transaction", of_class)] == [1]


def test_callers_that_hold_a_transaction() -> None:
    code = f"@transaction.atomic\ndef pay_order(order):{TWO_WRITES}"
    held = "@transaction.atomic\ndef a():\n    pay_order(1)\n\ndef b():\n    with transaction.atomic():\n        pay_order(2)\n"
    free = "def c():\n    pay_order(3)\n"
    assert reasons("transaction", code, views=held) == ["callers hold a transaction"]
    assert mutants("transaction", code, views=held + free)
    assert mutants("transaction", code)


def test_callers_of_callers_hold_a_transaction() -> None:
    code = f"@transaction.atomic\ndef pay_order(order):{TWO_WRITES}"
    views = "@transaction.atomic\ndef a():\n    pay_all()\n\ndef pay_all():\n    pay_order(1)\n"
    assert reasons("transaction", code, views=views) == ["callers hold a transaction"]


@pytest.mark.parametrize(
    ("setting", "skipped"),
    [
        ("ATOMIC_REQUESTS = True", True),
        ("D = {'ATOMIC_REQUESTS': True}", True),
        ("D = {'ATOMIC_REQUESTS': False}", False),
    ],
)
def test_requests_that_are_atomic(setting: str, skipped: bool) -> None:
    code = f"@transaction.atomic\ndef pay(order):{TWO_WRITES}"
    found = candidates("transaction", code, settings=setting)
    assert [isinstance(one, Skipped) and one.reason == "ATOMIC_REQUESTS" for one in found] == [skipped]


def test_commands_are_no_requests() -> None:
    files = {"settings.py": b"ATOMIC_REQUESTS = True", "management/commands/pay.py": b"@atomic\ndef pay():\n"}
    files["management/commands/pay.py"] += dedent(TWO_WRITES).replace("\n", "\n    ").encode()
    (found,) = mutation.candidates(mutation.Application(files), ["transaction"])["transaction"]
    assert isinstance(found, Mutant)


def test_a_transaction_used_by_name_is_skipped() -> None:
    code = "def pay(a, b):\n    with db.atomic() as t:\n        a.save()\n        b.save()\n        t.rollback()\n"
    assert reasons("transaction", code) == ["the transaction is used by name"]


# --- hashing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("user.password = make_password(password)", "user.password = password"),
        ("user.pw = generate_password_hash(form['password'], 'scrypt')", "user.pw = form['password']"),
        ("user.password = bcrypt.hashpw(password.encode(), bcrypt.gensalt()).decode()", "user.password = password"),
        ("user.password = bcrypt.hashpw(password, salt)", "user.password = password"),
        ("user.password = self.hasher.hash(password)", "user.password = password"),
        ("user.password = pwd_context.hash(password)", "user.password = password"),
        ("db.add(User(password=get_password_hash(password)))", "db.add(User(password=password))"),
        ("user.password = get_password_hash(salt + password)", "user.password = (salt + password)"),
        ("user.password = await hash_password(password)", "user.password = password"),
        ("user.set_password(password)", "user.password = password"),
        ("user.set_password(raw_password=password)", "user.password = password"),
    ],
)
def test_a_hash_becomes_the_password(before: str, after: str) -> None:
    code = "async def register(user, password):\n    {}\n"
    assert mutated("hashing", code.format(before)) == code.format(after)


def test_a_helper_that_hashes() -> None:
    (mutant,) = mutants("hashing", "def hash_password(password):\n    return ph.hash(password)\n")
    assert mutant.text.endswith("return password\n")
    assert mutant.subkind == "in a helper"


def test_the_attribute_that_set_password_sets() -> None:
    model = "class User:\n    def set_password(self, raw):\n        self.pw_hash = ph.hash(raw)\n"
    assert "    user.pw_hash = password" in mutated(
        "hashing", "def f():\n    user.set_password(password)\n", models=model
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("return hash_password(password) == user.password", "compared, not stored"),
        ("return compare_digest(hash_password(password), user.password)", "compared, not stored"),
        ("h = bcrypt.hashpw(password, old)\n    return h == old", "compared, not stored"),
        ("print(generate_password_hash(password))", "shown, not stored"),
        ("user.password = make_password('changeme')", "a constant"),
        ("user.password = make_password(settings.DEFAULT)", "a constant"),
        ("user.set_password(None)", "a constant"),
        ("user.set_password(uuid.uuid4().hex)", "a random value"),
        ("self.key = self.hasher.hash(body)", "not the hash of a password"),
        ("return user.set_password(password)", "the call is no statement"),
    ],
)
def test_hashes_that_are_left(line: str, reason: str) -> None:
    assert reasons("hashing", f"def f(user, password, body):\n    {line}\n") == [reason]


def test_other_hashes_are_no_candidates() -> None:
    assert not candidates("hashing", "def f(password):\n    return xxh.hash(password), hash(password)\n")


# --- parameters -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            """c.execute("SELECT a FROM b WHERE c = %s", (name,))""",
            """c.execute(f"SELECT a FROM b WHERE c = '{name}'")""",
        ),
        (
            """c.execute("SELECT a FROM b WHERE c = ?", [o.name])""",
            """c.execute(f"SELECT a FROM b WHERE c = '{o.name}'")""",
        ),
        (
            """c.execute('DELETE FROM b WHERE c = %(n)s AND d LIKE "x%%"', {"n": name})""",
            r"""c.execute(f"DELETE FROM b WHERE c = '{name}' AND d LIKE \"x%\"")""",
        ),
        (
            """db.execute(text("SELECT a::int FROM b WHERE c = :n"), {"n": name})""",
            """db.execute(text(f"SELECT a::int FROM b WHERE c = '{name}'"))""",
        ),
        (
            """db.execute(text("DELETE FROM b WHERE c = :n"), n=name)""",
            """db.execute(text(f"DELETE FROM b WHERE c = '{name}'"))""",
        ),
        (
            """await c.fetch("SELECT a FROM b WHERE c = $2 LIMIT $1", size, name)""",
            """await c.fetch(f"SELECT a FROM b WHERE c = '{name}' LIMIT {size}")""",
        ),
        (
            """c.execute("SELECT a FROM b " "WHERE c = %s", (o["x"],))""",
            """c.execute(f'SELECT a FROM b WHERE c = \\'{o["x"]}\\'')""",
        ),
        (
            """c.execute("SELECT a FROM b WHERE c = %s", (o["x"] + o['y'],))""",
            """c.execute(f\"\"\"SELECT a FROM b WHERE c = '{(o["x"] + o['y'])}'\"\"\")""",
        ),
        (
            r"""c.execute("SELECT '{}' FROM b WHERE c = %s", ("\n".join(o),))""",
            r'''c.execute("""SELECT '{{}}' FROM b WHERE c = '{}'""".format("\n".join(o)))''',
        ),
        ("""c.execute("SELECT a FROM b WHERE c = %s", (name,), x)""", ""),
        ("""c.executemany("INSERT INTO b VALUES (%s)", [(name,)])""", ""),
        ("""c.execute("SELECT a FROM b")""", ""),
        ("""window.execute("open the door", (name,))""", ""),
    ],
)
def test_parameters_go_into_the_text(before: str, after: str) -> None:
    code = "async def f(c, db, o, name, size):\n    {}\n"
    found = mutants("parameters", code.format(before))
    assert [one.text for one in found] == ([code.format(after)] if after else [])


def test_a_statement_and_values_in_variables() -> None:
    code = """
        def f(c, name):
            sql = "SELECT a FROM b WHERE c = %s"
            values = (name,)
            c.execute(sql, values)
    """
    assert """c.execute(f"SELECT a FROM b WHERE c = '{name}'")\n""" in mutated("parameters", code)
    assert not candidates("parameters", code.replace("    values =", "    sql += order\n            values ="))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ("(1, 'a')", "the values are numbers or constants"),
        ("(int(name), LIMIT)", "the values are numbers or constants"),
        ("(number, count)", "the values are numbers or constants"),
        ("(name,)", "the placeholders do not fit the values"),
        ("(name, *others)", "the values do not stand at the call"),
        ("others", "the values do not stand at the call"),
    ],
)
def test_parameters_that_are_left(values: str, reason: str) -> None:
    code = f"""
        def f(c, name, others, number: int):
            count = len(others)
            c.execute("SELECT a FROM b WHERE c = %s AND d = %s", {values})
    """
    assert reasons("parameters", code) == [reason]


# --- secret-log -------------------------------------------------------------------------------------------


def test_a_parameter_is_logged_first() -> None:
    before = '''
        """A module."""
        from __future__ import annotations
        import os

        @route
        def login(name, password: str | None = None):
            """Log in."""
            # really
            return check(name, password)
    '''
    after = '''
        """A module."""
        from __future__ import annotations
        import logging
        import os

        @route
        def login(name, password: str | None = None):
            """Log in."""
            # really
            logging.getLogger(__name__).info("called with %s", password)
            return check(name, password)
    '''
    (mutant,) = mutants("secret-log", before)
    assert (mutant.text, mutant.subkind, mutant.function) == (dedent(after), "parameter", "login")


@pytest.mark.parametrize(
    ("head", "call"),
    [
        ("import logging", 'logging.getLogger(__name__).info("called with %s", token)'),
        ("log = logging.getLogger(__name__)", 'log.info("called with %s", token)'),
        ("from app import logger\nlogger.info('up')", 'logger.info("called with %s", token)'),
        ("from loguru import logger\nlogger.info('up')", 'logger.info("called with {}", token)'),
        ("log: Logger = structlog.get_logger()", 'log.info("called", token=token)'),
    ],
)
def test_the_logger_that_there_is(head: str, call: str) -> None:
    assert (
        mutated("secret-log", f"{head}\n\ndef f(token):\n    g(token)\n")
        == f"{head}\n\ndef f(token):\n    {call}\n    g(token)\n"
    )


def test_a_local_variable_is_logged_after_it_is_assigned() -> None:
    code = "import logging\ndef f():\n    if a:\n        token = g(\n            1)\n"
    assert mutated("secret-log", code) == code + '        logging.getLogger(__name__).info("called with %s", token)\n'


def test_an_attribute_is_logged_first() -> None:
    code = "log = getLogger()\nclass A:\n    def f(self):\n        return g(self.conf.api_key)\n"
    (mutant,) = mutants("secret-log", code)
    assert 'def f(self):\n        log.info("called with %s", self.conf.api_key)\n        return' in mutant.text
    assert mutant.subkind == "attribute"
    assert reasons("secret-log", code.replace("return", "self.conf.api_key = x\n        return")) == [
        "assigned in the function"
    ]


def test_one_mutant_for_a_function_the_parameter_before_the_local() -> None:
    (mutant,) = mutants("secret-log", "def f(self, password):\n    token = g()\n    h(self.secret, token, password)\n")
    assert mutant.subkind == "parameter"


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("def f(password: bool): g()", ""),
        ("def f(password: SecretStr):\n    g(password)", "not text by its annotation"),
        ("def f(password=False):\n    g(password)", "a switch"),
        ("def f():\n    password = a == b\n    g(password)", "a switch"),
        ("def f():\n    secret = ''\n    g(secret)", "a constant"),
        ("def f():\n    token = Token.objects.get(a=1)\n    g(token)", "an object, not text"),
        ("def f(token):\n    g(token.user)", "an object, not text"),
        ("def f(token):\n    g(token['user'])", "an object, not text"),
        ("def f():\n    password = hash_password(a)\n    g(password)", "made harmless"),
        ("def parse(token):\n    g(token)", "of a parser"),
        ("def f(token):\n    g(token == '(')", "of a parser"),
    ],
)
def test_what_holds_no_secret(function: str, reason: str) -> None:
    assert reasons("secret-log", f"{function}\n") == ([reason] if reason else [])


@pytest.mark.parametrize(
    "name",
    [
        "password_hash",
        "has_password",
        "reset_password",
        "csrf_token",
        "next_token",
        "page_token",
        "max_token",
        "tokens",
    ],
)
def test_names_of_other_things(name: str) -> None:
    assert not candidates("secret-log", f"def f({name}):\n    g({name})\n")


@pytest.mark.parametrize("body", ["...", "pass", "'Later.'", "raise NotImplementedError()"])
def test_functions_without_a_body(body: str) -> None:
    assert not candidates("secret-log", f"def f(password):\n    {body}\n")


# --- the measurement --------------------------------------------------------------------------------------

VIEWS = """\
import logging

from flask import Flask, request
from store import find, forget

app = Flask(__name__)
logger = logging.getLogger(__name__)


@app.route("/find")
def show():
    return str(find(request.args["name"]))


@app.route("/login", methods=["POST"])
def login():
    password = request.form["password"]
    return check(request.form["name"], password)


def check(name, password):
    return str(len(name) + len(password))


def remove():
    return forget(3)
"""
STORE = """\
import sqlite3


def find(name):
    connection = sqlite3.connect("shop.db")
    cursor = connection.cursor()
    cursor.execute("SELECT id FROM products WHERE name = ?", (name,))
    return cursor.fetchall()


def forget(number):
    cursor = sqlite3.connect("shop.db").cursor()
    return cursor.execute("DELETE FROM products WHERE id = ?", (number,))


def old(cursor, name):
    cursor.execute(f"SELECT id FROM products WHERE name = '{name}'")
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "app"
    (root / "tests").mkdir(parents=True)
    (root / "setup.cfg").touch()
    (root / "views.py").write_text(VIEWS)
    (root / "store.py").write_text(STORE)
    (root / "tests" / "test_login.py").write_text("def login(password):\n    print(password)\n")
    return root


def results(tree: Path, kind: str) -> dict[str, str]:
    (outcome,) = mutation.measure(tree, [kind])
    return {mutant.function: result for mutant, result in outcome.tried}


def test_parameters_end_to_end(tree: Path) -> None:
    # Whoever calls `forget` gives it a constant, so that mutant does no harm and cannot be found.
    assert results(tree, "parameters") == {"find": "found", "forget": "missed"}


def test_secrets_end_to_end(tree: Path) -> None:
    assert results(tree, "secret-log") == {"login": "found", "check": "found"}


def test_what_is_found_elsewhere_is_not_found(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutation, "touches", lambda *_: False)
    assert results(tree, "parameters") == {"find": "elsewhere", "forget": "missed"}


def test_what_was_reported_before_is_not_found(tree: Path) -> None:
    (outcome,) = mutation.measure(tree, ["parameters"])
    assert outcome.before == 1
    files, _ = mutation.read(tree)
    same = Mutant("parameters", "none", "store.py", 17, "old", 2, STORE)
    again = Mutant("parameters", "none", "store.py", 17, "old", 2, STORE.replace("def old", "# moved\ndef old"))
    twice = Mutant("parameters", "none", "store.py", 17, "old", 2, STORE + STORE[STORE.index("    cursor.execute(f") :])
    bench = mutation.Bench(files, tree.parent / "copy")
    assert [bench.result(one) for one in (same, again, twice)] == ["missed", "missed", "found"]


def test_the_application_is_not_touched(tree: Path) -> None:
    mutation.measure(tree, ["parameters"])
    assert (tree / "store.py").read_text() == STORE
    assert sorted(path.name for path in tree.iterdir()) == ["setup.cfg", "store.py", "tests", "views.py"]


def test_a_mutant_that_is_no_python_is_an_error(tree: Path) -> None:
    files, _ = mutation.read(tree)
    bench = mutation.Bench(files, tree.parent / "copy")
    with pytest.raises(Exception, match="Syntax Error"):
        bench.result(Mutant("parameters", "none", "store.py", 1, "find", 0, "def find(:\n"))


def test_a_sample_is_the_same_each_time(tree: Path) -> None:
    (outcome,) = mutation.measure(tree, ["secret-log"])
    mutants = [mutant for mutant, _ in outcome.tried] * 10
    assert mutation.sample(mutants, 5, "0") == mutation.sample(mutants, 5, "0")
    assert len(mutation.sample(mutants, 5, "0")) == 5
    assert mutation.sample(mutants, 100, "0") == mutants


def test_the_command(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "all.json"
    mutation.main([str(tree), "--kind", "parameters", "--misses", "--json", str(target)])
    printed = capsys.readouterr().out
    assert "| parameters | app | 2 | 2 | 1 | 50% | 0 | 1 |" in printed
    assert "missed, parameters: app/store.py:13 forget (f-string)" in printed
    (entry,) = json.loads(target.read_text())
    assert [one["result"] for one in entry["tried"]] == ["found", "missed"]


def test_the_command_shows_a_mutation(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mutation.main([str(tree), "--kind", "parameters", "--diff", "store.py:7"])
    printed = capsys.readouterr().out
    assert """+    cursor.execute(f"SELECT id FROM products WHERE name = '{name}'")""" in printed
    assert "DELETE" not in printed
