"""The rows of a candle database: one SQLite file with many symbols and lengths of bars.

```sql
CREATE TABLE candles (
    symbol   TEXT    NOT NULL,  -- AAPL, BTC/USD; BTCUSD and BTCUSDT are read as BTC/USD
    interval TEXT    NOT NULL,  -- 1m, 5m, 1h, 1d: whole minutes, hours, or one day
    t        INTEGER NOT NULL,  -- start of the bar, UTC: milliseconds or nanoseconds since 1970
    o REAL NOT NULL, h REAL NOT NULL, l REAL NOT NULL, c REAL NOT NULL, v REAL NOT NULL,
    PRIMARY KEY (symbol, interval, t)
)
```

Other columns and tables are not looked at, and the key need not be declared. All of a table is in
milliseconds or all of it in nanoseconds; which, is seen from the size of the numbers. From
1973-03-03T09:46:40Z to the end of 2261 no instant in one of them could be one in the other, nor one
in seconds or microseconds; anything else is refused. Prices and volumes are real or integer values,
never text. A candle is read as one that is closed.

The file must be at rest: while a program writes to it, part of it is in a log beside it, and no
digest names what was read.
"""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
import msgspec

from hydra.trading.durations import DAY, HOUR, MILLISECOND, MINUTE
from hydra.venues.bar_rows import BadData, Columns, in_blocks, shown
from hydra.venues.one_line import one_line


class SeriesName(msgspec.Struct, frozen=True, order=True):
    """What the database calls a symbol and a length of bars."""

    symbol: str
    interval: str


class CandleDatabase:
    """A candle database that is open for reading, its types looked at. Raises `BadData`."""

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self._path = path
        self._connection = connection
        self._require_the_table()
        self._refuse_wrong_types()
        self._ns_per_unit = self._unit()

    def series(self) -> tuple[SeriesName, ...]:
        """Every symbol with every length of its bars, in order."""
        rows = self._connection.execute("SELECT DISTINCT symbol, interval FROM candles")
        return tuple(sorted(SeriesName(symbol, interval) for symbol, interval in rows))

    def columns(self, name: SeriesName) -> Columns:
        """All rows of a series in the order of time, numbered from 1."""
        rows = self._connection.execute(
            "SELECT t, CAST(o AS REAL), CAST(h AS REAL), CAST(l AS REAL), CAST(c AS REAL),"
            " CAST(v AS REAL) FROM candles WHERE symbol = ? AND interval = ? ORDER BY t",
            (name.symbol, name.interval),
        )
        times: list[int] = []
        numbers: tuple[list[float], ...] = ([], [], [], [], [])
        for block in in_blocks(rows):
            of_block, *values = zip(*block, strict=True)
            times += of_block
            for column, found in zip(numbers, values, strict=True):
                column.extend(found)
        opens, highs, lows, closes, volumes = numbers
        return Columns(
            numbers=range(1, len(times) + 1),
            starts=[time * self._ns_per_unit for time in times],
            opens=opens,
            highs=highs,
            lows=lows,
            closes=closes,
            volumes=volumes,
        )

    def _require_the_table(self) -> None:
        found = {name.lower() for (name,) in self._connection.execute(_NAMES_OF_COLUMNS)}
        if not found:
            raise BadData(f"{self._path}: found no table candles; wanted {_SCHEMA}; {_ANOTHER}")
        if not found.issuperset(_COLUMNS):
            missing = ", ".join(name for name in _COLUMNS if name not in found)
            raise BadData(
                f"{self._path}: found a table candles without {missing}; wanted {_SCHEMA}; "
                f"{_ANOTHER}"
            )

    def _refuse_wrong_types(self) -> None:
        for *types, told in self._connection.execute(_WRONG_TYPES):
            name, wanted, found = next(
                (name, wanted, found)
                for (name, wanted), found in zip(_COLUMNS.items(), types, strict=True)
                if found not in wanted
            )
            raise BadData(
                f"{self._path}: found {name} of type {found} in the candle {shown(told)}; "
                f"wanted {' or '.join(wanted)}; write the table again from its source"
            )

    def _unit(self) -> int:
        """How many nanoseconds one of `t` is."""
        ((first, last),) = self._connection.execute("SELECT min(t), max(t) FROM candles")
        if first is None:
            raise BadData(f"{self._path}: found no candles; wanted some; {_ANOTHER}")
        for ns_per_unit in (MILLISECOND, 1):
            if first * ns_per_unit >= _EARLIEST and last * ns_per_unit < _LATEST:
                return ns_per_unit
        raise BadData(
            f"{self._path}: found t from {first} to {last}; wanted all in milliseconds or all in "
            "nanoseconds since 1970, from 1973-03-03T09:46:40Z to 2261; convert the column"
        )


@contextmanager
def candle_database(path: Path) -> Iterator[CandleDatabase]:
    """The database for as long as the block; nothing is written, not even beside it.

    Whatever is wrong with the file becomes `BadData`; `OSError` where it cannot be read.
    """
    _require_rest(path)
    file = f"{path.absolute().as_uri()}?immutable=1"
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    try:
        with closing(apsw.Connection(file, flags=flags)) as connection:
            faults = [told for (told,) in connection.execute("PRAGMA integrity_check(1)")]
            if faults != ["ok"]:
                raise _damaged(path, str(faults[0]))
            yield CandleDatabase(path, connection)
    except (apsw.Error, UnicodeDecodeError) as error:
        raise _damaged(path, str(error)) from error


def interval_named(text: str) -> int | None:
    """The length in ns of what is called 1m, 15m, 4h or 1d; None: it is no such name."""
    found = _INTERVAL.fullmatch(text)
    if found is None:
        return None
    interval = int(found[1]) * _UNITS[found[2]]
    return interval if interval <= DAY else None


def _require_rest(path: Path) -> None:
    with path.open("rb"):  # SQLite's words for a file that is not there, or is not ours, are vaguer
        pass
    for ending in ("-wal", "-journal"):
        beside = path.with_name(path.name + ending)
        if beside.exists() and beside.stat().st_size:
            raise BadData(
                f"{path}: found {beside.name} beside it, so a program writes to it or was ended "
                "while it did; wanted a database at rest; make a copy with "
                "sqlite3 FILE \"VACUUM INTO 'copy.db'\" and use that"
            )


def _damaged(path: Path, fault: str) -> BadData:
    return BadData(
        f"{path}: found a damaged database, or none ({one_line(fault)}); "
        f"wanted a whole SQLite file; {_ANOTHER}"
    )


_NUMBER = ("real", "integer")
_COLUMNS = {
    "symbol": ("text",),
    "interval": ("text",),
    "t": ("integer",),
    "o": _NUMBER,
    "h": _NUMBER,
    "l": _NUMBER,
    "c": _NUMBER,
    "v": _NUMBER,
}
_WRONG_TYPES = """
    SELECT
        typeof(symbol), typeof(interval), typeof(t),
        typeof(o), typeof(h), typeof(l), typeof(c), typeof(v),
        coalesce(symbol, '') || ' ' || coalesce(interval, '') || ' ' || coalesce(t, '')
    FROM candles
    WHERE typeof(symbol) <> 'text' OR typeof(interval) <> 'text' OR typeof(t) <> 'integer'
        OR typeof(o) NOT IN ('real', 'integer') OR typeof(h) NOT IN ('real', 'integer')
        OR typeof(l) NOT IN ('real', 'integer') OR typeof(c) NOT IN ('real', 'integer')
        OR typeof(v) NOT IN ('real', 'integer')
    LIMIT 1
"""
_NAMES_OF_COLUMNS = (
    "SELECT columns.name FROM sqlite_schema JOIN pragma_table_info('candles') AS columns"
    " WHERE sqlite_schema.name = 'candles' AND sqlite_schema.type = 'table'"
)
_SCHEMA = f"candles({', '.join(_COLUMNS)})"
_ANOTHER = "take another file"
_INTERVAL = re.compile(r"([1-9][0-9]{0,3})([mhd])", re.ASCII)
_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY}
_EARLIEST = 10**17
_LATEST = 9_214_646_400 * 10**9
"""2262-01-01, as the other files of bars have it."""
