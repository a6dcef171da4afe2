"""The fact veto: two near-equal texts are two stories when a fact at the same place differs.

The texts are aligned; only what was *replaced* between two equal stretches counts, so a new lead, a new tail or a left-out
sentence vetoes nothing. Facts: numbers, percentages, periods, batches, warning levels and other rivals, persons,
places and bodies, the document's own number, and being a correction of the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from config.digest import table
from digests.numbers import own_number
from digests.wording import TITLE_LONGEST, plain, story, tokens

LONGEST = 2400  # tokens aligned
CONTEXT = 4  # equal tokens wanted on each side of a replacement
GAP = 24  # longer replacements are other paragraphs, not other facts
AGAIN = 2  # times a text comes back to what its title names
EDGE = 6  # the same at the very beginning or end, where re-posters write their own lead and tail
REACH = 4
TITLES_ALIKE = 0.6
HEAD = 260
OPENING = 60  # where news of a meeting says so
NUMERALS = re.compile(r"^[〇零一二三四五六七八九十百千万两首]+$")
DIGITS = re.compile(r"^\d")


@dataclass(frozen=True, slots=True)
class Told:
    """An item's words, cut once and compared often."""

    title: tuple[str, ...]
    body: tuple[str, ...]
    text: str
    number: str | None
    persons: frozenset[str]
    form: str


def told(title: str, body: str, doc_number: str | None = None) -> Told:
    """Cut an item for comparison."""
    text = story(body)
    short = plain(title[:TITLE_LONGEST])
    return Told(
        title=tuple(tokens(short)),
        body=tuple(tokens(text)[:LONGEST]),
        text=short + "\n" + text,
        number=doc_number or own_number(title, body),
        persons=frozenset(persons_in(short + "\n" + text[:4000])),
        form=form_of(short) or ("meeting" if form_of(text[:OPENING]) == "meeting" else ""),
    )


def compared(title: str, body: str) -> str:
    """The words two items are compared by: `told`'s text, without its facts."""
    return plain(title[:TITLE_LONGEST]) + "\n" + story(body)


def conflict(one: Told, other: Told) -> str | None:
    """Why these cannot be one story (Chinese, for the editor), or None."""
    if {one.form, other.form} & {"retraction", "correction"} and one.form != other.form:
        return "一篇是对另一篇的更正或撤回"
    if one.number and other.number and one.number != other.number:
        return f"文号不同：{one.number}、{other.number}"
    heads = _subjects(one), _subjects(other)
    if all(heads) and not heads[0] & heads[1] and not (heads[0] & other.persons or heads[1] & one.persons):
        return f"人员不同：{min(heads[0])}、{min(heads[1])}"
    for left, right, alike in ((one.title, other.title, TITLES_ALIKE), (one.body, other.body, 0.0)):
        for change in _changes(left, right, alike):
            found = _differs(change, one, other) or (_matter(change, one, other) if alike else None)
            if found:
                return found
    return None


def persons_in(text: str) -> set[str]:
    """Names as notices give them: after a post, before 涉嫌、同志、简历 or 男/女."""
    return {name for pattern in _persons() for name in pattern.findall(text)}


def form_of(title: str) -> str:
    """retraction, correction, meeting, interpretation or "" by the title's words."""
    return next((form for form, words in table("words")["forms"].items() if re.search(words, title)), "")


@dataclass(frozen=True, slots=True)
class Change:
    """What stands at one place in each text, and the same with REACH tokens around it."""

    left: tuple[str, ...]
    right: tuple[str, ...]
    around_left: str
    around_right: str


def _changes(left: Sequence[str], right: Sequence[str], alike: float) -> Iterator[Change]:
    from rapidfuzz.distance import Indel

    if not left or not right or (alike and Indel.normalized_similarity(left, right) < alike):
        return
    blocks = [(b.a, b.b, b.size) for b in Indel.opcodes(left, right).as_matching_blocks()]
    joined = _joined([(-9, -9, 9), *(b for b in blocks if b[2]), (len(left), len(right), 9)])
    for (a, b, size), (c, d, after) in pairwise(joined):
        gone, come = tuple(left[max(0, a + size) : c]), tuple(right[max(0, b + size) : d])
        room = EDGE if (a < 0 and a + size == 0) or c == len(left) else GAP
        if gone and come and max(len(gone), len(come)) <= room and size >= CONTEXT and after >= CONTEXT:
            low, high = max(0, a + size), max(0, b + size)
            yield Change(
                gone,
                come,
                "".join(left[max(0, low - REACH) : c + REACH]),
                "".join(right[max(0, high - REACH) : d + REACH]),
            )


def _joined(blocks: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Without chance matches of one or two tokens inside a replaced stretch: they would hide what was replaced."""
    kept = [blocks[0]]
    for block in blocks[1:]:
        last = kept[-1]
        if last[0] + last[2] == block[0] and last[1] + last[2] == block[1]:
            kept[-1] = (last[0], last[1], last[2] + block[2])
        elif block[2] >= CONTEXT:
            kept.append(block)
        elif (block[0] + block[2], block[1] + block[2]) == blocks[-1][:2]:
            kept.append((block[0], block[1], block[2] + blocks[-1][2]))
            break
    return kept


def _differs(change: Change, one: Told, other: Told) -> str | None:
    numbers = [[t for t in side if DIGITS.match(t)] for side in (change.left, change.right)]
    if all(numbers) and not set(numbers[0]) & set(numbers[1]):
        return f"数字不同：{numbers[0][0]}、{numbers[1][0]}"
    words = "".join(change.left), "".join(change.right)
    if all(NUMERALS.match(word) for word in words):
        return f"序号不同：{words[0]}、{words[1]}"
    names = _only(one.persons, change.around_left, other.text), _only(other.persons, change.around_right, one.text)
    if all(names):
        return f"人员不同：{names[0]}、{names[1]}"
    rival = _rivals(change)
    if rival:
        return f"内容不同：{rival[0]}、{rival[1]}"
    return _proper(change, one, other)


def _only(names: frozenset[str], around: str, elsewhere: str) -> str:
    return next((name for name in sorted(names) if name in around and name not in elsewhere), "")


def _rivals(change: Change) -> tuple[str, str] | None:
    for row in _rows():
        left = {word for word in row if word in change.around_left}
        right = {word for word in row if word in change.around_right}
        if left - right and right - left and any(set(word) & set(change.left) for word in left - right):
            return min(left - right), min(right - left)
    return None


def _proper(change: Change, one: Told, other: Told) -> str | None:
    """Two places or bodies: both stretches end in the same kind of proper noun and neither text knows the other's."""
    if len(change.left) > 10 or len(change.right) > 10:
        return None
    ends = [_ending().search(side) for side in _with_end(change)]
    reach = [len("".join(side)) for side in (change.left, change.right)]
    if (
        ends[0]
        and ends[1]
        and ends[0].start(2) <= reach[0]
        and ends[1].start(2) <= reach[1]
        and ends[0][2] == ends[1][2]
        and ends[0][0] != ends[1][0]
    ):
        known = _always(ends[0], one.text) and _always(ends[1], other.text)
        if known and ends[0][0] not in other.text and ends[1][0] not in one.text:
            return f"地方或单位不同：{ends[0][0]}、{ends[1][0]}"
    return None


def _matter(change: Change, one: Told, other: Told) -> str | None:
    """What the title names and the text comes back to, while the other text never speaks of it: 草鞋 and 军毯."""
    left, right = "".join(change.left), "".join(change.right)
    for a, b in ((left[-2:], right[-2:]), (left[:2], right[:2])):
        told = one.text.count(a), other.text.count(b)
        if len(a) == len(b) == 2 and min(told) >= AGAIN and a not in other.text and b not in one.text:
            return f"说的不是一件东西：{a}、{b}"
    return None


def _always(noun: re.Match[str], text: str) -> bool:
    """A name keeps its ending; an ordinary word that happens to stand before 省 or 县 is found without it."""
    return text.count(noun[1]) == text.count(noun[0])


def _with_end(change: Change) -> tuple[str, str]:
    left, right = "".join(change.left), "".join(change.right)
    tail = change.around_left[change.around_left.find(left) + len(left) :][:2]
    return left + tail, right + tail


def _subjects(side: Told) -> set[str]:
    return persons_in("".join(side.title)) or persons_in(side.text[:HEAD])


@cache
def _rows() -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(row.split("|")) for row in table("words")["rivals"])


@cache
def _ending() -> re.Pattern[str]:
    return re.compile(rf"([\u4e00-\u9fff]{{2,8}}?)({table('words')['proper']})")


@cache
def _persons() -> tuple[re.Pattern[str], ...]:
    words = table("words")
    name = rf"([{words['surnames']}][\u4e00-\u9fff]{{1,2}})"
    ends = "涉嫌|接受|被查|被开|同志|简历|,男|,女|严重违|违规|违纪|贪污|受贿|一审|主动|决定|任|等|,|。|$"
    return (
        re.compile(rf"(?:{words['posts']}){name}(?={ends})", re.MULTILINE),
        re.compile(rf"(?<![\u4e00-\u9fff]){name}(?=简历|,男|,女|同志(?:任|为|兼))"),
    )
