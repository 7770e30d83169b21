"""JUnit's XML, as CI services read it: one suite a file, one failed case a finding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO
from xml.etree import ElementTree

from prodready.finding import Finding, Problem, Report
from prodready.report.terminal import visible
from prodready.report.view import View


def write(reports: Sequence[Report], stream: TextIO, view: View) -> None:
    """Write the document; a run that found nothing is one case that passed."""
    path = view.of_repository(reports)
    suites: dict[str, list[ElementTree.Element]] = {}
    for report in reports:
        for problem in report.problems:
            name = path(report.root, problem.path) if problem.path else "prodready"
            error = _case("prodready", name)
            what = str(Problem(problem.message, name if problem.path else "", problem.line))
            ElementTree.SubElement(error, "error", message=visible(what), type="problem")
            suites.setdefault(name, []).append(error)
        for finding in report.findings:
            name = path(report.root, finding.location.path)
            suites.setdefault(name, []).append(_failed(finding, name))
    if not suites:
        suites["prodready"] = [_case("prodready check", "prodready")]
    root = ElementTree.Element("testsuites", name="prodready")
    for name, cases in suites.items():
        root.append(_suite(name, cases))
    for key in ("tests", "failures", "errors"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    ElementTree.indent(root)
    stream.write('<?xml version="1.0" encoding="utf-8"?>\n')
    stream.write(ElementTree.tostring(root, encoding="unicode") + "\n")


def _suite(name: str, cases: Sequence[ElementTree.Element]) -> ElementTree.Element:
    failures = sum(case.find("failure") is not None for case in cases)
    errors = sum(case.find("error") is not None for case in cases)
    counts = {"tests": len(cases), "failures": failures, "errors": errors, "skipped": 0, "time": 0}
    suite = ElementTree.Element("testsuite", {"name": visible(name), **{key: str(n) for key, n in counts.items()}})
    suite.extend(cases)
    return suite


def _case(name: str, file: str) -> ElementTree.Element:
    return ElementTree.Element("testcase", {"name": name, "classname": visible(file), "time": "0"})


def _failed(finding: Finding, path: str) -> ElementTree.Element:
    place = finding.location
    case = _case(f"{finding.code} {finding.slug}, line {place.line}", path)
    failure = ElementTree.SubElement(case, "failure", message=visible(finding.message), type=finding.severity.label)
    steps = [
        f"{step.location.path}:{step.location.line}:{step.location.column}: {step.message}" for step in finding.trace
    ]
    help_ = [f"help: {finding.hint}"] if finding.hint else []
    head = f"{path}:{place.line}:{place.column}: {finding.code} {finding.message}"
    failure.text = "\n".join(map(visible, [head, *steps, *help_]))
    return case
