"""Makes `.venv` exactly what the lock files say, then becomes the bot.

`./run` starts this on a bare Python, so it uses the standard library alone and imports nothing of this project.
The stamp of a lock is written last: whatever was killed halfway is built again. Everything it says goes to
standard error, so that `./run rehearse … --json` keeps standard output to itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

EXTRAS = ("dev", "heif", "ocr", "semantic", "speed")
WINDOWS = os.name == "nt"
BASE: str = getattr(sys, "_base_executable", sys.executable)  # never the one in .venv, which may be thrown away
PIP_FLOOR = (22, 3)  # the first pip with --python
# what to type where pip is missing, by the package tool the machine has
PIP_COMMANDS = {
    "apt-get": "apt install python3-pip",
    "dnf": "dnf install python3-pip",
    "yum": "yum install python3-pip",
    "zypper": "zypper install python3-pip",
    "apk": "apk add py3-pip",
    "pacman": "pacman -S python-pip",
}
FIRST = "第一次启动：正在准备运行环境，约1分钟，只做这一次。"
AGAIN = "组件清单有变化：正在更新运行环境，约1分钟。"
WAITING = "另一个窗口正在准备运行环境，等它做完。"
FAILED = """运行环境没有装好。多半是连不上软件源，请检查网络后再运行一次，会自动从头补好。
不能上网的电脑：在能上网的电脑上运行 ./run pack 文件夹，把文件夹拷过来，再运行 ./run --wheels 文件夹。"""
FAILED_PACK = "{folder} 里的安装包没有装上，原因见上。文件可能没拷全或拷坏了，请重新拷贝或重新打包。"
NO_PIP = """这台电脑的 Python 没有 pip，装不了组件。请先执行：
    {command}
然后再运行一次。"""
NO_VENV = "建不了 .venv 文件夹，原因见上。常见的是磁盘满了，或这个文件夹不能写。"
STOPPED = "已停下。下次运行会自动从头补好。"
WRONG_PACK = "{folder} 里的安装包不是给这个版本或这台电脑打的（需要 {wanted}，里面是 {found}），请重新打包。"
NOT_PACKED = "{folder} 里没有打进 {missing}。"
UNKNOWN_EXTRA = "--with 后面可以写：{choices}。"


class Stop(Exception):
    """The environment cannot be made; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What one call asks for, and what is left for the bot."""

    names: tuple[str, ...]
    wheels: Path | None
    start: bool
    rest: tuple[str, ...]


def read_wish(argv: Sequence[str]) -> Wish:
    """Our own options come first; the first other word and all after it belong to the bot."""
    words, names, wheels, start = deque(argv), ["run"], None, True
    while words and words[0] in ("--wheels", "--with", "--install-only"):
        option = words.popleft()
        if option == "--install-only":
            start = False
        elif not words:
            raise Stop(f"{option} 后面少了一个词。")
        elif option == "--wheels":
            wheels = Path(words.popleft()).resolve()
        else:
            names += words.popleft().split(",")
    if wrong := set(names) - {"run", *EXTRAS}:
        raise Stop(f"没有 {'、'.join(sorted(wrong))}。" + UNKNOWN_EXTRA.format(choices="、".join(EXTRAS)))
    return Wish(tuple(names), wheels, start, tuple(words))


def lock_file(root: Path, name: str) -> Path:
    return root / ("requirements.lock" if name == "run" else f"requirements-{name}.lock")


def fingerprint(root: Path) -> str:
    """Of the runtime lock and the machine: a folder of wheels carries the one it was packed for."""
    digest = hashlib.sha256(lock_file(root, "run").read_bytes()).hexdigest()[:16]
    return f"{digest} python{sys.version_info[0]}.{sys.version_info[1]} {sys.platform}-{platform.machine()}"


@dataclass(frozen=True, slots=True)
class Environment:
    """The `.venv` of one clone."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.folder / ("Scripts/python.exe" if WINDOWS else "bin/python")

    @property
    def packages(self) -> Path:
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        return self.folder / ("Lib" if WINDOWS else f"lib/{version}") / "site-packages"

    def stamp(self, name: str) -> Path:
        return self.folder / f"installed-{name}"

    def mark(self, name: str) -> str:
        lock = hashlib.sha256(lock_file(self.root, name).read_bytes()).hexdigest()
        return f"{lock} {fingerprint(self.root)}"

    def stamped(self) -> set[str]:
        return {name for name in ("run", *EXTRAS) if self.stamp(name).exists()}

    def ready(self, names: Sequence[str]) -> bool:
        """The interpreter is there and the stamp of every wanted lock, and of every one ever added, is of today."""
        if not (self.python.exists() and self.packages.is_dir()):
            return False
        stamps = [(self.stamp(name), self.mark(name)) for name in {*names, *self.stamped()}]
        return all(stamp.exists() and stamp.read_text("utf-8") == mark for stamp, mark in stamps)


def prepare(root: Path, wish: Wish) -> None:
    """Bring the environment up to the locks, once, whoever else is trying."""
    environment = Environment(root)
    if environment.ready(wish.names):
        return
    with only_one(root) as lock:
        if not environment.ready(wish.names):
            build(environment, wish, lock)


def build(environment: Environment, wish: Wish, lock: int) -> None:
    had = environment.stamped()
    whole = bool(had) and environment.python.exists() and environment.packages.is_dir()
    say(AGAIN if whole else FIRST)
    asked = pack_names(environment.root, wish.wheels) if wish.wheels else wish.names
    if missing := set(wish.names) - set(asked):
        raise Stop(NOT_PACKED.format(folder=wish.wheels, missing="、".join(sorted(missing))))
    ways = list(installers(environment, wish.wheels))
    if not ways:
        raise Stop(NO_PIP.format(command=pip_command()))
    names = sorted({*asked, *had}) if whole and not wish.wheels else sorted(asked)
    for name in had:
        environment.stamp(name).unlink()
    if not whole:
        create(environment, with_pip=ways == ["ensurepip"])
    sources = packed(wish.wheels) if wish.wheels else [f"-r{lock_file(environment.root, name)}" for name in names]
    if not any(install(command(way, environment), sources, lock) for way in ways):
        raise Stop(FAILED_PACK.format(folder=wish.wheels) if wish.wheels else FAILED)
    for name in names:
        environment.stamp(name).write_text(environment.mark(name), "utf-8")


def create(environment: Environment, with_pip: bool) -> None:
    """A venv that finds this clone's packages by a path relative to itself, so that the folder may be moved."""
    shutil.rmtree(environment.folder, ignore_errors=True)
    options = [] if with_pip else ["--without-pip"]
    if subprocess.call([BASE, "-m", "venv", *options, str(environment.folder)]):
        raise Stop(NO_VENV)
    clone = os.path.relpath(environment.root, environment.packages)
    (environment.packages / "qunban.pth").write_text(f"{clone}\n", "utf-8")


def installers(environment: Environment, wheels: Path | None) -> Iterator[str]:
    """The ways to install that this machine has, best first: uv, pip, a pip packed with the wheels, ensurepip."""
    has_uv = shutil.which("uv") is not None
    if has_uv:
        yield "uv"
    if pip_version() >= PIP_FLOOR:
        yield "pip"
    elif wheels and (bundled := sorted(wheels.glob("pip-*.whl"))):
        yield str(bundled[-1] / "pip")
    elif not has_uv and importlib.util.find_spec("ensurepip"):
        yield "ensurepip"


def command(way: str, environment: Environment) -> list[str]:
    python = str(environment.python)
    if way == "uv":
        return ["uv", "pip", "install", "--compile-bytecode", "--python", python]
    if way == "ensurepip":
        return [python, "-m", "pip", "install"]
    pip = ["-P", "-m", "pip"] if way == "pip" else [way]
    return [BASE, *pip, "--python", python, "install", "--no-warn-script-location"]


def packed(wheels: Path) -> list[str]:
    return ["--no-index", "--find-links", str(wheels), f"-r{wheels / 'requirements.txt'}"]


def install(command: list[str], sources: list[str], lock: int) -> bool:
    """Run an installer to its end, counting aloud. It holds our lock too: an orphan is waited for, not raced."""
    tail: deque[str] = deque(maxlen=12)
    count = 0
    line = [*command, "--require-hashes", *sources]
    kept = () if WINDOWS else (lock,)
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=kept, encoding="utf-8", errors="replace"
    ) as process:
        for text in process.stdout or ():
            tail.append(text)
            if text.startswith("Collecting ") and sys.stderr.isatty():
                count += 1
                print(f"\r    已取得 {count} 个组件", end="", file=sys.stderr, flush=True)
    if count:
        say("")
    if process.returncode:
        say("".join(tail))
    return process.returncode == 0


def pip_version() -> tuple[int, ...]:
    """Of the pip beside the base interpreter; () where there is none."""
    ask = "import pip; print(pip.__version__)"
    answer = subprocess.run([BASE, "-P", "-c", ask], capture_output=True, text=True, check=False)
    return tuple(int(part) for part in answer.stdout.strip().split(".")[:2] if part.isdigit())


def pip_command() -> str:
    sudo = "" if not hasattr(os, "geteuid") or os.geteuid() == 0 else "sudo "
    for tool, words in PIP_COMMANDS.items():
        if shutil.which(tool):
            return sudo + words
    return f"{BASE} -m ensurepip --upgrade"


def pack_names(root: Path, wheels: Path) -> list[str]:
    """The locks a folder of wheels covers, once it is sure that it was packed for this lock, Python and machine."""
    note = wheels / "requirements.txt"
    if not note.is_file():
        raise Stop(f"{wheels} 不是安装包文件夹：里面没有 requirements.txt。")
    first = note.read_text("utf-8").split("\n", 1)[0].removeprefix("# ")
    found, _, names = first.rpartition(" ")
    if found != fingerprint(root):
        raise Stop(WRONG_PACK.format(folder=wheels, wanted=fingerprint(root), found=found))
    return names.split(",")


@contextlib.contextmanager
def only_one(root: Path) -> Iterator[int]:
    """A lock the system takes back when its holder dies."""
    descriptor = os.open(root / ".venv.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not take(descriptor, wait=False):
            say(WAITING)
            take(descriptor, wait=True)
        yield descriptor
    finally:
        os.close(descriptor)


def take(descriptor: int, wait: bool) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        if wait:
            raise
        return False
    return True


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def start(root: Path, words: Sequence[str]) -> int:
    """Become `python -m bot`: same process, same working directory, which stays out of the import path."""
    line = [str(Environment(root).python), "-m", "bot", *words]
    os.environ["PYTHONSAFEPATH"] = "1"
    if not WINDOWS:
        os.execv(line[0], line)
    return subprocess.call(line)


def main(argv: Sequence[str]) -> int:
    root = Path(__file__).resolve().parents[1]
    try:
        wish = read_wish(argv)
        prepare(root, wish)
    except Stop as stop:
        say(str(stop))
        return 1
    except KeyboardInterrupt:
        say(STOPPED)
        return 130
    return start(root, wish.rest) if wish.start else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
