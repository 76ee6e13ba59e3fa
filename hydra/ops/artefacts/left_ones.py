"""Closes the bundles that killed runs have left; see `words_for` for how it is started.

The ledger of a killed run is often that of the run that goes on, and inside of that one's process
nobody but SQLite may open it. So this is a process of its own, and a patient one.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from hydra.ops.artefacts import folder as files
from hydra.ops.artefacts.closing import close_bundle
from hydra.ops.artefacts.reading import NoBundle, provenance_in
from hydra.settings.secrets import load_secrets
from hydra.store.engine_files import EngineFiles
from hydra.store.folder_lock import FolderInUse, held_alone
from hydra.store.redaction import Redactor

NICE = 15


def left_open_in(runs: Path) -> list[Path]:
    """Bundles that nobody has closed; somebody may still be at work on one."""
    return [folder for folder in files.bundles_in(runs) if _is_open(folder)]


def close_left_ones(engine: EngineFiles, redactor: Redactor) -> list[Path]:
    """Close them; gives those that were. Raises what `close_bundle` raises.

    They get no plots yet: `hydra-trader report` has them drawn for who looks.
    """
    closed = []
    for folder in left_open_in(engine.runs):
        with suppress(FolderInUse), held_alone(folder, "session"):
            close_bundle(folder, engine, None, redactor, with_plots=False)
            closed.append(folder)
    return closed


def words_for(engine: EngineFiles) -> list[str]:
    """What `main` is to be told."""
    return [
        str(path)
        for path in (
            engine.ledger.parent,
            engine.journal.parent,
            engine.ledger.name,
            engine.journal.name,
            engine.runs,
        )
    ]


def main(words: list[str]) -> None:
    """Close what was left of the engine whose places these are."""
    os.nice(NICE)
    state, logs, ledger, journal, runs = words
    engine = EngineFiles.under(Path(state), Path(logs), ledger, journal, runs=Path(runs))
    close_left_ones(engine, Redactor(load_secrets(Path(".env"), os.environ).values()))


def _is_open(folder: Path) -> bool:
    try:
        return not provenance_in(folder).is_closed
    except NoBundle:
        return False  # killed before it had begun: there is nothing in it


if __name__ == "__main__":
    main(sys.argv[1:])
