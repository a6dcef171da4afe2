"""Whatever people write, as names, reports, titles, file names, reasons, it stands on the pages as words, never as markup."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import cycle
from urllib.parse import quote

import pytest
import pytest_asyncio
from aiohttp import FormData
from selectolax.lexbor import LexborHTMLParser

from store import Tx, people
from tests.browser.full_house import Filled, fill, pages
from tests.console_house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")
HEADS = ("", '"', "'", '">', "'>", "</textarea>", "</title>", "</script>", "-->", "]]>", "</select>", "</p>", "\\")
TAILS = (
    "<script>alert(7)</script>",
    "<img src=x onerror=alert(7)>",
    "<svg/onload=alert(7)>",
    '<a href="javascript:alert(7)">点</a>',
    "<iframe srcdoc='<script>alert(7)</script>'>",
    "<xss7 autofocus tabindex=1 onfocus=alert(7)>",
)
LONE = (
    '" onmouseover="alert(7)', "' onfocus='alert(7)' autofocus='", "` onclick=alert(7) `", "javascript:alert(7)", "data:text/html,<script>alert(7)</script>",
    "&lt;script&gt;alert(7)&lt;/script&gt;", "{{7*7}}", "{% raw %}<script>alert(7)</script>", "<!--<script>alert(7)", "<ScRiPt>alert(7)</sCrIpT>",
    "<scr\u200bipt>alert(7)</script>", "＜script＞alert(7)＜/script＞", "<math><mtext></mtext><mglyph><style><img src=x onerror=alert(7)>", "<base href=//evil.example>",
    "<meta http-equiv=refresh content=0;url=//evil.example>", "<form action=//evil.example><input name=x>", "<style>@import'//evil.example'</style>",
    "<object data=//evil.example>", "<embed src=//evil.example>", "<link rel=stylesheet href=//evil.example>", "\x1bscript\x1b", "%3Cscript%3Ealert(7)%3C/script%3E",
)  # fmt: skip
PAYLOADS = (*(head + tail for head in HEADS for tail in TAILS), *LONE)
FORBIDDEN = "iframe, object, embed, base, xss7, math, mglyph, style, meta[http-equiv], [srcdoc], [style]"


ECHOES = (
    ("zhaojing", "/tasks?q={}"), ("zhaojing", "/tasks?unit={0}&state={0}"), ("zhaojing", "/exports?query={}"), ("zhaojing", "/duties?group={}"),
    ("zhaojing", "/statistics?period={0}&from={0}&to={0}"), ("zhaojing", "/rehearsal?example={}"), ("zhaojing", "/learning?told={}"),
    ("hetao", "/people?q={}"), ("tangwei", "/audit?who={0}&what={0}"), ("qinyue", "/digest/archive?q={}"), ("qinyue", "/digest?why={0}&day={0}"),
    ("renjing", "/faq?q={}"), ("renjing", "/faq/new?question={}"), ("limin", "/g/suishoupai?text={}"), ("", "/login?next={}"), ("", "/first?token={}"),
    ("limin", "/nowhere/{}"),
)  # fmt: skip
FORMS = (
    ("zhaojing", "/rehearsal", ("script", "group")), ("qinyue", "/digest/cards/write", ("title", "text", "url", "kind")),
    ("renjing", "/faq/new", ("question", "answer", "basis", "source", "successor")), ("qinyue", "/digest/leaders", ("rows", "text")),
    ("renjing", "/faq/repealed", ("documents", "text")), ("qinyue", "/digest/paste", ("text", "permit")),
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[House, Filled]]:
    async with open_house(tmp_path_factory.mktemp("markup")) as found:
        turns = cycle(PAYLOADS)
        yield found, await fill(found, lambda text: f"{text}{next(turns)}")


def faults(page: str, source: str) -> list[str]:
    """What on a page runs, loads or leads elsewhere."""
    tree = LexborHTMLParser(page)
    found = [f"{source}: <{node.tag}>" for node in tree.css(FORBIDDEN)]
    for node in tree.css("*"):
        for name, value in node.attributes.items():
            if name.startswith("on") or (name in ("href", "src", "action", "formaction") and foreign(value or "")):
                found.append(f"{source}: <{node.tag} {name}={value}>")
    found += [f"{source}: script without our source" for node in tree.css("script") if not node.attributes.get("src")]
    return found


def foreign(address: str) -> bool:
    """Whether an address runs something or belongs to the payloads."""
    said = address.strip().lower()
    ours = said.startswith("data:image/svg+xml")  # the code to scan for a second factor
    return not ours and said.startswith(("javascript:", "data:", "vbscript:", "//evil", "http://evil", "x"))


async def test_there_are_enough_of_them() -> None:
    assert len(set(PAYLOADS)) >= 60
    caught = [payload for payload in PAYLOADS if faults(f"<body><p title='{payload}'>{payload}</p>", "")]
    assert len(caught) > 80, "what is not escaped is seen"


async def test_no_page_holds_markup_that_people_wrote(house: tuple[House, Filled]) -> None:
    found, filled = house
    wrong = []
    for one in pages(filled):
        answer = await found.get(one.person, one.path)
        assert answer.status == 200, one
        wrong += faults(await answer.text(), f"{one.person}{one.path}")
    assert wrong == []


async def test_every_payload_is_shown_as_words_where_a_task_is_read(house: tuple[House, Filled]) -> None:
    found, _ = house
    wrong = []
    for n, payload in enumerate(PAYLOADS):
        number = await found.task(text=payload, place_text=payload)
        page = await (await found.get("zhaojing", f"/tasks/{number}")).text()
        wrong += faults(page, f"payload {n}")
        said = LexborHTMLParser(page).css_first(".said")
        if said is None or said.text().split() != payload.split():
            wrong.append(f"payload {n} is not shown as it was written")
    for path in ("/tasks", "/tasks?page=1", "/tasks?page=2", "/today", "/twins"):
        wrong += faults(await (await found.get("zhaojing", path)).text(), path)
    assert wrong == []


async def test_every_payload_is_a_name_or_refused(house: tuple[House, Filled]) -> None:
    found, _ = house

    def job(tx: Tx) -> None:
        for n, payload in enumerate(PAYLOADS):
            people.hold_stranger(tx, "web", f"evil-{n}", payload, payload)
            people.add_opinion(tx, f"E{n}", "limin", payload)

    await found.parts.engine.store.write(job)
    for n, payload in enumerate(PAYLOADS):
        form = {"channel": "web", "user": f"evil-{n}", "name": payload[:32], "unit": "cgj", "role": "reporter"}
        assert (await found.post("hetao", "/people/admit", form)).status in (303, 409, 422)
    wrong = []
    for path in ("/people", "/opinions"):
        wrong += faults(await (await found.get("hetao", path)).text(), path)
    wrong += faults(await (await found.get("limin", "/g/suishoupai")).text(), "members")
    assert wrong == []


@pytest.mark.parametrize(("person", "path"), ECHOES)
async def test_an_address_is_never_echoed_as_markup(house: tuple[House, Filled], person: str, path: str) -> None:
    found, _ = house
    wrong = []
    for payload in PAYLOADS:
        answer = await found.get(person, path.format(quote(payload, safe="")))
        assert answer.status < 500, (path, payload)
        assert not foreign(answer.headers.get("Location", "")), payload
        wrong += faults(await answer.text(), payload)
    assert wrong == []


@pytest.mark.parametrize(("person", "path", "fields"), FORMS, ids=lambda one: one if isinstance(one, str) else "")
async def test_a_form_shown_again_holds_no_markup(
    house: tuple[House, Filled], person: str, path: str, fields: tuple[str, ...]
) -> None:
    found, _ = house
    wrong = []
    for payload in PAYLOADS:
        answer = await found.post(person, path, dict.fromkeys(fields, payload))
        assert answer.status < 500, (path, payload)
        wrong += faults(await answer.text(), payload)
    assert wrong == []


async def test_a_file_name_is_no_markup_and_no_path(house: tuple[House, Filled]) -> None:
    found, _ = house
    wrong = []
    for payload in (*filter(str.isprintable, PAYLOADS), "../../etc/passwd", "..\\..\\x.xlsx", "/etc/passwd"):
        await found.enter("hetao")
        form = FormData({"csrf": found.csrf("hetao")})
        form.add_field("files", b"not a table", filename=f"{payload}.xlsx", content_type="application/octet-stream")
        answer = await found.ask("POST", "hetao", "/county", data=form)
        assert answer.status < 500, payload
        wrong += faults(await answer.text(), payload)
    assert wrong == []
