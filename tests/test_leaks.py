"""Seeded secrets go through every path of a real server; afterwards they are in no file they have no business in."""

from __future__ import annotations

import asyncio
import re
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from bot import backup
from bot.county_import import put_in
from config.files import read_county
from tests.serving import Session, accepted, bot, serving, tiny_county, until

PHONE = "13912345678"
IDENTITY = "11010119900307721X"  # a valid check digit, nobody's
PASSWORD = "很长的一句口令-Zebra-77"
SECRET = "机密★10年 关于甲乙丙丁戊己庚辛事项"
CHATTER = "悄悄话不该落盘九九八十一"
COOKIE = re.compile(r"qunban=([^;]+)")
CSRF = re.compile(r'name="csrf" value="([^"]+)"')
TOKEN = re.compile(r"first\?token=(\w+)")


def test_no_secret_outlives_its_path(tmp_path: Path) -> None:
    data, log = tmp_path / "d", tmp_path / "log"
    asyncio.run(put_in(data, read_county(tiny_county(tmp_path / "tiny"))))
    with serving(data, log=log, QUNBAN_LOG_LEVEL="DEBUG") as server:
        token = until(lambda: TOKEN.search(log.read_text("utf-8")))[1]
        cookie = _set_password(server.url, token)
        session = Session(cookie, _csrf_of(server.get("", Session(cookie, ""))[1]))
        assert server.say(session, "chatter1", CHATTER) == 200
        assert server.say(session, "phone-01", f"@群办 垃圾桶满了没人收，联系 {PHONE}，身份证 {IDENTITY}") == 200
        assert server.say(session, "secret-1", f"@群办 {SECRET}") in (200, 422)
        server.post("login", {"name": "zhao", "password": PASSWORD + "错"})
        server.get(f"first?token={token}")
        server.get(f"healthz?phone={PHONE}&password={urllib.parse.quote(PASSWORD)}")
        server.post("in/web/messages", {"room": "nowhere", "id": "bad-room1", "text": PHONE}, session)
        until(lambda: server.health() == 200)
        backup.take(data, 3)
        server.kill()
    assert bot("check", "--data", str(data)).returncode == 0
    backup.take(data, 3)
    stored = accepted(data)
    assert any("垃圾桶满了没人收" in text for text in stored), "the report itself is kept"
    _scan(tmp_path, (PHONE, IDENTITY, PASSWORD, SECRET, SECRET[6:], CHATTER, cookie, session.csrf))
    _scan(data, (token,))
    printed = log.read_text("utf-8")
    assert printed.count(token) == 1, "the first-run token is printed once, for the person at the screen"


def _scan(root: Path, seeds: tuple[str, ...]) -> None:
    """No file below `root` holds a seed, in any encoding we write."""
    for path in root.rglob("*"):
        if path.is_file() and "tiny" not in path.parts:
            content = path.read_bytes()
            for seed in seeds:
                forms = {seed.encode(), seed.encode("unicode_escape"), seed.encode("utf-16-le"), seed.encode("gbk")}
                assert not any(form in content for form in forms), f"{seed[:6]}… stands in {path}"


def _csrf_of(page: str) -> str:
    found = (
        CSRF.search(page) or re.search(r'csrf[^>]*content="([^"]+)"', page) or re.search(r'data-csrf="([^"]+)"', page)
    )
    assert found is not None, "the page carries its form token"
    return found[1]


def _set_password(url: str, token: str) -> str:
    """Use the first-run token as a browser would; the session's cookie."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *arguments: object) -> None:
            return None

    body = urllib.parse.urlencode({"token": token, "password": PASSWORD, "again": PASSWORD}).encode()
    try:
        with urllib.request.build_opener(Stay).open(f"{url}first", body) as answer:
            headers = answer.headers
    except urllib.error.HTTPError as error:
        with error:
            assert error.code == 303, error.read().decode()
            headers = error.headers
    found = COOKIE.search(headers["Set-Cookie"])
    assert found is not None
    return found[1]
