"""Papers an office files and prints: the Excel ledger, the Word bulletin, one case's whole file as a zip.

Each is made in a thread from rows read before; every one carries who took it and when (security.md A.3, aggregation risk).
"""

from __future__ import annotations

from dataclasses import dataclass

from handlers.calendar import local


@dataclass(frozen=True, slots=True)
class Taker:
    """Who takes a paper, from which office, and when (epoch seconds)."""

    name: str
    unit: str
    at: int

    def mark(self) -> str:
        """The watermark's words."""
        return f"{self.unit} {self.name} {local(self.at):%Y-%m-%d %H:%M} 导出，仅供工作使用，请妥善保管"


def moment(at: int | None) -> str:
    """A time as papers show it; empty for none."""
    return f"{local(at):%Y-%m-%d %H:%M}" if at else ""
