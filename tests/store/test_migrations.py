"""A ledger that an older Hydra wrote, in the hands of this one (I67)."""

import re
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import apsw
import pytest
from msgspec import structs

from hydra.ports import LedgerMark
from hydra.store.backup import proven
from hydra.store.checking import LedgerDamaged, chain_head, require_replay, require_state
from hydra.store.connection import connected_to_read
from hydra.store.ledger import Ledger
from hydra.store.schema import MIGRATIONS, NotALedger, migrate
from hydra.store.verification import verify_file
from hydra.trading.differences import DifferenceKind
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Role, Side
from hydra.trading.sub_ledgers import SessionCounters, SubLedger
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from messages.orders import OrderAbsent, OrderAccepted, OrderReplaced
from tests.store.kept import VERSION_1_CHAIN, VERSION_1_STATE, ledger_of_version_1
from tests.store.orders import AT, approved, decision

DAILY_LOSS = Cause(
    code="daily_loss",
    cause_class=CauseClass.LIMIT,
    state=TradingState.CLOSE_ONLY,
    since=AT,
    detail="3.1 % lost, at most 3 % allowed",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return ledger_of_version_1(tmp_path / "state" / "ledger.db")


def opened(path: Path) -> Ledger:
    return Ledger.open(path, venue="paper", at=AT)


def schema_of(connection: apsw.Connection) -> dict[str, str]:
    """Every table, index and trigger by its words, without the quotes of what was renamed."""
    rows = connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql NOT NULL")
    return {name: re.sub(r"\s+", " ", sql.replace('"', "")).strip() for name, sql in rows}


def test_it_is_what_it_was_to_the_last_row_i55_i67(path: Path) -> None:
    ledger = opened(path)

    assert ledger.mark == LedgerMark(37, VERSION_1_CHAIN)
    assert ledger.state_hash() == VERSION_1_STATE
    assert [
        (order.intent.decision.signal, order.intent.decision.role, order.state.status)
        for order in ledger.orders()
    ] == [
        (1, Role.ENTRY, OrderStatus.FILLED),
        (2, Role.EXIT, OrderStatus.PARTIALLY_FILLED),
        (3, Role.ENTRY, OrderStatus.REJECTED),
        (4, Role.ENTRY, OrderStatus.WITHHELD),
        (5, Role.ENTRY, OrderStatus.UNKNOWN),
        (6, Role.ENTRY, OrderStatus.CANCELED),
        (7, Role.ENTRY, OrderStatus.EXPIRED),
        (8, Role.ENTRY, OrderStatus.ATTEMPTED),
    ]
    assert [fill.execution_id for fill in ledger.fills()] == ["x-1-1", "x-1-2", "x-2-1"]
    assert ledger.sub_ledgers() == (
        SubLedger(bot="momentum", cash=Decimal("-1309.06"), realised=Decimal("2.10")),
    )
    assert ledger.counters("2024-01-02")[1] == SessionCounters(
        bot="reversal", session="2024-01-02", entries=3, rejections=1
    )
    assert ledger.halts() == (DAILY_LOSS,)
    assert (ledger.unclean_end, ledger.unclean_starts(0)) == (True, ())
    assert (ledger.opening_cash, ledger.exclusions()) == (None, ())
    ledger.close()


def test_it_goes_on_with_all_that_is_new_i67(path: Path) -> None:
    scoped = structs.replace(DAILY_LOSS, code="throttled", bot="momentum", symbol="AAPL")
    ledger = opened(path)
    unknown = ledger.orders()[4].state.order.client_order_id
    attempted = ledger.orders()[7].state.order.client_order_id
    flatten = approved(decision(signal=9, role=Role.FLATTEN), side=Side.SELL)

    ledger.engine_started("0.2.0", "digest", AT, wall_at=AT)
    ledger.record_intent(flatten, AT)
    ledger.record_report(OrderAbsent(client_order_id=unknown, reason="5 looks", at=AT), AT)
    ledger.record_report(OrderReplaced(client_order_id=attempted, by="another", at=AT), AT)
    ledger.latch_halt(scoped, AT)
    ledger.exclude_difference(
        DifferenceKind.FOREIGN_ORDER, "theirs", None, reason="known", operator="pat", at=AT
    )
    ledger.commit()
    ledger.close()

    ledger = opened(path)
    assert {order.state.status for order in ledger.orders()} >= {
        OrderStatus.ABSENT,
        OrderStatus.REPLACED,
    }
    assert ledger.halts() == (DAILY_LOSS, scoped)
    assert ledger.unclean_starts(0) == (AT,)
    ledger.close()
    connection = apsw.Connection(str(path))
    assert list(connection.execute("SELECT code, bot, symbol FROM halts ORDER BY code")) == [
        ("daily_loss", None, None),
        ("throttled", "momentum", "AAPL"),
    ]
    connection.close()
    assert verify_file(path, lambda _name, _done, _of: None).is_well


@pytest.mark.parametrize("version", [1, 2])
def test_a_number_of_an_older_schema_on_newer_tables_is_refused_in_one_line_i67(
    path: Path, version: int
) -> None:
    opened(path).close()
    with closing(apsw.Connection(str(path))) as connection:
        connection.pragma("user_version", version)
    before = path.read_bytes()

    with pytest.raises(NotALedger) as refused:
        opened(path)

    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"{path} says that it is of schema version {version}, and has other")
    assert path.read_bytes() == before
    assert not [check for check in verify_file(path, quiet).checks if check.name == "replay"]
    assert not verify_file(path, quiet).is_well


def quiet(_name: str, _done: int, _of: int | None) -> None:
    pass


def test_a_decision_of_before_is_still_a_duplicate_and_is_never_sent_again_i16(path: Path) -> None:
    ledger = opened(path)

    recorded = ledger.record_intent(approved(decision(signal=8)), AT)

    assert recorded.duplicate
    ledger.close()


def test_its_schema_is_that_of_a_new_one_i67(path: Path) -> None:
    opened(path).close()
    new = apsw.Connection(":memory:")
    migrate(new, lambda _version: None)

    connection = apsw.Connection(str(path))

    assert schema_of(connection) == schema_of(new)
    assert connection.pragma("user_version") == len(MIGRATIONS)
    assert list(connection.execute("PRAGMA foreign_key_check")) == []
    require_state(connection, chain_head(connection))
    require_replay(connection, lambda _seq: None)
    connection.close()


def test_what_it_was_before_is_kept_beside_it_i67(path: Path) -> None:
    opened(path).close()

    backup = path.parent / "backups" / "ledger-schema-1.db"

    proven(backup)
    connection = connected_to_read(backup)
    (last,) = connection.execute(
        "SELECT hex(link), hex(state) FROM events ORDER BY seq DESC LIMIT 1"
    )
    assert last == (VERSION_1_CHAIN.upper(), VERSION_1_STATE.upper())
    assert connection.pragma("user_version") == 1
    connection.close()


def test_it_is_told_apart_from_one_that_somebody_changed_i54(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE halts SET detail = '2.9 % lost'")
    connection.close()

    with pytest.raises(LedgerDamaged, match="its tables are not those"):
        opened(path)


def test_the_report_of_an_order_of_before_is_booked_i23(path: Path) -> None:
    ledger = opened(path)
    attempted = ledger.orders()[7].state.order.client_order_id
    accepted = OrderAccepted(client_order_id=attempted, venue_order_id="venue-8", at=AT)

    assert not ledger.record_report(accepted, AT).duplicate
    assert ledger.record_report(accepted, AT).duplicate
    ledger.commit()
    ledger.close()
