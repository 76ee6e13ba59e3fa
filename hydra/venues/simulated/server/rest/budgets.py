"""How many requests the venue takes in a minute."""

import msgspec

from hydra.trading.durations import MINUTE, SECOND

Headers = list[tuple[bytes, bytes]]


class Spent(msgspec.Struct, frozen=True):
    """Whether a request may pass, and how the budget then stands."""

    allowed: bool
    limit: int
    remaining: int
    reset_at_s: int

    def headers(self) -> Headers:
        """As the broker tells them with every answer."""
        return [
            (b"x-ratelimit-limit", b"%d" % self.limit),
            (b"x-ratelimit-remaining", b"%d" % self.remaining),
            (b"x-ratelimit-reset", b"%d" % self.reset_at_s),
        ]


class MinuteBudget:
    """At most `limit` requests in each minute of the clock. What is refused costs nothing."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._minute = -1
        self._taken = 0

    def spend(self, at: int) -> Spent:
        """A request came at `at` (UTC ns); a clock that was set back begins a new minute too."""
        minute = at // MINUTE
        if minute != self._minute:
            self._minute, self._taken = minute, 0
        allowed = self._taken < self._limit
        self._taken += allowed
        reset_at_s = (minute + 1) * MINUTE // SECOND
        return Spent(allowed, self._limit, self._limit - self._taken, reset_at_s)
