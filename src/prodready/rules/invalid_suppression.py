"""A comment that means to silence a rule is malformed and silences nothing.

Why it matters
--------------
A misspelt suppression that silenced everything would be dangerous, and one that silently does nothing wastes an
afternoon. So it does nothing, and says so, with the spelling that was probably meant. A reason is asked for because the
next reader has to know whether it still holds (`require-reason = false` in the configuration lets it be left out).

Bad
---
    cursor.execute(sql)  # prodready: ignroe[PRD301] the table is checked
    cursor.execute(sql)  # prodready: ignore the table is checked
    cursor.execute(sql)  # prodready: ignore[PRD301]

Good
----
    cursor.execute(sql)  # prodready: ignore[PRD301] the table is checked against TABLES
    cursor.execute(sql)  # noqa: PRD301

Not reported
------------
A `# noqa` needs no reason, and the codes of other tools in it are not looked at. Text that only looks like a comment,
inside a string. Prose that mentions prodready without a colon.

References
----------
- https://flake8.pycqa.org/en/latest/user/violations.html
"""

from prodready.finding import Severity
from prodready.rules.base import Rule

rule = Rule(
    code="PRD002",
    slug="invalid-suppression",
    severity=Severity.WARNING,
    stage="mvp",
    needles=("prodready", "noqa"),
    skip=frozenset(),
)
