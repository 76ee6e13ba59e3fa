"""What is wrong with bars that are each sound: gaps, prints that stand out, splits."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.research.bar_quality import (
    Gap,
    Jump,
    Limits,
    Quality,
    findings_of,
    quality_of,
)
from hydra.trading.bars import Bar
from hydra.trading.durations import DAY, HOUR, MINUTE
from hydra.trading.sessions import NO_SESSIONS, ExchangeSession, SessionTable

OPEN = 1_767_623_400_000_000_000
"""2026-01-05 14:30 UTC, a Monday."""
WHOLE, HALF = 390, 210
TABLE = SessionTable(
    (
        ExchangeSession("2026-01-05", OPEN, OPEN + WHOLE * MINUTE, early_close=False),
        ExchangeSession("2026-01-06", OPEN + DAY, OPEN + DAY + HALF * MINUTE, early_close=True),
    )
)
MIDNIGHT = OPEN - OPEN % DAY


def bar(start_at: int, close: float = 100.0, interval: int = MINUTE, symbol: str = "AAPL") -> Bar:
    high, low = close + 0.5, close - 0.5
    return Bar(symbol, start_at, start_at + interval, close, high, low, close, 10.0)


def coins(*places: int, symbol: str = "BTC/USD") -> list[Bar]:
    return [bar(MIDNIGHT + place * MINUTE, symbol=symbol) for place in places]


def of_session(number: int, count: int, *left_out: int) -> list[Bar]:
    """The minutes of a session, without some."""
    opened = TABLE.sessions[number].open_at
    return [bar(opened + each * MINUTE) for each in range(count) if each not in left_out]


def test_two_whole_sessions_have_no_gap_though_a_night_lies_between() -> None:
    found = quality_of([*of_session(0, WHOLE), *of_session(1, HALF)], TABLE)

    assert (found.bars, found.gaps, found.outside) == (WHOLE + HALF, (), 0)
    assert (found.begins_at, found.ends_at) == (OPEN, TABLE.sessions[1].close_at)


def test_what_is_missing_from_sessions_is_named_also_over_a_night() -> None:
    bars = [*of_session(0, WHOLE - 2, 5, 6, 9), *of_session(1, HALF, 0)]

    found = quality_of(bars, TABLE)

    assert found.gaps == (
        Gap(OPEN + 5 * MINUTE, 2), Gap(OPEN + 9 * MINUTE, 1), Gap(OPEN + (WHOLE - 2) * MINUTE, 3),
    )  # fmt: skip
    assert found.missing == 6


def test_what_lies_in_no_session_is_counted() -> None:
    early = bar(OPEN - MINUTE)
    late = bar(TABLE.sessions[1].close_at)

    assert (
        quality_of([early, *of_session(0, WHOLE), *of_session(1, HALF), late], TABLE).outside == 2
    )


def test_of_bars_of_a_day_only_the_date_counts() -> None:
    at_midnight = [bar(MIDNIGHT, interval=DAY), bar(MIDNIGHT + DAY, interval=DAY)]
    at_the_opening = [bar(OPEN, interval=DAY), bar(OPEN + DAY, interval=DAY)]

    for bars in (at_midnight, at_the_opening):
        found = quality_of(bars, TABLE)
        assert (found.gaps, found.outside) == ((), 0)


@given(st.sets(st.integers(1, 199), max_size=150))
def test_of_coins_every_minute_that_is_left_out_is_found(left_out: set[int]) -> None:
    bars = coins(*(each for each in range(201) if each not in left_out))

    found = quality_of(bars, NO_SESSIONS)

    named = {
        (gap.start_at - MIDNIGHT) // MINUTE + each for gap in found.gaps for each in range(gap.bars)
    }
    assert named == left_out
    assert found.missing == len(left_out)
    assert (found.bars, found.outside, found.splits) == (201 - len(left_out), 0, ())


def closes(*prices: float, symbol: str = "BTC/USD") -> list[Bar]:
    return [bar(MIDNIGHT + n * MINUTE, price, symbol=symbol) for n, price in enumerate(prices)]


def wobbling(count: int, step: float = 0.001) -> list[float]:
    return [100.0 * math.exp(step * math.sin(number)) for number in range(count)]


def test_a_print_far_from_both_neighbours_stands_out_and_a_fall_that_stays_does_not() -> None:
    calm = wobbling(60)

    spike = quality_of(closes(*calm[:30], 70.0, *calm[30:]), NO_SESSIONS)
    fall = quality_of(closes(*calm[:30], *(0.7 * each for each in calm[30:])), NO_SESSIONS)

    assert spike.suspects == (MIDNIGHT + 30 * MINUTE,)
    assert fall.suspects == ()


def test_what_is_usual_in_a_wild_market_does_not_stand_out() -> None:
    wild = [100.0 * math.exp(0.03 * (-1) ** number) for number in range(60)]

    assert quality_of(closes(*wild), NO_SESSIONS).suspects == ()
    assert quality_of(closes(100.0), NO_SESSIONS).suspects == ()
    assert quality_of(closes(100.0, 50.0), NO_SESSIONS).suspects == ()


@pytest.mark.parametrize(
    ("ratio", "is_split"), [(0.5, True), (0.51, True), (4.0, True), (1 / 7, True), (1.5, True),
                            (0.92, False), (0.8, False), (0.56, False), (1.0, False)]
)  # fmt: skip
def test_an_overnight_jump_by_a_whole_ratio_looks_like_a_split(
    ratio: float, is_split: bool
) -> None:
    before, after = bar(OPEN, 100.0, DAY), bar(OPEN + DAY, 100.0 * ratio, DAY)

    found = quality_of([before, after], TABLE)

    assert found.splits == ((Jump(OPEN + DAY, ratio),) if is_split else ())


def test_coins_do_not_split_and_within_a_day_nothing_does() -> None:
    assert quality_of(closes(100.0, 50.0), NO_SESSIONS).splits == ()
    assert quality_of(closes(100.0, 50.0, symbol="AAPL"), TABLE).splits == ()


ANY_AGE = Limits()


def lines(quality: Quality, limits: Limits = ANY_AGE, now: int = 0) -> list[str]:
    """Of what does not pass."""
    found = findings_of(quality, limits, now)
    return [f"{each.name}: {each.line}" for each in found if not each.passed]


WELL = quality_of(coins(*range(100)), NO_SESSIONS)


def test_of_whole_bars_everything_passes() -> None:
    assert lines(WELL) == []
    assert [each.name for each in findings_of(WELL, Limits(), 0)] == [
        "gaps", "sessions", "prints", "splits",
    ]  # fmt: skip


def test_each_thing_that_is_wrong_is_a_line() -> None:
    bad = structs.replace(
        WELL,
        gaps=(Gap(MIDNIGHT, 1), Gap(MIDNIGHT + HOUR, 24)),
        outside=1,
        suspects=tuple(MIDNIGHT + n * MINUTE for n in range(5)),
        splits=(Jump(MIDNIGHT, 0.5),),
    )

    assert lines(bad, Limits(age_max=HOUR), bad.ends_at + 3 * HOUR) == [
        "gaps: 25 bars missing in 2 gaps (20.16 %), the longest 24 from 2026-01-05 01:00",
        "sessions: 1 bar in no session of the exchange, or off its grid",
        (
            "prints: 2026-01-05 00:00, 2026-01-05 00:01, 2026-01-05 00:02 and 2 more far from both"
            " neighbours: did anybody pay that?"
        ),
        (
            "splits: 2026-01-05 00:00 opened at a ratio as of a split: wanted prices that are"
            " adjusted for it, or a window without it"
        ),
        "age: the last bar ended 3.0 hours ago, at most 1",
    ]


def test_some_may_be_missing_if_that_was_said() -> None:
    one = quality_of(coins(0, *range(2, 101)), NO_SESSIONS)

    assert len(lines(one)) == 1
    assert lines(one, Limits(missing_max_pct=1.0)) == []
    assert len(lines(one, Limits(missing_max_pct=0.9))) == 1
