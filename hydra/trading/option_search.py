"""The options bot's searches for a contract, each from a signal to the order that it leads to.

A contract that was just chosen is bid on at the first quote of after the choice. So a quote of
before it is waited out, and so is a time in which the data feed holds the contract, or what it is
on, to be unready: the guardian would deny a bid, and the signal would be used up for nothing.
Times are market time (UTC ns). No clock, no I/O.
"""

from collections.abc import Iterator

from hydra.trading.option_entry import AGAINST
from hydra.trading.option_rules import ChainContract
from hydra.trading.option_symbols import Right
from hydra.trading.orders import DecisionKey
from hydra.trading.quotes import Quote
from hydra.trading.strategies.strategy import Signal


class OptionSearch:
    """For a contract, because of a signal."""

    def __init__(self, underlying: str, right: Right, began_at: int, number: int) -> None:
        self.underlying = underlying
        self.right = right
        self.began_at = began_at
        self.number = number
        """Of the question about the chain."""
        self.contract: ChainContract | None = None
        """What was chosen; its quote is waited for."""
        self._chosen_at = began_at

    @property
    def symbols(self) -> tuple[str, ...]:
        """What has to be ready for an entry."""
        if self.contract is None:
            return (self.underlying,)
        return (self.underlying, self.contract.symbol)

    def choose(self, contract: ChainContract, at: int) -> None:
        """From now on quotes of this one are waited for."""
        self.contract, self._chosen_at = contract, at

    def is_decided_by(self, quote: Quote) -> bool:
        """Whether it is a quote of the contract, and none of before the choice.

        A stream that runs already brings what the market said a moment ago, by the venue's clock.
        """
        contract = self.contract
        return (
            contract is not None and quote.symbol == contract.symbol and quote.at >= self._chosen_at
        )


class OptionSearches:
    """Those that go on, one an underlying, and what the data feed says of readiness."""

    def __init__(self, lasts: int) -> None:
        """`lasts`: so long after its signal a search is given up."""
        self._lasts = lasts
        self._searches: dict[str, OptionSearch] = {}
        self._bids: dict[DecisionKey, OptionSearch] = {}
        """What each came of, as long as the guardian may deny it."""
        self._hindered: set[DecisionKey] = set()
        """Bids of which a symbol came to be unready on their way."""
        self._unready: set[str] = set()
        self._questions = 0

    def __len__(self) -> int:
        return len(self._searches)

    def __iter__(self) -> Iterator[OptionSearch]:
        """Of a moment: what happens to one changes nothing of that."""
        return iter(tuple(self._searches.values()))

    def of(self, underlying: str) -> OptionSearch | None:
        """That which goes on for it."""
        return self._searches.get(underlying)

    def begin(self, underlying: str, right: Right, at: int) -> OptionSearch:
        """Because of a signal at `at`."""
        self._questions += 1
        search = OptionSearch(underlying, right, at, self._questions)
        self._searches[underlying] = search
        return search

    def asked(self, number: int) -> OptionSearch | None:
        """That which waits for the answer to this question."""
        waiting = (each for each in self if each.number == number and each.contract is None)
        return next(waiting, None)

    def end(self, search: OptionSearch) -> None:
        """It is over, whether or not something came of it."""
        del self._searches[search.underlying]

    def hear(self, symbol: str, *, is_ready: bool) -> None:
        """The data feed says whether the symbol may be entered."""
        if is_ready:
            self._unready.discard(symbol)
            return
        self._unready.add(symbol)
        self._hindered.update(
            decision for decision, each in self._bids.items() if symbol in each.symbols
        )

    def turned(self, underlying: str, signal: Signal | None) -> OptionSearch | None:
        """What goes on for it though its strategy says the contrary by now."""
        for decision, each in tuple(self._bids.items()):
            if each.underlying == underlying and signal in AGAINST[each.right]:
                self.judged(decision)  # it is not taken up again
        search = self._searches.get(underlying)
        return search if search is not None and signal in AGAINST[search.right] else None

    def decided_by(self, quote: Quote) -> list[OptionSearch]:
        """Those that have waited for this very quote."""
        return [
            each
            for each in self
            if each.is_decided_by(quote) and self._unready.isdisjoint(each.symbols)
        ]

    def overdue(self, at: int) -> list[OptionSearch]:
        """Those that have taken too long."""
        return [each for each in self if not self._is_in_time(each, at)]

    def bid(self, search: OptionSearch, decision: DecisionKey) -> None:
        """An order came of it, which the guardian is still to judge."""
        self._bids[decision] = search

    def judged(self, decision: DecisionKey) -> None:
        """The guardian has let it through, or has denied it for good."""
        self._bids.pop(decision, None)
        self._hindered.discard(decision)

    def taken_up(self, decision: DecisionKey, at: int) -> bool:
        """No entry passes just now, not the one that was bid either. Gives whether its search goes
        on with the next quote: that is so if a symbol came to be unready on the way of the bid.
        """
        search, is_hindered = self._bids.get(decision), decision in self._hindered
        self.judged(decision)
        if search is None or not is_hindered or search.underlying in self._searches:
            return False
        if self._is_in_time(search, at):
            self._searches[search.underlying] = search
        return search.underlying in self._searches

    def _is_in_time(self, search: OptionSearch, at: int) -> bool:
        return at - search.began_at <= self._lasts
