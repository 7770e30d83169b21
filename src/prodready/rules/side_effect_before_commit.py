"""A mail, task, web hook or message is sent before the transaction that it tells of is committed.

Why it matters
--------------
Until the commit nobody else sees what was written, and it may still be taken back. A worker that starts at once looks for a
row that is not there yet; a customer gets a mail about an order that a failing commit has undone. What was sent cannot be
called back.

Bad
---
    from django.core.mail import send_mail
    from django.db import transaction

    with transaction.atomic():
        order = Order.objects.create(user=request.user)
        send_mail("Thank you", "Your order is placed", None, [request.user.email])

Good
----
    from django.core.mail import send_mail
    from django.db import transaction

    with transaction.atomic():
        order = Order.objects.create(user=request.user)
        transaction.on_commit(lambda: send_mail("Thank you", "Your order is placed", None, [request.user.email]))

Not reported
------------
What is put off until the commit, or happens after the block; transactions that write nothing; requests that only read;
log lines; a row in a table of messages to be sent (outbox).

References
----------
- CWE-362: Concurrent Execution using Shared Resource with Improper Synchronization
- Django documentation: Performing actions after commit
- Celery documentation: Database transactions
"""

from __future__ import annotations

from collections.abc import Iterator

from prodready.finding import Confidence, Finding, Severity, Step
from prodready.link.linked import Linked
from prodready.link.sinks import place
from prodready.rules.base import Rule


def check(linked: Linked) -> Iterator[Finding]:
    """Report what is sent inside of transactions that write."""
    for frame in linked.transactions.functions:
        for one in linked.regions.sent(frame):
            yield Finding(
                code=rule.code,
                slug=rule.slug,
                message=f"`{one.name}()` sends before what is written in line {one.written.line} is committed",
                severity=Severity.WARNING,
                confidence=Confidence.LOW if one.answered or one.next_round else Confidence.MEDIUM,
                location=place(frame.path, one.span),
                trace=(Step(one.written, "written here, not yet committed"), *one.steps),
                hint="send it after the commit: after the block, or by a hook that runs on commit",
                context=frame.function.qualname,
                statement=(one.span.first, one.span.last),
            )


rule = Rule(
    code="PRD311",
    slug="side-effect-before-commit",
    severity=Severity.WARNING,
    stage="mvp",
    needles=("send", "delay", "async", "enqueue", "post", "put", "patch", "delete", "publish", "produce"),
    skip=frozenset({"tests", "migrations", "generated"}),
    check=check,
)
