"""What holds for every rule, knowledge entry, configuration key and module, also for those to come."""

from __future__ import annotations

import ast
import builtins
import importlib
import json
import pkgutil
import re
import sys
import textwrap
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest
from cases import FIXTURES, cases, checked, marks

from prodready import config, docs, knowledge, knowledge_form, rules
from prodready.cli import main
from prodready.config import Config
from prodready.fix.bind_parameters import STYLES
from prodready.read.values import OPERATIONS
from prodready.rules import Rule, all_rules
from prodready.rules.base import SECTIONS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = FIXTURES.parent
README = (ROOT / "README.md").read_text("utf-8")
PACKAGE = ROOT / "src" / "prodready"
RULE_MODULES = sorted(info.name for info in pkgutil.iter_modules(rules.__path__) if info.name != "base")
RULES = list(all_rules().values())
EVERY_RULE = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
OUR_RULES = [rule for rule in RULES if rule.engine != "semgrep"]
EVERY_RULE_OF_OURS = pytest.mark.parametrize("rule", OUR_RULES, ids=lambda rule: rule.code)
"""Those that semgrep judges have their cases beside its patterns: `tests/engines`."""

FEWEST = {
    "PRD301": (25, 50),
    "PRD401": (25, 50),
    "PRD302": (30, 60),
    "PRD101": (15, 30),
    "PRD102": (10, 20),
    "PRD502": (10, 20),
}
FEWEST_OF_OTHERS = (8, 12)
FEWEST_OF_OUR_OWN = (5, 4)
"""How many bad and ok cases a rule needs: the core rules, their companions, and those about comments."""


def sources() -> dict[str, ast.Module]:
    """The modules of the package by their dotted names."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = ast.parse(path.read_text("utf-8"))
    return found


MODULES = sources()


# ---- rules


def test_codes_and_slugs_are_unique_and_well_formed() -> None:
    declared: list[Rule] = [importlib.import_module(f"prodready.rules.{name}").rule for name in RULE_MODULES]
    assert [code for code, times in Counter(rule.code for rule in declared).items() if times > 1] == []
    assert [rule.code for rule in declared if not re.fullmatch(r"PRD\d{3}", rule.code)] == []
    assert [rule.slug for rule in declared] == [name.replace("_", "-") for name in RULE_MODULES]
    assert set(all_rules()) == {rule.code for rule in declared}


@EVERY_RULE
def test_the_docstring_has_every_section(rule: Rule) -> None:
    sections = rule.sections()
    assert list(sections) == ["", *SECTIONS]
    assert [name for name, text in sections.items() if not text.strip()] == []
    first = rule.doc.strip().split("\n", 1)[0]
    assert first.endswith(".")
    assert len(first) <= 100


@EVERY_RULE
def test_a_rule_says_where_it_can_report(rule: Rule) -> None:
    assert rule.needles
    assert [needle for needle in rule.needles if needle != needle.lower()] == []
    assert rule.skip <= {"tests", "migrations", "generated"}


def example(rule: Rule, section: str) -> str:
    """The code of a section as a module."""
    return textwrap.dedent(rule.sections()[section]) + "\n"


PAGE = re.compile(r"^# (?P<name>[\w.]+):\n(?P<text>(?:#   .*\n)+)", re.MULTILINE)
"""A page that an example needs, in comments."""


def write_example(rule: Rule, section: str, folder: Path) -> str:
    """Put the code of a section, and the pages that stand in its comments, into files, and return the code."""
    code = example(rule, section)
    (folder / rule.example).write_text(code)
    for page in PAGE.finditer(code):
        (folder / page["name"]).write_text(re.sub(r"^#   ", "", page["text"], flags=re.MULTILINE))
    return code


@EVERY_RULE
def test_every_bad_example_is_reported(rule: Rule, tmp_path: Path) -> None:
    code = write_example(rule, "Bad", tmp_path)
    report = checked(tmp_path)
    assert report.problems == ()
    lines = {finding.location.line for finding in report.findings if finding.code == rule.code}
    if not rule.example.endswith(".py"):
        assert lines
        return
    silent = [
        ast.unparse(node)
        for node in ast.parse(code).body
        if not isinstance(node, (ast.Import, ast.ImportFrom))
        and not lines & set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    ]
    assert silent == []


@EVERY_RULE
def test_no_good_example_is_reported(rule: Rule, tmp_path: Path) -> None:
    write_example(rule, "Good", tmp_path)
    report = checked(tmp_path)
    assert report.problems == ()
    assert [f"{f.location.line}: {f.message}" for f in report.findings if f.code == rule.code] == []


# ---- fixtures


@EVERY_RULE_OF_OURS
def test_a_rule_has_enough_cases(rule: Rule) -> None:
    bad, ok = FEWEST.get(rule.code, FEWEST_OF_OTHERS) if rule.check or rule.engine else FEWEST_OF_OUR_OWN
    assert len(cases(rule.code, "bad")) >= bad
    assert len(cases(rule.code, "ok")) >= ok
    named = [*cases(rule.code, "bad"), *cases(rule.code, "ok")]
    left_over = {path for path in (FIXTURES / rule.code).iterdir() if path.name != "__pycache__"}.difference(named)
    assert left_over == set()


@EVERY_RULE_OF_OURS
def test_bad_cases_expect_the_rule_and_ok_cases_do_not(rule: Rule) -> None:
    expecting = {case for case in cases(rule.code) if any(code == rule.code for _, _, code in marks(case))}
    assert [case.name for case in cases(rule.code, "bad") if case not in expecting] == []
    assert [case.name for case in cases(rule.code, "ok") if case in expecting] == []


@EVERY_RULE_OF_OURS
def test_needles_stand_in_every_project_that_is_reported(rule: Rule) -> None:
    without = []
    for case in cases(rule.code, "bad"):
        text = "".join(path.read_text("utf-8").lower() for path in (case.rglob("*.*") if case.is_dir() else [case]))
        if not any(needle in text for needle in rule.needles):
            without.append(case.name)
    assert without == []


# ---- knowledge (what an entry refers to: test_knowledge.py)

VOCABULARIES = {
    "sinks": knowledge_form.SINKS,
    "labels": knowledge_form.LABELS,
    "decorations": knowledge_form.DECORATIONS,
    "words": knowledge_form.WORDS,
    "deeds": knowledge_form.DEEDS,
    "stores": knowledge_form.STORES,
    "front": knowledge_form.FRONT,
    "guards": knowledge_form.GUARDS,
    "purposes": knowledge_form.SETTLES,
}


def shipped() -> dict[str, set[str]]:
    """The words of each vocabulary that some shipped file uses."""
    loaded = knowledge.load()
    effects = [*loaded.functions.values(), *loaded.objects.values(), *loaded.settings.values()]
    labels: set[str] = set()
    for entry in loaded.types.values():
        labels |= {entry.label} if isinstance(entry.label, str) else set(entry.label)
        members = (*entry.methods.values(), *entry.attributes.values(), entry.item, entry.call, entry.enter, entry.each)
        effects += [effect for effect in members if isinstance(effect, knowledge_form.Effect)]
    return {
        "sinks": {effect.sink for effect in effects},
        "labels": labels.union(*(effect.labels for effect in effects)),
        "decorations": {effect.decorates for effect in effects},
        "deeds": {effect.does for effect in effects},
        "guards": {effect.guards for effect in effects} | {entry.guards for entry in loaded.types.values()},
        "purposes": {effect.settles for effect in effects},
        "stores": {effect.keeps for effect in effects} | {entry.keeps for entry in loaded.types.values()},
        "words": {name for name, words in loaded.words.items() if words},
        "front": {name for name, items in loaded.front.items() if items},
    }


@pytest.mark.parametrize("name", VOCABULARIES)
def test_every_word_of_the_knowledge_files_is_used_and_documented(name: str) -> None:
    manual = (ROOT / "docs" / "knowledge.md").read_text("utf-8")
    assert VOCABULARIES[name] - shipped()[name] == set()
    assert {word for word in VOCABULARIES[name] if f"`{word}`" not in manual} == set()


@pytest.mark.parametrize("name", VOCABULARIES)
def test_every_word_of_the_knowledge_files_means_something_to_the_engine(name: str) -> None:
    spoken = {
        node.value
        for module, tree in MODULES.items()
        if module.split(".")[1:2] in (["read"], ["link"], ["rules"])
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    # `none` is how a file says that nothing happens, and nothing happens without anybody asking.
    assert VOCABULARIES[name] - spoken - {"none"} == set()


def libraries() -> set[str]:
    """The top-level packages that the knowledge files speak of."""
    loaded = knowledge.load()
    described = [name for table in (loaded.functions, loaded.objects, loaded.types) for name in table]
    packages = {name.split(".")[0].lower() for name in described if "." in name}
    files = {path.stem for path in (knowledge.rules_folder() / "knowledge").glob("*.toml")}
    # Some of the standard library's names are plain words; those of it that have a file of their own are not.
    # `crypt` was in it until 3.12.
    words = (set(dir(builtins)) | sys.stdlib_module_names | {"crypt"}) - files
    # One way to write parameters has the name of its library; two packages are made up for what libraries share.
    return packages - words - set(STYLES) - {"http", "dbapi"}


@pytest.mark.parametrize("name", RULE_MODULES)
def test_no_rule_names_a_library(name: str) -> None:
    nodes = list(ast.walk(MODULES[f"prodready.rules.{name}"]))
    prose = {node.value for node in nodes if isinstance(node, ast.Expr)}  # docstrings
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and node not in prose]
    texts += [node.id for node in nodes if isinstance(node, ast.Name)]
    words = {word for text in texts if isinstance(text, str) for word in re.findall(r"\w+", text.lower())}
    assert words & libraries() - set(name.split("_")) == set()


# ---- configuration and pages


def test_every_configuration_key_is_documented_with_an_example_that_works(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    assert [name for name in config.keys() if f"\n## `{name}`\n" not in page] == []  # noqa: SIM118
    for name, key in config.keys().items():
        (tmp_path / "prodready.toml").write_text(f"{name} = {key.example}\n")
        loaded = config.load(tmp_path)
        field = name.replace("-", "_")
        assert getattr(loaded, field) != getattr(Config(root=tmp_path), field), f"{name}: the example changes nothing"


def test_every_configuration_key_is_read_somewhere() -> None:
    read = {
        node.attr
        for tree in MODULES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }
    assert {field.name for field in fields(Config)} - read == set()


def test_the_pages_made_from_code_are_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    code = docs.main(["--check", "--directory", str(ROOT / "docs")])
    assert (code, capsys.readouterr().err) == (0, "")


def test_the_readme_shows_what_prodready_prints(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "200")
    main(["check", "fixtures/shop", "--no-cache", "--color", "never"])
    printed = capsys.readouterr().out
    shown = re.findall(r"^```text\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert shown
    assert [part for block in shown for part in block.strip().split("\n\n") if f"{part}\n" not in printed] == []


def test_the_readme_names_every_rule() -> None:
    assert [rule.code for rule in RULES if f"[{rule.code}](docs/rules/{rule.code}.md) {rule.slug}" not in README] == []


def test_the_quick_start_is_two_blocks_of_shell_and_ci_runs_the_second() -> None:
    section = README.split("\n## Quick start\n")[1].split("\n## ")[0]
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert [language for language, _ in blocks] == ["sh", "sh"]
    assert "prodready check --exit-zero fixtures/shop" in blocks[0][1]
    test_command = blocks[1][1].strip().splitlines()[-1]
    assert (ROOT / ".ci" / "run").read_text("utf-8").rstrip().endswith(f"exec {test_command}")


def test_the_json_page_names_every_key(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    main(["check", "fixtures/shop", "--no-cache", "--output-format", "json"])
    page = (ROOT / "docs" / "json.md").read_text("utf-8")
    assert {key for key in _keys(json.loads(capsys.readouterr().out)) if f"`{key}`" not in page} == set()


def _keys(value: object) -> set[str]:
    """The keys of all mappings in a document, without those that are data: codes, levels and steps."""
    if isinstance(value, dict):
        inner = {key: part for key, part in value.items() if key not in {"by_code", "by_severity", "timings"}}
        return set(value).union(*map(_keys, inner.values()))
    return set().union(*map(_keys, value)) if isinstance(value, list) else set()


# ---- modules

BASE = {
    "prodready", "words", "finding", "config", "config_values", "knowledge", "knowledge_check",
    "knowledge_form", "knowledge_kept", "globs", "ignore", "discover", "source", "masking", "secret_words", "secret_texts",
    "suppress", "patterns", "documents", "interrupts",
}  # fmt: skip
ALLOWED = {
    "read": BASE,
    "cache": BASE | {"read"},
    "reading": BASE | {"cache", "read"},
    "reading_web": BASE | {"cache", "read", "reading"},
    "moved": BASE | {"read"},
    "outcome": BASE | {"reading"},
    "state": BASE | {"cache", "moved", "read", "reading"},
    "link": BASE | {"read"},
    "linking_web": BASE | {"cache", "reading", "reading_web", "link"},
    "fix": BASE,
    "rules": BASE | {"read", "link", "fix"},
    "judging": {"finding", "interrupts", "link", "read", "rules", "state"},
    "sift": BASE | {"rules"},
    "engines": BASE | {"cache", "rules"},
    "project": BASE
    | {
        "cache",
        "moved",
        "outcome",
        "read",
        "reading",
        "reading_web",
        "state",
        "link",
        "linking_web",
        "fix",
        "rules",
        "judging",
        "sift",
        "engines",
    },
    "report": BASE | {"rules"},
    "docs": BASE | {"rules", "report"},
}
"""What each part may import; a part that is missing here (the command line, the surfaces) may import anything below."""
SURFACES = {
    *(
        "cli",
        "cli_baseline",
        "cli_check",
        "cli_explain",
        "cli_options",
        "cli_review",
        "cli_routes",
        "surfaces",
        "__main__",
        "docs",
    ),
}
ASKS_FOR_CODES = {"config_values", "suppress"}
"""These two check the codes that people write, and import the rules when they do, or for their types, not before."""
IMPORTED_AS = {"pyyaml": "yaml", "PyGithub": "github", "python-gitlab": "gitlab"}


def part(module: str) -> str:
    """`read` for `prodready.read.facts`."""
    names = module.split(".")
    return names[1] if len(names) > 1 else "prodready"


def imports(tree: ast.AST) -> set[str]:
    """The parts of the package that a module imports, whether at its top, in a function or for its annotations."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {part(alias.name) for alias in node.names if alias.name.split(".")[0] == "prodready"}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            if node.module == "prodready":
                known = {part(module) for module in MODULES}
                found |= {alias.name if alias.name in known else "prodready" for alias in node.names}
            elif node.module and node.module.startswith("prodready."):
                found.add(part(node.module))
    return found


def test_imports_point_one_way() -> None:
    wrong = []
    for module, tree in MODULES.items():
        here = part(module)
        below = BASE if here in BASE else ALLOWED.get(here, {part(other) for other in MODULES} - (SURFACES - {here}))
        if here in {"cli", "cli_baseline", "cli_check", "cli_explain", "cli_review", "cli_routes", "__main__"}:
            below = below | SURFACES
        if here in ASKS_FOR_CODES:
            below = below | {"rules"}
        wrong += [f"{module} imports {other}" for other in sorted(imports(tree) - below - {here})]
    assert wrong == []


@pytest.mark.parametrize("module", sorted(f"prodready.{name}" for name in ASKS_FOR_CODES))
def test_what_the_reader_needs_does_not_load_the_rules(module: str) -> None:
    statements = [node for node in MODULES[module].body if isinstance(node, (ast.Import, ast.ImportFrom))]
    at_the_top = {name for statement in statements for name in imports(statement)}
    assert "rules" not in at_the_top


def test_every_dependency_is_imported() -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    # Of the extras, the clients of code hosts are imported; the others are run, or import us.
    lines = table["project"]["dependencies"] + table["project"]["optional-dependencies"]["review"]
    declared = {re.split(r"[<>=;\[ ]", line, maxsplit=1)[0] for line in lines}
    declared = {IMPORTED_AS.get(name, name) for name in declared}
    imported: set[str] = set()
    for tree in MODULES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").split(".")[0])
    declared = {name.replace("-", "_") for name in declared}
    assert declared - imported == set()
    assert imported - declared - sys.stdlib_module_names - {"prodready", "tomllib", "bandit", "detect_secrets"} == set()


def test_every_operation_is_explained() -> None:
    made = re.compile(r'\bop\(\s*"([^"]+)"')
    used = {kind for file in (ROOT / "src").rglob("*.py") for kind in made.findall(file.read_text("utf-8"))}
    assert used == OPERATIONS.keys()
