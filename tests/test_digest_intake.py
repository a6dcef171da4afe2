"""A day's intake from servers of our own: what is read, asked again or not, merged, held back, taken back."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from aiohttp import web

from bot import polite
from bot.fetcher import Fetcher
from bot.intake import is_due
from bot.polite import Polite
from config.digest.sources import Source
from store import Tx, digest, editions, sources
from tests.digest_house import ARTICLE, House, article, house, listing, sites, source

RSS = (
    '<?xml version="1.0"?><rss version="2.0"><channel><title>县报</title>'
    "<item><title>{title}</title><link>{url}</link><pubDate>Mon, 23 Nov 2026 09:00:00</pubDate><description>摘要</description></item>"
    "</channel></rss>"
)


async def take(home: House) -> str:
    (taken,) = await home.intake.run_due()
    home.time[0] += 7 * 86400
    return f"{taken.entries}/{taken.new}/{taken.blocked} {taken.error}".strip()


@pytest.mark.asyncio
async def test_a_list_becomes_items_with_their_words_and_facts() -> None:
    async with sites() as (site,), house(site) as home:
        site.pages |= {
            "/list": listing(("/a/t20261123_1.html", "种粮补助开始申报")),
            "/a/t20261123_1.html": article("种粮补助开始申报"),
        }
        assert await take(home) == "1/1/0"
        row = await home.store.read(lambda c: digest.get(c, 1))
        title, body = await home.store.read(lambda c: digest.read(c, 1))
        assert row is not None and row.source == "src" and row.day == "2026-11-24" and row.published_at == "2026-11-23"
        assert title == "种粮补助开始申报" and "每亩120元" in body and row.story == 1 and row.state == "kept"


@pytest.mark.asyncio
async def test_an_unchanged_list_is_asked_with_its_tag_and_brings_nothing() -> None:
    async def tagged(request: web.Request) -> web.Response:
        if request.headers.get("If-None-Match") == '"v1"':
            return web.Response(status=304)
        return web.Response(body=listing(("/1.html", "通知一")), headers={"ETag": '"v1"'}, content_type="text/html")

    async with sites() as (site,), house(site) as home:
        site.pages |= {"/list": tagged, "/1.html": article("通知一")}
        assert await take(home) == "1/1/0"
        assert await take(home) == "0/0/0"
        assert site.paths == ["/list", "/1.html", "/list"]


@pytest.mark.asyncio
async def test_a_page_that_failed_is_tried_again_and_at_last_stands_without_its_text() -> None:
    async with sites() as (site,), house(site) as home:
        site.pages["/list"] = listing(("/1.html", "关于做好冬季供暖的通知"))
        for _ in range(3):
            assert "1篇没读到" in await take(home)
        assert await take(home) == "1/1/0"
        assert await home.sql("select state, why from item") == [("held", "没有正文")]


@pytest.mark.asyncio
async def test_a_feed_in_gbk_with_zoneless_dates_is_read_in_shanghai_time() -> None:
    async with sites() as (site,), house(site, [source(site, "feed")]) as home:
        feed = RSS.format(title="镇里修路的通知", url=site.url("/1.html")).replace('"1.0"', '"1.0" encoding="gb2312"')
        site.pages |= {"/list": feed.encode("gbk"), "/1.html": article("镇里修路的通知").decode().encode("gbk")}
        assert await take(home) == "1/1/0"
        assert await home.sql("select published_at from item") == [("2026-11-23T09:00+08:00",)]
        assert await home.titles() == ["镇里修路的通知"]


@pytest.mark.asyncio
async def test_a_broken_feed_is_a_line_in_source_health_and_rests_longer_each_time() -> None:
    async with sites() as (site,), house(site, [source(site, "feed")]) as home:
        site.pages["/list"] = b"<rss><channel><item><ti"
        assert "没有链接" in await take(home)
        first = await home.sql("select next_at, failures from source_state")
        await take(home)
        second = await home.sql("select next_at, failures from source_state")
        assert first[0][1] == 1 and second[0][1] == 2
        assert second[0][0] - (home.time[0] - 7 * 86400) > 2 * 3600


@pytest.mark.asyncio
async def test_a_repost_joins_its_story_and_one_different_fact_does_not() -> None:
    async with sites() as (site,), house(site) as home:
        site.pages |= {
            "/list": listing(
                ("/1.html", "种粮补助申报通知"), ("/2.html", "转发：种粮补助"), ("/3.html", "种粮补助申报的通知")
            ),
            "/1.html": article("种粮补助申报通知"),
            "/2.html": article("转发：种粮补助"),
            "/3.html": article("种粮补助申报的通知", n=150),
        }
        assert await take(home) == "3/3/0"
        rows = await home.sql("select url, story, same_as from item order by url")
        by_end = {url[-6:-5]: (story, same) for url, story, same in rows}
        assert by_end["1"][0] == by_end["2"][0] != by_end["3"][0]


@pytest.mark.asyncio
async def test_a_secret_page_leaves_nothing_but_a_keyed_mark_and_is_not_fetched_again() -> None:
    async with sites() as (site,), house(site) as home:
        text = "<p>机密★10年</p><p>云溪县某局关于某事项的通知，各单位要严格落实有关要求，逐级传达到人，不得扩散。</p>"
        site.pages |= {
            "/list": listing(("/1.html", "某局通知")),
            "/1.html": ARTICLE.format(title="某局通知", text=text).encode(),
        }
        assert await take(home) == "1/0/1"
        assert await home.sql("select count(*) from item") == [(0,)]
        assert await home.sql("select source, rule from item_blocked") == [("src", "密级标志")]
        dump = await home.store.read(lambda c: "\n".join(c.iterdump()))
        assert "某局" not in dump and "1.html" not in dump
        site.pages["/list"] = listing(("/1.html", "某局通知"), ("/x.html", "别的"))
        site.pages["/x.html"] = article("别的通知")
        await take(home)
        assert site.paths.count("/1.html") == 1


@pytest.mark.asyncio
async def test_personal_numbers_are_starred_before_the_first_write() -> None:
    async with sites() as (site,), house(site) as home:
        text = "<p>救助名单公示：张三，身份证号110101199003070732，电话13812345678，银行卡6222020200112233441。群众如有意见请反映。</p>"
        site.pages |= {
            "/list": listing(("/1.html", "救助名单公示")),
            "/1.html": ARTICLE.format(title="救助名单公示", text=text).encode(),
        }
        await take(home)
        _, body = await home.store.read(lambda c: digest.read(c, 1))
        dump = body + await home.store.read(lambda c: "\n".join(c.iterdump()))
        assert "110101199003070732" not in dump and "13812345678" not in dump and "138" in dump


@pytest.mark.asyncio
async def test_a_retraction_pulls_its_story_and_proposes_a_correction_of_what_went_out() -> None:
    async with sites() as (site,), house(site) as home:
        site.pages |= {
            "/list": listing(("/1.html", "关于种粮补助申报的通知")),
            "/1.html": article("关于种粮补助申报的通知"),
        }
        await take(home)

        def sent(tx: Tx) -> None:
            editions.open_(tx, "2026-11-24", "three", None)
            editions.write(tx, "2026-11-24", [editions.EditionItem(1, 1, None, "政策速递", "x", "y")])
            editions.move(tx, "2026-11-24", ["draft"], "sent")

        await home.store.write(sent)
        taken_back = "<p>我局11月23日发布的《关于种粮补助申报的通知》因数据有误，现予以撤回，请以正式文件为准，由此带来的不便敬请谅解。</p>"
        site.pages |= {
            "/list": listing(("/1.html", "关于种粮补助申报的通知"), ("/2.html", "撤回声明")),
            "/2.html": ARTICLE.format(title="撤回声明", text=taken_back).encode(),
        }
        await take(home)
        assert await home.sql("select state, pulled_by from item where n = 1") == [("pulled", 2)]
        (proposed,) = await home.store.read(lambda c: editions.corrections(c))
        assert proposed.item == 1 and proposed.state == "proposed" and "已撤回或更正" in proposed.text


@pytest.mark.asyncio
async def test_a_challenge_makes_a_source_manual_and_is_never_tried_again() -> None:
    wall = b"<html><script>document.cookie='x='+eval('1+1');location.reload()</script></html>"
    for answer in (wall, web.Response(status=412), web.Response(status=521)):
        async with sites() as (site,), house(site) as home:
            site.pages["/list"] = answer
            await take(home)
            assert "请人工转发" in await home.error()
            assert await home.intake.run_due() == []
            assert site.paths == ["/list"]
            await home.store.write(lambda tx: sources.wake(tx, "src"))
            assert len(await home.intake.run_due()) == 1


@pytest.mark.asyncio
async def test_robots_txt_is_obeyed_and_one_that_cannot_be_had_closes_the_site() -> None:
    async with sites() as (site,), house(site) as home:
        site.pages |= {"/list": listing(("/1.html", "通知"))}
        site.robots = "User-agent: *\nDisallow: /list\n"
        assert "robots.txt" in await take(home) and site.paths == []
    async with sites() as (site,), house(site) as home:
        site.robots, site.robots_status = "", 503
        assert "robots.txt" in await take(home) and site.paths == []


@pytest.mark.asyncio
async def test_two_requests_to_one_host_are_seconds_apart_and_crawl_delay_counts() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    async with sites() as (site,):
        site.pages |= {"/a": b"x", "/b": b"y"}
        site.robots = "User-agent: *\nCrawl-delay: 7\n"
        fetcher = Fetcher([site.url()[7:-1]])
        asking = Polite(fetcher, lambda host: True, sleep)
        await asking.get(site.url("/a"))
        await asking.get(site.url("/b"))
        await fetcher.close()
        assert slept[0] == 0 and slept[1] >= polite.GAP - 0.1 and slept[2] > 6.5
        assert site.asked[1][1]["User-Agent"].startswith("qunban/")


@pytest.mark.asyncio
async def test_an_unknown_host_is_never_asked() -> None:
    async with sites(2) as (site, other):
        table = [replace(source(site), hosts=())]
        async with house(site, table, [site, other]) as home:
            away = other.url("/1.html").replace("127.0.0.1", "localhost")
            site.pages["/list"] = listing((away, "外站的新闻标题"))
            await take(home)
            assert other.asked == [] and await home.sql("select state from item") == [("held",)]


@pytest.mark.asyncio
async def test_a_handed_in_text_or_link_becomes_an_item_once() -> None:
    async with sites() as (site,), house(site) as home:
        site.pages["/1.html"] = article("城乡居民医保缴费提醒", "城乡居民医保缴费")
        text = "关于防范冒充客服诈骗的提醒\n近期，冒充快递客服的诈骗多发，骗子以理赔为名要求共享屏幕。请广大干部职工提高警惕，不点陌生链接，不向陌生账户转账，遇到可疑情况立即拨打110核实。"

        def hand_in(tx: Tx) -> None:
            for url, words in (
                (site.url("/1.html"), "看看这个"),
                ("", text),
                ("", text),
                ("http://evil.example/x", ""),
            ):
                sources.submit(tx, "limin", "g", url, "", words)

        await home.store.write(hand_in)
        assert await home.intake.take_submissions() == 4
        assert await home.titles() == ["城乡居民医保缴费提醒", "关于防范冒充客服诈骗的提醒"]
        rows = await home.sql("select state, why, item from submission order by n")
        assert [row[0] for row in rows] == ["taken", "taken", "taken", "unreadable"]
        assert rows[1][2] == rows[2][2] == 2 and "请把原文贴出来" in rows[3][1]
        assert await home.sql("select distinct submitted_by from item") == [("limin",)]


def test_a_known_source_is_due_only_when_it_is_on() -> None:
    state = sources.SourceState("x")
    asked = Source("x", "x", "feed", "http://a.cn/", on=True)
    assert is_due(asked, state, 1.0)
    assert not is_due(asked, replace(state, wanted=0), 1.0)
    assert is_due(replace(asked, on=False), replace(state, wanted=1), 1.0)
    assert not is_due(asked, replace(state, manual=1), 1.0)
    assert not is_due(replace(asked, kind="manual"), state, 1.0)
