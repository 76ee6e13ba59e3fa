"""In which market the account of an engine at rest is, by what its venue wrote down of it."""

from pathlib import Path

import msgspec

from hydra.settings import Settings
from hydra.store.engine_files import EngineFiles
from hydra.venues.simulated.log_lines import VenueBegan, VenueOpened
from hydra.venues.simulated.market_data import MarketData, from_file, generated
from hydra.venues.simulated.request_log import read_log


class NothingThere(Exception):
    """No engine ever traded here, so there is nothing to compare and nothing to close."""


class OtherMarket(Exception):
    """These are not the bars of the market that the account is in; the text says which it is."""


class MarketAtRest(msgspec.Struct, frozen=True, kw_only=True):
    """The market of the account, and how the run before played it; `speed` None: virtually."""

    data: MarketData
    seed: int
    speed: float | None


def market_at_rest(files: EngineFiles, settings: Settings, bars: Path | None) -> MarketAtRest:
    """The market as the venue had it. `bars`: the file that the run was given; None: none was.

    Raises `NothingThere`, `OtherMarket`, and what reading the venue's log and the bars raises.
    """
    lines = read_log(files.venue_log) if files.venue_log.exists() else ()
    if not files.ledger.exists() or not lines:
        missing = files.venue_log if files.ledger.exists() else files.ledger
        raise NothingThere(
            f"{missing}: found none, so no engine has traded here; wanted the state of one; say"
            " where it is with --state-dir or --venue"
        )
    began = lines[0]
    assert isinstance(began, VenueBegan), "the log was read"
    if bars is None:
        symbols = {bot.ticker for bot in settings.momentum_bots if bot.enabled}
        data = generated(tuple(sorted(symbols)), began.seed, files.cache)
    else:
        data = from_file(bars, files.cache)
    if data.digest != began.data_digest:
        found = "no --data" if bars is None else f"{data.origin} by --data"
        raise OtherMarket(
            f"found {found}; the account is in the market {began.data_origin}: say with --data"
            " where its bars are, as for `run`; for a generated one, enable the bots in bots.yaml"
            " that it was generated for"
        )
    opened = [line.speed for line in lines if isinstance(line, VenueOpened)]
    return MarketAtRest(data=data, seed=began.seed, speed=opened[-1] if opened else None)
