"""What a reader says of an edition in a word: 👍, 有用, 有用 3, 3 有用. Look-ups, no guessing; anything else is only a quote."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

LIKE = r"👍|👏|❤|🌹|点赞|赞|\[(?:强|赞|鼓掌|玫瑰)\]"
USEFUL = r"很?有用|有帮助|很?实用"
DIGITS = str.maketrans("一二三四五六七八九", "123456789")
NUMBERS = r"(?:第?\d{1,2}(?:条|项|号|个)?[\s、,和.]*)*"
SAID = re.compile(
    rf"(?P<before>{NUMBERS})(?P<word>(?:{LIKE}|{USEFUL})+)[\s:!。.~了]*(?P<after>{NUMBERS})[!。.~]*", re.IGNORECASE
)
MENTION = re.compile(r"@[^\s@]{1,20}")
SKIN = re.compile(r"[\U0001f3fb-\U0001f3ff\ufe0f\u200d]")
AGAINST = re.compile(r"没用|无用|不实用|没什么用|👎|太长|太多")
LONGEST = 40


@dataclass(frozen=True, slots=True)
class Reaction:
    """`kind` is one of store.editions.REACTIONS; `places` the numbers of lines it is about, none: the whole edition."""

    kind: str
    places: tuple[int, ...] = ()


def read(text: str) -> Reaction | None:
    """What a short message says of an edition; None when it is something else."""
    plain = SKIN.sub("", unicodedata.normalize("NFKC", MENTION.sub(" ", text[: 2 * LONGEST]))).strip()
    plain = plain.translate(DIGITS)
    found = SAID.fullmatch(plain) if plain and len(plain) <= LONGEST else None
    if found is None:
        return None
    places = tuple(dict.fromkeys(map(int, re.findall(r"\d{1,2}", found["before"] + " " + found["after"]))))
    return Reaction("useful" if re.search(USEFUL, found["word"]) else "like", places)


def against(text: str) -> bool:
    """Words of displeasure: quoted or not, they speak for nothing."""
    return AGAINST.search(text) is not None
