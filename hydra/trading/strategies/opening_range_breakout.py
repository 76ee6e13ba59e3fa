"""opening_range_breakout: long when a close leaves the range of the session's first minutes."""

from collections.abc import Mapping
from math import inf
from typing import Annotated

from msgspec import Meta, Struct

from hydra.trading.bars import Bar
from hydra.trading.durations import DAY, MINUTE
from hydra.trading.sessions import ExchangeSession
from hydra.trading.strategies.strategy import Signal, parameters_from

NAME = "opening_range_breakout"

SESSION_BARS_MAX = DAY // MINUTE
"""No session has more bars: a coin's is a UTC day, and no bar is shorter than a minute."""


class OpeningRangeBreakoutParameters(Struct, frozen=True, kw_only=True):
    """`range_minutes` from the opening bell on. A close breaks out that is more than `buffer_pct`
    percent (0.05 is a twentieth of one percent) beyond the range.
    """

    range_minutes: Annotated[int, Meta(ge=1, le=240)] = 15
    buffer_pct: Annotated[float, Meta(ge=0, le=10)] = 0.0


class OpeningRangeBreakout:
    """ENTER_LONG on the first close above the opening range, EXIT_LONG on the first one below it.

    Each once a session; only a fall through the range after the upward breakout counts although
    there was one before it. The range is the high and low of all bars that begin in the first
    `range_minutes` of the exchange's session, on half days too. If one of them is missing the
    range is unknown, and the session goes by without a signal. Nothing outlives its session.

    After T. Crabel, "Day trading with short term price patterns and opening range breakout"
    (1990), in the form that is usual today: a range of minutes, broken by a close.
    """

    def __init__(self, parameters: OpeningRangeBreakoutParameters) -> None:
        self._range_length = parameters.range_minutes * MINUTE
        self._buffer = parameters.buffer_pct / 100
        self._session: ExchangeSession | None = None
        self._range_ends_at = 0
        self._covered_until = 0
        self._high, self._low = -inf, inf
        self._broke_up = self._broke_down = False

    @property
    def warm_up(self) -> int:
        """See `Strategy.warm_up`: all bars since the opening bell, however late it is."""
        return SESSION_BARS_MAX

    def on_bar(self, bar: Bar, session: ExchangeSession | None) -> Signal | None:
        """The breakout that this bar's close made, if any."""
        if session is None:
            return None
        if session != self._session:
            self._begin(session)
        if bar.start_at < self._range_ends_at:
            self._widen(bar)
            return None
        if self._covered_until < self._range_ends_at:
            return None
        return self._breakout(bar.close)

    def _begin(self, session: ExchangeSession) -> None:
        self._session = session
        self._range_ends_at = session.open_at + self._range_length
        self._covered_until = session.open_at
        self._high, self._low = -inf, inf
        self._broke_up = self._broke_down = False

    def _widen(self, bar: Bar) -> None:
        if bar.start_at != self._covered_until:
            return  # a hole: no later bar of the range can close it
        self._covered_until = bar.end_at
        self._high, self._low = max(self._high, bar.high), min(self._low, bar.low)

    def _breakout(self, close: float) -> Signal | None:
        if close > self._high * (1 + self._buffer) and not self._broke_up:
            self._broke_up, self._broke_down = True, False
            return Signal.ENTER_LONG
        if close < self._low * (1 - self._buffer) and not self._broke_down:
            self._broke_down = True
            return Signal.EXIT_LONG
        return None


def make(given: Mapping[str, object]) -> OpeningRangeBreakout:
    """A fresh strategy with these parameters; raises `BadParameters`."""
    return OpeningRangeBreakout(
        parameters_from(given, OpeningRangeBreakoutParameters, strategy=NAME)
    )
