"""Who may do what in the console: every route against every role, and nothing of another unit's."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web

from config.county import ROLES
from store import photos
from tests.console_house import PEOPLE, House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANYONE = "anyone"  # even the signed-out
SIGNED = frozenset(PEOPLE)
ADMINS = frozenset({"admin", "security_admin"})
CARRIERS = frozenset({"admin", "dispatcher"})
DISPATCHING = frozenset({"dispatcher", "arbiter"})
LEARNING = DISPATCHING | {"leader"}
DIGEST = frozenset({"editor", "reviewer", "publisher", "admin"})
KEEPERS = frozenset({"editor", "admin"})
# The golden table (security.md A.3): route -> roles let in. A route that is not here fails the test.
POLICY: dict[tuple[str, str], frozenset[str] | str] = {
    ("GET", "/healthz"): ANYONE,
    ("GET", "/metrics"): ANYONE,
    ("GET", "/static"): ANYONE,
    ("GET", "/login"): ANYONE,
    ("POST", "/login"): ANYONE,
    ("GET", "/first"): ANYONE,
    ("POST", "/login/code"): ANYONE,
    ("GET", "/account/totp"): SIGNED,
    ("POST", "/account/totp"): SIGNED,
    ("POST", "/first"): ANYONE,
    ("POST", "/logout"): SIGNED,
    ("GET", "/account"): SIGNED,
    ("GET", "/account/data"): SIGNED,
    ("POST", "/account/data"): SIGNED,
    ("GET", "/account/data.zip"): SIGNED,
    ("POST", "/account/logout"): SIGNED,
    ("POST", "/account/password"): SIGNED,
    ("POST", "/account/session"): SIGNED,
    ("GET", "/"): SIGNED,
    ("GET", "/g/{room}"): SIGNED,
    ("POST", "/in/web/messages"): SIGNED,
    ("POST", "/in/web/photos"): SIGNED,
    ("POST", "/in/web/recall"): SIGNED,
    ("POST", "/in/web/read"): SIGNED,
    ("GET", "/in/web/lines/{room}"): SIGNED,
    ("GET", "/in/web/line/{room}/{pos}"): SIGNED,
    ("GET", "/in/web/events"): SIGNED,
    ("GET", "/photo/{sha}"): SIGNED,
    ("GET", "/today"): SIGNED,
    ("GET", "/tasks"): SIGNED,
    ("GET", "/tasks/{number}"): frozenset(
        {"reporter", "handler", "deputy", "unit_leader", "dispatcher", "verifier", "arbiter", "leader"}
    ),
    ("POST", "/tasks/{number}/steps"): frozenset(
        {"reporter", "handler", "deputy", "unit_leader", "dispatcher", "verifier", "arbiter", "leader"}
    ),
    ("POST", "/tasks/views"): SIGNED,
    ("POST", "/tasks/views/{n}"): SIGNED,
    ("GET", "/statistics"): frozenset({"dispatcher", "verifier", "arbiter", "leader"}),
    ("GET", "/county"): ADMINS,
    ("GET", "/county/file.xlsx"): ADMINS,
    ("POST", "/county"): ADMINS,
    ("POST", "/county/confirm"): ADMINS,
    ("POST", "/county/discard"): ADMINS,
    ("GET", "/county/calendar"): ADMINS,
    ("POST", "/county/calendar"): frozenset({"admin"}),
    ("POST", "/county/calendar/remove"): frozenset({"admin"}),
    ("POST", "/county/calendar/undo"): frozenset({"admin"}),
    ("GET", "/county/places"): ADMINS,
    ("POST", "/county/places"): frozenset({"admin"}),
    ("POST", "/county/places/undo"): frozenset({"admin"}),
    ("GET", "/county/groups"): ADMINS,
    ("POST", "/county/groups"): frozenset({"admin"}),
    ("POST", "/county/groups/undo"): frozenset({"admin"}),
    ("GET", "/county/texts"): ADMINS,
    ("POST", "/county/texts"): frozenset({"admin"}),
    ("POST", "/county/texts/undo"): frozenset({"admin"}),
    ("GET", "/help"): SIGNED,
    ("GET", "/help/card"): SIGNED,
    ("GET", "/help/check"): ADMINS,
    ("GET", "/exports"): frozenset({"dispatcher", "verifier", "arbiter", "leader", "security_admin"}),
    ("POST", "/exports"): frozenset({"dispatcher", "verifier", "arbiter", "leader"}),
    ("POST", "/exports/{n}"): frozenset({"leader", "security_admin"}),
    ("GET", "/exports/ledger.xlsx"): SIGNED,
    ("GET", "/exports/bulletin.docx"): frozenset({"dispatcher", "verifier", "arbiter", "leader"}),
    ("GET", "/exports/case/{number}.zip"): frozenset(
        {"reporter", "handler", "deputy", "unit_leader", "dispatcher", "verifier", "arbiter", "leader"}
    ),
    ("GET", "/rehearsal"): frozenset({"dispatcher", "verifier", "arbiter", "leader", "admin"}),
    ("POST", "/rehearsal"): frozenset({"dispatcher", "verifier", "arbiter", "leader", "admin"}),
    ("GET", "/learning"): LEARNING,
    ("GET", "/learning/{lesson}"): LEARNING,
    ("GET", "/learning/export"): DISPATCHING,
    ("POST", "/learning/steps"): DISPATCHING,
    ("POST", "/learning/preview"): frozenset({"dispatcher"}),
    ("POST", "/learning/import"): frozenset({"dispatcher"}),
    ("GET", "/twins"): frozenset({"dispatcher"}),
    ("POST", "/tasks/{number}/apart"): frozenset({"dispatcher"}),
    ("GET", "/duties"): LEARNING,
    ("POST", "/duties"): DISPATCHING,
    ("GET", "/delivery"): CARRIERS,
    ("POST", "/delivery/{seq}/resend"): CARRIERS,
    ("POST", "/delivery/parked/{seq}/retry"): CARRIERS,
    ("POST", "/digest/paste"): DIGEST,
    ("GET", "/digest"): DIGEST,
    ("POST", "/digest/edit"): DIGEST - {"admin"},
    ("POST", "/digest/steps"): DIGEST - {"admin"},
    ("GET", "/digest/preview"): DIGEST,
    ("GET", "/digest/picture"): DIGEST,
    ("POST", "/digest/form"): KEEPERS,
    ("GET", "/digest/history"): DIGEST,
    ("POST", "/digest/corrections"): DIGEST - {"admin"},
    ("GET", "/digest/cards"): DIGEST,
    ("GET", "/digest/cards/new"): KEEPERS,
    ("GET", "/digest/cards/{item}"): KEEPERS,
    ("POST", "/digest/cards/write"): KEEPERS,
    ("POST", "/digest/cards/plan"): KEEPERS,
    ("POST", "/digest/cards/retire"): KEEPERS,
    ("POST", "/digest/cards/samples"): KEEPERS,
    ("GET", "/digest/leaders"): DIGEST,
    ("POST", "/digest/leaders"): KEEPERS,
    ("GET", "/digest/sources"): DIGEST,
    ("POST", "/digest/sources/try"): KEEPERS,
    ("POST", "/digest/sources/turn"): KEEPERS,
    ("GET", "/digest/archive"): DIGEST,
    ("GET", "/digest/items/{item}"): DIGEST,
    ("POST", "/digest/items/{item}/release"): frozenset({"editor"}),
    ("GET", "/digest/choices"): DIGEST,
    ("POST", "/digest/choices/revoke"): frozenset({"editor"}),
    ("GET", "/people"): ADMINS,
    ("POST", "/people/admit"): frozenset({"admin"}),
    ("POST", "/people/decline"): frozenset({"admin"}),
    ("POST", "/people/code"): ADMINS,
    ("POST", "/people/{person}/roles"): frozenset({"security_admin"}),
    ("POST", "/people/{person}/logout"): ADMINS,
    ("GET", "/opinions"): frozenset({"admin"}),
    ("POST", "/opinions/{opinion}/reply"): frozenset({"admin"}),
    ("GET", "/audit"): frozenset({"auditor"}),
    ("GET", "/audit/file.csv"): frozenset({"auditor"}),
    ("GET", "/audit/file.xlsx"): frozenset({"auditor"}),
}
# the tax bureau's pages: by unit and roster, not by role; who gets in is held by test_console_faq.py
TAX = (
    "",
    "/new",
    "/entries/{entry}",
    "/entries/{entry}/edit",
    "/drafts",
    "/push",
    "/unanswered",
    "/hot",
    "/roster",
    "/repealed",
)
TAX_POSTS = ("/new", "/entries/{entry}/edit", "/entries/{entry}/withdraw", "/drafts", "/push", "/roster", "/repealed")
POLICY |= {("GET", f"/faq{path}"): frozenset[str]() for path in TAX}
POLICY |= {("POST", f"/faq{path}"): frozenset[str]() for path in TAX_POSTS}
DEMO = "/demo/"  # refused outside a demo to everybody


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("rights")) as found:
        yield found


def routes(app: web.Application) -> set[tuple[str, str]]:
    found = set()
    for route in app.router.routes():
        if route.method != "HEAD" and route.resource is not None:
            found.add((route.method, route.resource.canonical))
    return found


async def test_every_route_has_a_policy(house: House) -> None:
    app = house.client.app
    assert app is not None
    found = {route for route in routes(app) if not route[1].startswith(DEMO)}
    assert found == set(POLICY), "a route without a policy, or a policy without a route"
    assert set(PEOPLE) == set(ROLES)


async def test_every_route_lets_in_exactly_the_roles_of_the_table(house: House) -> None:
    number = await house.task(unit="cgj", reporter="limin")
    fill = {
        "room": "suishoupai",
        "pos": "1",
        "sha": "0" * 64,
        "number": number,
        "seq": "1",
        "person": "wangfang",
        "opinion": "Y1",
        "lesson": "1",
        "entry": "1",
        "item": "1",
        "n": "1",
    }
    held = {person.id: frozenset(person.roles) for person in house.parts.engine.office.county.people}
    wrong = []
    for (method, pattern), allowed in POLICY.items():
        if pattern in ("/static", "/in/web/events") or allowed == ANYONE:
            continue
        path = re.sub(r"{(\w+)[^}]*}", lambda found: fill[found[1]], pattern)
        for role, person in PEOPLE.items():
            form = {"kind": "group", "subject": "suishoupai"} if pattern == "/people/code" and role == "admin" else {}
            form = form or {"kind": "login", "subject": "limin"}  # who has a password: a reset
            answer = await (house.get(person, path) if method == "GET" else house.post(person, path, form))
            let_in = answer.status != 403
            counts = {role} if "{number}" in pattern and role == "reviewer" else held[person]  # of another unit
            if let_in != bool(counts & frozenset(allowed)):
                wrong.append((method, pattern, role, answer.status))
            if pattern in ("/logout", "/account/logout"):
                house.tokens.pop(person)
    assert wrong == []


async def test_nobody_gets_anything_without_signing_in(house: House) -> None:
    for (method, pattern), allowed in POLICY.items():
        if allowed == ANYONE:
            continue
        path = re.sub(r"{(\w+)[^}]*}", "1", pattern)
        answer = await house.ask(method, "", path)
        assert answer.status in (303, 401, 404), (method, pattern, answer.status)
        assert answer.status != 303 or answer.headers["Location"].startswith("/login")


async def test_the_demo_has_no_door_outside_a_demo(house: House) -> None:
    app = house.client.app
    assert app is not None
    for method, pattern in routes(app):
        if pattern.startswith(DEMO):
            answer = await house.ask(
                method, "hetao", re.sub(r"{(\w+)[^}]*}", "1", pattern), data={} if method == "POST" else None
            )
            assert answer.status in (403, 404), (pattern, answer.status)


async def test_no_task_and_no_photo_of_another_unit(house: House) -> None:
    numbers = [
        await house.task(unit="zjj", reporter="haojun", group_id="xihequn", text=f"别的单位{n}") for n in range(8)
    ]
    for n, number in enumerate(numbers):
        await house.photo(number, f"{n:064x}"[:-2] + "aa")
    for person in ("wanglei", "limin"):  # cgj's deputy, a reporter of another unit; neither is in 西河镇's group
        board = await (await house.get(person, "/tasks?unit=zjj")).text()
        assert "别的单位" not in board
        for n, number in enumerate(numbers):
            assert (await house.get(person, f"/tasks/{number}")).status == 403
            assert (await house.post(person, f"/tasks/{number}/steps", {"event": "accept"})).status == 403
            assert (await house.get(person, f"/photo/{n:064x}"[:-2] + "aa")).status == 404
    assert (await house.get("chenbo", f"/tasks/{numbers[0]}")).status == 200  # zjj's own handler
    assert (await house.get("haojun", f"/photo/{0:064x}"[:-2] + "aa")).status == 200  # who reported it
    denied = [row for row in await house.audited() if row[0] == "wanglei" and row[2] == "not_allowed"]
    assert len(denied) >= 16, "refusals are in the audit"


async def test_a_photo_in_a_room_is_for_those_in_the_room(house: House) -> None:
    sha = "b" * 64
    number = await house.task(unit="zjj", reporter="haojun", group_id="xihequn")
    await house.photo(number, sha)
    assert (await house.get("kongli", f"/photo/{sha}")).status == 200  # a member of 西河镇's group
    assert (await house.get("hetao", f"/photo/{sha}")).status == 200  # the administrator is one, too
    assert (await house.get("fangxin", f"/photo/{sha}")).status == 404
    own = "c" * 64
    await house.photo(await house.task(unit="zjj", group_id="xihequn", reporter="haojun"), own)
    await house.parts.engine.store.write(lambda tx: photos.show_in(tx, own, "@fangxin"))
    assert (await house.get("fangxin", f"/photo/{own}")).status == 200  # what one uploaded oneself


async def test_the_administrator_reads_no_task_and_the_auditor_only_the_audit(house: House) -> None:
    number = await house.task(text="只给办事的人看的话")
    for person in ("hetao", "xuyan", "tangwei", "linhong"):
        assert (await house.get(person, f"/tasks/{number}")).status == 403
        for page in ("/tasks", "/today"):
            assert "只给办事的人看的话" not in await (await house.get(person, page)).text()
    assert (await house.get("tangwei", "/audit")).status == 200


async def test_roles_are_given_by_the_security_administrator_and_never_to_oneself(house: House) -> None:
    grant = {"role": "handler"}
    assert (await house.post("hetao", "/people/wangfang/roles", grant)).status == 403
    assert (await house.post("xuyan", "/people/xuyan/roles", {"role": "admin"})).status == 403
    await house.enter("wangfang")
    assert (await house.post("xuyan", "/people/wangfang/roles", grant)).status == 303
    assert house.parts.engine.office.people["wangfang"].roles == ("handler",)
    assert (await house.get("wangfang", "/today")).status == 303, "a change of rights ends the sessions"
