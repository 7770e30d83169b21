"""One configuration, found upward from the file that is checked and read by every surface.

The fields of `Config` that carry a `Key` are what a user writes, in kebab-case;
`docs/configuration.md` is made of them.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from prodready import config_values as values
from prodready.config_values import Key, nearest, type_name
from prodready.finding import Confidence, Finding, Severity
from prodready.globs import compiled
from prodready.patterns import NO_PATTERNS, Patterns
from prodready.patterns import load as load_patterns

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE_NAME = "prodready.toml"
PACKAGE = "__init__.py"
DEFAULT_BASELINE = ".prodready/baseline.jsonl"
_REPOSITORY = (".git",)
_PROJECT = ("pyproject.toml", "setup.cfg", "setup.py")
DEFAULT_EXCLUDE = (
    ".git", ".hg", ".svn", ".tox", ".nox", ".venv", "venv", "node_modules", "site-packages", "__pycache__", ".eggs",
    "build", "dist", "vendor", "vendored", "third_party", ".mypy_cache", ".pytest_cache", ".ruff_cache",
    ".prodready_cache",
)  # fmt: skip


class ConfigError(Exception):
    """A configuration that cannot be used; its text is one line that names the file and the key.

    `path` is None for what came from the command line.
    """

    def __init__(self, path: Path | None, key: str, message: str) -> None:
        self.path = path
        self.key = key
        self.message = message
        where = shown(path) if path else "command line"
        super().__init__(" ".join(f"{where}: {f'{key}: ' if key else ''}{message}".split()))


@dataclass(frozen=True)
class Config:
    """What to check and how, for one project. `source` is the file it came from, if there is one."""

    root: Path
    source: Path | None = None
    patterns: Patterns = NO_PATTERNS
    own_selected: bool = True
    """Whether the project's own patterns are reported as long as nobody says otherwise: not after `--select`."""
    select: Annotated[
        tuple[str, ...],
        Key(
            values.codes,
            "Rules to report, by code or prefix. The longest match wins. `B` stands for those of Bandit's tests that are on "
            "by default; the others are selected by their codes, or by longer prefixes such as `B1`.",
            '["PRD3", "PRD401"]',
        ),
    ] = ("PRD", "B")
    ignore: Annotated[
        tuple[str, ...],
        Key(values.codes, "Rules not to report. Wins over a `select` of the same length.", '["PRD301"]'),
    ] = ()
    extend_select: Annotated[
        tuple[str, ...],
        Key(values.codes, "Rules to report besides those of `select`.", '["PRD401"]'),
    ] = ()
    extend_ignore: Annotated[
        tuple[str, ...],
        Key(values.codes, "Rules not to report besides those of `ignore`.", '["PRD4"]'),
    ] = ()
    min_confidence: Annotated[
        Confidence,
        Key(values.confidence, "Leave out what the analysis is less sure of: `low`, `medium` or `high`.", '"high"'),
    ] = Confidence.MEDIUM
    min_severity: Annotated[
        Severity,
        Key(values.severity, "Leave out what is less grave: `info`, `warning` or `error`.", '"warning"'),
    ] = Severity.INFO
    exclude: Annotated[
        tuple[str, ...],
        Key(
            values.strings,
            "Files and directories not to read, as patterns in the form of `.gitignore`. Replaces the default. "
            "A directory that holds a `pyvenv.cfg` is never read.",
            '["legacy/", "scripts/*.py"]',
        ),
    ] = DEFAULT_EXCLUDE
    extend_exclude: Annotated[
        tuple[str, ...],
        Key(
            values.strings, "More patterns after those of `exclude`; `!vendor/` takes one back.", '["!vendor/", "old/"]'
        ),
    ] = ()
    respect_gitignore: Annotated[
        bool,
        Key(values.boolean, "Leave out what `.gitignore` files and `.git/info/exclude` name.", "false"),
    ] = True
    per_file_ignores: Annotated[
        tuple[tuple[str, tuple[str, ...]], ...],
        Key(values.per_file, "Rules not to report in the files that a pattern matches.", '{ "scripts/" = ["PRD301"] }'),
    ] = ()
    knowledge: Annotated[
        tuple[str, ...],
        Key(values.strings, "Your own knowledge files, relative to the file that names them.", '["lint/our-orm.toml"]'),
    ] = ()
    semgrep: Annotated[
        tuple[str, ...],
        Key(
            values.strings,
            "Your own semgrep patterns: files, folders or globs, relative to the file that names them. The `id` of a rule "
            "is its code; they are reported unless `ignore` or `--select` says otherwise.",
            '["lint/*.yaml"]',
        ),
    ] = ()
    engines: Annotated[
        tuple[str, ...],
        Key(
            values.engines,
            "Other analysers that run inside of a check, where they are installed: see [engines](engines.md).",
            '["detect-secrets"]',
        ),
    ] = values.ENGINES
    severity: Annotated[
        tuple[tuple[str, Severity], ...],
        Key(
            values.grades,
            "How grave the findings of a rule are: `info`, `warning` or `error`, by code or prefix. The longest match wins.",
            '{ B506 = "error", PRD401 = "info" }',
        ),
    ] = ()
    same_as: Annotated[
        tuple[tuple[str, tuple[str, ...]], ...],
        Key(
            values.same,
            "Which rules speak of the same weakness as one of Bandit's tests or a pattern of yours: where both speak of one "
            "line, that of these rules remains and names the other. Replaces what is known of the test; `[]` keeps both.",
            '{ B602 = ["PRD301"], B608 = [] }',
        ),
    ] = ()
    require_reason: Annotated[
        bool,
        Key(values.boolean, "Report a `# prodready: ignore[...]` comment that does not say why.", "false"),
    ] = True
    test_paths: Annotated[
        tuple[str, ...],
        Key(
            values.strings,
            "What is test code, where most rules are silent. Replaces the default.",
            '["tests/", "e2e/"]',
        ),
    ] = (
        "tests/",
        "test/",
        "testing/",
        "test_*.py",
        "*_test.py",
        "tests.py",
        "*_tests.py",
        "conftest.py",
        "mock/",
        "mocks/",
        "e2e/",
        "e2e_tests/",
        "e2etests/",
        "*_mock/",
        "features/steps/",
        "*-steps.py",
    )
    migration_paths: Annotated[
        tuple[str, ...],
        Key(
            values.strings, "What is a migration, where some rules are silent. Replaces the default.", '["db/changes/"]'
        ),
    ] = ("migrations/", "**/alembic/versions/")
    generated_paths: Annotated[
        tuple[str, ...],
        Key(
            values.strings,
            "What is generated code, besides files that say so in their first lines; most rules are silent there. "
            "Replaces the default.",
            '["client/api/"]',
        ),
    ] = ("*_pb2.py", "*_pb2_grpc.py")
    baseline: Annotated[
        str,
        Key(
            values.path,
            "The file of known findings, relative to the project's root. It must be there if it is named here.",
            '"lint/baseline.jsonl"',
        ),
    ] = DEFAULT_BASELINE
    cache_dir: Annotated[
        str,
        Key(
            values.path,
            "Where to keep what was read, in the repository, relative to the project's root; a directory of its own.",
            '".cache/prodready"',
        ),
    ] = ".prodready_cache"
    jobs: Annotated[
        int | None,
        Key(values.count, "How many processes to use; one for each CPU if not set.", "2"),
    ] = None

    @property
    def cache_path(self) -> Path:
        """The directory of the cache, absolute."""
        return self.root / self.cache_dir

    def enabled(self, code: str) -> bool:
        """Whether the rule is selected: the longest matching code or prefix decides, `ignore` wins a draw."""
        least = 1 if self.own_selected and code in self.patterns.rules else 0
        return _is_enabled(code, self.select + self.extend_select, self.ignore + self.extend_ignore, least)

    def enabled_in(self, code: str, path: str) -> bool:
        """Whether the rule is selected for the file `path` (relative to the root), `per-file-ignores` considered."""
        return self.enabled(code) and not any(
            code.startswith(prefixes) and compiled((glob,)).covers(path) for glob, prefixes in self.per_file_ignores
        )

    def graded(self, finding: Finding) -> Severity:
        """How grave the finding is, by the configuration or else by itself."""
        fitting = [(len(prefix), level) for prefix, level in self.severity if finding.code.startswith(prefix)]
        return max(fitting)[1] if fitting else finding.severity

    def shows(self, finding: Finding) -> bool:
        """Whether the finding is to be shown: its rule selected, its severity and confidence high enough."""
        return (
            finding.severity >= self.min_severity
            and finding.confidence >= self.min_confidence
            and self.enabled_in(finding.code, finding.location.path)
        )


@cache
def keys() -> dict[str, Key]:
    """The keys of the configuration file, as written there."""
    hints = get_type_hints(Config, include_extras=True)
    return {
        name.replace("_", "-"): hint.__metadata__[0] for name, hint in hints.items() if hasattr(hint, "__metadata__")
    }


@lru_cache(maxsize=1024)
def _is_enabled(code: str, selected: tuple[str, ...], ignored: tuple[str, ...], least: int) -> bool:
    """Whether more speaks for the rule than against it; asked of each rule for each file."""
    chosen = _longest(code, tuple(p for p in selected if p != "B") if values.is_quiet(code) else selected)
    return max(chosen, least) > _longest(code, ignored)


def _longest(code: str, prefixes: tuple[str, ...]) -> int:
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=0)


def shown(path: Path) -> str:
    """The path as a person would write it: relative to the current directory if it lies below."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):
        return str(path)


def find_root(path: Path) -> Path:
    """The project the file or directory belongs to.

    The nearest directory upward with a configuration of ours; else with `.git`; else with a Python project file;
    else, for want of a project, the directory itself, or the one that holds the package it is part of.
    """
    path = path.absolute()
    start = path if os.path.isdir(path) else path.parent
    upward = (start, *start.parents)
    for directory in upward:
        if holds_config(directory):
            return directory
    for marks in (_REPOSITORY, _PROJECT):
        for directory in upward:
            if _has(directory, marks):
                return directory
    return start if start == path else next(place for place in upward if not (place / PACKAGE).is_file())


def repository(directory: Path) -> Path | None:
    """The top of the git repository that holds the directory; None if none does."""
    return next((place for place in (directory, *directory.parents) if _has(place, _REPOSITORY)), None)


def is_ours(root: Path, place: Path) -> bool:
    """Whether a path, links followed, lies in the repository of the project at `root`, or in the project.

    What a branch brings must not make the tool read other files of the machine that checks it.
    """
    top = os.path.realpath(repository(root) or root)
    return Path(os.path.realpath(place)).is_relative_to(top)


def is_project(root: Path) -> bool:
    """Whether something in the directory that `find_root` gave says that it is a project."""
    return holds_config(root) or _has(root, _REPOSITORY + _PROJECT)


def inner_marks(root: Path) -> frozenset[str]:
    """Names of which one makes a directory below the project `root` a project of its own, as `find_root` sees it.

    A directory with a configuration of ours is one in any case.
    """
    if holds_config(root):
        return frozenset()
    return frozenset(_REPOSITORY if _has(root, _REPOSITORY) else _REPOSITORY + _PROJECT)


def marks_project(marks: Iterable[str], names: Collection[str]) -> bool:
    """Whether one of the marks is among the names of a directory's entries, not counting a package's module `setup`."""
    return any(name in names and not (name == "setup.py" and PACKAGE in names) for name in marks)


def _has(directory: Path, names: Iterable[str]) -> bool:
    names = tuple(names)
    return marks_project(names, {name for name in (*names, PACKAGE) if os.path.exists(directory / name)})


def holds_config(directory: Path) -> bool:
    """Whether the directory has a `prodready.toml`, or a `pyproject.toml` with a table for us."""
    return os.path.isfile(directory / FILE_NAME) or _speaks_to_us(directory / "pyproject.toml")


def _speaks_to_us(pyproject: Path) -> bool:
    try:
        data = pyproject.read_bytes()
    except OSError:
        return False
    if b"prodready" not in data:
        return False
    try:
        table = tomllib.loads(data.decode("utf-8-sig"))
    except ValueError:
        # Broken TOML is for `load` to report, if the table was meant for us.
        return b"tool.prodready" in data
    tool = table.get("tool")
    return isinstance(tool, dict) and "prodready" in tool


def load(
    root: Path,
    overrides: Mapping[str, object] | None = None,
    *,
    file: Path | None = None,
    isolated: bool = False,
) -> Config:
    """The configuration of the project at `root`; raises ConfigError.

    `overrides` are keys in the form of the file, from the command line. They replace the file's, except that
    `extend-...` adds to it, and that `select` also drops the `ignore` and `extend-...` of the file. What is selected or
    ignored there is so whatever the file says of the same code or of longer ones.
    `file` is read in place of what the root holds; `isolated` reads nothing.
    """
    root = root.absolute()
    source = None if isolated else file.absolute() if file else _config_file(root)
    if source and not file and not is_ours(root, source):
        raise ConfigError(
            source, "", "is a link that leads out of the repository; name it with --config if that is meant"
        )
    table = _read_table(source) if source else {}
    words = _parsed({key: table[key] for key in ("semgrep",) if key in table}, source).get("semgrep", ())
    if source and not file:
        _stay_inside(root, source, {"semgrep": words})
    ours = (lambda place: True) if file else (lambda place: is_ours(root, place))
    patterns = load_patterns(source.parent, words, ours) if source and words else NO_PATTERNS
    parsed = _parsed(table, source, patterns.rules)
    if source and source.parent != root and "knowledge" in parsed:
        parsed["knowledge"] = tuple(str(source.parent / path) for path in parsed["knowledge"])
    if source and not file:
        _stay_inside(root, source, parsed)
    given = _parsed(overrides or {}, None, patterns.rules)
    if "select" in given:
        for name in ("ignore", "extend_select", "extend_ignore"):
            parsed.pop(name, None)
    _yield(parsed, given, ("select", "extend_select"), to=("ignore", "extend_ignore"))
    _yield(parsed, given, ("ignore", "extend_ignore"), to=("select", "extend_select"))
    for name, value in given.items():
        parsed[name] = parsed.get(name, ()) + value if name.startswith("extend_") else value
    found = Config(root=root, source=source, patterns=patterns, own_selected="select" not in given, **parsed)
    if not file and "cache_dir" not in given and not is_ours(root, found.cache_path):
        raise ConfigError(
            found.cache_path,
            "",
            "the cache would lie outside of the repository; name it with --cache-dir if that is meant",
        )
    if not file and not isolated and not is_ours(root, root / found.baseline):
        raise ConfigError(root / found.baseline, "", "is a link that leads out of the repository")
    return found


def _stay_inside(root: Path, source: Path, parsed: Mapping[str, Any]) -> None:
    for key in ("knowledge", "baseline", "semgrep"):
        named = parsed.get(key, ())
        for path in (named,) if isinstance(named, str) else named:
            if not is_ours(root, source.parent / path):
                advice = "a file with this key can be named with --config"
                raise ConfigError(source, key, f"{path!r} lies outside of the repository; {advice}")


def _yield(parsed: dict[str, Any], given: Mapping[str, Any], names: Sequence[str], to: Sequence[str]) -> None:
    """Drop from the file's keys `names` the codes that the command line's keys `to` speak of."""
    prefixes = tuple(code for name in to for code in given.get(name, ()))
    for name in names:
        if name in parsed:
            parsed[name] = tuple(code for code in parsed[name] if not code.startswith(prefixes))


def _config_file(root: Path) -> Path | None:
    ours, pyproject = root / FILE_NAME, root / "pyproject.toml"
    in_pyproject = _speaks_to_us(pyproject)
    if not os.path.isfile(ours):
        return pyproject if in_pyproject else None
    if in_pyproject:
        raise ConfigError(ours, "", "pyproject.toml beside it has a [tool.prodready] table too: keep one of the two")
    return ours


def _read_table(source: Path) -> dict[str, object]:
    try:
        table: dict[str, Any] = tomllib.loads(source.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError(source, "", f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(source, "", f"is not UTF-8: byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at (line \d+, column \d+|end of document)\)$", str(error))
        message = str(error)[: place.start()] if place else str(error)
        raise ConfigError(source, place[1] if place else "", f"not TOML: {message}") from None
    if source.name == "pyproject.toml":
        tool = table.get("tool")
        table = tool.get("prodready", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise ConfigError(source, "tool.prodready", f"must be a table, not {type_name(table)}")
    return table


def check_command_line(overrides: Mapping[str, object]) -> None:
    """Raises ConfigError for what is wrong with these overrides in every project."""
    _parsed(overrides, None, None)


def _parsed(table: Mapping[str, object], source: Path | None, own: Collection[str] | None = ()) -> dict[str, Any]:
    """The table's values by field name, checked; `own` are the codes of the project's patterns, None if not known."""
    parsed = {}
    for key, raw in table.items():
        label = key if source else f"--{key}"
        if key not in keys():
            if source and source.name == FILE_NAME and key == "tool" and isinstance(raw, dict) and "prodready" in raw:
                raise ConfigError(source, "tool.prodready", "in this file the keys stand at the top, without a table")
            hint = nearest(key.replace("_", "-"), keys())
            raise ConfigError(source, label, f"unknown key{hint or '; the keys are ' + ', '.join(sorted(keys()))}")
        try:
            parsed[key.replace("-", "_")] = values.checked(keys()[key], raw, own)
        except ValueError as error:
            raise ConfigError(source, label, str(error)) from None
    return parsed
