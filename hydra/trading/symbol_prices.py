"""What is known of one symbol's prices, and why nobody should enter on them just now.

Pure: times are given. Machine time (`now`) says how old things are, market time (`at`) which of two
came first at the venue.
"""

from enum import Enum

from hydra.trading.bars import Bar
from hydra.trading.feed_age import Rhythm, frozen, heard, stale
from hydra.trading.instruments import Instrument, instrument
from hydra.trading.price_level import PriceLevel, is_near, judged, reaches
from hydra.trading.quote_checks import nonsense_in, unusable_in
from hydra.trading.quotes import Quote

JUMP_MAX = 0.25
"""From one price to the next. What really moves so far is believed a second later."""
OPTION_JUMP_MAX = 3.0
"""The price of an option is a small number that moves with a large one."""


class Unready(Enum):
    """Why a symbol must not be entered; the first that holds counts."""

    HALTED = "halted"
    """The exchange has stopped its trading."""
    LOST = "lost"
    """The stream that tells of it is down."""
    MISSING = "missing"
    """Bars between what was told and what comes are still to be fetched."""
    UNKNOWN = "unknown"
    """Nothing was heard of it since its stream began, or since it was resumed."""
    JUMPED = "jumped"
    """Its quotes have gone far, and nothing has traded there yet; or its trades alone have."""
    STALE = "stale"
    FROZEN = "frozen"


class _Source(Enum):
    """Who says what a price is. One may be wrong for long: by a factor of ten, or by a split."""

    QUOTES = "quotes"
    TRADES = "trades"


class Verdict(Enum):
    """What a price is worth."""

    GOOD = "good"
    UNUSABLE = "unusable"
    """A market may say such a thing, but it is no price."""
    NONSENSE = "nonsense"
    """Nobody should have said that."""


class SymbolPrices:
    """See the module. Begins unready: its stream has not begun."""

    def __init__(self, symbol: str) -> None:
        self._is_option = instrument(symbol) is Instrument.OPTION
        self._jump_max = OPTION_JUMP_MAX if self._is_option else JUMP_MAX
        self.quote: Quote | None = None
        """The newest good one."""
        self.rhythm: Rhythm | None = None
        self._level: PriceLevel | None = None
        self._jump: tuple[_Source, str] | None = None
        """Who alone has told of the last jump, and of which."""
        self._lost = "its stream is not connected yet"
        self._missing = ""
        self._unknown = ""
        self._fresh_after = 0
        """Only what is of later than this (market time) ends that nothing is known."""
        self._halt = ""
        self._status_at = 0
        self._halt_doubted_since: int | None = None
        """The stream began anew, so that the word which ends the halt may have been missed."""

    # What is heard of it

    def stream_began(self, connection: int, at: int) -> None:
        """From `at` on (market time) its stream tells of it; nothing of before is known."""
        self._lost = ""
        self._be_unknown(f"no price since connection {connection} began", at)
        if self._halt:
            self._halt_doubted_since = at

    def stream_ended(self, reason: str) -> None:
        """Its stream tells nothing any more."""
        self._lost = f"its stream is lost: {reason}"

    def bars_missing(self, reason: str) -> None:
        """Some bars are still to be told; "" once they are."""
        self._missing = reason

    def began_anew(self, at: int) -> None:
        """From `at` on (market time) it is another thing, by a split say: no price is known of it,
        and what was last told is nothing to hold the next one against.
        """
        self._level, self._jump = None, None
        self._be_unknown("no price of after a split, or the like, of it", at)

    def status(self, trades: bool, words: str, at: int) -> None:
        """The exchange says whether it trades. An older word that it does changes nothing."""
        if not trades:
            self._halt, self._halt_doubted_since = words, None
        elif at >= self._status_at and self._halt:
            self._resumed("no price since it was resumed", at)
        self._status_at = max(self._status_at, at)

    def take_quote(self, quote: Quote, now: int) -> tuple[Verdict, str]:
        """What the quote is worth, and what is wrong with it; only a good one is kept."""
        fault = nonsense_in(quote)
        if fault is not None:
            return Verdict.NONSENSE, fault
        last = self.quote
        if last is not None and quote.at < last.at:
            return Verdict.NONSENSE, f"it is older than the last one, of {last.at}"
        fault = unusable_in(quote)
        if fault is not None:
            return Verdict.UNUSABLE, fault
        if not self._believes(quote.bid, quote.ask, now, _Source.QUOTES):
            return self._doubted(quote)
        self.quote = quote
        is_change = last is None or (quote.bid, quote.ask, quote.bid_size, quote.ask_size) != (
            *(last.bid, last.ask),
            *(last.bid_size, last.ask_size),
        )
        self._note(quote.at, now, is_change=is_change)
        return Verdict.GOOD, ""

    def take_bar(self, bar: Bar, now: int) -> tuple[Verdict, str]:
        """The same of a bar that was told as it closed. A bar in which nothing traded is no news.

        Its numbers and its times were checked before.
        """
        source = (
            _Source.TRADES if bar.volume > 0 else _Source.QUOTES
        )  # an empty bar is made of them
        if not self._believes(bar.close, bar.close, now, source):
            return Verdict.NONSENSE, self._jump_fault(bar.close, bar.close)
        if bar.volume > 0:
            doubted = self._halt_doubted_since
            if doubted is not None and bar.start_at >= doubted:
                self._resumed("", 0)  # it has traded since, whatever we did not hear
            self._note(bar.end_at, now, is_change=True)
        return Verdict.GOOD, ""

    def take_history(self, bar: Bar) -> None:
        """A bar of before: where the price was."""
        self._level = PriceLevel(bar.close)

    # What follows from it

    @property
    def speaks_for_its_stream(self) -> bool:
        """Whether a silence of it, and of all others on the stream, is one of the stream.

        A halted symbol is silent by itself, and of an option nothing may be heard for minutes.
        """
        return not self._halt and not self._is_option

    def trouble(self, now: int, since: int | None, age_max: int) -> tuple[Unready, str] | None:
        """Why it must not be entered now; None: it may.

        Prices are expected from `since` on (machine time); None: no session is open, and a price
        may be as old as it is.
        """
        if self._halt:
            return Unready.HALTED, self._halt
        if self._lost:
            return Unready.LOST, self._lost
        if self._missing:
            return Unready.MISSING, self._missing
        if self._unknown:
            return Unready.UNKNOWN, self._unknown
        if self._jump is not None:
            return Unready.JUMPED, self._jump[1]
        if since is None or self.rhythm is None:
            return None
        fault = stale(self.rhythm, now, since, age_max)
        if fault is not None:
            return Unready.STALE, fault
        fault = frozen(self.rhythm, now, since, age_max)
        return None if fault is None else (Unready.FROZEN, fault)

    def _be_unknown(self, reason: str, at: int) -> None:
        self._unknown = reason
        self._fresh_after = max(self._fresh_after, at)

    def _resumed(self, reason: str, at: int) -> None:
        self._halt, self._halt_doubted_since = "", None
        if reason:
            self._be_unknown(reason, at)

    def _note(self, at: int, now: int, *, is_change: bool) -> None:
        self.rhythm = heard(self.rhythm, now, is_change=is_change)
        if self._unknown and at > self._fresh_after:
            self._unknown = ""

    def _believes(self, low: float, high: float, now: int, source: _Source) -> bool:
        before = self._level
        self._level, is_believed = judged(before, low, high, now, self._jump_max)
        if not is_believed or self._is_option:  # of options there are quotes alone
            return is_believed
        if before is not None and not is_near(before.price, low, high, self._jump_max):
            self._jump = source, _jump_words(source, before.price, self._level.price)
        elif self._jump is not None and self._jump[0] is not source:
            self._jump = None
        return True

    def _doubted(self, quote: Quote) -> tuple[Verdict, str]:
        """Wide around the price, as thin markets are quoted again and again, it is no jump."""
        assert self._level is not None, "nothing is a jump from nowhere"
        if not reaches(self._level, quote.bid, quote.ask, self._jump_max):
            return Verdict.NONSENSE, self._jump_fault(quote.bid, quote.ask)
        found = f"found bid {quote.bid} and ask {quote.ask} around {self._level.price}"
        return Verdict.UNUSABLE, f"{found}; wanted them closer together"

    def _jump_fault(self, low: float, high: float) -> str:
        assert self._level is not None, "nothing is a jump from nowhere"
        found = f"{low}" if low == high else f"{low} to {high}"
        return (
            f"found {found} after {self._level.price}; a jump of more than {self._jump_max:.0%}"
            " is believed once it is confirmed"
        )


def _jump_words(source: _Source, before: float, after: float) -> str:
    other = "trade" if source is _Source.QUOTES else "quote"
    way = f"from {round(before, 4)} to {round(after, 4)}"
    return f"{source.value} jumped {way}, and no {other} says so yet"
