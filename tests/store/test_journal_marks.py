"""The journal is the ledger's witness: its end always holds the newest mark that went into it."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.ports import LedgerMark
from hydra.store.journal import JournalDamaged, JournalFile
from hydra.store.journal_line import MAX_LINE_BYTES, mark_in
from hydra.store.journal_opening import JournalEnd, journal_end
from hydra.store.journal_reading import findings_in, read_journal
from hydra.store.journal_tail import MARK_EVERY_BYTES
from tests.store.journals import SMALL, contents_of, lay_out, lines_in, new_file, record, write
from tests.store.orders import AT


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "app.jsonl"


def mark(seq: int) -> LedgerMark:
    return LedgerMark(seq, f"{seq:064x}")


def committed(seq: int, **fields: object) -> dict[str, object]:
    """The line that says how far the ledger is."""
    return {
        "ts": AT,
        "event": "ledger_committed",
        "ledger_seq": seq,
        "ledger_chain": mark(seq).chain,
        **fields,
    }


def long(size: int) -> dict[str, object]:
    return {"ts": AT, "event": "Long", "text": "x" * size}


def mark_of(path: Path) -> LedgerMark | None:
    journal = JournalFile.open(path, at=AT)
    journal.close()
    return journal.ledger_mark


def test_the_newest_mark_is_known_while_running_and_after_a_restart_i54(path: Path) -> None:
    journal = JournalFile.open(path, at=AT)
    known = [journal.ledger_mark]

    for each in (committed(1), record(1), committed(2), record(2)):
        journal.append(each)
        known.append(journal.ledger_mark)
    journal.close()

    assert known == [None, mark(1), mark(1), mark(2), mark(2)]
    assert mark_of(path) == mark(2)
    assert [mark_in(each) for each in read_journal(path)] == [mark(1), None, mark(2), None]


def test_a_journal_without_a_mark_knows_none(path: Path) -> None:
    write(path, *(long(10_000) for _ in range(50)))

    assert mark_of(path) is None


def test_an_older_mark_does_not_hide_a_newer_one_i54(path: Path) -> None:
    journal = JournalFile.open(path, at=AT)
    for each in (committed(7), committed(3), record(1)):
        journal.append(each)
    journal.close()

    assert journal.ledger_mark == mark_of(path) == mark(7)


def test_older_marks_do_not_count_as_the_newest_one_repeated_i54(path: Path) -> None:
    older = [committed(3) for _ in range(300)]
    write(path, committed(7), *older, record(1))

    repeated = [each["event"] for each in read_journal(path) if mark_in(each) == mark(7)]
    assert repeated == ["ledger_committed", "Counted"]
    assert mark_of(path) == mark(7)


@pytest.mark.parametrize(
    "fields",
    [
        {"ledger_seq": 5},
        {"ledger_chain": "0" * 64},
        {"ledger_seq": "5", "ledger_chain": "0" * 64},
        {"ledger_seq": True, "ledger_chain": "0" * 64},
        {"ledger_seq": -1, "ledger_chain": "0" * 64},
        {"ledger_seq": 2**63, "ledger_chain": "0" * 64},
        {"ledger_seq": 5, "ledger_chain": "0" * 63},
        {"ledger_seq": 5, "ledger_chain": "0" * 65},
        {"ledger_seq": 5, "ledger_chain": "G" * 64},
        {"ledger_seq": 5, "ledger_chain": "0" * 64 + "\n"},
        {"ledger_seq": 5, "ledger_chain": None},
        {"ledger_seq": [5], "ledger_chain": "0" * 64},
        {"mark": {"ledger_seq": 5, "ledger_chain": "0" * 64}},
    ],
)
def test_what_is_no_whole_mark_is_none(path: Path, fields: dict[str, object]) -> None:
    write(path, committed(1), {**record(1), **fields})

    assert mark_of(path) == mark(1)


def test_the_mark_is_repeated_within_32_kib_of_lines_i54(path: Path) -> None:
    write(path, committed(1), *(record(number) for number in range(2_000)))

    distances, distance, marks = [], 0, 0
    for line, read in lines_in(path):
        if mark_in(read) is None:
            distance += len(line)
        else:
            assert mark_in(read) == mark(1)
            distances.append(distance)
            distance, marks = 0, marks + 1
    assert max([*distances, distance]) <= MARK_EVERY_BYTES
    # Not more often than it must be either: the journal is for people too.
    assert marks < 2 * sum(len(line) for line, _ in lines_in(path)) / MARK_EVERY_BYTES


def test_each_new_file_begins_with_the_mark_i54(path: Path) -> None:
    records = [record(number) for number in range(40)]
    write(path, committed(1), *records[:20], committed(2), *records[20:], file_bytes_max=SMALL)

    links = [read for read in read_journal(path) if read["event"] == "journal_continued"]
    assert len(links) > 4
    marks = [mark_in(read) for read in links]
    assert set(marks) == {mark(1), mark(2)}
    assert marks == sorted(marks, key=lambda each: each.seq if each else 0)


def test_a_live_file_that_is_gone_leaves_the_mark_in_the_one_before_i54(path: Path) -> None:
    records = [record(number) for number in range(20)]
    write(path, committed(1), *records, file_bytes_max=SMALL)
    path.unlink()

    assert mark_of(path) == mark(1)
    new_file(path, b"")
    assert mark_of(path) == mark(1)


def test_a_mark_stays_in_a_line_too_long_for_its_fields_i54(path: Path) -> None:
    write(path, committed(1), committed(2, text="x" * 2 * MAX_LINE_BYTES))

    last = list(read_journal(path))[-1]
    assert last["oversize_bytes"]
    assert mark_in(last) == mark_of(path) == mark(2)


def test_fields_that_pass_for_half_a_mark_do_not_keep_ours_out_i54(path: Path) -> None:
    half = {**long(1_000), "ledger_seq": "mine", "ledger_chain": "mine too"}
    write(path, committed(1), *([half] * 200))

    repeated = [read for read in read_journal(path) if "ledger_seq_" in read]
    assert len(repeated) > 5
    assert {mark_in(read) for read in repeated} == {mark(1)}
    assert {(read["ledger_seq_"], read["ledger_chain_"]) for read in repeated} == {
        ("mine", "mine too")
    }
    assert mark_of(path) == mark(1)


SIZES = st.integers(0, 70_000) | st.integers(0, 200) | st.just(31_000) | st.just(65_000)
STEPS = st.lists(st.tuples(SIZES, st.booleans()), min_size=1, max_size=30)


@settings(max_examples=60)
@given(
    steps=STEPS,
    file_bytes_max=st.sampled_from([1, 5_000, 50_000, 200_000, 2**26]),
    reopened=st.sets(st.integers(0, 30)),
    torn=st.integers(0, 65_000),
)
def test_whatever_was_written_and_torn_the_newest_mark_is_found_i54(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[int, bool]],
    file_bytes_max: int,
    reopened: set[int],
    torn: int,
) -> None:
    path = tmp_path_factory.mktemp("marks") / "logs" / "app.jsonl"
    journal = JournalFile.open(path, at=AT, file_bytes_max=file_bytes_max)
    newest: LedgerMark | None = None
    for number, (size, is_commit) in enumerate(steps, start=1):
        if number in reopened:
            journal.close()
            with path.open("ab") as file:
                file.write((b'{"ts":"' + bytes(65_000))[:torn])
            journal = JournalFile.open(path, at=AT, file_bytes_max=file_bytes_max)
        if is_commit:
            newest = mark(number)
            journal.append(committed(number, text="x" * size))
        else:
            journal.append(long(size))
        assert journal.ledger_mark == newest
    journal.close()
    with path.open("ab") as file:
        file.write((b'{"ts":"' + bytes(65_000))[:torn])

    assert mark_of(path) == newest
    assert list(findings_in(path)) == []


def test_where_a_journal_ends_is_told_without_changing_it_i54(path: Path) -> None:
    assert journal_end(path) == JournalEnd(0, None)
    assert not path.parent.exists()
    write(path, committed(1), *(record(number) for number in range(20)), file_bytes_max=SMALL)
    whole = contents_of(path)
    last_seq = len(lines_in(path))
    full, *_, newest, live = whole
    link, _, rest = whole[live].partition(b"\n")

    left = {
        "whole": (whole, last_seq),
        "torn": ({**whole, live: whole[live][:-1]}, last_seq - 1),
        "torn link": ({**whole, live: link}, last_seq - 1 - rest.count(b"\n")),
        "no live file": (
            {file: whole[file] for file in whole if file != live},
            last_seq - 1 - rest.count(b"\n"),
        ),
    }
    for state, (contents, seq) in left.items():
        lay_out(contents)
        assert journal_end(path) == JournalEnd(seq, mark(1)), state
        assert contents_of(path) == contents

    lay_out({file: content for file, content in whole.items() if file not in (full, live)})
    with pytest.raises(JournalDamaged, match="what lies before was taken away"):
        journal_end(path)
    lay_out({**whole, newest: whole[newest][:-1]})
    with pytest.raises(JournalDamaged, match="torn"):
        journal_end(path)
