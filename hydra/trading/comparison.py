"""A comparison of record and venue that is under way."""

from typing import Self

import msgspec
from msgspec import structs


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Why it is made, how often it was tried, and when the newest try began."""

    reasons: tuple[str, ...]
    tries: int = 0
    asked_at: int = 0
    """Machine time."""
    began_at: int = 0
    """Market time."""

    def tried_again(self, now: int, market_now: int) -> Self:
        """With one more try, which begins now."""
        return structs.replace(self, tries=self.tries + 1, asked_at=now, began_at=market_now)
