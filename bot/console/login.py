"""Signing in and out: passwords, the one-time first-run token, and one-time login codes an administrator makes."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from ipaddress import ip_address, ip_network

from aiohttp import web

from bot.console import second_factor
from bot.console.passwords import DECOY, LONGEST, Vault, fault_of
from bot.console.session import (
    ENGINE,
    LIMITS,
    Limits,
    address_of,
    cookie_name,
    guarded,
    is_demo,
    onward,
    render,
    sign_in,
    sign_out,
    viewer_of,
)
from bot.engine import Engine
from config.errors import ConfigError
from store import Tx, audit, people, sessions, totp

NET_FAILURES = 20  # a whole office shares a /24: four people may each forget a password before the net waits
NETS = 4096  # networks remembered, the oldest forgotten first
FIRST_RUN_SECONDS = 24 * 3600
WRONG = "账号或密码不对，或已锁定。连续 {failures} 次不对锁定 {minutes} 分钟。"
NO_ADMIN = (
    "人员表里没有系统管理员，没有人能登录。请在 people.csv 里给一个人的“roles”列加上 admin，"
    "例如:hetao,何涛,zhzx,admin,web:hetao，再用 bot county import 重新载入。"
)


class Networks:
    """Failed logins by network, in bounded memory; forgotten on restart, when the accounts' own locks still stand."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def locked(self, address: str, now: float) -> bool:
        """Whether this network must wait."""
        count, until = self._failures.get(_network(address), (0, 0.0))
        return count >= NET_FAILURES and now < until

    def missed(self, address: str, now: float, lock: float) -> None:
        """One more wrong password from there; the count starts again once `lock` seconds passed quietly."""
        network = _network(address)
        count, until = self._failures.pop(network, (0, 0.0))
        self._failures[network] = (count + 1 if now < until else 1, now + lock)
        while len(self._failures) > NETS:
            self._failures.popitem(last=False)


def _network(address: str) -> str:
    try:
        wide = 24 if ip_address(address).version == 4 else 64
    except ValueError:
        return ""
    return str(ip_network(f"{address}/{wide}", strict=False))


VAULT: web.AppKey[Vault] = web.AppKey("vault", Vault)
NETWORKS: web.AppKey[Networks] = web.AppKey("networks", Networks)


def add_routes(app: web.Application) -> None:
    """Open to everybody: nothing here shows anything. The account page is for the signed-in."""
    app[VAULT], app[NETWORKS] = Vault(), Networks()
    app.on_cleanup.append(_close)
    second_factor.add_routes(app)
    app.router.add_get("/login", page)
    app.router.add_post("/login", submit)
    app.router.add_get("/first", first_page)
    app.router.add_post("/first", first_submit)
    app.router.add_post("/logout", guarded(logout))
    app.router.add_get("/account", guarded(account))
    app.router.add_post("/account/logout", guarded(logout_everywhere))
    app.router.add_post("/account/session", guarded(logout_one))
    app.router.add_post("/account/password", guarded(change_password))


async def _close(app: web.Application) -> None:
    app[VAULT].close()


async def first_run_token(engine: Engine) -> str | None:
    """The one-time token `serve` prints while nobody can sign in; None in a demo or once somebody can.

    Raises ConfigError when the county names no administrator it could belong to.
    """
    if engine.office.demo or await engine.store.read(sessions.any_login):
        return None
    admins = engine.office.with_role("admin")
    if not admins:
        raise ConfigError(NO_ADMIN)
    token, admin = secrets.token_hex(16), admins[0].id

    def job(tx: Tx) -> None:
        people.void_codes(tx, "login", admin)
        people.make_code(tx, token, "login", admin, "", FIRST_RUN_SECONDS)

    await engine.store.write(job)
    return token


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
    raise response


def _next(request: web.Request) -> str:
    return onward(request.query.get("next", "/"))


async def submit(request: web.Request) -> web.StreamResponse:
    """Check a password. Wrong name, wrong password and a locked login or network look the same and cost the same."""
    form = await request.post()
    name, password = str(form.get("name", "")).strip(), str(form.get("password", ""))[:LONGEST]
    address, limits = address_of(request), request.app[LIMITS]
    if await _admit(request, name, password, address, limits):
        if await request.app[ENGINE].store.read(lambda c: totp.confirmed(c, name)):
            return second_factor.ask(request, name, _next(request))
        response = web.HTTPSeeOther(_next(request))
        await sign_in(request, response, name)
        raise response
    error = WRONG.format(failures=limits.failures, minutes=limits.lock // 60)
    return render(request, "login.html", 401, next=_next(request), error=error)


async def _admit(request: web.Request, name: str, password: str, address: str, limits: Limits) -> bool:
    engine, networks, now = request.app[ENGINE], request.app[NETWORKS], time.time()
    login = await engine.store.read(lambda c: sessions.login(c, name))
    locked = networks.locked(address, now) or (login is not None and login.locked_until > now)
    right = await request.app[VAULT].verify(login.hash if login is not None else DECOY, password)
    passed = right and login is not None and not locked
    known = name if login is not None else ""
    if not passed and not locked:
        networks.missed(address, now, limits.lock)

    def book(tx: Tx) -> None:
        if passed:
            sessions.passed(tx, name)
        elif not locked:
            sessions.missed(tx, name, limits.failures, int(now) + limits.lock)
        audit.append(tx, known, "", address, "login", "POST", "ok" if passed else "refused")

    await engine.store.write(book)
    return passed


async def first_page(request: web.Request) -> web.StreamResponse:
    """Set a password with a one-time token: the first-run token printed at start, or one an administrator made."""
    return render(request, "first.html", token=request.query.get("token", ""), error="")


async def first_submit(request: web.Request) -> web.StreamResponse:
    """Use the token up, set the password, sign in. A password that will not do leaves the token usable."""
    form = await request.post()
    token, password = str(form.get("token", "")), str(form.get("password", ""))
    engine = request.app[ENGINE]
    subject = await engine.store.read(lambda c: people.code_subject(c, token, "login", engine.store.now()))
    error = fault_of(password, subject or "")
    if not error and password != str(form.get("again", password)):
        error = "两次输入的密码不一样。"
    if error:
        return render(request, "first.html", 422, token=token, error=error)
    person = None
    if subject is not None:
        hashed = await request.app[VAULT].hash(password)
        person = await engine.store.write(lambda tx: _spend(tx, token, hashed, address_of(request)))
    if person is None:
        return render(request, "first.html", 403, token="", error="登录码无效或已过期，请向管理员重新要一个。")
    response = web.HTTPSeeOther("/")
    await sign_in(request, response, person)
    raise response


def _spend(tx: Tx, token: str, hashed: str, address: str) -> str | None:
    person = people.spend_code(tx, token, "login")
    if person is not None:
        sessions.set_password(tx, person, hashed)
        totp.drop(tx, person)
        audit.append(tx, person, "", address, "login", "password", "ok")
    return person


async def logout(request: web.Request) -> web.StreamResponse:
    """End the session of this cookie; a copy of it is worthless afterwards."""
    response = web.HTTPSeeOther("/login")
    if request.cookies.get(cookie_name(request)):
        await sign_out(request, response)
    raise response


async def account(request: web.Request) -> web.StreamResponse:
    """One's own sign-in: where it is open, sign out everywhere, another password."""
    return await _account(request)


async def _account(request: web.Request, error: str = "", status: int = 200) -> web.StreamResponse:
    person = viewer_of(request).person.id
    found = await request.app[ENGINE].store.read(lambda c: sessions.listing(c, person))
    here = sessions.seal(viewer_of(request).token)
    return render(request, "account.html", status, sessions=found, here=here, error=error)


async def logout_one(request: web.Request) -> web.StreamResponse:
    """End one of one's own sessions, by its hash."""
    person, chosen = viewer_of(request).person.id, str((await request.post()).get("session", ""))
    await request.app[ENGINE].store.write(lambda tx: sessions.end_one(tx, person, chosen))
    raise web.HTTPSeeOther("/account")


async def logout_everywhere(request: web.Request) -> web.StreamResponse:
    """End every session of the person, this one too."""
    person = viewer_of(request).person.id
    await request.app[ENGINE].store.write(lambda tx: sessions.end_all(tx, person))
    response = web.HTTPSeeOther("/login")
    await sign_out(request, response)
    raise response


async def change_password(request: web.Request) -> web.StreamResponse:
    """A new password for the old one; every session ends and this browser gets a new one."""
    form = await request.post()
    old, new = str(form.get("old", ""))[:LONGEST], str(form.get("password", ""))
    person, engine = viewer_of(request).person.id, request.app[ENGINE]
    if error := fault_of(new, person):
        return await _account(request, error, 422)
    if not await _admit(request, person, old, address_of(request), request.app[LIMITS]):
        return await _account(request, "原密码不对。", 422)
    hashed = await request.app[VAULT].hash(new)
    await engine.store.write(lambda tx: sessions.set_password(tx, person, hashed))
    response = web.HTTPSeeOther("/account")
    await sign_in(request, response, person)
    raise response
