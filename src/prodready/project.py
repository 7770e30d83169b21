"""The pipeline: walk, read, link, judge, report. Read this page from top to bottom."""

from __future__ import annotations

import gc
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from prodready import discover, knowledge
from prodready.cache import NO_STAMP, Cache, Entry, Stamp, content_key, stamp_of, tool_digest
from prodready.config import Config
from prodready.finding import Finding, Problem, Report, Suppressed
from prodready.link.linked import Linked
from prodready.link.program import Program
from prodready.read.facts import FileFacts, Outline
from prodready.reading import FileRead, read_many, read_one, read_path
from prodready.rules import Rule, all_rules
from prodready.source import SourceError, decode, split_lines
from prodready.suppress import apply

FACTS = msgspec.msgpack.Decoder(FileFacts)


@dataclass(frozen=True)
class Options:
    """How to run. `stdin` is a path relative to the root and the content that stands for it; `progress` gets (done, all).

    `fixes` asks for the edits that remove a finding, which take a parse of its file.
    """

    jobs: int | None = None
    cache: bool = True
    progress: Callable[[int, int], None] | None = None
    stdin: tuple[str, bytes] | None = None
    fixes: bool = True


class _Outcome(msgspec.Struct):
    """What linking and judging all files gave, before anything is selected: kept for the next run on the same files."""

    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]


@dataclass
class _State:
    """The project as read."""

    entries: dict[str, Entry]
    bodies: dict[str, bytes]
    problems: list[Problem]
    cached: int
    stdin: tuple[str, bytes] | None


def check(config: Config, targets: Sequence[Path], options: Options = Options()) -> Report:
    """Analyse the project at `config.root` and report on what lies in `targets`, absolute paths below it.

    Raises KnowledgeError for a knowledge file that cannot be used; all other trouble is in the report.
    """
    return Session(config).check(targets, options)


class Session:
    """One project. Facts stay in memory between checks, so that an editor or a linter's host pays for them once."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.sources = knowledge.sources(config.root / path for path in config.knowledge)
        self._decoded: dict[str, FileFacts] = {}

    def check(self, targets: Sequence[Path], options: Options = Options()) -> Report:
        """See `check` of this module."""
        clock = _Clock()
        collecting = gc.isenabled()
        gc.disable()  # Facts are trees without cycles; going through them again and again costs a third of the time.
        try:
            return self._check(targets, options, clock)
        finally:
            if collecting:
                gc.enable()

    def _check(self, targets: Sequence[Path], options: Options, clock: _Clock) -> Report:
        cache = Cache(self.config.cache_path if options.cache else None)
        try:
            walk = discover.walk(self.config, targets)
            clock.lap("walk")
            state = self._read(cache, walk.files, options)
            clock.lap("read")
            chosen = self._chosen(targets, state.entries, options)
            facts = _Loader(self.config.root, cache, state, self._decoded)
            outcome = self._judge(cache, state, chosen, facts, options)
            clock.lap("judge")
            findings, suppressed = self._select(outcome.findings, chosen, state, facts, options)
            clock.lap("report")
        finally:
            cache.close()
        keys = {entry.key for entry in state.entries.values()}
        self._decoded = {key: value for key, value in self._decoded.items() if key in keys}
        problems = [*walk.problems, *state.problems, *outcome.problems]
        elsewhere = [problem for problem in problems if not self._concerns(problem, targets)]
        return Report(
            root=str(self.config.root),
            findings=tuple(findings),
            suppressed=tuple(suppressed),
            problems=tuple(problem for problem in problems if problem not in elsewhere),
            notes=(*walk.notes, *map(str, elsewhere)),
            warnings=tuple(cache.notes),
            files=len(chosen),
            lines=sum(state.entries[path].outline.lines for path in chosen),
            cached=state.cached,
            seconds=clock.total(),
            timings=clock.laps,
        )

    def _chosen(self, targets: Sequence[Path], paths: Iterable[str], options: Options) -> frozenset[str]:
        """The files to report on."""
        if options.stdin is not None and any(path == options.stdin[0] for path in paths):
            return frozenset([options.stdin[0]])
        if self.config.root in targets:
            return frozenset(paths)
        return frozenset(path for path in paths if _in_targets(self.config.root / path, targets))

    def _concerns(self, problem: Problem, targets: Sequence[Path]) -> bool:
        """Whether a problem spoils this run: a file that nobody asked about may be broken."""
        return not problem.path or _in_targets(self.config.root / problem.path, targets)

    # Read

    def _read(self, cache: Cache, files: Iterable[discover.SourceFile], options: Options) -> _State:
        """What is known of all files, from the cache where their content has been read before."""
        known = cache.entries()
        state = _State({}, {}, [], 0, options.stdin)
        unread: dict[str, Stamp] = {}
        for file in files:
            try:
                stamp = stamp_of(os.stat(self.config.root / file.path))
            except OSError:
                unread[file.path] = NO_STAMP
                continue
            entry = known.get(file.path)
            if entry is not None and entry.stamp == stamp and _is_current(entry):
                state.entries[file.path] = entry
            else:
                unread[file.path] = stamp
        if options.stdin is not None:
            path, data = options.stdin
            unread.pop(path, None)
            state.entries.pop(path, None)
            self._take(state, read_one(path, data), NO_STAMP)
        fresh = self._recognised(unread, known)
        state.entries.update(fresh)
        state.cached = len(state.entries) - (options.stdin is not None)
        unread = {path: stamp for path, stamp in unread.items() if path not in fresh}
        done = 0

        def progress(count: int) -> None:
            nonlocal done
            done += count
            if options.progress is not None:
                options.progress(done, len(unread))

        jobs = options.jobs or self.config.jobs or os.cpu_count() or 1
        for result in read_many(self.config.root, list(unread), jobs, progress):
            self._take(state, result, unread[result.path])
            if result.lasting:
                fresh[result.path] = state.entries[result.path]
        for path, entry in state.entries.items():
            if entry.known.error and entry.key not in state.bodies and path not in unread and path not in state.told:
                pass
        gone = [path for path in known if path not in state.entries]
        cache.save_files(fresh, gone, {e.key: state.bodies[e.key] for e in fresh.values() if e.key in state.bodies})
        return state
    # Report

    def _select(
        self, findings: Iterable[Finding], chosen: set[str], state: _State, options: Options
    ) -> tuple[list[Finding], list[Suppressed]]:
        """What is to be shown of `findings`: chosen files, selected rules, nothing suppressed."""
        rules = all_rules()
        by_file: dict[str, list[Finding]] = {}
        for finding in findings:
            if finding.location.path in chosen:
                by_file.setdefault(finding.location.path, []).append(finding)
        shown: list[Finding] = []
        silenced: list[Suppressed] = []
        for path in sorted(chosen):
            entry = state.entries[path]
            if path not in by_file and not entry.outline.suppresses:
                continue
            data = self._content(path, options)
            kinds = discover.kind(self.config, path) | ({"generated"} if discover.is_generated(data) else set())
            kept = [
                f
                for f in by_file.get(path, [])
                if not rules[f.code].skip & kinds and self.config.enabled_in(f.code, path)
            ]
            kept = _fingerprinted(kept, data)
            facts = self._facts(entry, state, data)
            if facts is not None:
                ran = {code for code, rule in rules.items() if self.config.enabled_in(code, path) and not rule.skip & kinds}
                kept, quiet, extra = apply(kept, facts.suppressions, path, ran, self.config.require_reason)
                kept = sorted([*kept, *extra], key=lambda f: f.sort_key)
                silenced += (s for s in quiet if self.config.shows(s.finding))
            kept = [finding for finding in kept if self.config.shows(finding)]
            shown += _fixable(kept, data) if options.fixes else kept
        return shown, silenced

    def _facts(self, entry: Entry, state: _State, data: bytes) -> FileFacts | None:
        facts = self._decoded.get(entry.key)
        if facts is None:
            body = state.bodies.get(entry.key) or read_one("", data).body
            facts = self._decoded[entry.key] = FACTS.decode(body) if body else None  # type: ignore[assignment]
        return facts

    def _content(self, path: str, options: Options) -> bytes:
        if options.stdin is not None and options.stdin[0] == path:
            return options.stdin[1]
        try:
            return (self.config.root / path).read_bytes()
        except OSError:
            return b""


class _Clock:
    """Seconds per step."""

    def __init__(self) -> None:
        self.start = self._last = time.perf_counter()
        self.laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = self.laps.get(name, 0.0) + now - self._last
        self._last = now

    def total(self) -> float:
        return time.perf_counter() - self.start


def _run_rule(rule: Rule, linked: Linked) -> tuple[list[Finding], list[Problem]]:
    """A rule's findings; a rule that raises loses only what it had not found yet."""
    found: list[Finding] = []
    if rule.check is None:
        return found, []
    try:
        found.extend(rule.check(linked))
    except Exception as error:
        if os.environ.get("PRODREADY_DEBUG"):
            raise
        says = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        return found, [Problem(f"rule {rule.code} ({rule.slug}) failed, please report it: {says}")]
    return found, []


def _fingerprinted(findings: Sequence[Finding], data: bytes) -> list[Finding]:
    """The findings of one file with the text of their statements and their number among equals."""
    try:
        lines = split_lines(decode(data)) if findings else []
    except SourceError:
        return list(findings)
    seen: dict[tuple[str, str, str], int] = {}
    done = []
    for finding in findings:
        first, last = finding.statement
        snippet = " ".join(" ".join(lines[max(first - 1, 0) : last]).split()) if first else ""
        key = (finding.code, finding.context, snippet)
        done.append(msgspec.structs.replace(finding, snippet=snippet[:1000], occurrence=seen.get(key, 0)))
        seen[key] = seen.get(key, 0) + 1
    return done


def _fixable(findings: Sequence[Finding], data: bytes) -> list[Finding]:
    """The findings of one file with the fixes that their rules have for them."""
    rules = all_rules()
    try:
        text = decode(data) if any(rules[f.code].fix for f in findings) else ""
    except SourceError:
        return list(findings)
    done = []
    for finding in findings:
        fix = rules[finding.code].fix
        done.append(msgspec.structs.replace(finding, fixes=fix(finding, text)) if fix else finding)
    return done


def _versioned(key: str) -> str:
    """A cache key says which version of the tool made it."""
    return f"{tool_digest()}:{key}"


def _is_current(entry: Entry) -> bool:
    return entry.key.startswith(tool_digest() + ":")


def _in_targets(path: Path, targets: Sequence[Path]) -> bool:
    return any(path == target or target in path.parents for target in targets)


def _concerns(problem: Problem, chosen: Sequence[str]) -> bool:
    """A file that nobody asked about may be broken without spoiling this run."""
    return True


__all__ = ["Options", "Session", "check", "content_key"]
