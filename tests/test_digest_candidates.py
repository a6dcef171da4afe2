"""A day's candidates: every term shown, every rejection with its reason, editors teach and may take it back; search; #投稿."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.arrivals import Arrivals, Origin
from bot.candidates import run_day, weigh
from bot.newsroom import troubles
from bot.rehearse import Rehearsal
from config.county import Person
from config.digest.sources import Source
from config.files import shipped_county
from digests.arrivals import from_words
from digests.words import apart, terms
from handlers.events import Event
from store import Store, Tx, archive, digest, editions
from store.sources import SourceState
from tests.digest_house import NOON
from tests.flows.town import TOWN
from tests.serving import ROOT, bot

DAY = "2026-11-24"
COUNTY = shipped_county()
TEXTS = (
    (
        "关于开展种粮补贴申报的通知",
        "县农业农村局关于开展种粮补贴申报的通知。各乡镇要在12月1日前完成申报登记，逾期不予受理，补贴标准每亩120元。",
    ),
    (
        "国家税务总局关于小微企业所得税优惠的公告",
        "为支持小微企业发展，国家税务总局就企业所得税优惠政策公告如下：年应纳税所得额不超过300万元的部分减按25%计入。",
    ),
    (
        "某地干部违规吃喝被通报",
        "省纪委监委通报三起违反中央八项规定精神典型问题，涉及违规吃喝、公车私用，相关人员受到党纪政务处分，要求引以为戒。",
    ),
    (
        "某明星演唱会门票开售",
        "某明星巡回演唱会门票今日开售，粉丝热情高涨，预计将有数万名观众到场观看，现场设置了多个打卡点供观众拍照留念。",
    ),
)


def arrived(title: str, text: str) -> dict[str, Any]:
    """What the reading child would hand over."""
    one = from_words(title, text, "县报")
    assert not one.blocked
    return {
        "item": {name: getattr(one.item, name) for name in one.item.__slots__},
        "title_words": apart(one.item.title),
        "body_words": apart(one.item.body),
        "findings": [[f.rule, f.level, f.why] for f in one.findings],
        "written_on": "",
        "validity": "",
        "attachments": [],
    }


async def filled(*texts: tuple[str, str]) -> Store:
    store = Store.open(None, lambda: NOON)
    arrivals = Arrivals(store, b"k" * 32)
    for at, (title, text) in enumerate(texts or TEXTS):
        await arrivals.take(arrived(title, text), Origin(f"s{at}", f"来源{at}", f"k{at}"))
    return store


@pytest.mark.asyncio
async def test_every_candidate_shows_its_sum_and_every_rejection_its_reason() -> None:
    store = await filled()
    run = await run_day(store, COUNTY, DAY)
    rows = await store.read(lambda c: digest.candidates(c, DAY))
    assert {row.item for row in rows} == {1, 2, 3, 4} and rows[0].picked == 1
    for row in rows:
        shown = await store.read(lambda c, n=row.item: digest.terms(c, DAY, n))  # type: ignore[misc]
        assert round(max(0.0, sum(term.points for term in shown)), 1) == round(row.score, 1)
        assert all(term.why for term in shown)
        assert bool(row.picked) != bool(row.barred or row.left_out)
    star = next(row for row in rows if row.item == 4)
    assert not star.picked and star.left_out
    assert {row.column for row in rows if row.item == 2} == {"税务"}
    assert (await store.read(lambda c: weigh(c, COUNTY, DAY))).rows == run.rows, "same archive, same candidates"
    store.close()


@pytest.mark.asyncio
async def test_a_dropped_item_is_out_until_the_decision_is_taken_back_and_decisions_bend_a_column() -> None:
    store = await filled()

    def drop(tx: Tx) -> None:
        digest.choose(tx, DAY, 1, "政策速递", "s0", keep=False, person="bianji", why="已开会部署")
        for _ in range(9):
            digest.choose(tx, DAY, 2, "税务", "s1", keep=True, person="bianji")

    await store.write(drop)
    run = await store.read(lambda c: weigh(c, COUNTY, DAY))
    assert next(row.barred for row in run.rows if row.item == 1) == "编辑已剔除：已开会部署"
    assert run.taught["税务"] == 1.5 and run.taught["政策速递"] < 1
    await store.write(lambda tx: [digest.revoke_choice(tx, seq) for seq in range(1, 11)])
    run = await store.read(lambda c: weigh(c, COUNTY, DAY))
    assert not run.taught and not any(row.barred for row in run.rows)
    store.close()


@pytest.mark.asyncio
async def test_what_went_out_does_not_come_again() -> None:
    store = await filled()

    def sent(tx: Tx) -> None:
        editions.open_(tx, "2026-11-23", "three", None)
        editions.write(tx, "2026-11-23", [editions.EditionItem(1, 1, None, "政策速递", "x", "y")])
        editions.move(tx, "2026-11-23", ["draft"], "sent")

    await store.write(sent)
    run = await store.read(lambda c: weigh(c, COUNTY, DAY))
    assert next(row.barred for row in run.rows if row.item == 1) == "2026-11-23已经发过"
    store.close()


@pytest.mark.asyncio
async def test_the_archive_finds_words_inside_longer_ones_titles_first_and_nothing_erased() -> None:
    store = await filled()

    def ask(query: str) -> Any:
        return store.read(lambda c: archive.search(c, terms(query)))

    assert await ask("小微企业 政策") == [2]
    assert await ask("所得税") == [2] and await ask("企业所得税") == [2]
    assert await ask("申报") == [1] and await ask("没有的词语") == []
    await store.write(lambda tx: digest.erase(tx, 2, "应发布者要求"))
    assert await ask("小微企业") == [] and await store.read(lambda c: digest.read(c, 2)) == ("", "")
    store.close()


def test_a_source_in_trouble_is_told_once_when_it_is_sure() -> None:
    table = tuple(Source(name, name, "feed", "http://a.cn/", on=name != "off") for name in ("a", "b", "c", "d", "off"))
    states = {
        "a": SourceState("a", failures=1, error="连不上"),
        "b": SourceState("b", failures=2, error="连不上"),
        "c": SourceState("c", error="已15天没有新内容，可能改版了"),
        "d": SourceState("d", manual=1, failures=1, error="网站要求验证"),
        "off": SourceState("off", failures=9, error="连不上"),
    }
    assert [one.source for one in troubles(table, states)] == ["b", "c", "d"]
    told = {name: SourceState(name, failures=9, error="连不上", told_on="2026-11-24") for name in states}
    assert troubles(table, told) == []


@pytest.mark.asyncio
async def test_a_trouble_goes_to_the_editors_alone_in_working_hours() -> None:
    town = replace(TOWN, people=(*TOWN.people, Person("hetao", "何涛", "zhzx", ("admin",))))
    stage = await Rehearsal.open(town)
    try:
        await stage.engine.inbox.accept((Event("clock", "sources/1", "sources", text="县报：连不上"),))
        await stage.engine.settle()
        rows = await stage.engine.store.read(
            lambda c: c.execute("select person, body from outbox where body like '%摘要来源有问题%'").fetchall()
        )
        assert rows and all(person and "县报：连不上" in body for person, body in rows)
    finally:
        await stage.close()


def test_the_program_starts_without_what_reads_feeds_and_pages() -> None:
    """design 9: the child and the first use load them."""
    code = (
        "import sys, bot.app, bot.newsroom, bot.console.paste, bot.candidates;"
        "heavy = {'jieba', 'feedparser', 'selectolax', 'numpy', 'protego', 'nh3', 'sqlite_utils'};"
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.asyncio
async def test_a_year_later_an_item_is_still_found_but_compared_no_more() -> None:
    store = await filled()
    await store.write(lambda tx: (digest.forget_prints(tx, "2026-11-25"), archive.tidy(tx)))
    assert await store.read(lambda c: c.execute("select count(*) from item_print").fetchone()) == (0,)
    assert await store.read(lambda c: archive.search(c, terms("小微企业"))) == [2]
    store.close()


def test_the_commands_show_candidates_and_sources(tmp_path: Path) -> None:
    assert bot("source", "list", "--data", str(tmp_path)).stdout.count("未启用") > 10
    assert "未启用" not in next(
        line for line in bot("source", "list", "--data", str(tmp_path)).stdout.splitlines() if "ccdi" in line
    )
    assert bot("source", "on", "ccdi", "--data", str(tmp_path)).returncode == 1
    assert bot("source", "on", "mof", "--data", str(tmp_path)).returncode == 0
    listed = json.loads(bot("source", "list", "--json", "--data", str(tmp_path)).stdout)
    assert {row["id"] for row in listed if row["on"]} == {"mof"}
    shown = bot("digest", "run", "--day", DAY, "--json", "--data", str(tmp_path))
    assert json.loads(shown.stdout) == {"day": DAY, "taught": {}, "candidates": []}
    assert bot("digest", "run", "--day", "明天", "--data", str(tmp_path)).returncode == 1
    refused = bot("source", "test", "http://127.0.0.1:1/", "--data", str(tmp_path))
    assert "不允许访问" in refused.stdout or "robots" in refused.stdout
