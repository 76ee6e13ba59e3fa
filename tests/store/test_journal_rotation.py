"""A full file is set aside and a new one begun; a crash anywhere in that loses no line."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydra.store.journal import JournalDamaged, JournalFile
from hydra.store.journal_files import files_of, segment_path, segments_of
from hydra.store.journal_line import crc_of, record_in
from hydra.store.journal_reading import findings_in, read_journal
from tests.store.journals import (
    SMALL,
    contents_of,
    events_in,
    lay_out,
    new_file,
    numbers_in,
    record,
    write,
    write_numbers,
)
from tests.store.orders import AT

PROJECT_ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "app.jsonl"


def fields_of(line: bytes) -> dict[str, object]:
    read = record_in(line)
    return {name: read[name] for name in read if name not in ("ts", "crc")}


def test_a_full_file_is_renamed_and_the_next_one_begins_with_a_link_to_it_i63(path: Path) -> None:
    write_numbers(path, 9)

    full = path.with_name("app.000000000001.jsonl")
    assert files_of(path) == [full, path]
    last = full.read_bytes().splitlines(keepends=True)[-1]
    link, line = path.read_bytes().splitlines(keepends=True)
    assert fields_of(link) == {
        "seq": 9,
        "event": "journal_continued",
        "previous": full.name,
        "previous_seq": 8,
        "previous_crc": crc_of(last),
        "kept_from": 1,
    }
    assert fields_of(line)["seq"] == 10
    assert {file.stat().st_mode & 0o777 for file in files_of(path)} == {0o600}


def test_the_sequence_goes_on_unbroken_through_all_files_i49(path: Path) -> None:
    write_numbers(path, 100)
    write_numbers(path, 100)

    assert numbers_in(path) == [*range(1, 101), *range(1, 101)]
    seqs = [seq for seq, _ in events_in(path)]
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(files_of(path)) > 20
    assert all(file.stat().st_size <= SMALL for file in files_of(path))


def test_append_gives_the_number_of_its_own_line_also_behind_a_link(path: Path) -> None:
    journal = JournalFile.open(path, at=AT, file_bytes_max=SMALL)

    given_back = [journal.append(record(number)) for number in range(1, 30)]
    journal.close()

    assert given_back == [each["seq"] for each in read_journal(path) if "number" in each]
    assert journal.last_seq == given_back[-1]


def test_lines_longer_than_a_file_still_find_room(path: Path) -> None:
    long = [{"ts": AT, "event": "Long", "text": "x" * size} for size in (2_000, 10, 3_000, 60_000)]

    write(path, *long, file_bytes_max=SMALL)

    assert [event for _, event in events_in(path) if event == "Long"] == ["Long"] * 4


def test_any_name_with_or_without_an_ending_will_do(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    for name in ("journal", "a.b.log", "app.jsonl", "app2.jsonl"):
        write_numbers(folder / name, 20)

    for name in ("journal", "a.b.log", "app.jsonl", "app2.jsonl"):
        assert numbers_in(folder / name) == list(range(1, 21))
        assert len(segments_of(folder / name)) == 2
    assert segment_path(folder / "a.b.log", 7).name == "a.b.000000000007.log"


def test_only_what_is_named_like_a_full_file_is_one(path: Path) -> None:
    write_numbers(path, 20)
    segments = segments_of(path)
    for name in ("app.1.jsonl", "app.000000000001.jsonl.gz", "xapp.000000000001.jsonl", "app.json"):
        new_file(path.with_name(name), b"")

    assert segments_of(path) == segments


def test_files_are_in_the_order_of_their_numbers_however_long_those_are(path: Path) -> None:
    numbers = [1, 999_999_999_999, 1_000_000_000_000, 20_000_000_000_000]
    for number in reversed(numbers):
        new_file(segment_path(path, number), b"")

    assert segments_of(path) == [segment_path(path, number) for number in numbers]


def crash_states(path: Path) -> dict[str, dict[Path, bytes]]:
    """What can be found if the process or the power ends during one rotation, eight lines in."""
    write_numbers(path, 9)
    full, live = contents_of(path).items()
    link = live[1].splitlines(keepends=True)[0]
    states: dict[str, dict[Path, bytes]] = {
        "before the rename": {path: full[1]},
        "after the rename": dict([full]),
        "zeros for the link": {**dict([full]), path: bytes(len(link))},
        "done": {**dict([full]), path: link},
    }
    for size in range(len(link)):
        states[f"{size} bytes of the link"] = {**dict([full]), path: link[:size]}
    return states


def test_a_crash_at_any_byte_of_a_rotation_loses_and_doubles_no_line_i63(path: Path) -> None:
    for state, contents in crash_states(path).items():
        lay_out(contents)

        write(path, record(9))

        assert numbers_in(path) == list(range(1, 10)), state
        assert list(findings_in(path)) == [], state


@pytest.mark.parametrize(
    ("state", "live_file", "events"),
    [
        ("after the rename", "missing", ["journal_continued", "Counted"]),
        ("0 bytes of the link", "empty", ["journal_continued", "Counted"]),
        (
            "20 bytes of the link",
            "empty",
            ["journal_continued", "journal_tail_cut", "Counted"],
        ),
    ],
)
def test_a_new_file_that_had_to_be_made_good_says_so_i63(
    path: Path, state: str, live_file: str, events: list[str]
) -> None:
    lay_out(crash_states(path)[state])

    write(path, record(9))

    lines = path.read_bytes().splitlines(keepends=True)
    assert [fields_of(line)["event"] for line in lines] == events
    assert fields_of(lines[0])["live_file"] == live_file


Change: TypeAlias = Callable[[dict[Path, bytes], Path], dict[Path, bytes]]


def overlapping(contents: dict[Path, bytes], path: Path) -> dict[Path, bytes]:
    """The live file is an older copy: it holds lines that the full one holds too."""
    full, *_ = contents
    return {**contents, path: contents[full]}


def with_a_gap(contents: dict[Path, bytes], path: Path) -> dict[Path, bytes]:
    """The full file before the live one was taken away."""
    newest = list(contents)[-2]
    return {file: content for file, content in contents.items() if file != newest}


def without_the_middle(contents: dict[Path, bytes], path: Path) -> dict[Path, bytes]:
    second = list(contents)[1]
    return {file: content for file, content in contents.items() if file != second}


def without_the_beginning(contents: dict[Path, bytes], path: Path) -> dict[Path, bytes]:
    return dict(list(contents.items())[1:])


def of_another_journal(contents: dict[Path, bytes], path: Path) -> dict[Path, bytes]:
    """A full file with the right numbers and other lines."""
    newest = list(contents)[-2]
    other = path.parent.parent / "other" / path.name
    records = (record(number) | {"price": "187.31"} for number in range(1, 23))
    write(other, *records, file_bytes_max=SMALL)
    return {**contents, newest: other.with_name(newest.name).read_bytes()}


def torn_before_the_end(contents: dict[Path, bytes], path: Path) -> dict[Path, bytes]:
    newest = list(contents)[-2]
    return {**contents, newest: contents[newest][:-1]}


def without_the_link(contents: dict[Path, bytes], path: Path) -> dict[Path, bytes]:
    return {**contents, path: contents[path].split(b"\n", 1)[1]}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (overlapping, r"it has seq 1, wanted 23"),
        (with_a_gap, r"it has seq 23, wanted 16"),
        (without_the_middle, r"it goes on from app\.000000000009\.jsonl, but before it lies"),
        (without_the_beginning, r"begins with seq 9, wanted 1: what lies before was taken away"),
        (of_another_journal, r"it goes on from another line than the last one of"),
        (torn_before_the_end, r"torn, in a file that was full and whole"),
        (without_the_link, r"it has seq 24, wanted 23"),
    ],
)
def test_files_that_do_not_belong_together_are_refused_i54_i63(
    path: Path, change: Change, says: str
) -> None:
    write_numbers(path, 22)
    contents = contents_of(path)
    assert len(contents) == 4
    changed = change(contents, path)
    lay_out(changed)

    with pytest.raises(JournalDamaged, match=says):
        JournalFile.open(path, at=AT)

    assert contents_of(path) == changed
    with pytest.raises(JournalDamaged):
        list(read_journal(path))
    assert list(findings_in(path)) != []


def test_damaged_full_files_are_refused_before_a_live_one_is_made_i63(path: Path) -> None:
    write_numbers(path, 20)
    contents = contents_of(path)
    del contents[path]
    lay_out(torn_before_the_end({**contents, path: b""}, path))
    path.unlink()

    with pytest.raises(JournalDamaged):
        JournalFile.open(path, at=AT)

    assert not path.exists()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(0, 3_000), max_size=40),
    file_bytes_max=st.integers(1, 8_000),
    reopened=st.sets(st.integers(0, 40)),
)
def test_whatever_the_sizes_every_line_is_there_once_and_in_order_i63(
    tmp_path_factory: pytest.TempPathFactory,
    sizes: list[int],
    file_bytes_max: int,
    reopened: set[int],
) -> None:
    path = tmp_path_factory.mktemp("sizes") / "logs" / "app.jsonl"
    journal = JournalFile.open(path, at=AT, file_bytes_max=file_bytes_max)
    for number, size in enumerate(sizes):
        if number in reopened:
            journal.close()
            journal = JournalFile.open(path, at=AT, file_bytes_max=file_bytes_max)
        journal.append({**record(number), "text": "x" * size})
    journal.close()

    assert numbers_in(path) == list(range(len(sizes)))
    assert list(findings_in(path)) == []


def test_what_is_synced_is_known_i54(path: Path) -> None:
    journal = JournalFile.open(path, at=AT)
    journal.append(record(1))
    assert (journal.last_seq, journal.synced_seq) == (1, 0)

    journal.sync()
    assert (journal.last_seq, journal.synced_seq) == (1, 1)

    journal.append(record(2))
    assert (journal.last_seq, journal.synced_seq) == (2, 1)
    journal.close()
    assert journal.synced_seq == 2
    again = JournalFile.open(path, at=AT)
    assert again.synced_seq == 2
    again.close()


def test_a_full_file_is_on_the_disk_before_the_next_one_has_a_line_i54(path: Path) -> None:
    journal = JournalFile.open(path, at=AT, file_bytes_max=SMALL)

    for number in range(1, 10):
        journal.append(record(number))

    # The link, which is line 9; the line behind it waits for the next sync.
    assert (journal.last_seq, journal.synced_seq) == (10, 9)
    journal.close()


def test_another_thread_may_sync_and_look_while_lines_are_appended_i58_i63(path: Path) -> None:
    journal = JournalFile.open(path, at=AT, file_bytes_max=20 * SMALL)
    done = threading.Event()
    seen: list[object] = []

    def watch() -> None:
        while not done.is_set():
            before = journal.last_seq
            journal.sync()
            seen.append(journal.is_the_file_on_disk())
            assert before <= journal.synced_seq <= journal.last_seq
        seen.append("ended well")

    watcher = threading.Thread(target=watch)
    watcher.start()
    for number in range(3_000):
        journal.append(record(number))
    done.set()
    watcher.join(timeout=30)
    journal.close()

    assert seen[-1] == "ended well"
    assert set(seen[:-1]) <= {None}
    assert numbers_in(path) == list(range(3_000))
    assert len(files_of(path)) > 10


ENDED = """
import os, sys
from pathlib import Path

from hydra.crash_points import arm_from
from hydra.store.journal import JournalFile

arm_from(os.environ)
journal = JournalFile.open(Path(sys.argv[1]), at=0, file_bytes_max=900)
for number in range(int(sys.argv[2]), 100):
    journal.append({"ts": number, "event": "Counted", "number": number, "price": "187.30"})
    os.write(1, b"%d\\n" % number)
    if number % 40 == 39:
        journal.prune(at=number, wall_ns=2**62)
os._exit(0)
"""


@pytest.mark.parametrize(
    "point",
    [
        *(f"journal.rotate.{step}" for step in ("before_rename", "renamed", "created", "done")),
        "journal.rotate.created:3",
        "journal.append.before:20",
        "journal.append.after:21",
        "journal.prune.before",
        "journal.prune.before:2",
        "journal.prune.after",
        "journal.prune.after:2",
    ],
)
def test_kill_9_at_each_step_loses_no_line_that_was_acknowledged_i63(
    path: Path, point: str
) -> None:
    ended = run(path, first=0, crash_at=point)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    acknowledged = [int(number) for number in ended.stdout.split()]

    again = run(path, first=200)  # opens and closes
    assert again.returncode == 0, again.stderr

    numbers = numbers_in(path)
    # The line of which nobody was told may be there too; pruned ones are gone from the beginning.
    last = acknowledged[-1]
    assert numbers[-1] in (last, last + 1)
    assert numbers == list(range(int(str(numbers[0])), int(str(numbers[-1])) + 1))
    assert numbers[0] == 0 or "prune" in point
    assert list(findings_in(path)) == []


def test_kill_9_while_a_torn_line_is_cut_leaves_one_to_cut_or_none_i63(path: Path) -> None:
    write_numbers(path, 12)
    new_file(path, path.read_bytes() + b'{"ts":"20')

    ended = run(path, first=200, crash_at="journal.open.tail_cut")
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    write(path, record(13))

    assert numbers_in(path) == list(range(1, 14))


def run(path: Path, *, first: int, crash_at: str = "") -> "subprocess.CompletedProcess[str]":
    environment = {key: value for key, value in os.environ.items() if key != "HYDRA_CRASH_AT"}
    if crash_at:
        environment["HYDRA_CRASH_AT"] = crash_at
    return subprocess.run(
        [sys.executable, "-c", ENDED, str(path), str(first)],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
