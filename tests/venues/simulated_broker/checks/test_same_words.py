"""The broker and the in-process venue refuse the same orders, for the same reasons."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.trading.orders import Order, OrderType, Side, TimeInForce
from hydra.venues.simulated import account_rules, order_rules
from hydra.venues.simulated.account_rules import AccountView
from hydra.venues.simulated.brokerage import words
from hydra.venues.simulated.brokerage.checks.place import first_refusal
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.view import AccountStanding
from hydra.venues.simulated.resting_orders import RestingOrder
from tests.venues.simulated_broker.checks.situations import (
    COIN,
    STOCK,
    figures,
    having,
    view,
    working_order,
)

PRICES = st.sampled_from([Decimal("41.27"), Decimal("41.28"), Decimal("41.273"), Decimal(0)])
MAYBE_PRICES = st.none() | PRICES
QUANTITIES = st.sampled_from(
    [Decimal(text) for text in ("1", "5", "12", "0.5", "0.123456789", "0", "-1", "0.1234567891")]
)


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """Orders in stocks and coins, right and wrong in all ways that both venues know."""
    symbol = draw(st.sampled_from(["HYDR", "BTC/USD"]))
    quantity = draw(QUANTITIES)
    if symbol == "BTC/USD":  # nine decimals, and under the most that an order may be worth
        quantity = (quantity / 10).quantize(Decimal("0.000000001"))
    return Order(
        client_order_id=draw(st.sampled_from(["a", "a" * 129])),
        symbol=symbol,
        side=draw(st.sampled_from(Side)),
        quantity=quantity,
        order_type=draw(st.sampled_from(OrderType)),
        time_in_force=draw(st.sampled_from(TimeInForce)),
        limit_price=draw(MAYBE_PRICES),
        stop_price=draw(MAYBE_PRICES),
    )


@st.composite
def resting(draw: st.DrawFn, symbol: str) -> RestingOrder:
    order_type = draw(st.sampled_from(OrderType))
    order = Order(
        client_order_id="resting",
        symbol=symbol,
        side=draw(st.sampled_from(Side)),
        quantity=draw(st.sampled_from([Decimal(1), Decimal(8)])),
        order_type=order_type,
        time_in_force=TimeInForce.GTC,
        limit_price=draw(PRICES) if order_type is OrderType.LIMIT else None,
        stop_price=draw(PRICES) if order_type is OrderType.STOP else None,
    )
    return RestingOrder(
        order=order,
        working=order,
        venue_order_id="any",
        accepted_at=0,
        known_until=0,
        filled=Decimal("0.5"),
    )


@settings(max_examples=200, deadline=None)
@given(
    st.data(),
    orders(),
    st.sampled_from(["-12", "0", "5", "12", "0.25"]),
    st.booleans(),
    st.sampled_from([False, False, False, True]),
)
def test_both_refuse_the_same_orders_in_the_same_words(
    data: st.DataObject, order: Order, position: str, shorts_allowed: bool, blocked: bool
) -> None:
    is_coin = order.symbol == "BTC/USD"
    position = position.replace("-", "") if is_coin else position
    working = data.draw(st.lists(resting(order.symbol), max_size=2))
    account = AccountView(
        blocked="blocked" if blocked else "",
        shorts_allowed=shorts_allowed,
        position=Decimal(position),
        last_price=COIN.quote.last if is_coin else STOCK.quote.last,  # type: ignore[union-attr]
        working=tuple(working),
        cash_left=Decimal(10**9),
    )
    seen = view(
        having(COIN if is_coin else STOCK, position, *(_as_kept(other) for other in working)),
        figures=figures(cash=str(10**9)),
        standing=AccountStanding(trading_blocked=blocked, shorting_enabled=shorts_allowed),
    )

    in_process = [check(order) for check in order_rules.CHECKS]
    if not any(in_process):
        in_process = [check(order, account) for check in account_rules.CHECKS]
    refusal = first_refusal(_as_asked(order), seen)

    reasons = {reason for reason in in_process if reason is not None}
    if refusal is None:
        assert reasons == set()
    else:
        assert refusal.message in reasons


def _as_asked(order: Order) -> PlaceOrder:
    return PlaceOrder(
        symbol=order.symbol,
        quantity=order.quantity,
        side=order.side,
        order_type=words.OrderType(order.order_type.value),
        time_in_force=words.TimeInForce(order.time_in_force.value),
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        client_order_id=order.client_order_id,
    )


def _as_kept(resting_order: RestingOrder) -> BrokerOrder:
    order = resting_order.order
    return working_order(
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        order_type=words.OrderType(order.order_type.value),
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        filled_quantity=resting_order.filled,
    )
