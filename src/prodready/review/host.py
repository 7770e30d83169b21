"""What a code host can be asked, and how it says no. The providers are beside this file."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from prodready.review.comment import Comment

MOST_PATIENCE = 300.0
"""Seconds that a run waits for a host at most, each time; a job that sleeps costs its owner minutes."""


class HostError(Exception):
    """The host did not do what it was asked: one line that says why and what to do."""


class ForbiddenError(HostError):
    """The token may read but not write, as in a pull request from a fork."""


class RefusedError(HostError):
    """The host does not take this comment, because of what or where it is."""


class BusyError(HostError):
    """The host is busy, or did not answer, and may have done it all the same: look, then try again in `wait` seconds."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


@dataclass(frozen=True)
class Thread:
    """A comment of ours on a line, with its replies. `closed_by_us` says that no person resolved it."""

    id: str
    key: str
    resolved: bool
    closed_by_us: bool = False


@dataclass(frozen=True)
class State:
    """What is there: the commit that the request is at, our comments, and our summary with its text."""

    head: str
    threads: tuple[Thread, ...] = ()
    summary: tuple[str, str] | None = None


class Host(Protocol):
    """A pull request on GitHub, or a merge request on GitLab. Every method raises HostError."""

    def state(self) -> State:
        """What is there now."""

    def post(self, comments: Sequence[Comment], title: str) -> list[str]:
        """Post the comments, each of which has an anchor; the keys of those that the host does not take."""

    def resolve(self, thread: Thread, resolved: bool) -> None:
        """Resolve a thread, or open it again."""

    def summarise(self, known: str | None, body: str) -> None:
        """Post the summary, or edit the one that is `known`."""


def refusal(status: int, headers: Mapping[str, str], said: str, what: str) -> HostError:
    """The error for an answer of status 400 or more about `what`; `headers` by lower-case names."""
    wait = _wait(headers)
    limited = status == 429 or "rate limit" in said.lower() or headers.get("x-ratelimit-remaining") == "0"
    if status == 429 or (status == 403 and (limited or "retry-after" in headers)):
        if wait is not None and wait > MOST_PATIENCE:
            return HostError(f"the rate limit of the API is used up for {wait:.0f} s more; run it again then")
        return BusyError("the rate limit of the API is used up", 60.0 if wait is None and status == 403 else wait)
    if status >= 500 or status == 408:
        return BusyError(f"the API answers {status}", min(wait, MOST_PATIENCE) if wait is not None else None)
    if status == 401:
        return HostError("the API does not accept the token (401): it is wrong or has expired")
    if status == 403:
        return ForbiddenError(f"the token may not do that (403: {said})")
    if status == 404:
        return HostError(f"there is no {what}, or the token may not see it (404)")
    if status in (400, 422):
        return RefusedError(f"the API refuses it ({status}: {said})")
    return HostError(f"the API answers {status}: {said}")


def _wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that the answer asks to wait. A header that is not a number asks for nothing."""
    try:
        if "retry-after" in headers:
            return max(0.0, float(headers["retry-after"]))
        for name in ("x-ratelimit-reset", "ratelimit-reset"):
            if name in headers and (name[0] == "r" or headers.get("x-ratelimit-remaining") == "0"):
                # It is not said when in that second.
                return max(0.0, float(headers[name]) - time.time()) + 1
    except ValueError:
        pass
    return None
