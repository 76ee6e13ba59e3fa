"""Files of bars: what is accepted is finite, positive, in order, and what stands in the file."""

import contextlib
import csv as csv_module
import gzip
import io
import random
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Any

import apsw

from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.venues.bar_files import read_bars, read_candles, symbol_named
from hydra.venues.bar_rows import BadData
from hydra.venues.bar_series import SESSIONS
from tests.fuzz.spoiling import spoilt_bytes, spoilt_fields
from tests.fuzz.target import Target, Verdict, require, require_one_line

HEADER = "ts_utc,open,high,low,close,volume"
START = datetime(2016, 4, 15, 13, 30, tzinfo=UTC)
TIMES = [START + timedelta(minutes=minute) for minute in (0, 1, 2, 4, 5)]
ROWS = [(10.0, 10.5, 9.5, 10.25, 300.0), (10.25, 10.5, 10.0, 10.1, 0.0)] * 2 + [(1, 2, 1, 2, 3)]


def _text(*, sessions: bool = False, end: str = "\n") -> bytes:
    lines = [HEADER + (",session" if sessions else "")]
    for number, (at, row) in enumerate(zip(TIMES, ROWS, strict=True)):
        fields = [f"{at:%Y-%m-%dT%H:%M:%SZ}", *map(str, row)]
        lines.append(",".join([*fields, SESSIONS[number % 3]] if sessions else fields))
    return (end.join(lines) + end).encode()


ODD_FIELDS = (
    *(
        "nan",
        "inf",
        "-inf",
        "1e309",
        "1e-400",
        "-0",
        "0",
        "",
        " 1",
        "1_0",
        "0x1",
        "1.5.2",
        "\u0661",
    ),
    *("2016-04-15T13:30:00Z", "2016-04-15T13:30:30Z", "2016-04-15 13:30", "2016-04-15T13:30:00"),
    *("9999-12-31T23:59:00Z", "1969-12-31T23:59:00Z", "2016-04-15T09:30:00-04:00", "2016-02-30"),
    *("0001-01-01T00:00:00+23:59", "2016-04-15T13:30:00-24:00", "2261-12-31T23:59:00-23:59"),
    *("pre", "post", "regular", "night", '"10.5"', '"a\nb"', '"', "ts_utc"),
)
spoilt_table = partial(spoilt_fields, odd=ODD_FIELDS)
TEXT_SEEDS = (_text(), _text(sessions=True), _text(end="\r\n"), b"\xef\xbb\xbf" + _text())


@contextmanager
def csv(folder: Path) -> Iterator[Target]:
    """A file of text."""
    path = folder / "AAPL_1m.csv"

    def feed(data: bytes) -> Verdict:
        path.write_bytes(data)
        bars = read(path)
        if bars is None:
            return Verdict.REFUSED
        text = data.decode().removeprefix("\ufeff")
        rows = list(csv_module.reader(io.StringIO(text, newline=""), strict=True))[1:]
        _require_as_written(bars, [_numbers(row[:6]) for row in rows])
        return Verdict.ACCEPTED

    yield Target(name="csv", feed=feed, seeds=TEXT_SEEDS, spoil=spoilt_table)


@contextmanager
def csv_gz(folder: Path) -> Iterator[Target]:
    """The same, compressed. Of a small file that unfolds into a huge one nothing may be kept."""
    path = folder / "AAPL_1m.csv.gz"

    def feed(data: bytes) -> Verdict:
        path.write_bytes(data)
        return Verdict.REFUSED if read(path) is None else Verdict.ACCEPTED

    seeds = tuple(gzip.compress(each, mtime=0) for each in TEXT_SEEDS)
    yield Target(name="csv_gz", feed=feed, seeds=seeds, spoil=_spoilt_gz)


@contextmanager
def candles(folder: Path) -> Iterator[Target]:
    """A database with a table of them."""
    path = folder / "candles.db"

    def feed(data: bytes) -> Verdict:
        path.write_bytes(data)
        try:
            found = read_candles(path)
        except BadData as bad:
            require_one_line(bad)
            return Verdict.REFUSED
        for name, bars in found.items():
            _require_sound(bars, symbol_named(name.symbol))
        return Verdict.ACCEPTED

    seeds = (_database(()), _database(("UPDATE candles SET t = t * 1000000",)))
    yield Target(name="candles", feed=feed, seeds=seeds, spoil=_spoilt_database)


def read(path: Path) -> tuple[Bar, ...] | None:
    """The bars; None: refused, in one line."""
    try:
        bars = read_bars(path, "AAPL", SESSIONS)
    except BadData as bad:
        require_one_line(bad)
        return None
    _require_sound(bars, "AAPL")
    return bars


def _require_sound(bars: tuple[Bar, ...], symbol: str) -> None:
    require(bool(bars), "no bars, and no word of it")
    lengths = {bar.end_at - bar.start_at for bar in bars}
    require(len(lengths) == 1 and lengths.pop() % MINUTE == 0, "bars of several lengths")
    for bar in bars:
        inner = 0 < bar.low <= min(bar.open, bar.close)
        require(inner and max(bar.open, bar.close) <= bar.high < inf, f"an odd bar: {bar}")
        require(0 <= bar.volume < inf and bar.symbol == symbol, f"an odd bar: {bar}")
        require(bar.start_at % MINUTE == 0, f"not on the minute: {bar}")
    for one, other in pairwise(bars):
        require(one.end_at <= other.start_at, f"one over another: {one}, {other}")


def _require_as_written(bars: tuple[Bar, ...], rows: list[tuple[Any, ...]]) -> None:
    told = [(b.start_at, b.open, b.high, b.low, b.close, b.volume) for b in bars]
    require(told == rows, f"{told} of the rows {rows}"[:500])


def _numbers(row: list[str]) -> tuple[Any, ...]:
    at = datetime.fromisoformat(row[0]) - datetime(1970, 1, 1, tzinfo=UTC)
    return at // timedelta(microseconds=1) * 1_000, *map(float, row[1:])


def _spoilt_gz(data: bytes, dice: random.Random) -> bytes:
    match dice.randrange(4):
        case 0:
            return spoilt_bytes(data, dice)
        case 1:
            return data + dice.choice((data, b"\0", b"x"))
        case _:
            text = b""
            with contextlib.suppress(OSError, EOFError, zlib.error):
                text = gzip.decompress(data)
            return gzip.compress(spoilt_table(text[:20_000], dice), mtime=0)


SCHEMA = "symbol, interval, t, o, h, l, c, v"
STATEMENTS = (
    "UPDATE candles SET {column} = {value} WHERE rowid = {row}",
    "UPDATE candles SET {column} = {value}",
    "INSERT INTO candles SELECT * FROM candles WHERE rowid = {row}",
    "DELETE FROM candles WHERE rowid = {row}",
    "DELETE FROM candles",
    "ALTER TABLE candles RENAME COLUMN {column} TO other",
    "ALTER TABLE candles RENAME TO other",
    "CREATE VIEW more AS SELECT * FROM candles",
    "UPDATE candles SET {column} = CAST({column} AS BLOB) WHERE rowid = {row}",
    "UPDATE candles SET {column} = CAST({column} AS TEXT) WHERE rowid = {row}",
    "CREATE TABLE candles2 AS SELECT * FROM candles",
)
SQL_VALUES = (
    *("NULL", "0", "-1", "1e999", "-1e999", "9223372036854775807", "-9223372036854775808"),
    *("x'ff'", "CAST(x'ff' AS TEXT)", "''", "'1m'", "'0m'", "'2d'", "'9999m'", "'1M'", "'BTCUSDT'"),
    *("'BTC/USD'", "char(10)", "char(27)", "char(0)", "'AAPL'", "1460727000000", "t + 60000", "o"),
    *("1460727000000000000", "99999999999999999", "t * 1000", "'10'", "1e-320", "h + 1"),
)


def _database(statements: tuple[str, ...], base: bytes | None = None) -> bytes:
    connection = apsw.Connection(":memory:")
    try:
        if base is None:
            connection.execute("PRAGMA page_size = 512")
            connection.execute(f"CREATE TABLE candles ({SCHEMA})")
            for at, row in zip(TIMES, ROWS, strict=True):
                values = ("AAPL", "1m", int(at.timestamp() * 1000), *map(float, row))
                connection.execute("INSERT INTO candles VALUES (?,?,?,?,?,?,?,?)", values)
        else:
            connection.deserialize("main", base)
        for statement in statements:
            connection.execute(statement)
        return bytes(connection.serialize("main"))
    finally:
        connection.close()


def _spoilt_database(data: bytes, dice: random.Random) -> bytes:
    if dice.random() < 0.4:
        return spoilt_bytes(data, dice)
    statements = tuple(
        dice.choice(STATEMENTS).format(
            column=dice.choice(SCHEMA.split(", ")),
            value=dice.choice(SQL_VALUES),
            row=dice.randint(1, 5),
        )
        for _ in range(dice.choice((1, 1, 2, 3)))
    )
    with contextlib.suppress(apsw.Error):
        return _database(statements, data)
    return spoilt_bytes(data, dice)
