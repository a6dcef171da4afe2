"""What a message asks when read with what its sender said before: parts of a message, and questions that lean on the last.

State belongs to the asker: `previous` are that person's own turns, oldest first, as far back as the caller remembers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from handlers.faq.normalise import widen
from handlers.faq.speech import Ear
from handlers.faq.tags import KINDS, Tagger

STOPS = re.compile(
    r"(?<=[?？!！。；;\n])|(?=(?:另外|还有一?个?问题|再问|第[二三]个?问题|顺便问|其次))|(?<=[吗呢么])[，,\s]+|(?<=\D)[2２][.、．]|(?<=^)[1１][.、．]"
)
COMMAS = re.compile(r"[，,、\s]+")
LEANS = re.compile(
    r"^(?:那么?|这个|这种|它|如果|要是|假如|还有|那个|这样|然后|但是|可是|不过|除了|对了|换成|改成|若|超过了?|刚才|上面|以上|前面)|呢[?？。!！]*$|^(?:为什么|为啥|多少|几号|什么时候|怎么算|怎么办|怎么弄|依据|哪个文件|到什么时候)|也(?:是|行|要|能|可以|得|一样|这样)|一样[吗么嘛]|这样[吗么嘛]"
)
LEAD = re.compile(
    r"^(?:那么?|还有|如果是?|要是|换成|改成|假如是?|若是?|对于?)+|(?:的话)?(?:也?是?(?:这|那|一)样|也是|也)?(?:呢|又|嘛|吗|么)?[?？。!！]*$"
)
SHORT, VERY_SHORT = 18, 6
MOST = 3  # questions taken from one message


def brief(text: str) -> bool:
    """Short enough to lean on what was said before, though it need not."""
    return len(widen(text)) <= SHORT


def leans(text: str, terms: frozenset[str]) -> bool:
    """Whether a message is understood only with the one before: short, and pointing back or naming no topic."""
    plain = widen(text)
    if not brief(text):
        return False
    if LEANS.search(plain):
        return True
    return not terms and len(plain) <= VERY_SHORT


def topic(previous: Sequence[str], ear: Ear) -> str:
    """The sender's latest turn that stands alone and asks or names something of taxes; "" when there is none."""
    for turn in reversed(previous):
        terms = ear.terms(turn)
        if (terms or ear(turn).asks) and not leans(turn, terms) and len(turn) > 3:
            return turn
    return next((turn for turn in reversed(previous) if ear.terms(turn)), "")


def joined(text: str, before: str, tagger: Tagger) -> str:
    """The earlier question with what the new message says instead: 按月…多少 + 那季度呢 → 按季…多少."""
    new, old = tagger(text), tagger(before)
    kept = before
    for kind in KINDS:
        said = new.of(kind)
        if said and old.of(kind) - said:
            kept = tagger.without(kept, kind)
    core = added(text)
    return f"{kept} {core}" if new != old or core else kept


def added(text: str) -> str:
    """What a follow-up says of its own: 那季度呢 → 季度."""
    return LEAD.sub("", widen(text)).strip("，, ")


def parts(text: str, ear: Ear) -> tuple[str, ...]:
    """The questions of a message, each with the statements before it; one part when it asks one thing."""
    pieces = [piece.strip(" ，,。;；") for piece in STOPS.split(text) if piece and piece.strip(" ，,。;；?？!！")]
    if len(pieces) == 1:
        pieces = _by_commas(text, ear)
    questions: list[str] = []
    waiting = ""
    for piece in pieces:
        whole = f"{waiting}，{piece}" if waiting else piece
        if ear(piece).asks and ear.terms(whole):
            questions.append(whole)
            waiting = ""
        elif questions and ear(piece).asks:
            questions[-1] += f"，{piece}"
        else:
            waiting = whole
    return tuple(questions[:MOST]) if len(questions) > 1 else (text,)


def _by_commas(text: str, ear: Ear) -> list[str]:
    """Between commas only whole questions on different topics are apart: 城建税减半吗，残保金什么时候交."""
    pieces = [piece for piece in COMMAS.split(text) if piece]
    asking = [frozenset(ear.terms(piece)) - WEAK for piece in pieces if ear(piece).asks]
    apart = len(asking) >= 2 and all(asking) and len(asking) == len(pieces)
    return pieces if apart and not frozenset.intersection(*asking) else [text]


WEAK = frozenset(
    {"税", "申报", "纳税", "优惠", "减免", "免征", "税率", "补税", "罚款", "滞纳金", "额度", "税务", "税额"}
)
