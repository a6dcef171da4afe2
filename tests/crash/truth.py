"""What must be so after a storm, read from the data directory alone; every contradiction becomes a line of `faults`."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bot.maintenance import witnessed_anchors
from bot.statistics import Book, differences, table_of
from config.errors import ConfigError
from handlers.calendar import Calendar
from handlers.tasks import lifecycle
from handlers.tasks.figures import as_text
from handlers.tasks.statistics import Period, count, names_of
from handlers.worktime import Worktime
from store import history, statistics
from store.county import load
from store.peeking import reading
from tests.crash.server import ROOT, Server

if TYPE_CHECKING:
    from tests.crash.storm import Said


EVER = Period(0, 2**37)


@dataclass(slots=True)
class Truth:
    """`faults` is empty when everything promised was kept."""

    reports: int
    tasks: int
    commands: int
    kills: int
    starts: list[float]
    repeats: int
    known: int
    forwards: int
    lines: int
    timers: int
    photos: int
    ends: dict[str, int]
    steps: dict[str, int]
    tables: int
    hits: dict[str, int]
    seconds: float
    faults: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """One line with the figures, then the faults."""
        starts = sorted(self.starts)
        p50, p99 = median(starts), starts[min(len(starts) - 1, round(len(starts) * 0.99))]
        reached = sum(count > 0 for count in self.hits.values())
        line = (
            f"storm: {self.reports} reports acknowledged -> {self.tasks} tasks, {self.commands} commands,"
            f" {self.kills} kills ({reached}/{len(self.hits)} failpoints reached), {self.repeats} repeats,"
            f" {self.known} answered as known, {self.forwards} forwards, {self.timers} timers rung, {self.lines} lines sent,"
            f" {self.photos} photos, {self.tables} tables compared; start p50 {p50:.2f} p99 {p99:.2f} max {starts[-1]:.2f} s; {self.seconds:.0f} s;"
            f" faults {len(self.faults)}"
        )
        missed = [name for name, count in self.hits.items() if not count]
        lived = [
            f"{name}: {', '.join(f'{key} {n}' for key, n in found.items())}"
            for name, found in (("tasks", self.ends), ("steps", self.steps))
        ]
        return "\n".join([line, *lived, *([f"not reached: {', '.join(missed)}"] if missed else []), *self.faults[:40]])


def find_truth(server: Server, said: Said, hits: dict[str, int], repeats: int, seconds: float) -> Truth:
    """Open the stopped server's books and check every promise."""
    books = sqlite3.connect(f"file:{server.data / 'qunban.db'}?mode=ro", uri=True)
    number = lambda sql: int(books.execute(sql).fetchone()[0])  # noqa: E731
    reports = sum(event in said.acknowledged for event in said.marks)
    truth = Truth(
        reports,
        number("select count(*) from task"),
        len(said.acknowledged) - reports,
        server.kills,
        server.starts,
        repeats,
        said.known,
        said.forwards,
        number("select count(*) from chat_line where outbox_seq is not null"),
        number("select count(*) from inbox where channel = 'clock'"),
        number("select count(*) from photo"),
        dict(books.execute("select state, count(*) from task group by state order by state").fetchall()),
        dict(books.execute("select event, count(*) from history group by event order by event").fetchall()),
        len(said.tables),
        hits,
        seconds,
    )
    checks = (
        _accepted(books, said),
        _reports(books, said),
        _numbers(books),
        _lives(books),
        history.verify(books, witnessed_anchors(server.data / "anchors.log")),
        _deliveries(books),
        _timers(books, server.data),
        _pictures(books, server.data),
        _sound(books),
        _statistics(books, server.data, said),
        _caps(books),
    )
    truth.faults = [fault for check in checks for fault in check]
    books.close()
    return truth


def _accepted(books: sqlite3.Connection, said: Said) -> Iterator[str]:
    """What was answered is on disk under the number that was answered, decided, once."""
    rows = {row[0]: row[1:] for row in books.execute("select event_id, seq, state from inbox where channel = 'web'")}
    for event, (state, seq) in said.acknowledged.items():
        if state == "forgotten":
            yield f"lost: {event} was taken for chatter"
        elif event not in rows:
            yield f"lost: {event} was acknowledged ({state})"
        elif seq and rows[event][0] != seq:
            yield f"{event} was acknowledged as {seq} and stands as {rows[event][0]}"
    for seq, channel, state, reason in books.execute(
        "select seq, channel, state, reason from inbox where state <> 'done'"
    ):
        yield f"inbox row {seq} ({channel}) is {state}: {reason}"


def _reports(books: sqlite3.Connection, said: Said) -> Iterator[str]:
    """Each report is one task, or part of one."""
    linked: defaultdict[str, set[str]] = defaultdict(set)
    for message, task in books.execute("select message, task from task_message where channel = 'web'"):
        linked[message].add(task)
    texts = [row[0] for row in books.execute("select text from task")]
    marked = Counter(text.rpartition(" ")[2] for text in texts)
    for event, mark in said.marks.items():
        if event in said.acknowledged and len(linked[event]) != 1:
            yield f"{event} belongs to {len(linked[event])} tasks"
        if marked[mark] > 1:
            yield f"{event} opened {marked[mark]} tasks"
    reports = sum(event in said.acknowledged for event in said.marks)
    if len(texts) != reports:  # none of them can be taken for another
        yield f"{reports} reports and {len(texts)} tasks"
    opened = Counter(row[0] for row in books.execute("select task from history where event = 'open'"))
    tasks = {row[0] for row in books.execute("select id from task")}
    yield from (f"task {task} opened {opened[task]} times" for task in tasks if opened[task] != 1)
    yield from (f"task {task} has a history and no row" for task in opened.keys() - tasks)


def _numbers(books: sqlite3.Connection) -> Iterator[str]:
    """Numbers of a day are 1, 2, 3 … without a gap."""
    rows = books.execute("select day, count(*), max(serial) from task where serial is not null group by day")
    yield from (f"{day}: {count} tasks but the last is {last}" for day, count, last in rows if count != last)


def _lives(books: sqlite3.Connection) -> Iterator[str]:
    """Every step in the history is one the table allows, from the state before to the state after."""
    state: dict[str, str] = {}
    merged: dict[str, str] = {}
    for task, n, event, source, target in books.execute(
        "select task, n, event, from_state, to_state from history order by task, n"
    ):
        if event != "open" and source != state.get(task):
            yield f"{task} step {n} ({event}) begins in {source}, the task was {state.get(task)}"
        if not _legal(event, source, target, merged.get(task, "")):
            yield f"{task} step {n}: {event} from {source} to {target}"
        if event == "merge":
            merged[task] = source
        state[task] = target
    for task, now in books.execute("select id, state from task"):
        if state.get(task) != now:
            yield f"{task} is {now}, its history says {state.get(task)}"


def _legal(event: str, source: str, target: str, merged: str) -> bool:
    if event == "open":
        return source == "" and target == "pending_confirmation"
    if event not in lifecycle.EVENTS:
        return source == target
    ends = {"": source, lifecycle.BACK: merged}
    return any(source in step.sources and target == ends.get(step.to, step.to) for step in lifecycle.EVENTS[event])


def _caps(books: sqlite3.Connection) -> Iterator[str]:
    """What may happen only so often did not happen more often."""
    for event, most in (("return_", 2), ("extend_ok", 2), ("open", 1)):
        for task, times in books.execute(
            "select task, count(*) from history where event = ? group by task having count(*) > ?", (event, most)
        ):
            yield f"{task}: {event} {times} times"
    for task, person, times in books.execute(
        "select task, person, count(*) from outbox where kind in ('reminder', 'escalation') and state = 'sent'"
        " group by task, person having count(*) > 2"
    ):
        yield f"{person or 'the group'} was reminded {times} times of {task}"


def _statistics(books: sqlite3.Connection, data: Path, said: Said) -> Iterator[str]:
    """What was counted before each death is counted still; rebuilt three ways and in another process, to the byte."""
    book = _book(books)
    yield from differences(books, book, statistics.last_at(books))
    for upto, text in said.tables:
        if _text_upto(books, upto) != text:
            yield f"the statistics up to step {upto} changed after a death"
    total = table_of(books, book, EVER).total.counts
    for name, sql in PLAIN.items():
        found = int(books.execute(sql).fetchone()[0])
        if total[name] != found:
            yield f"{name}: {total[name]} by the statistics, {found} by a plain look"
    command = (sys.executable, "-m", "bot", "stats", "--verify", "--data", str(data))
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode:
        yield f"bot stats --verify: {run.stdout}{run.stderr}"


PLAIN = {
    "received": "select count(*) from task",
    "closed": "select count(*) from task where state = 'closed'",
    "redone": "select count(*) from task where state = 'closed' and reworks > 0",
    "returned": "select coalesce(sum(returns), 0) from task",
    "extended": "select coalesce(sum(extensions), 0) from task",
    "suspended": "select coalesce(sum(suspensions), 0) from task",
    "filed": "select count(distinct task) from history where to_state = 'dispatched'",
}


def table_so_far(data: Path) -> tuple[int, str] | None:
    """(the newest step, the statistics up to it); None while the books cannot be read."""
    try:
        with reading(data) as books:
            books.execute("begin")
            upto = statistics.newest(books)
            return upto, _text_upto(books, upto)
    except ConfigError:
        return None


def _text_upto(books: sqlite3.Connection, upto: int) -> str:
    book = _book(books)
    table = count(statistics.every(books, upto), EVER, names_of(book.county), book.clock)
    return as_text(table, book.county, upto)


def _book(books: sqlite3.Connection) -> Book:
    county = load(books)
    return Book(county, Worktime(Calendar(county.calendar)))


def _deliveries(books: sqlite3.Connection) -> Iterator[str]:
    """Everything due was sent, in one line; nothing hangs; a dispatch was said once."""
    now = int(books.execute("select at from ledger").fetchone()[0])
    for seq, state, reason in books.execute(
        "select seq, state, reason from outbox where state in ('sending', 'unknown', 'dead') or (state = 'due' and not_before <= ?)",
        (now,),
    ):
        yield f"outbox row {seq} is {state}: {reason}"
    for seq, lines in books.execute(
        "select o.seq, count(l.pos) from outbox o left join chat_line l on l.outbox_seq = o.seq"
        " where o.state = 'sent' group by o.seq having count(l.pos) <> 1"
    ):
        yield f"outbox row {seq} stands in {lines} lines"
    for task, address, times in books.execute(
        "select o.task, o.address, count(*) from outbox o join inbox i on i.seq = o.origin where o.kind = 'dispatched'"
        " and i.kind = 'message' and o.person = '' group by o.task, o.address having count(*) > (select count(*)"
        " from history h where h.task = o.task and h.event in ('dispatch', 'confirm', 'reassign', 'joint'))"
    ):
        yield f"task {task} was announced {times} times in {address}"
    for lane in books.execute(
        "select a.lane from chat_line x join outbox a on a.seq = x.outbox_seq join chat_line y on y.room = x.room and y.pos > x.pos"
        " join outbox b on b.seq = y.outbox_seq where b.seq < a.seq and b.not_before <= a.at and b.attempts <= 1 limit 5"
    ):
        yield f"messages to {lane[0]} left out of order"


def _timers(books: sqlite3.Connection, data: Path) -> Iterator[str]:
    """Nothing due is left, nobody was passed over, nothing rang twice."""
    now = int(books.execute("select at from ledger").fetchone()[0])
    for subject, kind in books.execute("select subject, kind from timer where due_at <= ?", (now,)):
        yield f"the timer {kind} of {subject} has not rung"
    relays: defaultdict[str, list[int]] = defaultdict(list)
    for task, event, target, amount in books.execute("select task, event, to_state, amount from history order by seq"):
        if event == "relay":
            relays[task].append(amount)
        elif target == "dispatched" and event in ("dispatch", "confirm", "reassign", "joint"):
            relays[task].clear()  # another unit, another line of people
    waits: defaultdict[str, set[int]] = defaultdict(set)
    for task, unit, state in books.execute("select id, unit, state from task"):
        told = relays[task]
        if told != list(range(1, len(told) + 1)):
            yield f"{task} was passed on as {told}"
        if state == "dispatched":
            waits[unit].add(len(told))
    for unit, counts in waits.items():  # a day later whoever did not sign was passed on to the end of the line
        if len(counts) > 1 or 0 in counts:
            yield f"tasks of {unit} nobody signed for were passed on {sorted(counts)} times"
    shift = int((data / "clock").read_text() or 0)
    if shift < 0:
        yield "business time ran backwards"


def _pictures(books: sqlite3.Connection, data: Path) -> Iterator[str]:
    """A photo a task shows is whole on disk and counted."""
    shown = Counter(row[0] for row in books.execute("select sha from task_photo where hidden = 0"))
    kept = dict(books.execute("select sha, kept from photo").fetchall())
    for sha, times in shown.items():
        if not (data / "photos" / sha[:2] / f"{sha}.jpg").exists():
            yield f"photo {sha[:12]} is missing"
        if kept.get(sha, 0) < times:
            yield f"photo {sha[:12]} is shown {times} times and counted {kept.get(sha)}"


def _sound(books: sqlite3.Connection) -> Iterator[str]:
    verdict = books.execute("pragma integrity_check").fetchone()[0]
    if verdict != "ok":
        yield f"the database is damaged: {verdict}"
