"""The demo's powers end where the demo ends: another county, or a request that came through a proxy (design 6b)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console_house import House, open_house

pytestmark = pytest.mark.asyncio
REFUSED = (401, 403)


def powers(house: House) -> list[tuple[str, str]]:
    """Every route of the demo, so that one added later is held to this too."""
    app = house.client.app
    assert app is not None
    routes = ((route.method, route.resource) for route in app.router.routes() if route.resource is not None)
    return [(m, r.canonical) for m, r in routes if r.canonical.startswith("/demo") and m != "HEAD"]


async def test_outside_a_demo_none_of_it_can_be_reached_by_anybody(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        found = powers(house)
        assert len(found) >= 7
        for person in ("limin", "hetao", "gaoyuan"):
            for method, path in found:
                form = {"person": "zhaojing", "seconds": "60", "sure": "清空"}
                answer = await (house.post(person, path, form) if method == "POST" else house.get(person, path))
                assert answer.status in REFUSED, (person, path)
        page = await (await house.get("limin", "/")).text()
        assert "demo-bar" not in page
        room = await (await house.get("limin", "/g/suishoupai")).text()
        assert "demo" not in room
        assert not house.parts.engine.business.moved


async def test_in_a_demo_a_proxied_request_has_none_of_it(tmp_path: Path) -> None:
    async with open_house(tmp_path, demo=True) as house:
        await house.enter("limin")
        assert "demo-bar" in await (await house.get("limin", "/g/suishoupai")).text()
        for header in ("Forwarded", "X-Forwarded-For", "X-Forwarded-Proto"):
            for method, path in powers(house):
                form = {"csrf": house.csrf("limin"), "person": "zhaojing", "sure": "清空", "seconds": "60"}
                data = form if method == "POST" else None
                answer = await house.ask(method, "limin", path, headers={header: "for=10.0.0.9"}, data=data)
                assert answer.status in REFUSED, (header, path)


async def test_becoming_somebody_moving_the_clock_and_starting_over_work_without_a_script(tmp_path: Path) -> None:
    async with open_house(tmp_path, demo=True) as house:
        before = house.parts.engine.store.now()
        moved = await house.post("limin", "/demo/forward", {"n": "2", "unit": "小时"})
        assert moved.status == 303
        assert house.parts.engine.store.now() >= before + 7200
        refused = await house.post("limin", "/demo/forward", {"n": "900", "unit": "天"})
        assert refused.status == 422
        room = {"Referer": f"{house.client.make_url('/g/xihequn')}"}
        answer = await house.post("limin", "/demo/persona", {"person": "zhaojing"}, headers=room)
        assert answer.headers["Location"] == "/g/xihequn"
        unsure = await house.post("limin", "/demo/reset", {})
        assert unsure.status == 422
        done = await house.post("limin", "/demo/reset", {"sure": "清空"})
        assert done.status == 303
        assert (await house.get("limin", "/g/suishoupai")).status in (303, 401), "the old session is over"
