"""Runs that are ended in the middle, disks that are full, many at once: nothing is lost, nothing is left half done."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import prodready
from prodready.cache import DATABASE

SOURCE = Path(prodready.__file__).parent.parent
BODY = """import sqlite3


def find(name):
    cursor = sqlite3.connect("db").cursor()
    cursor.execute(f"SELECT * FROM users WHERE name = '{name}'")
"""
FILES = 60
OLD = '{"old": true}\n'

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals and limits as Linux has them")


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(SOURCE))
    monkeypatch.delenv("PRODREADY_DEBUG", raising=False)
    root = tmp_path / "app"
    root.mkdir()
    monkeypatch.chdir(root)
    (root / "prodready.toml").write_text("engines = []\n")
    for number in range(FILES):
        (root / f"m{number:02}.py").write_text(f"N = {number}\n{BODY}")
    return root


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "prodready", *words]


def started(*words: str, before: Callable[[], None] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(*words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=before,  # noqa: PLW1509
        start_new_session=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=240)
    assert "Traceback" not in out + err, err
    assert "Exception ignored" not in err, err
    return process.returncode, out, err


def check(*words: str, before: Callable[[], None] | None = None) -> tuple[int, str, str]:
    return ended(started("check", "--output-format", "concise", *words, before=before))


def assert_sound(app: Path) -> None:
    """The cache is whole, and a run that uses it finds all."""
    if (app / ".prodready_cache" / DATABASE).exists():
        with contextlib.closing(sqlite3.connect(app / ".prodready_cache" / DATABASE)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    code, out, err = check()
    assert (code, out.count("PRD301"), err) == (1, FILES, "")


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


class TestEndedInTheMiddle:
    @pytest.mark.parametrize(
        ("number", "code", "says"), [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")]
    )
    def test_while_files_are_read(self, app: Path, number: signal.Signals, code: int, says: str) -> None:
        for place in app.glob("m*.py"):
            place.write_text("def f(a):\n    return g(a)\n" * 8_000)
        process = started("check", "--jobs", "2")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        wait_for(lambda: len(children.read_text().split()) >= 2)
        workers = children.read_text().split()
        time.sleep(0.3)
        process.send_signal(number)
        assert ended(process) == (code, "", f"prodready: {says}\n")
        wait_for(lambda: not any(Path(f"/proc/{worker}/cmdline").exists() for worker in workers))

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
    def test_at_any_time(self, app: Path, number: signal.Signals, tmp_path: Path) -> None:
        output = tmp_path / "report.json"
        for delay in range(0, 1000, 90):
            output.write_text(OLD)
            process = started("check", "--jobs", "2", "--output-format", "json", "--output-file", str(output))
            command_line = Path(f"/proc/{process.pid}/cmdline")
            while b"prodready" not in command_line.read_bytes():
                time.sleep(0.01)
            time.sleep(0.1 + delay / 1000)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            out, err = process.communicate(timeout=60)
            early = "KeyboardInterrupt" in err and "prodready/" not in err  # Python's, before it comes to our code.
            assert early or (process.returncode, out, err) in [
                (1, "", ""),
                (-number, "", ""),
                (143, "", "prodready: terminated\n"),
                (130, "", "prodready: interrupted\n"),
            ]
            written = output.read_text()
            assert written == OLD or len(json.loads(written)["findings"]) == FILES
            if number != signal.SIGKILL:
                assert sorted(file.name for file in tmp_path.iterdir()) == ["app", "report.json"]
        assert_sound(app)

    def test_while_a_baseline_is_made(self, app: Path) -> None:
        ended(started("baseline", "create"))
        file = app / ".prodready" / "baseline.jsonl"
        before = file.read_bytes()
        (app / "m99.py").write_text(BODY)
        whole = {before}
        for delay in range(0, 600, 75):
            process = started("baseline", "update", "--no-cache")
            time.sleep(0.1 + delay / 1000)
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=60)
            assert "Traceback" not in out + err
            whole.add(file.read_bytes())
            assert all(json.loads(line)["code"] == "PRD301" for line in file.read_text().splitlines())
        assert {text.count(b"\n") for text in whole} <= {FILES, FILES + 1}

    def test_an_engine_that_runs_is_ended_too(self, app: Path, tmp_path: Path) -> None:
        mark = tmp_path / "pid"
        tool = tmp_path / "bin" / "semgrep"
        tool.parent.mkdir()
        tool.write_text(f"#!/bin/sh\necho $$ > {mark}.new; mv {mark}.new {mark}; exec sleep 600\n")
        tool.chmod(0o755)
        (app / "prodready.toml").write_text("")
        (app / "page.html").write_text("<p>{{ comment.body|safe }}</p>\n")
        script = (
            f"import sys; from prodready.engines import semgrep; semgrep.program = lambda: {str(tool)!r}\n"
            "from prodready.__main__ import run; sys.argv = ['prodready', 'check']; sys.exit(run())"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        wait_for(mark.exists)
        time.sleep(0.2)
        process.terminate()
        assert ended(process) == (143, "", "prodready: terminated\n")
        wait_for(lambda: not Path(f"/proc/{mark.read_text().strip()}").exists())


def room(size: int) -> Callable[[], None]:
    """In a process to come no file may grow larger, as on a full disk."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


class TestFullDisk:
    @pytest.mark.parametrize("size", [0, 100, 4096, 20_000, 60_000])
    def test_for_the_cache(self, app: Path, size: int) -> None:
        code, out, err = check(before=room(size))
        assert (code, out.count("PRD301")) == (1, FILES)
        assert all(line.startswith("prodready: warning: ") and "cache" in line for line in err.splitlines())
        assert err
        assert_sound(app)

    def test_for_a_cache_that_is_there(self, app: Path) -> None:
        check()
        (app / "m00.py").write_text(f"{BODY}\n{BODY.replace('find', 'second')}" + "X = f(1)\n" * 5_000)
        code, out, err = check(before=room(20_000))
        assert (code, out.count("PRD301")) == (1, FILES + 1)
        assert err.count("\n") == err.count("prodready: warning: ") == 1
        (app / "m00.py").write_text(BODY)
        assert_sound(app)

    @pytest.mark.parametrize("name", ["json", "html", "sarif"])
    def test_for_the_report(self, app: Path, name: str, tmp_path: Path) -> None:
        output = tmp_path / "report"
        output.write_text(OLD)
        code, _, err = check("--output-format", name, "--output-file", str(output), "--no-cache", before=room(5_000))
        assert (code, err) == (2, f"prodready: cannot write {output}: File too large\n")
        assert output.read_text() == OLD
        assert sorted(file.name for file in tmp_path.iterdir()) == ["app", "report"]

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
    def test_for_a_device(self, app: Path) -> None:
        code, _, err = check("--output-file", "/dev/full")
        assert (code, err) == (2, "prodready: cannot write /dev/full: No space left on device\n")
        assert check("--output-file", "/dev/null")[0] == 1
        assert not Path("/dev/null").is_file()

    def test_for_a_baseline(self, app: Path) -> None:
        ended(started("baseline", "create"))
        file = app / ".prodready" / "baseline.jsonl"
        before = file.read_bytes()
        (app / "m99.py").write_text(BODY)
        code, _, err = ended(started("baseline", "update", "--no-cache", before=room(4_000)))
        assert code == 2
        assert "the baseline cannot be written: File too large" in err
        assert file.read_bytes() == before
        assert sorted(place.name for place in file.parent.iterdir()) == [".gitattributes", "baseline.jsonl"]


def test_ten_runs_on_one_cache(app: Path) -> None:
    for round_ in range(2):
        (app / "m00.py").write_text("# moved\n" * round_ + BODY)
        runs = [started("check", "--output-format", "concise", "--jobs", str(1 + number % 2)) for number in range(10)]
        outs = [ended(process) for process in runs]
        assert {(code, err) for code, _, err in outs} == {(1, "")}
        assert len({out for _, out, _ in outs}) == 1
        assert outs[0][1].count("PRD301") == FILES
        assert f"m00.py:{6 + round_}:5: PRD301" in outs[0][1]
        assert_sound(app)
    told = check("--verbose")[2]
    assert f"note: {FILES} files checked; of the project, {FILES} files were taken from the cache" in told
