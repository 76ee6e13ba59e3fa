"""The risk book sums up only what has changed since it was last asked; nobody may see that."""

from contextlib import suppress
from decimal import Decimal
from typing import NamedTuple, TypeAlias, assert_never

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.order_life import (
    Absent,
    Accepted,
    Canceled,
    ImpossibleReport,
    OrderEvent,
    Unknown,
)
from hydra.trading.orders import OrderType, Role, Side
from hydra.trading.risk_book import RiskBook
from hydra.trading.situation import Proposal
from tests.trading.risk_orders import approved, fill, proposal

D = Decimal
BOTS, SYMBOLS = ("one", "two", "three"), ("AAPL", "MSFT")
NUMBERS = st.sampled_from([D("0.5"), D(1), D("1.10"), D("2.000"), D(7), D("1E+1")])
PRICES = st.sampled_from([D(90), D("99.5"), D("99.99"), D("100.00"), D("1E+2"), D("100.010")])
"""Written in many ways: a sum is to have the places that it has when it is made at once."""


class Mark(NamedTuple):
    symbol: str
    price: Decimal


class Reserve(NamedTuple):
    wanted: Proposal


class Learn(NamedTuple):
    """Of one of the orders. A number: so much of it was executed, at the price."""

    number: int
    said: OrderEvent | Decimal
    price: Decimal


class Exclude(NamedTuple):
    symbol: str
    quantity: Decimal


class ForgetEnded(NamedTuple):
    pass


Event: TypeAlias = Mark | Reserve | Learn | Exclude | ForgetEnded


@st.composite
def wishes(draw: st.DrawFn) -> Proposal:
    limit = draw(st.none() | PRICES)
    return proposal(
        draw(st.sampled_from(Side)),
        draw(NUMBERS),
        bot=draw(st.sampled_from(BOTS)),
        symbol=draw(st.sampled_from(SYMBOLS)),
        role=draw(st.sampled_from([Role.ENTRY, Role.ENTRY, Role.EXIT])),
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        limit_price=limit,
        reference_price=draw(st.none() | PRICES),
        protective_stop=draw(st.none() | PRICES),
    )


SAID = [Accepted("v-1"), Canceled(), Unknown("timed out"), Absent("never found")]
EVENTS = st.one_of(
    st.builds(Mark, st.sampled_from(SYMBOLS), PRICES | st.just(D("NaN"))),
    st.builds(Reserve, wishes()),
    st.builds(Learn, st.integers(0, 20), NUMBERS | st.sampled_from(SAID), PRICES),
    st.builds(Exclude, st.sampled_from(SYMBOLS), st.sampled_from([D(0), D(3), D("-2.5")])),
    st.just(ForgetEnded()),
)


def happen(book: RiskBook, number: int, event: Event, orders: list[Proposal]) -> None:
    """`number`: how many events there were before."""
    match event:
        case Mark(symbol, price):
            book.mark(symbol, price, number)
        case Reserve(wanted):
            assert book.reserve(approved(f"order-{len(orders)}", wanted))
            orders.append(wanted)
        case Learn() if orders:
            name = f"order-{event.number % len(orders)}"
            order = approved(name, orders[event.number % len(orders)])
            said = event.said
            if isinstance(said, Decimal):
                said = fill(order.order, said, event.price, number)
            with suppress(ImpossibleReport):  # it has changed nothing
                book.learned(order.decision, name, said)
        case Learn():
            pass
        case Exclude(symbol, quantity):
            book.exclude(symbol, quantity)
        case ForgetEnded():
            book.forget_ended()
        case _:
            assert_never(event)


def answers(book: RiskBook, wanted: Proposal) -> str:
    """All that it can be asked, to the last digit and place: it goes on record as it is. Only in
    which order the bots come is nobody's business.
    """
    return repr(
        (
            book.view(wanted),
            sorted(book.at_risk().items()),
            book.gross_exposure,
            book.heat,
            book.market_value,
            book.is_flat,
            book.positions,
        )
    )


@given(events=st.lists(EVENTS, max_size=12), wanted=wishes())
def test_a_book_asked_after_every_event_answers_as_one_that_is_asked_for_the_first_time_i33(
    events: list[Event], wanted: Proposal
) -> None:
    often, orders = RiskBook(D("1.5")), list[Proposal]()
    for count, event in enumerate(events):
        happen(often, count, event, orders)
        answered = answers(often, wanted)

        first, again = RiskBook(D("1.5")), list[Proposal]()
        for number, earlier in enumerate(events[: count + 1]):
            happen(first, number, earlier, again)
        assert answered == answers(first, wanted)


@given(events=st.lists(EVENTS, max_size=12), wanted=wishes())
def test_to_ask_of_a_symbol_that_the_book_has_nothing_in_leaves_nothing_i33(
    events: list[Event], wanted: Proposal
) -> None:
    book, orders = RiskBook(D("1.5")), list[Proposal]()
    for number, event in enumerate(events):
        happen(book, number, event, orders)
    before = answers(book, wanted)

    book.view(structs.replace(wanted, symbol="TSLA"))

    assert answers(book, wanted) == before
