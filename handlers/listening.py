"""Keep or forget: decided before the first write, by a pure function of the message and what is in memory (design 3)."""

from __future__ import annotations

from dataclasses import dataclass

from handlers import commands
from handlers.events import Event
from handlers.office import Office


@dataclass(frozen=True, slots=True)
class Heard:
    """What is in memory about a message's surroundings when it arrives."""

    window_open: bool = False
    quotes_task: bool = False


def keep(event: Event, office: Office, heard: Heard) -> str:
    """Why a message is kept (addressed, tagged, quote, window, command, report, photo), or "" to forget it."""
    if event.kind != "message":
        return event.kind
    if event.addressed or event.private:
        return "addressed"
    if commands.tagged(event.text):
        return "tagged"
    if heard.quotes_task:
        return "quote"
    known = office.person_at.get((event.channel, event.sender))
    command = commands.parse(event.text)
    if command.verb and (command.number or command.verb in ("check_in", "bind_group")):
        return "command"
    group = office.groups.get(event.group)
    if group is None or group.purpose != "reports":
        return ""
    if known and command.verb and len(command.rest) <= 40 and _plausible(command, known.roles):
        return "command"
    if heard.window_open:
        return "window"
    if event.photos and not event.text.strip():
        return "photo" if known else ""
    return "report" if office.reader.listen(event.text, len(event.photos)) else ""


def _plausible(command: commands.Command, roles: tuple[str, ...]) -> bool:
    """Whether a bare verb from somebody with these roles can be meant for the bot at all ("收到" mostly is not)."""
    if command.verb in commands.ALONE:
        return not command.rest or command.verb in ("opinion", "mute")
    return (bool(roles) and len(command.rest) <= 20) or command.verb not in ("accept", "feed_back")
