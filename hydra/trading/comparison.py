"""A comparison of record and venue that is under way, and when it has come to its end.

Each try reads the whole account, which is many requests. What is on its way while the venue is read
can look like a difference, so one that is found is looked at again a little later. If the second
look finds the very same, nothing is on its way, and a third would tell no more.

What a late list of the venue's explains (`late_lists`) is not looked at again here: the comparison
ends with it, and the next one is made soon.
"""

from typing import Self

import msgspec
from msgspec import structs

from hydra.trading.differences import Difference
from hydra.trading.durations import SECOND
from hydra.trading.late_lists import SHOWN_WITHIN

TRIES = 3
PAUSE_AFTER_FAILURE = SECOND
PAUSE_AFTER_DIFFERENCE = 2 * SECOND
"""What is on its way has come within this time."""


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
        Those that are late are none.
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


LATE_PAUSE_FIRST, LATE_PAUSE_LONGEST = 2 * SECOND, 16 * SECOND
"""Most lists are a few seconds late. Looking for a whole half minute still leaves most of what may
be asked of the venue in a minute."""
GAPS_APART = 15 * SECOND
"""Comparisons that gaps of the stream ask for begin so far apart: an order that is executed in many
parts can make any number of gaps, and a comparison is many requests."""


class Pacing:
    """When the next comparison is due that lists that are late, or gaps, ask for (machine time)."""

    def __init__(self) -> None:
        self._late_in_a_row = 0
        self._too_old_at = 0
        self._gap_at: int | None = None

    def ended(self, now: int, *, late: bool) -> int | None:
        """In how long (ns) to look again at what a comparison left as late; None: at nothing.

        One look comes when what was late first is too old for it, so that it lasts no longer.
        """
        if not late:
            self._late_in_a_row = 0
            return None
        if not self._late_in_a_row:
            self._too_old_at = now + SHOWN_WITHIN + SECOND
        pause = min(LATE_PAUSE_FIRST << min(self._late_in_a_row, 10), LATE_PAUSE_LONGEST)
        self._late_in_a_row += 1
        return self._too_old_at - now if now < self._too_old_at < now + pause else pause

    def gap(self, now: int) -> int:
        """In how long (ns) the comparison begins that this gap asks for; those that come until then
        are in it.
        """
        if self._gap_at is None or now >= self._gap_at + GAPS_APART:
            self._gap_at = now
        elif now > self._gap_at:
            self._gap_at += GAPS_APART
        return self._gap_at - now
