"""What the ledger does on a machine that fails it: it refuses, or it stops; it never goes on."""

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from hydra.store.ledger import DurabilityRefused, Ledger, LedgerFailed, require_sqlite
from hydra.store.private_files import RightsTooOpen
from hydra.store.schema import MIGRATIONS, NewerThanThisHydra
from messages.orders import OrderAccepted
from tests.store.disk import disk_in_use, no_file_longer_than
from tests.store.orders import AT, approved, decision, filled

APPROVED = approved()
NAME = APPROVED.order.client_order_id
ACCEPTED = OrderAccepted(client_order_id=NAME, venue_order_id="venue-1", at=AT)
PROJECT_ROOT = Path(__file__).parents[2]

USES: dict[str, Callable[[Ledger], object]] = {
    "record_intent": lambda ledger: ledger.record_intent(approved(decision(signal=2)), AT),
    "record_report": lambda ledger: ledger.record_report(ACCEPTED, AT),
    "decision_of": lambda ledger: ledger.decision_of(NAME),
    "orders": lambda ledger: ledger.orders(),
    "open_orders": lambda ledger: ledger.open_orders(),
    "fills": lambda ledger: ledger.fills(),
    "book": lambda ledger: ledger.book(None),
    "put": lambda ledger: ledger.put("key", "value", AT),
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
    ledger = Ledger.open(path)
    ledger.record_intent(APPROVED, AT)
    return ledger


def fails(use: Callable[[Ledger], object], ledger: Ledger) -> bool:
    try:
        use(ledger)
    except LedgerFailed:
        return True
    return False


def names_in(path: Path) -> list[str]:
    ledger = Ledger.open(path)
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
def test_a_setting_that_was_not_applied_refuses(path: Path, name: str) -> None:
    # FULL happens to be what SQLite begins with, so here it is set to something else first.
    def begin_lax(connection: apsw.Connection) -> None:
        connection.pragma("synchronous", "NORMAL")

    apsw.connection_hooks.append(begin_lax)
    with pragma_ignored(name), pytest.raises(DurabilityRefused, match=f"{name}=.*, wanted"):
        Ledger.open(path)


def test_the_settings_are_those_that_survive_a_power_cut(
    path: Path, connections: list[apsw.Connection]
) -> None:
    ledger = Ledger.open(path)

    (connection,) = connections
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    assert [connection.pragma(name) for name in names] == ["wal", 2, 1, 1_000]
    ledger.close()


@pytest.mark.parametrize("version", ["3.51.2", "3.50.4", "2.8.17"])
def test_a_sqlite_that_can_lose_commits_is_refused(version: str) -> None:
    with pytest.raises(DurabilityRefused, match=f"SQLite is {version}, wanted 3.51.3 or later"):
        require_sqlite(version)


@pytest.mark.parametrize("version", ["3.51.3", "3.52.0", "3.100.0", "4.0.0"])
def test_a_sqlite_without_that_fault_is_taken(version: str) -> None:
    require_sqlite(version)


def test_a_newer_schema_is_refused_and_left_alone(path: Path) -> None:
    Ledger.open(path).close()
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", len(MIGRATIONS) + 1)
    connection.close()

    with pytest.raises(NewerThanThisHydra, match=f"{path} has schema version"):
        Ledger.open(path)

    connection = apsw.Connection(str(path))
    assert connection.pragma("user_version") == len(MIGRATIONS) + 1
    connection.close()


def test_all_files_of_the_ledger_are_private_whatever_the_umask(path: Path) -> None:
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
def test_rights_that_were_loosened_refuse(path: Path, loosened: str) -> None:
    Ledger.open(path).close()
    (path.parent / loosened).chmod(0o755)

    with pytest.raises(RightsTooOpen, match="has rights 0755, wanted"):
        Ledger.open(path)


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    path.write_bytes(b"not a database at all, but long enough to be taken for one" * 100)
    path.chmod(0o600)
    before = path.read_bytes()

    with pytest.raises(LedgerFailed, match=f"cannot open the ledger {path}: NotADBError"):
        Ledger.open(path)

    assert path.read_bytes() == before


def test_a_place_where_no_file_can_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(LedgerFailed, match="cannot open the ledger"):
        Ledger.open(tmp_path / "file" / "ledger.db")


@pytest.mark.parametrize("name", USES)
def test_a_ledger_that_is_closed_answers_nothing(path: Path, name: str) -> None:
    ledger = opened_with_one_order(path)
    ledger.close()

    with pytest.raises(LedgerFailed) as failed:
        USES[name](ledger)

    assert isinstance(failed.value.__cause__, apsw.ConnectionClosedError)


@pytest.mark.parametrize("name", WRITES)
def test_a_ledger_that_can_only_be_read_fails(
    path: Path, name: str, connections: list[apsw.Connection]
) -> None:
    ledger = opened_with_one_order(path)
    connections[0].pragma("query_only", True)

    with pytest.raises(LedgerFailed, match="ReadOnlyError"):
        WRITES[name](ledger)

    ledger.close()


def test_a_full_disk_fails_and_leaves_no_part(
    path: Path, connections: list[apsw.Connection]
) -> None:
    ledger = opened_with_one_order(path)
    connections[0].pragma("max_page_count", connections[0].pragma("page_count"))

    recorded = [NAME]

    def record_for_ever() -> None:
        for number in itertools.count(2):
            one = approved(decision(signal=number))
            recorded.append(ledger.record_intent(one, AT).client_order_id)

    with pytest.raises(LedgerFailed, match="cannot record an intent: FullError"):
        record_for_ever()

    ledger.close()
    assert names_in(path) == recorded


def test_a_used_up_quota_fails_and_leaves_no_part(path: Path) -> None:
    ledger = opened_with_one_order(path)
    size = path.with_name("ledger.db-wal").stat().st_size

    with no_file_longer_than(size), pytest.raises(LedgerFailed, match="cannot record a report"):
        ledger.record_report(ACCEPTED, AT)

    ledger.close()
    ledger = Ledger.open(path)
    assert ledger.record_report(ACCEPTED, AT).duplicate is False
    ledger.close()


def test_another_writer_is_waited_for_only_so_long(path: Path) -> None:
    ledger = Ledger.open(path, busy_timeout_ms=1)
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(LedgerFailed, match="BusyError"):
        ledger.record_intent(APPROVED, AT)

    other.execute("ROLLBACK")
    other.close()
    ledger.close()
    assert names_in(path) == []


def test_a_failure_is_final(path: Path) -> None:
    ledger = Ledger.open(path, busy_timeout_ms=1)
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerFailed):
        ledger.record_intent(APPROVED, AT)
    other.execute("ROLLBACK")
    other.close()

    for use in USES.values():
        with pytest.raises(LedgerFailed, match=r"failed before: cannot record an intent: BusyErr"):
            use(ledger)

    ledger.close()


@pytest.mark.parametrize("name", WRITES)
def test_a_failure_at_any_statement_leaves_nothing(
    path: Path, name: str, connections: list[apsw.Connection]
) -> None:
    ledger = opened_with_one_order(path)
    before = ledger.state_hash()
    ledger.close()

    for statements in itertools.count():
        ledger = Ledger.open(path)
        passed_on = itertools.count()
        connections[-1].exec_trace = lambda *_: next(passed_on) < statements  # noqa: B023
        failed = fails(WRITES[name], ledger)
        connections[-1].exec_trace = None
        ledger.close()
        if not failed:
            break

        ledger = Ledger.open(path)
        assert ledger.state_hash() == before
        ledger.close()

    assert statements >= 4  # At least begin, one event, one table and commit.


@pytest.mark.parametrize("name", WRITES)
def test_a_disk_that_breaks_at_any_call_is_a_failure_and_loses_nothing(
    path: Path, name: str
) -> None:
    for calls in itertools.count():
        folder = path.parent / str(calls)
        with disk_in_use() as disk:
            ledger = opened_with_one_order(folder / "ledger.db")
            before = ledger.state_hash()
            disk.calls_before_failure = calls
            failed = fails(WRITES[name], ledger)
            was_hit = disk.failures > 0
            disk.calls_before_failure = None
            found = disk.after_a_power_cut(folder / "found")
            ledger.close()

        assert failed == was_hit
        ledger = Ledger.open(found)
        assert (ledger.state_hash() == before) == failed
        ledger.close()
        if not was_hit:
            break

    assert calls >= 2  # At least one write and one sync.


def test_nothing_that_was_recorded_is_lost_in_a_power_cut(path: Path) -> None:
    with disk_in_use() as disk:
        ledger = Ledger.open(path)
        for signal in range(1, 6):
            one = approved(decision(signal=signal))

            ledger.record_intent(one, AT)
            ledger.record_report(filled(one.order, "4"), AT)
            ledger.put("watermark", str(signal), AT)

            found = Ledger.open(disk.after_a_power_cut(path.parent / f"after-{signal}"))
            assert found.state_hash() == ledger.state_hash()
            found.close()
        ledger.close()


KILLED = """
import os, signal, sys
from pathlib import Path

import apsw

connections = []
apsw.connection_hooks.append(connections.append)

from hydra.store.ledger import Ledger
from tests.store.orders import AT, approved, decision

statements = int(sys.argv[2])


def die_in_time(*_):
    global statements
    statements -= 1
    if statements == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return True


ledger = Ledger.open(Path(sys.argv[1]))
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


def test_what_was_recorded_is_there_after_kill_9(path: Path) -> None:
    run_until_killed(path, statements=1_000)

    ledger = Ledger.open(path)
    assert ledger.record_intent(approved(decision(signal=1)), AT).duplicate
    assert ledger.record_intent(approved(decision(signal=2)), AT).duplicate
    assert len(ledger.open_orders()) == 2
    ledger.close()


@pytest.mark.parametrize("statements", range(1, 9))
def test_kill_9_at_any_statement_leaves_intent_with_attempt_or_neither(
    path: Path, statements: int
) -> None:
    run_until_killed(path, statements)

    connection = apsw.Connection(str(path))
    found = list(
        connection.execute(
            "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM intents),"
            " (SELECT count(*) FROM attempts), (SELECT count(*) FROM orders)"
        )
    )
    connection.close()
    assert found == [(2, 1, 1, 1)]
