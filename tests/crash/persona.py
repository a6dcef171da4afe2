"""One person at a browser: signs in, says things, and says them again with the same id until they are answered."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import aiohttp

from tests.crash.server import Server

CSRF = re.compile(r'name="csrf"[^>]*?(?:content|value)="([0-9a-f]+)"')
AGAIN = 0.05


class Persona:
    """Requests that got no answer, or a 5xx, are repeated unchanged, as the page's own script does."""

    def __init__(self, server: Server, person: str) -> None:
        self.person = person
        self.repeats = 0
        self._server = server
        self._client = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=20), cookie_jar=aiohttp.CookieJar(unsafe=True)
        )
        self._csrf = ""
        self._entering = asyncio.Lock()

    async def close(self) -> None:
        """Leave."""
        await self._client.close()

    async def say(self, room: str, message: str, text: str, photos: list[str] | None = None) -> dict[str, Any]:
        """What the server answered, after as many tries as it took."""
        form = {"room": room, "id": message, "text": text, "photos": "|".join(photos or ())}
        return await self.post("/in/web/messages", form)

    async def photo(self, raw: bytes) -> str:
        """Upload one; its hash."""
        found = await self.post("/in/web/photos", raw)
        return str(found["sha"])

    async def forward(self, seconds: int) -> int:
        """Let the demo's time run ahead. Not repeated: a second try would go twice as far."""
        await self.enter()
        form = {"seconds": str(seconds), "csrf": self._csrf}
        timeout = aiohttp.ClientTimeout(total=600)
        async with self._client.post(f"{self._server.url}/demo/forward", data=form, timeout=timeout) as answer:
            return int((await answer.json())["now"])

    async def post(self, path: str, body: dict[str, str] | bytes) -> dict[str, Any]:
        """Until a 200 comes."""
        while True:
            await self._server.up.wait()
            try:
                await self.enter()
                async with self._client.post(
                    f"{self._server.url}{path}", data=body, headers={"X-CSRF": self._csrf}
                ) as answer:
                    if answer.status == 200:
                        return dict(await answer.json())
                    assert answer.status >= 500 or answer.status == 429, f"{answer.status}: {await answer.text()}"
            except (aiohttp.ClientError, TimeoutError):
                pass
            self.repeats += 1
            await asyncio.sleep(AGAIN)

    async def enter(self) -> None:
        """Sign in to the demo once and become the person; the session outlives the server's deaths."""
        async with self._entering:
            if self._csrf:
                return
            async with self._client.get(f"{self._server.url}/login", params={"next": "/g/suishoupai"}) as page:
                text = await page.text()
            found = CSRF.search(text)
            if page.status >= 500:
                raise aiohttp.ClientError(f"login: {page.status}")
            assert found is not None, f"no form token in the page: {page.status} {page.url} {text[:300]}"
            form = {"person": self.person, "csrf": found[1]}
            async with self._client.post(
                f"{self._server.url}/demo/persona", data=form, allow_redirects=False
            ) as answer:
                if answer.status != 303:
                    raise aiohttp.ClientError(f"persona: {answer.status}")
            self._csrf = found[1]
