"""The contracts of a day: what they are worth by the bars of the share that they are on.

They are priced as the local venue prices those that it lists (`market/chain`): by Black and Scholes
with a smile, so that there is time value, which decays; in the steps and as wide apart as contracts
are quoted. What the venue executes orders by are bars of their own: in each quarter of a minute the
middle of the quote.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from msgspec.structs import replace

from hydra.proving.plan import CONTRACTS
from hydra.trading.bars import Bar
from hydra.trading.durations import SECOND
from hydra.trading.option_rules import ChainContract
from hydra.trading.option_symbols import Right
from hydra.trading.quotes import Quote
from hydra.trading.sessions import SessionTable
from hydra.venues.simulated.market.chain import GeneratedChain
from hydra.venues.simulated.market.derived import QUARTERS, quarter_begins
from hydra.venues.simulated.market.modelled_chain import ChainTerms
from hydra.venues.simulated.market.series import Series
from messages.options import ChainQuestion

FIRST_PRICE = 100.0
"""Of the share, so that the same contracts are around the money each day."""
VOLUME = 1_000.0
"""Of each bar of a contract."""
OPEN_INTEREST = Decimal(1_000)


def moved_to_first_price(bars: Sequence[Bar]) -> tuple[Bar, ...]:
    """The same moves from `FIRST_PRICE` on."""
    share = FIRST_PRICE / bars[0].open
    return tuple(
        replace(
            bar,
            open=round(bar.open * share, 2),
            high=round(bar.high * share, 2),
            low=round(bar.low * share, 2),
            close=round(bar.close * share, 2),
        )
        for bar in bars
    )


class OptionMarket:
    """See the module. A pure function of the share's bars, the calendar and a seed."""

    def __init__(self, share: Sequence[Bar], calendar: SessionTable, seed: int) -> None:
        series = Series.of(share[0].symbol, share)
        self._share = share
        self._chain = GeneratedChain(series, calendar, ChainTerms(seed=seed))
        self._contracts = {}
        for symbol in CONTRACTS:
            contract = self._chain.contract(symbol, share[0].start_at)
            assert contract is not None, f"{symbol} is listed while the share begins at 100 USD"
            self._contracts[symbol] = contract

    @property
    def underlying(self) -> str:
        """The share."""
        return self._share[0].symbol

    def bars(self) -> Iterator[Bar]:
        """Those of all contracts, one after the other."""
        for symbol in self._contracts:
            for bar in self._share:
                prices = [self._middle(symbol, quarter_begins(bar, each)) for each in QUARTERS]
                yield Bar(
                    symbol, bar.start_at, bar.end_at,
                    prices[0], max(prices), min(prices), prices[-1], VOLUME,
                )  # fmt: skip

    def quote(self, symbol: str, at: int) -> Quote | None:
        """The newest of a contract; None: it does not trade. Sizes change with each."""
        contract = self._contracts.get(symbol)
        if contract is None or not self._chain.is_trading(contract, at):
            return None
        quoted = self._chain.quote(contract, at)
        assert quoted is not None, "it trades"
        more = float(quoted.at // _SIZES_EVERY % 7)
        return Quote(
            symbol, quoted.at, quoted.bid, quoted.ask, quoted.bid_size + more, quoted.ask_size
        )

    def listed(self, question: ChainQuestion, at: int) -> tuple[ChainContract, ...]:
        """What is asked for, as it is listed and quoted at `at`."""
        found = []
        for symbol, contract in self._contracts.items():
            if not (
                (contract.underlying, contract.right.value)
                == (question.underlying, question.right.value)
                and question.first <= contract.expiration <= question.last
                and question.strike_from <= contract.strike <= question.strike_to
            ):
                continue
            valued = self._chain.valuation(contract, at)
            greeks, volatility = (None, None) if valued is None else valued
            found.append(
                ChainContract(
                    symbol=symbol,
                    underlying=contract.underlying,
                    expiration=contract.expiration,
                    right=Right(contract.right.value),
                    strike=contract.strike,
                    multiplier=Decimal(contract.multiplier),
                    tradable=contract.tradable,
                    open_interest=OPEN_INTEREST,
                    quote=self.quote(symbol, at),
                    delta=None if greeks is None else greeks.delta,
                    implied_volatility=volatility,
                    in_penny_program=contract.in_penny_program,
                )
            )
        return tuple(found)

    def _middle(self, symbol: str, at: int) -> float:
        quote = self.quote(symbol, at)
        assert quote is not None, "its share trades"
        return round((quote.bid + quote.ask) / 2.0, 4)


_SIZES_EVERY = 15 * SECOND
