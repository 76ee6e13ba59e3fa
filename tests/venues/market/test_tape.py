"""What the market shows at an instant."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.trading.bars import Bar
from hydra.venues.simulated.brokerage.market_view import MarketView
from hydra.venues.simulated.brokerage.quotes import Quote
from hydra.venues.simulated.fill_model import as_written
from hydra.venues.simulated.market.events import QuoteChanged
from hydra.venues.simulated.market.tape import MarketTerms, Tape, open_tape
from hydra.venues.simulated.market_data import generated
from tests.venues.market.markets import (
    BTC,
    HOUR,
    MINUTE,
    MONDAY_OPEN,
    SECOND,
    bar,
    drawn_markets,
    minutes,
    real,
    tape,
)

TIMES = st.integers(-2 * MINUTE, 26 * HOUR).map(lambda after: MONDAY_OPEN + after)


@settings(max_examples=30)
@given(drawn_markets(), st.lists(TIMES, min_size=1, max_size=10))
def test_a_quote_is_that_of_the_newest_event_and_never_of_a_later_one(
    bars: tuple[Bar, ...], times: list[int]
) -> None:
    shown = tape(bars)
    quotes = [event for event in shown.events(0) if isinstance(event, QuoteChanged)]

    for at in times:
        for symbol in ("AAPL", "BTC/USD", "SPY"):
            seen = [quote for quote in quotes if quote.symbol == symbol and quote.at <= at]
            newest = seen[-1] if seen else None
            quote = shown.quote(symbol, at)

            assert shown.history.latest_quote(symbol, at) == newest
            assert (quote is None) == (newest is None)
            if quote is not None and newest is not None:
                assert float(quote.bid) == newest.bid
                assert float(quote.ask) == newest.ask
                assert (float(quote.bid_size), quote.at) == (newest.bid_size, newest.at)
                assert quote.bid < quote.last < quote.ask


@settings(max_examples=30)
@given(drawn_markets(), TIMES)
def test_a_symbol_trades_while_a_bar_of_it_is_in_progress_and_at_no_other_time(
    bars: tuple[Bar, ...], at: int
) -> None:
    shown = tape(bars)

    for symbol in ("AAPL", "BTC/USD", "SPY"):
        in_progress = any(
            each.symbol == symbol and each.start_at <= at < each.end_at for each in bars
        )
        assert shown.is_trading(symbol, at) == in_progress


def test_a_bar_is_in_progress_from_its_first_instant_to_before_its_end() -> None:
    shown = tape(minutes("AAPL", 10.0))

    trading = {
        after: shown.is_trading("AAPL", MONDAY_OPEN + after)
        for after in (-1, 0, MINUTE - 1, MINUTE, MINUTE + 1)
    }

    assert [after for after, trades in trading.items() if trades] == [0, MINUTE - 1]


def test_a_quote_is_exact_and_bears_the_time_from_which_on_it_stands() -> None:
    falling = bar("AAPL", MONDAY_OPEN, 112.11, 112.2, 112.0, 112.085, volume=2_431_708.0)
    shown = tape([falling])

    first = Quote(
        "AAPL", Decimal("112.1"), Decimal("112.12"), Decimal(607_927), Decimal(607_927),
        Decimal("112.11"), MONDAY_OPEN,
    )  # fmt: skip
    last = Quote(
        "AAPL", Decimal("112.08"), Decimal("112.09"), Decimal(607_927), Decimal(607_927),
        Decimal("112.085"), MONDAY_OPEN + 45 * SECOND,
    )  # fmt: skip
    assert shown.quote("AAPL", MONDAY_OPEN - 1) is None
    assert shown.quote("AAPL", MONDAY_OPEN + 14 * SECOND) == first
    assert shown.quote("AAPL", MONDAY_OPEN + 59 * SECOND) == last
    assert shown.quote("AAPL", MONDAY_OPEN + 100 * HOUR) == last
    assert shown.quote("AAPL", MONDAY_OPEN) == first


def test_what_is_not_of_this_market_has_no_quote_does_not_trade_and_is_no_asset() -> None:
    shown = tape(minutes("AAPL", 10.0))

    assert shown.quote("MSFT", MONDAY_OPEN) is None
    assert not shown.is_trading("MSFT", MONDAY_OPEN)
    assert shown.asset("MSFT") is None
    assert shown.contract("MSFT260116C00010000") is None


def test_the_spread_is_as_wide_as_the_terms_say() -> None:
    shown = tape(minutes("AAPL", 100.0), MarketTerms(spread_bps=Decimal(10)))

    quote = shown.quote("AAPL", MONDAY_OPEN)

    assert quote is not None
    assert (quote.bid, quote.last, quote.ask) == (
        Decimal("99.94"),
        Decimal("100.0"),
        Decimal("100.06"),
    )


@pytest.mark.parametrize("spread_bps", ["-1", "10000", "NaN"])
def test_a_spread_that_is_none_is_refused(spread_bps: str) -> None:
    with pytest.raises(ValueError, match="wanted at least 0 and under 10000"):
        MarketTerms(spread_bps=Decimal(spread_bps))


def test_the_calendar_reaches_beyond_the_data_for_options_and_the_next_open(
    calendar_cache: Path,
) -> None:
    shown = open_tape(generated(("AAPL",), 1, calendar_cache), MarketTerms(), calendar_cache)

    assert shown.sessions.next_after(shown.ends_at) is not None
    assert shown.sessions.of_date("2027-01-15") is not None
    assert shown.begins_at == MONDAY_OPEN


def test_the_tape_is_what_the_brokerage_knows_of_the_market() -> None:
    shown: MarketView = tape(minutes("AAPL", 10.0))

    assert isinstance(shown, Tape)


def test_prices_of_a_real_coin_stand_between_its_quotes() -> None:
    shown = tape(real(BTC)[:600])

    for at in range(shown.begins_at, shown.begins_at + 10 * HOUR, 7 * MINUTE + 11 * SECOND):
        quote = shown.quote("BTC/USD", at)
        assert quote is not None
        assert quote.ask - quote.bid == as_written(0.02)
        assert quote.last == (quote.bid + quote.ask) / 2
