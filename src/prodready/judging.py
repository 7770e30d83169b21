"""Running rules in two processes, where there is much to judge: they share what was read and nothing else."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from prodready.finding import Finding, Problem
from prodready.interrupts import interrupts_held, leave_to_parent, pass_on
from prodready.link.linked import Linked
from prodready.read.stored import Said
from prodready.rules import Rule

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from prodready.state import Loader

Run = Callable[[Rule, Linked], tuple[list[Finding], list[Problem]]]


class Judged(msgspec.Struct):
    """What some rules said; `said` is that of the facts, see `state.Loader`."""

    findings: list[Finding]
    problems: list[Problem]
    said: dict[str, Said] = {}


def judge(rules: Sequence[Rule], linked: Linked, run: Run, *, apart: Loader | None) -> Judged:
    """What `run` gives for all the rules. With `apart` those that name a family are run in a process of their own.

    `apart` are the facts: a cache is not for two processes that once were one, so all of them have to be at hand. If that
    process cannot be started, or dies, its rules are run here: nothing is lost but time.
    """
    ours = [rule for rule in rules if apart is None or not rule.family]
    theirs = [rule for rule in rules if rule not in ours]
    if apart is None or not theirs or not ours or not _may_fork() or not apart.at_hand():
        return _all(rules, linked, run)
    import multiprocessing

    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(sender, theirs, linked, run, apart), daemon=True)
    try:
        with interrupts_held():
            process.start()
    except OSError:
        return _all(rules, linked, run)
    sender.close()
    try:
        mine = _all(ours, linked, run)
        try:
            other = msgspec.msgpack.decode(receiver.recv_bytes(), type=Judged)
            apart.add_said(other.said)
        except (EOFError, OSError, msgspec.MsgspecError):
            other = _all(theirs, linked, run)
    finally:
        process.kill()
        process.join()
    return Judged(mine.findings + other.findings, mine.problems + other.problems)


def run_rule(rule: Rule, linked: Linked) -> tuple[list[Finding], list[Problem]]:
    """A rule's findings; a rule that raises loses only what it had not found yet."""
    found: list[Finding] = []
    if rule.check is None:
        return found, []
    try:
        found.extend(rule.check(linked))
    except Exception as error:
        pass_on(error)
        if os.environ.get("PRODREADY_DEBUG") == "1":
            raise
        says = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        return found, [Problem(f"rule {rule.code} ({rule.slug}) failed, please report it: {says}")]
    return found, []


def _all(rules: Sequence[Rule], linked: Linked, run: Run) -> Judged:
    judged = Judged([], [])
    for rule in rules:
        found, problems = run(rule, linked)
        judged.findings += found
        judged.problems += problems
    return judged


def _may_fork() -> bool:
    return sys.platform == "linux" and threading.active_count() == 1


def _send(sender: Connection, rules: Sequence[Rule], linked: Linked, run: Run, facts: Loader) -> None:
    leave_to_parent()
    facts.leave_cache()
    judged = _all(rules, linked, run)
    if not facts.missed:  # else it is for the other process to find that out, and to say so
        judged.said = facts.said
        sender.send_bytes(msgspec.msgpack.encode(judged))
    sender.close()
