"""WeCom's app, ours and simulated, against software others wrote: wechatpy as client and as bot, Tencent's @wecom/crypto."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.simulators.frame import Fault
from bot.simulators.wecom_app import WecomAppSimulator
from tests.peers.environments import npm
from tests.platforms.stage import REPORTS, picture, staged

PEERS = Path(__file__).parents[1] / "peers"
VERSIONS = json.loads((PEERS / "wecom-app.json").read_text("utf-8"))


@pytest_asyncio.fixture
async def simulator() -> AsyncIterator[WecomAppSimulator]:
    found = WecomAppSimulator()
    found.patience = 0.02
    await found.start()
    yield found
    await found.close()


def client(simulator: WecomAppSimulator) -> Any:
    """wechatpy's client, its two fixed addresses turned to the simulator."""
    from wechatpy.enterprise import WeChatClient

    class Client(WeChatClient):  # type: ignore[misc]
        API_BASE_URL = f"{simulator.url}/cgi-bin/"

        def fetch_access_token(self) -> Any:
            params = {"corpid": self.corp_id, "corpsecret": self.secret}
            return self._fetch_access_token(url=f"{simulator.url}/cgi-bin/gettoken", params=params)

    return Client(simulator.corp, simulator.secret)


@pytest.mark.asyncio
async def test_wechatpys_client_finds_its_wecom_in_ours(simulator: WecomAppSimulator) -> None:
    def work() -> dict[str, Any]:
        from wechatpy.exceptions import WeChatClientException

        found, photo = client(simulator), picture(1)
        try:
            media = found.media.upload("image", ("a.jpg", photo))
            person = found.user.get("limin")
            sent = found.message.send_text(simulator.agent, ["limin"], "新工单")
            found.message.send_image(simulator.agent, "limin", media["media_id"])
            with pytest.raises(WeChatClientException) as told:
                found.message.send_text(simulator.agent, ["nobody"], "x")
            return {"person": person, "sent": sent, "told": told.value.errcode}
        finally:
            found._http.close()

    found = await asyncio.to_thread(work)
    assert found["person"]["name"] == "李敏" and found["sent"]["errcode"] == 0 and found["told"] == 81013
    assert [(line.user, line.form, line.text) for line in simulator.sent] == [
        ("limin", "text", "新工单"),
        ("limin", "image", ""),
    ]
    assert simulator.sent[1].photos == (picture(1),) and simulator.renewals == 1


@pytest.mark.asyncio
async def test_wechatpys_client_renews_when_ours_says_the_token_ended(simulator: WecomAppSimulator) -> None:
    def work() -> None:
        found = client(simulator)
        try:
            found.message.send_text(simulator.agent, ["limin"], "一")
            simulator.faults.append(Fault("token_expired"))
            found.message.send_text(simulator.agent, ["limin"], "二")
        finally:
            found._http.close()

    await asyncio.to_thread(work)
    assert [line.text for line in simulator.sent] == ["一", "二"] and simulator.renewals == 2


@pytest.mark.asyncio
async def test_a_bot_on_wechatpy_reads_what_ours_delivers(simulator: WecomAppSimulator) -> None:
    from wechatpy.enterprise import WeChatCrypto, parse_message

    crypto = WeChatCrypto(simulator.token, simulator.aes_key, simulator.corp)
    heard: list[Any] = []

    async def called(request: web.Request) -> web.Response:
        query = request.query
        signature, stamp, nonce = query["msg_signature"], query["timestamp"], query["nonce"]
        if request.method == "GET":
            return web.Response(text=crypto.check_signature(signature, stamp, nonce, query["echostr"]))
        heard.append(parse_message(crypto.decrypt_message(await request.text(), signature, stamp, nonce)))
        return web.Response(status=500 if len(heard) == 1 else 200)

    app = web.Application()
    app.router.add_route("*", "/in/app", called)
    async with TestServer(app) as server:
        simulator.channel(str(server.make_url("/")))
        assert await simulator.verify() == "7301293344"
        said = await simulator.say("", "limin", "路灯坏了 <b>&", [picture(2)])
        await simulator.locate("limin", "西环路12号")
    assert [message.type for message in heard] == ["image", "image", "text", "location"]
    assert heard[0].id == heard[1].id and simulator.deliveries == 4, "delivered again after a 500"
    assert (heard[2].content, heard[2].source, str(heard[2].id)) == ("路灯坏了 <b>&", "limin", said)
    assert simulator.media[heard[0].media_id] == picture(2) and heard[3].label == "西环路12号"


@pytest.mark.long
@pytest.mark.asyncio
async def test_tencents_crypto_seals_for_our_bot_and_opens_what_our_simulator_sealed(tmp_path: Path) -> None:
    folder = await asyncio.to_thread(npm, tmp_path / "node", VERSIONS["npm"])
    simulator = WecomAppSimulator()
    async with staged(tmp_path / "data", simulator, {REPORTS: "chat/room1"}, {"limin": "limin"}) as scene:
        stamp = str(int(time.time()))
        base = {"token": simulator.token, "key": simulator.aes_key, "id": simulator.corp, "stamp": stamp, "nonce": "n1"}
        xml = (
            f"<xml><ToUserName>{simulator.corp}</ToUserName><FromUserName>limin</FromUserName><CreateTime>{stamp}</CreateTime>"
            "<MsgType>text</MsgType><Content>#随手拍 西环路三角绿地的雕塑上贴满小广告</Content><MsgId>7</MsgId></xml>"
        )
        ours = simulator.envelope.seal("你好")
        theirs, opened, stranger = await asyncio.to_thread(
            _node, folder, [{**base, "seal": xml}, {**base, "open": ours.encrypt, "stamp": ours.stamp, "nonce": ours.nonce},
                            {**base, "id": "wwSOMEONE", "seal": xml}]
        )  # fmt: skip
        assert (opened["message"], opened["id"], opened["signature"]) == ("你好", simulator.corp, ours.signature)
        statuses = []
        for sealed in (theirs, stranger):
            query = {"msg_signature": sealed["signature"], "timestamp": stamp, "nonce": "n1"}
            body = f"<xml><Encrypt><![CDATA[{sealed['encrypt']}]]></Encrypt></xml>"
            async with scene.house.client.post("/in/app", params=query, data=body) as answer:
                statuses.append(answer.status)
        assert statuses == [200, 403]
        await scene.hears("已受理")


def _node(folder: Path, asked: list[dict[str, str]]) -> list[dict[str, str]]:
    script = PEERS / "wecom_app" / "crypto.cjs"
    (folder / script.name).write_bytes(script.read_bytes())
    done = subprocess.run(
        ["node", script.name], cwd=folder, input="\n".join(map(json.dumps, asked)) + "\n",
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]
