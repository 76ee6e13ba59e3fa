"""`hydra-trader gate`: is a session the same when it is replayed? And may there be a release?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
    from datetime import datetime
    from decimal import Decimal

    from hydra.research.blocker import Verdict
    from hydra.research.gate import GateReport, GateTerms
    from hydra.store.engine_files import EngineFiles

RED = 1
"""The exit code of a finding that blocks; the others are those of every command."""
HOURS = 24
REASONS_MAX = 20
"""In the blocker."""

app = typer.Typer()

Session = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="The bundle of one session; without it, the newest session's.",
        show_default=False,
    ),
]
Data = Annotated[
    list[Path] | None,
    typer.Option(
        "--data",
        metavar="FILE",
        help="Replay these bars; without it, those that the session received, by its recording.",
        show_default=False,
    ),
]
Interval = Annotated[
    str | None,
    typer.Option(
        metavar="LENGTH",
        envvar="HYDRA_GATE_INTERVAL",
        help="Of the bars in --data, where a database has several: 1m, 5m, 1h.",
        show_default=False,
    ),
]
WindowMinutes = Annotated[
    int,
    typer.Option(
        min=1,
        metavar="N",
        envvar="HYDRA_GATE_WINDOW_MINUTES",
        help="How much of the session counts.",
    ),
]
LagMinutes = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="N",
        envvar="HYDRA_GATE_LAG_MINUTES",
        help="How long before the session's end that window ends.",
    ),
]
MinTrades = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="N",
        envvar="HYDRA_GATE_MIN_LIVE_TRADES",
        help="So many trades of the session there have to be in it, else it is red.",
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict-no-residuals/--no-strict-no-residuals",
        envvar="HYDRA_GATE_STRICT_NO_RESIDUALS",
        help="Whether a trade that one side alone has is red, or only told.",
    ),
]
TimeTolerance = Annotated[
    int,
    typer.Option(min=0, metavar="BARS", help="So many bars may lie between the same trade twice."),
]
PriceTolerance = Annotated[
    str,
    typer.Option(metavar="BPS", help="So many basis points may lie between its prices."),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="DIR",
        help="The folder of settings.yaml and bots.yaml.",
        show_default=str(CONFIG),
    ),
]
Hours = Annotated[
    int,
    typer.Option(
        min=1,
        max=168,
        metavar="N",
        envvar="HYDRA_GATE_VALID_HOURS",
        help="For how long the finding is good; then it is stale, which blocks.",
    ),
]
GateDir = Annotated[
    Path | None,
    typer.Option(
        "--gate-dir",
        metavar="DIR",
        envvar="HYDRA_GATE_BUNDLE_ROOT",
        help="Where release_blocker.json and the gate's bundles lie. Else replay_gate/, beside"
        " the folder of the sessions.",
        show_default=False,
    ),
]


@app.callback(invoke_without_command=True)
def gate(
    context: typer.Context,
    session: Session = None,
    data: Data = None,
    interval: Interval = None,
    window_minutes: WindowMinutes = 240,
    lag_minutes: LagMinutes = 2,
    min_live_trades: MinTrades = 1,
    strict_no_residuals: Strict = True,
    time_tolerance: TimeTolerance = 2,
    price_tolerance_bps: PriceTolerance = "25",
    valid_hours: Hours = HOURS,
    gate_dir: GateDir = None,
    venue: ForVenue = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Replay a session in two ways, and say whether there may be a release.

    First its recording, message by message: it has to end in the same state.
    Then, in virtual time, the bars that it had: the trades have to be those of
    the session, within the tolerances. A folder with report.md, report.json
    and the replay itself says what was found; release_blocker.json says green
    or red. While it is checked, and if the check is killed, it says red.

    Exit code 0: green; 1: red, with the reasons; 2: there is no such session
    (which is red too), or an option is not fit; 10: the settings are not; 11:
    another check runs; 13: it cannot be written.
    """
    context.obj = {
        "gate_dir": gate_dir,
        "venue": venue,
        "config": config,
        "state_dir": state_dir,
        "json": json,
    }
    if context.invoked_subcommand is not None:
        return
    from hydra.ops.artefacts.reading import NoBundle
    from hydra.research.gate import GateTerms

    terms = GateTerms(
        window_minutes=window_minutes,
        lag_minutes=lag_minutes,
        min_live_trades=min_live_trades,
        strict_no_residuals=strict_no_residuals,
        time_tolerance_bars=time_tolerance,
        price_tolerance_bps=_bps(price_tolerance_bps),
    )
    files, _, said = files_meant(config, venue, state_dir, log_dir)
    folder = gate_dir or gate_folder(files)
    try:
        with one_line_for_faults(said):
            report, place = _checked(
                session, terms, folder, data or [], interval, files, config, valid_hours
            )
    except NoBundle as none:
        end(str(none), ExitCode.USAGE)
    _show(report, place, as_json=json)
    raise typer.Exit(RED if report.reasons else 0)


@app.command()
def status(
    context: typer.Context,
    gate_dir: GateDir = None,
    venue: ForVenue = None,
    config: Config = None,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Say whether there may be a release: what release_blocker.json says, and whether it counts.

    Exit code 0: green, and fresh; 1: missing, unreadable, stale or red, also
    where an override stands; 10: the settings are not fit.
    """
    from hydra.research.blocker import verdict_in

    folder = _folder_meant(
        context, gate_dir=gate_dir, venue=venue, config=config, state_dir=state_dir
    )
    verdict = verdict_in(folder, _now())
    _show_verdict(verdict, as_json=json or context.obj["json"])
    raise typer.Exit(0 if verdict.blocked is None else RED)


@app.command()
def override(
    context: typer.Context,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why: it stays on record.")
    ],
    who: Annotated[str, typer.Option("--who", metavar="NAME", help="Who answers for it.")],
    hours: Annotated[
        int, typer.Option(min=1, max=168, help="For how long it holds, if no check ends it before.")
    ],
    gate_dir: GateDir = None,
    venue: ForVenue = None,
    config: Config = None,
    state_dir: StateDir = None,
) -> None:
    """Let a release through that the gate blocks: for emergencies, with name, reason and end.

    It holds for the finding as it is now: the next check ends it. Each one
    stays in overrides.jsonl.

    Exit code 0: it holds; 2: there is nothing to override, or what was given is not
    fit; 10: the settings are not; 13: it cannot be written.
    """
    from datetime import timedelta

    from hydra.research import blocker
    from hydra.store.private_files import make_private_folder

    folder = _folder_meant(
        context, gate_dir=gate_dir, venue=venue, config=config, state_dir=state_dir
    )
    now = _now()
    try:
        with one_line_for_faults():
            make_private_folder(folder)
            given = blocker.override(
                folder, who=who, why=reason, now=now, until=now + timedelta(hours=hours)
            )
    except blocker.BadOverride as bad:
        end(str(bad), ExitCode.USAGE)
    _say(f"{given.who} overrides until {given.until.isoformat(timespec='seconds')}: {given.why}")
    _say(f"what is overridden: {given.blocked}")


def _folder_meant(context: typer.Context, **said: Any) -> Path:
    """What was said behind the verb goes before what was said before it."""
    meant = {name: said[name] or context.obj[name] for name in said}
    gate_dir: Path | None = meant["gate_dir"]
    if gate_dir is not None:
        return gate_dir
    return gate_folder(files_meant(meant["config"], meant["venue"], meant["state_dir"], None).files)


def gate_folder(files: EngineFiles) -> Path:
    """Where a venue's blocker lies: replay_gate/ beside the folder that has its sessions."""
    runs = files.runs
    if runs.name == "runs":
        return runs.parent / "replay_gate"
    return runs.parent.parent / "replay_gate" / runs.name


def _checked(
    session: Path | None,
    terms: GateTerms,
    folder: Path,
    paths: list[Path],
    interval: str | None,
    files: EngineFiles,
    config: Path,
    valid_hours: int,
) -> tuple[GateReport, Path]:
    """Red first, then the check, then what it found. Raises NoBundle, which leaves red as well."""
    from datetime import timedelta
    from functools import partial

    from hydra.ops.artefacts.reading import NoBundle, newest_in
    from hydra.research import blocker, gate, gate_inputs
    from hydra.research.gate_files import write_report
    from hydra.research.interrupting import interruptible
    from hydra.research.recorded import replay_session
    from hydra.store.folder_lock import held_alone
    from hydra.store.private_files import make_private_folder

    make_private_folder(folder)
    with held_alone(folder, "gate"):
        began = _now()
        blocker.write_red(folder, blocker.UNDER_WAY, began)
        try:
            bundle = gate.bundle_in(newest_in(files.runs) if session is None else session)
        except NoBundle as none:
            blocker.write_red(folder, str(none), began)
            raise
        place = _new_folder(folder, began)
        with interruptible() as is_stopping:
            report = gate.checked(
                bundle,
                terms,
                settings=partial(gate_inputs.settings_of, bundle, config),
                data=partial(gate_inputs.data_of, bundle, paths, interval, files.cache),
                folder=place / gate.REPLAY,
                replays=partial(replay_session, is_stopping=is_stopping),
                is_stopping=is_stopping,
            )
        write_report(place, report)
        ended = _now()
        found = blocker.Blocker(
            status=report.status,
            reasons=_some_of(report.reasons),
            checked_at=ended,
            valid_until=ended + timedelta(hours=valid_hours),
            session=report.session,
            versions=report.versions,
            bundle=place.name,
        )
        blocker.write_blocker(folder, found)
    return report, place


def _some_of(reasons: tuple[str, ...]) -> tuple[str, ...]:
    """Enough to see what is the matter; the report has all of them."""
    left = len(reasons) - REASONS_MAX
    return reasons if left <= 0 else (*reasons[:REASONS_MAX], f"and {left} more in the report")


def _new_folder(folder: Path, now: datetime) -> Path:
    """Named for the time of the check; two within a second are two."""
    from contextlib import suppress
    from itertools import count

    from hydra.store.private_files import FOLDER_RIGHTS

    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    for number in count(1):
        place = folder / (stamp if number == 1 else f"{stamp}-{number}")
        with suppress(FileExistsError):
            place.mkdir(mode=FOLDER_RIGHTS)
            return place
    raise AssertionError("numbers have no end")


def _show(report: GateReport, place: Path, *, as_json: bool) -> None:
    from hydra.research.gate_files import as_json as report_json

    if as_json:
        sys.stdout.write(report_json(report).decode())
        return
    _say(f"session {report.session}: {report.status}")
    for reason in report.reasons:
        _say(f"- {reason}")
    if report.trades.of_options:
        _say(f"left out: {report.trades.of_options} trades of options, which no replay has")
    if report.trades.of_signals:
        _say(f"left out: {report.trades.of_signals} trades on signals from outside")
    found = report.trades.alignment
    if found is not None:
        _say(
            f"trades: {len(found.pairs)} on both sides, {len(found.differing)} of them differing,"
            f" {found.residuals} on one side alone"
        )
    if not report.recording.fault:
        _say(f"recording: {report.recording.messages:,} messages replayed")
    _say(f"report: {place / 'report.md'}")


def _show_verdict(verdict: Verdict, *, as_json: bool) -> None:
    if as_json:
        import msgspec

        content = {"may_release": verdict.may_release, **msgspec.to_builtins(verdict)}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(content), indent=2).decode())
        _say("")
        return
    if verdict.blocked is None:
        assert verdict.blocker is not None, "only a file says green"
        until = verdict.blocker.valid_until.isoformat(timespec="seconds")
        _say(f"green: session {verdict.blocker.session}, good until {until}")
        return
    _say(f"blocked: {verdict.blocked}")
    if verdict.override is not None:
        until = verdict.override.until.isoformat(timespec="seconds")
        _say(f"overridden by {verdict.override.who} until {until}: {verdict.override.why}")
    if verdict.not_overridden:
        _say(verdict.not_overridden)


def _bps(text: str) -> Decimal:
    from decimal import Decimal, InvalidOperation

    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(-1)
    if not (value.is_finite() and value >= 0):
        end(
            f"--price-tolerance-bps: found {text!r}; wanted a number of at least 0, such as 25;"
            " correct it",
            ExitCode.USAGE,
        )
    return value


def _now() -> datetime:
    from datetime import UTC, datetime

    return datetime.now(UTC)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
