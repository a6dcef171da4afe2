"""What hostile servers and forwarders try: nothing inside is reached, nothing is run or rendered, and the source says why."""

from __future__ import annotations

import gzip
import resource

import pytest
from aiohttp import web

from digests.arrivals import clean_title
from store import Tx, digest, sources
from tests.digest_house import ARTICLE, article, bomb, house, listing, sites, source

ENTITIES = (
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY a "{fill}">'
    '<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><rss version="2.0"><channel><item><title>标题 &x; &b;</title>'
    "<link>{url}</link></item></channel></rss>"
)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "trick",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f000001:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://[64:ff9b::7f00:1]:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://user:pw@127.0.0.1:{port}/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/",
    ],
)
async def test_a_handed_in_link_reaches_nothing_inside(trick: str) -> None:
    """Not even when somebody put the very host into the source table: an address inside must be named as inside."""
    async with sites() as (canary,):
        address = trick.format(port=canary.server.port if canary.server else 0)
        hosts = ("127.0.0.1", "localhost", "2130706433", "0x7f000001", "::1", "::ffff:127.0.0.1", "169.254.169.254")
        table = [source(canary, hosts=(*hosts, "64:ff9b::7f00:1"))]
        async with house(canary, table, inside=[]) as home:
            await home.store.write(lambda tx: sources.submit(tx, "limin", "", address, "", "看看"))
            await home.intake.take_submissions()
            ((state, why),) = await home.sql("select state, why from submission")
            assert state == "unreadable" and why
            assert canary.asked == [] and await home.sql("select 1 from item") == []


@pytest.mark.asyncio
async def test_a_redirect_to_a_host_inside_is_refused_at_the_socket_or_by_the_list() -> None:
    async with sites(2) as (site, canary):
        for target in (
            canary.url("/x").replace("127.0.0.1", "localhost"),
            "http://169.254.169.254/x",
            "file:///etc/passwd",
        ):
            site.pages["/list"] = web.Response(status=302, headers={"Location": target})
            async with house(site) as home:
                await home.intake.run_due()
                error = await home.error()
                assert any(word in error for word in ("不在允许", "不允许访问", "写法不对"))
        assert canary.asked == []


@pytest.mark.asyncio
async def test_a_redirect_that_never_ends_is_left() -> None:
    async with sites() as (site,), house(site) as home:
        site.pages["/list"] = web.Response(status=302, headers={"Location": "/list"})
        await home.intake.run_due()
        assert "跳转太多" in await home.error() and len(site.paths) == 4


@pytest.mark.asyncio
async def test_a_packed_bomb_is_left_at_the_limit() -> None:
    packed = bomb(100 << 20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with sites() as (site,), house(site) as home:
        site.pages |= {
            "/list": listing(("/1.html", "通知一"), ("/2.html", "通知二")),
            "/1.html": web.Response(body=packed, headers={"Content-Encoding": "gzip"}, content_type="text/html"),
            "/2.html": web.Response(
                body=gzip.compress(article("通知二")), headers={"Content-Encoding": "gzip"}, content_type="text/html"
            ),
        }
        await home.intake.run_due()
        assert "内容太大" in await home.error() and await home.titles() == ["通知二"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30 << 10  # security.md T6, KiB


@pytest.mark.asyncio
async def test_a_body_without_end_and_a_length_that_lies_are_left() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(400):
            await answer.write(bytes(64 << 10))
        return answer

    async with sites() as (site,), house(site) as home:
        site.pages |= {"/list": listing(("/1.html", "通知一")), "/1.html": endless}
        await home.intake.run_due()
        assert "1篇没读到" in await home.error() and "内容太大" in await home.error()


@pytest.mark.asyncio
async def test_entities_of_a_feed_are_neither_resolved_nor_blown_up() -> None:
    async with sites() as (site,), house(site, [source(site, "feed")]) as home:
        feed = ENTITIES.format(fill="啊" * 50_000, url=site.url("/1.html"))
        site.pages |= {"/list": feed.encode(), "/1.html": article("正常的标题在网页里")}
        await home.intake.run_due()
        ((title,),) = [[one] for one in await home.titles()]
        assert "root:" not in title and len(title) <= 200


@pytest.mark.asyncio
async def test_what_a_title_or_text_carries_is_plain_words() -> None:
    evil = "<script>alert(1)</script>[CQ:at,qq=all] @所有人 <@all> [点我](http://evil.example) \u202e反\x07"
    async with sites() as (site,), house(site) as home:
        text = (
            "<p>正文正文<script>fetch('http://evil.example')</script>，请各单位认真落实，按时报送材料。</p><iframe src='http://evil.example'></iframe>"
            * 3
        )
        page = ARTICLE.format(title="关于通知", text=text).replace("<h1>关于通知</h1>", "").replace("关于通知", "")
        site.pages |= {"/list": listing(("/1.html", evil.replace("<", "&lt;"))), "/1.html": page.encode()}
        await home.intake.run_due()
        (title,) = await home.titles()
        _, body = await home.store.read(lambda c: digest.read(c, 1))
        for trick in ("<script", "[CQ:", "<@", "](", "@所有人", "\u202e", "\x07"):
            assert trick not in title and trick not in body
        assert "evil.example" not in body
        assert all("evil" not in path for path, _ in site.asked)


@pytest.mark.asyncio
async def test_a_title_of_a_megabyte_is_cut_and_a_page_of_deep_nesting_is_read() -> None:
    async with sites() as (site,), house(site) as home:
        site.pages |= {
            "/list": listing(("/1.html", "长" * 500_000), ("/2.html", "深层嵌套的网页")),
            "/1.html": article("长" * 500_000),
            "/2.html": b"<html><body>"
            + b"<div>" * 20_000
            + "正文在最里面，请各单位按时报送。".encode()
            + b"</div>" * 20_000,
        }
        await home.intake.run_due()
        assert all(len(title) <= 200 for title in await home.titles()) and len(await home.titles()) >= 1


@pytest.mark.asyncio
async def test_a_page_that_kills_its_reader_is_only_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child is ended by force in the middle of a page; the next page gets a new one."""
    async with sites() as (site,), house(site) as home:
        site.pages |= {"/list": listing(("/1.html", "通知一"), ("/2.html", "通知二"))}

        async def deadly(request: web.Request) -> web.Response:
            child = home.intake.room._child.process
            assert child is not None
            child.kill()
            return web.Response(body=article("通知一"), content_type="text/html")

        site.pages |= {"/1.html": article("通知一"), "/2.html": deadly}
        await home.intake.run_due()
        assert len(await home.titles()) >= 1
        assert await home.intake.room.ask({"op": "terms"}, "小微企业".encode()) == {"terms": [["小微", "企业"]]}


def test_titles_keep_their_words() -> None:
    assert clean_title("  <b>关于</b>\n2026年“三夏”工作（试行）的通知 ") == "关于 2026年“三夏”工作（试行）的通知"


@pytest.mark.asyncio
async def test_words_that_break_a_query_are_words(tmp_path: object) -> None:
    from store import archive

    def ask(tx: Tx) -> list[list[int]]:
        tricks = ['"', "AND OR NOT", "title:x", "*", "a\x00b", "NEAR(", "'; drop table item; --", ""]
        return [archive.search(tx, [[trick]]) for trick in tricks]

    async with sites() as (site,), house(site) as home:
        assert await home.store.write(ask) == [[]] * 8
