"""How many requests a minute the broker is asked, and what they are kept for (K15).

A window rather than a bucket: a bucket that starts full lets twice its rate through in its first
minute, and the broker counts all. What is less urgent must leave more over, so that entries and
polls can never use up what exits, cancels and reconciliation need. All times are of the clock that
the broker counts its minutes by (ns).
"""

from bisect import bisect_right
from enum import Enum

import msgspec
from msgspec import structs

from hydra.trading.durations import MINUTE, SECOND

RESET_UNKNOWN_NS = 30 * SECOND
"""How long to hold back after a 429 that does not say, and after a key that was refused."""
OTHER_MINUTE = MINUTE // 2
"""Ends of the broker's minutes that are further apart are those of two: they are a minute apart, as
well as its clock and ours can tell.
"""


class Use(Enum):
    """What a request is for, most urgent first."""

    URGENT = "urgent"
    """Cancels, exits and flatten: what makes the account safer."""
    RECONCILE = "reconcile"
    """Reading the account, and looking for orders whose outcome is unknown."""
    ENTRY = "entry"
    POLL = "poll"
    """What could as well be asked later."""


class Shares(msgspec.Struct, frozen=True, kw_only=True):
    """The most that may be asked in a minute, and how much each use must leave of it.

    The broker allows 200 an account, of which other programs may use some.
    """

    a_minute: int = 150
    left_by_reconcile: int = 20
    left_by_entry: int = 50
    left_by_poll: int = 80

    def left_by(self, use: Use) -> int:
        """What has to be left once a request for this use is made."""
        match use:
            case Use.URGENT:
                return 0
            case Use.RECONCILE:
                return self.left_by_reconcile
            case Use.ENTRY:
                return self.left_by_entry
            case Use.POLL:
                return self.left_by_poll


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked within the last minute, and what the broker has said of it.

    `held_to`: so many more until `held_until`, by the broker's word; None: it has said nothing that
    is less than our own limit.
    """

    shares: Shares
    asked_at: tuple[int, ...] = ()
    """Ascending."""
    held_to: int | None = None
    held_until: int = 0
    minute_ends: int | None = None
    """Of the broker's minute that the hold is for; None: it has not said of which."""

    def left(self, now: int) -> int:
        """Requests that may be made now, for the most urgent use."""
        return self.shares.a_minute - (len(self.asked_at) - self.forgotten(now))

    def forgotten(self, now: int) -> int:
        """How many of the requests that it knows of were made over a minute ago."""
        return bisect_right(self.asked_at, now - MINUTE)

    def held(self, now: int) -> int | None:
        """What the broker says is left, if that holds us back now."""
        return self.held_to if now < self.held_until else None


def take(budget: Budget, use: Use, now: int) -> Budget | None:
    """The budget after one request more; None if it may not be made now.

    What the broker says holds back all but the urgent: to be refused once more costs less than a
    cancel that was never asked for.
    """
    asked_at = budget.asked_at[budget.forgotten(now) :]
    left_after = budget.shares.a_minute - len(asked_at) - 1
    if left_after < budget.shares.left_by(use):
        return None
    held = budget.held(now)
    if held is not None and use is not Use.URGENT and held - 1 < budget.shares.left_by(use):
        return None
    return structs.replace(
        budget,
        asked_at=(*asked_at, now),
        held_to=None if held is None else max(0, held - 1),
    )


def heard(budget: Budget, remaining: int, reset_in: int, now: int) -> Budget:
    """The budget once the broker has said that so many requests remain for so long (ns).

    Answers overtake one another, so within a minute of the broker's a hold is only ever tightened.
    In its next minute it begins anew.
    """
    until = now + max(0, min(reset_in, MINUTE))
    held, ends = budget.held(now), budget.minute_ends
    if held is not None and ends is not None:
        if until <= ends - OTHER_MINUTE:
            return budget  # it was said of the minute before
        if until >= ends + OTHER_MINUTE:
            held = None
            budget = structs.replace(budget, held_to=None, held_until=0, minute_ends=None)
    elif held is not None and remaining > 0:
        return budget  # its end is a guess, and this may be of before
    if held is None:
        if remaining >= budget.left(now):
            return budget
        return structs.replace(
            budget, held_to=max(0, remaining), held_until=until, minute_ends=until
        )
    return structs.replace(
        budget,
        held_to=max(0, min(held, remaining)),
        held_until=max(budget.held_until, until),
    )


def limited(budget: Budget, reset_in: int | None, now: int) -> Budget:
    """The budget once the broker has refused a request as one too many.

    Where it does not say for how long, no answer ends the hold before its time.
    """
    if reset_in is not None:
        return heard(budget, 0, reset_in, now)
    held_until = max(budget.held_until, now + RESET_UNKNOWN_NS)
    return structs.replace(budget, held_to=0, held_until=held_until, minute_ends=None)
