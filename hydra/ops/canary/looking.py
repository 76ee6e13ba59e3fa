"""Whose account is probed, how it is reached, and what keeps the canary from sending to it."""

from __future__ import annotations

import os
import secrets as tokens
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import msgspec

from hydra import __version__
from hydra.ops.broker_account import NoAccount
from hydra.ops.drill.venue_admin import VenueAdmin, VenueSilent
from hydra.ops.embedded_market import SERVES_WITHIN_S
from hydra.ops.exit_codes import ExitCode
from hydra.ops.stamp import stamp
from hydra.ops.venue_process import VenueDidNotStart, VenueProcess, new_keys
from hydra.runtime.clock import WallClock, machine_time
from hydra.settings.mode import lacking, mode_disagreement
from hydra.settings.secret import Secret
from hydra.settings.secrets import Secrets
from hydra.settings.section import VenueName
from hydra.store.engine_files import EngineFiles
from hydra.store.engine_lock import EngineLock, last_holder
from hydra.store.kill_file import read_kill_file
from hydra.trading.durations import SECOND
from hydra.trading.kill_switch import Absent, Sight, Source, Written, kill_cause
from hydra.venues.alpaca.access import PAPER, Access, local_addresses
from hydra.venues.alpaca.canary.lines import Report
from hydra.venues.alpaca.canary.whole import Means, NotThisAccount, look_whole
from hydra.venues.alpaca.http import EndpointRefused
from hydra.venues.alpaca.network import Network
from hydra.venues.alpaca.order_matrix import AS_OF
from hydra.venues.alpaca.outcomes import Ok, describe, outcome_of
from hydra.venues.alpaca.payloads import read_clock
from hydra.venues.alpaca.reads import get
from hydra.venues.alpaca.times import nanoseconds

SHARES = ("F", "PFE", "INTC", "KO", "AAPL", "SPY")
"""Cheap ones first: the account has to have the money for one of them."""
COINS = ("LTC/USD", "BCH/USD", "ETH/USD", "BTC/USD")
OWN_SYMBOLS, IN_SESSION_S = ("SPY", "BTC/USD"), 300.0
STOPS_WITHIN_S = 2.0


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for. `local` is the address of a venue that is served already."""

    mode: VenueName
    files: EngineFiles
    secrets: Secrets
    local: str | None = None
    shares: tuple[str, ...] = SHARES
    coins: tuple[str, ...] = COINS


def looked(asked: Asked) -> Report:
    """One run. Raises `NoAccount` and what `EngineLock` raises: then nothing was sent.

    An account at the broker is held while it is probed, as an engine holds it: an engine that met
    the canary's orders would halt. A local venue has no engine, and one of its own is thrown away.
    """
    if asked.local is not None:
        with closing(_local(asked, asked.local)) as access:
            return _look(asked, access, bound_account=None)
    if asked.mode is VenueName.EMBEDDED:
        with _own_venue() as access:
            return _look(asked, access, bound_account=None)
    with closing(_paper(asked)) as access:
        before = last_holder(asked.files.lock)
        lock = EngineLock(asked.files.lock, command="canary")
        try:
            return _look(asked, access, bound_account=None if before is None else before.account)
        finally:
            lock.release()


def _look(asked: Asked, access: Access, *, bound_account: str | None) -> Report:
    clock, at = WallClock(), stamp()
    means = Means(
        mode=VenueName.PAPER if asked.mode is VenueName.PAPER else VenueName.EMBEDDED,
        run=f"{at.replace('-', '').replace(':', '')}-{tokens.token_hex(2)}",
        shares=asked.shares,
        coins=asked.coins,
        bound_account=bound_account,
        barred=lambda: killed(asked),
        minutes_by=machine_time,
        market_time=lambda: clock.at(machine_time()),
    )
    try:
        whole = look_whole(access, means)
    except NotThisAccount as wrong:
        raise NoAccount(str(wrong), ExitCode.PAPER_LIVE_MISMATCH) from wrong
    return Report(
        at=at,
        version=__version__,
        contract=AS_OF,
        venue="local" if asked.local is not None else asked.mode.value,
        account=whole.account,
        lines=whole.lines,
        remains=whole.remains,
    )


def killed(asked: Asked) -> str | None:
    """What the kill switch says, wherever it says so: then nothing is sent."""
    word = asked.secrets.kill_switch
    sights = {Source.ENVIRONMENT: ("HYDRA_KILL_SWITCH", _written(word))}
    if asked.local is None and asked.mode is VenueName.PAPER:
        path = asked.files.kill_switch
        sights[Source.STATE_FILE] = (str(path), read_kill_file(path))
    named = asked.secrets.kill_switch_file
    if named is not None:
        sights[Source.NAMED_FILE] = (str(named), read_kill_file(named))
    for source, (place, sight) in sights.items():
        cause = kill_cause(source, place, sight, 0)
        if cause is not None:
            return f"the kill switch is set: {cause.detail}"
    return None


def _written(word: str | None) -> Sight:
    return Absent() if word is None else Written(word.encode(errors="replace"))


def _paper(asked: Asked) -> Access:
    mixed_up = mode_disagreement(asked.mode, asked.secrets, asked.secrets.live_switch)
    if mixed_up is not None:
        raise NoAccount(mixed_up, ExitCode.PAPER_LIVE_MISMATCH)
    lacks = lacking(asked.mode, asked.secrets)
    if lacks:
        raise NoAccount("\n".join(lacks), ExitCode.CONFIGURATION_REFUSED)
    key, secret = asked.secrets.alpaca_key, asked.secrets.alpaca_secret
    assert key is not None and secret is not None, "they would be lacking"
    network = Network(loopback_only=asked.secrets.network_disabled)
    return Access(PAPER, key, secret, network)


def _local(asked: Asked, url: str) -> Access:
    key, secret = asked.secrets.alpaca_key, asked.secrets.alpaca_secret
    if key is None or secret is None:
        raise NoAccount(
            "found no ALPACA_KEY and ALPACA_SECRET, wanted those of the local venue, as it was"
            " given them or as its second line says",
            ExitCode.CONFIGURATION_REFUSED,
        )
    try:
        return Access(local_addresses(url.rstrip("/")), key, secret, Network(loopback_only=True))
    except EndpointRefused as refused:
        raise NoAccount(f"--local: {refused}", ExitCode.USAGE) from refused


@contextmanager
def _own_venue() -> Iterator[Access]:
    """A venue of one generated session, a while after its open; nothing of it is kept."""
    keys, token = new_keys(), tokens.token_hex(16)
    command = (
        *(sys.executable, "-m", "hydra.cli", "venue", "serve", "--exit-with-parent"),
        *("--symbols", ",".join(OWN_SYMBOLS)),
    )
    environment = {
        **os.environ,
        "ALPACA_KEY": keys.key,
        "ALPACA_SECRET": keys.secret,
        "HYDRA_VENUE_ADMIN_TOKEN": token,
    }
    process = VenueProcess(command, environment, ended=lambda _: None)
    try:
        url = process.start(SERVES_WITHIN_S)
        pair = Secret(keys.key), Secret(keys.secret)
        with closing(Access(local_addresses(url), *pair, Network(loopback_only=True))) as access:
            VenueAdmin(urlsplit(url).port or 0, token).step(_to_its_open_s(access) + IN_SESSION_S)
            yield access
    except (VenueDidNotStart, VenueSilent) as silent:
        raise NoAccount(str(silent), ExitCode.PREFLIGHT_FAILED) from silent
    finally:
        process.stop(STOPS_WITHIN_S)


def _to_its_open_s(access: Access) -> float:
    answer = outcome_of(access.trading.call(get("/v2/clock", {})), read_clock)
    if not isinstance(answer, Ok):
        raise VenueSilent(f"GET /v2/clock: {describe(answer)}")
    clock = answer.value
    return (nanoseconds(clock.next_open) - nanoseconds(clock.timestamp)) / SECOND
