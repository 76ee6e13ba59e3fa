"""An option chain with a file's contracts and volatilities, priced around a share of the market.

What is listed, since when, with which volatility and open interest is `moved_options`' word, and
prices follow by `modelled_chain`. A volatility stays with its strike until the file has another.
"""

from collections.abc import Iterator

from msgspec import structs

from hydra.trading.local_time import new_york_date
from hydra.trading.sessions import SessionTable
from hydra.venues.simulated.brokerage.contracts import OptionContract
from hydra.venues.simulated.fill_model import as_written
from hydra.venues.simulated.market import black_scholes
from hydra.venues.simulated.market.chain_file import close_of, contract_of
from hydra.venues.simulated.market.modelled_chain import ChainTerms, ModelledChain
from hydra.venues.simulated.market.moved_options import MovedOptions
from hydra.venues.simulated.market.series import Series


class ImpliedChain(ModelledChain):
    """See the module. A pure function of the share's bars, what was moved, calendar and terms."""

    def __init__(
        self,
        underlying: Series,
        sessions: SessionTable,
        terms: ChainTerms,
        options: MovedOptions,
    ) -> None:
        """`options` are on this underlying; `sessions` those that they were moved by."""
        self._moved = {each.symbol: each for each in options.contracts}
        self._contracts = {
            symbol: contract_of(symbol, options.underlying) for symbol in self._moved
        }
        closes = {
            each.expiration: close_of(each.expiration, sessions)
            for each in self._contracts.values()
        }
        super().__init__(underlying, sessions, terms, closes)

    @property
    def roots(self) -> frozenset[str]:
        """What the symbols of the contracts begin with."""
        return frozenset(symbol[:-15] for symbol in self._contracts)

    def contract(self, symbol: str, at: int | None = None) -> OptionContract | None:
        """The contract as it is described at `at`; None: it is never listed in this market."""
        contract = self._contracts.get(symbol)
        return contract if contract is None or at is None else self._described(contract, at)

    def contracts(self, at: int) -> Iterator[OptionContract]:
        """What the file has had by `at` and has not expired, without what changes by day."""
        for contract in self._contracts.values():
            if self._listed_at(contract) <= at < self._closes[contract.expiration]:
                yield contract

    def all_contracts(self) -> Iterator[OptionContract]:
        """All that is ever listed in this market."""
        return iter(self._contracts.values())

    def _described(self, contract: OptionContract, at: int) -> OptionContract:
        """With the newest open interest, and the close of the day before if it was listed then."""
        known = self._moved[contract.symbol].at(at)
        if known is not None and known.open_interest is not None:
            contract = structs.replace(
                contract,
                open_interest=known.open_interest,
                open_interest_date=new_york_date(known.at),
            )
        before = self._day_before(at)
        if before is None or before[0] < self._listed_at(contract):
            return contract
        closed_at, price = before
        return structs.replace(
            contract,
            close_price=as_written(self._worth(contract, price, closed_at)),
            close_price_date=new_york_date(closed_at),
        )

    def _listed_at(self, contract: OptionContract) -> int:
        return self._moved[contract.symbol].known[0].at

    def _volatility_of(
        self, contract: OptionContract, terms: black_scholes.Terms, at: int
    ) -> float:
        moved = self._moved[contract.symbol]
        return (moved.at(at) or moved.known[0]).volatility
