"""The test feed's only symbol. It trades every second, day and night, at invented prices."""

from __future__ import annotations

from collections.abc import Callable

from hydra.trading.durations import MINUTE, SECOND
from hydra.trading.orders import Side
from hydra.venues.simulated.market.events import QuoteChanged, TradePrinted
from hydra.venues.simulated.market.rows import HistoryBar
from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.streams.encodings import Message
from hydra.venues.simulated.server.streams.feeds import TEST_SYMBOL, Kind
from hydra.venues.simulated.server.streams.market_messages import (
    bar_message,
    quote_message,
    trade_message,
)

BASE_CENTS = 13_000
SWING_CENTS = 59
"""The price goes up and down by so much in each minute, a cent a second."""
SHARES = 100


class InventedMarket:
    """Happens only while somebody listens. `tell` gives whether there is still anybody."""

    def __init__(self, venue: LocalVenue, tell: Callable[[Message], bool]) -> None:
        self._venue = venue
        self._tell = tell
        self._is_open = False

    def open(self) -> None:
        """Somebody listens."""
        if not self._is_open:
            self._is_open = True
            self._wake_next_second()

    def _wake_next_second(self) -> None:
        second = self._venue.now() // SECOND + 1
        self._venue.wake_at(second * SECOND, self._happen)

    def _happen(self) -> None:
        at = self._venue.now() // SECOND * SECOND
        self._is_open = [self._tell(message) for message in messages_at(at)][-1]
        if self._is_open:
            self._wake_next_second()


def price_at(at: int) -> float:
    """In USD; a pure function of the second."""
    second = at // SECOND % 60
    return (BASE_CENTS + min(second, SWING_CENTS - second)) / 100


def messages_at(at: int) -> list[Message]:
    """A trade and a quote in each second, and the minute's bar when it is over."""
    price = price_at(at)
    trade = TradePrinted(TEST_SYMBOL, at, price, SHARES, at // SECOND, Side.BUY)
    quote = QuoteChanged(
        TEST_SYMBOL, at, round(price - 0.01, 2), round(price + 0.01, 2), SHARES, SHARES
    )
    messages = [trade_message(Kind.STOCKS, trade), quote_message(Kind.STOCKS, quote)]
    if at % MINUTE == 0:
        messages.append(bar_message("b", _bar(at - MINUTE)))
    return messages


def _bar(start: int) -> HistoryBar:
    prices = [price_at(start + second * SECOND) for second in range(60)]
    return HistoryBar(
        symbol=TEST_SYMBOL,
        at=start,
        open=prices[0],
        high=max(prices),
        low=min(prices),
        close=prices[-1],
        volume=SHARES * len(prices),
        trades=len(prices),
        vwap=round(sum(prices) / len(prices), 6),
    )
