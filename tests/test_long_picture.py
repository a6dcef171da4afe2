"""The long picture: one PNG a group robot takes, set as Chinese is set, never an empty box."""

from __future__ import annotations

import io
import string
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from config import fonts
from config.errors import ConfigError
from digests.long_picture import BYTES, WIDE, draw
from digests.rendering import Line, Sheet
from digests.typesetting import CLOSERS, OPENERS, wrapped
from tests.test_edition_rendering import ordinary

FONT = fonts.chinese(28)
needs_font = pytest.mark.skipif(FONT is None, reason="this machine has no Chinese font")
ROOM = 614
HANZI = "税费优惠政策执行至年底请有关单位抓紧落实"


@pytest.fixture
def _fontless(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(fonts, "_files", lambda folders: ())
    fonts.chinese.cache_clear()
    yield
    fonts.chinese.cache_clear()


@needs_font
def test_ten_items_are_one_png_750_wide_and_far_below_two_megabytes() -> None:
    png = draw(ordinary())
    with Image.open(io.BytesIO(png)) as read:
        assert (read.format, read.width) == ("PNG", WIDE)
        assert 1000 < read.height < 4000
    assert len(png) < 400_000


@needs_font
def test_no_edition_is_too_long_for_a_picture() -> None:
    lines = tuple(Line(f"栏{n}", "题" * 3000, "长句。" * 5000, "", "源" * 500, 3) for n in range(200))
    png = draw(Sheet("某" * 300 + " · " + "日" * 300, lines, "脚" * 3000))
    assert len(png) <= BYTES


@needs_font
@pytest.mark.parametrize(
    "sheet", [Sheet(""), Sheet("摘要", (Line("", "👨‍👩‍👧‍👦"),)), Sheet("\x00", (Line("", ""),), "\u202e")]
)
def test_odd_sheets_are_drawn_too(sheet: Sheet) -> None:
    assert draw(sheet).startswith(b"\x89PNG")


@needs_font
@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from((*HANZI, *HANZI, *"，。、；：？！）》」”％", *"（《「“", "2026年", "10.5%", "POS机"))).map(
        "".join
    )
)
def test_lines_keep_their_width_and_the_rules_of_punctuation(text: str) -> None:
    assert FONT is not None
    lines = wrapped(text, FONT, ROOM)
    assert "".join(lines) == text
    assert all(sum(map(FONT.getlength, line)) <= ROOM for line in lines)
    runs = max((len(run) for run in text.translate(dict.fromkeys(map(ord, HANZI), " ")).split(" ")), default=0)
    if runs < 10:  # a longer run of signs no line holds
        assert not [line for line in lines[1:] if line[0] in CLOSERS]
        assert not [line for line in lines[:-1] if line[-1] in OPENERS]


@needs_font
def test_numbers_and_words_stay_whole() -> None:
    assert FONT is not None
    for lead in range(24):
        lines = wrapped("税" * lead + "12,345.67元POS" + "费" * 9, FONT, ROOM)
        assert any("12,345.67" in line for line in lines)
        assert any("POS" in line for line in lines)


@needs_font
def test_the_last_line_is_no_single_character() -> None:
    assert FONT is not None
    for count in range(22, 46):
        lines = wrapped("政" * count + "。", FONT, ROOM)
        assert len(lines) == 1 or len(lines[-1].strip(string.punctuation + "。")) > 1


@pytest.mark.usefixtures("_fontless")
def test_without_a_chinese_font_it_says_what_to_install() -> None:
    with pytest.raises(ConfigError, match="fonts-"):
        draw(ordinary())
