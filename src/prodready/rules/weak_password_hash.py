"""A password is hashed with a function that is too fast, or can be undone.

Why it matters
--------------
MD5, SHA-1, SHA-2, SHA-3 and BLAKE2 are made to be fast: one graphics card tries billions of passwords a second against a
stolen table, and a salt does not slow it down. Base64 and encryption can simply be undone. Functions made for passwords
(Argon2id, scrypt, bcrypt, PBKDF2 with enough iterations) are slow on purpose and bring their own salt.

Bad
---
    import hashlib

    def sign_up(cursor, email, password):
        digest = hashlib.sha256(password.encode()).hexdigest()
        cursor.execute("INSERT INTO users (email, password_hash) VALUES (?, ?)", (email, digest))

Good
----
    import bcrypt

    def sign_up(cursor, email, password):
        digest = bcrypt.hashpw(password.encode(), bcrypt.gensalt())
        cursor.execute("INSERT INTO users (email, password_hash) VALUES (?, ?)", (email, digest))

Not reported
------------
Digests of files, addresses, cache keys, ids and other things that are no passwords; signatures; what goes on into a hasher
for passwords; look-ups of stolen passwords; passwords for other services that are kept encrypted; what is left of a digest
that is cut to a few characters; tokens that the program makes up (in a class called so). Each weak hash is
reported where it is stored; where none is stored, where it is compared; else where it is made and returned. Tests,
migrations and generated files are left out.

References
----------
- CWE-916: Use of Password Hash With Insufficient Computational Effort
- CWE-328: Use of Weak Hash
- CWE-261: Weak Encoding for Password
- OWASP Password Storage Cheat Sheet
"""

from __future__ import annotations

from collections.abc import Iterator

from prodready.finding import Finding, Severity
from prodready.link.linked import Linked
from prodready.link.password_use import Use, reported
from prodready.link.passwords import Digest
from prodready.rules.base import Rule


def check(linked: Linked) -> Iterator[Finding]:
    """Report every digest of a password, once, where it matters most."""
    for use in linked.password_uses:
        if use.digest is not None:
            yield _finding(use, use.digest)


def _finding(use: Use, digest: Digest) -> Finding:
    name, shown = use.origin.name, digest.shown
    fault = "which can be undone" if digest.reversible else "which is too fast for passwords"
    says = {
        "store": f"`{name}` is stored as made by `{shown}()`, {fault}: in {use.place}",
        "comparison": f"`{name}` is checked by way of `{shown}()`, {fault}",
        "made": f"`{name}` is hashed with `{shown}()`, {fault}",
    }
    hint = "use a hasher for passwords (Argon2id, for one), and hash anew when somebody logs in"
    return reported(use, rule.code, rule.slug, says[use.how], hint)


rule = Rule(
    code="PRD102",
    slug="weak-password-hash",
    severity=Severity.ERROR,
    stage="mvp",
    family="values",
    skip=frozenset({"tests", "generated", "migrations"}),
    needles=("md5", "sha", "blake", "crc", "b64", "digest", "hash", "encrypt", "adler"),
    check=check,
)
