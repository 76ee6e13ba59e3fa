"""What the commands share that look at a venue's files rather than ask its engine."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, NoReturn

import typer

from hydra.ops.as_said import NOTHING_SAID, AsSaid, as_said
from hydra.ops.config.cli import CONFIG, ConfigDir, Venue
from hydra.ops.exit_codes import ExitCode
from hydra.runtime.life import in_words

if TYPE_CHECKING:
    from hydra.store.engine_files import EngineFiles

__all__ = ["CONFIG", "Bars", "ConfigDir", "ForVenue", "Json", "LogDir", "StateDir"]

ForVenue = Annotated[
    Venue | None,
    typer.Option("--venue", help="Whose files: embedded, paper or live. Else as settings.yaml."),
]
StateDir = Annotated[
    Path | None,
    typer.Option(
        "--state-dir",
        metavar="DIR",
        help="The folder that has the ledger. Else as the settings say, one for each venue.",
        show_default=False,
    ),
]
LogDir = Annotated[
    Path | None,
    typer.Option(
        "--log-dir",
        metavar="DIR",
        help="The folder that has the journal. Else as the settings say, one for each venue.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="For programs: the answer as JSON.")]
Bars = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="FILE",
        help="Where no engine runs: the bars that `run` was given with --data, if any.",
        show_default=False,
    ),
]


class Meant(NamedTuple):
    """The files of a venue, its name, and what named them on the command line."""

    files: "EngineFiles"
    venue: str
    said: AsSaid


def files_meant(
    config: Path, venue: Venue | None, state_dir: Path | None, log_dir: Path | None
) -> Meant:
    """The files that a command line means; ends it with 10 if the settings are not fit."""
    from hydra.ops.places import files_of_venue  # here and below: `--help` needs none of it
    from hydra.settings import SettingsRefused, VenueName, load_settings
    from hydra.store.engine_files import NamesClash

    try:
        settings = load_settings(config, venue=None if venue is None else VenueName(venue.value))
        files = files_of_venue(settings, state_dir, log_dir)
    except SettingsRefused as refused:
        end(str(refused), ExitCode.CONFIGURATION_REFUSED)
    except NamesClash as clash:
        end(f"{config}: {clash}", ExitCode.CONFIGURATION_REFUSED)
    said = as_said(venue, config, state_dir, log_dir)
    return Meant(files, settings.broker.venue.value, said)


def files_to_read(
    config: Path, venue: Venue | None, state_dir: Path | None, log_dir: Path | None
) -> Meant:
    """As `files_meant`, for whoever changes nothing: settings that are not fit hide no record whose
    place is known. Then it is said what is wrong with them, and what is read.
    """
    from hydra.ops.places import files_of_venue, found_without_settings
    from hydra.settings import SettingsRefused, VenueName
    from hydra.settings.loading import documents_in, settings_of, whereabouts_in
    from hydra.store.engine_files import NamesClash

    named = None if venue is None else VenueName(venue.value)
    said = as_said(venue, config, state_dir, log_dir)
    documents = documents_in(config)
    try:
        settings = settings_of(documents, venue=named)
        files = files_of_venue(settings, state_dir, log_dir)
        return Meant(files, settings.broker.venue.value, said)
    except NamesClash as clash:
        end(f"{config}: {clash}", ExitCode.CONFIGURATION_REFUSED)
    except SettingsRefused as refused:
        unfit = str(refused)
    found = found_without_settings(whereabouts_in(documents, named), named, state_dir, log_dir)
    if found is None:
        end(
            f"{unfit}\nthe record can be read even so: say where with --state-dir, --log-dir and"
            " --venue",
            ExitCode.CONFIGURATION_REFUSED,
        )
    sys.stderr.write(
        f"{unfit}\nread all the same: {found.files.ledger} and {found.files.journal}, venue"
        f" {found.venue}; say where else with --state-dir and --log-dir\n"
    )
    return Meant(found.files, found.venue, said)


@contextmanager
def one_line_for_faults(said: AsSaid = NOTHING_SAID) -> Iterator[None]:
    """What is wrong with the files ends the command with one clear line and its exit code. `said`
    of the engine, it is said again in what is to be typed.
    """
    import apsw

    from hydra.store.backup_folder import BackupRefused
    from hydra.store.checking import LedgerDamaged
    from hydra.store.engine_files import RecordGone
    from hydra.store.export_writing import ExportRefused
    from hydra.store.folder_lock import FolderInUse
    from hydra.store.ledger_facts import NoLedger
    from hydra.store.private_files import RightsTooOpen
    from hydra.store.schema import NewerThanThisHydra, NotALedger

    try:
        yield
    except (ExportRefused, NoLedger) as refused:
        end(said.in_words(str(refused)), ExitCode.USAGE)
    except FolderInUse as in_use:
        end(str(in_use), ExitCode.HELD_BY_ANOTHER)
    except NewerThanThisHydra as newer:
        end(str(newer), ExitCode.VERSION_FENCE)
    except (BackupRefused, LedgerDamaged, NotALedger, RecordGone, RightsTooOpen) as bad:
        end(said.in_words(str(bad)), ExitCode.DURABILITY_REFUSED)
    except apsw.Error as error:
        text = f"SQLite says {in_words(error)}"
        text = said.in_words(f"{text}; `hydra-trader verify` looks at all of it")
        end(text, ExitCode.DURABILITY_REFUSED)
    except BrokenPipeError:  # whoever read our output has had enough: `main` ends it quietly
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        end(f"{where}{error.strerror or error}", ExitCode.DURABILITY_REFUSED)


class Ended(typer.Exit):
    """A command ended without having done what it was for. `text` is the reason, already written on
    the error output, for whoever did a command's work for somebody who cannot see that.
    """

    def __init__(self, text: str, code: int) -> None:
        super().__init__(code)
        self.text = text


def end(text: str, code: int) -> NoReturn:
    """End the command, with the reason on the error output. Raises `Ended`."""
    with suppress(OSError):  # nobody reads it: then the code tells, and whoever catches it
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    raise Ended(text, int(code))
