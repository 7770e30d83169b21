"""A secret stands in a file of the project.

Why it matters
--------------
Whoever can read the repository, a copy of it, an image or a package made from it has the key: people who have left, a
laptop that was lost, everybody if the code is ever made public. It stays in the history after it is taken out.

Bad
---
    AWS_SECRET_ACCESS_KEY = "q8Zr4nXw1LkT7vBd9sYc2mHf6jGp3aEu5oRi0tNb"

Good
----
    AWS_SECRET_ACCESS_KEY = os.environ["AWS_SECRET_ACCESS_KEY"]

Not reported
------------
Placeholders, templates and references; test keys and public keys; ids, UUIDs and hashes; lock files and translations; files
of examples; docstrings; `.env` files that git does not track; what `.secrets.baseline` knows and what `pragma: allowlist
secret` allows. What belongs to a set-up for development, tests or CI has low confidence. Where neither the form of a value nor its name says that it is a secret, nothing is reported. Needs detect-secrets.

References
----------
- CWE-798: Use of Hard-coded Credentials
- CWE-540: Inclusion of Sensitive Information in Source Code
- https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html
"""

from prodready.finding import Severity
from prodready.rules.base import Rule

rule = Rule(
    code="PRD502",
    slug="secret-in-source",
    severity=Severity.ERROR,
    stage="mvp",
    needles=("pass", "pwd", "secret", "token", "credential", "key", "akia", "asia", "gh", "xox", "eyj", "sk", "sg.", "://"),
    engine="detect-secrets",
)
