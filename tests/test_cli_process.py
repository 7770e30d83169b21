"""The command line as a process of its own: start, signals, pipes, encodings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import prodready

SOURCE = Path(prodready.__file__).parent.parent


def run(command: list[str], stdout: Any = subprocess.PIPE, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, stdout=stdout, stderr=subprocess.PIPE, text=True, **options)


class TestProcess:
    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "prodready", *words]

    @pytest.fixture
    def app(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("PYTHONPATH", str(SOURCE))
        monkeypatch.chdir(tmp_path)
        (tmp_path / "pyproject.toml").write_text("")
        (tmp_path / "app.py").write_text(
            "import sqlite3\n\n\ndef find(name):\n    cursor = sqlite3.connect('db').cursor()\n"
            "    cursor.execute(f\"SELECT * FROM users WHERE name = '{name}'\")\n"
        )
        return tmp_path

    def stub(self, directory: Path, body: str) -> list[str]:
        """The command line on a project whose `check` is `body`."""
        lines = "\n".join("    " + line for line in body.splitlines())
        script = directory / "stub.py"
        script.write_text(
            "import sys, types, time\nfrom prodready.finding import *\n"
            "class Options:\n    def __init__(self, **k): pass\n"
            f"def check(config, targets, options):\n{lines}\n"
            "module = types.ModuleType('prodready.project'); module.Options = Options; module.check = check\n"
            "sys.modules['prodready.project'] = module\n"
            "from prodready.cli import main\nsys.exit(main())\n"
        )
        return [sys.executable, str(script)]

    def test_version_imports_little(self, app: Path) -> None:
        done = run([sys.executable, "-X", "importtime", "-m", "prodready", "--version"])
        assert done.stdout.startswith("prodready ")
        for heavy in ("msgspec", "libcst", "rich", "dataclasses"):
            assert f" {heavy}\n" not in done.stderr

    def test_nothing_to_do(self, app: Path) -> None:
        done = run(self.command("check", "nowhere.py"))
        assert (done.returncode, done.stdout) == (2, "Nothing was checked: 1 thing could not be done (see above).\n")
        done = run(self.command("check", "--select", ""))
        assert (done.returncode, done.stderr) == (0, "prodready: warning: no rule is selected for .\n")

    def test_verbose_tells_what_is_left_out(self, app: Path) -> None:
        (app / "tests").mkdir()
        (app / "app.py").rename(app / "tests" / "app.py")
        assert "note: left out: 1 of PRD301 in tests, where it is silent\n" in run(self.command("check", "-v")).stderr
        words = ["-v", "--config", "prodready.toml", "--min-severity", "error"]
        (app / "prodready.toml").write_text("test-paths = []\nmin-confidence = 'high'")
        done = run(self.command("check", *words))
        assert "note: left out: 1 below min-confidence or min-severity\n" in done.stderr

    def test_rules_by_name(self, app: Path) -> None:
        done = run(self.command("rule", "PRD301", "nosuch", "secret-in-log"))
        assert (done.returncode, done.stdout.count("Why it matters")) == (2, 2)
        assert done.stderr == "prodready: no rule 'nosuch'; `prodready rules` lists them\n"

    def test_check(self, app: Path) -> None:
        done = run(self.command("check", "--output-format", "concise"))
        assert done.stderr == ""
        assert done.returncode == 1
        assert done.stdout.startswith("app.py:6:")
        assert ": PRD301 " in done.stdout

    def test_ctrl_c(self, app: Path) -> None:
        command = [*self.stub(app, "print('ready', flush=True)\ntime.sleep(60)"), "check"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        assert (out, err, process.returncode) == ("", "prodready: interrupted\n", 130)

    def test_an_interrupt_whose_place_an_error_has_taken(self, app: Path) -> None:
        done = run([*self.stub(app, "try:\n    raise KeyboardInterrupt\nfinally:\n    {}['absent']"), "check"])
        assert (done.returncode, done.stdout, done.stderr) == (130, "", "prodready: interrupted\n")

    def test_reader_that_goes_away(self, app: Path) -> None:
        body = (
            "found = Finding('PRD301', 's', 'm', Severity.ERROR, Confidence.HIGH, Location('a.py', 1))\n"
            "return Report(root=str(config.root), findings=(found,) * 100000)"
        )
        command = [*self.stub(app, body), "check", "--output-format", "concise"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            err = process.stderr.read()
        assert (err, process.returncode) == ("", 1)

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
    def test_full_disk(self, app: Path) -> None:
        with open("/dev/full", "w") as full:
            done = run(self.command("rules"), stdout=full)
        assert done.returncode == 2
        assert done.stderr == "prodready: cannot write the rules: No space left on device\n"

    def test_terminal_that_knows_only_ascii(self, app: Path) -> None:
        (app / "caf\u00e9.py").write_bytes((app / "app.py").read_bytes())
        environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
        done = run(self.command("check"), env=environment)
        assert done.returncode == 1
        assert "caf\\xe9.py:6:" in done.stdout
        assert "Traceback" not in done.stderr
