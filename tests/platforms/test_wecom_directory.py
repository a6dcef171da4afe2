"""WeCom's directory is proposed, not put in: who is known stays, who is new can be looked through and imported."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bot.check import examine
from bot.cli import COMMANDS
from bot.commands.county import county
from bot.commands.simulate import snippet
from bot.county_import import current, put_in
from bot.platforms.wecom_directory import Directory, Member, proposed
from bot.simulators.wecom_app import WecomAppSimulator
from config.files import read_county
from tests.serving import tiny_county


def test_who_is_known_stays_and_who_is_new_is_added_once(tmp_path: Path) -> None:
    held = read_county(tiny_county(tmp_path / "tiny"))
    directory = Directory(
        {1: "云溪县", 2: "城管执法局", 3: "水务局"},
        [
            Member("zq", "张强", 2),
            Member("zq2", "张强", 2),
            Member("hw", "何伟", 3, leads=True),
            Member("lm", "李敏", 1),
        ],
    )
    found = proposed(held, "app", directory)
    assert found == proposed(found, "app", directory), "a second sync adds nothing"
    people = {person.id: person for person in found.people}
    assert people["zhang"].accounts == ("web:zhang", "app:zq") and people["zhang"].roles == ("handler",)
    assert people["zq2"].roles == ("reporter",) and people["hw"].roles == ("unit_leader",)
    assert people["hw"].unit == "wx3" and next(u for u in found.units if u.id == "wx3").name == "水务局"
    assert people["li"].accounts == ("web:li",), "another unit: perhaps another person"


async def _beside(simulator: WecomAppSimulator, work: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await work
    finally:
        await simulator.close()


@pytest.mark.asyncio
async def test_the_commands_read_write_files_and_change_nothing(tmp_path: Path) -> None:
    data, target = tmp_path / "data", tmp_path / "proposal"
    await put_in(data, read_county(tiny_county(tmp_path / "tiny")))
    simulator = WecomAppSimulator()
    await simulator.start()
    simulator.users = {"zq": "张强", "li": "李敏"}
    (data / "settings.toml").write_text(snippet("app", simulator.channel("http://127.0.0.1:1")), "utf-8")
    before = current(data)

    async def run() -> None:
        def call(*words: str) -> str:
            done = CliRunner().invoke(county, [*words, "--data", str(data)])
            assert done.exit_code == 0, f"{done.output} {done.exception!r}"
            return done.output

        assert "没有改动现有资料" in await asyncio.to_thread(call, "sync", "app", str(target))
        assert current(data) == before
        await put_in(data, read_county(target))
        told = await asyncio.to_thread(call, "chat", "app", "ssp")
        assert "app:chat/" in told and list(simulator.rooms.values()) == ["随手拍工作群"]
        found = await asyncio.to_thread(lambda: [f.text for f in examine(data) if "渠道 app" in f.text])
        assert found == ["渠道 app（企业微信自建应用）:corpid 和 Secret 有效，企业微信从 1 个地址回调"]
        simulator.secret = "another"
        found = await asyncio.to_thread(lambda: [f.text for f in examine(data) if "渠道 app" in f.text])
        assert found == ["渠道 app（企业微信自建应用）:企业微信不认这个 Secret，请核对"]

    await _beside(simulator, run())
    assert "county" in COMMANDS
