"""The knowledge base out of and into a data directory, as one sheet (CSV or Excel); asking it one question.

An import checks everything first and then is one transaction; what the file says is 已生效 counts as approved by whoever
imports, and is written into the audit so. Entries the file does not name stay as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

from config.errors import ConfigError
from config.faq.entries import Entry, shipped_entries
from handlers.faq.assistant import Assistant
from handlers.faq.bands import Outcome
from handlers.faq.filing import FilingCalendar
from store import Store, Tx, audit, faq
from store.peeking import glance, reading

IMPORTER = "import"  # author and approver of what comes from a file
DONE = {"added": "新增", "changed": "更新", "drafts": "待审", "withdrawn": "停用", "same": "未变"}


def standing_entries(data: Path) -> tuple[Entry, ...]:
    """What a directory holds, one version an entry; the starter base where nothing was started yet."""
    seen = glance(data)
    if seen is None or not seen.loaded:
        return shipped_entries()
    with reading(data) as connection:
        return tuple(version.entry for version in faq.newest(connection)) or shipped_entries()


async def put_in(data: Path, entries: Sequence[Entry]) -> Counter[str]:
    """Take the entries of a file; refused while a server holds the directory."""
    seen = glance(data)
    if seen is None or not seen.loaded:
        raise ConfigError(f"{data} 里还没有数据，请先启动一次。")
    store = Store.open(data)
    try:
        return await store.write(partial(_take, entries))
    finally:
        store.close()


def _take(entries: Iterable[Entry], tx: Tx) -> Counter[str]:
    if faq.empty(tx):
        faq.found(tx, shipped_entries())
    done: Counter[str] = Counter()
    for entry in entries:
        done[_take_one(tx, entry)] += 1
    audit.append(tx, "", "", "cli", "faq", "import", f"{done['added']}+{done['changed']}")
    return done


def _take_one(tx: Tx, entry: Entry) -> str:
    live = faq.get(tx, entry.id)
    if entry.status == "retired":
        return "withdrawn" if live is not None and faq.withdraw(tx, entry.id, IMPORTER) else "same"
    if live is not None and _same(live, entry) and entry.status == "live":
        return "same"
    if entry.status == "live":
        faq.publish(tx, entry, IMPORTER, IMPORTER)
        return "added" if live is None else "changed"
    waiting = (version.entry for version in faq.versions(tx, entry.id) if version.state == "draft")
    if any(_same(other, entry) for other in waiting):
        return "same"
    faq.propose(tx, entry, IMPORTER)
    return "drafts"


def _same(one: Entry, other: Entry) -> bool:
    return replace(one, version=1, status="") == replace(other, version=1, status="")


def ask(entries: Iterable[Entry], text: str, day: date) -> tuple[Outcome, ...]:
    """What would be done with a message on a day, by words alone."""
    assistant = Assistant(filing=FilingCalendar())
    assistant.load(entries)
    return assistant.hear(text, day)
