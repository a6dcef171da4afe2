"""A folder of wheels for a machine without a network: packed here, installed there by `./run --wheels DIR`.

What has no wheel (jieba) is built here, so the other machine needs neither an index nor a compiler. The folder
carries its own list of hashes and says which lock, Python and machine it was made for; `bot/install.py` checks both.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.install import fingerprint, lock_file
from config.errors import QunbanError, Rejected

ROOT = Path(__file__).resolve().parents[1]
LIST = "requirements.txt"
NOTE = "说明.txt"
NOTE_TEXT = """群办 离线安装包（{machine}）

用法：
1. 把程序文件夹和本文件夹一起拷到不能上网的电脑，那台电脑的系统和 Python 版本要与上面一致。
2. 在程序文件夹里执行：./run --wheels 本文件夹
   （Windows：run.cmd --wheels 本文件夹）
3. 只需装这一次，以后直接 ./run。
换了程序版本，要重新打包。
"""


def pack(directory: Path, extras: Sequence[str] = (), root: Path = ROOT) -> list[Path]:
    """Fill an empty directory with the wheels of the lock (and of extras) for this machine; returns them."""
    locks = [lock_file(root, name) for name in ("run", *extras)]
    if missing := [lock.name for lock in locks if not lock.is_file()]:
        raise Rejected(f"打包要在程序文件夹里进行，这里没有 {'、'.join(missing)}。")
    if directory.exists() and any(directory.iterdir()):
        raise Rejected(f"{directory} 里已有文件。请换一个空文件夹。")
    directory.mkdir(parents=True, exist_ok=True)
    fetch(directory, locks)
    wheels = sorted(directory.glob("*.whl"))
    made_for = f"{fingerprint(root)} {','.join(('run', *extras))}"
    lines = [f"# {made_for}", *map(entry, wheels)]
    (directory / LIST).write_text("\n".join(lines) + "\n", "utf-8")
    (directory / NOTE).write_text(NOTE_TEXT.format(machine=made_for.split(" ", 1)[1]), "utf-8")
    return wheels


def fetch(directory: Path, locks: Sequence[Path]) -> None:
    """Every wheel by its locked hash; pip's own is among them and installs on a machine that has none."""
    line = [sys.executable, "-m", "pip", "wheel", "-qq", "--no-deps", "--require-hashes", f"--wheel-dir={directory}"]
    if subprocess.call([*line, *(f"--requirement={lock}" for lock in locks)], stdout=sys.stderr):
        raise QunbanError("没有打成包，原因见上。多半是连不上软件源，请检查网络后换一个空文件夹再试。")


def entry(wheel: Path) -> str:
    name, version = wheel.name.split("-")[:2]
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"
