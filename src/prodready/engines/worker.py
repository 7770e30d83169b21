"""An engine that is a library: used in processes of its own, because it keeps global state, may hang or be killed.

The process is this interpreter, isolated (`-I`): nothing in the project's directory can be imported. It gets a job as a
file of JSON, and prints what was found.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from prodready.cache import Cache, tool_digest
from prodready.config import Config
from prodready.engines.base import Answer, EngineError, Memory, Process, Slots
from prodready.finding import Finding, Problem

LIMIT = 60.0
"""Seconds that a process may take, and a tenth more for each file."""

_LARGEST = 1_000_000
_WORTH_ANOTHER = 400_000
"""Bytes from which a second process starts sooner than the first is done."""

_BOOT = "import sys; sys.path += sys.argv[3:]; import importlib; importlib.import_module(sys.argv[1]).main(sys.argv[2])"


class Found(msgspec.Struct, array_like=True):
    """One thing that the library found, places as `finding.Location` has them."""

    code: str
    line: int
    column: int
    end_line: int
    end_column: int
    first: int
    last: int
    severity: int
    confidence: int
    message: str
    hint: str = ""
    secret: bool = False


class Result(msgspec.Struct):
    """What a process prints: what was found and what was not read by path, and what is wrong with its settings."""

    found: dict[str, list[Found]]
    notes: dict[str, list[str]]
    problems: list[str]


def version(package: str) -> str:
    """The version of an installed package; empty if it is not installed."""
    from importlib import metadata  # takes as long to import as all engines

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


class Worker:
    """One check's run of a library. Subclasses say which files it gets and what they are to be told about."""

    name = ""
    package = ""
    module = ""
    extra = ""

    def __init__(self, config: Config, cache: Cache, given: Mapping[str, bytes], slots: Slots) -> None:
        self.config = config
        self.enabled = frozenset(filter(config.enabled, self.codes()))
        self.settings: dict[str, Any] = {}
        self.problems: list[Problem] = []
        self._given, self._slots = given, slots
        self._version = version(self.package)
        self.prepare()
        said = f"{self.name} {tool_digest()} {self._version} {sorted(self.enabled)} {json.dumps(self.settings)}"
        self.memory = Memory.open(cache, hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest(), given)
        self._asked: tuple[str, ...] = ()
        self._waiting: list[list[str]] = []
        self._running: list[tuple[list[str], Process]] = []
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._sound = True

    # For subclasses

    def codes(self) -> frozenset[str]:
        """The codes that only this engine reports."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Fill `settings`, which go to the process and into the key of what is remembered."""

    def wants(self, name: str) -> bool:
        """Whether it has a use for a file that is not Python, by its name without the directory."""
        raise NotImplementedError

    def among(self, paths: Sequence[str]) -> Iterable[str]:
        """The files that are for this engine."""
        raise NotImplementedError

    def worth(self, path: str, data: bytes) -> bool:
        """Whether something can be found in a file with this content."""
        raise NotImplementedError

    # The run

    def start(self, paths: Sequence[str]) -> None:
        """Begin with what has to be looked at anew of these files."""
        self._asked = tuple(self.among(paths))
        unknown = self.memory.unknown(self.config.root, self._asked)
        if not self._version:
            contents = self.memory.contents
            self._asked = tuple(
                path for path in unknown if len(contents[path]) <= _LARGEST and self.worth(path, contents[path])
            )
            return
        worth = []
        for path in unknown:
            data = self.memory.contents[path]
            why = "over 1 MB" if len(data) > _LARGEST else "" if _is_text(path) else "its name is not UTF-8"
            if why:
                self.memory.learn(path, notes=[f"{path}: {why}, not read by {self.name}"])
            elif self.worth(path, data):
                worth.append(path)
                continue
            else:
                self.memory.learn(path)
            del self.memory.contents[path]
        size = sum(len(self.memory.contents[path]) for path in worth)
        count = max(1, min(self._slots.limit // 2, size // _WORTH_ANOTHER))
        self._waiting = [part for part in (worth[number::count] for number in range(count)) if part]
        self.proceed()

    def proceed(self) -> None:
        """Start what still waits, as far as there are free slots."""
        while self._waiting and self._slots.free:
            self._next()

    def answer(self, existing: frozenset[str]) -> Answer:
        """What there is to say of the files, once all processes are done; one that fails costs its own files only."""
        if not self._version:
            return self._without()
        try:
            while self._running or self._waiting:
                if not self._running:
                    self._next()
                    continue
                batch, process = self._running.pop(0)
                try:
                    self._take(batch, *process.result())
                except EngineError as error:
                    self._fail(str(error), batch)
                self._slots.free += 1
        finally:
            self.stop()
        if self._sound:
            self.memory.save(existing)
        said = {path: self.memory.said[path] for path in self._asked if path in self.memory.said}
        return Answer(
            tuple(finding for known in said.values() for finding in known.findings),
            tuple(self.problems),
            tuple(note for known in said.values() for note in known.notes),
            read=frozenset(said),
            remarked=frozenset(path for path, known in said.items() if known.remarked and not path.endswith(".py")),
            codes=self.codes(),
        )

    def stop(self) -> None:
        """End what still runs."""
        for _, process in self._running:
            process.stop()
            self._slots.free += 1
        self._running.clear()
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def _next(self) -> None:
        batch = self._waiting.pop(0)
        self._scratch = self._scratch or tempfile.TemporaryDirectory(prefix="prodready-")
        scratch = Path(self._scratch.name)
        place = self.config.root
        if any(path in self._given for path in batch):
            place = scratch / "files"
            for path in batch:
                (place / path).parent.mkdir(parents=True, exist_ok=True)
                (place / path).write_bytes(self.memory.contents[path])
        job = scratch / f"job{len(self._waiting)}.json"
        job.write_text(json.dumps({"root": str(place), "files": batch, **self.settings}), "utf-8")
        command = [sys.executable, "-I", "-c", _BOOT, self.module, str(job), *_library_paths(self.config.root)]
        try:
            process = Process(command, scratch, os.environ, LIMIT + len(batch) / 10)
        except EngineError as error:
            self._fail(str(error), batch)
            return
        self._slots.free -= 1
        self._running.append((batch, process))

    def _take(self, batch: Sequence[str], code: int, output: bytes, complaint: str) -> None:
        try:
            result = msgspec.json.decode(output, type=Result)
            if code:
                raise ValueError
            learnt = {path: [self._finding(path, raw) for raw in result.found.get(path, ())] for path in batch}
        except (msgspec.MsgspecError, KeyError, ValueError):
            # Of what a library complains about, its text might quote what it read.
            says = f" ({complaint.partition(':')[0][:60]})" if code and complaint else ""
            raise EngineError(f"its answer cannot be read (exit code {code}){says}") from None
        for path, findings in learnt.items():
            notes = [f"{path}: {note}" for note in result.notes.get(path, ())]
            self.memory.learn(path, sorted(findings, key=lambda finding: finding.sort_key), notes)
        if result.problems:
            self._sound = False
            self.problems += (Problem(f"{self.name}: {why}") for why in result.problems)

    def _finding(self, path: str, raw: Found) -> Finding:
        raise NotImplementedError

    def _fail(self, why: str, batch: Sequence[str]) -> None:
        self._sound = False
        count = f"{len(batch)} file{'' if len(batch) == 1 else 's'}"
        self.problems.append(Problem(f"{self.name}: {why}; what it looks for was not looked for in {count}"))

    def _without(self) -> Answer:
        """It is not installed: a remark, or a problem if someone asked for what only it can do."""
        explicit = {*self.config.select, *self.config.extend_select}
        wanted = sorted(self.enabled & explicit)
        files = self._asked
        what = ", ".join(wanted) or self.what()
        where = f"{len(files)} file{'' if len(files) == 1 else 's'}"
        line = (
            f"{self.name} is not installed: {what} not looked for in {where}; `pip install 'prodready[{self.extra}]'`, "
            f'or leave "{self.name}" out of `engines` in the configuration to do without'
        )
        return Answer(
            problems=(*self.problems, *([Problem(line)] if files and wanted else [])),
            warnings=(line,) if files and not wanted else (),
            codes=self.codes(),
        )

    def what(self) -> str:
        """What goes unseen without it, in a word or two."""
        return ", ".join(sorted(self.enabled))


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _library_paths(root: Path) -> list[str]:
    """Where we and what is installed beside us can be imported from: never the project that is looked at."""
    own = str(Path(__file__).resolve().parents[2])
    elsewhere = [path for path in sys.path if os.path.isabs(path) and os.path.realpath(path) != os.path.realpath(root)]
    cwd = os.path.realpath(os.curdir)
    return [own, *(path for path in elsewhere if path != own and os.path.realpath(path) != cwd)]
