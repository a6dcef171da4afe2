"""Signing in: nobody by default, slowly for those who guess, and revocable at any moment."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest
import pytest_asyncio
from aiohttp.test_utils import make_mocked_request

from bot.console import chat, login, session
from bot.console.login import NET_FAILURES, NETS, Networks, first_run_token
from bot.console.passwords import QUEUE, Vault, fault_of
from config.errors import Busy, ConfigError
from config.files import shipped_county
from store import county, people, sessions
from tests.console_house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")

GOOD = "井盖坏了找市政中心修一修"
COOKIE = re.compile(r"^(?:__Host-)?qunban=([^;]+)")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("login")) as found:
        yield found


async def sign_in(house: House, name: str, password: str, cookie: str = "") -> tuple[int, str]:
    """(status, new session id)."""
    answer = await house.client.post(
        "/login",
        data={"name": name, "password": password},
        headers={"Accept": "text/html", **({"Cookie": cookie} if cookie else {})},
        allow_redirects=False,
    )
    found = COOKIE.match(answer.headers.get("Set-Cookie", ""))
    return answer.status, found[1] if found else ""


async def inside(house: House, token: str) -> bool:
    answer = await house.client.get("/account", headers={"Cookie": f"qunban={token}"}, allow_redirects=False)
    return answer.status == 200


async def test_the_first_run_token_belongs_to_the_administrator_and_works_once(house: House) -> None:
    engine = house.parts.engine
    first = await first_run_token(engine)
    token = await first_run_token(engine)
    assert first and token and first != token
    assert len(bytes.fromhex(token)) == 16, "128 bits"
    assert token not in (house.parts.data / "qunban.db").read_bytes().hex(), "only its hash is stored"
    form = {"token": first, "password": GOOD, "again": GOOD}
    assert (await house.post("", "/first", form)).status == 403, "a newer token replaces the older one"
    weak = await house.post("", "/first", {"token": token, "password": "123456789012", "again": "123456789012"})
    assert weak.status == 422
    answer = await house.post("", "/first", {**form, "token": token})
    assert answer.status == 303
    assert (await house.post("", "/first", {**form, "token": token})).status == 403, "used up"
    assert await first_run_token(engine) is None
    assert (await sign_in(house, "hetao", GOOD))[0] == 303


async def test_without_an_administrator_the_start_says_what_to_write(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        shipped = shipped_county()
        nobody = replace(shipped, people=tuple(p for p in shipped.people if "admin" not in p.roles))
        await house.parts.engine.apply(lambda tx: county.save(tx, nobody))
        with pytest.raises(ConfigError, match=r"people\.csv"):
            await first_run_token(house.parts.engine)


async def test_the_sixth_guess_is_refused_even_when_right(house: House) -> None:
    await password_for(house, "zhaojing")
    for _ in range(5):
        assert (await sign_in(house, "zhaojing", "错的密码错的密码错的"))[0] == 401
    assert (await sign_in(house, "zhaojing", GOOD))[0] == 401
    later = int(time.time()) + 15 * 60
    await house.parts.engine.store.write(
        lambda tx: tx.execute("update login set locked_until = locked_until - 901 where person = 'zhaojing'")
    )
    assert later and (await sign_in(house, "zhaojing", GOOD))[0] == 303


async def password_for(house: House, person: str) -> None:
    hashed = await Vault().hash(GOOD)
    await house.parts.engine.store.write(lambda tx: sessions.set_password(tx, person, hashed))


async def test_a_network_that_guesses_must_wait_in_bounded_memory() -> None:
    nets = Networks()
    for _ in range(NET_FAILURES):
        assert not nets.locked("203.0.113.7", 100.0)
        nets.missed("203.0.113.7", 100.0, 900)
    assert nets.locked("203.0.113.200", 100.0), "the whole /24"
    assert not nets.locked("203.0.114.7", 100.0)
    assert not nets.locked("203.0.113.7", 1001.0)
    for n in range(NETS + 10):
        nets.missed(f"10.{n // 256}.{n % 256}.1", 100.0, 900)
    assert len(nets._failures) == NETS


async def test_unknown_names_answer_the_same_and_take_the_same_time(house: House) -> None:
    await password_for(house, "sunlei")

    async def took(name: str) -> tuple[float, str]:
        begun = time.perf_counter()
        answer = await house.client.post("/login", data={"name": name, "password": "x" * 12}, allow_redirects=False)
        return time.perf_counter() - begun, f"{answer.status} {await answer.text()}"

    known, unknown = [], []
    for n in range(8):
        house.client.app[login.NETWORKS]._failures.clear()  # type: ignore[index]
        await house.parts.engine.store.write(lambda tx: sessions.passed(tx, "sunlei"))
        known.append(await took("sunlei"))
        unknown.append(await took(f"niemand{n}"))
    assert {text for _, text in known} == {text for _, text in unknown}
    apart = abs(median(t for t, _ in known) - median(t for t, _ in unknown))
    assert apart < median(t for t, _ in known) / 2, "an unknown name is hashed, too"


async def test_the_hashing_queue_is_bounded() -> None:
    vault = Vault()
    vault._waiting = QUEUE
    with pytest.raises(Busy):
        await vault.hash(GOOD)
    vault.close()


@pytest.mark.parametrize(
    "password",
    ["short", "123456789012", "qwertyuiop12", "woaini1314520", "Admin123456!", "password1234", "aaaaaaaaaaaa", "zhongguo2026",
     "P@ssw0rd2026", "abc123456789", "hetao1234567", "hetao2026888", "1qaz2wsx3edc"],
)  # fmt: skip
async def test_passwords_everybody_tries_are_refused(password: str) -> None:
    assert fault_of(password, "hetao")


@pytest.mark.parametrize("password", [GOOD, "correct horse battery", "Tk7#vm2Qx!9pL", "luye-shidian-50-fen"])
async def test_passwords_of_ones_own_are_taken(password: str) -> None:
    assert fault_of(password, "hetao") == ""


async def test_a_preset_cookie_is_worthless_after_login(house: House) -> None:
    await password_for(house, "qianfang")
    status, token = await sign_in(house, "qianfang", GOOD, "qunban=attackers-choice")
    assert status == 303
    assert token and token != "attackers-choice"
    assert not await inside(house, "attackers-choice")
    _, again = await sign_in(house, "qianfang", GOOD, f"qunban={token}")
    assert again != token
    assert not await inside(house, token), "the older id ends with the new sign-in"
    stored = await house.parts.engine.store.read(lambda c: [row[0] for row in c.execute("select hash from session")])
    assert again not in stored, "only hashes are stored"


async def test_signing_out_ends_a_copied_cookie(house: House) -> None:
    await password_for(house, "wudong")
    _, here = await sign_in(house, "wudong", GOOD)
    _, there = await sign_in(house, "wudong", GOOD)
    key = house.parts.engine.frame.key
    await house.client.post("/logout", data={"csrf": session.csrf_of(key, here)}, headers={"Cookie": f"qunban={here}"})
    assert not await inside(house, here)
    assert await inside(house, there)
    _, third = await sign_in(house, "wudong", GOOD)
    form = {"csrf": session.csrf_of(key, third)}
    await house.client.post("/account/logout", data=form, headers={"Cookie": f"qunban={third}"})
    assert not await inside(house, there), "signed out everywhere"


async def test_sessions_end_after_half_an_hour_of_quiet_and_after_eight_hours(house: House) -> None:
    await password_for(house, "wudong")

    async def aged(seen: int, begun: int) -> bool:
        _, token = await sign_in(house, "wudong", GOOD)
        await house.parts.engine.store.write(
            lambda tx: tx.execute(
                "update session set seen_at = seen_at - ?, at = at - ? where hash = ?",
                (seen, begun, sessions.seal(token)),
            )
        )
        return await inside(house, token)

    assert await aged(29 * 60, 29 * 60)
    assert not await aged(31 * 60, 31 * 60)
    assert await aged(0, 7 * 3600)
    assert not await aged(0, 8 * 3600 + 60)


async def test_a_new_password_ends_every_other_session(house: House) -> None:
    await password_for(house, "wudong")
    _, token = await sign_in(house, "wudong", GOOD)
    await password_for(house, "wudong")
    assert not await inside(house, token)


async def test_login_codes_are_shown_once_and_first_ones_are_the_administrators(house: House) -> None:
    page = await house.post("hetao", "/people/code", {"kind": "login", "subject": "wangfang"})
    found = re.search(r"/first\?token=([0-9a-f]{32})", await page.text())
    assert page.status == 200 and found
    assert found[1] not in await (await house.get("hetao", "/people")).text()
    answer = await house.post("", "/first", {"token": found[1], "password": GOOD, "again": GOOD})
    assert answer.status == 303
    assert (await sign_in(house, "wangfang", GOOD))[0] == 303
    reset = {"kind": "login", "subject": "wangfang"}
    assert (await house.post("hetao", "/people/code", reset)).status == 403, "a reset is the security administrator's"
    assert (await house.post("xuyan", "/people/code", reset)).status == 200
    assert (await house.post("xuyan", "/people/code", {"kind": "login", "subject": "xuyan"})).status == 403


async def test_an_expired_code_opens_nothing(house: House) -> None:
    engine = house.parts.engine
    await engine.store.write(lambda tx: people.make_code(tx, "ab" * 16, "login", "limin", "hetao", -1))
    assert (await house.post("", "/first", {"token": "ab" * 16, "password": GOOD, "again": GOOD})).status == 403


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "/\\evil", "https://evil", "/\t/evil", "javascript:x", "/%0d%0aX: y", ""]
)
async def test_signing_in_never_leads_elsewhere(house: House, wanted: str) -> None:
    await password_for(house, "wudong")
    answer = await house.client.post(
        "/login", params={"next": wanted}, data={"name": "wudong", "password": GOOD}, allow_redirects=False
    )
    assert answer.headers["Location"] == "/"


async def test_behind_https_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    async with open_house(tmp_path, public_url="https://qb.example.gov.cn") as house:
        await password_for(house, "limin")
        answer = await house.client.post("/login", data={"name": "limin", "password": GOOD}, allow_redirects=False)
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-qunban=")
        for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            assert word in cookie
        assert "Domain" not in cookie


async def test_a_demo_cookie_is_worthless_once_the_demo_is_over(tmp_path: Path) -> None:
    async with open_house(tmp_path, demo=True) as house:
        answer = await house.client.get("/login", headers={"Accept": "text/html"}, allow_redirects=False)
        found = COOKIE.match(answer.headers["Set-Cookie"])
        assert found
        assert await inside(house, found[1])
        proxied = {"Cookie": f"qunban={found[1]}", "X-Forwarded-For": "203.0.113.9"}
        assert (await house.client.get("/account", headers=proxied)).status == 401, "through a proxy there is no demo"
        assert await first_run_token(house.parts.engine) is None


async def test_a_page_that_merely_stays_open_reaches_the_idle_limit(house: House) -> None:
    store, now, token = house.parts.engine.store, int(time.time()), await house.enter("limin")
    cookie = {"Cookie": f"{session.COOKIE}={token}"}
    request = make_mocked_request("GET", "/in/web/events", headers=cookie, app=house.client.server.app)  # type: ignore[union-attr]
    for seen, still in ((now - 1700, True), (now - 1900, False)):
        await store.write(lambda tx, at=seen: sessions.touch(tx, token, at))
        assert await chat._still(request, "limin") is still
        found = await store.read(lambda c: sessions.find(c, token))
        assert (found.seen_at if found else None) == (seen if still else None)
    del house.tokens["limin"]
