"""Where the files of a venue lie: one answer for the engine and for whoever looks at its files."""

from pathlib import Path

from hydra.settings import Settings, VenueName
from hydra.store.engine_files import EngineFiles


def files_of_venue(settings: Settings, state_dir: Path | None, log_dir: Path | None) -> EngineFiles:
    """Directly in the folders that were named; else as the settings say, each venue in its own.

    Raises `NamesClash` if the settings give two files one name.
    """
    venue, ledger, journal = (
        settings.broker.venue,
        settings.system.state_db_path,
        settings.system.log_path,
    )
    return EngineFiles.under(
        state_dir or _folder_of(venue, ledger),
        log_dir or _folder_of(venue, journal),
        ledger.name,
        journal.name,
    )


def _folder_of(venue: VenueName, path: Path) -> Path:
    return path.parent if venue is VenueName.PAPER else path.parent / venue.value
