"""The command line: what is asked of it, what it says, and with which exit code it leaves."""

from __future__ import annotations

import io
import json
import os
import sys
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from prodready import cli, cli_check
from prodready.config import Config
from prodready.finding import Confidence, Finding, Location, Problem, Report, Severity


def finding(path: str = "a.py", code: str = "PRD301") -> Finding:
    return Finding(code, "string-built-sql", "the message", Severity.ERROR, Confidence.HIGH, Location(path, 1, 2, 1, 5))


@dataclass
class Project:
    """Stands in for `prodready.project`: remembers how it was called, answers what it is told to."""

    calls: list[tuple[Config, list[Path], Any]] = field(default_factory=list)
    answer: Callable[[Config], Report] = lambda config: Report(root=str(config.root), files=1, lines=1)

    def check(self, config: Config, targets: Sequence[Path], options: Any) -> Report:
        self.calls.append((config, list(targets), options))
        return self.answer(config)


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Project:
    fake = Project()
    module = types.ModuleType("prodready.project")
    module.__dict__.update(check=fake.check, Options=types.SimpleNamespace)
    monkeypatch.setitem(sys.modules, "prodready.project", module)
    monkeypatch.setattr(sys.modules["prodready"], "project", module, raising=False)
    for name in ("NO_COLOR", "FORCE_COLOR", "PRODREADY_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "repo"
    root.mkdir()
    (root / "prodready.toml").write_text("")
    (root / "a.py").write_text("x = 1\n")
    monkeypatch.chdir(root)
    return fake


def found(config: Config) -> Report:
    return Report(root=str(config.root), findings=(finding(),), files=1, lines=1)


class TestExitCodes:
    def test_clean(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["check"]) == 0
        assert capsys.readouterr().out == "All clear: 1 file, 1 line, 0.0 s.\n"

    def test_findings(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        project.answer = found
        assert cli.main(["check", "--output-format", "concise"]) == 1
        assert capsys.readouterr().out == "a.py:1:2: PRD301 the message\n"
        assert cli.main(["check", "--exit-zero"]) == 0

    def test_problems_win(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        project.answer = lambda config: Report(
            root=str(config.root), findings=(finding(),), problems=(Problem("not UTF-8", "b.py", 3),)
        )
        assert cli.main(["check", "--exit-zero"]) == 2
        assert capsys.readouterr().err == "prodready: b.py:3: not UTF-8\n"

    @pytest.mark.parametrize("form", ["full", "concise", "json", "sarif"])
    def test_a_missing_path_leaves_the_others(
        self, project: Project, capsys: pytest.CaptureFixture[str], form: str
    ) -> None:
        assert cli.main(["check", "gone.py", "a.py", "--output-format", form]) == 2
        out, err = capsys.readouterr()
        assert err == "prodready: gone.py: cannot be read: No such file or directory\n"
        assert [call[1] for call in project.calls] == [[Path.cwd() / "a.py"]]
        assert ("gone.py" in out) is (form in {"json", "sarif"})

    def test_only_missing_paths(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["check", "gone.py", ""]) == 2
        assert capsys.readouterr().err.count("\n") == 2

    def test_special_file(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        os.mkfifo("pipe.py")
        assert cli.main(["check", "pipe.py"]) == 2
        assert capsys.readouterr().err == "prodready: pipe.py: neither a file nor a directory\n"

    def test_link_in_a_circle(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        Path("loop.py").symlink_to("loop.py")
        assert cli.main(["check", "loop.py"]) == 2
        assert "Too many levels" in capsys.readouterr().err

    def test_no_command(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main([]) == 2
        assert "usage: prodready" in capsys.readouterr().err


class TestTrouble:
    def test_internal_error_is_one_line(
        self, project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(config: Config) -> Report:
            raise ValueError("what\nnow")

        project.answer = fail
        assert cli.main(["check"]) == 2
        err = capsys.readouterr().err
        assert err.startswith("prodready: .: internal error, please report it: ValueError: what now (PRODREADY_DEBUG=1")
        assert err.count("\n") == 1
        monkeypatch.setenv("PRODREADY_DEBUG", "1")
        with pytest.raises(ValueError, match="what"):
            cli.main(["check"])

    def test_internal_error_of_a_command(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("PRODREADY_DEBUG", raising=False)
        monkeypatch.setattr("prodready.rules.all_rules", lambda: 1 / 0)
        assert cli.main(["rules"]) == 2
        assert capsys.readouterr().err.count("\n") == 1

    def test_interrupt(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        def interrupt(config: Config) -> Report:
            raise KeyboardInterrupt

        project.answer = interrupt
        assert cli.main(["check"]) == 130
        assert capsys.readouterr() == ("", "prodready: interrupted\n")

    def test_broken_configuration_of_one_project(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        Path("svc").mkdir()
        Path("svc/prodready.toml").write_text("jbos = 2")
        assert cli.main(["check"]) == 2
        assert capsys.readouterr().err == "prodready: svc/prodready.toml: jbos: unknown key; did you mean 'jobs'?\n"
        assert [call[0].root for call in project.calls] == [Path.cwd()]

    def test_wrong_values_are_said_once(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        Path("svc").mkdir()
        Path("svc/prodready.toml").write_text("")
        assert cli.main(["check", "--min-confidence", "hihg"]) == 2
        expected = "command line: --min-confidence: 'hihg' is not one of low, medium, high; did you mean 'high'?"
        assert capsys.readouterr().err == f"prodready: {expected}\n"
        assert not project.calls

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            (["-", "a.py"], "- stands for standard input and cannot be combined with other paths"),
            (["a.py", "--stdin-filename", "b.py"], "--stdin-filename goes with the path -"),
            (["--output-file", "none/report.json"], "--output-file: none/report.json: there is no such directory"),
            (["--select", "PRD987"], "no rule has the code or prefix 'PRD987'"),
            (["--jobs", "0"], "--jobs: must be at least 1"),
        ],
    )
    def test_words_that_do_not_go_together(
        self, project: Project, capsys: pytest.CaptureFixture[str], words: list[str], expected: str
    ) -> None:
        assert cli.main(["check", *words]) == 2
        assert expected in capsys.readouterr().err
        assert not project.calls

    def test_warnings_do_not_change_the_exit_code(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        project.answer = lambda config: Report(root=str(config.root), files=1, warnings=("the cache is read-only",))
        assert cli.main(["check"]) == 0
        assert capsys.readouterr().err == "prodready: warning: the cache is read-only\n"


class TestProjects:
    def test_paths_are_grouped_by_project(self, project: Project, tmp_path: Path) -> None:
        other = tmp_path / "other"
        other.mkdir()
        (other / "setup.py").write_text("")
        (other / "b.py").write_text("")
        here = Path.cwd()
        assert cli.main(["check", "a.py", str(other), "a.py", str(here)]) == 0
        assert [(call[0].root, call[1]) for call in project.calls] == [(here, [here / "a.py", here]), (other, [other])]

    def test_nested_projects_below_what_was_named(self, project: Project) -> None:
        for name in ("svc/api", "svc/api/sub", "tool"):
            Path(name).mkdir(parents=True)
            Path(name, "prodready.toml").write_text("jobs = 3")
        here = Path.cwd()
        cli.main(["check", "svc"])
        assert [call[0].root for call in project.calls] == [here, here / "svc/api", here / "svc/api/sub"]
        assert project.calls[1][2].jobs == 3
        project.calls.clear()
        cli.main(["check", "a.py"])
        assert [call[0].root for call in project.calls] == [here]

    def test_a_named_link_is_followed(self, project: Project, tmp_path: Path) -> None:
        Path("link").symlink_to(tmp_path / "repo")
        cli.main(["check", "link"])
        assert project.calls[0][1] == [tmp_path / "repo"]

    def test_configuration_from_elsewhere_and_none(self, project: Project, tmp_path: Path) -> None:
        Path("prodready.toml").write_text("jobs = 2")
        (tmp_path / "lint.toml").write_text("jobs = 5")
        cli.main(["check"])
        cli.main(["check", "--config", str(tmp_path / "lint.toml")])
        cli.main(["check", "--isolated"])
        cli.main(["check", "--jobs", "7"])
        assert [call[2].jobs for call in project.calls] == [2, 5, None, 7]

    def test_options_reach_the_project(self, project: Project) -> None:
        cli.main(["check", "--no-cache", "--cache-dir", "c", "--min-severity", "error", "--min-confidence", "low"])
        settings, _, options = project.calls[0]
        assert options.cache is False
        assert settings.cache_path == Path.cwd() / "c"
        assert (settings.min_severity, settings.min_confidence) == (Severity.ERROR, Confidence.LOW)

    def test_codes_are_split_and_repeated(self, project: Project) -> None:
        cli.main(["check", "--select", "PRD301, PRD4", "--select", "PRD3", "--extend-ignore", "PRD401"])
        settings = project.calls[0][0]
        assert settings.select == ("PRD301", "PRD4", "PRD3")
        assert settings.extend_ignore == ("PRD401",)

    def test_force_exclude(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        Path("vendor").mkdir()
        Path("vendor/x.py").write_text("")
        cli.main(["check", "vendor/x.py"])
        cli.main(["check", "vendor/x.py", "a.py", "--force-exclude"])
        assert [call[1] for call in project.calls] == [[Path.cwd() / "vendor/x.py"], [Path.cwd() / "a.py"]]
        capsys.readouterr()
        assert cli.main(["check", "vendor/x.py", "--force-exclude"]) == 0
        assert capsys.readouterr().out == "No Python files to check, 0.0 s.\n"


class TestStdin:
    @pytest.fixture(autouse=True)
    def _stdin(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"y = 2\n")))

    @pytest.mark.parametrize(
        ("words", "path"),
        [
            (["-"], "stdin.py"),
            (["-", "--stdin-filename", "app/new.py"], "app/new.py"),
            (["--stdin-filename", "a.py"], "a.py"),
        ],
    )
    def test_content_and_name(self, project: Project, words: list[str], path: str) -> None:
        assert cli.main(["check", *words]) == 0
        settings, targets, options = project.calls[0]
        assert options.stdin == (path, b"y = 2\n")
        assert targets == [settings.root / path]

    def test_frames_show_what_was_piped(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        project.answer = found
        assert cli.main(["check", "-", "--stdin-filename", "a.py"]) == 1
        assert "1 | y = 2" in capsys.readouterr().out


class TestOutput:
    def test_file(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        project.answer = found
        assert cli.main(["check", "--output-format", "json", "-o", "report.json"]) == 1
        assert capsys.readouterr() == ("", "")
        assert json.loads(Path("report.json").read_text())["findings"][0]["code"] == "PRD301"

    def test_file_that_cannot_be_written(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        Path("report").mkdir()
        assert cli.main(["check", "-o", "report"]) == 2
        assert capsys.readouterr().err == "prodready: cannot write report: Is a directory\n"

    @pytest.mark.parametrize(
        ("words", "environment", "colored"),
        [
            ([], {}, False),
            (["--color", "always"], {"NO_COLOR": "1"}, True),
            ([], {"FORCE_COLOR": "1"}, True),
            ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
            (["--color", "never"], {"FORCE_COLOR": "1"}, False),
            (["-o", "/dev/stdout"], {"FORCE_COLOR": "1"}, False),
        ],
    )
    def test_colour(
        self,
        project: Project,
        capfd: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
        words: list[str],
        environment: dict[str, str],
        colored: bool,
    ) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        cli.main(["check", *words])
        assert ("\x1b[" in capfd.readouterr().out) is colored

    def test_verbose_and_timing(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        project.answer = lambda config: Report(
            root=str(config.root), files=4, cached=3, notes=("x/: left out",), timings={"read": 0.2, "link": 1.5}
        )
        cli.main(["check", "-v", "--timing"])
        assert capsys.readouterr().err.splitlines() == [
            f"prodready: project {Path.cwd()}, configuration: prodready.toml",
            "prodready: note: x/: left out",
            "prodready: note: 4 files checked; of the project, 3 files were taken from the cache",
            "prodready:    1.500 s  link",
            "prodready:    0.200 s  read",
        ]

    def test_quiet(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        cli.main(["check", "-q"])
        assert capsys.readouterr() == ("", "")

    def test_progress_after_a_moment(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        clock = iter([0.0, 0.5, 1.5])
        monkeypatch.setattr(cli_check.time, "monotonic", lambda: next(clock, 2.0))  # type: ignore[attr-defined]
        with cli_check._Progress(wanted=True) as progress:
            progress.update(1, 10)
            bars = [progress.bar]
            progress.update(5, 10)
            bars.append(progress.bar)
        assert bars[0] is None
        assert bars[1].tasks[0].completed == 5
        with cli_check._Progress(wanted=False) as progress:
            progress.update(9, 10)
        assert progress.bar is None


class TestRules:
    def test_list(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["rules"]) == 0
        text = capsys.readouterr().out
        assert any(line.split()[:3] == ["PRD301", "string-built-sql", "error"] for line in text.splitlines())
        assert cli.main(["rules", "--output-format", "json"]) == 0
        listed = json.loads(capsys.readouterr().out)
        assert len(listed) == len(text.splitlines())
        assert {"code", "slug", "title", "severity", "stage", "bad", "good"} <= set(listed[0])

    @pytest.mark.parametrize("word", ["PRD301", "prd301", "string-built-sql", "string_built_sql"])
    def test_one(self, capsys: pytest.CaptureFixture[str], word: str) -> None:
        assert cli.main(["rule", word]) == 0
        text = capsys.readouterr().out
        assert text.startswith("PRD301 string-built-sql\n")
        for heading in ("Why it matters", "Bad", "Good", "Not reported", "References"):
            assert f"\n{heading}\n" in text
        assert cli.main(["rule", word, "--output-format", "json"]) == 0
        assert json.loads(capsys.readouterr().out)["code"] == "PRD301"

    @pytest.mark.parametrize(
        ("word", "hint"),
        [("PRD4O1", "did you mean 'PRD401'?"), ("string-bilt-sql", "'string-built-sql'"), ("?", "lists them")],
    )
    def test_unknown(self, capsys: pytest.CaptureFixture[str], word: str, hint: str) -> None:
        assert cli.main(["rule", word]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert hint in err


class TestClean:
    def test_deletes_the_cache_only(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        cache = Path(".prodready_cache")
        (cache / "v1").mkdir(parents=True)
        assert cli.main(["clean"]) == 0
        assert capsys.readouterr().out == "Deleted .prodready_cache.\n"
        assert not cache.exists()
        assert Path("a.py").exists()
        assert cli.main(["clean"]) == 0
        assert capsys.readouterr().out == "Nothing to delete: .prodready_cache.\n"

    def test_a_slip_in_the_configuration_costs_nothing(
        self, project: Project, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path("prodready.toml").write_text("cache-dir = '.'")
        assert cli.main(["clean"]) == 2
        assert "it holds no CACHEDIR.TAG" in capsys.readouterr().err
        assert Path("a.py").exists()

    def test_another_name_with_a_tag(self, project: Project) -> None:
        Path("prodready.toml").write_text("cache-dir = 'c'")
        Path("c").mkdir()
        Path("c/CACHEDIR.TAG").write_text(cli.CACHE_TAG + "\n# by prodready\n")
        assert cli.main(["clean"]) == 0
        assert not Path("c").exists()
