"""Every number and secret an office may set: settings.toml in the county or data folder, QUNBAN_… in the environment.

    load_settings(county, data)     later folders win over earlier ones, the environment over all

A bad value is a ConfigError that names file, line and key in Chinese. Importing this costs some 0.27 s of CPU and
19 MiB on top of asyncio (pydantic), so it is imported by the wiring and the command line only.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from config.county import ROLES
from config.errors import ConfigError, Fault

FILE = "settings.toml"
PREFIX = "QUNBAN_"
SPAN = re.compile(r"\s*(\d{1,2})[:：]([0-5]\d)\s*[-–—~～至]\s*(\d{1,2})[:：]([0-5]\d)\s*")


def _spans(value: object) -> object:
    """ "08:30-12:00, 14:00-18:00" as minutes of the day, in order."""
    if not isinstance(value, str):
        return value
    spans = []
    for piece in re.split(r"[,，、;；]", value):
        found = SPAN.fullmatch(piece)
        if found is None:
            raise ValueError("应写成 08:30-18:00，多段用逗号隔开")
        opens, opened, closes, closed = map(int, found.groups())
        spans.append((opens * 60 + opened, closes * 60 + closed))
    edges = [minute for span in spans for minute in span]
    if edges != sorted(set(edges)) or edges[-1] > 24 * 60:
        raise ValueError("时段要从早到晚，且不重叠")
    return tuple(spans)


def _networks(value: object) -> object:
    pieces = re.split(r"[\s,，]+", value) if isinstance(value, str) else value
    if not isinstance(pieces, list | tuple):
        return value
    try:
        return tuple(ip_network(str(piece).strip(), strict=False) for piece in pieces if str(piece).strip())
    except ValueError as error:
        raise ValueError("应为网址段，如 10.1.0.0/16") from error


def _clock(value: object) -> object:
    """ "08:47" as the minute of the day."""
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"\s*([01]?\d|2[0-3])[:：]([0-5]\d)\s*", value)
    if found is None:
        raise ValueError("应写成 08:47")
    return int(found[1]) * 60 + int(found[2])


def _odd(value: int) -> int:
    if value % 30 == 0:
        raise ValueError("不要选整点或半点（那时消息最挤），例如 08:47")
    return value


def _roles(value: object) -> object:
    """ "admin|auditor" as role names."""
    if not isinstance(value, str):
        return value
    named = tuple(role for role in re.split(r"[|,，、\s]+", value) if role)
    if unknown := [role for role in named if role not in ROLES]:
        raise ValueError(f"没有角色 {unknown[0]}，可用：{'、'.join(ROLES)}")
    return named


Roles = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_roles)]
ClockTime = Annotated[int, BeforeValidator(_clock), Field(ge=0, lt=24 * 60)]
DigestTime = Annotated[ClockTime, AfterValidator(_odd)]
OfficeHours = Annotated[tuple[tuple[int, int], ...], NoDecode, BeforeValidator(_spans)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]
Minutes = Annotated[int, Field(ge=1, le=7 * 24 * 60)]
Days = Annotated[int, Field(ge=1, le=3660)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


class ChannelSettings(BaseModel):
    """One platform connection. `kind` picks the adapter; it reads its own `options` and `secrets`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = Field(min_length=1, max_length=32)
    per_minute: Count | None = None  # sending; None: the platform's documented limit
    options: dict[str, str | int | bool] = {}
    secrets: dict[str, SecretStr] = {}


class Settings(BaseSettings):
    """Frozen after start. Durations carry their unit in the name."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    county_name: str = Field("云溪县", min_length=1, max_length=32)
    office_hours: OfficeHours = ((8 * 60 + 30, 18 * 60),)  # design 6a.9: outside is quiet

    gather_seconds: int = Field(90, ge=5, le=600)  # design 3
    draft_minutes: Minutes = 10
    ask_photo_seconds: int = Field(90, ge=5, le=600)
    confirm_minutes: Minutes = 3  # dispatch.md F1
    accept_minutes: Minutes = 5  # dispatch.md F1: in duty hours
    accept_minutes_off: Minutes = 15
    verify_hours: int = Field(2, ge=1, le=72)
    reminder_cap: int = Field(2, ge=0, le=5)  # design 6a.3
    returns_cap: int = Field(2, ge=0, le=5)
    reopen_days: int = Field(7, ge=1, le=90)

    digest_time: DigestTime = 8 * 60 + 47  # digest.md D6: an odd minute, never :00 or :30
    digest_until: ClockTime = 12 * 60  # later than this a day's edition is not sent any more
    digest_persons: Literal[2, 3] = 3  # who must pass an edition: three reviews, or two persons in a small office
    digest_rest_days: int = Field(60, ge=1, le=3660)  # before a micro-class or micro-warning may come again

    keep_photos_days: Days = 180  # security.md B (PIPL 19)
    keep_text_days: Days = 730
    keep_audit_days: int = Field(400, ge=365, le=3660)  # at least a year by law, security.md B
    backup_minutes: Minutes = 60
    backup_keep: int = Field(48, ge=2, le=1000)

    queue_events: Count = 2000  # in memory; past it HTTP answers 503

    session_idle_minutes: Minutes = 30  # security.md B, 身份鉴别
    session_hours: int = Field(8, ge=1, le=24)
    login_failures: int = Field(5, ge=3, le=20)
    login_lock_minutes: Minutes = 15
    totp_roles: Roles = ("admin", "security_admin", "auditor")  # security.md A.3: who signs in with a second factor
    ip_allow: Networks = ()  # empty: from anywhere

    metrics_token: SecretStr | None = Field(None, min_length=16)  # None: /metrics answers this machine only

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    public_url: str = Field("", pattern=r"^$|^https?://\S+$", max_length=200)
    channels: dict[str, ChannelSettings] = {}

    @field_validator("digest_until")
    @classmethod
    def _after_its_minute(cls, value: int, info: ValidationInfo) -> int:
        if value <= info.data.get("digest_time", 0):
            raise ValueError("要晚于发送时间 digest_time，否则摘要永远发不出去")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the files' values, which come in as arguments."""
        return env_settings, init_settings


def load_settings(*folders: Path) -> Settings:
    """Settings from each folder's settings.toml where there is one; ConfigError lists every bad key."""
    merged: dict[str, Any] = {}
    texts: dict[str, str] = {}
    for folder in folders:
        path = folder / FILE
        if path.is_file():
            text = _text(path)
            values = _parse(text)
            texts |= dict.fromkeys(values, text)
            merged |= values
    try:
        return Settings(**merged)
    except ValidationError as error:
        raise ConfigError([_fault(problem, texts) for problem in error.errors()]) from None  # no secret in a traceback
    except SettingsError as error:
        raise ConfigError([Fault("环境变量", None, None, f"{PREFIX}… 读不懂：{error}")]) from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Fault(path.name, None, None, "打不开，或不是 UTF-8 编码")]) from error


def _parse(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        raise ConfigError([Fault(FILE, int(found[1]) if found else None, None, f"写法不对（{error}）")]) from error


def _fault(problem: Mapping[str, Any], texts: Mapping[str, str]) -> Fault:
    path = [str(part) for part in problem["loc"]]
    key = ".".join(path)
    variable = PREFIX + "__".join(path).upper()
    message = _message(problem, path[0] if len(path) == 1 else "")
    if any(name.upper() == variable for name in os.environ):
        return Fault("环境变量", None, None, f"{variable} {message}")
    return Fault(FILE, _line(texts.get(path[0], ""), path), None, f"{key} {message}")


def _message(problem: Mapping[str, Any], unknown: str) -> str:
    template = MESSAGES.get(problem["type"], "值不对（{type}）")
    context = {name: str(value).replace(" or ", ", ") for name, value in problem.get("ctx", {}).items()}
    text = template.format(type=problem["type"], **context)
    return text + _nearest(unknown, Settings.model_fields) if problem["type"] == "extra_forbidden" else text


def _nearest(key: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, known, n=1)
    return f"，是不是 {near[0]}？" if near else ""


def _line(text: str, path: list[str]) -> int | None:
    """The line of the innermost key of `path` that the file spells out."""
    for part in reversed(path):
        pattern = re.compile(rf'^\s*"?{re.escape(part)}"?\s*=|^\s*\[[^\]]*\b{re.escape(part)}\s*\]')
        for number, line in enumerate(text.splitlines(), start=1):
            if pattern.search(line):
                return number
    return None


MESSAGES = {
    "extra_forbidden": "没有这个设置",
    "missing": "缺少这个设置",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_from_float": "应为整数",
    "float_type": "应为数字",
    "float_parsing": "应为数字",
    "string_type": "应为文字（加引号）",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "dict_type": "应为一节，如 [channels.名称]",
    "model_type": "应为一节，如 [channels.名称]",
    "model_attributes_type": "应为一节，如 [channels.名称]",
    "tuple_type": "应为列表",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "string_too_short": "不能为空",
    "string_too_long": "太长，最多 {max_length} 字",
    "string_pattern_mismatch": "写法不对，应以 http:// 或 https:// 开头",
    "literal_error": "只能是 {expected}",
    "value_error": "{error}",
}
