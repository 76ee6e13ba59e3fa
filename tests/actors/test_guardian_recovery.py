"""What the guardian makes of the record: the desk that lived on, and one that is begun anew."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from actors.guardian_recovery import desk_record
from hydra.ops.bench.wide_terms import wide_terms
from hydra.store.ledger import Ledger
from hydra.trading.durations import DAY, HOUR, MINUTE
from hydra.trading.order_life import Absent, Accepted, OrderState, Unknown
from hydra.trading.orders import OrderType, TimeInForce
from hydra.trading.risk_desk import RiskDesk
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.trading.working_orders import WorkingOrder
from messages.order_events import report_of
from messages.orders import OrderApproved
from tests.store.orders import AT, approved, decision, opened

COIN = "BTC/USD"
NEXT_SESSION, NEXT_DAY = "2024-01-03", AT + DAY + MINUTE
SESSIONS = SessionTable(
    (
        ExchangeSession("2024-01-02", AT, AT + 6 * HOUR, False),
        ExchangeSession(NEXT_SESSION, AT + DAY, AT + DAY + 6 * HOUR, False),
    )
)
CASH = Decimal(100_000)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    ledger = opened()
    yield ledger
    ledger.close()


def entry(time_in_force: TimeInForce) -> OrderApproved:
    return approved(
        decision(symbol=COIN),
        order_type=OrderType.LIMIT,
        limit_price=Decimal(100),
        time_in_force=time_in_force,
    )


def begun() -> RiskDesk:
    return RiskDesk(wide_terms(("momentum",), (COIN,), SESSIONS).desk)


def given_up(sent: OrderApproved, ledger: Ledger) -> RiskDesk:
    """A desk that has lived through the day on which it was, and into the next."""
    key, name = sent.intent.decision, sent.order.client_order_id
    desk = begun()
    desk.opened_with(CASH)
    desk.observe(CASH, AT)
    desk.book.reserve(
        WorkingOrder(
            decision=key,
            state=OrderState(order=sent.order),
            reference_price=sent.intent.reference_price,
        )
    )
    ledger.open_account(CASH, AT)
    ledger.record_intent(sent, AT)
    for event in (Unknown("no answer"), Absent("not found")):
        desk.learn(key, name, event, AT)
        ledger.record_report(report_of(event, name, AT), AT)
    desk.observe(CASH, NEXT_DAY)
    return desk


def rebuilt(ledger: Ledger) -> RiskDesk:
    desk = begun()
    record = ledger.guardian_record(NEXT_SESSION, NEXT_DAY - HOUR)
    desk.recover(desk_record(record, SESSIONS))
    return desk


@pytest.mark.parametrize(
    ("time_in_force", "counts"), [(TimeInForce.GTC, True), (TimeInForce.DAY, False)]
)
def test_an_order_given_up_the_day_before_is_known_to_a_desk_that_is_rebuilt_i10_i19_i38(
    ledger: Ledger, time_in_force: TimeInForce, counts: bool
) -> None:
    sent = entry(time_in_force)
    key, name = sent.intent.decision, sent.order.client_order_id
    desks = given_up(sent, ledger), rebuilt(ledger)
    for desk in desks:
        desk.book.mark(COIN, Decimal(100), NEXT_DAY)

    heats = [desk.book.heat for desk in desks]
    causes = [desk.learn(key, name, Accepted("v-1"), NEXT_DAY) for desk in desks]

    assert heats[0] == heats[1]
    assert (heats[0] != 0) is counts  # an order for the day cannot live any more
    assert [cause.code for cause in causes[0]] == ["absent_order_lives"]
    assert causes[0] == causes[1]
    assert [desk.book.open_entries for desk in desks] == [(name,), (name,)]
    assert desks[0].book.heat == desks[1].book.heat != 0
