"""Personal numbers in chat text: found in the original, masked before anything is written.

Two tiers (security.md C.1): what its own check digit proves is always a find; what only looks the part needs a cue
word beside it. Numbers of documents, orders and tasks are no personal numbers. Chinese numerals and numbers taken
apart on purpose are out of scope. Every pattern is bounded, so time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date

LIMIT = 4000  # characters; security.md B T25
EDGE = 40  # looked at beyond LIMIT, so that a number across it is still seen

IN_REPORTS = frozenset({"id", "phone", "landline", "bank", "email", "passport", "name"})
"""Masked in a reports group. A plate is part of the problem (which car blocks the exit), an address says where it is,
and a credit code belongs to an organisation: they are found, not masked."""
IN_TAX = IN_REPORTS | {"plate", "address", "uscc"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A personal number at text[start:end]; `value` is it without separators, half-width, upper case."""

    kind: str
    start: int
    end: int
    value: str


KEEP = {  # kind → how many characters stay readable at the head and at the tail
    "id": (4, 4),
    "uscc": (4, 4),
    "phone": (3, 4),
    "landline": (4, 2),
    "bank": (4, 4),
    "passport": (1, 3),
    "plate": (2, 2),
    "email": (1, 0),
    "name": (1, 0),
    "address": (3, 0),
}


def find_personal(text: str) -> tuple[Mark, ...]:
    """Every personal number in the first LIMIT characters, in order, none overlapping; earlier RULES win."""
    seen = free = text[: LIMIT + EDGE]
    found: list[Mark] = []
    for rule in RULES if LONG.search(free) else WITHOUT_NUMBERS:
        if rule.gate is None or rule.gate.search(free):
            new = [mark for match in rule.pattern.finditer(free) if (mark := _mark(rule, match, seen))]
            if new:
                free = _blank(free, new)
                found += new
    return tuple(sorted((mark for mark in found if mark.start < LIMIT), key=lambda mark: mark.start))


def mask(text: str, marks: Sequence[Mark], kinds: Collection[str] = IN_REPORTS) -> str:
    """The first LIMIT characters with the marks of these kinds starred out. What was not looked at is cut off."""
    parts, at = [], 0
    for mark in marks:
        if mark.kind in kinds:
            parts += [text[at : mark.start], masked(mark)]
            at = mark.end
    parts.append(text[at:LIMIT])
    return "".join(parts)


def masked(mark: Mark) -> str:
    """138****5678: enough to recognise one's own number, not enough to use it."""
    value, domain = mark.value, ""
    if mark.kind == "email":
        value, at, domain = mark.value.partition("@")
        domain = at + domain
    head, tail = KEEP[mark.kind]
    stars = max(1, len(value) - head - tail)
    return value[:head] + "*" * stars + (value[-tail:] if tail else "") + domain


@dataclass(frozen=True, slots=True)
class _Rule:
    """`gate` is a cheaper search that must succeed first; `holds(match, text)` is the proof."""

    kind: str
    gate: re.Pattern[str] | None
    pattern: re.Pattern[str]
    holds: Callable[[re.Match[str], str], bool]


def _mark(rule: _Rule, match: re.Match[str], text: str) -> Mark | None:
    if not rule.holds(match, text):
        return None
    group = match.lastgroup or 0
    return Mark(rule.kind, *match.span(group), _value(rule.kind, match[group]))


def _blank(text: str, marks: Sequence[Mark]) -> str:
    """The same text with these spans taken, so that no later rule reads them again."""
    parts, at = [], 0
    for mark in marks:
        parts += [text[at : mark.start], "\0" * (mark.end - mark.start)]
        at = mark.end
    return "".join(parts) + text[at:]


def _value(kind: str, raw: str) -> str:
    if kind in ("name", "address"):
        return raw
    if kind == "email":
        return raw.translate(HALF_WIDTH)
    return SEPARATORS.sub("", raw).translate(HALF_WIDTH).translate(BRACKETS).upper()


# --- the pieces patterns are made of -------------------------------------------------------------------------------

HALF_WIDTH = {0xFF01 + i: 0x21 + i for i in range(94)}
GAP = r"[ \t\u00a0\u2000-\u200f\u2060\ufeff\u3000.·\-－–—‐‑−]"
GAPS = rf"{GAP}{{0,3}}"
DIGIT = r"\d"
BRACKETS = {ord("("): None, ord(")"): None}
SEPARATORS = re.compile(rf"(?:{GAP})+")
LONG = re.compile(rf"\d(?:{GAP}{{0,3}}\d){{5}}")
ALNUM = "0-9A-Za-z０-９Ａ-Ｚａ-ｚ"
HOST = rf"[{ALNUM}\-－]"
MAIL = rf"[{ALNUM}._%+\-．＿－]"
AT = re.compile("[@＠]")


def _spaced(unit: str, times: int | str) -> str:
    return rf"(?:{GAPS}{unit}){{{times}}}"


def _area(code: str) -> str:
    return rf"(?:[（(]{code}[）)]|{code})"


def _cue(words: str) -> re.Pattern[str]:
    return re.compile(words, re.IGNORECASE)


CUES = {
    "id": _cue("身份证|证件号|证件号码|公民身份|身份号码"),
    "uscc": _cue("税号|识别号|信用代码|税务登记"),
    "phone": _cue("电话|手机|联系|致电|拨打|号码|微信|tel|phone|mobile"),
    "bank": _cue("卡号|银行卡|账号|账户|帐号|帐户|开户|借记卡|信用卡|储蓄卡"),
    "passport": _cue("护照|通行证|回乡证|台胞证|证件"),
}
NO_PERSON = _cue(  # security.md C.1: ticket and document numbers are protected by cue
    "(?:单号|单编号|编号|文号|案号|订单|流水号|流水|票号|发票号码|发票代码|合同号|批次|序列号|序号|条码|快递|运单|凭证号|字第)"
    "[码]?[：:#＃\\s是为]{0,4}$"
)
NO_NUMBER = re.compile(r"\s?(?:元|万|亿|千|吨|米|公里|平方|％|%|度|人次|字节|[.．]\d)")
PROVINCES = {
    *range(11, 16),
    21,
    22,
    23,
    *range(31, 38),
    *range(41, 47),
    *range(50, 55),
    *range(61, 66),
    71,
    81,
    82,
    83,
    91,
}


def _near(kind: str, match: re.Match[str], text: str) -> bool:
    """A cue word within 8 characters on either side (4 more for the word itself)."""
    around = text[max(0, match.start() - 12) : match.start()] + "|" + text[match.end() : match.end() + 10]
    return CUES[kind].search(around) is not None


def _numbered(match: re.Match[str], text: str) -> bool:
    """Called an order or document number by the words right before it, or an amount by the word after."""
    before = text[max(0, match.start() - 12) : match.start()]
    return NO_PERSON.search(before) is not None or NO_NUMBER.match(text, match.end()) is not None


# --- what proves each kind -----------------------------------------------------------------------------------------


def _is_id(match: re.Match[str], text: str) -> bool:
    value = _value("id", match[0])
    return valid_id(value) or _near("id", match, text)


def valid_id(value: str) -> bool:
    """GB 11643-1999: province, a real birth date, and the ISO 7064 MOD 11-2 check digit."""
    if int(value[:2]) not in PROVINCES or not "1900" <= value[6:10] <= "2099":
        return False
    try:
        date(int(value[6:10]), int(value[10:12]), int(value[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(value[:17], ID_WEIGHTS, strict=True))
    return "10X98765432"[total % 11] == value[17]


ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015: no I O S V Z


REGISTRIES = {
    "11",
    "12",
    "13",
    "19",
    "31",
    "51",
    "52",
    "53",
    "59",
    "81",
    "91",
    "92",
    "93",
    "A1",
    "N1",
    "N2",
    "N3",
    "N9",
    "Y1",
}


def _is_uscc(match: re.Match[str], text: str) -> bool:
    value = _value("uscc", match[0])
    return (len(value) == 18 and valid_uscc(value)) or _near("uscc", match, text)


def valid_uscc(value: str) -> bool:
    """GB 32100-2015: weights 3^i mod 31. The first two name the registry, the next six the region."""
    if value[:2] not in REGISTRIES or not value[2:8].isdigit() or int(value[2:4]) not in PROVINCES | {10}:
        return False
    if any(sign not in USCC_ALPHABET for sign in value):
        return False
    total = sum(USCC_ALPHABET.index(sign) * pow(3, i, 31) for i, sign in enumerate(value[:17]))
    return USCC_ALPHABET[-total % 31] == value[17]


def _is_old_id(match: re.Match[str], text: str) -> bool:
    return int(_value("id", match[0])[:2]) in PROVINCES and _near("id", match, text)


def _is_bank(match: re.Match[str], text: str) -> bool:
    value = _value("bank", match[0])
    if not 12 <= len(value) <= 21 or _numbered(match, text):
        return False
    if _near("bank", match, text):
        return True
    known = value.startswith("62") or (len(value) == 16 and value[0] in "45")
    return known and 16 <= len(value) <= 19 and luhn(value)


def luhn(value: str) -> bool:
    """ISO/IEC 7812-1."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in value[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in value[::-2])) % 10 == 0


def _is_phone(match: re.Match[str], text: str) -> bool:
    if _numbered(match, text):
        return False
    if _near("phone", match, text):
        return True
    parts = [len(part) for part in SEPARATORS.split(match["n"])]
    usual = parts in PHONE_GROUPS or set(parts) == {1} or (len(parts) <= 2 and min(parts) >= 3)
    return usual and not _hyphened(match, text)


PHONE_GROUPS = ([3, 4, 4], [3, 3, 5], [4, 3, 4], [3, 2, 6], [3, 5, 3], [5, 3, 3], [3, 3, 3, 2], [3, 2, 3, 3])


def _hyphened(match: re.Match[str], text: str) -> bool:
    """A piece of a longer number, like 4211-13812345678-02, unless the neighbour is a whole phone as well."""
    before, after = text[max(0, match.start() - 12) : match.start()], text[match.end() : match.end() + 12]
    left, right = re.search(r"(\d+)[-－—]$", before), re.match(r"[-－—](\d+)", after)
    return any(side is not None and len(side[1]) != 11 for side in (left, right))


def _is_landline(match: re.Match[str], text: str) -> bool:
    return not _numbered(match, text) and not _hyphened(match, text)


def _cued(kind: str) -> Callable[[re.Match[str], str], bool]:
    return lambda match, text: _near(kind, match, text)


def _has_digit(match: re.Match[str], text: str) -> bool:
    return any(sign.isdigit() for sign in match[0][2:])


def _always(match: re.Match[str], text: str) -> bool:
    return True


def _is_name(match: re.Match[str], text: str) -> bool:
    return not match[0].endswith(TITLES)


TITLES = ("长", "主任", "书记", "科", "队", "工", "总", "师傅", "先生", "女士", "老师", "经理", "医生", "同志", "组")
START = rf"(?<![{ALNUM}])"
START_DIGIT = r"(?<!\d)(?<!\d[.．])"
STOP = rf"(?![{ALNUM}])"
STOP_DIGIT = r"(?!\d)"
PREFIX = rf"(?:(?:[+＋]|[0０]{{2}})?[8８][6６]{GAP}{{0,3}})?"
BEFORE_PHONE = rf"(?:(?<![{ALNUM}])(?<!\d[.．])|(?<=tel)|(?<=wx)|(?<=vx)|(?<=phone))"
AREA = "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使]"
LETTER = "[A-HJ-NP-Za-hj-np-zＡ-ＨＪ-ＮＰ-Ｚ]"
PLATE_SIGN = "[A-HJ-NP-Za-hj-np-z0-9Ａ-ＨＪ-ＮＰ-Ｚ０-９]"
CITY = r"[0０](?:[1１][0０]|[2２]\d)"  # 010, 02x: eight digits follow
PREFECTURE = r"[0０][3-9３-９]\d\d"
NAME_END = r"(?=$|[\s，。,；;、（(/|\d])"
ADDRESS = "(?=[^，。,；;！!？?\\s]{0,50}[0-9０-９栋幢单元室组号村])[^，。,；;！!？?\\s]{4,60}"
SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方"
    "俞任袁柳鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计"
    "伏成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯管卢莫房裘"
    "缪干解应宗丁宣邓郁单杭洪包诸左石崔吉龚程邢滑裴陆荣翁荀羊惠甄曲封储靳段焦巴牧隗山谷车侯宓全班仰秋仲伊宫宁仇栾甘厉"
    "戎祖武符刘景詹束龙叶幸司韶黎薄印白怀蒲邰鄂索赖卓蔺屠蒙池乔阴胥苍闻莘党翟谭贡劳姬申扶堵冉宰雍桑桂濮牛寿通边扈燕冀"
    "尚农温别庄晏柴瞿阎充慕连茹习宦艾鱼容向古易慎戈廖庾终居衡步都耿满弘匡国文寇广禄阙东欧沃利蔚越隆师巩聂晁勾敖融冷辛"
    "阚那简饶空曾沙养鞠须丰巢关相查游竺权岳帅肖付闫"
)

RULES: tuple[_Rule, ...] = tuple(
    _Rule(kind, gate, re.compile(pattern, re.IGNORECASE), holds)
    for kind, gate, pattern, holds in (
        ("id", LONG, rf"{START_DIGIT}[1-9１-９]{_spaced(DIGIT, 16)}{GAPS}[\dXＸ]{STOP}", _is_id),
        (
            "uscc",
            LONG,
            rf"{START}[{ALNUM}]{GAPS}[{ALNUM}]{_spaced(DIGIT, 6)}{_spaced(f'[{ALNUM}]', 10)}{STOP}",
            _is_uscc,
        ),
        ("uscc", LONG, rf"{START}[{ALNUM}]{{15,20}}{STOP}", _cued("uscc")),
        ("bank", LONG, rf"{START_DIGIT}[1-9１-９]\d{{11,20}}{STOP_DIGIT}", _is_bank),
        (
            "bank",
            LONG,
            rf"{START_DIGIT}\d{{4}}(?:{GAP}{{1,3}}\d{{4}}){{3}}(?:{GAP}{{1,3}}\d{{1,3}})?{STOP_DIGIT}",
            _is_bank,
        ),
        ("bank", LONG, rf"{START_DIGIT}\d{{3,12}}(?:{GAP}{{1,3}}\d{{3,13}}){{1,5}}{STOP_DIGIT}", _is_bank),
        ("bank", LONG, rf"{START_DIGIT}\d(?:{GAP}\d){{15,18}}{STOP_DIGIT}", _is_bank),
        (
            "phone",
            LONG,
            rf"{BEFORE_PHONE}{PREFIX}(?P<n>[1１][3-9３-９]\d(?P<gap>{GAP}?)\d{{4}}(?P=gap)\d{{4}}){STOP_DIGIT}",
            _is_phone,
        ),
        (
            "phone",
            LONG,
            rf"{BEFORE_PHONE}{PREFIX}(?P<n>[1１]{GAPS}[3-9３-９]{_spaced(DIGIT, 9)}){STOP_DIGIT}",
            _is_phone,
        ),
        ("id", LONG, rf"{START_DIGIT}[1-9]\d{{14}}{STOP}", _is_old_id),
        (
            "landline",
            LONG,
            rf"{START_DIGIT}{_area(CITY)}{GAPS}[2-9２-９]{_spaced(DIGIT, 7)}{STOP_DIGIT}",
            _is_landline,
        ),
        (
            "landline",
            LONG,
            rf"{START_DIGIT}{_area(PREFECTURE)}{GAPS}[2-9２-９]{_spaced(DIGIT, '6,7')}{STOP_DIGIT}",
            _is_landline,
        ),
        ("passport", LONG, rf"{START}[A-ZＡ-Ｚ]{{1,2}}\d{{7,10}}{STOP}", _cued("passport")),
        (
            "email",
            AT,
            rf"(?<!{MAIL}){MAIL}{{1,64}}[@＠]{HOST}{{1,63}}(?:[.．]{HOST}{{1,63}}){{1,4}}",
            _always,
        ),
        (
            "plate",
            None,
            rf"{AREA}{LETTER}{GAPS}(?:{PLATE_SIGN}{{4}}[{PLATE_SIGN[1:-1]}挂学警港澳领]|{PLATE_SIGN}{{6}}){STOP}",
            _has_digit,
        ),
        (
            "name",
            None,
            rf"(?:姓名|联系人|当事人|户主|投诉人|报修人|申请人)\s?[：:是为]\s?(?P<name>[{SURNAMES}][一-龥]{{1,2}}){NAME_END}",
            _is_name,
        ),
        (
            "address",
            None,
            rf"(?:住址|家庭地址|户籍地址|证地址|收货地址|居住地址|家住|住在)[：:是为]?\s?(?P<address>{ADDRESS})",
            _always,
        ),
    )
)
WITHOUT_NUMBERS = tuple(rule for rule in RULES if rule.gate is not LONG)
