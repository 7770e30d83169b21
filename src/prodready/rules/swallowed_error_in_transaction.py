"""An error of the database is caught inside of a transaction, which goes on.

Why it matters
--------------
After an error the transaction is broken: the next statement fails too, in a place that has nothing to do with the cause, or
the rest is committed without what failed. A transaction promises all or nothing; caught inside of it, an error makes it
some of it, and nobody is told.

Bad
---
    from django.db import IntegrityError, transaction

    with transaction.atomic():
        for row in rows:
            try:
                Product.objects.create(sku=row["sku"])
            except IntegrityError:
                continue

Good
----
    from django.db import IntegrityError, transaction

    with transaction.atomic():
        for row in rows:
            try:
                with transaction.atomic():
                    Product.objects.create(sku=row["sku"])
            except IntegrityError:
                continue

Not reported
------------
A savepoint of its own inside the `try`; a handler that raises, rolls back or leaves; handlers for what is no error of the
database (`DoesNotExist`, `KeyError`); a `try` without work on the database; a `try` around the whole transaction.

References
----------
- CWE-390: Detection of Error Condition Without Action
- CWE-460: Improper Cleanup on Thrown Exception
- Django documentation: Database transactions, "Avoid catching exceptions inside atomic!"
- SQLAlchemy documentation: Using SAVEPOINT
"""

from __future__ import annotations

from collections.abc import Iterator

from prodready.finding import Confidence, Finding, Location, Severity, Step
from prodready.link.linked import Linked
from prodready.rules.base import Rule


def check(linked: Linked) -> Iterator[Finding]:
    """Report the handlers after which a transaction goes on although a statement in it failed."""
    for frame in linked.transactions.functions:
        for one in linked.regions.swallowed(frame):
            span = one.span
            yield Finding(
                code=rule.code,
                slug=rule.slug,
                message=f"an error of `{one.label}` (line {one.work.line}) is caught in the transaction, which goes on",
                severity=Severity.WARNING,
                confidence=Confidence.HIGH,
                location=Location(frame.path, span.line, span.column, span.end_line, span.end_column),
                trace=(
                    Step(one.work, f"`{one.label}` may fail"),
                    Step(Location(frame.path, span.line, span.column), "the error is caught, the transaction goes on"),
                ),
                hint="give what may fail a savepoint of its own inside the `try`, or let the error end the transaction",
                context=frame.function.qualname,
                statement=(span.first, span.last),
            )


rule = Rule(
    code="PRD310",
    slug="swallowed-error-in-transaction",
    severity=Severity.WARNING,
    stage="mvp",
    needles=("except",),
    skip=frozenset({"tests", "migrations", "generated"}),
    check=check,
)
