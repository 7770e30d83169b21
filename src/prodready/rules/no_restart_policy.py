"""A server in a compose file is not started again when it dies.

Why it matters
--------------
Processes die: out of memory, an unhandled error, a restart of the machine. Without a restart policy the app then stays down
until somebody notices and has a shell.

Bad
---
    services:
      web:
        image: shop
        command: gunicorn shop.wsgi

Good
----
    services:
      web:
        image: shop
        command: gunicorn shop.wsgi
        restart: unless-stopped

Not reported
------------
Services that neither say that they run a production server nor are built here and publish
ports: databases, one-off jobs, tools behind a profile; services whose code is mounted from the host, as in development;
those that a swarm (`deploy`) or another service (`extends`) takes care of; compose files whose name or folder says that they
are for development, tests or examples. Needs semgrep.

References
----------
- https://docs.docker.com/reference/compose-file/services/#restart
"""

from prodready.finding import Severity
from prodready.rules.base import Rule

rule = Rule(
    code="PRD702",
    slug="no-restart-policy",
    severity=Severity.WARNING,
    stage="mvp",
    needles=("services:",),
    engine="semgrep",
    example="docker-compose.yml",
)
