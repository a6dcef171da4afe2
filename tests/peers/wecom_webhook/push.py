"""gwozai-wechat-bot pushes one of each into a group: `push.py BASE KEY PICTURE FILE`; what it was told, as JSON."""

import json
import sys
from pathlib import Path

from gwozai_wechat_bot.bot import WeChatBot

base, key, picture, file = sys.argv[1:]
WeChatBot.BASE_URL = f"{base}/cgi-bin/webhook"


def bot(key: str) -> WeChatBot:
    return WeChatBot(key=key, max_retries=0, enable_log=False)


said = bot(key)
answers = [
    said.text("今日要闻", mentioned=["limin"]),
    said.markdown("## 今日要闻"),
    said.image(Path(picture).read_bytes()),
    said.news([{"title": "防汛会议", "description": "召开", "url": "https://www.gov.cn/a", "picurl": ""}]),
    said.file(file),
    said.text("长" * 700),
    bot("wrong").text("x"),
]
print(json.dumps([answer.success for answer in answers]))  # its errcode is lost on the way
