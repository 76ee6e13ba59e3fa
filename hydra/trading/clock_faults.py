"""Whether the machine's clocks can be believed: two readings against each other.

The wall clock says what day it is and can be set. Machine time cannot be set and goes on while the
machine sleeps. Between two readings both must have gone on by the same, or somebody set the clock.

Only *about* the same: where the system slews its clock to keep it right (NTP), wall time gains or
loses up to 500 microseconds a second on machine time, for days. So each reading is held against one
that follows the wall clock at that rate and no faster (`followed`). A slew it follows for ever; a
jump stays visible until a slew could have made it (2 s: for 67 minutes), so that one which comes in
small pieces adds up. What this cannot see is a clock that is set by less than 43 s a day in pieces
that are small enough: from inside a machine nobody can. A leap second that the system does not
smear is a jump like any other.
"""

import msgspec

from hydra.trading.durations import in_seconds

PPM = 1_000_000

FIRST_YEAR_AT = 1_704_067_200_000_000_000
"""2024-01-01: what is earlier is no date of this software."""
END_OF_YEARS_AT = 2_147_483_648_000_000_000
"""2038-01-19: from here on a count of seconds in 32 bits, somewhere below us, has run over."""


class ClockReading(msgspec.Struct, frozen=True, kw_only=True):
    """All clocks at one moment, in nanoseconds."""

    wall: int
    """UTC, since 1970."""
    machine: int
    """Since some moment; cannot be set, goes on while the machine sleeps."""
    awake: int
    """The same, but it stands still while the machine sleeps, where there is such a clock."""


class Skew(msgspec.Struct, frozen=True, kw_only=True):
    """How far the clocks may disagree. All over zero, in nanoseconds but for the rate."""

    back: int
    """The wall clock may fall behind machine time by so much."""
    forward: int
    """And run ahead of it by so much."""
    silence: int
    """Between two readings; longer, and nobody was awake to read."""
    slew_ppm: int = 500
    """How fast a clock that is being kept right goes wrong: the most that kernels do."""


def clock_fault(before: ClockReading, now: ClockReading, skew: Skew) -> str | None:
    """What happened to the clocks since then, with the numbers; None: nothing that matters.

    A silence is told first: during one the clocks may have been set as well.
    """
    silence = now.machine - before.machine
    if not 0 <= silence <= skew.silence:
        return _silence(before, now, silence, skew)
    ahead = _ahead(before, now)
    if -skew.back <= ahead <= skew.forward:
        return None
    way, most = ("forward", skew.forward) if ahead > 0 else ("back", skew.back)
    return (
        f"the wall clock was set {way} by {in_seconds(abs(ahead)):f} s,"
        f" at most {in_seconds(most):f} s allowed"
    )


def date_fault(now: ClockReading) -> str | None:
    """What is wrong with the date by itself, which the first reading has nothing else to tell by.

    The text is the same for as long as the fault is there.
    """
    if FIRST_YEAR_AT <= now.wall < END_OF_YEARS_AT:
        return None
    side = "before the year 2024" if now.wall < FIRST_YEAR_AT else "after 2038-01-19"
    return f"the wall clock shows a date {side}; set it"


def followed(before: ClockReading, now: ClockReading, skew: Skew) -> ClockReading:
    """What to hold the next reading against: this one, with the wall clock where it should be.

    That is where it was before plus the time since, and towards where it is now by no more than it
    could be slewed meanwhile.
    """
    ahead = _ahead(before, now)
    slewed = (now.machine - before.machine) * skew.slew_ppm // PPM
    return ClockReading(
        wall=now.wall - ahead + max(-slewed, min(slewed, ahead)),
        machine=now.machine,
        awake=now.awake,
    )


def _ahead(before: ClockReading, now: ClockReading) -> int:
    """By how much more the wall clock has gone on than machine time."""
    return (now.wall - before.wall) - (now.machine - before.machine)


def _silence(before: ClockReading, now: ClockReading, silence: int, skew: Skew) -> str:
    allowed = f"at most {in_seconds(skew.silence):f} s allowed"
    if silence < 0:
        return f"machine time went back by {in_seconds(-silence):f} s"
    asleep = silence - (now.awake - before.awake)
    if asleep > skew.silence:
        return f"the machine was suspended for {in_seconds(asleep):f} s, {allowed}"
    return f"this process stood still for {in_seconds(silence):f} s, {allowed}"
