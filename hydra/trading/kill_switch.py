"""The kill switch: what stands in its sources, and what that means for trading.

An operator stops trading with a word, in the environment or in a file. Exactly `close_only` stops
entries; everything else that stands there halts, and so does a source that cannot be looked at. No
kill is one thing only: nothing is there, and it would have been seen.
"""

from enum import Enum
from typing import TypeAlias

import msgspec

from hydra.trading.trading_state import Cause, CauseClass, TradingState

CODE_PREFIX = "kill_switch:"
"""How the code of each of its causes begins; the name of the source follows."""

CONTENT_BYTES_MAX = 64
"""Longer is no word, whatever it begins with."""

CLOSE_ONLY = b"close_only"
HALT_ALL = b"halt_all"

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLANKS = b" \t\r\n"
"""What an editor or `echo` puts behind a word. In front of one they are no mistake of theirs."""


class Source(Enum):
    """Who can stop trading. All of them count, so the worst of them does."""

    ENVIRONMENT = "environment"
    """HYDRA_KILL_SWITCH, in the environment or in `.env`."""
    STATE_FILE = "state_file"
    """The file `kill_switch` beside the ledger."""
    NAMED_FILE = "named_file"
    """The file that HYDRA_KILL_SWITCH_FILE names."""


class Absent(msgspec.Struct, frozen=True):
    """Nothing is there, and what was there would have been seen: the only thing that is no kill."""


class Written(msgspec.Struct, frozen=True):
    """Something is there: its first bytes, of which more than `CONTENT_BYTES_MAX` are too many."""

    content: bytes


class Unreadable(msgspec.Struct, frozen=True):
    """Whether something is there, or what, cannot be known or trusted. It counts as `halt_all`.

    `reason` goes on from the name of the place: "is a folder, wanted a file".
    """

    reason: str


Sight: TypeAlias = Absent | Written | Unreadable


def kill_cause(source: Source, place: str, sight: Sight, since: int) -> Cause | None:
    """What was seen at `place` (how an operator finds it) as a cause; None: no kill.

    `since` is market time. What is written is told only where it is a word of ours: a key may have
    slipped into the wrong line.
    """
    if isinstance(sight, Absent):
        return None
    state, found = _meaning(sight)
    return Cause(
        code=f"{CODE_PREFIX}{source.value}",
        cause_class=CauseClass.INTEGRITY,
        state=state,
        since=since,
        detail=f"{place} {found}; to take it back, {_way_back(source, sight)}, then resume",
    )


def is_kill(cause: Cause) -> bool:
    """Whether the kill switch says so."""
    return cause.code.startswith(CODE_PREFIX)


def _meaning(sight: Written | Unreadable) -> tuple[TradingState, str]:
    """What may pass, and why in words that go on from the name of the place."""
    match sight:
        case Written(content=content):
            word = content.rstrip(_BLANKS)
            if word == CLOSE_ONLY and len(content) <= CONTENT_BYTES_MAX:
                return TradingState.CLOSE_ONLY, "says close_only"
            return TradingState.HALTED, _halting_words(content, word)
        case Unreadable(reason=reason):
            return TradingState.HALTED, f"{reason} (counts as halt_all)"


def _halting_words(content: bytes, word: bytes) -> str:
    if len(content) > CONTENT_BYTES_MAX:
        return f"has more than {CONTENT_BYTES_MAX} bytes (counts as halt_all)"
    if word == HALT_ALL:
        return "says halt_all"
    if not word:
        return "is empty (counts as halt_all)"
    if word.removeprefix(_BYTE_ORDER_MARK).strip(_BLANKS).lower() in (CLOSE_ONLY, HALT_ALL):
        return (
            "has a known word, but with capitals, or with blanks or a byte order mark in front "
            "(counts as halt_all)"
        )
    return f"has {len(word)} bytes that are no known word (counts as halt_all)"


def _way_back(source: Source, sight: Written | Unreadable) -> str:
    if isinstance(sight, Unreadable):
        return "correct that"
    match source:
        case Source.ENVIRONMENT:
            return "unset it where it is set (environment, .env)"
        case Source.STATE_FILE | Source.NAMED_FILE:
            return "remove the file"
