"""A comparison of record and venue that is under way, and when it has come to its end.

Each try reads the whole account, which is many requests. What is on its way while the venue is read
can look like a difference, so one that is found is looked at again a little later. If the second
look finds the very same, nothing is on its way, and a third would tell no more.
"""

from typing import Self

import msgspec
from msgspec import structs

from hydra.trading.differences import Difference
from hydra.trading.durations import SECOND

TRIES = 3
PAUSE_AFTER_FAILURE = SECOND
PAUSE_AFTER_DIFFERENCE = 2 * SECOND
"""What the venue has done, all its lists show within this time."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Why it is made, how often it was tried, and when the newest try began."""

    reasons: tuple[str, ...]
    tries: int = 0
    asked_at: int = 0
    """Machine time."""
    began_at: int = 0
    """Market time."""
    found: tuple[Difference, ...] = ()
    """By the try before, if it could read the account."""

    def tried_again(self, now: int, market_now: int) -> Self:
        """With one more try, which begins now."""
        return structs.replace(self, tries=self.tries + 1, asked_at=now, began_at=market_now)

    def unsettled(self, failure: str, differences: tuple[Difference, ...]) -> Self | None:
        """What to go on with, if another try may find something else than this one; None: it is
        over. `failure`: why the account could not be read, and then there are no differences.
        """
        if not (failure or differences) or self.tries >= TRIES:
            return None
        if not failure and differences == self.found:
            return None
        return structs.replace(self, found=differences)

    @property
    def pause(self) -> int:
        """How long to wait (ns) before the next try."""
        return PAUSE_AFTER_DIFFERENCE if self.found else PAUSE_AFTER_FAILURE
