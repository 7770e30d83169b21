"""Writes that belong together are committed one by one.

Why it matters
--------------
Between two commits a process can be killed, a connection lost, a check can fail. What was written before stays, what was
to follow is missing: an order without lines, money taken and not given, an account without its audit row. Nobody sees it
until the numbers do not add up, and no retry puts it right.

Bad
---
    def place(request):
        order = Order.objects.create(user=request.user)
        for item in request.POST.getlist("item"):
            OrderLine.objects.create(order=order, item=item)

Good
----
    from django.db import transaction

    @transaction.atomic
    def place(request):
        order = Order.objects.create(user=request.user)
        for item in request.POST.getlist("item"):
            OrderLine.objects.create(order=order, item=item)

Not reported
------------
One commit for all of it, or none because the caller commits; writes on different paths; a loop that ends with its first
write; functions that are only called inside a transaction, or only from requests where the settings make each request
one; the same row saved again (status before and after), rows that are only made sure of, the removal of what has expired:
these have low confidence. Tests, migrations, factories and seeds are left out.

References
----------
- CWE-362: Concurrent Execution using Shared Resource with Improper Synchronization
- CWE-460: Improper Cleanup on Thrown Exception
- Django documentation: Database transactions
- SQLAlchemy documentation: Transactions and Connection Management
- OWASP ASVS 5.0, V2.3: business logic steps succeed entirely or are rolled back
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from prodready.finding import Confidence, Finding, Location, Severity, Step
from prodready.link.frames import Frame
from prodready.link.holders import FAR
from prodready.link.rebuilding import plain
from prodready.link.linked import Linked
from prodready.link.paths import COMMIT, MAKING, STAMPS
from prodready.link.preparing import prepares, words_of
from prodready.link.transactions import Summary
from prodready.link.writes import Write, strength
from prodready.read import values as v
from prodready.read.facts import last_name
from prodready.read.values import Value
from prodready.rules.base import Rule
from prodready.words import split_words

LISTED = 4
"""Writes named in the message."""

ASIDE = frozenset(
    """
    script scripts bin tools cmd command commands cli ctl task tasks bgtasks job jobs cron worker workers backfill migrate
    sync synchronize daemon bridge
    """.split()
)
"""Words in names of files and functions that nobody waits for: there a batch may well be committed piece by piece."""

VAGUE = frozenset({"tools"})
"""Those that say nothing where a request leads to the function: helpers are kept in such places, too."""

STARTING = frozenset("main create_app make_app init_app setup_app startup on_startup lifespan bootstrap ready".split())
"""Names of functions that run when an application starts, and again when it starts again."""

CLEANING = frozenset(
    "clean cleanup purge prune expire expired expiry vacuum gc garbage stale obsolete outdated".split()
)
"""Words in names of functions that remove what nobody needs: the rest goes with the next run."""

REMOVING = frozenset("delete remove discard clear purge destroy drop unlink".split())
"""First words of names of functions that remove something."""

LOGS = frozenset({"log", "logs", "audit", "journal"})
"""Last words in names of tables that only say what happened."""

MESSAGES = frozenset("mail mails email emails sms notification notifications".split())
TELLING = frozenset("send sends sending notify notifies".split())
"""Last words in names of tables with what people were sent, and words in names of helpers that send it and note that down."""

LEFT_OVER = frozenset("cleanup expire expired expiry garbage stale obsolete outdated orphaned".split())
"""Those of them that say of a helper that it does so by the way."""

AGAIN = frozenset("rebuild rebuilds reindex recalculate recalc recompute regenerate resync".split())
"""Words in names of functions that bring up to date what follows from other rows: done again, it is."""

NOTES = frozenset(
    """
    attempt attempts cache caches recent recently viewed heartbeat throttle token tokens activation favorite favorites favourite favourites
    """.split()
)
"""Words in names of tables that note what somebody did or likes, to count or to remember it, that keep what can be found
out again, or of tokens, which are asked for again: one row less does no harm."""

WISHES = frozenset("preference preferences setting".split())
"""Words in names of tables that say how somebody wants to see things: to change some of them and not others does no harm."""

PURSUITS = frozenset("browsing listening login play reading search view viewing visit watch".split())
"""Words beside "history" in names of such tables: `SearchHistory`, but not `PriceHistory`."""

PASSING = frozenset("temp temporary tmp".split())
"""Words in names of tables whose rows are thrown away: what is left of them does no harm."""

STATES = frozenset("sync export exporter backup".split())
"""Words in names of tables that tell how far a job has come: everybody shall see that, and the next job does the rest."""


def check(linked: Linked) -> Iterator[Finding]:
    """Report the outermost functions that commit several writes on one path."""
    transactions = linked.transactions
    for frame, summary, above in transactions.partial():
        name = frame.function.qualname.rpartition(".")[2]
        if name == "<module>" or _prepares(linked, frame) or transactions.is_test(frame):
            continue
        confidence = _confidence(linked, frame, summary)
        # What is told at its callers is told once, but not with less confidence there, if it is more than one row too few.
        writes = [write for write in summary.counted if write.kind != "ensure"]
        if above and (confidence is Confidence.LOW or _one_by_one(writes) or _is_told(linked, above)):
            continue
        yield _finding(frame, _named(summary.counted), confidence)


def _is_told(linked: Linked, above: Sequence[Frame]) -> bool:
    """Whether a finding at one of these functions is no hint only."""
    summary = linked.transactions.summary
    return any(_confidence(linked, frame, summary(frame)) is not Confidence.LOW for frame in above)


def _runs_aside(linked: Linked, frame: Frame) -> bool:
    """Whether a function belongs to what runs beside the application: scripts, commands, tasks, by its name and place."""
    if frame.function.qualname.rpartition(".")[2] in STARTING:
        return True
    words = words_of(frame)
    said = words & ASIDE or {word for word in words if word.endswith("ctl")}
    if not said or linked.transactions.is_answer(frame):  # the tasks that a view shows are what people have to do
        return False
    return not said <= VAGUE or not linked.transactions.is_asked_for(frame)


def _one_by_one(writes: Sequence[Write]) -> bool:
    """Whether there is one write only, of another row in each round of a loop: what is done may stay done."""
    if len(writes) == 1 or (writes[0].turn is not None and all(write.turn == writes[0].turn for write in writes)):
        return True
    # Batch after batch, and what is left of the last one.
    batch = all(write.repeated for write in writes) or any(write.repeated and not write.via for write in writes)
    return batch and all(write.kind == "commit" for write in writes)


def _tidies(writes: Sequence[Write]) -> bool:
    """Whether a row is changed and rows that point at it are removed, or these and then that: done again, it is mended."""
    first, *others = writes or (None,)
    if first is not None and first.root is not None and all(_unlinks(write, first.root) for write in others):
        return not any(write.makes or write.removes for write in writes)
    if len(writes) != 2 or any(write.repeated for write in writes):
        return False
    removed = [write for write in writes if write.removes and write.root is None]
    if len(removed) == 1 and writes[0] is removed[0] and writes[1].removes:
        return True
    changed = [write for write in writes if not write.makes and not write.removes]
    return len(removed) == len(changed) == 1 and removed[0].label != changed[0].label


def _unlinks(write: Write, row: Value) -> bool:
    """Whether a row is made to be linked to nothing: `user.groups.clear()`."""
    target = write.call.target if write.call is not None else None
    links = plain(target.base) if isinstance(target, v.Attr) and target.name == "clear" else None
    return isinstance(links, v.Attr) and plain(links.base) == row


def _spends(writes: Sequence[Write]) -> bool:
    """Whether what is removed at the end is what the rest was done for, row by row: done again, all of it is.

    That holds for changes only. A new row would be made a second time.
    """
    *others, last = writes
    target = last.call.target if last.call is not None else None
    if not last.removes or last.via or not isinstance(target, v.Attr) or any(map(_makes_or_sends, others)):
        return False
    rows = plain(target.base)
    return bool(others) and all(
        write.call is not None
        and any(isinstance(x, v.Op) and x.kind == "each" and plain(x.subject) == rows for x in v.walk(write.call))
        for write in others
    )


def _makes_or_sends(write: Write) -> bool:
    return write.makes or write.sent or write.kind == "commit"


def _removes(write: Write) -> bool:
    """Whether a write removes rows or links: itself, or by the name of the helper that does it."""
    last = write.label.rpartition(".")[2] if write.label.endswith("()") else ""
    names = (last, *(name for name, _ in write.via))
    return write.removes or any(not REMOVING.isdisjoint(split_words(name)[:1]) for name in names)


def _links(write: Write) -> bool:
    """Whether a write links rows that may be linked already: `team.members.add(user)`."""
    return write.label.endswith(".add()") and not write.makes


def _removes_again(writes: Sequence[Write]) -> bool:
    """Whether nothing is done but to remove and to link, and the row by which the rest is found goes last.

    Done again, all is as it should be. A commit in the function itself may as well stand after all of it.
    """
    if not all(_removes(write) or _links(write) for write in writes) or not _removes(writes[-1]):
        return False
    if any(write.kind == "commit" and not write.via for write in writes):
        return False
    return not any(_removes(write) and write.root is not None and not write.helped for write in writes[:-1])


def _takes_back(writes: Sequence[Write]) -> bool:
    """Whether a row is made, and removed again: what was tried in between has failed, or is over."""
    pairs = list(zip(writes[::2], writes[1::2], strict=False))
    return len(writes) == 2 * len(pairs) > 0 and all(_is_taken_back(made, gone) for made, gone in pairs)


def _is_taken_back(made: Write, gone: Write) -> bool:
    if not _removes(gone) or _removes(made) or made.call is None:
        return False
    call = gone.call
    given = [x for value in (call.args if call is not None else ()) for x in v.walk(value)]
    if made.makes and gone.root is not None:
        given.append(plain(gone.root))
    place = (made.call.line, made.call.column)
    return any(isinstance(one, v.Call) and (one.line, one.column) == place for one in given)


def _beside(linked: Linked, frame: Frame) -> bool:
    """Whether nobody waits for what a function does, so that the next run may do what this one left."""
    return _runs_aside(linked, frame) or not linked.transactions.is_waited_for(frame)


def _is_state(write: Write) -> bool:
    """Whether a row tells how far a job has come: `ImportJob`, but not `Job`, which may be one for people."""
    words = split_words(write.label)
    return not STATES.isdisjoint(words) or ("job" in words and len(words) > 1)


def _is_note(write: Write) -> bool:
    """Whether a row notes what somebody did, or is a token, one that is thrown away, or is told when it was changed last."""
    words = split_words(write.label)
    if (write.removes and not PASSING.isdisjoint(words)) or _only_stamps(write):
        return True
    if not WISHES.isdisjoint(words) and not write.makes:
        return True
    return not NOTES.isdisjoint(words) or ("history" in words and not PURSUITS.isdisjoint(words))


def _is_sent_message(write: Write) -> bool:
    """Whether a helper that sends a message makes a row of it: to take that back would not bring the message back."""
    about = split_words(write.label.partition(".")[0])[-1:]
    helpers = (word for name, _ in write.via for word in split_words(name))
    return not write.removes and not MESSAGES.isdisjoint(about) and not TELLING.isdisjoint(helpers)


def _only_stamps(write: Write) -> bool:
    """Whether nothing is written but when something happened last: `update(modified_at=now())`."""
    name = last_name(write.call) if write.call is not None and not write.via else ""
    keywords = dict(write.call.keywords) if write.call is not None and name in {"update", "save"} else {}
    if name == "save":
        named = v.bare(keywords.get("update_fields", v.UNKNOWN))
        items = named.items if isinstance(named, v.Seq) and not named.open else ()
        columns = [str(one.value) if isinstance(one, v.Const) else "" for one in map(v.bare, items)]
    else:
        columns = list(keywords)
    return bool(columns) and all(not STAMPS.isdisjoint(split_words(column)) for column in columns)


def _adds_up(writes: Sequence[Write]) -> bool:
    """Whether there is a new row and a change of another table, so that to do it again does not mend it."""
    sure = [write for write in writes if not write.assumed]
    return (
        any(write.makes and (not write.via or write.root is not None) for write in sure)
        and len({write.label for write in sure}) > 1
    )


def _loses_sight(writes: Sequence[Write]) -> bool:
    """Whether the first write changes what rows were found by for which another table is still to be changed.

    The next run does not find them any more, and what this one has left undone stays so.
    """
    first, *others = writes or (None,)
    if first is None or first.via or first.repeated or first.call is None:
        return False
    columns = _columns(first.call)
    found_by = [
        x
        for x in v.walk(first.call)
        if isinstance(x, v.Call) and x != first.call and last_name(x) != "exclude"
        if any(key.partition("__")[0] in columns for key, _ in x.keywords)
    ]
    return any(
        write.call is not None and write.label != first.label and not write.via and query in v.walk(write.call)
        for write in others
        for query in found_by
    )


def _columns(call: v.Call) -> list[str]:
    """The columns that many rows at once are changed in: of `update(state=...)`, `bulk_update(rows, ["state"])`."""
    if last_name(call) == "update":
        return [key for key, _ in call.keywords if key != "**"]
    named = v.bare(call.args[1]) if last_name(call) == "bulk_update" and len(call.args) > 1 else v.UNKNOWN
    items = map(v.bare, named.items) if isinstance(named, v.Seq) else ()
    return [one.value for one in items if isinstance(one, v.Const) and isinstance(one.value, str)]


def _weighty(writes: Sequence[Write]) -> list[Write]:
    """The writes without notes, and without commits of helpers that may be of nothing, or of the row of another one.

    Nor is there harm in a helper that says of itself that it makes a row or brings it up to date, whichever is needed.
    """
    seen: dict[str, list[tuple[str, list[Value]]]] = {}
    removed = {write.label for write in writes if write.removes and not write.via}
    found = []
    for write in writes:
        if write.expired or _is_state(write) or _is_note(write) or (write.sent and write.via) or _is_sent_message(write):
            continue
        if write.via:
            helper, passed = write.via[0][0], _given(write)
            words = split_words(helper)
            if not LEFT_OVER.isdisjoint(words) or "upsert" in words or ("or" in words and not MAKING.isdisjoint(words)):
                continue
            like = seen.setdefault(write.label, [])
            # One helper that is given two things writes two rows.
            another = all(name == helper and given != passed for name, given in like)
            unknown = write.kind == "commit" and (write.label.isupper() or (write.label == COMMIT and not passed[1:]))
            if not another or unknown or (write.removes and write.label in removed):
                continue
            like.append((helper, passed))
        found.append(write)
    return found[:1] if all(map(_is_log_row, found)) else found


def _is_log_row(write: Write) -> bool:
    """Whether a write is a new row of a log: with another log's row missing, nothing else is left half done."""
    words = split_words(write.label.strip("`"))
    return write.makes and bool(words) and (words[-1] in LOGS or words[-2:] in {("log", "entry"), ("log", "record")})


def _given(write: Write) -> list[Value]:
    """What the call that leads to a write is given besides constants and texts, after its receiver."""
    call = write.call
    if call is None:
        return []
    given = [plain(value) for value in (*call.args, *(value for _, value in call.keywords))]
    receiver = plain(call.target.base) if isinstance(call.target, v.Attr) else v.Const(None)
    return [receiver, *(value for value in given if not isinstance(value, (v.Const, v.Text, v.Op)))]


def _confidence(linked: Linked, frame: Frame, summary: Summary) -> Confidence:
    name = frame.function.qualname.rpartition(".")[2]
    writes = [write for write in summary.counted if write.kind != "ensure"]
    if not summary.partial or _takes_back(writes) or _removes_again(writes) or _tidies(writes) or _spends(writes):
        return Confidence.LOW
    if len(writes) == 1 and linked.transactions.is_called_for_one(frame, writes[0]):
        return Confidence.LOW
    if not AGAIN.isdisjoint(split_words(name)):
        return Confidence.LOW
    apart = any(write.repeated and write.kind == "commit" and not write.via for write in writes)
    broken = apart and linked.transactions.breaks_up(frame)
    if not broken and _one_by_one(writes) and (
        _beside(linked, frame)
        or not (linked.transactions.is_answer(frame) or writes[0].makes or writes[0].kind == "commit")
        or not CLEANING.isdisjoint(split_words(name))
        or any(write.tolerated or write.removes or write.helped for write in writes)
    ):
        return Confidence.LOW
    if len({id(write.call) for write in writes}) == 1 and writes[0].helped:
        return Confidence.LOW
    weighty = _weighty(writes)
    again = not _adds_up(weighty) and not _loses_sight(weighty)
    if not broken and again and (_beside(linked, frame) or any(map(_is_state, writes))):
        return Confidence.LOW
    if strength(weighty) < 2:
        return Confidence.LOW
    if all(write.removes for write in writes) and (
        not CLEANING.isdisjoint(split_words(name)) or all(write.expired for write in writes)
    ):
        return Confidence.LOW
    sure = [write for write in writes if not write.assumed]
    return Confidence.HIGH if strength(sure) > 1 else Confidence.MEDIUM


def _named(writes: tuple[Write, ...]) -> tuple[Write, ...]:
    """The writes that a finding names, each once: those that count, or all if one of them does at most."""
    each = {(write.place, write.via): write for write in writes}
    counted = tuple(write for write in each.values() if write.kind != "ensure")
    return counted if len(counted) > 1 or any(write.repeated for write in counted) else tuple(each.values())


def _finding(frame: Frame, writes: tuple[Write, ...], confidence: Confidence) -> Finding:
    name = frame.function.qualname.rpartition(".")[2]
    each = Counter(_shown(write, frame) for write in writes[:LISTED])
    shown = ", ".join(text if times == 1 else f"{text} {times} times" for text, times in each.items())
    more = f" and {len(writes) - LISTED} more" if len(writes) > LISTED else ""
    count = "writes in a loop" if len(writes) == 1 else f"{len(writes)} writes"
    line = frame.function.line
    return Finding(
        code=rule.code,
        slug=rule.slug,
        message=f"{count}, no transaction: {shown}{more}",
        severity=Severity.ERROR,
        confidence=confidence,
        location=Location(frame.path, line, 1),
        trace=tuple(_steps(writes)),
        hint=f"open a transaction around them in `{name}()`: what fails half-way then leaves nothing behind",
        context=frame.function.qualname,
        statement=(line, line),
    )


def _what(write: Write) -> str:
    return write.label if write.label == COMMIT else f"`{write.label}`"


def _shown(write: Write, frame: Frame) -> str:
    loop = " in a loop" if write.repeated else ""
    if not write.via:
        return f"{_what(write)}{loop} (line {write.line})"
    through, here = write.via[0]
    other = "" if write.place.path == frame.path else f", {write.place.path.rpartition('/')[2]}:{write.place.line}"
    return f"{_what(write)}{loop} through `{through}` (line {here.line}{other})"


def _steps(writes: tuple[Write, ...]) -> Iterator[Step]:
    for write in writes:
        for name, location in write.via:
            yield Step(location, f"calls `{name}`")
        says = "commits" if write.kind == "commit" else "writes"
        what = "" if write.label == COMMIT else f" `{write.label}`"
        yield Step(write.place, f"{says}{what}{' again and again' if write.repeated else ''}")


def _prepares(linked: Linked, frame: Frame, depth: int = 0) -> bool:
    """Whether a function fills a database for somebody to play with, itself or because nothing else calls it."""
    transactions = linked.transactions
    if transactions.is_entry(frame):
        return False
    callers = [caller for caller, _, _ in transactions.sites(frame)] if depth < FAR else []
    return prepares(frame, linked.program) or (
        bool(callers) and all(_prepares(linked, caller, depth + 1) for caller in callers)
    )


rule = Rule(
    code="PRD302",
    slug="missing-transaction",
    severity=Severity.ERROR,
    stage="mvp",
    needles=(
        "save",
        "create",
        "delete",
        "update",
        "commit",
        "execute",
        "insert",
        "add",
        "set",
        "write",
        "remove",
        "fetch",
        "bulk",
    ),
    skip=frozenset({"tests", "migrations", "generated"}),
    check=check,
)
