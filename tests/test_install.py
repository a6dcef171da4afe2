"""`./run` on a bare machine: a tiny clone with one made wheel, so that nothing here needs an index."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import pytest

from bot import install

ROOT = Path(__file__).resolve().parents[1]
BOT = """import json, os, sys, tiny
print(json.dumps({"cwd": os.getcwd(), "args": sys.argv[1:], "bot": os.path.dirname(os.path.abspath(__file__))}))
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="./run 是给 POSIX 的")


@dataclass(frozen=True, slots=True)
class Clone:
    root: Path
    pack: Path
    elsewhere: Path

    def command(self, *words: str) -> list[str]:
        return [str(self.root / "run"), "--wheels", str(self.pack), *words]

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            cwd=self.elsewhere,
            env={**os.environ, "PYTHON": sys.executable, **env},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def tiny(self) -> Path:
        return install.Environment(self.root).packages / "tiny.py"


def make_wheel(folder: Path) -> str:
    """A valid wheel with one module; returns its sha256."""
    info = "tiny-1.0.dist-info"
    files = {
        "tiny.py": "here = True\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},sha256={urlsafe(text)},{len(text)}\n" for name, text in files.items())
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(name, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def urlsafe(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    made = Clone(tmp_path / "群办 程序", tmp_path / "pack", tmp_path / "elsewhere")
    for folder in (made.root / "bot", made.pack, made.elsewhere / "bot"):
        folder.mkdir(parents=True)
    (made.elsewhere / "bot" / "__init__.py").write_text("raise SystemExit('a stranger')\n")
    for name in ("run", "bot/install.py"):
        target = made.root / name
        target.write_bytes((ROOT / name).read_bytes())
        target.chmod(0o755)
    (made.root / "bot" / "__init__.py").write_text("")
    (made.root / "bot" / "__main__.py").write_text(BOT)
    line = f"tiny==1.0 --hash=sha256:{make_wheel(made.pack)}\n"
    (made.root / "requirements.lock").write_text(line)
    (made.pack / "requirements.txt").write_text(f"# {install.fingerprint(made.root)} run\n{line}")
    return made


def test_a_bare_clone_starts_in_the_callers_directory_and_ignores_what_lies_there(clone: Clone) -> None:
    done = clone.run("hello", "there.jsonl")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said == {"cwd": str(clone.elsewhere), "args": ["hello", "there.jsonl"], "bot": str(clone.root / "bot")}
    assert install.FIRST in done.stderr


def test_a_warm_start_installs_nothing_and_is_quick(clone: Clone) -> None:
    clone.run()
    began = monotonic()
    done = clone.run(PYTHON="")
    assert monotonic() - began < 2
    assert done.returncode == 0
    assert done.stderr == ""


def test_a_moved_clone_still_starts(clone: Clone, tmp_path: Path) -> None:
    clone.run()
    moved = Clone(clone.root.rename(tmp_path / "moved"), clone.pack, clone.elsewhere)
    done = moved.run()
    assert json.loads(done.stdout)["bot"] == str(moved.root / "bot")
    assert done.stderr == ""


def test_an_install_killed_halfway_is_built_again(clone: Clone, tmp_path: Path) -> None:
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "uv").write_text("#!/bin/sh\necho started\nkill -9 $PPID\nkill -9 $$\n")
    (fake / "uv").chmod(0o755)
    killed = clone.run(PATH=f"{fake}:{os.environ['PATH']}")
    assert killed.returncode == -signal.SIGKILL
    clone.tiny.write_text("half a mod")
    done = clone.run()
    assert done.returncode == 0, done.stderr
    assert clone.tiny.read_text() == "here = True\n"


def test_two_starts_at_once_build_one_environment(clone: Clone) -> None:
    both = [
        subprocess.Popen(
            clone.command(),
            cwd=clone.elsewhere,
            env={**os.environ, "PYTHON": sys.executable},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum(install.FIRST in text for text in said) == 1


def test_a_changed_lock_brings_the_environment_up_to_date(clone: Clone) -> None:
    clone.run()
    lock = clone.root / "requirements.lock"
    lock.write_text(lock.read_text() + "# changed\n")
    stale = clone.run()
    assert stale.returncode == 1
    assert "请重新打包" in stale.stderr
    note = clone.pack / "requirements.txt"
    note.write_text(f"# {install.fingerprint(clone.root)} run\n{note.read_text().splitlines()[1]}\n")
    assert install.AGAIN in clone.run().stderr


def test_a_wheel_that_was_tampered_with_is_refused(clone: Clone) -> None:
    with (clone.pack / "tiny-1.0-py3-none-any.whl").open("ab") as wheel:
        wheel.write(b"x")
    done = clone.run()
    assert done.returncode == 1
    assert "没拷全或拷坏了" in done.stderr
    assert not (clone.root / ".venv" / "installed-run").exists()


def test_an_extra_the_pack_lacks_is_named(clone: Clone) -> None:
    (clone.root / "requirements-ocr.lock").write_text("")
    done = clone.run("--with", "ocr")
    assert done.returncode == 1
    assert "没有打进 ocr" in done.stderr


@pytest.mark.parametrize("words", [["--with", "nonsense"], ["--with"], ["--wheels"]])
def test_a_wrong_option_is_explained(words: list[str]) -> None:
    with pytest.raises(install.Stop):
        install.read_wish(words)


def test_our_options_end_where_the_bots_words_begin() -> None:
    wish = install.read_wish(["--with", "ocr,speed", "rehearse", "a.jsonl", "--with", "x"])
    assert (wish.names, wish.rest) == (("run", "ocr", "speed"), ("rehearse", "a.jsonl", "--with", "x"))


@pytest.mark.parametrize(
    ("tool", "root", "words"),
    [("apt-get", False, "sudo apt install python3-pip"), ("dnf", True, "dnf install python3-pip")],
)
def test_without_pip_the_command_to_type_is_named(
    tool: str, root: bool, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install.shutil, "which", lambda name: f"/usr/bin/{name}" if name == tool else None)
    monkeypatch.setattr(install.os, "geteuid", lambda: 0 if root else 1000)
    assert install.pip_command() == words


def test_without_pip_uv_and_ensurepip_there_is_no_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(install.shutil, "which", lambda _: None)
    monkeypatch.setattr(install, "pip_version", lambda: ())
    monkeypatch.setattr(install.importlib.util, "find_spec", lambda _: None)
    assert list(install.installers(install.Environment(tmp_path), None)) == []
    (tmp_path / "pip-26.3-py3-none-any.whl").touch()
    assert list(install.installers(install.Environment(tmp_path), tmp_path)) == [
        str(tmp_path / "pip-26.3-py3-none-any.whl" / "pip")
    ]


@pytest.fixture
def poor_path(tmp_path: Path) -> Iterator[str]:
    """A machine whose only Python is too old."""
    folder = tmp_path / "poor"
    folder.mkdir()
    for name in ("sh", "dirname", "id", "env"):
        (folder / name).symlink_to(f"/usr/bin/{name}")
    (folder / "python3").write_text("#!/bin/sh\nexit 1\n")
    (folder / "python3").chmod(0o755)
    yield str(folder)


def test_an_old_python_is_told_what_to_type(clone: Clone, poor_path: str) -> None:
    done = clone.run(PATH=poor_path, PYTHON="")
    assert done.returncode == 1
    assert "需要 Python 3.11 或更新" in done.stderr
    wrong = clone.run(PYTHON="/nowhere/python")
    assert wrong.returncode == 1
    assert "PYTHON=/nowhere/python 不能用" in wrong.stderr
