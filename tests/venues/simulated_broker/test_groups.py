"""Brackets, OCOs and OTOs: what the life of one order means for the others."""

from decimal import Decimal

import pytest
from msgspec import structs

from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.acts import RejectLate, RejectReplacements
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.requests import (
    CancelOrder,
    PlaceOrder,
    ReplaceOrder,
    StopLoss,
    TakeProfit,
)
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.brokerage.words import (
    OrderClass,
    OrderType,
    PositionIntent,
    Status,
    TimeInForce,
)
from tests.venues.simulated_broker.stage import CLOSE, MINUTE, Stage, order

BUY, SELL = Side.BUY, Side.SELL
LIVE = ["pending_new", "new"]


def bracket(
    side: Side = BUY,
    *,
    limit: str | None = None,
    target: str = "103",
    stop: str = "98",
    stop_limit: str | None = None,
    quantity: str = "10",
    tif: TimeInForce = TimeInForce.GTC,
) -> PlaceOrder:
    return structs.replace(
        order(side, quantity, limit=limit, tif=tif),
        order_class=OrderClass.BRACKET,
        take_profit=TakeProfit(Decimal(target)),
        stop_loss=StopLoss(Decimal(stop), None if stop_limit is None else Decimal(stop_limit)),
    )


def children(stage: Stage, parent: BrokerOrder) -> tuple[BrokerOrder, BrokerOrder]:
    target, stop = (stage.broker.order(leg) for leg in stage.now_of(parent).legs)
    assert target is not None and stop is not None
    return target, stop


def statuses(stage: Stage, parent: BrokerOrder) -> list[Status]:
    return [stage.now_of(parent).status, *(o.status for o in children(stage, parent))]


def entered(stage: Stage, **changes: str) -> BrokerOrder:
    """A bracket whose parent is filled at 100; the bar is over."""
    stage.into(100.0)
    parent = stage.place(bracket(**changes))  # type: ignore[arg-type]
    stage.end(stage.market.last_bar("HYDR"))
    return parent


def test_the_children_are_held_until_the_parent_is_filled() -> None:
    stage = Stage()
    stage.into(100.0)

    parent = stage.place(bracket(limit="99"))

    target, stop = children(stage, parent)
    assert statuses(stage, parent) == [Status.NEW, Status.HELD, Status.HELD]
    assert (target.order_type, target.limit_price, target.side) == (
        OrderType.LIMIT,
        Decimal(103),
        SELL,
    )
    assert (stop.order_type, stop.stop_price, stop.position_intent) == (
        OrderType.STOP,
        Decimal(98),
        PositionIntent.SELL_TO_CLOSE,
    )
    assert {target.parent, stop.parent} == {parent.id}
    assert stage.story(target) == stage.story(stop) == []


def test_the_parents_fill_brings_the_target_to_life_and_the_stop_stays_held() -> None:
    stage = Stage()

    parent = entered(stage)

    target, stop = children(stage, parent)
    assert statuses(stage, parent) == [Status.FILLED, Status.NEW, Status.HELD]
    assert stage.story(parent) == [*LIVE, "fill 10 at 100.00"]
    assert stage.story(target) == ["new"]
    assert stage.story(stop) == ["held"]


def test_the_targets_fill_cancels_the_stop() -> None:
    stage = Stage()
    parent = entered(stage)

    stage.bar(101.0, 103.5, 101.0, 103.0)

    target, stop = children(stage, parent)
    assert stage.story(target) == ["new", "fill 10 at 103.00"]
    assert stage.story(stop) == ["held", "canceled"]
    assert stage.held() == "0"


def test_a_triggered_stop_takes_the_target_out_before_it_trades() -> None:
    stage = Stage()
    parent = entered(stage)

    stage.bar(100.0, 100.0, 97.0, 97.5)

    target, stop = children(stage, parent)
    told = [(u.order.id, u.event.value) for u in stage.told[-3:]]
    assert told == [(target.id, "canceled"), (stop.id, "new"), (stop.id, "fill")]
    assert stage.held() == "0"


def test_a_bar_that_reaches_both_reaches_the_stop() -> None:
    stage = Stage()
    parent = entered(stage)

    stage.bar(100.0, 104.0, 97.0, 103.0)

    assert statuses(stage, parent) == [Status.FILLED, Status.CANCELED, Status.FILLED]
    assert stage.held() == "0"


def test_a_stop_limit_child_that_is_triggered_beyond_its_limit_goes_on_as_a_limit() -> None:
    stage = Stage()
    parent = entered(stage, stop_limit="97.90")

    stage.bar(97.0, 97.5, 96.0, 97.0)
    triggered = statuses(stage, parent)
    stage.bar(97.0, 98.0, 96.5, 97.5)

    assert triggered == [Status.FILLED, Status.CANCELED, Status.NEW]
    _, stop = children(stage, parent)
    assert stage.story(stop) == ["held", "new", "fill 10 at 97.90"]


def test_a_half_filled_parent_is_not_protected() -> None:
    stage = Stage(BrokerageTerms(max_participation=Decimal("0.005")))
    stage.into(100.0, volume=1000.0)

    parent = stage.place(bracket())
    stage.end(stage.market.last_bar("HYDR"))
    half = statuses(stage, parent)
    stage.bar(100.0, volume=1000.0)

    assert half == [Status.PARTIALLY_FILLED, Status.HELD, Status.HELD]
    assert statuses(stage, parent) == [Status.FILLED, Status.NEW, Status.HELD]


def test_a_part_of_the_target_leaves_the_stop_with_the_rest() -> None:
    stage = Stage()
    parent = entered(stage)
    limited = Stage(BrokerageTerms(max_participation=Decimal("0.005")))
    limited.into(100.0, volume=10_000.0)
    parent = limited.place(bracket())
    limited.end(limited.market.last_bar("HYDR"))

    limited.bar(101.0, 103.5, 101.0, 103.0, volume=1000.0)
    target, stop = children(limited, parent)
    limited.bar(97.0, volume=10_000.0)

    assert (target.filled_quantity, stop.quantity) == (Decimal(5), Decimal(5))
    assert limited.story(stop) == ["held", "new", "fill 5 at 97.00"]
    assert limited.story(target) == ["new", "partial_fill 5 at 103.00", "canceled"]
    assert limited.held() == "0"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_canceling_one_before_the_entry_cancels_all(place: int) -> None:
    stage = Stage()
    stage.into(100.0)
    parent = stage.place(bracket(limit="99"))
    member = (parent, *children(stage, parent))[place]

    stage.cancel(member)

    assert statuses(stage, parent) == [Status.CANCELED] * 3


@pytest.mark.parametrize("place", [0, 1])
def test_canceling_one_exit_cancels_the_other(place: int) -> None:
    stage = Stage()
    parent = entered(stage)

    stage.cancel(children(stage, parent)[place])

    assert statuses(stage, parent) == [Status.FILLED, Status.CANCELED, Status.CANCELED]
    assert stage.held() == "10"


def test_a_rejected_parent_takes_its_children_with_it() -> None:
    stage = Stage()
    stage.act(RejectLate(reason="asset halted"))
    stage.into(100.0)

    parent = stage.place(bracket())

    assert statuses(stage, parent) == [Status.REJECTED, Status.CANCELED, Status.CANCELED]


def test_a_day_bracket_expires_whole_at_the_close() -> None:
    stage = Stage()
    stage.into(100.0)
    parent = stage.place(bracket(limit="99", tif=TimeInForce.DAY))

    stage.come_to(CLOSE)

    assert statuses(stage, parent) == [Status.EXPIRED] * 3


def test_a_short_bracket_is_bought_back_at_its_target() -> None:
    stage = Stage()
    stage.into(100.0)
    parent = stage.place(bracket(SELL, target="97", stop="102"))
    stage.end(stage.market.last_bar("HYDR"))
    short = stage.held()

    stage.bar(99.0, 99.0, 96.5, 97.5)

    assert short == "-10"
    assert statuses(stage, parent) == [Status.FILLED, Status.FILLED, Status.CANCELED]
    assert stage.held() == "0"


def test_a_held_stop_can_be_moved_and_watches_the_new_price() -> None:
    stage = Stage()
    parent = entered(stage)
    _, old = children(stage, parent)

    new = stage.ask(ReplaceOrder(order_id=old.id, stop_price=Decimal("99.50")))
    assert isinstance(new, BrokerOrder)
    moved = statuses(stage, parent)
    stage.bar(100.0, 100.0, 99.4, 99.6)

    assert (new.status, new.parent) == (Status.HELD, parent.id)
    assert moved == [Status.FILLED, Status.NEW, Status.HELD]
    assert stage.story(old) == ["held", "pending_replace", "replaced"]
    assert stage.story(new) == ["new", "fill 10 at 99.50"]
    assert statuses(stage, parent) == [Status.FILLED, Status.CANCELED, Status.FILLED]


@pytest.mark.parametrize("place", [0, 1])
def test_a_rejected_replacement_leaves_the_group_as_it_was(place: int) -> None:
    stage = Stage()
    parent = entered(stage)
    old = children(stage, parent)[place]
    stage.act(RejectReplacements())

    price = Decimal(102) if place == 0 else None
    stop = None if place == 0 else Decimal(97)
    new = stage.ask(ReplaceOrder(order_id=old.id, limit_price=price, stop_price=stop))

    assert isinstance(new, BrokerOrder)
    assert stage.now_of(new).status is Status.REJECTED
    assert statuses(stage, parent) == [Status.FILLED, Status.NEW, Status.HELD]
    assert old.id in stage.now_of(parent).legs


def test_moving_the_stop_of_a_waiting_bracket_ties_up_nothing_more() -> None:
    stage = Stage()
    stage.into(100.0)
    parent = stage.place(bracket(limit="99"))
    before = stage.broker.account().buying_power
    _, old = children(stage, parent)

    new = stage.ask(ReplaceOrder(order_id=old.id, stop_price=Decimal(97)))

    assert isinstance(new, BrokerOrder)
    assert statuses(stage, parent) == [Status.NEW, Status.HELD, Status.HELD]
    assert stage.story(old) == ["pending_replace", "replaced"]
    assert stage.broker.account().buying_power == before


def test_the_price_of_a_waiting_parent_can_be_changed_and_its_children_follow_it() -> None:
    stage = Stage()
    stage.into(100.0)
    old = stage.place(bracket(limit="99"))

    new = stage.ask(ReplaceOrder(order_id=old.id, limit_price=Decimal("100.50")))

    assert isinstance(new, BrokerOrder)
    target, stop = children(stage, new)
    assert (target.parent, stop.parent) == (new.id, new.id)
    assert statuses(stage, new) == [Status.FILLED, Status.NEW, Status.HELD]
    assert stage.story(old) == [*LIVE, "pending_replace", "replaced"]


def oco(stage: Stage, *, target: str = "103", stop: str = "98") -> BrokerOrder:
    stage.into(100.0)
    stage.place(order())
    pair = stage.place(
        structs.replace(
            order(SELL, tif=TimeInForce.GTC),
            order_type=OrderType.LIMIT,
            order_class=OrderClass.OCO,
            take_profit=TakeProfit(Decimal(target)),
            stop_loss=StopLoss(Decimal(stop)),
        )
    )
    stage.end(stage.market.last_bar("HYDR"))
    return pair


def test_an_oco_is_a_target_with_a_held_stop() -> None:
    stage = Stage()

    target = oco(stage)

    (stop_id,) = target.legs
    stop = stage.broker.order(stop_id)
    assert stop is not None
    assert (stage.now_of(target).status, stop.status) == (Status.NEW, Status.HELD)
    assert (target.limit_price, target.side, stop.side) == (Decimal(103), SELL, SELL)
    position = stage.broker.position("HYDR")
    assert position is not None and position.quantity_available == 0


@pytest.mark.parametrize(
    ("bar", "target_told", "stop_told"),
    [
        ((100.0, 104.0, 100.0, 103.5), "fill 10 at 103.00", "canceled"),
        ((100.0, 100.0, 97.0, 97.5), "canceled", "fill 10 at 98.00"),
        ((96.0, 97.0, 95.0, 96.0), "canceled", "fill 10 at 96.00"),
    ],
)
def test_one_exit_of_an_oco_cancels_the_other(
    bar: tuple[float, float, float, float], target_told: str, stop_told: str
) -> None:
    stage = Stage()
    target = oco(stage)
    stop = stage.broker.order(target.legs[0])
    assert stop is not None

    stage.bar(*bar)

    assert stage.story(target)[-1] == target_told
    assert stage.story(stop)[-1] == stop_told
    assert stage.held() == "0"


def test_the_target_of_an_oco_can_be_moved_while_its_stop_goes_on_watching() -> None:
    stage = Stage()
    old = oco(stage)
    stop = stage.broker.order(old.legs[0])
    assert stop is not None

    new = stage.ask(ReplaceOrder(order_id=old.id, limit_price=Decimal(105)))
    assert isinstance(new, BrokerOrder)
    stage.bar(100.0, 100.0, 97.0, 97.5)

    assert stage.story(stop) == ["held", "new", "fill 10 at 98.00"]
    assert stage.story(new) == ["new", "canceled"]


def test_a_held_stop_watches_from_the_moment_the_oco_is_taken() -> None:
    stage = Stage()
    stage.bar(100.0)
    stage.place(order())
    stage.bar(97.0)

    pair = oco(stage, target="120", stop="110")

    assert stage.now_of(pair).status is Status.CANCELED
    assert stage.held() == "10"  # of the twenty: the stop was through at once


@pytest.mark.parametrize("exit_by", ["target", "stop"])
def test_an_oto_waits_for_its_entry_and_then_works_by_itself(exit_by: str) -> None:
    stage = Stage()
    stage.into(100.0)
    parent = stage.place(
        structs.replace(
            order(tif=TimeInForce.GTC),
            order_class=OrderClass.OTO,
            take_profit=TakeProfit(Decimal(103)) if exit_by == "target" else None,
            stop_loss=StopLoss(Decimal(98)) if exit_by == "stop" else None,
        )
    )
    (child_id,) = parent.legs
    child = stage.broker.order(child_id)
    assert child is not None and child.status is Status.NEW
    stage.end(stage.market.last_bar("HYDR"))

    stage.bar(100.0, 103.0, 97.9, 100.0)

    price = "103.00" if exit_by == "target" else "98.00"
    assert stage.story(child) == ["new", f"fill 10 at {price}"]


def test_an_oto_cannot_be_replaced_and_its_child_neither() -> None:
    stage = Stage()
    stage.into(100.0)
    parent = stage.place(
        structs.replace(
            order(limit="99", tif=TimeInForce.GTC),
            order_class=OrderClass.OTO,
            stop_loss=StopLoss(Decimal(97)),
        )
    )

    answers = [
        stage.refused(ReplaceOrder(order_id=order_id, limit_price=Decimal("98.50")))
        for order_id in (parent.id, *parent.legs)
    ]

    assert {answer.code for answer in answers} == {42210000}


def test_exits_that_come_to_life_inside_a_bar_see_what_follows_it() -> None:
    stage = Stage()
    stage.bar(100.0)
    parent = stage.place(bracket(limit="99.50", target="103", stop="98"))

    # The entry is touched inside; that the stop's price came later in the bar, nobody can say.
    stage.bar(100.0, 100.0, 97.0, 100.0)
    entered_only = statuses(stage, parent)
    stage.bar(97.5, 98.0, 97.0, 97.0)

    assert entered_only == [Status.FILLED, Status.NEW, Status.HELD]
    assert statuses(stage, parent) == [Status.FILLED, Status.CANCELED, Status.FILLED]
    assert stage.told[-1].price == Decimal("97.50")


def test_cancel_of_a_filled_exit_says_so() -> None:
    stage = Stage()
    parent = entered(stage)
    stage.bar(101.0, 103.5, 101.0, 103.0)
    target, _ = children(stage, parent)

    refusal = stage.refused(CancelOrder(target.id))

    assert (refusal.status, refusal.message) == (422, 'order is already in "filled" state')
    stage.come_to(stage.now + MINUTE)
