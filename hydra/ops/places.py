"""Where the files of a venue lie: one answer for the engine and for whoever looks at its files."""

from pathlib import Path

from hydra.settings import Settings, VenueName
from hydra.settings.loading import Whereabouts
from hydra.store.engine_files import EngineFiles


def files_of_venue(settings: Settings, state_dir: Path | None, log_dir: Path | None) -> EngineFiles:
    """Directly in the folders that were named; else as the settings say, each venue in its own.

    Raises `NamesClash` if the settings give two files one name.
    """
    system = settings.system
    where = Whereabouts(settings.broker.venue, system.state_db_path, system.log_path)
    return files_at(where, state_dir, log_dir)


def files_at(where: Whereabouts, state_dir: Path | None, log_dir: Path | None) -> EngineFiles:
    """The same, where only this is known of the settings."""
    return EngineFiles.under(
        state_dir or _folder_of(where.venue, where.ledger.parent),
        log_dir or _folder_of(where.venue, where.journal.parent),
        where.ledger.name,
        where.journal.name,
        runs=None if state_dir else _folder_of(where.venue, _bundles_beside(where.ledger.parent)),
    )


def _bundles_beside(state: Path) -> Path:
    """`runs/` beside `state/`; of a folder with another name nobody knows what is around it."""
    return (state.parent if state.name == "state" else state) / "runs"


def _folder_of(venue: VenueName, folder: Path) -> Path:
    return folder if venue is VenueName.PAPER else folder / venue.value
