"""Dialogues are understood by the plain reader, and begin in copies of one empty database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from store.migrations import migrate
from tests.flows.town import PlainReader


@pytest.fixture(autouse=True)
def _plain_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.office.Reader", PlainReader)


@pytest.fixture(scope="session")
def blank() -> Iterator[sqlite3.Connection]:
    """An empty database of today's schema; a copy costs a tenth of migrating."""
    made = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    migrate(made)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _copied_schema(monkeypatch: pytest.MonkeyPatch, blank: sqlite3.Connection) -> None:
    monkeypatch.setattr("store.store.migrate", blank.backup)
