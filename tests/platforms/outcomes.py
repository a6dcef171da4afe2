"""What becomes of a message when a platform fails, as the tests found it: (scenario, outcome) rows, shown in docs/platforms/faults.md."""

from __future__ import annotations

from collections.abc import Mapping

Rows = tuple[tuple[str, str], ...]

SENT = "已发出一次"
RENEWED = "换一次令牌，已发出一次"
AGAIN = "没有发出，稍后再发"
RESTS = "没有发出，整个渠道暂停，其他渠道不受影响"
WAITS = "没有发出，等管理员改好后自动再发"
NEVER = "没有发出，记为失败，由人处理"
UNCLEAR_ONCE = "不知道发没发出，自动再发；平台去重，对方只看到一次"
SPEAKS = "没有发出，群里下一次 @ 群办时自动再发"
TWICE = "不知道发没发出，自动再发；对方可能看到两次，单号相同"
PUSHED = "改为主动发送，已发出一次"
ONCE_BACK = "没有发出，连上后马上发"
BY_TEMPLATE = "改发模板消息，已发出一次"
PARKED = "不知道发没发出，记为“结果不明”，由人决定是否补发"

WECOM_AIBOT: Rows = (
    ("正常", SENT),
    ("限频（45009）", RESTS),
    ("系统忙（6000）", AGAIN),
    ("内容不合规（40008）", NEVER),
    ("回复已过时（846608）", PUSHED),
    ("会话里还没人找过机器人", SPEAKS),
    ("不回应", TWICE),
    ("慢 30 秒", TWICE),
    ("回到一半断开", TWICE),
    ("断开连接", TWICE),
    ("已发出但没有回执", TWICE),
    ("另一处用同一个机器人连上", WAITS),
)
WECOM_AIBOT_WEBHOOK: Rows = (
    ("正常", SENT),
    ("没有可用的 response_url", SPEAKS),
    ("限频（45009）", RESTS),
    ("内容不合规（40008）", NEVER),
    ("不回应", TWICE),
    ("回到一半断开", TWICE),
    ("回网页而不是 JSON", TWICE),
    ("慢 30 秒", TWICE),
    ("已发出但没有回执", TWICE),
)
WECOM_APP: Rows = (
    ("正常", SENT),
    ("令牌过期（42001）", RENEWED),
    ("限频（45009）", RESTS),
    ("系统繁忙（-1）", AGAIN),
    ("出口 IP 不可信（60020）", WAITS),
    ("收件人不可见（81013）", NEVER),
    ("不回应", UNCLEAR_ONCE),
    ("回到一半断开", UNCLEAR_ONCE),
    ("回网页而不是 JSON", UNCLEAR_ONCE),
    ("慢 30 秒", UNCLEAR_ONCE),
    ("已发出但没有回执", UNCLEAR_ONCE),
    ("群里：已发出但没有回执", PARKED),
)
WECOM_WEBHOOK: Rows = (
    ("正常", SENT),
    ("限频（45009）", RESTS),
    ("一分钟第 21 条", RESTS),
    ("系统繁忙（-1）", AGAIN),
    ("key 已删除（93000）", WAITS),
    ("内容不合规（40008）", NEVER),
    ("不回应", PARKED),
    ("回到一半断开", PARKED),
    ("回网页而不是 JSON", PARKED),
    ("慢 30 秒", PARKED),
    ("已发出但没有回执", PARKED),
)
QQ: Rows = (
    ("答复：正常", SENT),
    ("答复：令牌过期（11243）", RENEWED),
    ("答复：限频（22009）", RESTS),
    ("答复：有未报备的网址（304003）", NEVER),
    ("答复：已过 5 分钟（304027）", SPEAKS),
    ("答复：图片失效（304082）", AGAIN),
    ("答复：不回应", UNCLEAR_ONCE),
    ("答复：回到一半断开", UNCLEAR_ONCE),
    ("答复：回网页而不是 JSON", UNCLEAR_ONCE),
    ("答复：慢 30 秒", UNCLEAR_ONCE),
    ("答复：已发出但没有回执", UNCLEAR_ONCE),
    ("主动：群不收（40034105）", SPEAKS),
    ("主动：已发出但没有回执", PARKED),
    ("主动：不回应", PARKED),
    ("AppSecret 不对", RESTS),
)
ONEBOT: Rows = (
    ("正常", SENT),
    ("没有连上", ONCE_BACK),
    ("不回应", PARKED),
    ("慢 30 秒", PARKED),
    ("已发出但没有回执", PARKED),
    ("断线", PARKED),
    ("QQ 端说超时（1200）", PARKED),
    ("QQ 端拒绝（120）", NEVER),
    ("HTTP：回到一半断开", PARKED),
    ("HTTP：回网页而不是 JSON", PARKED),
    ("HTTP：已发出但没有回执", PARKED),
    ("HTTP：QQ 端没有开", ONCE_BACK),
    ("HTTP：令牌不对", RESTS),
)
OFFICIAL_ACCOUNT: Rows = (
    ("正常", SENT),
    ("令牌过期（42001）", RENEWED),
    ("限频（45011）", RESTS),
    ("系统繁忙（-1）", AGAIN),
    ("出口 IP 不在白名单（40164）", WAITS),
    ("openid 不对（40003）", NEVER),
    ("超过 48 小时，没有模板", NEVER),
    ("超过 48 小时，有模板", BY_TEMPLATE),
    ("48 小时内第 6 条，有模板", BY_TEMPLATE),
    ("不回应", PARKED),
    ("回到一半断开", PARKED),
    ("回网页而不是 JSON", PARKED),
    ("慢 30 秒", PARKED),
    ("已发出但没有回执", PARKED),
)
TABLES: Mapping[str, Rows] = {
    "企业微信智能机器人（长连接）": WECOM_AIBOT,
    "企业微信智能机器人（回调）": WECOM_AIBOT_WEBHOOK,
    "企业微信自建应用": WECOM_APP,
    "企业微信群消息推送": WECOM_WEBHOOK,
    "QQ 官方机器人": QQ,
    "QQ（OneBot，非官方）": ONEBOT,
    "微信公众号": OFFICIAL_ACCOUNT,
}


def page() -> str:
    """The document."""
    parts = ["# 平台出错时会怎样\n\n本页由测试生成：每一行都用模拟平台跑过。\n"]
    for name, rows in TABLES.items():
        table = "\n".join(f"| {scenario} | {outcome} |" for scenario, outcome in rows)
        parts.append(f"\n## {name}\n\n| 情形 | 结果 |\n|---|---|\n{table}\n")
    return "".join(parts)
