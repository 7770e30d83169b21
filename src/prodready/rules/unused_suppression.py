"""A comment silences a rule that has nothing to say there.

Why it matters
--------------
A suppression is a promise that somebody looked. Once the code it spoke of has changed or gone, the promise covers
whatever is written there next, and nobody will be told. A comment that silences nothing today can only hide a mistake
tomorrow.

Bad
---
    cursor.execute("SELECT 1")  # prodready: ignore[PRD301] the table is checked

Good
----
    cursor.execute("SELECT 1")

Not reported
------------
Comments for rules that did not run on this file (not selected, or silent in tests by default), a `# noqa` without
codes, and the codes of other tools in a `# noqa`. A `# noqa` that names PRD001 also silences what is to be said of
itself, as everything in flake8; a `# prodready:` comment does not.

References
----------
- https://flake8.pycqa.org/en/latest/user/violations.html
"""

from prodready.finding import Severity
from prodready.rules.base import Rule

rule = Rule(
    code="PRD001",
    slug="unused-suppression",
    severity=Severity.WARNING,
    stage="mvp",
    needles=("prodready:", "noqa"),
    skip=frozenset(),
)
