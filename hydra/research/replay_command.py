"""`hydra-trader replay`: a stretch of the past through the whole engine, in virtual time."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import CONFIG, ConfigDir, Json, end

if TYPE_CHECKING:
    from decimal import Decimal

    from hydra.research.replay_data import ReplayData
    from hydra.research.replay_run import Outcome, ReplayPlan
    from hydra.research.slippage import UnderSlippage
    from hydra.research.window import AskedWindow
    from hydra.settings import Settings
    from hydra.venues.simulated.terms import VenueTerms

PANEL_DATA, PANEL_TERMS, PANEL_BOTS = "What is played", "On which terms", "By whom"
HISTORY_BARS = 1_000
"""Of each symbol, from before the window: as many as any strategy wants to start warm."""
TRADES_SHOWN = 40
TOLD_EVERY = 500
"""Bars: the bar on the screen costs more than a bar of the market."""

Data = Annotated[
    list[Path],
    typer.Option(
        "--data",
        metavar="FILE",
        help="Bars: .csv, .csv.gz, .parquet, a manifest (.yaml) or a candle database (.db)."
        " Several are one market.",
        rich_help_panel=PANEL_DATA,
    ),
]
Start = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="The first moment: a date, or an ISO time.",
        rich_help_panel=PANEL_DATA,
        show_default=False,
    ),
]
End = Annotated[
    str | None,
    typer.Option(
        "--end",
        metavar="TIME",
        help="The first moment after it: of a day, the day after.",
        rich_help_panel=PANEL_DATA,
        show_default=False,
    ),
]
Window = Annotated[
    str | None,
    typer.Option(
        metavar="DURATION",
        help="In place of the two: so long back from the end of the data, as P45D or PT12H.",
        rich_help_panel=PANEL_DATA,
        show_default=False,
    ),
]
Zone = Annotated[
    str,
    typer.Option(
        "--tz",
        metavar="ZONE",
        help="The time zone of dates and times without an offset.",
        rich_help_panel=PANEL_DATA,
    ),
]
EnvDates = Annotated[
    bool,
    typer.Option(
        "--allow-env-dates",
        help="Without a window: take HYDRA_REPLAY_START and HYDRA_REPLAY_END, and say so.",
        rich_help_panel=PANEL_DATA,
    ),
]
Symbols = Annotated[
    list[str] | None,
    typer.Option(
        "--symbol",
        metavar="SYMBOL",
        help="Only this one of the data; may be given again.",
        rich_help_panel=PANEL_DATA,
        show_default=False,
    ),
]
Interval = Annotated[
    str | None,
    typer.Option(
        metavar="LENGTH",
        help="Of the bars, where a database has several: 1m, 5m, 1h, 1d.",
        rich_help_panel=PANEL_DATA,
        show_default=False,
    ),
]
Bots = Annotated[
    list[str] | None,
    typer.Option(
        "--bot",
        metavar="ID",
        help="Only this bot of bots.yaml; may be given again.",
        rich_help_panel=PANEL_BOTS,
        show_default=False,
    ),
]
Strategy = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="One momentum bot a share that follows this strategy, in place of the configured"
        " bots; in all else as the first of them.",
        rich_help_panel=PANEL_BOTS,
        show_default=False,
    ),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        metavar="NAME=VALUE",
        help="Of --strategy; may be given again.",
        rich_help_panel=PANEL_BOTS,
        show_default=False,
    ),
]
Slippage = Annotated[
    str,
    typer.Option(
        metavar="BPS",
        help="By how many basis points market and stop orders do worse than the bar's price. A list"
        " (0,2,5,10) plays each, and shows what is left.",
        rich_help_panel=PANEL_TERMS,
    ),
]
Fees = Annotated[
    str,
    typer.Option(
        metavar="BPS",
        help="What the venue keeps of an execution of coins, in basis points; of shares nothing.",
        rich_help_panel=PANEL_TERMS,
    ),
]
Cash = Annotated[
    str,
    typer.Option(metavar="USD", help="What the account begins with.", rich_help_panel=PANEL_TERMS),
]
Seed = Annotated[
    int,
    typer.Option(
        min=0,
        envvar="HYDRA_SEED",
        help="Of everything that is drawn; names the folder too.",
        rich_help_panel=PANEL_TERMS,
    ),
]
Label = Annotated[str, typer.Option(metavar="WORD", help="Names the folder: 0007-WORD.")]
OutputDir = Annotated[
    Path, typer.Option("--output-dir", metavar="DIR", help="In which the folder is made.")
]
NoSheet = Annotated[
    bool, typer.Option("--no-tear-sheet", help="Spare the seconds that drawing takes.")
]


def replay(
    data: Data,
    start: Start = None,
    until: End = None,
    window: Window = None,
    tz: Zone = "UTC",
    allow_env_dates: EnvDates = False,
    symbol: Symbols = None,
    interval: Interval = None,
    bot: Bots = None,
    strategy: Strategy = None,
    param: Parameters = None,
    slippage_bps: Slippage = "0",
    fees: Fees = "25",
    cash: Cash = "100000",
    seed: Seed = 0,
    label: Label = "replay",
    output_dir: OutputDir = Path("replays"),
    no_tear_sheet: NoSheet = False,
    config: ConfigDir = CONFIG,
    json: Json = False,
) -> None:
    """Play a stretch of the past through the whole engine, as fast as it goes.

    The same bots, guards, budgets and exits as in a run, on a venue in this
    process. Nothing looks ahead: a bar is told when it is over, and an order
    is filled by a later one. The window is [start, end) in UTC, and has to be
    named; bars of before it only warm the strategies up.

    It leaves a folder with metrics.json, equity_curve.csv, tear_sheet.html,
    the tables of a session's bundle, and ledger and journal, which `why`,
    `verify` and `export` read. The same words and data leave the same bytes.

    Exit code 0: it was played; 2: the window, the data or an option is not fit,
    and nothing was made; 10: the settings are not; 20: the engine failed closed.
    """
    from hydra.research.replay_run import told_of
    from hydra.research.slippage import BadSlippage, slippages_in
    from hydra.research.window import BadReplayWindow, window_of
    from hydra.venues.bar_rows import BadData

    try:
        asked = window_of(
            start=start,
            end=until,
            window=window,
            tz=tz,
            environment=os.environ if allow_env_dates else None,
        )
        slippages = slippages_in(slippage_bps)
        terms = _terms(slippages[0], fees, cash)
        _require_label(label)
        settings = _settings(config)
        found = _data(data, asked, symbol or [], interval, settings)
        settings = _selected(settings, found, bot or [], strategy, param or [])
    except (BadReplayWindow, BadData, BadSlippage) as bad:
        end(str(bad), ExitCode.USAGE)
    plan = _plan(settings, found, terms, seed, label, output_dir, with_sheet=not no_tear_sheet)
    if not json:
        if asked.environment_keys:
            keys = " and ".join(asked.environment_keys)
            _say(f"the window is that of {keys} in the environment")
        for line in told_of(plan):
            _say(line)
    if len(slippages) > 1:
        _show_stress(plan, slippages, as_json=json)
    else:
        _show(plan, _played(plan), as_json=json)


def _terms(slippage_bps: Decimal, fees: str, cash: str) -> VenueTerms:
    from hydra.venues.simulated.terms import VenueTerms

    try:
        return VenueTerms(
            slippage_bps=slippage_bps,
            crypto_fee_bps=_decimal("--fees", fees),
            starting_cash=_decimal("--cash", cash),
        )
    except ValueError as wrong:
        end(f"{wrong}; correct it", ExitCode.USAGE)


def _decimal(option: str, text: str) -> Decimal:
    from decimal import Decimal, InvalidOperation

    try:
        value = Decimal(text)
    except InvalidOperation:
        end(f"{option}: found {text!r}; wanted a number such as 2.5; correct it", ExitCode.USAGE)
    if not value.is_finite():
        end(f"{option}: found {text!r}; wanted a number such as 2.5; correct it", ExitCode.USAGE)
    return value


def _require_label(label: str) -> None:
    from hydra.research.labels import fault_in_label

    fault = fault_in_label(label)
    if fault is not None:
        end(fault, ExitCode.USAGE)


def _settings(config: Path) -> Settings:
    from hydra.plugins import fault_in_plugin, fault_in_signal
    from hydra.settings import SettingsRefused, VenueName, load_settings

    try:
        return load_settings(
            config,
            venue=VenueName.EMBEDDED,
            signal_check=fault_in_signal,
            plugin_check=fault_in_plugin,
        )
    except SettingsRefused as refused:
        end(str(refused), ExitCode.CONFIGURATION_REFUSED)


def _data(
    paths: list[Path],
    asked: AskedWindow,
    symbols: list[str],
    interval: str | None,
    settings: Settings,
) -> ReplayData:
    from hydra.ops.places import files_of_venue
    from hydra.research.replay_data import replay_data

    return replay_data(
        paths,
        asked,
        symbols=symbols,
        interval=interval,
        history=HISTORY_BARS,
        cache_dir=files_of_venue(settings, None, None).cache,
    )


def _selected(
    settings: Settings,
    found: ReplayData,
    bots: list[str],
    strategy: str | None,
    parameters: list[str],
) -> Settings:
    from hydra.research.selection import BadSelection, with_bots, with_strategy

    try:
        if strategy is not None:
            if bots:
                raise BadSelection(
                    "found --strategy with --bot; wanted one of the two, as the strategy has a bot"
                    " of its own; take one away"
                )
            named = dict(map(_parameter, parameters))
            return with_strategy(settings, strategy, named, found.market.symbols)
        if parameters:
            raise BadSelection(
                "found --param without --strategy; wanted the strategy that it is of; name it, or"
                " change signal.params in bots.yaml"
            )
        return with_bots(settings, bots) if bots else settings
    except BadSelection as bad:
        end(str(bad), ExitCode.USAGE)


def _parameter(text: str) -> tuple[str, object]:
    import msgspec

    name, equals, value = text.partition("=")
    if not (name and equals and value):
        end(f"--param: found {text!r}; wanted NAME=VALUE; correct it", ExitCode.USAGE)
    try:
        return name, msgspec.json.decode(value)
    except msgspec.DecodeError:
        return name, value  # a word


def _plan(
    settings: Settings,
    found: ReplayData,
    terms: VenueTerms,
    seed: int,
    label: str,
    output_dir: Path,
    *,
    with_sheet: bool,
) -> ReplayPlan:
    from hydra.research.replay_run import ReplayPlan, folder_of
    from hydra.terms import traded_symbols

    plan = ReplayPlan(
        settings=settings,
        data=found,
        terms=terms,
        seed=seed,
        label=label,
        folder=folder_of(output_dir, seed, label),
        with_sheet=with_sheet,
    )
    if not plan.bots:
        wanted = ", ".join(traded_symbols(settings)) or "nothing, as no bot is enabled"
        end(
            f"found bars of {', '.join(found.market.symbols)}; wanted some of what the enabled bots"
            f" trade: {wanted}; enable a bot for it, take other data, or name a --strategy",
            ExitCode.CONFIGURATION_REFUSED,
        )
    return plan


def _played(plan: ReplayPlan) -> Outcome:
    from hydra.ops.ending import StopSignals
    from hydra.research.replay_run import FolderInTheWay, run_replay

    stopping = Event()
    try:
        with (
            _failing_closed(),
            StopSignals(stopping.set),
            _progress(plan.data.bars_kept) as seen,
        ):
            outcome = run_replay(plan, seen=seen, is_stopping=stopping.is_set)
    except FolderInTheWay as taken:
        end(str(taken), ExitCode.USAGE)
    except OSError as error:
        where = error.filename or plan.folder
        end(f"{where}: {error.strerror or error}", ExitCode.DURABILITY_REFUSED)
    if stopping.is_set():
        _say("stopped before the end of the window, as it was asked for")
    return outcome


def _show_stress(plan: ReplayPlan, slippages: tuple[Decimal, ...], *, as_json: bool) -> None:
    """The same replay under each slippage; it leaves no files."""
    import msgspec

    from hydra.ops.ending import StopSignals
    from hydra.research.slippage import slippage_stress, table_of

    stopping = Event()
    bars, through = plan.data.bars_kept, count(1)
    before = 0

    def done(_: UnderSlippage) -> None:
        nonlocal before
        before = next(through) * bars

    with _failing_closed(), StopSignals(stopping.set), _progress(bars * len(slippages)) as seen:
        found = slippage_stress(
            plan,
            slippages,
            done=done,
            seen=lambda played: seen(before + played),
            is_stopping=stopping.is_set,
        )
    if as_json:
        _say(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    for line in table_of(found):
        _say(line)


def _show(plan: ReplayPlan, outcome: Outcome, *, as_json: bool) -> None:
    from hydra.ops.summary import HEADING, total_lines, trade_line
    from hydra.research.metrics import as_json as metrics_json

    if as_json:
        sys.stdout.write(metrics_json(outcome.metrics).decode())
        return
    done = outcome.replayed
    shown = done.summary.trades[-TRADES_SHOWN:]
    if len(shown) < len(done.summary.trades):
        _say(f"the last {len(shown)} of {len(done.summary.trades):,} trades:")
    if shown:
        _say(HEADING)
    for trade in shown:
        _say(trade_line(trade))
    for line in total_lines(done.summary):
        _say(line)
    for cause in done.standing:
        _say(f"trading was {cause.state.name} at the end: {cause.detail}")
    _say(f"final equity {outcome.metrics.final_equity:.2f} USD; all of it: {plan.folder}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


@contextmanager
def _failing_closed() -> Iterator[None]:
    """What nothing can be concluded from ends the command, with the reason."""
    from hydra.research.replaying import LookAhead, ReplayFailed

    try:
        yield
    except (LookAhead, ReplayFailed) as failed:
        end(f"FAILED CLOSED: {failed}", ExitCode.FAIL_CLOSED)


@contextmanager
def _progress(bars: int) -> Iterator[Callable[[int], None]]:
    """How far it is and how long it will take, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns: list[Any] = [
        TextColumn("bars"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("bars", total=bars)

        def seen(done: int) -> None:
            if done % TOLD_EVERY == 0:
                shown.update(task, completed=done)

        yield seen
