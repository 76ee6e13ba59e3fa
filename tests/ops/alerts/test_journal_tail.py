"""Following a journal: each new line once, over rotations, new beginnings and torn ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.ops.alerts.journal_tail import JournalTail
from hydra.store.journal_files import segment_path


def line(seq: int) -> bytes:
    return orjson.dumps({"seq": seq, "event": "e"}) + b"\n"


class Written:
    """A journal as an engine writes it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "app.jsonl"
        self.seq = 0
        self.first = 1

    def write(self, count: int = 1) -> None:
        with self.path.open("ab") as file:
            for _ in range(count):
                self.seq += 1
                file.write(line(self.seq))

    def rotate(self) -> None:
        """The live file is full."""
        self.path.rename(segment_path(self.path, self.first))
        self.first = self.seq + 1
        self.write()

    def begin_anew(self) -> None:
        """Another life's journal."""
        self.path.rename(self.path.with_name("set aside"))
        self.seq, self.first = 0, 1
        self.write()


class Following(NamedTuple):
    journal: Written
    tail: JournalTail


@pytest.fixture
def following(tmp_path: Path) -> Iterator[Following]:
    with closing(JournalTail(tmp_path / "app.jsonl")) as tail:
        yield Following(Written(tmp_path), tail)


def seqs(tail: JournalTail) -> list[int]:
    return [each["seq"] for each in tail.new_lines()]


def test_it_begins_at_the_end_and_then_gives_each_line_once(following: Following) -> None:
    journal, tail = following
    journal.write(3)

    assert seqs(tail) == []
    journal.write(2)
    assert (seqs(tail), seqs(tail)) == ([4, 5], [])


def test_a_journal_that_begins_while_it_looks_is_read_from_its_first_line(
    following: Following,
) -> None:
    journal, tail = following
    assert seqs(tail) == []
    journal.write(2)

    assert seqs(tail) == [1, 2]


def test_several_rotations_between_two_looks_lose_nothing(following: Following) -> None:
    journal, tail = following
    journal.write(2)
    assert seqs(tail) == []
    journal.write()
    assert seqs(tail) == [3]
    for _ in range(3):
        journal.write(2)
        journal.rotate()

    assert seqs(tail) == list(range(4, journal.seq + 1))


def test_a_journal_that_begins_anew_is_read_from_its_first_line(following: Following) -> None:
    journal, tail = following
    journal.write(5)
    assert seqs(tail) == []
    journal.write()
    assert seqs(tail) == [6]
    journal.begin_anew()

    assert seqs(tail) == [1]


def test_half_a_line_is_waited_for(following: Following) -> None:
    journal, tail = following
    journal.write()
    seqs(tail)
    whole = line(2)
    with journal.path.open("ab", buffering=0) as file:
        file.write(whole[:9])
        assert seqs(tail) == []
        file.write(whole[9:])
        assert seqs(tail) == [2]


def test_half_a_line_at_which_it_begins_is_waited_for(following: Following) -> None:
    journal, tail = following
    whole = line(1)
    with journal.path.open("ab", buffering=0) as file:
        file.write(whole[:9])
        assert seqs(tail) == []
        file.write(whole[9:] + line(2))
        assert seqs(tail) == [1, 2]


@pytest.mark.parametrize("bad", [b"{\n", b"[1]\n", b'{"seq": "x", "event": "e"}\n', b"\xff\n"])
def test_what_is_no_line_is_passed_over(following: Following, bad: bytes) -> None:
    journal, tail = following
    journal.write()
    seqs(tail)
    with journal.path.open("ab") as file:
        file.write(bad + line(2))

    assert seqs(tail) == [2]


@given(st.lists(st.sampled_from(["write", "rotate", "look"]), max_size=40))
def test_whatever_the_order_each_line_comes_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    journal, tail = Written(folder), JournalTail(folder / "app.jsonl")
    journal.write()
    got = seqs(tail)
    for step in steps:
        match step:
            case "write":
                journal.write()
            case "rotate":
                journal.rotate()
            case _:
                got += seqs(tail)
    got += seqs(tail)
    tail.close()

    assert got == list(range(2, journal.seq + 1))
