"""The account of the embedded venue, served for as long as somebody trades on it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import structs

from hydra.ops.broker_account import NoAccount, require_account
from hydra.ops.embedded_market import EmbeddedMarket, ServedVenue
from hydra.ops.exit_codes import ExitCode
from hydra.ops.session import RunMarket
from hydra.ops.venue_process import VenueDidNotStart
from hydra.settings import Settings
from hydra.store.engine_files import EngineFiles
from hydra.terms import traded_symbols
from hydra.trading.bars import late_after
from hydra.trading.durations import SECOND
from hydra.trading.instruments import is_crypto
from hydra.venues.alpaca.access import Access
from hydra.venues.simulated.market_data import MarketData, with_options
from hydra.venues.simulated.silences import silent_coins

EMBEDDED = "EMBEDDED VENUE: not real money, not real fills"
VENUE_STOPS_WITHIN_S = 2.0


class ServedMarket(msgspec.Struct, frozen=True, kw_only=True):
    """Which market the venue serves, and how. `source` is the file that `data` was read from, None:
    it was generated. `speed` is market time per time.
    """

    data: MarketData
    source: Path | None
    seed: int
    speed: float


@contextmanager
def served_account(
    files: EngineFiles, settings: Settings, served: ServedMarket, bound_account: str | None
) -> Iterator[tuple[RunMarket, EmbeddedMarket]]:
    """What a run finds, and its market, whose time stands still until it is opened.

    `bound_account` is the one that the record is of. Raises `NoAccount`.
    """
    data = with_options(served.data, files.cache)
    venue = ServedVenue(files, data=served.source, symbols=data.symbols, seed=served.seed)
    try:
        access = _started(venue, served.speed)
        at = venue.clock.at(0)  # it stands still
        account = require_account(
            access,
            settings.broker.venue,
            bound_account=bound_account,
            market_time=lambda: at,
            say=lambda _: None,
            stopping=threading.Event(),
        )
        assert account is not None, "nobody could ask to stop"
        age_max = settings.health.max_price_staleness_seconds * SECOND
        late = int(late_after(data.bar_interval) / served.speed)
        price_age_max = max(age_max, late)
        market = EmbeddedMarket(venue, access, data, price_age_max=price_age_max)
        found = embedded_run(data, account, at)
        if any(map(is_crypto, traded_symbols(settings))):
            longer_than = int(price_age_max * served.speed)
            silences = silent_coins(data.bars, since=at, longer_than=longer_than)
            said = (*found.said_first, *silence_warning(silences))
            found = structs.replace(found, said_first=said)
        yield found, market
    finally:
        venue.stop(VENUE_STOPS_WITHIN_S)


def silence_warning(silences: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """One line, if there are any: the halt that follows says of no price that it is old."""
    if not silences:
        return ()
    begin, end = silences[0]
    more = f", and in {len(silences) - 1} later stretches" if silences[1:] else ""
    warning = (
        f"warning: no coin has a price in this market from {_minute(begin)} to {_minute(end)} UTC"
        f"{more}: coins that are silent are a fault round the clock, so all trading halts"
        " (stale_feed) until some time after they have come; take files of the same days, or play"
        " the coins by themselves"
    )
    return (warning,)


def _minute(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment // SECOND, UTC):%Y-%m-%d %H:%M}"


def _started(venue: ServedVenue, speed: float) -> Access:
    try:
        return venue.start(speed)
    except VenueDidNotStart as silent:
        raise NoAccount(str(silent), ExitCode.PREFLIGHT_FAILED) from silent


def embedded_run(data: MarketData, account: str, at: int) -> RunMarket:
    """What a run finds that is at market time `at` when it begins."""
    return RunMarket(
        mode="embedded",
        account=account,
        facts=data,
        at=at,
        ends_at=data.bars[-1].end_at,
        said_first=(EMBEDDED, f"market: {data.origin}; {len(data.bars)} bars"),
    )
