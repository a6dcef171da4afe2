"""What people receive about a task, ≤ 3 lines and ≤ 120 characters with ordinary names (ux.md F2).

The county's texts.toml may put other words in place of any of these (`Rules.texts`). Fields are filled in one pass by
name, so a brace in what somebody wrote is only a brace.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

TEXTS: dict[str, str] = {
    "dispatched": "【已受理】#{number} {where}{category}\n派:{unit}{officer} · {due}反馈\n签收请回复“签收”；不属本单位回复“退单 原因”",
    "dispatched_urgent": "【紧急】#{number} {where}{category}\n派:{unit}{officer} · 请立即处置，{due}反馈\n有人受伤或有危险请先拨打 {phone}",
    "dispatched_quiet": "【已受理】#{number} {where}{category}\n派:{unit} · {due}反馈，上班后通知",
    "dispatched_unit": "【新工单】#{number} {where}{category}\n{due}反馈。{text}\n签收请回复“签收 {number}”",
    "received": "【已受理】#{number} 已转指挥员确认，请稍候",
    "ask_choice": "【请确认】#{number} {where}{text}\n{choices}\n请指挥员回复序号，或“派 单位名称”",
    "ask_which": "您指哪一单?回复单号即可:\n{list}",
    "accepted": "【已签收】#{number} {unit} {person} {time}签收(用时{used})",
    "also_waiting": "\n还有待签收:{list}",
    "part_accepted": "【已签收】#{number} 协办单位{own} {person} {time}签收",
    "arrived": "【已到场】#{number} {person} {time}到场，距上报{used}",
    "feedback": "【已反馈】#{number} {unit}:{words}({photos})\n请 {verifier} 核查，回复“通过”或“返工 原因”",
    "feedback_more": "【补充反馈】#{number} {own}:{words}({photos})\n已并入，请核查时一并查看",
    "feedback_photos": "【补充反馈】#{number} {unit}又发来处理后照片{photos}\n已并入，请核查时一并查看",
    "part_reported": "【已反馈】#{number} {own}:{words}({photos})\n会办还差 {missing} 反馈",
    "verify_request": "【请核查】#{number} {where}{category}，{unit}已反馈({photos})\n请回复“通过 {number}”或“返工 {number} 原因”",
    "suspect": "【照片存疑】#{number} {doubts}\n请核查时留意，仅提醒，不作认定",
    "closed": "【已办结】#{number} {where}{category}\n用时{used}，{punctual}",
    "force_closed": "【已办结】#{number} 由{person}决定办结\n原因:{words}",
    "rework": "【返工】#{number} 核查未通过，请{unit}重新办理\n{due}反馈",
    "rework_unit": "【返工】#{number} 核查未通过:{words}\n{due}反馈",
    "returned": "【退单待裁】#{number} {own}退单:{words}\n请指挥员回复“改派 单位名称”。期间时限照常计算",
    "returned_again": "【退单待裁】#{number} {own}第{count}次退单:{words}\n请裁定人回复“改派 单位名称”，裁定后不再退单。时限照常计算",
    "reassigned": "【改派】#{number} {where}{category}\n改派:{unit}{officer} · {due}反馈\n签收请回复“签收”",
    "ruling": "【裁定】#{number} {where}{category}\n由{unit}{joined}承办{officer} · {due}反馈\n签收请回复“签收”{final}",
    "joint": "【会办】#{number} {where}{category}\n{unit}牵头{officer}，{assistants}协办 · {due}反馈\n请各单位回复“签收”，办完分别反馈",
    "joint_unit": "【会办】#{number} {where}{category}\n{unit}牵头，贵单位协办，{due}反馈\n签收请回复“签收 {number}”",
    "extend_asked": "【申请延期】#{number} {unit}:{words}\n请指挥员回复“同意延期”或“不同意延期”",
    "extended": "【延期】#{number} 同意第{count}次延期，{due}反馈",
    "extend_denied": "【延期】#{number} 未同意延期，仍请{due}反馈",
    "suspend_asked": "【申请挂账】#{number} {unit}申请挂账至{until}:{words}\n请指挥员回复“同意挂账”或“不同意挂账”",
    "suspended": "【挂账】#{number} 挂账至{until}，到期自动恢复办理",
    "suspend_denied": "【挂账】#{number} 未同意挂账，仍请{due}反馈",
    "suspended_week": "【挂账提醒】#{number} {where}{category}\n挂账至{until}，条件具备可回复“恢复办理 {number}”",
    "resumed": "【恢复办理】#{number} {where}{category}\n{unit} · {due}反馈",
    "corrected": "【已更正】#{number} {where}{category} · {unit}",
    "withdrawn": "【已撤回】#{number} {where}{category}",
    "draft_withdrawn": "好的，刚才的不再受理",
    "rejected": "【不予受理】#{number} 原因:{words}\n如有异议，一天内回复“申诉 原因”",
    "appealed": "【申诉】#{number} {person}:{words}\n请指挥员重新确认，回复“派 单位名称”",
    "reopened": "【重开】#{number} {person}反映未解决\n请{unit}重新办理，{due}反馈",
    "merged": "【并案】#{number} 已并入 #{master}，一并办理\n不是同一处请回复“拆分 {number}”",
    "joined": "【并案】与 #{number} {where}{category}是同一问题，已一并受理，办结时通知您\n不是同一处请回复“拆分”",
    "twins": "【可能重复】#{number} 与 #{twin}:{reasons}\n是同一件请回复“并案 {number} 到 {twin}”；不是就不用回复",
    "split": "【拆分】#{number} {where}{category}已单独办理",
    "exempt_asked": "#{number} 申请超时豁免:{words}\n请裁定人回复“同意豁免 {number}”",
    "exempted": "#{number} 超时豁免已同意，超时记录保留",
    "exempt_denied": "#{number} 未同意超时豁免",
    "urged": "#{number} 已私下提醒{unit}",
    "urged_enough": "#{number} 已提醒到上限，不再重复；{unit}的时限是{due}",
    "relay": "【请签收】#{number} {where}{category}\n{unit}尚未签收，请您安排。回复“签收 {number}”",
    "unsigned": "【督办】#{number} {where}{category}\n{unit}逐级通知后仍未签收，请关注",
    "due_soon": "【将超时】#{number} {where}{category}\n{due}到期，尚未反馈",
    "overdue": "【已超时】#{number} {where}{category}\n时限{due}已过，请尽快反馈",
    "escalation": "【督办】#{number} {where}{category}\n{unit}超过时限未反馈({due})，请关注",
    "urge": "【催办】#{number} {where}{category}\n请尽快办理，{due}反馈",
    "unit_reminder": "#{number} 请{unit}查看，待处理",
    "verify_wait": "【请核查】#{number} 待核查已{used}\n请回复“通过 {number}”或“返工 {number} 原因”",
    "arbitrate": "【请裁定】#{number} 退单待裁，请回复“改派 {number} 单位名称”",
    "task_line": "#{number} {where}{category} {state}",
    "puzzled": "#{number} {where}{category}\n{state} · {unit} · {due}\n没看懂要做什么，可回复“帮助”",
    "status": "#{number} {where}{category}\n{state} · {unit} · {due}",
}

REFUSALS: dict[str, str] = {
    "nothing": "没有找到工单 {number}，请核对单号",
    "nothing_meant": "没有您可以{label}的工单，请带上单号",
    "not_allowed": "#{number} {label}请由{who}操作",
    "own_unit": "#{number} 本单位办理的工单，请由上报人或其他单位的核查员核查",
    "wrong_state": "#{number} 现在是“{state}”，不能{label}",
    "reason": "请写明原因，直接回复原因即可，或回复“{word} {number} 原因”",
    "too_late": "#{number} 办结已超过{days}天，请重新上报",
    "unit": "没认出单位名称，请写全称，例如“改派 {number} 住建局”",
    "correction": "没认出要改成什么，请写“改类别 名称”或“改地点 地点”",
    "returns": "#{number} 已退单{count}次，不能再退，请联系裁定人",
    "final": "#{number} 已裁定由贵单位承办，不再退单",
    "return_late": "#{number} 时限已过四分之一，不能退单，请联系指挥员",
    "asked_already": "#{number} 已有申请等指挥员答复",
    "extend_late": "#{number} 已超过时限，不能申请延期",
    "extensions": "#{number} 已延期{extensions}次，不能再延",
    "suspensions": "#{number} 已挂过账，不能再次挂账",
    "suspend_date": "请写明挂账到哪一天(一年以内)，例如“挂账 {number} 2026-12-31 等配件”",
    "nothing_asked": "#{number} 没有等待答复的申请",
    "appeal_late": "#{number} 已超过一天，不能申诉，请重新上报",
    "split_late": "#{number} 并案已超过24小时，不能拆分，请重新上报",
    "punctual": "#{number} 没有超时",
    "exempt_already": "#{number} 已申请过豁免",
    "merge_two": "请写明两个单号，例如“并案 {number} 到 主单号”",
    "choice": "请回复 1 到 {count} 的序号，或“派 单位名称”",
}

ALWAYS = frozenset({"number", "where", "category", "unit", "text", "state", "due", "person", "own", "time"})
_FIELD = re.compile(r"\{(\w+)\}")


def text(text_name: str, own: Mapping[str, str] | None = None, /, **fields: object) -> str:
    """Fill a text by name, the county's own words first. Raises KeyError for a field the caller forgot."""
    template = (own or {}).get(text_name) or TEXTS.get(text_name) or REFUSALS[text_name]
    return filled(template, fields)


def filled(template: str, fields: Mapping[str, object]) -> str:
    """A template with every field replaced, in one pass."""
    return _FIELD.sub(lambda found: str(fields[found[1]]), template)


def fields_of(template: str) -> frozenset[str]:
    """The fields a text uses: an office's own words may use those of the text they replace and no others."""
    return frozenset(_FIELD.findall(template))


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
