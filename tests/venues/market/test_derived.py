"""What is shown of a bar while it is in progress, and traded in it."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hydra.trading.bars import Bar
from hydra.trading.orders import Side
from hydra.venues.simulated.market.derived import (
    QUARTERS,
    path_of,
    prices_around,
    quarter_at,
    quarter_begins,
    quarters_of,
    quote_in,
    sizes_of,
    trade_in,
)
from hydra.venues.simulated.market.events import QuoteChanged, TradePrinted
from hydra.venues.simulated.symbols import price_step
from tests.venues.market.markets import (
    AAPL,
    BTC,
    MINUTE,
    MONDAY_OPEN,
    PRICES,
    SECOND,
    bar,
    drawn_bars,
    real,
)

ANY_BAR = st.one_of(drawn_bars("AAPL"), drawn_bars("BTC/USD"))


@pytest.mark.parametrize(
    ("prices", "path"),
    [
        ((10.0, 12.0, 9.0, 11.0), (10.0, 9.0, 12.0, 11.0)),
        ((11.0, 12.0, 9.0, 10.0), (11.0, 12.0, 9.0, 10.0)),
        ((10.0, 12.0, 9.0, 10.0), (10.0, 9.0, 12.0, 10.0)),
    ],
    ids=["it rises: the low first", "it falls: the high first", "it stands: the low first"],
)
def test_the_path_goes_from_the_open_over_both_extremes_to_the_close(
    prices: tuple[float, ...], path: tuple[float, ...]
) -> None:
    assert path_of(bar("AAPL", MONDAY_OPEN, *prices)) == path


@given(ANY_BAR)
def test_the_path_begins_at_the_open_ends_at_the_close_and_reaches_both_extremes(
    drawn: Bar,
) -> None:
    path = path_of(drawn)

    assert (path[0], path[3]) == (drawn.open, drawn.close)
    assert (min(path), max(path)) == (drawn.low, drawn.high)


def rebuilt(trades: list[TradePrinted], like: Bar) -> Bar:
    """A bar of trades, as anyone would make one."""
    volume = 0.0
    for trade in trades:
        volume += trade.size
    prices = [trade.price for trade in trades]
    return Bar(
        like.symbol, like.start_at, like.end_at,
        prices[0], max(prices), min(prices), prices[-1], volume,
    )  # fmt: skip


def trades_of(whole: Bar) -> list[TradePrinted]:
    found = [trade_in(whole, quarter) for quarter in QUARTERS]
    return [trade for trade in found if trade is not None]


@given(ANY_BAR)
def test_a_bar_of_the_derived_trades_is_the_bar_they_were_derived_from(drawn: Bar) -> None:
    trades = trades_of(drawn)

    if drawn.volume == 0.0:
        assert trades == []
    else:
        assert rebuilt(trades, drawn) == drawn


@pytest.mark.parametrize("file", [AAPL, BTC])
def test_real_bars_come_out_of_their_derived_trades_as_they_were(file: str) -> None:
    bars = [each for each in real(file)[::7] if each.volume]

    assert [rebuilt(trades_of(each), each) for each in bars] == bars


@given(drawn_bars("AAPL"))
def test_a_volume_of_whole_shares_is_traded_in_whole_shares_from_four_on(drawn: Bar) -> None:
    sizes = sizes_of(drawn)

    if drawn.volume.is_integer() and drawn.volume >= 4:
        assert all(size.is_integer() for size in sizes)
        assert max(sizes) - min(sizes) <= 1
    assert all(size >= 0 for size in sizes)


@pytest.mark.parametrize(
    ("symbol", "volume", "sizes"),
    [
        ("AAPL", 1000.0, (250.0, 250.0, 250.0, 250.0)),
        ("AAPL", 1003.0, (251.0, 251.0, 251.0, 250.0)),
        ("AAPL", 10.5, (3.0, 3.0, 2.0, 2.5)),
        ("AAPL", 2.0, (0.5, 0.5, 0.5, 0.5)),
        ("BTC/USD", 1003.0, (250.75, 250.75, 250.75, 250.75)),
        ("BTC/USD", 0.0, (0.0, 0.0, 0.0, 0.0)),
    ],
)
def test_a_volume_is_split_over_the_quarters(
    symbol: str, volume: float, sizes: tuple[float, ...]
) -> None:
    assert sizes_of(bar(symbol, MONDAY_OPEN, 10.0, volume=volume)) == sizes


@given(ANY_BAR, st.integers(0, MINUTE - 1))
def test_a_quarter_is_on_from_its_beginning_to_the_next_ones(drawn: Bar, after: int) -> None:
    at = drawn.start_at + after
    quarter = quarter_at(drawn, at)

    assert quarter_begins(drawn, quarter) <= at < quarter_begins(drawn, quarter + 1)


def test_the_last_quarter_stands_after_the_bar() -> None:
    whole = bar("AAPL", MONDAY_OPEN, 10.0)

    assert quarter_at(whole, whole.end_at + 24 * 60 * MINUTE) == 3


@given(ANY_BAR)
def test_the_quarters_are_the_bar_in_four_parts(drawn: Bar) -> None:
    parts = list(quarters_of(drawn))

    assert [part.start_at - drawn.start_at for part in parts] == [n * MINUTE // 4 for n in range(4)]
    assert parts[-1].end_at == drawn.end_at
    assert tuple(part.open for part in parts) == path_of(drawn)
    assert tuple(part.volume for part in parts) == sizes_of(drawn)


def test_a_trade_has_a_time_an_id_and_a_taker_who_moved_the_price() -> None:
    falling = bar("AAPL", MONDAY_OPEN, 11.0, 12.0, 9.0, 10.0, volume=8.0)

    assert [trade_in(falling, quarter) for quarter in QUARTERS] == [
        TradePrinted("AAPL", at := MONDAY_OPEN, 11.0, 2.0, at // SECOND, Side.SELL),
        TradePrinted("AAPL", at := at + 15 * SECOND, 12.0, 2.0, at // SECOND, Side.BUY),
        TradePrinted("AAPL", at := at + 15 * SECOND, 9.0, 2.0, at // SECOND, Side.SELL),
        TradePrinted("AAPL", at := at + 15 * SECOND, 10.0, 2.0, at // SECOND, Side.BUY),
    ]


@pytest.mark.parametrize(
    ("price", "spread_bps", "bid", "ask"),
    [
        (112.11, 0, 112.10, 112.12),
        (112.085, 0, 112.08, 112.09),
        (94.2001, 0, 94.20, 94.21),
        (1.0, 0, 0.99, 1.01),
        (0.9999, 0, 0.9998, 1.0),
        (0.00005, 0, 0.0, 0.0001),
        (100.0, 10, 99.94, 100.06),
        (100.0, 0.1, 99.99, 100.01),
        (42_283.58, 0, 42_283.57, 42_283.59),
        (1_000_000.01, 0, 1_000_000.0, 1_000_000.02),
    ],
)
def test_the_quote_is_the_nearest_prices_around_the_path_or_the_spread_if_that_is_wider(
    price: float, spread_bps: float, bid: float, ask: float
) -> None:
    assert prices_around(price, spread_bps / 10_000) == (bid, ask)


@given(PRICES, st.sampled_from([0.0, 0.0001, 0.01, 0.5]))
@example(0.8, 0.5)
@example(0.7999999999999999, 0.5)
def test_a_bid_is_always_under_the_price_an_ask_over_it_and_both_can_be_quoted(
    price: float, spread_share: float
) -> None:
    bid, ask = prices_around(price, spread_share)

    assert 0 <= bid < price < ask
    assert ask - bid >= price * spread_share
    for side in (Decimal(repr(bid)), Decimal(repr(ask))):
        assert side % price_step(side) == 0


@given(PRICES)
def test_a_price_that_can_be_quoted_is_one_step_from_bid_and_ask(price: float) -> None:
    bid, ask = prices_around(price, 0.0)

    step = price_step(Decimal(repr(price)))
    assert Decimal(repr(price)) - Decimal(repr(bid)) == step
    assert Decimal(repr(ask)) - Decimal(repr(price)) == step


def test_a_quote_shows_what_is_traded_but_at_least_a_lot_and_no_bid_has_no_size() -> None:
    busy = bar("AAPL", MONDAY_OPEN, 10.0, volume=4_000.0)
    quiet = bar("AAPL", MONDAY_OPEN, 10.0, volume=0.0)
    cheap = bar("PEPE/USD", MONDAY_OPEN, 0.00001, volume=0.0)

    assert quote_in(busy, 0, 0.0) == QuoteChanged("AAPL", MONDAY_OPEN, 9.99, 10.01, 1000.0, 1000.0)
    assert quote_in(quiet, 0, 0.0) == QuoteChanged("AAPL", MONDAY_OPEN, 9.99, 10.01, 100.0, 100.0)
    assert quote_in(cheap, 0, 0.0) == QuoteChanged("PEPE/USD", MONDAY_OPEN, 0.0, 0.0001, 0.0, 0.01)
