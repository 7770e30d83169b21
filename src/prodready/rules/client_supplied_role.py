"""Who may do something is decided by what the client says of itself.

Why it matters
--------------
A role in a form field, a flag in a cookie, a header or a token whose signature nobody checks: whoever sends the request
writes what stands there. `curl -b is_admin=1` is all it takes.

Bad
---
    from flask import abort, request

    from shop.products import products

    def delete_product(product_id):
        if request.get_json().get("role") != "admin":
            abort(403)
        products.delete(product_id)

Good
----
    from flask import abort, g

    from shop.products import products

    def delete_product(product_id):
        if g.user.role != "admin":
            abort(403)
        products.delete(product_id)

Not reported
------------
Roles of whoever is logged in, looked up by the server; signed sessions, signed cookies and verified tokens; a role that the
client asks for and that is then compared with what it may give; keys and signatures that are compared with a secret; headers
that a proxy sets; parameters that filter what is shown; where a cookie sends people first. Reported is a refusal, by its status or
in words, and an answer that opens only for a role in a cookie, a header or a token that nobody verifies. With low confidence: what
is not sent under the name of a role or a right (`admin_email`, `username`); values in a form, an address or a body that go on to
somewhere else, because they are what shall be stored; decisions in which the server's own row or the person who is logged in counts,
too; handlers that check a password, a key or a signature, and those of routes that ask for a role, a right or a key, or are guarded
by something that was not understood.

References
----------
- CWE-807: Reliance on Untrusted Inputs in a Security Decision
- CWE-565: Reliance on Cookies without Validation and Integrity Checking
- CWE-347: Improper Verification of Cryptographic Signature
"""

from __future__ import annotations

from collections.abc import Iterator

from prodready.finding import Confidence, Finding, Location, Severity
from prodready.link.client_claims import Claim
from prodready.link.linked import Linked
from prodready.rules.base import Rule


def check(linked: Linked) -> Iterator[Finding]:
    """Report every refusal that hangs on a value from the request which only claims something."""
    seen: set[Location] = set()
    for claim in linked.client_claims:
        if claim.location not in seen:
            seen.add(claim.location)
            sure = linked.claim_evidence.suffices(claim)
            if sure or not claim.opens:
                yield _finding(claim, Confidence.MEDIUM if sure else Confidence.LOW)


def _finding(claim: Claim, confidence: Confidence) -> Finding:
    says = claim.source if claim.source == claim.shown else f"{claim.shown}, from {claim.source}"
    return Finding(
        code=rule.code,
        slug=rule.slug,
        message=f"access is decided by {says}, which the client sends",
        severity=Severity.ERROR,
        confidence=confidence,
        location=claim.location,
        trace=claim.trace,
        hint="decide by what the server knows of who is logged in: the user's row, a signed session, a verified token",
        context=claim.frame.function.qualname,
        snippet=claim.shown,
        statement=(claim.location.line, claim.location.line),
    )


rule = Rule(
    code="PRD203",
    slug="client-supplied-role",
    severity=Severity.ERROR,
    stage="mvp",
    needles=("401", "403", "forbidden", "unauthorized", "denied", "not authorized", "not allowed", "login", "cookie", "header"),
    check=check,
)
