"""`hydra-trader canary`: ask a practice account whether the broker still keeps its contract."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hydra.ops.config.cli import Venue
from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import (
    CONFIG,
    ConfigDir,
    ForVenue,
    Json,
    LogDir,
    StateDir,
    end,
    files_meant,
    one_line_for_faults,
)

if TYPE_CHECKING:
    from hydra.ops.canary.looking import Asked
    from hydra.venues.alpaca.canary.lines import Report

NOT_CLEAN = 1
REAL_MONEY = "venue live: it is never probed with real money; say --venue paper"
LOCALLY = "http://127.0.0.1:"

Local = Annotated[
    str | None,
    typer.Option(
        "--local",
        metavar="URL",
        help="A venue of this machine that `venue serve` serves, with its keys in ALPACA_KEY and"
        " ALPACA_SECRET.",
        show_default=False,
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--dir",
        metavar="DIR",
        help="Where results are kept. Else canary/ beside the ledger; of a local venue nowhere.",
        show_default=False,
    ),
]
Share = Annotated[
    list[str] | None,
    typer.Option(
        "--share",
        metavar="SYMBOL",
        help="What to probe with, instead of some well known ones; may be repeated. The first is"
        " taken that is neither held nor has an order.",
        show_default=False,
    ),
]
Coin = Annotated[
    list[str] | None,
    typer.Option("--coin", metavar="PAIR", help="The same of coins.", show_default=False),
]

NoCoins = Annotated[
    bool, typer.Option("--no-coins", help="Leave coins out, where the account may not trade them.")
]


def canary(
    local: Local = None,
    share: Share = None,
    coin: Coin = None,
    no_coins: NoCoins = False,
    folder: Folder = None,
    venue: ForVenue = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Find out whether the broker still does what Hydra goes by.

    It reads what the engine reads, logs in to both streams, and tries the
    rules for orders: with limits to buy far below the market, the least there
    is, each canceled and seen to end before the next. Never with real money;
    never while an engine has the account; nothing while the kill switch is
    set. What an earlier run left open is canceled first.

    One line a check: pass, DRIFTED, could not tell, or not now (it shows at
    other hours only). What is new at the broker and changes nothing is news.
    With --venue embedded it probes a local venue that is thrown away.

    Exit code 0: no drift, and nothing is left at the broker; 1: something
    drifted, could not be told, or is left (it is named); 11: an engine or
    another command has the account; 15: keys, address, account and record are
    not of one practice account; 10: settings or .env are not fit; 13: the
    result cannot be kept; 14: there is no venue; 2: usage, or live.
    """
    from hydra.ops.broker_account import NoAccount
    from hydra.ops.canary.looking import COINS, SHARES, looked
    from hydra.ops.canary.results import keep
    from hydra.store.engine_lock import HeldByAnother

    coins = () if no_coins else tuple(coin or COINS)
    asked = _asked(local, tuple(share or SHARES), coins, venue, config, state_dir, log_dir)
    if folder is None and asked.local is None and asked.mode.value == "paper":
        folder = asked.files.canary
    with one_line_for_faults():
        # As Ctrl-C: what was placed is taken out, and told.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            report = looked(asked)
        except NoAccount as none:
            end(str(none), none.code)
        except HeldByAnother as held:
            end(f"{held}; nothing was sent", ExitCode.HELD_BY_ANOTHER)
        finally:
            signal.signal(signal.SIGTERM, before)
        try:
            path = None if folder is None else keep(folder, report)
        finally:
            _show(report, json=json)
    if path is not None and not json:
        typer.echo(f"kept: {path}")
    if not report.is_clean:
        raise typer.Exit(NOT_CLEAN)


def _asked(
    local: str | None,
    shares: tuple[str, ...],
    coins: tuple[str, ...],
    venue: Venue | None,
    config: Path,
    state_dir: Path | None,
    log_dir: Path | None,
) -> Asked:
    from hydra.ops.canary.looking import Asked
    from hydra.settings import SettingsRefused, VenueName
    from hydra.settings.secrets import load_secrets

    if venue is Venue.LIVE:  # before settings that may not be fit for it
        end(REAL_MONEY, ExitCode.USAGE)
    files, name, _ = files_meant(config, venue, state_dir, log_dir)
    if name == Venue.LIVE:
        end(REAL_MONEY, ExitCode.USAGE)
    if local is not None and not local.startswith(LOCALLY):
        end(f"found --local {local}, wanted {LOCALLY}PORT", ExitCode.USAGE)
    try:
        secrets = load_secrets(Path(".env"), os.environ)
    except SettingsRefused as refused:
        end(str(refused), ExitCode.CONFIGURATION_REFUSED)
    return Asked(
        mode=VenueName(name),
        files=files,
        secrets=secrets,
        local=local,
        shares=shares,
        coins=coins,
    )


def _show(report: Report, *, json: bool) -> None:
    if json:
        from hydra.ops.debug.engine import write_json

        write_json(_told(report))
        return
    from hydra.ops.debug import render
    from hydra.venues.alpaca.canary.lines import Verdict

    word = {each: each.value for each in Verdict} | {Verdict.DRIFTED: "DRIFTED"}
    width = max(map(len, word.values()))
    for line in report.lines:
        render.write(render.clean(f"{word[line.verdict]:<{width}}  {line.check}: {line.line}"))
    news = dict.fromkeys(each for line in report.lines for each in line.news)
    for each in news:
        render.write(render.clean(f"{'news':<{width}}  {each}"))
    for each in report.remains:
        render.write(render.clean(f"LEFT AT THE BROKER  {each}"))
    render.write(render.clean(_summary(report)))


def _told(report: Report) -> dict[str, object]:
    import msgspec

    told: dict[str, object] = msgspec.to_builtins(report)
    return {**told, "clean": report.is_clean}


def _summary(report: Report) -> str:
    from hydra.venues.alpaca.canary.lines import Verdict

    numbers = {each: sum(line.verdict is each for line in report.lines) for each in Verdict}
    said = ", ".join(f"{number} {each.value}" for each, number in numbers.items() if number)
    whose = f"{report.venue}, account {report.account or 'not known'}"
    if report.is_clean:
        return f"{whose}: no drift from what was known on {report.contract} ({said})"
    if report.remains:
        return (
            f"{whose}: {said}; what is left is open there until it is canceled: look at the broker,"
            " or say `hydra-trader canary` again, which cancels what it finds"
        )
    return f"{whose}: {said}; known as of {report.contract}"
