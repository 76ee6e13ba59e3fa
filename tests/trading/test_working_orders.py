from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.exposure import Claim
from hydra.trading.order_life import (
    Absent,
    Accepted,
    Canceled,
    ImpossibleReport,
    OrderEvent,
    OrderStatus,
    Rejected,
    Replaced,
    Unknown,
    Withheld,
    after,
)
from hydra.trading.orders import OrderType, Role, Side
from hydra.trading.situation import Proposal
from hydra.trading.working_orders import (
    UnusableOrder,
    WorkingOrder,
    WorkingOrders,
    claim_of_proposal,
)
from tests.trading.risk_orders import approved, fill, limit, proposal

D = Decimal

BUY_10 = limit(Side.BUY, "10", "99", protective_stop=D(95))
SELL_10 = limit(Side.SELL, "10", "101", role=Role.EXIT)


def keeping(**wanted: Proposal) -> WorkingOrders:
    orders = WorkingOrders()
    for name, each in wanted.items():
        orders.put(approved(name, each))
    return orders


def tell(orders: WorkingOrders, name: str, *events: OrderEvent) -> None:
    for event in events:
        known = orders.get(name)
        assert known is not None
        orders.put(structs.replace(known, state=after(known.state, event)))


def names(orders: tuple[WorkingOrder, ...]) -> list[str]:
    return [each.order.client_order_id for each in orders]


def claim(wanted: Proposal, **changes: Any) -> Claim:
    made = claim_of_proposal(wanted)
    assert made is not None
    return structs.replace(made, **changes)


def test_an_order_that_was_only_intended_counts_as_attempted_i19() -> None:
    orders = keeping(a=BUY_10)

    (working,) = orders.open_in("AAPL")
    assert working.state.status is OrderStatus.ATTEMPTED
    assert orders.get("a") == working and orders.get("b") is None
    assert orders.claims_in("AAPL") == {"one": [claim(BUY_10)]}


def test_what_is_filled_is_no_longer_claimed_i25() -> None:
    orders = keeping(a=BUY_10)

    tell(orders, "a", fill(approved("a", BUY_10).order, 4, 99))

    assert [each.remaining for each in orders.open_anywhere()] == [D(6)]
    assert orders.claims_in("AAPL") == {"one": [claim(BUY_10, quantity=D(6))]}


@pytest.mark.parametrize("event", [Unknown("timed out"), Accepted("v-1")])
def test_an_order_is_open_until_its_outcome_is_proven_i19_i25(event: OrderEvent) -> None:
    orders = keeping(a=BUY_10)

    tell(orders, "a", event)

    assert names(orders.open_anywhere()) == ["a"]
    assert orders.claims_in("AAPL") == {"one": [claim(BUY_10)]}


@pytest.mark.parametrize(
    "event",
    [
        Withheld("gate shut"),
        Rejected("not shortable"),
        Canceled(),
        Replaced("b"),
        fill(approved("a", BUY_10).order, 10, 99),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_is_over_claims_nothing_i33(event: OrderEvent) -> None:
    orders = keeping(a=BUY_10)

    tell(orders, "a", event)

    assert (orders.open_in("AAPL"), orders.claims_in("AAPL")) == ((), {})
    assert orders.get("a") is not None


def test_an_entry_given_up_as_absent_is_not_open_and_claims_until_it_cannot_live_i19_i33() -> None:
    orders = keeping(a=BUY_10)

    at_market = proposal(Side.SELL, "10", role=Role.EXIT)
    tell(orders, "a", Unknown("timed out"), Absent("never found"))

    assert (orders.open_in("AAPL"), orders.opposing(at_market)) == ((), ())
    assert orders.claims_in("AAPL") == {"one": [claim(BUY_10)]}
    orders.forget_ended()  # a new session: it was an order for the day
    assert orders.claims_in("AAPL") == {}


def test_unknown_orders_are_named_until_something_is_proven_of_them_i19() -> None:
    orders = keeping(a=BUY_10, b=BUY_10, c=structs.replace(BUY_10, symbol="MSFT"))

    for name in ("a", "b", "c"):
        tell(orders, name, Unknown("timed out"))
    tell(orders, "b", Accepted("v-1"), Unknown("timed out"))

    assert (orders.unknown_in("AAPL"), orders.unknown_in("MSFT")) == (("a",), ("c",))
    assert orders.unknown_in("TSLA") == ()


def test_an_absent_order_of_which_the_venue_speaks_counts_again_i19() -> None:
    orders = keeping(a=BUY_10)
    tell(orders, "a", Unknown("timed out"), Absent("never found"))
    orders.forget_ended()

    tell(orders, "a", Accepted("v-1"))

    assert orders.claims_in("AAPL") == {"one": [claim(BUY_10)]}


def test_at_a_new_session_only_what_is_over_is_forgotten() -> None:
    orders = keeping(a=BUY_10, b=BUY_10, c=BUY_10, d=BUY_10)
    tell(orders, "b", Canceled())
    tell(orders, "c", Unknown("timed out"), Absent("never found"))
    tell(orders, "d", Unknown("timed out"))

    orders.forget_ended()

    assert [orders.get(name) is None for name in "abcd"] == [False, True, False, False]
    assert names(orders.open_anywhere()) == ["a", "d"]


def test_an_approved_order_with_a_number_of_no_order_is_not_kept_i34() -> None:
    orders = WorkingOrders()

    with pytest.raises(UnusableOrder, match=r"^a was approved with a number that no order has"):
        orders.put(approved("a", structs.replace(BUY_10, limit_price=D("NaN"))))

    assert (orders.get("a"), orders.open_anywhere()) == (None, ())


def test_orders_are_listed_by_symbol_oldest_first_whatever_is_learned_of_them() -> None:
    msft = structs.replace(BUY_10, symbol="MSFT")
    orders = keeping(a=BUY_10, b=msft, c=BUY_10)

    tell(orders, "a", Accepted("v-1"))

    assert names(orders.open_in("AAPL")) == ["a", "c"]
    assert names(orders.open_anywhere()) == ["a", "c", "b"]


WORDS = [Accepted("v-1"), Unknown("timed out"), Absent("never found"), Canceled(), Rejected("no")]


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(WORDS), st.booleans())))
def test_all_that_are_open_are_those_of_each_symbol_whenever_it_is_asked(
    told: list[tuple[str, OrderEvent, bool]],
) -> None:
    msft = structs.replace(BUY_10, symbol="MSFT")
    orders = keeping(a=BUY_10, b=msft, c=BUY_10, d=msft)

    for name, event, is_forgotten in told:
        with suppress(ImpossibleReport):
            if orders.get(name) is not None:
                tell(orders, name, event)
        if is_forgotten:
            orders.forget_ended()
        assert orders.open_anywhere() == orders.open_in("AAPL") + orders.open_in("MSFT")


def test_a_replacement_counts_beside_what_it_replaces_until_one_of_them_is_over_i26() -> None:
    second = limit(Side.BUY, "12", "98.5", replaces="a")
    orders = keeping(a=BUY_10, b=second)
    assert orders.claims_in("AAPL") == {"one": [claim(BUY_10), claim(second)]}

    tell(orders, "a", fill(approved("a", BUY_10).order, 4, 99), Replaced("b"))

    assert orders.claims_in("AAPL") == {"one": [claim(second)]}


def test_claims_are_told_apart_by_bot() -> None:
    other = limit(Side.SELL, "3", "105", bot="two")
    orders = keeping(a=BUY_10, b=other, c=SELL_10)

    assert orders.claims_in("AAPL") == {
        "one": [claim(BUY_10), claim(SELL_10)],
        "two": [claim(other)],
    }


STOP = {"order_type": OrderType.STOP, "limit_price": None, "stop_price": D(97)}


@pytest.mark.parametrize(
    ("working", "wanted", "opposes"),
    [
        # Both carry limits: only if they cross.
        (limit(Side.SELL, "1", "101"), limit(Side.BUY, "1", "100.99"), False),
        (limit(Side.SELL, "1", "101"), limit(Side.BUY, "1", "101"), True),
        (limit(Side.SELL, "1", "101"), limit(Side.BUY, "1", "102"), True),
        (limit(Side.BUY, "1", "99"), limit(Side.SELL, "1", "99.01"), False),
        (limit(Side.BUY, "1", "99"), limit(Side.SELL, "1", "99"), True),
        (limit(Side.BUY, "1", "99"), limit(Side.SELL, "1", "98"), True),
        # One of them is a market or stop order.
        (limit(Side.SELL, "1", "101"), proposal(Side.BUY, "1"), True),
        (proposal(Side.SELL, "1"), limit(Side.BUY, "1", "90"), True),
        (proposal(Side.SELL, "1"), proposal(Side.BUY, "1"), True),
        (limit(Side.SELL, "1", "101", **STOP), limit(Side.BUY, "1", "90"), True),
        (limit(Side.SELL, "1", "101"), limit(Side.BUY, "1", "90", **STOP), True),
        # A stop order may have a limit besides; it is a stop order all the same.
        (
            limit(Side.SELL, "1", "101", order_type=OrderType.STOP, stop_price=D(97)),
            limit(Side.BUY, "1", "90"),
            True,
        ),
        (
            limit(Side.SELL, "1", "101"),
            limit(Side.BUY, "1", "90", order_type=OrderType.STOP, stop_price=D(97)),
            True,
        ),
        # Another bot's, and one's own; not another symbol's, nor the same side's.
        (limit(Side.SELL, "1", "101", bot="two"), proposal(Side.BUY, "1"), True),
        (limit(Side.SELL, "1", "101", symbol="MSFT"), proposal(Side.BUY, "1"), False),
        (limit(Side.BUY, "1", "101"), proposal(Side.BUY, "1"), False),
        # What is no limit is taken for one that crosses.
        (limit(Side.SELL, "1", "101"), limit(Side.BUY, "1", "NaN"), True),
        (limit(Side.SELL, "1", "101"), limit(Side.BUY, "1", "1", limit_price=None), True),
        (limit(Side.SELL, "1", "1", limit_price=None), limit(Side.BUY, "1", "90"), True),
    ],
)
def test_an_order_that_would_be_a_wash_trade_is_named_i42(
    working: Proposal, wanted: Proposal, opposes: bool
) -> None:
    orders = keeping(a=working)

    assert orders.opposing(wanted) == (("a",) if opposes else ())


def test_an_unknown_order_opposes_and_one_that_is_over_does_not_i42() -> None:
    orders = keeping(a=SELL_10, b=SELL_10, c=SELL_10)
    tell(orders, "a", Unknown("timed out"))
    tell(orders, "b", Canceled())

    assert orders.opposing(proposal(Side.BUY, "1")) == ("a", "c")


def test_what_an_order_replaces_does_not_oppose_it_i26_i42() -> None:
    orders = keeping(a=BUY_10)

    assert orders.opposing(limit(Side.BUY, "10", "102", replaces="a")) == ()
