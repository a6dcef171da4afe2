"""/metrics: numbers for a monitoring system on this machine or with the token, for nobody else, and never a name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.console_house import open_house

pytestmark = pytest.mark.asyncio

LINE = re.compile(r'[a-z_]+(?:\{state="[a-z_]+"\})? -?[0-9.e+]+')


async def test_numbers_in_prometheus_form_and_no_words(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.task("dispatched", text="人民路井盖坏了")
        answer = await house.client.get("/metrics")
        text = await answer.text()
    assert answer.status == 200 and text.isascii()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(LINE.fullmatch(line) for line in lines), lines
    assert 'qunban_tasks_open{state="dispatched"} 1' in lines and "qunban_ready 1" in lines


async def test_who_comes_through_a_proxy_needs_the_token(tmp_path: Path) -> None:
    async with open_house(tmp_path, metrics_token="a-token-of-20-signs-x") as house:
        through = {"X-Forwarded-For": "10.0.0.9"}
        assert (await house.client.get("/metrics", headers=through)).status == 404
        for sent in ("Bearer wrong", "Bearer ", "a-token-of-20-signs-x"):
            assert (await house.client.get("/metrics", headers={**through, "Authorization": sent})).status == 404
        right = {**through, "Authorization": "Bearer a-token-of-20-signs-x"}
        assert (await house.client.get("/metrics", headers=right)).status == 200


async def test_one_browser_is_signed_out_and_nobody_elses(tmp_path: Path) -> None:
    from store import sessions

    async with open_house(tmp_path) as house:
        own, other = await house.enter("limin"), await house.enter("wangfang")
        await house.parts.engine.store.write(lambda tx: sessions.begin(tx, "lost", "limin", 1_800_000_000, "10.1.2.3"))
        page = await (await house.get("limin", "/account")).text()
        assert "10.1.2.3" in page and sessions.seal(other) not in page
        for token in (other, "lost"):
            assert (await house.post("limin", "/account/session", {"session": sessions.seal(token)})).status == 303
        left = await house.parts.engine.store.read(
            lambda c: [sessions.find(c, token) is not None for token in (own, other, "lost")]
        )
        assert left == [True, True, False]
