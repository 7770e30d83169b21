"""semgrep: patterns for templates, front ends, Docker files, and those that a project brings itself.

One process in semgrep's native engine for a whole check, started before Python is read and asked for its answer when the
rules are done; none where no file has anything that a pattern could be about, or where the cache knows all of them.
What semgrep's command line does and does not say was measured with semgrep 1.182: its JSON has neither lines nor
metavariables, its columns count bytes, it leaves out files over 1 MB and minified ones without a word, a file of rules that
is not sound costs all others, and a broken rule only itself.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from prodready.cache import Cache, tool_digest
from prodready.config import Config
from prodready.engines.base import Answer, EngineError, Memory, Process, Slots
from prodready.finding import Finding, Location, Problem
from prodready.knowledge import rules_folder
from prodready.masking import hide
from prodready.patterns import Patterns, confidence_of, severity_of
from prodready.rules import all_rules

NAME = "semgrep"
INSTALL = "pip install 'prodready[semgrep]'"
LIMIT = 60.0
"""Seconds that semgrep may take, and a tenth more for each file; one rule on one file has 5, by semgrep's own limit."""

_LARGEST = 1_000_000
_ROOM = 120_000
"""Characters of file names on one command line: Linux has room for more, macOS for little more."""

_OPTIONS = (
    "--experimental", "-j", "1", "--json", "--quiet", "--metrics", "off", "--disable-version-check",
    "--no-rewrite-rule-ids", "--exclude-minified-files",
)  # fmt: skip

_SCRIPTS = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts")
_PAGES = (".html", ".htm", ".jinja", ".jinja2", ".j2", ".djhtml", ".vue")
_DEPLOYMENT = re.compile(r"dockerfile|containerfile|compose.*\.ya?ml$|^procfile$")
_LIBRARY = re.compile(rb"\s*/\*!")
"""The banner that minifiers must keep: how a library that was copied into the project begins."""
_LIBRARIES = re.compile(
    r"(?:^|/)(?:static|assets|public|media|www)/(?:.*/)?(?:libs?|vendors?|third[-_]?party|plugins)/|(?:^|/)bower_components/"
)
"""Folders that hold copied libraries; `lib/` elsewhere is a common name for code of one's own."""

_ENDINGS = {
    "python": (".py",), "python3": (".py",), "javascript": _SCRIPTS[:4], "js": _SCRIPTS[:4],
    "typescript": _SCRIPTS[4:], "ts": _SCRIPTS[4:], "html": (".html", ".htm"), "yaml": (".yaml", ".yml"),
    "json": (".json",), "bash": (".sh", ".bash"), "sh": (".sh", ".bash"), "terraform": (".tf", ".hcl"),
    "dockerfile": ("dockerfile",), "docker": ("dockerfile",), "go": (".go",), "java": (".java",), "ruby": (".rb",),
    "php": (".php",), "xml": (".xml",), "rust": (".rs",),
}  # fmt: skip


def pack() -> tuple[Path, ...]:
    """Our own files of patterns. Those in the folder `core` say what our rules say better, and are not among them."""
    found = sorted((rules_folder() / "semgrep").glob("*.yaml"))
    return tuple(path for path in found if not path.name.endswith(".test.yaml"))


def codes(config: Config) -> frozenset[str]:
    """The codes that only semgrep reports: of our patterns, and of the project's own."""
    return frozenset(code for code, rule in all_rules().items() if rule.engine == NAME) | config.patterns.rules.keys()


def is_on(config: Config) -> bool:
    """Whether semgrep is to run, if there is anything for it."""
    return NAME in config.engines and any(map(config.enabled, codes(config)))


class _Wants:
    """Which files may have something for semgrep, by their names. Own patterns for no language in particular want all."""

    def __init__(self, patterns: Patterns) -> None:
        endings = [_ENDINGS.get(language, ("",)) for language in patterns.languages]
        self._own = tuple(ending for group in endings for ending in group)

    def __call__(self, name: str) -> bool:
        """Whether a file that is not Python is wanted, by its name without the directory."""
        lowered = name.lower()
        return lowered.endswith((*_SCRIPTS, *_PAGES)) or self.surely(name)

    def surely(self, path: str) -> bool:
        """Whether the file is to be looked at whatever is in it: there are few such, or a user's pattern asks for it."""
        name = path.rpartition("/")[2].lower()
        return bool(_DEPLOYMENT.search(name)) or name.endswith(self._own)


def open_engine(config: Config, cache: Cache, given: Mapping[str, bytes], slots: Slots) -> Semgrep:
    """The engine for one check; `given` is the content of files as they are in an editor."""
    return Semgrep(config, cache, given, slots)


class Semgrep:
    """One check's run of semgrep."""

    name = NAME

    def __init__(self, config: Config, cache: Cache, given: Mapping[str, bytes], slots: Slots) -> None:
        self._config, self._given, self._slots = config, given, slots
        self._wants = _Wants(config.patterns)
        self._program = program()
        self._memory = Memory.open(cache, self._key(), given)
        self._problems = list(config.patterns.problems)
        self._asked: tuple[str, ...] = ()
        self._waiting: list[list[str]] = []
        self._process: Process | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._sound = True

    def wants(self, name: str) -> bool:
        """Whether some pattern may be about a file of this name."""
        return self._wants(name)

    def start(self, paths: Sequence[str]) -> None:
        """Begin with what has to be looked at anew of these files."""
        self._asked = tuple(paths)
        if not self._program:
            return
        needles = _needles()
        contents = self._memory.contents
        worth = []
        for path in self._memory.unknown(self._config.root, self._asked):
            data = contents[path]
            lowered = data.lower()
            if self._wants.surely(path) or any(needle in lowered for needle in needles):
                why = _left_out(path, data)
                if not why:
                    worth.append(path)
                    continue
                self._memory.learn(path, notes=[f"{path}: {why}, not read by semgrep"])
            else:
                self._memory.learn(path)
            del contents[path]
        self._waiting = _batches(worth)
        self.proceed()

    def proceed(self) -> None:
        """Start on the next files, if there are any and a slot is free."""
        if not self._waiting or self._process is not None or not self._slots.free:
            return
        try:
            self._next()
        except EngineError as error:
            self._waiting.clear()
            self._fail(str(error))

    def answer(self, existing: frozenset[str]) -> Answer:
        """What there is to say of the files, once semgrep is done."""
        if not self._program:
            return self._without()
        try:
            while self._waiting:
                process = self._process or self._next()
                code, output, complaint = process.result()
                self._release()
                self._take(self._waiting.pop(0), code, output, complaint)
        except EngineError as error:
            self._fail(str(error))
        finally:
            self.stop()
        if self._sound:
            self._memory.save(existing)
        said = {path: self._memory.said[path] for path in self._asked if path in self._memory.said}
        return Answer(
            tuple(finding for known in said.values() for finding in known.findings),
            tuple(self._problems),
            tuple(note for known in said.values() for note in known.notes),
            read=frozenset(said),
            remarked=frozenset(path for path, known in said.items() if known.remarked and not path.endswith(".py")),
            codes=codes(self._config),
        )

    def stop(self) -> None:
        """Let go of the process, if it still runs."""
        if self._process is not None:
            self._process.stop()
            self._release()
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def _release(self) -> None:
        self._process = None
        self._slots.free += 1

    # Asking

    def _key(self) -> str:
        """All that an answer depends on besides the file. An update of semgrep writes its program anew."""
        digest = hashlib.sha256(f"{NAME} {tool_digest()} {self._program}".encode("utf-8", "surrogatepass"))
        if self._program:
            stat = os.stat(os.path.realpath(self._program))
            digest.update(f"{stat.st_size} {stat.st_mtime_ns}".encode())
        for path in (*pack(), *self._config.patterns.files):
            digest.update(path.read_bytes() if path.is_file() else b"")
        return digest.hexdigest()

    def _next(self) -> Process:
        """Start on the next files; raises EngineError."""
        batch = self._waiting[0]
        place = self._config.root
        if self._given:
            # Under the same name elsewhere: patterns may go by it.
            self._scratch = self._scratch or tempfile.TemporaryDirectory(prefix="prodready-")
            place = Path(self._scratch.name)
            for path in batch:
                (place / path).parent.mkdir(parents=True, exist_ok=True)
                (place / path).write_bytes(self._memory.contents[path])
        configs = [word for path in (*pack(), *self._config.patterns.files) for word in ("--config", str(path))]
        command = [self._program, "scan", *_OPTIONS, *configs, "--", *batch]
        # Nobody's settings of semgrep's own, and no token: what is found must not depend on who looks.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SEMGREP_")}
        self._process = Process(command, place, environment, LIMIT + len(batch) / 10)
        self._slots.free -= 1
        return self._process

    def _fail(self, why: str) -> None:
        self._sound = False
        self._problems.append(Problem(f"semgrep: {why}; what its patterns look for was not looked for in all files"))

    def _without(self) -> Answer:
        """There is no semgrep: a remark, or a problem if someone asked for what only semgrep can do."""
        missing = sorted(filter(self._config.enabled, codes(self._config)))
        explicit = {*self._config.select, *self._config.extend_select, *self._config.patterns.rules}
        wanted = [code for code in missing if code in explicit]
        must = bool(wanted or self._config.semgrep)
        # Of Python it would have said little.
        files = [path for path in self._asked if must or not path.endswith(".py")]
        line = (
            f"semgrep is not installed: {', '.join(wanted or missing)} not looked for in {len(files)} "
            f"file{'' if len(files) == 1 else 's'}; `{INSTALL}`, or `engines = []` in the configuration to do without"
        )
        return Answer(
            problems=(*self._problems, *([Problem(line)] if files and must else [])),
            warnings=(line,) if files and not must else (),
            codes=codes(self._config),
        )

    # Reading the answer

    def _take(self, batch: Sequence[str], code: int, output: bytes, complaint: str) -> None:
        """Learn from the answer about a batch; raises EngineError where it is none."""
        try:
            answer: dict[str, Any] = msgspec.json.decode(output, type=dict[str, Any])
            scanned = frozenset(answer["paths"]["scanned"])
            found: defaultdict[str, list[Finding]] = defaultdict(list)
            for result in answer["results"]:
                found[result["path"]].append(self._finding(result))
            notes = self._errors(answer["errors"])
        except (msgspec.MsgspecError, KeyError, TypeError, ValueError, AttributeError):
            says = f": {complaint[:200]}" if complaint else ""
            raise EngineError(f"its answer cannot be read (exit code {code}){says}") from None
        if code not in {0, 1} and self._sound:
            self._fail(f"it ended with exit code {code}{f': {complaint[:200]}' if complaint else ''}")
        for path in batch:
            if path not in scanned and not notes[path] and path.endswith(_SCRIPTS):
                notes[path].append(f"{path}: taken for minified, not read by semgrep")
            self._memory.learn(path, _best(found[path]), notes[path])

    def _finding(self, result: dict[str, Any]) -> Finding:
        extra = result["extra"]
        metadata = extra.get("metadata") or {}
        name = result["check_id"]
        own = self._config.patterns.rules.get(name)
        rule = all_rules()[metadata["code"]] if own is None else None
        path, first, last = result["path"], result["start"], result["end"]
        lines = self._memory.contents[path].split(b"\n")
        return Finding(
            rule.code if rule else name,
            rule.slug if rule else name,
            hide(" ".join(str(extra["message"]).split())),
            severity_of(extra.get("severity")),
            confidence_of(metadata),
            Location(path, first["line"], _column(lines, first), last["line"], _column(lines, last)),
            hint=" ".join(str(metadata.get("hint", "")).split()),
            statement=(first["line"], last["line"]),
        )

    def _errors(self, errors: Iterable[dict[str, Any]]) -> defaultdict[str, list[str]]:
        """What is wrong with patterns becomes a problem; what is wrong with files is returned by file."""
        notes: defaultdict[str, list[str]] = defaultdict(list)
        for error in errors:
            says = " ".join(str(error.get("message", "")).split())[:300]
            kind, path = error.get("type", "error"), error.get("path")
            if path is not None and path in self._memory.contents:
                where = re.search(r":(\d+):", says)
                line = f":{where[1]}" if where else ""
                notes[path].append(f"{path}{line}: not read in full by semgrep: {_kind(kind).lower()}")
                continue
            own = self._config.patterns.rules.get(error.get("rule_id", ""))
            place = os.path.relpath(own.file, self._config.root).replace(os.sep, "/") if own else ""
            self._sound = False
            self._problems.append(Problem(f"semgrep: {says}", place))
        return notes


def _needles() -> tuple[bytes, ...]:
    """Texts of which one stands in every file that a pattern of ours is about, files for deployment left out."""
    rules = (
        rule for rule in all_rules().values() if rule.engine == NAME and not _DEPLOYMENT.search(rule.example.lower())
    )
    return tuple(needle.encode() for rule in rules for needle in rule.needles)


def program() -> str:
    """semgrep's command: the one beside the interpreter that runs us, or the first on the PATH; empty if there is none."""
    beside = Path(sys.executable).with_name(NAME)
    return str(beside) if os.access(beside, os.X_OK) and beside.is_file() else shutil.which(NAME) or ""


def _left_out(path: str, data: bytes) -> str:
    """Why semgrep would not read the file, or should not."""
    if len(data) > _LARGEST:
        return "over 1 MB"
    if re.search(r"[.-]min\.m?js$", path):
        return "minified"
    if path.endswith(_SCRIPTS) and (_LIBRARIES.search(path) or _LIBRARY.match(data)):
        return "a library, by its folder or its first line"
    try:
        path.encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    return ""


def _batches(paths: Sequence[str]) -> list[list[str]]:
    batches: list[list[str]] = []
    room = 0
    for path in paths:
        if len(path) >= room:
            batches.append([])
            room = _ROOM
        batches[-1].append(path)
        room -= len(path) + 3
    return batches


def _best(findings: Iterable[Finding]) -> list[Finding]:
    """One finding for each code and place: the surest, where several patterns match."""
    best: dict[tuple[str, int, int], Finding] = {}
    for finding in findings:
        key = (finding.code, finding.location.line, finding.location.column)
        if key not in best or finding.confidence > best[key].confidence:
            best[key] = finding
    return sorted(best.values(), key=lambda finding: finding.sort_key)


def _column(lines: Sequence[bytes], place: Mapping[str, int]) -> int:
    """The column in characters; semgrep counts bytes."""
    line = lines[place["line"] - 1] if 0 < place["line"] <= len(lines) else b""
    return len(line[: place["col"] - 1].decode("utf-8", "ignore")) + 1


def _kind(kind: object) -> str:
    """The kind of an error; for some it is a list that starts with it."""
    return str(kind[0] if isinstance(kind, list) and kind else kind)
