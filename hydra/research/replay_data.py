"""The market of a replay: the bars of all files that lie whole in the window, and what names them.

Files are read and checked whole, whatever the window is. What comes before the window is kept apart
as history, with which bots and indicators may start warm; nothing of after it is given to anybody.
"""

import hashlib
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import chain, pairwise
from operator import attrgetter
from pathlib import Path

import msgspec

from hydra.research.window import AskedWindow, BadReplayWindow, DataSpan, ReplayWindow, without_bars
from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.trading.instruments import Instrument, instrument, is_crypto
from hydra.trading.sessions import utc_date
from hydra.venues.bar_files import COUNTS_AS_USD, read_bars, read_candles, symbol_named
from hydra.venues.bar_rows import BadData, shown, shown_time
from hydra.venues.candle_rows import interval_named
from hydra.venues.exchange_calendar import UnknownYear
from hydra.venues.market_sessions import sessions_of
from hydra.venues.simulated.market.manifest import files_of_bars, read_manifest
from hydra.venues.simulated.market_data import MANIFEST_ENDINGS, MarketData, origin_of

DATABASE_ENDINGS = (".db", ".sqlite")


class DataFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was read, by its name and the blake2b of its content (16 bytes, hexadecimal)."""

    name: str
    digest: str


class ReplayData(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay is of."""

    window: ReplayWindow
    market: MarketData
    """Only of bars that lie whole in the window, ascending by end and then by symbol."""
    history: tuple[Bar, ...]
    """The newest bars of before the window, so many of each symbol as were asked for, and of those
    symbols alone that the market has; in the same order."""
    span: DataSpan
    """Of all bars of these symbols that there are."""
    files: tuple[DataFile, ...]
    bars_read: int
    without_bars: tuple[str, ...]
    """Symbols of the data that have no bar in the window, where they were not asked for by name."""

    @property
    def ends_at(self) -> int:
        """Until when sessions close: to the window's end. What is after it is not played, and days
        of coins, at whose end nothing closes, are over with their last bar.
        """
        last = self.market.bars[-1].end_at
        return last if all(map(is_crypto, self.market.symbols)) else max(self.window.end, last)

    @property
    def digests(self) -> dict[str, str]:
        """Of each file, by its name; of others of that name with a number: `AAPL_1m.csv (2)`."""
        digests: dict[str, str] = {}
        named = Counter[str]()
        for file in dict.fromkeys(self.files):  # a manifest may name one more than once
            named[file.name] += 1
            number = named[file.name]
            digests[file.name if number == 1 else f"{file.name} ({number})"] = file.digest
        return digests

    @property
    def of_shares(self) -> tuple[int, int]:
        """How many bars are of shares, and how many of those begin while their exchange is closed.

        Bars of days are stamped with midnight, so all of them do; and so do those of before the
        first bell and after the last one, in a file that does not say of which session they are.
        """
        coins = set(filter(is_crypto, self.market.symbols))
        starts = sorted(bar.start_at for bar in self.market.bars if bar.symbol not in coins)
        inside = sum(
            bisect_left(starts, session.close_at) - bisect_left(starts, session.open_at)
            for session in self.market.sessions.sessions
        )
        return len(starts), len(starts) - inside

    @property
    def bars_kept(self) -> int:
        """How many bars the market has."""
        return len(self.market.bars)


class _Source(msgspec.Struct, frozen=True):
    """What one path of the command line gave: bars of each symbol in the order of time."""

    path: Path
    files: tuple[DataFile, ...]
    series: dict[str, tuple[Bar, ...]]
    origin: str


def replay_data(
    paths: Sequence[Path],
    asked: AskedWindow,
    *,
    symbols: Collection[str] = (),
    interval: str | None = None,
    history: int = 0,
    cache_dir: Path | None = None,
) -> ReplayData:
    """The market of these files over the window that was asked for.

    A path is a bars file (`.csv`, `.csv.gz`, `.parquet`), a manifest (`.yaml`, `.yml`) or a candle
    database (`.db`, `.sqlite`). Several files of one symbol are one series, if no two of their bars
    overlap. `symbols` are those to replay; none given: all. `interval` (5m) is the length of bars
    that is wanted; a database of several needs it. `history` is how many bars of each symbol to
    give of before the window. `cache_dir` keeps the exchange's calendar.

    Raises `BadData` and `BadReplayWindow`, each of one line.
    """
    if interval is not None and interval_named(interval) is None:
        raise BadData(
            f"found interval {shown(interval)}; wanted minutes (15m), hours (4h) or one day (1d); "
            "correct it"
        )
    symbols = tuple(map(symbol_named, symbols))
    sources = [_source(path, symbols, interval, cache_dir) for path in paths]
    series = _in_one(sources)
    _require_the_symbols(series, symbols)
    _require_one_interval(sources, interval)
    span = DataSpan(
        start=min(bars[0].start_at for bars in series.values()),
        end=max(bars[-1].end_at for bars in series.values()),
    )
    window = asked.over(span)
    inside = {symbol: _inside(bars, window) for symbol, bars in series.items()}
    traded = tuple(symbol for symbol, bars in inside.items() if bars)
    missing = tuple(symbol for symbol in inside if symbol not in traded)
    if not traded:
        raise without_bars(window, span)
    if symbols and missing:
        raise _without_bars_of(missing[0], series[missing[0]], window)
    return ReplayData(
        window=window,
        market=_market(inside, traded, sources, cache_dir),
        history=_merged(_before(series[symbol], window.start, history) for symbol in traded),
        span=span,
        files=tuple(file for source in sources for file in source.files),
        bars_read=sum(map(len, series.values())),
        without_bars=missing,
    )


def _source(
    path: Path, symbols: Collection[str], interval: str | None, cache_dir: Path | None
) -> _Source:
    """What a path has of these symbols. Its files are the same after the reading as before."""
    before = _digests(path)
    if path.suffix in MANIFEST_ENDINGS:
        read = read_manifest(path, cache_dir)
        series = _by_symbol(read.bars)
        told = ", ".join(entry.told for entry in read.entries)
        options = "; its options are left out" if read.chains else ""
        origin = f"real bars of {path.name}: {told}{options}"
    elif path.suffix in DATABASE_ENDINGS:
        found = read_candles(path, symbols, interval)
        series = {bars[0].symbol: bars for bars in found.values()}
        rated = any(name.symbol.endswith(COUNTS_AS_USD) for name in found)
        origin = f"real bars from {path.name}{f', {COUNTS_AS_USD} counted as USD' if rated else ''}"
    else:
        bars = read_bars(path)
        series, origin = {bars[0].symbol: bars}, origin_of(path, (bars[0].symbol,))
    if _digests(path) != before:
        raise BadData(
            f"{path}: found that it changed while it was read; wanted files at rest; "
            "wait for whoever writes, or take a copy"
        )
    for symbol in series:
        _require_a_symbol(path, symbol)
    wanted = {symbol: bars for symbol, bars in series.items() if not symbols or symbol in symbols}
    return _Source(path, before if wanted else (), wanted, origin)


def _digests(path: Path) -> tuple[DataFile, ...]:
    """The files of a path. None of them where one cannot be read: its reader says why."""
    files = files_of_bars(path) if path.suffix in MANIFEST_ENDINGS else (path,)
    if not all(file.is_file() for file in files):  # a pipe would be waited for
        return ()
    try:
        return tuple([DataFile(name=file.name, digest=_digest(file)) for file in files])
    except OSError:
        return ()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _by_symbol(bars: Iterable[Bar]) -> dict[str, tuple[Bar, ...]]:
    found: dict[str, list[Bar]] = {}
    for bar in bars:
        found.setdefault(bar.symbol, []).append(bar)
    return {symbol: tuple(bars) for symbol, bars in found.items()}


def _in_one(sources: Sequence[_Source]) -> dict[str, tuple[Bar, ...]]:
    """One series for each symbol, in the order of symbols, whatever they were named in."""
    parts: dict[str, list[_Source]] = {}
    for source in sources:
        for symbol in source.series:
            parts.setdefault(symbol, []).append(source)
    return {symbol: _joined(symbol, parts[symbol]) for symbol in sorted(parts)}


def _joined(symbol: str, parts: Sequence[_Source]) -> tuple[Bar, ...]:
    if len(parts) == 1:
        return parts[0].series[symbol]
    bars = sorted(chain(*(part.series[symbol] for part in parts)), key=_start_at)
    for one, other in pairwise(bars):
        if one.end_at > other.start_at:
            raise BadData(
                f"{', '.join(str(part.path) for part in parts)}: found bars of {symbol} at "
                f"{shown_time(other.start_at)} more than once; wanted each time once; "
                "leave one of the files out"
            )
    return tuple(bars)


def _require_a_symbol(path: Path, symbol: str) -> None:
    kind = instrument(symbol)
    if kind is Instrument.SHARE or (kind is Instrument.COIN and symbol.endswith("/USD")):
        return
    raise BadData(
        f"{path}: found symbol {shown(symbol)}; wanted a share such as AAPL or a pair such as "
        "BTC/USD; name the file AAPL_1m.csv, say, or correct what is in it"
    )


def _require_the_symbols(series: Collection[str], symbols: Collection[str]) -> None:
    missing = [symbol for symbol in symbols if symbol not in series]
    if missing:
        raise BadData(
            f"found no bars of {', '.join(map(shown, missing))} in the data; "
            "wanted some of each symbol; add the file that has them, or leave the symbol out"
        )
    if not series:
        raise BadData("found no data; wanted one file of bars or more; add --data FILE")


def _require_one_interval(sources: Sequence[_Source], interval: str | None) -> None:
    """The engine waits for the next bar by one measure; a second length would look like silence."""
    lengths = [
        (bars[0].end_at - bars[0].start_at, symbol, source.path)
        for source in sources
        for symbol, bars in source.series.items()
    ]
    first, symbol, path = lengths[0]
    wanted = first if interval is None else interval_named(interval)
    for length, other, other_path in lengths:
        if length != wanted:
            than = interval or f"{first // MINUTE} minutes as of {symbol} in {path}"
            raise BadData(
                f"{other_path}: found bars of {length // MINUTE} minutes of {other}; wanted one "
                f"length, {than}; take files that agree"
            )


def _without_bars_of(symbol: str, bars: Sequence[Bar], window: ReplayWindow) -> BadReplayWindow:
    return BadReplayWindow(
        f"found no bar of {symbol} in the window from {window.start_utc} to {window.end_utc}; "
        f"wanted some; its bars go from {shown_time(bars[0].start_at)} to "
        f"{shown_time(bars[-1].end_at)}; choose another window, or leave the symbol out"
    )


def _inside(bars: Sequence[Bar], window: ReplayWindow) -> tuple[Bar, ...]:
    first = bisect_left(bars, window.start, key=_start_at)
    return tuple(bars[first : max(first, bisect_right(bars, window.end, key=_end_at))])


def _before(bars: Sequence[Bar], at: int, count: int) -> Sequence[Bar]:
    """The newest `count` bars that are over by then."""
    end = bisect_right(bars, at, key=_end_at)
    return bars[max(0, end - count) : end]


def _merged(series: Iterable[Sequence[Bar]]) -> tuple[Bar, ...]:
    """All of them by their ends; where these are the same, in the order of the series."""
    parts = list(series)
    if len(parts) == 1:
        return tuple(parts[0])
    return tuple(sorted(chain(*parts), key=_end_at))


def _market(
    inside: dict[str, tuple[Bar, ...]],
    traded: tuple[str, ...],
    sources: Sequence[_Source],
    cache_dir: Path | None,
) -> MarketData:
    bars = _merged(inside[symbol] for symbol in traded)
    first, last = utc_date(min(bar.start_at for bar in bars)), utc_date(bars[-1].end_at)
    try:
        sessions = sessions_of(traded, first, last, cache_dir)
    except UnknownYear as error:
        raise BadData(
            f"found bars from {first} to {last}, and {error}; choose another window"
        ) from error
    told = [source.origin for source in sources if not source.series.keys().isdisjoint(traded)]
    return MarketData(bars=bars, sessions=sessions, symbols=traded, origin="; ".join(told))


_start_at = attrgetter("start_at")
_end_at = attrgetter("end_at")
