"""A file that somebody else writes: no whole line is left out, whatever becomes of the file."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hydra.store.followed_file import FilePlace, FollowedFile, FollowedLine, Unfollowable

MAX = 100


def contents(file: FollowedFile) -> list[bytes]:
    found: list[bytes] = []
    while lines := file.read():
        found += [line.content for line in lines]
    return found


Follow: TypeAlias = Callable[[Path, FilePlace | None], FollowedFile]


@pytest.fixture
def follow() -> Iterator[Follow]:
    """A file of which each one is closed in the end."""
    with ExitStack() as opened:
        yield lambda path, place: opened.enter_context(closing(FollowedFile(path, place, MAX)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "signals.jsonl"


def test_a_line_is_given_when_it_has_its_end_and_once(path: Path, follow: Follow) -> None:
    file = follow(path, None)
    before = file.read()
    path.write_bytes(b"one\ntw")
    first = file.read()
    with path.open("ab") as writer:
        writer.write(b"o\n")

    assert (before, first) == ([], [FollowedLine(number=1, content=b"one")])
    assert file.read() == [FollowedLine(number=2, content=b"two")]
    assert file.read() == []


def test_another_reader_goes_on_at_the_place(path: Path, follow: Follow) -> None:
    path.write_bytes(b"one\ntwo\n")
    first = follow(path, None)
    contents(first)
    place = first.place
    with path.open("ab") as writer:
        writer.write(b"three\n")

    second = follow(path, place)

    assert second.read() == [FollowedLine(number=3, content=b"three")]
    assert second.changes == []


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        (b"", []),
        (b"new\n", [b"new"]),
        (b"eno\nowt\nthree\n", [b"eno", b"owt", b"three"]),
        (b"one\ntwo\nthree\n", [b"three"]),
    ],
    ids=["emptied", "cut", "rewritten", "grown"],
)
def test_a_file_that_is_another_now_is_read_from_its_beginning(
    path: Path, follow: Follow, now: bytes, wanted: list[bytes], restarts: bool
) -> None:
    path.write_bytes(b"one\ntwo\n")
    file = follow(path, None)
    contents(file)

    path.write_bytes(now)
    if restarts:
        file = follow(path, file.place)

    assert contents(file) == wanted
    assert len(file.changes) == (not now.startswith(b"one\ntwo\n"))


@pytest.mark.parametrize("restarts", [False, True])
def test_of_a_file_that_was_moved_away_the_rest_is_read_first(
    path: Path, follow: Follow, restarts: bool
) -> None:
    path.write_bytes(b"one\n")
    file = follow(path, None)
    contents(file)
    with path.open("ab") as writer:
        writer.write(b"two\n")
    path.rename(path.with_suffix(".1"))
    path.write_bytes(b"three\n")
    if restarts:
        file = follow(path, file.place)

    assert contents(file) == [b"two", b"three"]


def test_what_is_written_between_a_look_and_the_move_is_read_whole(
    path: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(b"one\n")
    file = follow(path, None)
    contents(file)
    stat = Path.stat

    def moved_just_now(asked: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        monkeypatch.undo()
        with path.open("ab") as writer:
            writer.write(b"two\nthree\n")
        path.rename(path.with_suffix(".1"))
        path.write_bytes(b"four\n")
        return stat(asked, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", moved_just_now)

    assert contents(file) == [b"two", b"three", b"four"]


def test_while_a_new_file_waits_to_be_trusted_the_place_in_the_old_one_is_kept(
    path: Path, follow: Follow
) -> None:
    path.write_bytes(b"one\n")
    first = follow(path, None)
    contents(first)
    with path.open("ab") as writer:
        writer.write(b"two\n")
    path.rename(path.with_suffix(".1"))
    path.write_bytes(b"three\n")
    path.chmod(0o666)
    second = follow(path, first.place)
    for _ in range(2):
        with pytest.raises(Unfollowable):
            second.read()
    path.chmod(0o600)

    assert second.place == first.place
    assert contents(second) == [b"two", b"three"]


def test_a_strange_file_that_got_the_old_ones_number_is_not_read(
    path: Path, follow: Follow
) -> None:
    path.write_bytes(b"new\n")
    strange = path.with_name("letters.txt")
    strange.write_bytes(b"dear all,\n")
    place = FilePlace(inode=strange.stat().st_ino, offset=4, lines=1, fingerprint="00")

    assert contents(follow(path, place)) == [b"new"]


def test_a_line_without_end_or_of_no_end_is_told_as_such_and_the_next_one_is_read(
    path: Path,
    follow: Follow,
) -> None:
    path.write_bytes(b"x" * (MAX + 1) + b"\n" + b"y" * (2 * MAX))
    file = follow(path, None)
    lines = file.read()
    with path.open("ab") as writer:
        writer.write(b"y" * MAX + b"\nfine\ntorn")
    lines += file.read()
    path.rename(path.with_suffix(".1"))
    path.write_bytes(b"next\n")
    while more := file.read():
        lines += more

    assert [(line.number, line.content[:4], line.is_whole) for line in lines] == [
        (1, b"xxxx", False),
        (2, b"yyyy", False),
        (3, b"fine", True),
        (4, b"torn", False),
        (1, b"next", True),
    ]


def test_a_file_that_waits_to_be_trusted_is_told_of_once_and_read_whole(
    path: Path, follow: Follow
) -> None:
    file = follow(path, None)
    path.write_bytes(b"old\ntorn")
    contents(file)
    path.rename(path.with_suffix(".1"))
    path.write_bytes(b"new\n")
    path.chmod(0o666)
    for _ in range(3):
        with pytest.raises(Unfollowable):
            file.read()
    path.chmod(0o600)

    assert contents(file) == [b"torn", b"new"]
    assert file.changes == ["another file is there now; it is read from its beginning"]


def test_what_cannot_be_trusted_is_not_read(path: Path, follow: Follow) -> None:
    target = path.with_name("elsewhere")
    target.write_bytes(b"one\n")
    path.symlink_to(target)
    with pytest.raises(Unfollowable, match="no ordinary file"):
        follow(path, None).read()
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(Unfollowable, match="no ordinary file"):
        follow(path, None).read()
    path.unlink()
    path.write_bytes(b"one\n")
    path.chmod(0o666)

    with pytest.raises(Unfollowable, match="written to by everybody"):
        follow(path, None).read()


class Followed(RuleBasedStateMachine):
    """Somebody writes, cuts, moves and rewrites; the reader looks now and then, and restarts."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._path = Path(self._folder.name) / "signals.jsonl"
        self._file = FollowedFile(self._path, None, MAX)
        self._written: list[bytes] = []
        self._read: set[bytes] = set()
        self._moved = 0

    def teardown(self) -> None:
        self._file.close()
        self._folder.cleanup()

    @rule(more=st.integers(1, 5))
    def append(self, more: int) -> None:
        with self._path.open("ab") as writer:
            for _ in range(more):
                name = b"line %d" % len(self._written)
                self._written.append(name)
                writer.write(name + b"\n")

    @rule()
    def look(self) -> None:
        self._read.update(line.content for line in self._file.read())

    @rule()
    def look_and_cut(self) -> None:
        self.look_at_all()
        self._path.write_bytes(b"")

    @rule()
    def move_away(self) -> None:
        self.look_at_all()  # a reader that is a whole rotation behind has lost it
        if self._path.exists():
            self._moved += 1
            self._path.rename(self._path.with_suffix(f".{self._moved}"))

    @rule()
    def append_and_move_away(self) -> None:
        self.look_at_all()
        if self._path.exists():
            self.append(2)
            self.move_file()

    def move_file(self) -> None:
        self._moved += 1
        self._path.rename(self._path.with_suffix(f".{self._moved}"))

    @rule()
    def restart(self) -> None:
        place = self._file.place
        self._file.close()
        self._file = FollowedFile(self._path, place, MAX)

    def look_at_all(self) -> None:
        while lines := self._file.read():
            self._read.update(line.content for line in lines)

    @invariant()
    def nothing_is_left_out_in_the_end(self) -> None:
        with closing(FollowedFile(self._path, self._file.place, MAX)) as another:
            self._read.update(contents(another))
        assert self._read == set(self._written)


Followed.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestFollowed = Followed.TestCase


@given(st.lists(st.binary(max_size=20), max_size=20), st.integers(1, 50))
@settings(deadline=None, max_examples=50)
def test_in_whatever_pieces_it_is_written_the_lines_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], size: int
) -> None:
    path = tmp_path_factory.mktemp("pieces") / "signals.jsonl"
    content = b"".join(pieces)
    file = FollowedFile(path, None, 1000)
    found: list[bytes] = []
    path.write_bytes(b"")
    for start in range(0, len(content), size):
        with path.open("ab") as writer:
            writer.write(content[start : start + size])
        found += [line.content for line in file.read()]

    assert found == content.split(b"\n")[:-1]
    file.close()
