"""Writes the pages that are made from code: `python -m prodready.docs`, or `--check` to see whether they are stale."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import fields
from enum import Enum
from pathlib import Path

from prodready.config import Config, keys
from prodready.report import rule_page
from prodready.rules import all_rules

_MADE = "<!-- Made by `python -m prodready.docs`; change the source, not this page. -->\n\n"

_CONFIGURATION = """\
# Configuration

One configuration for every surface: the command line, flake8, pre-commit. It stands in `prodready.toml`, or in
`pyproject.toml` under `[tool.prodready]`; the nearest one upward from a file counts for it. A directory below with a
configuration of its own is a project of its own. An unknown key or a bad value is an error that names file and key.

```toml
# pyproject.toml
[tool.prodready]
min-confidence = "high"
extend-exclude = ["legacy/"]

[tool.prodready.per-file-ignores]
"scripts/" = ["PRD301"]
```

In `prodready.toml` the keys stand at the top, without a table. The command line overrides the file: `--select` also
drops the file's `ignore`, `extend-select` and `extend-ignore`; `--extend-select` and `--extend-ignore` add to it. What
the command line says of a code outweighs what the file says of it.
Patterns are those of `.gitignore`, relative to the project's root.

The root is the nearest directory upward with such a configuration; else the one with `.git`; else the one with
`pyproject.toml`, `setup.cfg` or `setup.py`. Directories below it that are roots by the same rule are projects of their
own. Where there is no root, a directory is checked as a project, and a file together with the modules beside it and the
packages around and below it.

"""


def pages() -> dict[str, str]:
    """Every page by its path below `docs`."""
    rules = all_rules()
    made = {f"rules/{code}.md": _MADE + rule_page.markdown(rule) for code, rule in rules.items()}
    rows = [
        f"| [{rule.code}]({rule.code}.md) | {rule.slug} | {rule.severity.label} | {rule.stage} | {rule.title} |"
        for rule in rules.values()
    ]
    table = ["| Code | Name | Severity | Stage | Problem |", "|---|---|---|---|---|", *rows]
    made["rules/index.md"] = _MADE + "# Rules\n\n" + "\n".join(table) + "\n"
    made["configuration.md"] = _MADE + configuration()
    return made


def configuration() -> str:
    """The page about the configuration: every key with its meaning, its default and an example."""
    parts = [_CONFIGURATION]
    defaults = {field.name.replace("_", "-"): field.default for field in fields(Config)}
    for name, key in keys().items():
        default = "`{}`" if key.example.startswith("{") else _toml(defaults[name])
        parts.append(f"## `{name}`\n\n{key.doc}\n\nDefault: {default}\n\n")
        parts.append(f"```toml\n{name} = {key.example}\n```\n\n")
    return "".join(parts).rstrip() + "\n"


def _toml(value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, Enum):
        return f'`"{value.name.lower()}"`'
    if isinstance(value, tuple):
        items = ", ".join(f'"{item}"' for item in value)
        return f"`[{items}]`"
    return f'`"{value}"`'


def main(argv: Sequence[str] | None = None) -> int:
    """Write the pages, or with `--check` name those that are stale and return 1."""
    parser = ArgumentParser(prog="python -m prodready.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is stale")
    parser.add_argument("--directory", type=Path, default=Path("docs"), help="default: docs")
    arguments = parser.parse_args(argv)
    wanted = pages()
    stale = [
        arguments.directory / name
        for name, text in wanted.items()
        if not (arguments.directory / name).is_file() or (arguments.directory / name).read_text("utf-8") != text
    ]
    left_over = [
        page
        for page in sorted(arguments.directory.glob("rules/*.md"))
        if f"rules/{page.name}" not in wanted and page.read_text("utf-8").startswith(_MADE)
    ]
    if arguments.check:
        for page in (*stale, *left_over):
            print(f"{page}: stale; run `python -m prodready.docs`", file=sys.stderr)
        return 1 if stale or left_over else 0
    for page in stale:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(wanted[page.relative_to(arguments.directory).as_posix()], "utf-8")
    for page in left_over:
        page.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
