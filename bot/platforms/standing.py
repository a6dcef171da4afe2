"""How each channel's connection stands, on record for `bot check` and the console: the state and since when."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from store import Tx, meta

PREFIX = "channel/"
CONNECTED = "connected"


@dataclass(frozen=True, slots=True)
class Standing:
    """`state` is CONNECTED or a sentence saying what is wrong."""

    state: str
    since: int


def put(tx: Tx, channel: str, state: str) -> None:
    """From now on."""
    meta.put(tx, PREFIX + channel, json.dumps([state, tx.at], ensure_ascii=False))


def forget(tx: Tx, channel: str) -> None:
    """The channel says nothing of itself any more."""
    meta.put(tx, PREFIX + channel, "")


def get(source: Tx | sqlite3.Connection, channel: str) -> Standing | None:
    """None when the channel has never said."""
    found = meta.get(source, PREFIX + channel)
    return Standing(*json.loads(found)) if found else None
