"""Which adapter a configured channel gets: `kind` in settings.toml → the class that speaks it, imported only when used.

[channels.oa]
kind = "http"
options = {callback = "https://oa.example.gov.cn/qunban"}
secrets = {key = "……"}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, runtime_checkable

from bot.engine import Engine
from bot.platforms import Platform
from config.errors import ConfigError, Fault
from config.settings import FILE, ChannelSettings

KINDS: Mapping[str, str] = {
    "http": "bot.platforms.http:HttpPlatform",
    "onebot": "bot.platforms.onebot:OneBotPlatform",
    "official-account": "bot.platforms.official_account:OfficialAccountPlatform",
    "wecom-app": "bot.platforms.wecom_app:WecomAppPlatform",
    "wecom-webhook": "bot.platforms.wecom_webhook:WecomWebhookPlatform",
    "wecom-aibot": "bot.platforms.wecom_aibot:WecomAibotPlatform",
    "wecom-aibot-webhook": "bot.platforms.wecom_aibot_webhook:WecomAibotWebhookPlatform",
    "qq": "bot.platforms.qq:QQPlatform",
}
RESERVED = frozenset({"web", "clock", "console"})
NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
SECRET_LENGTH = 16  # characters at least

Value = str | int | bool


class Connected(Platform, Protocol):
    """A platform outside this process. `engine` is set before `start`."""

    engine: Engine | None


@runtime_checkable
class Provable(Protocol):
    """A platform that can prove its connection without anybody seeing it (`bot check`)."""

    async def probe(self) -> str:
        """What was found, in a few words. Raises a SendError that says what to mend."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What an adapter is built from, already checked: every option it knows, every secret it needs."""

    name: str
    per_minute: int | None
    options: Mapping[str, Value]
    secrets: Mapping[str, str]
    photo: Callable[[str], Path]  # where a cleaned photo lies

    def text(self, key: str) -> str:
        """A text option."""
        return str(self.options[key])

    def number(self, key: str) -> int:
        """A whole number or switch."""
        return int(self.options[key])


class Adapter(Protocol):
    """What a class must say of itself to be listed in KINDS."""

    OPTIONS: Mapping[str, Value]  # name → default, which also gives the type
    SECRETS: tuple[str, ...]  # all of them needed

    def __call__(self, setup: Setup) -> Connected: ...


def connect(
    channels: Mapping[str, ChannelSettings], photo: Callable[[str], Path], *, demo: bool
) -> dict[str, Connected]:
    """The configured channels' platforms by name. Raises ConfigError with every fault; a demo has none (design 6b)."""
    if channels and demo:
        raise ConfigError(
            f"演示数据目录不能接入真实渠道（{'、'.join(channels)}）。请先导入本县资料（bot county import），"
            "或换一个数据目录并用 --county 启动。"
        )
    faults: list[Fault] = []
    found: dict[str, Connected] = {}
    for name, settings in channels.items():
        try:
            found[name] = _one(name, settings, photo)
        except ConfigError as error:
            faults += error.faults or (_at(name, str(error)),)
    if faults:
        raise ConfigError(faults)
    return found


def clean(value: str) -> str:
    """Text any database takes: no lone surrogates (JSON can carry them), no NUL."""
    return _SURROGATES.sub("\ufffd", value).replace("\0", "")


def _one(name: str, settings: ChannelSettings, photo: Callable[[str], Path]) -> Connected:
    if not NAME.fullmatch(name) or name in RESERVED:
        raise _fault(name, "名称只能用小写字母、数字、- 和 _，字母开头，且不能是 web、clock 或 console")
    if settings.kind not in KINDS:
        raise _fault(name, f"不认识的 kind“{settings.kind}”，可用：{'、'.join(KINDS)}")
    module, _, title = KINDS[settings.kind].partition(":")
    adapter: Adapter = getattr(import_module(module), title)
    secrets = {key: value.get_secret_value() for key, value in settings.secrets.items()}
    faults = [*_bad_options(name, settings.options, adapter.OPTIONS), *_bad_secrets(name, secrets, adapter.SECRETS)]
    if faults:
        raise ConfigError(faults)
    return adapter(Setup(name, settings.per_minute, {**adapter.OPTIONS, **settings.options}, secrets, photo))


def _bad_options(name: str, given: Mapping[str, Value], known: Mapping[str, Value]) -> list[Fault]:
    words = {str: "文字", int: "整数", bool: "true 或 false"}
    unknown = [key for key in given if key not in known]
    wrong = [key for key, value in given.items() if key in known and type(value) is not type(known[key])]
    return [
        *(_at(name, f"没有选项 {key}，可用：{'、'.join(known)}") for key in unknown),
        *(_at(name, f"选项 {key} 应为{words[type(known[key])]}") for key in wrong),
    ]


def _bad_secrets(name: str, given: Mapping[str, str], needed: tuple[str, ...]) -> list[Fault]:
    short = [key for key in needed if len(given.get(key, "")) < SECRET_LENGTH]
    unknown = [key for key in given if key not in needed]
    return [
        *(_at(name, f"需要密钥 {key}，至少 {SECRET_LENGTH} 位随机字符") for key in short),
        *(_at(name, f"没有密钥 {key}，可用：{'、'.join(needed)}") for key in unknown),
    ]


def _at(name: str, message: str) -> Fault:
    return Fault(FILE, None, None, f"channels.{name} {message}")


def _fault(name: str, message: str) -> ConfigError:
    return ConfigError([_at(name, message)])
