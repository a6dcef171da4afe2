"""A page's title, wherever its builder put it: never the site's name, a column's or the way there."""

from __future__ import annotations

import pytest

from digests.pages import read_page

T = "关于做好冬季供暖保障工作的通知"
TEXT = "<p>为做好冬季供暖保障，各单位要提前检修管网，公布报修电话，及时处理群众诉求，确保群众温暖过冬。</p>" * 4
HEADS = {
    "site h1": f"<title>云溪县人民政府</title><h1>云溪县人民政府</h1><div class='title'>{T}</div>",
    "site h1 + span": f"<title>云溪县人民政府</title><h1>云溪县人民政府门户网站</h1><p align=center><b>{T}</b></p>",
    "dash dash": f"<title>{T}-通知公告-云溪县人民政府</title>",
    "dash space": f"<title>{T} - 通知公告 - 云溪县人民政府网</title>",
    "under": f"<title>{T}_云溪县人民政府门户网站</title>",
    "lead site": f"<title>云溪县人民政府 - {T}</title>",
    "lead site2": f"<title>云溪县住建局网站-{T}</title>",
    "pipes": f"<title>{T}|通知公告|云溪融媒</title>",
    "og": f"<meta property='og:title' content='{T}-云溪发布'><title>x</title>",
    "og2": f"<meta property='og:title' content='{T}'><title></title>",
    "h1 logo": f"<title>{T}</title><h1><a>云溪县住房和城乡建设局</a></h1><h2>{T}</h2>",
    "split br": "<title>云溪县住建局</title><h1>关于做好冬季供暖<br>保障工作的通知</h1>",
    "sub": f"<title>{T}</title><h1>{T}</h1><h2>——县住建局答记者问</h2>",
    "crumb": f"<title>云溪县政府网</title><h2>首页 &gt; 政务公开 &gt; 通知公告</h2><div id='title'>{T}</div>",
    "crumb2": f"<title>云溪县政府网</title><h2>当前位置：首页 &gt; 通知公告 &gt; 正文</h2><h3>{T}</h3>",
    "detail": f"<title>详情页</title><div class='detail_title'>{T}</div>",
    "arcttl": f"<title>信息详情</title><div class='artTitle'>{T}</div>",
    "font": f"<title>无标题文档</title><font size=5 color=red>{T}</font>",
    "trunc": f"<title>{T[:10]}...</title><h1>{T}</h1>",
    "trunc2": f"<title>{T[:10]}…-云溪网</title><div class='bt'>{T}</div>",
    "wx": f"<title></title><meta property='og:title' content='{T}'><h1 id='activity-name'> {T} </h1>",
    "hidden": f"<title>{T}</title><h1 style='display:none'>云溪县</h1>",
    "table label": f"<title>政府信息公开</title><table><tr><td>信息名称：</td><td>{T}</td></tr></table>",
    "city net": f"<title>{T} _新闻中心_ 云溪新闻网</title>",
    "dot": f"<title>{T}·云溪县融媒体中心</title>",
    "colon": f"<title>通知公告：{T}</title><h1>{T}</h1>",
    "spaces": f"<title>{T}    云溪县农业农村局</title>",
}


@pytest.mark.parametrize("way", HEADS)
def test_the_title_is_the_articles(way: str) -> None:
    head, _, shown = HEADS[way].rpartition("</title>")
    page = f"<html><head><meta charset=utf-8>{head}</title></head><body>{shown}<div>{TEXT}</div></body></html>"
    assert "".join((read_page(page.encode()).title or "").split()) == T
