"""A WeCom self-built app (企业微信自建应用): encrypted callback in, message/send and appchat/send out (platforms.md 1).

People write to the app one to one: words, bare photos, places. It never hears a group; it can speak in groups it made
itself. 200 is said after the commit. To one person a repetition within `repeat_seconds` is swallowed by WeCom, whose key
is the request's own bytes: they stay the same for one row and differ between rows. To a group WeCom promises nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from aiohttp import web

from bot.engine import Engine
from bot.platforms import Pace, wecom_parts
from bot.platforms.alone import homeward
from bot.platforms.envelope import Envelope, read_body, refused
from bot.platforms.registry import Setup
from bot.platforms.wecom_api import BASE, WecomApi, outward
from bot.platforms.wecom_letters import Letter, letter
from config.errors import Busy, ConfigError, Fault, Parked, Refused, Retry, SendError, Unknown
from config.settings import FILE
from handlers.events import Message, Photo
from handlers.office import Channel
from store.outbox import OutboxRow

log = structlog.get_logger()

GROUP = "chat/"  # what a group's address begins with
ADDRESS_PER_MINUTE = 30  # to one member; what is over is dropped without a word (platforms.md 1.2)
CHANNEL_PER_MINUTE = 600
BUSY_SECONDS, PATIENCE = 0.25, 4.0  # WeCom hangs up at 5 s and comes again (platforms.md 1.5)
REPEAT_SECONDS, REPEAT_SPREAD = 1800, 1000  # at most 4 h
MEDIA = 512  # uploaded pictures remembered
PICTURE_BYTES = 10 << 20
TEXT_BYTES = 2048


class WecomAppPlatform:
    """A person's address is the userid, a group's is chat/CHATID."""

    OPTIONS: Mapping[str, str | int | bool] = {
        "corp": "",
        "agent": 0,
        "base": BASE,
        "ca": "",
        "proxy": "",
        "cards": True,
        "duplicate_check": True,
        "address_per_minute": ADDRESS_PER_MINUTE,
    }
    SECRETS = ("secret", "token", "aes_key")

    def __init__(self, setup: Setup) -> None:
        self._checks = bool(setup.options["duplicate_check"])
        self._cards = bool(setup.options["cards"])
        self.channel = Channel(
            setup.name,
            True,
            "idempotent" if self._checks else "at-least-once",
            "企业微信自建应用",
            text_bytes=TEXT_BYTES,
            forms=("news", "markdown", "picture", "text"),
            markdown_bytes=TEXT_BYTES,
            hears="none",
            buttons=self._cards,
        )
        self.pace = Pace(setup.number("address_per_minute"), setup.per_minute or CHANNEL_PER_MINUTE)
        self.engine: Engine | None = None
        self._photo = setup.photo
        self._agent = setup.number("agent")
        base, corp = setup.text("base"), setup.text("corp")
        if not corp or not self._agent:
            raise ConfigError(
                [Fault(FILE, None, None, f"channels.{setup.name} 需要选项 corp（企业 ID）和 agent（AgentId）")]
            )
        self._fetcher = outward(setup)
        self.api = WecomApi(base, self._fetcher, corp, setup.secrets["secret"])
        self._envelope = Envelope(setup.secrets["token"], setup.secrets["aes_key"], corp)
        self._media: OrderedDict[str, str] = OrderedDict()
        self._beside: set[asyncio.Task[None]] = set()

    def add_routes(self, app: web.Application) -> None:
        """The one address WeCom verifies and posts to."""
        app.router.add_get(f"/in/{self.channel.name}", self._verified, allow_head=False)
        app.router.add_post(f"/in/{self.channel.name}", self._posted)

    async def start(self) -> None:
        """WeCom calls us; a token is fetched with the first message."""

    async def close(self) -> None:
        """Let go of what only decorates, and of connections."""
        for task in tuple(self._beside):
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        await self._fetcher.close()

    async def probe(self) -> str:
        """Whether corpid and Secret are taken and this machine may call."""
        found = await self.api.read("getcallbackip")
        return f"corpid 和 Secret 有效，企业微信从 {len(found.get('ip_list') or ())} 个地址回调"

    async def fetch(self, photo: Photo) -> bytes:
        """Media ids hold three days."""
        return await self.api.download(photo.ref)

    async def send(self, row: OutboxRow, message: Message) -> str:
        """To a person or to a group the app made."""
        shown = await self._shown(row, message)
        if row.address.startswith(GROUP):
            return await self._to_group(row, shown)
        receipt = ""
        for place, (kind, content) in enumerate(shown):
            found = await self.api.send("message/send", self._letter(row, place, kind, content))
            if row.address.lower() in _names(found, "invaliduser", "unlicenseduser"):
                raise Refused("对方不在应用的可见范围里，或没有企业微信许可")
            receipt = receipt or str(found.get("msgid") or row.key)
        return receipt

    async def create_chat(self, name: str, users: Sequence[str], chat: str = "") -> str:
        """Make a group of these people and say the first word, without which nobody sees it; its address."""
        if not 2 <= len(users) <= 2000:
            raise Refused("建群要 2 至 2000 人")
        body = {"name": name[:50], "owner": users[0], "userlist": list(users)} | ({"chatid": chat} if chat else {})
        found = await self.api.send("appchat/create", body)
        address = f"{GROUP}{found['chatid']}"
        said = {
            "chatid": found["chatid"],
            "msgtype": "text",
            "text": {"content": "本群用于发布工单和通知；办理请在应用里回复"},
        }
        await self.api.send("appchat/send", said)
        return address

    def _letter(self, row: OutboxRow, place: int, kind: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
        body: dict[str, Any] = {"touser": row.address, "msgtype": kind, "agentid": self._agent, kind: content}
        if self._checks:
            spread = (row.seq * 7 + place) % REPEAT_SPREAD  # two rows that say the same are two messages
            body |= {"enable_duplicate_check": 1, "duplicate_check_interval": REPEAT_SECONDS + spread}
        return body

    async def _to_group(self, row: OutboxRow, shown: Sequence[wecom_parts.Part]) -> str:
        """Nobody swallows repetitions here, so what is unclear waits for a person."""
        chat = row.address.removeprefix(GROUP)
        for place, (kind, content) in enumerate(shown):
            try:
                await self.api.send("appchat/send", {"chatid": chat, "msgtype": kind, kind: content, "safe": 0})
            except Unknown as error:
                raise Parked(str(error)) from None
            except (Retry, Refused) as error:
                if place:
                    raise Parked(f"前 {place} 段已发出，后面没有发成") from error
                raise
        return row.key

    async def _shown(self, row: OutboxRow, message: Message) -> list[wecom_parts.Part]:
        pictures = [("image", {"media_id": await self._uploaded(sha)}) for sha in message.photos]
        if self._cards and not row.address.startswith(GROUP):
            task_id = hashlib.sha256(f"{row.key}/{row.at}".encode()).hexdigest()[:32]
            card = wecom_parts.card(message, task_id)
            if card is not None:
                return [("template_card", card), *pictures]
        return [*wecom_parts.parts(message, self.channel.markdown_bytes), *pictures]

    async def _uploaded(self, sha: str) -> str:
        """Once per picture: a retry has to name the same id, or it is another message."""
        if sha not in self._media:
            path = self._photo(sha)
            data = await asyncio.to_thread(wecom_parts.picture, path, PICTURE_BYTES)
            self._media[sha] = await self.api.upload("media/upload", "image", f"{sha[:16]}.jpg", data)
            if len(self._media) > MEDIA:
                self._media.popitem(last=False)
        return self._media[sha]

    @property
    def _live(self) -> Engine:
        if self.engine is None:
            raise RuntimeError("the channel has no engine yet")
        return self.engine

    async def _verified(self, request: web.Request) -> web.Response:
        """The admin site's check: the word alone, within a second."""
        word = self._envelope.echo(request.query)
        return refused(self.channel.name) if word is None else web.Response(text=word)

    async def _posted(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        fields = self._envelope.open_xml(request.query, body) if body is not None else None
        if fields is None:
            return refused(self.channel.name)
        found = letter(self.channel.name, fields)
        if found is not None and not await self._kept(found):
            if request.transport is not None:
                request.transport.abort()  # an answer other than 200 may end the repetitions (security.md D.2)
            return web.Response(status=503)
        return web.Response()

    async def _kept(self, found: Letter) -> bool:
        """Durably; for as long as WeCom waits while there is no room."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            try:
                receipts = await self._live.inbox.accept([homeward(self._live, found.event)])
            except Busy:
                if asyncio.get_running_loop().time() > deadline:
                    return False
                await asyncio.sleep(BUSY_SECONDS)
                continue
            if found.response_code and receipts[0].state == "kept":
                self._show_pressed(found)
            return True

    def _show_pressed(self, found: Letter) -> None:
        """The button says that it was pressed. Only a decoration: text commands and the console are the truth."""
        task = asyncio.get_running_loop().create_task(self._update(found))
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def _update(self, found: Letter) -> None:
        verb = found.event.text.split()[0] if found.event.text.split() else ""
        body = {
            "userids": [found.event.sender],
            "agentid": self._agent,
            "response_code": found.response_code,
            "button": {"replace_name": f"已提交：{verb}"[:10]},
        }
        try:
            await self.api.send("message/update_template_card", body)
        except SendError as error:
            log.info("card_not_updated", channel=self.channel.name, reason=str(error))


def _names(found: Mapping[str, Any], *keys: str) -> set[str]:
    """WeCom gives ids back in lower case."""
    return {name.lower() for key in keys for name in str(found.get(key) or "").split("|")} - {""}
