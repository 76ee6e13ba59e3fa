"""What the watch keeps over its own restarts: what it has told, and what still waits for a channel.

`alerts/state.json` is written whole and put in place at once; `alerts/alerts.jsonl` has a line for
each alert, and for each time that a channel took or refused one. Neither is needed to watch: where
they cannot be read or written that is told as well, and the watch goes on from memory.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from hydra.ops.alerts.delivery import Waiting
from hydra.ops.alerts.incidents import Incident
from hydra.store.private_files import FILE_RIGHTS, make_private_folder
from hydra.store.syncing import sync_file, sync_folder

STATE, HISTORY, HISTORY_BEFORE = "state.json", "alerts.jsonl", "alerts.1.jsonl"
HISTORY_MAX = 4 * 1024 * 1024
"""Bytes; then it becomes the one before, whose own end that is."""

VERSION = 1


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """All that a restart has to know."""

    version: int = VERSION
    incidents: dict[str, Incident] = {}
    waiting: dict[str, Waiting] = {}
    """By the name of the channel."""
    process: str | None = None
    """Which had the record when an engine answered last."""
    journal_seq: int | None = None
    """The last line that was looked at, or one not long before; None: none was yet."""
    daily_on: str | None = None
    """The date of the last daily word; "" before the first one, None: nobody has looked yet."""
    daily_equity: str | None = None
    told_since_daily: int = 0


class KeptFiles:
    """The files of one watch, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        """Nothing is made or read yet."""
        self._folder = folder

    @property
    def state(self) -> Path:
        """Where it lies."""
        return self._folder / STATE

    @property
    def history(self) -> Path:
        """Where its newest part lies."""
        return self._folder / HISTORY

    def make_folder(self) -> None:
        """Raises OSError, RightsTooOpen."""
        make_private_folder(self._folder)

    def look(self) -> Kept:
        """What is kept, for whoever only looks. Raises OSError, ValueError."""
        try:
            return msgspec.json.decode(self.state.read_bytes(), type=Kept)
        except FileNotFoundError:
            return Kept()

    def load(self) -> tuple[Kept, str | None]:
        """What is kept, and what is wrong with it, if it cannot be gone on with: then it begins
        anew, and what was there is kept beside it.
        """
        try:
            kept = self.look()
        except (OSError, ValueError) as bad:
            fault = f"{self.state}: cannot be read ({bad}), wanted what the watch kept"
        else:
            if kept.version == VERSION:
                return kept, None
            fault = f"{self.state}: found version {kept.version}, wanted {VERSION}"
        aside = self.state.with_name(f"{STATE}.unread")
        try:
            self.state.replace(aside)
        except OSError as error:
            return Kept(), f"{fault}; it began anew, and could not move it away ({error})"
        return Kept(), f"{fault}; it began anew, and what was there is {aside}"

    def save(self, kept: Kept) -> None:
        """Raises OSError; then what was there is there still."""
        new = self.state.with_name(f"{STATE}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(new, flags, FILE_RIGHTS)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(kept))
            file.flush()
            sync_file(file.fileno())
        new.replace(self.state)
        sync_folder(self._folder)

    def write_down(self, *lines: Mapping[str, object]) -> None:
        """Into the history. Raises OSError."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self.history, flags, FILE_RIGHTS)
        with os.fdopen(descriptor, "ab") as file:
            file.write(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
            is_full = file.tell() > HISTORY_MAX
        if is_full:
            self.history.replace(self._folder / HISTORY_BEFORE)

    def told(self, most: int) -> list[Mapping[str, object]]:
        """The newest lines of the history, the oldest of them first. What is torn is left out."""
        lines: list[Mapping[str, object]] = []
        for name in (HISTORY_BEFORE, HISTORY):
            path = self._folder / name
            if not path.exists():
                continue
            for line in path.read_bytes().splitlines():
                try:
                    lines.append(msgspec.json.decode(line, type=dict[str, object]))
                except ValueError:  # it is no JSON, or no UTF-8
                    continue
        return lines[-most:]
