"""A replay of all events beside the ledger: as strict as ever, and in no more memory."""

import tracemalloc
from pathlib import Path

import apsw
import pytest

from hydra.store import rebuilt, unit_of_work
from hydra.store.chain import link_of
from hydra.store.checking import LedgerDamaged, first_difference, require_replay
from hydra.store.rebuilt import NoRoomToReplay
from hydra.store.verification import verify_file
from hydra.trading.orders import Role, Side
from tests.store.orders import AT, approved, decision, filled, opened


def traded(path: Path, orders: int) -> Path:
    """A ledger of so many round trips, each in a commit of its own, over some days."""
    ledger = opened(path)
    for number in range(1, orders + 1):
        day = f"2024-{number // 600 + 1:02}-{number // 25 % 25 + 1:02}"
        for role, side in ((Role.ENTRY, Side.BUY), (Role.EXIT, Side.SELL)):
            key = decision(signal=number, session=day, role=role)
            one = approved(key, side=side)
            ledger.record_intent(one, AT)
            ledger.record_report(filled(one.order, "10", f"{role.value}-{number}"), AT)
    ledger.close()
    return path


def replayed(path: Path) -> None:
    connection = apsw.Connection(str(path))
    try:
        require_replay(connection, lambda _seq: None)
    finally:
        connection.close()


def with_event_again(path: Path, kind: str) -> int:
    """The first event of this kind is the last one too, and the chain is whole; gives its place."""
    connection = apsw.Connection(str(path))
    ((last, state, before),) = connection.execute(
        "SELECT seq, state, link FROM events ORDER BY seq DESC LIMIT 1"
    )
    ((at, version, body),) = connection.execute(
        "SELECT at, version, body FROM events WHERE kind = ? ORDER BY seq LIMIT 1", (kind,)
    )
    link = link_of(before, last + 1, at, version, kind, body, state)
    row = (last + 1, at, version, kind, body, state, link)
    connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    connection.close()
    return int(last + 1)


@pytest.mark.parametrize("kept", [0, 20_000])
@pytest.mark.parametrize("kind", ["OrderIntended", "OrderFilled"])
def test_what_happened_twice_is_found_however_long_ago_the_first_time_was_i16_i55(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int, kind: str
) -> None:
    tmp_path.chmod(0o700)
    path = traded(tmp_path / "ledger.db", 30)
    monkeypatch.setattr(unit_of_work, "ENTITIES_KEPT", kept)
    replayed(path)

    seq = with_event_again(path, kind)

    with pytest.raises(LedgerDamaged, match=f"event {seq} cannot be replayed"):
        replayed(path)


def test_a_replay_takes_no_more_memory_for_a_longer_record_i55(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr(unit_of_work, "ENTITIES_KEPT", 200)
    peaks: list[int] = []
    for orders in (200, 1_000):
        path = traded(tmp_path / f"{orders}.db", orders)
        tracemalloc.start()
        replayed(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[1] < 1.3 * peaks[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE orders SET reason = 'x' WHERE signal = 7", "found reason 'x', wanted ''"),
        ("INSERT INTO kv VALUES ('a', 'b')", "kv a: found a row that follows from no event"),
        ("DELETE FROM sub_ledgers", "sub_ledgers momentum: found no such row, wanted one"),
    ],
)
def test_the_row_that_differs_is_named_also_when_it_is_of_long_ago_i55(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str, words: str
) -> None:
    tmp_path.chmod(0o700)
    path = traded(tmp_path / "ledger.db", 30)
    monkeypatch.setattr(unit_of_work, "ENTITIES_KEPT", 0)
    connection = apsw.Connection(str(path))

    before = first_difference(connection)
    connection.execute(change)
    after = first_difference(connection) or "none"
    connection.close()

    assert before is None
    assert words in after


def test_a_full_disk_for_temporary_files_is_said_and_is_no_damage_i54_i55(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    path = traded(tmp_path / "ledger.db", 300)
    monkeypatch.setitem(rebuilt.SETTINGS, "max_page_count", 60)

    with pytest.raises(NoRoomToReplay, match=r"FullError.*SQLITE_TMPDIR"):
        replayed(path)

    (bad,) = [each for each in verify_file(path, lambda *_: None).checks if not each.is_well]
    assert (bad.name, bad.wanted) == ("replay", "a replay of all events")
    assert "make room" in bad.found
