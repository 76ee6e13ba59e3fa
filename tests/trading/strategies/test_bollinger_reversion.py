from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.bars import Bar
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.trading.strategies.bollinger_reversion import make
from hydra.trading.strategies.strategy import BadParameters, Signal
from tests.trading.market_data import (
    AAPL,
    MINUTE_NS,
    aapl_rows,
    bars_of,
    real_bars,
    real_sessions,
    utc_ns,
)
from tests.trading.strategies.playing import numbered, played

ENTER, EXIT = Signal.ENTER_LONG, Signal.EXIT_LONG
Signals = list[tuple[int, Signal]]


def sessions_of(*hours: tuple[int, int]) -> SessionTable:
    """Sessions from one minute to another, on days of their own."""
    return SessionTable(
        tuple(
            ExchangeSession(f"2026-01-0{day}", opens * MINUTE_NS, closes * MINUTE_NS, False)
            for day, (opens, closes) in enumerate(hours, start=1)
        )
    )


ONE_SESSION = sessions_of((0, 1_000))


def signals_of(
    bars: Sequence[Bar],
    sessions: SessionTable = ONE_SESSION,
    *,
    period: int = 5,
    width: float = 1.5,
) -> Signals:
    return numbered(played(make({"bars": period, "width": width}), bars, sessions))


def signals_by_definition(ticks: Sequence[int], period: int, width: Fraction) -> Signals:
    """The rule once more, in one session and in whole numbers: squared and times `period`."""
    signals: Signals = []
    was_below = False
    for number in range(period - 1, len(ticks)):
        window = ticks[number + 1 - period : number + 1]
        above = ticks[number] * period - sum(window)
        variance = sum(each**2 for each in window) * period - sum(window) ** 2
        is_below = above < 0 and above**2 > width**2 * variance
        if above >= 0:
            signals.append((number, EXIT))
        elif was_below and not is_below:
            signals.append((number, ENTER))
        was_below = is_below
    return signals


FALL = [100.0, 100.0, 100.0, 100.0, 99.0]
"""The last one is two deviations below the mean of all five."""


def test_it_enters_when_a_close_is_back_inside_the_bands_and_leaves_at_the_middle() -> None:
    bars = bars_of([*FALL, 99.1, 99.2, 99.9])

    assert signals_of(bars) == [(5, ENTER), (7, EXIT)]


def test_it_does_not_enter_while_closes_stay_below_the_band() -> None:
    assert signals_of(bars_of([*FALL, 96.0, 86.0])) == []


def test_a_close_that_leaps_from_below_the_band_over_the_middle_is_no_entry() -> None:
    assert signals_of(bars_of([*FALL, 101.0])) == [(5, EXIT)]


def test_it_wants_to_leave_at_every_close_at_or_above_the_middle() -> None:
    assert signals_of(bars_of([100.0] * 7)) == [(4, EXIT), (5, EXIT), (6, EXIT)]


def test_a_market_that_stops_moving_is_at_its_middle_whatever_rounding_says() -> None:
    bars = bars_of([10.0, 10.1, 10.2, 10.4, 10.7, 10.7, 10.9, *[11.1] * 200])

    assert signals_of(bars)[-200:] == [(number, EXIT) for number in range(7, 207)]


def test_a_night_is_no_outlier_the_bands_begin_anew_after_it() -> None:
    sessions = sessions_of((0, 5), (6, 20))
    bars = bars_of([*FALL, 99.0, *[90.3] * 4, 90.0, 90.1])

    # The bar between the sessions does not count; the second one begins with the seventh.
    assert signals_of(bars, sessions) == [(11, ENTER)]


def test_bands_of_coins_go_on_over_midnight() -> None:
    bars = bars_of([*FALL, 99.1])

    assert signals_of(bars, sessions_of((0, 3), (3, 1_000))) == [(5, ENTER)]


@given(
    steps=st.lists(st.integers(-6, 6), max_size=30)
    | st.lists(st.integers(-6, 6), min_size=90, max_size=140),
    period=st.integers(5, 30),
    width_tenths=st.integers(5, 30),
)
def test_it_signals_where_the_definition_in_whole_cents_does(
    steps: list[int], period: int, width_tenths: int
) -> None:
    cents = [10_001 + sum(steps[: count + 1]) for count in range(len(steps))]

    signals = signals_of(
        bars_of([each / 100 for each in cents]), period=period, width=width_tenths / 10
    )

    assert signals == signals_by_definition(cents, period, Fraction(width_tenths, 10))


def test_the_defaults_on_real_bars_of_aapl() -> None:
    rows, bars = aapl_rows(), real_bars(AAPL)
    sessions = real_sessions(AAPL, bars)

    signals = numbered(played(make({}), bars, sessions))

    wanted: Signals = []
    for session in sessions.sessions:
        numbers = [n for n, each in enumerate(bars) if sessions.at(each.start_at) == session]
        ticks = [int(Decimal(rows[number]["close"]).scaleb(8)) for number in numbers]
        day = signals_by_definition(ticks, 20, Fraction(2))
        wanted += [(numbers[number], signal) for number, signal in day]
    assert signals == wanted
    entries = [bars[number].start_at for number, signal in signals if signal is ENTER]
    assert (len(entries), entries[0]) == (175, utc_ns("2016-04-15T14:04:00Z"))


@pytest.mark.parametrize(
    "given",
    [
        {"bars": 4},
        {"bars": 201},
        {"bars": 20.0},
        {"width": 0.4},
        {"width": 5.1},
        {"width": float("inf")},
        {"width": "2"},
    ],
)
def test_parameters_out_of_range_are_refused_in_one_line(given: dict[str, object]) -> None:
    (name,) = given

    with pytest.raises(BadParameters, match=rf"^bollinger_reversion: parameter {name} is .+$"):
        make(given)
