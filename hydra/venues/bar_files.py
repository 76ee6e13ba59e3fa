"""Bars from files: read whole and checked whole, or refused with one line that says where.

A file has the columns `ts_utc,open,high,low,close,volume` and, if it likes, `session`. `ts_utc`
is the start of the bar, ISO 8601 with Z or an offset, on a whole minute; rows are in the order of
time. A candle database has the same in a table. Nothing is repaired: whoever trades on mended
bars trades on a market that never was.
"""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.venues.bar_rows import BadData, Columns, shown
from hydra.venues.bar_series import REGULAR_ONLY, SESSIONS, Series
from hydra.venues.candle_rows import SeriesName, candle_database, interval_named
from hydra.venues.csv_rows import csv_columns, csv_rows, csv_text
from hydra.venues.parquet_rows import parquet_columns

COUNTS_AS_USD = "USDT"
"""A coin that is meant to be worth a dollar; what is quoted in it is read as quoted in dollars."""


def read_bars(
    path: Path, symbol: str | None = None, sessions: tuple[str, ...] = REGULAR_ONLY
) -> tuple[Bar, ...]:
    """All bars of a `.csv`, `.csv.gz` or `.parquet` file, in the order of time.

    `symbol` is by default what `symbol_of` reads from the file's name. The length of the bars is
    the most frequent step between rows. `sessions` says which rows to keep where the file has a
    session column; all rows are checked, kept or not. Raises `BadData`.
    """
    if not sessions or not set(sessions) <= set(SESSIONS):
        raise ValueError(f"sessions are {sessions}, wanted one or more of {SESSIONS}")
    symbol = symbol_of(path) if symbol is None else symbol
    if not symbol:
        raise BadData(
            f"{path}: found no symbol; wanted a name such as AAPL_1m.csv.gz; "
            "rename the file or give the symbol"
        )
    with _file_of_bars(path):
        return _series_of(path).bars(symbol, sessions)


def read_candles(
    path: Path, symbols: Collection[str] = (), interval: str | None = None
) -> dict[SeriesName, tuple[Bar, ...]]:
    """The bars of a candle database (see `candle_rows`), each symbol under its name there.

    `symbols` are those to read of what there is; none given: all. `interval` is its name for the
    length of the bars, such as 5m; it may be left out where there is one. Raises `BadData`.
    """
    with _file_of_bars(path), candle_database(path) as database:
        chosen = _chosen(path, database.series(), symbols, interval)
        return {
            name: _candles(path, name, database.columns(name)).bars(symbol)
            for symbol, name in chosen.items()
        }


def symbol_of(path: Path) -> str:
    """The file's name up to its first underscore, or without its ending; a coin's with its slash.

    BTCUSD and BTCUSDT are both BTC/USD, by `symbol_named`.
    """
    # Symbols have points too (BRK.B), so only the known endings are taken off.
    ending = next((ending for ending in _ENDINGS if path.name.endswith(ending)), path.suffix)
    return symbol_named(path.name.removesuffix(ending).partition("_")[0])


def symbol_named(word: str) -> str:
    """The symbol by a name without slashes: of BTCUSD and BTCUSDT it is BTC/USD.

    No share has so long a name: from six letters on, what ends in the dollar is a pair.
    """
    pair = _PAIR.fullmatch(word)
    return word if pair is None else f"{pair[1]}/USD"


@contextmanager
def _file_of_bars(path: Path) -> Iterator[None]:
    """Says of a path that cannot be read why that is. Raises `BadData`."""
    try:
        if path.is_dir():
            raise BadData(f"{path}: found a directory; wanted one file of bars; name a file in it")
        if path.exists() and not path.is_file():
            raise BadData(f"{path}: found no ordinary file; wanted a file of bars; name one")
        yield
    except FileNotFoundError:
        raise BadData(
            f"{path}: found no such file; wanted a file of bars; check the path"
        ) from None
    except OSError as error:
        raise BadData(
            f"{path}: found a file that cannot be read ({error.strerror or error}); "
            "wanted to read it; check the file and its permissions"
        ) from error


def _series_of(path: Path) -> Series:
    if path.suffix == ".parquet":
        columns = parquet_columns(path)
        return Series(str(path), "row", columns, columns.rows)
    text = csv_text(path)
    return Series(str(path), "line", csv_columns(text), lambda: csv_rows(path, text))


def _chosen(
    path: Path, found: Collection[SeriesName], symbols: Collection[str], interval: str | None
) -> dict[str, SeriesName]:
    """The series to read, by our name for the symbol."""
    wanted = [name for name in found if not symbols or symbol_named(name.symbol) in symbols]
    intervals = sorted({name.interval for name in wanted})
    if interval is None and len(intervals) > 1:
        raise BadData(
            f"{path}: found bars of {', '.join(map(shown, intervals))}; wanted one length; "
            "give the interval"
        )
    if interval is not None and wanted and interval not in intervals:
        raise BadData(
            f"{path}: found bars of {', '.join(map(shown, intervals))}; wanted {shown(interval)}; "
            "give another interval, or take another file"
        )
    chosen: dict[str, SeriesName] = {}
    for name in wanted:
        if interval not in (None, name.interval):
            continue
        symbol = symbol_named(name.symbol)
        if symbol in chosen:
            raise BadData(
                f"{path}: found {shown(chosen[symbol].symbol)} and {shown(name.symbol)}, which are "
                f"both {symbol}; wanted each market once; take one of them out of a copy"
            )
        chosen[symbol] = name
    return chosen


def _candles(path: Path, name: SeriesName, columns: Columns) -> Series:
    place = f"{path}, {shown(name.symbol)} of {shown(name.interval)}"
    series = Series(place, "candle", columns, columns.rows)
    if series.interval != interval_named(name.interval):
        raise BadData(
            f"{place}: found bars of {series.interval // MINUTE} minutes, the most frequent step "
            "between candles; wanted what interval says, in whole minutes (15m), hours (4h) or "
            "one day (1d); correct the table"
        )
    return series


_ENDINGS = (".csv.gz", ".csv", ".parquet")
_PAIR = re.compile(rf"([A-Z0-9]{{3,10}})(?:{COUNTS_AS_USD}|USD)", re.ASCII)
