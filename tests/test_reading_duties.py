"""Duties: the table first, prose where it is silent, weak and contrary clauses, towns, and lessons on top."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from config.county import County, Duty, Place, Unit
from config.files import shipped_county
from config.lexicon import shipped_lexicon
from handlers.reports.reading import Lesson, Reader, propose_duties
from handlers.reports.reading_duties import Routing
from handlers.reports.reading_scene import Scene
from tests import reports_set

STREET = Scene(kind="street")


@pytest.fixture(scope="module")
def product() -> County:
    return shipped_county()


def _routing(product: County, *units: Unit, duties: tuple[Duty, ...] = ()) -> Routing:
    return Routing(replace(product, units=units, duties=duties, places=()), shipped_lexicon())


def test_the_same_class_belongs_to_whoever_the_prose_says(product: County) -> None:
    a, b = Unit("a", "住建局", duty="负责市政道路、路灯和排水设施。"), Unit("b", "城管局", duty="负责市容秩序。")
    assert _routing(product, a, b).choose("部件0137", STREET)[0].unit == "a"
    a, b = replace(a, duty="负责房屋建筑。"), replace(b, duty="负责城市照明和市容秩序。")
    assert _routing(product, a, b).choose("部件0137", STREET)[0].unit == "b"


def test_contrary_and_weak_clauses_count_less(product: County) -> None:
    a = Unit("a", "城管局", duty="负责市容，不负责路灯维修。")
    b = Unit("b", "市政所", duty="负责市政设施。")
    assert _routing(product, a, b).choose("部件0137", STREET)[0].unit == "b"
    a = Unit("a", "住建局", duty="指导路灯管理工作。")
    b = Unit("b", "路灯所", duty="负责路灯养护。")
    assert _routing(product, a, b).choose("部件0137", STREET)[0].unit == "b"


def test_a_confirmed_duty_beats_prose(product: County) -> None:
    a, b = Unit("a", "市政所", duty="负责路灯。"), Unit("b", "供电公司", duty="负责供电。")
    routing = _routing(product, a, b, duties=(Duty("部件0137", "", "b"),))
    assert routing.choose("部件0137", STREET)[0].unit == "b"


def test_villages_go_to_their_town(product: County) -> None:
    a = Unit("a", "环卫中心", duty="负责城区生活垃圾清运。")
    t = Unit("t", "河东镇政府", town="河东镇", duty="负责本镇各村生活垃圾收集清运。")
    routing = _routing(product, a, t)
    village, road = Place("v", "李村", (), "village", "河东镇"), Place("r", "人民路", (), "road", "")
    assert routing.choose("事件0110", routing.scene("", village))[0].unit == "t"
    assert routing.choose("事件0110", routing.scene("", road))[0].unit == "a"


def test_proposed_duties_carry_their_words(product: County) -> None:
    county = reports_set.county("lake", product)
    proposed = {(d.code, d.place_or_town): d for d in propose_duties(county)}
    lamp = proposed["部件0137", ""]
    assert lamp.unit == "szyl" and "路灯" in lamp.words and lamp.duty.status == "proposed"
    assert len(proposed) >= 150


def test_prose_agrees_with_the_shipped_table(product: County) -> None:
    table = {d.code: d.unit for d in product.duties if not d.place_or_town}
    routing = Routing(replace(product, duties=()), shipped_lexicon())
    right = sum(bool((c := routing.choose(code, STREET)) and c[0].unit == unit) for code, unit in table.items())
    assert right >= 0.9 * len(table)


def test_prose_alone_routes_counties_told_in_four_ways(product: County) -> None:
    right = sure = sure_right = judged = 0
    for name in reports_set.PROSE:
        reader = Reader(reports_set.prose_county(name, product))
        for units, text in reports_set.prose_lines(name):
            reading = reader.read(text, 1)
            good = bool(reading.units) and reading.units[0].value in units
            judged, right = judged + 1, right + good
            sure, sure_right = sure + reading.sure, sure_right + (reading.sure and good)
    assert judged >= 200 and right / judged >= 0.92
    assert sure_right / sure >= 0.97 and sure / judged >= 0.70


def test_the_message_turns_a_class_to_whom_it_means(product: County) -> None:
    power = Unit("p", "供电公司", duty="负责供电线路抢修。")
    phone = Unit("t", "电信公司", duty="负责通信光缆维护。")
    routing = _routing(product, power, phone)
    assert routing.choose("事件0508", routing.scene("网线断了拖在地上", None))[0].unit == "t"
    assert routing.choose("事件0508", routing.scene("高压线断了冒火花", None))[0].unit == "p"


def test_a_list_under_a_heading_keeps_its_ground(product: County) -> None:
    a = Unit("a", "水务集团", duty="城区供排水一体化运营：雨污水管网、检查井的疏通。")
    t = Unit("t", "河东镇政府", town="河东镇", duty="负责集镇下水道和村庄环境卫生。")
    routing = _routing(product, a, t)
    village = Place("v", "李村", (), "village", "河东镇")
    assert routing.choose("事件0503", routing.scene("", village))[0].unit == "t"
    assert routing.choose("事件0503", STREET)[0].unit == "a"


def test_corrections_teach_a_county_that_works_otherwise(product: County) -> None:
    county = reports_set.county("hill", product)
    rng = random.Random(7)
    ids = [u.id for u in county.units]
    swapped = dict(zip(ids, rng.sample(ids, len(ids)), strict=True))
    lines = [x for x in reports_set.lines("hill", product) if x.report and x.units]
    rng.shuffle(lines)
    lessons = [Lesson(x.text, "", swapped[min(x.units)], x.place) for x in lines[:200]]

    def accuracy(reader: Reader) -> float:
        hits = [reader.read(x.text, 1).units[:1] for x in lines[200:]]
        return sum(
            bool(u) and u[0].value in {swapped[g] for g in x.units} for u, x in zip(hits, lines[200:], strict=True)
        ) / len(hits)

    assert accuracy(Reader(county, lessons)) - accuracy(Reader(county)) >= 0.15
