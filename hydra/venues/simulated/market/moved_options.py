"""The options of a manifest: a file's contracts and volatilities, for a share of this market.

From a file of end-of-day quotes the contracts are taken, what volatility their prices implied, and
their open interest; not the prices, which belong to another price of the share. So that both fit
together:

- dates are moved by whole weeks. What the file says of a day is known from its close on, four in
  the afternoon in New York where the exchange is closed on the day to which it is moved.
- an expiration that is moved to a day without a session is on the session before it.
- strikes are scaled by one number, to the nearest cent: the price of the share at its first bar,
  divided by its price in the file on the newest day before that.

A row without a volatility says nothing. A contract keeps what the file last said of it, since such
files have not every contract on every day.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Protocol

import msgspec

from hydra.trading.bars import Bar
from hydra.trading.exact import plain
from hydra.trading.local_time import new_york_date
from hydra.trading.sessions import SessionTable
from hydra.venues.bar_rows import BadData
from hydra.venues.simulated.fill_model import as_written
from hydra.venues.simulated.market.chain_file import close_of
from hydra.venues.simulated.market.chain_rows import ChainDay, read_days
from hydra.venues.simulated.market.occ import NotAnOption, OccSymbol, parse


class Known(msgspec.Struct, frozen=True):
    """What is known of a contract from `at` (UTC ns) on: its volatility (0.3 is 30 % a year), and
    how many there are of it; None: the file does not say.
    """

    at: int
    volatility: float
    open_interest: int | None


class MovedContract(msgspec.Struct, frozen=True):
    """A contract by its OCC symbol in this market. `known` is not empty, and rises in time."""

    symbol: str
    known: tuple[Known, ...]

    def at(self, at: int) -> Known | None:
        """The newest that is known at `at`; None: it is not listed yet."""
        count = bisect_right(self.known, at, key=_since)
        return self.known[count - 1] if count else None


class MovedOptions(msgspec.Struct, frozen=True):
    """All contracts on one share that live in this market, by symbol. `told` is for people."""

    underlying: str
    contracts: tuple[MovedContract, ...]
    told: str


class ChainEntry(Protocol):
    """A line of the manifest. `place` says where it stands, for error messages."""

    @property
    def file(self) -> Path:
        """Of end-of-day quotes."""

    @property
    def symbol(self) -> str:
        """The share that the options are on."""

    @property
    def shift_weeks(self) -> int:
        """How many weeks later its dates become."""

    @property
    def place(self) -> str:
        """In the manifest."""


def moved_options(entry: ChainEntry, bars: Sequence[Bar], calendar: SessionTable) -> MovedOptions:
    """Read, moved and scaled for a market of these bars, in the order of time. Raises `BadData`.

    `calendar` reaches from before the bars to over a year after them.
    """
    own = [bar for bar in bars if bar.symbol == entry.symbol]
    if not own:
        raise BadData(
            f"{entry.place}: found options on {entry.symbol}, of which there are no bars; wanted "
            "a share that is under bars; correct the manifest"
        )
    days = read_days(entry.file)
    if days[0].underlying != entry.symbol:
        raise BadData(
            f"{entry.place}: found options on {days[0].underlying} in {entry.file.name}; "
            f"wanted options on {entry.symbol}; take another file"
        )
    seen_at = [close_of(_moved(entry, day.day), calendar) for day in days]
    before = bisect_right(seen_at, own[0].start_at)
    if not before:
        raise BadData(
            f"{_found(entry)}, quoted from {_moved(entry, days[0].day)} on; wanted a day of quotes "
            f"before the first bar, of {_day_of(own[0])}; {_ANOTHER_SHIFT}"
        )
    # Rounded before it is used, so that what is told is what is done.
    scale = float(f"{own[0].open / _price_of(days[before - 1]):.6g}")
    contracts = _contracts(entry, zip(seen_at, days, strict=True), scale, calendar)
    alive = tuple(
        contract
        for contract in contracts
        if contract.known[0].at < own[-1].end_at
        and close_of(parse(contract.symbol).expiration, calendar) > own[0].start_at
    )
    if not any(contract.at(own[0].start_at) for contract in alive):
        raise BadData(
            f"{_found(entry)}, of which none is listed on {_day_of(own[0])}, the day of the first "
            f"bar; wanted some; {_ANOTHER_SHIFT}"
        )
    shifted = f" SHIFTED by {entry.shift_weeks:+} weeks," if entry.shift_weeks else ""
    told = (
        f"options on {entry.symbol} priced by Black and Scholes with contracts and volatilities "
        f"of {entry.file.name},{shifted} strikes times {scale:g}"
    )
    return MovedOptions(entry.symbol, alive, told)


def _contracts(
    entry: ChainEntry, days: Iterator[tuple[int, ChainDay]], scale: float, calendar: SessionTable
) -> Iterator[MovedContract]:
    """All of the file, by their symbols in this market."""
    symbols: dict[str, str] = {}
    known: dict[str, list[Known]] = {}
    for at, day in days:
        for old, row in day.rows.items():
            if row.volatility <= 0.0:
                continue
            if old not in symbols:
                symbols[old] = _symbol(entry, old, scale, calendar)
                if symbols[old] in known:
                    raise BadData(
                        f"{_found(entry)}, where {old} and another one become {symbols[old]}; "
                        f"wanted contracts that stay apart; {_ANOTHER_SHIFT}"
                    )
                known[symbols[old]] = []
            interest = None if row.open_interest is None else int(row.open_interest)
            known[symbols[old]].append(Known(at, row.volatility, interest))
    return (MovedContract(symbol, tuple(rows)) for symbol, rows in sorted(known.items()))


def _symbol(entry: ChainEntry, old: str, scale: float, calendar: SessionTable) -> str:
    """What the contract is called with its expiration moved and its strike scaled."""
    occ = parse(old)
    strike = plain(as_written(round(float(occ.strike) * scale, 2)))
    expiration = _on_a_session(_moved(entry, occ.expiration), calendar)
    try:
        return str(OccSymbol(occ.root, expiration, occ.right, strike))
    except NotAnOption as error:
        raise BadData(f"{_found(entry)}, with {old}: {error}; {_ANOTHER_SHIFT}") from error


def _on_a_session(day: date, calendar: SessionTable) -> date:
    """The day, or the one of the session before it; beyond the calendar every day is one."""
    if not calendar.sessions[0].date <= day.isoformat() <= calendar.sessions[-1].date:
        return day
    while calendar.of_date(day.isoformat()) is None:
        day -= _ONE_DAY
    return day


def _moved(entry: ChainEntry, day: date) -> date:
    try:
        return day + timedelta(weeks=entry.shift_weeks)
    except OverflowError:
        raise BadData(f"{_found(entry)} out of the calendar; {_ANOTHER_SHIFT}") from None


def _price_of(day: ChainDay) -> float:
    """What the share cost at the day's close, which stands in each of its rows."""
    return next(iter(day.rows.values())).underlying_close


def _day_of(bar: Bar) -> str:
    return new_york_date(bar.start_at).isoformat()


def _found(entry: ChainEntry) -> str:
    return f"{entry.place}: found options on {entry.symbol} moved by {entry.shift_weeks:+} weeks"


def _since(known: Known) -> int:
    return known.at


_ANOTHER_SHIFT = "choose another shift_weeks"
_ONE_DAY = timedelta(days=1)
