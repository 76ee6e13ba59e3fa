"""The in-process venue keeps of coins what the brokerage keeps, if it is told to."""

from decimal import Decimal

import pytest

from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.trading.fees import ALPACA_FEES, NO_FEES, USD
from hydra.trading.orders import Order, OrderType, Side, TimeInForce
from hydra.trading.venue_view import VenueFee, VenuePosition
from hydra.venues.simulated.brokerage.fees import crypto_fee
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.matching import MatchingEngine
from hydra.venues.simulated.terms import VenueTerms
from messages.orders import OrderRejected

BTC = "BTC/USD"
BOUGHT = Decimal("0.333333333")


def order(name: str, side: Side, quantity: Decimal, symbol: str = BTC) -> Order:
    return Order(
        client_order_id=name,
        symbol=symbol,
        side=side,
        quantity=quantity,
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.GTC,
    )


def bar(number: int, symbol: str = BTC) -> Bar:
    return Bar(symbol, number * MINUTE, (number + 1) * MINUTE, 100.0, 100.0, 100.0, 100.0, 1000.0)


def bought(bps: int) -> MatchingEngine:
    engine = MatchingEngine(VenueTerms(crypto_fee_bps=Decimal(bps)))
    engine.submit(order("buy", Side.BUY, BOUGHT), 0)
    engine.on_bar(bar(0))
    return engine


@pytest.mark.parametrize("bps", [0, 1, 15, 25, 9_999])
def test_a_purchase_leaves_what_the_brokerage_would(bps: int) -> None:
    terms = BrokerageTerms(crypto_taker_fee_bps=Decimal(bps))
    kept = crypto_fee(Side.BUY, BOUGHT, Decimal(100), makes=False, terms=terms).coins

    snapshot = bought(bps).snapshot(MINUTE, 0)

    assert snapshot.positions == (VenuePosition(symbol=BTC, quantity=BOUGHT - kept),)
    assert snapshot.account.cash == 100_000 - BOUGHT * 100


def test_a_sale_pays_in_usd_and_each_fee_is_an_activity() -> None:
    engine = bought(25)
    held = engine.account.position(BTC)
    engine.submit(order("sell", Side.SELL, held), MINUTE)
    engine.on_bar(bar(1))

    snapshot = engine.snapshot(2 * MINUTE, 0)

    taken = held * 100 * Decimal("0.0025")
    assert snapshot.positions == ()
    assert snapshot.account.cash == 100_000 - BOUGHT * 100 + held * 100 - taken
    assert [(each.asset, each.symbol, each.amount) for each in snapshot.fees] == [
        (BTC, BTC, BOUGHT - held),
        (USD, BTC, taken),
    ]
    assert len({each.activity_id for each in snapshot.fees}) == 2
    assert engine.snapshot(2 * MINUTE, 2 * MINUTE).fees == snapshot.fees[1:]


def test_what_was_kept_cannot_be_sold() -> None:
    (refused,) = bought(25).submit(order("sell", Side.SELL, BOUGHT), MINUTE)

    assert isinstance(refused, OrderRejected)
    assert refused.reason.startswith("insufficient balance for BTC")


def test_shares_cost_nothing() -> None:
    engine = MatchingEngine(VenueTerms(crypto_fee_bps=Decimal(25)))
    engine.submit(order("buy", Side.BUY, Decimal(3), "AAPL"), 0)
    engine.on_bar(bar(0, "AAPL"))

    snapshot = engine.snapshot(MINUTE, 0)

    assert (snapshot.fees, snapshot.account.cash) == ((), Decimal(99_700))


def test_one_that_keeps_nothing_says_so() -> None:
    engine = bought(0)
    fees: tuple[VenueFee, ...] = engine.snapshot(MINUTE, 0).fees

    assert (fees, engine.fees) == ((), NO_FEES)


def test_without_being_told_it_keeps_what_the_served_venue_and_the_broker_do_at_most() -> None:
    share = ALPACA_FEES.coin_share(MINUTE)

    assert MatchingEngine().fees.coin_share(MINUTE) == share
    assert BrokerageTerms().crypto_taker_fee_bps == share * 10_000


@pytest.mark.parametrize("bps", ["-1", "10000", "NaN"])
def test_a_fee_that_is_none_is_refused(bps: str) -> None:
    with pytest.raises((ValueError, ArithmeticError), match=r"crypto_fee_bps|NaN|Invalid"):
        VenueTerms(crypto_fee_bps=Decimal(bps))
