"""动态口令: a password alone opens nothing for the roles that need more, a code works once, a lost telephone has one way back."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from urllib.parse import unquote

import pyotp
import pytest
import pytest_asyncio

from bot.console import login
from store import people, sessions, totp
from tests.console_house import PAGE, House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "井盖坏了找市政中心修一修"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("totp"), totp_roles="admin|auditor") as found:
        hashed = await found.client.server.app[login.VAULT].hash(PASSWORD)  # type: ignore[attr-defined]
        for person in ("hetao", "tangwei", "limin"):
            await found.parts.engine.store.write(lambda tx, who=person: sessions.set_password(tx, who, hashed))
        yield found


async def enrol(house: House, person: str) -> pyotp.TOTP:
    page = await (await house.get(person, "/account/totp")).text()
    secret = re.search(r'<code class="num">([A-Z2-7 ]+)</code>', page)
    assert secret is not None and "data:image/svg+xml" in unquote(page)
    clock = pyotp.TOTP(secret[1].replace(" ", ""))
    answer = await house.post(person, "/account/totp", {"code": clock.at(time.time() - 30)})
    assert answer.status == 303
    return clock


async def password_then(house: House, person: str) -> tuple[int, str]:
    answer = await house.client.post(
        "/login", data={"name": person, "password": PASSWORD}, headers=PAGE, allow_redirects=False
    )
    found = re.search(r'name="ticket" value="([^"]+)"', await answer.text())
    assert "qunban" not in answer.headers.get("Set-Cookie", "") or found is None
    return answer.status, found[1] if found else ""


async def say(house: House, ticket: str, code: str) -> tuple[int, str]:
    answer = await house.client.post(
        "/login/code", data={"ticket": ticket, "code": code, "next": "/today"}, headers=PAGE, allow_redirects=False
    )
    return answer.status, answer.headers.get("Location", "")


async def test_a_role_that_needs_it_sees_only_its_enrolment_first(house: House) -> None:
    seen = await house.get("hetao", "/people")
    assert (seen.status, seen.headers["Location"]) == (303, "/account/totp")
    assert (await house.post("hetao", "/people/code", {"kind": "group", "subject": "suishoupai"})).status == 403
    assert (await house.get("limin", "/today")).status == 200
    await house.get("hetao", "/account/totp")
    wrong = await house.post("hetao", "/account/totp", {"code": "000000"})
    assert wrong.status == 422 and (await house.get("hetao", "/people")).status == 303
    await enrol(house, "hetao")
    assert (await house.get("hetao", "/people")).status == 200


async def test_password_and_code_open_and_a_code_works_once(house: House) -> None:
    clock = await enrol(house, "tangwei")
    status, ticket = await password_then(house, "tangwei")
    assert status == 200 and ticket
    code = clock.now()
    assert await say(house, ticket, code) == (303, "/today")
    assert (await say(house, ticket, code))[0] == 401
    assert (await say(house, ticket[:-1] + ("0" if ticket[-1] != "0" else "1"), clock.at(time.time() + 30)))[0] == 303
    stored = await house.parts.engine.store.read(lambda c: totp.get(c, "tangwei"))
    assert stored is not None and clock.secret.encode() not in stored.sealed


async def test_a_forged_or_foreign_ticket_leads_back_to_the_password(house: House) -> None:
    for ticket in ("", "tangwei|9999999999|00", "|", "tangwei|x|y"):
        assert await say(house, ticket, "123456") == (303, "/login")


async def test_wrong_codes_lock_as_wrong_passwords_do(house: House) -> None:
    _, ticket = await password_then(house, "tangwei")
    for _ in range(5):
        assert (await say(house, ticket, "000000"))[0] == 401
    found = await house.parts.engine.store.read(lambda c: sessions.login(c, "tangwei"))
    assert found is not None and found.locked_until > time.time()


async def test_a_login_code_is_the_way_back_for_a_lost_telephone(house: House) -> None:
    await house.parts.engine.store.write(lambda tx: people.make_code(tx, "w" * 32, "login", "tangwei", "xuyan", 3600))
    answer = await house.client.post(
        "/first",
        data={"token": "w" * 32, "password": PASSWORD + "二", "again": PASSWORD + "二"},
        headers=PAGE,
        allow_redirects=False,
    )
    assert answer.status == 303
    assert await house.parts.engine.store.read(lambda c: totp.get(c, "tangwei")) is None
