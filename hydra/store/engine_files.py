"""Where an engine keeps its files, and what becomes of those of an earlier embedded session."""

import re
import shutil
from pathlib import Path

import msgspec
from msgspec import structs

from hydra.store.private_files import make_private_folder

LIVES_KEPT = 20
_NUMBERED = re.compile(r"[0-9]{6}", re.ASCII)


class NamesClash(ValueError):
    """Two of the engine's files would be one; each would overwrite the other."""


class EngineFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The files of one venue's engine. Each venue has its own ledger and journal."""

    ledger: Path
    journal: Path
    lock: Path
    journal_lock: Path
    debug_socket: Path
    cache: Path
    ended: Path

    @classmethod
    def under(
        cls, state_dir: Path, log_dir: Path, ledger_name: str, journal_name: str
    ) -> "EngineFiles":
        """Directly in the two folders. Raises `NamesClash` if two of them would be one file."""
        files = cls(
            ledger=state_dir / ledger_name,
            journal=log_dir / journal_name,
            lock=state_dir / "engine.lock",
            journal_lock=log_dir / "journal.lock",
            debug_socket=state_dir / "debug.sock",
            cache=state_dir / "cache",
            ended=state_dir / "ended",
        )
        names = [path.name for path in structs.astuple(files)]
        for name in names:
            if names.count(name) > 1:
                raise NamesClash(
                    f"found two files named {name}; wanted a name of its own for each; "
                    "change system.state_db_path or system.log_path in settings.yaml"
                )
        return files


def end_previous_life(files: EngineFiles) -> Path | None:
    """Set ledger and journal of the last session aside; gives the folder, None if there were none.

    The in-process venue forgets everything at its end, so the next session is another account that
    happens to have the same name. What was recorded is kept, but must not be traded on. Only the
    newest `LIVES_KEPT` are. To be called under the engine's lock.
    """
    ledger_parts = [files.ledger.with_name(files.ledger.name + end) for end in ("", "-wal", "-shm")]
    left = [path for path in (*ledger_parts, files.journal) if path.exists()]
    if not left:
        return None
    ended = files.ended
    make_private_folder(ended)
    numbers = sorted(int(path.name) for path in ended.iterdir() if _NUMBERED.fullmatch(path.name))
    folder = ended / f"{(numbers[-1] if numbers else 0) + 1:06d}"
    make_private_folder(folder)
    for path in left:
        shutil.move(path, folder / path.name)  # logs are often on another disk
    for number in numbers[: max(0, len(numbers) + 1 - LIVES_KEPT)]:
        shutil.rmtree(ended / f"{number:06d}")
    return folder
