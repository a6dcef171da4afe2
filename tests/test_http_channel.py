"""The http channel: only signed words get in, once; what goes out is tried again safely; nothing leads inside."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot import fetcher
from bot.fetcher import Fetcher, public
from bot.platforms import http
from bot.platforms.registry import connect
from config.errors import Busy, ConfigError, Refused, Retry, Unknown
from tests.channel_house import GROUP, KEY, House, bound, open_house, settings


@dataclass(slots=True)
class Inside:
    """The other system: takes callbacks as told, and keeps what came."""

    server: TestServer
    plan: list[Any] = field(default_factory=list)
    got: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)

    def url(self, path: str = "/cb") -> str:
        return f"http://127.0.0.1:{self.server.port}{path}"


@pytest_asyncio.fixture
async def inside() -> AsyncIterator[Inside]:
    async def take(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        stamp = request.headers["X-Qunban-Timestamp"]
        assert request.headers["X-Qunban-Signature"] == http.sign(KEY.encode(), stamp, body)
        found.got.append((dict(request.headers), json.loads(body)))
        answer = found.plan.pop(0) if found.plan else web.json_response({"id": f"r{len(found.got)}"})
        if answer == "reset":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        response: web.StreamResponse = answer
        return response

    app = web.Application()
    app.router.add_post("/cb", take)
    found = Inside(TestServer(app))
    await found.server.start_server()
    yield found
    await found.server.close()


@pytest_asyncio.fixture
async def house(tmp_path: Path, inside: Inside) -> AsyncIterator[House]:
    setup = settings(
        oa={
            "kind": "http",
            "options": {"callback": inside.url(), "allow": f"127.0.0.1:{inside.server.port}"},
            "secrets": {"key": KEY},
        }
    )
    county = bound("oa", "G1", {"limin": "u-limin", "zhangqiang": "u-zq"})
    async with open_house(tmp_path / "data", county, setup) as found:
        yield found


async def post(
    house: House, said: object, *, stamp: str | None = None, key: str = KEY, raw: bytes | None = None, **headers: str
) -> tuple[int, dict[str, Any]]:
    body = raw if raw is not None else json.dumps(said).encode()
    when = stamp or str(int(time.time()))
    sent = {"X-Qunban-Timestamp": when, "X-Qunban-Signature": http.sign(key.encode(), when, body), **headers}
    async with house.client.post("/in/oa", data=body, headers=sent) as response:
        return response.status, await response.json()


REPORT = {"id": "m1", "group": "G1", "sender": "u-limin", "name": "李敏", "text": "#随手拍 西环路12号路灯不亮"}


@pytest.mark.asyncio
async def test_a_signed_report_becomes_a_task_and_its_notice_comes_back(house: House, inside: Inside) -> None:
    status, body = await post(house, REPORT)
    assert (status, body) == (200, {"events": [{"id": "m1", "state": "kept"}]})
    await house.settle()
    assert await house.sql("select group_id, reporter from task") == [(GROUP, "limin")]
    headers, said = inside.got[0]
    assert said["to"] == "G1" and "已受理" in said["text"] and said["quote"] == "m1" and not said["private"]
    assert headers["Idempotency-Key"] == said["id"]
    assert await house.sql("select state, receipt from outbox where channel = 'oa'") == [("sent", "r1")]


@pytest.mark.asyncio
async def test_a_redelivery_is_answered_200_and_opens_nothing(house: House) -> None:
    stamp = str(int(time.time()))
    first = await post(house, REPORT, stamp=stamp)
    again = await post(house, REPORT, stamp=stamp)
    later = await post(house, REPORT, stamp=str(int(stamp) - 5))
    await house.settle()
    assert first[0] == again[0] == later[0] == 200
    assert again[1] == later[1] == {"events": [{"id": "m1", "state": "known"}]}
    assert await house.sql("select count(*) from task") == [(1,)]


@pytest.mark.asyncio
async def test_every_way_to_fail_the_signature_looks_the_same(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    now = int(time.time())
    body = json.dumps(REPORT).encode()
    good = http.sign(KEY.encode(), str(now), body)
    attempts = [
        {},
        {"X-Qunban-Timestamp": str(now)},
        {"X-Qunban-Timestamp": str(now), "X-Qunban-Signature": good[:-1] + ("0" if good[-1] != "0" else "1")},
        {"X-Qunban-Timestamp": str(now), "X-Qunban-Signature": good.upper()},
        {"X-Qunban-Timestamp": str(now), "X-Qunban-Signature": "签" * 8},
        {"X-Qunban-Timestamp": f"{now}0", "X-Qunban-Signature": good},
        {"X-Qunban-Timestamp": "-1", "X-Qunban-Signature": http.sign(KEY.encode(), "-1", body)},
        *(
            {"X-Qunban-Timestamp": str(at), "X-Qunban-Signature": http.sign(KEY.encode(), str(at), body)}
            for at in (now - 310, now + 310)
        ),
        {"X-Qunban-Timestamp": str(now), "X-Qunban-Signature": http.sign(b"x" * 32, str(now), body)},
    ]
    answers = set()
    capsys.readouterr()
    for headers in attempts:
        async with house.client.post("/in/oa", data=body, headers=headers) as response:
            answers.add((response.status, await response.text(), response.headers["Content-Type"]))
    assert len(answers) == 1 and next(iter(answers))[0] == 403
    printed = capsys.readouterr()
    assert (printed.out + printed.err).count("signature_refused") == len(attempts)  # one line each
    assert await house.sql("select count(*) from inbox") == [(0,)]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"[" * 60000, 400),
        (b'{"a":' * 10000, 400),
        (b"9" * 60000, 400),
        (b"\xff\xfe", 400),
        (b"null", 400),
        (b'{"events":[]}', 400),
        (b'{"events":' + b"[" + b"{}," * 200 + b"{}]}", 400),
        (b'{"id":1,"sender":"u"}', 400),
        (b'{"id":"1","sender":"u","photos":["file:///etc/passwd"]}', 400),
        (b'{"id":"1","sender":"u","sent_at":1e99}', 400),
        (b'{"id":"1","sender":"u","sent_at":99999999999999999999}', 400),
        (b" " * 65536 + b"{}", 413),
    ],
)
async def test_bombs_and_nonsense_are_refused_before_anything_is_stored(house: House, raw: bytes, status: int) -> None:
    assert (await post(house, None, raw=raw))[0] == status
    assert await house.sql("select count(*) from inbox") == [(0,)]


@pytest.mark.asyncio
async def test_a_body_of_unknown_length_is_cut_off_at_the_cap(house: House) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 8192

    async with house.client.post("/in/oa", data=endless()) as response:
        assert response.status == 413


@pytest.mark.asyncio
async def test_a_compressed_body_is_not_unpacked(house: House) -> None:
    bomb = gzip.compress(b" " * (50 << 20))
    async with house.client.post("/in/oa", data=bomb, headers={"Content-Encoding": "gzip"}) as response:
        assert response.status == 415


@pytest.mark.asyncio
async def test_a_body_that_trickles_is_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_SECONDS", 0.05)
    never = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await never.wait()

    async with house.client.post("/in/oa", data=slow()) as response:
        assert response.status == 408


@pytest.mark.asyncio
async def test_words_no_database_takes_are_mended(house: House) -> None:
    raw = b'{"id":"m9","group":"G1","sender":"u-limin","text":"#\xe9\x9a\x8f\xe6\x89\x8b\xe6\x8b\x8d \\ud800\\u0000\xe8\xb7\xaf\xe7\x81\xaf\xe4\xb8\x8d\xe4\xba\xae"}'
    assert (await post(house, None, raw=raw))[1]["events"][0]["state"] == "kept"


@pytest.mark.asyncio
async def test_a_recall_reaches_the_message_it_takes_back(house: House) -> None:
    await post(house, REPORT)
    await house.settle()
    status, body = await post(house, {"recall": "m1", "group": "G1", "sender": "u-limin"})
    await house.settle()
    assert (status, body["events"]) == (200, [{"id": "m1", "state": "kept"}])
    assert await house.sql("select body from inbox where event_id = 'm1'") == [("{}",)]
    assert await house.sql("select state from task") == [("withdrawn",)]


@pytest.mark.asyncio
async def test_a_full_house_says_when_to_come_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> list[Any]:
        raise Busy("系统正忙，请稍后再试。")

    monkeypatch.setattr(house.parts.engine.inbox, "accept", full)
    body = json.dumps(REPORT).encode()
    stamp = str(int(time.time()))
    headers = {"X-Qunban-Timestamp": stamp, "X-Qunban-Signature": http.sign(KEY.encode(), stamp, body)}
    async with house.client.post("/in/oa", data=body, headers=headers) as response:
        assert response.status == 503 and int(response.headers["Retry-After"]) > 0


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answer", "state", "attempts"),
    [
        (web.json_response({}, status=202), "sent", 1),
        (web.Response(status=429, headers={"Retry-After": "7"}), "due", 1),
        (web.Response(status=500), "due", 1),
        (web.Response(status=400), "dead", 1),
        (web.Response(status=302, headers={"Location": "http://127.0.0.1/"}), "dead", 1),
        (web.Response(text="<html>登录</html>"), "due", 1),
        ("reset", "due", 1),
    ],
)
async def test_each_answer_of_the_callback_ends_as_it_should(
    house: House, inside: Inside, answer: Any, state: str, attempts: int
) -> None:
    inside.plan.append(answer)
    await post(house, REPORT)
    await house.settle()
    rows = await house.sql("select state, attempts, key, receipt from outbox where channel = 'oa'")
    assert rows[0][:2] == (state, attempts)
    if state == "sent":
        assert rows[0][3] == rows[0][2]
    assert len(inside.got) == 1


@pytest.mark.asyncio
async def test_a_notice_tried_again_is_the_same_notice(house: House, inside: Inside) -> None:
    inside.plan += ["reset"]
    await post(house, REPORT)
    await house.settle()
    engine = house.parts.engine
    await engine.store.write(lambda tx: tx.execute("update outbox set not_before = 1 where state = 'due'"))
    await engine.outbox.sweep()
    await house.settle()
    (one, said), (two, again) = inside.got
    assert one["Idempotency-Key"] == two["Idempotency-Key"] and said == again
    assert await house.sql("select state from outbox where channel = 'oa'") == [("sent",)]


@pytest.mark.asyncio
async def test_answers_map_to_what_is_certain(inside: Inside) -> None:
    allowed = Fetcher([f"127.0.0.1:{inside.server.port}"])
    headers = {"X-Qunban-Timestamp": "1", "X-Qunban-Signature": http.sign(KEY.encode(), "1", b"{}")}
    inside.plan += ["reset"]
    with pytest.raises(Unknown) as caught:
        await allowed.post(inside.url("/cb?access_token=SECRET"), b"{}", headers)
    assert "SECRET" not in repr(caught.value) and caught.value.__suppress_context__
    gone = inside.url()
    await inside.server.close()
    with pytest.raises(Retry):
        await allowed.post(gone, b"{}", {})
    await allowed.close()


TRICKS = (
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://127.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0.0.0.0:{port}/",
    "http://[::1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fe80::1%25lo]:{port}/",
    "http://user:pw@127.0.0.1:{port}/",
)


@pytest_asyncio.fixture
async def canary() -> AsyncIterator[tuple[int, list[str]]]:
    reached: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        reached.append(request.path)
        if request.path == "/hop":
            raise web.HTTPFound(request.query["to"])
        if request.path == "/big":
            return web.Response(body=b"x" * 3000)
        if request.path == "/bomb":
            return web.Response(body=gzip.compress(b"0" * (20 << 20)), headers={"Content-Encoding": "gzip"})
        return web.Response(body=b"inside")

    app = web.Application()
    app.router.add_get("/{any:.*}", answer)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    assert server.port is not None
    yield server.port, reached
    await server.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("trick", TRICKS)
async def test_no_address_leads_inside(canary: tuple[int, list[str]], trick: str) -> None:
    port, reached = canary
    guarded = Fetcher()
    with pytest.raises((Refused, Retry)):
        await guarded.get(trick.format(port=port))
    await guarded.close()
    assert reached == []


@pytest.mark.asyncio
async def test_a_name_that_turns_inward_after_it_was_looked_up_is_stopped_at_the_socket(
    canary: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, reached = canary

    async def rebound(self: object, host: str, port: int = 0, family: int = 0) -> list[dict[str, Any]]:
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": 2, "proto": 6, "flags": 0}]

    monkeypatch.setattr(aiohttp.resolver.ThreadedResolver, "resolve", rebound)
    monkeypatch.setattr(aiohttp.connector, "DefaultResolver", aiohttp.resolver.ThreadedResolver)
    guarded = Fetcher()
    with pytest.raises(Refused):
        await guarded.get(f"http://photos.example.cn:{port}/")
    await guarded.close()
    assert reached == []


@pytest.mark.asyncio
async def test_redirects_are_judged_anew_and_few(canary: tuple[int, list[str]]) -> None:
    port, reached = canary
    host = f"127.0.0.1:{port}"
    careful = Fetcher([host])
    assert await careful.get(f"http://{host}/hop?to=/photo") == b"inside"
    with pytest.raises(Refused):
        await careful.get(f"http://{host}/hop?to=http://localhost:{port}/secret")
    with pytest.raises(Refused):
        await careful.get(f"http://{host}/hop?to=file:///etc/passwd")
    with pytest.raises(Refused):
        await careful.get(f"http://{host}/hop?to=/hop%3Fto%3D/hop%253Fto%253D/hop%25253Fto%25253D/hop")
    await careful.close()
    assert "/secret" not in reached


@pytest.mark.asyncio
async def test_too_much_is_not_read_and_bombs_are_not_unpacked(canary: tuple[int, list[str]]) -> None:
    host = f"127.0.0.1:{canary[0]}"
    careful = Fetcher([host])
    with pytest.raises(Refused):
        await careful.get(f"http://{host}/big", limit=2000)
    with pytest.raises(Refused):
        await careful.get(f"http://{host}/bomb")
    await careful.close()


@pytest.mark.asyncio
async def test_a_server_that_says_nothing_is_waited_for_only_so_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetcher, "TIMEOUT", aiohttp.ClientTimeout(total=0.2))
    never = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await never.wait()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    careful = Fetcher([host])
    with pytest.raises(Retry):
        await careful.get(f"http://{host}/")
    with pytest.raises(Unknown):
        await careful.post(f"http://{host}/", b"{}", {})
    never.set()
    await careful.close()
    server.close()


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("8.8.8.8", True),
        ("2400:3200::1", True),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("192.0.0.8", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:7f00:1::", False),
        ("2001:0:1::", False),
        ("fec0::1", False),
        ("fd00::1", False),
        ("fe80::1%eth0", False),
        ("::7f00:1", False),
        ("ff02::1", False),
    ],
)
def test_only_other_peoples_addresses_are_public(address: str, allowed: bool) -> None:
    assert public(address) is allowed


CHANNEL: dict[str, Any] = {"kind": "http", "secrets": {"key": KEY}}


@pytest.mark.parametrize(
    ("name", "change", "word"),
    [
        ("web", {}, "名称"),
        ("OA", {}, "名称"),
        ("oa", {"kind": "fax"}, "fax"),
        ("oa", {"secrets": {}}, "key"),
        ("oa", {"secrets": {"key": "short"}}, "16"),
        ("oa", {"options": {"calback": "x"}}, "callback"),
        ("oa", {"options": {"private": "yes"}}, "true"),
    ],
)
def test_a_bad_channel_says_what_to_mend(name: str, change: dict[str, Any], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        connect(settings(**{name: CHANNEL | change}).channels, Path, demo=False)


def test_a_demo_takes_no_real_channel() -> None:
    with pytest.raises(ConfigError, match="county import"):
        connect(settings(oa=CHANNEL).channels, Path, demo=True)
