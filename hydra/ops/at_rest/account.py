"""The account of an engine at rest: whose record it is, and the way to the broker."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import msgspec

from hydra import __version__
from hydra.ops.at_rest.market import market_at_rest, require_ledger
from hydra.ops.broker_account import NoAccount
from hydra.ops.embedded import LEAD
from hydra.ops.embedded_account import served_account
from hydra.ops.exit_codes import ExitCode
from hydra.ops.live_session import LiveMarket
from hydra.ops.run_broker import reach_broker
from hydra.ops.session import RunMarket
from hydra.runtime.clock import WallClock, machine_time
from hydra.settings import Settings
from hydra.settings.mode import lacking, mode_disagreement
from hydra.settings.secrets import load_secrets
from hydra.settings.section import VenueName
from hydra.store.engine_files import EngineFiles
from hydra.store.record import EngineRecord, Owner
from hydra.store.redaction import Redactor
from hydra.venues.alpaca.access import Access, addresses_of
from hydra.venues.alpaca.network import Network
from hydra.venues.simulated.brokerage.terms import ACCOUNT_NUMBER


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """The account, as a live session finds it, and the market to put the engine together with."""

    run: RunMarket
    market: LiveMarket


class AccountAtRest(msgspec.Struct, frozen=True, kw_only=True):
    """`reach` opens the way to the account of this record, which is open, for as long as its block
    lasts; it raises `NoAccount`. Nothing is connected, and an embedded market stands still, until
    the engine wants it. `redactor` keeps secrets out of the record.
    """

    owner: Owner
    reach: Callable[[EngineRecord], AbstractContextManager[Reached]]
    redactor: Redactor | None = None


def account_at_rest(
    files: EngineFiles,
    settings: Settings,
    bars: Path | None,
    environ: Mapping[str, str],
    say: Callable[[str], None],
) -> AccountAtRest:
    """The account of these files, on the venue that the settings name; nothing is opened yet.

    `bars`: the file that an embedded run was given; None: none was. The keys of a broker's account
    are in `environ` or in `.env`; `say` is told while it does not answer. Raises `NoAccount` and
    what `market_at_rest` and reading the keys raises.
    """
    if settings.broker.venue is VenueName.EMBEDDED:
        return embedded_at_rest(files, settings, bars)
    return _broker_at_rest(files, settings, bars, environ, say)


def embedded_at_rest(files: EngineFiles, settings: Settings, bars: Path | None) -> AccountAtRest:
    """The embedded venue's account. Raises what `market_at_rest` raises."""
    served = market_at_rest(files, settings, bars)

    @contextmanager
    def reach(record: EngineRecord) -> Iterator[Reached]:
        with served_account(files, settings, served, record.ledger.account) as (run, market):
            yield Reached(run=run, market=market)

    return AccountAtRest(
        owner=_owner(settings, ACCOUNT_NUMBER, served.data.begins_at - LEAD), reach=reach
    )


def _broker_at_rest(
    files: EngineFiles,
    settings: Settings,
    bars: Path | None,
    environ: Mapping[str, str],
    say: Callable[[str], None],
) -> AccountAtRest:
    mode = settings.broker.venue
    if bars is not None:
        raise NoAccount(
            f"found --data with venue {mode.value}; the broker has its own market: leave it out",
            ExitCode.USAGE,
        )
    require_ledger(files)
    secrets = load_secrets(Path(".env"), environ)
    mixed_up = mode_disagreement(mode, secrets, secrets.live_switch)
    if mixed_up is not None:
        raise NoAccount(mixed_up, ExitCode.PAPER_LIVE_MISMATCH)
    lacks = lacking(mode, secrets)
    if lacks:
        raise NoAccount("\n".join(lacks), ExitCode.CONFIGURATION_REFUSED)
    key_id, secret = secrets.alpaca_key, secrets.alpaca_secret
    assert key_id is not None and secret is not None, "they would be lacking"
    network = Network(loopback_only=secrets.network_disabled)
    clock = WallClock()

    @contextmanager
    def reach(record: EngineRecord) -> Iterator[Reached]:
        with closing(Access(addresses_of(mode), key_id, secret, network)) as access:
            reached = reach_broker(settings, access, files, record, clock, say, threading.Event())
            assert reached is not None, "nobody could ask to stop but by an interrupt"
            run, market = reached
            yield Reached(run=run, market=market)

    return AccountAtRest(
        owner=_owner(settings, None, clock.at(machine_time())),  # the broker says whose it is
        reach=reach,
        redactor=Redactor(secrets.values()),
    )


def _owner(settings: Settings, account: str | None, at: int) -> Owner:
    return Owner(
        venue=settings.broker.venue.value,
        account=account,
        version=__version__,
        configuration=settings.digest,
        at=at,
        wall_at=time.time_ns(),
    )
