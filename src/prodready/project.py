"""The pipeline: walk, read, link, judge, report. Read this page from top to bottom."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from prodready import discover, knowledge
from prodready.cache import Cache, content_key, tool_digest
from prodready.config import Config
from prodready.documents import Documents
from prodready.engines import Engines
from prodready.engines.base import Answers
from prodready.finding import Finding, Problem, Report, RouteTable, Suppressed
from prodready.judging import judge, run_rule
from prodready.knowledge import Knowledge
from prodready.knowledge_kept import keep, kept
from prodready.link.linked import Linked
from prodready.link.password_names import PasswordNames
from prodready.link.program import Program
from prodready.link.route_listing import listed
from prodready.linking_web import linked_front, linking_ahead, worth_linking_ahead
from prodready.moved import Lines, carried, moves
from prodready.outcome import Outcome, outcome_of, unpacked
from prodready.read.stored import Stems
from prodready.reading import WORTH_A_POOL
from prodready.reading_web import WebFiles
from prodready.rules import Rule, all_rules, rules_of
from prodready.sift import Sifted, fixable, sift
from prodready.state import Decoded, Loader, State, decoded, gather
from prodready.suppress import scan_other

WORTH_TWO = 1000
"""Files from which on a change is judged by two processes: what both have to look up costs less than a fifth there."""


@dataclass(frozen=True)
class Options:
    """How to run. `stdin` is a path relative to the root and the content that stands for it; `progress` gets (done, all).

    `fixes` asks for the edits that remove a finding, which take a parse of its file; `engines` for what other analysers say.
    `overlay` stands for the content of files, by path relative to the root; None for a file that is to be taken for absent.
    `changed` are the files that others are to look at, if not at all. With `verbose` the notes name each page that is not
    understood, for which those are read, too, that no rule asks for.
    """

    jobs: int | None = None
    cache: bool = True
    progress: Callable[[int, int], None] | None = None
    stdin: tuple[str, bytes] | None = None
    fixes: bool = True
    engines: bool = True
    changed: frozenset[str] | None = None
    verbose: bool = False
    overlay: Mapping[str, bytes | None] = field(default_factory=dict)

    @property
    def given(self) -> dict[str, bytes | None]:
        """The content that stands for that of files."""
        return {**self.overlay, **dict([self.stdin] if self.stdin else [])}


@dataclass
class Opened:
    """A project that is open: what the walk found, what was read, and the cache that it came from.

    `lasting` says whether a later run may be about the same content, so that its outcome is worth a place in the cache.
    `linked` is all of it linked, once somebody has asked for that.
    """

    cache: Cache
    walk: discover.Walk
    state: State
    facts: Loader
    engines: Engines
    web: WebFiles
    clock: _Clock
    lasting: bool = True
    linked: Linked | None = None


@dataclass(frozen=True)
class Insight:
    """A linked project with all that the rules say of it, before anything is selected or left out.

    `sift` tells what becomes of the findings of a file; `sources` are the knowledge files.
    """

    linked: Linked
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]
    sift: Callable[[str], Sifted]
    sources: knowledge.Sources


def check(config: Config, targets: Sequence[Path], options: Options = Options()) -> Report:
    """Analyse the project at `config.root` and report on what lies in `targets`, absolute paths below it.

    Raises KnowledgeError for a knowledge file that cannot be used; all other trouble is in the report.
    """
    return Session(config).check(targets, options)


class Session:
    """One project. Facts stay in memory between checks, so that an editor or a linter's host pays for them once."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._sources = knowledge.sources(config.root / path for path in config.knowledge)
        self._merged: Knowledge | None = None
        self._decoded: Decoded = {}

    def check(self, targets: Sequence[Path], options: Options = Options()) -> Report:
        """See `check` of this module."""
        with self.opened(targets, options) as run:
            return self.report(run, self.chosen(run, targets, options), targets, options)

    def report(
        self,
        run: Opened,
        chosen: frozenset[str],
        targets: Sequence[Path],
        options: Options,
        codes: Collection[str] | None = None,
    ) -> Report:
        """What there is to say of the files `chosen`, which belong to `targets`; with `codes` by these rules only."""
        state = run.state
        outcome = self._judge(run, chosen, codes)
        run.clock.lap("judge")
        if options.verbose and _asks_for_pages():
            run.web.read_all()
        answers = run.engines.answers()
        run.clock.lap("engines")
        picked = self._select(outcome.findings, chosen, run, answers, options)
        run.clock.lap("report")
        problems = [*run.walk.problems, *state.problems, *outcome.problems]
        elsewhere = [problem for problem in problems if not self._concerns(problem, targets)]
        return Report(
            root=str(self.config.root),
            findings=tuple(picked.shown),
            suppressed=tuple(picked.suppressed),
            below=tuple(picked.below),
            problems=(*(problem for problem in problems if problem not in elsewhere), *answers.problems),
            notes=(*run.walk.notes, *run.web.notes(), *map(str, elsewhere), *answers.notes, *picked.notes),
            warnings=(*run.cache.notes, *answers.warnings),
            files=len(chosen | answers.read),
            lines=sum(state.entries[path].outline.lines for path in chosen),
            cached=state.cached,
            seconds=run.clock.total(),
            timings=run.clock.laps,
        )

    @contextlib.contextmanager
    def linked(self, targets: Sequence[Path], options: Options = Options()) -> Iterator[Insight]:
        """The whole project, linked and judged, for who wants to know more than what is to be reported of `targets`.

        Facts are loaded when asked for: use it inside the `with` block only. `problems` are those of the targets.
        """
        with self.opened(targets, options) as run:
            outcome = self._judge(run, frozenset(run.state.entries))
            answers = run.engines.answers()
            findings = _merged(outcome.findings, answers)
            problems = [*run.walk.problems, *run.state.problems, *outcome.problems]
            by_file: dict[str, list[Finding]] = {}
            for finding in findings:
                by_file.setdefault(finding.location.path, []).append(finding)
            yield Insight(
                self._linked(run),
                findings,
                (*(problem for problem in problems if self._concerns(problem, targets)), *answers.problems),
                lambda path: self._sift(path, by_file.get(path, []), run, answers),
                self._sources,
            )

    def routes(self, targets: Sequence[Path], options: Options = Options()) -> RouteTable:
        """The routes that are declared or answered in `targets`, with their guards."""
        with self.opened(targets, replace(options, engines=False)) as run:
            chosen = self.chosen(run, targets, options)
            problems = [*run.walk.problems, *run.state.problems]
            linked = self._linked(run)
            routes = linked.routes
            problems += linked.documents.problems
            chosen |= self._among(linked.documents.asked, targets, options)
            return RouteTable(
                str(self.config.root),
                listed(routes, linked.route_callers, chosen),
                tuple(place for place in routes.unresolved if place.path in chosen),
                tuple(problem for problem in problems if self._concerns(problem, targets)),
            )

    @contextlib.contextmanager
    def opened(self, targets: Sequence[Path], options: Options = Options()) -> Iterator[Opened]:
        """The project, walked and read. What is made of it is good inside the `with` block only."""
        clock = _Clock()
        collecting = gc.isenabled()
        gc.disable()  # Facts are trees without cycles; going through them again and again costs a third of the time.
        cache = Cache(self.config.cache_path if options.cache else None)
        jobs = self._jobs(options)
        engines = Engines(self.config, cache, options.given, wanted=options.engines, jobs=jobs)
        beside = contextlib.ExitStack()
        try:
            walk = discover.walk(self.config, targets, engines.wants)
            clock.lap("walk")
            web = WebFiles(self.config.root, cache, walk.web, jobs, given=self._of_web(options.given))
            if _asks_for_pages() and worth_linking_ahead(web):
                beside.enter_context(linking_ahead(web, self._knowledge(cache)))
            engines.start(walk, lambda paths: self._for_engines(paths, targets, options))
            sought = partial(self._sought, cache)
            state = gather(self.config.root, cache, walk.files, options.given, jobs, options.progress, sought)
            clock.lap("read")
            facts = Loader(cache, state, self._decoded)
            yield Opened(cache, walk, state, facts, engines, web, clock)
            facts.keep_said()
            keys = {(path, entry.key) for path, entry in state.entries.items()}
            self._decoded = {key: facts for key, facts in self._decoded.items() if key in keys}
        finally:
            beside.close()
            engines.stop()
            cache.close()
            if collecting:
                gc.enable()

    def overlaid(self, run: Opened, overlay: Mapping[str, bytes | None]) -> Opened:
        """The same project with other content for some files; None for a file that is not there."""
        state = run.state.overlaid(overlay)
        loader = Loader(run.cache, state, self._decoded, run.facts.said)
        none = Engines(self.config, run.cache, {}, wanted=False)
        web = run.web.overlaid(self._of_web(overlay))
        return Opened(run.cache, run.walk, state, loader, none, web, run.clock, lasting=False)

    def _of_web(self, given: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
        return {path: data for path, data in given.items() if discover.is_web(self.config, path)}

    def chosen(self, run: Opened, targets: Sequence[Path], options: Options = Options()) -> frozenset[str]:
        """The files to report on."""
        return self._among(run.state.entries, targets, options)

    def _jobs(self, options: Options) -> int:
        return options.jobs or self.config.jobs or os.cpu_count() or 1

    def _for_engines(self, paths: Iterable[str], targets: Sequence[Path], options: Options) -> frozenset[str]:
        chosen = self._among(list(paths), targets, options)
        return chosen if options.changed is None else chosen & options.changed

    def _among(self, paths: Collection[str], targets: Sequence[Path], options: Options) -> frozenset[str]:
        if options.stdin is not None and options.stdin[0] in paths:
            return frozenset([options.stdin[0]])
        if self.config.root in targets:
            return frozenset(paths)
        return frozenset(path for path in paths if _in_targets(self.config.root / path, targets))

    def _concerns(self, problem: Problem, targets: Sequence[Path]) -> bool:
        """Whether a problem spoils this run: a file that nobody asked about may be broken."""
        return not problem.path or _in_targets(self.config.root / problem.path, targets)

    # Link and judge

    def _judge(self, run: Opened, chosen: frozenset[str], codes: Collection[str] | None = None) -> Outcome:
        """What the rules say, of the whole project or at least of the chosen files; remembered by the content of all.

        With `codes` only these rules are sure to have been asked.
        """
        state = run.state
        part = None if len(chosen) * 2 > len(state.entries) else chosen
        # Where another process is still at the pages nothing was known, so that no outcome is kept.
        if not run.web.is_pending:
            for key in (self._run_key(run), self._run_key(run, part)):
                kept = unpacked(run.cache.run(key))
                if kept is not None and self._documents(state).are_as(kept.asked):
                    return kept
            if (outcome := self._carried(run)) is not None:
                self._keep(run, None, outcome)
                return outcome
        linked = self._linked(run, part)
        fresh = all(entry.key in state.bodies or entry.known.error for entry in state.entries.values())
        many = len(state.entries) >= (WORTH_A_POOL if fresh else WORTH_TWO)
        apart = run.facts if state.jobs > 1 and many and (fresh or part is None) else None
        judged = judge(self._rules(run, codes), linked, run_rule, apart=apart)
        outcome = outcome_of(judged.findings, judged.problems, linked.documents)
        if codes is None:
            self._keep(run, part, outcome)
        return outcome

    def _rules(self, run: Opened, codes: Collection[str] | None) -> list[Rule]:
        rules = [rule for rule in all_rules().values() if codes is None or rule.code in codes]
        rules.sort(key=lambda rule: rule.front)
        if rules and rules[-1].front and not run.web.is_pending and not run.web.entries():
            rules = [rule for rule in rules if not rule.front]
        return rules

    def _carried(self, run: Opened) -> Outcome | None:
        """What was found before files changed, if that moved code and did nothing else."""
        before = run.state.before
        if not before or not run.lasting:
            return None
        kept = unpacked(run.cache.run(self._run_key(run, before=True)))
        documents = self._documents(run.state)
        if kept is None or not documents.are_as(kept.asked):
            return None
        moved: dict[str, Lines] = {}
        for path, one in before.items():
            if one.body == run.state.bodies.get(run.state.entries[path].key):
                continue
            old, new = decoded(one.body), run.facts(path)
            lines = moves(old, new) if old is not None and new is not None else None
            if lines is None:
                return None
            moved[path] = lines
        known, stuck = carried(kept.findings, moved)
        if not stuck:
            return outcome_of(known, (), documents)
        linked = self._linked(run)
        again = judge(self._rules(run, stuck), linked, run_rule, apart=None)
        linked.documents.are_as(kept.asked)
        return outcome_of([*known, *again.findings], again.problems, linked.documents)

    def _keep(self, run: Opened, part: Collection[str] | None, outcome: Outcome) -> None:
        """Keep an outcome for the next run, if it is complete."""
        if run.lasting and not (outcome.problems or run.facts.missed or run.web.problems):
            # The name of a file that is not UTF-8 does not go into msgpack: such a project is judged anew each time.
            with contextlib.suppress(UnicodeEncodeError):
                run.cache.save_run(self._run_key(run, part), msgspec.msgpack.encode(outcome))

    def _linked(self, run: Opened, chosen: frozenset[str] | None = None) -> Linked:
        if run.linked is None:
            outlines = {path: run.state.entries[path].outline for path in sorted(run.state.entries)}
            outside = frozenset(path for path in outlines if "tests" in discover.kind(self.config, path))
            program = Program(self._knowledge(run.cache), outlines, run.facts, outside)
            digest = knowledge.digest(self._sources)
            front = partial(linked_front, run.web, program.knowledge, digest, lasting=run.lasting)
            run.linked = Linked(program, outside, front, self._documents(run.state))
        return run.linked if chosen is None else run.linked.about(chosen)

    def _sought(self, cache: Cache, paths: Iterable[str]) -> dict[str, Stems]:
        """What the rules are going to search files for: the processes that read them can do that side by side."""
        stems = PasswordNames(self._knowledge(cache)).stems()
        return {path: stems for path in paths if "tests" not in discover.kind(self.config, path)}

    def _documents(self, state: State) -> Documents:
        return Documents(self.config.root, state.given)

    def _run_key(self, run: Opened, part: Collection[str] | None = None, *, before: bool = False) -> str:
        """The key of a run on this content, or on that `before`, which may be complete for some of the files only."""
        settings = f"{tool_digest()} {knowledge.digest(self._sources)} {self.config.test_paths}"
        digest = hashlib.sha256(settings.encode())
        keys = {path: entry.key for path, entry in run.state.entries.items()}
        if before:
            keys |= {path: one.key for path, one in run.state.before.items()}
        for path in sorted(keys):
            digest.update(f"\n{path}\0{keys[path]}".encode("utf-8", "surrogatepass"))
        if _asks_for_pages():
            for path, entry in run.web.entries().items():
                digest.update(f"\n{path}\0{entry.key}".encode("utf-8", "surrogatepass"))
        if part is not None:
            digest.update("\n".join(["\npart", *sorted(part)]).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def _knowledge(self, cache: Cache) -> Knowledge:
        """The knowledge files merged: parsing them would take longer than judging one file."""
        if self._merged is None:
            key = f"{tool_digest()}:{knowledge.digest(self._sources)}"
            shipped = not self.config.knowledge
            self._merged = (kept(key) if shipped else None) or knowledge.unpack(cache.knowledge(key) or b"")
            if self._merged is None:
                self._merged = knowledge.merge(self._sources)
                packed = knowledge.pack(self._merged)
                cache.save_knowledge(key, packed)
                if shipped:
                    keep(key, packed)
        return self._merged

    # Report

    def _select(
        self, findings: Iterable[Finding], chosen: frozenset[str], run: Opened, answers: Answers, options: Options
    ) -> _Picked:
        """What is to be shown of `findings`: chosen files, selected rules, nothing suppressed; and notes on the rest."""
        rules = rules_of(self.config)
        left_out: Counter[str] = Counter()
        by_file: dict[str, list[Finding]] = {}
        chosen = chosen | answers.read
        for finding in _merged(findings, answers):
            if finding.location.path in chosen:
                by_file.setdefault(finding.location.path, []).append(finding)
        shown: list[Finding] = []
        below: list[Finding] = []
        silenced: list[Suppressed] = []
        for path in sorted(chosen):
            entry = run.state.entries.get(path)
            if path not in by_file and not (entry and entry.outline.suppresses) and path not in answers.remarked:
                continue
            sifted = self._sift(path, by_file.get(path, []), run, answers)
            for finding in by_file.get(path, []):
                if finding.code in sifted.enabled - sifted.ran:
                    kind = ", ".join(sorted(rules[finding.code].skip & sifted.kinds))
                    left_out[f"of {finding.code} in {kind}, where it is silent"] += 1
            kept = [finding for finding in sifted.kept if finding.code in sifted.ran]
            silenced += (s for s in sifted.suppressed if s.finding.code in sifted.ran and self.config.shows(s.finding))
            wanted = [finding for finding in kept if self.config.shows(finding)]
            below += (finding for finding in kept if not self.config.shows(finding))
            shown += fixable(wanted, sifted.text) if options.fixes else wanted
        left_out["below min-confidence or min-severity"] = len(below)
        notes = [f"left out: {count} {why}" for why, count in sorted(left_out.items()) if count]
        return _Picked(shown, silenced, below, notes)

    def _sift(self, path: str, findings: Sequence[Finding], run: Opened, answers: Answers) -> Sifted:
        facts, data = run.facts(path), self.content(run, path)
        suppressions = facts.suppressions if facts else None
        if path in answers.read and not discover.is_python(self.config.root / path):
            suppressions = scan_other(data.decode("utf-8", "replace"))
        hidden = facts.hidden if facts and content_key(data) == run.state.entries[path].key else None
        return sift(self.config, path, findings, data, suppressions, answers.absent(path), hidden)

    def content(self, run: Opened, path: str) -> bytes:
        """The bytes of a file as they were analysed; none for one that is not to be had."""
        if path in run.state.given:
            return run.state.given[path] or b""
        try:
            return (self.config.root / path).read_bytes()
        except OSError:
            return b""


def _merged(findings: Iterable[Finding], answers: Answers) -> tuple[Finding, ...]:
    """Our findings and those of engines, in the order of reports."""
    return tuple(sorted([*findings, *answers.findings], key=lambda finding: finding.sort_key))


class _Picked(NamedTuple):
    """What is made of findings for a report."""

    shown: list[Finding]
    suppressed: list[Suppressed]
    below: list[Finding]
    notes: list[str]


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


def _asks_for_pages() -> bool:
    return any(rule.front for rule in all_rules().values())


def _in_targets(path: Path, targets: Sequence[Path]) -> bool:
    return any(path == target or target in path.parents for target in targets)


__all__ = ["Options", "Session", "check", "content_key"]
