"""Bandit and detect-secrets inside of a check, run for real; and what happens when they do not do their job."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import subprocess
from pathlib import Path

import pytest

from prodready import baseline, cli, project, rules
from prodready.cache import DATABASE
from prodready.config import load
from prodready.engines import semgrep, worker
from prodready.engines.base import Process
from prodready.finding import Report
from prodready.project import Options
from prodready.report import FORMATS
from prodready.rules import all_rules, bandit_tests, known_rules

pytestmark = pytest.mark.engines

KEY = "9d4Fq7Lw2Zk8Xr1Vb6Tn3Mp5Hs0Jc"
SHELL = "import subprocess\n\n\ndef run(command):\n    subprocess.call(command, shell=True)\n"
SQL = "def find(cursor, name):\n    cursor.execute(f\"SELECT * FROM users WHERE name = '{name}'\")\n"
ALL = [".env:1:17 PRD502", "shell.py:5:5 B602", "store.py:2:5 PRD301"]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prodready.toml").write_text("")
    (tmp_path / ".env").write_text(f"PAYMENT_API_KEY={KEY}\n")
    (tmp_path / "shell.py").write_text(SHELL)
    (tmp_path / "store.py").write_text(SQL)
    return tmp_path


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The module of each process that was started, with the number of its files."""
    told: list[str] = []
    process = Process

    def counted(command: list[str], *rest: object) -> Process:
        module, job = command[4:6]
        told.append(f"{module.rpartition('.')[2]} {len(json.loads(Path(job).read_text())['files'])}")
        return process(command, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(worker, "Process", counted)
    return told


def checked(root: Path, *, cache: bool = False, jobs: int = 2, stdin: tuple[str, bytes] | None = None) -> Report:
    return project.check(load(root), [root], Options(jobs=jobs, cache=cache, stdin=stdin))


def found(report: Report) -> list[str]:
    return [f"{f.location.path}:{f.location.line}:{f.location.column} {f.code}" for f in report.findings]


@pytest.mark.parametrize("jobs", [1, 2, 8])
def test_findings_stand_among_the_others(app: Path, jobs: int) -> None:
    report = checked(app, jobs=jobs)
    assert (found(report), report.problems) == (ALL, ())
    assert [finding.severity.label for finding in report.findings] == ["error", "error", "error"]


def test_what_is_known_is_not_asked_again(app: Path, runs: list[str]) -> None:
    for _ in range(2):
        assert found(checked(app, cache=True)) == ALL
    assert sorted(runs) == ["bandit_worker 1", "secrets_worker 1"]
    (app / "shell.py").write_text(f"\n{SHELL}")
    assert "shell.py:6:5 B602" in found(checked(app, cache=True))
    assert sorted(runs) == ["bandit_worker 1", "bandit_worker 1", "secrets_worker 1"]


def test_nothing_to_do_starts_nothing(app: Path, runs: list[str]) -> None:
    (app / ".env").write_text("DEBUG=0\n")
    (app / "shell.py").write_text("x = 1\n")
    assert found(checked(app)) == ALL[2:]
    assert runs == []


def test_each_can_be_switched_off(app: Path, runs: list[str]) -> None:
    (app / "prodready.toml").write_text('engines = ["bandit"]\n')
    assert found(checked(app)) == ALL[1:]
    (app / "prodready.toml").write_text("engines = []\n")
    assert found(checked(app)) == ALL[2:]
    assert runs == ["bandit_worker 1"]


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_no_more_processes_at_once_than_jobs(app: Path, monkeypatch: pytest.MonkeyPatch, jobs: int) -> None:
    (app / "Dockerfile").write_text('FROM python\nCMD ["flask", "run"]\n')
    alive: set[int] = set()
    most = [0]

    class Counted(Process):
        def __init__(self, *rest: object) -> None:
            super().__init__(*rest)  # type: ignore[arg-type]
            alive.add(id(self))
            most.append(len(alive))

        def stop(self) -> None:
            alive.discard(id(self))
            super().stop()

    monkeypatch.setattr(worker, "Process", Counted)
    monkeypatch.setattr(semgrep, "Process", Counted)
    report = checked(app, jobs=jobs)
    assert ({"PRD502", "B602", "PRD301", "PRD701"} <= {f.code for f in report.findings}, report.problems) == (True, ())
    assert (len(most), max(most), alive) == (4, jobs, set())


def test_standard_input_stands_for_a_file(app: Path) -> None:
    report = checked(app, stdin=("shell.py", f"\n\n{SHELL}".encode()))
    assert found(report) == ["shell.py:7:5 B602"]


@pytest.mark.parametrize("name", ["bandit", "detect_secrets"])
def test_a_module_in_the_project_is_not_imported_in_place_of_the_library(app: Path, name: str) -> None:
    (app / name).mkdir()
    (app / name / "__init__.py").write_text("open('imported', 'w').close()\n")
    assert (found(checked(app)), (app / "imported").exists()) == (ALL, False)


class TestBandit:
    def test_selection(self, app: Path) -> None:
        (app / "other.py").write_text("import subprocess\n\nassert subprocess\n")
        assert found(checked(app)) == ALL
        for keys, codes in (
            ('extend-select = ["B101"]', {"PRD502", "B602", "PRD301", "B101"}),
            ('select = ["B"]', {"B602"}),
            ('select = ["B1"]', {"B101"}),
            ('select = ["B1", "B4"]', {"B101", "B404"}),
            ('ignore = ["B602"]', {"PRD502", "PRD301"}),
            ('ignore = ["B"]', {"PRD502", "PRD301"}),
            ('select = ["PRD"]', {"PRD502", "PRD301"}),
            ('per-file-ignores = { "shell.py" = ["B6"] }', {"PRD502", "PRD301"}),
        ):
            (app / "prodready.toml").write_text(f"{keys}\n")
            assert {finding.code for finding in checked(app).findings} == codes, keys

    @pytest.mark.parametrize(
        "comment",
        [
            "# nosec",
            "# nosec B602",
            "# noqa: B602",
            "# prodready: ignore[B602] the command is ours",
            "# noqa",
            "# noqa: S602",
            "# noqa: E501, S602 ours",
        ],
    )
    def test_comments_silence(self, app: Path, comment: str) -> None:
        (app / "shell.py").write_text(SHELL.replace("True)", f"True)  {comment}"))
        assert found(checked(app)) == [ALL[0], ALL[2]]

    def test_comments_that_silence_nothing_are_reported_and_others_are_left_alone(self, app: Path) -> None:
        (app / "shell.py").write_text("x = 1  # noqa: B602\ny = 1  # noqa: B008, B950, B199\n")
        (app / "exec.py").write_text("exec(x)  # noqa: B602, B102\n")
        assert found(checked(app)) == [ALL[0], "exec.py:1:10 PRD001", "shell.py:1:8 PRD001", ALL[2]]

    def test_its_own_settings_count(self, app: Path) -> None:
        (app / "pyproject.toml").write_text('[tool.bandit]\nskips = ["B602"]\n')
        assert found(checked(app)) == [ALL[0], ALL[2]]
        (app / "pyproject.toml").write_text('[tool.bandit]\nexclude_dirs = ["shell.py"]\n')
        assert found(checked(app)) == [ALL[0], ALL[2]]
        (app / "pyproject.toml").write_text('[tool.bandit]\ntests = ["B102"]\n')
        assert found(checked(app)) == [ALL[0], ALL[2]]

    def test_settings_that_cannot_be_used(self, app: Path) -> None:
        (app / "pyproject.toml").write_text("[tool.bandit\n")
        report = checked(app)
        assert (found(report), report.exit_code) == (ALL, 2)
        assert "[tool.bandit] in pyproject.toml cannot be used" in report.problems[0].message

    def test_tests_and_low_confidence_stay_off(self, app: Path) -> None:
        (app / "tests").mkdir()
        (app / "tests" / "shell.py").write_text(SHELL)
        (app / "constant.py").write_text("import subprocess\n\nsubprocess.call('ls', shell=True)\n")
        assert found(checked(app)) == ALL
        (app / "prodready.toml").write_text('min-confidence = "low"\ntest-paths = []\n')
        assert {"tests/shell.py:5:5 B602", "constant.py:3:1 B602"} <= set(found(checked(app)))

    def test_one_finding_where_both_speak_of_the_same(self, app: Path) -> None:
        (app / "prodready.toml").write_text('extend-select = ["B608"]\nmin-confidence = "low"\n')
        ours = checked(app).findings[-1]
        assert (found(checked(app)), ours.message[-13:]) == (ALL, "(also: B608) "[:-1].rjust(13))
        (app / "prodready.toml").write_text('select = ["B608"]\nmin-confidence = "low"\n')
        assert [finding.code for finding in checked(app).findings] == ["B608"]
        (app / "prodready.toml").write_text(
            'extend-select = ["B608"]\nmin-confidence = "low"\nsame-as = { B608 = [] }\n'
        )
        assert {finding.code for finding in checked(app).findings} == {"PRD502", "B602", "B608", "PRD301"}

    def test_severity_by_configuration(self, app: Path) -> None:
        (app / "prodready.toml").write_text('severity = { B = "error", B602 = "info", PRD301 = "warning" }\n')
        assert [finding.severity.label for finding in checked(app).findings] == ["error", "info", "warning"]
        (app / "prodready.toml").write_text('severity = { B602 = "bad" }\n')
        assert cli.main(["check"]) == 2

    def test_the_message_of_a_password_does_not_show_it(self, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (app / "shell.py").write_text('password = "Gewitter83regen"\n')
        (app / "prodready.toml").write_text('select = ["B105"]\n')
        assert cli.main(["check", "--output-format", "json"]) == 1
        printed = capsys.readouterr().out
        assert "B105" in printed
        assert "Gewitter" not in printed

    def test_its_rules_have_pages_and_stand_in_sarif_and_in_baselines(
        self, app: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.main(["rule", "B602"]) == 0
        assert "A command is run through a shell." in capsys.readouterr().out
        cli.main(["check", "--output-format", "sarif"])
        run = json.loads(capsys.readouterr().out)["runs"][0]
        assert "B602" in {rule["id"] for rule in run["tool"]["driver"]["rules"]}
        assert cli.main(["baseline", "create"]) == 0
        assert '"B602"' in (app / ".prodready" / "baseline.jsonl").read_text()
        assert cli.main(["check"]) == 0
        assert baseline.less_known(load(app), [app], checked(app)).findings == ()

    def test_every_test_of_bandits_is_known_and_refers_to_rules_of_ours(self) -> None:
        from bandit.core.extension_loader import MANAGER

        theirs = {plugin.plugin._test_id for plugin in MANAGER.plugins}
        theirs |= {item["id"] for items in MANAGER.blacklist.values() for item in items}
        assert theirs - bandit_tests().keys() == set()
        codes = {code for test in bandit_tests().values() for code in test.same}
        assert [code for code in codes if not code.startswith("PRD")] == []
        assert {"PRD301", "PRD102", "PRD502", "PRD503"} <= codes & all_rules().keys()


class TestSecrets:
    def test_only_what_git_tracks_of_env_files(self, app: Path) -> None:
        subprocess.run(["git", "init", "--quiet"], cwd=app, check=True)
        assert found(checked(app)) == ALL[1:]
        subprocess.run(["git", "add", ".env"], cwd=app, check=True)
        assert found(checked(app)) == ALL

    def test_a_baseline_of_its_own_counts(self, app: Path) -> None:
        known = {"results": {".env": [{"hashed_secret": hashlib.sha1(KEY.encode()).hexdigest()}]}}
        (app / ".secrets.baseline").write_text(json.dumps(known))
        assert found(checked(app)) == ALL[1:]
        used = [{"path": "detect_secrets.filters.regex.should_exclude_file", "pattern": [r"\.env"]}]
        (app / ".secrets.baseline").write_text(json.dumps({"results": {}, "filters_used": used}))
        assert found(checked(app)) == ALL[1:]

    @pytest.mark.parametrize("text", ["{", "[]", '{"results": 3}', '{"results": {"a": [{}]}}'])
    def test_a_broken_baseline_is_told(self, app: Path, text: str) -> None:
        (app / ".secrets.baseline").write_text(text)
        report = checked(app)
        assert (found(report), len(report.problems), report.problems[0].path) == (ALL, 1, ".secrets.baseline")

    def test_filters_and_plugins_of_a_baseline_are_not_run(self, app: Path) -> None:
        (app / "plugin.py").write_text("open('ran', 'w').close()\n")
        data = {
            "plugins_used": [{"name": "X", "path": f"file://{app}/plugin.py"}],
            "filters_used": [{"path": f"file://{app}/plugin.py::is_it"}],
            "results": {},
        }
        (app / ".secrets.baseline").write_text(json.dumps(data))
        assert (found(checked(app)), (app / "ran").exists()) == (ALL, False)

    @pytest.mark.parametrize("output", FORMATS)
    def test_no_format_shows_the_value(self, app: Path, output: str, capsys: pytest.CaptureFixture[str]) -> None:
        (app / "settings.py").write_text(f'API_TOKEN = "{KEY}"\n')
        assert cli.main(["check", "--output-format", output]) == 1
        printed = capsys.readouterr()
        assert "PRD502" in printed.out
        assert KEY not in printed.out + printed.err

    def test_the_cache_of_engines_does_not_hold_the_value(self, app: Path) -> None:
        (app / "settings.py").write_text(f'API_TOKEN = "{KEY}"\n')
        (app / "web.ts").write_text(f'export const clientSecret = "{KEY}";\nfetch("/api/orders");\n')
        (app / "prodready.toml").write_text('extend-select = ["B105"]\n')
        for _ in range(2):
            assert sum("PRD502" in line for line in found(checked(app, cache=True))) == 3
            with contextlib.closing(sqlite3.connect(app / ".prodready_cache" / DATABASE)) as cache:
                kept = b"".join(body for (body,) in cache.execute("SELECT body FROM engines"))
            assert b"API_TOKEN" in kept
            assert b"B105" in kept
            assert KEY.encode() not in kept


class TestNotInstalled:
    @pytest.fixture(autouse=True)
    def _without(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(worker, "version", lambda package: "")

    def test_one_line_each_and_the_rest_is_reported(self, app: Path) -> None:
        report = checked(app)
        assert (found(report), report.exit_code, report.problems) == (ALL[2:], 1, ())
        assert [line.split(":")[0] for line in report.warnings] == [
            "detect-secrets is not installed",
            "bandit is not installed",
        ]

    def test_no_line_where_it_would_have_nothing_to_do(self, app: Path) -> None:
        (app / ".env").write_text("")
        (app / "shell.py").write_text("x = 1\n")
        assert checked(app).warnings == ()

    @pytest.mark.parametrize("code", ["B602", "PRD502"])
    def test_who_asks_for_it_is_told_that_it_was_not_done(self, app: Path, code: str) -> None:
        (app / "prodready.toml").write_text(f'select = ["{code}"]\n')
        report = checked(app)
        assert (report.exit_code, len(report.problems)) == (2, 1)
        assert code in report.problems[0].message


class TestFaults:
    @pytest.mark.parametrize(
        ("body", "why"),
        [
            ("print('no JSON')", "its answer cannot be read (exit code 0)"),
            ("print('{}')", "its answer cannot be read (exit code 0)"),
            ('print(\'{"found": {"shell.py": [[]]}, "notes": {}, "problems": []}\')', "cannot be read"),
            ("raise SystemExit(3)", "its answer cannot be read (exit code 3)"),
            ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "it was killed (SIGKILL)"),
        ],
    )
    def test_one_clear_line_each_and_the_rest_is_reported(
        self, app: Path, monkeypatch: pytest.MonkeyPatch, body: str, why: str
    ) -> None:
        monkeypatch.setattr(worker, "_BOOT", body)
        for _ in range(2):
            report = checked(app, cache=True)
            assert (found(report), report.exit_code) == (ALL[2:], 2)
            assert [p.message.split(":")[0] for p in report.problems] == ["detect-secrets", "bandit"][
                : len(report.problems)
            ]
            assert all(why in problem.message for problem in report.problems if "[[]]" not in body)
        monkeypatch.undo()
        monkeypatch.chdir(app)
        assert found(checked(app, cache=True)) == ALL

    def test_one_that_fails_costs_the_other_nothing(self, app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        boot = "import sys; 'secrets' in sys.argv[1] and sys.exit(5); " + worker._BOOT
        monkeypatch.setattr(worker, "_BOOT", boot)
        report = checked(app)
        assert (found(report), len(report.problems)) == (ALL[1:], 1)

    def test_one_that_hangs_is_stopped(self, app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(worker, "_BOOT", "import time; time.sleep(600)")
        monkeypatch.setattr(worker, "LIMIT", 0.5)
        report = checked(app)
        assert found(report) == ALL[2:]
        assert all("it was still running after" in problem.message for problem in report.problems)
        assert len(report.problems) == 2


def test_a_changed_list_of_our_rules_does_not_last(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = all_rules()
    with monkeypatch.context() as patch:
        patch.setattr(rules, "all_rules", lambda: {"PRD301": ours["PRD301"]})
        assert known_rules().keys() & ours.keys() == {"PRD301"}
    assert known_rules().keys() >= ours.keys()
