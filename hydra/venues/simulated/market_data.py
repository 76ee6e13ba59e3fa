"""Which market the simulated venue plays: real bars of files, or a generated session."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import msgspec
from msgspec import structs

from hydra.trading.bars import Bar
from hydra.trading.coin_orders import CoinTerms
from hydra.trading.instruments import is_crypto
from hydra.trading.sessions import SessionTable, utc_date
from hydra.venues.bar_files import COUNTS_AS_USD, read_bars
from hydra.venues.bar_rows import BadData
from hydra.venues.market_sessions import exchange_sessions, sessions_of
from hydra.venues.simulated.generated import generated_session
from hydra.venues.simulated.market.manifest import read_manifest
from hydra.venues.simulated.market.moved_options import MovedOptions, moved_options

MANIFEST_ENDINGS = (".yaml", ".yml")

CALENDAR_DAYS_BEFORE = 14
CALENDAR_DAYS_AFTER = 400
"""How far the exchange's calendar reaches around the data: options expire up to a year later."""

GENERATED_DATE = "2026-01-05"
"""An ordinary Monday: the generated session is always this one, so that a seed is all it needs."""


class MarketData(msgspec.Struct, frozen=True, kw_only=True):
    """Bars ascending in time, the exchange's sessions around them, and where they come from."""

    bars: tuple[Bar, ...]
    sessions: SessionTable
    symbols: tuple[str, ...]
    origin: str
    """For people: a file's name, or that it is generated."""
    option_calendar: SessionTable | None = None
    """The exchange's sessions for as long as options of this market live; None: it has none."""
    moved_options: tuple[MovedOptions, ...] = ()
    """Chains with contracts and volatilities of files. Options on other shares are generated."""

    @property
    def begins_at(self) -> int:
        """Market time (UTC ns) of the first bar's start."""
        return self.bars[0].start_at

    @property
    def bar_interval(self) -> int:
        """How long a bar lasts, in market ns."""
        return self.bars[0].end_at - self.bars[0].start_at

    @property
    def coin_terms(self) -> Mapping[str, CoinTerms]:
        """The steps of its pairs: the venue's own (`COIN_PRICE_STEPS`), and billionths."""
        return {symbol: CoinTerms() for symbol in self.symbols if is_crypto(symbol)}

    @property
    def digest(self) -> str:
        """Names bars, sessions and options: two markets of one digest are one market."""
        options = (self.moved_options,) if self.moved_options else ()
        content = msgspec.msgpack.encode((self.bars, self.sessions, *options))
        return hashlib.blake2b(content, digest_size=16).hexdigest()


def with_options(data: MarketData, cache_dir: Path | None) -> MarketData:
    """The same market where options are traded as well: served, it makes chains for its shares."""
    return structs.replace(data, option_calendar=calendar_around(data.bars, cache_dir))


def calendar_around(bars: Sequence[Bar], cache_dir: Path | None) -> SessionTable:
    """The exchange's sessions from before these bars to over a year after them."""
    first = date.fromisoformat(utc_date(min(bar.start_at for bar in bars)))
    last = date.fromisoformat(utc_date(max(bar.end_at for bar in bars)))
    return exchange_sessions(
        (first - timedelta(days=CALENDAR_DAYS_BEFORE)).isoformat(),
        (last + timedelta(days=CALENDAR_DAYS_AFTER)).isoformat(),
        cache_dir,
    )


def from_path(path: Path, cache_dir: Path | None) -> MarketData:
    """The market of a manifest (`.yaml`, `.yml`) or of a bars file. Raises `BadData`."""
    read = from_manifest if path.suffix in MANIFEST_ENDINGS else from_file
    return read(path, cache_dir)


def from_manifest(path: Path, cache_dir: Path | None) -> MarketData:
    """The market of several files, some of them moved by whole weeks. Raises `BadData`.

    With a share among the symbols the sessions are its exchange's, else they are days.
    """
    read = read_manifest(path, cache_dir)
    bars, symbols = read.bars, read.symbols
    first, last = utc_date(min(bar.start_at for bar in bars)), utc_date(bars[-1].end_at)
    table = sessions_of(symbols, first, last, cache_dir)
    calendar = calendar_around(bars, cache_dir) if read.chains else table
    options = tuple(moved_options(entry, bars, calendar) for entry in read.chains)
    told = ", ".join(entry.told for entry in read.entries)
    origin = "; ".join((f"real bars of {path.name}: {told}", *(each.told for each in options)))
    return MarketData(
        bars=bars, sessions=table, symbols=symbols, origin=origin, moved_options=options
    )


def from_file(path: Path, cache_dir: Path | None) -> MarketData:
    """The market of a bars file, with the sessions of its exchange. Raises `BadData`."""
    bars = read_bars(path)
    symbol = bars[0].symbol
    first, last = utc_date(bars[0].start_at), utc_date(bars[-1].end_at)
    table = sessions_of((symbol,), first, last, cache_dir)
    origin = origin_of(path, (symbol,))
    return MarketData(bars=bars, sessions=table, symbols=(symbol,), origin=origin)


def origin_of(path: Path, symbols: Collection[str]) -> str:
    """What to say of bars that are from this file as it is."""
    rate = COUNTS_AS_USD in path.name and any(map(is_crypto, symbols))
    return f"real bars from {path.name}{f', {COUNTS_AS_USD} counted as USD' if rate else ''}"


def generated(symbols: tuple[str, ...], seed: int, cache_dir: Path | None) -> MarketData:
    """One generated session of these symbols, with coins around it too."""
    session = exchange_sessions(GENERATED_DATE, GENERATED_DATE, cache_dir).of_date(GENERATED_DATE)
    if session is None:
        raise BadData(f"the exchange calendar has no session on {GENERATED_DATE}")
    return MarketData(
        bars=generated_session(symbols, session.open_at, session.close_at, seed),
        sessions=sessions_of(symbols, GENERATED_DATE, GENERATED_DATE, cache_dir),
        symbols=symbols,
        origin=f"GENERATED prices (seed {seed}), not a real market",
    )
