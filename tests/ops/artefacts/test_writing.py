"""A bundle while its session runs: what is written step by step is what it has in the end."""

import shutil
from pathlib import Path

import pytest

from hydra.ops.artefacts import folder as files
from hydra.ops.artefacts.closing import close_bundle
from hydra.ops.artefacts.following import JournalTail
from hydra.ops.artefacts.opening import opening_of
from hydra.ops.artefacts.provenance import Provenance, encoded
from hydra.ops.artefacts.reading import report_in
from hydra.ops.artefacts.rows import COLUMNS, ORDERS, TRADES, rows_in
from hydra.ops.artefacts.story import OPENED, lines_in
from hydra.ops.artefacts.writing import BundleWriter
from hydra.store.engine_files import EngineFiles
from hydra.store.journal import JournalFile
from hydra.store.journal_files import segments_of
from hydra.store.record import EngineRecord
from hydra.trading.durations import HOUR
from hydra.trading.orders import Role, Side
from tests.ops.artefacts.lives import (
    CASH,
    OWNER,
    RUN,
    Engine,
    bundle_in,
    engine_files,
    engine_in,
    traded,
    wait_until,
)
from tests.store.orders import AT


class Written:
    """An engine, and the writer of its bundle, which is told when to go on."""

    def __init__(self, folder: Path) -> None:
        self.files: EngineFiles = engine_files(folder)
        record = EngineRecord.open(self.files, OWNER)
        record.ledger.open_account(CASH, AT)
        record.ledger.commit()
        self.engine = Engine(record)
        self.bundle = folder / "bundle"
        self.bundle.mkdir()
        provenance = Provenance(session="s", run=RUN, began_at=AT, began_wall_at=1)
        (self.bundle / files.PROVENANCE).write_bytes(encoded(provenance))
        opening = opening_of(record.ledger, record.journal.synced_seq)
        self.writer = BundleWriter(self.bundle, provenance, opening, self.files.journal)
        self.writer.begin()

    def tables(self) -> dict[str, bytes]:
        return {file: (self.bundle / file).read_bytes() for file in COLUMNS}


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path)


def test_every_row_is_there_after_the_step_and_stays_as_it_is(written: Written) -> None:
    written.engine.begin()
    traded(written.engine)

    written.writer.step()
    while_it_ran = written.tables()
    written.engine.stop()
    written.writer.step()
    written.writer.close()
    close_bundle(written.bundle, written.files, None, with_plots=False)

    in_the_end = written.tables()
    still_open = b"".join(in_the_end[ORDERS].splitlines(keepends=True)[-1:])
    assert b"accepted" in still_open
    while_it_ran[ORDERS] += still_open
    assert while_it_ran == in_the_end


def test_a_step_in_which_nothing_came_writes_nothing(written: Written) -> None:
    written.writer.step()
    before = written.tables()

    written.writer.step()

    assert written.tables() == before


def test_what_was_denied_is_there_at_once_for_whoever_looks(written: Written) -> None:
    written.engine.denied("slow", "quote_is_fresh", "too old")

    written.writer.step()

    (counted,) = report_in(written.bundle).denials
    assert (counted.check, counted.count, counted.reason) == ("quote_is_fresh", 1, "too old")


def test_the_story_begins_with_what_stood_and_leaves_the_noise_out(written: Written) -> None:
    written.engine.begin()
    written.engine.tell("ledger_committed", records=1)
    written.engine.tell("mybot.crossed", by=1)
    written.engine.denied("slow", "quote_is_fresh", "too old")

    written.writer.step()

    events = [line["event"] for line in lines_in(written.bundle / files.STORY)]
    assert events == [OPENED, "engine_started", "session_started", "order_denied"]


def test_of_the_situation_only_the_accounts_worth_is_kept(written: Written) -> None:
    written.engine.ordered("fast", Side.BUY, "1")

    written.writer.step()

    (line,) = (
        line for line in lines_in(written.bundle / files.STORY) if line["event"] == "order_approved"
    )
    assert line["equity"] == "100000"
    assert not {"situation", "crc"} & set(line)


def test_the_journal_is_followed_over_its_files_from_any_line(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    journal = JournalFile.open(path, at=AT, file_bytes_max=700)
    tails = {first: JournalTail(path, first) for first in (1, 9)}
    seen: dict[int, list[int]] = {first: [] for first in tails}
    for number in range(40):
        journal.append({"ts": AT, "event": "halt_recorded", "code": f"c-{number}"})
        if number % 7 == 0:
            for first, tail in tails.items():
                seen[first] += [line["seq"] for line in tail.read()]
    late = JournalTail(path, 20)
    for first, tail in {**tails, 20: late}.items():
        seen.setdefault(first, []).extend(line["seq"] for line in tail.read())
        tail.close()
    journal.close()

    assert len(segments_of(path)) > 3
    everything = [
        line["seq"] for line in JournalTail(path, 1).read() if line["event"] == "halt_recorded"
    ]
    assert len(everything) == 40
    for first, seqs in seen.items():
        assert seqs == [seq for seq in everything if seq >= first]


def test_a_line_that_is_not_whole_yet_is_read_when_it_is(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    journal = JournalFile.open(path, at=AT)
    journal.append({"ts": AT, "event": "halt_recorded", "code": "a"})
    journal.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:20])
    tail = JournalTail(path, 1)

    assert tail.read() == []
    with path.open("ab") as file:
        file.write(whole[20:])
    (line,) = tail.read()
    tail.close()

    assert line["code"] == "a"
    assert tail.unreadable == 0


def test_a_bundle_is_written_while_its_session_runs(tmp_path: Path) -> None:
    """With the real thread, which looks every half second."""
    with engine_in(tmp_path) as engine:
        traded(engine)
        wait_until(lambda: len(rows_in(bundle_in(tmp_path) / TRADES)) == 2)


def test_a_trade_that_began_in_an_earlier_session_has_the_reason_and_the_order_of_its_entry(
    tmp_path: Path,
) -> None:
    with engine_in(tmp_path) as engine:
        bought = engine.ordered("fast", Side.BUY, "10", price="100")
        engine.filled(bought, "10", "100.10")
    shutil.rmtree(engine_files(tmp_path).runs)
    with engine_in(tmp_path) as engine:
        engine.at += HOUR
        sold = engine.ordered("fast", Side.SELL, "10", price="101", role=Role.EXIT)
        engine.filled(sold, "10", "101.00")

    (row,) = rows_in(bundle_in(tmp_path) / TRADES)

    assert (row["entry_reason"], row["exit_reason"]) == ("crossed", "time_stop")
    assert (row["entry_order"], row["exit_order"]) == (
        bought.client_order_id,
        sold.client_order_id,
    )


@pytest.mark.parametrize("is_folder_there", [False, True])
def test_where_the_journal_was_taken_away_there_is_nothing_to_follow(
    tmp_path: Path, is_folder_there: bool
) -> None:
    path = tmp_path / "logs" / "app.jsonl"
    if is_folder_there:
        path.parent.mkdir()

    tail = JournalTail(path, 1)

    assert (tail.read(), tail.next_seq) == ([], 1)
