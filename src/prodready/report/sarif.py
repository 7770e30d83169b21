"""SARIF 2.1.0: what code hosts and editors read. One run for all projects, valid against the official schema.

Findings that a comment or the baseline silences are left out: GitHub takes a result with `suppressions` for an open alert.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, TextIO
from urllib.parse import quote_from_bytes

from prodready import __version__
from prodready.finding import Confidence, Finding, Fix, Location, Problem, Report, Severity, Step
from prodready.report import rule_page
from prodready.report.dump import dump
from prodready.report.view import View, top
from prodready.rules import Rule, all_rules, known_rules

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
BASE = "SRCROOT"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
# The scale of CVSS, on which code hosts sort alerts: high, medium, low.
_SECURITY = {Severity.ERROR: "8.0", Severity.WARNING: "5.0", Severity.INFO: "2.0"}
_RANKS = {Confidence.HIGH: 90.0, Confidence.MEDIUM: 60.0, Confidence.LOW: 20.0}


def write(reports: Sequence[Report], stream: TextIO, view: View) -> None:
    """Write the log."""
    dump(document(reports, view), stream)


def document(reports: Sequence[Report], view: View) -> dict[str, Any]:
    """The log. Paths are relative to the repository that holds all projects, as code hosts expect."""
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [_Run(reports, view).run()]}


class _Run:
    def __init__(self, reports: Sequence[Report], view: View) -> None:
        self.reports = reports
        self.base = str(top([report.root for report in reports], view.cwd))
        found = [finding for report in reports for finding in report.findings]
        self.rules = _rules(found)
        self.index = {rule.code: number for number, rule in enumerate(self.rules)}

    def run(self) -> dict[str, Any]:
        problems = [(report.root, problem) for report in self.reports for problem in report.problems]
        warnings = [text for report in self.reports for text in report.warnings]
        return {
            "tool": {
                "driver": {
                    "name": "prodready",
                    "version": __version__,
                    "semanticVersion": __version__,
                    "rules": [_descriptor(rule) for rule in self.rules],
                }
            },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {BASE: {"uri": _file_uri(self.base)}},
            "invocations": [
                {
                    "executionSuccessful": not problems,
                    "toolExecutionNotifications": [
                        *(self._notification(*item) for item in problems),
                        *({"level": "warning", "message": {"text": text}} for text in warnings),
                    ],
                }
            ],
            "results": [*self._results()],
        }

    def _results(self) -> Iterable[dict[str, Any]]:
        for report in self.reports:
            for finding in report.findings:
                yield self._result(report.root, finding)

    def _result(self, root: str, finding: Finding) -> dict[str, Any]:
        result: dict[str, Any] = {
            "ruleId": finding.code,
            "ruleIndex": self.index[finding.code],
            "level": _LEVELS[finding.severity],
            "rank": _RANKS[finding.confidence],
            "message": {"text": _plain(f"{finding.message}\n\n{finding.hint}" if finding.hint else finding.message)},
            "locations": [self._location(root, finding.location, finding.context)],
            "partialFingerprints": {"prodready/v1": finding.fingerprint},
            "properties": {"confidence": finding.confidence.label},
        }
        if finding.trace:
            steps = [{"location": self._step(root, step)} for step in finding.trace]
            result["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
        if finding.related:
            result["relatedLocations"] = [
                {"id": number, **self._step(root, step)} for number, step in enumerate(finding.related, 1)
            ]
        if finding.fixes:
            result["fixes"] = [self._fix(root, fix) for fix in finding.fixes]
        return result

    def _fix(self, root: str, fix: Fix) -> dict[str, Any]:
        paths = dict.fromkeys(edit.location.path for edit in fix.edits)
        return {
            "description": {"text": fix.description},
            "artifactChanges": [
                {
                    "artifactLocation": self._artifact(root, path),
                    "replacements": [
                        {
                            "deletedRegion": _region(edit.location),
                            "insertedContent": {"text": edit.replacement},
                        }
                        for edit in fix.edits
                        if edit.location.path == path
                    ],
                }
                for path in paths
            ],
        }

    def _step(self, root: str, step: Step) -> dict[str, Any]:
        return {**self._location(root, step.location), "message": {"text": _plain(step.message)}}

    def _location(self, root: str, location: Location, context: str = "") -> dict[str, Any]:
        place: dict[str, Any] = {
            "physicalLocation": {
                "artifactLocation": self._artifact(root, location.path),
                "region": _region(location),
            }
        }
        if context:
            place["logicalLocations"] = [{"fullyQualifiedName": context}]
        return place

    def _artifact(self, root: str, path: str) -> dict[str, Any]:
        place = os.path.join(root, path)
        if place == self.base or place.startswith(os.path.join(self.base, "")):
            return {"uri": _quoted(os.path.relpath(place, self.base)), "uriBaseId": BASE}
        return {"uri": _file_uri(place, directory=False)}

    def _notification(self, root: str, problem: Problem) -> dict[str, Any]:
        note: dict[str, Any] = {"level": "error", "message": {"text": problem.message}}
        if problem.path:
            place: dict[str, Any] = {"artifactLocation": self._artifact(root, problem.path)}
            if problem.line:
                place["region"] = {"startLine": problem.line}
            note["locations"] = [{"physicalLocation": place}]
        return note


def _rules(found: Sequence[Finding]) -> list[Rule]:
    """Every rule, and a stand-in for a code that no rule declares."""
    rules = dict(all_rules())
    for finding in found:
        if finding.code not in rules:
            rules[finding.code] = known_rules().get(finding.code) or Rule(
                finding.code, finding.slug, finding.severity, "", ()
            )
    return [rules[code] for code in sorted(rules)]


def _descriptor(rule: Rule) -> dict[str, Any]:
    title = rule.title or rule.slug.replace("-", " ")
    tags = ["security", *(f"external/cwe/cwe-{number.zfill(3)}" for number in rule_page.weaknesses(rule))]
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.slug.split("-")),
        "shortDescription": {"text": f"{title}."},
        "fullDescription": {"text": rule.sections()[""] or f"{title}."},
        "help": {"text": rule_page.plain(rule), "markdown": rule_page.markdown(rule, heading=False)},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "tags": tags,
            "precision": "high",
            "problem.severity": "recommendation" if rule.severity is Severity.INFO else rule.severity.label,
            "security-severity": _SECURITY[rule.severity],
            "slug": rule.slug,
            "stage": rule.stage,
        },
    }


def _plain(text: str) -> str:
    """A message in which nothing reads as a link: `[text](target)` is one in SARIF (2.1.0, 3.11.6)."""
    parts = text.split("]")
    for number, after in enumerate(parts[1:]):
        if after.startswith("("):
            parts[number] = parts[number].replace("[", "\\[")
    return "]".join(parts)


def _region(location: Location) -> dict[str, int]:
    region = {"startLine": location.line, "startColumn": location.column}
    if location.end_line:
        region["endLine"] = location.end_line
    if location.end_column:
        region["endColumn"] = location.end_column
    return region


def _quoted(path: str) -> str:
    text = path.replace(os.sep, "/")
    try:
        return quote_from_bytes(os.fsencode(text))
    except UnicodeEncodeError:  # No file has such a name, but a diff or a baseline may speak of one.
        return quote_from_bytes(text.encode("utf-8", "replace"))


def _file_uri(path: str, *, directory: bool = True) -> str:
    quoted = _quoted(path)
    return (
        f"file://{'' if quoted.startswith('/') else '/'}{quoted}{'/' if directory and not quoted.endswith('/') else ''}"
    )
