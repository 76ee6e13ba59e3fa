from decimal import Decimal

import pytest

from hydra.venues.simulated.brokerage.availability import Availability, availability, remaining
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.words import Status
from tests.venues.simulated_broker.checks.situations import BUY, SELL, usd, working_order

PRICE = usd("40")


@pytest.mark.parametrize(
    ("position", "working", "price", "found"),
    [
        ("12", (), PRICE, Availability(usd("12"), usd("0"), ())),
        (
            "12",
            (working_order(side=SELL, quantity=usd("10"), filled_quantity=usd("3")),),
            PRICE,
            Availability(usd("5"), usd("7"), (working_order().id,)),
        ),
        ("12", (working_order(side=BUY),), PRICE, Availability(usd("12"), usd("0"), ())),
        (
            "-12",
            (working_order(side=BUY, quantity=usd("5")),),
            PRICE,
            Availability(usd("7"), usd("5"), (working_order().id,)),
        ),
        # Nothing is held twice for a pair of exits.
        (
            "12",
            (working_order(side=SELL), working_order(id="stop", side=SELL, status=Status.HELD)),
            PRICE,
            Availability(usd("0"), usd("12"), (working_order().id,)),
        ),
        (
            "12",
            (working_order(side=SELL, quantity=None, notional=usd("100")),),
            PRICE,
            Availability(usd("9.5"), usd("2.5"), (working_order().id,)),
        ),
        # Without a price nobody knows what an order in money takes.
        (
            "12",
            (working_order(side=SELL, quantity=None, notional=usd("100")),),
            None,
            Availability(usd("0"), usd("12"), (working_order().id,)),
        ),
    ],
)
def test_open_orders_hold_what_they_are_to_close(
    position: str, working: tuple[BrokerOrder, ...], price: Decimal | None, found: Availability
) -> None:
    assert availability(Decimal(position), working, price) == found


def test_what_is_left_of_an_order_in_money_is_counted_in_money() -> None:
    order = working_order(quantity=None, notional=usd("100"), filled_value=usd("60"))

    assert remaining(order, PRICE) == Decimal(1)
