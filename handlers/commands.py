"""What a short message asks for: a verb, perhaps a task number, and the rest. One dictionary look-up, no scan."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

VERBS: dict[str, str] = {
    "签收": "accept", "接单": "accept", "收到": "accept", "已签收": "accept", "已接单": "accept",
    "到场": "arrive", "已到场": "arrive", "到达现场": "arrive", "到现场": "arrive",
    "反馈": "feed_back", "已处理": "feed_back", "处理完": "feed_back", "已办结": "feed_back", "已完成": "feed_back", "已整改": "feed_back",
    "已清理": "feed_back", "已修复": "feed_back", "办完": "feed_back",
    "通过": "verify_ok", "合格": "verify_ok", "办结": "verify_ok", "核查通过": "verify_ok",
    "不合格": "verify_fail", "返工": "verify_fail", "不通过": "verify_fail", "没处理好": "verify_fail",
    "退单": "return_", "退回": "return_",
    "改派": "reassign", "转派": "reassign", "派": "reassign", "派单": "reassign",
    "撤回": "withdraw", "撤销": "withdraw",
    "不予受理": "reject", "不受理": "reject",
    "强制办结": "force_close",
    "重开": "reopen",
    "改类别": "correct", "改地点": "correct", "改单位": "correct", "改": "correct",
    "确认": "choose", "选": "choose",
    "查": "look_up", "查询": "look_up", "状态": "look_up", "进度": "look_up",
    "帮助": "help", "怎么用": "help", "隐私": "privacy", "意见": "opinion", "静音": "mute", "恢复": "unmute", "报到": "check_in",
    "绑定": "bind_group",
}  # fmt: skip
LONGEST = max(map(len, VERBS))
ALONE = frozenset({"help", "privacy", "opinion", "mute", "unmute", "check_in", "bind_group"})

_NUMBER = re.compile(
    r"(?:#|＃|单号|工单)?\s*(?<!\d)((?:20\d{2})?\d{4})\s*[-－—–]\s*(\d{1,4})(?!\d)|[#＃]\s*(\d{1,4})(?!\d)"
)
_MENTION = re.compile(r"@[^\s@,，。:：]{1,20}")
_CHOICE = re.compile(r"[1-4]")
TAGS = ("#随手拍", "#上报", "#报事", "随手拍", "#投稿")


@dataclass(frozen=True, slots=True)
class Command:
    """`verb` is empty when the text names none; `number` is MMDD-NNN, YYYYMMDD-NNN or a bare serial."""

    verb: str = ""
    word: str = ""
    number: str = ""
    rest: str = ""


def parse(text: str) -> Command:
    """Read a message as a command. Full-width forms, mentions and the place of the number do not matter."""
    plain = unicodedata.normalize("NFKC", text).replace("“", "").replace("”", "").strip()
    plain = _MENTION.sub(" ", plain).strip()
    number = ""
    if found := _NUMBER.search(plain):
        number = f"{found[1]}-{int(found[2]):03d}" if found[1] else found[3]
        plain = f"{plain[: found.start()]} {plain[found.end() :]}".strip(" ,，。:：")
    if _CHOICE.fullmatch(plain[:1]) and not plain[1:2].isalnum():
        return Command("choose", "选", number, plain[0])
    for length in range(min(LONGEST, len(plain)), 0, -1):
        if verb := VERBS.get(plain[:length]):
            return Command(verb, plain[:length], number, plain[length:].strip(" ,，。:：一下了!！"))
    return Command(number=number, rest=plain)


def tagged(text: str) -> bool:
    """Whether the sender marked the message as a report."""
    return text.lstrip().startswith(TAGS)


def without_tag(text: str) -> str:
    """The words behind the tag and the mentions."""
    plain = _MENTION.sub(" ", text).strip()
    for tag in TAGS:
        if plain.startswith(tag):
            return plain[len(tag) :].strip(" ,，。:：")
    return plain
