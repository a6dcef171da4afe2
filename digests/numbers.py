"""Document numbers (机关代字〔年〕号), as written and as cited (digest.md A2)."""

from __future__ import annotations

import re

OPEN, CLOSE = "〔\\[［【﹝(（", "〕\\]］】﹞)）"
AGENCY = "[\u4e00-\u9fff]{1,12}(?:\\s?[\u4e00-\u9fff]){0,4}?"
NUMBER = re.compile(rf"({AGENCY})\s*[{OPEN}]\s*((?:19|20)\d\s?\d)\s*年?\s*[{CLOSE}]\s*第?\s*((?:\d\s*){{1,5}})号")
DECREE = re.compile(r"((?:国务院|主席|国)令|公告)\s*第?\s*(\d{1,4})\s*号")
YEARLY = re.compile(r"(公告)\s*[(（〔]?\s*((?:19|20)\d\d)\s*[)）〕]?年?\s*第\s*(\d{1,4})\s*号")
LEADING = re.compile(r"^.*(?:根据|按照|依据|落实|关于|贯彻|印发|执行|以及|现将|的|和|与|及|《.*》)")
HEAD = 150


def numbers_in(text: str) -> tuple[str, ...]:
    """Every document number in `text` in one spelling, in order, once each."""
    plain = text.replace("\0", "")
    found = [(m.start(), _spelt(m[1], m[2], m[3])) for m in NUMBER.finditer(plain)]
    found += [(m.start(), f"{m[1]}{m[2]}年第{int(m[3])}号") for m in YEARLY.finditer(plain)]
    found += [(m.start(), f"{'国务院令' if m[1] == '国令' else m[1]}第{int(m[2])}号") for m in DECREE.finditer(plain)]
    return tuple(dict.fromkeys(number for _, number in sorted(found)))


def own_number(title: str, body: str) -> str | None:
    """The number a document carries itself: alone on an early line or closing the title; a cited one is not taken."""
    for line in (title, *body[:HEAD].split("\n")):
        for match in (*NUMBER.finditer(line), *YEARLY.finditer(line), *DECREE.finditer(line)):
            before, after = line[: match.start()].strip(), line[match.end() :].strip()
            rest = before + after
            if (
                not rest
                or (len(rest) <= 8 and not re.search("[《（(]", before))
                or (not after and re.search(r"[)）]?$", line) and line == title)
            ):
                return numbers_in(match[0])[0]
    return None


def same_number(one: str, other: str) -> bool:
    """Whether two spellings mean one number."""
    return numbers_in(one)[:1] == numbers_in(other)[:1] if numbers_in(one) else one == other


def _spelt(agency: str, year: str, serial: str) -> str:
    agency = LEADING.sub("", re.sub(r"\s", "", agency)) or agency
    return f"{agency}〔{re.sub(chr(92) + 's', '', year)}〕{int(re.sub(r'[^0-9]', '', serial))}号"
