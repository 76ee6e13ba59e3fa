"""Processes that are killed one after the other over the same record, and what they leave."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from hydra.crash_points import VARIABLE
from hydra.store.medium import Kind, medium_of
from tests.crash.checks import Contents, contents_of, faults_in_record, faults_left_by_death
from tests.crash.forking import heard
from tests.crash.known import Known
from tests.crash.said import Ended, said_in
from tests.crash.worker import files_in, live

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 100.0
STEPS_UNTIL_KILLED = 500
"""So many that the process comes several times to any place that it ever comes to at work."""

STEPS_OF_THE_LAST = 6
TORN_LINE = b'{"ts":"2024-01-02T14:30:00.000000000Z","seq":'


class Death(msgspec.Struct, frozen=True):
    """How one process ends: at a place, or from outside when it has said so many lines."""

    at: str = ""
    lines: int = 0
    torn_bytes: int = 0
    """So much of a line more is at the journal's end: the kill came while it was written."""

    def __str__(self) -> str:
        torn = f", {self.torn_bytes} bytes torn" if self.torn_bytes else ""
        return f"{self.at or f'after {self.lines} lines'}{torn}"


class Story(msgspec.Struct, frozen=True):
    """Some deaths in a row. What the processes do, follows from the seed."""

    seed: int
    deaths: tuple[Death, ...]

    def __str__(self) -> str:
        return f"seed {self.seed}: {'; '.join(map(str, self.deaths))}"


def story(seed: int, *deaths: Death | str) -> Story:
    """A name alone is the place of a death."""
    return Story(
        seed, tuple(death if isinstance(death, Death) else Death(death) for death in deaths)
    )


def require_outlived(told: Story, folder: Path) -> None:
    """Live it, end in order, and require that all that was acknowledged is there."""
    lives = Lives(folder, told.seed)
    for death in told.deaths:
        lives.die(death)
    lives.end()
    assert lives.faults == [], f"{told}: {'; '.join(lives.faults)}"


class Lives:
    """One process after the other goes on with the record in a folder, and is heard."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.files = files_in(folder)
        self.known = Known()
        self.faults: list[str] = []
        """What is wrong with the record, in the order that it showed."""
        self._folder = folder
        self._seed = seed
        self._life = 0
        self._unsaid_backups: set[str] = set()

    def die(self, death: Death) -> None:
        """A process that is killed, at work or before it comes to it."""
        code, error = self._live(STEPS_UNTIL_KILLED, death)
        if code != -signal.SIGKILL:
            self._note(f"it was not killed at {death}, but ended with {code}: {error}")
        if death.torn_bytes:
            with self.files.journal.open("ab") as journal:
                journal.write(TORN_LINE[: death.torn_bytes])
        self._note(*faults_left_by_death(self.files))
        self._require_proven_backups(death)

    def end(self, steps: int = STEPS_OF_THE_LAST) -> None:
        """One that ends in order; then everything that was ever said is held against the record."""
        code, error = self._live(steps, None)
        if code != 0:
            self._note(f"nobody killed it, and it ended with {code}: {error}")
        self._note(*faults_in_record(self.files, self.known))

    def contents(self) -> Contents:
        """What the ledger holds, now that nobody has it."""
        return contents_of(self.files.ledger)

    def _require_proven_backups(self, death: Death) -> None:
        """A copy gets a backup's name once it is proven; it may have it before it was told of."""
        there = {path.name for path in self.files.backups.glob("ledger-[0-9]*.db")}
        unsaid = there - self.known.backups.keys() - self._unsaid_backups
        if death.at and not death.at.startswith("backup.renamed"):
            self._note(*(f"{name} was not proven when it was killed" for name in unsaid))
        self._unsaid_backups |= unsaid

    def _live(self, steps: int, death: Death | None) -> tuple[int, str]:
        self._life += 1
        death = death or Death()
        code, output, error = heard(
            live,
            *(self._folder, self._seed, self._life, steps),
            place=death.at,
            lines=death.lines,
        )
        said = said_in(output)
        if code == 0 and Ended() not in said:
            self._note("it ended without a word")
        for each in said:
            self._note(*self.known.hear(each))
        return code, error

    def _note(self, *faults: str) -> None:
        self.faults += (f"life {self._life}: {fault}" for fault in faults)


def folder_on_disk(folder: Path) -> Path:
    """The folder, if a record may be kept there; else the test cannot be done."""
    medium = medium_of(folder)
    if medium.kind is not Kind.LOCAL:
        pytest.skip(f"needs a folder on a local disk, found {medium.file_system} at {folder}")
    return folder


def environment_with(more: Mapping[str, str]) -> dict[str, str]:
    """This process's environment, with a place to crash at only if it is in `more`."""
    inherited = {name: value for name, value in os.environ.items() if name != VARIABLE}
    return {**inherited, **more}
