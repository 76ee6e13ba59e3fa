"""The watch over live prices: which symbols can be relied on, and whether the feed as a whole can.

Pure: times are given, `now` in machine time, `at` in market time (ns).
"""

from collections import deque
from collections.abc import Collection, Mapping

import msgspec

from hydra.trading.bars import Bar
from hydra.trading.durations import SECOND
from hydra.trading.feed_age import age
from hydra.trading.instruments import Instrument, instrument, is_crypto
from hydra.trading.quotes import Quote
from hydra.trading.symbol_prices import SymbolPrices, Unready, Verdict
from hydra.trading.venue_clock import seen_at

LOST_MAX = 10 * SECOND
"""A stream that is away for longer makes the feed unwell."""
MUTE_MAX = 60 * SECOND
"""A stream that is connected and brings no price for so long is worth another connection."""
NOT_FOLLOWED = "the contract is not followed"
"""Nothing is wrong with such a quote: it was on its way when nobody wanted it any more, or it comes
on a stream that is up longer than who listens.
"""
NONSENSE_MAX = 100
NONSENSE_WINDOW = 60 * SECOND
"""So much nonsense within so long, and nothing that is told can be believed."""


class Change(msgspec.Struct, frozen=True):
    """From now on the symbol must not be entered, for this reason; None: it may be again."""

    symbol: str
    why: Unready | None
    detail: str


class _Stream:
    """A stream is lost until it begins. `symbols` are for good, `followed` while they are wanted.

    What is only followed does not speak for the feed: without it those symbols alone are unready.
    """

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self.symbols = symbols
        self.followed: tuple[str, ...] = ()
        self.connection = 0
        self.has_begun = False
        self.is_refused = False
        self.reason = ""
        self.lost_at: int | None = None
        self.heard_since: int | None = None
        """When it began last, or was found mute: there is no telling before it has had its time."""


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
        self._followed_since: dict[str, int] = {}
        """From when on (machine time) quotes of each contract were to come."""
        self._told: dict[str, Unready | None] = dict.fromkeys(self._symbols)
        self._exchange_since: int | None = None
        self._coins_since: int | None = None
        self._nonsense: deque[int] = deque(maxlen=NONSENSE_MAX)
        self.gaps = 0
        """How often something could not be understood."""

    # What is heard

    def stream_began(self, name: str, connection: int, at: int) -> None:
        """It tells of its symbols from `at` on."""
        stream = self._stream(name)
        stream.has_begun, stream.is_refused, stream.lost_at = True, False, None
        stream.heard_since = None
        stream.connection = connection
        for symbol in (*stream.symbols, *stream.followed):
            self._symbols[symbol].stream_began(connection, at)

    def stream_ended(self, name: str, reason: str, is_refused: bool, now: int) -> None:
        """It tells nothing any more. It may be told again and again, as it stays away."""
        stream = self._stream(name)
        stream.reason, stream.is_refused = reason, is_refused
        if stream.lost_at is None:
            stream.lost_at = now
        for symbol in (*stream.symbols, *stream.followed):
            self._symbols[symbol].stream_ended(reason)

    def follow(self, name: str, symbols: tuple[str, ...], now: int, at: int) -> tuple[str, ...]:
        """From now on the stream is to tell of these too, and no more of others that were followed.

        What is known of a symbol goes when it is not followed any more; gives those that went. What
        a stream tells of for good is nobody's to follow, and so nobody's to have forgotten.
        """
        stream = self._stream(name)
        for_good = {each for one in self._streams.values() for each in one.symbols}
        gone = tuple(each for each in stream.followed if each not in symbols)
        new = [each for each in symbols if each not in self._symbols]
        stream.followed = tuple(each for each in symbols if each not in for_good)
        for symbol in gone:
            del self._symbols[symbol], self._told[symbol], self._followed_since[symbol]
        for symbol in new:
            prices = self._symbols[symbol] = SymbolPrices(symbol)
            self._told[symbol] = None
            self._followed_since[symbol] = now
            if stream.has_begun and stream.lost_at is None:
                prices.stream_began(stream.connection, at)
        return gone

    def gap(self, now: int) -> None:
        """Something was told that could not be understood."""
        self.gaps += 1
        self._nonsense.append(now)

    def bars_missing(self, symbols: Collection[str], reason: str) -> None:
        """Bars of these are still to be told; "" once they are."""
        for symbol in symbols:
            if symbol in self._symbols:
                self._symbols[symbol].bars_missing(reason)

    def began_anew(self, symbol: str, at: int) -> None:
        """It is another thing since this market time."""
        if symbol in self._symbols:
            self._symbols[symbol].began_anew(at)

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
        if prices is None and instrument(quote.symbol) is Instrument.OPTION:
            return NOT_FOLLOWED
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

    def session(self, now: int, *, is_open: bool, has_ended: bool = False) -> None:
        """Whether the exchange is open, and whether the market as a whole `has_ended`.

        Prices are expected from when it was first seen to be open; of coins always.
        """
        self._exchange_since = _since(self._exchange_since, now, is_open and not has_ended)
        self._coins_since = _since(self._coins_since, now, not has_ended)

    # What follows

    def knows(self, symbol: str) -> bool:
        """Whether a stream tells of it."""
        return symbol in self._symbols

    def changes(self, now: int, symbol: str | None = None) -> tuple[Change, ...]:
        """What has become of symbols (None: of all) since this was asked last."""
        found = []
        for each in self._symbols if symbol is None else (symbol,):
            trouble = self._symbols[each].trouble(now, self._open_since(each), self._age_max)
            why, detail = trouble or (None, "")
            if why is not self._told[each]:
                self._told[each] = why
                found.append(Change(each, why, detail))
        return tuple(found)

    def fault(self, now: int) -> str | None:
        """Why the feed as a whole is not to be traded on; None: nothing is wrong with it."""
        for name, stream in self._streams.items():
            if not stream.symbols:
                continue
            fault = self._fault_of(name, stream, now)
            if fault is not None:
                return fault
        if len(self._nonsense) == NONSENSE_MAX and now - self._nonsense[0] <= NONSENSE_WINDOW:
            seconds = NONSENSE_WINDOW // SECOND
            return f"{NONSENSE_MAX} or more prices within {seconds} s that nobody can have meant"
        return None

    def mute(self, now: int) -> tuple[str, ...]:
        """The streams that are connected and have brought no price for `MUTE_MAX`, though the
        market is open: what is at fault may be this one connection. Each is named once in that
        time, one of contracts too: should they be silent by themselves, it costs a connection.
        """
        found = []
        for name, stream in self._streams.items():
            youngest = self._youngest(stream, now)
            if youngest is None:
                youngest = self._youngest_followed(stream, now)
            if stream.lost_at is not None or not stream.has_begun or youngest is None:
                continue
            if stream.heard_since is None:
                stream.heard_since = now
            if youngest > MUTE_MAX and now - stream.heard_since > MUTE_MAX:
                stream.heard_since = now
                found.append(name)
        return tuple(found)

    @property
    def unready(self) -> Mapping[str, str]:
        """Why symbols must not be entered, as it was told last."""
        return {symbol: why.value for symbol, why in sorted(self._told.items()) if why is not None}

    def _fault_of(self, name: str, stream: _Stream, now: int) -> str | None:
        if stream.is_refused:
            return f"the stream {name} is refused: {stream.reason}"
        if not stream.has_begun:
            return f"the stream {name} is not connected yet"
        open_since = {
            each: since for each in stream.symbols if (since := self._open_since(each)) is not None
        }
        if not open_since:
            return None
        expected = min(open_since.values())
        if stream.lost_at is not None and now - max(stream.lost_at, expected) > LOST_MAX:
            seconds = (now - stream.lost_at) // SECOND
            return f"the stream {name} is lost for {seconds} s: {stream.reason}"
        youngest = self._youngest(stream, now)
        if youngest is None or 0 <= youngest <= self._age_max:
            return None
        return f"the stream {name}: {self._silence_of(stream, youngest)}"

    def _silence_of(self, stream: _Stream, youngest: int) -> str:
        """In words. Before the market opens no age counts, and a price of then is older than it."""
        seconds = f"{youngest / SECOND:.0f} s"
        rhythms = [
            (since, self._symbols[each].rhythm)
            for each in stream.symbols
            if (since := self._open_since(each)) is not None
            and self._symbols[each].speaks_for_its_stream
        ]
        if all(rhythm is None for _, rhythm in rhythms):
            return f"no price has come since it began; one has been due for {seconds}"
        if all(rhythm is None or rhythm.heard_at < since for since, rhythm in rhythms):
            return f"no price has come since the market opened {seconds} ago"
        return f"the newest price is {seconds} old"

    def _youngest(self, stream: _Stream, now: int) -> int | None:
        """How old its newest price is; None: none is expected now."""
        ages = [
            age(prices.rhythm, now, since)
            for each in stream.symbols
            if (since := self._open_since(each)) is not None
            and (prices := self._symbols[each]).speaks_for_its_stream
        ]
        return min(ages, default=None)

    def _youngest_followed(self, stream: _Stream, now: int) -> int | None:
        """The same of what is only followed, for which no stream that is well has to speak."""
        ages = [
            age(self._symbols[each].rhythm, now, max(since, self._followed_since[each]))
            for each in stream.followed
            if (since := self._open_since(each)) is not None
        ]
        return min(ages, default=None)

    def _stream(self, name: str) -> _Stream:
        """One that nothing was to come on yet may have been told of before something is."""
        return self._streams.setdefault(name, _Stream(()))

    def _open_since(self, symbol: str) -> int | None:
        return self._coins_since if is_crypto(symbol) else self._exchange_since

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


def _since(since: int | None, now: int, is_open: bool) -> int | None:
    """From when on something is so that is so now; None: it is not."""
    if not is_open:
        return None
    return now if since is None else since
