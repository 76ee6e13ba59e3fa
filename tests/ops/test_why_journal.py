"""Looking for lines in a journal, the newest first, whatever is done to its files meanwhile."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydra.ops.why import journal as searching
from hydra.ops.why.journal import JournalMissing, JournalSearch, Line, event, field, needle
from hydra.store.journal import JournalFile
from hydra.store.journal_files import files_of
from hydra.store.journal_line import LINE_START, line_of

AT = 1_460_727_000_000_000_000
"""2016-04-15 13:30 UTC."""
SECOND = 1_000_000_000


def journal_of(path: Path, *lines: tuple[int, str, str], size: int = 10**6) -> Path:
    """Lines with a time (s after AT), an event and a source, in files of so many bytes."""
    journal = JournalFile.open(path, at=AT, file_bytes_max=size)
    for after, name, source in lines:
        journal.append({"ts": AT + after * SECOND, "event": name, "source": source, "text": "x"})
    journal.close()
    return path


def numbers(lines: list[Line]) -> list[int]:
    return [line.seq for line in lines]


FILES = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
"""Each example writes files, however slow the disk is."""

lines_of_a_journal = st.lists(
    st.tuples(
        st.integers(0, 50),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["/hydra/x", "/hydra/y", "main"]),
    ),
    max_size=40,
)


@FILES
@given(
    lines=lines_of_a_journal,
    size=st.sampled_from([300, 700, 10**6]),
    chunk=st.sampled_from([1, 50, 200, 10**6]),
    last_seq=st.one_of(st.none(), st.integers(0, 60)),
)
def test_what_is_found_is_what_is_there_in_whatever_pieces_it_is_read(
    lines: list[tuple[int, str, str]],
    size: int,
    chunk: int,
    last_seq: int | None,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = journal_of(tmp_path_factory.mktemp("logs") / "app.jsonl", *lines, size=size)

    with monkeypatch.context() as patched, JournalSearch(path) as search:
        patched.setattr(searching, "CHUNK_BYTES", chunk)
        everything = list(search.oldest_first(LINE_START))
        found = list(search.newest_first(event("a"), field("source", "main"), last_seq=last_seq))
        forward = list(search.oldest_first(event("a"), field("source", "main")))
        newest = search.newest()
        before = {line.seq: search.before(line) for line in everything}

    wanted = [line for line in everything if line.event == "a" or line.source == "main"]
    assert numbers(everything) == list(range(1, len(everything) + 1))
    assert forward == wanted
    assert found == [each for each in reversed(wanted) if last_seq is None or each.seq <= last_seq]
    assert newest == (everything[-1] if everything else None)
    assert before == dict(zip(numbers(everything), [None, *everything], strict=False))


@FILES
@given(lines=lines_of_a_journal, after=st.integers(-1, 51), chunk=st.sampled_from([90, 10**6]))
def test_a_moment_is_where_an_actor_last_wrote_by_then_whatever_the_clock_did(
    lines: list[tuple[int, str, str]],
    after: int,
    chunk: int,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = journal_of(tmp_path_factory.mktemp("logs") / "app.jsonl", *lines, size=700)

    with monkeypatch.context() as patched, JournalSearch(path) as search:
        patched.setattr(searching, "CHUNK_BYTES", chunk)
        everything = list(search.oldest_first(LINE_START))
        found = search.last_seq_at(AT + after * SECOND)

    said = [e for e in everything if e.source != "main" and e.event in "abc"]
    assert found == max((e.seq for e in said if e.at <= AT + after * SECOND), default=0)


def test_a_line_is_given_with_its_time_event_and_source(tmp_path: Path) -> None:
    path = journal_of(tmp_path / "app.jsonl", (7, "mybot.crossed", "/hydra/bots/mine"))

    with JournalSearch(path) as search:
        (line,) = search.newest_first(event("mybot.crossed"))

    assert (line.seq, line.at, line.event) == (1, AT + 7 * SECOND, "mybot.crossed")
    assert (line.source, line.record["text"]) == ("/hydra/bots/mine", "x")


def test_a_text_of_people_is_looked_for_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    journal = JournalFile.open(path, at=AT)
    journal.append({"ts": AT, "event": "a", "text": 'say "ä\n"'})
    journal.close()

    with JournalSearch(path) as search:
        assert len(list(search.newest_first(needle('"ä\n"')))) == 1


def test_a_line_that_is_still_written_is_passed_over(tmp_path: Path) -> None:
    path = journal_of(tmp_path / "app.jsonl", (1, "a", "x"))
    with path.open("ab") as file:
        file.write(line_of(AT, 2, "a", [])[:-9])

    with JournalSearch(path) as search:
        assert numbers(list(search.newest_first(event("a")))) == [1]
        assert search.unreadable == 0


def test_a_line_that_is_not_as_it_was_written_is_counted_and_passed_over(tmp_path: Path) -> None:
    path = journal_of(tmp_path / "app.jsonl", *[(n, "a", "x") for n in range(3)])
    path.write_bytes(path.read_bytes().replace(b'"seq":2,', b'"seq":7,'))

    with JournalSearch(path) as search:
        assert numbers(list(search.newest_first(event("a")))) == [3, 1]
        assert search.unreadable == 1


def test_megabytes_of_zeros_do_not_hide_what_lies_before_them(tmp_path: Path) -> None:
    path = journal_of(tmp_path / "app.jsonl", (1, "a", "x"))
    with path.open("ab") as file:
        file.write(bytes(9_000_000) + b"\n" + line_of(AT, 2, "a", []))

    with JournalSearch(path) as search:
        assert numbers(list(search.newest_first(event("a")))) == [2, 1]


def test_files_that_are_written_renamed_and_deleted_meanwhile_are_read_as_they_were(
    tmp_path: Path,
) -> None:
    lines = [(n, "a", "x") for n in range(20)]
    path = journal_of(tmp_path / "app.jsonl", *lines, size=400)

    with JournalSearch(path) as search:
        journal = JournalFile.open(path, at=AT, file_bytes_max=400)
        for _ in range(20):
            journal.append({"ts": AT, "event": "a"})
        journal.close()
        for file in files_of(path)[:5]:
            file.unlink()
        found = list(search.newest_first(event("a")))

    assert len(found) == 20


def test_a_journal_that_is_rotated_just_while_it_is_opened_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = journal_of(tmp_path / "app.jsonl", *[(n, "a", "x") for n in range(5)], size=400)
    journal = JournalFile.open(path, at=AT, file_bytes_max=400)
    listings = iter(range(100))

    def listed(journal_path: Path) -> list[Path]:
        files = files_of(journal_path)
        if next(listings) < 3:
            for _ in range(4):
                journal.append({"ts": AT, "event": "a"})
        return files

    monkeypatch.setattr(searching, "files_of", listed)
    with JournalSearch(path) as search:
        seqs = numbers(list(search.oldest_first(LINE_START)))
    journal.close()

    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) > 5


@pytest.mark.parametrize("folder", ["logs", "."])
def test_that_there_is_no_journal_is_said(folder: str, tmp_path: Path) -> None:
    path = tmp_path / folder / "app.jsonl"

    with pytest.raises(JournalMissing, match="there is no journal"), JournalSearch(path):
        pass
