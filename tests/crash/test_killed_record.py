"""The record of a real process that is killed with SIGKILL, at each step that has a name."""

import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hydra.crash_points import CRASH_POINTS
from hydra.store.engine_files import EngineFiles
from hydra.store.journal_files import files_of
from hydra.store.schema import MIGRATIONS
from tests.crash.checks import faults_in_record
from tests.crash.lives import Death, Lives, Story, folder_on_disk, require_outlived, story

AT_FIRST_START = ("ledger.migrate.step", "ledger.migrate.before_commit", "ledger.migrate.after")
"""Only a start that finds no ledger comes here."""

AT_EACH_START = (
    "recovery.locked",
    "ledger.open.created",
    "ledger.open.proven",
    "ledger.open.verified",
    "recovery.crosschecked",
    "recovery.done",
)
"""Each start comes here once, and nobody else."""

AT_WORK = (
    "ledger.commit.before",
    "ledger.commit.events_written",
    "ledger.commit.tables_written",
    "ledger.commit.after",
    "journal.append.before",
    "journal.append.after",
    "journal.rotate.before_rename",
    "journal.rotate.renamed",
    "journal.rotate.created",
    "journal.rotate.done",
    "journal.prune.before",
    "journal.prune.after",
    "backup.started",
    "backup.copied",
    "backup.proven",
    "backup.renamed",
    "halt_marker.before",
    "halt_marker.written",
)
"""Work comes here again and again; commit and append are in each start too."""

AFTER_A_TORN_LINE = "journal.open.tail_cut"
ELSEWHERE = {"ledger.migrate.backed_up", "recovery.set_aside"}.union(
    place
    for place in CRASH_POINTS
    if place.startswith(("recovery.carried_", "restore.", "run.", "venue."))
)
"""See the tests of migrations, of restoring, of sessions and of trading."""

IN_RECOVERY = (
    *AT_EACH_START,
    *(place for place in AT_WORK if place.startswith(("ledger.commit.", "journal.append."))),
)
"""The first time that a start comes there, it is still recovering."""

STATEMENTS = sum(len(statements) for statements in MIGRATIONS)


def systematic() -> Iterator[Story]:
    """Each place at work, some times later each, and then once more where the next one begins."""
    for place in AT_WORK:
        for time in (2, 3, 5, 8):
            again = IN_RECOVERY[(time + len(place)) % len(IN_RECOVERY)]
            yield story(time, f"{place}:{time}", again, f"{place}:{9 - time}")
    for time in range(1, STATEMENTS + 1):
        yield story(time, f"ledger.migrate.step:{time}", "ledger.migrate.before_commit")


def at_random(seed: int) -> Story:
    """Some deaths at random places and times, some of them from outside."""
    rng = random.Random(seed)
    deaths: list[Death] = []
    for _ in range(rng.randint(3, 6)):
        torn = deaths[-1].torn_bytes if deaths else 0
        place = rng.choice((*AT_WORK, *AT_EACH_START))
        if torn and rng.random() < 0.5:
            deaths.append(Death(AFTER_A_TORN_LINE))
        elif place in AT_EACH_START:
            deaths.append(Death(place))
        elif rng.random() < 0.3:
            deaths.append(Death(lines=rng.randint(1, 150)))
        else:
            leaves_file = place != "journal.rotate.renamed"
            torn_bytes = rng.choice((0, 0, 1, 7, 40)) if leaves_file else 0
            deaths.append(Death(f"{place}:{rng.randint(1, 9)}", torn_bytes=torn_bytes))
    return Story(seed, tuple(deaths))


FAST = (
    *(story(1, place) for place in AT_FIRST_START),
    *(story(2, place, f"{place}:1") for place in AT_EACH_START),
    *(
        story(3, f"{one}:2", f"{other}:2")
        for one, other in zip(AT_WORK[::2], AT_WORK[1::2], strict=True)
    ),
    story(4, Death("journal.append.after:9", torn_bytes=20), AFTER_A_TORN_LINE),
    story(5, Death(lines=40), Death(lines=1), Death(lines=25)),
)
SYSTEMATIC = tuple(systematic())
RANDOM = tuple(at_random(seed) for seed in range(100, 150))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return folder_on_disk(tmp_path)


def test_each_place_is_in_a_story() -> None:
    places = {death.at.partition(":")[0] for told in FAST for death in told.deaths} - {""}

    assert CRASH_POINTS - places == ELSEWHERE


def test_the_slow_suite_kills_more_than_two_hundred_times() -> None:
    assert sum(len(told.deaths) for told in (*SYSTEMATIC, *RANDOM)) >= 400


@pytest.mark.parametrize("told", FAST, ids=str)
def test_all_that_was_acknowledged_outlives_a_kill_i52_i55_i59_i63_i66(
    told: Story, folder: Path
) -> None:
    require_outlived(told, folder)


@pytest.mark.slow
@pytest.mark.parametrize("told", [*SYSTEMATIC, *RANDOM], ids=str)
def test_all_that_was_acknowledged_outlives_many_kills_i52_i55_i59_i63_i66(
    told: Story, folder: Path
) -> None:
    require_outlived(told, folder)


@pytest.mark.parametrize("times", [len(IN_RECOVERY) // 2, pytest.param(50, marks=pytest.mark.slow)])
def test_recovery_that_is_killed_again_and_again_comes_to_the_same_i59(
    times: int, folder: Path
) -> None:
    lives = Lives(folder, seed=6)
    lives.die(Death("ledger.commit.after:30", torn_bytes=20))
    before = lives.contents()

    lives.die(Death(AFTER_A_TORN_LINE))
    for number in range(times):
        lives.die(Death(IN_RECOVERY[number * 5 % len(IN_RECOVERY)]))

    assert lives.contents() == before
    lives.end()
    assert lives.faults == []


def without_its_last_commits(files: EngineFiles) -> None:
    shutil.copy(max(files.backups.glob("*.db")), files.ledger)


def without_a_full_file(files: EngineFiles) -> None:
    files_of(files.journal)[-2].unlink()


def without_its_last_lines(files: EngineFiles) -> None:
    lines = files.journal.read_bytes().splitlines(keepends=True)
    files.journal.write_bytes(b"".join(lines[:1]))


def without_a_backup(files: EngineFiles) -> None:
    max(files.backups.glob("*.db")).unlink()


def with_half_a_backup(files: EngineFiles) -> None:
    newest = max(files.backups.glob("*.db"))
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (without_its_last_commits, "was acknowledged, and is not there"),
        (without_a_full_file, "lay before it, is not there|was taken away, and not by pruning"),
        (without_its_last_lines, "of the journal is None|was taken away, and not by pruning"),
        (without_a_backup, "was acknowledged with"),
        (with_half_a_backup, "malformed"),
    ],
)
def test_a_record_that_lost_something_would_be_noticed(
    damage: Callable[[EngineFiles], object], found: str, folder: Path
) -> None:
    lives = Lives(folder, seed=7)
    lives.die(Death("backup.renamed:3"))
    lives.end(steps=30)
    assert lives.faults == []

    damage(lives.files)

    (first, *_) = faults_in_record(lives.files, lives.known)
    assert re.search(found, first)
