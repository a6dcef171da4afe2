"""What is in memory for tax groups: the assistant, and what each asker said in the last minutes.

State belongs to the asker (group, channel, sender), never to the group; it is bounded, a few minutes old at most, and
made again at start from the rows of what was asked. Used in the event loop alone; decisions never look here.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from config.faq.entries import Entry
from handlers import commands, saying
from handlers.events import Event
from handlers.faq import followups
from handlers.faq.assistant import Assistant
from handlers.faq.bands import Outcome
from handlers.faq.filing import FilingCalendar
from handlers.faq.knowledge import office_day
from handlers.faq.tags import KINDS
from store.questions import Asked

if TYPE_CHECKING:
    from handlers.office import Office

LASTS = 300  # seconds an asker's own turns count for the next one ("for a few minutes")
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


Key = tuple[str, str, str]


class Hall:
    """`sync` the approved entries, `hear` a message, `note` that it was taken."""

    def __init__(self, filing: FilingCalendar | None = None, entries: Iterable[Entry] = ()) -> None:
        self.assistant = Assistant(filing=filing)
        self._held: dict[str, Entry] = {}
        self._said: OrderedDict[Key, deque[Said]] = OrderedDict()
        self._last: tuple[tuple[object, ...], Hearing] | None = None
        self.sync(entries)

    @property
    def filing(self) -> FilingCalendar:
        """The deadlines it answers with."""
        return self.assistant.filing

    def plan(self, filing: FilingCalendar) -> None:
        """Go by another calendar."""
        self.assistant.filing = filing
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
        return any(said.band == "choose" and at - said.at <= OFFER for said in turns)

    def note(self, event: Event, at: int, hearing: Hearing | None = None) -> None:
        """Remember what was said; chatter too, since the next message may lean on it."""
        words = commands.without_tag(event.text)
        if not words or event.action == PERSONAL or any(said.message == event.id for said in self._all(event)):
            return
        first = next((o for o in hearing.outcomes if o.band != "silent"), None) if hearing else None
        if first is None and (saying.noise(words) or commands.parse(words).verb == "choose"):
            return
        band, asked = (first.band, first.asked) if first else ("", "")
        self._remember(_key(event), Said(at, words, band, asked, event.id))

    def restore(self, asked: Asked) -> None:
        """At start: a turn the last process remembered."""
        channel, _, sender = asked.asker.partition(":")
        if sender and asked.text:
            said = Said(asked.at, asked.text, asked.band, asked.text, asked.message)
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
        words, day = commands.without_tag(event.text), office_day(at)
        if event.action == PERSONAL:
            return Hearing((Outcome("mask", reason="personal", masked=words),))
        if saying.noise(words):
            return Hearing((Outcome("silent"),))
        if whole := self._clarified(words, turns):
            outcomes = self.assistant.hear(whole, day)
        else:
            outcomes = self.assistant.hear(words, day, tuple(said.text for said in turns))
        return self._hearing(tuple(_person(outcome, words) for outcome in outcomes))

    def _clarified(self, words: str, turns: tuple[Said, ...]) -> str:
        """The question a short answer to a clarifying question settles: 小规模 → the earlier question about 小规模."""
        if not turns or turns[-1].band != "choose" or len(words) > BRIEF:
            return ""
        tags, heard = self.assistant.ranker.tagger(words), self.assistant.ear(words)
        if heard.asks or not any(tags.of(kind) for kind in KINDS):
            return ""
        return followups.joined(words, turns[-1].asked or turns[-1].text, self.assistant.ranker.tagger)

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


def _person(outcome: Outcome, words: str) -> Outcome:
    """人工智能 and 人工费 ask for nobody."""
    if outcome.reason == "person" and any(word in words for word in ("人工智能", "人工费", "人工成本")):
        return replace(outcome, band="silent", reason="unknown")
    return outcome
