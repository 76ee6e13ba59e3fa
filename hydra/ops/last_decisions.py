"""The last decisions, in the journal of an engine, in a line each; for whoever shows them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

READ_AT_MOST = 1024 * 1024
KEPT = 60


class LastDecisions:
    """The last decisions in a journal that is being written, and each bot's last word."""

    def __init__(self, path: Path) -> None:
        """Nothing is read yet."""
        self._path = path
        self._inode = 0
        self._offset = 0
        self.decisions: deque[str] = deque(maxlen=KEPT)
        self.words: dict[str, str] = {}

    def read(self) -> None:
        """Read on. A journal that cannot be read says nothing; one begun anew is read anew."""
        try:
            with self._path.open("rb") as file:
                found = os.fstat(file.fileno())
                end = found.st_size
                if found.st_ino != self._inode or end < self._offset:
                    self._inode, self._offset = found.st_ino, 0
                self._offset = file.seek(max(self._offset, end - READ_AT_MOST))
                whole, newline, _ = file.read(end - self._offset).rpartition(b"\n")
        except OSError:
            return
        self._offset += len(whole) + len(newline)
        for line in whole.split(b"\n"):
            if any(event in line for event in _TELLING):
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            record = msgspec.json.decode(line)
            told = _DECISIONS[record["event"]](record)
        # What cannot be read, or was written by another version, is not shown: `why` looks closely.
        except (ValueError, KeyError, TypeError):
            return
        if told is None:
            return
        bot, words = told
        self.words[bot] = words
        if record["event"] != "nothing_decided":
            self.decisions.append(f"{record['ts'][11:19]}  {bot:<15} {words}")


def _denied(record: Mapping[str, Any]) -> tuple[str, str]:
    intent = record["intent"]
    return intent["decision"]["bot"], f"DENIED {_what(intent)}: {record['reason']}"


def _approved(record: Mapping[str, Any]) -> tuple[str, str]:
    intent = record["intent"]
    return intent["decision"]["bot"], f"approved {_what(intent)}: {intent['reason']}"


def _reported(record: Mapping[str, Any]) -> tuple[str, str] | None:
    content = record["content"]
    match record["report"]:
        case "OrderFilled":
            fill = content["fill"]
            what = f"{fill['side']} {fill['quantity']} {fill['symbol']} at {fill['price']}"
            return record["decision"]["bot"], f"filled {what}"
        case "OrderRejected":
            return record["decision"]["bot"], f"REJECTED by the venue: {content['reason']}"
        case _:
            return None


def _idle(record: Mapping[str, Any]) -> tuple[str, str]:
    bot = str(record["source"]).rpartition("/")[2]
    return bot, f"{record['symbol']}: {record['reason']}"


def _what(intent: Mapping[str, Any]) -> str:
    decision = intent["decision"]
    return f"{decision['role']}, {intent['side']} {intent['quantity']} {decision['symbol']}"


_DECISIONS: Mapping[str, Callable[[Mapping[str, Any]], tuple[str, str] | None]] = {
    "order_denied": _denied,
    "order_approved": _approved,
    "report_stored": _reported,
    "nothing_decided": _idle,
}
_TELLING = tuple(f'"event":"{event}"'.encode() for event in _DECISIONS)
