"""What is kept back, why something is picked, and that summaries add nothing."""

from __future__ import annotations

from datetime import date

import pytest

from config.files import shipped_county
from digests.checks import Leader, check
from digests.choosing import Candidate, choose
from digests.days import Days
from digests.items import Item
from digests.relevance import audience
from digests.scoring import Weighing, score
from digests.summaries import summarise, unsupported

TEXT = "近日，云溪县召开安全生产工作推进会，安排部署冬季安全生产工作，各乡镇和有关部门负责同志参加。"
LEADERS = (
    Leader("张建国", "云溪县委书记"),
    Leader("李明华", "县委副书记、县长"),
    Leader("王芳", "副县长", "", "2026-05-01"),
)


def levels(body: str, title: str = "消息") -> set[str]:
    return {f.rule for f in check(Item("1", title, body + TEXT, "2026-11-20"), LEADERS) if f.level != "flag"}


@pytest.mark.parametrize("mark", ["机密★\n", "秘密★5年\n", "内部资料 注意保存\n", "密级：机密\n", "内部文件\n"])
def test_marked_items_are_blocked(mark: str) -> None:
    assert levels(mark) == {"secrecy"}


@pytest.mark.parametrize(
    "talk",
    [
        "讲解绝密、机密、秘密三个等级的规定，提醒干部不得在微信传播涉密文件。",
        "某单位干部用手机拍摄机密级文件发到微信群，被追究责任。",
        "工作秘密是指机关单位在履行职能中产生的不属于国家秘密的事项。",
        "文件首页应标注“机密★10年”字样。",
    ],
)
def test_talk_about_secrecy_is_no_secret(talk: str) -> None:
    assert not levels(talk)


@pytest.mark.parametrize(
    "wrong", ["县长张建国主持会议。", "副县长王芳出席。", "县委书记李明华出席。", "县委书记刘强主持会议。"]
)
def test_a_wrong_title_raises_an_alarm(wrong: str) -> None:
    assert levels(wrong) == {"leader"}


@pytest.mark.parametrize("right", ["云溪县委书记张建国主持，县委副书记、县长李明华讲话。", "外县县长刘强来访。"])
def test_right_titles_do_not(right: str) -> None:
    assert not levels(right)


def test_every_term_of_a_score_says_why_and_the_sum_is_the_terms() -> None:
    found = score(Item("1", "通知", TEXT, "2026-11-20"), Weighing(audience(shipped_county()), date(2026, 11, 20)))
    assert all(term.why for term in found.terms)
    assert found.total == pytest.approx(sum(term.points for term in found.terms))


def test_an_edition_keeps_its_quotas_and_gives_a_reason_for_everything_left_out() -> None:
    days = Days(audience(shipped_county()))
    items = [
        Item(f"{n}", f"关于第{n}项补贴申报的通知", f"第{n}项{TEXT}" * 2, "2026-11-20", f"源{n % 9}") for n in range(30)
    ]
    judged = [days.judge(one) for one in items]
    choice = choose([Candidate(j.item, j.score, j.match.cluster) for j in judged])
    assert 0 < len(choice.picked) <= 10
    assert {c.item.id for c in choice.picked} | set(choice.left) == {one.id for one in items}
    assert all(choice.left.values())


def test_summaries_are_verbatim() -> None:
    body = (
        "为做好供热，现通知如下。\n一、各单位应当在11月25日前完成检修。补贴标准为每户300元。\n自2026年12月1日起施行。"
    )
    quotes = summarise(body)
    assert quotes and all(quote.text == body[quote.start : quote.end] for quote in quotes)


def test_a_draft_that_adds_anything_is_refused() -> None:
    assert unsupported("每户补贴500元", "补贴标准为每户300元。") == ("500",)
    assert not unsupported("每户补贴300元", "补贴标准为每户300元。")
    assert unsupported("局长韩立新，涉嫌违纪", "局长孙俊峰涉嫌违纪")
