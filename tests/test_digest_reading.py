"""Reading pages, feeds and lists: what is written is found, what is not stays None, nothing raises."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from digests.dates import find_date, parse_moment
from digests.encoding import decode
from digests.feeds import read_feed
from digests.lists import read_html_list, read_json_list
from digests.numbers import numbers_in, own_number
from digests.pages import read_page

DATA = Path(__file__).resolve().parents[2] / "shared/data/digest"
PAGE = """<html><head><meta charset="{0}"><title>关于做好冬季取暖工作的通知_云溪县人民政府</title></head><body>
<div class="nav"><a href="/">首页</a></div><h1>关于做好冬季取暖工作的通知</h1>
<div>来源：县住建局 发布时间：2026-11-20 09:00</div><table><tr><td>发文字号：</td><td>云政办发〔2026〕12号</td></tr></table>
<div id="zoom"><p>各乡镇人民政府，县直各部门：为做好冬季取暖工作，现将有关事项通知如下。</p>
<p>一、各供热单位应当在11月25日前完成设备检修，确保按时供热。</p><p>二、严禁使用不合格的取暖器具。</p>
<a href="/f/附件.pdf">附件</a></div></body></html>"""


@pytest.mark.parametrize("real", ["utf-8", "gb18030"])
@pytest.mark.parametrize("declared", ["utf-8", "gb2312", "gbk"])
def test_a_page_is_read_whatever_it_declares(real: str, declared: str) -> None:
    page = read_page(PAGE.format(declared).encode(real), "https://x.gov.cn/art/1.html")
    assert page.title == "关于做好冬季取暖工作的通知"
    assert (page.published_on, page.doc_number, page.source) == ("2026-11-20", "云政办发〔2026〕12号", "县住建局")
    assert "确保按时供热" in page.text and "首页" not in page.text
    assert page.validity is None and page.written_on is None and page.damaged == 0
    assert len(page.attachments) == 1


@pytest.mark.parametrize("data", [b"", b"\0\xff\xfe", b"<html>", b"<script>location=1</script>", b"<p>" * 5000])
def test_no_bytes_raise(data: bytes) -> None:
    assert read_page(data).title is None
    assert not read_feed(data).entries and read_feed(data).error
    assert read_json_list(data, "https://x/", {"title": "t", "url": "u"}).error
    assert read_html_list(data, "https://x/", {"item": "li"}).error


def test_a_zoneless_feed_date_is_shanghai_time() -> None:
    feed = "<rss><channel><item><title>通知</title><link>http://x/1</link><pubDate>{}</pubDate></item></channel></rss>"
    for written in ("2026-11-01 09:30:00", "Sun, 01 Nov 2026 01:30:00 GMT", "2026-11-01T09:30:00+08:00"):
        (entry,) = read_feed(feed.format(written).encode()).entries
        assert entry.published_at and entry.published_at.isoformat() == "2026-11-01T09:30:00+08:00"


def test_a_list_leads_only_to_web_addresses() -> None:
    html = '<ul><li><a href="/a/t20261120_1.html">一则通知</a></li><li><a href="javascript:x()">坏</a></li></ul>'
    (entry,) = read_html_list(html.encode(), "https://x.gov.cn/l/", {"item": "li"}).entries
    assert entry.url == "https://x.gov.cn/a/t20261120_1.html"
    assert entry.published_at and entry.published_at.date() == date(2026, 11, 20)


def test_dates_without_a_year_lie_in_the_past() -> None:
    assert find_date("12-30", date(2026, 1, 2)) == "2025-12-30"
    assert find_date("二〇二六年十一月二十日") == "2026-11-20"
    assert find_date("2026年13月1日") is None
    assert parse_moment("下周") is None


def test_cited_document_numbers_are_not_the_documents_own() -> None:
    assert numbers_in("应急厅〔 2020 〕3 1 号") == ("应急厅〔2020〕31号",)
    assert own_number("关于转发的通知", "根据财税﹝2018﹞54号规定") is None
    assert own_number("", "云政办发〔2026〕12号\n各乡镇") == "云政办发〔2026〕12号"


def test_every_recorded_feed_gives_items_or_an_error() -> None:
    if not DATA.is_dir():
        pytest.skip("evaluation data is not here")
    for path in (DATA / "feeds").rglob("*.xml"):
        found = read_feed(path.read_bytes())
        assert bool(found.entries) != bool(found.error), path.name


def test_every_recorded_encoding_is_read() -> None:
    if not DATA.is_dir():
        pytest.skip("evaluation data is not here")
    assert all(decode(path.read_bytes()).damaged == 0 for path in (DATA / "html_encodings").glob("*.html"))
