"""Analyse programs, whole and broken, and count what became of them.

    python tests/read/fuzz_reader.py --count 20000 --seed 1 [--parse [--compare]]

Programs come from hypothesmith, where that is installed, and from files of the standard library and of fixtures/,
mutated by character, line and token. Each is read, linked and judged by all rules, or with --parse only parsed. That
happens in a child process: a program on which it dies, hangs or raises what it should not counts as a crash, and is
written to fuzz-crash-SEED-NUMBER.py in the directory given with --keep.
Ends with 1 if there was a crash.
"""

from __future__ import annotations

import argparse
import ast
import functools
import importlib
import multiprocessing
import os
import random
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from prodready.read import nesting
from prodready.read.parse import ParseFailure, parse

ROOT = Path(__file__).parents[2]
BATCH = 250
PATIENCE = 30.0
LONGEST = 4_000
SHARE_GENERATED = 0.1
RECURSION_LIMIT = 12_000

WORDS = """
( ) [ ] { } : , ; . ... = == := -> @ * ** + - ~ | & < <= != ! # \\ ' " \''' \""" f' f" f\""" t' rf' b' u' r' 00 "a" f"{x}"
{ }} {{ {x} {x!r} {x=} {x:{y}} case([ del(( t'{ \\N{ \\x x é ﬁ _ 0 0x 1_000 1e5 1j a[*b] (yield) lambda lambda: not await
async yield from import lazy type match case class def if elif else for in while with as try except except* finally
raise return global nonlocal del pass None True False print exec
"""
PHRASES = ("type X[T] = ", "except A, B:", "lazy import a\n", "f(x for x in y)", "    ", " ", "\\\n")
CHARACTERS = ("\n", "\r\n", "\r", "\t", "\f", "\0", "\ufeff", "\u2028", "\ud800", "\x85")
FRAGMENTS = [*WORDS.split(), *PHRASES, *CHARACTERS]


def check(text: str, compare: bool = False) -> str:
    """Read one program: "parsed" or "rejected". Whatever else it raises is a crash."""
    try:
        tree = parse(text)
    except ParseFailure as failure:
        if not failure.message or "\n" in failure.message or failure.line < 0 or failure.column < 0:
            raise AssertionError(f"odd failure: {vars(failure)}") from None
        return "rejected"
    if compare:
        compare_with_libcst(text, tree)
    return "parsed"


def compare_with_libcst(text: str, tree: ast.Module) -> None:
    """Convert what LibCST makes of the program, where it takes it at all, and compare; positions from Python 3.13 on,
    before which those in f-strings were others."""
    import libcst

    from prodready.read.cst_to_ast import convert

    if nesting.too_deep_for_libcst(text):
        return
    try:
        module = libcst.parse_module(text)
    except (libcst.ParserSyntaxError, libcst.CSTLogicError, libcst.CSTValidationError):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        places = sys.version_info >= (3, 13)
        got, want = (ast.dump(each, include_attributes=places) for each in (convert(module, text), tree))
    if got != want and sys.version_info[:2] != (3, 12):
        at = next((n for n, (a, b) in enumerate(zip(got, want, strict=False)) if a != b), 0)
        raise AssertionError(f"LibCST: {got[max(at - 80, 0) : at + 80]}\nast: {want[max(at - 80, 0) : at + 80]}")


class Analysis:
    """The whole analysis, of a project whose only file is the program."""

    def __init__(self, root: Path) -> None:
        from prodready.config import Config
        from prodready.finding import Confidence, Severity
        from prodready.project import Session

        # A rule that raises ends the run, instead of becoming a problem in the report.
        os.environ["PRODREADY_DEBUG"] = "1"
        (root / "program.py").touch()
        self._root = root
        self._session = Session(Config(root=root, min_confidence=Confidence.LOW, min_severity=Severity.INFO))

    def __call__(self, text: str) -> str:
        from prodready.project import Options

        data = text.encode("utf-8", "surrogatepass")
        report = self._session.check([self._root], Options(jobs=1, cache=False, stdin=("program.py", data)))
        if any("please report" in str(problem) for problem in report.problems):
            raise AssertionError(*map(str, report.problems))
        if report.problems:
            return "rejected"
        return "with findings" if report.findings else "without findings"


# ---------------------------------------------------------------- programs


@functools.cache
def source_files() -> tuple[list[Path], list[Path]]:
    """The standard library, and the fixtures, which the rules have something to say about."""
    library = [path for path in Path(os.__file__).parent.rglob("*.py") if "site-packages" not in path.parts]
    return sorted(library), sorted((ROOT / "fixtures").rglob("*.py"))


def programs(seed: int, count: int) -> Iterator[str]:
    """`count` programs, the same for the same seed."""
    rng = random.Random(seed)
    generated = hypothesmith_programs(seed, int(count * SHARE_GENERATED))
    for number in range(count):
        text = generated[number] if number < len(generated) else excerpt(rng)
        for _ in range(rng.choice((0, 1, 1, 1, 2, 3, 6))):
            text = rng.choice(MUTATIONS)(rng, text)
        yield text


def hypothesmith_programs(seed: int, count: int) -> list[str]:
    """Valid programs by the grammar; none where hypothesmith is not installed."""
    try:
        hypothesis, hypothesmith = map(importlib.import_module, ("hypothesis", "hypothesmith"))
    except ImportError:
        return []
    found: list[str] = []
    settings = hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )

    def note(text: str) -> None:
        found.append(text)

    collect = hypothesis.seed(seed)(settings(hypothesis.given(hypothesmith.from_grammar())(note)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        collect()
    return found


def excerpt(rng: random.Random) -> str:
    """Some whole statements of a file of the standard library, or a whole fixture."""
    library, fixtures = source_files()
    text = rng.choice(files := rng.choice((library, fixtures))).read_text(encoding="utf-8", errors="replace")
    if files is fixtures:
        return text[:LONGEST]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return text[:LONGEST]
    if not body:
        return text[:LONGEST]
    lines = text.splitlines(keepends=True)
    start = rng.randrange(len(body))
    end = min(start + rng.randrange(1, 6), len(body)) - 1
    return "".join(lines[body[start].lineno - 1 : body[end].end_lineno])[:LONGEST]


def change_character(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(FRAGMENTS) + text[at + rng.randrange(3) :]


def delete_characters(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + text[at + rng.choice((1, 1, 2, 10, 100)) :]


def change_lines(rng: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(5)
    if kind == 0:
        lines[one], lines[other] = lines[other], lines[one]
    elif kind == 1:
        del lines[one]
    elif kind == 2:
        lines.insert(other, lines[one])
    elif kind == 3:
        lines[one] = rng.choice((" ", "    ", "\t", "\f")) + lines[one]
    else:
        lines[one] = lines[one].lstrip()
    return "".join(lines)


def change_tokens(rng: random.Random, text: str) -> str:
    words = text.split(" ")
    words[rng.randrange(len(words))] = rng.choice((rng.choice(words), rng.choice(FRAGMENTS)))
    return " ".join(words)


def repeat(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    part = rng.choice((rng.choice(FRAGMENTS), text[at : at + rng.randrange(1, 12)]))
    return text[:at] + part * rng.choice((2, 5, 30, 150, 600, 3_000)) + text[at:]


def add_new_syntax(rng: random.Random, text: str) -> str:
    """What every interpreter rejects and LibCST takes: the rest of the program goes through the conversion."""
    return rng.choice(("lazy import a\n", "type X[T] = f(T)\n", "x = t'{a}'\n", "try: a\nexcept B, C: d\n")) + text


MUTATIONS: tuple[Callable[[random.Random, str], str], ...] = (
    change_character,
    delete_characters,
    change_lines,
    change_tokens,
    add_new_syntax,
    add_new_syntax,
    repeat,
)


# ---------------------------------------------------------------- running


def run_batch(
    seed: int, skip: int, size: int, options: argparse.Namespace, at: Synchronized[int], results: object
) -> None:
    """Check the programs of a batch from number `skip` on, telling the parent before each which one it is."""
    sys.setrecursionlimit(RECURSION_LIMIT)
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as root:
        run = functools.partial(check, compare=options.compare) if options.parse else Analysis(Path(root))
        for number, text in enumerate(programs(seed, size)):
            if number < skip:
                continue
            at.value = number
            try:
                outcomes[run(text)] += 1
            except BaseException:
                outcomes["crashes"] += 1
                keep(options, seed, number, text)
                traceback.print_exc(limit=-4)
            finally:
                sys.stderr.flush()
    at.value = size
    results.put(outcomes)  # type: ignore[attr-defined]


def keep(options: argparse.Namespace, seed: int, number: int, text: str) -> None:
    path = Path(options.keep) / f"fuzz-crash-{seed}-{number}.py"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    print(f"crash: {path}", file=sys.stderr, flush=True)


def run_watched(seed: int, size: int, options: argparse.Namespace) -> Counter[str]:
    """Run a batch in a child process, and again from the next program on where it died or hung."""
    context = multiprocessing.get_context("spawn")
    outcomes: Counter[str] = Counter()
    skip = 0
    while skip < size:
        at, results = context.Value("i", -1), context.Queue()
        child = context.Process(target=run_batch, args=(seed, skip, size, options, at, results))
        child.start()
        last, since = -1, time.monotonic()
        while child.is_alive() and at.value < size:
            if at.value != last:
                last, since = at.value, time.monotonic()
            elif last >= 0 and time.monotonic() - since > PATIENCE:
                child.kill()
                child.join()
            child.join(0.2)
        if at.value == size:
            outcomes += results.get()
            child.join()
            break
        if at.value < 0:
            raise SystemExit("the process ended before the first program")
        bad = at.value
        print(f"the process ended with {child.exitcode}", file=sys.stderr)
        keep(options, seed, bad, list(programs(seed, size))[bad])
        outcomes["crashes"] += 1
        skip = bad + 1
    return outcomes


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000, help="programs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", default=".", help="directory for the programs that crash it")
    parser.add_argument("--compare", action="store_true", help="with --parse: compare with what LibCST makes of it")
    parser.add_argument("--parse", action="store_true", help="only parse")
    options = parser.parse_args()
    start = time.monotonic()
    total: Counter[str] = Counter()
    for first in range(0, options.count, BATCH):
        size = min(BATCH, options.count - first)
        total += run_watched(options.seed * 1_000_000 + first, size, options)
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(total.items()))
    print(
        f"{options.count} programs on Python {sys.version.split()[0]}: {counts}; {time.monotonic() - start:.0f} seconds"
    )
    return 1 if total["crashes"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
