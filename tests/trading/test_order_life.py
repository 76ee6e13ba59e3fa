import re
from collections.abc import Iterable
from decimal import Decimal
from itertools import chain, combinations, permutations, product
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.trading.order_life import (
    SAID,
    TRANSITIONS,
    Absent,
    Accepted,
    Attempted,
    Canceled,
    Expired,
    Impossible,
    ImpossibleReport,
    OrderEvent,
    OrderState,
    OrderStatus,
    Rejected,
    Replaced,
    Unknown,
    Withheld,
    after,
    is_rewording,
)
from hydra.trading.orders import Fill, Order, OrderType, Side, TimeInForce

NAME = "hy1-20240102-0123456789abcdef-e"
ORDER = Order(
    client_order_id=NAME,
    symbol="AAPL",
    side=Side.BUY,
    quantity=Decimal(10),
    order_type=OrderType.MARKET,
    time_in_force=TimeInForce.DAY,
)
INTENDED = OrderState(order=ORDER)
ATTEMPTED = OrderState(order=ORDER, status=OrderStatus.ATTEMPTED)


def fill(quantity: str, execution_id: str = "execution-1", price: str = "187.30") -> Fill:
    return Fill(
        execution_id=execution_id,
        client_order_id=NAME,
        symbol="AAPL",
        side=Side.BUY,
        quantity=Decimal(quantity),
        price=Decimal(price),
        at=1_704_205_800_000_000_000,
    )


WITHHELD = Withheld("gate shut")
UNKNOWN = Unknown("no answer in 15 s")
ACCEPTED = Accepted("venue-1")
REJECTED = Rejected("not shortable")
CANCELED, EXPIRED = Canceled(), Expired()
REPLACED = Replaced("hy1-20240102-fedcba9876543210-e")
ABSENT = Absent("5 looks in 60 s found nothing")
FILLED_4, FILLED_6 = fill("4", "execution-1"), fill("6.0", "execution-2")
FILLED_10 = fill("10", "execution-3")

VENUE_REPORTS: list[OrderEvent] = [
    *(UNKNOWN, ACCEPTED, REJECTED, CANCELED, EXPIRED, REPLACED),
    *(FILLED_4, FILLED_10),
]


def after_all(*events: OrderEvent, start: OrderState = ATTEMPTED) -> OrderState:
    """As a ledger does it: what is counted is looked up under its execution ID."""
    state, counted = start, dict[str, Fill]()
    for event in events:
        if isinstance(event, Fill):
            state = after(state, event, counted.get(event.execution_id))
            counted.setdefault(event.execution_id, event)
        else:
            state = after(state, event)
    return state


def outcome_of(events: Iterable[OrderEvent]) -> OrderState | None:
    """What they say together; None if it cannot be."""
    try:
        return after_all(*events)
    except ImpossibleReport:
        return None


def test_the_table_has_an_answer_for_every_status_and_every_word_i22() -> None:
    said = set(OrderStatus) - {OrderStatus.INTENDED}

    assert set(SAID) == said
    assert set(TRANSITIONS) == set(product(OrderStatus, said))


def test_an_event_leads_to_what_it_says_or_changes_nothing_or_is_impossible_i22() -> None:
    for (status, said), following in TRANSITIONS.items():
        assert isinstance(following, Impossible) or following in (status, said)


def test_no_status_ever_comes_back_i23() -> None:
    onward = {status: {status} for status in OrderStatus}
    for _ in OrderStatus:
        for (status, _), following in TRANSITIONS.items():
            if isinstance(following, OrderStatus):
                onward[status] |= onward[following]

    for status, other in permutations(OrderStatus, 2):
        assert not (other in onward[status] and status in onward[other])


def test_nothing_is_sent_that_is_at_the_venue_or_over_i22() -> None:
    may_be_sent = {
        status
        for status in OrderStatus
        if not isinstance(TRANSITIONS[status, OrderStatus.ATTEMPTED], Impossible)
    }

    assert may_be_sent == {OrderStatus.INTENDED, OrderStatus.ATTEMPTED, OrderStatus.UNKNOWN}


# A state of each status, and an event for each word, that fits it.
STATES: dict[OrderStatus, OrderState] = {
    OrderStatus.INTENDED: INTENDED,
    OrderStatus.ATTEMPTED: ATTEMPTED,
    OrderStatus.WITHHELD: after_all(WITHHELD),
    OrderStatus.UNKNOWN: after_all(UNKNOWN),
    OrderStatus.ACCEPTED: after_all(ACCEPTED),
    OrderStatus.PARTIALLY_FILLED: after_all(FILLED_4),
    OrderStatus.REJECTED: after_all(REJECTED),
    OrderStatus.ABSENT: after_all(ABSENT),
    OrderStatus.EXPIRED: after_all(EXPIRED),
    OrderStatus.CANCELED: after_all(CANCELED),
    OrderStatus.REPLACED: after_all(REPLACED),
    OrderStatus.FILLED: after_all(FILLED_10),
}


def event_saying(said: OrderStatus, state: OrderState) -> OrderEvent:
    remaining = ORDER.quantity - state.filled_quantity
    events: dict[OrderStatus, OrderEvent] = {
        OrderStatus.ATTEMPTED: Attempted(),
        OrderStatus.WITHHELD: WITHHELD,
        OrderStatus.UNKNOWN: UNKNOWN,
        OrderStatus.ACCEPTED: ACCEPTED,
        OrderStatus.REJECTED: REJECTED,
        OrderStatus.PARTIALLY_FILLED: fill("1", "execution-9"),
        OrderStatus.FILLED: fill(str(remaining), "execution-9") if remaining else FILLED_10,
        OrderStatus.CANCELED: CANCELED,
        OrderStatus.EXPIRED: EXPIRED,
        OrderStatus.REPLACED: REPLACED,
        OrderStatus.ABSENT: ABSENT,
    }
    return events[said]


@pytest.mark.parametrize(("status", "said"), list(TRANSITIONS))
def test_every_state_goes_where_the_table_says_i22(status: OrderStatus, said: OrderStatus) -> None:
    state, following = STATES[status], TRANSITIONS[status, said]
    event = event_saying(said, state)

    if isinstance(following, OrderStatus):
        assert after(state, event).status is following
        return
    with pytest.raises(ImpossibleReport) as refused:
        after(state, event)

    says = str(refused.value)
    assert says.startswith(f"{NAME} is {status.words}")
    assert re.search("and is now said to be (partially )?(.*): (.*)$", says)
    assert said.words in says.partition("and is now said to be")[2] or isinstance(event, Fill)
    assert says.endswith(following.why)


@pytest.mark.parametrize(
    ("events", "says"),
    [
        (
            [REJECTED, FILLED_4],
            "is rejected (not shortable), and is now said to be partially filled (execution exec",
        ),
        (
            [REJECTED, FILLED_4],
            "-1: buy 4 AAPL at 187.30): an order that the venue rejected was never in the market",
        ),
        (
            [FILLED_4, REJECTED],
            "is partially filled (4 of 10 filled), and is now said to be rejected (not shortable):",
        ),
        ([FILLED_10, REJECTED], "is filled (10 of 10 filled), and is now said to be rejected"),
        ([FILLED_4, CANCELED, REJECTED], "is canceled (4 of 10 filled), and is now said"),
        ([WITHHELD, ACCEPTED], "is withheld (gate shut), and is now said to be accepted (as ven"),
        ([WITHHELD, FILLED_4], "the venue cannot know of an order that was never sent"),
        ([ACCEPTED, WITHHELD], "is accepted, and is now said to be withheld (gate shut): an order"),
        ([UNKNOWN, WITHHELD], "is unknown (no answer in 15 s), and is now said to be withheld"),
        ([ACCEPTED, Attempted()], "is accepted, and is now said to be attempted: what is at"),
        (
            [ACCEPTED, Accepted("venue-2")],
            "is order venue-1 at the venue, and is now accepted as venue-2",
        ),
        ([ACCEPTED, FILLED_10, Accepted("venue-2")], "is order venue-1 at the venue, and is now"),
        (
            [FILLED_4, fill("6.000000001", "execution-2")],
            "-2, buy 6.000000001 AAPL at 187.30, makes 10.000000001 filled, of 10 ordered",
        ),
        ([FILLED_10, fill("0.1", "execution-1")], "the whole order was executed"),
        ([CANCELED, fill("11")], "makes 11 filled, of 10 ordered"),
        ([fill("0")], "wanted a quantity over zero"),
        ([fill("-4")], "wanted a quantity over zero"),
        ([fill("NaN")], "wanted a quantity over zero"),
        ([fill("sNaN")], "wanted a quantity over zero"),
        ([fill("Infinity")], "wanted a quantity over zero"),
        ([fill("4", price="-1")], "and a price of zero or more"),
        ([fill("4", price="NaN")], "and a price of zero or more"),
        (
            [msgspec.structs.replace(FILLED_4, symbol="MSFT")],
            f"is a buy of AAPL, but execution execution-1 of {NAME} is buy 4 MSFT at 187.30",
        ),
        ([msgspec.structs.replace(FILLED_4, side=Side.SELL)], "is a buy of AAPL, but execution"),
        (
            [msgspec.structs.replace(FILLED_4, client_order_id="another")],
            f"{NAME} is a buy of AAPL, but execution execution-1 of another is buy 4 AAPL",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_both_sides_of_it_i22(
    events: list[OrderEvent], says: str
) -> None:
    after_all(*events[:-1])

    with pytest.raises(ImpossibleReport, match=re.escape(says)):
        after_all(*events)


def test_an_order_that_is_only_intended_can_be_attempted_or_withheld_i22() -> None:
    withheld = OrderState(order=ORDER, status=OrderStatus.WITHHELD, reason="gate shut")

    assert after(INTENDED, Attempted()) == ATTEMPTED
    assert after(INTENDED, WITHHELD) == after(ATTEMPTED, WITHHELD) == withheld


@pytest.mark.parametrize("report", VENUE_REPORTS)
def test_an_order_that_was_never_sent_can_have_no_report_i22(report: OrderEvent) -> None:
    with pytest.raises(ImpossibleReport, match=r"is intended, and is now .* never sent"):
        after(INTENDED, report)
    with pytest.raises(ImpossibleReport, match=r"is withheld \(gate shut\), and .* never sent"):
        after_all(WITHHELD, report)


@pytest.mark.parametrize("report", VENUE_REPORTS)
def test_an_order_with_a_report_cannot_have_been_withheld_i22(report: OrderEvent) -> None:
    with pytest.raises(ImpossibleReport, match=r"to be withheld .* is withheld before it is sent"):
        after_all(report, WITHHELD)


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], ATTEMPTED),
        ([WITHHELD], OrderState(order=ORDER, status=OrderStatus.WITHHELD, reason="gate shut")),
        (
            [UNKNOWN, Attempted()],
            OrderState(order=ORDER, status=OrderStatus.UNKNOWN, reason="no answer in 15 s"),
        ),
        (
            [UNKNOWN, ACCEPTED],
            OrderState(order=ORDER, status=OrderStatus.ACCEPTED, venue_order_id="venue-1"),
        ),
        (
            [REJECTED, UNKNOWN, ACCEPTED],
            OrderState(
                order=ORDER,
                status=OrderStatus.REJECTED,
                reason="not shortable",
                venue_order_id="venue-1",
            ),
        ),
        (
            [FILLED_4, FILLED_4],
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
            [EXPIRED, CANCELED],
            OrderState(order=ORDER, status=OrderStatus.CANCELED),
        ),
        (
            [REPLACED, CANCELED, FILLED_4],
            OrderState(
                order=ORDER,
                status=OrderStatus.REPLACED,
                reason=f"by {REPLACED.by}",
                filled_quantity=Decimal(4),
            ),
        ),
        (
            [Replaced("")],
            OrderState(order=ORDER, status=OrderStatus.REPLACED),
        ),
        (
            [UNKNOWN, ABSENT],
            OrderState(
                order=ORDER, status=OrderStatus.ABSENT, reason="5 looks in 60 s found nothing"
            ),
        ),
    ],
)
def test_reports_add_up_to_a_state(events: list[OrderEvent], state: OrderState) -> None:
    assert after_all(*events) == state


@pytest.mark.parametrize("end", [CANCELED, EXPIRED, REPLACED])
def test_a_fill_that_is_heard_after_the_end_counts_i25(end: OrderEvent) -> None:
    part = msgspec.structs.replace(after_all(end), filled_quantity=Decimal(4))
    whole = OrderState(order=ORDER, status=OrderStatus.FILLED, filled_quantity=Decimal(10))

    assert after_all(FILLED_4, end) == after_all(end, FILLED_4) == part
    assert after_all(FILLED_4, FILLED_6, end) == after_all(end, FILLED_4, FILLED_6) == whole


def test_an_order_counts_as_live_until_a_word_that_ends_it_i25() -> None:
    open_statuses = {status for status in OrderStatus if status.is_open}
    closing = {
        said
        for (status, said), following in TRANSITIONS.items()
        if status.is_open and isinstance(following, OrderStatus) and not following.is_open
    }

    assert {status.value for status in open_statuses} == {
        "attempted",
        "unknown",
        "accepted",
        "partially_filled",
    }
    assert {said.value for said in closing} == {
        "withheld",
        "absent",
        "rejected",
        "canceled",
        "expired",
        "replaced",
        "filled",
    }


def test_of_the_names_of_one_end_the_one_that_says_most_stands_i24() -> None:
    assert after_all(EXPIRED, CANCELED) == after_all(CANCELED, EXPIRED) == after_all(CANCELED)
    assert after_all(CANCELED, REPLACED) == after_all(REPLACED, CANCELED) == after_all(REPLACED)
    assert after_all(EXPIRED, REPLACED) == after_all(REPLACED, EXPIRED) == after_all(REPLACED)


@pytest.mark.parametrize("word", [ACCEPTED, REJECTED, FILLED_4, FILLED_10, CANCELED, REPLACED])
def test_an_order_that_was_given_up_lives_again_by_the_venue_s_word_i19_i24(
    word: OrderEvent,
) -> None:
    assert after_all(UNKNOWN, ABSENT, word) == after_all(word, ABSENT, UNKNOWN) == after_all(word)


def test_giving_up_is_no_proof_of_anything_i19() -> None:
    assert after_all(ABSENT, UNKNOWN) == after_all(UNKNOWN, ABSENT) == after_all(ABSENT)
    assert after_all(WITHHELD, ABSENT) == after_all(ABSENT, WITHHELD) == after_all(WITHHELD)
    assert not after_all(ABSENT).status.is_open
    with pytest.raises(ImpossibleReport, match=r"is intended, and is now .* absent .* never sent"):
        after(INTENDED, ABSENT)
    with pytest.raises(ImpossibleReport, match=r"is absent .* it could trade twice"):
        after_all(UNKNOWN, ABSENT, Attempted())


def test_quantities_are_added_to_the_last_digit_i23() -> None:
    whole, dust = "12345678901234567890", "0.000000000000000001"
    order = msgspec.structs.replace(ORDER, quantity=Decimal(12345678901234567891))
    start = OrderState(order=order, status=OrderStatus.ATTEMPTED)

    state = after_all(fill(whole, "execution-1"), fill(dust, "execution-2"), start=start)

    assert state.filled_quantity == Decimal("12345678901234567890.000000000000000001")


def test_a_thousand_parts_of_a_billionth_are_a_millionth_exactly_i23() -> None:
    order = msgspec.structs.replace(ORDER, quantity=Decimal("0.000001"))
    start = OrderState(order=order, status=OrderStatus.ATTEMPTED)
    parts = [fill("0.000000001", f"execution-{number}") for number in range(1_000)]

    nearly = after_all(ACCEPTED, *parts[1:], *parts[1:], start=start)
    whole = after_all(ACCEPTED, *reversed(parts), start=start)

    assert (nearly.status, nearly.filled_quantity) == (
        OrderStatus.PARTIALLY_FILLED,
        Decimal("0.000000999"),
    )
    assert (whole.status, whole.filled_quantity) == (OrderStatus.FILLED, Decimal("0.000001"))


def test_one_execution_may_be_dated_twice_but_is_one_execution_i23() -> None:
    dated_later = msgspec.structs.replace(FILLED_4, at=FILLED_4.at + 1)

    assert after_all(FILLED_4, dated_later) == after_all(FILLED_4)
    assert after_all(FILLED_4, fill("4.0", price="187.3")) == after_all(FILLED_4)
    with pytest.raises(ImpossibleReport, match=r"buy 4 AAPL at 187\.30.* now .* at 187\.31"):
        after_all(FILLED_4, fill("4", price="187.31"))
    with pytest.raises(ImpossibleReport, match=r"buy 4 AAPL .* now .* buy 5 AAPL"):
        after_all(FILLED_4, fill("5"))


@pytest.mark.parametrize("make", [Withheld, Unknown, Absent, Rejected, Replaced])
def test_of_two_wordings_the_longer_stands_whichever_came_first_i24(
    make: type[Withheld | Unknown | Absent | Rejected | Replaced],
) -> None:
    for shorter, longer in [("", "a"), ("z", "aa"), ("halted a", "halted b")]:
        wanted = after_all(make(longer)).reason
        assert wanted.endswith(longer)
        assert after_all(make(shorter), make(longer)).reason == wanted
        assert after_all(make(longer), make(shorter)).reason == wanted


@pytest.mark.parametrize(
    ("known", "told", "is_reworded"),
    [
        ([REJECTED], Rejected("not shortable today"), True),
        ([UNKNOWN], Unknown("a much longer story of what nobody knows"), True),
        ([ABSENT], Absent("a much longer story of how it was looked for"), True),
        ([EXPIRED], CANCELED, True),
        ([EXPIRED], REPLACED, True),
        ([CANCELED], REPLACED, True),
        ([Replaced("")], REPLACED, True),
        ([REJECTED], REJECTED, False),  # nothing in it is new at all
        ([CANCELED], EXPIRED, False),
        ([], REJECTED, False),
        ([UNKNOWN], REJECTED, False),
        ([UNKNOWN], ABSENT, False),
        ([ACCEPTED], CANCELED, False),
        ([REJECTED], ACCEPTED, False),  # the venue's name of it is new
        ([CANCELED], FILLED_4, False),
        ([ABSENT], WITHHELD, False),
    ],
)
def test_what_is_told_in_other_words_says_no_more_than_before_i24(
    known: list[OrderEvent], told: OrderEvent, is_reworded: bool
) -> None:
    before = after_all(*known)

    assert is_rewording(before, after(before, told)) is is_reworded


EVENTS: tuple[OrderEvent, ...] = (
    WITHHELD,
    Withheld("late"),
    UNKNOWN,
    Unknown("a much longer story of what nobody knows"),
    ACCEPTED,
    Accepted("venue-2"),
    REJECTED,
    Rejected("not shortable today"),
    CANCELED,
    EXPIRED,
    REPLACED,
    Replaced(""),
    ABSENT,
    FILLED_4,
    msgspec.structs.replace(FILLED_4, at=FILLED_4.at + 1),
    fill("4", "execution-1", price="187.31"),
    FILLED_6,
    fill("6", "execution-4"),
    FILLED_10,
)


def meaning_of(events: Iterable[OrderEvent]) -> OrderState | None:
    """What they say together as a set, without a word on any order; None if it cannot be."""
    by_kind: dict[type[OrderEvent], list[OrderEvent]] = {}
    for event in events:
        by_kind.setdefault(type(event), []).append(event)
    kinds = set(by_kind)
    executions: dict[str, tuple[Decimal, Decimal]] = {}
    reasons: dict[type[OrderEvent], set[str]] = {}
    venue_order_ids: set[str] = set()
    for event in chain.from_iterable(by_kind.values()):
        if isinstance(event, Fill):
            content = (event.quantity, event.price)
            if executions.setdefault(event.execution_id, content) != content:
                return None
        if isinstance(event, Withheld | Unknown | Absent | Rejected):
            reasons.setdefault(type(event), set()).add(event.reason)
        if isinstance(event, Replaced):
            reasons.setdefault(Replaced, set()).add(f"by {event.by}" if event.by else "")
        if isinstance(event, Accepted):
            venue_order_ids.add(event.venue_order_id)
    filled = sum((quantity for quantity, _ in executions.values()), Decimal(0))
    never_sent = Withheld in kinds and bool(kinds - {Withheld, Absent})
    never_traded = Rejected in kinds and bool(kinds & {Fill, Canceled, Expired, Replaced})
    if never_sent or never_traded or len(venue_order_ids) > 1 or filled > ORDER.quantity:
        return None
    rules: list[tuple[bool, OrderStatus, type[OrderEvent]]] = [
        (filled == ORDER.quantity, OrderStatus.FILLED, Fill),
        (Withheld in kinds, OrderStatus.WITHHELD, Withheld),
        (Rejected in kinds, OrderStatus.REJECTED, Rejected),
        (Replaced in kinds, OrderStatus.REPLACED, Replaced),
        (Canceled in kinds, OrderStatus.CANCELED, Canceled),
        (Expired in kinds, OrderStatus.EXPIRED, Expired),
        (Fill in kinds, OrderStatus.PARTIALLY_FILLED, Fill),
        (Accepted in kinds, OrderStatus.ACCEPTED, Accepted),
        (Absent in kinds, OrderStatus.ABSENT, Absent),
        (Unknown in kinds, OrderStatus.UNKNOWN, Unknown),
        (True, OrderStatus.ATTEMPTED, Attempted),
    ]
    _, status, kind = next(each for each in rules if each[0])
    return OrderState(
        order=ORDER,
        status=status,
        reason=max(reasons.get(kind, {""}), key=len),
        venue_order_id=next(iter(venue_order_ids), None),
        filled_quantity=filled,
    )


def meanings_of(events: Iterable[OrderEvent]) -> set[bytes]:
    """All that they may come to, by the order in which they arrive: one meaning, or impossible.

    One thing is forgotten when an order is given up: that it had been unknown, so that it passed
    the gate. So one who says afterwards that it never did may be believed or contradicted.
    """
    arrived = list(events)
    meaning = in_bytes(meaning_of(arrived))
    kinds = {type(event) for event in arrived}
    if kinds == {Unknown, Absent, Withheld}:
        without = [event for event in arrived if not isinstance(event, Unknown)]
        return {meaning, in_bytes(meaning_of(without))}
    return {meaning}


def in_bytes(state: OrderState | None) -> bytes:
    """Down to how a quantity is written."""
    return msgspec.json.encode(state)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4])
def test_every_few_reports_say_the_same_in_every_order_or_are_impossible_in_every_order_i24(
    size: int,
) -> None:
    for events in combinations(EVENTS, size):
        outcomes = {in_bytes(outcome_of(arrived)) for arrived in permutations(events)}

        assert outcomes == meanings_of(events)


@pytest.mark.parametrize(
    "events",
    [
        [ACCEPTED, *EVENTS[2:4], FILLED_4, FILLED_6, CANCELED, EXPIRED],
        [ACCEPTED, *EVENTS[2:4], *EVENTS[6:8], ACCEPTED],
        [ACCEPTED, UNKNOWN, REJECTED, FILLED_4, FILLED_4, EXPIRED],
        [ACCEPTED, UNKNOWN, ABSENT, FILLED_4, CANCELED, REPLACED],
        [ACCEPTED, UNKNOWN, ABSENT, REJECTED, Rejected("not shortable today")],
    ],
)
def test_a_life_is_the_same_in_each_of_its_orders_i24(events: list[OrderEvent]) -> None:
    outcomes = {in_bytes(outcome_of(arrived)) for arrived in permutations(events)}

    assert outcomes == meanings_of(events)


OF_ANY = (*EVENTS[2:5], ABSENT)
"""What may be said of any order that was sent."""

LIVES: tuple[tuple[OrderEvent, ...], ...] = (
    EVENTS,
    (*EVENTS[:2], ABSENT),
    OF_ANY + EVENTS[6:8],
    (*OF_ANY, CANCELED, EXPIRED, REPLACED, Replaced(""), FILLED_4, FILLED_6),
    (*OF_ANY, CANCELED, EXPIRED, REPLACED, FILLED_4, fill("6", "execution-4")),
)
"""All there is, of which few sets are possible, and what goes together."""


@settings(max_examples=300)
@given(
    events=st.sampled_from(LIVES).flatmap(
        lambda life: st.lists(st.sampled_from(life), max_size=8, unique_by=repr)
    ),
    repeats=st.lists(st.integers(1, 5), min_size=8, max_size=8),
    random=st.randoms(use_true_random=False),
)
def test_neither_order_nor_repetition_changes_what_reports_say_i23_i24(
    events: list[OrderEvent], repeats: list[int], random: Random
) -> None:
    arrived = [each for each, times in zip(events, repeats, strict=False) for _ in range(times)]
    random.shuffle(arrived)

    assert in_bytes(outcome_of(arrived)) in meanings_of(events)
