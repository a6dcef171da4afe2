"""The official account against a simulated WeChat: 1:1 reports with bare photos, the 48 hours, one refusal for all forgeries."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientTimeout
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot import fetcher
from bot.platforms.envelope import DENIED, Envelope, sign
from bot.platforms.official_account import OfficialAccountPlatform
from bot.platforms.registry import Setup
from bot.simulators.frame import Fault
from bot.simulators.official_account import ACCOUNT, APP, OfficialAccountSimulator, letter_xml
from config.errors import Offline
from handlers.events import Message
from store import outbox, people
from tests.platforms import outcomes
from tests.platforms.stage import Scene, picture, staged

LIMIN, ZHANG, STRANGER = "oLimin0001", "oZhang0002", "oWang0003"
REPORT = "#随手拍 西环路12号路灯不亮"


def scene(folder: Path, simulator: OfficialAccountSimulator, **options: Any) -> Any:
    return staged(
        folder / "data",
        simulator,
        {},
        {"wangfang": LIMIN, "wangxiulan": ZHANG},
        lambda channel: channel["options"].update(options),
    )


def of(found: Scene) -> OfficialAccountSimulator:
    assert isinstance(found.simulator, OfficialAccountSimulator)
    return found.simulator


@pytest_asyncio.fixture
async def safe(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path, OfficialAccountSimulator()) as found:
        yield found


@pytest_asyncio.fixture
async def plain(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path, OfficialAccountSimulator("plain")) as found:
        yield found


async def put(found: Scene, text: str, person: str = LIMIN, photos: tuple[str, ...] = (), key: str = "e1") -> None:
    """Queue one message."""
    engine = found.house.parts.engine
    body = Message(text, photos=photos).to_json()
    row = await engine.store.write(lambda tx: outbox.add(tx, key, "mp", person, "edition", body))
    assert row is not None
    engine.outbox.take([row])


async def ended(found: Scene, key: str = "e1") -> tuple[Any, ...]:
    for _ in range(500):
        rows = await found.house.sql("select state, attempts, reason from outbox where key = ?", key)
        if rows[0][0] in ("sent", "unknown", "dead") or (rows[0][0] == "due" and rows[0][2]):
            return rows[0]
        await asyncio.sleep(0.01)
    return rows[0]


@pytest.mark.asyncio
@pytest.mark.parametrize("mode", ["safe", "plain"])
async def test_a_report_with_a_bare_photo_is_taken_and_answered(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, OfficialAccountSimulator(mode)) as found:
        await of(found).say("", LIMIN, "解放路垃圾桶满了没人收", [picture(2)])
        line = await of(found).expect(lambda line: line.user == LIMIN)
        assert line.text
        await found.house.settle()
        assert await found.house.sql("select count(*) from inbox where channel = 'mp' and kind = 'message'") == [(2,)]
        for _ in range(500):
            if await found.house.sql("select count(*) from photo") == [(1,)]:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the photo never came")


@pytest.mark.asyncio
async def test_a_redelivery_opens_nothing_and_is_answered_success(safe: Scene) -> None:
    simulator = of(safe)
    simulator.windows[LIMIN] = (time.time(), 0)
    xml = letter_xml(LIMIN, "text", {"Content": "帮助"}, "2300099")
    event = letter_xml(LIMIN, "event", {"Event": "CLICK", "EventKey": "帮助"}, at=1764000000)
    for said in (xml, xml, xml, event, event):
        assert await simulator.once(said)
    await safe.house.settle()
    assert await safe.house.sql("select count(*) from inbox where channel = 'mp'") == [(2,)]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("kind", "content", "text"),
    [
        ("text", {"Content": "帮助"}, "帮助"),
        ("voice", {"MediaId": "m", "Format": "amr", "Recognition": "西环路路灯不亮"}, "西环路路灯不亮"),
        ("location", {"Location_X": "31.1", "Location_Y": "121.2", "Scale": "15", "Label": "西环路12号"}, "位置：西环路12号"),
        ("link", {"Title": "标题", "Url": "https://x.cn/"}, "标题 https://x.cn/"),
    ],
)  # fmt: skip
async def test_every_kind_of_word_is_heard(safe: Scene, kind: str, content: dict[str, str], text: str) -> None:
    platform = safe.house.parts.engine.platforms["mp"]
    assert isinstance(platform, OfficialAccountPlatform)
    found = {"ToUserName": ACCOUNT, "FromUserName": LIMIN, "CreateTime": "1764000000", "MsgType": kind, "MsgId": "7"}
    event = platform.parse({**found, **content})
    assert event is not None and (event.text, event.address, event.sent_at) == (text, LIMIN, 1764000000)
    assert event.address == event.sender
    assert platform.parse({**found, "MsgType": "event", "Event": "subscribe"}) is None


@pytest.mark.asyncio
async def test_the_window_is_known_and_said(safe: Scene) -> None:
    of(safe).close_window(LIMIN)
    await put(safe, "工单办结了")
    state, _, reason = await ended(safe)
    assert state == "dead" and "48 小时" in reason and "模板" in reason and not of(safe).sent


@pytest.mark.asyncio
async def test_beyond_the_window_a_template_message_goes_out_where_one_is_set(tmp_path: Path) -> None:
    simulator = OfficialAccountSimulator()
    simulator.template = "TEMPLATE1"
    async with scene(tmp_path, simulator) as found:
        simulator.close_window(LIMIN)
        await put(found, "工单办结了\n" + "很长" * 900)
        line = await simulator.expect(lambda line: line.form == "template")
        assert line.user == LIMIN and line.text.startswith("工单办结了") and len(line.text.encode()) <= 600
        simulator.windows[ZHANG] = (time.time(), 5)
        await put(found, "第六条", ZHANG, key="e2")
        assert (await simulator.expect(lambda line: line.user == ZHANG)).form == "template"


@pytest.mark.asyncio
async def test_a_picture_is_handed_over_first_and_the_words_come_before_it(safe: Scene) -> None:
    simulator = of(safe)
    simulator.windows[LIMIN] = (time.time(), 0)
    made = await safe.house.parts.shop.clean(picture(3))
    await safe.house.parts.preparer.register(made)
    await put(safe, "处理后照片", photos=(made.sha,))
    await simulator.expect(lambda line: bool(line.photos))
    assert [line.form for line in simulator.sent] == ["text", "image"] and simulator.sent[1].photos[0][
        :2
    ] == b"\xff\xd8"


CASES: dict[str, Fault | None] = {
    "正常": None,
    "令牌过期（42001）": Fault("token_expired"),
    "限频（45011）": Fault("rate_limit"),
    "系统繁忙（-1）": Fault("error", code=-1),
    "出口 IP 不在白名单（40164）": Fault("error", code=40164),
    "openid 不对（40003）": Fault("error", code=40003),
    "超过 48 小时，没有模板": None,
    "超过 48 小时，有模板": None,
    "48 小时内第 6 条，有模板": None,
    "不回应": Fault("timeout"),
    "回到一半断开": Fault("reset"),
    "回网页而不是 JSON": Fault("html"),
    "慢 30 秒": Fault("slow"),
    "已发出但没有回执": Fault("half_sent"),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("name", CASES)
async def test_a_fault_ends_as_the_delivery_class_says(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetcher, "TIMEOUT", ClientTimeout(total=0.6, connect=0.5))
    simulator = OfficialAccountSimulator()
    simulator.template = "TEMPLATE1" if name.endswith("，有模板") else ""
    async with scene(tmp_path, simulator) as found:
        platform = found.house.parts.engine.platforms["mp"]
        assert isinstance(platform, OfficialAccountPlatform)
        await platform.api.tokens.current()
        before = simulator.renewals
        simulator.windows[LIMIN] = (time.time(), 5 if "第 6 条" in name else 0)
        if name.startswith("超过"):
            simulator.close_window(LIMIN)
        if (fault := CASES[name]) is not None:
            simulator.faults.append(fault)
        await put(found, "一条通知")
        state, attempts, _ = await ended(found)
        assert len(simulator.sent) <= 1
        assert (name, _named(found, state, attempts, simulator.renewals - before)) in outcomes.OFFICIAL_ACCOUNT


def _named(found: Scene, state: str, attempts: int, renewals: int) -> str:
    if state == "sent":
        form = of(found).sent[0].form
        return outcomes.BY_TEMPLATE if form == "template" else outcomes.RENEWED if renewals else outcomes.SENT
    if state == "due":
        rests = found.house.parts.engine.outbox._is_paused("mp")
        return outcomes.AGAIN if attempts else outcomes.RESTS if rests else outcomes.WAITS
    return {"unknown": outcomes.PARKED, "dead": outcomes.NEVER}[state]


def test_every_fault_in_the_document_is_played() -> None:
    assert CASES.keys() == dict(outcomes.OFFICIAL_ACCOUNT).keys()


@pytest.mark.asyncio
async def test_one_new_token_for_everybody_when_it_ends(safe: Scene) -> None:
    simulator = of(safe)
    platform = safe.house.parts.engine.platforms["mp"]
    assert isinstance(platform, OfficialAccountPlatform)
    await platform.api.tokens.current()
    before = simulator.renewals
    simulator.tokens.clear()
    simulator.users |= {f"o{i}": f"人{i}" for i in range(20)}
    for i in range(20):
        simulator.windows[f"o{i}"] = (time.time(), 0)
        await put(safe, "通知", f"o{i}", key=f"k{i}")
    for i in range(20):
        assert (await ended(safe, f"k{i}"))[0] == "sent"
    assert simulator.renewals == before + 1


@pytest.mark.asyncio
async def test_the_admin_sites_check_is_answered(safe: Scene) -> None:
    stamp = str(int(time.time()))
    query = {"timestamp": stamp, "nonce": "n", "echostr": "word", "signature": sign(of(safe).token, stamp, "n")}
    async with safe.house.client.get("/in/mp", params=query) as answer:
        assert (answer.status, await answer.text()) == (200, "word")
    async with safe.house.client.get("/in/mp", params={**query, "nonce": "m"}) as answer:
        assert (answer.status, await answer.text()) == (403, DENIED)


LOL = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]>"


def forgeries(simulator: OfficialAccountSimulator) -> dict[str, tuple[dict[str, str], bytes]]:
    xml = letter_xml(LIMIN, "text", {"Content": "帮助"}, "2300001")
    query, body = simulator.wrapped(xml)
    raw = body.encode()
    key = "msg_signature" if simulator.mode == "safe" else "signature"
    other = OfficialAccountSimulator(simulator.mode)
    stranger = OfficialAccountSimulator(simulator.mode)
    stranger.token, stranger.aes_key = simulator.token, simulator.aes_key
    stranger.envelope = Envelope(simulator.token, simulator.aes_key, "wx_other")
    stale = Envelope(simulator.token, simulator.aes_key, APP, lambda: time.time() - 400).seal(xml)
    old = {"timestamp": stale.stamp, "nonce": stale.nonce, "msg_signature": stale.signature}
    old["signature"] = sign(simulator.token, stale.stamp, stale.nonce)
    wrong = query[key][:-1] + ("0" if query[key][-1] != "0" else "1")
    found = {
        "forged": ({**query, key: wrong}, raw),
        "unsigned": ({}, raw),
        "swapped nonce": ({**query, "nonce": query["timestamp"], "timestamp": query["nonce"]}, raw),
        "moved time": ({**query, "timestamp": str(int(query["timestamp"]) + 1)}, raw),
        "stale": (old, stale.to_xml().encode() if simulator.mode == "safe" else raw),
        "oversize": (query, raw + b" " * 70_000),
        "another's key": (other.wrapped(xml)[0], other.wrapped(xml)[1].encode()),
        "not text": (query, b"\xff\xfe" + raw[:10]),
    }
    if simulator.mode == "safe":
        found |= {
            "truncated": (query, raw[:-40]),
            "wrong receiver": (stranger.wrapped(xml)[0], b""),
            "only the plain signature": ({k: v for k, v in query.items() if k != "msg_signature"}, raw),
            "entity bomb": (query, (LOL + body).encode()),
            "two envelopes": (query, raw + raw),
            "plain in safe mode": (query, xml.encode()),
        }
        sealed, text = stranger.wrapped(xml)
        found["wrong receiver"] = (sealed, text.encode())
        sealed, text = simulator.wrapped(LOL + xml)
        found["entity bomb inside"] = (sealed, text.encode())
    else:
        deep = f"<xml>{'<a>' * 2000}{'</a>' * 2000}</xml>"
        found |= {
            "entity bomb": (query, (LOL + xml).encode()),
            "deep": (query, deep.encode()),
            "wrong receiver": (query, xml.replace(ACCOUNT, "gh_other").encode()),
            "truncated": (query, xml[:-30].encode()),
        }
    return found


@pytest.mark.asyncio
@pytest.mark.parametrize("mode", ["safe", "plain"])
async def test_every_forgery_meets_the_same_refusal(
    tmp_path: Path, mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scene(tmp_path, OfficialAccountSimulator(mode)) as found:
        simulator = of(found)
        for name, (query, body) in forgeries(simulator).items():
            capsys.readouterr()
            async with found.house.client.post("/in/mp", params=query, data=body) as answer:
                assert (answer.status, await answer.text()) == (403, DENIED), name
            out = "".join(capsys.readouterr())
            assert out.count("callback_refused") <= 1, name
            assert not any(secret in out for secret in (simulator.token, simulator.secret, simulator.aes_key)), name
        assert await found.house.sql("select count(*) from inbox where channel = 'mp'") == [(0,)]


@pytest.mark.asyncio
async def test_wechatpy_seals_and_opens_as_we_do(safe: Scene) -> None:
    """The library's own crypto on WeChat's side, and its own classes on what our simulated WeChat writes."""
    from wechatpy import parse_message
    from wechatpy.crypto import WeChatCrypto
    from wechatpy.utils import check_signature

    simulator = of(safe)
    crypto = WeChatCrypto(simulator.token, simulator.aes_key, APP)
    xml = letter_xml(LIMIN, "text", {"Content": "帮助"}, "2300777")
    query, body = simulator.wrapped(xml)
    assert crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"]) == xml
    check_signature(simulator.token, query["signature"], query["timestamp"], query["nonce"])
    stamp = str(int(time.time()))
    sealed = crypto.encrypt_message(xml, "nonce1", stamp)
    signature = sealed.partition("<MsgSignature><![CDATA[")[2].partition("]]")[0]
    params = {"timestamp": stamp, "nonce": "nonce1", "msg_signature": signature, "encrypt_type": "aes"}
    async with safe.house.client.post("/in/mp", params=params, data=sealed.encode()) as answer:
        assert (answer.status, await answer.text()) == (200, "success")
    for kind, content, title in (
        ("image", {"PicUrl": "https://p/", "MediaId": "m1"}, "ImageMessage"),
        ("voice", {"MediaId": "m", "Format": "amr", "Recognition": "话"}, "VoiceMessage"),
        ("location", {"Location_X": "1", "Location_Y": "2", "Scale": "3", "Label": "路"}, "LocationMessage"),
        ("event", {"Event": "CLICK", "EventKey": "k"}, "ClickEvent"),
    ):
        read = parse_message(letter_xml(LIMIN, kind, content, "9" if kind != "event" else ""))
        assert (type(read).__name__, read.source, read.target) == (title, LIMIN, ACCOUNT)


@pytest.mark.asyncio
async def test_people_check_in_by_code_and_are_held_before(safe: Scene) -> None:
    engine = safe.house.parts.engine
    await engine.store.write(lambda tx: people.make_code(tx, "K7M2Q9", "person", "zhaojing", "hetao", 600))
    await safe.simulator.say("", STRANGER, "解放路垃圾桶满了没人收")
    assert "报到" in (await safe.hears("还没有登记")).text
    await safe.simulator.say("", STRANGER, "报到 K7M2Q9")
    assert "赵静" in (await safe.hears("报到成功")).text


@pytest.mark.asyncio
async def test_no_secret_is_logged_whatever_fails(safe: Scene) -> None:
    """Faults of every kind and forgeries of every kind, with every line of the log and every reason kept."""
    simulator = of(safe)
    seeds = (simulator.secret, simulator.token, simulator.aes_key)
    with capture_logs() as lines:
        for n in range(80):
            simulator.windows[LIMIN] = (time.time(), 0)
            fault = ("reset", "html", "half_sent", "token_expired", "error")[n % 5]
            simulator.faults.append(Fault(fault, code=40000 + n))
            await put(safe, f"通知{n}", key=f"s{n}")
            await safe.house.parts.engine.outbox.idle()
        for query, body in forgeries(simulator).values():
            async with safe.house.client.post("/in/mp", params=query, data=body):
                pass
        rows = await safe.house.sql("select reason from outbox")
    words = [word for word in simulator.tokens if word]
    assert lines and not any(seed in repr(lines) + repr(rows) for seed in (*seeds, *words))


LINK = "https://www.gov.cn/zhengce/2026/content_1234567.htm?from=qunban&x=1"
WORDS = st.lists(st.sampled_from(["汉", "a", "\n", "👨‍👩‍👧", f" {LINK} ", "é", "<a href='x'>", "<@all>"]), max_size=400)


@given(WORDS.map("".join), st.integers(120, 400))
def test_no_message_is_over_its_limit_or_cut_inside_a_character_or_a_link(text: str, limit: int) -> None:
    options: dict[str, str | int | bool] = {**OfficialAccountPlatform.OPTIONS, "text_bytes": limit, "app": APP}
    secret = {"secret": "s" * 16, "token": "t" * 16, "aes_key": "a" * 43}
    platform = OfficialAccountPlatform(Setup("mp", None, options, secret, Path))
    shown = asyncio.run(platform._shown(Message(text)))
    said = [str(content["content"]) for _, content in shown]
    assert all(len(piece.encode()) <= limit for piece in said)
    assert sum(piece.count(LINK) for piece in said) == text.count(LINK)
    assert sum(piece.count("👨‍👩‍👧") for piece in said) == text.count("👨‍👩‍👧")
    assert not any("<a" in piece or "<@" in piece for piece in said)
    assert json.dumps(said)


@pytest.mark.asyncio
async def test_the_check_proves_the_connection_and_names_what_to_mend(safe: Scene) -> None:
    platform = safe.house.parts.engine.platforms["mp"]
    assert isinstance(platform, OfficialAccountPlatform)
    assert "AppSecret 有效" in await platform.probe()
    of(safe).secret = "another"
    of(safe).tokens.clear()
    with pytest.raises(Offline, match="AppSecret"):
        await platform.probe()
