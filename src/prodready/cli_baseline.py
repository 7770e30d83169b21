"""`prodready baseline`: write the findings of today into a file, bring it up to date, take out what is gone."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from prodready import baseline, config
from prodready.cli import say
from prodready.cli_check import Job, UsageError, overrides
from prodready.finding import Problem, Report

_AS_CHECK = {
    "force_exclude": False, "verbose": False, "output_format": "concise", "output_file": None, "stdin_filename": None,
    "no_baseline": True,
}  # fmt: skip


def run(arguments: Namespace) -> int:
    """Check what the command line names, write the baseline of each project, and return the exit code."""
    try:
        given = overrides(arguments)
        config.load(Path.cwd(), given, isolated=True)
        job = _Job(Namespace(**{**_AS_CHECK, **vars(arguments)}), given)
    except (config.ConfigError, UsageError) as error:
        say(str(error))
        return 2
    problems = [(report.root, problem) for report in job.run() for problem in report.problems]
    for root, problem in problems:
        path = config.shown(Path(root) / problem.path) if problem.path else ""
        say(str(Problem(problem.message, path, problem.line)))
    return 2 if problems else 0


class _Job(Job):
    """Checks projects, and writes what is found in place of reporting it."""

    def done(self, settings: config.Config, targets: Sequence[Path], report: Report) -> Report:
        given = self.arguments.baseline
        file = Path(given).absolute() if given else settings.root / settings.baseline
        deed = self.arguments.deed
        if deed == "create" and file.exists():
            raise baseline.BaselineError(
                f"{config.shown(file)}: is there already; `prodready baseline update` changes it"
            )
        entries = []
        if deed == "prune" or (deed == "update" and file.exists()):
            entries = baseline.read(file, strict=deed == "prune")
        result = baseline.compared(settings, targets, report, entries, partial=False)
        added = [] if deed == "prune" else [baseline.entry(finding) for finding in result.new]
        kept = [*result.known, *result.others, *added]
        if deed != "prune" or file.exists():
            baseline.write(file, kept)
        if not self.arguments.quiet:
            counts = [f"{len(added):,} added"] * (deed != "prune") + [f"{len(result.gone):,} removed"] * (
                deed != "create"
            )
            print(f"{config.shown(file)}: {len(set(kept)):,} findings, {', '.join(counts)}.")
            if deed == "create" and file.parent.name != ".prodready":
                print(f"Have git merge it line by line: add `{file.name} merge=union` to .gitattributes beside it.")
        return report
