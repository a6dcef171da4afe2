"""OneBot by all its ways against a simulated implementation: the same words, the same order, nothing lost in a gap."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot import outbox as sending
from bot.platforms import onebot_http, onebot_lines, segments
from bot.platforms.onebot import OneBotPlatform
from bot.platforms.registry import Setup
from bot.simulators.frame import Fault
from bot.simulators.onebot import SELF, WAYS, OneBotSimulator
from config.errors import Retry
from handlers.events import Message
from store import outbox, people
from tests.platforms import outcomes
from tests.platforms.stage import REPORTS, Scene, picture, staged

ROOM, FANG, LAN = "7788", "20001", "20002"
REPORT = "#随手拍 西环路12号路灯不亮"


def scene(folder: Path, simulator: OneBotSimulator, **options: Any) -> Any:
    return staged(
        folder / "data",
        simulator,
        {REPORTS: f"g{ROOM}"},
        {"wangfang": FANG, "wangxiulan": LAN},
        lambda channel: channel["options"].update(options),
    )


async def until_there(simulator: OneBotSimulator) -> None:
    async with asyncio.timeout(10):
        if simulator.way != "http":
            await simulator.connected.wait()


async def wait_for(found: Scene, query: str, rows: list[tuple[Any, ...]]) -> None:
    for _ in range(500):
        if await found.house.sql(query) == rows:
            return
        await asyncio.sleep(0.01)
    assert await found.house.sql(query) == rows


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onebot_lines, "FIRST_WAIT", 0.05)


@pytest_asyncio.fixture
async def posted(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path, OneBotSimulator("http")) as found:
        yield found


@pytest.mark.asyncio
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("strings", [False, True])
async def test_a_photo_report_is_taken_and_answered_by_every_way(tmp_path: Path, way: str, strings: bool) -> None:
    simulator = OneBotSimulator(way, strings)
    async with scene(tmp_path, simulator) as found:
        await until_there(simulator)
        said = await simulator.say(ROOM, FANG, REPORT, [picture(1)])
        line = await found.hears("已受理")
        assert line.room == ROOM and line.quote == said
        await found.house.settle()
        assert await found.house.sql("select reporter from task") == [("wangfang",)]
        await wait_for(found, "select count(*) from task_photo", [(1,)])
        assert set(await found.house.sql("select state from outbox where channel = 'qq'")) == {("sent",)}


@pytest.mark.asyncio
@pytest.mark.parametrize("way", ["reverse", "forward"])
async def test_what_was_said_in_a_gap_is_taken_once_and_before_what_comes_after(tmp_path: Path, way: str) -> None:
    simulator = OneBotSimulator(way)
    async with scene(tmp_path, simulator) as found:
        await until_there(simulator)
        await simulator.say(ROOM, FANG, REPORT)
        await found.hears("已受理")
        await found.house.settle()
        lines, simulator._lines = set(simulator._lines), set()
        missed = await simulator.say(ROOM, FANG, "#随手拍 解放路垃圾桶满了没人收")
        simulator.connected.clear()
        for line in lines:
            await line.close()
        await until_there(simulator)
        after = await simulator.say(ROOM, FANG, "#随手拍 人民路井盖没了")
        await wait_for(found, f"select count(*) from inbox where event_id in ('{missed}', '{after}')", [(2,)])
        order = await found.house.sql(
            "select event_id from inbox where channel = 'qq' and kind = 'message' order by seq"
        )
        assert [row[0] for row in order][1:] == [missed, after]
        await found.house.settle()
        assert await found.house.sql("select count(*) from task") == [(3,)]


@pytest.mark.asyncio
async def test_words_of_a_restart_are_pulled_too_and_none_from_before_the_first_start(tmp_path: Path) -> None:
    first = OneBotSimulator()
    await first.start()
    await first.say(ROOM, FANG, "#随手拍 南门桥栏杆断了")
    history = [event | {"time": event["time"] - 60} for event in first.history]
    await first.close()
    simulator = OneBotSimulator()
    simulator.history += history
    async with scene(tmp_path, simulator) as found:
        await until_there(simulator)
        simulator._ids = iter(range(50, 99))  # type: ignore[assignment]
        await simulator.say(ROOM, FANG, REPORT)
        await found.hears("已受理")
        await found.house.settle()
        assert await found.house.sql("select count(*) from task") == [(1,)]
    later = OneBotSimulator()
    later.history += simulator.history
    later._ids = iter(range(100, 199))  # type: ignore[assignment]
    await later.start()
    await later.say(ROOM, FANG, "#随手拍 解放路垃圾桶满了没人收")
    history = later.history
    await later.close()
    again = OneBotSimulator()
    again.history += history
    async with scene(tmp_path, again) as found:
        await wait_for(found, "select count(*) from task", [(2,)])


@pytest.mark.asyncio
async def test_an_implementation_without_a_history_is_no_trouble(tmp_path: Path) -> None:
    simulator = OneBotSimulator()
    simulator.has_history = False
    async with scene(tmp_path, simulator) as found:
        for _ in range(2):
            await until_there(simulator)
            simulator.connected.clear()
            for line in tuple(simulator._lines):
                await line.close()
        await until_there(simulator)
        await simulator.say(ROOM, FANG, REPORT)
        await found.hears("已受理")


@pytest.mark.asyncio
async def test_a_recall_by_post_takes_back_what_it_started(posted: Scene) -> None:
    simulator = posted.simulator
    assert isinstance(simulator, OneBotSimulator)
    said = await simulator.say(ROOM, FANG, REPORT)
    await posted.hears("已受理")
    await posted.house.settle()
    await simulator.recall(ROOM, FANG, said)
    await wait_for(posted, "select state from task", [("withdrawn",)])


def good_event(message_id: int = 5) -> dict[str, Any]:
    return {
        "time": 1764000000, "self_id": SELF, "post_type": "message", "message_type": "group", "group_id": int(ROOM),
        "user_id": int(FANG), "message_id": message_id, "message": REPORT, "sender": {},
    }  # fmt: skip


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "status"),
    [("missing", 401), ("wrong", 403), ("wrong key", 403), ("other body", 403), ("not ascii", 403), ("sha256", 403),
     ("oversize", 413), ("gzip", 415), ("nested", 403)],
)  # fmt: skip
async def test_what_is_not_signed_is_refused_before_it_is_parsed(
    posted: Scene, name: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    simulator = posted.simulator
    assert isinstance(simulator, OneBotSimulator)
    body = json.dumps(good_event()).encode()
    signed = onebot_http.sign(simulator.token.encode(), body)
    headers: dict[str, str] = {
        "missing": {},
        "wrong": {"X-Signature": signed[:-1] + ("0" if signed[-1] != "0" else "1")},
        "wrong key": {"X-Signature": onebot_http.sign(b"another key of some length", body)},
        "other body": {"X-Signature": onebot_http.sign(simulator.token.encode(), body + b" ")},
        "not ascii": {"X-Signature": "sha1=签名"},
        "sha256": {"X-Signature": signed.replace("sha1", "sha256")},
        "oversize": {"X-Signature": signed},
        "gzip": {"X-Signature": signed, "Content-Encoding": "gzip"},
        "nested": {"X-Signature": signed},
    }[name]
    if name == "oversize":
        body = b" " * (onebot_http.BODY_BYTES + 1)
    if name == "nested":
        body = b"[" * 100_000
    capsys.readouterr()
    async with posted.house.client.post("/in/qq", data=body, headers=headers) as answer:
        assert (answer.status, await answer.read()) == (status, b"")
    out = "".join(capsys.readouterr())
    assert out.count("onebot_post_refused") <= 1 and simulator.token not in out and signed not in out
    assert await posted.house.sql("select count(*) from inbox where channel = 'qq'") == [(0,)]


@pytest.mark.asyncio
async def test_a_replayed_post_is_admitted_and_opens_nothing(posted: Scene) -> None:
    simulator = posted.simulator
    assert isinstance(simulator, OneBotSimulator)
    assert [await simulator.post(simulator.callback, good_event()) for _ in range(3)] == [204, 204, 204]
    await posted.house.settle()
    assert await posted.house.sql("select count(*) from task") == [(1,)]
    for odd in ({"post_type": "meta_event"}, {"post_type": "message", "message_type": "group"}):
        assert await simulator.post(simulator.callback, odd) == 204


@pytest.mark.asyncio
@pytest.mark.parametrize("way", ["forward", "http"])
async def test_the_check_proves_the_connection_and_names_a_wrong_token(tmp_path: Path, way: str) -> None:
    simulator = OneBotSimulator(way)
    await simulator.start()
    try:
        channel = simulator.channel("http://127.0.0.1:1")
        options = {**OneBotPlatform.OPTIONS, **channel["options"]}
        for token, words in ((simulator.token, "登录账号 10001"), ("another token here", "令牌")):
            platform = OneBotPlatform(Setup("qq", None, options, {"token": token}, Path))
            try:
                assert words in await platform.probe()
            except Retry as error:
                assert words in str(error)
            await platform.close()
    finally:
        await simulator.close()


@pytest.mark.asyncio
async def test_another_accounts_words_are_nobodys(tmp_path: Path) -> None:
    simulator = OneBotSimulator("http")
    async with scene(tmp_path, simulator, self_id="424242") as found:
        assert await simulator.post(simulator.callback, good_event()) == 204
        headers = {"Authorization": f"Bearer {simulator.token}", "X-Self-ID": "10001"}
        async with found.house.client.get("/in/qq", headers=headers) as answer:
            assert answer.status == 403
        assert await found.house.sql("select count(*) from inbox where channel = 'qq'") == [(0,)]


CASES: dict[str, tuple[str, Fault | None]] = {
    "正常": ("reverse", None),
    "不回应": ("reverse", Fault("timeout")),
    "慢 30 秒": ("reverse", Fault("slow")),
    "已发出但没有回执": ("reverse", Fault("half_sent")),
    "断线": ("reverse", Fault("disconnect")),
    "QQ 端说超时（1200）": ("reverse", Fault("error", code=1200)),
    "QQ 端拒绝（120）": ("reverse", Fault("error", code=120)),
    "HTTP：回到一半断开": ("http", Fault("reset")),
    "HTTP：回网页而不是 JSON": ("http", Fault("html")),
    "HTTP：已发出但没有回执": ("http", Fault("half_sent")),
    "没有连上": ("reverse", None),
    "HTTP：QQ 端没有开": ("http", None),
    "HTTP：令牌不对": ("http", None),
}
ENDS = {"sent": outcomes.SENT, "unknown": outcomes.PARKED, "dead": outcomes.NEVER}


async def queue(found: Scene, text: str) -> None:
    """Something nobody asked for."""
    engine, body = found.house.parts.engine, Message(text).to_json()
    row = await engine.store.write(lambda tx: outbox.add(tx, "e1", "qq", f"g{ROOM}", "edition", body))
    assert row is not None
    engine.outbox.take([row])


async def ended(found: Scene) -> str:
    """What became of it, in the words of docs/platforms/faults.md."""
    for _ in range(500):
        ((state, attempts, reason),) = await found.house.sql(
            "select state, attempts, reason from outbox where key = 'e1'"
        )
        if state in ENDS:
            return ENDS[state]
        if reason and state == "due":
            assert attempts == 0
            rests = found.house.parts.engine.outbox._is_paused("qq")
            return outcomes.RESTS if rests else outcomes.ONCE_BACK
        await asyncio.sleep(0.01)
    return "still under way"


@pytest.mark.asyncio
@pytest.mark.parametrize("name", CASES)
async def test_a_fault_ends_as_the_delivery_class_says_and_is_never_sent_twice(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SEND_SECONDS", 0.5)
    way, fault = CASES[name]
    simulator = OneBotSimulator(way)
    async with scene(tmp_path, simulator, history=False) as found:
        await until_there(simulator)
        if fault is not None:
            simulator.faults.append(fault)
        if name.endswith("令牌不对"):
            simulator.token = "changed on their side"
        if name == "没有连上":
            simulator.hang_up()
            for line in tuple(simulator._lines):
                await line.close()
            for _ in range(500):
                await asyncio.sleep(0.01 if simulator._lines else 0)
        if name.endswith("没有开") and simulator._runner is not None:
            await simulator._runner.cleanup()
        await queue(found, "一条通知")
        assert (name, await ended(found)) in outcomes.ONEBOT
        assert len(simulator.sent) <= 1


def test_every_fault_in_the_document_is_played() -> None:
    assert CASES.keys() == dict(outcomes.ONEBOT).keys()


@pytest.mark.asyncio
async def test_a_wrong_token_rests_the_channel_and_loses_nothing(tmp_path: Path) -> None:
    simulator = OneBotSimulator("http")
    async with scene(tmp_path, simulator) as found:
        token, simulator.token = simulator.token, "changed on their side"
        event = good_event()
        body = json.dumps(event).encode()
        headers = {"X-Signature": onebot_http.sign(token.encode(), body)}
        async with found.house.client.post("/in/qq", data=body, headers=headers) as answer:
            assert answer.status == 204
        await wait_for(
            found, "select state, attempts, reason from outbox where channel = 'qq' limit 1",
            [("due", 0, "QQ 端不认令牌，请核对 token")],
        )  # fmt: skip


@pytest.mark.asyncio
async def test_a_long_text_goes_out_in_pieces(tmp_path: Path) -> None:
    simulator = OneBotSimulator()
    async with scene(tmp_path, simulator) as found:
        await until_there(simulator)
        words = "【今日要闻】\n1. 防汛会议\nhttps://www.gov.cn/a?b=1\n" + "长" * 2000
        await queue(found, words)
        assert await ended(found) == outcomes.SENT
        assert [len(sent.text.encode()) <= 3000 for sent in simulator.sent] == [True] * 3
        assert "".join(sent.text for sent in simulator.sent) == words


@pytest.mark.asyncio
async def test_people_check_in_and_groups_are_bound_by_code(tmp_path: Path) -> None:
    simulator = OneBotSimulator()
    async with scene(tmp_path, simulator) as found:
        await until_there(simulator)
        engine = found.house.parts.engine
        await engine.store.write(lambda tx: people.make_code(tx, "K7M2Q9", "person", "zhaojing", "hetao", 600))
        await engine.store.write(lambda tx: people.make_code(tx, "P3X8W4", "group", "tongzhi", "hetao", 600))
        await simulator.say("", "20003", "隐私")
        assert (await found.hears("我只保存")).user == "20003"
        await simulator.say("", "20003", "报到 K7M2Q9")
        assert "赵静" in (await found.hears("报到成功")).text
        await simulator.say("7799", FANG, "@群办 绑定 P3X8W4")
        assert (await found.hears("本群已绑定")).room == "7799"
        await wait_for(found, "select person from account where channel = 'qq' and user_id = '20003'", [("zhaojing",)])


@pytest.mark.asyncio
async def test_no_secret_is_logged_whatever_fails(tmp_path: Path) -> None:
    """Faults, forged posts and wrong dials, with every line of the log kept."""
    simulator = OneBotSimulator("http")
    with capture_logs() as lines:
        async with scene(tmp_path, simulator, history=False) as found:
            client = found.house.client
            for n in range(60):
                simulator.faults.append(Fault(("reset", "html", "half_sent", "error")[n % 4], code=100 + n))
                await simulator.post(simulator.callback, good_event(100 + n) | {"message": f"@群办 隐私{n}"})
                async with client.post("/in/qq", data=simulator.token, headers={"X-Signature": simulator.token}):
                    pass
                async with client.get(f"/in/qq?access_token={simulator.token}x"):
                    pass
            await found.house.settle()
            rows = await found.house.sql("select reason from outbox")
    assert lines and simulator.token not in repr(lines) + repr(rows)


LINK = "https://www.gov.cn/zhengce/2026/content_1234567.htm?from=qunban&x=1"
WORDS = st.lists(
    st.sampled_from(["汉", "a", "\n", "👨‍👩‍👧", "，", f" {LINK} ", " ", "é", "[CQ:at,qq=all]", "&"]), max_size=80
)


@given(WORDS.map("".join), st.integers(120, 400))
def test_no_message_is_over_its_limit_or_cut_inside_a_character_or_a_link(text: str, limit: int) -> None:
    options: dict[str, str | int | bool] = {**OneBotPlatform.OPTIONS, "text_bytes": limit}
    platform = OneBotPlatform(Setup("qq", None, options, {"token": "t" * 16}, Path))
    messages = asyncio.run(platform._messages(Message(text)))
    said = [str(parts[0]["data"]["text"]) for parts in messages]
    assert "".join(said) == text and all(len(piece.encode()) <= limit for piece in said)
    assert sum(piece.count(LINK) for piece in said) == text.count(LINK)
    assert sum(piece.count("👨‍👩‍👧") for piece in said) == text.count("👨‍👩‍👧")
    assert not any("[CQ:" in segments.as_string(parts) for parts in messages)
