"""Times that the venue gives, held against our own clock.

The two clocks never agree to the last millisecond, so what the venue dates a little ahead of us is
of now (`seen_at`). Whatever is further ahead stays of the future, which every check refuses: one of
the two clocks is wrong (I48). Times of our own clock, or of a market that is played to us, can be
ahead by nothing at all, and are not to be passed through here.
"""

from hydra.trading.durations import SECOND

SKEW = 2 * SECOND
"""So far the venue's clock may be ahead of ours, and no further."""


def seen_at(at: int, now: int) -> int:
    """A time of the venue's in ours: now, if it is ahead by no more than `SKEW`; else as it is."""
    return now if now < at <= now + SKEW else at
