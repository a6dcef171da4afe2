"""Slips of the keyboard: 完水证明 for 完税证明. A character that stands beside nothing it is ever seen beside gives way
to one that sounds alike and fits its neighbours, as the knowledge base and the vocabulary write them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise

COMMON = frozenset("的了是在我你他她它们这那有不也都还就和与吗呢吧啊哦么要会能去来到上下个一二三四五六七八九十很太又再")
ALONE = frozenset("大小多少新旧好坏想帮给问说讲喊看听买卖开关做弄整办打进出收交租住报领取拿送找人家年月日天钱税险间号")
"""Such stand beside anything: a strange neighbour says nothing against them."""
FIRM = COMMON | ALONE
FITS = 100_000  # a neighbour that fits outweighs any count


class Speller:
    """Knows pairs of neighbours from the texts it was shown; corrects what sounds like one of them."""

    def __init__(self, sounds: Mapping[str, str], common: frozenset[str]) -> None:
        self._sounds = sounds
        self._common = common
        self._pairs: Counter[str] = Counter()
        self._after: dict[tuple[str, str], list[str]] = {}
        self._before: dict[tuple[str, str], list[str]] = {}

    def learn(self, texts: Iterable[str]) -> None:
        """Take texts as examples of good spelling."""
        for text in texts:
            pairs = [one + other for one, other in pairwise(text)]
            for pair in dict.fromkeys(pairs):
                if pair not in self._pairs:
                    self._note(*pair)
            self._pairs.update(pairs)

    def _note(self, one: str, other: str) -> None:
        first, second = self._sounds.get(one), self._sounds.get(other)
        if first and second:
            self._after.setdefault((one, second), []).append(other)
            self._before.setdefault((first, other), []).append(one)

    def __call__(self, text: str) -> str:
        """The text with its slips put right; equal to `text` where there is none."""
        signs = list(text)
        for place, sign in enumerate(signs):
            if sign in self._sounds and sign not in FIRM:
                self._mend(signs, place)
        return "".join(signs)

    def _mend(self, signs: list[str], place: int) -> None:
        sign = signs[place]
        left = signs[place - 1] if place else ""
        right = signs[place + 1] if place + 1 < len(signs) else ""
        if self._seen(left + sign) or self._seen(sign + right):
            return
        best = self._alike(sign, left, right)
        if best not in COMMON:
            signs[place] = best

    def _alike(self, sign: str, left: str, right: str) -> str:
        """The character that sounds like `sign` and fits best; one that fits both sides before one that fits one."""
        sound = self._sounds[sign]
        votes: Counter[str] = Counter()
        for other in self._after.get((left, sound), ()):
            votes[other] += self._pairs[left + other] + (FITS if left not in COMMON else 0)
        for other in self._before.get((sound, right), ()):
            votes[other] += self._pairs[other + right] + (FITS if right not in COMMON else 0)
        return max(votes.items(), key=lambda vote: (vote[1], vote[0]), default=(sign, 0))[0]

    def _seen(self, pair: str) -> bool:
        return pair in self._pairs or pair in self._common
