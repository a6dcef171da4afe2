"""查 小微企业 政策: searching the archive from the chat, for whoever is registered, in a group or alone.

Words are cut outside the decision (bot.prepare asks the reading child); where that came too late, the newest titles are
looked through as they are. Held, erased and unpublished pieces are never shown; what was taken back or has expired says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from digests.screening import inert
from handlers import commands
from handlers.commands import Command
from handlers.events import Event
from handlers.office import Office
from handlers.tasks import desk
from handlers.turn import Turn
from store import Tx, archive, digest, editions
from store.digest import ItemRow

SHOWN = 5
LOOKED_AT = 40  # of what the index finds; the rest are re-posts of the same
NEWEST = 5000  # titles looked through when no words were cut
TITLE, SOURCE = 60, 20  # characters of one line
OURS = ("submitted", "pasted")  # handed in by people: public only once it went out or has an address
TASKS = re.compile(
    r"(?:我|我们|本人|本单位|的|未|没|待|已|所有|全部|这个?|那个?|办理?|处理|情况|进展|进度|状态|结果|工单|单子|上报|派单|任务|事项?|[\s,。?!])+"
)
OF_TASK = re.compile(r"(?:工单|单子|进度|进展|怎么?样|哪一?步)了?[?。!]*$")  # 西环路的单子
ENDED = re.compile(r"失效|废止")
TEXTS = {
    "found": "查到{n}条，新的在前：",
    "nothing": "没有查到。换个词，词之间空一格，例如：查 小微企业 政策。查工单请写编号",
    "titles": "（只查了标题，过一会儿再查会更全）",
    "pulled": "【已撤回】",
    "ended": "【已失效】",
    "part": "【部分失效】",
}


@dataclass(frozen=True, slots=True)
class Found:
    """One item as it is shown."""

    title: str
    source: str
    day: str
    url: str
    mark: str = ""


def asked(event: Event, office: Office) -> str:
    """The words a message looks for in the archive, or "": it is about a task, or no search."""
    if event.kind != "message" or event.quote or "查" not in event.text[:40]:
        return ""
    return words_of(commands.parse(event.text, office.unit_named))


def words_of(command: Command) -> str:
    """What a 查 looks for when no task is meant."""
    if command.verb != "look_up" or command.word not in ("查", "查询") or command.numbers:
        return ""
    about_tasks = not command.rest or TASKS.fullmatch(command.rest) or OF_TASK.search(command.rest)
    return "" if about_tasks else command.rest


def look_up(turn: Turn, command: Command) -> None:
    """A task where one is meant, else the archive."""
    words, group = words_of(command), turn.office.groups.get(turn.event.group)
    here = turn.event.addressed or turn.event.private or (group is not None and group.purpose == "notices")
    if not words or turn.event.quote or not here:
        return desk.look_up(turn, command)
    cut = turn.facts.terms
    found = list(search(turn.tx, words, cut))
    lines = list(_fitting(turn, found))
    said = [TEXTS["found"].replace("{n}", str(len(lines))), *lines] if lines else [TEXTS["nothing"]]
    turn.reply("help", "\n".join([*said, *([TEXTS["titles"]] if cut is None else [])]))


def search(tx: Tx, words: str, cut: Sequence[Sequence[str]] | None) -> Iterator[Found]:
    """At most SHOWN items, newest first, one of each story."""
    numbers = _by_title(tx, words) if cut is None else archive.search(tx, cut, LOOKED_AT)
    stories: set[int] = set()
    for n in numbers:
        row = digest.get(tx, n)
        if row is None or row.story in stories or not _public(tx, row):
            continue
        stories.add(row.story)
        title = digest.read(tx, n)[0]
        yield Found(title, row.source_name, (row.published_at or row.day)[:10], row.url, _mark(row, title))
        if len(stories) == SHOWN:
            return


def _by_title(tx: Tx, words: str) -> list[int]:
    wanted = words.split()
    titles = digest.newest_titles(tx, NEWEST)
    return [n for n, title in titles if all(word in title for word in wanted)][:LOOKED_AT]


def _public(tx: Tx, row: ItemRow) -> bool:
    if row.state not in ("kept", "pulled"):
        return False
    return row.source not in OURS or bool(row.url) or bool(editions.sent_days_of(tx, row.n))


def _mark(row: ItemRow, title: str) -> str:
    if row.state == "pulled":
        return TEXTS["pulled"]
    if "部分" in row.validity or "部分条款" in title:
        return TEXTS["part"] if ENDED.search(row.validity) or ENDED.search(title) else ""
    expired = ENDED.search(row.validity) or re.search(r"[(（](?:全文)?(?:已)?(?:失效|废止)[)）]", title)
    return TEXTS["ended"] if expired else ""


def _fitting(turn: Turn, found: Sequence[Found]) -> Iterator[str]:
    """Lines as long as the whole answer stays within the channel's limit."""
    channel = turn.office.channels.get(turn.event.channel)
    room = (channel.text_bytes if channel and channel.text_bytes else 1 << 20) - 160
    for place, one in enumerate(found, 1):
        line = _line(place, one)
        room -= len(line.encode()) + 1
        if room < 0:
            return
        yield line


def _line(place: int, one: Found) -> str:
    about = "，".join(part for part in (_short(one.source, SOURCE), one.day) if part)
    return f"{place}. {one.mark}{_short(inert(one.title), TITLE)}（{about}）" + (f"\n{one.url}" if one.url else "")


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
