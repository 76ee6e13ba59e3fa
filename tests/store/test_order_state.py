from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.store.order_state import (
    ImpossibleReport,
    OrderState,
    OrderStatus,
    after,
    require_same_execution,
)
from hydra.trading.orders import Side
from messages.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    OrderUnknown,
    OrderWithheld,
    Outcome,
)
from tests.store.orders import AT, approved, filled

ORDER = approved().order
NAME = ORDER.client_order_id
ATTEMPTED = OrderState(order=ORDER, status=OrderStatus.ATTEMPTED)

ACCEPTED = OrderAccepted(client_order_id=NAME, venue_order_id="venue-1", at=AT)
REJECTED = OrderRejected(client_order_id=NAME, reason="not shortable", at=AT)
CANCELED = OrderCanceled(client_order_id=NAME, at=AT)
EXPIRED = OrderExpired(client_order_id=NAME, at=AT)
UNKNOWN = OrderUnknown(client_order_id=NAME, reason="no answer in 15 s", at=AT)
WITHHELD = OrderWithheld(client_order_id=NAME, reason="gate shut", at=AT)
FILLED_4 = filled(ORDER, "4", "execution-1")
FILLED_6 = filled(ORDER, "6", "execution-2")

VENUE_REPORTS: list[Outcome] = [ACCEPTED, REJECTED, CANCELED, EXPIRED, UNKNOWN, FILLED_4]


def after_all(*reports: Outcome) -> OrderState:
    state = ATTEMPTED
    for report in reports:
        state = after(state, report)
    return state


@pytest.mark.parametrize(
    ("reports", "state"),
    [
        ([], OrderState(order=ORDER, status=OrderStatus.ATTEMPTED)),
        (
            [WITHHELD],
            OrderState(order=ORDER, status=OrderStatus.WITHHELD, reason="gate shut"),
        ),
        (
            [UNKNOWN],
            OrderState(order=ORDER, status=OrderStatus.UNKNOWN, reason="no answer in 15 s"),
        ),
        (
            [UNKNOWN, ACCEPTED],
            OrderState(order=ORDER, status=OrderStatus.ACCEPTED, venue_order_id="venue-1"),
        ),
        (
            [REJECTED],
            OrderState(order=ORDER, status=OrderStatus.REJECTED, reason="not shortable"),
        ),
        (
            [FILLED_4],
            OrderState(
                order=ORDER, status=OrderStatus.PARTIALLY_FILLED, filled_quantity=Decimal(4)
            ),
        ),
        (
            [ACCEPTED, FILLED_4, FILLED_6],
            OrderState(
                order=ORDER,
                status=OrderStatus.FILLED,
                venue_order_id="venue-1",
                filled_quantity=Decimal(10),
            ),
        ),
        (
            [FILLED_4, EXPIRED],
            OrderState(order=ORDER, status=OrderStatus.EXPIRED, filled_quantity=Decimal(4)),
        ),
        (
            [CANCELED, FILLED_4],
            OrderState(order=ORDER, status=OrderStatus.CANCELED, filled_quantity=Decimal(4)),
        ),
        (
            [CANCELED, FILLED_4, FILLED_6],
            OrderState(order=ORDER, status=OrderStatus.FILLED, filled_quantity=Decimal(10)),
        ),
    ],
)
def test_reports_add_up_to_a_state(reports: list[Outcome], state: OrderState) -> None:
    assert after_all(*reports) == state


@given(data=st.data())
def test_the_state_does_not_depend_on_the_order_of_arrival_i24(data: st.DataObject) -> None:
    quantities = data.draw(st.lists(st.integers(1, 4), max_size=2).filter(lambda q: sum(q) <= 10))
    reports: list[Outcome] = [
        filled(ORDER, str(quantity), f"execution-{number}")
        for number, quantity in enumerate(quantities)
    ]
    reports += data.draw(st.sets(st.sampled_from([ACCEPTED, UNKNOWN])))
    reports += data.draw(st.sampled_from([[], [REJECTED], [CANCELED], [EXPIRED]]))

    states = {
        msgspec.json.encode(after_all(*data.draw(st.permutations(reports)))) for _ in range(3)
    }

    assert len(states) == 1


@given(
    reports=st.permutations([ACCEPTED, UNKNOWN, FILLED_4, FILLED_6, CANCELED, EXPIRED, REJECTED])
)
def test_neither_the_filled_quantity_nor_the_status_ever_goes_back_i23(
    reports: list[Outcome],
) -> None:
    distance = list(OrderStatus).index
    state = ATTEMPTED
    for report in reports:
        before, state = state, after(state, report)

        assert state.filled_quantity >= before.filled_quantity
        assert distance(state.status) >= distance(before.status)


@pytest.mark.parametrize("report", [ACCEPTED, REJECTED, CANCELED, EXPIRED, UNKNOWN, WITHHELD])
def test_the_same_report_again_brings_nothing_new(report: Outcome) -> None:
    state = after(ATTEMPTED, report)

    assert after(state, report) == state


@pytest.mark.parametrize("report", [REJECTED, UNKNOWN])
def test_the_first_words_for_a_status_stand(report: OrderRejected | OrderUnknown) -> None:
    state = after(ATTEMPTED, report)

    assert after(state, msgspec.structs.replace(report, reason="in other words")) == state


@pytest.mark.parametrize("report", VENUE_REPORTS)
def test_an_order_that_was_never_sent_can_have_no_report(report: Outcome) -> None:
    with pytest.raises(ImpossibleReport, match=f"withheld and never sent.*{type(report).__name__}"):
        after_all(WITHHELD, report)


@pytest.mark.parametrize("report", VENUE_REPORTS)
def test_an_order_with_a_report_cannot_have_been_withheld(report: Outcome) -> None:
    with pytest.raises(ImpossibleReport, match="withheld and never sent, but it is"):
        after_all(report, WITHHELD)


@pytest.mark.parametrize(
    ("reports", "says"),
    [
        ([FILLED_4, filled(ORDER, "6.000000001", "e-2")], "makes 10.000000001 filled, of 10 "),
        ([filled(ORDER, "0")], "wanted a quantity over zero"),
        ([filled(ORDER, "-4")], "wanted a quantity over zero"),
        ([filled(ORDER, "NaN")], "wanted a quantity over zero"),
        ([filled(ORDER, "4", price=Decimal(-1))], "and a price of zero or more"),
        ([filled(ORDER, "Infinity")], "wanted a quantity over zero"),
        ([filled(ORDER, "4", price=Decimal("NaN"))], "and a price"),
        ([filled(ORDER, "4", symbol="MSFT")], "is a buy of AAPL, but .* buy 4 MSFT at 187.30"),
        ([filled(ORDER, "4", side=Side.SELL)], "is a buy of AAPL, but .* sell 4 AAPL at 187.30"),
        (
            [ACCEPTED, OrderAccepted(client_order_id=NAME, venue_order_id="venue-2", at=AT)],
            "is order venue-1 at the venue, and is now accepted as venue-2",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_both_sides_of_it_i22(
    reports: list[Outcome], says: str
) -> None:
    with pytest.raises(ImpossibleReport, match=says):
        after_all(*reports)


def test_quantities_are_added_to_the_last_digit() -> None:
    whole, dust = Decimal(12345678901234567890), Decimal("0.000000000000000001")
    order = msgspec.structs.replace(ORDER, quantity=Decimal(12345678901234567891))

    state = after(
        OrderState(order=order, status=OrderStatus.ATTEMPTED), filled(order, whole, "execution-1")
    )
    state = after(state, filled(order, dust, "execution-2"))

    assert state.filled_quantity == Decimal("12345678901234567890.000000000000000001")


def test_one_execution_may_be_dated_twice_but_is_one_execution() -> None:
    fill = FILLED_4.fill

    require_same_execution(fill, msgspec.structs.replace(fill, at=fill.at + 1))
    require_same_execution(fill, msgspec.structs.replace(fill, price=Decimal("187.3")))
    with pytest.raises(ImpossibleReport, match=r"buy 4 AAPL at 187\.30.* now .* at 187\.31"):
        require_same_execution(fill, msgspec.structs.replace(fill, price=Decimal("187.31")))
    with pytest.raises(ImpossibleReport, match=r"buy 4 AAPL .* now .* buy 5 AAPL"):
        require_same_execution(fill, msgspec.structs.replace(fill, quantity=Decimal(5)))


@pytest.mark.parametrize("status", list(OrderStatus))
def test_only_what_cannot_be_at_the_venue_any_more_is_closed(status: OrderStatus) -> None:
    closed = {"intended", "withheld", "rejected", "expired", "canceled", "filled"}

    assert status.is_open == (status.value not in closed)
