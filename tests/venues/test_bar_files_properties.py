"""Files of bars, whatever is in them: sound bars or one line, and the same time for a stamp."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.bar_checks import fault_in
from hydra.trading.bars import Bar
from hydra.venues.bar_files import read_bars
from hydra.venues.bar_rows import BadData, start_of
from hydra.venues.bar_series import SESSIONS
from hydra.venues.csv_rows import csv_columns, csv_rows

GOOD = """\
ts_utc,open,high,low,close,volume,session
2016-04-15T13:28:00Z,112.0,112.2,111.9,112.1,1000,pre
2016-04-15T13:30:00Z,112.11,112.11,112.0,112.085,2431708,regular
2016-04-15T13:31:00Z,112.1,112.3,112.07,112.25,148082,regular
2016-04-15T13:32:00Z,112.25,112.4,112.2,112.4,99000.5,regular
"""
COLUMNS = "ts_utc,open,high,low,close,volume[,session]"
characters = st.sampled_from('0123456789.,:+-TZe "\r\n')
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(place=st.integers(0, len(GOOD) - 1), byte=st.integers(0, 255))
def test_a_file_with_one_wrong_byte_gives_sound_bars_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, place: int, byte: int
) -> None:
    data = bytearray(GOOD.encode())
    data[place] = byte

    outcome = read_or_refused(tmp_path_factory.getbasetemp() / "AAPL_1m.csv", bytes(data))

    assert_told_in_one_line_or_sound(outcome)


@given(data=st.binary(max_size=200))
def test_a_file_of_anything_gives_sound_bars_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    header, _, _ = GOOD.partition("\n")
    path = tmp_path_factory.getbasetemp() / "AAPL_1m.csv"

    for content in (data, header.encode() + b"\n" + data, b"\xef\xbb\xbf" + data):
        assert_told_in_one_line_or_sound(read_or_refused(path, content))


@given(edits=st.lists(st.tuples(st.integers(75, len(GOOD) - 1), characters), max_size=2))
def test_read_at_once_or_row_by_row_a_file_gives_the_same_rows(
    edits: list[tuple[int, str]],
) -> None:
    text = GOOD
    for place, character in edits:
        text = f"{text[:place]}{character}{text[place + 1 :]}"

    at_once = csv_columns(text)

    if at_once is not None:
        assert list(at_once.rows()) == list(csv_rows(Path("AAPL_1m.csv"), text))


def test_a_field_of_two_lines_is_not_read_at_once_so_that_lines_keep_their_numbers() -> None:
    text = GOOD.replace(",1000,", ',"1000\n",')

    assert csv_columns(text) is None
    assert [row[0] for row in csv_rows(Path("AAPL_1m.csv"), text)] == [3, 4, 5, 6]


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.replace(",pre", "").replace(",regular", "").replace(",session", ""),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("T13:31:00Z", " 09:31-04:00"),
    ],
)
def test_ordinary_files_are_read_at_once(text: str) -> None:
    at_once = csv_columns(text)

    assert at_once is not None
    assert list(at_once.rows()) == list(csv_rows(Path("AAPL_1m.csv"), text))


@given(minute=st.integers(0, (datetime(2261, 12, 31, tzinfo=UTC) - EPOCH) // timedelta(minutes=1)))
def test_a_time_is_read_the_same_with_and_without_a_memory_of_its_date(minute: int) -> None:
    moment = EPOCH + timedelta(minutes=minute)
    texts = [f"{moment:%Y-%m-%dT%H:%M}:00Z", f"{moment:%Y-%m-%d %H:%M}:00+00:00"]
    midnights: dict[str, int] = {}

    read = [start_of(text, midnights) for text in (*texts, *texts)]

    assert read == [minute * 60_000_000_000] * 4
    assert list(midnights) == [f"{moment:%Y-%m-%d}"]


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("SPY_1m_2011.csv", "SPY"),
        ("BTCUSDT.csv", "BTC/USD"),
        ("BRK.B_1m_2020-01-01.5.csv", "BRK.B"),
        ("BRK.B.csv", "BRK.B"),
    ],
)
def test_the_name_of_the_file_tells_the_symbol_with_its_point(
    tmp_path: Path, name: str, symbol: str
) -> None:
    path = tmp_path / name
    path.write_text(GOOD)

    assert {bar.symbol for bar in read_bars(path)} == {symbol}


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (GOOD.replace(",", ";"), "'ts_utc;open;high;low;close;volume;session'"),
        ("\ufeff", "''"),
        ("\n" + GOOD, "''"),
    ],
)
def test_a_wrong_header_is_told_before_what_follows_from_it(
    tmp_path: Path, content: str, columns: str
) -> None:
    path = tmp_path / "AAPL_1m.csv"

    assert read_or_refused(path, content.encode()) == (
        f"{path}, line 1: found columns {columns}; wanted {COLUMNS}; rename or reorder the columns"
    )


def test_a_strange_number_is_found_whatever_ends_the_lines(tmp_path: Path) -> None:
    content = GOOD.replace("148082", "148_082").replace("\n", "\r")

    refusal = read_or_refused(tmp_path / "AAPL_1m.csv", content.encode())

    assert "found the character '_'" in str(refusal)


def test_reading_bars_imports_nothing_heavy() -> None:
    code = "import sys, hydra.venues.bar_files; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, timeout=30
    ).stdout.split()

    assert {"numpy", "pandas", "pyarrow"} & set(loaded) == set()


def read_or_refused(path: Path, content: bytes) -> tuple[Bar, ...] | str:
    path.write_bytes(content)
    try:
        return read_bars(path, sessions=SESSIONS)
    except BadData as refusal:
        text = str(refusal)
        return text if text.startswith(str(path)) else f"which file? {text}"


def assert_told_in_one_line_or_sound(outcome: tuple[Bar, ...] | str) -> None:
    if isinstance(outcome, str):
        assert not outcome.startswith("which file?")
        assert outcome.isprintable()
        return
    for bar in outcome:
        assert fault_in(bar.open, bar.high, bar.low, bar.close, bar.volume) is None
    for before, after in pairwise(outcome):
        assert before.end_at <= after.start_at
