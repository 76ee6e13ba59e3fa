"""In which market the account of an engine at rest is, by what its venue wrote down of it."""

from pathlib import Path

from hydra.ops.embedded_account import ServedMarket
from hydra.ops.generated_market import generated_market
from hydra.settings import Settings
from hydra.store.engine_files import EngineFiles, is_first_start
from hydra.venues.simulated.market_data import from_path
from hydra.venues.simulated.request_log import read_lines
from hydra.venues.simulated.server.log_lines import FORMAT, ClockMoved, VenueBegan, VenueOpened

USUAL_SPEED = 600.0
"""As of `run`; for a venue whose clock never ran."""


class NothingThere(Exception):
    """No engine ever traded here, or its account is over: nothing to compare or to close."""


def require_ledger(files: EngineFiles) -> None:
    """Raise `NothingThere` unless there is one, and `RecordGone` if there was."""
    if not files.ledger.exists() and is_first_start(files):
        raise NothingThere(_missing(files.ledger, "found none"))


class OtherMarket(Exception):
    """These are not the bars of the market that the account is in; the text says which it is."""


def market_at_rest(files: EngineFiles, settings: Settings, bars: Path | None) -> ServedMarket:
    """The market as the venue had it. `bars`: the file that the run was given; None: none was.

    The venue's log is read only. Raises `NothingThere`, `OtherMarket`, and what reading the log and
    the bars raises.
    """
    _require_served(files)
    lines = read_lines(files.venue_account, FORMAT)
    if not lines:
        raise NothingThere(_missing(files.venue_account, "found no line in it"))
    began = lines[0]
    assert isinstance(began, VenueBegan), "the log was read"
    seed = began.terms.seed
    if bars is None:
        data = generated_market(settings, seed, files.cache, is_virtual=False)
    else:
        data = from_path(bars, files.cache)
    if data.digest != began.data_digest:
        found = "no --data" if bars is None else f"{data.origin} by --data"
        raise OtherMarket(
            f"found {found}; the account is in the market {began.data_origin}: say with --data"
            " where its bars are, as for `run`; for a generated one, enable the bots in bots.yaml"
            " that it was generated for"
        )
    speeds = [line.speed for line in lines if isinstance(line, VenueOpened | ClockMoved)]
    ran = [speed for speed in speeds if speed > 0]
    return ServedMarket(data=data, source=bars, seed=seed, speed=ran[-1] if ran else USUAL_SPEED)


def _require_served(files: EngineFiles) -> None:
    require_ledger(files)
    if files.venue_log.exists():
        raise NothingThere(
            f"{files.venue_log}: found an account of virtual time, which is over where no run plays"
            " it; wanted one of a venue that is served; nothing of it can be closed or settled: the"
            " next run begins another"
        )
    if not files.venue_account.exists():
        raise NothingThere(_missing(files.venue_account, "found none"))


def _missing(path: Path, found: str) -> str:
    return (
        f"{path}: {found}, so no engine has traded here; wanted the state of one; say where it is"
        " with --state-dir or --venue"
    )
