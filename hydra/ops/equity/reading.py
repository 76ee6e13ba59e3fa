"""Who reads an account for a bridge: the engine that runs, or this command where none does.

Where none runs, a broker is asked with the keys of `.env`, and of the embedded venue a copy is
played that is thrown away: nothing is changed, and no lock is taken.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic

import msgspec
from msgspec import structs

from hydra.ops.at_rest.market import NothingThere, OtherMarket, market_at_rest
from hydra.ops.control.account import READS_WITHIN_S
from hydra.ops.control.place import Place, holder_of
from hydra.ops.debug.client import CommandFailed, EngineClient, NoEngine
from hydra.ops.embedded_account import VENUE_STOPS_WITHIN_S
from hydra.ops.embedded_market import ServedVenue
from hydra.ops.exit_codes import ExitCode
from hydra.ops.venue_process import VenueDidNotStart
from hydra.runtime.clock import WallClock, machine_time
from hydra.settings import Settings, SettingsRefused, VenueName
from hydra.settings.mode import lacking, mode_disagreement
from hydra.settings.secrets import load_secrets
from hydra.store.engine_files import EngineFiles
from hydra.trading.account_reading import AccountStatement
from hydra.venues.alpaca.access import Access, addresses_of
from hydra.venues.alpaca.budget import Shares
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.identity import Identity, identity_disagreement
from hydra.venues.alpaca.network import Network
from hydra.venues.alpaca.reads import ReadFailed
from hydra.venues.alpaca.statement import read_statement
from hydra.venues.bar_rows import BadData
from hydra.venues.simulated.request_log import VenueLogRefused

ANSWERS_WITHIN_S = READS_WITHIN_S + 3.0


class NotRead(Exception):
    """The account could not be read. One line: what was found, what to do."""

    def __init__(self, words: str, code: ExitCode) -> None:
        super().__init__(words)
        self.code = code


def statement_of(
    place: Place, since: int | None, bars: Path | None, bound_account: str | None
) -> AccountStatement:
    """The account of this place, with what is listed since a time (UTC ns; None: for a while).

    `bars` is what the run was given with --data, `bound_account` the one that the record is of.
    Raises `NotRead`.
    """
    try:
        with EngineClient(place.files.control_socket, ANSWERS_WITHIN_S) as client:
            told = client.call("account", since=since)
        return msgspec.convert(told, AccountStatement)
    except CommandFailed as refused:
        raise NotRead(str(refused), ExitCode.PREFLIGHT_FAILED) from refused
    except msgspec.ValidationError as odd:
        raise NotRead(
            f"the engine answered what is no account ({odd}); it is of another Hydra: restart it",
            ExitCode.PREFLIGHT_FAILED,
        ) from odd
    except NoEngine as silent:
        holder = holder_of(place)
        if holder is not None:
            raise NotRead(
                f"{holder.named} has this record and does not answer ({silent}); try again in some"
                " seconds",
                ExitCode.HELD_BY_ANOTHER,
            ) from silent
    try:
        return _at_rest(place, since, bars, bound_account)
    except ReadFailed as failed:
        raise NotRead(
            f"the account could not be read: {failed}", ExitCode.PREFLIGHT_FAILED
        ) from failed
    except (BadData, NothingThere, OtherMarket) as unusable:
        raise NotRead(str(unusable), ExitCode.USAGE) from unusable
    except VenueDidNotStart as silent:
        raise NotRead(str(silent), ExitCode.PREFLIGHT_FAILED) from silent
    except SettingsRefused as refused:
        raise NotRead(str(refused), ExitCode.CONFIGURATION_REFUSED) from refused
    except VenueLogRefused as bad:
        raise NotRead(str(bad), ExitCode.DURABILITY_REFUSED) from bad


def _at_rest(
    place: Place, since: int | None, bars: Path | None, bound_account: str | None
) -> AccountStatement:
    settings = place.settings
    if settings is None:
        raise NotRead(str(place.unfit), ExitCode.CONFIGURATION_REFUSED)
    mode = settings.broker.venue
    way = _copied(place.files, settings, bars) if mode is VenueName.EMBEDDED else _asked(mode, bars)
    with way as access:
        clock = WallClock()
        calls = Calls(
            access.trading,
            Shares(),
            minutes_by=machine_time,
            market_time=lambda: clock.at(machine_time()),
            ended=lambda _: None,
        )
        statement = read_statement(calls, since, deadline=monotonic() + READS_WITHIN_S)
        disagreement = identity_disagreement(
            Identity(
                mode=mode,
                base_url=access.addresses.trading,
                key_id=access.key_id.reveal(),
                account_number=statement.reading.account,
                bound_account=bound_account,
            )
        )
    if disagreement is not None:
        raise NotRead(disagreement, ExitCode.PAPER_LIVE_MISMATCH)
    return statement


@contextmanager
def _asked(mode: VenueName, bars: Path | None) -> Iterator[Access]:
    """The way to a broker's account, with the keys that are there."""
    if bars is not None:
        raise NotRead(
            f"found --data with venue {mode.value}; the broker has its own market: leave it out",
            ExitCode.USAGE,
        )
    secrets = load_secrets(Path(".env"), os.environ)
    mixed_up = mode_disagreement(mode, secrets, secrets.live_switch)
    if mixed_up is not None:
        raise NotRead(mixed_up, ExitCode.PAPER_LIVE_MISMATCH)
    lacks = lacking(mode, secrets)
    if lacks:
        raise NotRead("\n".join(lacks), ExitCode.CONFIGURATION_REFUSED)
    key_id, secret = secrets.alpaca_key, secrets.alpaca_secret
    assert key_id is not None and secret is not None, "they would be lacking"
    network = Network(loopback_only=secrets.network_disabled)
    with closing(Access(addresses_of(mode), key_id, secret, network)) as access:
        yield access


@contextmanager
def _copied(files: EngineFiles, settings: Settings, bars: Path | None) -> Iterator[Access]:
    """The way to a copy of the embedded account, whose market stands still at its present."""
    served = market_at_rest(files, settings, bars)
    with tempfile.TemporaryDirectory(prefix="hydra-") as folder:  # made with rights 0700
        account = Path(folder) / files.venue_account.name
        shutil.copy(files.venue_account, account)  # with its rights
        venue = ServedVenue(
            structs.replace(files, venue_account=account),
            data=served.source,
            symbols=served.data.symbols,
            seed=served.seed,
        )
        try:
            with closing(venue.start(served.speed)) as access:
                yield access
        finally:
            venue.stop(VENUE_STOPS_WITHIN_S)
