"""Everything people read about tax questions, in one place. Braces are filled by `say`."""

from __future__ import annotations

import re

TEXTS = {
    "answer": "【解答】{question}",
    "basis": "依据：{basis}",
    "valid": "有效期：{valid}",
    "unhappy": "不满意请回复 人工",
    "choose": "您想问的是哪一个？请回复序号",
    "choose_taxpayer": "请问是哪类纳税人？请回复序号",
    "choose_tax": "请问是哪个税种？请回复序号",
    "choose_period": "请问是按月、按季还是按年？请回复序号",
    "none_of_these": "都不是请回复 人工",
    "no_such_number": "没有这个序号，请回复1到{last}",
    "offer_over": "这份选项已过期，请重新提问",
    "handoff": "{number} 已转值班税务人员，答复会发在群里",
    "handoff_private": "{number} 已转值班税务人员，答复会发给您",
    "handoff_quiet": "{number} 已转税务人员，工作时间（{opens}起）答复",
    "handoff_bare": "{number} 请值班税务人员引用本条答复",
    "matter": "{number} 已转税务人员处理，办好后告诉您",
    "matter_quiet": "{number} 已转税务人员，工作时间（{opens}起）处理",
    "joined": "{number} 正在等税务人员答复",
    "expired": "“{question}”的规定已于{day}失效",
    "successor": "{gone}，新规定见下",
    "not_yet": "“{question}”的规定自{day}起施行，现在还未生效",
    "person_what": "请把问题写在“人工”后面，例如：人工 注销要带什么材料",
    "mask": "您的消息里有税号、证件号或电话，号码没有保存\n请撤回那条消息，去掉号码再问",
    "mask_group": "群里不宜发税号、证件号或电话，号码没有保存。请撤回，去掉号码再问",
    "useless": "已记下。需要税务人员答复请回复 人工",
    "silent": "我只答税费问题。请写清楚要问什么，或回复 人工",
    "voice": "暂时听不了语音，请用文字提问",
    "ticket": "{number} 请您答复（{tax}）\n问：{text}\n在群里引用该问题回复，或在这里回复“{number} 答复内容”",
    "ticket_matter": "{number} 请您处理\n{text}\n办好后在群里引用该消息回复，或在这里回复“{number} 已解决”",
    "near": "也可只回复“{number} 序号”，用现有条目答复：",
    "reminder": "{number} 还没有答复，提问于{at}\n{text}",
    "relay": "{number} 值班人员暂未答复，请您处理（{tax}）\n{text}",
    "escalation": "{number} 已等{minutes}分钟无人答复，请您过问\n{text}",
    "relayed": "{number} {name}答复：{text}",
    "settled": "{number} 提问人说已经解决，不用再答复",
    "recalled": "{number} 提问人撤回了问题，不用再答复",
    "closed": "{number} 已办结",
    "answered_before": "{number} 已由{name}答复",
    "no_words": "请写上答复内容，例如“{number} 需要带营业执照”",
    "no_ticket": "没有找到这个编号：{number}",
    "only_officer": "只有税务人员可以答复 {number}",
    "draft_basis": "{ticket} 已答复。拟收入问答库为 {number}，请补依据：回复“依据 文号”\n不收入请回复“不收入 {number}”",
    "draft_sent": "{ticket} 已答复。拟收入问答库为 {number}，已送{name}审核",
    "draft_alone": "{ticket} 已答复。拟收入问答库为 {number}，等第二个人在后台审核",
    "review": "{number} 请您审核（{author}拟，{kind}）",
    "review_how": "同意请回复“同意 {number}”，不同意请回复“不同意 {number} 原因”",
    "basis_taken": "{number} 依据已补，已送{name}审核",
    "basis_empty": "请写上文号，例如“依据 财政部 税务总局公告2026年第10号”",
    "approved": "{number} 已生效，以后问到会直接答复",
    "rejected": "{number} 未通过审核：{reason}",
    "rejected_done": "{number} 已退回{author}",
    "dropped": "{number} 不收入问答库",
    "no_basis": "{number} 还没有依据，不能生效",
    "own_draft": "{number} 是您自己拟的，要由别人审核",
    "not_approver": "您不能审核 {number}",
    "decided": "{number} 已处理过",
    "reason": "请写上原因，例如“不同意 {number} 文号不对”",
    "filing": "【征期提醒】{month}月征期{day}截止，{left}\n{taxes}请按期申报\n依据：{document}",
    "push_review": "{number} 请您审核：推送到{groups}（{author}拟）",
    "push_sent": "{number} 已送{name}审核",
    "push": "【税收政策】{question}",
    "pushed": "{number} 已推送到{groups}",
    "push_none": "没有这条已生效的条目，不能推送",
    "push_again": "这些群都推送过这一版，不再推送",
}


def say(name: str, /, **fields: object) -> str:
    """A text with its braces filled, in one pass: what people wrote is never read for braces itself."""
    return _FIELD.sub(lambda found: str(fields[found[1]]), TEXTS[name])


_FIELD = re.compile(r"\{(\w+)\}")
