"""A ledger whose migration is killed with SIGKILL, at each step and each statement."""

import shutil
import signal
from pathlib import Path

import pytest

from hydra.store.backup import PARTIAL, proven
from hydra.store.connection import connected_to_read
from hydra.store.ledger import Ledger
from hydra.store.schema import MIGRATIONS, NewerThanThisHydra
from tests.crash.checks import contents_of, whole_head
from tests.crash.forking import heard
from tests.crash.lives import Death, Lives, folder_on_disk
from tests.crash.migration import NEWER, STATEMENTS, STEPS, bring_up_to_date, whole_version
from tests.store.kept import VERSION_1_CHAIN, VERSION_1_STATE, ledger_of_version_1
from tests.store.orders import AT

OLDER = len(MIGRATIONS)
BACKUP = f"ledger-schema-{OLDER}.db"

BEFORE_COMMIT = (
    "backup.started",
    "backup.copied",
    "backup.proven",
    "backup.renamed",
    "ledger.migrate.backed_up",
    *(f"ledger.migrate.step:{statement}" for statement in range(1, STATEMENTS + 1)),
    "ledger.migrate.before_commit",
)
"""Whoever is killed there has changed nothing."""

STEPS_BETWEEN = [f"ledger.migrate.step:{statement}" for statement in range(2, STATEMENTS)]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger that nobody closed, with its newest records in SQLite's log."""
    return killed_at_work(folder_on_disk(tmp_path_factory.mktemp("killed"))).files.ledger


@pytest.fixture
def ledger(killed: Path, tmp_path: Path) -> Path:
    """One like it."""
    shutil.copytree(killed.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / killed.name


@pytest.mark.parametrize(
    ("place", "version"),
    [
        *((place, OLDER) for place in BEFORE_COMMIT if place not in STEPS_BETWEEN),
        *(pytest.param(place, OLDER, marks=pytest.mark.slow) for place in STEPS_BETWEEN),
        ("ledger.migrate.after", NEWER),
    ],
)
def test_a_migration_that_is_killed_leaves_the_old_schema_or_the_new_one_i52_i67(
    place: str, version: int, ledger: Path
) -> None:
    before, head = contents_of(ledger), head_of(ledger)

    assert migrated(ledger, place) == -signal.SIGKILL

    assert (version_of(ledger), contents_of(ledger), head_of(ledger)) == (version, before, head)
    assert backups_of(ledger) in ({}, {BACKUP: head})

    assert migrated(ledger) == 0

    assert (version_of(ledger), contents_of(ledger), head_of(ledger)) == (NEWER, before, head)
    assert backups_of(ledger) == {BACKUP: head}
    assert not [path for path in (ledger.parent / "backups").iterdir() if PARTIAL in path.name]


def test_a_hydra_that_does_not_know_the_new_schema_refuses_it_i67(ledger: Path) -> None:
    assert migrated(ledger, "ledger.migrate.after") == -signal.SIGKILL

    with pytest.raises(NewerThanThisHydra, match=f"version {NEWER}, this Hydra knows 0 to {OLDER}"):
        Ledger.open(ledger, venue="paper", at=AT)


def test_where_a_migration_was_killed_the_older_hydra_goes_on_i59_i67(tmp_path: Path) -> None:
    lives = killed_at_work(folder_on_disk(tmp_path))
    for place in ("backup.copied", "ledger.migrate.step:5", "ledger.migrate.before_commit"):
        assert migrated(lives.files.ledger, place) == -signal.SIGKILL

    lives.die(Death("recovery.crosschecked"))
    lives.end()

    assert lives.faults == []
    assert migrated(lives.files.ledger) == 0


OURS = [f"ledger.migrate.step:{number}" for number in range(1, 1 + sum(map(len, MIGRATIONS[1:])))]
"""Each statement that a ledger of version 1 still needs."""
WITHOUT_ORDERS = OURS[5]
"""Their old table is gone, and the new one does not bear its name yet."""


@pytest.mark.parametrize(
    "place",
    [
        *(OURS[0], WITHOUT_ORDERS, OURS[-1], "ledger.migrate.before_commit"),
        *(
            pytest.param(place, marks=pytest.mark.slow)
            for place in OURS[1:-1]
            if place != WITHOUT_ORDERS
        ),
    ],
)
def test_a_ledger_of_version_1_survives_the_way_to_this_one_i52_i59_i67(
    place: str, tmp_path: Path
) -> None:
    ledger = ledger_of_version_1(folder_on_disk(tmp_path) / "ledger.db")
    before = dump_of(ledger)

    assert migrated(ledger, place, MIGRATIONS) == -signal.SIGKILL

    assert dump_of(ledger) == before
    opened = Ledger.open(ledger, venue="paper", at=AT)
    assert (opened.mark.chain, opened.state_hash()) == (VERSION_1_CHAIN, VERSION_1_STATE)
    opened.close()
    contents_of(ledger)


@pytest.mark.slow
def test_a_migration_that_is_killed_again_and_again_comes_to_the_same_i59_i67(
    ledger: Path,
) -> None:
    before, head = contents_of(ledger), head_of(ledger)

    for number in range(50):
        place = BEFORE_COMMIT[number * 5 % len(BEFORE_COMMIT)]
        assert migrated(ledger, place) == -signal.SIGKILL, place
    assert migrated(ledger) == 0

    assert (version_of(ledger), contents_of(ledger), head_of(ledger)) == (NEWER, before, head)
    assert backups_of(ledger) == {BACKUP: head}


def killed_at_work(folder: Path) -> Lives:
    lives = Lives(folder, seed=8)
    lives.die(Death("ledger.commit.after:12"))
    assert lives.faults == []
    return lives


def migrated(
    ledger: Path, place: str = "", steps: tuple[tuple[str, ...], ...] = MIGRATIONS + STEPS
) -> int:
    """How the process ended that was to migrate it."""
    code, _, _ = heard(bring_up_to_date, ledger, steps, place=place)
    return code


def dump_of(ledger: Path) -> list[tuple[object, ...]]:
    """Its schema, and every row of it."""
    connection = connected_to_read(ledger)
    try:
        schema = list(connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name"))
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        rows = [
            (name, *row)
            for (name,) in list(tables)
            for row in connection.execute(f"SELECT * FROM {name}")  # noqa: S608 (of the schema)
        ]
        return [*schema, *rows]
    finally:
        connection.close()


def version_of(ledger: Path) -> int | None:
    connection = connected_to_read(ledger)
    try:
        return whole_version(connection)
    finally:
        connection.close()


def head_of(ledger: Path) -> tuple[int, str]:
    connection = connected_to_read(ledger)
    try:
        head = whole_head(connection)
    finally:
        connection.close()
    return head.seq, head.link.hex()


def backups_of(ledger: Path) -> dict[str, tuple[int, str]]:
    """Those that a migration made, each with its head; every one is proven."""
    found = (ledger.parent / "backups").glob("*-schema-*.db")
    heads = {path.name: proven(path) for path in found}
    return {name: (head.seq, head.link.hex()) for name, head in heads.items()}
