"""A development server is what the image or the service starts.

Why it matters
--------------
What `runserver`, `npm run dev` and `--reload` start is made for one developer: it serves one request after
the other or watches the files for changes, shows errors with the code around them, and was never checked for attacks.

Bad
---
    CMD ["python", "manage.py", "runserver", "0.0.0.0:8000"]

Good
----
    CMD ["gunicorn", "--workers=4", "shop:app"]

Not reported
------------
Stages of a Dockerfile that are not its last one; files whose name or folder says that they are for development, tests or
examples; `python app.py`, which may start anything. In Procfiles and in compose files whose name says production the
confidence is medium, in other compose files low: they may well be for development only. Needs semgrep.

References
----------
- CWE-489: Active Debug Code
- https://docs.djangoproject.com/en/stable/ref/django-admin/#runserver
"""

from prodready.finding import Severity
from prodready.rules.base import Rule

rule = Rule(
    code="PRD701",
    slug="development-server-in-production",
    severity=Severity.ERROR,
    stage="mvp",
    needles=("cmd", "entrypoint", "command:", "web:"),
    engine="semgrep",
    example="Dockerfile",
)
