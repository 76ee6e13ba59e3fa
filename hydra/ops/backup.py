"""`hydra-trader backup`: a copy of the ledger that is proven before it counts."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    from hydra.store.backup_folder import BackedUp

Target = Annotated[
    Path | None,
    typer.Option(
        "--to",
        metavar="FILE_OR_FOLDER",
        help="A new file; or a folder, where it is numbered. Else backups/ beside the ledger.",
        show_default=False,
    ),
]
Keep = Annotated[
    int,
    typer.Option(
        "--keep",
        metavar="N",
        min=1,
        help="Of the numbered ones in the folder keep the newest N.",
    ),
]


def backup(
    to: Target = None,
    keep: Keep = 30,
    venue: ForVenue = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Copy the ledger to one file and prove the copy. The engine may run
    meanwhile.

    The copy is one moment of the ledger, and bears the number of its last
    event. It is opened, checked and replayed before it gets its name; nothing
    that is there is overwritten. Older numbered ones go only if all of their
    events are in the new one. The journal is not copied: `logs/` are plain
    files.

    Exit code 0: there is a proven backup; 13: the ledger is not whole, or the
    copy cannot be written; 12: a later Hydra wrote the ledger; 11: another
    backup is at work there; 10: the settings are not fit; 2: there is no
    ledger.
    """
    from hydra.crash_points import NoSuchCrashPoint, arm_from
    from hydra.store.backup_folder import back_up_to_file, back_up_to_folder

    try:
        arm_from(os.environ)
    except NoSuchCrashPoint as unknown:
        end(str(unknown), ExitCode.CONFIGURATION_REFUSED)
    files, _, said = files_meant(config, venue, state_dir, log_dir)
    with one_line_for_faults(said):
        if to is None:
            made = back_up_to_folder(files, files.backups, keep)
        elif to.is_dir():
            made = back_up_to_folder(files, to, keep)
        else:
            made = back_up_to_file(files, to)
    if json:
        _write_json(made)
    else:
        _write_lines(made)


def _write_lines(made: "BackedUp") -> None:
    from hydra.ops.debug import render

    counts, mark = made.ledger.counts, made.ledger.mark
    render.write(
        f"{'backed up to' if made.is_new else 'was backed up already, and is still good:'}"
        f" {made.path} ({made.size_bytes:,} bytes)"
    )
    if made.is_replayed:
        render.write(
            "proven: SQLite's own check, every link of the chain, the tables, and the state after"
            f" each of {counts.commits:,} commits"
        )
    else:
        render.write("proven: SQLite's own check only, as an older Hydra wrote this ledger")
    render.write(f"{counts.events:,} events, {counts.orders:,} orders, {counts.fills:,} fills")
    render.write(f"event {mark.seq:,}, chain {mark.chain}, state {made.ledger.state_hash}")
    for path in made.removed:
        render.write(f"removed, as all of it is in the new one: {path}")
    for path in made.left_alone:
        render.write(f"left alone, as it is not of this ledger's history: {path}")


def _write_json(made: "BackedUp") -> None:
    import msgspec

    from hydra.ops.debug.engine import write_json

    write_json(msgspec.to_builtins(made, enc_hook=str))
