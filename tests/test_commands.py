"""Short messages are read generously in form and strictly in meaning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.commands import VERBS, Command, parse, tagged, without_tag
from handlers.reports import texts as report_texts
from handlers.saying import done, noise
from handlers.tasks import texts

UNITS = frozenset({"城管局", "城管", "住建局"})


@pytest.mark.parametrize(
    ("said", "verb", "numbers", "rest"),
    [
        ("签收", "accept", (), ""),
        ("签收一下", "accept", (), ""),
        ("＃１１２２－０１７　签收", "accept", ("1122-017",), ""),
        ("1122—17签收了", "accept", ("1122-017",), ""),
        ("20261122-017 签收", "accept", ("20261122-017",), ""),
        ("#1122017 签收", "accept", ("1122-017",), ""),
        ("签收17号单", "accept", ("17",), ""),
        ("17号签收", "accept", ("17",), ""),
        ("签收 #1122-1005", "accept", ("1122-1005",), ""),
        ("城管局签收", "accept", (), ""),
        ("鉴收 1122-017", "accept", ("1122-017",), ""),
        ("签牧 1122-017", "accept", ("1122-017",), ""),
        ("签收 1122-001、1122-002", "accept", ("1122-001", "1122-002"), ""),
        ("#1122-017 返工:东侧没清", "verify_fail", ("1122-017",), "东侧没清"),
        ("退单，不属于我们", "return_", (), "不属于我们"),
        ("改派住建局", "reassign", (), "住建局"),
        ("并案 1122-016 到 1122-015", "merge", ("1122-016", "1122-015"), "到"),
        ("②", "choose", (), "2"),
        ("静音2小时", "mute", (), "2小时"),
        ("恢复", "unmute", (), ""),
        ("恢复办理 1122-011", "resume", ("1122-011",), ""),
        ("@群办 帮助", "help", (), ""),
    ],
)
def test_a_command_is_read_in_any_form(said: str, verb: str, numbers: tuple[str, ...], rest: str) -> None:
    found = parse(said, UNITS)
    assert (found.verb, found.numbers, found.rest) == (verb, numbers, rest)


@pytest.mark.parametrize(
    "said",
    ["收到群众反映，人民路井盖坏了", "通过这条路的时候", "1号楼门口垃圾", "1、人民路 2、西环路", "谁签收", "签收了吗？", "查看通知",
     "确认一下时间", "反馈一个问题：西环路", "请城管局签收", "意见箱坏了", "改造工地扬尘", "选举宣传栏破损", "同意你的看法"],
)  # fmt: skip
def test_prose_that_begins_with_a_verb_is_none(said: str) -> None:
    assert parse(said, UNITS).verb == ""


def test_a_time_of_day_is_no_task_number() -> None:
    assert parse("8:30-12:00 停水").numbers == ()
    assert parse("电话0319-1234567").numbers == ()


@given(st.text(max_size=60))
def test_nothing_said_breaks_the_reader(said: str) -> None:
    assert isinstance(parse(said, UNITS), Command)
    assert isinstance(done(said), bool) and isinstance(noise(said), bool) and isinstance(tagged(said), bool)
    assert len(without_tag(said)) <= len(said)


@given(st.sampled_from(sorted(VERBS)), st.integers(1, 1500))
def test_every_verb_carries_its_number(word: str, serial: int) -> None:
    found = parse(f"{word} #1122-{serial:03d}")
    assert found.verb == VERBS[word] and found.number == f"1122-{serial:03d}"


@pytest.mark.parametrize("said", ["清理完了", "井盖已更换", "小广告已清理干净", "换了个新井盖", "补好了", "已处理"])
def test_words_that_say_it_is_done(said: str) -> None:
    assert done(said)


@pytest.mark.parametrize(
    "said", ["还没修好", "修了半天没修好", "垃圾没人清", "井盖坏了", "处理一下人民路的垃圾", "修好了吗"]
)
def test_words_that_do_not(said: str) -> None:
    assert not done(said)


FIELDS = {
    "number": "1122-017", "where": "西环路三角绿地北侧 · ", "category": "非法张贴小广告", "unit": "城市管理综合执法局", "officer": " @欧阳建国",
    "due": "11月25日(周三)18:00前", "text": "雕塑上又贴满了小广告，昨天刚清理过", "state": "待签收", "phone": "119", "person": "欧阳建国",
    "own": "城市管理综合执法局", "time": "09:31", "used": "1小时20分", "list": "#1122-015、#1122-016、#1122-018", "words": "雕塑上的小广告已清理干净",
    "photos": "2张照片", "verifier": "@欧阳建国", "missing": "交警大队", "choices": "1 城管执法局  2 住建局  3 交警大队", "count": "2",
    "until": "2027年3月31日", "master": "1122-015", "assistants": "交警大队、住建局", "joined": "", "final": "。首接负责，不再退单",
    "twin": "1122-015", "reasons": "照片相同、地点相同、类别相同、文字相近、两小时内",
    "other": " #1119-003 ", "doubts": "反馈照片与 #1119-003 的照片几乎相同；拍摄时间早于上报", "punctual": "按期", "label": "签收", "who": "承办单位经办人", "days": "7", "word": "退单", "extensions": "2", "reason": "",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted({*texts.TEXTS, *texts.REFUSALS}))
def test_every_text_fits_three_lines_and_120_characters(name: str) -> None:
    said = texts.text(name, **FIELDS)
    assert len(said.splitlines()) <= 3 and len(said) <= 120, (len(said), said)
    assert len(said.encode()) <= 2048, "WeCom text, ux.md F2"
    assert not any(word in said for word in ("收到请回复", "@所有人", "排名"))


@pytest.mark.parametrize("name", sorted(report_texts.TEXTS))
def test_what_a_reporter_reads_is_short(name: str) -> None:
    assert len(report_texts.TEXTS[name]) <= 120


def test_a_brace_in_what_somebody_wrote_is_only_a_brace() -> None:
    assert "{unit}" in texts.text("returned", **{**FIELDS, "words": "{unit}不管"})
