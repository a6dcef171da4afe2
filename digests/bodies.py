"""The main text of a page, by a ladder: the source's own selector, known containers, then text density (digest.md B4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from config.digest import table

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

BLOCKS = frozenset(
    [
        "p",
        "div",
        "br",
        "li",
        "tr",
        "td",
        "th",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "section",
        "article",
        "table",
        "ul",
        "ol",
        "blockquote",
        "pre",
        "dd",
        "dt",
        "center",
    ]
)
ENOUGH = 60  # characters a known container must hold
SHARE = 0.3  # of the densest block's text a known container must hold, else it is an empty frame or a summary
BLANK = re.compile(r"[^\S\n]+")
STOPS = re.compile("[，。；！？、：,;]")
FOOTER = re.compile("ICP备|版权所有|公网安备|网站标识码|备案号|感谢您的访问|主办(?:单位)?[：:].{2,30}承办")
TAIL = re.compile(
    r"^(?:分享到|上一篇|下一篇|打印本页|关闭窗口|【打印|【关闭|相关(?:链接|阅读|新闻|附件|解读)|扫一扫|微信扫一扫|责任编辑|返回顶部|打印|关闭|收藏)"
)


def prune(tree: LexborHTMLParser) -> None:
    """Take out what is never the article."""
    for node in tree.css(table("reading")["drop"]):
        if node.tag not in ("body", "html") and len(node.text()) < 0.6 * _length(tree):
            node.decompose()


def main_text(tree: LexborHTMLParser, selector: str | None = None) -> str:
    """The article's paragraphs, one a line; "" when the page holds none. Expects a pruned tree."""
    if selector:
        own = [text for node in tree.css(selector) if (text := lines_of(node))]
        if own:
            return max(own, key=len)
    dense = _densest(tree)
    text = lines_of(dense) if dense is not None else ""
    for known in table("reading")["bodies"]:
        found = [lines_of(node) for node in tree.css(known)]
        best = max(found, key=len, default="")
        if len(best) >= max(ENOUGH, SHARE * len(text)):
            return _trimmed(best)
    return _trimmed(text)


def lines_of(node: LexborNode) -> str:
    """A node's text with a line break where a block ends and no other white space than single blanks."""
    pieces: list[str] = []
    for child in node.traverse(include_text=True):
        if child.tag == "-text":
            pieces.append((child.text_content or "").replace("\n", " "))
        elif child.tag in BLOCKS:
            pieces.append("\n")
    lines = (BLANK.sub(" ", line).strip(" \u3000\u200b\ufeff") for line in "".join(pieces).split("\n"))
    return "\n".join(line for line in lines if line)


def _densest(tree: LexborHTMLParser) -> LexborNode | None:
    """The block whose own paragraphs hold most sentence text; its parent when the text is spread over siblings."""
    if tree.body is None:
        return None
    scores: dict[int, float] = {}
    nodes: dict[int, LexborNode] = {}
    noise = re.compile(table("reading")["noise"], re.IGNORECASE)
    for leaf in tree.css("p,td,div,section,article,li,span,pre,center,blockquote"):
        weight = _weight(leaf)
        if weight <= 0:
            continue
        parent, share = leaf if leaf.tag not in ("p", "span", "li") else leaf.parent, 1.0
        for _ in range(4):
            if parent is None or parent.tag in ("html", "-document"):
                break
            name = f"{parent.attributes.get('class') or ''} {parent.attributes.get('id') or ''}"
            fit = 0.2 if parent.tag not in ("body", "article") and noise.search(name) else 1.0
            scores[parent.mem_id] = scores.get(parent.mem_id, 0.0) + weight * share * fit
            nodes[parent.mem_id] = parent
            parent, share = parent.parent, share * 0.72
    best = max(scores, key=lambda key: scores[key], default=None)
    return tree.body if best is None else nodes[best]


def _weight(node: LexborNode) -> float:
    """How much running text stands directly in this node: long, with sentence marks, not made of links."""
    direct = "".join(child.text_content or "" for child in node.iter(include_text=True) if child.tag == "-text").strip()
    inline = "".join(
        child.text() for child in node.iter() if child.tag in ("span", "strong", "b", "font", "em", "i", "u")
    )
    text = direct if node.tag == "span" else direct + inline.strip()
    if node.tag == "span" and node.parent is not None and node.parent.tag in ("p", "span"):
        return 0.0
    if len(text) < 10 or FOOTER.search(text):
        return 0.0
    linked = sum(len(link.text()) for link in node.css("a")) if node.tag != "div" else 0
    marks = len(STOPS.findall(text))
    return max(0.0, len(text) - 1.5 * linked) * min(1.0, 0.15 + marks * 12 / len(text)) + 8 * min(marks, 10)


def _trimmed(text: str) -> str:
    """Without the buttons and pointers that close an article."""
    lines = text.split("\n")
    while lines and TAIL.search(lines[-1]) and len(lines[-1]) < 60:
        lines.pop()
    return "\n".join(lines)


def _length(tree: LexborHTMLParser) -> int:
    return len(tree.body.text()) if tree.body is not None else 0
