"""Members and their bot: check-in, admission, group binding, help, privacy, opinions, quiet."""

from __future__ import annotations

import re

from digests.screening import clean_name
from handlers.commands import Command
from handlers.events import CONSOLE
from handlers.office import LEAD_ROLES
from handlers.turn import Turn
from store import county, people

TEXTS = {
    "help": "发照片加一句话即可上报，我来派单\n{steps}\n查进度:查 单号；还可以说:隐私 意见 静音 恢复",
    "help_together": "群里请把照片和文字发在同一条@消息里，或引用照片再@我",
    "help_tax": "直接问税费问题，我用审核过的文字答复，写明依据\n没答对回复“人工”；问“这个月征期到几号”可查征期\n请不要发税号、证件号、电话；还可以说:隐私 意见",
    "privacy_tax": "我只保存税费提问、答复和对我说的话，其他聊天不保存\n税号、证件号、电话打码；谁问的一天后不再记名\n意见或查看、删除本人数据:回复“意见 内容”",
    "help_stranger": "我是工作群里的办事助手\n您还没有登记:请向管理员要报到码，回复“报到 报到码”\n还可以说:隐私",
    "privacy": "我只保存上报、工单往来和对我说的话，其他聊天不保存\n照片去除位置等信息，办结{days}天后删除;个人号码打码\n意见或查看、删除本人数据:回复“意见 内容”",
    "opinion": "意见已记下，编号 {id}，工作人员会答复",
    "opinion_empty": "请写上内容，例如“意见 晚上消息太多”",
    "mute": "好的，{hours}小时内不再私聊提醒，紧急工单除外。回复“恢复”可取消",
    "unmute": "已恢复提醒",
    "checked_in": "报到成功:{name}，{unit}",
    "bad_code": "报到码无效或已过期，请向管理员重新要一个",
    "stranger": "您还没有登记，消息暂未受理。请向管理员要报到码，回复“报到 报到码”",
    "bound": "本群已绑定为“{name}”",
    "not_admin": "绑定群请由管理员使用绑定码",
}
HELP_STEPS = (
    (LEAD_ROLES, "办理:签收 / 反馈 / 退单 原因 / 延期 原因"),
    (("dispatcher", "arbiter"), "派单:回复序号，或“派 单号 单位”"),
    (("editor", "reviewer", "publisher"), "摘要:回复“摘要”看稿、送审、签发"),
    (("verifier", "reporter"), "核查:通过 / 返工 原因"),
)
_HOURS = re.compile(r"\d{1,2}")


def help_(turn: Turn, command: Command) -> None:
    """帮助: only what this person may do."""
    if _for_tax(turn, turn.event.group):
        return turn.reply("help", TEXTS["help_tax"])
    if turn.sender is None:
        return turn.reply("help", TEXTS["help_stranger"])
    held = set(turn.sender.roles)
    steps = [said for roles, said in HELP_STEPS if held.intersection(roles)] or [HELP_STEPS[-1][1]]
    said = TEXTS["help"].replace("{steps}", "；".join(steps))
    channel = turn.office.channels.get(turn.event.channel)
    called_only = turn.event.group and channel is not None and channel.hears == "mention"
    turn.reply("help", f"{said}\n{TEXTS['help_together']}" if called_only else said)


def privacy(turn: Turn, command: Command) -> None:
    """隐私: the same notice every group gets once when the bot joins."""
    turn.reply("privacy", _notice(turn, turn.event.group))


def _notice(turn: Turn, group: str) -> str:
    text = TEXTS["privacy_tax" if _for_tax(turn, group) else "privacy"]
    return text.replace("{days}", str(turn.office.rules.keep_photos_days))


def _for_tax(turn: Turn, group_id: str) -> bool:
    group = turn.office.groups.get(group_id)
    return group is not None and group.purpose == "tax"


def opinion(turn: Turn, command: Command) -> None:
    """意见: kept with a number until somebody answers."""
    if not command.rest:
        return turn.reply("help", TEXTS["opinion_empty"])
    opinion_id = f"Y{turn.event.seq}"
    people.add_opinion(turn.tx, opinion_id, turn.actor.id, command.rest)
    turn.reply("help", TEXTS["opinion"].replace("{id}", opinion_id))


def mute(turn: Turn, command: Command) -> None:
    """静音 N小时: no private reminders until then."""
    found = _HOURS.search(command.rest)
    hours = min(int(found[0]), 72) if found else 2
    people.mute(turn.tx, turn.actor.id, turn.at + hours * 3600)
    turn.reply("help", TEXTS["mute"].replace("{hours}", str(hours)))


def unmute(turn: Turn, command: Command) -> None:
    """恢复."""
    people.mute(turn.tx, turn.actor.id, None)
    turn.reply("help", TEXTS["unmute"])


def check_in(turn: Turn, command: Command) -> None:
    """报到: a one-time code binds this platform identity to a person."""
    event = turn.event
    person_id = people.spend_code(turn.tx, command.rest, "person") if command.rest else None
    person = people.get(turn.tx, person_id) if person_id else None
    if person is None:
        return turn.refuse("not_member", TEXTS["bad_code"])
    people.bind(turn.tx, event.channel, event.sender, person.id)
    turn.reply(
        "help", TEXTS["checked_in"].replace("{name}", person.name).replace("{unit}", turn.office.unit_name(person.unit))
    )


def bind_group(turn: Turn, command: Command) -> None:
    """绑定: a one-time code makes this platform group one of the county's work groups."""
    event = turn.event
    group_id = people.spend_code(turn.tx, command.rest, "group") if command.rest and not event.private else None
    if group_id is None or group_id not in turn.office.groups:
        return turn.refuse("not_allowed", TEXTS["not_admin"])
    county.bind_group(turn.tx, event.channel, event.address, group_id)
    turn.reply("help", TEXTS["bound"].replace("{name}", turn.office.groups[group_id].name))
    _welcome(turn, group_id)


def joined(turn: Turn) -> None:
    """The bot was added to a group: the privacy notice, once."""
    if turn.event.group:
        _welcome(turn, turn.event.group)


def _welcome(turn: Turn, group_id: str) -> None:
    if county.welcome(turn.tx, group_id) and turn.event.channel in turn.office.channels:
        said = _notice(turn, group_id)
        turn.answer(turn.event.channel, turn.event.address, "privacy", said)


def stranger(turn: Turn) -> None:
    """An unknown sender is held for admission and told so once; nothing is dispatched (dispatch.md F4.13)."""
    event = turn.event
    if event.channel == CONSOLE:
        return turn.refuse("not_member", TEXTS["stranger"])
    first = people.hold_stranger(turn.tx, event.channel, event.sender, clean_name(event.name), event.address)
    turn.forget = True
    turn.refuse("not_member", TEXTS["stranger"] if first else "")
