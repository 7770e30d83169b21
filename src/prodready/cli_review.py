"""`prodready review`: what a pull request brings, as comments on its lines."""

from __future__ import annotations

import io
import os
import sys
import traceback
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prodready import config
from prodready.change import sides
from prodready.cli import say
from prodready.cli_check import Job, UsageError, overrides, put, view_of
from prodready.finding import Problem, Report
from prodready.interrupts import pass_on
from prodready.report import View, writer
from prodready.report.dump import clean
from prodready.report.view import Sources, top, totals
from prodready.review.comment import Comment, Composer, summary
from prodready.review.target import Target, TargetError, provider_of, target, tokens
from prodready.rules import Rule, rules_of

if TYPE_CHECKING:
    from prodready.review.host import Host
    from prodready.review.sync import Outcome

_AS_CHECK = {
    "force_exclude": False, "verbose": False, "output_file": None, "stdin_filename": None, "staged": False, "color": "never",
}  # fmt: skip


def run(arguments: Namespace) -> int:
    """Check the change of a request, post what it brings, and return the exit code."""
    environment = os.environ
    try:
        return _run(Namespace(**{**_AS_CHECK, **vars(arguments)}), environment)
    except (config.ConfigError, UsageError, TargetError) as error:
        _say(str(error), environment)
        return 2
    except Exception as error:
        pass_on(error)
        # Whatever a library puts into its errors, the token is not printed.
        if environment.get("PRODREADY_DEBUG") == "1":
            print(_scrubbed(traceback.format_exc(), environment), file=sys.stderr)
        _say(f"internal error, please report it: {type(error).__name__}: {error}", environment)
        return 2


def _run(arguments: Namespace, environment: Mapping[str, str]) -> int:
    provider = arguments.provider or provider_of(environment)
    if not provider and not arguments.dry_run:
        raise UsageError("--provider: github or gitlab? This is a job of neither, as far as the environment tells")
    provider = provider or "github"
    found: Target | None = None
    if not (arguments.dry_run and arguments.diff):
        found = target(provider, environment)
        if not found.token and not arguments.dry_run:
            raise TargetError(
                f"{provider.upper()}_TOKEN is not set: hand the job a token that may comment, or use --dry-run"
            )
        arguments.diff = arguments.diff or found.revisions
    open_host = None if arguments.dry_run else _library(provider)
    given = overrides(arguments)
    config.check_command_line(given)
    job = _Job(arguments, given)
    reports = job.run()
    view = view_of(arguments, job.other_side)
    view.sources.hide(reports)
    for report in reports:
        for warning in report.warnings:
            _say(f"warning: {warning}", environment)
        for problem in report.problems:
            path = view.path(report.root, problem.path) if problem.path else ""
            _say(str(Problem(problem.message, path, problem.line)), environment)
    comments = job.comments(reports, view, provider)
    code = totals(reports).exit_code
    if found is None or open_host is None:
        _print_plan(arguments, provider, comments, found.head if found else "", complete=code != 2)
    else:
        code = _posted(arguments, environment, open_host, found, comments, reports, view, code)
    return 0 if arguments.exit_zero and code == 1 else code


def _library(provider: str) -> Any:
    """What makes the host of a provider; raises UsageError where its client library is not installed."""
    try:
        if provider == "github":
            from prodready.review.github import PullRequestHost

            return PullRequestHost
        from prodready.review.gitlab import MergeRequestHost
    except ImportError as error:
        package = {"github": "PyGithub", "gitlab": "python-gitlab"}[provider]
        raise UsageError(f"{package} is not installed ({error.name}): pip install 'prodready[review]'") from None
    return MergeRequestHost


class _Job(Job):
    """Checks projects, and keeps what comments are made of."""

    def __init__(self, arguments: Namespace, given: dict[str, object]) -> None:
        super().__init__(arguments, given)
        self.rules: dict[str, Mapping[str, Rule]] = {}

    def done(self, settings: config.Config, targets: Sequence[Path], report: Report) -> Report:
        self.rules[str(settings.root)] = rules_of(settings)
        return super().done(settings, targets, report)

    def comments(self, reports: Sequence[Report], view: View, provider: str) -> list[Comment]:
        """The comments on all findings."""
        base = top([report.root for report in reports], view.cwd)
        found: list[Comment] = []
        for report in reports:
            change = self.changes.get(report.root, sides.Change(()))
            root = Path(report.root)
            prefix = f"{root.relative_to(base).as_posix()}/" if root != base else ""
            plain = Sources({**self.given, **self.other_side}, plain=True)
            composer = Composer(report, change, self.rules.get(report.root, {}), view, prefix, provider, plain)
            found += composer.comments()
        return found


def _posted(
    arguments: Namespace,
    environment: Mapping[str, str],
    open_host: Any,
    found: Target,
    comments: Sequence[Comment],
    reports: Sequence[Report],
    view: View,
    code: int,
) -> int:
    from prodready.review.host import ForbiddenError, HostError
    from prodready.review.sync import Sync

    host: Host = open_host(found)
    sync = Sync(host, comments, found.head, arguments.max_comments, complete=code != 2)
    try:
        outcome = sync.run()
    except ForbiddenError as error:
        _say(f"nothing can be posted, so the findings stand in this log: {error}", environment)
        text = io.StringIO()
        writer("github" if found.provider == "github" else "concise")(reports, text, view)
        return code if put(_scrubbed(text.getvalue(), environment), None) else 2
    except HostError as error:
        _say(f"not all could be posted: {error}", environment)
        return 2
    for note in outcome.notes:
        _say(f"warning: {note}", environment)
    if not arguments.quiet:
        print(_told(outcome, comments))
    return code


def _told(outcome: Outcome, comments: Sequence[Comment]) -> str:
    parts = [f"{len(comments)} findings in the change", f"{outcome.posted} comments posted"]
    parts += [f"{outcome.resolved} resolved"] * bool(outcome.resolved)
    parts += [f"{outcome.reopened} opened again"] * bool(outcome.reopened)
    parts += [f"{outcome.apart} in the summary only"] * bool(outcome.apart)
    return f"{', '.join(parts)}."


def _print_plan(arguments: Namespace, provider: str, comments: Sequence[Comment], head: str, *, complete: bool) -> None:
    """What a first run would post. Nobody is asked what is there already."""
    placed = [comment for comment in comments if comment.anchor is not None][: arguments.max_comments]
    apart = [comment for comment in comments if comment not in placed]
    body = summary(comments, apart, 0, head, complete=complete) if comments else ""
    records = [_record(comment) for comment in placed]
    if arguments.output_format == "json":
        import json

        put(json.dumps(clean({"provider": provider, "comments": records, "summary": body}), indent=2) + "\n", None)
        return
    from prodready.report.terminal import inert

    shown = [f"--- {record['path']}:{record['line']} ({record['side']})\n{record['body']}\n" for record in records]
    if body:
        shown.append(f"--- summary\n{body}\n")
    lines = "\n".join(shown).split("\n") if shown else ["Nothing would be posted.", ""]
    put("\n".join(map(inert, lines)), None)


def _record(comment: Comment) -> dict[str, Any]:
    place = comment.anchor
    assert place is not None
    side = "old" if place.removed else "new"
    return {
        "key": comment.key,
        "path": place.path,
        "line": place.line,
        "first": place.first,
        "side": side,
        "body": comment.body,
    }


def _say(message: str, environment: Mapping[str, str]) -> None:
    say(_scrubbed(message, environment))


def _scrubbed(text: str, environment: Mapping[str, str]) -> str:
    for token in tokens(environment):
        text = text.replace(token, "***")
    return text
