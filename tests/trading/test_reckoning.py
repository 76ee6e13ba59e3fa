"""What is lost at the stop, with contract sizes and fees (SCOPE K11)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.exact import add, multiply
from hydra.trading.exposure import Claim, Holding, outstanding
from hydra.trading.fees import (
    ALPACA_FEES,
    NO_FEES,
    FeeMost,
    FeeRate,
    FeeSchedule,
    expected_fee,
    most_of,
    regulatory_most,
)
from hydra.trading.instruments import units_of, value_of
from hydra.trading.inventory import FifoInventory, Lot
from hydra.trading.orders import Fill, Side
from hydra.trading.reckoning import Reckoning, reckoning

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
GAP, MARK = D("1.5"), D(100)
AT = 1_700_000_000_000_000_000
OPTION, SHARE, COIN = "SPY240719C00552000", "AAPL", "BTC/USD"
CENTS_AND_STEPS = D("0.02")
"""More than is rounded up in one execution here."""

BUY_10 = Claim(
    side=BUY, quantity=D(10), opens=True, low=D(100), high=D(100), needs_mark=False, stop=D(98)
)
"""Ten at 100, given up at 98: with the gap 3 each."""
SELL_10 = structs.replace(BUY_10, side=SELL, stop=D(102))

PRICES = st.decimals("0.01", "1000", places=2)
COUNTS = st.integers(1, 100).map(Decimal)
GAPS = st.decimals("1", "5", places=1)


def by(symbol: str, gap: Decimal = GAP, fees: FeeSchedule = ALPACA_FEES) -> Reckoning:
    return reckoning(symbol, gap, fees)


def held(symbol: str, side: Side, stop: Decimal) -> Holding:
    lot = Lot(side=side, quantity=D(10), price=D(100), opened_at=AT, execution_id="one")
    inventory = FifoInventory(symbol, (lot,))
    return Holding(inventory, inventory.position, (stop,))


@pytest.mark.parametrize(
    ("symbol", "fees", "most"),
    [
        (SHARE, ALPACA_FEES, FeeMost(D("0.001"), D("0.0001"))),
        (OPTION, ALPACA_FEES, FeeMost(D("0.20"), D("0.0001"))),
        (COIN, ALPACA_FEES, FeeMost(D(0), D("0.0025"))),
        *((symbol, NO_FEES, FeeMost(D(0), D(0))) for symbol in (SHARE, OPTION, COIN)),
    ],
)
def test_fees_are_counted_at_the_most_that_the_schedule_allows(
    symbol: str, fees: FeeSchedule, most: FeeMost
) -> None:
    assert most_of(symbol, fees) == most


def test_of_dated_rates_the_dearest_counts_whatever_its_date() -> None:
    rates = tuple(FeeRate(since=n, coin_bps=D(bps)) for n, bps in enumerate((15, 40, 25)))

    assert most_of(COIN, FeeSchedule(rates)).share == D("0.0040")


@given(st.sampled_from([SHARE, OPTION, COIN]), st.sampled_from(Side), COUNTS, PRICES)
def test_no_execution_costs_more_but_for_its_rounding(
    symbol: str, side: Side, quantity: Decimal, price: Decimal
) -> None:
    fill = Fill(
        execution_id="x",
        client_order_id="o",
        symbol=symbol,
        side=side,
        quantity=quantity,
        price=price,
        at=AT,
    )
    most = most_of(symbol, ALPACA_FEES)
    counted = add(
        multiply(quantity, most.each), multiply(value_of(symbol, quantity, price), most.share)
    )
    fee = expected_fee(fill, "one", ALPACA_FEES)
    if fee is None:
        kept = regulatory_most([fill])
    else:
        kept = fee.most if fee.asset == "USD" else multiply(fee.most, price)

    assert counted <= kept <= add(counted, CENTS_AND_STEPS)


@pytest.mark.parametrize(
    ("symbol", "way", "fees"),
    [
        (SHARE, 30, (D("0.01") + D("0.10")) * 2),
        (OPTION, 3_000, (D("2.00") + D("10.00")) * 2),
        (COIN, 30, D("2.50") * 2),
    ],
)
def test_an_order_loses_its_way_to_the_stop_with_the_gap_and_fees_both_ways_i31(
    symbol: str, way: int, fees: Decimal
) -> None:
    found = outstanding([BUY_10], None, by(symbol))

    assert found.loss == add(D(way), fees)
    assert found.buys_value == 1_000 * units_of(symbol)


@pytest.mark.parametrize(
    ("symbol", "way", "fees"),
    [
        # Bought back at three times its price at the most.
        (SHARE, 30, D("0.01") * 2 + D("0.10") * 4),
        (OPTION, 3_000, D("2.00") * 2 + D("10.00") * 4),
    ],
)
def test_a_short_may_have_to_be_bought_back_dearly_i31(
    symbol: str, way: int, fees: Decimal
) -> None:
    assert outstanding([SELL_10], None, by(symbol)).loss == add(D(way), fees)


def test_a_holding_pays_for_its_closing_only() -> None:
    assert held(SHARE, BUY, D(98)).loss_at_stop(MARK, by(SHARE)) == D(30) + D("0.11")
    assert held(SHARE, SELL, D(102)).loss_at_stop(MARK, by(SHARE)) == D(30) + D("0.31")
    assert held(OPTION, BUY, D(98)).loss_at_stop(MARK, by(OPTION)) == D(3_000) + D("12.00")


@pytest.mark.parametrize("symbol", [SHARE, OPTION, COIN])
def test_what_only_closes_loses_nothing_and_pays_nothing(symbol: str) -> None:
    closing = structs.replace(BUY_10, opens=False)

    assert outstanding([closing], MARK, by(symbol)).loss == 0


@pytest.mark.parametrize(
    ("premium", "contracts", "stop_loss", "gap", "loss"),
    [
        ("2.00", "1", "0.40", "1", "80"),
        ("2.00", "3", "0.40", "1.5", "360"),
        ("2.00", "1", "0.80", "1.5", "200"),
        ("2.00", "1", "1", "1", "200"),
    ],
)
def test_a_long_option_loses_its_fraction_with_the_gap_and_the_premium_at_most(
    premium: str, contracts: str, stop_loss: str, gap: str, loss: str
) -> None:
    stop = multiply(D(premium), 1 - D(stop_loss))
    claim = structs.replace(
        BUY_10,
        quantity=D(contracts),
        low=D(premium),
        high=D(premium),
        stop=stop if stop > 0 else None,
    )

    assert outstanding([claim], None, by(OPTION, D(gap), NO_FEES)).loss == D(loss)


@given(PRICES, COUNTS, st.none() | PRICES, PRICES, GAPS)
def test_a_long_option_never_loses_more_than_its_premium_and_fees_i31(
    premium: Decimal, contracts: Decimal, stop: Decimal | None, mark: Decimal, gap: Decimal
) -> None:
    claim = structs.replace(BUY_10, quantity=contracts, low=premium, high=premium, stop=stop)
    dearest = value_of(OPTION, contracts, max(premium, mark))
    fees = add(multiply(D("0.40"), contracts), multiply(D("0.0002"), dearest))

    assert 0 < outstanding([claim], mark, by(OPTION, gap)).loss <= add(dearest, fees)


@given(
    st.sampled_from([SHARE, OPTION, COIN]),
    st.sampled_from(Side),
    COUNTS,
    PRICES,
    PRICES,
    st.none() | PRICES,
)
def test_with_fees_every_loss_is_more_than_without_i31(
    symbol: str,
    side: Side,
    quantity: Decimal,
    price: Decimal,
    mark: Decimal,
    stop: Decimal | None,
) -> None:
    claim = Claim(
        side=side, quantity=quantity, opens=True, low=price, high=price, needs_mark=False, stop=stop
    )
    bare = outstanding([claim], mark, by(symbol, GAP, NO_FEES))
    whole = outstanding([claim], mark, by(symbol))

    assert structs.replace(whole, loss=D(0)) == structs.replace(bare, loss=D(0))
    assert whole.loss > bare.loss >= 0
