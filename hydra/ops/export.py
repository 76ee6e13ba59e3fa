"""`hydra-trader export`: what stands in the ledger, as CSV and JSON, for other programs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hydra.ops.offline import (
    CONFIG,
    ConfigDir,
    ForVenue,
    Json,
    LogDir,
    StateDir,
    files_to_read,
    one_line_for_faults,
)


class Format(StrEnum):
    """Which files are written."""

    CSV = "csv"
    JSON = "json"
    BOTH = "both"


Folder = Annotated[
    Path,
    typer.Option("--to", metavar="DIR", help="A folder that is not there yet, or is empty."),
]
AsFormat = Annotated[
    Format,
    typer.Option("--format", help="csv: a file a table; json: state.json with all of it; or both."),
]


def export(
    to: Folder,
    format: AsFormat = Format.BOTH,
    venue: ForVenue = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Write what stands in the ledger to a folder. The engine may run meanwhile.

    Orders, fills, positions, lots, bots (each one's money), counters,
    budgets, halts, values and facts, all of one moment, which is checked
    first. Decimals are as they are recorded; a time has two columns, UTC and
    nanoseconds. In CSV a text that a spreadsheet would take for a formula
    begins with an apostrophe. The folder is there only once everything is in
    it.

    Exit code 0: it is written; 13: the ledger is not whole, or the folder
    cannot be written; 12: a later Hydra wrote the ledger; 10: the settings
    are not fit, and nothing else says where the ledger is; 2: there is no
    ledger, or something is in the folder already.
    """
    from hydra.ops.debug import render
    from hydra.ops.debug.engine import write_json
    from hydra.store.export_writing import write_export
    from hydra.store.exporting import exported

    files, _, said = files_to_read(config, venue, state_dir, log_dir)
    with one_line_for_faults(said):
        found = exported(files)
        written = write_export(
            found, to, with_csv=format is not Format.JSON, with_json=format is not Format.CSV
        )
    if json:
        write_json(
            {
                "folder": str(to),
                "files": written,
                "ledger_seq": found.mark.seq,
                "ledger_chain": found.mark.chain,
                "state_hash": found.state_hash,
                "rows": {table.name: len(table.rows) for table in found.tables},
            }
        )
        return
    rows = ", ".join(f"{len(table.rows):,} {table.name}" for table in found.tables)
    render.write(f"exported to {to}: {', '.join(written)}")
    render.write(rows)
    render.write(f"event {found.mark.seq:,}, chain {found.mark.chain}, state {found.state_hash}")
