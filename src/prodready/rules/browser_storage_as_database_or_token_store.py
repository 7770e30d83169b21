"""A credential, or data that matters, is kept in the browser's storage.

Why it matters
--------------
What `localStorage` and `sessionStorage` hold can be read by every script that runs on the page: one hole in the output, or
one package that was taken over, and the tokens of all users are gone. It is also no database: it disappears with the
browser's data, is different on every device, and users can change it.

Bad
---
    localStorage.setItem("access_token", answer.access_token);

Good
----
    localStorage.setItem("theme", answer.theme);
    const session = { token: answer.access_token };

Not reported
------------
What is read or removed; settings, drafts, what was seen last; names that only speak of tokens (`token_count`, `csrfToken`);
constants; a copy of what the server keeps. Needs semgrep.

References
----------
- CWE-922: Insecure Storage of Sensitive Information
- https://cheatsheetseries.owasp.org/cheatsheets/HTML5_Security_Cheat_Sheet.html#local-storage
"""

from prodready.finding import Severity
from prodready.rules.base import Rule

rule = Rule(
    code="PRD803",
    slug="browser-storage-as-database-or-token-store",
    severity=Severity.WARNING,
    stage="mvp",
    needles=("localstorage", "sessionstorage"),
    engine="semgrep",
    example="app.js",
)
