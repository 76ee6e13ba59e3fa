"""Taking out the entries that still work once trading is not open any more (I10).

A cancel is a request, so it is made again until the order's end is known. Exits and protective
orders are no business of this book: they stay in force through a halt (I11).

All times are machine time (ns), since it is the venue's answers that are waited for. A cancel too
many harms nothing and one too few may cost money, so here, unlike for orders, a time in the future
holds nothing back.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

import msgspec
from msgspec import structs

from hydra.trading.durations import SECOND
from hydra.trading.trading_state import Cause, TradingState, state_for

AGAIN_AFTER_NS = 5 * SECOND
OVERDUE_AFTER_NS = 60 * SECOND
WINDOW_NS = 60 * SECOND


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that is to be taken out, and how often the venue was asked to."""

    client_order_id: str
    since: int
    requests: int = 0
    requested_at: int | None = None


@dataclass(slots=True)
class CancelBook:
    """Which entries are to be taken out, and when to ask for it. Equal events, equal books.

    `cancels_per_minute_max` is the allowance for cancels alone; entries use none of it.
    """

    cancels_per_minute_max: int
    _entries: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Bot and symbol of every entry that may be live, by client order id."""
    _wanted: dict[str, Wanted] = field(default_factory=dict)
    _requested_at: list[int] = field(default_factory=list)
    """The requests of the last minute, all of them."""
    _wished_at: dict[str, int] = field(default_factory=dict)
    """When an open order's end was last asked for by a bot's wish."""

    def entry_opened(self, client_order_id: str, bot: str, symbol: str) -> None:
        """An entry may be live from now on: it is approved, or known from the record."""
        self._entries[client_order_id] = (bot, symbol)

    def order_ended(self, client_order_id: str) -> None:
        """An order has come to its end, whatever that is, and whatever the order was for."""
        self._entries.pop(client_order_id, None)
        self._wanted.pop(client_order_id, None)
        self._wished_at.pop(client_order_id, None)

    def other_request_made(self, at: int) -> None:
        """Somebody else asked the venue for a cancel: it uses the same allowance."""
        self._requested_at.append(at)

    def wish(self, client_order_id: str, at: int) -> bool:
        """A bot would like an open order to be taken out. True: it counts as asked for now.

        False: it was asked for a moment ago, or the allowance of the minute is used up.
        """
        wished_at = self._wished_at.get(client_order_id)
        if wished_at is not None and 0 <= at - wished_at < AGAIN_AFTER_NS:
            return False
        if self._allowance_left(at) == 0:
            return False
        self._wished_at[client_order_id] = at
        self._requested_at.append(at)
        return True

    def due(self, causes: Collection[Cause], at: int) -> tuple[str, ...]:
        """The orders whose cancel is to be asked for now, by name; they count as asked for.

        To be called when the causes change, and at least once a second while any stand. Those
        asked for least come first, so that no order waits for the second request of another.
        """
        self._want(causes, at)
        left = self._allowance_left(at)
        ready = [wanted for wanted in self._wanted.values() if _is_due(wanted, at)]
        ready.sort(key=lambda wanted: wanted.requests)
        for wanted in ready[:left]:
            self._wanted[wanted.client_order_id] = structs.replace(
                wanted, requests=wanted.requests + 1, requested_at=at
            )
            self._requested_at.append(at)
        return tuple(wanted.client_order_id for wanted in ready[:left])

    def overdue(self, at: int) -> tuple[Wanted, ...]:
        """What should be out by now and is not known to be: to be told to an operator."""
        return tuple(
            wanted
            for wanted in self._wanted.values()
            if not 0 <= at - wanted.since < OVERDUE_AFTER_NS
        )

    def _allowance_left(self, at: int) -> int:
        self._requested_at = [
            requested for requested in self._requested_at if 0 <= at - requested < WINDOW_NS
        ]
        return max(0, self.cancels_per_minute_max - len(self._requested_at))

    def _want(self, causes: Collection[Cause], at: int) -> None:
        for name, (bot, symbol) in self._entries.items():
            if state_for(causes, bot, symbol) is TradingState.ACTIVE:
                self._wanted.pop(name, None)
            elif name not in self._wanted:
                self._wanted[name] = Wanted(client_order_id=name, since=at)


def _is_due(wanted: Wanted, at: int) -> bool:
    return wanted.requested_at is None or not 0 <= at - wanted.requested_at < AGAIN_AFTER_NS
