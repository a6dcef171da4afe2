"""A page read whole: title, issuer, document number, dates, attachments, validity, main text. What is not there is None."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from config.digest import table
from digests.bodies import main_text, prune
from digests.dates import SHANGHAI, date_in_url, find_date
from digests.encoding import decode
from digests.numbers import numbers_in, own_number

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

LIMIT = 2_000_000
TITLE_LENGTH = 200
DATELINE = 40  # a line of its own above the text, not a date in a sentence
SHORTEST = 6  # a shorter page title names the column
ALIKE = 0.75  # of a heading's signs must be in a page title that words it another way
COLUMN_TAG = re.compile(r"^\[[^\[\]]{1,6}\]\s*")  # a forum's column before its title
PARTS = re.compile(
    r"\s*(?:—{2,}|--+|\||丨|｜|_|–|·(?=[\u4e00-\u9fff]{2,12}$)|(?<![0-9A-Za-z])[-－]|[-－](?![0-9A-Za-z])|\s{2,}| (?=[\u4e00-\u9fff]{2,14}$))\s*"
)
CRUMB = re.compile("[>›»→]|当前位置|您的位置|所在位置")
CUT = ("…", "...")
ABOUT = re.compile("关于|通知|公告|通报|意见|方案|办法|调研|召开|开展|印发")  # words of a title, not of a site
SITE_LENGTH, SHORT_PART = 20, 8
TAGS = re.compile(r"<[^>]*>")
SOURCE = re.compile(r"(?:来源|信息来源|文章来源|稿源|发布机构)\s*[：:]\s*([^\s|丨｜<>：:]{2,40})")
PUBLISHED = re.compile(
    r"(?:(?:发布|发表|更新|公开|公布|发稿|录入|添加|上传|信息|编辑|答复|回复|办结)(?:时间|日期)\s*[：:]"
    r"|(?<![\u4e00-\u9fff])(?:时间|日期)\s*[：:]|(?:发布|发表|编辑|更新|刊发)于)\s*(.{8,30})",
    re.DOTALL,
)
FILES = (".pdf", ".doc", ".docx", ".xls", ".xlsx", ".wps", ".et", ".zip", ".rar", ".ofd")
VALIDITY = re.compile(
    r"(全文有效|现行有效|部分(?:有效|失效|废止)|全文(?:失效|废止)|已(?:失效|废止|修改)|尚未生效|条款(?:失效|废止))"
)
TOLD_BY_SCRIPT = re.compile(
    r"""\bcreateTime\s*=\s*['"](20\d\d-\d\d-\d\d)|\bct\s*=\s*['"](1\d{9})['"]"""
)  # WeChat articles
MIDDLE = "td[align=center] b, td[align=center] font, p[align=center] b, p[align=center] strong, center b, center font, font[size] b, font[size]"
SCRIPTED = re.compile(r"<script\b", re.IGNORECASE)
DATE_METAS = (
    "pubdate",
    "firstpublishedtime",
    "publishdate",
    "article:published_time",
    "og:article:published_time",
    "publish_time",
    "datepublished",
)
INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says about itself; dates are yyyy-mm-dd. `challenge`: only scripts, a wall against robots."""

    text: str
    title: str | None = None
    issuer: str | None = None
    source: str | None = None
    doc_number: str | None = None
    published_on: str | None = None
    written_on: str | None = None
    validity: str | None = None
    attachments: tuple[str, ...] = ()
    encoding: str = "utf-8"
    damaged: int = 0
    challenge: bool = False


def read_page(data: bytes, url: str = "", body: str | None = None) -> Page:
    """Read an article page; `body` is the source's own selector for its text. Never raises on what it is given."""
    from selectolax.lexbor import LexborHTMLParser

    decoded = decode(data[:LIMIT])
    tree = LexborHTMLParser(decoded.text.replace("\0", ""))
    metas, labels = _metas(tree), _labels(tree)
    shown = _shown(tree)
    title = _title(tree, metas, labels)
    prune(tree)
    text = main_text(tree, body)
    number = labels.get("doc_number") or ""
    return Page(
        text=text,
        title=title,
        issuer=labels.get("issuer") or None,
        source=_first(SOURCE, shown) or metas.get("contentsource") or None,
        doc_number=next(iter(numbers_in(number)), None) or own_number(title or "", text),
        published_on=_published(shown, metas, labels, text, url) or _scripted(decoded.text),
        written_on=find_date(labels.get("written_on", "")),
        validity=labels.get("validity") or _first(VALIDITY, shown[:2000]),
        attachments=_attachments(tree, url),
        encoding=decoded.encoding,
        damaged=decoded.damaged,
        challenge=len(text) < 20 and bool(SCRIPTED.search(decoded.text)) and not title,
    )


def _metas(tree: LexborHTMLParser) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in tree.css("meta[content]"):
        name = (node.attributes.get("name") or node.attributes.get("property") or "").lower()
        value = _clean(node.attributes.get("content") or "")
        if name and value:
            found.setdefault(name, value)
    return found


def _labels(tree: LexborHTMLParser) -> dict[str, str]:
    """The disclosure table in whatever layout: a cell that is a known label, and the cell after it."""
    names = {word: key for key, words in table("reading")["labels"].items() for word in words}
    found: dict[str, str] = {}
    cells = [_clean(node.text()) for node in tree.css("td,th,dt,dd,li,b,strong,.bd1 span")[:400]]
    for cell, after in zip(cells, [*cells[1:], ""], strict=False):
        head, colon, rest = cell.partition("：") if "：" in cell else cell.partition(":")
        key = names.get(re.sub(r"[\s【】\[\]：:]", "", head)) if len(head) <= 14 else None
        value = rest.strip() if colon and rest.strip() else after
        if key and value and len(value) <= 120 and re.sub(r"[\s【】：:]", "", value) not in names:
            found.setdefault(key, value)
    return found


def _shown(tree: LexborHTMLParser) -> str:
    """Everything a reader sees above and in the article, scripts aside."""
    for node in tree.css("script,style,noscript"):
        node.decompose()
    return tree.body.text(separator=" ") if tree.body is not None else ""


def _title(tree: LexborHTMLParser, metas: Mapping[str, str], labels: Mapping[str, str]) -> str | None:
    """The visible heading that agrees with the page's <title> or its meta; else these; else what stands out."""
    whole = _clean(next((node.text() for node in tree.css("title")), ""))
    page = _own_part(whole)
    named = _own_part(metas.get("articletitle") or metas.get("og:title") or "")
    nodes = [node for css in table("reading")["titles"] for node in tree.css(css)[:6] if not _is_menu(node)]
    headings = [
        text for node in nodes if 4 <= len(text := _clean(node.text())) <= TITLE_LENGTH and not CRUMB.search(text)
    ]
    fits = [h for h in headings if not _is_site(h) and (_agrees(h, whole) or _agrees(h, named))]
    if fits:
        best = max(fits, key=lambda h: (_bare(h) in (_bare(page), _bare(named)), len(_bare(h))))
        untagged = COLUMN_TAG.sub("", best)
        return untagged if _bare(best) not in _bare(page + named) and _bare(untagged) in _bare(page + named) else best
    plain = named if len(named) >= 4 else page if len(page) >= SHORTEST else labels.get("title", "")
    if plain and not plain.endswith(CUT):
        return plain
    middle = (_clean(node.text()) for node in tree.css(MIDDLE)[:12] if not _is_menu(node))
    apart = (
        h for h in (*headings, *middle) if SHORTEST < len(h) <= TITLE_LENGTH and not _is_site(h) and not CRUMB.search(h)
    )
    return next(apart, plain or page or (headings[0] if headings else "")) or None


def _is_menu(node: LexborNode) -> bool:
    """A row of links is no heading."""
    links = node.css("a")
    return len(links) > 1 and 2 * sum(len(link.text()) for link in links) > len(node.text())


def _agrees(heading: str, other: str) -> bool:
    small, large = sorted((_bare(heading), _bare(other)), key=len)
    alike = len(small) >= 10 and len(set(small) & set(large)) >= ALIKE * len(set(small))
    return len(small) >= 4 and (small in large or alike)


def _bare(text: str) -> str:
    return re.sub(r"[\W_]", "", text)


def _own_part(title: str) -> str:
    """A title less the names of column and site at its ends; "" when nothing else is left of it."""
    parts = [part for part in PARTS.split(title) if part.strip()]
    kept = [part for part in parts if not _is_site(part)]
    if not kept:
        return ""
    best = max(kept, key=len)
    first, last = parts.index(best), parts.index(best)
    while first > 0 and parts[first - 1] in kept and len(parts[first - 1]) > SHORT_PART:
        first -= 1
    while last + 1 < len(parts) and parts[last + 1] in kept and len(parts[last + 1]) > SHORT_PART:
        last += 1
    return title[title.find(parts[first]) : title.rfind(parts[last]) + len(parts[last])].strip()


def _is_site(part: str) -> bool:
    """The name of a site, a column or a template, not of an article."""
    words = table("reading")
    bare = part.strip()
    named = (
        bare.endswith((*words["site_names"], *words["site_ends"]))
        and len(bare) <= SITE_LENGTH
        and not ABOUT.search(bare)
    )
    return named or bare in words["columns"]


def _published(shown: str, metas: Mapping[str, str], labels: Mapping[str, str], text: str, url: str) -> str | None:
    marked = PUBLISHED.search(shown)
    tries = [labels.get("published_on", ""), marked[1] if marked else ""]
    tries += [metas[name] for name in DATE_METAS if name in metas]
    for written in tries:
        found = find_date(written)
        if found:
            return found
    before = shown.split(text[:12].strip() or "\0")[0] if text else shown
    alone = (line for line in text.split("\n")[:5] if len(line) <= DATELINE)
    return find_date(before[-300:]) or next(filter(None, map(find_date, alone)), None) or date_in_url(url)


def _scripted(source: str) -> str | None:
    """The day a WeChat article was sent, which its page writes by script."""
    found = TOLD_BY_SCRIPT.search(source)
    if found is None:
        return None
    return found[1] or datetime.fromtimestamp(int(found[2]), SHANGHAI).date().isoformat()


def _attachments(tree: LexborHTMLParser, base: str) -> tuple[str, ...]:
    found: list[str] = []
    for node in tree.css("a[href]"):
        href = (node.attributes.get("oldsrc") or node.attributes.get("href") or "").strip()
        try:
            address = urljoin(base, href)
            if urlsplit(address).path.lower().endswith(FILES):
                found.append(address)
        except ValueError:
            continue
    return tuple(dict.fromkeys(found))


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[1].strip() if found else None


def _clean(text: str) -> str:
    return " ".join(TAGS.sub("", INVISIBLE.sub("", text)).split())
