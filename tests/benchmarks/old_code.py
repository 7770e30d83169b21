"""Turn prodready on in an old code base: a baseline some commits back, a run at the newest commit.

    python tests/benchmarks/old_code.py ~/apps/indico ~/apps/polar --back 200

Each repository is cloned (objects shared) into a temporary directory; its own work tree is left alone. Printed are the
findings that the baseline does not know, with whether the lines they stand on were there before, and the counts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from replay import FILES

TEXTS = (".env*", "*.env", "*.cfg", "*.ini", "*.json", "*.toml", "*.yaml", "*.yml", "*.sh", "Dockerfile*")
"""What engines read beside; images and other large files may be missing in a mirror."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="+", type=Path)
    parser.add_argument("--back", type=int, default=200)
    parser.add_argument("--min-confidence", default="medium")
    arguments = parser.parse_args()
    for repository in arguments.repositories:
        with tempfile.TemporaryDirectory() as place:
            _run(repository, Path(place) / "clone", arguments.back, arguments.min_confidence)


def _git(place: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=place, check=True, capture_output=True, text=True).stdout


def _run(repository: Path, clone: Path, back: int, confidence: str) -> None:
    _git(repository, "clone", "-q", "--shared", "--no-checkout", ".", str(clone))
    _git(clone, "sparse-checkout", "set", "--no-cone", *FILES, *TEXTS)
    head, old = (_git(clone, "rev-parse", name).strip() for name in ("HEAD", f"HEAD~{back}"))
    settings = clone.parent / "settings.toml"
    settings.write_text(f'min-confidence = "{confidence}"\n')
    file = clone.parent / "baseline.jsonl"
    common = ["--config", str(settings), "--baseline", str(file)]
    _git(clone, "checkout", "-q", "-f", old)
    made = _prodready(clone, "baseline", "create", *common).stdout.splitlines()[0]
    _git(clone, "checkout", "-q", "-f", head)
    report = json.loads(_prodready(clone, "check", *common, "--output-format", "json").stdout)
    for finding in report["findings"]:
        name = f"{finding['path']}:{finding['line']}"
        before = subprocess.run(
            ["git", "show", f"{old}:{finding['path']}"], cwd=clone, capture_output=True, check=False
        )
        lines = (clone / finding["path"]).read_bytes().split(b"\n")
        known = lines[finding["line"] - 1].strip() in [line.strip() for line in before.stdout.split(b"\n")]
        print(f"  {name} {finding['code']} {'line was there' if known else 'line is new'}: {finding['message']}")
    counts = report["summary"]
    print(
        f"{repository.name}: {old[:9]}..{head[:9]}, {made.partition(': ')[2]} "
        f"now {counts['findings']} new, {counts['baselined']} known, {counts['fixed']} fixed"
    )


def _prodready(clone: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "prodready", *words]
    return subprocess.run(command, cwd=clone, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    main()
