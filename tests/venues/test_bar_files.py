"""Files of bars: real ones read whole, damaged ones refused with the line that says where."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from hydra.trading.bars import Bar
from hydra.venues.bar_files import read_bars
from hydra.venues.bar_rows import BadData

MARKET_DATA = Path(__file__).resolve().parents[3] / "shared" / "market-data"
MINUTE = 60_000_000_000
OPEN_AT = 1_460_727_000_000_000_000

HEADER = "ts_utc,open,high,low,close,volume,session"
ROWS = (
    "2016-04-15T13:29:00Z,112.0,112.2,111.9,112.1,900,pre",
    "2016-04-15T13:30:00Z,112.11,112.11,112.0,112.085,2431708,regular",
    "2016-04-15T13:31:00Z,112.1,112.3,112.07,112.25,148082,regular",
    "2016-04-15T13:33:00Z,112.2,112.3,112.1,112.2,100000,regular",
)
GOOD = "\n".join((HEADER, *ROWS)) + "\n"
BARS = (
    Bar("AAPL", OPEN_AT, OPEN_AT + MINUTE, 112.11, 112.11, 112.0, 112.085, 2431708.0),
    Bar("AAPL", OPEN_AT + MINUTE, OPEN_AT + 2 * MINUTE, 112.1, 112.3, 112.07, 112.25, 148082.0),
    Bar("AAPL", OPEN_AT + 3 * MINUTE, OPEN_AT + 4 * MINUTE, 112.2, 112.3, 112.1, 112.2, 100000.0),
)


def file_of(folder: Path, text: str | bytes, name: str = "AAPL_1m.csv") -> Path:
    path = folder / name
    data = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


@pytest.mark.parametrize("name", ["AAPL_1m.csv", "AAPL_1m.csv.gz"])
@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        GOOD.replace("Z", "+00:00"),
        GOOD.replace("T13:31:00Z", "T09:31:00-04:00"),
    ],
    ids=["plain", "CRLF", "byte order mark", "offset", "another zone"],
)
def test_the_regular_session_is_read_by_default(tmp_path: Path, name: str, text: str) -> None:
    assert read_bars(file_of(tmp_path, text, name)) == BARS


def test_the_symbol_and_the_sessions_can_be_given(tmp_path: Path) -> None:
    file = file_of(tmp_path, GOOD, "x.csv")

    bars = read_bars(file, "MSFT", ("pre", "regular"))

    assert [(bar.symbol, bar.start_at) for bar in bars] == [
        ("MSFT", OPEN_AT + minute * MINUTE) for minute in (-1, 0, 1, 3)
    ]


def test_a_parquet_file_gives_the_same_bars(tmp_path: Path) -> None:
    columns = list(zip(*(row.split(",") for row in ROWS), strict=True))
    table = pyarrow.table(
        {
            "ts_utc": pyarrow.array(columns[0]).cast(pyarrow.timestamp("us", "UTC")),
            **{
                name: pyarrow.array([float(text) for text in column])
                for name, column in zip(HEADER.split(",")[1:6], columns[1:6], strict=True)
            },
            "session": pyarrow.array(columns[6]),
        }
    )
    path = tmp_path / "AAPL_1m.parquet"
    pyarrow.parquet.write_table(table, path)

    assert read_bars(path) == BARS


def test_damaged_parquet_is_refused_in_one_line(tmp_path: Path) -> None:
    path = file_of(tmp_path, b"PAR1 and then nothing", "AAPL_1m.parquet")

    with pytest.raises(BadData, match=r"found damaged Parquet data") as refused:
        read_bars(path)

    assert "\n" not in str(refused.value)


def edited(line: int, old: str, new: str) -> str:
    """`GOOD` with one line (from 1) changed."""
    lines = GOOD.splitlines()
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new)
    return "\n".join(lines) + "\n"


FIX = "correct the file or fetch it again"
AGAIN = "fetch or export the file again"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", f": found an empty file; wanted a header and rows; {AGAIN}"),
        ("\n\n", f": found an empty file; wanted a header and rows; {AGAIN}"),
        (HEADER + "\n", f": found a header and no rows; wanted rows; {AGAIN}"),
        (
            "\n".join((HEADER, ROWS[1])),
            f": found one row; wanted two or more, to know the length of a bar; {AGAIN}",
        ),
        (
            edited(1, "close", "klose"),
            (
                ", line 1: found columns 'ts_utc,open,high,low,klose,volume,session'; wanted "
                "ts_utc,open,high,low,close,volume[,session]; rename or reorder the columns"
            ),
        ),
        (edited(4, ",regular", ""), f", line 4: found 6 fields; wanted 7; {FIX}"),
        (GOOD[:-30], f", line 5: found 3 fields; wanted 7; {FIX}"),
        (GOOD.replace(ROWS[2], ""), f", line 4: found an empty line; wanted 7 fields; {FIX}"),
        (edited(3, "112.085", "abc"), f", line 3: found close 'abc'; wanted a number; {FIX}"),
        (edited(3, "112.085", ""), f", line 3: found close ''; wanted a number; {FIX}"),
        (edited(4, "112.25", "nan"), f", line 4: found close nan; wanted a finite number; {FIX}"),
        (edited(4, "112.3", "inf"), f", line 4: found high inf; wanted a finite number; {FIX}"),
        (edited(4, "112.07", "0"), f", line 4: found low 0.0; wanted a price over 0; {FIX}"),
        (edited(4, "112.07", "-1"), f", line 4: found low -1.0; wanted a price over 0; {FIX}"),
        (
            edited(4, "112.07", "112.4"),
            f", line 4: found high 112.3 under low 112.4; wanted high at or over low; {FIX}",
        ),
        (
            edited(4, "112.25", "112.31"),
            (
                ", line 4: found close 112.31 outside low 112.07 to high 112.3; wanted it within; "
                f"{FIX}"
            ),
        ),
        (
            edited(4, "148082", "-5"),
            f", line 4: found volume -5.0; wanted one from 0 to 1e+15; {FIX}",
        ),
        (
            edited(4, "13:31:00Z", "13:30:00Z"),
            (
                ", line 4: found ts_utc 2016-04-15T13:30:00Z again, as in line 3; "
                "wanted each time once; remove the wrong one"
            ),
        ),
        (
            edited(4, "13:31:00Z", "13:28:00Z"),
            (
                ", line 4: found ts_utc 2016-04-15T13:28:00Z, a step back from "
                "2016-04-15T13:30:00Z; wanted rising times; take a file that is in order, or find "
                "out why this one is not"
            ),
        ),
        (
            edited(4, "13:31:00Z", "13:31:30Z"),
            f", line 4: found ts_utc 2016-04-15T13:31:30Z; wanted a whole minute; {FIX}",
        ),
        (
            edited(4, "13:31:00Z", "13:31:00"),
            (
                ", line 4: found ts_utc '2016-04-15T13:31:00' without a time zone; "
                f"wanted Z or an offset such as -04:00 at its end; {FIX}"
            ),
        ),
        (
            edited(4, "2016-04-15T13:31:00Z", "yesterday"),
            (
                ", line 4: found ts_utc 'yesterday'; wanted a whole minute such as "
                f"2016-04-15T13:30:00Z; {FIX}"
            ),
        ),
        (
            edited(4, "2016-04-15", "2016-02-30"),
            (
                ", line 4: found ts_utc '2016-02-30T13:31:00Z'; wanted a whole minute such as "
                f"2016-04-15T13:30:00Z; {FIX}"
            ),
        ),
        (
            edited(4, "regular", "lunch"),
            f", line 4: found session 'lunch'; wanted pre, regular, post; {FIX}",
        ),
        (
            edited(4, "148082", "148_082"),
            ", line 4: found the character '_'; wanted plain numbers, times and words; " + FIX,
        ),
        (
            GOOD.replace("regular", "pre"),
            ": found no rows of session regular; wanted some; take another file or other sessions",
        ),
    ],
)
def test_a_fault_is_told_with_its_place_and_remedy(tmp_path: Path, text: str, said: str) -> None:
    file = file_of(tmp_path, text)

    with pytest.raises(BadData) as refused:
        read_bars(file)

    assert str(refused.value) == f"{file}{said}"


@pytest.mark.parametrize(
    ("name", "make", "said"),
    [
        (
            "AAPL.csv",
            lambda path: None,
            ": found no such file; wanted a file of bars; check the path",
        ),
        (
            "AAPL.csv",
            lambda path: path.mkdir(),
            ": found a directory; wanted one file of bars; name a file in it",
        ),
        (
            "AAPL.txt",
            lambda path: path.write_text(GOOD),
            (
                ": found a file of another kind; wanted .csv, .csv.gz or .parquet; convert or "
                "rename it"
            ),
        ),
        (
            "AAPL.csv.gz",
            lambda path: path.write_bytes(gzip.compress(GOOD.encode() * 100)[:-40]),
            f": found gzip data that is cut off; wanted a whole gzip file; {AGAIN}",
        ),
        (
            "AAPL.csv.gz",
            lambda path: path.write_text(GOOD),
            f": found damaged gzip data; wanted a whole gzip file; {AGAIN}",
        ),
        (
            "AAPL.csv",
            lambda path: path.write_bytes(GOOD.encode().replace(b"112.2,", b"112.\xff,", 1)),
            f", line 2: found byte 0xff, which is not UTF-8; wanted UTF-8 text; {AGAIN}",
        ),
        (
            "_1m.csv",
            lambda path: path.write_text(GOOD),
            (
                ": found no symbol; wanted a name such as AAPL_1m.csv.gz; rename the file or give "
                "the symbol"
            ),
        ),
    ],
)
def test_what_is_no_file_of_bars_is_refused(
    tmp_path: Path, name: str, make: Callable[[Path], object], said: str
) -> None:
    file = tmp_path / name
    make(file)

    with pytest.raises(BadData) as refused:
        read_bars(file)

    assert str(refused.value) == f"{file}{said}"


@pytest.mark.parametrize(
    ("name", "bars", "minutes"),
    [
        ("equity_1m/AAPL_1m_2016-04-15_2016-05-04.csv.gz", 5_460, 1),
        ("equity_1m/MSFT_1m_2016-04-15_2016-05-04.csv.gz", 5_460, 1),
        ("equity_1m/SPY_1m_2011-01-03_2011-01-31.csv.gz", 7_800, 1),
        ("equity_1m/SPY_1m_2011-03-01_2011-03-11.csv.gz", 3_510, 1),
        ("crypto_1m/BTCUSDT_binance_1m_2024-01-01_2024-01-21.csv.gz", 30_240, 1),
        ("crypto_bars/ETHUSD_binanceus_5m_2023-03-13_2023-03-15.csv.gz", 580, 5),
        ("crypto_bars/BTCUSD_coinbase_4h_2016-05-18_2022-08-31.csv.gz", 13_777, 240),
    ],
)
def test_real_files_are_read_whole(name: str, bars: int, minutes: int) -> None:
    path = MARKET_DATA / name
    if not path.exists():
        pytest.skip(f"needs {name} in ../shared/market-data")

    read = read_bars(path)

    assert len(read) == bars
    assert {bar.end_at - bar.start_at for bar in read} == {minutes * MINUTE}


def test_a_real_file_whose_rows_step_back_is_refused() -> None:
    path = MARKET_DATA / "crypto_1m" / "BTCUSD_bitfinex_1m_2016-02-09_2016-04-08.csv.gz"
    if not path.exists():
        pytest.skip(f"needs {path.name} in ../shared/market-data")

    with pytest.raises(BadData, match=r"line \d+: found ts_utc .*, a step back from .*"):
        read_bars(path)
