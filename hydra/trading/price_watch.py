"""The watch over live prices: which symbols can be relied on, and whether the feed as a whole can.

Pure: times are given, `now` in machine time, `at` in market time (ns).
"""

from collections import deque
from collections.abc import Collection, Mapping

import msgspec

from hydra.trading.bars import Bar
from hydra.trading.durations import SECOND
from hydra.trading.feed_age import age
from hydra.trading.quotes import Quote
from hydra.trading.symbol_prices import SymbolPrices, Unready, Verdict
from hydra.trading.venue_clock import seen_at

LOST_MAX = 10 * SECOND
"""A stream that is away for longer makes the feed unwell."""
NONSENSE_MAX = 100
NONSENSE_WINDOW = 60 * SECOND
"""So much nonsense within so long, and nothing that is told can be believed."""


class Change(msgspec.Struct, frozen=True):
    """From now on the symbol must not be entered, for this reason; None: it may be again."""

    symbol: str
    why: Unready | None
    detail: str


class _Stream:
    """A stream is lost until it begins."""

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self.symbols = symbols
        self.has_begun = False
        self.is_refused = False
        self.reason = ""
        self.lost_at: int | None = None


class PriceWatch:
    """See the module. `streams`: the symbols that each tells of, by its name."""

    def __init__(
        self, streams: Mapping[str, tuple[str, ...]], *, age_max: int, late_max: int
    ) -> None:
        """`age_max`: machine time for which a price counts; `late_max`: how old, in market time,
        it may be already when it comes.
        """
        self._age_max = age_max
        self._late_max = late_max
        self._streams = {name: _Stream(symbols) for name, symbols in streams.items()}
        self._symbols = {
            symbol: SymbolPrices(symbol) for symbols in streams.values() for symbol in symbols
        }
        self._told: dict[str, Unready | None] = dict.fromkeys(self._symbols)
        self._open_since: int | None = None
        self._nonsense: deque[int] = deque(maxlen=NONSENSE_MAX)
        self.gaps = 0
        """How often something could not be understood."""

    # What is heard

    def stream_began(self, name: str, connection: int, at: int) -> None:
        """It tells of its symbols from `at` on."""
        stream = self._streams.get(name)
        if stream is not None:
            stream.has_begun, stream.is_refused, stream.lost_at = True, False, None
            for symbol in stream.symbols:
                self._symbols[symbol].stream_began(connection, at)

    def stream_ended(self, name: str, reason: str, is_refused: bool, now: int) -> None:
        """It tells nothing any more. It may be told again and again, as it stays away."""
        stream = self._streams.get(name)
        if stream is not None:
            stream.reason, stream.is_refused = reason, is_refused
            if stream.lost_at is None:
                stream.lost_at = now
            for symbol in stream.symbols:
                self._symbols[symbol].stream_ended(reason)

    def gap(self, now: int) -> None:
        """Something was told that could not be understood."""
        self.gaps += 1
        self._nonsense.append(now)

    def bars_missing(self, symbols: Collection[str], reason: str) -> None:
        """Bars of these are still to be told; "" once they are."""
        for symbol in symbols:
            if symbol in self._symbols:
                self._symbols[symbol].bars_missing(reason)

    def status(self, symbol: str, trades: bool, words: str, at: int, market_now: int) -> str | None:
        """The exchange says whether the symbol trades. Gives what is wrong with that, if anything.

        A word of the future counts as one of now.
        """
        prices = self._symbols.get(symbol)
        if prices is None:
            return "unknown symbol"
        prices.status(trades, words, min(at, market_now))
        return None

    def quote(self, quote: Quote, now: int, market_now: int) -> str | None:
        """What is wrong with the quote; None: it is good, and counts."""
        prices = self._symbols.get(quote.symbol)
        if prices is None:
            return self._nonsensical("unknown symbol", now)
        if not seen_at(quote.at, market_now) <= market_now:
            return self._nonsensical("it is from the future", now)
        if not quote.at >= market_now - self._late_max:
            return "it is too old to be a price of now"
        verdict, fault = prices.take_quote(quote, now)
        return self._outcome(verdict, fault, now)

    def bar(self, bar: Bar, now: int) -> str | None:
        """The same of a bar, whose numbers and times were checked."""
        prices = self._symbols.get(bar.symbol)
        if prices is None:
            return None  # no stream tells of it
        verdict, fault = prices.take_bar(bar, now)
        return self._outcome(verdict, fault, now)

    def history(self, bar: Bar) -> None:
        """A bar of before, which was fetched."""
        prices = self._symbols.get(bar.symbol)
        if prices is not None:
            prices.take_history(bar)

    def nonsense(self, now: int) -> None:
        """Something was found elsewhere that nobody should have said."""
        self._nonsense.append(now)

    def session(self, now: int, *, is_open: bool) -> None:
        """Whether the exchange is open. Prices are expected from when it was first seen to be."""
        if not is_open:
            self._open_since = None
        elif self._open_since is None:
            self._open_since = now

    # What follows

    def knows(self, symbol: str) -> bool:
        """Whether a stream tells of it."""
        return symbol in self._symbols

    def changes(self, now: int, symbol: str | None = None) -> tuple[Change, ...]:
        """What has become of symbols (None: of all) since this was asked last."""
        found = []
        for each in self._symbols if symbol is None else (symbol,):
            trouble = self._symbols[each].trouble(now, self._open_since, self._age_max)
            why, detail = trouble or (None, "")
            if why is not self._told[each]:
                self._told[each] = why
                found.append(Change(each, why, detail))
        return tuple(found)

    def fault(self, now: int) -> str | None:
        """Why the feed as a whole is not to be traded on; None: nothing is wrong with it."""
        for name, stream in self._streams.items():
            fault = self._fault_of(name, stream, now)
            if fault is not None:
                return fault
        if len(self._nonsense) == NONSENSE_MAX and now - self._nonsense[0] <= NONSENSE_WINDOW:
            seconds = NONSENSE_WINDOW // SECOND
            return f"{NONSENSE_MAX} or more prices within {seconds} s that nobody can have meant"
        return None

    @property
    def unready(self) -> Mapping[str, str]:
        """Why symbols must not be entered, as it was told last."""
        return {symbol: why.value for symbol, why in sorted(self._told.items()) if why is not None}

    def _fault_of(self, name: str, stream: _Stream, now: int) -> str | None:
        if stream.is_refused:
            return f"the stream {name} is refused: {stream.reason}"
        if not stream.has_begun:
            return f"the stream {name} is not connected yet"
        if self._open_since is None:
            return None
        if stream.lost_at is not None and now - max(stream.lost_at, self._open_since) > LOST_MAX:
            seconds = (now - stream.lost_at) // SECOND
            return f"the stream {name} is lost for {seconds} s: {stream.reason}"
        speaking = [
            prices
            for each in stream.symbols
            if (prices := self._symbols[each]).speaks_for_its_stream
        ]
        if not speaking:
            return None
        youngest = min(age(prices.rhythm, now, self._open_since) for prices in speaking)
        if 0 <= youngest <= self._age_max:
            return None
        return f"the stream {name}: the newest price is {youngest / SECOND:.0f} s old"

    def _outcome(self, verdict: Verdict, fault: str, now: int) -> str | None:
        match verdict:
            case Verdict.GOOD:
                return None
            case Verdict.UNUSABLE:
                return fault
            case Verdict.NONSENSE:
                return self._nonsensical(fault, now)

    def _nonsensical(self, fault: str, now: int) -> str:
        self._nonsense.append(now)
        return fault
