"""What keeps an item back or asks for a look: secrecy marks, leaders' titles, old names, advertising, expiry, empty text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from config.digest import table
from digests.facts import form_of
from digests.items import Item
from digests.markings import marking
from digests.screening import RULES, find_secret

MARKS = tuple(
    r for r in RULES if r.name in ("密级标志", "密级缓急", "标注密级", "保密期限", "限制传阅", "内部资料", "方括密级")
)  # not talk of them
QUOTED = re.compile(r"[“\"「『‘'][^”\"」』’'\n]{1,14}[”\"」』’']")  # a mark spoken of stands in quotation marks
SHORTEST = 15  # characters of text below which there is nothing to read
HARD_ADS, SOFT_ADS = 2, 3
AD_LENGTH = 500
SAYS = "主持|出席|强调|指出|讲话|表示|带队|带领|率|到|在|赴|调研|参加|深入|来|一行|作|介绍|宣布|同志|、|，|,|。|$"
BROKEN = re.compile(
    "�|锟斤拷|烫烫烫|Ã[\u0080-\u00bf]|â€|404NotFound|502BadGateway|页面不存在|访问的页面|请开启JavaScript|加载中|系统繁忙|undefined|nullnull",
    re.IGNORECASE,
)
EXPIRED = re.compile("(?:全文|已|现|予以)(?:失效|废止)|自.{0,20}?起(?:失效|废止)")
INSIDE = re.compile(
    r"内部(?:资料|文件|材料|刊物|参考|使用|明电)[,，、:：\s【】(（)）]{0,4}(?:注意|妥善|严禁|不得|请勿|禁止|切勿)|(?:^|\n)\s*[【(（\[]?内部(?:资料|文件|材料|刊物|参考|使用|明电)[】)）\]]?\s*(?:$|\n)|仅限内部(?:使用|传阅|掌握|学习)|不得(?:公开|外传|对外(?:公开|传播))[。!！\s]*$|(?:^|\n)\s*工作秘密\s*(?:★.{0,8})?(?:$|\n)|(?:^|\n)\s*份\s*号\s*[:：]?\s*\d{3,}"
)


@dataclass(frozen=True, slots=True)
class Leader:
    """A person in office: dates are yyyy-mm-dd or empty for no limit."""

    name: str
    title: str
    valid_from: str = ""
    valid_to: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """`level`: block (never stored), hold (not without a person's decision) or flag (shown to the editor)."""

    rule: str
    level: str
    why: str


def check(item: Item, leaders: Sequence[Leader] = ()) -> tuple[Finding, ...]:
    """Everything found, gravest first."""
    found = [*secrecy(item), *_unreadable(item), *misprints(item, leaders), *_advertising(item)]
    if form_of(item.title) in ("retraction", "correction"):
        found.append(Finding("retraction", "flag", "更正或撤回声明，请核对已发内容"))
    return tuple(sorted(found, key=lambda finding: ("block", "hold", "flag").index(finding.level)))


def misprints(item: Item, leaders: Sequence[Leader] = ()) -> list[Finding]:
    """What a person should look at before words are printed: names and posts, old names, a document no longer in force."""
    found = [*leader_alarms(item, leaders), *_banned(item)]
    if EXPIRED.search(item.title):
        found.append(Finding("expired", "flag", "标题写明已失效或废止"))
    return found


def secrecy(item: Item) -> list[Finding]:
    """Marks as documents carry them. Only block and hold keep an item back; news about secrecy trips neither."""
    text = QUOTED.sub("", f"{item.title}\n{item.body}")
    for start in range(0, max(1, len(text)), 3800):  # find_secret reads 4,000 characters
        secret = find_secret(text[start : start + 4000], MARKS)
        if secret and secret.level in ("block", "hold"):
            return [Finding("secrecy", "block", secret.rule)]
    rule = "内部资料" if INSIDE.search(text) else marking(text)
    return [Finding("secrecy", "block", rule)] if rule else []


def leader_alarms(item: Item, leaders: Sequence[Leader]) -> list[Finding]:
    """A name beside another post, a post beside another name, or out of office on that day. Never corrected by itself."""
    text, day = f"{item.title}\n{item.body}", (item.published_at or item.day)[:10]
    named = [name for name in dict.fromkeys(leader.name for leader in leaders) if name in text]
    found = [_wrong_post(text, name, leaders, day) for name in named]
    found += _wrong_names(text, [leader for leader in leaders if _in_office(leader, day)])
    return [Finding("leader", "hold", why) for why in found if why]


def soft_ad(title: str, body: str) -> tuple[str, ...]:
    """Words of selling, when there are enough of them."""
    words, text = table("words")["soft_ads"], title + body
    hard = tuple(word for word in words["hard"] if word in text)
    soft = tuple(word for word in words["soft"] if word in text)
    more = len(text) // AD_LENGTH  # a long report meets such words by chance
    sells = (
        len(hard) >= HARD_ADS + more or (len(hard) > more and len(soft) >= 2 + more) or len(soft) >= 2 * SOFT_ADS + more
    )
    return hard + soft if sells else ()


def _wrong_post(text: str, name: str, leaders: Sequence[Leader], day: str) -> str | None:
    """Compare what stands before or after a leader's name with the posts held on that day."""
    posts = sorted((post for post in _posts(leaders)), key=len, reverse=True)
    mine = {leader.title for leader in leaders if leader.name == name and _in_office(leader, day)}
    for match in re.finditer(re.escape(name), text):
        before = _post_before(text[max(0, match.start() - 16) : match.start()], posts)
        if before and not any(_fits(before, own) for own in mine):
            return f"{before}{name}：与现任职务表不符" if mine else f"{before}{name}：当日不在任"
    return None


def _wrong_names(text: str, holders: Sequence[Leader]) -> list[str]:
    """Somebody else's name right after a post of the table: 县委书记, alone or with this county before it."""
    found = []
    for post in dict.fromkeys(form for leader in holders for form in _forms(leader.title)):
        names = [leader.name for leader in holders if post in _forms(leader.title)]
        for match in re.finditer(rf"(?:^|[^\u4e00-\u9fff]){re.escape(post)}({_name()})", text, re.MULTILINE):
            if not any(text.startswith(name, match.start(1)) for name in names):
                found.append(f"{post}{match[1]}：与现任职务表不符")
    return found


def _forms(title: str) -> set[str]:
    """A post with its place and from its 县 on; deputies are many, so only their full title counts."""
    parts = [part for part in re.split("[、，,兼 ]", title) if len(part) >= 2 and not part.startswith("副")]
    return {
        form
        for part in parts
        for form in (part, part[max(0, part.rfind("县")) :])
        if len(form) >= 2 and "常委" not in form
    }


def _name() -> str:
    return f"[{table('words')['surnames']}][\u4e00-\u9fff]{{1,2}}(?={SAYS})"


def _posts(leaders: Sequence[Leader]) -> set[str]:
    return {leader.title for leader in leaders} | set(table("words")["posts"].split("|"))


def _post_before(before: str, posts: Sequence[str]) -> str:
    """The longest known post that ends right before a name, with the place it names."""
    found = next((post for post in posts if before.endswith(post)), "")
    lead = re.search(r"([\u4e00-\u9fff]{0,10})$", before[: len(before) - len(found)]) if found else None
    return (("副" if lead and lead[1].endswith("副") else "") + found) if found else ""


def _fits(given: str, own: str) -> bool:
    """县长 fits 云溪县县长 and 县委副书记、县长; 县长 does not fit 副县长, nor 副县长 县长."""
    parts = re.split("[、，,兼 ]", own)
    return any(
        (part.endswith(given) and ("副" in part) == ("副" in given)) or given.endswith(part) for part in parts if part
    )


def _in_office(leader: Leader, day: str) -> bool:
    return not day or ((leader.valid_from or "0") <= day and day <= (leader.valid_to or "9"))


def _unreadable(item: Item) -> list[Finding]:
    text = "".join(item.body.split())
    if len(text) < SHORTEST:
        return [Finding("empty", "hold", "没有正文")]
    broken = BROKEN.findall(text)
    signs = sum(len(match) for match in broken)
    if signs >= 0.02 * len(text) or ("\ufffd" in item.title) or (broken and len(text) < 120):
        return [Finding("broken", "hold", "正文损坏或是出错页")]
    chinese = sum("\u4e00" <= c <= "\u9fff" for c in text[:2000])
    return [Finding("broken", "hold", "正文几乎没有汉字")] if chinese < 0.2 * len(text[:2000]) else []


def _advertising(item: Item) -> list[Finding]:
    words = soft_ad(item.title, item.body)
    return [Finding("advertising", "hold", f"疑似广告：{'、'.join(words[:4])}")] if words else []


def _banned(item: Item) -> list[Finding]:
    text = f"{item.title}\n{item.body}"
    return [
        Finding("banned", "flag", f"“{old}”宜写“{new}”") for old, new in table("words")["banned"].items() if old in text
    ]
