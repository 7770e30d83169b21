"""A report with everything in it, on files that exist."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from prodready.finding import (
    Confidence,
    Edit,
    Finding,
    Fix,
    Location,
    Problem,
    Report,
    Severity,
    Step,
    Suppressed,
)
from prodready.report import View, writer

ORDERS = """\
from flask import request

def orders(cursor):
\tname = request.args["name"]
    sql = f"SELECT * FROM orders WHERE name = '{name}'"
    return cursor.execute(sql)
"""

FINDING = Finding(
    code="PRD301",
    slug="string-built-sql",
    message="`name` (query parameter) is put into the SQL that `cursor.execute` runs",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    location=Location("shop/orders.py", 6, 12, 6, 31),
    trace=(
        Step(Location("shop/orders.py", 4, 9, 4, 29), "`name` comes from the request"),
        Step(Location("shop/orders.py", 6, 12, 6, 31), "run here"),
    ),
    related=(Step(Location("shop/urls.py", 1, 1), "the route"),),
    fixes=(
        Fix(
            "bind `name` as a parameter",
            (
                Edit(Location("shop/orders.py", 5, 11, 5, 56), '"SELECT * FROM orders WHERE name = %s"'),
                Edit(Location("shop/orders.py", 6, 30, 6, 30), ", (name,)"),
            ),
        ),
    ),
    hint="use a bound parameter",
    context="shop.orders.orders",
    snippet="return cursor.execute(sql)",
    statement=(6, 6),
)
WARNING = Finding(
    "PRD401", "secret-in-log", "`token` is logged", Severity.WARNING, Confidence.MEDIUM, Location("shop/urls.py", 1, 2)
)


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "orders.py").write_text(ORDERS)
    (tmp_path / "shop" / "urls.py").write_text("urls = []\n")
    monkeypatch.chdir(tmp_path)
    return Report(
        root=str(tmp_path),
        findings=(FINDING, WARNING),
        suppressed=(Suppressed(WARNING, "prodready", "rotated daily"), Suppressed(WARNING, "noqa", "")),
        files=1200,
        lines=14203,
        seconds=0.84,
        timings={"read": 0.5},
        notes=("a note",),
        warnings=("the cache is read-only",),
    )


@pytest.fixture
def broken(report: Report) -> Report:
    return Report(
        root=report.root,
        problems=(Problem("not UTF-8: byte 3", "shop/100% \u00e9.py", 7), Problem("the rule PRD401 failed")),
        files=3,
        lines=1,
    )


@pytest.fixture
def render() -> Callable[..., str]:
    def run(name: str, *reports: Report, **options: object) -> str:
        stream = io.StringIO()
        writer(name)(reports, stream, View(**options))  # type: ignore[arg-type]
        return stream.getvalue()

    return run
