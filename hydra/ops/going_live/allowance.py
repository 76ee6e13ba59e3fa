"""What is said and kept of a permission to trade real money."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from hydra.ops.config.history import UNREADABLE, write_whole
from hydra.store.private_files import make_private_folder

ACCEPTED = "live_accepted.json"
LIVE_ALLOWED = "live_allowed"
"""The name of the value on live's ledger; "" says that the last start was not allowed."""


class LiveWord(msgspec.Struct, frozen=True, kw_only=True):
    """An operator lets one configuration trade live that paper has not shown. `configuration` is
    its digest in the strategy mode that is configured; `at` machine time (UTC ns).
    """

    configuration: str
    reason: str
    by: str
    at: int

    def __str__(self) -> str:
        return f"{self.reason} ({self.by})"


class Allowed(msgspec.Struct, frozen=True, kw_only=True):
    """On what ground the last start on live was allowed, as its ledger has it.

    `traded_as` names the configuration. `newest` is the last day on paper that it rests on; None:
    it rests on none. `word` is the operator's, where one was needed.
    """

    ground: str
    traded_as: str
    newest: str | None = None
    word: LiveWord | None = None


def word_given(history: Path) -> LiveWord | None:
    """What was said last; None: nothing, or nothing that can be read."""
    try:
        return msgspec.json.decode((history / ACCEPTED).read_bytes(), type=LiveWord)
    except UNREADABLE:
        return None


def write_word(history: Path, word: LiveWord) -> None:
    """Keep it for each start with that configuration. Raises OSError and `RightsTooOpen`."""
    make_private_folder(history)
    beside = history / f".{ACCEPTED}"
    write_whole(beside, msgspec.json.encode(word))
    beside.replace(history / ACCEPTED)


def written(allowed: Allowed | None) -> str:
    """As the ledger keeps it."""
    return "" if allowed is None else msgspec.json.encode(allowed).decode()


def read(text: str | None) -> Allowed | None:
    """As the ledger keeps it; None: nothing was allowed, or nobody can read it."""
    try:
        found = msgspec.json.decode(text, type=Allowed) if text else None
        if found is not None and found.newest is not None:
            date.fromisoformat(found.newest)
    except (ValueError, RecursionError, msgspec.DecodeError):
        return None
    return found


def told_of(text: str | None) -> dict[str, Any] | None:
    """For `status` where no engine runs: how the last start was allowed; None: it never was live.

    The fields are those of a running one.
    """
    if text is None:
        return None
    allowed = read(text)
    word = None if allowed is None else allowed.word
    how = in_words(text)
    return {
        "profile": None,
        "open": allowed is not None,
        "ground": None if allowed is None else allowed.ground,
        "reason": None if word is None else word.reason,
        "by": None if word is None else word.by,
        "line": f"the last start was {'not allowed' if how is None else f'allowed ({how})'}",
    }


def in_words(text: str | None) -> str | None:
    """For a day's snapshot; None: there is nothing on record."""
    allowed = read(text)
    if allowed is None:
        return None
    return allowed.ground if allowed.word is None else f"{allowed.ground}: {allowed.word}"
