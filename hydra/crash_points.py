"""Named places at which a test may end the process, to prove that a restart makes good (I59).

They stand at every step of the record's work (commit, rotation, backup, migration, recovery), of a
run's start and end, and of an order's way to the venue and back. The code calls `reached` there,
which does nothing unless the environment asked for that place.
"""

import itertools
import os
import re
import signal
from collections.abc import Mapping
from typing import NoReturn

VARIABLE = "HYDRA_CRASH_AT"
"""The environment's `name`, or `name:3` for the third time that place is reached."""

CRASH_POINTS = frozenset(
    {
        "ledger.commit.before",
        "ledger.commit.events_written",
        "ledger.commit.tables_written",
        "ledger.commit.after",
        "ledger.open.created",
        "ledger.open.proven",
        "ledger.open.verified",
        "ledger.migrate.backed_up",
        "ledger.migrate.step",
        "ledger.migrate.before_commit",
        "ledger.migrate.after",
        "journal.append.before",
        "journal.append.after",
        "journal.rotate.before_rename",
        "journal.rotate.renamed",
        "journal.rotate.created",
        "journal.rotate.done",
        "journal.open.tail_cut",
        "journal.prune.before",
        "journal.prune.after",
        "backup.started",
        "backup.copied",
        "backup.proven",
        "backup.renamed",
        "restore.proven",
        "restore.set_aside",
        "restore.placed",
        "restore.done",
        "recovery.locked",
        "recovery.set_aside",
        "recovery.crosschecked",
        "recovery.done",
        "recovery.carried_written",
        "recovery.carried_recorded",
        "recovery.carried_done",
        "halt_marker.before",
        "halt_marker.written",
        "run.kill_switch_read",
        "run.latched_at_start",
        "run.played",
        "venue.submit.asked",
        "venue.request.before",
        "venue.request.arrived",
        "venue.request.logged",
        "venue.request.answered",
        "venue.told",
        "venue.market.before",
        "venue.market.logged",
        "venue.rebuild.before",
        "venue.rebuild.played_again",
        "venue.rebuild.before_opened",
    }
)
"""Every place there is, each named by part, path and step."""

_ASKED = re.compile(r"(?P<name>[a-z_.]+)(?::(?P<time>[1-9][0-9]{0,8}))?", re.ASCII)


class NoSuchCrashPoint(ValueError):
    """The environment asks to crash at a place that there is not; a test would prove nothing."""


def reached(name: str) -> None:
    """This step is reached: go on, unless this process was asked to end here."""
    if _armed is not None:
        _armed.reached(name)


def arm_from(environment: Mapping[str, str]) -> str | None:
    """Do as `HYDRA_CRASH_AT` asks from now on; gives what it asked, None if nothing (disarmed).

    Raises NoSuchCrashPoint if it asks for something else than a place and how many times.
    """
    global _armed  # noqa: PLW0603 (the steps are far apart and share nothing but the process)
    asked = environment.get(VARIABLE)
    _armed = None if asked is None else _armed_at(asked)
    return asked


class _Armed:
    """One place, and the how manieth time it is reached that ends the process."""

    def __init__(self, name: str, time: int) -> None:
        self._name = name
        self._time = time
        self._times = itertools.count(1)  # its `next` is one step, whichever threads come by

    def reached(self, name: str) -> None:
        if name == self._name and next(self._times) == self._time:
            _die()


_armed: _Armed | None = None


def _armed_at(asked: str) -> _Armed:
    parts = _ASKED.fullmatch(asked)
    if parts is None or parts["name"] not in CRASH_POINTS:
        raise NoSuchCrashPoint(
            f"{VARIABLE}: found {asked!r}; wanted one of {', '.join(sorted(CRASH_POINTS))},"
            " or one of them with :3 for the third time; correct or unset it"
        )
    return _Armed(parts["name"], int(parts["time"] or 1))


def _die() -> NoReturn:
    """End as in a power cut for the process: no handler, no buffer, no `finally` runs."""
    os.kill(os.getpid(), signal.SIGKILL)
    # Where the signal may reach another thread first, this one still must not go on.
    os._exit(128 + signal.SIGKILL)
