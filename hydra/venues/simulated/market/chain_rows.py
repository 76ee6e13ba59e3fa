"""Rows of a file of end-of-day option quotes: read whole and checked whole, or refused.

The file (`.csv`, `.csv.gz`) has at least the columns of `WANTED`; those of `TAKEN` are taken where
they are, others are passed over. An empty field is no value, which only `TAKEN` may lack. Rows of
one date stand together, and dates rise.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from math import isfinite
from pathlib import Path

import msgspec

from hydra.trading.exact import plain
from hydra.venues.bar_rows import BadData, shown
from hydra.venues.one_line import one_line
from hydra.venues.simulated.brokerage.contracts import Right
from hydra.venues.simulated.fill_model import as_written
from hydra.venues.simulated.market.occ import OccSymbol, parse

NUMBERS = ("underlying_close", "bid", "ask", "iv", "delta", "gamma")
WANTED = ("date", "underlying", "occ_symbol", "expiration", "right", "strike", *NUMBERS)
TAKEN = ("theta", "vega", "last", "open_interest")


class EndOfDay(msgspec.Struct, frozen=True, gc=False):
    """What a file says of one contract on one date. None: it does not say."""

    underlying_close: float
    bid: float
    ask: float
    volatility: float
    delta: float
    gamma: float
    theta: float | None = None
    vega: float | None = None
    last: float | None = None
    open_interest: float | None = None


class ChainDay(msgspec.Struct, frozen=True):
    """All rows of one date, by OCC symbol."""

    day: date
    underlying: str
    rows: Mapping[str, EndOfDay]


def read_days(path: Path) -> tuple[ChainDay, ...]:
    """All dates of the file, rising. Raises `BadData`."""
    reader = csv.DictReader(io.StringIO(_text_of(path), newline=""), strict=True)
    missing = [name for name in WANTED if name not in _header(path, reader)]
    if missing:
        raise BadData(
            f"{path}, line 1: found no column {missing[0]}; wanted {','.join(WANTED)}; "
            "take a file of option quotes"
        )
    days: list[ChainDay] = []
    rows: dict[str, EndOfDay] = {}
    for line, fields in _lines(path, reader):
        try:
            day, underlying, symbol = _described(fields)
            row = _row(fields)
            if not days or days[-1].day != day:
                if days and day < days[-1].day:
                    raise ValueError(f"found date {day} after {days[-1].day}; wanted rising dates")
                rows = {}
                days.append(ChainDay(day, underlying, rows))
            if underlying != days[0].underlying:
                raise ValueError(
                    f"found underlying {shown(underlying)}; wanted one, {days[0].underlying}"
                )
            if symbol in rows:
                raise ValueError(f"found {symbol} again on {day}; wanted it once")
        except ValueError as fault:
            raise BadData(f"{path}, line {line}: {one_line(fault)}; {_CORRECT}") from None
        rows[symbol] = row
    if not days:
        raise BadData(f"{path}: found a header and no rows; wanted rows; {_CORRECT}")
    return tuple(days)


def _header(path: Path, reader: "csv.DictReader[str]") -> Collection[str]:
    try:
        return reader.fieldnames or ()
    except csv.Error as error:
        raise BadData(
            f"{path}, line 1: found a line that is not CSV ({error}); "
            f"wanted plain fields; {_CORRECT}"
        ) from error


def _lines(path: Path, reader: "csv.DictReader[str]") -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        for fields in reader:
            if None in fields or None in fields.values():
                raise BadData(
                    f"{path}, line {reader.line_num}: found more or fewer fields than columns; "
                    f"wanted as many; {_CORRECT}"
                )
            yield reader.line_num, fields
    except csv.Error as error:
        raise BadData(
            f"{path}, line {reader.line_num}: found a line that is not CSV ({error}); "
            f"wanted plain fields; {_CORRECT}"
        ) from error


def _described(fields: Mapping[str, str]) -> tuple[date, str, str]:
    """Date, underlying and symbol of a row whose columns agree with its symbol."""
    symbol, underlying = fields["occ_symbol"], fields["underlying"]
    occ = parse(symbol)
    day = _date("date", fields)
    told = OccSymbol(
        occ.root,
        _date("expiration", fields),
        {"C": Right.CALL, "P": Right.PUT}.get(fields["right"], occ.right),
        plain(as_written(_number("strike", fields))),
    )
    if fields["right"] not in ("C", "P") or told != occ:
        raise ValueError(
            f"found {symbol} beside {fields['expiration']} {fields['right']} {fields['strike']}; "
            "wanted the same contract in both"
        )
    if not underlying or occ.expiration < day:
        raise ValueError(f"found {symbol} of {underlying or 'nothing'} on {day}; wanted it alive")
    return day, underlying, symbol


def _row(fields: Mapping[str, str]) -> EndOfDay:
    row = EndOfDay(
        *(_number(name, fields) for name in NUMBERS),
        *(_number(name, fields) if fields.get(name) else None for name in TAKEN),
    )
    if row.bid < 0.0 or row.ask < 0.0 or row.underlying_close <= 0.0:
        raise ValueError(
            f"found bid {row.bid}, ask {row.ask}, underlying_close {row.underlying_close}; "
            "wanted no quote under 0 and an underlying over it"
        )
    return row


def _number(name: str, fields: Mapping[str, str]) -> float:
    text = fields[name]
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise ValueError(f"found {name} {shown(text)}; wanted a number")
    return value


def _date(name: str, fields: Mapping[str, str]) -> date:
    text = fields[name]
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"found {name} {shown(text)}; wanted a date such as 2021-01-29") from None


def _text_of(path: Path) -> str:
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if path.name.endswith(".gz") else data).decode("utf-8")
    except FileNotFoundError:
        raise BadData(
            f"{path}: found no such file; wanted a file of option quotes; check the path"
        ) from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise BadData(
            f"{path}: found a file that cannot be read ({error}); "
            f"wanted UTF-8 text, gzipped or not; {_CORRECT}"
        ) from error


_CORRECT = "correct the file or fetch it again"
