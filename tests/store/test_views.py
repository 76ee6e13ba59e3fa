"""What the ledger answers to those that start or compare: all that they need and is durable."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from msgspec import structs

from hydra.store.connection import IN_MEMORY
from hydra.store.ledger import Ledger
from hydra.trading.differences import DifferenceKind
from hydra.trading.hit_stops import HIT_STOPS
from hydra.trading.late_lists import Written
from hydra.trading.order_life import Attempted, OrderState, OrderStatus
from hydra.trading.orders import Side
from hydra.trading.reconciliation import RecordView, compare
from hydra.trading.resting_stop import asked_out_key
from hydra.trading.trade_signals import number_of
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from hydra.trading.trail import trail_key
from hydra.trading.venue_view import VenuePosition
from messages.orders import (
    OrderAbsent,
    OrderAccepted,
    OrderApproved,
    OrderCanceled,
    OrderRejected,
    OrderUnknown,
)
from messages.positions import Exclusion, GuardedOrder, GuardianRecord
from tests.store.orders import AT, approved, decision, filled
from tests.store.venue_words import listed, snapshot


def with_stop(one: OrderApproved, stop: str) -> OrderApproved:
    intent = structs.replace(one.intent, protective_stop=Decimal(stop))
    return structs.replace(one, intent=intent)


TODAY, YESTERDAY = "2024-01-02", "2024-01-01"
BY = {"reason": "seen at the venue", "operator": "pat"}
OLD = approved(decision(session=YESTERDAY, signal=1))
STILL_OPEN = approved(decision(session=YESTERDAY, signal=2))
BOUGHT = with_stop(approved(decision(signal=1)), "180.50")
SOLD = approved(decision(bot="reversal", signal=2), side=Side.SELL)
REFUSED = approved(decision(bot="reversal", signal=3))
LOST = approved(decision(signal=4))
OLD_10 = filled(OLD.order, "10", "x-1", price=Decimal(187))
BOUGHT_10 = filled(BOUGHT.order, "10", "x-2", price=Decimal(187))
SOLD_4 = filled(SOLD.order, "4", "x-3", price=Decimal(188))
HALT = Cause(
    code="throttle",
    cause_class=CauseClass.COOLDOWN,
    state=TradingState.CLOSE_ONLY,
    since=AT,
    detail="7 round trips",
    bot="reversal",
)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    """Two days of two bots: one order of yesterday is over, one is not; today there are four."""
    ledger = Ledger.open(IN_MEMORY, venue="paper", at=AT)
    ledger.bind_account("PA-1", AT)
    ledger.open_account(Decimal(100_000), AT)
    for number, one in enumerate([OLD, STILL_OPEN, BOUGHT, SOLD, REFUSED, LOST]):
        ledger.record_intent(one, AT + number)
    for fill in (OLD_10, BOUGHT_10, SOLD_4):
        ledger.record_report(fill, AT)
    ledger.record_report(
        OrderAccepted(client_order_id=name_of(STILL_OPEN), venue_order_id="venue-2", at=AT), AT
    )
    ledger.record_report(
        OrderRejected(client_order_id=name_of(REFUSED), reason="not shortable", at=AT), AT
    )
    ledger.record_report(OrderUnknown(client_order_id=name_of(LOST), reason="503", at=AT), AT)
    ledger.grant_budget("momentum", TODAY, Decimal(12_500), AT)
    ledger.grant_budget("momentum", YESTERDAY, Decimal(1), AT)
    ledger.latch_halt(HALT, AT)
    ledger.put("peak", "100500", AT)
    ledger.exclude_difference(DifferenceKind.POSITION, "TSLA", Decimal(-3), **BY, at=AT)
    ledger.exclude_difference(DifferenceKind.FOREIGN_ORDER, "venue-7", None, **BY, at=AT)
    ledger.adjust_cash(Decimal("-1.50"), **BY, at=AT)
    ledger.commit()
    yield ledger
    ledger.close()


def name_of(one: OrderApproved) -> str:
    return one.order.client_order_id


def guarded(one: OrderApproved, number: int, status: OrderStatus, **known: object) -> GuardedOrder:
    state = OrderState(order=one.order, status=status)
    return GuardedOrder(
        intent=one.intent, state=structs.replace(state, **known), attempted_at=AT + number
    )


STILL_OPEN_NOW = guarded(STILL_OPEN, 1, OrderStatus.ACCEPTED, venue_order_id="venue-2")
BOUGHT_NOW = guarded(BOUGHT, 2, OrderStatus.FILLED, filled_quantity=Decimal(10))
SOLD_NOW = guarded(SOLD, 3, OrderStatus.PARTIALLY_FILLED, filled_quantity=Decimal(4))
REFUSED_NOW = guarded(REFUSED, 4, OrderStatus.REJECTED, reason="not shortable")
LOST_NOW = guarded(LOST, 5, OrderStatus.UNKNOWN, reason="503")


def test_the_guardian_gets_all_that_is_of_today_or_open_and_nothing_else_i38(
    ledger: Ledger,
) -> None:
    assert ledger.guardian_record(TODAY) == GuardianRecord(
        session=TODAY,
        inventories=ledger.inventories(),
        open_orders=(STILL_OPEN_NOW, SOLD_NOW, LOST_NOW),
        orders=(BOUGHT_NOW, SOLD_NOW, REFUSED_NOW, LOST_NOW),
        sub_ledgers=ledger.sub_ledgers(),
        counters=ledger.counters(TODAY),
        budgets={"momentum": Decimal(12_500)},
        halts=(HALT,),
        values={"peak": "100500"},
        stops={"x-2": Decimal("180.50")},
        opening_cash=Decimal(100_000),
        exclusions=(
            Exclusion(kind=DifferenceKind.FOREIGN_ORDER, subject="venue-7", quantity=None, **BY),
            Exclusion(kind=DifferenceKind.POSITION, subject="TSLA", quantity=Decimal(-3), **BY),
        ),
    )
    assert [each.bot for each in ledger.inventories()] == ["momentum", "reversal"]
    assert [each.bot for each in ledger.sub_ledgers()] == ["momentum", "reversal", "unattributed"]
    assert [each.rejections for each in ledger.counters(TODAY)] == [0, 1]


def test_of_an_older_session_the_guardian_gets_its_own_orders_i38(ledger: Ledger) -> None:
    record = ledger.guardian_record(YESTERDAY)

    old = guarded(OLD, 0, OrderStatus.FILLED, filled_quantity=Decimal(10))
    assert record.orders == (old, STILL_OPEN_NOW)
    assert record.counters == ledger.counters(YESTERDAY) != ()
    assert record.budgets == {"momentum": Decimal(1)}


def test_of_the_session_before_the_guardian_gets_the_entries_that_it_asks_for_i36_i38(
    ledger: Ledger,
) -> None:
    old = guarded(OLD, 0, OrderStatus.FILLED, filled_quantity=Decimal(10))

    found = [ledger.guardian_record(TODAY, since).earlier for since in (AT, AT + 1, AT + 2)]

    assert found == [(old, STILL_OPEN_NOW), (STILL_OPEN_NOW,), ()]
    assert ledger.guardian_record(YESTERDAY, AT).earlier == ()


def test_what_was_given_up_on_any_day_is_in_the_guardians_record_i19_i38(ledger: Ledger) -> None:
    absent = OrderAbsent(client_order_id=name_of(LOST), reason="5 looks found nothing", at=AT)
    ledger.record_report(absent, AT)
    ledger.commit()

    today, tomorrow = (ledger.guardian_record(day) for day in (TODAY, "2024-01-03"))

    given_up = guarded(LOST, 5, OrderStatus.ABSENT, reason="5 looks found nothing")
    assert (today.orders[-1], today.given_up) == (given_up, ())
    assert (tomorrow.orders, tomorrow.given_up) == ((), (given_up,))
    assert given_up not in tomorrow.open_orders


def test_in_a_new_session_only_what_is_open_or_held_is_left_i38(ledger: Ledger) -> None:
    record = ledger.guardian_record("2024-01-03")

    assert record.open_orders == (STILL_OPEN_NOW, SOLD_NOW, LOST_NOW)
    assert (record.orders, record.counters, record.budgets) == ((), (), {})
    assert record.inventories == ledger.inventories()


def test_the_guardian_of_a_new_ledger_knows_that_there_is_nothing() -> None:
    ledger = Ledger.open(IN_MEMORY, venue="paper", at=AT)

    assert ledger.guardian_record(TODAY) == GuardianRecord(
        session=TODAY,
        inventories=(),
        open_orders=(),
        orders=(),
        sub_ledgers=(),
        counters=(),
        budgets={},
        halts=(),
        values={},
        stops={},
        opening_cash=None,
        exclusions=(),
    )
    ledger.close()


def test_a_stop_is_known_for_each_lot_that_is_open_and_for_no_other_i38() -> None:
    ledger = Ledger.open(IN_MEMORY, venue="paper", at=AT)
    first, second, closing = (
        with_stop(approved(decision(signal=1)), "180.50"),
        with_stop(approved(decision(signal=2)), "185"),
        approved(decision(signal=3), side=Side.SELL),
    )
    for one, execution_id in [(first, "x-1"), (second, "x-2"), (closing, "x-3")]:
        ledger.record_intent(one, AT)
        ledger.record_report(filled(one.order, "10", execution_id), AT)
    ledger.assign_position("momentum", "MSFT", Decimal(1), price=Decimal(400), **BY, at=AT)
    ledger.commit()

    assert ledger.guardian_record(TODAY).stops == {"x-2": Decimal(185)}
    ledger.close()


@pytest.mark.parametrize(
    ("other_stop", "stops"),
    [("180.5", {"x": Decimal("180.50")}), ("185", {}), (None, {})],
)
def test_of_two_executions_of_one_name_no_stop_is_known_unless_they_agree_i38(
    other_stop: str | None, stops: dict[str, Decimal]
) -> None:
    ledger = Ledger.open(IN_MEMORY, venue="paper", at=AT)
    mine, theirs = approved(decision(signal=1)), approved(decision(bot="reversal"))
    mine = with_stop(mine, "180.50")
    if other_stop is not None:
        theirs = with_stop(theirs, other_stop)
    for one in (mine, theirs):
        ledger.record_intent(one, AT)
        ledger.record_report(filled(one.order, "10", "x"), AT)
    ledger.commit()

    assert ledger.guardian_record(TODAY).stops == stops
    ledger.close()


def test_our_side_of_a_comparison_is_all_that_is_open_or_named_i60(ledger: Ledger) -> None:
    by_hand = structs.replace(OLD.order, client_order_id="by hand")
    venue = snapshot(
        listed(REFUSED.order, OrderStatus.REJECTED),
        listed(by_hand, OrderStatus.ACCEPTED),
        fills=(OLD_10.fill,),
    )

    assert ledger.record_view(venue) == RecordView(
        account="PA-1",
        opening_cash=Decimal(100_000),
        cash=Decimal("-2989.50"),
        orders={
            name_of(one): known.state
            for one, known in [
                (OLD, guarded(OLD, 0, OrderStatus.FILLED, filled_quantity=Decimal(10))),
                (STILL_OPEN, STILL_OPEN_NOW),
                (SOLD, SOLD_NOW),
                (REFUSED, REFUSED_NOW),
                (LOST, LOST_NOW),
            ]
        },
        fills=(SOLD_4.fill, OLD_10.fill),
        positions={"AAPL": Decimal(16)},
        excluded_orders=frozenset({"venue-7"}),
        excluded_positions={"TSLA": Decimal(-3)},
    )


def test_what_is_not_durable_is_not_compared_i60(ledger: Ledger) -> None:
    before = ledger.record_view(snapshot())

    canceled = OrderCanceled(client_order_id=name_of(STILL_OPEN), at=AT)
    ledger.record_report(canceled, AT)
    ledger.adjust_cash(Decimal(1), **BY, at=AT)
    assert ledger.record_view(snapshot()) == before

    ledger.commit()
    after = ledger.record_view(snapshot())
    assert name_of(STILL_OPEN) not in after.orders
    assert after.cash == before.cash + 1


def test_only_what_may_be_otherwise_is_read_again_for_the_next_comparison_i60(
    ledger: Ledger,
) -> None:
    naming_nobody = ledger.record_view(snapshot())
    assert ledger.record_view(snapshot()) is naming_nobody

    of_another_day = ledger.record_view(snapshot(fills=(OLD_10.fill,)))
    assert name_of(OLD) in of_another_day.orders.keys() - naming_nobody.orders.keys()

    ledger.adjust_cash(Decimal(1), **BY, at=AT)
    ledger.commit()
    assert ledger.record_view(snapshot(fills=(OLD_10.fill,))).cash == of_another_day.cash + 1


def test_what_was_written_of_orders_lately_is_given_in_the_order_of_recording_i60() -> None:
    ledger = Ledger.open(IN_MEMORY, venue="paper", at=AT)
    ledger.record_intent(BOUGHT, AT)
    ledger.commit()
    for one, at in ((SOLD, AT + 1), (REFUSED, AT + 2)):
        ledger.record_intent(one, at)
    ledger.put("key", "value", AT + 2)
    executed = filled(SOLD.order, "4", "x-4")
    ledger.record_report(executed, AT + 3)
    before_it_is_durable = ledger.written_since(AT + 1)
    ledger.commit()

    attempts = tuple(
        Written(at=at, client_order_id=name_of(one), event=Attempted())
        for one, at in ((SOLD, AT + 1), (REFUSED, AT + 2))
    )
    execution = Written(at=AT + 3, client_order_id=name_of(SOLD), event=executed.fill)
    assert before_it_is_durable == ()
    assert ledger.written_since(AT + 1) == (*attempts, execution)
    assert ledger.written_since(AT + 4) == ()
    ledger.close()


def test_positions_that_cancel_out_between_bots_are_no_position_i60() -> None:
    ledger = Ledger.open(IN_MEMORY, venue="paper", at=AT)
    assert (ledger.record_view(snapshot()).account, ledger.record_view(snapshot()).positions) == (
        None,
        {},
    )
    for one in (BOUGHT, SOLD):
        ledger.record_intent(one, AT)
        ledger.record_report(filled(one.order, "10", name_of(one)), AT)
    ledger.commit()

    assert ledger.record_view(snapshot()).positions == {}
    ledger.close()


def test_what_was_taken_up_and_decided_leaves_no_difference_i29_i60_i61(ledger: Ledger) -> None:
    by_hand = structs.replace(OLD.order, client_order_id="by hand", quantity=Decimal(2))
    bought_by_hand = filled(by_hand, "2", "x-9", price=Decimal(190))
    whole_of_sold = filled(SOLD.order, "6", "x-4", price=Decimal(188))
    venue = snapshot(
        listed(OLD.order, OrderStatus.FILLED, filled_quantity=Decimal(10)),
        listed(BOUGHT.order, OrderStatus.FILLED, filled_quantity=Decimal(10)),
        listed(STILL_OPEN.order, OrderStatus.ACCEPTED, venue_order_id="venue-2"),
        listed(SOLD.order, OrderStatus.FILLED, filled_quantity=Decimal(10)),
        listed(LOST.order, OrderStatus.CANCELED),
        listed(by_hand, OrderStatus.FILLED, filled_quantity=Decimal(2)),
        fills=(OLD_10.fill, BOUGHT_10.fill, SOLD_4.fill, whole_of_sold.fill, bought_by_hand.fill),
        positions=(
            VenuePosition(symbol="AAPL", quantity=Decimal(12)),
            VenuePosition(symbol="TSLA", quantity=Decimal(-3)),
        ),
    )
    venue = structs.replace(
        venue,
        account=structs.replace(venue.account, cash=Decimal(97_757)),
    )
    ledger.take_up(venue, AT)
    ledger.commit()
    found = {each.kind: each.amount for each in compare(ledger.record_view(venue), venue)}
    assert found == {DifferenceKind.POSITION: Decimal(2), DifferenceKind.CASH: Decimal("-381.50")}

    adopted = structs.replace(
        approved(decision(signal=9), quantity=Decimal(2)).intent, reason="adopted"
    )
    ledger.adopt_order(adopted, by_hand, **BY, at=AT)
    ledger.take_up(venue, AT)
    ledger.adjust_cash(Decimal("-1.50"), **BY, at=AT)
    ledger.commit()

    assert compare(ledger.record_view(venue), venue) == ()


def test_a_bot_is_told_how_far_its_own_trailing_stop_had_come_and_nobody_else_i38(
    ledger: Ledger,
) -> None:
    ledger.put(trail_key("momentum"), "of the first", AT)
    ledger.put(trail_key("reversal"), "of the other", AT)
    ledger.commit()

    books = [ledger.book(name).trail for name in ("momentum", "reversal", "nobody", None)]
    assert books == ["of the first", "of the other", "", ""]


def test_a_bot_is_told_whose_end_it_had_asked_for_itself_i38(ledger: Ledger) -> None:
    ledger.put(asked_out_key("momentum"), "its", AT)
    ledger.commit()

    books = [ledger.book(name).asked_out for name in ("momentum", "reversal", None)]
    assert books == ["its", "", ""]


def test_a_bot_is_told_which_stops_were_hit_i30_i38(ledger: Ledger) -> None:
    ledger.put(HIT_STOPS, "those", AT)
    ledger.commit()

    assert [ledger.book(name).hit_stops for name in ("momentum", None)] == ["those", ""]


def of_day(day: int, signal: int, **changes: object) -> OrderApproved:
    key = decision(session=f"2024-02-{day:02}", signal=signal)
    return approved(structs.replace(key, **changes))


HELD, WORKS = of_day(1, 3, symbol="MSFT"), of_day(2, 3)
LATE = approved(of_day(3, 3, symbol="MSFT").intent.decision, side=Side.SELL, quantity=Decimal(4))


def with_a_long_past() -> Ledger:
    """Of one bot: one order of the 1st whose shares are held, one of the 2nd that works, one of the
    3rd that was executed just now; and on each of twenty days two that are over.
    """
    ledger = Ledger.open(IN_MEMORY, venue="paper", at=AT)
    for day in range(1, 21):
        for signal, side in ((1, Side.BUY), (2, Side.SELL)):
            one = approved(decision(session=f"2024-02-{day:02}", signal=signal), side=side)
            ledger.record_intent(one, AT)
            ledger.record_report(filled(one.order, "10", f"{day}-{signal}"), AT)
            for number in range(220):  # else all of it came on record lately
                ledger.put("something", f"{day} {signal} {number}", AT)
        if day == 1:
            for one in (HELD, WORKS, LATE, of_day(1, 1, bot="reversal")):
                ledger.record_intent(one, AT)
            ledger.record_report(filled(HELD.order, "10", "held"), AT)
    ledger.record_report(filled(LATE.order, "4", "late"), AT)
    ledger.commit()
    return ledger


def test_a_bot_gets_what_may_matter_yet_and_not_its_whole_past_i38() -> None:
    ledger = with_a_long_past()

    book = ledger.book("momentum")

    assert [(o.decision.session[-2:], o.decision.signal) for o in book.orders] == [
        ("01", 3), ("02", 3), ("03", 3),
        *((f"{day}", signal) for day in range(16, 21) for signal in (1, 2)),
    ]  # fmt: skip
    assert [fill.execution_id for fill in book.fills] == [
        "held", *(f"{day}-{signal}" for day in range(16, 21) for signal in (1, 2)), "late",
    ]  # fmt: skip
    assert [lot.execution_id for each in book.held for lot in each.inventory.lots] == ["held"]
    assert book.orders[0].reason == "crossed up"


def test_a_signal_s_decision_is_found_by_its_number_however_old_it_is_i16_i38() -> None:
    ledger = with_a_long_past()
    used, of_another, still_to_come = (number_of(each) for each in ("s-1", "s-2", "s-3"))
    mine = decision(session="2023-01-03", signal=used)
    ledger.record_intent(approved(mine), AT)
    ledger.record_intent(approved(decision(signal=of_another, bot="reversal")), AT)
    ledger.commit()

    found = ledger.decisions_of_signals("momentum", (used, of_another, still_to_come))

    assert found == {used: mine}
