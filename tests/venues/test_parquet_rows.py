"""Parquet files of bars: every kind of column that is understood, and every one that is not."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from hydra.trading.bars import Bar
from hydra.venues.bar_files import read_bars
from hydra.venues.bar_rows import BadData
from hydra.venues.bar_series import SESSIONS

MINUTE = 60_000_000_000
START = datetime(2016, 4, 15, 13, 30, tzinfo=UTC)
STARTS = [START + timedelta(minutes=minute) for minute in range(3)]
FINE: dict[str, Any] = {
    "ts_utc": pyarrow.array(STARTS, pyarrow.timestamp("ms", "America/New_York")),
    "open": [112.11, 112.1, 112.25],
    "high": [112.2, 112.3, 112.4],
    "low": [112.0, 112.07, 112.2],
    "close": [112.085, 112.25, 112.4],
    "volume": [2431708, 148082, 0],
    "session": ["pre", "regular", "regular"],
}
FIRST_AT = int(START.timestamp()) * 1_000_000_000
BARS = (
    Bar("AAPL", FIRST_AT, FIRST_AT + MINUTE, 112.11, 112.2, 112.0, 112.085, 2431708.0),
    Bar("AAPL", FIRST_AT + MINUTE, FIRST_AT + 2 * MINUTE, 112.1, 112.3, 112.07, 112.25, 148082.0),
    Bar("AAPL", FIRST_AT + 2 * MINUTE, FIRST_AT + 3 * MINUTE, 112.25, 112.4, 112.2, 112.4, 0.0),
)


def written(path: Path, columns: dict[str, Any]) -> Path:
    file = path / "AAPL_1m.parquet"
    parquet.write_table(pyarrow.table(columns), file)
    return file


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ts_utc": [f"{start:%Y-%m-%dT%H:%M:%S}Z" for start in STARTS]},
        {"open": [Decimal("112.11"), Decimal("112.1"), Decimal("112.25")]},
        {"session": pyarrow.array(FINE["session"]).dictionary_encode()},
    ],
)
def test_a_parquet_file_gives_the_bars_that_a_csv_file_would(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    path = written(tmp_path, FINE | changes)

    assert read_bars(path, sessions=SESSIONS) == BARS
    assert read_bars(path) == BARS[1:]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            {"bid": [1.0, 1.0, 1.0]},
            (
                ": found columns 'ts_utc,open,high,low,close,volume,session,bid'; "
                "wanted ts_utc,open,high,low,close,volume[,session]; rename or drop columns"
            ),
        ),
        (
            {"ts_utc": pyarrow.array(STARTS, pyarrow.timestamp("ns"))},
            (
                ": found ts_utc without a time zone; wanted timestamps in UTC; "
                "write the column with its zone"
            ),
        ),
        (
            {"ts_utc": [1, 2, 3]},
            (
                ": found ts_utc of type int64; wanted text or timestamps in UTC; "
                "write the column again"
            ),
        ),
        (
            {"ts_utc": ["2016-04-15T13:30:00Z", "2016-04-15T13:31:00", "2016-04-15T13:32:00Z"]},
            (
                ", row 2: found ts_utc '2016-04-15T13:31:00' without a time zone; "
                "wanted Z or an offset such as -04:00 at its end; correct the row"
            ),
        ),
        (
            {"ts_utc": [*STARTS[:2], START.replace(year=2800)]},
            (
                ": found ts_utc beyond what nanoseconds can hold; "
                "wanted years from 1970 to 2261; correct the column"
            ),
        ),
        (
            {"ts_utc": [*STARTS[:2], START + timedelta(seconds=150)]},
            (
                ", row 3: found ts_utc 2016-04-15T13:32:30Z; wanted a whole minute; "
                "correct the file or fetch it again"
            ),
        ),
        (
            {"ts_utc": [STARTS[0], STARTS[2], STARTS[1]]},
            (
                ", row 3: found ts_utc 2016-04-15T13:31:00Z, a step back from "
                "2016-04-15T13:32:00Z; wanted rising times; take a file that is in order, or "
                "find out why this one is not"
            ),
        ),
        (
            {"open": pyarrow.array(FINE["open"], pyarrow.float32())},
            (
                ": found open of type float; wanted double, decimal or integer numbers; "
                "write the column again from its source"
            ),
        ),
        (
            {"open": [112.11, None, 112.25]},
            ", row 2: found no open; wanted a value; correct the row",
        ),
        (
            {"low": [112.0, float("nan"), 112.2]},
            ", row 2: found low nan; wanted a finite number; correct the file or fetch it again",
        ),
        (
            {"session": [None, "regular", "regular"]},
            ", row 1: found no session; wanted a value; correct the row",
        ),
        (
            {"session": [1, 2, 3]},
            ": found session of type int64; wanted text; write the column again",
        ),
    ],
)
def test_a_wrong_parquet_file_is_refused_with_one_line_that_says_where(
    tmp_path: Path, changes: dict[str, Any], fault: str
) -> None:
    path = written(tmp_path, FINE | changes)

    assert refusal_of(path) == f"{path}{fault}"


def test_a_parquet_file_without_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "AAPL_1m.parquet"
    parquet.write_table(pyarrow.table(FINE).slice(0, 0), path)

    assert refusal_of(path) == (
        f"{path}: found a header and no rows; wanted rows; fetch or export the file again"
    )


def test_a_parquet_file_that_was_cut_off_is_refused_in_one_line(tmp_path: Path) -> None:
    path = written(tmp_path, FINE)
    path.write_bytes(path.read_bytes()[:-100])

    refusal = refusal_of(path)

    assert refusal.startswith(f"{path}: found damaged Parquet data (")
    assert refusal.endswith("); wanted a whole file; fetch or write it again")
    assert "\n" not in refusal


def test_a_missing_parquet_file_is_refused_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "AAPL_1m.parquet"

    assert refusal_of(path) == (
        f"{path}: found no such file; wanted a file of bars; check the path"
    )


def test_without_the_library_the_refusal_says_how_to_install_it(tmp_path: Path) -> None:
    path = written(tmp_path, FINE)
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from pathlib import Path; from hydra.venues.bar_files import read_bars\n"
        "try: read_bars(Path(sys.argv[1]))\n"
        "except ValueError as refusal: print(refusal)\n"
    )

    said = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, check=True, text=True, timeout=30
    ).stdout

    assert said == (
        f"{path}: found no pyarrow to read Parquet with; wanted it installed; "
        'run pip install "hydra-trader[parquet]"\n'
    )


def refusal_of(path: Path) -> str:
    with pytest.raises(BadData) as caught:
        read_bars(path)
    return str(caught.value)
