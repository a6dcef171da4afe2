"""What people read about editions: short, and each says what to do next. Fields in braces."""

from __future__ import annotations

TEXTS = {
    # desk
    "not_editor": "只有摘要编辑可以改内容，请找管理员登记角色。",
    "not_begun": "这一天的摘要还没有开始，请先打开“摘要”页。",
    "none_stands": "已定为不发，要继续请签发人回复“摘要 重开”。",
    "sent_stands": "已经发出，不能再改。有错请用“摘要 更正 序号 正文”。",
    "changed": "内容已改过，请重新看一遍。回复“摘要”可看。",
    "gone": "这一条已不在，请换一条。",
    "held": "这一条暂不能用：{why}",
    "in_already": "这一条已经在摘要里了。",
    "no_column": "没有这个栏目，请从{columns}里选。",
    "bad_order": "顺序要写全1到{n}，每个一次。",
    "length": "标题要有，不超过{title}字；正文不超过{text}字。",
    "full": "最多{most}条，请先剔除一条再加。",
    "no_line": "没有第{pos}条，请刷新后再试。",
    "no_card": "没有这张卡片，或已停用。",
    "card_rests": "这张卡片{day}发过，{days}天内不重复，请换一张。",
    "card_invalid": "这张卡片不在有效期内，请换一张。",
    "verbatim": "警示内容只能用原文整句，这里不是：{words}",
    "invented": "原文里没有：{words}。请改回原文说法。",
    "secret": "内容疑似涉密，没有保存。请报告保密员。",
    "no_warning": "第{pos}条没有待核对的提醒。",
    "pulled": "第{pos}条原发布单位已撤回或更正，请编辑剔除。",
    "why_ack": "请写明核对情况，例如“摘要 核对 3fa2c1 2 已电话核实”。",
    # states
    "draft": "草稿，待编辑送审",
    "edited": "已送审，待审核",
    "edited_two": "已送审，待签发",
    "reviewed": "已审核，待签发",
    "approved": "已签发，{at}发出",
    "none": "今日不发：{why}",
    "sent": "已发出",
    "recalled": "已发出，后撤回",
}


def say(name: str, **fields: object) -> str:
    """One text with its fields."""
    return TEXTS[name].format(**fields)
