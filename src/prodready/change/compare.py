"""What a change is to blame for: findings that it touches, and those that it causes elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from prodready import baseline, discover
from prodready.change import blame, reach, sides
from prodready.change.patch import FileChange
from prodready.change.sides import Change
from prodready.config import Config
from prodready.finding import Finding, Location, Report, Step
from prodready.project import Opened, Options, Session
from prodready.rules import all_rules, rules_of


def check(config: Config, targets: Sequence[Path], change: Change, options: Options) -> Report:
    """Analyse both sides of a change and report on it, as far as it lies in `targets`, absolute paths below the root.

    The work tree is not touched. Raises KnowledgeError; all other trouble is in the report.
    """
    session = Session(config)
    options = _with_new_side(options, change)
    with session.opened(targets, options) as run:
        return _Comparison(session, run, targets, change, options).report()


def _with_new_side(options: Options, change: Change) -> Options:
    from dataclasses import replace as changed

    looked_at = frozenset(file.path for file in change.files)
    return changed(options, overlay={**options.overlay, **change.new}, changed=looked_at)


@dataclass
class _Comparison:
    session: Session
    run: Opened
    targets: Sequence[Path]
    change: Change
    options: Options

    def report(self) -> Report:
        """What the new side has to say, less what the change has nothing to do with."""
        files = [file for file in self.change.files if self._is_read(file)]
        root, new = self.session.config.root, self.run.state
        overlay, lost = sides.old_side(root, self.change, files)
        before = self.session.overlaid(self.run, overlay)
        tests = {p for p in new.entries if "tests" in discover.kind(self.session.config, p)}
        near = reach.affected(new, self.run.facts, before.state, before.facts, files, tests)
        self.run.clock.lap("compare")
        wanted = self.session.chosen(self.run, self.targets, self.options)
        codes = None if near & wanted else ()
        after = self.session.report(self.run, near & wanted, self.targets, self.options, codes)
        found = [*after.findings, *self._of_pages(files, near, wanted)]
        shown = list(self._kept(found, before, files))
        self.run.clock.lap("compare")
        scope = f"{len(files)} changed files, {len(near)} looked at for what the change does to them"
        return replace(
            after,
            findings=tuple(sorted(shown, key=lambda finding: finding.sort_key)),
            suppressed=tuple(item for item in after.suppressed if self._touched(item.finding, self.change.files)),
            problems=tuple(p for p in after.problems if not p.path or p.path in near | self._paths()),
            notes=(*after.notes, scope, *self.change.notes, *(f"taken for new: {why}" for why in lost)),
            files=sum(file.path in near & wanted for file in files),
            lines=sum(new.entries[file.path].outline.lines for file in files if file.path in near & wanted),
            seconds=self.run.clock.total(),
        )

    def _paths(self) -> frozenset[str]:
        return frozenset(file.path for file in self.change.files)

    def _is_read(self, file: FileChange) -> bool:
        """Whether the project reads the file, or read it before."""
        config, entries = self.session.config, self.run.state.entries
        if file.path in entries or self._is_page(file):
            return True
        return file.old.endswith(discover.ENDINGS) and not discover.excluded(config, config.root / file.old)

    def _is_page(self, file: FileChange) -> bool:
        return any(discover.is_web(self.session.config, path) for path in (file.path, file.old) if path)

    def _of_pages(self, files: Iterable[FileChange], near: Set[str], wanted: Set[str]) -> list[Finding]:
        """What rules that read pages say of other files: what pages offer counts for handlers wherever these are."""
        codes = {rule.code for rule in all_rules().values() if rule.front}
        others = frozenset(wanted - near)
        if not codes or not others or not any(map(self._is_page, files)):
            return []
        report = self.session.report(self.run, others, self.targets, self.options, codes)
        return [finding for finding in report.findings if finding.code in codes]

    def _before(self, run: Opened, found: Collection[Finding], files: Iterable[FileChange]) -> list[Finding]:
        """The findings of the old side where these might have stood, under the paths that their files have now."""
        moved = {file.old: file.path for file in files if file.old and file.path and file.old != file.path}
        named = {finding.location.path for finding in found}
        chosen = (named | {old for old, path in moved.items() if path in named}) & run.state.entries.keys()
        report = self.session.report(run, frozenset(chosen), self.targets, self.options, blame.asked(found))
        return [_at(finding, moved.get(finding.location.path, "")) for finding in report.findings]

    def _kept(self, found: Sequence[Finding], before: Opened, files: Sequence[FileChange]) -> Iterator[Finding]:
        elsewhere = []
        # What other analysers say of a file depends on nothing else.
        by_file_alone = {code for code, rule in rules_of(self.session.config).items() if rule.engine}
        for finding in found:
            place = self._touched(finding, self.change.files)
            if place is None and finding.code not in by_file_alone:
                elsewhere.append(finding)
            elif place is not None:
                yield finding if place == finding.location else replace(finding, change=Step(place, "changed here"))
        # Most changes have nothing to do with the findings near them: then the old side need not be looked at.
        caused = list(_without(elsewhere, self._before(before, elsewhere, files))) if elsewhere else []
        if caused:
            yield from blame.relocated(self.session, self.run, self.change, files, caused)

    def _touched(self, finding: Finding, files: Iterable[FileChange]) -> Location | None:
        """The first place of a finding that the change touches, its own first."""
        changed = {file.path: file for file in files}
        own = finding.location
        first, last = finding.statement
        if own.path in changed:
            first, last = min(first or own.line, own.line), max(last, own.line, own.end_line)
            if changed[own.path].touches(first, last):
                return own
        for step in (*finding.trace, *finding.related):
            place = step.location
            if place.path in changed and changed[place.path].touches(place.line, max(place.line, place.end_line)):
                return place
        return None


def _without(found: Sequence[Finding], old: Sequence[Finding]) -> Iterator[Finding]:
    """The findings that no old one stands for; each old one stands for one."""
    keys: tuple[Callable[[baseline.Entry], object], ...] = (
        lambda item: (item.path, item.context, item.statement),
        lambda item: (item.path, item.statement),
        lambda item: (item.context.rpartition(".")[2], item.statement),
    )
    entries = [baseline.entry(finding) for finding in old]
    left = [(finding, baseline.entry(finding)) for finding in found]
    for key in keys:
        count = Counter(map(key, entries))
        still = []
        for finding, item in left:
            if count[key(item)]:
                count[key(item)] -= 1
                entries.remove(next(other for other in entries if key(other) == key(item)))
            else:
                still.append((finding, item))
        left = still
    return (finding for finding, _ in left)


def _at(finding: Finding, path: str) -> Finding:
    return replace(finding, location=replace(finding.location, path=path)) if path else finding
