"""What the ledger does on a machine that fails it: it refuses, or it stops; it never goes on."""

import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import apsw
import pytest

from hydra.store.chain import link_of
from hydra.store.checking import (
    LedgerDamaged,
    chain_head,
    require_replay,
    require_state,
    state_of_tables,
)
from hydra.store.connection import DurabilityRefused, require_sqlite
from hydra.store.event_log import CHECKPOINT_PAGES
from hydra.store.events import RECORD_VERSION
from hydra.store.ledger import Ledger, LedgerFailed, WrongOwner
from hydra.store.private_files import RightsTooOpen
from hydra.store.schema import MIGRATIONS, NewerThanThisHydra, NotALedger
from hydra.trading.differences import DifferenceKind
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from hydra.trading.venue_view import VenueAccount, VenueSnapshot
from messages.orders import OrderAccepted, OrderRejected
from tests.faults.quota import no_file_longer_than
from tests.store.orders import AT, approved, decision, filled, opened

APPROVED = approved()
NAME = APPROVED.order.client_order_id
ACCEPTED = OrderAccepted(client_order_id=NAME, venue_order_id="venue-1", at=AT)
CAUSE = Cause(
    code="kill",
    cause_class=CauseClass.INTEGRITY,
    state=TradingState.HALTED,
    since=AT,
    detail="asked to",
)
PROJECT_ROOT = Path(__file__).parents[2]
BY = {"reason": "looked at it", "operator": "pat"}
SNAPSHOT = VenueSnapshot(
    at=AT,
    since=0,
    account=VenueAccount(account="PA-1", cash=Decimal(100_000), equity=None),
    positions=(),
    orders=(),
    fills=(),
)

USES: dict[str, Callable[[Ledger], object]] = {
    "record_intent": lambda ledger: ledger.record_intent(approved(decision(signal=2)), AT),
    "record_report": lambda ledger: ledger.record_report(ACCEPTED, AT),
    "decision_of": lambda ledger: ledger.decision_of(NAME),
    "orders": lambda ledger: ledger.orders(),
    "open_orders": lambda ledger: ledger.open_orders(),
    "fills": lambda ledger: ledger.fills(),
    "book": lambda ledger: ledger.book(None),
    "put": lambda ledger: ledger.put("key", "value", AT),
    "commit": lambda ledger: ledger.commit(),
    "latch_halt": lambda ledger: ledger.latch_halt(CAUSE, AT),
    "clear_halt": lambda ledger: ledger.clear_halt("kill", "looked", AT),
    "grant_budget": lambda ledger: ledger.grant_budget("bot", "2024-01-02", Decimal(1), AT),
    "bind_account": lambda ledger: ledger.bind_account("PA-1", AT),
    "engine_started": lambda ledger: ledger.engine_started("1.0", "digest", AT),
    "engine_stopped": lambda ledger: ledger.engine_stopped("asked to", AT),
    "mark_journal": lambda ledger: ledger.mark_journal(7, AT),
    "take_up": lambda ledger: ledger.take_up(SNAPSHOT, AT),
    "written_since": lambda ledger: ledger.written_since(AT),
    "record_view": lambda ledger: ledger.record_view(SNAPSHOT),
    "guardian_record": lambda ledger: ledger.guardian_record("2024-01-02"),
    "open_account": lambda ledger: ledger.open_account(Decimal(100_000), AT),
    "opening_cash": lambda ledger: ledger.opening_cash,
    "adjust_cash": lambda ledger: ledger.adjust_cash(Decimal(1), **BY, at=AT),
    "assign_position": lambda ledger: ledger.assign_position(
        "bot", "AAPL", Decimal(1), price=Decimal(187), **BY, at=AT
    ),
    "exclude_difference": lambda ledger: ledger.exclude_difference(
        DifferenceKind.FOREIGN_ORDER, "theirs", None, **BY, at=AT
    ),
    "adopt_order": lambda ledger: ledger.adopt_order(APPROVED.intent, APPROVED.order, **BY, at=AT),
    "exclusions": lambda ledger: ledger.exclusions(),
    "unclean_starts": lambda ledger: ledger.unclean_starts(0),
    "journal_seq": lambda ledger: ledger.journal_seq,
    "engine": lambda ledger: ledger.engine,
    "unclean_end": lambda ledger: ledger.unclean_end,
    "chain_at": lambda ledger: ledger.chain_at(1),
    "inventories": lambda ledger: ledger.inventories(),
    "sub_ledgers": lambda ledger: ledger.sub_ledgers(),
    "counters": lambda ledger: ledger.counters("2024-01-02"),
    "budgets": lambda ledger: ledger.budgets("2024-01-02"),
    "halts": lambda ledger: ledger.halts(),
    "get": lambda ledger: ledger.get("key"),
    "state_hash": lambda ledger: ledger.state_hash(),
}
WRITES = {name: USES[name] for name in ("record_intent", "record_report", "put")}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.db"


@pytest.fixture
def connections() -> Iterator[list[apsw.Connection]]:
    """Every connection that is opened during the test."""
    opened: list[apsw.Connection] = []
    apsw.connection_hooks.append(opened.append)
    yield opened
    apsw.connection_hooks.clear()


@contextmanager
def pragma_ignored(name: str) -> Iterator[None]:
    """SQLite does not apply this setting, and does not say so either."""

    def authorize(operation: int, pragma: str | None, value: str | None, *_: str | None) -> int:
        ignored = operation == apsw.SQLITE_PRAGMA and pragma == name and value is not None
        return apsw.SQLITE_IGNORE if ignored else apsw.SQLITE_OK

    def hook(connection: apsw.Connection) -> None:
        connection.authorizer = authorize

    apsw.connection_hooks.append(hook)
    try:
        yield
    finally:
        apsw.connection_hooks.clear()


def opened_with_one_order(path: Path) -> Ledger:
    ledger = opened(path)
    ledger.record_intent(APPROVED, AT)
    return ledger


def recorded_at_once(ledger: Ledger) -> None:
    ledger.record_intent(APPROVED, AT)
    ledger.commit()


def fails(use: Callable[[Ledger], object], ledger: Ledger) -> bool:
    try:
        use(ledger)
    except LedgerFailed:
        return True
    return False


def names_in(path: Path) -> list[str]:
    ledger = opened(path)
    names = [record.state.order.client_order_id for record in ledger.orders()]
    ledger.close()
    return names


@pytest.mark.parametrize(
    "name",
    [
        "busy_timeout",
        "journal_mode",
        "synchronous",
        "fullfsync",
        "checkpoint_fullfsync",
        "foreign_keys",
    ],
)
def test_a_setting_that_was_not_applied_refuses_i51(path: Path, name: str) -> None:
    # FULL happens to be what SQLite begins with, so here it is set to something else first.
    def begin_lax(connection: apsw.Connection) -> None:
        connection.pragma("synchronous", "NORMAL")

    apsw.connection_hooks.append(begin_lax)
    with pragma_ignored(name), pytest.raises(DurabilityRefused, match=f"{name}=.*, wanted"):
        opened(path)


def test_the_settings_are_those_that_survive_a_power_cut_i51(
    path: Path, connections: list[apsw.Connection]
) -> None:
    ledger = opened(path)

    (connection,) = connections
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    assert [connection.pragma(name) for name in names] == ["wal", 2, 1, 1_000]
    ledger.close()


@pytest.mark.parametrize("version", ["3.51.2", "3.50.4", "2.8.17"])
def test_a_sqlite_that_can_lose_commits_is_refused_i51(version: str) -> None:
    with pytest.raises(DurabilityRefused, match=f"SQLite is {version}, wanted 3.51.3 or later"):
        require_sqlite(version)


@pytest.mark.parametrize("version", ["3.51.3", "3.52.0", "3.100.0", "4.0.0"])
def test_a_sqlite_without_that_fault_is_taken(version: str) -> None:
    require_sqlite(version)


def test_a_newer_schema_is_refused_and_left_alone_i67(path: Path) -> None:
    opened(path).close()
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", len(MIGRATIONS) + 1)
    connection.close()

    with pytest.raises(NewerThanThisHydra, match=f"{path} has schema version"):
        opened(path)

    connection = apsw.Connection(str(path))
    assert connection.pragma("user_version") == len(MIGRATIONS) + 1
    connection.close()


def test_all_files_of_the_ledger_are_private_whatever_the_umask_i84(path: Path) -> None:
    before = os.umask(0)
    try:
        ledger = opened_with_one_order(path)
    finally:
        os.umask(before)

    rights = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert rights == {"ledger.db": 0o600, "ledger.db-wal": 0o600, "ledger.db-shm": 0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700
    ledger.close()


@pytest.mark.parametrize("loosened", [".", "ledger.db"])
def test_rights_that_were_loosened_refuse_i84(path: Path, loosened: str) -> None:
    opened(path).close()
    (path.parent / loosened).chmod(0o755)

    with pytest.raises(RightsTooOpen, match="has rights 0755, wanted"):
        opened(path)


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    path.write_bytes(b"not a database at all, but long enough to be taken for one" * 100)
    path.chmod(0o600)
    before = path.read_bytes()

    with pytest.raises(LedgerDamaged, match=f"{path}: NotADBError"):
        opened(path)

    assert path.read_bytes() == before


def test_a_place_where_no_file_can_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(LedgerFailed, match="cannot open the ledger"):
        opened(tmp_path / "file" / "ledger.db")


@pytest.mark.parametrize("name", USES)
def test_a_ledger_that_is_closed_answers_nothing(path: Path, name: str) -> None:
    ledger = opened_with_one_order(path)
    ledger.close()

    with pytest.raises(LedgerFailed, match="failed before: it is closed"):
        USES[name](ledger)


@pytest.mark.parametrize("name", WRITES)
def test_a_ledger_that_can_only_be_read_fails_i56(
    path: Path, name: str, connections: list[apsw.Connection]
) -> None:
    ledger = opened_with_one_order(path)
    connections[0].pragma("query_only", True)

    with pytest.raises(LedgerFailed, match="ReadOnlyError"):
        WRITES[name](ledger)

    ledger.close()


def test_a_full_disk_fails_and_leaves_no_part_i56(
    path: Path, connections: list[apsw.Connection]
) -> None:
    ledger = opened_with_one_order(path)
    connections[0].pragma("max_page_count", connections[0].pragma("page_count"))

    recorded = [NAME]

    def record_for_ever() -> None:
        for number in itertools.count(2):
            one = approved(decision(signal=number))
            recorded.append(ledger.record_intent(one, AT).client_order_id)

    with pytest.raises(LedgerFailed, match="cannot commit: FullError"):
        record_for_ever()

    ledger.close()
    assert names_in(path) == recorded


def test_a_used_up_quota_fails_and_leaves_no_part_i56(path: Path) -> None:
    ledger = opened_with_one_order(path)
    size = path.with_name("ledger.db-wal").stat().st_size

    with no_file_longer_than(size), pytest.raises(LedgerFailed, match="cannot commit"):
        ledger.record_report(ACCEPTED, AT)

    ledger.close()
    ledger = opened(path)
    assert ledger.record_report(ACCEPTED, AT).duplicate is False
    ledger.close()


def test_another_writer_is_waited_for_only_so_long_i56(path: Path) -> None:
    ledger = Ledger.open(path, venue="paper", at=AT, busy_timeout_ms=1)
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(LedgerFailed, match="BusyError"):
        recorded_at_once(ledger)

    other.execute("ROLLBACK")
    other.close()
    ledger.close()
    assert names_in(path) == []


def test_a_lock_that_is_held_for_a_moment_is_waited_for_i56(path: Path) -> None:
    ledger = Ledger.open(path, venue="paper", at=AT)
    ledger.record_intent(APPROVED, AT)
    ledger.record_report(ACCEPTED, AT)
    locked = threading.Event()

    def hold() -> None:
        other = apsw.Connection(str(path))
        other.execute("BEGIN IMMEDIATE")
        locked.set()
        threading.Event().wait(0.05)
        other.execute("ROLLBACK")
        other.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(10)
    ledger.commit()

    holder.join(10)
    assert len(ledger.open_orders()) == 1
    ledger.close()


@pytest.mark.parametrize("mode", ["delete", "truncate", "off", "memory"])
def test_nobody_takes_the_log_away_from_a_ledger_in_use_i51(path: Path, mode: str) -> None:
    ledger = opened_with_one_order(path)
    other = apsw.Connection(str(path))

    with pytest.raises(apsw.BusyError):
        other.pragma("journal_mode", mode)

    other.close()
    assert ledger.record_report(ACCEPTED, AT).duplicate is False
    ledger.close()


def test_a_log_that_was_taken_away_from_a_ledger_at_rest_is_there_at_the_next_start_i51(
    path: Path, connections: list[apsw.Connection]
) -> None:
    opened_with_one_order(path).close()
    other = apsw.Connection(str(path))
    assert other.pragma("journal_mode", "delete") == "delete"
    other.close()

    ledger = opened(path)

    assert connections[-1].pragma("journal_mode") == "wal"
    assert len(ledger.open_orders()) == 1
    ledger.close()


def test_a_write_by_somebody_else_is_noticed_before_the_next_commit_i56_i58(path: Path) -> None:
    ledger = Ledger.open(path, venue="paper", at=AT)
    other = apsw.Connection(str(path))
    other.execute("INSERT INTO kv VALUES ('key', 'theirs')")
    other.close()

    with pytest.raises(LedgerFailed, match="somebody else wrote to the database"):
        recorded_at_once(ledger)

    ledger.close()
    with pytest.raises(LedgerDamaged, match="its tables are not those"):
        opened(path)


def test_a_failure_is_final_i56(path: Path) -> None:
    ledger = Ledger.open(path, venue="paper", at=AT, busy_timeout_ms=1)
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerFailed):
        recorded_at_once(ledger)
    other.execute("ROLLBACK")
    other.close()

    for use in USES.values():
        with pytest.raises(LedgerFailed, match=r"failed before: cannot commit: BusyErr"):
            use(ledger)

    ledger.close()


@pytest.mark.parametrize("name", WRITES)
def test_a_failure_at_any_statement_leaves_nothing_i56(
    path: Path, name: str, connections: list[apsw.Connection]
) -> None:
    ledger = opened_with_one_order(path)
    before = ledger.state_hash()
    ledger.close()

    for statements in itertools.count():
        ledger = opened(path)
        passed_on = itertools.count()
        connections[-1].exec_trace = lambda *_: next(passed_on) < statements  # noqa: B023
        failed = fails(WRITES[name], ledger)
        connections[-1].exec_trace = None
        ledger.close()
        if not failed:
            break

        ledger = opened(path)
        assert ledger.state_hash() == before
        ledger.close()

    assert statements >= 4  # At least begin, one event, one table and commit.


KILLED = """
import os, signal, sys
from pathlib import Path

import apsw

connections = []
apsw.connection_hooks.append(connections.append)

from tests.store.orders import AT, approved, decision, opened

statements = int(sys.argv[2])


def die_in_time(*_):
    global statements
    statements -= 1
    if statements == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return True


ledger = opened(Path(sys.argv[1]))
ledger.record_intent(approved(decision(signal=1)), AT)
connections[0].exec_trace = die_in_time
ledger.record_intent(approved(decision(signal=2)), AT)
os.kill(os.getpid(), signal.SIGKILL)
"""


def run_until_killed(path: Path, statements: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(path), str(statements)],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def test_what_was_recorded_is_there_after_kill_9_i52(path: Path) -> None:
    run_until_killed(path, statements=1_000)

    ledger = opened(path)
    assert ledger.record_intent(approved(decision(signal=1)), AT).duplicate
    assert ledger.record_intent(approved(decision(signal=2)), AT).duplicate
    assert len(ledger.open_orders()) == 2
    ledger.close()


@pytest.mark.parametrize("statements", range(1, 7))
def test_kill_9_at_any_statement_leaves_intent_with_attempt_or_neither_i14_i52(
    path: Path, statements: int
) -> None:
    run_until_killed(path, statements)

    ledger = opened(path)
    assert ledger.mark.seq == 3
    assert [record.attempted_at for record in ledger.orders()] == [AT]
    ledger.close()


def test_what_was_not_committed_is_gone_and_was_never_shown_i52(path: Path) -> None:
    ledger = Ledger.open(path, venue="paper", at=AT)
    ledger.record_intent(APPROVED, AT)
    ledger.record_report(ACCEPTED, AT)
    ledger.put("key", "value", AT)
    mark = ledger.mark

    assert (ledger.orders(), ledger.get("key"), ledger.book(None).orders) == ((), None, ())
    ledger.close()

    ledger = opened(path)
    assert (ledger.orders(), ledger.get("key"), ledger.mark) == ((), None, mark)
    ledger.close()


def test_a_ledger_of_another_venue_or_account_is_refused_i57(path: Path) -> None:
    ledger = opened(path)
    ledger.bind_account("PA-1", AT)
    ledger.commit()
    with pytest.raises(WrongOwner, match="is of account PA-1, and this is PA-2"):
        ledger.bind_account("PA-2", AT)
    ledger.close()

    with pytest.raises(WrongOwner, match="is of venue paper, and this is live"):
        opened(path, venue="live")


def test_an_older_engine_is_refused_on_the_ledger_of_a_newer_one_i67(path: Path) -> None:
    ledger = opened(path)
    ledger.engine_started("0.10.0", "digest", AT)
    ledger.engine_started("0.10.1", "digest", AT)

    with pytest.raises(NewerThanThisHydra, match=r"last used by Hydra 0\.10\.1, this is 0\.9\.9"):
        ledger.engine_started("0.9.9", "digest", AT)

    ledger.close()


def test_a_database_of_somebody_else_is_refused_and_left_alone_i67(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    connection = apsw.Connection(str(path))
    path.chmod(0o600)
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()

    with pytest.raises(NotALedger, match=f"{path} is a database with application id 0x0"):
        opened(path)

    connection = apsw.Connection(str(path))
    assert [name for (name,) in connection.execute("SELECT name FROM sqlite_schema")] == ["theirs"]
    connection.close()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE events SET body = x'78' WHERE seq = 2", "event 2 is not what was written"),
        ("UPDATE events SET at = at + 1 WHERE seq = 3", "event 3 is not what was written"),
        ("UPDATE events SET state = NULL WHERE seq = 3", "event 3 is not what was written"),
        ("DELETE FROM events WHERE seq = 2", "event 2 is missing, before event 3"),
        ("DELETE FROM events WHERE seq > 2", "event 2 is not the last one of its commit"),
        ("UPDATE orders SET filled_quantity = '1'", "its tables are not those"),
        ("UPDATE sub_ledgers SET cash = '1'", "its tables are not those"),
        ("DELETE FROM fills", "its tables are not those"),
        ("INSERT INTO kv VALUES ('key', 'value')", "its tables are not those"),
    ],
)
def test_a_ledger_that_somebody_changed_is_refused_i54(path: Path, change: str, found: str) -> None:
    ledger = opened(path)
    ledger.record_intent(APPROVED, AT)
    ledger.record_report(filled(APPROVED.order, "4"), AT)
    ledger.close()
    connection = apsw.Connection(str(path))
    for (trigger,) in list(
        connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
    ):
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.pragma("foreign_keys", 0)
    connection.execute(change)
    connection.close()

    with pytest.raises(LedgerDamaged, match=found):
        opened(path)


@pytest.mark.parametrize(
    ("version", "kind"), [(RECORD_VERSION + 1, "ValuePut"), (RECORD_VERSION, "OrderTeleported")]
)
def test_a_record_that_this_hydra_cannot_read_is_refused_i67(
    path: Path, version: int, kind: str
) -> None:
    ledger = opened(path)
    mark = ledger.mark
    ledger.close()
    connection = apsw.Connection(str(path))
    row = (mark.seq + 1, AT, version, kind, b"{}", bytes(32))
    link = link_of(bytes.fromhex(mark.chain), *row)
    connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, link))
    connection.close()

    with pytest.raises(NewerThanThisHydra, match=f"event 2 is a {kind} of record version"):
        opened(path)


def test_the_log_is_taken_over_again_and_again_i65(path: Path) -> None:
    ledger = opened(path)
    log = path.with_name("ledger.db-wal")
    value = "x" * 200_000  # some 50 pages

    sizes = []
    for number in range(100):
        ledger.put("key", value, AT + number)
        sizes.append(log.stat().st_size)

    pages = max(sizes) // 4096
    assert CHECKPOINT_PAGES <= pages <= CHECKPOINT_PAGES + 300
    ledger.close()


def test_tables_that_do_not_follow_from_the_events_are_not_proven_i55(path: Path) -> None:
    ledger = opened_with_one_order(path)
    ledger.put("key", "value", AT)
    before = bytes.fromhex(ledger.chain_at(ledger.mark.seq - 1) or "")
    ledger.close()
    connection = apsw.Connection(str(path))
    connection.execute("DROP TRIGGER events_are_not_changed")
    connection.execute("UPDATE kv SET value = 'another'")
    ((seq, at, version, kind, body),) = connection.execute(
        "SELECT seq, at, version, kind, body FROM events ORDER BY seq DESC LIMIT 1"
    )
    state = state_of_tables(connection).digest
    link = link_of(before, seq, at, version, kind, body, state)
    connection.execute("UPDATE events SET state = ?, link = ? WHERE seq = ?", (state, link, seq))
    require_state(connection, chain_head(connection))

    with pytest.raises(LedgerDamaged, match="replayed up to event 4, the state is another one"):
        require_replay(connection, lambda _seq: None)

    connection.close()


def test_a_value_that_the_database_cannot_take_fails_and_leaves_no_part_i55_i56(
    path: Path,
) -> None:
    ledger = opened_with_one_order(path)
    too_late = filled(APPROVED.order, "4", at=2**63)

    with pytest.raises(LedgerFailed, match="cannot commit: OverflowError"):
        ledger.record_report(too_late, AT)
    with pytest.raises(LedgerFailed, match="failed before: cannot commit: OverflowError"):
        ledger.record_report(ACCEPTED, AT)

    ledger.close()
    ledger = opened(path)
    assert (ledger.mark.seq, ledger.fills()) == (3, ())
    ledger.close()


def test_a_position_that_has_too_many_digits_fails_and_leaves_no_part_i55_i56(path: Path) -> None:
    vast, tiny = Decimal("1E+60"), Decimal("1E-60")
    ledger = Ledger.open(path, venue="paper", at=AT)
    for signal_number, quantity in enumerate((vast, tiny)):
        one = approved(decision(signal=signal_number), quantity=quantity)
        ledger.record_intent(one, AT)
        ledger.record_report(filled(one.order, quantity, price=Decimal(0)), AT)

    with pytest.raises(LedgerFailed, match="cannot commit: Inexact"):
        ledger.commit()
    with pytest.raises(LedgerFailed, match="failed before: cannot commit: Inexact"):
        ledger.commit()

    ledger.close()
    assert names_in(path) == []


def test_words_that_cannot_be_written_fail_before_anything_is_told_i56(path: Path) -> None:
    ledger = opened_with_one_order(path)
    rejected = OrderRejected(client_order_id=NAME, reason="half a pair: \ud800", at=AT)

    with pytest.raises(LedgerFailed, match="cannot record a report: UnicodeEncodeError"):
        ledger.record_report(rejected, AT)
    assert fails(USES["commit"], ledger)

    ledger.close()
    assert names_in(path) == [NAME]


@pytest.mark.parametrize("reopens", [True, False])
def test_an_order_s_name_of_another_session_is_never_taken_again_i15(
    path: Path, *, reopens: bool
) -> None:
    ledger = opened_with_one_order(path)
    ledger.record_report(filled(APPROVED.order, "4"), AT)
    before = ledger.state_hash()
    if reopens:
        ledger.close()
        ledger = opened(path)
    taken = approved(decision(session="2024-01-03"), client_order_id=NAME)

    with pytest.raises(LedgerFailed, match=r"ConstraintError|is on record already"):
        ledger.record_intent(taken, AT)

    ledger.close()
    ledger = opened(path)
    assert ledger.state_hash() == before
    ledger.close()


def test_an_interruption_in_a_commit_is_a_failure_i56(
    path: Path, connections: list[apsw.Connection]
) -> None:
    ledger = opened_with_one_order(path)

    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    connections[0].exec_trace = interrupted
    with pytest.raises(KeyboardInterrupt):
        ledger.put("key", "value", AT)
    connections[0].exec_trace = None

    assert fails(USES["commit"], ledger)
    ledger.close()
    assert names_in(path) == [NAME]


def test_who_comes_while_another_thread_commits_is_refused_i13_i56(
    path: Path, connections: list[apsw.Connection]
) -> None:
    ledger = Ledger.open(path, venue="paper", at=AT)
    commits, goes_on = threading.Event(), threading.Event()

    def hang(_cursor: object, statement: str, _bindings: object) -> bool:
        if statement == "COMMIT":
            commits.set()
            goes_on.wait(10)
        return True

    ledger.record_intent(APPROVED, AT)
    connections[0].exec_trace = hang
    hung = threading.Thread(target=ledger.commit)
    hung.start()
    assert commits.wait(10)

    with pytest.raises(LedgerFailed, match="another thread is still at work in it"):
        ledger.record_intent(approved(decision(signal=2)), AT)

    goes_on.set()
    hung.join(10)
    with pytest.raises(LedgerFailed, match="failed before: cannot record an intent"):
        ledger.commit()
    ledger.close()
    assert names_in(path) == [NAME]


def test_a_child_of_this_process_cannot_use_its_ledger_i57(path: Path) -> None:
    ledger = opened(path)
    child = os.fork()
    if child == 0:  # pragma: no cover (in the other process)
        refused = fails(WRITES["put"], ledger) and fails(Ledger.close, ledger)
        os._exit(0 if refused else 1)

    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    ledger.put("key", "value", AT)
    ledger.close()
