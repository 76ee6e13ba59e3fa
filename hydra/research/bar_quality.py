"""What is wrong with bars that are each sound: what is missing between them, and what nobody paid.

A replay trades on what a file has. Minutes that are missing are bars on which no stop was looked
at, a print far from both of its neighbours is a stop that no market would have taken out, and a
split in raw prices is a crash that never was. None of that can be seen in one bar. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median

import msgspec

from hydra.trading.bars import Bar
from hydra.trading.durations import DAY, HOUR, SECOND
from hydra.trading.findings import Finding
from hydra.trading.instruments import is_crypto
from hydra.trading.sessions import SessionTable, utc_date

SUSPECT_MIN = 0.02
"""Of a price: what is closer to its neighbours is nothing to speak of."""
SUSPECT_TIMES = 10.0
"""So many times the usual step between two closes (the median of those around) is unusual."""
AROUND = 100
"""Bars before and after that say what is usual: what is wild in one year is calm in another."""
BACK_WITHIN = 0.5
"""And the next close is back: nearer than this share of the step to the one before."""
SPLITS = (2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 1.5)
SPLIT_WITHIN = 0.04
"""How near the ratio has to be: the market moves overnight as well."""


class Gap(msgspec.Struct, frozen=True):
    """So many bars that follow one another are missing, the first of which begins at `start_at`."""

    start_at: int
    bars: int


class Jump(msgspec.Struct, frozen=True):
    """The open of the bar that begins at `start_at` was so many times the close before."""

    start_at: int
    ratio: float


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one symbol's bars. Times are UTC ns, of a bar its beginning."""

    symbol: str
    interval: int
    bars: int
    begins_at: int
    ends_at: int
    gaps: tuple[Gap, ...]
    outside: int
    """Bars that lie in no session of the exchange, or not on its grid."""
    without_volume: int
    suspects: tuple[int, ...]
    """Bars whose close is far from both of its neighbours."""
    splits: tuple[Jump, ...]
    """What looks like a split in prices that were not adjusted for it."""

    @property
    def missing(self) -> int:
        """Bars, in all gaps together."""
        return sum(gap.bars for gap in self.gaps)


def quality_of(bars: Sequence[Bar], exchange: SessionTable) -> Quality:
    """Of one symbol's bars, ascending, all of one length, at least one. `exchange` has its sessions
    from the first bar to the last; coins need none.
    """
    symbol = bars[0].symbol
    interval = bars[0].end_at - bars[0].start_at
    found = [_grid_place(bar.start_at, interval) for bar in bars]
    is_coin = is_crypto(symbol)
    if is_coin:
        expected = list(range(found[0], found[-1] + 1, interval))
    else:
        expected = [at for at in _of_sessions(exchange, interval) if found[0] <= at <= found[-1]]
    there = set(found)
    return Quality(
        symbol=symbol,
        interval=interval,
        bars=len(bars),
        begins_at=bars[0].start_at,
        ends_at=bars[-1].end_at,
        gaps=tuple(_gaps(expected, there)),
        outside=len(there.difference(expected)),
        without_volume=sum(bar.volume == 0 for bar in bars),
        suspects=tuple(_suspects(bars)),
        splits=() if is_coin else tuple(_splits(bars)),
    )


def _grid_place(start_at: int, interval: int) -> int:
    """Of bars of a day only the date counts: some begin at midnight, some at the opening."""
    return start_at - start_at % DAY if interval == DAY else start_at


def _of_sessions(exchange: SessionTable, interval: int) -> Iterator[int]:
    for session in exchange.sessions:
        if interval == DAY:
            yield session.open_at - session.open_at % DAY
        else:
            yield from range(session.open_at, session.close_at, interval)


def _gaps(expected: Sequence[int], there: set[int]) -> Iterator[Gap]:
    start_at, bars = 0, 0
    for at in expected:
        if at not in there:
            start_at, bars = start_at if bars else at, bars + 1
        elif bars:
            yield Gap(start_at, bars)
            bars = 0
    if bars:
        yield Gap(start_at, bars)


def _suspects(bars: Sequence[Bar]) -> Iterator[int]:
    steps = [math.log(after.close / before.close) for before, after in pairwise(bars)]
    for place, (there, back) in enumerate(pairwise(steps)):
        if abs(there) <= SUSPECT_MIN or abs(there + back) >= BACK_WITHIN * abs(there):
            continue
        around = steps[max(0, place - AROUND) : place + AROUND]
        if min(abs(there), abs(back)) > SUSPECT_TIMES * median(map(abs, around)):
            yield bars[place + 1].start_at


def _splits(bars: Sequence[Bar]) -> Iterator[Jump]:
    for before, after in pairwise(bars):
        if utc_date(before.start_at) == utc_date(after.start_at):
            continue  # prices are adjusted before an opening
        ratio = after.open / before.close
        times = max(ratio, 1 / ratio)
        if any(abs(times / split - 1) <= SPLIT_WITHIN for split in SPLITS):
            yield Jump(after.start_at, ratio)


class Limits(msgspec.Struct, frozen=True):
    """What may be. `missing_max_pct`: of the bars that there should be; `age_max`: how long ago the
    last one may have ended (ns), None: as long as it likes.
    """

    missing_max_pct: float = 0.0
    age_max: int | None = None


NAMED_MAX = 3


def findings_of(quality: Quality, limits: Limits, now: int) -> tuple[Finding, ...]:
    """A line for each thing that was looked at, passed or not. `now` is UTC ns."""
    found = [_missing(quality, limits), _outside(quality), _far_prints(quality), _jumps(quality)]
    if limits.age_max is not None:
        found.append(_age(quality, limits.age_max, now))
    return tuple(found)


def _missing(quality: Quality, limits: Limits) -> Finding:
    if not quality.gaps:
        return Finding("gaps", True, "none")
    longest = max(quality.gaps, key=lambda gap: gap.bars)
    share = 100 * quality.missing / (quality.missing + quality.bars - quality.outside)
    line = (
        f"{_count(quality.missing, 'bar')} missing in {_count(len(quality.gaps), 'gap')}"
        f" ({share:.2f} %), the longest {longest.bars} from {moment(longest.start_at)}"
    )
    return Finding("gaps", share <= limits.missing_max_pct, line)


def _outside(quality: Quality) -> Finding:
    if not quality.outside:
        return Finding("sessions", True, "each bar lies in one")
    line = f"{_count(quality.outside, 'bar')} in no session of the exchange, or off its grid"
    return Finding("sessions", False, line)


def _far_prints(quality: Quality) -> Finding:
    line = f"{_listed(quality.suspects)} far from both neighbours: did anybody pay that?"
    return Finding("prints", not quality.suspects, line if quality.suspects else "none stands out")


def _jumps(quality: Quality) -> Finding:
    line = (
        f"{_listed([jump.start_at for jump in quality.splits])} opened at a ratio as of a split:"
        " wanted prices that are adjusted for it, or a window without it"
    )
    return Finding("splits", not quality.splits, line if quality.splits else "none seen")


def _age(quality: Quality, age_max: int, now: int) -> Finding:
    age_h, max_h = (now - quality.ends_at) / HOUR, age_max / HOUR
    line = f"the last bar ended {age_h:.1f} hours ago, at most {max_h:g}"
    return Finding("age", now - quality.ends_at <= age_max, line)


def _listed(starts: Sequence[int]) -> str:
    named = ", ".join(map(moment, starts[:NAMED_MAX]))
    more = f" and {len(starts) - NAMED_MAX} more" if len(starts) > NAMED_MAX else ""
    return f"{named}{more}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def moment(at: int) -> str:
    """UTC, to the minute."""
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%d %H:%M")
