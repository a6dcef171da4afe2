"""How pressing it is: words that mean danger now, and which opening condition of the class the message describes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from config.county import Standard
from handlers.reports.reading_words import Words, matter_features

# facts/dispatch.md F4 no. 25: gas, electricity, collapse, fire; design 6a.8 for what urgency changes
DANGER = re.compile(
    r"(?:燃气|天然气|煤气|液化气)[^，。]{0,6}(?:泄漏|漏|味|着火|爆|挖断|挖破|断)|漏气|(?:挖断|挖破|挖漏)[^，。]{0,4}(?:燃气|天然气|煤气|气管|电缆)|"
    r"(?:煤气|天然气|燃气|臭鸡蛋)味|(?:天然气|煤气|燃气)[^。]{0,3}味[大重浓]|触电|漏电|带电|电死|(?:电线|高压线|电缆|火线|裸线)[^，。]{0,8}(?:断|掉|落|垂|外露|裸露|露|打火|冒火)|"
    r"(?:刮断|挂断|断落|断了)[^，。]{0,4}(?:电线|高压线|电缆)|铜排|电线外露|线头外露|冒火花|打火|着火|起火|失火|火灾|大火|爆炸|冒[^，。]{0,2}(?:浓烟|黑烟)[^。]{0,6}(?:119|火)|烧起来|烧着了|火苗|自燃|(?:房|楼|店|库|车间|厂房|屋)[^，。]{0,3}冒[^，。]{0,2}烟|"
    r"(?:路面?|地面?|桥|房子?|墙|楼|坝|堤|坡|路基|马路|道路)[^，。盖箅篦砖石沿井]{0,5}(?:塌|坍|垮|陷了|陷下|突然陷|陷个)|路面[^，。]{0,8}陷|塌方|坍塌|垮塌|地陷|下沉一大|路基?[^，。]{0,3}(?:掏|淘)空|(?:路面|地面)[^，。]{0,4}下沉|(?<![砖板])塌陷(?!、松)|地塌|塌了个|滑坡|泥石流|"
    r"(?:水管|管道|主管|总管|管子|暖气管|热力管|供水管)[^，。]{0,5}(?:爆|炸|崩)|爆管|爆裂|水柱|"
    r"落水|溺水|被困|困人|困住|有人掉|掉[^，。怕]{0,6}(?:沟|井|河|水|坑|江|塘|渠|湖|窟窿)里|踩空[^，。]{0,2}掉|跳楼|跳河|轻生|救人|电梯[^，。]{0,8}(?:[关困卡][^，。]{0,4}(?:人|学生|孩子|老人|小孩|里头|里面)|卡[^。]{0,14}里[头面])|里[头面]有个?人(?![\u4e00-\u9fa5])|救命|快救|中毒|砸(?:伤|到人|着人|了人)|压(?:着|到|住)人(?!家)|流血|昏倒|晕倒|动刀|持刀|砍人|"
    r"(?:[呲嘶嗤哧滋]{2,}[^，。水]{0,2}(?:响|漏|冒气)|臭鸡?蛋味|漏煤气|跑煤气)|(?:气罐|煤气罐|锅炉|电瓶|电池|变压器|烟花)[^，。]{0,4}(?:炸|爆)|"
    r"(?:电线|电杆|电表|电箱|配电|变压|插排|充电桩|线)[^，。]{0,6}(?:冒烟|火花|火星|烧断|烧着)|麻手|电到人|电着人|脚手架[^，。]{0,3}(?:塌|倒|垮)|"
    r"(?:地下室|车库|楼道|配电|商场|仓库|阳台|面包车|货车|公交车|小车)[^，。摊]{0,4}冒[^，。]{0,2}烟|挖断[^，。]{0,4}(?:水管|自来水|供水)|"
    r"(?:人|孩子|小孩|娃|学生|老人|老太|阿婆|大爷|大妈|妇女|男子|女子|伢子|司机)[^，。]{0,8}(?:掉|跌|滑|落|栽)[^，。]{0,3}(?:[进入][^，。]{0,4}(?:井|河|江|湖|沟|渠|塘|坑|水|池|洞)|下去)|"
    r"山体[^，。]{0,4}(?:滑|垮|塌)|困在|不省人事|昏迷|抽搐|喝农药|自杀|想不开|撞(?:了|到|死|伤)人|"
    r"决堤|溃坝|翻车|侧翻|车祸|山洪|氨气|氯气|危化品|化学品泄漏"
)
CALM = re.compile(
    r"怕|担心|以防|防止|万一|容易|可能|小心|差点|险些|会掉|会砸|已经?扑灭|(?:烧|点).{0,3}(?:秸秆|树叶|垃圾)"
)
FEARED = re.compile(r"[了]?(?:怎么得了|怎么办|咋办|咋整|谁负责|可不得了|就晚了|就完了)")
DANGEROUS = {
    "事件0502": "燃气管道破裂",
    "事件0505": "路面塌陷",
}
STRICT = {"urgent_hour": 0, "work_hour": 1, "day": 2, "work_day": 3}
CLEAR = 0.34  # how much of a condition's own words the message must show before a milder row is taken


def danger(text: str, code: str, p: float) -> str:
    """The word that makes a message urgent, or nothing."""
    for found in DANGER.finditer(text):
        ahead = text[max(0, found.start() - 4) : found.start()]
        calm = CALM.search(ahead + found.group()) or FEARED.match(text, found.end())
        if not calm and "没有" not in ahead and not ahead.endswith("没"):
            return found.group()
    return DANGEROUS.get(code, "") if p >= 0.6 else ""


class Standards:
    """Chooses one row of a class by the condition a message describes, the strictest when unsure."""

    def __init__(self, rows: Iterable[Standard], words: Words) -> None:
        self._rows: dict[str, list[tuple[Standard, frozenset[str]]]] = defaultdict(list)
        self._words = words
        for row in rows:
            self._rows[row.code].append((row, frozenset(matter_features(row.condition, words))))

    def choose(self, code: str, text: str) -> tuple[str, int, str] | None:
        """(condition, limit, unit of the limit) for a class, or None when it has no standards."""
        rows = self._rows.get(code)
        if not rows:
            return None
        said = frozenset(g for g in matter_features(text, self._words) if len(g) > 1)
        common = frozenset.intersection(*(grams for _, grams in rows)) if len(rows) > 1 else frozenset()
        ranked = sorted(((_agreement(said, grams - common), row) for row, grams in rows), key=lambda pair: -pair[0])
        if ranked[0][0] >= CLEAR and (len(ranked) == 1 or ranked[0][0] > 1.2 * ranked[1][0]):
            best = ranked[0][1]
        else:
            best = min((row for row, _ in rows), key=lambda row: (STRICT[row.limit_unit], row.limit_n))
        return best.condition, best.limit_n, best.limit_unit


def _agreement(said: frozenset[str], condition: frozenset[str]) -> float:
    shared = said & condition
    senses = sum(1 for g in shared if g.startswith("S:"))
    pairs = sum(1 for g in shared if len(g) == 2)
    return (2 * senses + pairs) / (4 + 0.25 * len(condition)) if senses or pairs > 1 else 0.0
