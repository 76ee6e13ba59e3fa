"""The watch over the calendar: a day that the broker keeps otherwise than we do is not entered.

Bots, exits and limits go by the engine's own calendar. An early close that it does not know of
would leave what is held open over night, so on such a day no position is opened; nor is any for as
long as the broker has not told how it keeps the day.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from hydra.ops.repeated_look import RepeatedLook
from hydra.runtime.runtime import Runtime
from hydra.trading.causes import CALENDAR_PARTED
from hydra.trading.local_time import new_york_date
from hydra.trading.trading_state import Cause
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.calendar import CalendarSeen
from hydra.venues.alpaca.reads import ReadFailed

SOURCE = "calendar_watch"
PERIOD_S = 30.0
READ_AGAIN_AFTER_S = 3_600.0
"""What was read of a day holds until then, and longer where the broker does not answer."""


class CalendarWatch(RepeatedLook):
    """Closes entries for as long as today is kept otherwise, or that is not known.

    Days to come that are kept otherwise are told once, for people to be ready. A watch that has
    died closes them until the next start.
    """

    def __init__(
        self,
        runtime: Runtime,
        read: Callable[[], CalendarSeen],
        say: Callable[[str], None],
        *,
        period_s: float = PERIOD_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`read` asks the broker (see `seen_calendar`); `say` is told each alarm, for people."""
        super().__init__(runtime, name="calendar-watch", period_s=period_s)
        self._read = read
        self._say = say
        self._monotonic = monotonic
        self._seen: CalendarSeen | None = None
        self._read_at: float | None = None
        self._failed = "it was not asked yet"
        self._told: set[str] = set()
        self._died: str | None = None

    @property
    def present(self) -> frozenset[str]:
        """The code of its cause, as long as today is not known to be as we keep it."""
        return frozenset({CALENDAR_PARTED.code} if self._why_closed() else ())

    def look_once(self) -> None:
        """Ask, if that is due, and close entries if today is not known to be as we keep it."""
        if self._is_due():
            self._ask()
        why = self._why_closed()
        if why is not None:
            cause = self._cause(why)
            if not self._stands(cause):
                self._halt(cause)

    def _cannot_go_on(self, reason: str) -> Cause:
        self._died = f"the watch over the calendar died: {reason}"
        return self._cause(self._died)

    def _is_due(self) -> bool:
        read_at = self._read_at
        return read_at is None or self._monotonic() - read_at >= READ_AGAIN_AFTER_S

    def _ask(self) -> None:
        try:
            self._seen = seen = self._read()
        except (ReadFailed, BadAnswer) as failed:
            self._failed = str(failed)
            return
        self._read_at = self._monotonic()
        for day in seen.parted:
            if str(day) not in self._told:
                self._told.add(str(day))
                self._runtime.log("calendar_parted", SOURCE, {"detail": str(day)})
                self._say(f"ALARM: {day}; nothing is entered on that day: be flat before it begins")

    def _why_closed(self) -> str | None:
        """Why nothing is to be entered today; None: nothing of the calendar bars it."""
        if self._died is not None:
            return self._died
        today = new_york_date(self._market_time).isoformat()
        seen = self._seen
        if seen is None or not seen.tells_of(today):
            return f"how the venue keeps {today} is not known: {self._failed}"
        parted = seen.parted_on(today)
        return None if parted is None else str(parted)

    def _cause(self, detail: str) -> Cause:
        return CALENDAR_PARTED.cause(since=self._market_time, detail=detail)

    @property
    def _market_time(self) -> int:
        return self._runtime.market_time_at(self._runtime.now())
