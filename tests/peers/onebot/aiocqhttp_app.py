"""An application on aiocqhttp, as its guide has it. WAY PORT TOKEN URL as arguments; tells what it did in JSON lines."""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

from aiocqhttp import CQHttp, Event, Message, MessageSegment
from aiocqhttp.exceptions import Error

_, way, port, token, url = sys.argv
roots = {"api_root": url} if way == "http" else {}
bot = CQHttp(access_token=token, secret=token, message_class=Message, **roots)


def tell(did: str, **more: Any) -> None:
    print(json.dumps({"did": did, **more}), flush=True)


@bot.on_message("group")
async def heard(event: Event) -> None:
    urls = [part["data"]["url"] for part in event.message if part["type"] == "image"]
    quotes = [part["data"]["id"] for part in event.message if part["type"] == "reply"]
    tell("heard", text=event.message.extract_plain_text(), urls=urls, user=event.user_id, quotes=quotes)
    member = await bot.get_group_member_info(self_id=event.self_id, group_id=event.group_id, user_id=event.user_id)
    picture = f"base64://{base64.b64encode(b'picture').decode()}"
    answer = MessageSegment.reply(event.message_id) + MessageSegment.text(f"收到,{member['nickname']}[&]")
    sent = await bot.send(event, answer + MessageSegment.image(picture))
    tell("sent", id=sent["message_id"])
    past = await bot.call_action("get_group_msg_history", self_id=event.self_id, group_id=event.group_id)
    tell("history", ids=[said["message_id"] for said in past["messages"]])
    try:
        await bot.call_action("no_such_action", self_id=event.self_id)
    except Error as error:
        tell("refused", error=type(error).__name__)


@bot.on_notice("group_recall")
async def recalled(event: Event) -> None:
    tell("recalled", id=event.message_id)


bot.run(host="127.0.0.1", port=int(port))
