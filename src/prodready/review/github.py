"""A pull request on GitHub, by PyGithub: comments are posted by REST, threads are read and resolved by GraphQL.

REST does not tell which comment of a review belongs to which thread, and cannot resolve one:
https://docs.github.com/graphql/reference/mutations#resolvereviewthread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import requests
from github import Auth, Github
from github.GithubException import GithubException
from github.PullRequest import PullRequest, ReviewComment

from prodready.review.comment import SUMMARY, Comment, key_of
from prodready.review.host import BusyError, HostError, RefusedError, State, Thread, refusal
from prodready.review.target import Target

TIMEOUT = 30
BETWEEN_WRITES: float | None = 1.0
"""Seconds, as GitHub asks of those who write: less runs into the secondary rate limit."""

STATE = """
query State($owner: String!, $name: String!, $number: Int!, $threads: String, $comments: String) {
  viewer { login }
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      headRefOid
      reviewThreads(first: 100, after: $threads) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id
          isResolved
          resolvedBy { login }
          comments(first: 1) { nodes { viewerDidAuthor body } }
        }
      }
      comments(first: 100, after: $comments) {
        pageInfo { hasNextPage endCursor }
        nodes { id viewerDidAuthor body }
      }
    }
  }
}
"""
MUTATIONS = {
    "resolveReviewThread": "thread { id }",
    "unresolveReviewThread": "thread { id }",
    "updateIssueComment": "clientMutationId",
}
_GRAPHQL_STATUS = {
    "FORBIDDEN": 403,
    "INSUFFICIENT_SCOPES": 403,
    "RATE_LIMITED": 429,
    "NOT_FOUND": 404,
    "UNPROCESSABLE": 422,
}


class PullRequestHost:
    """The host of a pull request; see `host.Host`."""

    def __init__(self, target: Target) -> None:
        self.target = target
        # Requests are tried again by `sync`, which looks first whether they were carried out.
        self.client = Github(
            base_url=target.api,
            auth=Auth.Token(target.token),
            timeout=TIMEOUT,
            retry=None,
            seconds_between_writes=BETWEEN_WRITES,
            lazy=True,
        )

    def state(self) -> State:
        """What is there now."""
        owner, _, name = self.target.project.partition("/")
        variables: dict[str, Any] = {"owner": owner, "name": name, "number": self.target.number}
        threads: list[Thread] = []
        summary: tuple[str, str] | None = None
        while True:
            data = self._asked(lambda: self.client.requester.graphql_query(STATE, variables)[1]["data"])
            pull = (data.get("repository") or {}).get("pullRequest")
            if not pull:
                raise HostError(f"there is no {self._name()}, or the token may not see it")
            me = _plain(data["viewer"])
            threads += [thread for node in pull["reviewThreads"]["nodes"] if (thread := _thread(node, me))]
            for node in pull["comments"]["nodes"]:
                if summary is None and node["viewerDidAuthor"] and node["body"].startswith(SUMMARY):
                    summary = (node["id"], node["body"].replace("\r\n", "\n"))
            more = False
            for connection, cursor in (("reviewThreads", "threads"), ("comments", "comments")):
                page = pull[connection]["pageInfo"]
                variables[cursor] = page["endCursor"] or variables.get(cursor)
                more |= page["hasNextPage"]
            if not more:
                return State(pull["headRefOid"], tuple(threads), summary)

    def post(self, comments: Sequence[Comment], title: str) -> list[str]:
        """Post one review; comments of which GitHub refuses one are posted one by one, to keep the others."""
        pull = self._pull()
        try:
            commit = self._asked(lambda: self.client.get_repo(self.target.project).get_commit(self.target.head))
            placed = [_placed(comment) for comment in comments]
            self._asked(lambda: pull.create_review(commit=commit, body=title, event="COMMENT", comments=placed))
        except RefusedError:
            return [comment.key for comment in comments if not self._posted_alone(pull, comment)]
        return []

    def _posted_alone(self, pull: PullRequest, comment: Comment) -> bool:
        given: dict[str, Any] = {**_placed(comment)}
        try:
            self._asked(lambda: pull.create_review_comment(commit=self.target.head, **given))
        except RefusedError:
            return False
        return True

    def resolve(self, thread: Thread, resolved: bool) -> None:
        """Resolve a thread, or open it again."""
        self._mutate("resolveReviewThread" if resolved else "unresolveReviewThread", {"threadId": thread.id})

    def summarise(self, known: str | None, body: str) -> None:
        """Post the summary, or edit the one that is `known`."""
        if known is None:
            pull = self._pull()
            self._asked(lambda: pull.create_issue_comment(body))
        else:
            self._mutate("updateIssueComment", {"id": known, "body": body})

    def _pull(self) -> PullRequest:
        repository = self.client.get_repo(self.target.project)
        pull: PullRequest = self._asked(lambda: repository.get_pull(self.target.number))
        return pull

    def _mutate(self, name: str, given: dict[str, str]) -> None:
        self._asked(lambda: self.client.requester.graphql_named_mutation(name, given, MUTATIONS[name]))

    def _name(self) -> str:
        return f"pull request {self.target.number} of {self.target.project}"

    def _asked(self, ask: Callable[[], Any]) -> Any:
        with _translated(self._name()):
            return ask()


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except GithubException as error:
        data: Any = error.data
        said = _said(data) or str(error.message or "")
        status = error.status
        if isinstance(data, dict) and "data" in data and isinstance(data.get("errors"), list):
            kinds = {item.get("type") for item in data["errors"] if isinstance(item, dict)}
            status = next((_GRAPHQL_STATUS[kind] for kind in kinds if kind in _GRAPHQL_STATUS), status)
        headers = {name.lower(): str(value) for name, value in (error.headers or {}).items()}
        raise refusal(status, headers, said, what) from None
    except requests.exceptions.RequestException as error:
        raise BusyError(f"no answer from the API ({type(error).__name__})") from None
    except (ValueError, KeyError, TypeError, AssertionError, RuntimeError, AttributeError) as error:
        raise HostError(f"the API gives an answer that is not understood ({type(error).__name__})") from None


def _said(data: object) -> str:
    """What an answer says is wrong, on one line."""
    if not isinstance(data, Mapping):
        return str(data or "")[:200]
    errors = data.get("errors")
    more = (
        [item.get("message") if isinstance(item, dict) else item for item in errors] if isinstance(errors, list) else []
    )
    return "; ".join(str(part) for part in (data.get("message"), *more) if part)[:200]


def _plain(person: Mapping[str, Any] | None) -> str:
    # An app has two spellings of its name.
    return str((person or {}).get("login", "")).removesuffix("[bot]")


def _thread(node: Mapping[str, Any], me: str) -> Thread | None:
    first = next(iter(node["comments"]["nodes"]), None)
    # Anybody can write a mark: only what we wrote counts.
    key = key_of(first["body"]) if first and first["viewerDidAuthor"] else ""
    by_us = node["isResolved"] and _plain(node["resolvedBy"]) == me
    return Thread(node["id"], key, node["isResolved"], by_us) if key else None


def _placed(comment: Comment) -> ReviewComment:
    place = comment.anchor
    assert place is not None
    side = "LEFT" if place.removed else "RIGHT"
    found: ReviewComment = {"path": place.path, "body": comment.body, "line": place.line, "side": side}
    if place.first < place.line:
        found["start_line"], found["start_side"] = place.first, side
    return found
