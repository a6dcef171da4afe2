"""PyPI wecom-aibot-sdk as the bot: everything it can do, one JSON line for each thing that went as it expects."""

import asyncio
import hashlib
import json
import sys

from wecom_aibot_sdk import WSClient

BOT_ID, SECRET, URL, CARD = sys.argv[1:5]


class Quiet:
    def __getattr__(self, name):
        return lambda *words: None


def tell(did, **more):
    print(json.dumps({"did": did, **more}), flush=True)


client = WSClient(bot_id=BOT_ID, secret=SECRET, ws_url=URL, logger=Quiet(), max_reconnect_attempts=0)


async def welcome(frame):
    await client.reply_welcome(frame, {"msgtype": "text", "text": {"content": "您好"}})
    tell("welcome")


async def clicked(frame):
    card = {**json.loads(CARD), "button_list": [{"text": "已点", "key": "k", "style": 1}]}
    await client.update_template_card(frame, card)
    tell("update")


async def mixed(frame):
    body = frame["body"]
    image = next(item["image"] for item in body["mixed"]["msg_item"] if item["msgtype"] == "image")
    found = await client.download_file(image["url"], image["aeskey"])
    sha = hashlib.sha256(found["buffer"]).hexdigest()
    tell("photo", sha256=sha, filename=found["filename"], **{"from": body["from"]["userid"]}, quoted="quote" in body)
    await client.reply_stream(frame, "s1", "受理中", False)
    await client.reply_stream_with_card(frame, "s1", "已登记", True, template_card=json.loads(CARD))
    tell("stream")
    media = await client.upload_media(found["buffer"], type="image", filename="a.jpg")
    await client.send_media_message(body["chatid"], "image", media["media_id"])
    tell("upload")
    await client.send_message(body["chatid"], {"msgtype": "markdown", "markdown": {"content": "# 今日要闻"}})
    tell("push")
    try:
        await client.send_message("nobody", {"msgtype": "markdown", "markdown": {"content": "x"}})
        tell("stranger_taken")
    except Exception:  # noqa: BLE001 - whatever it raises, it did not go through
        tell("stranger_refused")


async def main():
    client.on("authenticated", lambda: tell("authenticated"))
    client.on("error", lambda error: tell("error", error=str(error)))
    client.on("disconnected", lambda reason: tell("disconnected"))
    client.on("event.disconnected_event", lambda frame: tell("taken"))
    client.on("event.enter_chat", welcome)
    client.on("event.template_card_event", clicked)
    client.on("message.mixed", mixed)
    await client.connect()
    await asyncio.Event().wait()


asyncio.run(main())
