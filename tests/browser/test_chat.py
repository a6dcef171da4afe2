"""The work group as people use it, in a real browser against a real server."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.house import House, Visit, Watch, become, quietly

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TEXT = "textarea[name=text]"
LINE = "li.line:not(.pending)"
GPS = 34853
FASTER = """(form) => {
  const pace = document.createElement('input');
  Object.assign(pace, {type: 'hidden', name: 'pace', value: '0.5'});
  form.append(pace);
}"""
DROP = """async ({room, name, bytes}) => {
  const file = new File([new Uint8Array(bytes)], name, {type: 'image/jpeg'});
  const carried = new DataTransfer();
  carried.items.add(file);
  const target = document.querySelector(room);
  const kind = room === 'textarea' ? 'paste' : 'drop';
  if (kind === 'paste') {
    target.dispatchEvent(new ClipboardEvent('paste', {clipboardData: carried, bubbles: true, cancelable: true}));
  } else {
    for (const name of ['dragover', 'drop']) {
      target.dispatchEvent(new DragEvent(name, {dataTransfer: carried, bubbles: true, cancelable: true}));
    }
  }
}"""


def picture(shade: int, where: bool = False) -> bytes:
    """A JPEG like a phone's; `where` adds the position the phone would write into it."""
    from PIL import Image, ImageDraw

    image = Image.effect_noise((640, 480), 60).convert("RGB")
    ImageDraw.Draw(image).ellipse((120 + shade, 90, 460, 400), fill=(shade % 256, 80, 90))
    exif = Image.Exif()
    if where:
        exif.get_ifd(GPS)[1], exif.get_ifd(GPS)[2] = "N", (34.0, 15.0, 30.0)
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


def file(shade: int, name: str = "现场.jpg", where: bool = False) -> Any:
    return {"name": name, "mimeType": "image/jpeg", "buffer": picture(shade, where)}


async def say(page: Page, text: str) -> None:
    await page.fill(TEXT, text)
    await page.press(TEXT, "Enter")


def line(page: Page, text: str) -> Any:
    return page.locator(LINE).filter(has_text=text).last


async def test_a_photo_and_a_sentence_become_a_task_that_is_signed_mended_checked_and_closed(
    house: House, visit: Visit
) -> None:
    reporter = await visit(house)
    officer = await visit(house, "zhaogang", "phone")
    await reporter.set_input_files("[data-pick]", file(20, where=True))
    await expect(reporter.locator("[data-tray] .here")).to_have_count(1)
    await say(reporter, "人民路18号门口的井盖破了，有人差点掉进去")
    sent = await reporter.evaluate("performance.now()")
    dispatched = reporter.locator(f"{LINE}.k-dispatched").filter(has_text="人民路18号")
    await expect(dispatched).to_have_count(1)
    assert await reporter.evaluate("performance.now()") - sent < 2000 * patience()
    assert await reporter.locator(f"{LINE}.k-dispatched .buttons").count() == 0, "only the unit may sign"

    photo = await reporter.locator("li.mine [data-photo]").last.get_attribute("href")
    await no_place_in(reporter, f"{house.url}{(photo or '')[1:]}")

    slip = officer.locator(f"{LINE}.k-dispatched").filter(has_text="人民路18号").last
    await expect(slip.locator(".at.me")).to_have_text("@赵刚")
    await slip.get_by_text("签收", exact=True).tap()
    await expect(line(officer, "【已签收】")).to_be_visible()
    await officer.set_input_files("[data-pick]", file(90))
    await expect(officer.locator("[data-tray] .here")).to_have_count(1)
    await officer.fill(TEXT, "反馈 井盖已换好")
    await officer.get_by_role("button", name="发送").tap()
    asked = line(reporter, "【已反馈】")
    await expect(asked.locator("[data-photo]")).to_have_count(1)
    await asked.get_by_text("通过", exact=True).click()
    await expect(line(officer, "【已办结】")).to_be_visible()
    await expect(asked.locator(".buttons")).to_have_count(0)


def patience() -> float:
    """Shared machines are slow: the budget of two seconds is the bench's to hold; here it must not be far off."""
    return 3.0


async def no_place_in(page: Page, url: str) -> None:
    from PIL import Image

    answer = await page.request.get(url)
    assert answer.ok
    assert not Image.open(io.BytesIO(await answer.body())).getexif()


async def test_a_button_that_asks_for_a_reason_goes_into_the_composer(house: House, visit: Visit) -> None:
    reporter = await visit(house, "wangfang")
    await say(reporter, "解放路18号门口的井盖破了，有人差点掉进去")
    await expect(reporter.locator(f"{LINE}.k-dispatched").filter(has_text="解放路18号")).to_be_visible()
    officer = await visit(house, "zhaogang")
    await officer.locator(f"{LINE}.k-dispatched").filter(has_text="解放路18号").get_by_text("退单", exact=True).click()
    await expect(officer.locator(TEXT)).to_be_focused()
    assert (await officer.input_value(TEXT)).startswith("退单 ")
    await expect(officer.locator("[data-quoting]")).to_contain_text("请写明原因")
    await officer.keyboard.type("产权属供热公司")
    await officer.keyboard.press("Enter")
    await expect(line(reporter, "【退单待裁】")).to_contain_text("产权属供热公司")


async def test_chatter_is_marked_as_not_saved_and_taken_back_by_its_sender(house: House, visit: Visit) -> None:
    talker, listener = await visit(house, "zouping"), await visit(house, "wangfang")
    await say(talker, "今天风真大")
    heard = line(listener, "今天风真大")
    await expect(heard).to_have_class(re.compile("loose"))
    await talker.locator("li.mine").last.focus()
    await talker.keyboard.press("Delete")
    await expect(heard).to_have_count(0)
    await expect(listener.locator("li.gone").last).to_contain_text("邹萍撤回了一条消息")
    await talker.get_by_role("button", name="重新编辑").click()
    await expect(talker.locator(TEXT)).to_have_value("今天风真大")


async def test_a_line_is_quoted_by_keyboard_by_mouse_and_by_a_long_press(house: House, visit: Visit) -> None:
    first, second = await visit(house, "fangxin"), await visit(house, "shimei", "phone")
    await say(first, "下午两点开会吗")
    asked = line(second, "下午两点开会吗")
    await asked.dispatch_event("touchstart")
    await asked.get_by_role("button", name="引用").tap()
    await expect(second.locator("[data-quoting]")).to_contain_text("方欣：下午两点开会吗")
    await say(second, "改到三点")
    await expect(line(first, "改到三点").locator(".quoted")).to_have_text("方欣 下午两点开会吗")
    await first.locator("#lines").focus()
    await first.keyboard.press("ArrowUp")
    await first.keyboard.press("q")
    await expect(first.locator("[data-quoting]")).to_contain_text("石梅：改到三点")
    await first.keyboard.press("Escape")
    await expect(first.locator("[data-quoting]")).to_be_hidden()
    await line(first, "改到三点").hover()
    await line(first, "改到三点").get_by_role("button", name="引用").click()
    await expect(first.locator("[data-quoting]")).to_be_visible()


async def test_photos_are_pasted_and_dragged_in_and_a_bad_one_says_why(
    house: House, visit: Visit, watch: Watch
) -> None:
    watch.expected.append("422")
    page = await visit(house, "yaojuan")
    await page.evaluate(DROP, {"room": "textarea", "name": "粘贴.jpg", "bytes": list(picture(10))})
    await page.evaluate(DROP, {"room": ".room", "name": "拖入.jpg", "bytes": list(picture(70))})
    await page.evaluate(DROP, {"room": ".room", "name": "坏的.jpg", "bytes": [1, 2, 3]})
    await expect(page.locator("[data-tray] .here")).to_have_count(2)
    await expect(page.locator("[data-tray] .failed .problem")).to_contain_text("不是照片")
    await say(page, "两张图大家看看")
    await expect(page.locator("[data-toasts]")).to_contain_text("有照片没有传上去")
    await page.get_by_role("button", name="移除这张照片").last.click()
    await page.press(TEXT, "Enter")
    await expect(line(page, "两张图大家看看").locator("[data-photo]")).to_have_count(2)
    await line(page, "两张图大家看看").locator("[data-photo]").first.click()
    await expect(page.locator(".photo-dialog .caption")).to_contain_text("/ ")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Escape")
    await expect(page.locator(".photo-dialog")).to_be_hidden()


async def test_enter_sends_but_not_in_the_middle_of_an_input_methods_word(house: House, visit: Visit) -> None:
    page = await visit(house, "liaokun")
    await page.fill(TEXT, "zhong")
    await page.dispatch_event(TEXT, "keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    await page.dispatch_event(TEXT, "keydown", {"key": "Process", "keyCode": 229, "bubbles": True})
    assert await page.input_value(TEXT) == "zhong"
    await page.fill(TEXT, "第一行")
    await page.press(TEXT, "Shift+Enter")
    await page.type(TEXT, "第二行")
    await page.press(TEXT, "Enter")
    await expect(line(page, "第一行")).to_contain_text("第二行")


async def test_names_are_completed_after_an_at(house: House, visit: Visit) -> None:
    page = await visit(house, "xiongwei")
    await page.type(TEXT, "请@赵")
    await expect(page.locator(".at-row")).to_have_count(2)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    assert await page.input_value(TEXT) == "请@赵刚 "
    await page.type(TEXT, "@群")
    await page.keyboard.press("Tab")
    assert await page.input_value(TEXT) == "请@赵刚 @群办 "


async def test_the_same_message_is_one_line_however_often_the_network_fails(
    house: House, visit: Visit, watch: Watch
) -> None:
    """kill -9 in the middle: what was said stays, what is said meanwhile arrives once, the tabs find back by themselves."""
    watch.expected += ["ERR_CONNECTION_REFUSED", "ERR_EMPTY_RESPONSE", "ERR_INCOMPLETE_CHUNKED", "ERR_CONNECTION_RESET"]
    page, other = await visit(house), await visit(house, "wangfang", "phone")
    await say(page, "西环路18号门口的井盖破了，有人差点掉进去")
    await expect(page.locator(f"{LINE}.k-dispatched").filter(has_text="西环路18号")).to_be_visible()
    before = await page.locator(f"{LINE}:not(.loose)").count()
    await quietly(house.kill)
    try:
        await say(page, "@群办 帮助")
        await expect(page.locator("li.pending [data-fate]")).to_contain_text("自动重发")
        await expect(page.locator("stream-state")).to_contain_text("重连")
    finally:
        await quietly(house.start)
    await expect(page.locator("li.pending")).to_have_count(0)
    await expect(line(other, "帮助")).to_be_visible()
    await expect(other.locator(f"{LINE}:not(.bot)").filter(has_text="@群办 帮助")).to_have_count(1)
    await expect(page.locator("stream-state")).to_have_text("")
    ids = await page.eval_on_selector_all("li.line", "all => all.map((one) => one.dataset.id)")
    assert len(ids) == len(set(ids))
    await page.reload()
    await expect(line(page, "西环路18号")).to_be_visible()
    assert await page.locator(f"{LINE}:not(.loose)").count() >= before + 1


async def test_unread_lines_are_counted_marked_and_older_ones_come_by_scrolling(house: House, visit: Visit) -> None:
    talker, reader = await visit(house, "wangfang", path="g/tongzhi"), await visit(house, path="g/@limin")
    for n in range(70):
        talker_text = f"@群办 隐私{'。' * (n % 3)}"
        await talker.evaluate(
            "(text) => document.dispatchEvent(new CustomEvent('chat:say', {detail: {text, quote: ''}}))", talker_text
        )
    await expect(talker.locator("li.pending")).to_have_count(0, timeout=30_000)
    badge = reader.locator("a[data-room=tongzhi] .badge")
    await expect(badge).to_be_visible()
    assert (await reader.title()).startswith("(")
    await reader.click("a[data-room=tongzhi]")
    await reader.wait_for_url("**/g/tongzhi")
    await expect(reader.locator(".blank")).to_have_count(0)
    shown = await reader.locator(LINE).count()
    assert shown <= 61
    await reader.evaluate("document.querySelector('chat-lines').scrollTop = 0")
    await expect(reader.locator(LINE).nth(shown)).to_be_attached()
    await reader.evaluate("document.querySelector('chat-lines').scrollTop = 300")
    await say(talker, "@群办 帮助")
    await expect(reader.locator("[data-newer]")).to_be_visible()
    await reader.click("[data-newer]")
    await expect(reader.locator("[data-newer]")).to_be_hidden()


async def test_without_a_script_one_reads_and_reports_with_a_photo(house: House, visit: Visit, watch: Watch) -> None:
    watch.expected.append("422")
    page = await visit(house, "wangfang", java_script_enabled=False)
    await page.fill(TEXT, "建设路18号门口的井盖破了，有人差点掉进去")
    await page.set_input_files("input[name=photo]", file(120))
    await page.get_by_role("button", name="发送").click()
    await expect(line(page, "建设路18号").first).to_be_visible()
    await page.reload()
    await expect(page.locator("li.mine").filter(has_text="建设路18号").locator("img")).to_have_count(1)
    await page.get_by_role("button", name="发送").click()
    await expect(page.locator(".error")).to_contain_text("请写一句话或选一张照片")


async def test_a_phone_switches_between_the_list_and_the_room_and_nothing_scrolls_sideways(
    house: House, visit: Visit
) -> None:
    page = await visit(house, size="phone")
    await page.tap("[data-back]")
    await expect(page.locator(".rooms")).to_be_visible()
    await expect(page.locator(".room")).to_be_hidden()
    await page.tap("[aria-current] b")
    await expect(page.locator(".room")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    heights = await page.eval_on_selector_all(".say button, .say label.pick", "all => all.map((b) => b.offsetHeight)")
    assert all(height >= 44 for height in heights if height)


async def test_the_story_plays_to_the_end_and_what_is_behind_a_line_can_be_seen(
    house: House, visit: Visit, watch: Watch
) -> None:
    watch.expected.append("401")  # a reset ends the session while the page still asks whose turn it is
    page = await visit(house, "gaoyuan")
    await page.eval_on_selector("[data-play]", FASTER)
    await page.click("[data-play] button")
    await expect(page.locator("[data-story]")).to_contain_text("/9")
    await expect(page.locator("[data-story]")).to_contain_text("9/9", timeout=60_000)
    await expect(page.locator("[data-play] button")).to_be_visible()
    for word in ("已受理", "已签收", "退单", "已到场", "已反馈"):
        assert await line(page, f"【{word}").count(), word
    await line(page, "【已办结】").hover()
    await line(page, "【已办结】").get_by_text("内情").click()
    inspector = page.locator("[data-inspector]")
    await expect(inspector).to_contain_text("核查通过")
    await expect(inspector).to_contain_text("已送达")
    await page.keyboard.press("Escape")
    await expect(page.locator("[data-play] button")).to_be_visible()
    await page.click("text=重置")
    await page.check("[data-reset] input[type=checkbox]")
    async with page.expect_navigation():
        await page.click("[data-reset] button")
    await expect(page.locator(".blank")).to_be_visible()
    await expect(page.locator(".demo-bar")).to_contain_text("李敏")
    await say(page, "人民东路18号门口的井盖破了，有人差点掉进去")
    await expect(line(page, "【已受理】")).to_contain_text("-001")


async def test_the_clock_runs_ahead_to_the_next_deadline(house: House, visit: Visit) -> None:
    page = await visit(house)
    await say(page, "人民西路18号门口的井盖破了，有人差点掉进去")
    await expect(page.locator(f"{LINE}.k-dispatched").filter(has_text="人民西路18号")).to_be_visible()
    before = await page.inner_text("[data-clock]")
    await page.click(".menu.clock summary")
    await page.click("text=到下一个时限")
    await expect(page.locator("[data-toasts]")).to_contain_text("已快进到")
    assert await page.inner_text("[data-clock]") != before
    await expect(page.locator("[data-turn-list]")).to_contain_text("签收")
    await page.locator("[data-turn-list] button").first.click()
    await expect(page.locator(".demo-bar summary").first).not_to_contain_text("李敏")
    await become(page, house, "limin")


@pytest.mark.parametrize("size", ["desk", "phone"])
async def test_the_room_is_open_to_everybody(house: House, visit: Visit, size: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.async_playwright")
    page = await visit(house, "wangfang", size, bypass_csp=True)
    await say(page, "@群办 帮助")
    await expect(page.locator("li.pending")).to_have_count(0)
    found = await axe.Axe().run(page)
    assert [(one["id"], one["nodes"][0]["html"]) for one in found.response["violations"]] == []
