from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.exact import add, multiply
from hydra.trading.exposure import Claim, Holding, outstanding
from hydra.trading.fees import ALPACA_FEES, NO_FEES, FeeSchedule
from hydra.trading.inventory import FifoInventory, Lot
from hydra.trading.loss_at_stop import (
    fees_most,
    holding_loss_at_stop,
    long_option_loss,
    order_loss_at_stop,
    units_of,
)
from hydra.trading.orders import Side

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
GAP, MARK = D("1.5"), D(100)
AT = 1_700_000_000_000_000_000
OPTION, SHARE, COIN = "SPY240719C00552000", "AAPL", "BTC/USD"

BUY_10 = Claim(
    side=BUY, quantity=D(10), opens=True, low=D(100), high=D(100), needs_mark=False, stop=D(98)
)
"""Ten at 100, given up at 98: with the gap 3 each."""


def of_order(
    symbol: str, claim: Claim = BUY_10, mark: Decimal | None = None, fees: FeeSchedule = ALPACA_FEES
) -> Decimal | None:
    return order_loss_at_stop(symbol, claim, mark, GAP, fees, AT)


def holding(symbol: str, side: Side, quantity: Decimal, price: Decimal, stop: Decimal) -> Holding:
    lot = Lot(side=side, quantity=quantity, price=price, opened_at=AT, execution_id="one")
    inventory = FifoInventory(symbol, (lot,))
    return Holding(inventory, inventory.position, (stop,))


def of_holding(symbol: str, held: Holding, mark: Decimal | None = MARK) -> Decimal | None:
    return holding_loss_at_stop(symbol, held, mark, GAP, ALPACA_FEES, AT)


def test_a_contract_is_worth_a_hundred_times_its_price() -> None:
    assert [units_of(symbol) for symbol in (SHARE, COIN, OPTION, "?")] == [1, 1, 100, None]


def test_fees_are_counted_at_the_most_of_one_execution() -> None:
    assert fees_most(SHARE, SELL, D(10), D(100), ALPACA_FEES, AT) == D("0.01") + D("0.1") + D(
        "0.01"
    )
    assert fees_most(OPTION, BUY, D(10), D(2), ALPACA_FEES, AT) == D("2.00") + D("0.20") + D("0.01")
    assert fees_most(COIN, SELL, D(10), D(100), ALPACA_FEES, AT) == D("2.5") + D("0.01")
    # A buyer pays in coins: a quarter of a percent, and a step more for rounding.
    assert fees_most(COIN, BUY, D(10), D(100), ALPACA_FEES, AT) == D("2.5") + D("1E-7")


def test_an_order_loses_its_way_to_the_stop_with_the_gap_and_fees_both_ways_i31() -> None:
    fees = {
        SHARE: D("0.12") * 2,
        OPTION: (D("2") + D("10") + D("0.01")) * 2,
        COIN: D("2.5") + D("1E-7") + D("2.51"),
    }

    for symbol, units in ((SHARE, 1), (OPTION, 100), (COIN, 1)):
        assert of_order(symbol) == add(D(30 * units), fees[symbol])


def test_what_cannot_be_valued_is_not_taken_for_nothing_i34() -> None:
    blind = structs.replace(BUY_10, low=None, high=None, needs_mark=True)

    assert of_order(SHARE, blind) is None
    assert of_order("?") is None
    assert of_holding("?", holding("?", BUY, D(1), D(100), D(98))) is None
    for mark in (None, D(0), D("NaN")):
        assert of_holding(SHARE, holding(SHARE, BUY, D(1), D(100), D(98)), mark) is None


def test_what_only_closes_loses_nothing_and_neither_does_nothing() -> None:
    assert of_order(SHARE, structs.replace(BUY_10, opens=False)) == 0
    assert of_holding(SHARE, Holding(FifoInventory(SHARE))) == 0


def test_a_holding_pays_for_its_closing_only() -> None:
    long, short = (
        holding(SHARE, BUY, D(10), D(100), D(98)),
        holding(SHARE, SELL, D(10), D(100), D(102)),
    )

    assert of_holding(SHARE, long) == add(D(30), D("0.12"))
    # Bought back at three times its price at the most.
    assert of_holding(SHARE, short) == add(D(30), D("0.30") + D("0.01") + D("0.01"))


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
    assert long_option_loss(D(premium), D(contracts), D(stop_loss), D(gap)) == D(loss)


@pytest.mark.parametrize("bad", [D(0), D(-1), D("NaN"), D("Infinity")])
def test_a_loss_is_not_worked_out_of_what_is_no_number_i34(bad: Decimal) -> None:
    for place in range(4):
        numbers = [D(2), D(1), D("0.4"), D(1)]
        numbers[place] = bad
        with pytest.raises(ValueError, match="wanted"):
            long_option_loss(*numbers)
    with pytest.raises(ValueError, match="wanted a decimal from 1"):
        long_option_loss(D(2), D(1), D("0.4"), D("0.99"))


PRICES = st.decimals("0.01", "1000", places=2)
FRACTIONS = st.decimals("0.01", "1", places=2)
COUNTS = st.integers(1, 100).map(Decimal)
GAPS = st.decimals("1", "5", places=1)


@given(PRICES, COUNTS, FRACTIONS, GAPS)
def test_of_a_long_option_the_two_ways_of_counting_agree(
    premium: Decimal, contracts: Decimal, fraction: Decimal, gap: Decimal
) -> None:
    """By the fraction of its premium, and as an order that is given up at a price."""
    stop = multiply(premium, 1 - fraction)
    claim = Claim(
        side=BUY,
        quantity=contracts,
        opens=True,
        low=premium,
        high=premium,
        needs_mark=False,
        stop=stop,
    )
    by_fraction = long_option_loss(premium, contracts, fraction, gap)
    as_an_order = order_loss_at_stop(OPTION, claim, None, gap, NO_FEES, AT)
    fees = [fees_most(OPTION, side, contracts, premium, NO_FEES, AT) for side in Side]

    assert as_an_order == add(by_fraction, add(*fees))
    assert 0 < by_fraction <= multiply(multiply(premium, contracts), D(100))


@given(
    st.sampled_from([SHARE, OPTION, COIN]),
    st.sampled_from(Side),
    COUNTS,
    PRICES,
    PRICES,
    st.none() | PRICES,
)
def test_with_units_and_fees_no_loss_is_less_than_without_i31(
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
    units = units_of(symbol)
    assert units is not None
    bare = multiply(outstanding([claim], mark, GAP).loss, units)
    whole = order_loss_at_stop(symbol, claim, mark, GAP, ALPACA_FEES, AT)

    assert whole is not None and whole > bare >= 0
