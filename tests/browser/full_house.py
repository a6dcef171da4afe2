"""A console with something on every page, and the list of its pages: who opens which, under which address."""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from bot.candidates import run_day
from config.faq.entries import Entry
from handlers.editions import timing
from store import Tx, digest, editions, faq, lessons, people, photos, questions, tasks, twins
from store.faq import Draft
from store.questions import Asked, Ticket
from tests.console_house import House

TELLER, SECOND = "tianfang", "renjing"  # the tax bureau's handler and deputy
TEXTS = (
    "人民路18号门口的井盖破了，有人差点掉进去",
    "解放路农行门口垃圾桶满了没人收，味道很大，旁边小区的居民已经反映过好几次，麻烦尽快安排人清运并冲洗地面",
    "建设路路灯不亮好几天了",
    "西环路雕塑贴满小广告",
    "菜市场门口污水外溢",
)
STATES = (
    "pending_confirmation", "dispatched", "accepted", "in_progress", "feedback_given", "closed", "returned",
    "rework", "suspended", "rejected", "withdrawn",
)  # fmt: skip
NEWS = (
    "关于开展种粮补贴申报的通知\n县农业农村局关于开展种粮补贴申报的通知。各乡镇要在12月1日前完成申报登记，逾期不予受理。",
    "关于小微企业所得税优惠的公告\n国家税务总局就小微企业所得税优惠政策公告如下。年应纳税所得额不超过300万元的部分减按25%计入。",
)
CARD = {"n": "0", "kind": "warning", "title": "年底少喝酒", "basis": "道路交通安全法"}
WARNING = "酒后驾车，党员和公职人员要受党纪政务处分。"
Words = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Open:
    """One page as somebody sees it."""

    person: str
    path: str


@dataclass(frozen=True, slots=True)
class Filled:
    """What addresses are made of."""

    number: str
    checked: str
    lesson: int
    day: str


def picture(shade: int) -> bytes:
    """A JPEG of some street."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (640, 480), (90 + shade, 120, 110))
    ImageDraw.Draw(image).ellipse((180, 120, 460, 380), fill=(40, 40 + shade, 50))
    out = io.BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()


async def fill(house: House, words: Words = lambda text: text) -> Filled:
    """Put something on every page; `words` may change what people wrote."""
    numbers = [
        await house.task(state, text=words(TEXTS[n % len(TEXTS)]), reporter="limin", place_text=words("人民路"))
        for n, state in enumerate(STATES)
    ]
    for n, number in enumerate(numbers[1:6]):
        await _photo(house, number, n * 20, "report")
        await _photo(house, number, n * 20 + 7, "evidence")
    lesson = await _lesson(house, words)
    await _twins(house, words)
    await _bureau(house, words)
    await _people(house, words)
    day = await _edition(house, words)
    await house.post("zhaojing", "/exports", {"query": "state=closed", "why": words("年度考核")})
    return Filled(numbers[1], numbers[4], lesson, day)


async def _photo(house: House, number: str, shade: int, role: str) -> None:
    data = picture(shade)
    sha = hashlib.sha256(data).hexdigest()
    for path in (house.parts.shop.path(sha), house.parts.shop.path(sha, small=True)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def job(tx: Tx) -> None:
        task = tasks.by_number(tx, number)
        assert task is not None
        photos.add(tx, sha, 640, 480, len(data), "0")
        tasks.add_photo(tx, task.id, sha, role, "limin", None)

    await house.parts.engine.store.write(job)


async def _lesson(house: House, words: Words) -> int:
    number = await house.task("pending_confirmation", unit="", text=words(TEXTS[0]), choices="cgj|zjj|jjdd")
    form = {"event": "confirm", "word": "派", "unit": "zjj", "permit": secrets.token_hex(8)}
    await house.post("zhaojing", f"/tasks/{number}/steps", form)
    found = await house.parts.engine.store.read(lessons.listing)
    return found[0].seq if found else 0


async def _twins(house: House, words: Words) -> None:
    older = await house.task(text=words("西环路雕塑贴满小广告"))
    newer = await house.task(reporter="wangfang", text=words("西环路那边小广告又来了"))

    def job(tx: Tx) -> None:
        one, two = tasks.by_number(tx, newer), tasks.by_number(tx, older)
        assert one and two
        twins.suggest(tx, one.id, two.id, ("地点相同", "类别相同"))

    await house.parts.engine.store.write(job)


async def _bureau(house: House, words: Words) -> None:
    at = house.parts.engine.store.now()
    entry = Entry(
        "t-1",
        words("跨区迁移怎么办"),
        words("带营业执照，\n到大厅办。"),
        words("税务总局令第48号"),
        valid_from="2020-01-01",
        similar=(words("搬到外区怎么迁税"),),
        tax=(words("增值税"),),
    )

    def job(tx: Tx) -> None:
        faq.publish(tx, entry, "", "")
        faq.propose(tx, entry, TELLER)
        kept = (words("滞纳金怎么算"), words("按日万分之五"), words("税收征管法第三十二条"))
        faq.add_draft(tx, Draft("d-1", 0, "new", "", *kept, "", "", TELLER, "review", "", "", "", 0))
        asked = Asked("a1", "shuiwu", "web", "shuiwu", "m1", "web:fangxin", words("发票丢了怎么办"), "handoff", at=at)
        questions.add(tx, asked)
        ticket = Ticket(
            "k1",
            0,
            "question",
            "open",
            "shuiwu",
            "web",
            "shuiwu",
            words("发票丢了怎么办"),
            words("增值税"),
            "",
            "t-1",
            TELLER,
        )
        questions.open_ticket(tx, ticket, "m1", "web:fangxin")

    await house.parts.engine.store.write(job)


async def _people(house: House, words: Words) -> None:
    def job(tx: Tx) -> None:
        people.hold_stranger(tx, "web", "stranger-1", words("新来的小王"), words("suishoupai"))
        people.add_opinion(tx, "Y1", "limin", words("希望能在群里看到办结照片"))

    await house.parts.engine.store.write(job)


async def _edition(house: House, words: Words) -> str:
    engine = house.parts.engine
    now = engine.store.now()
    day = await engine.store.read(lambda c: timing.edition_day(c, engine.office, now))
    await engine.store.write(
        lambda tx: digest.replace_leaders(tx, [(words("王建国"), words("县长"), "2025-01-01", "")])
    )
    await house.post("qinyue", "/digest/cards/write", {**CARD, "text": words(WARNING)})
    for text in NEWS:
        await house.post("qinyue", "/digest/paste", {"text": words(text), "permit": secrets.token_hex(8)})
    await run_day(engine.store, engine.office.county, day)
    await house.post("qinyue", "/digest/edit", {"do": "begin", "day": day})
    if await engine.store.read(lambda c: editions.get(c, day)) is not None:
        await house.post("qinyue", "/digest/corrections", _correction(day, words))
    return day


def _correction(day: str, words: Words) -> dict[str, str]:
    return {"act": "更正", "at": "1", "day": day, "text": words("期限应为12月5日"), "permit": secrets.token_hex(8)}


def pages(filled: Filled) -> list[Open]:
    """Every page there is to look at (the kinds of one page by their tabs, too)."""
    number, checked = f"/tasks/{filled.number}", f"/tasks/{filled.checked}"
    table: dict[str, tuple[str, ...]] = {
        "": ("/login", "/first?token=none"),
        "zhangqiang": ("/g/suishoupai", "/today", "/tasks", number, "/account", "/account/data", "/help", "/help/card"),
        "zhaojing": (
            "/today", "/tasks", "/tasks?state=ended", number, "/statistics", "/statistics?by=hour", "/exports", "/rehearsal",
            "/learning", "/learning?tab=revoked", f"/learning/{filled.lesson}", "/twins", "/duties",
            "/delivery", "/help",
        ),
        "limin": (checked, "/today"),
        "gaoyuan": ("/today", "/exports", "/digest"),
        "hetao": (
            "/today", "/county", "/county/calendar", "/county/places", "/county/places?q=人民路", "/county/places?edit=new", "/county/texts", "/county/groups",
            "/help", "/help/check", "/people", "/people?q=王", "/opinions", "/delivery", "/account/totp",
        ),
        "xuyan": ("/county", "/people", "/exports"),
        "tangwei": ("/audit", "/today"),
        "qinyue": (
            "/digest", "/digest/preview", "/digest/preview?form=news", "/digest/history", "/digest/cards", "/digest/cards/new",
            "/digest/cards/1", "/digest/leaders", "/digest/sources", "/digest/archive", "/digest/items/1", "/digest/choices",
        ),
        SECOND: (
            "/faq", "/faq?q=迁移", "/faq/new", "/faq/entries/t-1", "/faq/entries/t-1/edit", "/faq/drafts", "/faq/push", "/faq/push?entry=t-1",
            "/faq/unanswered", "/faq/hot", "/faq/roster", "/faq/repealed",
        ),
    }  # fmt: skip
    return [Open(person, path) for person, paths in table.items() for path in paths]


FILES = ("csv", "xlsx", "docx", "zip", "export", "picture")  # downloads, not pages
NOT_PAGES = ("/static", "/metrics", "/healthz", "/in/web/", "/photo/", "/demo/")


def is_page(pattern: str) -> bool:
    """Whether this route answers with a page."""
    return not pattern.startswith(NOT_PAGES) and not pattern.endswith(FILES) and pattern != "/"


def matches(pattern: str, path: str) -> bool:
    """Whether a path is one of the route's."""
    want, have = pattern.split("/"), path.partition("?")[0].split("/")
    return len(want) == len(have) and all(
        one == two or one.startswith("{") for one, two in zip(want, have, strict=True)
    )
