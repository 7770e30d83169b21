"""Which request to review, from the environment that a CI service gives its jobs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_COMMIT = re.compile(r"[0-9a-f]{7,64}")


class TargetError(Exception):
    """The environment does not say what is to be reviewed: one line that names the variable and what to do."""


@dataclass(frozen=True)
class Target:
    """A pull or merge request: `project` is what the API calls it by, `base` and `head` are commits."""

    provider: str
    api: str
    project: str
    number: int
    base: str
    head: str
    token: str = field(repr=False, default="")

    @property
    def revisions(self) -> str:
        """The change, as `--diff` takes it."""
        return f"{self.base}...{self.head}"


def provider_of(environment: Mapping[str, str]) -> str:
    """The provider whose job this is; empty if that cannot be told."""
    if environment.get("GITHUB_ACTIONS"):
        return "github"
    return "gitlab" if environment.get("GITLAB_CI") else ""


def tokens(environment: Mapping[str, str]) -> tuple[str, ...]:
    """What must never be printed."""
    return tuple(filter(None, (environment.get(name, "").strip() for name in ("GITHUB_TOKEN", "GITLAB_TOKEN"))))


def target(provider: str, environment: Mapping[str, str]) -> Target:
    """The request that the job is about; raises TargetError. A missing token is left empty."""
    return _github(environment) if provider == "github" else _gitlab(environment)


def _github(environment: Mapping[str, str]) -> Target:
    # https://docs.github.com/actions/reference/variables-reference
    place = _given(environment, "GITHUB_EVENT_PATH")
    try:
        event: Any = json.loads(Path(place).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise TargetError(
            f"GITHUB_EVENT_PATH: {place} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None
    pull = event.get("pull_request") if isinstance(event, dict) else None
    if not isinstance(pull, dict):
        name = environment.get("GITHUB_EVENT_NAME") or "what happened"
        raise TargetError(f"{name} is no event of a pull request: run it `on: pull_request`")
    try:
        number, base, head = int(pull["number"]), str(pull["base"]["sha"]), str(pull["head"]["sha"])
    except (KeyError, TypeError, ValueError):
        raise TargetError(f"GITHUB_EVENT_PATH: {place} does not name a pull request and its commits") from None
    project = _given(environment, "GITHUB_REPOSITORY")
    if project.count("/") != 1:
        raise TargetError(f"GITHUB_REPOSITORY: {project!r} is not of the form owner/name")
    api = environment.get("GITHUB_API_URL") or "https://api.github.com"
    return Target(
        "github",
        _address("GITHUB_API_URL", api),
        project,
        number,
        _commit(base),
        _commit(head),
        _token(environment, "GITHUB_TOKEN"),
    )


def _gitlab(environment: Mapping[str, str]) -> Target:
    # https://docs.gitlab.com/ci/variables/predefined_variables/
    number = _given(environment, "CI_MERGE_REQUEST_IID", "run the job in merge request pipelines")
    if not number.isdigit():
        raise TargetError(f"CI_MERGE_REQUEST_IID: {number!r} is no number")
    api = _address("CI_API_V4_URL", _given(environment, "CI_API_V4_URL"))
    project = _given(environment, "CI_MERGE_REQUEST_PROJECT_ID")
    base = _given(environment, "CI_MERGE_REQUEST_DIFF_BASE_SHA")
    # In a pipeline for merged results the commit is one that GitLab made up.
    head = environment.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or _given(environment, "CI_COMMIT_SHA")
    return Target(
        "gitlab", api, project, int(number), _commit(base), _commit(head), _token(environment, "GITLAB_TOKEN")
    )


def _given(environment: Mapping[str, str], name: str, advice: str = "is this a job of the CI service?") -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise TargetError(f"{name} is not set: {advice}")
    return value


def _token(environment: Mapping[str, str], name: str) -> str:
    token = environment.get(name, "").strip()
    if not token.isascii() or not token.isprintable():
        raise TargetError(f"{name} holds what cannot be sent")
    return token


def _address(name: str, url: str) -> str:
    if not re.match(r"https?://[^\s/]", url):
        raise TargetError(f"{name}: {url!r} is not an address")
    return url.rstrip("/")


def _commit(sha: str) -> str:
    if not _COMMIT.fullmatch(sha):
        raise TargetError(f"{sha!r} is not the id of a commit")
    return sha
