"""For how long a session could be traded, and with which configuration: pure, from look to look.

A day on which everything was halted, or nothing ran, shows nothing of a configuration, however
clean its end is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hydra.trading.durations import SECOND
from hydra.trading.sessions import ExchangeSession

LOOKS_APART_MAX = 30 * SECOND
"""What lay between two looks that are further apart, nobody has seen (machine time)."""


Seconds = Annotated[int, Meta(ge=0)]


class TradingTime(msgspec.Struct, frozen=True, kw_only=True):
    """Of the session `date`, which lasts for `session_s`: for how many seconds of it trading was
    ACTIVE, by the configuration that was in force (`Settings.traded_as`).
    """

    date: str
    session_s: Seconds
    open_s: dict[str, Seconds]


class TimedLook(msgspec.Struct, frozen=True, kw_only=True):
    """One look: `at` is market time, `seen` the machine's. `session`: the one that is open then.
    `traded_as` None: nothing could be traded.
    """

    at: int
    seen: int
    session: ExchangeSession | None
    traded_as: str | None


def with_look(
    time: TradingTime | None, before: TimedLook | None, look: TimedLook
) -> TradingTime | None:
    """The same with what has passed since the look before; None: no session was seen yet."""
    session = look.session
    if session is None:
        return time
    if time is None or time.date != session.date:
        lasts = (session.close_at - session.open_at) // SECOND
        time = TradingTime(date=session.date, session_s=lasts, open_s={})
    if before is None or look.traded_as is None:
        return time
    is_same = before.session == session and before.traded_as == look.traded_as
    if not is_same or not 0 <= look.seen - before.seen <= LOOKS_APART_MAX:
        return time
    # By whole seconds of market time, so that no part of one is counted twice or lost.
    passed = look.at // SECOND - before.at // SECOND
    open_s = time.open_s.get(look.traded_as, 0) + max(0, passed)
    return msgspec.structs.replace(time, open_s={**time.open_s, look.traded_as: open_s})


def trading_time_in(document: Mapping[str, Any]) -> TradingTime | None:
    """As a surface tells it; None: it tells of none. Raises ValueError."""
    if document.get("date") is None:
        return None
    try:
        return msgspec.convert(dict(document), type=TradingTime)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
