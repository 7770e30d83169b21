"""What the mutators for passwords, parameters and logs change, and what they leave alone."""

from __future__ import annotations

from textwrap import dedent

import pytest
from mutant_cases import candidates, mutants, mutated, reasons

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
        ("(name.id, tuple(others.ids))", "the values are numbers or constants"),
        ("(State.OPEN.value, number)", "the values are numbers or constants"),
        ("(kind, count - number)", "the values are numbers or constants"),
        ("(AsIs(name), name)", "a value is no parameter"),
        ("(name,)", "the placeholders do not fit the values"),
        ("(name, *others)", "the values do not stand at the call"),
        ("others", "the values do not stand at the call"),
    ],
)
def test_parameters_that_are_left(values: str, reason: str) -> None:
    code = f"""
        def f(c, name, others, kind, number: int):
            if kind not in KINDS:
                raise ValueError(kind)
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


def test_a_parameter_is_no_logger_of_the_module() -> None:
    code = "import logging\nlog = logging.getLogger()\n\ndef f(log, token):\n    g(token)\n"
    assert '    logging.getLogger(__name__).info("called with %s", token)\n' in mutated("secret-log", code)


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
        ("def parse(token):\n    g(token)", "another kind of token"),
        ("def f(token):\n    g(token == '(')", "another kind of token"),
        ("def check_csrf(token):\n    g(token)", "another kind of token"),
        ("def f(self):\n    key = self.user.api_key\n    g(key.id)", "an object, not text"),
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


def test_a_nested_function_speaks_for_itself() -> None:
    (mutant,) = mutants("secret-log", "def outer():\n    def inner(password):\n        g(password)\n    return inner\n")
    assert mutant.function == "outer.inner"


@pytest.mark.parametrize("body", ["...", "pass", "'Later.'", "raise NotImplementedError()"])
def test_functions_without_a_body(body: str) -> None:
    assert not candidates("secret-log", f"def f(password):\n    {body}\n")
