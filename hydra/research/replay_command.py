"""`hydra-trader replay`: a stretch of the past through the whole engine, in virtual time."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import typer

from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import CONFIG, ConfigDir, Json, end, one_line_for_faults
from hydra.research.replay_options import (
    BarsOf,
    Bots,
    Cash,
    Data,
    End,
    EnvDates,
    Fees,
    Interval,
    Jobs,
    Label,
    NoSheet,
    OutputDir,
    Overrides,
    Parameters,
    Recorded,
    Seed,
    Slippage,
    Sort,
    Start,
    Strategy,
    Symbols,
    Window,
    Zone,
)

if TYPE_CHECKING:
    from decimal import Decimal

    from hydra.research.overrides import Choice, Configurable, Grid
    from hydra.research.recorded_day import RecordedDay
    from hydra.research.replay_data import ReplayData
    from hydra.research.replay_run import Outcome, ReplayPlan
    from hydra.research.slippage import UnderSlippage
    from hydra.research.window import AskedWindow
    from hydra.settings import Settings
    from hydra.venues.simulated.terms import VenueTerms

HISTORY_BARS = 10**9
"""Of each symbol, from before the window: all that there are. How many a strategy wants to start
warm is a matter of its parameters, and of how long its bars are; the data feed keeps no more.
"""
BPS = 10_000
CASH_MAX = 10**12
"""USD. With nothing an account is below all its limits at once, so the engine never opens; and far
above this the venue's own figures end.
"""
DIFFERENT = 1
_OF_THE_DATA = frozenset(
    ("data", "start", "until", "window", "tz", "allow_env_dates", "symbol", "interval")
)
TRADES_SHOWN = 40
TOLD_EVERY = 500
"""Bars: the bar on the screen costs more than a bar of the market."""


def replay(
    context: typer.Context,
    data: Data = None,
    session: Recorded = None,
    bars_of: BarsOf = None,
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
    set_: Overrides = None,
    sort: Sort = None,
    jobs: Jobs = None,
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
    guard_regret.csv, the tables of a session's bundle, and ledger and journal,
    which `why`, `verify` and `export` read. The same words and data leave the
    same bytes.

    With --session the messages of a recorded day are handled once more, each
    where it was, and the first that differs is shown with both sides. With
    --bars-of that day is played anew, by settings and terms of your choice.

    Ctrl-C ends it where it is: its files are of the bars played until then,
    and say so.

    Exit code 0: it was played, or the session was the same; 1: it differs, or
    its recording ends early; 2: the window, the data or an option is not fit,
    and nothing was made; 10: the settings are not; 13: a file cannot be written;
    20: the engine failed closed.
    """
    if session is not None:
        _require_session_alone(context)
        _replay_session(session, as_json=json)
        return
    from msgspec import structs

    from hydra.research.overrides import BadOverride
    from hydra.research.run_table import BadSort, sorted_runs
    from hydra.research.selection import BadSelection
    from hydra.research.slippage import BadSlippage, slippages_in
    from hydra.research.window import AskedWindow, BadReplayWindow, window_of
    from hydra.settings.strategy_mode import as_selected
    from hydra.venues.bar_rows import BadData

    try:
        sorted_runs((), sort)  # a figure that there is not is refused before anything is played
        asked = AskedWindow(timezone_label="UTC")
        if bars_of is None:
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
        files = _configurable(config)
        grid = files.grid(set_ or [])
        remarks: tuple[str, ...] = ()
        if bars_of is None:
            found = _data(data or [], asked, symbol or [], interval, files.settings())
        else:
            day = _day(context, bars_of, as_selected(files.settings()))
            found, remarks = day.data, day.remarks
            if day.cash is not None and not _is_typed(context, "cash"):
                terms = structs.replace(terms, starting_cash=day.cash)

        def settings_of(choice: Choice) -> Settings:
            started = as_selected(files.settings(choice))
            return _selected(started, found, bot or [], strategy, param or [])

        settings = settings_of(grid.choices[0])
    except (BadReplayWindow, BadData, BadOverride, BadSelection, BadSlippage, BadSort) as bad:
        end(str(bad), ExitCode.USAGE)
    plan = _plan(settings, found, terms, seed, label, output_dir, with_sheet=not no_tear_sheet)
    if len(grid.choices) > 1 and len(slippages) > 1:
        end(
            "found --set with several values and several --slippage-bps; wanted one of the two;"
            " take one away",
            ExitCode.USAGE,
        )
    if not json:
        _say_what_is_played(plan, asked)
        for remark in remarks:
            _say(remark)
    if len(slippages) > 1:
        _show_stress(plan, slippages, as_json=json)
    elif len(grid.choices) > 1:
        _show_runs(plan, grid, settings_of, sort, jobs, as_json=json)
    else:
        _show(plan, _played(plan), as_json=json)


def _require_session_alone(context: typer.Context) -> None:
    """What is passed over would be taken to count: "the same" would be said of other settings."""
    others = [
        option.opts[0]
        for option in context.command.params
        if option.name not in ("session", "json") and _is_typed(context, option.name)
    ]
    if others:
        end(
            f"found --session with {', '.join(others)}; wanted the session alone, which has its own"
            " bars, window, configuration and terms; take the rest away",
            ExitCode.USAGE,
        )


def _is_typed(context: typer.Context, name: str | None) -> bool:
    """Whether the option was given by a person: it is no default, and not of the environment."""
    source = context.get_parameter_source(name or "")
    return source is not None and source.name == "COMMANDLINE"


def _day(context: typer.Context, bundle: Path, settings: Settings) -> RecordedDay:
    from hydra.research.recorded_day import NoRecordedDay, recorded_day

    others = [
        option.opts[0]
        for option in context.command.params
        if option.name in _OF_THE_DATA and _is_typed(context, option.name)
    ]
    if others:
        end(
            f"found --bars-of with {', '.join(others)}; wanted one of the two, as the session has"
            " its own bars and window; take the rest away",
            ExitCode.USAGE,
        )
    try:
        with one_line_for_faults():
            return recorded_day(bundle, settings, history=HISTORY_BARS)
    except NoRecordedDay as none:
        end(str(none), ExitCode.USAGE)


def _replay_session(folder: Path, *, as_json: bool) -> None:
    import msgspec

    from hydra.research.interrupting import interruptible
    from hydra.research.recorded import NotRecorded, in_words, replay_session
    from hydra.runtime.recording import RecordingDamaged

    try:
        with one_line_for_faults(), interruptible() as is_stopping:
            found = replay_session(folder, is_stopping=is_stopping)
    except (NotRecorded, RecordingDamaged) as bad:
        end(str(bad), ExitCode.USAGE)
    if as_json:
        told = {**msgspec.to_builtins(found, enc_hook=str), "is_same": found.is_same}
        _say(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    else:
        for line in in_words(found):
            _say(line)
    if not found.is_same:
        raise typer.Exit(DIFFERENT)


def _say_what_is_played(plan: ReplayPlan, asked: AskedWindow) -> None:
    from hydra.research.replay_run import told_of

    if asked.environment_keys:
        keys = " and ".join(asked.environment_keys)
        _say(f"the window is that of {keys} in the environment")
    for line in told_of(plan):
        _say(line)


def _terms(slippage_bps: Decimal, fees: str, cash: str) -> VenueTerms:
    from hydra.venues.simulated.terms import VenueTerms

    fee, starting_cash = _decimal("--fees", fees), _decimal("--cash", cash)
    if not 0 <= fee < BPS:
        end(
            f"--fees: found {fees!r}; wanted at least 0 and under {BPS} basis points; correct it",
            ExitCode.USAGE,
        )
    if not 1 <= starting_cash * 100 <= CASH_MAX * 100:
        end(
            f"--cash: found {cash!r}; wanted from 0.01 to {CASH_MAX} USD; correct it",
            ExitCode.USAGE,
        )
    return VenueTerms(slippage_bps=slippage_bps, crypto_fee_bps=fee, starting_cash=starting_cash)


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


def _configurable(config: Path) -> Configurable:
    from hydra.plugins import fault_in_plugin, fault_in_signal
    from hydra.research.overrides import Configurable
    from hydra.settings import SettingsRefused, VenueName

    try:
        return Configurable.read(
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
    """The bots that were asked for. Raises `BadSelection`."""
    from hydra.research.selection import BadSelection, with_bots, with_strategy

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
        wanted = ", ".join(traded_symbols(settings, with_options=False))
        if settings.optionsbot.enabled:
            none = "options are not traded in a replay"
            wanted = f"{wanted} ({none})" if wanted else f"nothing, as {none}"
        wanted = wanted or "nothing, as no bot is enabled"
        end(
            f"found bars of {', '.join(found.market.symbols)}; wanted some of what the enabled bots"
            f" trade: {wanted}; enable a bot for it, take other data, or name a --strategy",
            ExitCode.CONFIGURATION_REFUSED,
        )
    return plan


def _played(plan: ReplayPlan) -> Outcome:
    from hydra.ops.ending import StopSignals
    from hydra.research.replay_run import FolderInTheWay, NotKept, run_replay

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
    except NotKept as full:
        end(str(full), ExitCode.DURABILITY_REFUSED)
    except OSError as error:
        where = error.filename or plan.folder
        end(f"{where}: {error.strerror or error}", ExitCode.DURABILITY_REFUSED)
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


def _show_runs(
    plan: ReplayPlan,
    grid: Grid,
    settings_of: Callable[[Choice], Settings],
    sort: str | None,
    jobs: int | None,
    *,
    as_json: bool,
) -> None:
    """Every run of the grid, as a table, and in the folder as two files; the table also where the
    files cannot be written: it may be of hours.
    """
    from hydra.ops.ending import StopSignals
    from hydra.research.replay_run import FolderInTheWay, made_folder
    from hydra.research.run_table import (
        as_json as runs_as_json,
    )
    from hydra.research.run_table import show_runs, shown_progress, sorted_runs, write_runs
    from hydra.research.runs import run_grid

    try:
        with one_line_for_faults():
            made_folder(plan.folder)
    except FolderInTheWay as taken:
        end(str(taken), ExitCode.USAGE)
    stopping = Event()
    with one_line_for_faults(), StopSignals(stopping.set), shown_progress() as seen:
        runs = run_grid(
            grid,
            settings_of,
            plan.data.market,
            plan.terms,
            plan.seed,
            history=plan.data.history,
            ends_at=plan.data.ends_at,
            jobs=jobs,
            seen=seen,
            is_stopping=stopping.is_set,
        )
    found = sorted_runs(runs, sort)
    if as_json:
        sys.stdout.write(runs_as_json(found).decode())
    else:
        show_runs(found, grid)
    with one_line_for_faults():
        write_runs(plan.folder, runs, grid)
    if not as_json:
        _say(f"all of it: {plan.folder}")


def _show(plan: ReplayPlan, outcome: Outcome, *, as_json: bool) -> None:
    from hydra.ops.summary import HEADING, total_lines, trade_line
    from hydra.research.metrics import as_json as metrics_json
    from hydra.research.regret import table_of
    from hydra.research.replay_run import closed_at_the_end, stopped_after

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
    if outcome.regret.guards:
        for line in table_of(outcome.regret):
            _say(line)
    for failure in done.failed:
        _say(str(failure))
    if stopped := stopped_after(plan, done):
        _say(stopped)
    for line in closed_at_the_end(done):
        _say(line)
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

        told = 0

        def seen(done: int) -> None:
            nonlocal told
            if done - told >= TOLD_EVERY:  # many symbols have a bar at once
                told = done
                shown.update(task, completed=done)

        yield seen
