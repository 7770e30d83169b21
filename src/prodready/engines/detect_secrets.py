"""detect-secrets: values in source and configuration files that open something (PRD502).

What is done in the process is in `secrets_worker.py`, which values count in `secret_values.py`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence

from prodready.cache import Cache
from prodready.config import Config, is_ours, repository
from prodready.engines.base import Slots
from prodready.engines.worker import Found, Worker
from prodready.finding import Confidence, Finding, Location, Problem, Severity
from prodready.rules import all_rules

NAME = "detect-secrets"
CODE = "PRD502"
BASELINE = ".secrets.baseline"


def codes(config: Config) -> frozenset[str]:
    """The code that only detect-secrets reports."""
    return frozenset({CODE})


def is_on(config: Config) -> bool:
    """Whether detect-secrets is to run, if there is anything for it."""
    return NAME in config.engines and config.enabled(CODE)


def open_engine(config: Config, cache: Cache, given: Mapping[str, bytes], slots: Slots) -> DetectSecrets:
    """The engine for one check; `given` is the content of files as they are in an editor."""
    return DetectSecrets(config, cache, given, slots)


class DetectSecrets(Worker):
    """One check's run of detect-secrets."""

    name = NAME
    package = "detect-secrets"
    module = "prodready.engines.secrets_worker"
    extra = "secrets"

    def codes(self) -> frozenset[str]:
        """The one."""
        return frozenset({CODE})

    def prepare(self) -> None:
        """What an audited baseline of detect-secrets' own says: known values by their hashes, and files left out."""
        known: dict[str, list[str]] = {}
        left_out: list[str] = []
        file = self.config.root / BASELINE
        if file.is_file():
            try:
                if not is_ours(self.config.root, file):
                    raise ValueError("it is a link that leads out of the repository")
                data = json.loads(file.read_bytes())
                known = {
                    path: sorted(each["hashed_secret"] for each in found) for path, found in data["results"].items()
                }
                for used in data.get("filters_used", ()):
                    # Other filters are code; those in files of the project's own must not be run.
                    if used["path"] == "detect_secrets.filters.regex.should_exclude_file":
                        left_out += [re.compile(pattern).pattern for pattern in used["pattern"]]
            except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, re.error) as error:
                says = "" if isinstance(error, (KeyError, TypeError, AttributeError)) else f": {error}"
                why = f"is not a baseline of detect-secrets{says}; what it knows is reported"
                self.problems.append(Problem(" ".join(why.split())[:200], BASELINE))
        self.settings = {"known": known, "left_out": left_out}

    def wants(self, name: str) -> bool:
        """Source and configuration, without lock files and what is minified."""
        from prodready.engines import secret_files

        return secret_files.wants(name)

    def among(self, paths: Sequence[str]) -> Iterable[str]:
        """Those without translations; of `.env` files those that git tracks, for the others have not been given away."""
        from prodready.engines import secret_files

        taken = [
            path for path in paths if self.wants(path.rpartition("/")[2]) and not secret_files.is_translation(path)
        ]
        local = [path for path in taken if path.rpartition("/")[2].startswith(".env")]
        if not local or repository(self.config.root) is None:
            return taken
        tracked = _tracked(self.config, local)
        return [path for path in taken if path in tracked or path not in local]

    def worth(self, path: str, data: bytes) -> bool:
        """Whether something in the file looks as if a value of this kind might follow."""
        from prodready.engines import secret_files

        return secret_files.worth(data)

    def what(self) -> str:
        """What goes unseen without it."""
        return CODE

    def _finding(self, path: str, raw: Found) -> Finding:
        return Finding(
            CODE,
            all_rules()[CODE].slug,
            raw.message,
            Severity(raw.severity),
            Confidence(raw.confidence),
            Location(path, raw.line, raw.column, raw.end_line, raw.end_column),
            hint=raw.hint,
            statement=(raw.first, raw.last),
            secret=True,
        )


def _tracked(config: Config, paths: Sequence[str]) -> frozenset[str]:
    """Those of the paths that git tracks; all of them where it cannot be asked."""
    command = [
        "git",
        "-c",
        "core.fsmonitor=false",
        "-c",
        "safe.bareRepository=explicit",
        "ls-files",
        "-z",
        "--",
        *paths,
    ]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1"}
    try:
        done = subprocess.run(  # noqa: S603
            command,
            cwd=config.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        return frozenset(paths)
    if done.returncode:
        return frozenset(paths)
    return frozenset(os.fsdecode(name) for name in done.stdout.split(b"\0") if name)
