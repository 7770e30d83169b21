"""The configuration: where it is found, what it means, and what is said when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodready import config
from prodready.config import Config, ConfigError, find_root, load
from prodready.finding import Confidence, Finding, Location, Severity
from prodready.rules.base import Rule

RULES = {
    code: Rule(code, slug, Severity.ERROR, "mvp", ())
    for code, slug in (("PRD301", "string-built-sql"), ("PRD302", "missing-transaction"), ("PRD401", "secret-in-log"))
}


@pytest.fixture(autouse=True)
def _known_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prodready.rules.all_rules", lambda: RULES)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


class TestRoot:
    def test_nearest_configuration_wins_over_a_nearer_git(self, tmp_path: Path) -> None:
        write(tmp_path / "prodready.toml", "")
        (tmp_path / "a" / ".git").mkdir(parents=True)
        assert find_root(tmp_path / "a") == tmp_path

    def test_pyproject_counts_as_configuration_only_with_our_table(self, tmp_path: Path) -> None:
        write(tmp_path / "pyproject.toml", "[tool.prodready]\n")
        write(tmp_path / "a" / "pyproject.toml", '[project]\ndependencies = ["prodready"]\n')
        assert find_root(tmp_path / "a") == tmp_path

    def test_git_wins_over_a_nearer_pyproject(self, tmp_path: Path) -> None:
        (tmp_path / ".git").mkdir()
        write(tmp_path / "a" / "pyproject.toml", "")
        assert find_root(tmp_path / "a" / "x.py") == tmp_path

    @pytest.mark.parametrize("name", ["pyproject.toml", "setup.cfg", "setup.py"])
    def test_python_project_file(self, tmp_path: Path, name: str) -> None:
        write(tmp_path / name, "")
        write(tmp_path / "a" / "b" / "x.py", "")
        assert find_root(tmp_path / "a" / "b" / "x.py") == tmp_path

    def test_a_module_called_setup_is_no_project_file(self, tmp_path: Path) -> None:
        write(tmp_path / "setup.py", "")
        write(tmp_path / "a" / "__init__.py", "")
        write(tmp_path / "a" / "setup.py", "")
        assert find_root(tmp_path / "a" / "x.py") == tmp_path
        write(tmp_path / "a" / "setup.cfg", "")
        assert find_root(tmp_path / "a" / "x.py") == tmp_path / "a"

    def test_nothing_to_go_by(self, tmp_path: Path) -> None:
        file = write(tmp_path / "a" / "x.py", "")
        assert find_root(tmp_path / "a") == tmp_path / "a"
        assert find_root(file) == tmp_path / "a"

    def test_a_file_in_a_package_outside_of_projects(self, tmp_path: Path) -> None:
        write(tmp_path / "a" / "__init__.py", "")
        write(tmp_path / "a" / "b" / "__init__.py", "")
        assert find_root(tmp_path / "a" / "b" / "x.py") == tmp_path
        assert find_root(tmp_path / "a" / "b") == tmp_path / "a" / "b"

    def test_broken_pyproject_of_somebody_else_is_not_our_business(self, tmp_path: Path) -> None:
        write(tmp_path / "pyproject.toml", "[[[ prodready")
        assert load(tmp_path).source is None


class TestLoading:
    def test_defaults(self, tmp_path: Path) -> None:
        assert load(tmp_path) == Config(root=tmp_path)
        assert load(tmp_path).min_confidence is Confidence.MEDIUM

    def test_every_key_in_both_files(self, tmp_path: Path) -> None:
        keys = """
            select = ["PRD3"]
            ignore = ["PRD302"]
            extend-select = ["PRD401"]
            extend-ignore = ["PRD4"]
            min-confidence = "high"
            min-severity = "warning"
            exclude = ["a/"]
            extend-exclude = ["b/"]
            respect-gitignore = false
            knowledge = ["orm.toml"]
            require-reason = false
            test-paths = ["t/"]
            migration-paths = ["m/"]
            generated-paths = ["g/"]
            baseline = "known.jsonl"
            cache-dir = "c"
            jobs = 3
            semgrep = ["lint/*.yaml"]
            engines = []
            severity = { PRD301 = "info" }
            same-as = { B608 = [] }
            per-file-ignores = { "scripts/" = ["PRD301"] }
        """
        ours = write(tmp_path / "one" / "prodready.toml", keys)
        pyproject = write(tmp_path / "two" / "pyproject.toml", "[tool.prodready]\n" + keys)
        first, second = load(ours.parent), load(pyproject.parent)
        assert (first.source, second.source) == (ours, pyproject)
        for loaded in (first, second):
            assert loaded.select == ("PRD3",)
            assert loaded.min_severity is Severity.WARNING
            assert loaded.respect_gitignore is False
            assert loaded.per_file_ignores == (("scripts/", ("PRD301",)),)
            assert loaded.baseline == "known.jsonl"
            assert loaded.jobs == 3
            assert loaded.cache_path == loaded.root / "c"
            assert loaded.knowledge == ("orm.toml",)
        assert loaded.severity == (("PRD301", Severity.INFO),)
        assert keys.count(" = ") == len(config.keys()) + 3, "a key is missing in this test"

    def test_a_file_from_elsewhere_keeps_its_own_knowledge(self, tmp_path: Path) -> None:
        file = write(tmp_path / "shared" / "lint.toml", 'knowledge = ["orm.toml"]')
        loaded = load(tmp_path / "app", file=file)
        assert loaded.root / loaded.knowledge[0] == tmp_path / "shared" / "orm.toml"

    def test_isolated_reads_nothing(self, tmp_path: Path) -> None:
        write(tmp_path / "prodready.toml", "nonsense = 1")
        assert load(tmp_path, isolated=True).source is None

    def test_byte_order_mark(self, tmp_path: Path) -> None:
        (tmp_path / "prodready.toml").write_bytes(b"\xef\xbb\xbfjobs = 2\n")
        assert load(tmp_path).jobs == 2

    def test_command_line_wins(self, tmp_path: Path) -> None:
        write(tmp_path / "prodready.toml", 'min-confidence = "high"\njobs = 2\nignore = ["PRD401"]')
        loaded = load(tmp_path, {"min-confidence": "low", "ignore": ["PRD301"]})
        assert (loaded.min_confidence, loaded.jobs, loaded.ignore) == (Confidence.LOW, 2, ("PRD301",))

    def test_select_on_the_command_line_starts_afresh(self, tmp_path: Path) -> None:
        write(tmp_path / "prodready.toml", 'ignore = ["PRD301"]\nextend-select = ["PRD401"]')
        loaded = load(tmp_path, {"select": ["PRD301"]})
        assert [code for code in RULES if loaded.enabled(code)] == ["PRD301"]

    @pytest.mark.parametrize(
        ("file", "given", "enabled"),
        [
            ('ignore = ["PRD301"]', {"extend-select": ["PRD301"]}, True),
            ('ignore = ["PRD301"]', {"extend-select": ["PRD3"]}, True),
            ('extend-ignore = ["PRD3"]', {"extend-select": ["PRD301"]}, True),
            ('ignore = ["PRD301"]', {"extend-select": ["PRD4"]}, False),
            ('select = ["PRD301"]', {"extend-ignore": ["PRD3"]}, False),
            ('extend-select = ["PRD301"]', {"ignore": ["PRD3"]}, False),
            ('select = ["PRD301"]', {"ignore": ["PRD4"]}, True),
        ],
    )
    def test_the_command_line_outweighs_the_file(
        self, tmp_path: Path, file: str, given: dict[str, object], enabled: bool
    ) -> None:
        write(tmp_path / "prodready.toml", file)
        assert load(tmp_path, given).enabled("PRD301") == enabled

    def test_a_table_where_the_keys_stand_at_the_top(self, tmp_path: Path) -> None:
        write(tmp_path / "prodready.toml", "[tool.prodready]\njobs = 2")
        with pytest.raises(ConfigError, match="in this file the keys stand at the top, without a table"):
            load(tmp_path)

    def test_extend_on_the_command_line_adds(self, tmp_path: Path) -> None:
        write(tmp_path / "prodready.toml", 'extend-ignore = ["PRD401"]')
        loaded = load(tmp_path, {"extend-ignore": ["PRD301"]})
        assert [code for code in RULES if loaded.enabled(code)] == ["PRD302"]


class TestSelection:
    @pytest.mark.parametrize(
        ("select", "ignore", "enabled"),
        [
            (("PRD",), (), ["PRD301", "PRD302", "PRD401"]),
            (("PRD",), ("PRD3",), ["PRD401"]),
            (("PRD", "PRD301"), ("PRD3",), ["PRD301", "PRD401"]),
            (("PRD3",), ("PRD302",), ["PRD301"]),
            (("PRD3",), ("PRD",), ["PRD301", "PRD302"]),
            (("PRD301",), ("PRD301",), []),
            ((), (), []),
        ],
    )
    def test_longest_prefix_decides(self, select: tuple[str, ...], ignore: tuple[str, ...], enabled: list[str]) -> None:
        settings = Config(Path("/"), select=select, ignore=ignore)
        assert [code for code in RULES if settings.enabled(code)] == enabled

    def test_per_file_ignores(self) -> None:
        settings = Config(Path("/"), per_file_ignores=(("scripts/", ("PRD3",)), ("*_seed.py", ("PRD401",))))
        assert not settings.enabled_in("PRD301", "tools/scripts/load.py")
        assert settings.enabled_in("PRD401", "tools/scripts/load.py")
        assert not settings.enabled_in("PRD401", "app/shop_seed.py")
        assert settings.enabled_in("PRD301", "app/scripts.py")

    def test_thresholds(self) -> None:
        def finding(severity: Severity, confidence: Confidence) -> Finding:
            return Finding("PRD301", "string-built-sql", "m", severity, confidence, Location("a.py", 1))

        settings = Config(Path("/"), min_severity=Severity.WARNING)
        assert settings.shows(finding(Severity.WARNING, Confidence.MEDIUM))
        assert not settings.shows(finding(Severity.INFO, Confidence.HIGH))
        assert not settings.shows(finding(Severity.ERROR, Confidence.LOW))


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("min-confidance = 'high'", "min-confidance: unknown key; did you mean 'min-confidence'?"),
            ("min_confidence = 'high'", "min_confidence: unknown key; did you mean 'min-confidence'?"),
            ("xyzzy = 1", "xyzzy: unknown key; the keys are baseline, cache-dir, engines, exclude"),
            ("min-confidence = 'hgh'", "min-confidence: 'hgh' is not one of low, medium, high; did you mean 'high'?"),
            ("min-severity = 3", "min-severity: must be a string, not an integer"),
            ("select = ['PRD37']", "select: no rule has the code or prefix 'PRD37'; see `prodready rules`"),
            ("select = ['prd301']", "select: no rule has the code or prefix 'prd301'; did you mean 'PRD301'?"),
            ("ignore = ['secret-in-log']", "did you mean 'PRD401'?"),
            ("select = 'PRD301'", "select: must be an array of strings, not a string"),
            ("select = [1]", "select: must hold strings, not an integer (1)"),
            ("exclude = ['']", "exclude: holds an empty string"),
            ("require-reason = 'yes'", "require-reason: must be true or false, not a string"),
            ("jobs = 0", "jobs: must be at least 1, not 0"),
            ("jobs = true", "jobs: must be an integer, not a boolean"),
            ("cache-dir = ''", "cache-dir: must not be empty"),
            ("per-file-ignores = ['x']", "per-file-ignores: must be a table of pattern = [codes], not an array"),
            ("per-file-ignores = { 'a/' = ['PRD9'] }", "per-file-ignores: no rule has the code or prefix 'PRD9'"),
            ("jobs = 1\nselect = = []", "line 2, column 10: not TOML: "),
            ("select = [", "end of document: not TOML: "),
        ],
    )
    def test_one_line_that_names_file_and_key(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: str
    ) -> None:
        monkeypatch.chdir(tmp_path)
        write(tmp_path / "prodready.toml", text)
        with pytest.raises(ConfigError) as caught:
            load(tmp_path)
        assert str(caught.value).startswith("prodready.toml: ")
        assert expected in str(caught.value)
        assert "\n" not in str(caught.value)
        assert caught.value.key

    def test_not_utf8(self, tmp_path: Path) -> None:
        (tmp_path / "prodready.toml").write_bytes(b"# \xff\n")
        with pytest.raises(ConfigError, match="is not UTF-8"):
            load(tmp_path)

    def test_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="cannot be read: No such file"):
            load(tmp_path, file=tmp_path / "lint.toml")

    def test_both_files(self, tmp_path: Path) -> None:
        write(tmp_path / "prodready.toml", "")
        write(tmp_path / "pyproject.toml", "[tool.prodready]")
        with pytest.raises(ConfigError, match="keep one of the two"):
            load(tmp_path)

    def test_table_of_the_wrong_type(self, tmp_path: Path) -> None:
        write(tmp_path / "pyproject.toml", "[tool]\nprodready = 3")
        with pytest.raises(ConfigError, match="must be a table, not an integer"):
            load(tmp_path)

    def test_broken_pyproject_with_our_table(self, tmp_path: Path) -> None:
        write(tmp_path / "pyproject.toml", "[tool.prodready]\njobs = = 2")
        with pytest.raises(ConfigError, match=r"pyproject\.toml: line 2"):
            load(tmp_path)

    def test_command_line(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"^command line: --min-severity: 'wrning'") as caught:
            load(tmp_path, {"min-severity": "wrning"})
        assert caught.value.path is None
