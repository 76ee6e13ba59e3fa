"""Taking orders out of the market, and putting others in their place."""

from decimal import Decimal

import pytest
from msgspec import structs

from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.acts import HoldCancels, ReleaseCancels
from hydra.venues.simulated.brokerage.answers import Closed
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.refusals import (
    Refusal,
    malformed,
    not_found,
    unprocessable,
)
from hydra.venues.simulated.brokerage.requests import (
    CancelAllOrders,
    CancelOrder,
    CloseAllPositions,
    ClosePosition,
    Leg,
    PlaceOrder,
    ReplaceOrder,
)
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.brokerage.words import (
    OrderClass,
    OrderType,
    PositionIntent,
    Status,
    TimeInForce,
)
from tests.venues.simulated_broker.stage import CALL_40, CALL_45, CLOSE, Stage, order

BUY, SELL = Side.BUY, Side.SELL
LIVE = ["pending_new", "new"]


@pytest.fixture
def stage() -> Stage:
    """In session, HYDR at 100, inside a long bar."""
    stage = Stage()
    stage.begin(100.0, minutes=60)
    return stage


def replaced(stage: Stage, old: BrokerOrder, **changes: object) -> BrokerOrder:
    new = stage.ask(ReplaceOrder(order_id=old.id, **changes))  # type: ignore[arg-type]
    assert isinstance(new, BrokerOrder), new
    return new


def test_a_cancel_is_asked_for_and_then_done(stage: Stage) -> None:
    placed = stage.place(order(limit="99"))

    stage.cancel(placed)

    assert stage.story(placed) == [*LIVE, "pending_cancel", "canceled"]
    after = stage.now_of(placed)
    assert (after.canceled_at, after.cancel_requested_at) == (stage.now, stage.now)


def test_a_queued_order_can_be_canceled_while_the_market_is_closed() -> None:
    stage = Stage(at=CLOSE)
    placed = stage.place(order())

    stage.cancel(placed)

    assert stage.story(placed) == ["accepted", "pending_cancel", "canceled"]


def test_a_canceled_order_may_be_canceled_again_and_no_other_that_is_over(stage: Stage) -> None:
    filled, canceled = stage.place(order()), stage.place(order(limit="99"))
    stage.cancel(canceled)
    stage.act(HoldCancels())
    stuck = stage.place(order(limit="98"))
    stage.cancel(stuck)

    answers = [
        stage.ask(CancelOrder(order_id))
        for order_id in (canceled.id, filled.id, stuck.id, "no-such-order")
    ]

    assert answers == [
        None,
        unprocessable('order is already in "filled" state'),
        unprocessable("order pending cancel"),
        not_found("order not found for no-such-order"),
    ]


def test_a_part_that_filled_stays_filled_when_the_rest_is_canceled() -> None:
    stage = Stage(BrokerageTerms(max_participation=Decimal("0.005")))
    stage.begin(100.0, volume=1000.0)
    placed = stage.place(order())

    stage.cancel(placed)

    assert stage.story(placed) == [
        *LIVE,
        "partial_fill 5 at 100.00",
        "pending_cancel",
        "canceled",
    ]
    after = stage.now_of(placed)
    assert (after.status, after.filled_quantity) == (Status.CANCELED, Decimal(5))


def test_cancel_all_has_a_row_for_each_open_order(stage: Stage) -> None:
    stage.place(order())
    first, second = stage.place(order(limit="99")), stage.place(order(limit="98"))
    stage.act(HoldCancels())
    stage.cancel(second)

    rows = stage.ask(CancelAllOrders())

    assert rows == (
        Closed(first.id, 200, structs.replace(_new(first), status=Status.PENDING_CANCEL)),
        Closed(second.id, 500, unprocessable("order pending cancel")),
    )
    assert stage.ask(CancelAllOrders()) == (
        Closed(second.id, 500, unprocessable("order pending cancel")),
    )
    stage.act(ReleaseCancels())
    assert stage.ask(CancelAllOrders()) == ()


def _new(placed: BrokerOrder) -> BrokerOrder:
    return structs.replace(placed, status=Status.NEW)


def test_a_replacement_is_a_new_order_with_a_new_id(stage: Stage) -> None:
    old = stage.place(order(limit="99"))

    new = replaced(stage, old, limit_price=Decimal("98.50"), quantity=Decimal(12))

    assert (new.replaces, new.limit_price, new.quantity) == (
        old.id,
        Decimal("98.50"),
        Decimal(12),
    )
    assert new.status is Status.PENDING_NEW
    assert new.client_order_id != old.client_order_id
    assert [(u.order.id, u.event.value) for u in stage.told[2:]] == [
        (old.id, "pending_replace"),
        (old.id, "replaced"),
        (new.id, "new"),
    ]
    gone = stage.now_of(old)
    assert (gone.status, gone.replaced_by) == (Status.REPLACED, new.id)
    assert gone.replaced_at == stage.now


def test_a_replacement_that_is_marketable_is_filled(stage: Stage) -> None:
    old = stage.place(order(limit="99"))

    new = replaced(stage, old, limit_price=Decimal("100.10"), client_order_id="mine")

    assert stage.story(new) == ["new", "fill 10 at 100.00"]
    assert stage.broker.order_by_client_id("mine") == stage.now_of(new)


def test_the_quantity_of_a_replacement_is_that_of_the_whole_chain() -> None:
    stage = Stage(BrokerageTerms(max_participation=Decimal("0.005")))
    stage.begin(100.0, volume=1000.0)
    old = stage.place(order(limit="100"))
    stage.end(stage.market.last_bar("HYDR"))

    new = replaced(stage, old, quantity=Decimal(12))
    too_little = stage.refused(ReplaceOrder(order_id=new.id, quantity=Decimal(0)))
    stage.bar(100.0, volume=10_000.0)

    assert stage.now_of(old).filled_quantity == 5
    assert new.quantity == 7
    assert stage.held() == "12"
    assert too_little.status == 422


def test_what_is_changed_to_less_than_has_filled_is_refused() -> None:
    stage = Stage(BrokerageTerms(max_participation=Decimal("0.005")))
    stage.begin(100.0, volume=1000.0)
    old = stage.place(order(limit="100"))

    refusal = stage.refused(ReplaceOrder(order_id=old.id, quantity=Decimal(5)))

    assert refusal == unprocessable("qty must be > filled_qty")


def test_refusals_of_a_replacement(stage: Stage) -> None:
    filled, resting = stage.place(order()), stage.place(order(limit="99"))
    stuck = stage.place(order(limit="98"))
    stage.act(HoldCancels())
    stage.cancel(stuck)
    by_value = stage.place(structs.replace(order(limit="97"), quantity=None, notional=Decimal(500)))
    fraction = stage.place(order(limit="97", quantity="0.5"))
    price = Decimal(96)

    def answer(order_id: str, limit_price: Decimal | None = price) -> Refusal:
        return stage.refused(ReplaceOrder(order_id=order_id, limit_price=limit_price))

    assert answer("none") == not_found("order not found for none")
    assert answer(filled.id) == unprocessable("unable to replace order, order is not open")
    assert answer(stuck.id) == unprocessable("cannot replace order in pending_cancel status")
    assert answer(resting.id, Decimal(99)) == unprocessable("order parameters are not changed")
    assert answer(by_value.id).status == 422
    assert answer(fraction.id).status == 422


def test_what_waits_for_the_open_cannot_be_replaced() -> None:
    stage = Stage(at=CLOSE)
    placed = stage.place(order(limit="99"))

    refusal = stage.refused(ReplaceOrder(order_id=placed.id, limit_price=Decimal(98)))

    assert refusal == malformed("unable to replace order, order isn't sent to exchange yet")


def test_the_trail_of_a_trailing_stop_can_be_changed_and_its_mark_stays(stage: Stage) -> None:
    stage.place(order())
    old = stage.place(
        structs.replace(order(SELL), order_type=OrderType.TRAILING_STOP, trail_price=Decimal(2))
    )
    stage.end(stage.market.last_bar("HYDR"))
    stage.bar(103.0, 104.0, 103.0, 103.0)

    new = replaced(stage, old, trail=Decimal(3))

    assert (new.trail_price, new.high_water_mark) == (Decimal(3), Decimal("104.0"))
    assert new.stop_price == Decimal("101.00")


def test_a_replacement_is_paid_for_like_a_new_order_without_the_old_one() -> None:
    stage = Stage(BrokerageTerms(multiplier=1, starting_cash=Decimal(1_000)))
    stage.begin(100.0)
    old = stage.place(order(limit="90"))

    new = replaced(stage, old, quantity=Decimal(11))
    refusal = stage.refused(ReplaceOrder(order_id=new.id, quantity=Decimal(12)))

    assert refusal.message == "insufficient buying power"
    assert stage.now_of(new).status is Status.NEW


def test_closing_a_position_is_a_market_order_of_the_brokers_own(stage: Stage) -> None:
    stage.place(order())

    closing = stage.ask(ClosePosition(asset="HYDR", percentage=Decimal(50)))

    assert isinstance(closing, BrokerOrder)
    assert (closing.side, closing.quantity, closing.order_type, closing.time_in_force) == (
        SELL,
        Decimal(5),
        OrderType.MARKET,
        TimeInForce.DAY,
    )
    assert closing.position_intent is PositionIntent.SELL_TO_CLOSE
    assert stage.held() == "5"
    assert isinstance(stage.ask(ClosePosition(asset=closing.asset_id)), BrokerOrder)
    assert stage.held() == "0"


def test_refusals_of_closing_a_position(stage: Stage) -> None:
    flat = stage.refused(ClosePosition(asset="HYDR"))
    stage.place(order())
    both = stage.refused(ClosePosition(asset="HYDR", quantity=Decimal(1), percentage=Decimal(1)))
    too_much = stage.refused(ClosePosition(asset="HYDR", percentage=Decimal("100.1")))
    resting = stage.place(order(SELL, limit="101"))
    held_for_orders = stage.refused(ClosePosition(asset="HYDR"))

    assert flat == not_found("position not found: HYDR")
    assert (both.status, too_much.status) == (422, 422)
    assert held_for_orders == Refusal(
        403,
        40310000,
        "insufficient qty available for order (requested: 10, available: 0)",
        {
            "available": "0",
            "existing_qty": "10",
            "held_for_orders": "10",
            "related_orders": [resting.id],
            "symbol": "HYDR",
        },
    )


def test_a_short_position_is_closed_by_buying(stage: Stage) -> None:
    stage.place(order(SELL))

    closing = stage.ask(ClosePosition(asset="HYDR"))

    assert isinstance(closing, BrokerOrder)
    assert closing.position_intent is PositionIntent.BUY_TO_CLOSE
    assert stage.held() == "0"


def test_closing_all_has_a_row_for_each_position(stage: Stage) -> None:
    stage.begin(20.0, symbol="NOVA", minutes=60)
    stage.place(order())
    stage.place(order(symbol="NOVA"))
    resting = stage.place(order(SELL, limit="101"))

    with_orders = stage.ask(CloseAllPositions())
    rows = stage.ask(CloseAllPositions(cancel_orders=True))

    assert isinstance(with_orders, tuple)
    assert [(row.name, row.status) for row in with_orders] == [("HYDR", 403), ("NOVA", 200)]
    assert isinstance(rows, tuple)
    assert [(row.name, row.status) for row in rows] == [("HYDR", 200)]
    assert stage.now_of(resting).status is Status.CANCELED
    assert stage.broker.positions() == ()


def test_the_legs_of_a_multi_leg_order_are_canceled_with_the_whole(stage: Stage) -> None:
    spread = stage.place(
        PlaceOrder(
            quantity=Decimal(1),
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.DAY,
            limit_price=Decimal("-0.50"),
            order_class=OrderClass.MLEG,
            legs=(
                Leg(CALL_40.symbol, Decimal(1), BUY),
                Leg(CALL_45.symbol, Decimal(1), SELL),
            ),
        )
    )

    by_leg = stage.refused(CancelOrder(spread.legs[0]))
    rows = stage.ask(CancelAllOrders())

    assert by_leg.status == 422
    assert isinstance(rows, tuple) and [row.name for row in rows] == [spread.id]
    assert {
        found.status
        for order_id in (spread.id, *spread.legs)
        if (found := stage.broker.order(order_id)) is not None
    } == {Status.CANCELED}
