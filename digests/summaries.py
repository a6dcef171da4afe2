"""Summaries are the source's own sentences with their offsets; a draft that adds a number, date or name is refused (D4)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from digests.facts import persons_in
from digests.numbers import numbers_in

SENTENCE = re.compile(r"[^。！？!?\n]+(?:[。！？!?]+[”」』）)]*)?")
SLOTS = (  # who must do what; amount or standard; deadline; in force from
    re.compile("应当|必须|不得|要求|不准|请|需|严禁|可以(?:申请|享受)"),
    re.compile(r"\d[\d.,]*\s*(?:元|万元|亿元|%|％|个百分点|倍|人|户|亩|吨)"),
    re.compile("截止|截至|之前|以前|期限|日前|逾期"),
    re.compile("施行|实施|生效|执行|自.{2,14}起"),
)
LONGEST = 160  # characters a sentence in the digest
MOST = 220  # characters all of them together
NUMBERS = re.compile(r"\d+(?:\.\d+)?")
QUOTES = re.compile("《[^《》]{2,60}》")
HANZI_NUMBERS = re.compile("[〇零一二三四五六七八九十百千万亿两]{2,}")
HANZI_COUNTS = re.compile("[一二三四五六七八九十两]+(?=[个名人起次批期日月年天户条件项家所倍成万亿级号])")
WORDS = re.compile("[\u4e00-\u9fff]{2,12}?(?:省|市|县|区|镇|乡|村|局|院|公司|银行|学校|医院)")


@dataclass(frozen=True, slots=True)
class Quote:
    """text == source[start:end], always."""

    start: int
    end: int
    text: str


def summarise(body: str, sentences: int = 3) -> tuple[Quote, ...]:
    """The lead and the sentences that answer most open slots, in the source's order. Discipline notices too: only quoted."""
    found = [quote for quote in _sentences(body) if 8 <= len(quote.text) <= LONGEST]
    picked, filled, room = found[:1], set[int](), MOST - sum(len(q.text) for q in found[:1])
    filled |= _slots(found[0].text) if found else set()
    while len(picked) < sentences:
        rest = [q for q in found if q not in picked and len(q.text) <= room and _slots(q.text) - filled]
        if not rest:
            break
        best = max(rest, key=lambda q: (len(_slots(q.text) - filled), -q.start))
        picked.append(best)
        filled |= _slots(best.text)
        room -= len(best.text)
    return tuple(sorted(picked, key=lambda q: q.start))


def unsupported(draft: str, source: str) -> tuple[str, ...]:
    """Numbers, dates, document numbers, names and titles of a draft that the source does not hold. Empty: it may pass."""
    draft, source = (unicodedata.normalize("NFKC", text).replace(",", "") for text in (draft, source))
    known = set(NUMBERS.findall(source))
    new = [number for number in NUMBERS.findall(draft) if number not in known]
    new += [number for number in numbers_in(draft) if number not in numbers_in(source)]
    plain = "".join(source.split())
    for pattern in (QUOTES, HANZI_NUMBERS, HANZI_COUNTS):
        new += [found for found in pattern.findall(draft) if found not in plain]
    new += [name for name in sorted(persons_in(draft)) if name not in plain]
    new += [word for word in WORDS.findall(draft) if not any(word[at:] in plain for at in range(max(1, len(word) - 2)))]
    return tuple(dict.fromkeys(new))


def _sentences(body: str) -> list[Quote]:
    found = []
    for match in SENTENCE.finditer(body):
        text = match[0].strip()
        if text:
            start = match.start() + match[0].index(text[0])
            found.append(Quote(start, start + len(text), text))
    return found


def _slots(text: str) -> set[int]:
    return {at for at, slot in enumerate(SLOTS) if slot.search(text)}
