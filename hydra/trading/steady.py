"""Questions of the day and of the clock whose answer stays the same for hours.

Asked at every bar, the tables and the calendar behind them cost more than what is decided by them.
So the last answer is kept for as long as it holds, and given again.
"""

from hydra.trading.account_day import trading_day
from hydra.trading.durations import DAY
from hydra.trading.sessions import ExchangeSession, Hours, SessionTable, Window


class SteadyHours:
    """Market hours that remember the session they were asked about last."""

    def __init__(self, hours: Hours) -> None:
        self._hours = hours
        self._last: ExchangeSession | None = None

    def at(self, at_ns: int) -> ExchangeSession | None:
        """See `Hours.at`."""
        last = self._last
        if last is not None and last.open_at <= at_ns < last.close_at:
            return last
        self._last = found = self._hours.at(at_ns)
        return found


class SteadyTradingDay:
    """A table of sessions that remembers which day it is, until the next one opens."""

    def __init__(self, sessions: SessionTable) -> None:
        self._sessions = sessions
        self._day = ""
        self._since = self._until = 0

    def of(self, at_ns: int) -> str:
        """See `trading_day`."""
        if not self._since <= at_ns < self._until:
            self._day = trading_day(self._sessions, at_ns)
            after = self._sessions.next_after(at_ns)
            self._since, self._until = at_ns, at_ns + DAY if after is None else after.open_at
        return self._day


class SteadyWindow:
    """A window that remembers whether it is open, and until when."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._is_open = False
        self._since = self._until = 0

    def contains(self, at_ns: int) -> bool:
        """See `Window.contains`."""
        if not self._since <= at_ns < self._until:
            self._is_open, self._until = self._window.contains_until(at_ns)
            self._since = at_ns
        return self._is_open
