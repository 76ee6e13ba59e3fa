import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.store.journal import JournalDamaged, JournalFailed, JournalFile, read_journal
from hydra.store.journal_line import MAX_LINE_BYTES
from hydra.store.private_files import RightsTooOpen
from tests.store.journals import events_in, new_file, record, write
from tests.store.orders import AT

PROJECT_ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "app.jsonl"


def test_what_was_appended_is_read_back(path: Path) -> None:
    journal = JournalFile.open(path, at=AT)

    assert [journal.append(record(number)) for number in (1, 2)] == [1, 2]
    assert journal.last_seq == 2
    journal.close()

    read = [{name: each[name] for name in each if name != "crc"} for each in read_journal(path)]
    assert read == [
        {
            "ts": f"2024-01-02T14:30:00.00000000{number}Z",
            "seq": number,
            "event": "Counted",
            "number": number,
            "price": "187.30",
        }
        for number in (1, 2)
    ]


def test_a_line_is_in_the_file_when_append_returns(path: Path) -> None:
    journal = JournalFile.open(path, at=AT)

    journal.append(record(1))

    assert events_in(path) == [(1, "Counted")]
    journal.close()


def test_the_sequence_goes_on_after_a_restart_i49(path: Path) -> None:
    for number in (1, 2, 3):
        write(path, record(number))

    assert events_in(path) == [(1, "Counted"), (2, "Counted"), (3, "Counted")]


def test_the_sequence_is_the_order_even_if_the_clock_runs_backwards_i49(path: Path) -> None:
    write(path, *(record(-number) for number in range(5)))

    assert [seq for seq, _ in events_in(path)] == [1, 2, 3, 4, 5]


def test_a_new_journal_can_go_on_with_a_sequence_that_others_remember_i54(path: Path) -> None:
    journal = JournalFile.open(path, at=AT, first_seq=1_001)
    journal.append(record(1))
    journal.close()

    first, *_ = read_journal(path)
    assert events_in(path) == [(1_001, "journal_continued"), (1_002, "Counted")]
    assert {name: first[name] for name in first if name not in ("ts", "seq", "event", "crc")} == {
        "previous": None,
        "previous_seq": 1_000,
        "previous_crc": None,
        "kept_from": 1_001,
        "live_file": None,
    }
    write(path, record(2))
    assert events_in(path)[-1] == (1_003, "Counted")


def test_a_torn_last_line_is_cut_wherever_it_was_torn_i63(path: Path) -> None:
    write(path, *(record(number) for number in range(1, 7)))
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)

    for size in range(len(b"".join(lines[:3])), len(content) + 1):
        whole = content[:size].count(b"\n")
        torn = size - len(b"".join(lines[:whole]))
        new_file(path, content[:size])

        write(path, record(99))

        events = [(seq, "Counted") for seq in range(1, whole + 1)]
        events += [(whole + 1, "journal_tail_cut")] if torn else []
        events += [(len(events) + 1, "Counted")]
        assert events_in(path) == events
        assert path.read_bytes().startswith(b"".join(lines[:whole]))
        if torn:
            assert [each["bytes"] for each in read_journal(path) if "bytes" in each] == [torn]


@pytest.mark.parametrize("size", [1, 10, 100])
def test_a_torn_only_line_is_cut_too_i63(path: Path, size: int) -> None:
    write(path, record(1))
    new_file(path, path.read_bytes()[:size])

    write(path, record(1))

    assert events_in(path) == [(1, "journal_tail_cut"), (2, "Counted")]


def test_the_zeros_that_a_power_cut_leaves_are_cut_i63(path: Path) -> None:
    write(path, record(1))
    new_file(path, path.read_bytes() + bytes(4_000))

    write(path, record(2))

    assert events_in(path) == [(1, "Counted"), (2, "journal_tail_cut"), (3, "Counted")]


@pytest.mark.parametrize(
    "content",
    [
        b"notes of somebody, without an end",
        b"notes\n",
        b'{"ts":"x"}\n',
        b"\n",
        b"x" * 200_000,
        b"x" * 200_000 + b"\n",
    ],
)
def test_a_file_that_is_no_journal_is_refused_and_left_alone_i63(
    path: Path, content: bytes
) -> None:
    new_file(path, content)

    with pytest.raises(JournalDamaged, match=f"{path}, line 1"):
        JournalFile.open(path, at=AT)

    assert path.read_bytes() == content


def test_more_than_a_line_without_an_end_is_damage_and_not_a_torn_line_i63(path: Path) -> None:
    write(path, record(1))
    whole = path.read_bytes()
    new_file(path, whole + b'{"ts":"' + b"x" * MAX_LINE_BYTES)

    with pytest.raises(JournalDamaged, match=rf"line 2 \(byte {len(whole)}\)"):
        JournalFile.open(path, at=AT)


def test_the_longest_torn_line_after_the_longest_line_is_cut_i63(path: Path) -> None:
    probe = path.with_name("probe.jsonl")
    write(probe, {"ts": AT, "event": "Long", "text": ""})
    room = MAX_LINE_BYTES - probe.stat().st_size
    longest: dict[str, object] = {"ts": AT, "event": "Long", "text": "x" * room}
    write(path, record(1), longest, longest)
    content = path.read_bytes()
    assert content.count(b"\n") == 3
    new_file(path, content[:-1])

    write(path, record(2))

    assert events_in(path) == [
        (1, "Counted"),
        (2, "Long"),
        (3, "journal_tail_cut"),
        (4, "Counted"),
    ]


@pytest.mark.parametrize("damaged_line", [1, 3, 5])
def test_damage_that_is_no_torn_line_refuses_with_its_place_i63(
    path: Path, damaged_line: int
) -> None:
    write(path, *(record(number) for number in range(1, 6)))
    lines = path.read_bytes().splitlines(keepends=True)
    offset = len(b"".join(lines[: damaged_line - 1]))
    lines[damaged_line - 1] = lines[damaged_line - 1].replace(b"Counted", b"Pounded")
    new_file(path, b"".join(lines))

    for look in (lambda: JournalFile.open(path, at=AT), lambda: list(read_journal(path))):
        with pytest.raises(JournalDamaged) as damaged:
            look()

        found = damaged.value
        assert (found.path, found.line_number, found.offset) == (path, damaged_line, offset)
        assert str(found) == (
            f"{path}, line {damaged_line} (byte {offset}): its checksum does not fit"
        )
    assert path.read_bytes() == b"".join(lines)


def test_the_place_of_damage_is_right_in_a_long_file_i63(path: Path) -> None:
    write(path, *(record(number) for number in range(1, 3_001)))
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2_900] = lines[2_900].replace(b"Counted", b"Pounded")
    new_file(path, b"".join(lines))

    with pytest.raises(JournalDamaged, match=r"line 2901 \(byte \d+\): its checksum"):
        JournalFile.open(path, at=AT)


def test_opening_a_long_journal_reads_only_its_tail_and_first_line(path: Path) -> None:
    write(path, *(record(number) for number in range(1, 3_001)))
    lines = path.read_bytes().splitlines(keepends=True)
    new_file(path, b"".join([lines[0], b"x" + lines[1][1:], *lines[2:]]))

    journal = JournalFile.open(path, at=AT)

    assert journal.append(record(1)) == 3_001
    journal.close()
    with pytest.raises(JournalDamaged, match="line 2 "):
        list(read_journal(path))


def test_a_long_journal_whose_first_line_is_damaged_is_refused_i63(path: Path) -> None:
    write(path, *(record(number) for number in range(1, 3_001)))
    new_file(path, b"x" + path.read_bytes()[1:])

    with pytest.raises(JournalDamaged, match=r"line 1 \(byte 0\): its checksum"):
        JournalFile.open(path, at=AT)


def test_records_before_the_damage_are_read_i63(path: Path) -> None:
    write(path, record(1), record(2))
    new_file(path, path.read_bytes()[:-1])

    records = read_journal(path)

    assert next(records)["seq"] == 1
    with pytest.raises(JournalDamaged, match=r"line 2 \(byte \d+\): torn"):
        next(records)


@pytest.mark.parametrize(
    "rearranged",
    [[0, 2], [1, 2], [0, 2, 1], [0, 1, 1, 2], [1, 0, 2]],
    ids=["middle gone", "first gone", "swapped", "doubled", "first swapped"],
)
def test_lines_taken_away_moved_or_doubled_are_noticed_i63(
    path: Path, rearranged: list[int]
) -> None:
    write(path, record(1), record(2), record(3))
    lines = path.read_bytes().splitlines(keepends=True)
    new_file(path, b"".join(lines[number] for number in rearranged))

    with pytest.raises(JournalDamaged, match=r"it has seq \d, wanted \d"):
        list(read_journal(path))
    with pytest.raises(JournalDamaged, match=r"it has seq \d, wanted \d"):
        JournalFile.open(path, at=AT)


@given(data=st.data())
def test_any_bytes_that_change_are_noticed_i63(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "logs" / "app.jsonl"
        write(path, *(record(number) for number in range(1, 6)))
        content = bytearray(path.read_bytes())
        places = st.integers(0, len(content) - 1)
        for place, mask in data.draw(
            st.dictionaries(places, st.integers(1, 255), min_size=1, max_size=3)
        ).items():
            content[place] ^= mask
        new_file(path, bytes(content))

        with pytest.raises(JournalDamaged):
            list(read_journal(path))


def test_the_folder_and_the_file_are_private_whatever_the_umask_i84(path: Path) -> None:
    before = os.umask(0)
    try:
        write(path, record(1))
    finally:
        os.umask(before)

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("loosened", [".", "app.jsonl"])
def test_rights_that_were_loosened_refuse_i84(path: Path, loosened: str) -> None:
    write(path, record(1))
    (path.parent / loosened).chmod(0o755)

    with pytest.raises(RightsTooOpen, match="has rights 0755, wanted"):
        JournalFile.open(path, at=AT)


def test_a_place_where_no_file_can_be_is_refused_i64(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(JournalFailed, match="cannot open the journal"):
        JournalFile.open(tmp_path / "file" / "app.jsonl", at=AT)
    with pytest.raises(JournalFailed, match="cannot open the journal"):
        JournalFile.open(tmp_path, at=AT)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"ts": None}, "found NoneType and str"),
        ({"ts": 1.5}, "found float and str"),
        ({"ts": True}, "found bool and str"),
        ({"event": ""}, "found int and str"),
        ({"event": 7}, "found int and int"),
        ({"ts": 10**40}, "no such time"),
    ],
)
def test_a_record_without_time_or_event_fails_and_writes_nothing_i64(
    path: Path, changes: dict[str, object], says: str
) -> None:
    journal = JournalFile.open(path, at=AT)

    with pytest.raises(JournalFailed, match=says):
        journal.append(record(1) | changes)

    journal.close()
    assert path.read_bytes() == b""


KILLED = """
import os, signal, sys
from pathlib import Path

from hydra.store.journal import JournalFile

journal = JournalFile.open(Path(sys.argv[1]), at=0)
for number in range(100):
    journal.append({"ts": number, "event": "Counted"})
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_appended_is_there_after_kill_9_i63(path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(path)],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert events_in(path) == [(number, "Counted") for number in range(1, 101)]
