"""What happens next at the venue: the market's events, dated splits, and alarms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush, merge
from itertools import count
from typing import TypeAlias

import msgspec

from hydra.venues.simulated.market.events import TapeEvent
from hydra.venues.simulated.market.splits import Split
from hydra.venues.simulated.market.tape import Tape

MarketEvent: TypeAlias = TapeEvent | Split
"""What belongs to the market itself: it is the same and has the same number in every life."""


class Alarm(msgspec.Struct, frozen=True):
    """Somebody wanted to be called at `at` (market time, UTC ns)."""

    at: int
    ring: Callable[[], None]


class Agenda:
    """In the order of time; of one moment the market's events come first, a split before others."""

    def __init__(self, tape: Tape, splits: Sequence[Split]) -> None:
        self._events = _events_of(tape, splits)
        self._next = next(self._events, None)
        self._alarms: list[tuple[int, int, Alarm]] = []
        self._alarm_numbers = count()
        self.events_taken = 0
        """How many events of the market have been taken from it."""
        self.newest_event_at = tape.begins_at
        """When the last of them was; before the first, when the market begins."""

    @property
    def next_event_at(self) -> int | None:
        """When the market's next event is; None: it is over."""
        return None if self._next is None else self._next.at

    @property
    def next_at(self) -> int | None:
        """When the next thing of any kind is; None: there is nothing any more."""
        times = [at for at in (self.next_event_at, self._next_alarm_at) if at is not None]
        return min(times, default=None)

    def add(self, alarm: Alarm) -> None:
        """Something else that is to happen."""
        heappush(self._alarms, (alarm.at, next(self._alarm_numbers), alarm))

    def take(self) -> MarketEvent | Alarm:
        """The next thing, which now happens. There must be one."""
        event_at, alarm_at = self.next_event_at, self._next_alarm_at
        if event_at is None or (alarm_at is not None and alarm_at < event_at):
            return heappop(self._alarms)[2]
        return self.take_event()

    def take_event(self) -> MarketEvent:
        """The market's next event, whatever else is due. There must be one."""
        event = self._next
        assert event is not None, "the market is over"
        self._next = next(self._events, None)
        self.events_taken += 1
        self.newest_event_at = event.at
        return event

    @property
    def _next_alarm_at(self) -> int | None:
        return self._alarms[0][0] if self._alarms else None


def _events_of(tape: Tape, splits: Sequence[Split]) -> Iterator[MarketEvent]:
    played = (s for s in splits if s.at >= tape.begins_at and tape.asset(s.symbol) is not None)
    dated = sorted(played, key=_time_of)
    return merge(dated, tape.events(tape.begins_at - 1), key=_time_of)


def _time_of(event: MarketEvent) -> int:
    return event.at
