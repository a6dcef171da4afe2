"""NoneBot2 with its QQ adapter by callback, as its own guide has it, echoing; nothing is stored. PORT API APP SECRET DRIVER."""

from __future__ import annotations

import sys

import nonebot
from nonebot.adapters.qq import Adapter, GroupAtMessageCreateEvent
from nonebot.matcher import Matcher

port, api, app, secret, client = sys.argv[1:6]
nonebot.init(
    driver=f"~fastapi+~{client}",
    host="127.0.0.1",
    port=int(port),
    log_level="WARNING",
    qq_api_base=f"{api}/",
    qq_auth_base=f"{api}/app/getAppAccessToken",
    qq_bots=[{"id": app, "secret": secret, "use_websocket": False, "intent": {"c2c_group_at_messages": True}}],
)
nonebot.get_driver().register_adapter(Adapter)
echo = nonebot.on_message(block=True)


@echo.handle()
async def reply(event: GroupAtMessageCreateEvent, matcher: Matcher) -> None:
    """Say it back."""
    await matcher.send(event.get_plaintext())


nonebot.run()
