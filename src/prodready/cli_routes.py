"""`prodready routes`: the routes of a project, what answers each, what guards it, and which pages call it."""

from __future__ import annotations

import io
import os
from argparse import Namespace
from pathlib import Path

from prodready import config
from prodready.cli import say
from prodready.cli_check import nested_below, overrides, put, settings_of, view_of
from prodready.finding import Problem, RouteTable
from prodready.knowledge import KnowledgeError


def run(arguments: Namespace) -> int:
    """List the routes in the paths that the command line names, and return the exit code."""
    from prodready.project import Options, Session

    targets: dict[Path, list[Path]] = {}
    wrong = False
    for word in arguments.paths or ["."]:
        if not os.path.exists(word):
            say(f"{word}: cannot be read: No such file or directory")
            wrong = True
            continue
        place = Path(os.path.realpath(word))
        targets.setdefault(config.find_root(place), []).append(place)
    tables: list[RouteTable] = []
    done: set[Path] = set()
    while targets:
        root = next(iter(targets))
        places = targets.pop(root)
        done.add(root)
        try:
            settings = settings_of(arguments, root, overrides(arguments))
            for nested in nested_below(settings, places):
                if nested not in done:
                    targets.setdefault(nested, []).append(nested)
            options = Options(jobs=settings.jobs, cache=not arguments.no_cache)
            tables.append(Session(settings).routes(places, options))
        except (config.ConfigError, KnowledgeError) as error:
            say(str(error))
            wrong = True
    return 2 if not _print(arguments, tables) or wrong or any(table.problems for table in tables) else 0


def _print(arguments: Namespace, tables: list[RouteTable]) -> bool:
    from prodready.report import routes

    view = view_of(arguments)
    for table in tables:
        for problem in table.problems:
            path = view.path(table.root, problem.path) if problem.path else ""
            say(str(Problem(problem.message, path, problem.line)))
        for place in table.unresolved if arguments.verbose else ():
            say(f"note: {view.path(table.root, place.path)}:{place.line}: takes in routes that could not be followed")
    text = io.StringIO()
    (routes.write_json if arguments.output_format == "json" else routes.write)(tables, text, view)
    return put(text.getvalue(), None)
