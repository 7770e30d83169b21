"""Defects that the history of public repositories shows cured: found before the cure, silent after it?

    python tests/benchmarks/history.py MIRRORS [--code PRD302] [--misses]

MIRRORS holds a clone, bare or not, of each repository of `history.toml`, as `owner+name`, `owner+name/repo` or `name`. For
each pair the whole application is analysed as it was at the first parent of the commit and at the commit. A finding counts
if it stands in the function that the pair names, or its trace leads through it. The two rules on passwords count for each
other: which one a pair belongs to is a matter of what was stored.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from prodready import config, project
from prodready.finding import Finding

HERE = Path(__file__).resolve().parent
ALIKE = ({"PRD101", "PRD102"},)
"""Codes that count for one another."""


class Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One cure: the function `function` of `path` makes the defect before `commit`, and no more after it."""

    repository: str
    commit: str
    path: str
    function: str
    code: str
    shape: str


class _Pairs(msgspec.Struct):
    pair: list[Pair]


def pairs() -> list[Pair]:
    """All pairs of `history.toml`."""
    return msgspec.toml.decode((HERE / "history.toml").read_bytes(), type=_Pairs).pair


def clone_of(mirrors: Path, repository: str) -> Path | None:
    """The git directory of a repository below `mirrors`."""
    owner, _, name = repository.partition("/")
    for folder in (mirrors / f"{owner}+{name}", mirrors / name):
        for found in (folder / "repo", folder / ".git", folder):
            if (found / "HEAD").is_file():
                return found
    return None


def state(git: Path, revision: str, target: Path) -> Path:
    """The Python files of a repository at a revision, written below `target`.

    Not with `git archive`: it fails for a clone that lacks some large file, wanted or not. Raises CalledProcessError where
    git does not know the revision.
    """
    listed = _git(git, "ls-tree", "-r", "-z", revision).split(b"\0")
    wanted = {}
    for line in filter(None, listed):
        mode, kind, name, path = line.decode("utf-8", "surrogateescape").replace("\t", " ", 1).split(" ", 3)
        if kind == "blob" and mode.startswith("100") and path.endswith(".py"):
            wanted[path] = name
    packed = io.BytesIO(_git(git, "cat-file", "--batch", data="\n".join(wanted.values()).encode()))
    for path in wanted:
        header = packed.readline().split()
        if len(header) == 3:  # else: missing
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(packed.read(int(header[2])))
            packed.read(1)
    (target / config.FILE_NAME).touch()
    return target


def _git(git: Path, *arguments: str, data: bytes | None = None) -> bytes:
    command = ["git", f"--git-dir={git}", *arguments]
    return subprocess.run(command, input=data, capture_output=True, check=True, cwd="/").stdout


def is_about(finding: Finding, pair: Pair) -> bool:
    """Whether a finding is the one that a pair is about."""
    codes = next((alike for alike in ALIKE if pair.code in alike), {pair.code})
    if finding.code not in codes:
        return False
    if finding.location.path == pair.path and _within(finding.context, pair.function):
        return True
    return pair.code != "PRD302" and any(step.location.path == pair.path for step in finding.trace)


def _within(context: str, function: str) -> bool:
    return context == function or context.startswith(f"{function}.")


def measure(git: Path, revision: str, wanted: Sequence[Pair]) -> set[Pair]:
    """The pairs of which something is found at a revision."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "tree"
        root.mkdir()
        state(git.resolve(), revision, root)
        report = project.check(config.load(root, isolated=True), [root], project.Options(cache=False, fixes=False))
    for problem in report.problems:
        if not problem.path:
            print(problem, file=sys.stderr)
    return {pair for pair in wanted if any(is_about(finding, pair) for finding in report.findings)}


def table(rows: Iterable[tuple[Pair, bool, bool]]) -> str:
    """Counts by code: pairs, found before, silent after, both."""
    by_code: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for pair, before, after in rows:
        by_code[pair.code].append((before, not after))
    lines = ["| code | pairs | found before | silent after | both |", "|---|---:|---:|---:|---:|"]
    for code, found in sorted(by_code.items()):
        counts = [sum(one[0] for one in found), sum(one[1] for one in found), sum(all(one) for one in found)]
        lines.append(f"| {code} | {len(found)} | {' | '.join(map(str, counts))} |")
    return "\n".join(lines)


def main() -> None:
    """Measure all pairs whose repository is at hand."""
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("mirrors", type=Path)
    parser.add_argument("--code", action="append", help="only pairs of this code")
    parser.add_argument("--repository", action="append", help="only pairs of this repository")
    parser.add_argument("--misses", action="store_true", help="name what is missed before and found after")
    options = parser.parse_args()
    by_commit: dict[tuple[str, str], list[Pair]] = defaultdict(list)
    for pair in pairs():
        if (not options.code or pair.code in options.code) and (
            not options.repository or pair.repository in options.repository
        ):
            by_commit[pair.repository, pair.commit].append(pair)
    rows: list[tuple[Pair, bool, bool]] = []
    for (repository, commit), wanted in by_commit.items():
        git = clone_of(options.mirrors.resolve(), repository)
        if git is None:
            print(f"{repository}: no clone below {options.mirrors}", file=sys.stderr)
            continue
        try:
            before = measure(git, f"{commit}^", wanted)
            after = measure(git, commit, wanted)
        except subprocess.CalledProcessError as error:
            print(f"{repository}: {error.stderr.decode(errors='replace').strip()}", file=sys.stderr)
            continue
        rows += [(pair, pair in before, pair in after) for pair in wanted]
        for pair in wanted if options.misses else ():
            if pair not in before or pair in after:
                says = "missed before" if pair not in before else "found after"
                print(
                    f"{says}: {pair.code} {repository} {commit[:12]} {pair.path} {pair.function} ({pair.shape})",
                    flush=True,
                )
    print(table(rows))


if __name__ == "__main__":
    main()
