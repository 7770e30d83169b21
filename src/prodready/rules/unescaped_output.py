"""Data goes into a page as HTML, unescaped.

Why it matters
--------------
What a user has typed then becomes a part of the page: a `<script>` in a comment runs in the browser of everybody who reads
it, with their session. Frameworks escape by default; each of these places switches that off.

Bad
---
    <p>{{ comment.body|safe }}</p>

Good
----
    <p>{{ comment.body }}</p>
    <p>{{ comment.body|bleach|safe }}</p>

Not reported
------------
Constants; values that are cleaned, escaped or made JSON on the way, by the name of what does it; names that say that they
hold HTML on purpose; icons, translations, settings and texts of forms; text of mails. HTML of an origin that cannot be seen
(a plain variable in `dangerouslySetInnerHTML` or `v-html`) has low confidence. Needs semgrep.

References
----------
- CWE-79: Improper Neutralization of Input During Web Page Generation ('Cross-site Scripting')
- https://cheatsheetseries.owasp.org/cheatsheets/Cross_Site_Scripting_Prevention_Cheat_Sheet.html
"""

from prodready.finding import Severity
from prodready.rules.base import Rule

rule = Rule(
    code="PRD503",
    slug="unescaped-output",
    severity=Severity.WARNING,
    stage="launch",
    needles=(
        "|safe",
        "| safe",
        "|  safe",
        "autoescape",
        "v-html",
        "dangerouslysetinnerhtml",
        "innerhtml",
        "outerhtml",
        "insertadjacenthtml",
        "document.write",
        ".html(",
        "__html",
        "mark_safe(",
        "markup(",
        "safestring(",
        "safetext(",
    ),
    engine="semgrep",
    example="page.html",
)
