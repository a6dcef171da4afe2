"""What is in memory for tax groups: the assistant, and what each asker said in the last minutes.

State belongs to the asker (group, channel, sender), never to the group; it is bounded, a few minutes old at most, and
made again at start from the rows of what was asked. Used in the event loop alone; decisions never look here.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from config.faq.entries import Entry
from handlers import commands, saying
from handlers.events import Event
from handlers.faq import followups
from handlers.faq.assistant import Assistant
from handlers.faq.bands import Outcome
from handlers.faq.filing import FilingCalendar
from handlers.faq.knowledge import office_day, standing
from handlers.faq.meaning import Meaning
from handlers.faq.speech import Heard
from handlers.faq.tags import KINDS
from store.questions import Asked

if TYPE_CHECKING:
    from handlers.office import Office

LASTS = 300  # seconds an asker's own turns count for the next one ("for a few minutes")
WAITS = 4 * 3600  # seconds "还是不行" still belongs to what was handed over
OFFER = 600  # seconds a list of choices answers to a number
TURNS = 3
BOUND = 20_000  # askers in memory
BRIEF = 14  # characters: longer words after a clarifying question are a question of their own
PERSONAL = "personal"  # Event.action of a message whose personal numbers were starred out before it was stored


@dataclass(frozen=True, slots=True)
class Hearing:
    """What one message asks. `tax` and `taxpayer` are the tags it names; `labels` tell choices apart (entry id → tag)."""

    outcomes: tuple[Outcome, ...]
    tax: tuple[str, ...] = ()
    taxpayer: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """One turn of an asker, and what was done with it."""

    at: int
    text: str
    band: str = ""
    asked: str = ""
    message: str = ""
    choices: tuple[str, ...] = ()


Key = tuple[str, str, str]


class Hall:
    """`sync` the approved entries, `hear` a message, `note` that it was taken."""

    def __init__(self, filing: FilingCalendar | None = None, entries: Iterable[Entry] = ()) -> None:
        self.assistant = Assistant(filing=filing)
        self.staff: frozenset[str] = frozenset()
        self._held: dict[str, Entry] = {}
        self._said: OrderedDict[Key, deque[Said]] = OrderedDict()
        self._last: tuple[tuple[object, ...], Hearing] | None = None
        self.sync(entries)

    @property
    def filing(self) -> FilingCalendar:
        """The deadlines it answers with."""
        return self.assistant.filing

    def plan(self, filing: FilingCalendar, staff: Iterable[str] = ()) -> None:
        """Go by another calendar, and know the bureau's people by name."""
        self.assistant.filing = filing
        self.staff = frozenset(staff)
        self._last = None

    def attach(self, meaning: Meaning) -> None:
        """Join the sentence model; asked again, what was just heard is read with it."""
        if self.assistant.ranker.meaning is not meaning:
            self.assistant.attach(meaning)
        self._last = None

    def sync(self, entries: Iterable[Entry]) -> None:
        """Hold exactly these; what did not change costs nothing."""
        wanted = {entry.id: entry for entry in entries}
        for id in self._held.keys() - wanted.keys():
            self.assistant.remove(id)
        for id, entry in wanted.items():
            if self._held.get(id) != entry:
                self.assistant.add(entry)
        self._held = wanted
        self._last = None

    def hear(self, event: Event, at: int) -> Hearing:
        """What a message asks, read with what its sender said before it, whether it was noted meanwhile or not."""
        turns = self._before(event, at)
        key = (event.text, event.action, office_day(at), turns)
        if self._last is None or self._last[0] != key:
            self._last = (key, self._read(event, at, turns))
        return self._last[1]

    def expects(self, event: Event, at: int) -> bool:
        """Whether a list of choices offered to this sender is still open."""
        turns = self._said.get(_key(event), ())
        return any(said.band == "choose" for said in turns)

    def goes_on(self, event: Event, at: int) -> bool:
        """Whether this may belong to something handed over a moment ago ("还是不行", "我也登不上")."""
        turns = self._said.get(_key(event), ())
        waits = any(said.band == "handoff" and at - said.at <= WAITS for said in turns)
        return waits and still(event.text)

    def note(self, event: Event, at: int, hearing: Hearing | None = None) -> None:
        """Remember what was said; chatter too, since the next message may lean on it."""
        words = commands.without_tag(event.text)
        if not words or event.action == PERSONAL or any(said.message == event.id for said in self._all(event)):
            return
        first = next((o for o in hearing.outcomes if o.band != "silent"), None) if hearing else None
        if first is None and (saying.noise(words) or commands.parse(words).verb == "choose"):
            return
        said = Said(at, words, message=event.id)
        if first is not None:
            said = replace(said, band=first.band, asked=first.asked, choices=tuple(c.id for c in first.choices))
        self._remember(_key(event), said)

    def restore(self, asked: Asked) -> None:
        """At start: a turn the last process remembered."""
        channel, _, sender = asked.asker.partition(":")
        if sender and asked.text:
            choices = tuple(filter(None, asked.choices.split("|")))
            said = Said(asked.at, asked.text, asked.band, asked.text, asked.message, choices)
            self._remember((asked.group_id, channel, sender), said)

    def clear(self) -> None:
        """Everything begins anew (demo reset)."""
        self._said.clear()
        self._last = None

    def _remember(self, key: Key, said: Said) -> None:
        self._said.setdefault(key, deque(maxlen=TURNS)).append(said)
        self._said.move_to_end(key)
        if len(self._said) > BOUND:
            self._said.popitem(last=False)

    def _all(self, event: Event) -> tuple[Said, ...]:
        return tuple(self._said.get(_key(event), ()))

    def _before(self, event: Event, at: int) -> tuple[Said, ...]:
        turns = self._all(event)
        own = next((n for n, said in enumerate(turns) if said.message == event.id), len(turns))
        return tuple(said for said in turns[:own] if at - said.at <= LASTS)

    def _read(self, event: Event, at: int, turns: tuple[Said, ...]) -> Hearing:
        words, day = _STARRED.sub("", commands.without_tag(event.text)), office_day(at)
        if saying.noise(words) or self._for_somebody_else(event):
            return Hearing((Outcome("silent"),))
        if _ADVERTISES.search(words) and "?" not in words and "？" not in words:
            return Hearing((Outcome("silent"),))
        reproached, words = _REPROACH.match(words) is not None, _REPROACH.sub("", words, count=1)
        if chosen := self._clarified(words, day, turns):
            return self._hearing((chosen,))
        before = tuple(said.text for said in turns) if reproached or self._says_something(words) else ()
        if (
            _LEANS.search(words)
            and not self.assistant.ear.terms(words)
            and not followups.topic(before, self.assistant.ear)
        ):
            return Hearing((Outcome("silent", reason="unknown"),))  # it leans on words its sender never said
        outcomes = self.assistant.hear(words, day, before)
        if reproached and before and not any(outcome.band == "answer" for outcome in outcomes):
            outcomes = self._meant(words, before[-1], day) or outcomes
        if event.action == PERSONAL and outcomes[0].band == "silent" and _LOOK_UP.search(words):
            outcomes = (Outcome("handoff", reason="matter", asked=words),)
        heard = self.assistant.ear(words)
        return self._hearing(tuple(_sensible(self._word_for_word(o, day), words, heard) for o in outcomes))

    def _word_for_word(self, outcome: Outcome, day: date) -> Outcome:
        """What was approved as a way to ask for an entry is answered by it, however unsure the rest is."""
        ranker = self.assistant.ranker
        if outcome.band not in ("choose", "handoff") or outcome.reason in ("person", "expired", "not_yet"):
            return outcome
        first = ranker.entry(outcome.top[0]) if outcome.top and outcome.top[0] in ranker else None
        if first is None or standing(first, day) != "live":
            return outcome
        asked = ranker.normalise(outcome.asked)
        same = any(ranker.normalise(row) == asked for row in (first.question, *first.similar))
        return replace(outcome, band="answer", reason="", entry=first, choices=()) if same else outcome

    def _says_something(self, words: str) -> bool:
        """Whether a message asks or names anything: 学习了 after an answer does not ask for it again."""
        ear, tags = self.assistant.ear, self.assistant.ranker.tagger(words)
        return (
            ear(words).asks
            or bool(ear.terms(words))
            or any(tags.of(kind) for kind in KINDS)
            or bool(_LEANS.search(words))
        )

    def _meant(self, words: str, before: str, day: date) -> tuple[Outcome, ...]:
        """没用，我问的是所得税能不能扣: the earlier question with what is said instead, if that finds something."""
        found = self.assistant.ask(followups.joined(words, before, self.assistant.ranker.tagger), day)
        return (found,) if found.band in ("answer", "choose") else ()

    def _for_somebody_else(self, event: Event) -> bool:
        """@乙 你上次那个退下来没: not for the bot, unless it is one of the bureau who is asked."""
        called = _AT.findall(event.text)
        return bool(called) and not event.addressed and not any(name in self.staff for name in called)

    def _clarified(self, words: str, day: date, turns: tuple[Said, ...]) -> Outcome | None:
        """A short answer in words to a list of choices: the entry among them it settles, or the question it completes."""
        if not turns or turns[-1].band != "choose" or len(words) > BRIEF:
            return None
        ranker, last = self.assistant.ranker, turns[-1]
        tags, heard = ranker.tagger(words), self.assistant.ear(words)
        told = any(tags.of(kind) for kind in KINDS)
        if heard.asks or heard.person or not (told or last.choices):
            return None
        found = self.assistant.ask(followups.joined(words, last.asked or last.text, ranker.tagger), day)
        offered = found.entry is not None and found.entry.id in last.choices
        return found if offered or (told and found.band != "silent") else None

    def _hearing(self, outcomes: tuple[Outcome, ...]) -> Hearing:
        tagger = self.assistant.ranker.tagger
        asked = [tagger(outcome.asked) for outcome in outcomes if outcome.asked]
        return Hearing(
            outcomes,
            tuple(sorted(frozenset().union(*(tags.tax for tags in asked)))),
            tuple(sorted(frozenset().union(*(tags.taxpayer for tags in asked)))),
            tuple(pair for outcome in outcomes if outcome.band == "choose" for pair in self._labels(outcome)),
        )

    def _labels(self, outcome: Outcome) -> list[tuple[str, str]]:
        """What sets the choices apart in the kind that is asked for; nothing when they do not differ in it."""
        if outcome.reason not in KINDS:
            return []
        ranker = self.assistant.ranker
        found = [(c.id, "、".join(sorted(ranker.tags(c.id).of(outcome.reason)))) for c in outcome.choices]
        return found if all(label for _, label in found) and all(a[1] != b[1] for a, b in pairwise(found)) else []


def in_tax_group(event: Event, office: Office) -> bool:
    """Whether this was said in a group for tax questions."""
    group = office.groups.get(event.group)
    return group is not None and group.purpose == "tax"


def _key(event: Event) -> Key:
    return event.group, event.channel, event.sender


def _sensible(outcome: Outcome, words: str, heard: Heard) -> Outcome:
    """人工智能 and 人工费 ask for nobody; "我也登不上" reports a matter though it names none."""
    if outcome.reason == "person" and any(word in words for word in ("人工智能", "人工费", "人工成本")):
        return replace(outcome, band="silent", reason="unknown")
    if outcome.deadline is not None and heard.told and not heard.asks:
        return Outcome("silent", reason="unknown")
    if outcome.band == "silent" and heard.matter and not heard.told and (TOO.match(words) or _SYSTEM.search(words)):
        return replace(outcome, band="handoff", reason="matter", asked=words)
    return outcome


def still(text: str) -> bool:
    """Whether words say that something goes on as before."""
    return _STILL.match(commands.without_tag(text)) is not None


_ADVERTISES = re.compile(r"加.{0,2}(?:微信|[vV])|全包|包过|低价|优惠价|扫码进群|代理?记?账.{0,6}\d")
_LOOK_UP = re.compile(r"查|看[一下]?下|帮.{0,3}[看查]|欠[税费]")
_STARRED = re.compile(r"[0-9A-Za-z]*\*+[0-9A-Za-z]*")
_SYSTEM = re.compile(r"系统|平台|网站|网厅|软件|客户端|app|税务局|发票|数电|个税", re.IGNORECASE)
_LEANS = re.compile(r"^(?:那么?|这个|那个|还有|如果|要是|换成).{0,14}$|^.{0,8}呢[?？。!！]*$")
_AT = re.compile(r"@([^\s@,，。:：?？]{1,12})")
_REPROACH = re.compile(
    r"^(?:没有?用|没用处|无用|不对|答非所问|没帮助|没解决|不是这个)(?:啊|的|了)?[,，。!！\s]+(?:我问的是|我是问|我要问)?"
)
TOO = re.compile(r"我(?:们|这边?|家|公司)?(?:这边)?也")
_STILL = re.compile(
    r"(?:还是|依然|仍然?|现在还|到现在)(?:不行|不能|不了|没好|没反应|这样|一样|登不|报不|开不|进不|提示|没人|没有?回).{0,12}$"
)
