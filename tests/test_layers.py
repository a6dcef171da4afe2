"""The five floors hold: imports go down only, and the deciding floors do no I/O and read no wall clock."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).resolve().parents[1]
DECIDING = sorted(path for floor in ("handlers", "digests") for path in (ROOT / floor).rglob("*.py"))
NETWORK = {
    "aiohttp",
    "ftplib",
    "http.client",
    "requests",
    "smtplib",
    "socket",
    "subprocess",
    "urllib.request",
    "urllib3",
}
CLOCKS = {"time.time", "time.monotonic", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}


def test_imports_go_down_only() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None) == EXIT_STATUS_SUCCESS


@pytest.mark.parametrize("path", DECIDING, ids=lambda path: str(path.relative_to(ROOT)))
def test_deciding_touches_no_network_and_no_wall_clock(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert not NETWORK & set(imported(tree))
    assert not [call for call in called(tree) if any(call == clock or call.endswith(f".{clock}") for clock in CLOCKS)]


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name for alias in node.names for name in (alias.name, alias.name.split(".")[0]))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (node.module, node.module.split(".")[0])


def called(tree: ast.AST) -> Iterator[str]:
    return (ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call))


@pytest.mark.parametrize("code", ["import time\ntime.time()", "datetime.datetime.now()", "date.today()"])
def test_the_check_sees_a_clock(code: str) -> None:
    assert any(call.endswith(clock) for call in called(ast.parse(code)) for clock in CLOCKS)
