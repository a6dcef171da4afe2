"""`bot check`: what is right, odd or wrong with a data directory, line by line. Reads only; the server may be running."""

from __future__ import annotations

import asyncio
import datetime
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot import backup, ocr
from config import fonts
from config.county import County
from config.errors import ConfigError, SendError
from config.settings import ChannelSettings, Settings, load_settings
from handlers.calendar import local
from store import county, meta, sessions
from store.lock import FileLock
from store.peeking import reading
from store.sqlite import SAFE_VERSION, version_is_safe
from store.store import CHECKED_AT_START, ledger
from store.switching import DATABASE, NOTE, WITNESS
from store.witness import read_witness

LITTLE_SPACE, NO_SPACE = 2 << 30, 200 << 20  # bytes
BACKUP_LATE = 2  # times the interval
DRILL_DAYS = 90
STUCK_SECONDS = 600
PROBE_SECONDS = 15.0
NAMED = 8
NETWORK_DISKS = ("nfs", "cifs", "smb", "9p", "fuse.sshfs")  # security.md E: local disk only
OFFICERS = {"handler", "deputy", "unit_leader"}
NEEDED_ROLES = {
    "admin": "系统管理员",
    "dispatcher": "指挥员",
    "arbiter": "裁定人",
    "verifier": "核查员",
    "security_officer": "保密员",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: level is ok, odd or wrong."""

    level: str
    text: str


def ok(text: str) -> Finding:
    return Finding("ok", text)


def odd(text: str) -> Finding:
    return Finding("odd", text)


def wrong(text: str) -> Finding:
    return Finding("wrong", text)


def examine(data: Path) -> Iterator[Finding]:
    """Everything worth saying about a data directory."""
    yield from _program()
    yield ok(ocr.SCREENED) if ocr.available() else odd(ocr.NOT_SCREENED)
    yield ok("有中文字体，摘要长图和对比图画得出来") if fonts.chinese(28) else odd(f"{fonts.NO_FONT}在此之前发文字。")
    yield from _folder(data)
    try:
        settings = load_settings(data)
    except ConfigError as error:
        yield wrong(f"设置有误:{error}")
        settings = Settings.model_construct()
    try:
        with reading(data) as connection:
            yield from _database(connection, data)
            yield from _office(connection, settings)
            yield from _traffic(connection)
            told = _told(connection, settings) if _running(data) else {}
    except ConfigError as error:
        yield wrong(str(error))
        return
    yield from told.values()
    yield from _channels({name: each for name, each in settings.channels.items() if name not in told})
    yield from _backups(data, settings)


def _program() -> Iterator[Finding]:
    from importlib.metadata import version

    from bot.commands.serve import refuse_old_aiohttp

    try:
        refuse_old_aiohttp()
        yield ok(f"Python {sys.version.split()[0]}，aiohttp {version('aiohttp')}")
    except ConfigError as error:
        yield wrong(str(error))
    found = f"SQLite {sqlite3.sqlite_version}"
    safe = ".".join(map(str, SAFE_VERSION))
    yield (
        ok(found)
        if version_is_safe()
        else odd(f"{found} 低于 {safe}:只由群办一个进程读写时没有问题，不要用别的程序同时打开数据库")
    )


def _folder(data: Path) -> Iterator[Finding]:
    if not data.is_dir():
        yield wrong(f"没有数据目录:{data}")
        return
    if not os.access(data, os.W_OK):
        yield wrong(f"数据目录不能写入:{data}")
    yield from _secrets(data)
    kind = _disk_kind(data)
    if kind.startswith(NETWORK_DISKS):
        yield wrong(f"数据目录在网络盘上（{kind}），断电或断网会损坏数据，请换到本机磁盘")
    free = shutil.disk_usage(data).free
    level = wrong if free < NO_SPACE else odd if free < LITTLE_SPACE else ok
    yield level(f"磁盘剩余 {free / (1 << 30):.1f} GB")
    yield ok("群办正在运行" if _running(data) else "群办没有在运行")


def _secrets(data: Path) -> Iterator[Finding]:
    if os.name != "posix":
        return
    if data.stat().st_mode & 0o077:
        yield odd(f"数据目录其他用户可进入，请执行:chmod 700 {data}")
    for path in (data / "key", data / DATABASE):
        if path.exists() and path.stat().st_mode & 0o077:
            yield wrong(f"其他用户可读 {path}，请执行:chmod 600 {path}")


def _disk_kind(data: Path) -> str:
    """The file system's name where the system says it, else nothing."""
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
    except OSError:
        return ""
    home = str(data.resolve())
    above = [(place, kind) for place, kind in mounts if home == place or home.startswith(place.rstrip("/") + "/")]
    return max(above, key=lambda found: len(found[0]))[1] if above else ""


def _running(data: Path) -> bool:
    if not (data / "lock").exists():
        return False
    try:
        FileLock(data / "lock").release()
    except (ConfigError, OSError):
        return True
    return False


def _database(connection: sqlite3.Connection, data: Path) -> Iterator[Finding]:
    if (data / NOTE).exists():
        yield odd("上次恢复或导入中途断了，下次启动时会先做完")
    size = (data / DATABASE).stat().st_size
    if size <= CHECKED_AT_START:
        verdict = connection.execute("pragma quick_check(1)").fetchone()[0]
        yield ok(f"数据库完好（{size / 1e6:.1f} MB）") if verdict == "ok" else wrong(f"数据库已损坏:{verdict}")
    else:
        yield ok(f"数据库 {size / 1e6:.0f} MB（较大，在备份上检查）")
    witnessed = read_witness(data / WITNESS)  # first, since a running server moves both
    missing = witnessed - ledger(connection)
    if missing > 0:
        yield wrong(f"数据库比已确认的少 {missing} 次写入，请从备份恢复")


def _office(connection: sqlite3.Connection, settings: Settings) -> Iterator[Finding]:
    if county.empty(connection):
        yield wrong("还没有县资料，请用 bot county import 导入")
        return
    demo = bool(meta.get(connection, "demo"))
    if demo:
        yield odd("这是演示数据目录（云溪县，不用登录），正式使用请导入本县资料")
    if demo and settings.channels:
        yield wrong(f"演示数据目录不能接入真实渠道:{'、'.join(settings.channels)}")
    if not demo and not sessions.any_login(connection):
        yield odd("还没有人能登录:启动时会打印一次性登录口令，或用 bot token")
    found = county.load(connection)
    yield ok(
        f"单位 {len(found.units)}、人员 {len(found.people)}、工作群 {len(found.groups)}、类别 {len(found.categories)}"
    )
    yield from _people(found, _private_channels(settings))
    yield from _duties(found)
    yield from _holidays(found)


def _private_channels(settings: Settings) -> tuple[str, ...]:
    """How accounts begin that can be written to alone: the channel, and what marks such an account there."""
    from bot.platforms.registry import connect

    private = ["web:"]
    for name, channel in settings.channels.items():
        try:
            built = connect({name: channel}, Path, demo=False)
        except (ConfigError, ImportError, AttributeError):
            continue  # named by the settings' own finding when the server starts
        channels = [platform.channel for platform in built.values() if platform.channel.can_private]
        private += [f"{channel.name}:{channel.private_prefix}" for channel in channels]
    return tuple(private)


def _told(connection: sqlite3.Connection, settings: Settings) -> dict[str, Finding]:
    """What the running server says of its lines: a second connection would throw out the one that works."""
    from bot.platforms import standing

    found: dict[str, Finding] = {}
    for name in settings.channels:
        if (stands := standing.get(connection, name)) is not None:
            since = f"{local(stands.since):%m月%d日 %H:%M}"
            good = stands.state == standing.CONNECTED
            found[name] = ok(f"渠道 {name}:{since} 起连着") if good else wrong(f"渠道 {name}:{stands.state}（{since}）")
    return found


def _channels(channels: Mapping[str, ChannelSettings]) -> Iterator[Finding]:
    """Every configured channel, proved where it can be without anybody seeing it."""
    for name, channel in channels.items():
        yield asyncio.run(_proved(name, channel))


async def _proved(name: str, channel: ChannelSettings) -> Finding:
    from bot.platforms.registry import Provable, connect

    try:
        platform = connect({name: channel}, Path, demo=False)[name]
    except ConfigError as error:
        return wrong(str(error))
    title = f"渠道 {name}（{platform.channel.label}）"
    try:
        if not isinstance(platform, Provable):
            return ok(f"{title}:配置完整，启动后看连接情况")
        async with asyncio.timeout(PROBE_SECONDS):
            return ok(f"{title}:{await platform.probe()}")
    except (SendError, TimeoutError) as error:
        return wrong(f"{title}:{error or '没有回应'}")
    finally:
        await platform.close()


def _people(found: County, private: tuple[str, ...]) -> Iterator[Finding]:
    unreached = [p.name for p in found.people if not any(account.startswith(private) for account in p.accounts)]
    yield _names(unreached, "私下联系不到（没有可私聊渠道的账号）", "人人都有可私聊的渠道")
    staffed = {p.unit for p in found.people if OFFICERS & set(p.roles)}
    on_duty = {duty.unit for duty in found.duties} or {unit.id for unit in found.units}
    empty = [unit.name for unit in found.units if unit.id in on_duty and unit.id not in staffed]
    yield _names(empty, "单位没有经办人、副职或负责人", "承办单位都有经办人", wrong)
    unbound = [group.name for group in found.groups if not group.accounts]
    yield _names(unbound, "工作群没有绑定平台上的群", "工作群都已绑定")
    held = {role for person in found.people for role in person.roles}
    yield _names([title for role, title in NEEDED_ROLES.items() if role not in held], "没有人担任", "关键角色都有人")


def _duties(found: County) -> Iterator[Finding]:
    owned = {duty.code for duty in found.duties}
    orphans = [category.name for category in found.categories if category.code not in owned]
    yield _names(orphans, "类别没有承办单位（会请指挥员选）", "类别都有承办单位")
    proposed = sum(duty.status != "confirmed" for duty in found.duties)
    if proposed:
        yield odd(f"{proposed} 条职责还是拟定的，请逐条确认")


def _holidays(found: County) -> Iterator[Finding]:
    from handlers.calendar import Calendar

    calendar, today = Calendar(found.calendar), datetime.date.today()
    for year in (today.year, today.year + 1):
        if calendar.published(year):
            yield ok(f"{year} 年节假日已知")
        elif year == today.year or today.month >= 11:  # the notice comes in November
            yield odd(
                f"{year} 年节假日还不知道，时限按周一至周五算并注明“预计”；放假通知公布后粘贴到“县资料”的“节假日”页"
            )


def _traffic(connection: sqlite3.Connection) -> Iterator[Finding]:
    run = connection.execute
    now = int(run("select at from ledger").fetchone()[0])
    parked = run("select count(*) from inbox where state = 'parked'").fetchone()[0]
    stuck = run("select count(*) from outbox where state in ('unknown', 'dead')").fetchone()[0]
    late = run(
        "select count(*) from outbox where state in ('due', 'sending') and not_before < ?", (now - STUCK_SECONDS,)
    ).fetchone()[0]
    waiting = run("select count(*) from inbox where state = 'open' and at < ?", (now - STUCK_SECONDS,)).fetchone()[0]
    if parked:
        yield wrong(f"{parked} 条消息处理失败，等人处理（管理页面）")
    if stuck:
        yield odd(f"{stuck} 条通知没有送达或结果不明，可在送达页面重发")
    if late or waiting:
        yield odd(f"积压:待发 {late} 条、待处理 {waiting} 条超过 {STUCK_SECONDS // 60} 分钟")
    if not (parked or stuck or late or waiting):
        yield ok("没有卡住的消息和通知")


def _backups(data: Path, settings: Settings) -> Iterator[Finding]:
    folder = backup.newest(data)
    manifest = backup.read_manifest(folder) if folder is not None else None
    if manifest is None:
        yield odd("还没有备份")
    else:
        minutes = max(0, int(time.time()) - manifest.at) // 60
        text = f"最近一次备份在 {minutes} 分钟前"
        yield odd(text) if minutes > BACKUP_LATE * settings.backup_minutes else ok(text)
    drill = backup.last_drill(data)
    if drill is None:
        yield odd("还没有演练过恢复，请用 bot restore --drill")
        return
    days = max(0, int(time.time()) - int(drill["at"])) // 86400
    if not drill["passed"]:
        yield wrong(f"{days} 天前的恢复演练没有通过")
    else:
        yield (odd if days > DRILL_DAYS else ok)(f"{days} 天前演练过恢复")


def _names(names: Iterable[str], problem: str, fine: str, level: Callable[[str], Finding] = odd) -> Finding:
    found = list(names)
    if not found:
        return ok(fine)
    return level(f"{len(found)} 个{problem}:{'、'.join(found[:NAMED])}{'…' if len(found) > NAMED else ''}")
