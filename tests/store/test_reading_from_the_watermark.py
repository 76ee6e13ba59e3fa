"""A snapshot from the watermark on is as good as one of the whole history.

A venue lives through some hours. Up to one clean comparison the record knows all of it, and of what
came after it only what was heard. Then the venue is read twice: whole, and from the watermark on
with as little as a broker gives, which lists orders by when they came to it and not by when they
ended. The two clocks differ, and so do two times that are given for one execution.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import structs

from hydra.store.connection import IN_MEMORY
from hydra.store.ledger import Ledger
from hydra.trading.differences import Difference
from hydra.trading.durations import HOUR, SECOND
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Fill, Order
from hydra.trading.reconciliation import compare
from hydra.trading.venue_view import VenueAccount, VenueOrder, VenuePosition, VenueSnapshot
from hydra.trading.watermark import EDGE, OVERLAP, Watermark
from messages.orders import OrderAccepted, OrderCanceled, Outcome
from tests.store.orders import AT, approved, decision, filled

NOW = AT + 3 * HOUR
SKEW_MAX = EDGE // 2 - 1
"""Both ways: so two times of one execution differ by less than `EDGE`."""
CASH = Decimal(100_000)
PRICE = Decimal("187.30")


@dataclass(frozen=True)
class Happening:
    """An execution of one share, or an order's end. `at` is the true time, which is ours."""

    at: int
    dated: int
    """By the venue's lists."""
    told: int
    """By its stream."""
    is_heard: bool
    """If it is of after the clean comparison."""


@dataclass(frozen=True)
class Life:
    """An order of ours for three shares, as the venue knows it."""

    sent: Happening
    fills: tuple[Happening, ...]
    end: Happening | None
    is_lost: bool
    """The venue has forgotten that it ever was."""
    phantom: Happening | None
    """An execution that was heard of, and that the venue does not have."""


@dataclass
class History:
    """All of it. `compared_at`: when the clean comparison began, None if there was none."""

    lives: list[Life]
    foreign: list[Life]
    compared_at: int | None
    is_restarted: bool
    cash_drift: int
    orders: list[Order] = field(init=False)

    def __post_init__(self) -> None:
        self.approved = [approved(decision(signal), quantity=Decimal(3)) for signal in range(9)]
        self.orders = [each.order for each in self.approved]

    def is_settled(self, happening: Happening) -> bool:
        """Record and venue agreed on it."""
        return self.compared_at is not None and happening.at <= self.compared_at

    def is_known(self, happening: Happening) -> bool:
        return self.is_settled(happening) or happening.is_heard


@st.composite
def happenings(draw: st.DrawFn, after: int = AT) -> Happening:
    skew = st.integers(-SKEW_MAX, SKEW_MAX)
    at = draw(st.integers(after, NOW))
    return Happening(at, at + draw(skew), at + draw(skew), draw(st.booleans()))


@st.composite
def lives(draw: st.DrawFn) -> Life:
    sent = draw(happenings())
    after, fills = sent.at, []
    for _ in range(draw(st.integers(0, 3))):
        fills.append(draw(happenings(after)))
        after = fills[-1].at
    may_end = len(fills) < 3
    end = draw(st.none() | happenings(after)) if may_end else None
    return Life(
        sent,
        tuple(fills),
        end,
        is_lost=draw(st.integers(0, 9)) == 0,
        phantom=draw(happenings(sent.at)) if draw(st.integers(0, 9)) == 0 else None,
    )


@st.composite
def histories(draw: st.DrawFn) -> History:
    compared_at = draw(st.none() | st.integers(AT, NOW))
    whole = draw(st.lists(lives(), min_size=1, max_size=4))
    foreign = draw(st.lists(lives(), max_size=1))
    settled_until = AT if compared_at is None else compared_at
    # What differed before would not have been clean.
    whole = [
        life for life in whole if not (life.is_lost or life.phantom) or life.sent.at > settled_until
    ]
    return History(
        whole,
        [life for life in foreign if life.sent.at > settled_until],
        compared_at,
        is_restarted=draw(st.booleans()),
        cash_drift=draw(st.sampled_from([0, 0, 1])),
    )


@contextmanager
def record_of(history: History) -> Iterator[Ledger]:
    """What the engine has on record by now."""
    ledger = Ledger.open(IN_MEMORY, venue="paper", at=AT)
    try:
        ledger.open_account(CASH, AT)
        for life, order in zip(history.lives, history.approved, strict=False):
            ledger.record_intent(order, life.sent.at)
            for report in reports(history, life, order.order):
                ledger.record_report(report, NOW)
        ledger.commit()
        yield ledger
    finally:
        ledger.close()


def reports(history: History, life: Life, order: Order) -> Iterator[Outcome]:
    name = order.client_order_id
    if history.is_known(life.sent):
        yield OrderAccepted(client_order_id=name, venue_order_id=f"v-{name}", at=life.sent.told)
    for number, happening in enumerate(life.fills):
        if history.is_known(happening):
            yield filled(order, "1", f"x-{number}", at=happening.told)
    if life.phantom and len(life.fills) < 3:
        yield filled(order, "1", "phantom", at=life.phantom.told)
    if life.end and history.is_known(life.end):
        yield OrderCanceled(client_order_id=name, at=life.end.told)


def watermark_of(history: History, ledger: Ledger) -> Watermark:
    """As the gateway comes to it."""
    watermark = Watermark()
    text = ""
    for life, order in zip(history.lives, history.orders, strict=False):
        if history.is_settled(life.sent):
            watermark.order_sent(order.client_order_id, life.sent.at)
            if is_over(history, life):
                watermark.order_ended(order.client_order_id)
    if history.compared_at is not None:
        text = watermark.clean(history.compared_at) or ""
    if history.is_restarted:
        watermark = Watermark()
        assert watermark.recover(text, NOW)
        for record in ledger.open_orders():
            name = record.state.order.client_order_id
            watermark.order_sent(name, record.attempted_at or 0)
    else:
        still_open = {each.state.order.client_order_id for each in ledger.open_orders()}
        for life, order in zip(history.lives, history.orders, strict=False):
            if not history.is_settled(life.sent):
                watermark.order_sent(order.client_order_id, life.sent.at)
            if order.client_order_id not in still_open:
                watermark.order_ended(order.client_order_id)
    return watermark


def is_over(history: History, life: Life) -> bool:
    """By the clean comparison."""
    is_filled = len(life.fills) == 3 and all(map(history.is_settled, life.fills))
    return is_filled or (life.end is not None and history.is_settled(life.end))


def snapshot_of(history: History, since: int) -> VenueSnapshot:
    """What the venue lists from then on, and no more than it must."""
    listed, executed = [], []
    bought = 0
    theirs = [
        structs.replace(order, client_order_id=f"by hand {order.client_order_id}")
        for order in history.orders
    ]
    for life, order in (
        *zip(history.lives, history.orders, strict=False),
        *zip(history.foreign, theirs, strict=False),
    ):
        if life.is_lost:
            continue
        bought += len(life.fills)
        fills = [
            fill_of(order, number, happening)
            for number, happening in enumerate(life.fills)
            if happening.dated >= since
        ]
        executed += fills
        status = status_of(life)
        if life.sent.dated >= since or fills or status.is_open:
            listed.append(listing_of(order, life, status))
    return VenueSnapshot(
        at=NOW,
        since=since,
        account=VenueAccount(
            account="PA-1",
            cash=CASH - bought * PRICE + history.cash_drift,
            equity=None,
        ),
        positions=(VenuePosition(symbol="AAPL", quantity=Decimal(bought)),),
        orders=tuple(listed),
        fills=tuple(executed),
    )


def status_of(life: Life) -> OrderStatus:
    if len(life.fills) == 3:
        return OrderStatus.FILLED
    if life.end is not None:
        return OrderStatus.CANCELED
    return OrderStatus.PARTIALLY_FILLED if life.fills else OrderStatus.ACCEPTED


def listing_of(order: Order, life: Life, status: OrderStatus) -> VenueOrder:
    return VenueOrder(
        order=order,
        venue_order_id=f"v-{order.client_order_id}",
        status=status,
        filled_quantity=Decimal(len(life.fills)),
        at=(life.end or life.sent).dated,
    )


def fill_of(order: Order, number: int, happening: Happening) -> Fill:
    return filled(order, "1", f"x-{number}", at=happening.dated).fill


def found(history: History, since: int) -> tuple[list[str], tuple[Difference, ...]]:
    """What is taken up, and what differs then."""
    snapshot = snapshot_of(history, since)
    with record_of(history) as ledger:
        taken_up = ledger.take_up(snapshot, NOW)
        ledger.commit()
        return sorted(map(repr, taken_up)), compare(ledger.record_view(snapshot), snapshot)


def at(when: int, *, dated: int = 0, told: int = 0, is_heard: bool = False) -> Happening:
    return Happening(when, when + dated, when + told, is_heard)


NOON = AT + HOUR
BEGINNING = NOON - OVERLAP
EDGE_CASE = History(
    # Its first execution is of just before the beginning of what is read by the list, and of just
    # after it by the stream.
    [
        Life(
            at(AT),
            (at(BEGINNING, dated=-1, told=1), at(BEGINNING), at(NOON - SECOND)),
            None,
            is_lost=False,
            phantom=None,
        )
    ],
    [],
    compared_at=NOON,
    is_restarted=False,
    cash_drift=0,
)


@settings(max_examples=15)  # each opens five ledgers
@given(histories())
@example(EDGE_CASE)
def test_read_from_the_watermark_on_the_same_is_found_as_in_the_whole_history_i60_i61_i62(
    history: History,
) -> None:
    with record_of(history) as ledger:
        since = watermark_of(history, ledger).since

    assert found(history, since) == found(history, 0)


@given(histories())
def test_reading_reaches_back_before_every_order_that_is_open_and_before_what_is_not_settled_i62(
    history: History,
) -> None:
    with record_of(history) as ledger:
        since = watermark_of(history, ledger).since
        open_since = [record.attempted_at or 0 for record in ledger.open_orders()]

    bounds = [0 if history.compared_at is None else history.compared_at, *open_since]
    assert 0 <= since <= max(0, min(bounds) - OVERLAP)
