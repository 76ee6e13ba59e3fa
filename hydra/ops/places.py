"""Where the files of a venue lie: one answer for the engine and for whoever looks at its files."""

from pathlib import Path

import msgspec

from hydra.settings import Settings, VenueName
from hydra.settings.loading import Whereabouts
from hydra.store.engine_files import EngineFiles, NamesClash
from hydra.store.engine_lock import last_holder

USUAL_LEDGER, USUAL_JOURNAL = "trading_state.db", "app.jsonl"


class Found(msgspec.Struct, frozen=True):
    """A record that can be told without fit settings, and of which venue it is."""

    files: EngineFiles
    venue: str


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
        certificates=None if state_dir else where.ledger.parent / "certificates",
        canary=None if state_dir else _canary_of(where),
    )


def _canary_of(where: Whereabouts) -> Path | None:
    """Nobody probes with real money: live goes by what was found on paper."""
    return where.ledger.parent / "canary" if where.venue is VenueName.LIVE else None


def found_without_settings(
    where: Whereabouts | None, venue: VenueName | None, state_dir: Path | None, log_dir: Path | None
) -> Found | None:
    """The record that is meant where the settings are not fit, for whoever only reads it.

    `where`: what is fit of them. If that is nothing, a ledger of the usual name in the folder that
    was named, with the journal that lies there or where it usually does, and the venue that was
    named or that the lock names. None: not known.
    """
    if where is not None:
        try:
            return Found(files_at(where, state_dir, log_dir), where.venue.value)
        except NamesClash:
            return None
    if state_dir is None or not (state_dir / USUAL_LEDGER).exists():
        return None
    usual = (state_dir, _logs_beside(state_dir))
    folder = log_dir or next((each for each in usual if (each / USUAL_JOURNAL).exists()), None)
    if folder is None:
        return None
    files = EngineFiles.under(state_dir, folder, USUAL_LEDGER, USUAL_JOURNAL)
    holder = last_holder(files.lock)
    name = venue.value if venue is not None else holder and holder.venue
    return Found(files, name) if name else None


def _logs_beside(state_dir: Path) -> Path:
    """`logs/…` for `state/…`, as it was written; the folder itself if it is not called so."""
    parts = state_dir.parts
    if "state" not in parts:
        return state_dir
    last = len(parts) - 1 - parts[::-1].index("state")
    return Path(*parts[:last], "logs", *parts[last + 1 :])


def _bundles_beside(state: Path) -> Path:
    """`runs/` beside `state/`; of a folder with another name nobody knows what is around it."""
    return (state.parent if state.name == "state" else state) / "runs"


def _folder_of(venue: VenueName, folder: Path) -> Path:
    return folder if venue is VenueName.PAPER else folder / venue.value
