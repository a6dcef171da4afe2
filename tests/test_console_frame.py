"""What surrounds every request: no foreign form, no script in anybody's words, no traceback, no oversize, no odd path."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser

import pytest
import pytest_asyncio
from aiohttp import FormData, web

from bot.console import session
from config.county import Person
from config.errors import Busy, Rejected
from store import people, tasks
from tests.console_house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAYLOADS = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>", "\"><script>alert(1)</script>",
    "'><img src=x onerror=alert(1)>", "</td></tr></table><script>x</script>", "</textarea><script>x</script>",
    "</title><script>x</script>", "<a href=javascript:alert(1)>x</a>", "<iframe src=//evil>", "<body onload=x>",
    "<math><mi//xlink:href=\"data:x,<script>alert(4)</script>\">", "{{7*7}}", "{% raw %}<b>x</b>{% endraw %}", "${7*7}",
    "<details open ontoggle=alert(1)>", "<form action=//evil><button>x", "<base href=//evil>", "<link rel=stylesheet href=//evil>",
    "<meta http-equiv=refresh content=0;url=//evil>", "\" autofocus onfocus=alert(1) x=\"", "' onmouseover='alert(1)",
    "<!--<img src=\"--><img src=x onerror=alert(1)//\">", "&lt;script&gt;alert(1)&lt;/script&gt;", "<ｓｃｒｉｐｔ>alert(1)</ｓｃｒｉｐｔ>",
    "\u202e<b>gnp.exe</b>", "<style>*{display:none}</style>", "<object data=//evil>", "`<b>`", "<x:script xmlns:x='//evil'>",
)  # fmt: skip


class Nodes(HTMLParser):
    """Counts elements and event handlers of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.handlers += [
            name for name, value in attrs if name.startswith("on") or (value or "").startswith("javascript:")
        ]


def nodes(html: str) -> Nodes:
    found = Nodes()
    found.feed(html)
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("frame")) as found:
        yield found


async def test_no_words_become_markup_on_any_page(house: House) -> None:
    """The same pages with harmless words and with payloads have the same elements."""
    engine = house.parts.engine
    pages = ("/tasks", "/tasks/{number}", "/today", "/people?q=", "/opinions", "/delivery", "/audit")

    async def look(words: str, name: str) -> list[tuple[str, list[str]]]:
        number = await house.task(text=words, place_text=words)
        task = await engine.store.read(lambda c: tasks.by_number(c, number))
        assert task is not None
        await engine.store.write(lambda tx: tasks.note(tx, task.id, 1, words))
        await engine.store.write(lambda tx: people.hold_stranger(tx, "web", name, name, "x"))
        await engine.apply(lambda tx: people.add(tx, Person(f"i{number}", words, "cgj", ("reporter",))))
        await engine.store.write(lambda tx: tx.execute("update unit set name = ? where id = 'wjj'", (words,)))
        await engine.store.write(lambda tx: people.add_opinion(tx, f"Y{number}", "limin", words))
        await engine.reload({"people"})
        shown = []
        for page in pages:
            person = {"/people?q=": "hetao", "/opinions": "hetao", "/delivery": "hetao", "/audit": "tangwei"}.get(
                page, "zhaojing"
            )
            answer = await house.get(person, page.replace("{number}", number))
            assert answer.status == 200
            shown.append((page, nodes(await answer.text())))
        await engine.apply(lambda tx: tx.execute("delete from person where id = ?", (f"i{number}",)))
        await engine.store.write(
            lambda tx: [tx.execute(f"delete from {t}") for t in ("task", "stranger", "opinion", "task_unit", "audit")]
        )
        assert all(not found.handlers for _, found in shown)
        return [(page, found.tags) for page, found in shown]

    plain = await look("普通的一句话", "普通人")
    for payload in PAYLOADS:
        assert await look(payload, payload) == plain, payload


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1.evil.example"]
)
async def test_a_form_from_elsewhere_does_nothing(house: House, origin: str) -> None:
    for path in ("/people/code", "/account/logout", "/login", "/first"):
        answer = await house.post("hetao", path, {"kind": "group", "subject": "suishoupai"}, headers={"Origin": origin})
        assert answer.status == 403
    assert (await house.get("hetao", "/people")).status == 200, "still signed in"


async def test_a_form_without_its_token_does_nothing(house: House) -> None:
    await house.enter("hetao")
    for token in ("", "0" * 64, house.csrf("hetao")[:-1]):
        answer = await house.post("hetao", "/people/code", {"csrf": token, "kind": "group", "subject": "suishoupai"})
        assert answer.status == 403
        assert "请刷新" in await answer.text()
    await house.enter("xuyan")
    other = {"csrf": house.csrf("xuyan"), "kind": "group", "subject": "suishoupai"}
    assert (await house.post("hetao", "/people/code", other)).status == 403


async def test_looking_changes_nothing(house: House) -> None:
    """Every address that acts answers GET with 405, and every page leaves the rows alone."""
    number = await house.task()
    for path in (f"/tasks/{number}/steps", "/people/code", "/people/admit", "/people/decline", "/people/limin/roles",
                 "/people/limin/logout", "/delivery/1/resend", "/delivery/parked/1/retry", "/logout", "/account/logout"):  # fmt: skip
        answer = await house.get("hetao", path)
        assert answer.status in (404, 405), path
    count = "select (select count(*) from inbox), (select count(*) from outbox), (select count(*) from code), (select count(*) from history)"
    before = await house.parts.engine.store.read(lambda c: c.execute(count).fetchone())
    for path in ("/today", "/tasks", f"/tasks/{number}", "/account"):
        assert (await house.get("zhaojing", path)).status == 200
    assert await house.parts.engine.store.read(lambda c: c.execute(count).fetchone()) == before


@pytest.mark.parametrize(
    "path",
    ["/static/..%2f..%2fapp.py", "/static/%2e%2e/%2e%2e/app.py", "/photo/..%2f..%2fkey", "/photo/%00", "/photo/C:%5C%5Ckey",
     "/photo/" + "字" * 100, "/tasks/..%2f..%2fetc%2fpasswd", "/tasks/' or 1=1--", "/tasks/20261124-999999999999", "/tasks/%00",
     "/g/..%2f", "/g/@zhaojing", "/tasks?state=id;drop&unit=' or 1=1--&q=%25&page=-1", "/people?edit=../../x&unit=%00"],
)  # fmt: skip
async def test_odd_paths_find_nothing(house: House, path: str) -> None:
    answer = await house.get("hetao" if path.startswith("/people") else "limin", path)
    assert answer.status in (200, 400, 403, 404, 422), (path, answer.status)
    if answer.status == 200:
        assert path.startswith(("/tasks?", "/people?"))
    assert "root:" not in await answer.text()


async def test_every_error_is_a_plain_sentence_in_chinese(house: House) -> None:
    expected = {
        "/nirgends": (404, "没有这个页面"),
        "/tasks/20261124-999": (404, "没有这张工单"),
        "/people": (403, "您没有这个权限"),
    }
    for path, (status, words) in expected.items():
        page = await house.get("limin", path)
        assert (page.status, page.content_type) == (status, "text/html")
        assert words in await page.text()
        script = await house.get("limin", path, headers={"Accept": "*/*"})
        assert (script.status, script.content_type) == (status, "application/json")
        assert words in (await script.json())["error"]


async def test_a_bug_shows_nobody_a_traceback(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "内部的话 token=abc"

    def broken(request: web.Request) -> session.Viewer:
        raise RuntimeError(secret)

    from bot.console import tasks as page

    monkeypatch.setattr(page, "viewer_of", broken)
    answer = await house.get("zhaojing", "/tasks")
    text = await answer.text()
    assert answer.status == 500
    assert "请稍后重试" in text
    for word in ("Traceback", "RuntimeError", secret, "line ", ".py"):
        assert word not in text


@pytest.mark.parametrize(("error", "status"), [(Busy("系统正忙，请稍后再试。"), 503), (Rejected("请先选单位。"), 422)])
async def test_our_own_errors_say_what_to_do(
    house: House, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail(request: web.Request) -> session.Viewer:
        raise error

    from bot.console import tasks as page

    monkeypatch.setattr(page, "viewer_of", fail)
    answer = await house.get("zhaojing", "/tasks")
    assert answer.status == status
    assert str(error) in await answer.text()
    assert ("Retry-After" in answer.headers) == (status == 503)


async def test_a_form_too_large_is_refused(house: House) -> None:
    answer = await house.post("hetao", "/people/code", {"kind": "x" * 100_000})
    assert answer.status == 413
    assert "太大" in await answer.text()
    form = FormData({"csrf": house.csrf("hetao")})
    form.add_field("photo", io.BytesIO(b"0" * (13 << 20)), filename="x.jpg")
    answer = await house.ask("POST", "hetao", "/in/web/photos", data=form)
    assert answer.status == 413


async def test_every_answer_carries_the_headers(house: House) -> None:
    for path in ("/tasks", "/login", "/static/base.css", "/nirgends", "/healthz"):
        headers = (await house.get("zhaojing", path)).headers
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
    assert (await house.get("zhaojing", "/tasks")).headers["Cache-Control"] == "no-store"
    page = await (await house.get("zhaojing", "/tasks")).text()
    assert not re.search(r"<script(?! src=\"/static/)|style=|https?://", page), "nothing inline, nothing from elsewhere"


async def test_a_query_string_is_logged_nowhere(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    await house.get("", "/first?token=verysecretvalue")
    await house.get("limin", "/tasks?q=verysecretvalue")
    await house.get("limin", "/people?q=verysecretvalue")
    said = capfd.readouterr()
    assert "verysecretvalue" not in said.out + said.err
    found = await house.parts.engine.store.read(
        lambda c: c.execute("select group_concat(object || action || source) from audit").fetchone()
    )
    assert "verysecretvalue" not in found[0]


async def test_the_network_a_browser_may_come_from_is_checked_before_the_login_page(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with open_house(tmp_path_factory.mktemp("net"), ip_allow=("10.1.0.0/16",)) as house:
        assert (await house.get("", "/login")).status == 403
        assert (await house.get("", "/healthz")).status == 200
        near = {"X-Forwarded-For": "203.0.113.9, 10.1.2.3"}
        assert (await house.get("", "/login", headers=near)).status == 200
        far = {"X-Forwarded-For": "10.1.2.3, 203.0.113.9"}
        assert (await house.get("", "/login", headers=far)).status == 403
