"""Nobody in our process opens the ledger but SQLite: the guard at run time, and the code."""

import ast
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from hydra.store.ledger_guard import OpenedByHand, guard_ledger, guarded

ROOT = Path(__file__).resolve().parent.parent.parent
PRODUCT = ("actors", "hydra", "messages", "supervisors")
OPENERS = {
    "copy",
    "copy2",
    "copyfile",
    "open",
    "read_bytes",
    "read_text",
    "touch",
    "truncate",
    "write_bytes",
    "write_text",
}

LOCKS_IT_AND_LOOKS_AT_IT = """
import sys
from pathlib import Path
import apsw
from hydra.store.ledger_guard import OpenedByHand, guard_ledger

path = Path(sys.argv[1])
if sys.argv[2] == "guarded":
    guard_ledger(path)
connection = apsw.Connection(str(path))
connection.execute("BEGIN EXCLUSIVE")
try:
    path.read_bytes()
    print("looked", flush=True)
except OpenedByHand:
    print("stopped", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "trading_state.db"
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "wal")
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    return path


def close_at_once(descriptor: int) -> None:
    os.close(descriptor)


OPENINGS: list[Callable[[Path], object]] = [
    lambda path: path.open("rb").close(),
    lambda path: path.read_bytes(),
    lambda path: open(str(path), "ab").close(),  # noqa: PTH123 (as somebody might)
    lambda path: open(bytes(path), "rb").close(),  # noqa: PTH123 (as somebody might)
    lambda path: close_at_once(os.open(path, os.O_RDONLY)),
    lambda path: close_at_once(os.open(bytes(path), os.O_RDWR)),
    lambda path: shutil.copy(path, path.with_name("copy")),
    lambda path: os.truncate(path, 0),
    lambda path: sqlite3.connect(path).close(),
    lambda path: sqlite3.connect(str(path)).close(),
    lambda path: sqlite3.connect(f"file:{path}?mode=ro", uri=True).close(),
]


@pytest.mark.parametrize("opening", OPENINGS)
def test_whoever_opens_the_ledger_by_hand_is_stopped_i58(
    ledger: Path, opening: Callable[[Path], object]
) -> None:
    with guarded(ledger), pytest.raises(OpenedByHand, match=rf"{ledger}: opened \("):
        opening(ledger)


@pytest.mark.parametrize("ending", ["-wal", "-shm"])
def test_whoever_opens_its_companions_is_stopped_i58(ledger: Path, ending: str) -> None:
    companion = ledger.with_name(ledger.name + ending)

    with guarded(ledger), pytest.raises(OpenedByHand, match=f"{companion}: opened"):
        companion.open("wb").close()

    assert not companion.exists()


def test_another_way_to_the_same_file_is_seen_i58(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ledger.parent / "state").symlink_to(ledger.parent)
    monkeypatch.chdir(ledger.parent)

    with guarded(Path("state") / ledger.name):
        for way in (ledger, Path(ledger.name), Path("state") / "state" / ledger.name):
            with pytest.raises(OpenedByHand):
                way.read_bytes()


def test_sqlite_itself_works_under_the_guard_i58(ledger: Path) -> None:
    with guarded(ledger):
        connection = apsw.Connection(str(ledger))
        connection.execute("INSERT INTO t VALUES (1)")
        other = apsw.Connection(str(ledger), flags=apsw.SQLITE_OPEN_READONLY)

        rows = list(other.execute("SELECT x FROM t"))
        other.close()
        connection.close()

    assert rows == [(1,)]


def test_other_files_are_opened_as_ever(ledger: Path, tmp_path: Path) -> None:
    namesake = tmp_path / "backup" / ledger.name
    namesake.parent.mkdir()

    with guarded(ledger):
        namesake.write_text("another one of this name")
        ledger.with_name("trading_state.db-journal").write_text("not one of its companions")
        descriptor = os.open(namesake, os.O_RDONLY)
        with open(descriptor, "rb") as file:  # noqa: PTH123 (by its descriptor)
            content = file.read()
        sqlite3.connect(":memory:").close()

    assert content == b"another one of this name"


def test_a_ledger_is_free_when_the_last_guard_has_ended_i58(ledger: Path) -> None:
    ends = [guard_ledger(ledger), guard_ledger(ledger)]
    ends[0]()
    ends[0]()
    with pytest.raises(OpenedByHand):
        ledger.read_bytes()

    ends[1]()

    assert ledger.read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize(
    ("guard", "look", "lock"),
    [("guarded", "stopped", "kept"), ("unguarded", "looked", "lost")],
)
def test_a_look_by_hand_loses_sqlites_lock_and_the_guard_keeps_it_i58(
    tmp_path: Path, guard: str, look: str, lock: str
) -> None:
    path = tmp_path / "trading_state.db"
    ours = apsw.Connection(str(path))
    ours.execute("CREATE TABLE t (x)")
    other = subprocess.Popen(
        [sys.executable, "-c", LOCKS_IT_AND_LOOKS_AT_IT, str(path), guard],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == f"{look}\n"
        try:
            ours.execute("BEGIN EXCLUSIVE")
            found = "lost"
        except apsw.BusyError:
            found = "kept"
    finally:
        other.kill()
        other.communicate(timeout=30)
        ours.close()

    assert found == lock


def test_no_code_opens_a_ledger_by_hand_i58() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for folder in PRODUCT
        for path in sorted((ROOT / folder).rglob("*.py"))
        if re.search(rb"ledger|sqlite3", code := path.read_bytes(), re.IGNORECASE)
        for node in openings_by_hand(ast.parse(code))
    ]

    assert found == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("files.ledger.read_bytes()", 1),
        ("open(ledger_path, 'rb')", 1),
        ("os.open(str(self._ledger), os.O_RDONLY)", 1),
        ("shutil.copy(source, files.ledger)", 1),
        ("files.ledger.with_name('x').open()", 1),
        ("sqlite3.connect(path)", 1),
        ("Ledger.open(path)", 0),
        ("Ledger.open(files.ledger)", 0),
        ("path.read_bytes()", 0),
        ("files.ledger.stat()", 0),
        ("shutil.move(files.ledger, folder)", 0),
    ],
)
def test_an_opening_by_hand_is_found_in_the_code_i58(code: str, found: int) -> None:
    assert len(list(openings_by_hand(ast.parse(code)))) == found


def openings_by_hand(tree: ast.Module) -> Iterator[ast.Call]:
    """Calls that open a file whose expression speaks of a ledger, and Python's own SQLite.

    A class's `open` (`Ledger.open`) is that class's business.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="sqlite3"), attr="connect")):
                yield node
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="open")) if name[
                :1
            ].isupper():
                pass
            case ast.Call(func=ast.Attribute(value=place, attr=method), args=args):
                if method in OPENERS and speaks_of_a_ledger([place, *args]):
                    yield node
            case ast.Call(func=ast.Name(id="open"), args=args) if speaks_of_a_ledger(args):
                yield node
            case _:
                pass


def speaks_of_a_ledger(expressions: list[ast.expr]) -> bool:
    return any("ledger" in ast.unparse(expression).lower() for expression in expressions)
