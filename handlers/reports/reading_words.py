"""What a message is made of: letters in ones and twos, the senses they carry, and the frame around them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

Features = dict[str, float]

SENSE, PAIR, SINGLE, TWO, CUE, SHAPE = 2.0, 1.2, 0.5, 1.0, 2.5, 1.0  # relative weights, chosen on the open half
FAULTS = frozenset(
    [
        "卫生差",
        "臭",
        "满溢",
        "缺失",
        "破损",
        "倒歪",
        "松动",
        "不亮",
        "堵塞",
        "外溢",
        "漏水",
        "枯死",
        "修剪",
        "掉落",
        "占道",
        "没人管",
        "断落",
        "违规",
        "坑洼",
        "塌陷",
        "乱停",
        "积水",
    ]
)  # senses that say something is wrong; the rest name things
RUN = re.compile(r"[一-龥a-z]+")
CALL = re.compile(r"@[^\s,，。:：]+")
SHAPES = (
    ("?", re.compile(r"[?？]|[吗么呢]$")),
    ("计数", re.compile(r"\d+(?:\.\d+)?(?:处|起|件|人次|台|辆|吨|盏|个|平方|米|%|公里|户|家)")),
    ("日期", re.compile(r"\d{1,2}[月:：]\d{1,2}|\d{1,2}月")),
    ("方括号", re.compile(r"[【《]|^\[|^「")),
    ("已", re.compile(r"已(?!经[好几三两多])")),
    ("了结", re.compile(r"(?:好|完|净|毕|掉|走|除|复)了?[,，。!！]?$")),
    ("编号", re.compile(r"#\d|工单")),
    ("序号", re.compile(r"^\d[.、)]|一[、是]")),
    ("叹", re.compile(r"[!！]")),
    ("链接", re.compile(r"https?:|www\.")),
    ("请单位", re.compile(r"请\S{2,8}(?:局|镇|街道|中心|办|单位|社区|大队)")),
)
# A thing that only says where: "加油站旁边的灯" is about the lamp.
ASIDE = re.compile(
    r"(?:从|在|到)?(?:加油站|加气站|液化气站|公交站|公交站牌|公厕|厕所|停车场|垃圾站|中转站|充电站|报刊亭|天桥|大桥|桥头|公园|广场|"
    r"菜市场|菜场|市场|红绿灯|学校|幼儿园|工地|河|岗亭|变压器|配电房|宣传栏|公示栏|垃圾桶)"
    r"(?:大?门口|旁边?|边上|对面|对过|附近|路口|背后|后面|后头|前面|跟前|拐角|隔壁|往[东南西北]|[东西南北][侧边面]|到)(?!的?水|立着)"
)
LENGTHS = ((4, "长0"), (8, "长1"), (16, "长2"), (30, "长3"), (60, "长4"), (120, "长5"))


def plain(text: str) -> str:
    """Lower case, half width, without calls to people (@…) and white space."""
    narrow = "".join(chr(ord(c) - 0xFEE0) if "！" <= c <= "～" and c not in "，：；！？（）" else c for c in text)
    return CALL.sub(" ", narrow.lower()).strip()


class Words:
    """Finds the longest listed word at each point of a text and reports its senses."""

    def __init__(self, senses: Mapping[str, str]) -> None:
        self._by_first: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for word, sense in senses.items():
            self._by_first[word[0]].append((word, sense))
        for entries in self._by_first.values():
            entries.sort(key=lambda entry: -len(entry[0]))

    def find(self, text: str) -> list[str]:
        """The senses in order of appearance, each once."""
        found: dict[str, None] = {}
        at, end, by_first = 0, len(text), self._by_first
        while at < end:
            step = 1
            for word, sense in by_first.get(text[at], ()):
                if text.startswith(word, at):
                    found[sense] = None
                    step = len(word)
                    break
            at += step
        return list(found)


def letters(text: str) -> Features:
    """Single characters and neighbours, inside runs of letters."""
    found: Features = {}
    for run in RUN.findall(text):
        previous = ""
        for char in run:
            found[char] = SINGLE
            if previous:
                found[previous + char] = TWO
            previous = char
    return found


def matter_features(text: str, words: Words) -> Features:
    """For "what is it": letters, senses, and senses in pairs (井盖+缺失)."""
    text = ASIDE.sub("，", text)
    found = letters(text)
    senses = words.find(text)
    for i, sense in enumerate(senses):
        found["S:" + sense] = SENSE
        for other in senses[:i]:
            found["P:" + min(sense, other) + "+" + max(sense, other)] = PAIR
    return found


def gate_features(text: str, words: Words, cues: Words) -> Features:
    """For "is it a report": letters, senses, and what frames them."""
    found = letters(text)
    senses = words.find(text)
    found.update(("S:" + sense, SENSE) for sense in senses)
    if not FAULTS.isdisjoint(senses) and not FAULTS.issuperset(senses):
        found["#物病"] = SENSE
    found.update(("C:" + cue, CUE) for cue in cues.find(text))
    found.update(("#" + name, SHAPE) for name in shapes(text))
    return found


def shapes(text: str) -> Iterable[str]:
    """How a message is built: a question, counted, dated, bracketed, long or short."""
    yield from (name for name, pattern in SHAPES if pattern.search(text))
    yield next((name for limit, name in LENGTHS if len(text) <= limit), "长6")
