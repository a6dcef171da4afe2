"""Dialogues are understood by the plain reader."""

from __future__ import annotations

import pytest

from tests.flows.town import PlainReader


@pytest.fixture(autouse=True)
def _plain_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.office.Reader", PlainReader)
