"""A small county for dialogues, and a reader that understands it by key words, so that a log means one thing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from config.county import Category, County, Duty, Group, Person, Place, Standard, Unit
from handlers import saying
from handlers.reports.reading import Guess, Lesson, Reading

UNITS = (
    Unit("zhzx", "指挥中心"),
    Unit("cgj", "城管局", ("城管",)),
    Unit("zjj", "住建局"),
    Unit("jjdd", "交警大队", ("交警",)),
    Unit("chengguan", "城关镇"),
    Unit("zfb", "县府办"),
)
PEOPLE = (
    Person("zhaojing", "赵静", "zhzx", ("dispatcher",)),
    Person("qianfang", "钱芳", "zhzx", ("verifier",)),
    Person("zhoumin", "周敏", "zhzx", ("arbiter",)),
    Person("gaoyuan", "高远", "zfb", ("leader",)),
    Person("linhong", "林红", "zfb", ("security_officer",)),
    Person("zhangqiang", "张强", "cgj", ("handler",)),
    Person("wanglei", "王磊", "cgj", ("deputy",)),
    Person("liujianguo", "刘建国", "cgj", ("unit_leader",)),
    Person("maling", "马玲", "cgj", ("reporter",)),
    Person("chenbo", "陈波", "zjj", ("handler",)),
    Person("huangzhigang", "黄志刚", "zjj", ("unit_leader",)),
    Person("hejian", "何建", "jjdd", ("handler",)),
    Person("limin", "李敏", "chengguan", ("reporter",)),
    Person("wangfang", "王芳", "chengguan", ("reporter",)),
    Person("zouping", "邹萍", "chengguan", ("reporter",)),
    Person("xiongwei", "熊伟", "chengguan", ("handler", "reporter")),
)
PLACES = (
    Place("xihuanlu", "西环路", (), "road", "城关镇"),
    Place("renminlu", "人民路", (), "road", "城关镇"),
    Place("fuqianlu", "府前路", (), "road", "城关镇"),
    Place("sanjiao", "三角绿地", (), "landmark", "城关镇"),
    Place("caishichang", "菜市场", (), "landmark", "城关镇"),
)
CATEGORIES = (
    Category("事件0101", "小广告", "事件", "小广告"),
    Category("事件0102", "垃圾", "事件", "垃圾"),
    Category("部件0101", "井盖", "部件", "井盖"),
    Category("事件0401", "违停", "事件", "违停"),
    Category("事件0501", "燃气泄漏", "事件", "其他"),
)
STANDARDS = (
    Standard("事件0101", "乱贴小广告", 1, "work_day"),
    Standard("事件0102", "暴露垃圾", 4, "work_hour"),
    Standard("部件0101", "井盖缺失", 2, "urgent_hour"),
    Standard("部件0101", "井盖破损", 2, "work_day"),
    Standard("事件0401", "违停", 4, "work_hour"),
)
DUTIES = (
    Duty("事件0101", "", "cgj"),
    Duty("事件0102", "", "cgj"),
    Duty("部件0101", "", "zjj"),
    Duty("事件0401", "", "jjdd"),
    Duty("事件0501", "", "zjj"),
)
GROUPS = (
    Group("ssp", "随手拍群", "reports"),
    Group("second", "第二群", "reports", ("limin", "wangfang", "zhaojing", "zhangqiang")),
    Group("news", "通知群", "notices"),
)
TOWN = County(UNITS, PEOPLE, PLACES, GROUPS, CATEGORIES, STANDARDS, DUTIES)

WORDS = {
    "事件0101": "小广告",
    "事件0102": "垃圾",
    "部件0101": "井盖",
    "事件0401": "违停|占人行道",
    "事件0501": "漏气",
}
URGENT = re.compile(r"漏气|着火|塌陷|触电")
CUT = re.compile(r"另外|还有，|;|；")
OTHERS = {"cgj": ("cgj", "zjj", "jjdd"), "zjj": ("zjj", "cgj", "jjdd"), "jjdd": ("jjdd", "cgj", "zjj")}


class PlainReader:
    """Key words only; "好像" makes it unsure."""

    def __init__(self, county: County, lessons: Sequence[Lesson] = (), kept: bytes = b"") -> None:
        self.county = county
        self.to_keep = b""

    def listen(self, text: str, photos: int) -> bool:
        return self.read(text, photos).kind == "report"

    def read(self, text: str, photos: int, sender_unit: str = "") -> Reading:
        pieces = [piece for piece in CUT.split(text) if piece.strip(" ，,。")]
        whole = self._one(text)
        parts = tuple(found for piece in pieces if (found := self._one(piece)).kind == "report")
        return whole if len(parts) < 2 else self._with(whole, parts)

    def _with(self, whole: Reading, parts: tuple[Reading, ...]) -> Reading:
        from dataclasses import replace

        return replace(whole, parts=parts)

    def _one(self, text: str) -> Reading:
        code = next((code for code, words in WORDS.items() if re.search(words, text)), "")
        place = max((p for p in PLACES if p.name in text), key=lambda p: text.rindex(p.name), default=None)
        spoken = re.search(r"((?:西环路|人民路|府前路)?(?:三角绿地|菜市场)|(?:西环路|人民路|府前路)(?:\d+号)?)", text)
        urgent = URGENT.search(text)
        unit = next((d.unit for d in DUTIES if d.code == code), "")
        units = tuple(Guess(u, 0.97 if n == 0 else 0.01) for n, u in enumerate(OTHERS.get(unit, ())))
        limit = next(((s.condition, s.limit_n, s.limit_unit) for s in STANDARDS if s.code == code), None)
        return Reading(
            kind="notice"
            if re.search("通知|会议|落实", text)
            else "report"
            if code and not saying.done(text)
            else "none",
            p_report=0.9,
            categories=(Guess(code, 0.95),) if code else (),
            units=units,
            place=place.name if place else None,
            place_id=place.id if place else None,
            place_text=spoken[0] if spoken else "",
            urgent=bool(urgent),
            urgent_word=urgent[0] if urgent else "",
            standard=limit,
            text=text,
            sure=bool(unit and place and "好像" not in text),
        )
