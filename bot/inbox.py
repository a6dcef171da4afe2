"""Accept and decide: an event is on disk before its platform is answered, and settled once, in order within its lane.

accept(events) → screened → one commit → lane → prepare (may run ahead) → decide in the writer's transaction
"""

from __future__ import annotations

import asyncio
import traceback
from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog

from bot.windows import Windows
from config.errors import Busy
from handlers import Decision, decide, listening
from handlers.events import Event, Facts, body_of, restored, stamped
from handlers.listening import Heard
from handlers.office import Office
from handlers.personal import find_personal, mask
from handlers.screening import find_secret
from store import Outcome, Store, Tx, drafts, inbox, outbox, tasks, timers
from store.history import keyed_mark
from store.inbox import InboxRow

log = structlog.get_logger()

LANE_BATCH = 64
RETRY_SECONDS = (0.05, 0.2, 0.5, 1.0, 2.0)
TEXT_LIMIT = 4000  # characters; longer texts are cut here, before screening (security.md T25)

QUICK = frozenset({"command", "click"})  # why an event was kept, when nothing need be prepared for its decision
CLICKS = 256  # decisions kept for pages that ask a moment later

Prepare = Callable[[Event, Office], Awaitable[Facts]]
Beside = Callable[[Tx, Sequence[InboxRow | None]], None]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one event at accept: kept, known (a redelivery), secret or forgotten."""

    state: str
    seq: int = 0
    at: int = 0


@dataclass(slots=True)
class _Waiting:
    event: Event
    facts: asyncio.Task[Facts] | None


class Inbox:
    """`office` gives the current snapshot; `settled` is told of each decision after its commit."""

    def __init__(
        self,
        store: Store,
        office: Callable[[], Office],
        prepare: Prepare,
        settled: Callable[[Event, Outcome[Decision]], Awaitable[None]],
        bound: int = 2000,
    ) -> None:
        self._store = store
        self._office = office
        self._prepare = prepare
        self._settled = settled
        self._bound = bound
        self.windows = Windows()
        self._lanes: dict[str, deque[_Waiting]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._arriving: Counter[str] = Counter()
        self._asked: dict[int, asyncio.Future[Decision | None]] = {}
        self._clicked: OrderedDict[int, Decision | None] = OrderedDict()
        self.open = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def accept(self, events: Sequence[Event], beside: Beside | None = None) -> list[Receipt]:
        """Keep what is for the bot, durably, and start deciding it. Raises Busy when nothing was stored.

        `beside` runs in the same transaction with one row (None for a known event) per kept event.
        """
        if self.open >= self._bound:
            raise Busy("系统正忙，请稍后再试。")
        office = self._office()
        kept: list[Event] = []
        answers: list[int | None] = []
        quick = len(events) == 1
        for event in events:
            screened, reason = await self._screen(event, office)
            if screened is None:
                answers.append(None)
                continue
            quick = quick and reason in QUICK and not screened.photos
            now = self._store.now()
            pulled = self.windows.recall(screened, now) if screened.group and not quick else []
            kept += map(_masked, pulled)
            answers.append(len(kept))
            kept.append(screened)
        if not kept:
            return [Receipt("forgotten") for _ in events]
        if quick and kept[0].lane not in self._lanes and not self._arriving[kept[0].lane]:
            rows = await self._accept_and_decide(kept[0], beside)
        else:
            rows = await self._accept_only(kept, beside)
        return [_receipt(kept, rows, index) for index in answers]

    async def _accept_only(self, kept: Sequence[Event], beside: Beside | None) -> Sequence[InboxRow | None]:
        lanes = {event.lane for event in kept}
        self._arriving.update(lanes)
        try:
            rows = await self._store.write(partial(_store_all, kept, beside))
        finally:
            self._arriving.subtract(lanes)
            for lane in lanes:
                if not self._arriving[lane]:
                    del self._arriving[lane]
        self._take_up(kept, rows)
        return rows

    async def _accept_and_decide(self, event: Event, beside: Beside | None) -> Sequence[InboxRow | None]:
        """A command that needs nothing prepared, in a lane where nothing waits: both transactions under one commit.

        The lane's order holds, since the writer takes requests first come, first served.
        """
        stored: list[InboxRow | None] = []

        def accept(tx: Tx) -> None:
            stored.extend(_store_all((event,), beside, tx))

        def settle(tx: Tx) -> Decision | None:
            row = stored[0]
            return None if row is None else self._decide(stamped(event, row.seq, row.at), Facts(), tx)

        self._count_in()
        try:
            accepted, decided = await self._store.submit((accept, settle))
            accepted.result()
        except BaseException:
            self._count_out()
            raise
        if stored[0] is None:
            self._count_out()
        else:
            event = stamped(event, stored[0].seq, stored[0].at)
            self._open_window(event)
            await self._finish(event, decided)
        return stored

    async def _screen(self, event: Event, office: Office) -> tuple[Event | None, str]:
        """The event as it may be stored, and why it is kept; None to forget it."""
        if event.kind not in ("message", "click"):
            return event, event.kind
        if len(event.text) > TEXT_LIMIT:
            event = replace(event, text=event.text[:TEXT_LIMIT])
        secret = find_secret(event.text) if event.text else None
        if secret is not None and secret.level != "warn":
            mark = keyed_mark(office.key, event.text)
            masked = replace(
                event, kind="secret", text="", photos=(), quote="", name="", action=secret.rule, subject=mark
            )
            return masked, "secret"
        now = self._store.now()
        heard = Heard(self.windows.is_open(event, now), bool(event.quote) and await self._speaks_of_task(event))
        reason = listening.keep(event, office, heard)
        if not reason:
            self.windows.remember(event, now)
            return None, ""
        return _masked(event), reason

    async def _speaks_of_task(self, event: Event) -> bool:
        channel, quote = event.channel, event.quote

        def find(connection: Any) -> bool:
            return bool(
                tasks.of_message(connection, channel, quote) or outbox.task_of_receipt(connection, channel, quote)
            )

        return await self._store.read(find)

    async def accept_timers(self, due: Sequence[timers.Timer]) -> int:
        """Turn due timers into events, each once; how many were still set."""
        events = [
            Event(
                "clock",
                f"{t.subject}/{t.kind}/{t.due_at}",
                "timer",
                group=t.lane,
                subject=t.subject,
                action=t.kind,
                due_at=t.due_at,
            )
            for t in due
        ]
        rows = await self._store.write(partial(_store_timers, events, due))
        self._take_up(events, rows)
        return sum(row is not None for row in rows)

    async def resume(self) -> int:
        """At start: take up again every event that was accepted and not decided; how many."""
        rows = await self._store.read(inbox.undecided)
        now = self._store.now()
        for draft in await self._store.read(drafts.all_open):
            self.windows.open(draft.group_id, draft.sender, now)
        for row in rows:
            event = restored(row.channel, row.event_id, row.kind, row.sender, row.body, row.sent_at, row.seq, row.at)
            self._open_window(event)
            self._push(event)
        return len(rows)

    def take_again(self, row: InboxRow) -> None:
        """A parked event was reopened by a person."""
        self._push(restored(row.channel, row.event_id, row.kind, row.sender, row.body, row.sent_at, row.seq, row.at))

    @property
    def has_room(self) -> bool:
        """Whether another event would be taken."""
        return self.open < self._bound

    async def decision(self, seq: int, patience: float = 2.0) -> Decision | None:
        """Wait for the decision on an accepted click; None when it takes longer (处理中) or was parked."""
        if seq in self._clicked:
            return self._clicked.pop(seq)
        future = self._asked[seq] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(patience):
                decision: Decision | None = await future
                return decision
        except TimeoutError:
            return None
        finally:
            self._asked.pop(seq, None)

    async def idle(self) -> None:
        """Wait until everything accepted is decided."""
        await self._idle.wait()

    async def close(self) -> None:
        """Stop working; what is undecided stays on disk for the next start."""
        for worker in tuple(self._workers):
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def _take_up(self, events: Sequence[Event], rows: Sequence[InboxRow | None]) -> None:
        for event, row in zip(events, rows, strict=True):
            if row is not None:
                event = stamped(event, row.seq, row.at)
                self._open_window(event)
                self._push(event)

    def _open_window(self, event: Event) -> None:
        if event.kind == "message" and event.group:
            self.windows.open(event.group, event.sender, event.at)

    def _push(self, event: Event) -> None:
        self._count_in()
        loop = asyncio.get_running_loop()
        facts = loop.create_task(self._prepare_guarded(event)) if event.kind == "message" or event.photos else None
        waiting = _Waiting(event, facts)
        lane = self._lanes.get(event.lane)
        if lane is not None:
            lane.append(waiting)
            return
        self._lanes[event.lane] = deque((waiting,))
        worker = loop.create_task(self._work(event.lane))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def _prepare_guarded(self, event: Event) -> Facts:
        try:
            return await self._prepare(event, self._office())
        except Exception as error:  # noqa: BLE001 - the one place around a prepare: the decision goes on without its facts
            log.error("prepare_failed", seq=event.seq, error=type(error).__name__)
            return Facts(bad_photos=("照片没有取到，请重发一次",) if event.photos else ())

    async def _work(self, name: str) -> None:
        lane, failures = self._lanes[name], 0
        while lane:
            batch = [lane.popleft() for _ in range(min(len(lane), LANE_BATCH))]
            facts = [await waiting.facts if waiting.facts is not None else Facts() for waiting in batch]
            jobs = [partial(self._decide, waiting.event, found) for waiting, found in zip(batch, facts, strict=True)]
            try:
                outcomes = await self._store.submit(jobs)
            except Busy:
                lane.extendleft(reversed(batch))
                await asyncio.sleep(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)])
                failures += 1
                continue
            failures = 0
            for waiting, outcome in zip(batch, outcomes, strict=True):
                await self._finish(waiting.event, outcome)
        del self._lanes[name]

    def _decide(self, event: Event, facts: Facts, tx: Tx) -> Decision:
        return decide(tx, event, facts, self._office())

    async def _finish(self, event: Event, outcome: Outcome[Decision]) -> None:
        if outcome.error is not None:
            await self._park(event, outcome.error)
        else:
            await self._settled(event, outcome)
        self._answer(event, outcome.value)
        self._count_out()

    def _answer(self, event: Event, decision: Decision | None) -> None:
        future = self._asked.get(event.seq)
        if future is not None and not future.done():
            future.set_result(decision)
        elif event.kind == "click":
            self._clicked[event.seq] = decision
            if len(self._clicked) > CLICKS:
                self._clicked.popitem(last=False)

    def _count_in(self) -> None:
        self.open += 1
        self._idle.clear()

    def _count_out(self) -> None:
        self.open -= 1
        if not self.open:
            self._idle.set()

    async def _park(self, event: Event, error: Exception) -> None:
        """A decision that failed waits for a person; the next event goes on. No words of the event are logged."""
        frame = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{type(error).__name__} {frame.name}:{frame.lineno}"
        log.error("decide_failed", seq=event.seq, kind=event.kind, reason=reason)
        while True:
            try:
                return await self._store.write(lambda tx: inbox.settle(tx, event.seq, "parked", reason))
            except Busy:
                await asyncio.sleep(RETRY_SECONDS[-1])


def _masked(event: Event) -> Event:
    marks = find_personal(event.text) if event.text else ()
    return replace(event, text=mask(event.text, marks)) if marks else event


def _store_all(events: Sequence[Event], beside: Beside | None, tx: Tx) -> list[InboxRow | None]:
    rows = [inbox.add(tx, e.channel, e.id, e.kind, e.lane, e.sender, body_of(e), e.sent_at) for e in events]
    if beside is not None:
        beside(tx, rows)
    return rows


def _store_timers(events: Sequence[Event], due: Sequence[timers.Timer], tx: Tx) -> list[InboxRow | None]:
    return [
        inbox.add(tx, e.channel, e.id, e.kind, e.lane, "", body_of(e), None) if timers.take(tx, timer) else None
        for e, timer in zip(events, due, strict=True)
    ]


def _receipt(kept: Sequence[Event], rows: Sequence[InboxRow | None], index: int | None) -> Receipt:
    if index is None:
        return Receipt("forgotten")
    row = rows[index]
    if row is None:
        return Receipt("known")
    return Receipt("secret" if kept[index].kind == "secret" else "kept", row.seq, row.at)
