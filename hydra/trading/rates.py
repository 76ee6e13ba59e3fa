"""The rolling book of what was attempted: orders, cancels, rejections, round trips (I36, I38, I39).

Everything counts the moment it is attempted, whatever becomes of it. Times are market time (UTC
ns), which may go backwards: an attempt counts until that much time has passed since it, and so one
that lies in the future counts always. Where the book has to forget, it forgets toward "too many".

The book is a matter of what happened, and nothing in it of who asked: after a restart the same
events, in the order that the ledger has them, give the same answers.
"""

from bisect import bisect_right, insort_right
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TypeAlias, assert_never

import msgspec

from hydra.trading.durations import MINUTE
from hydra.trading.exact import add, subtract
from hydra.trading.orders import OrderType, Role, Side
from hydra.trading.situation import Limits, Proposal, RatesView

KEPT_MAX = 20_000
"""Attempts of each kind that are kept. More than any limit allows, so none is ever undercounted."""


class OrderAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """An order was approved, and from now on may be sent. A denied one was never attempted.

    `session` is the exchange's date at that time by the calendar, not by the bot's word, or a bot
    that forgets what day it is would have no daily limit. `notional` (USD) as the checks valued it.
    """

    at: int
    session: str
    bot: str
    symbol: str
    role: Role
    side: Side
    quantity: Decimal
    order_type: OrderType
    notional: Decimal


class CancelAttempt(msgspec.Struct, frozen=True):
    """The venue is asked to cancel an order."""

    at: int


class VenueAccepted(msgspec.Struct, frozen=True):
    """The venue accepted an order in the symbol."""

    symbol: str


class VenueRejected(msgspec.Struct, frozen=True):
    """The venue rejected an order in the symbol."""

    symbol: str


class RoundTrip(msgspec.Struct, frozen=True):
    """A bot's position is back at nothing, or at too little for an order. `session` as for an
    attempt.
    """

    bot: str
    session: str


class RoundTripsSeen(msgspec.Struct, frozen=True):
    """A person has looked into the first so many of a bot's round trips in this session, and lets
    it go on: they count no more.
    """

    bot: str
    session: str
    count: int


RateEvent: TypeAlias = (
    OrderAttempt | CancelAttempt | VenueAccepted | VenueRejected | RoundTrip | RoundTripsSeen
)


class Attempts:
    """What was attempted lately and today, by everybody.

    Only what is in a row, and which day it is, depends on the order in which events are told.
    """

    def __init__(self) -> None:
        self._entries = _Timeline()
        self._exits = _Timeline()
        self._entries_in: dict[str, list[int]] = {}
        """By symbol, the times of the entries."""
        self._cancels: list[int] = []
        self._last_entries: dict[str, int] = {}
        self._rejections_in_a_row: dict[str, int] = {}
        self._today = _Today()

    @classmethod
    def recovered(cls, events: Iterable[RateEvent]) -> "Attempts":
        """The book that has lived through all this: of today, and of the window before it."""
        attempts = cls()
        for event in events:
            attempts.note(event)
        return attempts

    def note(self, event: RateEvent) -> None:
        """Count it."""
        match event:
            case OrderAttempt():
                self._note_order(event)
            case CancelAttempt():
                _keep(self._cancels, event.at)
            case VenueAccepted():
                self._rejections_in_a_row.pop(event.symbol, None)
            case VenueRejected():
                self._rejections_in_a_row[event.symbol] = self.rejections(event.symbol) + 1
            case RoundTrip():
                round_trips = self._begun(event.session).round_trips
                round_trips[event.bot] = round_trips.get(event.bot, 0) + 1
            case RoundTripsSeen():
                self._begun(event.session).round_trips_seen[event.bot] = event.count
            case _:
                assert_never(event)

    def view(self, proposal: Proposal, limits: Limits, at: int, session: str) -> RatesView:
        """What the checks are to know of the time before `at`, in the exchange session `session`.

        It changes nothing: whoever asks twice gets the same answer.
        """
        today = self._day(session)
        return RatesView(
            entries_last_minute=self._entries.count_after(at - MINUTE),
            entries_last_minute_symbol=_count_after(
                self._entries_in.get(proposal.symbol, ()), at - MINUTE
            ),
            exits_last_minute=self._exits.count_after(at - MINUTE),
            notional_in_window=self._entries.notional_after(at - limits.notional_window_ns),
            entries_today=today.entries,
            notional_today=today.notional,
            last_entry_at=self._last_entries.get(proposal.bot),
            last_similar_at=self._last_similar(proposal, at - limits.similar_order_ns),
            rejections_in_a_row=self.rejections(proposal.symbol),
            round_trips_today=self.round_trips(proposal.bot, session),
            bot_entries_today=today.entries_of.get(proposal.bot, 0),
        )

    def cancels_last_minute(self, at: int) -> int:
        """Cancels attempted in the minute before `at`, by anybody."""
        return _count_after(self._cancels, at - MINUTE)

    def rejections(self, symbol: str) -> int:
        """By the venue, in a row, in the symbol."""
        return self._rejections_in_a_row.get(symbol, 0)

    def round_trips(self, bot: str, session: str) -> int:
        """Of the bot, in this exchange session, that nobody has looked into."""
        today = self._day(session)
        return max(0, today.round_trips.get(bot, 0) - today.round_trips_seen.get(bot, 0))

    def see_round_trips(self, bot: str, session: str) -> RoundTripsSeen:
        """A person lets the bot go on after all that it has made; gives what says so again."""
        seen = RoundTripsSeen(bot, session, self._day(session).round_trips.get(bot, 0))
        self.note(seen)
        return seen

    def _note_order(self, attempt: OrderAttempt) -> None:
        if attempt.role.reduces:
            self._exits.add(attempt)
            return
        self._entries.add(attempt)
        _keep(self._entries_in.setdefault(attempt.symbol, []), attempt.at)
        last = self._last_entries.get(attempt.bot, attempt.at)
        self._last_entries[attempt.bot] = max(last, attempt.at)
        today = self._begun(attempt.session)
        today.entries += 1
        today.entries_of[attempt.bot] = today.entries_of.get(attempt.bot, 0) + 1
        today.notional = add(today.notional, attempt.notional)

    def _day(self, session: str) -> "_Today":
        """What counts in that session: all that is counted, unless it is a later one.

        Time that went back to an earlier one gives nothing again.
        """
        return self._today if session <= self._today.session else _Today(session)

    def _begun(self, session: str) -> "_Today":
        """The counters for something that happened in that session: a later one begins anew."""
        self._today = self._day(session)
        return self._today

    def _last_similar(self, proposal: Proposal, since: int) -> int | None:
        similar = [
            attempt.at
            for timeline in (self._entries, self._exits)
            for attempt in timeline.after(since)
            if _are_alike(attempt, proposal)
        ]
        return max(similar) if similar else None


class _Today:
    """What one session's limits are held against. `session` is its ISO date; "": none yet."""

    def __init__(self, session: str = "") -> None:
        self.session = session
        self.entries = 0
        self.entries_of: dict[str, int] = {}
        self.notional = Decimal(0)
        self.round_trips: dict[str, int] = {}
        self.round_trips_seen: dict[str, int] = {}


class _Timeline:
    """Attempts by their time, whatever order they were told in, with running totals."""

    def __init__(self) -> None:
        self._times: list[int] = []
        self._attempts: list[OrderAttempt] = []
        self._totals = [Decimal(0)]
        """Of everything before each attempt, with what is no longer kept; and of everything."""

    def add(self, attempt: OrderAttempt) -> None:
        """Put it in its place: at the end, but where market time went backwards."""
        place = bisect_right(self._times, attempt.at)
        self._times.insert(place, attempt.at)
        self._attempts.insert(place, attempt)
        del self._totals[place + 1 :]
        for later in self._attempts[place:]:
            self._totals.append(add(self._totals[-1], later.notional))
        if len(self._times) > KEPT_MAX:
            del self._times[0], self._attempts[0], self._totals[0]

    def after(self, time: int) -> list[OrderAttempt]:
        """Those of later than `time`."""
        return self._attempts[bisect_right(self._times, time) :]

    def count_after(self, time: int) -> int:
        """How many are of later than `time`."""
        return _count_after(self._times, time)

    def notional_after(self, time: int) -> Decimal:
        """What those of later than `time` are worth.

        If all that are kept are later, so may others have been: then it is the total of all ever.
        """
        first = bisect_right(self._times, time)
        return subtract(self._totals[-1], self._totals[first]) if first else self._totals[-1]


def _keep(times: list[int], time: int) -> None:
    """Put it in its place among the last ones."""
    insort_right(times, time)
    del times[:-KEPT_MAX]


def _count_after(times: Sequence[int], time: int) -> int:
    """How many of these, which are in order, are later than `time`."""
    return len(times) - bisect_right(times, time)


def _are_alike(attempt: OrderAttempt, proposal: Proposal) -> bool:
    return (
        attempt.bot == proposal.bot
        and attempt.symbol == proposal.symbol
        and attempt.side is proposal.side
        and attempt.quantity == proposal.quantity
        and attempt.order_type is proposal.order_type
    )
