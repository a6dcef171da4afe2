"""Pasting for the digest: read at once, screened whole, never stored with a mark of secrecy or a personal number."""

from __future__ import annotations

from pathlib import Path

import pytest

from store import digest, sources
from tests.console_house import open_house

LONG = "县农业农村局关于开展种粮补贴申报的通知\n" + "各乡镇要在12月1日前完成申报登记，逾期不予受理。" * 200


@pytest.mark.asyncio
async def test_a_pasted_text_of_any_length_becomes_an_item_and_secrets_leave_nothing(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        engine = house.parts.engine
        good = {"text": LONG + "\n联系电话13812345678", "permit": "permit-0001"}
        answer = await house.post("qinyue", "/digest/paste", good)
        assert answer.status == 303 and "told=taken" in answer.headers["Location"]
        title, body = await engine.store.read(lambda c: digest.read(c, 1))
        assert title == "县农业农村局关于开展种粮补贴申报的通知" and len(body) > 4000
        secret = {"text": LONG * 1 + "\n机密★10年\n内部情况", "permit": "permit-0002"}
        answer = await house.post("qinyue", "/digest/paste", secret)
        assert "told=secret" in answer.headers["Location"]
        await engine.settle()
        dump = body + await engine.store.read(lambda c: "\n".join(c.iterdump()))
        assert "内部情况" not in dump and "13812345678" not in dump
        assert len(await engine.store.read(lambda c: sources.submissions(c))) == 1
        assert (await house.post("qinyue", "/digest/paste", {"text": "", "permit": "permit-0003"})).status == 422
        assert (await house.post("limin", "/digest/paste", good)).status == 403
