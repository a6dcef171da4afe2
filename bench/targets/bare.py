"""The baseline nobody can beat with this library: aiohttp that forgets everything and answers at once. PORT as argument."""

from __future__ import annotations

import json
import sys

import uvloop
from aiohttp import web


async def line(request: web.Request) -> web.WebSocketResponse:
    """Echo OneBot group messages."""
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    async for frame in socket:
        found = json.loads(frame.data)
        if found.get("post_type") == "message":
            params = {"group_id": found["group_id"], "message": found["message"]}
            await socket.send_str(
                json.dumps({"action": "send_group_msg", "params": params, "echo": str(found["message_id"])})
            )
    return socket


async def posted(request: web.Request) -> web.Response:
    """Echo a JSON body."""
    return web.json_response(json.loads(await request.read()))


app = web.Application()
app.router.add_get("/ws", line)
app.router.add_post("/post", posted)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None, loop=uvloop.new_event_loop())
