"""`hydra-trader snapshot` and `track-record`: a day of the account, and what all days come to."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
    files_meant,
    one_line_for_faults,
)

if TYPE_CHECKING:
    from hydra.ops.track_record.folder import TrackRecord
    from hydra.trading.account_reading import AccountReading
    from hydra.trading.equity_bridge import EquityBridge

BROKEN = 1
PAGE, LATEST_PAGE = "TRACK_RECORD_{}.md", "TRACK_RECORD_latest.md"
FIGURES = "track_record_latest.json"

Folder = Annotated[
    Path | None,
    typer.Option(
        "--dir",
        metavar="DIR",
        help="The folder of the track record. Else track_record/ beside the ledger.",
        show_default=False,
    ),
]


def snapshot(
    folder: Folder = None,
    data: Bars = None,
    venue: ForVenue = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Add today to the track record: worth, money by bot, positions, halts.

    It is made of the ledger and of the engine's own last word (surfaces/),
    whether the engine runs or not; let it run once a day, after the close. One
    snapshot a day, never changed: each names the hash of the one before. A day
    on which something was not known, or was halted, says why it is not clean.

    Where the account can be read, it is kept as well, with the equity bridge
    from the last one that was (`bridge`); one that is not zero is not clean.

    Exit code 0: it was added, or there is one of this day already; 1: the
    snapshots are not what was written; 2: there is no ledger, or the engine has
    left no word; 10: the settings are not fit; 13: ledger or folder cannot be
    read or written.
    """
    from hydra.ops.debug.engine import write_json
    from hydra.ops.stamp import stamp
    from hydra.ops.track_record.folder import TakenAlready, TrackRecord
    from hydra.ops.track_record.snapshots import bridge_in_words, with_account
    from hydra.ops.track_record.taking import NothingSeen, taken

    place = place_meant(config, venue, state_dir, log_dir)
    place.require_fit()
    files, name, said = place.files, place.venue, place.said
    track = TrackRecord(folder or files.track_record)
    with one_line_for_faults(said), one_line_for_a_broken_one():
        try:
            found = taken(files, track, name, stamp())
            track.require_new(found)
            account, why_not = _account(place, track, data)
            found = with_account(found, *account) if account else found
            path = track.add(found)
        except NothingSeen as nothing:
            end(str(nothing), ExitCode.USAGE)
        except TakenAlready as already:
            if json:
                write_json({"added": False, "why": str(already)})
            else:
                sys.stdout.write(f"{already}\n")
            return
    if json:
        told = {"added": True, "path": str(path), "date": found.date, "unclean": found.unclean}
        write_json({**told, "bridge": bridge_in_words(found.bridge), "not_read": why_not})
        return
    how = "; ".join(found.unclean) or "a clean day"
    sys.stdout.write(f"{path}: {found.date}, {how}\n")
    if why_not:
        sys.stdout.write(said.in_words(f"no equity bridge: {why_not}\n"))
    else:
        sys.stdout.write(f"equity bridge: {bridge_in_words(found.bridge)}\n")


def _account(
    place: Place, track: "TrackRecord", bars: Path | None
) -> "tuple[tuple[AccountReading, EquityBridge] | None, str | None]":
    """The account with its bridge; or why it could not be read, which is no fault of the day."""
    from hydra.ops.equity.present import newest_kept, present_bridge
    from hydra.ops.equity.reading import NotRead

    days = track.read()
    try:
        bridge, reading = present_bridge(place, lambda life: newest_kept(days, life), bars)
    except NotRead as not_read:
        return None, str(not_read)
    return (reading, bridge), None


def track_record(
    folder: Folder = None,
    venue: ForVenue = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Check the track record and write its report, from its snapshots alone.

    Beside the snapshots it leaves TRACK_RECORD_<day>.md, TRACK_RECORD_latest.md
    and track_record_latest.json: the same to the byte from the same snapshots,
    on any machine. A snapshot that was changed, added or taken away is named.

    Exit code 0: all snapshots are as they were written, and the report is
    there; 1: they are not; 2: there is none; 10: the settings are not fit; 13:
    the folder cannot be read or written.
    """
    from hydra.ops.track_record.folder import TrackRecord, write_whole
    from hydra.ops.track_record.report import encoded_report, page_of, track_report_of

    files, _, said = files_meant(config, venue, state_dir, log_dir)
    track = TrackRecord(folder or files.track_record)
    with one_line_for_faults(said), one_line_for_a_broken_one():
        days = track.read()
        if not days:
            text = f"{track.snapshots}: found no snapshot; `hydra-trader snapshot` adds one"
            end(said.in_words(text), ExitCode.USAGE)
        report = track_report_of(days)
        page, figures = page_of(report), encoded_report(report)
        for name in (PAGE.format(report.figures.last), LATEST_PAGE):
            write_whole(track.folder / name, page.encode())
        write_whole(track.folder / FIGURES, figures)
    sys.stdout.write(figures.decode() if json else page)


@contextmanager
def one_line_for_a_broken_one() -> Iterator[None]:
    """A track record that is not what was written ends the command with one line, and 1."""
    from hydra.ops.track_record.folder import TrackRecordBroken

    try:
        yield
    except TrackRecordBroken as broken:
        sys.stderr.write(f"{broken}\n")
        raise typer.Exit(BROKEN) from broken
