"""Small servers that behave like the chat platforms, for tests and for drills: `bot simulate PLATFORM`.

    async with opened("wecom-aibot") as simulator: ...

Each is qualified by software that others wrote (tests/peers). A simulator is imported only when it is named.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from importlib import import_module

from bot.simulators.frame import Simulator

SIMULATORS: Mapping[str, tuple[str, str]] = {  # platform → (module:class, what people call it)
    "wecom-aibot": ("bot.simulators.wecom_aibot:WecomAibotSimulator", "企业微信智能机器人"),
    "wecom-aibot-webhook": (
        "bot.simulators.wecom_aibot_webhook:WecomAibotWebhookSimulator",
        "企业微信智能机器人（回调）",
    ),
    "wecom-app": ("bot.simulators.wecom_app:WecomAppSimulator", "企业微信自建应用"),
    "wecom-webhook": ("bot.simulators.wecom_webhook:WecomWebhookSimulator", "企业微信群消息推送"),
    "official-account": ("bot.simulators.official_account:OfficialAccountSimulator", "微信公众号"),
    "onebot": ("bot.simulators.onebot:OneBotSimulator", "QQ（OneBot，非官方）"),
    "qq": ("bot.simulators.qq:QQSimulator", "QQ 官方机器人（回调）"),
    "qq-gateway": ("bot.simulators.qq:QQGatewaySimulator", "QQ 官方机器人（网关）"),
}


def build(platform: str) -> Simulator:
    """A simulator that has not started."""
    path, title = SIMULATORS[platform]
    module, _, name = path.partition(":")
    simulator: Simulator = getattr(import_module(module), name)()
    simulator.title = title
    return simulator


@contextlib.asynccontextmanager
async def opened(platform: str, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Simulator]:
    """A running simulator, closed at the end."""
    simulator = build(platform)
    await simulator.start(host, port)
    try:
        yield simulator
    finally:
        await simulator.close()
