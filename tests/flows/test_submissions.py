"""#投稿: kept for the editors with its link and its words, from whoever is registered; nothing is opened as a report."""

from __future__ import annotations

import pytest

from store import sources
from tests.flows.chat import perform

pytestmark = pytest.mark.asyncio

LOG = """
    09:00 李敏@news: #投稿 https://www.example.gov.cn/art/2026/11/22/art_20261122-001.html 这个补贴政策值得看
        通知群: 收到投稿，编号T1…
    09:01 李敏: ＃投稿：西环路小广告整治经验，三个月清理两千处，做法是包片到人、每周回看，值得各乡镇借鉴。
        群: 收到投稿，编号T2…
    09:02 李敏: #投稿
        群: 请把链接或原文写在后面…
    09:03 李敏→: #投稿 https://mp.weixin.qq.com/s/abc
        李敏: 收到投稿，编号T3…
    09:04 李敏: #投稿 机密★10年 某文件全文
        李敏: …疑似涉密…
        林红: …疑似涉密…
"""


async def test_what_members_hand_in_waits_for_the_editors() -> None:
    played = await perform(LOG)
    try:
        kept = await played.engine.store.read(lambda c: list(reversed(sources.submissions(c))))
        assert [(one.person, one.group_id, one.url) for one in kept] == [
            ("limin", "news", "https://www.example.gov.cn/art/2026/11/22/art_20261122-001.html"),
            ("limin", "ssp", ""),
            ("limin", "", "https://mp.weixin.qq.com/s/abc"),
        ]
        assert kept[0].text == "这个补贴政策值得看" and kept[1].text.startswith("西环路小广告整治经验")
        assert all(one.state == "open" for one in kept)
        assert await played.engine.store.read(lambda c: c.execute("select count(*) from task").fetchone()) == (0,)
    finally:
        await played.close()
