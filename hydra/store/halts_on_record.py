"""Halts as they go on record and off it, and the word of an operator that waits for the next start.

That word is of the halts that stood when it was said. One that is latched later is another halt,
whatever its code, and nobody has looked at it yet (I04).
"""

from typing import Any

import msgspec

from hydra.store.event_log import EventLog
from hydra.store.events import HaltCleared, HaltLatched, ValuePut
from hydra.store.tables import HALTS, KV
from hydra.trading.clearing import is_another
from hydra.trading.trading_state import Cause
from messages.control import OPERATOR_RESUME


def latch(events: EventLog, cause: Cause, at: int) -> None:
    """It stands. If it is not the one that stood, what was said of that one is not said of it."""
    if is_another(cause, events.get(HALTS, cause.code)):
        _take_back(events, cause.code, at)
    events.append(HaltLatched(cause=cause), at)


def clear(events: EventLog, code: str, reason: str, at: int) -> None:
    """It is gone, and what was said of it has been carried out."""
    _take_back(events, code, at)
    events.append(HaltCleared(code=code, reason=reason), at)


def without(word: str, code: str) -> str:
    """The word, which is JSON (see `OPERATOR_RESUME`), without this cause; "": of none any more.

    One that cannot be read, or does not name its causes, lets nothing go.
    """
    try:
        said = msgspec.json.decode(word, type=dict[str, Any])
        codes = msgspec.convert(said.get("codes"), list[str])
    except msgspec.MsgspecError:
        return ""
    left = [each for each in codes if each != code]
    if not left:
        return ""
    return word if left == codes else msgspec.json.encode({**said, "codes": left}).decode()


def _take_back(events: EventLog, code: str, at: int) -> None:
    row = events.get(KV, OPERATOR_RESUME)
    word = "" if row is None else str(row[1])
    left = without(word, code) if word else ""
    if left != word:
        events.append(ValuePut(key=OPERATOR_RESUME, value=left), at)
