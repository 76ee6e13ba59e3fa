"""`hydra-trader bridge`: how the account's equity went to what it is, to the cent."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hydra.ops.control.place import Place, place_meant
from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import (
    CONFIG,
    Bars,
    ConfigDir,
    ForVenue,
    Json,
    LogDir,
    StateDir,
    end,
    one_line_for_faults,
)
from hydra.ops.snapshot import Folder, one_line_for_a_broken_one

if TYPE_CHECKING:
    from hydra.ops.track_record.snapshots import Snapshot
    from hydra.trading.account_reading import AccountReading
    from hydra.trading.equity_bridge import EquityBridge

NOT_ZERO = 1
"""The exit code where something is unexplained, or nothing could be told."""

OfDay = Annotated[
    str | None,
    typer.Option(
        "--day",
        metavar="DATE",
        help="The bridge that the track record has of this day, such as 2026-11-23.",
        show_default=False,
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="DATE|FILE",
        help="Begin with the reading of that day's snapshot, or in what `bridge --json` said then."
        " Else with the newest snapshot's, if there is one.",
        show_default=False,
    ),
]


def bridge(
    day: OfDay = None,
    since: Since = None,
    folder: Folder = None,
    data: Bars = None,
    venue: ForVenue = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Show how equity went to what it is: P&L by bot, fees, deposits, and what is
    unexplained, which must be 0.00.

    It reads the venue's account and activities and the ledger, whether the
    engine runs or not, and changes nothing. It begins with the reading in the
    newest snapshot of the track record; where there is none, where the record
    began, or with the last close, as far as the venue tells of it. Each
    difference is named.

    Exit code 0: all is explained, to the last digit; 1: something is not, or
    the beginning is not known; 2: usage, or nothing was ever traded here; 11:
    an engine has the record and does not answer; 14: the account could not be
    read; 15: keys, account and record are not of one account; 10: the settings
    are not fit; 13: the record cannot be read.
    """
    from hydra.ops.equity.reading import NotRead

    if day is not None and since is not None:
        end("found --day and --since; wanted one: --day shows what was kept", ExitCode.USAGE)
    place = place_meant(config, venue, state_dir, log_dir)
    place.require_readable()
    with one_line_for_faults(place.said):
        try:
            told = _kept_of(place, day, folder) if day else _now(place, since, folder, data)
        except NotRead as not_read:
            end(place.said.in_words(str(not_read)), not_read.code)
    _show(*told, json=json)


def _now(
    place: Place, since: str | None, folder: Path | None, bars: Path | None
) -> "tuple[EquityBridge, AccountReading]":
    from hydra.ops.equity.between import Kept
    from hydra.ops.equity.present import newest_kept, present_bridge

    days = _days(place, folder)

    def beginning(life: str) -> Kept | None:
        if since is None:
            return newest_kept(days, life)
        if Path(since).is_file():
            return Kept(since, _reading_in(Path(since)))
        readings = {each.date: each.reading for each in days if each.reading is not None}
        if since not in readings:
            there = ", ".join(readings) or "none"
            end(
                f"--since {since}: found no such file, and no snapshot of that day that has a"
                f" reading; there are: {there}",
                ExitCode.USAGE,
            )
        return Kept(f"the snapshot of {since}", readings[since])

    return present_bridge(place, beginning, bars)


def _reading_in(path: Path) -> "AccountReading":
    import msgspec

    from hydra.trading.account_reading import AccountReading

    class Told(msgspec.Struct):
        reading: AccountReading

    try:
        return msgspec.json.decode(path.read_bytes(), type=Told).reading
    except msgspec.MsgspecError as error:
        end(f"{path}: found {error}; wanted what `bridge --json` says", ExitCode.USAGE)


def _kept_of(
    place: Place, day: str, folder: Path | None
) -> "tuple[EquityBridge, AccountReading | None]":
    days = {each.date: each for each in _days(place, folder)}
    if day not in days:
        where = folder or place.files.track_record
        end(f"{where}: found no snapshot of {day}; `snapshot` takes one a day", ExitCode.USAGE)
    kept = days[day].bridge
    if kept is None:
        text = f"the snapshot of {day} has no bridge: the account was not read for it"
        end(text, ExitCode.USAGE)
    return kept, days[day].reading


def _days(place: Place, folder: Path | None) -> "tuple[Snapshot, ...]":
    from hydra.ops.track_record.folder import TrackRecord

    with one_line_for_a_broken_one():
        return TrackRecord(folder or place.files.track_record).read()


def _show(found: "EquityBridge", reading: "AccountReading | None", *, json: bool) -> None:
    import msgspec

    from hydra.ops.debug import render
    from hydra.ops.debug.engine import write_json
    from hydra.ops.equity.page import page_of

    if json:
        write_json(
            {
                "is_zero": found.is_zero,
                "bridge": msgspec.to_builtins(found),
                "reading": msgspec.to_builtins(reading),
            }
        )
    else:
        for line in page_of(found):
            render.write(render.clean(line))
    if not found.is_zero:
        raise typer.Exit(NOT_ZERO)
