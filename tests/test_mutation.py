"""Mutants of a small application, and which of them are found: what `tests/benchmarks/mutation.py` measures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mutant_cases import Mutant, mutation

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
    (root / "tests" / "test_login.py").write_text("def test(password):\n    print(password)\n")
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
    bench = mutation.Bench(files, tree.parent / "copy", "parameters")
    assert [bench.result(one) for one in (same, again, twice)] == ["missed", "missed", "found"]
    assert (tree.parent / "copy" / "store.py").read_text() == STORE


def test_the_application_is_not_touched(tree: Path) -> None:
    mutation.measure(tree, ["parameters"])
    assert (tree / "store.py").read_text() == STORE
    assert sorted(path.name for path in tree.iterdir()) == ["setup.cfg", "store.py", "tests", "views.py"]


def test_a_mutant_that_is_no_python_is_an_error(tree: Path) -> None:
    files, _ = mutation.read(tree)
    bench = mutation.Bench(files, tree.parent / "copy", "parameters")
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
    assert "| parameters | app | 2 | 2 | 1 | 50% | 0 | 0 | 1 |" in printed
    assert "missed, parameters: app/store.py:13 forget (f-string)" in printed
    (entry,) = json.loads(target.read_text())
    assert [one["result"] for one in entry["tried"]] == ["found", "missed"]


def test_the_command_shows_a_mutation(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mutation.main([str(tree), "--kind", "parameters", "--diff", "store.py:7"])
    printed = capsys.readouterr().out
    assert """+    cursor.execute(f"SELECT id FROM products WHERE name = '{name}'")""" in printed
    assert "DELETE" not in printed


MODELS = """\
from django.db import models


class Order(models.Model):
    paid = models.BooleanField(default=False)


class Payment(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE)
"""
PAYING = """\
from django.db import transaction
from models import Order, Payment


@transaction.atomic
def {name}(order):
    order.paid = True
    order.save()
    Payment.objects.create(order=order)
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "setup.cfg").touch()
    (root / "models.py").write_text(MODELS)
    (root / "paying.py").write_text(PAYING.format(name="pay_order"))
    return root


def outcome_of(shop: Path) -> tuple[dict[str, str], dict[str, str]]:
    """What came of the mutants that lose a transaction, and why others were skipped, by function."""
    (outcome,) = mutation.measure(shop, ["transaction"])
    results = {mutant.function: result for mutant, result in outcome.tried}
    return results, {skip.function: skip.reason for skip in outcome.skipped}


def test_a_lost_transaction_is_found(shop: Path) -> None:
    assert outcome_of(shop) == ({"pay_order": "found"}, {})


def test_what_fills_a_database_is_skipped(shop: Path) -> None:
    for name in ("seed_orders", "create_demo"):
        (shop / "paying.py").write_text(PAYING.format(name=name))
        assert outcome_of(shop) == ({}, {name: "fills a database to play with"})


def test_what_is_reported_already_is_skipped(shop: Path) -> None:
    code = PAYING.format(name="pay_order") + "    Payment.objects.create(order=order)\n"
    again = "    with transaction.atomic():\n        order.save()\n        Payment.objects.create(order=order)\n"
    (shop / "paying.py").write_text(code.replace("@transaction.atomic\n", "") + again)
    assert outcome_of(shop) == ({}, {"pay_order": "reported already"})


def test_what_is_told_with_its_caller_is_skipped(shop: Path) -> None:
    caller = "\n\ndef close(order):\n    Order.objects.create(paid=False)\n    Order.objects.create(paid=True)\n"
    (shop / "paying.py").write_text(PAYING.format(name="pay_order") + caller + "    pay_order(order)\n")
    assert outcome_of(shop) == ({}, {"pay_order": mutation.WITH_CALLER})
    (shop / "paying.py").write_text(PAYING.format(name="pay_order") + caller)
    assert outcome_of(shop) == ({"pay_order": "found"}, {})
