"""`hydra-trader snapshot` and `track-record`: a day of the account, and what all days come to."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

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

    Exit code 0: it was added, or there is one of this day already; 1: the
    snapshots are not what was written; 2: there is no ledger, or the engine has
    left no word; 10: the settings are not fit; 13: ledger or folder cannot be
    read or written.
    """
    from hydra.ops.debug.engine import write_json
    from hydra.ops.stamp import stamp
    from hydra.ops.track_record.folder import TakenAlready, TrackRecord
    from hydra.ops.track_record.taking import NothingSeen, taken

    files, name, said = files_meant(config, venue, state_dir, log_dir)
    track = TrackRecord(folder or files.track_record)
    with one_line_for_faults(said), _one_line_for_a_broken_one():
        try:
            found = taken(files, track, name, stamp())
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
        write_json({"added": True, "path": str(path), "date": found.date, "unclean": found.unclean})
        return
    how = "; ".join(found.unclean) or "a clean day"
    sys.stdout.write(f"{path}: {found.date}, {how}\n")


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
    with one_line_for_faults(said), _one_line_for_a_broken_one():
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
def _one_line_for_a_broken_one() -> Iterator[None]:
    from hydra.ops.track_record.folder import TrackRecordBroken

    try:
        yield
    except TrackRecordBroken as broken:
        sys.stderr.write(f"{broken}\n")
        raise typer.Exit(BROKEN) from broken
