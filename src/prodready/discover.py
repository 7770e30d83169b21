"""Which files a project consists of, its front end's included, and what kind each is.

Directories are left out by the configuration's patterns, by git's ignore files, because they are virtual environments,
or because they are projects of their own. A file or directory that someone names is read in spite of all that.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from prodready.config import PACKAGE, Config, holds_config, inner_marks, is_ours, is_project, marks_project, repository
from prodready.finding import Problem
from prodready.globs import Globs, compiled
from prodready.ignore import GitIgnore, above

ENDINGS = (".py",)
"""Of the files that a project consists of."""

NO_KINDS: frozenset[str] = frozenset()
_PROJECT_FILES = frozenset({"prodready.toml", "pyproject.toml"})
_HEADER = re.compile(
    rb"""(?:\s+|\#[^\n]*|//[^\n]*|/\*.*?\*/|<!--.*?-->|[rRuU]?(?:\"{3}.*?(?:\"{3}|\Z)|'{3}.*?(?:'{3}|\Z)))*""",
    re.DOTALL,
)
_GENERATED = re.compile(
    rb"(?<![\w.])@generated\b|DO NOT (?:EDIT|MODIFY)"
    rb"|(?i:\b(?:auto-?generated|generated (?:automatically|by|from))\b[^\n]{0,200}\bdo not (?:edit|modify|change))"
)
WEB = (
    ".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".vue", ".svelte",
    ".html", ".htm", ".jinja", ".jinja2", ".j2", ".djhtml",
)  # fmt: skip
"""What the names of the files of a front end end with."""

TEXTS = (
    *("*.yml", "*.yaml", "*.toml", "*.json", "*.ini", "*.cfg", "*.conf", "*.sh", "*.env", ".env*"),
    *("*Dockerfile*", "*Containerfile*", "Procfile"),
)
"""Other files, as patterns, that some analyser may want."""

WEB_SETTINGS = frozenset({"tsconfig.json", "jsconfig.json", "package.json"})
"""Files that say what the names of modules stand for there."""

_WEB_TESTS = re.compile(r"\.(?:test|spec|stories|cy|e2e)\.\w+$|(?:^|/)(?:__tests__|__mocks__|cypress|e2e)/")
_SHEBANG = re.compile(rb"#!.*\bpython[0-9.]*\b")


@dataclass(frozen=True, order=True)
class SourceFile:
    """A file: its path relative to the root, with forward slashes, and its kinds as far as the path tells."""

    path: str
    kinds: frozenset[str] = field(default=NO_KINDS, compare=False)


class Walk(msgspec.Struct, frozen=True):
    """What a walk found: the files in order, projects within the project, and what could not be looked into.

    `files` are Python; `others` are files that are not, of those that the caller wants.
    `web` are the paths of the files of a front end, tests left out.
    """

    files: tuple[SourceFile, ...] = ()
    others: tuple[SourceFile, ...] = ()
    problems: tuple[Problem, ...] = ()
    nested: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    web: tuple[str, ...] = ()


Wanted = Callable[[str], bool]
"""Whether a file that is not Python is wanted, by its name without the directory."""


def _nothing(name: str) -> bool:
    return False


def walk(config: Config, targets: Sequence[Path] = (), wanted: Wanted = _nothing) -> Walk:
    """The project's files, and those of `targets` (absolute, below the root) that the walk alone would leave out.

    Where nothing says that the root is a project, only the modules in it and the packages below are taken for one:
    nobody who checks a script wants their home directory read.
    """
    walker = _Walker(config, wanted)
    walker.descend(config.root, only_packages=config.root not in targets and not is_project(config.root))
    for target in targets:
        if target.is_dir():
            if walker.path_of(target) not in walker.seen:
                walker.descend(target)
        elif target.is_file():
            walker.name(target)
    return walker.result()


def excluded(config: Config, path: Path) -> bool:
    """Whether a walk leaves out the absolute path below the root, itself or for a directory above it."""
    return Exclusion(config).leaves_out(path)


class Exclusion:
    """What a walk leaves out, for paths asked about one by one; each directory on the way is judged once."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._excludes = compiled(config.exclude + config.extend_exclude)
        ignore, self._prefix = above(config.root, config.root) if config.respect_gitignore else (GitIgnore(), "")
        self._judged = {"": (self._enter(ignore, ""), False)}

    def leaves_out(self, path: Path) -> bool:
        """Whether the absolute path below the root is left out."""
        relative = "/".join(path.relative_to(self._config.root).parts)
        if path.is_dir():
            return self._directory(relative)[1]
        parent, _, name = relative.rpartition("/")
        ignore, out = self._directory(parent)
        return out or self._matches(ignore, relative, name, False)

    def _directory(self, relative: str) -> tuple[GitIgnore, bool]:
        """The ignore files that count inside the directory, and whether it is left out."""
        if relative not in self._judged:
            parent, _, name = relative.rpartition("/")
            ignore, out = self._directory(parent)
            out = (
                out
                or self._matches(ignore, relative, name, True)
                or (self._config.root / relative / "pyvenv.cfg").is_file()
            )
            self._judged[relative] = (ignore if out else self._enter(ignore, relative), out)
        return self._judged[relative]

    def _matches(self, ignore: GitIgnore, relative: str, name: str, directory: bool) -> bool:
        return bool(self._excludes.decide(relative, name, directory)) or ignore.ignores(
            _join(self._prefix, relative), name, directory
        )

    def _enter(self, ignore: GitIgnore, relative: str) -> GitIgnore:
        if not self._config.respect_gitignore:
            return ignore
        return ignore.enter(self._config.root / relative, _join(self._prefix, relative))


def kind(config: Config, path: str) -> frozenset[str]:
    """What the root-relative path says of the file: any of `tests`, `migrations`, `generated`."""
    return frozenset(name for name, globs in _kind_globs(config) if globs.covers(path))


def is_web(config: Config, path: str) -> bool:
    """Whether the root-relative path names a file of the front end, tests and what is left out not counted."""
    if not path.endswith(WEB) or _WEB_TESTS.search(path) or "tests" in kind(config, path):
        return False
    return not excluded(config, config.root / path)


def is_generated(head: bytes) -> bool:
    """Whether the comments or the docstring at the start of a file, in Python or not, say that a program wrote it."""
    opening = head[:4096].removeprefix(b"\xef\xbb\xbf")
    header = _HEADER.match(opening)
    return bool(header and _GENERATED.search(header[0]))


def is_python(path: Path) -> bool:
    """Whether a file that someone names is Python: by its ending, or by its first line if it has no ending."""
    if path.suffix:
        return path.suffix == ".py"
    try:
        with path.open("rb") as stream:
            return bool(_SHEBANG.match(stream.readline(200)))
    except OSError:
        return False


def _kind_globs(config: Config) -> tuple[tuple[str, Globs], ...]:
    return (
        ("tests", compiled(config.test_paths)),
        ("migrations", compiled(config.migration_paths)),
        ("generated", compiled(config.generated_paths)),
    )


def _join(directory: str, name: str) -> str:
    return f"{directory}/{name}" if directory and name else directory or name


class _Walker:
    def __init__(self, config: Config, wanted: Wanted) -> None:
        self.root = str(config.root)
        self.config = config
        self.wanted = wanted
        self.inner_marks = inner_marks(config.root)
        self.excludes = compiled(config.exclude + config.extend_exclude)
        self.kinds = _kind_globs(config)
        self.files: dict[str, SourceFile] = {}
        self.others: dict[str, SourceFile] = {}
        self.web: list[str] = []
        self.seen: set[str] = set()
        self.links: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.nested: list[Path] = []
        self.notes: list[str] = []

    def path_of(self, place: Path | str) -> str:
        """Relative to the root, with forward slashes; empty for the root."""
        relative = os.path.relpath(place, self.root).replace(os.sep, "/")
        return "" if relative == "." else relative

    def descend(self, start: Path, only_packages: bool = False) -> None:
        """Collect the files below a directory, whatever the rules say of the directory itself."""
        ignore, prefix = above(start, self.config.root) if self.config.respect_gitignore else (GitIgnore(), "")
        # From the root's relative paths to those of the repository's top: the start has the same place in both.
        path = self.path_of(start)
        cut = len(path) + 1 if path else 0
        stack = [(str(start), path, ignore, kind(self.config, f"{path}/-") if path else NO_KINDS)]
        while stack:
            place, path, ignore, kinds = stack.pop()
            if path in self.seen:
                continue
            entries = self._entries(place, path)
            names = {entry.name for entry in entries}
            if path and place != str(start):
                if "pyvenv.cfg" in names:
                    self.notes.append(f"{path}: a virtual environment, not read")
                    continue
                if marks_project(self.inner_marks, names) or (names & _PROJECT_FILES and holds_config(Path(place))):
                    self.nested.append(Path(place))
                    continue
                if only_packages and PACKAGE not in names:
                    continue
            self.seen.add(path)
            if self.config.respect_gitignore and ".gitignore" in names:
                ignore = ignore.enter(place, _join(prefix, path[cut:]))
            for entry, relative, directory in self._kept(entries, path, prefix, cut, ignore):
                if directory:
                    stack.append((entry.path, relative, ignore, self._kinds(kinds, relative, entry.name, True)))
                    continue
                self._take_web(entry, relative, kinds)
                if entry.is_symlink() and (entry.name.endswith(".py") or self.wanted(entry.name)):
                    self.links[relative] = entry.path
                elif not entry.name.endswith(".py"):
                    self._take_other(entry, relative, kinds)
                else:
                    self.files[relative] = SourceFile(relative, self._kinds(kinds, relative, entry.name, False))

    def _take_other(self, entry: os.DirEntry[str], path: str, kinds: frozenset[str]) -> None:
        if self.wanted(entry.name):
            self.others[path] = SourceFile(path, self._kinds(kinds, path, entry.name, False))

    def _take_web(self, entry: os.DirEntry[str], path: str, kinds: frozenset[str]) -> None:
        if entry.is_symlink() or not (entry.name.endswith(WEB) or entry.name in WEB_SETTINGS):
            return
        if not _WEB_TESTS.search(path) and "tests" not in self._kinds(kinds, path, entry.name, False):
            self.web.append(path)

    def name(self, file: Path) -> None:
        """Add a file that someone asked for."""
        path = self.path_of(file)
        if path in self.files or path in self.others:
            return
        if is_python(file):
            self.files[path] = SourceFile(path, kind(self.config, path))
        elif self.wanted(file.name):
            self.others[path] = SourceFile(path, kind(self.config, path))
        else:
            self.notes.append(f"{path}: not a Python file, not read")

    def result(self) -> Walk:
        taken = {*self.files, *self.others}
        in_repository = repository(self.config.root) is not None
        for path, place in sorted(self.links.items()):
            # A link to a file that is read under another name would report everything twice.
            target = self.path_of(os.path.realpath(place))
            if in_repository and target.startswith("../") and not is_ours(self.config.root, Path(place)):
                self.notes.append(f"{path}: a link that leads out of the repository, not read")
            elif target not in taken:
                taken.add(target)
                found = self.files if path.endswith(".py") else self.others
                found[path] = SourceFile(path, kind(self.config, path))
        files, others = tuple(sorted(self.files.values())), tuple(sorted(self.others.values()))
        nested, web = tuple(sorted(self.nested)), tuple(sorted(set(self.web)))
        return Walk(files, others, tuple(self.problems), nested, tuple(self.notes), web)

    def _entries(self, place: str, path: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(place) as entries:
                return list(entries)
        except OSError as error:
            why = error.strerror or str(error)
            self.problems.append(Problem(f"the directory cannot be read: {why}", path or "."))
            return []

    def _kept(
        self, entries: list[os.DirEntry[str]], path: str, prefix: str, cut: int, ignore: GitIgnore
    ) -> Iterator[tuple[os.DirEntry[str], str, bool]]:
        """Files of Python and of a front end, files that are wanted, and directories, unless a pattern leaves them out."""
        for entry in entries:
            name = entry.name
            relative = _join(path, name)
            directory = entry.is_dir(follow_symlinks=False)
            known = name.endswith((".py", *WEB)) or name in WEB_SETTINGS or self.wanted(name)
            if not directory and not (known and self._is_file(entry, relative)):
                continue
            if self.excludes.decide(relative, name, directory):
                if directory and not name.startswith((".", "__pycache__")):
                    self.notes.append(f"{relative}/: excluded by the configuration, not read")
            elif ignore.ignores(_join(prefix, relative[cut:]), name, directory):
                if directory:
                    self.notes.append(f"{relative}/: ignored by git, not read")
            else:
                yield entry, relative, directory

    def _is_file(self, entry: os.DirEntry[str], path: str) -> bool:
        try:
            return entry.is_file()
        except OSError as error:
            # Only a link that leads round in a circle gets here; one that leads nowhere is no file.
            self.notes.append(f"{path}: not read: {error.strerror or error}")
            return False

    def _kinds(self, inherited: frozenset[str], path: str, name: str, directory: bool) -> frozenset[str]:
        own = [label for label, globs in self.kinds if globs.decide(path, name, directory)]
        return inherited.union(own) if own else inherited
