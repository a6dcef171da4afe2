"""Environments of their own for software we did not write: made once a test run, versions pinned beside the test.

    node = npm(folder, {"@wecom/crypto": "1.0.1"})      the folder to run node in
    python = venv(folder, ("wecom-aibot-sdk==1.0.8",))  its interpreter

A registry that cannot be reached skips the test, with the reason.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

INSTALL_SECONDS = 300


def npm(folder: Path, packages: Mapping[str, str]) -> Path:
    """Install exactly these packages."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("没有 Node，不能试 npm 上的对手软件")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": dict(packages)}))
    _run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"], folder)
    for name, version in packages.items():
        found = json.loads((folder / "node_modules" / name / "package.json").read_text())["version"]
        assert found == version
    return folder


def venv(folder: Path, packages: Sequence[str]) -> str:
    """An interpreter with exactly these."""
    folder.mkdir(parents=True, exist_ok=True)
    _run([sys.executable, "-m", "venv", str(folder / "venv")], folder)
    python = next(str(path) for path in folder.glob("venv/*/python*") if path.name in ("python", "python.exe"))
    _run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages], folder)
    return python


def _run(command: Sequence[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("软件仓库没有回应")
    if done.returncode:
        pytest.skip(f"装不上：{done.stderr.strip().splitlines()[-1] if done.stderr.strip() else done.returncode}")
