"""Who is looking: server-side sessions, the form token, and what every signed-in page is given (security.md T11–T14).

A handler registered through `guarded` gets a signed-in `Viewer`; deny is the default.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp_jinja2
from aiohttp import web
from yarl import URL

from bot.engine import Engine
from bot.platforms.web import WebPlatform
from config.county import Person
from handlers.faq.askers import speaks
from handlers.office import Office
from store import Tx, audit, people, sessions, totp

COOKIE = "qunban"
FIELD = "csrf"
TOUCH_SECONDS = 60
TOTP_PAGE = "/account/totp"
FREE = (TOTP_PAGE, "/logout")  # open to whoever has not confirmed a factor yet
_SAFE_PATH = re.compile(r"/(?:[A-Za-z0-9@_.-][A-Za-z0-9@_./-]*)?")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts (seconds), where people may come from, and when a login locks.

    `secure`: browsers reach us over https, although the proxy in front speaks plain http to us.
    """

    idle: int = 1800
    absolute: int = 8 * 3600
    allow: tuple[Any, ...] = ()
    secure: bool = False
    failures: int = 5  # security.md A.3 身份鉴别
    lock: int = 15 * 60
    totp: frozenset[str] = frozenset()  # roles that must sign in with a second factor

    def asks(self, person: Person) -> bool:
        """Whether this person must have a second factor."""
        return bool(self.totp.intersection(person.roles))


@dataclass(frozen=True, slots=True)
class Viewer:
    """The signed-in person and the token that proves a form is ours."""

    person: Person
    token: str
    csrf: str
    demo: bool
    factor: bool = False  # a second factor was confirmed

    def has(self, *roles: str) -> bool:
        """Whether the person holds one of these roles."""
        return bool(set(roles).intersection(self.person.roles))


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the navigation, and which roles see it (none: everybody); `bureau`: the tax bureau's people alone."""

    href: str
    label: str
    roles: tuple[str, ...] = ()
    bureau: bool = False

    def leads(self, viewer: Viewer, office: Office) -> bool:
        """Whether this viewer is shown it."""
        ours = not self.bureau or speaks(office, viewer.person)
        return ours and (not self.roles or viewer.has(*self.roles))


NAVIGATION = (
    Link("/", "工作群"),
    Link("/today", "今日"),
    Link("/tasks", "工单"),
    Link("/learning", "学习", ("dispatcher", "arbiter", "leader")),
    Link("/duties", "职责", ("dispatcher", "arbiter", "leader")),
    Link("/statistics", "统计", ("dispatcher", "verifier", "arbiter", "leader")),
    Link("/faq", "税费问答", bureau=True),
    Link("/digest", "摘要", ("editor", "reviewer", "publisher", "admin")),
    Link("/rehearsal", "演练", ("dispatcher", "verifier", "arbiter", "leader", "admin")),
    Link("/delivery", "送达", ("admin", "dispatcher")),
    Link("/county", "县资料", ("admin", "security_admin")),
    Link("/people", "人员", ("admin", "security_admin")),
    Link("/opinions", "意见", ("admin",)),
    Link("/audit", "审计", ("auditor",)),
    Link("/account", "账号"),
    Link("/help", "帮助"),
)

ENGINE: web.AppKey[Engine] = web.AppKey("engine", Engine)
WEB: web.AppKey[WebPlatform] = web.AppKey("web", WebPlatform)
LIMITS: web.AppKey[Limits] = web.AppKey("limits", Limits)
VIEWER: web.RequestKey[Viewer] = web.RequestKey("viewer", Viewer)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def viewer_of(request: web.Request) -> Viewer:
    """The viewer a guarded handler may rely on."""
    viewer: Viewer = request[VIEWER]
    return viewer


def guarded(handler: Handler, *roles: str, demo_only: bool = False) -> Handler:
    """Only for the signed-in, with one of these roles when any are named; POSTs must carry the form's token."""

    async def guard(request: web.Request) -> web.StreamResponse:
        viewer = await find_viewer(request)
        if viewer is None:
            if request.method == "GET" and wants_page(request):
                raise web.HTTPSeeOther(URL("/login").with_query(next=request.path))
            raise web.HTTPUnauthorized(text="请先登录。")
        request[VIEWER] = viewer
        _check_factor(request, viewer)
        if (demo_only and not viewer.demo) or (roles and not viewer.has(*roles)):
            raise await denied(request)
        if request.method not in ("GET", "HEAD"):
            await _check_form(request, viewer)
        return await handler(request)

    return guard


async def denied(request: web.Request, object_: str = "") -> web.HTTPForbidden:
    """The refusal to raise, written into the audit first."""
    await record(request, "not_allowed", object_)
    return web.HTTPForbidden(text="您没有这个权限。")


async def record(request: web.Request, result: str, object_: str = "") -> None:
    """One audit row about what the viewer asked for: the route's pattern, never its words."""
    person, address = viewer_of(request).person, address_of(request)
    route = request.match_info.route.resource
    name = object_ or (route.canonical if route else "")
    roles = "|".join(person.roles)
    await request.app[ENGINE].store.write(
        lambda tx: audit.append(tx, person.id, roles, address, name, request.method, result)
    )


async def find_viewer(request: web.Request, *, used: bool = True) -> Viewer | None:
    """Whose valid session the cookie names, if any. Outside a demo only somebody with a password has one.

    `used`: somebody did something; a page that merely stays open must reach the idle limit.
    """
    engine = request.app[ENGINE]
    token = request.cookies.get(cookie_name(request), "")
    if not token:
        return None
    found = await engine.store.read(lambda c: _lookup(c, token))
    if found is None:
        return None
    session, person, has_login, factor = found
    demo, now = is_demo(request), int(time.time())
    if not demo and not (has_login and _fresh(session, now, request.app[LIMITS])):
        await engine.store.write(lambda tx: sessions.end(tx, token))
        return None
    if used and now - session.seen_at > TOUCH_SECONDS:
        await engine.store.write(lambda tx: sessions.touch(tx, token, now))
    return Viewer(person, token, csrf_of(engine.frame.key, token), demo, factor)


def _fresh(session: sessions.Session, now: int, limits: Limits) -> bool:
    return now - session.seen_at <= limits.idle and now - session.at <= limits.absolute


def _lookup(connection: Any, token: str) -> tuple[sessions.Session, Person, bool, bool] | None:
    session = sessions.find(connection, token)
    person = people.get(connection, session.person) if session else None
    if session is None or person is None:
        return None
    return session, person, sessions.login(connection, person.id) is not None, totp.confirmed(connection, person.id)


def onward(wanted: str) -> str:
    """Where to go after signing in: a path of ours, or the front page; never elsewhere."""
    return wanted if _SAFE_PATH.fullmatch(wanted) else "/"


def is_demo(request: web.Request) -> bool:
    """Demo is a property of the data; a request that came through a proxy never is one (design 6b)."""
    proxied = "Forwarded" in request.headers or any(name.lower().startswith("x-forwarded-") for name in request.headers)
    return request.app[ENGINE].office.demo and not proxied


def address_of(request: web.Request) -> str:
    """Where the browser is: the peer, or what a proxy on this very machine says of it (the last entry is the proxy's own)."""
    remote = request.remote or ""
    said = request.headers.get("X-Forwarded-For", "")
    return said.rpartition(",")[2].strip() if said and remote in ("127.0.0.1", "::1") else remote


def is_secure(request: web.Request) -> bool:
    """Whether the browser speaks https, to us or to the proxy in front of us."""
    return request.secure or request.app[LIMITS].secure


def cookie_name(request: web.Request) -> str:
    """`__Host-` binds the cookie to this very host, which needs https."""
    return f"__Host-{COOKIE}" if is_secure(request) else COOKIE


def csrf_of(key: bytes, token: str) -> str:
    """The form token of a session."""
    return hmac.new(key, f"csrf:{token}".encode(), "sha256").hexdigest()


def _check_factor(request: web.Request, viewer: Viewer) -> None:
    """Who must have a second factor sees nothing else before it is confirmed."""
    if viewer.demo or viewer.factor or not request.app[LIMITS].asks(viewer.person) or request.path in FREE:
        return
    if request.method == "GET" and wants_page(request):
        raise web.HTTPSeeOther(TOTP_PAGE)
    raise web.HTTPForbidden(text="请先在“账号”里启用动态口令。")


async def _check_form(request: web.Request, viewer: Viewer) -> None:
    sent = request.headers.get("X-CSRF", "")
    if not sent and request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        sent = str((await request.post()).get(FIELD, ""))
    if not hmac.compare_digest(sent.encode(), viewer.csrf.encode()):
        raise web.HTTPForbidden(text="页面已过期，请刷新后重试。")


async def sign_in(request: web.Request, response: web.StreamResponse, person: str) -> None:
    """Begin a new session (a new id, whatever cookie came in) and set its cookie."""
    token, old = secrets.token_urlsafe(32), request.cookies.get(cookie_name(request), "")
    address, now = address_of(request), int(time.time())

    def job(tx: Tx) -> None:
        if old:
            sessions.end(tx, old)
        sessions.begin(tx, token, person, now, address)

    await request.app[ENGINE].store.write(job)
    response.set_cookie(
        cookie_name(request),
        token,
        httponly=True,
        samesite="Lax",
        secure=is_secure(request),
        path="/",
        max_age=request.app[LIMITS].absolute,
    )


async def sign_out(request: web.Request, response: web.StreamResponse) -> None:
    """End the session here and now."""
    token = request.cookies.get(cookie_name(request), "")
    if token:
        await request.app[ENGINE].store.write(lambda tx: sessions.end(tx, token))
    response.del_cookie(cookie_name(request), path="/", secure=is_secure(request), httponly=True)


def wants_page(request: web.Request) -> bool:
    """Whether a browser asks for a page rather than a script for an answer."""
    return "text/html" in request.headers.get("Accept", "")


def render(request: web.Request, template: str, status: int = 200, **context: Any) -> web.Response:
    """A page with what every page needs."""
    viewer: Viewer | None = request.get(VIEWER)
    office = request.app[ENGINE].office
    return aiohttp_jinja2.render_template(
        template,
        request,
        {
            "viewer": viewer,
            "csrf": viewer.csrf if viewer else "",
            "demo": is_demo(request),
            "path": request.path,
            "nav": [link for link in NAVIGATION if viewer and link.leads(viewer, office)],
            **context,
        },
        status=status,
    )
