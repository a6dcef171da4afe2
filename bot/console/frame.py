"""What surrounds every request: where it may come from, how large it may be, security headers, and errors as one plain sentence."""

from __future__ import annotations

import re
import traceback
from ipaddress import ip_address
from typing import Any

import structlog
from aiohttp import web

from bot.console.session import LIMITS, Handler, address_of, is_secure, render, wants_page
from config.errors import Busy, Rejected

log = structlog.get_logger()

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
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
HSTS = "max-age=31536000"
SAFE = ("GET", "HEAD")
REFERER = re.compile(r"https?://[^/]+(/[A-Za-z0-9@_./-]*)(?:\?.*)?")
BODY_LIMIT = 64 << 10  # bytes; only these routes take photos or files (security.md E)
UPLOADS = frozenset({"/in/web/photos", "/in/web/messages", "/tasks/{number}/steps", "/learning/preview", "/county"})
SENTENCES = {
    400: "请求不完整，请刷新页面后重试。",
    401: "请先登录。",
    403: "您没有这个权限。",
    404: "没有这个页面，或者内容已删除。",
    405: "这个地址不能这样访问。",
    413: "内容太大，请压缩后重试。",
    500: "出了点问题，没有保存。请稍后重试；仍不行请联系管理员。",
    503: "系统正忙，请稍后再试。",
}


@web.middleware
async def frame(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost layer; no error of ours or of anybody reaches a user as anything but a sentence."""
    if request.method not in SAFE and _route(request) not in UPLOADS:
        request = request.clone(client_max_size=BODY_LIMIT)
    try:
        response = await _guarded(request, handler)
    except web.HTTPException as error:
        if error.status < 400:
            _dress(request, error)
            raise
        response = _problem(request, error.status, _sentence(error), "")
        response.headers.update({name: error.headers[name] for name in ("Allow",) if name in error.headers})
    except Rejected as error:
        response = _problem(request, 422, str(error), error.code)
    except Busy as error:
        response = _problem(request, 503, str(error), "busy")
        response.headers["Retry-After"] = "2"
    except ConnectionError:
        raise
    except Exception as error:  # noqa: BLE001 - the one place around a request: its reader gets a sentence, we get the place
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.error(
            "request_failed", route=_route(request), error=type(error).__name__, at=f"{place.name}:{place.lineno}"
        )
        response = _problem(request, 500, SENTENCES[500], "")
    return _dress(request, response)


async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    allow = request.app[LIMITS].allow
    if allow and not _signs_for_itself(request.path) and not _within(address_of(request), allow):
        raise web.HTTPForbidden(text="不在允许的网络范围内。")
    origin = request.headers.get("Origin")
    if request.method not in SAFE and origin is not None and origin.partition("://")[2] != request.host:
        raise web.HTTPForbidden(text="请求来源不对，请刷新页面后重试。")
    return await handler(request)


def _signs_for_itself(path: str) -> bool:
    """The health probe, the measurements, and a platform's own calls: they carry a signature or a token, and come from its networks."""
    return path in ("/healthz", "/metrics") or (path.startswith("/in/") and not path.startswith("/in/web/"))


def _within(address: str, allow: tuple[Any, ...]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in allow)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else ""


def _sentence(error: web.HTTPException) -> str:
    own = error.text or ""
    return SENTENCES.get(error.status, "没有成功，请重试。") if own.isascii() else own


def _problem(request: web.Request, status: int, sentence: str, code: str) -> web.Response:
    """A page for a browser, JSON for a script."""
    if not wants_page(request):
        return web.json_response({"error": sentence, "code": code}, status=status)
    came = REFERER.fullmatch(request.headers.get("Referer", ""))
    back = came[1] if came and status == 422 else "/"
    return render(request, "error.html", status, sentence=sentence, code=status, back=back)


def _dress(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    if response.prepared:
        return response
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if is_secure(request):
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    if response.content_type == "text/html":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
