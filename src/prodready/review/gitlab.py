"""A merge request on GitLab, by python-gitlab: each comment is a discussion, the summary a note.

https://docs.gitlab.com/api/discussions/#create-a-new-thread-in-the-merge-request-diff
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import requests
from gitlab import Gitlab
from gitlab.exceptions import GitlabError

from prodready.review.comment import SUMMARY, Comment, key_of
from prodready.review.host import BusyError, HostError, RefusedError, State, Thread, refusal
from prodready.review.target import Target

TIMEOUT = 30


class MergeRequestHost:
    """The host of a merge request; see `host.Host`."""

    def __init__(self, target: Target) -> None:
        self.target = target
        session = requests.Session()
        # The library retries without looking what came of the first try, and hides the headers: `sync` does it.
        session.hooks["response"].append(self._refused)
        self.client = Gitlab(
            target.api.removesuffix("/").removesuffix("/api/v4"),
            private_token=target.token,
            timeout=TIMEOUT,
            keep_base_url=True,
            session=session,
        )
        self.request: Any = None
        self.me: int | None = None

    def state(self) -> State:
        """What is there now."""
        return self._asked(self._state)  # type: ignore[no-any-return]

    def _state(self) -> State:
        if self.me is None:
            self.client.auth()
            self.me = self.client.user.id if self.client.user else None
        project = self.client.projects.get(self.target.project, lazy=True)
        self.request = project.mergerequests.get(self.target.number)
        threads: list[Thread] = []
        summary: tuple[str, str] | None = None
        for discussion in self.request.discussions.list(iterator=True, per_page=100):
            notes = discussion.attributes["notes"]
            first = notes[0] if notes else None
            # Anybody can write a mark: only what we wrote counts.
            if first is None or first["author"]["id"] != self.me:
                continue
            if key := key_of(first["body"]):
                resolved = bool(first.get("resolved"))
                by_us = resolved and (first.get("resolved_by") or {}).get("id") == self.me
                threads.append(Thread(discussion.id, key, resolved, by_us))
            elif summary is None and first["body"].startswith(SUMMARY):
                summary = (str(first["id"]), first["body"])
        return State((self.request.attributes.get("diff_refs") or {}).get("head_sha") or "", tuple(threads), summary)

    def post(self, comments: Sequence[Comment], title: str) -> list[str]:
        """Post each as a discussion; one that is cut off leaves the others to the next try."""
        refused = []
        refs = self.request.attributes.get("diff_refs") or {}
        for comment in comments:
            data = {"body": comment.body, "position": _position(comment, refs)}
            try:
                self._asked(lambda: self.request.discussions.create(data))  # noqa: B023
            except RefusedError:
                refused.append(comment.key)
        return refused

    def resolve(self, thread: Thread, resolved: bool) -> None:
        """Resolve a thread, or open it again."""
        self._asked(lambda: self.request.discussions.update(thread.id, {"resolved": resolved}))

    def summarise(self, known: str | None, body: str) -> None:
        """Post the summary, or edit the one that is `known`."""
        if known is None:
            self._asked(lambda: self.request.notes.create({"body": body}))
        else:
            self._asked(lambda: self.request.notes.update(int(known), {"body": body}))

    def _asked(self, ask: Callable[[], Any]) -> Any:
        with _translated():
            return ask()

    def _refused(self, answer: requests.Response, *_: object, **__: object) -> None:
        if answer.status_code >= 400:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            what = f"merge request {self.target.number} of project {self.target.project}"
            raise refusal(answer.status_code, headers, _said(answer), what)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except HostError:
        raise
    except requests.exceptions.RequestException as error:
        raise BusyError(f"no answer from the API ({type(error).__name__})") from None
    except (GitlabError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise HostError(f"the API gives an answer that is not understood ({type(error).__name__})") from None


def _said(answer: requests.Response) -> str:
    """What an answer says is wrong, on one line."""
    try:
        data = answer.json()
    except ValueError:
        return answer.reason or ""
    said = (data.get("message") or data.get("error")) if isinstance(data, dict) else data
    return " ".join(str(said or "").split())[:200]


def _position(comment: Comment, refs: Mapping[str, str]) -> dict[str, Any]:
    place = comment.anchor
    assert place is not None
    shas = {name: refs.get(name) for name in ("base_sha", "start_sha", "head_sha")}
    line = {"old_line": place.line} if place.removed else {"new_line": place.line}
    return {"position_type": "text", **shas, "old_path": place.old, "new_path": place.path, **line}
