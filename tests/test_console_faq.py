"""The tax bureau's pages: who gets in, a second person for every change, old versions stay, words are never markup."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html import unescape

import pytest
import pytest_asyncio
from aiohttp import FormData

from config.faq.entries import Entry
from handlers.faq.cards import card
from store import Tx, faq, questions, tax
from store.faq import Draft
from store.questions import Asked, Ticket
from tests.console_house import PEOPLE, House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")

TELLER, SECOND, HEAD = "tianfang", "renjing", "jiangtao"  # the bureau's handler, deputy and leader
EVIL = "<script>alert(1)</script>"
GETS = (
    "",
    "/new",
    "/entries/t-1",
    "/entries/t-1/edit",
    "/drafts",
    "/push",
    "/unanswered",
    "/hot",
    "/roster",
    "/repealed",
)
POSTS = ("/new", "/entries/t-1/edit", "/entries/t-1/withdraw", "/drafts", "/push", "/roster", "/repealed")
ENTRY = Entry(
    "t-1", "跨区迁移怎么办", "带营业执照，\n到大厅办。", "税务总局令第48号", valid_from="2020-01-01", tax=("增值税",)
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("faq")) as found:
        await found.parts.engine.store.write(lambda tx: faq.publish(tx, ENTRY, "", ""))
        yield found


def typed(entry: Entry, **changes: str) -> dict[str, str]:
    """The form as a browser sends it."""
    names = ("question", "answer", "basis", "source", "valid_from", "valid_to", "region", "successor")
    lists = ("similar", "tax", "taxpayer_type")
    fields = {name: getattr(entry, name) for name in names} | {n: "\r\n".join(getattr(entry, n)) for n in lists}
    return {**fields, **changes}


def permit(page: str, number: str) -> str:
    found = re.search(rf'name="permit" value="([^"]+)">\s*<input type="hidden" name="number" value="{number}"', page)
    assert found is not None
    return found[1]


async def live(house: House, id: str) -> Entry | None:
    return await house.parts.engine.store.read(lambda c: faq.get(c, id))


async def draft(house: House, id: str, **fields: str) -> Draft:
    made = Draft(
        id,
        0,
        "new",
        "",
        "滞纳金怎么算",
        "按日万分之五",
        "税收征管法第三十二条",
        "",
        "",
        TELLER,
        "review",
        "",
        "",
        "",
        0,
    )
    return await house.parts.engine.store.write(lambda tx: faq.add_draft(tx, replace(made, **fields)))


async def test_only_the_bureau_and_the_roster_get_in(house: House) -> None:
    for person in (*PEOPLE.values(), "fangxin"):  # fangxin asks in the tax group
        for path in GETS:
            assert (await house.get(person, f"/faq{path}")).status == 403, (person, path)
        for path in POSTS:
            assert (await house.post(person, f"/faq{path}", {"sure": "1"})).status == 403, (person, path)
    for person in (TELLER, SECOND, HEAD):
        for path in GETS:
            assert (await house.get(person, f"/faq{path}")).status == 200, (person, path)
        assert "税费问答" in await (await house.get(person, "/account")).text()
    assert "税费问答" not in await (await house.get("zhangqiang", "/account")).text()
    assert await live(house, "t-1") is not None


async def test_no_form_without_its_token(house: House) -> None:
    for path in POSTS:
        answer = await house.ask("POST", SECOND, f"/faq{path}", data={"sure": "1"})
        assert answer.status == 403, path
    assert await live(house, "t-1") is not None


async def test_an_edit_is_a_draft_and_a_second_person_makes_it_live(house: House) -> None:
    answer = await house.post(TELLER, "/faq/entries/t-1/edit", typed(ENTRY, answer="网上也能办。\r\n不用跑。"))
    assert answer.status == 303
    standing = await live(house, "t-1")
    assert standing is not None and standing.answer == ENTRY.answer, "what is approved goes on answering"
    shown = unescape(await (await house.get(SECOND, "/faq/drafts")).text())
    assert card(replace(ENTRY, answer="网上也能办。\n不用跑。"))[0] in shown, "byte for byte what will be said"
    form = {"entry": "t-1", "version": "2", "over": "1", "answer": "yes"}
    own = await house.post(TELLER, "/faq/drafts", form)
    assert own.status == 409 and "要由别人审核" in await own.text()
    late = await house.post(SECOND, "/faq/drafts", {**form, "over": "0"})
    assert late.status == 409 and "现行版刚刚变了" in await late.text()
    assert (await house.post(SECOND, "/faq/drafts", form)).status == 200
    standing = await live(house, "t-1")
    assert standing is not None and standing.answer == "网上也能办。\n不用跑。" and standing.version == 2
    again = await house.post(HEAD, "/faq/drafts", form)
    assert again.status == 409 and "已处理过" in await again.text()
    page = await (await house.get(TELLER, "/faq/entries/t-1")).text()
    assert "第1版" in page and "到大厅办" in page and "田芳" in page and "任静" in page


async def test_mistakes_say_what_to_do_and_lose_nothing(house: House) -> None:
    wrong = typed(ENTRY, basis="", valid_from="2026-05-01", valid_to="2026-13-41", answer="打了很多字")
    answer = await house.post(TELLER, "/faq/entries/t-1/edit", wrong)
    page = await answer.text()
    assert answer.status == 422 and "不能为空" in page and "2026-13-41" in page and "打了很多字" in page
    order = typed(ENTRY, valid_from="2026-05-01", valid_to="2026-04-01")
    assert "早于生效日期" in await (await house.post(TELLER, "/faq/entries/t-1/edit", order)).text()
    assert (await house.post(TELLER, "/faq/entries/nowhere/edit", typed(ENTRY))).status == 422
    nowhere = await house.post(TELLER, "/faq/new", typed(ENTRY, successor="nowhere"))
    assert nowhere.status == 422
    assert (await house.get(TELLER, "/faq/entries/nowhere")).status == 404


async def test_the_longest_answer_fits_through_the_form_as_the_page_sends_it(house: House) -> None:
    page = await (await house.get(TELLER, "/faq/entries/t-1/edit")).text()
    assert 'enctype="multipart/form-data"' in page
    await house.enter(TELLER)
    form = FormData(default_to_multipart=True)
    full = typed(ENTRY, answer="税" * 4000, similar="\n".join(["问" * 99] * 40))
    for name, value in {"csrf": house.csrf(TELLER), **full}.items():
        form.add_field(name, value)
    assert (await house.ask("POST", TELLER, "/faq/entries/t-1/edit", data=form)).status == 303


async def test_a_reply_is_decided_by_the_chats_own_handler(house: House) -> None:
    engine = house.parts.engine
    ticket = Ticket("q1", 0, "question", "open", "shuiwu", "web", "shuiwu", "晚交了要多交多少", "", "", "", TELLER)
    await engine.store.write(lambda tx: questions.open_ticket(tx, ticket, "m1", "web:fangxin"))
    made = await draft(house, "d901", ticket="q1")
    page = unescape(await (await house.get(TELLER, "/faq/drafts")).text())
    assert "晚交了要多交多少" in page and "#问0001" in page
    form = {"number": made.number, "answer": "yes", "permit": permit(page, made.number), "seen": made.basis}
    other = await house.post(SECOND, "/faq/drafts", {**form, "seen": "别的文号"})
    assert other.status == 409 and "依据刚刚改过" in await other.text()
    own = await house.post(TELLER, "/faq/drafts", form)
    assert own.status == 409 and "要由别人审核" in await own.text() and await live(house, made.entry) is None
    ok = await house.post(SECOND, "/faq/drafts", form)
    assert ok.status == 200 and "已生效" in await ok.text()
    standing = await live(house, made.entry)
    assert standing is not None and standing.answer == "按日万分之五"


async def test_what_lacks_a_basis_is_not_approved_and_a_refusal_needs_a_reason(house: House) -> None:
    made = await draft(house, "d902", basis="", state="basis")
    form = {"number": made.number, "answer": "yes", "permit": "permit-902-a"}
    bare = await house.post(SECOND, "/faq/drafts", form)
    assert bare.status == 409 and "还没有依据" in await bare.text()
    no = {**form, "answer": "no", "permit": "permit-902-b"}
    assert "请写上原因" in await (await house.post(SECOND, "/faq/drafts", no)).text()
    no |= {"reason": "依据 国税发1号 #草0001", "permit": "permit-902-c"}
    assert (await house.post(SECOND, "/faq/drafts", no)).status == 200
    found = await house.parts.engine.store.read(lambda c: faq.draft(c, "d902"))
    assert found is not None and found.state == "rejected" and "国税发1号" in found.reason


async def test_a_push_goes_out_after_a_second_person(house: House) -> None:
    answer = await house.post(TELLER, "/faq/push", {"entry": "t-1", "permit": "permit-push-1"})
    assert answer.status == 200 and "#推0001" in await answer.text()
    form = {"number": "#推0001", "answer": "yes", "permit": "permit-push-2"}
    assert (await house.post(TELLER, "/faq/drafts", form)).status == 409
    ok = await house.post(SECOND, "/faq/drafts", {**form, "permit": "permit-push-3"})
    assert ok.status == 200 and "已推送到" in await ok.text()
    bad = await house.post(TELLER, "/faq/push", {"entry": "nowhere", "permit": "permit-push-4"})
    assert bad.status == 409 and "没有这条已生效的条目" in await bad.text()


async def test_the_roster_is_the_leaders_to_set_and_lists_only_the_bureau(house: House) -> None:
    form = {"tax": "增值税", "person": TELLER}
    assert (await house.post(TELLER, "/faq/roster", form)).status == 403
    outsider = await house.post(SECOND, "/faq/roster", {"tax": "增值税", "person": "fangxin"})
    assert outsider.status == 422 and "不是税务局的" in await outsider.text()
    assert (await house.post(SECOND, "/faq/roster", form)).status == 303
    assert await house.parts.engine.store.read(tax.roster) == [("增值税", TELLER)]


async def test_nothing_people_wrote_is_markup(house: House) -> None:
    at = house.parts.engine.store.now()

    def job(tx: Tx) -> None:
        faq.publish(tx, Entry("x-1", EVIL, EVIL, EVIL, similar=(EVIL,), tax=(EVIL,)), "", "")
        faq.propose(tx, Entry("x-1", EVIL, EVIL, EVIL), TELLER)
        for n in range(2):
            asked = Asked(f"a{n}", "shuiwu", "web", "shuiwu", f"m{n}", "web:fangxin", EVIL, "handoff", at=at)
            questions.add(tx, asked)
        questions.add(tx, Asked("a9", "shuiwu", "web", "", "m9", "web:b", EVIL, "answer", entry="x-1", at=at))

    await house.parts.engine.store.write(job)
    for path in ("", "/entries/x-1", "/entries/x-1/edit", "/drafts", "/push?entry=x-1", "/unanswered", "/hot"):
        page = await (await house.get(HEAD, f"/faq{path}")).text()
        assert EVIL not in page and "&lt;script&gt;" in page, path


async def test_entries_are_found_by_words_tax_and_standing(house: House) -> None:
    def job(tx: Tx) -> None:
        faq.publish(tx, Entry("old-1", "旧的优惠到哪天", "到期了", "公告1号", valid_to="2021-12-31"), "", "")

    await house.parts.engine.store.write(job)
    assert "旧的优惠到哪天" in await (await house.get(TELLER, "/faq?standing=ended")).text()
    assert "旧的优惠到哪天" in await (await house.get(TELLER, "/faq?standing=soon")).text()
    assert "旧的优惠到哪天" not in await (await house.get(TELLER, "/faq?standing=live")).text()
    by_tax = await (await house.get(TELLER, "/faq?tax=增值税&q=跨区迁移")).text()
    assert "跨区迁移怎么办" in by_tax and "旧的优惠" not in by_tax
    assert "跨区迁移怎么办" in await (await house.get(TELLER, "/faq?q=T-1")).text()


async def test_entries_that_rest_on_a_repealed_document_are_listed_for_review(house: House) -> None:
    assert "跨区迁移怎么办" not in await (await house.get(TELLER, "/faq?standing=repealed")).text()
    assert (await house.post(TELLER, "/faq/repealed", {"documents": "号"})).status == 422
    assert (await house.post(TELLER, "/faq/repealed", {"documents": "税务总局令第48号\r\n\r\n"})).status == 303
    assert "跨区迁移怎么办" in await (await house.get(TELLER, "/faq?standing=repealed")).text()
    assert "税务总局令第48号" in await (await house.get(TELLER, "/faq/repealed")).text()
    assert (await house.post(TELLER, "/faq/repealed", {"documents": ""})).status == 303
    assert "跨区迁移怎么办" not in await (await house.get(TELLER, "/faq?standing=repealed")).text()


async def test_withdrawing_asks_first_and_keeps_every_version(house: House) -> None:
    assert (await house.post(SECOND, "/faq/entries/t-1/withdraw")).status == 422
    assert (await house.post(SECOND, "/faq/entries/t-1/withdraw", {"sure": "1"})).status == 303
    assert await live(house, "t-1") is None
    page = await (await house.get(SECOND, "/faq/entries/t-1")).text()
    assert "已停用" in page and "第1版" in page and "第2版" in page
