"""semgrep inside of a check, run for real; and what happens when it does not do its job."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from prodready import cli, project
from prodready.config import load
from prodready.engines import semgrep
from prodready.engines.base import Process
from prodready.finding import Report
from prodready.project import Options

STORE = 'localStorage.setItem("token", answer.token);\n'
PAGE = "<p>{{ comment.body|safe }}</p>\n"
OWN = """rules:
  - id: no-alert
    languages: [javascript]
    severity: ERROR
    message: an alert of $TEXT
    pattern: alert($TEXT)
"""
SQL = "def find(cursor, name):\n    cursor.execute(f\"SELECT * FROM users WHERE name = '{name}'\")\n"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prodready.toml").write_text("")
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "store.js").write_text(STORE)
    (tmp_path / "page.html").write_text(PAGE)
    (tmp_path / "app.py").write_text(SQL)
    return tmp_path


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The files of each run of semgrep."""
    told: list[list[str]] = []
    process = Process

    def counted(command: list[str], *rest: object) -> Process:
        told.append(command[command.index("--") + 1 :])
        return process(command, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(semgrep, "Process", counted)
    return told


def checked(root: Path, *targets: str, cache: bool = False, stdin: tuple[str, bytes] | None = None) -> Report:
    wanted = [root / target for target in targets] or [root]
    config = load(root)
    config = replace(config, engines=tuple(name for name in config.engines if name == "semgrep"))
    return project.check(config, wanted, Options(jobs=1, cache=cache, stdin=stdin))


def found(report: Report) -> list[str]:
    return [f"{f.location.path}:{f.location.line}:{f.location.column} {f.code}" for f in report.findings]


ALL = ["app.py:2:5 PRD301", "page.html:1:4 PRD503", "web/store.js:1:1 PRD803"]


def test_findings_stand_among_the_others(app: Path) -> None:
    report = checked(app)
    assert (found(report), report.problems, report.exit_code, report.files) == (ALL, (), 1, 3)
    stored = report.findings[2]
    assert (stored.slug, stored.confidence.label) == ("browser-storage-as-database-or-token-store", "high")
    assert "HttpOnly" in stored.hint
    assert stored.snippet == STORE.strip()
    assert len(stored.fingerprint) == 16


def test_columns_count_characters(app: Path) -> None:
    (app / "web" / "store.js").write_text(f'f("\u00e4\u00f6\U0001f600"); {STORE}')
    assert found(checked(app, "web")) == ["web/store.js:1:11 PRD803"]


def test_only_the_targets_are_looked_at(app: Path, runs: list[list[str]]) -> None:
    assert found(checked(app, "page.html")) == ["page.html:1:4 PRD503"]
    assert found(checked(app, "app.py")) == ["app.py:2:5 PRD301"]
    assert runs == [["page.html"]]


def test_nothing_to_do_starts_nothing(app: Path, runs: list[list[str]]) -> None:
    (app / "web" / "store.js").write_text("let count = 1;\n")
    (app / "page.html").unlink()
    assert found(checked(app)) == ALL[:1]
    assert runs == []


def test_what_is_known_is_not_asked_again(app: Path, runs: list[list[str]]) -> None:
    for _ in range(3):
        assert found(checked(app, cache=True)) == ALL
    assert runs == [["page.html", "web/store.js"]]
    (app / "web" / "store.js").write_text(f"\n{STORE}")
    assert found(checked(app, cache=True))[2] == "web/store.js:2:1 PRD803"
    assert runs[1:] == [["web/store.js"]]


def test_a_change_of_patterns_asks_again(app: Path, runs: list[list[str]]) -> None:
    checked(app, cache=True)
    (app / "own.yaml").write_text(OWN)
    (app / "prodready.toml").write_text('semgrep = ["own.yaml"]\n')
    (app / "web" / "store.js").write_text(f"{STORE}alert(1);\n")
    assert found(checked(app, cache=True)) == [*ALL, "web/store.js:2:1 no-alert"]
    (app / "own.yaml").write_text(OWN.replace("alert(", "warn("))
    assert found(checked(app, cache=True)) == ALL
    assert len(runs) == 3


def test_standard_input_stands_for_a_file(app: Path) -> None:
    report = checked(app, "web/store.js", stdin=("web/store.js", b"\n\n" + STORE.encode()))
    assert (found(report), report.problems) == (["web/store.js:3:1 PRD803"], ())


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("web/store.js", f"// prodready: ignore[PRD803] a demonstration\n{STORE}"),
        (
            "web/store.js",
            f"{STORE.strip()} // prodready: ignore[browser-storage-as-database-or-token-store] a demonstration\n",
        ),
        ("web/store.js", f"/* prodready: ignore-file[PRD803] a demonstration */\n\n\n{STORE}"),
        ("page.html", f"<!-- prodready: ignore[PRD503] cleaned before it is stored -->\n{PAGE}"),
        ("page.html", f"{{# prodready: ignore[PRD503] cleaned before it is stored #}}\n{PAGE}"),
        ("Dockerfile", "FROM x\n# prodready: ignore[PRD701] a demonstration\nCMD flask run\n"),
    ],
)
def test_comments_silence(app: Path, path: str, text: str) -> None:
    (app / path).write_text(text)
    report = checked(app, path)
    assert (found(report), report.problems) == ([], ())
    assert [item.reason for item in report.suppressed]


def test_comments_that_silence_nothing_are_reported(app: Path) -> None:
    (app / "web" / "store.js").write_text("// prodready: ignore[PRD803] once\nlet count = 1;\n")
    (app / "page.html").write_text("<!-- prodready: ignore[PRD583] typed wrong -->\n")
    assert found(checked(app, "web", "page.html")) == ["page.html:1:1 PRD002", "web/store.js:1:1 PRD001"]


def test_semgreps_own_comment_counts_too(app: Path) -> None:
    (app / "web" / "store.js").write_text(f"{STORE.strip()} // nosemgrep\n")
    assert found(checked(app, "web")) == []


def test_selection(app: Path, capsys: pytest.CaptureFixture[str], runs: list[list[str]]) -> None:
    assert cli.main(["check", "--select", "PRD503", "--output-format", "concise", "-q", "--no-cache"]) == 1
    assert capsys.readouterr().out.startswith("page.html:1:4: PRD503 ")
    assert cli.main(["check", "--select", "PRD301", "-q", "--no-cache"]) == 1
    assert len(runs) == 1
    (app / "prodready.toml").write_text("engines = []\n")
    assert found(checked(app)) == ALL[:1]
    assert len(runs) == 1


class TestOwnPatterns:
    @pytest.fixture(autouse=True)
    def _own(self, app: Path) -> None:
        (app / "lint").mkdir()
        (app / "lint" / "own.yaml").write_text(OWN)
        (app / "prodready.toml").write_text('semgrep = ["lint/*.yaml"]\n')
        (app / "web" / "store.js").write_text('alert("hello");\n')

    def test_the_id_is_the_code(self, app: Path) -> None:
        report = checked(app, "web")
        assert found(report) == ["web/store.js:1:1 no-alert"]
        assert (report.findings[0].severity.label, report.findings[0].message) == ("error", 'an alert of "hello"')

    @pytest.mark.parametrize(
        ("words", "code"),
        [
            (["--select", "no-alert"], 1),
            (["--select", "PRD"], 0),
            (["--ignore", "no-alert"], 0),
            (["--extend-select", "no-alert"], 1),
        ],
    )
    def test_selection_by_it(self, app: Path, words: list[str], code: int) -> None:
        assert cli.main(["check", "-q", "--no-cache", *words, "web"]) == code

    def test_selection_in_the_configuration(self, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
        keys = 'semgrep = ["lint/*.yaml"]\n'
        for more in ('ignore = ["no-alert"]', 'per-file-ignores = { "web/" = ["no-alert"] }'):
            (app / "prodready.toml").write_text(keys + more)
            assert found(checked(app, "web")) == []
        (app / "prodready.toml").write_text(f'{keys}ignore = ["no-alret"]')
        assert cli.main(["check", "web"]) == 2
        assert "no rule has the code or prefix 'no-alret'; did you mean 'no-alert'?" in capsys.readouterr().err

    def test_suppression(self, app: Path) -> None:
        (app / "web" / "store.js").write_text("// prodready: ignore[no-alert] for the demonstration\nalert(1);\n")
        report = checked(app, "web")
        assert (found(report), len(report.suppressed)) == ([], 1)

    def test_sarif_and_the_list_of_rules_know_it(self, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["check", "--no-cache", "--output-format", "sarif", "web"]) == 1
        run = json.loads(capsys.readouterr().out)["runs"][0]
        assert "no-alert" in {rule["id"] for rule in run["tool"]["driver"]["rules"]}
        assert cli.main(["rules"]) == 0
        assert "no-alert" in capsys.readouterr().out
        assert cli.main(["rule", "no-alert"]) == 0
        assert "an alert of $TEXT" in capsys.readouterr().out

    def test_a_broken_rule_costs_only_itself(self, app: Path) -> None:
        broken = OWN.replace("no-alert", "broken").replace("alert($TEXT)", "alert(((")
        (app / "lint" / "broken.yaml").write_text(broken)
        for _ in range(2):  # What is incomplete must not be kept.
            report = checked(app, cache=True)
            assert found(report) == ["app.py:2:5 PRD301", "page.html:1:4 PRD503", "web/store.js:1:1 no-alert"]
            assert report.exit_code == 2
            assert [problem.path for problem in report.problems] == ["lint/broken.yaml"]
            assert "rule broken" in report.problems[0].message

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("rules: [", "not YAML: line 2"),
            ("hello: 1\n", "no list `rules`"),
            ("rules:\n  - message: x\n", "a rule without an `id`"),
            (OWN, "rule no-alert: lint/own.yaml has one of that name too"),
            (OWN.replace("no-alert", "PRD999"), "rule 'PRD999': not a good id"),
            (OWN.replace("no-alert", "prd803-mine"), "rule 'prd803-mine': not a good id"),
            ("rules: \x00\n", "not YAML"),
        ],
    )
    def test_a_broken_file_costs_only_itself(self, app: Path, text: str, why: str) -> None:
        (app / "lint" / "second.yaml").write_text(text)
        report = checked(app, "web")
        assert found(report) == ["web/store.js:1:1 no-alert"]
        assert [problem.path for problem in report.problems] == ["lint/second.yaml"]
        assert why in report.problems[0].message

    def test_a_file_that_is_not_there(self, app: Path) -> None:
        (app / "prodready.toml").write_text('semgrep = ["lint/own.yaml", "rules/none.yaml"]\n')
        report = checked(app, "web")
        assert found(report) == ["web/store.js:1:1 no-alert"]
        assert [str(problem) for problem in report.problems] == [
            "semgrep: rules/none.yaml: there is no such file of patterns"
        ]


class TestFilesThatAreNotRead:
    @pytest.mark.parametrize(
        ("name", "text", "why"),
        [
            ("big.js", STORE + "// " + "x y " * 300_000, "over 1 MB"),
            ("app.min.js", STORE, "minified"),
            ("one.js", STORE.strip() + "var a=1;" * 5_000, "taken for minified"),
            ("jquery.js", f"/*! jQuery */\n{STORE}", "a library"),
            ("broken.js", f"{STORE}foo((; {{\n", "not read in full"),
        ],
    )
    def test_they_are_named(self, app: Path, name: str, text: str, why: str) -> None:
        (app / "web" / "store.js").unlink()
        (app / "web" / name).write_text(text)
        for _ in range(2):
            report = checked(app, "web", cache=True)
            told = [note for note in report.notes if note.startswith(f"web/{name}")]
            assert any(why in note for note in told), report.notes
            assert report.problems == ()

    def test_a_link_is_read_once(self, app: Path) -> None:
        (app / "web" / "again.js").symlink_to("store.js")
        assert found(checked(app, "web")) == ["web/store.js:1:1 PRD803"]


class TestWithout:
    @pytest.fixture(autouse=True)
    def _without(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(semgrep, "program", lambda: "")

    def test_one_line_and_the_rest_works(self, app: Path) -> None:
        report = checked(app)
        assert (found(report), report.problems, report.exit_code) == (ALL[:1], (), 1)
        assert len(report.warnings) == 1
        assert "semgrep is not installed: PRD503, PRD701, PRD702, PRD803 not looked for" in report.warnings[0]
        assert "pip install 'prodready[semgrep]'" in report.warnings[0]

    def test_silence_where_there_is_nothing_for_it(self, app: Path) -> None:
        (app / "page.html").unlink()
        (app / "web" / "store.js").unlink()
        assert checked(app).warnings == ()

    def test_a_comment_for_it_is_not_called_unused(self, app: Path) -> None:
        (app / "app.py").write_text("x = 1  # prodready: ignore[PRD503] cleaned\n")
        assert found(checked(app)) == []

    def test_who_asks_for_it_is_told_that_it_was_not_done(self, app: Path) -> None:
        (app / "prodready.toml").write_text('extend-select = ["PRD803"]\n')
        assert checked(app).exit_code == 2
        (app / "own.yaml").write_text(OWN)
        (app / "prodready.toml").write_text('semgrep = ["own.yaml"]\n')
        assert checked(app).exit_code == 2


class TestFaults:
    @pytest.fixture
    def told(self, app: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Words for a program that stands in for semgrep."""
        script = app / ".fake"
        body: list[str] = []

        def program() -> str:
            script.write_text("\n".join([f"#!{sys.executable}", "import os, sys, time, signal", *body]))
            script.chmod(0o755)
            return str(script)

        monkeypatch.setattr(semgrep, "program", program)
        return body

    @pytest.mark.parametrize(
        ("line", "why"),
        [
            ("print('no JSON')", "its answer cannot be read (exit code 0)"),
            ("print('{}')", "its answer cannot be read (exit code 0)"),
            ("print('[1, 2')", "its answer cannot be read (exit code 0)"),
            ('sys.stdout.write(\'{"results": [{}], "errors": [], "paths": {"scanned": []}}\')', "cannot be read"),
            ("sys.stderr.write('out of order'); sys.exit(7)", "(exit code 7): out of order"),
            ('print(\'{"results": [], "errors": [], "paths": {"scanned": []}}\'); sys.exit(3)', "exit code 3"),
            ("os.kill(os.getpid(), signal.SIGKILL)", "it was killed (SIGKILL)"),
        ],
    )
    def test_one_clear_line_and_the_rest_is_reported(self, app: Path, told: list[str], line: str, why: str) -> None:
        told.append(line)
        for _ in range(2):
            report = checked(app, cache=True)
            assert found(report) == ALL[:1]
            assert report.exit_code == 2
            assert len(report.problems) == 1
            assert report.problems[0].message.startswith("semgrep: ")
            assert why in report.problems[0].message

    def test_one_that_hangs_is_stopped(self, app: Path, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        child = app / "child"
        told += [f"open({str(child)!r}, 'w').write(str(os.getpid()))", "time.sleep(600)"]
        monkeypatch.setattr(semgrep, "LIMIT", 1.0)
        report = checked(app)
        assert found(report) == ALL[:1]
        assert "was still running after 1 s and was stopped" in report.problems[0].message
        with pytest.raises(OSError, match="No such process"):
            os.kill(int(child.read_text()), 0)

    def test_one_that_cannot_be_started(self, app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (app / ".fake").write_bytes(b"\x00\x01")
        (app / ".fake").chmod(0o755)
        monkeypatch.setattr(semgrep, "program", lambda: str(app / ".fake"))
        report = checked(app)
        assert found(report) == ALL[:1]
        assert "it could not be started" in report.problems[0].message

    def test_an_error_of_ours_costs_only_the_engine(self, app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object) -> str:
            raise RuntimeError("oh")

        monkeypatch.setattr(semgrep, "_left_out", broken)
        report = checked(app)
        assert found(report) == ALL[:1]
        assert [problem.message for problem in report.problems] == [
            "semgrep could not be run, please report it: RuntimeError: oh"
        ]

    def test_it_does_not_outlive_an_interrupt(
        self, app: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        child = app / "child"
        told += [f"open({str(child)!r}, 'w').write(str(os.getpid()))", "time.sleep(600)"]

        def interrupted(*_: object, **__: object) -> None:
            while not (child.exists() and child.read_text()):
                time.sleep(0.01)
            raise KeyboardInterrupt

        monkeypatch.setattr(project, "judge", interrupted)
        with pytest.raises(KeyboardInterrupt):
            checked(app)
        with pytest.raises(OSError, match="No such process"):
            os.kill(int(child.read_text()), 0)


def test_hostile_names_are_files_and_nothing_else(app: Path) -> None:
    for name in ("--config=x.js", "a b;$(touch pwned).js", "-.js"):
        (app / name).write_text(STORE)
    report = checked(app)
    assert report.problems == ()
    assert len(report.findings) == 6
    assert not (app / "pwned").exists()
