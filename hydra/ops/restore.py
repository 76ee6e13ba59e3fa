"""`hydra-trader restore`: go on from a backup, halted, where no engine starts on the record."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hydra.ops.as_said import AsSaid
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
from hydra.ops.reason import Reason

if TYPE_CHECKING:
    from hydra.store.restoring import Restored

Backup = Annotated[
    Path,
    typer.Argument(
        metavar="BACKUP",
        help="The file; `verify` names the newest that passes.",
        show_default=False,
    ),
]


def restore(
    backup: Backup,
    reason: Reason,
    venue: ForVenue = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Put a backup in the ledger's place, where the ledger or the journal is
    lost or damaged. No engine may run.

    The backup is opened, checked and replayed first. Ledger and journal that
    are there are kept, in `replaced/` beside each; the journal begins a new
    file. What was traded after the backup is not in it: the next start is
    halted, `reconcile` shows what differs from the venue, and only `resume`
    lets trading go on.

    Exit code 0: it is in place; 13: the backup is not whole, or files cannot
    be written; 12: a later Hydra wrote it; 11: an engine has the record; 10:
    the settings are not fit; 2: there is no such backup.
    """
    from hydra.ops.control.place import by_whom
    from hydra.ops.debug.halting import operator_cause
    from hydra.store.engine_lock import HeldByAnother
    from hydra.store.record import RECORD_REFUSED
    from hydra.store.restoring import RestoreRefused, restore

    files, name, said = files_meant(config, venue, state_dir, log_dir)
    at, by = time.time_ns(), by_whom()
    halt = operator_cause(reason, f"restored from {backup}, {by}", at, close_only=False)
    with one_line_for_faults(said):
        try:
            restored = restore(files, name, backup, halt, by=by, at=at)
        except RestoreRefused as refused:
            end(str(refused), ExitCode.USAGE)
        except HeldByAnother as held:
            end(str(held), ExitCode.HELD_BY_ANOTHER)
        except RECORD_REFUSED as refused:
            end(said.in_words(str(refused)), ExitCode.DURABILITY_REFUSED)
    if json:
        _write_json(restored)
    else:
        _write_lines(backup, restored, said)


def _write_lines(backup: Path, restored: "Restored", said: AsSaid) -> None:
    from hydra.ops.debug import render

    render.write(f"restored: {backup}, up to its event {restored.mark.seq:,}")
    render.write(f"{restored.orders:,} orders; what was traded later is not in it")
    for path in restored.kept:
        render.write(f"kept: {path}")
    what_next = (
        "the next start is HALTED; then `hydra-trader reconcile` shows what differs from the"
        " venue, and it ends by `hydra-trader resume --reason …`"
    )
    render.write(render.clean(said.in_words(what_next)))


def _write_json(restored: "Restored") -> None:
    import msgspec

    from hydra.ops.debug.engine import write_json

    write_json(msgspec.to_builtins(restored, enc_hook=str))
