"""What runs in the process of detect-secrets: a job in, the values that count out. Imports detect-secrets; see `worker.py`.

detect-secrets says where a value may be; `secret_values.judged` says whether it is one. A value itself is never printed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prodready.engines import secret_files, secret_values
from prodready.secret_words import PASSWORDS, SECRETS
from prodready.source import SourceError, decode, split_lines

PLUGINS: dict[str, dict[str, float]] = {
    "KeywordDetector": {},
    "Base64HighEntropyString": {"limit": 4.0},
    "HexHighEntropyString": {"limit": 3.0},
    "BasicAuthDetector": {},
    "PrivateKeyDetector": {},
    "JwtTokenDetector": {},
    "AWSKeyDetector": {},
    "AzureStorageKeyDetector": {},
    "DiscordBotTokenDetector": {},
    "GitHubTokenDetector": {},
    "GitLabTokenDetector": {},
    "MailchimpDetector": {},
    "NpmDetector": {},
    "OpenAIDetector": {},
    "PypiTokenDetector": {},
    "SendGridDetector": {},
    "SlackDetector": {},
    "SquareOAuthDetector": {},
    "StripeDetector": {},
    "TelegramBotTokenDetector": {},
    "TwilioKeyDetector": {},
}
"""Those whose findings can be judged by the value, with their settings. Keys without a form are for the names to tell."""

_KEYWORD = "Secret Keyword"
"""What detect-secrets calls what it finds by names."""

_NAMES = "|".join(sorted(PASSWORDS | SECRETS))
_BOUND = re.compile(
    rf"""(?:{_NAMES})[\w.-]{{0,60}}["']?\]?\s*(?:[:=]|:=)\s*[rbu]?(?P<quote>["'])(?P<value>[^"'\s]{{4,200}})(?P=quote)""",
    re.IGNORECASE,
)
_IN_A_MAPPING = re.compile(
    rf"""[{{,]\s*["']?[\w.-]{{0,60}}(?:{_NAMES}|key)["']?\s*:\s+(?P<value>[^\s"'{{}}\[\],&*|>]{{4,200}})\s*[,}}]""",
    re.IGNORECASE,
)
"""Names that detect-secrets does not know, and values in a mapping on one line, of which it does not see the end."""

_LONGEST = 2_000
"""Characters: a longer line is data or was made by a program."""


def main(job_file: str) -> None:
    """Do the job that is in the file, and print the result."""
    with open(job_file, encoding="utf-8") as stream:
        job = json.load(stream)
    out, sys.stdout = sys.stdout, sys.stderr
    logging.disable(logging.CRITICAL)
    json.dump(examined(job), out)
    out.flush()


def examined(job: dict[str, Any]) -> dict[str, Any]:
    """What is found in the files of the job."""
    from detect_secrets.settings import transient_settings

    known = {path: frozenset(hashes) for path, hashes in job["known"].items()}
    left_out = [re.compile(pattern) for pattern in job["left_out"]]
    found = {}
    notes = {}
    with transient_settings({"plugins_used": [{"name": name, **rest} for name, rest in PLUGINS.items()]}):
        for path in job["files"]:
            if any(pattern.search(path) for pattern in left_out):
                continue
            try:
                lines = split_lines(decode((Path(job["root"]) / path).read_bytes()))
            except (OSError, SourceError):
                notes[path] = ["not text, not read by detect-secrets"]
                continue
            rows = list(_found(path, lines, known.get(path, frozenset())))
            if rows:
                found[path] = rows
    return {"found": found, "notes": notes, "problems": []}


def _found(path: str, lines: list[str], known: frozenset[str]) -> Iterator[list[object]]:
    taken: set[tuple[int, int]] = set()
    for number in secret_files.lines_worth(lines):
        line = lines[number - 1]
        if len(line) > _LONGEST:
            continue
        for kind, value in sorted(_candidates(path, lines, number, line)):
            start = line.find(value)
            if start < 0 or hashlib.sha1(value.encode()).hexdigest() in known:  # noqa: S324  # As in its baselines.
                continue
            place = secret_values.Place(path, lines, number, start)
            verdict = secret_values.judged(kind, value, place)
            if verdict is None or any((number, at) in taken for at in range(start, start + len(value))):
                continue
            taken |= {(number, at) for at in range(start, start + len(value))}
            column = line.find(verdict.value, start)
            column = line.find(verdict.value) if column < 0 else column
            end_line, end_column = verdict.end or (number, column + len(verdict.value) + 1)
            yield [
                "PRD502", number, column + 1, end_line, end_column, number, end_line,
                verdict.severity, verdict.confidence, verdict.message, verdict.hint,
            ]  # fmt: skip


def _candidates(path: str, lines: list[str], number: int, line: str) -> set[tuple[str, str]]:
    """What the plugins take for secrets in the line, without what a comment allows: kind and value."""
    from detect_secrets.filters import heuristic
    from detect_secrets.filters.allowlist import is_line_allowlisted
    from detect_secrets.settings import get_plugins
    from detect_secrets.util.code_snippet import get_code_snippet

    found = set()
    # It knows by the ending of a name whether values stand in quotes, and `.env` has none.
    name = f"{path}.ini" if secret_files.is_config(path) else path
    for plugin in get_plugins():
        for secret in plugin.analyze_line(filename=name, line=line, line_number=number):
            value = _whole(secret.type, secret.secret_value or "", line)
            if value and not heuristic.is_sequential_string(value) and not heuristic.is_templated_secret(value):
                found.add((secret.type, value))
    for pattern in (_BOUND, _IN_A_MAPPING) if secret_files.is_config(path) else (_BOUND,):
        for match in pattern.finditer(line):
            value = match["value"]
            if not heuristic.is_sequential_string(value) and not heuristic.is_templated_secret(value):
                found.add((_KEYWORD, value))
    if found and is_line_allowlisted(path, line, get_code_snippet(lines, number)):
        return set()
    return found


def _whole(kind: str, value: str, line: str) -> str:
    """The value: some plugins give only how it begins."""
    if kind == "JSON Web Token":
        rest = r"[\w.+/=-]*"
    elif kind in secret_values.WORDS.tokens and len(value) < 12:
        rest = r"[_-][\w-]{16,}"
    else:
        return value
    found = re.search(re.escape(value) + rest, line)
    return found[0] if found else value
