"""What people receive about a task, ≤ 3 lines and ≤ 120 characters before long names (ux.md F2).

Fields are filled in one pass by name, so a brace in what somebody wrote is only a brace.
"""

from __future__ import annotations

import re

TEXTS: dict[str, str] = {
    "dispatched": "【已受理】#{number} {where}{category}\n派:{unit}{officer} · {due}反馈\n签收请回复“签收”；不属本单位回复“退单 原因”",
    "dispatched_urgent": "【紧急】#{number} {where}{category}\n派:{unit}{officer} · 请立即处置，{due}反馈\n有人受伤或有危险请先拨打 {phone}",
    "dispatched_quiet": "【已受理】#{number} {where}{category}\n派:{unit} · {due}反馈，上班后通知",
    "dispatched_unit": "【新工单】#{number} {where}{category}\n{due}反馈。{text}\n签收请回复“签收 {number}”",
    "dispatched_proposed": "{base}\n(职责为拟定，如不对请回复“改单位 名称”)",
    "received": "【已受理】#{number} 已转指挥员确认，请稍候",
    "ask_choice": "【请确认】#{number} {where}{text}\n{choices}\n请指挥员回复序号，或“派 单位名称”",
    "ask_place": "照片和情况已收到，请回复一句具体位置(路名+参照物)",
    "ask_words": "照片已收到，请回复一句:在哪里、什么问题。{minutes}分钟内有效",
    "ask_which": "您指哪一单?请带单号回复:\n{list}",
    "accepted": "【已签收】#{number} {unit} {person} {time}签收(用时{used})",
    "also_waiting": "{base}\n还有待签收:{list}",
    "arrived": "【已到场】#{number} {person} {time}到场，距上报{used}",
    "feedback": "【已反馈】#{number} {unit}:{text}({photos})\n请 {verifier} 核查，回复“通过”或“返工 原因”",
    "verify_request": "【请核查】#{number} {where}{category}，{unit}已反馈({photos})\n请回复“通过 {number}”或“返工 {number} 原因”",
    "closed": "【已办结】#{number} {where}{category}\n用时{used}，{punctual}",
    "force_closed": "【已办结】#{number} 由{person}决定办结\n原因:{text}",
    "rework": "【返工】#{number} 核查未通过，请重新办理\n{due}前反馈",
    "rework_unit": "【返工】#{number} 核查未通过:{text}\n{due}反馈",
    "returned": "【退单待裁】#{number} {unit}退单:{text}\n请指挥员回复“改派 单位名称”。期间时限照常计算",
    "reassigned": "【改派】#{number} {where}{category}\n改派:{unit}{officer} · {due}反馈\n签收请回复“签收”",
    "corrected": "【已更正】#{number} {where}{category} · {unit}",
    "withdrawn": "【已撤回】#{number} {where}{category}",
    "rejected": "【不予受理】#{number} 原因:{text}",
    "reopened": "【重开】#{number} {person}反映:{text}\n请{unit}重新办理，{due}反馈",
    "photo_added": "照片已并入 #{number}",
    "relay": "【请签收】#{number} {where}{category}\n{unit}尚未签收，请您安排。回复“签收 {number}”",
    "due_soon": "【将超时】#{number} {where}{category}\n{due}到期，尚未反馈",
    "overdue": "【已超时】#{number} {where}{category}\n已过时限({due})，请尽快反馈",
    "escalation": "【督办】#{number} {where}{category}\n{unit}超过时限未反馈({due})，请关注",
    "unit_reminder": "#{number} 请{unit}查看，待处理",
    "verify_wait": "【请核查】#{number} 待核查已{used}，请回复“通过 {number}”或“返工 {number} 原因”",
    "arbitrate": "【请裁定】#{number} 退单待裁，请回复“改派 {number} 单位名称”",
    "task_line": "#{number} {where}{category} {state}",
    "status": "#{number} {where}{category}\n{state} · {unit} · {due}",
    "nothing": "没有找到工单 {number}，请核对单号",
}

REFUSALS: dict[str, str] = {
    "not_allowed": "#{number} {label}请由{who}操作",
    "own_unit": "#{number} 本单位办理的工单，请由上报人或其他单位的核查员核查",
    "wrong_state": "#{number} 现在是“{state}”，不能{label}",
    "reason": "请写明原因，例如“{word} {number} 属于道路施工”",
    "too_late": "#{number} 已超过{days}天，请重新上报",
    "unit": "没认出单位名称，请写全称，例如“改派 {number} 住建局”",
    "returns": "#{number} 已退单{count}次，不能再退，请联系裁定人",
    "choice": "请回复 1 到 {count} 的序号，或“派 单位名称”",
}

_FIELD = re.compile(r"\{(\w+)\}")


def text(name: str, **fields: object) -> str:
    """Fill a text by name. Raises KeyError for a field the caller forgot."""
    return _FIELD.sub(lambda found: str(fields[found[1]]), (TEXTS.get(name) or REFUSALS[name]))


def short(words: str, limit: int = 40) -> str:
    """At most `limit` characters on one line."""
    line = " ".join(words.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def lasted(seconds: int) -> str:
    """A duration as people say it."""
    if seconds < 60:
        return f"{max(seconds, 0)}秒"
    if seconds < 3600:
        return f"{seconds // 60}分{seconds % 60}秒" if seconds < 600 else f"{seconds // 60}分钟"
    if seconds < 86400:
        return f"{seconds // 3600}小时{seconds % 3600 // 60}分"
    return f"{seconds // 86400}天{seconds % 86400 // 3600}小时"
