"""One access token for all senders: fetched once when it runs out, however many wait for it, and never shown.

Time is monotonic. A platform may end a token early: whoever is told so hands the token back with `reject`, and the first
to do so makes all others wait for the new one. A fetch that failed rests a little, so a wrong secret is not hammered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from config.errors import Retry

MARGIN = 0.1  # of a token's life is left unused, at most
MARGIN_SECONDS = 200.0
REST_SECONDS = (1.0, 60.0)  # between two failed fetches, at least and at most


@dataclass(frozen=True, slots=True, eq=False)
class Token:
    """`word` goes into a request and nowhere else."""

    word: str = field(repr=False)
    until: float


class Tokens:
    """`renew` fetches (word, seconds it holds) and raises Retry or a kind of it when it cannot."""

    def __init__(
        self, renew: Callable[[], Awaitable[tuple[str, float]]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._renew = renew
        self._clock = clock
        self._token: Token | None = None
        self._renewing: asyncio.Task[Token] | None = None
        self._failed: Retry | None = None
        self._rests_until = 0.0
        self.renewals = 0

    async def current(self) -> Token:
        """A token that holds. Raises what `renew` raised."""
        if self._token is not None and self._clock() < self._token.until:
            return self._token
        if self._renewing is None:
            if self._failed is not None and self._clock() < self._rests_until:
                raise type(self._failed)(str(self._failed), self._rests_until - self._clock())
            self._renewing = asyncio.get_running_loop().create_task(self._renewed())
            self._renewing.add_done_callback(self._done)
        return await asyncio.shield(self._renewing)  # a sender that gives up does not stop the others

    def reject(self, token: Token) -> None:
        """The platform no longer takes it."""
        if token is self._token:
            self._token = None

    async def _renewed(self) -> Token:
        self.renewals += 1
        try:
            word, seconds = await self._renew()
        except Retry as error:
            self._failed = error
            self._rests_until = self._clock() + min(max(error.after, REST_SECONDS[0]), REST_SECONDS[1])
            raise
        self._failed = None
        self._token = Token(word, self._clock() + seconds - min(MARGIN_SECONDS, seconds * MARGIN))
        return self._token

    def _done(self, task: asyncio.Task[Token]) -> None:
        self._renewing = None
        if not task.cancelled():
            task.exception()  # seen, even when nobody waits any more
