"""一键演示: one problem from the first photo to the closed task, said by the demo's people through the same pipeline."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from bot.engine import Engine
from bot.media import PhotoShop
from bot.platforms.web import WebPlatform
from bot.prepare import Preparer
from config.county import Person
from config.errors import QunbanError, Rejected
from handlers.calendar import local
from store import tasks
from store.tasks import Task

log = structlog.get_logger()

ROOM = "suishoupai"
PACE = 2.2  # seconds between two things happening
OPENINGS = (
    ("limin", "人民路38号"),
    ("wangfang", "解放路16号"),
    ("zouping", "建设路102号"),
    ("fangxin", "西环路75号"),
)
_NEWEST = "select max(seq) from outbox where task = ? and person = '' and channel = 'web'"


@dataclass(frozen=True, slots=True)
class Scene:
    """Somebody says something. `who` is a person id, @reporter or @handler; played only in the states named."""

    title: str
    who: str
    says: str
    states: tuple[str, ...] = ()
    picture: str = ""
    minutes: int = 0  # business time that passes before it


SCENES = (
    Scene("指挥员确认派单", "zhaojing", "派 {number} 市政设施管理中心", ("pending_confirmation",)),
    Scene("经办人签收", "@handler", "签收", ("dispatched",), minutes=2),
    Scene(
        "到现场看过，退单",
        "@handler",
        "退单 是供热管井的井盖，产权单位是供热公司",
        ("accepted", "dispatched"),
        minutes=12,
    ),
    Scene("指挥员改派", "zhaojing", "改派 供热公司", ("returned",), minutes=1),
    Scene("新单位签收", "@handler", "签收", ("dispatched",), minutes=2),
    Scene("到场", "@handler", "到场", ("accepted",), minutes=15),
    Scene("整改后拍照反馈", "@handler", "反馈 井盖已更换，已压实", ("in_progress",), "after", minutes=25),
    Scene("上报人核查", "@reporter", "通过", ("feedback_given",), minutes=5),
)


@dataclass(slots=True)
class Progress:
    """Where a story stands, for every page that shows it."""

    playing: bool = False
    n: int = 0
    of: int = len(SCENES) + 1
    title: str = ""
    person: str = ""
    room: str = ROOM

    def facts(self) -> dict[str, Any]:
        """As the browser gets it."""
        return {
            "playing": self.playing,
            "n": self.n,
            "of": self.of,
            "title": self.title,
            "person": self.person,
            "room": self.room,
        }


@dataclass(slots=True)
class Storyteller:
    """Plays one story at a time."""

    engine: Engine
    web: WebPlatform
    shop: PhotoShop
    preparer: Preparer
    pace: float = PACE
    progress: Progress = field(default_factory=Progress)
    _playing: asyncio.Task[None] | None = None
    _round: int = 0

    def start(self, pace: float = PACE) -> str:
        """Begin; the room in which it happens. Raises Rejected while one is under way or the county is another."""
        if self._playing is not None and not self._playing.done():
            raise Rejected("演示正在进行。")
        needed = {ROOM} - self.engine.office.groups.keys() | {p for p, _ in OPENINGS} - self.engine.office.people.keys()
        if needed:
            raise Rejected("一键演示只用于自带的示例县。")
        self.pace = pace
        self._playing = asyncio.get_running_loop().create_task(self._guard(self._play))
        return ROOM

    async def stop(self) -> None:
        """End it where it is."""
        if self._playing is not None and not self._playing.done():
            self._playing.cancel()
            await asyncio.gather(self._playing, return_exceptions=True)
        self._tell(False, "", "")

    async def _guard(self, play: Callable[[], Awaitable[None]]) -> None:
        try:
            await play()
            self._tell(False, "演示完毕：从上报到办结", "")
        except QunbanError as error:
            log.warning("story_ended", reason=str(error))
            self._tell(False, f"演示没有演完：{error}", "")

    async def _play(self) -> None:
        reporter, place = OPENINGS[self._round % len(OPENINGS)]
        self._round += 1
        self.progress.n = 0
        await self._until_open()
        said = f"{place}门口的井盖破了，有人差点掉进去"
        event = await self._say("随手拍上报", reporter, said, "before")
        task = await self._task_of(event)
        for scene in SCENES:
            await asyncio.sleep(self.pace)
            task = await self._scene(scene, task.id)
        await asyncio.sleep(self.pace)

    async def _until_open(self) -> None:
        now = self.engine.store.now()
        opening = self.engine.office.worktime.next_open(now)
        if opening > now:
            await self._run_ahead(opening - now + 60)

    async def _run_ahead(self, seconds: int) -> None:
        self.web.broadcast("clock", {"now": await self.engine.clock.forward(seconds)})

    async def _scene(self, scene: Scene, task_id: str) -> Task:
        task = await self.engine.store.read(lambda c: tasks.get(c, task_id))
        if task.state not in scene.states:
            self.progress.n += 1
            return task
        if scene.minutes:
            await self._run_ahead(scene.minutes * 60)
        who = {"@handler": task.handler, "@reporter": task.reporter}.get(scene.who, scene.who)
        newest = await self.engine.store.read(lambda c: c.execute(_NEWEST, (task_id,)).fetchone()[0])
        quote = f"o{newest}" if newest is not None and "{number}" not in scene.says else ""
        await self._say(scene.title, who, scene.says.replace("{number}", task.number), scene.picture, quote)
        return await self.engine.store.read(lambda c: tasks.get(c, task_id))

    async def _say(self, title: str, who: str, text: str, picture: str, quote: str = "") -> str:
        person = self.engine.office.people.get(who)
        if person is None:
            raise Rejected("剧本里的人不在县资料里")
        self.progress.n += 1
        self._tell(True, title, self._called(person))
        shas = [await self._photo(picture)] if picture else []
        message = f"story-{secrets.token_hex(6)}"
        await self.web.say(person, ROOM, message, text, shas, quote)
        await self.engine.settle()
        return f"{who}/{message}"

    def _called(self, person: Person) -> str:
        return f"{self.engine.office.unit_name(person.unit)} {person.name}"

    async def _photo(self, which: str) -> str:
        from bot.console.picture import manhole

        stamp = f"{local(self.engine.store.now()):%Y-%m-%d %H:%M}"
        drawn = await asyncio.to_thread(manhole, which == "after", stamp, secrets.randbelow(60))
        return await self.preparer.register(await self.shop.clean(drawn))

    async def _task_of(self, event: str) -> Task:
        def find(connection: Any) -> Task | None:
            ids = tasks.of_message(connection, self.web.channel.name, event)
            return tasks.get(connection, ids[0]) if ids else None

        found = await self.engine.store.read(find)
        if found is None:
            raise Rejected("上报没有形成工单")
        return found

    def _tell(self, playing: bool, title: str, person: str) -> None:
        self.progress.playing, self.progress.title, self.progress.person = playing, title, person
        self.web.broadcast("story", self.progress.facts())
