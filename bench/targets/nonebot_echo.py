"""NoneBot2 with its OneBot adapter as its own guide has it, echoing; nothing is stored. PORT as argument."""

from __future__ import annotations

import sys

import nonebot
from nonebot.adapters.onebot.v11 import Adapter, GroupMessageEvent
from nonebot.matcher import Matcher

nonebot.init(driver="~fastapi", host="127.0.0.1", port=int(sys.argv[1]), log_level="WARNING")
nonebot.get_driver().register_adapter(Adapter)
echo = nonebot.on_message(block=True)


@echo.handle()
async def reply(event: GroupMessageEvent, matcher: Matcher) -> None:
    """Say it back."""
    await matcher.send(event.get_message())


nonebot.run()
