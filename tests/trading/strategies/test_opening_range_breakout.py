from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.bars import Bar
from hydra.trading.durations import DAY
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.trading.strategies.opening_range_breakout import make
from hydra.trading.strategies.strategy import BadParameters, Signal
from tests.trading.market_data import (
    AAPL,
    MINUTE_NS,
    SPY_WITH_EXTENDED_HOURS,
    real_bars,
    real_sessions,
    utc_ns,
)
from tests.trading.strategies.playing import after_a_restart, numbered, played

ENTER, EXIT = Signal.ENTER_LONG, Signal.EXIT_LONG
Signals = list[tuple[int, Signal]]

OPENS = (100, 300, 500)
"""In minutes. The second session is a half day."""
SESSIONS = SessionTable(
    tuple(
        ExchangeSession(
            f"2026-01-0{number}",
            opens * MINUTE_NS,
            (opens + (10 if number == 2 else 20)) * MINUTE_NS,
            number == 2,
        )
        for number, opens in enumerate(OPENS, start=1)
    )
)
RANGE = [(100.0, 101.0), (99.0, 100.5), (99.5, 100.5)]
"""Lows and highs of three bars: the range is 99 to 101."""


def bar(minute: int, low: float, high: float, close: float | None = None) -> Bar:
    """Opens at its low; closes at its high unless told otherwise."""
    start_at = minute * MINUTE_NS
    close = high if close is None else close
    return Bar("AAPL", start_at, start_at + MINUTE_NS, low, high, low, close, 100.0)


def opening(opens: int = 100) -> list[Bar]:
    return [bar(opens + number, low, high) for number, (low, high) in enumerate(RANGE)]


def closing(closes: Sequence[float], opens: int = 100) -> list[Bar]:
    """The bars after the range, which move only to their close."""
    return [bar(opens + 3 + number, close, close) for number, close in enumerate(closes)]


def signals_of(bars: Sequence[Bar], **parameters: object) -> Signals:
    parameters = {"range_minutes": 3} | parameters
    return numbered(played(make(parameters), bars, SESSIONS))


def signals_by_definition(
    bars: Sequence[Bar], sessions: SessionTable, minutes: int, buffer_pct: float
) -> Signals:
    """The rule once more, session by session over all of its bars at once."""
    signals: Signals = []
    for session in sessions.sessions:
        numbers = [
            number
            for number, each in enumerate(bars)
            if session.open_at <= each.start_at < session.close_at
        ]
        ends_at = session.open_at + minutes * MINUTE_NS
        opening = [bars[number] for number in numbers if bars[number].start_at < ends_at]
        if len(opening) < minutes:
            continue
        high = max(each.high for each in opening) * (1 + buffer_pct / 100)
        low = min(each.low for each in opening) * (1 - buffer_pct / 100)
        later = numbers[minutes:]
        up = next((number for number in later if bars[number].close > high), len(bars))
        down = next((number for number in later if bars[number].close < low), len(bars))
        down_again = next((n for n in later if n > up and bars[n].close < low), len(bars))
        breakouts = {(up, ENTER), (down, EXIT), (down_again, EXIT)}
        signals += [each for each in sorted(breakouts, key=str) if each[0] < len(bars)]
    return sorted(signals, key=lambda each: each[0])


@pytest.mark.parametrize(
    ("closes", "signals"),
    [
        ([100.0, 101.0, 101.01, 102.0, 100.0, 103.0], [(5, ENTER)]),
        ([99.0, 98.99, 98.0, 100.0, 98.0], [(4, EXIT)]),
        ([102.0, 98.0, 102.0, 98.0], [(3, ENTER), (4, EXIT)]),
        ([98.0, 102.0, 98.0, 102.0, 98.0], [(3, EXIT), (4, ENTER), (5, EXIT)]),
        ([100.0] * 6, []),
    ],
    ids=["above", "below", "above, then below", "below, above, below", "inside"],
)
def test_the_first_close_beyond_a_side_of_the_range_is_its_breakout(
    closes: list[float], signals: Signals
) -> None:
    assert signals_of([*opening(), *closing(closes)]) == signals


def test_it_is_the_close_that_breaks_out_not_a_high_or_a_low() -> None:
    assert signals_of([*opening(), bar(103, 90.0, 110.0, 100.0)]) == []


def test_the_buffer_moves_both_sides_outwards() -> None:
    closes = [101.5, 98.5, 102.02, 98.0]

    signals = signals_of([*opening(), *closing(closes)], buffer_pct=1.0)

    assert signals == [(5, ENTER), (6, EXIT)]


def test_each_session_has_its_own_range_on_half_days_too() -> None:
    bars = [
        *opening(),
        *closing([102.0]),
        *opening(300),
        *closing([101.0, 102.0], opens=300),
        *opening(500),
        *closing([98.0], opens=500),
    ]

    assert signals_of(bars) == [(3, ENTER), (8, ENTER), (12, EXIT)]


def test_what_trades_outside_of_the_session_counts_for_nothing() -> None:
    before, after = bar(99, 50.0, 200.0), bar(120, 102.0, 102.0)
    after_the_early_close = bar(310, 102.0, 102.0)

    assert signals_of([before, *opening(), after, *opening(300), after_the_early_close]) == []


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_range_that_misses_a_bar_is_unknown_for_its_session_only(missing: int) -> None:
    holed = [each for number, each in enumerate(opening()) if number != missing]
    next_day = [*opening(300), *closing([102.0], opens=300)]

    assert signals_of([*holed, *closing([102.0, 98.0]), *next_day]) == [(7, ENTER)]


def test_a_hole_after_the_range_hides_no_breakout() -> None:
    assert signals_of([*opening(), bar(115, 102.0, 102.0)]) == [(3, ENTER)]


def test_a_session_that_is_no_longer_than_its_range_has_no_breakout() -> None:
    bars = [bar(300 + number, 90.0 + number, 100.0 + number) for number in range(10)]

    assert signals_of(bars, range_minutes=10) == []


def test_a_bar_that_begins_in_the_range_belongs_to_it_whole() -> None:
    wide = [
        Bar("AAPL", at * MINUTE_NS, (at + 2) * MINUTE_NS, 100.0, high, 99.0, high, 1.0)
        for at, high in ((100, 101.0), (102, 103.0), (104, 102.0), (106, 103.5))
    ]

    assert signals_of(wide) == [(3, ENTER)]


def test_it_asks_for_the_bars_of_a_whole_day_around_the_clock_i38() -> None:
    days = SessionTable(
        tuple(
            ExchangeSession(f"2026-01-0{day}", (day - 1) * DAY, day * DAY, early_close=False)
            for day in (1, 2)
        )
    )
    inside = [bar(number, 100.0, 100.0) for number in range(DAY // MINUTE_NS * 2 - 1)]
    bars = [*inside, bar(len(inside), 101.0, 101.0)]

    signals = after_a_restart(make({}), bars, days, len(inside))

    assert signals == [ENTER]


@given(
    cents=st.lists(st.integers(9_970, 10_030), min_size=20, max_size=20),
    minutes=st.integers(1, 12),
    buffer_pct=st.sampled_from([0.0, 0.05]),
)
def test_it_breaks_out_where_the_definition_does(
    cents: list[int], minutes: int, buffer_pct: float
) -> None:
    bars = [bar(100 + number, each / 100, each / 100) for number, each in enumerate(cents)]

    signals = signals_of(bars, range_minutes=minutes, buffer_pct=buffer_pct)

    assert signals == signals_by_definition(bars, SESSIONS, minutes, buffer_pct)


def test_the_defaults_on_real_bars_of_aapl() -> None:
    bars = real_bars(AAPL)
    sessions = real_sessions(AAPL, bars)

    signals = numbered(played(make({}), bars, sessions))

    assert signals == signals_by_definition(bars, sessions, 15, 0.0)
    assert [signal for _, signal in signals].count(ENTER) == 5
    number, signal = signals[0]
    assert (signal, bars[number].start_at) == (EXIT, utc_ns("2016-04-15T13:45:00Z"))


def test_extended_hours_make_no_difference_on_real_bars() -> None:
    bars = real_bars(SPY_WITH_EXTENDED_HOURS)
    sessions = real_sessions(SPY_WITH_EXTENDED_HOURS, bars)
    regular = [each for each in bars if sessions.at(each.start_at) is not None]

    signals = numbered(played(make({}), bars, sessions))

    assert len(regular) < len(bars)
    assert [(bars[number], signal) for number, signal in signals] == [
        (regular[number], signal)
        for number, signal in numbered(played(make({}), regular, sessions))
    ]
    assert signals != []


@pytest.mark.parametrize(
    "given",
    [
        {"range_minutes": 0},
        {"range_minutes": 241},
        {"range_minutes": 15.5},
        {"range_minutes": "15"},
        {"buffer_pct": -0.1},
        {"buffer_pct": 11},
        {"buffer_pct": float("nan")},
    ],
)
def test_parameters_out_of_range_are_refused_in_one_line(given: dict[str, object]) -> None:
    (name,) = given

    with pytest.raises(BadParameters, match=rf"^opening_range_breakout: parameter {name} is .+$"):
        make(given)
