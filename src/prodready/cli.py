"""The command line: reads the words, hands the work on, says what came of it. Here are the small commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from prodready.rules import Rule

# What a directory must hold, by the Cache Directory Tagging standard, so that `clean` may delete it under any name.
CACHE_TAG = "Signature: 8a477f597d28d172789f06886806bc55"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; `--help`, `--version` and wrong words leave by SystemExit."""
    from prodready.cli_options import parser

    options = parser()
    arguments = options.parse_args(argv)
    if arguments.command is None:
        options.print_help(sys.stderr)
        return 2
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    except Exception as error:
        from prodready.interrupts import pass_on

        pass_on(error)
        if os.environ.get("PRODREADY_DEBUG") == "1":
            raise
        say(internal(error))
        return 2


def _run(arguments: Namespace) -> int:
    if arguments.command == "check":
        from prodready import cli_check

        return cli_check.run(arguments)
    if arguments.command == "explain":
        from prodready import cli_explain

        return cli_explain.run(arguments)
    if arguments.command == "baseline":
        from prodready import cli_baseline

        return cli_baseline.run(arguments)
    if arguments.command == "review":
        from prodready import cli_review

        return cli_review.run(arguments)
    if arguments.command == "routes":
        from prodready import cli_routes

        return cli_routes.run(arguments)
    commands = {"rule": _rule, "rules": _rules, "clean": _clean}
    return commands[arguments.command](arguments)


def say(message: str) -> None:
    """One line on standard error."""
    from prodready.report.terminal import inert, visible

    print(inert(f"prodready: {visible(message)}"), file=sys.stderr, flush=True)


def internal(error: BaseException) -> str:
    """The one line for an error that is ours."""
    what = " ".join(f"{type(error).__name__}: {error}".split())
    return f"internal error, please report it: {what} (PRODREADY_DEBUG=1 shows the traceback)"


@contextmanager
def writing(what: str) -> Iterator[list[str]]:
    """Around what writes to standard output: a reader that went away is no error, a full disk is one line.

    The list holds that line afterwards.
    """
    failed: list[str] = []
    try:
        yield failed
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
    except OSError as error:
        failed.append(f"cannot write {what}: {error.strerror or error}")
        _discard_output()


def _discard_output() -> None:
    # What is still buffered would fail once more when the interpreter closes the stream.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print(text: str, what: str) -> int:
    with writing(what) as failed:
        sys.stdout.write(text)
    for line in failed:
        say(line)
    return 2 if failed else 0


def _known() -> dict[str, Rule]:
    """The rules here: ours, and the patterns of the project around the current directory."""
    from pathlib import Path

    from prodready import config
    from prodready.rules import known_rules, rules_of

    try:
        return rules_of(config.load(config.find_root(Path.cwd())))
    except (config.ConfigError, OSError):
        return known_rules()


def _rule(arguments: Namespace) -> int:
    from prodready.config_values import nearest
    from prodready.report import rule_page

    rules = _known()
    by_slug = {rule.slug: rule for rule in rules.values()}
    code, found = 0, []
    for name in map(str.strip, arguments.rules):
        rule = rules.get(name.upper()) or by_slug.get(name.lower().replace("_", "-"))
        if rule is None:
            say(f"no rule {name!r}{nearest(name, [*rules, *by_slug]) or '; `prodready rules` lists them'}")
            code = 2
        else:
            found.append(rule)
    if arguments.output_format == "json":
        records = [rule_page.record(rule) for rule in found]
        text = _json(records if len(arguments.rules) > 1 else records[0]) if records else ""
    else:
        text = "\n".join(map(rule_page.plain, found))
    return max(code, _print(text, "the rule"))


def _rules(arguments: Namespace) -> int:
    from prodready.report import rule_page

    rules = _known().values()
    if arguments.output_format == "json":
        return _print(_json([rule_page.record(rule) for rule in rules]), "the rules")
    width = max((len(rule.slug) for rule in rules), default=0)
    lines = [f"{rule.code}  {rule.slug:<{width}}  {rule.severity.label:<7}  {rule.title}\n" for rule in rules]
    return _print("".join(lines), "the rules")


def _json(value: object) -> str:
    import json

    return json.dumps(value, indent=2) + "\n"


def _clean(arguments: Namespace) -> int:
    from pathlib import Path

    from prodready import config

    code = 0
    for root in dict.fromkeys(config.find_root(Path(path)) for path in arguments.paths or ["."]):
        try:
            file = Path(arguments.config) if arguments.config else None
            cache = config.load(root, file=file, isolated=arguments.isolated).cache_path
            print(
                f"Deleted {config.shown(cache)}." if _deleted(cache) else f"Nothing to delete: {config.shown(cache)}."
            )
        except config.ConfigError as error:
            say(str(error))
            code = 2
        except OSError as error:
            say(f"{config.shown(cache)}: cannot be deleted: {error.strerror or error}")
            code = 2
    return code


def _deleted(cache: Path) -> bool:
    """Delete the directory if it is a cache beyond doubt: a slip in `cache-dir` must not cost anyone their files."""
    import shutil

    if not cache.is_dir():
        return False
    tag = cache / "CACHEDIR.TAG"
    if not (tag.is_file() and tag.read_bytes().startswith(CACHE_TAG.encode())) and cache.name != ".prodready_cache":
        raise OSError(f"it holds no CACHEDIR.TAG, so it may not be a cache: {cache}")
    shutil.rmtree(cache)
    return True
