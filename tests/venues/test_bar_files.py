import gzip
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.bars import Bar
from hydra.venues.bar_checks import fault_in
from hydra.venues.bar_files import SESSIONS, read_bars
from hydra.venues.bar_rows import BadData, start_of
from tests.venues.market_data import real

MINUTE = 60_000_000_000
START = 1_460_727_000_000_000_000
"""2016-04-15T13:30:00Z"""

GOOD = """\
ts_utc,open,high,low,close,volume,session
2016-04-15T13:28:00Z,112.0,112.2,111.9,112.1,1000,pre
2016-04-15T13:30:00Z,112.11,112.11,112.0,112.085,2431708,regular
2016-04-15T13:31:00Z,112.1,112.3,112.07,112.25,148082,regular
2016-04-15T13:32:00Z,112.25,112.4,112.2,112.4,99000.5,regular
2016-04-15T13:33:00Z,112.4,112.4,112.4,112.4,0,post
"""
REGULAR = (
    Bar("AAPL", START, START + MINUTE, 112.11, 112.11, 112.0, 112.085, 2431708.0),
    Bar("AAPL", START + MINUTE, START + 2 * MINUTE, 112.1, 112.3, 112.07, 112.25, 148082.0),
    Bar("AAPL", START + 2 * MINUTE, START + 3 * MINUTE, 112.25, 112.4, 112.2, 112.4, 99000.5),
)
PRE = Bar("AAPL", START - 2 * MINUTE, START - MINUTE, 112.0, 112.2, 111.9, 112.1, 1000.0)
POST = Bar("AAPL", START + 3 * MINUTE, START + 4 * MINUTE, 112.4, 112.4, 112.4, 112.4, 0.0)
COLUMNS = "ts_utc,open,high,low,close,volume[,session]"
AGAIN = "fetch or export the file again"
CORRECT = "correct the file or fetch it again"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes, str], Path]:
    def written(content: str | bytes, name: str = "AAPL_1m.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


Write = Callable[..., Path]


def test_the_regular_rows_of_a_file_become_bars(write: Write) -> None:
    assert read_bars(write(GOOD)) == REGULAR


def test_a_gzip_file_gives_the_same_bars(write: Write) -> None:
    assert read_bars(write(gzip.compress(GOOD.encode()), "AAPL_1m.csv.gz")) == REGULAR


def test_other_sessions_are_given_where_they_are_asked_for(write: Write) -> None:
    assert read_bars(write(GOOD), sessions=SESSIONS) == (PRE, *REGULAR, POST)
    assert read_bars(write(GOOD), sessions=("post",)) == (POST,)


def test_a_file_without_sessions_is_given_whole(write: Write) -> None:
    without = re.sub(",[a-z]+$", "", GOOD, flags=re.MULTILINE)

    assert read_bars(write(without)) == (PRE, *REGULAR, POST)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.removesuffix("\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("T13:", "T09:").replace("Z", "-04:00"),
        lambda text: text.replace("T", " ").replace("Z", "+00:00"),
        lambda text: text.replace("Z", ".000Z"),
        lambda text: text.replace("112.1,", "1121e-1,"),
        lambda text: text.replace("regular", '"regular"'),
    ],
)
def test_other_ways_to_write_the_same_are_understood(
    write: Write, change: Callable[[str], str]
) -> None:
    assert read_bars(write(change(GOOD))) == REGULAR


@pytest.mark.parametrize(
    ("name", "symbol"),
    [("SPY_1m_2011.csv", "SPY"), ("BTCUSDT.csv", "BTCUSDT"), ("BRK.B_1m.csv", "BRK.B")],
)
def test_the_name_of_the_file_tells_the_symbol(write: Write, name: str, symbol: str) -> None:
    assert {bar.symbol for bar in read_bars(write(GOOD, name))} == {symbol}


def test_a_given_symbol_goes_before_the_name_of_the_file(write: Write) -> None:
    assert {bar.symbol for bar in read_bars(write(GOOD), symbol="BTC/USD")} == {"BTC/USD"}


def test_the_length_of_the_bars_is_the_most_frequent_step(write: Write) -> None:
    five = GOOD.replace("13:33", "13:47").replace("13:32", "13:40").replace("13:31", "13:35")
    five = five.replace("13:28", "13:20").replace("13:47", "13:50")

    assert [(bar.start_at - START, bar.end_at - START) for bar in read_bars(write(five))] == [
        (0, 5 * MINUTE),
        (5 * MINUTE, 10 * MINUTE),
        (10 * MINUTE, 15 * MINUTE),
    ]


def line(number: int, new: str) -> str:
    """The good file with another line of this number."""
    lines = GOOD.splitlines()
    lines[number - 1] = new
    return "\n".join(lines) + "\n"


ROW = "2016-04-15T13:31:00Z,112.1,112.3,112.07,112.25,148082,regular"
TIME = "2016-04-15T13:31:00Z"

DAMAGES: list[tuple[str | bytes, str]] = [
    ("", f": found an empty file; wanted a header and rows; {AGAIN}"),
    ("\n \n", f": found an empty file; wanted a header and rows; {AGAIN}"),
    (GOOD.splitlines()[0], f": found a header and no rows; wanted rows; {AGAIN}"),
    (
        "\n".join(GOOD.splitlines()[:2]),
        f": found one row; wanted two or more, to know the length of a bar; {AGAIN}",
    ),
    (
        GOOD.partition("\n")[2],
        ", line 1: found columns '2016-04-15T13:28:00Z,112.0,112.2,111.9,112.1,1000,pre'; "
        f"wanted {COLUMNS}; rename or reorder the columns",
    ),
    (
        GOOD.replace("ts_utc,open", "open,ts_utc"),
        ", line 1: found columns 'open,ts_utc,high,low,close,volume,session'; "
        f"wanted {COLUMNS}; rename or reorder the columns",
    ),
    (
        GOOD.replace("volume,", ""),
        ", line 1: found columns 'ts_utc,open,high,low,close,session'; "
        f"wanted {COLUMNS}; rename or reorder the columns",
    ),
    (
        GOOD.replace(",", ";"),
        ", line 1: found columns 'ts_utc;open;high;low;close;volume;session'; "
        f"wanted {COLUMNS}; rename or reorder the columns",
    ),
    (
        GOOD[: GOOD.index("112.25,148082")],
        f", line 4: found 5 fields; wanted 7; {CORRECT}",
    ),
    (line(4, ROW + ",x"), f", line 4: found 8 fields; wanted 7; {CORRECT}"),
    (line(4, ""), f", line 4: found an empty line; wanted 7 fields; {CORRECT}"),
    (
        line(4, ROW.replace("112.3", "112,3")),
        f", line 4: found 8 fields; wanted 7; {CORRECT}",
    ),
    (
        line(4, ROW.replace("112.3", "")),
        f", line 4: found high ''; wanted a number; {CORRECT}",
    ),
    (
        line(4, ROW.replace("148082", "many")),
        f", line 4: found volume 'many'; wanted a number; {CORRECT}",
    ),
    (
        line(4, ROW.replace("148082", "148_082")),
        ", line 4: found the character '_'; wanted plain numbers, times and words; " + CORRECT,
    ),
    (
        line(4, ROW.replace("112.1,", "\N{ARABIC-INDIC DIGIT ONE}12.1,")),
        ", line 4: found the character '\\u0661'; wanted plain numbers, times and words; "
        + CORRECT,
    ),
    (
        line(4, ROW.replace("112.1,", "112.1\0,")),
        ", line 4: found the character '\\x00'; wanted plain numbers, times and words; " + CORRECT,
    ),
    (
        line(4, '"' + ROW),
        ", line 6: found what is not CSV (unexpected end of data); "
        f"wanted fields separated by commas; {CORRECT}",
    ),
    (
        line(4, ROW.replace(TIME, "yesterday")),
        ", line 4: found ts_utc 'yesterday'; "
        f"wanted a whole minute such as 2016-04-15T13:30:00Z; {CORRECT}",
    ),
    (
        line(4, ROW.replace(TIME, "2016-02-30T13:31:00Z")),
        ", line 4: found ts_utc '2016-02-30T13:31:00Z'; "
        f"wanted a whole minute such as 2016-04-15T13:30:00Z; {CORRECT}",
    ),
    (
        line(4, ROW.replace(TIME, "2016-04-15T25:31:00Z")),
        ", line 4: found ts_utc '2016-04-15T25:31:00Z'; "
        f"wanted a whole minute such as 2016-04-15T13:30:00Z; {CORRECT}",
    ),
    (
        line(4, ROW.replace(TIME, "2016-04-15T13:31:00.000000001Z")),
        ", line 4: found ts_utc '2016-04-15T13:31:00.000000001Z'; "
        f"wanted a whole minute such as 2016-04-15T13:30:00Z; {CORRECT}",
    ),
    (
        line(4, ROW.replace(TIME, "1460727060")),
        ", line 4: found ts_utc '1460727060'; "
        f"wanted a whole minute such as 2016-04-15T13:30:00Z; {CORRECT}",
    ),
    (
        line(4, ROW.replace(TIME, "0216-04-15T13:31:00Z")),
        ", line 4: found ts_utc '0216-04-15T13:31:00Z'; "
        f"wanted a year from 1970 to 2261; {CORRECT}",
    ),
    (
        line(4, ROW.replace("00Z", "00")),
        ", line 4: found ts_utc '2016-04-15T13:31:00' without a time zone; "
        f"wanted Z or an offset such as -04:00 at its end; {CORRECT}",
    ),
    (
        line(4, ROW.replace("31:00Z", "31:30Z")),
        f", line 4: found ts_utc 2016-04-15T13:31:30Z; wanted a whole minute; {CORRECT}",
    ),
    (
        line(4, ROW.replace("112.1,", "nan,")),
        f", line 4: found open nan; wanted a finite number; {CORRECT}",
    ),
    (
        line(4, ROW.replace("112.3", "inf")),
        f", line 4: found high inf; wanted a finite number; {CORRECT}",
    ),
    (
        line(4, ROW.replace("148082", "1e999")),
        f", line 4: found volume inf; wanted a finite number; {CORRECT}",
    ),
    (
        line(4, ROW.replace("112.07", "0")),
        f", line 4: found low 0.0; wanted a price over 0; {CORRECT}",
    ),
    (
        line(4, ROW.replace("112.25", "-112.25")),
        f", line 4: found close -112.25; wanted a price over 0; {CORRECT}",
    ),
    (
        line(4, ROW.replace("112.3", "112.0")),
        f", line 4: found high 112.0 under low 112.07; wanted high at or over low; {CORRECT}",
    ),
    (
        line(4, ROW.replace("112.1,", "112.06,")),
        ", line 4: found open 112.06 outside low 112.07 to high 112.3; "
        f"wanted it within; {CORRECT}",
    ),
    (
        line(4, ROW.replace("112.25", "112.31")),
        ", line 4: found close 112.31 outside low 112.07 to high 112.3; "
        f"wanted it within; {CORRECT}",
    ),
    (
        line(4, ROW.replace("148082", "-1")),
        f", line 4: found volume -1.0; wanted 0 or more; {CORRECT}",
    ),
    (
        line(2, ROW.replace("31:00", "28:00").replace("148082", "-1").replace("regular", "pre")),
        f", line 2: found volume -1.0; wanted 0 or more; {CORRECT}",
    ),
    (
        line(4, ROW.replace("regular", "lunch")),
        f", line 4: found session 'lunch'; wanted pre, regular, post; {CORRECT}",
    ),
    (
        line(4, ROW.replace("13:31", "13:29")),
        ", line 4: found ts_utc 2016-04-15T13:29:00Z, a step back from 2016-04-15T13:30:00Z; "
        "wanted rising times; take a file that is in order, or find out why this one is not",
    ),
    (
        line(4, ROW.replace("13:31", "13:30")),
        ", line 4: found ts_utc 2016-04-15T13:30:00Z again, as in line 3; "
        "wanted each time once; remove the wrong one",
    ),
    (
        GOOD.replace("13:33", "13:40").replace("13:32", "13:35").replace("13:28", "13:25"),
        ", line 4: found ts_utc 2016-04-15T13:31:00Z, which is not on the grid of 5 minutes "
        f"that the other rows are on; wanted whole intervals; {CORRECT}",
    ),
    (
        "\n".join(GOOD.splitlines()[:3]).replace("04-15T13:28", "04-12T13:28"),
        ": found bars of 4322 minutes; wanted 1 to 1440, the most frequent step between rows; "
        "take a file without so many holes",
    ),
    (
        GOOD.replace("regular", "post"),
        ": found no rows of session regular; wanted some; take another file or other sessions",
    ),
    (
        GOOD.encode().replace(b"148082", b"148\xa0082"),
        f", line 4: found byte 0xa0, which is not UTF-8; wanted UTF-8 text; {AGAIN}",
    ),
    (
        gzip.compress(GOOD.encode()),
        f", line 1: found byte 0x8b, which is not UTF-8; wanted UTF-8 text; {AGAIN}",
    ),
    (
        GOOD.encode("utf-16"),
        f", line 1: found byte 0xff, which is not UTF-8; wanted UTF-8 text; {AGAIN}",
    ),
]


@pytest.mark.parametrize(("content", "fault"), DAMAGES)
def test_a_damaged_file_is_refused_with_one_line_that_says_where(
    write: Write, content: str | bytes, fault: str
) -> None:
    path = write(content)

    assert refusal_of(path) == f"{path}{fault}"


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda data: data[:-1], "gzip data that is cut off"),
        (lambda data: data[: len(data) // 2], "gzip data that is cut off"),
        (lambda data: data[:20] + bytes([data[20] ^ 0xFF]) + data[21:], "damaged gzip data"),
        (lambda data: data[:-8] + bytes(4) + data[-4:], "damaged gzip data"),
        (lambda data: data + b"more", "damaged gzip data"),
        (lambda _: GOOD.encode(), "damaged gzip data"),
    ],
)
def test_a_damaged_gzip_file_is_refused(
    write: Write, damage: Callable[[bytes], bytes], fault: str
) -> None:
    path = write(damage(gzip.compress(GOOD.encode(), mtime=0)), "AAPL_1m.csv.gz")

    assert refusal_of(path) == f"{path}: found {fault}; wanted a whole gzip file; {AGAIN}"


def test_an_empty_gzip_file_is_refused(write: Write) -> None:
    path = write(gzip.compress(b""), "AAPL_1m.csv.gz")

    assert refusal_of(path) == f"{path}: found an empty file; wanted a header and rows; {AGAIN}"


def test_what_is_not_a_file_of_bars_is_refused(write: Write, tmp_path: Path) -> None:
    missing, other, nameless = tmp_path / "AAPL.csv", write(GOOD, "AAPL.txt"), write(GOOD, "_.csv")

    assert [refusal_of(path) for path in (missing, tmp_path, other, nameless)] == [
        f"{missing}: found no such file; wanted a file of bars; check the path",
        f"{tmp_path}: found a directory; wanted one file of bars; name a file in it",
        f"{other}: found a file of another kind; wanted .csv, .csv.gz or .parquet; "
        "convert or rename it",
        f"{nameless}: found no symbol; wanted a name such as AAPL_1m.csv.gz; "
        "rename the file or give the symbol",
    ]


def test_a_file_behind_a_file_cannot_be_read(write: Write) -> None:
    path = write(GOOD) / "AAPL_1m.csv"

    assert refusal_of(path) == (
        f"{path}: found a file that cannot be read (Not a directory); "
        "wanted to read it; check the file and its permissions"
    )


def test_a_long_piece_of_rubbish_is_shown_in_part_and_on_one_line(write: Write) -> None:
    path = write(line(4, '"' + "rubbish\n" * 50 + '",' + ROW.partition(",")[2]))

    assert refusal_of(path) == (
        f"{path}, line 54: found ts_utc "
        f"{ascii(('rubbish' + chr(10)) * 7 + 'r')[:-1]}...'; "
        f"wanted a whole minute such as 2016-04-15T13:30:00Z; {CORRECT}"
    )


def test_a_session_that_nobody_knows_cannot_be_asked_for(write: Write) -> None:
    with pytest.raises(ValueError, match=r"^sessions are \('lunch',\), wanted one or more of"):
        read_bars(write(GOOD), sessions=("lunch",))


@given(cut=st.integers(min_value=0, max_value=len(GOOD) - 1), byte=st.integers(0, 255))
def test_a_file_with_one_wrong_byte_gives_checked_bars_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, cut: int, byte: int
) -> None:
    data = bytearray(GOOD.encode())
    data[cut] = byte
    path = tmp_path_factory.getbasetemp() / "AAPL_1m.csv"
    path.write_bytes(data)

    try:
        bars = read_bars(path, sessions=SESSIONS)
    except BadData as refusal:
        assert str(refusal).startswith(str(path))
        assert "\n" not in str(refusal)
    else:
        assert_sound(bars)


@given(
    moment=st.datetimes(
        min_value=datetime(1970, 1, 2), max_value=datetime(2261, 12, 30), timezones=st.timezones()
    )
)
def test_a_time_is_read_the_same_with_and_without_a_memory_of_its_date(moment: datetime) -> None:
    whole = moment.replace(second=0, microsecond=0).astimezone(UTC)
    wanted = int(whole.timestamp()) * 1_000_000_000
    midnights: dict[str, int] = {}
    text = whole.strftime("%Y-%m-%dT%H:%M:00Z")

    assert [start_of(text, midnights) for _ in range(2)] == [wanted, wanted]
    assert len(midnights) == 1


@pytest.mark.parametrize(
    ("file", "rows"),
    [
        ("equity_1m/AAPL_1m_2016-04-15_2016-05-04.csv.gz", 14 * 390),
        ("equity_1m/MSFT_1m_2016-04-15_2016-05-04.csv.gz", 14 * 390),
        ("equity_1m/SPY_1m_2011-01-03_2011-01-31.csv.gz", 20 * 390),
        ("equity_1m/SPY_1m_2011-03-01_2011-03-11.csv.gz", 9 * 390),
        ("crypto_1m/BTCUSDT_binance_1m_2024-01-01_2024-01-21.csv.gz", 21 * 1440),
        ("crypto_1m/ETHUSDT_binance_1m_2024-01-01_2024-01-21.csv.gz", 21 * 1440),
    ],
)
def test_every_real_file_of_minutes_is_read_whole(file: str, rows: int) -> None:
    path = real(file)

    bars = read_bars(path)

    assert len(bars) == rows
    assert {(bar.symbol, bar.end_at - bar.start_at) for bar in bars} == {
        (path.name.partition("_")[0], MINUTE)
    }
    assert_sound(bars)


def test_the_real_bars_have_the_numbers_of_their_file() -> None:
    bars = read_bars(real("equity_1m/AAPL_1m_2016-04-15_2016-05-04.csv.gz"))

    assert bars[0] == Bar("AAPL", START, START + MINUTE, 112.11, 112.11, 112.0, 112.085, 2431708.0)
    last = int(datetime(2016, 5, 4, 19, 59, tzinfo=UTC).timestamp()) * 1_000_000_000
    assert bars[-1] == Bar("AAPL", last, last + MINUTE, 94.2001, 94.25, 94.18, 94.19, 2706254.0)


def test_a_real_file_is_given_with_its_hours_before_and_after_where_asked() -> None:
    path = real("equity_1m/SPY_1m_2011-01-03_2011-01-31.csv.gz")

    assert [len(read_bars(path, sessions=(session,))) for session in SESSIONS] == [3310, 7800, 3070]


def test_the_real_file_that_steps_back_in_time_is_refused() -> None:
    path = real("crypto_1m/BTCUSD_bitfinex_1m_2016-02-09_2016-04-08.csv.gz")

    assert refusal_of(path) == (
        f"{path}, line 1003: found ts_utc 2016-02-10T13:32:00Z, "
        "a step back from 2016-02-10T13:36:00Z; "
        "wanted rising times; take a file that is in order, or find out why this one is not"
    )


@pytest.mark.parametrize(
    ("file", "minutes"),
    [
        ("crypto_bars/BTCUSD_coinbase_4h_2016-05-18_2022-08-31.csv.gz", 240),
        ("crypto_bars/ETHUSD_binanceus_5m_2023-03-13_2023-03-15.csv.gz", 5),
        ("crypto_bars/ETHUSD_coinbase_1d_2016-05-18_2022-08-31.csv.gz", 1440),
    ],
)
def test_longer_bars_are_known_by_their_steps(file: str, minutes: int) -> None:
    assert {bar.end_at - bar.start_at for bar in read_bars(real(file))} == {minutes * MINUTE}


def test_reading_bars_imports_nothing_heavy() -> None:
    code = "import sys, hydra.venues.bar_files; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, timeout=30
    ).stdout.split()

    assert {"numpy", "pandas", "pyarrow"} & set(loaded) == set()


def refusal_of(path: Path) -> str:
    with pytest.raises(BadData) as caught:
        read_bars(path)
    return str(caught.value)


def assert_sound(bars: tuple[Bar, ...]) -> None:
    for bar in bars:
        assert fault_in(bar.open, bar.high, bar.low, bar.close, bar.volume) is None
    for before, after in pairwise(bars):
        assert before.end_at <= after.start_at
