"""Unified diffs: read as git and other tools write them, and undone."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest
from git_app import App

from prodready.change import git
from prodready.change.patch import FileChange, PatchError, lines_of, parse

DIFF = b"""\
--- a/x.py
+++ b/x.py
@@ -1,5 +1,5 @@
 one
-two
+2
+2.5
 three
-four
 five
"""


def test_places_without_their_context() -> None:
    (file,) = parse(DIFF)
    assert (file.path, file.old) == ("x.py", "x.py")
    first, second = file.hunks
    assert (first.start, first.added, first.removed) == (2, (b"2\n", b"2.5\n"), (b"two\n",))
    assert (second.start, second.added, second.removed) == (4, (), (b"four\n",))


def test_what_is_touched() -> None:
    (file,) = parse(DIFF)
    assert [line for line in range(1, 7) if file.touches(line, line)] == [2, 3]
    assert file.touches(4, 5), "a line was removed between the two"
    assert not file.touches(5, 6)


def test_undone() -> None:
    (file,) = parse(DIFF)
    assert file.undone(b"one\n2\n2.5\nthree\nfive\n") == b"one\ntwo\nthree\nfour\nfive\n"
    assert file.undone(b"one\n2\n2.5\nthree\nfive\n", [file.hunks[1]]) == b"one\n2\n2.5\nthree\nfour\nfive\n"
    with pytest.raises(PatchError, match="line 2 is not as the diff says"):
        file.undone(b"one\nother\n2.5\nthree\nfive\n")


def test_line_ends_that_git_has_turned() -> None:
    (file,) = parse(DIFF)
    assert file.undone(b"one\r\n2\r\n2.5\r\nthree\r\nfive\r\n") == b"one\r\ntwo\r\nthree\r\nfour\nfive\r\n"


@pytest.mark.parametrize("text", [b"hello\n", b"\xff\xfe\n", b"--- a/x\n+++ b/x\n@@ -1,9 +1 @@\n"])
def test_no_diff(text: bytes) -> None:
    with pytest.raises(PatchError):
        parse(text)


def test_nothing_changed() -> None:
    assert parse(b"") == []


@pytest.mark.parametrize(
    "name", ["plain.py", "sp ace.py", 'qu"ote.py', "tab\there.py", "new\nline.py", "\u00fcml\u00e4ut.py", "b/a.py"]
)
@pytest.mark.parametrize("quoted", ["true", "false"])
def test_file_names(tmp_path: Path, name: str, quoted: str) -> None:
    app = App(tmp_path)
    app.write(name, "x = 1\n")
    app.commit()
    app.write(name, "x = 2\n")
    text = app.git("-c", f"core.quotePath={quoted}", "diff", "HEAD").encode("utf-8", "surrogateescape")
    assert [(file.path, file.old) for file in parse(text)] == [(name, name)]


def test_names_of_other_tools() -> None:
    (file,) = parse(b"--- x.py\t2026-01-01 00:00:00\n+++ x.py\t2026-01-02 00:00:00\n@@ -1 +1 @@\n-a\n+b\n")
    assert (file.path, file.old) == ("x.py", "x.py")


@pytest.mark.parametrize("seed", range(60))
def test_undoing_what_git_says_gives_the_old_content(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    ends = chance.choice([["\n"], ["\r\n"], ["\n", "\r\n", "\r", "\x0c\n"]])

    def line() -> str:
        return chance.choice(["", "a", "b", "-- x", "++ y", "\\ z", "@@ -1 +1 @@", "\u00e9"]) + chance.choice(ends)

    old = [line() for _ in range(chance.randrange(12))]
    new = [other for text in old for other in chance.choice([[text], [text], [], [line()], [text, line()]])]
    texts = [("".join(lines) + chance.choice(["", "end"])).encode() for lines in (old, new)]
    for side, text in zip(("old", "new"), texts, strict=True):
        (tmp_path / side).write_bytes(text)
    for context in (0, 3):
        command = ["git", "diff", "--no-index", f"-U{context}", "--", "old", "new"]
        diff = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).stdout
        for file in parse(diff):
            assert file.undone(texts[1]) == texts[0]


def test_lines_as_git_counts_them() -> None:
    assert lines_of(b"a\r\nb\x0cc\rd\n\ne") == [b"a\r\n", b"b\x0cc\rd\n", b"\n", b"e"]
    assert lines_of(b"") == []


class TestGit:
    def test_a_revision_is_no_option(self, tmp_path: Path) -> None:
        App(tmp_path)
        with pytest.raises(git.GitError):
            git.commit(tmp_path, "--output=evil")
        assert not (tmp_path / "evil").exists()

    def test_no_common_commit(self, tmp_path: Path) -> None:
        app = App(tmp_path)
        app.git("checkout", "-q", "--orphan", "other")
        app.write("more.py", "")
        app.commit()
        with pytest.raises(git.GitError, match="no commit in common"):
            git.merge_base(tmp_path, git.commit(tmp_path, "main"), git.commit(tmp_path, "other"))

    def test_settings_that_would_run_commands_are_not_followed(self, tmp_path: Path) -> None:
        app = App(tmp_path)
        mark = tmp_path / "ran"
        for key in ("diff.external", "diff.evil.textconv", "core.fsmonitor"):
            app.git("config", key, f"touch {mark};")
        app.write(".gitattributes", "*.py diff=evil\n")
        app.change("util.py", "int(value)", "value")
        mark.unlink(missing_ok=True)
        assert isinstance(parse(git.diff(tmp_path, "HEAD"))[0], FileChange)
        assert git.untracked(tmp_path) == []
        assert not mark.exists()

    def test_a_repository_in_the_files_of_a_branch_is_not_taken_for_one(self, tmp_path: Path) -> None:
        app = App(tmp_path / "app")
        mark = tmp_path / "ran"
        inner = app.root / "inner"
        inner.mkdir()
        subprocess.run(["git", "init", "-q", "--bare", "."], cwd=inner, check=True)
        with (inner / "config").open("a") as stream:
            stream.write(f'[core]\n\tbare = false\n\tworktree = ..\n\tfsmonitor = "touch {mark}"\n')
        (inner / "x.py").write_text("")
        with pytest.raises(git.GitError):
            git.commit(inner, "HEAD")
        with pytest.raises(git.GitError):
            git.diff(inner, "HEAD")
        assert not mark.exists()
