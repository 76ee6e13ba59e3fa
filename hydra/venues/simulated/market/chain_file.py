"""An option chain from files of end-of-day quotes: real ones, and only as fine as the files.

The quotes of a date are those of its close: they are seen from then on and not earlier, and stand
until the contract is quoted again. Such files have no sizes, so ten contracts are shown. A row
whose bid is not under its ask has no quote, one without volatility no greeks; what else is lacking
of the greeks is computed from the volatility. The options trade whenever the exchange is open.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import date, time
from pathlib import Path

from msgspec import structs

from hydra.trading.local_time import new_york_instant
from hydra.trading.sessions import SessionTable
from hydra.venues.bar_rows import BadData
from hydra.venues.simulated.brokerage.contracts import OptionContract
from hydra.venues.simulated.fill_model import as_written
from hydra.venues.simulated.market import black_scholes
from hydra.venues.simulated.market.chain_rows import ChainDay, EndOfDay, read_days
from hydra.venues.simulated.market.events import QuoteChanged
from hydra.venues.simulated.market.hashing import id_of
from hydra.venues.simulated.market.occ import parse
from hydra.venues.simulated.market.rows import Greeks
from hydra.venues.simulated.market.series import Series

QUOTE_SIZE = 10.0
INDEX_ROOTS = frozenset({"SPX", "SPXW", "NDX", "NDXP", "RUT", "RUTW", "VIX", "VIXW", "XSP"})
"""Options on indices: not exercised before their end, and outside the penny programme."""


class FileChain:
    """The options of one underlying, as a pure function of the files' rows and the calendar."""

    def __init__(self, days: Iterable[ChainDay], sessions: SessionTable) -> None:
        """`days` rise, are of one underlying, and each is a session."""
        self._days = tuple(days)
        self._sessions = sessions
        self._closes = [close_of(day.day, sessions) for day in self._days]
        self._listed_at: dict[str, int] = {}
        self._contracts: dict[str, OptionContract] = {}
        for close, day in zip(self._closes, self._days, strict=True):
            for symbol in day.rows:
                if symbol not in self._contracts:
                    self._listed_at[symbol] = close
                    self._contracts[symbol] = contract_of(symbol, day.underlying)

    @property
    def underlying(self) -> str:
        """What the options are on."""
        return self._days[0].underlying

    @property
    def roots(self) -> frozenset[str]:
        """What the symbols of the contracts begin with."""
        return frozenset(symbol[:-15] for symbol in self._contracts)

    def contract(self, symbol: str, at: int | None = None) -> OptionContract | None:
        """The contract as it is described at `at`; None: it is never listed in this market."""
        contract = self._contracts.get(symbol)
        return contract if contract is None or at is None else self._described(contract, at)

    def contracts(self, at: int) -> Iterator[OptionContract]:
        """What the files have had by `at` and has not expired, without what changes by day."""
        for symbol, contract in self._contracts.items():
            if self._listed_at[symbol] <= at < close_of(contract.expiration, self._sessions):
                yield contract

    def all_contracts(self) -> Iterator[OptionContract]:
        """All that the files have."""
        return iter(self._contracts.values())

    def quote(self, contract: OptionContract, at: int) -> QuoteChanged | None:
        """The newest; None: there has been none."""
        found = self._newest(contract.symbol, at)
        if found is None:
            return None
        index, row = found
        bid_size = QUOTE_SIZE if row.bid else 0.0
        return QuoteChanged(
            contract.symbol, self._closes[index], row.bid, row.ask, bid_size, QUOTE_SIZE
        )

    def valuation(self, contract: OptionContract, at: int) -> tuple[Greeks, float] | None:
        """Greeks and implied volatility; None where the file has no volatility."""
        found = self._newest(contract.symbol, at)
        if found is None or found[1].volatility <= 0.0:
            return None
        index, row = found
        left = close_of(contract.expiration, self._sessions) - self._closes[index]
        if left <= 0:
            return None
        terms = black_scholes.Terms(
            contract.right,
            row.underlying_close,
            float(contract.strike),
            left / black_scholes.YEAR_NS,
        )
        computed = black_scholes.greeks(terms, row.volatility)
        theta = computed.theta if row.theta is None else row.theta
        vega = computed.vega if row.vega is None else row.vega
        return Greeks(row.delta, row.gamma, theta, vega, computed.rho), row.volatility

    def is_trading(self, contract: OptionContract, at: int) -> bool:
        """Whether the exchange is open and the contract has a quote and has not expired."""
        return (
            self._sessions.at(at) is not None
            and at < close_of(contract.expiration, self._sessions)
            and self._newest(contract.symbol, at) is not None
        )

    def series(self, contract: OptionContract) -> Series | None:
        """None: the files have no trades but the last of a day."""
        return None

    def _newest(self, symbol: str, at: int) -> tuple[int, EndOfDay] | None:
        """The newest row with a quote, behind the place of its day."""
        for index in reversed(range(bisect_right(self._closes, at))):
            row = self._days[index].rows.get(symbol)
            if row is not None and row.bid < row.ask:
                return index, row
        return None

    def _described(self, contract: OptionContract, at: int) -> OptionContract:
        """With what the newest day by `at` says of it."""
        index = bisect_right(self._closes, at) - 1
        row = self._days[index].rows.get(contract.symbol) if index >= 0 else None
        if row is None:
            return contract
        day, interest = self._days[index].day, row.open_interest
        return structs.replace(
            contract,
            open_interest=None if interest is None else int(interest),
            open_interest_date=None if interest is None else day,
            close_price=as_written(row.last) if row.last else None,
            close_price_date=day if row.last else None,
        )


def read_chain(paths: Iterable[Path], sessions: SessionTable) -> FileChain:
    """The chain of these files, in the order of time; `sessions` covers it. Raises `BadData`."""
    days: list[ChainDay] = []
    for path in paths:
        for day in read_days(path):
            if sessions.of_date(day.day.isoformat()) is None:
                raise BadData(
                    f"{path}: found quotes of {day.day}, which is no session of the exchange; "
                    "wanted days of trading alone; correct the file or take another"
                )
            if days and not (days[-1].day < day.day and days[-1].underlying == day.underlying):
                raise BadData(
                    f"{path}: found {day.underlying} of {day.day} after {days[-1].underlying} of "
                    f"{days[-1].day}; wanted one underlying and rising dates; reorder the files"
                )
            days.append(day)
    return FileChain(days, sessions)


def contract_of(symbol: str, underlying: str) -> OptionContract:
    """What the OCC symbol says, without what changes from day to day."""
    occ = parse(symbol)
    is_on_index = occ.root in INDEX_ROOTS
    return OptionContract(
        id=id_of("option", symbol),
        symbol=symbol,
        underlying=underlying,
        expiration=occ.expiration,
        right=occ.right,
        strike=occ.strike,
        style="european" if is_on_index else "american",
        in_penny_program=not is_on_index,
    )


def close_of(day: date, sessions: SessionTable) -> int:
    """The close of that day (UTC ns); four in the afternoon where the calendar has no session.

    Old expirations were on Saturdays, and far ones are beyond the calendar.
    """
    session = sessions.of_date(day.isoformat())
    if session is not None:
        return session.close_at
    return new_york_instant(day, _USUAL_CLOSE)


_USUAL_CLOSE = time(16)
