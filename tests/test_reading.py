"""The reader keeps its promises: class, place, unit, urgency, limit, several problems, and silence about chatter."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace

import pytest

from bot.evaluate import wilson_lower
from config.county import County
from config.files import shipped_county
from config.lexicon import fitted_file, shipped_lexicon
from handlers.reports.reading import Lesson, Reader
from handlers.reports.reading_model import unpack
from handlers.reports.reading_school import key_of
from tests import reports_set


@pytest.fixture(scope="module")
def product() -> County:
    return shipped_county()


@pytest.fixture(scope="module")
def reader(product: County) -> Reader:
    return Reader(product)


def test_the_shipped_fit_belongs_to_the_shipped_words(product: County) -> None:
    assert unpack(key_of(product, shipped_lexicon()), fitted_file()), (
        "python bench/fit_reader.py 重新生成 config/fitted.bin"
    )


def test_the_story_of_the_green_triangle(reader: Reader) -> None:
    reading = reader.read("西环路三角绿地有小广告", 1)
    assert (reading.kind, reading.category, reading.place) == ("report", "事件0201", "三角绿地")
    assert reading.units[0].value == "cgj" and reading.sure and not reading.urgent
    assert reading.place_text == "西环路三角绿地"


@pytest.mark.parametrize(
    ("text", "code", "unit"),
    [
        ("府前路的路灯坏了三天了", "部件0137", "szzx"),
        ("东关市场门口有人摆摊占道", "事件0406", "cgj"),
        ("人民路井盖没了，危险", "部件0123", "szzx"),
        ("柳林村垃圾没人收，堆成山了", "事件0110", "xihe"),
        ("健康路下水道往外冒臭水", "事件0503", "psc"),
        ("锦绣苑门口电动车停得过不去人", "事件0410", "cgj"),
    ],
)
def test_plain_reports_go_where_they_belong(reader: Reader, text: str, code: str, unit: str) -> None:
    reading = reader.read(text, 1)
    assert reading.kind == "report" and reading.category == code
    assert reading.units[0].value == unit


@pytest.mark.parametrize(
    "text",
    [
        "收到", "路灯修好了，点赞", "请各单位做好积水排查", "今天共清理小广告120处", "演练：西环路燃气泄漏，请到场",
        "如果路灯不亮找哪个单位", "已清理完毕", "谢谢环卫工人", "转发：某地井盖伤人引发热议", "机密文件请勿外传",
    ],
)  # fmt: skip
def test_talk_about_problems_is_no_report(reader: Reader, text: str) -> None:
    assert reader.read(text, 1).kind != "report"


@pytest.mark.parametrize(
    ("text", "urgent"),
    [
        ("府前路挖机挖断燃气管，嗤嗤响", True),
        ("和平巷高压线断了掉路上", True),
        ("车站路路面突然塌了个洞", True),
        ("人民路水管爆了", True),
        ("幸福里三楼着火了", True),
        ("府前路路灯不亮", False),
        ("网线的木杆斜了，压着人家房檐", False),
    ],
)
def test_danger_is_urgent(reader: Reader, text: str, urgent: bool) -> None:
    assert reader.read(text, 1).urgent is urgent


def test_the_limit_hangs_on_the_condition(reader: Reader) -> None:
    missing = reader.read("人民路雨水井盖没了", 1).standard
    loud = reader.read("人民路雨水井盖松动，跳响", 1).standard
    assert missing and loud and missing[1:] == (2, "urgent_hour") and loud[1:] == (2, "work_day")


def test_an_unclear_condition_takes_the_strictest_limit(reader: Reader, product: County) -> None:
    standard = reader.read("人民路路灯有问题", 1).standard
    assert standard and standard[1:] == (2, "work_hour")


def test_no_class_fits_is_still_routed(reader: Reader) -> None:
    reading = reader.read("锦绣苑家里暖气不热，老人冻得受不了", 1)
    assert reading.kind == "report" and reading.category is None and reading.matter == "供热不足"
    assert reading.units[0].value == "rlgs"


def test_two_problems_are_two_parts(reader: Reader) -> None:
    parts = reader.read("西环路三角绿地有小广告，另外府前路井盖坏了", 2).parts
    assert [(p.category, p.place) for p in parts] == [("事件0201", "三角绿地"), ("部件0123", "府前路")]


def test_one_problem_told_at_length_is_one(reader: Reader) -> None:
    assert not reader.read("健康路下水道堵了，污水漫过路面，臭气熏天，请派人来看看", 1).parts


def test_no_place_is_none(reader: Reader) -> None:
    reading = reader.read("路灯不亮", 1)
    assert reading.place is None and reading.place_id is None and reading.place_text == ""


def test_a_county_without_a_class_still_routes_it(product: County) -> None:
    fewer = replace(product, categories=tuple(c for c in product.categories if c.kind != "其他"), duties=())
    reading = Reader(fewer).read("府前路红绿灯不亮", 1)
    assert reading.category is None and reading.matter == "信号灯" and reading.units[0].value == "jjdd"
    straw = Reader(fewer).read("柳林村有人烧秸秆", 1)
    assert straw.category == "事件0120" and straw.units[0].value == "xihe"


def test_a_reader_is_a_pure_function(product: County) -> None:
    lessons = (Lesson("府前路路灯不亮", "部件0137", "gdgs", "府前路"),)
    one, two = Reader(product, lessons), Reader(product).taught(lessons[0])
    assert one.read("府前路路灯坏了", 1).units == two.read("府前路路灯坏了", 1).units
    assert one.version == Reader(product, lessons).version != Reader(product).version


def test_one_line_costs_little(reader: Reader, product: County) -> None:
    lines = [line.text for line in reports_set.lines("north", product)]
    began = time.process_time()
    for text in lines:
        reader.listen(text, 0)
    heard = time.process_time()
    for text in lines:
        reader.read(text, 1)
    assert (heard - began) / len(lines) < 100e-6  # budget 30 µs; slack for a shared machine
    assert (time.process_time() - heard) / len(lines) < 4.5e-3  # budget 1.5 ms


def test_the_ear_needs_neither_numpy_nor_jieba() -> None:
    code = (
        "import sys; sys.modules['handlers'] = type(sys)('handlers'); sys.modules['handlers'].__path__ = ['handlers'];"
        "sys.modules['handlers.reports'] = type(sys)('r'); sys.modules['handlers.reports'].__path__ = ['handlers/reports'];"
        "from handlers.reports.reading import Reader; from config.files import shipped_county;"
        "r = Reader(shipped_county()); r.listen('路灯不亮', 0); r.read('西环路路灯不亮', 1);"
        "sys.exit(bool({'numpy', 'jieba'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=reports_set.HERE.parents[1])
    assert done.returncode == 0, done.stderr


def test_our_own_set_is_understood(product: County) -> None:
    unit = classes = top3 = judged = classed = false = chatter = auto = right = 0
    for name in reports_set.NAMES:
        reader = Reader(reports_set.county(name, product))
        for line in reports_set.lines(name, product):
            reading = reader.read(line.text, int(line.report))
            if not line.report:
                false, chatter = false + (reading.kind == "report"), chatter + 1
                continue
            if line.codes:
                classed += 1
                classes += reading.category in line.codes
                top3 += any(g.value in line.codes for g in reading.categories[:3])
            if line.units:
                judged += 1
                good = reading.kind == "report" and bool(reading.units) and reading.units[0].value in line.units
                unit, auto, right = unit + good, auto + reading.sure, right + (reading.sure and good)
    assert chatter >= 1000 and judged >= 600
    assert unit / judged >= 0.92 and classes / classed >= 0.88 and top3 / classed >= 0.97
    assert wilson_lower(right, auto) >= 0.95 and auto / judged >= 0.70
    assert false / chatter <= 0.01
