"""The OneBot channel: nothing read is dropped, nothing unclear is sent twice, nobody's words become a code."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientWebSocketResponse, WSMsgType
from aiohttp.test_utils import TestClient
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms import onebot_hearing, onebot_http, onebot_lines, segments
from bot.platforms.onebot import OneBotPlatform
from config.errors import Busy
from handlers.events import Message
from tests.channel_house import GROUP, KEY, House, bound, open_house, settings

SELF, LIMIN, OFFICER = 10001, 20001, 20002
QUNBAN = {"kind": "onebot", "options": {"address_per_minute": 0, "history": False}, "secrets": {"token": KEY}}


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    county = bound("qq", "g7788", {"limin": str(LIMIN), "zhangqiang": str(OFFICER)})
    async with open_house(tmp_path / "data", county, settings(qq=QUNBAN)) as found:
        yield found


def platform(house: House) -> OneBotPlatform:
    found = house.parts.engine.platforms["qq"]
    assert isinstance(found, OneBotPlatform)
    return found


def auth(token: str = KEY, role: str = "Universal") -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "X-Self-ID": str(SELF), "X-Client-Role": role}


async def dial(client: TestClient[Any, Any], role: str = "Universal") -> ClientWebSocketResponse:
    return await client.ws_connect("/in/qq", headers=auth(role=role))


def said(message_id: int, message: object, user: int = LIMIN, **more: object) -> dict[str, Any]:
    group = {"message_type": "group", "group_id": 7788} if "message_type" not in more else {}
    return {
        "time": 1764000000 + abs(message_id), "self_id": SELF, "post_type": "message", "message_id": message_id, "user_id": user,
        "message": message, "sender": {"user_id": user, "nickname": "李敏", "card": "", "role": "member"}, **group, **more,
    }  # fmt: skip


REPORT = [{"type": "text", "data": {"text": "#随手拍 西环路12号路灯不亮"}}]


async def called(line: ClientWebSocketResponse) -> dict[str, Any]:
    found: dict[str, Any] = await line.receive_json(timeout=5)
    return found


async def answer(line: ClientWebSocketResponse, call: dict[str, Any], **more: object) -> None:
    await line.send_json({"status": "ok", "retcode": 0, "data": {"message_id": -55}, "echo": call["echo"], **more})


async def wait_for(house: House, query: str, rows: list[tuple[Any, ...]]) -> None:
    for _ in range(500):
        if await house.sql(query) == rows:
            return
        await asyncio.sleep(0.01)
    assert await house.sql(query) == rows


@pytest.mark.asyncio
async def test_a_report_is_taken_and_answered_over_the_same_line(house: House) -> None:
    line = await dial(house.client)
    await line.send_json(said(11, REPORT))
    call = await called(line)
    assert call["action"] == "send_group_msg" and call["params"]["group_id"] == 7788
    quote, *_, words = call["params"]["message"]
    assert quote == {"type": "reply", "data": {"id": "11"}} and "已受理" in words["data"]["text"]
    await answer(line, call)
    await house.settle()
    assert await house.sql("select group_id, reporter from task") == [(GROUP, "limin")]
    assert await house.sql("select state, receipt from outbox where channel = 'qq'") == [("sent", "-55")]
    await line.send_json(
        said(12, [{"type": "reply", "data": {"id": "-55"}}, {"type": "text", "data": {"text": "签收"}}], user=OFFICER)
    )
    call = await called(line)
    await answer(line, call)
    await house.settle()
    assert await house.sql("select sender, body from inbox where event_id = '12'") != []
    await line.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({}, "", 401),
        (auth("wrong"), "", 403),
        ({}, "?access_token=wrong", 403),
        ({"Authorization": "Basic abc"}, "", 401),
        ({"Authorization": "Bearer 密码"}, "", 403),
    ],
)
async def test_the_token_is_asked_for_as_other_applications_do(
    house: House, headers: dict[str, str], query: str, status: int
) -> None:
    async with house.client.get(f"/in/qq{query}", headers=headers) as response:
        assert response.status == status


@pytest.mark.asyncio
async def test_the_token_may_stand_in_the_address(house: House) -> None:
    line = await house.client.ws_connect(f"/in/qq?access_token={KEY}")
    await line.send_json(said(11, REPORT))
    assert (await called(line))["action"] == "send_group_msg"
    await line.close()


@pytest.mark.asyncio
async def test_a_cq_string_says_the_same_as_a_list(house: House) -> None:
    line = await dial(house.client)
    await line.send_json(
        said(
            21,
            f"[CQ:at,qq={SELF}] 西环路&#91;北&#93;12号路灯不亮[CQ:image,file=a.jpg,url=https://8.8.8.8/a?x=1&amp;y=2]",
        )
    )
    event = platform(house).parse(said(22, f"[CQ:reply,id=-7][CQ:at,qq={SELF}]签收"), str(SELF))
    assert event is not None and (event.quote, event.addressed, event.text) == ("-7", True, "签收")
    await wait_for(house, "select count(*) from inbox where event_id = '21'", [(1,)])
    body = json.loads((await house.sql("select body from inbox where event_id = '21'"))[0][0])
    assert body["text"] == "西环路[北]12号路灯不亮" and body["addressed"]
    assert body["photos"][0][0] == "https://8.8.8.8/a?x=1&y=2"
    await line.close()


@pytest.mark.asyncio
async def test_a_recall_takes_back_what_it_started(house: House) -> None:
    line = await dial(house.client)
    await line.send_json(said(31, REPORT))
    await answer(line, await called(line))
    await house.settle()
    notice = {"post_type": "notice", "notice_type": "group_recall", "self_id": SELF, "group_id": 7788}
    await line.send_json({**notice, "user_id": LIMIN, "operator_id": LIMIN, "message_id": 31})
    await wait_for(house, "select state from task", [("withdrawn",)])
    assert await house.sql("select body from inbox where event_id = '31'") == [("{}",)]
    await line.close()


@pytest.mark.asyncio
async def test_frames_that_mean_nothing_to_us_change_nothing(house: House) -> None:
    line = await dial(house.client)
    for frame in (
        "[" * 100000,
        "null",
        '{"post_type":"meta_event","meta_event_type":"heartbeat","interval":30000}',
        '{"post_type":"message","message_type":"group"}',
        '{"status":"ok","echo":"nobody"}',
        json.dumps(said(41, REPORT, user=SELF)),
        json.dumps(said(42, [{"type": "text"}, 7, {"type": "text", "data": {"text": None}}])),
        json.dumps(said(43, {"type": "text"})),
        '{"post_type":"message","message_type":"group","group_id":7788,"user_id":1,"message_id":44,"message":"\\ud800"}',
    ):
        await line.send_str(frame)
    await line.send_bytes(b"\0\1")
    await line.send_json(said(45, REPORT))
    assert (await called(line))["action"] == "send_group_msg"
    assert await house.sql("select event_id from inbox where channel = 'qq'") == [("45",)]
    await line.close()


@pytest.mark.asyncio
async def test_a_frame_too_large_ends_the_line_and_not_the_bot(house: House) -> None:
    line = await dial(house.client)
    await line.send_str("x" * (onebot_lines.FRAME_BYTES + 1))
    assert (await line.receive(timeout=5)).type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING)
    again = await dial(house.client)
    await again.send_json(said(51, REPORT))
    assert (await called(again))["action"] == "send_group_msg"
    await again.close()


@pytest.mark.asyncio
async def test_notices_wait_for_a_connection_without_using_up_their_attempts(house: House) -> None:
    event_line = await dial(house.client, role="Event")
    await event_line.send_json(said(61, REPORT))
    await wait_for(
        house, "select state, attempts, reason from outbox where channel = 'qq'", [("due", 0, onebot_http.NO_LINE)]
    )
    await house.settle()
    line = await dial(house.client)
    call = await called(line)
    assert "已受理" in call["params"]["message"][-1]["data"]["text"]
    await answer(line, call)
    await wait_for(house, "select state, attempts from outbox where channel = 'qq'", [("sent", 1)])
    await line.close()
    await event_line.close()


@pytest.mark.asyncio
async def test_a_line_that_breaks_after_the_frame_left_is_unknown_and_never_sent_twice(house: House) -> None:
    line = await dial(house.client)
    await line.send_json(said(71, REPORT))
    await called(line)
    await line.close()
    await wait_for(house, "select state from outbox where channel = 'qq'", [("unknown",)])
    again = await dial(house.client)
    with pytest.raises(TimeoutError):
        await again.receive(timeout=0.2)
    await again.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("result", "state"),
    [
        ({"status": "failed", "retcode": 1200, "message": "Timeout"}, "unknown"),
        ({"status": "failed", "retcode": 100, "wording": "发送超时"}, "unknown"),
        ({"status": "failed", "retcode": 120, "wording": "被禁言"}, "dead"),
        ({"status": "async", "retcode": 1, "data": None}, "sent"),
    ],
)
async def test_each_answer_ends_as_it_should(house: House, result: dict[str, Any], state: str) -> None:
    line = await dial(house.client)
    await line.send_json(said(81, REPORT))
    await answer(line, await called(line), **result)
    await wait_for(house, "select state from outbox where channel = 'qq'", [(state,)])
    await line.close()


@pytest.mark.asyncio
async def test_the_newest_connection_wins(house: House) -> None:
    old = await dial(house.client)
    new = await dial(house.client)
    assert (await old.receive(timeout=5)).type == WSMsgType.CLOSE
    await new.send_json(said(91, REPORT))
    assert (await called(new))["action"] == "send_group_msg"
    await new.close()


@pytest.mark.asyncio
async def test_while_nothing_can_be_stored_nothing_is_dropped(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than the queue holds arrives while the disk refuses; the socket is not read, and then all of it is stored once."""
    engine, total = house.parts.engine, onebot_hearing.QUEUE + 200
    accept, refusing = engine.inbox.accept, True

    async def sometimes(events: Any, beside: Any = None) -> Any:
        if refusing:
            raise Busy("数据暂时写不进磁盘，请稍后再试。")
        return await accept(events, beside)

    monkeypatch.setattr(engine.inbox, "accept", sometimes)
    monkeypatch.setattr(onebot_hearing, "BUSY_SECONDS", 0.01)
    line = await dial(house.client, role="Event")
    for i in range(total):
        await line.send_json(said(1000 + i, [{"type": "text", "data": {"text": f"查 1101-{i % 900 + 1}"}}]))
    heard = platform(house)._hearing.queue
    for _ in range(500):
        if heard.full():
            break
        await asyncio.sleep(0.01)
    assert await house.sql("select count(*) from inbox where channel = 'qq'") == [(0,)]
    refusing = False
    await wait_for(house, "select count(*) from inbox where channel = 'qq'", [(total,)])
    order = [int(row[0]) for row in await house.sql("select event_id from inbox where channel = 'qq' order by seq")]
    assert order == sorted(order)
    await line.close()


@pytest.mark.asyncio
async def test_two_messages_that_share_a_short_id_are_both_kept_and_a_redelivery_once(house: House) -> None:
    """Message ids are 32-bit hashes: in a busy county two will meet."""
    line = await dial(house.client, role="Event")
    first = said(101, REPORT)
    other = {**said(101, [{"type": "text", "data": {"text": "#随手拍 人民路井盖没了"}}]), "time": 1764009999}
    for frame in (first, first, other, other):
        await line.send_json(frame)
    await wait_for(
        house, "select event_id from inbox where channel = 'qq' order by seq", [("101",), ("101@1764009999",)]
    )
    await line.close()


@pytest.mark.asyncio
async def test_only_the_one_person_meant_is_called_and_photos_go_along(house: House, tmp_path: Path) -> None:
    photo = tmp_path / "p.jpg"
    photo.write_bytes(b"\xff\xd8jpeg")
    found = platform(house)
    found._photo = lambda sha: photo
    (parts,) = await found._messages(
        Message("请核查 @全体成员 [CQ:at,qq=all]", ("limin", "zhangqiang"), ("ab" * 32,), quote="55@176")
    )
    assert [part["type"] for part in parts] == ["reply", "at", "text", "text", "image"]
    assert parts[0]["data"]["id"] == "55" and parts[1]["data"]["qq"] == str(LIMIN)
    assert parts[4]["data"]["file"] == "base64:///9hqcGVn"
    assert await found._messages(Message("无人", ("gaoyuan",))) == [[segments.text("无人")]]


def test_nobody_is_called_by_anything_but_digits() -> None:
    for user in ("all", "1,qq=all", "", "１２", "12]"):
        with pytest.raises(ValueError, match="number"):
            segments.at(user)


HOSTILE = st.text(st.sampled_from(list("[]CQ:at,qq=all&#91;#44;amp;@全体成员\n\u202e ")), max_size=60) | st.text(
    max_size=40
)
CODE = re.compile(r"\[CQ:|\[[A-Za-z]+:")  # how implementations find codes: a bracket that was not escaped


@given(HOSTILE)
def test_nobodys_words_become_a_code(words: str) -> None:
    written = segments.as_string([segments.text(words)])
    assert not CODE.search(written) and "[" not in written and "]" not in written
    assert segments.unescape(written) == words
    assert list(segments._of_string(written)) == [("text", {"text": words})]


@given(HOSTILE, HOSTILE)
def test_words_beside_real_codes_add_none(before: str, after: str) -> None:
    real = [segments.reply("5"), segments.text(before), segments.at("20001"), segments.text(after)]
    found = [part for part in segments._of_string(segments.as_string(real)) if part[0] != "text"]
    assert found == [("reply", {"id": "5"}), ("at", {"qq": "20001"})]
    said_ = "".join(data["text"] for kind, data in segments._of_string(segments.as_string(real)) if kind == "text")
    assert said_ == before + after


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["type", "data", "text", "qq", "url", "id", "file"]), inner, max_size=4), max_leaves=12))  # fmt: skip
def test_any_message_is_read_without_an_error(message: object) -> None:
    segments.heard(message, str(SELF))
