"""When orders work: sessions, queues, auctions, extended hours, and how they end by themselves."""

from datetime import date
from decimal import Decimal

import pytest
from msgspec import structs

from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.acts import CloseEarly
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.words import Status, TimeInForce
from tests.venues.simulated_broker.stage import (
    CLOSE,
    FRIDAY_CLOSE,
    FRIDAY_OPEN,
    HOUR,
    MINUTE,
    OPEN,
    TUESDAY_OPEN,
    Stage,
    order,
)

BUY, SELL = Side.BUY, Side.SELL
PRE_MARKET = OPEN - 5 * HOUR - 30 * MINUTE
LIVE = ["pending_new", "new"]


def extended(side: Side, limit: str, tif: TimeInForce = TimeInForce.DAY) -> PlaceOrder:
    return structs.replace(order(side, limit=limit, tif=tif), extended_hours=True)


def test_a_market_order_sent_while_closed_is_queued_and_fills_at_the_next_open() -> None:
    stage = Stage(at=CLOSE)

    placed = stage.place(order())
    stage.come_to(TUESDAY_OPEN - 1)
    queued = stage.story(placed)
    stage.come_to(TUESDAY_OPEN)
    opened = stage.story(placed)
    stage.bar(101.0, 102.0, 100.0, 101.5)

    assert (placed.status, placed.expires_at) == (Status.ACCEPTED, TUESDAY_OPEN + 390 * MINUTE)
    assert queued == ["accepted"]
    assert opened == ["accepted", "new"]
    assert stage.story(placed) == ["accepted", "new", "fill 10 at 101.00"]


def test_queued_orders_go_new_in_the_order_in_which_they_came() -> None:
    stage = Stage(at=CLOSE)
    placed = [stage.place(order(limit=f"{90 + n}")) for n in range(4)]

    stage.come_to(TUESDAY_OPEN)

    new = [update.order.id for update in stage.told if update.event.value == "new"]
    assert new == [one.id for one in placed]


def test_a_day_order_expires_at_the_close_and_keeps_what_it_filled() -> None:
    stage = Stage(at=CLOSE - MINUTE)
    placed = stage.place(order(limit="99"))
    stage.bar(100.0)

    assert stage.now == CLOSE
    assert stage.story(placed) == [*LIVE, "expired"]
    assert stage.now_of(placed).expired_at == CLOSE


def test_what_the_last_bar_touches_is_filled_before_the_close_expires_the_rest() -> None:
    stage = Stage(at=CLOSE - MINUTE)
    touched, untouched = stage.place(order(limit="99")), stage.place(order(limit="97"))

    stage.bar(100.0, 100.0, 98.0, 98.5)

    assert stage.story(touched) == [*LIVE, "fill 10 at 99.00"]
    assert stage.story(untouched) == [*LIVE, "expired"]


def test_on_a_half_day_the_calendar_says_when_the_day_is_over() -> None:
    stage = Stage(at=FRIDAY_OPEN)
    placed = stage.place(order(limit="99"))

    stage.come_to(FRIDAY_CLOSE)

    assert placed.expires_at == FRIDAY_CLOSE
    assert stage.story(placed) == [*LIVE, "expired"]


def test_a_gtc_order_lives_on_and_is_filled_days_later() -> None:
    stage = Stage()
    placed = stage.place(order(limit="99", tif=TimeInForce.GTC))
    stage.come_to(FRIDAY_OPEN)

    stage.bar(98.0)

    assert stage.story(placed) == [*LIVE, "fill 10 at 98.00"]


def test_a_gtc_order_ends_after_ninety_days_at_a_quarter_past_four() -> None:
    stage = Stage()
    placed = stage.place(order(limit="99", tif=TimeInForce.GTC))
    ninety_days = OPEN + 90 * 24 * HOUR + 6 * HOUR + 45 * MINUTE

    stage.come_to(ninety_days - 1)
    before = stage.now_of(placed).status
    stage.come_to(ninety_days)

    assert placed.expires_at == ninety_days
    assert before is Status.NEW
    assert stage.now_of(placed).status is Status.EXPIRED


def test_bars_outside_the_session_execute_only_orders_for_the_extended_hours() -> None:
    stage = Stage(at=CLOSE)
    usual = stage.place(order(limit="100", tif=TimeInForce.GTC))
    late = stage.place(extended(BUY, "100"))

    stage.bar(99.0)

    assert stage.story(usual) == ["accepted"]
    assert stage.story(late) == [*LIVE, "fill 10 at 99.00"]


def test_an_order_for_the_extended_hours_works_in_the_session_too() -> None:
    stage = Stage(at=PRE_MARKET)
    placed = stage.place(extended(BUY, "98"))

    stage.come_to(OPEN)
    stage.bar(97.0)

    assert placed.status is Status.PENDING_NEW
    assert stage.story(placed) == [*LIVE, "fill 10 at 97.00"]


def test_an_order_for_the_extended_hours_expires_when_they_end() -> None:
    stage = Stage()
    placed = stage.place(extended(BUY, "98"))

    stage.come_to(CLOSE + 4 * HOUR - 1)
    before = stage.now_of(placed).status
    stage.come_to(CLOSE + 4 * HOUR)

    assert before is Status.NEW
    assert stage.story(placed) == [*LIVE, "expired"]


def test_on_a_half_day_the_extended_hours_end_at_five() -> None:
    stage = Stage(at=FRIDAY_OPEN)

    placed = stage.place(extended(BUY, "98"))

    assert placed.expires_at == FRIDAY_CLOSE + 4 * HOUR


def test_an_extended_order_of_the_night_goes_new_at_four_in_the_morning() -> None:
    stage = Stage(at=OPEN - 8 * HOUR)
    placed = stage.place(extended(BUY, "98"))

    stage.come_to(PRE_MARKET - 1)
    before = stage.story(placed)
    stage.come_to(PRE_MARKET)

    assert before == ["accepted"]
    assert stage.story(placed) == ["accepted", "new"]


def test_a_gtc_order_is_not_touched_by_the_bars_before_the_open() -> None:
    stage = Stage()
    placed = stage.place(order(SELL, stop="98", tif=TimeInForce.GTC))
    stage.come_to(TUESDAY_OPEN - HOUR)

    stage.bar(97.0)
    before_the_open = stage.story(placed)
    stage.come_to(TUESDAY_OPEN)
    stage.bar(97.5)

    assert before_the_open == LIVE
    assert stage.story(placed) == [*LIVE, "fill 10 at 97.50"]


def test_orders_for_the_opening_auction_execute_at_the_open_or_not_at_all() -> None:
    stage = Stage(at=OPEN - HOUR)
    market = stage.place(order(tif=TimeInForce.OPG))
    good = stage.place(order(limit="101", tif=TimeInForce.OPG))
    bad = stage.place(order(limit="99", tif=TimeInForce.OPG))

    stage.come_to(OPEN)
    stage.bar(100.0, 100.0, 98.0, 98.0)

    assert stage.story(market) == ["accepted", "new", "fill 10 at 100.00"]
    assert stage.story(good) == ["accepted", "new", "fill 10 at 100.00"]
    assert stage.story(bad) == ["accepted", "new", "canceled"]


def test_orders_for_the_closing_auction_execute_at_the_last_price_or_not_at_all() -> None:
    stage = Stage(at=CLOSE - HOUR)
    market = stage.place(order(tif=TimeInForce.CLS))
    good = stage.place(order(limit="99", tif=TimeInForce.CLS))
    bad = stage.place(order(limit="98", tif=TimeInForce.CLS))

    stage.bar(100.0, 101.0, 97.0, 98.5, minutes=60)

    assert stage.story(market) == [*LIVE, "fill 10 at 98.50"]
    assert stage.story(good) == [*LIVE, "fill 10 at 98.50"]
    assert stage.story(bad) == [*LIVE, "canceled"]


def test_there_is_no_closing_auction_in_what_did_not_trade_that_day() -> None:
    stage = Stage(at=CLOSE - 72 * HOUR - MINUTE)
    stage.bar(100.0)
    stage.come_to(CLOSE - HOUR)
    placed = stage.place(order(tif=TimeInForce.CLS))

    stage.come_to(CLOSE)

    assert stage.story(placed) == [*LIVE, "canceled"]


@pytest.mark.parametrize("tif", [TimeInForce.IOC, TimeInForce.FOK])
def test_an_immediate_order_sent_while_closed_sees_the_open(tif: TimeInForce) -> None:
    stage = Stage(at=CLOSE)
    good = stage.place(order(limit="100", tif=tif))
    bad = stage.place(order(limit="98", tif=tif))

    stage.come_to(TUESDAY_OPEN)
    stage.bar(99.0)

    assert stage.story(good) == ["accepted", "new", "fill 10 at 99.00"]
    assert stage.story(bad) == ["accepted", "new", "canceled"]


def test_an_early_close_is_known_to_the_calendar_and_to_every_day_order() -> None:
    stage = Stage()
    placed = stage.place(order(limit="99"))
    at_two = OPEN + 270 * MINUTE

    stage.act(CloseEarly(date(2026, 11, 23), at_two))
    stage.come_to(at_two)

    session = stage.broker.sessions.of_date("2026-11-23")
    assert session is not None
    assert (session.close_at, session.early_close) == (at_two, True)
    assert stage.story(placed) == [*LIVE, "expired"]
    assert stage.place(order()).status is Status.ACCEPTED


def test_coming_to_the_same_time_twice_changes_nothing() -> None:
    stage = Stage()
    stage.place(order(limit="99"))

    stage.come_to(CLOSE)
    told = len(stage.told)
    stage.come_to(CLOSE)

    assert len(stage.told) == told


def test_a_long_silence_is_made_up_for_in_the_order_of_time() -> None:
    stage = Stage(at=CLOSE)
    queued = stage.place(order(limit="99"))
    lasting = stage.place(extended(BUY, "98"))

    stage.come_to(FRIDAY_OPEN)

    times = [(u.order.id, u.event.value, u.at) for u in stage.told[-3:]]
    assert times == [
        (lasting.id, "expired", CLOSE + 4 * HOUR),
        (queued.id, "new", TUESDAY_OPEN),
        (queued.id, "expired", TUESDAY_OPEN + 390 * MINUTE),
    ]
    assert Decimal(0) == stage.now_of(queued).filled_quantity
