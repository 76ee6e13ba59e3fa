"""All symbols' bars merged into one stream of events."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.trading.bars import Bar
from hydra.venues.simulated.market.derived import quote_in, trade_in
from hydra.venues.simulated.market.events import (
    BarBegun,
    BarEnded,
    MarketEnded,
    QuoteChanged,
    SessionClosed,
    SessionOpened,
    TapeEvent,
    TradePrinted,
)
from hydra.venues.simulated.playback import market_events
from tests.venues.market.markets import (
    AAPL,
    BTC,
    HOUR,
    MINUTE,
    MONDAY_OPEN,
    SECOND,
    bar,
    drawn_markets,
    market,
    minutes,
    real,
    tape,
)

CLOSE = MONDAY_OPEN + 390 * MINUTE


def of_bar(whole: Bar) -> list[TapeEvent]:
    """What a bar brings by itself, in its order."""
    events: list[TapeEvent] = [BarBegun(whole.start_at, whole)]
    for quarter in range(4):
        events.append(quote_in(whole, quarter, 0.0))
        trade = trade_in(whole, quarter)
        if trade is not None:
            events.append(trade)
    return [*events, BarEnded(whole.end_at, whole)]


def test_a_bar_begins_is_quoted_and_traded_quarter_by_quarter_and_ends() -> None:
    (whole,) = minutes("AAPL", 10.0)

    events = list(tape([whole]).events(MONDAY_OPEN - 1))

    assert events == [
        SessionOpened(MONDAY_OPEN, "2026-01-05"),
        *of_bar(whole),
        SessionClosed(CLOSE),
        MarketEnded(CLOSE),
    ]


def test_at_one_instant_bars_end_before_sessions_close_and_open_and_others_begin() -> None:
    last = MONDAY_OPEN + 389 * MINUTE
    share, coin = bar("AAPL", last, 10.0), bar("BTC/USD", last, 90_000.0)
    coin_after = bar("BTC/USD", last + MINUTE, 90_000.0)

    events = list(tape([share, coin, coin_after]).events(CLOSE - 1))

    assert events[:5] == [
        BarEnded(CLOSE, share),
        BarEnded(CLOSE, coin),
        SessionClosed(CLOSE),
        BarBegun(CLOSE, coin_after),
        quote_in(coin_after, 0, 0.0),
    ]


def test_symbols_of_one_minute_come_in_the_order_of_the_data() -> None:
    spy, aapl = minutes("SPY", 10.0), minutes("AAPL", 20.0)

    events = list(tape([*spy, *aapl]).events(MONDAY_OPEN))

    quarter = MONDAY_OPEN + 15 * SECOND
    assert [event for event in events if event.at == quarter] == [
        quote_in(spy[0], 1, 0.0),
        trade_in(spy[0], 1),
        quote_in(aapl[0], 1, 0.0),
        trade_in(aapl[0], 1),
    ]


@settings(max_examples=30)
@given(drawn_markets())
def test_events_come_in_the_order_of_time_and_each_bar_brings_all_of_its_own(
    bars: tuple[Bar, ...],
) -> None:
    events = list(tape(bars).events(0))

    assert all(earlier.at <= later.at for earlier, later in pairwise(events))
    for whole in bars:
        assert [event for event in events if of_this(event, whole)] == of_bar(whole)
    of_bars = sum(len(of_bar(whole)) for whole in bars)
    others = (SessionOpened, SessionClosed, MarketEnded)
    assert sum(isinstance(event, others) for event in events) == len(events) - of_bars


def of_this(event: TapeEvent, whole: Bar) -> bool:
    match event:
        case BarBegun() | BarEnded():
            return event.bar is whole
        case QuoteChanged() | TradePrinted():
            return event.symbol == whole.symbol and whole.start_at <= event.at < whole.end_at
        case _:
            return False


@settings(max_examples=30)
@given(drawn_markets(), st.data())
def test_the_events_after_a_time_are_the_rest_of_all_events(
    bars: tuple[Bar, ...], data: st.DataObject
) -> None:
    shown = tape(bars)
    events = list(shown.events(0))
    times = sorted({event.at for event in events})
    after = data.draw(st.sampled_from(times)) + data.draw(st.sampled_from([-1, 0, 1]))

    assert list(shown.events(after)) == [event for event in events if event.at > after]


@settings(max_examples=30)
@given(drawn_markets())
def test_the_market_ends_when_it_ends_for_the_in_process_face(bars: tuple[Bar, ...]) -> None:
    data = market(bars)
    *_, (ends_at, _) = market_events(data.bars, data.sessions)
    shown = tape(bars)

    assert list(shown.events(0))[-1] == MarketEnded(ends_at)
    assert shown.ends_at == ends_at
    assert list(shown.events(ends_at)) == []


def test_bars_of_different_lengths_are_merged_by_their_times() -> None:
    long = bar("BTC/USD", MONDAY_OPEN, 90_000.0, length=4 * MINUTE)
    short = minutes("AAPL", 10.0, 11.0, 12.0)

    events = list(tape([long, *short]).events(0))

    begun = [(event.at, event.bar.symbol) for event in events if isinstance(event, BarBegun)]
    assert begun == [
        (MONDAY_OPEN, "AAPL"),
        (MONDAY_OPEN, "BTC/USD"),
        (MONDAY_OPEN + MINUTE, "AAPL"),
        (MONDAY_OPEN + 2 * MINUTE, "AAPL"),
    ]
    ended = [(event.at, event.bar.symbol) for event in events if isinstance(event, BarEnded)]
    assert ended[-1] == (MONDAY_OPEN + 4 * MINUTE, "BTC/USD")
    assert all(earlier.at <= later.at for earlier, later in pairwise(events))


def test_days_without_bars_between_others_open_and_close_too() -> None:
    monday, wednesday = (
        minutes("AAPL", 10.0),
        minutes("AAPL", 9.0, start_at=MONDAY_OPEN + 48 * HOUR),
    )

    events = list(tape([*monday, *wednesday]).events(0))

    assert [event.date for event in events if isinstance(event, SessionOpened)] == [
        "2026-01-05",
        "2026-01-06",
        "2026-01-07",
    ]


@pytest.mark.parametrize(("file", "bars"), [(AAPL, 5_460), (BTC, 3_000)])
def test_a_real_market_is_shown_whole_and_twice_the_same(file: str, bars: int) -> None:
    shown = tape(real(file)[:bars])

    first = list(shown.events(0))

    assert sum(isinstance(event, BarEnded) for event in first) == bars
    assert sum(isinstance(event, QuoteChanged) for event in first) == 4 * bars
    assert first == list(tape(real(file)[:bars]).events(0))


@pytest.mark.slow
def test_fifty_symbols_are_shown_at_200_000_events_a_second_and_more() -> None:
    symbols = [f"S{number:02}" for number in range(50)]
    shown = tape(
        [bar(symbol, MONDAY_OPEN + n * MINUTE, 100.0) for n in range(20_000) for symbol in symbols]
    )

    began = time.perf_counter()
    events = sum(1 for _ in shown.events(0))

    assert events > 10_000_000
    assert events / (time.perf_counter() - began) >= 200_000
