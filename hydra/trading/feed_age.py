"""How old a price is, and when one that is only repeated counts as none (I45).

Age is that of the newest price that could be believed, in machine time: not that of the connection
it came on. A source that has died behind its server goes on to send: the same quote, with a fresh
timestamp each time. So it is also watched how long nothing has *changed*, against how long that
usually takes with this symbol.

The rule: a price is frozen once nothing of it has changed for 20 times as long as usual; never
before twice the age that a price may have, and at the latest after 40 times that age, so that a
symbol in which little happens is not taken for frozen and one that froze early is found. Before
eight changes were seen nobody knows what is usual, and four times that age counts.
"""

import msgspec

from hydra.trading.durations import SECOND

LEARNED_AFTER = 8
"""Changes."""
PATIENCE = 20
AT_LEAST, AT_MOST, UNLEARNED = 2, 40, 4
"""Times the age that a price may have."""
WEIGHT = 8
"""The usual time between changes moves by an eighth of the way to each new one."""


class Rhythm(msgspec.Struct, frozen=True):
    """When a symbol's price was heard and when it changed, in ns of machine time.

    `usual_gap`: how long it takes from one change to the next, as learned from so many `changes`.
    """

    heard_at: int
    changed_at: int
    usual_gap: int = 0
    changes: int = 0


def heard(rhythm: Rhythm | None, now: int, *, is_change: bool) -> Rhythm:
    """The rhythm after a price that could be believed; None: there was none before."""
    if rhythm is None:
        return Rhythm(now, now)
    if not is_change:
        return Rhythm(now, rhythm.changed_at, rhythm.usual_gap, rhythm.changes)
    gap = max(0, now - rhythm.changed_at)
    usual = rhythm.usual_gap + (gap - rhythm.usual_gap) // WEIGHT if rhythm.changes else gap
    return Rhythm(now, now, usual, rhythm.changes + 1)


def age(rhythm: Rhythm | None, now: int, since: int) -> int:
    """How old the price is, if prices were to be expected from `since` on."""
    return now - (since if rhythm is None else max(rhythm.heard_at, since))


def stale(rhythm: Rhythm | None, now: int, since: int, age_max: int) -> str | None:
    """Why the price is too old, in words; None if it is not."""
    found = age(rhythm, now, since)
    if 0 <= found <= age_max:
        return None
    return f"the newest price is {found / SECOND:.0f} s old, at most {age_max / SECOND:g} s allowed"


def frozen(rhythm: Rhythm, now: int, since: int, age_max: int) -> str | None:
    """Why the price is taken for frozen, in words; None if it is not."""
    found, most = now - max(rhythm.changed_at, since), frozen_after(rhythm, age_max)
    if 0 <= found <= most:
        return None
    return (
        f"the price comes again and again and has not changed for {found / SECOND:.0f} s, at"
        f" most {most / SECOND:.0f} s is usual"
    )


def frozen_after(rhythm: Rhythm, age_max: int) -> int:
    """For how long (ns) nothing may change. See the module."""
    if rhythm.changes < LEARNED_AFTER:
        return UNLEARNED * age_max
    return max(AT_LEAST * age_max, min(PATIENCE * rhythm.usual_gap, AT_MOST * age_max))
