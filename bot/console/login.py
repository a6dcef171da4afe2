"""Signing in: passwords (argon2id), the one-time first-run token, and one-time login codes made by an administrator."""

from __future__ import annotations

import asyncio
import secrets
import time
from concurrent.futures import ThreadPoolExecutor

import structlog
from aiohttp import web

from bot.console.session import COOKIE, ENGINE, is_demo, render, sign_in, sign_out
from config.errors import Busy
from store import audit, people, sessions
from store.sessions import Login

log = structlog.get_logger()

FAILURES = 5  # security.md A.3 身份鉴别
LOCK_SECONDS = 15 * 60
SHORTEST = 12
QUEUE = 20  # waiting password checks; one costs 19 MiB and some 50 ms (security.md T14)
NET_FAILURES = 20

_pool = ThreadPoolExecutor(1, thread_name_prefix="argon2")
_waiting = 0


def add_routes(app: web.Application) -> None:
    """Open to everybody: nothing here shows anything."""
    app.router.add_get("/login", page)
    app.router.add_post("/login", submit)
    app.router.add_get("/first", first_page)
    app.router.add_post("/first", first_submit)
    app.router.add_post("/logout", logout)


async def page(request: web.Request) -> web.StreamResponse:
    """The sign-in form; a demo needs none."""
    if is_demo(request):
        return await enter_demo(request)
    return render(request, "login.html", next=_next(request), error="")


async def enter_demo(request: web.Request) -> web.StreamResponse:
    """A demo browser begins as the shipped county's reporter."""
    office = request.app[ENGINE].office
    first = next((p for p in office.county.people if "reporter" in p.roles), office.county.people[0])
    response = web.HTTPSeeOther(_next(request))
    await sign_in(request, response, office.people["limin"].id if "limin" in office.people else first.id)
    return response


def _next(request: web.Request) -> str:
    wanted = request.query.get("next", "/")
    return wanted if wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted else "/"


async def submit(request: web.Request) -> web.StreamResponse:
    """Check a password. Wrong name, wrong password and a locked login look the same."""
    form = await request.post()
    name, password = str(form.get("name", "")).strip(), str(form.get("password", ""))
    engine, now = request.app[ENGINE], int(time.time())
    login = await engine.store.read(lambda c: sessions.login(c, name))
    locked = login is not None and login.locked_until > now
    right = await _verify(login, password) and not locked
    if right and login is not None:
        await engine.store.write(lambda tx: sessions.passed(tx, name))
        response = web.HTTPSeeOther(_next(request))
        await sign_in(request, response, name)
        await engine.store.write(lambda tx: audit.append(tx, name, "", request.remote or "", "login", "POST", "ok"))
        return response
    if login is not None and not locked:
        await engine.store.write(lambda tx: sessions.missed(tx, name, FAILURES, now + LOCK_SECONDS))
    known = name if login is not None else ""
    await engine.store.write(lambda tx: audit.append(tx, known, "", request.remote or "", "login", "POST", "refused"))
    return render(
        request, "login.html", next=_next(request), error="账号或密码不对，或已锁定。连续 5 次不对锁定 15 分钟。"
    )


async def _verify(login: Login | None, password: str) -> bool:
    """Hash even for an unknown name, so that time tells nothing."""
    stored = login.hash if login is not None else await _decoy()
    return await _in_pool(_check, stored, password) and login is not None


def _check(stored: str, password: str) -> bool:
    from argon2.exceptions import VerificationError

    try:
        return _hasher().verify(stored, password)
    except VerificationError:
        return False


def _hasher():  # type: ignore[no-untyped-def]
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # security.md T14


_decoy_hash = ""


async def _decoy() -> str:
    global _decoy_hash
    if not _decoy_hash:
        _decoy_hash = await _in_pool(lambda: _hasher().hash(secrets.token_hex(16)))
    return _decoy_hash


async def _in_pool(job, *arguments):  # type: ignore[no-untyped-def]
    global _waiting
    if _waiting >= QUEUE:
        raise Busy("登录的人太多，请稍后再试。")
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_pool, job, *arguments)
    finally:
        _waiting -= 1


async def first_page(request: web.Request) -> web.StreamResponse:
    """Set a password with a one-time token: the first-run token printed at start, or one an administrator made."""
    return render(request, "first.html", token=request.query.get("token", ""), error="")


async def first_submit(request: web.Request) -> web.StreamResponse:
    """Use the token up and sign in."""
    form = await request.post()
    token, password = str(form.get("token", "")), str(form.get("password", ""))
    if len(password) < SHORTEST:
        return render(request, "first.html", token=token, error=f"密码至少 {SHORTEST} 位。")
    hashed = await _in_pool(lambda: _hasher().hash(password))
    engine = request.app[ENGINE]
    person = await engine.store.write(lambda tx: _spend(tx, token, hashed))
    if person is None:
        return render(request, "first.html", token="", error="登录码无效或已过期，请向管理员重新要一个。")
    response = web.HTTPSeeOther("/")
    await sign_in(request, response, person)
    return response


def _spend(tx, token: str, hashed: str) -> str | None:  # type: ignore[no-untyped-def]
    person = people.spend_code(tx, token, "login")
    if person is not None:
        sessions.set_password(tx, person, hashed)
    return person


async def logout(request: web.Request) -> web.StreamResponse:
    """End the session of this cookie; the old cookie is worthless afterwards."""
    response = web.HTTPSeeOther("/login")
    if request.cookies.get(COOKIE):
        await sign_out(request, response)
    return response
