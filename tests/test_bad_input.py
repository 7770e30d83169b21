"""Input that is broken, missing, enormous or in the way: one clear line, the rest analysed, the right exit code.

Every project here holds `good.py` beside what is bad. It has a finding, and that finding must be reported.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import prodready
from prodready import cli, discover, judging, project, reading, sift
from prodready.cache import DATABASE, Cache
from prodready.config import Config
from prodready.finding import Confidence, Finding, Location, Severity
from prodready.link.linked import Linked
from prodready.rules import Rule, all_rules

SOURCE = Path(prodready.__file__).parent.parent
BODY = b"""import sqlite3


def find(name):
    cursor = sqlite3.connect("db").cursor()
    cursor.execute(f"SELECT * FROM users WHERE name = '{name}'")
"""
GOOD = "good.py:6:5: PRD301 "
ONE_LINE = b"def find(cursor, name): cursor.execute(f\"SELECT * FROM users WHERE name = '{name}'\")\n"

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them")


class Done:
    """How the command line ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def told(self) -> list[str]:
        """The lines on standard error, without the name of the program."""
        assert all(line.startswith("prodready: ") for line in self.err.splitlines()), self.err
        return [line.removeprefix("prodready: ") for line in self.err.splitlines()]

    def places(self, name: str) -> list[str]:
        """Where in a file something was found, as `line:column: code`."""
        found = [line.removeprefix(f"{name}:") for line in self.out.splitlines() if line.startswith(f"{name}:")]
        return [":".join(line.split(":", 2)[:2]) + ": " + line.split()[1] for line in found]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(SOURCE))
    monkeypatch.delenv("PRODREADY_DEBUG", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[tool.prodready]\nengines = ["semgrep"]\n')
    (tmp_path / "good.py").write_bytes(BODY)
    return tmp_path


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "prodready", "check", "--output-format", "concise", *words]


def check(*words: str, before: Callable[[], None] | None = None) -> Done:
    """The command line in a process of its own, in the current directory; it must not show a traceback."""
    done = subprocess.run(command(*words), capture_output=True, check=False, timeout=240, preexec_fn=before)
    return sound(done.returncode, done.stdout, done.stderr)


def sound(code: int, out: bytes, err: bytes) -> Done:
    done = Done(code, out.decode("utf-8"), err.decode("utf-8"))
    assert "Traceback" not in done.out + done.err
    assert "internal error" not in done.err
    return done


def check_good(*words: str, code: int, before: Callable[[], None] | None = None) -> Done:
    """The same, twice: without and with a cache. Both say the same, and both report what is in `good.py`."""
    cold, warm = check(*words, before=before), check(*words, before=before)
    assert (cold.code, cold.out, cold.err) == (warm.code, warm.out, warm.err)
    assert GOOD in cold.out
    assert cold.code == code
    return cold


# ---- What stands in a file


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"x = 1\ndef f(:\n    pass\n", "bad.py:2: cannot be parsed: "),
        (b"def f():\n        pass\n    return\n", "bad.py:3: cannot be parsed: "),
        (b"x = '''never ended\n\n", "bad.py:1: cannot be parsed: "),
        (b'x = 1\ny = "\xff\xfe"\n', "bad.py:2: byte 0xff at offset 11 is not valid UTF-8: save the file as UTF-8, or "),
        (b"# coding: utf-8\n# \xe9\n", "bad.py:2: byte 0xe9 at offset 18 is not valid UTF-8"),
        (b"# coding: ascii\n# \xe9\n", "bad.py:2: byte 0xe9 at offset 18 is not valid ASCII"),
        (b"# coding: klingon\n", "bad.py:1: unknown encoding 'klingon'"),
        (b"\n# vim: set fileencoding=rot13 :\n", "bad.py:2: unknown encoding 'rot13'"),
        (b"\xef\xbb\xbf# coding: latin-1\n", "bad.py:1: the file starts with a UTF-8 mark but declares the encoding"),
        (BODY.decode().encode("utf-16"), "bad.py:1: the file is UTF-16, which Python cannot read: save it as UTF-8"),
        (BODY.decode().encode("utf-16-be"), "bad.py:1: the file holds a NUL byte at offset 0: it is not a text file"),
        (BODY + b"\0\n", "bad.py:7: the file holds a NUL byte at offset"),
        (b'# coding: utf-7\nx = "+2D0-"\n', "bad.py: cannot be parsed: "),
        (b"x = " + b"(" * 5000 + b"1" + b")" * 5000 + b"\n", "bad.py: cannot be parsed: nested too deeply"),
        (b"x = " + b"[" * 5000 + b"]" * 5000 + b"\n", "bad.py: cannot be parsed: nested too deeply"),
        (b"x = " + b"-" * 50_000 + b"1\n", "bad.py: cannot be parsed: nested too deeply"),
        (b"x = " + b" + ".join([b"a"] * 50_000) + b"\n", "bad.py: cannot be parsed: nested too deeply"),
        (b"x = a" + b".b()" * 20_000 + b"\n", "bad.py: cannot be parsed: nested too deeply"),
    ],
    ids=[
        "syntax error", "indentation", "endless string", "bytes that are no text", "not utf-8 as declared", "not ascii",
        "unknown encoding", "encoding of no text", "mark against declaration", "utf-16", "utf-16 without mark",
        "nul byte", "half a character", "parentheses", "brackets", "signs", "sum", "calls",
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read(app: Path, content: bytes, line: str) -> None:
    (app / "bad.py").write_bytes(content)
    done = check_good(code=2)
    assert len(done.told) == 1
    assert done.told[0].startswith(line)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"# coding: latin-1\n# caf\xe9\n" + BODY, "8:5: PRD301"),
        (b"# -*- coding: cp1252 -*-\n# \x80 \x93\n" + BODY, "8:5: PRD301"),
        (b"#!/usr/bin/python\n# vim: set fileencoding=koi8-r :\n# \xc1\n" + BODY, "9:5: PRD301"),
        (b"# coding: latin-1\n" + ONE_LINE.replace(b": c", b": '\xe9'; c"), "2:30: PRD301"),
        (b"# coding: utf-8-unix\n" + BODY, "7:5: PRD301"),
        (b"\xef\xbb\xbf" + BODY, "6:5: PRD301"),
        (b"\xef\xbb\xbf# coding: utf-8\n" + BODY, "7:5: PRD301"),
        (b"\xef\xbb\xbf" + ONE_LINE, "1:25: PRD301"),
        (BODY.replace(b"\n", b"\r\n"), "6:5: PRD301"),
        (BODY.replace(b"\n", b"\r"), "6:5: PRD301"),
        (BODY.replace(b"\n", b"\r\n", 3), "6:5: PRD301"),
        (b"\xef\xbb\xbf# \xe2\x82\xac\r\n" + ONE_LINE, "2:25: PRD301"),
        (b"x = 1\n\x0c\n" + BODY.replace(b"def", b"\x0cdef"), "8:5: PRD301"),
        (BODY.replace(b'"db"', b'"d\x0cb\x0b\x1c"'), "6:5: PRD301"),
        (BODY.replace(b'"db"', '"\u2028\u0085"'.encode()), "6:5: PRD301"),
        (BODY[:-1], "6:5: PRD301"),
        (BODY + b'BAD = "\\udcff"\nWORSE = f"\\ud800{BAD}" + "\\ud83d" "\\ude00"\n', "6:5: PRD301"),
        (BODY.replace(b'"db"', b'"\\udcff", key="\\ud800", **{"\\udfff": 1}'), "6:5: PRD301"),
        (BODY + b"N = " + b"9" * 4000 + b", -1e999, 1e999j, 0x" + b"f" * 5000 + b"\n", "6:5: PRD301"),
    ],
    ids=[
        "latin-1", "cp1252", "koi8-r", "column after latin-1", "utf-8-unix", "mark", "mark and declaration",
        "mark in the same line", "crlf", "cr", "mixed ends of lines", "crlf after euro", "form feeds",
        "separators in a string", "unicode separators in a string", "no end of line",
        "surrogates", "surrogates in a call", "numbers",
    ],
)  # fmt: skip
def test_a_file_that_python_reads_is_read(app: Path, content: bytes, place: str) -> None:
    compile(content, "odd.py", "exec")
    (app / "odd.py").write_bytes(content)
    done = check_good(code=1)
    assert done.told == []
    assert done.places("odd.py") == [place]


def test_an_empty_file(app: Path) -> None:
    (app / "empty.py").write_bytes(b"")
    (app / "mark.py").write_bytes(b"\xef\xbb\xbf")
    (app / "blank.py").write_bytes(b"\n\x0c\n  \n")
    assert check_good(code=1).told == []
    assert check("empty.py").code == 0


@pytest.mark.parametrize(
    ("part", "times", "place"),
    [
        (b"def f%d(a):\n    return g(a, 'something', %d)\n\n\n", 37_000, "148006:5: PRD301"),
        (b"x = f(1)\n", 100_000, "100006:5: PRD301"),
        (b"ROWS = [%s]\n" % b", ".join([b"{'a': 1, 'b': 'text'}"] * 100_000), 1, "7:5: PRD301"),
    ],
    ids=["2 MB of functions", "100,000 lines", "2 MB in one line"],
)
def test_an_enormous_file(app: Path, part: bytes, times: int, place: str) -> None:
    text = b"".join(part % (n, n) if b"%d" in part else part for n in range(times)) + BODY
    assert len(text) > 2_000_000 or text.count(b"\n") > 100_000
    (app / "big.py").write_bytes(text)
    done = check_good(code=1)
    assert done.told == []
    assert done.places("big.py") == [place]


# ---- What stands in the way


def test_links_that_lead_in_a_circle_or_nowhere(app: Path) -> None:
    (app / "round").symlink_to(".", target_is_directory=True)
    (app / "one").symlink_to("two")
    (app / "two").symlink_to("one")
    (app / "self.py").symlink_to("self.py")
    (app / "gone.py").symlink_to("nowhere.py")
    done = check_good(code=1)
    assert done.told == []
    assert [line for line in done.out.splitlines() if "PRD301" in line] == [done.out.splitlines()[0]]
    assert "note: self.py: not read: Too many levels of symbolic links" in check("--verbose").told
    named = check_good("good.py", "self.py", "gone.py", "one", code=2)
    assert named.told == [
        "self.py: cannot be read: Too many levels of symbolic links",
        "gone.py: cannot be read: No such file or directory",
        "one: cannot be read: Too many levels of symbolic links",
    ]


def test_a_path_that_does_not_exist(app: Path) -> None:
    done = check_good("missing/app.py", ".", "", code=2)
    assert done.told == [
        "missing/app.py: cannot be read: No such file or directory",
        "'': cannot be read: No such file or directory",
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_what_is_no_file(app: Path) -> None:
    os.mkfifo(app / "pipe.py")
    (app / "folder.py").mkdir()
    assert check_good(code=1).told == []
    assert check_good("good.py", "pipe.py", code=2).told == ["pipe.py: neither a file nor a directory"]


@pytest.mark.skipif(sys.platform in {"darwin", "win32"}, reason="names of files are text there")
@pytest.mark.parametrize("form", ["concise", "full", "json", "sarif"])
def test_a_name_that_is_not_utf8(app: Path, form: str) -> None:
    odd = os.fsdecode(b"caf\xe9.py")
    (app / odd).write_bytes(BODY)
    (app / os.fsdecode(b"d\xff")).mkdir()
    (app / os.fsdecode(b"d\xff/broken.py")).write_bytes(b"def\n")
    runs = [check("--output-format", form) for _ in range(2)]
    for done in runs:
        assert done.code == 2
        assert done.told == ["d\\xff/broken.py:1: cannot be parsed: invalid syntax"]
        assert "good.py" in done.out
        assert {"sarif": "caf%E9.py", "json": r"caf\\xe9.py"}.get(form, r"caf\xe9.py") in done.out
        if form in {"json", "sarif"}:
            json.loads(done.out)


def without_privileges() -> None:
    """Take from root, in the process to come, the right to open what the mode of a file forbids."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Callable[[Path, int], None]]:
    """Changes the mode of a path until the end of the test."""
    changed: list[Path] = []

    def lock(path: Path, mode: int) -> None:
        path.chmod(mode)
        changed.append(path)

    probe = tmp_path / "probe"
    probe.write_text("")
    probe.chmod(0)
    opened = subprocess.run(["cat", str(probe)], check=False, capture_output=True, preexec_fn=without_privileges)
    probe.unlink()
    if sys.platform == "win32" or opened.returncode == 0:
        pytest.skip("modes of files forbid nothing here")
    yield lock
    for path in changed:
        path.chmod(0o755 if path.is_dir() else 0o644)


def test_a_file_that_may_not_be_read(app: Path, locked: Callable[[Path, int], None]) -> None:
    (app / "secret.py").write_bytes(BODY)
    (app / "closed").mkdir()
    (app / "closed" / "app.py").write_bytes(BODY)
    locked(app / "secret.py", 0)
    locked(app / "closed", 0)
    done = check_good(code=2, before=without_privileges)
    assert sorted(done.told) == [
        "closed: the directory cannot be read: Permission denied",
        "secret.py: cannot be read: Permission denied",
    ]
    # Nobody asked about them: the hook goes on with what it was given.
    assert check_good("good.py", code=1, before=without_privileges).told == []


def test_a_cache_that_may_not_be_written(app: Path, locked: Callable[[Path, int], None]) -> None:
    cache = app / ".prodready_cache"
    cache.mkdir()
    locked(cache, 0o555)
    told = [f"warning: {cache}: the cache cannot be written (Permission denied); going on without"]
    assert check_good(code=1, before=without_privileges).told == told
    assert list(cache.iterdir()) == []
    cache.chmod(0o755)
    check()
    for path in (*cache.iterdir(), cache):
        locked(path, 0o555 if path.is_dir() else 0o444)
    assert check_good(code=1, before=without_privileges).told == told
    done = check("--verbose", before=without_privileges)
    assert "note: 1 files checked; of the project, 1 files were taken from the cache" in done.told
    (app / "good.py").write_bytes(b"\n" + BODY)
    done = check(before=without_privileges)
    assert (done.code, done.places("good.py"), done.told) == (1, ["7:5: PRD301"], told)


def test_a_project_that_may_not_be_written(app: Path, locked: Callable[[Path, int], None]) -> None:
    locked(app, 0o555)
    cache = app / ".prodready_cache"
    done = check_good(code=1, before=without_privileges)
    assert done.told == [f"warning: {cache}: the cache cannot be written (Permission denied); going on without"]


def test_a_cache_of_an_older_version(app: Path) -> None:
    check()
    database = app / ".prodready_cache" / "facts.sqlite3"
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    assert check_good(code=1).told == []
    connection = sqlite3.connect(database)
    assert connection.execute("PRAGMA user_version").fetchone()[0] > 1
    connection.close()


def test_a_cache_among_other_files(app: Path) -> None:
    (app / "pyproject.toml").write_text('[tool.prodready]\ncache-dir = "."\n')
    before = sorted(app.iterdir())
    done = check_good(code=1)
    says = "it holds other files: give the cache a directory of its own"
    assert done.told == [f"warning: {app}: the cache cannot be written ({says}); going on without"]
    assert sorted(app.iterdir()) == before


def test_a_file_in_place_of_the_cache(app: Path) -> None:
    (app / ".prodready_cache").write_text("mine")
    cache = app / ".prodready_cache"
    assert check_good(code=1).told == [f"warning: {cache}: the cache cannot be written (File exists); going on without"]
    assert cache.read_text() == "mine"


# ---- What happens during the run


def told(capsys: pytest.CaptureFixture[str], *words: str) -> Done:
    """The command line in this process."""
    code = cli.main(["check", "--output-format", "concise", *words])
    captured = capsys.readouterr()
    return sound(code, captured.out.encode(), captured.err.encode())


def test_a_file_that_vanishes_before_it_is_read(
    app: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (app / "gone.py").write_bytes(BODY)
    walk = discover.walk

    def walk_and_delete(config: Config, targets: Sequence[Path], wanted: discover.Wanted) -> discover.Walk:
        found = walk(config, targets, wanted)
        (app / "gone.py").unlink()
        return found

    monkeypatch.setattr(discover, "walk", walk_and_delete)
    done = told(capsys, "good.py", "gone.py")
    assert GOOD in done.out
    assert (done.code, done.told) == (2, ["gone.py: vanished while it was being read"])


def test_a_file_that_vanishes_while_it_is_read(
    app: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (app / "gone.py").write_bytes(BODY)
    read = reading.read_path

    def delete_and_read(*given: Any) -> reading.FileRead:
        (app / "gone.py").unlink(missing_ok=True)
        return read(*given)

    monkeypatch.setattr(reading, "read_path", delete_and_read)
    done = told(capsys)
    assert GOOD in done.out
    assert (done.code, done.told) == (2, ["gone.py: vanished while it was being read"])


def test_a_file_that_vanishes_before_it_is_shown(
    app: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (app / "gone.py").write_bytes(BODY)
    run_rule = judging.run_rule

    def run_and_delete(rule: Rule, linked: Linked) -> object:
        found = run_rule(rule, linked)
        (app / "gone.py").unlink(missing_ok=True)
        return found

    monkeypatch.setattr(project, "run_rule", run_and_delete)
    done = told(capsys, "--output-format", "full")
    assert "good.py:6:5" in done.out
    assert "gone.py:6:5" in done.out
    assert (done.code, done.told) == (1, [])


def test_a_rule_that_raises(app: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def at_once(linked: Linked) -> Iterator[Finding]:
        raise ValueError("two\nlines")

    def halfway(linked: Linked) -> Iterator[Finding]:
        yield Finding("PRD999", "b", "found in time", Severity.ERROR, Confidence.HIGH, Location("good.py", 1))
        raise RecursionError("too deep")

    broken = [
        Rule("PRD998", "a", Severity.ERROR, "mvp", ("x",), check=at_once),
        Rule("PRD999", "b", Severity.ERROR, "mvp", ("x",), check=halfway),
    ]
    rules = {**{rule.code: rule for rule in broken}, **all_rules()}
    monkeypatch.setattr(project, "all_rules", lambda: rules)
    for module in (project, sift):
        monkeypatch.setattr(module, "rules_of", lambda config: rules)
    for _ in range(2):  # What is incomplete must not be kept.
        done = told(capsys)
        assert GOOD in done.out
        assert "good.py:1:1: PRD999 found in time" in done.out
        assert done.code == 2
        assert done.told == [
            "rule PRD998 (a) failed, please report it: ValueError: two lines",
            "rule PRD999 (b) failed, please report it: RecursionError: too deep",
        ]


def test_a_reader_that_raises(app: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(data: bytes) -> object:
        if b"poison" in data:
            raise AssertionError("this\ncannot be")
        return read_python(data)

    from prodready.read import python

    read_python = python.read_python
    (app / "bad.py").write_text("poison = 1\n")
    monkeypatch.setattr(python, "read_python", broken)
    done = told(capsys)
    assert GOOD in done.out
    assert (done.code, done.told) == (
        2,
        ["bad.py: prodready failed on this file, please report it: AssertionError: this cannot be"],
    )


def many(app: Path, count: int = 100, body: bytes = BODY) -> None:
    for number in range(count):
        (app / f"m{number:03}.py").write_bytes(b"N = %d\n" % number + body)


@linux_only
def test_a_process_that_dies_costs_only_its_file(
    app: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    many(app)
    for name in ("m010.py", "m011.py", "m090.py"):
        (app / name).write_bytes(b"poison = 1\n")
    read, here = reading.read_one, os.getpid()

    def die(path: str, data: bytes, **more: Any) -> reading.FileRead:
        if b"poison" in data:
            assert os.getpid() != here
            os._exit(9)
        return read(path, data, **more)

    monkeypatch.setattr(reading, "read_one", die)
    done = told(capsys, "--jobs", "2")
    assert GOOD in done.out
    assert done.out.count("PRD301") == 98
    assert done.code == 2
    assert done.told == [
        f"{name}: the process that read it died, please report it" for name in ("m010.py", "m011.py", "m090.py")
    ]


def test_no_processes_to_be_had(app: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def none(*arguments: object, **options: object) -> None:
        raise NotImplementedError("no semaphores")

    many(app)
    monkeypatch.setattr("concurrent.futures.ProcessPoolExecutor", none)
    done = told(capsys, "--jobs", "2")
    assert (done.code, done.told, done.out.count("PRD301")) == (1, [], 101)


def children(process: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextlib.contextmanager
def long_run(app: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """The command line at work on what takes a minute, and its processes."""
    many(app, 100, b"def f(a):\n    return g(a)\n" * 8_000)
    words = command("--jobs", "2")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as process:
        try:
            wait_for(lambda: len(children(process.pid)) >= 2)
            time.sleep(0.3)
            workers = children(process.pid)
            assert process.poll() is None
            yield process, workers
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@linux_only
@pytest.mark.parametrize("everybody", [True, False], ids=["from the terminal", "to the process"])
def test_ctrl_c(app: Path, everybody: bool) -> None:
    with long_run(app) as (process, workers):
        started = time.monotonic()
        (os.killpg if everybody else os.kill)(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (130, b"", b"prodready: interrupted\n")
        assert time.monotonic() - started < 5
        assert [worker for worker in workers if is_running(worker)] == []


@linux_only
def test_ctrl_c_while_a_result_is_on_its_way(app: Path) -> None:
    many(app)
    script = """if True:
        import multiprocessing.connection, os, signal, sys, time
        from prodready.__main__ import run

        def write_half(self, data):
            if os.getpid() == here:
                return write(self, data)
            self._send(len(data).to_bytes(4, "big") + bytes(data[:10]))
            os.kill(here, signal.SIGINT)
            time.sleep(60)

        here, write = os.getpid(), multiprocessing.connection.Connection._send_bytes
        multiprocessing.connection.Connection._send_bytes = write_half
        sys.argv = ["prodready", "check", "--jobs", "2"]
        sys.exit(run())
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, timeout=20)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"prodready: interrupted\n")


def test_ctrl_c_inside_an_exec(app: Path) -> None:
    """Imports are full of them: dataclasses and named tuples are made that way."""
    (app / "wrapped.py").write_text(
        "import sys, prodready.cli, prodready.__main__\n"
        "prodready.cli._run = lambda arguments: exec('raise KeyboardInterrupt')\n"
        "sys.argv[1:] = ['rules']\n"
        "sys.exit(prodready.__main__.run())\n"
    )
    done = subprocess.run([sys.executable, "-m", "wrapped"], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"prodready: interrupted\n")


@linux_only
def test_an_interrupt_that_waits_for_an_import_does_not_end_a_run_that_is_over(app: Path) -> None:
    (app / "wrapped.py").write_text(
        "import signal, sys, time, prodready.cli, prodready.__main__\n"
        "def delayed(arguments):\n"
        "    signal.setitimer(signal.ITIMER_REAL, 0.2)\n"
        "    return 0\n"
        "prodready.cli._run = delayed\n"
        "sys.argv[1:] = ['rules']\n"
        "code = prodready.__main__.run()\n"
        "time.sleep(0.5)\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run([sys.executable, "-m", "wrapped"], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@linux_only
def test_ctrl_c_at_any_time(app: Path) -> None:
    many(app, 60)
    for delay in range(0, 1000, 60):
        with subprocess.Popen(
            command("--no-cache", "--jobs", "2"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        ) as process:
            # Before Python has come to our code, an interrupt is Python's.
            wait_for(lambda: b"prodready" in Path(f"/proc/{process.pid}/cmdline").read_bytes())
            time.sleep(0.1 + delay / 1000)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=60)
            if b"KeyboardInterrupt" in err and b"prodready/" not in err:
                continue
            assert (process.returncode, err) in [(130, b"prodready: interrupted\n"), (1, b""), (-2, b"")], (
                delay,
                process.returncode,
                err,
            )
            assert b"Traceback" not in out


@linux_only
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_processes_end_with_the_one_that_started_them(app: Path, end: signal.Signals) -> None:
    with long_run(app) as (process, workers):
        process.send_signal(end)
        process.wait(timeout=30)
        wait_for(lambda: not any(map(is_running, workers)))


# ---- The cache


def test_a_cache_that_many_make_at_the_same_time(tmp_path: Path) -> None:
    def opened(directory: Path) -> list[str]:
        together.wait()
        cache = Cache(directory)
        cache.close()
        return cache.notes

    together = threading.Barrier(6)
    with ThreadPoolExecutor(6) as pool:
        for number in range(60):
            assert list(pool.map(opened, [tmp_path / str(number)] * 6)) == [[]] * 6


def test_runs_at_the_same_time(app: Path) -> None:
    many(app)
    for round_ in range(3):
        (app / "good.py").write_bytes(b"# %d\n" % round_ * round_ + BODY)
        processes = [
            subprocess.Popen(command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for words in ([], ["."], ["--jobs", "1"], ["good.py"])
        ]
        ended = [process.communicate(timeout=240) for process in processes]
        outs = [sound(process.returncode, *end) for process, end in zip(processes, ended, strict=True)]
        assert [done.told for done in outs] == [[]] * 4
        assert [done.code for done in outs] == [1] * 4
        assert [done.out.count("PRD301") for done in outs] == [101, 101, 101, 1]
        assert all(f"good.py:{6 + round_}:5: PRD301" in done.out for done in outs)
    assert "note: 101 files checked; of the project, 101 files were taken from the cache" in check("--verbose").told


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(20_000))


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


def overwritten(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:4096] + os.urandom(len(data) - 4096))


def other_tables(path: Path) -> None:
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE files (name TEXT); CREATE TABLE facts (name TEXT);")


def other_columns(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript("DROP TABLE files; CREATE TABLE files (name TEXT);")


def no_table(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript("DROP TABLE runs; DROP TABLE facts; DROP TABLE knowledge;")


def newer_form(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript("PRAGMA user_version = 99;")


def garbage_in(table: str) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            for value in (b"\x93\x01\xff\xffgarbage", "text", 7, None, b""):
                connection.execute(f"UPDATE {table} SET body = ? WHERE rowid % 5 = abs(random()) % 5", [value])
            connection.execute(f"UPDATE {table} SET body = ? WHERE rowid = 1", [b"\x93\x01\xff\xffgarbage"])
            if table != "runs":
                connection.execute("DELETE FROM runs")
            connection.commit()

    return spoil


def garbage_in_files(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE files SET mtime = 'yesterday', size = NULL, key = x'ff'")
        connection.commit()


def garbage_in_paths(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE files SET path = rowid")
        connection.commit()


def nothing(path: Path) -> None:
    path.write_bytes(b"")


def facts_of_others(path: Path) -> None:
    """Entries whose facts are gone, as after the run of another process that knows other files."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript("DELETE FROM facts; DELETE FROM runs;")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (garbage, "the cache is corrupt"),
        (truncated, "the cache"),
        (cut_short, "the cache is corrupt"),
        (overwritten, "the cache is corrupt"),
        (other_tables, "the cache is corrupt (it has the form of another version)"),
        (newer_form, "the cache is corrupt (it has the form of another version)"),
        (other_columns, "the cache is corrupt"),
        (no_table, "the cache could not be written"),
        (garbage_in("outlines"), "the cache is corrupt"),
        (garbage_in("facts"), "the cache held facts that cannot be read; they are made anew"),
        (garbage_in("runs"), ""),
        (garbage_in("knowledge"), ""),
        (garbage_in_files, ""),
        (garbage_in_paths, "the cache is corrupt"),
        (nothing, ""),
        (facts_of_others, ""),
    ],
    ids=lambda value: getattr(value, "__qualname__", "").partition(".")[0] or None,
)
def test_a_corrupt_cache(app: Path, damage: Callable[[Path], None], said: str) -> None:
    many(app, 12, b"# noqa\n" + BODY)
    right = check()
    assert (right.code, right.told) == (1, [])
    damage(app / ".prodready_cache" / DATABASE)
    first = check()
    assert (first.code, first.out) == (1, right.out)
    assert [line.startswith("warning: ") and said in line for line in first.told] == ([True] if said else [])
    second = check()
    assert (second.code, second.out, second.told) == (1, right.out, [])
    assert "note: 13 files checked; of the project, 13 files were taken from the cache" in check("--verbose").told


def test_a_directory_in_place_of_the_database(app: Path) -> None:
    database = app / ".prodready_cache" / DATABASE
    database.mkdir(parents=True)
    done = check_good(code=1)
    assert len(done.told) == 1
    assert done.told[0].startswith(f"warning: {database}: the cache cannot be used")


def test_another_process_holds_the_database(
    app: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    check()
    (app / "good.py").write_bytes(b"\n" + BODY)
    monkeypatch.setattr("prodready.cache.WAIT", 0.1)
    with contextlib.closing(sqlite3.connect(app / ".prodready_cache" / DATABASE, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        done = told(capsys)
    assert (done.code, done.places("good.py")) == (1, ["7:5: PRD301"])
    assert len(done.told) == 1
    assert "database is locked" in done.told[0]
    assert told(capsys).told == []
