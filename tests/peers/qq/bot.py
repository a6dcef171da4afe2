"""NoneBot2 with its QQ adapter, as its guide has it, telling on standard output what it met. MODE PORT PLATFORM APP SECRET."""

import json
import sys
from typing import Any

import nonebot
from nonebot.adapters.qq import (
    Adapter,
    Bot,
    C2CMessageCreateEvent,
    GroupAddRobotEvent,
    GroupAtMessageCreateEvent,
    InteractionCreateEvent,
    MessageSegment,
)
from nonebot.adapters.qq.exception import ActionFailed
from nonebot.adapters.qq.models import (
    Action,
    Button,
    InlineKeyboard,
    InlineKeyboardRow,
    MessageKeyboard,
    Permission,
    RenderData,
)

mode, port, platform, app, secret = sys.argv[1:6]
GATEWAY = mode == "gateway"


def tell(did: str, **more: Any) -> None:
    print(json.dumps({"did": did, **more}, ensure_ascii=False), flush=True)


nonebot.init(
    driver="~fastapi+~httpx+~websockets",
    host="127.0.0.1",
    port=int(port),
    log_level="ERROR",
    qq_api_base=f"{platform}/",
    qq_auth_base=f"{platform}/app/getAppAccessToken",
    qq_bots=[
        {
            "id": app,
            "secret": secret,
            "use_websocket": GATEWAY,
            "intent": {
                "guilds": False, "guild_members": False, "guild_message_reactions": False, "message_audit": False,
                "at_messages": False, "c2c_group_at_messages": True, "interaction": True,
            },
        }
    ],
)  # fmt: skip
driver = nonebot.get_driver()
driver.register_adapter(Adapter)
heard = nonebot.on_message(block=True)
noticed = nonebot.on_notice(block=True)


@driver.on_startup
async def up() -> None:
    tell("up")


@driver.on_bot_connect
async def met(bot: Bot) -> None:
    tell("connected", name=bot.self_info.username)


@heard.handle()
async def said(bot: Bot, event: GroupAtMessageCreateEvent) -> None:
    words, photos = event.get_plaintext().strip(), [s.data["url"] for s in event.get_message()["image"]]
    tell("heard", text=words, photos=photos, member=event.author.member_openid, quoted=event.reply is not None)
    if words == "按钮":
        button = Button(
            id="1",
            render_data=RenderData(label="签收", visited_label="已签收", style=1),
            action=Action(type=1, permission=Permission(type=2), data="签收 1124-001", unsupport_tips="请升级"),
        )
        board = MessageKeyboard(content=InlineKeyboard(rows=[InlineKeyboardRow(buttons=[button])]))
        await bot.send(event, MessageSegment.markdown("新问题") + MessageSegment.keyboard(board))
    elif words == "主动":
        try:
            await bot.send_to_group(event.group_openid, "早上好")
        except ActionFailed as error:
            tell("refused", code=error.code)
    elif words == "多条":
        for number in range(6):
            try:
                await bot.send_to_group(event.group_openid, f"第{number + 1}条", msg_id=event.id, msg_seq=number + 1)
            except ActionFailed as error:
                tell("refused", code=error.code, number=number + 1)
        try:
            await bot.send_to_group(event.group_openid, "再来", msg_id=event.id, msg_seq=1)
        except ActionFailed as error:
            tell("refused", code=error.code, number=1)
    elif photos:
        await bot.send(event, MessageSegment.text("收到照片") + MessageSegment.image(photos[0]))
    else:
        await bot.send(event, f"收到：{words}")


@heard.handle()
async def whispered(bot: Bot, event: C2CMessageCreateEvent) -> None:
    tell("whispered", text=event.get_plaintext().strip(), user=event.author.user_openid)
    await bot.send(event, "单独答复")


@noticed.handle()
async def pressed(bot: Bot, event: InteractionCreateEvent) -> None:
    tell("pressed", data=event.data.resolved.button_data, group=event.group_openid)
    await bot.put_interaction(interaction_id=event.id, code=0)


@noticed.handle()
async def added(event: GroupAddRobotEvent) -> None:
    tell("added", group=event.group_openid)


nonebot.run()
