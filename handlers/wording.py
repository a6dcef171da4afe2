"""The office's own words, checked before they are used: known names, known fields, short enough to be read in a chat."""

from __future__ import annotations

from collections.abc import Mapping

from config.errors import ConfigError, Fault
from handlers.reports import texts as reports
from handlers.tasks import texts as tasks

LINES, LENGTH = 3, 120  # ux.md F2.2


def own(texts: Mapping[str, str]) -> Mapping[str, str]:
    """The texts as given; ConfigError names every one that cannot be used."""
    known = {**reports.TEXTS, **tasks.TEXTS, **tasks.REFUSALS}
    faults = [fault for name, words in texts.items() if (fault := _fault(known.get(name), name, words))]
    if faults:
        raise ConfigError([Fault("texts.toml", None, None, fault) for fault in faults])
    return texts


def _fault(replaced: str | None, name: str, words: str) -> str:
    if replaced is None:
        return f"没有叫 {name} 的文字"
    strange = tasks.fields_of(words) - tasks.fields_of(replaced) - tasks.ALWAYS
    if strange:
        return f"{name} 不能用 {'、'.join(sorted(strange))}"
    if len(words.splitlines()) > LINES or len(words) > LENGTH:
        return f"{name} 太长，最多{LINES}行{LENGTH}字"
    return ""
