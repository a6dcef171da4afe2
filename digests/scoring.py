"""A published sum of seven visible terms, 0–100, less penalties (digest.md D2). Every term carries its reason."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from config.digest import table
from digests.checks import soft_ad
from digests.dates import find_date
from digests.facts import form_of
from digests.items import Item
from digests.relevance import Audience, relevance

DEADLINE = re.compile(r"((?:20\d\d年)?\d{1,2}月\d{1,2}日)[^。；\n]{0,6}(?:前|截止|止|之前|以前|24时)")
SOON = 10  # days
THIN = 40  # characters
ANCIENT = 180  # days
HOME = re.compile("县|镇|乡|街道|村|社区")  # a body of the county or below speaks, or is spoken of
OWN = 5.0  # what that says for the county's own column: less than another column's core in the title
YEAR = re.compile(r"(20\d\d)年")
DRAFT = "征求意见稿"
TERMS = {  # what people read for a term's name
    "authority": "权威", "relevance": "相关", "timeliness": "及时", "novelty": "新鲜", "force": "效力", "deadline": "有期限",
    "heat": "读者反响", "soft_ad": "像软文", "stale": "过时", "ancient": "陈旧", "meeting": "会议消息", "thin": "内容少",
    "draft": "征求意见", "low": "与工作无关", "minor": "涉及面小", "old": "旧年份",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Term:
    """One line of the sum: its name, points (negative: a penalty) and why, in Chinese."""

    name: str
    points: float
    why: str


@dataclass(frozen=True, slots=True)
class Score:
    """`total` is the sum of the terms, never below 0."""

    total: float
    column: str
    terms: tuple[Term, ...]
    units: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Weighing:
    """What scores depend on beside the item: who reads, which day, and what editors taught (column → factor 0.5–1.5)."""

    whom: Audience
    today: date
    taught: Mapping[str, float] = field(default_factory=dict)


def score(item: Item, by: Weighing, similar: float = 0.0, heat: float = 0.5) -> Score:
    """Weigh one item. `similar`: nearest item sent in the last 30 days (0–1); `heat`: shrunk share of likes (0–1)."""
    rules = table("columns")
    column = column_of(item)
    shape = next(row for row in rules["column"] if row["name"] == column)
    near = relevance(item.title, item.body, by.whom)
    who, force, last = _authority(item), _force(item), deadline_in(item.body, by.today)
    age = _age(item, by.today)
    parts = {
        "authority": (who[0], f"来源：{who[1] or '一般'}"),
        "relevance": (near.value * by.taught.get(column, 1.0), "涉及：" + ("、".join(near.hits) or "无")),
        "timeliness": (0.5 ** (age / shape["half_life"]), f"发布{age}天" if age else "今天发布"),
        "novelty": (1 - similar, "未发过类似内容" if similar < 0.3 else f"与近期已有内容相似{similar:.0%}"),
        "force": (force[0], f"文种：{force[1] or '动态'}"),
        "deadline": (1.0 if last else 0.0, f"{last}截止" if last else "无近期截止"),
        "heat": (heat, "群内反馈"),
    }
    terms = [
        Term(name, round(rules["weights"][name] * min(1.0, value), 2), why) for name, (value, why) in parts.items()
    ]
    terms += _penalties(item, _stale(age, shape["half_life"]), near.unwanted)
    total = max(0.0, sum(term.points for term in terms))
    return Score(round(total, 2), column, tuple(terms), near.units)


def column_of(item: Item) -> str:
    """The column an item speaks of most: its core twice, its title thrice, and home news where a local body speaks."""
    head = item.body[:300]
    home = bool(HOME.search(item.source) or HOME.search(item.title))
    points: dict[str, float] = {}
    for row in table("columns")["column"]:
        core, words = re.compile(row["core"]), re.compile(row["words"])
        told = [(2.0, core), (1.0, words)]
        points[row["name"]] = sum(
            weight * (3 * len(set(p.findall(item.title))) + len(set(p.findall(head)))) for weight, p in told
        ) + (OWN if home and row.get("own") else 0.0)
    return max(points, key=lambda name: points[name]) if any(points.values()) else "本地工作"


def deadline_in(body: str, today: date) -> str | None:
    """The first closing date within SOON days after `today`."""
    for written in DEADLINE.findall(body[:4000]):
        found = find_date(written if "年" in written else f"{today.year}年{written}")
        if found and 0 <= (date.fromisoformat(found) - today).days <= SOON:
            return found
    return None


def _authority(item: Item) -> tuple[float, str]:
    for text in (item.issuer or "", item.source, item.url):
        for row in table("columns")["authority"]:
            found = re.search(row["words"], text)
            if found:
                return row["value"], found[0]
    return 0.4, ""


def _force(item: Item) -> tuple[float, str]:
    for row in table("columns")["force"]:
        found = re.search(row["words"], item.title)
        if found:
            return row["value"], found[0]
    return 0.2, ""


def _age(item: Item, today: date) -> int:
    published = find_date(item.published_at) or find_date(item.day)
    return max(0, (today - date.fromisoformat(published)).days) if published else 1


def _stale(age: int, half_life: int) -> str:
    """ancient: so old that only a person may want it; stale: three half-lives have passed."""
    return "ancient" if age > ANCIENT else "stale" if age > 3 * half_life else ""


def _penalties(item: Item, stale: str, unwanted: tuple[str, ...]) -> list[Term]:
    points = table("columns")["penalties"]
    ad = soft_ad(item.title, item.body)
    found = {
        "soft_ad": f"疑似软文：{'、'.join(ad[:3])}" if ad else "",
        "stale": "过时" if stale == "stale" else "",
        "ancient": "半年以前的内容" if stale == "ancient" else "",
        "meeting": "会议消息" if form_of(item.title) == "meeting" else "",
        "thin": "正文过短" if len(item.body.strip()) < THIN else "",
        "draft": "征求意见稿，尚未施行" if DRAFT in item.title else "",
        "minor": "影响面小" if re.search(table("columns")["minor"]["words"], item.title) else "",
        "old": "说的是往年" if _old(item) else "",
        "low": f"与本职无关：{'、'.join(unwanted[:3])}" if unwanted else "",
    }
    return [Term(name, -float(points[name]), why) for name, why in found.items() if why]


def _old(item: Item) -> bool:
    """The title names only years before the one it came out in."""
    now, years = (item.published_at or item.day)[:4], YEAR.findall(item.title)
    return bool(years) and now.isdigit() and max(years) < now
