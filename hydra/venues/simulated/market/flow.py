"""All symbols' bars merged into one stream of events, in the order of time.

What happens at one instant comes in this order: bars end, the session closes, a session opens,
quarters of bars begin (of each symbol first the bar itself, then the quote, then the trade), the
market ends. Symbols come in the order in which the market's data has them.
"""

from array import array
from collections.abc import Iterator, Sequence
from enum import IntEnum
from heapq import heappop, heappush
from itertools import pairwise
from typing import TypeAlias

from hydra.trading.bars import Bar
from hydra.trading.sessions import ExchangeSession
from hydra.venues.simulated.market.derived import quarter_begins, quote_in, trade_in
from hydra.venues.simulated.market.events import (
    BarBegun,
    BarEnded,
    MarketEnded,
    SessionClosed,
    SessionOpened,
    TapeEvent,
)


class Phase(IntEnum):
    """What comes first at one instant."""

    BARS_END = 0
    SESSION_CLOSES = 1
    SESSION_OPENS = 2
    QUARTERS_BEGIN = 3
    MARKET_ENDS = 4


class Flow:
    """The stream of events of some bars. Bars of the same times are handled together, as a row."""

    def __init__(
        self,
        bars: Sequence[Bar],
        sessions: Sequence[ExchangeSession],
        ends_at: int,
        spread_share: float,
    ) -> None:
        self._bars = bars
        self._sessions = sessions
        self._ends_at = ends_at
        self._spread_share = spread_share
        self._firsts, self._stops = _rows_of(bars)

    def events(self, after: int) -> Iterator[TapeEvent]:
        """Those later than `after` (UTC ns)."""
        # Of each chain (rows, quarters of a row, sessions) the heap holds only what comes next.
        pending = self._pending_after(after)
        while pending:
            at, phase, number, quarter = heappop(pending)
            match phase:
                case Phase.BARS_END:
                    for bar in self._row(number):
                        yield BarEnded(at, bar)
                case Phase.SESSION_CLOSES:
                    yield SessionClosed(at)
                    self._push_session(pending, number + 1)
                case Phase.SESSION_OPENS:
                    session = self._sessions[number]
                    yield SessionOpened(at, session.date)
                    heappush(pending, (session.close_at, Phase.SESSION_CLOSES, number, 0))
                case Phase.QUARTERS_BEGIN:
                    for bar in self._row(number):
                        if quarter == 0:
                            yield BarBegun(at, bar)
                        yield quote_in(bar, quarter, self._spread_share)
                        trade = trade_in(bar, quarter)
                        if trade is not None:
                            yield trade
                    if quarter == 0:
                        self._push_row(pending, number + 1)
                    heappush(pending, self._next_of_row(number, quarter + 1))
                case Phase.MARKET_ENDS:
                    yield MarketEnded(at)
                    return

    def _pending_after(self, after: int) -> "list[_Pending]":
        pending: list[_Pending] = []
        if self._ends_at > after:
            heappush(pending, (self._ends_at, Phase.MARKET_ENDS, 0, 0))
        for number, first in enumerate(self._firsts):
            bar = self._bars[first]
            if bar.start_at > after:
                self._push_row(pending, number)
                break
            if bar.end_at > after:
                quarter = 1
                while quarter < 4 and quarter_begins(bar, quarter) <= after:
                    quarter += 1
                heappush(pending, self._next_of_row(number, quarter))
        for number, session in enumerate(self._sessions):
            if session.open_at > after:
                self._push_session(pending, number)
                break
            if session.close_at > after:
                heappush(pending, (session.close_at, Phase.SESSION_CLOSES, number, 0))
                break
        return pending

    def _push_row(self, pending: "list[_Pending]", number: int) -> None:
        if number < len(self._firsts):
            heappush(pending, self._next_of_row(number, 0))

    def _next_of_row(self, number: int, quarter: int) -> "_Pending":
        bar = self._bars[self._firsts[number]]
        if quarter == 4:
            return bar.end_at, Phase.BARS_END, number, 0
        return quarter_begins(bar, quarter), Phase.QUARTERS_BEGIN, number, quarter

    def _push_session(self, pending: "list[_Pending]", number: int) -> None:
        if number < len(self._sessions):
            session = self._sessions[number]
            heappush(pending, (session.open_at, Phase.SESSION_OPENS, number, 0))

    def _row(self, number: int) -> Sequence[Bar]:
        return self._bars[self._firsts[number] : self._stops[number]]


_Pending: TypeAlias = tuple[int, Phase, int, int]
"""When, what, of which row or session, and which quarter of a row's bars (0 to 3)."""


def _rows_of(bars: Sequence[Bar]) -> tuple["array[int]", "array[int]"]:
    """Where rows of bars of the same times begin in `bars`, and end, in the order of their starts.

    Arrays, because a market of one symbol has as many rows as bars.
    """
    firsts = array("q")
    times: tuple[int, int] | None = None
    for index, bar in enumerate(bars):
        if times != (bar.start_at, bar.end_at):
            times = (bar.start_at, bar.end_at)
            firsts.append(index)
    stops = firsts[1:]
    stops.append(len(bars))
    starts = [bars[first].start_at for first in firsts]
    if all(earlier <= later for earlier, later in pairwise(starts)):
        return firsts, stops
    order = sorted(range(len(starts)), key=starts.__getitem__)
    return array("q", [firsts[row] for row in order]), array("q", [stops[row] for row in order])
