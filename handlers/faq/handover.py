"""What the bot does not know goes to a person: a ticket with a number, the officer on duty told alone, and a timer.

open → answered (an officer replied) | settled (its asker needs no answer any more) | withdrawn (taken back)
reminded after 30 working minutes, passed on after 60, its leader told after 120 (all private; design 6a.3)
"""

from __future__ import annotations

import re
from dataclasses import replace

from config.faq.entries import Entry
from handlers import commands
from handlers.calendar import local
from handlers.faq import askers, learning, speaking
from handlers.faq.bands import Outcome
from handlers.faq.hall import PERSONAL, TOO, Hearing, still
from handlers.faq.texts import say
from handlers.saying import noise
from handlers.turn import Turn
from handlers.worktime import Worktime
from store import faq, questions, timers
from store.questions import Asked, Ticket

REMIND, RELAY, ESCALATE = 30, 60, 120  # working minutes after the hand-over
TIMERS = ("ticket_remind", "ticket_relay", "ticket_escalate")
NEAR = 3
WORTH = 0.15  # certainty from which on near entries are worth an officer's look

CALL = re.compile(
    r"^[\s,，。]*(?:请|麻烦|我要|帮我|给我)?转?人工(?:服务|客服)?[\s,，。:：!！]*|[\s,，。]*转人工[\s。!！]*$"
)
WAIT = re.compile(
    r"稍等|等一?下|核实|问一下|查一下|看一下|了解一下|请示|马上(?:看|查|回|处理)|稍后|在(?:看|查|处理)|转给|私信|私聊"
)
SOLVED = re.compile(
    r"(?:已经?|自己|又|现在)*(?:解决|好|可以|弄好|搞定|知道|明白|会)了?[\s,，。!！~]*(?:谢谢|不用了|感谢)?[。!！]*|不用了?[,，]?.{0,6}|没事了?"
)


def hand_over(turn: Turn, asked: Asked, outcome: Outcome, hearing: Hearing, first: str = "") -> None:
    """Open a ticket, or join the one somebody opened with the same words; `first` is said before its number."""
    kind = "matter" if outcome.reason == "matter" else "question"
    twin = next((t for t in questions.open_tickets(turn.tx, asked.group_id) if same(t.text, asked.text)), None)
    if twin is not None:
        questions.add(
            turn.tx, replace(asked, band="handoff", reason=outcome.reason, ticket=twin.id, choices="", until=0)
        )
        questions.join(turn.tx, twin.id, asked.channel, asked.message, asked.asker)
        return speaking.reply(turn, "handoff", say("joined", number=twin.number), twin.id)
    close = outcome.top[:NEAR] if outcome.sure >= WORTH or outcome.reason == "person" else ()
    near = [id for id in close if faq.get(turn.tx, id) is not None]
    line = askers.officers(turn, hearing.tax)
    ticket = questions.open_ticket(
        turn.tx,
        Ticket(
            f"q{asked.id[1:]}",
            0,
            kind,
            "open",
            asked.group_id,
            asked.channel,
            asked.address,
            asked.text,
            "|".join(hearing.tax),
            "|".join(hearing.taxpayer),
            "|".join(near),
            line[0] if line else "",
        ),
        asked.message,
        asked.asker,
    )
    questions.add(turn.tx, replace(asked, band="handoff", reason=outcome.reason, ticket=ticket.id, choices="", until=0))
    said = [first, _promise(turn, ticket)]
    if not (line and _notice(turn, ticket, line[0], "ticket")):
        said.append(say("handoff_bare", number=ticket.number))
    speaking.reply(turn, "handoff", "\n".join(filter(None, said)), ticket.id)
    _set_timers(turn, ticket)


def goes_on(turn: Turn, words: str, matter: bool) -> bool:
    """ "还是不行" belongs to its sender's own open ticket, "我也登不上" to the matter somebody reported before."""
    event, since = turn.event, turn.at - SAME_MATTER
    found = questions.open_of(turn.tx, event.group, askers.asker(turn), since) if still(words) else None
    if found is None and matter and TOO.match(words):
        open_ = (t for t in questions.open_tickets(turn.tx, event.group) if t.kind == "matter" and t.at >= since)
        found = max(open_, key=lambda ticket: ticket.at, default=None)
    if found is None:
        return False
    questions.join(turn.tx, found.id, event.channel, event.id, askers.asker(turn))
    speaking.reply(turn, "handoff", say("joined", number=found.number), found.id)
    return True


SAME_MATTER = 4 * 3600  # seconds


def same(one: str, other: str) -> bool:
    """Whether two questions are the same words."""
    return bool(one) and _bare(one) == _bare(other)


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+|请问|老师|您好|你好|谢谢", "", commands.folded(text)).lower()


def without_call(text: str) -> str:
    """What is asked beside the call for a person; a mere call for the clerk by name asks nothing."""
    rest = CALL.sub("", text).strip(" ,，。:：!！?？")
    return "" if noise(rest) or ASKS_FOR.fullmatch(rest) else rest


ASKS_FOR = re.compile(
    r".{0,4}(?:找|叫|喊|有没有|有).{0,4}(?:专管员|管理员|客服|税务员|工作人员|人工|人)(?:在?吗|呢)?|服务|客服"
)


def _promise(turn: Turn, ticket: Ticket) -> str:
    name = "matter" if ticket.kind == "matter" else "handoff"
    if not turn.quiet(None):
        return say(name if ticket.group_id or name == "matter" else "handoff_private", number=ticket.number)
    opens = local(turn.office.worktime.next_open(turn.at))
    today = opens.date() == local(turn.at).date()
    return say(
        f"{name}_quiet",
        number=ticket.number,
        opens=f"{'今日' if today else f'{opens.month}月{opens.day}日'}{opens:%H:%M}",
    )


def _notice(turn: Turn, ticket: Ticket, officer: str, name: str) -> bool:
    """The first word to the person now responsible: no reminder (design 6a.3)."""
    questions.tell_officer(turn.tx, ticket, officer)
    if name == "ticket" and ticket.kind == "matter":
        name = "ticket_matter"
    text = say(name, number=ticket.number, tax=taxes(ticket), text=ticket.text)
    near = [entry for id in ticket.near.split("|") if id and (entry := faq.get(turn.tx, id)) is not None]
    if near and name == "ticket":
        listed = (f"{n} {entry.question}" for n, entry in enumerate(near, 1))
        text = "\n".join((text, say("near", number=ticket.number), *listed))
    return speaking.tell(turn, officer, "ticket", text, ticket.id)


def taxes(ticket: Ticket) -> str:
    """Its taxes in words."""
    return ticket.tax.replace("|", "、") or "税种未明"


def _set_timers(turn: Turn, ticket: Ticket) -> None:
    """In working time, from the moment the first notice may be read."""
    clock: Worktime = turn.office.worktime
    for kind, minutes in zip(TIMERS, (REMIND, RELAY, ESCALATE), strict=True):
        due = clock.resume(turn.at, minutes * 60, "work_hour").at
        timers.put(turn.tx, ticket.id, kind, due, ticket.lane)


def ring(turn: Turn) -> None:
    """A ticket's timer: silent when somebody answered."""
    ticket = questions.ticket(turn.tx, turn.event.subject)
    if ticket is None or ticket.state != "open":
        return
    line = askers.officers(turn, tuple(filter(None, ticket.tax.split("|"))))
    told = [person for person in ticket.told.split("|") if person]
    if turn.event.action == "ticket_remind":
        return _remind(turn, ticket, line)
    following = next((person for person in line if person not in told), None)
    if turn.event.action == "ticket_relay":
        if following is not None:
            _notice(turn, ticket, following, "relay")
        return
    _escalate(turn, ticket, following, line)


def _remind(turn: Turn, ticket: Ticket, line: list[str]) -> None:
    """Whoever has the ticket, once; nobody can be reached: a line in the group without a name (design 6a)."""
    text = say("reminder", number=ticket.number, at=f"{local(ticket.at):%H:%M}", text=ticket.text)
    officer = ticket.officer or (line[0] if line else "")
    if not (officer and speaking.tell(turn, officer, "reminder", text, ticket.id)):
        bare = say("handoff_bare", number=ticket.number)
        speaking.place(
            turn, (ticket.channel, ticket.address), "reminder", bare, ticket.id, not_before=turn.allowed(None)
        )


def _escalate(turn: Turn, ticket: Ticket, following: str | None, line: list[str]) -> None:
    leaders = [p.id for p in askers.staff(turn.office) if "unit_leader" in p.roles]
    whom = next((p for p in leaders if p not in ticket.told.split("|")), following)
    if whom is not None:
        questions.tell_officer(turn.tx, ticket, whom)
        text = say("escalation", number=ticket.number, minutes=ESCALATE, text=ticket.text)
        speaking.tell(turn, whom, "escalation", text, ticket.id)


def quoted(turn: Turn, ticket: Ticket, words: str) -> bool:
    """Somebody speaks about a ticket, by number or by quoting. False: it is not about the ticket after all."""
    if askers.is_officer(turn, turn.sender):
        answer(turn, ticket, words)
        return True
    mine = askers.asker(turn) in (asker for _, _, asker in questions.askers(turn.tx, ticket.id))
    if mine and SOLVED.fullmatch(commands.folded(words)):
        _solved(turn, ticket)
        return True
    return False


def _solved(turn: Turn, ticket: Ticket) -> None:
    if questions.settle(turn.tx, ticket.id, "settled", "", ""):
        end(turn, ticket)
        speaking.tell(turn, ticket.officer, "closed", say("settled", number=ticket.number), ticket.id)


def end(turn: Turn, ticket: Ticket) -> None:
    """No timer rings any more."""
    timers.clear(turn.tx, ticket.id, *TIMERS)


def answer(turn: Turn, ticket: Ticket, words: str) -> None:
    """An officer's reply ends the ticket and becomes a draft. Words that only ask for patience do not."""
    if ticket.state != "open":
        owed = faq.draft_of(turn.tx, ticket.id)
        if owed is not None and owed.state == "basis" and learning.BASIS.match(words):
            learning.name_basis(turn, owed, learning.BASIS.sub("", words, count=1))
        elif turn.event.private:
            speaking.reply(turn, "refused", _over(turn, ticket))
        return
    if not words.strip():
        return turn.refuse("unclear", say("no_words", number=ticket.number))
    chosen = _chosen(turn, ticket, words)
    chosen = chosen or learning.named(turn, words)
    if chosen is None and (noise(words) or (WAIT.search(words) and len(words) <= 20)):
        return
    questions.settle(turn.tx, ticket.id, "answered", turn.actor.id, chosen.id if chosen else words)
    end(turn, ticket)
    if chosen is not None:
        learning.answer_with(turn, ticket, chosen)
    elif not turn.event.group:
        _relay(turn, ticket, words)
    if (ticket.kind == "matter" and chosen is None) or turn.event.action == PERSONAL:
        speaking.tell(turn, turn.actor.id, "closed", say("closed", number=ticket.number), ticket.id, now=True)
    else:
        learning.learn(turn, ticket, words, chosen)


def _over(turn: Turn, ticket: Ticket) -> str:
    name = turn.office.person_name(ticket.answered_by) or "提问人"
    return say("answered_before", number=ticket.number, name=name)


def _chosen(turn: Turn, ticket: Ticket, words: str) -> Entry | None:
    """A bare number picks one of the entries the notice listed."""
    picked = commands.parse(words)
    near = [entry for id in ticket.near.split("|") if id and (entry := faq.get(turn.tx, id)) is not None]
    if picked.verb != "choose" or not 0 < int(picked.rest or 0) <= len(near) or ticket.kind == "matter":
        return None
    return near[int(picked.rest) - 1]


def _relay(turn: Turn, ticket: Ticket, words: str) -> None:
    """What an officer wrote to the bot alone reaches those who asked, under the officer's name."""
    text = say("relayed", number=ticket.number, name=turn.actor.name, text=words)
    for channel, message, _ in questions.askers(turn.tx, ticket.id)[:1]:
        quote = message if ticket.group_id else ""
        speaking.place(turn, (channel, ticket.address), "relayed", text, ticket.id, quote=quote)


def recalled(turn: Turn, channel: str, message: str) -> None:
    """A question was taken back: its words go, and nobody need answer it."""
    for ticket in questions.recall(turn.tx, channel, message):
        end(turn, ticket)
        speaking.tell(turn, ticket.officer, "closed", say("recalled", number=ticket.number), ticket.id)
