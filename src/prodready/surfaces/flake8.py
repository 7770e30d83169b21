"""The flake8 plugin: the findings of `prodready check`, one file at a time, with the knowledge of the whole project.

flake8 hands over neither the list of files nor anything shared between its workers. So each process judges a project
as a whole when it comes to the first of its files, from the cache if that knows them. What to report is for the
project's configuration to say; flake8's own `select`, `ignore`, `per-file-ignores` and `noqa` are applied by flake8, on
top.
"""

from __future__ import annotations

import argparse
import ast
import multiprocessing
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from prodready import __version__, baseline
from prodready.config import Config, ConfigError, find_root, load
from prodready.discover import excluded
from prodready.finding import Finding, Problem, Report, Suppressed
from prodready.knowledge import KnowledgeError
from prodready.project import Options, check
from prodready.source import SourceError, declared_encoding, decode, split_lines

Result = tuple[int, int, str, type]

PROBLEM = "PRD000"
_projects: dict[Path, _Project] = {}
_roots: dict[Path, Path] = {}
_told: set[str] = set()


class _Project:
    """A project in this process: judged as a whole once, for the first of its files.

    No session is kept: with a whole project's facts in memory, Python's garbage collector would slow flake8 down.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.reports: dict[str, Report] | None = None

    def report(self, path: Path, stdin: tuple[str, bytes] | None) -> Report:
        """What is to be said of one file, and perhaps of others."""
        if excluded(self.config, path):
            # flake8 was hardly told to read just this file: what the project leaves out is left out.
            return Report()
        # flake8's workers may not start processes of their own.
        jobs = 1 if multiprocessing.current_process().daemon else None
        if stdin or path.suffix != ".py":
            options = Options(jobs=jobs, stdin=stdin, fixes=False)
            return self._new(path, check(self.config, [path], options))
        if self.reports is None:
            root, options = self.config.root, Options(jobs=jobs, fixes=False)
            self.reports = _by_file(self._new(root, check(self.config, [root], options)))
        relative = path.relative_to(self.config.root).as_posix()
        return self.reports.get(relative, Report(problems=self.reports[""].problems))

    def _new(self, target: Path, report: Report) -> Report:
        """The report without what the project's baseline knows."""
        return baseline.less_known(self.config, [target], report)


def _by_file(report: Report) -> dict[str, Report]:
    """The report in parts: one for each file that something is said of; what concerns all stands under no name."""
    findings: defaultdict[str, list[Finding]] = defaultdict(list)
    suppressed: defaultdict[str, list[Suppressed]] = defaultdict(list)
    problems: defaultdict[str, list[Problem]] = defaultdict(list)
    for finding in report.findings:
        findings[finding.location.path].append(finding)
    for silenced in report.suppressed:
        suppressed[silenced.finding.location.path].append(silenced)
    for problem in report.problems:
        problems[problem.path if problem.path.endswith(".py") else ""].append(problem)
    return {
        path: Report(
            findings=tuple(findings[path]),
            suppressed=tuple(suppressed[path]),
            problems=(*problems[path], *problems[""]),
        )
        for path in {*findings, *suppressed, *problems, ""}
    }


class Plugin:
    """What flake8 calls for each file it could parse."""

    name: ClassVar[str] = "prodready"
    version: ClassVar[str] = __version__
    wanted: ClassVar[bool] = True
    honour_noqa: ClassVar[bool] = True

    def __init__(self, tree: ast.AST, filename: str, lines: Sequence[str]) -> None:
        self.filename = filename
        self.lines = lines

    @classmethod
    def parse_options(cls, options: argparse.Namespace) -> None:
        """Note what concerns us of flake8's own options, and forget an earlier run in the same process."""
        for memory in (_projects, _roots, _told):
            memory.clear()
        chosen = [*(getattr(options, "select", None) or ()), *(getattr(options, "extend_select", None) or ())]
        # Reading a project for findings that flake8 throws away would make `flake8 --select=E` slow.
        cls.wanted = not getattr(options, "select", None) or any(
            code.startswith(prefix) or prefix.startswith(code) for code in chosen for prefix in ("PRD", "B")
        )
        cls.honour_noqa = not getattr(options, "disable_noqa", False)

    def run(self) -> Iterator[Result]:
        """The findings of this file: line, 0-based column, text, and the type that flake8 ignores."""
        if not self.wanted:
            return
        path = self._path()
        try:
            root = _root(path)
            relative = path.relative_to(root).as_posix()
            report = _project(root).report(path, self._stdin(path, relative))
        except (ConfigError, KnowledgeError) as error:
            yield from _problem(Problem(str(error)))
            return
        findings = [finding for finding in report.findings if finding.location.path == relative]
        if not self.honour_noqa:
            silenced = (silenced.finding for silenced in report.suppressed if silenced.kind == "noqa")
            findings += [finding for finding in silenced if finding.location.path == relative]
        for finding in sorted(findings, key=lambda finding: finding.sort_key):
            place = finding.location
            yield place.line, place.column - 1, f"{finding.code} {' '.join(finding.message.split())}", Plugin
        for problem in report.problems:
            # What is wrong with another file of Python is said when flake8 comes to that file.
            if problem.path == relative or not problem.path.endswith(".py"):
                yield from _problem(problem, relative)

    def _path(self) -> Path:
        path = Path(os.path.realpath(self.filename))
        # `stdin`, when no `--stdin-display-name` says better, is a file of Python all the same.
        return path if path.suffix or path.exists() else path.with_name(f"{path.name}.py")

    def _stdin(self, path: Path, relative: str) -> tuple[str, bytes] | None:
        """The text that flake8 was given, unless it is what the file on the disk says."""
        text = "\n".join(split_lines("".join(self.lines)))
        try:
            if "\n".join(split_lines(decode(path.read_bytes()))) == text:
                return None
        except SourceError:
            # flake8 reads such a file as Latin-1; we say what is wrong with it.
            return None
        except OSError:
            pass
        encoding = (declared_encoding(text.encode("utf-8", "replace")) or ("utf-8",))[0]
        try:
            return relative, f"{text}\n".encode(encoding, "replace")
        except LookupError:
            return relative, f"{text}\n".encode("utf-8", "replace")


class Codes:
    """Stands for the codes of Bandit's tests in flake8's list of plugins: it shows no code that is not registered."""

    name: ClassVar[str] = "prodready-bandit"
    version: ClassVar[str] = __version__

    def __init__(self, tree: ast.AST) -> None:
        self.tree = tree

    def run(self) -> Iterator[Result]:
        """Nothing: `Plugin` reports them."""
        yield from ()


def _root(path: Path) -> Path:
    folder = path.parent
    if folder not in _roots:
        _roots[folder] = find_root(folder)
    return _roots[folder]


def _project(root: Path) -> _Project:
    if root not in _projects:
        _projects[root] = _Project(load(root))
    return _projects[root]


def _problem(problem: Problem, relative: str = "") -> Iterator[Result]:
    """A problem as a line of flake8's, once in a process."""
    text = str(problem)
    if text not in _told:
        _told.add(text)
        here = problem.path == relative
        yield (problem.line or 1) if here else 1, 0, f"{PROBLEM} {problem.message if here else text}", Plugin
