"""How long prodready takes, and how much memory, next to Bandit on the same files in the same run.

    python tests/benchmarks/speed.py PATH... [--runs 3]
    python tests/benchmarks/speed.py PATH --scaling

Each PATH is an application. Its Python files without the tests are copied to a temporary project, and both tools
check that. What counts is processor time, of all processes, and of each tool the run that took least: what else the
machine has to do shows little in it. The time on the clock stands beside it. Runs take turns, so that a busy machine is
busy for both. Byte code is there for both, as after an installation: a checkout whose modules are compiled anew in each run
takes half a second more. Our own rules count; the row "with engines" has those that are installed here as well. Memory is
measured in a run of its own.
"""

from __future__ import annotations

import compileall
import json
import shutil
import sys
import tempfile
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path

from measure import CommandError, Measured, run
from trees import Tree, copy, grown

import prodready

PRODREADY = [sys.executable, "-m", "prodready", "check"]
BANDIT = [sys.executable, "-m", "bandit", "--quiet", "-r", ".", "-f", "json"]
SIZES = (10_000, 50_000, 200_000, 500_000)
LIMITS = {"cold": 0.5, "unchanged": 0.1}
"""What we aim for, as a share of Bandit's time."""
HOOK_LIMIT = 0.6
MEMORY_LIMIT = 400
MEMORY_LIMIT_UP_TO = 200_000
"""MB, for projects of up to so many lines."""


def compare(source: Path, folder: Path, runs: int) -> None:
    """Print how both tools do on one application."""
    tree = copy(source, folder / "tree")
    changed = _middle_file(tree)
    (tree.root / "prodready.toml").write_text("engines = []\n")
    times: dict[str, list[Measured]] = {
        "bandit": [],
        "cold": [],
        "with engines": [],
        "unchanged": [],
        "one changed": [],
    }
    for number in range(runs):
        times["bandit"].append(run(BANDIT, tree.root))
        shutil.rmtree(tree.root / ".prodready_cache", ignore_errors=True)
        times["cold"].append(run([*PRODREADY, "--output-format", "json"], tree.root))
        times["unchanged"].append(run(PRODREADY, tree.root))
        times["with engines"].append(run([*PRODREADY, "--isolated", "--no-cache"], tree.root))
        with changed.open("a") as stream:
            stream.write(f"\nchanged_by_the_benchmark = {number}\n")
        hook = [*PRODREADY, "--force-exclude", str(changed.relative_to(tree.root))]
        times["one changed"].append(run(hook, tree.root))
    shutil.rmtree(tree.root / ".prodready_cache", ignore_errors=True)
    memory = {"cold": run(PRODREADY, tree.root, memory=True), "unchanged": run(PRODREADY, tree.root, memory=True)}
    memory["bandit"] = run(BANDIT, tree.root, memory=True)

    best = {name: min(measured, key=lambda one: one.seconds) for name, measured in times.items()}
    print(f"\n{source.name}: {tree.files:,} files, {tree.lines:,} lines without tests")
    print(
        f"{'':14}{'processor s':>12}{'x Bandit':>10}{'aim':>7}{'clock s':>9}   "
        f"{'peak MB: all processes, largest one':36}  every run"
    )
    for name, measured in best.items():
        ratio = measured.seconds / best["bandit"].seconds
        aim = f"{LIMITS[name]:.2f}x" if name in LIMITS else f"{HOOK_LIMIT} s" if name == "one changed" else ""
        peaks = _peaks(memory[name], tree.lines) if name in memory else ""
        every = " ".join(f"{one.seconds:.2f}" for one in times[name])
        print(f"{name:14}{measured.seconds:12.2f}{ratio:10.2f}{aim:>7}{measured.wall:9.2f}   {peaks:36}  {every}")
    print(f"what the cold run's time on the clock goes to: {_timings(best['cold'])}")
    unread = len(json.loads(best["cold"].output)["problems"]), len(json.loads(best["bandit"].output)["errors"])
    if any(unread):
        print(f"files that could not be read: {unread[0]} by prodready, {unread[1]} by Bandit")


def scale(source: Path, folder: Path, runs: int) -> None:
    """Print the seconds of processor time for ever larger projects made of one application."""
    print(f"\n{source.name}, copied: cold runs without a cache")
    print(f"{'lines':>9}{'files':>8}{'seconds':>9}{'s per 10,000 lines':>21}   peak MB: all processes, largest one")
    for size in SIZES:
        tree = grown(source, folder / str(size), size)
        command = [*PRODREADY, "--no-cache", "-j", "1", "--output-format", "json"]
        seconds = min(run(command, tree.root).seconds for _ in range(runs))
        peaks = _peaks(run(command, tree.root, memory=True), tree.lines)
        print(f"{tree.lines:9,}{tree.files:8,}{seconds:9.2f}{seconds / tree.lines * 1e4:21.2f}   {peaks}", flush=True)
        shutil.rmtree(tree.root)


def _middle_file(tree: Tree) -> Path:
    """The file of median size: neither an empty `__init__.py` nor the largest there is."""
    files = sorted(tree.root.rglob("*.py"), key=lambda path: (path.stat().st_size, path))
    return files[len(files) // 2]


def _peaks(measured: Measured, lines: int) -> str:
    together = f"{measured.together:.0f}" if measured.together is not None else "unknown"
    high = (measured.together or measured.largest) > MEMORY_LIMIT and lines <= MEMORY_LIMIT_UP_TO * 1.01
    over = f"  over the {MEMORY_LIMIT} aimed at" if high else ""
    return f"{together}, {measured.largest:.0f}{over}"


def _timings(measured: Measured) -> str:
    project = json.loads(measured.output)["projects"][0]
    steps = sorted(project["timings"].items(), key=lambda item: -item[1])
    rest = measured.wall - sum(project["timings"].values())
    return ", ".join([*(f"{name} {seconds:.2f} s" for name, seconds in steps), f"start and output {rest:.2f} s"])


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what the command line names."""
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--runs", type=int, default=3, help="how often each is run (default: 3)")
    parser.add_argument("--scaling", action="store_true", help="measure growing copies of the first PATH")
    arguments = parser.parse_args(argv)
    compileall.compile_dir(Path(prodready.__file__).parent, quiet=1)
    try:
        for path in arguments.paths:
            with tempfile.TemporaryDirectory() as folder:
                (scale if arguments.scaling else compare)(path, Path(folder), arguments.runs)
    except CommandError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
