"""动态口令: six digits from a telephone after the password, for the roles the office names (GB/T 22239 身份鉴别, security.md A.3).

Codes are RFC 6238 (SHA-1, 30 s, one step either side), each good once. Between password and code a browser holds a ticket
that names the person, signed, for five minutes; it opens nothing else.
"""

from __future__ import annotations

import hmac
import secrets
import time
from typing import TYPE_CHECKING

from aiohttp import web

from bot.console.session import (
    ENGINE,
    LIMITS,
    TOTP_PAGE,
    address_of,
    guarded,
    onward,
    record,
    render,
    sign_in,
    viewer_of,
)
from bot.engine import Engine
from store import Tx, audit, sessions, totp
from store.totp import Factor

if TYPE_CHECKING:
    from pyotp.totp import TOTP

TICKET_SECONDS = 300
STEP = 30
WRONG = "动态口令不对或已用过，请看手机上最新的六位数字。"
ISSUER = "群办"


def add_routes(app: web.Application) -> None:
    """The code after the password, and one's own telephone."""
    app.router.add_post("/login/code", submit)
    app.router.add_get(TOTP_PAGE, guarded(enrol_page))
    app.router.add_post(TOTP_PAGE, guarded(enrol))


def ask(request: web.Request, person: str, wanted: str, error: str = "", status: int = 200) -> web.Response:
    """The page between password and code."""
    return render(request, "login_code.html", status, ticket=_ticket(request, person), next=wanted, error=error)


async def submit(request: web.Request) -> web.StreamResponse:
    """Check a code. Wrong ones count towards the lock as wrong passwords do."""
    form, engine, limits = await request.post(), request.app[ENGINE], request.app[LIMITS]
    person, code = _holder(request, str(form.get("ticket", ""))), str(form.get("code", ""))
    wanted = onward(str(form.get("next", "/")))
    if person is None:
        raise web.HTTPSeeOther("/login")
    now = time.time()
    found = await engine.store.read(lambda c: (sessions.login(c, person), totp.get(c, person)))
    locked = found[0] is None or found[0].locked_until > now
    step = 0 if locked or found[1] is None else _step_of(engine, found[1], code, now)
    passed = bool(step) and await engine.store.write(lambda tx: totp.use(tx, person, step))

    def book(tx: Tx) -> None:
        if not passed and not locked:
            sessions.missed(tx, person, limits.failures, int(now) + limits.lock)
        audit.append(tx, person, "", address_of(request), "login/code", "POST", "ok" if passed else "refused")

    await engine.store.write(book)
    if not passed:
        return ask(request, person, wanted, WRONG, 401)
    response = web.HTTPSeeOther(wanted)
    await sign_in(request, response, person)
    raise response


async def enrol_page(request: web.Request) -> web.StreamResponse:
    """The secret to scan, once; afterwards only that there is one."""
    return await _page(request)


async def enrol(request: web.Request) -> web.StreamResponse:
    """A first right code makes the secret count."""
    engine, person, form = request.app[ENGINE], viewer_of(request).person, await request.post()
    factor = await engine.store.read(lambda c: totp.get(c, person.id))
    if factor is None or factor.confirmed_at is not None:
        raise web.HTTPSeeOther(TOTP_PAGE)
    step = _step_of(engine, factor, str(form.get("code", "")), time.time())
    if not step or not await engine.store.write(lambda tx: totp.use(tx, person.id, step)):
        return await _page(request, WRONG, 422)
    await record(request, "ok", "totp/confirmed")
    raise web.HTTPSeeOther("/account")


async def _page(request: web.Request, error: str = "", status: int = 200) -> web.Response:
    import segno

    engine, person = request.app[ENGINE], viewer_of(request).person
    factor = await engine.store.read(lambda c: totp.get(c, person.id))
    if factor is not None and factor.confirmed_at is not None:
        return render(request, "totp.html", confirmed=True, error="", secret="", picture="", asked=False)
    if factor is None:
        import pyotp

        sealed = _seal(engine, person.id, pyotp.random_base32())
        await engine.store.write(lambda tx: totp.propose(tx, person.id, sealed))
        factor = await engine.store.read(lambda c: totp.get(c, person.id))
    secret = _open(engine, factor) if factor is not None else ""
    address = _clock_of(secret).provisioning_uri(name=person.id, issuer_name=ISSUER)
    picture = segno.make(address, error="m").svg_data_uri(scale=5, border=2)
    return render(
        request, "totp.html", status, confirmed=False, error=error, picture=picture,
        secret=" ".join(secret[n : n + 4] for n in range(0, len(secret), 4)), asked=request.app[LIMITS].asks(person),
    )  # fmt: skip


def _clock_of(secret: str) -> TOTP:
    from pyotp.totp import TOTP

    return TOTP(secret)


def _step_of(engine: Engine, factor: Factor, code: str, now: float) -> int:
    """The time step a code belongs to; 0 for none. Every step is compared, each in constant time."""
    typed = "".join(code.split())
    clock, this, found = _clock_of(_open(engine, factor)), int(now) // STEP, 0
    for step in (this - 1, this, this + 1):
        if hmac.compare_digest(clock.generate_otp(step).encode(), typed.encode()):
            found = step
    return found


def _key(engine: Engine) -> bytes:
    return hmac.new(engine.frame.key, b"totp", "sha256").digest()


def _seal(engine: Engine, person: str, secret: str) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(_key(engine)).encrypt(nonce, secret.encode(), person.encode())


def _open(engine: Engine, factor: Factor) -> str:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce, sealed = factor.sealed[:12], factor.sealed[12:]
    return AESGCM(_key(engine)).decrypt(nonce, sealed, factor.person.encode()).decode()


def _ticket(request: web.Request, person: str) -> str:
    said = f"{person}|{int(time.time()) + TICKET_SECONDS}"
    return f"{said}|{_signed(request, said)}"


def _holder(request: web.Request, ticket: str) -> str | None:
    said, _, seal = ticket.rpartition("|")
    person, _, until = said.rpartition("|")
    if not hmac.compare_digest(seal.encode(), _signed(request, said).encode()) or not until.isdigit():
        return None
    return person if int(until) >= time.time() else None


def _signed(request: web.Request, said: str) -> str:
    key = request.app[ENGINE].frame.key
    return hmac.new(key, f"ticket:{said}:{address_of(request)}".encode(), "sha256").hexdigest()
