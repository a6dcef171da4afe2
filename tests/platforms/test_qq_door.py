"""QQ callbacks that are not QQ's: one refusal for all, before anything is parsed, one line in the log, no secret in it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.platforms import qq_signature
from bot.platforms.qq import BODY_BYTES
from bot.platforms.qq_events import heard
from bot.platforms.registry import connect
from bot.simulators import qq_wire
from bot.simulators.qq import APP, SECRET
from config.errors import ConfigError
from config.settings import ChannelSettings
from tests.platforms.stage import Scene
from tests.platforms.test_qq import ROOM, qq, scene

KEY = qq_signature.key_of(SECRET)
WRONG = qq_signature.key_of("another secret!!")


@pytest_asyncio.fixture
async def found(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as staging:
        yield staging


def packet(message: str = "ROBOT1.0_x") -> bytes:
    data = qq_wire.message(message, ROOM, "limin", "李敏", " #随手拍 西环路12号路灯不亮", (), None, True)
    return json.dumps({"op": 0, "id": "e1", "s": 1, "t": "GROUP_AT_MESSAGE_CREATE", "d": data}).encode()


def signed(body: bytes, stamp: str = "", key: Any = KEY) -> dict[str, str]:
    stamp = stamp or str(int(time.time()))
    return {
        "X-Bot-Appid": APP,
        "X-Signature-Timestamp": stamp,
        "X-Signature-Ed25519": qq_signature.sign(key, stamp, body),
    }


def hostile() -> dict[str, tuple[bytes, dict[str, str]]]:
    body, good = packet(), signed(packet())
    late = str(int(time.time()) - 400)
    last = good["X-Signature-Ed25519"]
    high = bytes.fromhex(last)[:63] + bytes([bytes.fromhex(last)[63] | 224])
    return {
        "no signature": (body, {}),
        "wrong last digit": (body, good | {"X-Signature-Ed25519": last[:-1] + ("0" if last[-1] != "0" else "1")}),
        "high bits of the last byte": (body, good | {"X-Signature-Ed25519": high.hex()}),
        "wrong key": (body, signed(body, key=WRONG)),
        "changed body": (body.replace(b"12", b"13"), good),
        "replayed late": (body, signed(body, late)),
        "swapped stamp": (body, good | {"X-Signature-Timestamp": str(int(good["X-Signature-Timestamp"]) + 1)}),
        "stamp is no number": (body, good | {"X-Signature-Timestamp": "1e9"}),
        "wrong receiver": (body, good | {"X-Bot-Appid": "102000002"}),
        "no receiver": (body, {key: value for key, value in good.items() if key != "X-Bot-Appid"}),
        "truncated": (body[:-20], good),
        "too big": (b" " * (BODY_BYTES + 1), signed(b" " * (BODY_BYTES + 1))),
        "packed": (body, good | {"Content-Encoding": "gzip"}),
        "bomb of brackets": (b"[" * 60_000, good),
        "entity bomb": (b'<!DOCTYPE x [<!ENTITY a "aa">]><x>&a;</x>', good),
        "challenge of a stranger": (b'{"op":13,"d":{"plain_token":"abc","event_ts":"1"}}', {"X-Bot-Appid": APP}),
        "not ASCII": (body, good | {"X-Signature-Ed25519": "密" * 64}),
    }


@pytest.mark.asyncio
@pytest.mark.parametrize("name", hostile())
async def test_whatever_is_wrong_looks_the_same_and_costs_one_line(found: Scene, name: str) -> None:
    body, headers = hostile()[name]
    with capture_logs() as lines:
        async with found.house.client.post(
            "/in/qq", data=body, headers={k: v.encode().decode("latin-1") for k, v in headers.items()}, compress=False
        ) as answer:
            assert (answer.status, await answer.text()) == (403, "签名不对或已过期")
    assert len(lines) <= 1 and SECRET not in repr(lines)
    assert await found.house.sql("select count(*) from inbox where channel = 'qq'") == [(0,)]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "body", [b"[" * 60_000, b'{"a":' * 9000, b"[]", b"null", b"\xff\xfe", b'{"op":13,"d":[]}', b'{"op":13,"d":{}}']
)
async def test_signed_nonsense_is_an_error_and_no_crash(found: Scene, body: bytes) -> None:
    async with found.house.client.post("/in/qq", data=body, headers=signed(body)) as answer:
        assert answer.status == 400


@pytest.mark.asyncio
async def test_the_challenge_signs_no_body_of_somebodys_making(found: Scene) -> None:
    """Stamp and token are joined and signed: a token that is a whole callback would come back as its signature."""
    forged = packet().decode()
    for asked in (
        {"plain_token": forged, "event_ts": str(int(time.time()))},
        {"plain_token": "abc", "event_ts": "1764000000{"},
        {"plain_token": 5, "event_ts": "1"},
    ):
        body = json.dumps({"op": 13, "d": asked}).encode()
        async with found.house.client.post("/in/qq", data=body, headers=signed(body)) as answer:
            assert answer.status == 400 and "signature" not in await answer.text()


@pytest.mark.asyncio
async def test_the_same_callback_three_times_is_one_message_and_each_time_200(found: Scene) -> None:
    body = packet()
    for _ in range(3):
        async with found.house.client.post("/in/qq", data=body, headers=signed(body)) as answer:
            assert (answer.status, await answer.json()) == (200, {"op": 12, "d": 0})
    await found.house.settle()
    assert await found.house.sql("select count(*) from task") == [(1,)]


@pytest.mark.asyncio
async def test_an_event_of_tomorrow_is_acknowledged_and_ignored(found: Scene) -> None:
    for body in (b'{"op":0,"t":"SOMETHING_NEW","d":{"a":1}}', b'{"op":0,"t":["x"],"d":{}}', b'{"op":1,"d":7}'):
        async with found.house.client.post("/in/qq", data=body, headers=signed(body)) as answer:
            assert answer.status == 200


def test_the_published_vectors_hold() -> None:
    """The platform's documents, and botgo's interaction/signature/interaction_test.go."""
    answer = qq_signature.challenge_answer(KEY, "1725442341", "Arq0D5A61EgUu4OxUvOp")
    assert answer is not None and answer["signature"].startswith(
        "87befc99c42c651b3aac0278e71ada338433ae26fcb24307bdc5ad38c1adc2d01bcfcadc0842edac85e85205028a1132afe09280305f13aa6909ffc2d652c706"[
            :8
        ]
    )
    signature = (
        "e949b5b94ef4103df903fb031d1d16e358db3db83e79e117edd404c8508be3ce"
        "8a76d7bad1bed353194c126a1a5915b4ad8b5288c1191cc53a12acffccd82004"
    )
    body = (
        '{"id":"ROBOT1.0_veoihSEXDc8Q.g-6eLpNIa11bH8MisOjn-m-LKxCPntMk6exUXgcWCGpVO7L2QKTNZzjZzFFDSbiOFcqAPWyVA!!",'
        '"content":"哦一下","timestamp":"2024-10-15T16:33:15+08:00","author":{"id":"675860273","user_openid":"675860273"}}'
    )
    botgo = qq_signature.key_of("123456abcdef").public_key()
    assert qq_signature.signed(botgo, "1728981195", signature, body.encode())
    assert not qq_signature.signed(botgo, "1728981196", signature, body.encode())
    public = qq_signature.key_of("naOC0ocQE3shWLAfffVLB1rhYPG7").public_key()
    assert list(public.public_bytes(Encoding.Raw, PublicFormat.Raw))[:4] == [215, 195, 98, 254]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
FIELDS = (
    "id", "content", "author", "attachments", "mentions", "message_scene", "msg_elements", "group_openid", "timestamp",
    "data", "group_member_openid",
)  # fmt: skip
KINDS = (
    "GROUP_AT_MESSAGE_CREATE", "GROUP_MESSAGE_CREATE", "C2C_MESSAGE_CREATE", "INTERACTION_CREATE", "GROUP_ADD_ROBOT",
    "GROUP_MSG_RECEIVE",
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
def test_any_shape_of_event_is_read_or_ignored(kind: str, changed: dict[str, Any]) -> None:
    data = qq_wire.message("m1", ROOM, "limin", "李敏", "你好", (), None, True) | changed
    found = heard("qq", {"op": 0, "id": "e1", "t": kind, "d": data})
    assert found is None or found.address or found.event


@pytest.mark.asyncio
async def test_a_body_that_does_not_end_is_refused(found: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.platforms.qq.BODY_SECONDS", 0.05)

    async def slowly() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(0.3)
        yield b"}"

    async with found.house.client.post("/in/qq", data=slowly(), headers=signed(b"{}")) as answer:
        assert answer.status == 403
    assert qq(found)


@pytest.mark.parametrize("options", [{}, {"appid": APP, "mode": "poll"}])
def test_a_channel_without_its_number_or_with_an_unknown_mode_does_not_start(options: dict[str, str]) -> None:
    given = ChannelSettings.model_validate({"kind": "qq", "options": options, "secrets": {"secret": SECRET}})
    with pytest.raises(ConfigError, match="appid"):
        connect({"qq": given}, Path, demo=False)
