"""Which engine an operator means, and what the verbs that act on it have in common."""

import fcntl
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import msgspec

from hydra.ops.as_said import NOTHING_SAID, AsSaid, as_said
from hydra.ops.config.cli import Venue
from hydra.ops.debug.client import NoEngine
from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import end, one_line_for_faults

if TYPE_CHECKING:
    from hydra.settings import Settings
    from hydra.settings.loading import Whereabouts
    from hydra.store.engine_files import EngineFiles
    from hydra.store.engine_lock import Holder

REFUSED = 1
"""The exit code where an engine answered that it did not do it."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the engine that is meant keeps its files, and its settings. `unfit` is what is wrong
    with these: then a running engine can still be reached, but its ledger cannot be touched.
    `is_readable`: even so it is known which files are its record.
    """

    files: "EngineFiles"
    venue: str
    settings: "Settings | None" = None
    unfit: str | None = None
    is_readable: bool = True
    said: AsSaid = NOTHING_SAID
    """What named it on the command line."""

    def require_readable(self) -> None:
        """Ends the command with 10 if it is not known which files are the record."""
        if not self.is_readable:
            end(str(self.unfit), ExitCode.CONFIGURATION_REFUSED)

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

    An engine that runs can be halted however unfit its settings have become since it started:
    --state-dir says where it is, or else what is fit of the settings does. Where neither tells, the
    command ends with 10.
    """
    from hydra.ops.places import (  # here and below: `--help` needs none of it
        USUAL_JOURNAL,
        USUAL_LEDGER,
        files_of_venue,
        found_without_settings,
    )
    from hydra.settings import SettingsRefused, VenueName
    from hydra.settings.loading import documents_in, settings_of, whereabouts_in
    from hydra.store.engine_files import EngineFiles, NamesClash

    named = None if venue is None else VenueName(venue.value)
    said = as_said(venue, config, state_dir, log_dir)
    documents, where = documents_in(config), None
    try:
        settings = settings_of(documents, venue=named)
        files = files_of_venue(settings, state_dir, log_dir)
        return Place(files=files, venue=settings.broker.venue.value, settings=settings, said=said)
    except NamesClash as clash:
        unfit = f"{config}: {clash}"
    except SettingsRefused as refused:
        where, unfit = whereabouts_in(documents, named), str(refused)
    if state_dir is not None:
        found = found_without_settings(where, named, state_dir, log_dir)
        if found is not None:
            return Place(files=found.files, venue=found.venue, unfit=unfit, said=said)
        files = EngineFiles.under(state_dir, log_dir or state_dir, USUAL_LEDGER, USUAL_JOURNAL)
        name = "unknown" if venue is None else venue.value
        return Place(files=files, venue=name, unfit=unfit, is_readable=False, said=said)
    if where is None:
        end(f"{unfit}\n{_reachable_even_so()}", ExitCode.CONFIGURATION_REFUSED)
    return _place_at(where, log_dir, unfit, said)


def _place_at(where: "Whereabouts", log_dir: Path | None, unfit: str, said: AsSaid) -> Place:
    """Of settings of which no more is fit than where the files lie."""
    from hydra.ops.places import files_at
    from hydra.store.engine_files import NamesClash

    try:
        files = files_at(where, None, log_dir)
    except NamesClash:
        end(f"{unfit}\n{_reachable_even_so()}", ExitCode.CONFIGURATION_REFUSED)
    hint = _reachable_even_so(f" elsewhere than in {files.ledger.parent}")
    return Place(files=files, venue=where.venue.value, unfit=f"{unfit}\n{hint}", said=said)


def _reachable_even_so(but: str = "") -> str:
    """What to do about an engine that runs; with the folder in which one usually is, if one is."""
    hint = f"an engine that runs{but} can be reached even so: say where with --state-dir"
    if but:
        return hint
    usual = [Path("state", name) for name in ("", "embedded", "live")]
    there = [folder for folder in usual if (folder / "control.sock").exists()]
    return f"{hint}, such as --state-dir {there[0]}" if there else hint


def by_whom() -> str:
    """Who gives the command, as the sockets would name them."""
    return f"uid {os.geteuid()}, pid {os.getpid()}"


@contextmanager
def one_line_for_the_record(place: Place, silent: NoEngine) -> Iterator[None]:
    """What keeps us from an engine's record ends the command with one line and its exit code."""
    from hydra.store.engine_lock import HeldByAnother
    from hydra.store.journal_files import BEGIN_ANEW, JournalDamaged
    from hydra.store.record import RECORD_REFUSED

    with one_line_for_faults(place.said):
        try:
            yield
        except HeldByAnother:
            end_unanswered(place, silent)
        except JournalDamaged as damaged:
            text = place.said.in_words(f"{damaged}; {BEGIN_ANEW}")
            end(text, ExitCode.DURABILITY_REFUSED)
        except RECORD_REFUSED as refused:
            end(place.said.in_words(str(refused)), ExitCode.DURABILITY_REFUSED)


def holder_of(place: Place) -> "Holder | None":
    """The engine, or command, that has the record; None: none has. No engine is kept from starting
    by this, unless another process has got the number of the last one meanwhile.
    """
    return _holder_of(place.files.lock)


def _holder_of(lock: Path) -> "Holder | None":
    from hydra.store.engine_lock import living_holder

    holder = living_holder(lock)
    if holder is None:
        return None
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return holder
    return None


def end_refused(text: str) -> NoReturn:
    """End the command because the engine answered that it did not do it."""
    from hydra.ops.debug import render

    end(render.clean(text), REFUSED)


def end_unanswered(place: Place, silent: NoEngine) -> NoReturn:
    """End the command with 11: an engine has the record, and cannot be talked to; or a command that
    works where none runs.
    """
    holder = holder_of(place)
    stranger = None if holder is not None else _holder_of(place.files.journal_lock)
    if stranger is not None:  # its record and its switches are elsewhere
        end(
            f"{place.files.journal_lock.parent}: {stranger.named} writes its journal there,"
            f" and has its record elsewhere than in {place.files.lock.parent}; nothing was done:"
            " say where its state is with --state-dir",
            ExitCode.HELD_BY_ANOTHER,
        )
    if holder is not None and holder.command is not None:
        end(
            f"{place.files.lock.parent}: {holder.named} works on this record, and no engine runs;"
            " nothing was done: wait until it is done, and say it again; to keep the next start"
            f" halted meanwhile: echo halt_all > {shlex.quote(str(place.files.kill_switch))}; if it"
            f" hangs, kill -TERM {holder.pid}",
            ExitCode.HELD_BY_ANOTHER,
        )
    who = "an engine" if holder is None else holder.named
    pid = "its process" if holder is None else str(holder.pid)
    end(
        f"{place.files.lock.parent}: {who} has this record and does not answer ({silent}); it"
        " starts, stops or hangs; wait some seconds and try again; to stop its orders without it:"
        f" echo halt_all > {shlex.quote(str(place.files.kill_switch))}, or kill -TERM {pid}, and"
        f" kill -KILL {pid} if it is still there after 10 s",
        ExitCode.HELD_BY_ANOTHER,
    )
