"""A running console for tests: the shipped county as an office would import it (no demo), everybody with a login, tasks to look at."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, DummyCookieJar
from aiohttp.test_utils import TestClient, TestServer

from bot.app import Parts, application, assemble
from bot.console import session
from config.files import shipped_county
from config.settings import Settings
from handlers.tasks.moving import day_of
from store import Tx, history, photos, sessions, tasks
from store.tasks import Task

PAGE = {"Accept": "text/html"}
# one person for each role; the county's own
PEOPLE = {
    "reporter": "limin",
    "handler": "zhangqiang",
    "deputy": "wanglei",
    "unit_leader": "liujianguo",
    "dispatcher": "zhaojing",
    "verifier": "qianfang",
    "arbiter": "zhoumin",
    "leader": "gaoyuan",
    "security_officer": "linhong",
    "admin": "hetao",
    "security_admin": "xuyan",
    "auditor": "tangwei",
    "editor": "qinyue",
    "reviewer": "fanwen",
    "publisher": "gaoyuan",
}


@dataclass(slots=True)
class House:
    """A console under test. Requests are made as a person, by a session that was begun for them directly."""

    client: TestClient[Any, Any]
    parts: Parts
    tokens: dict[str, str] = field(default_factory=dict)

    async def enter(self, person: str) -> str:
        """A session for somebody who has a password."""
        if person not in self.tokens:
            token, now = secrets.token_urlsafe(32), int(time.time())

            def job(tx: Tx) -> None:
                if sessions.login(tx, person) is None:
                    sessions.set_password(tx, person, "$argon2id$nobody")
                sessions.begin(tx, token, person, now, "127.0.0.1")

            await self.parts.engine.store.write(job)
            self.tokens[person] = token
        return self.tokens[person]

    def csrf(self, person: str) -> str:
        """The form token of that session."""
        return session.csrf_of(self.parts.engine.frame.key, self.tokens[person])

    async def get(self, person: str, path: str, **more: Any) -> ClientResponse:
        """GET a page as somebody; "" for nobody."""
        return await self.ask("GET", person, path, **more)

    async def post(self, person: str, path: str, form: dict[str, str] | None = None, **more: Any) -> ClientResponse:
        """POST a form as somebody, with their form token."""
        if person:
            await self.enter(person)
        data = {"csrf": self.csrf(person), **(form or {})} if person else form
        return await self.ask("POST", person, path, data=data, **more)

    async def ask(
        self, method: str, person: str, path: str, headers: dict[str, str] | None = None, **more: Any
    ) -> ClientResponse:
        """Any request as somebody."""
        sent = dict(PAGE)
        if person:
            sent["Cookie"] = f"{session.COOKIE}={await self.enter(person)}"
        return await self.client.request(
            method, path, headers={**sent, **(headers or {})}, allow_redirects=False, **more
        )

    async def task(self, state: str = "dispatched", unit: str = "cgj", reporter: str = "limin", **fields: Any) -> str:
        """Put a task on the board; its full number."""
        engine = self.parts.engine
        now = engine.store.now()
        task_id = f"x{secrets.token_hex(6)}"

        def job(tx: Tx) -> Task:
            group, text = fields.pop("group_id", "suishoupai"), fields.pop("text", "人民路井盖坏了")
            opened = fields.pop("opened_at", now - 3600)
            made = Task(task_id, None, None, state, group, reporter, text, unit=unit, opened_at=opened, **fields)
            tasks.add(tx, made)
            tasks.set_units(tx, task_id, unit)
            tasks.add_reporter(tx, task_id, reporter)
            history.append(tx, task_id, "open", "", state, actor=reporter, unit=unit)
            return tasks.name(tx, made, day_of(now))

        made = await engine.store.write(job)
        return f"{made.day}-{made.serial:03d}"

    async def photo(self, number: str, sha: str, role: str = "report") -> None:
        """A photo on a task, with a file behind it."""
        path = self.parts.shop.path(sha)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\xff\xd8\xff\xd9")

        def job(tx: Tx) -> None:
            task = tasks.by_number(tx, number)
            assert task is not None
            photos.add(tx, sha, 1, 1, 4, "0")
            tasks.add_photo(tx, task.id, sha, role, "limin", None)

        await self.parts.engine.store.write(job)

    async def state(self, number: str) -> str:
        """Where a task stands."""
        task = await self.parts.engine.store.read(lambda c: tasks.by_number(c, number))
        assert task is not None
        return task.state

    async def audited(self) -> list[tuple[str, str, str]]:
        """(actor, object, result), newest first."""
        from store import audit

        rows = await self.parts.engine.store.read(audit.listing)
        return [(row[2], row[5], row[7]) for row in rows]


@contextlib.asynccontextmanager
async def open_house(folder: Path, *, demo: bool = False, **settings: Any) -> AsyncIterator[House]:
    """Start everything in a folder of its own."""
    imported = None if demo else shipped_county()
    parts = assemble(folder, Settings(**{"totp_roles": "", **settings}), imported)
    client = TestClient(TestServer(application(parts, imported)), cookie_jar=DummyCookieJar())
    await client.start_server()
    try:
        yield House(client, parts)
    finally:
        await client.close()
