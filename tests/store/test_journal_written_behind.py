"""A journal whose lines are held back, for a replay: the same files, somewhat later."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.store import journal as module
from hydra.store.journal import HELD_BACK_BYTES_MAX, JournalFailed, JournalFile
from tests.faults.quota import no_file_longer_than
from tests.store.journals import contents_of, events_in, record, write
from tests.store.orders import AT


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "app.jsonl"


def written_behind(path: Path, file_bytes_max: int = 2**26) -> JournalFile:
    return JournalFile.open(path, at=AT, file_bytes_max=file_bytes_max, write_behind=True)


def marked(number: int) -> dict[str, object]:
    return {**record(number), "ledger_seq": number, "ledger_chain": f"{number:064x}"}


STEPS = st.lists(
    st.sampled_from(["append", "append", "append", "mark", "sync", "look", "reopen"]), max_size=60
)


@given(steps=STEPS, file_bytes_max=st.integers(300, 3_000), held_back=st.integers(0, 2_000))
def test_its_files_are_those_of_a_journal_that_holds_nothing_back(
    steps: list[str], file_bytes_max: int, held_back: int
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "HELD_BACK_BYTES_MAX", held_back)
        contents = []
        for name, write_behind in (("at_once", False), ("behind", True)):
            path = Path(folder) / name / "app.jsonl"
            journal = play(path, steps, file_bytes_max, write_behind=write_behind)
            journal.close()
            assert journal.synced_seq == journal.last_seq
            contents.append([(file.name, each) for file, each in contents_of(path).items()])

    assert contents[0] == contents[1]


def play(path: Path, steps: list[str], file_bytes_max: int, *, write_behind: bool) -> JournalFile:
    def opened() -> JournalFile:
        return JournalFile.open(
            path, at=AT, file_bytes_max=file_bytes_max, write_behind=write_behind
        )

    journal = opened()
    for number, step in enumerate(steps, 1):
        match step:
            case "append":
                journal.append(record(number))
            case "mark":
                journal.append(marked(number))
            case "sync":
                journal.sync()
                assert len(events_in(path)) == journal.last_seq
            case "look":
                assert journal.is_the_file_on_disk() is None
            case _:
                journal.close()
                journal = opened()
    return journal


def test_lines_are_held_back_until_they_are_many(path: Path) -> None:
    journal = written_behind(path)
    journal.append(record(1))
    assert path.stat().st_size == 0

    while journal.last_seq < 10_000 and not path.stat().st_size:
        journal.append(record(1))

    assert path.stat().st_size > HELD_BACK_BYTES_MAX
    assert len(events_in(path)) == journal.last_seq
    journal.close()


def test_a_line_that_somebody_else_wrote_is_seen_while_lines_are_held_back(path: Path) -> None:
    journal = written_behind(path)
    journal.append(record(1))

    with path.open("ab") as file:
        file.write(b"{}\n")

    assert "somebody else wrote to it" in (journal.is_the_file_on_disk() or "")
    journal.close()


def test_lines_that_went_in_only_in_part_are_a_failure_and_are_not_written_again_i64(
    path: Path,
) -> None:
    write(path, record(1))
    whole = path.read_bytes()
    journal = written_behind(path)
    journal.append(record(2))
    journal.append(record(3))

    with (
        no_file_longer_than(len(whole) + 10),
        pytest.raises(JournalFailed, match=r"only 10 of \d+ bytes went in"),
    ):
        journal.sync()
    with pytest.raises(JournalFailed, match="not tried, it failed before: only 10 of"):
        journal.append(record(4))
    journal.close()

    assert path.stat().st_size == len(whole) + 10
    assert journal.synced_seq == 1


def test_what_was_held_back_is_written_although_a_later_record_was_none(path: Path) -> None:
    journal = written_behind(path)
    journal.append(record(1))
    with pytest.raises(JournalFailed, match="a record needs ts"):
        journal.append({"event": "Counted"})

    journal.close()

    assert events_in(path) == [(1, "Counted")]
