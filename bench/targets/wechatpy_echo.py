"""A WeCom app on wechatpy and aiohttp that answers every message at once and keeps nothing: `wechatpy_echo.py PORT TOKEN KEY CORP`."""

from __future__ import annotations

import sys

from aiohttp import web
from wechatpy.enterprise import WeChatCrypto, create_reply, parse_message

PORT, TOKEN, KEY, CORP = sys.argv[1:]
CRYPTO = WeChatCrypto(TOKEN, KEY, CORP)


async def called(request: web.Request) -> web.Response:
    query = request.query
    body = CRYPTO.decrypt_message(await request.text(), query["msg_signature"], query["timestamp"], query["nonce"])
    message = parse_message(body)
    reply = create_reply(f"收到 {message.content}", message).render()
    return web.Response(text=CRYPTO.encrypt_message(reply, query["nonce"], query["timestamp"]))


app = web.Application()
app.router.add_post("/", called)
if sys.platform != "win32":
    import uvloop

    uvloop.install()
web.run_app(app, host="127.0.0.1", port=int(PORT), access_log=None, print=None)
