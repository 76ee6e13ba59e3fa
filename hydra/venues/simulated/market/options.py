"""The options of the local venue's market: a chain for each underlying that has one."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from hydra.venues.simulated.brokerage.contracts import OptionContract
from hydra.venues.simulated.market.contract_query import ContractQuery
from hydra.venues.simulated.market.events import QuoteChanged
from hydra.venues.simulated.market.occ import is_option
from hydra.venues.simulated.market.rows import Greeks
from hydra.venues.simulated.market.series import Series


class Chain(Protocol):
    """The contracts of one underlying. Contracts given to it are its own."""

    @property
    def roots(self) -> frozenset[str]:
        """What its contracts' symbols begin with."""

    def contract(self, symbol: str, at: int | None = None) -> OptionContract | None:
        """The contract as it is described at `at`; None: it is never listed in this market."""

    def contracts(self, at: int) -> Iterator[OptionContract]:
        """What is listed at `at` and has not expired, without what changes from day to day."""

    def all_contracts(self) -> Iterator[OptionContract]:
        """What is listed at any time of this market."""

    def quote(self, contract: OptionContract, at: int) -> QuoteChanged | None:
        """The newest; None: there has been none."""

    def valuation(self, contract: OptionContract, at: int) -> tuple[Greeks, float] | None:
        """Greeks and implied volatility; None where the real feed has none either."""

    def is_trading(self, contract: OptionContract, at: int) -> bool:
        """Whether the contract can be traded at this very moment."""

    def series(self, contract: OptionContract) -> Series | None:
        """The contract's own bars; None: nothing is known of its trades."""


class OptionBoard:
    """All chains, by the symbols of their underlyings."""

    def __init__(self, chains: Mapping[str, Chain]) -> None:
        self._chains = dict(sorted(chains.items()))
        self._by_root = {root: chain for chain in self._chains.values() for root in chain.roots}
        self._symbols_by_id: dict[str, str] | None = None

    @property
    def underlyings(self) -> frozenset[str]:
        """What options are listed on."""
        return frozenset(self._chains)

    def chain(self, underlying: str) -> Chain | None:
        """The options on this symbol."""
        return self._chains.get(underlying)

    def find(self, name: str, at: int | None = None) -> tuple[Chain, OptionContract] | None:
        """The contract of this OCC symbol or id, and the chain that it is in."""
        symbol = name if is_option(name) else self._symbol_of_id(name)
        chain = None if symbol is None else self._by_root.get(symbol[:-_AFTER_ROOT])
        if symbol is None or chain is None:
            return None
        contract = chain.contract(symbol, at)
        return None if contract is None else (chain, contract)

    def contracts(self, query: ContractQuery, at: int) -> tuple[OptionContract, ...]:
        """Those that are asked for and listed at `at`, by symbol."""
        found = [
            described
            for underlying, chain in self._chains.items()
            if query.underlyings is None or underlying in query.underlyings
            for contract in chain.contracts(at)
            if query.fits(contract)
            and (described := chain.contract(contract.symbol, at)) is not None
        ]
        return tuple(sorted(found, key=_symbol))

    def _symbol_of_id(self, name: str) -> str | None:
        if len(name) != _ID_LENGTH:
            return None
        if self._symbols_by_id is None:  # thousands of names, and most clients ask by symbol
            self._symbols_by_id = {
                contract.id: contract.symbol
                for chain in self._chains.values()
                for contract in chain.all_contracts()
            }
        return self._symbols_by_id.get(name)


def _symbol(contract: OptionContract) -> str:
    return contract.symbol


_ID_LENGTH = 36
_AFTER_ROOT = 15
"""Characters of an OCC symbol behind its root."""
