"""`python -m hydra.main`: parse, load, prepare, run, exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.crash_points import VARIABLE, NoSuchCrashPoint, arm_from
from hydra.ops.exit_codes import ExitCode

if TYPE_CHECKING:
    from hydra.settings import Settings
    from hydra.venues.simulated.market_data import MarketData


def main(argv: Sequence[str] | None = None) -> int:
    """Run the engine; gives the process's exit code."""
    arguments = _parser().parse_args(argv)
    try:
        arm_from(os.environ)
        return _run(arguments)
    except NoSuchCrashPoint as unknown:
        return _refuse(str(unknown), ExitCode.CONFIGURATION_REFUSED)
    except KeyboardInterrupt:  # before there was a session to stop in order
        return _refuse("stopped before the session began", ExitCode.CLEAN)


def _run(arguments: argparse.Namespace) -> int:
    # Imported here, so that `--help` and a wrong option answer at once.
    from hydra.ops.places import files_of_venue
    from hydra.ops.run import run_session
    from hydra.ops.session import RunOptions
    from hydra.settings import SettingsRefused, VenueName
    from hydra.settings.configuration import load_configuration
    from hydra.settings.mode import lacking, mode_disagreement
    from hydra.store.engine_files import NamesClash
    from hydra.store.engine_lock import HeldByAnother
    from hydra.store.record import RECORD_REFUSED
    from hydra.store.redaction import Redactor
    from hydra.store.schema import NewerThanThisHydra
    from hydra.terms import fault_in_signal, traded_symbols
    from hydra.venues.bar_rows import BadData
    from hydra.venues.simulated.request_log import VenueLogFailed, VenueLogRefused

    try:
        found = load_configuration(
            arguments.config,
            Path(".env"),
            os.environ,
            venue=VenueName(arguments.venue) if arguments.venue else None,
            signal_check=fault_in_signal,
        )
    except SettingsRefused as refused:
        return _refuse(str(refused), ExitCode.CONFIGURATION_REFUSED)
    settings, secrets = found.settings, found.secrets
    if settings.broker.venue is VenueName.LIVE and VARIABLE in os.environ:
        return _refuse(
            f"{VARIABLE}: found {os.environ[VARIABLE]!r} with venue live; wanted it unset, because"
            " it ends the process in the middle of its work; unset it",
            ExitCode.CONFIGURATION_REFUSED,
        )
    mixed_up = mode_disagreement(settings.broker.venue, secrets, secrets.live_switch)
    if mixed_up is not None:
        return _refuse(mixed_up, ExitCode.PAPER_LIVE_MISMATCH)
    lacks = lacking(settings.broker.venue, secrets)
    if lacks:
        return _refuse("\n".join(lacks), ExitCode.CONFIGURATION_REFUSED)
    if settings.broker.venue is not VenueName.EMBEDDED:
        return _refuse(
            f"venue {settings.broker.venue.value}: this version trades on the embedded venue only; "
            "use --venue embedded",
            ExitCode.USAGE,
        )
    try:
        files = files_of_venue(settings, arguments.state_dir, arguments.log_dir)
    except NamesClash as clash:
        return _refuse(f"{arguments.config}: {clash}", ExitCode.CONFIGURATION_REFUSED)
    symbols = traded_symbols(settings)
    if not symbols:
        return _refuse(
            f"{arguments.config / 'bots.yaml'}: found no enabled bot; wanted at least one; set "
            "enabled: true for one of momentum_bots, or for cryptobot",
            ExitCode.CONFIGURATION_REFUSED,
        )
    try:
        data = _market(arguments, settings, files.cache)
    except BadData as bad:
        return _refuse(str(bad), ExitCode.USAGE)
    if not set(symbols) & set(data.symbols):
        return _refuse(
            f"{arguments.data or 'the market'}: found {', '.join(data.symbols)}; wanted one of "
            f"{', '.join(symbols) or 'none'}, which the enabled bots of "
            f"{arguments.config / 'bots.yaml'} trade; enable a bot for it or use other data",
            ExitCode.CONFIGURATION_REFUSED,
        )
    options = RunOptions(
        seed=arguments.seed,
        speed=None if arguments.clock == "virtual" else arguments.speed,
        dry_run=arguments.dry_run,
        kill_switch=secrets.kill_switch,
        kill_switch_file=secrets.kill_switch_file,
    )
    try:
        redactor = Redactor(secrets.values())
        return run_session(settings, data, files, options, sys.stdout, redactor)
    except HeldByAnother as held:
        return _refuse(str(held), ExitCode.HELD_BY_ANOTHER)
    except NewerThanThisHydra as newer:
        return _refuse(str(newer), ExitCode.VERSION_FENCE)
    except (*RECORD_REFUSED, VenueLogFailed, VenueLogRefused) as bad:
        return _refuse(str(bad), ExitCode.DURABILITY_REFUSED)
    except OSError as error:
        return _refuse(
            f"{error.filename or files.ledger.parent}: {error.strerror or error}; wanted folders "
            "of our own to write to; check --state-dir and --log-dir",
            ExitCode.DURABILITY_REFUSED,
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hydra.main",
        description="Run the trading engine. Without --data it plays one generated session on the "
        "embedded venue (no real money, no real prices), as fast as --speed says.",
    )
    add = parser.add_argument
    add("--config", type=Path, default=Path("config"), metavar="DIR", help="settings (config)")
    add("--venue", choices=["embedded", "paper", "live"], help="where orders go (settings.yaml)")
    add("--data", type=Path, metavar="FILE", help="real minute bars: .csv, .csv.gz or .parquet")
    add("--speed", type=_speed, default=600.0, metavar="X", help="market time per time (600)")
    add("--clock", choices=["wall", "virtual"], default="wall", help="virtual: as fast as it goes")
    add("--seed", type=int, default=0, metavar="N", help="of the generated session (0)")
    add("--dry-run", action="store_true", help="everything but the send of orders")
    add("--state-dir", type=Path, metavar="DIR", help="ledger, lock, sockets (state/embedded)")
    add("--log-dir", type=Path, metavar="DIR", help="the journal (logs/embedded)")
    return parser


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 1_000_000:
        raise argparse.ArgumentTypeError(f"found {text}, wanted a number over 0, at most 1000000")
    return speed


def _market(arguments: argparse.Namespace, settings: Settings, cache: Path) -> MarketData:
    from hydra.venues.simulated.market_data import from_file, generated

    if arguments.data is not None:
        return from_file(arguments.data, cache)
    symbols = tuple(sorted({bot.ticker for bot in settings.momentum_bots if bot.enabled}))
    return generated(symbols, arguments.seed, cache)


def _refuse(text: str, code: ExitCode) -> int:
    sys.stderr.write(f"{text}\n")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
