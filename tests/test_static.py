"""What browsers get from us: readable by Chromium 86, small, nothing inline, nothing from elsewhere."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

CONSOLE = Path(__file__).resolve().parents[1] / "bot" / "console"
SCRIPTS = sorted((CONSOLE / "static").glob("*.js"))
STYLES = sorted((CONSOLE / "static").glob("*.css"))
PAGES = sorted((CONSOLE / "templates").glob("*.html"))
LONGEST = 150  # lines of one script

# syntax and functions younger than Chromium 86
YOUNG_SCRIPT = re.compile(
    r"\?\?=|\|\|=|&&=|\.at\(|\.replaceAll\(|structuredClone|Object\.hasOwn|\.findLast|\bstatic \{|^\s*#\w+\s*[=;(]|^await "
    r"|\b\d+_\d|Promise\.any|WeakRef|\.toSorted|\.toReversed|\.toSpliced|groupBy|#\w+ in |\b(?:with|assert) \{ type|^  static \w+ =",
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


@pytest.mark.parametrize("style", STYLES, ids=lambda path: path.name)
def test_no_rule_stands_in_another(style: Path) -> None:
    """Nesting, with or without `&`, is younger than Chromium 86; only @media and its like hold rules."""
    text, open_ = re.sub(r"/\*.*?\*/", "", style.read_text("utf-8"), flags=re.S), []
    for head, brace in re.findall(r"([^{};]*)([{};])", text):
        if brace == "{":
            assert all(outer.startswith("@") for outer in open_), f"{head.strip()} in {open_}"
            open_.append(head.strip())
        elif brace == "}":
            open_.pop()
    assert open_ == []


def test_scripts_parse_as_ecmascript_2020() -> None:
    """By acorn, where Node and acorn are at hand (NODE_PATH names it); the list of young words holds everywhere."""
    node, parse = (
        shutil.which("node"),
        "require('acorn').parse(process.argv[1], {ecmaVersion: 2020, sourceType: 'module'})",
    )
    if node is None or subprocess.run([node, "-e", "require('acorn')"], capture_output=True).returncode:
        pytest.skip("no acorn here")
    for script in SCRIPTS:
        found = subprocess.run([node, "-e", parse, script.read_text("utf-8")], capture_output=True, text=True)
        assert found.returncode == 0, f"{script.name}: {found.stderr[-400:]}"
