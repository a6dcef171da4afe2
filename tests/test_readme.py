"""Both READMEs show the same commands, and every one does what it says when typed in a fresh clone."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from bot.pack import pack
from bot.rehearse import rehearse
from config.errors import QunbanError
from config.files import shipped_county

ROOT = Path(__file__).resolve().parents[1]
READMES = ("README.md", "README.zh-CN.md")
SERVES = re.compile(r"\./run( serve .*)?")
# what stands in for a command that cannot run inside a test, and why
INSTEAD = {
    "./test": "sh -n test",  # it is what runs this
    "docker compose up -d": "test -f compose.yaml",  # test_project carries out the Dockerfile's own steps
}


def commands(readme: str) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / readme).read_text("utf-8"), re.M | re.S)
    return [line.split(" #")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


def shell(line: str, clone: Path) -> subprocess.CompletedProcess[str]:
    """Typed by somebody who answers y when asked whether he is sure."""
    return subprocess.run(
        ["sh", "-c", line], cwd=clone, env=plain(), input="y\n", capture_output=True, text=True, check=False
    )


def plain() -> dict[str, str]:
    """The caller's environment, without what a test session adds, and told not to open a browser."""
    return {**os.environ, "CI": "true", "PYTHON": sys.executable}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this tree, installed from wheels packed here."""
    target = tmp_path_factory.mktemp("readme") / "群办"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    wheels = tmp_path_factory.mktemp("wheels")
    try:
        pack(wheels)
    except QunbanError:
        pytest.skip("连不上软件源，README 的命令没有试")
    installed = shell(f"./run --wheels {wheels} --install-only", target)
    assert installed.returncode == 0, installed.stderr
    return target


def test_both_readmes_show_the_same_commands() -> None:
    assert commands(READMES[0]) == commands(READMES[1])


@pytest.mark.parametrize("line", commands(READMES[0]))
def test_every_command_shown_works_in_the_order_shown(line: str, clone: Path) -> None:
    """The clone is one for all, so that a later command meets what an earlier one left."""
    if SERVES.fullmatch(line):
        serves(line, clone)
    else:
        done = shell(INSTEAD.get(line, line), clone)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def serves(line: str, clone: Path) -> None:
    """The server says where it is, is healthy there, and ends when asked to."""
    with subprocess.Popen(line.split(), cwd=clone, env=plain(), stdout=subprocess.PIPE, text=True) as server:
        try:
            said = re.search(r"http://\S+/", server.stdout.readline() if server.stdout else "")
            assert said, line
            with urllib.request.urlopen(f"{said[0]}healthz", timeout=5) as answer:
                assert answer.status == 200
        finally:
            server.terminate()
    assert server.returncode == 0


def test_the_story_told_happens() -> None:
    steps, faults = asyncio.run(rehearse(ROOT / "docs" / "story.jsonl", shipped_county()))
    assert not faults
    assert [step["tasks"][0]["state"] for step in steps] == ["dispatched", "accepted", "feedback_given", "closed"]
    assert [[notice["kind"] for notice in step["notices"]] for step in steps] == [
        ["dispatched"],
        ["accepted"],
        ["feedback"],
        ["closed"],
    ]
