import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.ports import IntentRecorded, ReportRecorded
from hydra.store.checking import chain_head, require_replay
from hydra.store.connection import IN_MEMORY
from hydra.store.events import (
    LedgerBegun,
    OrderAttempted,
    OrderIntended,
    ValuePut,
    decoded,
    encoded,
)
from hydra.store.ledger import ContentChanged, Ledger, UnknownOrder
from hydra.store.projections import content_hash
from hydra.store.tables import OrderRecord
from hydra.trading.causes import OPERATOR_HALT, RESTART_STORM
from hydra.trading.order_life import ImpossibleReport, OrderState, OrderStatus
from hydra.trading.orders import RecordedOrder, Role, Side
from hydra.trading.sub_ledgers import SessionCounters, SubLedger
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from messages.orders import (
    OrderAbsent,
    OrderAccepted,
    OrderApproved,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    OrderUnknown,
    OrderWithheld,
    Outcome,
)
from messages.positions import BookRecovered
from tests.store.orders import AT, approved, decision, filled, opened

APPROVED = approved()
ORDER = APPROVED.order
NAME = ORDER.client_order_id
OTHER = approved(decision(signal=2))

ACCEPTED = OrderAccepted(client_order_id=NAME, venue_order_id="venue-1", at=AT)
REJECTED = OrderRejected(client_order_id=NAME, reason="not shortable", at=AT)
REJECTED_IN_SHORT = OrderRejected(client_order_id=NAME, reason="no", at=AT)
CANCELED = OrderCanceled(client_order_id=NAME, at=AT)
EXPIRED = OrderExpired(client_order_id=NAME, at=AT)
REPLACED = OrderReplaced(client_order_id=NAME, by="another", at=AT)
UNKNOWN = OrderUnknown(client_order_id=NAME, reason="no answer in 15 s", at=AT)
ABSENT = OrderAbsent(client_order_id=NAME, reason="5 looks found nothing", at=AT)
WITHHELD = OrderWithheld(client_order_id=NAME, reason="gate shut", at=AT)
FILLED_4 = filled(ORDER, "4", "execution-1")
FILLED_6 = filled(ORDER, "6", "execution-2")


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    ledger = opened()
    yield ledger
    ledger.close()


def rows(path: Path, select: str) -> list[tuple[object, ...]]:
    connection = apsw.Connection(str(path))
    try:
        return list(connection.execute(select))
    finally:
        connection.close()


def test_an_intent_is_stored_whole_with_its_attempt_i13_i14(ledger: Ledger) -> None:
    recorded = ledger.record_intent(APPROVED, AT)

    assert recorded == IntentRecorded(client_order_id=NAME, duplicate=False)
    assert ledger.orders() == (
        OrderRecord(
            seq=2,
            intent=APPROVED.intent,
            state=OrderState(order=ORDER, status=OrderStatus.ATTEMPTED),
            attempted_at=AT,
            content_hash=content_hash(encoded(OrderIntended(intent=APPROVED.intent, order=ORDER))),
        ),
    )


def test_a_repeated_decision_is_a_duplicate_and_no_second_row_i16(ledger: Ledger) -> None:
    ledger.record_intent(APPROVED, AT)
    before = ledger.state_hash()

    repeated = ledger.record_intent(APPROVED, AT + 1)

    assert repeated == IntentRecorded(client_order_id=NAME, duplicate=True)
    assert ledger.state_hash() == before


def test_a_duplicate_is_known_after_a_restart_and_whatever_has_happened_i16(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "ledger.db")
    ledger.record_intent(APPROVED, AT)
    ledger.record_report(FILLED_4, AT)
    ledger.close()

    ledger = opened(tmp_path / "ledger.db")

    assert ledger.record_intent(APPROVED, AT).duplicate
    assert len(ledger.orders()) == 1
    ledger.close()


def test_a_duplicate_is_known_before_its_commit_however_many_sessions_come_between_i16() -> None:
    ledger = Ledger.open(IN_MEMORY, venue="paper", at=AT)
    days = [approved(decision(session=f"2024-01-{day:02}")) for day in range(1, 11)]
    for one in days:
        ledger.record_intent(one, AT)

    assert all(ledger.record_intent(one, AT).duplicate for one in days)
    ledger.commit()
    assert len(ledger.orders()) == len(days)
    ledger.close()


def test_epoch_and_deadline_are_no_part_of_the_content(ledger: Ledger) -> None:
    ledger.record_intent(APPROVED, AT)

    later = msgspec.structs.replace(APPROVED, epoch=8, expires_at=9_000_000_000)

    assert ledger.record_intent(later, AT).duplicate


def renamed(other: OrderApproved, name: str) -> OrderApproved:
    order = msgspec.structs.replace(other.order, client_order_id=name)
    return msgspec.structs.replace(other, order=order)


@pytest.mark.parametrize(
    "changed",
    [
        approved(quantity=Decimal(11)),
        approved(quantity=Decimal("10.0")),
        approved(limit_price=Decimal(187)),
        msgspec.structs.replace(
            APPROVED, intent=msgspec.structs.replace(APPROVED.intent, reason="another")
        ),
        renamed(APPROVED, "hy1-20240102-ffffffffffffffff-e"),
        renamed(OTHER, NAME),
    ],
    ids=["quantity", "digits", "limit", "reason", "name", "decision"],
)
def test_a_decision_or_a_name_with_other_content_is_refused_i15(
    ledger: Ledger, changed: OrderApproved
) -> None:
    ledger.record_intent(APPROVED, AT)
    before = ledger.state_hash()

    with pytest.raises(ContentChanged, match="is on record with other content"):
        ledger.record_intent(changed, AT)

    assert ledger.state_hash() == before
    assert ledger.record_intent(OTHER, AT) == IntentRecorded(
        client_order_id=OTHER.order.client_order_id, duplicate=False
    )


def test_a_name_and_a_decision_of_two_different_orders_are_refused(ledger: Ledger) -> None:
    ledger.record_intent(APPROVED, AT)
    ledger.record_intent(OTHER, AT)

    with pytest.raises(ContentChanged, match=f"{NAME} .* as {OTHER.order.client_order_id}"):
        ledger.record_intent(renamed(OTHER, NAME), AT)


@pytest.mark.parametrize(
    "changes",
    [
        {"bot": "other"},
        {"symbol": "MSFT"},
        {"session": "2024-01-03"},
        {"signal": 2},
        {"role": Role.EXIT},
    ],
)
def test_each_part_of_the_decision_key_makes_another_decision(
    ledger: Ledger, changes: dict[str, Any]
) -> None:
    ledger.record_intent(APPROVED, AT)

    recorded = ledger.record_intent(approved(decision(**changes)), AT)

    assert not recorded.duplicate


@given(deliveries=st.lists(st.integers(1, 4), max_size=12))
def test_intents_are_as_many_as_decisions_however_often_they_come_i16(
    deliveries: list[int],
) -> None:
    ledger = opened()

    recorded = [ledger.record_intent(approved(decision(signal=n)), AT) for n in deliveries]

    assert len(ledger.orders()) == len(set(deliveries))
    assert sum(not each.duplicate for each in recorded) == len(set(deliveries))
    ledger.close()


def test_the_tables_themselves_hold_one_intent_a_decision_and_a_name_i15_i16(
    tmp_path: Path,
) -> None:
    path = tmp_path / "ledger.db"
    ledger = opened(path)
    ledger.record_intent(APPROVED, AT)
    ledger.close()
    columns = "symbol, session, signal, role, content_hash, intended_seq, status, reason"
    copy = (
        f"INSERT INTO orders (client_order_id, bot, {columns}, filled_quantity)"
        f" SELECT {{}}, {{}}, {columns}, '0' FROM orders"
    )

    connection = apsw.Connection(str(path))
    with pytest.raises(apsw.ConstraintError, match=r"orders\.bot"):
        connection.execute(copy.format("'another name'", "bot"))
    with pytest.raises(apsw.ConstraintError, match=r"orders\.client_order_id"):
        connection.execute(copy.format("client_order_id", "'another bot'"))
    connection.close()


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ("UPDATE events SET at = 99", "events are append-only"),
        ("DELETE FROM events", "events are append-only"),
        ("UPDATE fills SET price = '1'", "fills are append-only"),
        ("DELETE FROM fills", "fills are append-only"),
        ("UPDATE orders SET signal = 99", "an order keeps its content"),
        ("UPDATE orders SET content_hash = ''", "an order keeps its content"),
        ("DELETE FROM orders", "orders are not deleted"),
    ],
)
def test_what_was_written_cannot_be_changed(tmp_path: Path, change: str, refusal: str) -> None:
    path = tmp_path / "ledger.db"
    ledger = opened(path)
    ledger.record_intent(APPROVED, AT)
    ledger.record_report(FILLED_4, AT)
    ledger.close()

    connection = apsw.Connection(str(path))
    with pytest.raises(apsw.ConstraintError, match=refusal):
        connection.execute(change)
    connection.close()


@pytest.mark.parametrize(
    ("report", "status", "is_open"),
    [
        (WITHHELD, OrderStatus.WITHHELD, False),
        (ACCEPTED, OrderStatus.ACCEPTED, True),
        (REJECTED, OrderStatus.REJECTED, False),
        (FILLED_4, OrderStatus.PARTIALLY_FILLED, True),
        (filled(ORDER, "10"), OrderStatus.FILLED, False),
        (CANCELED, OrderStatus.CANCELED, False),
        (EXPIRED, OrderStatus.EXPIRED, False),
        (REPLACED, OrderStatus.REPLACED, False),
        (ABSENT, OrderStatus.ABSENT, False),
        (UNKNOWN, OrderStatus.UNKNOWN, True),
    ],
)
def test_every_outcome_is_stored_under_its_decision(
    ledger: Ledger, report: Outcome, status: OrderStatus, is_open: bool
) -> None:
    ledger.record_intent(APPROVED, AT)
    ledger.record_intent(OTHER, AT)

    recorded = ledger.record_report(report, AT)

    assert recorded == ReportRecorded(decision=decision(), duplicate=False)
    assert [each.state.status for each in ledger.orders()] == [status, OrderStatus.ATTEMPTED]
    names = [each.state.order.client_order_id for each in ledger.open_orders()]
    assert names == ([NAME] if is_open else []) + [OTHER.order.client_order_id]


@pytest.mark.parametrize(
    "report",
    [WITHHELD, ACCEPTED, REJECTED, FILLED_4, CANCELED, EXPIRED, REPLACED, UNKNOWN, ABSENT],
)
def test_a_repeated_outcome_is_a_duplicate_and_changes_nothing(
    ledger: Ledger, report: Outcome
) -> None:
    ledger.record_intent(APPROVED, AT)
    ledger.record_report(report, AT)
    before = ledger.state_hash()

    repeated = ledger.record_report(report, AT + 1)

    assert repeated == ReportRecorded(decision=decision(), duplicate=True)
    assert ledger.state_hash() == before


@pytest.mark.parametrize(
    ("first", "fuller", "stands"),
    [
        (REJECTED_IN_SHORT, REJECTED, (OrderStatus.REJECTED, "not shortable")),
        (EXPIRED, CANCELED, (OrderStatus.CANCELED, "")),
        (CANCELED, REPLACED, (OrderStatus.REPLACED, "by another")),
    ],
)
def test_an_outcome_in_fuller_words_is_on_record_and_no_news_i24(
    ledger: Ledger, first: Outcome, fuller: Outcome, stands: tuple[OrderStatus, str]
) -> None:
    ledger.record_intent(APPROVED, AT)
    ledger.record_report(first, AT)
    before = ledger.counters(decision().session)

    recorded = ledger.record_report(fuller, AT + 1)
    ledger.commit()

    assert recorded == ReportRecorded(decision=decision(), duplicate=False, is_rewording=True)
    (order,) = ledger.orders()
    assert (order.state.status, order.state.reason) == stands
    assert ledger.counters(decision().session) == before
    assert ledger.record_report(first, AT + 2).duplicate
    assert ledger.record_report(fuller, AT + 2).duplicate


@given(data=st.data())
def test_each_fill_counts_once_however_often_it_comes_i23(data: st.DataObject) -> None:
    fills = [filled(ORDER, "2.5", f"execution-{number}") for number in range(3)]
    repeats = data.draw(st.lists(st.sampled_from(fills), max_size=6))
    deliveries = data.draw(st.permutations(fills + repeats))
    ledger = opened()
    ledger.record_intent(APPROVED, AT)

    for delivery in deliveries:
        ledger.record_report(delivery, AT)

    (order,) = ledger.orders()
    assert order.state.filled_quantity == Decimal("7.5")
    assert list(ledger.fills()) == list(dict.fromkeys(each.fill for each in deliveries))
    ledger.close()


def test_the_same_execution_id_at_two_orders_is_two_fills(ledger: Ledger) -> None:
    ledger.record_intent(APPROVED, AT)
    ledger.record_intent(OTHER, AT)
    here, there = filled(ORDER, "1", "same"), filled(OTHER.order, "1", "same")

    ledger.record_report(here, AT)

    assert not ledger.record_report(there, AT).duplicate
    assert ledger.fills() == (here.fill, there.fill)


def test_an_execution_that_comes_back_changed_is_refused(ledger: Ledger) -> None:
    ledger.record_intent(APPROVED, AT)
    ledger.record_report(FILLED_4, AT)

    with pytest.raises(ImpossibleReport, match=r"execution-1 of .* buy 4 AAPL .* buy 5 AAPL"):
        ledger.record_report(filled(ORDER, "5", "execution-1"), AT)

    assert ledger.fills() == (FILLED_4.fill,)


def test_a_fill_beyond_the_order_is_refused_and_not_counted_i23(ledger: Ledger) -> None:
    ledger.record_intent(APPROVED, AT)
    ledger.record_report(FILLED_4, AT)
    before = ledger.state_hash()

    with pytest.raises(ImpossibleReport, match="makes 11 filled, of 10 ordered"):
        ledger.record_report(filled(ORDER, "7", "execution-2"), AT)

    assert ledger.state_hash() == before


@pytest.mark.parametrize(
    ("report", "contradiction"),
    [
        (REJECTED, FILLED_4),
        (FILLED_4, REJECTED),
        (WITHHELD, FILLED_4),
        (ACCEPTED, WITHHELD),
        (ACCEPTED, OrderAccepted(client_order_id=NAME, venue_order_id="venue-2", at=AT)),
        (CANCELED, REJECTED),
    ],
)
def test_a_report_that_contradicts_the_record_is_refused_and_not_recorded_i22(
    ledger: Ledger, report: Outcome, contradiction: Outcome
) -> None:
    ledger.record_intent(APPROVED, AT)
    ledger.record_report(report, AT)
    before, mark = ledger.state_hash(), ledger.mark

    with pytest.raises(ImpossibleReport, match=f"{NAME} is .* is now "):
        ledger.record_report(contradiction, AT)

    assert (ledger.state_hash(), ledger.commit()) == (before, mark)


@given(
    arrived=st.permutations(
        [
            *(ACCEPTED, REPLACED, CANCELED, FILLED_4, FILLED_4, FILLED_6, ABSENT),
            *(UNKNOWN, OrderUnknown(client_order_id=NAME, reason="503", at=AT)),
        ]
    )
)
def test_what_an_order_has_become_does_not_depend_on_the_order_of_its_reports_i24(
    arrived: list[Outcome],
) -> None:
    ledger, canonical = opened(), opened()
    for one, reports in [(ledger, arrived), (canonical, sorted(arrived, key=repr))]:
        one.record_intent(APPROVED, AT)
        for report in reports:
            one.record_report(report, AT)

    assert ledger.orders() == canonical.orders()
    ledger.close()
    canonical.close()


@pytest.mark.parametrize("report", [WITHHELD, ACCEPTED, FILLED_4, UNKNOWN])
def test_a_report_of_an_order_that_nobody_intended_is_refused(
    ledger: Ledger, report: Outcome
) -> None:
    ledger.record_intent(OTHER, AT)
    before = ledger.state_hash()

    with pytest.raises(UnknownOrder, match=f"{type(report).__name__} for {NAME}"):
        ledger.record_report(report, AT)

    assert ledger.state_hash() == before


def test_a_name_leads_back_to_its_decision(ledger: Ledger) -> None:
    key = decision(signal=3, role=Role.EXIT)
    ledger.record_intent(approved(key), AT)

    assert ledger.decision_of(approved(key).order.client_order_id) == key
    assert ledger.decision_of("a stranger") is None


def test_the_book_says_which_orders_could_not_be_found_i19_i38(ledger: Ledger) -> None:
    for each in (APPROVED, OTHER):
        ledger.record_intent(each, AT)
    ledger.record_report(UNKNOWN, AT)
    ledger.record_report(ABSENT, AT)

    orders = ledger.book("momentum").orders

    assert [(each.is_open, each.is_absent) for each in orders] == [(False, True), (True, False)]


def test_the_book_says_which_orders_were_never_sent_i38(ledger: Ledger) -> None:
    for each in (APPROVED, OTHER):
        ledger.record_intent(each, AT)
    ledger.record_report(WITHHELD, AT)

    orders = ledger.book("momentum").orders

    assert [(each.is_open, each.is_withheld) for each in orders] == [(False, True), (True, False)]


def test_the_book_holds_what_is_on_record_of_one_bot_or_of_all(ledger: Ledger) -> None:
    other = approved(decision(bot="other"))
    mine, theirs = filled(ORDER, "4", "same"), filled(other.order, "10", "same")
    ledger.record_intent(other, AT)
    ledger.record_intent(APPROVED, AT)
    ledger.record_report(mine, AT)
    ledger.record_report(theirs, AT)
    my_order = RecordedOrder(
        decision=decision(),
        order=ORDER,
        is_open=True,
        filled_quantity=Decimal(4),
        reason="crossed up",
    )
    their_order = RecordedOrder(
        decision=decision(bot="other"),
        order=other.order,
        is_open=False,
        filled_quantity=Decimal(10),
        reason="crossed up",
    )

    my_lots, their_lots = ledger.inventories()

    assert ledger.book("momentum") == BookRecovered(
        orders=(my_order,), fills=(mine.fill,), held=(my_lots,)
    )
    assert ledger.book("other") == BookRecovered(
        orders=(their_order,), fills=(theirs.fill,), held=(their_lots,)
    )
    assert ledger.book("nobody") == BookRecovered(orders=(), fills=())
    assert ledger.book(None) == BookRecovered(
        orders=(their_order, my_order),
        fills=(mine.fill, theirs.fill),
        held=(my_lots, their_lots),
    )


def test_the_book_says_where_what_an_entry_buys_is_to_be_given_up_i38(ledger: Ledger) -> None:
    stop = Decimal("180.50")
    intent = msgspec.structs.replace(APPROVED.intent, protective_stop=stop)
    ledger.record_intent(msgspec.structs.replace(APPROVED, intent=intent), AT)

    assert [each.protective_stop for each in ledger.book("momentum").orders] == [stop]


def test_the_book_holds_what_was_assigned_and_what_was_made_of_it_and_nothing_flat_i29_i61(
    ledger: Ledger,
) -> None:
    sold = approved(decision(), side=Side.SELL)
    for symbol, quantity, price in [("AAPL", 10, 180), ("TSLA", 1, 200), ("TSLA", -1, 201)]:
        ledger.assign_position(
            "momentum",
            symbol,
            Decimal(quantity),
            price=Decimal(price),
            reason="seen at the venue",
            operator="pat",
            at=AT,
        )
    ledger.record_intent(sold, AT)
    ledger.record_report(filled(sold.order, "4", "sold", price=Decimal(181)), AT)

    book = ledger.book("momentum")

    (held,) = book.held
    assert (held.bot, held.inventory.symbol) == ("momentum", "AAPL")
    assert held.inventory.position == 6
    assert [fill.execution_id for fill in book.fills] == ["sold"]
    assert book.realised == 4 + 1


def test_values_are_kept_until_they_are_put_again(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "ledger.db")
    assert ledger.get("watermark") is None
    ledger.put("watermark", "1", AT)
    ledger.put("watermark", "2", AT)
    ledger.put("account", "PA-HYDRA-1", AT)
    ledger.close()

    ledger = opened(tmp_path / "ledger.db")

    assert (ledger.get("watermark"), ledger.get("account")) == ("2", "PA-HYDRA-1")
    ledger.close()


def test_every_change_is_one_event_in_the_order_it_happened_i49(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = opened(path)
    ledger.record_intent(APPROVED, AT)
    ledger.record_report(ACCEPTED, AT - 5)
    ledger.record_report(ACCEPTED, AT - 6)
    ledger.record_report(FILLED_4, AT - 7)
    ledger.put("watermark", "1", AT - 9)
    ledger.close()

    events = [
        (seq, at, kind, decoded(body))
        for seq, at, kind, body in rows(path, "SELECT seq, at, kind, body FROM events ORDER BY seq")
        if isinstance(body, bytes)
    ]

    assert events == [
        (1, AT, "LedgerBegun", LedgerBegun(venue="paper")),
        (2, AT, "OrderIntended", OrderIntended(intent=APPROVED.intent, order=ORDER)),
        (3, AT, "OrderAttempted", OrderAttempted(client_order_id=NAME)),
        (4, AT - 5, "OrderAccepted", ACCEPTED),
        (5, AT - 7, "OrderFilled", FILLED_4),
        (6, AT - 9, "ValuePut", ValuePut(key="watermark", value="1")),
    ]


def test_an_event_of_an_unknown_kind_is_not_read() -> None:
    with pytest.raises(msgspec.ValidationError, match="OrderTeleported"):
        decoded(b'{"type":"OrderTeleported","client_order_id":"x"}')


REFUSED = approved(decision(signal=4))
REFUSED_NAME = REFUSED.order.client_order_id
REPORTS: list[Outcome] = [
    *(ACCEPTED, CANCELED, EXPIRED, REPLACED, UNKNOWN, ABSENT, FILLED_4, FILLED_6),
    OrderRejected(client_order_id=REFUSED_NAME, reason="not shortable", at=AT),
    OrderUnknown(client_order_id=REFUSED_NAME, reason="503", at=AT),
]
STEPS: list[OrderApproved | Outcome | str] = [OTHER, *REPORTS, "value one", "value two"]


def do(ledger: Ledger, step: OrderApproved | Outcome | str) -> None:
    if isinstance(step, str):
        ledger.put("key", step, AT)
    elif isinstance(step, OrderApproved):
        ledger.record_intent(step, AT)
    else:
        ledger.record_report(step, AT)


def ledger_after(steps: list[OrderApproved | Outcome | str]) -> Ledger:
    ledger = opened()
    for step in [APPROVED, REFUSED, *steps]:
        do(ledger, step)
    return ledger


@given(steps=st.lists(st.sampled_from(STEPS), max_size=8))
def test_two_runs_with_the_same_events_have_the_same_state(
    steps: list[OrderApproved | Outcome | str],
) -> None:
    one, two = ledger_after(steps), ledger_after(steps)

    assert one.state_hash() == two.state_hash()
    assert one.orders() == two.orders()


@pytest.mark.parametrize("step", STEPS)
def test_every_change_has_a_hash_of_its_own(step: OrderApproved | Outcome | str) -> None:
    others = [[], *([other] for other in STEPS if other != step)]

    assert ledger_after([step]).state_hash() not in {
        ledger_after(other).state_hash() for other in others
    }


@pytest.mark.parametrize(
    "changes", [{"price": Decimal("187.31")}, {"at": AT + 1}, {"execution_id": "execution-9"}]
)
def test_every_part_of_a_fill_is_in_the_hash(changes: dict[str, Any]) -> None:
    other = filled(ORDER, "4", **changes)

    assert ledger_after([FILLED_4]).state_hash() != ledger_after([other]).state_hash()


@given(steps=st.lists(st.sampled_from(STEPS), max_size=10), commits=st.sets(st.integers(0, 9)))
def test_the_events_alone_give_the_same_state_again_i55(
    steps: list[OrderApproved | Outcome | str], commits: set[int]
) -> None:
    connections: list[apsw.Connection] = []
    apsw.connection_hooks.append(connections.append)
    try:
        ledger = Ledger.open(IN_MEMORY, venue="paper", at=AT)
    finally:
        apsw.connection_hooks.clear()
    for number, step in enumerate([APPROVED, REFUSED, *steps]):
        do(ledger, step)
        if number in commits:
            ledger.commit()
    mark = ledger.commit()

    replayed: list[int] = []
    require_replay(connections[0], replayed.append)

    assert chain_head(connections[0]).state.hex() == ledger.state_hash()
    assert replayed[-1] == mark.seq
    ledger.close()


def test_a_ledger_that_was_closed_goes_on_where_it_was(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "state" / "ledger.db")
    ledger.record_intent(APPROVED, AT)
    before, orders = ledger.state_hash(), ledger.orders()
    ledger.close()
    ledger.close()

    ledger = opened(tmp_path / "state" / "ledger.db")

    assert (ledger.state_hash(), ledger.orders()) == (before, orders)
    ledger.close()


def test_the_ledger_loads_nothing_heavy() -> None:
    script = (
        "import sys; import hydra.store.ledger, hydra.store.journal;"
        "print(*{name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names))"
    )

    run = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}; {script}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )

    # msgspec looks for typing_extensions and takes it along where it is installed.
    allowed = {"__main__", "apsw", "hydra", "messages", "msgspec", "orjson", "typing_extensions"}
    # zoneinfo, of the standard library, reads a module of data that is named after the platform.
    loaded = {name for name in run.stdout.split() if not name.startswith("_sysconfigdata_")}
    assert loaded <= allowed


SELL = approved(decision(signal=3, role=Role.EXIT), side=Side.SELL)
THEIRS = approved(decision(bot="other"))
TRADES: list[OrderApproved | Outcome | str] = [
    APPROVED,
    FILLED_4,
    THEIRS,
    filled(THEIRS.order, "10", price=Decimal("187.00")),
    FILLED_6,
    SELL,
    filled(SELL.order, "10", "execution-3", price=Decimal("188.00")),
    OTHER,
    OrderRejected(client_order_id=OTHER.order.client_order_id, reason="halted", at=AT),
]


def test_money_lots_and_counters_are_those_of_an_unbroken_life_after_any_restarts_i38(
    tmp_path: Path,
) -> None:
    unbroken = opened()
    for step in TRADES:
        do(unbroken, step)
    path = tmp_path / "ledger.db"

    for step in TRADES:
        ledger = opened(path)
        do(ledger, step)
        ledger.close()

    ledger = opened(path)
    session = "2024-01-02"
    assert ledger.counters(session) == unbroken.counters(session)
    assert ledger.sub_ledgers() == unbroken.sub_ledgers()
    assert ledger.inventories() == unbroken.inventories()
    assert ledger.state_hash() == unbroken.state_hash()
    assert ledger.counters(session) == (
        SessionCounters(
            bot="momentum",
            session=session,
            entries=2,
            exits=1,
            rejections=1,
            fills=3,
            round_trips=1,
            realised=Decimal("7.00"),
        ),
        SessionCounters(bot="other", session=session, entries=1, fills=1),
    )
    assert ledger.sub_ledgers() == (
        SubLedger(bot="momentum", cash=Decimal("7.00"), realised=Decimal("7.00")),
        SubLedger(bot="other", cash=Decimal("-1870.00")),
    )
    ledger.close()
    unbroken.close()


def test_the_newest_grant_of_a_session_is_the_budget(ledger: Ledger) -> None:
    for bot, session, amount in [
        ("one", "2024-01-02", "100"),
        ("two", "2024-01-02", "50"),
        ("one", "2024-01-02", "80.5"),
        ("one", "2024-01-03", "70"),
    ]:
        ledger.grant_budget(bot, session, Decimal(amount), AT)
    ledger.commit()

    assert ledger.budgets("2024-01-02") == {"one": Decimal("80.5"), "two": Decimal(50)}
    assert ledger.budgets("2024-01-04") == {}


def test_counters_are_those_of_the_session_that_is_asked_for_i38(ledger: Ledger) -> None:
    for session in ("2024-01-02", "2024-01-03"):
        ledger.record_intent(approved(decision(session=session)), AT)

    assert ledger.counters("2024-01-03") == (
        SessionCounters(bot="momentum", session="2024-01-03", entries=1),
    )


def cause(code: str, since: int, detail: str = "") -> Cause:
    return Cause(
        code=code,
        cause_class=CauseClass.LIMIT,
        state=TradingState.CLOSE_ONLY,
        since=since,
        detail=detail,
    )


def test_halts_stand_until_each_is_cleared_by_its_code_i05(ledger: Ledger) -> None:
    ledger.latch_halt(cause("daily_loss", AT + 1), AT)
    ledger.latch_halt(cause("wash_trade", AT), AT)
    ledger.latch_halt(cause("daily_loss", AT + 2, "again"), AT)
    ledger.commit()
    assert ledger.halts() == (cause("wash_trade", AT), cause("daily_loss", AT + 2, "again"))

    ledger.clear_halt("daily_loss", "preflight passed", AT)
    ledger.clear_halt("nobody latched this", "by mistake", AT)
    ledger.commit()

    assert ledger.halts() == (cause("wash_trade", AT),)


def test_a_halt_of_one_bot_or_symbol_keeps_its_scope_i05(ledger: Ledger) -> None:
    scoped = [
        msgspec.structs.replace(cause("a", AT), bot="momentum"),
        msgspec.structs.replace(cause("b", AT), symbol="AAPL"),
        msgspec.structs.replace(cause("c", AT), bot="momentum", symbol="AAPL"),
    ]
    hashes = {ledger.state_hash()}
    for one in scoped:
        ledger.latch_halt(one, AT)
        ledger.commit()
        hashes.add(ledger.state_hash())

    assert ledger.halts() == tuple(scoped)
    assert len(hashes) == 4


def test_the_chain_names_every_event_and_all_before_it_i54(ledger: Ledger) -> None:
    ledger.put("key", "1", AT)
    first = ledger.commit()
    ledger.put("key", "2", AT)
    second = ledger.commit()

    assert (first.seq, second.seq) == (2, 3)
    assert ledger.chain_at(2) == first.chain != second.chain == ledger.chain_at(3)
    assert ledger.chain_at(4) is None


def test_a_commit_of_nothing_changes_nothing_and_waits_for_nobody(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db", venue="paper", at=AT, busy_timeout_ms=1)
    before = ledger.mark
    other = apsw.Connection(str(tmp_path / "ledger.db"))
    other.execute("BEGIN IMMEDIATE")

    assert ledger.commit() == before

    other.close()
    ledger.close()


def test_the_journal_s_mark_only_goes_on_and_is_written_when_it_does_i54(ledger: Ledger) -> None:
    first = ledger.mark
    for seq in (7, 7, 3):
        ledger.mark_journal(seq, AT)
        ledger.commit()

    assert (ledger.journal_seq, ledger.mark.seq) == (7, first.seq + 1)


def test_starts_after_an_unclean_end_are_counted_by_the_machine_s_clock_i75(ledger: Ledger) -> None:
    assert ledger.unclean_starts(0) == ()
    for number, is_clean in enumerate([True, False, True, True, False, False], 1):
        if number > 1 and is_clean:
            ledger.engine_stopped("asked to", AT)
        ledger.engine_started("1.0.0", "digest", AT, wall_at=AT + number)
        ledger.commit()
    ledger.engine_started("1.0.0", "digest", AT)  # one that wrote down no time
    ledger.commit()

    assert ledger.unclean_starts(0) == (AT + 2, AT + 5, AT + 6)
    assert ledger.unclean_starts(AT + 5) == (AT + 5, AT + 6)
    assert ledger.unclean_starts(AT + 7) == ()


def test_starts_of_a_storm_that_a_person_has_looked_into_count_no_more_i75(ledger: Ledger) -> None:
    storm = RESTART_STORM.cause(since=AT, detail="4 starts after unclean ends")
    for number in range(1, 6):
        ledger.engine_started("1.0.0", "digest", AT, wall_at=AT + number)
    ledger.latch_halt(storm, AT)
    ledger.latch_halt(OPERATOR_HALT.cause(since=AT, detail="a drill"), AT)
    ledger.clear_halt("operator-halt", "looked", AT)
    ledger.commit()
    assert ledger.unclean_starts(0) == (AT + 2, AT + 3, AT + 4, AT + 5)

    ledger.clear_halt("restart_storm", "found what ends it", AT)
    ledger.engine_started("1.0.0", "digest", AT, wall_at=AT + 6)
    ledger.commit()

    assert ledger.unclean_starts(0) == (AT + 6,)


def test_a_start_counts_once_it_is_durable_whatever_the_clock_says_i49_i75(ledger: Ledger) -> None:
    ledger.engine_started("1.0.0", "digest", AT, wall_at=AT)
    ledger.engine_started("1.0.0", "digest", AT, wall_at=AT - 1)
    ledger.engine_started("1.0.0", "digest", AT, wall_at=AT - 2)
    assert ledger.unclean_starts(0) == ()

    ledger.commit()

    assert ledger.unclean_starts(0) == (AT - 1, AT - 2)


def test_which_engine_has_it_on_which_settings_is_on_record(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "ledger.db")
    assert (ledger.engine, ledger.unclean_end) == (None, False)
    ledger.engine_started("1.2.3", "digest of the settings", AT)
    ledger.commit()
    assert (ledger.engine, ledger.unclean_end) == ("1.2.3", True)
    ledger.engine_stopped("asked to", AT)
    ledger.commit()
    assert (ledger.engine, ledger.unclean_end) == ("1.2.3", False)
    ledger.close()

    assert rows(tmp_path / "ledger.db", "SELECT name, value FROM facts ORDER BY name") == [
        ("configuration", "digest of the settings"),
        ("engine", "1.2.3"),
        ("running", "no"),
        ("venue", "paper"),
    ]


def test_a_rejection_counts_once_whatever_comes_after_it_i38(ledger: Ledger) -> None:
    ledger.record_intent(APPROVED, AT)
    for report in (REJECTED, ACCEPTED, REJECTED):
        ledger.record_report(report, AT)

    (counters,) = ledger.counters("2024-01-02")
    assert (counters.entries, counters.rejections) == (1, 1)
