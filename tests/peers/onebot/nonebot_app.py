"""An application on NoneBot2 with its OneBot adapter. WAY PORT TOKEN URL as arguments; tells what it did in JSON lines."""

from __future__ import annotations

import json
import sys
from typing import Any

import nonebot
from nonebot.adapters.onebot.v11 import Adapter, Bot, GroupMessageEvent, GroupRecallNoticeEvent, MessageSegment
from nonebot.exception import NoneBotException

_, way, port, token, url = sys.argv
given: dict[str, Any] = {"onebot_access_token": token}
if way == "forward":
    given |= {"onebot_ws_urls": [url.replace("http", "ws", 1) + "/"]}
if way == "http":
    given |= {"onebot_secret": token, "onebot_api_roots": {"10001": url}}
nonebot.init(driver="~fastapi+~aiohttp", host="127.0.0.1", port=int(port), log_level="ERROR", **given)
nonebot.get_driver().register_adapter(Adapter)
message, notice = nonebot.on_message(block=True), nonebot.on_notice()


def tell(did: str, **more: Any) -> None:
    print(json.dumps({"did": did, **more}), flush=True)


@message.handle()
async def heard(bot: Bot, event: GroupMessageEvent) -> None:
    urls = [part.data["url"] for part in event.original_message if part.type == "image"]
    quotes = [part.data["id"] for part in event.original_message if part.type == "reply"]
    tell("heard", text=event.get_plaintext(), urls=urls, user=event.user_id, quotes=quotes)
    member = await bot.get_group_member_info(group_id=event.group_id, user_id=event.user_id)
    answer = MessageSegment.reply(event.message_id) + MessageSegment.text(f"收到,{member['nickname']}[&]")
    sent = await bot.send(event, answer + MessageSegment.image(b"picture"))
    tell("sent", id=sent["message_id"])
    past = await bot.call_api("get_group_msg_history", group_id=event.group_id)
    tell("history", ids=[said["message_id"] for said in past["messages"]])
    try:
        await bot.call_api("no_such_action")
    except NoneBotException as error:
        tell("refused", error=type(error).__name__)


@notice.handle()
async def recalled(event: GroupRecallNoticeEvent) -> None:
    tell("recalled", id=event.message_id)


nonebot.run()
