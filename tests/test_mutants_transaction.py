"""Which transactions the mutator takes away, and which it leaves because nothing would be lost."""

from __future__ import annotations

from textwrap import dedent

import pytest
from mutant_cases import Application, Mutant, Skipped, candidates, mutants, mutated, mutation, reasons

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


def test_a_commit_in_a_loop_is_counted_apart() -> None:
    code = "def pay(db):\n    for a in b:\n        db.add(a)\n    db.commit()\n"
    (mutant,) = mutants("transaction", code)
    assert mutant.text == code.replace("db.add(a)\n", "db.add(a)\n        db.commit()\n")
    assert mutant.subkind == "split-commit in a loop"


def test_the_commit_goes_where_another_one_follows() -> None:
    code = "def pay(db):\n    if a:\n        db.add(a)\n        return\n    db.add(b)\n    db.add(c)\n    db.commit()\n"
    assert mutated("transaction", code) == code.replace("db.add(b)\n", "db.add(b)\n    db.commit()\n")


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
    held = "@atomic\ndef a():\n    pay_order(1)\n\ndef b():\n    with transaction.atomic():\n        pay_order(2)\n"
    free = "def c():\n    pay_order(3)\n"
    assert reasons("transaction", code, views=held) == ["callers hold a transaction"]
    assert mutants("transaction", code, views=held + free)
    assert mutants("transaction", code)


def test_a_function_that_calls_itself() -> None:
    code = (
        f"def pay_order(order):\n    with atomic():{TWO_WRITES.replace(chr(10), chr(10) + '    ')}\n    pay_order(0)\n"
    )
    held = "@atomic\ndef a():\n    pay_order(1)\n"
    assert reasons("transaction", code, views=held) == ["callers hold a transaction"]


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
    (found,) = mutation.candidates(Application(files), ["transaction"])["transaction"]
    assert isinstance(found, Mutant)


def test_a_transaction_used_by_name_is_skipped() -> None:
    code = "def pay(a, b):\n    with db.atomic() as t:\n        a.save()\n        b.save()\n        t.rollback()\n"
    assert reasons("transaction", code) == ["the transaction is used by name"]


CHAIN = "a chain of get_or_create: low confidence by RULES.md, point 7"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("a = A.objects.get_or_create(b=1)\n        C.objects.update_or_create(a=a)", CHAIN),
        ("a = A.objects.get_or_create(b=1)\n        a.save()", CHAIN),
        ("a = A.objects.get_or_create(b=1)\n        a.tags.add(b)\n        a.tags.add(c)", CHAIN),
        ("for b in c:\n            a = A.objects.get_or_create(b=b)\n            a.tags.set(c)", CHAIN),
        ("a = A.objects.get_or_create(b=1)\n        C.objects.create(a=a)\n        a.save()", ""),
        ("a = A.objects.create(b=1)\n        a.tags.add(b)", ""),
    ],
)
def test_a_chain_of_get_or_create_is_skipped(body: str, reason: str) -> None:
    code = f"def pay():\n    with transaction.atomic():\n        {body}\n"
    decorated = f"@transaction.atomic\ndef pay():\n        {body}\n"
    for one in (code, decorated):
        found = candidates("transaction", one)
        assert [found_one.reason if isinstance(found_one, Skipped) else "" for found_one in found] == [reason]


@pytest.mark.parametrize(
    ("name", "file", "skipped"),
    [
        ("purge_orders", "app", True),
        ("_cleanup", "app", True),
        ("pay", "expired_orders", True),
        ("pay", "app", False),
        ("cleaner", "app", False),
    ],
)
def test_clean_up_is_skipped_by_name(name: str, file: str, skipped: bool) -> None:
    code = f"@transaction.atomic\ndef {name}(order):{TWO_WRITES}".encode()
    (found,) = mutation.candidates(Application({f"{file}.py": code}), ["transaction"])["transaction"]
    reason = "clean-up of what has expired: low confidence by RULES.md, point 7"
    assert (found.reason if isinstance(found, Skipped) else "") == (reason if skipped else "")


def test_views_of_the_admin_hold_a_transaction() -> None:
    code = f"@transaction.atomic\ndef pay_order(order):{TWO_WRITES}"
    admin = "class OrderAdmin(ModelAdmin):\n    def {}(self, request, obj, form, change):\n        pay_order(obj)\n"
    assert reasons("transaction", code, admin=admin.format("save_model")) == ["callers hold a transaction"]
    assert mutants("transaction", code, admin=admin.format("save_all"))
    assert mutants("transaction", code, admin="def save_model(obj):\n    pay_order(obj)\n")
    free = "def view(request):\n    pay_order(1)\n"
    assert mutants("transaction", code, admin=admin.format("save_model"), views=free)


@pytest.mark.parametrize(
    ("body", "skipped"),
    [
        # The first commit, after the payment, has written the change of the order, too.
        ("order.paid = True\n    db.add(Payment(order))\n    db.add(order)", True),
        # It has not: changed again, made later, or one row in each round.
        ("order.paid = True\n    db.add(Payment(order))\n    order.done = True\n    db.add(order)", False),
        ("db.add(Payment(order))\n    order.paid = True\n    db.add(order)", False),
        ("order.paid = True\n    db.add(Payment(order))\n    db.add(other)", False),
        ("order.paid = True\n    for item in order:\n        db.add(item)\n    db.add(order)", False),
    ],
)
def test_a_commit_after_which_nothing_is_left(body: str, skipped: bool) -> None:
    found = candidates("transaction", f"def pay(db, order):\n    {body}\n    db.commit()\n")
    expected = ["nothing is left for the second commit"] if skipped else [""]
    assert [one.reason if isinstance(one, Skipped) else "" for one in found] == expected
