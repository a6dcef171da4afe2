"""The digest's pages: sums shown, lines ordered and reworded by hand, sources turned, the archive searched, decisions taken back."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.candidates import run_day
from bot.console.digest import ordered
from bot.console.digest_archive import marked
from bot.console.digest_preview import laid
from handlers.editions import timing
from store import digest, editions, sources
from tests.console_house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")
TEXTS = (
    "关于开展种粮补贴申报的通知\n县农业农村局关于开展种粮补贴申报的通知。各乡镇要在12月1日前完成申报登记，逾期不予受理。补贴标准每亩120元，通过一卡通发放。",
    "国家税务总局关于小微企业所得税优惠的公告\n为支持小微企业发展，国家税务总局就企业所得税优惠政策公告如下。年应纳税所得额不超过300万元的部分减按25%计入，自2026年1月1日起施行。",
    "三起违反中央八项规定精神典型问题\n省纪委监委通报三起违反中央八项规定精神典型问题。涉及违规吃喝、公车私用，相关人员受到党纪政务处分。各级要引以为戒。",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("digest")) as found:
        for n, text in enumerate(TEXTS):
            answer = await found.post("qinyue", "/digest/paste", {"text": text, "permit": f"permit-{n:04d}"})
            assert "told=taken" in answer.headers["Location"]
        yield found


async def day_of(house: House) -> str:
    engine = house.parts.engine
    now = engine.store.now()
    return await engine.store.read(lambda c: timing.edition_day(c, engine.office, now))


async def lines(house: House, day: str) -> list[str]:
    return [line.title for line in await house.parts.engine.store.read(lambda c: editions.items(c, day))]


async def seen(house: House, day: str) -> str:
    found = await house.parts.engine.store.read(lambda c: editions.get(c, day))
    return found.hash if found else ""


async def edit(house: House, do: str, person: str = "qinyue", **form: str) -> int:
    day = await day_of(house)
    sent = {"do": do, "day": day, "seen": await seen(house, day), **form}
    return (await house.post(person, "/digest/edit", sent)).status


async def test_an_edition_is_composed_ordered_reworded_and_thinned_without_a_script(house: House) -> None:
    day = await day_of(house)
    assert await edit(house, "begin") == 303
    assert await edit(house, "recompose") == 303  # by the time of day, the first paste may have been composed already
    found = await lines(house, day)
    assert len(found) >= 2
    page = await (await house.get("qinyue", "/digest")).text()
    assert all(title in page for title in found) and "为什么选" in page and "+" in page
    assert await edit(house, "order", move="1:down", **places(found)) == 303
    assert await lines(house, day) == [found[1], found[0], *found[2:]]
    assert await edit(house, "order", **{**places(found), "place-2": "1"}) == 303
    assert await lines(house, day) == found
    at = str(next(n for n, title in enumerate(found, 1) if "种粮" in title))
    assert await edit(house, "reword", pos=at, title="种粮补贴申报", text="补贴标准每亩999元。") == 409
    assert await edit(house, "reword", pos=at, title="种粮补贴申报", text="各乡镇要在12月1日前完成申报登记。") == 303
    assert "种粮补贴申报" in await lines(house, day)
    assert await edit(house, "drop", pos=at, why="已开会部署") == 303
    assert "种粮补贴申报" not in await lines(house, day)
    page = await (await house.get("qinyue", "/digest")).text()
    assert "入选" in page
    assert await edit(house, "keep", item="1", column="政策速递") == 303
    assert any("种粮" in title for title in await lines(house, day))


def places(titles: list[str]) -> dict[str, str]:
    return {f"place-{n}": str(n) for n, _ in enumerate(titles, 1)}


async def test_a_page_shown_before_somebody_elses_change_changes_nothing(house: House) -> None:
    day = await day_of(house)
    before = await lines(house, day)
    sent = {"do": "drop", "day": day, "pos": "1", "seen": "0" * 12}
    answer = await house.post("qinyue", "/digest/edit", sent)
    assert answer.status == 409 and "内容已改过" in await answer.text()
    assert await lines(house, day) == before


async def test_only_editors_change_what_is_printed(house: House) -> None:
    assert await edit(house, "drop", "fanwen", pos="1") == 409
    assert await edit(house, "begin", "gaoyuan") == 409
    assert "剔除" not in await (await house.get("fanwen", "/digest")).text()


async def test_a_typed_number_moves_a_line_to_just_that_place() -> None:
    assert ordered({"place-1": "1", "place-2": "2", "place-3": "1"}) == [3, 1, 2]
    assert ordered({"place-1": "3", "place-2": "2", "place-3": "3"}) == [2, 3, 1]


async def test_decisions_are_shown_with_their_factor_and_taken_back(house: House) -> None:
    page = await (await house.get("fanwen", "/digest/choices")).text()
    assert "已开会部署" in page and "剔除" in page
    seqs = [row.seq for row in await house.parts.engine.store.read(lambda c: digest.choices(c))]
    assert (await house.post("fanwen", "/digest/choices/revoke", {"seq": str(seqs[0])})).status == 403
    assert (await house.post("qinyue", "/digest/choices/revoke", {"seq": str(seqs[0])})).status == 303
    assert (await house.post("qinyue", "/digest/choices/revoke", {"seq": str(seqs[0])})).status == 422
    assert "已撤回" in await (await house.get("qinyue", "/digest/choices")).text()


async def test_the_archive_finds_words_and_shows_markup_as_text(house: House) -> None:
    page = await (await house.get("gaoyuan", "/digest/archive", params={"q": "小微企业 所得税"})).text()
    assert "<mark>小微企业</mark>" in page and "种粮" not in page
    page = await (await house.get("gaoyuan", "/digest/archive", params={"q": '"<script>* OR'})).text()
    assert "<script>*" not in page and "没有找到" in page
    page = await (await house.get("gaoyuan", "/digest/items/1")).text()
    assert "每亩120元" in page
    assert (await house.get("gaoyuan", "/digest/items/99")).status == 404
    assert marked("小微企业优惠", ["微企", "小微企业"]) == [("小微企业", True), ("优惠", False)]


async def test_a_source_is_turned_on_and_off_and_a_manual_one_is_never_asked(house: House) -> None:
    async def wanted() -> int | None:
        return (await house.parts.engine.store.read(lambda c: sources.state(c, "gov_policy"))).wanted

    assert (await house.post("qinyue", "/digest/sources/turn", {"source": "gov_policy", "wanted": "on"})).status == 303
    assert await wanted() == 1
    page = await (await house.get("fanwen", "/digest/sources")).text()
    assert "中国政府网·最新政策" in page and "试抓" not in page
    assert (await house.post("hetao", "/digest/sources/turn", {"source": "gov_policy", "wanted": "off"})).status == 303
    assert await wanted() == 0
    answer = await house.post("hetao", "/digest/sources/turn", {"source": "ccdi", "wanted": "on"})
    assert answer.status == 422 and "不能自动抓取" in await answer.text()
    assert (await house.post("hetao", "/digest/sources/try", {"source": "ccdi"})).status == 422
    assert (await house.post("hetao", "/digest/sources/try", {"source": "nowhere"})).status == 422


async def test_every_candidate_shows_its_sum_and_why_it_is_not_in(house: House) -> None:
    day, engine = await day_of(house), house.parts.engine
    await run_day(engine.store, engine.office.county, day)
    page = await (await house.get("fanwen", "/digest")).text()
    rows = await engine.store.read(lambda c: digest.candidates(c, day))
    assert len(rows) == len(TEXTS)
    for row in rows:
        assert f"<b>{row.score:.1f}</b>" in page
    assert len(re.findall(r"第\d+条</b>", page)) == len(await lines(house, day))


async def test_three_people_let_it_pass_by_clicks_and_today_says_whose_turn_it_is(house: House) -> None:
    day = await day_of(house)

    async def step(person: str, word: str, **form: str) -> str:
        sent = {"step": word, "seen": (await seen(house, day))[:12], "permit": secrets.token_hex(8), **form}
        return await (await house.post(person, "/digest/steps", sent)).text()

    assert "摘要待送审" in await (await house.get("qinyue", "/today")).text()
    assert "摘要待" not in await (await house.get("fanwen", "/today")).text()
    page = await step("gaoyuan", "签发")
    assert "note bad" in page
    assert "范文" in await step("qinyue", "送审")
    assert "摘要待审核" in await (await house.get("fanwen", "/today")).text()
    page = await step("fanwen", "退回", why="")
    assert "note bad" in page, "a reason is asked for"
    page = await step("fanwen", "通过")
    assert "高远" in page
    assert "摘要待签发" in await (await house.get("gaoyuan", "/today")).text()
    page = await step("gaoyuan", "签发")
    assert "note ok" in page and "note bad" not in page
    edition = await house.parts.engine.store.read(lambda c: editions.get(c, day))
    assert edition is not None and edition.state in ("approved", "sent"), "sent at once when its minute is past"
    history = await (await house.get("hetao", "/digest/history", params={"day": day})).text()
    assert "秦月" in history and "送审</td>" in history and "审核通过</td>" in history


async def test_the_preview_is_what_is_sent_and_says_its_size(house: House) -> None:
    day, engine = await day_of(house), house.parts.engine
    page = await (await house.get("gaoyuan", "/digest/preview", params={"day": day})).text()
    for title in await lines(house, day):
        assert title in page
    assert "字节" in page and "机关通知学习群" in page
    for form in ("markdown", "news", "picture", "nonsense"):
        answer = await house.get("gaoyuan", "/digest/preview", params={"day": day, "form": form})
        assert answer.status == 200
    assert (await house.post("qinyue", "/digest/form", {"group": "tongzhi", "form": "news"})).status in (303, 422)
    assert engine.office.address_of("tongzhi")
    answer = await house.get("gaoyuan", "/digest/picture", params={"day": day, "group": "tongzhi"})
    assert answer.status == 200 and (await answer.read())[:8] == b"\x89PNG\r\n\x1a\n"


async def test_markdown_is_laid_out_without_markup_of_ours() -> None:
    assert laid("## 标题\n> **重** [x](https://a.cn/b) <b>") == [
        ("h2", [("标题", "")]),
        ("quote", [("重", "b"), (" ", ""), ("x", "https://a.cn/b"), (" <b>", "")]),
    ]
    assert laid("[x](javascript:alert)")[0][1] == [("[x](javascript:alert)", "")]
