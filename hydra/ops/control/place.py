"""Which engine an operator means, and what the verbs that act on it have in common."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import msgspec
import typer

from hydra.ops.config.cli import Venue
from hydra.ops.debug.client import NoEngine
from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import end, one_line_for_faults

if TYPE_CHECKING:
    from hydra.settings import Settings
    from hydra.store.engine_files import EngineFiles
    from hydra.store.engine_lock import Holder

REFUSED = 1
"""The exit code where an engine answered that it did not do it."""

USUAL_LEDGER, USUAL_JOURNAL = "trading_state.db", "app.jsonl"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the engine that is meant keeps its files, and its settings. `unfit` is what is wrong
    with these: then a running engine can still be reached, but its record cannot be touched.
    """

    files: "EngineFiles"
    venue: str
    settings: "Settings | None" = None
    unfit: str | None = None

    def require_fit(self) -> "Settings":
        """The settings; ends the command with 10 if they are not fit."""
        if self.unfit is not None:
            end(self.unfit, ExitCode.CONFIGURATION_REFUSED)
        assert self.settings is not None, "they are fit"
        return self.settings


def place_meant(
    config: Path, venue: Venue | None, state_dir: Path | None, log_dir: Path | None
) -> Place:
    """The engine that the options mean.

    An engine that runs can be halted however unfit its settings have become since it started, if
    --state-dir says where it is; without that, settings that are not fit end the command with 10.
    """
    from hydra.ops.places import files_of_venue  # here and below: `--help` needs none of it
    from hydra.settings import SettingsRefused, VenueName, load_settings
    from hydra.store.engine_files import EngineFiles, NamesClash

    try:
        settings = load_settings(config, venue=None if venue is None else VenueName(venue.value))
        files = files_of_venue(settings, state_dir, log_dir)
        return Place(files=files, venue=settings.broker.venue.value, settings=settings)
    except (SettingsRefused, NamesClash) as refused:
        unfit = str(refused) if isinstance(refused, SettingsRefused) else f"{config}: {refused}"
    if state_dir is None:
        hint = "an engine that runs can be reached even so: say where its state is with --state-dir"
        end(f"{unfit}\n{hint}", ExitCode.CONFIGURATION_REFUSED)
    files = EngineFiles.under(state_dir, log_dir or state_dir, USUAL_LEDGER, USUAL_JOURNAL)
    return Place(files=files, venue="unknown" if venue is None else venue.value, unfit=unfit)


def by_whom() -> str:
    """Who gives the command, as the sockets would name them."""
    return f"uid {os.geteuid()}, pid {os.getpid()}"


@contextmanager
def one_line_for_the_record(place: Place, silent: NoEngine) -> Iterator[None]:
    """What keeps us from an engine's record ends the command with one line and its exit code."""
    from hydra.store.engine_lock import HeldByAnother
    from hydra.store.record import RECORD_REFUSED

    with one_line_for_faults():
        try:
            yield
        except HeldByAnother:
            end_unanswered(place, silent)
        except RECORD_REFUSED as refused:
            end(str(refused), ExitCode.DURABILITY_REFUSED)


def holder_of(place: Place) -> "Holder | None":
    """The engine that has the record; None: none has. No engine is kept from starting by this,
    unless another process has got the number of the last one meanwhile.
    """
    from hydra.store.engine_lock import living_holder

    holder = living_holder(place.files.lock)
    if holder is None:
        return None
    with place.files.lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return holder
    return None


def end_refused(text: str) -> NoReturn:
    """End the command because the engine answered that it did not do it."""
    from hydra.ops.debug import render

    sys.stderr.write(f"{render.clean(text)}\n")
    raise typer.Exit(REFUSED)


def end_unanswered(place: Place, silent: NoEngine) -> NoReturn:
    """End the command with 11: an engine has the record, and cannot be talked to."""
    holder = holder_of(place)
    who = "an engine" if holder is None else f"an engine ({holder})"
    pid = "its process" if holder is None else str(holder.pid)
    end(
        f"{place.files.lock.parent}: {who} has this record and does not answer ({silent}); it"
        " starts, stops or hangs; wait some seconds and try again; to stop its orders without it:"
        f" echo halt_all > {place.files.kill_switch}, or kill -TERM {pid}, and kill -KILL {pid} if"
        " it is still there after 10 s",
        ExitCode.HELD_BY_ANOTHER,
    )
