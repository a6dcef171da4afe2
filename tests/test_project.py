"""What the project says about itself holds: locks, container, packaging."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCKS = sorted(ROOT.glob("requirements*.lock"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.M)


def pins(lock: Path) -> dict[str, str]:
    return dict(PIN.findall(lock.read_text("utf-8")))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_pins_everything_with_hashes_and_names_no_index(lock: Path) -> None:
    text = lock.read_text("utf-8")
    entries = re.split(r"\n(?=[a-z])", text)[1:] or [text]
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"https?://|--index|--find-links|file:", text)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_lock_agrees_with_the_runtime_lock(lock: Path) -> None:
    runtime = pins(ROOT / "requirements.lock")
    assert {name: pins(lock).get(name) for name in runtime} == runtime


def test_every_dependency_is_locked_and_every_extra_has_a_lock() -> None:
    named = {re.split(r"[<>=;~! ]", line)[0] for line in PROJECT["project"]["dependencies"]}
    assert named <= set(pins(ROOT / "requirements.lock"))
    assert {lock.name for lock in LOCKS} == {
        "requirements.lock",
        *(f"requirements-{extra}.lock" for extra in PROJECT["project"]["optional-dependencies"]),
    }


def test_aiohttp_is_above_its_known_holes() -> None:
    version = tuple(map(int, pins(ROOT / "requirements.lock")["aiohttp"].split(".")))
    assert version >= (3, 14, 3)  # security.md E


@dataclass(frozen=True, slots=True)
class Step:
    word: str
    rest: str

    @property
    def argv(self) -> list[str]:
        return json.loads(self.rest) if self.rest.startswith("[") else shlex.split(self.rest)


def dockerfile() -> list[Step]:
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    return [Step(*line.split(maxsplit=1)) for line in text.splitlines() if line.strip() and not line.startswith("#")]


def step(word: str) -> Step:
    return next(one for one in dockerfile() if one.word == word)


def test_the_container_runs_as_nobody_special_and_keeps_its_data_outside() -> None:
    words = [one.word for one in dockerfile()]
    assert step("USER").rest != "root"
    assert words.index("USER") < words.index("CMD")
    assert step("VOLUME").rest in step("CMD").argv


def test_compose_opens_the_port_to_this_machine_only() -> None:
    ports = re.findall(r'"([\d.:]+:\d+)"', (ROOT / "compose.yaml").read_text("utf-8"))
    assert ports == [f"127.0.0.1:{step('EXPOSE').rest}:{step('EXPOSE').rest}"]


@pytest.fixture
def image(tmp_path: Path) -> Iterator[Path]:
    """An empty directory in which the Dockerfile's COPY and pip steps were carried out with a fresh venv."""
    app = tmp_path / "app"
    app.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    for one in dockerfile():
        if one.word == "COPY" and one.rest == ". .":
            ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
            patterns = shutil.ignore_patterns(*(line.removeprefix("**/") for line in ignored if "/" not in line[3:]))
            shutil.copytree(ROOT, app, dirs_exist_ok=True, ignore=patterns)
        elif one.word == "COPY":
            shutil.copy(ROOT / one.argv[0], app)
        elif one.word == "RUN" and one.rest.startswith("python -m pip"):
            install(python, one.argv[3:], app)
    yield app


def install(python: Path, words: list[str], app: Path) -> None:
    # the image's layers need no cache; here it spares the index
    words = [word for word in words if word != "--no-cache-dir"]
    line = [sys.executable, "-m", "pip", "--python", str(python), *words]
    done = subprocess.run(line, cwd=app, capture_output=True, text=True, check=False)
    if done.returncode and re.search(r"NewConnectionError|Temporary failure|ConnectTimeout", done.stdout + done.stderr):
        pytest.skip("连不上软件源，容器的安装步骤没有试")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not (ROOT / "bot" / "__main__.py").exists(), reason="bot/__main__.py 还没有")
def test_the_dockerfiles_own_steps_start_a_healthy_server(image: Path, tmp_path: Path) -> None:
    port = str(free_port())

    def here(words: list[str]) -> list[str]:
        moved = {"python": str(tmp_path / "venv/bin/python"), "/data": str(tmp_path / "data"), "8000": port}
        return [moved.get(word, word.replace(":8000/", f":{port}/")) for word in words]

    env = dict(pair.replace("/app", str(image)).split("=", 1) for pair in step("ENV").argv)
    health = json.loads(step("HEALTHCHECK").rest.partition("CMD ")[2])
    line = here(step("CMD").argv)
    with subprocess.Popen(line, cwd=tmp_path, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert f":{port}" in server.stdout.readline()
            assert subprocess.run(here(health), check=False).returncode == 0
        finally:
            server.terminate()
    assert server.returncode == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_wheel_carries_every_file_of_the_five_floors(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(line, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        packed = set(wheel.namelist())
    floors = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {path.as_posix() for path in tracked() if path.parts[0] in floors} <= packed


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [path for name in listed.split("\0") if name and (ROOT / (path := Path(name))).exists()]
