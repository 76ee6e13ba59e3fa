"""Candle databases: the bars that a file would give, or one line that says what is wrong."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.bars import Bar
from hydra.venues.bar_files import read_bars, read_candles
from hydra.venues.bar_rows import BadData
from hydra.venues.candle_rows import SeriesName, interval_named

MS, MINUTE = 1_000_000, 60_000_000_000
OPEN_AT = int(datetime(2016, 4, 15, 13, 30, tzinfo=UTC).timestamp()) * 1_000_000_000
SCHEMA = "symbol TEXT, interval TEXT, t INTEGER, o REAL, h REAL, l REAL, c REAL, v REAL"
KEYED = f"{SCHEMA}, PRIMARY KEY (symbol, interval, t)"

Candle = tuple[Any, ...]


def candle(minute: int, symbol: str = "AAPL", interval: str = "1m", unit: int = MS) -> Candle:
    return (symbol, interval, (OPEN_AT + minute * MINUTE) // unit, 10.0, 10.5, 9.5, 10.2, 300.0)


def bar(minute: int, symbol: str = "AAPL", minutes: int = 1) -> Bar:
    at = OPEN_AT + minute * MINUTE
    return Bar(symbol, at, at + minutes * MINUTE, 10.0, 10.5, 9.5, 10.2, 300.0)


FINE = tuple(candle(minute) for minute in (0, 1, 2, 4))
BARS = tuple(bar(minute) for minute in (0, 1, 2, 4))


def database(folder: Path, candles: Iterable[Candle] = FINE, schema: str = SCHEMA) -> Path:
    path = folder / "candles.db"
    connection = apsw.Connection(str(path))
    connection.execute(f"CREATE TABLE candles ({schema})")
    with connection:
        for values in candles:
            places = ", ".join("?" * len(values))
            connection.execute(f"INSERT INTO candles VALUES ({places})", values)  # noqa: S608
    connection.close()
    return path


def refusal_of(path: Path, *symbols: str, interval: str | None = None) -> str:
    with pytest.raises(BadData) as refused:
        read_candles(path, symbols, interval)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("schema", [SCHEMA, KEYED, f"{KEYED}) WITHOUT ROWID, STRICT --"])
@pytest.mark.parametrize("unit", [MS, 1], ids=["milliseconds", "nanoseconds"])
def test_a_database_gives_the_bars_of_a_series_in_the_order_of_time(
    tmp_path: Path, schema: str, unit: int
) -> None:
    candles = [candle(minute, unit=unit) for minute in (4, 1, 0, 2)]

    read = read_candles(database(tmp_path, candles, schema))

    assert read == {SeriesName("AAPL", "1m"): BARS}


def test_it_gives_what_a_csv_file_of_the_same_gives(tmp_path: Path) -> None:
    rows = ["ts_utc,open,high,low,close,volume"]
    for _, _, t, *numbers in FINE:
        at = datetime.fromtimestamp(t / 1000, UTC)
        rows.append(f"{at:%Y-%m-%dT%H:%M:%SZ},{','.join(map(str, numbers))}")
    file = tmp_path / "AAPL_1m.csv"
    file.write_text("\n".join(rows))

    assert read_candles(database(tmp_path)) == {SeriesName("AAPL", "1m"): read_bars(file)}


def test_symbols_and_the_interval_choose_and_a_pair_has_its_slash(tmp_path: Path) -> None:
    pair = [candle(minute, "BTCUSDT", "5m") for minute in (0, 5)]
    path = database(tmp_path, [*FINE, *pair, *(candle(m, "SPY", "5m") for m in (0, 5))])

    assert read_candles(path, ["BTC/USD"]) == {
        SeriesName("BTCUSDT", "5m"): (bar(0, "BTC/USD", 5), bar(5, "BTC/USD", 5))
    }
    assert list(read_candles(path, interval="5m")) == [
        SeriesName("BTCUSDT", "5m"),
        SeriesName("SPY", "5m"),
    ]
    assert read_candles(path, ["QQQ"], "1m") == {}
    assert refusal_of(path, "SPY", interval="1m") == (
        f"{path}: found bars of '5m'; wanted '1m'; give another interval, or take another file"
    )
    assert refusal_of(path) == (
        f"{path}: found bars of '1m', '5m'; wanted one length; give the interval"
    )


def test_other_columns_and_whole_numbers_are_read_past(tmp_path: Path) -> None:
    candles = [(*each[:7], 300, "x") for each in FINE]

    assert read_candles(database(tmp_path, candles, f"{SCHEMA}, note TEXT")) == {
        SeriesName("AAPL", "1m"): BARS
    }


def changed(**changes: object) -> tuple[Candle, ...]:
    """`FINE` with its second candle changed."""
    names = ("symbol", "interval", "t", "o", "h", "l", "c", "v")
    return (
        FINE[0],
        tuple({**dict(zip(names, FINE[1], strict=True)), **changes}.values()),
        *FINE[2:],
    )


SECOND_ONE = "in the candle 'AAPL 1m 1460727060000'"
AGAIN = "write the table again from its source"
PLACE = ", 'AAPL' of '1m'"
CORRECT = "correct the file or fetch it again"


@pytest.mark.parametrize(
    ("candles", "said"),
    [
        ((), ": found no candles; wanted some; take another file"),
        (changed(o="ten"), f": found o of type text {SECOND_ONE}; wanted real or integer; {AGAIN}"),
        (changed(v=None), f": found v of type null {SECOND_ONE}; wanted real or integer; {AGAIN}"),
        (
            changed(symbol=None),
            ": found symbol of type null in the candle ' 1m 1460727060000'; wanted text; " + AGAIN,
        ),
        (
            changed(t=1460727060000.5),
            ": found t of type real in the candle 'AAPL 1m 1460727060000.5'; wanted integer; "
            + AGAIN,
        ),
        (
            changed(h=float("inf")),
            f"{PLACE}, candle 2: found high inf; wanted a finite number; {CORRECT}",
        ),
        (
            changed(l=11.0),
            f"{PLACE}, candle 2: found high 10.5 under low 11.0; wanted high at or over low; "
            + CORRECT,
        ),
        (
            changed(t=FINE[0][2]),
            (
                f"{PLACE}, candle 2: found ts_utc 2016-04-15T13:30:00Z again, as in candle 1; "
                "wanted each time once; remove the wrong one"
            ),
        ),
        (
            changed(t=FINE[1][2] + 30_000),
            f"{PLACE}, candle 2: found ts_utc 2016-04-15T13:31:30Z; wanted a whole minute; "
            + CORRECT,
        ),
        (
            [candle(0), candle(5), candle(10), candle(12)],
            (
                f"{PLACE}, candle 4: found ts_utc 2016-04-15T13:42:00Z, which is not on the grid "
                f"of 5 minutes that the other rows are on; wanted whole intervals; {CORRECT}"
            ),
        ),
        (
            [candle(0), candle(5), candle(10)],
            (
                f"{PLACE}: found bars of 5 minutes, the most frequent step between candles; wanted "
                "what interval says, in whole minutes (15m), hours (4h) or one day (1d); "
                "correct the table"
            ),
        ),
        (
            [candle(0, interval="1M"), candle(1, interval="1M")],
            (
                ", 'AAPL' of '1M': found bars of 1 minutes, the most frequent step between "
                "candles; wanted what interval says, in whole minutes (15m), hours (4h) or one "
                "day (1d); correct the table"
            ),
        ),
        (
            [candle(0)],
            (
                f"{PLACE}: found one row; wanted two or more, to know the length of a bar; "
                "fetch or export the file again"
            ),
        ),
        (
            [candle(0, "BTCUSD"), candle(0, "BTCUSDT"), candle(1, "BTCUSDT")],
            (
                ": found 'BTCUSD' and 'BTCUSDT', which are both BTC/USD; wanted each market once; "
                "take one of them out of a copy"
            ),
        ),
    ],
)
def test_a_wrong_candle_is_told_with_its_place_and_remedy(
    tmp_path: Path, candles: Iterable[Candle], said: str
) -> None:
    path = database(tmp_path, candles)

    assert refusal_of(path) == f"{path}{said}"


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (1_460_727_000, 1_460_727_060),  # seconds
        (1_460_727_000_000_000, 1_460_727_060_000_000),  # microseconds
        (1_460_727_000_000, 1_460_727_060_000_000_000),  # both
        (-60_000, 0),
        (99_999_960_000, 100_000_020_000),  # 1973-03-03, a minute too early
        (9_214_646_340_000, 9_214_646_400_000),  # 2262
    ],
)
def test_times_that_might_be_of_another_unit_are_refused(
    tmp_path: Path, first: int, last: int
) -> None:
    candles = [(*candle(0)[:2], t, *candle(0)[3:]) for t in (first, last)]
    path = database(tmp_path, candles)

    assert refusal_of(path) == (
        f"{path}: found t from {first} to {last}; wanted all in milliseconds or all in "
        "nanoseconds since 1970, from 1973-03-03T09:46:40Z to 2261; convert the column"
    )


@given(
    minute=st.integers(10**8 // 60 + 1, 9_214_646_400 // 60 - 2),
    digits=st.sampled_from([0, 3, 6, 9]),
)
def test_a_time_is_read_as_milliseconds_or_nanoseconds_and_never_as_the_other(
    tmp_path_factory: pytest.TempPathFactory, minute: int, digits: int
) -> None:
    times = [(minute + later) * 60 * 10**digits for later in (0, 1)]
    candles = [(*candle(0)[:2], t, *candle(0)[3:]) for t in times]
    path = database(tmp_path_factory.mktemp("candles"), candles)

    if digits in (3, 9):
        ((first, _),) = read_candles(path).values()
        assert first.start_at == minute * MINUTE
    else:
        assert "convert the column" in refusal_of(path)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda path: path / "none.db",
            ": found no such file; wanted a file of bars; check the path",
        ),
        (
            lambda path: path,
            ": found a directory; wanted one file of bars; name a file in it",
        ),
        (
            lambda path: write(path / "text.db", b"symbol,interval,t\n" * 100),
            (
                ": found a damaged database, or none (file is not a database); "
                "wanted a whole SQLite file; take another file"
            ),
        ),
        (
            lambda path: write(path / "empty.db", b""),
            (
                ": found no table candles; wanted candles(symbol, interval, t, o, h, l, c, v); "
                "take another file"
            ),
        ),
        (
            lambda path: database(path, [("AAPL", 1.0)], "symbol TEXT, o REAL"),
            (
                ": found a table candles without interval, t, h, l, c, v; "
                "wanted candles(symbol, interval, t, o, h, l, c, v); take another file"
            ),
        ),
    ],
)
def test_what_is_no_candle_database_is_refused(
    tmp_path: Path, make: Callable[[Path], Path], said: str
) -> None:
    path = make(tmp_path)

    assert refusal_of(path) == f"{path}{said}"


def test_a_database_that_is_damaged_is_refused_whatever_was_hit(tmp_path: Path) -> None:
    candles = [candle(minute) for minute in range(2_000)]
    whole = database(tmp_path, candles, KEYED).read_bytes()

    for page in range(1, len(whole) // 4096):
        hit = bytearray(whole)
        hit[page * 4096 : page * 4096 + 8] = b"\xff" * 8
        refusal = refusal_of(write(tmp_path / "hit.db", bytes(hit)))
        assert "found a damaged database" in refusal


def test_an_index_that_lacks_a_candle_is_found(tmp_path: Path) -> None:
    path = database(tmp_path)
    connection = apsw.Connection(str(path))
    connection.execute("""
        CREATE TABLE others AS SELECT * FROM candles;
        CREATE INDEX own ON others (symbol, interval, t);
        DELETE FROM others WHERE rowid = 2;
        PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET tbl_name = 'candles', sql = replace(sql, 'others', 'candles')
            WHERE name = 'own';
    """)
    connection.close()

    refusal = refusal_of(path)

    assert refusal.startswith(f"{path}: found a damaged database, or none (")
    assert "index own" in refusal


def test_a_database_that_is_being_written_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = database(tmp_path)
    writer = apsw.Connection(str(path))
    writer.pragma("journal_mode", "wal")
    writer.execute("UPDATE candles SET c = 10.3")

    refusal = refusal_of(path)
    writer.close()

    assert refusal == (
        f"{path}: found candles.db-wal beside it, so a program writes to it or was ended while it "
        "did; wanted a database at rest; make a copy with sqlite3 FILE \"VACUUM INTO 'copy.db'\" "
        "and use that"
    )
    content = path.read_bytes()
    (bars,) = read_candles(path).values()
    assert {each.close for each in bars} == {10.3}
    assert ([each.name for each in tmp_path.iterdir()], path.read_bytes()) == (
        ["candles.db"],
        content,
    )


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("1m", 1), ("15m", 15), ("4h", 240), ("1d", 1440), ("24h", 1440), ("1440m", 1440),
     ("2d", None), ("0m", None), ("1w", None), ("1M", None), ("m", None), ("1.5h", None),
     ("", None)],
)  # fmt: skip
def test_an_interval_is_called_by_minutes_hours_or_one_day(text: str, minutes: int | None) -> None:
    assert interval_named(text) == (None if minutes is None else minutes * MINUTE)
