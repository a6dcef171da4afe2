"""One token for all: one fetch per expiry however many wait, no word of it in any log or repr, failures rest."""

from __future__ import annotations

import asyncio

import pytest

from bot.platforms.tokens import Token, Tokens
from config.errors import Offline, Retry


class Source:
    """Gives tokens t1, t2, … when let."""

    def __init__(self) -> None:
        self.at = 0.0
        self.gate = asyncio.Event()
        self.gate.set()
        self.problem: Retry | None = None
        self.tokens = Tokens(self.renew, lambda: self.at)

    async def renew(self) -> tuple[str, float]:
        await self.gate.wait()
        if self.problem is not None:
            raise self.problem
        return f"secret-t{self.tokens.renewals}", 7200.0


@pytest.mark.asyncio
async def test_a_hundred_senders_at_an_expiry_fetch_once() -> None:
    source = Source()
    for round_ in range(3):
        source.gate.clear()
        waiting = [asyncio.create_task(source.tokens.current()) for _ in range(100)]
        await asyncio.sleep(0)
        source.gate.set()
        assert {token.word for token in await asyncio.gather(*waiting)} == {f"secret-t{round_ + 1}"}
        assert source.tokens.renewals == round_ + 1
        source.at += 7200


@pytest.mark.asyncio
async def test_a_hundred_senders_told_it_has_ended_fetch_once_even_when_the_same_word_comes_back() -> None:
    source = Source()
    old = await source.tokens.current()
    for _ in range(100):
        source.tokens.reject(old)
        await source.tokens.current()
    assert source.tokens.renewals == 2


@pytest.mark.asyncio
async def test_a_sender_that_gives_up_does_not_stop_the_others() -> None:
    source = Source()
    source.gate.clear()
    impatient, patient = (asyncio.create_task(source.tokens.current()) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    source.gate.set()
    assert (await patient).word == "secret-t1" and source.tokens.renewals == 1


@pytest.mark.asyncio
async def test_a_failed_fetch_rests_and_keeps_its_reason() -> None:
    source = Source()
    source.problem = Offline("Secret 不对", 300.0)
    for _ in range(50):
        with pytest.raises(Offline, match="Secret 不对"):
            await source.tokens.current()
    assert source.tokens.renewals == 1
    source.problem, source.at = None, 61.0
    assert (await source.tokens.current()).word == "secret-t2"


@pytest.mark.asyncio
async def test_a_token_is_replaced_before_it_ends() -> None:
    source = Source()
    first = await source.tokens.current()
    source.at = 7200 - 150
    assert await source.tokens.current() is not first


def test_a_token_does_not_show_its_word() -> None:
    assert "hidden" not in repr(Token("hidden", 1.0))
