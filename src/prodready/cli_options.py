"""The command line's words: commands and options, nothing else. Imported at every start, so it imports little."""

from __future__ import annotations

from argparse import ArgumentParser, _ArgumentGroup

from prodready import __version__

FORMATS = ("full", "concise", "json", "sarif", "github", "gitlab", "rdjson", "rdjsonl", "junit", "html")
_FORMATS = f"{', '.join(FORMATS)} (default: full)"
_EXIT_CODES = "Exit code: 0 nothing found, 1 findings, 2 the job could not be done in full, 130 interrupted."


def parser() -> ArgumentParser:
    """The parser of the whole command line."""
    main = ArgumentParser(
        prog="prodready",
        description="Finds the code that makes a Python web app unsafe for real users; shows the path the data takes.",
        epilog=_EXIT_CODES,
    )
    main.add_argument("--version", action="version", version=f"prodready {__version__}")
    commands = main.add_subparsers(dest="command", metavar="COMMAND")

    check = commands.add_parser("check", help="analyse files or whole projects", epilog=_EXIT_CODES)
    check.add_argument("paths", nargs="*", metavar="PATH", help="files or directories (default: here); - is stdin")
    _what(check.add_argument_group("what to report"))
    _how(check.add_argument_group("how to report it"))
    _run(check.add_argument_group("how to run"))

    explain = commands.add_parser(
        "explain",
        help="tell what is known of a line: the values on the way of a finding, or what makes the line safe",
        epilog="Exit code: 0 explained, 2 a place that does not exist or cannot be read, 130 interrupted.",
    )
    explain.add_argument("places", nargs="+", metavar="PLACE", help="FILE:LINE or FILE:LINE:COLUMN")
    explain.add_argument("--output-format", choices=("text", "json"), default="text", help="default: text")
    _color(explain)
    _engine(explain.add_argument_group("how to run"))

    routes = commands.add_parser(
        "routes",
        help="list the routes of an application: what answers each, what guards it, which pages call it",
        epilog="Exit code: 0 listed, 2 something could not be read, 130 interrupted.",
    )
    routes.add_argument("paths", nargs="*", metavar="PATH", help="files or directories (default: here)")
    routes.add_argument("--output-format", choices=("table", "json"), default="table", help="default: table")
    _color(routes)
    routes.add_argument("--quiet", "-q", action="store_true", help="routes only: no last line")
    routes.add_argument("--verbose", "-v", action="store_true", help="say what could not be followed, on stderr")
    _engine(routes.add_argument_group("how to run"))

    rule = commands.add_parser("rule", help="explain a rule")
    rule.add_argument("rules", nargs="+", metavar="RULE", help="a code or a slug: PRD301 or string-built-sql")
    rules = commands.add_parser("rules", help="list the rules")
    for command in (rule, rules):
        command.add_argument("--output-format", choices=("text", "json"), default="text", help="default: text")

    baseline = commands.add_parser(
        "baseline",
        help="put up with the findings of today: a file of them that check leaves out",
        epilog="Exit code: 0 written, or nothing to write; 2 the job could not be done in full; 130 interrupted.",
    )
    deeds = baseline.add_subparsers(dest="deed", metavar="COMMAND", required=True)
    for name, text in (
        ("create", "write the findings of today; refuses where there is a baseline"),
        ("update", "make it the findings of today: add the new ones, remove those that are gone"),
        ("prune", "remove those that are gone, add nothing"),
    ):
        deed = deeds.add_parser(name, help=text)
        deed.add_argument("paths", nargs="*", metavar="PATH", help="files or directories (default: here)")
        deed.add_argument("--baseline", metavar="FILE", help="the file (default: the configuration's)")
        deed.add_argument("--quiet", "-q", action="store_true", help="no progress, no last line")
        _engine(deed.add_argument_group("how to run"))

    review = commands.add_parser(
        "review",
        help="comment on the lines of a pull or merge request, in a job of GitHub Actions or GitLab CI",
        epilog=_EXIT_CODES,
    )
    review.add_argument("paths", nargs="*", metavar="PATH", help="files or directories (default: here)")
    _posting(review.add_argument_group("how to report it"))
    group = review.add_argument_group("what to report")
    _chosen(group)
    group.add_argument("--diff", metavar="REV", help="the change (default: that of the request, by the environment)")
    _known(group)
    _engine(review.add_argument_group("how to run"))

    clean = commands.add_parser("clean", help="delete the cache of a project")
    clean.add_argument("paths", nargs="*", metavar="PATH", help="a place in the project (default: here)")
    _source(clean)
    return main


def _posting(group: _ArgumentGroup) -> None:
    group.add_argument("--provider", choices=("github", "gitlab"), help="default: the one whose job this is")
    group.add_argument("--dry-run", action="store_true", help="print what a first run would post; asks nobody")
    group.add_argument("--output-format", choices=("text", "json"), default="text", help="of --dry-run (default: text)")
    group.add_argument(
        "--max-comments", type=int, default=30, metavar="N", help="the rest goes to the summary (default: 30)"
    )
    group.add_argument("--exit-zero", action="store_true", help="exit with 0 in spite of findings")
    group.add_argument("--quiet", "-q", action="store_true", help="no last line, no progress")


def _what(group: _ArgumentGroup) -> None:
    _chosen(group)
    only = group.add_mutually_exclusive_group()
    only.add_argument(
        "--diff",
        metavar="REV",
        help="only what the change since REV touches or causes; REV... since the branch left REV; - a unified diff on stdin",
    )
    only.add_argument("--staged", action="store_true", help="only what the staged change touches or causes")
    _known(group)
    group.add_argument(
        "--add-suppressions",
        metavar="REASON",
        help="write a comment with this reason for each finding, in place of reporting it",
    )
    group.add_argument("--force-exclude", action="store_true", help="leave out excluded files even if named")


def _chosen(group: _ArgumentGroup) -> None:
    for name, text in (
        ("select", "report these rules, by code or prefix, in place of what the configuration selects"),
        ("ignore", "do not report these rules, in place of what the configuration ignores"),
        ("extend-select", "report these rules too"),
        ("extend-ignore", "do not report these rules either"),
    ):
        group.add_argument(f"--{name}", action="append", metavar="CODES", help=f"{text}; comma-separated, repeatable")
    group.add_argument("--min-confidence", metavar="LEVEL", help="low, medium or high")
    group.add_argument("--min-severity", metavar="LEVEL", help="info, warning or error")


def _known(group: _ArgumentGroup) -> None:
    known = group.add_mutually_exclusive_group()
    known.add_argument("--baseline", metavar="FILE", help="leave out the findings of this baseline")
    known.add_argument("--no-baseline", action="store_true", help="report the findings of the baseline too")


def _how(group: _ArgumentGroup) -> None:
    group.add_argument("--output-format", choices=FORMATS, default="full", metavar="FORMAT", help=_FORMATS)
    group.add_argument("--output-file", "-o", metavar="FILE", help="write the report there")
    group.add_argument("--statistics", action="store_true", help="count the findings of each rule")
    group.add_argument("--exit-zero", action="store_true", help="exit with 0 in spite of findings")
    _color(group)
    group.add_argument("--quiet", "-q", action="store_true", help="findings only: no last line, no progress")
    group.add_argument("--verbose", "-v", action="store_true", help="say what was read and left out, on stderr")
    group.add_argument("--timing", action="store_true", help="say what the time went to, on stderr")


def _color(group: ArgumentParser | _ArgumentGroup) -> None:
    group.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="default: auto")


def _run(group: _ArgumentGroup) -> None:
    _engine(group)
    group.add_argument("--stdin-filename", metavar="PATH", help="the file that standard input stands for")


def _engine(group: _ArgumentGroup) -> None:
    group.add_argument("--jobs", "-j", type=int, metavar="N", help="processes (default: one for each CPU)")
    group.add_argument("--no-cache", action="store_true", help="neither read nor write the cache")
    group.add_argument("--cache-dir", metavar="DIR", help="where the cache is (default: .prodready_cache)")
    _source(group)


def _source(group: ArgumentParser | _ArgumentGroup) -> None:
    group.add_argument("--config", metavar="FILE", help="read this file in place of the project's configuration")
    group.add_argument("--isolated", action="store_true", help="read no configuration file")
