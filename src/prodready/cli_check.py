"""`prodready check`: which projects the paths belong to, one report for each, one writer for all."""

from __future__ import annotations

import io
import os
import shutil
import stat
import sys
import time
from argparse import Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from prodready import baseline, config, discover
from prodready.baseline import BaselineError
from prodready.change import sides
from prodready.change.sides import ChangeError, Wanted
from prodready.cli import internal, say, writing
from prodready.finding import Problem, Report
from prodready.interrupts import pass_on
from prodready.knowledge import KnowledgeError
from prodready.report import View, writer
from prodready.report.view import Sources, totals

STDIN = "-"
_PATIENCE = 1.0
_WIDE = 200
"""Columns where the output is no terminal: enough for nearly any line, too few for what a program wrote into one."""


def run(arguments: Namespace) -> int:
    """Check what the command line names, print, and return the exit code."""
    try:
        given = overrides(arguments)
        # What is wrong on the command line is wrong for every project: say it once, before any work.
        config.check_command_line(given)
        job = Job(arguments, given)
    except (config.ConfigError, UsageError) as error:
        say(str(error))
        return 2
    reports = job.run()
    if arguments.add_suppressions is not None:
        return _suppress(arguments, reports)
    code = _write(arguments, reports, view_of(arguments, {**job.given, **job.other_side}))
    return 0 if arguments.exit_zero and code == 1 else code


class UsageError(Exception):
    """Words on the command line that do not go together."""


class Job:
    """The projects to check, each with its targets; checking one may find more inside it."""

    def __init__(self, arguments: Namespace, overrides: dict[str, object]) -> None:
        self.arguments = arguments
        self.overrides = overrides
        self.given: dict[str, bytes] = {}
        self.other_side: dict[str, bytes] = {}
        self.changes: dict[str, sides.Change] = {}
        self.problems: list[Problem] = []
        self.projects: dict[Path, list[Path]] = {}
        output = arguments.output_file
        if output and not Path(output).absolute().parent.is_dir():
            raise UsageError(f"--output-file: {output}: there is no such directory")
        self.change = self._change()
        self._agree()
        paths = arguments.paths or ([STDIN] if arguments.stdin_filename else ["."])
        if STDIN in paths:
            if len(paths) > 1:
                raise UsageError("- stands for standard input and cannot be combined with other paths")
            self._take_stdin()
        elif arguments.stdin_filename:
            raise UsageError("--stdin-filename goes with the path -, which stands for standard input")
        else:
            self._take(paths)

    def _agree(self) -> None:
        """Raise UsageError for `--add-suppressions` where there is nothing to write to."""
        reason = getattr(self.arguments, "add_suppressions", None)
        if reason is None:
            return
        from prodready.suppressing import unusable

        why = unusable(reason)
        if self.change is not None and (self.change.staged or ".." in self.change.revision.rstrip(".")):
            why = "it writes to the work tree, which --staged and --diff A..B do not look at"
        elif STDIN in self.arguments.paths or self.arguments.stdin_filename:
            why = "it writes to files, not to standard input"
        if why:
            raise UsageError(f"--add-suppressions: {why}")

    def _change(self) -> Wanted | None:
        """The change to report on, if one was named."""
        revision, staged = getattr(self.arguments, "diff", None), getattr(self.arguments, "staged", False)
        if revision is None and not staged:
            return None
        if STDIN in self.arguments.paths or self.arguments.stdin_filename:
            raise UsageError("--diff and --staged speak of files on disk, not of standard input")
        if revision == STDIN:
            return Wanted(patch=sys.stdin.buffer.read())
        if revision is not None and not revision.strip("."):
            raise UsageError("--diff: which revision? A branch, a tag, a commit, or - for a diff on standard input")
        return Wanted(revision or "", staged)

    def _take_stdin(self) -> None:
        target = Path(os.path.realpath(self.arguments.stdin_filename or "stdin.py"))
        self.given[str(target)] = sys.stdin.buffer.read()
        self.projects[config.find_root(target)] = [target]

    def _take(self, paths: Sequence[str]) -> None:
        for path in paths:
            try:
                mode = os.stat(path).st_mode
            except OSError as error:
                self.problems.append(Problem(f"cannot be read: {error.strerror or error}", path or "''"))
                continue
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                self.problems.append(Problem("neither a file nor a directory", path))
                continue
            target = Path(os.path.realpath(path))
            self.projects.setdefault(config.find_root(target), []).append(target)

    def run(self) -> list[Report]:
        """The reports of all projects; what belongs to none of them stands in one more, at the end."""
        reports, done = [], set()
        while self.projects:
            root = next(iter(self.projects))
            targets = list(dict.fromkeys(self.projects.pop(root)))
            done.add(root)
            try:
                settings = settings_of(self.arguments, root, self.overrides)
                targets = self._wanted(settings, targets)
                self._take_nested(settings, targets, done)
                if targets:
                    reports.append(self.done(settings, targets, self._check(settings, targets)))
            except (config.ConfigError, KnowledgeError, ChangeError, BaselineError) as error:
                self.problems.append(Problem(str(error)))
            except Exception as error:
                pass_on(error)
                if os.environ.get("PRODREADY_DEBUG") == "1":
                    raise
                self.problems.append(Problem(internal(error), config.shown(root)))
        if self.problems or not reports:
            reports.append(Report(root=str(Path.cwd()), problems=tuple(self.problems)))
        return reports

    def done(self, settings: config.Config, targets: Sequence[Path], report: Report) -> Report:
        """The report as it is to be shown: without what the baseline knows."""
        if self.arguments.no_baseline:
            return report
        file = baseline.file_of(settings, self.arguments.baseline, isolated=self.arguments.isolated)
        return baseline.applied(settings, targets, report, file, partial=self.change is not None) if file else report

    def _wanted(self, settings: config.Config, targets: list[Path]) -> list[Path]:
        if not self.arguments.force_exclude:
            return targets
        exclusion = discover.Exclusion(settings)
        return [target for target in targets if not exclusion.leaves_out(target)]

    def _take_nested(self, settings: config.Config, targets: Iterable[Path], done: set[Path]) -> None:
        for nested in nested_below(settings, targets):
            if nested not in done:
                self.projects.setdefault(nested, []).append(nested)

    def _check(self, settings: config.Config, targets: Sequence[Path]) -> Report:
        from prodready.project import Options, check
        from prodready.rules import rules_of

        if not any(map(settings.enabled, rules_of(settings))):
            say(f"warning: no rule is selected for {config.shown(settings.root)}")
        if self.arguments.verbose:
            source = config.shown(settings.source) if settings.source else "none"
            say(f"project {settings.root}, configuration: {source}")
        stdin = None
        for place, content in self.given.items():
            stdin = (Path(place).relative_to(settings.root).as_posix(), content)
        with _Progress(wanted=sys.stderr.isatty() and not self.arguments.quiet) as progress:
            options = Options(
                jobs=settings.jobs,
                cache=not self.arguments.no_cache,
                progress=progress.update,
                stdin=stdin,
                fixes=self.arguments.output_format != "concise",
                verbose=self.arguments.verbose,
            )
            if self.change is None:
                return check(settings, targets, options)
            from prodready.change import compare

            change = self.changes[str(settings.root)] = sides.read(settings.root, self.change)
            for path, other in change.new.items():
                self.other_side[str(settings.root / path)] = other or b""
            return compare.check(settings, targets, change, options)


class _Progress:
    """A bar on standard error, once the work has taken longer than a moment."""

    def __init__(self, wanted: bool) -> None:
        self.wanted = wanted
        self.started = time.monotonic()
        self.bar: Any = None
        self.task: Any = None

    def update(self, done: int, total: int) -> None:
        """So many files of so many are done."""
        if self.bar is None and self.wanted and time.monotonic() - self.started > _PATIENCE:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            columns = (TextColumn("Checking"), BarColumn(), MofNCompleteColumn(), TextColumn("files"))
            self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self.bar.start()
            self.task = self.bar.add_task("", total=total)
        if self.bar is not None:
            self.bar.update(self.task, completed=done, total=total)

    def __enter__(self) -> _Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.stop()


def nested_below(settings: config.Config, targets: Iterable[Path]) -> list[Path]:
    """Directories that are projects of their own, below those that someone named."""
    directories = [target for target in targets if target.is_dir()]
    nested = discover.walk(settings, directories).nested if directories else ()
    return [place for place in nested if any(place.is_relative_to(directory) for directory in directories)]


def settings_of(arguments: Namespace, root: Path, given: dict[str, object]) -> config.Config:
    """The configuration of the project at `root`, as the options ask for it; raises ConfigError."""
    file = Path(arguments.config) if arguments.config else None
    return config.load(root, given, file=file, isolated=arguments.isolated)


def overrides(arguments: Namespace) -> dict[str, object]:
    """The options that stand for keys of the configuration, in the form of its file, as far as a command has them."""
    found: dict[str, object] = {}
    for name in ("select", "ignore", "extend_select", "extend_ignore"):
        words: list[str] | None = getattr(arguments, name, None)
        if words is not None:
            codes = [code.strip() for word in words for code in word.split(",")]
            found[name.replace("_", "-")] = [code for code in codes if code]
    for name in ("min_confidence", "min_severity", "jobs"):
        value = getattr(arguments, name, None)
        if value is not None:
            found[name.replace("_", "-")] = value
    if arguments.cache_dir is not None:
        found["cache-dir"] = str(Path(arguments.cache_dir).absolute())
    return found


def view_of(arguments: Namespace, given: dict[str, bytes] | None = None) -> View:
    """How the options and the terminal ask for a report to be shown; `given` replaces the content of files."""
    return View(
        color=_colored(arguments),
        width=max(60, shutil.get_terminal_size((_WIDE, 24)).columns),
        statistics=getattr(arguments, "statistics", False),
        quiet=getattr(arguments, "quiet", False),
        sources=Sources(given),
    )


def _colored(arguments: Namespace) -> bool:
    if arguments.color != "auto":
        return bool(arguments.color == "always")
    if getattr(arguments, "output_file", None) or os.environ.get("NO_COLOR"):
        return False
    return os.environ.get("FORCE_COLOR", "0") not in {"", "0"} or (
        sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    )


def _suppress(arguments: Namespace, reports: Sequence[Report]) -> int:
    """Silence what was found by comments; the exit code."""
    from prodready import suppressing

    comments, files, undone = 0, 0, 0
    for report in reports:
        added = suppressing.add(Path(report.root), report.findings, arguments.add_suppressions)
        comments, files = comments + added.comments, files + added.files
        for problem in (*report.problems, *added.problems):
            path = config.shown(Path(report.root) / problem.path) if problem.path else ""
            say(str(Problem(problem.message, path, problem.line)))
            undone += 1
    if not arguments.quiet:
        print(f"Added {comments:,} comment{'' if comments == 1 else 's'} in {files:,} file{'' if files == 1 else 's'}.")
    return 2 if undone else 0


def _write(arguments: Namespace, reports: Sequence[Report], view: View) -> int:
    """Problems and remarks on standard error, then the report where it belongs; the exit code of it all."""
    view.sources.hide(reports)
    for report in reports:
        for warning in report.warnings:
            say(f"warning: {warning}")
        for problem in report.problems:
            path = view.path(report.root, problem.path) if problem.path else ""
            say(str(Problem(problem.message, path, problem.line)))
    if arguments.verbose:
        _remark(reports)
    text = io.StringIO()
    writer(arguments.output_format)(reports, text, view)
    written = put(text.getvalue(), arguments.output_file)
    if arguments.timing:
        _tell_times(reports)
    return totals(reports).exit_code if written else 2


def put(text: str, output_file: str | None) -> bool:
    """Write a report to a file or to standard output; whether that worked, which is said."""
    if output_file:
        try:
            _put_into(Path(output_file), text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            say(f"cannot write {output_file}: {error.strerror or error}")
            return False
        return True
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    with writing("the report") as failed:
        sys.stdout.write(text)
    for line in failed:
        say(line)
    return not failed


def _put_into(file: Path, data: bytes) -> None:
    """Give a file its content, whole or not at all where that can be had; raises OSError."""
    if not file.is_file() and file.exists():
        file.write_bytes(data)  # A device or a pipe.
        return
    try:
        baseline.replace(file, data)
    except PermissionError:
        file.write_bytes(data)  # The file may be written, its directory may not.


def _remark(reports: Sequence[Report]) -> None:
    for report in reports:
        for note in report.notes:
            say(f"note: {note}")
        if report.files:
            say(f"note: {report.files} files checked; of the project, {report.cached} files were taken from the cache")


def _tell_times(reports: Sequence[Report]) -> None:
    steps: dict[str, float] = {}
    for report in reports:
        for step, seconds in report.timings.items():
            steps[step] = steps.get(step, 0.0) + seconds
    for step, seconds in sorted(steps.items(), key=lambda item: -item[1]):
        say(f"{seconds:8.3f} s  {step}")
