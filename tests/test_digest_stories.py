"""One story is told once; two stories that differ in one fact are never merged."""

from __future__ import annotations

import pytest

from digests.items import Item
from digests.stories import Stories, same_story

BASE = (
    "云溪县应急管理局党组书记、局长韩立新涉嫌严重违纪违法，目前正接受云溪县纪委监委纪律审查和监察调查。"
    "韩立新简历：韩立新，男，汉族，1973年8月出生，省委党校研究生学历，1998年7月参加工作，1999年11月加入中国共产党。"
)
PRICE = (
    "2026年7月份，全国居民消费价格同比上涨1.7%。其中，城市上涨1.8%，农村上涨1.6%，食品价格上涨0.8%。"
    "县气象台发布暴雨蓝色预警，第三批名单共20家企业，请各单位做好防范应对工作，确保人民群众生命财产安全。"
)


def item(body: str, title: str = "通知", name: str = "b", number: str | None = None) -> Item:
    return Item(name, title, body, doc_number=number)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("7月", "8月"),
        ("1.7%", "1.6%"),
        ("蓝色", "橙色"),
        ("第三批", "第四批"),
        ("2026年", "2025年"),
        ("暴雨", "大风"),
        ("上涨1.7", "下降1.7"),
    ],
)
def test_one_different_fact_makes_two_stories(old: str, new: str) -> None:
    assert not same_story(item(PRICE), item(PRICE.replace(old, new)))[0]


def test_another_person_is_another_story() -> None:
    assert not same_story(item(BASE), item(BASE.replace("韩立新", "孙俊峰")))[0]
    assert not same_story(item(BASE), item(BASE.replace("韩立新", "韩立军")))[0]


def test_a_new_lead_and_tail_change_nothing() -> None:
    again = f"河东发布11月24日讯（记者 张三）我县高度重视，立即转发全县学习。\n{BASE}\n责任编辑：李四 审核：王五\n阅读量：2345"
    assert same_story(item(BASE), item(again, "【微警示】被查！"))[0]


def test_document_numbers_part_stories_and_citations_join_them_as_threads() -> None:
    stories = Stories()
    first = stories.add(item(PRICE, "物价通知", "a", "云发〔2026〕1号"))
    other = stories.add(item(PRICE, "物价通知", "b", "云发〔2026〕2号"))
    follow = stories.add(
        item("为落实云发〔2026〕1号文件要求，我局组织各股室逐条对照，制定了以下工作安排。", "实施安排", "c")
    )
    assert first.cluster != other.cluster
    assert follow.related == ("a",) and follow.cluster == "c"


def test_a_retraction_finds_what_it_takes_back() -> None:
    stories = Stories()
    stories.add(item(PRICE, "关于七月份物价情况的通报", "a"))
    taken = stories.add(item("我局发布的《关于七月份物价情况的通报》数据有误，现予以撤回。", "撤回声明", "b"))
    assert taken.related == ("a",) and taken.cluster == "b"
