"""Which files are read: patterns as git has them (compared with git itself), links, nested projects, named files."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from prodready import discover
from prodready.config import Config, find_root, load
from prodready.discover import Exclusion, Walk, excluded, is_generated, kind
from prodready.globs import Globs

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def tree(root: Path, *files: str, **contents: str) -> Path:
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
    return root


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def walk(config: Config, targets: Sequence[Path] = ()) -> Walk:
    """A walk for someone who checks the root, and names other places too."""
    return discover.walk(config, [config.root, *targets])


def paths(found: Walk) -> list[str]:
    return [file.path for file in found.files]


class TestWalk:
    def test_python_files_in_order(self, tmp_path: Path) -> None:
        tree(tmp_path, "b.py", "a/z.py", "a/b/c.py", "a.txt", "types.pyi", ".github/x.py")
        assert paths(walk(Config(tmp_path))) == [".github/x.py", "a/b/c.py", "a/z.py", "b.py"]

    @pytest.mark.parametrize("name", [".venv", "node_modules", "site-packages", "build", "vendor", "__pycache__"])
    def test_default_excludes_at_any_depth(self, tmp_path: Path, name: str) -> None:
        tree(tmp_path, "a.py", f"{name}/x.py", f"app/{name}/sub/x.py", f"app/{name}ed.py")
        assert paths(walk(Config(tmp_path))) == ["a.py", f"app/{name}ed.py"]

    def test_excluded_by_default_and_taken_back(self, tmp_path: Path) -> None:
        tree(tmp_path, "shop/vendor/models.py")
        assert walk(Config(tmp_path)).files == ()
        assert paths(walk(Config(tmp_path, extend_exclude=("!shop/vendor/",)))) == ["shop/vendor/models.py"]

    def test_what_is_left_out_is_noted(self, tmp_path: Path) -> None:
        tree(tmp_path, "vendor/x.py", "out/x.py")
        put(tmp_path / ".gitignore", "out/\n")
        assert sorted(walk(Config(tmp_path)).notes) == [
            "out/: ignored by git, not read",
            "vendor/: excluded by the configuration, not read",
        ]

    def test_virtual_environment_under_any_name(self, tmp_path: Path) -> None:
        tree(tmp_path, "a.py", "env312/lib/x.py", "env312/pyvenv.cfg", "pyvenv.cfg")
        assert paths(walk(Config(tmp_path))) == ["a.py"]

    def test_nested_project_is_reported_not_read(self, tmp_path: Path) -> None:
        tree(tmp_path, "a.py", "svc/b.py", "tool/c.py", "lib/d.py")
        put(tmp_path / "svc" / "prodready.toml", "")
        put(tmp_path / "tool" / "pyproject.toml", "[tool.prodready]\n")
        put(tmp_path / "lib" / "pyproject.toml", "[project]\nname = 'lib'\n")
        (tmp_path / "sub" / ".git").mkdir(parents=True)
        (tmp_path / ".git").mkdir()
        found = walk(Config(tmp_path))
        assert paths(found) == ["a.py", "lib/d.py"]
        assert found.nested == (tmp_path / "sub", tmp_path / "svc", tmp_path / "tool")

    def test_a_module_called_setup_is_part_of_its_package(self, tmp_path: Path) -> None:
        tree(tmp_path, "setup.cfg", "shop/__init__.py", "shop/setup.py", "shop/a.py", "lib/setup.py", "lib/b.py")
        found = walk(Config(tmp_path))
        assert paths(found) == ["shop/__init__.py", "shop/a.py", "shop/setup.py"]
        assert found.nested == (tmp_path / "lib",)

    @pytest.mark.parametrize("ours", ["", ".git/HEAD", "setup.py", "prodready.toml"])
    def test_nested_is_what_is_the_root_of_its_own_files(self, tmp_path: Path, ours: str) -> None:
        tree(tmp_path, "a/.git/HEAD", "b/setup.cfg", "c/pyproject.toml", "d/prodready.toml", "e/x.py")
        if ours:
            put(tmp_path / ours, "")
        nested = [tmp_path / name for name in "abcde" if find_root(tmp_path / name / "x.py") == tmp_path / name]
        found = walk(Config(tmp_path), [tmp_path])
        assert list(found.nested) == [place for place in nested if ours or place.name != "e"]
        assert 1 <= len(found.nested) < 5

    def test_without_a_project_only_modules_and_packages_around_a_file(self, tmp_path: Path) -> None:
        tree(tmp_path, "a.py", "pkg/__init__.py", "pkg/sub/__init__.py", "pkg/sub/b.py", "other/c.py", "pkg/data/d.py")
        beside = ["a.py", "pkg/__init__.py", "pkg/sub/__init__.py", "pkg/sub/b.py"]
        assert paths(discover.walk(Config(tmp_path), [tmp_path / "a.py"])) == beside
        assert paths(discover.walk(Config(tmp_path), [tmp_path / "other"])) == sorted([*beside, "other/c.py"])
        assert len(paths(discover.walk(Config(tmp_path), [tmp_path]))) == 6
        put(tmp_path / "setup.cfg", "")
        assert len(paths(discover.walk(Config(tmp_path), [tmp_path / "a.py"]))) == 6

    def test_links(self, tmp_path: Path) -> None:
        root = tree(tmp_path / "root", "a.py", "sub/b.py")
        outside = tree(tmp_path / "outside", "c.py")
        (root / "loop").symlink_to(root)
        (root / "sub" / "up").symlink_to("..")
        (root / "alias.py").symlink_to("a.py")
        (root / "c1.py").symlink_to(outside / "c.py")
        (root / "c2.py").symlink_to(outside / "c.py")
        (root / "nowhere.py").symlink_to("gone")
        (root / "self.py").symlink_to("self.py")
        found = walk(Config(root))
        assert paths(found) == ["a.py", "c1.py", "sub/b.py"]
        assert not found.problems
        assert any(note.startswith("self.py: not read") for note in found.notes)

    def test_link_to_an_excluded_file_is_read(self, tmp_path: Path) -> None:
        tree(tmp_path, "node_modules/x.py")
        (tmp_path / "x.py").symlink_to("node_modules/x.py")
        assert paths(walk(Config(tmp_path))) == ["x.py"]

    def test_unreadable_directory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        tree(tmp_path, "a.py", "secret/b.py")
        scan = os.scandir

        def guarded(place: str) -> Any:
            if place.endswith("secret"):
                raise PermissionError(13, "Permission denied")
            return scan(place)

        monkeypatch.setattr("prodready.discover.os.scandir", guarded)
        found = walk(Config(tmp_path))
        assert paths(found) == ["a.py"]
        assert [str(problem) for problem in found.problems] == [
            "secret: the directory cannot be read: Permission denied"
        ]

    def test_special_files_and_odd_names(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.py")
        (tmp_path / "dir.py").mkdir()
        tree(tmp_path, "dir.py/a b\nc.py")
        with open(os.fsencode(tmp_path) + b"/\xff.py", "w"):
            pass
        assert paths(walk(Config(tmp_path))) == ["dir.py/a b\nc.py", "\udcff.py"]


class TestNamed:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        put(tmp_path / ".gitignore", "out/\n*_tmp.py\n")
        return tree(
            tmp_path, "a.py", "vendor/lib/b.py", "vendor/lib/tests/t.py", "out/c.py", "d_tmp.py", "out/e_tmp.py"
        )

    def test_file_in_spite_of_everything(self, root: Path) -> None:
        targets = [root / "vendor/lib/b.py", root / "d_tmp.py", root / "a.py"]
        assert paths(walk(Config(root), targets)) == ["a.py", "d_tmp.py", "vendor/lib/b.py"]

    def test_directory_in_spite_of_everything(self, root: Path) -> None:
        found = walk(Config(root), [root / "vendor", root / "out"])
        assert paths(found) == ["a.py", "out/c.py", "out/e_tmp.py", "vendor/lib/b.py", "vendor/lib/tests/t.py"]
        assert found.files[-1].kinds == {"tests"}

    def test_git_still_counts_below_an_excluded_directory(self, root: Path) -> None:
        tree(root, "vendor/x_tmp.py")
        assert "vendor/x_tmp.py" not in paths(walk(Config(root), [root / "vendor"]))

    def test_directory_below_the_root(self, root: Path) -> None:
        tree(root, "app/x.py")
        assert paths(walk(Config(root), [root / "app"])) == ["a.py", "app/x.py"]

    def test_scripts_by_their_first_line(self, root: Path) -> None:
        put(root / "manage", "#!/usr/bin/env python3\n")
        put(root / "deploy", "#!/bin/sh\n")
        put(root / "README.md", "# python\n")
        found = walk(Config(root), [root / "manage", root / "deploy", root / "README.md"])
        assert paths(found) == ["a.py", "manage"]
        assert [note for note in found.notes if "not a Python file" in note] == [
            "deploy: not a Python file, not read",
            "README.md: not a Python file, not read",
        ]

    @pytest.mark.parametrize(
        ("path", "expected"),
        [("a.py", False), ("vendor/lib/b.py", True), ("out/c.py", True), ("d_tmp.py", True), ("vendor", True)],
    )
    def test_excluded(self, root: Path, path: str, expected: bool) -> None:
        assert excluded(Config(root), root / path) is expected

    def test_excluded_agrees_with_the_walk(self, root: Path) -> None:
        settings = Config(root)
        kept = {file.path for file in walk(settings).files}
        for file in root.rglob("*.py"):
            assert excluded(settings, file) is (file.relative_to(root).as_posix() not in kept)


class TestKinds:
    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("shop/tests/factories/user.py", {"tests"}),
            ("shop/test_views.py", {"tests"}),
            ("views_test.py", {"tests"}),
            ("conftest.py", {"tests"}),
            ("features/steps/accounts.py", {"tests"}),
            ("survey/features/login-steps.py", {"tests"}),
            ("features/steps.py", set()),
            ("shop/tests.py", {"tests"}),
            ("shop/utils_tests.py", {"tests"}),
            ("shop/contests.py", set()),
            ("contest.py", set()),
            ("latest/x.py", set()),
            ("shop/migrations/0001_initial.py", {"migrations"}),
            ("alembic/versions/ab12.py", {"migrations"}),
            ("backend/alembic/versions/ab12.py", {"migrations"}),
            ("shop/migrations/tests/test_x.py", {"migrations", "tests"}),
            ("rpc/shop_pb2.py", {"generated"}),
            ("rpc/shop_pb2_grpc.py", {"generated"}),
        ],
    )
    def test_by_path(self, tmp_path: Path, path: str, expected: set[str]) -> None:
        assert kind(Config(tmp_path), path) == expected
        tree(tmp_path, path)
        assert {file.path: file.kinds for file in walk(Config(tmp_path)).files} == {path: expected}

    def test_configured(self, tmp_path: Path) -> None:
        put(tmp_path / "prodready.toml", 'test-paths = ["e2e/"]')
        settings = load(tmp_path)
        assert kind(settings, "e2e/x.py") == {"tests"}
        assert kind(settings, "tests/x.py") == set()

    @pytest.mark.parametrize(
        ("head", "expected"),
        [
            (b"# Generated by the protocol buffer compiler.  DO NOT EDIT!\nimport x\n", True),
            (b"#!/usr/bin/env python\n# coding: utf-8\n\n# @generated by pants\n", True),
            (b'\xef\xbb\xbf"""Client.\n\nThis file was auto-generated; do not edit it by hand.\n"""\n', True),
            (b"'''\nAutogenerated by Thrift. Do not modify.\n'''\n", True),
            (b"", False),
            (b"import x\n# DO NOT EDIT\n", False),
            (b"BANNER = '# @generated'\n", False),
            (b"# Generated by Django 4.2 on 2024-01-01\n", False),
            (b"# mail me@generated.example\n", False),
            (b'"""Finds files that are generated by protoc."""\n', False),
        ],
    )
    def test_by_content(self, head: bytes, expected: bool) -> None:
        assert is_generated(head) is expected

    def test_content_of_many_spaces_is_quick(self) -> None:
        assert not is_generated(b" \n\t" * 2000 + b"x")


class TestGit:
    """Where git is installed, it is the judge."""

    def listed(self, root: Path) -> list[str]:
        command = ["git", "-C", str(root), "ls-files", "-z", "--others", "--exclude-standard"]
        return sorted(filter(None, subprocess.check_output(command, text=True).split("\0")))

    @needs_git
    @pytest.mark.parametrize("seed", range(40))
    def test_same_files_as_git(self, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
        pick = random.Random(seed)
        root = tmp_path / "repo"
        subprocess.run(["git", "init", "-q", root], check=True)
        names = ["a", "b", "ab", "foo", "a b", "b]", "é"]
        for _ in range(40):
            tree(root, "/".join([*pick.choices(names, k=pick.randint(0, 3)), pick.choice(names) + ".py"]))
        directories = [root, *(path for path in sorted(root.rglob("*")) if path.is_dir() and ".git" not in path.parts)]
        for directory in pick.sample(directories, min(4, len(directories))):
            put(directory / ".gitignore", "\n".join(self.pattern(pick, names) for _ in range(pick.randint(1, 8))))
        put(root / ".git" / "info" / "exclude", "\n".join(self.pattern(pick, names) for _ in range(2)))
        settings = Config(root, exclude=(".git",))
        assert paths(walk(settings)) == [name for name in self.listed(root) if name.endswith(".py")]

        exclusion = Exclusion(settings)
        kept = set(paths(walk(settings)))
        for file in root.rglob("*.py"):
            assert exclusion.leaves_out(file) is (file.relative_to(root).as_posix() not in kept)

        start = pick.choice([path for path in directories[1:] if not excluded(settings, path)] or [root])
        assert paths(walk(Config(start, exclude=(".git",)))) == [
            name for name in self.listed(start) if name.endswith(".py")
        ]

    def pattern(self, pick: random.Random, names: list[str]) -> str:
        parts = [*names, "*", "**", "***", "?", "a*", "*b", "[ab]", "[!a]*", "[a-f]oo", "[]]", "[b", "*.py", "b.py"]
        parts += ["\\a", "a\\", "**a", "[[:alpha:]]", "[[:digit:][:space:]]", "[\\]b]*", "a\\ b", "*[é-ü]"]
        text = "/".join(pick.choices(parts, k=pick.choice([1, 1, 2, 3])))
        text = pick.choice(["", "", "/", "!", "!/"]) + text + pick.choice(["", "", "/", " ", "\\ ", "\r"])
        return pick.choice(["# note", "", "/", "\\#x", "\\!a"]) if pick.random() < 0.05 else text

    @needs_git
    def test_worktree_has_the_common_exclude_file(self, tmp_path: Path) -> None:
        main, other = tmp_path / "main", tmp_path / "other"
        git = ["git", "-C", str(main), "-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", "init", "-q", str(main)], check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
        subprocess.run([*git, "worktree", "add", "-q", str(other)], check=True)
        put(main / ".git" / "info" / "exclude", "secret.py\n")
        tree(other, "secret.py", "a.py")
        assert paths(walk(Config(other))) == ["a.py"]

    def test_without_a_repository_ignore_files_count_too(self, tmp_path: Path) -> None:
        tree(tmp_path, "a.py", "b.py", "sub/b.py")
        put(tmp_path / ".gitignore", "\ufeff/b.py\n")
        assert paths(walk(Config(tmp_path))) == ["a.py", "sub/b.py"]
        assert paths(walk(Config(tmp_path, respect_gitignore=False))) == ["a.py", "b.py", "sub/b.py"]

    def test_a_root_that_its_parent_ignores(self, tmp_path: Path) -> None:
        (tmp_path / ".git").mkdir()
        put(tmp_path / ".gitignore", "sub/\n*.py\n")
        tree(tmp_path, "sub/a.py")
        assert paths(walk(Config(tmp_path / "sub"))) == ["a.py"]


def test_globs_cover_what_lies_below() -> None:
    globs = Globs(["scripts/", "!scripts/keep.py"])
    assert globs.covers("a/scripts/b/c.py")
    assert not globs.covers("scripts.py")
    assert not Globs([]).covers("a.py")
    assert not Globs(["# only a comment", ""])
