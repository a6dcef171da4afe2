"""An edition as a platform's message: plain text, markdown or news cards, never over a limit.

One message wherever possible: whole sentences go, from the end of the longest item first. Titles and links are never
cut; where they alone are too much there are parts (1/2), split between items. Everything printed is harmless on every
platform (digests.characters), and a link is an address of http or https or is left out.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import accumulate
from typing import NamedTuple

from digests.characters import clipped, link, split, words
from digests.summaries import SENTENCE

LEAST = 1024  # bytes; no platform takes less (platforms.md)
ENDLESS = 1 << 40
CARD_TITLE, CARD_ABOUT = 128, 512  # bytes; WeCom cuts off what is longer (its document 91770)
WEEKDAYS = "一二三四五六日"
NARROW = str.maketrans("[]*_`<>~|\\#", "［］＊＿｀＜＞～｜＼＃")  # markdown's signs as signs that only look like them
TOO_LONG = "链接过长，未列出"


@dataclass(frozen=True, slots=True)
class Line:
    """One item as it is printed; `also` other sources carry it."""

    column: str
    title: str
    text: str = ""
    url: str = ""
    source: str = ""
    also: int = 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a group is sent: items in order, numbered from 1."""

    title: str
    lines: tuple[Line, ...] = ()
    foot: str = ""


class Article(NamedTuple):
    """A news card, in the order `Message.articles` has it."""

    title: str
    about: str
    url: str


@dataclass(frozen=True, slots=True)
class _Style:
    """How one form writes a part's first line, a column and an item."""

    top: Callable[[str], str]
    column: Callable[[str], str]
    item: Callable[[int, Line], str]
    plain: Callable[[str], str] = str


@dataclass(frozen=True, slots=True)
class _Frame:
    """What every part carries, and the bytes it leaves for items."""

    top: str
    foot: str
    room: int


def sheet_json(sheet: Sheet) -> str:
    """The sheet for a drawing's row."""
    return json.dumps(asdict(sheet), ensure_ascii=False, separators=(",", ":"))


def sheet_of(text: str) -> Sheet:
    """The sheet a drawing's row holds."""
    stored = json.loads(text)
    return Sheet(stored["title"], tuple(Line(**line) for line in stored["lines"]), stored["foot"])


def title_line(day: str, county: str) -> str:
    """The edition's name: 云溪县每日摘要 · 11月25日 星期三."""
    date = datetime.date.fromisoformat(day)
    return f"{county}每日摘要 · {date.month}月{date.day}日 星期{WEEKDAYS[date.weekday()]}"


def bare(sheet: Sheet) -> Sheet:
    """Titles, sources and links alone: what stands beside a picture."""
    return replace(sheet, lines=tuple(replace(line, text="") for line in sheet.lines))


def linked(sheet: Sheet) -> bool:
    """Whether every item has an address: a platform takes no news card without one."""
    return all(link(line.url) for line in sheet.lines)


def as_text(sheet: Sheet, most: int) -> tuple[str, ...]:
    """Plain text in parts of at most so many bytes (0 = any)."""
    return _laid_out(sheet, most, TEXT)


def as_markdown(sheet: Sheet, most: int) -> tuple[str, ...]:
    """Markdown as WeCom reads it, in parts of at most so many bytes (0 = any)."""
    return _laid_out(sheet, most, MARKDOWN)


def as_articles(sheet: Sheet, most: int) -> tuple[tuple[Article, ...], ...]:
    """News cards, at most so many in a message (0 = any), shared out evenly."""
    sheet = _clean(sheet, str)
    cards = [card for n, line in enumerate(sheet.lines, 1) for card in _cards(sheet, n, line)]
    messages = -(-len(cards) // most) if most else 1
    size = -(-len(cards) // max(1, messages))
    return tuple(tuple(cards[at : at + size]) for at in range(0, len(cards), max(1, size)))


def source_line(line: Line) -> str:
    """Where it comes from, and how many others carry it."""
    others = f"另有{min(line.also, 9999)}家转载" if line.also > 0 else ""
    return "，".join(filter(None, (f"来源：{line.source}" if line.source else "", others)))


def _text_item(n: int, line: Line) -> str:
    return "\n".join(filter(None, (f"{n}. {line.title}", line.text, source_line(line), line.url)))


def _markdown_item(n: int, line: Line) -> str:
    head = f"{n}. [{line.title}]({line.url})" if line.url.startswith("http") else f"{n}. **{line.title}**"
    note = line.url if line.url == TOO_LONG else ""
    return "\n".join([head, *(f"> {said}" for said in (line.text, source_line(line), note) if said)])


TEXT = _Style(str, lambda name: f"【{name}】", _text_item)
MARKDOWN = _Style(
    lambda top: f"## {top}", lambda name: f"**【{name}】**", _markdown_item, lambda said: said.translate(NARROW)
)


def _clean(sheet: Sheet, plain: Callable[[str], str]) -> Sheet:
    lines = tuple(
        Line(
            plain(words(o.column)),
            plain(words(o.title)),
            plain(words(o.text)),
            link(o.url),
            plain(words(o.source)),
            o.also,
        )
        for o in sheet.lines
    )
    return Sheet(plain(words(sheet.title)), lines, plain(words(sheet.foot)))


def _laid_out(sheet: Sheet, most: int, style: _Style) -> tuple[str, ...]:
    most = most or ENDLESS
    if most < LEAST:
        raise ValueError(f"a message of {most} bytes holds no edition")
    sheet = _clean(sheet, style.plain)
    frame = _frame(sheet, most, style)
    lines = [_fitted(line, frame.room) for line in sheet.lines]
    kept = [_kept(n, line, frame.room, style) for n, line in enumerate(lines, 1)]
    fewest = len(_packed([replace(line, text="") for line in lines], frame, style))
    while True:
        said = [replace(line, text="".join(some)) for line, some in zip(lines, kept, strict=True)]
        parts = _packed(said, frame, style)
        if len(parts) <= fewest or not any(kept):
            return _labelled(parts, frame, style)
        kept[_longest(said, kept, style)].pop()


def _frame(sheet: Sheet, most: int, style: _Style) -> _Frame:
    """At most a quarter of a part goes to its first line and its foot."""
    top, foot = clipped(sheet.title, most // 8), clipped(sheet.foot, most // 8)
    label = "（99999/99999）"
    return _Frame(top, foot, most - _size(style.top(top + label)) - _size(foot) - 2 * len("\n\n"))


def _fitted(line: Line, room: int) -> Line:
    """Column and source are ours to shorten; a link longer than a part is named instead."""
    column, source = clipped(line.column, room // 8), clipped(line.source, room // 8)
    url = line.url if _size(line.url) <= room // 2 else TOO_LONG
    return replace(line, column=column, source=source, url=url)


def _packed(lines: Sequence[Line], frame: _Frame, style: _Style) -> list[str]:
    """The items in as few parts as their order allows; one too large for a part is split, its link never."""
    parts, size, column = [""], 0, ""
    for n, line in enumerate(lines, 1):
        for piece in _pieces(n, line, frame.room - _size(style.column(line.column)) - 1, style):
            head = f"{style.column(line.column)}\n" if line.column and (line.column != column or not size) else ""
            if size and size + _size(head + piece) + 2 > frame.room:
                parts, size = [*parts, ""], 0
                head = f"{style.column(line.column)}\n" if line.column else ""
            parts[-1] += ("\n\n" if size else "") + head + piece
            size, column = _size(parts[-1]), line.column
    return parts


def _pieces(n: int, line: Line, room: int, style: _Style) -> tuple[str, ...]:
    whole = style.item(n, line)
    if _size(whole) <= room:
        return (whole,)
    empty = _size(style.item(n, replace(line, title="")))
    *firsts, last = split(line.title, room - empty)
    return (*(style.item(n, Line("", first)) for first in firsts), style.item(n, replace(line, title=last)))


def _kept(n: int, line: Line, room: int, style: _Style) -> list[str]:
    """The sentences that leave the item within a part of its own."""
    left = room - _size(style.column(line.column)) - _size(style.item(n, replace(line, text="\N{BULLET}")))
    sentences = _sentences(line.text)
    sizes = accumulate(map(_size, sentences))
    return [said for said, size in zip(sentences, sizes, strict=True) if size <= left]


def _longest(lines: Sequence[Line], kept: Sequence[list[str]], style: _Style) -> int:
    return max((at for at, some in enumerate(kept) if some), key=lambda at: (_size(style.item(at, lines[at])), at))


def _labelled(parts: Sequence[str], frame: _Frame, style: _Style) -> tuple[str, ...]:
    """Each part with its first line; the foot ends the last."""
    made = []
    for n, part in enumerate(parts, 1):
        label = f"（{n}/{len(parts)}）" if len(parts) > 1 else ""
        foot = frame.foot if n == len(parts) else ""
        made.append("\n\n".join(filter(None, (style.top(frame.top + label), part, foot))))
    return tuple(made)


def _cards(sheet: Sheet, n: int, line: Line) -> list[Article]:
    *firsts, last = split(f"{n}. {line.title}", CARD_TITLE)
    ends = (sheet.title if n == 1 else "", sheet.foot if n == len(sheet.lines) else "")
    return [*(Article(first, "", line.url) for first in firsts), Article(last, _about(line, *ends), line.url)]


def _about(line: Line, top: str, foot: str) -> str:
    """Column, sentences and source, sentences dropped from the end until the platform would cut nothing."""
    head, tail = clipped(line.column, CARD_ABOUT // 8), clipped(source_line(line), CARD_ABOUT // 8)
    top, foot = clipped(top, CARD_ABOUT // 8), clipped(foot, CARD_ABOUT // 8)
    kept = _sentences(line.text)
    while True:
        about = "\n".join(filter(None, (top, f"【{head}】" if head else "", "".join(kept), tail, foot)))
        if _size(about) <= CARD_ABOUT or not kept:
            return about
        kept.pop()


def _sentences(text: str) -> list[str]:
    return [found[0] for found in SENTENCE.finditer(text)]


def _size(text: str) -> int:
    return len(text.encode())
