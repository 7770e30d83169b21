"""A secret is written to a log.

Why it matters
--------------
Logs are copied to files, terminals, aggregators and support tickets, kept for months, and read by people who may not
know the secret. A password, token, key, session id, card number or one-time code that stands in a log is no secret any
more, and the log must be treated like the password database.

Bad
---
    def login(request):
        logger.info("login attempt %s", request.json)
        logger.debug(f"checking {request.json['password']}")

Good
----
    def login(request):
        logger.info("login attempt for %s", request.json["username"])

Not reported
------------
A message that speaks of a token while the value is a name, an id, a type, a URL, a count, an expiry or an exception;
`len`, `bool`, comparisons; what a redactor, a mask or a hash made of it, the project's own ones included; `SecretStr`; a
short prefix or suffix; the name of a secret or of an environment variable; tokens of parsers, language models and
pagination; public keys. Tests and generated files are left out.

References
----------
- CWE-532: Insertion of Sensitive Information into Log File
- OWASP Top 10 2021, A09: Security Logging and Monitoring Failures
- OWASP Logging Cheat Sheet: data to exclude
"""

from __future__ import annotations

from collections.abc import Iterator
from msgspec.structs import replace

import msgspec

from prodready.finding import Confidence, Finding, Severity
from prodready.link.frames import Frame
from prodready.link.linked import Linked
from prodready.link.percent import printed
from prodready.link.secret_looks import Leak, Reach
from prodready.link.sinks import Arrival, arrivals, shown_callee, trace
from prodready.read import values as v
from prodready.read.facts import last_name
from prodready.rules.base import Rule
from prodready.words import split_words

KINDS = frozenset({"log", "log-context"})
KEYS = ("key", "cache_key", "name")
"""Parameters that take what identifies an entry: a helper that logs one of them logs no more than that."""

FILED = frozenset({"key", "keyfile", "pem"})
OPENING = frozenset({"Path", "open", "isfile", "is_file", "exists", "access"})
"""Secrets that stand in a file of their own, and calls that are given the names of files."""

COMMANDS = frozenset("command commands cli ctl".split())
"""Words in names of files and functions that somebody starts by hand, and whose output that person reads."""

SHOWING = frozenset("print pprint pp write writelines".split())
MADE = frozenset("create generate gen make new issue mint random rotate token choice choices".split())
"""Calls that show something on the standard streams, and words in names of those that make a new secret."""

LONG = 6
"""Steps from which on a path is improbable where only a name speaks for the secret."""


def check(linked: Linked) -> Iterator[Finding]:
    """Judge what goes into every log call, there and at the callers of the functions that log what they are given."""
    judge = _Judge(linked)
    for sink in linked.sink_calls(KINDS):
        if not _writes_elsewhere(sink.fact.value):
            numbers = _numbers(sink.fact.value)
            for arrival in arrivals(sink):
                if not any(arrival.bound.value is number for number in numbers):
                    yield from judge.arrival(arrival, frozenset())


class _Judge:
    def __init__(self, linked: Linked) -> None:
        self.linked = linked
        self.secrets = linked.secrets
        self.reported: set[tuple[str, int, int]] = set()
        self.weak: set[tuple[str, int, int]] = set()

    def arrival(self, arrival: Arrival, seen: frozenset[tuple[str, str, str]]) -> Iterator[Finding]:
        at_sink = arrival.fact is arrival.sink.fact
        key_name = arrival.keyword if at_sink else ""
        found = self.secrets.given_as(key_name, arrival.bound)
        leaks = [f for f in found if isinstance(f, Leak) and not _names_file(f, arrival.frame)]
        span = arrival.fact.span
        place = (arrival.frame.path, span.line, span.column)
        strong = [leak for leak in leaks if not leak.weak]
        if leaks and (place not in self.reported or (strong and place in self.weak)):
            self.reported.add(place)
            (self.weak.discard if strong else self.weak.add)(place)
            yield self._finding(arrival, strong or leaks)
        for reach in dict.fromkeys(f for f in found if isinstance(f, Reach)):
            key = (*arrival.frame.key, reach.name)
            if key not in seen:
                frame = msgspec.structs.replace(arrival.frame, given=reach.given)
                for earlier in self.linked.callers_of(replace(arrival, frame=frame), reach.name):
                    given = earlier.bound
                    bound = given.sub(v.op("each", given.value)) if reach.iterated else given
                    yield from self.arrival(replace(earlier, bound=bound), seen | {key})

    def _finding(self, arrival: Arrival, leaks: list[Leak]) -> Finding:
        leak = max(leaks, key=lambda one: (not one.weak, one.sure))
        sink = shown_callee(arrival.sink.fact)
        via = "" if arrival.fact is arrival.sink.fact else f" through `{shown_callee(arrival.fact)}()`"
        return Finding(
            code=rule.code,
            slug=rule.slug,
            message=f"`{leak.name}`{f' ({leak.remark})' if leak.remark else ''} is written to the log by `{sink}()`{via}",
            severity=Severity.ERROR if leak.sure else Severity.WARNING,
            confidence=Confidence.LOW if self._is_handed_over(arrival, leak) else _confidence(arrival, leak),
            location=arrival.location,
            trace=trace(leak.bound, f"`{leak.name}` comes from here", leak.trail, arrival.location, arrival.onward),
            hint="leave the value out, or log something that identifies it without giving it away: an id, a masked form",
            context=arrival.frame.function.qualname,
            statement=(arrival.fact.span.first, arrival.fact.span.last),
        )

    def _is_handed_over(self, arrival: Arrival, leak: Leak) -> bool:
        """Whether a command shows a secret that it has just made to who started it, and who sees it nowhere else."""
        frame, program = arrival.frame, self.linked.program
        if arrival.sink.fact.name not in SHOWING or leak.bound.frame.key != frame.key:
            return False
        made = [one for one in v.walk(leak.bound.value) if isinstance(one, v.Call)]
        if not any(not MADE.isdisjoint(split_words(last_name(call))) for call in made):
            return False
        cls = program.owner(frame.path, frame.function)
        bases = program.lineage(cls) if cls is not None else ()
        near = "/".join(frame.path.removesuffix(".py").split("/")[-2:])
        return not COMMANDS.isdisjoint((*split_words(near), *split_words(frame.function.qualname))) or any(
            isinstance(base, str) and "command" in program.knowledge.label(base) for base in bases
        )


def _confidence(arrival: Arrival, leak: Leak) -> Confidence:
    if not leak.sure and (
        leak.weak
        or len(arrival.onward) + len(leak.trail) > LONG
        or any(f"passed as `{name}`" in s.message for s in arrival.onward for name in KEYS)
    ):
        return Confidence.LOW
    return Confidence.MEDIUM if arrival.assumed or not leak.sure else Confidence.HIGH


def _names_file(leak: Leak, frame: Frame) -> bool:
    """Whether the function takes what is called a key for the name of the file with the key in it."""
    if FILED.isdisjoint(split_words(leak.name)) or leak.bound.frame.key != frame.key:
        return False
    opened = [fact.value for fact in frame.function.calls if fact.name in OPENING]
    return any(v.bare(x) == v.bare(leak.bound.value) for call in opened for a in call.args[:1] for x in v.walk(a))


def _numbers(call: v.Call) -> list[v.Value]:
    """The arguments of a log message that come out as numbers: `"%d"`."""
    if not call.args:
        return []
    kept = printed(call.args[0], call.args[1:])
    return [argument for argument in call.args[1:] if not any(argument is other for other in kept)]


def _writes_elsewhere(call: v.Call) -> bool:
    """Whether a printing call is told to write to something other than the standard streams."""
    for key, value in call.keywords:
        if key == "file":
            name = v.dotted(v.bare(value)) or ""
            return name.rpartition(".")[2] not in {"stdout", "stderr"}
    return False


rule = Rule(
    code="PRD401",
    slug="secret-in-log",
    severity=Severity.ERROR,
    stage="mvp",
    family="values",
    needles=("log", "print", "warn", "write", "capture", "echo", "sentry"),
    sinks=KINDS,
    check=check,
)
