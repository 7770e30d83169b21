"""The cases in `fixtures/`: what each must report, by its comments, and what prodready reports on a copy of it."""

from __future__ import annotations

import importlib
import json
import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from unittest.mock import patch

from prodready import project
from prodready.config import Config
from prodready.engines import detect_secrets, worker
from prodready.finding import Finding, Report, RouteTable

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
MARK = re.compile(r"(?:#|//) (?P<kind>expect|may): (?P<codes>PRD\d{3}(?:, PRD\d{3})*)")

Place = tuple[str, int, str]
"""Path below the project's root, line, code."""


def cases(code: str, kind: str = "*") -> list[Path]:
    """The cases of a rule, each a file or a directory: `bad`, `ok`, or both."""
    return sorted(path for path in (FIXTURES / code).glob(f"{kind}_*") if path.is_dir() or path.suffix == ".py")


def copied(case: Path, to: Path) -> Path:
    """A project that holds a copy of the case and nothing else."""
    root = to / "project"
    if case.is_dir():
        shutil.copytree(case, root, ignore=shutil.ignore_patterns("node_modules", "__pycache__", ".*_cache"))
    else:
        root.mkdir()
        shutil.copy(case, root)
    (root / "setup.cfg").touch()  # what says that it is a project
    return root


def written(root: Path, **files: str) -> Path:
    """A project in `root` with these Python files; `__` in a name is a slash, but for that of `__init__`."""
    (root / "setup.cfg").touch()
    for name, text in files.items():
        start = "__init__" if name.endswith("__init__") else ""
        path = root / f"{name.removesuffix(start).replace('__', '/')}{start}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def routes_of(root: Path, **files: str) -> RouteTable:
    """The routes of a project that has these files."""
    root = written(root, **files)
    return project.Session(Config(root=root)).routes([root], project.Options(jobs=1, cache=False))


def marks(case: Path, kind: str = "expect") -> set[Place]:
    """What the comments in a case, or in all files of a project, say must be reported (`expect`) or may be (`may`)."""
    found = set()
    for path in sorted(case.rglob("*")) if case.is_dir() else [case]:
        name = path.relative_to(case).as_posix() if case.is_dir() else path.name
        for number, line in enumerate(_text(path).split("\n"), 1):
            for mark in MARK.finditer(line):
                if mark["kind"] == kind:
                    found |= {(name, number, code) for code in mark["codes"].split(", ")}
    return found


def checked(root: Path) -> Report:
    """What prodready says of the project with all rules of its own, by default."""
    config = Config(root=root, engines=("semgrep", "detect-secrets"))
    with patch.object(detect_secrets, "is_on", lambda config: True), patch.object(worker, "Process", _InProcess):
        return project.check(config, [root], project.Options(jobs=1, cache=False))


class _InProcess:
    """Stands for the process of a library, which would take longer to start than a case to check."""

    def __init__(self, command: Sequence[str], *_: object) -> None:
        self._module, self._job = command[4:6]

    def result(self) -> tuple[int, bytes, str]:
        """Exit code, output, complaint."""
        examined = importlib.import_module(self._module).examined
        return 0, json.dumps(examined(json.loads(Path(self._job).read_text("utf-8")))).encode(), ""

    def stop(self) -> None:
        """There is nothing to end."""


def differences(expected: set[Place], allowed: set[Place], findings: Iterable[Finding]) -> list[str]:
    """One line for each thing that is missing and for each that should not be there."""
    reported = {(f.location.path, f.location.line, f.code): f for f in findings}
    missing = [f"{path}:{line}: {code} is missing" for path, line, code in expected - reported.keys()]
    surplus = [
        f"{path}:{line}: {code} is not expected: {reported[path, line, code].message}"
        for path, line, code in reported.keys() - expected - allowed
    ]
    return sorted(missing + surplus)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""  # a directory or a picture
