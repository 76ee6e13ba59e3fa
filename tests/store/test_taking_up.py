"""What a snapshot of the venue knows and the record does not (I60, I61)."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from hydra.ports import Reworded
from hydra.store.connection import IN_MEMORY
from hydra.store.ledger import Ledger
from hydra.trading.order_life import OrderState, OrderStatus
from hydra.trading.orders import Fill, Side
from messages.orders import (
    OrderAbsent,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    OrderUnknown,
    Outcome,
    ReportStored,
)
from tests.store.orders import AT, approved, decision, filled
from tests.store.venue_words import listed, snapshot

NOW = AT + 10
APPROVED, OTHER = approved(), approved(decision(signal=2))
ORDER = APPROVED.order
NAME = ORDER.client_order_id
VENUE_NAME = f"venue-{NAME}"
ACCEPTED = OrderAccepted(client_order_id=NAME, venue_order_id=VENUE_NAME, at=AT + 5)
FILLED_4, FILLED_6 = filled(ORDER, "4", "execution-1"), filled(ORDER, "6", "execution-2")
THEIRS = structs.replace(ORDER, client_order_id="by hand")


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    ledger = Ledger.open(IN_MEMORY, venue="paper", at=AT)
    ledger.record_intent(APPROVED, AT)
    ledger.record_intent(OTHER, AT)
    ledger.commit()
    yield ledger
    ledger.close()


def stored(*reports: Outcome) -> tuple[ReportStored, ...]:
    return tuple(ReportStored(decision=decision(), report=report) for report in reports)


@pytest.mark.parametrize(
    ("status", "end"),
    [
        (OrderStatus.CANCELED, OrderCanceled(client_order_id=NAME, at=AT + 5)),
        (OrderStatus.EXPIRED, OrderExpired(client_order_id=NAME, at=AT + 5)),
        (OrderStatus.REPLACED, OrderReplaced(client_order_id=NAME, by="another", at=AT + 5)),
    ],
)
def test_a_whole_life_is_taken_up_as_if_it_had_been_reported_i60(
    ledger: Ledger, status: OrderStatus, end: Outcome
) -> None:
    word = listed(ORDER, status, filled_quantity=Decimal(4), replaced_by="another")

    taken_up = ledger.take_up(snapshot(word, fills=(FILLED_4.fill,)), NOW)

    assert taken_up == stored(ACCEPTED, FILLED_4, end)
    ledger.commit()
    mine, other = ledger.orders()
    assert (mine.state.status, mine.state.filled_quantity) == (status, Decimal(4))
    assert other.state.status is OrderStatus.ATTEMPTED
    assert ledger.fills() == (FILLED_4.fill,)


def test_what_has_no_time_of_its_own_has_that_of_the_snapshot_i60(ledger: Ledger) -> None:
    word = listed(ORDER, OrderStatus.REJECTED, reason="not shortable", at=0)

    taken_up = ledger.take_up(snapshot(word), NOW)

    rejected = OrderRejected(client_order_id=NAME, reason="not shortable", at=AT + 9)
    assert taken_up == stored(rejected)


def test_only_what_is_not_on_record_is_taken_up_i23_i61(ledger: Ledger) -> None:
    ledger.record_report(ACCEPTED, AT)
    ledger.record_report(FILLED_4, AT)
    both = (FILLED_4.fill, FILLED_6.fill)
    word = listed(ORDER, OrderStatus.FILLED, filled_quantity=Decimal(10))

    assert ledger.take_up(snapshot(word, fills=both), NOW) == stored(FILLED_6)
    mark = ledger.commit()

    assert ledger.take_up(snapshot(word, fills=both), NOW) == ()
    assert ledger.commit() == mark


def test_what_the_snapshot_says_in_fuller_words_is_recorded_and_is_no_news_i24_i61(
    ledger: Ledger,
) -> None:
    ledger.record_report(OrderRejected(client_order_id=NAME, reason="", at=AT), AT)
    word = listed(ORDER, OrderStatus.REJECTED, reason="not shortable")
    fuller = OrderRejected(client_order_id=NAME, reason="not shortable", at=AT + 5)

    assert ledger.take_up(snapshot(word), NOW) == (Reworded(decision(), fuller),)
    ledger.commit()

    assert ledger.orders()[0].state.reason == "not shortable"
    assert ledger.take_up(snapshot(word), NOW) == ()


def test_an_execution_counts_though_its_order_is_not_listed_i23_i60(ledger: Ledger) -> None:
    assert ledger.take_up(snapshot(fills=(FILLED_4.fill,)), NOW) == stored(FILLED_4)


def test_what_is_filled_by_the_venue_s_word_alone_is_not_made_up_i61(ledger: Ledger) -> None:
    word = listed(ORDER, OrderStatus.FILLED, filled_quantity=Decimal(10))

    assert ledger.take_up(snapshot(word), NOW) == stored(ACCEPTED)
    ledger.commit()
    assert ledger.fills() == ()


def test_what_an_order_never_was_on_record_is_left_alone_i29(ledger: Ledger) -> None:
    fill = structs.replace(FILLED_4.fill, client_order_id="by hand")
    unnamed = structs.replace(ORDER, client_order_id="")
    words = (listed(THEIRS, OrderStatus.ACCEPTED), listed(unnamed, OrderStatus.ACCEPTED))

    assert ledger.take_up(snapshot(*words, fills=(fill,)), NOW) == ()
    assert [each.state.status for each in ledger.orders()] == [OrderStatus.ATTEMPTED] * 2


def test_what_cannot_follow_is_left_out_and_the_rest_taken_up_i22_i61(ledger: Ledger) -> None:
    ledger.record_report(ACCEPTED, AT)
    ledger.record_report(FILLED_4, AT)
    changed = structs.replace(FILLED_4.fill, price=Decimal(1))
    too_much = structs.replace(FILLED_6.fill, quantity=Decimal("6.000000001"))
    endless = structs.replace(FILLED_6.fill, quantity=Decimal("1e-200"), execution_id="x")
    words = (
        listed(ORDER, OrderStatus.ACCEPTED, venue_order_id="another"),
        listed(OTHER.order, OrderStatus.ACCEPTED),
    )

    taken_up = ledger.take_up(snapshot(*words, fills=(changed, too_much, endless)), NOW)

    name = OTHER.order.client_order_id
    accepted = OrderAccepted(client_order_id=name, venue_order_id=f"venue-{name}", at=AT + 5)
    assert taken_up == (ReportStored(decision=decision(signal=2), report=accepted),)
    ledger.commit()
    assert ledger.fills() == (FILLED_4.fill,)


def test_an_order_that_was_given_up_and_lives_is_taken_up_i19(ledger: Ledger) -> None:
    ledger.record_report(OrderUnknown(client_order_id=NAME, reason="503", at=AT), AT)
    ledger.record_report(OrderAbsent(client_order_id=NAME, reason="5 looks", at=AT), AT)

    assert ledger.take_up(snapshot(listed(ORDER, OrderStatus.ACCEPTED)), NOW) == stored(ACCEPTED)
    ledger.commit()
    assert ledger.open_orders()[0].state == OrderState(
        order=ORDER, status=OrderStatus.ACCEPTED, venue_order_id=VENUE_NAME
    )


EXECUTIONS = [filled(ORDER, "2.5", f"execution-{number}").fill for number in range(4)]
ENDS = [OrderStatus.ACCEPTED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REPLACED]


@settings(max_examples=60)
@given(
    heard=st.lists(st.sampled_from(EXECUTIONS), unique_by=id),
    listed_too=st.lists(st.sampled_from(EXECUTIONS), unique_by=id),
    end=st.sampled_from(ENDS),
    side=st.sampled_from(Side),
)
def test_after_it_the_executions_on_record_are_those_that_the_venue_named_i23_i61(
    heard: list[Fill], listed_too: list[Fill], end: OrderStatus, side: Side
) -> None:
    one = approved(side=side)
    heard, listed_too = (
        [structs.replace(fill, side=side) for fill in fills] for fills in (heard, listed_too)
    )
    ledger = Ledger.open(IN_MEMORY, venue="paper", at=AT)
    ledger.record_intent(one, AT)
    for fill in heard:
        ledger.record_report(OrderFilled(fill=fill), AT)
    quantity = Decimal("2.5") * len(listed_too)
    word = listed(one.order, end, filled_quantity=quantity)

    ledger.take_up(snapshot(word, fills=tuple(listed_too)), NOW)
    ledger.commit()

    wanted = {fill.execution_id: fill for fill in (*heard, *listed_too)}
    (order,) = ledger.orders()
    assert {fill.execution_id: fill for fill in ledger.fills()} == wanted
    assert order.state.filled_quantity == Decimal("2.5") * len(wanted)
    ledger.close()
