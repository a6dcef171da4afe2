"""Micro-classes and micro-warnings: whose turn it is, and every change to the library, screened before it is written.

todays(source, day, rest_days)   the day's card of each kind: the one planned for it, else the longest unused
write, plan, retire, take        what the console and `bot digest cards` do; they raise Rejected in Chinese
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from config.digest.cards import KINDS, CardRow, shipped_cards
from config.errors import Rejected
from store import Tx, audit, digest, editions
from store.editions import Card

Reader = Tx | sqlite3.Connection
SAMPLE = "sample"  # made_by of the starter library's cards: 范例
IMPORTER = "import"
QUIET = ("expired", "retraction")  # findings that say nothing about a card
DONE = {"added": "新增", "changed": "更新", "same": "未变"}
ROLES = ("editor", "admin")
TEXTS = {
    "secret": "内容疑似涉密，没有保存。请报告保密员。",
    "found": "没有保存：{why}。请改好再存。",
    "twin": "已有同名的卡片，请换一个标题或改那一张。",
    "gone": "没有这张卡片，请刷新页面后重试。",
    "past": "只能安排今天或以后的日子。",
    "retired": "这张卡片已停用，先恢复再安排。",
    "rest": "这张卡片{used}刚发过，{rest}天内不重复，最早{free}。",
    "validity": "那天不在它的有效期内。",
    "taken": "那天已安排了“{title}”，先改那一张。",
    "roles": "只有摘要编辑和管理员可以改卡片。",
}


def todays(source: Reader, day: str, rest_days: int) -> tuple[Card, ...]:
    """One card of each kind, class first; a kind whose cards all rest has none."""
    found = (editions.next_card(source, kind, day, rest_from(day, rest_days)) for kind in KINDS)
    return tuple(card for card in found if card is not None)


def rest_from(day: str, rest_days: int) -> str:
    """A card used on this day or later still rests."""
    return (date.fromisoformat(day) - timedelta(days=rest_days)).isoformat()


def write(tx: Tx, person: str, roles: Sequence[str], row: CardRow, n: int = 0) -> int:
    """A new card (n = 0) or other words for an old one; its number. Plan and state stay as they are."""
    _may(roles)
    refuse(row, _leaders(tx))
    twin = next((c for c in editions.cards(tx, row.kind) if c.title == row.title and c.n != n), None)
    if twin is not None:
        raise Rejected(TEXTS["twin"])
    if not n:
        n = editions.add_card(tx, _card(replace(row, state="ready", plan_on=""), person))
    else:
        old = _known(tx, n)
        kept = replace(row, kind=old.kind, state=old.state, plan_on=old.plan_on)
        editions.change_card(tx, replace(_card(kept, old.made_by), n=n))
    _note(tx, person, roles, n, "card_write")
    return n


def plan(tx: Tx, person: str, roles: Sequence[str], n: int, day: str, today: str, rest_days: int) -> None:
    """Mean a card for a day, or ("") for whenever its turn comes."""
    _may(roles)
    card = _known(tx, n)
    if day:
        _may_stand(tx, card, day, today, rest_days)
    editions.change_card(tx, replace(card, plan_on=day))
    _note(tx, person, roles, n, "card_plan")


def retire(tx: Tx, person: str, roles: Sequence[str], n: int, *, back: bool = False) -> None:
    """Take a card out of the turn, or put it back."""
    _may(roles)
    card = _known(tx, n)
    editions.change_card(tx, replace(card, state="ready" if back else "retired", plan_on=""))
    _note(tx, person, roles, n, "card_back" if back else "card_retire")


def take(tx: Tx, rows: Sequence[CardRow], person: str = IMPORTER) -> Counter[str]:
    """Add or change what a file says, all or nothing; cards it does not name stay."""
    leaders, done = _leaders(tx), Counter[str]()
    for row in rows:
        refuse(row, leaders)
    known = {(card.kind, card.title): card for card in editions.cards(tx)}
    for row in rows:
        done[_take_one(tx, row, known.get((row.kind, row.title)), person)] += 1
    audit.append(tx, "" if person == IMPORTER else person, "", "cli", "cards", "import", f"{done['added']}+{done['changed']}")  # fmt: skip
    return done


def load_samples(tx: Tx, person: str, roles: Sequence[str]) -> int:
    """The starter library's cards whose titles are not there yet; how many. Nothing an office has is changed."""
    _may(roles)
    known = {(card.kind, card.title) for card in editions.cards(tx)}
    missing = [row for row in shipped_cards() if (row.kind, row.title) not in known]
    for row in missing:
        editions.add_card(tx, _card(row, SAMPLE))
    audit.append(tx, person, "|".join(roles), "console", "cards", "card_samples", str(len(missing)))
    return len(missing)


def give(source: Reader) -> tuple[CardRow, ...]:
    """The library as a file holds it, oldest first."""
    return tuple(row_of(card) for card in reversed(editions.cards(source)))


def row_of(card: Card) -> CardRow:
    """One card as a file holds it."""
    return CardRow(
        card.kind, card.title, card.text, card.basis, card.url, card.source_name, card.plan_on, card.valid_from,
        card.valid_to, card.state, SAMPLE if card.made_by == SAMPLE else "own",
    )  # fmt: skip


def wrong(row: CardRow, leaders: Sequence[tuple[str, str, str, str]] = ()) -> str:
    """Why these words may not be printed, or ""."""
    from digests.checks import Leader, check
    from digests.items import Item
    from digests.personal import find_personal

    text = "\n".join((row.text, row.basis, row.source_name))
    found = [f for f in check(Item("", row.title, text), [Leader(*one) for one in leaders]) if f.rule not in QUIET]
    if any(finding.rule == "secrecy" for finding in found):
        return TEXTS["secret"]
    if found:
        return TEXTS["found"].replace("{why}", found[0].why)
    personal = find_personal(f"{row.title}\n{text}")
    return TEXTS["found"].replace("{why}", "有个人号码") if personal else ""


def refuse(row: CardRow, leaders: Sequence[tuple[str, str, str, str]] = ()) -> None:
    """Raise what `wrong` finds."""
    if why := wrong(row, leaders):
        raise Rejected(why)


def _take_one(tx: Tx, row: CardRow, old: Card | None, person: str) -> str:
    maker = SAMPLE if row.origin == SAMPLE else person
    if old is None:
        editions.add_card(tx, _card(row, maker))
        return "added"
    if replace(row_of(old), origin=row.origin) == row:
        return "same"
    editions.change_card(tx, replace(_card(row, old.made_by), n=old.n))
    return "changed"


def _may_stand(tx: Tx, card: Card, day: str, today: str, rest_days: int) -> None:
    if day < today:
        raise Rejected(TEXTS["past"])
    if card.state != "ready":
        raise Rejected(TEXTS["retired"], "wrong_state")
    if card.used_on and card.used_on >= rest_from(day, rest_days):
        free = (date.fromisoformat(card.used_on) + timedelta(days=rest_days + 1)).isoformat()
        said = TEXTS["rest"].replace("{used}", card.used_on).replace("{rest}", str(rest_days))
        raise Rejected(said.replace("{free}", free), "too_late")
    if (card.valid_from and day < card.valid_from) or (card.valid_to and day > card.valid_to):
        raise Rejected(TEXTS["validity"])
    other = next((c for c in editions.cards(tx, card.kind) if c.plan_on == day and c.n != card.n), None)
    if other is not None:
        raise Rejected(TEXTS["taken"].replace("{title}", other.title), "duplicate")


def _card(row: CardRow, person: str) -> Card:
    return Card(
        0, row.kind, row.title, row.text, row.basis, row.url, row.source_name, row.plan_on, row.valid_from,
        row.valid_to, state=row.state, made_by=person,
    )  # fmt: skip


def _known(tx: Tx, n: int) -> Card:
    card = editions.card(tx, n)
    if card is None:
        raise Rejected(TEXTS["gone"])
    return card


def _may(roles: Iterable[str]) -> None:
    if not set(ROLES).intersection(roles):
        raise Rejected(TEXTS["roles"], "not_allowed")


def _leaders(source: Reader) -> list[tuple[str, str, str, str]]:
    return digest.leaders(source)


def _note(tx: Tx, person: str, roles: Sequence[str], n: int, action: str) -> None:
    audit.append(tx, person, "|".join(roles), "console", f"card/{n}", action, "ok")
