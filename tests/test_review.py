"""`prodready review`: one run after the other against fakes of GitHub and GitLab, and what goes wrong on the way."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from git_app import App
from markdown_it import MarkdownIt
from review_fakes import OTHER, TOKEN, Fake, Fault, GitHub, GitLab, served

from prodready import cli

pytest.importorskip("github")
pytest.importorskip("gitlab")

from prodready.review import github as github_module
from prodready.review import gitlab as gitlab_module
from prodready.review import sync as sync_module
from prodready.review.comment import key_of

BOTH = ("github", "gitlab")
WRITES = {"github": "POST .*/reviews", "gitlab": "POST .*/discussions"}
SUMMARIES = {"github": "POST .*/issues/7/comments", "gitlab": "POST .*/notes"}
READS = {"github": "query", "gitlab": "GET .*/discussions"}


class Review:
    """A pull request of a small application, with what it takes to review it."""

    def __init__(self, provider: str, app: App, fake: Fake, tmp_path: Path) -> None:
        self.provider, self.app, self.fake = provider, app, fake
        self.base = app.git("rev-parse", "HEAD").strip()
        self.event = tmp_path / "event.json"
        self.printed = ""

    def environment(self) -> dict[str, str]:
        head = self.fake.head = self.app.git("rev-parse", "HEAD").strip()
        if self.provider == "github":
            event = {"pull_request": {"number": 7, "base": {"sha": self.base}, "head": {"sha": head}}}
            self.event.write_text(json.dumps(event))
            return {
                "GITHUB_ACTIONS": "true",
                "GITHUB_EVENT_PATH": str(self.event),
                "GITHUB_REPOSITORY": "o/r",
                "GITHUB_API_URL": self.fake.url,
                "GITHUB_TOKEN": TOKEN,
            }
        return {
            "GITLAB_CI": "true",
            "CI_API_V4_URL": f"{self.fake.url}/api/v4",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_MERGE_REQUEST_PROJECT_ID": "5",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": self.base,
            "CI_COMMIT_SHA": head,
            "GITLAB_TOKEN": TOKEN,
        }


Run = Callable[..., int]


@pytest.fixture(params=BOTH)
def review(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Review]:
    for name in [name for name in os.environ if name.startswith(("GITHUB_", "GITLAB_", "CI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(github_module, "BETWEEN_WRITES", None)
    monkeypatch.setattr(sync_module, "pause", lambda _: None)
    app = App(tmp_path / "app")
    monkeypatch.chdir(app.root)
    with served(GitHub() if request.param == "github" else GitLab()) as fake:
        yield Review(request.param, app, fake, tmp_path)


@pytest.fixture
def run(review: Review, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str, **changed: str) -> int:
        for name, value in {**review.environment(), **changed}.items():
            monkeypatch.setenv(name, value)
        code = cli.main(["review", *words])
        written = capsys.readouterr()
        review.printed = written.out + written.err
        assert TOKEN not in review.printed
        return code

    return run


def touch(app: App, what: str = "SELECT 1") -> None:
    """Change the line of a finding, so that it belongs to the change."""
    text = (app.root / "app.py").read_text()
    (app.root / "app.py").write_text(re.sub(r"SELECT \S+ FROM a WHERE x = '", f"{what} FROM a WHERE x = '", text))
    app.commit()


def more(app: App, count: int) -> None:
    """A file with so many findings."""
    lines = ["from app import app, db", "from flask import request", ""]
    for number in range(count):
        lines += [
            f'@app.route("/m{number}")',
            f"def more_{number}():",
            f'    db().execute("SELECT {number} FROM a WHERE x = " + request.args["q"])',
            "",
        ]
    app.write("more.py", "\n".join(lines))
    app.commit()


class TestRuns:
    def test_nothing_found_says_nothing(self, review: Review, run: Run) -> None:
        review.app.change("app.py", "# one", "# other")
        review.app.commit()
        assert run() == 0
        assert (review.fake.threads, review.fake.notes) == ([], [])

    def test_a_comment_has_what_why_way_and_fix(self, review: Review, run: Run) -> None:
        touch(review.app)
        assert run() == 1
        (thread,) = review.fake.threads
        body = thread["notes"][0]["body"]
        assert "(request data) is put into the text of SQL" in body
        assert "`app.py:14`: assigned to `q`" in body
        assert "Why it matters" in body
        header = "suggestion" if review.provider == "github" else "suggestion:-0+0"
        assert f'```{header}\n    db().execute("SELECT 1 FROM a WHERE x = ?", (q,))\n```' in body
        place = thread["place"]
        if review.provider == "github":
            assert {**place, "body": ""} == {"path": "app.py", "line": 15, "side": "RIGHT", "body": ""}
        else:
            assert (place["new_path"], place["new_line"], "old_line" in place) == ("app.py", 15, False)
        (note,) = review.fake.notes
        assert "1 finding in this change (1 error)" in note["body"]

    def test_again_repeats_nothing(self, review: Review, run: Run) -> None:
        touch(review.app)
        run()
        review.fake.reply(0, "why?")
        before = json.dumps([review.fake.threads, review.fake.notes])
        assert run() == 1
        assert json.dumps([review.fake.threads, review.fake.notes]) == before
        assert review.fake.edits == 0

    def test_three_pushes(self, review: Review, run: Run) -> None:
        touch(review.app)
        more(review.app, 3)
        run()
        assert len(review.fake.threads) == 4
        assert review.fake.reviews == (1 if review.provider == "github" else 4)
        review.fake.reply(1, "will do")
        lines = (review.app.root / "more.py").read_text()
        review.app.write(
            "more.py", "# moved down\n\n" + lines.replace('"SELECT 0 FROM a WHERE x = " + request.args["q"]', '"x"')
        )
        review.app.commit()
        assert run() == 1
        assert len(review.fake.threads) == 4
        (fixed,) = review.fake.bodies(resolved=True)
        assert "more.py:6`" in fixed
        assert "1 fixed" in review.fake.notes[0]["body"]
        assert len(review.fake.notes) == 1
        more(review.app, 3)
        assert run() == 1
        assert (len(review.fake.threads), review.fake.bodies(resolved=True)) == (4, [])
        assert [note["author"] for thread in review.fake.threads for note in thread["notes"]].count(OTHER) == 1

    def test_all_fixed(self, review: Review, run: Run) -> None:
        touch(review.app)
        run()
        review.app.write("app.py", "x = 1\n")
        review.app.commit()
        assert run() == 0
        assert review.fake.bodies(resolved=False) == []
        assert "no findings in this change; 1 fixed" in review.fake.notes[0]["body"]

    def test_what_a_person_resolved_stays_so(self, review: Review, run: Run) -> None:
        touch(review.app)
        run()
        review.fake.threads[0].update(resolved=True, by=OTHER)
        run()
        assert (len(review.fake.threads), review.fake.threads[0]["resolved"]) == (1, True)

    def test_the_marks_of_others_count_for_nothing(self, review: Review, run: Run) -> None:
        touch(review.app)
        run()
        for note in (review.fake.threads[0]["notes"][0], review.fake.notes[0]):
            note["author"] = OTHER
        run()
        assert (len(review.fake.threads), len(review.fake.notes)) == (2, 2)
        run()
        assert (len(review.fake.threads), len(review.fake.notes)) == (2, 2)

    def test_what_was_removed_is_shown_on_the_old_side(self, review: Review, run: Run) -> None:
        review.app.change("app.py", '    if sort not in ("name", "age"):\n        abort(400)\n', "")
        review.app.commit()
        assert run() == 1
        (thread,) = review.fake.threads
        place = thread["place"]
        if review.provider == "github":
            assert (place["line"], place["side"]) == (22, "LEFT")
        else:
            assert (place["old_line"], "new_line" in place) == (22, False)
        assert "was removed here" in thread["notes"][0]["body"]

    def test_too_many_go_to_the_summary(self, review: Review, run: Run) -> None:
        more(review.app, 5)
        run("--max-comments", "2")
        assert len(review.fake.threads) == 2
        assert review.fake.notes[0]["body"].count("\n- `more.py:") == 3
        run("--max-comments", "2")
        assert len(review.fake.threads) == 2

    def test_what_is_fixed_makes_room(self, review: Review, run: Run) -> None:
        more(review.app, 2)
        run("--max-comments", "2")
        text = (review.app.root / "more.py").read_text().replace("SELECT", "SELECT a,").replace("more_", "other_")
        review.app.write("more.py", text)
        review.app.commit()
        run("--max-comments", "2")
        assert (len(review.fake.bodies(resolved=True)), len(review.fake.bodies(resolved=False))) == (2, 2)

    def test_a_line_that_the_host_does_not_take(self, review: Review, run: Run) -> None:
        touch(review.app)
        more(review.app, 2)
        review.fake.refused_paths = {"more.py"}
        assert run() == 1
        assert len(review.fake.threads) == 1
        assert review.fake.notes[0]["body"].count("\n- `more.py:") == 2

    def test_a_newer_commit(self, review: Review, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        touch(review.app)
        environment = review.environment()
        review.fake.head = "f" * 40
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert cli.main(["review"]) == 1
        assert (review.fake.threads, review.fake.notes) == ([], [])

    def test_files_that_cannot_be_read_resolve_nothing(self, review: Review, run: Run) -> None:
        touch(review.app)
        run()
        review.app.write("app.py", "def (\n")
        review.app.commit()
        assert run() == 2
        assert review.fake.bodies(resolved=True) == []
        assert "could not be looked at" in review.fake.notes[0]["body"]

    def test_another_commit_is_checked_out(self, review: Review, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        touch(review.app)
        environment = review.environment()
        review.app.git("checkout", "-q", review.base)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert cli.main(["review"]) == 1
        assert "SELECT 1 FROM" in review.fake.bodies()[0]

    def test_exit_zero(self, review: Review, run: Run) -> None:
        touch(review.app)
        assert run("--exit-zero") == 0


class TestDryRun:
    def test_asks_nobody(self, review: Review, run: Run) -> None:
        touch(review.app)
        assert run("--dry-run", GITHUB_TOKEN="", GITLAB_TOKEN="") == 1
        assert review.fake.log == []
        assert "--- app.py:15 (new)" in review.printed

    def test_json(self, review: Review, run: Run) -> None:
        touch(review.app)
        run("--dry-run", "--output-format", "json")
        found = json.loads(review.printed)
        assert found["provider"] == review.provider
        assert [(c["path"], c["line"], c["side"]) for c in found["comments"]] == [("app.py", 15, "new")]
        assert found["summary"].startswith("<!-- prodready summary -->")


class TestFaults:
    """After every fault the next run, or the same one, ends with one comment and one summary."""

    @pytest.mark.parametrize("where", [READS, WRITES, SUMMARIES], ids=["read", "write", "summary"])
    @pytest.mark.parametrize(
        "fault",
        [
            lambda where: Fault(where, 500),
            lambda where: Fault(where, 502, body="<html>bad gateway</html>"),
            lambda where: Fault(where, 500, after=True),
            lambda where: Fault(where, 503, headers={"Retry-After": "3"}),
            lambda where: Fault(where, 429, headers={"Retry-After": "3"}),
            lambda where: Fault(where, cut=True),
            lambda where: Fault(where, cut=True, after=True),
            lambda where: Fault(where, cut=True, after=True, times=2),
        ],
        ids=["500", "502", "500-after", "503", "429", "cut", "cut-after", "cut-twice"],
    )
    def test_passing_trouble(
        self, review: Review, run: Run, where: dict[str, str], fault: Callable[[str], Fault]
    ) -> None:
        touch(review.app)
        review.fake.faults = [fault(where[review.provider])]
        assert run() == 1
        assert (len(review.fake.threads), len(review.fake.notes)) == (1, 1)

    @pytest.mark.parametrize("where", [READS, WRITES, SUMMARIES], ids=["read", "write", "summary"])
    @pytest.mark.parametrize(("status", "says"), [(401, "401"), (404, "404"), (500, "5 times"), (418, "418")])
    def test_lasting_trouble(self, review: Review, run: Run, where: dict[str, str], status: int, says: str) -> None:
        touch(review.app)
        review.fake.faults = [Fault(where[review.provider], status, times=99)]
        assert run() == 2
        assert says in review.printed
        assert len(review.printed.strip().splitlines()) == 1
        review.fake.faults = []
        assert run() == 1
        assert (len(review.fake.threads), len(review.fake.notes)) == (1, 1)

    def test_waits_as_long_as_it_is_told(self, review: Review, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        waited: list[float] = []
        monkeypatch.setattr(sync_module, "pause", waited.append)
        touch(review.app)
        reset = str(int(time.time()) + 50)
        write = WRITES[review.provider]
        review.fake.faults = [Fault(write, 429, headers={"Retry-After": "17"})]
        if review.provider == "github":
            limit = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
            review.fake.faults.append(Fault(write, 403, headers=limit, body={"message": "API rate limit exceeded"}))
            second = {"message": "You have exceeded a secondary rate limit"}
            review.fake.faults.append(Fault(write, 403, body=second))
        else:
            review.fake.faults.append(Fault(write, 429, headers={"RateLimit-Reset": reset}))
        assert run() == 1
        assert waited[0] == 17
        assert 40 < waited[1] <= 52
        assert waited[2:] == ([60] if review.provider == "github" else [])
        assert len(review.fake.threads) == 1

    def test_does_not_wait_for_hours(self, review: Review, run: Run) -> None:
        touch(review.app)
        review.fake.faults = [Fault(WRITES[review.provider], 429, headers={"Retry-After": "3600"})]
        assert run() == 2
        assert "3600 s" in review.printed

    @pytest.mark.parametrize("where", [READS, WRITES], ids=["read", "write"])
    def test_a_token_that_may_only_read(self, review: Review, run: Run, where: dict[str, str]) -> None:
        touch(review.app)
        body = {"message": "Resource not accessible by integration"}
        review.fake.faults = [Fault(where[review.provider], 403, body=body, times=9)]
        assert run() == 1
        assert "nothing can be posted, so the findings stand in this log" in review.printed
        shown = "::error file=app.py,line=15" if review.provider == "github" else "app.py:15:5: PRD301"
        assert shown in review.printed

    def test_resolving_is_not_allowed(self, review: Review, run: Run) -> None:
        touch(review.app)
        run()
        review.app.write("app.py", "x = 1\n")
        review.app.commit()
        if review.provider == "github":
            said = {
                "data": {"resolveReviewThread": None},
                "errors": [{"type": "FORBIDDEN", "message": "not accessible"}],
            }
            review.fake.faults = [Fault("resolveReviewThread", 200, body=said)]
        else:
            review.fake.faults = [Fault("PUT .*/discussions", 403)]
        assert run() == 0
        assert "are not resolved" in review.printed
        assert "1 fixed" in review.fake.notes[0]["body"]

    def test_a_slow_api(self, review: Review, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(github_module if review.provider == "github" else gitlab_module, "TIMEOUT", 1)
        touch(review.app)
        review.fake.faults = [Fault(WRITES[review.provider], after=True, seconds=2.5)]
        assert run() == 1
        assert (len(review.fake.threads), len(review.fake.notes)) == (1, 1)

    @pytest.mark.parametrize("body", ["", "[]", '{"data": {}}', "nonsense", '{"data": {"viewer": 1}}'])
    def test_an_answer_that_makes_no_sense(self, review: Review, run: Run, body: str) -> None:
        touch(review.app)
        review.fake.faults = [Fault(READS[review.provider], 200, body=body, times=9)]
        if review.provider == "gitlab" and body == "[]":
            return  # No discussions.
        assert run() == 2
        assert len(review.printed.strip().splitlines()) == 1

    def test_terminated_in_the_middle(self, review: Review, run: Run) -> None:
        touch(review.app)
        more(review.app, 2)
        review.fake.faults = [Fault(WRITES[review.provider], after=True, seconds=5)]
        environment = {**os.environ, **review.environment()}
        process = subprocess.Popen(
            [sys.executable, "-m", "prodready", "review"], env=environment, stderr=subprocess.PIPE
        )
        deadline = time.monotonic() + 60
        while not any(re.search(WRITES[review.provider], line) for line in review.fake.log):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
        assert process.returncode not in (0, 1)
        assert TOKEN.encode() not in errors
        assert run() == 1
        assert (len(review.fake.threads), len(review.fake.notes)) == (3, 1)


class TestEnvironment:
    @pytest.mark.parametrize(
        ("name", "value", "says"),
        [
            ("GITHUB_EVENT_PATH", "/nowhere", "cannot be read"),
            ("GITHUB_REPOSITORY", "o", "owner/name"),
            ("GITHUB_API_URL", "file:///etc", "not an address"),
            ("GITHUB_TOKEN", "", "GITHUB_TOKEN is not set"),
            ("CI_MERGE_REQUEST_IID", "", "CI_MERGE_REQUEST_IID is not set"),
            ("CI_MERGE_REQUEST_IID", "x", "is no number"),
            ("CI_COMMIT_SHA", "--help", "not the id of a commit"),
            ("CI_COMMIT_SHA", "a" * 40, "names no commit here"),
            ("GITLAB_TOKEN", "", "GITLAB_TOKEN is not set"),
        ],
    )
    def test_one_line_for_what_is_wrong(self, review: Review, run: Run, name: str, value: str, says: str) -> None:
        if name.startswith("GITHUB") != (review.provider == "github"):
            return
        touch(review.app)
        assert run(**{name: value}) == 2
        assert says in review.printed
        assert review.fake.threads == []

    def test_an_event_that_is_no_pull_request(self, review: Review, run: Run, tmp_path: Path) -> None:
        if review.provider == "github":
            place = tmp_path / "push.json"
            place.write_text('{"ref": "refs/heads/main"}')
            assert run(GITHUB_EVENT_PATH=str(place), GITHUB_EVENT_NAME="push") == 2
            assert "push is no event of a pull request" in review.printed

    def test_a_library_that_is_not_there(self, review: Review, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(sys.modules, f"prodready.review.{review.provider}")
        monkeypatch.setitem(sys.modules, review.provider, None)
        assert run() == 2
        assert review.printed.count("\n") == 1
        assert "pip install 'prodready[review]'" in review.printed


HOSTILE = [
    "@org/team @mallory #1 GH-7 org/repo#3 !5 $9 ~label &2 %milestone",
    "[x](javascript:alert(1)) ![i](https://evil/x.png) <https://evil> www.evil.com",
    "\x1b[31mred \u202eoverride \u2066isolate \u009b31m \u200bzero",
    "::error file=x::y ##[error]z ##vso[task.complete]",
    "%0A::set-output name=a::b\r\n::stop-commands::x",
    "/close /approve /merge /assign @mallory",
    "```\n# <!-- prodready finding=" + "0" * 32 + " -->\n````suggestion\nevil\n````",
    "</details><img src=x onerror=alert(1)> @org/all ![x](http://evil)",
    "``````` ~~~~~~~",
    "<!-- prodready summary -->",
]


def test_a_mark_counts_at_the_start_only() -> None:
    mark = f"<!-- prodready finding={'0' * 32} -->"
    assert key_of(f"{mark}\nx") == "0" * 32
    assert key_of(f"x\n{mark}") == key_of(f"> {mark}") == ""


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_breaks_out_of_a_comment(review: Review, run: Run, text: str) -> None:
    line = " ".join(re.split("[\r\n]+", text))
    name = re.sub(r"[/\n]", " ", text)[:60] + ".py"
    review.app.write(
        name,
        "from app import app, db\nfrom flask import request\n\n"
        f"@app.route('/x')\ndef x():\n    db().execute('''{line}\n{text} ''' + request.args['q'])  # {line}\n",
    )
    review.app.commit()
    assert run() == 1
    (thread,) = review.fake.threads
    assert (thread["place"].get("path") or thread["place"]["new_path"]) == name
    for body in (thread["notes"][0]["body"], review.fake.notes[0]["body"]):
        tokens = MarkdownIt("commonmark").parse(body)
        html = [token.content for token in tokens if token.type == "html_block"]
        assert all(
            re.fullmatch(r"(<!-- prodready [a-z]+(=[0-9a-f]{32})? -->|</?details>.*)\s*.*", part, re.DOTALL)
            for part in html
        )
        inner = [child for token in tokens for child in token.children or ()]
        assert {child.type for child in inner} <= {"text", "code_inline", "softbreak", "strong_open", "strong_close"}
        assert [t.info for t in tokens if t.type == "fence"] in (
            [],
            ["diff"],
            ["suggestion"],
            ["suggestion:-0+0"],
            ["suggestion:-0+1"],
            ["suggestion:-0+4"],
        )
    assert run() == 1
    assert (len(review.fake.threads), len(review.fake.notes)) == (1, 1)


class TestSuggestions:
    """What a person who applies a suggestion gets: the finding is gone."""

    def apply(self, review: Review, place: dict[str, object], body: str) -> None:
        found = re.search(r"^```suggestion(?::-(\d+)\+(\d+))?\n(.*?)\n?^```$", body, re.MULTILINE | re.DOTALL)
        assert found
        if review.provider == "github":
            last = int(str(place["line"]))
            first = int(str(place.get("start_line", last)))
        else:
            line = int(str(place["new_line"]))
            first, last = line - int(found[1]), line + int(found[2])
        file = review.app.root / str(place.get("path") or place["new_path"])
        lines = file.read_text().split("\n")
        lines[first - 1 : last] = found[3].split("\n")
        file.write_text("\n".join(lines))

    @pytest.mark.parametrize(
        "code",
        [
            """    db().execute(f"SELECT * FROM b WHERE x = '{q}'")""",
            """    db().execute(\n        f"SELECT * FROM b "\n        f"WHERE x = '{q}'"\n    )""",
            """    if q:\n        db().execute("SELECT * FROM b WHERE x = '%s' AND y = '%s'" % (q, q))""",
        ],
        ids=["f-string", "several lines", "percent"],
    )
    def test_applied_it_removes_the_finding(self, review: Review, run: Run, code: str) -> None:
        head = "from flask import request\n\nfrom app import app, db\n\n\n@app.route('/b')\n"
        head += "def b():\n    q = request.args['q']\n"
        review.app.write("b.py", f"{head}{code}\n    return ''\n")
        review.app.commit()
        assert run() == 1
        (thread,) = review.fake.threads
        self.apply(review, thread["place"], thread["notes"][0]["body"])
        review.app.commit()
        compile((review.app.root / "b.py").read_text(), "b.py", "exec")
        assert run() == 0
        assert review.fake.bodies(resolved=False) == []
        assert "1 fixed" in review.fake.notes[0]["body"]


class TestRefusals:
    """Every answer that is no yes, at every step: nothing lost, nothing twice, the token never told."""

    @pytest.mark.parametrize(
        ("step", "status", "times"),
        [
            *(("write", status, 99) for status in (400, 401, 403, 404, 409, 422, 429, 500, 503)),
            *((step, status, 1) for step in ("read", "write", "summary") for status in (429, 503)),
            *((step, status, 99) for step in ("read", "summary") for status in (401, 403, 422, 500)),
        ],
    )
    def test_then_the_next_run_makes_it_good(
        self, review: Review, run: Run, step: str, status: int, times: int
    ) -> None:
        where = {"read": READS, "write": WRITES, "summary": SUMMARIES}[step]
        touch(review.app)
        more(review.app, 2)
        body = {"message": f"no, {TOKEN}", "errors": [{"message": TOKEN}]}
        review.fake.faults = [Fault(where[review.provider], status, times=times, body=body)]
        assert run() in (1, 2)  # `run` looks for the token in all that is printed.
        assert "Traceback" not in review.printed
        review.fake.faults = []
        assert run() == 1
        keys = [key_of(body) for body in review.fake.bodies()]
        assert (len(keys), len(set(keys)), len(review.fake.notes)) == (3, 3, 1)

    @pytest.mark.parametrize("number", [1, 2, 3, 4])
    @pytest.mark.parametrize("after", [False, True])
    def test_cut_off_after_some(self, review: Review, run: Run, number: int, after: bool) -> None:
        touch(review.app)
        more(review.app, 4)
        write = WRITES[review.provider]
        review.fake.faults = [Fault(write, after=True, times=number - 1)]  # These go through.
        review.fake.faults.append(Fault(write, cut=True, after=after, times=9))
        assert run() in (1, 2)
        review.fake.faults = []
        assert run() == 1
        keys = [key_of(body) for body in review.fake.bodies()]
        assert (len(keys), len(set(keys)), len(review.fake.notes)) == (5, 5, 1)
