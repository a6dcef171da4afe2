"""Who lets an edition pass: three distinct persons on one content, two in a small office, nobody by accident."""

from __future__ import annotations

import pytest

from tests.edition_house import DAY, house

pytestmark = pytest.mark.asyncio


async def test_an_edition_is_composed_passed_by_three_and_sent_at_its_minute() -> None:
    async with house() as office:
        await office.until("2026-11-24", "15:31")
        asked = office.said("qinyue")
        assert len(asked) == 1 and "11月25日（周三）摘要：草稿" in asked[0] and "摘要 送审" in asked[0]
        assert "1. " in asked[0] and "https://www.example.gov.cn/" in asked[0]
        assert await office.say("qinyue", f"摘要 送审 {await office.code()}") == ""
        assert "范文" in office.said("qinyue")[0]
        assert await office.say("fanwen", f"摘要 通过 {await office.code()}") == ""
        assert await office.say("gaoyuan", f"摘要 签发 {await office.code()}") == ""
        assert (await office.edition()).state == "approved"
        assert not office.ever("news")
        await office.until(DAY, "08:46")
        assert not office.ever("news")
        await office.until(DAY, "08:48")
        assert (await office.edition()).state == "sent"
        for group in ("news", "study"):
            (text,) = office.ever(group)
            assert text.startswith("云溪县每日摘要 · 11月25日 星期三") and "种粮补贴" in text
        await office.until(DAY, "18:00")
        assert len(office.ever("news")) == len(office.ever("study")) == 1
