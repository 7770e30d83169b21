"""A hasher for passwords is told to do too little.

Why it matters
--------------
A hasher for passwords is as slow as its settings make it. With a cost from ten years ago, or with MD5 or SHA-1 at the top
of a list of hashers, a stolen table is nearly as easy to guess as plain digests. The advised numbers grow with the
hardware; those used here stand in `rules/knowledge`, with their source and date.

Bad
---
    import bcrypt

    def hash_password(password):
        return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds=4))

Good
----
    import bcrypt

    def hash_password(password):
        return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds=12))

Not reported
------------
Defaults of libraries; numbers that are not known, or come from the environment; settings of equal worth (more memory for
fewer passes); old schemes that only verify, behind a strong one; settings for tests; keys that are derived from something
else than a password; tokens that the program makes up (in a class called so).

References
----------
- CWE-916: Use of Password Hash With Insufficient Computational Effort
- OWASP Password Storage Cheat Sheet
"""

from __future__ import annotations

from collections.abc import Iterator

from prodready.finding import Finding, Severity
from prodready.link.hasher_settings import HasherSettings
from prodready.link.linked import Linked
from prodready.rules.base import Rule


def check(linked: Linked) -> Iterator[Finding]:
    """Report every setting of a hasher below what is advised."""
    asked = linked.scope.targets if linked.scope else linked.program.outlines
    paths = sorted(path for path in asked if path not in linked.outside)
    for weakness in HasherSettings(linked.reducer).weaknesses(paths, linked.scope):
        yield Finding(
            code=rule.code,
            slug=rule.slug,
            message=f"`{weakness.shown}` makes weak hashes of passwords: {weakness.says}",
            severity=Severity.WARNING,
            confidence=weakness.confidence,
            location=weakness.location,
            hint="raise it to what is advised, and hash anew when somebody logs in",
            context=weakness.context,
            statement=weakness.statement,
        )


rule = Rule(
    code="PRD103",
    slug="weak-password-hasher-settings",
    severity=Severity.WARNING,
    stage="mvp",
    family="values",
    skip=frozenset({"tests", "generated", "migrations"}),
    needles=("pass", "hash", "crypt", "pwd", "kdf", "argon"),
    check=check,
)
