"""What the account is exposed to at the venue, by nobody's word but the venue's."""

from decimal import Decimal

import pytest

from hydra.actor import MINUTE
from hydra.proving.exposures import excesses, worst_exposure
from hydra.trading.orders import Order, OrderType, Side, TimeInForce
from hydra.venues.simulated.matching import MatchingEngine
from tests.engine.harness import OPEN_AT, bars_of

CALL = "HYDR160617C00100000"


def purchase(symbol: str) -> Order:
    return Order(
        client_order_id="a",
        symbol=symbol,
        side=Side.BUY,
        quantity=Decimal(3),
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        limit_price=Decimal("2.00"),
    )


def venue_with_open_purchase(symbol: str) -> MatchingEngine:
    venue = MatchingEngine()
    for bar in bars_of([2.0], symbol=symbol):
        venue.on_bar(bar)
    venue.submit(purchase(symbol), OPEN_AT + MINUTE)
    return venue


@pytest.mark.parametrize(("symbol", "worth"), [("HYDR", 6), (CALL, 600)])
def test_a_contract_counts_a_hundred_shares_while_open_and_when_held_i31(
    symbol: str, worth: int
) -> None:
    venue = venue_with_open_purchase(symbol)
    while_open = worst_exposure(venue, symbol)
    for bar in bars_of([2.0, 2.0], symbol=symbol)[1:]:
        venue.on_bar(bar)

    assert venue.account.position(symbol) == 3
    assert while_open == worst_exposure(venue, symbol) == worth


def test_more_contracts_on_order_than_may_be_held_are_an_excess_i31() -> None:
    venue = venue_with_open_purchase(CALL)

    assert list(excesses(venue, (CALL,), Decimal(600), ())) == []
    assert list(excesses(venue, (CALL,), Decimal(500), ())) == [
        (CALL, f"exposure in {CALL} is 600.00, of 500 allowed")
    ]
