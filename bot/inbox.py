"""Accept and decide: an event is on disk before its platform is answered, and settled once, in order within its lane.

accept(events) → screened → one commit → lane → prepare (may run ahead) → decide in the writer's transaction
"""

from __future__ import annotations

import asyncio
import traceback
from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import structlog

from bot import failpoints
from bot.door import Door
from bot.windows import Windows
from config.errors import Busy
from handlers import Decision, decide
from handlers.events import Event, Facts, body_of, restored, stamped
from handlers.office import Office
from store import Job, Outcome, Store, Tx, drafts, inbox, photos, timers
from store.inbox import InboxRow

log = structlog.get_logger()
T = TypeVar("T")

LANE_BATCH = 64
RETRY_SECONDS = (0.05, 0.2, 0.5, 1.0, 2.0)

PULLS = frozenset({"addressed", "tagged", "quote", "window", "report", "photo"})  # what earlier pieces may belong to
QUICK = frozenset({"command", "click", "reaction"})  # why it was kept, when its decision needs nothing prepared
CLICKS = 256  # decisions kept for pages that ask a moment later

Prepare = Callable[[Event, Office], Awaitable[Facts]]
Rows = list[InboxRow | None]
Beside = Callable[[Tx, Sequence[InboxRow | None]], None]
Rest = Callable[[], Awaitable[None]]


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
    """`office` gives the current snapshot; `settled` is told of each decision behind its commit, in commit order."""

    def __init__(
        self,
        store: Store,
        office: Callable[[], Office],
        prepare: Prepare,
        settled: Callable[[Event, Outcome[Decision]], Rest | None],
        bound: int = 2000,
    ) -> None:
        self._store = store
        self._office = office
        self._prepare = prepare
        self._settled = settled
        self._bound = bound
        self.windows = Windows()
        self._door = Door(store, self.windows)
        self._lanes: dict[str, deque[_Waiting]] = {}
        self._workers: set[asyncio.Task[Any]] = set()
        self._resumed = False
        self._arriving: Counter[str] = Counter()
        self._coming = 0
        self._asked: dict[int, asyncio.Future[Decision | None]] = {}
        self._clicked: OrderedDict[int, Decision | None] = OrderedDict()
        self.open = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def accept(self, events: Sequence[Event], beside: Beside | None = None) -> list[Receipt]:
        """Keep what is for the bot, durably, and start deciding it. Raises Busy when nothing was stored.

        `beside` runs in the same transaction with one row (None for a known event) per kept event.
        """
        if not self._resumed or not self.has_room:
            raise Busy("系统正忙，请稍后再试。")
        office = self._office()
        kept: list[Event] = []
        pulled: list[Event] = []
        answers: list[int | None] = []
        quick: set[int] = set()
        for event in events:
            screened, reason = await self._door.screen(event, office)
            if screened is None:
                answers.append(None)
                continue
            pieces = self.windows.recall(screened, self._store.now()) if reason in PULLS else []
            kept += pieces
            pulled += pieces
            answers.append(len(kept))
            if reason in QUICK and not screened.photos:
                quick.add(len(kept))
            kept.append(screened)
        if not kept:
            return [Receipt("forgotten") for _ in events]
        rows = await self._commit(partial(_store_all, kept, beside), kept, self._free(kept, quick), pulled)
        if failpoints.ARMED:
            failpoints.reach("accept.before_answer")
        return [_receipt(kept, rows, index) for index in answers]

    def _free(self, kept: Sequence[Event], quick: set[int]) -> list[int]:
        """Places of the commands that need nothing prepared and have nobody of their lane before them."""
        slow = {event.lane for place, event in enumerate(kept) if place not in quick}
        lanes = ((place, kept[place].lane) for place in sorted(quick))
        return [p for p, lane in lanes if lane not in slow and lane not in self._lanes and not self._arriving[lane]]

    async def _commit(
        self, job: Job[Rows], kept: Sequence[Event], quick: Sequence[int] = (), pulled: Sequence[Event] = ()
    ) -> Rows:
        """One commit, which also decides what is quick; the rest is taken up behind it in commit order, even if nobody
        waits for it any more. A lane's order holds, since the writer takes requests first come, first served."""
        rows: list[InboxRow | None] = []

        def accept(tx: Tx) -> Rows:
            rows[:] = job(tx)
            return rows

        def settle(place: int, tx: Tx) -> Decision | None:
            row = rows[place]
            return None if row is None else self._decide(stamped(kept[place], row.seq, row.at), Facts(), tx)

        slow = [event.lane for place, event in enumerate(kept) if place not in quick]
        self._arriving.update(slow)
        self._coming += len(kept)
        jobs: list[Job[Any]] = [accept, *(partial(settle, place) for place in quick)]
        outcomes = await self._store.submit(jobs, partial(self._stored, kept, quick, slow, pulled))
        outcomes[0].result()
        return rows

    def _stored(
        self,
        kept: Sequence[Event],
        quick: Sequence[int],
        slow: Sequence[str],
        pulled: Sequence[Event],
        outcomes: list[Outcome[Any]] | None,
    ) -> None:
        if failpoints.ARMED:
            failpoints.reach("accept.after_commit")
        self._coming -= len(kept)
        for lane in slow:
            self._arriving[lane] -= 1
            if not self._arriving[lane]:
                del self._arriving[lane]
        if outcomes is None or outcomes[0].error is not None:
            self.windows.put_back(pulled, self._store.now())
            return
        decided = dict(zip(quick, outcomes[1:], strict=True))
        for place, row in enumerate(outcomes[0].result()):
            if row is None:
                continue
            event = stamped(kept[place], row.seq, row.at)
            at_once = decided[place].value if place in decided else None
            if at_once is None or not at_once.forgotten:
                self._open_window(event)
            if place in decided:
                self._settle_at_once(event, decided[place])
            else:
                self._push(event)

    def _settle_at_once(self, event: Event, outcome: Outcome[Decision]) -> None:
        rest = self._conclude(event, outcome)
        if rest is None:
            return self._answer(event, outcome.value)
        self._count_in()
        self._begin(self._finish(event, outcome, rest))

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
        rows = await self._commit(partial(_store_timers, events, due), events)
        return sum(row is not None for row in rows)

    async def resume(self) -> int:
        """At start: take up again every event that was accepted and not decided; how many. Before it nothing is accepted."""

        def left(tx: Tx) -> tuple[list[InboxRow], list[drafts.Draft]]:
            return inbox.undecided(tx.connection), drafts.all_open(tx.connection)

        rows, unfinished = await self._store.write(left)
        for draft in unfinished:
            self.windows.open(draft.group_id, draft.sender, self._store.now())
        for row in rows:
            event = _of_row(row)
            self._open_window(event)
            self._push(event)
        self._resumed = True
        return len(rows)

    def take_again(self, row: InboxRow) -> None:
        """A parked event was reopened by a person."""
        self._push(_of_row(row))

    @property
    def has_room(self) -> bool:
        """Whether another event would be taken."""
        return self.open + self._coming < self._bound

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
        self._resumed = False
        for worker in tuple(self._workers):
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def _open_window(self, event: Event) -> None:
        if event.kind == "message" and event.group:
            self.windows.open(event.group, event.sender, event.at)

    def _push(self, event: Event) -> None:
        self._count_in()
        facts = self._begin(self._prepare_guarded(event)) if event.kind == "message" or event.photos else None
        lane = self._lanes.get(event.lane)
        if lane is not None:
            lane.append(_Waiting(event, facts))
            return
        self._lanes[event.lane] = deque((_Waiting(event, facts),))
        self._begin(self._work(event.lane))

    def _begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        worker = asyncio.get_running_loop().create_task(work)
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)
        return worker

    async def _prepare_guarded(self, event: Event) -> Facts:
        if failpoints.ARMED:
            failpoints.reach("prepare.begin")
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
            if failpoints.ARMED:
                failpoints.reach("prepare.end")
            jobs = [partial(self._decide, waiting.event, found) for waiting, found in zip(batch, facts, strict=True)]
            rest: list[Rest | None] = []
            try:
                outcomes = await self._store.submit(jobs, partial(self._decided, batch, rest))
            except Busy:
                lane.extendleft(reversed(batch))
                await asyncio.sleep(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)])
                failures += 1
                continue
            failures = 0
            for waiting, outcome, left in zip(batch, outcomes, rest, strict=True):
                await self._finish(waiting.event, outcome, left)
        del self._lanes[name]

    def _decide(self, event: Event, facts: Facts, tx: Tx) -> Decision:
        if failpoints.ARMED:
            failpoints.reach("decide.begin")
        decision = decide(tx, event, facts, self._office())
        if facts.waiting and not decision.forgotten:
            photos.wait(tx, event.channel, facts.waiting, event.seq)
        if failpoints.ARMED:
            failpoints.reach("decide.end")
        return decision

    def _decided(
        self, batch: Sequence[_Waiting], rest: list[Rest | None], outcomes: list[Outcome[Decision]] | None
    ) -> None:
        if outcomes is not None:
            rest += [self._conclude(waiting.event, outcome) for waiting, outcome in zip(batch, outcomes, strict=True)]

    def _conclude(self, event: Event, outcome: Outcome[Decision]) -> Rest | None:
        """Right behind the commit, in commit order; what has to wait for something comes back to be awaited."""
        if failpoints.ARMED:
            failpoints.reach("decide.after_commit")
        if outcome.error is not None:
            return partial(self._park, event, outcome.error)
        return self._settled(event, outcome)

    async def _finish(self, event: Event, outcome: Outcome[Decision], rest: Rest | None) -> None:
        if rest is not None:
            for failure in await asyncio.gather(rest(), return_exceptions=True):
                if isinstance(failure, Exception):  # the decision stands, and the lane goes on
                    log.error("settled_failed", seq=event.seq, error=type(failure).__name__)
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
            except inbox.SettledBefore:
                return None
            except Busy:
                await asyncio.sleep(RETRY_SECONDS[-1])


def _of_row(row: InboxRow) -> Event:
    return restored(row.channel, row.event_id, row.kind, row.sender, row.body, row.sent_at, row.seq, row.at)


def _store_all(events: Sequence[Event], beside: Beside | None, tx: Tx) -> Rows:
    rows = [inbox.add(tx, e.channel, e.id, e.kind, e.lane, e.sender, body_of(e), e.sent_at) for e in events]
    if beside is not None:
        beside(tx, rows)
    if failpoints.ARMED:
        failpoints.reach("accept.before_commit")
    return rows


def _store_timers(events: Sequence[Event], due: Sequence[timers.Timer], tx: Tx) -> Rows:
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
