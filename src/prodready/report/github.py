"""Workflow commands: GitHub Actions shows each finding as an annotation on its line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TextIO

from prodready.finding import Finding, Report, Severity
from prodready.report.terminal import visible
from prodready.report.view import View

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
# https://docs.github.com/actions/reference/workflow-commands, and actions/toolkit, packages/core/src/command.ts
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def write(reports: Sequence[Report], stream: TextIO, view: View) -> None:
    """Write one command a finding, and one for each thing that could not be done."""
    path = view.of_repository(reports)
    for report in reports:
        for problem in report.problems:
            place = {"file": path(report.root, problem.path), "line": problem.line or 1} if problem.path else {}
            stream.write(
                _command("error", {**place, "title": "prodready could not do its job"}, visible(problem.message))
            )
        for finding in report.findings:
            stream.write(_annotation(finding, partial(path, report.root)))


def _annotation(finding: Finding, path: Callable[[str], str]) -> str:
    place = finding.location
    properties: dict[str, object] = {
        "file": path(place.path),
        "line": place.line,
        "endLine": place.end_line or place.line,
    }
    if place.end_line in (0, place.line):  # With several lines columns are not allowed.
        properties["col"] = place.column
        if place.end_column:
            properties["endColumn"] = max(place.column, place.end_column - 1)
    properties["title"] = f"{finding.code} {finding.slug}"
    steps = [f"{path(step.location.path)}:{step.location.line}: {step.message}" for step in finding.trace]
    text = [finding.message, *steps, *([f"help: {finding.hint}"] if finding.hint else [])]
    return _command(_COMMANDS[finding.severity], properties, "\n".join(map(visible, text)))


def _command(name: str, properties: dict[str, object], text: str) -> str:
    listed = ",".join(f"{key}={_escaped(visible(str(value)), _PROPERTY)}" for key, value in properties.items())
    return f"::{name} {listed}::{_escaped(text, _DATA)}\n"


def _escaped(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(char, char) for char in text)
