"""GitHub and GitLab on loopback, as far as the bot speaks to them; they keep what they are sent, and fail on demand."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

TOKEN = "tok-0123456789abcdef"
ME, OTHER = "bot", "mallory"
Answer = tuple[int, Any]


class Fault:
    """What to do with the requests that fit, so many times: an answer, nothing for a while, or a cut line.

    With `after`, the request is carried out first, and only its answer is lost.
    """

    def __init__(
        self,
        where: str,
        status: int = 0,
        *,
        body: Any = None,
        headers: dict[str, str] | None = None,
        times: int = 1,
        after: bool = False,
        seconds: float = 0.0,
        cut: bool = False,
    ) -> None:
        self.where, self.status, self.times = where, status, times
        self.body = {"message": f"no {TOKEN}"} if body is None else body
        self.headers, self.after, self.seconds, self.cut = headers or {}, after, seconds, cut


class Fake:
    """What both have in common: comments on lines in threads, and comments on the whole."""

    def __init__(self, head: str = "") -> None:
        self.head = head
        self.threads: list[dict[str, Any]] = []
        self.notes: list[dict[str, Any]] = []
        self.reviews = 0
        self.edits = 0
        self.log: list[str] = []
        self.faults: list[Fault] = []
        self.refused_paths: set[str] = set()
        self.lock = threading.Lock()
        self.number = 4_000_000_000
        self.url = ""
        self.arrived = threading.Event()

    def id(self) -> int:
        self.number += 1
        return self.number

    def bodies(self, *, resolved: bool | None = None) -> list[str]:
        return [t["notes"][0]["body"] for t in self.threads if resolved is None or t["resolved"] == resolved]

    def thread(self, body: str, place: dict[str, Any], author: str = ME) -> dict[str, Any]:
        note = {"id": self.id(), "body": body, "author": author}
        found = {"id": f"T{self.id()}", "notes": [note], "resolved": False, "by": None, "place": place}
        self.threads.append(found)
        return found

    def reply(self, number: int, body: str) -> None:
        self.threads[number]["notes"].append({"id": self.id(), "body": body, "author": OTHER})

    def answer(self, method: str, path: str, query: dict[str, list[str]], data: Any) -> Answer:
        raise NotImplementedError

    def authorised(self, headers: Any) -> bool:
        raise NotImplementedError


class GitHub(Fake):
    """Pages of two threads, so that reading has to go on."""

    PAGE = 2

    def authorised(self, headers: Any) -> bool:
        return bool(headers.get("Authorization") in (f"token {TOKEN}", f"Bearer {TOKEN}"))

    def answer(self, method: str, path: str, query: dict[str, list[str]], data: Any) -> Answer:
        pull = f"{self.url}/repos/o/r/pulls/7"
        if (method, path) == ("POST", "/graphql"):
            return self._graphql(data["query"], data["variables"])
        if (method, path) == ("GET", "/repos/o/r/pulls/7"):
            return 200, {
                "url": pull,
                "number": 7,
                "issue_url": f"{self.url}/repos/o/r/issues/7",
                "head": {"sha": self.head},
            }
        if method == "GET" and path == f"/repos/o/r/commits/{self.head}":
            return 200, {"url": f"{self.url}{path}", "sha": self.head}
        if (method, path) == ("POST", "/repos/o/r/pulls/7/reviews"):
            assert data["event"] == "COMMENT"
            assert data["body"]
            assert data["commit_id"] == self.head
            if any(comment["path"] in self.refused_paths for comment in data["comments"]):
                return 422, {"message": "Unprocessable Entity", "errors": ["Line could not be resolved"]}
            self.reviews += 1
            for comment in data["comments"]:
                self.thread(comment["body"], comment)
            return 200, {"id": self.id(), "url": f"{pull}/reviews/1"}
        if (method, path) == ("POST", "/repos/o/r/pulls/7/comments"):
            if data["path"] in self.refused_paths:
                return 422, {"message": "Validation Failed", "errors": [{"message": "line must be part of the diff"}]}
            self.thread(data["body"], data)
            return 201, {"id": self.id(), "url": f"{pull}/comments/1"}
        if (method, path) == ("POST", "/repos/o/r/issues/7/comments"):
            self.notes.append({"id": f"C{self.id()}", "body": data["body"], "author": ME})
            return 201, {"id": self.id(), "url": f"{self.url}/repos/o/r/issues/comments/1"}
        return 404, {"message": "Not Found"}

    def _graphql(self, query: str, variables: dict[str, Any]) -> Answer:
        if query.lstrip().startswith("mutation"):
            given = variables["input"]
            name = re.search(r"\{\s*(\w+)\(", query)
            assert name
            if name[1] == "updateIssueComment":
                (note,) = [note for note in self.notes if note["id"] == given["id"]]
                note["body"], self.edits = given["body"], self.edits + 1
            else:
                (thread,) = [thread for thread in self.threads if thread["id"] == given["threadId"]]
                thread["resolved"] = name[1] == "resolveReviewThread"
                thread["by"] = ME if thread["resolved"] else None
            return 200, {"data": {name[1]: {"clientMutationId": None}}}
        assert variables["owner"] == "o"
        assert variables["name"] == "r"
        assert variables["number"] == 7

        def page(items: list[Any], after: str | None) -> dict[str, Any]:
            start = int(after or 0)
            end = min(len(items), start + self.PAGE)
            more = {"hasNextPage": end < len(items), "endCursor": str(end) if end > start else None}
            return {"pageInfo": more, "nodes": items[start:end]}

        def shown(item: dict[str, Any]) -> dict[str, Any]:
            return {"viewerDidAuthor": item["author"] == ME, "body": item["body"], "id": item["id"]}

        threads = [
            {
                "id": thread["id"],
                "isResolved": thread["resolved"],
                "resolvedBy": {"login": thread["by"]} if thread["by"] else None,
                "comments": {"nodes": [shown(thread["notes"][0])]},
            }
            for thread in self.threads
        ]
        pull = {
            "headRefOid": self.head,
            "reviewThreads": page(threads, variables.get("threads")),
            "comments": page([shown(item) for item in self.notes], variables.get("comments")),
        }
        return 200, {"data": {"viewer": {"login": f"{ME}[bot]"}, "repository": {"pullRequest": pull}}}


class GitLab(Fake):
    """Discussions and notes of one merge request."""

    IDS: ClassVar = {ME: 1, OTHER: 2}
    MR = "/api/v4/projects/5/merge_requests/7"

    def authorised(self, headers: Any) -> bool:
        return bool(headers.get("PRIVATE-TOKEN") == TOKEN)

    def answer(self, method: str, path: str, query: dict[str, list[str]], data: Any) -> Answer:
        if (method, path) == ("GET", "/api/v4/user"):
            return 200, {"id": 1, "username": ME}
        if (method, path) == ("GET", self.MR):
            return 200, {
                "iid": 7,
                "project_id": 5,
                "diff_refs": {"base_sha": "b", "start_sha": "s", "head_sha": self.head},
            }
        if (method, path) == ("GET", f"{self.MR}/discussions"):
            return 200, [self._discussion(thread) for thread in self.threads] + [
                {"id": f"N{note['id']}", "individual_note": True, "notes": [self._note(note)]} for note in self.notes
            ]
        if (method, path) == ("POST", f"{self.MR}/discussions"):
            place = data["position"]
            assert place["position_type"] == "text"
            assert place["head_sha"] == self.head
            if place["new_path"] in self.refused_paths:
                return 400, {"message": '400 Bad request - Note {:line_code=>["can\'t be blank"]}'}
            self.reviews += 1
            return 201, self._discussion(self.thread(data["body"], place))
        if (method, path) == ("POST", f"{self.MR}/notes"):
            self.notes.append({"id": self.id(), "body": data["body"], "author": ME})
            return 201, self._note(self.notes[-1])
        if method == "PUT" and path.startswith(f"{self.MR}/notes/"):
            (note,) = [note for note in self.notes if str(note["id"]) == path.rpartition("/")[2]]
            note["body"], self.edits = data["body"], self.edits + 1
            return 200, self._note(note)
        if method == "PUT" and path.startswith(f"{self.MR}/discussions/"):
            (thread,) = [thread for thread in self.threads if thread["id"] == path.rpartition("/")[2]]
            thread["resolved"], thread["by"] = data["resolved"], ME if data["resolved"] else None
            return 200, self._discussion(thread)
        return 404, {"message": "404 Not found"}

    def _note(self, note: dict[str, Any]) -> dict[str, Any]:
        return {"id": note["id"], "body": note["body"], "author": {"id": self.IDS[note["author"]]}}

    def _discussion(self, thread: dict[str, Any]) -> dict[str, Any]:
        notes = [self._note(note) for note in thread["notes"]]
        by = {"id": self.IDS[thread["by"]]} if thread["by"] else None
        notes[0] |= {"resolvable": True, "resolved": thread["resolved"], "resolved_by": by}
        return {"id": thread["id"], "individual_note": False, "notes": notes}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: Fake

    def _serve(self) -> None:
        fake, method = self.fake, self.command
        address = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        data = json.loads(self.rfile.read(length) or b"null")
        line = f"{method} {address.path}"
        if isinstance(data, dict) and "query" in data:
            found = re.search(r"\{\s*(\w+)\(", data["query"]) if "mutation" in data["query"] else None
            line += f" {found[1] if found else 'query'}"
        with fake.lock:
            fake.log.append(line)
            fault = next((fault for fault in fake.faults if fault.times and re.search(fault.where, line)), None)
            if fault is not None:
                fault.times -= 1
            if not fake.authorised(self.headers):
                self._send(401, {"message": "Bad credentials"}, {})
                return
            answer: Answer = (0, None)
            if fault is None or fault.after:
                answer = fake.answer(method, address.path, parse_qs(address.query), data)
        fake.arrived.set()
        if fault is not None:
            time.sleep(fault.seconds)
            if fault.cut:
                self.close_connection = True
                self.connection.close()
                return
            if fault.status:
                answer = fault.status, fault.body
        self._send(*answer, fault.headers if fault else {})

    def _send(self, status: int, body: Any, headers: dict[str, str]) -> None:
        text = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        try:
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(text)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)
        except OSError:
            pass  # The client gave up.

    do_GET = do_POST = do_PUT = do_PATCH = _serve  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(fake: Fake) -> Iterator[Fake]:
    """The fake, answering at `fake.url`."""
    handler: Callable[..., BaseHTTPRequestHandler] = type("Handler", (_Handler,), {"fake": fake})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
