"""What must not be written down: marks of secrecy, personal numbers, and names or texts that play tricks.

Pure functions, run before the first write (design 4). The tripwire knows marks as offices write them; it cannot tell
that something is *not* secret, nor see through pinyin, split characters or marks inside photos, and the texts people
read say so. Time is linear: every gap in a rule is bounded and only LIMIT characters are read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from digests.personal import IN_REPORTS, IN_TAX, LIMIT, Mark, find_personal, mask

__all__ = [
    "IN_REPORTS",
    "IN_TAX",
    "LIMIT",
    "Mark",
    "Secret",
    "clean_name",
    "find_personal",
    "find_secret",
    "inert",
    "mask",
]

LEVELS = ("warn", "hold", "block")  # told to the sender; kept from everyone but the 保密员; not kept at all
NAME_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Secret:
    """The strongest rule a text tripped. Rule names are stored and shown to the 保密员; the text is not."""

    rule: str
    level: str


@dataclass(frozen=True, slots=True)
class Rule:
    """`signs`: one of these is in every text that trips it. `spare`: harmless if the same clause leads up with this."""

    name: str
    level: str
    signs: str
    pattern: re.Pattern[str]
    spare: re.Pattern[str] | None = None


def _rule(name: str, level: str, signs: str, pattern: str, spare: str | None = None) -> Rule:
    return Rule(name, level, signs, re.compile(pattern), re.compile(spare) if spare else None)


GRADE = "(?:[绝絕]密|[机機]密|秘密)"
TERM = "(?:[0-9一二三四五六七八九十]{1,3}(?:年|个月|個月|天)|[长長]期|解密|启封|啟封|启用前)"  # GB/T 9704 7.2.2
FORBID = "(?:不得|不准|不要|不能|[严嚴]禁|禁止|[请請]勿|切勿|勿)"
NET = "(?:互联网|互聯網|网络|網絡|网上|外网|微信|QQ|朋友圈|短视频|群里|工作群)"
SPREAD = "(?:传播|傳播|传递|转发|轉發|转载|发布|發佈|传输|扩散|发送|流传|公开|谈论|存储|处理)"
DOCUMENT = "(?:文件|文档|资料|資料|材料|公文|文电|电报|電報|载体|载體|信息|数据|会议|计算机|设备|图纸|事项|件)"
INTERNAL = "(?:资料|資料|文件|材料|刊物|参考|使用)"
KEEP_IN = f"(?:注意保[存密]|妥善保[管存]|{FORBID}(?:外[传傳泄]|转发|轉發|翻印|复印|扩散|公开|拍照|泄露))"
WIRE = "[机機]要(?:文件|件|电报|電報|通信)|(?:明传|明傳|密码|密碼|加密)[电電][报報]|[内內]部明[电電]"
LESSON = f"(?:{FORBID}|杜绝|防止|避免|培训|什么是|是否|没有|不涉及|不属于)"  # about the rules, not under them
RUMOUR = "(?:谣言|虚假|不实|广告|诈骗|淫秽|未经证实|无关|游戏|红包)"
NO_NET = f"{FORBID}.{{0,14}}?{NET}.{{0,8}}?{SPREAD}(?!.{{0,4}}(?:密|{RUMOUR}))"
COPY = "(?:转发|转载|外传|传播|扩散|复制|抄录|摘抄|摄影|拍照|截图|录音|翻印)"
CIRCLE = f"仅[限供].{{0,14}}?(?:掌握|知悉|阅知|参阅|阅看|传阅|知晓).{{0,12}}?{FORBID}.{{0,4}}?{COPY}"
BACK = "(?:会后|阅后|传达后|用后|看后).{0,14}?(?:收回|销毁|清退|交回)"  # and nobody may copy it meanwhile
RETURN = f"{BACK}.{{0,24}}?{FORBID}.{{0,6}}?{COPY}|{FORBID}.{{0,4}}?{COPY}.{{0,24}}?{BACK}"
KEPT = "(?<!保守)(?<!公开的)(?<!商业)(?<!个人)(?<!小)"

# security.md C.3 (a)-(f), strongest first
RULES: tuple[Rule, ...] = (
    _rule("密级标志", "block", "密", f"{KEPT}{GRADE}(?:[★☆✩✪✭⭐]+|[*※·]{{1,3}}{TERM})"),
    _rule("标注密级", "block", "密", r"密[级級][:：](?!无|非|不|公开|普通|一般|/|—|_|\s|$)"),
    _rule(
        "保密期限",
        "block",
        "密",
        f"保密期[限间][:：]?(?:为|至|到)?(?={TERM}|[12][0-9]{{3}}年)",
        "合同|协议|商业|竞业|报价",
    ),
    _rule("密级文件", "block", "密", f"(?<!非){GRADE}[级級](?!别)(?:的|以上)?.{{0,4}}?{DOCUMENT}", LESSON),
    _rule("密级缓急", "block", "密", f"(?<!非){GRADE}(?:特提|特急|加急|平急)"),
    _rule(
        "限制传阅",
        "hold",
        "仅后【",
        f"{CIRCLE}|{RETURN}|【[^】]{{0,14}}{FORBID}{COPY}】",
        LESSON.replace(f"{FORBID}|", ""),
    ),
    _rule("内部资料", "hold", "内內", f"[内內]部{INTERNAL}.{{0,8}}?{KEEP_IN}"),
    _rule("工作秘密", "hold", "密", "工作秘密", f"{LESSON}|保守|保护|泄露"),
    _rule("涉密载体", "hold", "密", f"(?<!非)涉密{DOCUMENT}", LESSON),
    _rule("机要电报", "hold", "要传傳密電电", WIRE, LESSON),
    _rule("方括密级", "hold", "密", r"[【\[(〔〈《](?:[绝絕]密|[机機]密)[】\])〕〉》]"),
    _rule("禁止外传", "warn", "微互网網外QＱ朋短群", NO_NET, RUMOUR),
)
AROUND = 12


def find_secret(text: str, rules: Sequence[Rule] = RULES) -> Secret | None:
    """The strongest mark of secrecy in the first LIMIT characters, or None. Spaces inside marks do not hide them."""
    text = text[:LIMIT]
    plain = ""
    for rule in rules:
        if any(sign in text for sign in rule.signs):
            plain = plain or _plain(text)
            if _trips(rule, plain):
                return Secret(rule.name, rule.level)
    return None


def clean_name(name: str) -> str:
    """A name fit to show: NFKC, no controls, no bidi or zero-width tricks, no towers of accents, NAME_LENGTH long."""
    plain = unicodedata.normalize("NFKC", name[: 4 * NAME_LENGTH])
    kept = "".join(sign for sign in plain if unicodedata.category(sign) not in HIDDEN)
    return " ".join(ACCENTS.sub(r"\1", kept).split())[:NAME_LENGTH].rstrip() or "无名"


def inert(text: str) -> str:
    """The same words with every way to call everybody, or to speak a platform's markup, made harmless."""
    visible = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")
    return MARKUP.sub(lambda match: match[0].translate(WIDE), CALL.sub(r"「\1」", visible))


def _plain(text: str) -> str:
    return BLANKS.sub("", unicodedata.normalize("NFKC", text))


def _trips(rule: Rule, plain: str) -> bool:
    matches = rule.pattern.finditer(plain)
    return any(rule.spare is None or not rule.spare.search(_clause(plain, match)) for match in matches)


def _clause(plain: str, match: re.Match[str]) -> str:
    """The match with what leads up to it, back to the last stop but not further than AROUND."""
    return CLAUSE.split(plain[max(0, match.start() - AROUND) : match.start()])[-1] + match[0]


BLANKS = re.compile(r"[^\S\n]+|[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
CLAUSE = re.compile("[,，。.:：;；!！?？\\n]")
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
ACCENTS = re.compile(
    r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u20d0-\u20ff\ufe20-\ufe2f]{2})"
    r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
CALL = re.compile(r"<?[@＠]+\s{0,3}(all|everyone|here|channel|所有人|全体成员|全体|全員)>?", re.IGNORECASE)
MARKUP = re.compile(r"\[CQ:|<@|<(?=[a-zA-Z/])|\]\(", re.IGNORECASE)  # OneBot; WeCom mentions, font tags and links
WIDE = str.maketrans("[<@]", "［＜＠］")
