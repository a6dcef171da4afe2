"""What a short message asks for: a verb, the task numbers in it, and the rest. Look-ups in one table, no guessing.

Forgiving about form (width of characters, a missing #, 一下, a typo, where the number stands) and strict about prose:
"派出所门口井盖坏了" and "收到群众反映" begin with a verb and are none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from dataclasses import dataclass, replace

WORDS: dict[str, str] = {
    "accept": "签收 接单 已签收 已接单 确认签收 确认接单",
    "arrive": "到场 已到场 到达现场 到现场 已到现场 到达 到了 已到",
    "feed_back": "反馈 办理反馈 已反馈 处理结果 办理结果",
    "verify_ok": "通过 合格 办结 核查通过 核查合格 验收 验收通过 验收合格 同意办结",
    "verify_fail": "不合格 返工 不通过 未通过 核查不通过 核查不合格 没处理好 没弄好 没清干净",
    "return_": "退单 退回 申请退单",
    "reassign": "改派 转派 派 派单 派给 转办 改派给 转派给 派单给 裁定",
    "joint": "会办 协办 联合办理",
    "extend": "延期 申请延期",
    "suspend": "挂账 申请挂账",
    "grant": "同意 同意延期 同意挂账 批准 批准延期 批准挂账",
    "deny": "不同意 不同意延期 不同意挂账 不批准",
    "resume": "恢复办理 继续办理",
    "merge": "并案 合并 并入",
    "split": "拆分 拆开",
    "withdraw": "撤回 撤销 撤单 申请撤回 申请撤单",
    "reject": "不予受理 不受理 不予立案",
    "appeal": "申诉",
    "force_close": "强制办结",
    "exempt": "豁免 申请豁免 豁免超时 免责 申请免责",
    "exempt_ok": "同意豁免 同意免责",
    "exempt_no": "不同意豁免 不同意免责",
    "reopen": "重开 重新办理",
    "urge": "催办 催一下",
    "correct": "改类别 改地点 改位置 改单位 改 地点错 地点不对 位置错 位置不对 类别错 类别不对",
    "choose": "确认 选",
    "look_up": "查 查询 状态 进度 查进度 查单",
    "lessons": "经验",
    "unlearn": "撤回经验 撤销经验",
    "relearn": "恢复经验",
    "help": "帮助 怎么用 使用说明",
    "privacy": "隐私",
    "push": "推送",
    "submit": "#投稿",
    "edition": "摘要",
    "subscribe": "订阅",
    "unsubscribe": "退订",
    "opinion": "意见",
    "mute": "静音",
    "unmute": "恢复 取消静音",
    "check_in": "报到",
    "bind_group": "绑定",
}
VERBS = {word: verb for verb, words in WORDS.items() for word in words.split()} | {"收到": "accept"}
LONGEST = max(map(len, VERBS))
TYPOS = {
    "签手": "签收", "签受": "签收", "鉴收": "签收", "千收": "签收", "签售": "签收", "迁收": "签收",
    "反溃": "反馈", "返馈": "反馈", "返溃": "反馈", "反愧": "反馈", "同过": "通过", "通国": "通过",
    "不和格": "不合格", "不合各": "不合格", "反工": "返工", "翻工": "返工", "退担": "退单", "退弹": "退单",
    "改牌": "改派", "该派": "改派", "撤会": "撤回", "彻回": "撤回", "到厂": "到场", "到常": "到场",
    "沿期": "延期", "挂帐": "挂账", "并按": "并案", "会半": "会办", "何格": "合格", "和格": "合格",
}  # fmt: skip
ALONE = frozenset(
    {"help", "privacy", "opinion", "mute", "unmute", "check_in", "bind_group", "subscribe", "unsubscribe"}
)
FAINT = frozenset(
    {
        "收到",
        "经验",
        "办结",
        "到达",
        "到了",
        "已到",
        "不归我们",
        "验收",
        "确认",
        "选",
        "改",
        "查",
        "同意",
        "批准",
        "不同意",
    }
)
GLUED = frozenset(
    {"不合格", "返工", "不通过", "未通过", "退单", "改派", "转派", "派单", "派给", "改派给", "转派给", "派单给", "会办", "延期", "申请延期",
     "挂账", "申请挂账", "并案", "不予受理", "不受理", "强制办结", "申诉", "豁免", "免责", "订阅", "退订", "改类别", "改地点", "改位置", "改单位", "派", "裁定",
     "同意延期", "同意挂账", "撤回经验", "撤销经验", "恢复经验", "不同意延期", "不同意挂账", "协办", "静音", "报到", "绑定", "重开", "没处理好", "没弄好", "没清干净"}
)  # fmt: skip
WORDED = frozenset(
    {"feed_back", "verify_fail", "return_", "extend", "suspend", "reject", "appeal", "force_close", "exempt", "withdraw",
     "reopen"}
)  # fmt: skip
# ^ what is said with these is kept, as it was written
SEVERAL = frozenset({"accept", "arrive", "verify_ok", "grant", "look_up", "return_", "feed_back"})

_FIRST = frozenset(word[0] for word in (*VERBS, *TYPOS))
TAGS = ("#随手拍", "#上报", "#报事", "#投稿", "随手拍")

_NUMBER = re.compile(
    r"(?:#|单号|工单)?\s*(?<![\d.])((?:20\d{2})?(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]))\s*[-–—~]\s*(\d{1,4})(?!\d)(?:号(?:工?单子?)?)?"
    r"|#\s*((?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]))(\d{3})(?!\d)"
    r"|(?:#|单号|工单)\s*(\d{1,4})(?![\d-])(?:\s*号)?"
)
_DIGIT = re.compile(r"\d")
_SERIAL = re.compile(r"第?(\d{1,4})(?:号工单|号单|号)?(?=$|[\s,。:;、])")
_AHEAD = re.compile(r"第?(\d{1,4})(?:号工单|号单|号)\s*")
_MENTION = re.compile(r"@[^\s@,，。:：]{1,20}")
_COURTESY = re.compile(
    r"^(?:好的?了?|行了?|嗯+|ok|OK|是|可以了?|没问题|发错了?|搞错了?|不好意思|重复了|很好|不错|满意|看过了?|我们?|我局|我单位|本单位|已经?|现在?|马上(?!到|反馈|来|就)|这单|此单|本单)(?=\S)[,。!、\s]*"
)
_PARTICLES = re.compile(
    r"(?:一下|了|啦|吧|哈|哦|呀|啊|下|好|的|完毕|此单|该单|这单|本单|工单|单子|谢谢|辛苦|马上(?:去|到|处理|安排|办)?|[!~,。.、\s])*"
)
_CHOICE = re.compile(r"(?:选?第?)([1-4一二三四①-④])(?:号|个|项)?[.。!、]?")
_CHOICES = {c: str(n) for n, row in enumerate(("1一①", "2二②", "3三③", "4四④"), 1) for c in row}
_ASKING = re.compile(r"(?:吗|呢|没有?|么|\?)[?!。]*$")
_DOUBT = re.compile(
    r"没|未|谁|怎|何|别|不|催|请|再|等|[他她你您]|说|昨|明|今晚|午|后|会|要|准备|才|先|除非|如果|被|待|快|能"
)
_AT_END = re.compile(r"(签收|接单|到场|退单|撤回)(?:了|啦|吧)?$")


@dataclass(frozen=True, slots=True)
class Command:
    """`verb` is empty when the text names none; `numbers` are MMDD-NNN, YYYYMMDD-NNN or bare serials; `loose` if more than a verb."""

    verb: str = ""
    word: str = ""
    numbers: tuple[str, ...] = ()
    rest: str = ""
    loose: bool = False

    @property
    def number(self) -> str:
        """The first number."""
        return self.numbers[0] if self.numbers else ""


def parse(text: str, names: Container[str] = ()) -> Command:
    """Read a message as a command. `names` are what units are called: "城管局签收" is 签收 too.

    A message is asked about when it is kept and again when it is decided: the last answer is remembered, no other.
    """
    global _last
    said, by, found = _last
    if said != text or by is not names:
        found = _parse(text, names)
        _last = (text, names, found)
    return found


def _parse(text: str, names: Container[str]) -> Command:
    plain, numbers = _take_numbers(folded(text))
    choice = _CHOICE.fullmatch(plain)
    if choice and plain:
        return Command("choose", "选", numbers, _CHOICES[choice[1]])
    found = _read(plain, numbers) or _read(_without_courtesy(plain, names), numbers)
    if found is None:
        return Command(numbers=numbers, rest=plain)
    return replace(found, rest=as_written(text, found.rest)) if found.verb in WORDED else found


def wording(text: str) -> str:
    """The folded words of a message without its task numbers."""
    return _take_numbers(folded(text))[0]


def as_written(text: str, words: str) -> str:
    """Folded words as they stand in the message: "，" for ",", full width for half. Numbers of tasks stay out."""
    if not words or words in text:
        return words
    letters = [(c, place) for place, char in enumerate(text) for c in unicodedata.normalize("NFKC", char)]
    spread = "".join(c for c, _ in letters)
    out = {n for taken in (_NUMBER, _MENTION) for found in taken.finditer(spread) for n in range(*found.span())}
    kept = [(c, place) for n, (c, place) in enumerate(letters) if n not in out and c.isalnum()]
    wanted = "".join(filter(str.isalnum, words))
    start = "".join(c for c, _ in kept).find(wanted)
    if start < 0 or not wanted:
        return words.replace(",", "，") if "，" in text else words
    first, last = kept[start][1], kept[start + len(wanted) - 1][1]
    while last + 1 < len(text) and text[last + 1] in _CLOSING:
        last += 1
    gone = {letters[n][1] for n in out}
    return " ".join("".join(text[n] for n in range(first, last + 1) if n not in gone).split())


_CLOSING = frozenset("）)】」”》%％℃")


_last: tuple[str, Container[str], Command] = ("", (), Command())


def folded(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).translate(_FOLD)
    return _MENTION.sub(" ", folded).strip()


_FOLD = str.maketrans(
    {"“": None, "”": None, "「": None, "」": None, "【": None, "】": None, "‐": "-", "‑": "-", "−": "-", "\u3000": " "}
    | dict.fromkeys("，", ",")
)


def _take_numbers(plain: str) -> tuple[str, tuple[str, ...]]:
    if not _DIGIT.search(plain):
        return plain, ()
    numbers = tuple(dict.fromkeys(_number(found) for found in _NUMBER.finditer(plain)))
    if numbers:
        plain = re.sub(r"\s+", " ", _NUMBER.sub(" ", plain)).strip(" ,。:、;")
    return plain, numbers


def _number(found: re.Match[str]) -> str:
    if found[1]:
        return f"{found[1]}-{int(found[2]):03d}"
    return f"{found[3]}-{found[4]}" if found[3] else found[5]


def _without_courtesy(plain: str, names: Container[str]) -> str:
    for _ in range(3):
        shorter = _COURTESY.sub("", plain, count=1)
        for length in range(min(12, len(plain) - 2), 1, -1):
            if plain[:length] in names:
                shorter = plain[length:].lstrip(" ,。:")
                break
        if shorter == plain:
            break
        plain = shorter
    return plain


def _read(plain: str, numbers: tuple[str, ...]) -> Command | None:
    if not numbers and (ahead := _AHEAD.match(plain)) and (found := _at_start(plain[ahead.end() :])):
        return _finished(found, (ahead[1],))
    found = _at_start(plain) or _reason_first(plain) or _at_end(plain) or (_nearly(plain) if numbers else None)
    return _finished(found, numbers) if found else None


def _finished(found: Command, numbers: tuple[str, ...]) -> Command:
    rest = found.rest
    if not numbers and found.verb not in ALONE and (serial := _SERIAL.match(rest)) and found.verb != "choose":
        numbers, rest = (serial[1],), rest[serial.end() :].strip(" ,。:、;")
    return Command(found.verb, found.word, numbers, rest, found.loose)


def _at_start(plain: str) -> Command | None:
    if plain[:1] not in _FIRST or _ASKING.search(plain[-6:]):
        return None
    for length in (2, 3):
        if right := TYPOS.get(plain[:length]):
            plain = right + plain[length:]
    for length in range(min(LONGEST, len(plain)), 0, -1):
        if verb := VERBS.get(word := plain[:length]):
            return _with_tail(verb, word, plain[length:])
    return None


def _with_tail(verb: str, word: str, tail: str) -> Command | None:
    if not tail or _PARTICLES.fullmatch(tail):
        return Command(verb, word)
    tail = tail.removeprefix("一下").removeprefix("了")
    apart = tail[0] in " ,。:;、!.\n-" or bool(_SERIAL.match(tail))
    if not apart and (word not in GLUED or (word == "派" and tail[0] in "得的出人来不错对")):
        return None
    rest = tail.strip(" ,。:;、!\n-")
    return Command(verb, word, rest=rest, loose=not apart or len(rest) > 12)


def _at_end(plain: str) -> Command | None:
    found = _AT_END.search(plain)
    if found and len(plain) <= 8 and not _DOUBT.search(plain):
        return Command(VERBS[found[1]], found[1])
    return None


def _reason_first(plain: str) -> Command | None:
    """ "不是我们的，退单", and "不归我们管" by itself."""
    if (found := _REASON_FIRST.fullmatch(plain)) and not _ASKING.search(plain):
        return Command(VERBS[found[2]], found[2], rest=found[1].strip(" ,。"), loose=True)
    return Command("return_", "不归我们", rest=plain, loose=True) if _NOT_OURS.fullmatch(plain) else None


_REASON_FIRST = re.compile(
    r"(.{2,40}?)[,。、;\s]+(?:申请|请求|只能|先)?(退单|返工|不合格|延期|撤回|不予受理)(?:吧|了|处理)?[。!]?"
)
_NOT_OURS = re.compile(
    r"(?:这个?|这单|此单|该单)?(?:不是|不归|不属于?)(?:我们|我局|我单位|本单位|咱们|我所|我中心).{0,3}(?:管|负责|职责|范围|的事?|单位|辖区)[^?？吗]{0,24}"
)


def _nearly(plain: str) -> Command | None:
    """One wrong character in a verb that stands beside a task number: only when a single verb is that near."""
    for length in (4, 3, 2):
        said = plain[:length]
        if len(said) == length and (not plain[length:] or plain[length] in " ,。:;"):
            near = {VERBS[word] for word in NEARLY if len(word) == length and _differs_once(word, said)}
            if len(near) == 1 and not _OTHER_WORD.search(said):
                return Command(near.pop(), said, rest=plain[length:].strip(" ,。:;"))
    return None


NEARLY = tuple(word for word, verb in VERBS.items() if verb not in ALONE and word not in FAINT and word[0] != "已")
_OTHER_WORD = re.compile("|".join(map(re.escape, sorted(VERBS, key=len, reverse=True))) + "|[没未不等先别请莫勿待催]")


def _differs_once(one: str, other: str) -> bool:
    wrong = [b for a, b in zip(one, other, strict=True) if a != b]
    return len(wrong) == 1 and wrong[0] not in "吧了啊的下个呢吗"


def tagged(text: str) -> bool:
    """Whether the sender marked the message as a report."""
    return unicodedata.normalize("NFKC", text[:12]).lstrip().startswith(TAGS)


def without_tag(text: str) -> str:
    """The words behind the tag and the mentions."""
    plain = _MENTION.sub(" ", text).strip()
    for tag in (*TAGS, "＃随手拍", "＃上报", "＃报事"):
        if plain.startswith(tag):
            return plain[len(tag) :].strip(" ,，。:：")
    return plain
