"""Orders that work on though their cancel was asked for."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.causes import CANCEL_PENDING, OPERATOR_HALT
from hydra.trading.durations import SECOND
from hydra.trading.order_life import (
    Absent,
    Accepted,
    Canceled,
    Expired,
    OrderEvent,
    OrderState,
    OrderStatus,
    Rejected,
    Replaced,
    Unknown,
    Withheld,
)
from hydra.trading.orders import DecisionKey, Role
from hydra.trading.pending_cancels import (
    LOOK_EVERY,
    STUCK_AFTER,
    PendingCancels,
    still_pending,
)
from hydra.trading.working_orders import WorkingOrder
from tests.store.orders import approved, filled

NOW = 1_000 * SECOND
ORDER = approved().order


def fill(quantity: str) -> OrderEvent:
    return filled(ORDER, quantity).fill


def asked() -> PendingCancels:
    cancels = PendingCancels()
    cancels.order_sent("one", "AAPL", Decimal(10))
    cancels.requested("one", NOW)
    return cancels


def test_it_is_stuck_after_half_a_minute_which_is_told_once_i10_i25() -> None:
    cancels = asked()
    assert cancels.newly_stuck(NOW + STUCK_AFTER - 1) == ()

    (stuck,) = cancels.newly_stuck(NOW + STUCK_AFTER)

    assert (stuck.client_order_id, stuck.symbol) == ("one", "AAPL")
    assert cancels.newly_stuck(NOW + 10 * STUCK_AFTER) == ()
    assert cancels.shut == {"AAPL": "asked to go, and works on: one"}


@given(st.lists(st.integers(0, 20 * SECOND), max_size=20))
def test_asking_again_and_again_delays_neither_the_alarm_nor_a_look_i10(pauses: list[int]) -> None:
    cancels, now = asked(), NOW
    for pause in pauses:
        now += pause
        cancels.requested("one", now)
        due = cancels.next_due
        assert due is not None
        if now >= due:
            cancels.newly_stuck(now)
            assert bool(cancels.shut) is (now >= NOW + STUCK_AFTER)
        else:
            assert due - now <= (LOOK_EVERY if cancels.shut else STUCK_AFTER)


def test_what_was_not_asked_for_or_not_sent_is_not_waited_for() -> None:
    cancels = PendingCancels()
    cancels.order_sent("one", "AAPL", Decimal(10))
    cancels.requested("another", NOW)

    assert (cancels.next_due, cancels.newly_stuck(NOW + STUCK_AFTER), cancels.shut) == (
        None,
        (),
        {},
    )


@pytest.mark.parametrize(
    ("event", "ends"),
    [
        (Accepted("v-1"), False),
        (Unknown("no answer"), False),
        (fill("4"), False),
        (fill("10"), True),
        (Canceled(), True),
        (Expired(), True),
        (Replaced("two"), True),
        (Rejected("no"), True),
        (Withheld("shut"), True),
        (Absent("gone"), True),
    ],
)
def test_an_order_is_over_when_all_is_executed_or_the_venue_says_so_i25(
    event: OrderEvent, ends: bool
) -> None:
    cancels = asked()

    assert cancels.is_over_after("one", event) is ends

    if ends:
        cancels.order_ended("one")
        assert cancels.next_due is None


def test_a_symbol_is_shut_for_all_that_is_stuck_there_and_for_no_other_i10_i25() -> None:
    cancels = asked()
    for name, symbol in (("two", "AAPL"), ("three", "MSFT"), ("four", "MSFT")):
        cancels.order_sent(name, symbol, Decimal(10))
    cancels.requested("two", NOW)
    cancels.requested("three", NOW + 1)
    cancels.newly_stuck(NOW + STUCK_AFTER)

    assert cancels.shut == {"AAPL": "asked to go, and works on: one, two"}
    cancels.order_ended("one")
    cancels.newly_stuck(NOW + STUCK_AFTER + 1)
    assert cancels.shut == {
        "AAPL": "asked to go, and works on: two",
        "MSFT": "asked to go, and works on: three",
    }


@pytest.mark.parametrize(
    ("name", "role", "symbol", "is_pending"),
    [
        ("one", Role.PROTECT, "AAPL", True),
        ("one", Role.EXIT, "AAPL", True),
        ("another", Role.ENTRY, "AAPL", True),
        ("another", Role.PROTECT, "AAPL", False),  # it rests, and nobody wants it out
        ("one", Role.PROTECT, "MSFT", False),
    ],
)
def test_it_is_still_so_while_an_entry_or_an_order_that_is_named_works_i10_i25(
    name: str, role: Role, symbol: str, is_pending: bool
) -> None:
    cancels = asked()
    cancels.newly_stuck(NOW + STUCK_AFTER)
    cause = CANCEL_PENDING.cause(since=1, detail=cancels.shut["AAPL"], subject="AAPL")
    other = OPERATOR_HALT.cause(since=1, detail="one")
    order = structs.replace(ORDER, client_order_id=name, symbol=symbol)
    working = WorkingOrder(
        decision=DecisionKey("a", symbol, "2016-04-15", 1, role),
        state=OrderState(order=order, status=OrderStatus.ACCEPTED),
        reference_price=None,
    )

    assert still_pending([cause, other], [working]) == frozenset([cause.code] * is_pending)
    assert still_pending([cause, other], []) == frozenset()


def test_executions_of_parts_add_up_to_the_end_i23_i25() -> None:
    cancels = asked()

    ends = [cancels.is_over_after("one", fill(quantity)) for quantity in ("4", "5", "1")]

    assert ends == [False, False, True]
    assert not cancels.is_over_after("never sent", fill("10"))
