"""Changes of orders: what is refused without a document that shows it, and what is taken."""

from decimal import Decimal
from typing import Any

import pytest

from hydra.venues.simulated.brokerage.checks.replace import first_replace_refusal
from hydra.venues.simulated.brokerage.refusals import Refusal, forbidden, malformed, unprocessable
from hydra.venues.simulated.brokerage.requests import (
    ReplaceOrder,
)
from hydra.venues.simulated.brokerage.view import OrderView
from hydra.venues.simulated.brokerage.words import (
    OrderClass,
    OrderType,
    Status,
)
from tests.venues.simulated_broker.checks.situations import (
    SELL,
    STOCK,
    having,
    usd,
    view,
    working_order,
)


def changed(**old: Any) -> OrderView:
    return view(replaced=working_order(**old))


CHANGES: list[tuple[ReplaceOrder, OrderView, Refusal]] = [
    (
        ReplaceOrder(order_id="any", limit_price=usd("41.31")),
        changed(order_class=OrderClass.OTO),
        unprocessable("unable to replace order, oto orders stay as they are"),
    ),
    (
        ReplaceOrder(order_id="any", limit_price=usd("41.31")),
        changed(notional=usd("100")),
        unprocessable("unable to replace order, notional orders stay as they are"),
    ),
    (
        ReplaceOrder(order_id="any", quantity=usd("1.5")),
        changed(),
        unprocessable("unable to replace order, fractional orders stay as they are"),
    ),
    (
        ReplaceOrder(order_id="any", quantity=usd("5")),
        changed(order_class=OrderClass.BRACKET),
        unprocessable("unable to replace order, all orders of a group have the same qty"),
    ),
    (
        ReplaceOrder(order_id="any", stop_price=usd("40")),
        changed(),
        malformed("limit orders require no stop price"),
    ),
    (
        ReplaceOrder(order_id="any", trail=usd("1")),
        changed(),
        malformed("only trailing stop orders accept a trail"),
    ),
    (
        ReplaceOrder(order_id="any", quantity=Decimal("NaN")),
        changed(),
        malformed("qty must be a number, found NaN"),
    ),
    (
        ReplaceOrder(order_id="any", client_order_id="taken", limit_price=usd("41.31")),
        view(replaced=working_order(), client_order_id_used=True),
        malformed("client_order_id must be unique"),
    ),
    (
        ReplaceOrder(order_id="any", client_order_id="new"),
        changed(),
        unprocessable("order parameters are not changed"),
    ),
    (
        ReplaceOrder(order_id="any", quantity=usd("20")),
        view(having(STOCK, "12"), replaced=working_order(side=SELL)),
        forbidden(
            "insufficient qty available for order (requested: 20, available: 12)",
            available="12",
            existing_qty="12",
            held_for_orders="0",
            related_orders=[],
            symbol="HYDR",
        ),
    ),
]


@pytest.mark.parametrize(("change", "seen", "refusal"), CHANGES)
def test_a_change_is_refused_with_its_reason(
    change: ReplaceOrder, seen: OrderView, refusal: Refusal
) -> None:
    assert first_replace_refusal(change, seen) == refusal


def test_only_what_is_left_of_a_changed_order_must_be_available() -> None:
    half_sold = working_order(side=SELL, filled_quantity=usd("7"))
    seen = view(having(STOCK, "5"), replaced=half_sold)

    refusal = first_replace_refusal(ReplaceOrder(order_id="any", limit_price=usd("42")), seen)

    assert refusal is None


def test_the_stop_of_a_group_may_move_while_its_partner_holds_the_shares() -> None:
    stop = working_order(
        side=SELL, order_type=OrderType.STOP, limit_price=None, stop_price=usd("40"),
        order_class=OrderClass.BRACKET, parent="parent", status=Status.HELD,
    )  # fmt: skip
    target = working_order(id="target", side=SELL, order_class=OrderClass.BRACKET)

    refusal = first_replace_refusal(
        ReplaceOrder(order_id="any", stop_price=usd("40.50")),
        view(having(STOCK, "12", target), replaced=stop),
    )

    assert refusal is None


def test_a_trailing_stop_may_change_its_trail() -> None:
    trailing = working_order(
        order_type=OrderType.TRAILING_STOP, limit_price=None, stop_price=usd("41.90"),
        trail_percent=usd("1.5"),
    )  # fmt: skip

    refusal = first_replace_refusal(
        ReplaceOrder(order_id="any", trail=usd("2")), view(replaced=trailing)
    )

    assert refusal is None
