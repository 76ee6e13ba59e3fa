"""Options: orders in one contract and in several, exercise, assignment, expiry, and pin risk."""

from decimal import Decimal

import pytest
from msgspec import structs

from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.activities import FillActivity, OtherActivity
from hydra.venues.simulated.brokerage.acts import AssignOption
from hydra.venues.simulated.brokerage.answers import Exercised
from hydra.venues.simulated.brokerage.queries import ActivityQuery
from hydra.venues.simulated.brokerage.refusals import forbidden, not_found
from hydra.venues.simulated.brokerage.requests import (
    DoNotExercise,
    ExerciseOption,
    Leg,
    PlaceOrder,
)
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.brokerage.words import OrderClass, OrderType, Status, TimeInForce
from tests.venues.simulated_broker.stage import (
    CALL_40,
    CALL_45,
    CLOSE,
    HOUR,
    MINUTE,
    PUT_45,
    TUESDAY_OPEN,
    Stage,
    order,
)

BUY, SELL = Side.BUY, Side.SELL
LIVE = ["pending_new", "new"]
TUESDAY_CLOSE = TUESDAY_OPEN + 390 * MINUTE
NEXT_MORNING = TUESDAY_CLOSE + 14 * HOUR
"""Six o'clock in New York, the day after the expiration."""


@pytest.fixture
def stage() -> Stage:
    """In session, HYDR at 42, inside a long bar."""
    stage = Stage()
    stage.begin(42.0, minutes=60)
    return stage


def calls(
    side: Side = BUY, quantity: str = "2", *, limit: str | None = None, stop: str | None = None
) -> PlaceOrder:
    return order(side, quantity, symbol=CALL_40.symbol, limit=limit, stop=stop)


def spread(limit: str | None, first: Side = BUY, quantity: str = "2") -> PlaceOrder:
    return PlaceOrder(
        quantity=Decimal(quantity),
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        limit_price=None if limit is None else Decimal(limit),
        order_class=OrderClass.MLEG,
        legs=(
            Leg(CALL_40.symbol, Decimal(1), first),
            Leg(CALL_45.symbol, Decimal(1), first.opposite),
        ),
    )


def to_expiry(stage: Stage, price: float) -> None:
    """On to the morning after, with the stock at this price to the end."""
    stage.end(stage.market.last_bar("HYDR"))
    stage.come_to(TUESDAY_OPEN)
    stage.bar(price, minutes=390)
    stage.come_to(NEXT_MORNING)


def happened(stage: Stage) -> list[tuple[str, str | None, str | None, str]]:
    """Kind, symbol, quantity and money of each activity that is no execution."""
    return [
        (a.kind, a.symbol, None if a.quantity is None else f"{a.quantity:f}", f"{a.net_amount:f}")
        for a in stage.broker.activities(ActivityQuery(ascending=True))
        if isinstance(a, OtherActivity)
    ]


def test_options_are_bought_at_the_ask_and_sold_at_the_bid(stage: Stage) -> None:
    bought = stage.place(calls())
    sold = stage.place(calls(SELL, "1"))

    assert stage.story(bought) == [*LIVE, "fill 2 at 2.10"]
    assert stage.story(sold) == [*LIVE, "fill 1 at 2.00"]
    assert stage.broker.account().cash == 100_000 - 420 + 200


def test_a_limit_waits_until_the_quote_comes_to_it(stage: Stage) -> None:
    placed = stage.place(calls(limit="2"))
    waiting = stage.story(placed)
    stage.end(stage.market.last_bar("HYDR"))

    stage.market.option_quotes[CALL_40.symbol] = ("1.85", "1.95")
    stage.begin(41.5)

    assert waiting == LIVE
    assert stage.story(placed) == [*LIVE, "fill 2 at 1.95"]


def test_a_stop_is_triggered_by_the_quote_that_it_would_trade_at(stage: Stage) -> None:
    stage.place(calls())
    stop = stage.place(calls(SELL, stop="1.80"))
    stage.end(stage.market.last_bar("HYDR"))

    stage.market.option_quotes[CALL_40.symbol] = ("1.70", "1.80")
    stage.bar(41.0)

    assert stage.story(stop) == [*LIVE, "fill 2 at 1.70"]


def test_where_nobody_bids_nothing_is_sold(stage: Stage) -> None:
    stage.place(calls())
    stage.market.option_quotes[CALL_40.symbol] = ("0", "0.05")

    sale = stage.place(calls(SELL))

    assert stage.story(sale) == LIVE


def test_an_option_order_expires_at_the_close(stage: Stage) -> None:
    placed = stage.place(calls(limit="1"))

    stage.come_to(CLOSE)

    assert stage.story(placed) == [*LIVE, "expired"]


def test_a_spread_is_filled_net_with_all_legs_in_proportion(stage: Stage) -> None:
    stage.market.option_quotes[CALL_45.symbol] = ("1.20", "1.30")

    whole = stage.place(spread("0.90"))

    first, second = (stage.broker.order(leg) for leg in whole.legs)
    assert first is not None and second is not None
    assert (whole.symbol, whole.side, whole.asset_class) == ("", None, None)
    assert stage.story(whole) == [*LIVE, "fill 2 at 0.90"]
    update = stage.told[-1]
    assert update.execution_id is None and update.position_quantity is None
    assert [(f.symbol, f.price, f.quantity, f.position_quantity) for f in update.legs] == [
        (CALL_40.symbol, Decimal("2.10"), Decimal(2), Decimal(2)),
        (CALL_45.symbol, Decimal("1.20"), Decimal(2), Decimal(-2)),
    ]
    assert [o.status for o in (first, second)] == [Status.FILLED, Status.FILLED]
    assert stage.broker.account().cash == 100_000 - 180
    fills = [a for a in stage.broker.activities(ActivityQuery()) if isinstance(a, FillActivity)]
    assert {fill.id.partition("::")[2] for fill in fills} == {f.execution_id for f in update.legs}


def test_a_spread_waits_for_its_net_price(stage: Stage) -> None:
    stage.market.option_quotes[CALL_45.symbol] = ("1.20", "1.30")
    whole = stage.place(spread("0.85"))
    leg = stage.broker.order(whole.legs[0])
    assert leg is not None and leg.status is Status.NEW
    stage.end(stage.market.last_bar("HYDR"))

    stage.market.option_quotes[CALL_45.symbol] = ("1.30", "1.40")
    stage.bar(42.0)

    assert stage.story(whole) == [*LIVE, "fill 2 at 0.80"]


def test_a_spread_for_a_credit_has_a_net_price_below_zero(stage: Stage) -> None:
    stage.market.option_quotes[CALL_45.symbol] = ("1.20", "1.30")

    good = stage.place(spread("-0.60", SELL))
    bad = stage.place(spread("-0.80", SELL))

    assert stage.story(good) == [*LIVE, "fill 2 at -0.70"]
    assert stage.story(bad) == LIVE
    assert stage.broker.account().cash == 100_000 + 140


def test_a_spread_waits_where_nobody_bids_for_a_leg(stage: Stage) -> None:
    stage.market.option_quotes[CALL_45.symbol] = ("0", "0.05")

    whole = stage.place(spread(None))

    assert stage.story(whole) == LIVE


def test_an_option_order_sees_the_last_quote_of_the_bar_at_its_end(stage: Stage) -> None:
    placed = stage.place(calls(limit="2"))
    stage.market.option_quotes[CALL_40.symbol] = ("1.85", "1.95")

    stage.end(stage.market.last_bar("HYDR"))

    assert stage.story(placed) == [*LIVE, "fill 2 at 1.95"]


def test_what_happens_after_the_last_close_does_not_count(stage: Stage) -> None:
    stage.place(calls())
    stage.end(stage.market.last_bar("HYDR"))
    stage.come_to(TUESDAY_OPEN)
    stage.bar(39.0, minutes=390)

    stage.bar(45.0)
    stage.come_to(NEXT_MORNING)

    assert [kind for kind, *_ in happened(stage)] == ["OPEXP"]


def test_calls_in_the_money_are_exercised_the_morning_after_without_a_word(
    stage: Stage,
) -> None:
    stage.place(calls())
    told = len(stage.told)

    to_expiry(stage, 41.0)

    assert len(stage.told) == told
    assert stage.held() == "200"
    assert stage.held(CALL_40.symbol) == "0"
    assert stage.broker.account().cash == 100_000 - 420 - 8_000
    assert happened(stage) == [
        ("OPEXC", CALL_40.symbol, "-2", "0"),
        ("OPTRD", "HYDR", "200", "-8000"),
    ]
    position = stage.broker.position("HYDR")
    assert position is not None and position.average_entry_price == 40


@pytest.mark.parametrize(("price", "expires"), [(40.0, True), (40.005, True), (40.01, False)])
def test_a_cent_in_the_money_is_enough(stage: Stage, price: float, expires: bool) -> None:
    stage.place(calls())

    to_expiry(stage, price)

    kinds = [kind for kind, *_ in happened(stage)]
    assert kinds == (["OPEXP"] if expires else ["OPEXC", "OPTRD"])


def test_nothing_is_booked_before_the_next_morning(stage: Stage) -> None:
    stage.place(calls())
    stage.end(stage.market.last_bar("HYDR"))
    stage.come_to(TUESDAY_OPEN)
    stage.bar(41.0, minutes=390)

    stage.come_to(NEXT_MORNING - 1)
    before = stage.held(CALL_40.symbol)
    stage.come_to(NEXT_MORNING)

    assert (before, stage.held(CALL_40.symbol)) == ("2", "0")


def test_what_is_not_to_be_exercised_expires_whatever_it_is_worth(stage: Stage) -> None:
    stage.place(calls())

    answer = stage.ask(DoNotExercise(CALL_40.symbol))
    to_expiry(stage, 50.0)

    assert answer == Exercised(CALL_40.symbol)
    assert happened(stage) == [("OPEXP", CALL_40.symbol, "-2", "0")]


def test_both_calls_of_a_spread_in_the_money_settle_against_each_other(stage: Stage) -> None:
    stage.market.option_quotes[CALL_45.symbol] = ("1.20", "1.30")
    stage.place(spread("0.90"))

    to_expiry(stage, 50.0)

    assert stage.broker.positions() == ()
    assert stage.broker.account().cash == 100_000 - 180 + 2 * 500
    assert [kind for kind, *_ in happened(stage)] == ["OPEXC", "OPTRD", "OPASN", "OPTRD"]


def test_a_short_put_in_the_money_is_assigned(stage: Stage) -> None:
    stage.place(order(SELL, "1", symbol=PUT_45.symbol, limit="2"))

    to_expiry(stage, 41.0)

    assert stage.held() == "100"
    assert happened(stage) == [
        ("OPASN", PUT_45.symbol, "1", "0"),
        ("OPTRD", "HYDR", "100", "-4500"),
    ]


def test_an_exercise_before_expiration_holds_the_contracts_and_is_booked_next_morning(
    stage: Stage,
) -> None:
    stage.place(calls())

    answer = stage.ask(ExerciseOption(CALL_40.id))
    refusal = stage.refused(calls(SELL))
    stage.come_to(NEXT_MORNING - 24 * HOUR)

    assert answer == Exercised(CALL_40.symbol)
    assert refusal.status == 403
    assert stage.held() == "200"
    assert happened(stage)[0] == ("OPEXC", CALL_40.symbol, "-2", "0")


def test_what_is_not_held_cannot_be_exercised(stage: Stage) -> None:
    assert stage.refused(ExerciseOption(CALL_40.symbol)) == forbidden(
        "no available position for the specified contract"
    )
    assert stage.refused(DoNotExercise(CALL_40.symbol)).status == 403
    assert stage.refused(ExerciseOption("HYDR")) == not_found("option contract HYDR not found")


def test_somebody_may_exercise_what_we_are_short_at_any_time(stage: Stage) -> None:
    stage.place(order(BUY, "100"))
    stage.place(order(SELL, "1", symbol=CALL_45.symbol, limit="2"))

    stage.act(AssignOption(contract=CALL_45.symbol, quantity=Decimal(1)))

    assert stage.broker.positions() == ()
    assert happened(stage) == [
        ("OPASN", CALL_45.symbol, "1", "0"),
        ("OPTRD", "HYDR", "-100", "4500"),
    ]


def test_what_the_account_cannot_carry_is_closed_three_quarters_of_an_hour_early() -> None:
    stage = Stage(BrokerageTerms(starting_cash=Decimal(3_000), multiplier=1), at=TUESDAY_OPEN)
    stage.begin(42.0, minutes=390)
    stage.place(calls(quantity="1"))

    stage.come_to(TUESDAY_CLOSE - 45 * MINUTE - 1)
    before = stage.held(CALL_40.symbol)
    stage.come_to(TUESDAY_CLOSE - 45 * MINUTE)

    closing = stage.told[-1].order
    assert (before, stage.held(CALL_40.symbol)) == ("1", "0")
    assert stage.story(closing) == [*LIVE, "fill 1 at 2.00"]
    assert closing.side is SELL


def test_what_can_be_carried_is_left_alone() -> None:
    stage = Stage(at=TUESDAY_OPEN)
    stage.begin(42.0, minutes=390)
    stage.place(calls(quantity="1"))

    stage.come_to(TUESDAY_CLOSE)

    assert stage.held(CALL_40.symbol) == "1"


def test_a_put_without_shares_cannot_be_carried_and_open_orders_make_way() -> None:
    stage = Stage(at=TUESDAY_OPEN)
    stage.begin(42.0, minutes=390)
    stage.place(order(BUY, "1", symbol=PUT_45.symbol))
    resting = stage.place(order(SELL, "1", symbol=PUT_45.symbol, limit="5"))

    stage.come_to(TUESDAY_CLOSE - 45 * MINUTE)

    assert stage.now_of(resting).status is Status.CANCELED
    assert stage.held(PUT_45.symbol) == "0"


def test_a_spread_that_covers_itself_is_carried() -> None:
    stage = Stage(BrokerageTerms(starting_cash=Decimal(3_000)), at=TUESDAY_OPEN)
    stage.begin(50.0, minutes=390)
    stage.market.option_quotes[CALL_40.symbol] = ("9.9", "10.1")
    stage.market.option_quotes[CALL_45.symbol] = ("4.9", "5.1")
    stage.place(spread(None, quantity="1"))

    stage.come_to(TUESDAY_CLOSE)

    assert (stage.held(CALL_40.symbol), stage.held(CALL_45.symbol)) == ("1", "-1")


def test_an_order_for_contracts_off_their_price_steps_is_rejected_late(stage: Stage) -> None:
    placed = stage.place(calls(limit="3.02"))

    assert placed.status is Status.PENDING_NEW
    assert stage.story(placed) == ["pending_new", "rejected"]
    rejected = stage.now_of(placed)
    assert rejected == structs.replace(
        placed,
        status=Status.REJECTED,
        failed_at=stage.now,
        reason=rejected.reason,
    )
    assert "steps of 0.05" in rejected.reason
