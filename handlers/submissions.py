"""What members hand in for the digest (#投稿), and what its sources have to report: kept in the decision, read behind it."""

from __future__ import annotations

import re

from handlers.commands import Command
from handlers.turn import Turn
from store import sources

TEXTS = {
    "taken": "收到投稿，编号T{n}，编辑会看。选用与否不再另行通知",
    "empty": "请把链接或原文写在后面，例如：#投稿 https://…",
    "trouble": "摘要来源有问题：\n{lines}\n可在控制台“来源”查看",
}
TAG = re.compile(r"^(?:@\S+\s+)*[#＃]\s?投稿[:：,，\s]*")
LINK = re.compile(r"https?://[^\s\"'<>，。；、）】》「」]{4,2000}")
WORD = "#投稿"
LINES = 8


def tagged(text: str) -> bool:
    """Whether a message hands something in."""
    return TAG.match(text) is not None


def submit(turn: Turn, command: Command) -> None:
    """Keep it for the editors: the first link and the words around it."""
    text = TAG.sub("", turn.event.text).strip()
    link = LINK.search(text)
    if not text:
        return turn.reply("help", TEXTS["empty"])
    words = LINK.sub(" ", text, count=1).strip() if link else text
    n = sources.submit(turn.tx, turn.actor.id, turn.event.group, link[0] if link else "", "", words)
    turn.reply("received", TEXTS["taken"].replace("{n}", str(n)))


def trouble(turn: Turn) -> None:
    """Sources that broke or went quiet: one private line to each editor, to the administrators where there is none."""
    lines = turn.event.text.split("\n")[:LINES]
    said = TEXTS["trouble"].replace("{lines}", "\n".join(lines))
    for person in turn.office.with_role("editor") or turn.office.with_role("admin"):
        turn.tell(person.id, "help", said)
