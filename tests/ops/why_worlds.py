"""Records on disk for `why`: of whole sessions, and of odd ones that a test plays by hand."""

import shutil
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import orjson
import pytest

from hydra.main import main
from hydra.ops.exit_codes import ExitCode
from hydra.ops.why.asking import answer
from hydra.store.engine_files import EngineFiles
from hydra.store.journal import FILE_BYTES_MAX, JournalFile
from hydra.store.journal_line import line_of, moment_of
from hydra.store.journal_reading import read_journal
from tests.engine.harness import Life
from tests.ops.sessions import (
    HOME,
    Answer,
    command,
    ledger_in,
    without_coins,
    without_resting_stops,
)

Record = dict[str, Any]

STARTED = {
    "event": "engine_started",
    "source": "record",
    "version": "0.1.0",
    "configuration": "c",
    "venue": "embedded",
}


PACIFIC = ZoneInfo("America/Los_Angeles")
"""The time zone of the shipped settings."""


class Asking:
    """`hydra-trader` on what lies in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._run = command(folder)

    def __call__(self, *words: str) -> Answer:
        return self._run(*words)


def files_of(folder: Path) -> EngineFiles:
    return EngineFiles.under(folder / "state", folder / "logs", "trading_state.db", "app.jsonl")


def journal_in(folder: Path) -> Path:
    return folder / "logs" / "app.jsonl"


def played_with(folder: Path, data: Path | None = None, **changed: str) -> Path:
    """A generated session of shares, or these bars, in virtual time, with some of settings.yaml
    changed. No stops rest, so that each entry has one exit.
    """
    config = Path(shutil.copytree(HOME / "config", folder / "config"))
    without_resting_stops(without_coins(config))
    settings = config / "settings.yaml"
    lines = settings.read_text().splitlines()
    for name, value in changed.items():
        (place,) = [n for n, line in enumerate(lines) if line.strip().startswith(f"{name}:")]
        lines[place] = f"{lines[place].split(':')[0]}: {value}"
    settings.write_text("\n".join(lines) + "\n")
    where = ["--state-dir", str(folder / "state"), "--log-dir", str(folder / "logs")]
    where += [] if data is None else ["--data", str(data)]
    assert main(["--config", str(config), "--clock", "virtual", *where]) == ExitCode.CLEAN
    return folder


def shared_session(factory: pytest.TempPathFactory) -> Path:
    """One session with approvals and denials, played once for all tests; not to be changed."""
    return _session_in(factory.getbasetemp() / "session-of-why")


@cache
def _session_in(folder: Path) -> Path:
    return played_with(folder, max_entries_per_day="3")


def world_ledger(folder: Path) -> Path:
    """Where a world's ledger is to be, so that commands find it."""
    path = ledger_in(folder)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def on_disk(folder: Path, *lives: Life, size: int = FILE_BYTES_MAX) -> Asking:
    """Write down what these lives said, one after the other; gives `hydra-trader` for it."""
    path = journal_in(folder)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    journal = JournalFile.open(path, at=lives[0].world.data.begins_at, file_bytes_max=size)
    for life in lives:
        journal.append({"ts": life.journal.records[0]["ts"], **STARTED})
        for record in life.journal.records:
            journal.append(record)
    journal.close()
    return Asking(folder)


def explained(run: Asking, *words: str) -> Record:
    """What is answered to these words of `why`, as a program gets it. All of it can be read."""
    newest_denial = words[0] == "--last-denial"
    questions = words[1:] if newest_denial else words
    found = answer(files_of(run.folder), PACIFIC, questions, newest_denial=newest_denial)
    assert found.faults == ()
    told = orjson.loads(orjson.dumps(msgspec.to_builtins(found.told)))
    assert isinstance(told, dict)
    return told


def page(run: Asking, *words: str) -> list[str]:
    """The same as a page."""
    code, out, err = run("why", *words)
    assert (code, err) == (ExitCode.CLEAN, "")
    return out.splitlines()


def records_in(folder: Path, event: str) -> list[Record]:
    """The journal's lines of this event."""
    return [record for record in records(folder) if record["event"] == event]


def records(folder: Path) -> list[Record]:
    """All of the journal's lines."""
    return list(read_journal(journal_in(folder)))


def rewritten(folder: Path, change: Callable[[Record], Record | None]) -> None:
    """Write each line of the journal anew, as `change` makes it; None takes it away.

    Each is whole again, as if the engine had written it so.
    """
    path = journal_in(folder)
    lines = [_written_anew(record, change) for record in read_journal(path)]
    path.write_bytes(b"".join(lines))


def _written_anew(record: Mapping[str, Any], change: Callable[[Record], Record | None]) -> bytes:
    changed = change(orjson.loads(orjson.dumps(record)))
    if changed is None:
        return b""
    own = {key: changed.pop(key) for key in ("ts", "seq", "event", "crc")}
    return line_of(moment_of(own["ts"]), own["seq"], own["event"], changed.items())
