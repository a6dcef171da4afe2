"""An office may put its own words in place of ours; what cannot be used is named before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConfigError
from config.texts import load_texts
from handlers import wording


def test_later_folders_win(tmp_path: Path) -> None:
    county, data = tmp_path / "county", tmp_path / "data"
    for folder, words in ((county, "县里的"), (data, "本机的")):
        folder.mkdir()
        (folder / "texts.toml").write_text(f'accepted = "{words} #{{number}}"\n', "utf-8")
    assert load_texts(county, data, tmp_path) == {"accepted": "本机的 #{number}"}


@pytest.mark.parametrize(
    ("name", "words", "why"),
    [
        ("acepted", "#{number}", "没有叫 acepted 的文字"),
        ("accepted", "#{number} {phone}", "accepted 不能用 phone"),
        ("accepted", "一\n二\n三\n四", "太长"),
        ("accepted", "长" * 121, "太长"),
    ],
)
def test_what_cannot_be_used_is_named(name: str, words: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        wording.own({name: words})


@pytest.mark.parametrize("content", ["accepted = 3\n", "accepted = ''\n", "accepted = \n"])
def test_a_file_that_is_no_list_of_texts_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "texts.toml").write_text(content, "utf-8")
    with pytest.raises(ConfigError, match=r"texts\.toml"):
        load_texts(tmp_path)
