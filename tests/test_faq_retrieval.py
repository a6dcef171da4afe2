"""How a question is read: slips, dialect, stories, follow-ups, matters, years. By words alone, on the starter base."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from config.faq.entries import Entry, shipped_entries
from config.faq.sounds import shipped_pairs, shipped_sounds
from config.faq.weights import Weights, shipped_weights
from handlers.faq.assistant import Assistant
from handlers.faq.concern import CONCERN
from handlers.faq.filing import FilingCalendar
from handlers.faq.meaning import FEW, Meaning
from handlers.faq.measures import RANK, SURE, Rarity, pairs_of
from handlers.faq.typos import Speller

TODAY = date(2026, 11, 24)
ASSISTANT = Assistant()
ASSISTANT.load(replace(entry, status="live") for entry in shipped_entries())


def speller(*texts: str) -> Speller:
    daily, topics = shipped_pairs()
    made = Speller(shipped_sounds(), daily | topics)
    made.learn(texts)
    return made


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("完水证明", "完税证明"),
        ("残宝金", "残保金"),
        ("购质税", "购置税"),
        ("居主证", "居住证"),
    ],
)
def test_a_slip_that_sounds_alike_is_put_right(said: str, meant: str) -> None:
    assert speller("完税证明", "残保金", "购置税", "居住证")(said) == meant


@pytest.mark.parametrize("text", ["稿费怎么交税", "今天税务局来宣传", "新开的票怎么发", "帮我看一下"])
def test_words_that_are_right_are_left_alone(text: str) -> None:
    assert speller("告知", "今年", "行业", "办税")(text) == text


def test_a_slip_still_finds_its_entry() -> None:
    assert ASSISTANT.ask("完水证明在哪打应", TODAY).top[0] == "tax-proof"


def test_a_story_does_not_drown_its_question() -> None:
    story = "家里就我一个孩子，我爸前年就六十了，我妈今年也满六十，我在外地打工每个月交好几百个税，赡养老人能扣多少"
    assert ASSISTANT.ask(story, TODAY).top[0] == "ded-elderly"


@pytest.mark.parametrize(
    ("before", "text", "entry"),
    [
        ("企业所得税汇算什么时候截止", "那季报呢", "cit-quarter"),
        ("两个小孩上学个税扣多少", "3岁以下呢", "ded-infant"),
        ("房贷个税一个月扣多少", "租房的呢", "ded-rent"),
    ],
)
def test_what_a_follow_up_adds_leads_to_its_entry(before: str, text: str, entry: str) -> None:
    assert ASSISTANT.ask(text, TODAY, (before,)).top[0] == entry


@pytest.mark.parametrize(
    "text", ["发票额度申请提交三天了还没批", "昨天交的税款系统显示未入库", "被列入非正常户了，帮忙解除一下"]
)
def test_what_does_not_work_goes_to_a_person(text: str) -> None:
    assert ASSISTANT.ask(text, TODAY).band == "handoff"


def test_a_year_an_entry_does_not_hold_for_gets_no_answer() -> None:
    made = Assistant()
    made.load(
        [Entry("a", "小微企业优惠到什么时候", "到2027年。", "文号", valid_from="2026-01-01", valid_to="2027-12-31")]
    )
    assert made.ask("小微企业优惠到什么时候", TODAY).band == "answer"
    assert made.ask("2021年小微企业优惠到什么时候", TODAY).band == "handoff"


def test_a_deadline_that_is_over_names_the_next() -> None:
    found = FilingCalendar().answer("这个月征期到几号", TODAY)
    assert found is not None
    assert "11月16日" in found.text
    assert "已过" in found.text
    assert "12月15日" in found.text
    early = FilingCalendar().answer("这个月征期到几号", date(2026, 11, 10))
    assert early is not None
    assert "已过" not in early.text


def test_entries_are_checked_for_the_day_again_after_midnight_and_after_a_change() -> None:
    made = Assistant()
    made.load([Entry("a", "印花税怎么交", "按季。", "文号", valid_to="2026-11-24")])
    assert made.ask("印花税怎么交", TODAY).band == "answer"
    assert made.ask("印花税怎么交", date(2026, 11, 25)).reason == "expired"
    made.add(Entry("a", "印花税怎么交", "按季。", "文号", valid_to="2026-12-31"))
    assert made.ask("印花税怎么交", date(2026, 11, 25)).band == "answer"


def test_shipped_weights_stand_in_the_order_of_the_measures() -> None:
    for weights in shipped_weights().values():
        assert len(weights.rank) == len(weights.follow) == len(RANK)
        assert len(weights.sure.weights) == len(SURE)
        assert len(weights.concern.weights) == len(CONCERN)
    assert Weights().score(()) == 0


def test_rarity_counts_what_is_shared_by_its_weight() -> None:
    weigh = Rarity({"a": 1.0, "b": 3.0}.__getitem__)
    assert weigh.share(frozenset("ab"), frozenset("b")) == 0.75
    assert pairs_of("怎么交印花税") == {"交印", "印花", "花税"}


class Letters:
    """A toy model: a text's vector counts its characters."""

    def encode(self, texts: list[str]) -> list[list[float]]:
        return [self._unit([float(text.count(chr(97 + n))) for n in range(26)]) for text in texts]

    def _unit(self, counts: list[float]) -> list[float]:
        size = sum(n * n for n in counts) ** 0.5 or 1.0
        return [n / size for n in counts]


@pytest.mark.parametrize("many", [10, FEW + 200])
def test_the_nearest_meaning_is_found_whether_looked_at_once_or_twice(many: int) -> None:
    meaning = Meaning(Letters())
    for n in range(many):
        meaning.add(str(n), [chr(97 + n % 20) * (1 + n % 7) + chr(97 + n % 23)])
    meaning.add("it", ["xyzzy"])
    while meaning.work(512):
        pass
    assert meaning.search(["xyzzyx"], 3)[0][0] == "it"
    assert meaning.near(["xyzzyx"], ["it", "nobody"])["it"] > 0.9
