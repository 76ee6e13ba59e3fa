"""The venue's log: whole lines, only ever more of them, and refused if a single bit is not ours."""

import os
import resource
import stat
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydra.trading.orders import Side
from hydra.venues.simulated.dated_lines import MarketMoved
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.log_lines import (
    LogLine,
    RequestReceived,
    VenueBegan,
    VenueOpened,
    encoded,
)
from hydra.venues.simulated.request_log import (
    FileLog,
    MemoryLog,
    RequestLog,
    VenueLogFailed,
    VenueLogRefused,
    read_log,
)
from hydra.venues.simulated.requests import Cancel, LookUp, Replace, Submit, TakeSnapshot
from hydra.venues.simulated.terms import VenueTerms
from tests.venues.simulated.orders import MINUTE, bar_of, gtc, limit, market, replacing

BUY, SELL = Side.BUY, Side.SELL
FLAT = (100.0, 100.0, 100.0, 100.0)
ORDER = limit("hy1-é\n", BUY, "99.50", quantity="1.50")
LINES: tuple[LogLine, ...] = (
    VenueBegan(
        terms=VenueTerms(max_participation=Decimal("0.10")),
        data_origin='a "file"',
        data_digest="ab",
        seed=-3,
        misbehaviour="cd",
    ),
    VenueOpened(at=5, wall_ns=2**62, events=0, speed=600.5),
    RequestReceived(number=1, at=6, wall_ns=7, events=0, request=Submit(ORDER)),
    RequestReceived(
        number=2, at=6, wall_ns=7, events=0, request=Replace(replacing("a", gtc(ORDER)))
    ),
    RequestReceived(number=3, at=6, wall_ns=7, events=1, request=Cancel("a")),
    RequestReceived(number=4, at=6, wall_ns=7, events=1, request=LookUp("a")),
    RequestReceived(number=5, at=6, wall_ns=7, events=1, request=TakeSnapshot(9, -1)),
    MarketMoved(at=8, wall_ns=9, events=2, executions=1),
)


def written(path: Path, *lines: LogLine) -> Path:
    log = FileLog.open(path)
    for line in lines:
        log.write(line)
    log.close()
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "venue" / "requests.jsonl"


def test_what_was_written_is_read_whole_and_in_its_order(path: Path) -> None:
    written(path, *LINES[:3])
    written(path, *LINES[3:])

    log = FileLog.open(path)
    log.close()

    assert read_log(path) == LINES
    assert log.found == LINES


def test_each_line_is_one_write_at_the_end_of_what_is_there(path: Path) -> None:
    sizes: list[int] = []
    log = FileLog.open(path)
    for line in LINES:
        before = path.read_bytes()
        log.write(line)
        assert path.read_bytes() == before + encoded(line, len(sizes) + 1)
        sizes.append(path.stat().st_size)
    log.close()

    assert path.read_bytes().count(b"\n") == len(LINES)
    assert sizes == sorted(set(sizes))


def test_the_file_and_its_folder_are_ours_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        written(path, *LINES)
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("rights", [0o640, 0o604, 0o660])
def test_a_file_that_others_could_have_changed_is_refused(path: Path, rights: int) -> None:
    written(path, *LINES).chmod(rights)

    with pytest.raises(VenueLogRefused, match=f"found rights 0{rights:o}"):
        FileLog.open(path)


def test_what_is_no_file_of_ours_is_refused(tmp_path: Path) -> None:
    real = written(tmp_path / "real", *LINES)
    (tmp_path / "link").symlink_to(real)
    os.mkfifo(tmp_path / "pipe", 0o600)

    with pytest.raises(OSError, match=r"symbolic link"):
        FileLog.open(tmp_path / "link")
    with pytest.raises(VenueLogRefused, match="no ordinary file"):
        FileLog.open(tmp_path / "pipe")


def test_a_torn_end_is_cut_wherever_it_was_torn_and_a_reader_does_not_mind_it(path: Path) -> None:
    whole = written(path, *LINES[:2]).read_bytes()
    second = whole.index(b"\n") + 1

    for length in (*range(12), second // 2, *range(second - 2, second + 12), len(whole) - 1):
        path.write_bytes(whole[:length])
        left = LINES[: whole[:length].count(b"\n")]
        assert read_log(path) == left
        assert path.stat().st_size == length
        log = FileLog.open(path)
        assert log.found == left
        log.write(LINES[len(left)])
        log.close()
        assert read_log(path) == LINES[: len(left) + 1]


WHOLE = b"".join(encoded(line, number) for number, line in enumerate(LINES, start=1))
FIRST_LINE = len(encoded(LINES[0], 1))


@pytest.mark.parametrize("bit", [0, 7])
def test_no_bit_of_the_first_line_is_changed_unnoticed(path: Path, bit: int) -> None:
    for place in range(FIRST_LINE):
        require_damage_to_be_noticed(path, place, bit)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(place=st.integers(FIRST_LINE, len(WHOLE) - 2), bit=st.integers(0, 7))
def test_no_bit_of_any_line_is_changed_unnoticed(path: Path, place: int, bit: int) -> None:
    require_damage_to_be_noticed(path, place, bit)


def require_damage_to_be_noticed(path: Path, place: int, bit: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[place] ^= 1 << bit
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(damaged)
    path.chmod(0o600)

    for look in (read_log, FileLog.open):
        with pytest.raises(VenueLogRefused) as refused:
            look(path)
        assert "\n" not in str(refused.value)
        assert str(refused.value).startswith(str(path))
    assert path.read_bytes() == damaged


@pytest.mark.parametrize(
    ("numbers", "place"),
    [
        ((0, 1, 3), "line 3: found a damaged line (it says that it is line 4)"),
        ((0, 2, 1), "line 2: found a damaged line (it says that it is line 3)"),
        ((0, 1, 1), "line 3: found a damaged line (it says that it is line 2)"),
        ((1, 2), "line 1: found a damaged line (it says that it is line 2)"),
    ],
)
def test_a_line_that_is_missing_moved_or_doubled_is_noticed(
    path: Path, numbers: tuple[int, ...], place: str
) -> None:
    lines = written(path, *LINES).read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[number] for number in numbers))

    with pytest.raises(VenueLogRefused) as refused:
        read_log(path)

    assert str(refused.value) == (
        f"{path}, {place}; wanted it as it was written; keep the file for whoever finds out why,"
        " and move it away to begin anew"
    )


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((LINES[1],), "line 1: found a VenueOpened line; wanted one VenueBegan line, and it first"),
        ((LINES[0], LINES[0]), "line 2: found a VenueBegan line; wanted one VenueBegan line, and"),
    ],
)
def test_a_log_begins_once(path: Path, lines: tuple[LogLine, ...], said: str) -> None:
    written(path, *lines)

    with pytest.raises(VenueLogRefused) as refused:
        read_log(path)

    assert str(refused.value).startswith(f"{path}, {said}")


def test_a_log_of_another_version_is_refused_whatever_else_is_in_it(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b'{"line":1,"kind":"began","version":3,"all":"else","is":"new"}\n')

    with pytest.raises(VenueLogRefused) as refused:
        read_log(path)

    assert str(refused.value) == (
        f"{path}: found a log of version 3; wanted 2; move it away to begin anew, or start the"
        " Hydra that wrote it"
    )


@pytest.mark.parametrize("content", [b"my list", b'{"line":2,', b"\0\0", b'{"x":1}'])
def test_a_file_that_was_never_a_log_is_left_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(VenueLogRefused, match="found an end that is no line of the venue's"):
        FileLog.open(path)

    assert path.read_bytes() == content


def test_after_a_line_that_could_not_be_written_none_is(path: Path) -> None:
    log = FileLog.open(path)
    log.write(LINES[0])
    log.close()

    for line in LINES[1:3]:
        with pytest.raises(VenueLogFailed):
            log.write(line)
    log.close()

    assert read_log(path) == LINES[:1]


def test_a_full_disk_fails_the_request_and_leaves_a_torn_end(path: Path) -> None:
    log = FileLog.open(path)
    log.write(LINES[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 10, hard))
    try:
        with pytest.raises(VenueLogFailed, match=r"only 10 of \d+ bytes were written"):
            log.write(LINES[1])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with pytest.raises(VenueLogFailed, match="or an earlier line could not be written"):
        log.write(LINES[1])
    log.close()

    again = FileLog.open(path)
    again.close()

    assert again.found == LINES[:1]
    assert read_log(path) == LINES[:1]


def test_every_request_is_on_record_with_what_the_venue_had_seen_by_then() -> None:
    log = MemoryLog()
    ticks = iter(range(1, 100))
    exchange = SimulatedExchange(log=log, wall_clock=lambda: next(ticks))
    first, second = limit("a", BUY, "90"), replacing("a", limit("b", BUY, "101"))

    exchange.receive(Submit(first), at=1)
    exchange.on_bar(bar_of(0, FLAT))
    exchange.receive(Replace(second), at=MINUTE + 1)
    exchange.on_bar(bar_of(1, FLAT))
    exchange.receive(Cancel("b"), at=2 * MINUTE)
    exchange.close_session(2 * MINUTE)
    exchange.receive(LookUp("b"), at=2 * MINUTE + 1)
    exchange.receive(TakeSnapshot(1, 0), at=2 * MINUTE + 2)

    assert log.lines == [
        RequestReceived(number=1, at=1, wall_ns=1, events=0, request=Submit(first)),
        RequestReceived(number=2, at=MINUTE + 1, wall_ns=2, events=1, request=Replace(second)),
        MarketMoved(at=2 * MINUTE, wall_ns=3, events=2, executions=1),
        RequestReceived(number=3, at=2 * MINUTE, wall_ns=4, events=2, request=Cancel("b")),
        RequestReceived(number=4, at=2 * MINUTE + 1, wall_ns=5, events=3, request=LookUp("b")),
        RequestReceived(
            number=5, at=2 * MINUTE + 2, wall_ns=6, events=3, request=TakeSnapshot(1, 0)
        ),
    ]


def test_a_request_is_on_record_before_it_takes_effect() -> None:
    class Looking(MemoryLog):
        def write(self, line: LogLine) -> None:
            super().write(line)
            open_when_written.append(len(exchange.engine.open_orders))

    open_when_written: list[int] = []
    log: RequestLog = Looking()
    exchange = SimulatedExchange(log=log)

    exchange.receive(Submit(market("a", BUY)), at=1)
    exchange.receive(Cancel("a"), at=2)

    assert open_when_written == [0, 1]
