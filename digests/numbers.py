"""Document numbers (机关代字〔年〕号), as written and as cited (digest.md A2)."""

from __future__ import annotations

import re

OPEN, CLOSE = "〔\\[［【﹝(（", "〕\\]］】﹞)）"
AGENCY = re.compile(r"[\u4e00-\u9fff][\u4e00-\u9fff\s]{0,17}$")
NUMBER = re.compile(rf"[{OPEN}]\s*((?:19|20)\d\s?\d)\s*年?\s*[{CLOSE}]\s*第?\s*((?:\d\s*){{1,5}})号")
DECREE = re.compile(r"((?:国务院|主席|国)令|公告)\s*第?\s*(\d{1,4})\s*号")
YEARLY = re.compile(r"(公告)\s*[(（〔]?\s*((?:19|20)\d\d)\s*[)）〕]?年?\s*第\s*(\d{1,4})\s*号")
LEADING = re.compile(r"^.*(?:根据|按照|依据|落实|关于|贯彻|印发|执行|以及|现将|的|和|与|及|《.*》)")
HEAD = 150
CITED = re.compile("[《（(]|根据|按照|依据|落实|规定|执行|参照|见")


def numbers_in(text: str) -> tuple[str, ...]:
    """Every document number in `text` in one spelling, in order, once each."""
    plain = text.replace("\0", "")
    found = [(start, _spelt(*parts)) for start, _, parts in _bracketed(plain)]
    found += [(m.start(), f"{m[1]}{m[2]}年第{int(m[3])}号") for m in YEARLY.finditer(plain)]
    found += [(m.start(), f"{'国务院令' if m[1] == '国令' else m[1]}第{int(m[2])}号") for m in DECREE.finditer(plain)]
    return tuple(dict.fromkeys(number for _, number in sorted(found)))


def own_number(title: str, body: str) -> str | None:
    """The number a document carries itself: alone on an early line or closing the title; a cited one is not taken."""
    for line in (title, *body[:HEAD].split("\n")):
        spans = [(start, end) for start, end, _ in _bracketed(line)]
        spans += [m.span() for pattern in (YEARLY, DECREE) for m in pattern.finditer(line)]
        for start, end in spans:
            before, after = line[:start].strip(), line[end:].strip()
            closing = line == title and after in ("", ")", "）")
            alone = len(before + after) <= 8 and not CITED.search(before + after)
            if closing or alone:
                return numbers_in(line[start:end])[0]
    return None


def _bracketed(text: str) -> list[tuple[int, int, tuple[str, str, str]]]:
    """Where each 机关代字〔年〕号 stands, and its three parts."""
    found = []
    for match in NUMBER.finditer(text):
        agency = AGENCY.search(text[max(0, match.start() - 18) : match.start()])
        if agency:
            name = LEADING.sub("", re.sub(r"\s", "", agency[0])) or re.sub(r"\s", "", agency[0])
            begin = (
                match.start() - len(agency[0]) if name == re.sub(r"\s", "", agency[0]) else match.start() - len(name)
            )
            found.append((begin, match.end(), (name, match[1], match[2])))
    return found


def _spelt(agency: str, year: str, serial: str) -> str:
    return f"{agency}〔{re.sub(r'[^0-9]', '', year)}〕{int(re.sub(r'[^0-9]', '', serial))}号"
