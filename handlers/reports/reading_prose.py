"""A unit's prose taken apart: items of its lists, how much each counts, and the ground each speaks of.

An item counts less when it says 配合 or 指导, against the unit when it says 不负责, and for another unit when it says
由某某负责.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from config.county import Unit

# What ground an item speaks of; "" = not said.
TOWN_GROUND, COUNTRY, HOMES, YARDS, HIGHWAY, PARK = "城", "村", "居", "院", "公路", "园"
GROUNDS = (
    (HIGHWAY, re.compile(r"公路|国道|省道|县道|[^城]乡道|^乡道|国省")),
    ("", re.compile(r"城乡|全县|全域|县域|城镇、|城郊|近郊")),
    (TOWN_GROUND, re.compile(r"城中村|城区|城市(?!管理)|建成区|县城|城镇|中心城|主次干道|背街小巷|街巷|市政")),
    (YARDS, re.compile(r"楼院|院落|大院|老院|无物业|无主|无主管|无人管|老旧|宿舍|家属")),
    (HOMES, re.compile(r"小区|居民|社区|楼道|楼顶|阳台|住户")),
    (PARK, re.compile(r"公园|游园|园内|园灯|园路")),
    (COUNTRY, re.compile(r"村|乡|镇域|镇区|本镇|集镇|农村|农民|农房|农户|屯|坑塘|沟塘|山塘|圩")),
)
VERBS = {
    "清": re.compile(r"清扫|清理|清运|收运|转运|保洁|铲除|打捞|收集|清掏|清洁|清漂|冲洗|清除|洒水"),
    "修": re.compile(r"维护|维修|养护|修复|更换|疏通|抢修|管护|管养|设置|安装|建设|运维|运行|巡检|抢险|检修|供应|清淤"),
    "罚": re.compile(r"查处|处罚|制止|执法|纠正|取缔|拆除|整治|监管|监督|劝阻|劝导|管理|禁止|巡查|打击|秩序|监察"),
}
AGAINST = re.compile(r"不负责|不含|不包括|除外|除[^，。；]{1,20}外|不直接|不处置|不承担|不属于|不再")
AWAY = re.compile(
    r"(?:归|由|交由|(?<!公)交(?![通警管接汇叉]))([^，。；、]{2,14}?)"
    r"(?:负责|清理|处置|处理|承担|维修|管理|管养|管护|实施|查处|维护|抢修)?$"
)
OWN = re.compile(r"本|我|自|其|受理|牵头")
WEAK = (
    (re.compile(r"配合|协助|参与|协同"), 0.35),
    (re.compile(r"指导|督导|督办|督促|统筹|协调|行业"), 0.55),
    (re.compile(r"审批|许可|备案|鉴定|宣传|培训|咨询|预案|演练|理论|人才"), 0.75),
    (re.compile(r"规划建设$|的规划|的建设$"), 0.75),
    (re.compile(r"监管|监督"), 0.88),
)
IDLE = re.compile(r"不直接处置|无处置力量|不承担具体|不具体承担|无执法权")  # a unit that only passes things on
IDLY = 0.15
BESIDES = re.compile(r"(?:除了?)?[^、，。；]{1,10}以外的?")
SITE = re.compile(
    r"^.{0,8}?(?:道|路|街|园|场|地|桥|河|区|村|院|面|湖|坡)(?:[上内里中]|两[侧边旁]|沿线|周边|范围内?)的?(?=..)"
)
HANDED, HANDED_ON, LAST = re.compile(r"移交|交由|委托"), 0.5, 4  # "(建成后移交…)" weakens the items just before it
HEAD = 6  # a weak verb this near the start of a clause governs all of it


@dataclass(frozen=True, slots=True)
class Item:
    """One thing of a list. `skip` letters at its start only say where; `factor` below 0 speaks against the unit."""

    text: str
    factor: float
    ground: str = ""
    verbs: str = ""
    skip: int = 0
    site: str = ""  # where the whole list lies (河道内…)

    def says(self, term: str) -> bool:
        """Whether the term stands in what the item is about, not only in where."""
        return self.text.find(term, max(0, self.skip - len(term) + 1)) >= 0


def items_of(unit: Unit) -> tuple[Item, ...]:
    """Every item of a unit's prose."""
    prose = BESIDES.sub("", unit.duty.replace("交通信号", "信号"))  # 通信 is not to be read across the two words
    idle = IDLY if IDLE.search(prose) else 1.0
    out: list[Item] = []
    over = ""
    for clause in re.findall(r"[（(]?[^。；;\n，：:,（()）]+[：:。；;\n]?", prose):
        told = clause.strip("（(：:。；;\n")
        if clause[0] in "（(" and (HANDED.search(told) or _goes_away(told, unit)):
            out[-LAST:] = [replace(item, factor=item.factor * HANDED_ON) for item in out[-LAST:]]
        out += (replace(item, factor=item.factor * idle) for item in _items(told, unit, over))
        over = _ground(told) if clause[-1] in "：:" else "" if clause[-1] in "。\n" else over
    return tuple(out)


def _items(clause: str, unit: Unit, over: str) -> Iterator[Item]:
    verbs = _verbs(clause)
    first = clause.split("、")[0]
    outer = SITE.match(first)
    ground = over if (found := _ground(first)) in ("", PARK) and not outer else found
    against = bool(AGAINST.search(clause)) or _goes_away(clause, unit)
    governed = next((f for pattern, f in WEAK[:2] if pattern.search(clause[:HEAD])), 1.0)
    for text in filter(None, clause.split("、")):
        weak = min((f for pattern, f in WEAK if pattern.search(text)), default=1.0)
        site = SITE.match(text)
        yield Item(
            text,
            -1.0 if against else min(governed, weak),
            _ground(text) or ground,
            _verbs(text) or verbs,
            site.end() if site else 0,
            outer.group() if outer else "",
        )


def _verbs(text: str) -> str:
    return "".join(kind for kind, pattern in VERBS.items() if pattern.search(text))


def _ground(text: str) -> str:
    return next((ground for ground, pattern in GROUNDS if pattern.search(text)), "")


def _goes_away(clause: str, unit: Unit) -> bool:
    away = AWAY.search(clause)
    if away is None or OWN.search(away[1]):
        return False
    return not any(away[1] in name for name in (unit.name, *unit.aliases))
