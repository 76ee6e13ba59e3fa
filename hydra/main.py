"""`python -m hydra.main`: parse, load, prepare, run, exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfoNotFoundError

from hydra import crash_points, deafness
from hydra.crash_points import NoSuchCrashPoint
from hydra.ops.ending import ended_at_once
from hydra.ops.exit_codes import ExitCode
from hydra.ops.loading import loading
from hydra.ops.no_core import write_no_core
from hydra.ops.spoken import speak_in_any_letters, unusable_name

if TYPE_CHECKING:
    from hydra.ops.as_said import AsSaid
    from hydra.ops.heard import Heard
    from hydra.ops.reload_source import ConfigSource
    from hydra.ops.session import RunOptions
    from hydra.settings import Settings
    from hydra.settings.secrets import Secrets
    from hydra.store.engine_files import EngineFiles
    from hydra.venues.simulated.market_data import MarketData

DEFAULT_SPEED = 600.0
FOR_TESTS = {
    crash_points.VARIABLE: "it ends the process in the middle of its work",
    deafness.VARIABLE: "it keeps the engine from hearing its broker",
}
"""What the environment can switch on, and why no live account is traded with it."""
FOLDER = "the folder of settings.yaml and bots.yaml (config)"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the engine; gives the process's exit code."""
    try:
        with ended_at_once():  # what is to be loaded takes a second
            return _main(argv)
    except KeyboardInterrupt:  # before there was a session to stop in order
        return _refuse("stopped before the session began", ExitCode.CLEAN)


def _main(argv: Sequence[str] | None) -> int:
    write_no_core()
    speak_in_any_letters(sys.stdout, sys.stderr)
    arguments = _parser().parse_args(argv)
    try:
        crash_points.arm_from(os.environ)
        deafness.arm_from(os.environ)
        return _run(arguments)
    except NoSuchCrashPoint as unknown:
        return _refuse(str(unknown), ExitCode.CONFIGURATION_REFUSED)
    except ZoneInfoNotFoundError as missing:
        return _refuse(
            f"time zones: {missing.args[0]}; wanted those of the exchange and of the settings:"
            " install the tzdata of requirements.lock",
            ExitCode.CONFIGURATION_REFUSED,
        )
    except UnicodeEncodeError as error:
        unusable = unusable_name(error)
        if unusable is None:
            raise
        return _refuse(unusable, ExitCode.USAGE)


def _run(arguments: argparse.Namespace) -> int:
    # Imported here, so that `--help` and a wrong option answer at once.
    with loading():
        from hydra.ops import installed
        from hydra.ops.broker_account import NoAccount
        from hydra.ops.config.loosening import Unaccepted, require_accepted
        from hydra.ops.places import files_of_venue
        from hydra.plugins import fault_in_plugin, fault_in_signal
        from hydra.settings import SettingsRefused, VenueName
        from hydra.settings.configuration import load_configuration
        from hydra.settings.mode import lacking, mode_disagreement
        from hydra.store.engine_files import NamesClash
        from hydra.store.engine_lock import HeldByAnother
        from hydra.store.journal_files import BEGIN_ANEW, JournalDamaged
        from hydra.store.record import RECORD_REFUSED
        from hydra.store.schema import NewerThanThisHydra
        from hydra.terms import traded_symbols
        from hydra.venues.simulated.request_log import VenueLogFailed, VenueLogRefused

    said = _said(arguments)
    try:
        found = load_configuration(
            arguments.config,
            Path(".env"),
            os.environ,
            venue=VenueName(arguments.venue) if arguments.venue else None,
            signal_check=fault_in_signal,
            plugin_check=fault_in_plugin,
        )
    except SettingsRefused as refused:
        return _refuse(str(refused), ExitCode.CONFIGURATION_REFUSED)
    settings, secrets = found.settings, found.secrets
    mode = settings.broker.venue
    switched = [name for name in FOR_TESTS if name in os.environ]
    if mode is VenueName.LIVE and switched:
        name = switched[0]
        return _refuse(
            f"{name}: found {os.environ[name]!r} with venue live; wanted it unset, because"
            f" {FOR_TESTS[name]}; unset it",
            ExitCode.CONFIGURATION_REFUSED,
        )
    mixed_up = mode_disagreement(mode, secrets, secrets.live_switch)
    if mixed_up is not None:
        return _refuse(mixed_up, ExitCode.PAPER_LIVE_MISMATCH)
    lacks = lacking(mode, secrets)
    if lacks:
        return _refuse("\n".join(lacks), ExitCode.CONFIGURATION_REFUSED)
    try:
        files = files_of_venue(settings, arguments.state_dir, arguments.log_dir)
    except NamesClash as clash:
        return _refuse(f"{arguments.config}: {clash}", ExitCode.CONFIGURATION_REFUSED)
    try:
        require_accepted(files.configurations, settings)
    except Unaccepted as unaccepted:
        return _refuse(said.in_words(str(unaccepted)), ExitCode.CONFIGURATION_REFUSED)
    unfit = installed.unfit()
    if unfit:
        return _refuse("\n".join(unfit), ExitCode.CONFIGURATION_REFUSED)
    if not traded_symbols(settings):
        return _refuse(
            f"{arguments.config / 'bots.yaml'}: found no enabled bot; wanted at least one; set "
            "enabled: true for one of momentum_bots, or for cryptobot",
            ExitCode.CONFIGURATION_REFUSED,
        )
    play = _play_embedded if mode is VenueName.EMBEDDED else _play_at_the_broker
    try:
        return play(arguments, settings, secrets, files)
    except NoAccount as none:
        return _refuse(said.in_words(str(none)), none.code)
    except HeldByAnother as held:
        return _refuse(str(held), ExitCode.HELD_BY_ANOTHER)
    except NewerThanThisHydra as newer:
        return _refuse(said.in_words(str(newer)), ExitCode.VERSION_FENCE)
    except JournalDamaged as bad:
        return _refuse(said.in_words(f"{bad}; {BEGIN_ANEW}"), ExitCode.DURABILITY_REFUSED)
    except (*RECORD_REFUSED, VenueLogFailed, VenueLogRefused) as bad:
        return _refuse(said.in_words(str(bad)), ExitCode.DURABILITY_REFUSED)
    except OSError as error:
        return _refuse(
            f"{error.filename or files.ledger.parent}: {error.strerror or error}; wanted folders "
            "of our own to write to; check --state-dir and --log-dir",
            ExitCode.DURABILITY_REFUSED,
        )


def _play_embedded(
    arguments: argparse.Namespace, settings: Settings, secrets: Secrets, files: EngineFiles
) -> int:
    with loading():
        from hydra.ops.heard import heard_by
        from hydra.ops.run import run_embedded
        from hydra.store.redaction import Redactor
        from hydra.terms import traded_symbols
        from hydra.venues.bar_rows import BadData

    try:
        data = _market(arguments, settings, files.cache)
    except BadData as bad:
        return _refuse(str(bad), ExitCode.USAGE)
    symbols = traded_symbols(settings)
    if not set(symbols) & set(data.symbols):
        return _refuse(
            f"{arguments.data or 'the market'}: found {', '.join(data.symbols)}; wanted one of "
            f"{', '.join(symbols)}, which the enabled bots of "
            f"{arguments.config / 'bots.yaml'} trade; enable a bot for it or use other data",
            ExitCode.CONFIGURATION_REFUSED,
        )
    speed = None if arguments.clock == "virtual" else arguments.speed or DEFAULT_SPEED

    def run(heard: Heard) -> int:
        options = _options(arguments, secrets, speed, heard)
        return run_embedded(
            settings,
            data,
            files,
            options,
            heard.text if options.screen is None else options.screen.text,
            Redactor(secrets.values()),
            source=arguments.data,
        )

    return heard_by(sys.stdout, run)


def _play_at_the_broker(
    arguments: argparse.Namespace, settings: Settings, secrets: Secrets, files: EngineFiles
) -> int:
    with loading():
        from hydra.ops.heard import heard_by
        from hydra.ops.run_broker import run_broker
        from hydra.store.redaction import Redactor
        from hydra.venues.alpaca.access import Access, addresses_of
        from hydra.venues.alpaca.network import Network

    mode = settings.broker.venue
    only_embedded = {
        "--data": arguments.data,
        "--speed": arguments.speed,
        "--seed": arguments.seed,
        "--clock virtual": arguments.clock == "virtual",
    }
    said = [option for option, value in only_embedded.items() if value]
    if said:
        return _refuse(
            f"found {' and '.join(said)} with venue {mode.value}; the broker's market goes its own"
            " way: leave it out, or use --venue embedded",
            ExitCode.USAGE,
        )
    key_id, secret = secrets.alpaca_key, secrets.alpaca_secret
    assert key_id is not None and secret is not None, "they would be lacking"
    network = Network(loopback_only=secrets.network_disabled)

    def run(heard: Heard) -> int:
        options = _options(arguments, secrets, 1.0, heard)
        return run_broker(
            settings,
            Access(addresses_of(mode), key_id, secret, network),
            files,
            options,
            heard.text if options.screen is None else options.screen.text,
            Redactor(secrets.values()),
        )

    return heard_by(sys.stdout, run)


def _options(
    arguments: argparse.Namespace, secrets: Secrets, speed: float | None, heard: Heard
) -> RunOptions:
    from hydra.ops.live_view_screen import screen_for
    from hydra.ops.session import RunOptions

    return RunOptions(
        seed=arguments.seed,
        speed=speed,
        dry_run=arguments.dry_run,
        loops=1 if arguments.once else arguments.loops,
        kill_switch=secrets.kill_switch,
        kill_switch_file=secrets.kill_switch_file,
        strategy_mode=secrets.strategy_mode,
        source=_source(arguments),
        screen=None if arguments.plain or speed is None else screen_for(heard.text),
        said=_said(arguments),
    )


def _said(arguments: argparse.Namespace) -> AsSaid:
    from hydra.ops.as_said import as_said

    return as_said(arguments.venue, arguments.config, arguments.state_dir, arguments.log_dir)


def _source(arguments: argparse.Namespace) -> ConfigSource:
    """The settings again, read as above."""
    from hydra.ops.reload_source import ConfigSource
    from hydra.plugins import fault_in_plugin, fault_in_signal
    from hydra.settings import VenueName

    return ConfigSource(
        arguments.config,
        venue=VenueName(arguments.venue) if arguments.venue else None,
        signal_check=fault_in_signal,
        plugin_check=fault_in_plugin,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hydra.main",
        description="Run the trading engine. Without --data it plays one generated session on the "
        "embedded venue (no real money, no real prices), as fast as --speed says. With --venue "
        "paper or live it trades on that account at Alpaca until it is stopped.",
        epilog="Ctrl-C stops it in order. While it runs, in a second terminal: hydra-trader "
        "status, why, halt, resume, debug top; hydra-trader --help lists them all.",
    )
    add = parser.add_argument
    add("--config", type=Path, default=Path("config"), metavar="DIR", help=FOLDER)
    add(
        "--venue",
        choices=["embedded", "paper", "live"],
        help="where orders go: the venue that is built in, or an account at Alpaca (settings.yaml)",
    )
    add(
        "--data",
        type=Path,
        metavar="FILE",
        help="real minute bars: .csv, .csv.gz or .parquet, or a MANIFEST.yaml of several files",
    )
    add(
        "--speed",
        type=_speed,
        metavar="X",
        help=f"so many times as fast as the market was ({DEFAULT_SPEED:g})",
    )
    add(
        "--clock",
        choices=["wall", "virtual"],
        default="wall",
        help="wall: market time goes by --speed (wall); virtual: nothing is waited for",
    )
    add(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="another number, another generated session (0)",
    )
    how_long = parser.add_mutually_exclusive_group()
    how_long.add_argument(
        "--once",
        action="store_true",
        help="one loop (runner.loop_interval_seconds), then a clean stop; exit code 14 if preflight"
        " does not pass",
    )
    how_long.add_argument("--loops", type=_loops, metavar="N", help="the same after so many loops")
    add("--dry-run", action="store_true", help="do everything but send orders")
    add(
        "--plain",
        action="store_true",
        help="say it line by line on a terminal too, without the live view",
    )
    add(
        "--state-dir",
        type=Path,
        metavar="DIR",
        help="keep ledger, lock and sockets here (state/VENUE)",
    )
    add("--log-dir", type=Path, metavar="DIR", help="keep the journal here (logs/VENUE)")
    return parser


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 1_000_000:
        raise argparse.ArgumentTypeError(f"found {text}, wanted a number over 0, at most 1000000")
    return speed


def _loops(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 1_000_000):
        raise argparse.ArgumentTypeError(
            f"found {text}, wanted a whole number of loops from 1 to 1000000"
        )
    return int(text)


def _market(arguments: argparse.Namespace, settings: Settings, cache: Path) -> MarketData:
    from hydra.ops.generated_market import generated_market
    from hydra.venues.simulated.market_data import from_path

    if arguments.data is not None:
        return from_path(arguments.data, cache)
    is_virtual = arguments.clock == "virtual"
    return generated_market(settings, arguments.seed, cache, is_virtual=is_virtual)


def _refuse(text: str, code: ExitCode) -> int:
    sys.stderr.write(f"{text}\n")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
