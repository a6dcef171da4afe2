"""Who is looking: server-side sessions, CSRF and the headers every page carries (security.md T11–T14).

A handler declared with `page` or `action` gets a signed-in `Viewer`; deny is the default.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp_jinja2
from aiohttp import web

from bot.engine import Engine
from bot.platforms.web import WebPlatform
from config.county import Person
from config.errors import Busy, Rejected
from store import Tx, audit, people, sessions

COOKIE = "qunban"
FIELD = "csrf"
TOUCH_SECONDS = 60
CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; object-src 'none';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
PERSON_OF_DEMO = "demo_person"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts, in seconds, and where people may come from."""

    idle: int = 1800
    absolute: int = 8 * 3600
    allow: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Viewer:
    """The signed-in person and the token that proves a form is ours."""

    person: Person
    token: str
    csrf: str
    demo: bool

    def has(self, *roles: str) -> bool:
        """Whether the person holds one of these roles."""
        return bool(set(roles).intersection(self.person.roles))


ENGINE: web.AppKey[Engine] = web.AppKey("engine", Engine)
WEB: web.AppKey[WebPlatform] = web.AppKey("web", WebPlatform)
LIMITS: web.AppKey[Limits] = web.AppKey("limits", Limits)
VIEWER = "viewer"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def viewer_of(request: web.Request) -> Viewer:
    """The viewer a guarded handler may rely on."""
    viewer: Viewer = request[VIEWER]
    return viewer


def guarded(handler: Handler, *roles: str, demo_only: bool = False) -> Handler:
    """Only for the signed-in, with one of these roles when any are named; POSTs must carry the form's token."""

    async def guard(request: web.Request) -> web.StreamResponse:
        viewer = await _viewer(request)
        if viewer is None:
            if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
                raise web.HTTPSeeOther(f"/login?next={request.path}")
            raise web.HTTPUnauthorized(text="请先登录。")
        if (demo_only and not viewer.demo) or (roles and not viewer.has(*roles)):
            await _record_refusal(request, viewer)
            raise web.HTTPForbidden(text="您没有这个权限。")
        request[VIEWER] = viewer
        if request.method not in ("GET", "HEAD"):
            await _check_form(request, viewer)
        return await handler(request)

    return guard


async def _viewer(request: web.Request) -> Viewer | None:
    engine = request.app[ENGINE]
    token = request.cookies.get(COOKIE, "")
    if not token:
        return None
    found = await engine.store.read(lambda c: _lookup(c, token))
    if found is None:
        return None
    session, person = found
    demo = is_demo(request)
    now = int(time.time())
    limits = request.app[LIMITS]
    if not demo and (now - session.seen_at > limits.idle or now - session.at > limits.absolute):
        await engine.store.write(lambda tx: sessions.end(tx, token))
        return None
    if now - session.seen_at > TOUCH_SECONDS:
        await engine.store.write(lambda tx: sessions.touch(tx, token, now))
    return Viewer(person, token, csrf_of(engine.frame.key, token), demo)


def _lookup(connection: Any, token: str) -> tuple[sessions.Session, Person] | None:
    session = sessions.find(connection, token)
    person = people.get(connection, session.person) if session else None
    return (session, person) if session and person else None


def is_demo(request: web.Request) -> bool:
    """Demo is a property of the data; a request that came through a proxy never is one (design 6b)."""
    proxied = "Forwarded" in request.headers or any(name.lower().startswith("x-forwarded-") for name in request.headers)
    return request.app[ENGINE].office.demo and not proxied


def csrf_of(key: bytes, token: str) -> str:
    """The form token of a session."""
    return hmac.new(key, f"csrf:{token}".encode(), "sha256").hexdigest()


async def _check_form(request: web.Request, viewer: Viewer) -> None:
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise web.HTTPForbidden(text="请求来源不对，请刷新页面后重试。")
    sent = request.headers.get("X-CSRF", "")
    if not sent and request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        sent = str((await request.post()).get(FIELD, ""))
    if not hmac.compare_digest(sent.encode(), viewer.csrf.encode()):
        raise web.HTTPForbidden(text="页面已过期，请刷新后重试。")


async def _record_refusal(request: web.Request, viewer: Viewer) -> None:
    route = request.match_info.route.resource
    name = route.canonical if route else ""
    person = viewer.person
    await request.app[ENGINE].store.write(
        lambda tx: audit.append(
            tx, person.id, "|".join(person.roles), request.remote or "", name, request.method, "not_allowed"
        )
    )


async def sign_in(request: web.Request, response: web.StreamResponse, person: str) -> None:
    """Begin a new session (a new id, whatever cookie came in) and set its cookie."""
    token, old = secrets.token_urlsafe(32), request.cookies.get(COOKIE, "")
    address, now = request.remote or "", int(time.time())

    def job(tx: Tx) -> None:
        if old:
            sessions.end(tx, old)
        sessions.begin(tx, token, person, now, address)

    await request.app[ENGINE].store.write(job)
    secure = request.secure
    response.set_cookie(
        COOKIE, token, httponly=True, samesite="Lax", secure=secure, path="/", max_age=request.app[LIMITS].absolute
    )


async def sign_out(request: web.Request, response: web.StreamResponse) -> None:
    """End the session here and now."""
    token = request.cookies.get(COOKIE, "")
    if token:
        await request.app[ENGINE].store.write(lambda tx: sessions.end(tx, token))
    response.del_cookie(COOKIE, path="/")


@web.middleware
async def frame(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Security headers on everything, our errors as plain sentences, never a traceback."""
    allow = request.app[LIMITS].allow
    if allow and not _from(request.remote, allow) and request.path != "/healthz":
        return _plain(web.Response(status=403, text="不在允许的网络范围内。"))
    try:
        response = await handler(request)
    except Rejected as error:
        response = web.json_response({"error": str(error), "code": error.code}, status=422)
    except Busy as error:
        response = web.json_response({"error": str(error), "code": "busy"}, status=503, headers={"Retry-After": "2"})
    except web.HTTPException as error:
        for name, value in HEADERS.items():
            error.headers[name] = value
        raise
    return _plain(response)


def _plain(response: web.StreamResponse) -> web.StreamResponse:
    if not response.prepared:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
    return response


def _from(remote: str | None, allow: tuple[Any, ...]) -> bool:
    from ipaddress import ip_address

    return remote is not None and any(ip_address(remote) in network for network in allow)


def render(request: web.Request, template: str, **context: Any) -> web.Response:
    """A page with what every page needs."""
    viewer: Viewer | None = request.get(VIEWER)
    return aiohttp_jinja2.render_template(
        template,
        request,
        {
            "viewer": viewer,
            "csrf": viewer.csrf if viewer else "",
            "demo": is_demo(request),
            "path": request.path,
            **context,
        },
    )
