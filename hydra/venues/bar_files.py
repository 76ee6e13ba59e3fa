"""Bars from files: read whole and checked whole, or refused with one line that says where.

A file has the columns `ts_utc,open,high,low,close,volume` and, if it likes, `session`. `ts_utc`
is the start of the bar, ISO 8601 with Z or an offset, on a whole minute; rows are in the order of
time. Nothing is repaired: whoever trades on mended bars trades on a market that never was.
"""

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from operator import sub
from pathlib import Path

from hydra.trading.bar_checks import fault_in
from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.venues.bar_rows import (
    COLUMNS,
    SESSION_COLUMN,
    BadData,
    Row,
    shown,
    shown_time,
    start_of,
    wanted_columns,
)
from hydra.venues.parquet_rows import parquet_rows

SESSIONS = ("pre", "regular", "post")
REGULAR_ONLY = ("regular",)
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
    try:
        if path.is_dir():
            raise BadData(f"{path}: found a directory; wanted one file of bars; name a file in it")
        if path.exists() and not path.is_file():
            raise BadData(f"{path}: found no ordinary file; wanted a file of bars; name one")
        unit, read = ("row", parquet_rows) if path.suffix == ".parquet" else ("line", _csv_rows)
        rows = _in_order(path, unit, read(path))
    except FileNotFoundError:
        raise BadData(
            f"{path}: found no such file; wanted a file of bars; check the path"
        ) from None
    except OSError as error:
        raise BadData(
            f"{path}: found a file that cannot be read ({error.strerror or error}); "
            "wanted to read it; check the file and its permissions"
        ) from error
    interval = _interval_of(path, unit, rows)
    kept = [row for row in rows if row[7] is None or row[7] in sessions]
    if not kept:
        raise BadData(
            f"{path}: found no rows of session {' or '.join(sessions)}; wanted some; "
            "take another file or other sessions"
        )
    return tuple(
        [
            Bar(symbol, start_at, start_at + interval, open_price, high, low, close, volume)
            for _, start_at, open_price, high, low, close, volume, _ in kept
        ]
    )


def symbol_of(path: Path) -> str:
    """The file's name up to its first underscore, or without its ending; a coin's with its slash.

    BTCUSD and BTCUSDT are both BTC/USD. No share has so long a name: from six letters on, what
    ends in the dollar is a pair.
    """
    # Symbols have points too (BRK.B), so only the known endings are taken off.
    ending = next((ending for ending in _ENDINGS if path.name.endswith(ending)), path.suffix)
    word = path.name.removesuffix(ending).partition("_")[0]
    pair = _PAIR.fullmatch(word)
    return word if pair is None else f"{pair[1]}/USD"


def _csv_rows(path: Path) -> Iterator[Row]:
    """Every row, numbered by its line; only the shape and the types are checked here."""
    text = _text_of(path)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    midnights: dict[str, int] = {}
    try:
        header = next(reader, [])
        _check_header(path, header)
        _refuse_strange_characters(path, text)
        width = len(header)
        for fields in reader:
            if len(fields) != width:
                raise _bad_width(path, reader.line_num, fields, width)
            try:
                start_at = start_of(fields[0], midnights)
            except ValueError as fault:
                raise _bad_line(path, reader.line_num, str(fault)) from None
            try:
                open_price, high, low, close, volume = map(float, fields[1:6])
            except ValueError:
                raise _bad_line(path, reader.line_num, _fault_in_numbers(fields)) from None
            session = fields[6] if width > 6 else None
            yield reader.line_num, start_at, open_price, high, low, close, volume, session
    except csv.Error as error:
        raise _bad_line(
            path, reader.line_num, f"found a line that is not CSV ({error}); wanted plain fields"
        ) from error


def _text_of(path: Path) -> str:
    """The whole file as text, without a byte order mark."""
    data = path.read_bytes()
    if path.name.endswith(".csv.gz"):
        data = _unzipped(path, data)
    elif not path.name.endswith(".csv"):
        raise BadData(
            f"{path}: found a file of another kind; wanted .csv, .csv.gz or .parquet; "
            "convert or rename it"
        )
    if not data.strip():
        raise BadData(f"{path}: found an empty file; wanted a header and rows; {_AGAIN}")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadData(
            f"{path}, line {line}: found byte 0x{data[error.start]:02x}, which is not UTF-8; "
            f"wanted UTF-8 text; {_AGAIN}"
        ) from None
    return text.removeprefix("\ufeff")


def _unzipped(path: Path, data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except EOFError:
        fault = "gzip data that is cut off"
    except (zlib.error, gzip.BadGzipFile):
        fault = "damaged gzip data"
    raise BadData(f"{path}: found {fault}; wanted a whole gzip file; {_AGAIN}")


def _refuse_strange_characters(path: Path, text: str) -> None:
    """Python reads "1_000" and the digits of every script as numbers; no bar file means them.

    Looked for at once, because a closer look at each field would take longer than reading it.
    """
    without_underscore = text.replace(COLUMNS[0], "", 1)
    if not without_underscore.encode().translate(None, _PLAIN):
        return
    plain = _PLAIN.decode()
    number, character = next(
        (number, character)
        for number, line in enumerate(without_underscore.split("\n"), start=1)
        for character in line
        if character not in plain
    )
    raise _bad_line(
        path, number, f"found the character {character!a}; wanted plain numbers, times and words"
    )


def _check_header(path: Path, header: list[str]) -> None:
    if tuple(header) not in (COLUMNS, (*COLUMNS, SESSION_COLUMN)):
        raise BadData(
            f"{path}, line 1: found columns {shown(','.join(header))}; "
            f"wanted {wanted_columns()}; rename or reorder the columns"
        )


def _bad_width(path: Path, line: int, fields: list[str], width: int) -> BadData:
    if not fields:
        return _bad_line(path, line, f"found an empty line; wanted {width} fields")
    return _bad_line(path, line, f"found {len(fields)} fields; wanted {width}")


def _fault_in_numbers(fields: list[str]) -> str:
    for name, text in zip(COLUMNS[1:], fields[1:], strict=False):
        try:
            float(text)
        except ValueError:
            return f"found {name} {shown(text)}; wanted a number"
    raise AssertionError("asked for a fault in numbers that have none")


def _bad_line(path: Path, line: int, fault: str) -> BadData:
    return BadData(f"{path}, line {line}: {fault}; {_CORRECT}")


def _in_order(path: Path, unit: str, rows: Iterable[Row]) -> list[Row]:
    """All rows, each checked by itself and against the one before it."""
    checked: list[Row] = []
    before = _BEFORE_ALL_TIME
    for row in rows:
        number, start_at, open_price, high, low, close, volume, session = row
        fault = fault_in(open_price, high, low, close, volume)
        if fault is not None:
            raise BadData(f"{path}, {unit} {number}: {fault}; {_CORRECT}")
        if session is not None and session not in SESSIONS:
            raise BadData(
                f"{path}, {unit} {number}: found session {shown(session)}; "
                f"wanted {', '.join(SESSIONS)}; {_CORRECT}"
            )
        if start_at % MINUTE:
            raise BadData(
                f"{path}, {unit} {number}: found ts_utc {shown_time(start_at)}; "
                f"wanted a whole minute; {_CORRECT}"
            )
        if start_at <= before:
            raise _not_rising(path, unit, row, checked[-1])
        before = start_at
        checked.append(row)
    if not checked:
        raise BadData(f"{path}: found a header and no rows; wanted rows; {_AGAIN}")
    return checked


def _not_rising(path: Path, unit: str, row: Row, before: Row) -> BadData:
    place, time, time_before = f"{path}, {unit} {row[0]}", shown_time(row[1]), shown_time(before[1])
    if row[1] == before[1]:
        return BadData(
            f"{place}: found ts_utc {time} again, as in {unit} {before[0]}; "
            "wanted each time once; remove the wrong one"
        )
    return BadData(
        f"{place}: found ts_utc {time}, a step back from {time_before}; "
        "wanted rising times; take a file that is in order, or find out why this one is not"
    )


def _interval_of(path: Path, unit: str, rows: list[Row]) -> int:
    """The length of the bars: the most frequent step between rows, and the smallest of several.

    Rows may be missing, but none may lie between two places of that grid.
    """
    starts = [row[1] for row in rows]
    steps = Counter(map(sub, starts[1:], starts))
    if not steps:
        raise BadData(
            f"{path}: found one row; wanted two or more, to know the length of a bar; {_AGAIN}"
        )
    interval: int = max(steps, key=lambda step: (steps[step], -step))
    if interval > _INTERVAL_MAX:
        raise BadData(
            f"{path}: found bars of {interval // MINUTE} minutes; "
            f"wanted 1 to {_INTERVAL_MAX // MINUTE}, the most frequent step between rows; "
            "take a file without so many holes"
        )
    offsets = Counter(start_at % interval for start_at in starts)
    usual = max(offsets, key=lambda offset: (offsets[offset], -offset))
    for row in rows:
        if row[1] % interval != usual:
            raise BadData(
                f"{path}, {unit} {row[0]}: found ts_utc {shown_time(row[1])}, "
                f"which is not on the grid of {interval // MINUTE} minutes that the other rows "
                f"are on; wanted whole intervals; {_CORRECT}"
            )
    return interval


_AGAIN = "fetch or export the file again"
_CORRECT = "correct the file or fetch it again"
_ENDINGS = (".csv.gz", ".csv", ".parquet")
_PLAIN = b'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.,:+- "\r\n'
_BEFORE_ALL_TIME = -(2**63)
_PAIR = re.compile(rf"([A-Z0-9]{{3,10}})(?:{COUNTS_AS_USD}|USD)", re.ASCII)
_INTERVAL_MAX = 24 * 60 * MINUTE
