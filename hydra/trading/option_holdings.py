"""The contracts that a bot holds, buys or sells, of all its underlyings together.

Each is known from its first order on, or from the record, also if it would not be bought any more.
No clock, no I/O.
"""

from collections.abc import Iterator
from decimal import Decimal

from hydra.trading.instruments import Instrument, instrument
from hydra.trading.option_holding import HoldingTerms, OptionHolding
from hydra.trading.option_symbols import parsed, root_of
from hydra.trading.symbol_book import ZERO, SymbolBook

CONTRACT_STEP = Decimal(1)


class OptionHoldings:
    """By symbol. `session` is the date that new decisions bear; None: none has begun."""

    def __init__(self, bot_id: str, terms: HoldingTerms) -> None:
        self.session: str | None = None
        self._bot_id = bot_id
        self._terms = terms
        self._holdings: dict[str, OptionHolding] = {}

    def __iter__(self) -> Iterator[OptionHolding]:
        return iter(self._holdings.values())

    def get(self, symbol: str) -> OptionHolding | None:
        """What is known of the contract."""
        return self._holdings.get(symbol)

    def of(self, symbol: str) -> OptionHolding | None:
        """The same, begun if there is none; None: that is no contract."""
        known = self.get(symbol)
        option = parsed(symbol) if instrument(symbol) is Instrument.OPTION else None
        if known is not None or option is None:
            return known
        book = SymbolBook(self._bot_id, symbol, CONTRACT_STEP)
        if self.session is not None:
            book.begin_session(self.session)
        holding = self._holdings[symbol] = OptionHolding(book, option, self._terms)
        return holding

    def on(self, underlying: str) -> list[OptionHolding]:
        """Those of this underlying."""
        root = root_of(underlying)
        return [each for each in self if each.option.root == root]

    def begin_session(self, date: str) -> None:
        """Count anew, if it is a later one."""
        if date > (self.session or ""):
            self.session = date
            for each in self:
                each.book.begin_session(date)

    @property
    def taken(self) -> list[OptionHolding]:
        """Those of which something is held, or may come to be, by symbol."""
        return [each for _, each in sorted(self._holdings.items()) if each.is_taken]

    @property
    def entries(self) -> int:
        """Made in this session."""
        return sum(each.book.entries for each in self)

    @property
    def position(self) -> Decimal:
        """Contracts, those that are short taken off."""
        return sum((each.position for each in self.taken), ZERO)

    def has(self, symbol: str) -> bool:
        """Whether something of it is held, or may come to be."""
        known = self.get(symbol)
        return known is not None and known.is_taken

    def is_cover(self, holding: OptionHolding) -> bool:
        """Something on its underlying is short, which the exit bot buys back: without what covers
        it, its loss has no floor.
        """
        root = holding.option.root
        return any(each.position < 0 and each.option.root == root for each in self)

    def entered_at(self, underlying: str) -> int:
        """When one on it was last bought (market time), as far as is known; 0: none was."""
        return max((each.book.entered_at for each in self.on(underlying)), default=0)
