"""Passwords: what is too easy, and the one slow worker that makes and checks their hashes (security.md T14)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from config.errors import Busy

if TYPE_CHECKING:
    from argon2 import PasswordHasher

T = TypeVar("T")

SHORTEST = 12  # security.md A.3
LONGEST = 200
QUEUE = 20  # waiting checks; one costs 19 MiB and some 50 ms
LEFT = 6  # characters that must remain once the pieces everybody tries are taken out
# The commonest pieces of Chinese and international password lists: words, pinyin, lucky numbers, keyboard runs.
PIECES = (
    "password", "passw0rd", "administrator", "admin", "root", "guest", "test", "welcome", "letmein", "login", "qunban",
    "woaini", "woaiwojia", "iloveyou", "zhongguo", "beijing", "shanghai", "renmin", "zhengfu", "yunxi", "chengguan", "mima",
    "nihao", "wangluo", "bangong", "dianzi", "xitong", "guanli", "caonima", "tiankong", "zhang", "wang", "liu", "chen", "yang",
    "1314520", "5201314", "1314", "520", "521", "666", "888", "999", "000", "111", "222", "333", "110", "119", "120", "12345",
    "1q2w3e4r", "1qaz2wsx", "qwertyuiop", "qwerty", "asdfghjkl", "asdfgh", "zxcvbnm", "zxcvbn", "qazwsx", "abcdef", "abc", "aaa",
    "0123456789", "1234567890", "123456789", "12345678", "1234567", "123456", "1234", "654321", "987654321", "123", "321",
)  # fmt: skip
_PIECE = re.compile("|".join(sorted(PIECES, key=len, reverse=True)))
_YEAR = re.compile(r"(?:19|20)\d\d")
# Well formed and matching nothing: an unknown name costs exactly what a known one does.
DECOY = f"$argon2id$v=19$m=19456,t=2,p=1${'A' * 22}${'A' * 43}"


def fault_of(password: str, name: str = "") -> str:
    """Why a password cannot be taken, in words; empty when it can."""
    if len(password) < SHORTEST:
        return f"密码至少 {SHORTEST} 位。"
    if len(password) > LONGEST:
        return f"密码最多 {LONGEST} 位。"
    plain = password.lower().replace("@", "a").replace("$", "s")
    if name:
        plain = plain.replace(name.lower(), "")
    left = _YEAR.sub("", _PIECE.sub("", plain))
    if len(left) < LEFT or len(set(left)) < LEFT - 2:
        return "密码太常见，容易被猜到。请换一句只有自己知道的话。"
    return ""


class Vault:
    """argon2id, t=2, m=19 MiB, one at a time, at most QUEUE waiting."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="argon2")
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """What is stored of a password."""
        return await self._run(lambda: _hasher().hash(password))

    async def verify(self, stored: str, password: str) -> bool:
        """Whether the password is the one behind the hash."""
        return await self._run(lambda: _check(stored, password))

    def close(self) -> None:
        """Let the worker go."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, job: Callable[[], T]) -> T:
        if self._waiting >= QUEUE:
            raise Busy("登录的人太多，请稍后再试。")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, job)
        finally:
            self._waiting -= 1


def _check(stored: str, password: str) -> bool:
    from argon2.exceptions import VerificationError

    try:
        return _hasher().verify(stored, password)
    except VerificationError:
        return False


def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
