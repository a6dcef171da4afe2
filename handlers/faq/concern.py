"""Is a message for us at all? The chance that it puts something to the office, however it is worded; chatter has little.

Weighed together: how it speaks (`speech`), what the sentence model makes of it (questions to an office lie in one
direction, talk among people in another), and how much of it the knowledge base knows.
"""

from __future__ import annotations

import re

from handlers.faq.normalise import widen
from handlers.faq.speech import Heard

CONCERN = (
    "asks",
    "about",
    "about_asks",
    "told",
    "matter",
    "called",
    "tiny",
    "exclaims",
    "office",
    "near",
    "known",
    "sure",
    "contained",
)
CALLED = re.compile(
    r"^\s*@|^(?:【|\[?通知|转发|温馨提示)|你们?(?!好)|群里(?:有|谁)|谁(?:有|家|认识|要)|有谁|哪位(?:有|要)|有没有人|一起(?:去|拼)|拼[单车团]"
)
EXCLAIMS = re.compile(r"[!！~～]|[啦咯哟呀哈唉哎]$|^[唉哎哈嗯]")


def measured(
    text: str, heard: Heard, office: float, near: float, known: float, sure: float, contained: float
) -> tuple[float, ...]:
    """CONCERN measures. `office` and `near` are 0 without the sentence model;
    `contained`: the share of its words that one wording of the best entry has.
    """
    plain = widen(text)
    return (
        float(heard.asks),
        float(heard.about),
        float(heard.about and heard.asks),
        float(heard.told),
        float(heard.matter),
        float(CALLED.search(text) is not None),
        float(len(plain) <= 4 and contained < 0.999),
        float(EXCLAIMS.search(plain) is not None),
        office,
        near,
        known,
        sure,
        max(0.0, contained - 0.9) * 10,
    )
