"""docs/channels.md says of each channel what its flags say, no more and no less."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from bot.platforms.registry import KINDS, Setup
from bot.platforms.web import WebPlatform
from handlers.office import Channel

DOCUMENT = Path(__file__).parents[2] / "docs" / "channels.md"
BEGIN, END = "<!-- 能力表:由测试生成 -->", "<!-- 能力表完 -->"
HEARS = {"all": "全部", "mention": "@机器人的", "none": "听不到"}
FORMS = {"text": "文字", "markdown": "排版文字", "news": "图文卡片", "picture": "长图"}
PROMISES = {"idempotent": "不重不漏", "at-least-once": "至少一次", "at-most-once": "至多一次"}
NEEDED: Mapping[str, str | int] = {"bot_id": "bot", "corp": "ww1", "agent": 1, "app": "wx1", "appid": "1"}
HEADS = (
    "渠道",
    "kind",
    "群里听到",
    "主动发群",
    "主动私聊",
    "发照片",
    "按钮",
    "知道撤回",
    "摘要形式",
    "一条文字最长",
    "送达承诺",
)


def channels() -> dict[str, Channel]:
    """Every kind as an office gets it without changing an option."""
    found = {"web": WebPlatform().channel}
    for kind, where in KINDS.items():
        module, _, title = where.partition(":")
        adapter = getattr(import_module(module), title)
        options = {**adapter.OPTIONS, **{key: value for key, value in NEEDED.items() if key in adapter.OPTIONS}}
        secrets = dict.fromkeys(adapter.SECRETS, "a" * 32) | {"aes_key": "a" * 43}
        found[kind] = adapter(Setup("x", None, options, secrets, Path)).channel
    return found


def table() -> str:
    """As the document has it."""
    lines = [f"| {' | '.join(HEADS)} |", f"|{'---|' * len(HEADS)}"]
    for kind, flags in channels().items():
        hears = HEARS[flags.hears]
        said = (
            flags.label or "网页工作群",
            kind,
            hears,
            _yes(flags.pushes),
            _yes(flags.can_private),
            _yes(flags.photos),
            _yes(flags.buttons),
            _yes(flags.recalls),
            "、".join(FORMS.get(form, form) for form in flags.forms),
            f"{flags.text_bytes} 字节" if flags.text_bytes else "不限",
            PROMISES[flags.delivery],
        )
        lines.append(f"| {' | '.join(said)} |")
    return "\n".join(lines)


def _yes(flag: bool) -> str:
    return "能" if flag else "不能"


def rewritten(text: str) -> str:
    """The document with today's table."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{rest.partition(END)[2]}"


def test_the_table_of_capabilities_is_what_the_flags_say() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert BEGIN in text and text == rewritten(text), "python -m tests.platforms.test_capabilities 重写"


def test_every_kind_is_shown_how_to_set_up() -> None:
    pages = [DOCUMENT, *DOCUMENT.parent.joinpath("platforms").glob("*.md")]
    text = "\n".join(page.read_text("utf-8") for page in pages)
    assert [kind for kind in KINDS if f'kind = "{kind}"' not in text] == []


if __name__ == "__main__":
    DOCUMENT.write_text(rewritten(DOCUMENT.read_text("utf-8")), "utf-8")
