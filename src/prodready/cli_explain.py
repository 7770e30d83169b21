"""`prodready explain FILE:LINE`: finds the project of each place, hands it to the analysis, prints what that says."""

from __future__ import annotations

import io
import os
import re
from argparse import Namespace
from pathlib import Path

from prodready import config
from prodready.cli import say
from prodready.cli_check import overrides, put, settings_of, view_of
from prodready.finding import Explanation, Location
from prodready.knowledge import KnowledgeError

# What is copied from a report ends in a colon.
_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d{1,9})(?::(?P<column>\d{1,9}))?:?")


class _BadPlaceError(Exception):
    """A word that names no place in a file that can be read."""


def run(arguments: Namespace) -> int:
    """Explain the places that the command line names, print, and return the exit code."""
    places: dict[Path, list[tuple[Path, Location]]] = {}
    wrong = False
    for word in arguments.places:
        try:
            file, line, column = _parsed(word)
        except _BadPlaceError as error:
            say(str(error))
            wrong = True
            continue
        root = config.find_root(file)
        location = Location(file.relative_to(root).as_posix(), line, column)
        places.setdefault(root, []).append((file, location))
    told: list[Explanation] = []
    for root, wanted in places.items():
        try:
            wrong |= not _explain(arguments, root, wanted, told)
        except (config.ConfigError, KnowledgeError) as error:
            say(str(error))
            wrong = True
    return 2 if not _print(arguments, told) or wrong else 0


def _parsed(word: str) -> tuple[Path, int, int]:
    match = _PLACE.fullmatch(word)
    if match is None:
        raise _BadPlaceError(f"{word or repr(word)}: names no line; write FILE:LINE or FILE:LINE:COLUMN")
    line, column = int(match["line"]), int(match["column"] or 0)
    if not line or match["column"] == "0":
        raise _BadPlaceError(f"{word}: lines and columns count from 1")
    file = match["file"]
    if not os.path.exists(file):
        raise _BadPlaceError(f"{file}: cannot be read: No such file or directory")
    if not os.path.isfile(file):
        raise _BadPlaceError(f"{file}: not a file")
    return Path(os.path.realpath(file)), line, column


def _explain(arguments: Namespace, root: Path, wanted: list[tuple[Path, Location]], told: list[Explanation]) -> bool:
    """Add the explanations of places in one project; whether all of them could be explained."""
    from prodready.explain import PlaceError, explain
    from prodready.project import Options, Session

    settings = settings_of(arguments, root, overrides(arguments))
    options = Options(jobs=settings.jobs, cache=not arguments.no_cache)
    complete = True
    with Session(settings).linked([file for file, _ in wanted], options) as insight:
        for _, location in wanted:
            try:
                told.append(explain(insight, settings, location))
            except PlaceError as error:
                say(f"{config.shown(root / location.path)}: {error}")
                complete = False
    return complete


def _print(arguments: Namespace, told: list[Explanation]) -> bool:
    from prodready.report.explanation import write, write_json

    text = io.StringIO()
    (write_json if arguments.output_format == "json" else write)(told, text, view_of(arguments))
    return put(text.getvalue(), None)
