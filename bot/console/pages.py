"""The office's pages."""

from __future__ import annotations

from aiohttp import web


def add_routes(app: web.Application) -> None:
    """Task board, task page, delivery, people."""
