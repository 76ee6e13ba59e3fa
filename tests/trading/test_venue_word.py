"""What the venue's word on one order implies, and whether it can be true."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.order_life import (
    Accepted,
    Canceled,
    Expired,
    OrderEvent,
    OrderState,
    OrderStatus,
    Rejected,
    Replaced,
    after,
)
from hydra.trading.orders import Fill, Order, OrderType, Side, TimeInForce
from hydra.trading.venue_view import VenueOrder
from hydra.trading.venue_word import contradiction, events_of, is_over

NAME = "hy1-20240102-0123456789abcdef-e"
ORDER = Order(
    client_order_id=NAME,
    symbol="AAPL",
    side=Side.BUY,
    quantity=Decimal(10),
    order_type=OrderType.MARKET,
    time_in_force=TimeInForce.DAY,
)
SENT = OrderState(order=ORDER, status=OrderStatus.UNKNOWN)


def listing(status: OrderStatus, filled: int = 0, venue_name: str = "venue-1") -> VenueOrder:
    return VenueOrder(
        order=ORDER,
        venue_order_id=venue_name,
        status=status,
        filled_quantity=Decimal(filled),
        reason="not shortable",
        replaced_by="hy1-20240102-fedcba9876543210-e",
    )


def fill(execution_id: str, quantity: int, at: int = 1, name: str = NAME) -> Fill:
    return Fill(
        execution_id=execution_id,
        client_order_id=name,
        symbol="AAPL",
        side=Side.BUY,
        quantity=Decimal(quantity),
        price=Decimal("187.30"),
        at=at,
    )


FIRST, SECOND = fill("e2", 3, at=1), fill("e1", 4, at=2)
ACCEPTED, REJECTED = Accepted("venue-1"), Rejected("not shortable")
REPLACED = Replaced("hy1-20240102-fedcba9876543210-e")


@pytest.mark.parametrize(
    ("said", "fills", "events"),
    [
        (listing(OrderStatus.ACCEPTED), (), (ACCEPTED,)),
        (listing(OrderStatus.PARTIALLY_FILLED, 3), (FIRST,), (ACCEPTED, FIRST)),
        (listing(OrderStatus.FILLED, 10), (SECOND, FIRST), (ACCEPTED, FIRST, SECOND)),
        (listing(OrderStatus.CANCELED, 3), (FIRST,), (ACCEPTED, FIRST, Canceled())),
        (listing(OrderStatus.EXPIRED, 3), (FIRST,), (ACCEPTED, FIRST, Expired())),
        (listing(OrderStatus.REPLACED, 3), (FIRST,), (ACCEPTED, FIRST, REPLACED)),
        (
            structs.replace(listing(OrderStatus.REPLACED), replaced_by=None),
            (),
            (ACCEPTED, Replaced("")),
        ),
        (listing(OrderStatus.REJECTED), (), (REJECTED,)),
        (listing(OrderStatus.REJECTED), (FIRST,), (FIRST, REJECTED)),
        (listing(OrderStatus.ACCEPTED, venue_name=""), (), ()),
        (listing(OrderStatus.UNKNOWN), (), (ACCEPTED,)),
        (listing(OrderStatus.ABSENT), (), (ACCEPTED,)),
    ],
)
def test_the_venues_word_is_an_acceptance_its_executions_and_its_end_i61(
    said: VenueOrder, fills: tuple[Fill, ...], events: tuple[OrderEvent, ...]
) -> None:
    assert events_of(said, fills) == events


def test_executions_of_other_orders_are_not_its_own_i61() -> None:
    theirs = fill("e2", 3, name="by hand")

    assert events_of(listing(OrderStatus.ACCEPTED), [theirs, FIRST]) == (ACCEPTED, FIRST)


def test_executions_of_one_instant_are_told_in_one_order_however_they_are_listed_i24() -> None:
    executions = [fill("e2", 1), fill("e1", 2), fill("e1", 3)]

    told = events_of(listing(OrderStatus.ACCEPTED), executions)

    assert told == (ACCEPTED, fill("e1", 2), fill("e1", 3), fill("e2", 1))
    assert told == events_of(listing(OrderStatus.ACCEPTED), reversed(executions))


@given(
    st.sampled_from(OrderStatus),
    st.lists(st.integers(1, 9), unique=True).map(
        lambda numbers: [fill(f"e{number}", number, at=number) for number in numbers]
    ),
)
def test_no_execution_is_made_up_or_left_out_i61(status: OrderStatus, fills: list[Fill]) -> None:
    told = [event for event in events_of(listing(status), fills) if isinstance(event, Fill)]

    assert told == sorted(fills, key=lambda execution: execution.at)


@pytest.mark.parametrize("before", [OrderStatus.ATTEMPTED, OrderStatus.UNKNOWN, OrderStatus.ABSENT])
@pytest.mark.parametrize(
    "said",
    [
        listing(OrderStatus.ACCEPTED),
        listing(OrderStatus.PARTIALLY_FILLED, 7),
        listing(OrderStatus.CANCELED, 7),
        listing(OrderStatus.EXPIRED, 7),
        listing(OrderStatus.REPLACED, 7),
        listing(OrderStatus.REJECTED),
        listing(OrderStatus.FILLED, 10),
    ],
)
def test_once_its_word_is_taken_up_the_order_is_what_the_venue_says_i19_i61(
    before: OrderStatus, said: VenueOrder
) -> None:
    fills = [FIRST, SECOND, fill("e3", 3, at=3)] if said.filled_quantity == 10 else [FIRST, SECOND]
    state = structs.replace(SENT, status=before)
    for event in events_of(said, fills if said.filled_quantity else []):
        state = after(state, event)

    assert (state.status, state.filled_quantity) == (said.status, said.filled_quantity)


def test_only_five_statuses_are_an_end_and_anything_odd_is_open_i29() -> None:
    assert [status.value for status in OrderStatus if is_over(listing(status))] == [
        "rejected",
        "expired",
        "canceled",
        "replaced",
        "filled",
    ]


def test_what_is_merely_news_is_no_contradiction_i60() -> None:
    said = listing(OrderStatus.CANCELED, 7)

    assert contradiction(SENT, said, [FIRST, SECOND], {}) is None
    assert contradiction(SENT, said, [FIRST, SECOND], {"e1": SECOND}) is None


def test_an_execution_may_be_told_twice_if_it_says_the_same_but_for_its_time_i23_i60() -> None:
    said = listing(OrderStatus.PARTIALLY_FILLED, 3)
    again = structs.replace(FIRST, at=9)

    assert contradiction(SENT, said, [FIRST, again], {"e2": structs.replace(FIRST, at=7)}) is None
    assert contradiction(SENT, said, [FIRST, fill("e2", 4, at=9)], {}) == (
        f"execution e2 of {NAME} is on record as buy 3 AAPL at 187.30, and is now reported as"
        " buy 4 AAPL at 187.30"
    )


def test_a_quantity_on_record_that_is_no_number_contradicts_every_word_i60() -> None:
    odd = structs.replace(SENT, order=structs.replace(ORDER, quantity=Decimal("NaN")))

    assert contradiction(odd, listing(OrderStatus.PARTIALLY_FILLED, 3), [FIRST], {}) == (
        "on record with 0 of NaN filled"
    )


def test_a_venue_may_be_slow_to_say_that_a_whole_order_is_over_i60() -> None:
    whole = OrderState(order=ORDER, status=OrderStatus.FILLED, filled_quantity=Decimal(10))

    assert contradiction(whole, listing(OrderStatus.PARTIALLY_FILLED, 10), [], {}) is None


def test_two_words_for_one_end_are_no_contradiction_i60() -> None:
    canceled = OrderState(order=ORDER, status=OrderStatus.CANCELED, venue_order_id="venue-1")

    assert contradiction(canceled, listing(OrderStatus.EXPIRED), [], {}) is None
    assert contradiction(canceled, listing(OrderStatus.REJECTED), [], {}) == (
        f"{NAME} is canceled, and is now said to be rejected (not shortable): the venue rejects an"
        " order before the market has it, and this one was there"
    )


def test_a_rejected_order_needs_no_name_of_the_venues_but_not_another_one_i60() -> None:
    accepted = OrderState(order=ORDER, status=OrderStatus.ACCEPTED, venue_order_id="venue-1")

    assert contradiction(accepted, listing(OrderStatus.REJECTED, venue_name=""), [], {}) is None
    assert contradiction(accepted, listing(OrderStatus.REJECTED, venue_name="v"), [], {}) == (
        "at the venue as v, on record as venue-1"
    )


@pytest.mark.parametrize("status", [OrderStatus.ACCEPTED, OrderStatus.FILLED, OrderStatus.CANCELED])
def test_that_the_quantity_is_no_number_is_the_echos_to_tell_i27(status: OrderStatus) -> None:
    said = listing(status)
    said = structs.replace(said, order=structs.replace(ORDER, quantity=Decimal("NaN")))

    assert contradiction(SENT, said, [], {}) is None
