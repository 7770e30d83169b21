"""How many lost safeguards prodready finds: real applications with one safeguard taken away at a time.

    python tests/benchmarks/mutation.py TREE... [--kind transaction] [--limit 20] [--misses]
    python tests/benchmarks/mutation.py TREE --diff models.py:185

A mutant is the application with one file changed: a transaction is gone (`transaction`), a password is stored as it is
(`hashing`), a bound parameter stands in the text of its statement (`parameters`), a secret is logged (`secret-log`), or a
route does not ask any more for what a page asks for (`permission`).
It is found if prodready, at the default confidence, reports what it did not report before, with the code for that kind,
in the mutated function or with a step of the trace in it; what it reports there with low confidence ("held back"), or
elsewhere, is counted apart. What is a
safeguard is judged by names, without prodready, and places where nothing would be lost are skipped: the output says how
many and why. Tests, migrations and generated files are not mutated, but are there when prodready reads the application.
"""

from __future__ import annotations

import difflib
import json
import random
import re
import sys
import tempfile
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import mutants_hashing
import mutants_parameters
import mutants_permission
import mutants_secret_log
import mutants_transaction
from mutants_context import Application
from mutants_source import Candidate, Mutant, Skipped, Source

from prodready import config, discover, project
from prodready.finding import Finding
from prodready.rules import all_rules

FOUND, HELD_BACK, ELSEWHERE, MISSED, NOT_TRIED = "found", "held back", "elsewhere", "missed", "not tried"
WITH_CALLER = "told with its caller, which is reported already: RULES.md, PRD302, point 6"
PLAYING = re.compile(
    r"(?:^|[/_.])(?:seeds?|loaddata|fixtures?|factor(?:y|ies)|populate|demo|samples?|random)(?=[/_.]|$)"
)
"""Names of files and functions that RULES.md leaves out of PRD302: factories and seeds."""

LEFT_OUT = re.compile(r"(?:^|/)(?:alembic|migrations)/|(?:^|/)test_?(?:lib|utils?|case|base|helpers?)\.py$")
"""What is no code of the application, besides what prodready knows by its own patterns."""


@dataclass(frozen=True)
class Kind:
    """A kind of mutants: where they come from, and the codes that find them."""

    candidates: Callable[[Source, Application], Iterator[Candidate]]
    needle: re.Pattern[bytes]
    codes: frozenset[str]


KINDS: Mapping[str, Kind] = {
    module.KIND: Kind(module.candidates, module.NEEDLE, frozenset(codes))
    for module, codes in (
        (mutants_transaction, {"PRD302"}),
        (mutants_hashing, {"PRD101", "PRD102"}),
        (mutants_parameters, {"PRD301"}),
        (mutants_secret_log, {"PRD401"}),
        (mutants_permission, {"PRD201", "PRD202"}),
    )
}


@dataclass
class Outcome:
    """What came of one kind in one application. `before` counts findings with its codes without any mutation."""

    kind: str
    application: str
    mutants: int
    tried: list[tuple[Mutant, str]] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    before: int = 0

    def count(self, *results: str) -> int:
        """How many of those tried ended so."""
        return sum(result in results for _, result in self.tried)


def read(tree: Path) -> tuple[dict[str, bytes], Application]:
    """All files that prodready reads of an application, its pages too, and the application without its tests."""
    root = tree.resolve()
    files, own = {}, {}
    walk = discover.walk(config.load(root, isolated=True), [root])
    pages = {path: (root / path).read_bytes() for path in walk.web}
    for file in walk.files:
        data = files[file.path] = (root / file.path).read_bytes()
        if not file.kinds and not discover.is_generated(data) and not LEFT_OUT.search(file.path):
            own[file.path] = data
    if not own:
        raise SystemExit(f"{tree}: there are no Python files but tests")
    return {**files, **pages}, Application(own, pages)


def candidates(app: Application, kinds: Iterable[str]) -> dict[str, list[Candidate]]:
    """The mutants and the skipped places of each kind, in the order of the files."""
    found: dict[str, list[Candidate]] = {kind: [] for kind in kinds}
    for path, data in app.files.items():
        wanted = [kind for kind in found if KINDS[kind].needle.search(data)]
        source = app.source(path) if wanted else None
        for kind in wanted if source is not None else ():
            assert source is not None
            found[kind] += KINDS[kind].candidates(source, app)
    return found


class Bench:
    """A copy of an application that is checked again and again, each time with another file changed.

    Only the rules for one kind are run: the others would say nothing of the mutants, and cost their time.
    """

    def __init__(self, files: Mapping[str, bytes], root: Path, kind: str) -> None:
        self.files = files
        self.root = root
        self.rules = {code: rule for code, rule in all_rules().items() if code in KINDS[kind].codes}
        for path, data in {config.FILE_NAME: b"", **files}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
        self.least = config.load(root, isolated=True).min_confidence
        self.session = project.Session(config.load(root, {"min-confidence": "low"}, isolated=True))
        self._all_before = self._findings()
        self.before = self._shown(self._all_before)

    def result(self, mutant: Mutant) -> str:
        """Whether the mutant is found. Raises SystemExit for one that is no Python."""
        place = self.root / mutant.path
        source = Source(mutant.path, mutant.text.encode())
        place.write_bytes(source.module.bytes)
        try:
            findings = self._findings(mutant.path)
        finally:
            place.write_bytes(self.files[mutant.path])
        lines = lines_of(source, mutant.order)
        if new := _new(self._shown(findings), self.before):
            return FOUND if any(touches(finding, mutant.path, lines) for finding in new) else ELSEWHERE
        held = _new(findings, self._all_before)
        if any(touches(finding, mutant.path, lines) for finding in held):
            return HELD_BACK
        return WITH_CALLER if self._is_told(findings, mutant, lines) else MISSED

    def _is_told(self, findings: Sequence[Finding], mutant: Mutant, lines: range) -> bool:
        """Whether a finding elsewhere, which was there before, has come to lead through the mutated function."""
        before = lines_of(Source(mutant.path, self.files[mutant.path]), mutant.order)
        known = Counter(_identity(one) for one in self.before if touches(one, mutant.path, before))
        now = Counter(_identity(one) for one in self._shown(findings) if touches(one, mutant.path, lines))
        return bool(now - known)

    def _shown(self, findings: Iterable[Finding]) -> list[Finding]:
        return [finding for finding in findings if finding.confidence >= self.least]

    def _findings(self, mutated: str = "") -> list[Finding]:
        with patch.object(project, "all_rules", lambda: self.rules):
            report = self.session.check([self.root], project.Options(fixes=False))
        for problem in report.problems:
            if not problem.path or problem.path == mutated:  # a rule that failed, or a mutant that cannot be read
                raise SystemExit(f"{mutated}: {problem}")
        return [*report.findings, *(one.finding for one in report.suppressed)]


def _new(findings: Sequence[Finding], before: Iterable[Finding]) -> list[Finding]:
    """Those that were not there before; which one of several alike is the new one, nobody can say: all of them count."""
    more = Counter(map(_identity, findings)) - Counter(map(_identity, before))
    return [finding for finding in findings if _identity(finding) in more]


def _identity(finding: Finding) -> tuple[str, str, str, str]:
    return finding.code, finding.location.path, finding.context, finding.snippet


def lines_of(source: Source, order: int) -> range:
    """The lines of the scope with that number, or of the file."""
    if order < 0:
        return range(1, len(source.line_starts) + 1)
    scope = source.scopes[order]
    return range(scope.first, scope.last + 1)


def touches(finding: Finding, path: str, lines: range) -> bool:
    """Whether a finding stands in these lines, or a step of its trace does."""
    places = [finding.location, *(step.location for step in (*finding.trace, *finding.related))]
    return any(place.path == path and place.line in lines for place in places)


def measure(tree: Path, kinds: Sequence[str], limit: int | None = None, seed: int = 0) -> list[Outcome]:
    """Make the mutants of an application and try them, or so many of each kind."""
    files, app = read(tree)
    found = candidates(app, kinds)
    outcomes = []
    for kind in kinds:
        mutants = [one for one in found[kind] if isinstance(one, Mutant)]
        skipped = [one for one in found[kind] if isinstance(one, Skipped)]
        with tempfile.TemporaryDirectory(prefix="mutation") as folder:
            bench = Bench(files, Path(folder).resolve(), kind)
            if kind in {mutants_transaction.KIND, mutants_permission.KIND}:
                again = [one for one in mutants if _reported(app, one, bench.before)]
                skipped += [Skipped(kind, "reported already", m.path, m.line, m.function) for m in again]
                mutants = [one for one in mutants if one not in again]
            if kind == mutants_transaction.KIND:
                plays = [one for one in mutants if PLAYING.search(f"{one.path}/{one.function}")]
                skipped += [Skipped(kind, "fills a database to play with", m.path, m.line, m.function) for m in plays]
                mutants = [one for one in mutants if one not in plays]
            chosen = sample(mutants, limit, f"{seed} {kind} {tree.name}")
            tried = [(one, bench.result(one) if bench.rules else NOT_TRIED) for one in chosen]
            told = [one for one, result in tried if result == WITH_CALLER]
            skipped += [Skipped(kind, WITH_CALLER, m.path, m.line, m.function) for m in told]
            tried = [(one, result) for one, result in tried if result != WITH_CALLER]
            outcomes.append(Outcome(kind, tree.name, len(mutants), tried, skipped, len(bench.before)))
    return outcomes


def _reported(app: Application, mutant: Mutant, before: Iterable[Finding]) -> bool:
    """Whether there is a finding in the mutated function, or class, without the mutation."""
    source = app.source(mutant.path)
    scopes = source.scopes if source is not None else []
    orders = [mutant.order] if mutant.order >= 0 else [one.order for one in scopes if one.first == mutant.line]
    lines = lines_of(source, min(orders, default=-1)) if source is not None else range(0)
    return any(one.location.path == mutant.path and one.location.line in lines for one in before)


def sample(mutants: Sequence[Mutant], limit: int | None, seed: str) -> list[Mutant]:
    """So many of them, always the same ones, in their order."""
    if limit is None or limit >= len(mutants):
        return list(mutants)
    return [mutants[index] for index in sorted(random.Random(seed).sample(range(len(mutants)), limit))]


def table(outcomes: Sequence[Outcome]) -> str:
    """A row for each kind and application, one for each kind of all of them, one for each way to mutate; and the skips."""
    rows = [["kind", "application", "mutants", "tried", "found", "rate", "held back", "elsewhere", "reported before"]]
    skips = []
    for kind in dict.fromkeys(one.kind for one in outcomes):
        several = [one for one in outcomes if one.kind == kind]
        tried = [pair for one in several for pair in one.tried]
        whole = Outcome(
            kind,
            "all",
            sum(one.mutants for one in several),
            tried,
            [skip for one in several for skip in one.skipped],
            sum(one.before for one in several),
        )
        rows += [_row(one, one.application) for one in ([*several, whole] if len(several) > 1 else several)]
        for subkind in sorted({mutant.subkind for mutant, _ in tried}):
            part = [pair for pair in tried if pair[0].subkind == subkind]
            rows.append([*_row(Outcome(kind, "", len(part), part), f"- {subkind}")[:-1], ""])
        reasons = Counter(skip.reason for skip in whole.skipped)
        skips += [f"skipped, {kind}: {count} {reason}" for reason, count in reasons.most_common()]
    rows.insert(1, ["---", "---", *("---:" for _ in rows[0][2:])])
    return "\n".join([*(f"| {' | '.join(row)} |" for row in rows), *skips])


def _row(outcome: Outcome, name: str) -> list[str]:
    tried = outcome.count(FOUND, HELD_BACK, ELSEWHERE, MISSED)
    found, held_back, elsewhere = (outcome.count(result) for result in (FOUND, HELD_BACK, ELSEWHERE))
    cells = [str(found), f"{found / tried:.0%}", str(held_back), str(elsewhere)] if tried else [""] * 4
    return [outcome.kind, name, str(outcome.mutants), str(tried), *cells, str(outcome.before)]


def as_json(outcomes: Iterable[Outcome]) -> str:
    """All that was measured, one entry for each kind and application."""
    entries = [
        {
            "kind": one.kind,
            "application": one.application,
            "mutants": one.mutants,
            "reported_before": one.before,
            "tried": [
                {"path": m.path, "line": m.line, "function": m.function, "subkind": m.subkind, "result": result}
                for m, result in one.tried
            ],
            "skipped": [
                {"path": s.path, "line": s.line, "function": s.function, "reason": s.reason} for s in one.skipped
            ],
        }
        for one in outcomes
    ]
    return json.dumps(entries, indent=1)


def diffs(tree: Path, kinds: Sequence[str], which: str, limit: int | None, seed: int) -> Iterator[str]:
    """The diffs of the mutants whose line in the list of misses contains `which`; nothing is measured."""
    _, app = read(tree)
    for kind, found in candidates(app, kinds).items():
        mutants = [one for one in found if isinstance(one, Mutant) and which in str(one)]
        for mutant in sample(mutants, limit, f"{seed} {kind} {tree.name}"):
            source = app.source(mutant.path)
            assert source is not None
            old, new = source.text.splitlines(), mutant.text.splitlines()
            lines = difflib.unified_diff(old, new, f"{tree.name}/{mutant.path}", f"{kind}: {mutant}", lineterm="", n=2)
            yield "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Print what the command line asks for."""
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("trees", nargs="+", type=Path, metavar="TREE")
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="only this kind; repeatable")
    parser.add_argument("--limit", type=int, metavar="N", help="try so many of each kind in each application")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="what --limit chooses by (default: 0)")
    parser.add_argument("--misses", action="store_true", help="list the mutants that were not found")
    parser.add_argument("--skips", action="store_true", help="list the places that were skipped")
    parser.add_argument("--diff", metavar="TEXT", help="show the mutants with this in `path:line function`, and end")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured to this file")
    arguments = parser.parse_args(argv)
    kinds = arguments.kind or list(KINDS)
    outcomes: list[Outcome] = []
    for tree in arguments.trees:
        if arguments.diff is not None:
            print("\n".join(diffs(tree, kinds, arguments.diff, arguments.limit, arguments.seed)))
        else:
            print(f"{tree.name} ...", file=sys.stderr)
            outcomes += measure(tree, kinds, arguments.limit, arguments.seed)
    if outcomes:
        outcomes.sort(key=lambda one: kinds.index(one.kind))
        print(table(outcomes))
    for outcome in outcomes:
        for mutant, result in outcome.tried if arguments.misses else ():
            if result in {MISSED, HELD_BACK, ELSEWHERE}:
                print(f"{result}, {outcome.kind}: {outcome.application}/{mutant}")
        for skip in outcome.skipped if arguments.skips else ():
            print(f"skipped, {outcome.kind}: {outcome.application}/{skip}")
    if arguments.json:
        arguments.json.write_text(as_json(outcomes), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
