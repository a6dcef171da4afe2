"""Wiring: opens the parts in order, serves, closes them in reverse."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp_jinja2
import jinja2
import structlog
from aiohttp import web
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot import metrics
from bot.clock import ZONE, BusinessClock
from bot.comparisons import Comparisons
from bot.console import chat, demo, frame, learning, login, own_data, pages, paste, session
from bot.engine import Engine, Frame, read_key
from bot.hindsight import Hindsight
from bot.maintenance import Maintenance, Retention
from bot.meanings import Meanings
from bot.media import PhotoShop
from bot.newsroom import Newsroom, newsroom
from bot.ocr import ChildReader, PhotoReading, available
from bot.platforms import Platform
from bot.platforms.registry import connect
from bot.platforms.web import WebPlatform
from bot.prepare import Preparer
from config.county import County
from config.files import shipped_county
from config.settings import Settings
from config.texts import load_texts
from handlers import wording
from handlers.office import Rules
from handlers.worktime import shown
from store import Store, county, meta

log = structlog.get_logger()
CONSOLE = Path(__file__).parent / "console"
UPLOAD_LIMIT = 12 << 20


@dataclass(frozen=True, slots=True)
class Parts:
    """What a running process is made of."""

    engine: Engine
    web: WebPlatform
    shop: PhotoShop
    preparer: Preparer
    maintenance: Maintenance
    hindsight: Hindsight
    newsroom: Newsroom
    meanings: Meanings
    reading: PhotoReading | None
    settings: Settings
    data: Path


def rules_of(settings: Settings, texts: Mapping[str, str] | None = None) -> Rules:
    """The office's numbers and words as handlers take them."""
    return Rules(
        gather=settings.gather_seconds,
        draft=settings.draft_minutes * 60,
        confirm=settings.confirm_minutes * 60,
        accept=settings.accept_minutes * 60,
        accept_off=settings.accept_minutes_off * 60,
        ask=settings.ask_photo_seconds,
        verify_hours=settings.verify_hours,
        reminders=settings.reminder_cap,
        reopen_days=settings.reopen_days,
        returns=settings.returns_cap,
        digest_at=settings.digest_time,
        digest_until=settings.digest_until,
        digest_persons=settings.digest_persons,
        digest_rest_days=settings.digest_rest_days,
        keep_photos_days=settings.keep_photos_days,
        county_name=settings.county_name,
        hours=settings.office_hours,
        texts=wording.own(texts or {}),
    )


def assemble(data: Path, settings: Settings, imported: County | None) -> Parts:
    """Pass the start gates and build the parts. Raises ConfigError with what to do."""
    business = BusinessClock(data / "clock")
    store = Store.open(data, business)
    try:
        key = read_key(data / "key")
        demo = _is_demo(store, imported)
        platform, shop = WebPlatform(), PhotoShop(data / "photos")
        connected = connect(settings.channels, shop.path, demo=demo)
        platforms: dict[str, Platform] = {platform.channel.name: platform, **connected}
        preparer = Preparer(store, shop, platforms)
        engine = Engine(
            store,
            business,
            platforms,
            preparer,
            Frame(rules_of(settings, load_texts(data)), key, demo),
            erase_photo=shop.erase,
            bound=settings.queue_events,
        )
        platform.engine = engine
        for other in connected.values():
            other.engine = engine
        preparer.accept = engine.inbox.accept
        meanings = Meanings(data, lambda: engine.office.hall)
        preparer.heard = meanings.wanted
        engine.outbox.finish = Comparisons(store, shop).finish
        news = newsroom(store, data, key, engine.inbox)
        preparer.cut = news.intake.terms
    except BaseException:
        store.close()
        raise
    retention = Retention(
        settings.keep_audit_days,
        settings.keep_photos_days,
        settings.keep_text_days,
        backup_minutes=settings.backup_minutes,
        backup_keep=settings.backup_keep,
    )
    maintenance = Maintenance(store, shop, retention)
    hindsight, reading = Hindsight(engine), _reading(engine, shop, preparer)
    return Parts(engine, platform, shop, preparer, maintenance, hindsight, news, meanings, reading, settings, data)


def _reading(engine: Engine, shop: PhotoShop, preparer: Preparer) -> PhotoReading | None:
    """Reads words in photos where the extra `ocr` is installed."""
    if not available():
        return None
    reading = PhotoReading(engine.store, shop.path, lambda: engine.office, engine.inbox.accept, ChildReader())
    preparer.entered = reading.wanted
    return reading


def _is_demo(store: Store, imported: County | None) -> bool:
    """Set when the directory is first created from the shipped county, and ended for good by an import (design 6b)."""
    found = store.peek(lambda c: (county.empty(c), meta.get(c, "demo")))
    return imported is None if found[0] else bool(found[1])


def application(parts: Parts, imported: County | None) -> web.Application:
    """The aiohttp application of a running process."""
    app = web.Application(middlewares=[frame.frame], client_max_size=UPLOAD_LIMIT)
    app[session.ENGINE], app[session.WEB] = parts.engine, parts.web
    app[chat.SHOP], app[chat.PREPARER] = parts.shop, parts.preparer
    app[chat.PICTURES] = Comparisons(parts.engine.store, parts.shop)
    app[learning.HINDSIGHT], app[paste.NEWSROOM] = parts.hindsight, parts.newsroom
    settings = parts.settings
    app[own_data.KEPT] = own_data.Kept(settings.keep_photos_days, settings.keep_text_days, settings.keep_audit_days)
    app[session.LIMITS] = session.Limits(
        settings.session_idle_minutes * 60,
        settings.session_hours * 3600,
        settings.ip_allow,
        settings.public_url.startswith("https://"),
        settings.login_failures,
        settings.login_lock_minutes * 60,
        frozenset(settings.totp_roles),
    )
    environment = aiohttp_jinja2.setup(app, loader=jinja2.FileSystemLoader(CONSOLE / "templates"), autoescape=True)
    environment.filters.update(FILTERS)
    app.router.add_get("/healthz", healthz)
    token = settings.metrics_token.get_secret_value() if settings.metrics_token else ""
    metrics.add_routes(app, parts.engine, parts.data, token)
    app.router.add_static("/static", CONSOLE / "static", follow_symlinks=False)
    for part in (chat, login, demo, pages):
        part.add_routes(app)
    for platform in parts.engine.platforms.values():
        platform.add_routes(app)
    app.cleanup_ctx.append(lambda app: _life(parts, imported))
    return app


async def _life(parts: Parts, imported: County | None) -> AsyncIterator[None]:
    engine = parts.engine
    await parts.shop.start()
    fresh = await engine.store.read(county.empty)
    await engine.start((imported or shipped_county()) if fresh else None)
    await parts.preparer.resume()
    parts.hindsight.start()
    if parts.reading is not None:
        parts.reading.start()
    if engine.office.demo:
        _begin_in_hours(engine)
    scheduler = AsyncIOScheduler(timezone=ZONE)
    engine.clock.start(scheduler)
    parts.maintenance.start(scheduler)
    parts.newsroom.start(scheduler, lambda: engine.office)
    scheduler.start()
    await engine.clock.tick()
    for platform in engine.platforms.values():
        await platform.start()
    asyncio.get_running_loop().call_later(1.0, _warm, engine)
    yield
    scheduler.shutdown(wait=False)
    await parts.newsroom.close()
    await engine.clock.close()
    for platform in engine.platforms.values():
        await platform.close()
    await parts.hindsight.close()
    await parts.meanings.close()
    await parts.preparer.close()
    if parts.reading is not None:
        await parts.reading.close()
    await parts.shop.close()
    await engine.close()


def _begin_in_hours(engine: Engine) -> None:
    """A demo first opened at night begins the next working morning, so that units can be seen answering."""
    now = engine.business()
    opening = engine.office.worktime.next_open(now)
    if opening > now and not engine.business.moved:
        engine.business.advance_to(opening + 1800)


def _warm(engine: Engine) -> None:
    """Load what the first decision would otherwise wait for, once the port is open."""
    engine.office.worktime.is_workday(datetime.date.today())


async def healthz(request: web.Request) -> web.Response:
    """200 only when events can be accepted."""
    engine = request.app[session.ENGINE]
    ready = engine.inbox.has_room and await engine.store.ready()
    return web.json_response({"ready": ready}, status=200 if ready else 503)


def _time(at: int | None, form: str = "%m月%d日 %H:%M") -> str:
    zone = datetime.timezone(datetime.timedelta(hours=8))
    return datetime.datetime.fromtimestamp(at, zone).strftime(form) if at else ""


FILTERS = {"time": _time, "due": shown}
