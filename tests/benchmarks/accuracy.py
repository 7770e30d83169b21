"""What prodready finds in real applications, as a table, and how that compares with labels that others made.

    python tests/benchmarks/accuracy.py TREE... [--code PRD301]
    python tests/benchmarks/accuracy.py --benchmark-python DIR

The table counts findings at the default confidence; whether they are right is for a reader to say
(`prodready check --isolated TREE`). The second form takes a checkout of OWASP BenchmarkPython and compares PRD301
with the category `sqli` of its `expectedresults-0.1.csv`.
"""

from __future__ import annotations

import csv
import re
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from prodready import config, project
from prodready.finding import Confidence, Finding, Report
from prodready.rules import all_rules

SQL_INJECTION = "PRD301"
STRING_BUILT = re.compile(r"^\s*sql = f.*?(?<!\{)\{(?!\{)", re.MULTILINE)
"""Each `sqli` case assigns an f-string to `sql`; here it has a hole. Not parsed: the files need Python 3.12."""


def checked(tree: Path) -> Report:
    """The report on an application, whatever configuration it has for other tools or for this one."""
    root = tree.resolve()
    return project.check(config.load(root, isolated=True), [root], project.Options(cache=False))


def table(trees: Sequence[Path], codes: Sequence[str]) -> str:
    """A row for each application: its size, and the findings of each rule as `all (of high confidence)`."""
    rows = [["application", "files", "lines", *codes, "not read"]]
    for tree in trees:
        report = checked(tree)
        for problem in report.problems:
            if not problem.path:  # not one file: a rule that failed
                print(f"{tree.name}: {problem}", file=sys.stderr)
        cells = [_count([f for f in report.findings if f.code == code]) for code in codes]
        rows.append([tree.name, f"{report.files:,}", f"{report.lines:,}", *cells, str(len(report.problems))])
    rows.insert(1, ["---", *("---:" for _ in rows[0][1:])])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _count(findings: Sequence[Finding]) -> str:
    high = sum(finding.confidence is Confidence.HIGH for finding in findings)
    return f"{len(findings)} ({high})" if findings else "0"


def benchmark_python(folder: Path) -> str:
    """PRD301 against the labels of the `sqli` cases, in three groups.

    A case is string-built if the text of its statement has a hole. Some of those are labelled harmless, because what
    is put there can only be a constant; all others bind their value.
    """
    reported = {Path(f.location.path).stem for f in checked(folder).findings if f.code == SQL_INJECTION}
    groups: dict[str, list[str]] = {"string-built, vulnerable": [], "string-built, harmless": [], "parameterised": []}
    for name, vulnerable in _labels(folder).items():
        built = STRING_BUILT.search((folder / "testcode" / f"{name}.py").read_text("utf-8"))
        if vulnerable and not built:
            raise SystemExit(f"{name}: labelled vulnerable, and no string-built statement seen in it")
        group = "parameterised" if not built else "string-built, vulnerable" if vulnerable else "string-built, harmless"
        groups[group].append(name)
    lines = ["| sqli cases | cases | reported |", "| --- | ---: | ---: |"]
    remarks = []
    for group, names in groups.items():
        hits = [name for name in names if name in reported]
        lines.append(f"| {group} | {len(names)} | {len(hits)} |")
        wrong = sorted(set(names) - set(hits)) if group == "string-built, vulnerable" else hits
        remarks += [f"{'missed' if group.endswith('vulnerable') else 'false alarm'}: {name}" for name in wrong]
    others = Counter(_category(folder).get(name, "no case") for name in reported if name not in _labels(folder))
    remarks += [f"reported in cases of another category: {count} {name}" for name, count in sorted(others.items())]
    return "\n".join([*lines, *remarks])


def _expected(folder: Path) -> list[list[str]]:
    with (folder / "expectedresults-0.1.csv").open(encoding="utf-8", newline="") as stream:
        return [[cell.strip() for cell in row] for row in csv.reader(stream) if row and not row[0].startswith("#")]


def _labels(folder: Path) -> dict[str, bool]:
    return {name: vulnerable == "true" for name, category, vulnerable, _ in _expected(folder) if category == "sqli"}


def _category(folder: Path) -> dict[str, str]:
    return {name: category for name, category, *_ in _expected(folder)}


def main(argv: Sequence[str] | None = None) -> int:
    """Print what the command line asks for."""
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("trees", nargs="*", type=Path, metavar="TREE")
    parser.add_argument("--code", action="append", choices=list(all_rules()), help="only this rule; repeatable")
    parser.add_argument("--benchmark-python", type=Path, metavar="DIR", help="a checkout of OWASP BenchmarkPython")
    arguments = parser.parse_args(argv)
    if not arguments.trees and not arguments.benchmark_python:
        parser.error("name applications, or --benchmark-python")
    codes = arguments.code or [code for code, rule in all_rules().items() if rule.check is not None]
    if arguments.trees:
        print(table(arguments.trees, codes))
    if arguments.benchmark_python:
        print(benchmark_python(arguments.benchmark_python))
    return 0


if __name__ == "__main__":
    sys.exit(main())
