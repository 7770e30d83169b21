"""Other analysers that run inside of a check: files in, findings out. What they share is in `base.py`.

They run beside the reading and judging of Python, and whatever happens to one of them costs nothing but what it would have
found.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from pathlib import PurePosixPath

from prodready.cache import Cache
from prodready.config import Config
from prodready.discover import Walk
from prodready.engines import bandit, detect_secrets, semgrep
from prodready.engines.base import Answer, Answers, Engine, Slots
from prodready.finding import Problem
from prodready.interrupts import pass_on


class Engines:
    """The engines of one check: those that are on, each started once and asked once.

    `given` is the content that stands for that of files, None for one that is to be taken for absent. With `wanted` false
    none is on. All together have no more than `jobs` processes at once.
    """

    def __init__(
        self, config: Config, cache: Cache, given: Mapping[str, bytes | None], *, wanted: bool, jobs: int = 1
    ) -> None:
        self._given: Mapping[str, bytes] = {path: data for path, data in given.items() if data is not None}
        self._gone = given.keys() - self._given.keys()
        self._existing: frozenset[str] = frozenset()
        self._engines: list[Engine] = []
        self._done: list[Answer] = []
        self._slots = Slots(jobs)
        for module in (semgrep, detect_secrets, bandit):
            if wanted and module.is_on(config):
                self._guarded(module.NAME, partial(self._open, module.open_engine, config, cache))
            else:
                self._done.append(Answer(codes=module.codes(config)))

    def wants(self, name: str) -> bool:
        """Whether some engine has a use for a file that is not Python, by its name without the directory."""
        return any(engine.wants(name) for engine in self._engines)

    def start(self, walk: Walk, choose: Callable[[Iterable[str]], Collection[str]]) -> None:
        """Set the engines to work on the files that `choose` takes of those there are."""
        paths = {file.path for file in (*walk.files, *walk.others)}
        paths |= {path for path in self._given if self.wants(PurePosixPath(path).name)}
        self._existing = frozenset(paths - self._gone)
        chosen = sorted(choose(self._existing)) if self._engines else []
        python = {file.path for file in walk.files}
        for engine in list(self._engines):
            own = [path for path in chosen if path in python or engine.wants(PurePosixPath(path).name)]
            self._guarded(engine.name, partial(engine.start, own))

    def answers(self) -> Answers:
        """What they say, once they are done."""
        for engine in self._engines:
            for other in self._engines:
                self._guarded(other.name, other.proceed)
            self._guarded(engine.name, partial(self._ask, engine))
        return Answers(tuple(self._done))

    def stop(self) -> None:
        """End what still runs."""
        for engine in self._engines:
            engine.stop()

    def _open(
        self, opened: Callable[[Config, Cache, Mapping[str, bytes], Slots], Engine], config: Config, cache: Cache
    ) -> None:
        self._engines.append(opened(config, cache, self._given, self._slots))

    def _ask(self, engine: Engine) -> None:
        self._done.append(engine.answer(self._existing))

    def _guarded(self, name: str, work: Callable[[], None]) -> None:
        """Do the work; an error of ours in it becomes a problem."""
        try:
            work()
        except Exception as error:
            pass_on(error)
            if os.environ.get("PRODREADY_DEBUG") == "1":
                raise
            says = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            self._done.append(Answer(problems=(Problem(f"{name} could not be run, please report it: {says}"),)))
