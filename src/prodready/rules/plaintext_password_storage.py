"""A password is stored as it was typed.

Why it matters
--------------
Databases, backups, exports, caches and log files are copied and lost. Whoever gets hold of one copy can log in as every
user whose password stands in it, there and wherever else the same password is used. A hash made by a function for
passwords (Argon2id, scrypt, bcrypt, PBKDF2) lets the application check a password that it cannot give away.

Bad
---
    def sign_up(cursor, request):
        cursor.execute(
            "INSERT INTO users (email, password) VALUES (?, ?)", (request.form["email"], request.form["password"])
        )

    def log_in(cursor, email, password):
        cursor.execute("SELECT id FROM users WHERE email = ? AND password = ?", (email, password))

Good
----
    import argon2

    hasher = argon2.PasswordHasher()

    def sign_up(cursor, request):
        cursor.execute(
            "INSERT INTO users (email, password) VALUES (?, ?)",
            (request.form["email"], hasher.hash(request.form["password"])),
        )

    def log_in(cursor, email, password):
        cursor.execute("SELECT password FROM users WHERE email = ?", (email,))
        return hasher.verify(cursor.fetchone()[0], password)

Not reported
------------
What a hasher for passwords made, also in a helper or in another file; models that hash what they are given, in a setter,
a validator, `__init__`, `save`, an event or a column type; schemas, forms and clients that merely carry a password; two
typed passwords that are compared; passwords for other services (a mail server, a database, an API), which have to be kept
in a form that can be used; a branch that a flag of the function turns off, as all callers in sight pass it; constants. Tests,
migrations and generated files are left out.

References
----------
- CWE-256: Plaintext Storage of a Password
- CWE-312: Cleartext Storage of Sensitive Information
- OWASP Top 10 2021, A02: Cryptographic Failures
- OWASP Password Storage Cheat Sheet
"""

from __future__ import annotations

from collections.abc import Iterator

from prodready.finding import Finding, Severity
from prodready.link.linked import Linked
from prodready.link.password_use import Use, reported
from prodready.rules.base import Rule


def check(linked: Linked) -> Iterator[Finding]:
    """Report every store that a plain password reaches, and every comparison that proves one."""
    for use in linked.password_uses:
        if use.digest is None:
            yield _finding(use)


def _finding(use: Use) -> Finding:
    name = use.origin.name
    if use.how == "comparison":
        message = f"`{name}` is compared with what is stored ({use.place}): the password is stored as it was typed"
    else:
        message = f"`{name}` is stored as it was typed, in {use.place}"
    hint = "store what a hasher for passwords makes of it (Argon2id, for one), and let the same hasher check it"
    return reported(use, rule.code, rule.slug, message, hint)


rule = Rule(
    code="PRD101",
    slug="plaintext-password-storage",
    severity=Severity.ERROR,
    stage="mvp",
    family="values",
    skip=frozenset({"tests", "generated", "migrations"}),
    needles=(
        "pass", "pwd", "pw", "psw", "pin", "clave", "contrase", "senha", "kennwort", "motdepasse", "mdp", "wachtwoord",
        "haslo", "hasło", "пароль", "validated_data",
    ),
    check=check,
)  # fmt: skip
