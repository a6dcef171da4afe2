"""What browsers get from us: readable by Chromium 86, small, nothing inline, nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CONSOLE = Path(__file__).resolve().parents[1] / "bot" / "console"
SCRIPTS = sorted((CONSOLE / "static").glob("*.js"))
STYLES = sorted((CONSOLE / "static").glob("*.css"))
PAGES = sorted((CONSOLE / "templates").glob("*.html"))
LONGEST = 150  # lines of one script

# syntax and functions younger than Chromium 86
YOUNG_SCRIPT = re.compile(
    r"\?\?=|\|\|=|&&=|\.at\(|\.replaceAll\(|structuredClone|Object\.hasOwn|\.findLast|\bstatic \{|^\s*#\w+\s*[=;(]|^await ",
    re.M,
)
YOUNG_STYLE = re.compile(
    r":has\(|:is\(|:where\(|@layer|@container|color-mix|\binset:|aspect-ratio|\bdvh\b|\bsvh\b|accent-color|^\s*&|subgrid",
    re.M,
)
ELSEWHERE = re.compile(r"https?://(?!www\.w3\.org/)|//cdn|@import|eval\(|new Function")
INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\son\w+=|\sstyle=|javascript:")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_small_old_fashioned_and_ours(script: Path) -> None:
    text = script.read_text("utf-8")
    assert text.startswith("//"), "a script opens with what it is for"
    assert len(text.splitlines()) <= LONGEST
    assert YOUNG_SCRIPT.findall(text) == []
    assert ELSEWHERE.findall(text) == []


@pytest.mark.parametrize("style", STYLES, ids=lambda path: path.name)
def test_a_style_sheet_uses_only_what_old_engines_know(style: Path) -> None:
    text = style.read_text("utf-8")
    assert YOUNG_STYLE.findall(text) == []
    assert ELSEWHERE.findall(text) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_page_has_nothing_inline_and_nothing_from_elsewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    assert INLINE.findall(text) == []
    assert ELSEWHERE.findall(text) == []
