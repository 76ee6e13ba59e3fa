"""`hydra-trader preflight`: what would keep the engine from trading, one line a check."""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from hydra.ops.as_said import as_said
from hydra.ops.config.cli import Venue
from hydra.ops.control.place import place_meant
from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import CONFIG, ConfigDir, ForVenue, Json, LogDir, StateDir, end

if TYPE_CHECKING:
    from hydra.settings.section import VenueName
    from hydra.trading.findings import Finding
    from hydra.venues.alpaca.access import Access

LOOK_WITHIN_S = 45.0
A_SHARE = "SPY"
"""Looked at where no share is traded: every account sees its prices."""

ToContact = Annotated[
    bool,
    typer.Option(
        "--contact",
        help="Look at the broker: read the account, its clock, calendar, a symbol and a price, and"
        " log in to both streams. Nothing is written there.",
    ),
]


def preflight(
    contact: ToContact = False,
    venue: ForVenue = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Look at everything that would keep the engine from trading.

    One line a check, passed or failed, with what to do. Of a running engine:
    what its own preflight looks at each loop, budgets and coverage included.
    Where none runs: what the next start would find. With --contact: all that
    trading on Alpaca rests on, which needs no engine. It only reads.

    Exit code 0: all passed; 14: something failed; 15: keys, address, account
    and record are not of one account; 11: an engine has the record and does
    not answer; 10: settings or .env are not fit; 2: usage.
    """
    code = ExitCode.CLEAN
    if contact:
        findings = _looked_at(config, venue, state_dir, log_dir)
    else:
        from hydra.ops.readiness import findings_of

        findings, code = findings_of(place_meant(config, venue, state_dir, log_dir))
    if json:
        from hydra.ops.debug.engine import write_json

        write_json([{"check": f.name, "passed": f.passed, "line": f.line} for f in findings])
    else:
        from hydra.ops.debug import render

        said = as_said(venue, config, state_dir, log_dir)
        for finding in findings:
            word = "pass" if finding.passed else "FAIL"
            line = said.in_words(f"{word}  {finding.name}: {finding.line}")
            render.write(render.clean(line))
    failed = {finding.name for finding in findings if not finding.passed}
    if failed and code is ExitCode.CLEAN:
        wrong = "identity" in failed
        code = ExitCode.PAPER_LIVE_MISMATCH if wrong else ExitCode.PREFLIGHT_FAILED
    if code is not ExitCode.CLEAN:
        raise typer.Exit(int(code))


def _looked_at(
    config: Path, venue: Venue | None, state_dir: Path | None, log_dir: Path | None
) -> tuple[Finding, ...]:
    from hydra.ops.places import files_of_venue
    from hydra.ops.readiness import live_finding
    from hydra.plugins import fault_in_plugin, fault_in_signal
    from hydra.settings import SettingsRefused, VenueName
    from hydra.settings.configuration import load_configuration
    from hydra.settings.mode import lacking, mode_disagreement
    from hydra.store.engine_lock import last_holder
    from hydra.terms import traded_symbols
    from hydra.trading.instruments import is_crypto
    from hydra.venues.alpaca.access import Access, addresses_of
    from hydra.venues.alpaca.network import Network

    try:
        found = load_configuration(
            config,
            Path(".env"),
            os.environ,
            venue=None if venue is None else VenueName(venue.value),
            signal_check=fault_in_signal,
            plugin_check=fault_in_plugin,
        )
    except SettingsRefused as refused:
        end(str(refused), ExitCode.CONFIGURATION_REFUSED)
    settings, secrets = found.settings, found.secrets
    mode = settings.broker.venue
    if mode is VenueName.EMBEDDED:
        end(
            "venue embedded: there is no broker to look at; say --venue paper or --venue live",
            ExitCode.USAGE,
        )
    mixed_up = mode_disagreement(mode, secrets, secrets.live_switch)
    if mixed_up is not None:
        end(mixed_up, ExitCode.PAPER_LIVE_MISMATCH)
    lacks = lacking(mode, secrets)
    if lacks:
        end("\n".join(lacks), ExitCode.CONFIGURATION_REFUSED)
    assert secrets.alpaca_key is not None and secrets.alpaca_secret is not None
    files = files_of_venue(settings, state_dir, log_dir)
    of_live = mode is VenueName.LIVE
    first = (live_finding(files, settings, secrets.strategy_mode),) if of_live else ()
    holder = last_holder(files.lock)
    symbols = traded_symbols(settings)
    access = Access(
        addresses_of(mode),
        secrets.alpaca_key,
        secrets.alpaca_secret,
        Network(loopback_only=secrets.network_disabled),
    )
    try:
        looked = look_at(
            access,
            mode,
            bound_account=None if holder is None else holder.account,
            share=next((symbol for symbol in symbols if not is_crypto(symbol)), A_SHARE),
            trades_crypto=any(map(is_crypto, symbols)),
        )
        return (*first, *looked)
    finally:
        access.close()


def look_at(
    access: Access,
    mode: VenueName,
    *,
    bound_account: str | None,
    share: str,
    trades_crypto: bool,
) -> tuple[Finding, ...]:
    """Everything there is to look at, once. `bound_account`: whose record the state folder has."""
    from hydra.runtime.clock import WallClock, machine_time
    from hydra.venues.alpaca.budget import Shares
    from hydra.venues.alpaca.calls import Calls
    from hydra.venues.alpaca.contact import Contact
    from hydra.venues.alpaca.corporate_actions import ActionReads
    from hydra.venues.alpaca.http import HttpClient
    from hydra.venues.alpaca.identity import Identity
    from hydra.venues.alpaca.link import STOCK_FEED
    from hydra.venues.alpaca.market_rest import MarketReads
    from hydra.venues.alpaca.stream_contact import stream_findings
    from hydra.venues.market_sessions import exchange_sessions

    clock, deadline = WallClock(), monotonic() + LOOK_WITHIN_S

    def market_time() -> int:
        return clock.at(machine_time())

    def calls(client: HttpClient) -> Calls:
        return Calls(
            client,
            Shares(),
            minutes_by=machine_time,
            market_time=market_time,
            ended=lambda _: None,
        )

    def identity(account_number: str) -> Identity:
        return Identity(
            mode=mode,
            base_url=access.addresses.trading,
            key_id=access.key_id.reveal(),
            account_number=account_number,
            bound_account=bound_account,
        )

    data = calls(access.data)
    reads = Contact(
        calls(access.trading),
        MarketReads(data, STOCK_FEED, market_time),
        ActionReads(data),
        lambda first, last: exchange_sessions(first, last, None),
        market_time=market_time,
        trades_crypto=trades_crypto,
    )
    return (
        *reads.findings(identity, share, deadline),
        *stream_findings(access, share, deadline),
    )
