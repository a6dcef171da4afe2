"""What the reader is taught with: example phrases, names of classes, opening conditions, and framed variants of them.

The models are a pure function of (lexicon, phrases, categories, standards); `fitted.bin` is only a cache of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache

from config.county import County
from config.files import shipped_county
from config.lexicon import Lexicon, fitted_file
from handlers.reports.reading_model import Linear, Sample, fit, pack, unpack
from handlers.reports.reading_words import Words, gate_features, letters, matter_features

OUTSIDE = "外:"  # label of a matter that has no small class in this county
NAME, CONDITION, NAMED_CONDITION = 1.0, 0.4, 0.5  # how much a sample counts beside a phrase (1.0)
TOLD = 0.5  # a phrase in the frame of a message, so that frames say nothing about the class
REAL, FRAMED = 2.0, 1.0  # a real line that is no report counts as much as two made ones
REPORT, OTHER = "是", "否"
FORMAT = "5"  # raise when features or fitting change, so that an old cache is not read

Lesson = tuple[str, str]  # label, text


def labels_of(county: County, lexicon: Lexicon) -> dict[str, str]:
    """Field name → the label its phrases teach: a class this county has, else the matter itself."""
    codes = {c.code for c in county.categories}
    matters = [f for f in lexicon.fields if f.phrases]
    return {f.name: next((c for c in f.codes if c in codes), OUTSIDE + f.name) for f in matters}


def phrases_of(county: County, lexicon: Lexicon) -> list[Lesson]:
    """Every example of a report: the county's phrases and the phrases of matters."""
    taught = [(p.code, p.text) for p in county.phrases if p.code]
    labels = labels_of(county, lexicon)
    return taught + [(labels[f.name], text) for f in lexicon.fields for text in f.phrases]


def key_of(county: County, lexicon: Lexicon) -> str:
    """Hash of everything the models are fitted from."""
    taught = [(f.name, f.codes, f.phrases) for f in lexicon.fields if f.phrases]  # how duties are worded is not fitted
    parts = [FORMAT, repr((lexicon.senses, lexicon.cues, lexicon.yes, lexicon.no, lexicon.sample_places)), repr(taught)]
    parts += [repr(county.phrases), repr([(c.code, c.name) for c in county.categories])]
    parts.append(repr([(s.code, s.condition) for s in county.standards]))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def models(county: County, lexicon: Lexicon, kept: bytes = b"") -> tuple[tuple[Linear, Linear, Linear], bytes]:
    """(matter, gate, ear), and what is worth keeping of them.

    From the shipped cache when it serves this county, else from `kept`, else fitted now (some seconds of CPU); only
    what was fitted now comes back as bytes to keep.
    """
    if len(ready := _shipped(key_of(county, lexicon))) == 3:
        return (ready[0], ready[1], ready[2]), b""
    product = shipped_county()
    own = {c.code for c in county.categories} - {c.code for c in product.categories}
    taught_from = county if own or not set(county.phrases) <= set(product.phrases) else product
    key = key_of(taught_from, lexicon)
    ready = _shipped(key) or unpack(key, kept)
    if len(ready) == 3:
        return (ready[0], ready[1], ready[2]), b""
    return _fitted(key, _Inputs(taught_from, lexicon))


def relabel(county: County, lexicon: Lexicon, labels: Sequence[str]) -> list[str]:
    """What each label of a model means in a county that may lack some of its classes."""
    codes = {c.code for c in county.categories}
    field = {code: f for f in reversed(lexicon.fields) for code in f.codes}
    matters = labels_of(county, lexicon)

    def meaning(label: str) -> str:
        if label in codes or label == OTHER or label.startswith(OUTSIDE) or label not in field:
            return label
        return matters.get(field[label].name, OUTSIDE + field[label].name)

    return [meaning(label) for label in labels]


class _Inputs:
    """Carries the inputs past the cache, which looks at the key only."""

    def __init__(self, county: County, lexicon: Lexicon) -> None:
        self.county, self.lexicon = county, lexicon

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Inputs)


@lru_cache(maxsize=2)
def _shipped(key: str) -> tuple[Linear, ...]:
    return unpack(key, fitted_file())


@lru_cache(maxsize=4)
def _fitted(key: str, inputs: _Inputs) -> tuple[tuple[Linear, Linear, Linear], bytes]:
    fitted = teach(inputs.county, inputs.lexicon)
    return fitted, pack(key, fitted)


def teach(county: County, lexicon: Lexicon) -> tuple[Linear, Linear, Linear]:
    """Fit the three models."""
    words, cues = Words(lexicon.senses), Words(lexicon.cues)
    gate = [(label, gate_features(t, words, cues), w) for label, t, w in _framed(county, lexicon, ("，",))]
    ear = [(label, letters(t), w) for label, t, w in _framed(county, lexicon, lexicon.sample_places)]
    return fit(list(_matter(county, lexicon, words))), fit(gate), fit(ear)


def _matter(county: County, lexicon: Lexicon, words: Words) -> Iterator[Sample]:
    names = {c.code: c.name for c in county.categories}
    for i, (label, text) in enumerate(phrases_of(county, lexicon)):
        yield label, matter_features(text, words), 1.0
        told = lexicon.yes[7 * i % len(lexicon.yes)].replace("▢", text).replace("◇", "，")
        yield label, matter_features(told, words), TOLD
    for row in county.phrases:
        if not row.code:
            yield OTHER, matter_features(row.text, words), 1.0
    for code, name in names.items():
        yield code, matter_features(name, words), NAME
    for standard in county.standards:
        if standard.code in names:
            yield standard.code, matter_features(standard.condition, words), CONDITION
            named = names[standard.code] + standard.condition
            yield standard.code, matter_features(named, words), NAMED_CONDITION


def _framed(county: County, lexicon: Lexicon, places: Sequence[str]) -> Iterator[tuple[str, str, float]]:
    for i, (_, phrase) in enumerate(phrases_of(county, lexicon)):
        for label, frames in ((REPORT, lexicon.yes), (OTHER, lexicon.no)):
            frame = frames[i % len(frames)]
            yield label, frame.replace("▢", phrase).replace("◇", places[i % len(places)]), FRAMED
        yield REPORT, phrase, FRAMED
    for row in county.phrases:
        if not row.code:
            yield OTHER, row.text, REAL
