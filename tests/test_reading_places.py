"""Places: the gazetteer, names it does not know, and the longest sensible span."""

from __future__ import annotations

import pytest

from config.county import Place
from handlers.reports.reading_places import Gazetteer, blank
from tests import reports_set

KNOWN = Gazetteer(
    [
        Place("r1", "府前路", ("府前街",), "road", "城关镇"),
        Place("l1", "县人民医院", ("县医院",), "landmark", "城关镇"),
        Place("v1", "柳林村", ("柳林",), "village", "西河镇"),
        Place("r2", "解放路", (), "road", "城关镇"),
    ]
)


@pytest.mark.parametrize(
    ("text", "name", "span"),
    [
        ("府前路县医院对面路灯不亮", "县人民医院", "府前路县医院对面"),
        ("府前街126号门前井盖坏了", "府前路", "府前街126号门前"),
        ("柳林村口垃圾没人收", "柳林村", "柳林村口"),
        ("府前路与解放路交叉口东南角护栏倒了", "府前路", "府前路与解放路交叉口东南角"),
        ("垃圾成堆，柳林村", "柳林村", "柳林村"),
    ],
)
def test_known_places_are_found_whole(text: str, name: str, span: str) -> None:
    spot = KNOWN.locate(text)
    assert spot.place and (spot.place.name, spot.text) == (name, span)


@pytest.mark.parametrize("text", ["路灯不亮", "马路牙子坏了", "水泥路烂了", "小区门口垃圾", "农村公路坑洼"])
def test_common_words_are_no_places(text: str) -> None:
    assert KNOWN.locate(text).place is None


def test_blind_spans_of_unknown_places() -> None:
    rows = (reports_set.HERE / "spans.txt").read_text(encoding="utf-8").splitlines()
    nobody = Gazetteer(())
    wrong = []
    for row in rows:
        want = row[row.index("[") + 1 : row.index("]")]
        got = nobody.locate(row.replace("[", "").replace("]", "")).text
        if got != want:
            wrong.append((want, got))
    assert len(wrong) <= 0.15 * len(rows), wrong


def test_a_place_name_says_nothing_of_the_matter() -> None:
    text = "府前路路灯不亮"
    assert blank(text, KNOWN.spots(text)) == "，路灯不亮"
